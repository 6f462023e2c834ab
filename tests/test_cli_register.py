"""init --profile and register: what the pilot has to know goes into the log whole or not at all, and out again."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from cli_home import ORIGIN, Home, copy_home, run, serial
from cli_pilot_home import TOKEN, Here, make_pilot_home, names_of
from tracechain import registers
from tracechain.cli.register import template
from tracechain.registers import KINDS
from tracechain.registers.files import parse, read_values


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A ledger under the pilot's rules, made once."""
    return make_pilot_home(tmp_path_factory.mktemp("pilot") / "template")


@pytest.fixture
def home(template_home: Home, tmp_path: Path) -> Home:
    """A copy of it that the test may write to."""
    return Here(copy_home(template_home, tmp_path / "home").path)


def entries(home: Home, kind: str) -> list[dict[str, Any]]:
    said = home.good("log", "ledger", "--from", "0", "--limit", "1000", "--json").json
    return [one for one in said["entries"] if one["type"] == "record" and one["content"]["kind"] == kind]


# ---- init --profile ------------------------------------------------------------------------------


def test_a_profile_is_the_first_record_of_a_ledger(tmp_path: Path) -> None:
    made = run("init", "a", "--origin", ORIGIN, "--profile", "beijing", "--json", cwd=tmp_path)
    assert made.json["profile"] == {"name": "beijing", "edition": "2020-12-21", "entry": 3}
    log = run("log", "a", "--json", cwd=tmp_path).json["entries"]
    assert [one["type"] for one in log] == ["genesis", "key_authorised", "statement", "record"]
    assert log[3]["content"]["kind"] == "profile"
    told = run("init", "b", "--origin", ORIGIN, "--profile", "beijing", cwd=tmp_path).out
    assert "profile       beijing, edition 2020-12-21, in entry 3" in told


def test_a_profile_of_ones_own_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(template("profile").replace('name = "beijing"', 'name = "mine"'))
    made = run("init", "a", "--origin", ORIGIN, "--profile", "mine.toml", "--json", cwd=tmp_path)
    assert made.json["profile"]["name"] == "mine"


@pytest.mark.parametrize(
    ("name", "words"), [("beijng", "did you mean 'beijing'?"), ("./none.toml", "none.toml cannot be read")]
)
def test_a_profile_that_is_none_leaves_nothing_behind(tmp_path: Path, name: str, words: str) -> None:
    done = run("init", "a", "--origin", ORIGIN, "--profile", name, cwd=tmp_path)
    assert done.code == 2
    assert words in done.err
    assert list(tmp_path.iterdir()) == []


# ---- register: writing ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_template_of_each_kind_can_be_registered_and_names_every_field(kind: str, tmp_path: Path) -> None:
    text = template(kind)
    (tmp_path / "a.toml").write_text(text)
    (value,) = registers.load(tmp_path / "a.toml", kind)
    assert isinstance(value, KINDS[kind])
    named = set(re.findall(r"^(?:# )?\[*(\w+)\]*(?: =|$|\s+#)", text, re.MULTILINE))
    given = {"gtin": "id"}
    fields = {one.name for one in attrs.fields(type(value))}
    assert fields <= {given.get(name, name) for name in named}
    assert "\t" not in text


def test_the_templates_fit_each_other(template_home: Home) -> None:
    """They make one small world, in which a pack was sold lawfully."""
    violations = template_home.good("violations", "ledger", "--json").json["violations"]
    assert "SCOPE" not in {one["name"] for one in violations}
    assert "PRODUCT_UNREGISTERED" not in {one["name"] for one in violations}


def test_a_new_version_follows_the_old_one(home: Home) -> None:
    home.write("product.toml", template("product").replace("AT-30", "AT-31"))
    said = home.good("register", "ledger", "product", "product.toml", "--json").json
    (record,) = said["records"]
    assert (record["id"], record["version"], record["kind"]) == ("01/09521234001072", 1, "product")
    assert [one["index"] for one in entries(home, "product")][-1] == record["entry"] == said["first_entry"]
    told = home.good("register", "ledger", "product", "product.toml").out
    assert "1 product record, entry" in told
    assert "version 2" in told


def test_json_files_and_several_of_a_kind_are_one_commit(home: Home) -> None:
    place = {"id": "urn:example:shop", "name": "Shop", "type": "store"}
    rows = [place | {"id": f"urn:example:shop:{n}"} for n in range(30)] + [place, place | {"name": "Shop 2"}]
    home.write("places.json", json.dumps({"place": rows}))
    before = home.size()
    done = home.good("register", "ledger", "place", "places.json")
    assert home.size() == before + 1 + len(rows), "one statement for all of them"
    assert "places.json: 32 place records, entries" in done.out
    assert "and 12 more" in done.out
    shown = home.good("register", "ledger", "place", "--show", "urn:example:shop", "--json").json
    assert (shown["version"], shown["value"]["name"]) == (1, "Shop 2")


def test_all_of_a_file_or_nothing_and_every_fault_in_a_line_of_its_own(home: Home) -> None:
    before = home.size()
    home.write("products.json", json.dumps({"product": _three_products()}))
    done = home.run("register", "ledger", "product", "products.json")
    assert done.code == 2
    one, other = done.err.splitlines()
    assert "number 2" in one
    assert "check digit" in one
    assert "number 3" in other
    assert "unknown field 'modell', did you mean 'model'?" in other
    assert "there is no such date" in other
    assert home.size() == before


def _three_products() -> list[dict[str, Any]]:
    (value,) = read_values(parse(template("product").encode(), "toml", "t"), "product", "t")
    good = value.mapping()
    unknown = dict(good) | {"verify_by": "2027-02-30", "modell": good["model"]}
    del unknown["model"]
    wrong = dict(good) | {"gtin": "9521234001073"}
    del wrong["id"]
    return [good, wrong, unknown]


def test_what_cannot_follow_is_refused_whole(home: Home) -> None:
    suspended = template("merchant-suspended")
    home.write("one.toml", suspended)
    home.good("register", "ledger", "merchant-suspended", "one.toml")
    assert "suspended since entry" in home.refuses("register", "ledger", "merchant-suspended", "one.toml")
    step = template("case").replace('"opened"', '"handled"')
    body = "\n".join("[[case]]\n" + text for text in (step, step.replace("C-2026-041", "C-2026-042")))
    home.write("steps.toml", body)
    error = home.refuses("register", "ledger", "case", "steps.toml")
    assert "C-2026-042: its first step is 'handled'; open it first" in error
    assert "steps.toml" in error


def test_a_measure_takes_effect_with_the_next_entry(home: Home) -> None:
    order = (
        "check", "ledger", serial(3), "--event", "order", "--doc", "po:BJ-18", "--buyer", TOKEN, "--amount", "90",
        "--json",
    )  # fmt: skip
    assert home.good(*order).json["good"] is True
    home.write("stop.toml", template("service-stopped"))
    told = home.good("register", "ledger", "service-stopped", "stop.toml").out
    assert "example-pharmacy" in told
    assert "version" not in told
    assert names_of(home.run(*order)) == ["SERVICE_STOPPED"]
    home.write("on.toml", template("service-resumed"))
    home.good("register", "ledger", "service-resumed", "on.toml")
    assert names_of(home.run(*order)) == []


def test_a_profile_is_registered_by_name_or_file(home: Home) -> None:
    said = home.good("register", "ledger", "profile", "beijing", "--json").json
    assert said["records"][0]["version"] == 1
    home.write("mine.toml", template("profile").replace("order_limit = 5000", "order_limit = 90"))
    told = home.good("register", "ledger", "profile", "mine.toml").out
    assert "its rules hold from the next entries on" in told
    home.refuses("register", "ledger", "profile", "beijng")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("produkt", "a.toml"), "did you mean 'product'?"),
        (("product",), "say one of: a FILE to register, --show, --overdue, --template"),
        (("product", "a.toml", "--overdue"), "say one of"),
        (("product", "none.toml"), "none.toml cannot be read"),
        (("product", "--show", "--history"), "--history is of one subject"),
        (("product", "merchant.toml", "--as-of", "2026-01-01"), "--as-of is for --show and --overdue"),
        (("product", "merchant.toml"), "missing field 'specification'"),
        (("all", "--show"), "'all' is no kind of register"),
        (("service-stopped", "--show"), "about a merchant, a product or an enterprise"),
        (("product", "--show", "01/09521234001073"), "check digit"),
        (("product", "--show", "--as-of", "2026-02-30"), "is no day of the calendar"),
        (("product", "--show", "--as-of", "2026-02-01T10:00:00"), "is no time"),
    ],
)
def test_what_register_cannot_use(template_home: Home, arguments: tuple[str, ...], words: str) -> None:
    assert words in template_home.refuses("register", "ledger", *arguments)


# ---- register: showing ---------------------------------------------------------------------------


def test_a_template_is_printed_and_nothing_else(tmp_path: Path) -> None:
    assert run("register", "none", "carrier", "--template", cwd=tmp_path).out == template("carrier")
    said = run("register", "none", "carrier", "--template", "--json", cwd=tmp_path).json
    assert said == {"kind": "carrier", "template": template("carrier")}
    assert run("register", "none", "carrie", "--template", cwd=tmp_path).code == 2


def test_what_is_registered_is_listed(template_home: Home) -> None:
    said = template_home.good("register", "ledger", "place", "--show", "--json").json
    (place,) = said["subjects"]
    assert (place["id"], place["version"], place["value"]["area"]) == ("414/9521234000013", 0, 650)
    told = template_home.good("register", "ledger", "place", "--show").out
    assert "(414)9521234000013" in told
    assert "1 of kind place" in told
    assert "0 of kind enterprise" in template_home.good("register", "ledger", "enterprise", "--show").out
    steps = template_home.good("register", "ledger", "case", "--show", "--json").json["subjects"]
    assert steps[0]["version"] is None


@pytest.mark.parametrize("code", ["01/09521234001072", "(01)09521234001072", "9521234001072"])
def test_one_subject_is_shown_in_any_spelling_with_its_history(home: Home, code: str) -> None:
    home.write("product.toml", template("product").replace("AT-30", "AT-31").replace("[2, 8.5]", "[2, 25]"))
    home.good("register", "ledger", "product", "product.toml")
    home.write("shield.toml", template("shielded"))
    home.good("register", "ledger", "shielded", "shield.toml")
    said = home.good("register", "ledger", "product", "--show", code, "--history", "--json").json
    assert (said["version"], said["versions"], said["shielded_versions"]) == (1, 2, [0])
    assert [(one["kind"], one["version"], one["author"]) for one in said["history"]] == [
        ("product", 0, "ledger"), ("product", 1, "ledger"), ("shielded", None, "ledger"),
    ]  # fmt: skip
    told = home.good("register", "ledger", "product", "--show", code, "--history").out
    assert "changed: model, temperature" in told
    assert re.search(r"temperature +2 to 25", told)
    assert "history" not in home.good("register", "ledger", "product", "--show", code, "--json").json


def test_the_register_says_what_it_said_on_a_day(home: Home) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(hours=8, days=1)).date()
    home.write("shop.json", json.dumps({"id": "shop", "name": "Shop", "type": "store"}))
    home.good("register", "ledger", "place", "shop.json")
    for day, count in (("2020-01-01", 0), (tomorrow.isoformat(), 2)):
        said = home.good("register", "ledger", "place", "--show", "--as-of", day, "--json").json
        assert (len(said["subjects"]), said["day"]) == (count, day)
    done = home.run("register", "ledger", "place", "--show", "shop", "--as-of", "2020-01-01")
    assert (done.code, "is not registered on 2020-01-01" in done.out) == (1, True)
    assert "perhaps" not in done.out
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
    assert home.good("register", "ledger", "place", "--show", "shop", "--as-of", soon).code == 0


def test_what_is_not_registered_is_answered_with_what_was_perhaps_meant(template_home: Home) -> None:
    done = template_home.run("register", "ledger", "merchant", "--show", "example-farmacy")
    assert done.code == 1
    assert "perhaps example-pharmacy" in done.out
    said = template_home.run("register", "ledger", "merchant", "--show", "example-farmacy", "--json")
    assert (said.code, said.json["registered"], said.json["nearest"]) == (1, False, ["example-pharmacy"])


def test_what_has_run_out_is_listed_of_one_kind_or_of_all(template_home: Home) -> None:
    late = ("--overdue", "--as-of", "2099-01-01")
    said = template_home.good("register", "ledger", "all", *late, "--json").json["overdue"]
    assert {one["kind"] for one in said} == {"carrier", "case", "merchant", "product"}
    (carrier,) = template_home.good("register", "ledger", "carrier", *late, "--json").json["overdue"]
    assert (carrier["due"], carrier["clause"]) == ("2027-05-14", "S1 VI")
    assert carrier["days"] > 25_000
    assert "assess the carrier again (S1 VI)" in template_home.good("register", "ledger", "all", *late).out
    assert template_home.run("register", "ledger", "all", *late, "--strict").code == 1
    assert "nothing of kind place has run out" in template_home.good("register", "ledger", "place", *late).out
    assert template_home.run("register", "ledger", "place", *late, "--strict").code == 0
