"""Alerts in tests: asked of every view at once; and events of containers and sensors in the small pilot world."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from attrs import evolve

from pilot_world import DAY, MINUTE, World
from tracechain.event import AggregationEvent, ObjectEvent, SensorElement, SensorReport
from tracechain.pilot import Alert, AlertKind, alerts
from tracechain.replay import MemoryView
from tracechain.testing.samples import case_id

CASE, PALLET, LOGGER = case_id(1), case_id(2), "urn:example:logger:7"
RANGE: dict[str, Any] = {"temperature": (Decimal(2), Decimal(8)), "humidity": (Decimal(20), Decimal(60))}


def told(world: World, *kinds: AlertKind, now: int | None = None, as_of: int | None = None) -> list[Alert]:
    """The alerts of these kinds, now or at another time."""
    at = world.clock.now if now is None else now
    with world.ledger.snapshot() as view:
        every = alerts(view, at, as_of=as_of)
        some = alerts(view, at, kinds=kinds or None, as_of=as_of)
        assert some == tuple(alert for alert in every if not kinds or alert.kind in kinds)
        assert some == alerts(MemoryView.of(view), at, kinds=kinds or None, as_of=as_of)
    for alert in every:
        json.dumps(alert.mapping())
        assert alert.words
        assert alert.clause
    return list(some)


def at(world: World, *, days: float = 0, minutes: float = 0) -> int:
    """Nanoseconds, so long after the world's clock."""
    return world.now + int((days * DAY + minutes * MINUTE) * 1_000_000)


def packs_of(alert: Alert) -> tuple[str, ...]:
    packs: tuple[str, ...] = alert.details["packs"]
    return packs


def seen(world: World, pack: str, where: str, time: int) -> ObjectEvent:
    return evolve(world.stocktake(pack), read_point=where, event_time=time)


def packed(world: World, parent: str, *things: str, action: Any = "ADD", minutes: float = 0) -> AggregationEvent:
    return AggregationEvent(
        event_time=at(world, minutes=minutes), time_zone_offset=480, epcs=things, parent=parent, action=action
    )


def measured(
    world: World, things: tuple[str, ...], minutes: float, temperature: str | None = None, humidity: str | None = None,
    **report: Any,
) -> ObjectEvent:  # fmt: skip
    reports = []
    if temperature is not None:
        values: dict[str, Any] = {"type": "Temperature", "value": Decimal(temperature), "uom": "CEL"} | report
        reports.append(SensorReport(**values))
    if humidity is not None:
        reports.append(SensorReport(type="RelativeHumidity", value=Decimal(humidity), uom="P1"))
    return ObjectEvent(
        event_time=at(world, minutes=minutes), time_zone_offset=480, epcs=things, action="OBSERVE",
        biz_step="sensor_reporting", sensors=(SensorElement(reports=tuple(reports)),),
    )  # fmt: skip
