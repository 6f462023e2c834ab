"""Which entries an archive holds, and where among them something stands: sums over ranges, by bisection.

An archive may be of hundreds of thousands of ranges, and each of its blocks asks for those within it; so nothing here
walks through all of them for one block.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from heapq import merge
from itertools import accumulate

from attrs import frozen

from tracechain.retention.ranges import Ranges

__all__ = ["CONTENT", "HEADER", "ROWS", "Places", "join_all"]

#: What is held of an entry, as sums: its header always; where it is an event, its content, its rows.
HEADER, CONTENT, ROWS = 0, 1, 2


def join_all(*several: Ranges) -> Ranges:
    """The ranges of what is in any of several sets."""
    found: list[tuple[int, int]] = []
    for start, stop in merge(*several):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(stop, found[-1][1])
        else:
            found.append((start, stop))
    return tuple(found)


@frozen
class Places:
    """A set of entries that can be asked for a part of it."""

    ranges: Ranges
    _starts: tuple[int, ...]
    _before: tuple[int, ...]

    @classmethod
    def of(cls, ranges: Ranges) -> Places:
        """The entries of some ranges."""
        lengths = (stop - start for start, stop in ranges)
        return cls(ranges, tuple(start for start, _ in ranges), (0, *accumulate(lengths)))

    def __len__(self) -> int:
        return self._before[-1]

    def before(self, index: int) -> int:
        """How many of the entries are before an index."""
        at = bisect_right(self._starts, index) - 1
        if at < 0:
            return 0
        start, stop = self.ranges[at]
        return self._before[at] + min(index, stop) - start

    def count(self, start: int, stop: int) -> int:
        """How many there are from `start` to `stop` - 1."""
        return self.before(stop) - self.before(start)

    def clip(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The ranges of those from `start` to `stop` - 1."""
        at = max(0, bisect_right(self._starts, start) - 1)
        while at < len(self.ranges) and self.ranges[at][0] < stop:
            first, last = max(start, self.ranges[at][0]), min(stop, self.ranges[at][1])
            if first < last:
                yield first, last
            at += 1

    def next(self, index: int) -> int | None:
        """The first of them that is not before an index."""
        at = max(0, bisect_right(self._starts, index) - 1)
        while at < len(self.ranges):
            if self.ranges[at][1] > index:
                return max(index, self.ranges[at][0])
            at += 1
        return None

    def flags(self, start: int, stop: int, into: bytearray, flag: int) -> None:
        """Add a flag to what stands for each of those from `start` to `stop` - 1 in an array of bytes from `start`."""
        table = bytes(value | flag for value in range(256))
        for first, last in self.clip(start, stop):
            into[first - start : last - start] = into[first - start : last - start].translate(table)
