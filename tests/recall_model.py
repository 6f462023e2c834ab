"""The slow, obviously right model of recall: which packs a criterion covers, asked of each pack, one by one.

What was ambiguous, and how it is read here:

- A criterion covers packs that the ledger has heard of, by any entry; containers and classes are never covered.
- The lot that an event states is that which the rules read: of its ilmd, else of what a label said beside it.
- What was made of a lot is followed whatever the claimed times: a new code that is said to be older than the old one is
  suspect too.
- Bounds in time (ThroughPlace and the like) are both included; those of Commissioned are not: start <= time < stop.
- A code shares a container with itself, wherever it was in one.
- A thing is measured when a reading names it, or names nothing and comes from it, a logger. Measurements of one thing
  in order of time make an excursion: from the first outside to the next inside, or to the end of the last where none is
  inside again. If it lasts longer than is asked (any, for 0), a pack was exposed that was measured outside in it, or
  that was in what was measured outside when it was: at the time of the measurement, after all that is claimed for that
  time, or at some time in its period. A logger that was fixed to something then speaks for that too.
- The lot of a pack, for those who look at the result, is that which the earliest fact, by its moment, states that
  brought it into being; if that is a transformation that states none, the lot of the first code that it was made of.
  Where a lot is asked for, what came into being with it is shown with it, even if it came into being twice.
"""

from __future__ import annotations

from tracechain import criteria
from tracechain.criteria import Criterion
from tracechain.custody import is_pack
from tracechain.event import AssociationEvent, Event, ObjectEvent, TransformationEvent
from tracechain.event.sale import LOT, label
from tracechain.pilot.climate import Measurement, measurements
from tracechain.pilot.survey import Reading
from tracechain.recall import Affected
from tracechain.registers import Product
from tracechain.rules.guards import class_of
from tracing_model import END, Entry, Model, Moment, is_same

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
        case criteria.Measured():
            return _is_exposed(model, pack, criterion)
        case _:
            raise AssertionError(criterion)


# ---- what was measured -------------------------------------------------------------------------------

Period = tuple[Moment, Moment]
#: Behind all entries that claim a time: by then it is known who was in what at that time.
AFTER = 1 << 60


def _is_exposed(model: Model, pack: str, criterion: criteria.Measured) -> bool:
    outside = _outside(model, criterion)
    return any(
        way.begin <= last and first <= way.end
        for way in model.ways(pack)
        for first, last in outside.get(way.path[-1], [])
    )


def _outside(model: Model, criterion: criteria.Measured) -> dict[str, list[Period]]:
    """When things were measured to be outside, in an excursion that lasted long enough, with what loggers speak for."""
    found: dict[str, list[Period]] = {}
    for thing, measured in _measured(model, criterion.measure).items():
        for first, last in _excursions(measured, criterion):
            found.setdefault(thing, []).append((first, last))
            if not is_pack(thing):
                for parent, begin, end in _fixed(model, thing):
                    if begin <= last and first <= end:
                        found.setdefault(parent, []).append((max(begin, first), min(end, last)))
    return found


def _measured(model: Model, measure: str) -> dict[str, list[Measurement]]:
    """What was measured of each thing, in order of time, and was not declared an error."""
    found: dict[str, list[Measurement]] = {}
    readings = [
        Reading(entry.event.event_time, entry.index, entry.event.epcs, entry.event)
        for entry in model.entries
        if entry.event.sensors and not entry.declares and not _is_unnamed_error(model, entry)
    ]
    for one in measurements(readings):
        if one.measure == measure and (one.index, one.subject) not in model.voided:
            found.setdefault(one.subject, []).append(one)
    return found


def _is_unnamed_error(model: Model, entry: Entry) -> bool:
    """Whether a reading that names nothing was declared an error: of those that are the same and measured the same,
    each declaration takes away the latest before it."""
    if entry.rows:
        return False
    alike = [
        one
        for one in model.entries
        if not one.rows and is_same(one.event, entry.event) and one.event.sensors == entry.event.sensors
    ]
    standing: list[Entry] = []
    for one in alike:
        if not one.declares:
            standing.append(one)
        elif standing:
            standing.pop()
    return entry not in standing


def _excursions(measured: list[Measurement], criterion: criteria.Measured) -> list[Period]:
    """The periods of the measurements outside, of excursions that last long enough."""
    found: list[Period] = []
    run: list[Period] = []
    for one in [*measured, None]:
        if one is not None and (
            (criterion.above is not None and one.high > criterion.above)
            or (criterion.below is not None and one.low < criterion.below)
        ):
            run.append(((one.start, AFTER), (one.end, AFTER)))
        elif run:
            over = max(end for _, (end, _) in run) if one is None else one.start
            if criterion.longer_than == 0 or over - run[0][0][0] > criterion.longer_than:
                found += run
            run = []
    return found


def _fixed(model: Model, thing: str) -> list[tuple[str, Moment, Moment]]:
    """(what a logger was fixed to, from when, until when)."""
    found: list[tuple[str, Moment, Moment]] = []
    to: str | None = None
    since = END
    for entry in model.by_moment:
        event = entry.event
        if not isinstance(event, AssociationEvent):
            continue
        now = to
        if thing in event.epcs and model.is_fact(entry, thing):
            if event.action == "ADD" and event.parent != thing:
                now = event.parent
            elif event.action == "DELETE" and event.parent == to:
                now = None
        elif to is not None and event.parent == to and event.action == "DELETE" and model.is_fact(entry, to):
            now = to if event.epcs or event.quantities else None
        if now != to:
            if to is not None:
                found.append((to, since, entry.moment))
            to, since = now, entry.moment
    return found if to is None else [*found, (to, since, END)]


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
