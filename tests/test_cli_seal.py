"""seal: made, by a timer too, listed, proved by; auditors' keys and notes, as users do it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli_home import Home, commissions, copy_home, make_home, run, serial
from tracechain.checkpoint import parse_note, parse_vkey
from tracechain.seals import Absence, Presence, parse_seal_note

NAME = "audit.example.org/2026"
UNIT = "01/09521234001072/21/BJ00003"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A ledger of some packs, sealed once, with something behind the seal; and an auditor's key."""
    home = make_home(tmp_path_factory.mktemp("seal") / "template")
    home.good("ingest", "ledger", home.write("scans.csv", commissions(20)))
    home.good("seal", "make", "ledger")
    home.good("ingest", "ledger", home.write("more.csv", commissions(3, start=50)))
    vkey = home.good("seal", "key", "auditor.pem", NAME, "--json").json["vkey"]
    home.write("auditor.vkey", f"{vkey}\n")
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Home:
    return copy_home(template, tmp_path / "home")


def test_a_seal_is_made_and_listed(home: Home) -> None:
    before = home.size()
    said = home.good("seal", "make", "ledger", "--json").json
    assert said["made"]
    assert (said["size"], said["index"], home.size()) == (before, before + 1, before + 2)
    assert 0 < said["buckets_worked_out"] <= said["buckets"]
    listed = home.good("seal", "list", "ledger", "--json").json
    assert len(listed) == 2
    assert {**listed[1], "signed_by": []} == {
        **{name: said[name] for name in ("index", "receipt_time_ms", "size", "tree_root", "ids", "map_root")},
        "signed_by": [],
    }
    told = home.good("seal", "make", "ledger").out
    assert f"{before + 2:,} entries sealed in entry {before + 3:,}" in told
    assert listed[1]["map_root"][:16] in home.good("seal", "list", "ledger").out


def test_without_a_seal_nothing_is_listed(tmp_path: Path) -> None:
    home = make_home(tmp_path / "new")
    assert "no seal yet" in home.good("seal", "list", "ledger").out
    assert home.good("seal", "list", "ledger", "--json").json == []
    assert "has no seal" in home.refuses("seal", "prove", "ledger", serial(3))


def test_a_timer_seals_when_it_is_due(home: Home) -> None:
    for options in (("--if-more-than", "1000"), ("--if-older-than", "1d"), ("--if-older-than", "12h")):
        assert home.good("seal", "make", "ledger", *options, "--json").json == {"ledger": "ledger", "made": False}
    assert "no seal is due" in home.good("seal", "make", "ledger", "--if-older-than", "1d").out
    assert home.good("seal", "make", "ledger", "--if-more-than", "3", "--if-older-than", "9d", "--json").json["made"]
    assert not home.good("seal", "make", "ledger", "--if-more-than", "0", "--if-older-than", "0h", "--json").json[
        "made"
    ]


@pytest.mark.parametrize("age", ["1", "d", "+1d", "1 d", "1w", "\N{FULLWIDTH DIGIT ONE}d", "1d1d", "-1d"])
def test_ages_that_are_none(home: Home, age: str) -> None:
    assert "such as 12h or 1d" in home.refuses("seal", "make", "ledger", f"--if-older-than={age}")


def test_what_is_proved_stands(home: Home) -> None:
    said = home.good("seal", "prove", "ledger", serial(3), f"(01)09521234001072(21)BJ{4:05}", serial(3), "--json").json
    assert [one["id"] for one in said["proofs"]] == [UNIT, UNIT[:-1] + "4"]
    root = bytes.fromhex(said["seal"]["map_root"])
    for one in said["proofs"]:
        proof = Presence.decode(bytes.fromhex(one["proof"]))
        proof.check(root)
        assert (proof.id, proof.item.last, proof.item.state) == (one["id"], one["last"], one["state"])
    told = home.good("seal", "prove", "ledger", serial(3)).out
    assert "(01)09521234001072(21)BJ00003: last entry " in told
    assert f"complete to {said['seal']['size']:,} entries" in told
    assert "as asserted by the ledger" in told


def test_absence_is_proved_up_to_the_seal(home: Home) -> None:
    said = home.good("seal", "prove", "ledger", "--absent", serial(50), serial(99), "--json").json
    for one in said["proofs"]:
        proof = Absence.decode(bytes.fromhex(one["proof"]))
        proof.check(bytes.fromhex(said["seal"]["map_root"]))
        assert (proof.code, one["absent"]) == (one["id"], True)
        assert [None if side is None else side.id for side in (proof.before, proof.after)] == [
            one["before"],
            one["after"],
        ]
    told = home.good("seal", "prove", "ledger", "--absent", serial(50)).out
    assert "for the regulator's eyes only" in told
    assert "cannot be proved" in home.refuses("seal", "prove", "ledger", "--absent", serial(3))
    assert "not in the map" in home.refuses("seal", "prove", "ledger", serial(50))
    home.good("seal", "make", "ledger")
    assert "cannot be proved" in home.refuses("seal", "prove", "ledger", "--absent", serial(50))
    old = str(said["seal"]["size"])
    assert (
        home.good("seal", "prove", "ledger", "--absent", serial(50), "--size", old, "--json").json["seal"]
        == said["seal"]
    )
    assert "no seal is of 5 entries" in home.refuses("seal", "prove", "ledger", serial(3), "--size", "5")
    assert "seal prove" in home.run("seal", "prove", "ledger").err


def test_an_auditor_signs_and_the_ledger_keeps_it(home: Home) -> None:
    signed = home.good("seal", "cosign", "ledger", "--key", "auditor.pem", "--name", NAME).out
    home.write("note.txt", signed)
    assert (
        home.good("seal", "cosign", "ledger", "--key", "auditor.pem", "--name", NAME, "--json").json["note"] == signed
    )
    assert "was not checked" in home.good("seal", "note", "ledger", "note.txt").out
    size = parse_seal_note(signed).seal.size
    assert home.good("seal", "note", "ledger", "note.txt", "--auditor", "auditor.vkey", "--json").json == {
        "ledger": "ledger", "size": size, "signatures_checked": True,
    }  # fmt: skip
    assert [line.name for line in parse_note(signed).signatures] == [NAME]
    assert home.good("seal", "list", "ledger", "--json").json[0]["signed_by"] == [NAME]
    assert NAME in home.good("seal", "list", "ledger").out
    told = home.run("verify", "ledger", "--key", home.vkey, "--auditor", "auditor.vkey")
    assert told.code == 0
    assert "1 of 1 seal worked out again" in told.out
    assert f"as asserted by the ledger, and by {NAME}" in told.out
    seals = home.good("verify", "ledger", "--auditor", "auditor.vkey", "--json").json["seals"]
    assert (seals["right"], seals["wrong"], seals["not_checkable"]) == (1, 0, 0)
    assert (seals["latest"]["size"], seals["latest"]["right"], seals["latest"]["auditors"]) == (size, True, [NAME])


def test_notes_that_are_refused(home: Home) -> None:
    signed = home.good("seal", "cosign", "ledger", "--key", "auditor.pem", "--name", NAME).out
    home.write("other.txt", signed.replace("ledger.example/cli", "ledger.example/xyz"))
    home.write("long.txt", "x" * 70_000)
    home.write("other.vkey", home.good("seal", "key", "other.pem", "other.example", "--json").json["vkey"])
    home.write("note.txt", signed)
    assert "something else" in home.refuses("seal", "note", "ledger", "other.txt")
    assert "more than is read" in home.refuses("seal", "note", "ledger", "long.txt")
    assert "none of the auditors" in home.refuses("seal", "note", "ledger", "note.txt", "--auditor", "other.vkey")
    assert "No such file" in home.refuses("seal", "note", "ledger", "missing.txt")
    assert "seal list" in home.refuses(
        "seal", "cosign", "ledger", "--key", "auditor.pem", "--name", NAME, "--size", "9999"
    )


def test_an_auditors_key(home: Home) -> None:
    vkey = parse_vkey((home.path / "auditor.vkey").read_text().strip())
    assert (vkey.name, vkey.algorithm) == (NAME, 1)
    assert "never overwritten" in home.refuses("seal", "key", "auditor.pem", NAME)
    assert "cannot name a key" in home.refuses("seal", "key", "new.pem", "two words")
    assert not (home.path / "new.pem").exists()


def test_nobody_seals_without_keys(home: Home, tmp_path: Path) -> None:
    (home.path / "ledger.keys" / "author.pem").unlink()
    assert "author key is not there" in home.refuses("seal", "make", "ledger")
    assert run("seal", "make", tmp_path / "nothing").code == 2
