"""What a run says: sections of lines with ratios and targets, as a table, as JSON, and as text in docs/performance.md.

A section in the document stands between `<!-- bench:KEY -->` and `<!-- /bench:KEY -->`; a run rewrites those it
measured and leaves the others alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from attrs import asdict, frozen

from measure import Series, ratio

__all__ = ["Line", "Section", "Target", "line", "number", "rewrite", "show", "single", "write_json"]


@frozen
class Line:
    """One figure: its median, how far rounds were from it, and how the ledger compares (None where it does not)."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    #: The ledger's figure as a multiple of this one, the median over rounds.
    ratio: float | None = None
    note: str = ""


@frozen
class Target:
    """One aim of the project and what was measured."""

    words: str
    aim: float
    value: float
    unit: str
    #: Whether more is better.
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether the aim is reached."""
        return self.value >= self.aim if self.at_least else self.value <= self.aim

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "met" if self.met else "MISSED"
        unit = f" {self.unit}" if self.unit else ""
        return f"{verdict}: {self.words}: {number(self.value)} (aim {sign} {number(self.aim)}{unit})"


@frozen
class Section:
    """What one part of a run measured."""

    key: str
    title: str
    words: str
    lines: Sequence[Line]
    targets: Sequence[Target] = ()


def line(series: Series, unit: str, against: Series | None = None, note: str = "") -> Line:
    """A line of rates; `against` is the ledger's series that is compared with it."""
    rates = series.rates
    compared = None if against is None else ratio(against, series)
    return Line(series.name, median(rates), unit, min(rates), max(rates), compared, note)


def single(name: str, values: Iterable[float], unit: str, note: str = "") -> Line:
    """A line of repeated measurements that are compared with nothing."""
    found = list(values)
    return Line(name, median(found), unit, min(found), max(found), None, note)


def number(value: float) -> str:
    """Three digits that mean something, thousands set off."""
    if value >= 1000:
        return f"{round(value, 2 - len(str(int(value))) + 1):,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _cells(one: Line) -> tuple[str, str, str, str, str]:
    spread = "" if one.low == one.high else f"{number(one.low)} - {number(one.high)}"
    return (
        one.name,
        f"{number(one.value)} {one.unit}",
        spread,
        "" if one.ratio is None else f"{one.ratio:.2f}",
        one.note,
    )


_HEADS = ("what", "median", "rounds from - to", "tracechain is x times", "note")


def show(section: Section) -> None:
    """Print a section: by rich where it is there and the output is a terminal, else as plain text."""
    rows = [_cells(one) for one in section.lines]
    if sys.stdout.isatty() and _show_rich(section, rows):
        return
    print(f"\n{section.title}\n{section.words}")
    widths = [max(len(row[n]) for row in [_HEADS, *rows]) for n in range(len(_HEADS))]
    for row in [_HEADS, *rows]:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for target in section.targets:
        print(f"  {target}")


def _show_rich(section: Section, rows: Sequence[tuple[str, ...]]) -> bool:
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        return False
    console = Console()
    table = Table(title=section.title, caption=section.words, title_justify="left", caption_justify="left")
    for n, head in enumerate(_HEADS):
        table.add_column(head, justify="right" if n in {1, 2, 3} else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for target in section.targets:
        console.print(str(target), style="green" if target.met else "bold red", markup=False, highlight=False)
    return True


def markdown(section: Section, measured: str) -> str:
    """The text of a section between its markers."""
    parts = [section.words, "", "| " + " | ".join(_HEADS) + " |", "|---|--:|--:|--:|---|"]
    parts += ["| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(one)) + " |" for one in section.lines]
    if section.targets:
        parts += ["", *(f"- {target}" for target in section.targets)]
    return "\n".join([*parts, "", f"Measured on {measured}, in one run."])


def rewrite(path: Path, sections: Iterable[Section], measured: str) -> None:
    """Put the sections between their markers in a document. SystemExit where a marker is missing."""
    text = path.read_text(encoding="utf-8")
    for section in sections:
        begin, end = f"<!-- bench:{section.key} -->", f"<!-- /bench:{section.key} -->"
        head, found, rest = text.partition(begin)
        _, ended, tail = rest.partition(end)
        if not found or not ended:
            raise SystemExit(f"{path} has no place for this: put a line {begin} and a line {end} where it should stand")
        text = f"{head}{begin}\n\n{markdown(section, measured)}\n\n{end}{tail}"
    path.write_text(text, encoding="utf-8")


def write_json(path: Path, sections: Sequence[Section], measured: str, options: dict[str, Any]) -> None:
    """All figures, for machines."""
    found = [asdict(one) | {"targets": [asdict(t) | {"met": t.met} for t in one.targets]} for one in sections]
    path.write_text(json.dumps({"measured": measured, "options": options, "sections": found}, indent=1) + "\n")
