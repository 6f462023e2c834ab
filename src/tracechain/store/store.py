"""The store of one ledger: its two environments, its writer lock, its write transactions."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import lmdb

from tracechain.errors import DataError, InputError, StorageError
from tracechain.merkle import Frontier
from tracechain.store.environment import Environment
from tracechain.store.files import FileLock, explain, sync_folder
from tracechain.store.forking import forget_in_child
from tracechain.store.generations import Compaction, Generations, Lease, Progress
from tracechain.store.index import UnitIndex
from tracechain.store.snapshot import Snapshot
from tracechain.store.tables import META, TABLES
from tracechain.store.tip import Tip
from tracechain.store.transaction import Transaction
from tracechain.store.vault import Vault

__all__ = ["FORMAT", "Store"]

FORMAT = b"0"

# Writes between looks for readers that were killed: what their snapshots saw would never be reused while we are open.
_READER_CHECK = 256


class Store:
    """Opens what CURRENT names; one path is opened once per process, and by many processes."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self.writable = writable
        #: What this process remembers of the unit index, and as of which transaction of which environment.
        self._index: UnitIndex | None = None
        self._index_as_of: tuple[Environment, int] | None = None
        self._writes = 0
        self.lock = FileLock(path / "writer.lock")
        # To open its tables for writing LMDB waits for who writes; and what a crash left of a compaction is nobody
        # else's while we hold our own lock.
        try:
            with self.lock.held() if writable else contextlib.nullcontext():
                self.generations = Generations(path / "ledger", TABLES, writable=writable)
                self._check_format()
                self.vault = Vault(path / "vault", writable=writable)
                if writable:
                    self.generations.tidy()
                    self.vault.tidy()
        except BaseException:
            with self.lock.closing():
                for part in ("vault", "generations"):
                    if hasattr(self, part):
                        getattr(self, part).close()
            raise
        forget_in_child(self)

    def forget(self) -> None:
        """In a forked child: the index in memory holds on to the parent's tables."""
        self._index = None
        self._index_as_of = None

    @property
    def env(self) -> Environment:
        """The environment of the generation that was in use when this process last looked."""
        return self.generations.env

    def check(self) -> None:
        """Refuse to go on after a failure, after a close, or in a forked child."""
        self.generations.check()

    @classmethod
    def create(cls, path: Path) -> Store:
        """Make the folders of a new ledger and open it. InputError if there is something already."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(
                f"{path} exists already: a new ledger needs a new or empty folder. If a creation was interrupted there,"
                " remove the folder and the .anchor beside it first"
            )
        new, claimed = not path.exists(), False
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / "ledger").mkdir()  # fails where another process was quicker
            claimed = True
            Generations.create(path / "ledger", TABLES, meta={b"format": FORMAT})
            Vault(path / "vault", writable=True, create=True).close()
            sync_folder(path)
            sync_folder(path.parent)
            return cls(path, writable=True)
        except BaseException as error:
            if claimed:
                cls.remove(path, folder=new)
            elif new:
                with contextlib.suppress(OSError):
                    path.rmdir()  # only if nobody put anything there
            if isinstance(error, (OSError, lmdb.Error)):
                raise StorageError(f"cannot make a ledger at {path}: {explain(error, path)}") from error
            raise

    @staticmethod
    def remove(path: Path, *, folder: bool) -> None:
        """Take away a ledger that was being made when something failed, so that it can be made again."""
        for part in ("ledger", "vault"):
            shutil.rmtree(path / part, ignore_errors=True)
        with contextlib.suppress(OSError):
            (path / "writer.lock").unlink(missing_ok=True)
            if folder:
                path.rmdir()

    def _check_format(self) -> None:
        found = self._meta(b"format")
        if found != FORMAT:
            said = "none" if found is None else found[:16].decode("ascii", "backslashreplace")
            raise DataError(
                f"{self.path} has format version {said}, this tracechain reads {FORMAT.decode()}: use the version of"
                " tracechain that wrote it"
            )

    def snapshot(self) -> Snapshot:
        """The ledger as of its last commit."""
        return Snapshot(self.generations)

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """A read transaction with the reading half of what a write has; works where the tip is damaged, unlike
        `snapshot`."""
        with self.generations.reading() as (env, txn):
            try:
                yield Transaction(env, txn, None, Tip(Frontier()))
            except lmdb.Error as error:
                raise env.failure("read", error) from error

    @contextlib.contextmanager
    def write(self, *, rebuild: bool = False) -> Iterator[Transaction]:
        """A write transaction: committed durably at the end of the block, or nothing of it is there.

        The caller holds `lock`. A failed commit poisons the environment. With `rebuild` the tip is not read, as it is
        about to be made anew.
        """
        user = Lease()
        env, txn = self.generations.begin(user, write=True)
        committing = False
        try:
            self._writes += 1
            if self._writes % _READER_CHECK == 0:
                env.drop_dead_readers()
            number = txn.id()
            # What this process remembers of the index holds as long as no other process has written. A compact copy
            # counts its transactions anew.
            index = self._index if self._index_as_of == (env, number - 1) else None
            tip = None if rebuild else txn.get(b"tip", None, env.tables[META])
            transaction = Transaction(env, txn, index, Tip(Frontier()) if tip is None else Tip.decode(tip))
            yield transaction
            committing = True
            txn.commit()
            self._index, self._index_as_of = transaction.index_read, (env, number)
            transaction.end()
        except BaseException as error:
            self._index = self._index_as_of = None
            with contextlib.suppress(lmdb.Error):
                txn.abort()
            if isinstance(error, lmdb.Error) or committing:
                env.poison(f"a write failed ({error}), and what of it is on disk is unknown")
            if isinstance(error, lmdb.Error):
                raise env.failure("write to", error) from error
            raise
        finally:
            self.generations.leave(env, user)

    @property
    def uncompacted(self) -> bool:
        """Whether parts were deleted whose bytes the file may still hold: a crash came before `compact`."""
        return self.generations.uncompacted()

    def compact(self, progress: Progress | None = None) -> Compaction:
        """Put a compact copy of the ledger in use and remove the old file, so that what was deleted is nowhere in it.

        The caller holds `lock`: other writers wait meanwhile, readers go on. StorageError where the disk is full: then
        nothing has changed. `progress` is told bytes copied and bytes to copy.
        """
        self._index = self._index_as_of = None
        return self.generations.compact(progress)

    def copy(self, folder: Path) -> None:
        """A compact copy of the ledger's environment into an empty folder, while others read and write."""
        self.generations.copy(folder)

    def _meta(self, name: bytes) -> bytes | None:
        with self.generations.reading() as (env, txn):
            try:
                value: bytes | None = txn.get(name, None, env.tables[META])
            except lmdb.Error as error:
                raise env.failure("read", error) from error
        return value

    def close(self) -> None:
        """Close both environments, once no commit of this process is under way."""
        with self.lock.closing():
            self.vault.close()
            self.generations.close()
