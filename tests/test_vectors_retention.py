"""The vectors of retention policies, read by the library; and by a script that follows the text alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import standalone_retention
from retention_samples import DAYS, FIELDS, facts, policies
from tracechain.encoding import unpack_strict
from tracechain.entry import OPEN_DAY
from tracechain.errors import DecodeError
from tracechain.record import decode_record, encode_record
from tracechain.retention.dates import format_day, parse_day
from tracechain.retention.keeping import policy_of
from tracechain.retention.policy import Facts, Policy

HERE = Path(__file__).parent
SCRIPT = HERE / "standalone_retention.py"
CASES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((HERE / "vectors").glob("retention-*.json"))}
DAY_KEYS = ("receipt", "event", "release", "published")


def chosen(kind: str, verdict: str | None = None) -> list[Any]:
    return [
        pytest.param(case, id=name)
        for name, case in CASES.items()
        if case["kind"] == kind and case.get("verdict") == verdict
    ]


def rows(kind: str) -> list[Any]:
    return [
        pytest.param(
            Policy.from_plain(frozen(case["policies"][row["policy"]])), row, id=f"{row['policy']}: {row['about']}"
        )
        for case in CASES.values()
        if case["kind"] == kind
        for row in case["rows"]
    ]


def frozen(value: Any) -> Any:
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def listed(value: Any) -> Any:
    return [listed(one) for one in value] if isinstance(value, tuple) else value


def day(text: str | None) -> int | None:
    return None if text is None else parse_day(text)


def date_of(day: int | None) -> str | None:
    return None if day is None else format_day(day)


def facts_of(row: dict[str, Any]) -> Facts:
    days = {f"{key}_day": day(row[key]) for key in DAY_KEYS if key in row}
    return Facts(row["record_class"], expiries=tuple(map(day, row.get("expiries", ()))), **days)  # type: ignore[arg-type] # the receipt is there


def test_there_are_vectors_of_each_kind() -> None:
    assert len(rows("retention-dates")) >= 25
    assert len(rows("retention-headers")) >= 15
    assert len(chosen("retention", "stands")) >= 4
    assert len(chosen("retention", "refused")) >= 30


@pytest.mark.parametrize(("policy", "row"), rows("retention-dates"))
def test_a_worked_date(policy: Policy, row: dict[str, Any]) -> None:
    facts = facts_of(row)
    if "field" in row:
        said = policy.fields(facts, row["field"])
        kept = said.keep_until
        uppers = [None if one is None else date_of(one.day) for one in (said.delete_by, said.restrict_after)]
        assert [*uppers, said.crossing] == [row["delete_by"], row["restrict_after"], row["crossing"]]
    else:
        kept = policy.keep(facts)
    assert date_of(None if kept is None else kept.day) == row["keep_until"]
    if row["rule"] is not None:
        assert kept is not None
        assert (kept.regime, kept.rule, kept.anchor) == (row["regime"], row["rule"], row["anchor"])
        clause, words, _ = row["clause"].partition(": ")
        assert not words or clause.startswith(("a choice", kept.clause))


@pytest.mark.parametrize(("policy", "row"), rows("retention-headers"))
def test_the_day_of_a_header(policy: Policy, row: dict[str, Any]) -> None:
    said = policy.header_day(row["record_class"], row["receipt_ms"], [day(one) for one in row["expiries"]])
    assert said == row["keep_until"]


@pytest.mark.parametrize("case", chosen("retention", "stands"))
def test_a_policy_that_stands(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["content"])
    policy = Policy.from_record(decode_record(content))
    assert listed(policy.plain()) == case["plain"]
    assert encode_record(policy.record()) == content


@pytest.mark.parametrize("case", chosen("retention", "refused"))
def test_a_policy_that_is_refused(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["content"])
    unpack_strict(content)
    record = decode_record(content)
    with pytest.raises(DecodeError):
        Policy.from_record(record)
    assert policy_of(record) is None


# ---- another implementation ----------------------------------------------------------------------


def run(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", SCRIPT, *files], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_script_that_follows_the_text_alone_agrees() -> None:
    done = run(HERE / "vectors/retention-dates.json", HERE / "vectors/retention-headers.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 vectors agree\n", "")


def test_the_script_tells_what_does_not_agree(tmp_path: Path) -> None:
    case = CASES["retention-headers"]
    wrong = case | {"rows": [row | {"keep_until": row["keep_until"] - 1} for row in case["rows"]]}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong), encoding="utf-8")
    done = run(tmp_path / "wrong.json")
    assert done.returncode == 1
    assert done.stderr.startswith("MISMATCH: A sale, by the expiry.")


@given(policies(), st.integers(0, 7), st.integers(0, 1 << 43), st.lists(st.none() | DAYS, max_size=3))
def test_the_script_and_the_library_agree_on_headers(
    policy: Policy, number: int, ms: int, expiries: list[int | None]
) -> None:
    said = policy.header_day(number, ms, expiries)
    assert standalone_retention.header_day(policy.plain(), number, ms, expiries) == said


@given(policies(), facts())
def test_the_script_and_the_library_agree_on_entries_and_fields(policy: Policy, facts: Facts) -> None:
    plain = policy.plain()
    entry: dict[str, Any] = {key: getattr(facts, f"{key}_day") for key in DAY_KEYS} | {
        key: getattr(facts, key) for key in ("record_class", "expiries", "product_class", "jurisdiction")
    }
    kept = standalone_retention.keep_until(plain, entry)
    assert policy.keep(facts).order == (OPEN_DAY if kept is None else kept)
    for field in FIELDS:
        said = policy.fields(facts, field)
        assert standalone_retention.keep_until(plain, entry, field) == (said.keep_until and said.keep_until.order)
        for which, upper in ((7, said.delete_by), (8, said.restrict_after)):
            assert standalone_retention.upper(plain, entry, field, which) == (upper and upper.day)
