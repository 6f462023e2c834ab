"""One entry of an excerpt, as its file has it (docs/format.md section 15.4).

    [ header, content, rows, leaves, terms, path ]

Each part comes with what it takes to hold it against the header, or the header against the statement, without the rest
of the log: the leaves that the hashes of the rows cover, the terms under one leaf of the statement, and the way from
there to the statement's root. Only the form is looked at here.
"""

from __future__ import annotations

from attrs import field, frozen

from tracechain import encoding, merkle
from tracechain.entry import COVERED_TYPES, HEADER_SIZE, MAX_CONTENT, MAX_ROWS, SALT_SIZE
from tracechain.errors import DecodeError
from tracechain.statement import GROUP, TERM_SIZE

__all__ = ["ENTRY_CAP", "EntryFile"]

#: Bytes of the file at most.
ENTRY_CAP = 1 << 26
_LEAF = merkle.HASH_BYTES
_COVERED = frozenset(map(int, COVERED_TYPES))
_TYPE_AT = 4


def _length(part: bytes | None) -> str:
    return "None" if part is None else f"<{len(part)} bytes>"


@frozen
class EntryFile:
    """An entry that is shown. `content` and `rows` have their salts before them, None where they are not there.

    `leaves` are those of the entries that the rows name as the ones before, in the order of the rows, each once; None
    without rows. `terms` are those of up to 64 contents under one leaf of the statement, `path` leads from that leaf to
    the statement's root; None for an entry that no statement covers.
    """

    header: bytes = field(repr=lambda header: header.hex())
    content: bytes | None = field(repr=_length)
    rows: bytes | None = field(repr=_length)
    leaves: tuple[bytes, ...] | None = field(repr=lambda leaves: f"<{len(leaves or ())} leaves>")
    terms: bytes | None = field(default=None, repr=_length)
    path: tuple[bytes, ...] | None = field(default=None, repr=lambda path: f"<{len(path or ())} hashes>")

    @property
    def covered(self) -> bool:
        """Whether the entry is of a type that a statement covers."""
        return self.header[_TYPE_AT] in _COVERED

    def encode(self) -> bytes:
        """The bytes of the file."""
        leaves, path = (None if some is None else b"".join(some) for some in (self.leaves, self.path))
        return encoding.pack((self.header, self.content, self.rows, leaves, self.terms, path))

    @classmethod
    def decode(cls, data: bytes) -> EntryFile:
        """Read strictly; DecodeError says what is wrong. Nothing is held against anything yet."""
        value = encoding.unpack_strict(data, max_bytes=ENTRY_CAP, max_depth=1)
        if not isinstance(value, tuple) or len(value) != 6:
            raise DecodeError("an entry of an excerpt is an array of six items")
        header, content, rows, leaves, terms, path = value
        if not isinstance(header, bytes) or len(header) != HEADER_SIZE:
            raise DecodeError(f"an entry begins with a header of {HEADER_SIZE} bytes")
        found = cls(
            header,
            _part(content, MAX_CONTENT, "content"),
            _part(rows, MAX_ROWS, "rows"),
            _hashes(leaves, "leaves"),
            _terms(terms),
            _hashes(path, "path"),
        )
        if (found.rows is None) is not (found.leaves is None):
            raise DecodeError("an entry has leaves exactly where it has rows")
        if found.covered is (found.terms is None) or found.covered is (found.path is None):
            raise DecodeError(
                f"an entry of type {header[_TYPE_AT]}: terms and path are those of types 3 and 4, and theirs"
            )
        return found


def _part(value: object, most: int, what: str) -> bytes | None:
    if value is not None and not (isinstance(value, bytes) and SALT_SIZE < len(value) <= SALT_SIZE + most):
        raise DecodeError(f"{what} with its salt is nil, or {SALT_SIZE + 1} to {SALT_SIZE + most} bytes")
    return value


def _hashes(value: object, what: str) -> tuple[bytes, ...] | None:
    if value is None:
        return None
    if not isinstance(value, bytes) or len(value) % _LEAF:
        raise DecodeError(f"{what} are nil, or a byte string of {_LEAF} bytes for each hash")
    return tuple(value[at : at + _LEAF] for at in range(0, len(value), _LEAF))


def _terms(value: object) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, bytes) or not value or len(value) % TERM_SIZE or len(value) > GROUP * TERM_SIZE:
        raise DecodeError(f"terms are nil, or a byte string of {TERM_SIZE} bytes for each of 1 to {GROUP} contents")
    return value
