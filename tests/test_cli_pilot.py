"""check, violations, alerts and cases: questions to a ledger under the pilot's rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cli_home import DAY, HEADER, ORIGIN, Home, copy_home, serial
from cli_pilot_home import BROKEN, MARKET, TOKEN, ZONE, Here, make_pilot_home, names_of
from tracechain import pilot
from tracechain.cli.check import _COLUMNS
from tracechain.cli.moments import asked_day, end_of_day
from tracechain.cli.register import template
from tracechain.cli.watched import Watched
from tracechain.custody import Violation
from tracechain.errors import InputError
from tracechain.event import parse_time
from tracechain.event.vocabulary import ERROR_REASON
from tracechain.formats.scan_rows import EVENTS, SHARED
from tracechain.ledger import Ledger
from tracechain.rules import clause_of


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A ledger under the pilot's rules, made once."""
    return make_pilot_home(tmp_path_factory.mktemp("pilot") / "template")


@pytest.fixture
def home(template_home: Home, tmp_path: Path) -> Home:
    """A copy of it that the test may write to."""
    return Here(copy_home(template_home, tmp_path / "home").path)


# ---- check ---------------------------------------------------------------------------------------


def test_a_lawful_event_is_open_and_says_where_it_leads(template_home: Home) -> None:
    arguments = ("check", "ledger", serial(1), "--event", "deliver", "--from", "4179521234000037")
    told = template_home.good(*arguments, "--at", f"{DAY}T20:00:00+08:00").out
    assert "✓ (01)09521234001072(21)BJ00001: deliver is open to it" in told
    assert "sold, expires 2028-06-30 -> delivered, expires 2028-06-30" in told
    said = template_home.good(*arguments, "--json").json
    (subject,) = said["subjects"]
    assert (subject["before"]["custody"], subject["after"]["custody"]) == ("SOLD", "DELIVERED")
    assert (said["good"], said["rule_set"], subject["act"]) == (True, 2, "DISPENSE")


def test_what_would_break_a_rule_is_said_with_clause_words_and_the_entry_in_the_way(template_home: Home) -> None:
    done = template_home.run("check", "ledger", serial(1))
    assert done.code == 1
    assert "sell would break 1 rule" in done.out
    assert re.search(r"SECONDARY_SALE +S2; S1 V", done.out)
    assert clause_of(Violation.SECONDARY_SALE).words in done.out
    assert re.search(r"see entry \d+, received 2\d{3}-", done.out)
    said = template_home.run("check", "ledger", serial(1), "--json")
    (finding,) = said.json["subjects"][0]["violations"]
    assert finding["name"] == "SECONDARY_SALE"
    assert finding["entry"] is not None


def test_an_expired_pack_is_locked_by_the_day_that_is_asked_about(template_home: Home) -> None:
    order = ("check", "ledger", serial(3), "--event", "order", "--doc", "po:1", "--buyer", TOKEN, "--amount", "9")
    assert template_home.good(*order, "--at", "2028-06-30T23:59:59+08:00", "--json").json["good"] is True
    done = template_home.run(*order, "--at", "2028-07-01T00:00:00+08:00")
    assert (done.code, "EXPIRED_LOCK" in done.out, "expired 2028-06-30" in done.out) == (1, True, True)


def test_an_unknown_code_is_answered_with_the_nearest_known_ones(template_home: Home) -> None:
    done = template_home.run("check", "ledger", "010952123400107221BJO0003", "--event", "recall")
    assert done.code == 1
    assert "perhaps meant: (01)09521234001072(21)BJ00003" in done.out
    said = template_home.run("check", "ledger", "010952123400107221BJO0003", "--event", "recall", "--json").json
    assert said["subjects"][0]["violations"][0]["nearest"][0] == "01/09521234001072/21/BJ00003"


def test_a_check_says_what_ingest_then_records(tmp_path: Path) -> None:
    """Row by row, on a ledger where none of the market day has been recorded yet."""
    fresh = make_pilot_home(tmp_path / "fresh", market=False)
    rows = [line.split(",") for line in MARKET.splitlines()[1:]]
    for number, (event, time, code, _, place, *_) in enumerate(rows):
        asked = fresh.run(
            "check", "ledger", code, "--event", event, "--at", time, *(("--place", place) if place else ()), "--json"
        )
        fresh.write("row.csv", HEADER + MARKET.splitlines()[1 + number] + "\n")
        kept = fresh.good("ingest", "ledger", "row.csv", "--json").json["files"][0]["violations"]
        assert names_of(asked) == [one["name"] for one in kept]
        assert kept


def test_check_has_an_option_for_every_column(template_home: Home) -> None:
    assert set(_COLUMNS) == set(SHARED) - {"event"}
    said = template_home.good("check", "--help").out
    assert all(f"--{name.replace('_', '-')} " in said for name in _COLUMNS)


_NEEDS: dict[str, tuple[str, ...]] = {
    "pack": ("--parent", "095212340000000013"), "unpack": ("--parent", "095212340000000013"),
    "attach_logger": ("--parent", "urn:example:logger"), "detach_logger": ("--parent", "urn:example:logger"),
    "order": ("--doc", "po:1", "--buyer", TOKEN, "--amount", "1"), "cancel": ("--doc", "po:1", "--buyer", TOKEN),
    "payment": ("--doc", "po:1 payment:2"), "apply_return": ("--doc", "rma:1"), "export_return": ("--doc", "x"),
    "relabel": ("--new-code", serial(9)), "sensor": ("--temperature", "5", "--humidity", "45.5"),
}  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_can_be_asked_about(template_home: Home, event: str) -> None:
    """Bare, with everything that a row may say beside it, and declared an error."""
    arguments = ("check", "ledger", serial(3), "--event", event, *_NEEDS.get(event, ()), "--json")
    beside = ("--place", ZONE, "--location", ZONE, "--note", "n", "--lot", "L", "--to", "location:urn:example:shop")
    declared = ("--error", ERROR_REASON.names[0], "--declared", f"{DAY}T10:00:00Z")
    for more in ((), beside, declared):
        said = template_home.run(*arguments, *more)
        assert (said.code, said.err) == (0 if said.json["good"] else 1, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nonsense",), "CODE: "),
        ((serial(1), "--event", "sold"), "--event: there is no event 'sold'"),
        ((serial(1), "--event", "order"), "--doc: "),
        ((serial(1), "--event", "pack"), "--parent: "),
        ((serial(1), "--buyer", "Li Lei"), "--buyer: this is no token"),
        ((serial(1), "--at", f"{DAY}T10:00:00"), "--at: "),
        ((serial(1), "--expiry", "2026-02-30"), "--expiry: "),
        ((serial(1), "--new-code", serial(2)), "--new-code: 'sell' has no new_code"),
        ((serial(1), "--author", "nobody"), "nobody"),
    ],
)
def test_what_check_cannot_use_names_the_option(template_home: Home, arguments: tuple[str, ...], words: str) -> None:
    error = template_home.refuses("check", "ledger", *arguments)
    assert words in error
    assert "Li Lei" not in error, "what may be a name is not repeated"


def test_who_asks_matters_for_an_error_that_is_declared(home: Home) -> None:
    """Only who stated an event may take it back (EU 2016/161 art. 13)."""
    home.write("hold.csv", f"{HEADER}hold,{DAY}T19:00:00+08:00,{serial(3)},,{ZONE},,\n")
    home.good("ingest", "ledger", "hold.csv")
    home.good("keys", "create", "gate.pem")
    home.good("keys", "authorise", "ledger", "gate.pem", "--label", "gate")
    undo = (
        "check", "ledger", serial(3), "--event", "hold", "--place", ZONE, "--at", f"{DAY}T19:00:00+08:00", "--error",
        "did_not_occur", "--declared", f"{DAY}T20:00:00+08:00", "--json",
    )  # fmt: skip
    assert names_of(home.run(*undo)) == []
    assert names_of(home.run(*undo, "--author", "gate")) == ["UNDO_ACTOR"]


def test_without_a_profile_a_check_says_that_there_are_no_rules(tmp_path: Path) -> None:
    home = Here(tmp_path)
    home.good("init", "ledger", "--origin", ORIGIN)
    told = home.good("check", "ledger", serial(1)).out
    assert "no profile is in force" in told
    assert home.good("check", "ledger", serial(1), "--json").json["rule_set"] == 1


# ---- violations ----------------------------------------------------------------------------------


def test_violations_are_counted_with_their_entries_and_are_no_findings(template_home: Home) -> None:
    said = template_home.good("violations", "ledger", "--json").json["violations"]
    assert {one["name"]: one["count"] for one in said} == {name: len(of) for name, of in BROKEN.items()}
    for one in said:
        assert one["clause"] == clause_of(one["code"]).clause
        assert one["entries"][0] == one["first_entry"]
        assert one["entries"][-1] == one["last_entry"]
    told = template_home.good("violations", "ledger").out
    assert "4 violations of 4 rules in 3 entries, kept as evidence" in told
    assert template_home.good("verify", "ledger").code == 0


@pytest.mark.parametrize("name", BROKEN)
def test_the_entries_of_one_violation(template_home: Home, name: str) -> None:
    said = template_home.good("violations", "ledger", "--code", name.lower(), "--json").json
    assert [one["name"] for one in said["violations"]] == [name]
    assert [one["subjects"] for one in said["latest"]] == [BROKEN[name]]
    told = template_home.good("violations", "ledger", "--code", name).out
    assert clause_of(Violation[name]).words in told
    assert "1 time in 1 entry" in told


def test_violations_that_there_are_none_of(template_home: Home) -> None:
    assert "LIMIT: nothing broke this rule" in template_home.good("violations", "ledger", "--code", "LIMIT").out
    assert "no rule was broken" in template_home.good("violations", "ledger", "--as-of", "2020-01-01").out
    assert "did you mean SCOPE?" in template_home.refuses("violations", "ledger", "--code", "scop")


def test_the_latest_entries_come_first_and_not_all_of_them(home: Home) -> None:
    home.write("more.csv", HEADER + "".join(
        f"sell,{DAY}T19:00:{n:02}+08:00,{serial(1)},,{ZONE},,\n" for n in range(5)
    ))  # fmt: skip
    home.good("ingest", "ledger", "more.csv")
    said = home.good("violations", "ledger", "--code", "SECONDARY_SALE", "--limit", "2", "--json").json
    entries = said["violations"][0]["entries"]
    assert len(entries) == 6
    assert [one["entry"] for one in said["latest"]] == entries[:-3:-1]
    told = home.good("violations", "ledger", "--code", "SECONDARY_SALE", "--limit", "2").out
    assert "6 times in 6 entries, the latest 2 shown" in told


# ---- alerts --------------------------------------------------------------------------------------


def test_alerts_are_grouped_by_kind_with_reasons(template_home: Home) -> None:
    said = template_home.good("alerts", "ledger", "--json").json["alerts"]
    kinds = {one["kind"] for one in said}
    assert {"SOLD_TWICE", "UNKNOWN_CODE"} <= kinds
    told = template_home.good("alerts", "ledger").out
    heads = [line.split()[0] for line in told.splitlines() if line[0] != " "][:-1]
    assert len(heads) == len(set(heads)) == len(kinds)
    assert re.search(r"critical +\S+ \S+ +\d+ +\(01\)09521234001072\(21\)BJ00001: sold in entry", told)
    assert f"{len(said)} alerts on" in told


def test_alerts_of_a_day_to_come(template_home: Home) -> None:
    arguments = ("alerts", "ledger", "--kind", "near-expiry", "--kind", "EXPIRED")
    said = template_home.good(*arguments, "--as-of", "2028-06-01", "--json").json["alerts"]
    assert [(one["kind"], len(one["details"]["packs"])) for one in said] == [("NEAR_EXPIRY", 3)]
    said = template_home.good(*arguments, "--as-of", "2028-07-01", "--json").json["alerts"]
    assert [one["kind"] for one in said] == ["EXPIRED"]
    assert template_home.good(*arguments, "--as-of", "2026-12-01", "--json").json["alerts"] == []


def test_alerts_change_the_exit_code_only_if_asked(template_home: Home) -> None:
    sold_twice = ("alerts", "ledger", "--kind", "sold_twice", "--strict")
    assert template_home.run(*sold_twice).code == 1
    done = template_home.run(*sold_twice, "--as-of", "2020-01-01")
    assert (done.code, "nothing to look at on 2020-01-01" in done.out) == (0, True)
    assert "no kind of alert" in template_home.refuses("alerts", "ledger", "--kind", "foo")


def test_of_many_alerts_of_a_kind_the_first_are_shown(home: Home) -> None:
    codes = "".join(f"recall,{DAY}T19:00:{n:02}+08:00,0109521234001072{21}ZZ{n:03},,,,\n" for n in range(25))
    home.write("unknown.csv", HEADER + codes)
    home.good("ingest", "ledger", "unknown.csv")
    told = home.good("alerts", "ledger", "--kind", "unknown-code", "--limit", "5").out
    assert told.count("never") == 5
    assert "and 21 more" in told


@pytest.mark.parametrize("function", [pilot.violations, partial(pilot.alerts, now=0)])
def test_whoever_waits_is_told_how_far_the_log_was_read(template_home: Home, function: Callable[..., Any]) -> None:
    told: list[tuple[int, int]] = []
    with Ledger.open(template_home.ledger) as ledger, ledger.snapshot() as view:
        assert function(Watched(view, lambda done, size: told.append((done, size)))) == function(view)
        assert {size for _, size in told} == {view.size}
    assert told == sorted(told)


# ---- cases ---------------------------------------------------------------------------------------


def test_cases_and_the_orders_in_force(home: Home) -> None:
    home.write("stop.toml", template("service-stopped"))
    home.good("register", "ledger", "service-stopped", "stop.toml")
    home.write("suspend.toml", template("merchant-suspended"))
    home.good("register", "ledger", "merchant-suspended", "suspend.toml")
    said = home.good("cases", "ledger", "--as-of", "2099-01-01", "--json").json
    assert [(one["id"], one["phase"], one["open"], one["overdue"]) for one in said["cases"]] == [
        ("C-2026-041", "opened", True, True)
    ]
    assert [(one["kind"], one["id"], one["measure"]) for one in said["stops"]] == [
        ("merchant", "example-pharmacy", "service-stopped"), ("merchant", "example-pharmacy", "merchant-suspended"),
    ]  # fmt: skip
    told = home.good("cases", "ledger", "--as-of", "2099-01-01").out
    assert "1 case, 1 open, 1 overdue on 2099-01-01" in told
    assert "2026-11-28, overdue" in told
    assert "pilot leading group, 2026-118" in told
    assert "reported to pilot leading group" in told


def test_one_case_is_shown_step_by_step_until_it_is_closed(home: Home) -> None:
    for phase, more in (("handled", "amount = 12.50\n"), ("closed", 'authority = "the administration"\n')):
        text = template("case").replace('"opened"', f'"{phase}"') + more
        home.write("step.toml", text)
        home.good("register", "ledger", "case", "step.toml")
    said = home.good("cases", "ledger", "C-2026-041", "--json").json["cases"][0]
    assert [step["phase"] for step in said["steps"]] == ["opened", "handled", "closed"]
    assert (said["open"], said["due"], said["amount"]) == (False, None, "12.5")
    told = home.good("cases", "ledger", "C-2026-041").out
    assert told.index("handled") < told.index("paid 12.5 yuan in advance") < told.index("authority the administration")
    assert home.good("cases", "ledger", "--open", "--json").json["cases"] == []
    assert home.run("cases", "ledger", "C-2026-041", "--open").code == 1


def test_cases_about_a_pack_in_any_spelling(template_home: Home) -> None:
    for about, count in (("010952123400107221BJ0001", 1), ("urn:example:order:4711", 1), (serial(1), 0)):
        assert len(template_home.good("cases", "ledger", "--about", about, "--json").json["cases"]) == count
    done = template_home.run("cases", "ledger", "C-2026-042")
    assert (done.code, "there is no case C-2026-042" in done.out) == (1, True)
    assert "no order to stop service is in force" in template_home.good("cases", "ledger").out


# ---- days ----------------------------------------------------------------------------------------


def test_a_day_ends_in_beijing() -> None:
    assert end_of_day(date(2026, 11, 21)) * 1_000_000 == parse_time("2026-11-21T23:59:59.999+08:00")
    assert asked_day("2026-11-21", 0).day == date(2026, 11, 21)
    assert asked_day("2026-11-21T20:00:00Z", 0).day == date(2026, 11, 22)
    assert asked_day(None, end_of_day(date(2026, 11, 21)) + 1).day == date(2026, 11, 22)


@pytest.mark.parametrize("text", ["", "2026-2-1", "20260201", "2026-W05-1", "2026-02-29", "２０２６-02-01", "now"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is no day of the calendar"):
        asked_day(text, 0)
