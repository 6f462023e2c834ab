"""`tracechain reindex | backup | restore | settle | clock`: what keeps a ledger well, and what gets it going again."""

from __future__ import annotations

from pathlib import Path

import click

from tracechain.cli.clock import clock as current_clock
from tracechain.cli.keyfiles import key_options, keys_folder, open_key, open_to_write, passphrase
from tracechain.cli.keys import find_author
from tracechain.cli.output import bar, json_option, moment, plain, print_json, say, styled
from tracechain.errors import InputError

__all__ = ["backup", "clock", "reindex", "restore", "settle"]


@click.command(short_help="Rebuild the index from the log.")
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


@click.command(short_help="Copy the ledger.")
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


@click.command(short_help="Go on with a restored backup.")
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
    with (
        Ledger.restore(ledger, signer=log, reason=reason, clock=current_clock()) as opened,
        opened.snapshot() as snapshot,
    ):
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


@click.command(short_help="Declare a loss or a gap settled.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--epoch", type=click.IntRange(min=1), metavar="N", help="What this epoch lost was submitted again.")
@click.option(
    "--gap", type=(str, click.IntRange(min=0), click.IntRange(min=0)), metavar="KEY FROM TO",
    help="The numbers FROM to TO of the author with this key hash or label will not come.",
)  # fmt: skip
@click.option("--reason", required=True, help="Why, for the log.")
@key_options
@json_option
def settle(
    ledger: Path, epoch: int | None, gap: tuple[str, int, int] | None, reason: str, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Record that a loss was made good or is given up. It is no finding any more, but it goes on to be said.

    Needs the root key.
    """
    from tracechain.ledger import Ledger

    if (epoch is None) is (gap is None):
        raise InputError("say what is settled: --epoch or --gap, one of the two")
    folder, secret = keys_folder(ledger, keys), passphrase(passphrase_file)
    root = open_key(folder, "root", secret)
    log, author = open_key(folder, "log", secret), open_key(folder, "author", secret)
    with Ledger.open(ledger, signer=log, author=author, clock=current_clock()) as opened:
        if gap is not None:
            key_hash = find_author(opened.authors(), gap[0]).key.hash
            if gap[1] > gap[2]:
                raise InputError(f"the gap ends at {gap[2]}, before it begins at {gap[1]}")
            receipt = opened.settle_gap(key_hash, gap[1], gap[2] + 1, reason, root)
        else:
            assert epoch is not None
            receipt = opened.settle_epoch(epoch, reason, root)
    if as_json:
        print_json({"ledger": str(ledger), "index": receipt.first, "reason": reason})
    else:
        say(f"{styled('✓', 'good')} settled in entry {receipt.first:,}")


@click.command(short_help="Accept a jump of the clock.")
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
