"""Writing a whole bundle from a view: 256 entries at a time, while the ledger goes on (docs/format.md section 15.3).

The layout is that of a C2SP tiled log, so that any tlog client can check the tree; contents and rows lie beside it. The
tree that comes out is held against the checkpoint before the bundle gets its name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from attrs import frozen

from tracechain.bundle.beside import put_beside
from tracechain.bundle.container import Writer, create_container
from tracechain.bundle.manifest import WHOLE_KIND, Manifest
from tracechain.bundle.names import (
    CHECKPOINT,
    Tile,
    contents_name,
    entries_name,
    private_name,
    rows_name,
    seal_name,
    tile_name,
    tiles,
    witnessed_name,
)
from tracechain.bundle.tiled import Tiling, encode_headers, encode_parts, leaves_of
from tracechain.checkpoint import parse_checkpoint, parse_note
from tracechain.entry import HEADER_SIZE
from tracechain.errors import DataError, InputError
from tracechain.merkle import Frontier
from tracechain.persons.disclosure import Disclosure, format_disclosure
from tracechain.view import View

__all__ = ["Whole", "export_whole"]

#: How long the file of the rows of 256 entries may be: what nobody will ever write.
_ROWS_MOST = 1 << 28
Progress = Callable[[int, int], None]


@frozen(kw_only=True)
class Whole:
    """What was written: entries, how many of them with content and with rows, disclosures, and the checkpoint."""

    path: Path
    manifest: Manifest
    size: int
    contents: int
    rows: int
    disclosures: int
    note: str


def export_whole(
    view: View,
    path: str | os.PathLike[str],
    *,
    exported_ms: int,
    asked: Sequence[str] = ("the whole ledger",),
    disclosures: Iterable[Disclosure] = (),
    progress: Progress | None = None,
) -> Whole:
    """Write all of a log as a new bundle: a zip file where the name ends in `.zip`, else a folder.

    `exported_ms` is now (ms since 1970), `asked` in whose words it was asked for what. Disclosures, if any, were made
    under the view's own checkpoint (`persons.disclosure.disclose` of the same view); nothing private is shown without.
    Memory does not grow with the log.

    InputError if the name is taken, or for a disclosure under another checkpoint; DataError if a header is missing or
    the headers do not lead to the root of the checkpoint; StorageError if it cannot be written.
    """
    manifest = Manifest(WHOLE_KIND, exported_ms, tuple(asked))
    head = parse_checkpoint(parse_note(view.checkpoint).text)
    if head.size != view.size:
        raise DataError(f"the checkpoint is of {head.size} entries, {view.size} are there: run `tracechain verify`")
    with create_container(path) as writer:
        put_beside(writer, manifest)
        writer.put(CHECKPOINT, view.checkpoint.encode())
        for size, note in view.witnessed():
            writer.put(witnessed_name(size), note.encode())
        for size, note in view.seal_notes():
            writer.put(seal_name(size), note.encode())
        shown = _put_disclosures(writer, view.checkpoint, disclosures)
        contents, rows, root = _put_entries(writer, view, progress)
        if root != head.root:
            raise DataError("the headers do not lead to the root of the checkpoint: run `tracechain verify`")
    return Whole(
        path=Path(path), manifest=manifest, size=head.size, contents=contents, rows=rows, disclosures=shown,
        note=view.checkpoint,
    )  # fmt: skip


def _put_entries(writer: Writer, view: View, progress: Progress | None) -> tuple[int, int, bytes]:
    """Headers, contents, rows and tiles; how many contents and rows there were, and the root."""
    size, counted, with_rows = view.size, 0, 0
    tiling, frontier = Tiling(), Frontier()
    for tile in tiles(size):
        found, contents, rows = view.block(tile.start, tile.stop)
        headers = [header for header in found if header is not None and len(header) == HEADER_SIZE]
        if len(headers) != tile.width:
            missing = next(at for at, one in enumerate(found, tile.start) if one is None or len(one) != HEADER_SIZE)
            raise DataError(f"entry {missing}: its header is missing or cut: run `tracechain verify`")
        leaves = leaves_of(headers)
        frontier.extend(leaves)
        for place, data in tiling.add(leaves):
            _put_tile(writer, place, data)
        writer.put(entries_name(tile), encode_headers(headers))
        there = sum(part is not None for part in contents)
        if there:
            writer.put(contents_name(tile), encode_parts(contents))
        counted += there
        there = sum(part is not None for part in rows)
        if there:
            data = encode_parts(rows)
            if len(data) > _ROWS_MOST:
                raise DataError(f"the rows of entries {tile.start} to {tile.stop - 1} are too long for a bundle")
            writer.put(rows_name(tile), data)
        with_rows += there
        if progress is not None:
            progress(tile.stop, size)
    for place, data in tiling.finish():
        _put_tile(writer, place, data)
    return counted, with_rows, frontier.root()


def _put_tile(writer: Writer, place: Tile, data: bytes | None) -> None:
    assert data is not None, "all leaves are known here"
    # Hashes do not get smaller.
    writer.put(tile_name(place), data, packed=False)


def _put_disclosures(writer: Writer, note: str, disclosures: Iterable[Disclosure]) -> int:
    """Disclosures, those of one entry numbered from 0; how many there were."""
    numbers: dict[int, int] = {}
    for one in disclosures:
        if one.proof.checkpoint != note:
            raise InputError(f"the disclosure of {one.name} in entry {one.index} is not under this checkpoint")
        number = numbers.get(one.index, 0)
        numbers[one.index] = number + 1
        writer.put(private_name(one.index, number), format_disclosure(one).encode())
    return sum(numbers.values())
