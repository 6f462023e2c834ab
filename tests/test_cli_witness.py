"""`tracechain witness`, `compare`, and verify by witnesses, as users run them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli_home import ORIGIN, Home, commissions, copy_home, make_home
from tracechain.checkpoint import format_checkpoint, parse_checkpoint, parse_note, parse_vkey
from tracechain.cli import main
from tracechain.cli.clock import telling
from tracechain.cli.witness_words import second
from tracechain.errors import InputError
from tracechain.ledger import Ledger
from tracechain.witnessing import parse_request

CUSTOMS, DRUGS = "customs.example/witness", "drugs-administration.example/witness"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A ledger with some entries, and two witnesses."""
    home = make_home(tmp_path_factory.mktemp("witness") / "home")
    home.write("a.csv", commissions(3))
    for number in range(1, 5):
        home.write(f"{number}.csv", commissions(2, start=100 * number))
    home.good("ingest", "ledger", "a.csv")
    home.good("witness", "init", "customs.pem", CUSTOMS)
    home.good("witness", "init", "drugs.pem", DRUGS)
    return home


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return copy_home(made, tmp_path / "home")


def cosigned(home: Home, who: str, name: str) -> Path:
    """Ask, sign and keep."""
    home.good("witness", "request", "ledger", "--of", f"{who}.vkey", "--out", f"{name}.request")
    home.good("witness", "sign", f"{name}.request", "--key", f"{who}.pem", "--log", home.vkey, "--out", f"{name}.note")
    home.good("witness", "add", "ledger", f"{name}.note", "--witness", f"{who}.vkey")
    return home.path / f"{name}.note"


def test_a_witness_has_a_key_of_its_kind_and_a_memory(home: Home) -> None:
    key = parse_vkey((home.path / "customs.vkey").read_text().strip())
    assert (key.name, key.algorithm) == (CUSTOMS, 4)
    assert (home.path / "customs.pem").stat().st_mode & 0o077 == 0
    assert (home.path / "customs.state" / "witness.vkey").read_text() == (home.path / "customs.vkey").read_text()
    assert "exists already" in home.refuses("witness", "init", "customs.pem", CUSTOMS)
    assert "cannot name a key" in home.refuses("witness", "init", "other.pem", "with space")
    assert not (home.path / "other.pem").exists()
    found = home.good("witness", "init", "third.pem", "third.example", "--json").json
    assert parse_vkey(found["vkey"]).name == "third.example"


def test_asked_signed_kept_and_verified(home: Home) -> None:
    cosigned(home, "customs", "one")
    asked = parse_request((home.path / "one.request").read_bytes())
    assert asked.old == 0
    home.good("ingest", "ledger", "1.csv")
    cosigned(home, "customs", "two")
    assert parse_request((home.path / "two.request").read_bytes()).old == 7
    cosigned(home, "drugs", "three")
    home.good("ingest", "ledger", "2.csv")
    both = ("--witness", "customs.vkey", "--witness", "drugs.vkey")
    ran = home.good("verify", "ledger", "--key", home.vkey, *both, "--quorum", "1")
    assert "VERIFIED, WITNESSED TO 11 OF 15 ENTRIES" in ran.out
    assert "0 to 6" in ran.out
    assert "not witnessed yet" in ran.out
    assert "UNWITNESSED" not in ran.out
    found = home.good("verify", "ledger", "--key", home.vkey, *both, "--json").json
    assert (found["verdict"], found["witnessed"]) == ("verified_witnessed", True)
    (note,) = found["witnesses"]["notes"]
    assert note["size"] == 11
    assert {one["name"] for one in note["witnesses"]} == {CUSTOMS, DRUGS}
    assert note["by"] == max(one["time"] for one in note["witnesses"])
    assert [one["stop"] for one in found["witnesses"]["brackets"]] == [11, 15]
    assert found["witnesses"]["not_witnessed"] == 4
    listed = home.good("witness", "list", "ledger", *both)
    assert listed.out.count("✓") == 3
    assert [one["stands"] for one in home.good("witness", "list", "ledger", "--json").json["cosignatures"]] == [
        None
    ] * 3


def test_a_policy_as_a_file(home: Home) -> None:
    cosigned(home, "customs", "one")
    lines = [f"witness {who} {(home.path / f'{who}.vkey').read_text().strip()}" for who in ("customs", "drugs")]
    log = f"log {home.vkey.read_text().strip()}"
    home.write("any.policy", "\n".join([log, *lines, "group g any customs drugs", "quorum g", ""]))
    home.write("all.policy", "\n".join([log, *lines, "group g all customs drugs", "quorum g", ""]))
    # The policy names the log's key, which comes from outside with it.
    assert "VERIFIED, WITNESSED" in home.good("verify", "ledger", "--policy", "any.policy").out
    ran = home.run("verify", "ledger", "--policy", "all.policy", "--json")
    assert ran.code == 1
    assert [one["code"] for one in ran.json["findings"]] == ["WITNESS_QUORUM"]
    assert ran.json["witnessed"] is False
    other = log.replace(ORIGIN, "other.example").replace(home.vkey.read_text().split("+")[1], "00000000")
    home.write("bad.policy", f"{other}\nquorum none\n")
    assert "line 1 of the policy" in home.refuses("verify", "ledger", "--policy", "bad.policy")
    for wrong in (
        ("--quorum", "1"), ("--witness", home.vkey), ("--witness", "customs.vkey", "--quorum", "2"),
        ("--policy", "any.policy", "--quorum", "1"), ("--policy", "any.policy", "--key", "customs.vkey"),
    ):  # fmt: skip
        home.refuses("verify", "ledger", *wrong)


def test_what_is_not_signed_is_said_with_a_reason_and_leaves_no_file(home: Home) -> None:
    cosigned(home, "customs", "one")
    home.good("ingest", "ledger", "1.csv")
    cosigned(home, "customs", "two")
    sign = ("witness", "sign", "one.request", "--key", "customs.pem", "--log", str(home.vkey), "--out", "again.note")
    ran = home.run(*sign)
    assert ran.code == 1
    assert "NOT SIGNED" in ran.out
    assert "ROLLBACK" in ran.out
    found = home.run(*sign, "--json")
    assert (found.code, found.json["signed"], found.json["number"], found.json["size"]) == (1, False, 409, 11)
    assert not (home.path / "again.note").exists()
    # The last request again: the answer as it was.
    home.good("witness", "sign", "two.request", "--key", "customs.pem", "--log", home.vkey, "--out", "again.note")
    assert (home.path / "again.note").read_bytes() == (home.path / "two.note").read_bytes()
    assert "not overwritten" in home.refuses(*sign)
    wrong = ("--out", "x.note", "--key", "customs.pem")
    assert "(404)" in home.refuses("witness", "sign", "two.request", *wrong, "--log", "drugs.vkey")
    assert "old <size>" in home.refuses("witness", "sign", "a.csv", *wrong, "--log", home.vkey)
    shutil.rmtree(home.path / "customs.state")
    assert "no memory of a witness" in home.refuses("witness", "sign", "two.request", *wrong, "--log", home.vkey)
    assert not (home.path / "x.note").exists()


def test_a_cosignature_without_its_note(home: Home) -> None:
    home.good("witness", "request", "ledger", "--out", "one.request")
    home.good("witness", "sign", "one.request", "--key", "drugs.pem", "--log", home.vkey, "--out", "one.note")
    home.write("line", (home.path / "one.note").read_text().splitlines(keepends=True)[-1])
    assert "name the request" in home.refuses("witness", "add", "ledger", "line")
    ran = home.good("witness", "add", "ledger", "line", "--request", "one.request")
    assert "not checked" in ran.out
    assert "was kept already" in home.good("witness", "add", "ledger", "one.note").out
    assert "of another witness" not in home.good("witness", "list", "ledger").out
    assert "nobody cosigned" in _refused(home, "checkpoint")


def _refused(home: Home, name: str) -> str:
    home.write(name, home.head())
    return home.refuses("witness", "add", "ledger", name)


def test_requests_from_a_size_or_a_note(home: Home) -> None:
    note = cosigned(home, "customs", "one")
    home.good("ingest", "ledger", "1.csv")
    for number, how in enumerate((("--since", "7"), ("--old", str(note)), (), ("--of", "customs.vkey"))):
        home.good("witness", "request", "ledger", *how, "--out", f"r{number}")
    assert len({(home.path / f"r{number}").read_bytes() for number in range(4)}) == 1
    home.good("witness", "request", "ledger", "--of", "drugs.vkey", "--out", "r4")
    assert parse_request((home.path / "r4").read_bytes()).old == 0
    home.refuses("witness", "request", "ledger", "--since", "99", "--out", "r5")
    home.refuses("witness", "request", "ledger", "--since", "7", "--old", note, "--out", "r5")
    assert "not overwritten" in home.refuses("witness", "request", "ledger", "--out", "r4")


def test_entries_that_were_lost_are_signed_with_consent_only(home: Home) -> None:
    home.good("backup", "ledger", "backup")
    home.good("ingest", "ledger", "1.csv")
    cosigned(home, "customs", "one")
    shutil.rmtree(home.ledger)
    shutil.copytree(home.path / "backup", home.ledger)
    home.good("restore", "ledger", "--reason", "the disk burned")
    ran = home.good("witness", "request", "ledger", "--old", "one.note", "--out", "two.request")
    assert "two.request.epoch" in ran.out
    sign = ("witness", "sign", "two.request", "--key", "customs.pem", "--log", str(home.vkey), "--out", "two.note")
    assert home.run(*sign).code == 1
    ran = home.run(*sign, "--epoch", "two.request.epoch")
    assert ran.code == 1
    assert "the disk burned" in ran.out
    ran = home.good(*sign, "--epoch", "two.request.epoch", "--accept-loss")
    assert "what was lost is accepted" in ran.out
    home.good("witness", "add", "ledger", "two.note")
    lost = home.run("compare", "one.note", "ledger", "--key", home.vkey)
    assert lost.code == 1
    assert "ENTRIES WERE LOST" in lost.out


def fork_of(home: Home) -> Path:
    for suffix in ("", ".anchor", ".keys"):
        source, target = home.path / f"ledger{suffix}", home.path / f"fork{suffix}"
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    home.good("ingest", "fork", "3.csv")
    home.good("ingest", "ledger", "4.csv")
    return home.path / "fork"


def test_two_that_were_shown_different_logs_find_out(home: Home) -> None:
    key = ("--key", str(home.vkey))
    early = cosigned(home, "customs", "one")
    fork_of(home)
    ran = home.run("compare", "ledger", "fork", *key)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "✗ FORK")
    assert "they part at entry 7" in ran.out
    home.good("ingest", "fork", "1.csv")
    late = home.good("checkpoint", "fork").out
    home.write("late", late)
    home.write("mine", home.head())
    ran = home.run("compare", "mine", "late", *key)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "? CANNOT TELL")
    assert "from 11 to 15" in ran.out
    ran = home.run("compare", "mine", "late", *key, "--with", "fork", "--json")
    assert (ran.code, ran.json["relation"]) == (1, "fork")
    # What was there before they parted is in both.
    for other in ("fork", "ledger"):
        assert home.good("compare", early, other, *key).out.startswith("✓ ONE EXTENDS THE OTHER")
    assert home.good("compare", "mine", "ledger", *key).out.startswith("✓ THE SAME")
    # And the witness signs but one of them.
    home.good("witness", "request", "fork", "--of", "customs.vkey", "--out", "f.request")
    home.good("witness", "sign", "f.request", "--key", "customs.pem", "--log", home.vkey, "--out", "f.note")
    home.good("witness", "request", "ledger", "--of", "customs.vkey", "--out", "g.request")
    refused = home.run("witness", "sign", "g.request", "--key", "customs.pem", "--log", home.vkey, "--out", "g.note")
    assert refused.code == 1
    home.good("ingest", "ledger", "2.csv")
    assert "FORK" in home.refuses("witness", "add", "ledger", "f.note")
    assert home.run("compare", "f.note", "ledger", *key, "--with", "fork").code == 1


def test_without_a_key_nothing_is_authentic(home: Home) -> None:
    home.write("mine", home.head())
    ran = home.run("compare", "mine", "ledger")
    assert ran.code == 1
    assert "authenticity not checked" in ran.out
    assert home.run("compare", "mine", "ledger", "--json").json["authenticity"] == "not_checked"
    assert "is a witness's key" in home.refuses("compare", "mine", "ledger", "--key", "drugs.vkey")
    home.refuses("compare", "a.csv", "ledger", "--key", home.vkey)
    home.refuses("compare", "nothing", "ledger", "--key", home.vkey)


def test_a_bundle_is_compared_as_a_ledger_is(home: Home) -> None:
    early = cosigned(home, "customs", "one")
    home.good("ingest", "ledger", "1.csv")
    home.good("export", "ledger", "all.zip", "--whole")
    ran = home.good("compare", early, "all.zip", "--key", home.vkey)
    assert ran.out.startswith("✓ ONE EXTENDS THE OTHER")
    fork_of(home)
    assert home.run("compare", "fork", "ledger", "--with", "all.zip", "--key", home.vkey).code == 1
    home.good("export", "ledger", "some", "--unit", "010952123400107221BJ00001", "--since", early)
    ran = home.good("compare", early, "some", "--key", home.vkey)
    assert ran.out.startswith("✓ ONE EXTENDS THE OTHER")
    # Its proof goes from the note; from the whole bundle, which is larger, the ledger tells.
    assert "CANNOT TELL" in home.run("compare", "all.zip", "some", "--key", home.vkey).out
    ran = home.good("compare", "all.zip", "some", "--key", home.vkey, "--with", "ledger")
    assert ran.out.startswith("✓ ONE EXTENDS THE OTHER")


def test_a_smaller_one_that_was_cosigned_later_is_a_rollback(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    first = home.head()
    home.write("first", first)
    home.good("witness", "request", "ledger", "--out", "old.request")
    home.good("ingest", "ledger", "1.csv")
    note = cosigned(home, "customs", "new")
    signed = parse_note(note.read_text()).signatures[-1]
    later = int.from_bytes(signed.signature[:8], "big") + 86_400
    paths = [str(home.path / name) for name in ("old.request", "drugs.pem", "ledger.vkey", "old.note")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACECHAIN_PASSPHRASE", "correct horse")
        with telling(lambda: later * 1000):
            arguments = ["--key", paths[1], "--log", paths[2], "--out", paths[3]]
            assert main(["witness", "sign", paths[0], *arguments]) == 0
    assert "cosigned by drugs" in capsys.readouterr().out
    both = ("--witness", "customs.vkey", "--witness", "drugs.vkey", "--key", str(home.vkey), "--with", "ledger")
    ran = home.run("compare", "old.note", "new.note", *both)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "✗ ROLLBACK")
    assert parse_note(first).text == format_checkpoint(parse_checkpoint(parse_note(first).text))


@pytest.mark.parametrize("time", [0, 9_223_200_000, 9_223_372_037, 2**63 - 1])
def test_a_time_that_no_calendar_reaches_is_shown_all_the_same(time: int) -> None:
    assert second(time) == {0: "1970-01-01 08:00:00 +08:00", 9_223_200_000: "2262-04-10 08:00:00 +08:00"}.get(
        time, f"{time:,} s after 1970"
    )


def test_the_ledger_answers_as_the_program_does(home: Home) -> None:
    with Ledger.open(home.ledger) as ledger, pytest.raises(InputError):
        ledger.witnessed.add("no note")
