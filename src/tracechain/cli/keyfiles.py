"""Key files and their passphrase: `LEDGER.keys/` holds `log.pem`, `root.pem` and `author.pem`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.clock import clock
from tracechain.errors import InputError, KeyUseError

if TYPE_CHECKING:
    from tracechain.checkpoint import VerifierKey
    from tracechain.ledger import Ledger
    from tracechain.signing import FileSigner

__all__ = [
    "KEY_NAMES", "VARIABLE", "key_options", "keys_folder", "open_key", "open_to_write", "passphrase", "read_vkey",
    "read_vkeys",
]  # fmt: skip

VARIABLE = "TRACECHAIN_PASSPHRASE"
KEY_NAMES = ("log", "root", "author")
_MAX_PASSPHRASE = 4096


def key_options(command: Any) -> Any:
    """The options --keys and --passphrase-file of every command that signs."""
    command = click.option(
        "--passphrase-file", type=click.Path(path_type=Path), metavar="FILE",
        help=f"File whose first line is the passphrase of the keys; otherwise {VARIABLE}, otherwise you are asked.",
    )(command)  # fmt: skip
    return click.option(
        "--keys", "keys", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the keys [LEDGER.keys].",
    )(command)  # fmt: skip


def keys_folder(ledger: Path, given: Path | None) -> Path:
    """The folder of the keys: what was given, or the one beside the ledger."""
    return ledger.with_name(f"{ledger.name}.keys") if given is None else given


def passphrase(file: Path | None, *, confirm: bool = False) -> str:
    """The passphrase: from the file, the environment, or a person. KeyUseError where none of these has one."""
    if file is not None:
        with file.open("rb") as stream:
            line = stream.read(_MAX_PASSPHRASE).split(b"\n", 1)[0].removesuffix(b"\r")
        try:
            secret = line.decode()
        except UnicodeDecodeError:
            raise InputError(f"{file}: the passphrase is not UTF-8") from None
        if not secret:
            raise InputError(f"{file}: its first line is empty, so there is no passphrase")
        return secret
    secret = os.environ.get(VARIABLE, "")
    if secret:
        return secret
    if not sys.stdin.isatty():
        raise KeyUseError(f"no passphrase for the keys: set {VARIABLE}, or name a file with --passphrase-file")
    answer: str = click.prompt("Passphrase of the keys", hide_input=True, confirmation_prompt=confirm, err=True)
    return answer


def open_key(folder: Path, name: str, secret: str) -> FileSigner:
    """One key of a ledger's folder; KeyUseError says which is missing and where it was looked for."""
    from tracechain.signing import FileSigner

    path = folder / f"{name}.pem"
    if not path.exists():
        raise KeyUseError(
            f"the {name} key is not there: {path} does not exist; name the folder with --keys, or copy the key there"
        )
    return FileSigner.open(path, secret)


def open_to_write(ledger: Path, keys: Path | None, passphrase_file: Path | None, *, author: bool = True) -> Ledger:
    """The ledger, open for writing with its own keys."""
    from tracechain.ledger import Ledger

    if not (ledger / "ledger").is_dir():
        # Before anyone is asked for a passphrase.
        Ledger.open(ledger).close()
    folder = keys_folder(ledger, keys)
    for name in ("log", "author") if author else ("log",):
        if not (folder / f"{name}.pem").exists():
            open_key(folder, name, "-")
    secret = passphrase(passphrase_file)
    return Ledger.open(
        ledger,
        signer=open_key(folder, "log", secret),
        author=open_key(folder, "author", secret) if author else None,
        clock=clock(),
    )


def read_vkey(given: str | None) -> VerifierKey | None:
    """A verifier key, as text or as a file with one line; None where none is given."""
    from tracechain.checkpoint import parse_vkey

    if given is None:
        return None
    path = Path(given)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        if "+" not in given:
            raise KeyUseError(f"{given[:100]!r} is no file and no verifier key (name+hash+key): see LEDGER.vkey")
        return parse_vkey(given)
    with path.open("rb") as file:
        data = file.read(_MAX_PASSPHRASE + 1)
    try:
        return parse_vkey(data.decode().removesuffix("\n").removesuffix("\r"))
    except UnicodeDecodeError:
        raise KeyUseError(f"{path} holds no verifier key: it is not text") from None
    except KeyUseError as error:
        raise KeyUseError(f"{path}: {error}") from None


def read_vkeys(given: Iterable[str]) -> list[VerifierKey]:
    """Several of them."""
    return [known for one in given if (known := read_vkey(one)) is not None]
