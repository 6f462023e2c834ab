"""`tracechain ingest` and `tracechain submit`: files into the ledger.

A file is read through before anything of it is written, so one bad line leaves nothing behind. Its events and a record
of the file (kind `ingested-file`) are one submission, durable together or not at all; a file too large for that is
written in parts, each with its own record. Those records have subjects made of the file's SHA-256, so the index
answers at once whether a file, or a part of it, is there: the same file again changes nothing, and a run that died
half-way goes on where it stopped.

    urn:tracechain:file:<sha256>             the whole file     body [name, sha256, events]
    urn:tracechain:file:<sha256>#<first>     a part of it       body [name, sha256, first, events]
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click
from attrs import define, field, frozen

from tracechain.cli.broken import kept_violations, refused_violations, tell_kept, tell_refused
from tracechain.cli.keyfiles import key_options, open_to_write
from tracechain.cli.output import Bar, bar, complain, counted, json_option, plain, print_json, say, styled
from tracechain.cli.sources import Source, look_at, recorded_name
from tracechain.entry import SALT_SIZE
from tracechain.errors import DataError, InputError, RefusedError, TracechainError
from tracechain.event import Event
from tracechain.formats.scans import ScanError
from tracechain.ledger import Ledger, Receipt
from tracechain.record import Record, decode_record
from tracechain.view import View

__all__ = ["file_subject", "ingest", "submit"]

KIND = "ingested-file"
_MOST_STRICT = 250_000  # events that are refused or taken together, so they are in memory together
_SHOWN = 5


def file_subject(digest: bytes, first: int | None = None) -> str:
    """The subject of the record of a file, or of the part of it that begins with event `first`."""
    return f"urn:tracechain:file:{digest.hex()}" + ("" if first is None else f"#{first}")


@frozen
class Options:
    """How to ingest."""

    format: str
    batch: int
    strict: bool
    record_class: int
    keep_going: bool
    again: bool


@define
class Outcome:
    """What became of one file."""

    file: str
    format: str = ""
    status: str = "refused"
    events: int = 0
    first: int | None = None
    last: int | None = None
    sha256: str = ""
    violations: list[dict[str, Any]] = field(factory=list)
    refused: list[dict[str, Any]] = field(factory=list)
    skipped: list[ScanError] = field(factory=list)
    error: str | None = None
    fault: ScanError | None = None

    def take(self, receipt: Receipt, events: int) -> None:
        """Take up a receipt for `events` events (and the records behind them)."""
        self.events += events
        if events:
            self.first = receipt.first if self.first is None else self.first
            self.last = receipt.first + events - 1
        self.violations += kept_violations(receipt)

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        value: dict[str, Any] = {
            "file": self.file, "format": self.format, "status": self.status, "events": self.events,
            "first_index": self.first, "last_index": self.last, "sha256": self.sha256,
            "violations": self.violations, "skipped": [_fault_json(f) for f in self.skipped],
        }  # fmt: skip
        if self.error is not None:
            value["error"] = self.error
            value["fault"] = None if self.fault is None else _fault_json(self.fault)
            value["refused"] = self.refused
        return value


def _fault_json(fault: ScanError) -> dict[str, Any]:
    return {"line": fault.line, "column": fault.column, "value": fault.value, "message": str(fault)}


# ---- one file ----------------------------------------------------------------------------------


@contextmanager
def _one_at_a_time(ledger: Path) -> Iterator[None]:
    """Of two runs at once with one file, the second one has to see what the first one wrote."""
    descriptor = os.open(ledger / "ingest.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _recorded(view: View, digest: bytes, first: int | None = None) -> tuple[int, Record] | None:
    """The record of a file or of a part of it: (index, record)."""
    unit = view.unit(file_subject(digest, first))
    if unit is None:
        return None
    part = view.content(unit.last)
    if part is None:
        raise DataError(f"entry {unit.last}: its content is missing; run `tracechain verify`")
    return unit.last, decode_record(part[SALT_SIZE:])


def _part_of(record: Record) -> int:
    """How many events a part has."""
    match record.body:
        case (_, _, _, int() as count) if record.kind == KIND and count > 0:
            return count
    raise DataError(f"the record of {record.subject} is not that of a part of a file: run `tracechain verify`")


def _read(source: Source, options: Options, outcome: Outcome, shown: Bar) -> tuple[list[Event] | None, int]:
    """Read a file through: its events if they fit into one submission, and how many there are."""
    room = _MOST_STRICT if options.strict else options.batch
    skip = outcome.skipped.append if options.keep_going else None
    events = source.events(skip, shown.update)
    kept = list(islice(events, room))
    beyond = sum(1 for _ in events)
    if not beyond:
        return kept, len(kept)
    if options.strict:
        raise InputError(
            f"{source.where} has {room + beyond} events; --strict takes or refuses a file whole, up to"
            f" {_MOST_STRICT}: split the file"
        )
    return None, room + beyond


def _write(ledger: Ledger, source: Source, options: Options, outcome: Outcome, kept: list[Event] | None, count: int,
           shown: Bar) -> None:  # fmt: skip
    """Write a file that was read through. The caller holds the ingest lock."""
    name = recorded_name(source.path)
    whole = Record(KIND, (name, source.digest, count), file_subject(source.digest))
    if kept is not None:
        _append(ledger, outcome, options, kept, [whole])
        return
    events: Iterator[Event] = source.events((lambda _: None) if options.keep_going else None)
    done = 0
    while done < count:
        with ledger.snapshot() as snapshot:
            there = None if options.again else _recorded(snapshot, source.digest, done)
        if there is not None:
            size = _part_of(there[1])
            for _ in islice(events, size):
                pass  # written by a run that did not get to the end
            done += size
            continue
        part = list(islice(events, options.batch))
        records = [Record(KIND, (name, source.digest, done, len(part)), file_subject(source.digest, done))]
        done += len(part)
        if done >= count:
            records.append(whole)
        _append(ledger, outcome, options, part, records)
        shown.update(done, count)
    with ledger.snapshot() as snapshot:
        finished = not options.again and _recorded(snapshot, source.digest) is not None
    if not finished and not options.again:
        _append(ledger, outcome, options, [], [whole])


def _append(ledger: Ledger, outcome: Outcome, options: Options, events: list[Event], records: list[Record]) -> None:
    receipt = ledger.append(chain(events, records), record_class=options.record_class, strict=options.strict)
    outcome.take(receipt, len(events))


def _ingest(ledger: Ledger, path: Path, options: Options, outcome: Outcome) -> None:
    source = look_at(path, options.format)
    outcome.format, outcome.sha256 = source.format, source.digest.hex()
    if source.format == "submission":
        receipt = ledger.submit(source.submission(), strict=options.strict)
        outcome.take(receipt, receipt.count)
        outcome.status = "repeated" if receipt.repeated else "ingested"
        return
    if _is_there(ledger, source, options, outcome):
        return
    with bar(f"reading {path.name}") as shown:
        kept, count = _read(source, options, outcome, shown)
    if not count:
        raise InputError(f"{source.where} holds no event that can be ingested: nothing was written")
    with _one_at_a_time(ledger.path), bar(f"writing {path.name}") as shown:
        if not _is_there(ledger, source, options, outcome):
            _write(ledger, source, options, outcome, kept, count, shown)
            outcome.status = "ingested"


def _is_there(ledger: Ledger, source: Source, options: Options, outcome: Outcome) -> bool:
    if options.again:
        return False
    with ledger.snapshot() as snapshot:
        found = _recorded(snapshot, source.digest)
    if found is None:
        return False
    outcome.status, outcome.last = "already_ingested", found[0]
    return True


# ---- commands ----------------------------------------------------------------------------------


@click.command(short_help="Record scan files and EPCIS documents.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--format", "wanted", type=click.Choice(["auto", "csv", "jsonl", "epcis", "submission"]), default="auto",
    show_default=True, help="Format of the files; auto looks at their content.",
)  # fmt: skip
@click.option(
    "--batch", type=click.IntRange(1, 250_000), default=50_000, show_default=True, metavar="N",
    help="Most events in one commit. A file of up to N events is written at once, a larger one in parts.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Refuse a file whole if one of its events breaks a rule.")
@click.option(
    "--record-class", type=click.IntRange(0, 65_535), default=0, show_default=True, metavar="N",
    help="Record class of the entries; retention rules go by it.",
)  # fmt: skip
@click.option("--keep-going", is_flag=True, help="Leave faulty lines and files out and go on with the others (exit 1).")
@click.option("--again", is_flag=True, help="Ingest a file even if it is in the ledger already.")
@key_options
@json_option
def ingest(
    ledger: Path, files: tuple[Path, ...], wanted: str, batch: int, strict: bool, record_class: int,
    keep_going: bool, again: bool, keys: Path | None, passphrase_file: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Record scan files (CSV, JSON Lines), EPCIS 2.0 documents and stations' submissions.

    A file with a line that cannot be used is refused whole, and nothing of it is written; files before it stay.
    A file that is in the ledger already is left out. docs/scan-files.md describes the columns.
    """
    options = Options(wanted, batch, strict, record_class, keep_going, again)
    begun = time.monotonic()
    outcomes: list[Outcome] = []
    with open_to_write(ledger, keys, passphrase_file) as opened:
        for path in files:
            outcomes.append(_attempt(opened, path, options))
            if not as_json:
                _tell(outcomes[-1])
            if outcomes[-1].error is not None and not keep_going:
                break
        with opened.snapshot() as snapshot:
            size = snapshot.size
    seconds = time.monotonic() - begun
    events = sum(o.events for o in outcomes)
    failed = any(o.error is not None for o in outcomes)
    unread = [str(p) for p in files[len(outcomes) :]]
    if as_json:
        print_json(
            {
                "ledger": str(ledger), "size": size, "events": events, "seconds": round(seconds, 3),
                "files": [o.as_json() for o in outcomes], "not_read": unread,
            }
        )  # fmt: skip
    else:
        if len(outcomes) > 1:
            say(f"{events:,} events from {len(outcomes)} files in {seconds:.1f} s; the ledger has {size:,} entries")
        if unread:
            more = f" and {len(unread) - 3:,} more" if len(unread) > 3 else ""
            say(f"not read: {plain(', '.join(Path(name).name for name in unread[:3]))}{more}", "warn")
    if failed:
        return 1 if keep_going and any(o.status != "refused" for o in outcomes) else 2
    return 1 if any(o.skipped for o in outcomes) else 0


def _attempt(ledger: Ledger, path: Path, options: Options) -> Outcome:
    outcome = Outcome(str(path))
    try:
        _ingest(ledger, path, options, outcome)
    except OSError as error:
        outcome.error = f"{path}: {error.strerror}: check its name and permissions"
        complain(outcome.error)
    except RefusedError as error:
        # Every rule that would be broken, not just the first: whoever puts it right should have to do so once.
        outcome.refused = refused_violations(error, _lines(path, options))
        outcome.error = f"{path}: refused, nothing was written: {counted(len(outcome.refused), 'violation')}"
        complain(outcome.error)
    except TracechainError as error:
        text = str(error)
        outcome.error = text if str(path) in text else f"{path}: {text}"
        outcome.fault = error if isinstance(error, ScanError) else None
        complain(outcome.error)
    for fault in outcome.skipped[:_SHOWN]:
        complain(f"left out: {fault}")
    if len(outcome.skipped) > _SHOWN:
        complain(f"left out: {len(outcome.skipped) - _SHOWN} more lines of {path} (--json lists them all)")
    return outcome


def _lines(path: Path, options: Options) -> list[int] | None:
    """The line of each event of a file that was refused, as far as the file is still what it was."""
    try:
        return look_at(path, options.format).lines((lambda _: None) if options.keep_going else None)
    except (OSError, TracechainError):
        return None


def _tell(outcome: Outcome) -> None:
    name = plain(Path(outcome.file).name)
    match outcome.status:
        case "ingested":
            entries = (
                f"entries {outcome.first:,} to {outcome.last:,}" if outcome.first is not None else "no new entries"
            )
            say(f"{styled('✓', 'good')} {name}: {counted(outcome.events, 'event')} ({outcome.format}), {entries}")
        case "already_ingested":
            say(f"{styled('=', 'dim')} {name}: already ingested in entry {outcome.last:,} (--again would do it again)")
        case "repeated":
            say(f"{styled('=', 'dim')} {name}: this very statement is there already, from entry {outcome.first:,}")
        case _:
            tail = f"; {outcome.events:,} events of its first parts are written" if outcome.events else ""
            say(f"{styled('✗', 'bad')} {name}: refused{tail or ', nothing of it was written'}")
    tell_refused(outcome.refused)
    if outcome.skipped:
        say(f"  {counted(len(outcome.skipped), 'line')} left out", "warn")
    tell_kept(outcome.violations)


@click.command(short_help="Record a station's submission.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Refuse the submission whole if one of its events breaks a rule.")
@key_options
@json_option
def submit(
    ledger: Path, file: Path, strict: bool, keys: Path | None, passphrase_file: Path | None, as_json: bool
) -> int:
    """Record a station's submission (FILE, made by its own author key).

    The very same submission again is answered with its first receipt and changes nothing.
    """
    with open_to_write(ledger, keys, passphrase_file, author=False) as opened:
        try:
            receipt = opened.submit(look_at(file, "submission").submission(), strict=strict)
        except RefusedError as error:
            refused = refused_violations(error)
            complain(f"{file}: refused, nothing was written: {counted(len(refused), 'violation')}")
            if as_json:
                print_json({"events": 0, "refused": refused})
            else:
                tell_refused(refused)
            return 2
    if as_json:
        print_json(
            {
                "first_index": receipt.first, "events": receipt.count, "statement_index": receipt.statement,
                "receipt_time_ms": receipt.time, "repeated": receipt.repeated, "checkpoint": receipt.checkpoint,
                "violations": kept_violations(receipt),
            }
        )  # fmt: skip
        return 0
    outcome = Outcome(str(file), "submission", "repeated" if receipt.repeated else "ingested")
    outcome.take(receipt, receipt.count)
    _tell(outcome)
    return 0
