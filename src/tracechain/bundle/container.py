"""What a bundle's files lie in: a folder, or a zip file with the same names in it (docs/format.md section 15.1).

Writing: everything beside the name first, and under it when it is whole and on disk. The same files make the same zip.

Reading: the bytes come from a stranger. Of a zip only the directory at its end is taken from `zipfile`, which lists
what it finds and judges little; where the data of a file begins, how it unpacks and how much comes out is worked out
here. Nothing is unpacked beyond the length that was stated and is under its cap, nothing is written anywhere, and no
link is followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol, Self

from tracechain.errors import DataError, InputError, StorageError
from tracechain.store.files import explain, sync_folder

__all__ = ["Container", "Stream", "UnreadableError", "Writer", "WrongFileError", "create_container", "open_container"]

_SUFFIX: Final = ".zip"
_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_LEVEL: Final = 1
#: The first moment that a zip can state: the same files make the same bytes.
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = (stat.S_IFREG | 0o644) << 16
_UNIX: Final = 3
#: Flags of a zip entry: encrypted; strongly encrypted; patched; its directory hidden.
_REFUSED_FLAGS: Final = 0x0001 | 0x0020 | 0x0040 | 0x2000
#: What stands before the data of a file: signature, ..., lengths of name and extra field.
_LOCAL: Final = struct.Struct("<4s22xHH")
_LOCAL_MAGIC: Final = b"PK\x03\x04"
_PIECE: Final = 1 << 16
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
#: What zipfile raises over a directory that is none.
_ZIP_ERRORS = (
    zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, OverflowError, EOFError, IndexError,
    MemoryError, RuntimeError,
)  # fmt: skip
#: How many bytes a file of a name may have; None for a name that is not listed.
Cap = Callable[[str], int | None]


class UnreadableError(DataError):
    """What is no bundle, or one that a verifier does not look into (exit 2)."""


class WrongFileError(DataError):
    """A file of a bundle that cannot be read, or is not of the length it may have: BUNDLE_FILE."""


# ---- reading ---------------------------------------------------------------------------------------


class Stream(Protocol):
    """A file of a bundle that is read from its beginning to its end."""

    @property
    def length(self) -> int:
        """Its length in bytes, as stated."""

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end. WrongFileError for what cannot be read; the last bytes are
        only given when all of them are what a zip's checksum says."""


class Container(Protocol):
    """A bundle that is open to be read. Not for sharing by threads at the same time."""

    @property
    def path(self) -> Path:
        """The folder or zip file."""

    def names(self) -> Iterator[str]:
        """The names of all files, in no order. UnreadableError for a link or another special file among them."""

    def length(self, name: str) -> int | None:
        """The stated length of a file, None where it is not there."""

    def read(self, name: str, cap: int) -> bytes | None:
        """A file's bytes, None where it is not there. WrongFileError for one over the cap, or that cannot be read."""

    def open(self, name: str) -> contextlib.AbstractContextManager[Stream | None]:
        """A file to be read bit by bit, None where it is not there."""

    def check_names(self, cap: Cap) -> None:
        """UnreadableError for a link or another special file, and for a length over its cap that a zip states. (The
        length of a file in a folder is looked at when it is read.)"""

    def close(self) -> None:
        """Close it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_container(path: str | os.PathLike[str]) -> Container:
    """Open a folder or a zip file to be read; close it, best by `with`.

    InputError if nothing is there; UnreadableError for what is neither, or for a zip that has a name twice, encryption,
    an unknown method, a link or a dangerous name. A folder's names are looked at by `names()`.
    """
    place = Path(path)
    try:
        found = place.stat()
    except FileNotFoundError:
        raise InputError(f"{place} is not there") from None
    except OSError as error:
        raise StorageError(f"cannot read {place}: {error}") from error
    if stat.S_ISDIR(found.st_mode):
        return _Folder(place)
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError(f"{place} is neither a folder nor a zip file")
    try:
        file = place.open("rb")
    except OSError as error:
        raise StorageError(f"cannot read {place}: {error}") from error
    try:
        return _Zip(place, file)
    except BaseException:
        file.close()
        raise


def _whole(container: Container, name: str, cap: int) -> bytes | None:
    with container.open(name) as stream:
        if stream is None:
            return None
        if stream.length > cap:
            raise WrongFileError(f"{name} has {stream.length:,} bytes, it may have {cap:,}")
        data = stream.read(stream.length)
        # A folder's file may have changed since its length was asked for.
        if len(data) != stream.length or stream.read(1):
            raise WrongFileError(f"{name} is longer or shorter than it was said to be")
        return data


class _Folder:
    """A bundle in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> Iterator[str]:
        """The names of all files."""
        yield from self._below(self.path, "")

    def _below(self, folder: Path, head: str) -> Iterator[str]:
        try:
            with os.scandir(folder) as found:
                for one in found:
                    name = head + one.name
                    if one.is_symlink():
                        raise UnreadableError(f"{self.path}: {name!r} is a link")
                    if "\\" in one.name:
                        raise UnreadableError(f"{self.path}: {name!r} has a backslash in its name")
                    if one.is_dir(follow_symlinks=False):
                        yield from self._below(Path(one.path), f"{name}/")
                    elif one.is_file(follow_symlinks=False):
                        yield name
                    else:
                        raise UnreadableError(f"{self.path}: {name!r} is no regular file")
        except OSError as error:
            raise StorageError(f"cannot read {folder}: {error}") from error
        except RecursionError:
            raise UnreadableError(f"{self.path}: folders nest without end") from None

    def length(self, name: str) -> int | None:
        """The length of a file."""
        with self.open(name) as stream:
            return None if stream is None else stream.length

    def read(self, name: str, cap: int) -> bytes | None:
        """A file's bytes."""
        return _whole(self, name, cap)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Stream | None]:
        """A file to be read bit by bit."""
        try:
            # A pipe that took the file's place must not make us wait, nor a link lead us elsewhere.
            number = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            yield None
            return
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise UnreadableError(f"{self.path}: {name!r} is a link") from None
            raise WrongFileError(f"{name} cannot be read: {error.strerror}") from error
        try:
            found = os.fstat(number)
            if stat.S_ISDIR(found.st_mode):
                yield None
                return
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableError(f"{self.path}: {name!r} is no regular file")
            with os.fdopen(number, "rb", closefd=False) as file:
                yield _PlainStream(name, file, found.st_size)
        finally:
            os.close(number)

    def check_names(self, cap: Cap) -> None:  # noqa: ARG002  a file over its cap is not read, and a finding
        """Walk through all folders."""
        for _ in self.names():
            pass

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _PlainStream:
    """A file as it is."""

    def __init__(self, name: str, file: IO[bytes], length: int) -> None:
        self._name = name
        self._file = file
        self.length = length

    def read(self, count: int) -> bytes:
        """The next bytes."""
        try:
            return self._file.read(count)
        except OSError as error:
            raise WrongFileError(f"{self._name} cannot be read: {error.strerror}") from error


class _Zip:
    """A bundle in a zip file. Its directory is in memory: about 600 bytes for each file in it."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        try:
            with zipfile.ZipFile(file) as listed:
                found = listed.infolist()
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error}") from error
        except _ZIP_ERRORS as error:
            raise UnreadableError(f"{path} is no zip file: {error}") from None
        self._files: dict[str, zipfile.ZipInfo] = {}
        for one in found:
            self._take(one)

    def _take(self, one: zipfile.ZipInfo) -> None:
        name, where = one.orig_filename, f"{self.path}: {one.orig_filename[:200]!r}"
        if not name or name in self._files:
            raise UnreadableError(f"{where} is in it twice" if name else f"{self.path}: a file has no name")
        if name.startswith("/") or ".." in name.split("/") or "\\" in name or "\0" in name:
            raise UnreadableError(f"{where} is a name that leads elsewhere")
        if one.flag_bits & _REFUSED_FLAGS:
            raise UnreadableError(f"{where} is encrypted")
        if one.compress_type not in (_STORED, _DEFLATED):
            raise UnreadableError(f"{where} is packed by method {one.compress_type}, which is neither 0 nor 8")
        kind = stat.S_IFMT(one.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) and not (kind == stat.S_IFDIR and name.endswith("/")):
            raise UnreadableError(f"{where} is a link or no regular file")
        self._files[name] = one

    def names(self) -> Iterator[str]:
        """The names of all files."""
        return iter(self._files)

    def length(self, name: str) -> int | None:
        """The stated length of a file."""
        found = self._files.get(name)
        return None if found is None else found.file_size

    def read(self, name: str, cap: int) -> bytes | None:
        """A file's bytes."""
        return _whole(self, name, cap)

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Stream | None]:
        """A file to be read bit by bit."""
        found = self._files.get(name)
        yield None if found is None else _ZipStream(name, self._file, found)

    def check_names(self, cap: Cap) -> None:
        """UnreadableError if a length is over its cap."""
        for name, one in self._files.items():
            most = cap(name)
            if most is not None and one.file_size > most:
                raise UnreadableError(f"{self.path}: {name} would have {one.file_size:,} bytes, it may have {most:,}")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _ZipStream:
    """A file in a zip. It ends where its stated lengths say, in the zip and unpacked, or it is wrong."""

    def __init__(self, name: str, file: IO[bytes], said: zipfile.ZipInfo) -> None:
        self._name = name
        self._file = file
        self._said = said
        self.length = said.file_size
        self._given = 0
        self._check = 0
        self._left = said.compress_size
        self._unpacker = zlib.decompressobj(-15) if said.compress_type == _DEFLATED else None
        self._waiting = b""
        self._begin()

    def _wrong(self, words: str) -> WrongFileError:
        return WrongFileError(f"{self._name} cannot be read out of the zip file: {words}")

    def _begin(self) -> None:
        """Go to where the data begins: behind a head that says the same name again."""
        said = self._said
        head = self._raw(said.header_offset, _LOCAL.size)
        if len(head) < _LOCAL.size:
            raise self._wrong("it would begin behind its end")
        magic, name_length, extra_length = _LOCAL.unpack(head)
        self._at = said.header_offset + _LOCAL.size + name_length + extra_length
        name = self._raw(said.header_offset + _LOCAL.size, name_length)
        if magic != _LOCAL_MAGIC or name != said.orig_filename.encode("utf-8" if said.flag_bits & 0x800 else "cp437"):
            raise self._wrong("what stands before it is of another file")

    def _raw(self, at: int, count: int) -> bytes:
        try:
            self._file.seek(at)
            return self._file.read(count)
        except (OSError, ValueError, OverflowError) as error:
            raise self._wrong(str(error)) from error

    def read(self, count: int) -> bytes:
        """The next bytes."""
        count = min(count, self.length - self._given)
        if count <= 0 and self._given:
            return b""
        pieces: list[bytes] = []
        while count > 0:
            piece = self._next(count)
            if not piece:
                raise self._wrong("it is shorter than stated")
            pieces.append(piece)
            count -= len(piece)
            self._given += len(piece)
            self._check = zlib.crc32(piece, self._check)
        if self._given == self.length:
            self._end()
        return b"".join(pieces)

    def _next(self, count: int) -> bytes:
        """Up to `count` bytes more, unpacked."""
        if self._unpacker is None:
            return self._packed(min(count, _PIECE))
        try:
            while not self._unpacker.eof:
                packed = self._waiting or self._packed(_PIECE)
                piece = self._unpacker.decompress(packed, count)
                self._waiting = self._unpacker.unconsumed_tail
                if piece or not packed:
                    return piece
        except zlib.error as error:
            raise self._wrong(str(error)) from None
        return b""

    def _packed(self, count: int) -> bytes:
        """Up to `count` bytes as they are in the zip."""
        data = self._raw(self._at, min(count, self._left))
        self._at += len(data)
        self._left -= len(data)
        return data

    def _end(self) -> None:
        """Nothing may be left over, and the checksum has to be the stated one."""
        over = self._next(1)
        unread = self._left or self._waiting
        if self._unpacker is not None:
            unread = unread or self._unpacker.unused_data or not self._unpacker.eof
        if over or unread:
            raise self._wrong("it is longer than stated")
        if self._check != self._said.CRC:
            raise self._wrong("its checksum is another one")


# ---- writing ---------------------------------------------------------------------------------------


class Writer(Protocol):
    """A bundle in the making."""

    def put(self, name: str, data: bytes, *, packed: bool = True) -> None:
        """Add a file under a name that is not taken. `packed`: whether to try to make it smaller, in a zip."""


@contextlib.contextmanager
def create_container(path: str | os.PathLike[str]) -> Iterator[Writer]:
    """Write a bundle: a zip file where the name ends in `.zip`, else a folder.

    It appears under its name when the block has ended without an error, whole and on disk; before that it lies beside,
    under a hidden name, which goes in any case (unless the process is killed: then it may be deleted). Nothing is
    written over: InputError if the name is taken. StorageError if it cannot be written. What it holds is for the eyes
    of its owner only until somebody changes that.
    """
    target = Path(path)
    if target.exists() or target.is_symlink():
        raise InputError(f"{target} exists: a bundle is never written over, choose another name")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent} is no folder to write a bundle into")
    try:
        beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:64]}.", suffix=".partial"))
    except OSError as error:
        raise StorageError(f"cannot write into {target.parent}: {explain(error, target.parent)}") from error
    try:
        if target.suffix.lower() == _SUFFIX:
            partial = beside / "bundle.zip"
            with os.fdopen(os.open(partial, _NEW, 0o600), "wb") as file:
                with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                    yield _ZipWriter(archive)
                file.flush()
                os.fsync(file.fileno())
            _publish_file(partial, target)
        else:
            folder = beside / "bundle"
            folder.mkdir(mode=0o700)
            yield _FolderWriter(folder)
            # All at once: file by file it takes a turn of the disk for each, minutes for a large log.
            os.sync()
            _publish_folder(folder, target)
        sync_folder(target.parent)
    except OSError as error:
        raise StorageError(f"cannot write {target}: {explain(error, target.parent)}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _taken(target: Path) -> InputError:
    return InputError(f"{target} was made by somebody else meanwhile: choose another name")


def _publish_file(partial: Path, target: Path) -> None:
    """Give a file that is whole its name, unless somebody took that meanwhile."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError as error:
        # Media that a bundle is carried away on often know no second name for a file.
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        if target.exists():
            raise _taken(target) from None
        partial.rename(target)


def _publish_folder(folder: Path, target: Path) -> None:
    """Likewise a folder. An empty one that somebody made meanwhile is replaced: nothing is lost by that."""
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}:
            raise _taken(target) from None
        raise


class _FolderWriter:
    """Writes into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()

    def put(self, name: str, data: bytes, *, packed: bool = True) -> None:  # noqa: ARG002  the Writer's
        """Add a file."""
        place = self._folder / name
        for folder in reversed(Path(name).parents):
            if folder not in self._made:
                (self._folder / folder).mkdir(mode=0o700, exist_ok=True)
                self._made.add(folder)
        with os.fdopen(os.open(place, _NEW, 0o600), "wb") as file:
            file.write(data)


class _ZipWriter:
    """Writes into a zip file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def put(self, name: str, data: bytes, *, packed: bool = True) -> None:
        """Add a file."""
        if name in self._archive.NameToInfo:
            raise FileExistsError(errno.EEXIST, "is in the bundle already", name)
        entry = zipfile.ZipInfo(name, _DATE)
        entry.create_system = _UNIX
        entry.external_attr = _MODE
        entry.compress_type = _DEFLATED if packed else _STORED
        self._archive.writestr(entry, data, compresslevel=_LEVEL if packed else None)
