"""The one write transaction: everything a commit changes, at once or not at all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tracechain.errors import DataError
from tracechain.merkle import Node
from tracechain.retention.ranges import Ranges, minus
from tracechain.seals.items import Bucket
from tracechain.store.environment import Environment
from tracechain.store.index import UnitIndex
from tracechain.store.tables import (
    CONTENTS,
    EMPTIED,
    HEADERS,
    MENTIONS,
    META,
    NODES,
    ROW_NODES,
    ROWS,
    SEAL_NOTES,
    SEALED,
    SPENT,
    STATEMENTS,
    TIMES,
    UNITS,
    WITNESSED,
    key_of,
    mention_key,
    node_key,
    spent_key,
    yuan_of,
)
from tracechain.store.tip import Tip

__all__ = ["Transaction"]

Pairs = Iterable[tuple[bytes, bytes]]


class Transaction:
    """What the ledger reads and writes between the writer lock and the commit."""

    def __init__(self, env: Environment, txn: Any, index: UnitIndex | None, tip: Tip) -> None:
        self.env = env
        self.txn = txn
        self.tip = tip
        self._index = index

    def end(self) -> None:
        """Let go of LMDB's transaction: who still holds this one must not hold the environment by it."""
        self.txn = None

    @property
    def index(self) -> UnitIndex:
        """The unit index, read when it is first asked for: a damaged one must not keep `reindex` out."""
        if self._index is None:
            self._index = UnitIndex(self.env, self.txn)
        return self._index

    @property
    def index_read(self) -> UnitIndex | None:
        """The unit index if it is in memory."""
        return self._index

    # ---- reading; also what the previous snapshot shows, and what this transaction has written ----

    def header(self, index: int) -> bytes:
        """An entry's header."""
        header: bytes | None = self.txn.get(key_of(index), None, self.env.tables[HEADERS])
        if header is None:
            raise DataError(f"entry {index}: its header is missing; run `tracechain verify`, restore a backup")
        return header

    def content(self, index: int) -> bytes | None:
        """Salt and content of an entry."""
        value: bytes | None = self.txn.get(key_of(index), None, self.env.tables[CONTENTS])
        return value

    def rows(self, index: int) -> bytes | None:
        """Salt and rows of an entry."""
        value: bytes | None = self.txn.get(key_of(index), None, self.env.tables[ROWS])
        return value

    def entries(self) -> int:
        """Number of stored headers, whatever the tip says."""
        count: int = self.txn.stat(self.env.tables[HEADERS])["entries"]
        return count

    def leaf(self, index: int) -> bytes:
        """An entry's leaf hash: with `node`, a merkle.NodeReader."""
        return sha256(b"\0" + self.header(index)).digest()

    def node(self, height: int, index: int) -> bytes | None:
        """A stored subtree root."""
        node: bytes | None = self.txn.get(node_key(height, index), None, self.env.tables[NODES])
        return node

    def number(self, subject: bytes) -> int | None:
        """The number of a unit, None if it has none."""
        value = self.txn.get(subject, None, self.env.tables[UNITS])
        return None if value is None else int.from_bytes(value, "big")

    def meta(self, name: str) -> bytes | None:
        """A value of the table meta."""
        value: bytes | None = self.txn.get(name.encode(), None, self.env.tables[META])
        return value

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to, in yuan."""
        return yuan_of(self.txn.get(spent_key(person, year), None, self.env.tables[SPENT]))

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last, 0 for none."""
        value = self.txn.get(container.encode(), None, self.env.tables[EMPTIED])
        return 0 if value is None else int.from_bytes(value, "big")

    def latest_time(self, block: int) -> int | None:
        """The latest claimed time (ns) among the events of a block of entries, None if there is none."""
        value = self.txn.get(key_of(block), None, self.env.tables[TIMES])
        return None if value is None else int.from_bytes(value, "big", signed=True)

    def statement(self, author_id: bytes, first: int) -> bytes | None:
        """The record of the statement that begins at an author's sequence number."""
        value: bytes | None = self.txn.get(author_id + key_of(first), None, self.env.tables[STATEMENTS])
        return value

    def statement_before(self, author_id: bytes, sequence: int) -> tuple[int, bytes] | None:
        """(first sequence, record) of the author's latest statement that begins at or before `sequence`."""
        cursor = self.txn.cursor(self.env.tables[STATEMENTS])
        key = author_id + key_of(sequence)
        if cursor.set_range(key):
            if cursor.key() == key:
                return sequence, cursor.value()
            found = cursor.prev()
        else:
            found = cursor.last()
        if not found or cursor.key()[:8] != author_id:
            return None
        return int.from_bytes(cursor.key()[8:], "big"), cursor.value()

    def statement_after(self, author_id: bytes, sequence: int) -> tuple[int, bytes] | None:
        """(first sequence, record) of the author's first statement that begins after `sequence`."""
        cursor = self.txn.cursor(self.env.tables[STATEMENTS])
        if not cursor.set_range(author_id + key_of(sequence + 1)) or cursor.key()[:8] != author_id:
            return None
        return int.from_bytes(cursor.key()[8:], "big"), cursor.value()

    # ---- writing ----

    def put_entries(self, headers: Pairs, contents: Pairs, rows: Pairs, counts: tuple[int, int, int]) -> None:
        """Append parts of entries, (key, value) with ascending keys; `counts` says how many there are of each."""
        for table, pairs, count in zip((HEADERS, CONTENTS, ROWS), (headers, contents, rows), counts, strict=True):
            _, added = self.txn.cursor(self.env.tables[table]).putmulti(pairs, append=True)
            if added != count:
                raise DataError(f"{self.env.folder}: table {table} holds entries past the tip; restore a backup")

    def put_nodes(self, nodes: Iterable[Node]) -> None:
        """Store completed subtrees."""
        self.txn.cursor(self.env.tables[NODES]).putmulti(
            [(node_key(height, index), value) for height, index, value in nodes]
        )

    def put_row_nodes(self, nodes: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep entry.row_nodes of entries, (key, nodes) with ascending keys."""
        self.txn.cursor(self.env.tables[ROW_NODES]).putmulti(nodes)

    def put_statement(self, author_id: bytes, first: int, value: bytes) -> None:
        """Remember where a statement is."""
        self.txn.put(author_id + key_of(first), value, db=self.env.tables[STATEMENTS])

    def put_spent(self, accounts: Mapping[tuple[bytes, int], Decimal]) -> None:
        """Set what buyers' orders of a year come to, by (person, year)."""
        pairs = sorted([(spent_key(*key), f"{yuan:f}".encode()) for key, yuan in accounts.items()])
        self.txn.cursor(self.env.tables[SPENT]).putmulti(pairs)

    def put_mentions(self, mentions: Iterable[tuple[str, int, int]]) -> None:
        """Note runs of entries that mention a name: (name, start, count)."""
        pairs = sorted((mention_key(name, start), count.to_bytes(4, "big")) for name, start, count in mentions)
        self.txn.cursor(self.env.tables[MENTIONS]).putmulti(pairs)

    def put_emptied(self, emptied: Mapping[str, int]) -> None:
        """Note 1 + the indices of the entries by which containers were emptied last."""
        pairs = sorted((container.encode(), key_of(place)) for container, place in emptied.items())
        self.txn.cursor(self.env.tables[EMPTIED]).putmulti(pairs)

    def put_times(self, latest: Mapping[int, int]) -> None:
        """Set the latest claimed times (ns) of blocks of entries."""
        pairs = [(key_of(block), latest[block].to_bytes(8, "big", signed=True)) for block in sorted(latest)]
        self.txn.cursor(self.env.tables[TIMES]).putmulti(pairs)

    def put_sealed(self, gone: Iterable[str] | None, buckets: Iterable[Bucket]) -> None:
        """Change the buckets of the last seal's map: `gone` are the last ids of those that are no more, None for all
        that there were; `buckets` are new or changed, ascending."""
        table = self.env.tables[SEALED]
        if gone is None:
            self.txn.drop(table, delete=False)
        for last in gone or ():
            self.txn.delete(last.encode(), db=table)
        self.txn.cursor(table).putmulti(
            [(bucket.last.encode(), bucket.count.to_bytes(4, "big") + bucket.root) for bucket in buckets]
        )

    def seal_note(self, size: int) -> bytes | None:
        """The seal note of the seal of a size."""
        value: bytes | None = self.txn.get(key_of(size), None, self.env.tables[SEAL_NOTES])
        return value

    def put_seal_note(self, size: int, note: bytes) -> None:
        """Keep the seal note of the seal of a size."""
        self.txn.put(key_of(size), note, db=self.env.tables[SEAL_NOTES])

    def put_meta(self, name: str, value: bytes) -> None:
        """Set a value of the table meta."""
        self.txn.put(name.encode(), value, db=self.env.tables[META])

    def put_witnessed(self, size: int, note: bytes) -> None:
        """Keep a witnessed note of a tree size, in place of the one that was there."""
        self.txn.put(key_of(size), note, db=self.env.tables[WITNESSED])

    # ---- pruning ----

    def drop_parts(self, contents: Ranges, rows: Ranges) -> None:
        """Delete contents, and rows with their nodes, of every entry in the ranges.

        LMDB's deletion leaves the bytes in free pages: `uncompacted` in meta says that a compacted generation is due,
        in the same transaction.
        """
        for table, ranges in ((CONTENTS, contents), (ROWS, rows), (ROW_NODES, rows)):
            self._drop(table, ranges)
        self.put_meta("uncompacted", b"1")

    def _drop(self, table: str, ranges: Ranges) -> None:
        cursor = self.txn.cursor(self.env.tables[table])
        delete, key = cursor.delete, cursor.key
        for start, stop in ranges:
            end = key_of(stop)
            cursor.set_range(key_of(start))
            while (at := key()) and at < end:
                delete()  # the cursor stands on what follows then, on nothing at the end

    def rows_of(self, ranges: Ranges) -> Iterator[tuple[int, bytes]]:
        """(index, rows with their salt) of the entries in the ranges that have rows, ascending."""
        return self._values(ROWS, ranges)

    def contents_of(self, ranges: Ranges) -> Iterator[tuple[int, bytes]]:
        """(index, content with its salt), likewise."""
        return self._values(CONTENTS, ranges)

    def _values(self, table: str, ranges: Ranges) -> Iterator[tuple[int, bytes]]:
        cursor = self.txn.cursor(self.env.tables[table])
        for start, stop in ranges:
            end = key_of(stop)
            if not cursor.set_range(key_of(start)):
                return
            for key, value in cursor.iternext():
                if key >= end:
                    break
                yield int.from_bytes(key, "big"), value

    def numbers(self, subjects: Iterable[bytes]) -> dict[bytes, int]:
        """The numbers of units."""
        found = self.txn.cursor(self.env.tables[UNITS]).getmulti(subjects)
        return {subject: int.from_bytes(number, "big") for subject, number in found}

    def cut_mentions(self, gone: Ranges) -> None:
        """Take entries out of the runs that mention a name. Looks at all runs: what follows, the copy of the whole
        ledger without what went, costs more."""
        if not gone:
            return
        starts, last = [start for start, _ in gone], key_of(gone[-1][1] - 1)
        cursor = self.txn.cursor(self.env.tables[MENTIONS])
        cut: list[tuple[bytes, int, int]] = []
        for key, value in cursor.iternext() if cursor.first() else ():
            if key[-8:] > last:
                continue
            start, count = int.from_bytes(key[-8:], "big"), int.from_bytes(value, "big")
            at = bisect_right(starts, start) - 1
            if (at >= 0 and gone[at][1] > start) or (at + 1 < len(gone) and starts[at + 1] < start + count):
                cut.append((key, start, count))
        for key, _, _ in cut:
            cursor.set_key(key)
            cursor.delete()
        left = [
            (key[:-8] + key_of(begin), (end - begin).to_bytes(4, "big"))
            for key, start, count in cut
            for begin, end in minus(((start, start + count),), _near(gone, starts, start, start + count))
        ]
        cursor.putmulti(sorted(left))

    def mentioned(self, prefix: str) -> Iterator[range]:
        """The runs of entries that mention a name with this prefix."""
        first = prefix.encode()
        cursor = self.txn.cursor(self.env.tables[MENTIONS])
        for key, value in cursor.iternext() if cursor.set_range(first) else ():
            if not key.startswith(first):
                return
            start = int.from_bytes(key[-8:], "big")
            yield range(start, start + int.from_bytes(value, "big"))

    def drop_spent(self, before: int) -> None:
        """Forget the accounts of the years before one."""
        cursor = self.txn.cursor(self.env.tables[SPENT])
        year = before.to_bytes(2, "big")
        cursor.first()
        while key := cursor.key():
            if key[-2:] < year:
                cursor.delete()
            else:
                cursor.next()

    def drop_time(self, block: int) -> None:
        """Forget the latest claimed time of a block of entries: none of them is left."""
        self.txn.delete(key_of(block), db=self.env.tables[TIMES])

    def clear_derived(self) -> None:
        """Empty what `reindex` rebuilds, evidence marks and where registers, policies and the like are included."""
        for table in (NODES, STATEMENTS, SPENT, EMPTIED, MENTIONS, TIMES, ROW_NODES, SEALED):
            self.txn.drop(self.env.tables[table], delete=False)
        for name in (b"registers", b"profile", b"recalls", b"retention", b"pruned", b"erased", b"sealed"):
            self.txn.delete(name, db=self.env.tables[META])
        cursor = self.txn.cursor(self.env.tables[META])
        while cursor.set_range(b"evidence ") and cursor.key().startswith(b"evidence "):
            cursor.delete()
        self._index = None


def _near(gone: Ranges, starts: list[int], start: int, stop: int) -> Ranges:
    """Those of the ranges, which begin at `starts`, that can overlap one."""
    return gone[max(bisect_right(starts, start) - 1, 0) : bisect_left(starts, stop)]
