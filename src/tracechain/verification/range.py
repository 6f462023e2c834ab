"""Verification of a range of entries: headers, contents, rows, links, statements, tree.

One pass in chunks. The usual entry, one event of one unit, goes through straight lines that compute what its rows
must be
and compare bytes; whatever differs is looked at again, slowly, by `_explain_*`, which find the words for it.
What only the whole log can tell (authors' numbers, keys, epochs) is collected for `verification.log`.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from typing import cast

from attrs import define, evolve, field

from tracechain import custody, encoding, merkle
from tracechain.custody import Act
from tracechain.derivation import INDEX_MASK, STATE_SHIFT, derive_rows
from tracechain.entry import (
    CONTENT_TAG,
    COVERED_TYPES,
    FLAG_CLAMPED,
    MAX_CONTENT,
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
from tracechain.event.values import MAX_ID
from tracechain.record import SETTLING, ClockRecord, Genesis, KeyAuthorised, KeyRevoked, decode_record, key_subject
from tracechain.signing import PublicKey, verify
from tracechain.statement import Statement, decode_statement, term_leaves
from tracechain.verification.findings import Code, Findings
from tracechain.verification.tree import cover, node_check
from tracechain.view import View

__all__ = ["Covering", "RangeCheck", "RangeResult", "Said"]

_CHUNK = 2048
_COUNTS = struct.Struct(">QIIIIQ")
_SHAPES_MOST = 4096
# How a row ends, by state before and act: (state after, its bytes and those of the violations).
_ENDINGS = {
    before: (state, encoding.pack(state) + encoding.pack(codes or None))
    for before, (state, codes) in custody.TABLE.items()
}

# What rows can end with.
_OUTCOMES = {
    encoding.pack(state) + encoding.pack(codes or None): (state, codes) for state, codes in custody.TABLE.values()
}

#: The act of a row that collects in `entering` and whose rule set is not known here: its state is not judged.
UNKNOWN_ACT = -1

Word = int
"""State x 2^40 + index + 1: where a subject stands."""


@define
class _Shape:
    """A content of an event of one unit, but for time, serial, and what comes after the serial (`tails`, with the three
    bytes before the time)."""

    prefix: str
    act: int
    act_bytes: bytes
    row_head: bytes
    tails: dict[bytes, bytes] = field(factory=dict)


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
    #: Covered entries outside every statement: (index, author key id, author's number).
    uncovered: list[tuple[int, bytes, int]] = field(factory=list)
    #: (index, rule set) of the first rows, and the rule set of the last ones.
    first_rules: tuple[int, int] | None = None
    last_rules: int = 0
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
        self._shapes: dict[bytes, _Shape] = {}
        self._edges: list[int] = []
        self._stride = 16
        self._patience = 0
        self._retry = 1
        self._rule_set = 0
        self._time = 0
        for index in range(start - 1, -1, -1):
            with contextlib.suppress(DataError):
                self._time = parse_header(view.header(index) or b"").time
                break

    def run(self, progress: Callable[[int], None] | None = None) -> RangeResult:
        """Check the range; findings are in `findings`, the rest in the result."""
        for at in range(self.start, self.stop, _CHUNK):
            end = min(at + _CHUNK, self.stop)
            self._chunk(at, end)
            if progress is not None:
                progress(end - at)
        if self._covering is not None:
            self._end_covering(self.stop)
        self.result.subtrees = cover(self.start, self._leaves, node_check(self.view, self.findings))
        self.result.entries = self.stop - self.start
        return self.result

    # ---- the pass ----

    def _chunk(self, at: int, end: int) -> None:
        headers, contents, rows = self.view.block(at, end)
        index = at
        while index < end:
            covering = self._covering
            if covering is not None and covering.head and self._patience == 0:
                here = slice(index - at, index - at + min(covering.left, self._stride))
                try:
                    done = self._columns(index, headers[here], contents[here], rows[here])
                except (IndexError, KeyError):  # a content that was cut off, a state before that no rule knows
                    done = 0
                index += done
                self._stride = min(max(2 * done, 16), _CHUNK)
                if done:
                    self._retry = 1
                    continue
                # Something else stands here: go on one by one, and longer each time that it is of no use.
                self._retry = self._patience = min(2 * self._retry, 64)
            self._patience = max(self._patience - 1, 0)
            header = headers[index - at]
            if header is None:
                self._missing(index)
            else:
                self._leaves.append(sha256(b"\0" + header).digest())
                self._slow(index, header, contents[index - at], rows[index - at])
            index += 1

    def _columns(
        self, index: int, headers: list[bytes | None], contents: list[bytes | None], rows: list[bytes | None]
    ) -> int:
        """Check neighbouring events of one unit each under one statement, column by column; returns how many stood.

        The usual case, and the one that has to be quick: contents that were seen before but for time and serial need
        not be decoded, and what the rest of an entry must be is computed and compared as bytes. An entry that is anything else
        ends the run; it is looked at by `_slow`.
        """
        covering = self._covering
        assert covering is not None
        if None in headers or None in contents or None in rows:
            return 0
        h_s, p_s, r_s = cast("tuple[list[bytes], list[bytes], list[bytes]]", (headers, contents, rows))
        edge = next((e for e in self._edges if p_s[0][SALT_SIZE + 11 : e] in self._shapes), None)
        if edge is None:
            return 0
        found = [self._shapes.get(p[SALT_SIZE + 11 : edge]) for p in p_s]
        if None in found:
            del found[found.index(None) :]
        shapes = cast("list[_Shape]", found)
        sizes = [p[edge] for p in p_s]
        if min(sizes) <= 0xA0 or max(sizes) >= 0xC0:
            return 0
        afters = [edge - 0x9F + size for size in sizes]
        times = [p[35:39] for p in p_s]
        serials = [p[edge + 1 : after] for p, after in zip(p_s, afters, strict=True)]
        if not (
            min(times) > b"\0\0\0\0"
            and max(times) < b"\x80"
            and b"".join(serials).isalnum()
            and all(
                shape.tails.get(p[after:]) == p[32:35] for shape, p, after in zip(shapes, p_s, afters, strict=False)
            )
        ):
            return 0
        texts = b"\n".join(serials).decode().split("\n")
        subjects = [shape.prefix + text for shape, text in zip(shapes, texts, strict=False)]
        if len(set(subjects)) != len(subjects):
            del subjects[_first_repeated(subjects) :]
        stands = self._stands(subjects, shapes, texts, r_s)
        leaves, start = self._leaves, self.start
        earlier = [
            ZERO if not before else leaves[before - 1 - start] if before > start else self._leaf(before - 1)
            for before, _, _ in stands
        ]
        pack, numbers = encoding.pack, _COUNTS.pack
        expected_rows = [
            shape.row_head + p[edge:after] + shape.act_bytes + pack(before) + ending
            for shape, p, after, (before, _, ending) in zip(shapes, p_s, afters, stands, strict=False)
        ]
        expected = [
            covering.head
            + numbers(sequence, 1, len(p) - SALT_SIZE, len(row), not stand[0], NO_POLICY)
            + sha256(CONTENT_TAG + p).digest()
            + sha256(ROW_TAG + r[:SALT_SIZE] + leaf + row).digest()
            for sequence, p, r, leaf, row, stand in zip(
                count(covering.sequence), p_s, r_s, earlier, expected_rows, stands, strict=False
            )
        ]
        done = len(stands)
        if expected != h_s[:done] or expected_rows != [r[SALT_SIZE:] for r in r_s[:done]]:
            done = next(
                k
                for k, (e, h, row, r) in enumerate(zip(expected, h_s, expected_rows, r_s, strict=False))
                if e != h or row != r[SALT_SIZE:]
            )
        self._take(index, done, subjects, stands, h_s, shapes)
        return done

    def _stands(
        self, subjects: list[str], shapes: list[_Shape], texts: list[str], rows: list[bytes]
    ) -> list[tuple[int, int, bytes]]:
        """For each subject 1 + the index of its entry before (or 0), the state after, and how the row must end."""
        last, endings = self.last, _ENDINGS
        if self.entering is None:
            words = [last.get(subject, 0) for subject in subjects]
            return [
                (word & INDEX_MASK, *endings[word >> STATE_SHIFT, shape.act])
                for word, shape in zip(words, shapes, strict=False)
            ]
        stands: list[tuple[int, int, bytes]] = []
        for subject, shape, text, row in zip(subjects, shapes, texts, rows, strict=False):
            word = last.get(subject)
            if word is not None:
                stands.append((word & INDEX_MASK, *endings[word >> STATE_SHIFT, shape.act]))
                continue
            claim = _claim(row, shape.prefix, text, shape.act)
            if claim is None or claim[0] > self.start:
                break
            stands.append((claim[0], claim[1], encoding.pack(claim[1]) + encoding.pack(claim[2] or None)))
        return stands

    def _take(
        self,
        index: int,
        done: int,
        subjects: list[str],
        stands: list[tuple[int, int, bytes]],
        headers: list[bytes],
        shapes: list[_Shape],
    ) -> None:
        """Take the first `done` entries of a run as checked."""
        covering = self._covering
        assert covering is not None
        self._leaves += [sha256(b"\0" + header).digest() for header in headers[:done]]
        if self.entering is not None:
            for at, subject, shape, (before, state, ending) in zip(
                range(index, index + done), subjects, shapes, stands, strict=False
            ):
                if subject not in self.last:
                    codes = cast("tuple[int, ...]", encoding.unpack_raw(b"\x92" + ending))[1] or ()
                    row = Row(subject, shape.act, before - 1 if before else None, state, cast("tuple[int, ...]", codes))
                    self.entering[subject] = (at, row)
        words = [state << STATE_SHIFT | at for at, (_, state, _) in enumerate(stands[:done], index + 1)]
        self.last.update(zip(subjects, words, strict=False))
        tail = covering.tail
        covering.terms += [header[64:96] + tail for header in headers[:done]]
        covering.sequence += done
        covering.left -= done
        self.result.rows += done
        self.result.first_rows += sum(not before for before, _, _ in stands[:done])
        if not covering.left:
            self._end_covering(index + done)

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
        if self._covering is not None and (covered_kind := "event" if header.type == EntryType.EVENT else kind):
            self._covering.kinds.add(covered_kind)
        self._check_rows(index, header, rows, acts)
        if header.type == EntryType.STATEMENT:
            self._begin_covering(index, header, content)
        elif content is not None and (not covered or kind in SETTLING):
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
        self._time = header.time

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
        if key is not None:  # else `check_authors` says so
            try:
                verify(key, statement.message, statement.signature)
            except DataError as error:
                add(Code.STATEMENT_SIGNATURE, index, f"the author's signature does not stand: {error}")
        self._covering = Covering(index, statement, statement.count, statement.first, header.time)

    def _check_covered(self, index: int, raw: bytes, header: Header) -> None:
        add = self.findings.add
        covering = self._covering
        if covering is None:
            self.result.uncovered.append((index, header.author, header.sequence))
            return
        statement = covering.statement
        sound = header.time == covering.time
        if header.author != statement.author_id:
            sound = False
            add(Code.STATEMENT_AUTHOR, index, f"it names another author than statement {covering.index} that covers it")
        elif header.sequence != covering.sequence:
            place = covering.index + 1 + header.sequence - statement.first
            if covering.index < place < index and raw == self.view.header(place):
                add(Code.ENTRY_DUPLICATED, index, "it repeats an entry before")
            else:
                add(
                    Code.ENTRY_ORDER,
                    index,
                    f"it has the author's number {header.sequence} where {covering.sequence} belongs: entries were"
                    " swapped or dropped",
                )
            covering.broken = True
        if header.policy != NO_POLICY and not self._is_record_before(header.policy, index):
            add(Code.HEADER_MALFORMED, index, f"it names entry {header.policy} as its policy: no record before it")
        if header.time != covering.time:
            add(Code.TIME_FLAG, index, "its receipt time is not that of the statement that covers it")
        tail = header.record_class.to_bytes(2, "big") + bytes([header.type])
        covering.terms.append(header.content_commitment + tail)
        # The quick way takes the head of the entry before as right, so a wrong one must not become that.
        covering.head = raw[:32] if sound and header.type == EntryType.EVENT else b""
        covering.tail = tail
        covering.sequence += 1
        covering.left -= 1

    def _is_record_before(self, policy: int, index: int) -> bool:
        header = self.view.header(policy) if policy < index else None
        return header is not None and header[4:5] == bytes([EntryType.RECORD])

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
                f"it covers {statement.count} entries, {covering.left} of them are not there (entry {index} is next)",
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
                frozenset(covering.kinds),
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
                    if len(event.epcs) == len(acts) == 1 and not event.quantities:
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
                case _:
                    return [], None
        except (DataError, InputError) as error:
            self.findings.add(Code.CONTENT_MALFORMED, index, str(error))
            return None, None

    def _remember_shape(self, content: bytes, acts: list[tuple[str, int]]) -> None:
        """Of an Object event whose one subject stands among its epcs: that all in it but time and serial is valid, so
        that the next like it need not be decoded. A content is then known by what stands before the serial and what stands
        after it. There is room for the longest serial in what the limits allow, and something stands after it, so that
        one that was cut off is not taken for shorter.
        """
        if content[2] != 0xCF or not 0x90 < content[0] < 0xA0 or content[1] != 1 or len(content) > MAX_CONTENT - 31:
            return
        prefix, slash, suffix = acts[0][0].rpartition("/")
        one = encoding.pack(((prefix := prefix + slash), (suffix,)))
        at = content.find(one, 11)
        edge = at + len(one) - len(suffix) - 1
        if at < 0 or len(suffix) > 31 or content.find(one, at + 1) >= 0 or acts[0][1] == Act.NOTE:
            return
        if at + len(one) == len(content) or len(prefix.encode()) + 31 > MAX_ID or self._rule_set > custody.RULE_SET:
            return
        if len(self._shapes) >= _SHAPES_MOST:
            self._shapes.clear()
            self._edges.clear()
        act = acts[0][1]
        shape = self._shapes.get(content[11:edge])
        if shape is None:
            row_head = b"\x92" + encoding.pack(custody.RULE_SET) + b"\x96" + encoding.pack(prefix)
            shape = self._shapes[content[11:edge]] = _Shape(prefix, act, encoding.pack(act), row_head)
        if len(shape.tails) < _SHAPES_MOST and shape.act == act:
            shape.tails[content[at + len(one) :]] = content[:3]
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
        if acts and self._as_derived(index, header, part, acts):
            return
        salt, stored = part[:SALT_SIZE], part[SALT_SIZE:]
        try:
            rule_set, rows = decode_rows(stored)
            if encode_rows(rule_set, rows) != stored:
                raise DataError("the rows are not in their one spelling")
        except DataError as error:
            add(Code.ROWS_MALFORMED, index, str(error))
            return
        if rule_set < self._rule_set:
            add(Code.ROWS_MALFORMED, index, f"rule set {rule_set} after rule set {self._rule_set}")
        if rule_set > custody.RULE_SET:  # the quick way is of our rules only
            self._shapes.clear()
            self._edges.clear()
        self._rule_set = self.result.last_rules = rule_set
        self.result.first_rules = self.result.first_rules or (index, rule_set)
        known = rule_set == custody.RULE_SET
        fresh = sum(row.previous is None for row in rows)
        if (header.row_count, header.rows_length, header.first_rows) != (len(rows), len(stored), fresh):
            add(Code.HEADER_COUNTS, index, "the header does not count the rows that are there")
        if acts is not None and [row.subject for row in rows] != [subject for subject, _ in acts]:
            add(Code.ROW_SUBJECTS, index, "the rows are not those of the content's subjects")
        elif known and acts is not None and [row.act for row in rows] != [act for _, act in acts]:
            add(Code.ROW_ACT, index, "a row states another act than the content")
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

    def _as_derived(self, index: int, header: Header, part: bytes, acts: list[tuple[str, int]]) -> bool:
        """Whether the rows are, byte for byte, what the rules make of the acts; then there is nothing to explain."""
        if self._rule_set > custody.RULE_SET:
            return False
        get = self.last.get
        words = [get(subject) for subject, _ in acts]
        if None in words:
            if self.entering is not None:
                return False
            words = [word or 0 for word in words]
        try:
            derived = derive_rows(acts, cast("list[int]", words), part[:SALT_SIZE], self._leaf)
        except KeyError:
            return False
        stored = part[SALT_SIZE:]
        if (derived.stored, derived.root) != (stored, header.row_root) or (
            header.row_count,
            header.rows_length,
            header.first_rows,
        ) != (len(acts), len(stored), derived.first_rows):
            return False
        after = index + 1
        self.last.update(
            (subject, state << STATE_SHIFT | after) for (subject, _), state in zip(acts, derived.states, strict=True)
        )
        self._rule_set = self.result.last_rules = custody.RULE_SET
        self.result.first_rules = self.result.first_rules or (index, custody.RULE_SET)
        self.result.rows += len(acts)
        self.result.first_rows += derived.first_rows
        return True

    def _check_row(self, index: int, row: Row, *, known: bool) -> None:
        word = self.last.get(row.subject)
        if word is None and self.entering is not None:
            self.entering[row.subject] = (index, row if known else evolve(row, act=UNKNOWN_ACT))
        else:
            check_link(self.findings, index, row, word, known=known)
        self.last[row.subject] = row.state << STATE_SHIFT | index + 1


def _claim(rows: bytes, prefix: str, suffix: str, act: int) -> tuple[int, int, tuple[int, ...]] | None:
    """(previous, state, violations) that the only row of an entry states, None if it is not that simple."""
    try:
        match encoding.unpack_raw(rows[SALT_SIZE:]):
            case (
                custody.RULE_SET,
                (str() as head, str() as tail, int() as did, int() as previous, int() as state, codes),
            ):
                # True equals 1 but is no number, and no rule leads to a state or to violations that are not there.
                known = _OUTCOMES.get(encoding.pack(state) + encoding.pack(codes))
                if (head, tail, did) == (prefix, suffix, act) and type(previous) is int and previous >= 0 and known:
                    return previous, *known
    except DataError:
        pass
    return None


def _first_repeated(subjects: list[str]) -> int:
    """The position of the first subject that stood before."""
    seen: set[str] = set()
    for position, subject in enumerate(subjects):
        if subject in seen:
            return position
        seen.add(subject)
    return len(subjects)


def check_link(findings: Findings, index: int, row: Row, word: Word | None, *, known: bool) -> None:
    """Hold a row against where its subject stood before: `word` is that, None for a subject nobody has seen."""
    before = (word or 0) & INDEX_MASK
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
    expected = custody.TABLE.get(((word or 0) >> STATE_SHIFT, row.act))
    if expected is None:
        findings.add(
            Code.ROW_ACT, index, f"act {row.act} is not possible in state {(word or 0) >> STATE_SHIFT}", row.subject
        )
    elif row.state != expected[0]:
        findings.add(Code.ROW_STATE, index, f"state {row.state}, the rules give {expected[0]}", row.subject)
    elif row.violations != expected[1]:
        findings.add(
            Code.ROW_VIOLATIONS, index, f"violations {row.violations}, the rules give {expected[1]}", row.subject
        )
