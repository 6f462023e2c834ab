"""Alerts: each kind by an example, with its reasons; and the same from a snapshot, a copy and a log cut short."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alert_samples import CASE, PALLET, RANGE, at, measured, packed, packs_of, seen, told
from pilot_world import (
    BUYER,
    CITY,
    DAY,
    EXPIRES,
    EYE_DROPS,
    MINUTE,
    NMPA_PRODUCT,
    OUTSIDE,
    PHARMACY,
    PLATFORM,
    SHELF,
    STORE,
    ZONE,
    World,
    enterprise,
    living,
    place,
    product,
    profile,
    readmission,
    scope,
    stop,
    suspension,
)
from tracechain.custody import Custody, Violation
from tracechain.errors import DataError, InputError
from tracechain.event import (
    Event,
)
from tracechain.pilot import AlertKind, Severity, alerts
from tracechain.pilot.alert import CLAUSE_OF, midnight
from tracechain.record import Record
from tracechain.registers import Shield
from tracechain.replay import MemoryView
from tracechain.rules import shanghai_day
from tracechain.view import View

V = Violation
EXPIRY = date.fromisoformat(EXPIRES)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


# ---- what an alert is ------------------------------------------------------------------------------


def test_a_small_world_without_faults_has_no_alerts(world: World) -> None:
    assert told(world) == []
    world.keep(world.commission(*world.packs[:3]))
    assert told(world) == []


def test_every_kind_has_its_clause() -> None:
    assert set(CLAUSE_OF) == set(AlertKind)


def test_kinds_are_asked_for_by_name(world: World) -> None:
    with world.ledger.snapshot() as view:
        assert alerts(view, 0, kinds=["EXPIRED"]) == alerts(view, 0, kinds="EXPIRED") == ()
        assert alerts(view, 0, kinds=()) == ()
        with pytest.raises(InputError, match="'EXPIRE' is no kind of alert: did you mean EXPIRED"):
            alerts(view, 0, kinds=["EXPIRE"])
        with pytest.raises(InputError, match="there are EXPIRED, SOLD_TWICE"):
            alerts(view, 0, kinds=["x"])


def test_the_worst_comes_first(world: World) -> None:
    for pack in world.packs[:2]:
        world.bring(pack, Custody.SOLD)
    world.breaks(world.sell(world.packs[0]), V.SECONDARY_SALE)
    world.breaks(world.sell(f"{EYE_DROPS}/21/QQQQQQQQ"), V.UNKNOWN_CODE)
    found = told(world, now=world.clock.now + 40 * DAY)
    assert [one.severity for one in found] == sorted((one.severity for one in found), reverse=True)
    assert {one.severity for one in found} == {Severity.CRITICAL, Severity.WARNING}
    assert found[0].mapping()["severity"] == "critical"


def test_midnight_is_that_of_shanghai() -> None:
    for day in (date(2026, 11, 21), date(1970, 1, 1), date(2000, 2, 29)):
        assert shanghai_day(midnight(day) * 1_000_000) == day
        assert shanghai_day(midnight(day) * 1_000_000 - 1) == day - timedelta(days=1)


def test_a_damaged_log_is_said_to_be_one(world: World) -> None:
    with world.ledger.snapshot() as view:
        broken = MemoryView.of(view)
    del broken.raw_headers[2]
    with pytest.raises(DataError, match="entry 2: its header is missing"):
        alerts(broken, 0, kinds=["EXPIRED"])


# ---- expiry ----------------------------------------------------------------------------------------


def test_stock_near_its_expiry_is_warned_of_and_locked_after_it(world: World) -> None:
    here = [world.bring(pack, Custody.BONDED) for pack in world.packs[:2]]
    world.bring(world.packs[2], Custody.ACTIVE)
    world.bring(world.packs[3], Custody.EXPORTED)

    def on(day: date) -> list[tuple[AlertKind, tuple[str, ...]]]:
        noon = midnight(day) + DAY // 2
        return [(one.kind, packs_of(one)) for one in told(world, AlertKind.NEAR_EXPIRY, AlertKind.EXPIRED, now=noon)]

    assert on(EXPIRY - timedelta(days=91)) == []
    for day in (EXPIRY - timedelta(days=90), EXPIRY):
        assert on(day) == [(AlertKind.NEAR_EXPIRY, tuple(here))]
    assert on(EXPIRY + timedelta(days=1)) == [(AlertKind.EXPIRED, tuple(here))]
    world.later(days=700)
    (locked,) = told(world, AlertKind.EXPIRED)
    assert locked.since == midnight(EXPIRY + timedelta(days=1))
    assert (locked.subject, locked.severity, locked.index) == (EYE_DROPS, Severity.CRITICAL, None)
    world.keep(world.destroy(*here))
    assert told(world, AlertKind.EXPIRED) == []


def test_a_product_may_have_its_own_days_of_warning(world: World) -> None:
    world.register(product(near_expiry_days=10), profile(near_expiry_days=100))
    world.bring(world.packs[0], Custody.BONDED)
    world.bring(world.packs[-1], Custody.BONDED)
    found = told(world, AlertKind.NEAR_EXPIRY, now=midnight(EXPIRY - timedelta(days=100)))
    assert [one.subject for one in found] == [NMPA_PRODUCT]
    found = told(world, AlertKind.NEAR_EXPIRY, now=midnight(EXPIRY - timedelta(days=10)))
    assert [(one.subject, one.details["days"]) for one in found] == [(EYE_DROPS, 10), (NMPA_PRODUCT, 10)]


# ---- codes -----------------------------------------------------------------------------------------


def test_a_code_sold_twice_names_both_sales(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    first = world.keep(world.sell(pack)).first
    again = world.breaks(world.sell(pack), V.SECONDARY_SALE).first
    (one,) = told(world, AlertKind.SOLD_TWICE)
    assert (one.subject, one.index, one.details["first"], one.details["place"]) == (pack, again, first, ZONE)
    assert f"in entry {first}" in one.words
    assert one.since == world.clock.now - MINUTE


def test_a_code_handed_over_twice_is_no_less(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    first = world.keep(world.deliver(pack)).first
    again = world.breaks(world.deliver(pack), V.CUSTODY).first
    (one,) = told(world, AlertKind.SOLD_TWICE)
    assert (one.index, one.details["first"], one.details["supplied"]) == (again, first, True)
    world.breaks(world.ship(pack), V.CUSTODY, V.OFFLINE_PICKUP_UNLICENSED)
    assert len(told(world, AlertKind.SOLD_TWICE)) == 1


def test_a_pack_sold_in_parts_is_not_sold_twice(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    for make in (world.sell_part, world.sell_part, world.deliver_part, world.sell_part, world.deliver_part):
        world.keep(make(pack))
    assert told(world, AlertKind.SOLD_TWICE) == []


def test_a_code_at_two_places_in_no_time_cannot_be(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.ACTIVE)
    start = at(world, minutes=100)
    first = world.keep(seen(world, pack, ZONE, start)).first
    other = world.keep(seen(world, pack, OUTSIDE, start + 59 * 60_000_000_000)).first
    (one,) = told(world, AlertKind.IMPOSSIBLE_MOVEMENT)
    assert (one.subject, one.index, one.details["minutes"]) == (pack, other, 59)
    assert one.details["places"] == (ZONE, OUTSIDE)
    assert one.details["entries"] == (first, other)
    world.register(profile(movement_minutes=59))
    assert told(world, AlertKind.IMPOSSIBLE_MOVEMENT) == []


@pytest.mark.parametrize(
    ("where", "minutes"), [(OUTSIDE, 60), (SHELF, 1), ("urn:example:nowhere", 1), (CITY, 1), ("geo:39.9,116.4", 1)]
)
def test_what_can_be_is_no_alert(world: World, where: str, minutes: int) -> None:
    """Long enough, a part of the same place, a place nobody registered, an area."""
    pack = world.bring(world.packs[0], Custody.ACTIVE)
    start = at(world, minutes=100)
    world.keep(seen(world, pack, ZONE, start), seen(world, pack, where, start + minutes * 60_000_000_000))
    assert told(world, AlertKind.IMPOSSIBLE_MOVEMENT) == []


def test_claimed_times_count_whatever_the_order(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.ACTIVE)
    start = at(world, minutes=100)
    hours = [(ZONE, 0), (OUTSIDE, 5), (STORE, 10)]
    for where, hour in reversed(hours):
        world.keep(seen(world, pack, where, start + hour * 3_600_000_000_000))
    assert told(world, AlertKind.IMPOSSIBLE_MOVEMENT) == []
    late = world.keep(seen(world, pack, STORE, start + 30 * 60_000_000_000)).first
    (one,) = told(world, AlertKind.IMPOSSIBLE_MOVEMENT)
    assert (one.index, one.details["places"]) == (late, (ZONE, STORE))


def test_a_sighting_declared_an_error_was_none(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.ACTIVE)
    wrong = seen(world, pack, OUTSIDE, at(world, minutes=101))
    world.keep(seen(world, pack, ZONE, at(world, minutes=100)), wrong)
    assert len(told(world, AlertKind.IMPOSSIBLE_MOVEMENT)) == 1
    world.keep(world.undo(wrong))
    assert told(world, AlertKind.IMPOSSIBLE_MOVEMENT) == []


def test_papers_are_not_where_the_pack_is(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    before = told(world, AlertKind.IMPOSSIBLE_MOVEMENT)
    world.clock.advance(2 * DAY)
    world.register(place("urn:example:office", "office"))
    world.keep(world.stocktake(pack), evolve(world.order(pack), read_point=STORE))
    world.keep(evolve(world.stocktake(pack), read_point="urn:example:office"))
    assert told(world, AlertKind.IMPOSSIBLE_MOVEMENT) == before


def test_an_unknown_code_comes_with_the_nearest_known_one(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.ACTIVE)
    misread, strange = pack.replace("BJ", "JB"), f"{EYE_DROPS}/21/QQQQQQQQ"
    first = world.breaks(world.stocktake(misread), V.UNKNOWN_CODE).first
    second = world.breaks(world.ship(misread), V.UNKNOWN_CODE).first
    world.breaks(world.stocktake(strange), V.UNKNOWN_CODE)
    one, two = told(world, AlertKind.UNKNOWN_CODE)
    assert (one.subject, one.severity, one.details["near"]) == (strange, Severity.CRITICAL, ())
    assert (two.subject, two.severity, two.details["near"]) == (misread, Severity.WARNING, (pack,))
    assert (two.index, two.details["entries"]) == (first, (first, second))
    assert pack in two.words


def test_a_code_commissioned_since_is_unknown_no_more(world: World) -> None:
    pack = world.packs[0]
    world.breaks(world.stocktake(pack), V.UNKNOWN_CODE)
    assert len(told(world, AlertKind.UNKNOWN_CODE)) == 1
    world.keep(world.commission(pack))
    assert told(world, AlertKind.UNKNOWN_CODE) == []


def test_what_comes_late_is_one_alert_a_delivery(world: World) -> None:
    old = evolve(world.commission(*world.packs[:2]), event_time=at(world, days=-3))
    older = evolve(world.commission(world.packs[2]), event_time=at(world, days=-4))
    receipt = world.ledger.append([old, older, world.commission(world.packs[3])])
    (one,) = told(world, AlertKind.LATE_RECORDING)
    assert (one.severity, one.index, one.details["events"], one.details["hours"]) == (
        Severity.NOTICE, receipt.first, 2, 96,
    )  # fmt: skip
    assert (one.subject, one.since) == (None, world.clock.now)
    world.clock.advance(60_000)
    single = evolve(world.ship(world.packs[0]), event_time=at(world, minutes=-24 * 60) - 1_000_000)
    world.ledger.append([single])
    assert [a.subject for a in told(world, AlertKind.LATE_RECORDING)] == [None, world.packs[0]]


# ---- stock -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("custody", [Custody.SOLD, Custody.STORE])
def test_a_delivery_that_takes_too_long(world: World, custody: Custody) -> None:
    pack = world.bring(world.packs[0], custody)
    sold = world.clock.now - MINUTE
    assert told(world, AlertKind.DELIVERY_OVERDUE, now=sold + 7 * DAY) == []
    (one,) = told(world, AlertKind.DELIVERY_OVERDUE, now=sold + 7 * DAY + 1)
    assert (one.subject, one.since, one.details["days"]) == (pack, sold, 7)
    world.clock.advance(8 * DAY)
    world.keep(world.deliver(pack) if custody == Custody.SOLD else world.pickup(pack))
    assert told(world, AlertKind.DELIVERY_OVERDUE) == []


def test_a_delivery_counts_from_the_sale_also_by_way_of_a_store(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    sold = world.keep(world.sell(pack)).first
    world.clock.advance(5 * DAY)
    world.keep(world.transfer(pack))
    (one,) = told(world, AlertKind.DELIVERY_OVERDUE, now=world.clock.now + 3 * DAY)
    assert one.index == sold


def test_stock_that_nobody_counted(world: World) -> None:
    one, two = (world.bring(pack, Custody.BONDED) for pack in world.packs[:2])
    world.bring(world.packs[2], Custody.EXPORTED)
    stocked = world.clock.now
    world.clock.advance(20 * DAY)
    world.keep(world.stocktake(one, two))
    assert told(world, AlertKind.STOCK_UNCONFIRMED, now=stocked + 31 * DAY) == []
    (alert,) = told(world, AlertKind.STOCK_UNCONFIRMED, now=world.clock.now + 31 * DAY)
    assert (alert.subject, alert.details["reason"], packs_of(alert)) == (SHELF, "not counted", (one, two))
    assert alert.since == world.clock.now - MINUTE


def missed(world: World) -> list[tuple[str, ...]]:
    found = told(world, AlertKind.STOCK_UNCONFIRMED)
    assert {one.details["reason"] for one in found} <= {"missed"}
    return [packs_of(one) for one in found]


def test_stock_that_the_last_count_did_not_see(world: World) -> None:
    one, two, three = (world.bring(pack, Custody.BONDED) for pack in world.packs[:3])
    world.clock.advance(DAY)
    world.keep(world.stocktake(one, two, three))
    assert missed(world) == []
    world.clock.advance(2 * DAY)
    began = world.clock.now
    world.bring(world.packs[3], Custody.BONDED)
    world.keep(world.stocktake(one))
    world.keep(world.stocktake(two))
    world.bring(world.packs[4], Custody.BONDED)
    (alert,) = told(world, AlertKind.STOCK_UNCONFIRMED)
    assert packs_of(alert) == (three,), "what came on that day, before or after, is not looked for"
    assert (alert.subject, alert.details["reason"], alert.since) == (SHELF, "missed", began + MINUTE)
    # The count goes on for a day; what is found in the end was there.
    world.keep(world.stocktake(three))
    assert missed(world) == []


def test_a_count_of_a_part_says_nothing_of_the_rest(world: World) -> None:
    one, two, three, four = (world.bring(pack, Custody.BONDED) for pack in world.packs[:4])
    for counted in ((one, two), (three, four), (one,)):
        world.clock.advance(DAY)
        world.keep(world.stocktake(*counted))
        assert missed(world) == []
    world.clock.advance(DAY)
    world.keep(world.stocktake(one, two, three))
    assert missed(world) == [(four,)]
    world.keep(world.export(four))
    assert missed(world) == []


def test_what_was_seen_since_the_count_is_there(world: World) -> None:
    one, two, three = (world.bring(pack, Custody.BONDED) for pack in world.packs[:3])
    world.clock.advance(DAY)
    world.keep(world.stocktake(one, two))
    assert missed(world) == [(three,)]
    world.keep(world.conform(three))
    assert missed(world) == []


def test_the_count_of_a_place_is_one_of_its_parts(world: World) -> None:
    one, two, three = (world.bring(pack, Custody.BONDED) for pack in world.packs[:3])
    world.clock.advance(DAY)
    other = [world.bring(pack, Custody.BONDED) for pack in world.packs[3:6]]
    world.keep(evolve(world.stocktake(*other), read_point=OUTSIDE))
    assert missed(world) == [], "it was another place that was counted"
    world.keep(evolve(world.stocktake(one, two), read_point=ZONE))
    assert missed(world) == [(three,)]


def test_the_count_of_a_container_is_one_of_what_is_in_it(world: World) -> None:
    packs = [world.bring(pack, Custody.BONDED) for pack in world.packs[:3]]
    world.keep(packed(world, CASE, *packs[:2]), packed(world, PALLET, CASE))
    world.clock.advance(DAY)
    world.keep(world.stocktake(PALLET))
    assert missed(world) == [(packs[2],)]


def test_a_count_declared_an_error_confirms_nothing(world: World) -> None:
    world.bring(world.packs[0], Custody.BONDED)
    world.clock.advance(20 * DAY)
    count = world.stocktake(world.packs[0])
    world.keep(count)
    world.clock.advance(20 * DAY)
    assert told(world, AlertKind.STOCK_UNCONFIRMED) == []
    world.keep(world.undo(count))
    assert len(told(world, AlertKind.STOCK_UNCONFIRMED)) == 1


# ---- merchants and products ------------------------------------------------------------------------


@pytest.mark.parametrize("measure", [suspension(), stop("merchant", PHARMACY)])
def test_a_stopped_merchant_with_stock_or_orders(world: World, measure: Any) -> None:
    stopped = world.register(measure).first
    assert told(world, AlertKind.MERCHANT_TO_STOP) == []
    for pack, custody in zip(world.packs, (Custody.BONDED, Custody.ACTIVE), strict=False):
        world.bring(pack, custody)
    (one,) = told(world, AlertKind.MERCHANT_TO_STOP)
    assert (one.subject, one.index, one.details["stock"], one.details["orders"]) == (PHARMACY, stopped, 1, 0)
    assert one.severity == Severity.CRITICAL


def test_open_orders_of_a_stopped_pilot(world: World) -> None:
    world.bring(world.packs[0], Custody.RESERVED)
    world.bring(world.packs[1], Custody.SOLD)
    world.bring(world.packs[2], Custody.BONDED)
    world.register(stop("enterprise", PLATFORM))
    (one,) = told(world, AlertKind.MERCHANT_TO_STOP)
    assert (one.subject, one.details["stock"], one.details["orders"]) == (PLATFORM, 1, 2)


def test_who_offers_beyond_the_scope_is_to_be_stopped(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    listed = world.register(scope(NMPA_PRODUCT, edition="2")).first
    (goods,) = told(world, AlertKind.MERCHANT_TO_STOP)
    assert (goods.subject, goods.details["codes"], goods.details["stock"]) == (EYE_DROPS, ("SCOPE",), 1)
    offered = world.breaks(world.order(pack), V.SCOPE).first
    merchant, goods = sorted(told(world, AlertKind.MERCHANT_TO_STOP), key=lambda one: one.subject == EYE_DROPS)
    assert (merchant.subject, merchant.index, merchant.details["offered"]) == (PHARMACY, offered, (offered,))
    assert "S1 IV(3)1" in merchant.words
    world.register(scope(EYE_DROPS, NMPA_PRODUCT, edition="3"))
    assert [one.subject for one in told(world, AlertKind.MERCHANT_TO_STOP)] == [PHARMACY], "it did offer it"
    world.register(suspension())
    (one,) = told(world, AlertKind.MERCHANT_TO_STOP)
    assert "is stopped since" in one.words
    world.register(readmission())
    assert told(world, AlertKind.MERCHANT_TO_STOP) == [], "that was settled"
    assert listed < offered


def test_who_published_what_was_shielded_is_to_be_stopped(world: World) -> None:
    hidden = Shield(
        product=EYE_DROPS, version=0, authority="Group", reference="7", reason="Untrue", on=date(2026, 11, 21)
    )
    entry = world.ledger.append([hidden.record()]).first
    (one,) = told(world, AlertKind.MERCHANT_TO_STOP)
    assert (one.subject, one.index, one.details["shielded"]) == (PHARMACY, entry, (entry,))
    world.register(product(model="corrected"))
    assert told(world, AlertKind.MERCHANT_TO_STOP) == []


def test_a_barred_or_stopped_product_with_stock(world: World) -> None:
    world.bring(world.packs[0], Custody.BONDED)
    stopped = world.register(stop("product", EYE_DROPS)).first
    (one,) = told(world, AlertKind.MERCHANT_TO_STOP)
    assert (one.subject, one.index, one.details["codes"]) == (EYE_DROPS, stopped, ("SERVICE_STOPPED",))
    world.register(product(screening="narcotic"))
    (one,) = told(world, AlertKind.MERCHANT_TO_STOP)
    assert one.details["codes"] == ("PRODUCT_BARRED", "SERVICE_STOPPED")


def test_stock_of_a_product_that_nobody_registered(world: World) -> None:
    pack = world.bring("01/09521234002079/21/X1", Custody.BONDED)
    (one,) = told(world, AlertKind.MERCHANT_TO_STOP)
    assert (one.subject, one.index, one.details["codes"]) == (pack[:17], None, ("PRODUCT_UNREGISTERED",))


def test_what_is_overdue_is_an_alert(world: World) -> None:
    entry = world.register(evolve(enterprise(), verify_by=date(2026, 11, 10), platform=None)).first
    found = told(world, AlertKind.OVERDUE)
    assert [(one.subject, one.index, one.details["days"]) for one in found] == [
        (PLATFORM, entry, 11),
        (PLATFORM, entry, 0),
    ]
    assert found[0].since == midnight(date(2026, 11, 11))
    assert "11 days ago" in found[0].words


# ---- over any view ---------------------------------------------------------------------------------


def cut(view: View, size: int) -> MemoryView:
    """The log as it was when it had `size` entries; its index and memories are replayed."""
    return MemoryView(
        dict(view.headers(0, size)), dict(view.contents(0, size)), dict(view.all_rows(0, size)), view.checkpoint, size
    )


def test_without_contents_the_states_still_speak(world: World) -> None:
    bonded, sold = world.bring(world.packs[0], Custody.BONDED), world.bring(world.packs[1], Custody.SOLD)
    with world.ledger.snapshot() as view:
        pruned = MemoryView.of(view)
    for index, header in list(pruned.raw_headers.items()):
        if header[4] == 3:
            del pruned.raw_contents[index]
    found = alerts(pruned, midnight(EXPIRY + timedelta(days=1)), kinds=["EXPIRED", "DELIVERY_OVERDUE"])
    assert [one.details.get("packs", one.subject) for one in found] == [(bonded, sold), sold]
    assert found[1].since == world.clock.now - MINUTE, "when it was received"


def test_a_ledger_without_a_profile_has_what_needs_no_limit(tmp_path: Path) -> None:
    world = World(tmp_path, ())
    world.ledger.append([world.commission(world.packs[0])])
    assert told(world, now=world.clock.now + 3000 * DAY) == []
    world.ledger.append([enterprise().record(), Record("note", "x")])
    assert {one.kind for one in told(world, now=world.clock.now + 3000 * DAY)} == {AlertKind.OVERDUE}
    world.close()


STEPS = (
    "commission", "ship", "bond_in", "order", "pay", "clear", "sell", "transfer", "deliver", "pickup", "return_in",
    "release", "export", "hold", "destroy", "stocktake",
)  # fmt: skip


def any_event(world: World, data: st.DataObject, past: list[Event]) -> Event:
    packs = data.draw(st.lists(st.sampled_from(world.packs[:5]), min_size=1, max_size=3, unique=True))
    minutes = data.draw(st.sampled_from([0, 0, -30, 45, -3 * 24 * 60]))
    match data.draw(st.integers(0, 6)):
        case 0:
            return packed(world, CASE, *packs, action=data.draw(st.sampled_from(["ADD", "DELETE"])), minutes=minutes)
        case 1:
            things = data.draw(st.sampled_from([tuple(packs), (CASE,)]))
            return measured(world, things, minutes, data.draw(st.sampled_from(["5", "9", "-1"])), "70")
        case 2:
            return seen(world, packs[0], data.draw(st.sampled_from([ZONE, OUTSIDE, STORE])), at(world, minutes=minutes))
        case 3 if past:
            return world.undo(data.draw(st.sampled_from(past)))
        case _:
            event: Event = getattr(world, data.draw(st.sampled_from(STEPS)))(*packs)
            return evolve(event, event_time=at(world, minutes=minutes))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_alerts_are_the_same_over_any_view(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """From the live index, from a copy, from a replay; and as of a time, from the log as it was then."""
    world = World(tmp_path_factory.mktemp("alerts"))
    try:
        world.register(product(**RANGE))
        for pack in world.packs[:3]:
            world.bring(pack, data.draw(st.sampled_from(list(Custody))))
        past: list[Event] = []
        moments = [world.clock.now]
        for _ in range(data.draw(st.integers(1, 12))):
            event = any_event(world, data, past)
            world.ledger.append([event])
            if event.error_declaration is None:
                past.append(event)
            world.clock.advance(data.draw(st.sampled_from([0, MINUTE, DAY])))
            moments.append(world.clock.now)
        if data.draw(st.booleans()):
            world.register(data.draw(st.sampled_from([suspension(), stop("product", EYE_DROPS), scope(NMPA_PRODUCT)])))
        now = world.clock.now + data.draw(st.sampled_from([0, DAY, 40 * DAY, 700 * DAY]))
        with world.ledger.snapshot() as view:
            live = alerts(view, now)
            assert live == alerts(MemoryView.of(view), now) == alerts(cut(view, view.size), now)
            moment = data.draw(st.sampled_from(moments))
            size = sum(int.from_bytes(h[8:16], "big") <= moment for _, h in view.headers(0, view.size))
            assert alerts(view, now, as_of=moment) == alerts(cut(view, size), now)
    finally:
        world.close()


def test_the_buyer_is_in_no_alert(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.breaks(world.sell(pack), V.SECONDARY_SALE)
    for one in told(world, now=world.clock.now + 90 * DAY):
        assert BUYER.hex() not in json.dumps(one.mapping())
