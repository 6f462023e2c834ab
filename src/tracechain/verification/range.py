"""Verification of a range of entries: headers, contents, rows, links, statements, tree.

One pass in chunks. What the quick way (`columns`) does not take is looked at here, entry by entry, part by part, and
every difference becomes a finding. What only the whole log can tell (authors' numbers, keys, epochs) is collected for
`log`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import cast

from tracechain import custody, encoding, identifiers, merkle
from tracechain.custody import Act
from tracechain.derivation import INDEX_MASK, STATE_SHIFT, derive_rows
from tracechain.entry import (
    COVERED_TYPES,
    FLAG_CLAMPED,
    NO_POLICY,
    OPEN_DAY,
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
from tracechain.record import SETTLING, ClockRecord, Genesis, KeyAuthorised, KeyRevoked, decode_record, key_subject
from tracechain.retention.dates import date_of
from tracechain.retention.keeping import Days, Heads, Keeping, expiry_codes, policy_of
from tracechain.retention.records import CONTENT, ROWS
from tracechain.seals import SEAL
from tracechain.signing import PublicKey, verify
from tracechain.statement import decode_statement, term_leaves
from tracechain.verification.covering import RETAINED, Covering, RangeResult, Said, Word, begins_pilot
from tracechain.verification.faded import Faded, alike
from tracechain.verification.findings import Code, Findings
from tracechain.verification.links import believed, check_alone, check_link, stated_rules
from tracechain.verification.lost import CODES_UNKNOWN, least_keep, sum_of_codes
from tracechain.verification.tree import cover, node_check
from tracechain.view import View

__all__ = ["RangeCheck"]

_CHUNK = 2048
_KEPT = "that is no event"


class RangeCheck(Faded):
    """Checks entries `start` to `stop - 1`.

    `last` maps each subject to its word as of the entries before; it is updated. With `entering`, subjects that are
    not in `last` may have a past before the range: what their first rows here claim is collected in it (subject ->
    index, 1 + the entry before or 0, number of the claim) and is checked by the caller.
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
        entering: dict[str, tuple[int, int, int]] | None = None,
        genesis: Genesis | None = None,
        ledger_id: bytes = b"",
    ) -> None:
        super().__init__(view, start, last, entering)
        self.stop = stop
        self.keys = keys
        self.findings = findings
        self.genesis = genesis
        self.ledger_id = ledger_id
        self._stride = 16
        self._patience = 0
        self._retry = 1
        self._time = 0
        self._policies: dict[int, Keeping | None] = {}
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
            if covering is not None and covering.heads is not None and self._patience == 0:
                begin = index - at
                stop = alike(contents, rows, begin, min(begin + covering.left, begin + self._stride, end - at))
                here = slice(begin, stop)
                quick = self._columns if contents[begin] is not None else self._faded
                try:
                    done = quick(index, headers[here], contents[here], rows[here])
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
        self._read_by(rows)
        self._codes = CODES_UNKNOWN
        acts, kind = self._acts(index, header, content)
        if self._covering is not None and (covered_kind := "event" if header.type == EntryType.EVENT else kind):
            self._covering.kinds.add(covered_kind)
        self._check_rows(index, header, rows, acts)
        gone = (0 if part is not None else CONTENT) | (ROWS if rows is None and header.row_count else 0)
        if gone and header.type == EntryType.EVENT:
            self._lose(index, header, gone, self._leaves[-1])
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
            if header.type != EntryType.EVENT:
                add(Code.CONTENT_MISSING, index, f"the content is not there, and that of an entry {_KEPT} never goes")
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
        if index:
            self.result.note_gap(index, header.type, header.time - self._time)
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
        if key is None:
            self.result.unsigned.append((index, statement))
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
        keeping = self._check_policy(index, header)
        if header.time != covering.time:
            add(Code.TIME_FLAG, index, "its receipt time is not that of the statement that covers it")
        tail = header.record_class.to_bytes(2, "big") + bytes([header.type])
        covering.terms.append(header.content_commitment + tail)
        # The quick way takes the head of the entry before as right, so a wrong one must not become that.
        covering.heads = None
        known = (keeping is None) == (header.policy == NO_POLICY)
        if sound and known and header.type == EntryType.EVENT:
            covering.heads = Heads(raw[:32], keeping, header.record_class, header.time)
        covering.tail = tail
        covering.sequence += 1
        covering.left -= 1

    def _check_policy(self, index: int, header: Header) -> Keeping | None:
        """The retention policy that a header names. That it is the one in force, only the whole log can tell."""
        if header.type != EntryType.EVENT:
            return None
        keeping = self._keeping(header.policy) if header.policy < index else None
        if keeping is None and header.policy != NO_POLICY:
            self.findings.add(
                Code.HEADER_MALFORMED, index, f"it names entry {header.policy} as its policy: that is none before it"
            )
        covering = self._covering
        assert covering is not None
        if covering.policy is None:
            covering.policy = header.policy
            self.result.note_policy(covering.index, header.policy)
        elif covering.policy != header.policy:
            # What comes is held against the entry before it, which is all that the quick way knows of.
            covering.policy = header.policy
            self.findings.add(Code.KEEP_UNTIL, index, "it names another policy than the one before it in its statement")
        return keeping

    def _keeping(self, index: int) -> Keeping | None:
        """The retention policy that an entry put in force, None where it did not."""
        if index not in self._policies:
            header, part = self.view.header(index), self.view.content(index)
            policy = None
            if header is not None and part is not None and header[4:5] == bytes([EntryType.RECORD]):
                with contextlib.suppress(DataError):
                    policy = policy_of(decode_record(part[SALT_SIZE:]))
            self._policies[index] = None if policy is None else Keeping(index, policy)
        return self._policies[index]

    def _check_keep(self, index: int, header: Header, states: Iterable[tuple[str, int]]) -> None:
        """Hold the keep-until day of an event against its policy, class, receipt time, and what its rows say of packs:
        `states` are its subjects with their states after it."""
        if header.type != EntryType.EVENT:
            return
        codes = expiry_codes(states)
        self._codes = sum_of_codes(codes)
        days = self._days(index, header)
        day = OPEN_DAY if days is None else days.of_codes(codes)
        if header.keep_until != day:
            said = "none" if header.keep_until == OPEN_DAY else str(date_of(header.keep_until))
            wanted = "none" if day == OPEN_DAY else str(date_of(day))
            self.findings.add(Code.KEEP_UNTIL, index, f"its keep-until day is {said}, by its policy it is {wanted}")

    def _check_least_keep(self, index: int, header: Header) -> None:
        """The same of an event whose rows are gone, as far as class and receipt time tell."""
        least = least_keep(self._days(index, header))
        if header.keep_until < least:
            words = f"its keep-until day is {date_of(header.keep_until)}, by its policy it is {date_of(least)} at least"
            self.findings.add(Code.KEEP_UNTIL, index, words)

    def _days(self, index: int, header: Header) -> Days | None:
        """The keep-until days of events of this class and day by the policy that the header names."""
        named = header.policy != NO_POLICY and header.policy < index
        keeping = self._keeping(header.policy) if named else None
        return None if keeping is None else keeping.days(header.record_class, header.time)

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

    def _read_by(self, rows: bytes | None) -> None:
        """Read the coming content by the rules that its rows name; what was remembered under others is forgotten."""
        rule_set = self._shape_rules if rows is None else stated_rules(rows[SALT_SIZE:])
        if rule_set in custody.TABLES and rule_set != self._shape_rules:
            self._shape_rules = rule_set
            self._shapes.clear()
            self._edges.clear()

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
                    acts = [(subject, int(act)) for subject, act in custody.acts(event, self._shape_rules)]
                    if len(event.epcs) == len(acts) == 1 and not event.quantities:
                        self._remember_shape(content, acts)
                    return acts, "event"
                case EntryType.RECORD:
                    record = decode_record(content)
                    if self.result.profile is None and begins_pilot(record):
                        covering = self._covering
                        end = index if covering is None else covering.index + covering.statement.count
                        self.result.profile = index, end
                    if policy_of(record) is not None:
                        self.result.policies.append(index)
                    if record.kind in RETAINED:
                        self.result.retained.append(index)
                    if record.kind == SEAL:
                        self.result.seals.append((index, index if self._covering is None else self._covering.index))
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

    # ---- rows ----

    def _check_rows(self, index: int, header: Header, part: bytes | None, acts: list[tuple[str, int]] | None) -> None:
        add = self.findings.add
        if part is None:
            if header.row_count and header.type != EntryType.EVENT:
                add(Code.ROWS_MISSING, index, f"the rows are not there, and those of an entry {_KEPT} never go")
            elif header.row_count:
                self._check_least_keep(index, header)
            elif acts:
                add(Code.ROW_SUBJECTS, index, f"it has no row of {acts[0][0]}", acts[0][0])
            else:
                self._check_keep(index, header, ())
            return
        derived = acts if acts is not None or header.type != EntryType.EVENT else self._stated_acts(part)
        if derived and self._as_derived(index, header, part, derived):
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
        if rule_set not in custody.TABLES:  # the quick way is of our rules only
            self._shapes.clear()
            self._edges.clear()
        self._note_rules(index, rule_set)
        if len(rows) == 1:
            self._remember_prefix(identifiers.split(rows[0].subject)[0])
        known = rule_set in custody.TABLES
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
            self._check_row(index, row, rule_set)
        self._check_keep(index, header, [(row.subject, row.state) for row in rows])
        self.result.rows += len(rows)

    def _as_derived(self, index: int, header: Header, part: bytes, acts: list[tuple[str, int]]) -> bool:
        """Whether the rows are, byte for byte, what the rules make of the acts; then there is nothing to explain."""
        rule_set = self._shape_rules
        if self._rule_set > rule_set or stated_rules(part[SALT_SIZE:]) != rule_set:
            return False
        get = self.last.get
        words = [get(subject) for subject, _ in acts]
        if None in words:
            if self.entering is not None:
                return False
            words = [word or 0 for word in words]
        try:
            known = cast("list[int]", words)
            leaves = [self._leaf((word & INDEX_MASK) - 1) if word & INDEX_MASK else ZERO for word in known]
            derived = derive_rows(acts, known, leaves, part[:SALT_SIZE], rule_set)
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
        self._note_rules(index, rule_set)
        self._check_keep(index, header, zip([subject for subject, _ in acts], derived.states, strict=True))
        self.result.rows += len(acts)
        return True

    def _note_rules(self, index: int, rule_set: int) -> None:
        self._rule_set = rule_set
        self.result.note_rules(index, rule_set)

    def _check_row(self, index: int, row: Row, rule_set: int) -> None:
        word = self.last.get(row.subject)
        if word is None and self.entering is not None:
            ending = encoding.pack(row.state) + encoding.pack(row.violations or None)
            claim = (rule_set, row.act, ending)
            before = 0 if row.previous is None else row.previous + 1
            self.entering[row.subject] = (index, before, self.claims.setdefault(claim, len(self.claims)))
        elif believed(self.view, index, row, word):
            self.result.believed.extend((index, cast("int", row.previous)))
            check_alone(self.findings, index, row, word, rule_set)
        else:
            check_link(self.findings, index, row, word, rule_set)
        self.last[row.subject] = row.state << STATE_SHIFT | index + 1
