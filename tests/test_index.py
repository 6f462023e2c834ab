"""The unit index against a dict: many commits, folds, other writers, damage."""

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
from tracechain.store.index import IndexReader

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
