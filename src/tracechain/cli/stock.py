"""`tracechain stock`: how many packs are in hand, by product, lot, merchant, custody and place."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.entries import human
from tracechain.cli.moments import claimed_nanos, claimed_option
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import (
    BEIJING,
    console,
    counted,
    json_option,
    moment,
    plain,
    print_json,
    say,
    styled,
    table,
    waiting,
)
from tracechain.cli.results import csv_option, write_csv
from tracechain.cli.subjects import named
from tracechain.event import format_time
from tracechain.tracing import STOCK_KEYS, StockRow
from tracechain.tracing import stock as count_stock

if TYPE_CHECKING:
    from tracechain.view import View

__all__ = ["stock"]

_GTIN = "01/"


@click.command(short_help="Count the packs in hand.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--place", metavar="PLACE", help="Only what is at this place, or at a part of it.")
@click.option(
    "--by", "keys", type=click.Choice(STOCK_KEYS), multiple=True,
    help="What the rows have in common; may be given several times [product].",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Count what is sold, exported or destroyed, too.")
@claimed_option
@csv_option
@json_option
def stock(
    ledger: Path, place: str | None, keys: tuple[str, ...], everything: bool, as_of: str | None, csv_file: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Count the packs of LEDGER that are in hand: made or imported, and not sold, exported or destroyed.

    A lot is one of a product, so --by lot shows both.
    """

    until = claimed_nanos(as_of)
    by = keys or ("product",)
    at = None if place is None else named(place)
    with open_to_read(ledger) as opened, waiting("counting packs"):
        snapshot = opened.view
        merchants = partial(_merchant, snapshot) if "merchant" in by else None
        rows = count_stock(snapshot, at, until, by=by, all=everything, merchants=merchants)
    shown = tuple(key for key in STOCK_KEYS if key in by or (key == "product" and "lot" in by))
    total = sum(row.units for row in rows)
    if csv_file is not None:
        names = ("gtin" if key == "product" else key for key in shown)
        write_csv(csv_file, (*names, "units"), ([*_cells(row, shown).values(), row.units] for row in rows))
    if as_json:
        print_json(
            {
                "ledger": str(ledger),
                "as_of": None if until is None else format_time(until, BEIJING),
                "place": at,
                "rows": [_as_json(row, shown) for row in rows],
                "units": total,
            }
        )
    else:
        _tell(rows, shown, total, at, until)


def _merchant(view: View, product: str) -> str | None:
    from tracechain.pilot import lookup
    from tracechain.registers import Product

    registered = lookup(view, Product.KIND, product)
    value = None if registered is None else registered.value
    return value.merchant if isinstance(value, Product) else None


def _cells(row: StockRow, keys: tuple[str, ...]) -> dict[str, str | None]:
    """What is asked for, a product as its GTIN if it has one."""
    found: dict[str, str | None] = {key: getattr(row, key) for key in keys}
    if row.product is not None:
        found["product"] = row.product.removeprefix(_GTIN)
    return found


def _as_json(row: StockRow, keys: tuple[str, ...]) -> dict[str, Any]:
    cells: dict[str, Any] = _cells(row, keys)
    if row.product is not None and row.product.startswith(_GTIN):
        cells = {"gtin" if key == "product" else key: value for key, value in cells.items()}
    return cells | {"units": row.units}


def _tell(rows: list[StockRow], keys: tuple[str, ...], total: int, place: str | None, as_of: int | None) -> None:
    where = "" if place is None else f" at {human(place)}"
    when = "" if as_of is None else f" as of {moment(as_of // 1_000_000)}"
    if rows:
        shown = table()
        for key in keys:
            shown.add_column(key, overflow="fold", style="bold" if key == "product" else "")
        shown.add_column("units", justify="right", no_wrap=True)
        for row in rows:
            shown.add_row(*(_cell(row, key) for key in keys), f"{row.units:,}")
        console().print(shown)
    say(f"{styled(counted(total, 'pack'), 'bold')}{where}{when}")


def _cell(row: StockRow, key: str) -> str:
    value: str | None = getattr(row, key)
    if value is None:
        return "-"
    return human(value) if key in ("product", "place", "merchant") else plain(value)
