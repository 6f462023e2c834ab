"""Tables and keys of the ledger environment (docs/format.md section 11)."""

from __future__ import annotations

import re
from decimal import Decimal

from tracechain.errors import DecodeError

__all__ = [
    "BASE",
    "CONTENTS",
    "EMPTIED",
    "HEADERS",
    "MEMORY",
    "MENTIONS",
    "META",
    "NODES",
    "PACKED",
    "ROWS",
    "ROW_NODES",
    "SEALED",
    "SEAL_NOTES",
    "SPENT",
    "STATEMENTS",
    "TABLES",
    "TIMES",
    "UNITS",
    "WITNESSED",
    "key_of",
    "mention_key",
    "node_key",
    "spent_key",
    "yuan_of",
]

HEADERS = "headers"
CONTENTS = "contents"
ROWS = "rows"
NODES = "nodes"
META = "meta"
STATEMENTS = "statements"
UNITS = "units"
BASE = "base"
MEMORY = "memory"
SPENT = "spent"
PACKED = "packed"
EMPTIED = "emptied"
MENTIONS = "mentions"
TIMES = "times"
ROW_NODES = "row nodes"
WITNESSED = "witnessed"
SEAL_NOTES = "seal notes"
SEALED = "sealed"
TABLES = (
    HEADERS, CONTENTS, ROWS, NODES, META, STATEMENTS, UNITS, BASE, MEMORY, SPENT, PACKED, EMPTIED, MENTIONS, TIMES,
    ROW_NODES, WITNESSED, SEAL_NOTES, SEALED,
)  # fmt: skip


_YUAN = re.compile(rb"-?[0-9]{1,40}(?:[.][0-9]{1,40})?")


def key_of(index: int) -> bytes:
    """The key of an entry, and of anything else that is numbered."""
    return index.to_bytes(8, "big")


def spent_key(person: bytes, year: int) -> bytes:
    """The key of what a buyer's orders of a year come to."""
    return person + year.to_bytes(2, "big")


def yuan_of(value: bytes | None) -> Decimal:
    """What an account says, 0 for one that is not there; DecodeError for what is no number in plain digits."""
    if value is None:
        return Decimal(0)
    if not _YUAN.fullmatch(value):
        raise DecodeError(f"an account of a buyer says {value[:40]!r}: run `tracechain reindex`")
    return Decimal(value.decode())


def mention_key(name: str, start: int) -> bytes:
    """The key of a run of entries that mention a name. No name holds a NUL, and no index is over 2^56: so the keys of
    one name are never among those of another that begins with it."""
    return name.encode() + start.to_bytes(8, "big")


def node_key(height: int, index: int) -> bytes:
    """The key of a stored subtree."""
    return height.to_bytes(1, "big") + index.to_bytes(8, "big")
