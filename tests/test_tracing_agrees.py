"""Tracing says what the slow model says: over random histories, as of any moment, over live ledgers and copies of them.

Packing and unpacking at five levels, rightly and wrongly, in and out of order of the claimed times, errors declared,
relabelling, returns; several statements and commits, with and without a profile, ledgers opened anew and indices
rebuilt in between.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_world import World, compare
from tracechain.custody import PACKING
from tracechain.entry import SALT_SIZE, decode_rows
from tracechain.errors import RefusedError
from tracechain.event import Event, Quantity
from tracechain.ledger import Receipt, maintenance, tracks
from tracechain.ledger.commit import prepare
from tracechain.ledger.groups import Request
from tracechain.ledger.jobs import Append, Job
from tracechain.record import Record, authorise
from tracechain.replay import MemoryView, replay
from tracechain.testing.samples import PRODUCT, case_id, pack_ids, sensor
from tracechain.tracing import Tracer, containment, facts
from tracechain.verification import verify
from tracechain.view import View
from tracing_histories import Commit, History, Player, at, change, error, histories, into, log_of, random_history
from tracing_model import Model, Seen

Paths = Callable[[], Path]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return lambda: tmp_path_factory.mktemp("history")


# ---- a history on a ledger ---------------------------------------------------------------------------


def record(world: World, player: Player, commit: Commit) -> None:
    """Make a commit of a history. What strict refuses is kept as evidence."""
    if commit.before == "reopen":
        world.reopen()
    elif commit.before == "reindex":
        world.ledger.reindex()
    batches = [batch for items in commit.appends if (batch := tuple(player.contents(items)))]
    if commit.station:
        _by_station(world, player, batches)
    elif len(batches) == 1:
        if commit.strict:
            with contextlib.suppress(RefusedError):
                world.ledger.append(batches[0], strict=True)
                return
        world.ledger.append(batches[0])
    elif batches:
        _together(world, batches)
    world.clock.advance(1000)


def _by_station(world: World, player: Player, batches: list[tuple[Event | Record, ...]]) -> None:
    ledger = world.ledger
    if not player.has_station:
        ledger.authorise(authorise(ledger.ledger_id, world.keys.station, world.keys.root, "station", None))
        player.has_station = True
    for batch in batches:
        ledger.submit(world.station.make(batch, at=world.clock.now))


def _together(world: World, batches: list[tuple[Event | Record, ...]]) -> None:
    ledger = world.ledger
    requests: list[Request[Job, Receipt]] = [
        Request(Append(prepare(batch, 0, ledger._random, ledger._rule_set), strict=False)) for batch in batches
    ]
    ledger._commit_group(requests)
    assert all(request.error is None for request in requests)


# ---- what has to agree -------------------------------------------------------------------------------


def packing_rows(view: View) -> list[tuple[int, str, int]]:
    """What the rows say of packing."""
    return [
        (index, row.subject, code)
        for index, part in view.all_rows(0, view.size)
        for row in decode_rows(part[SALT_SIZE:])[1]
        for code in row.violations
        if code in PACKING
    ]


def same_whereabouts(tracer: Tracer, model: Model, subject: str, as_of: int | None) -> None:
    """Whereabouts are those of the model."""
    found, wanted = tracer.whereabouts(subject, as_of), model.whereabouts(subject, as_of)
    assert (found.place, found.time, found.index, found.seen) == (wanted.place, wanted.time, wanted.index, wanted.seen)
    assert found.containers == wanted.containers
    assert found.successors == wanted.successors
    if as_of is None:
        assert found.unit is not None
        assert (found.unit.last, found.unit.state) == model.known[subject]
    else:
        assert (None if found.unit is None else found.unit.state) == wanted.state
    assert (found.holder.kind, found.holder.id) == wanted.holder
    kinds = {one.kind for one in found.unresolved}
    assert ("contradiction" in kinds) is model.contradicted(subject, as_of)
    assert "cycle" in kinds or not model.circle(subject, as_of)


def same_trace(tracer: Tracer, model: Model, subject: str, as_of: int | None = None) -> None:
    """A trace is that of the model, and all of it verifies."""
    found = tracer.trace(subject, as_of)
    lines = [Seen(step.index, step.relation, step.voided, step.declares) for step in found.steps]
    assert lines == model.trace(subject, as_of)
    assert list(found.stays) == model.stays(subject, as_of)
    assert {(kin.code, kin.relation, kin.index) for kin in found.kin} == model.kin(subject, as_of)
    assert found, found.findings


def answers(view: View, model: Model) -> None:
    """Everything that can be asked about subjects, as of any time: by a tracer that knows nothing yet, and by one that
    has answered about others."""
    known = Tracer(view)
    for subject in model.known:
        same_whereabouts(Tracer(view), model, subject, None)
        same_trace(Tracer(view), model, subject)
        for time in model.times():
            same_whereabouts(known, model, subject, time)
            assert known.containment.contents(subject, time) == model.contents(subject, time)
        same_whereabouts(known, model, subject, None)
        same_trace(known, model, subject)


def mentioned(view: View) -> dict[str, list[int]]:
    """All names that events mention, with their entries."""
    return {name: [index for run in view.mentions(name) for index in run] for name in view.names("")}


def agrees(world: World) -> None:
    """The answers of the model, of the live ledger, of copies of it, and after the index was rebuilt, are the same."""
    with world.ledger.snapshot() as view:
        model = Model(view)
        assert packing_rows(view) == sorted(model.packing_violations())
        state = replay(view)
        compare(view, state)
        report = verify(view, verifier=world.ledger.verifier, index=True)
        assert report, report.findings
        answers(view, model)
        copy = MemoryView.of(view)
        bare = MemoryView(copy.raw_headers, copy.raw_contents, copy.raw_rows, copy.checkpoint, copy.size)
        words, mentions = view.words(list(model.known)), mentioned(view)
        assert copy.words(list(model.known)) == bare.words(list(model.known)) == words
        assert mentioned(copy) == mentioned(bare) == mentions
        times: list[int | None] = [*model.times(), None]
        for tracer in (Tracer(copy), Tracer(bare)):
            for number, subject in enumerate(model.known):
                same_whereabouts(tracer, model, subject, None)
                same_trace(tracer, model, subject, times[number % len(times)])
    world.ledger.reindex()
    with world.ledger.snapshot() as view:
        compare(view, state)
        assert view.words(list(model.known)) == words
        assert mentioned(view) == mentions
        tracer = Tracer(view)
        for subject in model.known:
            same_whereabouts(tracer, model, subject, None)


def told(path: Path, history: History, *, pilot: bool) -> None:
    world = World(path) if pilot else World(path, ())
    player = Player(world if pilot else None)
    with contextlib.closing(world):
        for commit in history.commits:
            record(world, player, commit)
        agrees(world)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done some thousands at a time is done a few at a time, and what is remembered is forgotten soon."""
    for module in (tracks, maintenance):
        monkeypatch.setattr(module, "TIMES_BLOCK", 4)
    monkeypatch.setattr(tracks, "_PACKINGS_MOST", 2)
    monkeypatch.setattr(containment, "_MOST", 2)
    for name in ("_FACTS_MOST", "_ROWS_MOST"):
        monkeypatch.setattr(facts, name, 2)


@settings(max_examples=150)
@given(history=histories())
def test_a_ledger_without_a_profile(paths: Paths, history: History) -> None:
    told(paths(), history, pilot=False)


@settings(max_examples=60)
@given(history=histories(pilot=True))
def test_a_ledger_of_the_pilot(paths: Paths, history: History) -> None:
    told(paths(), history, pilot=True)


@pytest.mark.parametrize("seed", range(40))
def test_longer_histories(tmp_path: Path, seed: int) -> None:
    told(tmp_path, random_history(seed, pilot=seed % 3 == 0), pilot=seed % 3 == 0)


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("seed", range(40, 55))
def test_a_few_at_a_time(tmp_path: Path, seed: int) -> None:
    told(tmp_path, random_history(seed, pilot=seed % 3 == 0), pilot=seed % 3 == 0)


@pytest.mark.torture
@pytest.mark.timeout(7200)
@given(history=histories(12))
def test_many_ledgers_without_a_profile(paths: Paths, history: History) -> None:
    told(paths(), history, pilot=False)


@pytest.mark.torture
@pytest.mark.timeout(7200)
@given(history=histories(12, pilot=True))
def test_many_ledgers_of_the_pilot(paths: Paths, history: History) -> None:
    told(paths(), history, pilot=True)


@pytest.mark.torture
@pytest.mark.timeout(7200)
@given(seed=st.integers(0, 10**9), size=st.integers(20, 200))
def test_many_longer_histories(paths: Paths, seed: int, size: int) -> None:
    told(paths(), random_history(seed, size, pilot=seed % 3 == 0), pilot=seed % 3 == 0)


# ---- what random histories found ---------------------------------------------------------------------


PACK, SECOND, NEW, THIRD = pack_ids(4)
CASE = case_id(1)


def test_an_error_for_one_pack_leaves_the_others_in_the_case() -> None:
    packing = into(10, CASE, PACK, SECOND)
    view = log_of(packing, error(packing, epcs=(PACK,)))
    assert Tracer(view).containment.contents(CASE) == [SECOND]


def test_a_class_that_is_packed_beside_codes_is_in_nothing() -> None:
    lot = f"01/{PRODUCT}/10/LOT-A7"
    view = log_of(evolve(into(10, CASE, PACK), quantities=(Quantity(lot, Decimal(2)),)))
    assert Tracer(view).whereabouts(PACK).containers == (CASE,)
    assert Tracer(view).whereabouts(lot).containers == ()


def test_a_code_that_was_made_twice_is_a_successor_once() -> None:
    view = log_of(change(10, (PACK,), (NEW,)), change(20, (PACK,), (NEW,)))
    assert Tracer(view).whereabouts(PACK).successors == (NEW,)


def test_kin_that_comes_in_twice_is_told_of_up_to_the_later_time() -> None:
    view = log_of(
        change(10, (PACK,), (SECOND,)),
        at(15, "urn:example:shop", PACK),
        change(20, (PACK,), (THIRD,)),
        change(30, (SECOND, THIRD), (NEW,)),
    )
    assert [step.index for step in Tracer(view).trace(NEW).steps] == [0, 1, 2, 3]


def test_what_a_logger_measured_by_itself_is_found_after_a_rebuild(tmp_path: Path) -> None:
    world = World(tmp_path, ())
    with contextlib.closing(world):
        world.keep(sensor("30"))
        for _ in range(2):
            with world.ledger.snapshot() as view:
                assert mentioned(view)["urn:tracechain:sensors"] == [view.size - 1]
            world.ledger.reindex()
