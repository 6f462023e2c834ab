"""Which lot packs are of: that which the event states that brought them into being.

The index keeps no list of lots, but the entries that state one are mentioned under it (rules.mentions). So the lot of
one pack, by its chain, is as good as that of all packs of the lot: a pack whose first entry states the lot, and whose
entries are plain facts in order of their times, is of no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from tracechain.entry import HEADER_SIZE, HEADER_STRUCT
from tracechain.rules.guards import class_of
from tracechain.rules.mentions import lot_name
from tracechain.rules.packing import TANGLED
from tracechain.tracing.containment import Containment
from tracechain.tracing.facts import ADD, OBJECT, TRANSFORMATION, Fact, epcs_of, lot_of

__all__ = ["Lots", "brings", "makes"]

_AT_ONCE = 4096
_ROWS, _FIRST_ROWS = 10, 13  # of the fields of a header
_KNOWN_MOST = 262_144


def brings(fact: Fact) -> bool:
    """Whether an event brings something into being."""
    return fact.kind == TRANSFORMATION or (fact.kind == OBJECT and fact.action == ADD)


def makes(fact: Fact, unit: str) -> bool:
    """Whether an event about a unit brings it into being."""
    return brings(fact) and (fact.kind == OBJECT or unit in epcs_of(fact, outputs=True))


class Lots:
    """The lots of packs of one view: of the earliest event, by claimed time, that made a pack and was not declared an
    error. What was made of others and does not say so has the lot of the first of these."""

    def __init__(self, containment: Containment) -> None:
        self._containment = containment
        self._known: dict[str, str | None] = {}

    def of(self, unit: str) -> str | None:
        """The lot of a pack; None if none is stated."""
        return self._walk(unit)[0]

    def of_many(self, units: Iterable[str]) -> dict[str, str | None]:
        """The lot of each of these packs. Costs microseconds a pack of a lot that is stated, for what many of it have
        in common is looked at once."""
        wanted = dict.fromkeys(units)
        found: dict[str, str | None] = {}
        names: set[str] = set()
        entries: set[int] = set()
        for unit in wanted:
            if unit in found:
                continue
            lot, made = self._walk(unit)
            found[unit] = lot
            if made is None:
                continue
            if lot is None:
                alike: Iterable[Fact] = self._without(made, entries)
            else:
                name = lot_name(class_of(unit), lot)
                alike = () if name in names else self._mentioned(name, lot)
                names.add(name)
            first = (one for fact in alike for one in self._first(fact) if one in wanted and one not in found)
            while some := list(islice(first, _AT_ONCE)):
                words = zip(some, self._containment.log.view.words(some), strict=True)
                found.update((one, lot) for one, (_, packed) in words if not packed & TANGLED)
        return found

    def _walk(self, unit: str) -> tuple[str | None, Fact | None]:
        """The lot of a pack by its chain, and the event that brought it into being. Remembers what it goes through:
        codes that were made of each other have the lot in common."""
        first = made = self._made(unit)
        lot: str | None = None
        way: dict[str, None] = {}
        at: str | None = unit
        while at is not None and at not in way:
            if at in self._known:
                lot = self._known[at]
                break
            way[at] = None
            lot = None if made is None else lot_of(made)
            sources = epcs_of(made) if lot is None and made is not None and made.kind == TRANSFORMATION else []
            at = sources[0] if sources else None
            made = None if at is None else self._made(at)
        if len(self._known) > _KNOWN_MOST:
            self._known.clear()
        self._known.update(dict.fromkeys(way, lot))
        return lot, first

    def _made(self, unit: str) -> Fact | None:
        facts = (link.fact for link in self._containment.past(unit).facts)
        return next((fact for fact in facts if fact is not None and makes(fact, unit)), None)

    # ---- what many have in common ----

    def _mentioned(self, name: str, lot: str) -> Iterator[Fact]:
        """The events that made packs of a lot: others may bear its name, a place say."""
        log = self._containment.log
        for run in log.view.mentions(name):
            for index in run:
                fact = log.event(index)
                if fact is not None and not fact.declares and brings(fact) and lot_of(fact) == lot:
                    yield fact

    def _without(self, made: Fact, entries: set[int]) -> Iterator[Fact]:
        """An event that brought packs into being and states no lot, and those behind it; `entries` were looked at."""
        log = self._containment.log
        fact: Fact | None = made
        while fact is not None and fact.index not in entries and fact.kind == OBJECT and fact.action == ADD:
            if fact.declares or lot_of(fact) is not None:
                return
            entries.add(fact.index)
            yield fact
            fact = log.fact(fact.index + 1)

    def _first(self, fact: Fact) -> list[str]:
        """What an event brought into being whose first entry it is."""
        made = epcs_of(fact, outputs=fact.kind == TRANSFORMATION)
        log = self._containment.log
        header = log.view.header(fact.index) or b""
        fields = HEADER_STRUCT.unpack(header) if len(header) == HEADER_SIZE else None
        if fields is not None and fields[_ROWS] == fields[_FIRST_ROWS]:
            return made
        rows = log.rows(fact.index)
        groups = () if rows is None else rows.groups
        new = {group[0] + group[at] for group in groups for at in range(1, len(group), 5) if not group[at + 2]}
        return [one for one in made if one in new]
