"""What a commit leaves for tracing: what is in what, who is tangled, and which entries mention what.

Nothing is written before `flush`; the words of PACKED go with the unit index.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tracechain import encoding
from tracechain.custody import Outcome
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import SALT_SIZE, EntryType, decode_rows
from tracechain.event import AggregationEvent, Event, ObjectEvent
from tracechain.rules import packing
from tracechain.rules.mentions import runs
from tracechain.rules.packing import AFTER_RECEIPT
from tracechain.store import Transaction
from tracechain.store.tables import PACKED

if TYPE_CHECKING:
    from tracechain.ledger.sealing import Sealing

__all__ = ["TIMES_BLOCK", "Tracks", "add_runs"]

#: Entries that share a value in the table of times.
TIMES_BLOCK = 4096
#: Before every claimed time there is.
_NEVER = -(1 << 63) - 1
_PACKINGS_MOST = 65_536


def add_runs(mentions: dict[str, list[list[int]]], events: Sequence[Event], first: int) -> None:
    """Note what neighbouring events mention, of which the first has the index `first`: name -> [start, count],
    ascending; a run that goes on is made longer."""
    for names, start, count in runs(events, first):
        for name in names:
            found = mentions.get(name)
            if found is None:
                mentions[name] = [[start, count]]
            elif sum(found[-1]) == start:
                found[-1][1] += count
            else:
                found.append([start, count])


class _Latest(dict[int, int]):
    """The latest claimed time (ns) among the events of a block of entries: who claims no earlier one than that of the
    block of its subject's entry before is in order, without a look at that entry."""

    def __init__(self, txn: Transaction) -> None:
        super().__init__()
        self._txn = txn
        self.changed: set[int] = set()

    def __missing__(self, block: int) -> int:
        found = self._txn.latest_time(block)
        self[block] = latest = _NEVER if found is None else found
        return latest

    def take(self, first: int, times: Sequence[int]) -> None:
        """Take the times of neighbouring entries."""
        at, count = 0, len(times)
        while at < count:
            block = (first + at) // TIMES_BLOCK
            end = min(count, (block + 1) * TIMES_BLOCK - first)
            latest = max(times[at:end])
            if latest > self[block]:
                self[block] = latest
                self.changed.add(block)
            at = end


class Tracks:
    """The tracks of the entries that a commit seals: rules.PackingPast over a write transaction, by unit numbers."""

    def __init__(self, txn: Transaction, sealing: Sealing) -> None:
        self._txn = txn
        # Not held: it holds this object, and both would live on, with LMDB's transaction, until the collector comes.
        self._sealing: Sealing = weakref.proxy(sealing)
        self._words = txn.index.other(txn.txn, PACKED)
        self._emptied: dict[str, int] = {}
        self._packings: dict[int, tuple[str | None, int]] = {}
        self._latest = _Latest(txn)
        self._limit = sealing.time * 1_000_000 + AFTER_RECEIPT
        #: name -> its runs in this commit, (start, count); those that go on are made longer.
        self._mentions: dict[str, list[list[int]]] = {}

    # ---- rules.PackingPast ----

    def packed(self, key: int) -> int:
        """The word of a subject."""
        return self._words.recall(self._txn.txn, key)

    def packed_all(self, keys: Sequence[int]) -> list[int]:
        """The words of some subjects."""
        return self._words.recall_all(self._txn.txn, keys)

    def put_packed(self, key: int, word: int) -> None:
        """Change it."""
        self._words.remember(key, word)

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last."""
        found = self._emptied.get(container)
        return self._txn.emptied(container) if found is None else found

    def put_emptied(self, container: str, place: int) -> None:
        """Change it."""
        self._emptied[container] = place

    def packing(self, place: int) -> tuple[str | None, int]:
        """Container and claimed time of a packing."""
        found = self._packings.get(place)
        if found is None:
            part = self._sealing.content(place - 1)
            found = packing.packing_of(None if part is None else part[SALT_SIZE:])
            if len(self._packings) >= _PACKINGS_MOST:
                self._packings.clear()
            self._packings[place] = found
        return found

    def key_of(self, subject: str) -> int | None:
        """The number of a subject."""
        return self._sealing.number(subject)

    # ---- what is sealed ----

    def column(
        self,
        first: int,
        events: Sequence[Event],
        subjects: Sequence[str],
        numbers: Sequence[int],
        previous: Sequence[int],
    ) -> None:
        """Take neighbouring entries of one subject each, none twice, that pack nothing; `previous` are 1 + the
        indices of the subjects' entries before."""
        latest = self._latest
        times = [event.event_time for event in events]
        doubtful = [
            at
            for at, (time, before) in enumerate(zip(times, previous, strict=True))
            if before and time < latest[(before - 1) // TIMES_BLOCK]
        ]
        for at in doubtful:
            if times[at] < self._claimed(subjects[at], previous[at]):
                packing.tangle(self, numbers[at])
        declared = [at for at, event in enumerate(events) if event.error_declaration is not None]
        ahead: list[int] = []
        if max(times) > self._limit:
            ahead = [at for at, time in enumerate(times) if time > self._limit]
            times = [_NEVER if time > self._limit else time for time in times]
        for at in (*declared, *ahead):
            packing.tangle(self, numbers[at])
        latest.take(first, times)
        gone = [
            number
            for number, event in zip(numbers, events, strict=True)
            if (event.biz_step == "dispensing" or type(event) is not ObjectEvent or event.action == "DELETE")
            and packing.leaving(event)
        ]
        if gone:
            packing.leave(self, gone)

    def entry(
        self,
        index: int,
        event: Event,
        acts: Sequence[tuple[str, int]],
        numbers: Sequence[int],
        words: Sequence[int],
        outcomes: Sequence[Outcome],
    ) -> Sequence[Outcome]:
        """Take one entry: its outcomes with what packing breaks. `words` say where its subjects stood."""
        time, latest = event.event_time, self._latest
        if event.error_declaration is not None or time > self._limit:
            for number in numbers:
                packing.tangle(self, number)
        else:
            blocks = {((word & INDEX_MASK) - 1) // TIMES_BLOCK for word in words}
            blocks.discard(-1)  # of those that were never seen
            if any(time < latest[block] for block in blocks):
                for (subject, _), number, word in zip(acts, numbers, words, strict=True):
                    before = word & INDEX_MASK
                    if before and time < self._claimed(subject, before):
                        packing.tangle(self, number)
        if time <= self._limit:
            latest.take(index, (time,))
        if isinstance(event, AggregationEvent):
            self._packings[index + 1] = event.parent, event.event_time
            return packing.pack(self, index, event, acts, numbers, [word >> STATE_SHIFT for word in words], outcomes)
        if leaving := packing.leaving(event):
            gone = frozenset(leaving)
            packing.leave(self, [number for number, (subject, _) in zip(numbers, acts, strict=True) if subject in gone])
        return outcomes

    def record(self, numbers: Sequence[int]) -> None:
        """Take the subjects of records: these are no facts with a time."""
        for number in numbers:
            packing.tangle(self, number)

    def mention(self, first: int, events: Sequence[Event]) -> None:
        """Take what neighbouring events mention."""
        add_runs(self._mentions, events, first)

    def flush(self) -> None:
        """Write everything but the words."""
        latest = self._latest
        self._txn.put_times({block: latest[block] for block in latest.changed})
        self._txn.put_mentions((name, start, count) for name, found in self._mentions.items() for start, count in found)
        self._txn.put_emptied(self._emptied)

    def _claimed(self, subject: str, place: int) -> int:
        """The claimed time of the latest event in a subject's chain, from an entry (1 + its index) back. What is no
        event, as the entry of a key, or not kept, claims none."""
        while place:
            part = self._sealing.content(place - 1)
            if part is not None and self._sealing.header(place - 1)[4] == EntryType.EVENT:
                return encoding.claimed_time(part[SALT_SIZE:])
            rows = self._sealing.rows(place - 1)
            found = () if rows is None else decode_rows(rows[SALT_SIZE:])[1]
            place = next((row.previous + 1 for row in found if row.subject == subject and row.previous is not None), 0)
        return _NEVER
