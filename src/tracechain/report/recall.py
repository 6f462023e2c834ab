"""The fan-out of a recall as a page: what is affected, what has to be done and by whom, and what could not be told.

The figures at the top and the tables of what to do are text of the page itself; the picture of the spread, the map of
states and the long lists are drawn from columns by the script of the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from attrs import frozen

from tracechain import criteria
from tracechain.collector import uninterrupted
from tracechain.recall import GROUPS, FanOut, Progress
from tracechain.report.catalogue import Both, both, for_scripts, known
from tracechain.report.escaping import visible
from tracechain.report.pages import check_language, render
from tracechain.report.spread import MOST_UNITS, Columns, to_columns
from tracechain.report.words import Name, Names, moment
from tracechain.tracing import Unresolved

__all__ = ["CaseStep", "recall_page"]

_PARTS = ("locked", "returned", "destroyed", "outstanding")
_MOST_LISTED = 8  # unresolved, above the picture one by one; all of them are in the list
_MOST_CODES = 400  # columns of a criterion in words that stand in the title of a window


class CaseStep(Protocol):
    """A step of a recall case, as the register of recalls has them."""

    @property
    def phase(self) -> str:
        """opened, notified or closed."""

    @property
    def on(self) -> object:
        """The day."""

    @property
    def by(self) -> str:
        """Who."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def authority(self) -> str | None:
        """Who is told, or ordered it."""


@frozen
class _Tile:
    """A group: what has to be done with so many units."""

    group: str
    at: int
    units: int
    share: str


@frozen
class _Part:
    """A part of the bar of progress, in thousandths of its length."""

    name: str
    units: int
    begin: float
    length: float


def recall_page(
    fan_out: FanOut,
    *,
    progress: Progress | None = None,
    steps: Sequence[CaseStep] = (),
    names: Mapping[str, str] = MappingProxyType({}),
    made_at: int,
    language: str = "en",
) -> str:
    """One self-contained HTML page of the fan-out of a recall, in both languages; it shows `language` first.

    `steps` are those of its case and `progress` how far it is, where it was opened. `names` are readable names of
    places,
    parties, containers and products by id; none of buyers is taken. `made_at` is in milliseconds since 1970 UTC, and
    shown
    in Beijing time. A page carries the first 200,000 units in order of their codes, and says so; all counts are of all
    units. InputError for a language that there is not.
    """
    chosen = check_language(language)
    called = Names(names)
    what = _in_words(fan_out)
    with uninterrupted():
        columns = to_columns(fan_out, called, most=MOST_UNITS)
    unresolved = tuple(dict.fromkeys((*fan_out.unresolved, *(progress.unresolved if progress else ()))))
    short = tuple(text if len(text) <= _MOST_CODES else f"{text[:_MOST_CODES]}…" for text in what)
    carried = len(columns["units"]["tail"])
    return render(
        "recall.html.j2", language=chosen, title=_titled(short), styles=("recall.css",),
        scripts=("tables.js", "spread.js", "states.js", "recall.js"), data={"words": for_scripts(), **columns},
        made=moment(made_at), what=what, fan=fan_out, ledgers=", ".join(sorted(one.hex()[:16] for one in
        fan_out.ledgers)),
        tiles=_tiles(fan_out), unresolved=unresolved, kinds=_kinds(unresolved), listed=_listed(unresolved, called),
        steps=[_step(one) for one in steps], progress=progress, parts=_parts(progress), bar_words=_bar_words(progress),
        effectiveness=_percent(progress), carried=carried, groups=list(GROUPS), custodies=columns["custodies"],
        states=columns["states"],
        products=_products(columns), tabs=("parties", "places", "lots", "units", "unresolved"),
    )  # fmt: skip


def _in_words(fan_out: FanOut) -> Both:
    if fan_out.criterion is None:
        return both("recall.several")
    return visible(criteria.in_words(fan_out.criterion, "en")), visible(criteria.in_words(fan_out.criterion, "zh"))


def _products(columns: Columns) -> list[str]:
    """The names of the products that units are of, as far as there are names."""
    names: dict[int, str] = columns["names"]
    return [names[product] for product in dict.fromkeys(columns["lots"]["product"]) if product in names]


def _titled(what: Sequence[str]) -> Both:
    english, chinese = (both("recall.title", what=text)[at] for at, text in enumerate(what))
    return english, chinese


def _share(part: int, whole: int) -> str:
    """A percentage that is 0 and 100 only where that is exact."""
    if part in (0, whole):
        return "100 %" if part else "0 %"
    return f"{min(max(part * 1000 // whole, 1), 999) / 10:.1f} %"


def _tiles(fan_out: FanOut) -> list[_Tile]:
    return [
        _Tile(group, at, units, _share(units, fan_out.affected))
        for at, (group, units) in enumerate(fan_out.groups.items())
    ]


def _kinds(unresolved: Sequence[Unresolved]) -> list[tuple[Both, int]]:
    """Why, and how often."""
    counted = Counter(one.kind for one in unresolved)
    return [(known(f"unresolved.{kind}", visible(kind)), count) for kind, count in counted.most_common()]


def _listed(unresolved: Sequence[Unresolved], names: Names) -> list[tuple[Both, Name, int | None, str]]:
    return [
        (known(f"unresolved.{one.kind}", visible(one.kind)), names.of(one.subject), one.index, visible(one.detail))
        for one in unresolved[:_MOST_LISTED]
    ]


def _step(one: CaseStep) -> dict[str, Any]:
    # Not every phase has them, nor every register.
    recall_class, open_reason = getattr(one, "recall_class", None), getattr(one, "open_reason", None)
    return {
        "phase": known(f"recall.phase.{one.phase}", visible(one.phase)), "on": visible(one.on), "by": visible(one.by),
        "reason": visible(one.reason), "authority": visible(one.authority) if one.authority else "",
        "recall_class": visible(recall_class) if recall_class else "",
        "open_reason": visible(open_reason) if open_reason else "",
    }  # fmt: skip


def _parts(progress: Progress | None) -> list[_Part]:
    if progress is None or not progress.affected:
        return []
    parts, begin = [], 0.0
    for name in _PARTS:
        units: int = getattr(progress, name)
        length = 1000 * units / progress.affected
        parts.append(_Part(name, units, round(begin, 2), round(length, 2)))
        begin += length
    return parts


def _bar_words(progress: Progress | None) -> Both:
    """The bar of progress for those who do not see it."""
    if progress is None:
        return "", ""
    return both("recall.bar", **{name: f"{getattr(progress, name):,}" for name in _PARTS})


def _percent(progress: Progress | None) -> str:
    """The effectiveness; never rounded up to all."""
    if progress is None or progress.effectiveness is None:
        return "–"
    return _share(progress.affected - progress.outstanding, progress.affected)
