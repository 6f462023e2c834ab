"""What the pass over a range of entries collects."""

from __future__ import annotations

from array import array

from attrs import define, field

from tracechain import custody, merkle
from tracechain.entry import COVERED_TYPES, EntryType, parse_header
from tracechain.errors import DataError
from tracechain.record import Record
from tracechain.registers import KINDS, Profile
from tracechain.retention.keeping import Heads
from tracechain.retention.records import DONE, INTENT, POLICY
from tracechain.retention.waiting import WAIT_GAP
from tracechain.statement import Statement
from tracechain.verification.lost import Lost
from tracechain.view import View

__all__ = ["RETAINED", "Covering", "RangeResult", "Said", "Word", "begins_pilot", "may_begin", "past_run"]

#: Kinds of records that what went is judged by: retention, and what holds are, or are about.
RETAINED = frozenset({*KINDS, POLICY, INTENT, DONE})

_COVERED = frozenset(bytes([t]) for t in COVERED_TYPES)

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
    heads: Heads | None = None
    #: The retention policy that its first event names.
    policy: int | None = None
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
    #: Index of the last rows that follow rule set 1, and of the first record that puts a profile in force, with that of
    #: the last entry under its statement: what comes after follows other rules.
    last_plain: int = -1
    profile: tuple[int, int] | None = None
    unknown_rules: int = 0
    #: Indices of records that put a retention policy in force, and which one the events of a statement name,
    #: (statement, policy): of the first statement, of the first after each such record, and where it is another one.
    policies: list[int] = field(factory=list)
    named: list[tuple[int, int]] = field(factory=list)
    #: Events without their content or rows; where a row names an entry whose own are not kept, both entries, one pair
    #: after the other; the records that what went is judged by.
    lost: Lost = field(factory=Lost)
    believed: array[int] = field(factory=lambda: array("Q"))
    retained: array[int] = field(factory=lambda: array("Q"))
    #: Records of kind seal, each with the statement that covers it: (index, statement).
    seals: list[tuple[int, int]] = field(factory=list)
    #: Entry and milliseconds by which the gap before it does not count as waiting, one pair after the other.
    jumps: array[int] = field(factory=lambda: array("Q"))

    def note_policy(self, statement: int, policy: int) -> None:
        """Note what the events of a statement name as their retention policy."""
        before = self.named[-1] if self.named else None
        latest = self.policies[-1] if self.policies else -1
        if before is None or before[1] != policy or before[0] < latest < statement:
            self.named.append((statement, policy))

    def note_gap(self, index: int, kind: int, gap: int) -> None:
        """Note how much of the gap before an entry nobody can be said to have waited (retention.waiting)."""
        if gap > 0 and (kind == EntryType.CLOCK or gap > WAIT_GAP):
            self.jumps.extend((index, gap if kind == EntryType.CLOCK else gap - WAIT_GAP))

    def note_rules(self, index: int, rule_set: int) -> None:
        """Note the rules of the rows of an entry."""
        self.last_rules = rule_set
        self.first_rules = self.first_rules or (index, rule_set)
        if rule_set == custody.PLAIN:
            self.last_plain = index


def begins_pilot(record: Record) -> bool:
    """Whether a record puts a profile in force, if none before it did: then nothing before it on its chain counts."""
    if record.kind != Profile.KIND or record.version:
        return False
    try:
        return Profile.from_record(record).subject == record.subject
    except DataError:
        return False


def may_begin(header: bytes | None) -> bool:
    """Whether a range may begin here: at an entry that can be read and that no statement covers."""
    try:
        return parse_header(header or b"").type not in COVERED_TYPES
    except DataError:
        return False


def past_run(view: View, index: int, header: bytes) -> int:
    """The index after a run of covered entries: as long as the author's numbers run on, so most need not be read."""
    step = 256
    while step:
        ahead = view.header(index + step) or b""
        number = int.from_bytes(header[32:40], "big") + step
        if ahead[4:5] in _COVERED and ahead[24:40] == header[24:32] + (number & (1 << 64) - 1).to_bytes(8, "big"):
            index, header, step = index + step, ahead, 2 * step
        else:
            step //= 2
    return index + 1
