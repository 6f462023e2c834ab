"""Generations of one environment: a compact copy takes the place of a file from which something was deleted.

LMDB gives the pages of what was deleted back to itself, not to the disk, and does not wipe them: most of it can still
be read in the file. A compacting copy has what is there, and nothing else. It cannot be renamed over a file that others
have open: they would go on writing to one that is gone. So (docs/format.md section 11.5):

    FOLDER/CURRENT                 the name of the generation in use
    FOLDER/gen-000001/data.mdb     a generation
    FOLDER/.gen-000002.partial     a copy under way
    FOLDER/.gen-000001.old         one that is being removed

Within a write transaction of the generation in use, which keeps all writers out, it is copied, the copy is looked at
and made durable under its name, and the transaction commits `successor`, the last change of the old generation. Whoever
begins a transaction looks for that mark, and goes on in the next generation. CURRENT is changed by whoever comes first
with a write transaction of the old one: who made the copy, or, if that was killed, the next who writes. So CURRENT only
ever goes forward, and what it names is durable before anybody writes to it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lmdb
from attrs import frozen

from tracechain.errors import DataError, StorageError
from tracechain.store.environment import MAP_SIZE, Environment, claim, release
from tracechain.store.files import (
    FIRST_GENERATION,
    current_generation,
    explain,
    sync_file,
    sync_folder,
    write_durably,
)
from tracechain.store.forking import forget_in_child
from tracechain.store.tables import META

__all__ = ["SUCCESSOR", "UNCOMPACTED", "Compaction", "Generations", "Lease"]

#: In the table meta: the next generation's name; that parts were deleted since the last compaction.
SUCCESSOR = b"successor"
UNCOMPACTED = b"uncompacted"

_MADE_HERE = re.compile(r"gen-[0-9]{6}|[.]gen-[0-9]{6}[.](partial|old)|[.]CURRENT[.][0-9]+[.][0-9]+")
_LAST = 999_999
_WATCH_SECONDS = 0.05

Progress = Callable[[int, int], None]


@frozen
class Compaction:
    """What a compaction came to: the bytes of the file before and after, how long writers had to wait, and the name of
    the new generation."""

    before: int
    after: int
    seconds: float
    generation: str


class Lease:
    """Somebody who uses an environment: it is closed only when nobody does."""


class Generations:
    """The generation in use of one environment, and those before it in which snapshots of this process are open.

    Threads share it. `tables` includes META.
    """

    def __init__(self, folder: Path, tables: tuple[str, ...], *, writable: bool, map_size: int = MAP_SIZE) -> None:
        self.folder = folder
        self.writable = writable
        self._real = folder.resolve()
        self.pid = os.getpid()
        self._tables = tables
        self._map_size = map_size
        self._mutex = threading.Lock()
        self._replaced: weakref.WeakSet[Environment] = weakref.WeakSet()
        claim(self._real, self)
        try:
            #: The generation that was in use when this process last looked.
            self.env = self._open()
        except BaseException:
            release(self._real, self)
            raise
        forget_in_child(self)

    def forget(self) -> None:
        """In a forked child: no thread holds the mutex, and no environment is ours."""
        self._mutex = threading.Lock()
        self._replaced = weakref.WeakSet()

    @classmethod
    def create(
        cls, folder: Path, tables: tuple[str, ...], *, map_size: int = MAP_SIZE, meta: dict[bytes, bytes] | None = None
    ) -> None:
        """Make the first generation, with these values in its table meta, in a folder that holds none."""
        first = folder / FIRST_GENERATION
        first.mkdir(parents=True)
        env = Environment(first, tables, writable=True, create=True, map_size=map_size)
        try:
            with env.begin(write=True) as txn:
                for name, value in (meta or {}).items():
                    txn.put(name, value, db=env.tables[META])
        finally:
            env.close()
        sync_folder(first)
        write_durably(folder / "CURRENT", f"{FIRST_GENERATION}\n".encode())

    # ---- transactions ----

    def begin(self, user: object, *, write: bool = False) -> tuple[Environment, Any]:
        """A transaction of the generation in use, and its environment, which stays open until `leave(env, user)`.

        `user` can be referred to weakly: an environment waits for no user that was forgotten.
        """
        while True:
            with self._mutex:
                env = self.env
                env.check()
                env.enter(user)
            try:
                txn = env.begin(write=write)
                try:
                    if not self._is_replaced(env, txn, write=write):
                        return env, txn
                except BaseException:
                    txn.abort()
                    raise
                txn.abort()
                self._follow(env)
            except BaseException:
                self.leave(env, user)
                raise
            self.leave(env, user)

    def leave(self, env: Environment, user: object) -> None:
        """Note that somebody uses an environment no longer: the last one closes it, if it was replaced."""
        with self._mutex:
            env.leave(user)

    @contextlib.contextmanager
    def reading(self) -> Iterator[tuple[Environment, Any]]:
        """(environment, read transaction) of the generation in use. Errors of LMDB are raised as they are."""
        user = Lease()
        env, txn = self.begin(user)
        try:
            with txn:
                yield env, txn
        finally:
            self.leave(env, user)

    def check(self) -> None:
        """Refuse to go on after a failure, after a close, or in a forked child."""
        with self._mutex:
            self.env.check()

    def _is_replaced(self, env: Environment, txn: Any, *, write: bool) -> bool:
        """Whether to go on in another generation. One that was named but is not in use yet is no place to read from."""
        try:
            successor = txn.get(SUCCESSOR, None, env.tables[META])
        except lmdb.Error as error:
            raise env.failure("read", error) from error
        if successor is None:
            return False
        if current_generation(self.folder) != env.folder:
            return True
        if write:
            # Within a write transaction of the generation that CURRENT names: nobody else changes it.
            self._put_current(successor.decode("ascii", "replace"))
        return write

    def _follow(self, replaced: Environment) -> None:
        """Open what CURRENT names in place of this one, unless another thread did.

        LMDB opens tables for writing in a write transaction, so in a process that writes this waits for who is writing
        there just then.
        """
        with self._mutex:
            if self.env is replaced:
                self.env = self._open()
                self._replaced.add(replaced)
                replaced.retire()

    def _open(self) -> Environment:
        while True:
            folder = current_generation(self.folder)
            try:
                return Environment(folder, self._tables, writable=self.writable, map_size=self._map_size)
            except (DataError, StorageError):
                if current_generation(self.folder) == folder:
                    raise  # otherwise it was replaced, and removed, just then

    def _put_current(self, name: str) -> None:
        if not (self.folder / name / "data.mdb").is_file():
            raise DataError(f"{self.folder}: the next generation {name!r} is not there; restore a backup")
        write_durably(self.folder / "CURRENT", f"{name}\n".encode())

    # ---- compaction; the caller holds the writer lock of the ledger ----

    def uncompacted(self) -> bool:
        """Whether parts were deleted whose bytes the file may still hold."""
        with self.reading() as (env, txn):
            try:
                return txn.get(UNCOMPACTED, None, env.tables[META]) is not None
            except lmdb.Error as error:
                raise env.failure("read", error) from error

    def tidy(self) -> None:
        """Finish a switch that was interrupted, and remove what is left of generations that are not in use."""
        user = Lease()
        env, txn = self.begin(user, write=True)
        txn.abort()
        try:
            with contextlib.suppress(OSError, StorageError):  # what is left takes room, and hinders nobody
                self._sweep(env)
        finally:
            self.leave(env, user)

    def compact(self, progress: Progress | None = None) -> Compaction:
        """Make the next generation, without what was deleted, and put it in use; the old one is removed.

        `progress` is told bytes copied and bytes to copy. StorageError where the disk is full: the old generation stays
        in use then. Snapshots that are open show what they did, and keep the old file's room until they are closed.
        """
        begun = time.monotonic()
        user = Lease()
        env, txn = self.begin(user, write=True)
        try:
            self._sweep(env)
            before = (env.folder / "data.mdb").stat().st_size
            name = self._copy(env, txn, progress)
            try:
                txn.put(SUCCESSOR, name.encode(), db=env.tables[META])
                txn.commit()
            except lmdb.Error as error:
                env.poison(f"a generation could not be closed ({error}), and what of it is on disk is unknown")
                raise env.failure("write to", error) from error
        except lmdb.Error as error:
            raise env.failure("compact", error) from error
        except OSError as error:
            raise StorageError(f"cannot compact {env.folder}: {explain(error, env.folder)}") from error
        finally:
            txn.abort()
            self.leave(env, user)
        after = (self.folder / name / "data.mdb").stat().st_size
        env, txn = self.begin(user, write=True)  # puts the new one in use
        txn.abort()
        try:
            self._sweep(env)
        except OSError as error:
            raise StorageError(
                f"{self.folder} is compacted, but the old file could not be removed ({error}): what was deleted can"
                f" still be read in it; remove all but {name}"
            ) from error
        finally:
            self.leave(env, user)
        return Compaction(before, after, time.monotonic() - begun, name)

    def _sweep(self, env: Environment) -> None:
        """Remove what this module made and nobody uses."""
        strays = sorted(
            path for path in self.folder.iterdir() if _MADE_HERE.fullmatch(path.name) and path != env.folder
        )
        if not strays:
            return
        for path in strays:
            if path.name > env.folder.name and _was_in_use(path):
                raise DataError(
                    f"{self.folder}: CURRENT names {env.folder.name}, but {path.name} is newer and was in use: put"
                    " CURRENT right, or move that one away if a backup is to go on"
                )
        # First what was never in use: a full disk has room again then.
        kept = []
        for path in strays:
            if path.name.startswith(".CURRENT"):
                path.unlink(missing_ok=True)
            elif path.name.endswith(".partial"):
                shutil.rmtree(path)
            else:
                kept.append(path)
        if kept:
            # After a sync that failed nobody knows whether CURRENT is durable; nothing is given up for one that is not.
            write_durably(self.folder / "CURRENT", f"{env.folder.name}\n".encode())
        for path in kept:
            # At once, so that nobody opens half a generation.
            doomed = path if path.name.startswith(".") else path.rename(path.with_name(f".{path.name}.old"))
            shutil.rmtree(doomed)
        sync_folder(self.folder)

    def _copy(self, env: Environment, txn: Any, progress: Progress | None) -> str:
        """Make the next generation, durable, under its name."""
        number = int(env.folder.name[-6:]) + 1
        if number > _LAST:
            raise DataError(
                f"{env.folder} is the last generation there is a name for: restore a backup, it begins anew"
            )
        name = f"gen-{number:06}"
        partial = self.folder / f".{name}.partial"
        made = partial
        try:
            partial.mkdir()
            total = env.used(txn)
            space = os.statvfs(self.folder)
            if space.f_bavail * space.f_frsize < total:
                raise StorageError(  # one place takes away what there is of the copy
                    f"cannot compact {env.folder}: the copy takes {total:,} bytes beside it and"
                    f" {space.f_bavail * space.f_frsize:,} are free: make room"
                )
            _watched(lambda: env.copy(partial), partial / "data.mdb", total, progress)
            self._check_copy(partial, env, txn)
            _make_alike(env.folder, partial)
            sync_file(partial / "data.mdb")  # LMDB's copy does not
            sync_folder(partial)
            made = partial.rename(self.folder / name)
            sync_folder(self.folder)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)  # nobody was told of it yet
            raise
        return name

    def _check_copy(self, folder: Path, env: Environment, txn: Any) -> None:
        """Look whether a copy has everything, and take the mark away that it was to be made."""
        # Nobody else knows of it, so it needs no locks; its lock file must not be that of another path.
        copy = Environment(folder, self._tables, writable=True, map_size=self._map_size, lock=False)
        try:
            with copy.begin(write=True) as write:
                for table in self._tables:
                    here, there = (t.stat(e.tables[table])["entries"] for e, t in ((env, txn), (copy, write)))
                    if here != there:
                        raise StorageError(f"{folder}: table {table} has {there} of {here} records: look at the disk")
                for name in (b"tip", b"checkpoint"):
                    here, there = (t.get(name, None, e.tables[META]) for e, t in ((env, txn), (copy, write)))
                    if here != there:
                        raise StorageError(f"{folder}: the copy is not what was copied: look at the disk")
                write.delete(UNCOMPACTED, db=copy.tables[META])
        except lmdb.Error as error:
            raise copy.failure("write to", error) from error
        finally:
            copy.close()

    def copy(self, folder: Path) -> None:
        """A compact copy of the generation in use into an empty folder, while others read and write."""
        with self.reading() as (env, _):
            env.copy(folder)

    def close(self) -> None:
        """Close all environments."""
        with self._mutex:
            for env in list(self._replaced):
                env.close()
            self.env.close()
        release(self._real, self)


def _watched(copy: Callable[[], None], file: Path, total: int, progress: Progress | None) -> None:
    """Copy, and tell how far it has come: LMDB does not, but the file grows."""
    if progress is None:
        copy()
        return
    failed: list[BaseException] = []

    def run() -> None:
        try:
            copy()
        except BaseException as error:  # noqa: BLE001  # it is raised in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=run, name="compaction")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_WATCH_SECONDS)
            progress(min(file.stat().st_size, total) if file.exists() else 0, total)
    finally:
        thread.join()  # LMDB's copy cannot be stopped
    if failed:
        raise failed[0]
    progress(total, total)


def _was_in_use(folder: Path) -> bool:
    """Whether a generation is more than a copy that CURRENT never named: the lock file of that is empty still."""
    locks = folder / "lock.mdb"
    return (folder / "data.mdb").exists() and not (locks.exists() and locks.stat().st_size == 0)


def _make_alike(old: Path, new: Path) -> None:
    """Give a new generation the owners and permissions of the old one, its lock file included: whoever opens it first
    would make one that others may not be able to use."""
    with contextlib.suppress(FileExistsError):
        (new / "lock.mdb").touch(exist_ok=False)
    for name in (".", "data.mdb", "lock.mdb"):
        with contextlib.suppress(FileNotFoundError):
            like, path = (old / name).stat(), new / name
            with contextlib.suppress(PermissionError):
                os.chown(path, like.st_uid, like.st_gid)
            path.chmod(stat.S_IMODE(like.st_mode))
