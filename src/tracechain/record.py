"""The ledger's own entries and the open set of typed records (docs/format.md sections 5, 6.3 and 8)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from attrs import field, frozen

from tracechain import encoding, signing
from tracechain.entry import MAX_CONTENT
from tracechain.errors import DecodeError, InputError, SignatureError
from tracechain.event.values import MAX_ID
from tracechain.signing import PublicKey, Signer

__all__ = [
    "SETTLING",
    "ClockRecord",
    "EpochRecord",
    "Evidence",
    "Genesis",
    "KeyAuthorised",
    "KeyRevoked",
    "Record",
    "authorise",
    "check_authorised",
    "check_origin",
    "check_revoked",
    "check_settled",
    "decode_record",
    "encode_record",
    "epoch_of",
    "key_subject",
    "origin_of",
    "revoke",
    "settle",
]

_AUTHORISE = b"tracechain authorise v0\n"
_REVOKE = b"tracechain revoke v0\n"
_SETTLE = b"tracechain settle v0\n"
_EPOCH = re.compile(r".+/epoch/(?P<epoch>[1-9][0-9]{0,8})")
_KIND = re.compile(r"[a-z0-9.-]{1,64}")
#: What settling records are about.
_ABOUT: dict[str, tuple[type, ...]] = {"epoch": (int, bytes, str), "gap": (bytes, int, int, str)}
_PLAIN = (str, bytes, bool, int)
#: Kinds of records that settle a loss (format.md section 5.6).
SETTLING = frozenset({"epoch-settled", "gap-settled"})


@frozen
class Genesis:
    """The first entry. `jump_limit` and `created` are milliseconds; `nonce` makes each ledger its own."""

    origin: str
    created: int
    log_key: PublicKey
    roots: tuple[PublicKey, ...]
    jump_limit: int
    nonce: bytes
    predecessor: bytes | None = None

    def encode(self) -> bytes:
        """The canonical content."""
        roots = tuple((k.algorithm, k.raw) for k in self.roots)
        log = (self.log_key.algorithm, self.log_key.raw)
        return _pack(
            (0, 1, self.origin, self.created, log, roots, self.jump_limit, self.nonce, self.predecessor), "genesis"
        )

    @classmethod
    def decode(cls, content: bytes) -> Genesis:
        """Read strictly; DecodeError says what is wrong."""
        version, suite, origin, created, log, roots, jump, nonce, predecessor = _items(content, 9, "genesis")
        if (version, suite) != (0, 1) or bool in {type(version), type(suite)}:
            raise DecodeError(f"genesis: format version {version!r}, suite {suite!r}; this version reads 0 and 1")
        if not isinstance(roots, tuple) or not roots:
            raise DecodeError("genesis: it names no root key")
        genesis = cls(
            _origin(origin),
            _number(created, "created"),
            _key(log),
            tuple(_key(r) for r in roots),
            _number(jump, "jump limit"),
            _bytes(nonce, 32, "nonce"),
            None if predecessor is None else _blob(predecessor, 65_536, "predecessor"),
        )
        hashes = [k.hash for k in genesis.roots]
        if any(a >= b for a, b in pairwise(hashes)):
            raise DecodeError("genesis: root keys are not sorted by their hashes and unique")
        return genesis


@frozen
class KeyAuthorised:
    """From the next entry on, statements of `key` stand; signed by the key itself and by a root."""

    key: PublicKey
    label: str
    scope: tuple[str, ...] | None
    root: bytes
    holder_signature: bytes
    root_signature: bytes

    def encode(self) -> bytes:
        """The canonical content."""
        k = self.key
        return _pack(
            (k.algorithm, k.raw, self.label, self.scope, self.root, self.holder_signature, self.root_signature),
            "key authorised",
        )

    @classmethod
    def decode(cls, content: bytes) -> KeyAuthorised:
        """Read strictly; signatures are checked by `check_authorised`."""
        algorithm, raw, label, scope, root, holder, by_root = _items(content, 7, "key authorised")
        return cls(
            _key((algorithm, raw)),
            _text(label, "label"),
            _scope(scope),
            _bytes(root, 32, "root key hash"),
            _bytes(holder, 64, "holder's signature"),
            _bytes(by_root, 64, "root's signature"),
        )


@frozen
class KeyRevoked:
    """From the next entry on, statements of the key do not stand."""

    key_hash: bytes
    reason: str
    root: bytes
    root_signature: bytes

    def encode(self) -> bytes:
        """The canonical content."""
        return _pack((self.key_hash, self.reason, self.root, self.root_signature), "key revoked")

    @classmethod
    def decode(cls, content: bytes) -> KeyRevoked:
        """Read strictly; the signature is checked by `check_revoked`."""
        key_hash, reason, root, signature = _items(content, 4, "key revoked")
        return cls(
            _bytes(key_hash, 32, "key hash"),
            _text(reason, "reason"),
            _bytes(root, 32, "root key hash"),
            _bytes(signature, 64, "root's signature"),
        )


@frozen
class ClockRecord:
    """Lets receipt times jump forward from `start` to `end` (milliseconds), for a stated reason."""

    start: int
    end: int
    reason: str

    def encode(self) -> bytes:
        """The canonical content."""
        return _pack((self.start, self.end, self.reason), "clock record")

    @classmethod
    def decode(cls, content: bytes) -> ClockRecord:
        """Read strictly."""
        start, end, reason = _items(content, 3, "clock record")
        return cls(_number(start, "from"), _number(end, "to"), _text(reason, "reason"))


@frozen
class EpochRecord:
    """A restored backup goes on: entries `size` to `lost_end` - 1 of the former epoch are lost."""

    epoch: int
    size: int
    root: bytes
    lost_end: int
    note: bytes
    reason: str

    def encode(self) -> bytes:
        """The canonical content."""
        return _pack((self.epoch, self.size, self.root, self.lost_end, self.note, self.reason), "epoch record")

    @classmethod
    def decode(cls, content: bytes) -> EpochRecord:
        """Read strictly."""
        epoch, size, root, lost_end, note, reason = _items(content, 6, "epoch record")
        return cls(
            _number(epoch, "epoch"),
            _number(size, "size"),
            _bytes(root, 32, "root"),
            _number(lost_end, "lost end"),
            _blob(note, 8192, "note"),
            _text(reason, "reason"),
        )


@frozen
class Evidence:
    """A second statement for sequence numbers that the statement at `index` covers differently."""

    index: int
    message: bytes
    signature: bytes

    def encode(self) -> bytes:
        """The canonical content."""
        return _pack((self.index, self.message, self.signature), "evidence")

    @classmethod
    def decode(cls, content: bytes) -> Evidence:
        """Read strictly."""
        index, message, signature = _items(content, 3, "evidence")
        return cls(_number(index, "index"), _blob(message, 1024, "message"), _bytes(signature, 64, "signature"))


def epoch_of(origin: str) -> int:
    """The epoch in a checkpoint's origin (format.md section 5.5)."""
    match = _EPOCH.fullmatch(origin)
    return int(match["epoch"]) if match else 0


def origin_of(genesis: Genesis, epoch: int) -> str:
    """The origin of checkpoints in an epoch (format.md section 5.5)."""
    return f"{genesis.origin}/epoch/{epoch}" if epoch else genesis.origin


def _plain(value: Any) -> Any:
    """Lists become tuples, so that a record is frozen all through and equal after a round trip."""
    if isinstance(value, (list, tuple)):
        return tuple(_plain(v) for v in value)
    if value is None or isinstance(value, _PLAIN):
        return value
    raise InputError(f"a record's body holds nil, booleans, integers, texts, bytes and arrays, not {value!r}")


@frozen
class Record:
    """A typed record of an author: registries, holds, pruning, seals. `body` is a tree of plain values."""

    kind: str
    body: Any = field(default=None, converter=_plain)
    subject: str | None = None
    version: int = 0

    def __attrs_post_init__(self) -> None:
        if type(self.kind) is not str or not _KIND.fullmatch(self.kind):
            raise InputError(f"record kind {self.kind!r}: use 1 to 64 of a-z, 0-9, '-' and '.'")
        if type(self.version) is not int or not 0 <= self.version < 1 << 63:
            raise InputError(f"record {self.kind}: version {self.version!r} is not a number from 0 to 2^63 - 1")
        # Refuses what cannot be written, and what no strict reader would take: control characters, not NFC, too deep.
        _pack((self.kind, self.version, self.subject, self.body), f"record {self.kind}")
        if self.subject is not None and (
            type(self.subject) is not str or not 0 < len(self.subject.encode()) <= MAX_ID
        ):  # format.md section 7
            raise InputError(f"record {self.kind}: subject {self.subject[:64]!r} does not have 1 to {MAX_ID} bytes")


def encode_record(record: Record) -> bytes:
    """The canonical content of a record."""
    return _pack((record.kind, record.version, record.subject, record.body), f"record {record.kind}")


def decode_record(content: bytes) -> Record:
    """Read a record strictly."""
    kind, version, subject, body = _items(content, 4, "record")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise DecodeError(f"record: kind is {kind!r}")
    if subject is not None and not (isinstance(subject, str) and 0 < len(subject.encode()) <= MAX_ID):
        raise DecodeError(f"record {kind}: subject is {subject!r:.80}, not nil or a text of 1 to {MAX_ID} bytes")
    return Record(kind, body, subject, _number(version, "version"))


# ---- signatures of root and holder --------------------------------------------------------------


def _authorise_message(ledger_id: bytes, key: PublicKey, label: str, scope: tuple[str, ...] | None) -> bytes:
    return _AUTHORISE + _pack((ledger_id, key.algorithm, key.raw, label, scope), "key authorised")


def authorise(
    ledger_id: bytes, holder: Signer, root: Signer, label: str, scope: Iterable[str] | None = None
) -> KeyAuthorised:
    """Authorise the holder's key as an author of this ledger, for everything or for a scope.

    `scope` names what the key may write: "event", and kinds of records.
    """
    allowed = None if scope is None else tuple(sorted(set(scope)))
    if allowed is not None and not (allowed and all(map(_KIND.fullmatch, allowed))):
        raise InputError(f"scope {allowed!r}: name 'event' and kinds of records, or give none for everything")
    message = _authorise_message(ledger_id, holder.public_key, label, allowed)
    return KeyAuthorised(
        holder.public_key, label, allowed, root.public_key.hash, holder.sign(message), root.sign(message)
    )


def check_authorised(ledger_id: bytes, record: KeyAuthorised, roots: tuple[PublicKey, ...]) -> None:
    """Check both signatures; SignatureError where one does not stand or the root is unknown."""
    message = _authorise_message(ledger_id, record.key, record.label, record.scope)
    signing.verify(record.key, message, record.holder_signature)
    signing.verify(_root(roots, record.root), message, record.root_signature)


def _revoke_message(ledger_id: bytes, key_hash: bytes, reason: str) -> bytes:
    return _REVOKE + _pack((ledger_id, key_hash, reason), "key revoked")


def revoke(ledger_id: bytes, key_hash: bytes, root: Signer, reason: str) -> KeyRevoked:
    """Revoke an author's key."""
    message = _revoke_message(ledger_id, key_hash, reason)
    return KeyRevoked(key_hash, reason, root.public_key.hash, root.sign(message))


def check_revoked(ledger_id: bytes, record: KeyRevoked, roots: tuple[PublicKey, ...]) -> None:
    """Check the root's signature; SignatureError where it does not stand or the root is unknown."""
    message = _revoke_message(ledger_id, record.key_hash, record.reason)
    signing.verify(_root(roots, record.root), message, record.root_signature)


def settle(ledger_id: bytes, root: Signer, kind: str, about: tuple[Any, ...]) -> Record:
    """A record that settles a loss: kind "epoch" (epoch, leaf, reason) or "gap" (key hash, from, to, reason).

    `leaf` is the leaf hash (32 bytes) of the epoch's entry: after another loss its number may come again, its leaf not.
    """
    if not _is_about(kind, about):
        raise InputError(
            f"settle {kind!r}: epoch takes (epoch, leaf, reason), gap takes (key hash, from, to, reason); hashes have"
            " 32 bytes"
        )
    signature = root.sign(_settle_message(ledger_id, kind, about))
    return Record(f"{kind}-settled", (*about, root.public_key.hash, signature))


def check_settled(ledger_id: bytes, record: Record, roots: tuple[PublicKey, ...]) -> tuple[Any, ...]:
    """What a settling record is about; SignatureError where no root of the genesis signed it.

    Whether the epoch that it names is in the log is for the caller to say.
    """
    kind = record.kind.removesuffix("-settled")
    match record.body:
        case (*items, bytes() as root, bytes() as signature) if _is_about(kind, about := tuple(items)):
            signing.verify(_root(roots, root), _settle_message(ledger_id, kind, about), signature)
            return about
        case _:
            raise DecodeError(f"record {record.kind}: its body does not have the form of that kind")


def _is_about(kind: str, about: tuple[Any, ...]) -> bool:
    hashes = (one for one in about if type(one) is bytes)
    return tuple(map(type, about)) == _ABOUT.get(kind) and all(len(one) == 32 for one in hashes)


def _settle_message(ledger_id: bytes, kind: str, about: tuple[Any, ...]) -> bytes:
    return _SETTLE + _pack((ledger_id, kind, *about), "settlement")


def key_subject(key_hash: bytes) -> str:
    """The subject of an author key's own chain (format.md section 5.3)."""
    return f"urn:tracechain:key:{key_hash.hex()}"


def _root(roots: tuple[PublicKey, ...], key_hash: bytes) -> PublicKey:
    for key in roots:
        if key.hash == key_hash:
            return key
    raise SignatureError(f"root key {key_hash.hex()[:16]} is not one of the genesis record's")


# ---- strict items --------------------------------------------------------------------------------


def _pack(items: tuple[Any, ...], what: str) -> bytes:
    """Canonical bytes; InputError for what a strict reader would refuse, so that nobody signs or logs that."""
    try:
        encoding.check_plain(items)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
    content = encoding.pack(items)
    if len(content) > MAX_CONTENT:
        raise InputError(f"{what}: {len(content)} bytes, at most {MAX_CONTENT} fit; pass a digest")
    return content


def check_origin(origin: str) -> None:
    """InputError unless it can name a key in notes and is not taken for an epoch (format.md section 5.2)."""
    if (
        not origin
        or any(c.isspace() or c == "+" for c in origin)
        or "/epoch/" in origin
        or origin.startswith(("tracechain ", "cosignature/"))
    ):
        raise InputError(
            f"{origin[:80]!r} cannot be the origin of checkpoints: no spaces, no '+', no '/epoch/', and no prefix of"
            " another signature"
        )


def _origin(value: object) -> str:
    origin = _text(value, "origin")
    try:
        check_origin(origin)
    except InputError as error:
        raise DecodeError(f"genesis: {error}") from None
    return origin


def _items(content: bytes, count: int, what: str) -> tuple[Any, ...]:
    value = encoding.unpack_strict(content, max_bytes=MAX_CONTENT)
    if not isinstance(value, tuple) or len(value) != count:
        raise DecodeError(f"{what}: not an array of {count} items")
    return value


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise DecodeError(f"{what} is {value!r}, not a text")
    return value


def _bytes(value: object, size: int, what: str) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise DecodeError(f"{what} is not a byte string of {size} bytes")
    return value


def _blob(value: object, most: int, what: str) -> bytes:
    if not isinstance(value, bytes) or len(value) > most:
        raise DecodeError(f"{what} is not a byte string of at most {most} bytes")
    return value


def _scope(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, tuple) and value and all(isinstance(v, str) and _KIND.fullmatch(v) for v in value):
        scope: tuple[str, ...] = value
        if scope == tuple(sorted(set(scope))):
            return scope
    raise DecodeError(f"scope is {value!r}, not nil or sorted, distinct kinds")


def _number(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise DecodeError(f"{what} is {value!r}, not a number from 0 to 2^63 - 1")
    return value


def _key(value: object) -> PublicKey:
    match value:
        case (int() as algorithm, bytes() as raw) if type(algorithm) is int:
            return PublicKey(algorithm, raw)
        case _:
            raise DecodeError("a public key is an algorithm number and its bytes")
