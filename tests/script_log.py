"""A view as the stand-alone script sees a log; what it finds of prunings there, and what the library finds of that."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from flips import VERIFIER
from tracechain import merkle
from tracechain.entry import SALT_SIZE, EntryType, decode_rows
from tracechain.errors import DataError
from tracechain.ledger import Ledger, verify_ledger
from tracechain.record import decode_record
from tracechain.retention.policy import Policy
from tracechain.verification import Code, Report
from tracechain.verification.skim import committed
from tracechain.view import View, ViewNodes

__all__ = [
    "JUDGED",
    "NOW",
    "VECTORS",
    "Found",
    "ScriptLog",
    "alike",
    "altered",
    "by_library",
    "gathered",
    "judged",
    "lists",
    "script",
    "tuples",
]

SCRIPT = Path(__file__).resolve().parents[1] / "src" / "tracechain" / "verify_bundle.py"
VECTORS = Path(__file__).with_name("vectors")
#: 2031-01-01: after everything but a clock that was set years ahead.
NOW = 1_924_963_200_000
#: What `judge_prunings` finds; of PRUNE_ORDER and missing parts, the pass over the entries finds more.
JUDGED = {
    Code.TIME_AHEAD, Code.CONTENT_MISSING, Code.ROWS_MISSING, Code.SUBJECT_LOST, Code.PRUNE_RECORD, Code.PRUNE_POLICY,
    Code.PRUNE_WAIT, Code.PRUNE_EARLY, Code.PRUNE_HELD, Code.PRUNE_ORDER, Code.PRUNE_KEPT,
}  # fmt: skip


def load() -> Any:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("verify_bundle_pruned", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses and named tuples look there
    spec.loader.exec_module(module)
    return module


script = load()


# ---- a view, as the script sees a log ----------------------------------------------------------------


class ScriptLog:
    """The parts of a view that are what headers commit to."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.size = view.size

    def header(self, index: int) -> bytes | None:
        return self.view.header(index)

    def leaf(self, index: int) -> bytes:
        return merkle.leaf_hash(self.view.header(index) or b"")

    def root(self, size: int) -> bytes:
        return merkle.tree_root(ViewNodes(self.view), size)

    def content(self, index: int) -> bytes | None:
        return committed(self.view, index, self.view.header(index) or b"")

    def rows(self, index: int) -> tuple[int, list[tuple[str, int, int, int, Any]]] | None:
        part = self.view.rows(index)
        try:
            rule_set, rows = decode_rows((part or b"")[SALT_SIZE:])
        except DataError:
            return None
        told = [(r.subject, r.act, 0 if r.previous is None else r.previous + 1, r.state, r.violations) for r in rows]
        return rule_set, told


def gathered(log: ScriptLog) -> SimpleNamespace:
    """What the pass over the entries notes, worked out from format.md 13.1 once more."""
    records: list[tuple[int, int, str]] = []
    lost: tuple[list[tuple[int, int]], list[tuple[int, int]]] = [], []
    believed: list[tuple[int, int]] = []
    latest: dict[str, int] = {}
    named: dict[int, int] = {}
    statement = 0

    def loses(which: int, index: int) -> None:
        if lost[which] and lost[which][-1][1] == index:
            lost[which][-1] = lost[which][-1][0], index + 1
        else:
            lost[which].append((index, index + 1))

    def bare(index: int) -> bool:
        header = log.header(index) or b""
        return header[4] == EntryType.EVENT and header[40:44] != bytes(4) and log.view.rows(index) is None

    for index in range(log.size):
        header = log.header(index) or b""
        if header[4] not in (EntryType.EVENT, EntryType.RECORD):
            statement = index
        if header[4] == EntryType.EVENT:
            named.setdefault(statement, int.from_bytes(header[56:64], "big"))
            if log.view.content(index) is None:
                loses(0, index)
        if bare(index):
            loses(1, index)
        content = log.content(index)
        if header[4] == EntryType.RECORD and content is not None:
            with contextlib.suppress(DataError):
                records.append((index, statement, decode_record(content).kind))
        rows = log.rows(index)
        for subject, _, previous, _, _ in () if rows is None else rows[1]:
            if latest.get(subject, 0) < previous <= index and bare(previous - 1):
                believed.append((index, previous - 1))
            latest[subject] = index + 1
    records = [one for one in records if one[2] in script.PRUNE_KINDS]
    return SimpleNamespace(
        records=records, lost_contents=lost[0], lost_rows=lost[1], believed=believed, policies_named=[*named.items()]
    )


class Found:
    """What the script finds."""

    def __init__(self) -> None:
        self.items: list[tuple[str, int | None]] = []

    def add(self, code: str, index: int | None, en: str, zh: str, subject: str | None = None) -> None:
        assert en.isascii() or "'" in en
        assert not zh.isascii()
        assert subject is None
        self.items.append((code, index))


def judged(view: View, demand: Policy | None = None, now: int | None = None) -> tuple[dict[str, Any], set[Any]]:
    """The script's result and its findings."""
    log, found = ScriptLog(view), Found()
    demanded = None if demand is None else script.read_demand(json.dumps(demand.plain()).encode())
    result = script.judge_prunings(log, gathered(log), found, demanded, now, script.note_times)
    return result, set(found.items)


def by_library(report: Report, view: View) -> set[tuple[str, int | None]]:
    """What the library finds of that."""

    def of_events(index: int | None) -> bool:
        return index is not None and (view.header(index) or b"")[4:5] == b"\x03"

    return {
        (str(f.code), f.index)
        for f in report.findings
        if f.code in JUDGED
        and (f.code not in (Code.CONTENT_MISSING, Code.ROWS_MISSING) or of_events(f.index))
        and (f.subject is None or f.code is not Code.PRUNE_ORDER)
    }


def alike(path: Path, demand: Policy | None = None, now: int | None = NOW) -> set[tuple[str, int | None]]:
    """Judge a ledger by both; what both find."""
    report = verify_ledger(path, verifier=VERIFIER, retention=demand, now=now)
    with Ledger.open(path) as ledger, ledger.snapshot() as view:
        result, found = judged(view, demand, now)
        assert found == by_library(report, view), report.findings
    if report:
        assert (result["contents"], result["rows"]) == (report.pruned_contents, report.pruned_rows)
        for en, _ in result["notes"]:
            assert en in report.notes
    return found


def lists(value: Any) -> Any:
    return [lists(one) for one in value] if isinstance(value, tuple | list) else value


def tuples(value: Any) -> Any:
    return tuple(tuples(one) for one in value) if isinstance(value, tuple | list) else value


@st.composite
def altered(draw: st.DrawFn, value: Any) -> Any:
    """The value with one thing in it changed, at any depth."""
    if isinstance(value, list) and value and draw(st.integers(0, 7)):
        at = draw(st.integers(0, len(value) - 1))
        how = draw(st.sampled_from(["in", "in", "in", "in", "drop", "twice", "swap"]))
        if how == "in":
            return [*value[:at], draw(altered(value[at])), *value[at + 1 :]]
        if how == "drop":
            return [*value[:at], *value[at + 1 :]]
        if how == "twice":
            return [*value[:at], value[at], *value[at:]]
        other = draw(st.integers(0, len(value) - 1))
        swapped = list(value)
        swapped[at], swapped[other] = swapped[other], swapped[at]
        return swapped
    if type(value) is int:
        return draw(st.sampled_from([value + 1, value - 1, 0, 1, 2, -1, 1 << 40, 1 << 63, value + 400, True, None]))
    if type(value) is str:
        return draw(st.sampled_from([value + " ", value + "x", value[:-1], "", "released", "2029-01-01", "x" * 101, 1]))
    if type(value) is bytes:
        return draw(st.sampled_from([value[:-1], value + b"x", bytes(len(value)), b"", None]))
    return draw(st.sampled_from([0, 1, None, True, False, [], "x", b"x", [5], [1, 0, [0, 0, 1], None]]))
