"""One log entry: header, commitments and rows (docs/format.md sections 2, 4 and 7).

    content   what an author states                      hidden behind H(tag || salt || content)
    rows      what the ledger derives, one a subject     hidden behind a small tree of salted row hashes
    header    128 bytes, kept for ever: type, times, author, both commitments
    leaf      H(0x00 || header): the entry's place in the log's RFC 6962 tree, and its name in the chains

A row's hash covers the leaf of its subject's previous entry, which is not stored with the row, since the
header it comes from is kept for ever. So a row proves its link, or does not verify at all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from hashlib import sha256
from itertools import pairwise

from attrs import frozen

from tracechain import encoding, identifiers, merkle
from tracechain.errors import DecodeError
from tracechain.event.values import MAX_ID

__all__ = [
    "COVERED_TYPES",
    "FLAG_CLAMPED",
    "HEADER_SIZE",
    "MAX_CONTENT",
    "MAX_ROWS",
    "NO_POLICY",
    "OPEN_DAY",
    "ROW_BLOCK",
    "SALT_SIZE",
    "EntryType",
    "Header",
    "Row",
    "content_commitment",
    "decode_rows",
    "encode_rows",
    "format_header",
    "parse_header",
    "prove_row",
    "row_hash",
    "row_hashes",
    "row_nodes",
    "row_root",
    "row_salt",
]

HEADER_SIZE = 128
SALT_SIZE = 32
MAX_CONTENT = 65_536
MAX_ROWS = 1 << 24
OPEN_DAY = 0xFFFF_FFFF
NO_POLICY = 0xFFFF_FFFF_FFFF_FFFF
FLAG_CLAMPED = 1

ZERO = bytes(32)
CONTENT_TAG = b"TCH0 content".ljust(16, b"\0")
ROW_TAG = b"TCH0 row".ljust(16, b"\0")
ROW_SALT_TAG = b"TCH0 row salt".ljust(16, b"\0")

MAGIC = b"TCH0"
SUITE = 1

# format.md section 2. The names of the fields are those of Header, in order.
HEADER_STRUCT = struct.Struct(">4sBBHQHHI8sQIIIIQ32s32s")
assert HEADER_STRUCT.size == HEADER_SIZE


class EntryType(IntEnum):
    """What an entry is (format.md section 2.1)."""

    GENESIS = 1
    STATEMENT = 2
    EVENT = 3
    RECORD = 4
    KEY_AUTHORISED = 5
    KEY_REVOKED = 6
    CLOCK = 7
    EPOCH = 8
    EVIDENCE = 9


#: Entries that an author's statement must cover (format.md section 6.1).
COVERED_TYPES = frozenset({EntryType.EVENT, EntryType.RECORD})
#: Entries that carry an author's key id and sequence; the others carry zeros.
AUTHORED_TYPES = frozenset({EntryType.STATEMENT, EntryType.EVENT, EntryType.RECORD})
_TYPES = {int(t): t for t in EntryType}


@frozen
class Header:
    """The part of an entry that is kept for ever. Times are milliseconds, lengths bytes without the salt."""

    type: EntryType
    flags: int
    time: int
    record_class: int
    keep_until: int
    author: bytes
    sequence: int
    row_count: int
    content_length: int
    rows_length: int
    first_rows: int
    policy: int
    content_commitment: bytes
    row_root: bytes

    @property
    def clamped(self) -> bool:
        """Whether the ledger's clock was behind the last receipt time."""
        return bool(self.flags & FLAG_CLAMPED)


def format_header(header: Header) -> bytes:
    """The header's 128 bytes."""
    return HEADER_STRUCT.pack(
        MAGIC, header.type, SUITE, header.flags, header.time, header.record_class, 0, header.keep_until,
        header.author, header.sequence, header.row_count, header.content_length, header.rows_length, header.first_rows,
        header.policy, header.content_commitment, header.row_root,
    )  # fmt: skip


def parse_header(data: bytes) -> Header:
    """Read a header strictly; DecodeError names the field that is wrong."""
    if len(data) != HEADER_SIZE:
        raise DecodeError(f"a header has {HEADER_SIZE} bytes, this one has {len(data)}")
    (magic, kind, suite, flags, time, record_class, zero, keep_until, author, sequence, row_count, content_length,
     rows_length, first_rows, policy, commitment, root) = HEADER_STRUCT.unpack(data)  # fmt: skip
    if magic != MAGIC:
        raise DecodeError(f"header magic is {magic!r}, this version reads {MAGIC!r}")
    if suite != SUITE:
        raise DecodeError(f"header suite is {suite}, this version knows {SUITE} (SHA-256, Ed25519)")
    if kind not in _TYPES:
        raise DecodeError(f"header type {kind} is unknown")
    if zero:
        raise DecodeError("a reserved field of the header is not zero")
    if flags & ~FLAG_CLAMPED:
        raise DecodeError(f"header flags {flags:#06x} are unknown")
    if not 0 < content_length <= MAX_CONTENT:
        raise DecodeError(f"content length {content_length} is not between 1 and {MAX_CONTENT}")
    if (row_count == 0) is not (rows_length == 0) or rows_length > MAX_ROWS:
        raise DecodeError(f"{row_count} rows cannot have {rows_length} bytes")
    if first_rows > row_count:
        raise DecodeError(f"{first_rows} of {row_count} rows cannot be first rows")
    if row_count == 0 and root != ZERO:
        raise DecodeError("an entry without rows has a row root")
    if kind not in AUTHORED_TYPES and (author != bytes(8) or sequence):
        raise DecodeError(f"an entry of type {kind} is the ledger's own and names no author")
    if kind not in COVERED_TYPES and record_class:
        raise DecodeError(f"an entry of type {kind} has no record class")
    if kind != EntryType.EVENT and (keep_until != OPEN_DAY or policy != NO_POLICY):
        raise DecodeError(f"an entry of type {kind} is kept for ever: it has no keep-until day and no policy")
    return Header(_TYPES[kind], flags, time, record_class, keep_until, author, sequence, row_count,
                  content_length, rows_length, first_rows, policy, commitment, root)  # fmt: skip


def content_commitment(salt: bytes, content: bytes) -> bytes:
    """What stands for a content in its header and in its author's statement (format.md section 4)."""
    return sha256(CONTENT_TAG + salt + content).digest()


# ---- rows --------------------------------------------------------------------------------------


@frozen
class Row:
    """What one entry did to one subject: `act` is what (custody.Act), `state` the state after it.

    `previous` is the index of the subject's entry before, or None.
    """

    subject: str
    act: int
    previous: int | None
    state: int
    violations: tuple[int, ...] = ()


def _cells(row: Row) -> tuple[int, int, int, tuple[int, ...] | None]:
    return (row.act, 0 if row.previous is None else row.previous + 1, row.state, row.violations or None)


def encode_row(rule_set: int, row: Row) -> bytes:
    """One row by itself: what its hash covers."""
    return encoding.pack((rule_set, (*identifiers.split(row.subject), *_cells(row))))


def encode_rows(rule_set: int, rows: Sequence[Row]) -> bytes:
    """The rows of an entry as they are stored; neighbours with one prefix share it (format.md section 7)."""
    groups: list[list[encoding.Plain]] = []
    last: str | None = None
    for row in rows:
        prefix, suffix = identifiers.split(row.subject)
        if prefix != last:
            groups.append([prefix])
            last = prefix
        groups[-1] += (suffix, *_cells(row))
    return encoding.pack([rule_set, *groups])


def decode_rows(data: bytes) -> tuple[int, tuple[Row, ...]]:
    """Read stored rows strictly: (rule set, rows in order of their subjects)."""
    value = encoding.unpack_strict(data, max_bytes=MAX_ROWS)
    if not isinstance(value, tuple) or len(value) < 2 or type(value[0]) is not int or value[0] < 1:
        raise DecodeError("rows are an array of a rule set number and groups")
    rows: list[Row] = []
    last_prefix: str | None = None
    for group in value[1:]:
        if not isinstance(group, tuple) or len(group) < 6 or len(group) % 5 != 1:
            raise DecodeError("a group of rows is a prefix and five items a row")
        prefix = group[0]
        if not isinstance(prefix, str) or prefix == last_prefix:
            raise DecodeError("neighbouring groups of rows share a prefix, or a prefix is no text")
        last_prefix = prefix
        rows += [_decode_row(prefix, *cells) for cells in zip(*(group[n::5] for n in range(1, 6)), strict=True)]
    subjects = [row.subject for row in rows]
    if any(a >= b for a, b in pairwise(subjects)):
        raise DecodeError("rows are not in strictly ascending order of their subjects")
    return value[0], tuple(rows)


def _decode_row(prefix: str, suffix: object, act: object, previous: object, state: object, violations: object) -> Row:
    if not isinstance(suffix, str) or identifiers.split(prefix + suffix) != (prefix, suffix):
        raise DecodeError(f"row subject {prefix!r} + {suffix!r} is not split after its last '/'")
    if not 0 < len((prefix + suffix).encode()) <= MAX_ID:
        raise DecodeError(f"row subject {prefix[:64] + suffix[:64]!r} does not have 1 to {MAX_ID} bytes")
    if type(act) is not int or not 0 <= act < 1 << 24:
        raise DecodeError(f"row of {prefix + suffix}: act is {act!r}")
    if type(previous) is not int or not 0 <= previous < 1 << 40:
        raise DecodeError(f"row of {prefix + suffix}: previous is {previous!r}")
    if type(state) is not int or not 0 <= state < 1 << 24:
        raise DecodeError(f"row of {prefix + suffix}: state is {state!r}")
    if violations is None:
        codes: tuple[int, ...] = ()
    elif (
        isinstance(violations, tuple)
        and violations
        and all(type(v) is int and 0 < v < 1 << 16 for v in violations)
        and all(a < b for a, b in pairwise(violations))
    ):
        codes = violations
    else:
        raise DecodeError(f"row of {prefix + suffix}: violations are not nil or ascending codes")
    return Row(prefix + suffix, act, previous - 1 if previous else None, state, codes)


def row_salt(salt: bytes, position: int, count: int) -> bytes:
    """The salt of one row: shown with the row, and useless for its neighbours."""
    if count == 1:
        return salt
    return sha256(ROW_SALT_TAG + salt + position.to_bytes(4, "big")).digest()


def row_hash(salt: bytes, previous_leaf: bytes | None, row: bytes) -> bytes:
    """The hash of one encoded row under its own salt."""
    return sha256(ROW_TAG + salt + (previous_leaf or ZERO) + row).digest()


def row_hashes(salt: bytes, rule_set: int, rows: Sequence[Row], previous_leaves: Iterable[bytes | None]) -> list[bytes]:
    """The hashes of all rows of an entry, in order."""
    count = len(rows)
    return [
        row_hash(row_salt(salt, position, count), leaf, encode_row(rule_set, row))
        for position, (row, leaf) in enumerate(zip(rows, previous_leaves, strict=True))
    ]


def row_root(hashes: Sequence[bytes]) -> bytes:
    """What stands in the header for the rows."""
    if not hashes:
        return ZERO
    return hashes[0] if len(hashes) == 1 else merkle.root(hashes)


@frozen
class _Hashes:
    """A merkle.NodeReader over the row hashes of one entry."""

    hashes: Sequence[bytes]

    def leaf(self, index: int) -> bytes:
        return self.hashes[index]

    def node(self, height: int, index: int) -> None:  # noqa: ARG002  # the Protocol's; nothing is stored
        return None


#: Rows under one node that is stored beside the rows of an entry with more of them.
ROW_BLOCK = 8


def row_nodes(hashes: Sequence[bytes]) -> list[bytes]:
    """The nodes over each ROW_BLOCK rows of an entry, in the tree of its row hashes. Kept, they let one row be held
    against the header without hashing all the others."""
    return merkle.nodes_at(hashes, ROW_BLOCK.bit_length() - 1)


def prove_row(hashes: Sequence[bytes], position: int) -> list[bytes]:
    """An RFC 6962 inclusion proof of one row hash under the row root."""
    return merkle.prove_inclusion(_Hashes(hashes), position, len(hashes))
