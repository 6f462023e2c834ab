"""The guard at the door: does the database extend what was signed last (invariant 5 of the design)?"""

from __future__ import annotations

from attrs import frozen

from tracechain import merkle
from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from tracechain.errors import CheckpointError, DataError, ForkError, RollbackError
from tracechain.ledger.anchor import Anchored

__all__ = ["NodesError", "check_anchor"]


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
            f"{where}: its first {checkpoint.size} entries are not those that were signed: it was altered, or two copies"
            " were written to. Run `tracechain verify` and put the right database back"
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
