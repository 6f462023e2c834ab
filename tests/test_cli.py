"""The terminal program as a user runs it: commands, JSON, exit codes, and that files are written once."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli_home import (
    DAY,
    HEADER,
    ORIGIN,
    PASSPHRASE,
    PROGRAM,
    Home,
    commissions,
    copy_home,
    environment,
    make_home,
    run,
    serial,
)
from tracechain import merkle
from tracechain.checkpoint import check_proof, open_checkpoint, parse_proof, parse_vkey
from tracechain.cli.output import plain
from tracechain.cli.sources import recorded_name
from tracechain.entry import EntryType, parse_header
from tracechain.ledger import Ledger

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A ledger with a small history, made once."""
    home = make_home(tmp_path_factory.mktemp("cli") / "template")
    home.write("a.csv", commissions(3))
    home.write(
        "b.csv",
        HEADER
        + f"pack,{DAY}T09:00:00+08:00,{serial(0)},095212340000000013,4149521234000013,,\n"
        + f"ship,{DAY}T10:00:00+08:00,(00)095212340000000013,,4149521234000013,,\n"
        + f"destroy,{DAY}T11:00:00+08:00,{serial(2)},,4149521234000013,,\n"
        + f"sell,{DAY}T12:00:00+08:00,{serial(2)},,4149521234000013,,\n",
    )
    home.good("ingest", "ledger", "a.csv", "b.csv")
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Home:
    """A copy of it that the test may write to."""
    return copy_home(template, tmp_path / "home")


# ---- init --------------------------------------------------------------------------------------


def test_init_makes_ledger_keys_and_verifier_key(template: Home) -> None:
    lines = template.vkey.read_text().splitlines()
    assert len(lines) == 1
    assert parse_vkey(lines[0]).name == ORIGIN
    for name in ("log", "root", "author"):
        path = template.path / "ledger.keys" / f"{name}.pem"
        assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert path.stat().st_mode & 0o777 == 0o600
    assert (template.path / "ledger.keys").stat().st_mode & 0o777 == 0o700


def test_init_takes_the_passphrase_from_a_file_and_says_all_in_json(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    env = environment(TRACECHAIN_PASSPHRASE="")
    made = run("init", "led", "--origin", ORIGIN, "--keys", "k", "--passphrase-file", "secret", "--json",
               cwd=tmp_path, env=env)  # fmt: skip
    assert made.code == 0
    assert set(made.json) == {"ledger", "origin", "ledger_id", "vkey", "vkey_file", "keys", "key_hashes", "profile"}
    assert made.json["profile"] is None
    assert (tmp_path / "led.vkey").read_text() == made.json["vkey"] + "\n"
    (tmp_path / "a.csv").write_text(commissions(1))
    done = run("ingest", "led", "a.csv", "--keys", "k", "--passphrase-file", "secret", cwd=tmp_path, env=env)
    assert done.code == 0


def test_init_that_fails_leaves_no_keys_behind(tmp_path: Path) -> None:
    for origin in ("", "two words", "a+b", "a/epoch/2"):
        assert run("init", "led", "--origin", origin, cwd=tmp_path).code == 2
    assert list(tmp_path.iterdir()) == []


# ---- ingest ------------------------------------------------------------------------------------


def test_ingest_tells_entries_violations_and_a_summary(template: Home, tmp_path: Path) -> None:
    home = copy_home(template, tmp_path / "home")
    home.write("c.csv", commissions(2, start=10))
    done = home.good("ingest", "ledger", "a.csv", "c.csv")
    assert "a.csv: already ingested in entry" in done.out
    assert "c.csv: 2 events (csv), entries" in done.out
    assert "2 events from 2 files" in done.out


def test_a_broken_rule_is_kept_with_the_event_and_strict_refuses_it(home: Home) -> None:
    row = f"{HEADER}sell,{DAY}T13:00:00+08:00,{serial(2)},,4149521234000013,,\n"
    home.write("c.csv", row)
    before = home.size()
    refused = home.run("ingest", "ledger", "c.csv", "--strict", "--json")
    assert refused.code == 2
    assert refused.json["files"][0]["status"] == "refused"
    assert refused.json["files"][0]["refused"] == [
        {
            "event": 0, "subject": "01/09521234001072/21/BJ00002", "code": 1, "name": "DEAD_PACK", "clause": "S1 V",
            "line": 2,
        }
    ]  # fmt: skip
    assert home.size() == before
    done = home.run("ingest", "ledger", "c.csv", "--json")
    assert done.code == 0
    (violation,) = done.json["files"][0]["violations"]
    assert violation["name"] == "DEAD_PACK"
    assert violation["subject"] == "01/09521234001072/21/BJ00002"


def test_the_same_file_again_changes_nothing_under_any_name(home: Home) -> None:
    before = home.size()
    (home.path / "renamed.txt").write_bytes((home.path / "a.csv").read_bytes())
    done = home.run("ingest", "ledger", "renamed.txt", "--json")
    assert done.code == 0
    assert done.json["files"][0]["status"] == "already_ingested"
    assert home.size() == before
    again = home.run("ingest", "ledger", "a.csv", "--again", "--json")
    assert (again.code, again.json["events"]) == (0, 3)


def test_a_large_file_is_written_in_parts_and_goes_on_where_it_stopped(home: Home) -> None:
    """The first parts as a killed run with other parts would have left them; every event is there exactly once."""
    home.write("many.csv", commissions(23, start=100))
    whole = home.run("ingest", "ledger", "many.csv", "--batch", "5", "--json")
    assert whole.json["files"][0]["events"] == 23
    first = home.run(
        "log", "ledger", "--from", str(whole.json["files"][0]["first_index"]), "--limit", "40", "--json"
    ).json
    kinds = [entry["content"]["body"] for entry in first["entries"] if entry["type"] == "record"]
    assert [body[2:] for body in kinds] == [[0, 5], [5, 5], [10, 5], [15, 5], [20, 3], [23]]
    assert home.run("ingest", "ledger", "many.csv", "--batch", "7", "--json").json["events"] == 0


def test_a_killed_run_loses_and_doubles_nothing(home: Home) -> None:
    home.write("many.csv", commissions(6_000, start=1000))
    before = home.size()
    process = subprocess.Popen(
        [PROGRAM, "ingest", "ledger", "many.csv", "--batch", "50"], cwd=home.path, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    with Ledger.open(home.ledger) as ledger:
        while time.monotonic() < deadline and process.poll() is None:
            with ledger.snapshot() as snapshot:
                if snapshot.size > before + 500:
                    break
    process.send_signal(signal.SIGKILL)
    process.wait()
    rest = home.run("ingest", "ledger", "many.csv", "--batch", "1000", "--json")
    assert rest.code == 0
    with Ledger.open(home.ledger) as ledger, ledger.snapshot() as snapshot:
        counted = sum(1 for _, raw in snapshot.headers(before, snapshot.size) if raw[4] == EntryType.EVENT)
    assert counted == 6_000
    home.good("verify", "ledger", "--key", "ledger.vkey")


def test_keep_going_leaves_out_what_is_faulty_and_says_so(home: Home) -> None:
    home.write("c.csv", commissions(2, start=50) + f"commission,{DAY},{serial(60)},,,,\n")
    home.write("d.csv", "nonsense\n")
    done = home.run("ingest", "ledger", "d.csv", "c.csv", "--keep-going", "--json")
    assert done.code == 1
    bad, good = done.json["files"]
    assert (bad["status"], good["status"], good["events"]) == ("refused", "ingested", 2)
    assert [(f["line"], f["column"]) for f in good["skipped"]] == [(4, "time")]
    assert "left out: c.csv, line 4, column time" in done.err


def test_files_after_a_bad_one_are_not_read(home: Home) -> None:
    home.write("bad.csv", HEADER + "x,y,z,,,,\n")
    home.write("c.csv", commissions(1, start=50))
    done = home.run("ingest", "ledger", "bad.csv", "c.csv", "--json")
    assert done.code == 2
    assert done.json["not_read"] == ["c.csv"]
    fault = done.json["files"][0]["fault"]
    assert (fault["line"], fault["column"], fault["value"]) == (2, "event", "x")


def test_json_lines_and_epcis_are_known_by_their_content(home: Home) -> None:
    line = json.dumps({"event": "receive", "time": f"{DAY}T14:00:00+08:00", "codes": [serial(0), serial(1)]})
    home.write("scans.data", line + "\n")
    event = {
        "type": "ObjectEvent", "eventTime": f"{DAY}T15:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "epcList": ["urn:epc:id:sgtin:9521234.000107.BJ00000"], "action": "OBSERVE", "bizStep": "shipping",
    }  # fmt: skip
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
        "schemaVersion": "2.0", "creationDate": f"{DAY}T15:00:00+08:00", "epcisBody": {"eventList": [event]},
    }  # fmt: skip
    home.write("document.txt", json.dumps(document))
    done = home.run("ingest", "ledger", "scans.data", "document.txt", "--json")
    assert [f["format"] for f in done.json["files"]] == ["jsonl", "epcis"]
    traced = home.run("trace", "ledger", serial(0), "--json").json
    assert [link["name"] for link in traced["links"]] == ["commission", "pack", "receive", "ship"]


def test_the_official_documents_are_ingested(home: Home) -> None:
    files = sorted((SHARED / "epcis" / "gs1-examples").rglob("*.json*"))
    if not files:
        pytest.skip("the official EPCIS documents (../shared/epcis) are not there")
    done = home.run("ingest", "ledger", *files, "--keep-going", "--json")
    assert done.json["events"] > 20
    assert sum(f["status"] == "ingested" for f in done.json["files"]) > len(files) // 2
    home.good("verify", "ledger", "--key", "ledger.vkey")


def test_two_runs_at_once_with_the_same_files_write_each_once(home: Home) -> None:
    before = home.size()
    names = []
    for number in range(4):
        names.append(f"f{number}.csv")
        home.write(names[-1], commissions(200, start=1000 + 200 * number))
    running = [
        subprocess.Popen(
            [PROGRAM, "ingest", "ledger", *order, "--json"], cwd=home.path, env=environment(), stdout=subprocess.PIPE
        )
        for order in (names, names[::-1], names)
    ]
    outcomes = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert sum(o["events"] for o in outcomes) == 800
    with Ledger.open(home.ledger) as ledger, ledger.snapshot() as snapshot:
        assert sum(1 for _, raw in snapshot.headers(before, snapshot.size) if raw[4] == EntryType.EVENT) == 800
    home.good("verify", "ledger", "--key", "ledger.vkey")


# ---- reading -----------------------------------------------------------------------------------


def test_checkpoint_prints_the_note_and_nothing_else(template: Home) -> None:
    note = template.good("checkpoint", "ledger").out
    verifier = parse_vkey(template.vkey.read_text().strip())
    head = open_checkpoint(note, verifier)
    said = template.good("checkpoint", "ledger", "--json").json
    assert said == {"origin": ORIGIN, "size": head.size, "root": head.root.hex(), "note": note}


def test_prove_prints_a_proof_that_fits_the_raw_header(template: Home) -> None:
    verifier = parse_vkey(template.vkey.read_text().strip())
    for index in (0, 3, template.size() - 1):
        raw = subprocess.run(
            [PROGRAM, "log", template.ledger, "--raw", str(index)], env=environment(), capture_output=True, check=True
        ).stdout
        assert len(raw) == 128
        parse_header(raw)
        proof = parse_proof(template.good("prove", "ledger", str(index)).out)
        assert proof.index == index
        check_proof(proof, merkle.leaf_hash(raw), verifier)
        said = template.good("prove", "ledger", str(index), "--json").json
        assert said["leaf"] == merkle.leaf_hash(raw).hex()
        assert template.good("log", "ledger", "--raw", str(index), "--json").json["header"] == raw.hex()


def test_log_shows_the_last_entries_or_those_asked_for(template: Home) -> None:
    size = template.size()
    said = template.good("log", "ledger", "--limit", "2", "--json").json
    assert [e["index"] for e in said["entries"]] == [size - 2, size - 1]
    said = template.good("log", "ledger", "--from", "0", "--limit", "3", "--json").json
    assert [e["type"] for e in said["entries"]] == ["genesis", "key_authorised", "statement"]
    text = template.good("log", "ledger", "--from", "0").out
    assert "(01)09521234001072(21)BJ00000 · lot LOT-A7 · expires 2028-06-30 · at (414)9521234000013" in text
    assert re.search(r"^ +3 .* commission ", text, re.MULTILINE)


@pytest.mark.parametrize(
    "code",
    [
        "010952123400107221BJ00000",
        "(01)09521234001072(21)BJ00000",
        "]d2010952123400107221BJ00000",
        "urn:epc:id:sgtin:9521234.000107.BJ00000",
        "https://id.gs1.org/01/09521234001072/21/BJ00000",
        "01/09521234001072/21/BJ00000",
    ],
)
def test_trace_takes_any_spelling(template: Home, code: str) -> None:
    traced = template.good("trace", "ledger", code, "--json").json
    assert traced["subject"] == "01/09521234001072/21/BJ00000"
    assert [(link["name"], link["good"]) for link in traced["links"]] == [("commission", True), ("pack", True)]
    assert traced["links"][0]["content"]["eventTime"] == f"{DAY}T08:00:00+08:00"


def test_trace_is_a_timeline_with_verdicts_and_broken_rules(template: Home) -> None:
    text = template.good("trace", "ledger", serial(2), "--key", "ledger.vkey").out
    assert text.startswith("(01)09521234001072(21)BJ00002   dead   3 links")
    assert [line[0] for line in text.splitlines() if "entry" in line] == ["✓", "✓", "✓"]
    assert "! DEAD_PACK" in text
    assert "every link holds" in text
    assert "authenticity" not in text
    assert "authenticity was checked only against the key" in template.good("trace", "ledger", serial(2)).out


def test_an_unknown_code_is_answered_with_what_was_perhaps_meant(template: Home) -> None:
    done = template.run("trace", "ledger", "010952123400107221BJO0000")
    assert done.code == 1
    assert "not in this ledger" in done.out
    assert "(01)09521234001072(21)BJ00000" in done.out
    said = template.run("trace", "ledger", "010952123400107221ZZZZZZZ", "--json")
    assert (said.code, said.json["known"], said.json["nearest"]) == (1, False, [])


def test_verify_without_a_key_never_says_ok(template: Home) -> None:
    done = template.good("verify", "ledger")
    assert "AUTHENTICITY NOT CHECKED" in done.out
    assert "VERIFIED" not in done.out
    said = template.good("verify", "ledger", "--json").json
    assert (said["authenticity"], said["verdict"]) == ("not_checked", "consistent_authenticity_not_checked")


def test_verify_with_a_key_says_unwitnessed(template: Home) -> None:
    for key in ("ledger.vkey", template.vkey.read_text().strip()):
        done = template.good("verify", "ledger", "--key", key)
        assert "VERIFIED, UNWITNESSED" in done.out
    said = template.good("verify", "ledger", "--key", "ledger.vkey", "--processes", "2", "--json").json
    assert (said["good"], said["witnessed"], said["size"]) == (True, False, template.size())


def test_verify_since_a_checkpoint_that_was_kept(home: Home) -> None:
    home.write("kept", home.good("checkpoint", "ledger").out)
    home.write("c.csv", commissions(5, start=70))
    home.good("ingest", "ledger", "c.csv")
    said = home.good("verify", "ledger", "--key", "ledger.vkey", "--since", "kept", "--json").json
    assert said["good"]
    assert said["size"] == home.size()


def test_what_was_tampered_with_is_found_by_verify_and_trace(home: Home) -> None:
    with Ledger.open(home.ledger) as ledger, ledger.snapshot() as snapshot:
        part = snapshot.content(3)
    assert part is not None
    (data,) = home.ledger.glob("ledger/gen-*/data.mdb")
    raw = data.read_bytes()
    assert part in raw
    data.write_bytes(raw.replace(part, part[:-1] + bytes((part[-1] ^ 1,))))
    found = home.run("verify", "ledger", "--key", "ledger.vkey")
    assert found.code == 1
    assert "CONTENT_COMMITMENT" in found.out
    said = home.run("verify", "ledger", "--json")
    assert (said.code, said.json["good"], said.json["verdict"]) == (1, False, "findings")
    assert {f["index"] for f in said.json["findings"]} >= {3}
    traced = home.run("trace", "ledger", serial(0))
    assert traced.code == 1
    assert "✗" in traced.out
    assert "CONTENT_COMMITMENT" in traced.out


# ---- keys, stations, maintenance ---------------------------------------------------------------


def test_a_station_signs_now_and_submits_later(home: Home) -> None:
    ledger_id = home.good("log", "ledger", "--from", "0", "--limit", "1", "--json").json["entries"][0]["leaf"]
    home.good("keys", "create", "st.pem")
    home.write("c.csv", commissions(4, start=80))
    home.good("station", "create", "st", ledger_id, "--key", "st.pem")
    home.good("station", "sign", "st", "c.csv", "--key", "st.pem")
    (waiting,) = home.good("station", "pending", "st", "--key", "st.pem", "--json").json
    refused = home.refuses("submit", "ledger", waiting["path"])
    assert "not authorised" in refused
    home.good("keys", "authorise", "ledger", "st.pem", "--label", "station 7", "--scope", "event")
    copy = home.write("copy.tcs", Path(home.path / waiting["path"]).read_bytes())
    assert home.good("station", "send", "st", "ledger", "--key", "st.pem", "--json").json["sent"][0]["events"] == 4
    assert home.good("submit", "ledger", copy, "--json").json["repeated"] is True
    assert home.good("ingest", "ledger", copy, "--json").json["files"][0]["status"] == "repeated"
    assert home.good("trace", "ledger", serial(80), "--json").json["links"][0]["author"] == "station 7"
    home.good("keys", "revoke", "ledger", "station 7", "--reason", "stolen")
    home.good("station", "sign", "st", "c.csv", "--key", "st.pem")
    assert "was revoked in entry" in home.refuses("station", "send", "st", "ledger", "--key", "st.pem")
    listed = home.good("keys", "list", "ledger", "--json").json
    assert [(a["label"], a["scope"], a["revoked_index"] is None) for a in listed["authors"]] == [
        ("ledger", None, True),
        ("station 7", ["event"], False),
    ]
    assert home.good("keys", "show", "ledger").out == home.vkey.read_text()


def test_a_backup_goes_on_as_a_new_epoch_whose_loss_is_a_finding_until_settled(home: Home) -> None:
    home.good("backup", "ledger", "copy")
    home.write("c.csv", commissions(5, start=70))
    home.good("ingest", "ledger", "c.csv")
    size = home.size()
    home.ledger.rename(home.path / "lost")
    (home.path / "copy").rename(home.ledger)
    behind = home.run("ingest", "ledger", "c.csv")
    assert behind.code == 2
    assert "older copy was put back" in behind.err
    assert home.run("verify", "ledger", "--key", "ledger.vkey").code == 1
    restored = home.good("restore", "ledger", "--reason", "disk broke", "--json").json
    assert (restored["epoch"], restored["lost_end"]) == (1, size)
    home.good("ingest", "ledger", "c.csv")
    found = home.run("verify", "ledger", "--key", "ledger.vkey")
    assert found.code == 1
    assert "EPOCH_LOST" in found.out
    home.good("settle", "ledger", "--epoch", "1", "--reason", "ingested again")
    assert "the loss of epoch 1 is settled" in home.good("verify", "ledger", "--key", "ledger.vkey").out


def test_reindex_changes_nothing_that_can_be_asked(home: Home) -> None:
    before = home.good("checkpoint", "ledger").out, home.good("trace", "ledger", serial(0), "--json").json
    assert home.good("reindex", "ledger", "--json").json["size"] == home.size()
    assert (home.good("checkpoint", "ledger").out, home.good("trace", "ledger", serial(0), "--json").json) == before


# ---- terminal ----------------------------------------------------------------------------------


def test_every_command_has_help_and_json(template: Home) -> None:
    listed = re.findall(r"^  ([a-z]+) ", template.good("--help").out.split("Commands:")[1], re.MULTILINE)
    assert {"init", "keys", "ingest", "log", "trace", "checkpoint", "prove", "verify", "reindex", "backup"} <= set(
        listed
    )
    for name in listed:
        text = template.good(name, "--help").out
        if "COMMAND [ARGS]" not in text:
            assert "--json" in text
            continue
        for inner in re.findall(r"^  ([a-z]+) ", text.split("Commands:")[1], re.MULTILINE):
            assert "--json" in template.good(name, inner, "--help").out


def test_version(template: Home) -> None:
    assert re.fullmatch(r"tracechain [0-9]+\.[0-9]+\.[0-9]+\S*\n", template.good("--version").out)
    done = subprocess.run([sys.executable, "-m", "tracechain", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == template.good("--version").out


def test_what_could_steer_a_terminal_is_escaped(home: Home) -> None:
    assert plain("a\x1b[31mb\u202ec\x00\n") == r"a\x1b[31mb\u202ec\x00\n"
    assert plain("药 [bold]x[/bold] ✓") == "药 [bold]x[/bold] ✓"
    assert recorded_name(Path("x/a\x1bb\u202e.csv")) == "a\ufffdb\ufffd.csv"
    name = "[bold red]a\x1b]0;owned\x07.csv"
    home.write(name, HEADER + f"hold,{DAY}T08:00:00+08:00,{serial(0)},,urn:x:%1b[31m,\x1b[31mred,\n")
    err = home.refuses("ingest", "ledger", name)
    assert "\x1b]" not in err
    assert r"\x1b" in err
    home.write(name, HEADER + f"hold,{DAY}T08:00:00+08:00,{serial(0)},,urn:x:[bold]y[/bold],[red]L[/red] :smile:,\n")
    out = home.good("ingest", "ledger", name).out
    assert "\x1b" not in out
    assert "[red]L[/red] :smile:" in home.good("log", "ledger", "--limit", "3").out
    assert "[red]L[/red] :smile:" in home.good("trace", "ledger", serial(0)).out


def test_a_reader_that_goes_away_is_no_error(template: Home) -> None:
    command = f"'{PROGRAM}' log ledger --from 0 --json | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=template.path, env=environment(), capture_output=True, check=False
    )
    assert done.stderr == b""
    assert done.returncode in (0, 141)


def on_terminal(home: Home, *arguments: str, keys: bytes = b"", env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run the program on a terminal of its own and type `keys`."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(home.path)
        os.execve(PROGRAM, ["tracechain", *arguments], env or environment(TERM="xterm-256color"))
    shown = b""
    typed = not keys
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
        if not typed and b"Passphrase" in shown:
            os.write(fd, keys)
            typed = True
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_a_terminal_gets_colours_and_is_asked_for_the_passphrase(home: Home) -> None:
    code, shown = on_terminal(home, "verify", "ledger", "--key", "ledger.vkey")
    assert code == 0
    assert "\x1b[32m✓ VERIFIED, UNWITNESSED" in shown
    env = environment(TERM="xterm-256color", TRACECHAIN_PASSPHRASE="")
    code, shown = on_terminal(home, "reindex", "ledger", keys=f"{PASSPHRASE}\n".encode(), env=env)
    assert code == 0
    assert "Passphrase of the keys: " in shown
    assert PASSPHRASE not in shown
    assert "rebuilt" in shown


def test_an_interrupt_is_said_in_a_line(home: Home) -> None:
    env = environment(TERM="xterm-256color", TRACECHAIN_PASSPHRASE="")
    code, shown = on_terminal(home, "reindex", "ledger", keys=b"\x03", env=env)
    assert code == 130
    assert "interrupted" in shown
    assert "Traceback" not in shown


def test_the_program_says_what_to_install_without_its_packages(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom importlib.abc import MetaPathFinder\n"
        "class Gone(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'click':\n            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "from tracechain.cli import main\nsys.exit(main([]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "tracechain: the terminal program needs the package click: pip install 'tracechain[cli]'\n"


def test_the_anchor_is_what_shows_a_rollback_and_leaving_it_out_is_said(home: Home) -> None:
    (home.path / "ledger.anchor").unlink()
    found = home.run("verify", "ledger", "--key", "ledger.vkey")
    assert found.code == 1
    assert "ROLLBACK" in found.out
    assert "anchor was not checked" in home.good("verify", "ledger", "--key", "ledger.vkey", "--no-anchor").out


def test_a_proof_file_has_base64_hashes_a_line(template: Home) -> None:
    lines = template.good("prove", "ledger", "3").out.splitlines()
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 3"]
    for line in lines[2 : lines.index("")]:
        assert len(base64.b64decode(line, validate=True)) == 32
