"""Proofs by a seal: that a subject stood there, or that there was none of a code (docs/format.md section 5.12).

A bucket's leaf covers the number of its items, so a place in a bucket is proved. The number of buckets is not: it gives
the shape in which a path is read. Whatever it says, the leaf that a path of *left* alone leads to is the first one, a
path of *right* alone leads to the last one, and two paths that lead to neighbours in one shape lead to neighbours in
the tree; for what is a leaf cannot pass as an inner node. That is all that absence rests on.
"""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from tracechain import merkle
from tracechain.encoding import pack, unpack_strict
from tracechain.errors import DecodeError, InputError, ProofError
from tracechain.event.values import MAX_ID
from tracechain.seals.items import MOST_ITEMS, Bucket, Item, ends_bucket, item_hash

__all__ = ["MAX_PROOF_BYTES", "Absence", "Presence"]

#: Longest encoded proof that is read.
MAX_PROOF_BYTES = 1 << 20
_HASH = merkle.HASH_BYTES
#: No tree of less than 2^63 leaves has a longer path.
MAX_HASHES = 63


def _hashes(path: tuple[bytes, ...]) -> str:
    return f"<{len(path)} hashes>"


@frozen
class Presence:
    """That a map has this item: it is number `place` of `items` in its bucket, and the bucket number `bucket` of
    `buckets`, both from 0; with the paths of hashes from the item, and from its bucket's leaf.
    """

    item: Item
    place: int
    items: int
    path: tuple[bytes, ...] = field(repr=_hashes)
    bucket: int
    buckets: int
    bucket_path: tuple[bytes, ...] = field(repr=_hashes)

    @property
    def id(self) -> str:
        """The subject."""
        return self.item.id

    @property
    def first(self) -> bool:
        """Whether it is the first item of its bucket."""
        return self.place == 0

    @property
    def last(self) -> bool:
        """Whether it is the last item of its bucket."""
        return self.place == self.items - 1

    def plain(self) -> tuple[Any, ...]:
        """The array that is encoded."""
        one = self.item
        paths = b"".join(self.path), b"".join(self.bucket_path)
        return (one.id, one.last, one.leaf, one.state, self.place, self.items, paths[0], self.bucket, self.buckets,
                paths[1])  # fmt: skip

    @classmethod
    def of_plain(cls, value: object) -> Presence:
        """From that array; DecodeError for another form. Nothing is proved yet."""
        match value:
            case (
                str() as subject,
                last,
                bytes() as leaf,
                state,
                place,
                items,
                bytes() as path,
                bucket,
                buckets,
                bytes() as bucket_path,
            ):
                item = Item(_id(subject), _number(last, "last"), _leaf(leaf), _number(state, "state"))
                return cls(
                    item, _number(place, "place"), _number(items, "items"), _path(path), _number(bucket, "bucket"),
                    _number(buckets, "buckets"), _path(bucket_path),
                )  # fmt: skip
            case _:
                raise DecodeError("a proof of presence is an array of ten items (format.md section 5.12)")

    def encode(self) -> bytes:
        """The canonical bytes."""
        return pack(self.plain())

    @classmethod
    def decode(cls, data: bytes) -> Presence:
        """Read strictly; DecodeError says what is wrong. Nothing is proved yet: see `check`."""
        return cls.of_plain(unpack_strict(data, max_bytes=MAX_PROOF_BYTES, max_depth=1))

    def check(self, map_root: bytes) -> None:
        """That the map with this root has the item at this place; ProofError where it is not shown."""
        what = f"presence of {self.id}"
        if not 0 < self.items <= MOST_ITEMS:
            raise ProofError(f"{what}: a bucket of {self.items} items does not exist")
        if ends_bucket(self.id) and not self.last:
            raise ProofError(f"{what}: its id ends a bucket, and the proof has it at {self.place} of {self.items}")
        if self.last and not ends_bucket(self.id) and self.bucket != self.buckets - 1:
            raise ProofError(
                f"{what}: it is the last of bucket {self.bucket} of {self.buckets}, which its id cannot end"
            )
        root = merkle.inclusion_root(item_hash(self.item), self.place, self.items, self.path)
        leaf = Bucket(self.id, self.items, root).leaf
        if merkle.inclusion_root(leaf, self.bucket, self.buckets, self.bucket_path) != map_root:
            raise ProofError(f"{what}: the proof does not lead to the map root {map_root.hex()} of the seal")


@frozen
class Absence:
    """That a map has no item of a code: the items between which it would stand, None where there is none.

    It names codes that are there, so it is for a regulator's eyes.
    """

    code: str
    before: Presence | None
    after: Presence | None

    def encode(self) -> bytes:
        """The canonical bytes."""
        return pack((self.code, *(None if one is None else one.plain() for one in (self.before, self.after))))

    @classmethod
    def decode(cls, data: bytes) -> Absence:
        """Read strictly; DecodeError says what is wrong. Nothing is proved yet: see `check`."""
        match unpack_strict(data, max_bytes=MAX_PROOF_BYTES, max_depth=2):
            case (str() as code, before, after):
                sides = (None if one is None else Presence.of_plain(one) for one in (before, after))
                return cls(_id(code), *sides)
            case _:
                raise DecodeError("a proof of absence is an array of a code and two proofs of presence, or nil for one")

    def check(self, map_root: bytes) -> None:
        """That the map with this root has no item of the code; ProofError where it is not shown."""
        what = f"absence of {self.code}"
        before, after = self.before, self.after
        for one in (before, after):
            if one is not None:
                one.check(map_root)
        if before is not None and not before.id < self.code:
            raise ProofError(f"{what}: {before.id} does not come before it")
        if after is not None and not self.code < after.id:
            raise ProofError(f"{what}: {after.id} does not come after it")
        if before is None and after is None:
            right = map_root == merkle.EMPTY_ROOT
        elif before is None:
            assert after is not None
            right = after.first and after.bucket == 0
        elif after is None:
            right = before.last and before.bucket == before.buckets - 1
        else:
            right = before.buckets == after.buckets and _neighbours(before, after)
        if not right:
            raise ProofError(f"{what}: the items that the proof names are not next to each other in the map")


def _neighbours(before: Presence, after: Presence) -> bool:
    if before.bucket == after.bucket:
        return before.items == after.items and after.place == before.place + 1
    return before.last and after.first and after.bucket == before.bucket + 1


# ---- strict items --------------------------------------------------------------------------------


def _id(value: str) -> str:
    if not 0 < len(value.encode()) <= MAX_ID:
        raise DecodeError(f"{value[:64]!r} is no id of a map: 1 to {MAX_ID} bytes")
    return value


def _number(value: object, what: str) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise DecodeError(f"{what} in a proof is {value!r:.80}, not a number from 0 to 2^63 - 1")
    return value


def _leaf(value: bytes) -> bytes:
    if len(value) != _HASH:
        raise DecodeError(f"a leaf has {_HASH} bytes, not {len(value)}")
    return value


def _path(value: bytes) -> tuple[bytes, ...]:
    if len(value) % _HASH or len(value) > MAX_HASHES * _HASH:
        raise DecodeError(f"a path of {len(value)} bytes is no row of at most {MAX_HASHES} hashes of {_HASH}")
    return tuple(value[at : at + _HASH] for at in range(0, len(value), _HASH))


def check_code(code: str) -> str:
    """What can be an id of the map; InputError for what cannot."""
    if type(code) is not str or not 0 < len(code.encode(errors="replace")) <= MAX_ID:
        raise InputError(f"{code!r:.80} cannot be a code in the ledger: a text of 1 to {MAX_ID} bytes")
    return code
