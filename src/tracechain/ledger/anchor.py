"""The anchor: the last signed checkpoint, kept outside the database (docs/format.md section 11.2).

It is what tells a restored backup, a dropped tail or a forked copy from the ledger that went on. Two slots are
written in turn, so a torn write leaves the one before.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from tracechain.errors import StorageError
from tracechain.store.files import explain, sync_folder

__all__ = ["Anchor", "Anchored"]

_SLOT = 4096
_MAGIC = b"TCHA" + bytes(4)
MAX_NOTE = _SLOT - 52


@frozen
class Anchored:
    """What the anchor says: a counter that grows with each write, and the note."""

    counter: int
    note: bytes


class Anchor:
    """The anchor file. The caller holds the ledger's writer lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = -1

    def read(self) -> Anchored | None:
        """The newest valid slot; None if there is no file. StorageError if neither slot is whole."""
        try:
            data = os.pread(self._open(), 2 * _SLOT, 0)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot read the anchor {self.path}: {error}") from error
        slots = [found for at in (0, _SLOT) if (found := _parse(data[at : at + _SLOT])) is not None]
        if not slots:
            raise StorageError(
                f"the anchor {self.path} is damaged: put back a copy of it, or go on by `tracechain restore`"
            )
        return max(slots, key=lambda slot: slot.counter)

    def write(self, counter: int, note: bytes) -> None:
        """Set the anchor durably: `counter` is one more than that of the anchor it replaces."""
        if len(note) > MAX_NOTE:
            raise StorageError(f"a note of {len(note)} bytes does not fit the anchor")
        body = (_MAGIC + counter.to_bytes(8, "big") + len(note).to_bytes(4, "big") + note).ljust(_SLOT - 32, b"\0")
        try:
            fd = self._open(create=True)
            os.pwrite(fd, body + sha256(body).digest(), _SLOT * (counter % 2))
            os.fdatasync(fd)
        except OSError as error:
            raise StorageError(f"cannot write the anchor {self.path}: {explain(error, self.path)}") from error

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self, *, create: bool = False) -> int:
        """The file, kept open for writing as every commit writes it."""
        if self._fd < 0:
            try:
                self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                if not create:
                    raise
                self._fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL, 0o644)
                os.pwrite(self._fd, bytes(2 * _SLOT), 0)
                os.fsync(self._fd)
                sync_folder(self.path.parent)
        return self._fd


def _parse(slot: bytes) -> Anchored | None:
    if len(slot) != _SLOT or sha256(slot[:-32]).digest() != slot[-32:] or slot[:8] != _MAGIC:
        return None
    length = int.from_bytes(slot[16:20], "big")
    if length > MAX_NOTE or any(slot[20 + length : -32]):
        return None
    return Anchored(int.from_bytes(slot[8:16], "big"), slot[20 : 20 + length])
