"""The vectors of entries, statements, records, contents and whole ledgers, read by the library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import asdict, fields

from tracechain import custody, encoding, record
from tracechain.checkpoint import parse_vkey
from tracechain.entry import (
    content_commitment,
    decode_rows,
    encode_rows,
    format_header,
    parse_header,
    row_hashes,
    row_root,
    row_salt,
)
from tracechain.errors import DataError, KeyUseError
from tracechain.merkle import leaf_hash, root
from tracechain.record import (
    ClockRecord,
    EpochRecord,
    Evidence,
    Genesis,
    KeyAuthorised,
    KeyRevoked,
    Record,
    decode_record,
    encode_record,
)
from tracechain.replay import MemoryView, entry_acts
from tracechain.signing import MemorySigner, PublicKey
from tracechain.signing import verify as verify_signature
from tracechain.statement import (
    Statement,
    check_items,
    decode_statement,
    decode_submission,
    encode_statement,
    encode_submission,
    statement_leaves,
)
from tracechain.verification import verify

VECTORS = Path(__file__).parent / "vectors"
GROUPS = ("entry", "rows", "statement", "record", "content", "ledger")
CASES = {
    path.stem: json.loads(path.read_text("utf-8"))
    for group in GROUPS
    for path in sorted(VECTORS.glob(f"{group}-*.json"))
}
OWN: dict[int, Any] = {
    1: Genesis, 5: KeyAuthorised, 6: KeyRevoked, 7: ClockRecord, 8: EpochRecord, 9: Evidence,
}  # fmt: skip


def chosen(kind: str, verdict: str) -> pytest.MarkDecorator:
    """Parametrise over the cases of a kind with this verdict."""
    found = [
        pytest.param(case, id=name)
        for name, case in CASES.items()
        if (case["kind"], case.get("verdict")) == (kind, verdict)
    ]
    return pytest.mark.parametrize("case", found)


def test_there_are_vectors_of_each_kind() -> None:
    kinds = {(case["kind"], case.get("verdict")) for case in CASES.values()}
    both = {(kind, verdict) for kind in ("header", "rows", "statement", "submission", "record", "event", "ledger")
            for verdict in ("stands", "refused")}  # fmt: skip
    assert kinds == both | {("commitment", None)}
    refused = [case for case in CASES.values() if "reason" in case]
    assert all(case["reason"].endswith(".") for case in refused)
    assert all(case["words"] for case in refused if case.get("fails", "decode") == "decode")


# ---- entries -----------------------------------------------------------------------------------


@chosen("header", "stands")
def test_headers_are_read_and_written(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["header"])
    header = parse_header(raw)
    assert {k: v.hex() if isinstance(v, bytes) else v for k, v in asdict(header).items()} == case["fields"]
    assert format_header(header) == raw
    assert leaf_hash(raw).hex() == case["leaf"]


@chosen("header", "refused")
def test_malformed_headers_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(DataError) as caught:
        parse_header(bytes.fromhex(case["header"]))
    assert case["words"] in str(caught.value)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["kind"] == "commitment"])
def test_commitments_cover_salt_and_content(name: str) -> None:
    case = CASES[name]
    content = bytes.fromhex(case.get("content") or case["content_head"]) + bytes(case.get("content_zeros", 0))
    assert content_commitment(bytes.fromhex(case["salt"]), content).hex() == case["commitment"]


@chosen("rows", "stands")
def test_rows_are_read_written_and_hashed(case: dict[str, Any]) -> None:
    data, salt = bytes.fromhex(case["rows"]), bytes.fromhex(case["salt"])
    rule_set, rows = decode_rows(data)
    assert rule_set == case["rule_set"]
    assert [[r.subject, r.act, r.previous, r.state, list(r.violations)] for r in rows] == case["parsed"]
    assert encode_rows(rule_set, rows) == data
    assert [row_salt(salt, k, len(rows)).hex() for k in range(len(rows))] == case["row_salts"]
    leaves = [None if leaf is None else bytes.fromhex(leaf) for leaf in case["previous_leaves"]]
    hashes = row_hashes(salt, rule_set, rows, leaves)
    assert [one.hex() for one in hashes] == case["row_hashes"]
    assert row_root(hashes).hex() == case["row_root"]


@chosen("rows", "refused")
def test_malformed_rows_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(DataError) as caught:
        decode_rows(bytes.fromhex(case["rows"]))
    assert case["words"] in str(caught.value)


# ---- statements --------------------------------------------------------------------------------


def leaves_of(case: dict[str, Any]) -> list[bytes]:
    covered = case["covered"]
    return statement_leaves(
        [bytes.fromhex(one["commitment"]) for one in covered],
        [one["record_class"] for one in covered],
        [one["type"] for one in covered],
    )


def open_statement(case: dict[str, Any]) -> Statement:
    """Check a statement in the order of "fails"; DataError with the step that fails."""
    statement = decode_statement(bytes.fromhex(case["statement"]))
    if statement.ledger_id.hex() != case["ledger_id"]:
        raise DataError("ledger")
    try:
        key = PublicKey(1, bytes.fromhex(case["public_key"]))
        if key.hash != statement.author:
            raise DataError("another author")
        verify_signature(key, statement.message, statement.signature)
    except DataError as error:
        raise DataError("signature") from error
    leaves = leaves_of(case)
    if (len(case["covered"]), root(leaves)) != (statement.count, statement.root):
        raise DataError("root")
    return statement


@chosen("statement", "stands")
def test_statements_stand(case: dict[str, Any]) -> None:
    statement = open_statement(case)
    assert encode_statement(statement).hex() == case["statement"]
    assert (statement.first, statement.previous.hex(), statement.signed_at) == (
        case["first"], case["previous"], case["signed_at"],
    )  # fmt: skip
    assert [leaf.hex() for leaf in leaves_of(case)] == case["leaves"]
    assert (statement.root.hex(), statement.message.hex(), statement.hash.hex()) == (
        case["root"], case["message"], case["hash"],
    )  # fmt: skip
    signer = MemorySigner.from_seed(bytes.fromhex(case["seed"]))
    assert signer.public_key.raw.hex() == case["public_key"]
    assert signer.sign(statement.message) == statement.signature


@chosen("statement", "refused")
def test_statements_that_do_not_stand_fail_where_they_should(case: dict[str, Any]) -> None:
    with pytest.raises(DataError) as caught:
        open_statement(case)
    if case["fails"] == "decode":
        assert case["words"]
        assert case["words"] in str(caught.value)
    else:
        assert str(caught.value) == case["fails"]


@chosen("submission", "stands")
def test_submissions_are_read_and_written(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["submission"])
    submission = decode_submission(data)
    check_items(submission)
    assert encode_submission(submission) == data
    assert encode_statement(submission.statement).hex() == case["statement"]
    for item, given in zip(submission.items, case["items"], strict=True):
        assert (item.type, item.record_class) == (given["type"], given["record_class"])
        assert [one.hex() for one in (item.salt, item.content, item.commitment)] == [
            given["salt"], given["content"], given["commitment"],
        ]  # fmt: skip


@chosen("submission", "refused")
def test_malformed_submissions_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(DataError) as caught:
        check_items(decode_submission(bytes.fromhex(case["submission"])))
    assert case["words"] in str(caught.value)


# ---- records and contents ----------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A field as the vectors write it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, PublicKey):
        return [value.algorithm, value.raw.hex()]
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def open_record(case: dict[str, Any]) -> Any:
    """Decode, and check what roots and holder signed."""
    content = bytes.fromhex(case["content"])
    value = decode_record(content) if case["type"] == 4 else OWN[case["type"]].decode(content)
    if "root_keys" in case:
        ledger_id = bytes.fromhex(case["ledger_id"])
        roots = tuple(PublicKey(1, bytes.fromhex(one)) for one in case["root_keys"])
        check: dict[int, Any] = {4: record.check_settled, 5: record.check_authorised, 6: record.check_revoked}
        check[case["type"]](ledger_id, value, roots)
    return value


@chosen("record", "stands")
def test_records_are_read_and_written(case: dict[str, Any]) -> None:
    value = open_record(case)
    assert {one.name: plain(getattr(value, one.name)) for one in fields(type(value))} == case["fields"]
    again = encode_record(value) if isinstance(value, Record) else value.encode()
    assert again.hex() == case["content"]
    found = [subject for subject, _ in entry_acts(case["type"], again)]
    assert found == [one for one in [case["subject"]] if one is not None]


@chosen("record", "stands")
def test_what_records_carry_signed_is_the_message_given(case: dict[str, Any]) -> None:
    """Each signature in the content stands over "message", under the key that the format names."""
    value, message = open_record(case), bytes.fromhex(case.get("message", ""))
    if not message:
        assert case["type"] not in (5, 6)
        return
    roots = {PublicKey(1, bytes.fromhex(raw)).hash: PublicKey(1, bytes.fromhex(raw)) for raw in case["root_keys"]}
    if isinstance(value, Record):
        verify_signature(roots[value.body[-2]], message, value.body[-1])
        return
    verify_signature(roots[value.root], message, value.root_signature)
    if isinstance(value, KeyAuthorised):
        verify_signature(value.key, message, value.holder_signature)


@chosen("record", "refused")
def test_records_that_do_not_stand_are_refused(case: dict[str, Any]) -> None:
    if case["fails"] == "signature":
        open_record({k: v for k, v in case.items() if k != "root_keys"})  # its form is right
    with pytest.raises((DataError, KeyUseError)) as caught:
        open_record(case)
    assert case["words"] in str(caught.value)


@chosen("event", "stands")
def test_contents_are_read_and_written(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["content"])
    event = encoding.decode(content)
    assert type(event).__name__ == case["event"]
    assert encoding.encode(event) == content
    assert [[subject, int(act)] for subject, act in custody.acts(event)] == case["subjects"]


@chosen("event", "refused")
def test_malformed_contents_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(DataError) as caught:
        encoding.decode(bytes.fromhex(case["content"]))
    assert case["words"] in str(caught.value)


# ---- ledgers -----------------------------------------------------------------------------------


def view_of(case: dict[str, Any]) -> MemoryView:
    """The ledger of a vector as a View."""
    parts: dict[str, dict[int, bytes]] = {
        name: {i: bytes.fromhex(entry[name]) for i, entry in enumerate(case["entries"]) if entry[name] is not None}
        for name in ("header", "content", "rows")
    }
    return MemoryView(parts["header"], parts["content"], parts["rows"], case["checkpoint"], len(case["entries"]))


@chosen("ledger", "stands")
def test_the_ledger_verifies(case: dict[str, Any]) -> None:
    report = verify(view_of(case), verifier=parse_vkey(case["vkey"]))
    assert report, [str(one) for one in report.findings]
    assert report.entries == len(case["entries"])


@chosen("ledger", "refused")
def test_what_was_done_to_the_ledger_is_found(case: dict[str, Any]) -> None:
    report = verify(view_of(case), verifier=parse_vkey(case["vkey"]))
    assert not report
    assert case["finding"] in {str(one.code) for one in report.findings}
