"""The pages of tracechain.report as texts: escaped, complete in both languages, and in need of nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from functools import partial
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

import report_samples as samples
from tracechain import criteria
from tracechain.custody import Act, Custody, Flag, Violation
from tracechain.errors import InputError
from tracechain.formats.scan_rows import EVENTS
from tracechain.recall import GROUPS, FanOut, Progress
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
from tracechain.report.spread import to_columns
from tracechain.report.timeline import NOTES
from tracechain.report.way import Sighting, draw
from tracechain.report.words import Names, act_words, clock_time, details, state_words, step_name, step_words
from tracechain.tracing import Holder, Trace, Unresolved, Whereabouts
from tracechain.verification import Code

PACKAGE = files("tracechain.report")
ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "tracechain" / "report"
MADE = samples.MADE_AT


@frozen
class Step:
    """A step of a recall case."""

    phase: str
    on: str
    by: str
    reason: str
    authority: str | None = None
    recall_class: str | None = None


STEPS = (
    Step("opened", "2026-11-20", "Paper Crane", "particles in three packs", "Beijing MPA", "2"),
    Step("notified", "2026-11-21", "Paper Crane", "all told"),
)


class Page(HTMLParser):
    """A page taken apart: its tags with their attributes, and its texts without those of style, script and titles."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.words: list[str] = []
        self._inside: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag in ("script", "style", "title"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        match self._inside:
            case [*_, "script"]:
                attributes, before = self.scripts[-1]
                self.scripts[-1] = attributes, before + data
            case [*_, "style"]:
                self.styles.append(data)
            case [*_, "title"]:
                pass  # of the window, and of what one points at: those follow the language that is shown
            case _:
                self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def data(self) -> Any:
        (found,) = (text for attributes, text in self.scripts if attributes.get("type") == "application/json")
        return json.loads(found)

    @property
    def policy(self) -> str:
        (found,) = (a["content"] for tag, a in self.tags if a.get("http-equiv") == "Content-Security-Policy")
        assert found is not None
        return found


def hostile_fan_out() -> tuple[FanOut, Progress, tuple[Step, ...], dict[str, str]]:
    fan = samples.fan_out(30)
    nasty = samples.HOSTILE
    units = tuple(
        one._replace(place=nasty[at % 10], holder=nasty[(at + 3) % 10], container=nasty[(at + 5) % 10],
                     lot=nasty[(at + 1) % 10], unit=f"{one.unit}{nasty[at % 10]}" if at > 10 else one.unit)
        for at, one in enumerate(fan.units)
    )  # fmt: skip
    open_ends = tuple(Unresolved(text, text, 3, text) for text in nasty)
    fan = evolve(fan, units=units, unresolved=open_ends, makers={samples.PRODUCT: nasty[0]},
                 criterion=criteria.Lot(samples.PRODUCT, "</title><script>alert(1)"))  # fmt: skip
    progress = Progress(nasty[0], False, 30, 30, 10, 10, 5, 5, open_ends)
    steps = tuple(Step(text, text, text, text, text, text) for text in nasty)
    return fan, progress, steps, {text: nasty[(at + 1) % 10] for at, text in enumerate(nasty)}


def timeline(**more: Any) -> str:
    return timeline_page(*samples.history(), names=samples.NAMES, made_at=MADE, **more)


def recall(count: int = 300, **more: Any) -> str:
    fan = samples.fan_out(count, unresolved=2)
    return recall_page(
        fan, progress=samples.progress(fan), steps=STEPS, names=samples.NAMES, made_at=MADE, **more
    )  # fmt: skip


def hostile_pages() -> dict[str, str]:
    fan, progress, steps, names = hostile_fan_out()
    trace, where = samples.hostile_history()
    return {
        "recall": recall_page(fan, progress=progress, steps=steps, names=names, made_at=MADE),
        "timeline": timeline_page(trace, where, names=names, made_at=MADE),
    }


PAGES: dict[str, Any] = {"timeline": timeline, "recall": recall, "recall of nothing": partial(recall, 0)}
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


def is_inert(page: str) -> None:
    """Nothing of another place, nothing that runs where it stands, no style outside the style element."""
    taken = Page(page)
    assert {tag for tag, _ in taken.tags} & {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "image",
    } == set()
    for tag, attributes in taken.tags:
        assert [one for one in attributes if one.startswith("on")] == [], tag
        assert "style" not in attributes, tag
        assert "src" not in attributes, tag
        target = attributes.get("href")
        assert target is None or target.startswith("#"), target
    assert len(taken.scripts) == 2
    for text in (*taken.styles, taken.scripts[-1][1]):
        assert not re.search(
            r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)|\bfetch\(|XMLHttpRequest|innerHTML", text
        )


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


# ---- the fan-out of a recall -------------------------------------------------------------------


def test_a_recall_says_how_many_and_what_is_to_be_done() -> None:
    page = Page(recall())
    for said in ("300 units are affected", "件受影响", "2 things could not be resolved", "有 2 处未能查明",
                 "lock", "锁定", "notify", "通知", "class 2", "authority: Beijing MPA",
                 "particles in three packs", "1,900 entries"):  # fmt: skip
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
                assert sum(spread["units"][at] for at in nodes) == fan.affected
        into_holders = sum(
            width for to, width in zip(spread["to"], spread["width"], strict=True) if spread["layer"][to] == 4
        )
        assert into_holders == fan.affected
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
