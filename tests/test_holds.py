"""Holds: which entries they cover, until when, and the same for who plans and who verifies."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pilot_world import BUYER, EYE_DROPS, NMPA_PRODUCT, PHARMACY, SHELF, ZONE, living, product
from retention_worlds import CASES, DROPS, OTHER, PALLET, Years, case, hold, made, packed, recall
from tracechain.criteria import ByMaker, ByMerchant, Codes, Commissioned, Criterion, Lot, Not, OfProduct, all_of
from tracechain.custody import Custody
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import InputError
from tracechain.record import decode_record
from tracechain.registers import HoldStep
from tracechain.retention.dates import parse_day
from tracechain.retention.holding import Holding, holds_in, row_subjects, watch
from tracechain.view import View

TODAY = parse_day("2030-01-01")


@pytest.fixture
def years(tmp_path: Path) -> Iterator[Years]:
    found = Years(tmp_path)
    yield found
    found.world.close()


def said(view: View, index: int) -> tuple[list[str], bytes | None]:
    """The subjects of an entry's rows, and its content if it is an event."""
    header, content, rows = view.header(index), view.content(index), view.rows(index)
    event = header is not None and header[4] == EntryType.EVENT and content is not None
    return [] if rows is None else row_subjects(rows), content[SALT_SIZE:] if event and content is not None else None


def held(years: Years, day: int = TODAY, *, contents: bool = True) -> dict[str, list[str]]:
    """By hold, what it covers first: the subjects of the events, joined."""
    found: dict[str, list[str]] = {}
    with years.ledger.snapshot() as view:
        holding = holds_in(view)
        events = [index for index, header in view.headers(0, view.size) if header[4] == EntryType.EVENT]
        entries = [said(view, index) for index in events]
        entries = entries if contents else [(subjects, None) for subjects, _ in entries]
        one_by_one = [holding.covers(subjects, content, day) for subjects, content in entries]
        assert one_by_one == holding.covers_all(entries, day)
        for (subjects, _), hold_ in zip(entries, one_by_one, strict=True):
            if hold_ is not None:
                found.setdefault(hold_.id, []).append(" ".join(subjects))
    return found


def some_packs(years: Years) -> tuple[str, str, str, str]:
    """Two packs of a product, one of another, one of a product that nobody registered, each with an event."""
    first, second, other, unknown = years.packs[0], years.packs[1], years.packs[6], years.packs[7]
    years.put(years.world.commission(first, lot="A"), years.world.commission(second, lot="B"))
    years.put(years.world.commission(other), years.world.commission(unknown))
    return first, second, other, unknown


# ---- what they cover -------------------------------------------------------------------------------


def test_without_a_hold_nothing_is_held(years: Years) -> None:
    some_packs(years)
    assert held(years) == {}


def test_a_pack_is_held_and_no_other(years: Years) -> None:
    first, *_ = some_packs(years)
    years.put(hold("H", about=(first,)).record())
    assert held(years) == {"H": [first]}


@pytest.mark.parametrize("about", [EYE_DROPS, f"{EYE_DROPS}/10/A", PHARMACY])
def test_a_product_a_lot_and_a_merchant_hold_whole_products(years: Years, about: str) -> None:
    """Which lot a pack was of cannot be told from rows, so nobody could check that another was not meant."""
    first, second, other, unknown = some_packs(years)
    years.put(hold("H", about=(about,)).record())
    expected = [first, second, other] if about == PHARMACY else [first, second]
    assert held(years) == {"H": expected}
    assert unknown not in str(held(years))


def test_a_merchant_that_a_product_had_once_holds_it(years: Years) -> None:
    first, second, other, _ = some_packs(years)
    years.put(product(EYE_DROPS, merchant="urn:example:another").record(1))
    years.put(hold("H", about=(PHARMACY,)).record(), hold("I", about=("urn:example:another",)).record())
    assert held(years) == {"H": [first, second, other]}
    years.put(hold("H", "released").record())
    assert held(years) == {"I": [first, second]}


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        (Lot(DROPS, "A"), (0, 1)),
        (OfProduct(NMPA_PRODUCT), (2,)),
        (ByMerchant(PHARMACY), (0, 1, 2, 3)),  # whose the unregistered product is, nobody knows
        (ByMaker("Nobody"), (3,)),
        (Codes(("01/09521234001072/21/BJ000002",)), (1,)),
        (all_of([OfProduct(DROPS), Not(Codes(("01/09521234001072/21/BJ000002",)))]), (0,)),
        (Commissioned(0, 1), (0, 1, 2, 3)),
        (all_of([Commissioned(0, 1), OfProduct(OTHER)]), (3,)),
    ],
)
def test_what_is_not_false_of_a_criterion_is_held(
    years: Years, criterion: Criterion, expected: tuple[int, ...]
) -> None:
    packs = some_packs(years)
    assert packs[1] == "01/09521234001072/21/BJ000002"
    years.put(hold("H", criterion=criterion).record())
    assert held(years) == {"H": [packs[at] for at in expected]}
    assert held(years, contents=False) == held(years)


def test_an_order_holds_what_says_so_as_long_as_it_says_so(years: Years) -> None:
    first, second, *_ = some_packs(years)
    years.put(years.world.order(first, po="1"), years.world.order(second, po="2"))
    years.put(hold("H", about=("urn:example:po:1",)).record())
    assert held(years) == {"H": [first]}
    assert held(years, contents=False) == {}


def test_a_number_is_not_held_for_another_that_begins_so_and_a_place_is_with_its_parts(years: Years) -> None:
    first, second, *_ = some_packs(years)
    years.put(years.world.order(first, po="1"), years.world.order(second, po="11"), years.world.bond_in(first))
    years.put(hold("H", about=("urn:example:po:1",)).record(), hold("I", about=(ZONE,)).record())
    assert held(years) == {"H": [first], "I": [first]}
    with years.ledger.snapshot() as view:
        zone = decode(said(view, view.size - 4)[1] or b"")
    assert zone.read_point == SHELF


def test_a_person_is_held_by_its_token(years: Years) -> None:
    first, *_ = some_packs(years)
    years.put(years.world.order(first, buyer=BUYER))
    years.put(hold("H", about=(f"person/{BUYER.hex()}",)).record())
    assert held(years) == {"H": [first]}


def test_containers_of_held_packs_are_held_and_what_stood_with_them(years: Years) -> None:
    first, second, _, _ = some_packs(years)
    world = years.world
    years.put(packed(world.now, CASES[0], [first]), packed(world.now, CASES[1], [second]))
    years.put(packed(world.now, PALLET, [CASES[0]]), world.ship(PALLET), world.ship(CASES[2]))
    years.put(hold("H", about=(first,)).record())
    assert held(years) == {"H": [first, f"{CASES[0]} {first}", f"{CASES[0]} {PALLET}", PALLET]}
    years.put(packed(world.now, PALLET, [CASES[1]]))
    assert held(years)["H"][-2:] == [PALLET, f"{CASES[1]} {PALLET}"], "rows do not tell which is in which"
    assert f"{CASES[1]} {second}" in held(years)["H"]
    assert second not in held(years)["H"], "a pack is not held for the case that it was in"
    assert CASES[2] not in held(years)["H"]


@pytest.mark.parametrize("listed", [False, True])
def test_a_container_is_held_by_its_id(years: Years, listed: bool) -> None:
    world = years.world
    years.put(world.ship(CASES[0]), world.ship(CASES[1]))
    how = {"criterion": Codes((CASES[0],))} if listed else {"about": (CASES[0],)}
    years.put(hold("H", **how).record())
    assert held(years, contents=False) == {"H": [CASES[0]]}


# ---- how long ----------------------------------------------------------------------------------------


def test_a_hold_stands_through_its_last_day(years: Years) -> None:
    first, *_ = some_packs(years)
    years.put(hold("H", about=(first,), until=date(2029, 12, 31)).record())
    assert held(years, parse_day("2029-12-31")) == {"H": [first]}
    assert held(years, parse_day("2030-01-01")) == {}
    years.put(hold("H", "extended", until=date(2030, 1, 1)).record(1))
    assert held(years, parse_day("2030-01-01")) == {"H": [first]}
    years.put(hold("H", "released").record(2))
    assert held(years, parse_day("2029-12-31")) == {}


def test_an_open_recall_and_an_open_case_are_holds(years: Years) -> None:
    first, second, _, unknown = some_packs(years)
    years.put(recall("R", criterion=Codes((first,))).record(), case("C", about=(second,)).record())
    years.put(case("C", "handled", about=(unknown,)).record(1))
    assert held(years) == {"R": [first], "C": [second, unknown]}
    years.put(recall("R", "closed").record(1), case("C", "closed").record(2))
    assert held(years) == {}


def test_a_hold_of_a_case_goes_on_when_the_case_is_closed(years: Years) -> None:
    first, second, *_ = some_packs(years)
    years.put(case("C", about=(first,)).record(), hold("H", case="C").record())
    years.put(case("C", "closed", about=(second,)).record(1))
    assert held(years) == {"H": [first, second]}


def test_what_a_later_hold_lists_does_not_change_what_was_held_before(years: Years) -> None:
    """It names containers, which are no packs of an unknown product."""
    first = years.packs[0]
    years.put(years.world.commission(first), packed(years.world.now, CASES[0], [first]))
    years.put(recall("R", criterion=ByMaker("Nobody")).record(), hold("H", criterion=Codes((CASES[0],))).record())
    with years.ledger.snapshot() as view:
        holding = watch(view)
        for index, header in view.headers(0, view.size):
            content, rows = view.content(index), view.rows(index)
            if header[4] == EntryType.RECORD and content is not None:
                record = decode_record(content[SALT_SIZE:])
                if record.kind != HoldStep.KIND:
                    holding.take(index, record)
            elif rows is not None:
                holding.link(row_subjects(rows))
        assert [one.id for one in holding.holds] == ["R"]
        assert holding.covers((CASES[0],), None, TODAY) is None


def test_why_in_words(years: Years) -> None:
    first, *_ = some_packs(years)
    years.put(hold("H", about=(first,)).record(), case("C", about=(first,)).record())
    with years.ledger.snapshot() as view:
        assert [one.why for one in holds_in(view).standing_on(TODAY)] == [
            "hold H by Leading group: An investigation",
            "case C: Broken",
        ]


# ---- what can follow ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "step", "says"),
    [
        ([], hold("H", "released"), "hold H: its first step is 'released'; place it first"),
        ([hold("H", about=("a",))], hold("H", about=("b",)), "hold H: it was placed before"),
        (
            [hold("H", about=("a",)), hold("H", "released")],
            hold("H", "extended", until=date(2040, 1, 1)),
            "hold H: it was released in entry",
        ),
        ([hold("H", about=("a",))], hold("H", "extended", until=date(2040, 1, 1)), "it stands without an end"),
        (
            [hold("H", about=("a",), until=date(2030, 1, 1))],
            hold("H", "extended", until=date(2029, 12, 31)),
            "it stands until 2030-01-01; it cannot be extended to 2029-12-31, only released",
        ),
    ],
)  # fmt: skip
def test_a_step_that_cannot_follow_is_refused(years: Years, before: list[HoldStep], step: HoldStep, says: str) -> None:
    for number, one in enumerate(before):
        years.ledger.append([one.record(number)])
    with pytest.raises(InputError, match=re.escape(says)):
        years.ledger.append([step.record(len(before))])


# ---- in order, for who verifies ----------------------------------------------------------------------


def fed(view: View, stop: int) -> Holding:
    """A Holding that was told the entries one by one."""
    holding = watch(view)
    for index in range(stop):
        subjects, _ = said(view, index)
        holding.link(subjects)
        header, content = view.header(index), view.content(index)
        if header is not None and header[4] == EntryType.RECORD and content is not None:
            holding.take(index, decode_record(content[SALT_SIZE:]))
    return holding


@settings(max_examples=15, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(st.integers(0, 1 << 32), st.data())
def test_who_is_told_entry_by_entry_comes_to_the_same(seed: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        years = made(Path(folder), seed, steps=15, holds=6)
        with years.ledger.snapshot() as view:
            for stop in {view.size, data.draw(st.integers(1, view.size))}:
                live, told = holds_in(view, stop), fed(view, stop)
                for day in (parse_day("2026-12-01"), TODAY, parse_day("2034-01-01")):
                    assert live.standing_on(day) == told.standing_on(day)
                    for index in range(stop):
                        entry = said(view, index)
                        assert (live.covers(*entry, day) is None) == (told.covers(*entry, day) is None)
        years.world.close()


def test_a_whole_life_of_a_held_pack_is_held_and_no_other(tmp_path: Path) -> None:
    for world in living(tmp_path):
        pack = world.packs[0]
        world.bring(pack, Custody.BONDED)
        world.keep(hold("H", about=(pack,)).record())
        world.bring(world.packs[1], Custody.DELIVERED)
        with world.ledger.snapshot() as view:
            holding = holds_in(view)
            events = [index for index, header in view.headers(0, view.size) if header[4] == EntryType.EVENT]
            covered = [index for index in events if holding.covers(*said(view, index), TODAY) is not None]
            assert covered == [index for index in events if pack in said(view, index)[0]]
            assert len(covered) == 3
