"""Vectors of the RFC 6962 tree: roots, frontiers, stored nodes, proofs and refused proofs.

Entry i of every tree is its number in decimal ASCII: "0", "1", ... The leaf hash is SHA-256(0x00 || entry).
"""

from __future__ import annotations

from typing import Any

from tracechain import merkle

LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(1025)]
ENTRIES = "decimal numbers from 0"


class _Memory:
    def leaf(self, index: int) -> bytes:
        return LEAVES[index]

    def node(self, height: int, index: int) -> bytes | None:
        return None


def _root(size: int) -> bytes:
    return merkle.root(LEAVES[:size])


def _flip(item: bytes) -> bytes:
    return bytes((item[0] ^ 1,)) + item[1:]


def _tree(size: int) -> dict[str, Any]:
    frontier = merkle.Frontier()
    nodes = frontier.extend(LEAVES[:size])
    return {
        "about": f"{size} leaves: root, complete subtrees (largest first), and nodes that a store keeps.",
        "kind": "tree",
        "entries": ENTRIES,
        "size": size,
        "root": frontier.root().hex(),
        "frontier": [item.hex() for item in frontier.hashes],
        "frontier_bytes": frontier.to_bytes().hex(),
        "nodes": [[height, index, item.hex()] for height, index, item in nodes],
    }


def _inclusion(index: int, size: int) -> dict[str, Any]:
    return {
        "about": f"Leaf {index} is in the tree of {size} leaves.",
        "kind": "inclusion",
        "verdict": "stands",
        "entries": ENTRIES,
        "leaf": LEAVES[index].hex(),
        "index": index,
        "size": size,
        "root": _root(size).hex(),
        "proof": [item.hex() for item in merkle.prove_inclusion(_Memory(), index, size)],
    }


def _consistency(old: int, new: int) -> dict[str, Any]:
    return {
        "about": f"The tree of {new} leaves begins with the tree of {old}.",
        "kind": "consistency",
        "verdict": "stands",
        "entries": ENTRIES,
        "old": old,
        "old_root": _root(old).hex(),
        "new": new,
        "new_root": _root(new).hex(),
        "proof": [item.hex() for item in merkle.prove_consistency(_Memory(), old, new)],
    }


def _refused(case: dict[str, Any], about: str, **changed: Any) -> dict[str, Any]:
    return {**case, **changed, "about": about, "verdict": "refused"}


def cases() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for size in (0, 1, 2, 3, 7, 8, 16, 17, 255, 256, 1025):
        found[f"tree-{size:04}"] = _tree(size)
    for index, size in (
        (0, 1),
        (0, 2),
        (1, 2),
        (2, 3),
        (3, 7),
        (6, 7),
        (5, 8),
        (16, 17),
        (1000, 1025),
        (1024, 1025),
    ):
        found[f"inclusion-{index:04}-in-{size:04}"] = _inclusion(index, size)
    for old, new in (
        (0, 0),
        (0, 7),
        (1, 2),
        (3, 7),
        (4, 7),
        (6, 7),
        (7, 7),
        (4, 8),
        (512, 1025),
        (1000, 1025),
    ):
        found[f"consistency-{old:04}-to-{new:04}"] = _consistency(old, new)

    one = _inclusion(3, 7)
    proof = [bytes.fromhex(item) for item in one["proof"]]
    wrong: dict[str, tuple[str, dict[str, Any]]] = {
        "hash-changed": (
            "The first hash of the proof has one bit changed.",
            {"proof": [_flip(proof[0]), *proof[1:]]},
        ),
        "too-long": ("One hash too many.", {"proof": [*proof, LEAVES[0]]}),
        "too-short": ("The last hash is missing.", {"proof": proof[:-1]}),
        "order-turned": ("The hashes are given from the root down.", {"proof": proof[::-1]}),
        "wrong-index": ("A neighbour's place.", {"index": 2}),
        "index-is-size": ("There is no leaf 7 in 7.", {"index": 7}),
        "empty-tree": (
            "Nothing is in an empty tree.",
            {"index": 0, "size": 0, "root": merkle.EMPTY_ROOT, "proof": []},
        ),
        "short-hash": ("A hash of 31 bytes.", {"proof": [proof[0][:31], *proof[1:]]}),
    }
    for name, (about, changed) in wrong.items():
        found[f"inclusion-refused-{name}"] = _refused(one, about, **_hex(changed))

    two = _consistency(3, 7)
    proof = [bytes.fromhex(item) for item in two["proof"]]
    wrong = {
        "hash-changed": (
            "The last hash of the proof has one bit changed.",
            {"proof": [*proof[:-1], _flip(proof[-1])]},
        ),
        "too-long": ("One hash too many.", {"proof": [*proof, LEAVES[0]]}),
        "too-short": ("The last hash is missing.", {"proof": proof[:-1]}),
        "rewritten": ("An old entry was replaced: another old root.", {"old_root": merkle.root(LEAVES[1:4])}),
        "shrunk": ("The new tree is smaller than the old.", {"old": 7, "new": 3}),
        "fork": ("Two roots for one size.", {"old": 7, "old_root": merkle.root(LEAVES[1:8]), "proof": []}),
        "same-size-with-proof": (
            "Equal sizes with a proof.",
            {"old": 7, "old_root": _root(7), "proof": proof},
        ),
        "empty-with-proof": (
            "From the empty tree the proof must be empty.",
            {"old": 0, "old_root": merkle.EMPTY_ROOT, "proof": proof},
        ),
        "empty-with-root": ("The empty tree has one root.", {"old": 0, "old_root": _root(3), "proof": []}),
    }
    for name, (about, changed) in wrong.items():
        found[f"consistency-refused-{name}"] = _refused(two, about, **_hex(changed))
    return found


def _hex(changed: dict[str, Any]) -> dict[str, Any]:
    return {
        key: [item.hex() for item in value]
        if isinstance(value, list)
        else value.hex()
        if isinstance(value, bytes)
        else value
        for key, value in changed.items()
    }
