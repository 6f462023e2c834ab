"""Registers from TOML and JSON files, and the profile that comes with the library."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields

from tracechain import registers
from tracechain.errors import InputError
from tracechain.pilot import load_profile, profile_names
from tracechain.registers import Place, Profile
from tracechain.registers.files import MAX_FILE

#: All that the rules judge by. Which enterprise it is, is not the pilot's to say, so that one may be left out.
VALUES = [one.name for one in fields(Profile) if one.name != "enterprise"]
BEIJING = files("tracechain.pilot") / "beijing.toml"
PLACE = {"id": "store-1", "name": "Store", "type": "store", "area": 120}


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ---- the pilot's profile -----------------------------------------------------------------------------


def test_the_beijing_profile_says_what_the_sources_say() -> None:
    assert load_profile("beijing") == Profile(
        name="beijing",
        edition="2020-12-21",
        order_limit=Decimal(5000),
        year_limit=Decimal(26000),
        return_apply_days=30,
        return_arrive_days=45,
        export_return_days=365,
        undo_days=10,
        near_expiry_days=90,
        late_recording_hours=24,
        movement_minutes=60,
        delivery_days=7,
        stocktake_days=31,
        warehouse_area=500,
        warehouse_managers=2,
        reverify_days=365,
        places_registered=True,
        products_registered=True,
    )


def test_every_value_of_the_profile_has_its_clause_beside_it() -> None:
    lines = [line for line in BEIJING.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    values = {line.split(" = ")[0]: line for line in lines}
    assert set(values) == set(VALUES)
    for name, line in values.items():
        if name != "name":
            assert re.search(r"# (\[practice\] \w|S[0-4]( [IVX]+)?: |S1 [IVX]+[,:]|EU 2016/161 art\. 13: )", line), line


def test_quotes_of_the_profile_stand_in_the_plan() -> None:
    shared = Path(__file__).resolve().parents[1] / ".." / "shared" / "seeds"
    if not shared.is_dir():
        pytest.skip("the sources are not beside the repository")
    sources = " ".join(path.read_text("utf-8") for path in shared.glob("00[01]_*.txt"))
    quotes = [
        quote
        for line in BEIJING.read_text("utf-8").splitlines()
        if not line.startswith("#")
        for quote in re.findall('"([^"]+)"', line.partition("#")[2])
    ]
    assert len(quotes) >= 6
    assert [quote for quote in quotes if quote.lower() not in sources.lower()] == []


def test_a_profile_comes_back_from_its_record() -> None:
    profile = load_profile("beijing")
    assert registers.read(profile.record(4)) == profile
    assert profile.subject == "urn:tracechain:profile:beijing"


def test_another_profile_can_be_loaded_instead(tmp_path: Path) -> None:
    mine = evolve(load_profile("beijing"), name="mine", order_limit=Decimal("2000.5"))
    path = written(tmp_path, "mine.json", json.dumps(mine.mapping()))
    assert load_profile(path) == mine
    assert load_profile(str(path)) == mine


def test_the_names_of_profiles_are_known() -> None:
    assert profile_names() == ("beijing",)
    with pytest.raises(InputError, match="'bejing' is no profile: did you mean 'beijing'"):
        load_profile("bejing")
    with pytest.raises(InputError, match="'x' is no profile: known: beijing; a file of your own is named with"):
        load_profile("x")


def test_a_path_is_never_taken_for_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="beijing cannot be read: No such file"):
        load_profile(Path("beijing"))
    with pytest.raises(InputError, match=r"beijing\.toml cannot be read: No such file"):
        load_profile("beijing.toml")


@pytest.mark.parametrize("name", VALUES)
def test_a_profile_says_every_value(tmp_path: Path, name: str) -> None:
    text = "\n".join(line for line in BEIJING.read_text("utf-8").splitlines() if not line.startswith(f"{name} = "))
    with pytest.raises(InputError, match=rf"x\.toml, profile: missing field '{name}'"):
        load_profile(written(tmp_path, "x.toml", text))


def test_a_ledger_judges_by_one_profile(tmp_path: Path) -> None:
    two = "".join(f"[[profile]]\n{BEIJING.read_text('utf-8')}\n" for _ in range(2))
    with pytest.raises(InputError, match="holds 2 profiles: a ledger judges by one"):
        load_profile(written(tmp_path, "x.toml", two))


# ---- files -------------------------------------------------------------------------------------------

TOML = 'id = "store-1"\nname = "Store"\ntype = "store"\narea = 120\nlicensed_until = 2026-12-31\n'


def test_a_file_holds_one_object_or_a_list_under_its_kind(tmp_path: Path) -> None:
    one = Place.from_mapping(PLACE | {"licensed_until": "2026-12-31"}, "x")
    two = evolve(one, id="store-2")
    assert registers.load(written(tmp_path, "a.toml", TOML), "place") == (one,)
    assert registers.load(str(written(tmp_path, "b.toml", f"[place]\n{TOML}")), "place") == (one,)
    several = f"[[place]]\n{TOML}[[place]]\n{TOML.replace('store-1', 'store-2')}"
    assert registers.load(written(tmp_path, "c.toml", several), "place") == (one, two)
    assert registers.load(written(tmp_path, "d.json", json.dumps(one.mapping())), "place") == (one,)
    as_list = json.dumps({"place": [one.mapping(), two.mapping()]})
    assert registers.load(written(tmp_path, "e.JSON", as_list), "place") == (one, two)


def test_a_byte_order_mark_and_line_ends_of_windows_are_no_fault(tmp_path: Path) -> None:
    path = written(tmp_path, "a.toml", b"\xef\xbb\xbf" + TOML.replace("\n", "\r\n").encode())
    assert registers.load(path, "place")[0].subject == "urn:tracechain:place:store-1"


def test_numbers_of_files_are_exact(tmp_path: Path) -> None:
    case = {"id": "C", "type": "compensation", "phase": "handled", "on": "2026-01-01", "by": "x", "text": "x"}
    for name, content in (
        ("a.toml", "".join(f'{key} = "{value}"\n' for key, value in case.items()) + "about = []\namount = 0.10"),
        ("b.json", json.dumps(case | {"about": []})[:-1] + ', "amount": 0.10}'),
    ):
        (found,) = registers.load(written(tmp_path, name, content), "case")
        assert found.record().body[8] == (1, -1)


def test_faults_of_several_objects_are_named_together(tmp_path: Path) -> None:
    path = written(tmp_path, "x.json", json.dumps({"place": [PLACE, PLACE | {"area": -1}, {"id": "z"}]}))
    with pytest.raises(InputError) as caught:
        registers.load(path, "place")
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}, number 2, place: area is -1: it must be")
    assert second.startswith(f"{path}, number 3, place: missing field 'name'")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.toml", TOML.replace("2026-12-31", "2025-02-29"), "Invalid date or datetime (at line 5, column 18), in"),
        ("x.toml", TOML.replace("2026-12-31", "2025-02-29"), "in 'licensed_until = 2025-02-29'"),
        ("x.toml", TOML + 'area = 1\n', "is no TOML: Cannot overwrite a value (at line 6"),
        ("x.toml", "id = ", "is no TOML: Invalid value (at end of document)"),
        ("x.toml", TOML.replace("120", "inf"), "is no TOML: inf is no number that can be recorded"),
        ("x.toml", TOML.replace("120", "1e9999999999999999999999"), "is no number that can be recorded"),
        ("x.toml", TOML.replace("120", "0x" + "f" * 5000), "area is <int, too large to show>: it must be"),
        ("x.toml", TOML.replace("120", "9" * 5000), "is no TOML: Exceeds the limit"),
        ("x.toml", TOML.replace("120", "[" * 5000), "nests too deep"),
        ("x.json", '{"id": NaN}', "is no JSON: NaN is no number that can be recorded"),
        ("x.json", '{"id": 1, "id": 2}', "is no JSON: 'id' stands twice in one object: keep one"),
        ("x.json", '{"id": ' + "9" * 5000 + "}", "is no JSON: Exceeds the limit"),
        ("x.json", "[" * 100_000, "nests too deep"),
        ("x.json", "", "is no JSON: Expecting value"),
        ("x.json", "[]", "is []: it must be one object"),
        ("x.json", "5", "is 5: it must be one object"),
        ("x.json", '{"place": []}', "place is []: it must be a table or a list of tables"),
        ("x.json", '{"place": 5}', "place is 5: it must be a table or a list of tables"),
        ("x.json", '{"place": [5]}', "number 1, place is 5: it must be a table of fields"),
        ("x.json", '{"place": [], "b": 1, "a": 2}', "beside 'place' stands 'a', 'b'; keep one kind a file"),
        ("x.json", '{"product": [{}]}', "holds registers of kind 'product', and 'place' was asked for"),
        ("x.json", '{"licence": null}', "missing field 'id'"),
        ("x.json", b"\xff", "is not UTF-8 at byte 0: save it as UTF-8"),
        ("x.json", b" " * (MAX_FILE + 1), f"is over {MAX_FILE} bytes: split it"),
        ("x.yaml", "id: 1", "its name must end in .toml or .json"),
        ("x", "id = 1", "its name must end in .toml or .json"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, name: str, content: Any, says: str) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        registers.load(path, "place")
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        registers.load(tmp_path, "place")
    with pytest.raises(InputError, match="cannot be read: embedded null byte"):
        registers.load("a\x00.toml", "place")
    with pytest.raises(InputError, match="'places' is no kind of register: did you mean 'place'"):
        registers.load(written(tmp_path, "x.toml", TOML), "places")
