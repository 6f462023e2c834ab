"""Working a seal's map out of a log: what an auditor does, and who proves by a seal that is not the latest.

Rows say where each subject stood. They are taken as they are, so the log is verified before, or the outcome is held
against a seal that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, cast

from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.encoding import pack, unpack_raw
from tracechain.entry import MAX_ROWS, SALT_SIZE
from tracechain.errors import DataError
from tracechain.seals.body import SealBody
from tracechain.seals.items import Item
from tracechain.seals.maps import Prover, SealMap
from tracechain.view import Unit, View, ViewNodes

__all__ = ["Leaves", "item_hashes", "prover_of", "row_words", "units_map", "words_at"]

Progress = Callable[[int, int], None]
#: State x 2^40 + 1 + index of the latest entry.
Word = int
#: Indices at most so far apart are read together with what is between.
_NEAR = 8
_RUN = 4096


def row_words(index: int, part: bytes) -> Iterator[tuple[str, Word]]:
    """Where an entry's rows (with their salt) leave their subjects. DataError for what are no rows."""
    groups = unpack_raw(part[SALT_SIZE:], max_bytes=MAX_ROWS)
    after = index + 1
    try:
        for group in cast("tuple[tuple[Any, ...], ...]", groups)[1:]:
            prefix = group[0]
            for suffix, state in zip(group[1::5], group[4::5], strict=True):
                subject = prefix + suffix
                if type(subject) is not str or type(state) is not int or state < 0:
                    raise TypeError(f"a row of {subject!r:.80} with state {state!r:.80}")
                yield subject, state << STATE_SHIFT | after
    except (TypeError, IndexError, ValueError) as error:
        raise DataError(f"entry {index}: its rows cannot be read ({error}); run `tracechain verify`") from error


def words_at(view: View, size: int, progress: Progress | None = None) -> dict[str, Word]:
    """Where every subject stood after the first `size` entries, as far as rows are there."""
    words: dict[str, Word] = {}
    for index, part in view.all_rows(0, size):
        words.update(row_words(index, part))
        if progress is not None and index % 4096 == 0:
            progress(index, size)
    if progress is not None:
        progress(size, size)
    return words


class Leaves:
    """The leaves of some entries, read in ascending order, neighbours together."""

    def __init__(self, view: View, indices: Iterable[int]) -> None:
        self._view = view
        self._wanted = sorted(set(indices))

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """(index, leaf), ascending; DataError where a header is missing."""
        wanted, start = self._wanted, 0
        while start < len(wanted):
            stop, first = start + 1, wanted[start]
            while stop < len(wanted) and wanted[stop] - wanted[stop - 1] <= _NEAR and wanted[stop] - first < _RUN:
                stop += 1
            here = wanted[start:stop]
            if len(here) == 1:
                header = self._view.header(first)
                found = {} if header is None else {first: header}
            else:
                found = dict(self._view.headers(first, here[-1] + 1))
            for index in here:
                if index not in found:
                    raise DataError(f"entry {index}: its header is missing; run `tracechain verify`")
                yield index, sha256(b"\0" + found[index]).digest()
            start = stop


def item_hashes(view: View, words: Mapping[str, Word]) -> dict[str, bytes]:
    """The hashes of items by id (items.item_hash), of subjects that stand so, for `SealMap.update`."""
    subjects = sorted(words, key=lambda subject: words[subject] & INDEX_MASK)
    leaves = iter(Leaves(view, (word_index(word) for word in words.values())))
    at, leaf = -1, b""
    hashes = {}
    for subject in subjects:
        word = words[subject]
        last = word_index(word)
        while at != last:
            at, leaf = next(leaves)
        hashes[subject] = sha256(b"\0" + pack((subject, last, leaf, word >> STATE_SHIFT))).digest()
    return hashes


def word_index(word: Word) -> int:
    """The index of the latest entry."""
    return (word & INDEX_MASK) - 1


def units_map(view: View, units: Mapping[str, Unit]) -> SealMap:
    """The map of all subjects of a log that stand so (such as `replay.State.units`): `root()` of it is what a seal of
    that size says."""
    made = SealMap()
    made.update(item_hashes(view, {one: unit.state << STATE_SHIFT | unit.last + 1 for one, unit in units.items()}))
    return made


def prover_of(view: View, seal: SealBody, progress: Progress | None = None) -> Prover:
    """Who proves by any seal of a log, from its rows alone: reads all of them up to the seal's size.

    DataError where the map that comes out is not the sealed one: rows that it rested on were pruned since, or the seal
    is wrong.
    """
    words = words_at(view, seal.size, progress)
    made = SealMap()
    made.update(item_hashes(view, words))
    nodes = ViewNodes(view)

    def item_of(subject: str) -> Item:
        last = word_index(words[subject])
        return Item(subject, last, nodes.leaf(last), words[subject] >> STATE_SHIFT)

    prover = made.prover(item_of)
    if prover.root != (seal.ids, seal.map_root):
        raise DataError(f"the map of the seal of {seal.size} entries cannot be worked out: {_why(view, seal)}")
    return prover


def _why(view: View, seal: SealBody) -> str:
    """Why the map of a seal does not come out."""
    lost = sum(header[40:44] != bytes(4) and view.rows(index) is None for index, header in view.headers(0, seal.size))
    if lost:
        return f"the rows of {lost} of these entries were pruned since; prove by a later seal"
    return "all rows are there, so the seal does not say what the log says; run `tracechain verify`"
