"""`tracechain alerts`: what somebody has to look at, by kind, with the reasons."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracechain.cli.clock import clock
from tracechain.cli.entries import human
from tracechain.cli.moments import as_of_option, asked_day
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import bar, console, counted, json_option, moment, plain, print_json, say, styled, table
from tracechain.cli.watched import Watched

if TYPE_CHECKING:
    from rich.text import Text

    from tracechain.pilot import Alert

__all__ = ["alerts"]

_STYLES = {"critical": "bold red", "warning": "yellow", "notice": "dim"}


@click.command(short_help="Show what somebody has to look at.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND",
    help="Only of this kind, such as near-expiry or sold-twice; may be given several times.",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="How many of a kind to show."
)
@click.option("--strict", is_flag=True, help="Exit with 1 if there is any.")
@as_of_option
@json_option
def alerts(ledger: Path, kinds: tuple[str, ...], limit: int, strict: bool, as_of: str | None, as_json: bool) -> int:
    """Show what in LEDGER somebody has to look at now, or had to on a day, most severe first.

    Alerts are conclusions from the log, the registers and the limits of the profile in force; nothing is stored. They
    say nothing against the log itself, so the exit code is 0 unless --strict asks for 1.
    """
    from tracechain.pilot import alerts as found_now

    asked = asked_day(as_of, clock()())
    wanted = [kind.upper().replace("-", "_") for kind in kinds] or None
    with open_to_read(ledger) as opened:
        snapshot = opened.view
        with bar("looking") as shown:
            found = found_now(
                Watched(snapshot, shown.update),
                asked.millis,
                kinds=wanted,
                as_of=None if as_of is None else asked.millis,
            )
        size = snapshot.size
    if as_json:
        print_json({"ledger": str(ledger), "size": size, "day": asked.day.isoformat(), "now_ms": asked.millis,
                    "alerts": [one.mapping() for one in found]})  # fmt: skip
    elif not found:
        say(f"{styled('✓', 'good')} nothing to look at on {asked.day}, in {size:,} entries")
    else:
        _tell(found, limit)
        say(
            f"{counted(len(found), 'alert')} on {asked.day}: {_by_severity(found)}; times are Beijing's (+08:00)", "dim"
        )
    return 1 if found and strict else 0


def _by_severity(found: tuple[Alert, ...]) -> str:
    names = [one.severity.name.lower() for one in found]
    return ", ".join(f"{names.count(name):,} {name}" for name in dict.fromkeys(names))


def _tell(found: tuple[Alert, ...], limit: int) -> None:
    # Severity comes first in their order, and a kind may have several.
    order = list(dict.fromkeys(one.kind for one in found))
    ordered = sorted(found, key=lambda one: order.index(one.kind))
    for kind, group in groupby(ordered, key=lambda one: one.kind):
        some = list(group)
        say(f"{styled(kind.value, 'bold')}  {len(some):,}  {styled(some[0].clause, 'dim')}")
        shown = table(header=False)
        shown.add_column(no_wrap=True)
        shown.add_column(style="dim", no_wrap=True)
        shown.add_column(style="cyan", justify="right", no_wrap=True)
        shown.add_column(overflow="fold")
        for one in some[:limit]:
            shown.add_row(*_row(one))
        console().print(shown)
        if len(some) > limit:
            say(f"  and {len(some) - limit:,} more (--limit, or --json)", "dim")


def _row(one: Alert) -> tuple[Text, str, str, str]:
    from rich.text import Text

    severity = one.severity.name.lower()
    entry = "" if one.index is None else f"{one.index:,}"
    about = "" if one.subject is None else f"{human(one.subject)}: "
    return Text(f"  {severity}", _STYLES[severity]), moment(one.since)[:16], entry, about + plain(one.words)
