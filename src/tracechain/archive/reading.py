"""Reading an archive: its frame at once, its blocks when they are asked for.

What opens is whole and means something; that it is true, `check_archive` says, or `authenticate` and `proof` for a
single entry. Nothing is unpacked whose hash does not stand in the directory.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from attrs import field, frozen

from tracechain.archive.directory import (
    BEGIN,
    DIRECTORY_MOST,
    END,
    SEAL_MOST,
    TRAILER,
    Directory,
    Seal,
    held,
)
from tracechain.archive.parts import Held, Sets, bind_rows, decode_block, named_by, unpack
from tracechain.archive.places import Places
from tracechain.archive.tree import Piece, in_order, path
from tracechain.archive.writing import Archive
from tracechain.checkpoint import Checkpoint, InclusionProof, VerifierKey, format_proof, open_checkpoint
from tracechain.entry import content_commitment, parse_header
from tracechain.errors import DataError, DecodeError, InputError, KeyUseError, StorageError
from tracechain.merkle import leaf_hash
from tracechain.signing import PublicKey, verify

__all__ = ["ArchiveReader", "Archived", "naming", "open_archive"]

_CACHED = 4


@frozen
class Archived:
    """An entry out of an archive: its header, and its content and rows with their salts, None where the archive does
    not hold them. `leaves` says of the entries before that its rows name which leaves the header commits to."""

    index: int
    header: bytes = field(repr=lambda value: value.hex())
    content: bytes | None
    rows: bytes | None
    leaves: dict[int, bytes] = field(repr=lambda leaves: f"<{len(leaves)} leaves>")


def open_archive(file: str | os.PathLike[str]) -> ArchiveReader:
    """Open an archive to read; close it, best by `with`.

    Its frame is read strictly: DecodeError for what is no archive, or not a whole one. Whose it is nobody has asked
    yet: see `check_archive` and `ArchiveReader.authenticate`.
    """
    name = Path(file)
    try:
        stream = name.open("rb")
    except FileNotFoundError:
        raise InputError(f"{name} is not there") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder, an archive is a file") from None
    except OSError as error:
        raise StorageError(f"cannot read {name}: {error}") from error
    try:
        return ArchiveReader(name, stream)
    except BaseException:
        stream.close()
        raise


class ArchiveReader:
    """An archive that is open. Not for sharing by threads at the same time."""

    def __init__(self, name: Path, stream: IO[bytes]) -> None:
        self._name = name
        self._stream = stream
        self.seal, self.directory, length = self._frame()
        #: What the archive is of.
        self.archive = Archive.of(name, self.seal, self.directory, length)
        self.sets = Sets(
            held(self.directory.contents, self.directory.rows),
            Places.of(self.directory.contents),
            Places.of(self.directory.rows),
        )
        self._cache: OrderedDict[int, Held] = OrderedDict()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- single entries ----

    def __contains__(self, index: int) -> bool:
        """Whether the header of an entry is held."""
        return self.sets.held.count(index, index + 1) == 1

    def entry(self, index: int) -> Archived:
        """One entry. InputError where it is not in the archive, DataError where what is there is not what its header
        commits to. That the header is the ledger's is a matter of `prove`, or of the ledger's own header."""
        number = self._number(index)
        parts = self.held(number)
        at = parts.indices.index(index)
        header, content, rows = parts.headers[at], parts.contents[at], parts.rows[at]
        said = parse_header(header)
        if content is not None and content_commitment(content[:32], content[32:]) != said.content_commitment:
            raise DataError(f"entry {index} in {self._name}: its content is not what its header commits to")
        named: dict[int, bytes] = {}
        if rows is not None:
            # The leaves of a block stand in the order of its entries: those before this one's are counted.
            before = sum(len(named_by(part)) for part in parts.rows[:at] if part is not None)
            if bind_rows(rows, said.row_count, naming(iter(parts.leaves[before:]), named, index)) != said.row_root:
                raise DataError(f"entry {index} in {self._name}: its rows are not what its header commits to")
        return Archived(index, header, content, rows, named)

    def proof(self, index: int) -> str:
        """The proof (C2SP tlog-proof file) that an entry's header is in the log, under the archive's checkpoint."""
        number = self._number(index)
        block = self.directory.blocks[number]
        inner = list(self.inside(number))
        pieces: list[Piece] = []
        for piece in self.directory.pieces():
            pieces += inner if piece[0] == block.start else [piece]
        return format_proof(InclusionProof(index, tuple(path(pieces, index, self.seal.size)), self.directory.note))

    def authenticate(self, verifier: VerifierKey, signed_by: PublicKey | None = None) -> Checkpoint:
        """Check that the archive was sealed by the log's key, or by `signed_by`, over a checkpoint of the log; the
        checkpoint. KeyUseError for a seal of another key, SignatureError and CheckpointError where one does not
        stand."""
        wanted = verifier.key if signed_by is None else signed_by
        if self.seal.key != wanted:
            raise KeyUseError(
                f"{self._name} is sealed with key {self.seal.key.id.hex()}, not with {wanted.id.hex()} as asked for"
            )
        verify(self.seal.key, self.seal.message, self.seal.signature)
        return open_checkpoint(self.directory.note, verifier)

    # ---- block by block ----

    def held(self, number: int) -> Held:
        """What a block holds; DecodeError where its bytes are not those of the directory."""
        found = self._cache.get(number)
        if found is None:
            found = self.read(number)
            self._cache[number] = found
            while len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return found

    def read(self, number: int) -> Held:
        """The same, not to be remembered."""
        block = self.directory.blocks[number]
        try:
            self._stream.seek(self._offsets[number])
            stored = self._stream.read(block.size)
        except OSError as error:
            raise StorageError(f"cannot read {self._name}: {error}") from error
        return decode_block(block, *unpack(block, stored), self.sets)

    def inside(self, number: int) -> Iterator[Piece]:
        """The leaves and nodes of a block, left to right."""
        block, parts = self.directory.blocks[number], self.held(number)
        leaves = [leaf_hash(header) for header in parts.headers]
        return in_order(block.start, block.stop, self.sets.held.clip(block.start, block.stop), leaves, parts.nodes)

    # ---- the frame ----

    def _number(self, index: int) -> int:
        if index not in self:
            raise InputError(f"entry {index} is not in {self._name}")
        low, high = 0, len(self.directory.blocks)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.directory.blocks[middle].start <= index else (low, middle)
        return low

    def _frame(self) -> tuple[Seal, Directory, int]:
        stream, name = self._stream, self._name
        try:
            length = stream.seek(0, os.SEEK_END)
            least = len(BEGIN) + TRAILER.size
            if length < least:
                raise DecodeError(f"{name} is no archive: it has {length} bytes")
            stream.seek(0)
            begin = stream.read(len(BEGIN))
            stream.seek(length - TRAILER.size)
            directory_length, seal_length, end = TRAILER.unpack(stream.read(TRAILER.size))
            if begin != BEGIN:
                raise DecodeError(f"{name} is no archive of tracechain: it begins with {begin!r}")
            if end != END:
                raise DecodeError(f"{name} is no whole archive: its end is missing, copy it again")
            if directory_length > DIRECTORY_MOST or seal_length > SEAL_MOST:
                raise DecodeError(f"{name}: directory or seal are longer than what is read")
            at = length - TRAILER.size - seal_length - directory_length
            if at < len(BEGIN):
                raise DecodeError(f"{name} is no whole archive: its directory would begin before it does")
            stream.seek(at)
            data, sealed = stream.read(directory_length), stream.read(seal_length)
        except OSError as error:
            raise StorageError(f"cannot read {name}: {error}") from error
        seal = Seal.decode(sealed)
        if sha256(data).digest() != seal.directory:
            raise DecodeError(f"{name}: its directory was altered, it is not the one that is sealed")
        directory = Directory.decode(data)
        head = directory.checkpoint
        if (head.size, head.root) != (seal.size, seal.root):
            raise DecodeError(
                f"{name}: its seal is of {seal.size} entries, its checkpoint of {head.size}, or of another"
            )
        if seal.entries != len(held(directory.contents, directory.rows)):
            raise DecodeError(f"{name}: its seal counts {seal.entries} entries, its directory has others")
        self._offsets = [len(BEGIN)]
        for block in directory.blocks:
            self._offsets.append(self._offsets[-1] + block.size)
        if self._offsets.pop() != at:
            raise DecodeError(f"{name}: its blocks have more or fewer bytes than its directory says")
        return seal, directory, length


def naming(leaves: Iterator[bytes], named: dict[int, bytes], index: int) -> Callable[[int], bytes]:
    """Gives the leaves that are held for the entries before entry `index`, in order, and notes which is of which."""

    def leaf_of(previous: int) -> bytes:
        if previous >= index:
            raise DecodeError(f"entry {index} in the archive: a row names entry {previous} as the one before")
        found = next(leaves, None)
        if found is None:
            raise DecodeError(f"entry {index} in the archive: the leaf of entry {previous} is missing")
        named[previous] = found
        return found

    return leaf_of
