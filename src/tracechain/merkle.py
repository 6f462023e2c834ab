r"""The RFC 6962 Merkle tree: hashing, a growing frontier, proofs.

    leaf hash   SHA-256(0x00 || entry)
    node hash   SHA-256(0x01 || left || right)
    empty tree  SHA-256("")

A tree of n leaves splits at the largest power of two below n: its left side is always complete, its right
side is what is left over. So a tree is a row of complete subtrees, largest first, one for each bit that is
set in n; that row is the `Frontier`, and folding it from the right gives the root:

    7 leaves, 7 = 4 + 2 + 1         root
                                   /    \
                              (2,0)      x          (h,i) is the complete subtree of height h over the
                             /     \    / \         leaves i * 2^h up to (i + 1) * 2^h; those written
                         (1,0)  (1,1) (1,2) l6      with brackets are complete, x is not
                         / \    / \   / \
                        l0 l1  l2 l3 l4 l5          frontier: (2,0) (1,2) (0,6)

A store need not keep every inner node. Of the complete subtrees it keeps those at heights 4, 8, 12 ...
(`NODE_STEP`), 32 bytes for 15 leaves or 2.13 bytes an entry, and recomputes the rest from at most 15
neighbours. `Frontier.extend` hands over exactly the nodes to be stored; `NodeReader` is how they are read
back.

Proofs are the lists of RFC 6962 sections 2.1.1 and 2.1.2; the checks follow RFC 9162 sections 2.1.3.2 and
2.1.4.2, which share no code with the making of them. Pure: bytes in, bytes out.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, TypeAlias

from attrs import define

from tracechain.errors import DecodeError, InputError, ProofError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "MAX_SIZE",
    "NODE_STEP",
    "Frontier",
    "Node",
    "NodeReader",
    "check_consistency",
    "check_inclusion",
    "inclusion_root",
    "leaf_hash",
    "node_hash",
    "nodes_at",
    "prove_consistency",
    "prove_inclusion",
    "root",
    "subtree",
    "tree_root",
]

HASH_BYTES = 32
"""Length of every hash here, in bytes."""

NODE_STEP = 4
"""Only complete subtrees whose height is a multiple of this are stored."""

MAX_SIZE = 2**63 - 1
"""Most leaves a tree may have: sizes have to fit a signed 64-bit number everywhere (C2SP tlog-checkpoint)."""

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves."""


Node: TypeAlias = tuple[int, int, bytes]
"""Height, index and hash of a complete subtree: over the leaves `index << height` up to `(index + 1) <<
height`."""


class NodeReader(Protocol):
    """Where a tree is read from; a store, a bundle or a list in memory."""

    def leaf(self, index: int) -> bytes:
        """Give the leaf hash at `index`; asked only below the size that the caller named."""

    def node(self, height: int, index: int) -> bytes | None:
        """Give the stored complete subtree at a height of 4, 8, 12 ..., or None to have it recomputed."""


def leaf_hash(data: bytes) -> bytes:
    """Hash one entry: SHA-256(0x00 || entry), RFC 6962 section 2.1."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Compute the root over leaf hashes, level by level; EMPTY_ROOT if there are none.

    The odd node at the end of a level goes up unchanged, which is the same tree as the recursive definition.
    """
    level = list(leaf_hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        odd = level.pop() if len(level) & 1 else None
        level = _parents(level)
        if odd is not None:
            level.append(odd)
    return level[0]


def nodes_at(leaf_hashes: Sequence[bytes], height: int) -> list[bytes]:
    """The nodes of the tree over leaf hashes at a height, left to right; `root` of them is the root of all."""
    found = list(leaf_hashes)
    for _ in range(height):
        odd = found.pop() if len(found) & 1 else None
        found = _parents(found)
        if odd is not None:
            found.append(odd)
    return found


def _parents(level: list[bytes]) -> list[bytes]:
    """Hash an even level into the level above: the loop that a commit spends its hashing time in."""
    pairs = iter(level)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]


def _fold(subtrees: Sequence[bytes]) -> bytes:
    """Hash a row of ever smaller complete subtrees, largest first, into one root."""
    if not subtrees:
        return EMPTY_ROOT
    folded = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        folded = node_hash(left, folded)
    return folded


# ---- growing -----------------------------------------------------------------------------------


@define
class Frontier:
    """The right edge of a growing tree: all that is needed to append to it and to know its root.

    `size` is the number of leaves, `hashes` are the complete subtrees, largest first, one for each bit set in
    `size`. Both change together or, if `extend` raises, not at all.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise DecodeError(f"a tree has 0 to 2^63 - 1 leaves, not {self.size}")
        if len(self.hashes) != self.size.bit_count() or any(len(item) != HASH_BYTES for item in self.hashes):
            raise DecodeError(
                f"a tree of {self.size} leaves has {self.size.bit_count()} complete subtrees of 32 bytes;"
                f" got {len(self.hashes)} of {sorted({len(item) for item in self.hashes})} bytes"
            )

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[Node]:
        """Append leaf hashes; return the subtrees that this completed at heights 4, 8, 12 ..., lowest first.

        How the leaves are split into calls changes neither the root nor, together, the nodes returned. Works
        on whole levels: give it a commit at a time. InputError if a hash is not 32 bytes or the tree would
        be full.
        """
        level = list(leaf_hashes)
        if not level:
            return []
        if set(map(len, level)) != {HASH_BYTES}:
            raise InputError("a leaf hash is 32 bytes: pass leaf_hash(entry), not the entry")
        size = self.size + len(level)
        if size > MAX_SIZE:
            raise InputError(f"a tree has at most 2^63 - 1 leaves; {size} do not fit")
        larger = list(self.hashes)  # what was complete before and is not touched yet, largest first
        smaller: list[bytes] = []  # what is complete now, smallest first
        completed: list[Node] = []
        height, start = 0, self.size  # `level` holds the nodes start, start + 1 ... at this height
        while level:
            if height and height % NODE_STEP == 0:
                completed += [(height, index, item) for index, item in enumerate(level, start)]
            if start & 1:
                level.insert(0, larger.pop())
                start -= 1
            if len(level) & 1:
                smaller.append(level.pop())
            level = _parents(level)
            start >>= 1
            height += 1
        self.size, self.hashes = size, (*larger, *reversed(smaller))
        return completed

    def root(self) -> bytes:
        """Compute the root of the tree so far; EMPTY_ROOT without leaves."""
        return _fold(self.hashes)

    def copy(self) -> Frontier:
        """Make an independent copy: extend the copy, commit, and only then keep it."""
        return Frontier(self.size, self.hashes)

    def to_bytes(self) -> bytes:
        """Encode as the size (u64, big-endian) and the subtree hashes, largest first."""
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """Decode what `to_bytes` wrote; DecodeError if it is anything else."""
        size = int.from_bytes(data[:8], "big")
        if len(data) < 8 or size > MAX_SIZE or len(data) != 8 + HASH_BYTES * size.bit_count():
            raise DecodeError(f"{len(data)} bytes are not a tree frontier of {size} leaves; reindex the ledger")
        return cls(size, tuple(data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES)))


# ---- reading -----------------------------------------------------------------------------------


def subtree(reader: NodeReader, height: int, index: int) -> bytes:
    """Read the complete subtree over the leaves `index << height` up to `(index + 1) << height`.

    From the nearest stored level below: at most 8 reads, or 16 where the reader answers None.
    """
    if height == 0:
        return reader.leaf(index)
    step = height % NODE_STEP
    if step == 0:
        stored = reader.node(height, index)
        if stored is not None:
            return stored
        step = NODE_STEP
    first = index << step
    return root([subtree(reader, height - step, first + child) for child in range(1 << step)])


def _range_root(reader: NodeReader, start: int, end: int) -> bytes:
    """Compute the root over the leaves start up to end, where start is aligned to the largest subtree in
    it."""
    row = []
    while start < end:
        height = (end - start).bit_length() - 1
        row.append(subtree(reader, height, start >> height))
        start += 1 << height
    return _fold(row)


def tree_root(reader: NodeReader, size: int) -> bytes:
    """Compute the root that the tree had at `size` leaves."""
    return _range_root(reader, 0, size)


def prove_inclusion(reader: NodeReader, index: int, size: int) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves: PATH of RFC 6962 section 2.1.1, leaf's
    sibling first.

    InputError if there is no such leaf.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise InputError(f"a tree of {size} leaves has no leaf {index}")
    proof = []
    height = 0
    while (size - 1) >> height:
        sibling = (index >> height) ^ 1
        if sibling < size >> height:
            proof.append(subtree(reader, height, sibling))
        elif sibling << height < size:  # the one at the right edge that is not complete
            proof.append(_range_root(reader, sibling << height, size))
        height += 1
    return proof


def prove_consistency(reader: NodeReader, old: int, new: int) -> list[bytes]:
    """Prove that the tree of `new` leaves begins with the tree of `old`: PROOF of RFC 6962 section 2.1.2.

    Empty for old = 0 and old = new. InputError unless 0 <= old <= new.
    """
    if not 0 <= old <= new <= MAX_SIZE:
        raise InputError(f"a tree of {new} leaves does not extend one of {old}")
    if old in {0, new}:
        return []
    proof = []
    start, end = 0, new
    while old != end:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if old <= middle:
            proof.append(_range_root(reader, middle, end))
            end = middle
        else:
            proof.append(_range_root(reader, start, middle))
            start = middle
    if start:  # otherwise this subtree is the old tree, whose root the verifier has
        proof.append(_range_root(reader, start, end))
    proof.reverse()
    return proof


# ---- checking ----------------------------------------------------------------------------------


def _check_hashes(what: str, *hashes: bytes) -> None:
    for item in hashes:
        if len(item) != HASH_BYTES:
            raise ProofError(f"{what}: a hash has {len(item)} bytes instead of 32")


def inclusion_root(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root to which a proof leads from leaf hash `leaf` at `index` in a tree of `size` leaves.

    RFC 9162 section 2.1.3.2. Raises ProofError for a proof that is longer or shorter than index and size demand. What
    the root is worth is for the caller to say: size and index are proved only as far as they are known otherwise.
    """
    what = f"inclusion of leaf {index} in {size}"
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"{what}: a tree of {size} leaves has no leaf {index}")
    _check_hashes(what, leaf, *proof)
    here, last = index, size - 1
    result = leaf
    for item in proof:
        if last == 0:
            raise ProofError(f"{what}: the proof has {len(proof)} hashes, which is too many")
        if here & 1 or here == last:
            result = node_hash(item, result)
            if not here & 1:  # at the right edge: levels on which this node has no sibling
                shift = (here & -here).bit_length() - 1
                here >>= shift
                last >>= shift
        else:
            result = node_hash(result, item)
        here >>= 1
        last >>= 1
    if last:
        raise ProofError(f"{what}: the proof has {len(proof)} hashes, which is too few")
    return result


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that leaf hash `leaf` stands at `index` in the tree of `size` leaves with this root.

    RFC 9162 section 2.1.3.2. Raises ProofError, also for a proof that is longer or shorter than index and
    size demand.
    """
    what = f"inclusion of leaf {index} in {size}"
    _check_hashes(what, root)
    result = inclusion_root(leaf, index, size, proof)
    if result != root:
        raise ProofError(
            f"{what}: the proof leads to root {result.hex()}, not to {root.hex()}:"
            " the entry, its place or the proof is not what the tree holds"
        )


def check_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `new_size` leaves begins with the tree of `old_size`: nothing was rewritten.

    RFC 9162 section 2.1.4.2. The empty tree is consistent with every tree and equal sizes need equal roots,
    both by an empty proof only. Raises ProofError.
    """
    what = f"consistency of {old_size} with {new_size} leaves"
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise ProofError(f"{what}: a tree of {new_size} leaves does not extend one of {old_size}")
    _check_hashes(what, old_root, new_root, *proof)
    for size, claimed in ((old_size, old_root), (new_size, new_root)):
        if size == 0 and claimed != EMPTY_ROOT:
            raise ProofError(f"{what}: {claimed.hex()} is not the root of the empty tree")
    if old_size in {0, new_size}:
        if proof:
            raise ProofError(f"{what}: the proof must be empty and has {len(proof)} hashes")
        if old_size == new_size and old_root != new_root:
            raise ProofError(f"{what}: two roots for one size, {old_root.hex()} and {new_root.hex()}: a fork")
        return
    # The right-most complete subtree of the old tree: its levels below are common to both and not in the
    # proof.
    shift = (old_size & -old_size).bit_length() - 1
    here, last = (old_size - 1) >> shift, (new_size - 1) >> shift
    path = list(proof) if here else [old_root, *proof]  # a complete old tree is itself that subtree
    if not path:
        raise ProofError(f"{what}: the proof is empty")
    old_result = new_result = path[0]
    for item in path[1:]:
        if last == 0:
            raise ProofError(f"{what}: the proof has {len(proof)} hashes, which is too many")
        if here & 1 or here == last:
            old_result = node_hash(item, old_result)
            new_result = node_hash(item, new_result)
            if not here & 1:
                shift = (here & -here).bit_length() - 1
                here >>= shift
                last >>= shift
        else:
            new_result = node_hash(new_result, item)
        here >>= 1
        last >>= 1
    if last:
        raise ProofError(f"{what}: the proof has {len(proof)} hashes, which is too few")
    if old_result != old_root:
        raise ProofError(f"{what}: the proof leads to old root {old_result.hex()}, not to {old_root.hex()}")
    if new_result != new_root:
        raise ProofError(f"{what}: the proof leads to new root {new_result.hex()}, not to {new_root.hex()}")
