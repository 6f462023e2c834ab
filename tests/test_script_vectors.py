"""The stand-alone script and the library agree on the vectors: files that both run, what stands and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tracechain import verify_bundle as script

VECTORS = Path(__file__).parent / "vectors"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("*.json"))}


def of(*kinds: str) -> pytest.MarkDecorator:
    names = [name for name, case in CASES.items() if case["kind"] in kinds]
    assert names
    return pytest.mark.parametrize("case", [CASES[name] for name in names], ids=names)


def stands(case: dict[str, Any]) -> bool:
    return case["verdict"] == "stands" if "verdict" in case else "refused" not in case


def does(action: Any) -> bool:
    """Whether something is taken; only Bad refuses it, nothing else may come out."""
    try:
        found = action()
    except script.Bad:
        return False
    return found is not False


@of("signature")
def test_signatures(case: dict[str, Any]) -> None:
    key, message, signature = (bytes.fromhex(case[name]) for name in ("public_key", "message", "signature"))
    assert does(lambda: script.PublicKey(key).stands(message, signature)) is stands(case)


@of("keys-refused")
def test_keys_that_are_refused(case: dict[str, Any]) -> None:
    keys = [key for name in ("small_order", "not_canonical", "no_point") for key in case[name]]
    assert len(keys) > 20
    assert not any(does(lambda key=key: script.PublicKey(bytes.fromhex(key))) for key in keys)


@of("event")
def test_contents(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["content"])
    assert does(lambda: script.Event(content)) is stands(case)
    if stands(case):
        subjects = [list(one) for one in script.acts_of(script.Event(content), 1)]
        assert subjects == case["subjects"]


@of("acts")
def test_acts(case: dict[str, Any]) -> None:
    event = script.Event(bytes.fromhex(case["content"]))
    for rule_set in (1, 2):
        assert [list(one) for one in script.acts_of(event, rule_set)] == case[f"rule_set_{rule_set}"]


@of("step")
def test_steps(case: dict[str, Any]) -> None:
    if stands(case):
        befores = [(line, int(line[:6], 16)) for line in case["steps"]]
        for line, before in befores:
            after, codes = script.step(case["rule_set"], before, case["act"])
            assert " ".join([line[:6], f"{after:06x}", *map(str, codes)]) == line
    else:
        with pytest.raises(KeyError):
            script.step(case["rule_set"], case["state"], case["act"])


@of("link")
def test_links(case: dict[str, Any]) -> None:
    try:
        right, complete = script.follows(
            case["rule_set"], case["before"], case["act"], case["state"], case["violations"]
        )
        finding = None if right and complete else "ROW_VIOLATIONS" if right else "ROW_STATE"
    except KeyError:
        finding = "ROW_ACT"
    assert finding == case.get("finding")


@of("header")
def test_headers(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["header"])
    assert does(lambda: script.Header(raw)) is stands(case)
    if stands(case):
        assert script.leaf_of(raw).hex() == case["leaf"]


@of("rows")
def test_rows(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["rows"])
    assert does(lambda: script.decode_rows(data)) is stands(case)
    if stands(case):
        rule_set, rows = script.decode_rows(data)
        leaves = [bytes(32) if one is None else bytes.fromhex(one) for one in case["previous_leaves"]]
        hashes = script.row_hashes(bytes.fromhex(case["salt"]), rule_set, rows, leaves)
        assert rule_set == case["rule_set"]
        assert [one.hex() for one in hashes] == case["row_hashes"]
        assert script.root_of(hashes).hex() == case["row_root"]


@of("statement")
def test_statements(case: dict[str, Any]) -> None:
    def check() -> bool:
        statement = script.Statement(bytes.fromhex(case["statement"]))
        covering = script.Covering(0, statement, 0)
        for one in case["covered"]:
            covering.terms += bytes.fromhex(one["commitment"]) + one["record_class"].to_bytes(2, "big")
            covering.terms += bytes([one["type"]])
        return (
            statement.ledger_id.hex() == case["ledger_id"]
            and script.PublicKey(bytes.fromhex(case["public_key"])).stands(statement.message, statement.signature)
            and covering.root() == statement.root
        )

    assert does(check) is stands(case)


_READERS: dict[int, Any] = {
    1: script.GenesisRecord, 4: script.RecordEntry, 5: script.KeyAuthorised, 6: script.KeyRevoked, 7: script.read_clock,
    8: script.read_epoch, 9: lambda content: script.statement_in(script.array_of(content, 3, "", "")),
}  # fmt: skip


@of("record")
def test_records(case: dict[str, Any]) -> None:
    def check() -> Any:
        record = _READERS[case["type"]](bytes.fromhex(case["content"]))
        if "root_keys" in case:
            genesis = script.GenesisRecord.__new__(script.GenesisRecord)
            keys = [script.PublicKey(bytes.fromhex(key)) for key in case["root_keys"]]
            genesis.roots = {key.hash: key for key in keys}
            ledger_id = bytes.fromhex(case["ledger_id"])
            if isinstance(record, script.RecordEntry):
                script.check_settled(record, ledger_id, genesis)
            elif isinstance(record, script.KeyAuthorised | script.KeyRevoked):
                record.check(ledger_id, genesis)

    assert does(check) is stands(case)


@of("inclusion")
def test_inclusion(case: dict[str, Any]) -> None:
    path = [bytes.fromhex(one) for one in case["proof"]]
    root = script.root_by_inclusion(bytes.fromhex(case["leaf"]), case["index"], case["size"], path)
    assert (root == bytes.fromhex(case["root"]) and all(len(one) == 32 for one in path)) is stands(case)


@of("consistency")
def test_consistency(case: dict[str, Any]) -> None:
    path = [bytes.fromhex(one) for one in case["proof"]]
    old_root, new_root = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    assert script.consistent(case["old"], old_root, case["new"], new_root, path) is stands(case)


@of("checkpoint")
def test_checkpoints(case: dict[str, Any]) -> None:
    verifier = script.parse_verifier(case["vkey"])
    assert does(lambda: script.open_checkpoint(case["note"].encode(), verifier)) is stands(case)


@of("cosignature")
def test_cosignatures(case: dict[str, Any]) -> None:
    def check() -> Any:
        found = script.Note(case["note"].encode()).cosigned(script.parse_verifier(case["witness"]))
        return False if found is None else found == case.get("time", found)

    assert does(check) is stands(case)


@of("proof")
def test_proofs(case: dict[str, Any]) -> None:
    def check() -> bool:
        proof = script.Proof(case["proof"].encode())
        _, checkpoint = script.open_checkpoint(proof.note, script.parse_verifier(case["vkey"]))
        root = script.root_by_inclusion(bytes.fromhex(case["leaf"]), proof.index, checkpoint.size, proof.path)
        return root == checkpoint.root

    assert does(check) is stands(case)


@of("vkey")
def test_verifier_keys(case: dict[str, Any]) -> None:
    assert does(lambda: script.parse_verifier(case["vkey"])) is stands(case)


def value_of(value: Any) -> str | bytes:
    return value if isinstance(value, str) else bytes.fromhex(value["hex"])


@of("disclosure")
def test_disclosures(case: dict[str, Any]) -> None:
    def check() -> Any:
        one = script.Disclosure(case["text"].encode())
        one.check(one.proof.index, one.proof.note, script.parse_verifier(case["vkey"]))
        assert one.value == value_of(case["value"])

    assert does(check) is stands(case)


@of("register")
def test_profiles(case: dict[str, Any]) -> None:
    """Of registers, only what a profile is decides something here: from it on, other rules hold."""
    record = None
    if does(lambda: script.RecordEntry(bytes.fromhex(case["content"]))):
        record = script.RecordEntry(bytes.fromhex(case["content"]))
    if record is not None and record.kind == "profile" and record.version == 0:
        assert script.begins_pilot(record) is stands(case)


@of("commitment", "private commitment")
def test_commitments(case: dict[str, Any]) -> None:
    salt = bytes.fromhex(case["salt"])
    if case["kind"] == "commitment":
        head, zeros = case.get("content_head", case.get("content", "")), case.get("content_zeros", 0)
        found = script.sha(script.CONTENT_TAG, salt, bytes.fromhex(head), bytes(zeros))
    else:
        if not stands(case):
            pytest.skip("the form of a value is looked at with the disclosure that has it")
        found = script.sha(script.PRIVATE_TAG, salt, script.encode([case["name"], value_of(case["value"])]))
    assert found.hex() == case["commitment"]
