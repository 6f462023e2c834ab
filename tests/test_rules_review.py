"""Ways around the rules: the same said otherwise, split, left out, or with numbers that nobody pays."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from forging import agree, copy, forge, replaced
from pilot_world import (
    BUYER,
    EYE_DROPS,
    KIOSK,
    LAX,
    NMPA_PRODUCT,
    OTHER_BUYER,
    PHARMACY,
    PLATFORM,
    SF,
    STORE,
    World,
    living,
    merchant,
    readmission,
    resumption,
    stop,
    suspension,
)
from tracechain import encoding
from tracechain.custody import PILOT, PLAIN, Act, Custody, Violation
from tracechain.entry import SALT_SIZE, Row, decode_rows, encode_rows
from tracechain.errors import DataError, DecodeError
from tracechain.event import BizTransaction, Event, Extension, Quantity, SourceDest
from tracechain.ledger import past
from tracechain.replay import MemoryView
from tracechain.rules import judge, shanghai_year
from tracechain.store.tables import SPENT, key_of, spent_key
from tracechain.testing.samples import pack_ids
from tracechain.verification import Code, verify, verify_rules

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


# ---- who sells, and what is sold on --------------------------------------------------------------------


OTHER_MERCHANT = "urn:example:other-merchant"


def sold_by(world: World, pack: str, *names: str) -> Event:
    return evolve(world.sell(pack), sources=parties("owning_party", *names))


def test_a_suspended_merchant_does_not_sell_the_product_of_another(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.breaks(sold_by(world, pack, OTHER_MERCHANT), V.MERCHANT_SUSPENDED)
    world.register(merchant(OTHER_MERCHANT))
    one, other = (world.bring(pack, Custody.CLEARED) for pack in world.packs[1:3])
    world.keep(sold_by(world, one, OTHER_MERCHANT))
    world.register(suspension(OTHER_MERCHANT))
    world.breaks(sold_by(world, other, OTHER_MERCHANT), V.MERCHANT_SUSPENDED)
    world.breaks(sold_by(world, other, PHARMACY, OTHER_MERCHANT), V.MERCHANT_SUSPENDED)
    world.register(readmission(OTHER_MERCHANT), stop("merchant", OTHER_MERCHANT))
    world.breaks(sold_by(world, other, OTHER_MERCHANT), V.SERVICE_STOPPED)
    world.keep(sold_by(world, other, PHARMACY))


def test_a_stop_holds_for_the_next_part_of_a_pack_and_for_what_goes_to_a_store(world: World) -> None:
    part, unsold, sold = world.packs[:3]
    for pack, custody in ((part, Custody.CLEARED), (unsold, Custody.CLEARED), (sold, Custody.SOLD)):
        world.bring(pack, custody)
    world.keep(world.sell_part(part))
    world.register(stop("product", EYE_DROPS))
    world.breaks(world.sell_part(part), V.SERVICE_STOPPED)
    world.breaks(world.transfer(unsold), V.SERVICE_STOPPED)
    world.keep(world.transfer(sold))
    world.register(resumption("product", EYE_DROPS))
    world.keep(world.sell_part(part), world.transfer(unsold))


# ---- the same said otherwise ---------------------------------------------------------------------------


def test_a_sale_that_deletes_its_code_is_a_sale(world: World) -> None:
    """Some state so that the code is done with. What is deleted otherwise just ends."""
    new, cleared = world.bring(world.packs[0], Custody.ACTIVE), world.bring(world.packs[1], Custody.CLEARED)
    world.breaks(evolve(world.sell(new), action="DELETE"), V.SOLD_BEFORE_CLEARANCE)
    world.keep(evolve(world.sell_part(cleared), action="DELETE"), evolve(world.sell_part(cleared), action="DELETE"))
    assert world.custody(cleared) == Custody.SOLD
    world.breaks(evolve(world.deliver(cleared, buyer=OTHER_BUYER), action="DELETE"), V.WRONG_BUYER)
    world.keep(evolve(world.deliver(cleared), action="DELETE"))
    assert world.custody(cleared) == Custody.DELIVERED
    world.keep(evolve(world.deliver_part(cleared), action="DELETE"))


@pytest.mark.parametrize(
    "spelling",
    [
        "urn:epc:id:sgtin:9521234.000107.{}",
        "https://id.gs1.org/01/09521234001072/21/{}",
        "http://x/01/09521234001072/21/{}",
    ],
)
def test_a_pack_in_another_spelling_is_a_pack_that_nobody_knows(world: World, spelling: str) -> None:
    """No reader of files leaves a code so; whoever states his own events could sell a known pack unseen."""
    pack = world.bring(world.packs[0], Custody.SOLD)
    alias = spelling.format(pack.rpartition("/")[2])
    world.breaks(world.sell(alias), V.UNKNOWN_CODE)
    world.breaks(world.stocktake(alias), V.UNKNOWN_CODE)
    world.bring(alias, Custody.BONDED)
    world.breaks(world.order(alias), V.PRODUCT_UNREGISTERED)


# ---- new codes -----------------------------------------------------------------------------------------


def test_a_new_label_needs_an_old_pack(world: World) -> None:
    """Codes from nowhere would lie under bond; one pack does not become two."""
    old, other = (world.bring(pack, Custody.BONDED) for pack in world.packs[:2])
    new, newer = world.packs[2:4]
    relabel = world.relabel([old], [new])
    world.breaks(evolve(relabel, epcs=(), transformation_id="urn:example:relabelling:1"), V.NOT_UNDER_BOND)
    lot = Quantity(f"{EYE_DROPS}/10/LOT-A7", Decimal(1))
    world.breaks(evolve(relabel, epcs=(), quantities=(lot,)), of={new: [V.NOT_UNDER_BOND]})
    world.breaks(world.relabel([old], [new, newer]), of={new: [V.NOT_UNDER_BOND], newer: [V.NOT_UNDER_BOND]})
    assert world.custody(old) == Custody.DEAD, "the old code ended lawfully, and nothing came of it"
    world.keep(world.relabel([other], [newer]))


@pytest.mark.parametrize(("flag", "code"), [("hold", V.HELD), ("recall", V.RECALLED), ("steal", V.STOLEN)])
def test_a_new_label_does_not_wash_a_flag_off(world: World, flag: str, code: V) -> None:
    """A new code has no flags: a recalled pack would be sold under another label, or as a part of another pack."""
    old, part, new = world.bring(world.packs[0], Custody.BONDED), world.packs[1], world.packs[2]
    world.keep(world.commission(part))
    world.keep(getattr(world, flag)(old, part))
    world.breaks(world.relabel([old], [new]), of={old: [code], new: [V.NOT_UNDER_BOND]})
    world.breaks(world.kit([part], [new]), of={part: [code], new: [V.NOT_UNDER_BOND]})
    if flag == "hold":
        world.keep(world.release(old), world.relabel([old], [new]))


def test_a_pack_among_the_quantities_of_a_transformation_is_seen(world: World) -> None:
    """There stand classes; it neither goes in nor comes out."""
    old, new, seen = world.bring(world.packs[0], Custody.BONDED), world.packs[1], world.packs[2]
    world.bring(seen, Custody.SOLD)
    odd = evolve(world.relabel([old], [new]), quantities=(Quantity(seen),), output_quantities=(Quantity(seen),))
    world.keep(odd)
    assert world.custody(seen) == Custody.SOLD


# ---- what is kept from commit to commit ----------------------------------------------------------------


def test_what_is_asked_of_the_registers_in_vain_is_not_kept_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each delivery to a position of its own asks for a place that is none."""
    monkeypatch.setattr(past, "_ASKED_MOST", 40)
    pack = world.bring(world.packs[0], Custody.SOLD)
    world.keep(world.deliver(pack))
    for number in range(30):
        world.keep(evolve(world.deliver_part(pack), read_point=f"geo:39.9,116.{number}"))
    standing = world.ledger._registers._standing
    assert standing is not None
    assert standing.asked < 60
    world.register(stop("product", EYE_DROPS))
    world.breaks(world.order(world.bring(world.packs[1], Custody.BONDED)), V.SERVICE_STOPPED)


def test_a_rebuilt_index_knows_no_register_that_the_log_has_not(tmp_path: Path) -> None:
    world = World(tmp_path, registered=())
    with world.ledger._store.lock.held(), world.ledger._store.write() as txn:
        txn.put_meta("profile", key_of(0))
        txn.put_meta("registers", key_of(0))
    world.ledger.reindex()
    assert world.ledger.append([world.sell(world.packs[0])]).violations == ()
    world.agrees()
    world.close()


@pytest.mark.parametrize("value", [b"", b"abc", b"NaN", b"1e9", b"1_0", b" 1", b"\xff", b"-", b"9" * 50])
def test_a_damaged_account_is_said(world: World, value: bytes) -> None:
    pack = world.bring(world.packs[0], Custody.RESERVED)
    with world.ledger._store.lock.held(), world.ledger._store.write() as txn:
        txn.txn.put(spent_key(BUYER, 2026), value, db=txn.env.tables[SPENT])
    with world.ledger.snapshot() as view:
        assert not verify_rules(view)
        with pytest.raises(DecodeError, match="reindex"):
            view.spent(BUYER, 2026)
    with pytest.raises(DataError, match="reindex"):
        world.ledger.append([world.order(world.bring(world.packs[1], Custody.BONDED))])
    world.ledger.reindex()
    world.keep(world.cancel(pack))


# ---- forged headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("millis", [(1 << 64) - 1, 1 << 63, 253_402_300_800_000])
def test_a_receipt_time_beyond_all_years_does_not_end_a_replay(millis: int) -> None:
    assert shanghai_year(millis) == 9999


# ---- forged rows ---------------------------------------------------------------------------------------


def in_memory(world: World) -> MemoryView:
    with world.ledger.snapshot() as view:
        return MemoryView.of(view)


def test_the_quick_way_knows_a_code_of_the_nmpa_by_its_length(world: World) -> None:
    """What has seven digits is a product: an act that is done to packs is not done to it."""
    packs = [f"{NMPA_PRODUCT}{number:013d}" for number in range(6)]
    world.ledger.append([world.commission(pack) for pack in packs])
    world.ledger.append([world.ship(pack) for pack in [*packs, NMPA_PRODUCT]])
    view = in_memory(world)
    assert agree(view)
    last = view.size - 1
    row = Row(NMPA_PRODUCT, int(Act.SHIP), None, 0, (int(V.UNKNOWN_CODE),))
    forged = replaced(view, last, view.raw_contents[last][SALT_SIZE:], encode_rows(PILOT, [row]))
    assert (Code.ROW_ACT, last) in {(one.code, one.index) for one in agree(forged).findings}


def test_an_operator_who_goes_on_under_plain_rules_is_found_by_the_rows_alone(world: World) -> None:
    """All that comes after the profile as if there were none: no rule set decreases, and a replay is not needed."""
    with world.ledger.snapshot() as before:
        old, size = before.checkpoint, before.size
    pack = world.packs[0]
    world.ledger.append([world.commission(pack), world.ship(pack)])
    world.ledger.append([world.sell(pack)])
    view = in_memory(world)
    assert agree(view)
    forged = copy(view)
    for index in range(size, view.size):
        if index in view.raw_rows:
            part = view.raw_rows[index]
            rows = [evolve(row, act=int(Act.SEE), state=1, violations=()) for row in decode_rows(part[SALT_SIZE:])[1]]
            forged.raw_rows[index] = part[:SALT_SIZE] + encode_rows(PLAIN, rows)
    # The registers were recorded one by one under one statement: their rows follow the rules before the profile.
    for report in (agree(forge(forged), (1, 2, 5)), verify(forged, since=old)):
        assert [(one.code, one.index) for one in report.findings] == [(Code.ROWS_MALFORMED, view.size - 1)]
        assert "the profile of entry" in report.findings[0].detail


# ---- large events --------------------------------------------------------------------------------------


def test_an_event_of_many_packs_is_looked_back_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its event and its rows were read again for each of its packs: seconds for a pallet, under the writer's lock."""
    read: list[str] = []

    def counting(function: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any) -> Any:
            read.append(function.__name__)
            return function(*arguments)

        return count

    monkeypatch.setattr(judge, "_event", counting(judge._event))
    monkeypatch.setattr(past, "decode_rows", counting(decode_rows))
    packs = pack_ids(300)
    world.keep(world.commission(*packs))
    shipping = world.ship(*packs)
    world.keep(shipping)
    assert read == []
    assert world.ledger.append([world.undo(shipping)]).violations == ()
    assert len(read) <= 3
    world.keep(world.bond_in(*packs), world.order(*packs), world.cancel(*packs))
    read.clear()
    world.keep(world.order(*packs))
    assert world.ledger.append([world.cancel(*packs)]).violations == ()
    assert read == ["_event"]
    assert spent(world) == 0
