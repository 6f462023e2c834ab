"""The rules of places, carriers and handing over, one example for each violation, with its clause.

S1 is the pilot's Implementation Plan, S2 and S4 the other sources (domain.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from attrs import evolve

from pilot_world import (
    BUYER,
    CITY,
    KIOSK,
    LAX,
    NOWHERE,
    OTHER_BUYER,
    OUTSIDE,
    PHARMACY,
    PLANT,
    PLATFORM,
    SF,
    SHELF,
    STORE,
    UNCONFIRMED,
    ZONE,
    World,
    carrier,
    example,
    living,
    place,
    profile,
)
from tracechain.custody import Custody, Violation
from tracechain.event import SourceDest

V = Violation


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


# ---- bonded zones: R12 -----------------------------------------------------------------------------


@example("S2; S1 III(1): 1210 stock lies in a listed zone that customs confirmed", V.ZONE)
def test_s2_stock_is_booked_in_where_customs_confirmed_the_zone(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.TRANSIT)
    for where in (PLANT, OUTSIDE, STORE, NOWHERE, UNCONFIRMED, f"{NOWHERE}/254/17"):
        world.breaks(world.bond_in(pack, where=where), V.ZONE)
    world.breaks(evolve(world.bond_in(pack), read_point=None), V.ZONE)
    world.keep(evolve(world.bond_in(pack), read_point=None, biz_location=SHELF))
    other = world.bring(world.packs[1], Custody.ACTIVE)
    world.keep(evolve(world.bond_in(other), read_point="geo:40.1,116.6", biz_location=ZONE))


@example("S2: after customs confirmed it", V.ZONE)
def test_s2_a_zone_counts_from_the_day_of_its_confirmation_to_that_of_its_end(world: World) -> None:
    first, second, third = world.packs[:3]
    for pack in (first, second, third):
        world.bring(pack, Custody.TRANSIT)
    zone = {"zone": "Daxing", "area": 500, "managers": 3}
    today = date(2026, 11, 21)
    world.register(place(UNCONFIRMED, "zone-warehouse", confirmed_on=date(2026, 11, 22), **zone))
    world.breaks(world.bond_in(first, where=UNCONFIRMED), V.ZONE)
    world.register(place(UNCONFIRMED, "zone-warehouse", confirmed_on=today, closed_on=date(2026, 11, 22), **zone))
    world.keep(world.bond_in(first, where=UNCONFIRMED))
    world.register(place(UNCONFIRMED, "zone-warehouse", confirmed_on=today, closed_on=today, **zone))
    world.breaks(world.bond_in(second, where=UNCONFIRMED), V.ZONE)
    world.register(place(UNCONFIRMED, "zone-warehouse", **zone))
    world.breaks(world.bond_in(third, where=UNCONFIRMED), V.ZONE)


# ---- offline pickup: R12, R13 ----------------------------------------------------------------------


@example("S2; S4 Part 2: bonded and offline pickup", V.OFFLINE_PICKUP_UNLICENSED)
@pytest.mark.parametrize("custody", [Custody.BONDED, Custody.RESERVED, Custody.CLEARED])
def test_s2_what_is_bonded_is_not_handed_over(world: World, custody: Custody) -> None:
    pack = world.bring(world.packs[0], custody)
    for event in (world.pickup(pack), world.deliver(pack), world.deliver_part(pack)):
        world.breaks(event, V.OFFLINE_PICKUP_UNLICENSED)


@example("S4 Part 2: transfer to licensed stores only", V.OFFLINE_PICKUP_UNLICENSED)
@pytest.mark.parametrize("custody", [Custody.CLEARED, Custody.SOLD, Custody.STORE])
def test_s4_packs_go_to_licensed_stores_only(world: World, custody: Custody) -> None:
    pack = world.bring(world.packs[0], custody)
    for store in (KIOSK, OUTSIDE, CITY, NOWHERE):
        world.breaks(world.transfer(pack, store=store), V.OFFLINE_PICKUP_UNLICENSED)
    world.breaks(evolve(world.transfer(pack), destinations=()), V.OFFLINE_PICKUP_UNLICENSED)
    to_owner = (SourceDest("owning_party", STORE),)
    world.breaks(evolve(world.transfer(pack), destinations=to_owner), V.OFFLINE_PICKUP_UNLICENSED)
    world.keep(evolve(world.transfer(pack), destinations=(SourceDest("possessing_party", STORE),)))
    world.keep(world.transfer(pack))
    assert world.custody(pack) == Custody.STORE


@example("S4 Part 2: pickup at a licensed store", V.OFFLINE_PICKUP_UNLICENSED)
def test_s4_packs_are_picked_up_at_licensed_stores_only(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.STORE)
    at_kiosk = world.pickup(pack, store=KIOSK)
    world.breaks(at_kiosk, V.OFFLINE_PICKUP_UNLICENSED)
    world.breaks(evolve(at_kiosk, disposition="partially_dispensed"), V.OFFLINE_PICKUP_UNLICENSED)
    world.register(place(STORE, "store", licence="S-1", licensed_until=date(2026, 11, 20)))
    world.breaks(world.pickup(pack), V.OFFLINE_PICKUP_UNLICENSED)
    world.breaks(world.transfer(pack), V.OFFLINE_PICKUP_UNLICENSED)
    world.register(place(STORE, "store", licence="S-1", licensed_until=date(2026, 11, 21)))
    world.keep(world.transfer(pack), world.pickup(pack))


def test_s4_inside_a_special_control_area_a_store_needs_no_licence_of_its_own(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.register(place(KIOSK, "store", zone="Special control area"))
    world.keep(world.transfer(pack, store=KIOSK), world.pickup(pack, store=KIOSK))
    assert world.custody(pack) == Custody.DELIVERED


# ---- the buyer -------------------------------------------------------------------------------------


@example("S1 IV(1); S4 Part 2: the same buyer", V.WRONG_BUYER)
@pytest.mark.parametrize("custody", [Custody.SOLD, Custody.STORE])
def test_s1_iv_1_who_ordered_a_pack_takes_it(world: World, custody: Custody) -> None:
    pack = world.bring(world.packs[0], custody)
    for event in (world.deliver(pack, buyer=OTHER_BUYER), world.pickup(pack, buyer=OTHER_BUYER)):
        world.breaks(event, V.WRONG_BUYER)
        world.breaks(evolve(event, disposition="partially_dispensed"), V.WRONG_BUYER)
    world.keep(world.pickup(pack, buyer=BUYER))


@example("S1 IV(1): the same buyer, of the last order", V.WRONG_BUYER)
def test_s1_iv_1_a_later_order_has_a_buyer_of_its_own(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RESERVED, po="1")
    world.keep(
        world.cancel(pack),
        world.order(pack, po="2", buyer=OTHER_BUYER),
        world.pay(pack, po="2", buyer=OTHER_BUYER),
        world.clear(pack, po="2"),
        world.sell(pack),
    )
    world.breaks(world.deliver(pack, buyer=BUYER), V.WRONG_BUYER)
    world.keep(world.deliver(pack, buyer=OTHER_BUYER))


def test_a_delivery_that_does_not_say_to_whom_is_no_wrong_one(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.keep(world.deliver(pack, buyer=None))


# ---- places and carriers: S1 V, VI -----------------------------------------------------------------


@example("S1 V, VI: what happens here happens at a registered place", V.PLACE_UNREGISTERED)
def test_s1_vi_places_are_registered(world: World) -> None:
    by_custody = {
        Custody.RESERVED: ["clear"], Custody.CLEARED: ["sell", "sell_part"],
        Custody.SOLD: ["deliver", "deliver_part", "pickup", "return_in"], Custody.RETURNED: ["release"],
        Custody.EXPORTED: ["export_return"],
    }  # fmt: skip
    for (custody, names), pack in zip(by_custody.items(), world.packs, strict=False):
        world.bring(pack, custody, po="1")
        if custody == Custody.RESERVED:
            world.keep(world.pay(pack))
        if custody == Custody.RETURNED:
            world.keep(world.conform(pack))
        for name in names:
            event = getattr(world, name)(pack)
            world.breaks(evolve(event, read_point=NOWHERE), V.PLACE_UNREGISTERED)
            world.breaks(evolve(event, read_point=None, biz_location=NOWHERE), V.PLACE_UNREGISTERED)
        for where in ("geo:40.1,116.6", None):
            world.ledger.append([evolve(world.stocktake(pack), read_point=where)], strict=True)
        world.keep(evolve(getattr(world, names[-1])(pack), read_point="geo:40.1,116.6"))


@example("S1 V, VI: a place that was closed", V.PLACE_UNREGISTERED)
def test_s1_vi_nothing_happens_at_a_place_that_was_closed(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.register(place(CITY, "delivery-area", closed_on=date(2026, 11, 21)))
    world.breaks(world.deliver(pack), V.PLACE_UNREGISTERED)
    world.register(place(CITY, "delivery-area", closed_on=date(2026, 11, 22)))
    world.keep(world.deliver(pack))


def test_a_profile_may_leave_places_out(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.register(profile(places_registered=False))
    world.keep(evolve(world.deliver(pack), read_point=NOWHERE))


@example("S1 VI: carriers are assessed", V.CARRIER_UNASSESSED)
def test_s1_vi_only_an_assessed_carrier_carries(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    for who in (LAX, "urn:example:carrier:unknown"):
        world.breaks(world.transfer(pack, by=who), V.CARRIER_UNASSESSED)
    world.register(carrier(SF, until=date(2026, 11, 20)))
    world.breaks(world.transfer(pack), V.CARRIER_UNASSESSED)
    world.register(carrier(SF, until=date(2026, 11, 21)))
    world.keep(world.transfer(pack))
    for who in (LAX, "urn:example:carrier:unknown"):
        world.breaks(world.deliver(pack, by=who), V.CARRIER_UNASSESSED)
        world.breaks(evolve(world.deliver(pack, by=who), disposition="partially_dispensed"), V.CARRIER_UNASSESSED)
    world.keep(world.deliver(pack))


@pytest.mark.parametrize("who", [PHARMACY, PLATFORM, ZONE, SHELF])
def test_whoever_is_registered_otherwise_is_no_entrusted_carrier(world: World, who: str) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.keep(world.deliver(pack, by=who))


# ---- several at once -------------------------------------------------------------------------------


def test_all_that_is_wrong_with_a_handover_is_said(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.STORE)
    world.keep(world.hold(pack))
    event = evolve(world.pickup(pack, store=KIOSK, buyer=OTHER_BUYER), sources=(SourceDest("possessing_party", LAX),))
    world.breaks(event, V.HELD, V.OFFLINE_PICKUP_UNLICENSED, V.WRONG_BUYER, V.CARRIER_UNASSESSED)


def test_what_nobody_knows_was_not_carried_by_anybody(world: World) -> None:
    """An unknown code, or a pack abroad, breaks no rule of stores and carriers beside."""
    pack = world.packs[0]
    world.breaks(world.transfer(pack, by=LAX, store=KIOSK), V.UNKNOWN_CODE)
    world.keep(world.commission(pack), world.transfer(pack, by=LAX, store=KIOSK))
    assert world.custody(pack) == Custody.TRANSIT
