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
from tracechain.store.files import (
    FIRST_GENERATION,
    FileLock,
    current_generation,
    explain,
    sync_folder,
    write_durably,
)
from tracechain.store.forking import forget_in_child
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
        self._index: UnitIndex | None = None
        self._index_txn = -1
        self._writes = 0
        self.lock = FileLock(path / "writer.lock")
        ledger = current_generation(path / "ledger")
        # To open its tables for writing LMDB waits for who writes, be it a long reindex, and keeps the interpreter lock
        # meanwhile: our own lock is waited for without it.
        try:
            with self.lock.held() if writable else contextlib.nullcontext():
                self.env = Environment(ledger, TABLES, writable=writable)
            self._check_format()
            self.vault = Vault(current_generation(path / "vault"), writable=writable)
        except BaseException:
            with self.lock.closing():
                if hasattr(self, "env"):
                    self.env.close()
            raise
        forget_in_child(self)

    def forget(self) -> None:
        """In a forked child: the index in memory holds on to the parent's tables."""
        self._index = None

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
            for part in ("ledger", "vault"):
                (path / part / FIRST_GENERATION).mkdir(parents=True)
            env = Environment(path / "ledger" / FIRST_GENERATION, TABLES, writable=True, create=True)
            try:
                with env.begin(write=True) as txn:
                    txn.put(b"format", FORMAT, db=env.tables[META])
            finally:
                env.close()
            Vault(path / "vault" / FIRST_GENERATION, writable=True, create=True).close()
            for part in ("ledger", "vault"):
                sync_folder(path / part / FIRST_GENERATION)
                write_durably(path / part / "CURRENT", f"{FIRST_GENERATION}\n".encode())
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
        return Snapshot(self.env)

    @contextlib.contextmanager
    def read(self) -> Iterator[Transaction]:
        """A read transaction with the reading half of what a write has; works where the tip is damaged, unlike
        `snapshot`."""
        with self.env.begin() as txn:
            try:
                yield Transaction(self.env, txn, None, Tip(Frontier()))
            except lmdb.Error as error:
                raise self.env.failure("read", error) from error

    @contextlib.contextmanager
    def write(self, *, rebuild: bool = False) -> Iterator[Transaction]:
        """A write transaction: committed durably at the end of the block, or nothing of it is there.

        The caller holds `lock`. A failed commit poisons the environment. With `rebuild` the tip is not read, as it is
        about to be made anew.
        """
        self._follow_successor()
        self._writes += 1
        if self._writes % _READER_CHECK == 0:
            self.env.drop_dead_readers()
        txn = self.env.begin(write=True)
        committing = False
        try:
            number = txn.id()
            # What this process remembers of the index holds as long as no other process has written.
            index = self._index if self._index_txn == number - 1 else None
            tip = None if rebuild else txn.get(b"tip", None, self.env.tables[META])
            transaction = Transaction(self.env, txn, index, Tip(Frontier()) if tip is None else Tip.decode(tip))
            yield transaction
            committing = True
            txn.commit()
            self._index, self._index_txn = transaction.index_read, number
            transaction.end()
        except BaseException as error:
            self._index = None
            with contextlib.suppress(lmdb.Error):
                txn.abort()
            if isinstance(error, lmdb.Error) or committing:
                self.env.poison(f"a write failed ({error}), and what of it is on disk is unknown")
            if isinstance(error, lmdb.Error):
                raise self.env.failure("write to", error) from error
            raise

    def _meta(self, name: bytes) -> bytes | None:
        with self.env.begin() as txn:
            try:
                value: bytes | None = txn.get(name, None, self.env.tables[META])
            except lmdb.Error as error:
                raise self.env.failure("read", error) from error
        return value

    def _follow_successor(self) -> None:
        """Go on in the generation that replaced this one, if any (invariant 8 of the design)."""
        successor = self._meta(b"successor")
        if successor is not None:
            self.env.close()
            self._index = None
            self.env = Environment(current_generation(self.path / "ledger"), TABLES, writable=self.writable)

    def close(self) -> None:
        """Close both environments, once no commit of this process is under way."""
        with self.lock.closing():
            self.vault.close()
            self.env.close()
