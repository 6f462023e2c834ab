"""The store: opening, locks, poison, snapshots."""

from __future__ import annotations

import gc
import multiprocessing
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tracechain.derivation import STATE_SHIFT
from tracechain.errors import (
    DataError,
    DecodeError,
    InputError,
    PoisonedError,
    StorageError,
)
from tracechain.ledger import Ledger
from tracechain.merkle import Frontier
from tracechain.store import Environment, Store, Tip
from tracechain.store import snapshot as snapshot_module
from tracechain.store.files import FileLock, current_generation, write_durably
from tracechain.store.tables import META, TABLES

FORKED = multiprocessing.get_context("fork")


def in_child(work: Any) -> Any:
    """What `work` returns, or the words of what it raises, in a forked child."""

    def run(pipe: Any) -> None:
        try:
            pipe.send(work())
        except BaseException as error:  # noqa: BLE001  # it is told to the parent
            pipe.send(f"{type(error).__name__}: {error}")

    ours, theirs = FORKED.Pipe()
    child = FORKED.Process(target=run, args=(theirs,))
    child.start()
    theirs.close()
    said = ours.recv()
    child.join()
    return said


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Environment]:
    folder = tmp_path / "env"
    folder.mkdir()
    env = Environment(folder, TABLES, writable=True, create=True, map_size=1 << 30)
    yield env
    env.close()


# ---- environments and stores -----------------------------------------------------------------


def test_a_path_is_opened_once_in_a_process(env: Environment) -> None:
    with pytest.raises(InputError, match="open in this process already"):
        Environment(env.folder, TABLES, writable=True)


def test_the_same_folder_by_another_spelling_is_the_same(env: Environment, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(env.folder)
    with pytest.raises(InputError, match="open in this process already"):
        Environment(link, TABLES, writable=True)
    with pytest.raises(InputError, match="open in this process already"):
        Environment(env.folder / ".." / "env", TABLES, writable=True)


def test_a_refused_second_opening_leaves_the_first_alone(env: Environment) -> None:
    with pytest.raises(InputError):
        Environment(env.folder, TABLES, writable=True)
    with env.begin(write=True) as txn:
        txn.put(b"a", b"b", db=env.tables[META])
    with env.begin() as txn:
        assert txn.get(b"a", None, env.tables[META]) == b"b"


def test_closed_is_refused_in_words_and_can_be_opened_again(env: Environment) -> None:
    env.close()
    with pytest.raises(InputError, match="was closed"):
        env.begin()
    again = Environment(env.folder, TABLES, writable=True)
    env.close()  # a second close of the first must not free the path under the second
    with pytest.raises(InputError, match="open in this process already"):
        Environment(env.folder, TABLES, writable=True)
    again.close()


def test_one_that_was_forgotten_frees_its_path(env: Environment) -> None:
    folder = env.folder
    env.close()
    forgotten = Environment(folder, TABLES, writable=True)
    del forgotten
    gc.collect()
    Environment(folder, TABLES, writable=True).close()


def test_a_missing_table_is_damage_and_frees_the_path(env: Environment) -> None:
    env.close()
    for _ in range(2):  # the first failure must not leave the environment open
        with pytest.raises(DataError, match="not a database of this version, or damaged"):
            Environment(env.folder, ("no such table",), writable=False)


def test_bytes_that_are_no_database_are_told(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"x" * 20_000)
    with pytest.raises(DataError, match="damaged"):
        Environment(tmp_path, TABLES, writable=True)


def test_an_empty_folder_holds_no_database(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.mdb is missing"):
        Environment(tmp_path, TABLES, writable=False)


def test_poisoned_until_opened_again(env: Environment) -> None:
    env.poison("the disk failed")
    for write in (False, True):
        with pytest.raises(PoisonedError, match="the disk failed; close the ledger and open it again"):
            env.begin(write=write)
    with pytest.raises(PoisonedError):
        env.copy(env.folder / "copy")
    env.close()
    again = Environment(env.folder, TABLES, writable=True)
    again.begin().abort()
    again.close()


def test_open_for_reading_cannot_write(env: Environment) -> None:
    env.close()
    reader = Environment(env.folder, TABLES, writable=False)
    with pytest.raises(InputError, match="opened for reading: pass a signer to write"):
        reader.begin(write=True)
    reader.close()


def test_a_forked_child_is_refused(env: Environment) -> None:
    said = in_child(env.begin)
    assert said.startswith("InputError")
    assert "opened before this process was forked: open it again in the child" in said


def test_a_forked_child_may_open_its_own_and_does_not_hurt_the_parents_snapshots(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    with store.lock.held(), store.write() as txn:
        txn.put_meta("tip", Tip(Frontier(), 7).encode())
    old = store.snapshot()

    def write() -> bool:
        again = Store(tmp_path / "s", writable=True)
        for n in range(5):
            with again.lock.held(), again.write() as txn:
                txn.put_meta("x", bytes([n]) * 9000)
        again.close()
        return True

    with pytest.raises(InputError, match="is closed"):
        raise InputError(in_child(old.close) or in_child(lambda: old.meta("x")))
    assert in_child(write) is True
    assert str(os.getpid()) in store.env.env.readers(), "the child took the parent's place in the reader table"
    assert old.meta("x") is None
    with store.snapshot() as new:
        assert new.meta("x") == bytes([4]) * 9000
    old.close()
    with store.lock.held(), store.write() as txn:
        assert txn.meta("x") == bytes([4]) * 9000
    store.close()


def test_a_child_that_closes_leaves_the_parent_open(env: Environment) -> None:
    assert in_child(env.close) is None
    with env.begin(write=True) as txn:
        txn.put(b"a", b"b", db=env.tables[META])


def test_a_full_map_is_a_storage_error(tmp_path: Path) -> None:
    Store.create(tmp_path / "s").close()
    store = Store(tmp_path / "s", writable=True)
    store.env.close()
    store.generations.env = Environment(store.env.folder, TABLES, writable=True, map_size=1 << 20)

    def fill() -> None:
        with store.lock.held(), store.write() as txn:
            for n in range(1000):
                txn.put_meta(f"x{n}", bytes(4096))

    with pytest.raises(StorageError, match="cannot write to"):
        fill()
    with pytest.raises(PoisonedError), store.write():
        pass
    store.close()


def test_nothing_of_an_abandoned_write_is_there(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")

    def abandon() -> None:
        with store.lock.held(), store.write() as txn:
            txn.put_meta("x", b"1")
            raise KeyError

    with pytest.raises(KeyError):
        abandon()
    with store.lock.held(), store.write() as txn:  # not poisoned: the disk did not fail
        assert txn.meta("x") is None
    store.close()


@pytest.mark.parametrize("there", ["file", "in the way"])
def test_a_new_store_wants_a_new_or_empty_folder(tmp_path: Path, there: str) -> None:
    path = tmp_path / "s"
    if there == "file":
        path.write_text("")
    else:
        path.mkdir()
        (path / "mine").write_text("keep me")
    with pytest.raises(InputError, match="exists already"):
        Store.create(path)
    assert there == "file" or (path / "mine").read_text() == "keep me"


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    Store.create(tmp_path / "s").close()
    Store(tmp_path / "s", writable=False).close()


def test_two_processes_that_create_at_once_do_not_hurt_each_other(tmp_path: Path) -> None:
    path = tmp_path / "s"
    go = FORKED.Event()

    def create(pipe: Any) -> None:
        go.wait()
        try:
            Store.create(path).close()
            pipe.send("made")
        except (InputError, StorageError) as error:
            pipe.send(str(error))

    pairs = [FORKED.Pipe() for _ in range(4)]
    children = [FORKED.Process(target=create, args=(theirs,)) for _, theirs in pairs]
    for child in children:
        child.start()
    go.set()
    said = [ours.recv() for ours, _ in pairs]
    for child in children:
        child.join()
    assert said.count("made") == 1, said
    Store(path, writable=True).close()


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "is missing"), ("gen-1\n", "names 'gen-1'"), ("../../etc\n", "which is no generation"), ("", "names ''")],
)
def test_current_must_name_a_generation(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "CURRENT").write_text(content)
    with pytest.raises(DataError, match=words):
        current_generation(tmp_path)


def test_an_unknown_format_version_is_named(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    with store.lock.held(), store.write() as txn:
        txn.put_meta("format", b"7")
    store.close()
    for writable in (False, True):
        with pytest.raises(DataError, match="format version 7, this tracechain reads 0: use the version"):
            Store(tmp_path / "s", writable=writable)


def test_a_vault_that_is_missing_closes_the_ledger_again(tmp_path: Path) -> None:
    Store.create(tmp_path / "s").close()
    shutil.rmtree(tmp_path / "s" / "vault")
    for _ in range(2):
        with pytest.raises(DataError, match="vault"):
            Store(tmp_path / "s", writable=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can get at, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        for inner, _, _ in os.walk(folder):
            Path(inner).chmod(0o755)


@pytest.mark.parametrize("writable", [True, False])
def test_a_folder_that_may_not_be_written_can_be_read(open_folder: Path, writable: bool) -> None:
    Store.create(open_folder / "s").close()
    for inner, _, _ in os.walk(open_folder):
        Path(inner).chmod(0o555)

    def open_as_nobody() -> str:
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        Store(open_folder / "s", writable=writable).close()
        return "opened"

    said = in_child(open_as_nobody)
    if writable:
        assert said.startswith("StorageError")
        assert "check its owner and permissions" in said
    else:
        assert said == "opened"


# ---- small files and locks ---------------------------------------------------------------------


def test_a_small_file_is_replaced_whole(tmp_path: Path) -> None:
    write_durably(tmp_path / "f", b"one")
    write_durably(tmp_path / "f", b"two")
    assert (tmp_path / "f").read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_small_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "x").mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        write_durably(tmp_path / "f", b"one")
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_the_lock_keeps_threads_and_processes_apart(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    shared = FORKED.Value("i", 0, lock=False)

    def count() -> None:
        lock = FileLock(path)
        for _ in range(200):
            with lock.held():
                value = shared.value
                if value % 7 == 0:
                    threading.Event().wait(0.0001)
                shared.value = value + 1

    children = [FORKED.Process(target=count) for _ in range(2)]
    for child in children:
        child.start()
    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for child in children:
        child.join()
    assert shared.value == 800


def test_a_forked_child_does_not_drop_the_parents_lock(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")

    def take() -> str:
        with lock.held():
            return "taken"

    with lock.held():
        assert "open it again in the child" in in_child(take)
        other = FileLock(tmp_path / "lock")
        assert in_child(lambda: _is_locked(tmp_path / "lock"))
        del other


def _is_locked(path: Path) -> bool:
    import fcntl

    fd = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def test_a_lock_that_cannot_be_opened_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot take the lock"), FileLock(tmp_path / "no" / "lock").held():
        pass


def test_closing_waits_for_a_commit_of_another_thread(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    inside, go_on, order = threading.Event(), threading.Event(), []

    def write() -> None:
        with store.lock.held(), store.write() as txn:
            inside.set()
            go_on.wait()
            txn.put_meta("x", b"1")
        order.append("written")

    def close() -> None:
        store.close()
        order.append("closed")

    writer = threading.Thread(target=write)
    writer.start()
    inside.wait()
    closer = threading.Thread(target=close)
    closer.start()
    go_on.set()
    writer.join()
    closer.join()
    assert sorted(order) == ["closed", "written"]
    store = Store(tmp_path / "s", writable=True)
    with store.lock.held(), store.write() as txn:
        assert txn.meta("x") == b"1"
    store.close()


# ---- the tip, snapshots ----------------------------------------------------------------------


def test_a_store_without_a_tip_gives_no_snapshot(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    with pytest.raises(DataError, match="has no tip"):
        store.snapshot()
    store.close()


def test_a_tip_is_read_strictly() -> None:
    tip = Tip(Frontier(), 5, 2)
    assert Tip.decode(tip.encode()) == tip
    for data in (b"", b"\x93\x05\x02\xc4\x01x", b"\x92\x05\x02", tip.encode() + b"\0"):
        with pytest.raises(DecodeError):
            Tip.decode(data)


def test_a_closed_snapshot_says_so(tracechain_ledger: Ledger) -> None:
    with tracechain_ledger.snapshot() as snapshot:
        assert snapshot.size == 2
    snapshot.close()
    for use in (lambda: snapshot.header(0), lambda: snapshot.unit("x"), lambda: list(snapshot.headers(0, 1))):
        with pytest.raises(InputError, match="this snapshot is closed: take a new one"):
            use()


def test_a_snapshot_of_a_closed_ledger_is_a_tracechain_error(tracechain_ledger: Ledger) -> None:
    snapshot = tracechain_ledger.snapshot()
    tracechain_ledger.close()
    with pytest.raises((StorageError, InputError, DataError)):
        snapshot.header(0)
    with pytest.raises((StorageError, InputError, DataError)):
        list(snapshot.headers(0, 2))
    snapshot.close()


def test_an_old_snapshot_warns(tracechain_ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tracechain_ledger.snapshot().close()
    monkeypatch.setattr(snapshot_module, "OLD_AFTER", -1.0)
    snapshot = tracechain_ledger.snapshot()
    with pytest.warns(ResourceWarning, match="the file grows"):
        snapshot.close()


def test_readers_that_were_killed_are_let_go_of(tracechain_ledger: Ledger) -> None:
    path = tracechain_ledger.path
    env = tracechain_ledger._store.env

    def read_and_die() -> None:
        with Ledger.open(path) as ledger, ledger.snapshot():
            os.kill(os.getpid(), 9)

    child = FORKED.Process(target=read_and_die)
    child.start()
    child.join()
    assert env.env.info()["num_readers"] >= 1
    assert str(child.pid) in env.env.readers()
    env.drop_dead_readers()
    assert str(child.pid) not in env.env.readers()


def test_words_leave_room_for_state_and_index() -> None:
    assert (1 << STATE_SHIFT) * (1 << 24) == 1 << 64
