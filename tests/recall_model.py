"""The slow, obviously right model of recall: which packs a criterion covers, asked of each pack, one by one.

What was ambiguous, and how it is read here:

- A criterion covers packs that the ledger has heard of, by any entry; containers and classes are never covered.
- The lot that an event states is that which the rules read: of its ilmd, else of what a label said beside it.
- What was made of a lot is followed whatever the claimed times: a new code that is said to be older than the old one is
  suspect too.
- Bounds in time (ThroughPlace and the like) are both included; those of Commissioned are not: start <= time < stop.
- A code shares a container with itself, wherever it was in one.
- The lot of a pack, for those who look at the result, is that which the earliest fact, by its moment, states that
  brought it into being; if that is a transformation that states none, the lot of the first code that it was made of.
  Where a lot is asked for, what came into being with it is shown with it, even if it came into being twice.
"""

from __future__ import annotations

from tracechain import criteria
from tracechain.criteria import Criterion
from tracechain.custody import is_pack
from tracechain.event import Event, ObjectEvent, TransformationEvent
from tracechain.event.sale import LOT, label
from tracechain.recall import Affected
from tracechain.registers import Product
from tracechain.rules.guards import class_of
from tracing_model import END, Entry, Model

__all__ = ["affected", "covered", "lot_of"]


def covered(model: Model, criterion: Criterion) -> set[str]:
    """The packs that a criterion covers."""
    match criterion:
        case criteria.AllOf(parts):
            return set.intersection(*(covered(model, part) for part in parts))
        case criteria.AnyOf(parts):
            return set.union(*(covered(model, part) for part in parts))
        case criteria.Not(part):
            return set(model.packs) - covered(model, part)
        case criteria.Lot(product, lot):
            return _of_lot(model, product, lot)
        case _:
            return {pack for pack in model.packs if _is_covered(model, pack, criterion)}


def affected(model: Model, criterion: Criterion) -> list[Affected]:
    """The same packs, each with where it is now, in order."""
    found = []
    for pack in sorted(covered(model, criterion)):
        where = model.whereabouts(pack)
        last, state = model.known[pack]
        outermost = where.containers[-1] if where.containers else None
        lot = lot_of(model, pack)
        if isinstance(criterion, criteria.Lot) and pack in _made_under(model, criterion.product, criterion.lot):
            lot = criterion.lot
        found.append(Affected(pack, state, last, where.place, where.holder[1], outermost, where.time, lot))
    return found


def lot_of(model: Model, pack: str, path: tuple[str, ...] = ()) -> str | None:
    """The lot of a pack."""
    for entry in model.facts(pack):
        if _makes(entry.event, pack):
            lot = label(entry.event, LOT)
            if lot is None and isinstance(entry.event, TransformationEvent) and entry.event.epcs:
                source = entry.event.epcs[0]
                return None if source in (*path, pack) else lot_of(model, source, (*path, pack))
            return lot
    return None


def _of_lot(model: Model, product: str, lot: str) -> set[str]:
    """What came into being with the lot number, and all that was made of it."""
    found = _made_under(model, product, lot)
    made = {code for one in found for code in model.descendants(one)}
    return {code for code in found | made if is_pack(code)}


def _made_under(model: Model, product: str, lot: str) -> set[str]:
    return {
        pack
        for pack in model.packs
        if class_of(pack) == product
        and any(_makes(entry.event, pack) and label(entry.event, LOT) == lot for entry in model.facts(pack))
    }


def _is_covered(model: Model, pack: str, criterion: Criterion) -> bool:
    match criterion:
        case criteria.OfProduct(product):
            return class_of(pack) == product
        case criteria.ByMaker(maker):
            file = _file(model, pack)
            return file is not None and maker in (file.maker, file.maker_id)
        case criteria.ByMerchant(merchant):
            file = _file(model, pack)
            return file is not None and file.merchant == merchant
        case criteria.Commissioned(start, stop):
            return any(
                isinstance(entry.event, ObjectEvent)
                and entry.event.action == "ADD"
                and start <= entry.event.event_time < stop
                for entry in model.facts(pack)
            )
        case criteria.ThroughPlace(place, start, stop):
            return any(
                _is_at(told.entry, place) and _is_between(told.entry.event.event_time, start, stop)
                for told in model.facts_told(pack)
            )
        case criteria.ThroughContainer(container, start, stop):
            return any(
                container in way.path[1:]
                and (stop is None or way.begin[0] <= stop)
                and (start is None or way.end[0] >= start)
                for way in model.ways(pack)
            )
        case criteria.ByCarrier(carrier, start, stop):
            return any(
                carrier in _carriers(told.entry.event) and _is_between(told.entry.event.event_time, start, stop)
                for told in model.facts_told(pack)
            )
        case criteria.SharedContainer(code):
            return any(
                one.container == other.container
                and max(one.begin, other.begin) <= min(one.end or END, other.end or END)
                for one in model.stays(pack)
                for other in model.stays(code)
            )
        case criteria.Codes(codes):
            return pack in codes
        case _:
            raise AssertionError(criterion)


def _makes(event: Event, pack: str) -> bool:
    """Whether an event brings a pack into being."""
    if isinstance(event, TransformationEvent):
        return pack in event.output_epcs
    return isinstance(event, ObjectEvent) and event.action == "ADD" and pack in event.epcs


def _file(model: Model, pack: str) -> Product | None:
    """The registration file of the product of a pack."""
    registered = model.standing.find("product", class_of(pack))
    value = None if registered is None else registered.value
    return value if isinstance(value, Product) else None


def _is_at(entry: Entry, place: str) -> bool:
    """Whether an event puts its subjects at a place, or at a part of it."""
    there = entry.place
    return entry.locates and there is not None and (there == place or there.startswith(f"{place}/254/"))


def _is_between(time: int, start: int | None, stop: int | None) -> bool:
    return (start is None or start <= time) and (stop is None or time <= stop)


def _carriers(event: Event) -> set[str]:
    return {party.id for party in (*event.sources, *event.destinations) if party.type == "possessing_party"}
