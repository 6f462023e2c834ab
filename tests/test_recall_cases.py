"""Recall cases: opened with what they flag, told of, counted by what happened since, and closed when it adds up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pilot_world import (
    CITY,
    EYE_DROPS,
    LOT_NUMBER,
    NMPA_PRODUCT,
    PHARMACY,
    SF,
    SHELF,
    STORE,
    ZONE,
    World,
    living,
    product,
)
from tracechain import recall
from tracechain.criteria import ByMaker, Codes, Criterion, Lot, OfProduct, ThroughPlace
from tracechain.custody import Custody, Violation
from tracechain.encoding import encode
from tracechain.errors import InputError
from tracechain.event import Event, ObjectEvent
from tracechain.ledger import Receipt
from tracechain.recall import Progress
from tracechain.recall.cases import FLAG_DOCUMENT, flags
from tracechain.record import Record
from tracechain.registers import RecallStep, read
from tracechain.replay import MemoryView
from tracechain.testing.samples import pack_ids

ON = date(2026, 11, 21)
THE_LOT = Lot(EYE_DROPS, LOT_NUMBER)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def contents(world: World, criterion: Criterion = THE_LOT, **more: Any) -> list[Record | Event]:
    values: dict[str, Any] = {
        "id": "R-1", "recall_class": "1", "by": "quality", "reason": "particles", "on": ON, "time": world.now
    }  # fmt: skip
    with world.ledger.snapshot() as view:
        return recall.opening(view, criterion=criterion, **values | more)


def open_recall(world: World, criterion: Criterion = THE_LOT, **more: Any) -> Receipt:
    return world.keep(*contents(world, criterion, **more))


def progress(world: World) -> Progress:
    with world.ledger.snapshot() as view:
        found = recall.progress(view, "R-1")
        copy = recall.progress(MemoryView.of(view), "R-1")
        assert found == copy
        return found


def counts(world: World) -> tuple[int, int, int, int]:
    """(locked, returned, destroyed, outstanding), which add up."""
    now = progress(world)
    numbers = now.locked, now.returned, now.destroyed, now.outstanding
    assert sum(numbers) == now.affected
    return numbers


def close(world: World, **more: Any) -> Receipt:
    with world.ledger.snapshot() as view:
        made = recall.closing(view, id="R-1", by="quality", reason="done", on=ON, **more)
    return world.keep(*made)


def tell(world: World, *parties: str) -> Receipt:
    with world.ledger.snapshot() as view:
        made = recall.notice(view, id="R-1", parties=parties, by="quality", reason="particles", on=ON)
    return world.keep(*made)


# ---- opened --------------------------------------------------------------------------------------


def test_an_opening_is_a_record_and_events_that_flag_what_lives(world: World) -> None:
    packs = world.packs
    world.bring(packs[0], Custody.BONDED)
    world.bring(packs[1], Custody.DELIVERED)
    world.bring(packs[2], Custody.DEAD)
    world.keep(world.commission(packs[3], lot="OTHER"))
    record, *events = contents(world, authority="Beijing Drug Administration")
    assert isinstance(record, Record)
    step = read(record)
    assert isinstance(step, RecallStep)
    with world.ledger.snapshot() as view:
        assert (step.affected, step.size, step.phase) == (3, view.size, "opened")
    (event,) = events
    assert isinstance(event, ObjectEvent)
    assert event.epcs == tuple(sorted(packs[:2]))
    assert (event.action, event.biz_step, event.disposition) == ("OBSERVE", "holding", "recalled")
    assert [(one.type, one.id) for one in event.biz_transactions] == [(FLAG_DOCUMENT, "urn:tracechain:recall:R-1")]
    assert event.read_point is event.biz_location is None, "nobody has seen them"
    world.keep(record, event)
    assert [world.state(pack).recalled for pack in packs[:4]] == [True, True, False, False]


def test_from_the_next_entry_on_what_is_affected_is_not_sold(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    open_recall(world)
    world.breaks(world.sell(pack), Violation.RECALLED)


def test_what_came_later_is_refused_and_counted_too(world: World) -> None:
    open_recall(world)
    assert counts(world) == (0, 0, 0, 0)
    pack = world.bring(world.packs[0], Custody.BONDED)
    assert not world.state(pack).recalled
    world.breaks(world.order(pack), Violation.RECALLED)
    assert counts(world) == (1, 0, 0, 0)


def test_what_could_still_be_sold_is_not_locked(world: World) -> None:
    """Where a pack has been is not known to the judge: what is flagged is refused, what comes later is outstanding."""
    world.bring(world.packs[0], Custody.BONDED)
    open_recall(world, ThroughPlace(SHELF))
    assert counts(world) == (1, 0, 0, 0)
    late = world.bring(world.packs[1], Custody.BONDED)
    assert counts(world) == (1, 0, 0, 1)
    world.keep(world.order(late))


def test_a_recall_is_opened_once(world: World) -> None:
    open_recall(world)
    with pytest.raises(InputError, match="was opened before"):
        contents(world)


def test_flags_are_made_in_events_that_fit(world: World) -> None:
    short, long = pack_ids(1201), [f"urn:example:{'x' * 440}:{number:03}" for number in range(300)]
    events = list(flags("R-1", [*short, *long], 5))
    assert [code for event in events for code in event.epcs] == [*short, *long]
    assert max(len(event.epcs) for event in events) == 500
    assert all(len(encode(event)) <= 65_536 for event in events)
    assert len(events) < 10


def test_many_packs_are_flagged_in_several_events_and_found_again(world: World) -> None:
    packs = pack_ids(1201)
    world.keep(*(world.commission(*packs[at : at + 250]) for at in range(0, 1201, 250)))
    receipt = open_recall(world)
    assert receipt.count == 4, "the record, and 500, 500 and 201 packs"
    with world.ledger.snapshot() as view:
        (file,) = recall.recalls(view)
        assert recall.flagged(view, file) == tuple(sorted(packs))
    assert counts(world) == (1201, 0, 0, 0)


# ---- followed ------------------------------------------------------------------------------------


def test_each_pack_is_counted_by_what_became_of_it(world: World) -> None:
    custodies = (
        Custody.BONDED, Custody.STORE, Custody.SOLD, Custody.DELIVERED, Custody.EXPORTED, Custody.DEAD,
        Custody.TRANSIT, Custody.CLEARED,
    )  # fmt: skip
    bonded, store, sold, delivered, exported, dead, transit, cleared = (
        world.bring(pack, custody) for pack, custody in zip(world.packs, custodies, strict=False)
    )
    open_recall(world)
    assert counts(world) == (2, 0, 1, 5)
    world.keep(world.return_in(delivered))
    assert counts(world) == (2, 1, 1, 4)
    world.keep(world.bond_in(transit))
    assert counts(world) == (3, 1, 1, 3)
    world.keep(world.return_in(store), world.export_return(exported))
    assert counts(world) == (3, 3, 1, 1)
    world.keep(world.destroy(bonded, delivered))
    assert counts(world) == (2, 2, 3, 1)
    assert world.custody(dead) == world.custody(delivered) == Custody.DEAD
    assert {world.custody(sold), world.custody(cleared)} == {Custody.SOLD, Custody.CLEARED}
    now = progress(world)
    assert now.effectiveness == 1 - 1 / 8


def test_goods_with_a_new_code_count_once(world: World) -> None:
    """Else an old code, dead, would be a pack that is destroyed."""
    old, sold = (
        world.bring(pack, custody) for pack, custody in zip(world.packs, (Custody.BONDED, Custody.SOLD), strict=False)
    )
    new = world.packs[7]
    world.keep(world.relabel((old,), (new,), lot=None), world.bond_in(new))
    open_recall(world)
    assert counts(world) == (1, 0, 0, 1)
    world.keep(world.destroy(new))
    assert counts(world) == (0, 0, 1, 1)
    assert {world.custody(old), world.custody(sold)} == {Custody.DEAD, Custody.SOLD}


def test_what_came_back_before_is_locked_and_not_returned(world: World) -> None:
    world.bring(world.packs[0], Custody.RETURNED)
    open_recall(world)
    assert counts(world) == (1, 0, 0, 0)


def test_a_return_that_breaks_a_rule_brings_nothing_back(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    open_recall(world)
    world.breaks(world.return_in(pack), Violation.CUSTODY)
    assert counts(world) == (1, 0, 0, 0)


def test_what_was_flagged_stays_affected_when_the_criterion_covers_it_no_more(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    open_recall(world, ByMaker("Example Pharma"))
    world.register(product(maker="Other Pharma"))
    with world.ledger.snapshot() as view:
        assert recall.fan_out(view, ByMaker("Example Pharma")).affected == 0
        (file,) = recall.recalls(view)
        assert recall.flagged(view, file) == (pack,)
    assert counts(world) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("party", "reached"), [(STORE, True), (f"{ZONE}/254/17", False), (PHARMACY, False)]
)  # fmt: skip
def test_a_holder_is_reached_when_he_was_told(world: World, party: str, reached: bool) -> None:
    world.bring(world.packs[0], Custody.BONDED)
    world.keep(*(make(world, world.packs[1]) for make in world.way(Custody.STORE, "9")))
    open_recall(world)
    with world.ledger.snapshot() as view:
        (outstanding,) = (unit for unit in recall.fan_out(view, THE_LOT).units if unit.group == "store")
    assert progress(world).reached == 1, "what is locked is reached"
    tell(world, party if party != STORE else str(outstanding.holder))
    assert progress(world).reached == 1 + reached


def test_a_place_and_its_company_are_told_alike(world: World) -> None:
    pack = world.packs[0]
    world.keep(world.commission(pack), world.ship(pack))
    seen = evolve(world.stocktake(pack), read_point="414/9521234000020", biz_step="arriving", disposition="in_transit")
    world.keep(seen)
    open_recall(world)
    assert progress(world).reached == 0
    tell(world, "417/9521234000020")
    assert progress(world).reached == 1


def test_a_ledger_without_a_profile_locks_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, ())
    pack, other = world.packs[:2]
    world.keep(world.commission(pack, other))
    open_recall(world)
    assert counts(world) == (0, 0, 0, 2)
    world.keep(world.return_in(pack), world.destroy(other))
    assert counts(world) == (0, 1, 1, 0)
    world.close()


# ---- told of and closed --------------------------------------------------------------------------


def test_a_recall_is_followed_step_by_step(world: World) -> None:
    world.bring(world.packs[0], Custody.BONDED)
    open_recall(world)
    tell(world, SF, STORE)
    tell(world, CITY, STORE)
    with world.ledger.snapshot() as view:
        (file,) = recall.recalls(view)
        assert [step.phase for step in file.values] == ["opened", "notified", "notified"]
        assert file.told == (*sorted((SF, STORE)), CITY)
        assert (file.open, file.criterion) == (True, THE_LOT)
    close(world)
    with world.ledger.snapshot() as view:
        closed = recall.find_recall(view, "R-1")
        assert closed is not None
        assert (closed.open, closed.last.affected, closed.last.locked) == (False, 1, 1)
        assert not recall.progress(view, "R-1").open
    with pytest.raises(InputError, match="it was closed in entry"):
        tell(world, SF)
    with pytest.raises(InputError, match="it was closed in entry"):
        close(world)


def test_a_recall_is_not_closed_over_outstanding_packs_without_a_word(world: World) -> None:
    world.bring(world.packs[0], Custody.DELIVERED)
    open_recall(world)
    with pytest.raises(InputError, match="outstanding is 1"):
        close(world)
    close(world, open_reason="used up")
    assert progress(world).outstanding == 1


def test_there_is_no_such_recall(world: World) -> None:
    with world.ledger.snapshot() as view:
        assert recall.find_recall(view, "R-9") is None
        for ask in (
            lambda: recall.progress(view, "R-9"),
            lambda: recall.closing(view, id="R-9", by="q", reason="r", on=ON),
        ):
            with pytest.raises(InputError, match="there is no recall 'R-9'"):
                ask()


def test_recalls_are_those_of_a_day(world: World) -> None:
    before = world.clock.now - 1
    open_recall(world)
    open_recall(world, Codes((world.packs[0],)), id="A-1")
    with world.ledger.snapshot() as view:
        assert [file.id for file in recall.recalls(view)] == ["A-1", "R-1"]
        assert recall.recalls(view, before) == ()


def test_another_recall_counts_its_own(world: World) -> None:
    first, second = world.packs[0], world.packs[9]
    world.bring(first, Custody.BONDED)
    world.bring(second, Custody.BONDED)
    open_recall(world)
    open_recall(world, OfProduct(NMPA_PRODUCT), id="R-2")
    with world.ledger.snapshot() as view:
        one, two = recall.recalls(view)
        assert (recall.flagged(view, one), recall.flagged(view, two)) == ((first,), (second,))
