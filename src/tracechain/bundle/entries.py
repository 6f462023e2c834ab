"""The entries of an excerpt, judged one after the other (docs/format.md section 15.5, 1 to 4).

What only neighbours or the whole log tell is left out; what two entries here say of each other is not.
"""

from __future__ import annotations

from hashlib import sha256

from attrs import define, field

from tracechain import custody, encoding, merkle, record
from tracechain.bundle.entryfile import EntryFile
from tracechain.bundle.reading import ExcerptView
from tracechain.checkpoint import VerifierKey
from tracechain.custody import Act
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import (
    COVERED_TYPES,
    FLAG_CLAMPED,
    SALT_SIZE,
    EntryType,
    Header,
    Row,
    content_commitment,
    decode_rows,
    encode_rows,
    parse_header,
    row_hashes,
    row_root,
)
from tracechain.errors import DataError, InputError
from tracechain.record import (
    SETTLING,
    ClockRecord,
    EpochRecord,
    Evidence,
    Genesis,
    KeyAuthorised,
    KeyRevoked,
    Record,
    decode_record,
)
from tracechain.retention.prunings import Executed, paired
from tracechain.retention.records import DONE, INTENT
from tracechain.seals import SEAL, SealBody
from tracechain.signing import verify
from tracechain.statement import GROUP, TERM_SIZE, Statement, decode_statement, statement_of
from tracechain.verification.findings import Code, Findings
from tracechain.verification.links import check_alone, check_link, stated_rules
from tracechain.verification.log import Keys, take_authorised, take_revoked

__all__ = ["Entries", "Seen"]

_EVENT = "event"


@define
class Seen:
    """What was seen of a subject's chain: (index, entry before or None, state after) of each row here, ascending."""

    rows: list[tuple[int, int | None, int]] = field(factory=list)


@define
class _Covering:
    """The statement that is the nearest before an entry. `statement` is None for one that cannot be read."""

    index: int
    time: int
    statement: Statement | None
    kinds: set[str] = field(factory=set)


class Entries:
    """Judges the entries that are here. `watched` are the subjects whose rows are kept for who asks for histories."""

    def __init__(
        self, view: ExcerptView, findings: Findings, verifier: VerifierKey | None, watched: frozenset[str]
    ) -> None:
        self.view = view
        self.findings = findings
        self.verifier = verifier
        self.genesis: Genesis | None = None
        self.ledger_id = b""
        self.keys = Keys()
        self.seen: dict[str, Seen] = {subject: Seen() for subject in watched}
        #: Seals by the entries of their records; None for one that is none.
        self.seals: dict[int, SealBody | None] = {}
        self.rows = self.statements = self.unknown_rules = 0
        #: The key of each statement that stands, by the entry of the statement.
        self.signed: dict[int, bytes] = {}
        self.gone: set[int] = set()
        self._words: dict[str, int] = {}
        self._lost_contents: list[int] = []
        #: The records of prunings, by their chains: those that are what their headers commit to.
        self._prunings: dict[str, list[int]] = {}
        self._rule_set = 0
        self._time: tuple[int, int] | None = None
        self._covering: _Covering | None = None
        self._pilot = False

    @property
    def subjects(self) -> int:
        """How many subjects the rows here name."""
        return len(self._words)

    @property
    def pilot(self) -> bool:
        """Whether rules were followed that rows alone do not tell all of."""
        return self._pilot

    def take(self, index: int) -> None:
        """Judge the next entry that is here."""
        file = self.view.file(index)
        header = parse_header(file.header)
        content = self._content(index, header, file.content)
        if index == 0:
            self._begin(header, content)
        elif header.type == EntryType.GENESIS:
            self._add(Code.GENESIS, index, "a genesis record stands only at entry 0")
        self._check_time(index, header, content)
        covering = self._cover(index, header, file) if header.type in COVERED_TYPES else None
        acts, stated = self._stated(index, header, content, file.rows)
        if covering is not None and (kind := _EVENT if header.type == EntryType.EVENT else stated and stated.kind):
            covering.kinds.add(kind)
        if stated is not None:
            self._record(index, stated, covering)
        elif header.type == EntryType.STATEMENT:
            self._statement(index, header, content)
        self._check_rows(index, header, file, acts)

    def finish(self) -> None:
        """Judge what takes all entries: parts that are not there, and scopes."""
        self._end_covering()
        if not self._lost_contents and not self.gone:
            return
        some = paired(self.view, (self._prunings[subject] for subject in sorted(self._prunings)))
        contents, rows = Executed.contents(some), Executed.rows(some)
        for index in self._lost_contents:
            if contents.find(index) is None:
                self._add(
                    Code.CONTENT_MISSING, index, "the content is not there, and no record here says it was pruned"
                )
        for index in sorted(self.gone):
            if rows.find(index) is None:
                self._add(Code.ROWS_MISSING, index, "the rows are not there, and no record here says they were pruned")
                self.gone.discard(index)

    def _add(self, code: Code, index: int, detail: str, subject: str | None = None) -> None:
        self.findings.add(code, index, detail, subject)

    # ---- genesis and time ----

    def _begin(self, header: Header, content: bytes | None) -> None:
        try:
            genesis = Genesis.decode(b"" if content is None else content)
        except DataError as error:
            self._add(Code.GENESIS, 0, str(error))
            return
        if header.type != EntryType.GENESIS or genesis.created != header.time:
            self._add(Code.GENESIS, 0, "entry 0 is not a genesis record of its own receipt time")
        if self.verifier is not None and (self.verifier.name, self.verifier.key) != (genesis.origin, genesis.log_key):
            self._add(Code.GENESIS, 0, f"the log names another key or origin than {self.verifier.name}")
        self.genesis = genesis
        self.ledger_id = sha256(b"\0" + (self.view.header(0) or b"")).digest()

    def _check_time(self, index: int, header: Header, content: bytes | None) -> None:
        """Hold a receipt time against those of the entries here before it; the jump, where its neighbour is here."""
        before, self._time = self._time, (index, header.time)
        near = None if before is None or before[0] != index - 1 else before[1]
        if header.flags & FLAG_CLAMPED and (index == 0 or (near is not None and header.time != near)):
            self._add(Code.TIME_FLAG, index, "marked as clamped, but its receipt time is not that of the entry before")
        if before is not None and header.time < before[1]:
            self._add(
                Code.TIME_DECREASED, index, f"receipt time {header.time} is before {before[1]} of entry {before[0]}"
            )
        elif header.type == EntryType.CLOCK and content is not None:
            try:
                clock = ClockRecord.decode(content)
            except DataError as error:
                self._add(Code.CLOCK_RECORD, index, str(error))
            else:
                if clock.end != header.time or near not in (None, clock.start):
                    self._add(Code.CLOCK_RECORD, index, "the jump it states is not the one between the entries")
        elif (
            near is not None
            and self.genesis is not None
            and header.type not in (EntryType.CLOCK, EntryType.EPOCH)
            and header.time - near > self.genesis.jump_limit
        ):
            self._add(Code.TIME_JUMP, index, f"receipt time jumps by {header.time - near} ms without a clock record")

    # ---- contents ----

    def _content(self, index: int, header: Header, part: bytes | None) -> bytes | None:
        """The content, if it is there and is what the header commits to."""
        if part is None:
            if header.type == EntryType.EVENT:
                self._lost_contents.append(index)
            else:
                self._add(Code.CONTENT_MISSING, index, "the content is not there, and that of no event never goes")
            return None
        salt, content = part[:SALT_SIZE], part[SALT_SIZE:]
        if len(content) != header.content_length:
            words = f"{len(content)} bytes of content, the header says {header.content_length}"
            self._add(Code.HEADER_COUNTS, index, words)
        if content_commitment(salt, content) != header.content_commitment:
            self._add(Code.CONTENT_COMMITMENT, index, "content or its salt was altered: the header commits to another")
            return None
        return content

    def _stated(
        self, index: int, header: Header, content: bytes | None, rows: bytes | None
    ) -> tuple[list[tuple[str, int]] | None, Record | None]:
        """Subjects with acts as the content demands, None where it cannot tell; and the record that it is."""
        if content is None:
            return None, None
        try:
            match header.type:
                case EntryType.EVENT:
                    rule_set = stated_rules(b"" if rows is None else rows[SALT_SIZE:])
                    rules = rule_set if rule_set in custody.TABLES else custody.PLAIN
                    acts = custody.acts(encoding.decode(content), rules)
                    return [(subject, int(act)) for subject, act in acts], None
                case EntryType.RECORD:
                    said = decode_record(content)
                    return ([] if said.subject is None else [(said.subject, int(Act.NOTE))]), said
                case EntryType.KEY_AUTHORISED:
                    authorised = KeyAuthorised.decode(content)
                    self._authorised(index, authorised)
                    return [(record.key_subject(authorised.key.hash), int(Act.SEE))], None
                case EntryType.KEY_REVOKED:
                    revoked = KeyRevoked.decode(content)
                    self._revoked(index, revoked)
                    return [(record.key_subject(revoked.key_hash), int(Act.END))], None
        except (DataError, InputError) as error:
            self._add(Code.CONTENT_MALFORMED, index, str(error))
            return None, None
        try:
            if header.type == EntryType.EPOCH:
                EpochRecord.decode(content)
            elif header.type == EntryType.EVIDENCE:
                statement_of(Evidence.decode(content))
        except DataError as error:
            code = Code.EPOCH_RECORD if header.type == EntryType.EPOCH else Code.EVIDENCE_RECORD
            self._add(code, index, str(error))
        return [], None

    def _record(self, index: int, said: Record, covering: _Covering | None) -> None:
        if said.kind in SETTLING and self.genesis is not None:
            try:
                record.check_settled(self.ledger_id, said, self.genesis.roots)
            except DataError as error:
                self._add(Code.SETTLEMENT, index, str(error))
        elif said.kind in (INTENT, DONE) and said.subject is not None:
            self._prunings.setdefault(said.subject, []).append(index)
        elif said.kind == SEAL:
            self.seals[index] = None
            try:
                seal = SealBody.from_record(said)
                if covering is None or seal.size > covering.index:
                    raise DataError(f"it is of {seal.size} entries, and its statement is not behind them")
                self.seals[index] = seal
            except DataError as error:
                self._add(Code.SEAL_RECORD, index, str(error))

    # ---- keys and statements ----

    def _authorised(self, index: int, authorised: KeyAuthorised) -> None:
        if self.genesis is not None:
            try:
                take_authorised(self.findings, self.keys, self.ledger_id, self.genesis, index, authorised)
            except DataError as error:
                self._add(Code.KEY_RECORD, index, str(error))

    def _revoked(self, index: int, revoked: KeyRevoked) -> None:
        if self.genesis is not None:
            try:
                take_revoked(self.findings, self.keys, self.ledger_id, self.genesis, index, revoked)
            except DataError as error:
                self._add(Code.KEY_RECORD, index, str(error))

    def _statement(self, index: int, header: Header, content: bytes | None) -> None:
        """Begin a statement: what comes next is covered by it, as far as it reaches."""
        self._end_covering()
        self._covering = _Covering(index, header.time, None)
        if content is None:
            return
        try:
            statement = decode_statement(content)
        except DataError as error:
            self._add(Code.STATEMENT_MALFORMED, index, str(error))
            return
        self._covering.statement = statement
        self.statements += 1
        if header.author != statement.author_id or header.sequence != statement.first:
            self._add(Code.STATEMENT_AUTHOR, index, "the header names another author or number than the statement")
        if self.genesis is None:
            return
        if statement.ledger_id != self.ledger_id:
            words = f"the statement was made for ledger {statement.ledger_id.hex()[:16]}, not for this one"
            self._add(Code.STATEMENT_LEDGER, index, words)
        if statement.author not in self.keys.authorised:
            words = f"author key {statement.author.hex()[:16]} is not authorised here"
            self._add(Code.AUTHOR_UNKNOWN, index, words)
            return
        self.signed[index] = statement.author
        revoked = self.keys.revoked.get(statement.author)
        if revoked is not None:
            self._add(Code.AUTHOR_REVOKED, index, f"the author's key was revoked in entry {revoked}")
        try:
            verify(self.keys.by_hash[statement.author], statement.message, statement.signature)
        except DataError as error:
            self._add(Code.STATEMENT_SIGNATURE, index, f"the author's signature does not stand: {error}")

    def _end_covering(self) -> None:
        """Hold what a statement covers here against the scope of its key."""
        covering, self._covering = self._covering, None
        if covering is None or covering.statement is None:
            return
        known = self.keys.authorised.get(covering.statement.author)
        if known is not None and known[1] is not None and not covering.kinds <= set(known[1]):
            beyond = ", ".join(sorted(covering.kinds - set(known[1])))
            self._add(Code.AUTHOR_SCOPE, covering.index, f"the author's key is not authorised for {beyond}")

    def _cover(self, index: int, header: Header, file: EntryFile) -> _Covering | None:
        """Hold an entry against the statement that covers it; None where there is none."""
        covering = self._covering
        statement = None if covering is None else covering.statement
        if covering is None or statement is None or index > covering.index + statement.count:
            self._add(Code.EVENT_UNCOVERED, index, "no author's statement that is here covers it")
            return None
        place = index - covering.index - 1
        if header.author != statement.author_id:
            self._add(Code.STATEMENT_AUTHOR, index, f"it names another author than statement {covering.index}")
        elif header.sequence != statement.first + place:
            words = f"it has the author's number {header.sequence} where {statement.first + place} belongs"
            self._add(Code.ENTRY_ORDER, index, words)
        if header.time != covering.time:
            self._add(Code.TIME_FLAG, index, "its receipt time is not that of the statement that covers it")
        if not _stated_by(statement, place, header, file):
            self._add(Code.STATEMENT_ROOT, index, f"it is not what the author signed in statement {covering.index}")
        return covering

    # ---- rows ----

    def _check_rows(self, index: int, header: Header, file: EntryFile, acts: list[tuple[str, int]] | None) -> None:
        if file.rows is None:
            if header.row_count and header.type == EntryType.EVENT:
                self.gone.add(index)
            elif header.row_count:
                self._add(Code.ROWS_MISSING, index, "the rows are not there, and those of no event never go")
            elif acts:
                self._add(Code.ROW_SUBJECTS, index, f"it has no row of {acts[0][0]}", acts[0][0])
            return
        salt, stored = file.rows[:SALT_SIZE], file.rows[SALT_SIZE:]
        try:
            rule_set, rows = decode_rows(stored)
            if encode_rows(rule_set, rows) != stored:
                raise DataError("the rows are not in their one spelling")
        except DataError as error:
            self._add(Code.ROWS_MALFORMED, index, str(error))
            return
        self._rules(index, rule_set, acts, rows)
        fresh = sum(row.previous is None for row in rows)
        if (header.row_count, header.rows_length, header.first_rows) != (len(rows), len(stored), fresh):
            self._add(Code.HEADER_COUNTS, index, "the header does not count the rows that are there")
        named = dict.fromkeys(row.previous for row in rows if row.previous is not None and row.previous < index)
        given = file.leaves or ()
        leaves: dict[int | None, bytes] = dict(zip(named, given, strict=False))
        hashes = row_hashes(salt, rule_set, rows, [leaves.get(row.previous) for row in rows])
        if len(given) != len(named) or row_root(hashes) != header.row_root:
            words = "rows, their salt, or the entry before that a row names were altered: the header commits to others"
            self._add(Code.ROW_ROOT, index, words)
            return
        for before, leaf in zip(named, given, strict=True):
            raw = self.view.header(before)
            if raw is not None and sha256(b"\0" + raw).digest() != leaf:
                self._add(Code.ROW_LINK, index, f"its rows were hashed over another entry than entry {before}")
        for row in rows:
            self._check_row(index, row, rule_set)
        self.rows += len(rows)

    def _rules(self, index: int, rule_set: int, acts: list[tuple[str, int]] | None, rows: tuple[Row, ...]) -> None:
        """What rows say all together: by which rules, of which subjects, which acts."""
        if rule_set < self._rule_set:
            self._add(Code.ROWS_MALFORMED, index, f"rule set {rule_set} after rule set {self._rule_set}")
        self._rule_set = rule_set
        known = rule_set in custody.TABLES
        self.unknown_rules += not known
        self._pilot = self._pilot or rule_set == custody.PILOT
        if acts is None:
            return
        if [row.subject for row in rows] != [subject for subject, _ in acts]:
            self._add(Code.ROW_SUBJECTS, index, "the rows are not those of the content's subjects")
        elif known and [row.act for row in rows] != [act for _, act in acts]:
            self._add(Code.ROW_ACT, index, "a row states another act than the content")

    def _check_row(self, index: int, row: Row, rule_set: int) -> None:
        """Hold a row against where its subject stood before, as far as that is here."""
        subject, before = row.subject, row.previous
        word = self._words.get(subject)
        latest = (word or 0) & INDEX_MASK
        if before is None or before + 1 == latest or before >= index:
            check_link(self.findings, index, row, word, rule_set)
        else:
            raw = self.view.header(before)
            if before + 1 < latest:
                words = f"the row names entry {before} as the one before, and entry {latest - 1} is behind it"
                self._add(Code.ROW_LINK, index, words, subject)
            elif raw is not None and raw[40:44] == bytes(4):
                self._add(Code.ROW_LINK, index, f"entry {before}, which the row names, has no rows", subject)
            elif raw is not None and self.view.rows(before) is not None:
                self._add(Code.ROW_LINK, index, f"entry {before}, which the row names, has no row of it", subject)
            check_alone(self.findings, index, row, None, rule_set)
        self._words[subject] = row.state << STATE_SHIFT | index + 1
        seen = self.seen.get(subject)
        if seen is not None:
            seen.rows.append((index, before, row.state))


def _stated_by(statement: Statement, place: int, header: Header, file: EntryFile) -> bool:
    """Whether the terms in an entry's file are those under its leaf of the statement, and have the entry's own."""
    terms, path = file.terms or b"", file.path or ()
    number, leaves = place // GROUP, -(-statement.count // GROUP)
    here = min(GROUP, statement.count - number * GROUP)
    if len(terms) != here * TERM_SIZE:
        return False
    own = header.content_commitment + header.record_class.to_bytes(2, "big") + bytes([header.type])
    at = place % GROUP * TERM_SIZE
    try:
        merkle.check_inclusion(sha256(b"\0" + terms).digest(), number, leaves, path, statement.root)
    except DataError:
        return False
    return terms[at : at + TERM_SIZE] == own
