"""The tree over a log that is read in ranges: subtrees of each range, put together to the root.

Stored nodes are never used. They are held against what the headers give, wherever a node lies: inside a range, or
across several.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from attrs import define, field

from tracechain import merkle
from tracechain.merkle import Node, node_hash
from tracechain.verification.findings import Code, Findings
from tracechain.view import View

__all__ = ["NodeCheck", "Tree", "cover", "node_check"]

#: Called with height, index and true value of a complete subtree of a stored height.
NodeCheck = Callable[[int, int, bytes], None]


def node_check(view: View, findings: Findings) -> NodeCheck:
    """What holds a view's stored nodes against the true ones."""

    def check(height: int, index: int, value: bytes) -> None:
        stored = view.node(height, index)
        if stored is not None and stored != value:
            findings.add(
                Code.TREE_NODE,
                index << height,
                f"the stored root over the {1 << height} entries from here is not theirs: an entry or the node was"
                " altered",
            )

    return check


def cover(start: int, leaves: list[bytes], check: NodeCheck) -> list[Node]:
    """The complete subtrees over leaves from `start` on, left to right; each node of a stored height is checked."""
    left: list[Node] = []
    right: list[Node] = []
    level, height = list(leaves), 0
    while level:
        if height and height % merkle.NODE_STEP == 0:
            for index, value in enumerate(level, start):
                check(height, index, value)
        if start & 1:
            left.append((height, start, level.pop(0)))
            start += 1
        if len(level) & 1:
            right.append((height, start + len(level) - 1, level.pop()))
        pairs = iter(level)
        level = [sha256(b"\x01" + a + b).digest() for a, b in zip(pairs, pairs, strict=True)]
        start >>= 1
        height += 1
    return left + right[::-1]


@define
class Tree:
    """Puts the subtrees of ranges together; `check` sees the nodes of stored heights that this completes."""

    _check: NodeCheck
    _nodes: list[Node] = field(factory=list)

    def add(self, subtrees: list[Node]) -> None:
        """Append the subtrees of the next range."""
        for height, index, value in subtrees:
            node = (height, index, value)
            while self._nodes and self._nodes[-1][0] == node[0] and node[1] & 1:
                other = self._nodes.pop()
                node = (node[0] + 1, node[1] >> 1, node_hash(other[2], node[2]))
                if node[0] % merkle.NODE_STEP == 0:
                    self._check(*node)
            self._nodes.append(node)

    def root(self) -> bytes:
        """The root so far."""
        if not self._nodes:
            return merkle.EMPTY_ROOT
        folded = self._nodes[-1][2]
        for _, _, value in reversed(self._nodes[:-1]):
            folded = node_hash(value, folded)
        return folded
