"""The units of a lot: those that were brought into being under it, and what was made of them since."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from tracechain.custody import is_pack
from tracechain.entry import HEADER_SIZE, HEADER_STRUCT
from tracechain.errors import DataError
from tracechain.identifiers.keys import escape
from tracechain.rules.guards import class_of
from tracechain.rules.mentions import lot_name, transformed_name
from tracechain.rules.packing import TANGLED
from tracechain.tracing.containment import Containment
from tracechain.tracing.facts import TRANSFORMATION, Fact, epcs_of, lot_of
from tracechain.tracing.lots import brings, makes
from tracechain.tracing.values import Unresolved

__all__ = ["class_names", "descendants", "lot_units"]

_ROWS, _FIRST_ROWS = 10, 13  # of the fields of a header
_TRANSFORMATION_ID, _MADE = 21, 23  # of the items of a content (format.md section 9.1)
#: How often all transformations of a product are gone through in the order of the log.
_PASSES = 4


def lot_units(
    containment: Containment, product: str, lot: str, unresolved: set[Unresolved] | None = None
) -> Iterator[tuple[list[str], list[tuple[int, int]]]]:
    """The packs of a product that an entry brought into being under this lot: batch by batch, each pack once, with
    their words (View.words).

    A commissioning that was declared an error brought nothing into being. What cannot be told is noted in `unresolved`;
    without one, a content that cannot be read is a DataError.
    """
    view = containment.log.view
    usual = f"{product}/21/"
    seen: set[str] = set()
    for fact in _mentioned(containment, lot_name(product, lot), unresolved):
        # Others may bear the name: a place, or a lot whose number is the digest of this one.
        if fact.declares or not brings(fact) or lot_of(fact) != lot:
            continue
        made = epcs_of(fact, outputs=fact.kind == TRANSFORMATION)
        header = view.header(fact.index) or b""
        fields = HEADER_STRUCT.unpack(header) if len(header) == HEADER_SIZE else None
        together = fields is not None and fields[_FIRST_ROWS] == fields[_ROWS] == len(made)
        units = [
            unit
            for unit in made
            if (unit.startswith(usual) or (class_of(unit) == product and is_pack(unit))) and unit not in seen
        ]
        # An error need not be declared with its lot, so it is looked for by unit: it tangles.
        words = view.words(units, together=together and len(units) == len(made))
        if any(packed & TANGLED for _, packed in words):
            both = [
                (unit, pair)
                for unit, pair in zip(units, words, strict=True)
                if not pair[1] & TANGLED or _stands(containment, unit, fact, unresolved)
            ]
            units, words = [unit for unit, _ in both], [pair for _, pair in both]
        seen.update(units)
        if units:
            yield units, words


def _mentioned(containment: Containment, name: str, unresolved: set[Unresolved] | None) -> Iterator[Fact]:
    """The events that mention a name."""
    log = containment.log
    for run in log.view.mentions(name):
        for index in run:
            try:
                fact = log.event(index)
            except DataError as error:
                if unresolved is None:
                    raise
                unresolved.add(Unresolved("damaged", name, index, str(error)))
                continue
            if fact is not None:
                yield fact
            elif unresolved is not None:
                unresolved.add(Unresolved("pruned", name, index, "the content of this entry is not kept"))


def _stands(containment: Containment, unit: str, fact: Fact, unresolved: set[Unresolved] | None) -> bool:
    """Whether the event that made a unit was not declared an error of this one."""
    past = containment.past(unit)
    if fact.index not in past.voided:
        return True
    others = [link.fact for link in past.facts if link.fact is not None]
    if unresolved is not None and others and not any(makes(one, unit) for one in others):
        words = "that it was made under this lot was declared an error, and nothing that stands says what it is of"
        unresolved.add(Unresolved("contradiction", unit, fact.index, words))
    return False


def class_names(product: str, lot: str) -> tuple[str, ...]:
    """The classes under which packs of a lot may be handled without codes, where this lot may be meant."""
    return tuple(dict.fromkeys((lot_name(product, lot), f"{product}/10/{escape(lot)}", product)))


def descendants(
    containment: Containment,
    units: Iterable[str],
    products: Iterable[str] | None = None,
    unresolved: set[Unresolved] | None = None,
) -> set[str]:
    """What was made of these units, and of that in turn, by transformations that were not declared an error: those
    units not counted among them. `products` are those of the units, if they are known; `unresolved` as for
    `lot_units`."""
    known = set(units)
    found: set[str] = set()
    taken: set[int] = set()
    passes: Counter[str] = Counter()
    waiting = dict.fromkeys(map(class_of, known) if products is None else products)
    while waiting:
        product = waiting.popitem()[0]
        passes[product] += 1
        facts = _mentioned(containment, transformed_name(product), unresolved if passes[product] == 1 else None)
        # What was made is looked for again, in events that were looked at before as well: they may be in any order.
        # Where there is no end to it, the events are sorted by what they use.
        find = _in_order if passes[product] < _PASSES else _by_source
        for fact in find(facts, taken, known):
            sources = (unit for unit in epcs_of(fact) if unit in known)
            if all(fact.index in containment.past(unit).voided for unit in sources):
                continue
            taken.add(fact.index)
            if unresolved is not None:
                unresolved.update(_elsewhere(fact))
            new = [unit for unit in epcs_of(fact, outputs=True) if unit not in known]
            known.update(new)
            found.update(new)
            waiting.update(dict.fromkeys(map(class_of, new)))
    return found


def _in_order(facts: Iterable[Fact], taken: set[int], known: set[str]) -> Iterator[Fact]:
    """Events that use something of what is known when it is their turn."""
    for fact in facts:
        if not fact.declares and fact.index not in taken and not known.isdisjoint(epcs_of(fact)):
            yield fact


def _by_source(facts: Iterable[Fact], taken: set[int], known: set[str]) -> Iterator[Fact]:
    """The same, and those in turn that use what these made, if it is known by then."""
    using: dict[str, list[Fact]] = defaultdict(list)
    waiting: list[Fact] = []
    for fact in facts:
        if not fact.declares and fact.index not in taken:
            sources = epcs_of(fact)
            for source in sources:
                using[source].append(fact)
            if not known.isdisjoint(sources):
                waiting.append(fact)
    while waiting:
        fact = waiting.pop()
        if fact.index not in taken:
            yield fact
            waiting += [one for unit in epcs_of(fact, outputs=True) if unit in known for one in using.pop(unit, ())]


def _elsewhere(fact: Fact) -> Iterator[Unresolved]:
    """What a transformation made that no code tells of."""
    for quantity in fact.item(_MADE) or ():
        yield Unresolved("class", quantity[0], fact.index, "it was made by class and quantity, without codes")
    if (name := fact.item(_TRANSFORMATION_ID)) is not None:
        words = "other events may say what was made of it, under this transformation id"
        yield Unresolved("left", name, fact.index, words)
