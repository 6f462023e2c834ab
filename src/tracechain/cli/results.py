"""Answers as files: CSV for a spreadsheet, and pages of HTML (tracechain.report).

A spreadsheet takes a cell that begins with =, +, - or @ for a formula, and runs it. Codes, lots and names come from
other people's scanners, so such a cell gets an apostrophe in front, and everything passes `plain`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.output import plain
from tracechain.registers import Carrier, Enterprise, Merchant, Place, Product

if TYPE_CHECKING:
    from tracechain.ledger import Author
    from tracechain.view import View

__all__ = ["cell", "csv_option", "html_options", "names_of", "write_csv", "write_page"]

#: What a spreadsheet takes for the beginning of a formula; in full width, too, where the language is set so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FILE = click.Path(path_type=Path, dir_okay=False)


def csv_option(command: Any) -> Any:
    """The option --csv of commands that answer with rows."""
    return click.option("--csv", "csv_file", type=_FILE, metavar="FILE", help="Write the rows to FILE, as CSV.")(
        command
    )


def html_options(command: Any) -> Any:
    """The options --html and --lang of commands that answer with a page."""
    command = click.option(
        "--lang", type=click.Choice(("en", "zh")), default="en", show_default=True,
        help="The language that the page shows first.",
    )(command)  # fmt: skip
    return click.option(
        "--html", "html_file", type=_FILE, metavar="FILE", help="Write one self-contained page to FILE.",
    )(command)  # fmt: skip


def cell(value: object) -> object:
    """A value as a cell: nothing for None, numbers as they are, texts so that they stay texts."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{plain(text)}" if text.startswith(_FORMULA) else plain(text)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows, in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(map(cell, row) for row in rows)


def write_page(path: Path, page: str) -> None:
    """Write a page; a code that is no Unicode text is written with marks in its place."""
    path.write_text(page, encoding="utf-8", errors="replace", newline="\n")


def names_of(view: View, language: str, authors: Iterable[Author] = ()) -> dict[str, str]:
    """Readable names by id, for pages: of what is registered, and of the authors by the hexadecimal id of their key."""
    from tracechain.pilot import listing

    named = {author.key.id.hex(): author.label for author in authors}
    for kind in (Product, Place, Carrier, Merchant, Enterprise):
        for ident, registered in listing(view, kind.KIND):
            value = registered.value
            if isinstance(value, Product):
                named[ident] = (value.name_zh or value.name) if language == "zh" else value.name
            elif value is not None:
                named[ident] = value.name
    return named
