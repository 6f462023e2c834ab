"""hold: placed, listed, extended, released, as a user does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_home import DAY, Home, copy_home, serial
from cli_pilot_home import Here, make_pilot_home

GTIN = "09521234001072"
PRODUCT = f"01/{GTIN}"
WHY = ("--authority", "Medical Products Administration", "--reason", "an inquiry", "--by", "legal")
ADD = ("hold", "add", "ledger")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three packs of a lot, one of them sold, a case, and a recall."""
    home = make_pilot_home(tmp_path_factory.mktemp("hold") / "template", market=False)
    home.good("recall", "open", "ledger", "--id", "R-1", "--class", "1", "--reason", "particles", "--by", "quality",
              "--code", serial(3))  # fmt: skip
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Here:
    return Here(copy_home(template, tmp_path / "home").path)


def test_a_hold_covers_what_is_named_in_any_spelling(home: Here) -> None:
    said = home.good(
        *ADD, f"(01){GTIN}(21)BJ00001", serial(1), "urn:example:order:1", *WHY, "--id", "H-1", "--until", "2030-12-31",
        "--lot", "9521234001072", "LOT-A7", "--product", GTIN, "--merchant", "Maker.One", "--case", "C-7", "--json",
    ).json  # fmt: skip
    assert said["entry"] == home.size() - 1
    assert (said["id"], said["phase"], said["until"], said["case"]) == ("H-1", "placed", "2030-12-31", "C-7")
    assert set(said["about"]) == {
        f"{PRODUCT}/21/BJ00001", "urn:example:order:1", f"{PRODUCT}/10/LOT-A7", PRODUCT, "Maker.One",
    }  # fmt: skip


def test_a_criterion_is_held_as_its_file_says(home: Here) -> None:
    criterion = {"lot": {"product": PRODUCT, "lot": "LOT-A7"}}
    home.write("c.json", json.dumps(criterion))
    said = home.good(*ADD, *WHY, "--criterion", "c.json", "--on", DAY, "--json").json
    assert (said["id"], said["on"]) == ("H-2026-001", DAY)
    listed = home.good("hold", "list", "ledger", "H-2026-001", "--json").json["holds"]
    assert [(one["criterion"], one["stands"]) for one in listed] == [(criterion, True)]


def test_numbers_are_given_to_holds_that_are_not_named(home: Here) -> None:
    found = [home.good(*ADD, serial(n), *WHY, "--on", DAY, "--json").json["id"] for n in (1, 2)]
    home.good(*ADD, serial(3), *WHY, "--on", DAY, "--id", "H-2026-004")
    found.append(home.good(*ADD, serial(3), *WHY, "--on", DAY, "--json").json["id"])
    assert found == ["H-2026-001", "H-2026-002", "H-2026-003"]


def test_open_recalls_and_cases_are_listed_as_holds(home: Here) -> None:
    home.good(*ADD, serial(1), *WHY, "--id", "H-1", "--on", DAY)
    listed = home.good("hold", "list", "ledger", "--json").json["holds"]
    assert [(one["kind"], one["id"], one["stands"]) for one in listed] == [
        ("hold", "H-1", True), ("recall", "R-1", True), ("case", "C-2026-041", True),
    ]  # fmt: skip
    told = home.good("hold", "list", "ledger").out
    for word in ("H-1", "R-1", "C-2026-041", "(01)09521234001072(21)BJ00001", "Medical Products Administration"):
        assert word in told
    assert "3 stand on " in told
    assert "1 hold, 1 recall, 1 case" in told


def test_a_hold_is_extended_and_released_and_its_steps_stay(home: Here) -> None:
    home.good(*ADD, serial(1), *WHY, "--id", "H-1", "--on", DAY, "--until", "2027-01-31")
    home.good("hold", "extend", "ledger", "H-1", "--until", "2029-01-31", "--reason", "goes on", "--by", "legal")

    def stands(day: str) -> bool:
        found: bool = home.good("hold", "list", "ledger", "H-1", "--as-of", day, "--json").json["holds"][0]["stands"]
        return found

    assert stands("2029-01-31")
    assert not stands("2029-02-01")
    released = home.good("hold", "release", "ledger", "H-1", "--reason", "answered", "--by", "legal").out
    assert "hold H-1 is released" in released
    assert "H-1" not in home.good("hold", "list", "ledger").out
    assert "H-1" in home.good("hold", "list", "ledger", "--all").out
    told = home.good("hold", "list", "ledger", "H-1").out
    for word in ("placed", "extended", "released", "has ended", "an inquiry", "goes on", "answered"):
        assert word in told


def test_text_from_the_log_does_not_steer_the_terminal(home: Here) -> None:
    home.good(*ADD, "urn:x:1", "--id", "H-1", "--authority", "A\u202ehtirohtu", "--reason", "r\u200b", "--by", "b")
    for arguments in (("list", "ledger"), ("list", "ledger", "H-1")):
        told = home.good("hold", *arguments).out
        assert "\u202e" not in told
        assert "\u200b" not in told
        assert "\\u202e" in told


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((*ADD, *WHY), "hold what?"),
        ((*ADD, serial(1), "--reason", "x", "--by", "y"), "--authority"),
        ((*ADD, serial(1), *WHY, "--until", "31.12.2030"), "--until '31.12.2030' is no day"),
        ((*ADD, serial(1), *WHY, "--on", "2026-02-30"), "--on '2026-02-30' is no day"),
        ((*ADD, *WHY, "--lot", "123", "A"), "--lot: "),
        ((*ADD, *WHY, "--product", "09521234001073"), "--product: "),
        ((*ADD, *WHY, "--criterion", "none.json"), "none.json cannot be read"),
        ((*ADD, serial(1), *WHY, "--id", "a b"), "id is 'a b'"),
        (("hold", "extend", "ledger", "H-9", "--until", "2030-01-01", "--reason", "x", "--by", "y"), "H-9"),
        (("hold", "release", "ledger", "H-9", "--reason", "x", "--by", "y"), "H-9"),
        (("hold", "list", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(home: Here, arguments: tuple[str, ...], word: str) -> None:
    assert word in home.refuses(*arguments)


def test_an_id_that_nothing_has_is_a_finding(home: Here) -> None:
    assert home.run("hold", "list", "ledger", "H-9").code == 1
    ran = home.run("hold", "list", "ledger", "H-9", "--json")
    assert (ran.code, ran.json["holds"]) == (1, [])


def test_a_hold_is_not_placed_twice_nor_released_twice(home: Here) -> None:
    home.good(*ADD, serial(1), *WHY, "--id", "H-1")
    assert "H-1" in home.refuses(*ADD, serial(1), *WHY, "--id", "H-1")
    home.good("hold", "release", "ledger", "H-1", "--reason", "x", "--by", "y")
    assert "H-1" in home.refuses("hold", "release", "ledger", "H-1", "--reason", "x", "--by", "y")
