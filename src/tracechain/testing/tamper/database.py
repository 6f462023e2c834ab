"""The attacker's hands: a closed ledger's database as plain lists, and the means to sign what became of it.

`edit(path)` opens the database past every check and gives a `Log`: all headers, contents and rows as lists, plus the
checkpoint. What was changed is written back at the end of the block. Three powers build on it:

    the disk            edit() alone: tables change, nothing is recomputed
    the log key         resign(): tree nodes, index, tip, checkpoint and anchor fit the altered headers again
    and much patience   reseal() before that: all commitments, row hashes and headers fit the altered parts again

What even the last cannot make is another author's signature, a root's signature, a witness's memory, and the
checkpoints that somebody keeps elsewhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import define, evolve, field

from tracechain.checkpoint import Checkpoint, NoteSigner, parse_checkpoint, parse_note, sign_checkpoint
from tracechain.custody import PLAIN
from tracechain.derivation import STATE_SHIFT
from tracechain.entry import (
    NO_POLICY,
    OPEN_DAY,
    SALT_SIZE,
    EntryType,
    Header,
    Row,
    content_commitment,
    decode_rows,
    encode_rows,
    format_header,
    parse_header,
    row_hashes,
    row_root,
)
from tracechain.errors import DataError, KeyUseError
from tracechain.ledger import Author, anchor_path
from tracechain.ledger.anchor import Anchor
from tracechain.ledger.authors import Authors, Logged
from tracechain.merkle import Frontier, leaf_hash
from tracechain.record import Evidence, KeyAuthorised, KeyRevoked, epoch_of
from tracechain.signing import Signer
from tracechain.statement import Statement, decode_statement, encode_statement, sign_statement, statement_leaves
from tracechain.store import Environment, Tip, UnitIndex
from tracechain.store.files import current_generation
from tracechain.store.tables import (
    CONTENTS,
    HEADERS,
    META,
    NODES,
    ROWS,
    STATEMENTS,
    TABLES,
    key_of,
    node_key,
)

__all__ = ["Log", "database", "edit", "flip", "read", "reseal", "resign"]

Part = bytes | None


@define
class Log:
    """All entries of a ledger, to be altered. A part that is not there is None; parts begin with their salt."""

    headers: list[Part] = field(factory=list)
    contents: list[Part] = field(factory=list)
    rows: list[Part] = field(factory=list)
    note: str = ""

    def __len__(self) -> int:
        return len(self.headers)

    # ---- finding ----

    def header(self, index: int) -> Header:
        """A header, parsed."""
        raw = self.headers[index]
        assert raw is not None, f"the header of entry {index} is gone"
        return parse_header(raw)

    def find(self, kind: EntryType, number: int = 0) -> int:
        """The index of the `number`-th entry of a type; negative numbers count from the end."""
        return [i for i in range(len(self)) if self.header(i).type == kind][number]

    def content(self, index: int) -> bytes:
        """A content without its salt."""
        part = self.contents[index]
        assert part is not None, f"the content of entry {index} is gone"
        return part[SALT_SIZE:]

    def statement(self, index: int) -> Statement:
        """The statement at an index."""
        return decode_statement(self.content(index))

    def statement_of(self, index: int) -> int:
        """The index of the statement that covers an event or a record."""
        while self.header(index).type != EntryType.STATEMENT:
            index -= 1
        return index

    def row_list(self, index: int) -> tuple[int, tuple[Row, ...]]:
        """Rule set and rows of an entry; (0, ()) where it has none."""
        part = self.rows[index]
        return (0, ()) if part is None else decode_rows(part[SALT_SIZE:])

    def linked_row(self, *, reach: int = 1) -> tuple[int, int]:
        """(index, position) of the last row whose subject has at least `reach` entries before it."""
        for index in range(len(self) - 1, -1, -1):
            for position, row in enumerate(self.row_list(index)[1]):
                if self.depth(row, reach) >= reach:
                    return index, position
        raise AssertionError("the ledger has no such row: append more events of one unit")

    def depth(self, row: Row, most: int) -> int:
        """How many entries of its subject precede a row, counted up to `most`."""
        count = 0
        at: Row | None = row
        while at is not None and at.previous is not None and count < most:
            count += 1
            at = next((r for r in self.row_list(at.previous)[1] if r.subject == row.subject), None)
        return count

    # ---- altering ----

    def set_header(self, index: int, **changes: Any) -> None:
        """Change fields of a header."""
        self.headers[index] = format_header(evolve(self.header(index), **changes))

    def set_content(self, index: int, content: bytes) -> None:
        """Replace a content, keeping its salt."""
        part = self.contents[index]
        assert part is not None
        self.contents[index] = part[:SALT_SIZE] + content

    def set_rows(self, index: int, rows: Sequence[Row], *, rule_set: int | None = None) -> None:
        """Replace the rows of an entry, keeping their salt and rule set."""
        part = self.rows[index]
        assert part is not None
        rule_set = self.row_list(index)[0] if rule_set is None else rule_set
        self.rows[index] = part[:SALT_SIZE] + encode_rows(rule_set, rows) if rows else None

    def set_row(self, index: int, position: int, **changes: Any) -> None:
        """Change fields of one row."""
        rows = list(self.row_list(index)[1])
        rows[position] = evolve(rows[position], **changes)
        self.set_rows(index, rows)

    def insert(self, index: int, header: Part, content: Part, rows: Part) -> None:
        """Put an entry before another; later rows go on pointing to what they pointed to."""
        self.headers.insert(index, header)
        self.contents.insert(index, content)
        self.rows.insert(index, rows)
        self._renumber(index + 1, lambda row: None if row.previous is None else row.previous + (row.previous >= index))

    def remove(self, index: int) -> None:
        """Take an entry out; later rows that pointed to it now point to what it pointed to."""
        before = {row.subject: row.previous for row in self.row_list(index)[1]}
        for parts in (self.headers, self.contents, self.rows):
            del parts[index]

        def moved(row: Row) -> int | None:
            previous = before.get(row.subject) if row.previous == index else row.previous
            return None if previous is None else previous - (previous > index)

        self._renumber(index, moved)

    def _renumber(self, start: int, moved: Any) -> None:
        for index in range(start, len(self)):
            if self.rows[index] is not None:
                rows = [evolve(row, previous=moved(row)) for row in self.row_list(index)[1]]
                self.set_rows(index, rows)

    def swap(self, one: int, other: int) -> None:
        """Let two entries change places, with all their parts; later rows that pointed to one go on doing so."""
        for parts in (self.headers, self.contents, self.rows):
            parts[one], parts[other] = parts[other], parts[one]
        places = {one: other, other: one}
        after = max(one, other) + 1
        self._renumber(after, lambda row: None if row.previous is None else places.get(row.previous, row.previous))

    def commit(self, index: int) -> None:
        """Make the header fit the content."""
        part = self.contents[index]
        assert part is not None
        salt, content = part[:SALT_SIZE], part[SALT_SIZE:]
        self.set_header(index, content_commitment=content_commitment(salt, content), content_length=len(content))

    def restate(self, index: int, signer: Signer, **changes: Any) -> None:
        """Sign the statement at an index anew, over what follows it now, with whatever key.

        `changes`: first, previous, ledger_id, count. Headers take the author's key id and the numbers.
        """
        old = self.statement(index)
        covered = range(index + 1, index + 1 + changes.get("count", old.count))
        headers = [self.header(i) for i in covered]
        leaves = statement_leaves(
            [h.content_commitment for h in headers], [h.record_class for h in headers], [int(h.type) for h in headers]
        )
        statement = sign_statement(
            signer,
            ledger_id=changes.get("ledger_id", old.ledger_id),
            first=changes.get("first", old.first),
            count=len(headers),
            previous=changes.get("previous", old.previous),
            signed_at=old.signed_at,
            leaves=leaves,
        )
        self.set_content(index, encode_statement(statement))
        self.commit(index)
        self.set_header(index, author=statement.author_id, sequence=statement.first)
        for number, i in enumerate(covered):
            self.set_header(i, author=statement.author_id, sequence=statement.first + number)

    def append(
        self,
        kind: EntryType,
        content: bytes,
        *,
        rows: Sequence[Row] = (),
        salt: bytes = bytes(32),
        time: int | None = None,
        rule_set: int = PLAIN,
    ) -> int:
        """Put an entry of the operator's own making behind the end, received when the one before was, or at `time`;
        returns its index. `restate` gives it an author."""
        time = self.header(len(self) - 1).time if time is None else time
        header = Header(kind, 0, time, 0, OPEN_DAY, bytes(8), 0, 0, len(content), 0, 0, NO_POLICY, bytes(32), bytes(32))
        stored = None
        if rows:
            encoded = encode_rows(rule_set, rows)
            stored = salt + encoded
            leaves = [None if r.previous is None else self.leaf(r.previous) for r in rows]
            header = evolve(
                header,
                row_count=len(rows),
                rows_length=len(encoded),
                first_rows=sum(row.previous is None for row in rows),
                row_root=row_root(row_hashes(salt, rule_set, rows, leaves)),
            )
        self.insert(len(self), format_header(header), salt + content, stored)
        self.commit(len(self) - 1)
        return len(self) - 1

    def seal(self) -> None:
        """Make every header fit its parts, and every row hash the leaf it names."""
        leaves: list[bytes] = []
        for index, raw in enumerate(self.headers):
            assert raw is not None, f"the header of entry {index} is gone: there is nothing to seal"
            with contextlib.suppress(DataError):
                self.headers[index] = _sealed(self, index, leaves)
            leaves.append(self.leaf(index))

    def leaf(self, index: int) -> bytes:
        """The leaf hash of an entry; that of entry 0 is the ledger id."""
        return leaf_hash(self.headers[index] or b"")


def flip(data: bytes, offset: int, bit: int = 0) -> bytes:
    """The data with one bit of one byte turned over."""
    return data[:offset] + bytes((data[offset] ^ (1 << bit),)) + data[offset + 1 :]


# ---- the database ------------------------------------------------------------------------------


@contextlib.contextmanager
def database(path: Path) -> Iterator[tuple[Environment, Any]]:
    """A write transaction on the ledger's database, past every check: (environment, LMDB transaction)."""
    env = Environment(current_generation(path / "ledger"), TABLES, writable=True)
    try:
        with env.begin(write=True) as txn:
            yield env, txn
    finally:
        env.close()


def read(path: Path) -> Log:
    """The log as it is."""
    with database(path) as (env, txn):
        return _load(env, txn)


@contextlib.contextmanager
def edit(path: Path) -> Iterator[Log]:
    """The log of a closed ledger, written back at the end of the block: headers, contents, rows, checkpoint."""
    with database(path) as (env, txn):
        log = _load(env, txn)
        yield log
        for name, parts in ((HEADERS, log.headers), (CONTENTS, log.contents), (ROWS, log.rows)):
            txn.drop(env.tables[name], delete=False)
            pairs = [(key_of(index), part) for index, part in enumerate(parts) if part is not None]
            txn.cursor(env.tables[name]).putmulti(pairs)
        txn.put(b"checkpoint", log.note.encode(), db=env.tables[META])


def _load(env: Environment, txn: Any) -> Log:
    tables = [{int.from_bytes(k, "big"): v for k, v in txn.cursor(env.tables[n])} for n in (HEADERS, CONTENTS, ROWS)]
    size = 1 + max((index for table in tables for index in table), default=-1)
    headers, contents, rows = ([table.get(index) for index in range(size)] for table in tables)
    return Log(headers, contents, rows, (txn.get(b"checkpoint", None, env.tables[META]) or b"").decode())


# ---- fitting it together again -----------------------------------------------------------------


def reseal(path: Path) -> None:
    """Make every header fit its parts, and every row hash the leaf it names: needs no key, only patience.

    Parts that cannot be read stay as they are, with their headers; so does what the header says of the rows of an entry
    that has neither content nor rows.
    """
    with edit(path) as log:
        log.seal()


def _sealed(log: Log, index: int, leaves: Sequence[bytes]) -> bytes:
    header = log.header(index)
    content, stored = log.contents[index], log.rows[index]
    if content is not None:
        commitment = content_commitment(content[:SALT_SIZE], content[SALT_SIZE:])
        header = evolve(header, content_commitment=commitment, content_length=len(content) - SALT_SIZE)
    if stored is None and content is not None:
        header = evolve(header, row_count=0, rows_length=0, first_rows=0, row_root=bytes(32))
    elif stored is not None:
        rule_set, rows = decode_rows(stored[SALT_SIZE:])
        previous = [None if r.previous is None or r.previous >= index else leaves[r.previous] for r in rows]
        header = evolve(
            header,
            row_count=len(rows),
            rows_length=len(stored) - SALT_SIZE,
            first_rows=sum(row.previous is None for row in rows),
            row_root=row_root(row_hashes(stored[:SALT_SIZE], rule_set, rows, previous)),
        )
    return format_header(header)


def resign(path: Path, signer: Signer, *, anchored: bool = True) -> None:
    """Make tree, index, tip, checkpoint and (unless told otherwise) the anchor fit the headers, signed by any key.

    With the log key, this is a ledger that opens and whose checkpoint verifies. The origin stays.
    """
    with database(path) as (env, txn):
        log = _load(env, txn)
        assert all(h is not None for h in log.headers), "a header is gone: no tree can be made"
        headers = [h for h in log.headers if h is not None]
        origin = parse_checkpoint(parse_note(log.note).text).origin
        frontier = Frontier()
        txn.drop(env.tables[NODES], delete=False)
        for height, index, value in frontier.extend([leaf_hash(h) for h in headers]):
            txn.put(node_key(height, index), value, db=env.tables[NODES])
        checkpoint = Checkpoint(origin, frontier.size, frontier.root())
        note = sign_checkpoint(checkpoint, [NoteSigner(origin.partition("/epoch/")[0], signer)])
        time = int.from_bytes(headers[-1][8:16], "big")
        txn.put(b"tip", Tip(frontier, time, epoch_of(origin)).encode(), db=env.tables[META])
        txn.put(b"checkpoint", note.encode(), db=env.tables[META])
        _derive(env, txn, log)
    if anchored:
        anchor = Anchor(anchor_path(path))
        try:
            before = anchor.read()
            anchor.write(1 + (0 if before is None else before.counter), note.encode())
        finally:
            anchor.close()


def _derive(env: Environment, txn: Any, log: Log) -> None:
    """Index, keys and statements from whatever of the log can be read."""
    words: dict[str, int] = {}
    authors = Authors()
    txn.drop(env.tables[STATEMENTS], delete=False)
    for index in range(len(log)):
        with contextlib.suppress(DataError, AssertionError):
            for row in log.row_list(index)[1]:
                words[row.subject] = row.state << STATE_SHIFT | index + 1
        with contextlib.suppress(DataError, KeyUseError, AssertionError):
            kind, content = log.header(index).type, log.content(index)
            if kind == EntryType.STATEMENT:
                statement = decode_statement(content)
                logged = Logged(statement.first, statement.count, index, statement.hash)
                key = statement.author_id + key_of(statement.first)
                txn.put(key, logged.encode(), db=env.tables[STATEMENTS])
            elif kind == EntryType.KEY_AUTHORISED:
                record = KeyAuthorised.decode(content)
                authors = authors.with_author(Author(record.key, record.label, record.scope, index))
            elif kind == EntryType.KEY_REVOKED:
                authors = authors.without(KeyRevoked.decode(content).key_hash, index)
            elif kind == EntryType.EVIDENCE:
                mark = f"evidence {sha256(Evidence.decode(content).message).hexdigest()}"
                txn.put(mark.encode(), key_of(index), db=env.tables[META])
    txn.put(b"keys", authors.encode(), db=env.tables[META])
    UnitIndex.rebuild(env, txn, iter(words.items()))
