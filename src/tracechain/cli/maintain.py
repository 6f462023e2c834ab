"""`tracechain reindex | backup | restore | clock`: what keeps a ledger well, and what gets it going again."""

from __future__ import annotations

from pathlib import Path

import click

from tracechain.cli.keyfiles import key_options, keys_folder, open_key, open_to_write, passphrase
from tracechain.cli.output import bar, json_option, moment, plain, print_json, say, styled

__all__ = ["backup", "clock", "reindex", "restore"]


@click.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@key_options
@json_option
def reindex(ledger: Path, keys: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    """Rebuild everything that is derived from the log; the log itself is not touched."""
    with open_to_write(ledger, keys, passphrase_file, author=False) as opened:
        with bar("reindexing") as shown:
            units = opened.reindex(shown.update)
        with opened.snapshot() as snapshot:
            size = snapshot.size
    if as_json:
        print_json({"ledger": str(ledger), "size": size, "units": units})
    else:
        say(f"{styled('✓', 'good')} index of {units:,} units rebuilt from {size:,} entries")


@click.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path))
@json_option
def backup(ledger: Path, destination: Path, as_json: bool) -> None:
    """Copy LEDGER to the new folder DEST while it is read and written.

    Keys and anchor are not copied: the anchor is what shows later that a backup is older than the ledger was.
    """
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened:
        made = opened.backup(destination)
    with Ledger.open(made) as copy, copy.snapshot() as snapshot:
        size = snapshot.size
    if as_json:
        print_json({"ledger": str(ledger), "backup": str(made), "size": size})
    else:
        say(f"{styled('✓', 'good')} {size:,} entries copied to {plain(made)}")


@click.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="Why, for the log.")
@key_options
@json_option
def restore(ledger: Path, reason: str, keys: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    """Go on with a restored backup as a new epoch.

    LEDGER is the backup, put where the ledger was, beside the ledger's anchor. What was signed after the backup is
    lost; it stays a finding until it was submitted again and that is settled.
    """
    from tracechain.entry import SALT_SIZE
    from tracechain.ledger import Ledger
    from tracechain.record import EpochRecord

    Ledger.open(ledger).close()
    log = open_key(keys_folder(ledger, keys), "log", passphrase(passphrase_file))
    with Ledger.restore(ledger, signer=log, reason=reason) as opened, opened.snapshot() as snapshot:
        index = snapshot.size - 1
        part = snapshot.content(index)
        assert part is not None, "the entry was written just now"
        epoch = EpochRecord.decode(part[SALT_SIZE:])
    lost = epoch.lost_end - epoch.size
    if as_json:
        print_json(
            {
                "ledger": str(ledger), "epoch": epoch.epoch, "index": index, "lost_from": epoch.size,
                "lost_end": epoch.lost_end, "lost": lost,
            }
        )  # fmt: skip
        return
    say(f"{styled('✓', 'good')} epoch {epoch.epoch} begins with entry {index:,}")
    if lost:
        say(
            f"  {lost:,} entries are lost, {epoch.size:,} to {epoch.lost_end - 1:,}: ingest and submit them again;",
            "warn",
        )
        say("  revocations and holds among them have to be made again before anything else", "warn")


@click.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--reason", required=True, help="Why the clock jumped, for the log.")
@key_options
@json_option
def clock(ledger: Path, reason: str, keys: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    """Record that the clock rightly jumped ahead by more than the ledger accepts, and go on."""
    with open_to_write(ledger, keys, passphrase_file, author=False) as opened:
        receipt = opened.accept_clock(reason)
    if as_json:
        print_json({"ledger": str(ledger), "index": receipt.first, "receipt_time_ms": receipt.time})
    else:
        say(f"{styled('✓', 'good')} the jump to {moment(receipt.time)} is recorded in entry {receipt.first:,}")
