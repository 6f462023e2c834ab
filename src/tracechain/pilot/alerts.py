"""What somebody has to look at now: alerts with their reasons, as a pure function over a View.

A violation is a fact of the log, judged when it was recorded. An alert is a conclusion of today, from the log, from the
registers and from the limits of the profile in force: stock that expires soon, a code seen where it cannot be, a
merchant to stop. Nothing is stored, so asking again, of a replay or as of an earlier day, gives the same.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

from tracechain.errors import InputError
from tracechain.pilot.alert import Alert, AlertKind, Asked
from tracechain.pilot.register import entries_until, standing_of
from tracechain.pilot.survey import survey
from tracechain.pilot.watch_codes import late_recordings, movements, sold_twice, unknown_codes
from tracechain.pilot.watch_parties import overdue_files, to_stop
from tracechain.pilot.watch_stock import climate, deliveries, expired, near_expiry, unconfirmed
from tracechain.rules import shanghai_day
from tracechain.view import View

__all__ = ["alerts"]

_WATCHERS: tuple[tuple[frozenset[AlertKind], Callable[[Asked], Iterator[Alert]]], ...] = (
    (frozenset((AlertKind.EXPIRED,)), expired),
    (frozenset((AlertKind.NEAR_EXPIRY,)), near_expiry),
    (frozenset((AlertKind.SOLD_TWICE,)), sold_twice),
    (frozenset((AlertKind.IMPOSSIBLE_MOVEMENT,)), movements),
    (frozenset((AlertKind.UNKNOWN_CODE,)), unknown_codes),
    (frozenset((AlertKind.TEMPERATURE, AlertKind.HUMIDITY)), climate),
    (frozenset((AlertKind.MERCHANT_TO_STOP,)), to_stop),
    (frozenset((AlertKind.DELIVERY_OVERDUE,)), deliveries),
    (frozenset((AlertKind.STOCK_UNCONFIRMED,)), unconfirmed),
    (frozenset((AlertKind.OVERDUE,)), overdue_files),
    (frozenset((AlertKind.LATE_RECORDING,)), late_recordings),
)
#: Kinds that follow from the registers alone, and those that ask where packs were seen.
_OF_REGISTERS = frozenset((AlertKind.OVERDUE,))
_OF_SIGHTINGS = frozenset((AlertKind.IMPOSSIBLE_MOVEMENT, AlertKind.STOCK_UNCONFIRMED))
_ORDER = {kind: number for number, kind in enumerate(AlertKind)}


def alerts(
    view: View, now: int, *, kinds: Iterable[AlertKind | str] | None = None, as_of: int | None = None
) -> tuple[Alert, ...]:
    """Everything to look at at `now` (ms): most severe first, then by kind, subject and time.

    `kinds` asks for some only; `as_of` (receipt time, ms) leaves out what was recorded after it. Limits are those of
    the profile in force; a ledger without one has only alerts that need no limit. Registers count as they are now: a
    product's range that was registered later is held against earlier readings too.

    One pass over the log: on one core about a second for 100,000 entries, and some 200 bytes of memory a pack and 60
    a sighting. Entries whose content is not kept count for the states of packs alone. InputError for a kind that there
    is none of, DataError or DecodeError for a damaged log: verify it.
    """
    wanted = _kinds(kinds)
    standing = standing_of(view, as_of=as_of)
    end = entries_until(view, as_of) if wanted - _OF_REGISTERS else 0
    found = survey(view, end, standing, seen=bool(wanted & _OF_SIGHTINGS))
    asked = Asked(view, now, shanghai_day(now * 1_000_000), as_of, standing, found)
    told = [alert for some, watch in _WATCHERS if some & wanted for alert in watch(asked) if alert.kind in wanted]
    return tuple(sorted(told, key=_key))


def _kinds(kinds: Iterable[AlertKind | str] | None) -> frozenset[AlertKind]:
    if kinds is None:
        return frozenset(AlertKind)
    if isinstance(kinds, str):
        kinds = (kinds,)
    wanted = []
    for name in kinds:
        try:
            wanted.append(AlertKind(name))
        except ValueError:
            close = difflib.get_close_matches(str(name), list(AlertKind), 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(AlertKind)}"
            raise InputError(f"{name!r} is no kind of alert: {hint}") from None
    return frozenset(wanted)


def _key(alert: Alert) -> tuple[int, int, str, int, int, str]:
    index = -1 if alert.index is None else alert.index
    return -alert.severity, _ORDER[alert.kind], alert.subject or "", alert.since, index, alert.words
