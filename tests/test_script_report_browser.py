"""The page of the stand-alone script in a real browser: no errors, no requests, languages, both schemes, paper."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import script_results as results
from browser import Browser, browsing, missing
from tracechain import verify_bundle as script

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "everything is there")

NAMES = ("clean", "bad", "excerpt", "absence", "without_key", "unreadable", "hostile")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    for name in NAMES:
        (folder / f"{name}.html").write_text(script.report_page(getattr(results, name)()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def at(browser: Browser, folder: Path) -> Iterator[Callable[..., Browser]]:
    """Open a page by name; after the test it has made no error and asked for nothing but itself."""
    opened: list[str] = []

    def open_page(name: str, width: int = 1100, scheme: str = "light") -> Browser:
        path = folder / f"{name}.html"
        browser.scheme(scheme)
        browser.resize(width, 900)
        browser.open(path)
        opened.append(path.as_uri())
        return browser

    yield open_page
    assert browser.console() == []
    assert set(browser.requests()) <= {*opened, "about:blank"}
    assert "owned" not in browser.run("return document.title").split("·")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [380, 700, 1100])
def test_nothing_is_wider_than_the_page(at: Any, name: str, width: int) -> None:
    browser = at(name, width)
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_languages_are_changed_without_a_script(at: Any) -> None:
    browser = at("bad")
    assert browser.text("h1") == "发现 21 项问题"
    browser.click('label[for="lang-en"]')
    assert browser.text("h1") == "21 FINDINGS"
    shown = browser.text("main")
    assert not re.search("[\u4e00-\u9fff]", shown)
    browser.click('label[for="lang-both"]')
    assert browser.text("h1").split("\n") == ["发现 21 项问题", "21 FINDINGS"]
    browser.click('label[for="lang-zh"]')
    browser.press("\ue014")  # an arrow, as radio buttons take it
    assert browser.run("return document.querySelector('input:checked').id") == "lang-en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["clean", "bad", "excerpt", "without_key"])
def test_texts_stand_out_from_their_grounds(at: Any, name: str, scheme: str) -> None:
    """WCAG 2: a contrast of 4.5 for what is read, in both schemes."""
    texts = "h1, h2, h3, p, b, span, td, th, dt, dd, li, label, pre"
    assert at(name, scheme=scheme).poor_contrasts(texts, "svg") == []


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext here: apt-get install poppler-utils")
@pytest.mark.parametrize("name", ["clean", "bad", "excerpt", "absence", "unreadable"])
def test_a_printed_page_ends_with_a_sheet_to_sign(at: Any, name: str, tmp_path: Path) -> None:
    browser = at(name)
    browser.click('label[for="lang-en"]')
    data = browser.devtools("Page.printToPDF", printBackground=True, preferCSSPageSize=True)["data"]
    (tmp_path / "page.pdf").write_bytes(base64.b64decode(data))
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], check=True, capture_output=True, text=True
    ).stdout
    sheets = text.strip("\f\n").split("\f")
    result = getattr(results, name)()
    assert script.report_verdict(result)[1][0] in sheets[0]
    last = sheets[-1]
    for wanted in ("Signature and seal", "Name and office", "Place and date", result["script"]["sha256"]):
        assert wanted in last
    if result["checkpoint"]:
        assert "The checkpoint" in last
        assert all(result["checkpoint"]["root"] in sheet for sheet in sheets)
        assert all(f"{number}/{len(sheets)}" in sheet.replace(" ", "") for number, sheet in enumerate(sheets, 1))
        assert len(sheets) <= 6


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="no zbarimg here: apt-get install zbar-tools")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_camera_reads_the_qr_code_off_the_screen(at: Any, scheme: str, tmp_path: Path) -> None:
    browser = at("clean", scheme=scheme)
    browser.run("document.querySelector('.qr').scrollIntoView({block: 'center'})")
    browser.picture(tmp_path / "screen.png")
    found = subprocess.run(
        ["zbarimg", "--raw", "--quiet", "-Sbinary", tmp_path / "screen.png"], check=True, capture_output=True
    )
    assert found.stdout.decode() == results.clean()["checkpoint"]["note"]
