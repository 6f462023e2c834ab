"""Alerts on stock: expiry, deliveries, what the inventory count does not confirm, temperature and humidity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from operator import attrgetter

from attrs import define, field

from tracechain.custody import CUSTODY_MASK, DAY_ZERO, EXPIRY_SHIFT
from tracechain.event.times import MIN_TIME
from tracechain.pilot.alert import CLAUSE_OF, Alert, AlertKind, Asked, Severity, midnight
from tracechain.pilot.climate import Containment, excursions
from tracechain.pilot.survey import IN_SALE, IN_STOCK, Sighting
from tracechain.registers import Product
from tracechain.rules import shanghai_day
from tracechain.rules.guards import class_of

__all__ = ["climate", "deliveries", "expired", "near_expiry", "unconfirmed"]

_MS = 1_000_000
_DAY = 86_400 * 1_000_000_000
_HERE = IN_SALE | IN_STOCK


# ---- expiry ----------------------------------------------------------------------------------------


def _by_expiry(asked: Asked) -> Iterator[tuple[str, date, tuple[str, ...]]]:
    """(product, expiry, packs) of what lies here or is on its way to a buyer, in order."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for pack, word in asked.survey.words.items():
        state = word >> 40
        if state >> EXPIRY_SHIFT and state & CUSTODY_MASK in _HERE:
            found[class_of(pack), state >> EXPIRY_SHIFT].append(pack)
    for product, day in sorted(found):
        yield product, DAY_ZERO + timedelta(days=day), tuple(sorted(found[product, day]))


def near_expiry(asked: Asked) -> Iterator[Alert]:
    """Stock that expires within the days that its product says, or the profile (S1 VI, Q1)."""
    if asked.profile is None:
        return
    for product, expiry, packs in _by_expiry(asked):
        registered = asked.standing.find(Product.KIND, product)
        file = None if registered is None else registered.value
        days = asked.profile.near_expiry_days
        if isinstance(file, Product) and file.near_expiry_days is not None:
            days = file.near_expiry_days
        left = (expiry - asked.today).days
        if 0 <= left <= days:
            yield Alert(
                AlertKind.NEAR_EXPIRY,
                Severity.WARNING,
                product,
                None,
                midnight(expiry - timedelta(days=days)),
                f"{_packs(packs)} expire{'s' if len(packs) == 1 else ''} on {expiry}, in {left} days",
                CLAUSE_OF[AlertKind.NEAR_EXPIRY],
                {"expiry": expiry.isoformat(), "days": left, "packs": packs},
            )


def expired(asked: Asked) -> Iterator[Alert]:
    """Stock that is locked since it expired: it can only be destroyed or exported (S1 VI, Q1)."""
    for product, expiry, packs in _by_expiry(asked):
        over = (asked.today - expiry).days
        if over > 0:
            yield Alert(
                AlertKind.EXPIRED,
                Severity.CRITICAL,
                product,
                None,
                midnight(expiry + timedelta(days=1)),
                f"{_packs(packs)} expired on {expiry} and are locked: destroy or export them",
                CLAUSE_OF[AlertKind.EXPIRED],
                {"expiry": expiry.isoformat(), "days": over, "packs": packs},
            )


# ---- deliveries ------------------------------------------------------------------------------------


def deliveries(asked: Asked) -> Iterator[Alert]:
    """Packs that are sold, or wait in a store, for longer than a delivery takes (S1 VI)."""
    if asked.profile is None:
        return
    for pack, (since, index) in asked.survey.sold.items():
        days = (asked.now * _MS - since) // _DAY
        if asked.now * _MS - since > asked.profile.delivery_days * _DAY:
            yield Alert(
                AlertKind.DELIVERY_OVERDUE,
                Severity.WARNING,
                pack,
                index,
                since // _MS,
                f"on its way to the buyer for {days} days, since entry {index}",
                CLAUSE_OF[AlertKind.DELIVERY_OVERDUE],
                {"days": days, "latest": asked.survey.last(pack)},
            )


# ---- inventory -------------------------------------------------------------------------------------


@define
class _Round:
    """The stocktake of one day at one place: when it began (ns), and the packs that it saw."""

    start: int
    day: date
    packs: set[str] = field(factory=set)


def unconfirmed(asked: Asked) -> Iterator[Alert]:
    """Stock that the last count at its place did not see, or that was not counted for too long (S1 VI, L5).

    The count of a container is one of the packs in it at that time; the count of a place, on one day, one of its parts.
    It is taken for a count of all that lies there if it saw more than half of what had come before that day; a smaller
    one, as where every day another shelf has its turn, confirms what it saw and says nothing of the rest.
    """
    if asked.profile is None:
        return
    confirmed, rounds = _counted(asked)
    limit, now = asked.profile.stocktake_days * _DAY, asked.now * _MS
    lying = {pack: _last(asked.survey.sightings(pack)) for pack in asked.survey.stocked}
    missed = _missed(asked, rounds, lying)
    found: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for pack, (stocked, _) in asked.survey.stocked.items():
        since = max(stocked, confirmed.get(pack, stocked))
        if pack in missed:
            found[lying[pack][1], "missed"].append((missed[pack], pack))
        elif now - since > limit:
            found[lying[pack][1], "not counted"].append((since, pack))
    for (place, reason), packs in sorted(found.items()):
        since = min(at for at, _ in packs) // _MS
        names = tuple(sorted(pack for _, pack in packs))
        where = f" at {place}" if place else ""
        words = (
            f"{_packs(names)}{where} not seen by the last stocktake there"
            if reason == "missed"
            else f"{_packs(names)}{where} not counted for more than {asked.profile.stocktake_days} days"
        )
        yield Alert(
            AlertKind.STOCK_UNCONFIRMED,
            Severity.WARNING,
            place or None,
            None,
            since,
            words,
            CLAUSE_OF[AlertKind.STOCK_UNCONFIRMED],
            {"reason": reason, "packs": names},
        )


def _last(sightings: list[Sighting]) -> tuple[int, str]:
    """When and where a pack was seen last."""
    return (sightings[-1].time, sightings[-1].place) if sightings else (MIN_TIME, "")


def _missed(asked: Asked, rounds: dict[str, _Round], lying: dict[str, tuple[int, str]]) -> dict[str, int]:
    """The packs that a count of their place did not see, and when that began (ns)."""
    seen: dict[str, int] = defaultdict(int)
    unseen: dict[str, list[str]] = defaultdict(list)
    for pack, (time, place) in lying.items():
        for name in _wholes(place):
            one = rounds.get(name)
            if one is None or asked.survey.stocked[pack][0] >= midnight(one.day) * _MS:
                continue
            if pack in one.packs:
                seen[name] += 1
            elif time < one.start:
                unseen[name].append(pack)
    return {
        pack: rounds[name].start for name in sorted(unseen) if seen[name] > len(unseen[name]) for pack in unseen[name]
    }


def _counted(asked: Asked) -> tuple[dict[str, int], dict[str, _Round]]:
    """When each pack was counted last (ns), and the last round of each place."""
    changes = sorted(asked.survey.changes, key=attrgetter("time", "index"))
    inside, at = Containment(), 0
    confirmed: dict[str, int] = {}
    rounds: dict[str, _Round] = {}
    for count in sorted(asked.survey.counts, key=attrgetter("time", "index")):
        while at < len(changes) and changes[at].time <= count.time:
            inside.take(changes[at])
            at += 1
        packs = [pack for subject in count.subjects for pack in inside.packs(subject)]
        confirmed.update(dict.fromkeys(packs, count.time))
        if count.place is not None:
            day = shanghai_day(count.time)
            last = rounds.get(count.place)
            if last is None or last.day != day:
                last = rounds[count.place] = _Round(count.time, day)
            last.packs.update(packs)
    return confirmed, rounds


def _wholes(place: str) -> Iterator[str]:
    """A place, and the places that it is a part of."""
    while place:
        yield place
        place = place.rpartition("/254/")[0]


# ---- climate ---------------------------------------------------------------------------------------


def climate(asked: Asked) -> Iterator[Alert]:
    """Temperature or humidity outside a product's range, with how far and how long (S1 VI, L6)."""
    for one in excursions(asked.survey.changes, asked.survey.readings, asked.standing):
        warm = one.measure == "temperature"
        kind, unit = (AlertKind.TEMPERATURE, "degrees Celsius") if warm else (AlertKind.HUMIDITY, "per cent")
        minutes = (one.end - one.start) // 60_000_000_000
        extreme = one.high if one.high > one.allowed[1] else one.low
        time = f"for {minutes} minutes" if one.over else f"for {minutes} minutes at least, and none inside since"
        yield Alert(
            kind,
            Severity.CRITICAL if warm else Severity.WARNING,
            one.subject,
            one.index,
            one.start // _MS,
            f"{_packs(one.packs)} of {one.product} at {extreme:f} {unit} {time};"
            f" {one.allowed[0]:f} to {one.allowed[1]:f} are allowed",
            CLAUSE_OF[kind],
            {
                "product": one.product,
                "low": f"{one.low:f}",
                "high": f"{one.high:f}",
                "allowed": (f"{one.allowed[0]:f}", f"{one.allowed[1]:f}"),
                "minutes": minutes,
                "until": one.end // _MS,
                "over": one.over,
                "readings": one.readings,
                "packs": one.packs,
            },
        )


def _packs(packs: tuple[str, ...]) -> str:
    return "1 pack" if len(packs) == 1 else f"{len(packs)} packs"
