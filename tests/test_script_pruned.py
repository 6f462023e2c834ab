"""The stand-alone script and the library judge prunings alike: the same findings of every world, lawful or not."""

from __future__ import annotations

import contextlib
import io
import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import event, given, settings
from hypothesis import strategies as st

from flips import VERIFIER
from forging import changed, copy, events_of, forge, memory, patch
from retained import policy as retained_policy
from retention_samples import policies
from retention_worlds import Years
from script_log import (
    JUDGED,
    NOW,
    VECTORS,
    Found,
    ScriptLog,
    alike,
    altered,
    by_library,
    gathered,
    judged,
    lists,
    script,
    tuples,
)
from tracechain.bundle.check import check_whole
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import (
    NoteSigner,
    add_signature,
    cosign,
    format_vkey,
)
from tracechain.encoding import pack, unpack_strict
from tracechain.entry import SALT_SIZE, EntryType, decode_rows, encode_rows
from tracechain.errors import TracechainError
from tracechain.ledger import Ledger
from tracechain.replay import MemoryView
from tracechain.retention.bounds import After, Anchor, Permanent
from tracechain.retention.dates import MS_PER_DAY, Term, shanghai_day
from tracechain.retention.plan import plan
from tracechain.retention.policy import Policy, Regime, Rule, Selector
from tracechain.testing import Clock, Keys, new_ledger
from tracechain.testing.samples import commission, observe, pack_ids, ship
from tracechain.testing.tamper import PRUNINGS, duplicate, edit, resign
from tracechain.testing.tamper import read as read_log
from tracechain.testing.tamper.by_hand import CLASS, WAIT_DAYS, ByHand, Sample, hold, policy, pruned_ledger
from tracechain.verification import Code, verify


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pruned") / "ledger"
    pruned_ledger(path)
    return path


@pytest.fixture
def victim(original: Path, tmp_path: Path) -> Path:
    return duplicate(original, tmp_path / "ledger")


@contextlib.contextmanager
def hand(path: Path) -> Iterator[ByHand]:
    """Add to a closed ledger by hand, and sign it."""
    with edit(path) as log:
        yield ByHand(log)
    resign(path, Keys().log)


# ---- prunings ----------------------------------------------------------------------------------------


def test_a_pruning_by_the_rules_is_lawful_and_told(original: Path) -> None:
    assert alike(original) == set()
    with Ledger.open(original) as ledger, ledger.snapshot() as view:
        result, _ = judged(view)
    assert (result["contents"], result["rows"]) == (15, 6)
    first, second = result["prunings"]
    assert (first["name"], first["lawful"], second["lawful"]) == ("first", True, True)
    assert first["contents"] + second["contents"] == 15
    assert first["intent_ms"] < first["done_ms"]
    assert json.loads(json.dumps(result["prunings"])) == result["prunings"]
    assert "15 contents and 6 rows were pruned" in result["notes"][0][0]


@pytest.mark.parametrize("name", PRUNINGS)
def test_every_tampering_is_found_alike(original: Path, tmp_path: Path, name: str) -> None:
    one = PRUNINGS[name]
    for power in one.codes:
        victim = duplicate(original, tmp_path / power.name / "ledger")
        one(victim, power)
        alike(victim)


@pytest.mark.parametrize("path", sorted(VECTORS.glob("pruned-*.json")), ids=lambda path: path.stem)
def test_vectors_are_judged_alike(path: Path) -> None:
    case = json.loads(path.read_text("utf-8"))
    headers, contents, rows = (
        {index: bytes.fromhex(one[name]) for index, one in enumerate(case["entries"]) if one[name] is not None}
        for name in ("header", "content", "rows")
    )
    view = MemoryView(headers, contents, rows, case["checkpoint"], len(case["entries"]), None)
    report = verify(view, verifier=VERIFIER, now=case["now"])
    _, found = judged(view, now=case["now"])
    assert found == by_library(report, view)
    if case.get("finding") in JUDGED:
        assert case["finding"] in {code for code, _ in found}


def test_there_are_vectors_of_every_finding() -> None:
    findings = {json.loads(path.read_text("utf-8")).get("finding") for path in VECTORS.glob("pruned-*.json")}
    assert set(map(str, JUDGED)) <= findings


def demanding(bound: Any, *, classes: tuple[int, ...] = (), wait_days: int = 1) -> Policy:
    rule = Rule("mine", "mine", Selector(record_classes=classes), keep_until=bound)
    return Policy("mine", (Regime("mine", "what I demand", (rule,)),), wait_days=wait_days)


@pytest.mark.parametrize(
    "demanded",
    [
        demanding(After(Anchor.RECEIPT, Term(years=1))),
        demanding(After(Anchor.RECEIPT, Term(years=2))),
        demanding(After(Anchor.EXPIRY, Term(years=1), Term(years=10))),
        demanding(Permanent()),
        demanding(Permanent(), classes=(CLASS,)),
        demanding(Permanent(), classes=(5,)),
        demanding(After(Anchor.RECEIPT, Term()), wait_days=WAIT_DAYS),
        demanding(After(Anchor.RECEIPT, Term()), wait_days=WAIT_DAYS + 1),
        demanding(After(Anchor.RECEIPT, Term()), wait_days=100),
    ],
)
def test_what_a_verifier_demands_is_asked_alike(original: Path, demanded: Policy) -> None:
    alike(original, demanded)


@pytest.mark.parametrize("now", [0, 1_832_947_200_000 - 1, NOW])
def test_what_came_in_after_the_verifiers_own_time_is_found_alike(original: Path, now: int) -> None:
    assert {code for code, _ in alike(original, now=now)} == (set() if now == NOW else {"TIME_AHEAD"})


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_whatever_is_dropped_beyond_it_is_found_alike(original: Path, data: st.DataObject) -> None:
    view = memory(original)
    parts = {"content": view.raw_contents, "rows": view.raw_rows}
    for _ in range(data.draw(st.integers(1, 4))):
        kept = data.draw(st.sampled_from(sorted(parts)), label="part")
        del parts[kept][data.draw(st.sampled_from([i for i in parts[kept] if i in events_of(view)]), label="entry")]
    _, found = judged(view)
    assert found == by_library(verify(view), view)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_bodies_of_prunings_and_policies_are_read_alike(original: Path, data: st.DataObject) -> None:
    """Whatever an operator writes into one record, and signs."""
    view = copy(memory(original))
    kinds = (b"prune-intent", b"prune-done", b"retention", b"hold")
    some = [i for i, part in view.raw_contents.items() if part[SALT_SIZE + 2 : SALT_SIZE + 14].startswith(kinds)]
    index = data.draw(st.sampled_from(some), label="entry")
    value = data.draw(altered(lists(unpack_strict(view.raw_contents[index][SALT_SIZE:]))), label="value")
    try:
        content = pack(tuples(value))
    except TracechainError:
        return
    view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + content
    forge(view)
    report = verify(view)
    _, found = judged(view)
    event(", ".join(sorted({str(code) for code, _ in found})) or "nothing")
    assert found == by_library(report, view), report.findings


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_which_policy_events_name_is_judged_alike(original: Path, data: st.DataObject) -> None:
    view = copy(memory(original))
    log = ScriptLog(view)
    noted = gathered(log)
    retained = [index for index, _, kind in noted.records if kind == "retention"]
    for statement, _ in noted.policies_named:
        if data.draw(st.integers(0, 3)) == 0:
            policy_at = data.draw(st.sampled_from([*retained, (1 << 64) - 1, 0, statement, 7]))
            for index in events_of(view):
                if statement < index <= statement + 200 and _covered(view, statement, index):
                    view.raw_headers[index] = patch(view.raw_headers[index], 56, policy_at.to_bytes(8, "big"))
    forge(view)
    found = Found()
    script.check_policies(log, gathered(log), found)
    report = verify(view)
    wanted = {f.index for f in report.findings if f.code is Code.KEEP_UNTIL and view.raw_headers[f.index or 0][4] == 2}
    assert {index for _, index in found.items} == wanted
    event("found" if wanted else "as it should be")


def _covered(view: MemoryView, statement: int, index: int) -> bool:
    return all(view.raw_headers[at][4] in (EntryType.EVENT, EntryType.RECORD) for at in range(statement + 1, index + 1))


# ---- any pruning at all ------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_pruning_is_judged_alike(original: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = duplicate(original, Path(folder) / "ledger")
        with edit(path) as log:
            by_hand, sample = ByHand(log), Sample.of(log)
            for number in range(data.draw(st.integers(1, 3), label="prunings")):
                _prune(by_hand, sample, data, number)
        resign(path, Keys().log)
        found = alike(path, data.draw(st.none() | policies(), label="demanded"))
        event(", ".join(sorted({str(code) for code, _ in found})) or "lawful")
        shutil.rmtree(path)


def _prune(by_hand: ByHand, sample: Sample, data: st.DataObject, number: int) -> None:
    """Some pruning, rather lawful than not."""
    rare = st.sampled_from([False] * 6 + [True])
    due = (*sample.seen[2:], *((*sample.held, sample.open, *sample.young) if data.draw(rare, label="any") else ()))
    gone = [index for index in due if by_hand.log.contents[index] is not None]
    contents = data.draw(st.lists(st.sampled_from(gone), unique=True, max_size=3) if gone else st.just([]))
    older = [index for index in (*sample.gone[6:], *sample.seen) if by_hand.log.rows[index] is not None]
    rows = data.draw(st.lists(st.sampled_from(older), unique=True, max_size=3)) if data.draw(rare) else []
    if number == 0 and data.draw(st.booleans(), label="shipped"):
        rows = [sample.shipped]
    if data.draw(rare, label="years"):
        by_hand.clock(730 * MS_PER_DAY)
    if data.draw(rare, label="policy"):
        by_hand.batch([evolve(data.draw(policies()), wait_days=data.draw(st.integers(1, 3))).record()])
        by_hand.days(data.draw(st.integers(2, 4)))
    days = data.draw(st.sampled_from([WAIT_DAYS] * 5 + [WAIT_DAYS - 1]))
    changes: dict[str, Any] = {}
    if data.draw(rare, label="otherwise"):
        changes = data.draw(
            st.sampled_from(
                [{"wait_days": 1}, {"as_of": 99_999}, {"policy": 3}, {"size": 1 << 39}, {"digest": bytes(32)}]
            )
        )
    index = by_hand.announce(f"more-{number}", contents, rows, **changes)
    if data.draw(rare, label="hold"):
        by_hand.batch([hold(f"H-{number + 2}", [by_hand.log.row_list(sample.seen[3])[1][0].subject]).record()])
    by_hand.days(days)
    by_hand.done(index, f"more-{number}", contents, rows)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_prunings_in_worlds_over_years_are_judged_alike(data: st.DataObject) -> None:
    """Packs with expiry dates, containers, products, holds, recalls and cases: and somebody prunes what he likes."""
    rng = random.Random(data.draw(st.integers(0, 1 << 32), label="seed"))
    demand = data.draw(st.none() | policies(), label="demanded")
    with tempfile.TemporaryDirectory() as folder:
        years = Years(Path(folder), pilot=data.draw(st.booleans(), label="pilot"))
        years.ledger.retain(evolve(data.draw(policies(), label="policy"), wait_days=1))
        for number in range(18):
            years.act(rng)
            if number % 3 == 0:
                years.say(rng)
        years.later(data.draw(st.sampled_from([1, 900, 3000]), label="days"))
        path = years.world.path
        years.world.close()
        with hand(path) as by_hand:
            log = by_hand.log
            for name in ("first", "second"):
                events = [i for i in range(len(log)) if log.header(i).type == EntryType.EVENT]
                kept = [i for i in events if log.contents[i] is not None]
                contents = sorted(rng.sample(kept, rng.randint(0, len(kept))))
                gone = [i for i in events if log.contents[i] is None and log.rows[i] is not None]
                rows = sorted(rng.sample(gone, rng.randint(0, len(gone)))) if rng.random() < 0.5 else []
                announced = by_hand.announce(name, contents, rows)
                by_hand.days(WAIT_DAYS)
                by_hand.done(announced, name, contents, rows)
        found = alike(path, demand)
        event(", ".join(sorted({str(code) for code, _ in found})) or "lawful")


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1 << 32), pilot=st.booleans())
def test_what_a_ledger_prunes_by_itself_is_lawful(seed: int, pilot: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        years = Years(Path(folder), pilot=pilot)
        rng, ledger, clock = random.Random(seed), years.ledger, years.world.clock
        ledger.retain(retained_policy(wait=1))
        years.later(2)
        for number in range(16):
            years.act(rng)
            if number % 4 == 0:
                years.say(rng)
        went = 0
        for name in ("first", "second"):
            years.later(900)
            with ledger.snapshot() as view:
                due = plan(view, as_of=shanghai_day(clock.now))
            if due.content_count + due.row_count:
                ledger.announce(due, name=name, reason="due")
                years.later(2)
                went += ledger.prune(name).content_count
        years.world.close()
        assert alike(years.world.path, now=None) == set()
        event("something went" if went else "nothing went")


@pytest.mark.parametrize(
    ("how", "codes"),
    [
        ({"days": WAIT_DAYS}, set()),
        ({"days": WAIT_DAYS - 1}, {"PRUNE_WAIT"}),
        ({"days": 9, "whose": "stranger"}, {"PRUNE_WAIT"}),
        ({"days": 9, "notes": 1}, {"PRUNE_WAIT"}),
        ({"days": 9, "first_late": True}, {"PRUNE_WAIT"}),
        ({"days": -9}, {"PRUNE_WAIT"}),
        ({"days": WAIT_DAYS, "other": "right"}, set()),
        ({"days": WAIT_DAYS, "other": "false"}, {"PRUNE_WAIT"}),
    ],
)
def test_witnesses_of_the_waiting_are_asked_alike(victim: Path, how: dict[str, Any], codes: set[str]) -> None:
    assert {code for code, _ in witnessed(victim, **how)} == codes


def witnessed(
    path: Path, *, days: int, whose: str = "witness", first_late: bool = False, notes: int = 2, other: str = ""
) -> set[Any]:
    """Prune with a policy that names two witnesses, one of whom is enough. One saw the log twice, `days` apart; the
    `other`, if it signed as well, may have signed something else."""
    witness, second = (NoteSigner("witness.example", Keys().named(name)) for name in ("witness", "second"))
    with hand(path) as by_hand:
        vkeys = tuple(sorted(format_vkey(one.cosigner) for one in (witness, second)))
        named = evolve(policy("watched"), witnesses=vkeys, quorum=1)
        by_hand.batch([named.record()])
        by_hand.days(WAIT_DAYS)
    gone = Sample.of(read_log(path)).seen[2:3]
    early = _note(path)
    with hand(path) as by_hand:
        announced = by_hand.announce("third", gone)
    some = [early if first_late else _note(path)]
    with hand(path) as by_hand:
        by_hand.days(1)
    some.append(_note(path))
    signer = Keys().named(whose)
    signed = [
        add_signature(note, cosign(note, "witness.example", signer, 1_800_000_000 + at * 86_400)).encode()
        for note, at in zip(some, (0, days), strict=True)
    ]
    if other:
        about = some[0] if other == "right" else early
        line = cosign(about, "witness.example", second.signer, 1_800_000_000)
        signed[0] = add_signature(signed[0].decode(), line).encode()
    with hand(path) as by_hand:
        by_hand.done(announced, "third", gone, witnessed=tuple(signed[:notes]))
    return alike(path)


def _note(path: Path) -> str:
    with Ledger.open(path) as ledger:
        return ledger.checkpoint()


# ---- whole bundles -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    """Batches that are long enough for the quick way: most of it lost its contents, a part of that its rows."""
    path = tmp_path_factory.mktemp("large") / "ledger"
    clock, ids = Clock(), pack_ids(24)
    with new_ledger(path, clock=clock) as ledger:
        ledger.append([policy().record()])
        for number in range(6):
            clock.advance(MS_PER_DAY)
            one_by_one = [(observe if number else commission)((one,)) for one in ids]
            events = [*one_by_one[:20], ship(ids[20:]), *one_by_one[20:]] if number else one_by_one
            ledger.append(events, record_class=CLASS)
        clock.set(1_832_947_200_000)
        ledger.accept_clock("closed")
    with hand(path) as by_hand:
        gone = [i for i in range(len(by_hand.log)) if by_hand.log.header(i).type == EntryType.EVENT]
        by_hand.prune("contents", gone[:100])
        by_hand.prune("rows", (), gone[:24])
    return memory(path)


def of_bundle(path: Path) -> tuple[list[Any], list[Any]]:
    """All findings of a whole bundle, by the script and by the library."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        script.main([str(path), "--json", "--quiet", "--key", format_vkey(VERIFIER)])
    result = json.loads(output.getvalue())
    report = check_whole(path, verifier=VERIFIER)
    assert report.log is not None
    counts = report.log.pruned_contents, report.log.pruned_rows
    assert report.findings or counts == (result["counts"]["contents_pruned"], result["counts"]["rows_pruned"])
    found = [(one["code"], one["index"], one["subject"]) for one in result["findings"]]
    return found, [(str(one.code), one.index, one.subject) for one in report.findings]


@pytest.mark.parametrize("parts", [1, 8])
def test_most_of_a_pruned_log_goes_the_quick_way(large: MemoryView, tmp_path: Path, parts: int) -> None:
    taken: list[int] = []
    inner = script.Pass._faded

    def counting(self: Any, *arguments: Any) -> int:
        taken.append(inner(self, *arguments))
        return taken[-1]

    export_whole(large, tmp_path / "bundle", exported_ms=NOW)
    with changed(script.Pass, _faded=counting), changed(script, PART_SUBJECTS=30 // parts):
        assert of_bundle(tmp_path / "bundle") == ([], [])
    assert sum(taken) > 60


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_is_done_to_a_pruned_log_is_found_alike(large: MemoryView, data: st.DataObject) -> None:
    """Any bytes, any cell of a row, any part: and an operator with all keys makes everything fit."""
    view = copy(large)
    gone = [i for i in events_of(view) if i not in view.raw_contents]
    match data.draw(st.sampled_from(["bytes", "bytes", "row", "drop"]), label="how"):
        case "bytes":
            parts = data.draw(st.sampled_from([view.raw_headers, view.raw_rows, view.raw_contents]), label="parts")
            index = data.draw(st.sampled_from([i for i in (*gone, *events_of(view)) if i in parts]), label="entry")
            at = data.draw(st.integers(0 if parts is view.raw_headers else SALT_SIZE, len(parts[index]) - 1))
            parts[index] = patch(parts[index], at, bytes([data.draw(st.integers(0, 255))]))
        case "row":
            index = data.draw(st.sampled_from([i for i in gone if i in view.raw_rows]), label="entry")
            rule_set, rows = decode_rows(view.raw_rows[index][SALT_SIZE:])
            before = rows[0].previous
            row = evolve(
                rows[0],
                act=data.draw(st.sampled_from([rows[0].act, 0, 1, 2, 3, 300]), label="act"),
                state=data.draw(st.sampled_from([rows[0].state, 0, 1, 2, 7]), label="state"),
                violations=data.draw(st.sampled_from([(), (1,), (40,)]), label="codes"),
                previous=data.draw(st.sampled_from([before, before, None, index - 1, (before or 1) - 1]), label="link"),
            )
            stored = encode_rows(data.draw(st.sampled_from([rule_set, 2, 3])), [row, *rows[1:]])
            view.raw_rows[index] = view.raw_rows[index][:SALT_SIZE] + stored
        case _:
            parts = data.draw(st.sampled_from([view.raw_rows, view.raw_contents]), label="parts")
            del parts[data.draw(st.sampled_from([i for i in events_of(view) if i in parts]), label="entry")]
    forge(view)
    with tempfile.TemporaryDirectory() as folder:
        export_whole(view, Path(folder) / "bundle", exported_ms=NOW)
        with changed(script, PART_SUBJECTS=data.draw(st.sampled_from([500_000, 3]), label="subjects at once")):
            found, wanted = of_bundle(Path(folder) / "bundle")
    event(wanted[0][0] if wanted else "clean")
    assert found == wanted
