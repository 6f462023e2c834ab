"""What a log says of itself that notes are held against: its roots, its epochs."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DataError
from tracechain.merkle import Frontier
from tracechain.record import EpochRecord
from tracechain.view import View

__all__ = ["epochs_of", "roots_at"]

_CHUNK = 4096
_EPOCH = bytes([EntryType.EPOCH])


def roots_at(view: View, sizes: Iterable[int]) -> dict[int, bytes]:
    """The roots that the log's tree had at some sizes, from its headers alone, in one pass; those up to the first
    header that is missing."""
    roots: dict[int, bytes] = {}
    tree = Frontier()
    for size in sorted(set(sizes)):
        while tree.size < size:
            stop = min(size, tree.size + _CHUNK)
            leaves = [sha256(b"\0" + header).digest() for _, header in view.headers(tree.size, stop)]
            if len(leaves) < stop - tree.size:
                return roots
            tree.extend(leaves)
        roots[size] = tree.root()
    return roots


def epochs_of(view: View) -> tuple[tuple[int, EpochRecord], ...]:
    """The epoch entries of a log (index, record), by its headers; those that can be read."""
    found = []
    for index, header in view.headers(0, view.size):
        if header[4:5] == _EPOCH:
            try:
                found.append((index, EpochRecord.decode((view.content(index) or b"")[SALT_SIZE:])))
            except DataError:
                continue  # verification says so
    return tuple(found)
