"""retention: a policy is put in force, shown, and planned by, as a user does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_home import DAY, Home, copy_home, serial
from cli_pilot_home import Here, make_pilot_home
from tracechain.retention.files import parse_policy
from tracechain.retention.tables import DSCSA, PILOT, PIPL, pilot_policy

PLAN = ("retention", "ledger", "--as-of")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three packs of a lot that expires in June 2028, one of them sold in November 2026, and no policy."""
    return make_pilot_home(tmp_path_factory.mktemp("retention") / "template", market=False)


@pytest.fixture(scope="session")
def kept_template(template: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same under the pilot's policy."""
    home = Here(copy_home(template, tmp_path_factory.mktemp("kept") / "template").path)
    home.good("retention", "set", "ledger", "pilot")
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Here:
    return Here(copy_home(template, tmp_path / "home").path)


@pytest.fixture
def kept(kept_template: Home, tmp_path: Path) -> Here:
    return Here(copy_home(kept_template, tmp_path / "kept").path)


# ---- the policy ----------------------------------------------------------------------------------


def test_the_template_is_the_policy_that_it_is_named_after(template: Home) -> None:
    assert parse_policy(template.good("retention", "template").out) == pilot_policy()
    text = template.good("retention", "template", "pilot+dscsa", "--json").json["template"]
    assert parse_policy(text).regimes == (PILOT, PIPL, DSCSA)


def test_a_policy_is_put_in_force_from_a_file_and_shown_as_that_file(home: Here) -> None:
    home.write("mine.toml", home.good("retention", "template", "dscsa").out.replace("6 years", "7 years"))
    said = home.good("retention", "set", "ledger", "mine.toml", "--wait", "45", "--json").json
    assert (said["policy"], said["wait_days"], said["entry"]) == ("dscsa", 45, home.size() - 1)
    assert [one["keep_until"] for one in said["rules"]] == ["7 years after transaction"]
    shown = parse_policy(home.good("retention", "show", "ledger", "--toml").out)
    assert (shown.name, shown.wait_days, shown.regimes[0].title) == ("dscsa", 45, DSCSA.title)
    told = home.good("retention", "show", "ledger").out
    assert "7 years after transaction" in told
    assert "45 days" in told
    assert home.good("retention", "show", "ledger", "--json").json["entry"] == said["entry"]


def test_the_later_policy_is_the_one_in_force(kept: Here) -> None:
    kept.good("retention", "set", "ledger", "eu-fmd+eu-tobacco")
    said = kept.good("retention", "show", "ledger", "--json").json
    assert [one["regime"] for one in said["rules"]] == ["eu-fmd", "eu-tobacco"]


def test_without_a_policy_nothing_may_go(template: Home) -> None:
    ran = template.run("retention", "show", "ledger", "--json")
    assert (ran.code, ran.json["policy"]) == (1, None)
    assert template.run("retention", "show", "ledger").code == 1
    said = template.good(*PLAN, "2090-01-01", "--json").json
    assert (said["content_count"], said["row_count"]) == (0, 0)
    assert "nothing may go" in template.good(*PLAN, "2090-01-01").out


def test_every_rule_that_is_wrong_is_said(home: Here) -> None:
    text = home.good("retention", "template", "dscsa").out
    home.write("wrong.toml", text.replace("keep_until", "keep_til").replace('"transaction"', '"purchase"'))
    ran = home.run("retention", "set", "ledger", "wrong.toml")
    assert ran.code == 2
    assert "did you mean 'keep_until'?" in ran.err
    assert all(line.startswith("tracechain: wrong.toml") for line in ran.err.splitlines())


# ---- the plan ------------------------------------------------------------------------------------


def test_the_plan_names_each_part_once_with_its_reason(kept: Here) -> None:
    said = kept.good(*PLAN, "2031-01-01", "--decisions", "--json").json
    assert (said["policy_name"], said["content_count"]) == ("pilot", 0)
    contents = [one for one in said["decisions"] if one["part"] == "content"]
    assert [index for one in contents for index in range(one["start"], one["stop"])] == list(range(said["size"]))
    rule = next(one for one in said["reasons"] if one["part"] == "content" and "trading records" in one["reason"])
    assert (rule["verdict"], rule["year"], rule["reason"]) == ("keep", 2026, "pilot: trading records (S1 VII)")
    later = kept.good(*PLAN, "2040-01-01", "--json").json
    assert later["content_count"] == 10
    assert "decisions" not in later
    assert sum(one["count"] for one in later["reasons"] if one["part"] == "content") == later["size"]


def test_the_plan_is_told_by_reason_and_year(kept: Here) -> None:
    before = kept.head()
    told = kept.good(*PLAN, "2040-01-01").out
    assert "as of 2040-01-01, by policy pilot (the policy in force)" in told
    head = next(line for line in told.splitlines() if "kept until" in line)
    assert head.split()[-2:] == ["2026", "entries"]
    goes = next(line for line in told.splitlines() if line.startswith("goes"))
    assert "pilot: trading records (S1 VII)" in goes
    assert "10 contents and the rows of 0 of " in told
    assert "not an event: stays for ever" in told
    assert kept.head() == before


def test_another_policy_can_be_tried_on_a_ledger(kept: Here) -> None:
    kept.write("mine.toml", kept.good("retention", "template", "pilot").out.replace("5 years", "60 years"))
    said = kept.good(*PLAN, "2040-01-01", "--policy", "mine.toml", "--json").json
    assert (said["content_count"], said["policy"]) == (0, None)
    assert "(not in force)" in kept.good(*PLAN, "2040-01-01", "--policy", "dscsa").out


def test_what_is_held_stays_and_the_hold_is_said(kept: Here) -> None:
    kept.good("hold", "add", "ledger", serial(2), "--id", "H-1", "--authority", "a\u202ecourt", "--reason", "a claim",
              "--by", "legal", "--on", DAY)  # fmt: skip
    told = kept.good(*PLAN, "2040-01-01").out
    assert "hold H-1 by a\\u202ecourt: a claim" in told
    said = kept.good(*PLAN, "2040-01-01", "--json").json
    held = [one for one in said["by_reason"] if one["why"] == "hold"]
    assert sum(one["count"] for one in held) >= 2
    assert said["content_count"] < 10


def test_a_ledger_in_a_folder_of_a_commands_name_is_told_by_its_path(kept: Here) -> None:
    (kept.path / "ledger").rename(kept.path / "show")
    assert "as of 2031-01-01" in kept.good("retention", "./show", "--as-of", "2031-01-01").out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("retention", "nowhere"), "nowhere"),
        ((*PLAN, "2031-13-01"), "--as-of '2031-13-01' is no day"),
        ((*PLAN, "2031-01-01", "--policy", "none.toml"), "none.toml cannot be read"),
        ((*PLAN, "2031-01-01", "--policy", "nosuch"), "'nosuch' is no retention policy"),
        (("retention", "set", "ledger", "pilot+nosuch"), "'pilot+nosuch' is no retention policy"),
        (("retention", "set", "ledger", "pilot", "--wait", "0"), "--wait"),
        (("retention", "set", "ledger"), "NAME|FILE"),
        (("retention", "template", "nosuch"), "'nosuch' is no retention policy"),
        (("retention", "show", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(kept: Here, arguments: tuple[str, ...], word: str) -> None:
    assert word in kept.refuses(*arguments)
