"""Tables and keys of the ledger environment (docs/format.md section 11)."""

from __future__ import annotations

__all__ = [
    "BASE",
    "CONTENTS",
    "HEADERS",
    "INDEX_MASK",
    "META",
    "NODES",
    "ROWS",
    "STATEMENTS",
    "STATE_SHIFT",
    "TABLES",
    "UNITS",
    "key_of",
    "node_key",
]

HEADERS = "headers"
CONTENTS = "contents"
ROWS = "rows"
NODES = "nodes"
META = "meta"
STATEMENTS = "statements"
UNITS = "units"
BASE = "base"
TABLES = (HEADERS, CONTENTS, ROWS, NODES, META, STATEMENTS, UNITS, BASE)

# A word says where a unit stands: state x 2^40 + latest index + 1.
STATE_SHIFT = 40
INDEX_MASK = (1 << STATE_SHIFT) - 1


def key_of(index: int) -> bytes:
    """The key of an entry, and of anything else that is numbered."""
    return index.to_bytes(8, "big")


def node_key(height: int, index: int) -> bytes:
    """The key of a stored subtree."""
    return height.to_bytes(1, "big") + index.to_bytes(8, "big")
