"""What lies 256 at a time: headers, contents and rows in a file each, and the tiles of the tree over the headers
(docs/format.md section 15.3).

    entries   u16 length and header of each
    parts     u32 length and bytes of each, length 0 for what is not there
    tiles     hashes of height 0, 8, 16 ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from tracechain.bundle.container import WrongFileError
from tracechain.bundle.names import TILE_WIDTH, Tile
from tracechain.entry import HEADER_SIZE
from tracechain.merkle import HASH_BYTES, root

__all__ = ["HASH_BYTES", "Tiling", "decode_headers", "decode_parts", "encode_headers", "encode_parts", "leaves_of"]

_LENGTH: Final = HEADER_SIZE.to_bytes(2, "big")
_STEP: Final = len(_LENGTH) + HEADER_SIZE


def encode_headers(headers: Sequence[bytes]) -> bytes:
    """The file of some headers."""
    return b"".join([_LENGTH + header for header in headers])


def decode_headers(data: bytes, width: int) -> list[bytes]:
    """The `width` headers of a file. WrongFileError where it has another length or form."""
    if len(data) != _STEP * width or any(data[at::_STEP] != bytes([one]) * width for at, one in enumerate(_LENGTH)):
        raise WrongFileError(f"it is no list of {width} headers of {HEADER_SIZE} bytes each")
    return [data[at : at + HEADER_SIZE] for at in range(len(_LENGTH), len(data), _STEP)]


def encode_parts(parts: Sequence[bytes | None]) -> bytes:
    """The file of some contents, or of some rows, with their salts."""
    pieces: list[bytes] = []
    for part in parts:
        stored = part or b""
        pieces += (len(stored).to_bytes(4, "big"), stored)
    return b"".join(pieces)


def decode_parts(data: bytes, width: int) -> list[bytes | None]:
    """The `width` parts of a file, None for each that is not there. WrongFileError where lengths and bytes are at odds,
    or where no part is there."""
    found: list[bytes | None] = []
    at = 0
    for _ in range(width):
        begin = at + 4
        at = begin + int.from_bytes(data[at:begin], "big")
        found.append(data[begin:at] or None)
    if at != len(data):
        raise WrongFileError(f"the lengths of its {width} parts are not those of its bytes")
    if not any(found):
        raise WrongFileError("nothing is in it")
    return found


def leaves_of(headers: Sequence[bytes]) -> list[bytes]:
    """The leaf hashes of some headers."""
    return [sha256(b"\0" + header).digest() for header in headers]


class Tiling:
    """The tiles of a tree, made from its leaves from left to right. A leaf that is not known is None, and so are all
    hashes and the tiles over it."""

    def __init__(self) -> None:
        self._rows: list[list[bytes | None]] = []
        self._counts: list[int] = []

    def add(self, leaves: Sequence[bytes | None], level: int = 0) -> Iterator[tuple[Tile, bytes | None]]:
        """Append leaves; the tiles that this fills, lower levels first, with their bytes."""
        if level == len(self._rows):
            self._rows.append([])
            self._counts.append(0)
        row = self._rows[level]
        row.extend(leaves)
        while len(row) >= TILE_WIDTH:
            hashes = row[:TILE_WIDTH]
            del row[:TILE_WIDTH]
            yield Tile(level, self._counts[level], TILE_WIDTH), _join(hashes)
            self._counts[level] += 1
            known = [one for one in hashes if one is not None]
            yield from self.add([root(known) if len(known) == TILE_WIDTH else None], level + 1)

    def finish(self) -> Iterator[tuple[Tile, bytes | None]]:
        """The last tile of each level that is not full."""
        for level, row in enumerate(self._rows):
            if row:
                yield Tile(level, self._counts[level], len(row)), _join(row)


def _join(hashes: Sequence[bytes | None]) -> bytes | None:
    known = [one for one in hashes if one is not None]
    return b"".join(known) if len(known) == len(hashes) else None
