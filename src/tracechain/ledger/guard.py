"""The guard at the door: does the database extend what was signed last (invariant 5 of the design)?"""

from __future__ import annotations

import re

from tracechain import merkle
from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from tracechain.errors import CheckpointError, ForkError, RollbackError
from tracechain.ledger.anchor import Anchored

__all__ = ["check_anchor", "epoch_of"]

_EPOCH = re.compile(r"(?P<origin>.+)/epoch/(?P<epoch>[1-9][0-9]{0,8})")


def epoch_of(origin: str) -> int:
    """The epoch in a checkpoint's origin (format.md section 5.5)."""
    match = _EPOCH.fullmatch(origin)
    return int(match["epoch"]) if match else 0


def check_anchor(
    where: str, size: int, reader: merkle.NodeReader, anchored: Anchored | None, verifier: VerifierKey
) -> Checkpoint:
    """The anchored checkpoint, once it is clear that the database contains its tree.

    RollbackError where the database is behind it or there is no anchor, ForkError where the two contradict each other.
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
        raise ForkError(
            f"{where}: its first {checkpoint.size} entries are not those that were signed: it was altered, or two copies"
            " were written to. Run `tracechain verify` and put the right database back"
        )
    return checkpoint
