"""`tracechain register`: what the pilot has to know and prove, from TOML and JSON files into the log, and out again.

All of a file is one commit: everything of it is registered, or nothing.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.clock import clock
from tracechain.cli.entries import human
from tracechain.cli.keyfiles import key_options, open_to_write
from tracechain.cli.moments import as_of_option, asked_day
from tracechain.cli.output import complain, console, json_option, plain, print_json, say, styled, table
from tracechain.cli.register_show import show_all, show_one, show_overdue
from tracechain.errors import InputError
from tracechain.registers import CaseStep, HoldStep, Profile, RecallStep, Register, kind_class, load

if TYPE_CHECKING:
    from tracechain.ledger import Receipt
    from tracechain.record import Record

__all__ = ["name_of", "register", "template"]

ALL = "all"
_SHOWN = 20


def template(kind: str) -> str:
    """An example file of a kind, to be filled in: every field with what it means. InputError for no kind."""
    if kind_class(kind) is Profile:
        return files("tracechain.pilot").joinpath("beijing.toml").read_text("utf-8")
    return files("tracechain.cli").joinpath("templates", f"{kind}.toml").read_text("utf-8")


def name_of(subject: str | None) -> tuple[str, str]:
    """Kind and id of a register subject."""
    kind, _, name = str(subject).removeprefix("urn:tracechain:").partition(":")
    return kind, name


@click.command(short_help="Register products, merchants, places, ... and look them up.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("kind")
@click.argument("file", required=False)
@click.option(
    "--show", is_flag=False, flag_value="", default=None, metavar="[ID]",
    help="Show what is registered: everything of this kind, or what has this ID.",
)  # fmt: skip
@click.option("--history", is_flag=True, help="With --show ID: every version and measure, with its author.")
@click.option("--overdue", is_flag=True, help="Show what has run out or does not suffice; KIND may be all.")
@click.option("--strict", is_flag=True, help="With --overdue: exit with 1 if there is anything.")
@click.option("--template", "wants_template", is_flag=True, help="Print an example FILE of this kind and end.")
@as_of_option
@key_options
@json_option
def register(
    ledger: Path, kind: str, file: str | None, show: str | None, history: bool, overdue: bool, strict: bool,
    wants_template: bool, as_of: str | None, keys: Path | None, passphrase_file: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Write what FILE (TOML or JSON) says of one or several products, merchants, places, ... into LEDGER.

    Each becomes the next version of its subject, with the ledger's author; all of a file in one commit, or nothing.
    KIND is product, merchant, place, carrier, enterprise, scope, dossier, case or profile; or a measure:
    merchant-suspended, merchant-readmitted, service-stopped, service-resumed, shielded. For a profile, FILE may be
    the name of one that comes with the program: beijing.
    """
    if sum((file is not None, show is not None, overdue, wants_template)) != 1:
        raise click.UsageError("say one of: a FILE to register, --show, --overdue, --template.")
    if kind != ALL or not overdue:
        kind_class(kind)
    if history and not show:
        raise click.UsageError("--history is of one subject: --show ID --history.")
    if wants_template:
        text = template(kind)
        if as_json:
            print_json({"kind": kind, "template": text})
        else:
            click.echo(text, nl=False)
        return 0
    if file is not None:
        if as_of is not None:
            raise click.UsageError("--as-of is for --show and --overdue: a record is received now.")
        return _write(ledger, kind, file, keys, passphrase_file, as_json=as_json)
    asked = asked_day(as_of, clock()())
    until = None if as_of is None else asked.millis
    if overdue:
        found = show_overdue(ledger, None if kind == ALL else kind, asked, until, as_json=as_json)
        return 1 if found and strict else 0
    if show:
        return 0 if show_one(ledger, kind, show, asked, until, history=history, as_json=as_json) else 1
    show_all(ledger, kind, asked, until, as_json=as_json)
    return 0


# ---- writing -------------------------------------------------------------------------------------


def _read(kind: str, file: str) -> tuple[Register, ...]:
    """The values of a file; of a profile, the name of one too."""
    if kind == Profile.KIND:
        from tracechain.pilot import load_profile

        return (load_profile(file),)
    return load(file, kind)


def _write(
    ledger: Path, kind: str, file: str, keys: Path | None, passphrase_file: Path | None, *, as_json: bool
) -> int:
    from tracechain.pilot import next_records

    try:
        values = _read(kind, file)
    except InputError as error:
        # One line for each object that is wrong.
        for line in str(error).split("\n"):
            complain(line)
        return 2
    with open_to_write(ledger, keys, passphrase_file) as opened:
        with opened.snapshot() as snapshot:
            try:
                records = next_records(snapshot, values)
            except InputError as error:
                raise InputError(f"{file}: nothing was registered: {error}") from None
        receipt = opened.append(records)
    written = list(zip(values, records, receipt.indices, strict=True))
    if as_json:
        print_json(_as_json(ledger, file, receipt, written))
    else:
        _tell(kind, file, written)
    return 0


def _numbered(value: Register) -> bool:
    """Whether the version of a record counts: a measure has none."""
    return value.CHAIN[0] == value.KIND or isinstance(value, CaseStep | RecallStep | HoldStep)


def _as_json(ledger: Path, file: str, receipt: Receipt, written: list[tuple[Register, Record, int]]) -> dict[str, Any]:
    return {
        "ledger": str(ledger), "file": file, "first_entry": receipt.first, "receipt_time_ms": receipt.time,
        "records": [
            {
                "entry": index, "kind": record.kind, "subject": record.subject, "id": name_of(record.subject)[1],
                "version": record.version if _numbered(value) else None,
            }
            for value, record, index in written
        ],
    }  # fmt: skip


def _tell(kind: str, file: str, written: list[tuple[Register, Record, int]]) -> None:
    first, last = written[0][2], written[-1][2]
    places = f"entry {first:,}" if first == last else f"entries {first:,} to {last:,}"
    count = len(written)
    say(f"{styled('✓', 'good')} {plain(file)}: {count:,} {plain(kind)} record{'s' if count != 1 else ''}, {places}")
    shown = table(header=False)
    shown.add_column(justify="right", style="cyan", no_wrap=True)
    shown.add_column(style="bold", overflow="fold")
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for value, record, index in written[:_SHOWN]:
        version = f"version {record.version}" if _numbered(value) else ""
        if isinstance(value, CaseStep | RecallStep | HoldStep):
            version = f"step {record.version + 1}"
        shown.add_row(f"  {index:,}", human(name_of(record.subject)[1]), version, _title(value))
    console().print(shown)
    if count > _SHOWN:
        say(f"  and {count - _SHOWN:,} more (--json lists them all)", "dim")
    if isinstance(written[-1][0], Profile):
        say("  its rules hold from the next entries on", "dim")


def _title(value: Any) -> str:
    """What to call it beside its id."""
    return plain(
        next((found for name in ("name", "title", "reason", "text") if (found := getattr(value, name, ""))), "")
    )
