"""The rules of taking back, one example for each violation: EU 2016/161 art. 13, as the European system does it.

Within ten days, by the same actor, at the same place; not expired, recalled, stolen or supplied; and what is taken back
is the last thing that happened to the pack, stated as it was stated.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pilot_world import BUYER, CITY, OTHER_BUYER, STORE, World, example, living, profile
from tracechain.custody import Custody, Violation
from tracechain.record import Record
from tracechain.testing.samples import case_id

V = Violation


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path, station=True)


def spent(world: World, year: int = 2026) -> Decimal:
    with world.ledger.snapshot() as view:
        return view.spent(BUYER, year)


@pytest.mark.parametrize(
    ("custody", "act"),
    [
        (Custody.NONE, "commission"),
        (Custody.ACTIVE, "ship"),
        (Custody.TRANSIT, "bond_in"),
        (Custody.BONDED, "order"),
        (Custody.BONDED, "export"),
        (Custody.BONDED, "repair"),
        (Custody.RESERVED, "pay"),
        (Custody.RESERVED, "cancel"),
        (Custody.CLEARED, "sell"),
        (Custody.CLEARED, "transfer"),
        (Custody.SOLD, "return_in"),
        (Custody.SOLD, "hold"),
        (Custody.RETURNED, "conform"),
        (Custody.BONDED, "destroy"),
    ],
)
def test_an_act_that_was_an_error_is_taken_back(world: World, custody: Custody, act: str) -> None:
    pack = world.bring(world.packs[0], custody, po="1")
    before = world.state(pack)
    event = getattr(world, act)(pack)
    world.keep(event)
    assert world.state(pack) != before
    world.later(days=9)
    world.keep(world.undo(event))
    assert world.state(pack) == before
    world.keep(getattr(world, act)(pack))


def test_what_did_nothing_may_be_declared_an_error_at_any_time(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    stocktake, second = world.stocktake(pack), world.sell(pack)
    world.keep(stocktake)
    world.breaks(second, V.SECONDARY_SALE)
    world.later(days=11)
    world.keep(world.undo(second))
    world.keep(world.undo(stocktake))
    assert world.custody(pack) == Custody.SOLD


# ---- what is taken back ----------------------------------------------------------------------------


@example("EU 2016/161 art. 13; EMVS: undo mismatch", V.UNDO_MISMATCH)
def test_art_13_only_the_last_act_is_taken_back(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    order = world.order(pack)
    world.keep(order)
    world.keep(pay := world.pay(pack))
    world.breaks(world.undo(order), V.UNDO_MISMATCH)
    world.keep(world.stocktake(pack))
    world.breaks(world.undo(pay), V.UNDO_MISMATCH)


@example("EU 2016/161 art. 13: stated as it was stated", V.UNDO_MISMATCH)
def test_art_13_what_is_taken_back_is_what_was_stated(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(order := world.order(pack))
    for other in (
        evolve(order, event_time=order.event_time + 1),
        evolve(order, biz_step="accepting"),
        evolve(order, person=OTHER_BUYER),
        evolve(order, person=None),
        evolve(order, extensions=()),
        evolve(order, extensions=world.order(pack, yuan="3000").extensions),
        evolve(order, biz_transactions=world.order(pack, po="8").biz_transactions),
        world.hold(pack),
    ):
        if other.biz_step == "accepting":  # an event that changes nothing
            world.ledger.append([world.undo(other)], strict=False)
        else:
            world.breaks(world.undo(other), V.UNDO_MISMATCH)
    assert world.custody(pack) == Custody.RESERVED
    assert spent(world) == 300


@example("EMVS: undo mismatch, of what nobody knows", V.UNDO_MISMATCH)
def test_art_13_nothing_can_be_taken_back_of_an_unknown_code(world: World) -> None:
    pack = world.packs[0]
    world.breaks(world.undo(world.sell(pack)), V.UNDO_MISMATCH)
    assert world.custody(pack) == Custody.NONE


@example("EU 2016/161 art. 13: once", V.UNDO_MISMATCH)
def test_art_13_what_was_taken_back_is_not_taken_back_again(world: World) -> None:
    """Or the second report of one error would do again what the first took back: sell the pack, or order it."""
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(order := world.order(pack))
    world.keep(world.undo(order))
    world.breaks(world.undo(order), V.UNDO_MISMATCH)
    assert world.custody(pack) == Custody.BONDED
    assert spent(world) == 0


@example("EMVS: undo mismatch, after one that failed", V.UNDO_MISMATCH, V.UNDO_PLACE)
def test_art_13_an_attempt_that_failed_is_the_last_thing_that_happened(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.keep(sell := world.sell(pack))
    world.breaks(evolve(world.undo(sell), read_point=CITY), V.UNDO_PLACE)
    world.breaks(world.undo(sell), V.UNDO_MISMATCH)
    assert world.custody(pack) == Custody.SOLD


def test_a_note_about_a_pack_is_no_act_to_take_back(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(order := world.order(pack))
    world.ledger.append([Record("note", "the seal is scratched", pack)])
    world.breaks(world.undo(order), V.UNDO_MISMATCH)
    world.keep(world.undo(world.stocktake(pack)))


def test_what_was_stated_before_the_pilot_is_taken_back_too(tmp_path: Path) -> None:
    world = World(tmp_path, ())
    pack = world.packs[0]
    world.keep(commission := world.commission(pack))
    world.register(profile(places_registered=False, products_registered=False))
    world.keep(world.undo(commission))
    assert world.custody(pack) == Custody.NONE
    world.agrees()
    world.close()


# ---- when, who, where ------------------------------------------------------------------------------


@example("EU 2016/161 art. 13: within ten days", V.UNDO_LATE)
def test_art_13_an_act_is_taken_back_within_ten_days(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    sell = world.sell(pack)
    world.keep(sell)
    world.clock.advance(-60_000)
    world.later(days=10)
    world.clock.advance(1)
    world.breaks(world.undo(sell), V.UNDO_LATE)


def test_art_13_the_tenth_day_is_within(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    sell = world.sell(pack)
    world.keep(sell)
    world.clock.advance(-60_000)
    world.later(days=10)
    world.keep(world.undo(sell))


@example("EU 2016/161 art. 13: the same actor", V.UNDO_ACTOR)
def test_art_13_who_did_it_takes_it_back(world: World) -> None:
    mine, theirs = world.packs[:2]
    for pack in (mine, theirs):
        world.bring(pack, Custody.CLEARED)
    world.keep(sell := world.sell(mine))
    world.submit(sold := world.sell(theirs))
    world.breaks(world.undo(sell), V.UNDO_ACTOR, station=True)
    world.breaks(world.undo(sold), V.UNDO_ACTOR)
    assert {world.custody(pack) for pack in (mine, theirs)} == {Custody.SOLD}


def test_art_13_a_station_takes_back_what_it_did(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.submit(sell := world.sell(pack))
    world.submit(world.undo(sell))
    assert world.custody(pack) == Custody.CLEARED


@example("EU 2016/161 art. 13: the same premises", V.UNDO_PLACE)
def test_art_13_an_act_is_taken_back_where_it_was_done(world: World) -> None:
    elsewhere: list[dict[str, Any]] = [{"read_point": CITY}, {"read_point": None}, {"biz_location": STORE}]
    for pack, changes in zip(world.packs, elsewhere, strict=False):
        world.bring(pack, Custody.CLEARED)
        world.keep(sell := world.sell(pack))
        world.breaks(evolve(world.undo(sell), **changes), V.UNDO_PLACE)


# ---- not any more ----------------------------------------------------------------------------------


@example("EU 2016/161 art. 13: not expired", V.UNDO_EXPIRED)
def test_art_13_nothing_is_taken_back_of_what_expired(world: World) -> None:
    first, last = world.packs[:2]
    for pack in (first, last):
        world.keep(world.commission(pack, expiry="2026-11-22"))
    world.keep(one := world.ship(first))
    world.keep(other := world.ship(last))
    world.later(days=1)  # the last day
    world.keep(world.undo(other))
    world.later(days=1)
    world.breaks(world.undo(one), V.UNDO_EXPIRED)


@example("EU 2016/161 art. 13: not recalled", V.UNDO_RECALLED)
def test_art_13_nothing_is_taken_back_of_what_is_recalled(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.ACTIVE)
    world.keep(recall := world.recall(pack))
    world.breaks(world.undo(recall), V.UNDO_RECALLED)
    world.keep(ship := world.ship(pack))
    world.breaks(world.undo(ship), V.UNDO_RECALLED)


@example("EU 2016/161 art. 13: not stolen", V.UNDO_STOLEN)
def test_art_13_nothing_is_taken_back_of_what_is_stolen(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.ACTIVE)
    world.keep(steal := world.steal(pack))
    world.breaks(world.undo(steal), V.UNDO_STOLEN)
    world.keep(ship := world.ship(pack))
    world.breaks(world.undo(ship), V.UNDO_STOLEN)


@example("EU 2016/161 art. 13: not supplied", V.UNDO_SUPPLIED)
def test_art_13_nothing_is_taken_back_of_what_was_supplied(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.keep(deliver := world.deliver(pack))
    world.breaks(world.undo(deliver), V.UNDO_SUPPLIED)


# ---- several ---------------------------------------------------------------------------------------


def test_all_that_stands_against_it_is_said(world: World) -> None:
    pack = world.packs[0]
    world.keep(world.commission(pack, expiry="2026-11-23"), world.recall(pack), world.steal(pack))
    world.keep(ship := world.ship(pack))
    world.later(days=11)
    codes = (V.UNDO_LATE, V.UNDO_ACTOR, V.UNDO_PLACE, V.UNDO_EXPIRED, V.UNDO_RECALLED, V.UNDO_STOLEN)
    world.breaks(evolve(world.undo(ship), read_point=CITY), *codes, station=True)
    handed = world.bring(world.packs[1], Custody.SOLD)
    world.keep(deliver := world.deliver(handed))
    world.later(days=11)
    world.breaks(evolve(world.undo(deliver), read_point=STORE), V.UNDO_LATE, V.UNDO_PLACE, V.UNDO_SUPPLIED)


def test_each_pack_is_taken_back_by_itself(world: World) -> None:
    first, second, case = *world.packs[:2], case_id(1)
    for pack in (first, second):
        world.bring(pack, Custody.BONDED)
    both = evolve(world.order(first, second), parent=case)
    world.keep(both)
    world.keep(world.pay(second))
    world.breaks(world.undo(both), of={second: [V.UNDO_MISMATCH]})
    assert (world.custody(first), world.custody(second)) == (Custody.BONDED, Custody.RESERVED)


def test_a_relabelling_is_taken_back_for_both_codes(world: World) -> None:
    old, new = world.packs[:2]
    world.bring(old, Custody.RETURNED)
    before = world.state(old)
    world.keep(relabel := world.relabel([old], [new]))
    world.keep(world.undo(relabel))
    assert (world.state(old), world.custody(new)) == (before, Custody.NONE)
    world.breaks(world.stocktake(new), V.UNKNOWN_CODE)
    world.keep(world.relabel([old], [new]))


# ---- what the buyer spent --------------------------------------------------------------------------


def test_an_order_that_is_taken_back_is_not_spent(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(order := world.order(pack))
    assert spent(world) == 300
    world.keep(world.undo(order))
    assert spent(world) == 0


def test_a_cancellation_that_is_taken_back_is_spent_again(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RESERVED, po="1")
    world.keep(cancel := world.cancel(pack))
    assert spent(world) == 0
    world.keep(world.undo(cancel))
    assert world.custody(pack) == Custody.RESERVED
    assert spent(world) == 300


def test_an_undo_later_in_its_life_is_no_refund(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RESERVED, po="1")
    world.keep(pay := world.pay(pack))
    world.keep(world.undo(pay))
    world.keep(world.pay(pack))
    world.keep(clear := world.clear(pack))
    world.keep(world.undo(clear))
    assert spent(world) == 300
