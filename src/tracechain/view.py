"""The View: the one narrow seam through which everything reads a ledger.

A live `Snapshot` (an LMDB read transaction), a bundle on disk and the `MemoryView` of a replay are Views, so a
pure function over a View gives the same answer on a live ledger and on what an auditor was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Protocol, runtime_checkable

from attrs import frozen

from tracechain import entry
from tracechain.errors import DataError

__all__ = ["AscendingLeaves", "Block", "Unit", "View", "ViewNodes", "ledger_id", "unit_history"]

_AHEAD = 4096


@frozen
class Unit:
    """Where a subject stands: index of its latest entry, and its state after that."""

    last: int
    state: int


#: Headers, contents (with salt) and rows (with salt) of neighbouring entries, None where one is missing.
Block = tuple[list[bytes | None], list[bytes | None], list[bytes | None]]


@runtime_checkable
class View(Protocol):
    """A ledger as of one moment. Missing parts are None; nothing here verifies anything."""

    @property
    def size(self) -> int:
        """Number of entries."""

    @property
    def checkpoint(self) -> str:
        """The signed note over this size, '' if there is none."""

    def header(self, index: int) -> bytes | None:
        """The 128 bytes of an entry's header."""

    def content(self, index: int) -> bytes | None:
        """Salt (32 bytes) and content."""

    def parts(self, indices: Sequence[int]) -> list[tuple[bytes | None, bytes | None]]:
        """Content and rows (with their salts) of entries anywhere, best in ascending order."""

    def rows(self, index: int) -> bytes | None:
        """Salt (32 bytes) and rows; None where the entry has none."""

    def row_nodes(self, index: int) -> bytes | None:
        """The nodes of an entry's row tree, one after the other (entry.row_nodes), if the view keeps them."""

    def headers(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, header) of the entries that are there, ascending, start <= index < stop."""

    def contents(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and content), likewise."""

    def all_rows(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and rows), likewise."""

    def block(self, start: int, stop: int) -> Block:
        """The three parts of every entry from `start` to `stop - 1`: the quick way to read many."""

    def node(self, height: int, index: int) -> bytes | None:
        """A stored subtree root, or None: see merkle.NodeReader."""

    def unit(self, subject: str) -> Unit | None:
        """The index's word on a subject, by its canonical id."""

    def units(self) -> Iterator[tuple[str, Unit]]:
        """Every subject the index knows."""

    def subjects(self, prefix: str) -> Iterator[tuple[str, Unit]]:
        """Those of them whose ids begin with `prefix`, in order of ids."""

    def memory(self, subject: str) -> int:
        """What the rules remember of a pack beside its state (rules.Past), 0 for nothing."""

    def spent(self, person: bytes, year: int) -> Decimal:
        """Yuan that a buyer's orders received in a year come to."""

    def words(self, subjects: Sequence[str], *, together: bool = False) -> list[tuple[int, int]]:
        """For each subject where it stands (state x 2^40 + 1 + index of its latest entry, 0 if unknown), and its word
        of packing (rules.packing): the quick way to look up many. `together`: one entry brought all of them into the
        ledger, and they are in the order of its rows."""

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last in the log, 0 for none."""

    def mentions(self, name: str) -> Iterator[range]:
        """The entries whose events mention a name (rules.mentions): runs of indices, ascending."""

    def names(self, prefix: str) -> Iterator[str]:
        """The names that events mention and that begin with `prefix`, ascending."""

    def witnessed(self) -> Iterator[tuple[int, str]]:
        """(size, note) of the witnessed notes that are kept beside the log (format.md section 10.1), by size."""

    def seal_notes(self) -> Iterator[tuple[int, str]]:
        """(size, note) of the seal notes that auditors signed (format.md section 5.12), by size."""


@frozen
class ViewNodes:
    """A merkle.NodeReader over a View: leaves are hashed from the headers, never trusted."""

    view: View

    def leaf(self, index: int) -> bytes:
        """The leaf hash of an entry; DataError if its header is missing."""
        header = self.view.header(index)
        if header is None:
            raise DataError(f"entry {index}: its header is missing, so the tree cannot be computed")
        return sha256(b"\0" + header).digest()

    def node(self, height: int, index: int) -> bytes | None:
        """The stored subtree root, which is as good as the store it comes from."""
        return self.view.node(height, index)


class AscendingLeaves:
    """Leaves of many entries that are asked for in ascending order: headers are read in blocks."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._start = 0
        self._block: list[bytes | None] = []

    def leaf(self, index: int) -> bytes:
        """The leaf hash of an entry; DataError if its header is missing."""
        at = index - self._start
        if not 0 <= at < len(self._block):
            found = dict(self._view.headers(index, index + _AHEAD))
            self._start, self._block, at = index, [found.get(one) for one in range(index, index + _AHEAD)], 0
        header = self._block[at]
        if header is None:
            raise DataError(f"entry {index}: its header is missing, so the tree cannot be computed")
        return sha256(b"\0" + header).digest()


def ledger_id(view: View) -> bytes:
    """The ledger id: the leaf of entry 0 (format.md section 2.1)."""
    return ViewNodes(view).leaf(0)


def unit_history(view: View, subject: str) -> list[int]:
    """The indices of a subject's entries, oldest first, by following its rows back from the index.

    Iterates, and stops at a link that does not lead backwards; DataError where a row is missing.
    """
    unit = view.unit(subject)
    history: list[int] = []
    at = None if unit is None else unit.last
    while at is not None:
        if history and at >= history[-1]:
            raise DataError(f"{subject}: the row in entry {history[-1]} points forward to {at}")
        history.append(at)
        part = view.rows(at)
        if part is None:
            raise DataError(f"{subject}: the rows of entry {at} are missing")
        _, rows = entry.decode_rows(part[entry.SALT_SIZE :])
        for row in rows:
            if row.subject == subject:
                at = row.previous
                break
        else:
            raise DataError(f"{subject}: entry {at} has no row of it")
    history.reverse()
    return history
