"""What was announced and what was done, read from the chains of the prunings (docs/format.md section 5.10)."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

from attrs import frozen

from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DecodeError
from tracechain.record import decode_record
from tracechain.retention.ranges import Ranges, minus
from tracechain.retention.records import DONE, INTENT, PruneDone, PruneIntent, gather, prune_subject, read
from tracechain.view import View, unit_history

__all__ = ["NEVER", "Executed", "Pruning", "judged_again", "paired", "prunings", "prunings_in_log"]

#: What was judged by a content that went for no reason that the log tells cannot be judged again at all.
NEVER = 1 << 62


@frozen
class Pruning:
    """One pruning: the intent, the indices of its first and last record, and, when it was done, those of that."""

    intent: PruneIntent
    announced: int
    announced_last: int
    done: PruneDone | None = None
    done_at: int | None = None

    @property
    def contents(self) -> Ranges:
        """The events that lost their contents by it: nothing until it is done."""
        return () if self.done is None else minus(self.intent.contents, self.done.kept_contents)

    @property
    def rows(self) -> Ranges:
        """The events that lost their rows by it."""
        return () if self.done is None else minus(self.intent.rows, self.done.kept_rows)


@frozen
class Executed:
    """Which pruning took a part of an entry, found quickly however many there were. `starts` and `ends` are of
    disjoint ranges, ascending, `by` what took each."""

    starts: list[int]
    ends: list[int]
    by: list[Pruning]

    @classmethod
    def contents(cls, some: Iterable[Pruning]) -> Executed:
        """Of contents."""
        return cls._of((start, stop, one) for one in some for start, stop in one.contents)

    @classmethod
    def rows(cls, some: Iterable[Pruning]) -> Executed:
        """Of rows."""
        return cls._of((start, stop, one) for one in some for start, stop in one.rows)

    @classmethod
    def _of(cls, ranges: Iterable[tuple[int, int, Pruning]]) -> Executed:
        found = cls([], [], [])
        end = 0
        for start, stop, one in sorted(ranges, key=itemgetter(0, 1)):
            # No part goes twice: where the log says so all the same, by what begins first.
            if stop > end:
                found.starts.append(max(start, end))
                found.ends.append(stop)
                found.by.append(one)
                end = stop
        return found

    def find(self, index: int) -> Pruning | None:
        """By what it went; None where no pruning says so."""
        at = bisect_right(self.starts, index) - 1
        return self.by[at] if at >= 0 and index < self.ends[at] else None


def prunings(view: View) -> tuple[Pruning, ...]:
    """All prunings of a log, in the order in which they were announced; an intent or a done that is not whole, or that
    names no intent, counts as none."""
    return paired(view, (unit_history(view, subject) for subject, _ in view.subjects(prune_subject(""))))


def prunings_in_log(view: View) -> tuple[Pruning, ...]:
    """The same by the log alone, for a view whose index is not there yet: all records are read."""
    chains: dict[str, list[int]] = {}
    for index, header in view.headers(0, view.size):
        if header[4] != EntryType.RECORD:
            continue
        part = view.content(index)
        with contextlib.suppress(DecodeError):
            record = decode_record(b"" if part is None else part[SALT_SIZE:])
            if record.subject is not None and record.kind in (INTENT, DONE):
                chains.setdefault(record.subject, []).append(index)
    return paired(view, (chains[subject] for subject in sorted(chains)))


def judged_again(view: View, read: Callable[[View], Iterable[Pruning]] = prunings) -> Callable[[int], int]:
    """What says of an entry that lost its content from which entry on all is judged again that rested on it: from the
    last record of what took it (docs/format.md section 7.5), never where no record says so. The records are read by
    `read`, when something is asked for the first time."""
    forgotten: list[Executed] = []

    def again(index: int) -> int:
        if not forgotten:
            forgotten.append(Executed.contents(read(view)))
        one = forgotten[0].find(index)
        return NEVER if one is None or one.done is None or one.done_at is None else one.done_at + one.done.parts - 1

    return again


def paired(view: View, chains: Iterable[Iterable[int]]) -> tuple[Pruning, ...]:
    """The prunings that the records of some chains say: of each chain the indices of its entries, ascending."""
    found: dict[int, Pruning] = {}
    for chain in chains:
        intents: dict[int, Pruning] = {}
        for first, last, said in _wholes(view, chain):
            if isinstance(said, PruneIntent):
                intents[first] = Pruning(said, first, last)
            elif (begun := intents.get(said.intent)) is not None and begun.done is None:
                intents[said.intent] = Pruning(begun.intent, begun.announced, begun.announced_last, said, first)
        found |= intents
    return tuple(found[first] for first in sorted(found))


def _wholes(view: View, chain: Iterable[int]) -> Iterator[tuple[int, int, PruneIntent | PruneDone]]:
    """What the records of a chain say whose parts are all there: (first, last, the whole)."""
    first = -1
    parts: list[PruneIntent | PruneDone] = []
    for index in chain:
        header, part = view.header(index), view.content(index)
        if header is None or part is None or header[4] != EntryType.RECORD:
            continue
        with contextlib.suppress(DecodeError):
            record = decode_record(part[SALT_SIZE:])
            said = read(record) if record.kind in (INTENT, DONE) else None
            if not isinstance(said, PruneIntent | PruneDone):
                continue
            if said.part == 0:
                first, parts = index, [said]
            elif parts and index == first + len(parts) and type(said) is type(parts[0]):
                parts.append(said)
            else:
                parts = []
            if parts and len(parts) == said.parts:
                whole: PruneIntent | PruneDone = gather(parts)  # type: ignore[type-var]  # it finds out if they differ
                yield first, index, whole
                parts = []
