"""A View that tells how far its log was read: a progress bar for functions that know of none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracechain.view import Block, View

__all__ = ["Watched"]

_EVERY = 1024


class Watched:
    """The view, calling `tick(done, size)` now and then while its parts are read in order."""

    def __init__(self, view: View, tick: Callable[[int, int], None]) -> None:
        self._view = view
        self._tick = tick

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)

    def headers(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """As the view's."""
        return self._counted(self._view.headers(start, stop))

    def contents(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """As the view's."""
        return self._counted(self._view.contents(start, stop))

    def all_rows(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """As the view's."""
        return self._counted(self._view.all_rows(start, stop))

    def block(self, start: int, stop: int) -> Block:
        """As the view's."""
        self._tick(start, self._view.size)
        return self._view.block(start, stop)

    def _counted(self, parts: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        size = self._view.size
        for number, part in enumerate(parts):
            if number % _EVERY == 0:
                self._tick(part[0], size)
            yield part
