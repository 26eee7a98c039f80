"""When the next request may be sent: at an even pace, and not before the server says so."""

import asyncio
import time
from email.utils import parsedate_to_datetime


class Pace:
    """Turns for `per_minute` requests a minute, evenly apart."""

    def __init__(self, per_minute: float):
        self.gap = 60 / per_minute
        self.next = 0.0

    async def turn(self):
        """Wait for the next turn and take it."""
        while (seconds := self.next - time.monotonic()) > 0:
            await asyncio.sleep(seconds)
        self.next = time.monotonic() + self.gap

    def pause(self, seconds: float):
        """No turn before so many seconds are over."""
        self.next = max(self.next, time.monotonic() + seconds)


def pause_asked(headers) -> float | None:
    """Seconds that the header Retry-After asks for (RFC 9110: a number or a date), None without it."""
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
