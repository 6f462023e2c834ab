"""The script's own Ed25519 agrees with the library's: edge cases, random signatures, flipped bits (format.md 5.1)."""

from __future__ import annotations

import importlib.util
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle_verdicts import script
from tracechain.errors import SignatureError
from tracechain.signing import ED25519, MemorySigner, PublicKey, verify

VECTORS = Path(__file__).parent / "vectors"

# Plain affine arithmetic on the curve, independent of both: it makes the cases, and judges a third time.
_spec = importlib.util.spec_from_file_location("ed25519_cases", VECTORS / "group_ed25519.py")
assert _spec
assert _spec.loader
curve: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(curve)

MESSAGE = b"one object, one code"
SECRET, _ = curve.secret(curve.SEED)
seeds = st.binary(min_size=32, max_size=32)


def by_library(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify(PublicKey(ED25519, key), message, signature)
    except SignatureError:
        return False
    return True


def by_script(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        taken = script().PublicKey(key)
    except script().Bad:
        return False
    return bool(taken.stands(message, signature))


def taken_by_script(key: bytes) -> bool:
    try:
        script().PublicKey(key)
    except script().Bad:
        return False
    return True


def taken_by_library(key: bytes) -> bool:
    try:
        PublicKey(ED25519, key)
    except SignatureError:
        return False
    return True


def agree(key: bytes, message: bytes, signature: bytes) -> bool:
    """What all three say."""
    said = by_script(key, message, signature)
    assert said == by_library(key, message, signature) == curve.stands(key, message, signature)
    return said


def test_the_vectors() -> None:
    found = [json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("ed25519-*.json"))]
    stood = [
        agree(*(bytes.fromhex(case[name]) for name in ("public_key", "message", "signature")))
        for case in found
        if case["kind"] == "signature"
    ]
    assert stood.count(True) >= 5
    assert stood.count(False) >= 10
    (refused,) = (case for case in found if case["kind"] == "keys-refused")
    for kind in ("small_order", "not_canonical", "no_point"):
        for key in refused[kind]:
            assert not taken_by_script(bytes.fromhex(key))
            assert not taken_by_library(bytes.fromhex(key))


def test_every_spelling_of_every_small_point_as_key_and_as_r() -> None:
    good, _ = curve.sign(curve.SEED, MESSAGE)
    odd = [(curve.P + n).to_bytes(32, "little") for n in range(19)]
    odd += [
        (value | 1 << 255).to_bytes(32, "little") for value in (0, 1, curve.P - 1, curve.P, curve.P + 1, 2**255 - 1)
    ]
    points = [*curve.SMALL_ORDER, *odd, bytes(32), b"\xff" * 32, good]
    numbers = [0, 1, curve.L - 1, curve.L, curve.L + 1, 2 * curve.L, 2**255 - 1, 2**256 - 1, 2**252]
    stood = 0
    for key, r in product(points, points):
        if not taken_by_script(key):
            assert not taken_by_library(key)
            # With a key that is refused nothing stands, not even what the equation would let pass.
            assert not by_library(key, MESSAGE, r + bytes(32))
            assert not by_script(key, MESSAGE, r + bytes(32))
            continue
        fitting = curve.challenge(r, key, MESSAGE) * SECRET % curve.L
        for number in (*numbers, fitting, fitting + curve.L):
            if number < 1 << 256:
                stood += agree(key, MESSAGE, r + number.to_bytes(32, "little"))
    assert stood == 0


@pytest.mark.parametrize("of_key", range(8))
def test_keys_and_r_with_a_small_component(of_key: int) -> None:
    """Keys of mixed order are taken; a signature stands where the equation holds without a cofactor."""
    key = curve.encode(curve.add(curve.multiply(SECRET, curve.BASE), curve.TORSION[of_key]))
    stood = 0
    for of_r, number in product(range(8), (1, 2, curve.L - 1)):
        r = curve.encode(curve.add(curve.multiply(number, curve.BASE), curve.TORSION[of_r]))
        s = (number + curve.challenge(r, key, MESSAGE) * SECRET) % curve.L
        for value in (s, s + curve.L):
            stood += agree(key, MESSAGE, r + value.to_bytes(32, "little"))
    assert stood >= (3 if of_key == 0 else 0)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 63, 65, 96, 128])
def test_other_lengths(length: int) -> None:
    key, good = curve.sign(curve.SEED, MESSAGE)
    for signature in ((good * 2)[:length], bytes(length)):
        assert not by_script(key, MESSAGE, signature)
        assert not by_library(key, MESSAGE, signature)
    if length != len(key):
        assert not taken_by_script((key * 4)[:length])
        assert not taken_by_library((key * 4)[:length])


def test_every_bit_of_a_signature_and_of_its_key() -> None:
    key, good = curve.sign(curve.SEED, MESSAGE)
    assert agree(key, MESSAGE, good)
    for bit in range(512):
        signature = (int.from_bytes(good, "big") ^ 1 << bit).to_bytes(64, "big")
        assert not by_script(key, MESSAGE, signature)
        assert not by_library(key, MESSAGE, signature)
    for bit in range(0, 256, 3):
        other = (int.from_bytes(key, "big") ^ 1 << bit).to_bytes(32, "big")
        assert taken_by_script(other) == taken_by_library(other)
        assert not by_script(other, MESSAGE, good)
        assert not by_library(other, MESSAGE, good)


@settings(max_examples=40)
@given(seeds, st.binary(max_size=300), st.integers(0, 511), st.binary(min_size=64, max_size=64))
def test_signatures_drawn(seed: bytes, message: bytes, bit: int, other: bytes) -> None:
    signer = MemorySigner.from_seed(seed)
    key, good = signer.public_key.raw, signer.sign(message)
    assert by_script(key, message, good)
    for signature in ((int.from_bytes(good, "big") ^ 1 << bit).to_bytes(64, "big"), other):
        assert not by_script(key, message, signature)
        assert not by_library(key, message, signature)
    assert not by_script(key, message + b"\0", good)


@settings(max_examples=200)
@given(seeds)
def test_keys_drawn(raw: bytes) -> None:
    assert (
        taken_by_script(raw)
        == taken_by_library(raw)
        == (curve.decode(raw) is not None and raw not in curve.SMALL_ORDER)
    )


@settings(max_examples=25)
@given(seeds, st.integers(0, 7), st.integers(0, 7), st.integers(1, curve.L - 1), st.booleans())
def test_points_with_small_components_drawn(seed: bytes, of_key: int, of_r: int, number: int, high: bool) -> None:
    a, _ = curve.secret(seed)
    key = curve.encode(curve.add(curve.multiply(a, curve.BASE), curve.TORSION[of_key]))
    r = curve.encode(curve.add(curve.multiply(number, curve.BASE), curve.TORSION[of_r]))
    s = (number + curve.challenge(r, key, MESSAGE) * a) % curve.L + high * curve.L
    agree(key, MESSAGE, r + s.to_bytes(32, "little"))
