"""Alerts on temperature and humidity: how far, how long, and which packs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from alert_samples import CASE, LOGGER, PALLET, RANGE, at, measured, packed, packs_of, told
from pilot_world import EYE_DROPS, MINUTE, World, living, product
from tracechain.event import AssociationEvent, SensorElement, SensorMetadata, SensorReport
from tracechain.pilot import AlertKind, Severity


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


@pytest.fixture
def chilled(world: World) -> World:
    world.register(product(**RANGE))
    world.keep(world.commission(*world.packs[:4]))
    return world


CLIMATE = (AlertKind.TEMPERATURE, AlertKind.HUMIDITY)


def test_how_far_and_how_long_it_was_too_warm(chilled: World) -> None:
    pack = chilled.packs[0]
    readings = [(0, "4.0"), (10, "8.5"), (20, "11.2"), (30, "9"), (40, "8.0"), (50, "2"), (60, "1.9")]
    receipt = chilled.keep(*(measured(chilled, (pack,), minute, degrees) for minute, degrees in readings))
    start = chilled.clock.now - MINUTE
    warm, cold = told(chilled, *CLIMATE)
    assert (warm.subject, warm.index, warm.since) == (pack, receipt.first + 1, start + 10 * MINUTE)
    assert warm.details == {
        "product": EYE_DROPS, "low": "8.5", "high": "11.2", "allowed": ("2", "8"), "minutes": 30,
        "until": start + 40 * MINUTE, "over": True, "readings": 3, "packs": (pack,),
    }  # fmt: skip
    assert "at 11.2 degrees Celsius for 30 minutes" in warm.words
    assert (cold.details["low"], cold.details["minutes"], cold.details["over"]) == ("1.9", 0, False)
    assert "1.9 degrees Celsius for 0 minutes at least" in cold.words


def test_humidity_has_its_own_range(chilled: World) -> None:
    pack = chilled.packs[0]
    chilled.keep(measured(chilled, (pack,), 0, "5", "61"), measured(chilled, (pack,), 5, "5", "60"))
    (one,) = told(chilled, *CLIMATE)
    assert (one.kind, one.severity, one.details["minutes"]) == (AlertKind.HUMIDITY, Severity.WARNING, 5)
    assert "61 per cent" in one.words


@pytest.mark.parametrize(
    ("report", "high"),
    [
        ({"value": Decimal(50), "uom": "FAH"}, "10.00"),
        ({"value": Decimal("283.15"), "uom": "KEL"}, "10.00"),
        ({"value": Decimal(9), "uom": None}, "9"),
        ({"value": None, "max_value": Decimal(12), "min_value": Decimal(3)}, "12"),
    ],
)
def test_units_and_statistics_are_understood(chilled: World, report: dict[str, Any], high: str) -> None:
    chilled.keep(measured(chilled, chilled.packs[:1], 0, "0", **report))
    (one,) = told(chilled, *CLIMATE)
    assert Decimal(one.details["high"]) == Decimal(high)


@pytest.mark.parametrize("report", [{"uom": "ZZ"}, {"value": None, "string_value": "hot"}, {"type": "Pressure"}])
def test_what_is_not_understood_is_no_alert(chilled: World, report: dict[str, Any]) -> None:
    chilled.keep(measured(chilled, chilled.packs[:1], 0, "99", **report))
    assert told(chilled, *CLIMATE) == []


def test_a_container_speaks_for_the_packs_in_it_at_that_time(chilled: World) -> None:
    one, two, three = chilled.packs[:3]
    chilled.keep(
        packed(chilled, CASE, one, two),
        packed(chilled, PALLET, CASE, minutes=1),
        packed(chilled, CASE, two, action="DELETE", minutes=20),
    )
    # Recorded after the unpacking, of a time before it.
    chilled.keep(measured(chilled, (PALLET,), 10, "9"), measured(chilled, (PALLET,), 15, "5"))
    (alert,) = told(chilled, *CLIMATE)
    assert (alert.subject, packs_of(alert)) == (PALLET, (one, two))
    chilled.keep(measured(chilled, (CASE,), 30, "9"))
    assert [packs_of(a) for a in told(chilled, *CLIMATE) if a.subject == CASE] == [(one,)]
    chilled.keep(packed(chilled, CASE, action="DELETE", minutes=40), measured(chilled, (CASE,), 60, "9"))
    assert three not in {pack for a in told(chilled, *CLIMATE) for pack in packs_of(a)}


def fixed(world: World, parent: str, *things: str, action: Any = "ADD", minutes: float = 0) -> AssociationEvent:
    return AssociationEvent(
        event_time=at(world, minutes=minutes), time_zone_offset=480, epcs=things, parent=parent, action=action
    )


def test_a_logger_speaks_for_what_it_is_fixed_to(chilled: World) -> None:
    pack = chilled.packs[0]
    chilled.keep(
        packed(chilled, CASE, pack), fixed(chilled, CASE, LOGGER), fixed(chilled, CASE, action="DELETE", minutes=9)
    )
    chilled.keep(measured(chilled, (LOGGER,), 5, "9"), measured(chilled, (LOGGER,), 15, "9"))
    (one,) = told(chilled, *CLIMATE)
    assert (one.subject, packs_of(one), one.details["readings"]) == (LOGGER, (pack,), 1)


def test_a_device_alone_speaks_too_and_its_own_times_count(chilled: World) -> None:
    pack = chilled.packs[0]
    chilled.keep(packed(chilled, CASE, pack), fixed(chilled, CASE, LOGGER))
    report = SensorReport(type="Temperature", max_value=Decimal(12), min_value=Decimal(3), uom="CEL")
    metadata = SensorMetadata(device_id=LOGGER, start_time=at(chilled, minutes=10), end_time=at(chilled, minutes=70))
    event = evolve(
        measured(chilled, (pack,), 500, "5"), epcs=(), sensors=(SensorElement(metadata=metadata, reports=(report,)),)
    )
    chilled.keep(event)
    (one,) = told(chilled, *CLIMATE)
    assert (one.subject, one.details["minutes"], packs_of(one)) == (LOGGER, 60, (pack,))
    assert one.since == at(chilled, minutes=9) // 1_000_000


def test_readings_of_nothing_and_of_products_without_a_range(world: World) -> None:
    world.keep(world.commission(world.packs[0]))
    hot = measured(world, world.packs[:1], 0, "99", "99")
    world.keep(hot, evolve(hot, epcs=()), evolve(hot, epcs=(CASE,)))
    assert told(world, *CLIMATE) == []
    world.register(product(**RANGE))
    assert {one.kind for one in told(world, *CLIMATE)} == set(CLIMATE), "the range of today is held against it"


def test_a_reading_declared_an_error_was_none(chilled: World) -> None:
    hot = measured(chilled, chilled.packs[:1], 0, "99")
    chilled.keep(hot)
    chilled.keep(packed(chilled, CASE, chilled.packs[1]), measured(chilled, (CASE,), 3, "99"))
    assert len(told(chilled, *CLIMATE)) == 2
    chilled.keep(chilled.undo(hot))
    chilled.keep(chilled.undo(packed(chilled, CASE, chilled.packs[1], minutes=-2)))
    assert told(chilled, *CLIMATE) == []


def test_boxes_that_hold_each_other_come_to_an_end(chilled: World) -> None:
    chilled.ledger.append((packed(chilled, CASE, PALLET, chilled.packs[0]), packed(chilled, PALLET, CASE)))
    chilled.clock.advance(MINUTE)
    chilled.keep(measured(chilled, (CASE,), 3, "99"))
    assert [packs_of(one) for one in told(chilled, *CLIMATE)] == [(chilled.packs[0],)]
