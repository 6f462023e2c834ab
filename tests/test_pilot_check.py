"""What an event would come to: the same that the ledger then records, with the entry that is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilot_world import (
    EYE_DROPS,
    KIOSK,
    LAX,
    LOT_NUMBER,
    NMPA_PRODUCT,
    NOWHERE,
    OTHER_BUYER,
    PHARMACY,
    PLATFORM,
    UNCONFIRMED,
    World,
    living,
    place,
    product,
    profile,
    readmission,
    scope,
    stop,
    suspension,
)
from tracechain.custody import Custody, Violation, acts, unpack_state
from tracechain.entry import SALT_SIZE, decode_rows
from tracechain.errors import CodeError, InputError
from tracechain.event import Event, Extension, ObjectEvent, SourceDest
from tracechain.event.sale import LOT, MASTER_DATA
from tracechain.formats.scan_rows import EVENTS
from tracechain.pilot import Finding, Verdict, check, check_code, known_like, plain_event, standing_of
from tracechain.pilot.check import _PLAIN
from tracechain.replay import MemoryView
from tracechain.testing.samples import pack_ids
from tracechain.testing.scanner import sample_ledger
from tracechain.view import View

V = Violation


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def asked(world: World, event: Event) -> Verdict:
    """What a check says now, by the author of the world's ledger; nothing is written by it."""
    author = world.keys.author.public_key.hash[:8]
    with world.ledger.snapshot() as view:
        verdict = check(view, event, world.clock.now, author=author)
        assert verdict == check(MemoryView.of(view), event, world.clock.now, author=author)
        assert verdict == check(view, event, world.clock.now, standing=standing_of(view), author=author)
    with world.ledger.snapshot() as after:
        assert after.size == view.tip.size
    return verdict


def only(verdict: Verdict) -> Finding:
    """Its one finding."""
    ((_, finding),) = verdict.findings
    return finding


def agrees(verdict: Verdict, view: View, index: int) -> None:
    """The verdict is what was recorded in this entry."""
    part = view.rows(index)
    assert part is not None
    _, rows = decode_rows(part[SALT_SIZE:])
    assert [(one.subject, one.act, one.after, tuple(f.code for f in one.findings)) for one in verdict.subjects] == [
        (row.subject, row.act & 0xFF, unpack_state(row.state), row.violations) for row in rows
    ]


# ---- a check says what is recorded -----------------------------------------------------------------


def test_each_step_of_a_sale_is_open_before_it_is_made(world: World) -> None:
    pack = world.packs[0]
    for make in world.way(Custody.DELIVERED, "1"):
        event = make(world, pack)
        verdict = asked(world, event)
        assert verdict
        assert verdict.rule_set == 2
        receipt = world.keep(event)
        with world.ledger.snapshot() as view:
            agrees(verdict, view, receipt.first)


def test_a_check_before_a_sale(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    (one,) = asked(world, world.sell(pack)).subjects
    assert (one.before.custody, one.after.custody, one.findings) == (Custody.CLEARED, Custody.SOLD, ())


STEPS = (
    "commission", "ship", "bond_in", "order", "pay", "cancel", "clear", "sell", "sell_part", "transfer", "deliver",
    "pickup", "apply_return", "return_in", "conform", "release", "export", "export_return", "repair", "hold", "recall",
    "steal", "destroy", "stocktake",
)  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_check_says_what_the_ledger_then_records(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    world = World(tmp_path_factory.mktemp("check"))
    try:
        for pack in world.packs[:3]:
            world.bring(pack, data.draw(st.sampled_from([c for c in Custody if c != Custody.REWORK])))
        if data.draw(st.booleans()):
            world.register(data.draw(st.sampled_from([suspension(), stop("product", EYE_DROPS), scope(NMPA_PRODUCT)])))
        past: list[Event] = []
        for _ in range(data.draw(st.integers(1, 8))):
            packs = data.draw(st.lists(st.sampled_from(world.packs[:4]), min_size=1, max_size=3, unique=True))
            if data.draw(st.booleans()) and past:
                event = world.undo(data.draw(st.sampled_from(past)))
            elif data.draw(st.integers(0, 5)) == 0:
                event = world.relabel(packs, world.packs[5:7])
            else:
                event = getattr(world, data.draw(st.sampled_from(STEPS)))(*packs)
                past.append(event)
            verdict = asked(world, event)
            receipt = world.ledger.append([event])
            with world.ledger.snapshot() as view:
                agrees(verdict, view, receipt.first)
            assert bool(verdict) is (receipt.violations == ())
            world.clock.advance(60_000)
    finally:
        world.close()


def test_without_a_profile_the_plain_rules_answer(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    sample_ledger(path)
    from tracechain.ledger import Ledger

    with Ledger.open(path) as ledger, ledger.snapshot() as view:
        dead = next(s for s, unit in view.units() if unit.state == Custody.DEAD)
        verdict = check_code(view, dead, "ship", now=0)
        assert verdict.rule_set == 1
        assert only(verdict).name == "DEAD_PACK"
        assert check_code(view, pack_ids(1, start=77)[0], now=0)


def test_the_acts_of_packs_and_of_containers_both_show(world: World) -> None:
    event = evolve(world.stocktake(*world.packs[:1]), epcs=(world.packs[0], "urn:example:pallet"))
    verdict = asked(world, event)
    assert [one.subject for one in verdict.subjects] == [s for s, _ in acts(event, 2)]
    assert [bool(one.findings) for one in verdict.subjects] == [True, False]


# ---- what is in the way ----------------------------------------------------------------------------


def test_a_second_sale_names_the_first(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    first = world.keep(world.sell(pack)).first
    world.keep(world.deliver(pack))
    world.ledger.append([world.sell(pack)])  # broken, so it is not what is in the way
    finding = only(asked(world, world.sell(pack)))
    assert (finding.name, finding.entry) == ("SECONDARY_SALE", first)
    assert finding.hint == f"see entry {first}"
    assert finding.words
    assert finding.clause


@pytest.mark.parametrize(("flag", "name"), [("hold", "HELD"), ("recall", "RECALLED"), ("steal", "STOLEN")])
def test_a_flag_names_the_entry_that_set_it(world: World, flag: str, name: str) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    receipt = world.keep(getattr(world, flag)(pack))
    world.keep(world.stocktake(pack))
    finding = only(asked(world, world.sell(pack)))
    assert (finding.name, finding.entry) == (name, receipt.first)
    assert finding.time == world.clock.now - 2 * 60_000


def test_what_brought_a_pack_to_where_it_is(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.TRANSIT)
    booked = world.keep(world.bond_in(pack)).first
    world.keep(world.stocktake(pack))
    finding = only(asked(world, world.sell(pack)))
    assert (finding.name, finding.entry) == ("SOLD_BEFORE_CLEARANCE", booked)
    gone = world.keep(world.destroy(pack)).first
    finding = only(asked(world, world.sell(pack)))
    assert (finding.name, finding.entry) == ("DEAD_PACK", gone)


def test_the_order_is_what_other_documents_are_held_against(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    order = world.keep(world.order(pack)).first
    world.keep(world.pay(pack))
    finding = only(asked(world, world.clear(pack, po="other")))
    assert (finding.name, finding.entry) == ("THREE_DOC", order)
    world.keep(world.clear(pack))
    world.keep(world.sell(pack))
    finding = only(asked(world, world.deliver(pack, buyer=OTHER_BUYER)))
    assert (finding.name, finding.entry) == ("WRONG_BUYER", order)


def test_labels_and_expiry_name_the_commissioning(world: World) -> None:
    pack = world.packs[0]
    made = world.keep(world.commission(pack, expiry="2026-12-31")).first
    world.keep(world.ship(pack))
    other = evolve(world.bond_in(pack), extensions=(Extension(MASTER_DATA, LOT, LOT_NUMBER + "X"),))
    assert (only(asked(world, other)).name, only(asked(world, other)).entry) == ("LOT_MISMATCH", made)
    world.keep(world.bond_in(pack))
    world.later(days=60)
    names = {f.name: f.entry for _, f in asked(world, world.order(pack)).findings}
    assert names == {"EXPIRED_LOCK": made}
    assert only(asked(world, world.commission(pack))).entry == made


def test_registers_name_their_records(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)

    def entry(event: Event, name: str) -> int | None:
        finding = only(asked(world, event))
        assert finding.name == name
        return finding.entry

    suspended = world.register(suspension()).first
    assert entry(world.order(pack), "MERCHANT_SUSPENDED") == suspended
    world.register(readmission())
    stopped = world.register(stop("enterprise", PLATFORM)).first
    assert entry(world.order(pack), "SERVICE_STOPPED") == stopped


def test_a_list_without_the_product_is_named(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    listed = world.register(scope(NMPA_PRODUCT, edition="2")).first
    assert only(asked(world, world.order(pack))).entry == listed
    barred = world.register(product(screening="narcotic")).first
    assert {f.name: f.entry for _, f in asked(world, world.order(pack)).findings} == {
        "SCOPE": listed, "PRODUCT_BARRED": barred,
    }  # fmt: skip


def test_places_and_carriers_are_named_where_they_are_registered(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    changed = world.register(place(KIOSK, "store", area=20)).first
    finding = only(asked(world, world.transfer(pack, store=KIOSK)))
    assert (finding.name, finding.entry) == ("OFFLINE_PICKUP_UNLICENSED", changed)
    finding = only(asked(world, evolve(world.sell(pack), read_point=NOWHERE)))
    assert (finding.name, finding.entry) == ("PLACE_UNREGISTERED", None)
    assert finding.hint == ""
    with world.ledger.snapshot() as view:
        lax = standing_of(view).find("carrier", LAX)
    assert lax is not None
    finding = only(asked(world, world.transfer(pack, by=LAX)))
    assert (finding.name, finding.entry) == ("CARRIER_UNASSESSED", lax.index)
    other = world.bring(world.packs[1], Custody.TRANSIT)
    assert only(asked(world, world.bond_in(other, where=UNCONFIRMED))).entry is not None
    sold = evolve(world.sell(pack), sources=(SourceDest("owning_party", PLATFORM),))
    assert (only(asked(world, sold)).name, only(asked(world, sold)).entry) == ("PLATFORM_SELLS", None)


def test_who_takes_back_matters(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    event = world.sell(pack)
    receipt = world.keep(event)
    undo = world.undo(event)
    assert asked(world, undo)
    with world.ledger.snapshot() as view:
        verdict = check(view, undo, world.clock.now)
    assert (only(verdict).name, only(verdict).entry) == ("UNDO_ACTOR", receipt.first)


# ---- unknown codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "misread",
    ["bj000001", "BJOOOOO1", "JB000001", "BJ00001", "BJ0000001", "BX000001", "BJ000001X"],
    ids=["case", "letters for digits", "swapped", "one missing", "one too many", "one wrong", "one added"],
)
@pytest.mark.parametrize("many", [False, True])
def test_an_unknown_code_is_answered_with_the_nearest_known_one(tmp_path: Path, misread: str, many: bool) -> None:
    world = World(tmp_path)
    pack = f"{EYE_DROPS}/21/BJ000001"
    # So far from it and from each other that none of them is near.
    others = [f"{EYE_DROPS}/21/{'XYZW'[n % 4]}{n * 7919:07d}{'QRST'[n % 4]}" for n in range(700 if many else 5)]
    world.keep(world.commission(pack), *(world.commission(*others[at : at + 100]) for at in range(0, len(others), 100)))
    with world.ledger.snapshot() as view:
        finding = only(check_code(view, f"{EYE_DROPS}/21/{misread}", now=world.clock.now))
        assert finding.name == "UNKNOWN_CODE"
        assert finding.near[0] == pack
        assert finding.hint.startswith(f"did you mean {pack}")
        assert known_like(view, f"{EYE_DROPS}/21/{misread}", limit=1) == (pack,)
        assert known_like(view, pack) == ()
    world.close()


def test_what_was_only_noted_is_not_known_for_that(world: World) -> None:
    world.ledger.append([world.stocktake(f"{EYE_DROPS}/21/BJ000001")])
    with world.ledger.snapshot() as view:
        assert view.unit(f"{EYE_DROPS}/21/BJ000001") is not None
        assert known_like(view, f"{EYE_DROPS}/21/BJ000002") == ()


def test_nmpa_codes_and_what_is_no_pack(world: World) -> None:
    pack = world.bring(f"{NMPA_PRODUCT}0000000000017", Custody.ACTIVE)
    with world.ledger.snapshot() as view:
        assert known_like(view, f"{NMPA_PRODUCT}0000000000071") == (pack,)
        assert known_like(view, f"{NMPA_PRODUCT}0000000000018") == (pack,)
        assert known_like(view, "urn:example:pallet") == ()
        assert known_like(view, f"{EYE_DROPS}/10/LOT") == ()


# ---- a code alone ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", _PLAIN)
def test_an_event_of_a_code_alone_is_that_of_a_scan_file(name: str) -> None:
    """The names are those of docs/scan-files.md and mean the same."""
    kind = EVENTS[name]
    event = plain_event(pack_ids(1)[0], name, 1)
    assert kind.build is ObjectEvent
    assert (event.action, event.biz_step, event.disposition) == (kind.action, kind.biz_step, kind.disposition)


def test_any_spelling_of_a_code_is_understood(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    gtin, serial = pack[3:17], pack[21:]
    with world.ledger.snapshot() as view:
        kept = standing_of(view)
        for spelling in (
            pack,
            f"01{gtin}21{serial}",
            f"(01){gtin}(21){serial}",
            f"https://x.example/01/{gtin}/21/{serial}",
        ):
            verdict = check_code(view, spelling, now=world.clock.now, standing=kept)
            assert verdict
            assert verdict.subjects[0].subject == pack
        assert not check_code(view, pack, "deliver", now=world.clock.now)
        assert not check_code(view, pack, now=world.clock.now, place=NOWHERE)
        with pytest.raises(CodeError):
            check_code(view, "01095212340010", now=0)
        with pytest.raises(InputError, match="no event of a code alone: there are ship"):
            check_code(view, pack, "order", now=0)


def test_a_standing_is_read_once_for_many_checks(world: World) -> None:
    packs = [world.bring(pack, Custody.CLEARED) for pack in world.packs[:2]]
    with world.ledger.snapshot() as view:
        kept = standing_of(view)
        for pack in packs:
            assert check(view, world.sell(pack), world.clock.now, standing=kept)
        known: Any = kept.known()
        assert {"urn:tracechain:merchant:" + PHARMACY, f"urn:tracechain:product:{EYE_DROPS}"} <= set(known)
        assert kept.profile == profile()
