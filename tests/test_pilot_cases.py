"""Cases, orders in force, what is overdue or does not suffice, and the violations counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pilot_world import (
    EYE_DROPS,
    KIOSK,
    LAX,
    NMPA_PRODUCT,
    PHARMACY,
    PLATFORM,
    SF,
    STORE,
    UNCONFIRMED,
    ZONE,
    World,
    carrier,
    enterprise,
    living,
    merchant,
    place,
    product,
    profile,
    readmission,
    resumption,
    stop,
    suspension,
)
from tracechain.custody import Custody, Violation
from tracechain.ledger import Ledger
from tracechain.pilot import Overdue, cases, compensations, overdue, stopped, violations
from tracechain.registers import CaseStep, Document, Enterprise, Register
from tracechain.replay import MemoryView, replay
from tracechain.testing.scanner import sample_ledger

TODAY = date(2026, 11, 21)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def step(phase: str = "opened", name: str = "C-1", kind: str = "complaint", **more: Any) -> CaseStep:
    values: dict[str, Any] = {"about": (), "text": "A seal was broken"} | more
    return CaseStep(id=name, type=kind, phase=phase, on=TODAY, by="Desk", **values)


def found(world: World, today: date = TODAY, **only: str) -> list[Overdue]:
    """What is overdue, of the kind or id that is asked for."""
    with world.ledger.snapshot() as view:
        seen = overdue(view, today)
        assert seen == overdue(MemoryView.of(view), today)
        return [one for one in seen if all(getattr(one, name) == value for name, value in only.items())]


# ---- cases -----------------------------------------------------------------------------------------


def test_a_case_goes_step_by_step(world: World) -> None:
    pack = world.packs[0]
    world.register(step(about=(pack,), due=TODAY + timedelta(days=3)), step(name="C-2", kind="accident"))
    first = world.clock.now
    world.clock.advance(60_000)
    world.register(step("investigated", about=(EYE_DROPS,)))
    with world.ledger.snapshot() as view:
        one, two = cases(view)
        assert (one.id, one.type, two.id, two.type) == ("C-1", "complaint", "C-2", "accident")
        assert [version.value for version in one.steps] == [
            step(about=(pack,), due=TODAY + timedelta(days=3)),
            step("investigated", about=(EYE_DROPS,)),
        ]
        assert [version.time for version in one.steps] == [first, world.clock.now]
        assert {version.author for version in one.steps} == {world.keys.author.public_key.hash[:8]}
        assert one.open
        assert one.due == TODAY + timedelta(days=3), "a step that names no day leaves the one before"
        assert one.about == (pack, EYE_DROPS)
        assert (two.due, two.about) == (None, ())
        assert [len(case.steps) for case in cases(view, first)] == [1, 1]
        assert cases(view, first - 1) == ()
        assert cases(view, about=EYE_DROPS) == (one,)
        assert cases(view, about="nothing") == ()


def test_a_case_is_overdue_from_the_day_after_until_it_is_closed(world: World) -> None:
    world.register(step(due=TODAY), step(name="I-1", kind="inspection", due=TODAY + timedelta(days=1)))
    assert found(world, TODAY, kind="case") == []
    late = found(world, TODAY + timedelta(days=2), kind="case")
    assert [(one.id, one.days, one.due, one.clause) for one in late] == [
        ("C-1", 2, TODAY, "S1 III(1)4"),
        ("I-1", 1, TODAY + timedelta(days=1), "S1 VIII(1)"),
    ]
    closed = world.register(step("closed")).first
    with world.ledger.snapshot() as view:
        one, _ = cases(view)
        assert not one.open
        assert one.due is None
        assert not one.overdue(date.max)
        assert one.steps[-1].index == closed
    assert [one.id for one in found(world, TODAY + timedelta(days=2), kind="case")] == ["I-1"]


def test_compensations_are_added_up(world: World) -> None:
    world.register(
        step(name="P-1", kind="compensation", amount=Decimal("12.50")),
        step("handled", name="P-1", kind="compensation", amount=Decimal("7.25")),
        step(name="P-2", kind="compensation", amount=Decimal(100)),
        step(),
    )
    with world.ledger.snapshot() as view:
        paid = compensations(view)
        assert paid.total == Decimal("119.75")
        assert paid.cases == (("P-1", Decimal("19.75")), ("P-2", Decimal(100)))
        assert compensations(view, 0).total == 0


def test_orders_in_force_are_those_not_lifted(world: World) -> None:
    with world.ledger.snapshot() as view:
        assert stopped(view) == ()
    receipt = world.register(stop("product", EYE_DROPS), suspension(), stop("enterprise", PLATFORM))
    before = world.clock.now
    with world.ledger.snapshot() as view:
        assert [(one.kind, one.id, one.order.index, one.order.value) for one in stopped(view)] == [
            ("enterprise", PLATFORM, receipt.first + 2, stop("enterprise", PLATFORM)),
            ("merchant", PHARMACY, receipt.first + 1, suspension()),
            ("product", EYE_DROPS, receipt.first, stop("product", EYE_DROPS)),
        ]
    world.clock.advance(60_000)
    world.register(resumption("product", EYE_DROPS), readmission(), stop("merchant", PHARMACY))
    with world.ledger.snapshot() as view:
        assert [(one.kind, type(one.order.value).__name__) for one in stopped(view)] == [
            ("enterprise", "Stop"),
            ("merchant", "Stop"),
        ]
        assert len(stopped(view, before)) == 3


def test_a_stop_for_what_was_never_registered_is_in_force_too(world: World) -> None:
    world.register(stop("merchant", "urn:example:stranger"))
    with world.ledger.snapshot() as view:
        assert [one.id for one in stopped(view)] == ["urn:example:stranger"]


# ---- what is overdue -------------------------------------------------------------------------------


def test_the_small_world_has_few_faults(world: World) -> None:
    """All was registered with days to come."""
    assert found(world) == []


DUE = date(2026, 10, 1)


@pytest.mark.parametrize(
    ("value", "kind", "name", "clause"),
    [
        (product(verify_by=DUE), "product", EYE_DROPS, "S1 VII"),
        (evolve(merchant(), verify_by=DUE), "merchant", PHARMACY, "S1 VII"),
        (evolve(merchant(), documents=(Document("L", bytes(32), DUE),)), "merchant", PHARMACY, "S1 VII, VIII(4)1"),
        (carrier(SF, until=DUE), "carrier", SF, "S1 VI"),
        (evolve(enterprise(), verify_by=DUE), "enterprise", PLATFORM, "S1 III(1)"),
        (evolve(enterprise(), qualifications=(Document("Q", bytes(32), DUE),)), "enterprise", PLATFORM, "S1 III(1)"),
        (place(STORE, "store", licence="S-1", licensed_until=DUE), "place", STORE, "S4 Part 2"),
    ],
    ids=["product", "merchant", "document", "carrier", "enterprise", "qualification", "licence"],
)
def test_what_ran_out_is_overdue_from_the_day_after(
    world: World, value: Register, kind: str, name: str, clause: str
) -> None:
    entry = world.register(value).first
    assert found(world, DUE, kind=kind) == []
    (one,) = found(world, DUE + timedelta(days=1), kind=kind)
    assert (one.id, one.due, one.days, one.clause, one.entry) == (name, DUE, 1, clause, entry)
    assert found(world, DUE + timedelta(days=50), kind=kind)[0].days == 50


def test_a_file_is_verified_again_as_often_as_the_profile_says(world: World) -> None:
    world.register(profile(reverify_days=100))
    day = date(2026, 1, 1) + timedelta(days=100)
    assert [one.id for one in found(world, day + timedelta(days=1))] == sorted([LAX, SF]) + sorted(
        [EYE_DROPS, NMPA_PRODUCT]
    )
    # The merchant's file is of the day on which it was recorded.
    assert found(world, TODAY + timedelta(days=100), kind="merchant") == []
    assert found(world, TODAY + timedelta(days=101), kind="merchant")[0].due == TODAY + timedelta(days=100)
    world.register(product(verified_on=date(2026, 5, 1)))
    assert [one.id for one in found(world, day + timedelta(days=1), kind="product")] == [NMPA_PRODUCT]


@pytest.mark.parametrize(
    ("area", "managers", "said"),
    [
        (500, 3, []),
        (499, 3, ["499 square metres: at least 500 are needed"]),
        (500, 2, ["2 managers: more than 2 are needed"]),
        (
            None,
            None,
            ["no area is registered: at least 500 are needed", "no managers are registered: more than 2 are needed"],
        ),
    ],
)
def test_a_zone_warehouse_has_its_area_and_managers(
    world: World, area: int | None, managers: int | None, said: list[str]
) -> None:
    """R11: at least 500 square metres, more than two managers."""
    warehouse = place(
        ZONE, "zone-warehouse", zone="Tianzhu", confirmed_on=date(2021, 4, 1), area=area, managers=managers
    )
    entry = world.register(warehouse).first
    unfit = found(world, id=ZONE)
    assert [one.what for one in unfit] == said
    assert all((one.due, one.days, one.clause, one.entry) == (None, 0, "S1 VI", entry) for one in unfit)
    world.register(evolve(warehouse, closed_on=TODAY))
    assert found(world, id=ZONE) == [], "what is closed needs neither"
    assert found(world, id=UNCONFIRMED) == found(world, id=KIOSK) == []


def test_a_product_has_its_introduction_and_quality_requirements(world: World) -> None:
    """S1 IV(2): Chinese versions of product introductions, and quality control requirements, for each product."""
    whole = evolve(product(), introduction=bytes(32), quality=bytes(32))
    for value, said in (
        (evolve(whole, introduction=None), ["no introduction in Chinese"]),
        (evolve(whole, quality=None), ["no quality control requirements"]),
        (whole, []),
    ):
        world.register(value)
        lacking = found(world, id=EYE_DROPS)
        assert [one.what for one in lacking] == said
        assert all((one.due, one.clause) == (None, "S1 IV(2)") for one in lacking)


def test_the_enterprise_has_both_qualifications(world: World) -> None:
    world.register(evolve(enterprise(), device_trading=None))
    assert [one.what for one in found(world)] == ["no registration as a trading platform for medical devices"]
    world.register(Enterprise(id=PLATFORM, name="P", registered_in="Beijing", verify_by=date(2027, 1, 1)))
    assert len(found(world, kind="enterprise")) == 2


def test_days_at_the_ends_of_the_calendar(world: World) -> None:
    world.register(product(verified_on=date.max, verify_by=date.max))
    assert found(world, date.max, id=EYE_DROPS) == []
    assert found(world, date.min) == []


# ---- violations ------------------------------------------------------------------------------------


def test_violations_are_counted_from_the_rows(world: World) -> None:
    packs = world.packs[:3]
    for pack in packs:
        world.bring(pack, Custody.BONDED)
    with world.ledger.snapshot() as view:
        assert violations(view) == ()
    first = world.breaks(world.sell(*packs), Violation.SOLD_BEFORE_CLEARANCE).first
    until = world.clock.now - 60_000
    second = world.breaks(world.sell(packs[0]), Violation.SOLD_BEFORE_CLEARANCE).first
    third = world.breaks(world.sell("01/09521234001072/21/nobody"), Violation.UNKNOWN_CODE).first
    with world.ledger.snapshot() as view:
        unknown, early = violations(view)
        assert (early.name, early.count, early.entries) == ("SOLD_BEFORE_CLEARANCE", 4, (first, second))
        assert (unknown.name, unknown.count, unknown.entries) == ("UNKNOWN_CODE", 1, (third,))
        assert early.clause
        assert early.words
        assert [one.entries for one in violations(view, until)] == [(first,)]
        counts = Counter(code for _, _, codes in replay(view).violations for code in codes)
        assert counts == {one.code: one.count for one in violations(view)}
        assert violations(MemoryView.of(view)) == violations(view)


def test_violations_of_a_ledger_without_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    sample_ledger(path)
    with Ledger.open(path) as ledger, ledger.snapshot() as view:
        (dead,) = violations(view)
        assert (dead.name, dead.count) == ("DEAD_PACK", len(replay(view).violations))
