"""Files and folders around an LMDB environment: generations, CURRENT, durable small files, locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from tracechain.errors import DataError, InputError, StorageError
from tracechain.store.forking import forget_in_child

__all__ = ["FileLock", "current_generation", "explain", "sync_file", "sync_folder", "write_durably"]

FIRST_GENERATION = "gen-000001"
_GENERATION = re.compile(r"gen-[0-9]{6}")


def explain(error: Exception, path: Path) -> str:
    """An error of the system in words: LMDB reports a full disk as an input/output error."""
    with contextlib.suppress(OSError):
        stat = os.statvfs(path if path.exists() else path.parent)
        if stat.f_bavail * stat.f_frsize < 64 << 20:
            return f"{error}; the disk of {path} is full: make room"
    return str(error)


def sync_file(path: Path) -> None:
    """Make what was written to a file durable."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    fd = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_durably(path: Path, data: bytes) -> None:
    """Replace a small file at once: its old or its new content is there after a crash, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StorageError(f"cannot write {path}: {explain(error, path.parent)}") from error


def current_generation(folder: Path) -> Path:
    """The folder of the generation in use, as CURRENT names it."""
    current = folder / "CURRENT"
    try:
        name = current.read_bytes()[:64].decode("ascii", "replace").rstrip("\n")
    except FileNotFoundError:
        raise DataError(f"{folder} holds no ledger: {current} is missing; make one with `tracechain init`") from None
    except NotADirectoryError:
        raise DataError(f"{folder.parent} is a file, a ledger is a folder") from None
    except OSError as error:
        raise StorageError(f"cannot read {current}: {error}") from error
    if not _GENERATION.fullmatch(name):
        raise DataError(f"{current} names {name!r}, which is no generation such as {FIRST_GENERATION}")
    return folder / name


class FileLock:
    """A lock among the threads of a process and, through flock(2), among processes; not reentrant.

    LMDB has a writer lock of its own, but it is free again before the anchor is written, and it belongs to one
    generation; this one covers both.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread_lock = threading.Lock()
        self._pid = os.getpid()
        self._fd = -1
        forget_in_child(self)

    def forget(self) -> None:
        """In a forked child: close our copy of the file, which would hold the lock on if the parent died."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock."""
        if os.getpid() != self._pid:
            # flock(2) belongs to the open file, which a forked child shares: it would take and drop the parent's lock.
            raise InputError(f"{self._path} was opened before this process was forked: open it again in the child")
        with self._thread_lock:
            try:
                if self._fd < 0:
                    self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
                fcntl.flock(self._fd, fcntl.LOCK_EX)
            except OSError as error:
                raise StorageError(
                    f"cannot take the lock {self._path} ({error}): to write, check its owner and permissions, or open"
                    " the ledger to read"
                ) from error
            try:
                yield
            finally:
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """Wait until no thread of this process holds the lock, let the block close what it guards, and forget the
        file."""
        if os.getpid() != self._pid:
            yield  # in a forked child the thread that held it does not exist
            return
        with self._thread_lock:
            yield
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
