"""Several processes on one ledger: readers while one writes, writers in turn, forks, backup under load."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tracechain import merkle
from tracechain.checkpoint import check_proof, open_checkpoint, parse_proof
from tracechain.entry import EntryType, parse_header
from tracechain.errors import InputError
from tracechain.ledger import Ledger, anchor_path
from tracechain.testing import Clock, Random, open_ledger
from tracechain.testing.samples import commission, observe, pack_ids, sell
from tracechain.verification import verify
from tracechain.view import ViewNodes, unit_history

CONTEXTS = ["fork", "spawn"]


class Process:
    """A child process that runs a function with a pipe; what it raises is raised here."""

    def __init__(self, work: Callable[..., Any], *args: Any, how: str = "fork") -> None:
        context = multiprocessing.get_context(how)
        self._ours, theirs = context.Pipe()
        self.process = context.Process(target=_run, args=(theirs, work, args))  # type: ignore[attr-defined]  # all have it
        self.process.start()
        theirs.close()

    def send(self, word: str) -> None:
        self._ours.send(word)

    def receive(self) -> Any:
        assert self._ours.poll(60), "the child says nothing"
        kind, value = self._ours.recv()
        if kind == "raised":
            raise AssertionError(value)
        return value

    def join(self) -> Any:
        """What the function returned."""
        value = self.receive()
        self.process.join(60)
        assert self.process.exitcode == 0
        return value


def _run(pipe: Any, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        pipe.send(("returned", work(pipe, *args)))
    except BaseException as error:  # noqa: BLE001  # it is told to the parent
        pipe.send(("raised", f"{type(error).__name__}: {error}"))


def reopen(path: Path, seed: int) -> Ledger:
    return open_ledger(path, random=Random(seed))


@pytest.fixture
def path(tracechain_ledger: Ledger) -> Path:
    """The path of a closed ledger."""
    tracechain_ledger.append([commission(pack_ids(20))])
    tracechain_ledger.close()
    return tracechain_ledger.path


# ---- writers -------------------------------------------------------------------------------------


def _write(pipe: Any, path: Path, number: int, count: int) -> list[int]:
    with reopen(path, 100 + number) as ledger:
        found = []
        for n in range(count):
            own = pack_ids(1, start=1000 * number + n + 100)
            receipt = ledger.append([commission(own), observe(pack_ids(3))])
            found.append(receipt.first)
        return found


@pytest.mark.parametrize("how", CONTEXTS)
def test_writers_in_turn_make_one_log(path: Path, how: str) -> None:
    writers = [Process(_write, path, number, 25, how=how) for number in range(3)]
    found = [writer.join() for writer in writers]
    assert len({index for each in found for index in each}) == 75
    with open_ledger(path) as ledger, ledger.snapshot() as view:
        assert verify(view, verifier=ledger.verifier)
        assert len(unit_history(view, pack_ids(1)[0])) == 76
        for number, each in enumerate(found):
            for n, index in enumerate(each):
                unit = view.unit(pack_ids(1, start=1000 * number + n + 100)[0])
                assert unit is not None
                assert unit.last == index


def _write_in_turn(pipe: Any, path: Path) -> None:
    with reopen(path, 55) as ledger:
        while (word := pipe.recv()) != "stop":
            receipt = ledger.append([observe((word,))])
            pipe.send(("returned", receipt.first))


def test_each_write_builds_on_that_of_the_other_process(path: Path) -> None:
    """Strictly in turn: what one remembers of the index is out of date at each step."""
    other = Process(_write_in_turn, path)
    pack = pack_ids(1)[0]
    expected = [3]
    with reopen(path, 6) as ledger:
        for _ in range(15):
            other.send(pack)
            expected.append(other.receive())
            expected.append(ledger.append([sell((pack,))]).first)
        with ledger.snapshot() as view:
            assert unit_history(view, pack) == expected
            assert verify(view, verifier=ledger.verifier)
        other.send("stop")
        other.join()


def test_a_writer_that_was_killed_does_not_block_the_others(path: Path) -> None:
    def hold(pipe: Any) -> None:
        ledger = reopen(path, 7)
        with ledger._store.lock.held(), ledger._store.write() as txn:
            txn.put_meta("half", b"done")
            pipe.send(("returned", "holding"))
            signal.pause()

    holder = Process(hold)
    assert holder.receive() == "holding"
    waiting = threading.Event()

    with reopen_while_held(path, holder) as ledger:
        waiting.set()
        ledger.append([observe(pack_ids(1))])
        with ledger.snapshot() as view:
            assert view.meta("half") is None
            assert verify(view, verifier=ledger.verifier)


def reopen_while_held(path: Path, holder: Process) -> Ledger:
    """Open the ledger, which waits for the lock, and have its holder killed meanwhile."""
    pid = holder.process.pid
    assert pid is not None
    killer = threading.Timer(0.2, lambda: os.kill(pid, signal.SIGKILL))
    killer.start()
    try:
        return reopen(path, 8)
    finally:
        killer.join()
        holder.process.join()


# ---- readers -------------------------------------------------------------------------------------


def _read(pipe: Any, path: Path, vkey: Any) -> int:
    """Take snapshots until told to stop; each must be whole, and extend the one before."""
    seen: list[Any] = []
    with Ledger.open(path) as ledger:
        pipe.send(("returned", "reading"))
        while not pipe.poll():
            with ledger.snapshot() as view:
                checkpoint = open_checkpoint(view.checkpoint, vkey)
                assert checkpoint.size == view.size
                assert merkle.tree_root(ViewNodes(view), view.size) == checkpoint.root
                kinds = [parse_header(h).type for _, h in view.headers(view.size - 1, view.size + 5)]
                assert len(kinds) == 1
                assert kinds[0] != EntryType.STATEMENT, "a snapshot ends within a statement"
                for old in seen[-3:]:
                    assert old.size <= checkpoint.size
                    assert merkle.tree_root(ViewNodes(view), old.size) == old.root
                unit = view.unit(pack_ids(1)[0])
                assert unit is not None
                header = view.header(unit.last)
                assert header is not None
                assert unit_history(view, pack_ids(1)[0])[-1] == unit.last
                if not seen or seen[-1].size != checkpoint.size:
                    seen.append(checkpoint)
            proof = parse_proof(ledger.prove(unit.last))
            from hashlib import sha256

            assert check_proof(proof, sha256(b"\0" + header).digest(), vkey).size >= checkpoint.size
        with ledger.snapshot() as view:
            assert verify(view, verifier=vkey)
    return len(seen)


@pytest.mark.parametrize("how", CONTEXTS)
def test_readers_see_whole_commits_while_one_writes(path: Path, how: str) -> None:
    with open_ledger(path) as ledger:
        vkey = ledger.verifier
    readers = [Process(_read, path, vkey, how=how) for _ in range(2)]
    for reader in readers:
        assert reader.receive() == "reading"
    with reopen(path, 9) as ledger:
        for n in range(120):
            ledger.append([observe(pack_ids(5)), commission(pack_ids(2, start=100 + 2 * n))])
        ledger.reindex()
    for reader in readers:
        reader.send("stop")
    assert all(reader.join() > 1 for reader in readers)


def test_a_reader_that_opened_first_sees_what_is_written_later(path: Path) -> None:
    def read(pipe: Any) -> tuple[int, int]:
        with Ledger.open(path) as ledger:
            with ledger.snapshot() as old:
                pipe.send(("returned", old.size))
                pipe.recv()
                size = old.size
            with ledger.snapshot() as new:
                return size, new.size

    reader = Process(read)
    before = reader.receive()
    with reopen(path, 10) as ledger:
        ledger.append([observe(pack_ids(1))])
    reader.send("go on")
    assert reader.join() == (before, before + 2)


def test_pages_of_a_killed_reader_are_used_again(path: Path) -> None:
    def read(pipe: Any) -> None:
        ledger = Ledger.open(path)
        view = ledger.snapshot()
        pipe.send(("returned", view.size))
        signal.pause()

    reader = Process(read)
    reader.receive()
    with reopen(path, 11) as ledger:
        env = ledger._store.env.env
        assert str(reader.process.pid) in env.readers()
        os.kill(reader.process.pid or 0, signal.SIGKILL)
        reader.process.join()
        for _ in range(300):
            ledger.append([observe(pack_ids(1))])
        assert str(reader.process.pid) not in env.readers(), "its snapshot would be kept for as long as we are open"


# ---- forks ---------------------------------------------------------------------------------------


def test_a_forked_child_is_refused_and_the_parent_goes_on(tracechain_ledger: Ledger) -> None:
    tracechain_ledger.append([commission(pack_ids(2))])

    def use(pipe: Any) -> list[str]:
        said = []
        for job in (
            lambda: tracechain_ledger.append([observe(pack_ids(1))]),
            tracechain_ledger.snapshot,
            tracechain_ledger.checkpoint,
            tracechain_ledger.reindex,
            lambda: tracechain_ledger.backup("/nowhere"),
        ):
            try:
                job()
                said.append("done")
            except InputError as error:
                said.append(str(error))
        tracechain_ledger.close()
        return said

    said = Process(use).join()
    assert len(said) == 5
    assert all("before this process was forked: open it again in the child" in words for words in said), said
    tracechain_ledger.append([observe(pack_ids(1))])


def test_a_child_forked_in_the_middle_of_a_commit_does_not_keep_the_lock(tracechain_ledger: Ledger) -> None:
    """A pool that was started while a thread wrote must neither hang nor hold the lock after the parent let go."""
    ledger = tracechain_ledger
    forked = threading.Event()
    inside = threading.Event()

    def clock() -> int:
        inside.set()
        forked.wait()
        return Clock()()

    ledger._clock = clock
    writer = threading.Thread(target=lambda: ledger.append([commission(pack_ids(1))]))
    writer.start()
    inside.wait()

    def use(pipe: Any) -> str:
        try:
            ledger.append([observe(pack_ids(1))])
        except InputError as error:
            ledger.close()
            return str(error)
        return "done"

    child = Process(use)
    said = child.receive()
    forked.set()
    writer.join()
    ledger._clock = Clock()
    assert "open it again in the child" in said
    ledger.append([observe(pack_ids(1))])
    child.process.join()


def test_a_forked_child_may_open_the_ledger_and_write_in_turn(tracechain_ledger: Ledger) -> None:
    path = tracechain_ledger.path
    tracechain_ledger.append([commission(pack_ids(2))])
    with tracechain_ledger.snapshot() as old:
        size = old.size

        def use(pipe: Any) -> int:
            return _write(pipe, path, 1, 5)[-1]

        child = Process(use)
        for _ in range(5):
            tracechain_ledger.append([observe(pack_ids(2))])
        last = child.join()
        assert old.size == size
        assert verify(old, verifier=tracechain_ledger.verifier)
    with tracechain_ledger.snapshot() as view:
        assert view.size > last
        assert verify(view, verifier=tracechain_ledger.verifier)


# ---- backup under load ---------------------------------------------------------------------------


def test_backups_while_others_write_are_whole(path: Path, tmp_path: Path) -> None:
    writers = [Process(_write, path, number, 60) for number in range(2)]
    with reopen(path, 12) as ledger:
        copies = []
        for n in range(6):
            before = open_checkpoint(ledger.checkpoint(), ledger.verifier)
            copies.append((before, ledger.backup(tmp_path / f"copy-{n}")))
            ledger.append([observe(pack_ids(1))])
        for writer in writers:
            writer.join()
        for before, copy in copies:
            with Ledger.open(copy) as backup, backup.snapshot() as view:
                assert view.size >= before.size
                assert merkle.tree_root(ViewNodes(view), before.size) == before.root
                assert verify(view, verifier=ledger.verifier)
            assert not anchor_path(copy).exists()
        with ledger.snapshot() as view:
            assert verify(view, verifier=ledger.verifier)
    assert not list(tmp_path.glob(".*"))
