"""End a job on SIGTERM, SIGINT or SIGHUP: at once, or after its state is on disk.

Schedulers send SIGTERM some time before SIGKILL; a terminal sends SIGINT, and SIGHUP when it is closed.
Each becomes an exception, so that half-written files are removed on the way out.
"""

import contextlib
import signal

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_received = None  # number of the signal that waits
_deferred = False


class Stopped(SystemExit):
    """The job received a signal; its exit status is 128 + the signal's number, as in a shell."""

    def __init__(self, number: int):
        super().__init__(128 + number)
        self.signal = signal.Signals(number).name


@contextlib.contextmanager
def stop_on_signals():
    """Raise `Stopped` in this context when a signal arrives; `nohup` keeps SIGHUP away."""
    global _received
    kept_away = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else {}
    before = {number: signal.signal(number, _handle) for number in {*SIGNALS} - {*kept_away}}
    try:
        yield
    finally:
        _received = None
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def defer_signals():
    """Let signals wait in this context until `stop_if_requested` or its end."""
    global _deferred
    _deferred = True
    try:
        yield
    finally:
        _deferred = False
    stop_if_requested()


def stop_requested() -> bool:
    """True where a signal waits."""
    return _received is not None


def stop_if_requested():
    """Raise `Stopped` where a signal waits."""
    if stop_requested():
        raise Stopped(_received)


def _handle(number, frame):
    global _received
    if not _deferred:
        raise Stopped(number)
    _received = number
