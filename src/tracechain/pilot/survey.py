"""One pass over the log, for everything that `alerts` looks at.

The events of a ledger mostly differ in time and codes alone, so a content is decoded once for each such shape, and the
codes are taken from the rows. What is kept is small and flat: a word a pack, a number a sighting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

from attrs import define, field, frozen

from tracechain import encoding
from tracechain.custody import ACT_MASK, CUSTODY_MASK, Act, Custody
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DataError
from tracechain.event import AggregationEvent, AssociationEvent, Event, ObjectEvent, TransactionEvent
from tracechain.pilot.rows import Cells, quick_rows
from tracechain.registers import Place, Profile
from tracechain.rules import Standing
from tracechain.rules.guards import place_at
from tracechain.view import View

__all__ = ["IN_SALE", "IN_STOCK", "Broken", "Change", "Count", "Reading", "Sighting", "Survey", "survey"]

#: Sold, and not in the buyer's hands yet.
IN_SALE = frozenset(map(int, (Custody.SOLD, Custody.STORE)))
#: What lies in the warehouse.
IN_STOCK = frozenset(
    map(int, (Custody.BONDED, Custody.RESERVED, Custody.CLEARED, Custody.RETURNED, Custody.REWORK))
)  # fmt: skip
#: Where nothing lies: papers are worked on in an office, and an area is no point that takes time to reach.
_NOWHERE = frozenset(("office", "delivery-area"))
_COUNTING = frozenset(("stock_taking", "cycle_counting"))
_BLOCK = 1024
_SHAPES = 8192
_INDEX, _PLACE = 40, 24
_INDEX_MASK, _PLACE_MASK = (1 << _INDEX) - 1, (1 << _PLACE) - 1
_ZERO = 1 << 63

#: Time, action, parent and epcs of an event.
_Key: TypeAlias = tuple[int, str | None, str | None, tuple[str, ...]]


@frozen
class Broken:
    """A row that broke rules: the custody of its subject before, and the claimed time (ns)."""

    index: int
    subject: str
    act: int
    before: int
    previous: int | None
    codes: tuple[int, ...]
    time: int
    place: str | None


@frozen
class Change:
    """Things that went into, or out of, a container, or that are `fixed` to it; none named: everything came out."""

    time: int
    index: int
    action: str
    parent: str
    children: tuple[str, ...]
    fixed: bool = False


@frozen
class Count:
    """Things that a stocktake saw at a place."""

    time: int
    index: int
    place: str | None
    subjects: tuple[str, ...]


@frozen
class Reading:
    """An event with sensor data (its own `event.epcs` may be another's: `epcs` are what it names)."""

    time: int
    index: int
    epcs: tuple[str, ...]
    event: Event


@frozen(order=True)
class Sighting:
    """A pack was at a registered place; in order of claimed time (ns)."""

    time: int
    place: str
    index: int


@frozen
class _Said:
    """What events of one shape say beside time and codes. `place` is a registered place where the event happened."""

    event: Event
    place: int
    where: str | None


@define
class Survey:
    """What one pass found. Times are nanoseconds, indices those of log entries.

    `words` has state x 2^40 + 1 + index of the latest entry, by pack; `sold` and `stocked` when packs came into
    IN_SALE and IN_STOCK, and by which entry, as long as they are there. `late` are (receipt time ms, author) with
    (index, event time, subject) of what they recorded.
    """

    view: View
    end: int
    standing: Standing
    profile: Profile | None
    words: dict[str, int] = field(factory=dict)
    sold: dict[str, tuple[int, int]] = field(factory=dict)
    stocked: dict[str, tuple[int, int]] = field(factory=dict)
    broken: list[Broken] = field(factory=list)
    changes: list[Change] = field(factory=list)
    counts: list[Count] = field(factory=list)
    readings: list[Reading] = field(factory=list)
    late: dict[tuple[int, bytes], list[tuple[int, int, str | None]]] = field(factory=lambda: defaultdict(list))
    _seen: dict[str, int | list[int]] = field(factory=dict)
    _places: list[str] = field(factory=lambda: [""])
    _numbers: dict[str, int] = field(factory=dict)
    _shapes: dict[Any, _Said] = field(factory=dict)
    _voided: dict[_Key, int] = field(factory=dict)

    # ---- answers ----

    def state(self, pack: str) -> int:
        """The state of a pack, 0 for one that no rule of the pilot has judged."""
        return self.words.get(pack, 0) >> _INDEX

    def last(self, pack: str) -> int:
        """The index of its latest entry."""
        return (self.words[pack] & _INDEX_MASK) - 1

    def sightings(self, pack: str) -> list[Sighting]:
        """Where a pack was seen, in order of claimed times."""
        found = self._seen.get(pack, 0)
        numbers = sorted(found) if isinstance(found, list) else [found] if found else []
        return [
            Sighting((n >> (_INDEX + _PLACE)) - _ZERO, self._places[n >> _INDEX & _PLACE_MASK], n & _INDEX_MASK)
            for n in numbers
        ]

    def moved(self) -> Iterator[str]:
        """The packs that were seen more than once."""
        return (pack for pack, found in self._seen.items() if isinstance(found, list))

    # ---- the pass ----

    def take(self, index: int, header: bytes, part: bytes | None, rows: bytes | None, *, seen: bool) -> None:
        """The next entry."""
        if header[4] != EntryType.EVENT:
            return
        cells = [] if rows is None else [row for row in quick_rows(rows) if row[1] > Act.NOTE]
        received = int.from_bytes(header[8:16], "big")
        if part is None:
            # What was claimed is not kept: the receipt is as near as one can get.
            self._fold(index, cells, received * 1_000_000, None)
            return
        content = part[SALT_SIZE:]
        raw = encoding.decode_raw(content)
        time: int = raw[1]
        said = self._said(raw, content)
        event = said.event
        self._fold(index, cells, time, said.where)
        allowed = None if self.profile is None else self.profile.late_recording_hours * 3_600_000
        if allowed is not None and received - time // 1_000_000 > allowed:
            self.late[received, header[24:32]].append((index, time, cells[0][0] if cells else None))
        if event.error_declaration is not None:
            self._void(index, time, said, raw, cells)
            return
        if seen and said.place:
            self._sight(index, time, said.place, cells)
        self._note(index, time, said, raw)

    def _said(self, raw: tuple[Any, ...], content: bytes) -> _Said:
        # Of a content (format.md section 9.1) item 1 is the time and item 5 are the epcs.
        key = (raw[0], *raw[2:5], *raw[6:])
        found = self._shapes.get(key)
        if found is None:
            event = encoding.decode(content)
            if len(self._shapes) >= _SHAPES:
                self._shapes.clear()
            found = self._shapes[key] = _Said(event, *self._place(event))
        return found

    def _place(self, event: Event) -> tuple[int, str | None]:
        """The number of the place where things were seen, 0 for none; and what the event says of it."""
        where = event.read_point or event.biz_location
        if where is None or isinstance(event, TransactionEvent):
            return 0, where
        place: Place | None = place_at(self.standing, where)
        if place is None or place.type in _NOWHERE:
            return 0, where
        number = self._numbers.get(where)
        if number is None:
            number = self._numbers[where] = len(self._places)
            self._places.append(where)
        return number, where

    def _fold(self, index: int, cells: list[Cells], time: int, where: str | None) -> None:
        """States, and since when packs are sold or in stock."""
        words = self.words
        for subject, act, previous, state, codes in cells:
            before = words.get(subject, 0) >> _INDEX & CUSTODY_MASK
            words[subject] = state << _INDEX | index + 1
            if codes:
                self.broken.append(Broken(index, subject, act & ACT_MASK, before, previous, codes, time, where))
                continue
            after = state & CUSTODY_MASK
            if after != before:
                for places, found in ((IN_SALE, self.sold), (IN_STOCK, self.stocked)):
                    if after not in places:
                        found.pop(subject, None)
                    elif before not in places:
                        found[subject] = time, index

    def _sight(self, index: int, time: int, place: int, cells: list[Cells]) -> None:
        number = (time + _ZERO) << (_INDEX + _PLACE) | place << _INDEX | index
        seen = self._seen
        for row in cells:
            found = seen.setdefault(row[0], number)
            if found is not number:
                if isinstance(found, list):
                    found.append(number)
                else:
                    seen[row[0]] = [found, number]

    def _note(self, index: int, time: int, said: _Said, raw: tuple[Any, ...]) -> None:
        """What is in what, what was counted, what was measured."""
        event = said.event
        match event:
            case AggregationEvent() | AssociationEvent() if event.action != "OBSERVE" and event.parent is not None:
                fixed = isinstance(event, AssociationEvent)
                self.changes.append(Change(time, index, event.action, event.parent, _epcs(raw), fixed))
            case ObjectEvent() if event.biz_step in _COUNTING and event.action == "OBSERVE":
                self.counts.append(Count(time, index, said.where, _epcs(raw)))
        if event.sensors:
            self.readings.append(Reading(time, index, _epcs(raw), event))

    def _void(self, index: int, time: int, said: _Said, raw: tuple[Any, ...], cells: list[Cells]) -> None:
        """An event declared an error: what was noted of it before is not taken for a fact any more."""
        if said.place:
            top = (time + _ZERO) << _PLACE | said.place
            for subject, _, _, _, codes in cells:
                found = self._seen.get(subject)
                if codes or found is None:
                    continue
                left = [n for n in (found if isinstance(found, list) else [found]) if n >> _INDEX != top]
                if len(left) > 1:
                    self._seen[subject] = left
                elif left:
                    self._seen[subject] = left[0]
                else:
                    del self._seen[subject]
        self._voided[_key(time, said.event, _epcs(raw))] = index

    def finish(self) -> None:
        """Leave out what was taken back later."""
        if self._voided:
            self.changes = [c for c in self.changes if self._stands(c.index, (c.time, c.action, c.parent, c.children))]
            self.counts = [c for c in self.counts if self._stands(c.index, (c.time, "OBSERVE", None, c.subjects))]
            self.readings = [r for r in self.readings if self._stands(r.index, _key(r.time, r.event, r.epcs))]

    def _stands(self, index: int, key: _Key) -> bool:
        return self._voided.get(key, -1) < index


def _key(time: int, event: Event, epcs: tuple[str, ...]) -> _Key:
    """What an event and its declaration as an error have in common."""
    return time, getattr(event, "action", None), getattr(event, "parent", None), epcs


def _epcs(raw: tuple[Any, ...]) -> tuple[str, ...]:
    """The epcs of an event, from its content."""
    groups = (raw[5] if len(raw) > 5 else None) or ()
    pairs = zip(groups[::2], groups[1::2], strict=True)
    return tuple([prefix + suffix for prefix, suffixes in pairs for suffix in suffixes])


def survey(view: View, end: int, standing: Standing, *, seen: bool = True) -> Survey:
    """Pass over the first `end` entries. Without `seen` no sightings are kept, which are most of the memory.

    DataError where a header is missing, DecodeError where a content or rows are damaged.
    """
    found = Survey(view, end, standing, standing.profile)
    for start in range(0, end, _BLOCK):
        stop = min(start + _BLOCK, end)
        for offset, (header, content, rows) in enumerate(zip(*view.block(start, stop), strict=True)):
            if header is None:
                raise DataError(f"entry {start + offset}: its header is missing; verify the ledger")
            found.take(start + offset, header, content, rows, seen=seen)
    found.finish()
    return found
