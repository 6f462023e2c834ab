"""Verification of a ledger on disk: its log, its index, its anchor, in one process or several."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

from tracechain import merkle
from tracechain.checkpoint import VerifierKey, open_checkpoint
from tracechain.errors import CheckpointError, InputError, StorageError
from tracechain.ledger.anchor import Anchor
from tracechain.retention.policy import Policy
from tracechain.store import Snapshot, Store
from tracechain.verification import Code, Finding, Report, verify, verify_in_processes
from tracechain.view import ViewNodes
from tracechain.witnessing import WitnessPolicy

__all__ = ["verify_ledger"]


@contextlib.contextmanager
def open_snapshot(path: Path) -> Iterator[Snapshot]:
    """A snapshot of a ledger on disk, for this process alone."""
    store = Store(path, writable=False)
    try:
        with store.snapshot() as snapshot:
            yield snapshot
    finally:
        store.close()


def verify_ledger(
    path: str | os.PathLike[str],
    *,
    verifier: VerifierKey | None = None,
    since: str | None = None,
    processes: int = 1,
    index: bool = True,
    retention: Policy | None = None,
    now: int | None = None,
    witnesses: WitnessPolicy | None = None,
    auditors: Collection[VerifierKey] = (),
    anchor: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    most: int = 1000,
) -> Report:
    """Verify a ledger that no handle of this process has open; see verification.verify.

    More `processes` are started by spawning: a script calls this under `if __name__ == "__main__":`.
    With `anchor`, the anchor file is held against the log as well: a rollback or a fork is a finding.
    """
    folder = Path(path)
    if since is not None and processes > 1:
        raise InputError("what was added since a checkpoint is verified in one process: leave out the other option")
    if processes > 1:
        report = verify_in_processes(
            partial(open_snapshot, folder), processes, verifier=verifier, index=index, retention=retention, now=now,
            witnesses=witnesses, auditors=auditors, progress=progress, most=most,
        )  # fmt: skip
    else:
        with open_snapshot(folder) as snapshot:
            report = verify(
                snapshot, verifier=verifier, since=since, index=index, retention=retention, now=now,
                witnesses=witnesses, auditors=auditors, progress=progress, most=most,
            )  # fmt: skip
    if anchor is None:
        return report
    with open_snapshot(folder) as snapshot:
        found = _check_anchor(snapshot, Path(anchor), report)
    return report.with_findings(found)


def _check_anchor(snapshot: Snapshot, path: Path, report: Report) -> list[Finding]:
    anchor = Anchor(path)
    try:
        anchored = anchor.read()
    except StorageError as error:
        return [Finding(Code.ROLLBACK, None, str(error))]
    finally:
        anchor.close()
    if anchored is None:
        return [Finding(Code.ROLLBACK, None, f"the anchor {path} is missing, so a rollback would not be seen")]
    verifier = None if report.checkpoint is None else report.verifier
    if verifier is None:
        return []
    try:
        signed = open_checkpoint(anchored.note.decode(), verifier)
    except (CheckpointError, UnicodeDecodeError) as error:
        return [Finding(Code.FORK, None, f"the anchor is not signed by this log's key: {error}")]
    if signed.size > snapshot.size:
        words = f"the anchor signs {signed.size} entries, {snapshot.size} are there: an older copy was put back"
        return [Finding(Code.ROLLBACK, None, words)]
    if Code.ENTRY_MISSING in report.codes:
        return []  # there is no tree to compare
    if merkle.tree_root(ViewNodes(snapshot), signed.size) != signed.root:
        return [Finding(Code.FORK, None, f"the first {signed.size} entries are not those that the anchor signs")]
    return []
