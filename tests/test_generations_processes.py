"""Generations change while other processes and threads read and write: nobody notices, and nothing is lost."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from test_generations import mapped, names
from test_processes import Process, reopen
from tracechain import merkle
from tracechain.checkpoint import open_checkpoint, parse_checkpoint, parse_note
from tracechain.errors import InputError
from tracechain.ledger import Ledger, verify_ledger
from tracechain.merkle import Frontier
from tracechain.store import Store, Tip, Vault
from tracechain.testing import open_ledger
from tracechain.testing.samples import commission, observe, pack_ids, sell
from tracechain.verification import verify
from tracechain.view import ViewNodes, unit_history


@pytest.fixture
def path(tracechain_ledger: Ledger) -> Path:
    """The path of a closed ledger."""
    tracechain_ledger.append([commission(pack_ids(20))])
    tracechain_ledger.close()
    return tracechain_ledger.path


# ---- other processes -----------------------------------------------------------------------------


def in_turn(pipe: Any, path: Path) -> None:
    with reopen(path, 55) as ledger:
        while (word := pipe.recv()) != "stop":
            if word == "compact":
                pipe.send(("returned", ledger.compact().generation))
            else:
                pipe.send(("returned", ledger.append([observe((word,))]).first))


def test_writers_in_other_processes_go_on_in_the_next_generation(path: Path) -> None:
    """Either compacts in turn; what one remembers of the index is of another file at each step."""
    other = Process(in_turn, path)
    pack = pack_ids(1)[0]
    expected = [3]
    with reopen(path, 6) as ledger:
        for turn in range(12):
            other.send(pack)
            expected.append(other.receive())
            if turn % 3 == 0:
                ledger.compact()
            expected.append(ledger.append([sell((pack,))]).first)
            if turn % 3 == 1:
                other.send("compact")
                other.receive()
        with ledger.snapshot() as view:
            assert unit_history(view, pack) == expected
            assert verify(view, verifier=ledger.verifier)
        other.send("stop")
        other.join()
    assert names(path) == ["CURRENT", "gen-000009"]


def test_transactions_that_count_anew_fool_nobody(path: Path) -> None:
    """A copy begins with transaction 1: this process remembers the index as of a number that comes again."""
    pack = pack_ids(1)[0]
    with reopen(path, 7) as ledger:
        ledger.append([observe((pack,))])
        store = ledger._store
        assert store._index_as_of is not None
        remembered = store._index_as_of[1]
        assert store._index is not None, "otherwise there is nothing to be fooled by"

        def write(pipe: Any) -> int:
            with reopen(path, 8) as other:
                other.compact()
                written = 0
                while other._store.env.env.info()["last_txnid"] < remembered:
                    other.append([observe((pack,))])
                    written += 1
                return written

        assert Process(write).join() > 2
        ledger.append([observe((pack,))])
        assert store._index_as_of[0].folder.name == "gen-000002"
        with ledger.snapshot() as view:
            assert len(unit_history(view, pack)) > 4
            assert verify(view, verifier=ledger.verifier)


def test_a_reader_that_may_not_write_goes_on_in_the_next_generation() -> None:
    with tempfile.TemporaryDirectory() as name:  # unlike the folders of pytest, others can get at it
        folder = Path(name)
        folder.chmod(0o755)
        store = Store.create(folder / "s")
        put(store, b"1")

        def read(pipe: Any) -> list[Any]:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            reader = Store(folder / "s", writable=False)
            old = reader.snapshot()
            pipe.send(("returned", old.meta("x")))
            pipe.recv()
            with reader.snapshot() as new:
                said = [old.meta("x"), new.meta("x"), reader.env.folder.name]
            old.close()
            reader.close()
            return said

        reader = Process(read)
        assert reader.receive() == b"1"
        for value in (b"2", b"3"):
            with store.lock.held():
                store.compact()
            put(store, value)
        reader.send("go on")
        assert reader.join() == [b"1", b"3", "gen-000003"]
        store.close()


def put(store: Store, value: bytes) -> None:
    with store.lock.held(), store.write() as txn:
        txn.put_meta("tip", Tip(Frontier(), 7).encode())
        txn.put_meta("x", value)


def test_a_path_is_opened_once_in_a_process_whatever_its_generation(path: Path) -> None:
    with Ledger.open(path) as reader:
        Process(lambda pipe: [reopen(path, 9).compact(), None][1]).join()
        with pytest.raises(InputError, match="open in this process already"):
            Ledger.open(path)
        assert reader.checkpoint()
        assert reader._store.env.folder.name == "gen-000002"


def test_a_child_that_was_forked_between_generations_is_refused_and_may_open_its_own(path: Path) -> None:
    with open_ledger(path) as ledger:
        old = ledger.snapshot()
        ledger.compact()

        def use(pipe: Any) -> str:
            try:
                ledger.snapshot()
            except InputError as error:
                said = str(error)
            old.close()
            with reopen(path, 10) as own:
                own.append([observe(pack_ids(1))])
                own.compact()
            return said

        assert "open it again in the child" in Process(use).join()
        size = old.size
        assert verify(old, verifier=ledger.verifier)
        old.close()
        with ledger.snapshot() as view:
            assert view.size == size + 2
        ledger.append([observe(pack_ids(1))])


def test_copies_and_verification_while_generations_change(path: Path, tmp_path: Path) -> None:
    with open_ledger(path) as ledger:
        verifier = ledger.verifier
    other = Process(compacting, path, 40)
    for turn in range(6):
        assert verify_ledger(path, verifier=verifier)
        with Ledger.open(path) as reader:
            before = parse_checkpoint(parse_note(reader.checkpoint()).text).size
            copy = reader.backup(tmp_path / f"copy-{turn}")
        with Ledger.open(copy) as backup, backup.snapshot() as view:
            assert view.size >= before
            assert verify(view, verifier=verifier)
            assert names(copy) == ["CURRENT", "gen-000001"]
    other.join()


def opening(pipe: Any, path: Path) -> int:
    """Open and close until told to stop, to read and now and then to write: what CURRENT named may be gone by then."""
    size = count = 0
    while not pipe.poll():
        with Ledger.open(path) if count % 5 else reopen(path, 13) as ledger, ledger.snapshot() as view:
            assert view.size >= size
            size = view.size
        count += 1
    pipe.recv()
    return count


def test_opening_while_generations_change_and_two_compact(path: Path) -> None:
    openers = [Process(opening, path) for _ in range(2)]
    others = [Process(compacting, path, 30) for _ in range(2)]
    for other in others:
        other.join()
    for opener in openers:
        opener.send("stop")
    assert all(opener.join() > 10 for opener in openers)
    with open_ledger(path) as ledger, ledger.snapshot() as view:
        assert view.size == 4 + 2 * 30 * 2
        assert verify(view, verifier=ledger.verifier)
    assert names(path) == ["CURRENT", "gen-000061"]


def compacting(pipe: Any, path: Path, count: int) -> None:
    with reopen(path, 11) as ledger:
        for _ in range(count):
            ledger.append([observe(pack_ids(3))])
            ledger.compact()


# ---- under load ----------------------------------------------------------------------------------


def load_writing(pipe: Any, path: Path, number: int) -> tuple[list[int], float]:
    """Append until told to stop: what was acknowledged, and the longest wait (s)."""
    found: list[int] = []
    longest = 0.0
    with reopen(path, 100 + number) as ledger:
        pipe.send(("returned", "writing"))
        while not pipe.poll():
            begun = time.perf_counter()
            pack = pack_ids(1, start=1_000_000 * number + len(found))
            found.append(ledger.append([commission(pack), observe(pack_ids(3))]).first)
            longest = max(longest, time.perf_counter() - begun)
        pipe.recv()
    return found, longest


def load_reading(pipe: Any, path: Path, number: int) -> int:
    """Look until told to stop: what was seen once stays, and is never older than what was seen before."""
    seen, generations = None, set()
    with Ledger.open(path) as ledger:
        pipe.send(("returned", "reading"))
        while not pipe.poll():
            with ledger.snapshot() as view:
                checkpoint = open_checkpoint(view.checkpoint, ledger.verifier)
                assert checkpoint.size == view.size
                assert merkle.tree_root(ViewNodes(view), view.size) == checkpoint.root
                if seen is not None:
                    assert seen.size <= view.size, "a reader went back"
                    assert merkle.tree_root(ViewNodes(view), seen.size) == seen.root
                seen = checkpoint
                unit = view.unit(pack_ids(1)[0])
                assert unit is not None
                assert unit_history(view, pack_ids(1)[0])[-1] == unit.last
                generations.add(ledger._store.env.folder.name)
        pipe.recv()
    return len(generations)


def swaps_under_load(path: Path, swaps: int) -> list[float]:
    writers = [Process(load_writing, path, number) for number in (1, 2)]
    readers = [Process(load_reading, path, number) for number in (1, 2)]
    for process in (*writers, *readers):
        process.receive()
    with reopen(path, 12) as ledger:
        sizes = []
        for number in range(swaps):
            done = ledger.compact()
            assert done.generation == f"gen-{number + 2:06}"
            with ledger.snapshot() as view:
                sizes.append(view.size)
            time.sleep(0.005)  # a lock is not fair: let others have it
        for process in (*writers, *readers):
            process.send("stop")
        written = [writer.join() for writer in writers]
        assert all(reader.join() > swaps / 10 for reader in readers)
        assert sizes == sorted(sizes)
        assert sizes[-1] > sizes[0] + swaps / 4, "there was no load"
        with ledger.snapshot() as view:
            assert verify(view, verifier=ledger.verifier)
            for number, (found, _) in enumerate(written, start=1):
                assert found
                for at, index in enumerate(found):
                    unit = view.unit(pack_ids(1, start=1_000_000 * number + at)[0])
                    assert unit is not None, "an acknowledged commit is lost"
                    assert unit.last == index
            assert 3 * sum(len(found) for found, _ in written) == view.size - 4
    assert names(path) == ["CURRENT", f"gen-{swaps + 1:06}"]
    return [longest for _, longest in written]


def test_a_hundred_swaps_under_load_lose_nothing(path: Path) -> None:
    swaps_under_load(path, 100)


@pytest.mark.torture
def test_a_thousand_swaps_under_load(path: Path) -> None:
    swaps_under_load(path, 1000)


# ---- threads -------------------------------------------------------------------------------------


def test_threads_of_one_process_read_and_write_on(path: Path) -> None:
    failed: list[BaseException] = []
    stop = threading.Event()

    def guarded(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                while not stop.is_set():
                    work()
            except BaseException as error:  # noqa: BLE001  # it is told to the test
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    with open_ledger(path) as ledger:
        seen, acknowledged = [0, 0], []

        def read(number: int) -> None:
            with ledger.snapshot() as view:
                assert view.size >= seen[number]
                seen[number] = view.size
                checkpoint = open_checkpoint(view.checkpoint, ledger.verifier)
                assert merkle.tree_root(ViewNodes(view), view.size) == checkpoint.root

        def write() -> None:
            acknowledged.append(ledger.append([observe(pack_ids(2))]).first)

        threads = [guarded(lambda: read(0)), guarded(lambda: read(1)), guarded(write), guarded(write)]
        for _ in range(40):
            ledger.compact()
        stop.set()
        for thread in threads:
            thread.join()
        assert not failed, failed
        with ledger.snapshot() as view:
            assert verify(view, verifier=ledger.verifier)
            assert sorted(unit_history(view, pack_ids(1)[0])[1:]) == sorted(acknowledged)
        assert len(mapped(path)) == 2


# ---- the vault -----------------------------------------------------------------------------------


def test_a_vault_is_written_while_it_is_compacted(tmp_path: Path) -> None:
    """Writers of the vault hold no lock but LMDB's."""
    vault = Vault(tmp_path / "vault", writable=True, create=True)

    def write(pipe: Any, number: int) -> int:
        own, count = Vault(tmp_path / "vault", writable=True), 0
        pipe.send(("returned", "writing"))
        while not pipe.poll():
            own.put_person(bytes([number]) + count.to_bytes(15, "big"), {"name": str(count)})
            count += 1
        pipe.recv()
        own.close()
        return count

    writers = [Process(write, number) for number in (1, 2)]
    for writer in writers:
        writer.receive()
    for _ in range(30):
        vault.compact()
        time.sleep(0.005)
    for writer in writers:
        writer.send("stop")
    counts = [writer.join() for writer in writers]
    assert all(counts)
    for number, count in enumerate(counts, start=1):
        for n in range(count):
            assert vault.person(bytes([number]) + n.to_bytes(15, "big")) == {"name": str(n)}
    vault.close()
