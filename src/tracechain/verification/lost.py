"""Parts that are not there: what is left to know of each, in columns.

Whether a part went lawfully is told by records that come later in the log, so the pass over the entries only notes what
went. Neighbours that are alike (one class, day, policy, shape) are one run: a million lost parts are a few megabytes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from attrs import define, field, frozen

from tracechain.entry import OPEN_DAY, EntryType
from tracechain.retention.keeping import NO_PACK, Days
from tracechain.retention.ranges import Ranges
from tracechain.view import View

__all__ = ["CODES_UNKNOWN", "Lost", "LostKind", "LostRun", "codes_of", "least_keep", "rows_lost", "sum_of_codes"]

#: Expiry codes of an entry whose rows are not kept.
CODES_UNKNOWN = -2
_NOT_KNOWN = 1 << 15
LEAF = 32
_KNOWN = _NOT_KNOWN - 1
_EVENT = bytes([EntryType.EVENT])


@frozen
class LostKind:
    """What the entries of a run have in common: which parts are not there (retention.records: CONTENT, ROWS, their
    sum), and what their headers say. `codes` is the sum of their packs' expiry codes, as far as their rows are there.
    """

    what: int
    record_class: int
    keep_until: int
    policy: int
    codes: int
    row_count: int
    first_rows: int


@frozen
class LostRun:
    """Entries `start` to `stop` - 1, received at `time`."""

    start: int
    stop: int
    time: int
    kind: LostKind


@define
class Lost:
    """Runs of entries that lost parts, ascending; the leaves of all of them, one after the other."""

    starts: array[int] = field(factory=lambda: array("Q"))
    stops: array[int] = field(factory=lambda: array("Q"))
    times: array[int] = field(factory=lambda: array("Q"))
    numbers: array[int] = field(factory=lambda: array("I"))
    kinds: dict[LostKind, int] = field(factory=dict)
    leaves: bytearray = field(factory=bytearray)
    #: How many entries the runs before each one have.
    _counts: array[int] = field(factory=lambda: array("Q"), init=False)
    #: The kinds by their numbers.
    _listed: list[LostKind] = field(factory=list, init=False)

    def __bool__(self) -> bool:
        return bool(self.starts)

    def number(self, kind: LostKind) -> int:
        """The number of a kind."""
        return self.kinds.setdefault(kind, len(self.kinds))

    def add(self, index: int, time: int, number: int) -> None:
        """Note the next entry that lost a part, of the kind with this number."""
        if self.starts and self.stops[-1] == index and self.numbers[-1] == number and self.times[-1] == time:
            self.stops[-1] += 1
        else:
            self.starts.append(index)
            self.stops.append(index + 1)
            self.times.append(time)
            self.numbers.append(number)

    def add_all(self, index: int, time: int, numbers: Sequence[int]) -> None:
        """Note neighbouring entries, the kind of each by its number."""
        for number, run in groupby(numbers):
            count = len([*run])
            self.add(index, time, number)
            self.stops[-1] += count - 1
            index += count

    def extend(self, others: Lost) -> None:
        """Take over the runs of a later range."""
        numbers = list(map(self.number, others.kinds))
        self.starts += others.starts
        self.stops += others.stops
        self.times += others.times
        self.numbers.extend(numbers[number] for number in others.numbers)
        self.leaves += others.leaves

    def runs(self) -> Iterator[LostRun]:
        """All runs, ascending."""
        return self.between(0, 1 << 40)

    def between(self, start: int, stop: int) -> Iterator[LostRun]:
        """The runs that have entries in a range, ascending."""
        if len(self._listed) != len(self.kinds):
            self._listed = list(self.kinds)
        for at in range(bisect_right(self.stops, start), bisect_left(self.starts, stop)):
            yield LostRun(self.starts[at], self.stops[at], self.times[at], self._listed[self.numbers[at]])

    def leaves_from(self, index: int, stop: int) -> tuple[bytes, int]:
        """The leaves of entries from `index` on that are in one run, and the entry after them, at most `stop`; no leaf,
        and the next entry that is in a run, where `index` is in none."""
        at = bisect_right(self.starts, index) - 1
        if at < 0 or self.stops[at] <= index:
            return b"", stop if at + 1 == len(self.starts) else min(stop, self.starts[at + 1])
        if len(self._counts) != len(self.starts):
            sizes = (end - start for start, end in zip(self.starts, self.stops, strict=True))
            self._counts = array("Q", accumulate(sizes, initial=0))[:-1]
        end = min(stop, self.stops[at])
        first = self._counts[at] + index - self.starts[at]
        return bytes(self.leaves[LEAF * first : LEAF * (first + end - index)]), end

    def ranges(self, what: int) -> Ranges:
        """The entries that lost this part."""
        found: list[tuple[int, int]] = []
        for run in self.runs():
            if run.kind.what & what:
                if found and found[-1][1] == run.start:
                    found[-1] = found[-1][0], run.stop
                else:
                    found.append((run.start, run.stop))
        return tuple(found)


def sum_of_codes(codes: Iterable[int]) -> int:
    """Some expiry codes (retention.keeping) as one number: of those that are known the latest counts, beside it only
    whether one is not known."""
    known, unknown, any_pack = 0, False, False
    for code in codes:
        any_pack = True
        known, unknown = max(known, code), unknown or not code
    if not any_pack:
        return NO_PACK
    return known | _NOT_KNOWN if unknown else known


def codes_of(total: int) -> tuple[int, ...]:
    """Expiry codes that come to the same keep-until day as those that were summed up."""
    if total == NO_PACK:
        return ()
    return ((total & _KNOWN,) if total & _KNOWN else ()) + ((0,) if total & _NOT_KNOWN else ())


def least_keep(days: Days | None) -> int:
    """The earliest keep-until day of an entry of which nobody knows the packs any more: no bound comes earlier for a
    later expiry, so that of one that expires at once, of one whose expiry is not known, or of no pack at all."""
    return OPEN_DAY if days is None else min(days[NO_PACK], days[0], days[1])


def rows_lost(view: View, index: int) -> bool:
    """Whether an entry is an event that had rows, and they are not kept."""
    header = view.header(index)
    return header is not None and header[4:5] == _EVENT and header[40:44] != bytes(4) and view.rows(index) is None
