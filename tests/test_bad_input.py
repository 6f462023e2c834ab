"""Wrong input of every kind, to the installed program: what, where, what to do; exit 2; nothing lost or written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import lmdb
import pytest

from cli_home import (
    DAY,
    HEADER,
    ORIGIN,
    PROGRAM,
    Home,
    commissions,
    copy_home,
    environment,
    make_home,
    run,
    serial,
)
from tracechain.checkpoint import format_vkey
from tracechain.ledger import Ledger
from tracechain.testing import fixed_key

TIME = f"{DAY}T08:00:00+08:00"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A ledger with a few packs."""
    home = make_home(tmp_path_factory.mktemp("bad") / "template")
    home.write("a.csv", commissions(3))
    home.good("ingest", "ledger", "a.csv")
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Home:
    """A copy that the test may write to."""
    return copy_home(template, tmp_path / "home")


# ---- files -------------------------------------------------------------------------------------


def epcis(**changes: object) -> str:
    """An EPCIS document with one event, some fields of it changed."""
    event: dict[str, object] = {
        "type": "ObjectEvent", "eventTime": TIME, "eventTimeZoneOffset": "+08:00", "action": "OBSERVE",
        "epcList": ["urn:epc:id:sgtin:9521234.000107.BJ00000"], "bizStep": "shipping",
    }  # fmt: skip
    return json.dumps(
        {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
            "schemaVersion": "2.0", "creationDate": TIME, "epcisBody": {"eventList": [event, event | changes]},
        }
    )  # fmt: skip


GOOD = f"receive,{TIME},{serial(0)},,,,\n"
FILES: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "empty file": (b"", ("is empty",)),
    "nothing but a header": (HEADER, ("no scans",)),
    "nothing but a byte order mark": (b"\xef\xbb\xbf", ("there is nothing to read",)),
    "semicolons": ((HEADER + GOOD).replace(",", ";"), ("line 1", "';'", "save the file with commas")),
    "tabs": ((HEADER + GOOD).replace(",", "\t"), ("line 1", "tab", "save the file with commas")),
    "semicolons below a good header": (HEADER + GOOD + GOOD.replace(",", ";"), ("line 3", "';'", "commas")),
    "a missing column": (f"event,time\nreceive,{TIME}\n", ("line 1", "'code' is missing")),
    "no header": (GOOD, ("line 1", "the first line is the header")),
    "GB 18030": (
        (HEADER + GOOD + f"receive,{TIME},{serial(0)},,,苯片,\n").encode("gb18030"),
        ("line 3", "byte ", "save the file as UTF-8"),
    ),
    "UTF-16": ((HEADER + GOOD).encode("utf-16"), ("byte 0", "UTF-16", "save the file as UTF-8")),
    "a spreadsheet": (b"PK\x03\x04\x14\x00\x06\x00", ("spreadsheet", "save the sheet as CSV")),
    "XML": ('<?xml version="1.0"?><epcis:EPCISDocument/>', ("XML", "2.0 JSON")),
    "a space in a code": (
        HEADER + GOOD + f"receive,{TIME},0109521234001072 21BJ00001,,,,\n",
        ("line 3, column code", "space at position 17", "'0109521234001072 21BJ00001'"),
    ),
    "full-width digits in a code": (
        HEADER + f"receive,{TIME},０１０９５２１２３４００１０７２２１BJ00001,,,,\n",
        ("line 2, column code", "full-width", "half-width"),
    ),
    "a wrong check digit": (
        HEADER + f"receive,{TIME},010952123400107321BJ00001,,,,\n",
        ("line 2, column code", "check digit should be 2"),
    ),
    "a time without zone": (
        HEADER + GOOD + GOOD + f"receive,{DAY}T08:00:00,{serial(0)},,,,\n",
        ("line 4, column time", f"'{DAY}T08:00:00'", "has no zone", "+08:00"),
    ),
    "a day that no calendar has": (
        HEADER + f"receive,2026-02-30T08:00:00Z,{serial(0)},,,,\n", ("line 2, column time", "no such day"),
    ),
    "an unknown event": (
        HEADER + f"recieve,{TIME},{serial(0)},,,,\n", ("line 2, column event", "'recieve'", "did you mean 'receive'"),
    ),
    "an open quote": (HEADER + f'receive,{TIME},"{serial(0)},,,,\n', ("line 2", "quoting is broken")),
    "deep JSON in a line": (
        '{"a":' * 100_000 + "}" * 100_000 + "\n", ("line 1", "nested too deep"),
    ),
    "deep JSON in a document": ('{"@context":[],"type":' + "[" * 500_000, ("nested too deep",)),
    "broken JSON": ('{"event": "receive",\n', ("line 1", "no JSON")),
    "JSON that is cut off": (epcis()[:-20], ("no JSON",)),
    "a field that does not exist": (
        json.dumps({"event": "receive", "time": TIME, "kode": serial(0)}), ("line 1", "'kode'", "did you mean 'code'"),
    ),
    "a number as code": (f'{{"event":"receive","time":"{TIME}","code":1}}', ("line 1, column code", "in quotes")),
    "a time without zone in EPCIS": (epcis(eventTime=f"{DAY}T08:00:00"), ("event 2", f"{DAY}T08:00:00", "eventTime")),
    "a step that CBV does not have": (epcis(bizStep="teleporting"), ("event 2", "teleporting", "bizStep")),
    "a code with a space in EPCIS": (epcis(epcList=["urn:epc:id:sgtin:9521234.000107.B J"]), ("event 2", "epcList")),
    "no EPCIS type": (epcis(type="SomethingEvent"), ("event 2", "SomethingEvent")),
    "a cut submission": (b"\x93\xb8tracechain submission v0\xc4", ("MessagePack", "submission")),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_refused_whole(home: Home, name: str) -> None:
    content, said = FILES[name]
    home.write("wrong.txt", content)
    error = home.refuses("ingest", "ledger", "wrong.txt")
    assert "wrong.txt" in error
    if name == "a cut submission":
        return  # its words are the decoder's
    for words in said:
        assert words in error


@pytest.mark.parametrize(("beginning", "line"), [("", 1), (HEADER, 2), ('{"event":"', 1)])
def test_a_line_of_two_gigabytes_is_refused_without_being_in_memory(home: Home, beginning: str, line: int) -> None:
    """A sparse file, so it costs no room; the program may use less memory than the line has."""
    os.truncate(home.write("huge.csv", beginning + "x" * (2 << 20)), 2 << 30)
    script = f"ulimit -d 700000; exec '{PROGRAM}' ingest ledger huge.csv"
    error = home.refuses(program=("bash", "-c", script))
    assert error.startswith(f"tracechain: huge.csv, line {line}: the line has over 1048576 bytes")


def test_an_epcis_document_of_two_gigabytes_is_refused_without_being_read(home: Home) -> None:
    path = home.write("huge.json", b'{"@context": [], "type": "EPCISDocument", "x": "')
    os.truncate(path, 2 << 30)
    script = f"ulimit -d 900000; exec '{PROGRAM}' ingest ledger huge.json"
    error = home.refuses(program=("bash", "-c", script))
    assert "huge.json: 2147483648 bytes are more than its format may have" in error
    assert "split it" in error


def test_a_fault_in_the_last_line_of_a_large_file_leaves_nothing_of_it(home: Home) -> None:
    home.write("late.csv", commissions(2_000, start=100) + "x,y,z,,,,\n")
    assert "late.csv, line 2002, column event" in home.refuses("ingest", "ledger", "late.csv", "--batch", "100")


def test_the_same_batch_twice_is_answered_and_not_doubled(home: Home) -> None:
    before = home.size()
    done = home.good("ingest", "ledger", "a.csv", "a.csv")
    assert done.out.count("already ingested in entry") == 2
    assert home.size() == before


@pytest.mark.parametrize("name", ["missing.csv", ".", "/dev/null", "a\0b"[:1] * 300])
def test_what_is_no_file_is_named(home: Home, name: str) -> None:
    error = home.refuses("ingest", "ledger", name)
    assert name[:100] in error


def test_a_pipe_is_refused_because_it_cannot_be_read_twice(home: Home) -> None:
    os.mkfifo(home.path / "pipe")
    with (home.path / "pipe").open("r+b", buffering=0):
        assert "no ordinary file" in home.refuses("ingest", "ledger", "pipe")


def test_a_wrong_format_is_not_forced_upon_a_file(home: Home) -> None:
    assert "is csv, not epcis" in home.refuses("ingest", "ledger", "a.csv", "--format", "epcis", "--again")
    assert "is csv, not submission" in home.refuses("submit", "ledger", "a.csv")


# ---- writers at once ---------------------------------------------------------------------------


def test_two_writers_at_once_both_succeed(home: Home) -> None:
    before = home.size()
    for number in range(2):
        home.write(f"w{number}.csv", commissions(3_000, start=10_000 * (number + 1)))
    running = [
        subprocess.Popen(
            [PROGRAM, "ingest", "ledger", f"w{number}.csv", "--batch", "100"], cwd=home.path, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for number in range(2)
    ]  # fmt: skip
    for process in running:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, b""), out
    assert home.size() > before + 6_000
    home.good("verify", "ledger", "--key", "ledger.vkey")
    for number in (10_000, 20_000, 22_999):
        assert home.good("trace", "ledger", serial(number), "--json").json["good"]


# ---- ledgers and keys --------------------------------------------------------------------------


def test_what_is_no_ledger_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for command in (
        ["log"],
        ["checkpoint"],
        ["verify"],
        ["trace"],
        ["prove"],
        ["ingest"],
        ["backup"],
        ["keys", "list"],
    ):
        arguments = {"trace": [serial(0)], "prove": ["0"], "ingest": ["home/a.csv"], "backup": ["copy"]}.get(
            command[0], []
        )
        for place in ("missing", "file", "home") if command == ["log"] else ("missing",):
            done = run(*command, place, *arguments, cwd=tmp_path)
            assert done.code == 2
            assert done.err.startswith("tracechain: ")
            assert place in done.err
            assert done.out == ""
    assert home.size()


def test_a_second_ledger_is_not_made_over_the_first(home: Home) -> None:
    assert "exists already" in home.refuses("init", "ledger", "--origin", ORIGIN)
    shutil.move(home.ledger, home.path / "moved")
    done = home.run("init", "ledger", "--origin", ORIGIN)
    assert done.code == 2
    assert "is not overwritten" in done.err
    shutil.move(home.path / "moved", home.ledger)
    home.good("verify", "ledger", "--key", "ledger.vkey")


def test_a_read_only_folder_is_named_and_still_read(template: Home, tmp_path: Path) -> None:
    """Root may write everywhere, so as root the program runs without that right."""
    home = copy_home(template, tmp_path / "home")
    program: tuple[str | Path, ...] = (PROGRAM,)
    if os.getuid() == 0:
        program = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", PROGRAM)
        if shutil.which("setpriv") is None or run("--version", program=program).code != 0:
            pytest.skip("runs as root, who may write everywhere, and setpriv cannot take that right away")
    home.write("c.csv", commissions(2, start=50))
    subprocess.run(["chmod", "-R", "a-w,a+rX", home.path], check=True)
    try:
        done = home.run("ingest", "ledger", "c.csv", program=program)
        assert done.code == 2
        assert "ledger" in done.err
        assert "cannot be written" in done.err or "ermission" in done.err
        assert home.run("trace", "ledger", serial(0), program=program).code == 0
        assert home.run("verify", "ledger", "--key", "ledger.vkey", "--no-anchor", program=program).code == 0
        made = home.run("init", "other", "--origin", ORIGIN, program=program)
        assert made.code == 2
        assert "ermission" in made.err
        copied = home.run("backup", "ledger", "copy", program=program)
        assert copied.code == 2
        assert "copy" in copied.err
    finally:
        subprocess.run(["chmod", "-R", "u+w", home.path], check=True)
    assert not (home.path / "other.keys").exists()
    home.good("ingest", "ledger", "c.csv")


def test_an_unknown_format_version_is_named_with_what_to_do(home: Home) -> None:
    (folder,) = home.ledger.glob("ledger/gen-*")
    env = lmdb.open(str(folder), max_dbs=32)
    with env.begin(write=True) as txn:
        txn.put(b"format", b"7", db=env.open_db(b"meta", txn=txn, create=False))
    env.close()
    for command in (["checkpoint", "ledger"], ["ingest", "ledger", "a.csv"], ["verify", "ledger"]):
        done = home.run(*command)
        assert done.code == 2
        assert "format version 7, this tracechain reads 0" in done.err


def test_a_database_that_is_none_is_named(home: Home) -> None:
    (data,) = home.ledger.glob("ledger/gen-*/data.mdb")
    data.write_bytes(b"this is no database" * 1000)
    done = home.run("log", "ledger")
    assert done.code == 2
    assert "not a database of this version, or damaged" in done.err


def test_a_wrong_passphrase_is_named_and_never_repeated(home: Home) -> None:
    home.write("c.csv", commissions(1, start=50))
    error = home.refuses("ingest", "ledger", "c.csv", env=environment(TRACECHAIN_PASSPHRASE="not this one"))
    assert "log.pem: wrong passphrase" in error
    assert "not this one" not in error


def test_no_passphrase_is_asked_for_by_name(home: Home) -> None:
    home.write("c.csv", commissions(1, start=50))
    error = home.refuses("ingest", "ledger", "c.csv", env=environment(TRACECHAIN_PASSPHRASE=""))
    assert "TRACECHAIN_PASSPHRASE" in error
    assert "--passphrase-file" in error
    home.write("empty", "\n")
    assert "first line is empty" in home.refuses("ingest", "ledger", "c.csv", "--passphrase-file", "empty")
    assert "missing" in home.refuses("ingest", "ledger", "c.csv", "--passphrase-file", "missing")


def test_a_wrong_key_is_refused(home: Home) -> None:
    home.write("c.csv", commissions(1, start=50))
    for name, said in (("log", "use the ledger's own log key"), ("author", "not authorised on this ledger")):
        home.good("keys", "create", f"{name}-other.pem")
        keys = home.path / f"keys-{name}"
        shutil.copytree(home.path / "ledger.keys", keys)
        shutil.copy(home.path / f"{name}-other.pem", keys / f"{name}.pem")
        assert said in home.refuses("ingest", "ledger", "c.csv", "--keys", keys.name)


def test_no_key_is_named_with_the_place_where_it_should_be(home: Home) -> None:
    home.write("c.csv", commissions(1, start=50))
    assert "log.pem does not exist" in home.refuses("ingest", "ledger", "c.csv", "--keys", "nowhere")
    (home.path / "ledger.keys" / "author.pem").unlink()
    assert "the author key is not there" in home.refuses("ingest", "ledger", "c.csv")
    home.write("ledger.keys/author.pem", "no key at all")
    assert "is not a PKCS#8 PEM key file" in home.refuses("ingest", "ledger", "c.csv")


def test_a_wrong_verifier_key_is_a_finding_and_a_malformed_one_is_refused(home: Home) -> None:
    with Ledger.open(home.ledger) as ledger:
        vkey = format_vkey(ledger.verifier)
    with Ledger.create(
        home.path / "other", origin=ORIGIN, signer=fixed_key("log"), root=fixed_key("root"), author=fixed_key("author")
    ) as other:
        wrong = format_vkey(other.verifier)
    done = home.run("verify", "ledger", "--key", wrong)
    assert done.code == 1
    assert "CHECKPOINT_SIGNATURE" in done.out
    assert "VERIFIED" not in done.out
    assert home.run("trace", "ledger", serial(0), "--key", wrong).code == 1
    home.write("two-lines", f"{vkey}\n{vkey}\n")
    for bad in ("nonsense", vkey[:-2], vkey.replace(ORIGIN, "evil.example"), "two-lines", "ledger", "a.csv"):
        assert "key" in home.refuses("verify", "ledger", "--key", bad)
    assert "key" in home.refuses("trace", "ledger", serial(0), "--key", "nonsense")


def test_an_older_checkpoint_of_another_log_does_not_pass(home: Home) -> None:
    home.write("nonsense", "nonsense")
    for name in ("nonsense", "a.csv", "missing"):
        done = home.run("verify", "ledger", "--key", "ledger.vkey", "--since", name)
        assert done.code in (1, 2)
        assert "VERIFIED" not in done.out


# ---- arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ingset"], "No such command"),
        (["ingest"], "Missing argument"),
        (["ingest", "ledger"], "Missing argument"),
        (["log", "ledger", "--limit", "x"], "'x' is not a valid integer"),
        (["log", "ledger", "--limit", "0"], "range"),
        (["log", "ledger", "--from", "99999"], "there is no entry 99999"),
        (["log", "ledger", "--raw", "99999"], "there is no entry 99999"),
        (["prove", "ledger", "99999"], "there is no entry 99999"),
        (["prove", "ledger", "-1"], "-1"),
        (["prove", "ledger", "99999999999999999999"], "there is no entry"),
        (["trace", "ledger", "0109521234001073"], "check digit should be 2"),
        (["trace", "ledger", ""], "empty code"),
        (["trace", "ledger", "x" * 3000], "at most 2048"),
        (["trace", "ledger", "０１"], "full-width"),
        (["keys", "revoke", "ledger", "nobody", "--reason", "x"], "no author key is called 'nobody'"),
        (["keys", "create", "a.csv"], "never overwritten"),
        (["backup", "ledger", "ledger.keys"], "exists already"),
        (["restore", "ledger", "--reason", "x"], "nothing is lost"),
        (["clock", "ledger", "--reason", "x"], "no jump to record"),
        (["settle", "ledger", "--reason", "x"], "--epoch or --gap"),
        (["settle", "ledger", "--epoch", "1", "--reason", "x"], "no entry that begins epoch 1: nothing was lost"),
        (["station", "create", "st", "xyz", "--key", "ledger.keys/author.pem"], "is no ledger id"),
        (["station", "pending", "nowhere", "--key", "ledger.keys/author.pem"], "nowhere"),
        (["verify", "ledger", "--since", "a.csv", "--processes", "2"], ""),
    ],
)
def test_wrong_arguments_are_named_in_a_line(home: Home, arguments: list[str], said: str) -> None:
    assert said in home.refuses(*arguments)
