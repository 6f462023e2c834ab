"""Pages to look at in tests, and a page taken apart."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import partial
from html.parser import HTMLParser
from typing import Any

from attrs import evolve, frozen

import report_samples as samples
from tracechain import criteria
from tracechain.recall import FanOut, Progress
from tracechain.registers.recalls import RecallStep
from tracechain.report import recall_page, timeline_page
from tracechain.tracing import Unresolved

MADE = samples.MADE_AT


@frozen
class Step:
    """A step of a recall case as no register would take it."""

    phase: str
    on: str
    by: str
    reason: str
    authority: str | None = None
    recall_class: str | None = None
    open_reason: str | None = None


_said = partial(RecallStep, id="R-2026-01", by="Paper Crane")
STEPS = (
    _said(phase="opened", on=date(2026, 11, 20), reason="particles in three packs", authority="Beijing MPA",
          recall_class="2", criterion=criteria.Lot(samples.PRODUCT, "NL-2610"), affected=300),
    _said(phase="notified", on=date(2026, 11, 21), reason="all told", parties=(samples.SHOP,)),
    _said(phase="closed", on=date(2026, 12, 1), reason="done", open_reason="two buyers moved away", affected=300,
          locked=100, returned=100, destroyed=98, outstanding=2),
)  # fmt: skip


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
    steps = tuple(Step(text, text, text, text, text, text, text) for text in nasty)
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
