"""The clock that commands go by: the system's, unless somebody in this process tells another time.

A receipt time is a fact of the log, so no option and no environment variable of a command can set it. The demo, which
plays a day of November 2026 whenever it runs, tells its own time with `telling`, and so do tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Clock", "clock", "telling"]

#: Milliseconds since 1970 UTC.
Clock = Callable[[], int]

_TOLD: ContextVar[Clock | None] = ContextVar("tracechain.cli.clock", default=None)


def clock() -> Clock:
    """The clock to open a ledger or a station with; called, it gives milliseconds since 1970 UTC.

    Ask for it where a command begins, not in a thread of it: other threads do not see what was told here.
    """
    told = _TOLD.get()
    if told is not None:
        return told
    # A short command should not wait for the modules of the ledger.
    from tracechain.ledger import system_clock

    return system_clock


@contextmanager
def telling(told: Clock) -> Iterator[None]:
    """Let the commands of this block go by another clock."""
    token = _TOLD.set(told)
    try:
        yield
    finally:
        _TOLD.reset(token)
