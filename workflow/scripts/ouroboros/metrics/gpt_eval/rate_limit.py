"""Requests evenly spaced in time, and none before the server allows it."""

import asyncio
import time
from email.utils import parsedate_to_datetime


class RateLimit:
    """At most `per_minute` requests a minute, evenly spaced."""

    def __init__(self, per_minute: float):
        self.gap = 60 / per_minute
        self.next = 0.0

    async def wait(self):
        """Wait until the next request may be sent."""
        while (seconds := self.next - time.monotonic()) > 0:
            await asyncio.sleep(seconds)
        self.next = time.monotonic() + self.gap

    def pause(self, seconds: float):
        """Allow no request for so many seconds."""
        self.next = max(self.next, time.monotonic() + seconds)


def retry_after(headers) -> float | None:
    """Seconds in the header Retry-After (RFC 9110: a number or a date); None without it."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
