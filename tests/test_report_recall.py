"""The page of a recall: its figures are those of the fan-out, and what it does not carry it counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

import report_samples as samples
from report_pages import MADE, Page, recall
from tracechain.recall import GROUPS, FanOut, Progress
from tracechain.report import recall_page
from tracechain.report.spread import to_columns
from tracechain.report.words import Names


def test_a_recall_says_how_many_and_what_is_to_be_done() -> None:
    page = Page(recall())
    for said in ("300 units are affected", "件受影响", "2 things could not be resolved", "有 2 处未能查明",
                 "lock", "锁定", "notify", "通知", "class 2", "authority: Beijing MPA",
                 "particles in three packs", "1,900 entries",
                 "closed with packs outstanding: two buyers moved away", "2026-12-01"):  # fmt: skip
        assert said in page.text, said
    tiles = [a for tag, a in page.tags if tag == "button" and "data-group" in a]
    assert len(tiles) == len(GROUPS)


def test_a_recall_without_open_ends_says_that_it_is_complete() -> None:
    page = Page(recall_page(samples.fan_out(30), made_at=MADE)).text
    assert "the list is complete as far as the data goes" in page
    assert "could not be resolved" not in page


def test_a_recall_of_nothing_is_a_page_too() -> None:
    text = Page(recall_page(samples.fan_out(0, unresolved=3), made_at=MADE)).text
    assert "0 units are affected" in text
    assert "3 things could not be resolved" in text


def test_a_merged_recall_of_several_criteria_says_so() -> None:
    page = recall_page(evolve(samples.fan_out(3), criterion=None), made_at=MADE)
    assert "several criteria" in page
    assert "多项条件" in page


@pytest.mark.parametrize(
    ("outstanding", "said"), [(0, "100 %"), (1, "99.9 %"), (9_999, "0.1 %"), (10_000, "0 %"), (4_999, "50.0 %")]
)
def test_effectiveness_is_never_rounded_up_to_all(outstanding: int, said: str) -> None:
    progress = Progress("R", True, 10_000, 0, 10_000 - outstanding, 0, 0, outstanding)
    page = recall_page(samples.fan_out(10), progress=progress, made_at=MADE)
    assert f'<b id="effectiveness">{said}</b>' in page


def test_progress_of_nothing_is_no_percentage() -> None:
    page = recall_page(samples.fan_out(0), progress=Progress("R", True, 0, 0, 0, 0, 0, 0), made_at=MADE)
    assert '<b id="effectiveness">–</b>' in page


def columns_of(fan: FanOut, most: int = 200_000) -> Any:
    return json.loads(json.dumps(to_columns(fan, Names(samples.NAMES), most=most)))


@pytest.mark.parametrize("products", [1, 3])
def test_the_columns_say_what_the_fan_out_says(products: int) -> None:
    fan = samples.fan_out(700, products=products, unresolved=5)
    data = columns_of(fan)
    units, texts = data["units"], data["texts"]
    assert units["count"] == 700
    codes = [units["heads"][head] + tail for head, tail in zip(units["head"], units["tail"], strict=True)]
    assert codes == [f"(01){one.unit[3:17]}(21){one.unit[21:]}" for one in fan.units]
    places = [None if at < 0 else texts[at] for at in units["place"]]
    assert places == [None if one.place is None else f"(414){one.place[4:]}" for one in fan.units]
    assert units["time"] == [None if one.time is None else one.time // 10**9 for one in fan.units]
    states = [units["states"][at] for at in units["state"]]
    assert [custody for custody, *_ in states] == [one.state & 15 for one in fan.units]
    by_group = dict(zip(GROUPS, (sum(column) for column in data["places"]["groups"]), strict=True))
    assert by_group == fan.groups
    lots = dict(zip(GROUPS, (sum(column) for column in data["lots"]["groups"]), strict=True))
    assert lots == fan.groups
    assert data["parties"]["count"] == len(fan.parties)
    told = sum(sum(column) for column in data["parties"]["groups"])
    assert told == fan.affected - fan.groups["destroyed"]
    assert sum(count for _, _, count, _ in data["states"]) == 700
    assert data["unresolved"]["count"] == 5


def test_the_picture_loses_no_unit_however_much_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    fan = samples.fan_out(3000, products=2)
    whole = columns_of(fan)["spread"]
    monkeypatch.setattr("tracechain.report.spread._MOST_NODES", 7)
    folded = columns_of(fan)["spread"]
    for spread in (whole, folded):
        for layer, kind in enumerate(("maker", "lot", "container", "place", "holder")):
            nodes = [at for at, one in enumerate(spread["layer"]) if one == layer]
            expected = {node for edge in fan.edges for node in edge if node[0] == kind}
            assert sum(spread["stands"][at] for at in nodes) == len(expected)
            if kind != "container":
                gone = fan.groups["destroyed"] if kind == "holder" else 0  # what is destroyed is nobody's
                assert sum(spread["units"][at] for at in nodes) == fan.affected - gone
        into_holders = sum(
            width for to, width in zip(spread["to"], spread["width"], strict=True) if spread["layer"][to] == 4
        )
        assert into_holders == fan.affected - fan.groups["destroyed"]
    assert len(folded["layer"]) <= 5 * 7 + 7 + 2 * 5 < len(whole["layer"])
    assert {-2, -3} <= set(folded["id"])


def test_what_a_page_does_not_carry_it_counts() -> None:
    fan = samples.fan_out(500)
    data = columns_of(fan, most=100)
    assert data["units"]["count"] == 500
    assert len(data["units"]["tail"]) == 100
    assert sum(sum(column) for column in data["places"]["groups"]) == 500


def test_a_page_that_leaves_units_out_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracechain.report.recall.MOST_UNITS", 200)
    text = Page(recall_page(samples.fan_out(500), made_at=MADE)).text
    assert "This page carries the first 200 of 500 units" in text
    assert "共 500 件" in text
    assert "--csv" in text


def test_a_hundred_thousand_units_are_a_page_of_a_few_megabytes() -> None:
    page = recall_page(samples.fan_out(100_000, unresolved=3), names=samples.NAMES, made_at=MADE)
    assert len(page) < 8_000_000
    assert len(Page(page).tags) < 1000  # rows are drawn, not written


def test_an_unlabelled_unit_and_an_nmpa_code_are_shown_whole() -> None:
    first = samples.fan_out(1).units[0]
    odd = ("nmpa/81234567890123456789", f"{samples.PRODUCT}/21/A%28B%29%2FC", "urn:example:thing")
    fan = evolve(samples.fan_out(1), units=tuple(first._replace(unit=unit, lot=None) for unit in sorted(odd)))
    units = columns_of(fan)["units"]
    codes = {units["heads"][head] + tail for head, tail in zip(units["head"], units["tail"], strict=True)}
    assert codes >= {"81234567890123456789", "urn:example:thing"}
    assert any("A\\(B" in code for code in codes)
