"""A recall finds what the slow model finds, and each pack where the model has it: over random histories and criteria,
over live ledgers and copies of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilot_world import EYE_DROPS, NMPA_PRODUCT, PHARMACY, World
from recall_model import affected
from test_tracing_agrees import record
from tracechain import criteria, recall
from tracechain.criteria import Criterion
from tracechain.recall import ground, lives, parts, reach
from tracechain.replay import MemoryView
from tracechain.testing.samples import pack_ids
from tracechain.tracing import containment, facts, locate
from tracechain.view import View
from tracing_histories import (
    BASE,
    CARRIERS,
    LEVELS,
    LOTS,
    PLACES,
    SECOND,
    THINGS,
    History,
    Player,
    change,
    error,
    histories,
    log_of,
    made,
    random_history,
)
from tracing_model import Model

Paths = Callable[[], Path]
PRODUCTS = (EYE_DROPS, "01/09521234002079", NMPA_PRODUCT)


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return lambda: tmp_path_factory.mktemp("history")


# ---- criteria ----------------------------------------------------------------------------------------


_time = st.integers(-1, 40).map(lambda second: BASE + second * SECOND)
_window = st.tuples(st.none() | _time, st.none() | _time).map(
    lambda pair: tuple(sorted(pair)) if None not in pair else pair  # type: ignore[type-var]  # no None is sorted
)
_lots = st.builds(criteria.Lot, st.sampled_from(PRODUCTS), st.sampled_from([lot for lot in LOTS if lot]))
_codes = st.lists(st.sampled_from(THINGS), min_size=1, max_size=8).map(lambda codes: criteria.Codes(tuple(codes)))


def simple() -> st.SearchStrategy[Criterion]:
    """Criteria that hold no others."""
    things, places = st.sampled_from(THINGS), st.sampled_from([place for place in PLACES if place])
    return st.one_of(
        _lots,
        _codes,
        st.builds(criteria.OfProduct, st.sampled_from(PRODUCTS)),
        st.sampled_from(
            (criteria.ByMaker("Example Pharma"), criteria.ByMerchant(PHARMACY), criteria.ByMaker("No one"))
        ),
        st.tuples(_time, _time).map(lambda pair: criteria.Commissioned(min(pair), max(pair))),
        st.builds(lambda place, window: criteria.ThroughPlace(place, *window), places, _window),
        st.builds(lambda thing, window: criteria.ThroughContainer(thing, *window), things, _window),
        st.builds(lambda who, window: criteria.ByCarrier(who, *window), st.sampled_from(CARRIERS), _window),
        st.builds(criteria.SharedContainer, things),
        st.builds(
            criteria.Measured,
            st.sampled_from(("temperature", "temperature", "humidity")),
            st.just(20),
            st.sampled_from((None, 10)),
            st.sampled_from((0, 0, 1, 2, 5)).map(lambda seconds: seconds * SECOND),
        ),
    )


def composed() -> st.SearchStrategy[Criterion]:
    """And those that do."""
    return st.recursive(
        simple(),
        lambda inner: (
            st.tuples(inner, inner).map(lambda two: two[0] & two[1])
            | st.tuples(inner, inner).map(lambda two: two[0] | two[1])
            | inner.map(lambda one: ~one)
        ),
        max_leaves=4,
    )


ALL = criteria.Codes(LEVELS[0])
LOTS_OF_ALL = [criteria.Lot(product, lot) for product in PRODUCTS for lot in LOTS if lot]


# ---- what has to agree -------------------------------------------------------------------------------


def same_fan_out(view: View, model: Model, criterion: Criterion) -> None:
    found = recall.fan_out(view, criterion)
    assert list(found.units) == affected(model, criterion)
    assert found.size == view.size
    contradictions = {one.subject for one in found.unresolved if one.kind == "contradiction"}
    assert {unit.unit for unit in found.units if model.contradicted(unit.unit)} <= contradictions


def told(path: Path, history: History, *wanted: Criterion, pilot: bool) -> None:
    world = World(path) if pilot else World(path, ())
    player = Player(world if pilot else None)
    with contextlib.closing(world):
        for commit in history.commits:
            record(world, player, commit)
        with world.ledger.snapshot() as view:
            model = Model(view)
            copy = MemoryView.of(view)
            bare = MemoryView(copy.raw_headers, copy.raw_contents, copy.raw_rows, copy.checkpoint, copy.size)
            for criterion in (ALL, *wanted):
                for one in (view, copy, bare):
                    same_fan_out(one, model, criterion)
        world.ledger.reindex()
        with world.ledger.snapshot() as view:
            same_fan_out(view, model, ALL)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done some thousands at a time is done a few at a time, and what is remembered is forgotten soon."""
    for module in (ground, lives, parts, reach, locate):
        monkeypatch.setattr(module, "CHUNK", 2)
    for module, name, most in (
        (reach, "_FEW", 0), (locate, "_WALK_MOST", 2), (containment, "_MOST", 2), (facts, "_FACTS_MOST", 2),
        (facts, "_ROWS_MOST", 2),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, most)


@settings(max_examples=200)
@given(history=histories(), criterion=composed())
def test_a_ledger_without_a_profile(paths: Paths, history: History, criterion: Criterion) -> None:
    told(paths(), history, criterion, pilot=False)


@settings(max_examples=80)
@given(history=histories(pilot=True), criterion=composed())
def test_a_ledger_of_the_pilot(paths: Paths, history: History, criterion: Criterion) -> None:
    told(paths(), history, criterion, pilot=True)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10**9),
    wanted=st.lists(composed(), min_size=20, max_size=20),
    pilot=st.sampled_from((False, False, True)),
)
def test_longer_histories(paths: Paths, seed: int, wanted: list[Criterion], pilot: bool) -> None:
    told(paths(), random_history(seed, pilot=pilot), *LOTS_OF_ALL, *wanted, pilot=pilot)


@pytest.mark.usefixtures("little")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**9),
    wanted=st.lists(composed(), min_size=20, max_size=20),
    pilot=st.sampled_from((False, False, True)),
)
def test_a_few_at_a_time(paths: Paths, seed: int, wanted: list[Criterion], pilot: bool) -> None:
    told(paths(), random_history(seed, pilot=pilot), *LOTS_OF_ALL, *wanted, pilot=pilot)


@pytest.mark.torture
@pytest.mark.timeout(7200)
@given(
    seed=st.integers(0, 10**9),
    size=st.integers(20, 200),
    wanted=st.lists(composed(), min_size=40, max_size=40),
    pilot=st.sampled_from((False, False, True)),
)
def test_many_histories(paths: Paths, seed: int, size: int, wanted: list[Criterion], pilot: bool) -> None:
    told(paths(), random_history(seed, size, pilot=pilot), *LOTS_OF_ALL, *wanted, pilot=pilot)


# ---- what random histories found ---------------------------------------------------------------------


def test_a_lot_that_was_stated_in_error_is_none_whatever_the_declaration_says_of_it() -> None:
    pack, other = pack_ids(2)
    stated = made(10, pack, other, lot="LOT-A7")
    view = log_of(stated, error(stated, epcs=(pack,), ilmd=()))
    assert [unit.unit for unit in recall.fan_out(view, criteria.Lot(EYE_DROPS, "LOT-A7")).units] == [other]


def test_a_lot_that_went_into_bulk_and_on_is_followed_and_the_bulk_is_no_pack() -> None:
    pack, new = pack_ids(2)
    view = log_of(made(10, pack, lot="A"), change(20, (pack,), ("urn:bulk",)), change(30, ("urn:bulk",), (new,)))
    assert [unit.unit for unit in recall.fan_out(view, criteria.Lot(EYE_DROPS, "A")).units] == [pack, new]
