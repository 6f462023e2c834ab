"""trace, where and stock: a history through containers and other codes, where things are, and how many there are."""

from __future__ import annotations

import csv
import os
import pty
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_home import Home, copy_home, environment, run, serial
from cli_pilot_home import ZONE, Here, make_pilot_home
from tracechain.cli.moments import claimed_nanos
from tracechain.cli.output import plain
from tracechain.cli.results import cell
from tracechain.cli.steps import CSV_HEADER
from tracechain.errors import InputError
from tracechain.event import parse_time
from tracechain.ledger import Ledger

CASE, PALLET = "095212340000000013", "095212340000000020"
IN_CASE, ON_PALLET = "(00)095212340000000013", "(00)095212340000000020"
PACK = "01/09521234001072/21/BJ00010"
CODE = "(01)09521234001072(21)BJ00010"
NEW = "01/09521234001072/21/BJ00019"
HEADER = "event,time,code,parent,place,lot,expiry,new_code,error,declared\n"


def at(hour: int, minute: int = 0) -> str:
    return f"2026-11-10T{hour:02}:{minute:02}:00+08:00"


#: A pack goes into a case, that onto a pallet, which is shipped and arrives; it comes out, and gets another code.
TRAVELS = (
    HEADER
    + f"commission,{at(8)},{serial(10)},,urn:x:plant,LOT-B,2028-06-30,,,\n"
    + f"commission,{at(8, 1)},{serial(11)},,urn:x:plant,LOT-B,2028-06-30,,,\n"
    + f"pack,{at(9)},{serial(10)},{CASE},urn:x:plant,,,,,\n"
    + f"pack,{at(9, 30)},00{CASE},{PALLET},urn:x:plant,,,,,\n"
    + f"ship,{at(10)},00{PALLET},,urn:x:gate,,,,,\n"
    + f"arrive,{at(12)},00{PALLET},,urn:x:yard,,,,,\n"
    + f"unpack,{at(13)},00{CASE},{PALLET},urn:x:yard,,,,,\n"
    + f"unpack,{at(14)},{serial(10)},{CASE},urn:x:dock,,,,,\n"
    + f"bond_in,{at(15)},{serial(10)},,{ZONE},,,,,\n"
    + f"hold,{at(16)},{serial(10)},,{ZONE},,,,,\n"
    + f"hold,{at(16)},{serial(10)},,{ZONE},,,,did_not_occur,{at(17)}\n"
    + f"relabel,{at(18)},{serial(10)},,{ZONE},LOT-B,2028-06-30,{serial(19)},,\n"
    + f"ship,{at(19)},00{PALLET},,urn:x:sea,,,,,\n"
)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = make_pilot_home(tmp_path_factory.mktemp("trace") / "template")
    home.write("travels.csv", TRAVELS)
    home.good("ingest", "ledger", "travels.csv")
    return home


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Home:
    return Here(copy_home(template, tmp_path / "home").path)


def steps(home: Home, code: str = CODE, *more: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = home.good("trace", "ledger", code, *more, "--json").json["steps"]
    return found


# ---- trace ---------------------------------------------------------------------------------------


def test_a_history_goes_through_containers_and_to_the_next_code(template: Home) -> None:
    found = steps(template)
    assert [(one["name"], one["relation"]) for one in found] == [
        ("commission", "own"), ("pack", "own"), ("pack", "container"), ("ship", "container"), ("arrive", "container"),
        ("unpack", "container"), ("unpack", "own"), ("bond_in", "own"), ("hold", "own"), ("void hold", "own"),
        ("relabel", "own"),
    ]  # fmt: skip
    shipped = found[3]
    assert shipped["via"] == [f"00/{CASE}", f"00/{PALLET}"]
    assert (shipped["subject"], shipped["place"], shipped["author"]) == (f"00/{PALLET}", "urn:x:gate", "ledger")
    assert (shipped["event_time"], shipped["good"]) == (at(10), True)
    assert found[8]["voided_by"] == found[9]["index"]
    assert found[9]["declares_error"] is True
    assert "urn:x:sea" not in {one["place"] for one in found}, "it was in no container then"


def test_what_the_json_of_a_chain_says_is_what_it_said_before(template: Home) -> None:
    said = template.good("trace", "ledger", CODE, "--key", "ledger.vkey", "--json").json
    assert [one["name"] for one in said["links"]] == [
        "commission", "pack", "unpack", "bond_in", "hold", "void hold", "relabel",
    ]  # fmt: skip
    assert all(one["author"] == "ledger" and one["content"]["type"] for one in said["links"])
    assert (said["known"], said["good"], said["authenticity"], said["state"]) == (True, True, "checked", "dead")
    assert said["kin"] == [{"code": NEW, "relation": "made_into", "index": said["last_index"]}]
    (stay,) = said["stays"]
    assert (stay["container"], stay["from"]["time"], stay["to"]["time"]) == (f"00/{CASE}", at(9), at(14))


def test_a_timeline_says_where_it_was_packed_and_what_it_is_now(template: Home) -> None:
    told = template.good("trace", "ledger", CODE, "--key", "ledger.vkey").out
    assert told.startswith(f"{CODE}   dead   7 links\n")
    assert f"in {IN_CASE} in {ON_PALLET} · at urn:x:gate · stated by ledger" in told
    assert "! declared an error by entry" in told
    assert f"  in {IN_CASE} from 2026-11-10 09:00:00 +08:00 to 2026-11-10 14:00:00 +08:00" in told
    assert "  made into (01)09521234001072(21)BJ00019 in entry" in told
    assert "✓ every link holds, in the signed tree, from the first to the last" in told
    assert "✓ 4 entries of containers and other codes are in the signed tree as well" in told


def test_a_new_code_has_the_history_of_the_old_one(template: Home) -> None:
    found = steps(template, NEW)
    assert [one["relation"] for one in found] == ["before"] * 10 + ["own"]
    told = template.good("trace", "ledger", NEW).out
    assert f"as {CODE}" in told
    assert f"what it was made of · in {IN_CASE} in {ON_PALLET}" in told
    assert f"  made of {CODE} in entry" in told


def test_a_history_ends_where_it_is_asked_to(template: Home) -> None:
    said = template.good("trace", "ledger", CODE, "--as-of", at(11), "--json").json
    assert [one["name"] for one in said["steps"]] == ["commission", "pack", "pack", "ship"]
    assert [one["name"] for one in said["links"]] == ["commission", "pack"]
    assert (said["state"], said["as_of"], said["kin"]) == ("active", at(11), [])
    assert [one["container"] for one in said["stays"]] == [f"00/{CASE}"]
    whole = template.good("trace", "ledger", CODE, "--as-of", "2026-11-10", "--json").json
    assert len(whole["steps"]) == 11
    none = template.good("trace", "ledger", CODE, "--as-of", "2026-11-09")
    assert none.out.startswith(f"{CODE}   not known yet   0 links")


def test_an_entry_of_a_container_that_was_altered_is_found_in_the_history_of_what_was_in_it(home: Home) -> None:
    index = next(one["index"] for one in steps(home) if one["name"] == "arrive")
    with Ledger.open(home.ledger) as ledger, ledger.snapshot() as snapshot:
        part = snapshot.content(index)
    assert part is not None
    (data,) = home.ledger.glob("ledger/gen-*/data.mdb")
    raw = data.read_bytes()
    data.write_bytes(raw.replace(part, part.replace(b"urn:x:yard", b"urn:x:gate")))
    done = home.run("trace", "ledger", CODE, "--key", "ledger.vkey")
    assert done.code == 1
    assert "✗ CONTENT_COMMITMENT" in done.out
    assert "✗ 1 of 4 entries of containers and other codes do not hold" in done.out
    said = home.run("trace", "ledger", CODE, "--json")
    assert (said.code, said.json["good"]) == (1, False)
    assert [one["name"] for one in said.json["steps"] if not one["good"]] == ["arrive"]
    assert {one["code"] for one in said.json["findings"]} == {"CONTENT_COMMITMENT"}


def test_a_history_is_written_as_rows(home: Home) -> None:
    home.good("trace", "ledger", CODE, "--csv", "a.csv")
    with (home.path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_HEADER
    assert [row["event"] for row in rows] == [one["name"] for one in steps(home)]
    assert rows[3]["via"] == f"00/{CASE} > 00/{PALLET}"
    assert {row["verifies"] for row in rows} == {"true"}


def test_a_history_is_written_as_a_page(home: Home) -> None:
    for language, lang in (("en", "en"), ("zh", "zh-Hans")):
        home.good("trace", "ledger", CODE, "--html", "a.html", "--lang", language)
        page = (home.path / "a.html").read_text("utf-8")
        assert page.lower().startswith("<!doctype html>")
        assert f'lang="{lang}"' in page[:300]
        assert "BJ00010" in page
    assert "no such" in home.refuses("trace", "ledger", CODE, "--html", "none/a.html").lower()


@pytest.mark.parametrize("text", ["2026-02-30", "2026-11-10T10:00:00", "now", "20261110"])
def test_what_is_no_time_is_refused(template: Home, text: str) -> None:
    for command in (("trace", "ledger", CODE), ("where", "ledger", CODE), ("stock", "ledger")):
        assert "--as-of" in template.refuses(*command, "--as-of", text)


def test_a_day_is_that_of_beijing() -> None:
    assert claimed_nanos("2026-11-10") == parse_time("2026-11-10T23:59:59.999999999+08:00")
    assert claimed_nanos("2026-11-10", begin=True) == parse_time("2026-11-10T00:00:00+08:00")
    assert claimed_nanos("2026-11-10T10:00:00.123456789Z") == parse_time("2026-11-10T10:00:00.123456789Z")
    with pytest.raises(InputError, match="--from '2026-13-01' is no day"):
        claimed_nanos("2026-13-01", "--from")


# ---- where ---------------------------------------------------------------------------------------


def test_where_it_is_is_where_it_was_seen_last_itself_or_in_a_container(template: Home) -> None:
    said = template.good("where", "ledger", serial(10), "--as-of", at(11), "--json").json
    assert (said["place"], said["seen"], said["seen_at"]) == ("urn:x:gate", f"00/{PALLET}", at(10))
    assert said["containers"] == [f"00/{CASE}", f"00/{PALLET}"]
    assert (said["state"], said["known"], said["successors"]) == ("active", True, [])
    assert said["holder"] == {"kind": "place", "id": "urn:x:gate"}
    now = template.good("where", "ledger", serial(10), "--json").json
    assert (now["place"], now["seen"], now["containers"]) == ("414/9521234000013", PACK, [])
    assert (now["holder"]["kind"], now["successors"], now["as_of"]) == ("none", [NEW], None)


def test_where_is_told_in_a_few_lines(template: Home) -> None:
    told = template.good("where", "ledger", CODE, "--as-of", at(12, 30)).out
    assert told.startswith(f"{CODE}   active   as of 2026-11-10 12:30:00 +08:00\n")
    assert "  at         urn:x:yard\n" in told
    assert f", in {ON_PALLET}\n" in told
    assert f"  in         {IN_CASE} in {ON_PALLET}\n" in told
    assert "  held by    whoever runs urn:x:yard\n" in told
    now = template.good("where", "ledger", CODE).out
    assert "nobody: it is destroyed" in now
    assert "made into  (01)09521234001072(21)BJ00019" in now
    sold = template.good("where", "ledger", serial(1)).out
    assert "held by    the buyer person/" in sold
    assert "! unresolved: contradiction: " in sold


def test_what_nobody_has_seen_is_nowhere(home: Home) -> None:
    home.write("a.csv", f"event,time,code\nhold,{at(9)},{serial(77)}\n")
    home.good("ingest", "ledger", "a.csv")
    told = home.good("where", "ledger", serial(77)).out
    assert "nobody has stated where" in told
    assert "held by    nobody knows" in told


@pytest.mark.parametrize("more", [(), ("--as-of", "2026-11-11")])
def test_an_unknown_code_is_nowhere_and_answered_with_the_nearest(template: Home, more: tuple[str, ...]) -> None:
    done = template.run("where", "ledger", "010952123400107221BJO0010", *more)
    assert (done.code, CODE in done.out) == (1, True)
    said = template.run("where", "ledger", "010952123400107221BJO0010", *more, "--json")
    assert (said.code, said.json["known"], said.json["nearest"][0]) == (1, False, PACK)
    assert said.json["unresolved"][0]["kind"] == "unknown"


def test_what_was_not_there_yet_is_said_to_be_so(template: Home) -> None:
    done = template.run("where", "ledger", CODE, "--as-of", "2026-11-09")
    assert (done.code, done.out) == (1, f"? {CODE} was not known yet   as of 2026-11-09 23:59:59 +08:00\n")


# ---- stock ---------------------------------------------------------------------------------------


def test_stock_is_counted_by_lot(template: Home) -> None:
    said = template.good("stock", "ledger", "--by", "lot", "--json").json
    assert said["rows"] == [
        {"gtin": "09521234001072", "lot": "LOT-A7", "units": 2},
        {"gtin": "09521234001072", "lot": "LOT-B", "units": 2},
    ]
    assert (said["units"], said["as_of"]) == (4, None)
    told = template.good("stock", "ledger", "--by", "lot").out
    assert "(01)09521234001072  LOT-A7      2" in told
    assert told.endswith("4 packs\n")


def test_stock_is_counted_by_whatever_is_asked_for(template: Home) -> None:
    (row,) = template.good("stock", "ledger", "--json").json["rows"]
    assert row == {"gtin": "09521234001072", "units": 4}
    (row,) = template.good("stock", "ledger", "--by", "merchant", "--by", "product", "--json").json["rows"]
    assert row == {"gtin": "09521234001072", "merchant": "example-pharmacy", "units": 4}
    rows = template.good("stock", "ledger", "--by", "custody", "--by", "place", "--all", "--json").json["rows"]
    assert {row["custody"] for row in rows} == {"active", "bonded", "dead", "none", "rework", "sold"}
    assert all(set(row) == {"custody", "place", "units"} for row in rows)


def test_stock_is_that_of_a_place_and_a_time(template: Home) -> None:
    there = template.good("stock", "ledger", "--place", ZONE, "--json").json
    assert (there["place"], there["units"]) == ("414/9521234000013", 2)
    before = template.good("stock", "ledger", "--place", "urn:x:gate", "--as-of", at(11))
    assert before.out.endswith("1 pack at urn:x:gate as of 2026-11-10 11:00:00 +08:00\n")
    assert template.good("stock", "ledger", "--as-of", "2020-01-01").out.startswith("0 packs as of")


def test_stock_by_an_unknown_key_is_refused(template: Home) -> None:
    assert "'shelf'" in template.refuses("stock", "ledger", "--by", "shelf")


def test_a_cell_of_a_file_is_no_formula(home: Home) -> None:
    home.write(
        "evil.csv",
        f"event,time,code,lot\ncommission,{at(8)},{serial(50)},=1+1\ncommission,{at(8)},{serial(51)},@SUM(A1)\n",
    )
    home.good("ingest", "ledger", "evil.csv")
    home.good("stock", "ledger", "--by", "lot", "--csv", "stock.csv")
    with (home.path / "stock.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["gtin", "lot", "units"]
    assert {row[1] for row in rows[1:]} == {"LOT-A7", "LOT-B", "'=1+1", "'@SUM(A1)"}
    assert template_lots(home) == {"LOT-A7", "LOT-B", "=1+1", "@SUM(A1)"}, "JSON is for programs"


def template_lots(home: Home) -> set[str]:
    return {row["lot"] for row in home.good("stock", "ledger", "--by", "lot", "--json").json["rows"]}


@given(st.text(max_size=20) | st.sampled_from(["\t=1", "\r-1", "+1", "＝1", "\u202e=", "-"]))
def test_no_text_becomes_a_formula_or_steers_a_terminal(text: str) -> None:
    said = cell(text)
    assert isinstance(said, str)
    assert not said.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert said == plain(said)
    if text.isascii() and text.isprintable() and text[:1] not in ("=", "+", "-", "@"):
        assert said == text


def test_numbers_and_nothing_are_cells_too() -> None:
    assert [cell(one) for one in (None, 5, -5, True, False)] == ["", 5, -5, "true", "false"]


# ---- on a terminal -------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "shown"), [(0.05, False), (1.6, True)])
def test_work_that_takes_a_while_is_seen_to_go_on(seconds: float, shown: bool) -> None:
    words = f"import time\nfrom tracechain.cli.output import waiting\nwith waiting('counting'):\n time.sleep({seconds})"
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-c", words], environment(TERM="xterm"))
    told = b""
    try:
        while part := os.read(descriptor, 4096):
            told += part
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(descriptor)
        _, status = os.waitpid(pid, 0)
    assert status == 0, told
    assert (b"counting" in told) is shown


def test_the_installed_program_knows_them(template: Home) -> None:
    assert run("where", "ledger", CODE, "--json", cwd=template.path).json["subject"] == PACK
