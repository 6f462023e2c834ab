"""The rules of returns and of work under bond, one example for each violation, with its clause.

S0 and S3 are the sources of domain.md, [practice] what customs and the trade do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from pilot_world import EXPIRES, World, example, living
from tracechain.custody import Custody, Violation
from tracechain.event import BizTransaction, Extension
from tracechain.event.sale import LOT, MASTER_DATA
from tracechain.testing.samples import pack_ids

V = Violation


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


# ---- import returns: X3 ----------------------------------------------------------------------------


def test_s3_what_comes_back_in_order_is_sold_again(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.DELIVERED)
    world.later(days=29)
    world.keep(world.apply_return(pack))
    world.later(days=14)
    world.keep(world.return_in(pack), world.conform(pack))
    assert world.state(pack).conformant
    world.keep(world.release(pack))
    assert world.custody(pack) == Custody.BONDED
    assert not world.state(pack).conformant
    world.bring(world.packs[1], Custody.BONDED)
    world.keep(world.order(pack, po="2"), world.pay(pack, po="2"), world.clear(pack, po="2"), world.sell(pack))


@example("S3 [practice]: applied for within 30 days", V.RETURN_LATE)
@pytest.mark.parametrize("custody", [Custody.SOLD, Custody.STORE, Custody.DELIVERED])
def test_practice_a_return_is_applied_for_within_thirty_days(world: World, custody: Custody) -> None:
    pack = world.packs[0]
    world.keep(*(make(world, pack) for make in world.way(custody, "1")))  # all at this moment
    world.clock.advance(-60_000)
    world.later(days=30)
    world.keep(world.apply_return(pack))
    world.breaks(world.apply_return(pack), V.RETURN_LATE)
    world.keep(world.return_in(pack))


@example("S3 [practice]: arrived within 45 days", V.RETURN_LATE)
@pytest.mark.parametrize("custody", [Custody.SOLD, Custody.STORE, Custody.DELIVERED])
def test_practice_a_return_arrives_within_forty_five_days(world: World, custody: Custody) -> None:
    pack, other = world.packs[:2]
    world.keep(*(make(world, pack) for make in world.way(custody, "1")))
    world.clock.advance(-60_000)
    world.keep(*(make(world, other) for make in world.way(custody, "2")))
    world.clock.advance(-60_000)
    world.later(days=45)
    world.keep(world.return_in(pack))
    world.breaks(world.return_in(other), V.RETURN_LATE)


def test_practice_the_term_of_a_return_begins_with_the_delivery(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.later(days=40)
    world.keep(world.deliver(pack))
    world.later(days=29)
    world.keep(world.apply_return(pack), world.return_in(pack))


@example("S3: only what was sold comes back", V.CUSTODY)
def test_s3_only_what_was_sold_comes_back(world: World) -> None:
    for custody, pack in zip((Custody.BONDED, Custody.CLEARED, Custody.RETURNED), world.packs, strict=False):
        world.bring(pack, custody)
        world.breaks(world.return_in(pack), V.CUSTODY)
        world.breaks(world.apply_return(pack), V.CUSTODY)


@example("S3: inspected before it is released", V.UNVERIFIED_RETURN)
def test_s3_a_return_is_inspected_before_it_is_released(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RETURNED)
    world.breaks(world.release(pack), V.UNVERIFIED_RETURN)
    world.keep(world.conform(pack), world.reject(pack))
    world.breaks(world.release(pack), V.UNVERIFIED_RETURN)
    world.keep(world.conform(pack), world.release(pack))


def test_s3_an_inspection_before_the_return_does_not_count(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.DELIVERED)
    world.keep(world.conform(pack), world.return_in(pack))
    world.breaks(world.release(pack), V.UNVERIFIED_RETURN)


def test_s3_a_held_return_is_released_from_its_hold_first(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RETURNED)
    world.keep(world.hold(pack), world.conform(pack), world.release(pack))
    assert world.custody(pack) == Custody.RETURNED
    world.keep(world.release(pack))
    assert world.custody(pack) == Custody.BONDED


@example("S3; S1 V: what is recalled is not released", V.RECALLED, V.STOLEN, V.UNVERIFIED_RETURN)
def test_s3_a_return_is_released_without_any_flag(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RETURNED)
    world.keep(world.recall(pack), world.steal(pack))
    world.breaks(world.release(pack), V.RECALLED, V.STOLEN, V.UNVERIFIED_RETURN)
    world.keep(world.conform(pack))
    world.breaks(world.release(pack), V.RECALLED, V.STOLEN)
    world.keep(world.destroy(pack))


# ---- export returns: X1 ----------------------------------------------------------------------------


@example("S0: export returns within one year", V.EXPORT_RETURN_LATE)
def test_s0_exported_goods_come_back_within_a_year(world: World) -> None:
    pack, other, third = world.packs[:3]
    for one in (pack, other, third):
        world.bring(one, Custody.BONDED)
    world.keep(world.export(pack, other, third))
    world.clock.advance(-60_000)
    world.later(days=365)
    world.keep(world.export_return(pack))
    assert world.custody(pack) == Custody.RETURNED
    world.breaks(world.export_return(other, third), V.EXPORT_RETURN_LATE)
    world.breaks(world.return_in(other), V.EXPORT_RETURN_LATE)
    assert world.custody(other) == Custody.EXPORTED


def test_s0_exports_come_back_singly_or_in_batches_and_leave_again(world: World) -> None:
    packs = world.packs[:3]
    for one in packs:
        world.bring(one, Custody.BONDED)
    world.keep(world.export(*packs), world.export_return(*packs[:1]), world.export_return(*packs[1:]))
    world.keep(world.repair(*packs), world.export(*packs))
    assert {world.custody(pack) for pack in packs} == {Custody.EXPORTED}


@example("S0: original goods", V.NOT_ORIGINAL)
def test_s0_only_original_goods_come_back_from_abroad(world: World) -> None:
    for custody, pack in zip((Custody.BONDED, Custody.SOLD, Custody.DEAD), world.packs, strict=False):
        world.bring(pack, custody)
        world.breaks(world.export_return(pack), V.NOT_ORIGINAL)
    world.breaks(world.export_return(world.packs[4]), V.NOT_ORIGINAL, V.UNKNOWN_CODE)


@example("S0; S3: only bonded stock is exported", V.CUSTODY)
def test_s0_only_bonded_stock_is_exported(world: World) -> None:
    for custody, pack in zip((Custody.ACTIVE, Custody.CLEARED, Custody.RETURNED), world.packs, strict=False):
        world.bring(pack, custody)
        world.breaks(world.export(pack), V.CUSTODY)


# ---- work under bond: X2 ---------------------------------------------------------------------------


@example("S0: repair and relabelling under bond", V.NOT_UNDER_BOND)
@pytest.mark.parametrize("custody", [Custody.ACTIVE, Custody.CLEARED, Custody.SOLD, Custody.EXPORTED])
def test_s0_only_what_is_under_bond_is_worked_on(world: World, custody: Custody) -> None:
    old, new = world.packs[:2]
    world.bring(old, custody)
    world.breaks(world.repair(old), V.NOT_UNDER_BOND)
    world.breaks(world.relabel([old], [new]), V.NOT_UNDER_BOND)
    assert world.custody(new) == Custody.NONE


@example("S0: relabelling under bond", V.NOT_UNDER_BOND)
def test_s0_a_new_code_on_goods_that_nobody_knows_is_a_violation(world: World) -> None:
    old, new, dead = world.packs[:3]
    world.breaks(world.relabel([old], [new]), of={old: [V.UNKNOWN_CODE], new: [V.NOT_UNDER_BOND]})
    world.bring(dead, Custody.DEAD)
    world.breaks(world.relabel([dead], [new]), of={dead: [V.DEAD_PACK], new: [V.NOT_UNDER_BOND]})


def test_s0_a_new_label_may_say_what_was_not_known(world: World) -> None:
    """Nobody stated the expiry of the old code: the label that does contradicts nothing."""
    old, new = world.packs[:2]
    world.keep(world.commission(old, lot=None, expiry=None), world.bond_in(old), world.relabel([old], [new]))
    assert str(world.state(new).expiry) == EXPIRES


@example("S0: goods under bond do not go into others abroad", V.NOT_UNDER_BOND)
def test_s0_bonded_goods_are_not_made_into_others_as_if_abroad(world: World) -> None:
    old, new = world.packs[:2]
    world.bring(old, Custody.BONDED)
    world.breaks(world.kit([old], [new]), V.NOT_UNDER_BOND)


@pytest.mark.parametrize("custody", [Custody.BONDED, Custody.RETURNED, Custody.REWORK])
def test_s0_relabelling_ends_the_old_code_and_begins_the_new_one(world: World, custody: Custody) -> None:
    old, new = world.packs[:2]
    world.bring(old, custody)
    world.keep(world.relabel([old], [new]))
    assert (world.custody(old), world.custody(new)) == (Custody.DEAD, Custody.REWORK)
    assert str(world.state(new).expiry) == EXPIRES
    world.breaks(world.stocktake(old), V.DEAD_PACK)
    world.keep(world.bond_in(new), world.order(new, po="9"))


@example("S0: a new label says the same", V.EXPIRY_MISMATCH)
def test_s0_a_new_label_does_not_prolong_the_goods(world: World) -> None:
    new = world.packs[9]
    for expiry, old in zip(("2029-06-30", "2028-06-29", None), world.packs, strict=False):
        world.bring(old, Custody.BONDED)
        world.breaks(world.relabel([old], [new], expiry=expiry), of={new: [V.EXPIRY_MISMATCH]})
        assert (world.custody(old), world.custody(new)) == (Custody.DEAD, Custody.NONE)
    last = world.bring(world.packs[3], Custody.BONDED)
    world.keep(world.relabel([last], [new]))


@example("S0: a new label says the same", V.LOT_MISMATCH)
def test_s0_a_new_label_has_the_same_lot(world: World) -> None:
    first, second, new, newer = world.packs[:4]
    world.bring(first, Custody.BONDED)
    world.bring(second, Custody.BONDED)
    world.breaks(world.relabel([first], [new], lot="LOT-B"), of={new: [V.LOT_MISMATCH]})
    world.keep(world.relabel([second], [newer], lot=None))
    wrong = (Extension(MASTER_DATA, LOT, "LOT-B"),)
    world.breaks(evolve(world.stocktake(newer), extensions=wrong), V.LOT_MISMATCH)


def test_s0_repaired_goods_are_bonded_again(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RETURNED)
    world.keep(world.repair(pack), world.bond_in(pack))
    assert world.custody(pack) == Custody.BONDED


# ---- several at once -------------------------------------------------------------------------------


def test_all_that_is_wrong_with_a_return_is_said(world: World) -> None:
    pack, other = pack_ids(2, start=700)
    world.bring(pack, Custody.EXPORTED)
    world.bring(other, Custody.DELIVERED)
    world.later(days=366)
    wrong = (Extension(MASTER_DATA, LOT, "LOT-B"),)
    nowhere = "urn:example:nowhere"
    event = evolve(world.export_return(pack), read_point=nowhere, extensions=wrong)
    world.breaks(event, V.EXPORT_RETURN_LATE, V.PLACE_UNREGISTERED, V.LOT_MISMATCH)
    event = evolve(world.return_in(other), read_point=nowhere, extensions=wrong)
    world.breaks(event, V.RETURN_LATE, V.PLACE_UNREGISTERED, V.LOT_MISMATCH)
    rma = (BizTransaction("rma", "urn:example:rma:1"),)
    assert world.apply_return(other).biz_transactions == rma
