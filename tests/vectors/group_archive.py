"""Vectors of archives: files that stand, and files that do not (docs/format.md section 14).

Kind "archive": vkey (the verifier key line of the log), file (hex). One that stands has "digest", its name, and what
it holds, entry by entry: header, content and rows (which begin with their salts), null where it holds none. One that is
read and does not stand has "findings", codes of tracechain.archive; one that no reader opens has "refused": true. What
implementations call it is their own matter.

No zlib has a say in these bytes: blocks are stored as they are, or packed by the few lines below.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import adler32

from attrs import evolve

from archive_samples import KEYS, VERIFIER, VKEY, Draft, make, sample_views
from tracechain.archive import check_archive, open_archive
from tracechain.archive.directory import TRAILER
from tracechain.errors import DataError

Cases = dict[str, dict[str, Any]]


class _Bits:
    """Writes the bits of RFC 1951: from the least significant of each byte on."""

    def __init__(self) -> None:
        self.value = self.count = 0

    def number(self, value: int, width: int) -> None:
        self.value |= value << self.count
        self.count += width

    def code(self, value: int, width: int) -> None:
        """A Huffman code, whose first bit is its most significant."""
        self.number(int(f"{value:0{width}b}"[::-1], 2), width)

    def literal(self, byte: int) -> None:
        self.code(*((0x30 + byte, 8) if byte < 144 else (0x190 + byte - 144, 9)))


def squeeze(data: bytes) -> bytes:
    """A zlib stream of one block with the fixed codes, in which only runs of one byte are shortened."""
    bits = _Bits()
    bits.number(0b011, 3)
    at = 0
    while at < len(data):
        bits.literal(data[at])
        run = 0
        while run < 10 and at + 1 + run < len(data) and data[at + 1 + run] == data[at]:
            run += 1
        if run >= 3:
            bits.code(run - 2, 7)
            bits.code(0, 5)
            at += run
        at += 1
    bits.code(0, 7)
    stream = bits.value.to_bytes((bits.count + 7) // 8, "little")
    return b"\x78\x01" + stream + adler32(data).to_bytes(4, "big")


def unpacked(draft: Draft, pack: Callable[[bytes], bytes] = bytes) -> Draft:
    """The draft, with no block packed by zlib, or all by `pack`."""
    for number, (_, held) in enumerate(draft.blocks):
        columns = [[part for part in column if part is not None] for column in (held.contents, held.rows)]
        meant = b"".join([header[:64] for header in held.headers] + [part[32:] for column in columns for part in column])
        plain = b"".join(
            [header[64:] for header in held.headers]
            + [part[:32] for column in columns for part in column]
            + held.nodes
            + held.leaves
        )
        packed = pack(meant)
        draft.store(number, plain, packed, len(meant))
    return draft


def _case(about: str, path: Path) -> dict[str, Any]:
    """A file, with what the library makes of it."""
    case: dict[str, Any] = {"about": about, "kind": "archive", "vkey": VKEY, "file": path.read_bytes().hex()}
    try:
        report = check_archive(path, VERIFIER)
    except DataError:
        return case | {"refused": True}
    if not report:
        return case | {"findings": sorted(report.codes)}
    with open_archive(path) as reader:
        found = [reader.entry(index) for start, stop in reader.sets.held.ranges for index in range(start, stop)]
    entries = {
        str(one.index): {
            "header": one.header.hex(),
            "content": None if one.content is None else one.content.hex(),
            "rows": None if one.rows is None else one.rows.hex(),
        }
        for one in found
    }
    return case | {"digest": report.archive.digest.hex(), "entries": entries}


def _first(draft: Draft, what: str) -> tuple[list[Any], int]:
    """The first part of a kind that a draft holds: the list it is in, and where."""
    for _, held in draft.blocks:
        column: list[Any] = getattr(held, what)
        for at, part in enumerate(column):
            if part is not None:
                return column, at
    raise AssertionError(what)


def _turn(part: bytes, at: int = 0) -> bytes:
    return part[:at] + bytes((part[at] ^ 1,)) + part[at + 1 :]


def cases() -> Cases:
    """All cases of this group."""
    with tempfile.TemporaryDirectory() as name:
        return _cases(Path(name))


def _cases(folder: Path) -> Cases:
    view = sample_views(folder)[-1]
    base = make(view, folder / "base", ((6, 9), (40, 42)), ((7, 9), (20, 21), (33, 34)))
    found: Cases = {}

    def add(name: str, about: str, draft: Draft, **more: Any) -> None:
        found[name] = _case(about, draft.write(folder / name, **more))

    def add_bytes(name: str, about: str, data: bytes) -> None:
        (folder / name).write_bytes(data)
        found[name] = _case(about, folder / name)

    def draft() -> Draft:
        return unpacked(Draft.of(base))

    def turned(what: str, at: int = 0) -> Draft:
        one = Draft.of(base)
        column, place = _first(one, what)
        column[place] = _turn(column[place], at)
        return unpacked(one)

    add("whole", "Contents of some entries, rows of others, headers of both; blocks are stored as they are.", draft())
    add("packed", "The same, its blocks packed by zlib.", unpacked(Draft.of(base), squeeze))
    everything = make(view, folder / "all", ((0, view.size),), ((0, view.size),))
    add("all", "All contents and all rows of events, in one block and without a gap before it.", unpacked(Draft.of(everything)))
    sparse = make(view, folder / "far", tuple((n, n + 1) for n in range(3, view.size, 7)), ())
    add("far", "Single entries far apart: most of what is stored are nodes.", unpacked(Draft.of(sparse)))
    add("content", "A content is another than its header commits to; who did it holds the log key.", turned("contents", 40))
    add("content-salt", "The salt of a content is another.", turned("contents"))
    add("rows-salt", "The salt of rows is another.", turned("rows"))
    add("leaf-before", "The leaf of an entry that a row names is another.", turned("leaves"))
    add("header", "A header has another receipt time than the one in the log.", turned("headers", 15))
    add("node", "A node between two entries of a block is another.", turned("nodes"))
    outer = draft()
    outer.directory = evolve(outer.directory, nodes=(_turn(outer.directory.nodes[0]), *outer.directory.nodes[1:]))
    add("node-between-blocks", "A node between blocks is another.", outer)
    add("stranger", "It is sealed with another key than the log's.", draft(), signer=KEYS.stranger)
    add("counts", "The seal counts one content more than there is.", draft(), contents=base_seal(base).contents + 1)
    add("digest", "The digest in the seal is not that of what is held.", draft(), lost=bytes(32))
    add("ledger-id", "The ledger id in the seal is not the leaf of entry 0.", draft(), ledger_id=bytes(32))
    add("block-missing", "The last block is not in the directory.", draft(), lines=lambda lines: lines[:-1])
    add("blocks-turned", "Blocks do not ascend.", draft(), lines=lambda lines: lines[::-1])
    add("block-high", "A block claims to be a subtree of 2^17 leaves.", draft(),
        lines=lambda lines: [evolve(lines[0], height=17), *lines[1:]])  # fmt: skip
    add("block-large", "A block claims to unpack to more than is read.", draft(),
        lines=lambda lines: [evolve(lines[0], unpacked=(1 << 25) + 1), *lines[1:]])  # fmt: skip
    short = unpacked(Draft.of(base), squeeze)
    line, stored = short.stored[0]
    short.store(0, stored[: line.plain], stored[line.plain :], line.unpacked + 1)
    add("block-short", "A block unpacks to less than it states.", short)
    long = draft()
    line, stored = long.stored[0]
    long.store(0, stored[: line.plain] + bytes(32), stored[line.plain :], line.unpacked)
    add("leaf-too-many", "A block holds a leaf that no row names.", long)
    data = draft().write(folder / "data").read_bytes()
    add_bytes("flipped", "A bit of a stored content is turned over.", _turn(data, 1000))
    add_bytes("cut", "The last byte is missing.", data[:-1])
    directory, seal, end = TRAILER.unpack(data[-TRAILER.size :])
    rest = data[: -TRAILER.size]
    add_bytes("directory-long", "The directory would be longer than what is read.",
              rest + TRAILER.pack((1 << 24) + 1, seal, end))  # fmt: skip
    add_bytes("bytes-between", "A byte stands between the last block and the directory.",
              rest[: -seal - directory] + b"\0" + data[-TRAILER.size - seal - directory :])  # fmt: skip
    return found


def base_seal(path: Path) -> Any:
    """The seal of an archive."""
    with open_archive(path) as reader:
        return reader.seal
