"""The units of a lot: those that were brought into being under it, and what was made of them since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracechain.encoding import decode
from tracechain.entry import HEADER_STRUCT, SALT_SIZE
from tracechain.event.sale import LOT, label
from tracechain.rules.guards import class_of
from tracechain.rules.mentions import lot_name, transformed_name
from tracechain.rules.packing import TANGLED
from tracechain.tracing.containment import Containment
from tracechain.tracing.facts import ADD, OBJECT, TRANSFORMATION, Fact, epcs_of

__all__ = ["Lots", "descendants", "lot_units"]

_ROWS, _FIRST_ROWS = 10, 13  # of the fields of a header


def lot_units(containment: Containment, product: str, lot: str) -> Iterator[tuple[list[str], bool]]:
    """The units of a product that an entry brought into being under this lot: batch by batch, each unit once, and
    whether the units of a batch came into the ledger together (View.words).

    A commissioning that was declared an error brought nothing into being.
    """
    log = containment.log
    view = log.view
    indices = [index for run in view.mentions(lot_name(product, lot)) for index in run]
    facts = [fact for index in indices if (fact := log.event(index)) is not None]
    seen: set[str] = set()
    for fact in facts:
        if fact.declares:
            continue
        made = epcs_of(fact, outputs=fact.kind == TRANSFORMATION)
        fields = HEADER_STRUCT.unpack(view.header(fact.index) or bytes(HEADER_STRUCT.size))
        together = fields[_FIRST_ROWS] == fields[_ROWS] == len(made)
        units = [unit for unit in made if unit.startswith(product) and unit not in seen]
        # An error need not be declared with its lot, so it is looked for by unit: it tangles.
        words = view.words(units, together=together and len(units) == len(made))
        if any(packed & TANGLED for _, packed in words):
            past = containment.past
            units = [
                unit
                for unit, (_, packed) in zip(units, words, strict=True)
                if not packed & TANGLED or fact.index not in past(unit).voided
            ]
        seen.update(units)
        if units:
            yield units, together and len(units) == len(made)


def descendants(containment: Containment, units: Iterable[str], products: Iterable[str] | None = None) -> set[str]:
    """What was made of these units, and of that in turn, by transformations that were not declared an error: those
    units not counted among them. `products` are those of the units, if they are known."""
    log = containment.log
    known = set(units)
    found: set[str] = set()
    waiting = set(map(class_of, known) if products is None else products)
    while waiting:
        product = waiting.pop()
        for run in log.view.mentions(transformed_name(product)):
            for index in run:
                fact = log.event(index)
                if fact is None or fact.declares:
                    continue
                sources = (unit for unit in epcs_of(fact) if unit in known)
                if not any(index not in containment.past(unit).voided for unit in sources):
                    continue
                new = [unit for unit in epcs_of(fact, outputs=True) if unit not in known]
                known.update(new)
                found.update(new)
                # What was made of these is looked for again, in events that were looked at before as well.
                waiting.update(map(class_of, new))
    return found


class Lots:
    """Which lot units are of, by what brought them into being. Remembers the lots of entries, which many units
    share."""

    def __init__(self, containment: Containment) -> None:
        self._containment = containment
        self._stated: dict[int, str | None] = {}

    def of(self, unit: str) -> str | None:
        """The lot of a unit. What was made of another and does not say so has the lot of that; None if none is
        stated."""
        known, at = {unit}, unit
        while True:
            made = next((fact for fact in self._facts(at) if _makes(fact, at)), None)
            if made is None:
                return None
            lot = self._lot(made)
            sources = [] if lot is not None or made.kind != TRANSFORMATION else epcs_of(made)
            if not sources or sources[0] in known:
                return lot
            at = sources[0]
            known.add(at)

    def _facts(self, unit: str) -> Iterator[Fact]:
        return (link.fact for link in self._containment.past(unit).facts if link.fact is not None)

    def _lot(self, fact: Fact) -> str | None:
        if fact.index not in self._stated:
            part = self._containment.log.view.content(fact.index)
            self._stated[fact.index] = None if part is None else label(decode(part[SALT_SIZE:]), LOT)
        return self._stated[fact.index]


def _makes(fact: Fact, unit: str) -> bool:
    """Whether an event brings a unit into being."""
    if fact.kind == OBJECT:
        return fact.action == ADD
    return fact.kind == TRANSFORMATION and unit in epcs_of(fact, outputs=True)
