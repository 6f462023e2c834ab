"""`tracechain hold`: what nobody may prune, by whose order, why, and until when."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain import identifiers
from tracechain.cli.clock import clock
from tracechain.cli.criteria import product_of, read_criterion
from tracechain.cli.keyfiles import key_options, open_to_write
from tracechain.cli.moments import Asked, as_of_option, asked_day, stated_day
from tracechain.cli.output import json_option, plain, print_json, say, styled, waiting
from tracechain.cli.subjects import named
from tracechain.errors import CodeError, InputError
from tracechain.identifiers.keys import escape
from tracechain.registers import HoldStep
from tracechain.rules import shanghai_day

if TYPE_CHECKING:
    from tracechain.view import View

__all__ = ["hold"]

_MS = 1_000_000


def _ledger(command: Any) -> Any:
    return click.argument("ledger", type=click.Path(path_type=Path))(command)


def _stated(command: Any) -> Any:
    """The options that every step has: who, why, and when."""
    command = click.option("--on", metavar="DATE", help="The day, YYYY-MM-DD [today in Beijing].")(command)
    command = click.option("--by", required=True, metavar="WHO", help="Who: a role or token, no person's name.")(
        command
    )
    return click.option("--reason", required=True, metavar="TEXT", help="Why.")(command)


def _day(text: str | None) -> date:
    return shanghai_day(clock()() * _MS) if text is None else stated_day(text, "--on")


@click.group(short_help="Place, list, extend and release legal holds.")
def hold() -> None:
    """Say what must not be pruned, whatever a policy allows. An open recall or case is a hold by itself."""


# ---- steps ---------------------------------------------------------------------------------------


@hold.command(short_help="Place a hold.")
@_ledger
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option("--id", "ident", metavar="ID", help="What to call it: letters, digits, '.', '_', '-' [H-YEAR-NUMBER].")
@click.option("--authority", required=True, metavar="NAME", help="Who orders it.")
@_stated
@click.option("--until", metavar="DATE", help="Its last day [until it is released].")
@click.option("--lot", "lots", type=(str, str), multiple=True, metavar="GTIN LOT", help="This lot of a product.")
@click.option("--product", "products", multiple=True, metavar="GTIN", help="All of this product.")
@click.option("--merchant", "merchants", multiple=True, metavar="ID", help="All of this merchant's products.")
@click.option("--case", metavar="ID", help="What this case is about, also after it was closed.")
@click.option(
    "--criterion", "criterion_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="The packs that meet a criterion, as a recall has it, in a .json file.",
)  # fmt: skip
@key_options
@json_option
def add(
    ledger: Path, codes: tuple[str, ...], ident: str | None, authority: str, reason: str, by: str, on: str | None,
    until: str | None, lots: tuple[tuple[str, str], ...], products: tuple[str, ...], merchants: tuple[str, ...],
    case: str | None, criterion_file: Path | None, keys: Path | None, passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Place a hold on what the CODEs (packs, containers, orders) and options name, all of it together.

    From the next entry on nothing of it is pruned from LEDGER, also if its pruning is announced already.
    """
    day = _day(on)
    about = [named(code) for code in codes]
    about += [_lot(gtin, lot) for gtin, lot in lots]
    about += [product_of(gtin, "--product") for gtin in products]
    about += [named(merchant) for merchant in merchants]
    criterion = None if criterion_file is None else read_criterion(criterion_file)
    if not about and case is None and criterion is None:
        raise InputError("hold what? name CODEs, or --lot, --product, --merchant, --case or --criterion FILE.json")
    step = HoldStep(
        id="H" if ident is None else ident, phase="placed", on=day, by=by, authority=authority, reason=reason,
        until=_until(until), criterion=criterion, about=tuple(dict.fromkeys(about)), case=case,
    )  # fmt: skip
    _write(ledger, step, keys, passphrase_file, numbered=ident is None, as_json=as_json)


@hold.command(short_help="Give a hold a new last day.")
@_ledger
@click.argument("ident", metavar="ID")
@click.option("--until", required=True, metavar="DATE", help="Its new last day.")
@_stated
@key_options
@json_option
def extend(
    ledger: Path, ident: str, until: str, reason: str, by: str, on: str | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Give the hold ID of LEDGER a new last day."""
    step = HoldStep(id=ident, phase="extended", on=_day(on), by=by, reason=reason, until=_until(until))
    _write(ledger, step, keys, passphrase_file, as_json=as_json)


@hold.command(short_help="Release a hold.")
@_ledger
@click.argument("ident", metavar="ID")
@_stated
@key_options
@json_option
def release(
    ledger: Path, ident: str, reason: str, by: str, on: str | None, keys: Path | None, passphrase_file: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Release the hold ID of LEDGER: what it covered may go when the policy says so, and no other hold stands."""
    step = HoldStep(id=ident, phase="released", on=_day(on), by=by, reason=reason)
    _write(ledger, step, keys, passphrase_file, as_json=as_json)


def _lot(gtin: str, lot: str) -> str:
    product = product_of(gtin, "--lot")
    try:
        return identifiers.canonical(f"{product}/10/{escape(lot)}")
    except CodeError as error:
        raise InputError(f"--lot: {error}") from None


def _until(text: str | None) -> date | None:
    return None if text is None else stated_day(text, "--until")


def _write(
    ledger: Path, step: HoldStep, keys: Path | None, passphrase_file: Path | None, *, numbered: bool = False,
    as_json: bool,
) -> None:  # fmt: skip
    from attrs import evolve

    from tracechain.cli.hold_words import hold_json, tell_step
    from tracechain.pilot import next_record

    with open_to_write(ledger, keys, passphrase_file) as opened:
        with opened.snapshot() as snapshot:
            if numbered:
                step = evolve(step, id=_next_id(snapshot, step.on.year))
            record = next_record(snapshot, step)
        receipt = opened.append([record])
    if as_json:
        print_json(
            {"ledger": str(ledger), "entry": receipt.first, "receipt_time_ms": receipt.time, **hold_json(step)}
        )  # fmt: skip
    else:
        tell_step(step, receipt.first)


def _next_id(view: View, year: int) -> str:
    """The first of H-2026-001, H-2026-002, ... that no hold has."""
    from tracechain.pilot import listing

    taken = {name for name, _ in listing(view, HoldStep.KIND)}
    return next(name for number in range(1, len(taken) + 2) if (name := f"H-{year}-{number:03}") not in taken)


# ---- what stands ---------------------------------------------------------------------------------


@hold.command("list", short_help="List holds, open recalls and cases.")
@_ledger
@click.argument("ident", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Also what has ended.")
@as_of_option
@json_option
def list_holds(ledger: Path, ident: str | None, everything: bool, as_of: str | None, as_json: bool) -> int:
    """List what keeps LEDGER from pruning: holds that stand, and open recalls and cases; with ID, one step by step.

    Exits with 1 for an ID that no hold, recall or case has.
    """
    from tracechain.cli.hold_words import found_json, tell_found, tell_one
    from tracechain.ledger import Ledger

    asked = asked_day(as_of, clock()())
    with Ledger.open(ledger) as opened, opened.snapshot() as snapshot, waiting("looking for holds"):
        found = standing(snapshot, asked, None if as_of is None else asked.millis)
    if ident is not None:
        found = [one for one in found if one.id == ident]
    elif not everything:
        found = [one for one in found if one.stands]
    if as_json:
        print_json(
            {"ledger": str(ledger), "day": asked.day.isoformat(), "holds": [found_json(one) for one in found]}
        )  # fmt: skip
    elif ident is None:
        tell_found(found, asked.day)
    elif found:
        for one in found:
            tell_one(one)
    else:
        say(f"{styled('?', 'warn')} no hold, recall or case has the id {plain(ident)}")
    return 0 if ident is None or found else 1


def standing(view: View, asked: Asked, until: int | None) -> list[Any]:
    """Holds, recalls and cases, as of a receipt time (ms)."""
    from tracechain.cli.hold_words import Found
    from tracechain.pilot import cases, history, listing
    from tracechain.recall import recalls

    found = []
    for name, _ in listing(view, HoldStep.KIND, until):
        found.append(Found.of_hold(name, history(view, HoldStep.KIND, name, until), asked.day))
    found += [Found.of_recall(file) for file in recalls(view, until)]
    found += [Found.of_case(file) for file in cases(view, until)]
    return found
