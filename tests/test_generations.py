"""Generations: what was deleted is gone from every file, nobody notices the switch, and no crash comes between.

Crashes at system calls are in test_crash.py and test_faults.py (scenario "compact").
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from test_processes import Process, reopen
from tracechain.errors import DataError, InputError, KeyUseError, StorageError
from tracechain.event import Event, Extension
from tracechain.ledger import Ledger, verify_ledger
from tracechain.store import Store, Vault
from tracechain.store import generations as generations_module
from tracechain.store.files import current_generation
from tracechain.store.tables import CONTENTS, key_of
from tracechain.testing import open_ledger
from tracechain.testing.samples import commission, observe, pack_ids
from tracechain.verification import verify


@pytest.fixture
def path(tracechain_ledger: Ledger) -> Path:
    """The path of a closed ledger."""
    tracechain_ledger.append([commission(pack_ids(20))])
    tracechain_ledger.close()
    return tracechain_ledger.path


def names(path: Path, part: str = "ledger") -> list[str]:
    return sorted(entry.name for entry in (path / part).iterdir())


def found_in(path: Path, needle: bytes) -> list[str]:
    """The files of a ledger in which these bytes stand."""
    return [str(f.relative_to(path)) for f in sorted(path.rglob("*")) if f.is_file() and needle in f.read_bytes()]


def noted(text: str) -> Event:
    """An event with a text in its content, and nowhere else."""
    return evolve(observe(pack_ids(1)), extensions=(Extension("urn:example", "note", text),))


def delete(ledger: Ledger, start: int, stop: int) -> None:
    """Delete contents, as pruning does."""
    with ledger._store.lock.held(), ledger._store.write() as txn:
        for index in range(start, stop):
            txn.txn.delete(key_of(index), db=txn.env.tables[CONTENTS])
        txn.put_meta("uncompacted", b"1")


def due(store: Store) -> bool:
    """Whether a compaction is due."""
    return store.uncompacted


def fill_disk(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let the system say that one block is free."""
    real = os.statvfs(path)
    nearly_full = os.statvfs_result((*real[:3], 1, 1, *real[5:10]))
    monkeypatch.setattr(os, "statvfs", lambda _: nearly_full)


def mapped(path: Path) -> list[str]:
    """The databases below a path that this process has mapped, removed ones too."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return sorted({line[line.index("/") :] for line in lines if str(path) in line and "data.mdb" in line})


# ---- what a compaction is ------------------------------------------------------------------------


def test_a_compaction_leaves_the_next_generation_and_nothing_else(path: Path) -> None:
    with open_ledger(path) as ledger:
        before, size = ledger.checkpoint(), (path / "ledger" / "gen-000001" / "data.mdb").stat().st_size
        told: list[tuple[int, int]] = []
        done = ledger.compact(lambda *counts: told.append(counts))
        file = path / "ledger" / "gen-000002" / "data.mdb"
        assert (done.before, done.after, done.generation) == (size, file.stat().st_size, "gen-000002")
        assert done.seconds > 0
        assert told[-1][0] == told[-1][1]
        assert abs(told[-1][1] - done.after) <= 2 * 4096, "what is to be copied is known beforehand"
        assert names(path) == ["CURRENT", "gen-000002"]
        assert ledger.checkpoint() == before
        receipt = ledger.append([observe(pack_ids(3))])
        with ledger.snapshot() as view:
            assert view.size == receipt.first + 1
            assert verify(view, verifier=ledger.verifier)
        assert ledger.compact().generation == "gen-000003"
    with open_ledger(path) as ledger:
        ledger.append([observe(pack_ids(3))])
        ledger.reindex()
    assert verify_ledger(path, verifier=ledger.verifier, anchor=path.with_name(f"{path.name}.anchor"))


def test_deleted_bytes_are_in_no_file_any_more_and_the_file_is_smaller(path: Path) -> None:
    secrets = {n: f"{n} {os.urandom(16).hex()}" for n in range(300)}
    with open_ledger(path) as ledger:
        # Some on pages of their own, some beside others that stay.
        first = ledger.append([noted(f"{secrets[n]} {'x' * (n % 7 * 900)}") for n in range(300)]).first
        assert found_in(path, secrets[0].encode()) == ["ledger/gen-000001/data.mdb"]
        delete(ledger, first, first + 150)
        delete(ledger, first + 200, first + 300)
        still = sum(bool(found_in(path, secret.encode())) for secret in secrets.values())
        assert still > 200, "if deleting alone erased, there would be nothing to do"
        assert due(ledger._store)
        done = ledger.compact()
        assert not due(ledger._store)
        assert done.after < done.before / 2
        for number, secret in secrets.items():
            kept = 150 <= number < 200
            assert bool(found_in(path, secret.encode())) == kept, number
            assert bool(found_in(path, secret.encode()[:24])) == kept, number
        with ledger.snapshot() as view:
            assert [view.content(first + n) is not None for n in range(300)] == [150 <= n < 200 for n in range(300)]


def test_that_a_compaction_is_due_is_known_after_a_crash(path: Path) -> None:
    with open_ledger(path) as ledger:
        assert not due(ledger._store)
        delete(ledger, 3, 4)
    store = Store(path, writable=False)
    assert due(store)
    store.close()
    with open_ledger(path) as ledger:
        assert not due(ledger._store)
    assert names(path) == ["CURRENT", "gen-000002"]
    open_ledger(path).close()
    assert names(path) == ["CURRENT", "gen-000002"]


def test_a_disk_too_full_to_compact_at_opening_keeps_nobody_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(path) as ledger:
        delete(ledger, 3, 4)
    fill_disk(monkeypatch, path)
    with pytest.warns(RuntimeWarning, match="can still be read in its file"):
        ledger = open_ledger(path)
    ledger.append([observe(pack_ids(1))])
    assert due(ledger._store)
    ledger.close()
    monkeypatch.undo()
    with open_ledger(path) as ledger:
        assert not due(ledger._store)


def test_open_snapshots_stay_what_they_were_and_then_give_the_room_back(path: Path) -> None:
    with open_ledger(path) as ledger:
        old = ledger.snapshot()
        size, contents = old.size, list(old.contents(0, old.size))
        delete(ledger, 3, 4)
        ledger.compact()
        between = ledger.snapshot()
        for _ in range(3):
            ledger.append([commission(pack_ids(5, start=1000 + between.size * 10 + _ * 5))])
            ledger.compact()
        assert len(mapped(path)) == 3 + 1, "two old generations, the one in use, and the vault"
        assert old.size == size
        assert list(old.contents(0, size)) == contents
        assert verify(old, verifier=ledger.verifier)
        assert between.content(3) is None
        assert between.size == size
        old.close()
        assert len(mapped(path)) == 2 + 1
        between.close()
        assert len(mapped(path)) == 1 + 1
        assert "deleted" not in " ".join(mapped(path))


def test_a_snapshot_that_was_forgotten_keeps_no_file_open(path: Path) -> None:
    with open_ledger(path) as ledger:
        old = ledger.snapshot()
        ledger.compact()
        assert len(mapped(path)) == 3
        del old
        ledger.compact()
        assert len(mapped(path)) == 2


def test_closing_closes_every_generation(path: Path) -> None:
    ledger = open_ledger(path)
    old = ledger.snapshot()
    ledger.compact()
    ledger.close()
    assert mapped(path) == []
    with pytest.raises((StorageError, InputError, DataError)):
        old.header(0)
    old.close()
    open_ledger(path).close()


def test_owners_and_permissions_are_those_of_the_generation_before(path: Path) -> None:
    old = path / "ledger" / "gen-000001"
    modes = {".": 0o2770, "data.mdb": 0o660, "lock.mdb": 0o666}
    for name, mode in modes.items():
        (old / name).chmod(mode)
        if os.getuid() == 0:
            os.chown(old / name, 1234, 1235)
    with open_ledger(path) as ledger:
        ledger.compact()
    for name, mode in modes.items():
        made = (path / "ledger" / "gen-000002" / name).stat()
        assert stat.S_IMODE(made.st_mode) == mode, name
        if os.getuid() == 0:
            assert (made.st_uid, made.st_gid) == (1234, 1235), name


def test_who_opened_to_read_cannot_compact(path: Path) -> None:
    with Ledger.open(path) as ledger:
        with pytest.raises(KeyUseError, match="opened for reading"):
            ledger.compact()
        with pytest.raises(InputError, match="opened for reading"):
            ledger._store.compact()
    assert names(path) == ["CURRENT", "gen-000001"]


def test_names_do_not_begin_anew(path: Path) -> None:
    (path / "ledger" / "gen-000001").rename(path / "ledger" / "gen-999999")
    (path / "ledger" / "CURRENT").write_text("gen-999999\n")
    with open_ledger(path) as ledger:
        with pytest.raises(DataError, match="last generation"):
            ledger.compact()
        ledger.append([observe(pack_ids(1))])
    assert names(path) == ["CURRENT", "gen-999999"]


# ---- what a crash leaves --------------------------------------------------------------------------


def test_remains_are_swept_up_by_who_opens_to_write(path: Path) -> None:
    mine = ["gen-1", "notes.txt", ".gen-000009.mine", "gen-000001.bak"]
    remains = [".gen-000002.partial", "gen-000002", "gen-000003", "gen-000000", ".gen-000000.old", ".CURRENT.12.34"]
    with open_ledger(path) as ledger:
        for part, copy in (("ledger", ledger._store.copy), ("vault", ledger.vault.copy)):
            (path / part / "gen-000002").mkdir()
            copy(path / part / "gen-000002")
            (path / part / "gen-000002" / "lock.mdb").touch()
    for part in ("ledger", "vault"):
        for name in (*mine, *remains):
            made = path / part / name
            if "CURRENT" in name or name == "notes.txt":
                made.write_text("x")
            elif name != "gen-000002":
                made.mkdir()
                if name != "gen-000003":
                    (made / "data.mdb").write_text("x")
    with Ledger.open(path) as reader:
        assert reader.checkpoint()
    assert names(path) == sorted([*mine, *remains, "CURRENT", "gen-000001"]), "a reader touches nothing"
    with open_ledger(path) as ledger:
        for part in ("ledger", "vault"):
            assert names(path, part) == sorted([*mine, "CURRENT", "gen-000001"])
        ledger.compact()
    assert names(path) == sorted([*mine, "CURRENT", "gen-000002"])


def test_a_full_disk_gets_the_room_of_remains_back(path: Path) -> None:
    for name in (".gen-000002.partial", "gen-000000"):
        shutil.copytree(path / "ledger" / "gen-000001", path / "ledger" / name)

    def open_on_a_full_disk(pipe: Any) -> list[str]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        with reopen(path, 24):
            return names(path)

    assert Process(open_on_a_full_disk).join() == ["CURRENT", "gen-000000", "gen-000001"]
    open_ledger(path).close()
    assert names(path) == ["CURRENT", "gen-000001"]


def test_what_is_newer_and_was_in_use_is_no_remains(path: Path) -> None:
    """Somebody put an older CURRENT and its generation back: what was acknowledged since must not be swept away."""
    kept = path.with_name("kept")
    shutil.copytree(path, kept)
    with open_ledger(path) as ledger:
        ledger.compact()
        ledger.append([observe(pack_ids(1))])
    shutil.copytree(kept, path, dirs_exist_ok=True)
    for _ in range(2):
        with pytest.raises(DataError, match="CURRENT names gen-000001, but gen-000002 is newer and was in use"):
            open_ledger(path)
    assert names(path) == ["CURRENT", "gen-000001", "gen-000002"]
    (path / "ledger" / "CURRENT").write_text("gen-000002\n")
    with open_ledger(path) as ledger, ledger.snapshot() as view:
        assert verify(view, verifier=ledger.verifier)
    assert names(path) == ["CURRENT", "gen-000002"]


def killed_before_current(pipe: Any, path: Path) -> None:
    """Compact, and be killed when the old generation is closed and CURRENT still names it."""
    ledger = reopen(path, 21)
    ledger.append([observe(pack_ids(2))])
    pipe.send(("returned", ledger.checkpoint()))
    vars(generations_module)["write_durably"] = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    ledger.compact()


def test_a_switch_that_was_interrupted_is_finished_by_who_writes_next(path: Path) -> None:
    with Ledger.open(path) as early:
        with early.snapshot() as view:
            first = view.size
        child = Process(killed_before_current, path)
        note = child.receive()
        child.process.join()
        assert child.process.exitcode == -signal.SIGKILL
        assert names(path) == ["CURRENT", "gen-000001", "gen-000002"]
        assert current_generation(path / "ledger").name == "gen-000001"
        # Who reads cannot finish it, and need not: nobody writes before it is finished.
        assert early.checkpoint() == note
        late = Process(lambda pipe: Ledger.open(path).checkpoint())
        assert late.join() == note

        def write(pipe: Any) -> int:
            with reopen(path, 22) as ledger:
                assert names(path) == ["CURRENT", "gen-000002"]
                return ledger.append([observe(pack_ids(1))]).first

        assert Process(write).join() == first + 2 + 1
        with early.snapshot() as view:
            assert view.size == first + 4
            assert early._store.env.folder.name == "gen-000002"
            assert verify(view, verifier=early.verifier)


def test_a_writer_that_was_open_all_the_time_finishes_it_too(path: Path) -> None:
    with open_ledger(path) as ledger:
        ledger.append([observe(pack_ids(3))])
        child = Process(killed_before_current, path)
        child.receive()
        child.process.join()
        receipt = ledger.append([observe(pack_ids(3))])
        assert current_generation(path / "ledger").name == "gen-000002"
        with ledger.snapshot() as view:
            assert view.size == receipt.first + 1
            assert verify(view, verifier=ledger.verifier)
        ledger.compact()
        assert names(path) == ["CURRENT", "gen-000003"]


def test_a_successor_that_is_not_there_is_told(path: Path) -> None:
    with open_ledger(path) as ledger:
        with ledger._store.lock.held(), ledger._store.write() as txn:
            txn.put_meta("successor", b"gen-000002")
        for _ in range(2):
            with pytest.raises(DataError, match="'gen-000002' is not there"):
                ledger.append([observe(pack_ids(1))])
        assert ledger.checkpoint(), "what is there can be read"


def test_a_full_disk_leaves_the_old_generation_in_use(path: Path) -> None:
    """A limit of the size of files does what a full disk does: a write of the copy fails."""
    with open_ledger(path) as ledger:
        ledger.append([commission(pack_ids(2000, start=5000))])
        size = (path / "ledger" / "gen-000001" / "data.mdb").stat().st_size

    def compact(pipe: Any) -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with reopen(path, 23) as ledger:
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, limits[1]))
            try:
                ledger.compact()
            except StorageError as error:
                said = str(error)
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            assert names(path) == ["CURRENT", "gen-000001"]
            ledger.append([observe(pack_ids(4))])
            assert ledger.compact().generation == "gen-000002"
            return said

    assert "cannot copy to" in Process(compact).join()
    with open_ledger(path) as ledger, ledger.snapshot() as view:
        assert verify(view, verifier=ledger.verifier)


def test_a_disk_that_will_be_full_is_not_filled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(path) as ledger:
        fill_disk(monkeypatch, path)
        with pytest.raises(StorageError, match=r"takes [0-9,]+ bytes beside it and [0-9,]+ are free: make room"):
            ledger.compact()
        assert names(path) == ["CURRENT", "gen-000001"]
        monkeypatch.undo()
        ledger.append([observe(pack_ids(1))])
        assert ledger.compact().generation == "gen-000002"


def test_what_progress_raises_ends_it(path: Path) -> None:
    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with open_ledger(path) as ledger:
        with pytest.raises(KeyboardInterrupt):
            ledger.compact(stop)
        assert names(path) == ["CURRENT", "gen-000001"]
        ledger.append([observe(pack_ids(1))])


# ---- the vault -----------------------------------------------------------------------------------


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    vault = Vault(tmp_path / "vault", writable=True, create=True)
    yield vault
    vault.close()


def test_a_vault_has_generations_too(vault: Vault, tmp_path: Path) -> None:
    secret, token = "somebody of whom nothing may be left", os.urandom(16)
    vault.put_person(token, {"name": secret})
    vault.put_person(bytes(16), {"name": "somebody else"})
    assert found_in(tmp_path, secret.encode())
    vault.erase([token], 7)
    assert found_in(tmp_path, secret.encode()), "if deleting alone erased, there would be nothing to do"
    assert vault.uncompacted()
    assert vault.compact().generation == "gen-000002"
    assert not vault.uncompacted()
    assert not found_in(tmp_path, secret.encode())
    assert names(tmp_path, "vault") == ["CURRENT", "gen-000002"]
    assert vault.person(bytes(16)) == {"name": "somebody else"}
    assert vault.erased_by(token) == 7
