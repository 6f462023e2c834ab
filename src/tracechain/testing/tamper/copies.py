"""Tamperings with whole copies: nothing in a copy is wrong, but it is not the newest, or not the only one."""

from __future__ import annotations

import shutil
from pathlib import Path

from tracechain.ledger import anchor_path
from tracechain.testing.standins import Keys
from tracechain.testing.tamper.database import edit, resign

__all__ = ["drop_tail", "duplicate", "put_back"]


def duplicate(path: Path, copy: Path) -> Path:
    """Copy a closed ledger with its anchor, as whoever has the disk can. Write to both, and the log is forked."""
    shutil.copytree(path, copy)
    shutil.copy(anchor_path(path), anchor_path(copy))
    return copy


def put_back(path: Path, copy: Path) -> None:
    """Put the database of a copy in the place of the ledger's own; the ledger's anchor stays.

    An older copy is a rollback; a copy that was written to differently is a fork.
    """
    shutil.rmtree(path)
    shutil.copytree(copy, path)


def drop_tail(path: Path, entries: int, *, anchored: bool = False) -> None:
    """Cut the last entries off, and make tip, index and checkpoint fit, signed with the log key.

    The anchor stays, unless told otherwise; with that, only who kept a later checkpoint can tell.
    """
    with edit(path) as log:
        for parts in (log.headers, log.contents, log.rows):
            del parts[-entries:]
    resign(path, Keys().log, anchored=anchored)
