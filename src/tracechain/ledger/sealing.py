"""Sealing: contents become entries — rows, headers, leaves — inside one write transaction.

The hot path of the library. Its loops look up each subject's number and word, derive the row by
`custody.step`'s table, hash the row over the leaf of the subject's previous entry, and hash the header. They
repeat in straight lines what `entry.encode_rows` and `entry.format_header` say in readable ones; tests hold the two
against each other.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import repeat
from typing import cast

from tracechain import custody, encoding
from tracechain.custody import ACT_MASK, EXPIRY_SHIFT, is_pack
from tracechain.derivation import INDEX_MASK, STATE_SHIFT, Acts, Derived, derive_rows
from tracechain.entry import (
    FLAG_CLAMPED,
    HEADER_STRUCT,
    MAGIC,
    OPEN_DAY,
    ROW_TAG,
    SALT_SIZE,
    SUITE,
    ZERO,
    EntryType,
    content_commitment,
)
from tracechain.errors import DataError, InputError
from tracechain.event import AggregationEvent, Event
from tracechain.ledger.tracks import Tracks
from tracechain.merkle import Frontier
from tracechain.record import Record
from tracechain.retention.keeping import NO_PACK, Heads, Keeping, expiry_codes
from tracechain.rules import JUDGED, Judge
from tracechain.store import Transaction
from tracechain.store.tables import HEADERS, UNITS

__all__ = ["Sealing"]

_HEAD_STRUCT = struct.Struct(">4sBBHQHHI8s")  # up to and with the author key id
_NUMBERS_STRUCT = struct.Struct(">QIIIIQ")
assert _HEAD_STRUCT.size + _NUMBERS_STRUCT.size + 64 == HEADER_STRUCT.size
_MAX_INDEX = INDEX_MASK - 1
#: Shorter runs are not worth the columns.
_LEAST_RUN = 8
_NOTE = int(custody.Act.NOTE)
_Violated = tuple[int, str, tuple[int, ...]]


class Sealing:
    """The entries that one commit will append. Nothing is written before `flush`."""

    def __init__(self, txn: Transaction, time: int, random: Callable[[int], bytes]) -> None:
        self._txn = txn
        self._random = random
        self.clamped = time < txn.tip.time
        self.time = txn.tip.time if self.clamped else time
        self.start = txn.tip.size
        self.frontier: Frontier = txn.tip.frontier.copy()
        self._leaves: list[bytes] = []
        self._headers: list[bytes] = []
        self._contents: list[bytes] = []
        self._row_keys: list[bytes] = []
        self._rows: list[bytes] = []
        self._row_nodes: list[tuple[bytes, bytes]] = []
        self._new: dict[bytes, int] = {}
        #: The rules of the next entries, and who judges what the table cannot; the commit sets both.
        self.rule_set = custody.PLAIN
        self.judge: Judge[int] | None = None
        #: The retention policy that headers name, likewise.
        self.keeping: Keeping | None = None
        self._tracks: Tracks | None = None
        tables = txn.env.tables
        self._get = txn.txn.get
        self._header_table, self._units = tables[HEADERS], tables[UNITS]

    @property
    def tracks(self) -> Tracks:
        """What the commit leaves for tracing."""
        if self._tracks is None:
            self._tracks = Tracks(self._txn, self)
        return self._tracks

    @property
    def size(self) -> int:
        """The index of the next entry."""
        return self.start + len(self._leaves)

    def leaf(self, index: int) -> bytes:
        """The leaf of an entry of this commit."""
        return self._leaves[index - self.start]

    def header(self, index: int) -> bytes:
        """The header of an entry, of this commit or before it."""
        return self._headers[index - self.start] if index >= self.start else self._txn.header(index)

    def content(self, index: int) -> bytes | None:
        """Salt and content of an entry, of this commit or before it."""
        return self._contents[index - self.start] if index >= self.start else self._txn.content(index)

    def rows(self, index: int) -> bytes | None:
        """Salt and rows of an entry, of this commit or before it."""
        if index < self.start:
            return self._txn.rows(index)
        key = index.to_bytes(8, "big")
        at = bisect_left(self._row_keys, key)
        return self._rows[at] if at < len(self._row_keys) and self._row_keys[at] == key else None

    def own(self, kind: EntryType, content: bytes, acts: Acts = (), *, author: bytes = bytes(8), seq: int = 0) -> int:
        """Append one entry that the ledger makes: genesis, statement, keys, clock, epoch, evidence. Returns its
        index."""
        salt = self._random(SALT_SIZE)
        commitment = content_commitment(salt, content)
        self.covered(kind, 0, author, seq, [salt + content], [commitment], [acts])
        return self.size - 1

    def covered(
        self,
        kind: int,
        record_class: int,
        author: bytes,
        sequence: int,
        parts: Sequence[bytes],
        commitments: Sequence[bytes],
        acts: Sequence[Acts],
        contents: Sequence[Event | Record] = (),
    ) -> tuple[tuple[int, int, str, tuple[int, ...]], ...]:
        """Append entries of one type, class and author; `parts` are salt || content, in order of the author's numbers.

        `contents` are what the parts say; the judge needs them.

        Returns the violations: (entry index, position, subject, codes).
        """
        first = self.size
        if first + len(parts) > _MAX_INDEX:
            raise InputError("the log is full: begin a successor ledger")
        head = _HEAD_STRUCT.pack(
            MAGIC, kind, SUITE, FLAG_CLAMPED if self.clamped else 0, self.time, record_class, 0, OPEN_DAY, author
        )
        keeping = self.keeping if kind == EntryType.EVENT else None
        heads = Heads(head, keeping, record_class, self.time)
        random = self._random(SALT_SIZE * len(parts))
        salts = [random[at : at + SALT_SIZE] for at in range(0, len(random), SALT_SIZE)]
        violated: list[tuple[int, int, str, tuple[int, ...]]] = []
        if kind == EntryType.EVENT:
            self.tracks.mention(first, cast("Sequence[Event]", contents))
        for start, stop in _runs(acts, contents):
            here = slice(start, stop)
            seal = self._columns if stop - start >= _LEAST_RUN else self._one_by_one
            self._contents += parts[here]
            said = contents[here]
            found = seal(heads, sequence + start, parts[here], commitments[here], acts[here], salts[here], said)
            violated += [(index, index - first, subject, codes) for index, subject, codes in found]
        return tuple(violated)

    def _columns(
        self,
        heads: Heads,
        sequence: int,
        parts: Sequence[bytes],
        commitments: Sequence[bytes],
        acts: Sequence[Acts],
        salts: Sequence[bytes],
        contents: Sequence[Event | Record],
    ) -> list[_Violated]:
        """Seal entries of one subject each, no subject twice: the usual batch of scans, and the one that has to be
        quick.

        Column by column, as the interpreter runs a list comprehension a good deal faster than a loop body.
        """
        count, first = len(parts), self.size
        subjects = [subject for ((subject, _),) in acts]
        numbers, words = self._places(subjects)
        previous = [word & INDEX_MASK for word in words]
        earlier = self._leaves_of(previous)
        leaves = self._leaves
        rule_set, pack = self.rule_set, encoding.pack
        table = custody.TABLES[rule_set]
        outcomes = [table[word >> STATE_SHIFT, act] for word, ((_, act),) in zip(words, acts, strict=True)]
        if self.judge is not None:
            self._judge_column(first, contents, acts, numbers, words, outcomes)
        if isinstance(contents[0], Event):  # all are, or none
            self.tracks.column(first, cast("Sequence[Event]", contents), subjects, numbers, previous)
        else:
            self.tracks.record(numbers)
        rows = [
            pack(
                (
                    rule_set,
                    (subject[: (cut := subject.rfind("/") + 1)], subject[cut:], act, before, state, codes or None),
                )
            )
            for ((subject, act),), before, (state, codes) in zip(acts, previous, outcomes, strict=True)
        ]
        roots = [
            sha256(ROW_TAG + salt + leaf + row).digest() for salt, leaf, row in zip(salts, earlier, rows, strict=True)
        ]
        pack_numbers, policy = _NUMBERS_STRUCT.pack, heads.policy
        own: Iterable[bytes] = repeat(heads[NO_PACK], count)
        if heads.days is not None:
            own = [
                heads[state >> EXPIRY_SHIFT if act > _NOTE or is_pack(subject) else NO_PACK]
                for ((subject, act),), (state, _) in zip(acts, outcomes, strict=True)
            ]
        headers = [
            head + pack_numbers(number, 1, len(part) - SALT_SIZE, len(row), not before, policy) + commitment + root
            for number, (head, part, row, before, commitment, root) in enumerate(
                zip(own, parts, rows, previous, commitments, roots, strict=True), sequence
            )
        ]
        self._row_keys += [index.to_bytes(8, "big") for index in range(first, first + count)]
        self._rows += [salt + row for salt, row in zip(salts, rows, strict=True)]
        self._headers += headers
        leaves += [sha256(b"\0" + header).digest() for header in headers]
        after = [state << STATE_SHIFT | index for index, (state, _) in enumerate(outcomes, first + 1)]
        self._txn.index.tail.update(zip(numbers, after, strict=True))
        if not any(codes for _, codes in outcomes):
            return []
        return [
            (index, subject, codes)
            for index, (subject, (_, codes)) in enumerate(zip(subjects, outcomes, strict=True), first)
            if codes
        ]

    def _judge_column(
        self,
        first: int,
        contents: Sequence[Event | Record],
        acts: Sequence[Acts],
        numbers: list[int],
        words: list[int],
        outcomes: list[custody.Outcome],
    ) -> None:
        """Let the judge change the outcomes of what the table alone cannot tell."""
        judge, judged = self.judge, JUDGED
        assert judge is not None
        for at, (((subject, act),), word) in enumerate(zip(acts, words, strict=True)):
            if act <= _NOTE:  # of what is no pack
                continue
            event = cast("Event", contents[at])
            if judged[act & ACT_MASK] or event.extensions:
                before = word >> STATE_SHIFT, word & INDEX_MASK
                outcomes[at] = judge.single(first + at, event, subject, act, numbers[at], before, outcomes[at])

    def _one_by_one(
        self,
        heads: Heads,
        sequence: int,
        parts: Sequence[bytes],
        commitments: Sequence[bytes],
        acts: Sequence[Acts],
        salts: Sequence[bytes],
        contents: Sequence[Event | Record],
    ) -> list[_Violated]:
        """Seal entries of any number of subjects, each entry on top of the one before."""
        violated: list[_Violated] = []
        for number, (part, commitment, entry_acts, salt) in enumerate(
            zip(parts, commitments, acts, salts, strict=True), sequence
        ):
            index = self.size
            row, root, fresh, head = b"", ZERO, 0, heads[NO_PACK]
            if entry_acts:
                said = contents[number - sequence] if contents else None
                derived = self._rows_of(index, entry_acts, salt, said, violated)
                row, root, fresh = derived.stored, derived.root, derived.first_rows
                if heads.days is not None:
                    after = zip([subject for subject, _ in entry_acts], derived.states, strict=True)
                    head = heads.head(heads.days.of_codes(expiry_codes(after)))
                self._row_keys.append(index.to_bytes(8, "big"))
                self._rows.append(salt + row)
            counts = _NUMBERS_STRUCT.pack(number, len(entry_acts), len(part) - SALT_SIZE, len(row), fresh, heads.policy)
            header = head + counts + commitment + root
            self._headers.append(header)
            self._leaves.append(sha256(b"\0" + header).digest())
        return violated

    def _rows_of(
        self, index: int, acts: Acts, salt: bytes, content: Event | Record | None, violated: list[_Violated]
    ) -> Derived:
        """The rows of one entry."""
        numbers, words = self._places([subject for subject, _ in acts])
        table = custody.TABLES[self.rule_set]
        outcomes = [table[word >> STATE_SHIFT, act] for word, (_, act) in zip(words, acts, strict=True)]
        if isinstance(content, Event):
            if self.judge is not None:
                befores = [(word >> STATE_SHIFT, word & INDEX_MASK) for word in words]
                outcomes = self.judge.entry(index, content, acts, numbers, befores, outcomes)
            outcomes = list(self.tracks.entry(index, content, acts, numbers, words, outcomes))
        elif content is not None:
            self.tracks.record(numbers)
        leaves = self._leaves_of([word & INDEX_MASK for word in words])
        derived = derive_rows(acts, words, leaves, salt, self.rule_set, outcomes)
        after = index + 1
        self._txn.index.tail.update(
            zip(numbers, [state << STATE_SHIFT | after for state in derived.states], strict=True)
        )
        violated += [(index, subject, codes) for subject, codes in derived.violations]
        if derived.nodes:
            self._row_nodes.append((index.to_bytes(8, "big"), derived.nodes))
        return derived

    def _leaves_of(self, previous: list[int]) -> list[bytes]:
        """The leaves of earlier entries, by 1 + their indices, 32 zero bytes for 0: of this commit, or from headers."""
        leaves, start = self._leaves, self.start
        get, table, header_of = self._get, self._header_table, self._txn.header
        return [
            ZERO
            if not before
            else leaves[before - 1 - start]
            if before > start
            else sha256(b"\0" + (get((before - 1).to_bytes(8, "big"), None, table) or header_of(before - 1))).digest()
            for before in previous
        ]

    def _places(self, subjects: list[str]) -> tuple[list[int], list[int]]:
        """The numbers and words of subjects; a new one gets the next number and the word 0."""
        get, units, new, count = self._get, self._units, self._new, self._txn.index.count
        raw = [subject.encode() for subject in subjects]
        from_bytes = int.from_bytes
        numbers = [
            new.setdefault(subject, count + len(new)) if found is None else from_bytes(found, "big")
            for subject, found in zip(raw, [get(subject, None, units) for subject in raw], strict=True)
        ]
        words = self._txn.index.words(self._txn.txn, numbers)
        if 0 in words:
            for subject, number, word in zip(subjects, numbers, words, strict=True):
                if not word and number < count:
                    # It was sealed once: without a word its chain would begin a second time, and be signed.
                    raise DataError(f"{subject}: the unit index lost where it stands; run `tracechain reindex`")
        return numbers, words

    def word(self, subject: str) -> int:
        """The word of a subject as of the entries so far, 0 if it is new. Changes nothing."""
        number = self.number(subject)
        return 0 if number is None else self._txn.index.word(self._txn.txn, number)

    def number(self, subject: str) -> int | None:
        """The number of a unit as of the entries so far, None if it has none."""
        raw = subject.encode()
        stored = self._txn.number(raw)
        return self._new.get(raw) if stored is None else stored

    def flush(self) -> None:
        """Write everything into the transaction: entries, tree nodes, units, index."""
        txn, leaves = self._txn, self._leaves
        keys = [index.to_bytes(8, "big") for index in range(self.start, self.size)]
        # Lazily zipped: no list of pairs is made, and zip uses one pair again and again.
        txn.put_entries(
            zip(keys, self._headers, strict=True),
            zip(keys, self._contents, strict=True),
            zip(self._row_keys, self._rows, strict=True),
            (len(keys), len(keys), len(self._rows)),
        )
        txn.put_row_nodes(self._row_nodes)
        txn.put_nodes(self.frontier.extend(leaves))
        if self._tracks is not None:
            self._tracks.flush()
        txn.index.add(txn.txn, list(self._new))
        txn.index.flush(txn.txn)


def _runs(acts: Sequence[Acts], contents: Sequence[Event | Record]) -> Iterator[tuple[int, int]]:
    """Cut a batch into runs (start, stop): of entries with one subject each, none of them twice, and of the others,
    those that pack among them."""
    if AggregationEvent in set(map(type, contents)):
        # Twice the subjects: so even one that empties a container, and names nothing else, is no entry of one subject.
        both = zip(acts, contents, strict=True)
        acts = [(*one, *one) if type(said) is AggregationEvent else one for one, said in both]
    elif set(map(len, acts)) == {1} and len({subject for ((subject, _),) in acts}) == len(acts):
        yield 0, len(acts)
        return
    start, seen = 0, set[str]()
    for at, entry_acts in enumerate(acts):
        if len(entry_acts) == 1 and entry_acts[0][0] not in seen:
            seen.add(entry_acts[0][0])
            continue
        if at > start:
            yield start, at
        start, seen = at, set()
        if len(entry_acts) == 1:
            seen.add(entry_acts[0][0])
        else:
            yield at, at + 1
            start = at + 1
    if start < len(acts):
        yield start, len(acts)
