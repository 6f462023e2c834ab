"""archive: written by the plan or by what was announced, checked and shown, as a user does it."""

from __future__ import annotations

from pathlib import Path

import pytest

import standalone_archive
from cli_home import Home, copy_home, environment
from cli_pilot_home import Here, make_pilot_home
from tracechain.checkpoint import NoteSigner, check_proof, format_vkey, parse_proof, parse_vkey
from tracechain.entry import content_commitment, parse_header
from tracechain.ledger import Ledger
from tracechain.merkle import leaf_hash
from tracechain.testing import fixed_key

WRITE = ("archive", "ledger", "out", "--as-of", "2040-01-01")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Here:
    """Three packs that came in and one that was sold, the pilot's policy in force, and what goes in 2040 archived."""
    home = Here(make_pilot_home(tmp_path_factory.mktemp("archive") / "home", market=False).path)
    home.good("retention", "set", "ledger", "pilot")
    home.good(*WRITE)
    return home


@pytest.fixture
def home(template: Here, tmp_path: Path) -> Here:
    return Here(copy_home(template, tmp_path / "home").path)


def test_what_the_plan_lets_go_is_archived(home: Here) -> None:
    before = home.head()
    plan = home.good("retention", "ledger", "--as-of", "2040-01-01", "--json").json
    made = home.good("archive", "ledger", "two", "--as-of", "2040-01-01", "--json").json
    assert (made["contents"], made["rows"], made["size"]) == (plan["content_count"], plan["row_count"], home.size())
    assert made["contents"] > 5
    assert home.head() == before
    assert made["bytes"] == (home.path / "two").stat().st_size
    assert (home.path / "two").read_bytes() == (home.path / "out").read_bytes()
    told = home.good("archive", "write", "ledger", "three", "--as-of", "2040-01-01").out
    assert f"{made['contents']} contents of {made['entries']} headers archived in three" in told
    assert made["digest"] in told


def test_where_nothing_may_go_nothing_is_archived(home: Here) -> None:
    assert "nothing to archive" in home.refuses("archive", "ledger", "two")
    assert "nothing to archive" in home.refuses("archive", "ledger", "two", "--as-of", "2027-01-01")
    assert not (home.path / "two").exists()


def test_a_file_that_is_there_stays(home: Here) -> None:
    assert "exists" in home.refuses(*WRITE)
    assert "one of: --as-of, --intent" in home.refuses(*WRITE, "--intent", "q1")
    assert "no pruning 'q1' was announced" in home.refuses("archive", "ledger", "two", "--intent", "q1")


def test_an_archive_is_checked_by_the_key_alone(home: Here) -> None:
    told = home.good("archive", "check", "out", "--key", home.vkey).out
    assert "VERIFIED, UNWITNESSED" in told
    assert "not held against the ledger's headers" in told
    said = home.good("archive", "check", "out", "--key", home.vkey, "--json").json
    assert (said["good"], said["verdict"], said["findings"], said["against_ledger"]) == (
        True, "verified_unwitnessed", [], False,
    )  # fmt: skip
    assert standalone_archive.main(str(home.path / "out"), home.vkey.read_text())


def test_an_archive_is_held_against_the_ledger(home: Here) -> None:
    told = home.good("archive", "check", "out", "--key", home.vkey, "--ledger", "ledger").out
    assert "held against ledger" in told
    assert "not held against" not in told
    said = home.good("archive", "check", "out", "--key", home.vkey, "--ledger", "ledger", "--json").json
    assert (said["against_ledger"], said["named_by"]) == (True, [])


def test_a_byte_that_is_turned_over_is_a_finding(home: Here) -> None:
    data = (home.path / "out").read_bytes()
    home.write("bad", data[:400] + bytes((data[400] ^ 1,)) + data[401:])
    ran = home.run("archive", "check", "bad", "--key", home.vkey)
    assert (ran.code, ran.err) == (1, "")
    assert "ARCHIVE_BLOCK" in ran.out
    said = home.run("archive", "check", "bad", "--key", home.vkey, "--json")
    assert said.code == 1
    assert {one["code"] for one in said.json["findings"]} == {"ARCHIVE_BLOCK", "ARCHIVE_COUNTS"}
    home.write("cut", data[:-1])
    assert "no whole archive" in home.refuses("archive", "check", "cut", "--key", home.vkey)
    assert "--key" in home.refuses("archive", "check", "out")


def test_an_archive_of_a_stranger_is_a_finding(home: Here) -> None:
    stranger = format_vkey(NoteSigner("ledger.example/cli", fixed_key("stranger")).verifier)
    said = home.run("archive", "check", "out", "--key", stranger, "--json")
    assert said.code == 1
    assert {one["code"] for one in said.json["findings"]} == {"ARCHIVE_SEAL"}


def test_an_entry_is_shown_and_proved(home: Here) -> None:
    made = home.good("archive", "check", "out", "--key", home.vkey, "--json").json["archive"]
    index = made["content_ranges"][0][0]
    told = home.good("archive", "show", "out", str(index), "--key", home.vkey).out
    assert told.startswith(f"entry {index}  ")
    assert f"in the log {made['origin']} of {made['size']} entries" in told
    assert "rows: " in told
    assert "not in the archive" in told
    assert "AUTHENTICITY NOT CHECKED" in home.good("archive", "show", "out", str(index)).out
    said = home.good("archive", "show", "out", str(index), "--key", home.vkey, "--json").json
    header, part = bytes.fromhex(said["header"]), bytes.fromhex(said["content_with_salt"])
    assert content_commitment(part[:32], part[32:]) == parse_header(header).content_commitment
    check_proof(parse_proof(said["proof"]), leaf_hash(header), parse_vkey(home.vkey.read_text().strip()))
    with Ledger.open(home.ledger) as ledger, ledger.snapshot() as view:
        assert (view.header(index), view.content(index)) == (header, part)
    assert said["authenticity"] == "checked"
    assert "is not in" in home.refuses("archive", "show", "out", str(made["size"]))
    stranger = format_vkey(NoteSigner("ledger.example/cli", fixed_key("stranger")).verifier)
    assert "sealed with key" in home.refuses("archive", "show", "out", str(index), "--key", stranger)


def test_the_key_has_to_be_there(home: Here) -> None:
    (home.path / "ledger.keys" / "log.pem").unlink()
    assert "the log key is not there" in home.refuses("archive", "ledger", "two", "--as-of", "2040-01-01")


def test_a_wrong_passphrase_leaves_nothing(home: Here) -> None:
    home.refuses("archive", "ledger", "two", "--as-of", "2040-01-01", env=environment(TRACECHAIN_PASSPHRASE="wrong"))
    assert not (home.path / "two").exists()
    assert not (home.path / "two.partial").exists()


def test_help_names_both_ways(template: Home) -> None:
    told = template.good("archive", "--help").out
    assert "archive LEDGER OUT" in told
    assert "archive COMMAND" in told
