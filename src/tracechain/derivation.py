"""From what an entry does to its subjects, and where they stood, to its rows (docs/format.md section 7).

Written once: the ledger seals what comes out here, and a verifier expects it, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from attrs import frozen

from tracechain import custody, encoding, merkle
from tracechain.entry import ROW_BLOCK, ROW_SALT_TAG, ROW_TAG, row_nodes

__all__ = ["INDEX_MASK", "STATE_SHIFT", "Acts", "Derived", "derive_rows"]

#: A word says where a subject stands: state x 2^40 + index of its latest entry + 1; 0 for one that nobody has seen.
STATE_SHIFT = 40
INDEX_MASK = (1 << STATE_SHIFT) - 1

#: The subjects of one entry, ascending, each with its act.
Acts = Sequence[tuple[str, int]]


@frozen
class Derived:
    """The rows of one entry as stored, their root, how many are first rows, the states after, broken rules."""

    stored: bytes
    root: bytes
    first_rows: int
    states: list[int]
    violations: list[tuple[str, tuple[int, ...]]]
    #: entry.row_nodes of them.
    nodes: bytes = b""


def derive_rows(
    acts: Acts,
    words: Sequence[int],
    leaves: Sequence[bytes],
    salt: bytes,
    rule_set: int = custody.PLAIN,
    outcomes: Sequence[custody.Outcome] | None = None,
) -> Derived:
    """The rows of an entry by the rules of custody.

    `words` say where its subjects stood, `leaves` are those of the entries there (32 zero bytes where there is none).
    `outcomes` are what the rules came to, those of the table if not given.

    KeyError for an act or a state that the rules do not know.
    """
    pack = encoding.pack
    if outcomes is None:
        table = custody.TABLES[rule_set]
        outcomes = [table[word >> STATE_SHIFT, act] for (_, act), word in zip(acts, words, strict=True)]
    seed, alone = ROW_SALT_TAG + salt, len(acts) == 1
    hashes: list[bytes] = []
    groups: list[encoding.Plain] = [rule_set]
    group: list[encoding.Plain] = []
    states: list[int] = []
    violations: list[tuple[str, tuple[int, ...]]] = []
    last: str | None = None
    for position, ((subject, act), word, leaf, (state, codes)) in enumerate(
        zip(acts, words, leaves, outcomes, strict=True)
    ):
        previous = word & INDEX_MASK
        cut = subject.rfind("/") + 1
        prefix = subject[:cut]
        cells = (subject[cut:], act, previous, state, codes or None)
        if prefix != last:
            group = [prefix]
            groups.append(group)
            last = prefix
        group += cells
        own = salt if alone else sha256(seed + position.to_bytes(4, "big")).digest()
        hashes.append(sha256(ROW_TAG + own + leaf + pack((rule_set, (prefix, *cells)))).digest())
        states.append(state)
        if codes:
            violations.append((subject, codes))
    first_rows = sum(not word & INDEX_MASK for word in words)
    if len(hashes) <= ROW_BLOCK:
        return Derived(pack(groups), merkle.root(hashes), first_rows, states, violations)
    nodes = row_nodes(hashes)
    return Derived(pack(groups), merkle.root(nodes), first_rows, states, violations, b"".join(nodes))
