"""Verification of one subject: each link of its chain, with a verdict."""

from __future__ import annotations

from hashlib import sha256

from attrs import field, frozen

from tracechain import custody, encoding, merkle
from tracechain.checkpoint import Checkpoint, VerifierKey
from tracechain.entry import (
    COVERED_TYPES,
    SALT_SIZE,
    EntryType,
    Header,
    Row,
    content_commitment,
    decode_rows,
    parse_header,
    row_hashes,
    row_root,
)
from tracechain.errors import DataError, InputError
from tracechain.event import Event
from tracechain.record import Genesis, KeyAuthorised, Record, decode_record
from tracechain.signing import PublicKey, verify
from tracechain.statement import Statement, decode_statement, statement_leaves
from tracechain.verification.findings import Code, Finding, Findings
from tracechain.verification.log import check_checkpoint
from tracechain.verification.range import check_link
from tracechain.view import Unit, View, ViewNodes, ledger_id

__all__ = ["Link", "UnitReport", "verify_unit"]

_SHIFT = 40


@frozen
class Link:
    """One entry of a subject's chain: what it says, and what is wrong with it (nothing, if `findings` is empty).

    `author` is the label and key hash of who stated it, None where the ledger did.
    """

    index: int
    header: Header | None
    content: Event | Record | None
    row: Row | None
    author: tuple[str, bytes] | None = None
    findings: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return not self.findings


@frozen
class UnitReport:
    """A subject's chain, oldest entry first. True only without findings."""

    subject: str
    unit: Unit | None
    links: tuple[Link, ...]
    findings: tuple[Finding, ...]
    checkpoint: Checkpoint | None = field(default=None)

    def __bool__(self) -> bool:
        return not self.findings


def verify_unit(view: View, subject: str, *, verifier: VerifierKey | None = None) -> UnitReport:
    """Check one subject's chain: each header's place in the signed tree, content, row, link, state, and author's
    statement.

    It costs the same in a ledger of any size. Whether the index names the subject's latest entry is the ledger's
    word; the
    whole log tells (`verify`), or a seal.
    """
    unit = view.unit(subject)
    findings = Findings()
    genesis, checkpoint = _checkpoint(findings, view, verifier)
    authors: dict[bytes, tuple[str, PublicKey]] = {}
    links: list[Link] = []
    index = None if unit is None else unit.last
    while index is not None:
        own = Findings()
        header = _header(own, view, index, checkpoint)
        row = _row(own, view, index, header, subject)
        content = _content(own, view, index, header)
        author = _author(own, view, index, header, authors, genesis)
        if content is not None and row is not None:
            _named(own, index, content, row)
        links.append(Link(index, header, content, row, author, tuple(own.items)))
        if row is None or row.previous is None or row.previous >= index:
            break
        index = row.previous
    links.reverse()
    links = _judge(links)
    if unit is not None and links and links[-1].row is not None and links[-1].row.state != unit.state:
        findings.add(Code.INDEX, unit.last, "the index has another state than the unit's latest row", subject)
    everything = [f for link in links for f in link.findings]
    return UnitReport(subject, unit, tuple(links), (*findings.items, *everything), checkpoint)


def _checkpoint(
    findings: Findings, view: View, verifier: VerifierKey | None
) -> tuple[Genesis | None, Checkpoint | None]:
    part = view.content(0)
    genesis = None
    if part is not None:
        try:
            genesis = Genesis.decode(part[SALT_SIZE:])
        except DataError as error:
            findings.add(Code.GENESIS, 0, str(error))
    if verifier is None and genesis is not None:
        verifier = VerifierKey(genesis.origin, genesis.log_key.algorithm, genesis.log_key)
    try:
        root = merkle.tree_root(ViewNodes(view), view.size)
    except DataError as error:
        findings.add(Code.ENTRY_MISSING, None, str(error))
        root = merkle.EMPTY_ROOT
    return genesis, check_checkpoint(findings, view.checkpoint, verifier, None, view.size, root)


def _header(own: Findings, view: View, index: int, checkpoint: Checkpoint | None) -> Header | None:
    raw = view.header(index)
    if raw is None:
        own.add(Code.ENTRY_MISSING, index, "the entry's header is not there: it was deleted")
        return None
    if checkpoint is not None and index < checkpoint.size:
        try:
            proof = merkle.prove_inclusion(ViewNodes(view), index, checkpoint.size)
            merkle.check_inclusion(sha256(b"\0" + raw).digest(), index, checkpoint.size, proof, checkpoint.root)
        except DataError as error:
            own.add(Code.TREE_ROOT, index, f"the entry is not the one that was signed: {error}")
    try:
        return parse_header(raw)
    except DataError as error:
        own.add(Code.HEADER_MALFORMED, index, str(error))
        return None


def _row(own: Findings, view: View, index: int, header: Header | None, subject: str) -> Row | None:
    part = view.rows(index)
    if part is None:
        own.add(Code.ROWS_MISSING, index, "the rows are not there", subject)
        return None
    try:
        rule_set, rows = decode_rows(part[SALT_SIZE:])
    except DataError as error:
        own.add(Code.ROWS_MALFORMED, index, str(error), subject)
        return None
    leaves = []
    for row in rows:
        raw = None if row.previous is None else view.header(row.previous)
        leaves.append(None if raw is None else sha256(b"\0" + raw).digest())
    if header is not None and row_root(row_hashes(part[:SALT_SIZE], rule_set, rows, leaves)) != header.row_root:
        own.add(Code.ROW_ROOT, index, "rows, their salt, or the entry before were altered", subject)
    found = next((row for row in rows if row.subject == subject), None)
    if found is None:
        own.add(Code.ROW_SUBJECTS, index, "the entry has no row of it", subject)
    return found


def _content(own: Findings, view: View, index: int, header: Header | None) -> Event | Record | None:
    part = view.content(index)
    if part is None:
        own.add(Code.CONTENT_MISSING, index, "the content is not there, and no record says that it was pruned")
        return None
    salt, content = part[:SALT_SIZE], part[SALT_SIZE:]
    if header is not None and content_commitment(salt, content) != header.content_commitment:
        own.add(Code.CONTENT_COMMITMENT, index, "content or its salt was altered: the header commits to another")
    try:
        if header is None or header.type == EntryType.EVENT:
            return encoding.decode(content)
        return decode_record(content) if header.type == EntryType.RECORD else None
    except (DataError, InputError) as error:
        own.add(Code.CONTENT_MALFORMED, index, str(error))
        return None


def _named(own: Findings, index: int, content: Event | Record, row: Row) -> None:
    """Hold the row's act against what the content says of the subject."""
    if isinstance(content, Record):
        acts = {} if content.subject is None else {content.subject: int(custody.Act.NOTE)}
    else:
        acts = {subject: int(act) for subject, act in custody.acts(content)}
    if row.subject not in acts:
        own.add(Code.ROW_SUBJECTS, index, "the content does not name it", row.subject)
    elif acts[row.subject] != row.act:
        own.add(Code.ROW_ACT, index, f"the row has act {row.act}, the content says {acts[row.subject]}", row.subject)


def _author(
    own: Findings,
    view: View,
    index: int,
    header: Header | None,
    known: dict[bytes, tuple[str, PublicKey]],
    genesis: Genesis | None,
) -> tuple[str, bytes] | None:
    """Check the statement that covers an entry, and say who made it."""
    if header is None or header.type not in COVERED_TYPES:
        return None
    at = _statement_index(view, index, header)
    part = None if at is None else view.content(at)
    if at is None or part is None:
        own.add(Code.EVENT_UNCOVERED, index, "no author's statement covers it")
        return None
    try:
        statement = decode_statement(part[SALT_SIZE:])
        if statement.author not in known:
            known[statement.author] = _key(view, statement)
        label, key = known[statement.author]
        verify(key, statement.message, statement.signature)
    except DataError as error:
        own.add(Code.STATEMENT_SIGNATURE, index, f"statement {at}: {error}")
        return None
    if genesis is not None and statement.ledger_id != ledger_id(view):
        own.add(Code.STATEMENT_LEDGER, index, f"statement {at} was made for another ledger")
    headers = [raw for _, raw in view.headers(at + 1, at + 1 + statement.count)]
    leaves = statement_leaves(
        [h[64:96] for h in headers], [int.from_bytes(h[16:18], "big") for h in headers], [h[4] for h in headers]
    )
    if merkle.root(leaves) != statement.root:
        own.add(Code.STATEMENT_ROOT, index, f"the entries under statement {at} are not those that the author signed")
    return label, statement.author


def _statement_index(view: View, index: int, header: Header) -> int | None:
    """The statement before an entry: as many entries back as the author's numbers say, so no search."""
    at = index - 1
    step = 1
    while at >= 0:
        raw = view.header(at)
        if raw is None or raw[24:32] != header.author:
            return None
        if raw[4] == EntryType.STATEMENT:
            return at
        first = int.from_bytes(raw[32:40], "big")
        if first + (index - at) != header.sequence:
            return None
        step = min(step * 2, 1 << 16)
        # Gallop back while the author's numbers run on, then go on one by one.
        ahead = view.header(at - step) if at - step >= 0 else None
        runs_on = (
            ahead is not None
            and ahead[4] in COVERED_TYPES
            and ahead[24:32] == header.author
            and int.from_bytes(ahead[32:40], "big") + (index - at + step) == header.sequence
        )
        if runs_on:
            at -= step
        else:
            step = 1
            at -= 1
    return None


def _key(view: View, statement: Statement) -> tuple[str, PublicKey]:
    """Label and key of an author, by the chain of the key itself."""
    from tracechain.record import key_subject

    unit = view.unit(key_subject(statement.author))
    index = None if unit is None else unit.last
    while index is not None:
        header, part, rows = view.header(index), view.content(index), view.rows(index)
        if header is None or part is None or rows is None:
            break
        if header[4] == EntryType.KEY_AUTHORISED:
            record = KeyAuthorised.decode(part[SALT_SIZE:])
            if record.key.hash == statement.author:
                return record.label, record.key
            break
        index = decode_rows(rows[SALT_SIZE:])[1][0].previous
    raise DataError(f"author key {statement.author.hex()[:16]} is not authorised in this log")


def _judge(links: list[Link]) -> list[Link]:
    """Hold each row against the link before it."""
    from attrs import evolve

    judged: list[Link] = []
    word: int | None = None
    for link in links:
        own = Findings()
        if link.row is not None:
            check_link(own, link.index, link.row, word, known=True)
            word = link.row.state << _SHIFT | link.index + 1
        judged.append(evolve(link, findings=(*link.findings, *own.items)) if own.items else link)
    return judged
