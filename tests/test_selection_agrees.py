"""Random criteria over random histories: what is drawn is what is chosen of all packs, and what the slow model covers,
with the same left unresolved, over every kind of view."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_world import EYE_DROPS, NMPA_PRODUCT, PHARMACY, World
from recall_model import covered
from test_selection import OTHER_PRODUCT, PACK, select
from tracechain import criteria
from tracechain.criteria import Criterion
from tracechain.replay import MemoryView
from tracechain.tracing import Unresolved
from tracechain.view import View
from tracing_histories import BASE, CARRIERS, LOTS, PLACES, SECOND, THINGS, History, Player, histories, random_history
from tracing_model import Model

Paths = Callable[[], Path]


PRODUCTS = (EYE_DROPS, OTHER_PRODUCT, NMPA_PRODUCT)
_time = st.integers(-1, 40).map(lambda second: BASE + second * SECOND)
_window = st.tuples(_time, _time).map(sorted).map(tuple) | st.tuples(st.none() | _time, st.none()) | st.tuples(
    st.none(), _time
)  # fmt: skip
_things = st.sampled_from(THINGS)
_places = st.sampled_from([place for place in PLACES if place])
_limits = st.sampled_from(({"above": Decimal(8)}, {"below": Decimal(8)}, {"above": Decimal(25), "below": Decimal(5)}))


def simple() -> st.SearchStrategy[Criterion]:
    """Criteria that hold no others."""
    windowed: list[tuple[Any, st.SearchStrategy[str]]] = [
        (criteria.ThroughPlace, _places),
        (criteria.ThroughContainer, _things),
        (criteria.ByCarrier, st.sampled_from(CARRIERS)),
    ]
    return st.one_of(
        st.builds(criteria.Lot, st.sampled_from(PRODUCTS), st.sampled_from([lot for lot in LOTS if lot])),
        st.builds(criteria.OfProduct, st.sampled_from(PRODUCTS)),
        st.sampled_from((criteria.ByMaker("Example Pharma"), criteria.ByMerchant(PHARMACY))),
        st.tuples(_time, _time).filter(lambda t: t[0] != t[1]).map(lambda t: criteria.Commissioned(*sorted(t))),
        st.lists(_things, min_size=1, max_size=4).map(lambda codes: criteria.Codes(tuple(codes))),
        st.builds(criteria.SharedContainer, _things),
        *(st.builds(lambda kind, name, w: kind(name, *w), st.just(kind), names, _window) for kind, names in windowed),
        st.builds(
            lambda limits, lasting: criteria.Measured("temperature", **limits, longer_than=lasting * SECOND),
            _limits, st.integers(0, 5),
        ),
    )  # fmt: skip


def composed() -> st.SearchStrategy[Criterion]:
    """And those that do."""
    return st.recursive(
        simple(),
        lambda inner: (
            st.tuples(inner, inner).map(lambda two: two[0] & two[1])
            | st.tuples(inner, inner).map(lambda two: two[0] | two[1])
            | inner.map(lambda one: ~one)
        ),
        max_leaves=5,
    )


def views(world: World) -> Iterator[View]:
    """A live ledger, a copy of it, and its log alone."""
    with world.ledger.snapshot() as view:
        copy = MemoryView.of(view)
        yield from (view, copy)
        yield MemoryView(copy.raw_headers, copy.raw_contents, copy.raw_rows, copy.checkpoint, copy.size)


def told(path: Path, history: History, wanted: list[Criterion], *, pilot: bool) -> None:
    world = World(path) if pilot else World(path, ())
    player = Player(world if pilot else None)
    with contextlib.closing(world):
        for commit in history.commits:
            for items in commit.appends:
                if batch := tuple(player.contents(items)):
                    world.ledger.append(batch)
            world.clock.advance(1000)
        model: Model | None = None
        answers: list[tuple[set[str], set[Unresolved]]] = []
        for view in views(world):
            if model is None:
                model = Model(view)
            found = [select(view, criterion) for criterion in wanted]
            # Asked of each pack, nothing else is covered than what was drawn.
            packs = criteria.Codes(tuple(model.packs or [PACK]))
            asked = [select(view, packs & criterion)[0] for criterion in wanted]
            assert [covers for covers, _ in found] == asked == [covered(model, criterion) for criterion in wanted]
            answers = answers or found
            assert found == answers


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return lambda: tmp_path_factory.mktemp("history")


@settings(max_examples=60)
@given(history=histories(), wanted=st.lists(simple() | composed(), min_size=1, max_size=12))
def test_a_ledger_without_a_profile(paths: Paths, history: History, wanted: list[Criterion]) -> None:
    told(paths(), history, wanted, pilot=False)


@settings(max_examples=20)
@given(history=histories(pilot=True), wanted=st.lists(simple() | composed(), min_size=1, max_size=12))
def test_a_ledger_of_the_pilot(paths: Paths, history: History, wanted: list[Criterion]) -> None:
    told(paths(), history, wanted, pilot=True)


@settings(max_examples=25)
@given(seed=st.integers(0, 1 << 32), wanted=st.lists(simple() | composed(), min_size=8, max_size=24))
def test_longer_histories(paths: Paths, seed: int, wanted: list[Criterion]) -> None:
    told(paths(), random_history(seed, pilot=seed % 3 == 0), wanted, pilot=seed % 3 == 0)
