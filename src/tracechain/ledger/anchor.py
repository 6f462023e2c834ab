"""The anchor: the last signed checkpoint, kept outside the database (docs/format.md section 11.2).

It is what tells a restored backup, a dropped tail or a forked copy from the ledger that went on. Two slots are
written in turn, so a torn write leaves the one before.
"""

from __future__ import annotations

import errno
import os
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from tracechain.errors import StorageError
from tracechain.store.files import explain, write_durably

__all__ = ["Anchor", "Anchored"]

_SLOT = 4096
_MAGIC = b"TCHA" + bytes(4)
MAX_NOTE = _SLOT - 52
_SHORT = OSError("short write")


@frozen
class Anchored:
    """What the anchor says: a counter that grows with each write, and the note."""

    counter: int
    note: bytes


class Anchor:
    """The anchor file. The caller holds the ledger's writer lock."""

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100  # not resolved: a link may be moved on purpose
        self._fd = -1
        self._file = (0, 0)

    def read(self) -> Anchored | None:
        """The newest valid slot; None if there is no file. StorageError if neither slot is whole."""
        try:
            fd = self._open()
            data = os.pread(fd, 2 * _SLOT, 0)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot read the anchor {self.path}: {error}") from error
        slots = [found for at in (0, _SLOT) if (found := _parse(data[at : at + _SLOT])) is not None]
        if not slots:
            raise StorageError(
                f"the anchor {self.path} is damaged: put back a copy of it, or move it away and go on as a new epoch"
                " with `tracechain restore`"
            )
        return max(slots, key=lambda slot: slot.counter)

    def write(self, counter: int, note: bytes) -> None:
        """Set the anchor durably: `counter` is one more than that of the anchor it replaces."""
        if len(note) > MAX_NOTE:
            raise StorageError(f"a note of {len(note)} bytes does not fit the anchor")
        body = (_MAGIC + counter.to_bytes(8, "big") + len(note).to_bytes(4, "big") + note).ljust(_SLOT - 32, b"\0")
        slot = body + sha256(body).digest()
        try:
            try:
                fd = self._open()
            except FileNotFoundError:
                # At once with its first slot: an anchor that is there is never empty, whenever the power fails.
                write_durably(self.path, slot.rjust(2 * _SLOT, b"\0") if counter % 2 else slot.ljust(2 * _SLOT, b"\0"))
                return
            if os.pwrite(fd, slot, _SLOT * (counter % 2)) != _SLOT:
                raise StorageError(f"the anchor {self.path} was written in part only: {explain(_SHORT, self.path)}")
            os.fdatasync(fd)
        except OSError as error:
            raise StorageError(f"cannot write the anchor {self.path}: {explain(error, self.path)}") from error

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> int:
        """The file, kept open for writing as every commit writes it, and opened again where another was put in its
        place."""
        found = os.stat(self.path)  # noqa: PTH116  # twice as fast as Path.stat, in every commit
        if self._fd >= 0 and self._file != (found.st_dev, found.st_ino):
            self.close()
        if self._fd < 0:
            try:
                self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            except OSError as error:
                # Who may only read can still verify; a write would fail on the descriptor.
                if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
                    raise
                self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            opened = os.fstat(self._fd)
            self._file = (opened.st_dev, opened.st_ino)
        return self._fd


def _parse(slot: bytes) -> Anchored | None:
    if len(slot) != _SLOT or sha256(slot[:-32]).digest() != slot[-32:] or slot[:8] != _MAGIC:
        return None
    length = int.from_bytes(slot[16:20], "big")
    if length > MAX_NOTE or any(slot[20 + length : -32]):
        return None
    return Anchored(int.from_bytes(slot[8:16], "big"), slot[20 : 20 + length])
