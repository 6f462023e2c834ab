"""`tracechain keys`: who may write, and who says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracechain import record
from tracechain.cli.clock import clock
from tracechain.cli.init import vkey_path
from tracechain.cli.keyfiles import key_options, keys_folder, open_key, passphrase
from tracechain.cli.output import console, json_option, plain, print_json, say, styled
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.ledger import Author

__all__ = ["find_author", "keys"]

_SHORTEST = 8  # digits of a key hash that may stand for it


@click.group()
def keys() -> None:
    """List, show, create, authorise and revoke keys."""


@keys.command("list")
@click.argument("ledger", type=click.Path(path_type=Path))
@json_option
def list_keys(ledger: Path, as_json: bool) -> None:
    """List the log key, the root keys and all author keys of LEDGER."""
    from tracechain.checkpoint import format_vkey
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened:
        vkey, genesis, authors = format_vkey(opened.verifier), opened.genesis, opened.authors()
    if as_json:
        print_json(
            {
                "ledger": str(ledger), "vkey": vkey, "log": genesis.log_key.hash.hex(),
                "roots": [root.hash.hex() for root in genesis.roots],
                "authors": [
                    {
                        "key_hash": a.key.hash.hex(), "key_id": a.key.id.hex(), "label": a.label,
                        "scope": None if a.scope is None else list(a.scope),
                        "authorised_index": a.authorised, "revoked_index": a.revoked,
                    }
                    for a in authors
                ],
            }
        )  # fmt: skip
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("role", "key hash", "label", "may write", "authorised", "revoked"):
        table.add_column(name, no_wrap=name != "may write")
    table.add_row("log", genesis.log_key.hash.hex()[:32], plain(genesis.origin), "", "", "")
    for root in genesis.roots:
        table.add_row("root", root.hash.hex()[:32], "", "", "", "")
    for a in authors:
        revoked = Text("" if a.revoked is None else f"entry {a.revoked:,}", "red")
        scope = "everything" if a.scope is None else plain(", ".join(a.scope))
        table.add_row("author", a.key.hash.hex()[:32], plain(a.label), scope, f"entry {a.authorised:,}", revoked)
    console().print(table)
    say(plain(vkey), "dim")


@keys.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@json_option
def show(ledger: Path, as_json: bool) -> None:
    """Print the verifier key of LEDGER, one line and nothing else."""
    from tracechain.checkpoint import format_vkey
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened:
        vkey, key_hash = format_vkey(opened.verifier), opened.genesis.log_key.hash.hex()
    if as_json:
        print_json({"vkey": vkey, "key_hash": key_hash, "vkey_file": str(vkey_path(ledger))})
    else:
        click.echo(vkey)


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--passphrase-file", type=click.Path(path_type=Path), metavar="FILE", help="First line: the passphrase.")
@json_option
def create(file: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Make a new key in FILE (encrypted PKCS#8 PEM), such as a scanner station's author key."""
    from tracechain.signing import FileSigner

    if file.exists():
        raise InputError(f"{file} exists; a key file is never overwritten: choose another name")
    made = FileSigner.create(file, passphrase(passphrase_file, confirm=True))
    key_hash = made.public_key.hash.hex()
    if as_json:
        print_json({"file": str(file), "key_hash": key_hash, "public_key": made.public_key.raw.hex()})
    else:
        say(f"{styled('✓', 'good')} new key in {plain(file)}")
        say(f"  key hash  {key_hash}")
        say("  It may write once it is authorised: tracechain keys authorise LEDGER FILE --label NAME", "dim")


@keys.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--label", required=True, help="What the key is called in the log, such as 'station 7'.")
@click.option(
    "--scope", multiple=True, metavar="KIND", help="What it may write: event, kinds of records; several [everything]."
)
@click.option(
    "--file-passphrase", type=click.Path(path_type=Path), metavar="FILE",
    help="File with the passphrase of the new key, where it is another one than that of the ledger's keys.",
)  # fmt: skip
@key_options
@json_option
def authorise(
    ledger: Path, file: Path, label: str, scope: tuple[str, ...], file_passphrase: Path | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Let the key in FILE write to LEDGER from the next entry on. Needs the root key."""
    from tracechain.ledger import Ledger
    from tracechain.signing import FileSigner

    Ledger.open(ledger).close()
    folder, secret = keys_folder(ledger, keys), passphrase(passphrase_file)
    log, root = open_key(folder, "log", secret), open_key(folder, "root", secret)
    holder = FileSigner.open(file, secret if file_passphrase is None else passphrase(file_passphrase))
    with Ledger.open(ledger, signer=log, clock=clock()) as opened:
        receipt = opened.authorise(record.authorise(opened.ledger_id, holder, root, label, scope or None))
    key_hash = holder.public_key.hash.hex()
    if as_json:
        print_json({"key_hash": key_hash, "label": label, "scope": list(scope) or None, "index": receipt.first})
    else:
        say(f"{styled('✓', 'good')} {plain(label)} ({key_hash[:16]}) may write from entry {receipt.first + 1:,} on")


def find_author(authors: tuple[Author, ...], start: str) -> Author:
    """The author whose key hash begins so, or who has this label."""
    wanted = start.lower()
    found = [a for a in authors if a.key.hash.hex().startswith(wanted)] if len(wanted) >= _SHORTEST else []
    found = found or [a for a in authors if a.label == start]
    if not found:
        raise InputError(
            f"no author key is called {start!r:.80}: give its label, or at least {_SHORTEST} digits of its hash; see"
            " `tracechain keys list`"
        )
    if len(found) > 1:
        raise InputError(f"{len(found)} author keys fit {start!r:.80}: give more digits of the key hash")
    return found[0]


@keys.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("key", metavar="KEY")
@click.option("--reason", required=True, help="Why, for the log.")
@key_options
@json_option
def revoke(
    ledger: Path, key: str, reason: str, keys: Path | None, passphrase_file: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Stop an author's KEY (its hash or label) from the next entry on. Needs the root key."""
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened:
        author = find_author(opened.authors(), key)
    folder, secret = keys_folder(ledger, keys), passphrase(passphrase_file)
    log, root = open_key(folder, "log", secret), open_key(folder, "root", secret)
    with Ledger.open(ledger, signer=log, clock=clock()) as opened:
        receipt = opened.revoke(record.revoke(opened.ledger_id, author.key.hash, root, reason))
    key_hash = author.key.hash.hex()
    if as_json:
        print_json({"key_hash": key_hash, "label": author.label, "reason": reason, "index": receipt.first})
    else:
        say(f"{styled('✓', 'good')} {plain(author.label)} ({key_hash[:16]}) is revoked in entry {receipt.first:,}")
