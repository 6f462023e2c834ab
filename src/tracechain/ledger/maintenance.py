"""Reindex and backup: what keeps a ledger well without changing what it says."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from attrs import define, field

from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from tracechain.custody import ACT_MASK, PILOT, PLAIN, Act, Outcome
from tracechain.derivation import STATE_SHIFT
from tracechain.encoding import decode
from tracechain.entry import (
    ROW_BLOCK,
    SALT_SIZE,
    EntryType,
    Header,
    Row,
    content_commitment,
    decode_rows,
    parse_header,
    row_hashes,
    row_nodes,
    row_root,
)
from tracechain.errors import CheckpointError, DataError, InputError, StorageError, TracechainError
from tracechain.event import Event
from tracechain.ledger.authors import Author, Authors, Logged
from tracechain.ledger.tracks import TIMES_BLOCK, add_runs
from tracechain.merkle import Frontier
from tracechain.record import Evidence, KeyAuthorised, KeyRevoked, decode_record, epoch_of
from tracechain.registers import KINDS, Profile, RecallStep
from tracechain.retention.keeping import policy_of
from tracechain.retention.records import DONE, ERASED
from tracechain.rules import MADE, TELLING, Notes, Standing, packing, remember, shanghai_year, spend
from tracechain.statement import decode_statement
from tracechain.store import Store, Tip, Transaction, UnitIndex
from tracechain.store.files import FIRST_GENERATION, explain, sync_file, sync_folder, write_durably
from tracechain.store.tables import MEMORY, PACKED, key_of

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
    memories, registers = _Memories(txn), _Registers()
    for start in range(0, size, _CHUNK):
        leaves = []
        for index in range(start, min(start + _CHUNK, size)):
            raw = txn.header(index)
            leaves.append(sha256(b"\0" + raw).digest())
            header = parse_header(raw)
            time = header.time
            if header.type not in (EntryType.EVENT, EntryType.RECORD):
                authors = _own_entry(txn, index, header, authors)
            if header.type == EntryType.RECORD:
                registers.take(index, _content(txn, index, header))
            # What a sensor measured by itself has no rows, and is looked for all the same.
            rule_set, rows = _rows(txn, index, header) if header.row_count else (PLAIN, ())
            if header.type != EntryType.EVENT:
                memories.note(header, rows)
            elif (part := txn.content(index)) is not None:
                memories.follow(index, header, decode(part[SALT_SIZE:]), rule_set, rows, words)
            else:
                for row in rows:
                    memories.lose(row.subject)
            for row in rows:
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
    least = shanghai_year(time) - 1  # what was spent before counts no more (docs/format.md section 7.3)
    txn.put_spent({key: yuan for key, yuan in memories.spending.items() if key[1] >= least})
    txn.put_emptied(memories.emptyings)
    txn.put_times(memories.latest)
    txn.put_mentions((name, start, count) for name, found in memories.mentions.items() for start, count in found)
    for name, at in registers.places.items():
        txn.put_meta(name, at)
    others = {MEMORY: memories.memories, PACKED: memories.packings}
    return UnitIndex.rebuild(txn.env, txn.txn, _drain(words), others)


@define
class _Memories(Notes):
    """What the rules remember of packs and buyers, folded from rows whose outcome is known: a rules.Past."""

    _txn: Transaction
    #: Latest claimed times of blocks of entries, and names with the runs of entries that mention them.
    latest: dict[int, int] = field(factory=dict)
    mentions: dict[str, list[list[int]]] = field(factory=dict)

    def note(self, header: Header, rows: tuple[Row, ...]) -> None:
        """Take the next entry, which is no event: the subject of a record is no plain fact."""
        for row in rows if header.type == EntryType.RECORD else ():
            packing.tangle(self, row.subject)

    def follow(
        self, index: int, header: Header, event: Event, rule_set: int, rows: tuple[Row, ...], words: dict[str, int]
    ) -> None:
        """Take the next event and its rows, by which it was judged; `words` say where its subjects stood before."""
        if rows and event.event_time <= header.time * 1_000_000 + packing.AFTER_RECEIPT:
            block = index // TIMES_BLOCK
            self.latest[block] = max(self.latest.get(block, event.event_time), event.event_time)
        add_runs(self.mentions, (event,), index)
        befores = [words.get(row.subject, 0) >> STATE_SHIFT for row in rows]
        outcomes = [(row.state, row.violations) for row in rows]
        if rule_set == PILOT:
            self._remember(index, header, event, rows, befores, outcomes)
        acts = [(row.subject, row.act) for row in rows]
        self.track(index, event, header.time, acts, befores, outcomes, {row.subject for row in rows})

    def _remember(
        self,
        index: int,
        header: Header,
        event: Event,
        rows: tuple[Row, ...],
        befores: list[int],
        outcomes: list[Outcome],
    ) -> None:
        """What the next entry leaves in memories and accounts."""
        lawful = [
            (row, state) for row, state in zip(rows, befores, strict=True) if not row.violations and row.act > Act.NOTE
        ]
        source: int | None = None
        # What is made comes after what it was made of.
        for row, state in sorted(lawful, key=lambda one: one[0].act & ACT_MASK in MADE):
            if row.act in (Act.RELABEL_OLD, Act.CONSUME):
                source = self.memory(row.subject) if source is None else source
            remember(self, row.subject, index, event, row.act, state, source or 0, self.memory(row.subject))
        if any(row.act & ACT_MASK in TELLING for row, _ in lawful):
            changes = [
                (row.subject, row.subject, row.act, state, outcome)
                for row, state, outcome in zip(rows, befores, outcomes, strict=True)
            ]
            spend(self, shanghai_year(header.time), event, changes)

    def stated(self, index: int) -> tuple[bytes, bytes | None]:
        """Header and content of an earlier entry: what a pack's order came to."""
        part = self._txn.content(index)
        return self._txn.header(index), None if part is None else part[SALT_SIZE:]

    def former(self, subject: str, key: str, last: int) -> int | None:
        """Nothing is judged again here, so nobody looks back."""
        raise AssertionError(subject, key, last)


class _Registers:
    """Where the last register record, the profile in force, the records that opened the recalls that are open, the
    retention policy in force and the last pruning are: name in meta -> indices as stored."""

    def __init__(self) -> None:
        self.places: dict[str, bytes] = {}
        self._standing = Standing()

    def take(self, index: int, content: bytes | None) -> None:
        """Take the next record."""
        if content is None:
            return
        found = decode_record(content)
        if found.kind in KINDS:
            self.places["registers"] = key_of(index)
        elif found.kind in {DONE, ERASED}:
            self.places["pruned" if found.kind == DONE else ERASED] = key_of(index)
        elif policy_of(found) is not None:
            self.places["retention"] = key_of(index)
        if found.kind in {Profile.KIND, RecallStep.KIND}:
            with contextlib.suppress(TracechainError):  # one that could not follow was never in force
                self._standing.take(index, found)
                if found.kind == Profile.KIND:
                    self.places["profile"] = key_of(index)
                else:
                    self.places["recalls"] = b"".join(map(key_of, self._standing.opened.values()))


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


def _rows(txn: Transaction, index: int, header: Header) -> tuple[int, tuple[Row, ...]]:
    """The rows of an entry, held against its header: what is wrong here would be signed again and again."""
    part = txn.rows(index)
    if part is None and header.type == EntryType.EVENT and txn.content(index) is None:
        return PLAIN, ()  # it went (docs/format.md section 7.5)
    if part is None:
        raise DataError(f"entry {index}: its rows are missing; run `tracechain verify`, restore a backup")
    rule_set, rows = decode_rows(part[SALT_SIZE:])
    before = [None if row.previous is None else txn.leaf(row.previous) for row in rows]
    hashes = row_hashes(part[:SALT_SIZE], rule_set, rows, before)
    if row_root(hashes) != header.row_root:
        raise DataError(f"entry {index}: its rows are not those that its header names; run `tracechain verify`")
    if len(hashes) > ROW_BLOCK:
        txn.put_row_nodes([(key_of(index), b"".join(row_nodes(hashes)))])
    return rule_set, rows


def _content(txn: Transaction, index: int, header: Header) -> bytes | None:
    """The content of an entry if it is kept, held against its header."""
    part = txn.content(index)
    if part is None:
        return None
    if content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]) != header.content_commitment:
        raise DataError(f"entry {index}: its content is not the one that its header names; run `tracechain verify`")
    return part[SALT_SIZE:]


def _own_entry(txn: Transaction, index: int, header: Header, authors: Authors) -> Authors:
    """Take up what statements, key records and evidence leave in derived tables."""
    kind, content = header.type, _content(txn, index, header)
    if content is None:
        raise DataError(f"entry {index}: its content is missing; run `tracechain verify`, restore a backup")
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
        store.copy(partial / "ledger" / FIRST_GENERATION)
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
