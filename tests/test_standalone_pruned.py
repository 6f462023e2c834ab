"""docs/format.md section 13 suffices: a second judge of prunings, written from it alone, comes to the same verdicts."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import standalone_pruned
from flips import VERIFIER
from tracechain.ledger import verify_ledger
from tracechain.replay import MemoryView
from tracechain.retention.bounds import After, Anchor, AtLeast, Earliest, Latest, Permanent
from tracechain.retention.dates import MS_PER_DAY, Term
from tracechain.retention.policy import Policy, Regime, Rule, Selector
from tracechain.testing.standins import Keys
from tracechain.testing.tamper import PRUNINGS, Power, duplicate, edit, resign
from tracechain.testing.tamper.by_hand import CLASS, WAIT_DAYS, ByHand, Sample, hold, pruned_ledger
from tracechain.verification import Code, verify

SCRIPT = Path(__file__).with_name("standalone_pruned.py")
VECTORS = sorted(Path(__file__).with_name("vectors").glob("pruned-*.json"))
NOW = 1_924_963_200_000


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pruned") / "ledger"
    pruned_ledger(path)
    return path


def script(path: Path) -> str:
    """What the script finds: a code, or nothing."""
    try:
        standalone_pruned.main(str(path), str(NOW))
    except standalone_pruned.FindingError as error:
        return str(error).split()[0]
    return ""


def test_the_script_imports_nothing_of_ours() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    modules = {
        name
        for node in ast.walk(tree)
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)])
        if name
    }
    outside = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    assert outside == {"lmdb", "standalone_custody"}


def run(path: Path, now: int) -> subprocess.CompletedProcess[str]:
    """Run the script as a stranger does, with nothing on its path but its own folder."""
    command: list[str | Path] = [sys.executable, "-E", "-s", SCRIPT, path, str(now)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_rule_for_some_classes_is_not_for_class_zero() -> None:
    for classes in ((), (0,), (1,), (0, 1)):
        rule = Rule("all", "test", Selector(record_classes=classes), After(Anchor.RECEIPT, Term(years=3)))
        policy = Policy("p", (Regime("r", "R", (rule,)),))
        for record_class in (0, 1):
            found = standalone_pruned.keep_until(json.loads(json.dumps(policy.plain())), record_class, NOW, [])
            day = policy.header_day(record_class, NOW, ())
            assert found == (None if day == standalone_pruned.OPEN else day)


def test_it_runs_by_itself(original: Path) -> None:
    done = run(original, NOW)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "58 entries, 15 contents and 6 rows pruned by 2\nOK\n"
    done = run(original, 0)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "MISMATCH: TIME_AHEAD (FindingError)\n")


@pytest.mark.parametrize("name", PRUNINGS)
def test_it_finds_every_tampering(original: Path, tmp_path: Path, name: str) -> None:
    one = PRUNINGS[name]
    for power in list(Power)[1:]:
        copy = duplicate(original, tmp_path / power.name)
        one(copy, power)
        found = script(copy)
        assert found in {str(code) for code in (*one.codes.values(), *one.also)} or name == "lawful_intent_rewritten"
        assert found


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vectors_are_judged_by_both(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    headers, contents, rows = (
        {index: bytes.fromhex(one[name]) for index, one in enumerate(case["entries"]) if one[name] is not None}
        for name in ("header", "content", "rows")
    )
    view = MemoryView(headers, contents, rows, case["checkpoint"], len(case["entries"]), None)
    report = verify(view, verifier=VERIFIER, now=case["now"])
    assert bool(report) is (case["verdict"] == "stands")
    assert script(path) in {"", *map(str, report.codes)}
    assert bool(script(path)) is (case["verdict"] != "stands")
    if not report:
        assert Code(case["finding"]) in report.codes


def test_there_are_vectors_of_every_verdict() -> None:
    findings = {json.loads(path.read_text("utf-8")).get("finding") for path in VECTORS}
    assert len(findings) > 10


# ---- any pruning at all -----------------------------------------------------------------------------

terms = st.sampled_from([Term(years=1), Term(years=3), Term(days=400), Term(months=30, days=5)])
afters = st.builds(After, st.sampled_from([Anchor.RECEIPT, Anchor.EVENT]), terms)
expiries = st.builds(lambda term, missing: After(Anchor.EXPIRY, term, missing), terms, terms)
bounds = st.one_of(
    afters, expiries, st.just(Permanent()), st.builds(AtLeast, afters, expiries),
    st.lists(st.one_of(afters, expiries), min_size=2, max_size=3, unique=True).map(tuple).map(Latest),
    st.lists(st.one_of(afters, expiries), min_size=2, max_size=3, unique=True).map(tuple).map(Earliest),
)  # fmt: skip
rules = st.builds(
    lambda bound, classes, products: (bound, Selector(record_classes=classes, product_classes=products)),
    bounds, st.sampled_from([(), (CLASS,), (5,)]), st.sampled_from([(), ("drug",)]),
)  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    some = draw(st.lists(rules, min_size=1, max_size=2))
    named = tuple(Rule(f"rule {n}", "test", one, keep_until=bound) for n, (bound, one) in enumerate(some))
    return Policy("drawn", (Regime("test", "drawn", named),), wait_days=draw(st.integers(1, 3)))


@settings(max_examples=60)
@given(data=st.data())
def test_any_pruning_gets_the_same_verdict_from_both(original: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = duplicate(original, Path(folder) / "ledger")
        with edit(path) as log:
            hand, sample = ByHand(log), Sample.of(log)
            for number in range(data.draw(st.integers(1, 3), label="prunings")):
                _prune(hand, sample, data, number)
        resign(path, Keys().log)
        report = verify_ledger(path, verifier=VERIFIER, now=NOW)
        found = script(path)
        event(found or "lawful")
        assert bool(report) is not bool(found), (found, report.findings)
        assert found in {"", *map(str, report.codes)}
        shutil.rmtree(path)


def _prune(hand: ByHand, sample: Sample, data: st.DataObject, number: int) -> None:
    """Some pruning, rather lawful than not."""
    rare = st.sampled_from([False] * 6 + [True])
    due = (*sample.seen[2:], *((*sample.held, sample.open, *sample.young) if data.draw(rare, label="any") else ()))
    gone = [index for index in due if hand.log.contents[index] is not None]
    contents = data.draw(st.lists(st.sampled_from(gone), unique=True, max_size=3) if gone else st.just([]))
    older = [index for index in (*sample.gone[6:], *sample.seen) if hand.log.rows[index] is not None]
    rows = data.draw(st.lists(st.sampled_from(older), unique=True, max_size=3)) if data.draw(rare) else []
    if number == 0 and data.draw(st.booleans(), label="shipped"):
        rows = [sample.shipped]
    if data.draw(rare, label="years"):
        hand.clock(730 * MS_PER_DAY)
    if data.draw(rare, label="policy"):
        hand.batch([data.draw(policies()).record()])
        hand.days(data.draw(st.integers(2, 4)))
    days = data.draw(st.sampled_from([WAIT_DAYS] * 5 + [WAIT_DAYS - 1]))
    index = hand.announce(f"more-{number}", contents, rows)
    if data.draw(rare, label="hold"):
        hand.batch([hold(f"H-{number + 2}", [hand.log.row_list(sample.seen[3])[1][0].subject]).record()])
    hand.days(days)
    hand.done(index, f"more-{number}", contents, rows)
