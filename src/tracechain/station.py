"""The author's side: a station makes and signs statements with no ledger at hand, and submits the bytes later.

A station's folder holds its next number and the submissions that nobody has acknowledged yet. A submission is
durable in
the folder, and the number it used up with it, before it is handed out: a crash can lose no number and use none
twice, so the author never equivocates by accident.

    STATION/station                    ledger id, author key hash: what the folder is for
    STATION/out/<first>-<count>.tcs    submissions not yet acknowledged, docs/format.md section 6.4
    STATION/state                      next number and hash of the last statement, once out/ is empty
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from attrs import frozen

from tracechain import encoding
from tracechain.encoding import encode
from tracechain.entry import SALT_SIZE, ZERO, EntryType, content_commitment
from tracechain.errors import DataError, DecodeError, InputError, StorageError
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

    def read(self) -> bytes:
        """The bytes to submit."""
        return self.path.read_bytes()


class Station:
    """One author at one place. One process uses a station's folder at a time."""

    def __init__(
        self, path: Path, signer: Signer, ledger_id: bytes, clock: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self.path = path
        self.ledger_id = ledger_id
        self._signer = signer
        self._clock = clock
        self._random = random
        self._out = path / "out"
        try:
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{path} is in use by another process: a station has one user at a time") from error
        except OSError as error:
            raise StorageError(f"cannot lock the station {path}: {error}") from error
        for leftover in self._out.glob("*.part"):
            leftover.unlink()  # of a crash before the submission was handed out: its number is free again
        self._next, self._previous = self._position()

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
        try:
            (folder / "out").mkdir(parents=True)
            _write(folder / "station", encoding.pack((ledger_id, signer.public_key.hash)))
            _write(folder / "state", encoding.pack((0, ZERO)))
        except FileExistsError:
            raise InputError(f"{folder} exists already: open it, or name a new folder") from None
        except OSError as error:
            raise StorageError(f"cannot make a station at {folder}: {error}") from error
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
            case (bytes() as ledger_id, bytes() as author):
                pass
            case _:
                raise DataError(f"{folder / 'station'} is damaged")
        if author != signer.public_key.hash:
            raise InputError(
                f"{folder} belongs to author key {author.hex()[:16]}, the key given is {signer.public_key.hash.hex()[:16]}"
            )
        return cls(folder, signer, ledger_id, clock, random)

    @property
    def next_sequence(self) -> int:
        """The number that the next content will have."""
        return self._next

    def make(self, contents: Iterable[Event | Record], *, record_class: int = 0) -> bytes:
        """Sign a statement over these contents; the submission is durable in the folder when this returns."""
        batch = tuple(contents)
        items = []
        for content in batch:
            is_record = isinstance(content, Record)
            data = encode_record(content) if isinstance(content, Record) else encode(content)
            kind = EntryType.RECORD if is_record else EntryType.EVENT
            items.append(Item(int(kind), record_class, self._random(SALT_SIZE), data))
        if not items:
            raise InputError("there is nothing to sign: pass at least one event or record")
        leaves = statement_leaves(
            [content_commitment(i.salt, i.content) for i in items], [record_class] * len(items), [i.type for i in items]
        )
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
        _write(self._out / f"{statement.first:020}-{statement.count:07}.tcs", data)
        self._next, self._previous = statement.first + statement.count, statement.hash
        return data

    def pending(self) -> list[Pending]:
        """Submissions that were not acknowledged, in order of their numbers."""
        found = []
        for path in self._out.iterdir():
            match = _NAME.fullmatch(path.name)
            if match is not None:
                found.append(Pending(int(match[1]), int(match[2]), path))
        return sorted(found, key=lambda p: p.first)

    def acknowledge(self, first: int) -> None:
        """Forget a submission for which the ledger gave a receipt. The numbers it used stay used."""
        for pending in self.pending():
            if pending.first == first:
                _write(self.path / "state", encoding.pack((self._next, self._previous)))
                pending.path.unlink()
                _sync(self._out)
                return
        raise InputError(f"{self.path}: no pending submission begins at number {first}")

    def close(self) -> None:
        """Let another process use the station."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _position(self) -> tuple[int, bytes]:
        """Next number and previous hash: of the last submission in out/, or of the state where that is newer."""
        match _read(self.path / "state"):
            case (int() as number, bytes() as previous):
                pass
            case _:
                raise DataError(f"{self.path / 'state'} is damaged: restore it, numbers must not be used twice")
        waiting = self.pending()
        if waiting and waiting[-1].first + waiting[-1].count > number:
            statement = decode_submission(waiting[-1].read()).statement
            return statement.first + statement.count, statement.hash
        return number, previous


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
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}") from error


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
