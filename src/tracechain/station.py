"""The author's side: a station makes and signs statements with no ledger at hand, and submits the bytes later.

A station's folder holds its next number and the submissions that nobody has acknowledged yet. A submission is
durable in the folder, and the number it used up with it, before it is handed out: a crash can lose no number and use
none twice, so the author never equivocates by accident.

    STATION/station                    ledger id, author key hash: what the folder is for
    STATION/out/<first>-<count>.tcs    submissions not yet acknowledged, docs/format.md section 6.4
    STATION/state                      next number and hash of the last statement, as of the last acknowledgement

The next number is that after the last submission in out/, or that in state, whichever is higher. Never put back an
older copy of the folder: its numbers would be used again for other contents.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import frozen

from tracechain import encoding
from tracechain.encoding import encode
from tracechain.entry import SALT_SIZE, ZERO, EntryType, content_commitment
from tracechain.errors import DataError, DecodeError, InputError, PoisonedError, StorageError
from tracechain.event import Event
from tracechain.record import Record, encode_record
from tracechain.signing import Signer
from tracechain.statement import (
    Item,
    Submission,
    decode_submission,
    encode_submission,
    sign_statement,
    statement_leaves,
)

__all__ = ["Pending", "Station"]

_NAME = re.compile(r"([0-9]{20})-([0-9]{7})\.tcs")


@frozen
class Pending:
    """A submission that waits to be acknowledged: its first number, how many it covers, its file."""

    first: int
    count: int
    path: Path

    @property
    def end(self) -> int:
        """The number after its last one."""
        return self.first + self.count

    def read(self) -> bytes:
        """The bytes to submit."""
        with _storing(f"cannot read the submission {self.path}"):
            return self.path.read_bytes()


class Station:
    """One author at one place. One process uses a station's folder at a time; its threads may share it."""

    def __init__(
        self, path: Path, signer: Signer, ledger_id: bytes, clock: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self.path = path
        self.ledger_id = ledger_id
        self._signer = signer
        self._clock = clock
        self._random = random
        self._out = path / "out"
        self._mutex = threading.Lock()
        self._process = os.getpid()
        self._failed = False
        self._lock = _locked(path)
        try:
            with _storing(f"cannot read the station {path}"):
                # What a process that was killed renamed may not be durable yet, and is about to be handed out.
                _sync(path)
                _sync(self._out)
                for leftover in self._out.glob("*.part"):
                    leftover.unlink()  # of a crash before the submission was handed out: its number is free again
            self._waiting = {pending.first: pending for pending in self._listed()}
            self._next, self._previous = self._position()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        signer: Signer,
        ledger_id: bytes,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random: Callable[[int], bytes] = os.urandom,
    ) -> Station:
        """Make a new station for one key and one ledger. Its numbers begin at 0, so one key has one station."""
        folder = Path(path)
        if len(ledger_id) != 32:
            raise InputError("a ledger id has 32 bytes")
        partial = folder.with_name(f"{folder.name}.part")
        with _storing(f"cannot make a station at {folder}"):
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise InputError(f"{folder} exists already: open it, or name a new folder")
            folder.parent.mkdir(parents=True, exist_ok=True)
            if partial.exists():
                shutil.rmtree(partial)  # of an attempt that was interrupted: nothing was signed with it
            (partial / "out").mkdir(parents=True)
            _write(partial / "station", encoding.pack((ledger_id, signer.public_key.hash)))
            _write(partial / "state", encoding.pack((0, ZERO)))
            # Whole or not at all, and durable before the first number is used.
            partial.rename(folder)
            _sync(folder.parent)
        return cls(folder, signer, ledger_id, clock, random)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        signer: Signer,
        *,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random: Callable[[int], bytes] = os.urandom,
    ) -> Station:
        """Open a station again. InputError for another key than the one it was made for."""
        folder = Path(path)
        match _read(folder / "station"):
            case (bytes() as ledger_id, bytes() as author) if len(ledger_id) == len(author) == 32:
                pass
            case _:
                raise DataError(f"{folder / 'station'} is damaged: it does not name a ledger and a key")
        if author != signer.public_key.hash:
            raise InputError(
                f"{folder} belongs to author key {author.hex()[:16]}, the key given is"
                f" {signer.public_key.hash.hex()[:16]}: use the station's own key"
            )
        return cls(folder, signer, ledger_id, clock, random)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def next_sequence(self) -> int:
        """The number that the next content will have."""
        return self._next

    def make(self, contents: Iterable[Event | Record], *, record_class: int = 0) -> bytes:
        """Sign a statement over these contents; the submission is durable in the folder when this returns.

        InputError for contents that cannot be recorded: no number is used up then. StorageError where the disk failed:
        whether the numbers are used up is unknown until the station is opened again.
        """
        if not issubclass(type(record_class), int) or type(record_class) is bool or not 0 <= record_class < 1 << 16:
            raise InputError(f"record class {record_class!r} is not a number from 0 to 65,535")
        items = [self._item(content, record_class) for content in contents]
        if not items:
            raise InputError("there is nothing to sign: pass at least one event or record")
        leaves = statement_leaves(
            [content_commitment(i.salt, i.content) for i in items], [record_class] * len(items), [i.type for i in items]
        )
        with self._mutex:
            self._check()
            statement = sign_statement(
                self._signer,
                ledger_id=self.ledger_id,
                first=self._next,
                count=len(items),
                previous=self._previous,
                signed_at=self._clock(),
                leaves=leaves,
            )
            data = encode_submission(Submission(statement, tuple(items)))
            made = Pending(
                statement.first, statement.count, self._out / f"{statement.first:020}-{statement.count:07}.tcs"
            )
            with self._or_failed():
                _write(made.path, data)
            self._waiting[made.first] = made
            self._next, self._previous = made.end, statement.hash
        return data

    def pending(self) -> list[Pending]:
        """Submissions that were not acknowledged, in order of their numbers."""
        with self._mutex:
            return list(self._waiting.values())

    def acknowledge(self, first: int) -> None:
        """Forget a submission for which the ledger gave a receipt. The numbers it used stay used."""
        with self._mutex:
            self._check()
            pending = self._waiting.get(first)
            if pending is None:
                raise InputError(f"{self.path}: no pending submission begins at number {first}")
            with self._or_failed():
                # In this order: whatever is there after a crash tells the next number.
                _write(self.path / "state", encoding.pack((self._next, self._previous)))
                pending.path.unlink(missing_ok=True)
                _sync(self._out)
            del self._waiting[first]

    def close(self) -> None:
        """Let another process use the station."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    # ---- inside ----

    def _item(self, content: Event | Record, record_class: int) -> Item:
        if isinstance(content, Record):
            return Item(int(EntryType.RECORD), record_class, self._random(SALT_SIZE), encode_record(content))
        if not isinstance(content, Event):
            raise InputError(f"only events and records can be signed, not {type(content).__name__}")
        return Item(int(EntryType.EVENT), record_class, self._random(SALT_SIZE), encode(content))

    def _check(self) -> None:
        """Refuse whoever might use a number twice."""
        if self._failed:
            raise PoisonedError(f"{self.path}: writing failed before; open the station again to go on")
        if self._lock < 0:
            raise InputError(f"{self.path}: this station was closed; open it again")
        if os.getpid() != self._process:
            raise InputError(f"{self.path} was opened by the parent of this process: open it again here")

    @contextlib.contextmanager
    def _or_failed(self) -> Iterator[None]:
        """After a failure in here it is unknown what is on disk, so nothing may follow."""
        try:
            with _storing(f"cannot write to the station {self.path}"):
                yield
        except BaseException:
            self._failed = True
            raise

    def _listed(self) -> list[Pending]:
        with _storing(f"cannot read the station {self.path}"):
            matches = [(_NAME.fullmatch(path.name), path) for path in self._out.iterdir()]
        found = [Pending(int(match[1]), int(match[2]), path) for match, path in matches if match is not None]
        return sorted(found, key=lambda pending: pending.first)

    def _position(self) -> tuple[int, bytes]:
        """Next number and previous hash: of the last submission in out/, or of the state where that is newer."""
        match _read(self.path / "state"):
            case (int() as number, bytes() as previous) if (
                type(number) is int and number >= 0 and len(previous) == 32 and (number == 0) is (previous == ZERO)
            ):
                pass
            case _:
                raise DataError(f"{self.path / 'state'} is damaged: restore it, numbers must not be used twice")
        waiting = list(self._waiting.values())
        for one, other in pairwise(waiting):
            if one.end > other.first:
                raise DataError(
                    f"{one.path} and {other.path.name} have a number in common: only one of them can have been handed"
                    " out, the other has to be taken away"
                )
        if not waiting or waiting[-1].end <= number:
            return number, previous
        last = waiting[-1]
        try:
            statement = decode_submission(last.read()).statement
        except DecodeError as error:
            raise DataError(
                f"{last.path} is damaged ({error}): restore it, or ask the ledger for what follows number {last.first}"
            ) from error
        if (statement.first, statement.count) != (last.first, last.count) or (
            (statement.author, statement.ledger_id) != (self._signer.public_key.hash, self.ledger_id)
        ):
            raise DataError(f"{last.path} is a submission of another station: take it away")
        return last.end, statement.hash


def _locked(folder: Path) -> int:
    """A file descriptor that holds the station's lock until it is closed."""
    with _storing(f"cannot lock the station {folder}"):
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            raise InputError(f"{folder} is in use already: a station has one user at a time") from error
        except BaseException:
            os.close(lock)
            raise
    return lock


@contextlib.contextmanager
def _storing(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{what}: {error}") from error


def _read(path: Path) -> object:
    try:
        return encoding.unpack_strict(path.read_bytes(), max_bytes=256, max_depth=1)
    except FileNotFoundError:
        raise DataError(f"{path.parent} holds no station: {path.name} is missing") from None
    except DecodeError as error:
        raise DataError(f"{path} is damaged: {error}") from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error}") from error


def _write(path: Path, data: bytes) -> None:
    """Write a file durably, whole or not at all."""
    partial = path.with_name(f"{path.name}.part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
