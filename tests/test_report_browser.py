"""The pages of tracechain.report in a real browser: no errors, no requests, and what they offer works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import report_samples as samples
from browser import Browser, browsing, missing
from report_pages import STEPS, hostile_pages
from tracechain.report import recall_page, timeline_page
from tracechain.report.catalogue import TEXTS

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "everything is there")

MADE = samples.MADE_AT
LARGE = 100_000
ENTER, DOWN, RIGHT, TAB = "\ue007", "\ue015", "\ue014", "\ue004"


def recall(count: int, **more: Any) -> str:
    fan = samples.fan_out(count, unresolved=5, products=2)
    return recall_page(fan, progress=samples.progress(fan), steps=STEPS, names=samples.NAMES, made_at=MADE, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages as files."""
    folder = tmp_path_factory.mktemp("pages")
    hostile = hostile_pages()
    for name, page in {
        "timeline": timeline_page(*samples.history(), names=samples.NAMES, made_at=MADE),
        "timeline-zh": timeline_page(*samples.history(), names=samples.NAMES, made_at=MADE, language="zh"),
        "timeline-hostile": hostile["timeline"],
        "recall": recall(300),
        "recall-zh": recall(300, language="zh"),
        "recall-none": recall_page(samples.fan_out(0), made_at=MADE),
        "recall-open": recall_page(samples.fan_out(0, unresolved=2), made_at=MADE),
        "recall-hostile": hostile["recall"],
        "recall-large": recall(LARGE),
    }.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def at(browser: Browser, folder: Path) -> Iterator[Callable[..., Browser]]:
    """Open a page by name; after the test it has made no error and asked for nothing but itself."""
    opened: list[str] = []

    def open_page(name: str, width: int = 1280) -> Browser:
        path = folder / f"{name}.html"
        browser.scheme("light")
        browser.resize(width, 900)
        browser.open(path)
        opened.append(path.as_uri())
        return browser

    yield open_page
    assert browser.console() == []
    assert {one.partition("#")[0] for one in browser.requests()} <= set(opened)
    assert opened


def until(question: Callable[[], Any]) -> Any:
    """What the question answers as soon as that is true; the last answer where it never is."""
    for _ in range(100):
        answer = question()
        if answer:
            return answer
        time.sleep(0.05)
    return question()


def rows(browser: Browser) -> list[str]:
    return browser.texts(".panel:not([hidden]) tbody tr")


def status(browser: Browser) -> str:
    return browser.text(".panel:not([hidden]) .status")


# ---- every page --------------------------------------------------------------------------------

ALL = ("timeline", "timeline-zh", "timeline-hostile", "recall", "recall-zh", "recall-none", "recall-open",
       "recall-hostile", "recall-large")  # fmt: skip


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [1280, 375])
def test_a_page_opens_without_errors_and_without_requests(at: Any, name: str, width: int) -> None:
    browser = at(name, width)
    assert browser.run("return document.readyState") == "complete"
    # Nothing but a picture or a table that has a bar of its own is wider than the window.
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run("return document.title") != "owned"


@pytest.mark.parametrize("name", ["timeline", "recall", "recall-hostile", "timeline-hostile", "recall-large"])
def test_the_language_is_switched_without_loading_again(at: Any, name: str) -> None:
    browser = at(name)
    browser.run("window.kept = true")
    title = browser.run("return document.title")
    assert "语言" not in browser.text("body")
    browser.click('[data-to="zh"]')
    assert browser.run("return [window.kept, document.documentElement.lang]") == [True, "zh-Hans"]
    assert browser.run("return document.title") != title
    shown = browser.text("body")
    assert TEXTS["page.foot"][1] in shown
    assert TEXTS["page.foot"][0] not in shown
    browser.click('[data-to="en"]')
    assert TEXTS["page.foot"][0] in browser.text("body")
    assert browser.run("return document.title") == title


@pytest.mark.parametrize("name", ["timeline-zh", "recall-zh"])
def test_a_chinese_page_has_no_english_of_ours(at: Any, name: str) -> None:
    browser = at(name)
    if name == "recall-zh":
        browser.click("#tab-units")
    shown = browser.text("main")
    for key, (english, chinese) in TEXTS.items():
        said = english.partition("|")[2] or english
        if "{" not in said and said.count(" ") >= 2:
            assert said not in shown, (key, chinese)


def test_the_policy_stops_what_a_page_does_not_bring(browser: Browser, folder: Path) -> None:
    """That the other tests see no request would mean little if the browser let everything pass."""
    browser.open(folder / "timeline.html")
    assert browser.run("""
        const script = document.createElement("script");
        try {
          script.textContent = "window.ran = true";
        } catch {
          script.append("window.ran = true");
        }
        document.body.append(script);
        const image = document.createElement("img");
        image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
        document.body.append(image);
        document.body.setAttribute("style", "color: red");
        return window.ran === undefined;
    """)  # fmt: skip
    assert until(lambda: [one for one in browser.console() if "Content Security Policy" in one])


@pytest.mark.parametrize("name", ["timeline-hostile", "recall-hostile"])
def test_hostile_texts_do_nothing_but_stand_there(at: Any, name: str) -> None:
    browser = at(name)
    for tab in browser.run("return Array.from(document.querySelectorAll('[data-tab]'), (one) => one.id)"):
        browser.click(f"#{tab}")
    assert "onerror" in browser.text("body")
    assert browser.run("return document.querySelectorAll('main img, main script, main iframe, [onerror]').length") == 0
    assert browser.run("return {}.polluted") is None
    hidden = r"[\u0000-\u0008\u000b-\u001f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
    assert browser.run(f"return /{hidden}/.test(document.body.innerText)") is False


@pytest.mark.parametrize("name", ["timeline", "recall"])
def test_everything_that_acts_has_a_name_and_can_be_reached_by_keys(at: Any, name: str) -> None:
    browser = at(name)
    nameless = browser.run("""
        const acting = document.querySelectorAll("button, input, a, [role=button], [role=tab], [role=region]");
        return Array.from(acting, (one) =>
          [one.outerHTML.slice(0, 80), (one.getAttribute("aria-label") || one.textContent || "").trim()]
        ).filter(([, label]) => label === "" ).map(([html]) => html)
          .filter((html) => !html.startsWith('<input type="checkbox"') && !html.includes("aria-hidden"))
    """)
    assert nameless == []
    browser.run("document.querySelector('.skip').focus()")
    seen = [0]
    for _ in range(9):
        browser.press(TAB)
        seen.append(browser.run("return Array.from(document.querySelectorAll('*')).indexOf(document.activeElement)"))
    assert seen == sorted(set(seen))


# ---- the history -------------------------------------------------------------------------------


def test_steps_are_filtered_by_text_and_by_kind(at: Any) -> None:
    browser = at("timeline")

    def shown() -> int:
        return len(browser.texts(".step:not([hidden])"))

    assert shown() == 13
    browser.type("#steps-filter", "tianjin measured")
    assert until(lambda: shown() == 1)
    browser.type("#steps-filter", "no such thing")
    assert until(lambda: shown() == 0)
    assert browser.text("#steps-none") == TEXTS["timeline.no_match"][0]
    browser.run("const f = document.getElementById('steps-filter'); f.value = ''; f.dispatchEvent(new Event('input'))")
    browser.click('input[data-kind="container"]')
    assert shown() == 9


def test_a_mark_in_the_picture_leads_to_its_step_even_if_that_is_filtered_away(at: Any) -> None:
    browser = at("timeline")
    browser.type("#steps-filter", "commissioned")
    browser.run(
        "document.querySelector('svg a[href=\"#s4\"]').dispatchEvent(new MouseEvent('click', { bubbles: true }))"
    )
    assert until(lambda: browser.run("return location.hash") == "#s4")
    assert until(lambda: browser.run("return document.getElementById('s4').hidden") is False)


# ---- the recall --------------------------------------------------------------------------------


def test_lists_are_filtered(at: Any) -> None:
    browser = at("recall")
    browser.click("#tab-units")
    assert status(browser) == "1–200 of 300"
    browser.type("#filter-units", "chaoyang NL-2611")
    assert until(lambda: "match" in status(browser))
    found = rows(browser)
    assert found
    assert all("Chaoyang" in one and "NL-2611" in one for one in found)
    browser.type("#filter-units", "zzz-nothing")
    assert until(lambda: rows(browser) == [])
    assert status(browser) == TEXTS["js.no_rows"][0]


@pytest.mark.parametrize("spelling", ["(01){0}(21){1}", "01{0}21{1}", "{1}"])
def test_a_unit_is_found_by_its_code_with_and_without_brackets(at: Any, spelling: str) -> None:
    unit = samples.fan_out(300, unresolved=5, products=2).units[123].unit
    browser = at("recall")
    browser.click("#tab-units")
    browser.type("#filter-units", spelling.format(unit[3:17], unit[21:]))
    assert until(lambda: len(rows(browser)) == 1)
    assert unit[21:] in rows(browser)[0].replace("\n", "").replace("\u200b", "")


def cells(browser: Browser, column: str) -> list[str]:
    found: list[str] = browser.run(
        """
        const heads = Array.from(document.querySelectorAll(".panel:not([hidden]) th"));
        const at = heads.findIndex((th) => th.dataset.key === arguments[0]);
        return Array.from(document.querySelectorAll(".panel:not([hidden]) tbody tr"), (tr) => tr.cells[at].textContent);
        """,
        column,
    )  # fmt: skip
    return found


def test_lists_are_sorted_by_a_click_on_a_header(at: Any) -> None:
    browser = at("recall")
    browser.click("#tab-units")
    before = cells(browser, "last")
    head = 'th[data-key="last"]'
    browser.click(f".panel:not([hidden]) {head} button")
    largest = cells(browser, "last")
    assert largest != before
    assert [int(one.replace(",", "")) for one in largest] == sorted(
        (int(one.replace(",", "")) for one in largest), reverse=True
    )
    assert browser.run(f"return document.querySelector('.panel:not([hidden]) {head}').ariaSort") == "descending"
    browser.click(f".panel:not([hidden]) {head} button")
    smallest = [int(one.replace(",", "")) for one in cells(browser, "last")]
    assert smallest == sorted(smallest)
    assert smallest[0] == 1000
    browser.click('.panel:not([hidden]) th[data-key="place"] button')
    places = cells(browser, "place")
    assert places == sorted(places, key=lambda one: (one[0] != "(", one)) or places == sorted(places)
    assert browser.run("return document.activeElement.closest('th').dataset.key") == "place"


def test_pages_of_a_list_are_turned(at: Any) -> None:
    browser = at("recall")
    browser.click("#tab-units")
    assert len(rows(browser)) == 200
    first = rows(browser)[0]
    browser.click(".panel:not([hidden]) .pager .after")
    assert status(browser) == "201–300 of 300"
    assert len(rows(browser)) == 100
    assert first not in rows(browser)
    browser.click(".panel:not([hidden]) .pager .before")
    assert rows(browser)[0] == first


def test_a_tile_a_state_and_a_node_show_their_units(at: Any) -> None:
    fan = samples.fan_out(300, unresolved=5, products=2)
    browser = at("recall")
    browser.click('[data-group="3"]')
    sold = fan.groups["sold"]
    assert status(browser) == f"1–{sold} of {sold} that match, 300 in all"
    assert set(cells(browser, "do")) == {"notify"}
    browser.click(".facet")
    assert status(browser) == "1–200 of 300"
    browser.run("document.querySelector('.map .area.transit').click()")
    assert set(cells(browser, "state")) <= {"in transit", "in transit, recalled"}
    browser.run("""
        const nodes = Array.from(document.querySelectorAll(".node.place"));
        nodes.find((one) => one.textContent.includes("Chaoyang")).dispatchEvent(new MouseEvent("click"));
    """)
    assert len(rows(browser)) == sum(one.place == samples.STORE for one in fan.units)
    assert set(cells(browser, "place")) == {samples.NAMES[samples.STORE]}
    browser.run("document.querySelector('.node.loose').dispatchEvent(new MouseEvent('click'))")
    assert len(rows(browser)) == sum(one.container is None for one in fan.units)


def counted(browser: Browser, layer: str) -> dict[str, int]:
    """Units of the drawn nodes of a layer."""
    found: dict[str, int] = browser.run(
        """
        const found = {};
        for (const node of document.querySelectorAll(`.node.${arguments[0]}`)) {
          const [name, units] = node.getAttribute("aria-label").split(/, (?=[0-9,]+ units?)/);
          found[`${name} ${node.getBBox().y}`] = Number(units.match(/^[0-9,]+/)[0].replaceAll(",", ""));
        }
        return found;
        """,
        layer,
    )
    return found


def test_folds_open_by_a_click_and_close_again(at: Any) -> None:
    browser = at("recall")
    closed = counted(browser, "container")
    assert sum(closed.values()) == 300
    browser.run("document.querySelector('.node.container.fold').dispatchEvent(new MouseEvent('click'))")
    opened = counted(browser, "container")
    assert len(opened) == len(closed) + 20
    assert sum(opened.values()) == 300
    browser.click(".refold")
    assert counted(browser, "container") == closed


def test_buyers_are_folded_apart_and_open(at: Any) -> None:
    browser = at("recall")
    buyers = len(
        {one.holder for one in samples.fan_out(300, products=2).units if (one.holder or "").startswith("person/")}
    )
    label = "return document.querySelector('.node.holder.fold').getAttribute('aria-label')"
    assert browser.run(label).startswith(f"{buyers} buyers, ")
    browser.run("document.querySelector('.node.holder.fold').dispatchEvent(new MouseEvent('click'))")
    assert browser.run(label).startswith(f"{buyers - 20} buyers, ")
    assert any(name.startswith("buyer ") for name in counted(browser, "holder"))


def test_the_picture_is_walked_and_opened_by_keys(at: Any) -> None:
    browser = at("recall")
    browser.run("document.querySelector('.node[tabindex=\"0\"]').focus()")

    def where() -> str:
        return str(browser.run("return document.activeElement.getAttribute('class')"))

    assert "maker" in where()
    browser.press(RIGHT)
    assert "lot" in where()
    browser.press(RIGHT)
    for _ in range(20):
        browser.press(DOWN)
    assert "container fold" in where()
    before = len(counted(browser, "container"))
    browser.press(ENTER)
    assert len(counted(browser, "container")) == before + 20
    assert "container" in where()


def test_tabs_are_changed_by_arrows(at: Any) -> None:
    browser = at("recall")
    browser.click("#tab-parties")
    browser.press(RIGHT)
    assert browser.run("return document.activeElement.id") == "tab-places"
    assert browser.run("return document.getElementById('panel-places').hidden") is False
    assert browser.run("return document.getElementById('panel-parties').hidden") is True


def test_the_map_is_as_large_as_its_units_are_many(at: Any) -> None:
    browser = at("recall")
    area = "one.offsetWidth * one.offsetHeight"
    whole = browser.run("const one = document.getElementById('states'); return " + area)
    parts = browser.run(f"return Array.from(document.querySelectorAll('.map .area'), (one) => {area})")
    assert len(parts) == len({one.state & 15 for one in samples.fan_out(300, products=2).units})
    assert 0.97 * whole < sum(parts) < 1.03 * whole


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_their_grounds(at: Any, scheme: str) -> None:
    """WCAG 2: a contrast of 4.5 for what is read, in both schemes, tiles of the map included."""
    browser = at("recall")
    browser.scheme(scheme)
    texts = "h1, h2, p, b, span, td, th, dt, dd, li, button"
    assert browser.poor_contrasts(texts, "svg, :disabled") == []


def test_every_list_begins_on_paper(at: Any) -> None:
    browser = at("recall")
    pages = browser.devtools("Page.printToPDF", printBackground=True)["data"]
    assert len(pages) > 20_000
    listed = "one.querySelectorAll('tbody tr').length > 0"
    panels = browser.run(f"return Array.from(document.querySelectorAll('.panel'), (one) => {listed})")
    assert panels == [True] * 5


def test_a_recall_of_nothing_shows_what_is_open(at: Any) -> None:
    browser = at("recall-open")
    assert browser.text("#affected") == "0"
    assert len(rows(browser)) == 2


# ---- a hundred thousand units ------------------------------------------------------------------


def test_a_hundred_thousand_units_are_shown_filtered_and_sorted(at: Any) -> None:
    fan = samples.fan_out(LARGE, unresolved=5, products=2)
    browser = at("recall-large")
    assert browser.text("#affected") == "100,000"
    assert sum(counted(browser, "holder").values()) == LARGE - fan.groups["destroyed"]
    assert browser.run("return document.querySelectorAll('.node').length") < 80
    browser.click("#tab-units")
    assert status(browser) == "1–200 of 100,000"
    assert len(rows(browser)) == 200
    unit = fan.units[77_777].unit
    browser.type("#filter-units", unit[21:])
    assert until(lambda: len(rows(browser)) == 1)
    browser.type("#filter-units", "chaoyang")
    there = sum(one.place == samples.STORE for one in fan.units)
    assert until(lambda: f"of {there:,} that match" in status(browser))
    browser.click('.panel:not([hidden]) th[data-key="time"] button')
    newest = max(one.time or 0 for one in fan.units if one.place == samples.STORE)
    clock = time.strftime("%Y-%m-%d %H:%M", time.gmtime(newest // 10**9 + 8 * 3600))
    assert cells(browser, "time")[0] == clock
    browser.click("#tab-parties")
    assert status(browser) == f"1–200 of {len(fan.parties):,}"
