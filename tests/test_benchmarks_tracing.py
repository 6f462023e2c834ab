"""What the benchmark of tracing compares gives the same answers, so that the comparison is one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tracechain import criteria, recall, tracing
from tracechain.custody import PILOT, PLAIN
from tracechain.ledger import Ledger
from tracechain.signing import MemorySigner
from tracechain.view import View

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))  # they are scripts, and no package

from tracing_data import PRODUCT, Facts, Lot, Shape
from tracing_registers import registers
from tracing_sqlite import Loader, Peer

SHAPE = Shape(case=4, pallet=3, container=5, voyage=2, run=10, layer=2)
LOTS = [Lot("one", 700, 0, 400_000, 900), Lot("two", 333, 12, 0, 700)]
FACTS = Facts(LOTS, SHAPE)


@pytest.fixture(scope="module", params=[PLAIN, PILOT], ids=["plain", "pilot"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[View, Peer]]:
    folder = tmp_path_factory.mktemp("tracing")
    log, root, author = (MemorySigner.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
    loader = Loader(folder / "facts.db", request.param)
    with Ledger.create(folder / "ledger", origin="example.com/x", signer=log, root=root, author=author) as ledger:
        if request.param == PILOT:
            ledger.append([one.record() for one in registers()])
        for commit in FACTS.commits(500):
            receipt = ledger.append(commit)
            assert not receipt.violations
            loader.take(receipt.first, receipt.time, commit)
        loader.finish()
        peer = Peer(folder / "facts.db")
        with ledger.snapshot() as view:
            yield view, peer
        peer.close()


def units(lot: Lot) -> list[str]:
    return [FACTS.unit(lot, number) for number in range(lot.units)]


def test_traces_have_the_same_entries_in_the_same_order(both: tuple[View, Peer]) -> None:
    view, peer = both
    tracer = tracing.Tracer(view)
    for unit in units(LOTS[0])[::3] + units(LOTS[1])[::5]:
        found = tracer.trace(unit)
        assert found
        assert [step.index for step in found.steps] == [row[0] for row in peer.trace(unit)]


def test_whereabouts_are_the_same(both: tuple[View, Peer]) -> None:
    view, peer = both
    tracer = tracing.Tracer(view)
    for unit in units(LOTS[0])[::3] + units(LOTS[1])[::5]:
        found = tracer.whereabouts(unit)
        assert (found.place, found.time, found.containers) == peer.whereabouts(unit)


@pytest.mark.parametrize("lot", LOTS, ids=lambda lot: lot.name)
def test_fan_outs_are_the_same(both: tuple[View, Peer], lot: Lot) -> None:
    view, peer = both
    ours = sorted(
        (one.unit, one.state, one.last, one.place, one.holder, one.container, one.time)
        for one in recall.affected(view, criteria.Lot(PRODUCT, lot.name))
        if isinstance(one, recall.Affected)
    )
    assert len(ours) == lot.units
    assert ours == sorted(peer.fan_out(PRODUCT, lot.name))
    assert ours == sorted(peer.fan_out_of_facts(PRODUCT, lot.name))


def test_stock_is_the_same(both: tuple[View, Peer]) -> None:
    view, peer = both
    ours = [(row.product, row.lot, row.units) for row in tracing.stock(view, by=("product", "lot"))]
    assert sorted(ours) == peer.stock()
