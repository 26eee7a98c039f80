"""SIGTERM and SIGINT: a job ends at once, or where it has put its state on disk.

Schedulers send SIGTERM some time before SIGKILL, a terminal sends SIGINT. As an exception, a signal
lets files that are being written be removed on the way out.
"""

import contextlib
import signal

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_asked = None  # the signal that came while it was held
_held = False


class Stopped(SystemExit):
    """The job was asked to stop; its exit status is a shell's for this signal."""

    def __init__(self, number: int):
        super().__init__(128 + number)
        self.signal = signal.Signals(number).name


@contextlib.contextmanager
def on_signals():
    """Within it, a signal raises `Stopped`."""
    global _asked
    before = {number: signal.signal(number, _handle) for number in SIGNALS}
    try:
        yield
    finally:
        _asked = None
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def held():
    """Within it, a signal waits: the job looks at `asked` and ends by `stop` when it is ready."""
    global _held
    _held = True
    try:
        yield
    finally:
        _held = False
    stop()


def asked() -> bool:
    """Whether a signal waits."""
    return _asked is not None


def stop():
    """Raise `Stopped` where a signal waits."""
    if asked():
        raise Stopped(_asked)


def _handle(number, frame):
    global _asked
    if not _held:
        raise Stopped(number)
    _asked = number
