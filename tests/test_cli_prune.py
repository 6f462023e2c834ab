"""prune: planned, announced, waited for and applied, as a user does it, years later by the program's own clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from cli_home import PASSPHRASE, Home, copy_home, serial
from cli_pilot_home import Here, make_pilot_home
from tracechain.archive import open_archive
from tracechain.cli.clock import telling
from tracechain.ledger import Ledger
from tracechain.record import Record
from tracechain.signing import FileSigner

_DAY = 86_400_000
ANNOUNCE = ("prune", "ledger", "--announce", "2037-q1", "--reason", "ten years old")
APPLY = ("prune", "ledger", "--apply", "2037-q1")


def at(day: str) -> int:
    """Nine o'clock of a day in Beijing, in milliseconds."""
    return int(datetime.fromisoformat(f"{day}T09:00:00+08:00").timestamp() * 1000)


BEGUN, BACK = at("2026-11-22"), at("2037-01-05")
READY = BACK + 33 * _DAY


@contextmanager
def told(now: int) -> Iterator[None]:
    with telling(lambda: now):
        yield


def days_go_by(home: Home, start: int, count: int) -> int:
    """Something is recorded on each of so many days; the time of the last of it."""
    now = start
    log, author = (FileSigner.open(home.path / "ledger.keys" / f"{name}.pem", PASSPHRASE) for name in ("log", "author"))
    with Ledger.open(home.ledger, signer=log, author=author, clock=lambda: now) as ledger:
        for number in range(count):
            now = start + number * _DAY
            ledger.append([Record("note", ("a day went by",))])
    return now


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A sale of 2026 under the pilot's policy, ten years later, by a policy that has stood for long enough."""
    with told(BEGUN):
        home = make_pilot_home(tmp_path_factory.mktemp("prune") / "template", market=False)
        home.good("retention", "set", "ledger", "pilot")
    with told(BACK):
        home.good("clock", "ledger", "--reason", "taken out of the archive")
    days_go_by(home, BACK, 32)
    return home


@pytest.fixture(scope="session")
def announced_template(template: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same, announced, and 31 days on."""
    home = Here(copy_home(template, tmp_path_factory.mktemp("announced") / "template").path)
    with told(READY):
        home.good(*ANNOUNCE, "--archive", "first.tcarchive")
    days_go_by(home, READY + _DAY, 31)
    return home


APPLIED = READY + 32 * _DAY


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Iterator[Here]:
    with told(READY):
        yield Here(copy_home(template, tmp_path / "home").path)


@pytest.fixture
def announced(announced_template: Home, tmp_path: Path) -> Iterator[Here]:
    with told(APPLIED):
        yield Here(copy_home(announced_template, tmp_path / "announced").path)


# ---- before --------------------------------------------------------------------------------------


def test_without_more_words_the_plan_is_shown_and_nothing_written(home: Here) -> None:
    before = home.head()
    said = home.good("prune", "ledger", "--json").json
    assert said == home.good("retention", "ledger", "--json").json
    assert said["content_count"] == 10
    told = home.good("prune", "ledger").out
    assert "10 contents and the rows of 0 of " in told
    assert "tracechain prune ledger --announce NAME" in told
    assert home.head() == before


def test_what_is_announced_is_what_was_planned(home: Here) -> None:
    planned = home.good("prune", "ledger", "--json").json
    said = home.good(*ANNOUNCE, "--json").json
    assert (said["contents"], said["content_count"]) == (planned["contents"], planned["content_count"])
    assert (said["wait_days"], said["archive"], said["name"]) == (30, None, "2037-q1")
    listed = home.good("prune", "ledger", "--list", "--json").json["prunings"]
    assert [(one["entry"], one["contents"], one["ready"], one["done_entry"]) for one in listed] == [
        (said["entry"], 10, False, None)
    ]  # fmt: skip
    told = home.good("prune", "ledger", "--list").out
    assert "2037-q1" in told
    assert "waits" in told
    assert "of 30 days" in told


def test_what_is_announced_is_not_done_before_its_time(home: Here) -> None:
    home.good(*ANNOUNCE)
    assert "2037-q1" in home.refuses(*APPLY)
    assert home.good("verify", "ledger", "--key", "ledger.vkey", "--json").json["pruned"]["contents"] == 0


def test_what_goes_is_archived_before(home: Here) -> None:
    said = home.good(*ANNOUNCE, "--archive", "a.tcarchive", "--json").json
    with open_archive(home.path / "a.tcarchive") as reader:
        assert reader.archive.digest.hex() == said["archive"]
        assert reader.archive.content_count == 10


def test_an_archive_that_is_there_has_to_be_that_of_the_plan(home: Here) -> None:
    home.good("archive", "ledger", "a.tcarchive")
    home.good("hold", "add", "ledger", serial(2), "--authority", "a court", "--reason", "x", "--by", "y")
    assert "a.tcarchive is not an archive of just what will go" in home.refuses(*ANNOUNCE, "--archive", "a.tcarchive")
    home.good("archive", "ledger", "b.tcarchive")
    home.good(*ANNOUNCE, "--archive", "b.tcarchive")


def test_a_policy_may_insist_on_an_archive(home: Here) -> None:
    text = home.good("retention", "template").out.replace("archive = false", "archive = true")
    home.write("strict.toml", text)
    home.good("retention", "set", "ledger", "strict.toml")
    now = days_go_by(home, READY + _DAY, 32)
    with told(now + _DAY):
        assert "archive" in home.refuses(*ANNOUNCE)
        home.good(*ANNOUNCE, "--archive", "a.tcarchive")


def test_a_policy_has_to_have_stood_before_anything_goes_by_it(home: Here) -> None:
    home.good("retention", "set", "ledger", "dscsa")
    assert "30" in home.refuses(*ANNOUNCE)


# ---- done ----------------------------------------------------------------------------------------


def test_what_was_announced_is_done_and_the_ledger_verifies(announced: Here) -> None:
    assert "may be applied" in announced.good("prune", "ledger", "--list").out
    said = announced.good(*APPLY, "--json").json
    assert (said["contents"], said["rows"], said["kept"]) == (10, 0, [])
    assert said["waited_days"] >= 30
    report = announced.good("verify", "ledger", "--key", "ledger.vkey", "--rules", "--json").json
    assert (report["good"], report["pruned"]) == (True, {"contents": 10, "rows": 0})
    told = announced.good("verify", "ledger", "--key", "ledger.vkey").out
    assert "pruned lawfully: 10 contents, the rows of 0 entries" in told
    assert "done 2037-03-11" in announced.good("prune", "ledger", "--list").out
    assert announced.good("archive", "check", "first.tcarchive", "--key", "ledger.vkey").code == 0


def test_what_came_under_hold_meanwhile_stays_and_it_is_said_why(announced: Here) -> None:
    announced.good("hold", "add", "ledger", serial(2), "--id", "H-1", "--authority", "a \u202ecourt", "--reason",
                   "a claim", "--by", "legal")  # fmt: skip
    told = announced.good(*APPLY).out
    assert "kept all the same:" in told
    assert "hold H-1 by a \\u202ecourt: a claim" in told
    listed = announced.good("prune", "ledger", "--list", "--json").json["prunings"][0]
    assert 0 < listed["done_contents"] < 10
    report = announced.good("verify", "ledger", "--key", "ledger.vkey", "--json").json
    assert report["pruned"]["contents"] == listed["done_contents"]


def test_what_is_in_use_again_stays_and_it_is_said_why(announced: Here) -> None:
    announced.write("seen.csv", f"event,time,code\nstocktake,2037-03-10T09:00:00+08:00,{serial(2)}\n")
    announced.good("ingest", "ledger", "seen.csv")
    said = announced.good(*APPLY, "--json").json
    assert said["contents"] < 10
    assert said["kept"]
    assert all(one["what"] == "contents" and "in use" in one["reason"] for one in said["kept"])
    assert sum(one["count"] for one in said["kept"]) + said["contents"] == 10
    announced.good("verify", "ledger", "--key", "ledger.vkey", "--rules")


def test_rows_go_in_a_later_round(announced: Here) -> None:
    announced.good(*APPLY)
    now = days_go_by(announced, APPLIED + _DAY, 1) + _DAY
    with told(now):
        planned = announced.good("prune", "ledger", "--json").json
        assert (planned["content_count"], planned["row_count"]) == (0, 7)
        announced.good("prune", "ledger", "--announce", "2037-q2", "--reason", "the rows of these")
    with told(days_go_by(announced, now + _DAY, 32) + _DAY):
        said = announced.good("prune", "ledger", "--apply", "2037-q2", "--json").json
        assert (said["contents"], said["rows"]) == (0, 7)
        report = announced.good("verify", "ledger", "--key", "ledger.vkey", "--rules", "--json").json
    assert (report["good"], report["pruned"]) == (True, {"contents": 10, "rows": 7})


def test_a_verifier_may_demand_more_than_the_ledgers_policy(announced: Here) -> None:
    announced.good(*APPLY)
    announced.good("verify", "ledger", "--key", "ledger.vkey", "--retention", "pilot")
    strict = announced.good("retention", "template").out.replace('"5 years"', '"20 years"')
    announced.write("strict.toml", strict)
    ran = announced.run("verify", "ledger", "--key", "ledger.vkey", "--retention", "strict.toml", "--json")
    assert (ran.code, {one["code"] for one in ran.json["findings"]}) == (1, {"PRUNE_EARLY"})
    with told(BEGUN + 40 * _DAY):
        ran = announced.run("verify", "ledger", "--key", "ledger.vkey", "--clock", "--json")
    assert (ran.code, ran.json["findings"][0]["code"]) == (1, "TIME_AHEAD")


def test_nothing_is_done_twice(announced: Here) -> None:
    announced.good(*APPLY)
    assert "is done already" in announced.refuses(*APPLY)
    assert "2037-q1" in announced.refuses(*ANNOUNCE)


# ---- what cannot be used -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("prune", "nowhere"), "nowhere"),
        (("prune", "ledger", "--announce", "a", "--apply", "b"), "say one of"),
        (("prune", "ledger", "--list", "--apply", "b"), "say one of"),
        (("prune", "ledger", "--announce", "a"), "--reason"),
        (("prune", "ledger", "--reason", "a"), "--announce"),
        (("prune", "ledger", "--archive", "a"), "--announce"),
        (("prune", "ledger", "--apply", "a", "--as-of", "2037-01-01"), "--as-of"),
        (("prune", "ledger", "--witnessed", "a"), "--apply"),
        (("prune", "ledger", "--apply", "nosuch"), "nosuch"),
        (("prune", "ledger", "--apply", "no such"), "no such"),
        (("prune", "ledger", "--announce", "a b", "--reason", "x"), "a b"),
        (("prune", "ledger", "--as-of", "2037"), "--as-of '2037' is no day"),
        (("prune", "ledger", "--announce", "a", "--reason", "x", "--as-of", "2047-01-01"), "2047-01-01"),
        (("prune", "ledger", "--apply", "a", "--witnessed", "none"), "none"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(home: Here, arguments: tuple[str, ...], word: str) -> None:
    assert word in home.refuses(*arguments)


def test_without_a_policy_nothing_is_announced(tmp_path: Path) -> None:
    home = make_pilot_home(tmp_path / "home", market=False)
    assert "no retention policy is in force" in home.refuses(*ANNOUNCE)
    assert home.good("prune", "ledger", "--list", "--json").json["prunings"] == []
    assert "0 prunings" in home.good("prune", "ledger", "--list").out
