"""The demo: a day that repeats itself, and a play in which everything goes as it should, or says that it did not."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from demo_files import all_files, read
from tracechain import identifiers, verify_bundle
from tracechain.checkpoint import parse_vkey
from tracechain.cli import main
from tracechain.cli.clock import telling
from tracechain.cli.demo.acts import PHASES, play
from tracechain.cli.demo.attacks import ATTACKS, attack
from tracechain.cli.demo.cheats import CHEATS, cheat
from tracechain.cli.demo.folder import MARKER, Folder, real_documents
from tracechain.cli.demo.forgeries import FORGERIES, forge
from tracechain.cli.demo.inspection import ABSENT, MORNING, SIGNING, examine
from tracechain.cli.demo.later import search, searched
from tracechain.cli.demo.night import expected
from tracechain.cli.demo.recall import follow_recall, hints
from tracechain.cli.demo.screen import Screen
from tracechain.cli.demo.stage import Outcome, Stage
from tracechain.custody import PILOT, Violation, is_pack
from tracechain.demo import PRODUCTS, Day, make_day, make_registry
from tracechain.entry import OPEN_DAY, SALT_SIZE, EntryType, decode_rows, parse_header
from tracechain.ledger.auditing import open_snapshot, verify_ledger
from tracechain.recall import GROUPS
from tracechain.replay import replay
from tracechain.rules import shanghai_day
from tracechain.testing.tamper import duplicate

SMALL = 0.02

Played = tuple[Folder, Outcome]


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day(SMALL)


# ---- the day -----------------------------------------------------------------------------------


def test_the_day_repeats_itself_byte_for_byte(day: Day) -> None:
    again = make_day(SMALL)
    assert [(f.name, f.data) for f in all_files(again)] == [(f.name, f.data) for f in all_files(day)]
    assert again == day
    assert make_day(SMALL, seed="another").files[0].data != day.files[0].data


@pytest.fixture(scope="module")
def full() -> Day:
    return make_day(1.0)


def test_the_figures_in_the_documentation_are_those_of_the_day(full: Day) -> None:
    lines = (Path(__file__).resolve().parents[1] / "docs" / "demo.md").read_text("utf-8").splitlines()
    for name, steps, _ in PHASES:
        counts = [full.steps[step] for step in steps]
        figures = [sum(c.events for c in counts), sum(c.scans for c in counts), sum(c.single for c in counts)]
        told = next(line for line in lines if line.startswith(f"{name} "))
        assert re.findall(r"(?<= )[0-9][0-9,]*", told) == [f"{figure:,}" for figure in figures if figure], name
    told = next(line for line in lines if line.startswith("all "))
    assert told.split()[1:] == [f"{full.events:,}", f"{full.scans:,}", f"{full.single:,}"]
    assert any(full.story.traced_code in line for line in lines)


def test_every_step_of_the_day_is_told_once(full: Day) -> None:
    steps = [step for _, steps, _ in PHASES for step in steps]
    assert sorted(steps) == sorted(full.steps)


def test_the_table_of_violations_in_the_documentation_is_that_of_the_day(full: Day) -> None:
    text = (Path(__file__).resolve().parents[1] / "docs" / "demo.md").read_text("utf-8")
    text = text.partition("\nviolation ")[2].partition("```")[0]
    counts = Counter(code.name for breach in full.breaches for code in breach.codes)
    told = {name: int(count) for name, count in re.findall(r"^([A-Z_]+) +([0-9]+)  ", text, re.MULTILINE)}
    assert told.keys() == {code.name for code in Violation}
    # The examples of GS1 name codes after their end, in rules that are older than those of the pilot.
    assert told == counts | {"DEAD_PACK": told["DEAD_PACK"]}
    assert told["DEAD_PACK"] >= counts["DEAD_PACK"]


def test_what_the_readme_shows_of_the_demo_is_what_the_day_comes_to(full: Day) -> None:
    """Its figures and codes, as far as the day decides them: numbers of entries are those of a run with ../shared."""
    text = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
    shown = text.partition("$ make demo\n")[2].partition("```")[0]
    recall, counts = full.recall, Counter(code.name for breach in full.breaches for code in breach.codes)
    lines = [re.sub(" +", " ", line.strip()) for line in shown.splitlines()]
    for group, count in recall.groups.items():
        assert (f"{group} {count:,} {GROUPS[group]}" in lines) == bool(count), group
    for name, count in recall.end.items():
        assert any(line == f"{name} {count:,}" or line.startswith(f"{name} {count:,} ") for line in lines), name
    share = 100 - 100 * recall.end["outstanding"] / recall.end["affected"]
    assert f"effectiveness {int(10 * share) / 10:.1f} % what is not outstanding" in lines  # rounded down
    assert f"{full.lots} lots, {full.packs:,} packs, each" in shown
    assert f"--gtin {recall.product[3:]} --lot {recall.lot}\n" in shown
    assert f"{sum(recall.groups.values()):,} packs affected;" in shown
    assert f"check demo/ledger '{recall.next_sale}' --event sell" in shown
    assert f"recall progress demo/ledger {recall.id} --html" in shown
    assert f"trace demo/ledger '{full.story.traced_code}' --key" in shown
    told = f"{len(full.breaches)} times a pack broke just what the story says; {full.events:,} events, and nothing else"
    assert told in shown
    violations, rules = re.findall("([0-9]+) violations of ([0-9]+) rules", shown)[0]
    assert int(rules) == len(Violation)
    assert int(violations) >= counts.total()


def test_the_full_day_has_over_200_000_unit_events_and_60_000_of_a_single_pack(full: Day) -> None:
    assert full.scans >= 200_000
    assert full.single >= 60_000
    assert full.packs == 40_120
    assert full.lots == 20


def test_files_hold_what_they_are_said_to_hold(day: Day) -> None:
    names = [file.name for file in all_files(day)]
    assert len(set(names)) == len(names)
    total = 0
    for file in all_files(day):
        events = read(file)
        packs = sum(one.startswith("01/") for event in events for one in event.epcs)
        assert (len(events), packs) == (file.events, file.scans), file.name
        total += len(events)
    assert total == day.events


def test_codes_are_from_the_range_for_examples_and_their_check_digits_are_right(day: Day) -> None:
    assert len({product.gtin for product in PRODUCTS}) == len(PRODUCTS) == 8
    for product in PRODUCTS:
        assert product.gtin.startswith("0952")
        assert identifiers.is_gtin(product.gtin)
    for file in all_files(day):
        for event in read(file):
            for one in event.epcs:
                assert identifiers.canonical(one) == one
                key, number, *serial = one.split("/")
                assert number.startswith(("0952", "952")), one
                assert key in ("00", "01"), one
                assert key == "00" or 10 <= len(serial[1]) <= 12, one


# ---- the play ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    path = tmp_path_factory.mktemp("demo") / "demo"
    return Folder(path), play(path, Screen(silent=True), scale=SMALL, processes=1)


def test_everything_goes_as_it_should(played: Played, day: Day) -> None:
    _, outcome = played
    assert [check for check in outcome.checks if not check.good] == []
    assert outcome.good
    assert outcome.figures["unit_events"] == day.scans
    assert outcome.figures["single_unit_events"] == day.single


def test_every_rule_is_broken_and_printed_with_its_count(played: Played, day: Day) -> None:
    _, outcome = played
    counts = Counter(code.name for breach in day.breaches for code in breach.codes)
    assert set(outcome.violations) == {code.name for code in Violation}
    assert {name: count for name, count in outcome.violations.items() if name != "DEAD_PACK"} == {
        name: count for name, count in counts.items() if name != "DEAD_PACK"
    }
    assert outcome.figures["violations"] == sum(outcome.violations.values())


def test_each_breach_stands_with_its_pack_and_a_replay_comes_to_the_same(played: Played, day: Day) -> None:
    folder, _ = played
    found: Counter[tuple[str, tuple[str, ...]]] = Counter()
    with open_snapshot(folder.ledger) as view:
        for _, part in view.all_rows(0, view.size):
            rule_set, rows = decode_rows(part[SALT_SIZE:])
            found.update(
                (row.subject, tuple(sorted(Violation(code).name for code in row.violations)))
                for row in rows
                if row.violations and rule_set == PILOT
            )
        state = replay(view)
        assert dict(view.units()) == state.units
        packs = [subject for subject in state.units if is_pack(subject)]
        assert len(packs) > day.packs
        assert all(view.memory(pack) == state.memory(pack) for pack in packs)
    assert found == expected(day)


def test_the_recall_comes_out_as_the_day_has_it_and_its_page_is_there(played: Played, day: Day) -> None:
    folder, outcome = played
    end = day.recall.end
    assert outcome.recall == end | {"effectiveness": 1 - end["outstanding"] / end["affected"]}
    page = folder.recall.read_text("utf-8")
    assert day.recall.lot in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_a_recall_that_comes_to_something_else_makes_the_demo_fail(played: Played, day: Day) -> None:
    folder, _ = played
    stage = Stage(folder, Screen(silent=True))
    follow_recall(stage, day)
    assert stage.outcome.good
    other = day.recall.end | {"returned": day.recall.end["returned"] + 1, "locked": day.recall.end["locked"] - 1}
    follow_recall(stage, evolve(day, recall=evolve(day.recall, end=other)))
    assert [check.name for check in stage.outcome.checks if not check.good] == ["progress"]


def test_every_kind_of_alert_is_there_and_the_doubled_pack_is_the_only_one(played: Played) -> None:
    _, outcome = played
    assert {"EXPIRED", "NEAR_EXPIRY", "TEMPERATURE", "MERCHANT_TO_STOP", "UNKNOWN_CODE", "DELIVERY_OVERDUE",
            "OVERDUE", "LATE_RECORDING"} <= set(outcome.alerts)  # fmt: skip
    assert outcome.alerts["IMPOSSIBLE_MOVEMENT"] == outcome.alerts["SOLD_TWICE"] == 1


def test_the_ledger_goes_by_the_clock_of_the_story(played: Played, day: Day) -> None:
    folder, _ = played
    with open_snapshot(folder.ledger) as view:
        headers = [parse_header(header) for _, header in view.headers(0, view.size)]
    assert not any(header.clamped for header in headers)
    assert {str(shanghai_day(header.time * 1_000_000)) for header in headers} == {
        "2026-11-06", "2026-11-19", "2026-11-20", "2026-11-21",
    }  # fmt: skip
    told = [header for header in headers if header.time != MORNING // 1_000_000]
    assert told[-1].time == max(file.received for file in day.files) // 1_000_000
    assert len(headers) == len(told) + 2  # the seal of the morning after, and its statement


@pytest.mark.parametrize(("year", "clamped"), [(0, False), (2025, True), (2049, False)])
def test_one_goes_on_with_it_by_any_clock(played: Played, tmp_path: Path, day: Day, year: int, clamped: bool) -> None:
    """By the real clock, by one that stands before the story, by one that is decades later."""
    folder, _ = played
    copy = duplicate(folder.ledger, tmp_path / "ledger")
    (scans := tmp_path / "later.csv").write_text(
        f"event,time,code\nstocktake,2026-11-21T09:00:00+08:00,{day.story.traced_code}\n"
    )
    words = ["ingest", str(copy), str(scans), "--keys", str(folder.keys), "--passphrase-file", str(folder.passphrase)]
    if year:
        with telling(lambda: int(datetime(year, 5, 1, tzinfo=UTC).timestamp() * 1000)):
            assert main(words) == 0
    else:
        assert main(words) == 0
    with open_snapshot(copy) as view:
        last = parse_header(view.header(view.size - 1) or b"")
    assert last.clamped is (clamped or (year == 0 and datetime.now(UTC) < datetime(2026, 11, 20, 16, tzinfo=UTC)))


def test_each_tampering_is_found_by_its_code(played: Played) -> None:
    _, outcome = played
    assert [(one["name"], one["expected"], one["found"]) for one in outcome.tamperings] == [
        ("later-expiry", "CONTENT_COMMITMENT", True),
        ("deleted", "ENTRY_MISSING", True),
        ("backup-again", "ROLLBACK", True),
        ("insider", "STATEMENT_ROOT", True),
        ("pardon", "ROW_VIOLATIONS", True),
        ("vanished", "CONTENT_MISSING", True),
        ("kept-aside", "PRUNE_KEPT", True),
        ("under-hold", "PRUNE_HELD", True),
        ("too-soon", "PRUNE_WAIT", True),
        ("other-policy", "PRUNE_POLICY", True),
        ("altered", "CONTENT_COMMITMENT", True),
        ("left-out", "CHAIN_INCOMPLETE", True),
        ("earlier", "PROOF", True),
        ("never-there", "ABSENCE", True),
        ("forked", "FORK", True),
    ]


def test_it_leaves_ledger_key_and_scans(played: Played, day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = played
    assert folder.vkey.read_text("utf-8").count("\n") == 1
    left = {path.name: path.read_bytes() for path in folder.scans.iterdir() if path.is_file()}
    for file in all_files(day):
        assert left[file.name] == file.data
    registered = {path.name: path.read_bytes() for path in folder.registers.iterdir()}
    assert registered == {file.name: file.data for file in make_registry(day).files}
    assert main(["verify", str(folder.ledger), "--key", str(folder.vkey), "--rules", "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["good"], verdict["rules"]) == (True, "judged_again")


@pytest.mark.parametrize("name", ["ledger", "ledger-later"])
@pytest.mark.parametrize("script", ["standalone_root.py", "standalone_check.py"])
def test_a_strangers_script_recomputes_the_ledger_from_the_format_alone(played: Played, script: str, name: str) -> None:
    folder, _ = played
    vkey = folder.vkey.read_text("utf-8").strip()
    command = [sys.executable, "-I", str(Path(__file__).with_name(script)), str(folder.path / name)]
    told = subprocess.run([*command, vkey], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout.split()[-1]) == (0, "OK")
    altered = vkey[:-6] + ("A" if vkey[-6] != "A" else "B") + vkey[-5:]
    assert subprocess.run([*command, altered], capture_output=True, check=False).returncode != 0


def test_the_shortest_of_them_is_under_a_hundred_lines() -> None:
    script = Path(__file__).with_name("standalone_root.py").read_text("utf-8")
    assert script.count("\n") < 100
    assert "import tracechain" not in script


def test_what_was_ingested_is_there_already(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    """Proof that the files in scans/ are what the ledger holds: none of them is new to it."""
    folder, _ = played
    files = sorted(
        str(path) for path in folder.scans.rglob("*") if path.is_file() and not re.search("courier|witness", path.name)
    )
    keys = ["--keys", str(folder.keys), "--passphrase-file", str(folder.passphrase)]
    assert main(["ingest", str(folder.ledger), *files, *keys, "--json"]) == 0
    assert {one["status"] for one in json.loads(capsys.readouterr().out)["files"]} == {"already_ingested"}


# ---- eight years later ---------------------------------------------------------------------------


def test_what_was_erased_was_in_the_ledger_and_is_in_no_file_of_the_later_one(played: Played, day: Day) -> None:
    folder, _ = played
    erased = folder.erased.read_text("utf-8").splitlines()
    known = [value for buyer in day.buyers for value in buyer.known]
    assert erased
    assert set(erased) < set(known)
    assert any(value.startswith("+86") for value in erased)
    assert all(searched(folder.ledger, known).values())
    assert {value for value, places in searched(folder.later, known).items() if not places} == set(erased)
    assert not {value for buyer in day.buyers[1:3] for value in buyer.known} & set(erased)


def test_the_later_ledger_verifies_pruned_and_has_the_same_states_from_nothing(played: Played) -> None:
    folder, outcome = played
    report = verify_ledger(folder.later, verifier=parse_vkey(folder.vkey.read_text("utf-8").strip()), anchor=None)
    assert report.findings == ()
    assert report.pruned_contents == outcome.figures["pruned_contents"] > 1000
    assert outcome.figures["bytes_after"] < outcome.figures["bytes_before"]
    assert verify_ledger(folder.later, anchor=folder.later_anchor).findings == ()
    with open_snapshot(folder.later) as view:
        assert dict(view.units()) == replay(view).units


def test_the_ledger_of_the_day_keeps_everything(played: Played, day: Day) -> None:
    folder, _ = played
    with open_snapshot(folder.ledger) as view:
        events = [index for index, header in view.headers(0, view.size) if header[4] == EntryType.EVENT]
        assert all(view.content(index) is not None for index in events)
        keeping = [parse_header(header).keep_until for _, header in view.headers(0, view.size)]
    assert {day for day in keeping if day != OPEN_DAY}
    assert not folder.buyers.exists()


def test_a_value_that_is_left_makes_the_demo_fail(played: Played, day: Day) -> None:
    folder, _ = played
    erased = folder.erased.read_text("utf-8").splitlines()
    for left, good in (((), True), (erased[:1], False)):
        stray = folder.later / "forgotten.log"
        stray.write_text(f"called {' '.join(left)}", "utf-8")
        stage = Stage(folder, Screen(silent=True))
        search(stage, day, erased, ())
        assert [check.good for check in stage.outcome.checks] == [good]
        stray.unlink()


def test_a_cheat_that_is_not_found_makes_the_demo_fail(played: Played, day: Day) -> None:
    folder, _ = played
    stage = Stage(folder, Screen(silent=True))
    folder.remove(folder.small)
    folder.remove(folder.small.with_name(f"{folder.small.name}.anchor"))
    cheat(stage, day, [evolve(CHEATS[0], code="FORK")])
    assert [check.name for check in stage.outcome.checks if not check.good] == ["cheating"]


# ---- the inspection ------------------------------------------------------------------------------


def _report(folder: Folder, bundle: str, *more: str) -> tuple[int, dict[str, Any]]:
    """What the script that the demo leaves says of a bundle that it leaves."""
    command = [sys.executable, "-I", str(folder.script), str(folder.bundle(bundle)), "--json", "--quiet"]
    done = subprocess.run([*command, *more], capture_output=True, encoding="utf-8", check=False)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("bundle", ["whole", "pack", "recall", "absent", "evening"])
def test_what_was_handed_out_is_clean_and_by_the_ledgers_key_alone_unwitnessed(played: Played, bundle: str) -> None:
    folder, _ = played
    key = ("--key", folder.vkey.read_text("utf-8").strip())
    code, said = _report(folder, bundle, *key)
    assert (code, said["verdict"], said["findings"]) == (0, "clean", [])
    assert _report(folder, bundle)[0] == 1  # whose it is was not checked
    code, said = _report(folder, bundle, *key, "--policy", str(folder.policy))
    # The bundle of the evening before was made before any witness had signed.
    assert (code == 0) is (bundle != "evening"), said["findings"]


def test_the_script_that_is_left_is_ours_and_so_is_the_one_beside_each_bundle(played: Played) -> None:
    folder, _ = played
    ours = Path(verify_bundle.__file__).read_bytes()
    assert folder.script.read_bytes() == ours
    assert (folder.bundle("whole") / "verify_bundle.py").read_bytes() == ours


def test_excerpts_are_signed_for_by_the_auditor_and_show_what_was_asked(played: Played, day: Day) -> None:
    folder, _ = played
    brought = (
        "--key",
        folder.vkey.read_text("utf-8").strip(),
        "--auditor",
        folder.auditor_vkey.read_text("utf-8").strip(),
    )
    code, pack = _report(folder, "pack", *brought, "--since", str(folder.kept))
    assert code == 0
    assert any(day.story.traced in json.dumps(one) for one in pack["timelines"])
    _, recall = _report(folder, "recall", *brought)
    assert recall["counts"]["histories"] >= sum(day.recall.end[name] for name in ("returned", "locked"))
    _, absent = _report(folder, "absent", *brought)
    assert absent["counts"]["absences"] == 1
    assert identifiers.canonical(ABSENT) in json.dumps(absent)


def test_the_day_lies_between_two_times_of_two_authorities(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = played
    witnesses = [word for name in SIGNING for word in ("--witness", str(folder.authority(name, "vkey")))]
    assert main(["verify", str(folder.ledger), "--key", str(folder.vkey), *witnesses, "--json"]) == 0
    witnessed = json.loads(capsys.readouterr().out)["witnesses"]
    before, after = witnessed["brackets"]
    assert before["after"] is None
    assert after["after"] == before["before"] < after["before"]
    assert witnessed["not_witnessed"] == 0


@pytest.mark.parametrize("name", ["whole", "pack", "recall", "absent"])
def test_each_page_is_there_and_needs_no_network(played: Played, name: str) -> None:
    folder, _ = played
    page = folder.page(name).read_text("utf-8")
    assert "VERIFIED, WITNESSED" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_a_forgery_that_is_not_found_or_not_first_makes_the_demo_fail(played: Played, day: Day) -> None:
    folder, _ = played
    folder.remove(folder.bundle("evening"))
    stage = Stage(folder, Screen(silent=True))
    stage.at(MORNING)
    forge(stage, day, [evolve(FORGERIES[0], code="WITNESS_QUORUM")])
    assert [check.name for check in stage.outcome.checks if not check.good] == ["forging"]
    assert [one["found"] for one in stage.outcome.tamperings] == [False, True]


def test_excerpts_that_cannot_be_written_make_the_demo_fail(played: Played, day: Day) -> None:
    folder, _ = played
    stage = Stage(folder, Screen(silent=True))
    examine(stage, day)  # they are there, and nothing is written over
    assert [check.name for check in stage.outcome.checks if not check.good] == ["excerpts"]


# ---- what goes wrong -----------------------------------------------------------------------------


def test_a_tampering_that_is_not_found_makes_the_demo_fail(played: Played, day: Day) -> None:
    folder, outcome = played
    stage = Stage(folder, Screen(silent=True))
    attack(stage, day, 1, [evolve(ATTACKS[2], code="FORK")])
    assert not stage.outcome.good
    assert [one["found"] for one in stage.outcome.tamperings] == [False]
    assert outcome.good


def test_a_pardon_that_plain_verify_would_find_makes_the_demo_fail(played: Played, day: Day) -> None:
    folder, _ = played
    stage = Stage(folder, Screen(silent=True))
    attack(stage, day, 1, [evolve(ATTACKS[3], quiet=True)])
    assert not stage.outcome.good


def test_a_demo_that_checked_nothing_is_not_good(tmp_path: Path) -> None:
    assert not Outcome(tmp_path).good


def test_the_summary_is_json(played: Played) -> None:
    _, outcome = played
    value = json.loads(json.dumps(outcome.summary()))
    assert value["good"] is True
    assert set(value["seconds"]) == {
        "day", "ledger", "registers", "ingest", "recall", "afternoon", "couriers", "returns", "progress", "trace",
        "rules", "violations", "check", "watch", "prove", "verify", "tamper", "later", "announce", "prune", "forget",
        "pruned", "cheat", "witness", "seal", "export", "script", "forge", "all",
    }  # fmt: skip


def test_the_play_tells_a_newcomer_what_happens(
    tmp_path: Path, day: Day, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shown in a narrow window: every command, every story and every violation by name, and no line too long."""
    monkeypatch.setenv("COLUMNS", "80")
    outcome = play(tmp_path / "demo", Screen(), scale=SMALL, processes=1)
    shown = capsys.readouterr().out
    assert outcome.good
    for command in ("init", "register", "ingest", "backup", "keys", "station", "submit", "trace", "violations",
                    "check", "alerts", "cases", "checkpoint", "prove", "verify", "where", "recall preview",
                    "recall open", "recall notify", "recall progress", "recall close", "retention", "hold add",
                    "hold list", "prune", "archive check", "subject add", "subject erase", "subject show",
                    "witness init", "witness request", "witness sign", "witness add", "seal make", "seal key",
                    "seal note", "replay", "export", "compare"):  # fmt: skip
        assert f"$ tracechain {command} " in shown
    assert "$ python -I " in shown
    assert "VERIFIED, WITNESSED" in shown
    assert "通过核验" in shown
    flat = " ".join(shown.split())
    for code in Violation:
        assert code.name in flat
    for number in range(1, 29):
        assert f"\n{number}  " in shown
    assert "NOT OK" not in shown
    traced = [line for line in shown.splitlines() if line.startswith("│")]
    assert traced
    assert max(map(len, traced)) <= 80
    assert re.search(r"^✓ 2026-11-20 09:\S+ \+08:00  payment  entry", shown, re.MULTILINE)


def test_what_one_can_go_on_with_works(played: Played, day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = played
    for line, _ in hints(day, str(folder.ledger)):
        assert main(shlex.split(line)[1:]) == 0, line
        assert capsys.readouterr().out


# ---- the folder --------------------------------------------------------------------------------


def test_a_folder_of_somebody_else_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "scans"
    theirs.mkdir()
    (theirs / "mine.csv").write_text("mine")
    assert main(["demo", "--dir", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert "was not made by the demo" in error
    assert "--dir" in error
    assert (theirs / "mine.csv").read_text() == "mine"
    assert not (tmp_path / MARKER).exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "demo"
    path.write_text("a file")
    assert main(["demo", "--dir", str(path)]) == 2
    assert "is a file" in capsys.readouterr().err
    assert path.read_text() == "a file"


def test_what_the_demo_made_before_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "demo")
    folder.prepare()
    (folder.scans / "old.csv").write_text("old")
    (folder.registers / "old.json").write_text("old")
    folder.ledger.mkdir()
    (folder.path / "notes.txt").write_text("kept")
    folder.prepare()
    assert sorted(path.name for path in folder.path.iterdir()) == [MARKER, "notes.txt", "registers", "scans"]
    assert list(folder.scans.iterdir()) == list(folder.registers.iterdir()) == []


def test_a_link_among_what_the_demo_made_is_removed_and_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("kept")
    folder = Folder(tmp_path / "demo")
    folder.prepare()
    folder.ledger.symlink_to(elsewhere)
    folder.prepare()
    assert not folder.ledger.exists()
    assert (elsewhere / "precious").read_text() == "kept"


def test_real_documents_are_the_valid_ones() -> None:
    if not (Path(__file__).resolve().parents[1] / ".." / "shared" / "epcis" / "manifest.json").is_file():
        pytest.skip("../shared/epcis is not here")
    documents = list(real_documents())
    assert sum(document.events for document in documents if not document.fault) >= 40
    assert not any("invalid" in document.name for document in documents)
    # Said to be valid, but it states eventID twice: which of the two was meant, nobody can say.
    assert [Path(d.name).name for d in documents if d.fault] == ["AssociationEvent-h.jsonld"]
