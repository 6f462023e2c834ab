"""Where many units are now: what `Tracer.whereabouts` says, for a recall of a million.

Most units of a lot have their latest entry, and the container they are in, in common with others, and their entries
are in the order of their claimed times. Then the latest entry that has a place tells where the unit was seen itself,
and the word of packing what it is in; so it is worked out once for all units with the same two words. Whatever is not
so plain is worked out for each unit by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from attrs import define

from tracechain.custody import CUSTODY_MASK, Custody
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import SALT_SIZE
from tracechain.errors import DataError
from tracechain.rules.packing import OUT, PLACE_MASK, TANGLED
from tracechain.tracing.containment import CIRCLE
from tracechain.tracing.facts import Fact
from tracechain.tracing.tracer import BROKE, Tracer, holding
from tracechain.tracing.values import Moment, Unresolved

__all__ = ["Located", "Locator"]

#: Units looked at in one go.
CHUNK = 4096
_SOLD = frozenset(map(int, (Custody.SOLD, Custody.DELIVERED)))
_WALK_MOST = 64


class Located(NamedTuple):
    """Where a unit is now. No attrs class: there are a million of them.

    `last` is its latest entry, `place` where it was seen last, at `time` (ns, claimed), itself or with its container;
    `container` is the outermost that holds it now; `holder` the id of a place, a carrier, or of a buyer ("person/"
    and a token). `lot` is what the asker knows of it.
    """

    unit: str
    state: int
    last: int
    place: str | None
    holder: str | None
    container: str | None
    time: int | None
    lot: str | None = None


@define
class _Container:
    """What a container tells of all that is in it: its latest sighting, itself or in its own containers."""

    tangled: bool
    emptied: int
    seen: Fact | None
    outermost: str


AnyLocated = TypeVar("AnyLocated", bound=Located)
#: The fields of a Located but its lot.
_Cells = tuple[str, int, int, str | None, str | None, str | None, int | None]


class Locator(Generic[AnyLocated]):
    """Locates units of one view, chunk by chunk. `unresolved` is filled on the way."""

    def __init__(self, tracer: Tracer, kind: type[AnyLocated]) -> None:
        self._tracer = tracer
        self._kind = kind
        self._view = tracer.view
        self._containment = tracer.containment
        self._log = tracer.containment.log
        self._containers: dict[str, _Container] = {}
        self.unresolved: set[Unresolved] = set()

    def locate(
        self, units: Sequence[str], words: Sequence[tuple[int, int]] | None = None, lot: str | None = None
    ) -> list[AnyLocated]:
        """Where these packs are now, in no order. `words` are theirs (View.words), looked up if not given; `lot` is
        that of all of them."""
        found: list[AnyLocated] = []
        for start in range(0, len(units), CHUNK):
            chunk = units[start : start + CHUNK]
            self._chunk(chunk, self._view.words(chunk) if words is None else words[start : start + CHUNK], lot, found)
        return found

    def _chunk(
        self, units: Sequence[str], words: Sequence[tuple[int, int]], lot: str | None, found: list[AnyLocated]
    ) -> None:
        alike: dict[tuple[int, int], list[str]] = {}
        for unit, pair in zip(units, words, strict=True):
            others = alike.get(pair)
            if others is None:
                alike[pair] = [unit]
            else:
                others.append(unit)
        new, kind = tuple.__new__, self._kind  # half of what calling the class costs
        facts = self._read(sorted({word & INDEX_MASK for word, _ in alike}))
        for (word, packed), same in alike.items():
            fact, broken = facts.get(word & INDEX_MASK, (None, True))
            plain = self._plain(word, packed, fact)
            if plain is None:
                found += [kind(*(self._walk(unit, word, packed, fact) or self._exactly(unit)), lot) for unit in same]
                continue
            state, last = word >> STATE_SHIFT, (word & INDEX_MASK) - 1
            if broken:
                self._contradictions(same, last)
            place, holder, container, time = plain
            if holder is None and state & CUSTODY_MASK in _SOLD:
                found += [
                    kind(unit, state, last, place, self._buyer(unit, last), container, time, lot) for unit in same
                ]
            else:
                found += [new(kind, (unit, state, last, place, holder, container, time, lot)) for unit in same]

    def _read(self, places: list[int]) -> dict[int, tuple[Fact | None, bool]]:
        """The latest entries, by 1 + index: what they say, and whether one of their rows broke a rule."""
        indices = [place - 1 for place in places if place]
        found: dict[int, tuple[Fact | None, bool]] = {}
        for index, (content, rows) in zip(indices, self._view.parts(indices), strict=True):
            try:
                found[index + 1] = self._log.read(index, content), self._broken(index, rows)
            except DataError:  # whoever looks at the units one by one will say so
                found[index + 1] = None, True
        return found

    def _event(self, index: int) -> Fact | None:
        """The event of an entry; None where it cannot be read."""
        try:
            return self._log.event(index)
        except DataError:
            return None

    def _broken(self, index: int, rows: bytes | None) -> bool:
        if rows is None:
            return True
        # An entry of one row ends with that row's violations, nil where there are none (format.md section 7).
        if rows[SALT_SIZE : SALT_SIZE + 3 : 2] == b"\x92\x96":
            return rows[-1] != 0xC0
        found = self._log.rows(index)
        return found is None or any(any(group[5::5]) for group in found.groups)

    # ---- plain units ----

    def _plain(
        self, word: int, packed: int, fact: Fact | None
    ) -> tuple[str | None, str | None, str | None, int | None] | None:
        """(place, holder, outermost container, time) of units with these words; None where they have to be looked at
        one by one. The holder of what is sold is None where the entry does not name him."""
        if fact is None or packed & TANGLED or not fact.locates:
            return None
        seen: Fact = fact
        outermost: str | None = None
        place = packed & PLACE_MASK
        if place and not packed & OUT:
            packing = self._event(place - 1)
            if packing is None or packing.parent is None:
                return None
            container = self._container(packing.parent)
            if container.tangled:
                return None
            if container.emptied > place:
                shared = self._until_emptied(packing.parent, packing.moment)
            else:
                outermost, shared = container.outermost, container.seen
                if shared is not None and shared.moment < packing.moment:
                    shared = None
            if shared is not None and shared.moment > seen.moment:
                seen = shared
        return seen.place, holding(word >> STATE_SHIFT, seen, fact.person)[1], outermost, seen.time

    def _walk(self, unit: str, word: int, packed: int, fact: Fact | None) -> _Cells | None:
        """A unit whose latest entry has no place, an order say: by the latest that has one. None where that is not
        plain."""
        state, last = word >> STATE_SHIFT, (word & INDEX_MASK) - 1
        if packed & TANGLED:
            return None
        at = last
        for _ in range(_WALK_MOST):
            cells = self._cells_of(unit, at)
            if cells is None or cells[3]:
                return None
            if fact is None or (not fact.locates and (fact.packs(unit) or fact.leaves(unit))):
                return None
            if fact.locates:
                plain = self._plain(word, packed, fact)
                if plain is None:
                    return None
                place, holder, container, time = plain
                if state & CUSTODY_MASK in _SOLD:
                    holder = self._buyer(unit, last)
                return unit, state, last, place, holder, container, time
            if cells[1] is None or cells[1] >= at:
                return None
            at = cells[1]
            fact = self._event(at)
        return None

    def _cells_of(self, unit: str, index: int) -> tuple[int, int | None, int, tuple[int, ...]] | None:
        """What the row of a unit says (Log.cells); None where it cannot be read."""
        try:
            return self._log.cells(index, unit)
        except DataError:
            return None

    def _container(self, subject: str) -> _Container:
        found = self._containers.get(subject)
        if found is None:
            containment = self._containment
            around, circle = containment.containers(subject)
            if circle:
                self.unresolved.add(Unresolved("cycle", subject, None, CIRCLE))
            sighting = containment.latest(subject, self.unresolved)
            found = self._containers[subject] = _Container(
                bool(self._view.words((subject,))[0][1] & TANGLED) or circle,
                self._view.emptied(subject),
                None if sighting is None else sighting[0],
                around[-1] if around else subject,
            )
        return found

    def _until_emptied(self, container: str, begin: Moment) -> Fact | None:
        """The latest sighting of a container from a moment until it was emptied."""
        emptyings = self._containment.past(container).emptyings
        at = bisect_right(emptyings, begin)
        end = emptyings[at] if at < len(emptyings) else None
        sighting = self._containment.latest(container, self.unresolved, begin, end)
        return None if sighting is None else sighting[0]

    # ---- one by one ----

    def _exactly(self, unit: str) -> _Cells:
        found = self._tracer.whereabouts(unit)
        self.unresolved.update(found.unresolved)
        state, last = (0, -1) if found.unit is None else (found.unit.state, found.unit.last)
        container = found.containers[-1] if found.containers else None
        return unit, state, last, found.place, found.holder.id, container, found.time

    def _contradictions(self, units: Sequence[str], index: int) -> None:
        for unit in units:
            cells = self._cells_of(unit, index)
            if cells is None:
                self.unresolved.add(Unresolved("damaged", unit, index, "there is no row of it that can be read"))
            elif cells[3]:
                self.unresolved.add(Unresolved("contradiction", unit, index, BROKE))

    def _buyer(self, unit: str, last: int) -> str | None:
        """The buyer of a unit: the latest of its entries that names a person, its order at the latest."""
        at = last
        while True:
            fact = self._event(at)
            if fact is not None and fact.person is not None:
                return f"person/{fact.person.hex()}"
            cells = self._cells_of(unit, at)
            if cells is None or cells[1] is None or cells[1] >= at:
                return None
            at = cells[1]
