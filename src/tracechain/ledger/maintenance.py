"""Reindex and backup: what keeps a ledger well without changing what it says."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from tracechain.derivation import STATE_SHIFT
from tracechain.entry import (
    SALT_SIZE,
    EntryType,
    Header,
    Row,
    content_commitment,
    decode_rows,
    parse_header,
    row_hashes,
    row_root,
)
from tracechain.errors import CheckpointError, DataError, InputError, StorageError
from tracechain.ledger.authors import Author, Authors, Logged
from tracechain.merkle import Frontier
from tracechain.record import Evidence, KeyAuthorised, KeyRevoked, epoch_of
from tracechain.statement import decode_statement
from tracechain.store import Store, Tip, Transaction, UnitIndex
from tracechain.store.files import FIRST_GENERATION, explain, sync_file, sync_folder, write_durably

__all__ = ["backup", "reindex"]

_CHUNK = 4096
Progress = Callable[[int, int], None]


def reindex(
    txn: Transaction,
    verifier: VerifierKey,
    progress: Progress | None = None,
    notes: Iterable[bytes] = (),
) -> int:
    """Rebuild every derived table and value in this transaction; returns the number of units.

    The tree over the headers has to have the root that the last checkpoint signed: an index is not made from a log
    that was altered. Where the stored checkpoint is damaged, one of `notes` (the anchor's) may stand in for it.
    """
    size = txn.entries()
    note, checkpoint = _signed(txn, verifier, size, (txn.meta("checkpoint") or b"", *notes))
    txn.clear_derived()
    frontier = Frontier()
    authors = Authors()
    time = 0
    words: dict[str, int] = {}
    for start in range(0, size, _CHUNK):
        leaves = []
        for index in range(start, min(start + _CHUNK, size)):
            raw = txn.header(index)
            leaves.append(sha256(b"\0" + raw).digest())
            header = parse_header(raw)
            time = header.time
            if header.type not in (EntryType.EVENT, EntryType.RECORD):
                authors = _own_entry(txn, index, header, authors)
            if header.row_count:
                for row in _rows(txn, index, header):
                    words[row.subject] = row.state << STATE_SHIFT | index + 1
        txn.put_nodes(frontier.extend(leaves))
        if progress is not None:
            progress(min(start + _CHUNK, size), size)
    if frontier.root() != checkpoint.root:
        raise DataError(
            f"{txn.env.folder}: the log is not what was signed, so no index is made of it; run `tracechain verify`"
        )
    txn.put_meta("checkpoint", note)
    txn.put_meta("tip", Tip(frontier, time, epoch_of(checkpoint.origin)).encode())
    txn.put_meta("keys", authors.encode())
    return UnitIndex.rebuild(txn.env, txn.txn, _drain(words))


def _signed(txn: Transaction, verifier: VerifierKey, size: int, notes: Iterable[bytes]) -> tuple[bytes, Checkpoint]:
    """The first of the notes that the log key signed over a tree of this size."""
    said = ""
    for note in notes:
        try:
            checkpoint = open_checkpoint(note.decode(), verifier)
        except (CheckpointError, UnicodeDecodeError) as error:
            said = said or f"the checkpoint does not stand ({error})"
            continue
        if checkpoint.size == size:
            return note, checkpoint
        said = f"{size} headers, but {checkpoint.size} were signed"
    raise DataError(f"{txn.env.folder}: {said}; restore a backup")


def _drain(words: dict[str, int]) -> Iterator[tuple[str, int]]:
    """In order of first sight, which is the order of the dict."""
    yield from words.items()


def _rows(txn: Transaction, index: int, header: Header) -> tuple[Row, ...]:
    """The rows of an entry, held against its header: what is wrong here would be signed again and again."""
    part = txn.rows(index)
    if part is None:
        raise DataError(f"entry {index}: its rows are missing; run `tracechain verify`, restore a backup")
    rule_set, rows = decode_rows(part[SALT_SIZE:])
    before = [None if row.previous is None else txn.leaf(row.previous) for row in rows]
    if row_root(row_hashes(part[:SALT_SIZE], rule_set, rows, before)) != header.row_root:
        raise DataError(f"entry {index}: its rows are not those that its header names; run `tracechain verify`")
    return rows


def _own_entry(txn: Transaction, index: int, header: Header, authors: Authors) -> Authors:
    """Take up what statements, key records and evidence leave in derived tables."""
    part = txn.content(index)
    if part is None:
        raise DataError(f"entry {index}: its content is missing; run `tracechain verify`, restore a backup")
    kind, content = header.type, part[SALT_SIZE:]
    if content_commitment(part[:SALT_SIZE], content) != header.content_commitment:
        raise DataError(f"entry {index}: its content is not the one that its header names; run `tracechain verify`")
    if kind == EntryType.STATEMENT:
        statement = decode_statement(content)
        logged = Logged(statement.first, statement.count, index, statement.hash)
        txn.put_statement(statement.author_id, statement.first, logged.encode())
    elif kind == EntryType.KEY_AUTHORISED:
        record = KeyAuthorised.decode(content)
        return authors.with_author(Author(record.key, record.label, record.scope, index))
    elif kind == EntryType.KEY_REVOKED:
        return authors.without(KeyRevoked.decode(content).key_hash, index)
    elif kind == EntryType.EVIDENCE:
        statement_hash = sha256(Evidence.decode(content).message).digest()
        txn.put_meta(f"evidence {statement_hash.hex()}", index.to_bytes(8, "big"))
    return authors


def backup(store: Store, destination: Path) -> Path:
    """A compact copy of both environments, whole or not there at all."""
    if destination.exists():
        raise InputError(f"{destination} exists already: name a new folder for the backup")
    partial = destination.with_name(f".{destination.name}.partial")
    made = partial
    try:
        if partial.exists():
            shutil.rmtree(partial)  # of a backup that was interrupted
        for part in ("ledger", "vault"):
            (partial / part / FIRST_GENERATION).mkdir(parents=True)
        store.env.copy(partial / "ledger" / FIRST_GENERATION)
        store.vault.copy(partial / "vault" / FIRST_GENERATION)
        for part in ("ledger", "vault"):
            sync_file(partial / part / FIRST_GENERATION / "data.mdb")  # LMDB's copy does not
            sync_folder(partial / part / FIRST_GENERATION)
            write_durably(partial / part / "CURRENT", f"{FIRST_GENERATION}\n".encode())
        sync_folder(partial)
        made = partial.rename(destination)
        sync_folder(destination.parent)
    except BaseException as error:
        shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, OSError):
            raise StorageError(f"cannot back up to {destination}: {explain(error, destination.parent)}") from error
        raise
    return destination
