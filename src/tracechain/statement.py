"""Statements: what an author signs over a batch of contents (docs/format.md section 6).

A statement binds ledger, author, the author's own numbers, the statement before, the time and the root over
the commitments, so a batch cannot be replayed elsewhere, re-attributed, reordered, or lose a member unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, cast

from attrs import frozen

from tracechain import encoding, merkle
from tracechain.entry import COVERED_TYPES, MAX_CONTENT, SALT_SIZE, ZERO, content_commitment
from tracechain.errors import DecodeError, InputError
from tracechain.record import Evidence
from tracechain.signing import Signer

__all__ = [
    "Item",
    "Statement",
    "Submission",
    "check_items",
    "decode_statement",
    "decode_submission",
    "encode_statement",
    "encode_submission",
    "sign_statement",
    "statement_leaves",
    "statement_of",
    "term_leaves",
]

MAX_COUNT = 1_000_000
#: Contents under one leaf of a statement: a leaf a content would cost a tenth of all hashing (format.md section 6).
GROUP = 64
TERM_SIZE = 35
MAX_SUBMISSION = 1 << 28
_SIGNED = b"tracechain statement v0\n"
_SUBMISSION = "tracechain submission v0"
_COVERED = frozenset(int(t) for t in COVERED_TYPES)


@frozen
class Statement:
    """A signed statement. `signed_at` is milliseconds, as claimed; `previous` a statement hash or 32 zero bytes."""

    ledger_id: bytes
    author: bytes
    first: int
    count: int
    previous: bytes
    signed_at: int
    root: bytes
    signature: bytes

    @property
    def message(self) -> bytes:
        """The bytes under the signature."""
        return _message(self.ledger_id, self.author, self.first, self.count, self.previous, self.signed_at, self.root)

    @property
    def hash(self) -> bytes:
        """What the author's next statement names as `previous`."""
        return sha256(self.message).digest()

    @property
    def author_id(self) -> bytes:
        """The short key id that stands in headers."""
        return self.author[:8]


@frozen
class Item:
    """One covered content as its author hands it over: entry type, record class, salt, canonical content."""

    type: int
    record_class: int
    salt: bytes
    content: bytes

    @property
    def commitment(self) -> bytes:
        """The content commitment."""
        return content_commitment(self.salt, self.content)


@frozen
class Submission:
    """A statement with the contents it covers: what a station sends."""

    statement: Statement
    items: tuple[Item, ...]


def _message(
    ledger_id: bytes, author: bytes, first: int, count: int, previous: bytes, signed_at: int, root: bytes
) -> bytes:
    return _SIGNED + encoding.pack((ledger_id, author, first, count, previous, signed_at, root))


def statement_leaves(commitments: Sequence[bytes], classes: Sequence[int], types: Sequence[int]) -> list[bytes]:
    """The leaf hashes under a statement's root: one for each 64 covered contents, in order."""
    if len(set(classes)) == 1 and len(set(types)) == 1:
        # The usual batch is of one kind: one tail for all.
        tail = classes[0].to_bytes(2, "big") + types[0].to_bytes(1, "big")
        terms = [commitment + tail for commitment in commitments]
    else:
        terms = [
            commitment + record_class.to_bytes(2, "big") + kind.to_bytes(1, "big")
            for commitment, record_class, kind in zip(commitments, classes, types, strict=True)
        ]
    return term_leaves(terms)


def term_leaves(terms: Sequence[bytes]) -> list[bytes]:
    """The leaf hashes over terms: commitment, record class u16, type u8 of each covered content."""
    joined = b"".join(terms)
    step = GROUP * TERM_SIZE
    return [sha256(b"\0" + joined[at : at + step]).digest() for at in range(0, len(joined), step)]


def sign_statement(
    signer: Signer,
    *,
    ledger_id: bytes,
    first: int,
    count: int,
    previous: bytes,
    signed_at: int,
    leaves: Sequence[bytes],
) -> Statement:
    """Sign a statement over the `count` contents whose `statement_leaves` are given."""
    if not 0 < count <= MAX_COUNT:
        raise InputError(f"a statement covers 1 to {MAX_COUNT} contents, not {count}; split the batch")
    if not 0 <= first <= (1 << 63) - count or not 0 <= signed_at < 1 << 63:
        raise InputError(f"a statement of {count} contents cannot have first number {first} and time {signed_at}")
    author = signer.public_key.hash
    root = merkle.root(leaves)
    message = _message(ledger_id, author, first, count, previous, signed_at, root)
    signature = signer.sign(message)
    return Statement(ledger_id, author, first, count, previous, signed_at, root, signature)


def encode_statement(statement: Statement) -> bytes:
    """The canonical bytes of a statement: the content of its entry."""
    s = statement
    return encoding.pack((s.ledger_id, s.author, s.first, s.count, s.previous, s.signed_at, s.root, s.signature))


def decode_statement(data: bytes) -> Statement:
    """Read a statement strictly. Its signature is not checked here: see `check_items` and verification."""
    value = encoding.unpack_strict(data, max_bytes=1024, max_depth=1)
    if not isinstance(value, tuple) or len(value) != 8:
        raise DecodeError("a statement is an array of eight items")
    ledger_id, author, first, count, previous, signed_at, root, signature = cast("tuple[Any, ...]", value)
    for name, item, size in (
        ("ledger id", ledger_id, 32),
        ("author key hash", author, 32),
        ("previous statement", previous, 32),
        ("root", root, 32),
        ("signature", signature, 64),
    ):
        if not isinstance(item, bytes) or len(item) != size:
            raise DecodeError(f"statement: {name} is not a byte string of {size} bytes")
    for name, number, limit in (
        ("first sequence", first, 1 << 63),
        ("count", count, MAX_COUNT + 1),
        ("signing time", signed_at, 1 << 63),
    ):
        if type(number) is not int or not 0 <= number < limit:
            raise DecodeError(f"statement: {name} is {number!r}")
    if first + count > 1 << 63:
        raise DecodeError(f"statement: {count} numbers from {first} on go past 2^63")
    if count == 0:
        raise DecodeError("statement: it covers nothing")
    if (first == 0) is not (previous == ZERO):
        raise DecodeError("statement: the first one of an author, and only that, names no previous one")
    return Statement(ledger_id, author, first, count, previous, signed_at, root, signature)


def statement_of(evidence: Evidence) -> Statement:
    """The statement that a piece of evidence holds, by its signed message; DecodeError if it holds none."""
    if not evidence.message.startswith(_SIGNED):
        raise DecodeError("the evidence holds no statement")
    value = encoding.unpack_strict(evidence.message[len(_SIGNED) :], max_bytes=1024, max_depth=1)
    return decode_statement(encoding.pack((*value, evidence.signature) if isinstance(value, tuple) else value))


def encode_submission(submission: Submission) -> bytes:
    """The bytes a station keeps and sends (format.md section 6.4). InputError where they are over 2^28."""
    items = [(i.type, i.record_class, i.salt, i.content) for i in submission.items]
    data = encoding.pack((_SUBMISSION, encode_statement(submission.statement), items))
    if len(data) > MAX_SUBMISSION:
        raise InputError(f"a submission of {len(items)} contents has {len(data)} bytes, over 2^28: split the batch")
    return data


def decode_submission(data: bytes) -> Submission:
    """Read a submission strictly; nothing is verified yet."""
    value = encoding.unpack_strict(data, max_bytes=MAX_SUBMISSION, max_depth=3)
    if not isinstance(value, tuple) or len(value) != 3 or value[0] != _SUBMISSION:
        raise DecodeError(f"this is no submission: it does not begin with {_SUBMISSION!r}")
    _, statement, items = value
    if not isinstance(statement, bytes) or not isinstance(items, tuple):
        raise DecodeError("a submission is a statement and an array of items")
    return Submission(decode_statement(statement), tuple(_decode_item(n, i) for n, i in enumerate(items)))


def _decode_item(number: int, value: object) -> Item:
    match value:
        case (int() as kind, int() as record_class, bytes() as salt, bytes() as content) if (
            kind in _COVERED
            and 0 <= record_class < 1 << 16
            and len(salt) == SALT_SIZE
            and 0 < len(content) <= MAX_CONTENT
            and type(kind) is int
            and type(record_class) is int
        ):
            return Item(kind, record_class, salt, content)
        case _:
            raise DecodeError(
                f"item {number} of the submission is not [type 3 or 4, record class, 32 bytes of salt, content]"
            )


def check_items(submission: Submission) -> None:
    """Check that a submission's items are exactly what its statement covers; DecodeError where they differ.

    The signature is another matter: it stands or falls with the author's key (signing.verify over `Statement.message`).
    """
    statement, items = submission.statement, submission.items
    if len(items) != statement.count:
        raise DecodeError(f"the statement covers {statement.count} contents, {len(items)} came with it")
    if len({i.salt for i in items}) != len(items):
        raise DecodeError("two contents of the submission have one salt: draw each anew")
    leaves = statement_leaves([i.commitment for i in items], [i.record_class for i in items], [i.type for i in items])
    if merkle.root(leaves) != statement.root:
        raise DecodeError("the contents are not those that the statement covers: its root differs")
