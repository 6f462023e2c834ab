"""replay, verify and the commands that read, on bundles: what an auditor runs who has nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cli_home import Home
from cli_pilot_home import ONE, ZONE, Here, make_pilot_home
from tracechain.bundle.container import create_container, open_container

AUDITOR = "auditor.example"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A pilot ledger, sealed, exported whole as a folder and as a zip; and an auditor's key."""
    home = make_pilot_home(tmp_path_factory.mktemp("replay") / "home")
    home.good("seal", "make", "ledger")
    home.good("export", "ledger", "bundle", "--whole")
    home.good("export", "ledger", "bundle.zip", "--whole")
    vkey = home.good("seal", "key", "auditor.pem", AUDITOR, "--json").json["vkey"]
    home.write("auditor.vkey", f"{vkey}\n")
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Here:
    shutil.copytree(template.path, tmp_path / "home")
    return Here(tmp_path / "home")


def altered(home: Home, name: str = "rows/000") -> str:
    """A bundle of which one byte is another one."""
    with open_container(home.path / "bundle.zip") as container, create_container(home.path / "altered.zip") as writer:
        for one in container.names():
            data = container.read(one, 1 << 28) or b""
            if one.startswith(name):
                data = data[:40] + bytes([data[40] ^ 1]) + data[41:]
            writer.put(one, data)
    return "altered.zip"


# ---- replay ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["bundle", "bundle.zip", "ledger"])
def test_a_log_is_replayed(home: Here, where: str) -> None:
    told = home.good("replay", where).out
    for words in (
        "✓ REPLAYED", "4 packs", "1 sold", "2 bonded", "SECONDARY_SALE", "open case", "seal", "worked out again",
        "every state and violation was judged again", "taken at its word",
    ):  # fmt: skip
        assert words in told, words
    said = home.good("replay", where, "--json").json
    assert said["packs"] == {"bonded": 2, "none": 1, "sold": 1}
    assert said["good"]
    assert not said["verified"]
    assert [one["stands"] for one in said["seals"]] == [True]
    assert said["violations"] == {
        one["name"]: one["count"] for one in home.good("violations", "ledger", "--json").json["violations"]
    }
    assert sum(row["units"] for row in said["stock"]) == home.good("stock", "ledger", "--json").json["units"]


def test_a_moment_is_what_it_was(home: Here) -> None:
    whole = home.good("replay", "bundle.zip", "--json").json
    entries = home.good("log", "ledger", "--from", "0", "--limit", "1000", "--json").json["entries"]
    times = sorted({one["receipt_time_ms"] for one in entries})
    middle = times[len(times) // 2]
    asked = f"{_iso(middle)}"
    said = home.good("replay", "bundle.zip", "--as-of", asked, "--json").json
    assert said["entries"] == sum(one["receipt_time_ms"] <= middle for one in entries) < whole["entries"]
    assert said["size"] == whole["size"]
    assert "as of" in home.good("replay", "bundle.zip", "--as-of", asked).out
    early = home.run("replay", "bundle.zip", "--as-of", "2001-01-01")
    assert early.code == 2
    assert "nothing was recorded by" in early.err
    assert home.good("replay", "bundle.zip", "--as-of", "2100-01-01", "--json").json["entries"] == whole["entries"]


def _iso(milliseconds: int) -> str:
    from tracechain.event import format_time

    return format_time(milliseconds * 1_000_000, 480)


def test_what_departs_from_the_rules_is_found(home: Here) -> None:
    """Rows that say something else than the rules come to; replay takes the bytes as they are, verify does not."""
    with open_container(home.path / "bundle.zip") as container, create_container(home.path / "other.zip") as writer:
        for one in container.names():
            data = container.read(one, 1 << 28) or b""
            # The sale that nobody cleared: its violations are gone from the row.
            writer.put(one, data.replace(b"\x92\x05\x24", b"\x92\x05\x25") if one.startswith("rows/") else data)
    ran = home.run("replay", "other.zip")
    assert ran.code == 1
    assert "ROW_VIOLATIONS" in ran.out
    said = home.run("replay", "other.zip", "--json").json
    assert not said["good"]
    assert said["findings"]


def test_damaged_rows_are_found_and_said(home: Here) -> None:
    ran = home.run("replay", altered(home))
    assert ran.code == 1
    assert "ROWS_MALFORMED" in ran.out
    assert "cannot be told" in ran.out
    said = home.run("replay", "altered.zip", "--json").json
    assert (said["good"], said["packs"]) == (False, {})


def test_what_is_no_bundle(home: Here) -> None:
    home.write("x.zip", "no zip")
    for name, words in (("x.zip", "no zip file"), ("none", "none"), ("auditor.vkey", "is a file")):
        ran = home.run("replay", name)
        assert ran.code == 2, name
        assert words in ran.err
    home.good("export", "ledger", "one.zip", "--unit", ONE)
    ran = home.run("replay", "one.zip")
    assert ran.code == 2
    assert "needs the whole log" in ran.err


# ---- an auditor's signature ------------------------------------------------------------------------

COSIGN = ("--cosign", "auditor.pem", "--name", AUDITOR, "--out", "note.txt")


def test_an_auditor_signs_what_he_worked_out(home: Here) -> None:
    ran = home.good("replay", "bundle.zip", *COSIGN, "--key", home.vkey)
    assert "✓ COSIGNED" in ran.out
    assert "taken at its word" not in ran.out
    home.good("seal", "note", "ledger", "note.txt", "--auditor", "auditor.vkey")
    home.good("export", "ledger", "again.zip", "--whole")
    told = home.good("verify", "again.zip", "--key", home.vkey, "--auditor", "auditor.vkey").out
    assert f"as asserted by the ledger, and by {AUDITOR}" in told
    # A second auditor signs the note that is in the bundle.
    home.good("seal", "key", "second.pem", "second.example")
    said = home.good(
        "replay", "again.zip", "--cosign", "second.pem", "--name", "second.example", "--out", "both.txt", "--key",
        home.vkey, "--json",
    ).json  # fmt: skip
    assert (said["verified"], said["cosigned"], said["not_cosigned"]) == (True, True, None)
    note = (home.path / "both.txt").read_text()
    assert note.startswith((home.path / "note.txt").read_text())
    assert note.count("— ") == 2


def test_nobody_signs_what_is_not_sound(home: Here) -> None:
    ran = home.run("replay", altered(home), *COSIGN, "--key", home.vkey)
    assert ran.code == 1
    assert "✗ NOT COSIGNED   the bundle is not sound" in ran.out
    said = home.run("replay", "altered.zip", *COSIGN, "--key", home.vkey, "--json").json
    assert (said["verified"], said["cosigned"]) == (False, False)
    assert not (home.path / "note.txt").exists()


def test_a_signature_takes_a_seal_a_key_a_name_and_a_place(home: Here) -> None:
    bare = make_pilot_home(home.path / "bare", market=False)
    bare.good("export", "ledger", "bundle.zip", "--whole")
    bare.good("seal", "key", "auditor.pem", AUDITOR)
    ran = bare.run("replay", "bundle.zip", *COSIGN, "--key", bare.vkey)
    assert ran.code == 1
    assert "there is no seal" in ran.out
    home.write("taken.txt", "x")
    for arguments, words in (
        (("bundle.zip", *COSIGN), "takes --name, --key and --out"),
        (("bundle.zip", *COSIGN, "--key", str(home.vkey), "--as-of", "2027-01-01"), "leave --as-of out"),
        (("ledger", *COSIGN, "--key", str(home.vkey)), "seal cosign"),
        (("bundle.zip", "--name", "x"), "belong to --cosign"),
        (("bundle.zip", *COSIGN[:-1], "taken.txt", "--key", str(home.vkey)), "exists"),
    ):
        ran = home.run("replay", *arguments)
        assert ran.code == 2, arguments
        assert words in ran.err


# ---- verify ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_bundle_is_verified(home: Here, name: str) -> None:
    told = home.good("verify", name, "--key", home.vkey, "--rules").out
    for words in ("a whole log, exported 20", "✓ VERIFIED, UNWITNESSED", "worked out again", "judged again", "root "):
        assert words in told, words
    said = home.good("verify", name, "--key", home.vkey, "--json").json
    assert (said["kind"], said["verdict"], said["asked"]) == ("whole", "verified_unwitnessed", ["the whole ledger"])
    assert said["seals"]["right"] == 1
    without = home.run("verify", name)
    assert without.code == 1
    assert "AUTHENTICITY NOT CHECKED" in without.out
    # The older checkpoint, and a policy of one's own.
    home.write("old.txt", home.good("checkpoint", "ledger").out)
    home.good("verify", name, "--key", home.vkey, "--since", "old.txt", "--retention", "pilot")
    home.good("verify", name, "--key", home.vkey, "--processes", "2")


def test_an_altered_bundle_is_found(home: Here) -> None:
    ran = home.run("verify", altered(home), "--key", home.vkey)
    assert ran.code == 1
    assert "✗ " in ran.out
    said = home.run("verify", "altered.zip", "--key", home.vkey, "--json").json
    assert not said["good"]
    assert said["findings"][0]["code"] in ("BUNDLE_FILE", "ROW_ROOT", "ROWS_MALFORMED", "HEADER_COUNTS")
    (home.path / "bundle" / "checkpoint").unlink()
    (home.path / "bundle" / "checkpoint").symlink_to("bundle.json")
    ran = home.run("verify", "bundle", "--key", home.vkey)
    assert ran.code == 2
    assert "is a link" in ran.err


def test_excerpts_say_what_they_show(home: Here) -> None:
    home.good("export", "ledger", "one.zip", "--unit", ONE)
    told = home.good("verify", "one.zip", "--key", home.vkey).out
    for words in ("an excerpt from a log", "as asserted by the ledger", "BJ00001", "sold", "entries"):
        assert words in told, words
    said = home.good("verify", "one.zip", "--key", home.vkey, "--json").json
    assert said["kind"] == "excerpt"
    assert ONE in [one["subject"] for one in said["histories"]]
    never = "01/09521234001072/21/NEVER"
    home.good("export", "ledger", "never.zip", "--absent", never)
    assert "was not in the ledger" in home.good("verify", "never.zip", "--key", home.vkey).out
    said = home.good("verify", "never.zip", "--key", home.vkey, "--json").json
    assert (said["kind"], said["absent"]) == ("absence", [never])
    noted = home.good("verify", "one.zip", "--key", home.vkey, "--retention", "pilot").out
    assert "only the whole log tells" in noted


# ---- the commands that read ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("where", "{}", ONE), ("trace", "{}", ONE), ("stock", "{}"), ("stock", "{}", "--by", "lot", "--by", "place"),
        ("violations", "{}"), ("violations", "{}", "--code", "SECONDARY_SALE"), ("cases", "{}"),
        ("alerts", "{}", "--as-of", "2027-06-01"), ("log", "{}", "--limit", "5"),
        ("check", "{}", ONE, "--event", "sell", "--place", ZONE, "--at", "2026-11-23T10:00:00+08:00"),
        ("recall", "preview", "{}", "--gtin", "09521234001072", "--lot", "LOT-A7"), ("recall", "show", "{}"),
        ("register", "{}", "merchant", "--show"),
    ],
    ids=lambda one: " ".join(one[:2]),
)  # fmt: skip
def test_commands_say_of_a_bundle_what_they_say_of_its_ledger(home: Here, command: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        live, given = (home.run(*(one.format(name) for one in command), *more) for name in ("ledger", "bundle.zip"))
        assert given.code == live.code
        assert given.code in (0, 1), given.err
        assert given.out.replace("bundle.zip", "ledger") == live.out


def test_a_bundle_is_only_read(home: Here) -> None:
    home.write("more.csv", "event,time,code\n")
    ran = home.run("ingest", "bundle", "more.csv")
    assert ran.code == 2
