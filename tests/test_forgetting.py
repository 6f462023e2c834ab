"""What is forgotten with dropped parts: the live index is then what a rebuild and a replay of the rest come to, and the
ledger goes on as if the index had been rebuilt."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_world import BUYER, REGISTERED, World, profile
from pruned import Lives, derived, drop, droppable_contents, droppable_rows, replayed, some
from tracechain.custody import Custody, Violation
from tracechain.ledger import Ledger, forgetting, maintenance, tracks
from tracechain.registers import Profile
from tracechain.replay import MemoryView, replay
from tracechain.store.tables import yuan_of
from tracechain.verification import Code, verify_rules
from tracing_histories import History, histories, random_history

Paths = Callable[[], Path]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return lambda: tmp_path_factory.mktemp("pruned")


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tracks, maintenance, forgetting):
        monkeypatch.setattr(module, "TIMES_BLOCK", 8)
    for name in ("_REMEMBERED", "_NAMES_AT_ONCE", "_WORDS_AT_ONCE"):
        monkeypatch.setattr(forgetting, name, 2)


def same_however_made(ledger: Ledger) -> None:
    """The live index, a replay, a copy without an index, and a rebuilt index are the same."""
    live = derived(ledger)
    with ledger.snapshot() as view:
        told = replayed(view, replay(view))
        assert told["units"] == live["units"]
        assert told["memories"] == live["memories"]
        assert told["packed"] == {subject: word for subject, (_, word) in live["words"].items()}
        assert told["emptied"] == {key.decode(): int.from_bytes(place, "big") for key, place in live["emptied"].items()}
        spent = {(key[:16], int.from_bytes(key[16:], "big")): yuan_of(yuan) for key, yuan in live["spent"].items()}
        assert {key: yuan for key, yuan in told["spent"].items() if yuan} == {k: y for k, y in spent.items() if y}
        copy = MemoryView.of(view)
        bare = MemoryView(copy.raw_headers, copy.raw_contents, copy.raw_rows, copy.checkpoint, copy.size)
        assert dict(bare.units()) == live["units"]
        assert {name: [at for run in bare.mentions(name) for at in run] for name in bare.names("")} == live["mentions"]
        report = verify_rules(view)
        assert {finding.code for finding in report.findings} <= {Code.CONTENT_MISSING}, report.findings  # none said so
    ledger.reindex()
    assert derived(ledger) == live


def tell(folder: Path, first: History, second: History, third: History, seed: int, *, pilot: bool) -> None:
    """Record, wait, prune in rounds with more in between; each time everything comes to the same."""
    rng = random.Random(seed)
    lives = Lives(folder, pilot=pilot)
    with contextlib.closing(lives.world):
        lives.play(first)
        lives.years_later()
        lives.play(second)
        for number in range(2):
            ledger = lives.world.ledger
            with ledger.snapshot() as view:
                contents = some(rng, droppable_contents(view, lives.old))
                rows = some(rng, droppable_rows(view, rng)) if number else ()
            drop(ledger, contents, rows)
            live = derived(ledger)
            with contextlib.closing(lives.twin(folder / f"twin {number}")) as twin:
                assert derived(twin) == live
                before, lives.world.ledger = lives.world.ledger, twin
                player = lives.player
                said, now, orders, clock = list(player.said), player._now, player._orders, lives.world.clock.now
                lives.play(third)
                lives.world.ledger = before
                player.said, player._now, player._orders = said, now, orders
                lives.world.clock.set(clock)
                lives.play(third)
                assert lives.world.ledger.checkpoint() == twin.checkpoint()
                assert derived(twin) == derived(lives.world.ledger)
            same_however_made(lives.world.ledger)


@settings(max_examples=60)
@given(first=histories(most=6, pilot=True), third=histories(most=2, pilot=True), seed=st.integers(0, 1 << 32))
def test_what_is_left_of_the_pilot_comes_to_the_same(paths: Paths, first: History, third: History, seed: int) -> None:
    tell(paths(), first, third, third, seed, pilot=True)


@settings(max_examples=30)
@given(first=histories(most=6), third=histories(most=2), seed=st.integers(0, 1 << 32))
def test_what_is_left_without_a_profile_comes_to_the_same(
    paths: Paths, first: History, third: History, seed: int
) -> None:
    tell(paths(), first, third, third, seed, pilot=False)


@pytest.mark.parametrize("seed", [*range(10), 100, 104])  # these lost earlier entries in a later round
def test_longer_histories_come_to_the_same(tmp_path: Path, seed: int) -> None:
    pilot = bool(seed % 3)
    first, second, third = (
        random_history(seed + n, size, pilot=pilot) for n, size in ((0, 80), (1000, 25), (2000, 25))
    )
    tell(tmp_path, first, second, third, seed, pilot=pilot)


def test_an_account_of_long_ago_counts_nothing_whether_it_is_kept_or_not(tmp_path: Path) -> None:
    """What is dropped with a pruning must not change what is lawful (format.md section 7.3, code 19)."""
    registered = [one for one in REGISTERED if not isinstance(one, Profile)]
    world = World(tmp_path, (*registered, profile(year_limit=Decimal(300))))
    with contextlib.closing(world):
        for pack in world.packs[:2]:
            world.bring(pack, Custody.BONDED)
            world.keep(world.order(pack, po=pack[-2:]))
            world.keep(world.pay(pack, po=pack[-2:]))
        pack = world.packs[0]
        for days in (0, 365):  # the year of the order, and the next one
            world.later(days=days)
            world.breaks(world.clear(pack, po=pack[-2:]), Violation.LIMIT)
        world.later(days=70)
        world.keep(world.clear(pack, po=pack[-2:]))
        with world.ledger.snapshot() as view:
            assert view.spent(BUYER, 2026) > 300
        drop(world.ledger, ())
        with world.ledger.snapshot() as view:
            assert view.spent(BUYER, 2026) == 0
        world.breaks(world.clear(world.packs[1], po="other"), Violation.THREE_DOC)
        world.keep(world.clear(world.packs[1], po=world.packs[1][-2:]))
