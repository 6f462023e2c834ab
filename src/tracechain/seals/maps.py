"""A map that is kept up to date, and proofs from a map (docs/format.md section 5.12).

`SealMap` has the hash of each item by its id, bucket by bucket: whoever goes along a log tells it what changed, and it
works those buckets out anew. `Prover` makes the proofs, from a SealMap or from buckets that were stored.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import define, field, frozen

from tracechain import merkle
from tracechain.errors import DataError, InputError
from tracechain.seals.items import Bucket, Item, MapRoot, ends_bucket, item_hash
from tracechain.seals.proofs import Absence, Presence, check_code

__all__ = ["Prover", "SealMap"]

_HASH = merkle.HASH_BYTES


def _split(hashes: bytearray) -> list[bytes]:
    blob = bytes(hashes)
    return [blob[at : at + _HASH] for at in range(0, len(blob), _HASH)]


@define
class _Held:
    """One bucket: its ids in order, the hashes of its items one after the other, and what follows from them."""

    ids: list[str]
    hashes: bytearray
    bucket: Bucket
    leaf: bytes

    @classmethod
    def of(cls, ids: list[str], hashes: bytearray) -> _Held:
        """Work the bucket out."""
        bucket = Bucket(ids[-1], len(ids), merkle.root(_split(hashes)))
        return cls(ids, hashes, bucket, bucket.leaf)


@define
class SealMap:
    """The map of items as of some moment, of which single items change. Takes about 50 bytes an item beside its id."""

    _held: list[_Held] = field(factory=list, init=False)
    _lasts: list[str] = field(factory=list, init=False)

    def update(self, changed: Mapping[str, bytes]) -> None:
        """Put the hashes (items.item_hash) of items that are new, or changed, by their ids."""
        todo = sorted(changed)
        held: list[_Held] = []
        at = done = 0
        while at < len(todo):
            number = bisect_left(self._lasts, todo[at])
            if number == len(self._held) and number and not ends_bucket(self._lasts[-1]):
                number -= 1  # the last bucket is open still
            open_end = number >= len(self._held) - 1 and not (
                number < len(self._held) and ends_bucket(self._lasts[number])
            )
            stop = len(todo) if open_end else bisect_right(todo, self._lasts[number], at)
            held += self._held[done:number]
            old = (self._held[number].ids, self._held[number].hashes) if number < len(self._held) else ([], bytearray())
            held += _merged(*old, todo[at:stop], changed)
            at, done = stop, number + 1
        self._held = held + self._held[done:]
        self._lasts = [one.bucket.last for one in self._held]

    def root(self) -> MapRoot:
        """Count and root."""
        return MapRoot(sum(one.bucket.count for one in self._held), merkle.root([one.leaf for one in self._held]))

    def prover(self, item_of: Callable[[str], Item]) -> Prover:
        """Who proves by this map as it is now; `item_of` gives the item of an id that is in it."""

        def hashes_of(number: int) -> tuple[Sequence[str], Sequence[bytes]]:
            return self._held[number].ids, _split(self._held[number].hashes)

        return Prover([one.bucket for one in self._held], hashes_of, item_of)


def _merged(ids: list[str], hashes: bytearray, new: list[str], changed: Mapping[str, bytes]) -> list[_Held]:
    """The buckets that one becomes with some items, which are ascending."""
    ends = []
    for subject in new:
        at = len(ids) if not ids or subject > ids[-1] else bisect_left(ids, subject)
        begin = at * _HASH
        if at < len(ids) and ids[at] == subject:
            hashes[begin : begin + _HASH] = changed[subject]
            continue
        ids.insert(at, subject)
        hashes[begin:begin] = changed[subject]
        if ends_bucket(subject):
            ends.append(subject)
    cuts = [bisect_left(ids, subject) + 1 for subject in ends]
    if not cuts:
        return [_Held.of(ids, hashes)]
    if cuts[-1] != len(ids):
        cuts.append(len(ids))
    return [
        _Held.of(ids[begin:end], hashes[begin * _HASH : end * _HASH])
        for begin, end in zip([0, *cuts[:-1]], cuts, strict=True)
    ]


@frozen
class _Opened:
    """A bucket that proofs are made from: ids and, level by level, the tree over the hashes of its items."""

    ids: Sequence[str]
    levels: list[list[bytes]]


class Prover:
    """Proofs by one map. `hashes_of` gives ids and item hashes of a bucket by its number, `item_of` an item by its id.

    What they give is held against the buckets, so a proof that is made stands.
    """

    def __init__(
        self,
        buckets: Iterable[Bucket],
        hashes_of: Callable[[int], tuple[Sequence[str], Sequence[bytes]]],
        item_of: Callable[[str], Item],
    ) -> None:
        self._buckets = list(buckets)
        self._lasts = [bucket.last for bucket in self._buckets]
        self._hashes_of, self._item_of = hashes_of, item_of
        self._tree = _levels([bucket.leaf for bucket in self._buckets])
        self._opened: dict[int, _Opened] = {}

    @property
    def root(self) -> MapRoot:
        """Count and root of the map: whoever proves by a seal compares them with it first."""
        top = self._tree[-1]
        return MapRoot(sum(bucket.count for bucket in self._buckets), top[0] if top else merkle.EMPTY_ROOT)

    def has(self, subject: str) -> bool:
        """Whether the map has an item of this id."""
        return self._find(subject)[2]

    def presence(self, subject: str) -> Presence:
        """That an id is in the map, and with what. InputError where it is not."""
        number, place, there = self._find(check_code(subject))
        if not there:
            raise InputError(f"{subject} is not in the map of this seal: it came later, or never; prove its absence")
        return self._presence(number, place)

    def absence(self, code: str) -> Absence:
        """That a code is not in the map. InputError where it is."""
        number, place, there = self._find(check_code(code))
        if there:
            raise InputError(f"{code} is in the ledger, as of this seal: its absence cannot be proved")
        before = after = None
        if place:
            before = self._presence(number, place - 1)
        elif number:
            before = self._presence(number - 1, self._buckets[number - 1].count - 1)
        if number < len(self._buckets) and place < self._buckets[number].count:
            after = self._presence(number, place)
        return Absence(code, before, after)

    def _find(self, subject: str) -> tuple[int, int, bool]:
        """Bucket and place where an id is, or would be, and whether it is there."""
        number = bisect_left(self._lasts, subject)
        if number == len(self._buckets):
            return number, 0, False
        ids = self._open(number).ids
        place = bisect_left(ids, subject)
        return number, place, ids[place] == subject  # no id of the bucket is over its last

    def _open(self, number: int) -> _Opened:
        opened = self._opened.get(number)
        if opened is None:
            ids, hashes = self._hashes_of(number)
            levels = _levels(list(hashes))
            bucket = self._buckets[number]
            if not ids or (ids[-1], len(ids), levels[-1][0]) != (bucket.last, bucket.count, bucket.root):
                raise DataError(
                    f"the items up to {bucket.last} are not those that were sealed: rows that they stood in were pruned"
                    " since, or the index is damaged; run `tracechain verify`"
                )
            opened = self._opened[number] = _Opened(ids, levels)
        return opened

    def _presence(self, number: int, place: int) -> Presence:
        opened = self._open(number)
        item = self._item_of(opened.ids[place])
        if item_hash(item) != opened.levels[0][place]:
            raise DataError(f"{item.id}: it does not stand where it was sealed; run `tracechain verify`")
        return Presence(
            item, place, len(opened.ids), _path(opened.levels, place), number, len(self._buckets),
            _path(self._tree, number),
        )  # fmt: skip


def _levels(hashes: list[bytes]) -> list[list[bytes]]:
    """The tree over leaf hashes, level by level up to the root; the odd node at the end of a level goes up as it is."""
    levels = [hashes]
    while len(levels[-1]) > 1:
        levels.append(merkle.nodes_at(levels[-1], 1))
    return levels


def _path(levels: list[list[bytes]], index: int) -> tuple[bytes, ...]:
    """The inclusion proof of a leaf."""
    path = []
    for level in levels[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index >>= 1
    return tuple(path)
