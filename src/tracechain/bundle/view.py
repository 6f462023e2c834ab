"""A whole bundle as a View: every function over a View runs on it as on the ledger it came from.

Headers, contents and rows come out of the files 256 at a time; some of these are kept. Tiles are not looked at: nothing
rests on them. Nor is there an index: whoever asks where a subject stands has the log replayed, once (`Replayed`).
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Final

from tracechain.bundle.container import Container, WrongFileError, open_container
from tracechain.bundle.kept import Kept
from tracechain.bundle.manifest import WHOLE_KIND, Manifest, read_manifest
from tracechain.bundle.names import (
    CHECKPOINT,
    CONTENTS,
    ENTRIES,
    ROWS,
    TILE_HEIGHT,
    TILE_WIDTH,
    WHOLE,
    Name,
    Tile,
    contents_name,
    entries_name,
    rows_name,
)
from tracechain.bundle.tiled import decode_headers, decode_parts, leaves_of
from tracechain.checkpoint import parse_checkpoint, parse_note
from tracechain.entry import HEADER_SIZE, SALT_SIZE, decode_rows
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.merkle import Frontier
from tracechain.replayed import Replayed
from tracechain.view import Block, Unit

__all__ = ["WholeView", "open_whole", "read_checkpoint", "view_of"]

Parts = Sequence[bytes | None]
#: A kind of files: its name, the name of one of them, what takes it apart.
_KINDS: Final[dict[str, tuple[Callable[[Tile], str], Callable[[bytes, int], Parts]]]] = {
    ENTRIES: (entries_name, decode_headers),
    CONTENTS: (contents_name, decode_parts),
    ROWS: (rows_name, decode_parts),
}
#: What is kept of each kind: files, and bytes of them.
_FILES_KEPT: Final = 64
_BYTES_KEPT: Final = 1 << 25
#: Files of which all headers are kept beside that, in one piece each: rows name entries anywhere before, and to read a
#: file for each would take longer than all else. These are two million entries in 256 MiB.
_HEADS_KEPT: Final = 1 << 13
_NOTE_CAP: Final = 1 << 16
#: What the subjects of the ledger's own records begin with.
_OWN: Final = "urn:tracechain:"


def read_checkpoint(container: Container) -> tuple[str, int] | None:
    """The note of a bundle and the size in it; None where it is not there. WrongFileError for one that cannot be read,
    CheckpointError for one that is malformed."""
    data = container.read(CHECKPOINT, _NOTE_CAP)
    if data is None:
        return None
    size = parse_checkpoint(parse_note(data).text).size
    return data.decode(), size


class WholeView:
    """A View over a container with the layout of a whole bundle. Not for sharing by threads at the same time.

    A file that is not there, or is of a wrong length or form, has no parts: `check_whole` says which. Without `nodes`
    it stores no subtrees: for who works the tree out anyway.
    """

    def __init__(self, container: Container, checkpoint: str, size: int, *, nodes: bool = True) -> None:
        self.container = container
        self.checkpoint = checkpoint
        self.size = size
        self._kept = {kind: Kept[Parts](_FILES_KEPT, _BYTES_KEPT) for kind in _KINDS}
        self._heads: OrderedDict[int, bytes] = OrderedDict()
        self._index: Replayed | None = None
        self._own: dict[str, Unit] | None = None
        self._with_nodes = nodes
        self._nodes: dict[tuple[int, int], bytes] | None = None
        self._notes: dict[str, list[int]] | None = None

    # ---- the log ----

    def header(self, index: int) -> bytes | None:
        """The 128 bytes of an entry's header."""
        if not 0 <= index < self.size:
            return None
        number, at = index >> TILE_HEIGHT, index % TILE_WIDTH * HEADER_SIZE
        heads = self._heads.get(number)
        if heads is None:
            heads = b"".join(part for part in self._file(ENTRIES, number) if part is not None)
            self._heads[number] = heads
            if len(self._heads) > _HEADS_KEPT:
                self._heads.popitem(last=False)
        return heads[at : at + HEADER_SIZE] or None

    def content(self, index: int) -> bytes | None:
        """Salt and content."""
        return self._part(CONTENTS, index)

    def parts(self, indices: Sequence[int]) -> list[tuple[bytes | None, bytes | None]]:
        """Content and rows of entries anywhere."""
        return [(self._part(CONTENTS, index), self._part(ROWS, index)) for index in indices]

    def rows(self, index: int) -> bytes | None:
        """Salt and rows."""
        return self._part(ROWS, index)

    def row_nodes(self, index: int) -> bytes | None:  # noqa: ARG002  the View's; a bundle has none
        """None are in a bundle: all rows are hashed."""
        return None

    def headers(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, header), ascending."""
        return self._range(ENTRIES, start, stop)

    def contents(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and content), ascending."""
        return self._range(CONTENTS, start, stop)

    def all_rows(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and rows), ascending."""
        return self._range(ROWS, start, stop)

    def block(self, start: int, stop: int) -> Block:
        """The three parts of every entry from `start` to `stop - 1`."""
        return self._column(ENTRIES, start, stop), self._column(CONTENTS, start, stop), self._column(ROWS, start, stop)

    def node(self, height: int, index: int) -> bytes | None:
        """A subtree as the headers give it, worked out when the first one is asked for; those of 256 entries and more.
        Tiles are for other programs."""
        if not self._with_nodes or height < TILE_HEIGHT:
            return None
        if self._nodes is None:
            tree, self._nodes = Frontier(), {}
            for start in range(0, self.size, TILE_WIDTH):
                headers = [one for _, one in self.headers(start, start + TILE_WIDTH)]
                if len(headers) < min(TILE_WIDTH, self.size - start):
                    break  # what is behind cannot be worked out
                found = tree.extend(leaves_of(headers))
                self._nodes |= {(high, at): value for high, at, value in found if high >= TILE_HEIGHT}
        return self._nodes.get((height, index))

    def witnessed(self) -> Iterator[tuple[int, str]]:
        """The witnessed notes, by size."""
        return self._noted("witnessed")

    def seal_notes(self) -> Iterator[tuple[int, str]]:
        """The seal notes, by size."""
        return self._noted("seals")

    # ---- the index ----

    def replayed(self, progress: Callable[[int, int], None] | None = None) -> Replayed:
        """The log with an index, worked out when somebody asks for the first time. DataError where that cannot be."""
        if self._index is None:
            self._index = Replayed.of(self, progress=progress)
        return self._index

    def unit(self, subject: str) -> Unit | None:
        """Where a subject stands."""
        if self._index is None and subject.startswith(_OWN):
            return self._own_units().get(subject)
        return self.replayed().unit(subject)

    def units(self) -> Iterator[tuple[str, Unit]]:
        """Every subject, in order of ids."""
        return self.replayed().units()

    def subjects(self, prefix: str) -> Iterator[tuple[str, Unit]]:
        """Every subject whose id begins with `prefix`, in order of ids."""
        if self._index is None and prefix.startswith(_OWN):
            return iter(sorted(one for one in self._own_units().items() if one[0].startswith(prefix)))
        return self.replayed().subjects(prefix)

    def memory(self, subject: str) -> int:
        """What the rules remember of a pack."""
        return self.replayed().memory(subject)

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to."""
        return self.replayed().spent(person, year)

    def words(self, subjects: Sequence[str], *, together: bool = False) -> list[tuple[int, int]]:
        """Where subjects stand, and what they are in."""
        return self.replayed().words(subjects, together=together)

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last."""
        return self.replayed().emptied(container)

    def mentions(self, name: str) -> Iterator[range]:
        """The entries that mention a name, run by run."""
        return self.replayed().mentions(name)

    def names(self, prefix: str) -> Iterator[str]:
        """The names that events mention and that begin with `prefix`."""
        return self.replayed().names(prefix)

    def _own_units(self) -> dict[str, Unit]:
        """The chains of seals, policies, prunings, keys and the like by the rows alone: who verifies begins with them,
        and to replay a log for that would be waste. Where such an id stands in rows, it stands there in one piece."""
        if self._own is None:
            self._own = {}
            sought = _OWN.encode()
            for index, part in self.all_rows(0, self.size):
                if sought in part:
                    with suppress(DataError):  # rows that are none are found by whoever verifies
                        for row in decode_rows(part[SALT_SIZE:])[1]:
                            if row.subject.startswith(_OWN):
                                self._own[row.subject] = Unit(index, row.state)
        return self._own

    # ---- files ----

    def _file(self, kind: str, number: int) -> Parts:
        """The parts in a file: as many as it has to have, None for those that are not there."""
        kept = self._kept[kind].get(number)
        if kept is not None:
            return kept
        name_of, decode = _KINDS[kind]
        tile = Tile(0, number, min(TILE_WIDTH, self.size - number * TILE_WIDTH))
        parts: Parts = [None] * tile.width
        length = 0
        try:
            data = self.container.read(name_of(tile), WHOLE.caps[kind])
            if data is not None:
                parts, length = decode(data, tile.width), len(data)
        except WrongFileError:
            pass  # it counts as not there, and is a finding of whoever checks the files
        self._kept[kind].put(number, parts, length)
        return parts

    def _part(self, kind: str, index: int) -> bytes | None:
        if not 0 <= index < self.size:
            return None
        return self._file(kind, index >> TILE_HEIGHT)[index % TILE_WIDTH]

    def _range(self, kind: str, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        start, stop = max(start, 0), min(stop, self.size)
        while start < stop:
            begin = start - start % TILE_WIDTH
            parts = self._file(kind, start >> TILE_HEIGHT)
            end = min(stop, begin + TILE_WIDTH)
            for index in range(start, end):
                part = parts[index - begin]
                if part is not None:
                    yield index, part
            start = end

    def _column(self, kind: str, start: int, stop: int) -> list[bytes | None]:
        found: list[bytes | None] = []
        at = start
        while at < min(stop, self.size):
            begin = at - at % TILE_WIDTH
            parts = self._file(kind, at >> TILE_HEIGHT)[at - begin : stop - begin]
            found += parts
            at += len(parts)
        return found + [None] * (stop - start - len(found))

    def _noted(self, kind: str) -> Iterator[tuple[int, str]]:
        if self._notes is None:
            self._notes = {"witnessed": [], "seals": []}
            for name in self.container.names():
                said = WHOLE.parse(name)
                if isinstance(said, Name) and said.kind in self._notes and said.index is not None:
                    self._notes[said.kind].append(said.index)
        for size in sorted(self._notes[kind]):
            try:
                data = self.container.read(f"{kind}/{size}", _NOTE_CAP)
            except WrongFileError:
                continue
            if data is not None:
                # What is no UTF-8 is malformed to whoever parses it.
                yield size, data.decode("utf-8", "surrogateescape")


@contextmanager
def open_whole(path: str | os.PathLike[str], *, nodes: bool = True) -> Iterator[WholeView]:
    """A whole bundle to be read; nothing is verified yet. UnreadableError for what is no bundle, InputError for an
    excerpt, CheckpointError where there is no checkpoint that could be read."""
    with open_container(path) as container:
        yield view_of(container, read_manifest(container), nodes=nodes)


def view_of(container: Container, manifest: Manifest, *, nodes: bool = True) -> WholeView:
    """The View of a container that is open."""
    if manifest.kind != WHOLE_KIND:
        raise InputError(f"{container.path} is an {manifest.kind} bundle: what is asked needs the whole log")
    try:
        found = read_checkpoint(container)
    except (WrongFileError, CheckpointError) as error:
        raise CheckpointError(f"{container.path}: {error}") from None
    if found is None:
        raise CheckpointError(f"{container.path}: there is no checkpoint in it")
    return WholeView(container, *found, nodes=nodes)
