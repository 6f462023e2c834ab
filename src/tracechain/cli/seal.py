"""`tracechain seal`: where everything stands, sealed; proofs by seals; what auditors sign of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.entries import human
from tracechain.cli.keyfiles import key_options, open_to_write, passphrase, read_vkeys
from tracechain.cli.output import bar, console, counted, json_option, moment, plain, print_json, say, styled, table
from tracechain.cli.subjects import canonical, state_words
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.seals import Absence, Presence, Sealed

__all__ = ["seal"]

_AGE = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[hd])")
_MAX_NOTE = 1 << 16

_ledger = click.argument("ledger", type=click.Path(path_type=Path))
_size = click.option("--size", type=click.IntRange(min=1), metavar="N", help="Of the seal of N entries [the latest].")


@click.group(short_help="Seal where everything stands, and prove by it.")
def seal() -> None:
    """Seal where every code stands, and prove that a history is complete, or that a code was never there."""


# ---- making --------------------------------------------------------------------------------------


@seal.command(short_help="Make a seal.")
@_ledger
@click.option(
    "--if-more-than", "entries", type=click.IntRange(min=0), metavar="N",
    help="Only if more than N entries came in since the last seal.",
)  # fmt: skip
@click.option(
    "--if-older-than", "age", metavar="AGE",
    help="Only if the last seal is older than AGE (12h, 1d) and something came in since.",
)  # fmt: skip
@key_options
@json_option
def make(
    ledger: Path, entries: int | None, age: str | None, keys: Path | None, passphrase_file: Path | None, as_json: bool
) -> None:
    """Seal where every code of LEDGER stands now; what comes in meanwhile belongs to the next seal.

    With --if-more-than or --if-older-than (either is enough) it can be run by a timer as often as you like.
    """
    from tracechain.ledger.seals import SealPolicy

    policy = None
    if entries is not None or age is not None:
        policy = SealPolicy(None if entries is None else entries + 1, None if age is None else _hours(age))
    with open_to_write(ledger, keys, passphrase_file) as opened, bar("sealing") as shown:
        seals = opened.seals
        made = seals.make(shown.update) if policy is None else seals.make_if_due(policy, shown.update)
    if made is None:
        if as_json:
            print_json({"ledger": str(ledger), "made": False})
        else:
            say("= no seal is due")
        return
    if as_json:
        more = {"buckets": made.total, "buckets_worked_out": made.worked_out}
        print_json({"ledger": str(ledger), "made": True, **_seal_json(made.sealed), **more})
        return
    body = made.sealed.body
    say(f"{styled('✓', 'good')} {body.size:,} entries sealed in entry {made.sealed.index:,}: {counted(body.ids, 'id')}")
    say(f"  map root {body.map_root.hex()}", "dim")


def _hours(age: str) -> float:
    found = _AGE.fullmatch(age)
    if found is None:
        raise InputError(f"--if-older-than {age[:40]!r}: write hours or days, such as 12h or 1d")
    return int(found["count"]) * (24 if found["unit"] == "d" else 1)


# ---- looking -------------------------------------------------------------------------------------


@seal.command("list", short_help="List the seals.")
@_ledger
@json_option
def list_seals(ledger: Path, as_json: bool) -> None:
    """List the seals of LEDGER with what they say, and who signed for them, as far as notes were added.

    Signatures are not checked here: `tracechain verify --auditor` does that.
    """
    from tracechain.checkpoint import parse_note
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened:
        seals = opened.seals.list()
        signed = {
            one.body.size: [line.name for line in parse_note(note).signatures] for one, note in opened.seals.notes()
        }
    if as_json:
        print_json([{**_seal_json(one), "signed_by": signed.get(one.body.size, [])} for one in seals])
        return
    if not seals:
        say("no seal yet: `tracechain seal make` makes one")
        return
    shown = table()
    shown.add_column("entry", justify="right")
    shown.add_column("made")
    shown.add_column("entries sealed", justify="right")
    shown.add_column("ids", justify="right")
    shown.add_column("map root")
    shown.add_column("signed by (not checked)")
    for one in seals:
        body = one.body
        names = ", ".join(plain(name) for name in signed.get(body.size, []))
        shown.add_row(
            f"{one.index:,}", moment(one.time), f"{body.size:,}", f"{body.ids:,}", f"{body.map_root.hex()[:16]}…", names
        )
    console().print(shown)


# ---- proving -------------------------------------------------------------------------------------


@seal.command(short_help="Prove by a seal.")
@_ledger
@click.argument("codes", nargs=-1, required=True, metavar="CODE...")
@click.option("--absent", is_flag=True, help="That the CODEs were never in the ledger, up to the seal.")
@_size
@json_option
def prove(ledger: Path, codes: tuple[str, ...], absent: bool, size: int | None, as_json: bool) -> None:
    """Prove, by the latest seal of LEDGER, where each CODE stood: nothing happened to it up to the seal but what its
    chain has. The proofs themselves are in --json; `tracechain export` makes a bundle of them that can be checked
    without this program.

    A proof of absence names the codes next to the one that is absent, which are real ones: give it to the regulator,
    and to nobody else.
    """
    from tracechain.ledger import Ledger
    from tracechain.ledger.seals import prover

    wanted = list(dict.fromkeys(canonical(code) for code in codes))
    with Ledger.open(ledger) as opened, opened.snapshot() as snapshot:
        sealed, by = prover(snapshot, size)
        made: list[Presence | Absence] = [by.absence(one) if absent else by.presence(one) for one in wanted]
        for proof in made:
            proof.check(sealed.body.map_root)
    if as_json:
        print_json({"seal": _seal_json(sealed), "proofs": [_proof_json(one) for one in made]})
        return
    for one in made:
        _tell_proof(one, sealed)
    say(f"  complete to {sealed.body.size:,} entries, at {moment(sealed.time)}, as asserted by the ledger")
    if absent:
        say("  the proofs name codes that are there: for the regulator's eyes only", "warn")


def _tell_proof(proof: Presence | Absence, sealed: Sealed) -> None:
    from tracechain.seals import Presence

    size = counted(len(proof.encode()), "byte")
    if isinstance(proof, Presence):
        item = proof.item
        said = f"last entry {item.last:,}, {state_words(item.state, item.id)}"
        say(f"{styled('✓', 'good')} {human(item.id)}: {said}; proved in {size}")
    else:
        seen = f"not among the {counted(sealed.body.ids, 'id')} of the seal"
        say(f"{styled('✓', 'good')} {human(proof.code)}: {seen}; proved in {size}")


def _proof_json(proof: Presence | Absence) -> dict[str, Any]:
    from tracechain.seals import Presence

    if isinstance(proof, Presence):
        item = proof.item
        return {
            "id": item.id,
            "last": item.last,
            "leaf": item.leaf.hex(),
            "state": item.state,
            "proof": proof.encode().hex(),
        }
    beside = {name: None if one is None else one.id for name, one in (("before", proof.before), ("after", proof.after))}
    return {"id": proof.code, "absent": True, **beside, "proof": proof.encode().hex()}


def _seal_json(sealed: Sealed) -> dict[str, Any]:
    body = sealed.body
    return {
        "index": sealed.index, "receipt_time_ms": sealed.time, "size": body.size, "tree_root": body.tree_root.hex(),
        "ids": body.ids, "map_root": body.map_root.hex(),
    }  # fmt: skip


# ---- auditors ------------------------------------------------------------------------------------


@seal.command(short_help="Make an auditor's key.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name")
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path), metavar="FILE", help="First line: the passphrase of the key."
)
@json_option
def key(file: Path, name: str, passphrase_file: Path | None, as_json: bool) -> None:
    """Make the key with which an auditor signs for seals, in FILE, and print its verifier key.

    NAME says whose it is, such as audit.example.org/2026: it stands in the verifier key and in every signature.
    """
    from tracechain.checkpoint import NoteSigner, format_vkey
    from tracechain.signing import FileSigner, MemorySigner

    _ = NoteSigner(name, MemorySigner.from_seed(bytes(32)))  # refuses a name before there is a file
    signer = NoteSigner(name, FileSigner.create(file, passphrase(passphrase_file, confirm=True)))
    vkey = format_vkey(signer.verifier)
    if as_json:
        print_json({"file": str(file), "name": name, "vkey": vkey})
    else:
        say(f"{styled('✓', 'good')} auditor's key in {plain(file)}; give the verifier key to who checks:")
        say(f"  {plain(vkey)}")


@seal.command(short_help="Sign for a seal, as an auditor.")
@_ledger
@click.option("--key", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The auditor's key.")
@click.option("--name", required=True, help="The name that the auditor's key signs under.")
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path), metavar="FILE", help="First line: the passphrase of the key."
)
@_size
@json_option
def cosign(ledger: Path, key: Path, name: str, passphrase_file: Path | None, size: int | None, as_json: bool) -> None:
    """Work a seal of LEDGER out from its rows and print the seal note with the auditor's signature, and nothing else.

    An auditor has verified the log before (`tracechain verify --rules`). One who was given a bundle uses
    `tracechain replay --cosign`. The note goes back to the ledger with `tracechain seal note`.
    """
    from tracechain.checkpoint import NoteSigner
    from tracechain.ledger import Ledger
    from tracechain.signing import FileSigner

    signer = NoteSigner(name, FileSigner.open(key, passphrase(passphrase_file)))
    with Ledger.open(ledger) as opened:
        note = opened.seals.cosign(signer, size)
    if as_json:
        print_json({"ledger": str(ledger), "note": note})
    else:
        click.echo(note, nl=False)


@seal.command(short_help="Keep a note that an auditor signed.")
@_ledger
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--auditor", "auditors", multiple=True, metavar="VKEY|FILE",
    help="An auditor's verifier key: one of those given has to have signed.",
)  # fmt: skip
@key_options
@json_option
def note(
    ledger: Path, file: Path, auditors: tuple[str, ...], keys: Path | None, passphrase_file: Path | None, as_json: bool
) -> None:
    """Keep the seal note in FILE beside the seal of LEDGER that it is of; signatures of several auditors add up."""
    known = read_vkeys(auditors)
    with file.open("rb") as stream:
        data = stream.read(_MAX_NOTE + 1)
    with open_to_write(ledger, keys, passphrase_file, author=False) as opened:
        said = opened.seals.add_note(data, known)
    if as_json:
        print_json({"ledger": str(ledger), "size": said.seal.size, "signatures_checked": bool(known)})
        return
    say(f"{styled('✓', 'good')} kept beside the seal of {said.seal.size:,} entries")
    if not known:
        say("  no --auditor was named: whose signatures these are was not checked", "warn")
