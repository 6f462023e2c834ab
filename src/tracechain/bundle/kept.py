"""What was read of a bundle and is kept for the next question: the last few files, bounded by number and by bytes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["Kept"]

Read = TypeVar("Read")


class Kept(Generic[Read]):
    """Files as they were read, by their numbers, those asked for last: `most` of them, of `most_bytes` together, but
    always the last one."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._files: OrderedDict[int, tuple[Read, int]] = OrderedDict()
        self._bytes = 0

    def get(self, number: int) -> Read | None:
        """What is kept under a number."""
        found = self._files.get(number)
        if found is None:
            return None
        self._files.move_to_end(number)
        return found[0]

    def put(self, number: int, read: Read, length: int) -> None:
        """Keep what was read from so many bytes, under a number under which nothing is kept."""
        self._files[number] = read, length
        self._bytes += length
        while len(self._files) > 1 and (len(self._files) > self._most or self._bytes > self._most_bytes):
            _, (_, gone) = self._files.popitem(last=False)
            self._bytes -= gone
