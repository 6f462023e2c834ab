"""Whoever asks about what was pruned lawfully gets an answer that says so, and no error: traces, places, stock,
recalls, alerts, and the commands that show them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_pilot_home import Here
from pruned import Lives
from retained import DAY, day, policy
from tracechain.criteria import (
    AnyOf,
    ByCarrier,
    Codes,
    Commissioned,
    Criterion,
    Lot,
    Measured,
    Not,
    OfProduct,
    SharedContainer,
    ThroughContainer,
    ThroughPlace,
)
from tracechain.pilot import alerts, violations
from tracechain.recall import fan_out
from tracechain.recall.select import Selection
from tracechain.replay import MemoryView
from tracechain.retention.plan import plan
from tracechain.testing.samples import PRODUCT
from tracechain.tracing import Tracer, stock
from tracechain.verification import verify_unit
from tracechain.view import View
from tracing_histories import LEVELS, PLACES, THINGS, random_history


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    """Years of a store; contents went, then rows, then more contents."""
    lives = Lives(tmp_path_factory.mktemp("pruned"))
    world = lives.world
    world.ledger.retain(policy(wait=1))
    for seed in range(3):
        lives.play(random_history(seed, 60, pilot=True))
    rows = 0
    for number in range(3):
        world.clock.advance(2 * DAY)
        lives.play(random_history(20 + number, 5, pilot=True))
        world.clock.advance(2 * 366 * DAY)
        world.ledger.accept_clock("closed")
        lives.play(random_history(10 + number, 20, pilot=True))
        with world.ledger.snapshot() as view:
            made = plan(view, as_of=day(world.clock.now))
        world.ledger.announce(made, name=f"p{number}", reason="Due")
        world.clock.advance(DAY)
        done = world.ledger.prune(f"p{number}")
        assert done.content_count
        rows += done.row_count
    assert rows
    world.ledger.backup(world.path.with_name("copy"))
    shutil.copy(world.path.with_name("ledger.anchor"), world.path.with_name("copy.anchor"))
    yield lives
    world.ledger.close()


@pytest.fixture
def view(lives: Lives) -> Iterator[View]:
    with lives.world.ledger.snapshot() as view:
        yield view


def test_each_unit_is_traced_as_far_as_it_is_kept(view: View) -> None:
    tracer = Tracer(view)
    cut = 0
    for subject, unit in view.units():
        if subject.startswith("urn:tracechain:"):
            continue
        trace = tracer.trace(subject)
        assert trace, trace.findings
        kinds = {one.kind for one in trace.unresolved}
        assert "damaged" not in kinds
        cut += "pruned" in kinds
        if view.content(unit.last) is None:
            assert "pruned" in kinds
        tracer.whereabouts(subject)
        report = verify_unit(view, subject)
        assert report, report.findings
    assert cut > 5
    stock(view)


def test_a_copy_says_the_same(view: View) -> None:
    copy = MemoryView.of(view)
    bare = MemoryView(copy.raw_headers, copy.raw_contents, copy.raw_rows, copy.checkpoint, copy.size)
    for subject in (one for level in LEVELS for one in level):
        assert Tracer(bare).whereabouts(subject) == Tracer(view).whereabouts(subject)


PLACE = next(place for place in PLACES if place is not None)
CRITERIA: tuple[Criterion, ...] = (
    Lot(f"01/{PRODUCT}", "LOT-A7"),
    Not(Lot(f"01/{PRODUCT}", "LOT-A7")),
    Commissioned(0, 1 << 62),
    ThroughPlace(PLACE),
    ThroughContainer(LEVELS[1][0]),
    ByCarrier("urn:example:carrier:other"),
    Measured("temperature", above=8, longer_than=0),
    SharedContainer(LEVELS[0][0]),
    AnyOf((OfProduct(f"01/{PRODUCT}"), Lot(f"01/{PRODUCT}", "LOT-B"))),
)


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: type(one).__name__)
def test_a_recall_says_that_entries_were_pruned(view: View, criterion: Criterion) -> None:
    selection = Selection(view)
    list(selection.units(criterion))
    said = {one.subject for one in selection.unresolved if one.kind == "pruned"}
    assert {f"urn:tracechain:prune:p{number}" for number in range(3)} <= said
    assert not any(one.kind == "damaged" for one in selection.unresolved)
    fan_out(view, criterion)


@pytest.mark.parametrize("criterion", [OfProduct(f"01/{PRODUCT}"), Codes((THINGS[0],))])
def test_codes_and_products_are_found_whatever_was_pruned(view: View, criterion: Criterion) -> None:
    selection = Selection(view)
    assert [one for batch in selection.units(criterion) for one in batch]
    assert not any(one.subject.startswith("urn:tracechain:prune:") for one in selection.unresolved)


def test_alerts_and_violations_go_by_what_is_left(lives: Lives, view: View) -> None:
    alerts(view, lives.world.clock.now)
    assert list(violations(view))


COMMANDS = (
    ("log", "--from", "0", "--limit", "500"),
    ("trace", "CODE"),
    ("where", "CODE"),
    ("stock",),
    ("stock", "--by", "lot"),
    ("violations",),
    ("alerts",),
    ("cases",),
    ("check", "CODE"),
    ("retention",),
    ("prune", "--list"),
    ("hold", "list"),
    ("verify", "--rules"),
    ("recall", "preview", "--gtin", PRODUCT, "--lot", "LOT-A7"),
)


@pytest.mark.parametrize("json_", [False, True])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: " ".join(one[:2]))
def test_commands_show_it(lives: Lives, tmp_path: Path, command: tuple[str, ...], json_: bool) -> None:
    here = Here(tmp_path)
    head = 2 if command[0] in {"hold", "recall"} else 1
    for code in LEVELS[0][:3] if "CODE" in command else ("",):
        words = [code if word == "CODE" else word for word in command[head:]]
        ran = here.run(*command[:head], lives.world.path.with_name("copy"), *words, *(("--json",) if json_ else ()))
        assert ran.code in {0, 1}, ran.err
        if command[0] in {"log", "trace", "where", "verify"}:
            assert ran.code == 0, ran.out
            assert "missing" not in ran.out
        if json_:
            json.loads(ran.out)
