r"""The proof that some headers are in the log: the tree, with whatever lies between them folded away.

    size 7, held are 2 and 5        root
                                  /      \
                                 /        x           stored:    (1,0)  (0,3)  (0,4)  (0,6)
                              (2,0)      / \          computed:  l2 and l5 from their headers, then the rest
                             /     \   (1,2) (0,6)
                         (1,0)  (1,1)   / \
                                /  \   l4  l5
                               l2  l3

Between two entries that are held, and at both ends, stand as few complete subtrees as there can be: for a gap there is
one such row, so nothing is told about it but hashes and their places need not be told at all. Subtrees and leaves cover
the log from left to right without a hole; folded together they give its root or do not (docs/format.md section 14.3).
A proof of one entry out of them is the proof of RFC 6962.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from tracechain.merkle import EMPTY_ROOT, root

__all__ = ["Piece", "fold", "gap", "gaps", "in_order", "path", "subtree_root"]

#: Where it begins, height, hash: a complete subtree over the leaves from there on.
Piece = tuple[int, int, bytes]


def gap(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees (start, height) that cover the leaves from `start` to `stop` - 1, as few as can be."""
    while start < stop:
        height = (stop - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        yield start, height
        start += 1 << height


def gaps(start: int, stop: int, held: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The complete subtrees of all gaps between ranges that are held, left to right."""
    for first, last in held:
        yield from gap(start, first)
        start = last
    yield from gap(start, stop)


def in_order(
    start: int, stop: int, held: Iterable[tuple[int, int]], leaves: Iterable[bytes], nodes: Iterable[bytes]
) -> Iterator[Piece]:
    """The leaves of ranges that are held, and the nodes of the gaps between them, left to right."""
    leaf, node = iter(leaves), iter(nodes)
    for first, last in held:
        for place, height in gap(start, first):
            yield place, height, next(node)
        for place in range(first, last):
            yield place, 0, next(leaf)
        start = last
    for place, height in gap(start, stop):
        yield place, height, next(node)


def subtree_root(
    start: int, stop: int, held: Sequence[tuple[int, int]], leaves: list[bytes], nodes: Sequence[bytes]
) -> bytes:
    """The root of the subtree from `start` to `stop` - 1, of its leaves that are held and the nodes between them."""
    if not nodes:
        return root(leaves)
    return fold((height, value) for _, height, value in in_order(start, stop, held, leaves, nodes))


def fold(pieces: Iterable[tuple[int, bytes]]) -> bytes:
    """The root over neighbouring subtrees (height, hash), of which the first begins where a subtree as large as all of
    them would."""
    row: list[tuple[int, bytes]] = []
    for height, value in pieces:
        while row and row[-1][0] == height:
            value = sha256(b"\x01" + row.pop()[1] + value).digest()  # noqa: PLW2901  what it grew into
            height += 1  # noqa: PLW2901  likewise
        row.append((height, value))
    if not row:
        return EMPTY_ROOT
    folded = row.pop()[1]
    while row:
        folded = sha256(b"\x01" + row.pop()[1] + folded).digest()
    return folded


def path(pieces: Sequence[Piece], index: int, size: int) -> list[bytes]:
    """The inclusion proof (RFC 6962 section 2.1.1) of a leaf that is a piece by itself, out of pieces that cover a tree
    of `size` leaves."""
    proof: list[bytes] = []
    start, stop, here = 0, size, list(pieces)
    while stop - start > 1:
        middle = start + (1 << ((stop - start - 1).bit_length() - 1))
        left = [one for one in here if one[0] < middle]
        right = here[len(left) :]
        here, other = (left, right) if index < middle else (right, left)
        start, stop = (start, middle) if index < middle else (middle, stop)
        proof.append(fold((height, value) for _, height, value in other))
    proof.reverse()
    return proof
