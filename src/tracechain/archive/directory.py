"""What frames an archive (docs/format.md section 14.1): its directory, and the seal that is signed.

    "TCH0 archive"  block  block  ...  directory  seal  directory length u64  seal length u32  "TCH0 archive end"

Written from front to end in one go, read from the end: the last 28 bytes lead to seal and directory, and the directory
to each block. The seal holds the hash of the directory, the directory that of each block, so the signature binds every
byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise

from attrs import field, frozen

from tracechain import encoding
from tracechain.archive.places import Places, join_all
from tracechain.archive.tree import gaps
from tracechain.checkpoint import MAX_NOTE_BYTES, Checkpoint, parse_checkpoint, parse_note
from tracechain.errors import DecodeError, InputError
from tracechain.retention.ranges import Ranges, from_flat, to_flat
from tracechain.signing import SIGNATURE_BYTES, PublicKey, Signer

__all__ = [
    "BEGIN",
    "BLOCK_MOST",
    "DIRECTORY_MOST",
    "END",
    "HEIGHT_MOST",
    "SEAL_MOST",
    "TRAILER",
    "Block",
    "Directory",
    "Seal",
    "held",
]

BEGIN = b"TCH0 archive".ljust(16, b"\0")
END = b"TCH0 archive end"
#: Length of the directory, length of the seal, END.
TRAILER = struct.Struct(">QI16s")

#: Bytes of a directory that are read: about 100 million entries that lie together.
DIRECTORY_MOST = 1 << 24
SEAL_MOST = 512
#: Bytes of each of the two parts of a block, unpacked.
BLOCK_MOST = 1 << 25
#: A block is a subtree of 2^16 leaves at most.
HEIGHT_MOST = 16

_MESSAGE = b"tracechain archive v0\n"
_BLOCK = struct.Struct(">QBIII32s32s")
_HASH = 32


@frozen
class Block:
    """One block: the entries that are held of the subtree over the leaves from `start` on, 2^`height` of them.

    `plain`, `packed` and `unpacked` are lengths in bytes: of the part that is stored as it is, and of the other one as
    it is stored and as it is meant. `hash` is that of the stored bytes, `root` that of the subtree.
    """

    start: int
    height: int
    plain: int
    packed: int
    unpacked: int
    hash: bytes = field(repr=lambda value: value.hex())
    root: bytes = field(repr=lambda value: value.hex())

    @property
    def stop(self) -> int:
        """The first leaf behind it."""
        return self.start + (1 << self.height)

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self.plain + self.packed

    def encode(self) -> bytes:
        """Its line in the directory."""
        return _BLOCK.pack(self.start, self.height, self.plain, self.packed, self.unpacked, self.hash, self.root)


def held(contents: Ranges, rows: Ranges) -> Places:
    """The entries whose headers are held: those of both sets, and entry 0, whose leaf is the ledger id."""
    return Places.of(join_all(contents, rows, ((0, 1),)))


@frozen
class Directory:
    """What an archive is of: the checkpoint it was made under (a note), the entries whose contents and whose rows are
    held, where they mean every event in a range; and the blocks, with the hashes of all subtrees between them."""

    note: str
    contents: Ranges
    rows: Ranges
    blocks: tuple[Block, ...]
    nodes: tuple[bytes, ...] = field(repr=lambda nodes: f"<{len(nodes)} hashes>")

    def encode(self) -> bytes:
        """Its canonical bytes; InputError where it is longer than what is read."""
        data = encoding.pack(
            (
                self.note.encode(),
                to_flat(self.contents),
                to_flat(self.rows),
                b"".join(block.encode() for block in self.blocks),
                b"".join(self.nodes),
            )
        )
        if len(data) > DIRECTORY_MOST:
            raise InputError(
                f"the directory of this archive would have {len(data):,} bytes, over the {DIRECTORY_MOST:,} that are"
                " read: archive and prune in several steps, each of a part of the log"
            )
        return data

    @classmethod
    def decode(cls, data: bytes) -> Directory:
        """Read a directory strictly; DecodeError says what does not fit."""
        match encoding.unpack_strict(data, DIRECTORY_MOST, 2):
            case (bytes() as note, contents, rows, bytes() as blocks, bytes() as nodes):
                pass
            case _:
                raise DecodeError("the directory of the archive is not an array of a note, two sets, blocks and nodes")
        if len(note) > MAX_NOTE_BYTES or len(blocks) % _BLOCK.size or len(nodes) % _HASH:
            raise DecodeError("the directory of the archive: note, blocks or nodes have an impossible length")
        try:
            text = note.decode()
        except UnicodeDecodeError:
            raise DecodeError("the directory of the archive: its checkpoint is not UTF-8") from None
        found = cls(
            text,
            from_flat(contents),
            from_flat(rows),
            tuple(Block(*line) for line in _BLOCK.iter_unpack(blocks)),
            tuple(nodes[at : at + _HASH] for at in range(0, len(nodes), _HASH)),
        )
        found.check()
        return found

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says; nobody has asked for its signature here."""
        return parse_checkpoint(parse_note(self.note).text)

    def check(self) -> None:
        """DecodeError unless blocks and nodes are of exactly the entries that are held, and their tree."""
        size = self.checkpoint.size
        places = held(self.contents, self.rows)
        if places.ranges[-1][1] > size:
            raise DecodeError(f"the archive is of entries up to {places.ranges[-1][1] - 1}, its checkpoint of {size}")
        for block in self.blocks:
            if block.height > HEIGHT_MOST or block.start % (1 << block.height) or block.stop > size:
                raise DecodeError(f"block of entry {block.start} in the archive: it is no subtree of the log")
            if not block.packed <= block.unpacked <= BLOCK_MOST or block.plain > BLOCK_MOST:
                raise DecodeError(f"block of entry {block.start} in the archive: its lengths are over what is read")
            if not places.count(block.start, block.stop):
                raise DecodeError(f"block of entry {block.start} in the archive: nothing is held of it")
        if any(before.stop > after.start for before, after in pairwise(self.blocks)):
            raise DecodeError("the blocks of the archive do not follow each other")
        if sum(places.count(block.start, block.stop) for block in self.blocks) != len(places):
            raise DecodeError("an entry that the archive is of is in none of its blocks")
        if sum(1 for _ in self.spaces(size)) != len(self.nodes):
            raise DecodeError("the archive has more or fewer nodes than there are gaps between its blocks")

    def spaces(self, size: int) -> Iterator[tuple[int, int]]:
        """The subtrees (start, height) that `nodes` are the hashes of."""
        return gaps(0, size, [(block.start, block.stop) for block in self.blocks])

    def pieces(self) -> list[tuple[int, int, bytes]]:
        """The subtrees that cover the log: blocks and what is between them, left to right."""
        spaces = zip(self.spaces(self.checkpoint.size), self.nodes, strict=True)
        between = [(start, height, value) for (start, height), value in spaces]
        return sorted([*between, *((block.start, block.height, block.root) for block in self.blocks)])


@frozen(kw_only=True)
class Seal:
    """What is signed of an archive. `entries` counts the headers in it, `contents` and `rows` the parts; `lost` is the
    digest that an intent to prune just these has (retention.records.prune_digest)."""

    ledger_id: bytes
    size: int
    root: bytes
    entries: int
    contents: int
    rows: int
    lost: bytes
    directory: bytes
    key: PublicKey
    signature: bytes

    def _items(self) -> tuple[encoding.Plain, ...]:
        return (
            self.ledger_id, self.size, self.root, self.entries, self.contents, self.rows, self.lost, self.directory,
            self.key.algorithm, self.key.raw,
        )  # fmt: skip

    @property
    def message(self) -> bytes:
        """What the signature is over."""
        return _MESSAGE + encoding.pack(self._items())

    @property
    def digest(self) -> bytes:
        """The archive's name, 32 bytes: what an intent to prune says in `archive`."""
        return sha256(self.message).digest()

    def encode(self) -> bytes:
        """Its canonical bytes."""
        return encoding.pack((*self._items(), self.signature))

    @classmethod
    def decode(cls, data: bytes) -> Seal:
        """Read a seal strictly."""
        match encoding.unpack_strict(data, SEAL_MOST, 1):
            case (
                bytes() as ledger_id, int() as size, bytes() as root, int() as entries, int() as contents,
                int() as rows, bytes() as lost, bytes() as directory, int() as algorithm, bytes() as key,
                bytes() as signature,
            ) if (
                all(len(one) == _HASH for one in (ledger_id, root, lost, directory))
                and all(type(one) is int and 0 <= one < 1 << 40 for one in (size, entries, contents, rows))
                and type(algorithm) is int
                and len(signature) == SIGNATURE_BYTES
            ):  # fmt: skip
                return cls(
                    ledger_id=ledger_id, size=size, root=root, entries=entries, contents=contents, rows=rows, lost=lost,
                    directory=directory, key=PublicKey(algorithm, key), signature=signature,
                )  # fmt: skip
            case _:
                raise DecodeError("the seal of the archive does not have the form of one")

    @classmethod
    def sign(cls, signer: Signer, **values: bytes | int) -> Seal:
        """Sign what is said."""
        unsigned = cls(key=signer.public_key, signature=bytes(SIGNATURE_BYTES), **values)  # type: ignore[arg-type]  # each by its name
        return cls(key=signer.public_key, signature=signer.sign(unsigned.message), **values)  # type: ignore[arg-type]  # likewise
