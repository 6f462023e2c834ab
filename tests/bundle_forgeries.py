"""Bundles by an operator who has every key and lies: all that is derived or signed fits what was changed.

    for label, changed in forged(sample): ...           whole bundles
    for label, changed in forged_excerpts(sample, chosen): ...

What is left to be found is what the rules forbid.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve

from bundle_mutations import packed_beside
from bundle_samples import NOW, Brought, Sample
from bundle_texts import Done
from excerpt_samples import sealed
from forging import changed, copy, forge, patch
from tracechain import merkle
from tracechain.bundle import excerpt
from tracechain.bundle.names import contents_name, entries_name, rows_name, tile_name, tiles
from tracechain.bundle.select import Selection, select_units
from tracechain.bundle.tiled import Tiling, decode_headers, decode_parts, encode_headers, encode_parts, leaves_of
from tracechain.checkpoint import parse_checkpoint, parse_note
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import TracechainError
from tracechain.record import decode_record, encode_record
from tracechain.replay import MemoryView
from tracechain.seals import SEAL, SealBody, map_root, words_at
from tracechain.seals.items import Item

__all__ = ["forged", "forged_excerpts", "log_of", "whole_files"]

#: What an operator brings nothing of.
PLAIN = Brought()
_TILED = ("tile/", "contents/", "rows/")
#: What the tools of an honest operator say to a log that is none.
_FAILS = (TracechainError, ValueError, IndexError, KeyError, OverflowError, AssertionError, StopIteration)
_BESIDE = ("witnessed/", "seals/", "private/")


def log_of(sample: Sample) -> MemoryView:
    """The log in a whole bundle."""
    files = sample.files
    note = files["checkpoint"].decode()
    size = parse_checkpoint(parse_note(note).text).size
    view = MemoryView({}, {}, {}, note, size, None)
    for tile in tiles(size):
        view.raw_headers.update(enumerate(decode_headers(files[entries_name(tile)], tile.width), tile.start))
        for name, parts in ((contents_name(tile), view.raw_contents), (rows_name(tile), view.raw_rows)):
            found = decode_parts(files[name], tile.width) if name in files else []
            parts.update((at, part) for at, part in enumerate(found, tile.start) if part is not None)
    return view


def whole_files(view: MemoryView, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a bundle with another log in it."""
    made = {name: data for name, data in files.items() if not name.startswith((*_TILED, *_BESIDE))}
    made["checkpoint"] = view.checkpoint.encode()
    tiling = Tiling()
    for tile in tiles(view.size):
        headers, contents, rows = view.block(tile.start, tile.stop)
        there = [one or bytes(128) for one in headers]
        made[entries_name(tile)] = encode_headers(there)
        for name, parts in ((contents_name(tile), contents), (rows_name(tile), rows)):
            if any(parts):
                made[name] = encode_parts(parts)
        made.update((tile_name(place), data or b"") for place, data in tiling.add(leaves_of(there)))
    made.update((tile_name(place), data or b"") for place, data in tiling.finish())
    return made


def sealed_again(view: MemoryView) -> MemoryView:
    """Forge the log, and every seal in it, oldest first."""
    forge(view)
    for index, part in sorted(view.raw_contents.items()):
        if view.raw_headers[index][4] != EntryType.RECORD:
            continue
        with contextlib.suppress(TracechainError):
            record = decode_record(part[SALT_SIZE:])
            if record.kind != SEAL:
                continue
            size = SealBody.from_record(record).size
            leaves = leaves_of([view.raw_headers[at] for at in range(size)])
            words = words_at(view, size)
            items = [
                Item(subject, at := (word & (1 << 40) - 1) - 1, leaves[at], word >> 40)
                for subject, word in sorted(words.items(), key=lambda one: one[0].encode())
            ]
            found = map_root(items)
            body = SealBody(size, merkle.root(leaves), found.ids, found.root)
            view.raw_contents[index] = part[:SALT_SIZE] + encode_record(body.record())
            forge(view)
    return view


# ---- lies ----------------------------------------------------------------------------------------------

Lie = Callable[[MemoryView], None]


def _headers(index: int) -> Iterator[tuple[str, Lie]]:
    """Header fields: offset and bytes (format.md section 2)."""
    for label, offset, value in (
        ("magic", 0, b"TCH1"),
        ("suite", 5, b"\2"),
        ("clamped", 7, b"\1"),
        ("flag", 7, b"\2"),
        ("time 0", 8, bytes(8)),
        ("later", 15, b"\xff"),
        ("much later", 10, b"\x7f"),
        ("class", 17, b"\5"),
        ("reserved", 19, b"\1"),
        ("keep until", 20, b"\0\0\x50\0"),
        ("keep open", 20, b"\xff" * 4),
        ("author", 24, b"12345678"),
        ("no author", 24, bytes(8)),
        ("sequence", 39, b"\xfe"),
        ("no sequence", 32, bytes(8)),
        ("policy", 56, bytes(7) + b"\3"),
        ("no policy", 56, b"\xff" * 8),
        ("commitment", 64, bytes(32)),
    ):

        def lie(view: MemoryView, offset: int = offset, value: bytes = value) -> None:
            view.raw_headers[index] = patch(view.raw_headers[index], offset, value)

        yield f"header {label}", lie
    for kind in range(11):

        def turn(view: MemoryView, kind: int = kind) -> None:
            view.raw_headers[index] = patch(view.raw_headers[index], 4, bytes([kind]))

        yield f"type {kind}", turn


def _parts(view: MemoryView, index: int, most: int) -> Iterator[tuple[str, Lie]]:
    for what, name in (("content", "raw_contents"), ("rows", "raw_rows")):
        part = getattr(view, name).get(index)
        if part is None:
            continue

        def drop(view: MemoryView, name: str = name) -> None:
            del getattr(view, name)[index]

        yield f"{what} gone", drop
        for label, other in packed_beside(part[SALT_SIZE:], most):

            def put(view: MemoryView, name: str = name, data: bytes = part[:SALT_SIZE] + other) -> None:
                getattr(view, name)[index] = data

            yield f"{what} {label}", put


def _order(view: MemoryView, index: int) -> Iterator[tuple[str, Lie]]:
    """Entries gone, twice, swapped."""

    def placed(view: MemoryView, order: list[int]) -> None:
        for name in ("raw_headers", "raw_contents", "raw_rows"):
            old = dict(getattr(view, name))
            new = {to: old[at] for to, at in enumerate(order) if at in old}
            getattr(view, name).clear()
            getattr(view, name).update(new)
        view.size = len(order)

    every = list(range(view.size))
    yield "gone", lambda view: placed(view, every[:index] + every[index + 1 :])
    yield "twice", lambda view: placed(view, [*every[: index + 1], *every[index:]])
    yield "again at the end", lambda view: placed(view, [*every, index])
    if index + 1 < view.size:
        yield "swapped", lambda view: placed(view, [*every[:index], index + 1, index, *every[index + 2 :]])
    yield "cut before", lambda view: placed(view, every[: max(1, index)])


Pick = Callable[[str], bool]


def _every(label: str) -> bool:
    return True


def lies(view: MemoryView, pick: Pick = _every, most: int = 2) -> Iterator[tuple[str, MemoryView]]:
    """Logs in which one thing was changed, those whose label is picked."""
    for index in range(view.size):
        for what, lie in (*_headers(index), *_parts(view, index, most), *_order(view, index)):
            label = f"entry {index} {what}"
            if pick(label):
                made = copy(view)
                lie(made)
                yield label, made


def forged(sample: Sample, pick: Pick = _every, most: int = 2) -> Done:
    """Whole bundles of such logs, forged, with seals that are worked out again."""
    for label, view in lies(log_of(sample), pick, most):
        with contextlib.suppress(*_FAILS):
            yield label, evolve(sample, files=whole_files(sealed_again(view), sample.files), brought=PLAIN)


# ---- excerpts of what is forged --------------------------------------------------------------------------


class _Memory:
    """A Writer into a dictionary."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, name: str, data: bytes, *, packed: bool = True) -> None:
        self.files[name] = data


def excerpt_files(view: MemoryView, selection: Selection) -> dict[str, bytes]:
    """The files of an excerpt of any view."""
    writer = _Memory()
    with changed(excerpt, create_container=lambda _: contextlib.nullcontext(writer)):
        excerpt.export_excerpt(view, "nowhere", selection, exported_ms=NOW, seal=sealed(view))
    return {name: data for name, data in writer.files.items() if name not in ("README.txt", "verify_bundle.py")}


def forged_excerpts(sample: Sample, codes: Sequence[str], pick: Pick = _every, most: int = 2) -> Done:
    """Excerpts of the same logs: the histories of some codes. What cannot be exported any more is left out."""
    honest = log_of(sample)
    selection = select_units(honest, codes)
    for label, view in lies(honest, pick, most):
        with contextlib.suppress(*_FAILS):
            yield label, Sample(f"{sample.name} forged", excerpt_files(sealed_again(view), selection), PLAIN)
