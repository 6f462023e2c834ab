"""What a verification finds: values with a code, a place and words."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from attrs import evolve, field, frozen

from tracechain.checkpoint import Checkpoint, VerifierKey
from tracechain.errors import VerificationError
from tracechain.seals import Sealed
from tracechain.witnessing import Bracket, Sufficient

__all__ = ["NO_KEY", "RULES", "UNWITNESSED", "Code", "Finding", "Findings", "Report", "SealVerdict", "Witnessed"]

NO_KEY = "no verifier key was given: signatures were checked against the key that the log names itself"
UNWITNESSED = "UNWITNESSED: no witness's cosignature was asked for, so an operator with all keys is taken at his word"
RULES = "rules that depend on registers, buyers, documents and dates were not judged again: a replay does that"


class Code(StrEnum):
    """The kinds of findings. The names are stable: programs act on them. Their order is that of docs/format.md section
    16: of the findings of one entry, the first is the one whose code comes first here."""

    # the files of a bundle
    BUNDLE_FILE = "BUNDLE_FILE"
    BUNDLE_TILE = "BUNDLE_TILE"
    BUNDLE_SURPLUS = "BUNDLE_SURPLUS"
    PROOF = "PROOF"
    CONSISTENCY = "CONSISTENCY"
    # the tree and what is signed
    CHECKPOINT_MISSING = "CHECKPOINT_MISSING"
    CHECKPOINT_MALFORMED = "CHECKPOINT_MALFORMED"
    CHECKPOINT_SIGNATURE = "CHECKPOINT_SIGNATURE"
    CHECKPOINT_ORIGIN = "CHECKPOINT_ORIGIN"
    CHECKPOINT_SIZE = "CHECKPOINT_SIZE"
    TREE_ROOT = "TREE_ROOT"
    TREE_NODE = "TREE_NODE"
    TAIL_SURPLUS = "TAIL_SURPLUS"
    ROLLBACK = "ROLLBACK"
    FORK = "FORK"
    # headers
    ENTRY_MISSING = "ENTRY_MISSING"
    ENTRY_DUPLICATED = "ENTRY_DUPLICATED"
    ENTRY_ORDER = "ENTRY_ORDER"
    HEADER_MALFORMED = "HEADER_MALFORMED"
    HEADER_COUNTS = "HEADER_COUNTS"
    TIME_DECREASED = "TIME_DECREASED"
    TIME_JUMP = "TIME_JUMP"
    TIME_FLAG = "TIME_FLAG"
    TIME_AHEAD = "TIME_AHEAD"
    KEEP_UNTIL = "KEEP_UNTIL"
    # contents
    CONTENT_MISSING = "CONTENT_MISSING"
    CONTENT_COMMITMENT = "CONTENT_COMMITMENT"
    CONTENT_MALFORMED = "CONTENT_MALFORMED"
    # rows and chains
    ROWS_MISSING = "ROWS_MISSING"
    ROWS_MALFORMED = "ROWS_MALFORMED"
    ROW_ROOT = "ROW_ROOT"
    ROW_SUBJECTS = "ROW_SUBJECTS"
    ROW_ACT = "ROW_ACT"
    ROW_FIRST = "ROW_FIRST"
    ROW_LINK = "ROW_LINK"
    ROW_STATE = "ROW_STATE"
    ROW_VIOLATIONS = "ROW_VIOLATIONS"
    SUBJECT_LOST = "SUBJECT_LOST"
    # what was pruned
    PRUNE_RECORD = "PRUNE_RECORD"
    PRUNE_POLICY = "PRUNE_POLICY"
    PRUNE_WAIT = "PRUNE_WAIT"
    PRUNE_EARLY = "PRUNE_EARLY"
    PRUNE_HELD = "PRUNE_HELD"
    PRUNE_ORDER = "PRUNE_ORDER"
    PRUNE_KEPT = "PRUNE_KEPT"
    # statements and authors
    STATEMENT_MALFORMED = "STATEMENT_MALFORMED"
    STATEMENT_LEDGER = "STATEMENT_LEDGER"
    STATEMENT_AUTHOR = "STATEMENT_AUTHOR"
    STATEMENT_SIGNATURE = "STATEMENT_SIGNATURE"
    STATEMENT_COVERAGE = "STATEMENT_COVERAGE"
    STATEMENT_ROOT = "STATEMENT_ROOT"
    EVENT_UNCOVERED = "EVENT_UNCOVERED"
    AUTHOR_UNKNOWN = "AUTHOR_UNKNOWN"
    AUTHOR_REVOKED = "AUTHOR_REVOKED"
    AUTHOR_SCOPE = "AUTHOR_SCOPE"
    AUTHOR_GAP = "AUTHOR_GAP"
    AUTHOR_CHAIN = "AUTHOR_CHAIN"
    EQUIVOCATION = "EQUIVOCATION"
    # the ledger's own records
    GENESIS = "GENESIS"
    KEY_RECORD = "KEY_RECORD"
    CLOCK_RECORD = "CLOCK_RECORD"
    EPOCH_RECORD = "EPOCH_RECORD"
    EPOCH_LOST = "EPOCH_LOST"
    EVIDENCE_RECORD = "EVIDENCE_RECORD"
    SETTLEMENT = "SETTLEMENT"
    # seals, and what an excerpt shows by them
    SEAL_RECORD = "SEAL_RECORD"
    SEAL_ROOT = "SEAL_ROOT"
    SEAL_NOTE = "SEAL_NOTE"
    CHAIN_INCOMPLETE = "CHAIN_INCOMPLETE"
    ABSENCE = "ABSENCE"
    DISCLOSURE = "DISCLOSURE"
    # witnesses
    WITNESS_SIGNATURE = "WITNESS_SIGNATURE"
    WITNESS_QUORUM = "WITNESS_QUORUM"
    WITNESS_TIME = "WITNESS_TIME"
    # the index of a live ledger
    INDEX = "INDEX"


@frozen
class Finding:
    """One thing that is wrong: what (code), where (entry index, subject) and in words."""

    code: Code
    index: int | None
    detail: str
    subject: str | None = None

    def __str__(self) -> str:
        where = "" if self.index is None else f" entry {self.index}"
        who = "" if self.subject is None else f" {self.subject}"
        return f"{self.code}{where}{who}: {self.detail}"


class Findings:
    """Collects findings up to a limit; the rest is counted."""

    def __init__(self, most: int = 1000) -> None:
        self.items: list[Finding] = []
        self.beyond = 0
        self._most = most

    @property
    def count(self) -> int:
        """How many there are, listed or not."""
        return len(self.items) + self.beyond

    def add(self, code: Code, index: int | None, detail: str, subject: str | None = None) -> None:
        """Note a finding."""
        if len(self.items) < self._most:
            self.items.append(Finding(code, index, detail, subject))
        else:
            self.beyond += 1

    def add_run(self, code: Code, indices: Iterable[int], detail: str) -> None:
        """Note the same finding of many entries."""
        for index in indices:
            self.add(code, index, detail)

    def extend(self, items: tuple[Finding, ...], beyond: int) -> None:
        """Take over the findings of a part."""
        room = self._most - len(self.items)
        self.items += items[:room]
        self.beyond += beyond + max(0, len(items) - room)


@frozen
class Witnessed:
    """What witnesses say of a log, by a policy: the sufficient notes, by size, and for each run of entries between
    which of their times it came (docs/format.md section 10.1).

    `early` counts, for each bracket, the entries that say they were received before a quorum had signed without them:
    that is no finding, as a note may have been some time on its way. `behind` counts the entries behind the largest
    sufficient note: they are not witnessed yet. `policy` is in words.
    """

    policy: str
    notes: tuple[Sufficient, ...]
    brackets: tuple[Bracket, ...]
    early: tuple[int, ...]
    behind: int


@frozen
class SealVerdict:
    """A seal of the log, and whether it says what the entries before it say: None where that cannot be told any more,
    as rows are gone that it rested on. `auditors` are the names of those, among the keys given, who signed for it."""

    sealed: Sealed
    right: bool | None
    auditors: tuple[str, ...] = ()


@frozen
class Report:
    """The outcome of a verification. True only without findings; `notes` say what was not checked.

    `findings` are those that fitted into the limit, `beyond` counts the others. `size` is the number of entries of the
    log; `entries`, `rows`, `statements`, `units` count what was checked. `pruned_contents` and `pruned_rows` count the
    events whose content and whose rows are gone lawfully: by a record of a pruning in which nothing is wrong.
    `witnessed` is what witnesses say of it, None where none were asked for. `seals` are those in the entries that were
    checked, in order.
    """

    findings: tuple[Finding, ...]
    size: int
    entries: int
    rows: int
    statements: int
    units: int
    checkpoint: Checkpoint | None
    notes: tuple[str, ...] = field(default=())
    beyond: int = 0
    verifier: VerifierKey | None = None
    pruned_contents: int = 0
    pruned_rows: int = 0
    witnessed: Witnessed | None = None
    seals: tuple[SealVerdict, ...] = ()

    def __bool__(self) -> bool:
        return not self.findings and not self.beyond

    def with_findings(self, more: Iterable[Finding]) -> Report:
        """The same report with further findings."""
        return evolve(self, findings=(*self.findings, *more))

    @property
    def codes(self) -> tuple[Code, ...]:
        """The codes found, each once, in order of appearance."""
        return tuple(dict.fromkeys(f.code for f in self.findings))

    def raise_for_findings(self) -> None:
        """Raise VerificationError if anything was found."""
        words = [str(finding) for finding in self.findings[:1]]
        more = len(self.findings) - len(words) + self.beyond
        if more:
            words.append(f"{more} more findings" if words else f"{more} findings")
        if words:
            raise VerificationError("; and ".join(words), self.findings)
