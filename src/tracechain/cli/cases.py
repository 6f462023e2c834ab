"""`tracechain cases`: complaints, accidents and inspections step by step, and the orders in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain import identifiers
from tracechain.cli.clock import clock
from tracechain.cli.entries import human
from tracechain.cli.moments import Asked, as_of_option, asked_day
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import console, json_option, plain, print_json, say, say_wrapped, styled, table
from tracechain.errors import TracechainError

if TYPE_CHECKING:
    from tracechain.pilot import CaseFile, StopInForce

__all__ = ["cases"]


@click.command(short_help="Show cases and the orders in force.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("case", metavar="[ID]", required=False)
@click.option("--open", "only_open", is_flag=True, help="Only cases that are not closed.")
@click.option("--about", metavar="ID", help="Only cases about this pack, lot, product, merchant, place or order.")
@as_of_option
@json_option
def cases(ledger: Path, case: str | None, only_open: bool, about: str | None, as_of: str | None, as_json: bool) -> int:
    """Show the cases of LEDGER and the orders to stop service that are in force; with ID, one case step by step.

    Exits with 1 for an ID that no case has.
    """
    from tracechain.pilot import cases as all_cases
    from tracechain.pilot import stopped

    asked = asked_day(as_of, clock()())
    until = None if as_of is None else asked.millis
    with open_to_read(ledger) as opened:
        snapshot = opened.view
        found = all_cases(snapshot, until, about=None if about is None else _spelt(about))
        stops = () if case is not None else stopped(snapshot, until)
    if case is not None:
        found = tuple(one for one in found if one.id == case)
    if only_open:
        found = tuple(one for one in found if one.open)
    if as_json:
        print_json(
            {
                "ledger": str(ledger), "day": asked.day.isoformat(),
                "cases": [_case_json(one, asked) for one in found], "stops": [_stop_json(one) for one in stops],
            }
        )  # fmt: skip
    elif case is None:
        _tell(found, stops, asked)
    elif found:
        _tell_case(found[0], asked)
    else:
        say(f"{styled('?', 'warn')} there is no case {plain(case)}{' that is open' if only_open else ''}")
    return 0 if case is None or found else 1


def _spelt(text: str) -> str:
    """An id in any spelling as cases have it; what is no code (an order) as it is."""
    try:
        return identifiers.canonical(text)
    except TracechainError:
        return text


# ---- words ---------------------------------------------------------------------------------------


def _case_json(one: CaseFile, asked: Asked) -> dict[str, Any]:
    return {
        "id": one.id, "type": one.type, "open": one.open, "phase": one.last.phase, "about": list(one.about),
        "due": None if one.due is None else one.due.isoformat(), "overdue": one.overdue(asked.day),
        "amount": str(one.amount),
        "steps": [
            {"entry": step.index, "receipt_time_ms": step.time, **step.value.mapping()} for step in one.steps
        ],
    }  # fmt: skip


def _stop_json(one: StopInForce) -> dict[str, Any]:
    order = one.order
    return {
        "kind": one.kind, "id": one.id, "measure": order.value.KIND, "entry": order.index,
        "receipt_time_ms": order.time, **{k: v for k, v in order.value.mapping().items() if k not in ("kind", "id")},
    }  # fmt: skip


def _about(ids: tuple[str, ...], most: int) -> str:
    more = f" +{len(ids) - most:,}" if len(ids) > most else ""
    return ", ".join(map(human, ids[:most])) + more


def _due(one: CaseFile, asked: Asked) -> str:
    if one.due is None:
        return "" if one.open else "closed"
    return f"{one.due}, overdue" if one.overdue(asked.day) else str(one.due)


def _tell(found: tuple[CaseFile, ...], stops: tuple[StopInForce, ...], asked: Asked) -> None:
    from rich.text import Text

    if found:
        shown = table()
        shown.add_column("case", style="bold", no_wrap=True)
        shown.add_column("type", no_wrap=True)
        shown.add_column("phase", no_wrap=True)
        shown.add_column("due")
        shown.add_column("about", overflow="fold")
        for one in found:
            due = Text(_due(one, asked), "red" if one.overdue(asked.day) else "dim" if not one.open else "")
            shown.add_row(plain(one.id), one.type, one.last.phase, due, _about(one.about, 2))
        console().print(shown)
    is_open = sum(one.open for one in found)
    late = sum(one.overdue(asked.day) for one in found)
    say(
        f"{len(found):,} case{'s' if len(found) != 1 else ''}, {is_open:,} open, {late:,} overdue on {asked.day}", "dim"
    )
    if stops:
        say("")
        say("in force:", "bold")
        shown = table()
        shown.add_column("service for", no_wrap=True)
        shown.add_column("", overflow="fold", style="bold")
        shown.add_column("measure", no_wrap=True, style="red")
        shown.add_column("since", no_wrap=True)
        shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
        shown.add_column("by", overflow="fold")
        for stop in stops:
            value: Any = stop.order.value
            by = getattr(value, "authority", None) or f"reported to {value.reported_to}"
            reference = getattr(value, "reference", None)
            shown.add_row(
                stop.kind, human(stop.id), value.KIND.rpartition("-")[2], str(value.on), f"{stop.order.index:,}",
                plain(by if reference is None else f"{by}, {reference}"),
            )  # fmt: skip
        console().print(shown)
    else:
        say("no order to stop service is in force", "dim")


def _tell_case(one: CaseFile, asked: Asked) -> None:
    due = _due(one, asked)
    head = f"{styled(plain(one.id), 'bold')}   {one.type}   {one.last.phase}"
    if one.open and one.due is not None:
        head += f"   due {styled(due, 'bad' if one.overdue(asked.day) else 'bold')}"
    say(head)
    if one.about:
        say_wrapped(f"about {_about(one.about, 20)}", 2)
    for step in one.steps:
        value: Any = step.value
        say("│", "dim")
        say(
            f"{styled('•', 'good')} {value.on}  {styled(value.phase, 'bold')}  {styled(f'entry {step.index:,}', 'dim')}"
        )
        parts = [f"by {plain(value.by)}"]
        parts += [
            f"{what} {plain(said)}" for what, said in (("authority", value.authority), ("due", value.due)) if said
        ]
        if value.amount is not None:
            parts.append(f"paid {value.amount} yuan in advance")
        for line in (plain(value.text), " · ".join(parts)):
            say(f"{styled('│', 'dim')}   {line}")
    if one.amount:
        say(f"  {one.amount} yuan paid in advance in all")
