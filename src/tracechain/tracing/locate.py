"""Where many units are now: what `Tracer.whereabouts` says, for a recall of a million.

Most units of a lot have their latest entry, and the container they are in, in common with others, and their entries
are in
the order of their claimed times. Then the latest entry that has a place tells where the unit was seen itself, and the
word
of packing what it is in; so it is worked out once for all units with the same two words. Whatever is not so plain is
worked out for each unit by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from attrs import define

from tracechain.custody import CUSTODY_MASK, Custody
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import SALT_SIZE
from tracechain.rules.packing import OUT, PLACE_MASK, TANGLED
from tracechain.tracing.containment import CIRCLE
from tracechain.tracing.facts import Fact
from tracechain.tracing.tracer import BROKE, Tracer, holder_of
from tracechain.tracing.values import Holder, Moment, Unresolved

__all__ = ["Located", "Locator"]

#: Units looked at in one go.
CHUNK = 4096
_SOLD = frozenset(map(int, (Custody.SOLD, Custody.DELIVERED)))
_WALK_MOST = 64


class Located(NamedTuple):
    """Where a unit is: its latest entry and state, place and claimed time of its last sighting, who has it, and the
    outermost container that it is in. No attrs class: there are a million of them."""

    unit: str
    state: int
    last: int
    place: str | None
    holder: Holder
    container: str | None
    time: int | None


@define
class _Container:
    """What a container tells of all that is in it: its latest sighting, itself or in its own containers."""

    tangled: bool
    emptied: int
    seen: Fact | None
    outermost: str


class Locator:
    """Locates units of one view, chunk by chunk. `unresolved` is filled on the way."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._view = tracer.view
        self._containment = tracer.containment
        self._log = tracer.containment.log
        self._containers: dict[str, _Container] = {}
        self.unresolved: set[Unresolved] = set()

    def locate(self, units: Sequence[str], *, together: bool = False) -> list[Located]:
        """Where these packs are now, in their order. `together` is as for View.words."""
        found: list[Located] = []
        for start in range(0, len(units), CHUNK):
            chunk = units if len(units) <= CHUNK else units[start : start + CHUNK]
            found += self._chunk(chunk, self._view.words(chunk, together=together))
        return found

    def _chunk(self, units: Sequence[str], words: list[tuple[int, int]]) -> list[Located]:
        alike: dict[tuple[int, int], list[int]] = {}
        for at, pair in enumerate(words):
            others = alike.get(pair)
            if others is None:
                alike[pair] = [at]
            else:
                others.append(at)
        located: list[Located | None] = [None] * len(units)
        facts = self._read(sorted({word & INDEX_MASK for word, _ in alike}))
        for (word, packed), places in alike.items():
            place = word & INDEX_MASK
            fact, broken = facts.get(place, (None, True))
            plain = self._plain(word, packed, fact)
            state = word >> STATE_SHIFT
            if plain is None:
                for at in places:
                    located[at] = self._walk(units[at], word, packed, fact) or self._exactly(units[at])
                continue
            if broken:
                self._contradictions([units[at] for at in places], place - 1)
            last, seen_at, time, holder, container = place - 1, *plain
            if state & CUSTODY_MASK in _SOLD and holder.id is None:
                for at in places:
                    located[at] = Located(
                        units[at], state, last, seen_at, self._buyer(units[at], last), container, time
                    )
                continue
            for at in places:
                located[at] = Located(units[at], state, last, seen_at, holder, container, time)
        return located  # type: ignore[return-value]  # none is None

    def _read(self, places: list[int]) -> dict[int, tuple[Fact | None, bool]]:
        """The latest entries, by 1 + index: what they say, and whether one of their rows broke a rule."""
        indices = [place - 1 for place in places if place]
        found: dict[int, tuple[Fact | None, bool]] = {}
        for index, (content, rows) in zip(indices, self._view.parts(indices), strict=True):
            fact = self._log.read(index, content)
            found[index + 1] = fact, rows is None or self._broken(index, rows)
        return found

    def _broken(self, index: int, rows: bytes) -> bool:
        # An entry of one row ends with that row's violations, nil where there are none (format.md section 7).
        if rows[SALT_SIZE] == 0x92 and rows[SALT_SIZE + 2] == 0x96:
            return rows[-1] != 0xC0
        return any(any(group[5::5]) for group in self._log.groups(index) or ())

    # ---- plain units ----

    def _plain(
        self, word: int, packed: int, fact: Fact | None
    ) -> tuple[str | None, int | None, Holder, str | None] | None:
        """(place, time, holder, outermost container) of units with these words; None where they have to be looked at
        one by one. A holder who is a buyer has no id where the entry does not name him."""
        if fact is None or packed & TANGLED or not fact.locates:
            return None
        seen: Fact = fact
        outermost: str | None = None
        place = packed & PLACE_MASK
        if place and not packed & OUT:
            packing = self._log.event(place - 1)
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
        state = word >> STATE_SHIFT
        return seen.place, seen.time, holder_of(state, seen, fact.person), outermost

    def _walk(self, unit: str, word: int, packed: int, fact: Fact | None) -> Located | None:
        """A unit whose latest entry has no place, an order say: by the latest that has one. None where that is not
        plain."""
        state, last = word >> STATE_SHIFT, (word & INDEX_MASK) - 1
        if packed & TANGLED or self._is_broken(unit, last):
            return None
        at = last
        for _ in range(_WALK_MOST):
            if fact is None or (fact.packs(unit) and not fact.locates):
                return None
            if fact.locates:
                plain = self._plain(word, packed, fact)
                if plain is None:
                    return None
                place, time, holder, container = plain
                if state & CUSTODY_MASK in _SOLD:
                    holder = self._buyer(unit, last)
                return Located(unit, state, last, place, holder, container, time)
            cells = self._log.cells(at, unit)
            if cells is None or cells[1] is None or cells[1] >= at:
                return None
            at = cells[1]
            fact = self._log.event(at)
        return None

    def _is_broken(self, unit: str, index: int) -> bool:
        cells = self._log.cells(index, unit)
        return cells is None or bool(cells[3])

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

    def _exactly(self, unit: str) -> Located:
        found = self._tracer.whereabouts(unit)
        self.unresolved.update(found.unresolved)
        state, last = (0, -1) if found.unit is None else (found.unit.state, found.unit.last)
        container = found.containers[-1] if found.containers else None
        return Located(unit, state, last, found.place, found.holder, container, found.time)

    def _contradictions(self, units: Sequence[str], index: int) -> None:
        for unit in units:
            cells = self._log.cells(index, unit)
            if cells is None:
                self.unresolved.add(Unresolved("damaged", unit, index, "there is no row of it"))
            elif cells[3]:
                self.unresolved.add(Unresolved("contradiction", unit, index, BROKE))

    def _buyer(self, unit: str, last: int) -> Holder:
        """The buyer of a unit: the latest of its entries that names a person, its order at the latest."""
        at: int | None = last
        for _ in range(_WALK_MOST):
            if at is None:
                break
            fact = self._log.event(at)
            if fact is not None and fact.person is not None:
                return Holder("buyer", f"person/{fact.person.hex()}")
            cells = self._log.cells(at, unit)
            at = None if cells is None else cells[1]
        return Holder("buyer")
