"""`tracechain init`: a new ledger with its keys, and with rules if a profile is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracechain.cli.clock import clock
from tracechain.cli.keyfiles import KEY_NAMES, key_options, keys_folder, passphrase
from tracechain.cli.output import json_option, plain, print_json, say, styled
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.registers import Profile

__all__ = ["init", "vkey_path"]


def vkey_path(ledger: Path) -> Path:
    """Where a ledger's verifier key is written: beside it."""
    return ledger.with_name(f"{ledger.name}.vkey")


@click.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option(
    "--origin", required=True, metavar="NAME",
    help="Name of the log in all its checkpoints, such as example.com/bonded-warehouse.",
)  # fmt: skip
@click.option("--label", default="ledger", show_default=True, help="What the author key is called in the log.")
@click.option(
    "--jump-limit", type=click.IntRange(1, 36_500), default=31, show_default=True, metavar="DAYS",
    help="Refuse to write when the clock is over so many days ahead of the last entry (`tracechain clock` accepts it).",
)  # fmt: skip
@click.option(
    "--profile", "wanted", metavar="NAME|FILE",
    help="Put a profile in force with the first record, so that its rules hold for every event: beijing, or a file.",
)  # fmt: skip
@key_options
@json_option
def init(
    ledger: Path, origin: str, label: str, jump_limit: int, wanted: str | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Make a new ledger with its keys.

    Makes the folder LEDGER, three keys (log, root, author) as encrypted PKCS#8 files in --keys, and LEDGER.vkey,
    the verifier key that others need to check what the ledger signs. Without --profile nothing but a code that has
    ended breaks a rule; `tracechain register LEDGER profile` puts one in force later.
    """
    from tracechain.checkpoint import format_vkey
    from tracechain.ledger import DAY, Ledger, anchor_path
    from tracechain.signing import FileSigner

    folder, vkey_file = keys_folder(ledger, keys), vkey_path(ledger)
    if ledger.exists() and (not ledger.is_dir() or any(ledger.iterdir())):
        raise InputError(f"{ledger} exists already: a new ledger needs a new or empty folder")
    for path in (vkey_file, anchor_path(ledger), *(folder / f"{name}.pem" for name in KEY_NAMES)):
        if path.exists():
            raise InputError(f"{path} exists already and is not overwritten: move it away, or choose another name")
    _check_origin(origin)
    profile = _profile(wanted)
    secret = passphrase(passphrase_file, confirm=True)
    made_folder = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: list[Path] = []
    try:
        signers = {}
        for name in KEY_NAMES:
            signers[name] = FileSigner.create(folder / f"{name}.pem", secret)
            made.append(folder / f"{name}.pem")
        with Ledger.create(
            ledger, origin=origin, signer=signers["log"], root=signers["root"], author=signers["author"],
            author_label=label, jump_limit=jump_limit * DAY, clock=clock(),
        ) as created:  # fmt: skip
            made.clear()  # from here on the keys are those of a ledger
            made_folder = False
            vkey = format_vkey(created.verifier)
            ledger_id = created.ledger_id.hex()
            vkey_file.write_text(f"{vkey}\n", encoding="utf-8")
            in_force = None if profile is None else created.append([profile.record()]).first
    except BaseException:
        # Keys of a ledger that never was would only be in the way of the next attempt.
        for path in made:
            path.unlink(missing_ok=True)
        if made_folder:
            folder.rmdir()
        raise
    if as_json:
        print_json(
            {
                "ledger": str(ledger), "origin": origin, "ledger_id": ledger_id, "vkey": vkey,
                "vkey_file": str(vkey_file),
                "keys": {n: str(folder / f"{n}.pem") for n in KEY_NAMES},
                "key_hashes": {n: s.public_key.hash.hex() for n, s in signers.items()},
                "profile": None if profile is None else {
                    "name": profile.name, "edition": profile.edition, "entry": in_force
                },
            }
        )  # fmt: skip
        return
    say(f"{styled('✓', 'good')} new ledger {plain(ledger)} of {plain(origin)}")
    say(f"  ledger id     {ledger_id}")
    say(f"  keys          {plain(folder)}/log.pem, root.pem, author.pem")
    say(f"  verifier key  {plain(vkey_file)}")
    say(f"                {plain(vkey)}")
    if profile is not None:
        say(f"  profile       {plain(profile.name)}, edition {plain(profile.edition)}, in entry {in_force}")
    say("  Keep root.pem somewhere else: it is only needed to authorise and to revoke keys.", "dim")


def _profile(wanted: str | None) -> Profile | None:
    """The profile to begin with, read before keys are made."""
    if wanted is None:
        return None
    from tracechain.pilot import load_profile

    return load_profile(wanted)


def _check_origin(origin: str) -> None:
    """Refuse a bad name before keys are made for it (format.md section 5.2)."""
    from tracechain.checkpoint import VerifierKey
    from tracechain.signing import ED25519, MemorySigner

    VerifierKey(origin, ED25519, MemorySigner.from_seed(bytes(32)).public_key)
    if "/epoch/" in origin or origin.startswith(("tracechain ", "cosignature/")):
        raise InputError(f"origin {origin!r}: it must not contain '/epoch/' nor begin with 'cosignature/'")
