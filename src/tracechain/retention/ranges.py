"""Sets of entries as ranges of indices, (start, stop), ascending, disjoint, and not touching each other.

In records a set is a flat array [skip, length, skip, length, ...], each skip counted from the end of the range before
(docs/format.md section 5.10), so neighbouring entries of a million cost two small numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from tracechain.errors import DecodeError

__all__ = [
    "Ranges",
    "contains",
    "count",
    "from_flat",
    "indices",
    "intersect",
    "minus",
    "of_indices",
    "to_flat",
    "unite",
]

Ranges = tuple[tuple[int, int], ...]

_MOST = 1 << 40


def of_indices(ascending: Iterable[int]) -> Ranges:
    """The ranges of some indices, ascending; one may come twice."""
    found: list[tuple[int, int]] = []
    start = stop = -1
    for index in ascending:
        if index == stop:
            stop += 1
        elif index != stop - 1:
            if start >= 0:
                found.append((start, stop))
            start, stop = index, index + 1
    if start >= 0:
        found.append((start, stop))
    return tuple(found)


def indices(ranges: Ranges) -> Iterator[int]:
    """Every index, ascending."""
    for start, stop in ranges:
        yield from range(start, stop)


def count(ranges: Ranges) -> int:
    """How many indices there are."""
    return sum(stop - start for start, stop in ranges)


def contains(ranges: Ranges, index: int) -> bool:
    """Whether an index is in one of the ranges."""
    at = bisect_right(ranges, (index, _MOST)) - 1
    return at >= 0 and ranges[at][0] <= index < ranges[at][1]


def intersect(some: Ranges, others: Ranges) -> Ranges:
    """What is in both."""
    found: list[tuple[int, int]] = []
    a = b = 0
    while a < len(some) and b < len(others):
        start, stop = max(some[a][0], others[b][0]), min(some[a][1], others[b][1])
        if start < stop:
            found.append((start, stop))
        if some[a][1] < others[b][1]:
            a += 1
        else:
            b += 1
    return tuple(found)


def minus(some: Ranges, others: Ranges) -> Ranges:
    """What is in `some` and not in `others`."""
    found: list[tuple[int, int]] = []
    at = 0
    for start, stop in some:
        while at < len(others) and others[at][1] <= start:
            at += 1
        begin, here = start, at
        while here < len(others) and others[here][0] < stop:
            if others[here][0] > begin:
                found.append((begin, others[here][0]))
            begin = max(begin, others[here][1])
            here += 1
        if begin < stop:
            found.append((begin, stop))
    return tuple(found)


def unite(some: Ranges, others: Ranges) -> Ranges:
    """What is in either."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted((*some, *others)):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], stop)
        else:
            found.append((start, stop))
    return tuple(found)


def to_flat(ranges: Ranges, base: int = 0) -> tuple[int, ...]:
    """The flat form; the first skip is counted from `base`."""
    flat: list[int] = []
    for start, stop in ranges:
        flat += (start - base, stop - start)
        base = stop
    return tuple(flat)


def from_flat(flat: object, base: int = 0) -> Ranges:
    """Read the flat form strictly: DecodeError for what is no set of ranges in its one spelling."""
    if not isinstance(flat, tuple) or len(flat) % 2 or not all(type(one) is int and one >= 0 for one in flat):
        raise DecodeError("ranges are an array of pairs of numbers: how many to skip, how many to take")
    found: list[tuple[int, int]] = []
    for at, (skip, length) in enumerate(zip(flat[::2], flat[1::2], strict=True)):
        if not length or (at and not skip):
            raise DecodeError("a range is empty, or touches the one before: ranges have one spelling")
        start = base + skip
        base = start + length
        if base > _MOST:
            raise DecodeError(f"a range ends at {base}: a log has fewer than 2^40 entries")
        found.append((start, base))
    return tuple(found)


def join(parts: Sequence[Ranges]) -> Ranges:
    """The ranges of several parts, in order; DecodeError where they do not ascend."""
    joined: list[tuple[int, int]] = []
    for one in (pair for part in parts for pair in part):
        if joined and joined[-1][1] == one[0]:
            joined[-1] = joined[-1][0], one[1]
        else:
            joined.append(one)
    if any(before[1] >= after[0] for before, after in pairwise(joined)):
        raise DecodeError("the ranges of the parts do not follow each other")
    return tuple(joined)
