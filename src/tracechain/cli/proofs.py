"""`tracechain checkpoint` and `tracechain prove`: what other transparency-log tools read, and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from tracechain.cli.output import json_option, print_json
from tracechain.errors import InputError

__all__ = ["checkpoint", "prove"]


@click.command(short_help="Print the signed checkpoint.")
@click.argument("ledger", type=click.Path(path_type=Path))
@json_option
def checkpoint(ledger: Path, as_json: bool) -> None:
    """Print the last signed checkpoint (C2SP signed note) and nothing else."""
    from tracechain.checkpoint import parse_checkpoint, parse_note
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened:
        note = opened.checkpoint()
    if as_json:
        head = parse_checkpoint(parse_note(note).text)
        print_json({"origin": head.origin, "size": head.size, "root": head.root.hex(), "note": note})
    else:
        click.echo(note, nl=False)


@click.command(short_help="Print the proof of an entry.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("index", type=click.IntRange(min=0))
@json_option
def prove(ledger: Path, index: int, as_json: bool) -> None:
    """Print the proof that entry INDEX is in the log (C2SP tlog-proof file) and nothing else."""
    from tracechain.checkpoint import parse_proof
    from tracechain.ledger import Ledger
    from tracechain.merkle import leaf_hash

    with Ledger.open(ledger) as opened:
        text = opened.prove(index)
        with opened.snapshot() as snapshot:
            header = snapshot.header(index)
    if header is None:
        raise InputError(f"entry {index}: its header is missing; run `tracechain verify`")
    if as_json:
        proof = parse_proof(text)
        print_json(
            {
                "index": index, "leaf": leaf_hash(header).hex(), "hashes": [h.hex() for h in proof.hashes],
                "checkpoint": proof.checkpoint, "proof": text,
            }
        )  # fmt: skip
    else:
        click.echo(text, nl=False)
