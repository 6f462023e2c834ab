"""Our side of the benchmarks: ledgers that are built once and copied, the ledger as a contestant, and the raw floor.

The floor is what is left when nothing is hashed, signed, looked up or checked. A capture run appends the same
events to a copy of the ledger and notes every put its commits make: table, keys, values, in order. The floor then
makes the same puts, in the same number of durable commits, into its own copy of the same database: with a plain
loop of `Transaction.put`, or each list of pairs by one `Cursor.putmulti` as the ledger does it, which is faster.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import lmdb

from tracechain.event import ObjectEvent
from tracechain.ledger import Ledger
from tracechain.record import Record
from tracechain.signing import MemorySigner
from tracechain.store.environment import MAP_SIZE
from tracechain.store.tables import TABLES
from workloads import chunks, commissioning

__all__ = ["Capture", "Floor", "Ours", "build", "copy", "data_file", "extend", "hash_everything", "open_ledger"]

_ROOT, _LOG, _AUTHOR = (MemorySigner.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
_OPTIONS: dict[str, Any] = {"map_size": MAP_SIZE, "max_dbs": len(TABLES) + 2}


def open_ledger(path: Path) -> Ledger:
    """Open a ledger of the benchmarks for writing."""
    return Ledger.open(path, signer=_LOG, author=_AUTHOR)


def build(path: Path, population: int, batch: int = 1000, before: Iterable[Record] = ()) -> Path:
    """A closed ledger in which `population` units are commissioned, `batch` a commit, after the records `before`."""
    with Ledger.create(path, origin="example.com/bench", signer=_LOG, root=_ROOT, author=_AUTHOR) as ledger:
        for one in before:
            ledger.append([one])
        extend(ledger, 0, population, batch)
    return path


def extend(ledger: Ledger, first: int, stop: int, batch: int = 1000) -> None:
    """Commission the units `first` to `stop - 1`."""
    for at in range(first, stop, batch):
        ledger.append(commissioning(range(at, min(at + batch, stop))))


def copy(path: Path, to: Path) -> Path:
    """A copy of a closed ledger, file by file: the same pages, used and free."""
    shutil.copytree(path, to, ignore=shutil.ignore_patterns("lock.mdb"))
    shutil.copyfile(path.with_name(f"{path.name}.anchor"), to.with_name(f"{to.name}.anchor"))
    return to


def data_file(path: Path) -> Path:
    """The database file of a ledger."""
    (found,) = (path / "ledger").glob("gen-*/data.mdb")
    return found


class Ours:
    """The ledger: from event objects to receipt."""

    def __init__(self, path: Path, batch: int, name: str = "") -> None:
        self.name = name or f"tracechain, {batch:,} a commit"
        self.batch = batch
        self.path = path
        self.ledger = open_ledger(path)

    def prepare(self, events: list[ObjectEvent]) -> list[list[ObjectEvent]]:
        """The events themselves."""
        return chunks(events, self.batch)

    def append(self, commit: list[ObjectEvent]) -> object:
        """One durable commit with its receipt."""
        return self.ledger.append(commit)

    def close(self) -> None:
        """Close the ledger."""
        self.ledger.close()


# ---- the floor ---------------------------------------------------------------------------------

#: (table, pairs, append): one call that a commit makes.
Puts = list[tuple[str, list[tuple[bytes, bytes]], bool]]


class Capture:
    """A ledger whose commits are noted, put by put."""

    def __init__(self, path: Path, batch: int) -> None:
        self._batch = batch
        self._ledger = open_ledger(path)
        self._commits: list[Puts] = []
        env: Any = self._ledger._store.env
        begin = env.begin
        names = {id(handle): name for name, handle in env.tables.items()}

        def begin_noted(*, write: bool = False) -> Any:
            txn = begin(write=write)
            if not write:
                return txn
            self._commits.append([])
            return _Noted(txn, names, self._commits[-1])

        env.begin = begin_noted

    def puts(self, events: list[ObjectEvent]) -> list[Puts]:
        """Append the events and say what each commit put."""
        self._commits.clear()
        for commit in chunks(events, self._batch):
            self._ledger.append(commit)
        return list(self._commits)

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()


class _Noted:
    """A write transaction that notes its puts; anything else that would change the file is refused."""

    def __init__(self, txn: Any, names: dict[int, str], puts: Puts) -> None:
        self._txn, self._names, self._puts = txn, names, puts

    def __getattr__(self, name: str) -> Any:
        assert name not in {"delete", "drop", "pop", "replace"}, f"the floor cannot repeat {name}"
        return getattr(self._txn, name)

    def put(self, key: bytes, value: bytes, *, db: Any) -> bool:
        """Note and do."""
        self._puts.append((self._names[id(db)], [(key, value)], False))
        done: bool = self._txn.put(key, value, db=db)
        return done

    def cursor(self, db: Any) -> _NotedCursor:
        """A cursor that notes as well."""
        return _NotedCursor(self._txn.cursor(db), self._names[id(db)], self._puts)


class _NotedCursor:
    def __init__(self, cursor: Any, table: str, puts: Puts) -> None:
        self._cursor, self._table, self._puts = cursor, table, puts

    def __getattr__(self, name: str) -> Any:
        assert name not in {"delete", "pop", "replace", "put"}, f"the floor cannot repeat {name}"
        return getattr(self._cursor, name)

    def putmulti(self, pairs: Iterable[tuple[bytes, bytes]], *, append: bool = False) -> Any:
        kept = list(pairs)
        self._puts.append((self._table, kept, append))
        return self._cursor.putmulti(kept, append=append)


class Floor:
    """The same puts into the same tables, and nothing else."""

    def __init__(self, path: Path, capture: Capture, batch: int, *, loop: bool = False) -> None:
        self.name = f"raw LMDB, {batch:,} a commit, " + ("a put a value" if loop else "by putmulti")
        self.batch = batch
        self._loop = loop
        self._capture = capture
        self._env: Any = lmdb.open(str(data_file(path).parent), **_OPTIONS)
        self._tables = {name: self._env.open_db(name.encode(), create=False) for name in TABLES}

    def prepare(self, events: list[ObjectEvent]) -> list[Puts]:
        """What the ledger's own commits put for these events."""
        return self._capture.puts(events)

    def append(self, commit: Puts) -> object:
        """One durable commit."""
        txn = self._env.begin(write=True)
        tables = self._tables
        for table, pairs, append in commit:
            if self._loop:
                put, db = txn.put, tables[table]
                for key, value in pairs:
                    put(key, value, append=append, db=db)
            else:
                txn.cursor(tables[table]).putmulti(pairs, append=append)
        txn.commit()
        return None

    def close(self) -> None:
        """Close the environment."""
        self._env.close()
        self._capture.close()


def hash_everything(path: Path, tables: Sequence[str] = ("headers", "contents", "rows")) -> int:
    """The floor of verification: read every header, content and row in order and hash each once. The bytes read."""
    env = lmdb.open(str(data_file(path).parent), readonly=True, **_OPTIONS)
    total = 0
    try:
        handles = [env.open_db(name.encode(), create=False) for name in tables]
        with env.begin() as txn:
            for handle in handles:
                for value in txn.cursor(handle).iternext(keys=False, values=True):
                    sha256(value).digest()
                    total += len(value)
    finally:
        env.close()
    return total
