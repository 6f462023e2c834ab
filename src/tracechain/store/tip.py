"""The tip of a log: all that the next commit builds on (docs/format.md section 11.1)."""

from __future__ import annotations

from attrs import frozen

from tracechain import encoding
from tracechain.errors import DecodeError
from tracechain.merkle import Frontier

__all__ = ["Tip"]


@frozen
class Tip:
    """Size and right edge of the tree, last receipt time (milliseconds), epoch."""

    frontier: Frontier
    time: int = 0
    epoch: int = 0

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.frontier.size

    def encode(self) -> bytes:
        """The value of `tip` in the table meta."""
        return encoding.pack((self.time, self.epoch, self.frontier.to_bytes()))

    @classmethod
    def decode(cls, data: bytes) -> Tip:
        """Read strictly."""
        try:
            value = encoding.unpack_strict(data, max_bytes=4096, max_depth=1)
        except DecodeError:
            value = None
        match value:
            case (int() as time, int() as epoch, bytes() as frontier):
                return cls(Frontier.from_bytes(frontier), time, epoch)
            case _:
                raise DecodeError("the tip is not [time, epoch, frontier]; run `tracechain reindex`")
