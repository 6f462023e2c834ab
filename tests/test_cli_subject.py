"""subject: what is held on a person, shown, exported, erased, restricted, disclosed, as a user does it."""

from __future__ import annotations

import json
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from attrs import evolve

from cli_home import DAY, Home, copy_home, serial
from cli_pilot_home import TOKEN, Here, make_pilot_home
from tracechain.formats.epcis import format_document, format_json
from tracechain.formats.scans import iter_csv
from tracechain.private import PrivateValue, private_fields

PHONE, ADDRESS, NAME = "+86 100 0952 4711", "Lantern Lane 8, Beijing", "Lin Qiaoyan"
OTHER = "aa" * 16
WHY = ("--ground", "the person asks", "--by", "privacy desk")
ORDER = (
    f"event,time,code,doc,buyer,amount\norder,{DAY}T15:00:00+08:00,{serial(3)},po:BJ-99,{TOKEN},258.00\n"
)  # fmt: skip


def values() -> tuple[PrivateValue, ...]:
    count = iter(range(100))
    return private_fields(
        {"phone": PHONE, "address": ADDRESS}, lambda size: sha256(str(next(count)).encode()).digest()[:size]
    )[1]  # fmt: skip


def vault_file(**more: object) -> str:
    private = [{"name": one.name, "value": one.value, "salt": one.salt.hex()} for one in values()]
    person = {"token": TOKEN, "identity": {"name": NAME}, "private": private} | more
    return json.dumps({"persons": [person, {"token": OTHER, "identity": {"name": NAME}}]})


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A policy; a buyer with name, phone and address in the vault, and an order that commits to the last two."""
    home = make_pilot_home(tmp_path_factory.mktemp("subject") / "template", market=False)
    home.good("retention", "set", "ledger", "pilot")
    home.write("buyers.json", vault_file())
    home.good("subject", "add", "ledger", "buyers.json")
    (home.path / "buyers.json").unlink()
    path = home.write("order.csv", ORDER)
    with path.open("rb") as file:
        (order,) = iter_csv(file, "order.csv")
    event = evolve(order, private=tuple(one.field for one in values()))
    home.write("order.json", format_json(format_document([event])))
    home.good("ingest", "ledger", "order.json")
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Here:
    return Here(copy_home(template, tmp_path / "home").path)


def in_files(home: Home, text: str) -> bool:
    """Whether a text stands in any file of the ledger, byte for byte."""
    return any(text.encode() in path.read_bytes() for path in home.ledger.rglob("*") if path.is_file())


def order_entry(home: Home) -> int:
    said = home.good("subject", "show", "ledger", TOKEN, "--json").json
    found = [event["index"] for event in said["events"] if event["private"]]
    assert len(found) == 1
    return int(found[0])


# ---- shown ---------------------------------------------------------------------------------------


def test_a_person_is_found_by_token_or_by_a_value(home: Here) -> None:
    by_token = home.good("subject", "show", "ledger", TOKEN, "--json").json
    assert home.good("subject", "show", "ledger", "--value", PHONE, "--json").json == by_token
    assert home.good("subject", "show", "ledger", f"person/{TOKEN}", "--json").json == by_token
    assert by_token["identity"]["values"] == {"name": NAME}
    private = {one["name"]: one["value"] for event in by_token["events"] for one in event["private"]}
    assert private == {"phone": PHONE, "address": ADDRESS}


def test_what_is_held_is_told_in_a_table(home: Here) -> None:
    told = home.good("subject", "show", "ledger", TOKEN).out
    for word in (TOKEN, NAME, f"phone: {PHONE}", f"address: {ADDRESS}", "order", "(01)09521234001072(21)BJ00003"):
        assert word in told


def test_several_persons_of_one_name_are_told_apart_by_tokens(home: Here) -> None:
    error = home.refuses("subject", "show", "ledger", "--value", NAME)
    assert TOKEN in error
    assert OTHER in error
    assert NAME not in error
    assert PHONE not in home.refuses("subject", "show", "ledger", "--value", PHONE, "--field", "name")


def test_whom_nothing_is_held_on_is_a_finding(home: Here) -> None:
    ran = home.run("subject", "show", "ledger", "0" * 32)
    assert ran.code == 1
    assert "nothing is held" in ran.out
    assert home.run("subject", "export", "ledger", "0" * 32, "--to", "x.json").code == 1


def test_an_export_is_the_same_in_a_file_of_its_own(home: Here) -> None:
    home.good("subject", "export", "ledger", TOKEN, "--to", "file.json")
    path = home.path / "file.json"
    assert json.loads(path.read_text()) == home.good("subject", "show", "ledger", TOKEN, "--json").json
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(home.good("subject", "export", "ledger", TOKEN).out) == json.loads(path.read_text())
    assert "is not overwritten" in home.refuses("subject", "export", "ledger", TOKEN, "--to", "file.json")


def test_values_do_not_steer_the_terminal(home: Here) -> None:
    home.write("p.json", json.dumps({"persons": [{"token": "bb" * 16, "identity": {"name": "A\u202eB\u200bC"}}]}))
    home.good("subject", "add", "ledger", "p.json")
    told = home.good("subject", "show", "ledger", "bb" * 16).out
    assert "A\\u202eB\\u200bC" in told


# ---- erased --------------------------------------------------------------------------------------


def test_without_apply_it_is_only_said_what_would_become_of_it(home: Here) -> None:
    before = home.head()
    said = home.good("subject", "erase", "ledger", TOKEN, "--json").json
    assert (said["applied"], said["counts"]["erase"], said["counts"]["restrict"]) == (False, 0, 3)
    later = home.good("subject", "erase", "ledger", TOKEN, "--as-of", "2040-01-01")
    assert "3 values of 3 can be erased on 2040-01-01" in later.out
    told = home.good("subject", "erase", "ledger", TOKEN).out
    assert "must stay, withhold" in told
    assert "S1 VII" in told
    assert home.head() == before
    assert in_files(home, PHONE)


def test_what_has_to_stay_is_withheld_and_shown_on_a_ground_only(home: Here) -> None:
    said = home.good("subject", "erase", "ledger", TOKEN, "--apply", *WHY, "--json").json
    assert (said["erased"], said["restricted"], said["entry"]) == (0, 3, home.size() - 1)
    told = home.good("subject", "show", "ledger", TOKEN).out
    assert PHONE not in told
    assert "withheld since" in told
    assert PHONE in home.good("subject", "show", "ledger", TOKEN, "--ground", "an inquiry").out
    assert in_files(home, PHONE)


def test_what_no_rule_demands_is_erased_from_every_file(home: Here) -> None:
    assert in_files(home, NAME)
    said = home.good("subject", "erase", "ledger", OTHER, "--apply", *WHY)
    assert "1 value erased" in said.out
    home.write("free.toml", home.good("retention", "template", "pipl").out)
    home.good("retention", "set", "ledger", "free.toml")
    done = home.good("subject", "erase", "ledger", "--value", PHONE, "--apply", *WHY, "--json").json
    assert (done["erased"], done["restricted"]) == (3, 0)
    assert not any(in_files(home, value) for value in (PHONE, ADDRESS, NAME))
    told = home.good("subject", "show", "ledger", TOKEN).out
    assert f"erased by entry {done['entry']:,}" in told
    home.good("verify", "ledger", "--key", "ledger.vkey")


def test_one_field_of_one_entry_can_be_erased(home: Here) -> None:
    home.good("retention", "set", "ledger", "pipl")
    index = order_entry(home)
    done = home.good("subject", "erase", "ledger", "--entry", str(index), "--only", "phone", "--apply", *WHY, "--json")
    assert done.json["erased"] == 1
    assert not in_files(home, PHONE)
    assert in_files(home, ADDRESS)


def test_all_that_is_due_is_due_by_its_day(home: Here) -> None:
    now = home.good("subject", "erase", "ledger", "--due", "--json").json["counts"]
    later = home.good("subject", "erase", "ledger", "--due", "--as-of", "2040-01-01", "--json").json["counts"]
    assert now["erase"] == 0
    assert later["erase"] == 4


def test_a_person_is_restricted_once(home: Here) -> None:
    said = home.good("subject", "restrict", "ledger", TOKEN, *WHY, "--json").json
    assert said["restricted"] == 3
    assert "not withheld already" in home.refuses("subject", "restrict", "ledger", TOKEN, *WHY)


# ---- disclosed -----------------------------------------------------------------------------------


def test_a_value_is_disclosed_and_checked_by_the_key_alone(home: Here, tmp_path: Path) -> None:
    index = order_entry(home)
    home.good("subject", "disclose", "ledger", str(index), "phone", "--to", "d.json")
    text = (home.path / "d.json").read_text()
    assert PHONE in text
    assert ADDRESS not in text
    outside = Here(tmp_path / "outside")
    outside.path.mkdir()
    outside.write("d.json", text)
    outside.write("log.vkey", home.vkey.read_text())
    said = outside.good("subject", "check", "d.json", "--key", "log.vkey", "--json").json
    assert (said["good"], said["entry"], said["field"], said["value"]) == (True, index, "phone", PHONE)
    assert PHONE in outside.good("subject", "check", "d.json", "--key", "log.vkey").out
    outside.write("d.json", text.replace(PHONE, "+86 100 0952 4712"))
    ran = outside.run("subject", "check", "d.json", "--key", "log.vkey", "--json")
    assert (ran.code, ran.json["good"]) == (1, False)
    assert "does not commit to this value" in ran.json["fault"]


# ---- what cannot be used -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("show", "ledger"), "say whom"),
        (("show", "ledger", TOKEN, "--value", "x"), "say whom"),
        (("show", "ledger", TOKEN, "--field", "phone"), "--field"),
        (("show", "ledger", "ABC"), "is no person's token"),
        (("show", "ledger", "--value", "nobody's"), "nobody in the vault"),
        (("erase", "ledger"), "say what"),
        (("erase", "ledger", TOKEN, "--due"), "say what"),
        (("erase", "ledger", "--entry", "3"), "belong together"),
        (("erase", "ledger", TOKEN, "--apply"), "--ground"),
        (("erase", "ledger", TOKEN, "--apply", *WHY, "--as-of", "2040-01-01"), "--as-of"),
        (("erase", "ledger", "--entry", "3", "--only", "phone"), "entry 3 has no private field"),
        (("restrict", "ledger", TOKEN), "--ground"),
        (("disclose", "ledger", "3", "phone"), "entry 3"),
        (("disclose", "ledger", "99999", "phone"), "there is no entry 99999"),
        (("add", "ledger", "none.json"), "none.json"),
        (("add", "ledger", "bad.json"), "persons[1]"),
        (("add", "ledger", "salt.json"), "64 hexadecimal digits"),
        (("check", "bad.json", "--key", "ledger.vkey"), "is no disclosure"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(home: Here, arguments: tuple[str, ...], word: str) -> None:
    home.write("bad.json", json.dumps({"persons": [{"token": "xyz"}]}))
    home.write("salt.json", vault_file(private=[{"name": "phone", "value": "1", "salt": "AB"}]))
    error = home.refuses("subject", *arguments)
    assert word in error
    assert "nobody's" not in error
