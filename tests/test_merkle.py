"""The tree against a slow model: the recursive definitions of RFC 6962 section 2.1, word for word.

The sweep over all pairs of sizes to 1,024 with every hash of every proof corrupted takes minutes: it is in
tests/torture/test_merkle_full.py. Here: all pairs to 64 corrupted, all pairs to 256, and to 1,024 a few of
each size.
"""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracechain import merkle
from tracechain.errors import DecodeError, InputError, ProofError

VECTORS = Path(__file__).parent / "vectors"
FULL = 1024


# ---- the model: no loops over levels, no bit tricks, nothing of ours -----------------------------


def model_leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


LEAVES = [model_leaf(str(number).encode()) for number in range(FULL + 1)]


def split(count: int) -> int:
    """k: the largest power of two smaller than n."""
    k = 1
    while k * 2 < count:
        k *= 2
    return k


@cache
def model_root(start: int, end: int) -> bytes:
    """MTH(D[start:end])."""
    if end - start == 0:
        return sha256(b"").digest()
    if end - start == 1:
        return LEAVES[start]
    k = split(end - start)
    return sha256(b"\x01" + model_root(start, start + k) + model_root(start + k, end)).digest()


def model_path(index: int, start: int, end: int) -> list[bytes]:
    """PATH(m, D[start:end]), m counted from start."""
    if end - start == 1:
        return []
    k = split(end - start)
    if index < k:
        return [*model_path(index, start, start + k), model_root(start + k, end)]
    return [*model_path(index - k, start + k, end), model_root(start, start + k)]


def model_subproof(old: int, start: int, end: int, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[start:end], b), m counted from start."""
    if old == end - start:
        return [] if whole else [model_root(start, end)]
    k = split(end - start)
    if old <= k:
        return [*model_subproof(old, start, start + k, whole), model_root(start + k, end)]
    return [*model_subproof(old - k, start + k, end, False), model_root(start, start + k)]


def model_consistency(old: int, new: int) -> list[bytes]:
    """PROOF(m, D[n]); empty for m = 0, which the RFC leaves out."""
    return model_subproof(old, 0, new, True) if old else []


class Memory:
    """A NodeReader over what a store would keep: leaf hashes and the nodes that Frontier.extend handed
    out."""

    def __init__(self, leaves: list[bytes], nodes: bool = True) -> None:
        self.leaves = leaves
        self.nodes: dict[tuple[int, int], bytes] = {}
        if nodes:
            for height, index, item in merkle.Frontier().extend(leaves):
                self.nodes[height, index] = item

    def leaf(self, index: int) -> bytes:
        return self.leaves[index]

    def node(self, height: int, index: int) -> bytes | None:
        assert height > 0
        assert height % merkle.NODE_STEP == 0
        return self.nodes.get((height, index))


MEMORY = Memory(LEAVES)


# ---- sweeps, shared with the torture run -------------------------------------------------------


def flipped(item: bytes, at: int) -> bytes:
    return item[:at] + bytes((item[at] ^ 1 << at % 8,)) + item[at + 1 :]


def sweep_inclusion(size: int, index: int, corrupt: bool) -> None:
    """One pair: proof as the model's, accepted; with `corrupt`, refused for every hash changed, and every
    cut."""
    root = model_root(0, size)
    proof = merkle.prove_inclusion(MEMORY, index, size)
    assert proof == model_path(index, 0, size)
    merkle.check_inclusion(LEAVES[index], index, size, proof, root)
    if corrupt:
        for place in range(len(proof)):
            bad = proof.copy()
            bad[place] = flipped(proof[place], (place + index) % 32)
            refuse_inclusion(LEAVES[index], index, size, bad, root)
        refuse_inclusion(flipped(LEAVES[index], size % 32), index, size, proof, root)
        refuse_inclusion(LEAVES[index], index, size, proof, flipped(root, size % 32))


def refuse_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> None:
    try:
        merkle.check_inclusion(leaf, index, size, proof, root)
    except ProofError:
        return
    pytest.fail(f"a wrong proof of {index} in {size} was accepted")


def sweep_consistency(new: int, old: int, corrupt: bool) -> None:
    old_root, new_root = model_root(0, old), model_root(0, new)
    proof = merkle.prove_consistency(MEMORY, old, new)
    assert proof == model_consistency(old, new)
    merkle.check_consistency(old, old_root, new, new_root, proof)
    if corrupt:
        for place in range(len(proof)):
            bad = proof.copy()
            bad[place] = flipped(proof[place], (place + old) % 32)
            refuse_consistency(old, old_root, new, new_root, bad)
        refuse_consistency(old, flipped(old_root, new % 32), new, new_root, proof)
        if old:  # from the empty tree an empty proof leads to any root: nothing was promised yet
            refuse_consistency(old, old_root, new, flipped(new_root, new % 32), proof)


def refuse_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: list[bytes]) -> None:
    try:
        merkle.check_consistency(old, old_root, new, new_root, proof)
    except ProofError:
        return
    pytest.fail(f"a wrong proof from {old} to {new} was accepted")


def a_few(size: int) -> list[int]:
    """Places where mistakes live: the edges, both sides of the powers of two, and some in between."""
    places = {0, 1, size - 1, size, size // 2, split(max(size, 2)), split(max(size, 2)) - 1}
    places |= set(random.Random(size).sample(range(size), min(size, 3)))
    return sorted(place for place in places if 0 <= place <= size)


# ---- hashing and roots -------------------------------------------------------------------------


def test_published_roots_of_the_certificate_transparency_test_tree() -> None:
    """Entries and roots as in the test suites of the Certificate Transparency implementations."""
    entries = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in entries]
    assert [merkle.root(leaves[:size]).hex() for size in range(9)] == roots


def test_every_size_to_1024_has_the_root_of_the_model_however_it_is_computed() -> None:
    frontier = merkle.Frontier()
    for size in range(FULL + 1):
        expected = model_root(0, size)
        assert merkle.root(LEAVES[:size]) == expected
        assert merkle.tree_root(MEMORY, size) == expected
        assert frontier.root() == expected
        assert frontier.size == size
        frontier.extend(LEAVES[size : size + 1])


def test_root_leaves_its_argument_alone() -> None:
    leaves = LEAVES[:7]
    merkle.root(leaves)
    assert leaves == LEAVES[:7]


def test_without_stored_nodes_everything_is_recomputed_from_leaves() -> None:
    bare = Memory(LEAVES, nodes=False)
    assert merkle.tree_root(bare, 1000) == model_root(0, 1000)
    assert merkle.prove_inclusion(bare, 700, 1000) == model_path(700, 0, 1000)
    assert merkle.prove_consistency(bare, 700, 1000) == model_consistency(700, 1000)
    assert merkle.subtree(bare, 9, 1) == model_root(512, 1024)


def test_a_proof_is_read_from_few_places() -> None:
    """With nodes at every fourth height, a proof of 10 hashes needs at most 15 reads for 4 of its levels."""
    reads = 0

    class Counting(Memory):
        def leaf(self, index: int) -> bytes:
            nonlocal reads
            reads += 1
            return super().leaf(index)

        def node(self, height: int, index: int) -> bytes | None:
            nonlocal reads
            reads += 1
            return super().node(height, index)

    assert len(merkle.prove_inclusion(Counting(LEAVES), 5, 1024)) == 10
    assert reads <= 15 + 15 + 3


# ---- the frontier ------------------------------------------------------------------------------

batches = st.lists(st.integers(0, 70), max_size=12)


@given(batches)
def test_how_leaves_are_split_into_batches_does_not_matter(sizes: Any) -> None:
    whole, parts = merkle.Frontier(), merkle.Frontier()
    total = sum(sizes)
    completed = whole.extend(LEAVES[:total])
    emitted, at = [], 0
    for size in sizes:
        emitted += parts.extend(LEAVES[at : at + size])
        at += size
    assert parts == whole
    assert parts.root() == whole.root() == model_root(0, total)
    assert sorted(emitted) == sorted(completed)
    assert len(set(emitted)) == len(emitted)
    assert emitted == [(h, i, model_root(i << h, i + 1 << h)) for h, i, _ in emitted]
    assert {(h, i) for h, i, _ in emitted} == {(h, i) for h in (4, 8) for i in range(total >> h)}


@given(st.integers(0, FULL), st.integers(0, 40))
def test_a_frontier_comes_back_from_its_bytes_and_grows_on(size: int, more: int) -> None:
    frontier = merkle.Frontier()
    frontier.extend(LEAVES[:size])
    again = merkle.Frontier.from_bytes(frontier.to_bytes())
    assert again == frontier
    assert again.to_bytes() == frontier.to_bytes()
    assert again.extend(LEAVES[size : size + more]) == frontier.extend(LEAVES[size : size + more])
    assert again.root() == frontier.root()


def test_a_copy_grows_alone() -> None:
    frontier = merkle.Frontier()
    frontier.extend(LEAVES[:21])
    before = copy.deepcopy(frontier)
    grown = frontier.copy()
    grown.extend(LEAVES[21:50])
    assert frontier == before
    assert frontier.root() == model_root(0, 21)
    assert grown.root() == model_root(0, 50)


@pytest.mark.parametrize("bad", [b"", b"x" * 31, b"x" * 33])
def test_a_refused_leaf_leaves_the_frontier_as_it_was(bad: bytes) -> None:
    frontier = merkle.Frontier()
    frontier.extend(LEAVES[:21])
    before = frontier.copy()
    with pytest.raises(InputError, match="32 bytes"):
        frontier.extend([*LEAVES[21:40], bad])
    assert frontier == before


def test_the_largest_tree_is_full() -> None:
    full = merkle.Frontier(merkle.MAX_SIZE, tuple(LEAVES[:63]))
    with pytest.raises(InputError, match="at most"):
        full.extend(LEAVES[:1])
    with pytest.raises(DecodeError):
        merkle.Frontier(merkle.MAX_SIZE + 1, tuple(LEAVES[:1]))


@given(st.integers(0, 300), st.data())
def test_frontier_bytes_that_are_cut_or_padded_are_refused(size: int, data: st.DataObject) -> None:
    frontier = merkle.Frontier()
    frontier.extend(LEAVES[:size])
    encoded = frontier.to_bytes()
    cut = data.draw(st.integers(0, len(encoded) - 1))
    for bad in (encoded[:cut], encoded + b"\0", encoded + bytes(32), b"\x80" + encoded[1:]):
        with pytest.raises(DecodeError):
            merkle.Frontier.from_bytes(bad)


def test_a_frontier_with_the_wrong_hashes_is_not_built() -> None:
    for size, hashes in ((3, (LEAVES[0],)), (0, (LEAVES[0],)), (1, (b"short",)), (-1, ())):
        with pytest.raises(DecodeError):
            merkle.Frontier(size, hashes)


# ---- proofs ------------------------------------------------------------------------------------


def test_all_proofs_to_64_leaves_stand_and_no_corrupted_one_does() -> None:
    for size in range(65):
        for other in range(size + 1):
            sweep_consistency(size, other, corrupt=True)
            if other < size:
                sweep_inclusion(size, other, corrupt=True)


@pytest.mark.parametrize("first", range(65, 257, 32))
def test_all_proofs_to_256_leaves_are_those_of_the_model(first: int) -> None:
    for size in range(first, first + 32):
        for other in range(size + 1):
            sweep_consistency(size, other, corrupt=False)
            if other < size:
                sweep_inclusion(size, other, corrupt=False)


@pytest.mark.parametrize("part", range(4))
def test_of_every_size_to_1024_some_proofs_stand_and_no_corrupted_one_does(part: int) -> None:
    for size in range(257 + part, FULL + 1, 4):
        for other in a_few(size):
            sweep_consistency(size, other, corrupt=True)
            if other < size:
                sweep_inclusion(size, other, corrupt=True)


@given(st.integers(1, 300), st.data())
def test_a_proof_of_another_length_place_or_size_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.prove_inclusion(MEMORY, index, size)
    root = model_root(0, size)
    refuse_inclusion(LEAVES[index], index, size, [*proof, LEAVES[0]], root)
    refuse_inclusion(LEAVES[index], index, size, [LEAVES[0], *proof], root)
    for cut in range(len(proof)):
        refuse_inclusion(LEAVES[index], index, size, proof[:cut] + proof[cut + 1 :], root)
    other = data.draw(st.integers(0, size - 1).filter(lambda place: place != index) if size > 1 else st.just(size))
    refuse_inclusion(LEAVES[index], other, size, proof, root)


@given(st.integers(2, 300), st.data())
def test_a_consistency_proof_of_another_length_or_size_is_refused(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    proof = merkle.prove_consistency(MEMORY, old, new)
    old_root, new_root = model_root(0, old), model_root(0, new)
    refuse_consistency(old, old_root, new, new_root, [*proof, LEAVES[0]])
    refuse_consistency(old, old_root, new, new_root, [LEAVES[0], *proof])
    for cut in range(len(proof)):
        refuse_consistency(old, old_root, new, new_root, proof[:cut] + proof[cut + 1 :])
    other = data.draw(st.integers(0, new).filter(lambda size: size != old))
    refuse_consistency(other, old_root, new, new_root, proof)


@pytest.mark.parametrize(
    ("index", "size", "words"),
    [(0, 0, "has no leaf"), (7, 7, "has no leaf"), (-1, 7, "has no leaf"), (2**63, 2**64, "has no leaf")],
)
def test_a_leaf_that_does_not_exist_is_neither_proved_nor_checked(index: int, size: int, words: Any) -> None:
    with pytest.raises(ProofError, match=words):
        merkle.check_inclusion(LEAVES[0], index, size, [], LEAVES[0])
    with pytest.raises(InputError, match=words):
        merkle.prove_inclusion(MEMORY, index, size)


def test_a_tree_does_not_shrink() -> None:
    with pytest.raises(ProofError, match="does not extend"):
        merkle.check_consistency(8, model_root(0, 8), 7, model_root(0, 7), [])
    with pytest.raises(InputError, match="does not extend"):
        merkle.prove_consistency(MEMORY, 8, 7)


def test_the_empty_tree_is_consistent_with_every_tree_by_an_empty_proof_only() -> None:
    for size in (0, 1, 7, 8):
        merkle.check_consistency(0, merkle.EMPTY_ROOT, size, model_root(0, size), [])
        with pytest.raises(ProofError, match="must be empty"):
            merkle.check_consistency(0, merkle.EMPTY_ROOT, size, model_root(0, size), [LEAVES[0]])
        with pytest.raises(ProofError, match="root of the empty tree"):
            merkle.check_consistency(0, LEAVES[0], size, model_root(0, size), [])


def test_equal_sizes_need_equal_roots_and_an_empty_proof() -> None:
    merkle.check_consistency(7, model_root(0, 7), 7, model_root(0, 7), [])
    with pytest.raises(ProofError, match="fork"):
        merkle.check_consistency(7, model_root(0, 7), 7, model_root(1, 8), [])
    with pytest.raises(ProofError, match="must be empty"):
        merkle.check_consistency(7, model_root(0, 7), 7, model_root(0, 7), [model_root(0, 7)])


@pytest.mark.parametrize("bad", [b"", b"x" * 31, b"x" * 64])
def test_hashes_of_another_length_are_refused(bad: bytes) -> None:
    proof = merkle.prove_inclusion(MEMORY, 3, 7)
    with pytest.raises(ProofError, match="instead of 32"):
        merkle.check_inclusion(LEAVES[3], 3, 7, [bad, *proof[1:]], model_root(0, 7))
    with pytest.raises(ProofError, match="instead of 32"):
        merkle.check_inclusion(bad, 3, 7, proof, model_root(0, 7))
    with pytest.raises(ProofError, match="instead of 32"):
        merkle.check_consistency(3, model_root(0, 3), 7, bad, merkle.prove_consistency(MEMORY, 3, 7))


def test_a_node_is_no_leaf() -> None:
    """An inner node presented as an entry of 64 bytes does not hash to itself: the prefixes differ."""
    left, right = LEAVES[:2]
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


def test_an_inner_node_passed_off_as_a_leaf_is_refused_by_the_length_of_its_proof() -> None:
    """The upper part of a proof leads from an inner node to the root: only the number of hashes tells."""
    for size in (2, 7, 8, 100):
        for index in range(size):
            proof = merkle.prove_inclusion(MEMORY, index, size)
            for height in range(1, len(proof) + 1):
                node = (index >> height << height, min((index >> height) + 1 << height, size))
                with pytest.raises(ProofError, match=r"too few|leads to"):
                    merkle.check_inclusion(model_root(*node), index, size, proof[height:], model_root(0, size))
    with pytest.raises(ProofError, match="too few"):
        merkle.check_inclusion(model_root(0, 4), 0, 8, [model_root(4, 8)], model_root(0, 8))


def test_a_consistency_proof_that_stops_early_is_refused() -> None:
    old, new = model_root(0, 4), model_root(0, 8)
    merkle.check_consistency(4, old, 8, new, [model_root(4, 8)])
    with pytest.raises(ProofError, match="too few"):
        merkle.check_consistency(4, old, 16, new, [model_root(4, 8)])
    with pytest.raises(ProofError, match="empty"):
        merkle.check_consistency(3, model_root(0, 3), 7, model_root(0, 7), [])


# ---- vectors -----------------------------------------------------------------------------------


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(case, id=path.stem)
        for path in sorted(VECTORS.glob("merkle-*.json"))
        for case in [json.loads(path.read_text("utf-8"))]
        if case["kind"] == kind
    ]


def unhex(items: list[str]) -> list[bytes]:
    return [bytes.fromhex(item) for item in items]


def leaves_of(case: dict[str, Any]) -> list[bytes]:
    """Entry i of a vector's tree is its number in decimal, as in the model."""
    assert case["entries"] == "decimal numbers from 0"
    return [model_leaf(str(number).encode()) for number in range(case["size"])]


@pytest.mark.parametrize("case", cases("tree"))
def test_vector_trees(case: dict[str, Any]) -> None:
    leaves = leaves_of(case)
    frontier = merkle.Frontier()
    nodes = frontier.extend(leaves)
    assert model_root(0, case["size"]).hex() == case["root"]
    assert merkle.root(leaves).hex() == frontier.root().hex() == case["root"]
    assert [item.hex() for item in frontier.hashes] == case["frontier"]
    assert frontier.to_bytes().hex() == case["frontier_bytes"]
    assert [[height, index, item.hex()] for height, index, item in nodes] == case["nodes"]


@pytest.mark.parametrize("case", cases("inclusion"))
def test_vector_inclusion_proofs(case: dict[str, Any]) -> None:
    check = (
        bytes.fromhex(case["leaf"]),
        case["index"],
        case["size"],
        unhex(case["proof"]),
        bytes.fromhex(case["root"]),
    )
    if case["verdict"] == "refused":
        with pytest.raises(ProofError):
            merkle.check_inclusion(*check)
    else:
        merkle.check_inclusion(*check)
        assert unhex(case["proof"]) == model_path(case["index"], 0, case["size"])


@pytest.mark.parametrize("case", cases("consistency"))
def test_vector_consistency_proofs(case: dict[str, Any]) -> None:
    roots = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    check = (case["old"], roots[0], case["new"], roots[1], unhex(case["proof"]))
    if case["verdict"] == "refused":
        with pytest.raises(ProofError):
            merkle.check_consistency(*check)
    else:
        merkle.check_consistency(*check)
        assert unhex(case["proof"]) == model_consistency(case["old"], case["new"])


def test_there_are_vectors_of_each_kind() -> None:
    assert {kind for kind in ("tree", "inclusion", "consistency") if cases(kind)} == {
        "tree",
        "inclusion",
        "consistency",
    }
