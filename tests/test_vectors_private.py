"""The vectors of private fields, read by the library, and commitments computed from the text of the format alone."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tracechain.checkpoint import parse_vkey
from tracechain.errors import DataError, InputError
from tracechain.persons import check_disclosure, format_disclosure, parse_disclosure
from tracechain.private import commit_private, decode_identity, encode_identity

VECTORS = Path(__file__).parent / "vectors"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("private-*.json"))}


def chosen(kind: str, *, refused: bool) -> pytest.MarkDecorator:
    found = [(name, one) for name, one in CASES.items() if one["kind"] == kind and ("refused" in one) == refused]
    assert len(found) > 1
    return pytest.mark.parametrize("case", [one for _, one in found], ids=[name for name, _ in found])


def value_of(plain: Any) -> str | bytes:
    return plain if isinstance(plain, str) else bytes.fromhex(plain["hex"])


def written(value: str | bytes) -> bytes:
    """A text or byte string as section 3 of the format says."""
    data = value.encode() if isinstance(value, str) else value
    size = len(data)
    if isinstance(value, str) and size < 32:
        return bytes([0xA0 + size]) + data
    short, long = (0xD9, 0xDA) if isinstance(value, str) else (0xC4, 0xC5)
    return (bytes([short, size]) if size < 256 else bytes([long]) + size.to_bytes(2, "big")) + data


@chosen("private commitment", refused=False)
def test_a_commitment_is_what_the_format_says(case: dict[str, Any]) -> None:
    salt, name, value = bytes.fromhex(case["salt"]), case["name"], value_of(case["value"])
    by_hand = sha256(b"TCH0 private\0\0\0\0" + salt + b"\x92" + written(name) + written(value)).hexdigest()
    assert by_hand == case["commitment"] == commit_private(salt, name, value).hex()


@chosen("private commitment", refused=True)
def test_what_cannot_be_committed_to(case: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        commit_private(bytes.fromhex(case["salt"]), case["name"], value_of(case["value"]))


@chosen("identity", refused=False)
def test_an_identity(case: dict[str, Any]) -> None:
    values = {name: value_of(plain) for name, plain in case["values"].items()}
    by_hand = bytes([0x90 + len(values)]) + b"".join(
        b"\x92" + written(name) + written(values[name]) for name in sorted(values, key=str.encode)
    )
    assert by_hand.hex() == case["bytes"] == encode_identity(values).hex()
    assert decode_identity(by_hand) == values


@chosen("identity", refused=True)
def test_what_is_no_identity(case: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        decode_identity(bytes.fromhex(case["bytes"]))


@chosen("disclosure", refused=False)
def test_a_disclosure(case: dict[str, Any]) -> None:
    shown = parse_disclosure(case["text"])
    assert format_disclosure(shown) == case["text"]
    found = check_disclosure(shown, parse_vkey(case["vkey"]))
    assert (found.index, found.received, found.size) == (case["index"], case["received"], case["size"])
    assert (found.name, found.value) == (case["name"], value_of(case["value"]))


@chosen("disclosure", refused=True)
def test_a_disclosure_that_proves_nothing(case: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        check_disclosure(parse_disclosure(case["text"]), parse_vkey(case["vkey"]))
