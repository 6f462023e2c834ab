"""The bytes of one block (docs/format.md section 14.2), and what the rows of an entry come to.

Half of what an entry is cannot be made smaller: hashes and salts. So a block has two parts, column by column: `plain`
is stored as it is, and `packed` through zlib, unless that gains nothing.

    plain    commitment and row root of each header, salts of contents, salts of rows, nodes between the entries,
             leaves of the entries before that rows name
    packed   the first 64 bytes of each header, contents, rows
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from attrs import frozen

from tracechain import encoding
from tracechain.archive.directory import BLOCK_MOST, Block
from tracechain.archive.places import CONTENT, ROWS, Places
from tracechain.archive.tree import gaps
from tracechain.entry import MAX_CONTENT, MAX_ROWS, ROW_TAG, SALT_SIZE, ZERO, EntryType, row_root, row_salt
from tracechain.errors import DecodeError

__all__ = ["PRUNE_TAG", "Held", "Sets", "bind_rows", "decode_block", "named_by", "pack", "said", "unpack"]

_BLOCK_TAG = b"TCH0 block".ljust(16, b"\0")
#: What the digest of a pruning begins with (retention.records.prune_digest); here it is worked out on the way.
PRUNE_TAG = b"TCH0 prune".ljust(16, b"\0")
#: Of a header's first half: type, row count, content length, rows length.
_SAID = struct.Struct(">4xB35xIII12x")
_HALF, _HASH = 64, 32
_LEVEL = 1
_EVENT = int(EntryType.EVENT)
_BITS = {CONTENT: 1, ROWS: 2}


@frozen
class Sets:
    """Which entries an archive is of: those whose headers it holds, and those whose contents and rows go."""

    held: Places
    contents: Places
    rows: Places

    def flags(self, start: int, stop: int) -> bytearray:
        """A byte for each entry from `start` to `stop` - 1: 1 for content, 2 for rows."""
        found = bytearray(stop - start)
        self.contents.flags(start, stop, found, _BITS[CONTENT])
        self.rows.flags(start, stop, found, _BITS[ROWS])
        return found


@frozen
class Held:
    """What a block holds, entry by entry in order: its index, its header, and its parts with their salts, None where it
    does not hold one. `leaves` are those of the entries before that its rows name, in the order of the rows, each
    once an entry; `nodes` those of the subtrees between the entries."""

    indices: list[int]
    headers: list[bytes]
    contents: list[bytes | None]
    rows: list[bytes | None]
    leaves: list[bytes]
    nodes: list[bytes]


def said(header: bytes) -> tuple[int, int, int, int]:
    """Type, row count, content length, rows length of a header."""
    found: tuple[int, int, int, int] = _SAID.unpack_from(header)
    return found


def pack(start: int, height: int, root: bytes, parts: Held) -> tuple[Block, bytes, bytes]:
    """A block with its two parts as they are stored."""
    contents = [part for part in parts.contents if part is not None]
    rows = [part for part in parts.rows if part is not None]
    plain = b"".join(
        (
            *[header[_HALF:] for header in parts.headers],
            *[part[:SALT_SIZE] for part in contents],
            *[part[:SALT_SIZE] for part in rows],
            *parts.nodes,
            *parts.leaves,
        )
    )
    meant = b"".join(
        (
            *[header[:_HALF] for header in parts.headers],
            *[part[SALT_SIZE:] for part in contents],
            *[part[SALT_SIZE:] for part in rows],
        )
    )
    packed = zlib.compress(meant, _LEVEL)
    if len(packed) >= len(meant):
        packed = meant
    assert max(len(plain), len(meant)) <= BLOCK_MOST, "a block of one entry fits, a larger one is cut"
    found = Block(start, height, len(plain), len(packed), len(meant), block_hash(plain, packed), root)
    return found, plain, packed


def block_hash(plain: bytes, packed: bytes) -> bytes:
    """What stands in the directory for the stored bytes of a block."""
    return sha256(_BLOCK_TAG + plain + packed).digest()


def unpack(block: Block, stored: bytes) -> tuple[bytes, bytes]:
    """The two parts of a block as they are meant; DecodeError where the bytes are not those of the directory."""
    if len(stored) != block.size or sha256(_BLOCK_TAG + stored).digest() != block.hash:
        raise DecodeError(f"block of entry {block.start} in the archive: its bytes were altered")
    plain, packed = stored[: block.plain], stored[block.plain :]
    if block.packed == block.unpacked:
        return plain, packed
    reader = zlib.decompressobj()
    try:
        meant = reader.decompress(packed, block.unpacked + 1)
    except zlib.error as error:
        raise DecodeError(f"block of entry {block.start} in the archive: {error}") from None
    if not reader.eof or reader.unused_data or len(meant) != block.unpacked:
        raise DecodeError(f"block of entry {block.start} in the archive: it does not unpack to the length it states")
    return plain, meant


def decode_block(block: Block, plain: bytes, meant: bytes, sets: Sets) -> Held:
    """Take a block apart by what its headers say; DecodeError where the bytes are too many or too few."""
    start = block.start
    clipped = list(sets.held.clip(start, block.stop))
    indices = [index for first, last in clipped for index in range(first, last)]
    count = len(indices)
    here = f"block of entry {start} in the archive"
    if len(meant) < count * _HALF or len(plain) < count * _HALF:
        raise DecodeError(f"{here}: it is shorter than the headers of its {count} entries")
    flags = sets.flags(start, block.stop)
    wanted = [flags[index - start] for index in indices]
    heads = [meant[at : at + _HALF] for at in range(0, count * _HALF, _HALF)]
    tails = [plain[at : at + _HALF] for at in range(0, count * _HALF, _HALF)]
    content_lengths, rows_lengths = [0] * count, [0] * count
    for at, ((kind, row_count, content_length, rows_length), flag) in enumerate(
        zip(_SAID.iter_unpack(meant[: count * _HALF]), wanted, strict=True)
    ):
        if kind == _EVENT and flag:
            if not 0 < content_length <= MAX_CONTENT or rows_length > MAX_ROWS or (rows_length > 0) != (row_count > 0):
                raise DecodeError(f"entry {indices[at]} in the archive: lengths that no header has")
            if flag & 1:
                content_lengths[at] = content_length
            if flag & 2:
                rows_lengths[at] = rows_length
    salt_at, at = count * _HALF, count * _HALF
    contents, salt_at, at = _take(plain, salt_at, meant, at, content_lengths)
    rows, salt_at, at = _take(plain, salt_at, meant, at, rows_lengths)
    nodes_at = sum(1 for _ in gaps(start, block.stop, clipped))
    leaves_at = salt_at + _HASH * nodes_at
    if at != len(meant) or leaves_at > len(plain) or (len(plain) - leaves_at) % _HASH:
        raise DecodeError(f"{here}: it is longer or shorter than what its headers say")
    return Held(
        indices,
        [head + tail for head, tail in zip(heads, tails, strict=True)],
        contents,
        rows,
        [plain[place : place + _HASH] for place in range(leaves_at, len(plain), _HASH)],
        [plain[place : place + _HASH] for place in range(salt_at, leaves_at, _HASH)],
    )


def _take(plain: bytes, salt_at: int, meant: bytes, at: int, lengths: list[int]) -> tuple[list[bytes | None], int, int]:
    """One column of parts, with their salts; where the next ones begin. What is short is found by who adds up."""
    found: list[bytes | None] = []
    for length in lengths:
        if length:
            found.append(plain[salt_at : salt_at + SALT_SIZE] + meant[at : at + length])
            salt_at += SALT_SIZE
            at += length
        else:
            found.append(None)
    return found, salt_at, at


# ---- rows ------------------------------------------------------------------------------------------


def unpack_rows(stored: bytes) -> encoding.Plain:
    """Rows without their salt as a plain value, strictly."""
    return encoding.unpack_raw(stored, MAX_ROWS, 4)


def bind_rows(
    part: bytes,
    count: int,
    leaf_of: Callable[[int], bytes],
    unpack: Callable[[bytes], encoding.Plain] = unpack_rows,
) -> bytes:
    """The row root of an entry's rows (with their salt), `count` of them by its header; `leaf_of` gives the leaf of an
    entry that a row names as the one before, asked once for each in the order of the rows. DecodeError for bytes that
    are no rows."""
    salt, stored = part[:SALT_SIZE], part[SALT_SIZE:]
    value = unpack(stored)
    if not isinstance(value, tuple) or len(value) < 2:
        raise DecodeError("rows are an array of a rule set number and groups")
    if count == 1:
        # Stored rows of one row are that row as it is hashed (format.md section 7).
        match value:
            case (_, (_, _, _, int() as previous, _, _)) if type(previous) is int and 0 <= previous < 1 << 40:
                return sha256(ROW_TAG + salt + (leaf_of(previous - 1) if previous else ZERO) + stored).digest()
        raise DecodeError("rows of one row are a rule set number and a group of six items")
    leaves: dict[int, bytes] = {0: ZERO}
    hashes: list[bytes] = []
    rule_set = value[0]
    for group in value[1:]:
        if not isinstance(group, tuple) or len(group) < 6 or len(group) % 5 != 1:
            raise DecodeError("a group of rows is a prefix and five items a row")
        prefix = group[0]
        for at in range(1, len(group), 5):
            row = group[at : at + 5]
            previous = row[2]
            if type(previous) is not int or not 0 <= previous < 1 << 40:
                raise DecodeError(f"a row names {previous!r:.40} as the entry before")
            leaf = leaves.get(previous)
            if leaf is None:
                leaf = leaves[previous] = leaf_of(previous - 1)
            own = row_salt(salt, len(hashes), count)
            hashes.append(sha256(ROW_TAG + own + leaf + encoding.pack((rule_set, (prefix, *row)))).digest())
    if len(hashes) != count:
        raise DecodeError(f"{len(hashes)} rows, and the header counts {count}")
    return row_root(hashes)


def named_by(part: bytes) -> list[int]:
    """The entries before that rows (with their salt) name, in the order of the rows, each once: those whose leaves a
    block holds. DecodeError for bytes that are no rows."""
    value: Any = unpack_rows(part[SALT_SIZE:])
    try:
        before = [one for group in value[1:] for one in group[3::5]]
        return [one - 1 for one in dict.fromkeys(before) if one]
    except TypeError:
        raise DecodeError("rows are an array of a rule set number and groups of prefix and rows") from None
