"""The root settles one loss: not another that came to have the same epoch number (format.md section 5.6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from forging import KEYS, agree, forge, found, index_of, memory
from tracechain import record
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import InputError
from tracechain.ledger import Ledger, anchor_path
from tracechain.record import EpochRecord, Record, encode_record
from tracechain.replay import MemoryView
from tracechain.station import Station
from tracechain.testing import Clock, Random, new_ledger, tamper
from tracechain.testing.samples import observe, pack_ids
from tracechain.verification import Code, verify
from tracechain.view import ViewNodes, ledger_id

IDS = pack_ids(2)


class Losses:
    """A ledger whose backup has six entries, to be lost again and again; closed between calls."""

    def __init__(self, folder: Path) -> None:
        self.path, self.backup, self.random = folder / "ledger", folder / "backup", Random(5)
        with new_ledger(self.path, keys=KEYS) as ledger:
            ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "gate"))
            ledger.append([observe((one,)) for one in IDS])
            ledger.backup(self.backup)
            ledger.append([observe(IDS)])

    def open(self) -> Ledger:
        return Ledger.open(self.path, signer=KEYS.log, author=KEYS.author, clock=Clock(), random=self.random)

    def lose(self, *, anchor: bool = False) -> MemoryView:
        """Put the backup back, and lose the anchor too where told so; returns the log of the new epoch."""
        tamper.put_back(self.path, self.backup)
        if anchor:
            anchor_path(self.path).unlink()
        Ledger.restore(
            self.path, signer=KEYS.log, author=KEYS.author, reason="disk", clock=Clock(), random=self.random
        ).close()
        return memory(self.path)

    def forged(self, made: Record) -> MemoryView:
        """The log with one more record, which the ledger itself might not have taken."""
        with self.open() as ledger:
            ledger.append([Record("note", ("x" * 300,))])
        view = memory(self.path)
        index = index_of(view, EntryType.RECORD)
        view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + encode_record(made)
        return forge(view)


@pytest.fixture
def losses(tmp_path: Path) -> Losses:
    return Losses(tmp_path)


def epochs(view: MemoryView) -> list[tuple[int, int]]:
    """(entry, epoch) of all epoch entries."""
    own = [i for i in range(view.size) if view.raw_headers[i][4] == EntryType.EPOCH]
    return [(i, EpochRecord.decode(view.raw_contents[i][SALT_SIZE:]).epoch) for i in own]


def settling(view: MemoryView, epoch: int, index: int) -> Record:
    """A settlement which the root signed, that names the leaf of an entry."""
    about = (epoch, ViewNodes(view).leaf(index), "looked into")
    return record.settle(ledger_id(view), KEYS.root, "epoch", about)


# ---- verification ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epoch", "index", "settled"),
    [(1, 6, True), (2, 6, False), (0, 6, False), (1, 5, False), (1, 0, False)],
)
def test_a_settlement_is_for_the_epoch_whose_number_and_leaf_it_names(
    losses: Losses, epoch: int, index: int, settled: bool
) -> None:
    begun = losses.lose()
    assert epochs(begun) == [(6, 1)]
    view = losses.forged(settling(begun, epoch, index))
    report = agree(view)
    assert set(report.codes) == (set() if settled else {Code.SETTLEMENT, Code.EPOCH_LOST})
    assert any("is settled" in note for note in report.notes) is settled
    # What was signed before the older checkpoint is judged the same after it.
    assert found(verify(view, since=view.checkpoint)) == found(report)


def test_the_settlement_of_one_loss_is_found_when_it_is_put_in_for_another(losses: Losses) -> None:
    first = losses.lose()
    settlement = settling(first, 1, 6)
    assert agree(losses.forged(settlement)).codes == ()
    second = losses.lose(anchor=True)
    assert epochs(second) == epochs(first) == [(6, 1)]
    report = agree(losses.forged(settlement))
    assert set(report.codes) == {Code.SETTLEMENT, Code.EPOCH_LOST}
    [said] = [f.detail for f in report.findings if f.code == Code.SETTLEMENT]
    assert "the one in entry 6 is another loss" in said
    assert not any("is settled" in note for note in report.notes)


def test_each_loss_has_a_settlement_of_its_own(losses: Losses) -> None:
    losses.lose()
    with losses.open() as ledger:
        losses.backup = ledger.backup(losses.backup.with_name("later"))
        ledger.append([observe(IDS)])
    view = losses.lose()
    assert epochs(view) == [(6, 1), (7, 2)]
    report = agree(losses.forged(settling(view, 2, 7)))
    assert [(f.code, f.index) for f in report.findings] == [(Code.EPOCH_LOST, 6)]
    with losses.open() as ledger:
        ledger.settle_epoch(1, "sent again", KEYS.root)
    assert [(f.code, f.index) for f in agree(memory(losses.path)).findings] == [(Code.EPOCH_LOST, 7)]


# ---- the ledger ------------------------------------------------------------------------------------


def test_a_ledger_refuses_the_settlement_of_another_loss(losses: Losses, tmp_path: Path) -> None:
    settlement = settling(losses.lose(), 1, 6)
    with losses.open() as ledger:
        with Station.create(tmp_path / "gate", KEYS.station, ledger.ledger_id, clock=Clock()) as station:
            data = station.make([settlement])
        ledger.submit(data)
    assert agree(memory(losses.path)).codes == ()
    losses.lose(anchor=True)
    with losses.open() as ledger:
        before = ledger.checkpoint()
        with pytest.raises(InputError, match="it was signed for another loss"):
            ledger.append([settlement])
        with pytest.raises(InputError, match="it was signed for another loss"):
            ledger.submit(data)
        assert ledger.checkpoint() == before
        ledger.settle_epoch(1, "looked into", KEYS.root)
    assert agree(memory(losses.path)).codes == ()


@pytest.mark.parametrize("epoch", [-1, 0, 1])
def test_without_a_loss_there_is_nothing_to_settle(losses: Losses, epoch: int) -> None:
    with losses.open() as ledger:
        before = ledger.checkpoint()
        with pytest.raises(InputError, match=f"no entry that begins epoch {epoch}: nothing was lost"):
            ledger.settle_epoch(epoch, "x", KEYS.root)
        assert ledger.checkpoint() == before


def test_an_epoch_that_was_lost_itself_cannot_be_settled(losses: Losses) -> None:
    losses.lose()
    assert epochs(losses.lose()) == [(6, 2)]
    with losses.open() as ledger:
        for epoch in (0, 1, 3):
            with pytest.raises(InputError, match=f"no entry that begins epoch {epoch}: its last one begins epoch 2"):
                ledger.settle_epoch(epoch, "x", KEYS.root)
        ledger.settle_epoch(2, "sent again", KEYS.root)
    assert agree(memory(losses.path)).codes == ()


@pytest.mark.parametrize("count", [4090, 8200])
def test_an_epoch_is_found_however_much_came_after_it(losses: Losses, count: int) -> None:
    losses.lose()
    with losses.open() as ledger:
        ledger.append([observe(IDS)] * count)
        ledger.settle_epoch(1, "sent again", KEYS.root)
        with ledger.snapshot() as view:
            assert verify(view).codes == ()
