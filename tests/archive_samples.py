"""Archives for tests: made of sample ledgers, taken apart and put together again with something altered.

A `Draft` is an archive as whoever holds the log key could make it: every hash and the signature are computed anew, so
what is found in it is found by what it says, not by a checksum.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import define, evolve

from tracechain.archive import open_archive, write_archive
from tracechain.archive.directory import BEGIN, END, TRAILER, Block, Directory, Seal
from tracechain.archive.parts import Held, block_hash, pack
from tracechain.checkpoint import VerifierKey, format_vkey
from tracechain.entry import EntryType
from tracechain.retention.ranges import Ranges, indices
from tracechain.signing import Signer
from tracechain.testing import ORIGIN, Clock, Keys, MemoryView, new_ledger
from tracechain.testing.samples import commission, observe, pack_ids, sample_events
from tracechain.view import View

KEYS = Keys()
VERIFIER = VerifierKey(ORIGIN, 1, KEYS.log.public_key)
VKEY = format_vkey(VERIFIER)


def sample_views(folder: Path, *, rounds: int = 4) -> list[MemoryView]:
    """One ledger at several sizes: the life of some packs, then stocktakes, some of many packs."""
    clock, views = Clock(), []
    with new_ledger(folder / "ledger", keys=KEYS, clock=clock) as ledger:
        ids = pack_ids(8)
        batches: list[list[Any]] = [*sample_events(8), [commission(pack_ids(40, start=100))]]
        batches += [
            [observe(ids[n % 8 :][:3]), observe(pack_ids(20 + n, start=100)), observe(ids)] for n in range(rounds)
        ]
        for batch in batches:
            ledger.append(batch)
            clock.advance(60_000)
            with ledger.snapshot() as view:
                views.append(MemoryView.of(view))
    return views


def parts_of(view: View, contents: Ranges, rows: Ranges) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """What an archive of these ranges has to hold."""
    events = {index for index, header in view.headers(0, view.size) if header[4] == EntryType.EVENT}
    held = {index: part for index in indices(contents) if index in events and (part := view.content(index)) is not None}
    return held, {index: part for index in indices(rows) if index in events and (part := view.rows(index)) is not None}


@define
class Draft:
    """An archive taken apart. `stored` replaces the bytes and the lines of blocks, by their numbers."""

    directory: Directory
    seal: Seal
    blocks: list[tuple[Block, Held]]
    stored: dict[int, tuple[Block, bytes]]

    @classmethod
    def of(cls, path: Path) -> Draft:
        """Take one apart."""
        with open_archive(path) as reader:
            blocks = [(block, reader.read(number)) for number, block in enumerate(reader.directory.blocks)]
            return cls(reader.directory, reader.seal, blocks, {})

    def write(self, path: Path, *, signer: Signer = KEYS.log, lines: Any = None, **seal: Any) -> Path:
        """Put it together again; `lines` changes the blocks of the directory, and keywords what is signed."""
        body, found = [BEGIN], []
        for number, (block, held) in enumerate(self.blocks):
            made, plain, packed = pack(block.start, block.height, block.root, held)
            line, stored = self.stored.get(number, (made, plain + packed))
            body.append(stored)
            found.append(line)
        directory = evolve(self.directory, blocks=tuple(found) if lines is None else tuple(lines(found)))
        data = directory.encode()
        names = ("ledger_id", "size", "root", "entries", "contents", "rows", "lost")
        values = {name: getattr(self.seal, name) for name in names} | {"directory": sha256(data).digest()} | seal
        sealed = Seal.sign(signer, **values).encode()
        path.write_bytes(b"".join(body) + data + sealed + TRAILER.pack(len(data), len(sealed), END))
        return path

    def store(self, number: int, plain: bytes, packed: bytes, unpacked: int) -> None:
        """Let a block be of these bytes, with a hash that fits."""
        line = evolve(
            self.blocks[number][0],
            plain=len(plain),
            packed=len(packed),
            unpacked=unpacked,
            hash=block_hash(plain, packed),
        )
        self.stored[number] = line, plain + packed


def make(view: View, path: Path, contents: Ranges, rows: Ranges) -> Path:
    """An archive of these ranges."""
    path.unlink(missing_ok=True)
    return write_archive(view, path, contents, rows, KEYS.log).path
