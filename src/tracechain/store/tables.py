"""Tables and keys of the ledger environment (docs/format.md section 11)."""

from __future__ import annotations

__all__ = [
    "BASE",
    "CONTENTS",
    "HEADERS",
    "MEMORY",
    "META",
    "NODES",
    "ROWS",
    "SPENT",
    "STATEMENTS",
    "TABLES",
    "UNITS",
    "key_of",
    "node_key",
    "spent_key",
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
TABLES = (HEADERS, CONTENTS, ROWS, NODES, META, STATEMENTS, UNITS, BASE, MEMORY, SPENT)


def key_of(index: int) -> bytes:
    """The key of an entry, and of anything else that is numbered."""
    return index.to_bytes(8, "big")


def spent_key(person: bytes, year: int) -> bytes:
    """The key of what a buyer's orders of a year come to."""
    return person + year.to_bytes(2, "big")


def node_key(height: int, index: int) -> bytes:
    """The key of a stored subtree."""
    return height.to_bytes(1, "big") + index.to_bytes(8, "big")
