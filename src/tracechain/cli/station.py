"""`tracechain station`: an author with no ledger at hand, who signs now and submits later."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from tracechain.cli.broken import kept_violations, tell_kept
from tracechain.cli.clock import clock
from tracechain.cli.keyfiles import key_options, open_to_write, passphrase
from tracechain.cli.output import counted, json_option, plain, print_json, say, styled
from tracechain.cli.sources import look_at
from tracechain.errors import InputError
from tracechain.signing import FileSigner
from tracechain.station import Station

__all__ = ["station"]

_LEDGER_ID = re.compile("[0-9a-f]{64}")
_MOST = 50_000  # events of one submission

_folder = click.argument("station", type=click.Path(path_type=Path))
_key = click.option("--key", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Its author key.")
_secret = click.option(
    "--passphrase-file", type=click.Path(path_type=Path), metavar="FILE", help="First line: the passphrase of the key."
)


@click.group(short_help="Sign scans at a station, send them later.")
def station() -> None:
    """Sign scans at a station and send them to the ledger later."""


@station.command()
@_folder
@click.argument("ledger_id")
@_key
@_secret
@json_option
def create(station: Path, ledger_id: str, key: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Make the folder STATION for one author key and the ledger with LEDGER_ID (64 hexadecimal digits)."""
    if not _LEDGER_ID.fullmatch(ledger_id):
        raise InputError(f"{ledger_id!r:.80} is no ledger id: it has 64 digits 0-9 a-f, `tracechain init` prints it")
    signer = FileSigner.open(key, passphrase(passphrase_file))
    Station.create(station, signer, bytes.fromhex(ledger_id), clock=clock()).close()
    if as_json:
        print_json({"station": str(station), "ledger_id": ledger_id, "key_hash": signer.public_key.hash.hex()})
    else:
        say(f"{styled('✓', 'good')} station {plain(station)} for key {signer.public_key.hash.hex()[:16]}")


@station.command()
@_folder
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@_key
@_secret
@click.option("--record-class", type=click.IntRange(0, 65_535), default=0, show_default=True, metavar="N")
@json_option
def sign(
    station: Path, files: tuple[Path, ...], key: Path, passphrase_file: Path | None, record_class: int, as_json: bool
) -> None:
    """Sign the events of scan files or EPCIS documents: one submission a file, kept in STATION/out."""
    sources = [look_at(path) for path in files]
    for source in sources:
        if source.format == "submission":
            raise InputError(f"{source.where} is a submission already: send it with `tracechain submit`")
    batches = []
    for source in sources:
        # All files are read before the first one is signed: a number once used is used.
        batch = list(source.events())
        if not 0 < len(batch) <= _MOST:
            raise InputError(f"{source.where} has {len(batch)} events, a submission has 1 to {_MOST}: split the file")
        batches.append(batch)
    opened = Station.open(station, FileSigner.open(key, passphrase(passphrase_file)), clock=clock())
    try:
        signed = []
        for source, batch in zip(sources, batches, strict=True):
            first = opened.next_sequence
            opened.make(batch, record_class=record_class)
            path = next(p.path for p in opened.pending() if p.first == first)
            signed.append({"file": source.where, "first_sequence": first, "events": len(batch), "path": str(path)})
    finally:
        opened.close()
    if as_json:
        print_json({"station": str(station), "signed": signed})
        return
    for one in signed:
        say(f"{styled('✓', 'good')} {plain(one['file'])}: {one['events']:,} events signed, {plain(one['path'])}")


@station.command()
@_folder
@_key
@_secret
@json_option
def pending(station: Path, key: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """List the submissions that no ledger has acknowledged yet."""
    opened = Station.open(station, FileSigner.open(key, passphrase(passphrase_file)), clock=clock())
    try:
        waiting = opened.pending()
    finally:
        opened.close()
    if as_json:
        print_json([{"first_sequence": p.first, "events": p.count, "path": str(p.path)} for p in waiting])
        return
    for one in waiting:
        say(f"{one.first:>12,}  {one.count:>9,} events  {plain(one.path)}")
    say(f"{len(waiting):,} submissions wait", "dim")


@station.command()
@_folder
@click.argument("ledger", type=click.Path(path_type=Path))
@_key
@click.option(
    "--file-passphrase", type=click.Path(path_type=Path), metavar="FILE", help="Passphrase of the station's key."
)
@key_options
@json_option
def send(
    station: Path, ledger: Path, key: Path, file_passphrase: Path | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Submit to LEDGER what waits in STATION, in order, and forget what was acknowledged."""
    opened = Station.open(station, FileSigner.open(key, passphrase(file_passphrase or passphrase_file)), clock=clock())
    sent: list[dict[str, Any]] = []
    try:
        with open_to_write(ledger, keys, passphrase_file, author=False) as target:
            for waiting in opened.pending():
                receipt = target.submit(waiting.read())
                opened.acknowledge(waiting.first)
                sent.append(
                    {
                        "first_sequence": waiting.first, "events": waiting.count, "first_index": receipt.first,
                        "repeated": receipt.repeated, "violations": kept_violations(receipt),
                    }
                )  # fmt: skip
    finally:
        opened.close()
    if as_json:
        print_json({"ledger": str(ledger), "sent": sent})
        return
    for one in sent:
        say(
            f"{styled('✓', 'good')} {counted(one['events'], 'event')} from number {one['first_sequence']:,}: "
            f"entry {one['first_index']:,} on"
        )
        tell_kept(one["violations"])
    say(f"{counted(len(sent), 'submission')} sent", "dim")
