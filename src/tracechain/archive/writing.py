"""Writing an archive from a view: block by block, never more than one in memory, and under its name only when whole.

What goes in is held against the headers on the way, and the tree against the checkpoint, so that an archive which could
not be checked later is not written: what is pruned on the strength of it would be lost.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from attrs import define, field, frozen

from tracechain import merkle
from tracechain.archive.directory import BEGIN, END, HEIGHT_MOST, TRAILER, Block, Directory, Seal, held
from tracechain.archive.parts import PRUNE_TAG, Held, Sets, bind_rows, pack
from tracechain.archive.places import Places, join_all
from tracechain.archive.tree import fold, gaps, subtree_root
from tracechain.checkpoint import parse_checkpoint, parse_note
from tracechain.encoding import unpack_known
from tracechain.entry import CONTENT_TAG, HEADER_SIZE, SALT_SIZE, EntryType
from tracechain.errors import DataError, DecodeError, InputError, StorageError
from tracechain.retention.ranges import Ranges
from tracechain.signing import Signer
from tracechain.store.files import explain, sync_folder
from tracechain.view import View, ViewNodes

__all__ = ["Archive", "Progress", "write_archive"]

#: Called with the number of entries that are done, and of all.
Progress = Callable[[int, int], None]

#: A block is cut in halves until it has no more entries and bytes than this, or is of one entry.
_ENTRIES, _BYTES = 1024, 1 << 22
#: A block with more gaps than one in 2^6 leaves is read whole.
_SPARSE = 6
#: Of so many runs of entries a block is read by columns.
_RUNS = 8
#: Of a header: type, row count, content length, rows length.
_SAID = struct.Struct(">4xB35xIII76x")
_EVENT = int(EntryType.EVENT)


@frozen(kw_only=True)
class Archive:
    """What an archive is of. `digest` (32 bytes) is its name, and what an intent to prune says in `archive`; `lost` is
    the digest of what it holds, which the intent that prunes just this says in `digest`. `entries` counts headers,
    `content_count` and `row_count` the parts; `bytes` is the length of the file."""

    path: Path
    digest: bytes = field(repr=lambda value: value.hex())
    ledger_id: bytes = field(repr=lambda value: value.hex())
    origin: str
    size: int
    note: str = field(repr=False)
    contents: Ranges = field(repr=False)
    rows: Ranges = field(repr=False)
    entries: int
    content_count: int
    row_count: int
    lost: bytes = field(repr=lambda value: value.hex())
    bytes: int

    @classmethod
    def of(cls, path: Path, seal: Seal, directory: Directory, length: int) -> Archive:
        """What seal and directory say."""
        return cls(
            path=path, digest=seal.digest, ledger_id=seal.ledger_id, origin=directory.checkpoint.origin, size=seal.size,
            note=directory.note, contents=directory.contents, rows=directory.rows, entries=seal.entries,
            content_count=seal.contents, row_count=seal.rows, lost=seal.lost, bytes=length,
        )  # fmt: skip


def write_archive(
    view: View,
    path: str | os.PathLike[str],
    contents: Ranges,
    rows: Ranges,
    signer: Signer,
    progress: Progress | None = None,
) -> Archive:
    """Write the contents of the events in some ranges, and the rows of those in others, as a new file.

    `contents` and `rows` are those of a plan or of an intent to prune: a range means every event in it. The file
    appears under its name when it is whole and on disk; an earlier attempt that was interrupted is written over.
    InputError if the name is taken, or if there is nothing to archive; DataError if a part is not there or is not what
    its header commits to; StorageError if it cannot be written.
    """
    target = Path(path)
    if target.exists() or target.is_symlink():
        raise InputError(f"{target} exists: an archive is never written over, choose another name")
    if not join_all(contents, rows):
        raise InputError("there is nothing to archive: nothing is to be pruned")
    partial = target.with_name(f"{target.name}.partial")
    try:
        descriptor = _begin(partial)
    except OSError as error:
        raise StorageError(f"cannot write {partial}: {explain(error, target.parent)}") from error
    try:
        # Open, and so locked, until it has its name or is gone.
        with os.fdopen(descriptor, "wb") as file:
            try:
                seal, directory = _Writing(view, contents, rows, file, progress).run(signer)
                length = file.tell()
                file.flush()
                os.fsync(file.fileno())
                _publish(partial, target)
            finally:
                with contextlib.suppress(OSError):
                    partial.unlink(missing_ok=True)
        sync_folder(target.parent)
    except OSError as error:
        raise StorageError(f"cannot write {target}: {explain(error, target.parent)}") from error
    return Archive.of(target, seal, directory, length)


def _begin(partial: Path) -> int:
    """A file of our own under the partial name, empty and locked. What a killed process left there is taken over; where
    it died after the file had got its name, only the second name goes, as the file is somebody's archive by now."""
    while True:
        found = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours = os.fstat(found)
            with contextlib.suppress(FileNotFoundError):  # who had it has given it its name meanwhile: once more
                if os.path.samestat(ours, os.lstat(partial)):
                    if ours.st_nlink == 1:
                        os.ftruncate(found, 0)
                        return found
                    partial.unlink()
        except BlockingIOError:
            os.close(found)
            raise InputError(f"{partial} is being written by another process: wait, or choose another name") from None
        except BaseException:
            os.close(found)
            raise
        os.close(found)


def _publish(partial: Path, target: Path) -> None:
    """Give a file that is whole its name, unless somebody took that meanwhile."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise InputError(f"{target} was made by somebody else meanwhile: choose another name") from None
    except OSError as error:
        # Media that an archive is carried away on often know no second name for a file.
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        if target.exists():
            raise InputError(f"{target} was made by somebody else meanwhile: choose another name") from None
        partial.rename(target)


@define
class _Writing:
    """One archive in the making."""

    view: View
    contents: Ranges
    rows: Ranges
    file: IO[bytes]
    progress: Progress | None
    blocks: list[Block] = field(factory=list)
    done: int = 0
    counts: list[int] = field(factory=lambda: [0, 0])
    lost: Any = field(factory=lambda: sha256(PRUNE_TAG))
    sets: Sets = field(init=False)
    nodes: ViewNodes = field(init=False)

    def run(self, signer: Signer) -> tuple[Seal, Directory]:
        view = self.view
        head = parse_checkpoint(parse_note(view.checkpoint).text)
        self.sets = Sets(held(self.contents, self.rows), Places.of(self.contents), Places.of(self.rows))
        self.nodes = ViewNodes(view)
        if head.size != view.size:
            raise DataError(f"the checkpoint is of {head.size} entries, {view.size} are there: run `tracechain verify`")
        if self.sets.held.ranges[-1][1] > view.size:
            raise InputError(f"entries up to {self.sets.held.ranges[-1][1] - 1} are wanted, the log has {view.size}")
        self.file.write(BEGIN)
        for start, height, headers in self._cuts():
            self._block(start, height, headers)
        directory = Directory(
            view.checkpoint,
            self.contents,
            self.rows,
            tuple(self.blocks),
            tuple(self._hashes(gaps(0, head.size, [(block.start, block.stop) for block in self.blocks]))),
        )
        if fold((height, value) for _, height, value in directory.pieces()) != head.root:
            raise DataError("the headers do not lead to the root of the checkpoint: run `tracechain verify`")
        data = directory.encode()
        seal = Seal.sign(
            signer, ledger_id=self.nodes.leaf(0), size=head.size, root=head.root, entries=len(self.sets.held),
            contents=self.counts[0], rows=self.counts[1], lost=self.lost.digest(), directory=sha256(data).digest(),
        )  # fmt: skip
        sealed = seal.encode()
        self.file.write(data + sealed + TRAILER.pack(len(data), len(sealed), END))
        return seal, directory

    # ---- blocks ----

    def _cuts(self) -> Iterator[tuple[int, int, list[bytes]]]:
        """(start, height, headers) of each block: complete subtrees, as large as their entries allow."""
        size, places = self.view.size, self.sets.held
        waiting: list[tuple[int, int]] = []
        following = places.next(0)
        while following is not None or waiting:
            if waiting:
                start, height = waiting.pop()
            else:
                assert following is not None
                height = HEIGHT_MOST
                start = following >> height << height
                following = places.next(start + (1 << height))
            stop = start + (1 << height)
            count = places.count(start, min(stop, size))
            if not count:
                continue
            if stop <= size and count <= _ENTRIES:
                headers = self._headers(start, stop, count)
                if height == 0 or _bytes_of(headers) <= _BYTES:
                    yield start, height, headers
                    continue
            half = 1 << (height - 1)
            waiting += ((start + half, height - 1), (start, height - 1))

    def _headers(self, start: int, stop: int, count: int) -> list[bytes]:
        found = [
            header for first, last in self.sets.held.clip(start, stop) for _, header in self.view.headers(first, last)
        ]
        if len(found) != count:
            raise DataError(f"a header from entry {start} to {stop - 1} is missing: run `tracechain verify`")
        return found

    def _block(self, start: int, height: int, headers: list[bytes]) -> None:
        stop = start + (1 << height)
        clipped = list(self.sets.held.clip(start, stop))
        indices = [index for first, last in clipped for index in range(first, last)]
        flags = self.sets.flags(start, stop)
        parts = self._parts(clipped, indices, start, stop)
        contents: list[bytes | None] = []
        rows: list[bytes | None] = []
        named: list[bytes] = []
        leaves: list[bytes] = []
        name = self._namer(named)
        said_by = _SAID.iter_unpack(b"".join(headers))
        for index, header, (kind, row_count, content_length, rows_length), content, row_part in zip(
            indices, headers, said_by, *parts, strict=True
        ):
            leaf = sha256(b"\0" + header).digest()
            leaves.append(leaf)
            flag = flags[index - start] if kind == _EVENT else 0
            if flag & 1:
                if (
                    content is None
                    or len(content) != SALT_SIZE + content_length
                    or sha256(CONTENT_TAG + content).digest() != header[64:96]
                ):
                    raise _unfit(index, "content", content)
                contents.append(content)
                self.counts[0] += 1
            else:
                contents.append(None)
            if flag & 2 and row_count:
                if (
                    row_part is None
                    or len(row_part) != SALT_SIZE + rows_length
                    or _root(row_part, row_count, name) != header[96:]
                ):
                    raise _unfit(index, "rows", row_part)
                rows.append(row_part)
                self.counts[1] += 1
            else:
                rows.append(None)
            if flag:
                self.lost.update(index.to_bytes(8, "big") + bytes((flag,)) + leaf)
        between = self._between(start, height, clipped)
        root = subtree_root(start, stop, clipped, leaves, between)
        block, plain, packed = pack(start, height, root, Held(indices, headers, contents, rows, named, between))
        self.file.write(plain)
        self.file.write(packed)
        self.blocks.append(block)
        self.done += len(indices)
        if self.progress is not None:
            self.progress(self.done, len(self.sets.held))

    def _parts(
        self, clipped: list[tuple[int, int]], indices: list[int], start: int, stop: int
    ) -> tuple[list[bytes | None], list[bytes | None]]:
        """Contents and rows of these entries, as far as they are wanted."""
        view, sets = self.view, self.sets
        if len(clipped) <= _RUNS and 2 * min(sets.contents.count(start, stop), sets.rows.count(start, stop)) > len(
            indices
        ):
            blocks = [view.block(first, last) for first, last in clipped]
            return [part for block in blocks for part in block[1]], [part for block in blocks for part in block[2]]
        found: list[dict[int, bytes]] = [{}, {}]
        for column, read, places in zip(found, (view.contents, view.all_rows), (sets.contents, sets.rows), strict=True):
            for first, last in places.clip(start, stop):
                column.update(read(first, last))
        return [found[0].get(index) for index in indices], [found[1].get(index) for index in indices]

    def _namer(self, named: list[bytes]) -> Callable[[int], bytes]:
        """Gives the leaf of an entry, and notes that it was asked for."""
        header_of = self.view.header

        def name(previous: int) -> bytes:
            header = header_of(previous)
            if header is None:
                raise DataError(f"entry {previous}: its header is missing: run `tracechain verify`")
            named.append(sha256(b"\0" + header).digest())
            return named[-1]

        return name

    def _between(self, start: int, height: int, clipped: list[tuple[int, int]]) -> list[bytes]:
        """The nodes of the gaps within a block."""
        spaces = list(gaps(start, start + (1 << height), clipped))
        if len(spaces) << _SPARSE < 1 << height:
            return list(self._hashes(spaces))
        # So many gaps that to hash all headers once is quicker than to put each node together by itself.
        found = [sha256(b"\0" + header).digest() for _, header in self.view.headers(start, start + (1 << height))]
        if len(found) != 1 << height:
            raise DataError(f"a header behind entry {start} is missing: run `tracechain verify`")
        levels = [found]
        for at in range(max(level for _, level in spaces)):
            levels.append(merkle.nodes_at(levels[at], 1))
        return [levels[level][(place - start) >> level] for place, level in spaces]

    def _hashes(self, subtrees: Iterable[tuple[int, int]]) -> Iterator[bytes]:
        for start, height in subtrees:
            yield merkle.subtree(self.nodes, height, start >> height)


def _root(part: bytes, count: int, name: Callable[[int], bytes]) -> bytes | None:
    """The row root of rows, None for bytes that are none. They are strictly read where they are read back."""
    try:
        return bind_rows(part, count, name, unpack_known)
    except DecodeError:
        return None


def _unfit(index: int, what: str, part: bytes | None) -> DataError:
    if part is None:
        return DataError(f"entry {index}: its {what} cannot be archived: not there any more")
    return DataError(
        f"entry {index}: its {what} cannot be archived: not what its header commits to, see `tracechain verify`"
    )


def _bytes_of(headers: list[bytes]) -> int:
    """Bytes of some entries, whole."""
    lengths: int = sum(content + rows for _, _, content, rows in _SAID.iter_unpack(b"".join(headers)))
    return lengths + len(headers) * (HEADER_SIZE + 2 * SALT_SIZE)
