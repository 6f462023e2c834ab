"""Sealing: contents become entries — rows, headers, leaves — inside one write transaction.

The hot path of the library. Its loops look up each subject's number and word, derive the row by
`custody.step`'s table, hash the row over the leaf of the subject's previous entry, and hash the header. They
repeat in straight lines what `entry.encode_rows` and `entry.format_header` say in readable ones; tests hold the two
against each other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from hashlib import sha256

from tracechain import custody, encoding, merkle
from tracechain.entry import (
    FLAG_CLAMPED,
    HEADER_STRUCT,
    MAGIC,
    NO_POLICY,
    OPEN_DAY,
    ROW_SALT_TAG,
    ROW_TAG,
    SALT_SIZE,
    SUITE,
    ZERO,
    EntryType,
    content_commitment,
)
from tracechain.errors import DataError, InputError
from tracechain.merkle import Frontier
from tracechain.store import Transaction
from tracechain.store.index import BLOCK
from tracechain.store.tables import BASE, HEADERS, INDEX_MASK, STATE_SHIFT, UNITS

__all__ = ["Acts", "Sealing"]

#: The subjects of one entry, ascending, each with its act.
Acts = Sequence[tuple[str, int]]

_HEAD_STRUCT = struct.Struct(">4sBBHQHHI8s")  # up to and with the author key id
_NUMBERS_STRUCT = struct.Struct(">QIIIIQ")
assert _HEAD_STRUCT.size + _NUMBERS_STRUCT.size + 64 == HEADER_STRUCT.size
_MAX_INDEX = INDEX_MASK - 1
_NO_BLOCK = bytes(8 * BLOCK)


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
        self._new: dict[bytes, int] = {}
        tables = txn.env.tables
        self._get = txn.txn.get
        self._header_table, self._units, self._base = tables[HEADERS], tables[UNITS], tables[BASE]

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
    ) -> tuple[tuple[int, int, str, tuple[int, ...]], ...]:
        """Append entries of one type, class and author; `parts` are salt || content, in order of the author's numbers.

        Returns the violations: (entry index, position, subject, codes).
        """
        first = self.size
        if first + len(parts) > _MAX_INDEX:
            raise InputError("the log is full: begin a successor ledger")
        head = _HEAD_STRUCT.pack(
            MAGIC,
            kind,
            SUITE,
            FLAG_CLAMPED if self.clamped else 0,
            self.time,
            record_class,
            0,
            OPEN_DAY,
            author,
        )
        salts = self._random(SALT_SIZE * len(parts))
        pack, numbers, from_bytes = encoding.pack, _NUMBERS_STRUCT.pack, int.from_bytes
        table, rule_set = custody.TABLE, custody.RULE_SET
        leaves, headers, rows, row_keys = self._leaves, self._headers, self._rows, self._row_keys
        start = self.start
        get, header_table, units, base = self._get, self._header_table, self._units, self._base
        new, count = self._new, self._txn.index.count
        tail, delta = self._txn.index.tail, self._txn.index.delta
        violated: list[tuple[int, int, str, tuple[int, ...]]] = []
        index = first
        at = 0
        for part, commitment, entry_acts in zip(parts, commitments, acts, strict=True):
            salt = salts[at : at + SALT_SIZE]
            if len(entry_acts) == 1:
                # One unit, one row: the usual scan. What `_many` does by functions stands here in line.
                ((subject, act),) = entry_acts
                raw = subject.encode()
                found = get(raw, None, units)
                if found is None:
                    number = new.setdefault(raw, count + len(new))
                    word = tail.get(number) or 0
                else:
                    number = from_bytes(found, "big")
                    word = tail.get(number) or delta.get(number) or 0
                    if not word:
                        block, place = divmod(number, BLOCK)
                        word = from_bytes(
                            get(block.to_bytes(8, "big"), _NO_BLOCK, base)[place * 8 : place * 8 + 8], "little"
                        )
                        if not word:
                            raise _lost(raw)
                previous = word & INDEX_MASK
                if not previous:
                    previous_leaf = ZERO
                elif previous > start:
                    previous_leaf = leaves[previous - 1 - start]
                else:
                    before = get((previous - 1).to_bytes(8, "big"), None, header_table)
                    previous_leaf = sha256(b"\0" + (before or self._txn.header(previous - 1))).digest()
                state, codes = table[word >> STATE_SHIFT, act]
                prefix, slash, suffix = subject.rpartition("/")
                row = pack((rule_set, (prefix + slash, suffix, act, previous, state, codes or None)))
                row_keys.append(index.to_bytes(8, "big"))
                rows.append(salt + row)
                header = (
                    head
                    + numbers(sequence, 1, len(part) - SALT_SIZE, len(row), not previous, NO_POLICY)
                    + commitment
                    + sha256(ROW_TAG + salt + previous_leaf + row).digest()
                )
                index += 1
                tail[number] = state << STATE_SHIFT | index
                if codes:
                    violated.append((index - 1, index - 1 - first, subject, codes))
            elif entry_acts:
                row, root, fresh = self._many(index, entry_acts, salt, violated, index - first)
                row_keys.append(index.to_bytes(8, "big"))
                rows.append(salt + row)
                header = (
                    head
                    + numbers(sequence, len(entry_acts), len(part) - SALT_SIZE, len(row), fresh, NO_POLICY)
                    + commitment
                    + root
                )
                index += 1
            else:
                header = head + numbers(sequence, 0, len(part) - SALT_SIZE, 0, 0, NO_POLICY) + commitment + ZERO
                index += 1
            at += SALT_SIZE
            sequence += 1
            headers.append(header)
            leaves.append(sha256(b"\0" + header).digest())
        self._contents += parts
        return tuple(violated)

    def _many(
        self,
        index: int,
        acts: Acts,
        salt: bytes,
        violated: list[tuple[int, int, str, tuple[int, ...]]],
        position: int,
    ) -> tuple[bytes, bytes, int]:
        """The rows of an entry with several subjects: (stored bytes, root, how many have no previous entry)."""
        pack, place, leaf_of = encoding.pack, self._place, self._leaf_of
        table, rule_set = custody.TABLE, custody.RULE_SET
        leaves, start, tail = self._leaves, self.start, self._txn.index.tail
        seed = ROW_SALT_TAG + salt
        hashes: list[bytes] = []
        groups: list[encoding.Plain] = [rule_set]
        group: list[encoding.Plain] = []
        last: str | None = None
        fresh = 0
        after = index + 1
        for k, (subject, act) in enumerate(acts):
            number, word = place(subject.encode())
            previous = word & INDEX_MASK
            if not previous:
                previous_leaf = ZERO
                fresh += 1
            else:
                previous_leaf = leaves[previous - 1 - start] if previous > start else leaf_of(previous - 1)
            state, codes = table[word >> STATE_SHIFT, act]
            prefix, slash, suffix = subject.rpartition("/")
            cells = (suffix, act, previous, state, codes or None)
            prefix += slash
            if prefix != last:
                group = [prefix]
                groups.append(group)
                last = prefix
            group += cells
            own = sha256(seed + k.to_bytes(4, "big")).digest()
            hashes.append(sha256(ROW_TAG + own + previous_leaf + pack((rule_set, (prefix, *cells)))).digest())
            tail[number] = state << STATE_SHIFT | after
            if codes:
                violated.append((index, position, subject, codes))
        return pack(groups), merkle.root(hashes), fresh

    def _leaf_of(self, index: int) -> bytes:
        return sha256(b"\0" + self._txn.header(index)).digest()

    def _place(self, subject: bytes) -> tuple[int, int]:
        """Number and word of a subject; a new one gets the next number and the word 0."""
        number = self._txn.number(subject)
        if number is None:
            number = self._new.setdefault(subject, self._txn.index.count + len(self._new))
            return number, self._txn.index.tail.get(number, 0)
        word = self._txn.index.word(self._txn.txn, number)
        if not word:
            raise _lost(subject)
        return number, word

    def word(self, subject: str) -> int:
        """The word of a subject as of the entries so far, 0 if it is new. Changes nothing."""
        raw = subject.encode()
        stored = self._txn.number(raw)
        number = self._new.get(raw) if stored is None else stored
        return 0 if number is None else self._txn.index.word(self._txn.txn, number)

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
        txn.put_nodes(self.frontier.extend(leaves))
        txn.index.add(txn.txn, list(self._new))
        txn.index.flush(txn.txn)


def _lost(subject: bytes) -> DataError:
    """A unit that has a number was sealed once: without a word its chain would begin a second time, and be signed."""
    return DataError(f"{subject.decode()}: the unit index lost where it stands; run `tracechain reindex`")
