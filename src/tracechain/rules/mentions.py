"""What an event mentions beside its subjects: places, parties, lots, sensor data (docs/format.md 11).

The index keeps, for each name, the runs of entries that mention it, so that a question about a place, a carrier or a
lot costs what it finds and not what the ledger holds. Worked out from contents alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from operator import attrgetter

from tracechain.event import Event, ObjectEvent, TransformationEvent
from tracechain.event.sale import LOT, label
from tracechain.event.values import MAX_ID
from tracechain.rules.guards import class_of

__all__ = ["SENSORS", "lot_name", "mentioned", "runs", "transformed_name"]

#: The name under which events with sensor data are found.
SENSORS = "urn:tracechain:sensors"
_ALIKE = attrgetter("read_point", "biz_location", "sources", "destinations", "sensors")


def lot_name(product: str, lot: str) -> str:
    """The name of a lot of a product (a class id): that of GS1, or a digest of a lot number too long for a key."""
    name = f"{product}/10/{lot}"
    return name if len(name.encode()) <= MAX_ID else f"{product}/10/sha256:{sha256(lot.encode()).hexdigest()}"


def transformed_name(product: str) -> str:
    """The name under which events are found that made something of packs of a product."""
    return f"urn:tracechain:transformed:{product}"


def mentioned(event: Event) -> tuple[str, ...]:
    """All names that an event mentions, ascending. A bare position (`geo:`) is no name: nobody comes there twice."""
    found = {party.id for party in (*event.sources, *event.destinations)}
    found.update(p for p in (event.read_point, event.biz_location) if p is not None and not p.startswith("geo:"))
    if event.sensors:
        found.add(SENSORS)
    made: tuple[str, ...] = ()
    if isinstance(event, TransformationEvent):
        made = event.output_epcs
        found.update(transformed_name(class_of(epc)) for epc in event.epcs)
    elif isinstance(event, ObjectEvent) and event.action == "ADD":
        made = event.epcs
    if made and (lot := label(event, LOT)) is not None:
        found.update(lot_name(product, lot) for product in set(map(class_of, made)))
    return tuple(sorted(found))


def runs(events: Sequence[Event], first: int) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """(names, start, count) of neighbouring events that mention the same; `first` is the index of the first event.

    For the ingest loop: scans of one station differ in time and codes alone, so most are told alike by one look.
    """
    making = any(type(e) is TransformationEvent or (type(e) is ObjectEvent and e.action == "ADD") for e in events)
    at = first
    for _, group in groupby(events, _making_alike if making else _ALIKE):
        alike = list(group)
        yield mentioned(alike[0]), at, len(alike)
        at += len(alike)


def _making_alike(event: Event) -> tuple[object, ...]:
    """What events have in common that mention the same, where some of them bring something into being."""
    if type(event) is ObjectEvent and event.action == "ADD":
        epcs = event.epcs
        products: object = class_of(epcs[0]) if len(epcs) == 1 else frozenset(map(class_of, epcs))
        return (*_ALIKE(event), event.ilmd, event.extensions, products)
    return (event,) if type(event) is TransformationEvent else _ALIKE(event)
