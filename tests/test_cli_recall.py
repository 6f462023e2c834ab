"""recall: what is affected, and a recall from its opening to its end, as a user runs it."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli_home import DAY, ORIGIN, PASSPHRASE, Home, copy_home, run, serial
from cli_pilot_home import TOKEN, ZONE, Here, make_pilot_home, names_of
from tracechain import criteria
from tracechain.cli.criteria import _OPTIONS, Asked, criterion_of, spelt
from tracechain.cli.recall_words import UNITS_HEADER
from tracechain.criteria import Criterion
from tracechain.errors import InputError
from tracechain.event import parse_time
from tracechain.event.times import MAX_TIME, MIN_TIME
from tracechain.recall import GROUPS

GTIN = "09521234001072"
PRODUCT = f"01/{GTIN}"
THE_LOT = ("--gtin", GTIN, "--lot", "LOT-A7")
WHY = ("--reason", "particles", "--by", "quality")
OPEN = ("recall", "open", "ledger", "--id", "R-1", "--class", "1", *WHY, *THE_LOT)
SOLD, BONDED, OTHER = (f"{PRODUCT}/21/BJ0000{number}" for number in (1, 2, 3))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Three packs of a lot under bond, of which one is sold."""
    return make_pilot_home(tmp_path_factory.mktemp("recall") / "template", market=False)


@pytest.fixture
def home(template: Home, tmp_path: Path) -> Home:
    return Here(copy_home(template, tmp_path / "home").path)


@pytest.fixture(scope="session")
def opened_template(template: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same with a recall of the lot."""
    home = Here(copy_home(template, tmp_path_factory.mktemp("opened") / "template").path)
    home.good(*OPEN)
    return home


@pytest.fixture
def opened(opened_template: Home, tmp_path: Path) -> Home:
    return Here(copy_home(opened_template, tmp_path / "opened").path)


def counts(home: Home) -> dict[str, int]:
    said = home.good("recall", "progress", "ledger", "R-1", "--json").json
    return {name: said[name] for name in ("affected", "reached", "locked", "returned", "destroyed", "outstanding")}


def ordered(number: int) -> tuple[str, ...]:
    """To ask whether a pack may be ordered."""
    papers = ("--doc", "po:9", "--buyer", TOKEN, "--amount", "9")
    return ("check", "ledger", serial(number), "--event", "order", *papers, "--json")


# ---- preview -------------------------------------------------------------------------------------


def test_a_preview_counts_what_is_affected_by_what_must_be_done(template: Home) -> None:
    before = template.size()
    said = template.good("recall", "preview", "ledger", *THE_LOT, "--json").json
    assert said["affected"] == 3
    assert said["groups"] == dict.fromkeys(GROUPS, 0) | {"stock": 2, "sold": 1}
    assert said["to_do"] == dict(GROUPS)
    assert said["parties"] == {"414/9521234000013": {"stock": 2}, f"person/{TOKEN}": {"sold": 1}}
    assert said["criterion"] == {"lot": {"product": PRODUCT, "lot": "LOT-A7"}}
    assert (said["unresolved"], said["size"], template.size()) == ([], before, before)
    assert "units" not in said


def test_a_preview_is_told_in_a_table_with_the_way_to_open_it(template: Home) -> None:
    told = template.good("recall", "preview", "ledger", *THE_LOT).out
    assert told.startswith(f"lot LOT-A7 of {PRODUCT}\n")
    assert "stock      2  lock" in told
    assert "(414)9521234000013      2  stock 2" in told
    assert "1 buyer                 1  by their tokens" in told
    assert TOKEN not in told
    assert "3 packs affected" in told
    assert "recall open ledger --id ID --class 1|2|3 --reason TEXT --by WHO --gtin 09521234001072 --lot LOT-A7" in told
    assert "unresolved" not in told


def test_every_unit_is_listed_where_it_is_asked_for(home: Home) -> None:
    files = ("--csv", "a.csv", "--html", "a.html", "--lang", "zh")
    said = home.good("recall", "preview", "ledger", *THE_LOT, "--units", "--json", *files).json
    assert [unit["unit"] for unit in said["units"]] == [SOLD, BONDED, OTHER]
    sold = said["units"][0]
    assert (sold["group"], sold["to_do"], sold["state"], sold["lot"]) == ("sold", "notify", "sold", "LOT-A7")
    assert (sold["place"], sold["holder"]) == ("414/9521234000013", f"person/{TOKEN}")
    with (home.path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == UNITS_HEADER
    assert [row["unit"] for row in rows] == [SOLD, BONDED, OTHER]
    page = (home.path / "a.html").read_text("utf-8")
    assert 'lang="zh-Hans"' in page[:300]
    assert "LOT-A7" in page


def test_what_is_unresolved_is_said_loudly(template: Home) -> None:
    arguments = ("recall", "preview", "ledger", "--code", serial(2), "--code", serial(99))
    said = template.good(*arguments, "--json").json
    assert (said["affected"], [one["kind"] for one in said["unresolved"]]) == (1, ["unknown"])
    told = template.good(*arguments).out
    assert "! unresolved: unknown (01)09521234001072(21)BJ00099: " in told
    assert "! look into what is unresolved" in told


def test_criteria_are_met_together_or_as_a_file_says(home: Home) -> None:
    def affected(*options: str) -> int:
        number: int = home.good("recall", "preview", "ledger", *options, "--json").json["affected"]
        return number

    assert affected(*THE_LOT, "--code", serial(1)) == 1
    assert affected("--gtin", GTIN, "--through", ZONE, "--from", "2026-11-20", "--to", "2026-11-20") == 3
    assert affected("--through", ZONE, "--to", "2026-11-19") == 0
    assert affected("--commissioned-from", "2026-11-02", "--commissioned-to", "2026-11-02", "--merchant", "x") == 0
    home.write("which.json", json.dumps({"any": [{"codes": [serial(1)]}, {"codes": [serial(2)]}]}))
    assert affected("--criterion", "which.json") == 2
    home.write("which.json", json.dumps({"not": {"codes": [serial(1)]}}))
    assert affected("--criterion", "which.json", *THE_LOT) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "which packs? say it with --gtin"),
        (("--lot", "A"), "--lot is a lot of a product"),
        (("--gtin", "09521234001073"), "--gtin: "),
        (("--gtin", serial(1)), "is the id of one thing, not of a product"),
        (("--gtin", "x"), "--gtin: "),
        (("--from", "2026-11-20", "--gtin", GTIN), "--from and --to are for"),
        (("--through", ZONE, "--from", "yesterday"), "--from 'yesterday' is no day"),
        (("--through", ZONE, "--to", "2026-11-20T10:00:00"), "--to: "),
        (("--commissioned-to", "2026-02-30"), "--commissioned-to '2026-02-30' is no day"),
        (("--for", "30m"), "--for and --measure are about a limit"),
        (("--above", "hot"), "above is 'hot'"),
        (("--above", "8", "--for", "soon"), "is no duration"),
        (("--above", "8", "--measure", "weight"), "'weight'"),
        (("--criterion", "none.json"), "none.json cannot be read"),
        (("--criterion", "merchant.toml"), "merchant.toml: "),
        (("--criterion", "bad.json"), "did you mean 'product'?"),
    ],
)
def test_what_is_no_criterion_names_the_option(home: Home, options: tuple[str, ...], words: str) -> None:
    home.write("bad.json", '{"produkt": "01/09521234001072"}')
    assert words in home.refuses("recall", "preview", "ledger", *options)


# ---- a recall, step by step ----------------------------------------------------------------------


def test_an_opened_recall_flags_and_refuses(home: Home) -> None:
    sale = ordered(2)
    assert names_of(home.run(*sale)) == []
    before = home.size()
    said = home.good(*OPEN, "--authority", "City", "--on", "2026-11-21", "--csv", "a.csv", "--json").json
    assert (said["id"], said["phase"], said["entry"], said["flagged"]) == ("R-1", "opened", before + 1, 3)
    assert (said["affected"], said["refuses"], said["groups"]["sold"]) == (3, True, 1)
    assert names_of(home.run(*sale)) == ["RECALLED"]
    assert home.good("trace", "ledger", serial(2), "--json").json["state"] == "bonded, recalled"
    assert len((home.path / "a.csv").read_text("utf-8").splitlines()) == 4
    told = home.good("recall", "show", "ledger", "R-1").out
    assert told.startswith("R-1   class 1   open\n")
    assert "2026-11-21  opened  entry" in told
    assert "by quality · authority City · 3 packs affected" in told


def test_what_turns_up_later_is_refused_and_counted(opened: Home) -> None:
    row = "event,time,code,place,lot,expiry\n"
    row += f"commission,2026-11-02T08:30:09+08:00,{serial(7)},,LOT-A7,2028-06-30\n"
    row += f"bond_in,{DAY}T09:00:00+08:00,{serial(7)},{ZONE},,\n"
    opened.write("late.csv", row)
    opened.good("ingest", "ledger", "late.csv", "--strict")
    order = ordered(7)
    assert names_of(opened.run(*order)) == ["RECALLED"]
    assert counts(opened)["locked"] == 3


def test_progress_counts_what_came_back(opened: Home) -> None:
    assert counts(opened) == {
        "affected": 3, "reached": 2, "locked": 2, "returned": 0, "destroyed": 0, "outstanding": 1,
    }  # fmt: skip
    told = opened.good("recall", "notify", "ledger", "R-1", "--party", f"person/{TOKEN}", *WHY).out
    assert "1 party was told" in told
    assert counts(opened)["reached"] == 3
    back = f"event,time,code,place\ndeliver,{DAY}T19:00:00+08:00,{serial(1)},{ZONE}\n"
    back += f"return_in,{DAY}T20:00:00+08:00,{serial(1)},{ZONE}\ndestroy,{DAY}T21:00:00+08:00,{serial(3)},{ZONE}\n"
    opened.write("back.csv", back)
    opened.good("ingest", "ledger", "back.csv")
    said = opened.good("recall", "progress", "ledger", "R-1", "--html", "a.html", "--json").json
    assert (said["locked"], said["returned"], said["destroyed"], said["outstanding"]) == (1, 1, 1, 0)
    assert (said["effectiveness"], said["open"]) == (1, True)
    told = opened.good("recall", "progress", "ledger", "R-1", "--csv", "a.csv").out
    assert "effectiveness  100.0 %" in told
    assert "1 party was told" in told
    assert "R-1" not in (opened.path / "a.csv").read_text("utf-8")
    assert "particles" in (opened.path / "a.html").read_text("utf-8")


def test_a_recall_is_closed_when_it_adds_up_or_with_a_reason(opened: Home) -> None:
    error = opened.refuses("recall", "close", "ledger", "R-1", *WHY)
    assert "recall 'R-1': 1 pack is outstanding: say with --open-reason" in error
    said = opened.good("recall", "close", "ledger", "R-1", *WHY, "--open-reason", "used up", "--json").json
    assert (said["phase"], said["outstanding"], said["open"]) == ("closed", 1, False)
    told = opened.good("recall", "show", "ledger", "R-1").out
    assert "3 packs affected: 2 locked, 0 returned, 0 destroyed, 1 outstanding" in told
    assert "closed all the same: used up" in told
    assert "it was closed in entry" in opened.refuses("recall", "close", "ledger", "R-1", *WHY, "--open-reason", "x")
    assert "it was closed in entry" in opened.refuses("recall", "notify", "ledger", "R-1", "--party", "x", *WHY)
    assert opened.good("recall", "progress", "ledger", "R-1", "--json").json["open"] is False
    assert opened.good("verify", "ledger", "--rules", "--json").json["good"] is True


def test_recalls_are_listed(opened: Home, template: Home) -> None:
    assert "0 recalls, 0 open" in template.good("recall", "show", "ledger").out
    opened.good("recall", "open", "ledger", "--id", "A-2", "--class", "3", *WHY, "--code", serial(2))
    said = opened.good("recall", "show", "ledger", "--json").json["recalls"]
    assert [(one["id"], one["recall_class"], one["affected_then"]) for one in said] == [
        ("A-2", "3", 1),
        ("R-1", "1", 3),
    ]
    assert [step["phase"] for step in said[1]["steps"]] == ["opened"]
    told = opened.good("recall", "show", "ledger").out
    assert "2 recalls, 2 open" in told
    (one,) = opened.good("recall", "show", "ledger", "A-2", "--json").json["recalls"]
    assert one["criterion"] == {"codes": [BONDED]}
    opened.good("recall", "notify", "ledger", "R-1", "--party", "a", "--party", "b", *WHY)
    opened.good("recall", "show", "ledger", "--csv", "steps.csv")
    with (opened.path / "steps.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["phase"], row["affected"]) for row in rows] == [
        ("A-2", "opened", "1"), ("R-1", "opened", "3"), ("R-1", "notified", ""),
    ]  # fmt: skip
    assert (rows[1]["which"], rows[2]["parties"]) == (f"lot LOT-A7 of {PRODUCT}", "a b")


@pytest.mark.parametrize("command", ["show", "progress"])
def test_a_recall_that_there_is_not(template: Home, command: str) -> None:
    done = template.run("recall", command, "ledger", "R-9\x1b[31m")
    assert (done.code, done.out) == (1, "? there is no recall R-9\\x1b[31m\n")
    assert template.run("recall", command, "ledger", "R-9", "--json").json["known"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("notify", "ledger", "R-9", "--party", "x", *WHY), "R-9"),
        (("close", "ledger", "R-9", *WHY), "there is no recall 'R-9'"),
        (OPEN[1:], "was opened before"),
        (("open", "ledger", "--id", "R 2", "--class", "1", *WHY, *THE_LOT), "id is 'R 2'"),
        (("open", "ledger", "--id", "R-2", "--class", "4", *WHY, *THE_LOT), "'4'"),
        (("open", "ledger", "--id", "R-2", "--class", "1", *WHY), "which packs?"),
        (("open", "ledger", "--id", "R-2", "--class", "1", *WHY, *THE_LOT, "--on", "21.11.2026"), "--on '21.11.2026'"),
    ],
)
def test_a_step_that_cannot_follow_writes_nothing(
    opened_template: Home, arguments: tuple[str, ...], words: str
) -> None:
    assert words in opened_template.refuses("recall", *arguments)


def test_without_a_profile_nothing_is_refused_and_that_is_said(tmp_path: Path) -> None:
    home = Here(tmp_path)
    home.good("init", "ledger", "--origin", ORIGIN)
    home.write("a.csv", f"event,time,code,lot\ncommission,{DAY}T08:00:00+08:00,{serial(1)},LOT-A7\n")
    home.good("ingest", "ledger", "a.csv")
    done = home.good(*OPEN)
    assert "no profile is in force, so nothing is refused" in done.out
    assert "what comes later is refused" not in done.out
    assert counts(home)["outstanding"] == 1


def test_keys_are_found_where_they_are(template: Home, tmp_path: Path) -> None:
    home = Here(copy_home(template, tmp_path / "home").path)
    (home.path / "ledger.keys").rename(home.path / "safe")
    assert "log.pem does not exist" in home.refuses(*OPEN)
    home.write("pass", PASSPHRASE + "\n")
    home.good(*OPEN, "--keys", "safe", "--passphrase-file", "pass")


def test_the_installed_program_knows_it(template: Home) -> None:
    done = run("recall", "preview", "ledger", *THE_LOT, "--json", cwd=template.path)
    assert (done.code, done.json["affected"]) == (0, 3)


# ---- options -------------------------------------------------------------------------------------


def asked(**given: Any) -> Asked:
    names = [(name, several) for _, name, _, several, _ in _OPTIONS]
    return (
        {name: () if several else None for name, several in names} | {"measure": None, "criterion_file": None} | given
    )


BEGIN, END = parse_time("2026-11-20T00:00:00+08:00"), parse_time("2026-11-20T23:59:59.999999999+08:00")
PLACE = "414/9521234000013"


@pytest.mark.parametrize(
    ("given", "criterion"),
    [
        ({"gtin": "9521234001072"}, criteria.OfProduct(PRODUCT)),
        ({"gtin": "(01)09521234001072"}, criteria.OfProduct(PRODUCT)),
        ({"gtin": "nmpa/8123456", "lot": "L"}, criteria.Lot("nmpa/8123456", "L")),
        ({"maker": "Example Pharma"}, criteria.ByMaker("Example Pharma")),
        ({"merchant": "4179521234000037"}, criteria.ByMerchant("417/9521234000037")),
        ({"places": (ZONE,)}, criteria.ThroughPlace(PLACE)),
        (
            {"places": (ZONE,), "start": "2026-11-20", "stop": "2026-11-20"},
            criteria.ThroughPlace(PLACE, BEGIN, END),
        ),
        ({"carriers": ("fast",), "stop": "2026-11-20"}, criteria.ByCarrier("fast", None, END)),
        ({"containers": ("00095212340000000013",)}, criteria.ThroughContainer("00/095212340000000013")),
        ({"shared": (serial(1),)}, criteria.SharedContainer(SOLD)),
        ({"made_from": "2026-11-20"}, criteria.Commissioned(BEGIN, MAX_TIME)),
        ({"made_to": "2026-11-20"}, criteria.Commissioned(MIN_TIME, END + 1)),
        ({"made_to": "2026-11-20T00:00:00+08:00"}, criteria.Commissioned(MIN_TIME, BEGIN)),
        ({"above": "8", "longest": "30m"}, criteria.Measured("temperature", Decimal(8), None, 30 * 60 * 10**9)),
        ({"below": "40.5", "measure": "humidity"}, criteria.Measured("humidity", None, Decimal("40.5"))),
        ({"codes": (serial(2), serial(1))}, criteria.Codes((SOLD, BONDED))),
        (
            {"gtin": GTIN, "codes": (serial(1),)},
            criteria.OfProduct(PRODUCT) & criteria.Codes((SOLD,)),
        ),
    ],
)  # fmt: skip
def test_options_are_criteria(given: dict[str, Any], criterion: Criterion) -> None:
    assert criterion_of(asked(**given)) == criterion


def test_options_are_spelt_as_they_were_given() -> None:
    said = spelt(asked(gtin=GTIN, lot="A 7'", codes=("a", "b"), measure="humidity", above="-5"))
    assert said == f"--gtin {GTIN} --lot 'A 7'\"'\"'' --code a --code b --above -5 --measure humidity"


def test_no_option_is_no_criterion() -> None:
    with pytest.raises(InputError, match="which packs"):
        criterion_of(asked())


def test_every_option_of_a_criterion_is_one_of_preview_and_open(template: Home) -> None:
    for command in ("preview", "open"):
        told = template.good("recall", command, "--help").out
        assert all(f"{option} " in told for option, *_ in _OPTIONS)
