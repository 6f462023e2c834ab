"""One LMDB environment: opening, tables, and what happens when the disk fails."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from pathlib import Path
from typing import Any, Protocol

import lmdb

from tracechain.errors import DataError, InputError, PoisonedError, StorageError
from tracechain.store.files import explain
from tracechain.store.forking import forget_in_child

__all__ = ["MAP_SIZE", "Environment", "claim", "release"]

#: Reserved once: growing the map later would invalidate open snapshots. Sparse, so it costs address space only.
MAP_SIZE = 1 << 42
_MAX_READERS = 512


class _Holder(Protocol):
    #: The process that opened it.
    pid: int


# LMDB allows one open environment a path and process; a second one would drop the first one's locks. One that was
# forgotten without a close is closed by its destructor, and its path is free again.
class _OpenPaths:
    def __init__(self) -> None:
        self.holders: weakref.WeakValueDictionary[Path, _Holder] = weakref.WeakValueDictionary()
        self.lock = threading.Lock()

    def forget(self) -> None:
        """In a forked child: nothing is open here, and a thread that held the lock does not exist."""
        self.__init__()  # type: ignore[misc]  # just as new


_open_paths = _OpenPaths()
forget_in_child(_open_paths)


def claim(folder: Path, holder: _Holder) -> None:
    """Note that this process has a folder (resolved) open. InputError if it has already."""
    with _open_paths.lock:
        other = _open_paths.holders.get(folder)
        if other is not None and other.pid == holder.pid:
            raise InputError(f"{folder} is open in this process already: use that Ledger, threads may share it")
        _open_paths.holders[folder] = holder


def release(folder: Path, holder: _Holder) -> None:
    """Note that it has it open no longer; of no consequence where another holder has it."""
    with _open_paths.lock:
        if _open_paths.holders.get(folder) is holder:
            del _open_paths.holders[folder]


class Environment:
    """An open LMDB environment with its tables. Poisoned after a failed write or sync, until opened again."""

    def __init__(
        self,
        folder: Path,
        tables: tuple[str, ...],
        *,
        writable: bool,
        create: bool = False,
        map_size: int = MAP_SIZE,
        lock: bool = True,
    ) -> None:
        self.folder = folder
        self.writable = writable
        self._poison: str | None = None
        self._closed = False
        self._replaced = False
        self._lock_file = -1
        self._users: weakref.WeakSet[object] = weakref.WeakSet()
        #: The process that opened it, the only one that may use it.
        self.pid = os.getpid()
        self._real = folder.resolve()  # the path it is claimed by, which is another once the folder is renamed
        self.env: Any = None
        self.tables: dict[str, Any] = {}
        if not create and not (folder / "data.mdb").is_file():
            raise DataError(f"{folder} holds no database: data.mdb is missing")
        claim(self._real, self)
        forget_in_child(self)
        try:
            # LMDB needs its lock file even to read; a read-only medium is read without locks, nobody can write it.
            file = folder / "lock.mdb"
            may_lock = os.access(file if file.exists() else folder, os.W_OK)
            if not may_lock and file.exists():
                # lmdb knows an open environment by its files' inodes. Nothing else holds the lock file here, and once
                # this generation is removed, the next one's could get the same number.
                with contextlib.suppress(OSError):
                    self._lock_file = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            if writable and not may_lock:
                raise StorageError(  # one place undoes the claim on the path
                    f"{folder} cannot be written: check its owner and permissions, or open it to read"
                )
            self.env = lmdb.open(
                str(folder), map_size=map_size, max_dbs=len(tables) + 2, max_readers=_MAX_READERS,
                readonly=not writable, create=create, lock=lock and may_lock, readahead=True,
                max_spare_txns=0,  # a child that frees a spare one takes the parent's place in the reader table with it
            )  # fmt: skip
            if writable:
                self.drop_dead_readers()
            self.tables = self._open_tables(tables, create=create)
        except BaseException as error:
            self.close()
            if isinstance(error, (lmdb.Error, OSError)):
                raise self.failure("open", error) from error
            raise

    def _open_tables(self, tables: tuple[str, ...], *, create: bool) -> dict[str, Any]:
        if not self.writable:
            return {name: self.env.open_db(name.encode(), create=False) for name in tables}
        # LMDB waits for who writes. It does so without the interpreter lock only where a transaction begins.
        with self.env.begin(write=True) as txn:
            return {name: self.env.open_db(name.encode(), txn=txn, create=create) for name in tables}

    def forget(self) -> None:
        """In a forked child: the environment is the parent's, who may have snapshots open."""
        self.env = None
        self.tables = {}
        self._users = weakref.WeakSet()

    def enter(self, user: object) -> None:
        """Note somebody who uses it."""
        self._users.add(user)

    def leave(self, user: object) -> None:
        """Note that he does not any more; the last one closes it, if it was replaced."""
        self._users.discard(user)
        if self._replaced and not self._users:
            self.close()

    def retire(self) -> None:
        """Another generation is in use: close this one as soon as nobody uses it."""
        self._replaced = True
        if not self._users:
            self.close()

    def used(self, txn: Any) -> int:
        """Bytes of the pages that hold something, as a transaction sees it: what a compact copy takes."""
        stats = [self.env.stat(), *(txn.stat(table) for table in self.tables.values())]
        pages = sum(stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"] for stat in stats)
        size: int = stats[0]["psize"] * (pages + 2)
        return size

    def failure(self, what: str, error: Exception) -> StorageError | DataError:
        """The error to raise for an error of LMDB."""
        if isinstance(error, (lmdb.CorruptedError, lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.NotFoundError,
                              lmdb.PageNotFoundError)):  # fmt: skip
            return DataError(f"{self.folder}: not a database of this version, or damaged ({error}); restore a backup")
        return StorageError(f"cannot {what} {self.folder}: {explain(error, self.folder)}")

    def poison(self, why: str) -> None:
        """Refuse everything from now on: what is durable is unknown until the ledger is opened again."""
        self._poison = why

    def check(self) -> None:
        """Refuse to go on after a failure, after a close, or in a forked child."""
        if os.getpid() != self.pid:
            raise InputError(f"{self.folder} was opened before this process was forked: open it again in the child")
        if self._poison is not None:
            raise PoisonedError(f"{self.folder}: {self._poison}; close the ledger and open it again")
        if self._closed:
            raise InputError(f"{self.folder} was closed: open the ledger again")

    def begin(self, *, write: bool = False) -> Any:
        """An LMDB transaction."""
        self.check()
        if write and not self.writable:
            raise InputError(f"{self.folder} was opened for reading: pass a signer to write")
        try:
            return self.env.begin(write=write, buffers=False)
        except lmdb.Error as error:
            raise self.failure("begin a transaction on", error) from error

    def drop_dead_readers(self) -> None:
        """Let go of what readers saw who were killed before they closed their snapshot."""
        self.env.reader_check()

    def copy(self, folder: Path) -> None:
        """A compact copy into an empty folder, while others read and write."""
        self.check()
        try:
            self.env.copy(str(folder), compact=True)
        except (lmdb.Error, OSError) as error:
            raise self.failure(f"copy to {folder} from", error) from error

    def close(self) -> None:
        """Close; a forked child only forgets it, as the file belongs to the parent."""
        if self._closed or os.getpid() != self.pid:
            return
        self._closed = True
        if self.env is not None:
            self.env.close()
        if self._lock_file >= 0:
            os.close(self._lock_file)
        release(self._real, self)
