"""The pages of tracechain.report as texts: escaped, complete in both languages, and in need of nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

import report_samples as samples
from report_pages import MADE, PAGES, Page, hostile_pages, is_inert, recall, timeline
from tracechain.custody import Act, Custody, Flag, Violation
from tracechain.errors import InputError
from tracechain.formats.scan_rows import EVENTS
from tracechain.recall import GROUPS
from tracechain.report import recall_page, timeline_page
from tracechain.report.catalogue import (
    FINDINGS,
    FOR_SCRIPTS,
    LANGUAGES,
    TEXTS,
    VIOLATIONS,
    both,
    for_scripts,
    violation,
)
from tracechain.report.escaping import shorten, to_script, visible
from tracechain.report.timeline import NOTES
from tracechain.report.way import Sighting, draw
from tracechain.report.words import Names, act_words, clock_time, details, state_words, step_name, step_words
from tracechain.tracing import Holder, Trace, Unresolved, Whereabouts
from tracechain.verification import Code

PACKAGE = files("tracechain.report")
ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "tracechain" / "report"


HOSTILE = ("timeline", "recall")


# ---- a page needs nothing else -----------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_names_the_one_script_and_the_one_style_of_the_page(name: str) -> None:
    page = Page(PAGES[name]())
    assert page.policy.startswith("default-src 'none'; ")
    (script,) = (text for attributes, text in page.scripts if "type" not in attributes)
    (style,) = page.styles
    for text, directive in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}';" in page.policy
    assert "unsafe" not in page.policy


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_stands_before_anything_that_it_has_to_rule(name: str) -> None:
    tags = [tag for tag, _ in Page(PAGES[name]()).tags]
    assert tags[:4] == ["html", "head", "meta", "meta"]
    assert not {"style", "script", "link"} & set(tags[:4])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing(name: str) -> None:
    is_inert(PAGES[name]())


def test_scripts_are_strict_and_end_nowhere() -> None:
    for asset in PACKAGE.joinpath("assets").iterdir():
        text = asset.read_text("utf-8")
        assert "\r" not in text  # a browser would hash another text
        assert "</" not in text or asset.name.endswith(".css")
        assert "<!--" not in text
        assert len(text.splitlines()) <= 600
    assert '"use strict"' in Page(timeline()).scripts[-1][1].splitlines()[1]


# ---- what comes from the ledger is text --------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_stay_texts(name: str) -> None:
    page = hostile_pages()[name]
    is_inert(page)
    page.encode()  # a lone surrogate could not be written to a file
    kind = PAGES[name]()
    assert {tag for tag, _ in Page(page).tags} <= {tag for tag, _ in Page(kind).tags} | {"br", "div", "code", "ol"}
    taken = Page(page)
    assert samples.HOSTILE[1] in taken.text or samples.HOSTILE[1] in json.dumps(taken.data, ensure_ascii=False)
    assert "7 * 7" in taken.text


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_cannot_be_seen_is_in_a_page(name: str) -> None:
    page = hostile_pages()[name]
    assert sorted({c for c in page if c != "\n" and visible(c) != c}) == []


@given(st.text(max_size=40))
def test_visible_texts_are_visible_and_stay_so(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    once.encode()


@given(st.recursive(st.text() | st.integers() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_json_in_a_script_means_the_same_and_ends_nothing(value: Any) -> None:
    text = to_script(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029\n\r") & set(text)
    assert text.isascii()


@given(st.text(max_size=60), st.integers(min_value=3, max_value=40))
def test_shortened_texts_fit(text: str, width: int) -> None:
    import unicodedata

    short = shorten(text, width)
    assert sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in short) <= width
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


@given(st.text(max_size=80))
def test_any_name_of_a_place_is_text(name: str) -> None:
    trace, where = samples.history(sound=True)
    page = timeline_page(trace, where, names={samples.STORE: name}, made_at=MADE)
    is_inert(page)
    shown = " ".join(visible(name).split())
    assert shown in Page(page).text


# ---- both languages ----------------------------------------------------------------------------


def fields(text: str) -> list[set[str]]:
    return [{name for _, name, _, _ in Formatter().parse(form) if name} for form in text.split("|")]


def test_every_text_has_both_languages_with_the_same_values() -> None:
    assert len(TEXTS) > 200
    for key, (english, chinese) in TEXTS.items():
        assert english, key
        assert chinese, key
        assert set().union(*fields(english)) - {"n"} == set().union(*fields(chinese)) - {"n"}, key
        # Where English counts in two forms, "1 unit" needs no number that Chinese would not have to name.
        assert fields(chinese)[0] <= fields(english)[-1], key
        assert "|" not in chinese, key
        said = re.sub(r"\{[a-z]+\}", "", english)
        assert re.search("[\u4e00-\u9fff]", chinese) or not re.search("[a-z]", said), key
        assert not re.search("[\u4e00-\u9fff]", english), key


def test_everything_that_a_ledger_can_say_has_words() -> None:
    keys = [f"custody.{one.name}" for one in Custody]
    keys += [f"flag.{one.name.lower()}" for one in Flag]
    keys += [f"step.{name}" for name in EVENTS]
    keys += [f"group.{name}" for name in GROUPS] + [f"do.{name}" for name in GROUPS]
    keys += [f"unresolved.{kind}" for kind in re.findall(r"^ {8}([a-z]+) {2,}", Unresolved.__doc__ or "", re.MULTILINE)]
    assert sum(key.startswith("unresolved.") for key in keys) == 7
    assert [key for key in keys if key not in TEXTS] == []
    assert [one.name for one in Violation if one.name not in VIOLATIONS] == []
    assert [str(one) for one in Code if str(one) not in FINDINGS] == []
    assert [name for name in FINDINGS if name not in set(Code)] == []
    for act in Act:
        assert not act_words(act)[0].startswith("act "), act


def test_notes_that_have_chinese_are_those_that_are_said() -> None:
    assert {said: both(key)[0] for said, key in NOTES.items()} == {said: said for said in NOTES}
    assert {key for key in TEXTS if key.startswith("note.")} == set(NOTES.values())


def test_what_has_to_be_done_is_what_recall_says() -> None:
    assert {name: both(f"do.{name}")[0] for name in GROUPS} == dict(GROUPS)


def test_the_templates_and_scripts_ask_for_texts_that_there_are() -> None:
    sources = {
        path.name: path.read_text("utf-8")
        for folder in ("templates", "assets")
        for path in PACKAGE.joinpath(folder).iterdir()
    }
    asked = {
        key
        for name, text in sources.items()
        for key in re.findall(r"""(?:\bt|both_texts|word|named)\(\s*["']([a-z_]+\.[A-Za-z_.]+)["']""", text)
        if not key.endswith(".") or name == ""
    }
    assert len(asked) > 60
    assert sorted(asked - set(TEXTS)) == []
    scripts = {
        key
        for name, text in sources.items()
        if name.endswith(".js")
        for key in re.findall(rf"""["'`]((?:{"|".join(FOR_SCRIPTS)})\.[a-z_.]+)["'`]""", text)
    }
    assert len(scripts) > 40
    assert sorted(scripts - set(for_scripts()["en"])) == []


def test_no_text_is_left_over() -> None:
    """A text that nothing shows is one that somebody goes on translating."""
    paths = [path for folder in ("templates", "assets") for path in PACKAGE.joinpath(folder).iterdir()]
    paths += [path for path in PACKAGE.iterdir() if path.name.endswith(".py") and path.name != "catalogue.py"]
    text = "\n".join(path.read_text("utf-8") for path in paths)
    # What is put together from a beginning and a word of the ledger, or of a list.
    begun = ("custody.", "flag.", "step.", "group.", "do.", "unresolved.", "layer.", "document.", "detail.", "js.tab.",
             "recall.phase.", "timeline.holder.", "timeline.mark.", "timeline.show.", "timeline.relation.")  # fmt: skip
    put_together = {"js.before", "js.after", "js.others", "js.buyers"}
    put_together |= {f"recall.{one}" for one in ("locked", "returned", "destroyed", "outstanding")}
    assert [
        key for key in TEXTS if f'"{key}"' not in text and not key.startswith(begun) and key not in put_together
    ] == []


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_stand_in_a_page_whichever_is_shown_first(name: str) -> None:
    english, chinese = (PAGES[name](language=language) for language in LANGUAGES)
    assert 'data-language="en"' in english
    assert 'data-language="zh"' in chinese
    one, other = Page(english), Page(chinese)
    assert one.text == other.text
    assert one.policy == other.policy
    for text in both("page.foot"):
        assert text in one.text


def test_a_language_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="written in en or zh"):
        timeline(language="de")
    with pytest.raises(InputError, match="written in en or zh"):
        recall(language="EN")


# ---- the history of a unit ---------------------------------------------------------------------


def test_a_history_says_where_it_is_and_every_step() -> None:
    text = Page(timeline()).text
    for said in ("Chaoyang store 朝阳门店", "(414)9521150000043", "at a store, recalled", "在门店、召回",
                 "expires 2028-10-31", "last seen 2026-11-20 13:00:00 +08:00", "lot", "NL-2610", "清关", "commissioned",
                 "temperature", "11.4 °C", "55 %", "Scanner 4, bonded warehouse", "stated by the ledger itself",
                 "the pack was sold before customs cleared it", VIOLATIONS["SOLD_BEFORE_CLEARANCE"], "128.50",
                 "its content is not kept any more", "entry 184", "received 2026-11-20 13:00:02 +08:00"):  # fmt: skip
        assert said in text, said
    assert text.count("✓ verifies") == 12
    assert text.count("✗ does not verify") == 1
    assert "via (00)095211500000000111 › (00)095211500000000128 › (00)095211500000000135" in text


def test_what_is_not_whole_stands_above_everything_else() -> None:
    text = Page(timeline()).text
    where = text.index("Where it is")
    for said in ("This does not tell everything", "packed by class and quantity, without codes",
                 "24 x 01/09521101000073 were packed without codes", "made of", "OLD-0007"):  # fmt: skip
        assert said in text[:where], said
    assert "1 of 13 steps does not verify." in text
    assert "13 步中有 1 步未通过验证。" in text


def test_a_sound_history_says_so_and_shows_no_warnings() -> None:
    page = Page(timeline_page(*samples.history(sound=True), made_at=MADE))
    assert "All 13 steps verify." in page.text
    assert "does not tell everything" not in page.text
    assert "no verifier key was given" in page.text
    assert "未提供验证公钥" in page.text
    assert not [a for _, a in page.tags if a.get("role") == "alert"]


def test_findings_of_no_step_are_told_too() -> None:
    trace, where = samples.history(sound=True)
    finding = evolve(samples.history()[0].findings[0], index=None, code=Code.TREE_ROOT, detail="the root differs")
    text = Page(timeline_page(evolve(trace, findings=(finding,)), where, made_at=MADE)).text
    assert "TREE_ROOT" in text
    assert "the root differs" in text
    assert FINDINGS["TREE_ROOT"] in text
    assert "The steps verify, the log around them does not." in text


def test_a_code_that_the_ledger_does_not_know() -> None:
    trace = Trace(samples.UNIT, None, (), unresolved=(Unresolved("unknown", samples.UNIT, None, ""),))
    page = timeline_page(trace, Whereabouts(samples.UNIT, None), made_at=MADE)
    is_inert(page)
    assert "This code is not in the ledger" in page
    assert "verify." not in Page(page).text


def test_whereabouts_of_another_subject_are_refused() -> None:
    trace, where = samples.history()
    with pytest.raises(InputError, match="ask both of one code"):
        timeline_page(trace, evolve(where, subject=samples.CASE), made_at=MADE)


def test_a_successor_is_shown_where_it_is_followed_from() -> None:
    trace, where = samples.history()
    text = Page(timeline_page(trace, evolve(where, successors=(samples.NEW,)), made_at=MADE)).text
    assert "It bears another code now" in text
    assert "NEW-0007" in text


@pytest.mark.parametrize("kind", ["place", "carrier", "buyer", "none", "unknown", "</b>"])
def test_every_holder_has_words(kind: str) -> None:
    trace, where = samples.history()
    holder = Holder(kind, None if kind in ("none", "unknown") else "person/" + samples.BUYER.hex())
    is_inert(timeline_page(trace, evolve(where, holder=holder), made_at=MADE))


def test_buyers_have_no_name_whoever_gives_one() -> None:
    """What is erased in the vault must not live on in a page."""
    token = f"person/{samples.BUYER.hex()}"
    trace, where = samples.history()
    names = {token: "Li Ming", samples.BUYER.hex(): "Li Ming"}
    page = timeline_page(trace, evolve(where, holder=Holder("buyer", token)), names=names, made_at=MADE)
    assert "Li Ming" not in page
    assert "buyer 3fa2c81e…" in Page(page).text
    fan = evolve(samples.fan_out(1), units=(samples.fan_out(1).units[0]._replace(holder=token),))
    assert "Li Ming" not in recall_page(fan, names=names, made_at=MADE)


def test_the_picture_keeps_order_and_stays_inside() -> None:
    trace, where = samples.history()
    seen = [Sighting(at, one, one.event, ("x", "x")) for at, one in enumerate(trace.steps)]
    way = draw(seen, trace.stays, where.place, Names(samples.NAMES))
    assert way is not None
    xs = [dot.x for dot in way.dots]
    assert xs == sorted(xs)
    assert len(way.dots) == 12  # the order has no place: papers are nowhere
    assert way.lanes[0].title == "Nordlicht Arzneimittel, Hamburg (414)9521150000012"
    assert [lane.now for lane in way.lanes] == [False, False, False, True]
    assert [dot.kind for dot in way.dots].count("voided") == 2
    assert [bar.sure for bar in way.bars] == [True, False, False]
    for bar in way.bars:
        assert way.gutter <= bar.x <= bar.x + bar.width <= way.right
    assert all(way.gutter < x < way.right for x in xs)
    assert all(0 < dot.y < way.foot for dot in way.dots)


@pytest.mark.parametrize("count", [1, 100, 3000])
def test_long_histories_are_drawn_and_say_what_is_left_out(count: int) -> None:
    trace, where = samples.history(sound=True)
    first = trace.steps[0]
    steps = tuple(
        evolve(first, index=at, time=first.time + at * 10**12, place=samples.gln(at % 60)) for at in range(count)
    )
    page = timeline_page(evolve(trace, steps=steps, stays=()), where, made_at=MADE)
    is_inert(page)
    way = draw([Sighting(at, one, None, ("", "")) for at, one in enumerate(steps)], (), where.place, Names())
    assert way is not None
    assert len(way.lanes) <= 24
    assert (way.left_out > 0) is (count > 2000)
    assert ("Only the latest 2,000 sightings are drawn." in page) is (count > 2000)
    assert page.count('class="step ') == count


def test_steps_beyond_the_most_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracechain.report.timeline._MOST_STEPS", 5)
    page = timeline()
    assert page.count('class="step ') == 5
    assert "The oldest 8 steps are left out" in Page(page).text


def test_events_are_called_what_scan_files_call_them() -> None:
    trace, _ = samples.history()
    names = [step_name(one.event) for one in trace.steps if one.event is not None]
    assert names == ["commission", "pack", "ship", "arrive", "sensor", "bond_in", "unpack", "order", "sell", "sell",
                     "clear", "ship"]  # fmt: skip
    first = trace.steps[0].event
    assert first is not None
    event = evolve(first, biz_step="urn:x:own_step", disposition=None)
    assert step_words(event) == ("urn:x:own step", "urn:x:own step")
    assert ("NL-2610", "NL-2610") in [one.name.words for one in details(event, samples.UNIT, Names())]


def test_states_in_words() -> None:
    assert state_words(int(Custody.SOLD) | int(Flag.RECALLED)) == ("sold, recalled", "已售、召回")
    assert state_words(15) == ("state 15", "状态 15")
    assert violation(250)[0] == violation(250)[1]
    assert clock_time(0, 0) == "1970-01-01 00:00:00 Z"


# ---- the package -------------------------------------------------------------------------------


def test_templates_and_assets_are_package_data() -> None:
    """The wheel has every file of the package but those that git ignores: none of what pages are made of may be one."""
    paths = [path for folder in ("templates", "assets") for path in (SOURCE / folder).iterdir()]
    assert len(paths) > 8
    if not (ROOT / ".git").exists():
        pytest.skip("no repository here, so nothing is ignored")
    done = subprocess.run(
        ["git", "check-ignore", *map(str, paths)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == ""
