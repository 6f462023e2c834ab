"""Files to be ingested: format, digest, events."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from tracechain.encoding import encode
from tracechain.errors import InputError
from tracechain.event import Event
from tracechain.formats.epcis import MAX_DOCUMENT, iter_document
from tracechain.formats.scans import MAX_LINE, ScanError, iter_csv, iter_jsonl, too_long
from tracechain.formats.sniffing import HEAD, Format, sniff

__all__ = ["Source", "look_at", "recorded_name"]

Progress = Callable[[int, int], None]
Skip = Callable[[ScanError], None]

_BLOCK = 1 << 20
_MAX_SUBMISSION = 1 << 28
_READERS = {"csv": iter_csv, "jsonl": iter_jsonl}


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, file: BinaryIO, total: int, progress: Progress | None) -> None:
        self._file = file
        self._total = total
        self._progress = progress
        self._done = 0

    def read(self, size: int, /) -> bytes:
        """As a file's."""
        data = self._file.read(size)
        self._done += len(data)
        if self._progress is not None:
            self._progress(self._done, self._total)
        return data


@frozen
class Source:
    """A file, looked at: what it is, and the SHA-256 of its bytes, which tells whether it was ingested before."""

    path: Path
    where: str
    format: Format
    digest: bytes
    size: int
    stamp: tuple[int, int, int]

    def events(self, skip: Skip | None = None, progress: Progress | None = None) -> Iterator[Event]:
        """Its events, checked to fit into entries. InputError names the place that cannot be used."""
        with self.path.open("rb") as file:
            if _stamp(file) != self.stamp:
                raise InputError(f"{self.where} was changed while it was read: ingest it again when it is finished")
            if self.format == "epcis":
                for number, event in enumerate(iter_document(_whole(file, self.where), self.where), 1):
                    try:
                        encode(event)
                    except InputError as error:
                        raise InputError(f"{self.where}, event {number}: {error}") from None
                    yield event
            else:
                yield from _READERS[self.format](_Counted(file, self.size, progress), self.where, skip)
            if _stamp(file) != self.stamp:
                raise InputError(f"{self.where} was changed while it was read: ingest it again when it is finished")

    def lines(self, skip: Skip | None = None) -> list[int] | None:
        """The line of each of its events, by reading it once more; None for a format that has no lines."""
        if self.format not in _READERS:
            return None
        lines: list[int] = []
        with self.path.open("rb") as file:
            for _ in _READERS[self.format](file, self.where, skip, lines):
                pass
        return lines

    def submission(self) -> bytes:
        """The bytes of a station's submission."""
        return self.path.read_bytes()


def _whole(file: BinaryIO, where: str) -> bytes:
    data = file.read(MAX_DOCUMENT + 1)
    if len(data) > MAX_DOCUMENT:
        raise InputError(f"{where}: over {MAX_DOCUMENT} bytes are more than an EPCIS document may have: split it")
    return data


def _stamp(file: BinaryIO) -> tuple[int, int, int]:
    stat = os.fstat(file.fileno())
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _digest(file: BinaryIO, head: bytes, where: str, *, lines: bool) -> bytes:
    """SHA-256 of a file, `head` of which is read already. An endless line is refused as soon as it shows."""
    digest = hashlib.sha256()
    line, length, block = 1, 0, head
    while block:
        digest.update(block)
        if lines:
            cut = block.rfind(b"\n")
            if length + (block.find(b"\n") if cut >= 0 else len(block)) > MAX_LINE:
                raise too_long(where, line)
            line += block.count(b"\n")
            length = len(block) - cut - 1 if cut >= 0 else length + len(block)
        block = file.read(_BLOCK)
    return digest.digest()


def look_at(path: Path, wanted: str = "auto") -> Source:
    """Find out what a file is. InputError for what cannot be ingested."""
    where = str(path)
    with path.open("rb") as file:
        if not path.is_file():
            raise InputError(f"{where} is no ordinary file: it has to be read twice, so save it first")
        stamp = _stamp(file)
        head = file.read(HEAD)
        found = sniff(head, where)
        if wanted not in ("auto", found):
            if wanted == "submission" or found == "submission" or (wanted == "csv") is not (found == "csv"):
                raise InputError(f"{where} is {found}, not {wanted}: leave --format out, or correct it")
            found = "epcis" if wanted == "epcis" else "jsonl"
        limit = {"epcis": MAX_DOCUMENT, "submission": _MAX_SUBMISSION}.get(found)
        if limit is not None and stamp[1] > limit:
            raise InputError(f"{where}: {stamp[1]} bytes are more than its format may have ({limit}): split it")
        digest = _digest(file, head, where, lines=limit is None)
    return Source(path, where, found, digest, stamp[1], stamp)


def recorded_name(path: Path) -> str:
    """A file's name as a record can hold it: without folders, NFC, no characters that cannot be printed."""
    name = unicodedata.normalize("NFC", os.fsencode(path.name).decode("utf-8", "replace"))
    return "".join(c if c.isprintable() else "\ufffd" for c in name)[:255]
