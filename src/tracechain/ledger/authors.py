"""Author keys and statements as the ledger needs them while it writes (docs/format.md sections 5 and 6)."""

from __future__ import annotations

from functools import lru_cache

from attrs import evolve, frozen

from tracechain import encoding
from tracechain.entry import ZERO
from tracechain.errors import DecodeError, KeyUseError
from tracechain.signing import PublicKey
from tracechain.store import Transaction

__all__ = ["Author", "Authors", "Logged", "next_sequence"]


@frozen
class Author:
    """An author's key, and where in the log it came in and went out."""

    key: PublicKey
    label: str
    scope: tuple[str, ...] | None
    authorised: int
    revoked: int | None = None


@frozen
class Authors:
    """All author keys, in order of authorisation."""

    authors: tuple[Author, ...] = ()

    def find(self, key_hash: bytes) -> Author | None:
        """The author with this key hash, revoked or not."""
        return next((a for a in self.authors if a.key.hash == key_hash), None)

    def active(self, key_hash: bytes) -> Author:
        """The author with this key hash; KeyUseError where it may not write."""
        author = self.find(key_hash)
        if author is None:
            raise KeyUseError(
                f"author key {key_hash.hex()[:16]} is not authorised on this ledger: authorise it with"
                " `tracechain keys authorise`"
            )
        if author.revoked is not None:
            raise KeyUseError(
                f"author key {key_hash.hex()[:16]} ({author.label}) was revoked in entry {author.revoked}: use another"
            )
        return author

    def with_author(self, author: Author) -> Authors:
        """With one more key. KeyUseError where its hash or short id is taken, by a revoked key also."""
        for other in self.authors:
            if other.key.id == author.key.id:
                raise KeyUseError(
                    f"author key {author.key.hash.hex()[:16]} was authorised before, in entry {other.authorised};"
                    " a key comes in once: make a new one"
                )
        return Authors((*self.authors, author))

    def without(self, key_hash: bytes, index: int) -> Authors:
        """With a key revoked in the entry at `index`."""
        self.active(key_hash)
        return Authors(tuple(evolve(a, revoked=index) if a.key.hash == key_hash else a for a in self.authors))

    def encode(self) -> bytes:
        """The value of `keys` in the table meta."""
        return encoding.pack(
            tuple((a.key.algorithm, a.key.raw, a.label, a.scope, a.authorised, a.revoked) for a in self.authors)
        )

    @classmethod
    def decode(cls, data: bytes | None) -> Authors:
        """Read what `encode` wrote."""
        return cls() if data is None else _decode(data)


@lru_cache(maxsize=16)
def _decode(data: bytes) -> Authors:
    # Remembered: each commit asks for the same bytes, and to check that a key is a point of the curve costs 0.1 ms.
    value = encoding.unpack_strict(data, max_bytes=1 << 24)
    authors = []
    for item in value if isinstance(value, tuple) else (None,):
        match item:
            case (int() as algorithm, bytes() as raw, str() as label, scope, int() as index, revoked):
                key = PublicKey(algorithm, raw)
                authors.append(Author(key, label, scope, index, revoked))
            case _:
                raise DecodeError("the list of author keys is damaged: run `tracechain reindex`")
    return Authors(tuple(authors))


@frozen
class Logged:
    """A statement in the log, as the table `statements` remembers it."""

    first: int
    count: int
    index: int
    hash: bytes

    @property
    def end(self) -> int:
        """The sequence number after its last one."""
        return self.first + self.count

    def encode(self) -> bytes:
        """The value in the table."""
        return self.count.to_bytes(4, "big") + self.index.to_bytes(8, "big") + self.hash

    @classmethod
    def decode(cls, found: tuple[int, bytes] | None) -> Logged | None:
        """Read what a lookup found."""
        if found is None:
            return None
        first, value = found
        if len(value) != 44:
            raise DecodeError("the table of statements is damaged: run `tracechain reindex`")
        return cls(first, int.from_bytes(value[:4], "big"), int.from_bytes(value[4:12], "big"), value[12:])


def next_sequence(txn: Transaction, author_id: bytes) -> tuple[int, bytes]:
    """What an author's next statement has as first sequence and as previous, by the log."""
    last = Logged.decode(txn.statement_before(author_id, (1 << 64) - 1))
    return (0, ZERO) if last is None else (last.end, last.hash)
