"""Replayed: what a whole bundle says as of a moment is what the live ledger said then, whatever is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bundle_answers import answers, index_of
from pilot_world import EYE_DROPS, LOT_NUMBER, World
from pruned import Lives
from recall_samples import closed, opened, told
from retained import DAY, day, policy
from tracechain import recall
from tracechain.bundle.view import open_whole
from tracechain.bundle.whole import export_whole
from tracechain.criteria import Lot
from tracechain.custody import Custody
from tracechain.errors import DataError
from tracechain.registers import CaseStep
from tracechain.replay import MemoryView, replay
from tracechain.replayed import Remembering, Replayed, entries_received
from tracechain.retention.plan import plan
from tracechain.testing.samples import case_id
from tracechain.verification import verify_rules
from tracechain.verification.audit import audit
from tracechain.view import View
from tracing_histories import random_history

Moments = list[tuple[int, int, dict[str, Any]]]


def look(world: World, moments: Moments) -> None:
    """Remember what the ledger says now."""
    with world.ledger.snapshot() as view:
        moments.append((view.size, world.clock.now, answers(view, world.clock.now)))
    world.clock.advance(1000)


def same(bundle: View, moments: Moments) -> None:
    """The bundle says the same of each moment, by the number of entries and by the time."""
    for size, now, then in moments:
        assert entries_received(bundle, now) == size
        found = answers(Replayed.of(bundle, size), now)
        for name in then:
            assert found[name] == then[name], name


@pytest.mark.parametrize("seed", range(4))
def test_a_bundle_says_what_the_ledger_said_then(tmp_path: Path, seed: int) -> None:
    lives, moments = Lives(tmp_path), Moments()
    world = lives.world
    look(world, moments)
    for part in range(3):
        lives.play(random_history(100 * seed + part, 25, pilot=True))
        look(world, moments)
    with world.ledger.snapshot() as view:
        export_whole(view, tmp_path / "bundle.zip", exported_ms=0)
        full = answers(view, world.clock.now)
    world.ledger.append([world.record(opened())])  # the ledger goes on
    world.close()
    assert len({size for size, _, _ in moments}) == 4
    with open_whole(tmp_path / "bundle.zip") as bundle:
        same(bundle, moments)
        # Its own index is that of its end.
        assert answers(bundle, world.clock.now) == full


def test_recalls_and_cases_are_those_of_then(tmp_path: Path) -> None:
    world, moments = World(tmp_path), Moments()
    packs = [world.bring(pack, custody) for pack, custody in zip(world.packs[:4], list(Custody)[4:8], strict=True)]
    look(world, moments)
    with world.ledger.snapshot() as view:
        made = recall.opening(
            view, id="R-9", criterion=Lot(EYE_DROPS, LOT_NUMBER), recall_class="1", by="quality", reason="particles",
            on=opened().on, time=world.now,
        )  # fmt: skip
    world.ledger.append(made)
    look(world, moments)
    world.register(told("R-9"), case_step(packs[0]))
    look(world, moments)
    world.register(closed("R-9"))
    look(world, moments)
    with world.ledger.snapshot() as view:
        export_whole(view, tmp_path / "bundle", exported_ms=0)
    world.close()
    assert [len(then["recalls"]) for _, _, then in moments] == [0, 1, 1, 1]
    assert moments[1][2]["progress"]["R-9"].affected >= 3
    assert any(moments[1][2]["index"]["spent"].values())
    assert [len(then["cases"]) for _, _, then in moments] == [0, 0, 1, 1]
    with open_whole(tmp_path / "bundle") as bundle:
        same(bundle, moments)


def case_step(pack: str) -> CaseStep:
    return CaseStep(
        id="C-1", type="complaint", phase="opened", on=opened().on, by="service", text="blurred", about=(pack,)
    )


def test_after_a_pruning_it_says_what_the_ledger_says_now(tmp_path: Path) -> None:
    """Of what is gone it says what the rows tell, as the live index does from then on."""
    lives = Lives(tmp_path)
    world = lives.world
    world.ledger.retain(policy(wait=1))
    for seed in range(2):
        lives.play(random_history(seed, 40, pilot=True))
    world.clock.advance(2 * DAY)
    lives.play(random_history(6, 5, pilot=True))
    world.clock.advance(2 * 366 * DAY)
    world.ledger.accept_clock("closed")
    lives.play(random_history(7, 20, pilot=True))
    with world.ledger.snapshot() as view:
        made = plan(view, as_of=day(world.clock.now))
    world.ledger.announce(made, name="p", reason="Due")
    lives.play(random_history(8, 15, pilot=True))
    world.clock.advance(DAY)
    assert world.ledger.prune("p").content_count
    lives.play(random_history(9, 15, pilot=True))
    with world.ledger.snapshot() as view:
        export_whole(view, tmp_path / "bundle", exported_ms=0)
        then = answers(view, world.clock.now)
    world.close()
    with open_whole(tmp_path / "bundle") as bundle:
        done = audit(bundle)
        assert done.report, done.report.findings
        for found in (answers(done.view, world.clock.now), answers(bundle, world.clock.now)):
            for name in then:
                assert found[name] == then[name], name
        assert done.view.state.lost
        assert done.report.notes == verify_rules(bundle, index=False).notes


# ---- the view ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    lives = Lives(tmp_path_factory.mktemp("replayed"))
    lives.play(random_history(5, 40, pilot=True))
    yield lives.world
    lives.world.close()


def test_it_ends_where_it_ends(world: World) -> None:
    with world.ledger.snapshot() as snapshot:
        size = snapshot.size
        stop = size - 5
        view = Replayed.of(snapshot, stop)
        assert isinstance(view, View)
        assert (view.size, view.checkpoint) == (stop, "")
        assert Replayed.of(snapshot).checkpoint == snapshot.checkpoint
        asked: list[Callable[[View, int], Any]] = [View.header, View.content, View.rows, View.row_nodes]
        for one in asked:
            name = one.__name__
            assert [getattr(view, name)(index) for index in range(stop)] == [
                getattr(snapshot, name)(index) for index in range(stop)
            ]
            assert [getattr(view, name)(index) for index in range(stop, size + 2)] == [None] * (size + 2 - stop)
        for start, end in [(0, stop), (3, size), (stop - 1, stop + 1), (stop, size), (size, size + 3), (5, 5)]:
            for name in ("headers", "contents", "all_rows"):
                expected = [(at, part) for at, part in getattr(snapshot, name)(start, end) if at < stop]
                assert list(getattr(view, name)(start, end)) == expected
            for mine, theirs in zip(view.block(start, end), snapshot.block(start, end), strict=True):
                assert mine == [part if at < stop else None for at, part in enumerate(theirs, start)]
        assert view.parts([1, stop - 1, stop]) == [*snapshot.parts([1, stop - 1]), (None, None)]
        assert view.node(4, 0) == snapshot.node(4, 0) is not None
        assert view.node(4, stop >> 4) is None


def test_each_size_comes_to_the_same_alone_as_on_the_way(world: World) -> None:
    with world.ledger.snapshot() as snapshot:
        state = Remembering(log=snapshot)
        for start, stop in pairwise((0, 1, 2, 20, 21, snapshot.size)):
            assert replay(snapshot, stop=stop, state=state) is state
            assert state.size == stop > start
            assert index_of(Replayed(snapshot, state)) == index_of(Replayed.of(snapshot, stop))


def test_how_many_entries_there_were(world: World) -> None:
    with world.ledger.snapshot() as snapshot:
        times = [int.from_bytes(header[8:16], "big") for _, header in snapshot.headers(0, snapshot.size)]
        for at in {*times, *(one - 1 for one in times), *(one + 1 for one in times), 0, 1 << 60}:
            assert entries_received(snapshot, at) == sum(one <= at for one in times)


def test_what_cannot_be_replayed_says_where(world: World) -> None:
    with world.ledger.snapshot() as snapshot:
        view = MemoryView.of(snapshot)
    del view.raw_headers[9]
    assert Replayed.of(view, 9).size == 9
    with pytest.raises(DataError, match="entry 9"):
        Replayed.of(view, 10)
    done = audit(view)
    assert [(one.code, one.index) for one in done.report.findings] == [("ENTRY_MISSING", 9)]
    assert done.view.size == 9
    assert done.view.unit(case_id(1)) == Replayed.of(view, 9).unit(case_id(1))
