"""What the pass over a range of entries collects."""

from __future__ import annotations

from attrs import define, field

from tracechain import merkle
from tracechain.statement import Statement

__all__ = ["Covering", "RangeResult", "Said", "Word"]

Word = int
"""State x 2^40 + index + 1: where a subject stands."""


@define
class Covering:
    """A statement in the log whose entries are being read."""

    index: int
    statement: Statement
    left: int
    sequence: int
    time: int
    head: bytes = b""
    tail: bytes = b""
    terms: list[bytes] = field(factory=list)
    kinds: set[str] = field(factory=set)
    broken: bool = False


@define
class Said:
    """What a statement says of its author's numbers, for the checks over the whole log."""

    index: int
    author: bytes
    first: int
    count: int
    previous: bytes
    hash: bytes
    kinds: frozenset[str]


@define
class RangeResult:
    """What the pass over a range leaves, beside findings."""

    entries: int = 0
    rows: int = 0
    statements: list[Said] = field(factory=list)
    #: Entries of types 1 and 5 to 9, and settling records: (index, type, content).
    own: list[tuple[int, int, bytes]] = field(factory=list)
    #: Complete subtrees that cover the range, from left to right.
    subtrees: list[merkle.Node] = field(factory=list)
    #: Statements whose author's key was not known where they stood: (index, statement). Their signatures are open.
    unsigned: list[tuple[int, Statement]] = field(factory=list)
    #: Covered entries outside every statement: (index, author key id, author's number).
    uncovered: list[tuple[int, bytes, int]] = field(factory=list)
    #: (index, rule set) of the first rows, and the rule set of the last ones.
    first_rules: tuple[int, int] | None = None
    last_rules: int = 0
    unknown_rules: int = 0
