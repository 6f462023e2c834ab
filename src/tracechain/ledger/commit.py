"""One commit: jobs become entries in one write transaction, under one new checkpoint.

A job validates first and seals then, so a refused one leaves nothing behind and sinks no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import groupby

from attrs import evolve, frozen

from tracechain import custody, encoding, signing
from tracechain.checkpoint import Checkpoint, NoteSigner, sign_checkpoint
from tracechain.collector import uninterrupted
from tracechain.derivation import INDEX_MASK, STATE_SHIFT, Acts
from tracechain.encoding import decode, encode
from tracechain.entry import CONTENT_TAG, MAX_CONTENT, SALT_SIZE, EntryType
from tracechain.errors import (
    ClockError,
    DecodeError,
    EquivocationError,
    InputError,
    KeyUseError,
    RefusedError,
)
from tracechain.event import AggregationEvent, Event
from tracechain.event.values import MAX_ID
from tracechain.ledger.authors import Authors, Logged, next_sequence
from tracechain.ledger.past import LedgerPast, Registers, Scratch
from tracechain.ledger.receipt import Receipt, Violated
from tracechain.ledger.sealing import Sealing
from tracechain.record import Evidence, Genesis, Record, decode_record, encode_record, origin_of
from tracechain.registers import KINDS
from tracechain.retention.keeping import Keeping, policy_of
from tracechain.retention.records import ERASED, POLICY
from tracechain.rules import Judge, Standing, packing
from tracechain.signing import Signer
from tracechain.statement import (
    Statement,
    Submission,
    check_items,
    decode_statement,
    encode_statement,
    sign_statement,
    statement_leaves,
)
from tracechain.store import Tip, Transaction

__all__ = ["Batch", "Commit", "Outcome", "acts_of", "check_batch", "prepare"]

#: What a job leaves: called with the signed note once the commit is durable, gives the submitter's result.
Outcome = Callable[[str], Receipt]


@frozen
class Batch:
    """Contents ready to be sealed: encoded, salted, committed to. Columns, as the hot path wants them."""

    types: tuple[int, ...]
    classes: tuple[int, ...]
    parts: list[bytes]
    commitments: list[bytes]
    acts: Sequence[Acts]
    kinds: frozenset[str]
    contents: Sequence[Event | Record]
    #: The rules by which the acts were read.
    rule_set: int

    def under(self, rule_set: int) -> Batch:
        """The same batch with its acts read by these rules."""
        if rule_set == self.rule_set:
            return self
        return evolve(self, rule_set=rule_set, acts=[acts_of(content, rule_set) for content in self.contents])


def acts_of(content: Event | Record, rule_set: int = custody.PLAIN) -> Acts:
    """The subjects of a content with their acts. InputError for a record's subject that cannot be one."""
    if isinstance(content, Record):
        if content.subject is None:
            return ()
        if not 0 < len(content.subject.encode(errors="replace")) <= MAX_ID:  # format.md section 7
            raise InputError(
                f"record {content.kind}: a subject has 1 to {MAX_ID} bytes, not {content.subject[:64]!r}..."
            )
        return ((content.subject, custody.Act.NOTE),)
    return custody.acts(content, rule_set)


def prepare(
    contents: Sequence[Event | Record], record_class: int, random: Callable[[int], bytes], rule_set: int = custody.PLAIN
) -> Batch:
    """Encode, salt and commit to the contents of one submission."""
    if not contents:
        raise InputError("there is nothing to append: pass at least one event or record")
    if not issubclass(type(record_class), int) or type(record_class) is bool or not 0 <= record_class < 1 << 16:
        raise InputError(f"record class {record_class!r} is not a number from 0 to 65,535")
    with uninterrupted():
        return _columns(contents, record_class, random, rule_set)


def _columns(
    contents: Sequence[Event | Record], record_class: int, random: Callable[[int], bytes], rule_set: int
) -> Batch:
    count = len(contents)
    salts = random(SALT_SIZE * count)
    classes = set(map(type, contents))
    for cls in classes:
        if not issubclass(cls, (Event, Record)):
            raise InputError(f"only events and records can be appended, not {cls.__name__}")
    records = [c for c in contents if isinstance(c, Record)] if any(issubclass(c, Record) for c in classes) else []
    kinds = frozenset(c.kind for c in records) | (frozenset({"event"}) if len(records) < count else frozenset())
    if not records:
        encoded = [encode(e) for e in contents]  # type: ignore[arg-type]  # the set above says so
        types: tuple[int, ...] = (int(EntryType.EVENT),) * count
        acts: Sequence[Acts] = [custody.acts(e, rule_set) for e in contents]  # type: ignore[arg-type]  # likewise
    else:
        encoded = [encode_record(c) if isinstance(c, Record) else encode(c) for c in contents]
        types = tuple(int(EntryType.RECORD if isinstance(c, Record) else EntryType.EVENT) for c in contents)
        acts = [acts_of(c, rule_set) for c in contents]
    parts = [
        salts[at : at + SALT_SIZE] + e for at, e in zip(range(0, SALT_SIZE * count, SALT_SIZE), encoded, strict=True)
    ]
    commitments = [sha256(CONTENT_TAG + part).digest() for part in parts]
    return Batch(types, (record_class,) * count, parts, commitments, acts, kinds, contents, rule_set)


def _join(batches: Sequence[Batch]) -> Batch:
    """The contents of several batches, in order, as one."""
    return Batch(
        tuple(kind for b in batches for kind in b.types),
        tuple(record_class for b in batches for record_class in b.classes),
        [part for b in batches for part in b.parts],
        [commitment for b in batches for commitment in b.commitments],
        [acts for b in batches for acts in b.acts],
        frozenset(kind for b in batches for kind in b.kinds),
        [content for b in batches for content in b.contents],
        batches[0].rule_set,
    )


def check_batch(submission: Submission) -> Batch:
    """A submission's contents, decoded strictly and held against the root of its statement."""
    check_items(submission)
    acts, kinds, contents = [], set(), []
    for number, item in enumerate(submission.items):
        try:
            content = decode_record(item.content) if item.type == EntryType.RECORD else decode(item.content)
            acts.append(acts_of(content))
            contents.append(content)
        except (DecodeError, InputError) as error:
            raise DecodeError(f"item {number} of the submission: {error}") from error
        kinds.add(content.kind if isinstance(content, Record) else "event")
    return Batch(
        tuple(i.type for i in submission.items),
        tuple(i.record_class for i in submission.items),
        [i.salt + i.content for i in submission.items],
        [i.commitment for i in submission.items],
        acts,
        frozenset(kinds),
        contents,
        custody.PLAIN,
    )


class Commit:
    """The state of one commit while its jobs run. Finish it with `seal`."""

    def __init__(
        self,
        txn: Transaction,
        genesis: Genesis,
        ledger_id: bytes,
        now: int,
        random: Callable[[int], bytes],
        registers: Registers,
    ) -> None:
        self.txn = txn
        self.genesis = genesis
        self.ledger_id = ledger_id
        self.epoch = txn.tip.epoch
        self.sealing = Sealing(txn, now, random)
        self.jump_allowed = txn.tip.size == 0 or now - txn.tip.time <= genesis.jump_limit
        self.standing = registers.standing(txn, self.sealing)
        self._keeping = registers.keeping(txn)
        self._registers = registers
        self._past: LedgerPast | None = None
        self._now = now
        self._authors: Authors | None = None
        self._authors_changed = False

    # ---- keys ----

    @property
    def authors(self) -> Authors:
        """The author keys as of the entries so far."""
        if self._authors is None:
            self._authors = Authors.decode(self.txn.meta("keys"))
        return self._authors

    @authors.setter
    def authors(self, authors: Authors) -> None:
        self._authors = authors
        self._authors_changed = True

    def check_clock(self) -> None:
        """Refuse a receipt time too far ahead of the last one (format.md section 8)."""
        if not self.jump_allowed:
            ahead = (self._now - self.txn.tip.time) / 86_400_000
            raise ClockError(
                f"the clock is {ahead:.1f} days ahead of the last entry, the ledger accepts"
                f" {self.genesis.jump_limit / 86_400_000:.1f}: set the clock right, or record the jump with"
                " Ledger.accept_clock(reason)"
            )

    def check_scope(self, key_hash: bytes, kinds: Iterable[str]) -> None:
        """Refuse an author who is not authorised for what the batch holds."""
        author = self.authors.active(key_hash)
        beyond = sorted(set(kinds) - set(author.scope)) if author.scope is not None else []
        if beyond:
            raise KeyUseError(
                f"author key {key_hash.hex()[:16]} ({author.label}) is authorised for {', '.join(author.scope or ())},"
                f" not for {', '.join(beyond)}"
            )

    # ---- jobs ----

    @property
    def rule_set(self) -> int:
        """The rules for what is sealed next: those of the pilot once a profile is in force."""
        return custody.PLAIN if self.standing.profile is None else custody.PILOT

    def check_registers(self, batch: Batch) -> None:
        """Refuse a batch with a register record that cannot follow what the registers say."""
        if not batch.kinds.isdisjoint(KINDS):
            scratch = Standing(base=self.standing)
            for number, content in enumerate(batch.contents):
                if isinstance(content, Record) and content.kind in KINDS:
                    try:
                        scratch.take(self.sealing.size + 1 + number, content)
                    except DecodeError as error:
                        raise InputError(f"refused, nothing was written: {error}") from error

    def check_strict(self, batch: Batch, author: bytes) -> None:
        """Refuse a strict submission whole, saying everything that is wrong with it."""
        batch = batch.under(self.rule_set)
        scratch = Scratch(self.past, self.sealing.tracks, self.sealing.time)
        standing = Standing(base=self.standing)
        judge = None if standing.profile is None else Judge(standing, scratch, self.sealing.time, author)
        table = custody.TABLES[self.rule_set]
        words: dict[str, int] = {}
        wrong: list[Violated] = []
        # Its entries would stand behind its statement.
        places = enumerate(zip(batch.contents, batch.acts, batch.parts, strict=True), self.sealing.size + 1)
        for index, (content, acts, part) in places:
            here = [words.get(s) or self.sealing.word(s) for s, _ in acts]
            befores = [(word >> STATE_SHIFT, word & INDEX_MASK) for word in here]
            outcomes = [table[state, act] for (state, _), (_, act) in zip(befores, acts, strict=True)]
            if isinstance(content, Event):
                keys = [(s, self.sealing.number(s)) for s, _ in acts]
                if judge is not None:
                    outcomes = judge.entry(index, content, acts, keys, befores, outcomes)
                gone = packing.leaving(content)
                packing.leave(scratch, [key for key in keys if key[0] in gone])
                if isinstance(content, AggregationEvent):
                    outcomes = packing.pack(
                        scratch, index, content, acts, keys, [state for state, _ in befores], outcomes
                    )
            elif content.kind in KINDS:
                standing.take(index, content)
                if judge is not None:  # it holds the profile that was in force
                    judge = Judge(standing, scratch, self.sealing.time, author)
            formers = {s: state for (s, _), (state, _) in zip(acts, befores, strict=True)}
            scratch.note(index, author, part[SALT_SIZE:], formers)
            for (subject, _), (state, codes) in zip(acts, outcomes, strict=True):
                words[subject] = state << STATE_SHIFT | index + 1
                position = index - self.sealing.size - 1
                wrong += (Violated(position, subject, code, custody.describe(code)) for code in codes)
        if wrong:
            said = "; ".join(f"event {v.index}: {v.subject}: {v.name}" for v in wrong[:5])
            more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
            raise RefusedError(f"refused, nothing was written: {said}{more}", tuple(wrong))

    @property
    def past(self) -> LedgerPast:
        """What the judge asks of the log."""
        if self._past is None:
            self._past = LedgerPast(self.txn, self.sealing, self._registers.anchors)
        return self._past

    def append(self, batches: Sequence[Batch], author: Signer) -> list[Outcome]:
        """Seal batches of the ledger's own author under one statement; one outcome a batch. Their scope was checked."""
        key_hash = author.public_key.hash
        self.check_clock()
        first, previous = next_sequence(self.txn, key_hash[:8])
        # One column of all: sealed in one go, sixteen threads with an event each cost little more than one.
        batches = [batch.under(self.rule_set) for batch in batches]
        whole = batches[0] if len(batches) == 1 else _join(batches)
        statement = sign_statement(
            author,
            ledger_id=self.ledger_id,
            first=first,
            count=len(whole.parts),
            previous=previous,
            signed_at=self.sealing.time,
            leaves=statement_leaves(whole.commitments, whole.classes, whole.types),
        )
        index = self._log_statement(statement)
        at = self.sealing.size
        violated = self._cover(whole, statement.author_id, first)
        outcomes = []
        for batch in batches:
            end = at + len(batch.parts)
            own = tuple(v for v in violated if at <= v.index < end) if violated else ()
            outcomes.append(self._receipt(at, end - at, index, own))
            at = end
        return outcomes

    def submit(self, submission: Submission, batch: Batch, *, strict: bool) -> Outcome:
        """Seal a station's submission, whose form and root were checked before; check key, signature and order."""
        statement = submission.statement
        if statement.ledger_id != self.ledger_id:
            raise InputError(
                f"the statement was made for ledger {statement.ledger_id.hex()[:16]}, this is"
                f" {self.ledger_id.hex()[:16]}: send it there"
            )
        known = self.authors.find(statement.author)
        if known is None:
            self.authors.active(statement.author)
            raise AssertionError
        signing.verify(known.key, statement.message, statement.signature)
        at = Logged.decode(self.txn.statement_before(statement.author_id, statement.first))
        if at is not None and at.first == statement.first and at.hash == statement.hash:
            return self._repeat(at)
        self.check_clock()
        self.check_scope(statement.author, batch.kinds)
        against = self._contradicts(statement, at)
        if against is not None:
            return self._evidence(statement, against)
        self.check_registers(batch)
        if strict:
            self.check_strict(batch, statement.author_id)
        batch = batch.under(self.rule_set)
        index = self._log_statement(statement)
        first = self.sealing.size
        violated = self._cover(batch, statement.author_id, statement.first)
        return self._receipt(first, len(batch.parts), index, tuple(violated))

    def own(self, kind: EntryType, content: bytes, acts: Acts = ()) -> Outcome:
        """Seal an entry that the ledger makes. InputError where it could not be read again."""
        try:
            encoding.unpack_strict(content, max_bytes=MAX_CONTENT)
        except DecodeError as error:
            raise InputError(f"this {kind.name.lower().replace('_', ' ')} record cannot be written: {error}") from error
        self.sealing.rule_set, self.sealing.judge = self.rule_set, None
        index = self.sealing.own(kind, content, acts)
        return lambda note: Receipt(index, 1, index, self.sealing.time, note)

    # ---- parts of jobs ----

    def _log_statement(self, statement: Statement) -> int:
        index = self.sealing.own(
            EntryType.STATEMENT, encode_statement(statement), author=statement.author_id, seq=statement.first
        )
        logged = Logged(statement.first, statement.count, index, statement.hash)
        self.txn.put_statement(statement.author_id, statement.first, logged.encode())
        return index

    def _cover(self, batch: Batch, author_id: bytes, sequence: int) -> list[Violated]:
        violated: list[Violated] = []
        at = 0
        # The rules of a whole statement are those in force before it; what its records say of registers holds for the
        # entries after each.
        self.sealing.rule_set = batch.rule_set
        self.sealing.judge = self._judge(batch.rule_set, author_id)
        self.sealing.keeping = self._keeping
        for (kind, record_class), run in groupby(zip(batch.types, batch.classes, strict=True)):
            end = at + sum(1 for _ in run)
            found = self.sealing.covered(
                kind, record_class, author_id, sequence + at, batch.parts[at:end], batch.commitments[at:end],
                batch.acts[at:end], batch.contents[at:end],
            )  # fmt: skip
            if kind == EntryType.RECORD and not batch.kinds.isdisjoint(KINDS):
                self._take(batch, at, end)
                self.sealing.judge = self._judge(batch.rule_set, author_id)
            if kind == EntryType.RECORD and POLICY in batch.kinds:
                self._take_policy(batch, at, end)
            if kind == EntryType.RECORD and ERASED in batch.kinds:
                self.txn.put_meta(ERASED, (self.sealing.size - 1).to_bytes(8, "big"))
            violated += [
                Violated(index, subject, code, custody.describe(code))
                for index, _, subject, codes in found
                for code in codes
            ]
            at = end
        return violated

    def _judge(self, rule_set: int, author_id: bytes) -> Judge[int] | None:
        """Who judges the next entries, by the profile as it is now."""
        if rule_set != custody.PILOT:
            return None
        return Judge(self.standing, self.past, self.sealing.time, author_id)

    def _take(self, batch: Batch, start: int, stop: int) -> None:
        """Let the registers know of the records that were just sealed."""
        first = self.sealing.size - (stop - start)
        for index, content in enumerate(batch.contents[start:stop], first):
            if isinstance(content, Record) and content.kind in KINDS:
                self.standing.take(index, content)
                self._registers.changed(self.txn, index, content)

    def _take_policy(self, batch: Batch, start: int, stop: int) -> None:
        """Put retention policies in force that were just sealed: from the next statement on headers name the last."""
        first = self.sealing.size - (stop - start)
        for index, content in enumerate(batch.contents[start:stop], first):
            policy = policy_of(content) if isinstance(content, Record) else None
            if policy is not None:
                self._keeping = self._registers.keep(self.txn, Keeping(index, policy))

    def _receipt(self, first: int, count: int, statement: int, violations: tuple[Violated, ...]) -> Outcome:
        time = self.sealing.time
        return lambda note: Receipt(first, count, statement, time, note, False, violations)

    def _repeat(self, logged: Logged) -> Outcome:
        time = int.from_bytes(self.sealing.header(logged.index)[8:16], "big")
        return lambda note: Receipt(logged.index + 1, logged.count, logged.index, time, note, repeated=True)

    def _contradicts(self, statement: Statement, at: Logged | None) -> Logged | None:
        """The logged statement that this one cannot stand beside, if any (format.md section 6.2)."""
        end = statement.first + statement.count
        if at is not None and at.end > statement.first:
            return at
        after = Logged.decode(self.txn.statement_after(statement.author_id, statement.first))
        if after is not None and after.first < end:
            return after
        if at is not None and at.end == statement.first and at.hash != statement.previous:
            return at
        if after is not None and after.first == end:
            following = self._logged_statement(after)
            if following.previous != statement.hash:
                return after
        return None

    def _logged_statement(self, logged: Logged) -> Statement:
        part = self.sealing.content(logged.index)
        if part is None:
            raise DecodeError(f"entry {logged.index}: the statement is missing; run `tracechain verify`")
        return decode_statement(part[SALT_SIZE:])

    def _evidence(self, statement: Statement, against: Logged) -> Outcome:
        """Log, once, that an author contradicted itself; the submitter is told by an error all the same."""
        error = EquivocationError(
            f"author {statement.author.hex()[:16]} signed numbers {statement.first} to"
            f" {statement.first + statement.count - 1} in two different ways: entry {against.index} has the other;"
            " the evidence is kept in the log, ask the author what happened"
        )
        seen = f"evidence {statement.hash.hex()}"
        if self.txn.meta(seen) is None:
            index = self.sealing.own(
                EntryType.EVIDENCE, Evidence(against.index, statement.message, statement.signature).encode()
            )
            self.txn.put_meta(seen, index.to_bytes(8, "big"))

        def refuse(_: str) -> Receipt:
            raise error

        return refuse

    # ---- the end ----

    @property
    def empty(self) -> bool:
        """Whether nothing has to be written."""
        return self.sealing.size == self.sealing.start

    def seal(self, signer: Signer) -> str:
        """Write everything into the transaction; returns the signed note, which nobody may see before the commit."""
        self.sealing.flush()
        if self._past is not None:
            self._past.flush()
        frontier = self.sealing.frontier
        self.txn.put_meta("tip", Tip(frontier, self.sealing.time, self.epoch).encode())
        checkpoint = Checkpoint(origin_of(self.genesis, self.epoch), frontier.size, frontier.root())
        note = sign_checkpoint(checkpoint, [NoteSigner(self.genesis.origin, signer)])
        self.txn.put_meta("checkpoint", note.encode())
        if self._authors_changed:
            self.txn.put_meta("keys", self.authors.encode())
        return note
