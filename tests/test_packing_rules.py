"""Packing: what breaks its rules, as it is recorded (S1 V: whereabouts known throughout circulation)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from pilot_world import World, example, living
from tracechain.custody import Custody, Violation
from tracechain.errors import RefusedError
from tracechain.event import AggregationEvent, ErrorDeclaration, Event
from tracechain.ledger import Ledger
from tracechain.ledger.receipt import Violated
from tracechain.testing import START, new_ledger
from tracechain.testing.samples import case_id, commission, pack, pack_ids, unpack

V = Violation
CASE, OTHER, PALLET, CONTAINER = map(case_id, range(1, 5))
ONE, TWO, THREE = pack_ids(3)
SECOND = 1_000_000_000


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger without a profile: packing is judged there too."""
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([commission((ONE, TWO, THREE))])
        yield ledger


def broken(ledger: Ledger, *events: Event) -> list[tuple[str, str]]:
    return [(violated.subject, violated.name) for violated in ledger.append(events).violations]


@example("S1 V", V.ALREADY_PACKED)
def test_a_pack_is_in_one_container_at_a_time(world: World) -> None:
    unit = world.bring(world.packs[0], Custody.ACTIVE)
    world.keep(pack(CASE, (unit,)))
    world.breaks(pack(OTHER, (unit,)), V.ALREADY_PACKED)
    # The fact stands all the same: it is in the other one now.
    world.keep(unpack(OTHER, (unit,)))
    assert world.custody(unit) == Custody.ACTIVE


@example("S1 V", V.PACKING_CYCLE)
def test_nothing_is_packed_into_what_is_in_it(world: World) -> None:
    unit = world.bring(world.packs[0], Custody.ACTIVE)
    world.keep(pack(unit, (CASE,)))
    world.breaks(pack(CASE, (unit,)), V.PACKING_CYCLE)


@example("S1 V", V.NOT_PACKED)
def test_nothing_is_taken_out_that_is_not_in(world: World) -> None:
    unit = world.bring(world.packs[0], Custody.ACTIVE)
    world.breaks(unpack(CASE, (unit,)), V.NOT_PACKED)
    world.keep(pack(CASE, (unit,)))
    world.keep(unpack(CASE, (unit,)))
    world.breaks(unpack(CASE, (unit,)), V.NOT_PACKED)


def test_without_a_profile_packing_is_judged_as_well(ledger: Ledger) -> None:
    assert broken(ledger, pack(CASE, (ONE, TWO))) == []
    assert broken(ledger, pack(CASE, (ONE,))) == []  # it is in it: nothing new
    assert broken(ledger, pack(OTHER, (ONE, THREE))) == [(ONE, "ALREADY_PACKED")]
    assert broken(ledger, unpack(CASE, (ONE, TWO))) == [(ONE, "NOT_PACKED")]
    assert broken(ledger, evolve(pack(CASE, (ONE,)), action="OBSERVE")) == [(ONE, "ALREADY_PACKED")]
    assert broken(ledger, evolve(pack(CASE, (TWO,)), action="OBSERVE")) == []


def test_containers_pack_like_packs_and_cycles_of_any_length_are_seen(ledger: Ledger) -> None:
    assert broken(ledger, pack(CASE, (ONE,)), pack(PALLET, (CASE,)), pack(CONTAINER, (PALLET,))) == []
    assert broken(ledger, pack(CASE, (CONTAINER,))) == [(CONTAINER, "PACKING_CYCLE")]
    assert broken(ledger, pack(CASE, (CASE,))) == [(CASE, "PACKING_CYCLE")]
    assert broken(ledger, unpack(CONTAINER, (PALLET,)), pack(CASE, (CONTAINER,))) == []


def test_emptying_takes_everything_out(ledger: Ledger) -> None:
    assert broken(ledger, pack(CASE, (ONE, TWO)), unpack(CASE)) == []
    assert broken(ledger, unpack(CASE, (ONE,))) == [(ONE, "NOT_PACKED")]
    assert broken(ledger, pack(OTHER, (ONE,)), pack(CASE, (TWO,))) == []
    assert broken(ledger, unpack(CASE, (TWO,))) == []


def test_a_packing_declared_an_error_is_taken_back(ledger: Ledger) -> None:
    def declared(event: AggregationEvent) -> AggregationEvent:
        return evolve(event, error_declaration=ErrorDeclaration(declaration_time=event.event_time + SECOND))

    wrong = pack(OTHER, (ONE,))
    assert broken(ledger, wrong, declared(wrong), pack(CASE, (ONE,))) == []
    out = unpack(CASE, (ONE,), at=START + 9 * SECOND)
    assert broken(ledger, out, declared(out)) == []
    assert broken(ledger, pack(OTHER, (ONE,))) == [(ONE, "ALREADY_PACKED")]


def test_a_strict_submission_is_refused_whole_for_packing_too(ledger: Ledger) -> None:
    size = ledger.append([pack(CASE, (ONE,))]).first
    with pytest.raises(RefusedError, match="NOT_PACKED") as refused:
        ledger.append([unpack(CASE, (ONE,)), unpack(CASE, (ONE,)), pack(OTHER, (TWO,))], strict=True)
    (violated,) = refused.value.violations
    assert isinstance(violated, Violated)
    assert (violated.subject, violated.name) == (ONE, "NOT_PACKED")
    with ledger.snapshot() as view:
        assert view.size == size + 1
    receipt = ledger.append([unpack(CASE, (ONE,)), pack(OTHER, (ONE,)), pack(PALLET, (OTHER,))], strict=True)
    assert receipt.violations == ()
