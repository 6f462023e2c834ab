"""The guard at the door: does the database extend what was signed last (invariant 5 of the design)?"""

from __future__ import annotations

import contextlib

from attrs import frozen

from tracechain import merkle
from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from tracechain.entry import SALT_SIZE, EntryType, parse_header
from tracechain.errors import CheckpointError, DataError, ForkError, InputError, RollbackError
from tracechain.ledger.anchor import Anchored
from tracechain.record import EpochRecord, epoch_of
from tracechain.view import View, ViewNodes

__all__ = ["NodesError", "begin_epoch", "check_anchor"]


def check_anchor(
    where: str, size: int, reader: merkle.NodeReader, anchored: Anchored | None, verifier: VerifierKey
) -> Checkpoint:
    """The anchored checkpoint, once it is clear that the database contains its tree.

    RollbackError where the database is behind it or there is no anchor, ForkError where the two contradict each other,
    NodesError where only stored tree nodes are at fault.
    """
    if anchored is None:
        raise RollbackError(
            f"{where}: its anchor is missing, so nobody can tell whether this is the newest state: put the anchor file"
            " back beside the ledger, or go on as a new epoch with `tracechain restore`"
        )
    try:
        checkpoint = open_checkpoint(anchored.note.decode(), verifier)
    except CheckpointError as error:
        raise ForkError(
            f"{where}: the anchor was signed by another key ({error}): it belongs to another ledger"
        ) from error
    if size < checkpoint.size:
        raise RollbackError(
            f"{where} has {size} entries, but {checkpoint.size} were signed: an older copy was put back, or the tail is"
            " gone. Put the newer database back, or go on as a new epoch with `tracechain restore`"
        )
    if merkle.tree_root(reader, checkpoint.size) != checkpoint.root:
        if merkle.tree_root(_Leaves(reader), checkpoint.size) == checkpoint.root:
            raise NodesError(f"{where}: stored nodes of its tree are damaged, its log is not; run `tracechain reindex`")
        raise ForkError(
            f"{where}: its first {checkpoint.size} entries are not those that were signed: it was altered, or two"
            " copies were written to. Run `tracechain verify` and put the right database back"
        )
    return checkpoint


class NodesError(DataError):
    """Stored nodes of the tree are not those of the log, which itself is sound."""


@frozen
class _Leaves:
    """A merkle.NodeReader that trusts no stored node."""

    reader: merkle.NodeReader

    def leaf(self, index: int) -> bytes:
        return self.reader.leaf(index)

    def node(self, height: int, index: int) -> None:  # noqa: ARG002  # the Protocol's
        return None


def begin_epoch(
    where: str, view: View, anchored: Anchored | None, verifier: VerifierKey, reason: str
) -> EpochRecord | None:
    """The record with which a restored backup goes on (format.md section 5.5).

    None where a restore was interrupted after its commit: its epoch has begun, only the anchor does not know it yet.
    InputError where nothing is lost, ForkError where the database contradicts the anchor.
    """
    size, note = view.size, view.checkpoint.encode()
    own = open_checkpoint(note.decode(), verifier)
    # From the leaves: what goes on will be signed, and a backup's stored nodes are anybody's.
    root = merkle.tree_root(_Leaves(ViewNodes(view)), size)
    if (own.size, own.root) != (size, root):
        raise ForkError(
            f"{where}: its {size} entries are not those that its own checkpoint signed: the backup was altered; run"
            " `tracechain verify` and put a true one back"
        )
    if anchored is not None:
        with contextlib.suppress(RollbackError):
            check_anchor(where, size, ViewNodes(view), anchored, verifier)
            raise InputError(f"{where} is as new as its anchor: nothing is lost, open it as usual")
        header, part = view.header(size - 1), view.content(size - 1)
        if header is not None and part is not None and parse_header(header).type == EntryType.EPOCH:
            begun = EpochRecord.decode(part[SALT_SIZE:])
            if begun.note == anchored.note:
                return None
        note = anchored.note
    last = parse_checkpoint(parse_note(note).text)
    return EpochRecord(1 + epoch_of(last.origin), size, root, last.size, note, reason)
