"""Ways around the rules: the same said otherwise, split, left out, or with numbers that nobody pays."""

from __future__ import annotations

import decimal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from pilot_world import BUYER, KIOSK, LAX, OTHER_BUYER, PHARMACY, PLATFORM, SF, STORE, World, living
from tracechain import encoding
from tracechain.custody import Custody, Violation
from tracechain.errors import DecodeError
from tracechain.event import BizTransaction, Event, Extension, SourceDest

V = Violation


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def spent(world: World, person: bytes = BUYER, year: int = 2026) -> Decimal:
    with world.ledger.snapshot() as view:
        return view.spent(person, year)


# ---- documents, amounts, accounts ------------------------------------------------------------------


def without_purchase_order(event: Event) -> Event:
    documents = tuple(BizTransaction("inv" if t.type == "po" else t.type, t.id) for t in event.biz_transactions)
    return evolve(event, biz_transactions=documents)


def test_documents_that_nobody_names_are_not_in_common(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(without_purchase_order(world.order(pack)))
    world.breaks(without_purchase_order(world.pay(pack)), V.THREE_DOC)
    world.breaks(without_purchase_order(world.clear(pack)), V.THREE_DOC)


def test_packs_that_are_cancelled_one_by_one_come_to_their_order_and_no_more(world: World) -> None:
    packs = world.packs[:3]
    for pack in packs:
        world.bring(pack, Custody.BONDED)
    world.keep(world.order(*packs, yuan="100"))
    for pack in packs:
        world.keep(world.cancel(pack, yuan="100"))
    assert spent(world) == 0


def test_an_order_that_is_undone_pack_by_pack_comes_off_once(world: World) -> None:
    one, other = (world.bring(pack, Custody.BONDED) for pack in world.packs[:2])
    order = world.order(one, other, yuan="100.01")
    world.keep(order)
    world.keep(world.undo(evolve(order, epcs=(one,))))
    assert spent(world) == Decimal("50.01")
    world.keep(world.undo(evolve(order, epcs=(other,))))
    assert spent(world) == 0


def test_a_cancellation_that_is_undone_in_part_puts_a_part_back(world: World) -> None:
    one, other = (world.bring(pack, Custody.BONDED) for pack in world.packs[:2])
    world.keep(world.order(one, other, yuan="100"))
    cancellation = world.cancel(one, other, yuan="100")
    world.keep(cancellation)
    world.keep(world.undo(evolve(cancellation, epcs=(one,))))
    assert spent(world) == 50


def test_a_cancellation_by_somebody_else_comes_off_the_account_of_the_buyer(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.keep(world.order(pack))
    world.keep(world.cancel(pack, buyer=OTHER_BUYER))
    assert spent(world) == spent(world, OTHER_BUYER) == 0


def test_an_account_does_not_depend_on_how_the_caller_reckons(world: World) -> None:
    """The rules add in a context of their own; else a replay elsewhere would come to another sum."""
    one, other = (world.bring(pack, Custody.BONDED) for pack in world.packs[:2])
    with decimal.localcontext() as context:
        context.prec = 3
        context.traps[decimal.Inexact] = True
        world.keep(world.order(one, yuan="1234.56"), world.order(other, po="2", yuan="1.11"))
        assert spent(world) == Decimal("1235.67")
        world.keep(world.cancel(one))
        world.agrees()
    assert spent(world) == Decimal("1.11")


def test_the_year_of_an_order_is_that_of_its_receipt_in_beijing(world: World) -> None:
    """Waiting for the new year with the clearance makes no room; an order in the new year is of the new account."""
    packs = [world.bring(pack, Custody.BONDED) for pack in world.packs[:7]]
    for number, pack in enumerate(packs[:6]):
        world.keep(world.order(pack, po=str(number), yuan="5000"), world.pay(pack, po=str(number), yuan="5000"))
    for _ in range(3):
        world.later(days=15)
        world.keep(world.stocktake(packs[0]))
    assert spent(world) == 30_000
    world.breaks(world.clear(packs[0], po="0"), V.LIMIT)
    world.keep(world.order(packs[6], po="6", yuan="5000"), world.pay(packs[6], po="6", yuan="5000"))
    world.keep(world.clear(packs[6], po="6"))
    assert spent(world, year=2027) == 5000
    world.keep(world.cancel(packs[0], po="0", yuan="5000"))
    assert (spent(world), spent(world, year=2027)) == (Decimal(25_000), Decimal(5000))
    world.keep(world.clear(packs[1], po="1"))


def test_a_glimpse_of_damaged_bytes_is_an_error_that_says_so() -> None:
    for content in (b"\x01", b"\x91\x03", encoding.pack((3, 1) + (None,) * 9 + ((1,),)), b"\xc1"):
        with pytest.raises(DecodeError):
            encoding.glimpse(content)


# ---- parties -----------------------------------------------------------------------------------------


def parties(kind: str, *names: str) -> tuple[SourceDest, ...]:
    return tuple(SourceDest(kind, name) for name in names)


def test_the_platform_does_not_hide_behind_another_seller(world: World) -> None:
    assert PHARMACY < PLATFORM, "of several sources the first by name used to be the only one that was looked at"
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.breaks(evolve(world.sell(pack), sources=parties("owning_party", PHARMACY, PLATFORM)), V.PLATFORM_SELLS)


def test_a_carrier_does_not_hide_behind_another(world: World) -> None:
    assert SF < LAX
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.breaks(evolve(world.deliver(pack), sources=parties("possessing_party", SF, LAX)), V.CARRIER_UNASSESSED)


def test_a_store_does_not_hide_behind_another(world: World) -> None:
    assert STORE < KIOSK
    pack = world.bring(world.packs[0], Custody.SOLD)
    both = evolve(world.transfer(pack), destinations=parties("location", STORE, KIOSK))
    world.breaks(both, V.OFFLINE_PICKUP_UNLICENSED)


# ---- labels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("namespace", ["urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda", "https://gs1.org/voc/"])
def test_what_a_label_says_is_read_in_every_spelling_of_its_namespace(world: World, namespace: str) -> None:
    """As the master data of a commissioning are: an event from elsewhere may use any."""
    pack = world.bring(world.packs[0], Custody.SOLD)

    def labelled(name: str, value: str) -> Event:
        return evolve(world.stocktake(pack), extensions=(Extension(namespace, name, value),))

    world.keep(labelled("lotNumber", "LOT-A7"), labelled("itemExpirationDate", "2028-06-30"))
    world.breaks(labelled("lotNumber", "LOT-B"), V.LOT_MISMATCH)
    world.breaks(labelled("itemExpirationDate", "2029-06-30"), V.EXPIRY_MISMATCH)


# ---- terms -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [30, 45])
def test_a_term_ends_to_the_nanosecond(world: World, days: int) -> None:
    pack = world.bring(world.packs[0], Custody.DELIVERED)
    delivered = world.deliver(pack).event_time - 60_000_000_000
    event = world.apply_return(pack) if days == 30 else world.return_in(pack)
    end = delivered + days * 86_400_000_000_000
    world.breaks(evolve(event, event_time=end + 1), V.RETURN_LATE)
    world.keep(evolve(event, event_time=end))
