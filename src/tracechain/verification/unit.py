"""Verification of one subject: each link of its chain, with a verdict.

Nothing is taken from the ledger that is not held against the signed tree: a header has to be in it, a part has to be
what a header in it commits to, and that goes for the statement and the key record which a link rests on as well. Two
things are the index's word, which only the whole log (`verify`) can tell: which entry is the subject's latest one, and
which is the latest about an author's key.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from attrs import define, evolve, field, frozen

from tracechain import custody, encoding, merkle, record
from tracechain.checkpoint import Checkpoint, VerifierKey, parse_checkpoint, parse_note
from tracechain.derivation import STATE_SHIFT
from tracechain.entry import (
    COVERED_TYPES,
    OPEN_DAY,
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
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.event import Event
from tracechain.record import Genesis, KeyAuthorised, KeyRevoked, Record, decode_record, epoch_of, origin_of
from tracechain.retention.dates import format_day, shanghai_day
from tracechain.retention.prunings import Pruning, prunings
from tracechain.retention.ranges import contains
from tracechain.retention.records import CONTENT, ROWS
from tracechain.signing import verify
from tracechain.statement import Statement, decode_statement, statement_leaves
from tracechain.verification.findings import NO_KEY, RULES, UNWITNESSED, Code, Finding, Findings
from tracechain.verification.links import check_alone, check_link
from tracechain.verification.log import check_checkpoint
from tracechain.verification.lost import rows_lost
from tracechain.view import Unit, View, ViewNodes

__all__ = ["Link", "UnitReport", "check_signed", "verify_unit"]

_EVENT = "event"
PRUNED = "contents were pruned: that each was due, announced and not under hold, the whole log tells"


@frozen
class Link:
    """One entry of a subject's chain: what it says, and what is wrong with it (nothing, if `findings` is empty).

    `author` is the label and key hash of who stated it, None where the ledger did or where that does not stand.
    """

    index: int
    header: Header | None
    content: Event | Record | None
    row: Row | None
    author: tuple[str, bytes] | None = None
    findings: tuple[Finding, ...] = ()
    #: The version of the rules that gave the row its state.
    rule_set: int = custody.PLAIN
    #: The record that says that the content was pruned, if one does.
    pruned: int | None = None

    def __bool__(self) -> bool:
        return not self.findings


@frozen
class UnitReport:
    """A subject's chain, oldest entry first. True only without findings; `notes` say what was not checked.

    `unit` is None for a subject that the index does not know: then nothing was checked of it, and `links` is empty.
    """

    subject: str
    unit: Unit | None
    links: tuple[Link, ...]
    findings: tuple[Finding, ...]
    checkpoint: Checkpoint | None = field(default=None)
    notes: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return not self.findings


def verify_unit(view: View, subject: str, *, verifier: VerifierKey | None = None) -> UnitReport:
    """Check one subject's chain: each header's place in the signed tree, content, row, link, state, author's statement.

    It costs the same in a ledger of any size. Whether the index names the subject's latest entry is the ledger's word;
    the whole log tells (`verify`), or a seal.
    """
    notes = [*([NO_KEY] if verifier is None else []), UNWITNESSED]
    unit = view.unit(subject)
    findings = Findings()
    check = _LinkCheck.begin(findings, view, verifier)
    links: list[Link] = []
    index = None if unit is None else unit.last
    end: int | None = None  # where it ends because older rows are gone
    while index is not None:
        link = check.link(index, subject)
        links.append(link)
        if link.row is None or link.row.previous is None or link.row.previous >= index:
            break
        index = link.row.previous
        if rows_lost(view, index) and check.pruned(index, ROWS) is not None:
            end = index
            break
    links = _judge(links[::-1], cut=end is not None)
    if end is not None:
        notes.append(
            f"what came before entry {links[0].index} is not known any more: the rows of entry {end}, which it follows,"
            " were pruned"
        )
    if any(link.pruned is not None for link in links):
        notes.append(PRUNED)
    if unit is None:
        notes.append("the ledger's index does not know it; that no entry names it is shown by the whole log only")
    elif links and links[-1].row is not None and links[-1].row.state != unit.state:
        findings.add(Code.INDEX, unit.last, "the index has another state than the unit's latest row", subject)
    unknown = sum(link.rule_set not in custody.TABLES for link in links)
    if unknown:
        notes.append(f"{unknown} entries follow rules that this version does not know: their states were not checked")
    if any(link.rule_set == custody.PILOT for link in links):
        notes.append(RULES)
    everything = [f for link in links for f in link.findings]
    return UnitReport(subject, unit, tuple(links), (*findings.items, *everything), check.checkpoint, tuple(notes))


def check_signed(
    findings: Findings, view: View, verifier: VerifierKey | None
) -> tuple[Genesis | None, Checkpoint | None]:
    """The genesis record and the checkpoint of a view, held against each other, the key and the tree; None for what
    cannot be read. Without a verifier the key is the one that the log names itself."""
    part = view.content(0)
    genesis = None
    try:
        genesis = Genesis.decode(b"" if part is None else part[SALT_SIZE:])
        if verifier is None:
            verifier = VerifierKey(genesis.origin, genesis.log_key.algorithm, genesis.log_key)
        elif (verifier.name, verifier.key) != (genesis.origin, genesis.log_key):
            findings.add(Code.GENESIS, 0, f"the log names another key or origin than {verifier.name}")
    except DataError as error:
        findings.add(Code.GENESIS, 0, str(error))
    try:
        root = merkle.tree_root(ViewNodes(view), view.size)
    except DataError as error:
        findings.add(Code.ENTRY_MISSING, None, str(error))
        root = merkle.EMPTY_ROOT
    return genesis, check_checkpoint(findings, view.checkpoint, verifier, _origin(view, genesis), view.size, root)


@define
class _Author:
    """What the chain of a key says of it; indices are those of its entries."""

    record: KeyAuthorised
    authorised: int
    revoked: int | None


@define
class _LinkCheck:
    """Checks entries; remembers statements and authors, which many links share."""

    view: View
    genesis: Genesis | None
    checkpoint: Checkpoint | None
    _statements: dict[int, tuple[Statement | None, tuple[tuple[Code, str], ...]]] = field(factory=dict)
    _authors: dict[bytes, _Author] = field(factory=dict)
    _prunings: tuple[Pruning, ...] | None = None
    #: Whether the records of a pruning stand in the tree, by where it was announced.
    _announced: dict[int, bool] = field(factory=dict)

    @classmethod
    def begin(cls, findings: Findings, view: View, verifier: VerifierKey | None) -> _LinkCheck:
        """Check the signed note and the genesis record, on which all else rests."""
        check = cls(view, *check_signed(findings, view, verifier))
        for code, words in check.entry(0, EntryType.GENESIS)[1]:
            findings.add(code, 0, words)
        return check

    # ---- entries and their parts ----

    def header(self, index: int) -> tuple[Header | None, list[tuple[Code, str]]]:
        """A header, and what is wrong with it."""
        raw = self.view.header(index)
        if raw is None:
            return None, [(Code.ENTRY_MISSING, "the entry's header is not there: it was deleted")]
        wrong: list[tuple[Code, str]] = []
        if self.checkpoint is not None and index >= self.checkpoint.size:
            wrong.append((Code.TAIL_SURPLUS, f"it lies past the {self.checkpoint.size} entries that were signed"))
        elif self.checkpoint is not None:
            size, root = self.checkpoint.size, self.checkpoint.root
            try:
                proof = merkle.prove_inclusion(ViewNodes(self.view), index, size)
                merkle.check_inclusion(sha256(b"\0" + raw).digest(), index, size, proof, root)
            except DataError as error:
                wrong.append((Code.TREE_ROOT, f"the entry is not the one that was signed: {error}"))
        try:
            return parse_header(raw), wrong
        except DataError as error:
            return None, [*wrong, (Code.HEADER_MALFORMED, str(error))]

    def content(self, index: int, header: Header | None) -> tuple[bytes | None, list[tuple[Code, str]]]:
        """A content, and what is wrong with it."""
        part = self.view.content(index)
        if part is None:
            if header is not None and header.type == EntryType.EVENT and self.pruned(index, CONTENT) is not None:
                return None, self._early(index, header)
            return None, [(Code.CONTENT_MISSING, "the content is not there, and no record says that it was pruned")]
        salt, content = part[:SALT_SIZE], part[SALT_SIZE:]
        if header is not None and content_commitment(salt, content) != header.content_commitment:
            words = "content or its salt was altered: the header commits to another"
            return content, [(Code.CONTENT_COMMITMENT, words)]
        if header is not None and header.content_length != len(content):
            words = f"{len(content)} bytes of content, the header says {header.content_length}"
            return content, [(Code.HEADER_COUNTS, words)]
        return content, []

    def pruned(self, index: int, what: int) -> int | None:
        """The record that says that a part of an event went, if it stands in the signed tree, as does what announced
        it. Whether it went lawfully, the whole log tells."""
        if self._prunings is None:
            try:
                self._prunings = prunings(self.view)
            except DataError:
                self._prunings = ()
        for one in self._prunings:
            if one.done_at is not None and contains(one.contents if what == CONTENT else one.rows, index):
                if one.announced not in self._announced:
                    parts = (*range(one.announced, one.announced_last + 1), one.done_at)
                    self._announced[one.announced] = not any(self.entry(at, EntryType.RECORD)[1] for at in parts)
                if self._announced[one.announced]:
                    return one.done_at
        return None

    def _early(self, index: int, header: Header) -> list[tuple[Code, str]]:
        """Whether a content went before the day that its header names was over."""
        done = self.pruned(index, CONTENT)
        gone = parse_header((None if done is None else self.view.header(done)) or b"")
        if header.keep_until == OPEN_DAY or shanghai_day(gone.time) > header.keep_until:
            return []
        words = f"gone on {format_day(shanghai_day(gone.time))}, and its header keeps it until"
        return [(Code.PRUNE_EARLY, f"{words} {format_day(header.keep_until)}")]

    def entry(self, index: int, kind: EntryType) -> tuple[bytes | None, list[tuple[Code, str]]]:
        """The content of an entry that a link rests on, and what is wrong with the entry."""
        header, wrong = self.header(index)
        content, more = self.content(index, header)
        if header is not None and header.type != kind:
            more.append((Code.HEADER_MALFORMED, f"entry {index} is not of the type {kind.name.lower()}"))
        return content, [*wrong, *more]

    # ---- one link ----

    def link(self, index: int, subject: str) -> Link:
        """Check one entry of a subject."""
        own = Findings()
        header, wrong = self.header(index)
        content, more = self.content(index, header)
        for code, words in (*wrong, *more):
            own.add(code, index, words)
        rule_set, row = self._row(own, index, header, subject)
        stated = self._stated(own, index, header, content, rule_set)
        if stated is not None and row is not None:
            _check_named(own, index, stated[1], row, known=rule_set in custody.TABLES)
        author = self._author(own, index, header, None if stated is None else stated[0])
        what = stated[0] if stated is not None and isinstance(stated[0], Event | Record) else None
        gone = header is not None and header.type == EntryType.EVENT and self.view.content(index) is None
        pruned = self.pruned(index, CONTENT) if gone else None
        return Link(index, header, what, row, author, tuple(own.items), rule_set, pruned)

    def _row(self, own: Findings, index: int, header: Header | None, subject: str) -> tuple[int, Row | None]:
        part = self.view.rows(index)
        if part is None:
            own.add(Code.ROWS_MISSING, index, "the rows are not there", subject)
            return custody.PLAIN, None
        try:
            rule_set, rows = decode_rows(part[SALT_SIZE:])
            if encode_rows(rule_set, rows) != part[SALT_SIZE:]:
                raise DataError("the rows are not in their one spelling")
        except DataError as error:
            own.add(Code.ROWS_MALFORMED, index, str(error), subject)
            return custody.PLAIN, None
        raws = [None if r.previous is None or r.previous >= index else self.view.header(r.previous) for r in rows]
        leaves = [None if raw is None else sha256(b"\0" + raw).digest() for raw in raws]
        if header is not None:
            if row_root(row_hashes(part[:SALT_SIZE], rule_set, rows, leaves)) != header.row_root:
                own.add(Code.ROW_ROOT, index, "rows, their salt, or the entry before were altered", subject)
            fresh = sum(row.previous is None for row in rows)
            if (header.row_count, header.rows_length, header.first_rows) != (len(rows), len(part) - SALT_SIZE, fresh):
                own.add(Code.HEADER_COUNTS, index, "the header does not count the rows that are there")
        found = next((row for row in rows if row.subject == subject), None)
        if found is None:
            own.add(Code.ROW_SUBJECTS, index, "the entry has no row of it", subject)
        return rule_set, found

    def _stated(
        self, own: Findings, index: int, header: Header | None, content: bytes | None, rule_set: int = custody.PLAIN
    ) -> tuple[Event | Record | KeyAuthorised | KeyRevoked, dict[str, int]] | None:
        """What an entry says, and its subjects with their acts."""
        if header is None or content is None:
            return None
        try:
            match header.type:
                case EntryType.EVENT:
                    event = encoding.decode(content)
                    rules = rule_set if rule_set in custody.TABLES else custody.PLAIN
                    return event, {subject: int(act) for subject, act in custody.acts(event, rules)}
                case EntryType.RECORD:
                    note = decode_record(content)
                    return note, {} if note.subject is None else {note.subject: int(custody.Act.NOTE)}
                case EntryType.KEY_AUTHORISED:
                    authorised = KeyAuthorised.decode(content)
                    return authorised, {record.key_subject(authorised.key.hash): int(custody.Act.SEE)}
                case EntryType.KEY_REVOKED:
                    revoked = KeyRevoked.decode(content)
                    return revoked, {record.key_subject(revoked.key_hash): int(custody.Act.END)}
        except (DataError, InputError) as error:
            own.add(Code.CONTENT_MALFORMED, index, str(error))
            return None
        own.add(Code.ROW_SUBJECTS, index, f"an entry of type {int(header.type)} names no subject")
        return None

    # ---- who stated it ----

    def _author(self, own: Findings, index: int, header: Header | None, content: object) -> tuple[str, bytes] | None:
        """Check an entry that the ledger made by its root's signature, any other by the statement that covers it."""
        if header is None:
            return None
        if header.type not in COVERED_TYPES:
            if isinstance(content, KeyAuthorised | KeyRevoked):
                for code, words in self._root_signed(content):
                    own.add(code, index, words)
            return None
        at = _statement_index(self.view, index)
        statement, wrong = (None, ()) if at is None else self._statement(at)
        for code, words in wrong:
            own.add(code, index, f"statement {at}: {words}")
        if at is None or statement is None:
            if not wrong:
                own.add(Code.EVENT_UNCOVERED, index, "no author's statement covers it")
            return None
        if index > at + statement.count:
            own.add(Code.EVENT_UNCOVERED, index, f"statement {at} does not reach it")
            return None
        if header.author != statement.author_id or header.sequence != statement.first + index - at - 1:
            own.add(Code.STATEMENT_AUTHOR, index, f"it names another author or number than statement {at}")
        author = self._authors.get(statement.author)
        if author is None or wrong:
            return None
        kind = content.kind if isinstance(content, Record) else _EVENT
        if author.record.scope is not None and kind not in author.record.scope:
            own.add(Code.AUTHOR_SCOPE, index, f"the author's key is not authorised for {kind}")
        return author.record.label, statement.author

    def _statement(self, at: int) -> tuple[Statement | None, tuple[tuple[Code, str], ...]]:
        """The statement at an index, and what is wrong with it or its author; it is checked once."""
        if at not in self._statements:
            wrong: list[tuple[Code, str]] = []
            self._statements[at] = self._checked_statement(at, wrong), tuple(wrong)
        return self._statements[at]

    def _checked_statement(self, at: int, wrong: list[tuple[Code, str]]) -> Statement | None:
        content, found = self.entry(at, EntryType.STATEMENT)
        wrong += found
        if content is None:
            return None
        try:
            statement = decode_statement(content)
        except DataError as error:
            wrong.append((Code.STATEMENT_MALFORMED, str(error)))
            return None
        if statement.ledger_id != sha256(b"\0" + (self.view.header(0) or b"")).digest():
            wrong.append((Code.STATEMENT_LEDGER, "it was made for another ledger"))
        raws = [raw for _, raw in self.view.headers(at + 1, at + 1 + statement.count)]
        leaves = statement_leaves(
            [h[64:96] for h in raws],
            [int.from_bytes(h[16:18], "big") for h in raws],
            [int.from_bytes(h[4:5]) for h in raws],
        )
        if len(raws) != statement.count or merkle.root(leaves) != statement.root:
            wrong.append((Code.STATEMENT_ROOT, "the entries under it are not those that the author signed"))
        name = f"author key {statement.author.hex()[:16]}"
        author = self._key(statement.author, wrong)
        if author is None or author.authorised > at:
            wrong.append((Code.AUTHOR_UNKNOWN, f"{name} is not authorised here"))
        elif author.revoked is not None and author.revoked < at:
            wrong.append((Code.AUTHOR_REVOKED, f"{name} was revoked in entry {author.revoked}"))
        if author is not None:
            self._authors[statement.author] = author
            try:
                verify(author.record.key, statement.message, statement.signature)
            except DataError as error:
                wrong.append((Code.STATEMENT_SIGNATURE, f"the author's signature does not stand: {error}"))
        return statement

    def _key(self, key_hash: bytes, wrong: list[tuple[Code, str]]) -> _Author | None:
        """An author's key, by its own chain, which goes back from its revocation to the record that let it in."""
        subject = record.key_subject(key_hash)
        unit = self.view.unit(subject)
        index = None if unit is None else unit.last
        revoked: int | None = None
        while index is not None:
            own = Findings()
            header, found = self.header(index)
            content, more = self.content(index, header)
            wrong += found + more
            stated = self._stated(own, index, header, content)
            wrong += [(f.code, f"entry {index}: {f.detail}") for f in own.items]
            match None if stated is None else stated[0]:
                case KeyAuthorised() as authorised if authorised.key.hash == key_hash:
                    wrong += self._root_signed(authorised)
                    return _Author(authorised, index, revoked)
                case KeyRevoked() as out if out.key_hash == key_hash:
                    if not self._root_signed(out):
                        revoked = index
                case None:
                    return None
            linked = Findings()
            row = self._row(linked, index, header, subject)[1]
            wrong += [(f.code, f"entry {index}: {f.detail}") for f in linked.items]
            index = None if row is None or row.previous is None or row.previous >= index else row.previous
        return None

    def _root_signed(self, about: KeyAuthorised | KeyRevoked) -> list[tuple[Code, str]]:
        if self.genesis is None:
            return []
        ledger_id = sha256(b"\0" + (self.view.header(0) or b"")).digest()
        try:
            if isinstance(about, KeyAuthorised):
                record.check_authorised(ledger_id, about, self.genesis.roots)
            else:
                record.check_revoked(ledger_id, about, self.genesis.roots)
        except DataError as error:
            return [(Code.KEY_RECORD, str(error))]
        return []


def _origin(view: View, genesis: Genesis | None) -> str | None:
    """What the checkpoint's origin has to be, in the epoch that it names: which that is, only the whole log tells."""
    try:
        epoch = epoch_of(parse_checkpoint(parse_note(view.checkpoint).text).origin)
    except CheckpointError:
        return None
    return None if genesis is None else origin_of(genesis, epoch)


def _check_named(own: Findings, index: int, acts: dict[str, int], row: Row, *, known: bool) -> None:
    """Hold the row's act against what the content says of the subject."""
    if row.subject not in acts:
        own.add(Code.ROW_SUBJECTS, index, "the content does not name it", row.subject)
    elif known and acts[row.subject] != row.act:
        own.add(Code.ROW_ACT, index, f"the row has act {row.act}, the content says {acts[row.subject]}", row.subject)


def _statement_index(view: View, index: int) -> int | None:
    """The statement before an entry, None if other things come first. Reads no more than the statement covers."""
    for at in range(index - 1, -1, -1):
        kind = (view.header(at) or b"")[4:5]
        if kind == bytes([EntryType.STATEMENT]):
            return at
        if int.from_bytes(kind) not in COVERED_TYPES:
            return None
    return None


def _judge(links: Iterable[Link], *, cut: bool) -> list[Link]:
    """Hold each row against the link before it. `cut`: what is before the first one was pruned."""
    judged: list[Link] = []
    word: int | None = None
    for link in links:
        own = Findings()
        if link.row is not None:
            check = check_alone if cut and word is None else check_link
            check(own, link.index, link.row, word, link.rule_set)
            word = link.row.state << STATE_SHIFT | link.index + 1
        judged.append(evolve(link, findings=(*link.findings, *own.items)) if own.items else link)
    return judged
