"""A ledger and its witnesses: what they are asked, and what they gave back (docs/format.md section 10.1).

Cosigned notes lie beside the log, one for each tree size. The ledger holds each against its tree before it keeps it;
whose cosignatures count is for others to say, so it keeps lines of keys that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve, frozen

from tracechain import merkle
from tracechain.checkpoint import Checkpoint, Note, VerifierKey, format_note, parse_note
from tracechain.errors import CheckpointError, ForkError, InputError, RollbackError
from tracechain.store import Snapshot, Store
from tracechain.view import ViewNodes
from tracechain.witnessing import (
    Place,
    Request,
    add_answer,
    cosignatures,
    epochs_of,
    make_loss,
    open_witnessed,
    place_of,
)

__all__ = ["Added", "Asked", "Witnesses"]


@frozen
class Asked:
    """What a witness is handed: the request, and where it signed entries that were lost since, the epoch entry that
    says so (as `check_request` takes it)."""

    request: Request
    shown: str | None = None


@frozen
class Added:
    """What came of a note: the tree size, the names of keys whose lines are new, all of the note that is kept now."""

    size: int
    new: tuple[str, ...]
    note: str


class Witnesses:
    """What a ledger does with witnesses: `Ledger.witnessed`."""

    def __init__(self, store: Store, log: VerifierKey, ready: Callable[[], object]) -> None:
        self._store = store
        self._log = log
        self._ready = ready

    def notes(self) -> tuple[tuple[int, str], ...]:
        """(size, note) of the notes that are kept, by size."""
        with self._store.snapshot() as snapshot:
            return tuple(snapshot.witnessed())

    def request(self, old: int | str | None = None, *, witness: VerifierKey | None = None) -> Asked:
        """Ask for a cosignature of the last checkpoint.

        `old` is what the witness signed last: its size (0 for nothing), or the note. Without it the largest note that
        is kept, and that `witness` cosigned, if it is named. Where a note was lost with a backup since, the epoch entry
        is shown. RollbackError or ForkError for a note that this ledger does not extend.
        """
        with self._store.snapshot() as snapshot:
            if old is None:
                old = self._last(snapshot, witness)
            if isinstance(old, str):
                return self._from_note(snapshot, old)
            if not 0 <= old <= snapshot.size:
                raise InputError(
                    f"the ledger has {snapshot.size} entries, and {old} were signed: give the note that was signed, for"
                    " entries may have been lost"
                )
            return Asked(_request(snapshot, old))

    def add(self, answer: str, *, asked: str | None = None, witnesses: Iterable[VerifierKey] = ()) -> Added:
        """Keep a cosigned note of this ledger, or the cosignature lines for the note that was `asked`; durable.

        Lines of one size are put together, of a key the one that came first. Those of `witnesses` have to stand, and
        replace lines of theirs that do not. CheckpointError, RollbackError or ForkError for a note that is not of this
        ledger; InputError for one that nobody cosigned.
        """
        self._ready()
        known = tuple(witnesses)
        text = answer if asked is None else add_answer(asked, answer)
        if asked is None and answer.startswith("\N{EM DASH} "):
            raise InputError("the answer is a cosignature without its note: name the request that it answers, too")
        note, checkpoint = open_witnessed(text, self._log)
        wrong = cosignatures(note, known).wrong
        if wrong:
            raise CheckpointError(f"the note of {checkpoint.size} entries is not kept: {wrong[0]}")
        own = (self._log.name, self._log.key_id)
        if all((line.name, line.key_id) == own for line in note.signatures):
            raise InputError(
                f"nobody cosigned the note of {checkpoint.size} entries: it has only the ledger's own line"
            )
        with self._store.lock.held():
            with self._store.snapshot() as snapshot:
                self._hold(snapshot, checkpoint)
                before = snapshot.witnessed_note(checkpoint.size)
            kept, new = self._merged(before, note, known)
            if new:
                with self._store.write() as txn:
                    txn.put_witnessed(checkpoint.size, kept.encode())
        return Added(checkpoint.size, new, kept)

    def _merged(self, before: str | None, note: Note, known: tuple[VerifierKey, ...]) -> tuple[str, tuple[str, ...]]:
        """The note to keep, and whose lines are new in it."""
        try:
            kept = None if before is None else open_witnessed(before, self._log)[0]
        except CheckpointError:
            kept = None  # damaged: what comes in its place is whole
        if kept is None or kept.text != note.text:
            own = (self._log.name, self._log.key_id)
            names = tuple(line.name for line in note.signatures if (line.name, line.key_id) != own)
            return format_note(note), names
        stand = {(key.name, key.key_id) for key, _ in cosignatures(kept, known).times}
        doubtful = {(key.name, key.key_id) for key in known} - stand
        given = {(line.name, line.key_id): line for line in note.signatures}
        lines = [line for line in kept.signatures if (line.name, line.key_id) not in doubtful & given.keys()]
        there = {(line.name, line.key_id) for line in lines}
        new = [line for who, line in given.items() if who not in there]
        merged = evolve(kept, signatures=(*lines, *new))
        return format_note(merged), tuple(line.name for line in new)

    def _last(self, snapshot: Snapshot, witness: VerifierKey | None) -> str | int:
        """The largest note that is kept, and that a witness cosigned."""
        for _, text in reversed(list(snapshot.witnessed())):
            if witness is None or cosignatures(parse_note(text), [witness]).times:
                return text
        return 0

    def _from_note(self, snapshot: Snapshot, text: str) -> Asked:
        _, checkpoint = open_witnessed(text, self._log)
        epochs = epochs_of(snapshot) if snapshot.tip.epoch else ()
        if place_of(checkpoint, snapshot.size, epochs) is Place.LOST:
            begun = next(index for index, epoch in epochs if epoch.size < checkpoint.size <= epoch.lost_end)
            return Asked(Request(checkpoint.size, (), snapshot.checkpoint), make_loss(snapshot, begun))
        self._hold(snapshot, checkpoint)
        return Asked(_request(snapshot, checkpoint.size))

    def _hold(self, snapshot: Snapshot, checkpoint: Checkpoint) -> None:
        """Hold a checkpoint of this log against what is there."""
        size = checkpoint.size
        match place_of(checkpoint, snapshot.size, epochs_of(snapshot) if snapshot.tip.epoch else ()):
            case Place.AHEAD:
                raise RollbackError(
                    f"the note is of {size} entries, and this ledger has {snapshot.size}: it is an older"
                    " copy, or one that went on by itself; keep the note"
                )
            case Place.LOST:
                raise InputError(
                    f"the note of {size} entries signs some that were lost with a backup: it shows nothing of this log,"
                    " so it is not kept here; keep it yourself"
                )
            case Place.HELD if merkle.tree_root(ViewNodes(snapshot), size) == checkpoint.root:
                return
            case _:
                raise ForkError(
                    f"FORK: the note of {size} entries is signed by this ledger's key, and not of this log: there is"
                    " another copy that goes on by itself; keep the note, and verify both"
                )


def _request(snapshot: Snapshot, old: int) -> Request:
    hashes = merkle.prove_consistency(ViewNodes(snapshot), old, snapshot.size)
    return Request(old, tuple(hashes), snapshot.checkpoint)
