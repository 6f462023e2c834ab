"""A Snapshot: the View of a live ledger, one LMDB read transaction."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from types import TracebackType
from typing import Any, Self

import lmdb

from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.errors import DataError, InputError
from tracechain.seals.items import Bucket
from tracechain.store.environment import Environment
from tracechain.store.forking import forget_in_child
from tracechain.store.generations import Generations
from tracechain.store.index import IndexReader
from tracechain.store.tables import (
    BASE,
    CONTENTS,
    EMPTIED,
    HEADERS,
    MEMORY,
    MENTIONS,
    META,
    NODES,
    PACKED,
    ROW_NODES,
    ROWS,
    SEAL_NOTES,
    SEALED,
    SPENT,
    UNITS,
    WITNESSED,
    key_of,
    mention_key,
    node_key,
    spent_key,
    yuan_of,
)
from tracechain.store.tip import Tip
from tracechain.view import Block, Unit

__all__ = ["Snapshot"]

#: An open snapshot keeps every page it can see from being used again; after this many seconds closing it warns.
OLD_AFTER = 3600.0


class Snapshot:
    """A ledger as of one commit. Close it, best by `with`: an old one makes the file grow. Not for sharing by threads
    at the same time."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._env: Environment
        self._txn: Any
        self._env, self._txn = generations.begin(self)
        self._opened = time.monotonic()
        self._tables = self._env.tables
        self._readers: dict[str, IndexReader] = {}
        forget_in_child(self)
        try:
            tip = self._get(META, b"tip")
            if tip is None:
                raise DataError(f"{self._env.folder} has no tip: run `tracechain reindex`")  # one place ends it again
            self.tip = Tip.decode(tip)
        except BaseException:
            self.close()
            raise

    # ---- the View ----

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.tip.size

    @property
    def checkpoint(self) -> str:
        """The signed note over this size; a byte that is no UTF-8 becomes U+FFFD, under which no signature stands."""
        return (self._get(META, b"checkpoint") or b"").decode("utf-8", "replace")

    def header(self, index: int) -> bytes | None:
        """The 128 bytes of an entry's header."""
        return self._get(HEADERS, key_of(index))

    def content(self, index: int) -> bytes | None:
        """Salt and content."""
        return self._get(CONTENTS, key_of(index))

    def rows(self, index: int) -> bytes | None:
        """Salt and rows."""
        return self._get(ROWS, key_of(index))

    def row_nodes(self, index: int) -> bytes | None:
        """entry.row_nodes of an entry of many rows."""
        return self._get(ROW_NODES, key_of(index))

    def headers(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, header), ascending."""
        return self._range(HEADERS, start, stop)

    def contents(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and content), ascending."""
        return self._range(CONTENTS, start, stop)

    def all_rows(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and rows), ascending."""
        return self._range(ROWS, start, stop)

    def block(self, start: int, stop: int) -> Block:
        """The three parts of every entry from `start` to `stop - 1`."""
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        column = self._column
        return column(HEADERS, start, stop), column(CONTENTS, start, stop), column(ROWS, start, stop)

    def node(self, height: int, index: int) -> bytes | None:
        """A stored subtree root."""
        return self._get(NODES, node_key(height, index))

    def unit(self, subject: str) -> Unit | None:
        """The index's word on a subject."""
        word = self._reader().word(subject)
        return None if not word else Unit((word & INDEX_MASK) - 1, word >> STATE_SHIFT)

    def units(self) -> Iterator[tuple[str, Unit]]:
        """Every subject, in order of ids."""
        return self.subjects("")

    def subjects(self, prefix: str) -> Iterator[tuple[str, Unit]]:
        """Every subject whose id begins with `prefix`, in order of ids. Costs what it finds."""
        for subject, word in self._reader().items(prefix):
            yield subject, Unit((word & INDEX_MASK) - 1, word >> STATE_SHIFT)

    def memory(self, subject: str) -> int:
        """What the rules remember of a pack."""
        return self._reader(MEMORY).word(subject) or 0

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to."""
        return yuan_of(self._get(SPENT, spent_key(person, year)))

    def parts(self, indices: Sequence[int]) -> list[tuple[bytes | None, bytes | None]]:
        """Content and rows of entries anywhere."""
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        get, contents, rows = self._txn.get, self._tables[CONTENTS], self._tables[ROWS]
        keys = [index.to_bytes(8, "big") for index in indices]
        return [(get(key, None, contents), get(key, None, rows)) for key in keys]

    def words(self, subjects: Sequence[str], *, together: bool = False) -> list[tuple[int, int]]:
        """Where subjects stand, and what they are in; in order of first sight is quickest.

        Those that came in together have numbers in a row: the first and the last are looked up, and no other.
        """
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        get, table = self._txn.get, self._tables[UNITS]
        if together and len(subjects) > 2:
            first, last = (int.from_bytes(get(one.encode(), b"", table), "big") for one in (subjects[0], subjects[-1]))
            if last - first == len(subjects) - 1:
                run = range(first, last + 1)
                return list(zip(self._reader(BASE).run(run), self._reader(PACKED).run(run), strict=True))
        found = [get(subject.encode(), None, table) for subject in subjects]
        numbers = [0 if one is None else int.from_bytes(one, "big") for one in found]
        words = zip(self._reader(BASE).many(numbers), self._reader(PACKED).many(numbers), strict=True)
        return [(0, 0) if one is None else pair for one, pair in zip(found, words, strict=True)]

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last."""
        value = self._get(EMPTIED, container.encode())
        return 0 if value is None else int.from_bytes(value, "big")

    def mentions(self, name: str) -> Iterator[range]:
        """The entries whose events mention a name, run by run."""
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        first = mention_key(name, 0)
        head, size = first[:-7], len(first)
        cursor = self._txn.cursor(self._tables[MENTIONS])
        if not cursor.set_range(first):
            return
        for key, count in cursor.iternext():
            if len(key) != size or not key.startswith(head):
                return
            start = int.from_bytes(key[-8:], "big")
            yield range(start, start + int.from_bytes(count, "big"))

    def names(self, prefix: str) -> Iterator[str]:
        """The names that events mention and that begin with `prefix`: one step each, however often they are
        mentioned."""
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        head = prefix.encode()
        cursor = self._txn.cursor(self._tables[MENTIONS])
        there = cursor.set_range(head)
        while there:
            name = cursor.key()[:-8]
            if not name.startswith(head):
                return
            yield name.decode()
            # Behind a name stands the index of an entry, which begins with a zero byte: this is past all of them.
            there = cursor.set_range(name + b"\x01")

    def witnessed(self) -> Iterator[tuple[int, str]]:
        """(size, note) of witnessed notes; a byte that is no UTF-8 becomes U+FFFD."""
        return self._notes(WITNESSED)

    def seal_notes(self) -> Iterator[tuple[int, str]]:
        """(size, note) of seal notes, likewise."""
        return self._notes(SEAL_NOTES)

    # ---- beyond the View ----

    def witnessed_note(self, size: int) -> str | None:
        """The witnessed note of one size."""
        note = self._get(WITNESSED, key_of(size))
        return None if note is None else note.decode("utf-8", "replace")

    def meta(self, name: str) -> bytes | None:
        """A value of the table meta."""
        return self._get(META, name.encode())

    def words_between(self, after: str, until: str | None) -> Iterator[list[tuple[str, int]]]:
        """Subjects whose ids are over `after` and, unless None, not over `until`, in order of ids, with where they
        stand (state x 2^40 + 1 + index of the latest entry); in runs."""
        return self._reader().between(after, until)

    def sealed(self) -> list[Bucket]:
        """The buckets of the last seal's map, empty where they are not kept (`meta("sealed")` is None then)."""
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        cursor = self._txn.cursor(self._tables[SEALED])
        pairs = cursor.iternext() if cursor.first() else ()
        return [Bucket(key.decode(), int.from_bytes(value[:4], "big"), value[4:]) for key, value in pairs]

    def table_bytes(self) -> dict[str, tuple[int, int]]:
        """Bytes on disk (whole pages) and number of records of each table."""
        result = {}
        for name, table in self._tables.items():
            stat = self._txn.stat(table)
            pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
            result[name] = (pages * stat["psize"], stat["entries"])
        return result

    def forget(self) -> None:
        """In a forked child: the read transaction is the parent's, and stays open there."""
        self._txn = None
        self._readers = {}
        self._tables = {}

    def close(self) -> None:
        """End the read transaction."""
        if self._txn is None:
            return
        self._txn.abort()
        self._txn = None
        self._generations.leave(self._env, self)
        age = time.monotonic() - self._opened
        if age > OLD_AFTER:
            warnings.warn(
                f"a snapshot of {self._env.folder} was open for {age:.0f} s: while it is, pages are not reused and"
                " the file grows; take a new one now and then",
                ResourceWarning,
                stacklevel=2,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _get(self, table: str, key: bytes) -> bytes | None:
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        try:
            value: bytes | None = self._txn.get(key, None, self._tables[table])
        except lmdb.Error as error:
            raise self._env.failure("read", error) from error
        return value

    def _notes(self, table: str) -> Iterator[tuple[int, str]]:
        """What is kept by tree size: of sizes that the log does not have as well."""
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        try:
            for key, value in self._txn.cursor(self._tables[table]).iternext():
                yield int.from_bytes(key, "big"), value.decode("utf-8", "replace")
        except lmdb.Error as error:
            raise self._env.failure("read", error) from error

    def _reader(self, table: str = BASE) -> IndexReader:
        """The reader of a kind of words: states and latest entries, or memories."""
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        if table not in self._readers:
            self._readers[table] = IndexReader(self._env, self._txn, table)
        return self._readers[table]

    def _column(self, table: str, start: int, stop: int) -> list[bytes | None]:
        """The values of neighbouring keys. Stays in C as long as none is missing."""
        count = stop - start
        cursor = self._txn.cursor(self._tables[table])
        if count <= 0 or not cursor.set_range(key_of(start)):
            return [None] * count
        found = list(islice(cursor.iternext(), count))
        if found[-1][0] == key_of(stop - 1) and len(found) == count:
            return [value for _, value in found]
        get = dict(found).get
        return [get(index.to_bytes(8, "big")) for index in range(start, stop)]

    def _range(self, table: str, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        if self._txn is None:
            raise InputError("this snapshot is closed: take a new one")
        end = key_of(min(stop, self.size))
        try:
            cursor = self._txn.cursor(self._tables[table])
            if not cursor.set_range(key_of(start)):
                return
            for key, value in cursor.iternext():
                if key >= end:
                    return
                yield int.from_bytes(key, "big"), value
        except lmdb.Error as error:
            raise self._env.failure("read", error) from error
