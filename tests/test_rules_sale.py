"""The rules of codes and of the sale, one example for each violation, with its clause (domain.md sections 1 and 3).

S1 is the pilot's Implementation Plan; [practice] is what customs and the trade do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from pilot_world import (
    BUYER,
    EXPIRES,
    EYE_DROPS,
    LOT_NUMBER,
    NMPA_PRODUCT,
    OTHER_BUYER,
    PHARMACY,
    PLATFORM,
    REGISTERED,
    World,
    example,
    living,
    merchant,
    product,
    profile,
    readmission,
    resumption,
    scope,
    stop,
    suspension,
)
from tracechain.custody import Custody, Violation
from tracechain.errors import RefusedError
from tracechain.event import AggregationEvent, BizTransaction, Extension, ObjectEvent, SourceDest
from tracechain.event.sale import EXPIRY, LOT, MASTER_DATA
from tracechain.registers import Enterprise, Merchant, Product, Profile
from tracechain.rules import shanghai_day
from tracechain.testing.samples import case_id, pack_ids

V = Violation
UNREGISTERED = "01/09521234002079/21/X1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def test_a_sale_from_the_maker_to_the_buyer_breaks_nothing(world: World) -> None:
    for pack in (world.packs[0], world.packs[-1]):
        world.bring(pack, Custody.DELIVERED)
    assert world.state(world.packs[0]).expiry == date.fromisoformat(EXPIRES)


# ---- codes: S1 V -----------------------------------------------------------------------------------


@example("S1 V: illegal drugs kept out of circulation", V.UNKNOWN_CODE)
def test_s1_v_whatever_happens_to_a_code_that_nobody_commissioned_is_a_violation(world: World) -> None:
    pack = world.packs[0]
    sell = world.sell(pack)
    for event in (world.ship(pack), world.stocktake(pack), world.order(pack), world.hold(pack), world.destroy(pack)):
        world.breaks(event, V.UNKNOWN_CODE)
    world.breaks(sell, V.UNKNOWN_CODE)
    assert world.custody(pack) == Custody.NONE
    world.keep(world.commission(pack))


@example("S1 V: one object, one code", V.ALREADY_COMMISSIONED)
def test_s1_v_a_code_is_commissioned_once(world: World) -> None:
    for custody, pack in zip((Custody.ACTIVE, Custody.BONDED, Custody.SOLD, Custody.DEAD), world.packs, strict=False):
        world.bring(pack, custody)
        world.breaks(world.commission(pack), V.ALREADY_COMMISSIONED)


@example("S1 V: one object, one code", V.ALREADY_COMMISSIONED)
def test_s1_v_a_code_that_came_from_others_is_not_commissioned_again(world: World) -> None:
    old, new = world.packs[:2]
    world.bring(old, Custody.ACTIVE)
    world.keep(world.kit([old], [new]))
    assert (world.custody(old), world.custody(new)) == (Custody.DEAD, Custody.ACTIVE)
    world.breaks(world.commission(new), V.ALREADY_COMMISSIONED)
    other = world.bring(world.packs[2], Custody.ACTIVE)
    world.breaks(world.kit([other], [new]), of={new: [V.ALREADY_COMMISSIONED]})


@example("S1 VI, V: what is gone stays gone", V.DEAD_PACK)
def test_s1_vi_what_was_destroyed_is_not_seen_again(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.DEAD)
    for event in (world.stocktake(pack), world.ship(pack), world.sell(pack), world.destroy(pack), world.recall(pack)):
        world.breaks(event, V.DEAD_PACK)


@example("S1 VI; S2: what is under bond is not shipped about", V.CUSTODY)
def test_s1_vi_an_act_has_its_custody(world: World) -> None:
    active, transit, sold = (
        world.bring(pack, custody)
        for pack, custody in zip(world.packs, (Custody.ACTIVE, Custody.TRANSIT, Custody.SOLD), strict=False)
    )
    world.breaks(world.order(active), V.CUSTODY)
    world.breaks(world.clear(transit), V.CUSTODY)
    world.breaks(world.cancel(transit), V.CUSTODY)
    world.breaks(world.deliver(active), V.CUSTODY)
    world.breaks(world.return_in(active), V.CUSTODY)
    world.breaks(world.release(sold), V.CUSTODY)
    world.breaks(world.export(sold), V.CUSTODY)
    world.breaks(world.bond_in(sold), V.CUSTODY)


@example("S1 V; batch mismatch of the European system", V.LOT_MISMATCH)
def test_s1_v_a_label_shows_the_lot_of_the_commissioning(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)

    def labelled(lot: str) -> tuple[Extension, ...]:
        return (Extension(MASTER_DATA, LOT, lot),)

    world.keep(evolve(world.stocktake(pack), extensions=labelled(LOT_NUMBER)))
    world.breaks(evolve(world.stocktake(pack), extensions=labelled("LOT-A8")), V.LOT_MISMATCH)
    world.breaks(evolve(world.hold(pack), extensions=labelled("lot-a7")), V.LOT_MISMATCH)
    assert not world.state(pack).held
    silent = world.packs[1]
    world.keep(world.commission(silent, lot=None))
    world.keep(evolve(world.ship(silent), extensions=labelled("any")))


@example("S1 V; expiry mismatch of the European system", V.EXPIRY_MISMATCH)
def test_s1_v_a_label_shows_the_expiry_of_the_commissioning(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)

    def labelled(expiry: str) -> tuple[Extension, ...]:
        return (Extension(MASTER_DATA, EXPIRY, expiry),)

    world.keep(evolve(world.stocktake(pack), extensions=labelled(EXPIRES)))
    for wrong in ("2028-07-01", "2029-06-30", "never"):
        world.breaks(evolve(world.stocktake(pack), extensions=labelled(wrong)), V.EXPIRY_MISMATCH)
    both = (*labelled("2027-01-01"), Extension(MASTER_DATA, LOT, "LOT-B"))
    world.breaks(evolve(world.stocktake(pack), extensions=both), V.LOT_MISMATCH, V.EXPIRY_MISMATCH)
    silent = world.packs[1]
    world.keep(world.commission(silent, expiry=None))
    world.keep(evolve(world.ship(silent), extensions=labelled("2020-01-01")))


# ---- order: S1 IV ----------------------------------------------------------------------------------


@example("S1 IV(1): to individual consumers only", V.NON_CONSUMER)
def test_s1_iv_1_only_a_natural_person_orders(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.breaks(world.order(pack, buyer=None), V.NON_CONSUMER)
    company = (SourceDest("owning_party", "urn:example:company"),)
    world.breaks(evolve(world.order(pack), destinations=company), V.NON_CONSUMER)
    world.keep(evolve(world.order(pack), destinations=(SourceDest("location", "urn:example:home"),)))


@example("S1 IV(3)1, VIII(4)3: only products of the designated scope", V.SCOPE)
def test_s1_iv_3_1_a_product_outside_the_scope_is_neither_ordered_nor_sold(world: World) -> None:
    pack, cleared = world.packs[:2]
    world.bring(pack, Custody.BONDED)
    world.bring(cleared, Custody.CLEARED)
    world.register(scope(NMPA_PRODUCT, edition="2"))
    world.breaks(world.order(pack), V.SCOPE)
    world.breaks(world.sell(cleared), V.SCOPE)
    world.register(scope(EYE_DROPS, edition="3"))
    world.keep(world.order(pack), world.sell(cleared))


def test_s1_iv_3_1_an_edition_holds_from_its_day_on(world: World) -> None:
    """Recorded ahead of its day, it leaves the former edition in force until then."""
    pack, other = (world.bring(one, Custody.BONDED) for one in world.packs[:2])
    tomorrow = shanghai_day(world.now) + timedelta(days=1)
    world.register(evolve(scope(NMPA_PRODUCT, edition="2"), valid_from=tomorrow))
    world.keep(world.order(pack))
    world.later(days=1)
    world.breaks(world.order(other), V.SCOPE)


@example("S1 IV(3)1: only products of the designated scope", V.SCOPE)
def test_s1_iv_3_1_a_product_names_a_list_that_there_is(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.register(product(scope="shanghai"))
    world.breaks(world.order(pack), V.SCOPE)


@example("S1 IV(3): service for a merchant stops at once", V.MERCHANT_SUSPENDED)
def test_s1_iv_3_a_suspended_merchant_sells_nothing(world: World) -> None:
    pack, cleared = world.packs[:2]
    world.bring(pack, Custody.BONDED)
    world.bring(cleared, Custody.CLEARED)
    world.register(suspension())
    world.breaks(world.order(pack), V.MERCHANT_SUSPENDED)
    world.breaks(world.sell(cleared), V.MERCHANT_SUSPENDED)
    world.keep(world.hold(pack), world.release(pack))
    world.register(readmission())
    world.keep(world.order(pack), world.sell(cleared))


@example("S1 IV(2), VIII(4)1: merchants are admitted only on conditions", V.MERCHANT_SUSPENDED)
def test_s1_viii_4_1_a_merchant_that_was_never_admitted_sells_nothing(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.register(product(merchant="urn:example:unknown"))
    world.breaks(world.order(pack), V.MERCHANT_SUSPENDED)
    world.register(merchant("urn:example:unknown"))
    world.keep(world.order(pack))


@example("S1 VII: a registration file for each product", V.PRODUCT_UNREGISTERED)
def test_s1_vii_a_product_without_a_file_is_not_ordered(world: World) -> None:
    world.bring(UNREGISTERED, Custody.BONDED)
    world.breaks(world.order(UNREGISTERED), V.PRODUCT_UNREGISTERED)
    world.register(profile(products_registered=False))
    world.keep(world.order(UNREGISTERED))


@example("S1 VIII(4)2: narcotic and other screened drugs are barred", V.PRODUCT_BARRED)
@pytest.mark.parametrize("kind", ["narcotic", "psychotropic", "toxic", "radioactive", "rehabilitation", "precursor"])
def test_s1_viii_4_2_a_screened_product_is_not_ordered(world: World, kind: str) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.register(product(screening=kind))
    world.breaks(world.order(pack), V.PRODUCT_BARRED)
    world.register(product())
    world.keep(world.order(pack))


@example("S1 VIII(3), VIII(4): service is discontinued on order", V.SERVICE_STOPPED)
@pytest.mark.parametrize(
    ("kind", "target"),
    [(Merchant.KIND, PHARMACY), (Product.KIND, EYE_DROPS), (Enterprise.KIND, PLATFORM)],
    ids=["merchant", "product", "enterprise"],
)
def test_s1_viii_4_nothing_is_ordered_or_sold_after_a_stop_order(world: World, kind: str, target: str) -> None:
    pack, cleared = world.packs[:2]
    world.bring(pack, Custody.BONDED)
    world.bring(cleared, Custody.CLEARED)
    world.register(stop(kind, target))
    world.breaks(world.order(pack), V.SERVICE_STOPPED)
    world.breaks(world.sell(cleared), V.SERVICE_STOPPED)
    world.register(resumption(kind, target))
    world.keep(world.order(pack), world.sell(cleared))


@example("S1 III, IV(1): the platform itself may not sell", V.PLATFORM_SELLS)
def test_s1_iii_the_platform_is_no_seller(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    own = (SourceDest("owning_party", PLATFORM),)
    world.breaks(evolve(world.sell(pack), sources=own), V.PLATFORM_SELLS)
    world.breaks(evolve(world.sell_part(pack), sources=own), V.PLATFORM_SELLS)
    world.keep(world.sell(pack))


@example("S1 IV(3): service for a merchant stops at once", V.MERCHANT_SUSPENDED)
@example("S1 VIII(4): service is discontinued on order", V.SERVICE_STOPPED)
def test_s1_iv_3_who_sells_is_a_settled_merchant_that_may(world: World) -> None:
    """Whoever's product it is: the seller is looked at too, and so is every further one."""
    pack, other = (world.bring(pack, Custody.CLEARED) for pack in world.packs[:2])
    second = "urn:example:second"

    def by(*sellers: str) -> ObjectEvent:
        return evolve(world.sell(pack), sources=tuple(SourceDest("owning_party", who) for who in sellers))

    world.breaks(by(second), V.MERCHANT_SUSPENDED)
    world.breaks(by(PHARMACY, second, PLATFORM), V.MERCHANT_SUSPENDED, V.PLATFORM_SELLS)
    world.register(merchant(second), suspension(second))
    world.breaks(by(PHARMACY, second), V.MERCHANT_SUSPENDED)
    world.register(readmission(second), stop(Merchant.KIND, second))
    world.breaks(by(second), V.SERVICE_STOPPED)
    world.register(resumption(Merchant.KIND, second))
    world.keep(by(second), world.sell(other))


@example("S1 VIII(4); S4 Part 2: nor is it sent to a store unsold, or sold on in parts", V.SERVICE_STOPPED)
def test_s1_viii_4_a_stop_order_holds_for_stores_and_for_the_next_part(world: World) -> None:
    cleared, sold, stored = (
        world.bring(pack, custody)
        for pack, custody in zip(world.packs, (Custody.CLEARED, Custody.SOLD, Custody.STORE), strict=False)
    )
    world.register(stop(Product.KIND, EYE_DROPS))
    world.breaks(world.transfer(cleared), V.SERVICE_STOPPED)
    world.breaks(world.sell_part(sold), V.SERVICE_STOPPED)
    world.keep(world.transfer(sold), world.pickup(sold), world.pickup(stored))  # what was sold reaches its buyer
    world.breaks(world.sell_part(sold), V.SERVICE_STOPPED)


def test_a_sale_that_ends_the_code_is_a_sale_all_the_same(world: World) -> None:
    pack, other = world.packs[:2]
    world.bring(pack, Custody.BONDED)
    world.breaks(evolve(world.sell(pack), action="DELETE"), V.SOLD_BEFORE_CLEARANCE)
    world.bring(other, Custody.CLEARED)
    world.keep(evolve(world.sell(other), action="DELETE"), evolve(world.deliver(other), action="DELETE"))
    assert world.custody(other) == Custody.DELIVERED


# ---- documents and limits: S2, [practice] ----------------------------------------------------------


@example("S2 [practice]: order, payment and logistics agree", V.THREE_DOC)
def test_s2_a_payment_agrees_with_its_order(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RESERVED, po="7")
    for wrong in (
        world.pay(pack, po="8"),
        world.pay(pack, po="7", buyer=OTHER_BUYER),
        world.pay(pack, po="7", buyer=None),
        world.pay(pack, po="7", yuan="299.99"),
        world.pay(pack, po="7", yuan=None),
        world.order(pack, po="7"),
    ):
        world.breaks(wrong, V.THREE_DOC)
    world.breaks(world.clear(pack, po="7"), V.THREE_DOC)
    assert not world.state(pack).paid
    world.keep(world.pay(pack, po="7", yuan="300.00"))
    assert world.state(pack).paid


@example("S2 [practice]: order, payment and logistics agree", V.THREE_DOC)
def test_s2_a_clearance_agrees_with_order_and_carriage(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RESERVED, po="7")
    world.keep(world.pay(pack, po="7"))
    clear = world.clear(pack, po="7")
    world.breaks(world.clear(pack, po="8"), V.THREE_DOC)
    world.breaks(evolve(clear, person=OTHER_BUYER), V.THREE_DOC)
    for kind in ("po", "bol"):
        without = tuple(one for one in clear.biz_transactions if one.type != kind)
        world.breaks(evolve(clear, biz_transactions=without), V.THREE_DOC)
    advice = (BizTransaction("po", "urn:example:po:7"), BizTransaction("desadv", "urn:example:advice:7"))
    world.keep(evolve(clear, biz_transactions=advice, person=BUYER))


@example("S2 [practice]: order, payment and logistics agree", V.THREE_DOC)
def test_s2_an_order_that_states_no_amount_cannot_be_paid(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(world.order(pack, yuan=None))
    world.breaks(world.pay(pack, yuan=None), V.THREE_DOC)
    world.breaks(world.pay(pack), V.THREE_DOC)


@example("[practice]: at most 5,000 yuan an order", V.LIMIT)
def test_practice_an_order_has_a_limit(world: World) -> None:
    at, over = world.packs[:2]
    for pack, yuan in ((at, "5000"), (over, "5000.01")):
        world.bring(pack, Custody.BONDED)
        world.keep(world.order(pack, po=yuan, yuan=yuan), world.pay(pack, po=yuan, yuan=yuan))
    world.keep(world.clear(at, po="5000"))
    world.breaks(world.clear(over, po="5000.01"), V.LIMIT)
    world.register(profile(order_limit=Decimal("5000.01")))
    world.keep(world.clear(over, po="5000.01"))


def ordered(world: World, pack: str, yuan: str, buyer: bytes = BUYER) -> str:
    """A pack that its buyer ordered and paid; its order is named after it."""
    world.bring(pack, Custody.BONDED)
    world.keep(
        world.order(pack, po=pack[-2:], yuan=yuan, buyer=buyer), world.pay(pack, po=pack[-2:], yuan=yuan, buyer=buyer)
    )
    return pack


@example("[practice]: at most 26,000 yuan a person and year", V.LIMIT)
def test_practice_a_person_has_a_limit_a_year(world: World) -> None:
    packs = [ordered(world, pack, "4400") for pack in world.packs[:5]]
    last = ordered(world, world.packs[5], "4000")
    world.keep(*(world.clear(pack, po=pack[-2:]) for pack in packs))
    world.keep(world.clear(last, po=last[-2:]))  # 26,000 exactly
    more = ordered(world, world.packs[6], "0.01")
    world.breaks(world.clear(more, po=more[-2:]), V.LIMIT)
    neighbour = ordered(world, world.packs[7], "4000", OTHER_BUYER)
    world.keep(world.clear(neighbour, po=neighbour[-2:]))
    world.later(days=60)  # another year has begun in Beijing: the order stays in the account of the old one
    world.breaks(world.clear(more, po=more[-2:]), V.LIMIT)
    anew = ordered(world, world.packs[8], "0.01")
    world.keep(world.clear(anew, po=anew[-2:]))
    world.keep(world.cancel(more, po=more[-2:], yuan="0.01"))


def test_practice_what_is_cancelled_or_taken_back_comes_off_the_account_of_its_order(world: World) -> None:
    """By what the order says, each pack its share: not by what the cancellation says, and in the year of the order."""
    three = world.packs[:3]
    for pack in three:
        world.bring(pack, Custody.BONDED)
    world.keep(order := world.order(*three, yuan="100"))
    world.keep(world.cancel(three[0], yuan="26000"))
    assert spent(world) == Decimal("66.67")
    world.later(days=60)
    world.keep(world.cancel(three[1], yuan=None, buyer=None))
    assert (spent(world), spent(world, 2027)) == (Decimal("33.34"), Decimal(0))
    world.keep(world.order(*three[:2], po="2", yuan="100"))
    assert (spent(world), spent(world, 2027)) == (Decimal("33.34"), Decimal(100))
    world.keep(world.cancel(*three[:2], po="2", yuan="100"))
    assert (spent(world), spent(world, 2027)) == (Decimal("33.34"), Decimal(0))
    world.breaks(world.undo(evolve(order, epcs=three[2:])), V.UNDO_LATE)
    world.keep(world.cancel(three[2]))
    assert spent(world) == 0


@pytest.mark.parametrize("yuan", ["-300", "0", "0.001", "1000000000000000"])
def test_practice_an_amount_that_can_be_none_makes_no_room(world: World, yuan: str) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(world.order(pack, yuan=yuan))
    assert spent(world) == 0
    world.breaks(world.pay(pack, yuan=yuan), V.THREE_DOC)


def spent(world: World, year: int = 2026, buyer: bytes = BUYER) -> Decimal:
    with world.ledger.snapshot() as view:
        return view.spent(buyer, year)


def test_practice_an_order_counts_once_for_all_its_packs_and_not_once_it_is_cancelled(world: World) -> None:
    two = world.packs[:2]
    for pack in two:
        world.bring(pack, Custody.BONDED)
    world.keep(world.order(*two, yuan="900.50"))
    assert spent(world) == Decimal("900.5")
    assert spent(world, 2027) == spent(world, buyer=OTHER_BUYER) == 0
    world.keep(world.pay(*two, yuan="900.50"), world.cancel(*two, yuan="900.50"))
    assert spent(world) == 0
    assert {world.custody(pack) for pack in two} == {Custody.BONDED}


# ---- sale: S1 III, V, VI ---------------------------------------------------------------------------


@example("S1 III(1)3; S2: nothing is sold before it is cleared", V.SOLD_BEFORE_CLEARANCE)
def test_s1_iii_what_is_sold_was_cleared(world: World) -> None:
    before = (Custody.ACTIVE, Custody.TRANSIT, Custody.BONDED, Custody.RESERVED, Custody.RETURNED, Custody.REWORK)
    for custody, pack in zip(before, world.packs, strict=False):
        world.bring(pack, custody)
        world.breaks(world.sell(pack), V.SOLD_BEFORE_CLEARANCE)
        world.breaks(world.sell_part(pack), V.SOLD_BEFORE_CLEARANCE)


@example("S1 V: a code that is sold twice", V.SECONDARY_SALE)
def test_s1_v_a_code_is_sold_once(world: World) -> None:
    for custody, pack in zip((Custody.SOLD, Custody.DELIVERED), world.packs, strict=False):
        world.bring(pack, custody)
        world.breaks(world.sell(pack), V.SECONDARY_SALE)


def test_s1_v_a_pack_may_be_sold_in_parts(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.keep(world.sell_part(pack), world.sell_part(pack), world.deliver_part(pack), world.deliver_part(pack))
    world.keep(world.sell_part(pack))
    assert world.custody(pack) == Custody.DELIVERED
    world.breaks(world.sell(pack), V.SECONDARY_SALE)


@example("S1 VI: automatic lock after expiry", V.EXPIRED_LOCK)
def test_s1_vi_what_expired_is_locked(world: World) -> None:
    bonded, reserved, cleared, sold, returned, exported, lost = world.packs[:7]
    soon = "2026-11-30"

    def new(pack: str, *events: str) -> None:
        world.keep(
            world.commission(pack, expiry=soon),
            world.bond_in(pack),
            *(getattr(world, name)(pack) for name in events),
        )

    new(bonded)
    new(reserved, "order", "pay")
    new(cleared, "order", "pay", "clear")
    new(sold, "order", "pay", "clear", "sell")
    new(returned, "order", "pay", "clear", "sell", "deliver", "return_in", "conform")
    new(exported)
    new(lost)
    world.later(days=9)  # the last day: 30 November in Beijing
    assert not world.state(cleared).expired(date(2026, 11, 30))
    world.keep(world.order(bonded, po="2"), world.cancel(bonded, po="2"))
    world.later(days=1)
    world.breaks(world.order(bonded), V.EXPIRED_LOCK)
    world.breaks(world.clear(reserved), V.EXPIRED_LOCK)
    world.breaks(world.sell(cleared), V.EXPIRED_LOCK)
    world.breaks(world.sell_part(cleared), V.EXPIRED_LOCK)
    world.breaks(world.transfer(sold), V.EXPIRED_LOCK)
    world.breaks(world.deliver(sold), V.EXPIRED_LOCK)
    world.breaks(world.deliver_part(sold), V.EXPIRED_LOCK)
    world.breaks(world.release(returned), V.EXPIRED_LOCK)
    world.keep(world.stocktake(bonded), world.cancel(reserved), world.return_in(sold))
    world.keep(world.export(exported), world.destroy(lost), world.destroy(bonded))
    assert {world.custody(lost), world.custody(bonded)} == {Custody.DEAD}


def test_s1_vi_a_day_ends_in_beijing(world: World) -> None:
    pack = world.packs[0]
    world.keep(world.commission(pack, expiry="2026-11-21"), world.bond_in(pack))
    world.clock.advance(15 * 3_600_000)  # 15:06 UTC: 23:06 of the 21st in Beijing
    world.keep(world.order(pack))
    world.clock.advance(3_600_000)
    world.breaks(world.pay(pack), V.EXPIRED_LOCK)


@example("S1 IV(3), VIII(2): held stock is not sold", V.HELD)
@example("S1 V, III(1)5: recall", V.RECALLED)
@example("S1 V: kept out of circulation", V.STOLEN)
@pytest.mark.parametrize(
    ("flag", "code"), [("hold", V.HELD), ("recall", V.RECALLED), ("steal", V.STOLEN)], ids=["hold", "recall", "steal"]
)
def test_s1_v_nothing_goes_to_a_buyer_that_is_held_recalled_or_stolen(world: World, flag: str, code: V) -> None:
    acts = {
        Custody.BONDED: ["order"], Custody.RESERVED: ["pay", "clear"], Custody.CLEARED: ["sell", "sell_part"],
        Custody.SOLD: ["transfer", "deliver", "deliver_part"], Custody.STORE: ["pickup"],
    }  # fmt: skip
    for (custody, names), pack in zip(acts.items(), world.packs, strict=False):
        world.bring(pack, custody, po="1")
        if custody == Custody.RESERVED:
            world.keep(world.pay(pack))
        world.keep(getattr(world, flag)(pack))
        for name in names:
            world.breaks(getattr(world, name)(pack), code)
        if flag == "hold":
            world.keep(world.release(pack))
            assert world.custody(pack) == custody
            world.keep(getattr(world, names[-1])(pack))
        else:
            world.keep(world.destroy(pack))
    world.caused |= {V.HELD, V.RECALLED, V.STOLEN}  # of which each run causes its own


# ---- several at once -------------------------------------------------------------------------------


def test_all_that_is_wrong_is_said_at_once(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(world.hold(pack), world.recall(pack), world.steal(pack))
    world.register(product(screening="toxic"), suspension(), scope(NMPA_PRODUCT, edition="2"))
    world.register(stop(Product.KIND, EYE_DROPS))
    codes = (V.HELD, V.RECALLED, V.STOLEN, V.PRODUCT_BARRED, V.MERCHANT_SUSPENDED, V.SCOPE, V.SERVICE_STOPPED)
    world.breaks(world.order(pack, buyer=None), *codes, V.NON_CONSUMER)
    own = (SourceDest("owning_party", PLATFORM),)
    sell = evolve(world.sell(pack), sources=own, read_point="urn:example:nowhere")
    world.breaks(sell, *codes, V.SOLD_BEFORE_CLEARANCE, V.PLATFORM_SELLS, V.PLACE_UNREGISTERED)


def test_each_pack_of_an_event_is_judged_by_itself(world: World) -> None:
    cleared, sold, dead, never = world.packs[0], world.packs[1], world.packs[2], world.packs[3]
    for pack, custody in ((cleared, Custody.CLEARED), (sold, Custody.SOLD), (dead, Custody.DEAD)):
        world.bring(pack, custody)
    world.breaks(
        world.sell(cleared, sold, dead, never),
        of={sold: [V.SECONDARY_SALE], dead: [V.DEAD_PACK], never: [V.UNKNOWN_CODE]},
    )
    assert world.custody(cleared) == Custody.SOLD, "the one that is in order is sold"


def test_a_strict_batch_is_judged_event_by_event_as_it_would_be_sealed(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(world.order(pack), world.pay(pack), world.clear(pack), world.sell(pack), world.deliver(pack))
    with world.ledger.snapshot() as view:
        size = view.size
    with pytest.raises(RefusedError) as refused:
        world.ledger.append(
            [world.return_in(pack), world.release(pack), world.conform(pack), world.release(pack), world.sell(pack)],
            strict=True,
        )
    said = [(v.index, v.code) for v in refused.value.violations]  # type: ignore[attr-defined]  # Violated
    assert said == [(1, V.UNVERIFIED_RETURN), (4, V.SOLD_BEFORE_CLEARANCE)]
    with world.ledger.snapshot() as view:
        assert view.size == size


def test_what_is_no_pack_has_no_custody(world: World) -> None:
    packs, case = pack_ids(3, start=500), case_id(1)
    for pack in packs:
        world.bring(pack, Custody.TRANSIT)
    box = AggregationEvent(
        event_time=world.now, time_zone_offset=480, action="ADD", parent=case, epcs=packs, biz_step="packing"
    )
    world.keep(box, world.bond_in(case), world.sell(case))
    world.breaks(evolve(box, epcs=(*packs, world.packs[0])), of={world.packs[0]: [V.UNKNOWN_CODE]})
    world.keep(world.destroy(case))
    world.breaks(world.stocktake(case), of={case: [V.DEAD_PACK]})


def test_without_a_profile_no_rule_of_the_pilot_holds(tmp_path: Path) -> None:
    registered = [one for one in REGISTERED if not isinstance(one, Profile)]
    world = World(tmp_path, registered)
    pack = world.packs[0]
    world.keep(world.sell(pack), world.sell(pack), world.stocktake(pack))
    world.register(profile())
    world.breaks(world.sell(pack), V.SOLD_BEFORE_CLEARANCE)
    assert world.custody(pack) == Custody.ACTIVE
    world.agrees()
    world.close()
