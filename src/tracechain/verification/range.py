"""Verification of a range of entries: headers, contents, rows, links, statements, tree.

One pass in chunks. The usual entry, one event of one unit, goes through straight lines that compute what its rows
must be
and compare bytes; whatever differs is looked at again, slowly, by `_explain_*`, which find the words for it.
What only the whole log can tell (authors' numbers, keys, epochs) is collected for `verification.log`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from hashlib import sha256

from attrs import define, field

from tracechain import custody, encoding, merkle
from tracechain.custody import Act
from tracechain.entry import (
    CONTENT_TAG,
    COVERED_TYPES,
    FLAG_CLAMPED,
    NO_POLICY,
    ROW_TAG,
    SALT_SIZE,
    ZERO,
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
from tracechain.record import ClockRecord, Genesis, KeyAuthorised, KeyRevoked, decode_record, key_subject
from tracechain.signing import PublicKey, verify
from tracechain.statement import Statement, decode_statement, term_leaves
from tracechain.verification.findings import Code, Findings
from tracechain.view import View

__all__ = ["Covering", "RangeCheck", "RangeResult", "Said"]

_CHUNK = 2048
_SHIFT = 40
_MASK = (1 << _SHIFT) - 1
_COUNTS = struct.Struct(">QIIIIQ")
_COVERED = frozenset(int(t) for t in COVERED_TYPES)
_SHAPES_MOST = 4096
# How a row ends, by state before and act: (state after, its bytes and those of the violations).
_ENDINGS = {
    before: (state, encoding.pack(state) + encoding.pack(codes or None))
    for before, (state, codes) in custody.TABLE.items()
}
_ACTIONS = [encoding.pack(int(act)) for act in Act]

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
    first_rows: int = 0
    statements: list[Said] = field(factory=list)
    #: Entries of types 1 and 5 to 9, and settling records: (index, type, content).
    own: list[tuple[int, int, bytes]] = field(factory=list)
    #: Complete subtrees that cover the range, from left to right.
    subtrees: list[merkle.Node] = field(factory=list)
    first_time: int | None = None
    last_time: int = 0
    unknown_rules: int = 0


class RangeCheck:
    """Checks entries `start` to `stop - 1`.

    `last` maps each subject to its word as of the entries before; it is updated. With `entering`, subjects that are
    not in
    `last` may have a past before the range: their first rows here are collected in it (subject -> (index, row)) and
    are checked by the caller.
    """

    def __init__(
        self,
        view: View,
        start: int,
        stop: int,
        *,
        last: dict[str, Word],
        keys: dict[bytes, PublicKey],
        findings: Findings,
        entering: dict[str, tuple[int, Row]] | None = None,
        genesis: Genesis | None = None,
        ledger_id: bytes = b"",
    ) -> None:
        self.view = view
        self.start = start
        self.stop = stop
        self.last = last
        self.keys = keys
        self.findings = findings
        self.entering = entering
        self.genesis = genesis
        self.ledger_id = ledger_id
        self.result = RangeResult()
        self._leaves: list[bytes] = []
        self._covering: Covering | None = None
        self._shapes: dict[bytes, tuple[str, int, dict[bytes, bytes], bytes]] = {}
        self._edges: list[int] = []
        self._rule_set = 0
        self._time = 0
        if start:
            before = view.header(start - 1)
            self._time = int.from_bytes(before[8:16], "big") if before is not None else 0

    def run(self, progress: Callable[[int], None] | None = None) -> RangeResult:
        """Check the range; findings are in `findings`, the rest in the result."""
        for at in range(self.start, self.stop, _CHUNK):
            end = min(at + _CHUNK, self.stop)
            self._chunk(at, end)
            if progress is not None:
                progress(end - at)
        if self._covering is not None:
            self._end_covering(self.stop)
        self.result.subtrees = _cover(self.start, self._leaves, self._check_node)
        self.result.entries = self.stop - self.start
        self.result.last_time = self._time
        return self.result

    # ---- the pass ----

    def _chunk(self, at: int, end: int) -> None:
        headers, contents, all_rows = self.view.block(at, end)
        leaves, start = self._leaves, self.start
        last, entering = self.last, self.entering
        shapes, edges = self._shapes, self._edges
        numbers, pack = _COUNTS.pack, encoding.pack
        actions, endings = _ACTIONS, _ENDINGS
        result = self.result
        for index, header, part, rows in zip(range(at, end), headers, contents, all_rows, strict=True):
            covering = self._covering
            if header is None:
                self._missing(index)
                continue
            leaf = sha256(b"\0" + header).digest()
            leaves.append(leaf)
            if covering is None or header[:32] != covering.head or part is None or rows is None:
                self._slow(index, header, part, rows)
                continue
            # The head is that of the entry before: type, time, class and author are right. Is the content one that
            # was seen before, but for time and serial? Then everything in it is valid and it need not be decoded.
            for edge in edges:
                shape = shapes.get(part[43:edge])
                if shape is not None:
                    break
            else:
                self._slow(index, header, part, rows)
                continue
            prefix, act, tails, row_head = shape
            after = edge + part[edge] - 0x9F
            suffix = part[edge + 1 : after]
            if (
                not 0xA0 < part[edge] < 0xC0
                or part[32:35] != tails.get(part[after:])
                or not suffix.isalnum()
                or not b"\0\0\0\1" <= part[35:39] < b"\x80"
            ):
                self._slow(index, header, part, rows)
                continue
            serial = suffix.decode()
            subject = prefix + serial
            word = last.get(subject)
            claim = None
            if word is None:
                if entering is None:
                    previous, ending = 0, endings[0, act]
                else:
                    claim = _claim(rows, prefix, serial, act)
                    if claim is None or claim[0] > start:
                        self._slow(index, header, part, rows)
                        continue
                    previous, ending = claim[0], (claim[1], pack(claim[1]) + pack(claim[2] or None))
            else:
                previous, ending = word & _MASK, endings[word >> _SHIFT, act]
            if not previous:
                previous_leaf = ZERO
            else:
                previous_leaf = leaves[previous - 1 - start] if previous > start else self._leaf(previous - 1)
            row = row_head + part[edge:after] + actions[act] + pack(previous) + ending[1]
            # One hash a part, and one comparison a part: this line is what the time goes into.
            expected = (
                numbers(covering.sequence, 1, len(part) - SALT_SIZE, len(row), not previous, NO_POLICY)
                + sha256(CONTENT_TAG + part).digest()
                + sha256(ROW_TAG + rows[:SALT_SIZE] + previous_leaf + row).digest()
            )
            if expected != header[32:] or rows[SALT_SIZE:] != row or not covering.left:
                self._slow(index, header, part, rows)
                continue
            if claim is not None and entering is not None:
                entering[subject] = (index, Row(subject, act, previous - 1 if previous else None, *claim[1:]))
            last[subject] = ending[0] << _SHIFT | index + 1
            result.first_rows += not previous
            covering.terms.append(header[64:96] + covering.tail)
            covering.sequence += 1
            covering.left -= 1
            result.rows += 1
            if not covering.left:
                self._end_covering(index + 1)

    def _leaf(self, index: int) -> bytes:
        """The leaf of an earlier entry, from its header."""
        if index >= self.start:
            return self._leaves[index - self.start]
        header = self.view.header(index)
        return ZERO if header is None else sha256(b"\0" + header).digest()

    def _missing(self, index: int) -> None:
        self.findings.add(Code.ENTRY_MISSING, index, "the entry's header is not there: it was deleted")
        self._leaves.append(ZERO)
        if self._covering is not None:
            self._covering.broken = True
            self._covering.sequence += 1
            self._covering.left -= 1
            if self._covering.left <= 0:
                self._end_covering(index + 1)

    # ---- one entry, carefully ----

    def _slow(self, index: int, raw: bytes, part: bytes | None, rows: bytes | None) -> None:
        add = self.findings.add
        try:
            header = parse_header(raw)
        except DataError as error:
            add(Code.HEADER_MALFORMED, index, str(error))
            self._skip_covered(index)
            return
        content = self._content(index, header, part)
        self._check_time(index, header, content)
        covered = header.type in COVERED_TYPES
        if covered:
            self._check_covered(index, raw, header)
        elif self._covering is not None:
            self._end_covering(index)
        acts, kind = self._acts(index, header, content)
        if covered and kind is not None and self._covering is not None:
            self._covering.kinds.add(kind)
        self._check_rows(index, header, rows, acts)
        if header.type == EntryType.STATEMENT:
            self._begin_covering(index, header, content)
        elif (not covered and content is not None) or (
            kind is not None and kind.endswith("-settled") and content is not None
        ):
            self.result.own.append((index, int(header.type), content))
        if covered and self._covering is not None and self._covering.left <= 0:
            self._end_covering(index + 1)

    def _content(self, index: int, header: Header, part: bytes | None) -> bytes | None:
        """The content if it is there and is what the header commits to."""
        add = self.findings.add
        if part is None:
            add(Code.CONTENT_MISSING, index, "the content is not there, and no record says that it was pruned")
            return None
        salt, content = part[:SALT_SIZE], part[SALT_SIZE:]
        if len(content) != header.content_length:
            add(Code.HEADER_COUNTS, index, f"{len(content)} bytes of content, the header says {header.content_length}")
        if content_commitment(salt, content) != header.content_commitment:
            add(Code.CONTENT_COMMITMENT, index, "content or its salt was altered: the header commits to another")
            return None
        return content

    def _check_time(self, index: int, header: Header, content: bytes | None) -> None:
        add = self.findings.add
        if self.result.first_time is None:
            self.result.first_time = header.time
        if header.flags & FLAG_CLAMPED and (index == 0 or header.time != self._time):
            add(Code.TIME_FLAG, index, "marked as clamped, but its receipt time is not that of the entry before")
        if index and header.time < self._time:
            add(Code.TIME_DECREASED, index, f"receipt time {header.time} is before {self._time} of the entry before")
        elif header.type == EntryType.CLOCK and content is not None:
            try:
                clock = ClockRecord.decode(content)
            except DataError as error:
                add(Code.CLOCK_RECORD, index, str(error))
            else:
                if (clock.start, clock.end) != (self._time, header.time):
                    add(Code.CLOCK_RECORD, index, "the jump it states is not the one between the entries")
        elif (
            index
            and self.genesis is not None
            and header.type not in (EntryType.CLOCK, EntryType.EPOCH)
            and header.time - self._time > self.genesis.jump_limit
        ):
            add(Code.TIME_JUMP, index, f"receipt time jumps by {header.time - self._time} ms without a clock record")
        self._time = max(self._time, header.time)

    # ---- statements ----

    def _begin_covering(self, index: int, header: Header, content: bytes | None) -> None:
        add = self.findings.add
        if content is None:
            return
        try:
            statement = decode_statement(content)
        except DataError as error:
            add(Code.STATEMENT_MALFORMED, index, str(error))
            return
        if header.author != statement.author_id or header.sequence != statement.first:
            add(Code.STATEMENT_AUTHOR, index, "the header names another author or number than the statement")
        if self.ledger_id and statement.ledger_id != self.ledger_id:
            add(
                Code.STATEMENT_LEDGER,
                index,
                f"the statement was made for ledger {statement.ledger_id.hex()[:16]}, not for this one",
            )
        key = self.keys.get(statement.author)
        if key is None:
            add(Code.AUTHOR_UNKNOWN, index, f"author key {statement.author.hex()[:16]} is not authorised in this log")
        else:
            try:
                verify(key, statement.message, statement.signature)
            except DataError as error:
                add(Code.STATEMENT_SIGNATURE, index, f"the author's signature does not stand: {error}")
        self._covering = Covering(index, statement, statement.count, statement.first, header.time)

    def _check_covered(self, index: int, raw: bytes, header: Header) -> None:
        add = self.findings.add
        covering = self._covering
        if covering is None:
            if any(
                s.author[:8] == header.author and s.first <= header.sequence < s.first + s.count
                for s in self.result.statements
            ):
                add(
                    Code.ENTRY_DUPLICATED,
                    index,
                    "no statement covers it here, and one before covers its number already",
                )
            else:
                add(Code.EVENT_UNCOVERED, index, "no author's statement covers it: it was slipped in")
            return
        statement = covering.statement
        if header.author != statement.author_id:
            add(Code.STATEMENT_AUTHOR, index, f"it names another author than statement {covering.index} that covers it")
        elif header.sequence != covering.sequence:
            if statement.first <= header.sequence < covering.sequence and raw in (
                self.view.header(i) for i in range(covering.index + 1, index)
            ):
                add(Code.ENTRY_DUPLICATED, index, "it repeats an entry before")
            else:
                add(
                    Code.ENTRY_ORDER,
                    index,
                    f"it has the author's number {header.sequence} where {covering.sequence} belongs: entries were swapped"
                    " or dropped",
                )
            covering.broken = True
        if header.time != covering.time:
            add(Code.TIME_FLAG, index, "its receipt time is not that of the statement that covers it")
        tail = header.record_class.to_bytes(2, "big") + bytes([header.type])
        covering.terms.append(header.content_commitment + tail)
        covering.head = raw[:32] if header.type == EntryType.EVENT else b""
        covering.tail = tail
        covering.sequence += 1
        covering.left -= 1

    def _skip_covered(self, index: int) -> None:
        """Step over an entry that cannot be read, within its statement."""
        if self._covering is not None:
            self._covering.broken = True
            self._covering.sequence += 1
            self._covering.left -= 1
            if self._covering.left <= 0:
                self._end_covering(index + 1)

    def _end_covering(self, index: int) -> None:
        covering = self._covering
        assert covering is not None
        self._covering = None
        statement = covering.statement
        if covering.left > 0:
            self.findings.add(
                Code.STATEMENT_COVERAGE,
                covering.index,
                f"it covers {statement.count} entries, {covering.left} of them are not there (the next entry is {index})",
            )
        elif not covering.broken and merkle.root(term_leaves(covering.terms)) != statement.root:
            self.findings.add(
                Code.STATEMENT_ROOT, covering.index, "the entries it covers are not those that the author signed"
            )
        self.result.statements.append(
            Said(
                covering.index,
                statement.author,
                statement.first,
                statement.count,
                statement.previous,
                statement.hash,
                frozenset(covering.kinds) | ({"event"} if covering.head else frozenset()),
            )
        )

    # ---- contents ----

    def _acts(
        self, index: int, header: Header, content: bytes | None
    ) -> tuple[list[tuple[str, int]] | None, str | None]:
        """(subjects with acts as the content demands, kind), None where the content cannot tell."""
        if content is None:
            return None, None
        try:
            match header.type:
                case EntryType.EVENT:
                    event = encoding.decode(content)
                    acts = [(subject, int(act)) for subject, act in custody.acts(event)]
                    self._remember_shape(content, acts)
                    return acts, "event"
                case EntryType.RECORD:
                    record = decode_record(content)
                    return ([] if record.subject is None else [(record.subject, int(Act.NOTE))]), record.kind
                case EntryType.KEY_AUTHORISED:
                    authorised = KeyAuthorised.decode(content)
                    self.keys.setdefault(authorised.key.hash, authorised.key)
                    return [(key_subject(authorised.key.hash), int(Act.SEE))], None
                case EntryType.KEY_REVOKED:
                    return [(key_subject(KeyRevoked.decode(content).key_hash), int(Act.END))], None
                case EntryType.GENESIS:
                    if self.genesis is None:
                        self.genesis = Genesis.decode(content)
                    return [], None
                case _:
                    return [], None
        except (DataError, InputError) as error:
            self.findings.add(Code.CONTENT_MALFORMED, index, str(error))
            return None, None

    def _remember_shape(self, content: bytes, acts: list[tuple[str, int]]) -> None:
        """Of an Object event of one unit: that all in it but time and serial is valid, so that the next like it need not
        be decoded. A content is then known by what stands before the serial and what stands after it.
        """
        if len(acts) != 1 or content[2] != 0xCF or not 0x90 < content[0] < 0xA0 or content[1] != 1:
            return
        prefix, slash, suffix = acts[0][0].rpartition("/")
        one = encoding.pack(((prefix := prefix + slash), (suffix,)))
        at = content.find(one, 11)
        edge = at + len(one) - len(suffix) - 1
        if at < 0 or len(suffix) > 31 or content.find(one, at + 1) >= 0 or acts[0][1] == Act.NOTE:
            return
        if len(self._shapes) >= _SHAPES_MOST:
            self._shapes.clear()
            self._edges.clear()
        row_head = b"\x92" + encoding.pack(custody.RULE_SET) + b"\x96" + encoding.pack(prefix)
        tails = self._shapes.setdefault(content[11:edge], (prefix, acts[0][1], {}, row_head))[2]
        if len(tails) < _SHAPES_MOST:
            tails[content[at + len(one) :]] = content[:3]
        if SALT_SIZE + edge not in self._edges:
            self._edges.append(SALT_SIZE + edge)

    # ---- rows ----

    def _check_rows(self, index: int, header: Header, part: bytes | None, acts: list[tuple[str, int]] | None) -> None:
        add = self.findings.add
        if part is None:
            if header.row_count:
                add(Code.ROWS_MISSING, index, "the rows are not there, and no record says that they were pruned")
            elif acts:
                add(Code.ROW_SUBJECTS, index, f"it has no row of {acts[0][0]}", acts[0][0])
            return
        salt, stored = part[:SALT_SIZE], part[SALT_SIZE:]
        try:
            rule_set, rows = decode_rows(stored)
            if encode_rows(rule_set, rows) != stored:
                raise DataError("the rows are not in their one spelling")  # noqa: TRY301  # joins what decoding finds
        except DataError as error:
            add(Code.ROWS_MALFORMED, index, str(error))
            return
        if rule_set < self._rule_set:
            add(Code.ROWS_MALFORMED, index, f"rule set {rule_set} after rule set {self._rule_set}")
        self._rule_set = rule_set
        fresh = sum(row.previous is None for row in rows)
        if (header.row_count, header.rows_length, header.first_rows) != (len(rows), len(stored), fresh):
            add(Code.HEADER_COUNTS, index, "the header does not count the rows that are there")
        if acts is not None and [row.subject for row in rows] != [subject for subject, _ in acts]:
            add(Code.ROW_SUBJECTS, index, "the rows are not those of the content's subjects")
        elif acts is not None and [row.act for row in rows] != [act for _, act in acts]:
            add(Code.ROW_ACT, index, "a row states another act than the content")
        known = rule_set == custody.RULE_SET
        self.result.unknown_rules += not known
        leaves = [None if row.previous is None or row.previous >= index else self._leaf(row.previous) for row in rows]
        if row_root(row_hashes(salt, rule_set, rows, leaves)) != header.row_root:
            add(
                Code.ROW_ROOT,
                index,
                "rows, their salt, or the entry before that a row names were altered: the header commits to others",
            )
        for row in rows:
            self._check_row(index, row, known=known)
        self.result.rows += len(rows)
        self.result.first_rows += fresh

    def _check_row(self, index: int, row: Row, *, known: bool) -> None:
        word = self.last.get(row.subject)
        if word is None and self.entering is not None:
            self.entering[row.subject] = (index, row)
        else:
            check_link(self.findings, index, row, word, known=known)
        self.last[row.subject] = row.state << _SHIFT | index + 1

    # ---- the tree ----

    def _check_node(self, height: int, index: int, value: bytes) -> None:
        stored = self.view.node(height, index)
        if stored is not None and stored != value:
            self.findings.add(
                Code.TREE_NODE,
                index << height,
                f"the stored root over the {1 << height} entries from here is not theirs: an entry or the node was altered",
            )


def _claim(rows: bytes, prefix: str, suffix: str, act: int) -> tuple[int, int, tuple[int, ...]] | None:
    """(previous, state, violations) that the only row of an entry states, None if it is not that simple."""
    try:
        match encoding.unpack_raw(rows[SALT_SIZE:]):
            case (
                custody.RULE_SET,
                (str() as head, str() as tail, int() as did, int() as previous, int() as state, codes),
            ):
                if (head, tail, did) == (prefix, suffix, act) and (codes is None or isinstance(codes, tuple)):
                    return previous, state, codes or ()
    except DataError:
        pass
    return None


def check_link(findings: Findings, index: int, row: Row, word: Word | None, *, known: bool) -> None:
    """Hold a row against where its subject stood before: `word` is that, None for a subject nobody has seen."""
    before = (word or 0) & _MASK
    if row.previous is None and before:
        findings.add(
            Code.ROW_FIRST, index, f"the row claims to be the first, entry {before - 1} was before", row.subject
        )
    elif (row.previous is None) is not (before == 0) or (row.previous is not None and row.previous + 1 != before):
        said = "none" if row.previous is None else row.previous
        was = "none" if not before else before - 1
        findings.add(Code.ROW_LINK, index, f"the row names entry {said} as the one before, it is {was}", row.subject)
    if not known:
        return
    expected = custody.TABLE.get(((word or 0) >> _SHIFT, row.act))
    if expected is None:
        findings.add(
            Code.ROW_ACT, index, f"act {row.act} is not possible in state {(word or 0) >> _SHIFT}", row.subject
        )
    elif row.state != expected[0]:
        findings.add(Code.ROW_STATE, index, f"state {row.state}, the rules give {expected[0]}", row.subject)
    elif row.violations != expected[1]:
        findings.add(
            Code.ROW_VIOLATIONS, index, f"violations {row.violations}, the rules give {expected[1]}", row.subject
        )


def _cover(start: int, leaves: list[bytes], check: Callable[[int, int, bytes], None]) -> list[merkle.Node]:
    """The complete subtrees over leaves from `start` on, left to right; each node of a stored height is checked."""
    left: list[merkle.Node] = []
    right: list[merkle.Node] = []
    level, height = list(leaves), 0
    while level:
        if height and height % merkle.NODE_STEP == 0:
            for index, value in enumerate(level, start):
                check(height, index, value)
        if start & 1:
            left.append((height, start, level.pop(0)))
            start += 1
        if len(level) & 1:
            right.append((height, start + len(level) - 1, level.pop()))
        pairs = iter(level)
        level = [sha256(b"\x01" + a + b).digest() for a, b in zip(pairs, pairs, strict=True)]
        start >>= 1
        height += 1
    return left + right[::-1]
