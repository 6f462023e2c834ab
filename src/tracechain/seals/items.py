"""The map of a seal: items, buckets, root (docs/format.md section 5.12).

    item        canonical [id, last, leaf, state]: a subject, its latest entry, the leaf and the state there
    bucket      neighbouring items, in order of ids; an id ends one when a hash of it begins with a zero byte
    map root    the root over the buckets' leaves, each of which covers the number of items and the root over them

Where buckets are cut depends on ids alone, so what changes in one bucket moves no other: who seals again works those
out anew in which something changed. Pure: bytes in, bytes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from attrs import frozen

from tracechain import merkle
from tracechain.encoding import pack
from tracechain.errors import InputError

__all__ = ["END_TAG", "MOST_ITEMS", "Bucket", "Item", "MapRoot", "buckets", "ends_bucket", "item_hash", "map_root"]

END_TAG = b"TCH0 seal end".ljust(16, b"\0")
#: What the u32 in a bucket leaf can count.
MOST_ITEMS = (1 << 32) - 1


class Item(NamedTuple):
    """Where a subject stood: index of its latest entry, leaf of that (32 bytes), state in its row there."""

    id: str
    last: int
    leaf: bytes
    state: int


@frozen
class Bucket:
    """Neighbouring items: the id of the last one, how many there are, and the root over their hashes."""

    last: str
    count: int
    root: bytes

    @property
    def leaf(self) -> bytes:
        """What stands for the bucket in the map's tree."""
        return sha256(b"\0" + self.count.to_bytes(4, "big") + self.root).digest()


class MapRoot(NamedTuple):
    """What a seal says of its map: number of items, and root (32 bytes)."""

    ids: int
    root: bytes


def ends_bucket(subject: str) -> bool:
    """Whether a bucket ends with the item of this id: one in 256 does."""
    return not sha256(END_TAG + subject.encode()).digest()[0]


def item_hash(item: tuple[str, int, bytes, int]) -> bytes:
    """The leaf hash of an item in the tree of its bucket."""
    return sha256(b"\0" + pack(item)).digest()


def buckets(items: Iterable[tuple[str, int, bytes, int]]) -> Iterator[Bucket]:
    """The buckets of items (id, last, leaf, state), which come in strictly ascending order of their ids.

    The order of texts is that of their UTF-8 bytes. InputError for another order: the map of it would prove nothing.
    """
    hashes: list[bytes] = []
    append, tag, last = hashes.append, END_TAG, ""
    for item in items:
        subject = item[0]
        if subject <= last:
            raise InputError(f"a map's items ascend by their ids: {subject!r} came after {last!r}")
        last = subject
        append(sha256(b"\0" + pack(item)).digest())
        if not sha256(tag + subject.encode()).digest()[0]:
            yield Bucket(last, len(hashes), merkle.root(hashes))
            hashes.clear()
    if hashes:
        yield Bucket(last, len(hashes), merkle.root(hashes))


def map_root(items: Iterable[tuple[str, int, bytes, int]]) -> MapRoot:
    """Count and root of the map of items, as `buckets` wants them. Streams: memory is that of the buckets' leaves, 32
    bytes for 256 items."""
    ids, leaves = 0, []
    for bucket in buckets(items):
        ids += bucket.count
        leaves.append(bucket.leaf)
    return MapRoot(ids, merkle.root(leaves))
