"""Python's cyclic garbage collector, and doing without it for a while."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["uninterrupted"]


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Without cyclic garbage collection: a large batch, or a large answer, makes containers by the hundred thousand and
    not one cycle, and the collector, called each 700 of them, would walk the caller's objects again and again.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
