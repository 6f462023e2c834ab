"""The vectors of rule set 2, read by the library; and those of its table by a script that imports nothing of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import standalone_custody
from tracechain import custody, encoding, registers
from tracechain.checkpoint import parse_vkey
from tracechain.custody import PILOT, RULES, Act, Custody, Violation
from tracechain.derivation import STATE_SHIFT
from tracechain.entry import SALT_SIZE, Row, decode_rows
from tracechain.errors import DecodeError, InputError
from tracechain.record import decode_record, encode_record
from tracechain.replay import MemoryView, entry_acts, replay
from tracechain.rules.guards import lot_check
from tracechain.verification import verify, verify_rules
from tracechain.verification.findings import Findings
from tracechain.verification.links import check_link

HERE = Path(__file__).parent
VECTORS = HERE / "vectors"
SCRIPT = HERE / "standalone_custody.py"
CASES = {
    path.stem: json.loads(path.read_text("utf-8"))
    for group in ("custody", "acts", "registers", "pilot")
    for path in sorted(VECTORS.glob(f"{group}-*.json"))
}


def chosen(kind: str, verdict: str | None = None) -> pytest.MarkDecorator:
    """Parametrise over the cases of a kind with this verdict."""
    found = [
        pytest.param(case, id=name)
        for name, case in CASES.items()
        if (case["kind"], case.get("verdict")) == (kind, verdict)
    ]
    assert found
    return pytest.mark.parametrize("case", found)


# ---- the table -------------------------------------------------------------------------------------


@chosen("step", "stands")
def test_steps_are_taken(case: dict[str, Any]) -> None:
    for line in case["steps"]:
        before, after, *codes = line.split()
        outcome = custody.step(int(before, 16), case["act"], case["rule_set"])
        assert outcome == (int(after, 16), tuple(map(int, codes))), line


@chosen("step", "refused")
def test_steps_that_there_are_not_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=case["words"]):
        custody.step(case["state"], case["act"], case["rule_set"])


@chosen("link", "stands")
def test_links_stand(case: dict[str, Any]) -> None:
    assert linked(case) == []


@chosen("link", "refused")
def test_links_that_do_not_stand_are_found(case: dict[str, Any]) -> None:
    assert linked(case) == [case["finding"]]


def linked(case: dict[str, Any]) -> list[str]:
    """What the verifier finds in a row in entry 5 whose subject stood so since entry 3."""
    findings = Findings()
    first = case["before"] == 0
    row = Row("x", case["act"], None if first else 3, case["state"], tuple(case["violations"]))
    check_link(findings, 5, row, None if first else case["before"] << STATE_SHIFT | 4, case["rule_set"])
    return [str(one.code) for one in findings.items]


def test_every_act_is_tried_in_every_custody() -> None:
    """With each flag, and with an expiry day; and every violation of the table occurs."""
    seen: set[tuple[int, int]] = set()
    codes: set[int] = set()
    for case in CASES.values():
        if case["kind"] == "step" and case["verdict"] == "stands":
            for line in case["steps"]:
                before, _, *found = line.split()
                seen.add((case["act"] & custody.ACT_MASK, int(before, 16)))
                codes |= set(map(int, found))
    for act in RULES:
        assert (act, 0) in seen
        for place in list(Custody)[1:]:
            for more in (0, *custody.Flag, 10_408 << custody.EXPIRY_SHIFT):
                assert (act, place | more) in seen
    table = {int(v) for v in Violation} - custody.CONTEXTUAL[custody.PILOT]
    table -= {v for v in Violation if v.name.startswith("UNDO")}
    assert table <= codes


# ---- what events do --------------------------------------------------------------------------------


@chosen("acts")
def test_acts_are_read_off_events(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["content"])
    event = encoding.decode(content)
    assert type(event).__name__ == case["event"]
    assert encoding.encode(event) == content
    for rule_set in custody.TABLES:
        expected = case[f"rule_set_{rule_set}"]
        assert [[subject, int(act)] for subject, act in custody.acts(event, rule_set)] == expected
        assert [[subject, int(act)] for subject, act in entry_acts(3, content, rule_set)] == expected


def test_every_act_of_a_pack_is_read_off_some_event() -> None:
    found = {act & custody.ACT_MASK for c in CASES.values() if c["kind"] == "acts" for _, act in c["rule_set_2"]}
    assert found == {int(act) for act in Act}


# ---- registers -------------------------------------------------------------------------------------


@chosen("register", "stands")
def test_registers_are_read_and_written(case: dict[str, Any]) -> None:
    content = bytes.fromhex(case["content"])
    record = decode_record(content)
    assert (record.kind, record.version, record.subject) == (case["kind_of"], case["version"], case["subject"])
    value = registers.read(record)
    assert value is not None
    assert value.mapping() == case["mapping"]
    assert value == type(value).from_mapping(case["mapping"], "a vector")
    assert encode_record(value.record(case["version"])) == content


@chosen("register", "refused")
def test_malformed_registers_are_refused(case: dict[str, Any]) -> None:
    record = decode_record(bytes.fromhex(case["content"]))  # as a record it is well formed
    with pytest.raises(DecodeError) as caught:
        registers.read(record)
    field = str(caught.value).removeprefix(f"record {record.kind}: ")
    assert field.startswith(case["field"]), str(caught.value)
    assert not field.removeprefix(case["field"])[:1].isalnum(), str(caught.value)


def test_there_is_a_register_of_every_kind() -> None:
    assert {c["kind_of"] for c in CASES.values() if c["kind"] == "register" and c["verdict"] == "stands"} == set(
        registers.KINDS
    )


# ---- a whole ledger ---------------------------------------------------------------------------------


def view_of(case: dict[str, Any]) -> MemoryView:
    """The ledger of a vector as a View."""
    base = CASES[case.get("base", "pilot-whole")]
    entries = [dict(entry) for entry in base["entries"]]
    for index, parts in case.get("changes", {}).items():
        entries[int(index)] |= parts
    parts_of: dict[str, dict[int, bytes]] = {
        name: {i: bytes.fromhex(entry[name]) for i, entry in enumerate(entries) if entry[name] is not None}
        for name in ("header", "content", "rows")
    }
    return MemoryView(parts_of["header"], parts_of["content"], parts_of["rows"], case["checkpoint"], len(entries))


@chosen("ledger", "stands")
def test_the_ledger_stands_and_its_rules_come_to_what_it_says(case: dict[str, Any]) -> None:
    view = view_of(case)
    for report in (verify(view, verifier=parse_vkey(case["vkey"]), index=True), verify_rules(view)):
        assert report, [str(one) for one in report.findings]
    state = replay(view)
    units = {}
    for subject, unit in state.units.items():
        lot, anchor = divmod(state.memory(subject), 1 << 40)
        units[subject] = f"{unit.last} {unit.state:06x} {lot:06x} {anchor - 1 if anchor else '-'}"
    assert units == case["units"]
    accounts = [[person.hex(), year, f"{yuan:f}"] for (person, year), yuan in sorted(state.spending.items())]
    assert accounts == case["accounts"]
    assert {decode_rows(part[SALT_SIZE:])[0] for part in view.raw_rows.values()} == {1, 2}
    assert {code for _, _, codes in state.violations for code in codes} >= {6, 7, 16, 34}


@chosen("ledger", "refused")
def test_what_was_done_to_the_ledger_is_found(case: dict[str, Any]) -> None:
    view, whole = view_of(case), CASES[case["base"]]
    by_rows = verify(view, verifier=parse_vkey(whole["vkey"]))
    assert (case["finding"] in by_rows.codes) == (case["by"] == "rows")
    assert bool(by_rows) == (case["by"] == "replay")
    assert not verify_rules(view) or case["finding"] == "ROW_ACT"  # acts it reads off the contents


@pytest.mark.parametrize("case", [case for case in CASES.values() if case["kind"] == "lot"])
def test_lots_have_their_checks(case: dict[str, Any]) -> None:
    assert lot_check(case["lot"]) == case["check"]


# ---- another implementation ------------------------------------------------------------------------


def run(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", SCRIPT, *files], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_script_that_follows_the_text_alone_agrees() -> None:
    files = [VECTORS / f"{name}.json" for name, case in CASES.items() if case["kind"] in ("step", "link", "acts")]
    done = run(*files)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{len(files)} vectors agree\n", "")


def test_the_scripts_table_is_that_of_the_document() -> None:
    """Cell by cell: "." nothing, the name of a custody, or violations."""
    said: dict[int, list[str]] = {}
    for line in (HERE.parent / "docs" / "custody.md").read_text("utf-8").splitlines():
        cells = [cell.strip().strip("*") for cell in line.strip("|").split("|")]
        number, _, name = cells[0].partition(" ")
        if len(cells) == 14 and number.isdigit():
            assert Act(int(number)).name.lower() == name
            said[int(number)] = [
                cell if cell == "." else f"!{cell.replace(', ', '+')}" if cell[0].isdigit()
                else f">{Custody[cell.upper()]:d}"
                for cell in cells[1:]
            ]  # fmt: skip
    assert said == standalone_custody.CELLS


def test_the_script_imports_nothing_but_the_standard_library() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert names <= sys.stdlib_module_names


@pytest.mark.parametrize(
    "name", ["custody-sell", "custody-link-refused-hidden", "acts-order", "custody-refused-act-31"]
)
def test_the_script_sees_what_differs(tmp_path: Path, name: str) -> None:
    case = dict(CASES[name])
    if case["kind"] == "acts":
        case |= {"rule_set_2": [[subject, act + 1] for subject, act in case["rule_set_2"]]}
    elif "steps" in case:
        case |= {"steps": [*case["steps"][:-1], case["steps"][-1] + " 9"]}
    else:
        case |= {"finding": "ROW_LINK", "act": int(Act.OBSERVE)}
    (tmp_path / "case.json").write_text(json.dumps(case), "utf-8")
    done = run(tmp_path / "case.json")
    assert done.returncode == 1
    assert done.stderr.startswith("MISMATCH: ")


def test_rule_set_2_is_the_pilots() -> None:
    assert PILOT == 2
    assert {case.get("rule_set", 2) for case in CASES.values()} == {2}
