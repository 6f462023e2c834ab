"""Alerts on codes: sold twice, seen where they cannot be, never commissioned; and what was recorded late."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tracechain.custody import CUSTODY_MASK, Act, Custody, Violation
from tracechain.pilot.alert import CLAUSE_OF, Alert, AlertKind, Asked, Severity
from tracechain.pilot.hints import known_like
from tracechain.pilot.rows import lawful_rows
from tracechain.pilot.survey import Broken

__all__ = ["late_recordings", "movements", "sold_twice", "unknown_codes"]

_MINUTE = 60_000_000_000
_MS = 1_000_000
_SALES = frozenset(map(int, (Act.SELL, Act.SELL_PART)))
_SUPPLIES = frozenset(map(int, (Act.DISPENSE, Act.DISPENSE_PART)))
#: Unknown codes for which known ones are looked up: a hint costs some milliseconds.
_HINTS = 200


def sold_twice(asked: Asked) -> Iterator[Alert]:
    """A code was sold again, or handed to a buyer again: the sign of a copied code (S1 V)."""
    for broken in asked.survey.broken:
        supplied = broken.act in _SUPPLIES and broken.before == Custody.DELIVERED
        if not (supplied or Violation.SECONDARY_SALE in broken.codes):
            continue
        wanted = _SUPPLIES if supplied else _SALES
        rows = lawful_rows(asked.view, broken.subject, broken.previous)
        first = next((index for index, row in rows if row.act in wanted), None)
        done, before = "handed over" if supplied else "sold", "" if first is None else f" in entry {first}"
        yield Alert(
            AlertKind.SOLD_TWICE,
            Severity.CRITICAL,
            broken.subject,
            broken.index,
            broken.time // _MS,
            f"{done}{before}, and again in entry {broken.index}{_at(broken.place)}",
            CLAUSE_OF[AlertKind.SOLD_TWICE],
            {"first": first, "again": broken.index, "place": broken.place, "supplied": supplied},
        )


def movements(asked: Asked) -> Iterator[Alert]:
    """A code was at two registered places within a time in which nobody carries it from one to the other (S1 V).

    Parts of one place are one place. Claimed times count, whatever the order in which they were recorded.
    """
    if asked.profile is None:
        return
    limit = asked.profile.movement_minutes * _MINUTE
    for pack in asked.survey.moved():
        seen = asked.survey.sightings(pack)
        for one, other in pairwise(seen):
            if other.time - one.time >= limit or _whole(one.place) == _whole(other.place):
                continue
            minutes = (other.time - one.time) // _MINUTE
            yield Alert(
                AlertKind.IMPOSSIBLE_MOVEMENT,
                Severity.CRITICAL,
                pack,
                max(one.index, other.index),
                other.time // _MS,
                f"seen at {one.place} and {minutes} minutes later at {other.place}",
                CLAUSE_OF[AlertKind.IMPOSSIBLE_MOVEMENT],
                {
                    "places": (one.place, other.place),
                    "entries": (one.index, other.index),
                    "times": (one.time // _MS, other.time // _MS),
                    "minutes": minutes,
                },
            )


def unknown_codes(asked: Asked) -> Iterator[Alert]:
    """Codes that nobody has commissioned to this day, with the known ones that may have been meant (S1 V)."""
    found: dict[str, list[Broken]] = {}
    for broken in asked.survey.broken:
        if Violation.UNKNOWN_CODE in broken.codes and not asked.survey.state(broken.subject) & CUSTODY_MASK:
            found.setdefault(broken.subject, []).append(broken)
    for number, (subject, entries) in enumerate(found.items()):
        near: tuple[str, ...] = ()
        if number < _HINTS:
            known = known_like(asked.view, subject, 8)
            near = tuple(one for one in known if asked.survey.state(one))[:3]
        hint = f"; perhaps {' or '.join(near)} was meant" if near else ""
        yield Alert(
            AlertKind.UNKNOWN_CODE,
            Severity.WARNING if near else Severity.CRITICAL,
            subject,
            entries[0].index,
            entries[0].time // _MS,
            f"never commissioned, and named by {_count(len(entries), 'event')}{_at(entries[0].place)}{hint}",
            CLAUSE_OF[AlertKind.UNKNOWN_CODE],
            {"entries": tuple(one.index for one in entries), "near": near, "place": entries[0].place},
        )


def late_recordings(asked: Asked) -> Iterator[Alert]:
    """Events that were recorded later than the profile allows, one alert for what came together (S1 V, "timely")."""
    for (received, author), entries in asked.survey.late.items():
        index, _, subject = entries[0]
        oldest = min(time for _, time, _ in entries) // _MS
        hours = (received - oldest) // 3_600_000
        yield Alert(
            AlertKind.LATE_RECORDING,
            Severity.NOTICE,
            subject if len(entries) == 1 else None,
            index,
            received,
            f"{_count(len(entries), 'event')} recorded up to {hours} hours late, from entry {index} on",
            CLAUSE_OF[AlertKind.LATE_RECORDING],
            {
                "author": author.hex(),
                "events": len(entries),
                "oldest": oldest,
                "hours": hours,
                "entries": (index, entries[-1][0]),
            },
        )


def _whole(place: str) -> str:
    """The place that a part belongs to."""
    return place.partition("/254/")[0]


def _at(place: str | None) -> str:
    return "" if place is None else f", at {place}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
