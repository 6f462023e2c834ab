"""Rules broken, and how it is said: strict files, receipts, verify --rules; and what a terminal is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli_home import DAY, HEADER, Home, copy_home, environment, run, serial
from cli_pilot_home import MARKET, ZONE, Here, make_pilot_home
from pilot_world import OTHER_BUYER, World
from tracechain import registers
from tracechain.custody import Custody, Violation
from tracechain.rules import clause_of
from tracechain.testing.tamper import edit, pardon

STEERING = "\u202eevil\u200b"


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A ledger under the pilot's rules, made once."""
    return make_pilot_home(tmp_path_factory.mktemp("pilot") / "template")


@pytest.fixture
def home(template_home: Home, tmp_path: Path) -> Home:
    """A copy of it that the test may write to."""
    return Here(copy_home(template_home, tmp_path / "home").path)


# ---- ingest --strict -----------------------------------------------------------------------------


def test_a_strict_file_says_every_violation_by_name_and_line(home: Home) -> None:
    text = MARKET.replace("T18", "T20").replace("recall", "\nrecall")
    home.write("again.csv", text)
    before = home.size()
    done = home.run("ingest", "ledger", "again.csv", "--strict")
    assert (done.code, home.size()) == (2, before)
    assert "again.csv: refused, nothing was written: 4 violations" in done.err
    lines = re.findall(r"^ +line +(\d+) +(\w+) +(\S+)$", done.out, re.MULTILINE)
    assert {(name, int(line)) for line, name, _ in lines} == {
        ("SECONDARY_SALE", 2), ("SOLD_BEFORE_CLEARANCE", 3), ("PLACE_UNREGISTERED", 3), ("UNKNOWN_CODE", 5),
    }  # fmt: skip
    assert "4 violations of 4 rules:" in done.out
    assert clause_of(Violation.UNKNOWN_CODE).words in done.out
    said = home.run("ingest", "ledger", "again.csv", "--strict", "--json").json["files"][0]
    assert [(one["name"], one["line"]) for one in said["refused"] if one["event"] == 0] == [("SECONDARY_SALE", 2)]


def test_lines_of_other_formats_and_of_rows_that_were_left_out(home: Home) -> None:
    good = {"event": "sell", "time": f"{DAY}T20:00:00+08:00", "code": serial(1), "place": ZONE}
    home.write("a.jsonl", "\n".join(map(json.dumps, (good | {"event": "no"}, good))) + "\n")
    done = home.run("ingest", "ledger", "a.jsonl", "--strict", "--keep-going", "--json")
    assert [one["line"] for one in done.json["files"][0]["refused"]] == [2]
    event = {
        "type": "ObjectEvent", "eventTime": f"{DAY}T15:00:00+08:00", "eventTimeZoneOffset": "+08:00",
        "epcList": ["urn:epc:id:sgtin:9521234.000107.BJ00001"], "action": "OBSERVE", "bizStep": "retail_selling",
        "disposition": "retail_sold",
    }  # fmt: skip
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
        "schemaVersion": "2.0", "creationDate": f"{DAY}T15:00:00+08:00", "epcisBody": {"eventList": [event]},
    }  # fmt: skip
    home.write("a.json", json.dumps(document))
    done = home.run("ingest", "ledger", "a.json", "--strict")
    assert re.search(r"event +1 +SECONDARY_SALE", done.out), "an EPCIS document has events, no lines"


def test_kept_violations_are_told_by_rule(home: Home) -> None:
    home.write("more.csv", HEADER + "".join(
        f"sell,{DAY}T20:{n // 60:02}:{n % 60:02}+08:00,{serial(1)},,{ZONE},,\n" for n in range(1200)
    ))  # fmt: skip
    done = home.good("ingest", "ledger", "more.csv")
    assert re.search(r"SECONDARY_SALE +1,200 +entry [\d,]+: \S+BJ00001 and 1,199 more +S2; S1 V", done.out)


def test_a_stations_submission_says_what_it_broke(home: Home) -> None:
    home.good("keys", "create", "gate.pem")
    home.good("keys", "authorise", "ledger", "gate.pem", "--label", "gate", "--scope", "event")
    ledger_id = home.good("log", "ledger", "--from", "0", "--limit", "1", "--json").json["entries"][0]["leaf"]
    home.good("station", "create", "gate", ledger_id, "--key", "gate.pem")
    home.write("round.csv", f"{HEADER}sell,{DAY}T20:00:00+08:00,{serial(1)},,{ZONE},,\n")
    home.good("station", "sign", "gate", "round.csv", "--key", "gate.pem")
    (signed,) = (home.path / "gate" / "out").iterdir()
    home.write("round.tcs", signed.read_bytes())
    refused = home.run("submit", "ledger", "round.tcs", "--strict")
    assert refused.code == 2
    assert re.search(r"event +1 +SECONDARY_SALE", refused.out)
    assert home.run("submit", "ledger", "round.tcs", "--strict", "--json").json["refused"][0]["event"] == 0
    sent = home.good("station", "send", "gate", "ledger", "--key", "gate.pem").out
    assert re.search(r"SECONDARY_SALE +1 +entry", sent)


# ---- verify --rules ------------------------------------------------------------------------------


def test_a_ledger_that_kept_its_rules_is_judged_again(template_home: Home) -> None:
    told = template_home.good("verify", "ledger", "--key", "ledger.vkey", "--rules").out
    assert "VERIFIED, UNWITNESSED" in told
    assert "every state and violation was judged again" in told
    assert "not judged again" not in told
    assert "were not judged again: a replay does that (--rules)" in template_home.good("verify", "ledger").out
    said = template_home.good("verify", "ledger", "--rules", "--processes", "2", "--json").json
    assert (said["good"], said["rules"]) == (True, "judged_again")
    assert template_home.good("verify", "ledger", "--json").json["rules"] == "not_judged_again"


def test_a_violation_that_an_operator_let_vanish_is_found_by_rules_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    pack = world.bring(world.packs[0], Custody.SOLD)
    broken = world.breaks(world.deliver(pack, buyer=OTHER_BUYER), Violation.WRONG_BUYER).first
    world.close()
    pardon(world.path, broken, world.keys.log)
    assert run("verify", "ledger", cwd=tmp_path).code == 0
    done = run("verify", "ledger", "--rules", "--json", cwd=tmp_path)
    assert done.code == 1
    assert [(one["code"], one["index"], one["subject"]) for one in done.json["findings"]] == [
        ("ROW_VIOLATIONS", broken, pack), ("ROW_STATE", broken, pack),
    ]  # fmt: skip
    told = run("verify", "ledger", "--rules", cwd=tmp_path).out
    assert "2 findings" in told
    assert "WRONG_BUYER" in told


def test_what_verify_found_is_not_said_twice(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.bring(world.packs[0], Custody.BONDED)
    world.close()
    with edit(world.path) as log:
        entry = len(log) - 1
        log.contents[entry] = None
    done = run("verify", "ledger", "--rules", "--json", cwd=tmp_path)
    assert done.code == 1
    keys = [(one["code"], one["index"], one["subject"]) for one in done.json["findings"]]
    assert len(keys) == len(set(keys))
    assert ("CONTENT_MISSING", entry, None) in keys


# ---- for people ----------------------------------------------------------------------------------


def test_names_cannot_steer_the_terminal(home: Home) -> None:
    """Registers take any text that is no control character; a terminal gets what turns and hides text as escapes."""
    merchant = registers.load(home.path / "merchant.toml", "merchant")[0].mapping() | {"id": "urn:example:m"}
    written = {
        "place": {"id": "shop", "name": f"Shop {STEERING}", "type": "store"},
        "case": {
            "id": "C-9", "type": "dispute", "phase": "opened", "on": DAY, "by": f"desk {STEERING}", "text": STEERING,
            "about": ["urn:example:\u202e", "shop"], "authority": STEERING,
        },
        "merchant": merchant | {"documents": [{"name": STEERING, "digest": "ab" * 32, "valid_until": "2026-01-01"}]},
        "merchant-suspended": {
            "merchant": "urn:example:m", "ground": "safety-risk", "reason": STEERING, "on": DAY,
            "reported_to": STEERING,
        },
    }  # fmt: skip
    outs = []
    for kind, value in written.items():
        home.write(f"{kind}.json", json.dumps(value))
        outs.append(home.good("register", "ledger", kind, f"{kind}.json").out)
    for arguments in (
        ("register", "ledger", "place", "--show"),
        ("register", "ledger", "place", "--show", "shop", "--history"),
        ("register", "ledger", "merchant", "--show", "urn:example:m", "--history"),
        ("register", "ledger", "all", "--overdue"),
        ("cases", "ledger"),
        ("cases", "ledger", "C-9"),
        ("alerts", "ledger", "--kind", "overdue"),
        ("log", "ledger"),
    ):
        outs.append(home.good(*arguments).out)
        assert "\\u202e" in outs[-1], arguments
    assert not any("\u202e" in out or "\u200b" in out for out in outs)


@pytest.mark.parametrize(
    "arguments",
    [
        ("violations", "ledger"),
        ("alerts", "ledger", "--as-of", "2099-01-01"),
        ("cases", "ledger"),
        ("register", "ledger", "product", "--show"),
        ("register", "ledger", "product", "--show", "9521234001072", "--history"),
        ("register", "ledger", "all", "--overdue", "--as-of", "2099-01-01"),
        ("check", "ledger", serial(1)),
    ],
)
def test_tables_fit_a_window_of_80_columns(template_home: Home, arguments: tuple[str, ...]) -> None:
    narrow = template_home.run(*arguments, env=environment(COLUMNS="80", NO_COLOR="1")).out
    assert max(map(len, narrow.splitlines())) <= 80 + 10, "a last line may say a little more"
    assert "\x1b" not in narrow
    body = [line.rstrip() for line in narrow.splitlines()]
    assert sum(len(line) > 80 for line in body) <= 1
