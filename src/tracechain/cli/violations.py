"""`tracechain violations`: the rules that were broken, as the log keeps them."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.clock import clock
from tracechain.cli.entries import human, read_entry
from tracechain.cli.moments import as_of_option, asked_day
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import (
    bar,
    console,
    counted,
    json_option,
    moment,
    plain,
    print_json,
    say,
    say_wrapped,
    styled,
    table,
)
from tracechain.cli.watched import Watched
from tracechain.custody import Violation
from tracechain.entry import SALT_SIZE, decode_rows
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.pilot import Broken
    from tracechain.view import View

__all__ = ["code_number", "violations"]


def code_number(name: str) -> int:
    """The number of a violation's name (in any case); InputError names the nearest one."""
    try:
        return int(Violation[name.upper()])
    except KeyError:
        names = [one.name for one in Violation]
        close = difflib.get_close_matches(name.upper(), names, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
        raise InputError(f"--code {name[:40]!r} is no violation: {hint}") from None


@click.command(short_help="Show the rules that were broken.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--code", metavar="NAME", help="Only this one, with its latest entries.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, metavar="N", help="How many entries.")
@as_of_option
@json_option
def violations(ledger: Path, code: str | None, limit: int, as_of: str | None, as_json: bool) -> None:
    """Show which rules the events of LEDGER broke: how often, and in which entries.

    These are facts that the log keeps, no findings against it: the exit code is 0. What a verification finds wrong
    with the log itself, violations that vanished among it, `tracechain verify --rules` says.
    """
    from tracechain.pilot import violations as broken

    wanted = None if code is None else code_number(code)
    asked = asked_day(as_of, clock()())
    with open_to_read(ledger) as opened:
        snapshot = opened.view
        with bar("counting") as shown:
            found = broken(Watched(snapshot, shown.update), None if as_of is None else asked.millis)
        found = tuple(one for one in found if wanted in (None, one.code))
        details = [] if wanted is None or not found else _details(snapshot, found[0], limit)
        size = snapshot.size
    if as_json:
        print_json({"ledger": str(ledger), "size": size, "violations": [_as_json(one) for one in found]}
                   | ({} if wanted is None else {"latest": details}))  # fmt: skip
    elif not found:
        what = "no rule was broken" if wanted is None else f"{Violation(wanted).name}: nothing broke this rule"
        say(f"{styled('✓', 'good')} {what} in {size:,} entries")
    elif wanted is None:
        _tell(found)
    else:
        _tell_one(found[0], details)


def _as_json(one: Broken) -> dict[str, Any]:
    return {
        "name": one.name, "code": one.code, "clause": one.clause, "words": one.words, "what_to_do": one.what_to_do,
        "count": one.count, "first_entry": one.entries[0], "last_entry": one.entries[-1], "entries": list(one.entries),
    }  # fmt: skip


def _details(view: View, one: Broken, limit: int) -> list[dict[str, Any]]:
    """The latest entries that broke a rule, newest first: what they say, and of which subjects."""
    found = []
    for index in reversed(one.entries[-limit:]):
        entry, part = read_entry(view, index), view.rows(index)
        assert part is not None, "its rows were read just now"
        subjects = [row.subject for row in decode_rows(part[SALT_SIZE:])[1] if one.code in row.violations]
        header = None if entry is None else entry.header
        found.append(
            {
                "entry": index, "receipt_time_ms": None if header is None else header.time,
                "event": "?" if entry is None else entry.name, "subjects": subjects,
            }
        )  # fmt: skip
    return found


def _tell(found: tuple[Broken, ...]) -> None:
    from rich.text import Text

    shown = table()
    shown.add_column("violation", style="yellow", no_wrap=True)
    shown.add_column("count", justify="right")
    shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
    shown.add_column("what it means, and where it is said", overflow="fold")
    for one in found:
        words = Text.assemble(one.words, (f" ({one.clause})", "dim"))
        shown.add_row(one.name, f"{one.count:,}", f"{one.entries[0]:,}", words)
    console().print(shown)
    count, entries = sum(one.count for one in found), len({index for one in found for index in one.entries})
    say(f"{count:,} violations of {len(found)} rules in {entries:,} entries, kept as evidence;", "dim")
    say("entry is the first one of each, --code NAME shows the latest", "dim")


def _tell_one(one: Broken, details: list[dict[str, Any]]) -> None:
    say(f"{styled(one.name, 'warn')}  {styled(one.clause, 'dim')}")
    say_wrapped(one.words, 2)
    say_wrapped(f"to do: {one.what_to_do}", 2, "dim")
    shown = table()
    shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
    shown.add_column("received", style="dim", no_wrap=True)
    shown.add_column("what", style="bold", no_wrap=True)
    shown.add_column("of", overflow="fold")
    for detail in details:
        time = detail["receipt_time_ms"]
        subjects = detail["subjects"]
        more = f" +{len(subjects) - 1:,}" if len(subjects) > 1 else ""
        shown.add_row(
            f"{detail['entry']:,}", "" if time is None else moment(time).removesuffix(" +08:00"),
            plain(detail["event"]), human(subjects[0]) + more,
        )  # fmt: skip
    console().print(shown)
    beyond = len(one.entries) - len(details)
    tail = f", the latest {len(details)} shown (--limit)" if beyond else ""
    places = "1 entry" if len(one.entries) == 1 else f"{len(one.entries):,} entries"
    say(f"{counted(one.count, 'time')} in {places}{tail}; received is Beijing time (+08:00)", "dim")
