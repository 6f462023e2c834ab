"""The anchor: rollback, forks, and restored backups as new epochs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from attrs import evolve

from raw_database import raw
from tracechain.entry import (
    SALT_SIZE,
    EntryType,
    parse_header,
)
from tracechain.errors import (
    DataError,
    ForkError,
    InputError,
    RollbackError,
    StorageError,
)
from tracechain.ledger import Ledger, anchor_path
from tracechain.ledger.anchor import Anchor
from tracechain.merkle import Frontier
from tracechain.record import EpochRecord, authorise
from tracechain.station import Station
from tracechain.store import Tip
from tracechain.store.tables import META
from tracechain.testing import Clock, Keys, Random, new_ledger, open_ledger
from tracechain.testing.samples import commission, observe, pack_ids
from tracechain.verification import Code, verify

KEYS = Keys()
OPEN = {"signer": KEYS.log, "author": KEYS.author, "clock": Clock(), "random": Random(5)}


def codes(ledger: Ledger) -> list[str]:
    """The codes of what verification finds."""
    with ledger.snapshot() as view:
        return [str(finding.code) for finding in verify(view, verifier=ledger.verifier).findings]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of five entries, closed."""
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([commission(pack_ids(3)), observe(pack_ids(2))])
    return tmp_path / "ledger"


@pytest.fixture
def station(tracechain_ledger: Ledger, tmp_path: Path) -> Station:
    """A station whose key is authorised on `tracechain_ledger`."""
    tracechain_ledger.authorise(authorise(tracechain_ledger.ledger_id, KEYS.station, KEYS.root, "station"))
    return Station.create(
        tmp_path / "station", KEYS.station, tracechain_ledger.ledger_id, clock=Clock(), random=Random(9)
    )


# ---- the anchor, rollback, forks, epochs ---------------------------------------------------------


def older(path: Path) -> Path:
    """A copy of the ledger's database as it is now; its anchor stays where it is."""
    copy = path.with_name(f"{path.name}-older")
    shutil.copytree(path, copy)
    return copy


def put_back(copy: Path, path: Path) -> None:
    shutil.rmtree(path)
    shutil.copytree(copy, path)


def grow(path: Path, count: int, start: int = 100) -> str:
    with open_ledger(path) as ledger:
        for n in range(count):
            ledger.append([commission(pack_ids(1, start=start + n))])
        return ledger.checkpoint()


def test_the_anchor_has_the_last_checkpoint(path: Path) -> None:
    note = grow(path, 3)
    anchored = Anchor(anchor_path(path)).read()
    assert anchored is not None
    assert anchored.note.decode() == note
    assert anchored.counter == 5
    assert anchor_path(path).stat().st_size == 8192


@pytest.mark.parametrize("slot", [0, 1])
def test_a_torn_anchor_write_leaves_the_one_before(path: Path, slot: int) -> None:
    grow(path, 2)
    file = anchor_path(path)
    data = bytearray(file.read_bytes())
    data[slot * 4096 + 100] ^= 1
    file.write_bytes(data)
    grow(path, 1)  # the database is ahead of what is left, which is what a crash before the anchor looks like


def test_an_anchor_damaged_all_over_keeps_the_ledger_closed(path: Path) -> None:
    file = anchor_path(path)
    file.write_bytes(bytes(8192))
    uses: list[Callable[[], Ledger]] = [
        lambda: open_ledger(path),
        lambda: Ledger.restore(path, signer=KEYS.log, reason="x"),
    ]
    for use in uses:
        with pytest.raises(StorageError, match="is damaged: put back a copy of it, or move it away and go on"):
            use()
    Ledger.open(path).close()  # reading needs no anchor
    file.unlink()
    with Ledger.restore(path, **OPEN, reason="anchor lost") as ledger:  # type: ignore[arg-type]  # by name
        assert _epochs(ledger) == [(1, 5, 5)]


def test_a_missing_anchor_keeps_the_ledger_closed_until_a_restore(path: Path) -> None:
    anchor_path(path).unlink()
    with pytest.raises(RollbackError, match="its anchor is missing"):
        open_ledger(path)
    with Ledger.restore(path, **OPEN, reason="anchor lost") as ledger:  # type: ignore[arg-type]  # by name
        assert _epochs(ledger) == [(1, 5, 5)]
        ledger.append([commission(pack_ids(1))])
    grow(path, 1)


def test_an_anchor_that_is_taken_away_stops_the_writer(tracechain_ledger: Ledger) -> None:
    tracechain_ledger.append([commission(pack_ids(1))])
    file = anchor_path(tracechain_ledger.path)
    file.rename(file.with_name("elsewhere"))
    with pytest.raises(RollbackError, match="its anchor is missing"):
        tracechain_ledger.append([commission(pack_ids(1))])
    file.with_name("elsewhere").rename(file)
    tracechain_ledger.append([commission(pack_ids(1))])


def test_an_anchor_put_in_place_while_open_is_the_one_that_counts(tracechain_ledger: Ledger) -> None:
    tracechain_ledger.append([commission(pack_ids(1))])
    file = anchor_path(tracechain_ledger.path)
    copy = file.read_bytes()
    file.unlink()
    file.write_bytes(copy)
    note = tracechain_ledger.append([commission(pack_ids(1))]).checkpoint
    anchored = Anchor(file).read()
    assert anchored is not None
    assert anchored.note.decode() == note


def test_the_anchor_of_another_ledger_is_told(path: Path, tmp_path: Path) -> None:
    other = Keys(log=KEYS.named("another log"))
    new_ledger(tmp_path / "other", keys=other).close()
    shutil.copy(anchor_path(tmp_path / "other"), anchor_path(path))
    with pytest.raises(ForkError, match="was signed by another key"):
        open_ledger(path)
    new_ledger(tmp_path / "third", random=Random(77)).close()  # same key, another genesis
    shutil.copy(anchor_path(tmp_path / "third"), anchor_path(path))
    with pytest.raises(ForkError, match="are not those that were signed"):
        open_ledger(path)


def test_an_anchor_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "safe").mkdir()
    place = tmp_path / "safe" / "anchor"
    new_ledger(tmp_path / "l", anchor=place).close()
    assert not anchor_path(tmp_path / "l").exists()
    with pytest.raises(RollbackError):
        open_ledger(tmp_path / "l")
    open_ledger(tmp_path / "l", anchor=place).close()


def _epochs(ledger: Ledger) -> list[tuple[int, int, int]]:
    found = []
    with ledger.snapshot() as view:
        for index, header in view.headers(0, view.size):
            if parse_header(header).type == EntryType.EPOCH:
                part = view.content(index)
                assert part is not None
                epoch = EpochRecord.decode(part[SALT_SIZE:])
                assert epoch.size == index
                found.append((epoch.epoch, epoch.size, epoch.lost_end))
    return found


def test_a_rollback_is_refused_and_restored_as_a_new_epoch_twice(path: Path) -> None:
    copy = older(path)
    grow(path, 2)
    put_back(copy, path)
    with pytest.raises(RollbackError, match=r"has 5 entries, but 9 were signed: an older copy was put back"):
        open_ledger(path)
    with Ledger.restore(path, **OPEN, reason="disk died") as ledger:  # type: ignore[arg-type]  # by name
        assert _epochs(ledger) == [(1, 5, 9)]
        assert ledger.checkpoint().startswith("ledger.example/test/epoch/1\n6\n")
        ledger.append([commission(pack_ids(1, start=50))])
        assert codes(ledger) == [Code.EPOCH_LOST]
    with pytest.raises(InputError, match="nothing is lost, open it as usual"):
        Ledger.restore(path, **OPEN, reason="for nothing")  # type: ignore[arg-type]  # by name
    shutil.rmtree(copy)
    copy = older(path)
    grow(path, 1)
    put_back(copy, path)
    with pytest.raises(RollbackError):
        open_ledger(path)
    with Ledger.restore(path, **OPEN, reason="again") as ledger:  # type: ignore[arg-type]  # by name
        assert _epochs(ledger) == [(1, 5, 9), (2, 8, 10)]
        assert ledger.checkpoint().startswith("ledger.example/test/epoch/2\n9\n")
        assert codes(ledger) == [Code.EPOCH_LOST] * 2
        for epoch in (1, 2):
            ledger.settle_epoch(epoch, "scanned again", KEYS.root)
        assert codes(ledger) == []
    grow(path, 1, start=900)
    with open_ledger(path) as ledger:
        assert ledger.reindex()
        assert codes(ledger) == []
        assert ledger.checkpoint().startswith("ledger.example/test/epoch/2\n")


def test_a_restore_that_stopped_before_its_anchor_is_finished_by_the_next(path: Path) -> None:
    copy = older(path)
    grow(path, 2)
    put_back(copy, path)
    before = anchor_path(path).read_bytes()
    Ledger.restore(path, **OPEN, reason="disk died").close()  # type: ignore[arg-type]  # by name
    anchor_path(path).write_bytes(before)  # as a crash between commit and anchor leaves it
    with pytest.raises(RollbackError):
        open_ledger(path)
    with Ledger.restore(path, **OPEN, reason="disk died") as ledger:  # type: ignore[arg-type]  # by name
        assert _epochs(ledger) == [(1, 5, 9)]
        ledger.append([commission(pack_ids(1))])
        assert codes(ledger) == [Code.EPOCH_LOST]


def test_what_was_lost_can_be_submitted_again(tracechain_ledger: Ledger, station: Station) -> None:
    path = tracechain_ledger.path
    kept, lost = station.make([commission(pack_ids(1))]), station.make([commission(pack_ids(1, start=2))])
    tracechain_ledger.submit(kept)
    tracechain_ledger.close()
    copy = older(path)
    with open_ledger(path) as ledger:
        ledger.submit(lost)
    put_back(copy, path)
    with Ledger.restore(path, **OPEN, reason="disk died") as ledger:  # type: ignore[arg-type]  # by name
        assert ledger.submit(kept).repeated
        assert not ledger.submit(lost).repeated
        assert codes(ledger) == [Code.EPOCH_LOST]


def test_two_copies_that_both_went_on_are_a_fork(path: Path) -> None:
    copy = older(path)
    shutil.copy(anchor_path(path), anchor_path(copy))
    grow(path, 2)
    grow(copy, 3, start=500)
    shutil.copy(anchor_path(path), anchor_path(copy))
    uses: list[Callable[[], Ledger]] = [
        lambda: open_ledger(copy),
        lambda: Ledger.restore(copy, signer=KEYS.log, reason="x"),
    ]
    for use in uses:
        with pytest.raises(ForkError, match="its first 9 entries are not those that were signed"):
            use()


def test_a_writer_notices_that_the_anchor_went_elsewhere(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    """Two copies in use, one anchor between them: the second does not go on."""
    tracechain_ledger.append([commission(pack_ids(1))])
    copy = tmp_path / "copy"
    tracechain_ledger.backup(copy)
    anchor = anchor_path(tracechain_ledger.path)
    with open_ledger(copy, anchor=anchor, random=Random(6)) as twin:
        twin.append([commission(pack_ids(1, start=2))])
        with pytest.raises((RollbackError, ForkError)):
            tracechain_ledger.append([commission(pack_ids(1, start=3))])
        twin.append([commission(pack_ids(1, start=4))])


def test_what_lies_beyond_the_anchor_has_to_be_signed(path: Path) -> None:
    """Entries that somebody put behind the anchored ones: no new signature goes on top of them."""
    with open_ledger(path) as ledger:
        ledger.append([commission(pack_ids(1))])
    copy = anchor_path(path).read_bytes()
    with open_ledger(path) as ledger:
        ledger.append([commission(pack_ids(1, start=2))])
        note = ledger.checkpoint()
    anchor_path(path).write_bytes(copy)
    grow(path, 1)  # a crash before the anchor: that is fine
    anchor_path(path).write_bytes(copy)
    with raw(path) as (txn, db):
        forged = note.rsplit("\n", 2)[0][:-8] + "AAAAAA==\n"
        txn.put(b"checkpoint", forged.encode(), db=db(META))
    with open_ledger(path) as ledger, pytest.raises(DataError):
        ledger.append([commission(pack_ids(1, start=3))])


# ---- what a review found -------------------------------------------------------------------------


def test_a_backup_that_was_altered_is_not_signed_by_a_restore(path: Path) -> None:
    """Who can write a backup and has no key must not get the log key to vouch for it."""
    backup = older(path)
    with open_ledger(path) as ledger:
        ledger.append([observe(pack_ids(1))])
    shutil.rmtree(path)
    backup.rename(path)
    with raw(path) as (txn, db):
        cursor = txn.cursor(db=db("headers"))
        assert cursor.last()
        header = bytearray(cursor.value())
        header[15] ^= 1  # receipt time
        txn.put(cursor.key(), bytes(header), db=db("headers"))
        leaves = [sha256(b"\0" + bytes(value)).digest() for _, value in txn.cursor(db=db("headers"))]
        frontier = Frontier()
        frontier.extend(leaves)
        tip = Tip.decode(bytes(txn.get(b"tip", db=db(META))))
        txn.put(b"tip", evolve(tip, frontier=frontier).encode(), db=db(META))
    with pytest.raises(ForkError, match="altered"):
        Ledger.restore(path, reason="a backup", signer=KEYS.log)


def test_a_commit_that_a_crash_kept_from_its_anchor_is_anchored_when_the_ledger_is_opened(path: Path) -> None:
    anchor = anchor_path(path)
    before = anchor.read_bytes()
    with open_ledger(path) as ledger:
        ledger.append([observe(pack_ids(1))])
        note = ledger.checkpoint()
    anchor.write_bytes(before)
    with open_ledger(path) as ledger:
        found = Anchor(anchor).read()
        assert found is not None
        assert found.note.decode() == note == ledger.checkpoint()


def test_a_first_receipt_given_again_is_anchored_first(tracechain_ledger: Ledger, station: Station) -> None:
    anchor = anchor_path(tracechain_ledger.path)
    before = anchor.read_bytes()
    data = station.make([commission(pack_ids(2))])
    first = tracechain_ledger.submit(data)
    anchor.write_bytes(before)
    again = tracechain_ledger.submit(data)
    assert again.repeated
    assert again.first == first.first
    found = Anchor(anchor).read()
    assert found is not None
    assert found.note.decode() == tracechain_ledger.checkpoint()
