"""`tracechain recall`: which packs are affected and who has them; recalls opened, told of, followed and closed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.clock import clock
from tracechain.cli.criteria import criterion_of, criterion_options, spelt
from tracechain.cli.keyfiles import key_options, open_to_write
from tracechain.cli.moments import stated_day
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import counted, json_option, plain, print_json, say, styled, waiting
from tracechain.cli.results import csv_option, html_options, names_of, write_csv, write_page
from tracechain.cli.subjects import named
from tracechain.errors import InputError
from tracechain.registers import RECALL_CLASSES
from tracechain.rules import shanghai_day

if TYPE_CHECKING:
    from tracechain.ledger import Receipt
    from tracechain.recall import FanOut, Progress, RecallFile
    from tracechain.view import View

__all__ = ["recall"]

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
    """The day of a step: today, if none was given."""
    return shanghai_day(clock()() * _MS) if text is None else stated_day(text, "--on")


@click.group()
def recall() -> None:
    """Find every affected pack, recall it, and follow how far that is."""


# ---- before anything is written ------------------------------------------------------------------


@recall.command(short_help="Show what a recall would affect.")
@_ledger
@criterion_options
@click.option("--units", is_flag=True, help="With --json: every pack, too.")
@csv_option
@html_options
@json_option
def preview(
    ledger: Path, units: bool, csv_file: Path | None, html_file: Path | None, lang: str, as_json: bool, **asked: Any
) -> None:
    """Show which packs of LEDGER meet the criterion, what has to be done with each, and who has to be told.

    All options that say which packs have to be met together; for `any` and `not`, write a --criterion file. Nothing
    is written to the ledger.
    """
    from tracechain.recall import fan_out

    criterion = criterion_of(asked)
    with open_to_read(ledger) as opened:
        snapshot = opened.view
        with waiting("looking for affected packs"):
            found = fan_out(snapshot, criterion)
        if html_file is not None:
            _write_page(html_file, snapshot, found, lang)
    _write_units(csv_file, found)
    if as_json:
        from tracechain.cli.recall_words import fan_out_json

        print_json({"ledger": str(ledger), **fan_out_json(found, units=units)})
    else:
        from tracechain.cli.recall_words import tell_fan_out

        tell_fan_out(found)
        say(
            f"  open it: tracechain recall open {plain(ledger)} --id ID --class 1|2|3 --reason TEXT --by WHO"
            f" {plain(spelt(asked))}",
            "dim",
        )


def _write_units(path: Path | None, found: FanOut) -> None:
    if path is not None:
        from tracechain.cli.recall_words import UNITS_HEADER, unit_rows

        write_csv(path, UNITS_HEADER, unit_rows(found))


def _write_page(
    path: Path, view: View, found: FanOut, lang: str, progress: Progress | None = None, file: RecallFile | None = None
) -> None:
    from tracechain.report import recall_page

    page = recall_page(
        found, progress=progress, steps=() if file is None else file.values, names=names_of(view, lang),
        made_at=clock()(), language=lang,
    )  # fmt: skip
    write_page(path, page)


# ---- steps ---------------------------------------------------------------------------------------


@recall.command("open", short_help="Open a recall: what it affects is flagged and sold no more.")
@_ledger
@click.option("--id", "ident", required=True, metavar="ID", help="What to call it: letters, digits, '.', '_', '-'.")
@click.option(
    "--class", "recall_class", required=True, type=click.Choice(RECALL_CLASSES),
    help="1 serious harm, 2 passing or reversible harm, 3 no harm, but for another reason.",
)  # fmt: skip
@_stated
@click.option("--authority", metavar="NAME", help="Who ordered it, or whom it was reported to.")
@criterion_options
@key_options
@csv_option
@json_option
def open_recall(
    ledger: Path, ident: str, recall_class: str, reason: str, by: str, on: str | None, authority: str | None,
    keys: Path | None, passphrase_file: Path | None, csv_file: Path | None, as_json: bool, **asked: Any,
) -> None:  # fmt: skip
    """Record a recall of what meets the criterion (see `recall preview`), and flag every affected pack.

    From the next entry on, LEDGER refuses to sell what is flagged, and whatever the criterion covers that comes later.
    """
    from tracechain.pilot import standing_of
    from tracechain.recall import fan_out, find_recall, flagged, opening

    criterion, day = criterion_of(asked), _day(on)
    with open_to_write(ledger, keys, passphrase_file) as opened:
        with opened.snapshot() as snapshot, waiting("looking for affected packs"):
            found = fan_out(snapshot, criterion)
            contents = opening(
                snapshot, id=ident, recall_class=recall_class, criterion=criterion, by=by, reason=reason, on=day,
                time=clock()() * _MS, authority=authority, found=found,
            )  # fmt: skip
        with waiting("flagging them"):
            receipt = opened.append(contents)
        with opened.snapshot() as snapshot:
            file = find_recall(snapshot, ident)
            count = 0 if file is None else len(flagged(snapshot, file))
            refuses = standing_of(snapshot).profile is not None
    _write_units(csv_file, found)
    if as_json:
        from tracechain.cli.recall_words import fan_out_json

        said = _receipt_json(ledger, ident, "opened", receipt) | {"flagged": count, "refuses": refuses}
        print_json(said | fan_out_json(found, units=False))
    else:
        from tracechain.cli.recall_words import tell_fan_out

        tell_fan_out(found)
        later = ", and what comes later is refused, too" if refuses else ""
        say(
            f"{styled('✓', 'good')} recall {plain(ident)} is open, entry {receipt.first:,}:"
            f" {counted(count, 'pack')} flagged{later}"
        )
        if not refuses:
            say("  no profile is in force, so nothing is refused: tracechain register LEDGER profile beijing", "warn")


@recall.command(short_help="Record that parties were told of a recall.")
@_ledger
@click.argument("ident", metavar="ID")
@click.option(
    "--party", "parties", required=True, multiple=True, metavar="ID",
    help="Who was told: a place, carrier, merchant, or a buyer's token; may be given several times.",
)  # fmt: skip
@_stated
@key_options
@json_option
def notify(
    ledger: Path, ident: str, parties: tuple[str, ...], reason: str, by: str, on: str | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Record in LEDGER who was told of the recall ID. To tell them is up to you."""
    from tracechain.recall import notice

    with open_to_write(ledger, keys, passphrase_file) as opened:
        with opened.snapshot() as snapshot:
            contents = notice(
                snapshot, id=ident, parties=tuple(map(named, parties)), by=by, reason=reason, on=_day(on)
            )  # fmt: skip
        receipt = opened.append(contents)
    if as_json:
        print_json(_receipt_json(ledger, ident, "notified", receipt) | {"parties": list(map(named, parties))})
    else:
        told = "1 party was told" if len(parties) == 1 else f"{len(parties):,} parties were told"
        say(f"{styled('✓', 'good')} recall {plain(ident)}, entry {receipt.first:,}: {told}")


@recall.command(short_help="Close a recall, with its numbers.")
@_ledger
@click.argument("ident", metavar="ID")
@_stated
@click.option("--open-reason", metavar="TEXT", help="Why it is closed although packs are outstanding.")
@key_options
@json_option
def close(
    ledger: Path, ident: str, reason: str, by: str, on: str | None, open_reason: str | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Record in LEDGER that the recall ID is over, and what became of the packs."""
    from tracechain.cli.recall_words import progress_json, tell_progress
    from tracechain.recall import closing, find_recall, progress

    with open_to_write(ledger, keys, passphrase_file) as opened:
        with opened.snapshot() as snapshot, waiting("counting packs"):
            now = progress(snapshot, ident)
            if now.open and now.outstanding and open_reason is None:
                left = "1 pack is" if now.outstanding == 1 else f"{now.outstanding:,} packs are"
                raise InputError(
                    f"recall {ident!r:.80}: {left} outstanding: say with --open-reason why it is closed all the same"
                )
            contents = closing(
                snapshot, id=ident, by=by, reason=reason, on=_day(on), open_reason=open_reason, counted=now
            )  # fmt: skip
        receipt = opened.append(contents)
        with opened.snapshot() as snapshot:
            file = find_recall(snapshot, ident)
    assert file is not None, "it was closed just now"
    if as_json:
        print_json(_receipt_json(ledger, ident, "closed", receipt) | progress_json(now) | {"open": False})
    else:
        tell_progress(now, file)
        say(f"{styled('✓', 'good')} recall {plain(ident)} is closed, entry {receipt.first:,}")


def _receipt_json(ledger: Path, ident: str, phase: str, receipt: Receipt) -> dict[str, Any]:
    return {
        "ledger": str(ledger), "id": ident, "phase": phase, "entry": receipt.first, "receipt_time_ms": receipt.time
    }  # fmt: skip


# ---- how it stands -------------------------------------------------------------------------------


@recall.command("progress", short_help="Show how far a recall has come.")
@_ledger
@click.argument("ident", metavar="ID")
@csv_option
@html_options
@json_option
def show_progress(
    ledger: Path, ident: str, csv_file: Path | None, html_file: Path | None, lang: str, as_json: bool
) -> int:
    """Show what became of the packs of the recall ID: reached, locked, returned, destroyed, outstanding.

    Exits with 1 if there is no such recall.
    """
    from tracechain.cli.recall_words import progress_json, tell_progress
    from tracechain.recall import fan_out, find_recall
    from tracechain.recall.cases import progress_of

    with open_to_read(ledger) as opened, waiting("counting packs"):
        snapshot = opened.view
        file = find_recall(snapshot, ident)
        if file is not None:
            found = fan_out(snapshot, file.criterion)
            now = progress_of(snapshot, file, found)
            if html_file is not None:
                _write_page(html_file, snapshot, found, lang, now, file)
    if file is None:
        return _unknown(ledger, ident, as_json=as_json)
    _write_units(csv_file, found)
    if as_json:
        print_json({"ledger": str(ledger), **progress_json(now)})
    else:
        tell_progress(now, file)
    return 0


@recall.command(short_help="Show recalls, or one step by step.")
@_ledger
@click.argument("ident", metavar="[ID]", required=False)
@csv_option
@json_option
def show(ledger: Path, ident: str | None, csv_file: Path | None, as_json: bool) -> int:
    """Show all recalls of LEDGER; with ID, one of them step by step.

    Exits with 1 for an ID that no recall has.
    """
    from tracechain.cli.recall_words import STEPS_HEADER, file_json, step_rows, tell_file, tell_files
    from tracechain.recall import find_recall, recalls

    with open_to_read(ledger) as opened:
        snapshot = opened.view
        one = None if ident is None else find_recall(snapshot, ident)
        files = recalls(snapshot) if ident is None else () if one is None else (one,)
    if ident is not None and one is None:
        return _unknown(ledger, ident, as_json=as_json)
    if csv_file is not None:
        write_csv(csv_file, STEPS_HEADER, step_rows(files))
    if as_json:
        print_json({"ledger": str(ledger), "recalls": [file_json(file) for file in files]})
    elif one is not None:
        tell_file(one)
    else:
        tell_files(files)
    return 0


def _unknown(ledger: Path, ident: str, *, as_json: bool) -> int:
    if as_json:
        print_json({"ledger": str(ledger), "id": ident, "known": False, "recalls": []})
    else:
        say(f"{styled('?', 'warn')} there is no recall {plain(ident)}")
    return 1
