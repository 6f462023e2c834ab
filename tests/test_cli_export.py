"""export: bundles of all kinds, as a user makes them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from cli_home import Home, copy_home
from cli_pilot_home import ONE, ZONE, Here
from test_cli_subject import ADDRESS, PHONE, order_entry
from test_cli_subject import template as person_template
from tracechain.bundle.check import check_whole
from tracechain.bundle.container import open_container
from tracechain.bundle.judging import check_excerpt
from tracechain.bundle.manifest import read_manifest
from tracechain.cli.keyfiles import read_vkey
from tracechain.ledger import Ledger

template = person_template
GTIN, LOT = "09521234001072", "LOT-A7"
NEVER = "01/09521234001072/21/NEVER"


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Here:
    return Here(copy_home(template, tmp_path / "home").path)


@pytest.fixture
def sealed(home: Here) -> Here:
    home.good("seal", "make", "ledger")
    return home


def check(home: Home, name: str) -> None:
    verifier = read_vkey(str(home.vkey))
    report = check_excerpt(home.path / name, verifier=verifier)
    assert report, report.findings


def asked(home: Home, name: str) -> tuple[str, ...]:
    with open_container(home.path / name) as container:
        return read_manifest(container).asked


def test_a_unit_is_exported_in_any_spelling_with_what_belongs_to_it(sealed: Here) -> None:
    spelt = "https://id.gs1.org/01/09521234001072/21/BJ00001"
    ran = sealed.good("export", "ledger", "out.zip", "--unit", spelt, "--unit", "(01)09521234001072(21)BJ00002")
    assert "2 histories" in ran.out
    assert "as asserted by the ledger" in ran.out
    assert "tracechain verify out.zip --key VKEY" in ran.out
    check(sealed, "out.zip")
    assert asked(sealed, "out.zip") == (f"unit {ONE}", "unit 01/09521234001072/21/BJ00002")
    with zipfile.ZipFile(sealed.path / "out.zip") as found:
        assert {"README.txt", "checkpoint", "bundle.json", "seal/items"} <= set(found.namelist())


def test_a_lot_a_recall_a_merchant_and_a_period_are_exported(sealed: Here) -> None:
    sealed.good(
        "recall", "open", "ledger", "--id", "R-1", "--class", "2", "--reason", "Particles", "--by", "Quality",
        "--gtin", GTIN, "--lot", LOT,
    )  # fmt: skip
    sealed.good("seal", "make", "ledger")
    for number, options in enumerate(
        (
            ("--lot", GTIN, LOT), ("--recall", "R-1"), ("--merchant", ZONE), ("--from", "2026-11-02"),
            ("--from", "2026-11-02", "--to", "2026-11-03"), ("--to", "2040-01-01T00:00:00Z"),
        )
    ):  # fmt: skip
        said = sealed.good("export", "ledger", f"out-{number}", *options, "--json").json
        assert said["kind"] == "excerpt"
        assert said["came_after_seal"] == []
        check(sealed, f"out-{number}")
    assert asked(sealed, "out-0") == (f"lot {LOT} of 01/{GTIN}",)


def test_the_whole_log_is_exported(sealed: Here) -> None:
    said = sealed.good("export", "ledger", "whole.zip", "--whole", "--json").json
    with Ledger.open(sealed.ledger) as ledger, ledger.snapshot() as view:
        assert said["entries"] == view.size
    assert check_whole(sealed.path / "whole.zip", verifier=read_vkey(str(sealed.vkey)))
    assert "the whole log" in sealed.good("export", "ledger", "whole", "--whole").out
    # An auditor who has the whole log makes excerpts of it himself.
    sealed.good("export", "ledger", "live", "--unit", ONE)
    sealed.good("export", "whole.zip", "made-of-it", "--unit", ONE)
    for path in (sealed.path / "live").rglob("*"):
        if path.is_file() and path.name != "bundle.json":
            assert (
                path.read_bytes() == (sealed.path / "made-of-it" / path.relative_to(sealed.path / "live")).read_bytes()
            )


def test_absence_is_exported_and_said_to_be_for_regulators(sealed: Here) -> None:
    ran = sealed.good("export", "ledger", "absent.zip", "--absent", NEVER, "--absent", "81234560000000000009")
    assert "2 codes" in ran.out
    assert "for regulators only" in ran.out
    check(sealed, "absent.zip")
    said = sealed.good("export", "ledger", "again.zip", "--absent", NEVER, "--json").json
    assert (said["kind"], said["absent"]) == ("absence", [NEVER])
    assert "is in the ledger" in sealed.refuses("export", "ledger", "x", "--absent", ONE)
    assert not (sealed.path / "x").exists()


def test_without_a_seal_it_is_said_that_nothing_shows_a_history_to_be_complete(home: Here) -> None:
    assert "there is no seal" in home.good("export", "ledger", "out", "--unit", ONE).out
    assert home.good("export", "ledger", "again", "--unit", ONE, "--json").json["seal"] is None
    assert "tracechain seal make" in home.refuses("export", "ledger", "x", "--absent", NEVER)
    check(home, "out")


def test_what_came_after_the_seal_is_named(sealed: Here) -> None:
    line = "event,time,code,parent,place,lot,expiry\ncommission,2026-11-21T09:30:00+08:00,010952123400107221LATE,,,,\n"
    sealed.write("late.csv", line)
    sealed.good("ingest", "ledger", "late.csv")
    ran = sealed.good("export", "ledger", "out", "--unit", "010952123400107221LATE")
    assert "(01)09521234001072(21)LATE came after the seal" in ran.out


def test_an_older_checkpoint_comes_with_its_proof(sealed: Here) -> None:
    sealed.write("old.txt", sealed.good("checkpoint", "ledger").out)
    sealed.good("seal", "make", "ledger")
    sealed.good("export", "ledger", "out", "--unit", ONE, "--since", "old.txt")
    report = check_excerpt(
        sealed.path / "out", verifier=read_vkey(str(sealed.vkey)), since=(sealed.path / "old.txt").read_text()
    )
    assert report, report.findings
    sealed.write("none.txt", "no checkpoint")
    assert "none.txt" in sealed.refuses("export", "ledger", "x", "--unit", ONE, "--since", "none.txt")
    assert "--since" in sealed.refuses("export", "ledger", "x", "--whole", "--since", "old.txt")


def test_private_values_take_a_name_and_a_ground_and_it_is_written_down(sealed: Here) -> None:
    pack = "010952123400107221BJ00003"
    sealed.good("export", "ledger", "plain", "--unit", pack)
    assert PHONE.encode() not in b"".join(path.read_bytes() for path in (sealed.path / "plain").rglob("*.json"))
    assert "--ground" in sealed.refuses("export", "ledger", "x", "--unit", pack, "--private", "phone")
    assert "--private" in sealed.refuses("export", "ledger", "x", "--unit", pack, "--ground", "why")
    assert "absence" in sealed.refuses("export", "ledger", "x", "--absent", NEVER, "--private", "a", "--ground", "b")
    ran = sealed.good("export", "ledger", "shown", "--unit", pack, "--private", "phone", "--ground", "case 7")
    assert "1 private value" in ran.out
    shown = b"".join(path.read_bytes() for path in (sealed.path / "shown/private").iterdir())
    assert PHONE.encode() in shown
    assert ADDRESS.encode() not in shown
    check(sealed, "shown")
    said = sealed.good(
        "export", "ledger", "whole.zip", "--whole", "--private", "phone", "--private", "address", "--ground", "case 8",
        "--json",
    ).json  # fmt: skip
    assert said["private_values"] == 2
    assert check_whole(sealed.path / "whole.zip", verifier=read_vkey(str(sealed.vkey))).disclosures == 2
    assert order_entry(sealed) > 0
    assert "is a bundle" in sealed.refuses(
        "export", "whole.zip", "x", "--unit", pack, "--private", "phone", "--ground", "case 9"
    )


def test_one_kind_is_exported_at_a_time(sealed: Here) -> None:
    for options in (
        (),
        ("--whole", "--unit", ONE),
        ("--recall", "R", "--absent", NEVER),
        ("--from", "2026-01-01", "--merchant", "m"),
    ):
        assert "say what, by one of" in sealed.refuses("export", "ledger", "x", *options)


def test_what_is_not_there_is_refused_and_leaves_nothing(sealed: Here) -> None:
    before = sorted(sealed.path.iterdir())
    for options, words in (
        (("--unit", NEVER), "no entry of the ledger names it"),
        (("--unit", "zz"), "no known scheme"),
        (("--lot", GTIN, "LOT-X"), "LOT-X"),
        (("--lot", "123", "LOT-X"), "--lot"),
        (("--recall", "R-9"), "no recall"),
        (("--merchant", "urn:example:nobody"), "nobody"),
        (("--from", "yesterday"), "--from"),
        (("--from", "2026-11-03", "--to", "2026-11-02"), "no time in it"),
    ):
        assert words in sealed.refuses("export", "ledger", "x", *options), options
    assert "exists" in sealed.refuses("export", "ledger", "ledger", "--whole")
    sealed.refuses("export", "nothing", "x", "--whole")
    assert sorted(sealed.path.iterdir()) == before


def test_what_is_asked_for_cannot_steer_the_terminal(sealed: Here) -> None:
    error = sealed.refuses("export", "ledger", "x", "--merchant", "a\u202eb")
    assert "\u202e" not in error


def test_where_a_code_is_an_excerpt_of_it_tells_like_the_ledger(sealed: Here) -> None:
    sealed.good("export", "ledger", "out.zip", "--unit", ONE)
    assert sealed.good("where", "out.zip", ONE).out == sealed.good("where", "ledger", ONE).out
    assert "only the whole log" in sealed.refuses("where", "out.zip", "010952123400107221BJ00002")
    assert "whole log" in sealed.refuses("stock", "out.zip")
