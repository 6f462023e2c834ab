"""Turning over single bytes of exported bundles, cheaply: what test_bundle_flips and the torture test share.

Content and rows of an entry are held against its header by themselves. So one check finds a byte turned over in each
of many entries, one by one, and finds none in the entries between them. A header is held against the signed checkpoint
by the tree: its leaf leads to another root, which is worked out by an inclusion proof for each byte. What lies in files
of its own is turned over byte by byte, and all is checked each time.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from attrs import frozen

from bundle_forgeries import log_of
from bundle_samples import NOW, Brought, Sample, read_bundle, write_zip
from bundle_texts import flipped
from bundle_verdicts import Verdict, by_library, by_script, script
from tracechain import merkle
from tracechain.bundle.container import WrongFileError
from tracechain.bundle.names import contents_name, entries_name, rows_name, tiles
from tracechain.bundle.tiled import decode_headers, decode_parts, encode_parts
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import parse_checkpoint, parse_note
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import CheckpointError, ProofError
from tracechain.ledger import Ledger
from tracechain.record import EpochRecord, epoch_of
from tracechain.replay import MemoryView
from tracechain.testing.scanner import sample_ledger
from tracechain.view import ViewNodes

__all__ = ["Zipped", "check_headers", "check_lengths", "check_parts", "large_bundle", "one_by_one", "why_not", "zipped"]

MOST = 1_000_000
#: Codes that say that the bytes of an entry are others than its header says: nothing else leads to them.
OWN = {"CONTENT_COMMITMENT", "HEADER_COUNTS", "ROWS_MALFORMED", "ROW_ROOT"}


def large_bundle(folder: Path) -> Sample:
    """Over 1,000 events of two stations and the ledger itself, without a contradiction."""
    sample_ledger(folder / "ledger", packs=20, rounds=130)
    with Ledger.open(folder / "ledger") as ledger, ledger.snapshot() as view:
        export_whole(view, folder / "large.zip", exported_ms=NOW)
    return Sample("large", read_bundle(folder / "large.zip"))


def both(path: Path, sample: Sample) -> tuple[Verdict, Verdict]:
    """What library and script say of it."""
    write_zip(path, sample.files)
    return by_library(path, sample.brought, MOST), by_script(path, sample.brought, MOST)


# ---- contents and rows ---------------------------------------------------------------------------------


def check_parts(folder: Path, sample: Sample, offsets: Iterable[int | None], kinds: Sequence[str], *, seed: int) -> int:
    """For each offset (None: another one in each entry) turn over a byte of the contents, or rows, of every second
    entry, then of the others; demand that exactly these are found. How many were turned over."""
    view, draw, total = log_of(sample), random.Random(seed), 0
    for kind in kinds:
        parts = view.raw_contents if kind == "contents" else view.raw_rows
        for offset in offsets:
            for half in (0, 1):
                places = {
                    index: draw.randrange(len(part)) if offset is None else offset
                    for index, part in parts.items()
                    if index % 2 == half and (offset is None or offset < len(part))
                }
                if not places:
                    continue
                other = {
                    at: flipped(part, places[at], (at + places[at]) % 8) if at in places else part
                    for at, part in parts.items()
                }
                changed = sample.changed(_files_of(view, kind, other))
                for verdict in both(folder / "flips.zip", changed):
                    found = {index for code, index in verdict.places if code in OWN}
                    assert found >= places.keys(), (kind, offset, sorted(places.keys() - found)[:10])
                    # A rule set that is larger than that of the entry behind is found there as well.
                    found = {index for code, index in verdict.places if code in OWN - {"ROWS_MALFORMED"}}
                    assert found <= places.keys(), (kind, offset)
                total += len(places)
    return total


def _files_of(view: MemoryView, kind: str, parts: dict[int, bytes]) -> dict[str, bytes | None]:
    name_of = contents_name if kind == "contents" else rows_name
    return {
        name_of(tile): encode_parts([parts.get(at) for at in range(tile.start, tile.stop)]) for tile in tiles(view.size)
    }


def check_lengths(sample: Sample, bits: Sequence[int]) -> int:
    """Turn over each byte that states a length, in the files of headers, contents and rows: the file is none any more.
    How many."""
    total = 0
    size = log_of(sample).size
    for tile in tiles(size):
        for name, decode, width in (
            (entries_name(tile), decode_headers, 2),
            (contents_name(tile), decode_parts, 4),
            (rows_name(tile), decode_parts, 4),
        ):
            data = sample.files[name]
            at = 0
            while at < len(data):
                for offset in range(at, at + width):
                    for bit in bits:
                        other = flipped(data, offset, bit)
                        try:
                            decode(other, tile.width)
                        except WrongFileError:
                            pass
                        else:
                            raise AssertionError(f"{name}, byte {offset} bit {bit}: the library takes it")
                        if width == 4:
                            try:
                                script().split_parts(other, tile.width)
                            except script().Bad:
                                pass
                            else:
                                raise AssertionError(f"{name}, byte {offset} bit {bit}: the script takes it")
                        total += 1
                at += width + int.from_bytes(data[at : at + width], "big")
    return total


# ---- headers -------------------------------------------------------------------------------------------


def check_headers(sample: Sample, indices: Iterable[int], bits: Sequence[int]) -> int:
    """Turn over each byte of headers: the leaf does not lead to the root that was signed. How many."""
    view, total = log_of(sample), 0
    head = parse_checkpoint(parse_note(view.checkpoint).text)
    nodes, alone = ViewNodes(view), script()
    for index in indices:
        header = view.raw_headers[index]
        proof = merkle.prove_inclusion(nodes, index, view.size)
        assert alone.root_by_inclusion(alone.leaf_of(header), index, view.size, proof) == head.root
        for offset in range(len(header)):
            for bit in bits:
                other = flipped(header, offset, (bit + index + offset) % 8)
                try:
                    merkle.check_inclusion(merkle.leaf_hash(other), index, view.size, proof, head.root)
                except ProofError:
                    pass
                else:
                    raise AssertionError(f"header of entry {index}, byte {offset}: the library takes it")
                assert alone.root_by_inclusion(alone.leaf_of(other), index, view.size, proof) != head.root
                total += 1
    return total


# ---- one by one ------------------------------------------------------------------------------------------


def one_by_one(folder: Path, sample: Sample, places: Iterable[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Turn over (file, offset, bit) and check all; gives those that nobody finds, which are the same for both."""
    for name, offset, bit in places:
        changed = sample.changed({name: flipped(sample.files[name], offset, bit)})
        library, alone = both(folder / "flip.zip", changed)
        assert library.said == alone.said, (name, offset, bit, library, alone)
        if library == sample_verdict(folder, sample):
            yield name, offset, bit


def sample_verdict(folder: Path, sample: Sample) -> Verdict:
    """The verdict on what was not touched."""
    known = _KNOWN.get(id(sample))
    if known is None:
        known, alone = both(folder / "whole.zip", sample)
        assert known.outcome == alone.outcome == "clean"
        _KNOWN[id(sample)] = known
    return known


_KNOWN: dict[int, Verdict] = {}


def why_not(sample: Sample, name: str, offset: int, bit: int) -> str | None:
    """Why a byte that nobody finds does not matter (format.md section 15.6); None where it does."""
    data = sample.files[name]
    other = flipped(data, offset, bit)
    if name == "bundle.json":
        one, two = json.loads(data), json.loads(other)
        rests = {key: value for key, value in one.items() if key not in ("exported", "asked")}
        return "exported, asked" if rests == {key: two.get(key) for key in rests} else None
    if name == "checkpoint" or name.startswith(("witnessed/", "seal")):
        text, lines = _note(data)
        if _lost(sample, text):
            return "cosignatures of what was lost"
        other_text, other_lines = _note(other)
        gone = set(lines) - set(other_lines)
        if text == other_text and len(gone) == 1:
            (line,) = gone
            (more,) = set(other_lines) - set(lines)
            known = [one.partition("+")[0] for one in (*sample.brought.auditors, sample.brought.key or "")]
            if _signer(line) != _signer(more) or not _counts(line, sample.brought, known):
                return "whose signature line it is"
    return None


def _lost(sample: Sample, text: str) -> bool:
    """Whether a note signs entries of a log that were lost with a backup, and is of an epoch before."""
    try:
        head = parse_checkpoint(text + "\n")
    except CheckpointError:
        return False
    view = log_of(sample) if any(name.startswith("tile/") for name in sample.files) else MemoryView({}, {}, {}, "", 0)
    begun = [
        EpochRecord.decode(view.raw_contents[at][SALT_SIZE:])
        for at, one in view.raw_headers.items()
        if one[4] == EntryType.EPOCH
    ]
    return any(one.epoch > epoch_of(head.origin) and one.size < head.size <= one.lost_end for one in begun)


def _note(data: bytes) -> tuple[str, list[str]]:
    text, _, lines = data.decode("utf-8", "replace").partition("\n\n")
    return text, lines.splitlines()


def _signer(line: str) -> tuple[str, str]:
    """Key name, and what stands for the key id (the first 4 bytes are in the first 6 characters of base64)."""
    _, name, value = line.split(" ", 2)
    return name, value[:6]


def _counts(line: str, brought: Brought, known: Sequence[str]) -> bool:
    name = _signer(line)[0]
    return name in known or name in (brought.policy or "")


# ---- the zip itself ----------------------------------------------------------------------------------------


@frozen
class Zipped:
    """A bundle in a zip, and which bytes of the zip are no bytes of files: (offset, what it is)."""

    data: bytes
    frame: tuple[tuple[int, str], ...]


_LOCAL = (
    ("magic", 4),
    ("version", 2),
    ("flags", 2),
    ("method", 2),
    ("date", 4),
    ("crc", 4),
    ("packed", 4),
    ("size", 4),
    ("name length", 2),
    ("extra length", 2),
)
_CENTRAL = (
    ("magic", 4),
    ("made by", 2),
    ("version", 2),
    ("flags", 2),
    ("method", 2),
    ("date", 4),
    ("crc", 4),
    ("packed", 4),
    ("size", 4),
    ("name length", 2),
    ("extra length", 2),
    ("comment length", 2),
    ("disk", 2),
    ("internal", 2),
    ("attributes", 4),
    ("offset", 4),
)
_END = (("magic", 4), ("disks", 4), ("counts", 4), ("length", 4), ("offset", 4), ("comment length", 2))
#: What a zip may say otherwise without anybody minding (format.md section 15.6). Some of its bits do matter.
UNMINDED = {
    "local version",
    "local flags",
    "local method",
    "local date",
    "local crc",
    "local packed",
    "local size",
    "central made by",
    "central version",
    "central flags",
    "central date",
    "central disk",
    "central internal",
    "central attributes",
    "end disks",
    "end counts",
    "central name length",
    "central extra length",
    "central comment length",
    "end comment length",
}


def zipped(path: Path, sample: Sample) -> Zipped:
    """The sample as a zip, with a map of what is no file's."""
    data = write_zip(path, sample.files).read_bytes()
    frame: list[tuple[int, str]] = []
    at = 0
    while at < len(data):
        magic = data[at : at + 4]
        kind, fields = {b"PK\3\4": ("local", _LOCAL), b"PK\1\2": ("central", _CENTRAL), b"PK\5\6": ("end", _END)}[magic]
        begin = at
        for what, width in fields:
            frame += ((place, f"{kind} {what}") for place in range(at, at + width))
            at += width
        if kind != "end":
            length = int.from_bytes(data[begin + (26 if kind == "local" else 28) :][:2], "little")
            frame += ((place, f"{kind} name") for place in range(at, at + length))
            at += length
            if kind == "local":
                at += int.from_bytes(data[begin + 18 : begin + 22], "little")
    return Zipped(data, tuple(frame))
