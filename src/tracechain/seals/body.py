"""What a seal record states (docs/format.md section 5.12)."""

from __future__ import annotations

from attrs import field, frozen

from tracechain.errors import DecodeError, InputError
from tracechain.record import Record

__all__ = ["SEAL", "SEAL_SUBJECT", "SealBody"]

#: The kind of the records; only the ledger itself writes them.
SEAL = "seal"
#: Their chain.
SEAL_SUBJECT = "urn:tracechain:seal"


@frozen
class SealBody:
    """The first `size` entries, whose tree has `tree_root`, have rows of `ids` subjects, whose map has `map_root`."""

    size: int
    tree_root: bytes = field(repr=lambda root: root.hex())
    ids: int
    map_root: bytes = field(repr=lambda root: root.hex())

    def __attrs_post_init__(self) -> None:
        numbers = ((self.size, 1), (self.ids, 0))
        if any(type(value) is not int or not least <= value < 1 << 63 for value, least in numbers):
            raise InputError(f"a seal is of at least one entry and counts its ids, not {self.size!r}, {self.ids!r}")
        if any(type(root) is not bytes or len(root) != 32 for root in (self.tree_root, self.map_root)):
            raise InputError("the roots in a seal have 32 bytes")

    def record(self) -> Record:
        """The record that states it."""
        return Record(SEAL, (self.size, self.tree_root, self.ids, self.map_root), SEAL_SUBJECT)

    @classmethod
    def from_record(cls, record: Record) -> SealBody:
        """Read strictly; DecodeError says what is wrong. Whether it is right, only the log tells."""
        if (record.kind, record.version, record.subject) != (SEAL, 0, SEAL_SUBJECT):
            raise DecodeError(f"a seal is a record of kind {SEAL}, version 0, about {SEAL_SUBJECT}")
        match record.body:
            case (size, bytes() as tree_root, ids, bytes() as map_root):
                try:
                    return cls(size, tree_root, ids, map_root)
                except InputError as error:
                    raise DecodeError(str(error)) from None
            case _:
                raise DecodeError("the body of a seal is [ size, tree root, ids, map root ]")
