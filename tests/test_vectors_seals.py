"""The vectors of seals, read by the library; maps also computed from the text of the format alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from test_seals import by_the_book
from tracechain.checkpoint import parse_vkey
from tracechain.errors import CheckpointError, DecodeError, ProofError
from tracechain.replay import MemoryView
from tracechain.seals import Absence, Item, Presence, SealMap, buckets, item_hash, map_root, open_seal_note
from tracechain.verification import verify

VECTORS = Path(__file__).parent / "vectors"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("seal-*.json"))}


def chosen(*kinds: str) -> pytest.MarkDecorator:
    found = [(name, one) for name, one in CASES.items() if one["kind"] in kinds]
    assert len(found) > 1
    return pytest.mark.parametrize("case", [one for _, one in found], ids=[name for name, _ in found])


@chosen("seal map")
def test_a_map(case: dict[str, Any]) -> None:
    items = [Item(subject, last, bytes.fromhex(leaf), state) for subject, last, leaf, state in case["items"]]
    wanted = case["ids"], bytes.fromhex(case["map_root"])
    assert by_the_book({one.id: (one.last, one.leaf, one.state) for one in items}) == wanted == map_root(items)
    assert [[one.last, one.count, one.root.hex()] for one in buckets(items)] == case["buckets"]
    made = SealMap()
    for one in reversed(items):
        made.update({one.id: item_hash(one)})
    assert made.root() == wanted


@chosen("seal presence", "seal absence")
def test_a_proof(case: dict[str, Any]) -> None:
    data, root = bytes.fromhex(case["proof"]), bytes.fromhex(case["map_root"])
    read = Presence if case["kind"] == "seal presence" else Absence
    if case.get("refused") == "form":
        with pytest.raises(DecodeError):
            read.decode(data)
        return
    proof = read.decode(data)
    assert proof.encode() == data
    if case["verdict"] == "stands":
        proof.check(root)
    else:
        with pytest.raises(ProofError):
            proof.check(root)


@chosen("seal note")
def test_a_note(case: dict[str, Any]) -> None:
    auditors = [parse_vkey(one) for one in case["auditors"]]
    if case["verdict"] == "refused":
        with pytest.raises(CheckpointError):
            open_seal_note(case["note"], auditors)
        return
    said, signed = open_seal_note(case["note"], auditors)
    body = said.seal
    assert case["says"] == {
        "origin": said.origin, "ledger_id": said.ledger_id.hex(), "size": body.size, "tree_root": body.tree_root.hex(),
        "ids": body.ids, "map_root": body.map_root.hex(),
    }  # fmt: skip
    assert [key.name for key in signed] == case["signed_by"]


@chosen("ledger")
def test_a_ledger_with_seals(case: dict[str, Any]) -> None:
    entries = [
        {part: bytes.fromhex(entry[part]) for part in ("header", "content", "rows") if entry[part] is not None}
        for entry in case["entries"]
    ]
    headers, contents, rows = (
        {index: entry[part] for index, entry in enumerate(entries) if part in entry}
        for part in ("header", "content", "rows")
    )
    view = MemoryView(headers, contents, rows, case["checkpoint"], len(entries))
    report = verify(view, verifier=parse_vkey(case["vkey"]))
    assert [str(code) for code in report.codes] == ([case["finding"]] if "finding" in case else [])
    assert len(report.seals) == 2
    assert (report.seals[1].right is False) == ("finding" in case)
