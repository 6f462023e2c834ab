"""Scan files: CSV and JSON Lines -> events. `docs/scan-files.md` describes them for those who write them.

    event,time,code,parent,place,lot,expiry
    commission,2026-11-21T08:30:00+08:00,010952123400107221BJ0001,,4149521234000013,LOT-A7,2028-06-30

    {"event":"pack","time":"2026-11-21T09:00:00+08:00","codes":["...","..."],"parent":"00095212340000000013"}

Files are read in blocks and never as a whole; caps (`MAX_LINE`) hold before anything is understood. Both readers
take any object with `read(n)`, so that the caller can hash and count what goes through.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol

from tracechain.errors import InputError
from tracechain.event import Event
from tracechain.formats.scan_fields import Fault, nearby
from tracechain.formats.scan_rows import COLUMNS, REQUIRED, SHARED, Rows, ScanError

__all__ = ["MAX_LINE", "Readable", "ScanError", "Skip", "iter_csv", "iter_jsonl", "too_long"]

#: Bytes a line may have.
MAX_LINE = 1 << 20
_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = {";": "';'", "\t": "tab", "|": "'|'", "，": "the full-width comma '，'", "；": "'；'"}

#: Called with each faulty line; the reader then goes on with the next one.
Skip = Callable[[ScanError], None]


class Readable(Protocol):
    """A binary file, as far as it is needed here."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, b'' at the end."""


# ---- lines -------------------------------------------------------------------------------------


def _decode(data: bytes, offset: int, line: int, where: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        at = error.start
        line += data.count(b"\n", 0, at)
        raise ScanError(
            where, line, None, None,
            f"byte {offset + at} (0x{data[at]:02X}) is not UTF-8: save the file as UTF-8 (it may be GB 18030 now)",
        ) from None  # fmt: skip


def too_long(where: str, line: int) -> ScanError:
    """The error for a line over MAX_LINE."""
    return ScanError(
        where, line, None, None, f"the line has over {MAX_LINE} bytes: this is no scan file, or line ends are missing"
    )


def _blocks(file: Readable, where: str) -> Iterator[str]:
    """The text in pieces that end with a line. No more than a block and a line are in memory."""
    offset, line, carry = 0, 1, b""
    first = True
    while data := file.read(_BLOCK):
        if first:
            first = False
            if data.startswith(_UTF16):
                raise InputError(f"{where}: byte 0 begins UTF-16 text: save the file as UTF-8")
            if data.startswith(_BOM):
                data, offset = data[3:], 3
        cut = data.rfind(b"\n") + 1
        head = len(carry) + (data.find(b"\n") + 1 or len(data))
        if head > MAX_LINE:
            raise too_long(where, line)
        if not cut:
            carry += data
            continue
        whole, carry = carry + data[:cut], data[cut:]
        yield _decode(whole, offset, line, where)
        offset += len(whole)
        line += whole.count(b"\n")
    if first:
        raise InputError(f"{where} is empty: a scan file has a header line and a line for each scan")
    if carry:
        yield _decode(carry, offset, line, where)


# ---- CSV ---------------------------------------------------------------------------------------


def _header(row: list[str], where: str) -> tuple[str, ...]:
    """The names of the columns, checked."""
    names = tuple(name.strip(" \t").lower() for name in row)
    if not set(names) & set(COLUMNS):
        for delimiter, said in _DELIMITERS.items():
            if set(COLUMNS) & {part.strip(' "\t').lower() for part in ",".join(row).split(delimiter)}:
                raise ScanError(
                    where, 1, None, None,
                    f"the columns are parted by {said}: save the file with commas (RFC 4180)",
                )  # fmt: skip
        raise ScanError(
            where, 1, None, None,
            f"it names no known column ({', '.join(names)[:80]!r}): the first line is the header, with"
            f" {', '.join(REQUIRED)} and any of {', '.join(c for c in COLUMNS if c not in REQUIRED)}",
        )  # fmt: skip
    for name in names:
        if name not in COLUMNS:
            raise ScanError(
                where, 1, None, name,
                f"there is no column {name!r:.60}{nearby(name, COLUMNS)}; known: {', '.join(COLUMNS)}",
            )  # fmt: skip
        if names.count(name) > 1:
            raise ScanError(where, 1, None, name, f"the column {name!r} is there twice: keep one")
    for name in REQUIRED:
        if name not in names:
            raise ScanError(where, 1, None, name, f"the column {name!r} is missing: it is mandatory")
    return names


def iter_csv(file: Readable, where: str, skip: Skip | None = None, lines: list[int] | None = None) -> Iterator[Event]:
    """The events of a CSV scan file, one after the other.

    `where` names the file in messages. ScanError names line, column and value; with `skip`, faulty rows are
    handed to it and left out. What makes the rest unreadable (encoding, quoting, an endless line) is raised in
    any case. `lines` takes the line of each event, that of its first row where it has several.
    """
    reader = csv.reader(chain.from_iterable(io.StringIO(b, newline="") for b in _blocks(file, where)), strict=True)
    try:
        yield from _rows(reader, where, skip, lines)
    except csv.Error as error:
        raise ScanError(
            where, reader.line_num, None, None,
            f"the quoting is broken ({error}): a field with a comma or quote is in quotes, quotes inside are doubled",
        ) from None  # fmt: skip


def _rows(reader: Any, where: str, skip: Skip | None, lines: list[int] | None) -> Iterator[Event]:
    names = _header(next(reader, []), where)
    width = len(names)
    time_at, code_at = names.index("time"), names.index("code")
    group_at = names.index("group") if "group" in names else -1
    shared = tuple(name for name in SHARED if name in names)
    if len(shared) == 1:
        shared *= 2  # of one position alone, itemgetter makes no tuple
    shared_of = itemgetter(*(names.index(name) for name in shared))
    rows = Rows(shared)
    event_of = rows.event
    group = _Group(rows, where, skip, lines)
    empty = True
    for row in reader:
        if len(row) != width:
            if not row:
                continue
            _report(where, reader.line_num, Fault(None, None, _width_fault(row, width)), skip)
            continue
        empty = False
        try:
            if group_at >= 0 and row[group_at]:
                events = group.add(row[group_at], reader.line_num, shared_of(row), row[time_at], row[code_at])
            else:
                if group.codes:
                    yield from group.close()
                event = event_of(shared_of(row), row[time_at], row[code_at])
                if lines is not None:
                    lines.append(reader.line_num)
                yield event
                continue
        except Fault as fault:
            _report(where, reader.line_num, fault, skip)
            continue
        yield from events
    yield from group.close()
    if empty:
        raise InputError(f"{where} has a header and no scans: nothing to read")


def _width_fault(row: list[str], width: int) -> str:
    text = ",".join(row)
    for delimiter, said in _DELIMITERS.items():
        if len(row) == 1 and delimiter in text:
            return f"the fields are parted by {said}: save the file with commas (RFC 4180)"
    return f"{len(row)} fields where the header has {width} columns: put fields with commas into quotes"


def _report(where: str, line: int, fault: Fault, skip: Skip | None) -> None:
    error = ScanError(where, line, fault.column, fault.value, str(fault))
    if skip is None:
        raise error from None
    skip(error)


class _Group:
    """Consecutive rows of one `group`: together they are one event."""

    def __init__(self, rows: Rows, where: str, skip: Skip | None, lines: list[int] | None) -> None:
        self._rows = rows
        self._where = where
        self._skip = skip
        self._lines = lines
        self._name = ""
        self._line = 0
        self._shared: tuple[str | None, ...] = ()
        self._time = ""
        self.codes: list[str] = []

    def add(self, name: str, line: int, shared: tuple[str | None, ...], time: str, code: str) -> list[Event]:
        """Take up a row; returns what the group before it amounts to, if that has ended."""
        self._rows.code(code)  # a faulty one is named with its own line
        done: list[Event] = []
        if name != self._name and self.codes:
            done = self.close()
        if not self.codes:
            self._name, self._line, self._shared, self._time = name, line, shared, time
        elif (shared, time) != (self._shared, self._time):
            for column, ours, theirs in zip(
                ("time", *self._rows.names), (time, *shared), (self._time, *self._shared), strict=True
            ):
                if ours != theirs:
                    # What stands for a buyer may be a name, by mistake: it is not repeated.
                    shown = "it differs from that" if column == "buyer" else f"{ours!r:.60} differs from {theirs!r:.60}"
                    raise Fault(
                        column, None if column == "buyer" else ours, f"{shown} in line {self._line}: rows of group"
                        f" {name!r:.60} are one event, so only their codes differ",
                    )  # fmt: skip
        self.codes.append(code)
        return done

    def close(self) -> list[Event]:
        """End the group."""
        if not self.codes:
            return []
        codes, self.codes = self.codes, []
        try:
            events = self._rows.events(self._shared, self._time, codes)
        except Fault as fault:
            _report(self._where, self._line, fault, self._skip)
            return []
        if self._lines is not None:
            self._lines += [self._line] * len(events)
        return events


# ---- JSON Lines --------------------------------------------------------------------------------

_FIELDS = frozenset(COLUMNS) - {"group"} | {"codes"}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Fault(twice, None, f"the field {twice!r:.60} is there twice: keep one")
    return result


_load = json.JSONDecoder(object_pairs_hook=_unique).decode


def _object(line: str) -> dict[str, Any]:
    try:
        value = _load(line)
    except RecursionError:
        raise Fault(None, None, "objects and arrays are nested too deep: a line is one flat object") from None
    except json.JSONDecodeError as error:
        raise Fault(None, None, f"it is no JSON: {error.msg} at column {error.colno}; a line is one object") from None
    except ValueError as error:
        raise Fault(None, None, f"it is no JSON that can be read: {error}") from None
    if type(value) is not dict:
        raise Fault(None, None, f"it is no object but {type(value).__name__}: a line is one object, as {{...}}")
    return value


def _codes(value: dict[str, Any]) -> list[str]:
    if ("codes" in value) is ("code" in value):
        raise Fault("code", None, "name the packs in code (one) or in codes (an array), in one of the two")
    codes = value.pop("codes") if "codes" in value else [value.pop("code")]
    if type(codes) is not list or not codes:
        raise Fault("codes", None, "codes is an array of at least one code")
    for code in codes:
        if type(code) is not str:
            raise Fault("code", f"{code!r:.60}", f"{code!r:.60} is no text: write codes in quotes")
    return codes


def _line_events(rows: Rows, line: str) -> list[Event]:
    value = _object(line)
    for name, field in value.items():
        if name not in _FIELDS:
            extra = "; several codes of one event stand in codes" if name == "group" else nearby(name, COLUMNS)
            known = ", ".join(sorted(_FIELDS))
            raise Fault(name[:60], None, f"there is no field {name!r:.60}{extra}; known: {known}")
        if type(field) is not str and field is not None and name != "codes":
            if name == "buyer":
                raise Fault(name, None, "it is no text: write the token from the vault in quotes, never the identity")
            raise Fault(name, f"{field!r:.60}", f"{field!r:.60} is no text: write it in quotes")
    codes = _codes(value)
    time = value.get("time")
    shared = tuple(map(value.get, SHARED))
    if len(codes) == 1:
        return [rows.event(shared, time or "", codes[0])]
    return rows.events(shared, time or "", codes)


def iter_jsonl(file: Readable, where: str, skip: Skip | None = None, lines: list[int] | None = None) -> Iterator[Event]:
    """The events of a JSON Lines scan file; errors, `skip` and `lines` as for `iter_csv`."""
    rows = Rows()
    number = 0
    empty = True
    for block in _blocks(file, where):
        for line in block.removesuffix("\n").split("\n"):
            number += 1
            if not line or line.isspace():
                continue
            empty = False
            try:
                events = _line_events(rows, line)
            except Fault as fault:
                _report(where, number, fault, skip)
                continue
            if lines is not None:
                lines += [number] * len(events)
            yield from events
    if empty:
        raise InputError(f"{where} holds no line: nothing to read")
