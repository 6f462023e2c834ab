"""Losses that are settled: the epoch that a settlement names has to be in the log (format.md section 5.6)."""

from __future__ import annotations

from collections.abc import Iterator

from tracechain import record
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import InputError
from tracechain.ledger.commit import Batch
from tracechain.merkle import leaf_hash
from tracechain.record import EpochRecord, Genesis
from tracechain.store import Snapshot

__all__ = ["check_settlements", "epoch_leaf"]

_CHUNK = 4096


def epoch_leaf(snapshot: Snapshot, epoch: int) -> bytes:
    """The leaf hash of an epoch's entry; InputError where the log has no such entry.

    Reads headers from the end back to it: what a loss is settled for is near the end as a rule.
    """
    last = snapshot.tip.epoch
    if 0 < epoch <= last:
        for begun, leaf in _epochs(snapshot):
            if begun == epoch:
                return leaf
            if begun < epoch:
                break
    raise InputError(
        f"this log has no entry that begins epoch {epoch}: "
        + (f"its last one begins epoch {last}; see EPOCH_LOST in `tracechain verify`" if last else "nothing was lost")
    )


def _epochs(snapshot: Snapshot) -> Iterator[tuple[int, bytes]]:
    """(epoch, leaf of its entry), newest first: numbers decrease."""
    for stop in range(snapshot.size, 0, -_CHUNK):
        headers = list(snapshot.headers(max(0, stop - _CHUNK), stop))
        for index, header in reversed(headers):
            part = snapshot.content(index) if header[4] == EntryType.EPOCH else None
            if part is not None:
                yield EpochRecord.decode(part[SALT_SIZE:]).epoch, leaf_hash(header)


def check_settlements(batch: Batch, snapshot: Snapshot, ledger_id: bytes, genesis: Genesis) -> None:
    """Refuse a record that settles a loss without the root's signature, or one that this log does not have.

    Logged, it would be a finding for ever. InputError, DecodeError or SignatureError.
    """
    leaves: dict[int, bytes] = {}  # one search for an epoch, however often a batch names it
    for kind, part in zip(batch.types, batch.parts, strict=True):
        content = record.decode_record(part[SALT_SIZE:]) if kind == EntryType.RECORD else None
        if content is None or content.kind not in record.SETTLING:
            continue
        about = record.check_settled(ledger_id, content, genesis.roots)
        if content.kind == "epoch-settled":
            epoch, leaf, _ = about
            if epoch not in leaves:
                leaves[epoch] = epoch_leaf(snapshot, epoch)
            if leaves[epoch] != leaf:
                raise InputError(
                    f"the settlement names epoch {epoch} with leaf {leaf.hex()[:16]}, which is not in this log: it was"
                    " signed for another loss"
                )
