"""Tamperings of single values: a bit turned over, a part gone."""

from __future__ import annotations

from pathlib import Path

from tracechain import merkle
from tracechain.checkpoint import Checkpoint, NoteSigner, parse_checkpoint, parse_note, sign_checkpoint
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.store.tables import META, NODES, UNITS
from tracechain.testing.standins import Keys
from tracechain.testing.tamper.database import Log, database, edit, flip, resign
from tracechain.testing.tamper.registry import tampering
from tracechain.verification.findings import Code

__all__ = ["PARTS"]

# Bytes of a header (format.md section 2).
_TYPE, _LENGTH, _COMMITMENT = 4, 44, 64


def _flip_part(parts: list[bytes | None], index: int, offset: int) -> None:
    part = parts[index]
    assert part is not None
    parts[index] = flip(part, offset)


def _event(log: Log) -> int:
    """An event with one row, in the middle of a batch."""
    return log.find(EntryType.EVENT, 3)


@tampering(Code.TREE_ROOT, Code.CONTENT_COMMITMENT, None)
def header_flipped(path: Path) -> None:
    """A bit of a header: of its content commitment."""
    with edit(path) as log:
        _flip_part(log.headers, _event(log), _COMMITMENT)


@tampering(Code.HEADER_MALFORMED, Code.HEADER_MALFORMED, Code.HEADER_MALFORMED, also=[Code.ROW_LINK])
def header_malformed(path: Path) -> None:
    """A header of a type that there is not."""
    with edit(path) as log:
        index = _event(log)
        raw = log.headers[index]
        assert raw is not None
        log.headers[index] = raw[:_TYPE] + b"\x63" + raw[_TYPE + 1 :]


@tampering(Code.HEADER_COUNTS, Code.HEADER_COUNTS, None)
def header_length_changed(path: Path) -> None:
    """A header that states another content length."""
    with edit(path) as log:
        index = _event(log)
        log.set_header(index, content_length=log.header(index).content_length + 1)


@tampering(Code.HEADER_MALFORMED, Code.HEADER_MALFORMED, Code.HEADER_MALFORMED, also=[Code.KEEP_UNTIL])
def policy_made_up(path: Path) -> None:
    """An event is put under a retention policy that no entry states."""
    with edit(path) as log:
        log.set_header(_event(log), policy=1)


@tampering(Code.HEADER_COUNTS, Code.HEADER_COUNTS, None)
def first_rows_changed(path: Path) -> None:
    """A header that states one first row too few: so a subject could be pruned away unseen."""
    with edit(path) as log:
        index = _event(log)
        log.set_header(index, first_rows=log.header(index).first_rows - 1)


@tampering(Code.CONTENT_COMMITMENT, Code.CONTENT_COMMITMENT, Code.STATEMENT_ROOT)
def content_flipped(path: Path) -> None:
    """A bit of what an author stated: lot A6 for A7."""
    with edit(path) as log:
        index = _event(log)
        part = log.contents[index]
        assert part is not None
        _flip_part(log.contents, index, part.index(b"LOT-A7") + 5)


@tampering(Code.CONTENT_COMMITMENT, Code.CONTENT_COMMITMENT, Code.CONTENT_MALFORMED, also=[Code.STATEMENT_ROOT])
def content_garbled(path: Path) -> None:
    """A content that is no event any more."""
    with edit(path) as log:
        _flip_part(log.contents, _event(log), SALT_SIZE)


@tampering(Code.CONTENT_COMMITMENT, Code.CONTENT_COMMITMENT, Code.STATEMENT_ROOT)
def content_salt_flipped(path: Path) -> None:
    """A bit of the salt that the author drew."""
    with edit(path) as log:
        _flip_part(log.contents, _event(log), 0)


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_SUBJECTS, also=[Code.ROW_LINK])
def rows_flipped(path: Path) -> None:
    """A bit of a row: the history of one pack is put down to another."""
    with edit(path) as log:
        index = _event(log)
        part = log.rows[index]
        assert part is not None
        _flip_part(log.rows, index, part.index(b"BJ0") + 6)


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, None)
def rows_salt_flipped(path: Path) -> None:
    """A bit of the salt of rows."""
    with edit(path) as log:
        _flip_part(log.rows, _event(log), 0)


@tampering(
    Code.CONTENT_COMMITMENT,
    Code.CONTENT_COMMITMENT,
    Code.STATEMENT_SIGNATURE,
    also=[Code.STATEMENT_ROOT, Code.AUTHOR_CHAIN],
)
def statement_flipped(path: Path) -> None:
    """A bit of the root that a statement signs."""
    with edit(path) as log:
        index = log.find(EntryType.STATEMENT, 1)
        part = log.contents[index]
        assert part is not None
        _flip_part(log.contents, index, part.index(log.statement(index).root))


@tampering(Code.CHECKPOINT_SIGNATURE, None, None)
def checkpoint_flipped(path: Path) -> None:
    """A bit of the root that the checkpoint signs."""
    with edit(path) as log:
        at = log.note.index("\n", log.note.index("\n") + 1) + 1
        log.note = log.note[:at] + ("B" if log.note[at] == "A" else "A") + log.note[at + 1 :]


@tampering(Code.CHECKPOINT_MALFORMED, None, None)
def checkpoint_garbled(path: Path) -> None:
    """A checkpoint that is no note any more."""
    with edit(path) as log:
        log.note = log.note.replace("\n\n", "\n")


@tampering(Code.CHECKPOINT_MISSING, None, None)
def checkpoint_deleted(path: Path) -> None:
    """The checkpoint is gone."""
    with database(path) as (env, txn):
        txn.delete(b"checkpoint", db=env.tables[META])


@tampering(Code.CHECKPOINT_SIGNATURE, None, None)
def checkpoint_by_stranger(path: Path) -> None:
    """A log that was altered at will, under a checkpoint that another key signed; the anchor, too."""
    with edit(path) as log:
        log.set_header(_event(log), record_class=7)
    resign(path, Keys().stranger)


@tampering(Code.CHECKPOINT_ORIGIN, None, None)
def checkpoint_of_another_origin(path: Path) -> None:
    """A checkpoint over the right tree, by the right key, in the name of another log."""
    with edit(path) as log:
        found = parse_checkpoint(parse_note(log.note).text)
        renamed = Checkpoint("another.example/log", found.size, found.root)
        log.note = sign_checkpoint(renamed, [NoteSigner(found.origin, Keys().log)])


@tampering(Code.CHECKPOINT_SIZE, None, None)
def checkpoint_outdated(path: Path) -> None:
    """A checkpoint that was rightly signed earlier stands over the log as it is now."""
    with edit(path) as log:
        found = parse_checkpoint(parse_note(log.note).text)
        older = Checkpoint(found.origin, 2, merkle.root([log.leaf(0), log.leaf(1)]))
        log.note = sign_checkpoint(older, [NoteSigner(found.origin, Keys().log)])


@tampering(Code.ENTRY_MISSING, None, None)
def header_deleted(path: Path) -> None:
    """The header of an entry is gone."""
    with edit(path) as log:
        log.headers[_event(log)] = None


@tampering(Code.CONTENT_MISSING, Code.CONTENT_MISSING, Code.CONTENT_MISSING)
def content_deleted(path: Path) -> None:
    """The content of an event is gone, and nothing says that it was to go."""
    with edit(path) as log:
        log.contents[_event(log)] = None


@tampering(
    Code.CONTENT_MISSING, Code.CONTENT_MISSING, Code.CONTENT_MISSING, also=[Code.EVENT_UNCOVERED, Code.AUTHOR_GAP]
)
def statement_deleted(path: Path) -> None:
    """The content of a statement is gone, which no rule ever allows."""
    with edit(path) as log:
        log.contents[log.find(EntryType.STATEMENT, 1)] = None


@tampering(Code.ROWS_MISSING, Code.ROWS_MISSING, Code.ROW_SUBJECTS, also=[Code.ROW_LINK])
def rows_deleted(path: Path) -> None:
    """The rows of an entry are gone; the operator also makes the header say that there were none."""
    with edit(path) as log:
        log.rows[_event(log)] = None


@tampering(Code.INDEX, None, None)
def index_altered(path: Path) -> None:
    """The index does not know a unit any more; the log is untouched."""
    with edit(path) as log:
        subject = log.row_list(_event(log))[1][0].subject
    with database(path) as (env, txn):
        txn.delete(subject.encode(), db=env.tables[UNITS])


@tampering(Code.TREE_NODE, None, None)
def node_altered(path: Path) -> None:
    """A stored subtree root is wrong: proofs that are made from it would fail; the log is untouched."""
    with database(path) as (env, txn):
        cursor = txn.cursor(env.tables[NODES])
        assert cursor.first(), "the ledger is too small to store nodes: it needs 16 entries"
        cursor.put(cursor.key(), flip(cursor.value(), 0))


PARTS = (
    header_flipped, header_malformed, header_length_changed, policy_made_up, first_rows_changed, content_flipped,
    content_garbled, content_salt_flipped, rows_flipped, rows_salt_flipped, statement_flipped, checkpoint_flipped,
    checkpoint_garbled, checkpoint_deleted, checkpoint_by_stranger, checkpoint_of_another_origin, checkpoint_outdated,
    header_deleted, content_deleted, statement_deleted, rows_deleted, index_altered, node_altered,
)  # fmt: skip
