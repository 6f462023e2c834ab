"""The unit index against a dict: many commits, folds, other writers, damage; and the memories of units likewise."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain.errors import (
    DecodeError,
)
from tracechain.store import Store, UnitIndex
from tracechain.store import index as index_module
from tracechain.store.index import BLOCK, IndexReader
from tracechain.store.tables import BASE, MEMORY

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


# ---- the unit index -----------------------------------------------------------------------------


class Indexed:
    """A store's index and the dict it must equal, changed alike."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.model: dict[str, int] = {}

    def commit(self, changes: list[tuple[int, int]]) -> None:
        """One commit as the ledger makes it: number what is new, set words, flush."""
        with self.store.lock.held(), self.store.write() as txn:
            index, raw = txn.index, txn.txn
            new: dict[str, int] = {}
            for unit, word in changes:
                subject = f"u/{unit}"
                number = txn.number(subject.encode())
                if number is None:
                    number = new.setdefault(subject, index.count + len(new))
                    known = index.tail.get(number, 0)
                else:
                    known = index.word(raw, number)
                assert known == self.model.get(subject, 0)
                index.tail[number] = word
                self.model[subject] = word
            index.add(raw, [s.encode() for s in new])
            index.flush(raw)

    def check(self) -> None:
        env = self.store.env
        with env.begin() as txn:
            reader = IndexReader(env, txn)
            assert dict(reader.items()) == self.model
            for subject, word in self.model.items():
                assert reader.word(subject) == word
            assert reader.word("u/none") is None
            again = UnitIndex(env, txn)
            assert again.count == len(self.model)
            for subject, word in self.model.items():
                number = int.from_bytes(txn.get(subject.encode(), None, env.tables["units"]), "big")
                assert again.word(txn, number) == word

    def rebuild(self, chunk: int) -> None:
        with self.store.lock.held(), self.store.write() as txn:
            count = UnitIndex.rebuild(txn.env, txn.txn, iter(self.model.items()), chunk=chunk)
            txn._index = None
        assert count == len(self.model)


words = st.integers(1, (1 << 63) - 1)
commits = st.lists(
    st.one_of(
        st.lists(st.tuples(st.integers(0, 700), words), max_size=60),
        st.builds(lambda a, n, w: [(a + k, w) for k in range(n)], st.integers(0, 600), st.integers(1, 120), words),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=60)
@given(
    commits=commits,
    least=st.integers(1, 40),
    most=st.integers(40, 90),
    capacity=st.integers(8, 200),
    rebuild=st.sampled_from([0, 1, 5, 250, 1000]),
)
def test_the_index_equals_a_dict_over_many_commits(
    commits: list[list[tuple[int, int]]],
    least: int,
    most: int,
    capacity: int,
    rebuild: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("index")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_module, "TAIL_LEAST", least)
        patch.setattr(index_module, "TAIL_MOST", most)
        patch.setattr(index_module, "DELTA_CAPACITY", capacity)
        store = Store.create(folder / "s")
        indexed = Indexed(store)
        for number, changes in enumerate(commits):
            indexed.commit(changes)
            if number % 5 == 0:
                indexed.check()
            if number % 7 == 3:
                store._index = None  # as after a write of another process
            if rebuild and number == len(commits) // 2:
                indexed.rebuild(rebuild)
                indexed.check()
        indexed.check()
        store.close()
    shutil.rmtree(folder)


def test_the_delta_stays_bounded_and_the_base_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "TAIL_LEAST", 20)
    monkeypatch.setattr(index_module, "TAIL_MOST", 40)
    monkeypatch.setattr(index_module, "DELTA_CAPACITY", 500)
    store = Store.create(tmp_path / "s")
    indexed = Indexed(store)
    largest = 0
    for number in range(200):
        indexed.commit([((number * 7919 + k * 104_729) % 5000, number + 1) for k in range(50)])
        with store.lock.held(), store.write() as txn:
            largest = max(largest, len(txn.index.delta))
    with store.env.begin() as txn:
        blocks = txn.stat(store.env.tables["base"])["entries"]
    indexed.check()
    assert blocks > 10
    assert largest < 1500
    store.close()


def test_an_index_in_memory_is_given_up_when_another_process_wrote(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    indexed = Indexed(store)
    indexed.commit([(1, 5), (2, 6)])
    assert store._index is not None
    model = dict(indexed.model)

    def write() -> str:
        other = Indexed(Store(tmp_path / "s", writable=True))
        other.model = dict(model)
        other.commit([(2, 7), (3, 8)])
        other.store.close()
        return "written"

    # A process of its own: a forked child may not use this store, but may open the path.
    assert in_child(write) == "written"
    indexed.model |= {"u/2": 7, "u/3": 8}
    indexed.commit([(2, 9), (4, 1)])
    indexed.check()
    store.close()


def test_an_index_in_memory_is_given_up_after_an_abandoned_write(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s")
    indexed = Indexed(store)
    indexed.commit([(1, 5)])

    def abandon() -> None:
        with store.lock.held(), store.write() as txn:
            txn.index.tail[0] = 99
            raise KeyError

    with pytest.raises(KeyError):
        abandon()
    indexed.commit([(2, 6)])
    indexed.check()
    store.close()


@pytest.mark.parametrize("name", ["tail", "delta", "index"])
def test_a_damaged_part_of_the_index_is_told(tmp_path: Path, name: str) -> None:
    store = Store.create(tmp_path / "s")
    with store.lock.held(), store.write() as txn:
        txn.put_meta(name, b"\x93\x01\x02\x03\x04")
    with pytest.raises(DecodeError, match="tracechain reindex"), store.lock.held(), store.write() as txn:
        _ = txn.index
    store.close()


# ---- memories ----------------------------------------------------------------------------------


class Remembered(Indexed):
    """The same with the second word of each unit, which may go back to 0."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.memories: dict[str, int] = {}

    def remember(self, changes: list[tuple[int, int, int | None]]) -> None:
        """One commit: (unit, word, memory or None for a memory that stays)."""
        with self.store.lock.held(), self.store.write() as txn:
            index, raw = txn.index, txn.txn
            new: dict[str, int] = {}
            for unit, word, memory in changes:
                subject = f"u/{unit}"
                number = txn.number(subject.encode())
                number = new.setdefault(subject, index.count + len(new)) if number is None else number
                index.tail[number] = word
                self.model[subject] = word
                if memory is not None:
                    held = index.other(raw, MEMORY)
                    assert held.recall(raw, number) == self.memories.get(subject, 0)
                    held.remember(number, memory)
                    assert held.recall(raw, number) == memory
                    self.memories[subject] = memory
            index.add(raw, [s.encode() for s in new])
            index.flush(raw)

    def check(self) -> None:
        super().check()
        env = self.store.env
        with env.begin() as txn:
            reader = IndexReader(env, txn, MEMORY)
            again = UnitIndex(env, txn).other(txn, MEMORY)
            for subject in self.model:
                number = int.from_bytes(txn.get(subject.encode(), None, env.tables["units"]), "big")
                expected = self.memories.get(subject, 0)
                assert reader.word(subject) == reader.numbered(number) == expected
                assert again.recall(txn, number) == expected
            assert reader.word("u/none") is None
        with self.store.lock.held(), self.store.write() as held:  # what the writer has in memory
            memory = held.index.other(held.txn, MEMORY)
            for subject in self.model:
                at = held.number(subject.encode())
                assert at is not None
                assert memory.recall(held.txn, at) == self.memories.get(subject, 0)

    def rebuild(self, chunk: int) -> None:
        with self.store.lock.held(), self.store.write() as txn:
            memories = dict(reversed(self.memories.items()))  # in any order; zeros may stand in it
            count = UnitIndex.rebuild(txn.env, txn.txn, iter(self.model.items()), {MEMORY: memories}, chunk=chunk)
            txn._index = None
        assert count == len(self.model)

    def reopen(self) -> None:
        """Close the store and open it again, as another process would."""
        path = self.store.path
        self.store.close()
        self.store = Store(path, writable=True)

    def blocks(self, table: str) -> int:
        """How many blocks of a table are written."""
        with self.store.env.begin() as txn:
            entries: int = txn.stat(self.store.env.tables[table])["entries"]
            return entries


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tail and delta so small that a hundred units are folded."""
    monkeypatch.setattr(index_module, "TAIL_LEAST", 20)
    monkeypatch.setattr(index_module, "TAIL_MOST", 40)
    monkeypatch.setattr(index_module, "DELTA_CAPACITY", 200)
    monkeypatch.setattr(index_module, "DELTA_GROWTH", 20)


#: A memory as the rules make it: a check of 24 bits above an entry, either of which may be nothing.
memory_words = st.one_of(
    st.none(), st.just(0), st.integers(1, 1 << 39), st.integers(1, (1 << 24) - 1).map(lambda lot: lot << 40), words
)
remembered_commits = st.lists(
    st.one_of(
        st.lists(st.tuples(st.integers(0, 1200), words, memory_words), max_size=60),
        st.builds(
            lambda a, n, w, m: [(a + k, w, m) for k in range(n)],
            st.integers(0, 1000), st.integers(1, 200), words, memory_words,
        ),
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


@settings(max_examples=60)
@given(
    commits=remembered_commits,
    least=st.integers(1, 40),
    most=st.integers(40, 90),
    capacity=st.integers(8, 200),
    rebuild=st.sampled_from([0, 1, 5, 250, 1000]),
    cached=st.sampled_from([1, 3, 8192]),
)
def test_memories_equal_a_dict_over_many_commits(
    commits: list[list[tuple[int, int, int | None]]],
    least: int,
    most: int,
    capacity: int,
    rebuild: int,
    cached: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("memory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_module, "TAIL_LEAST", least)
        patch.setattr(index_module, "TAIL_MOST", most)
        patch.setattr(index_module, "DELTA_CAPACITY", capacity)
        patch.setattr(index_module, "DELTA_GROWTH", 10)
        patch.setattr(index_module, "BLOCKS_MOST", cached)  # more units than that: words are read one by one
        held = Remembered(Store.create(folder / "s"))
        for number, changes in enumerate(commits):
            held.remember(changes)
            if number % 5 == 0:
                held.check()
            if number % 7 == 3:
                held.store._index = None  # as after a write of another process
            if number % 11 == 8:
                held.reopen()
            if rebuild and number == len(commits) // 2:
                held.rebuild(rebuild)
                held.check()
        held.check()
        held.store.close()
    shutil.rmtree(folder)


@pytest.mark.usefixtures("small")
def test_memories_are_folded_over_many_blocks_and_forgotten_again(tmp_path: Path) -> None:
    """Over 5,000 units: every memory is set, moves into the base, and goes back to 0 in the same slow way."""
    held = Remembered(Store.create(tmp_path / "s"))
    units = 5000
    for number in range(100):
        held.remember([(number * 50 + k, 1, number << 40 | number + 1) for k in range(50)])
    held.check()
    assert held.blocks(MEMORY) > 15
    assert held.blocks(BASE) > 15
    for number in range(200):
        some = [(number * 7919 + k * 104_729) % units for k in range(50)]
        held.remember([(unit, 2, 0 if k % 2 else None) for k, unit in enumerate(some)])
    held.check()
    assert sum(not memory for memory in held.memories.values()) > 1000
    held.reopen()
    held.check()
    held.rebuild(250)
    held.check()
    assert held.blocks(MEMORY) <= -(-units // BLOCK)
    held.store.close()


@pytest.mark.usefixtures("small")
def test_commits_that_remember_nothing_leave_memories_alone(tmp_path: Path) -> None:
    held = Remembered(Store.create(tmp_path / "s"))
    held.remember([(unit, 1, unit + 1) for unit in range(600)])
    with held.store.env.begin() as txn:
        before = [txn.get(key, None, held.store.env.tables["meta"]) for key in (b"memory", b"memory tail")]
    for number in range(50):
        held.remember([(unit, number + 2, None) for unit in range(number * 40, number * 40 + 60)])
    with held.store.env.begin() as txn:
        assert before == [txn.get(key, None, held.store.env.tables["meta"]) for key in (b"memory", b"memory tail")]
    held.check()
    # Units that came in meanwhile are remembered as well, whatever the count was when memories were last written.
    held.remember([(unit, 99, 7) for unit in range(0, 2000, 3)])
    held.check()
    held.store.close()


def test_a_ledger_without_a_profile_has_no_memories(tmp_path: Path) -> None:
    held = Remembered(Store.create(tmp_path / "s"))
    for number in range(30):
        held.remember([(unit, number + 1, None) for unit in range(number * 50, number * 50 + 300)])
    held.check()
    held.rebuild(100)
    held.check()
    assert held.blocks(MEMORY) == 0
    with held.store.env.begin() as txn:
        keys = [bytes(key) for key, _ in txn.cursor(held.store.env.tables["meta"])]
    assert not [key for key in keys if key.startswith(b"memory")]
    held.store.close()


@pytest.mark.usefixtures("small")
def test_a_rebuilt_index_has_the_memories_it_is_given_and_no_others(tmp_path: Path) -> None:
    held = Remembered(Store.create(tmp_path / "s"))
    held.remember([(unit, 1, unit + 1) for unit in range(700)])
    held.remember([(unit, 2, unit + 1) for unit in range(700)])  # in tail, delta and base
    held.memories = {"u/3": 9, "u/699": 1 << 63}
    held.rebuild(100)
    held.check()
    assert held.blocks(MEMORY) == 2
    held.memories = {}
    held.rebuild(100)
    held.check()
    assert held.blocks(MEMORY) == 0
    held.remember([(5, 3, 4)])
    held.check()
    held.store.close()


@pytest.mark.usefixtures("small")
def test_memories_are_read_again_when_another_process_wrote(tmp_path: Path) -> None:
    held = Remembered(Store.create(tmp_path / "s"))
    held.remember([(unit, 1, 5) for unit in range(300)])
    assert held.store._index is not None
    model, memories = dict(held.model), dict(held.memories)

    def write() -> str:
        other = Remembered(Store(tmp_path / "s", writable=True))
        other.model, other.memories = model, memories
        other.remember([(unit, 2, 0) for unit in range(0, 300, 2)])
        other.remember([(unit, 2, 8) for unit in range(300, 400)])
        other.store.close()
        return "written"

    assert in_child(write) == "written"
    held.model |= {f"u/{unit}": 2 for unit in (*range(0, 300, 2), *range(300, 400))}
    held.memories |= {f"u/{unit}": 0 for unit in range(0, 300, 2)} | {f"u/{unit}": 8 for unit in range(300, 400)}
    held.check()
    held.remember([(1, 9, 0), (2, 9, 7), (301, 9, None), (500, 9, 1)])
    held.check()
    held.store.close()


@pytest.mark.usefixtures("small")
def test_memories_of_an_abandoned_write_are_forgotten(tmp_path: Path) -> None:
    held = Remembered(Store.create(tmp_path / "s"))
    held.remember([(unit, 1, unit + 1) for unit in range(300)])

    def abandon() -> None:
        with held.store.lock.held(), held.store.write() as txn:
            memory = txn.index.other(txn.txn, MEMORY)
            for number in range(300):
                memory.remember(number, 0)
            txn.index.flush(txn.txn)
            raise KeyError

    with pytest.raises(KeyError):
        abandon()
    held.check()
    held.remember([(1, 2, 0)])
    held.check()
    held.store.close()


def test_a_reader_keeps_the_memories_of_its_moment(tmp_path: Path) -> None:
    held = Remembered(Store.create(tmp_path / "s"))
    held.remember([(1, 1, 5), (2, 1, 6)])
    with held.store.env.begin() as txn:
        reader = IndexReader(held.store.env, txn, MEMORY)
        held.remember([(1, 2, 0), (2, 2, 7)])
        assert (reader.word("u/1"), reader.word("u/2")) == (5, 6)
    held.check()
    held.store.close()


@pytest.mark.parametrize("name", ["memory tail", "memory delta", "memory"])
def test_a_damaged_part_of_the_memories_is_told(tmp_path: Path, name: str) -> None:
    store = Store.create(tmp_path / "s")
    with store.lock.held(), store.write() as txn:
        txn.put_meta(name, b"\x93\x01\x02\x03\x04")
    with pytest.raises(DecodeError, match="tracechain reindex"), store.lock.held(), store.write() as txn:
        _ = txn.index.other(txn.txn, MEMORY)
    store.close()
