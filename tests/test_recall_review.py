"""What a recall of a lot must not miss, and must not make up: found by trying to break it."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given

from tracechain import recall
from tracechain.criteria import Lot
from tracechain.encoding import encode
from tracechain.event import Event, Extension, ObjectEvent, Quantity, SourceDest, TransformationEvent
from tracechain.event.model import MASTER_DATA
from tracechain.event.sale import LOT, label
from tracechain.replay import MemoryView
from tracechain.testing.samples import PRODUCT, pack_ids
from tracechain.testing.strategies import events
from tracechain.tracing.facts import Log, lot_of
from tracing_histories import at, change, error, into, log_of, made

EYE_DROPS = f"01/{PRODUCT}"
ONE, TWO, THREE, NEW, NEWER = pack_ids(5)
CASE, PLANT = "urn:example:case", "urn:example:plant"


def of_lot(log: MemoryView, lot: str = "A") -> tuple[list[str], set[tuple[str, str]]]:
    """The units of a lot, and what is unresolved."""
    found = recall.fan_out(log, Lot(EYE_DROPS, lot))
    return [unit.unit for unit in found.units], {(one.kind, one.subject) for one in found.unresolved}


def without(log: MemoryView, index: int) -> MemoryView:
    """A log that lost a content, with an index from before that."""
    log._mentioned()
    log._state()
    del log.raw_contents[index]
    return log


# ---- what is no unit of the lot ----------------------------------------------------------------------


def test_an_id_that_looks_like_the_lot_brings_nothing_into_it() -> None:
    there = (SourceDest("location", f"{EYE_DROPS}/10/A"),)
    scanned, made_elsewhere = at(2, PLANT, TWO), made(2, THREE, lot="B")
    log = log_of(
        made(1, ONE, lot="A"), evolve(scanned, destinations=there), evolve(made_elsewhere, destinations=there)
    )  # fmt: skip
    assert of_lot(log) == ([ONE], set())


def test_a_long_lot_is_not_the_one_that_is_named_like_its_digest() -> None:
    long = "9" * 470
    short = f"sha256:{sha256(long.encode()).hexdigest()}"
    log = log_of(made(1, ONE, lot=long), made(1, TWO, lot=short))
    assert of_lot(log, long)[0] == [ONE]
    assert of_lot(log, short)[0] == [TWO]


def test_a_lot_is_of_packs_alone() -> None:
    assert of_lot(log_of(made(1, ONE, f"{EYE_DROPS}/10/A", f"{EYE_DROPS}/235/A", lot="A")))[0] == [ONE]


@given(event=events())
def test_the_lot_that_an_entry_states_is_the_one_that_the_rules_read(event: Event) -> None:
    same_lot(event)


@pytest.mark.parametrize("value", ["A", "", None, True, Decimal(7), "A\tB"])
@pytest.mark.parametrize("namespace", [*MASTER_DATA, "urn:example:"])
@pytest.mark.parametrize("other", [None, Extension(MASTER_DATA[1], LOT, "B"), Extension(MASTER_DATA[2], LOT, None)])
def test_the_lot_of_each_spelling(namespace: str, value: Any, other: Extension | None) -> None:
    stated = (Extension(namespace, LOT, value),)
    second = () if other is None or other.namespace == namespace else (other,)
    for ilmd, extensions in (stated, ()), ((), stated), (stated, second), (second, stated), ((*stated, *second), ()):
        same_lot(evolve(made(1, ONE), ilmd=ilmd, extensions=extensions))


def same_lot(event: Event) -> None:
    fact = Log(log_of()).read(0, bytes(32) + encode(event))
    assert fact is not None
    assert lot_of(fact) == label(event, LOT)


# ---- what is not missed ------------------------------------------------------------------------------


def test_what_is_gone_of_a_lot_is_said() -> None:
    log = without(log_of(made(1, ONE, lot="A"), made(2, TWO, lot="A"), at(3, PLANT, ONE, TWO)), 0)
    assert of_lot(log) == ([TWO], {("pruned", f"{EYE_DROPS}/10/A")})


def test_what_is_gone_of_what_was_made_of_a_lot_is_said() -> None:
    log = without(log_of(made(1, ONE, lot="A"), change(2, (ONE,), (NEW,))), 1)
    assert ("pruned", f"urn:tracechain:transformed:{EYE_DROPS}") in of_lot(log)[1]


def test_a_damaged_content_does_not_keep_a_recall_from_finding_the_rest() -> None:
    log = log_of(made(1, ONE, lot="A"), made(2, TWO, lot="A"), at(3, PLANT, THREE))
    log._mentioned()
    log._state()
    log.raw_contents[0] = bytes(32) + b"\xc1"
    found, unresolved = of_lot(log)
    assert found == [TWO]
    assert ("damaged", f"{EYE_DROPS}/10/A") in unresolved


def test_a_lot_that_was_handled_by_its_class_is_said_however_its_number_is_written() -> None:
    for lot, name in (("A", "A"), ("A/B", "A%2FB"), ("A(1)", "A%281%29")):
        packed = evolve(into(2, CASE, ONE), quantities=(Quantity(f"{EYE_DROPS}/10/{name}", Decimal(5)),))
        assert of_lot(log_of(made(1, ONE, lot=lot), packed), lot)[1] == {("class", f"{EYE_DROPS}/10/{name}")}
    counted = evolve(into(2, CASE, ONE), quantities=(Quantity(EYE_DROPS, Decimal(5)),))
    assert of_lot(log_of(made(1, ONE, lot="A"), counted))[1] == {("class", EYE_DROPS)}


def test_packs_that_went_into_something_without_codes_are_said() -> None:
    bulk = TransformationEvent(
        event_time=2, time_zone_offset=0, epcs=(ONE,), output_quantities=(Quantity("01/09521234002079", Decimal(1)),)
    )
    assert of_lot(log_of(made(1, ONE, lot="A"), bulk)) == ([ONE], {("class", "01/09521234002079")})


def test_a_transformation_in_several_events_is_said() -> None:
    first = TransformationEvent(event_time=2, time_zone_offset=0, epcs=(ONE,), transformation_id="urn:example:run:1")
    second = evolve(first, event_time=3, epcs=(), output_epcs=(NEW,))
    assert of_lot(log_of(made(1, ONE, lot="A"), first, second)) == ([ONE], {("left", "urn:example:run:1")})


def test_a_unit_whose_lot_was_stated_in_error_and_never_again_is_said() -> None:
    wrong = made(1, ONE, TWO, lot="A")
    log = log_of(wrong, error(wrong), made(2, TWO, lot="B"), at(3, PLANT, ONE, TWO))
    assert of_lot(log) == ([], {("contradiction", ONE)})


def test_new_codes_are_found_in_any_order_of_the_log() -> None:
    codes = [f"{EYE_DROPS}/21/{number:04}" for number in range(40)]
    steps: list[ObjectEvent | TransformationEvent] = [
        change(10 + number, (old,), (new,)) for number, (old, new) in enumerate(pairwise(codes))
    ]
    for order in (steps, steps[::-1], steps[::2] + steps[1::2][::-1]):
        assert of_lot(log_of(made(1, codes[0], lot="A"), *order))[0] == codes


def test_new_codes_that_lead_back_end() -> None:
    log = log_of(
        made(1, ONE, lot="A"), change(4, (NEWER,), (ONE,)), change(3, (NEW,), (NEWER,)), change(2, (ONE,), (NEW,))
    )
    assert of_lot(log)[0] == sorted((ONE, NEW, NEWER))


# ---- two ledgers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", [None, -5, 0, 5])
@pytest.mark.parametrize(
    "other", [{"lot": None}, {"place": ""}, {"time": -1}, {"time": None}, {"state": 2}, {"time": 4}]
)
def test_it_does_not_matter_which_ledger_comes_first(time: int | None, other: dict[str, Any]) -> None:
    one = recall.Affected(ONE, 1, 7, None, None, None, time, "")
    first, second = (
        recall.FanOut(frozenset((name,)), 8, Lot(EYE_DROPS, "A"), (unit,))
        for name, unit in ((b"1", one), (b"2", one._replace(**other)))
    )
    assert first.merge(second) == second.merge(first)
    assert first.merge(first).units == first.units
    if time is not None and other == {"time": None}:
        assert first.merge(second).units == (one,)
