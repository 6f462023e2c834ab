"""One LMDB environment: opening, tables, and what happens when the disk fails."""

from __future__ import annotations

import os
import threading
import weakref
from pathlib import Path
from typing import Any

import lmdb

from tracechain.errors import DataError, InputError, PoisonedError, StorageError
from tracechain.store.files import explain
from tracechain.store.forking import forget_in_child

__all__ = ["MAP_SIZE", "Environment"]

#: Reserved once: growing the map later would invalidate open snapshots. Sparse, so it costs address space only.
MAP_SIZE = 1 << 42
_MAX_READERS = 512


# LMDB allows one open environment a path and process; a second one would drop the first one's locks. One that was
# forgotten without a close is closed by its destructor, and its path is free again.
class _OpenPaths:
    def __init__(self) -> None:
        self.environments: weakref.WeakValueDictionary[Path, Environment] = weakref.WeakValueDictionary()
        self.lock = threading.Lock()

    def forget(self) -> None:
        """In a forked child: nothing is open here, and a thread that held the lock does not exist."""
        self.__init__()  # type: ignore[misc]  # just as new


_open_paths = _OpenPaths()
forget_in_child(_open_paths)


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
    ) -> None:
        self.folder = folder
        self.writable = writable
        self._poison: str | None = None
        self._closed = False
        self._pid = os.getpid()
        self._real = folder.resolve()
        self.env: Any = None
        self.tables: dict[str, Any] = {}
        if not create and not (folder / "data.mdb").is_file():
            raise DataError(f"{folder} holds no database: data.mdb is missing")
        with _open_paths.lock:
            other = _open_paths.environments.get(self._real)
            if other is not None and other.pid == self._pid:
                raise InputError(f"{folder} is open in this process already: use that Ledger, threads may share it")
            _open_paths.environments[self._real] = self
        forget_in_child(self)
        try:
            # LMDB needs its lock file even to read; a read-only medium is read without locks, nobody can write it.
            lock = os.access(folder, os.W_OK)
            if writable and not lock:
                raise StorageError(  # one place undoes the claim on the path
                    f"{folder} cannot be written: check its owner and permissions, or open it to read"
                )
            self.env = lmdb.open(
                str(folder), map_size=map_size, max_dbs=len(tables) + 2, max_readers=_MAX_READERS,
                readonly=not writable, create=create, lock=lock, readahead=True,
                max_spare_txns=0,  # a child that frees a spare one takes the parent's place in the reader table with it
            )  # fmt: skip
            if writable:
                self.drop_dead_readers()
            self.tables = {name: self.env.open_db(name.encode(), create=create) for name in tables}
        except BaseException as error:
            self.close()
            if isinstance(error, (lmdb.Error, OSError)):
                raise self.failure("open", error) from error
            raise

    def forget(self) -> None:
        """In a forked child: the environment is the parent's, who may have snapshots open."""
        self.env = None
        self.tables = {}

    @property
    def pid(self) -> int:
        """The process that opened it, the only one that may use it."""
        return self._pid

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
        if os.getpid() != self._pid:
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
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        if self.env is not None:
            self.env.close()
        with _open_paths.lock:
            if _open_paths.environments.get(self._real) is self:
                del _open_paths.environments[self._real]
