"""`tracechain subject`: a person asks what is held on them, and what of it can go."""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.clock import clock
from tracechain.cli.keyfiles import key_options, open_to_write, read_vkey
from tracechain.cli.moments import as_of_option, asked_day
from tracechain.cli.output import bar, counted, json_option, plain, print_json, say, styled
from tracechain.errors import InputError, TracechainError
from tracechain.registers.files import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracechain.ledger import Ledger

__all__ = ["subject"]

_TOKEN = re.compile(r"(?:person/)?([0-9a-f]{32})")
_KEY = re.compile(r"[0-9a-f]{64}")
_MOST = 1 << 26
_MOST_SHOWN_TOKENS = 5


def _ledger(command: Any) -> Any:
    return click.argument("ledger", type=click.Path(path_type=Path))(command)


def _whom(command: Any) -> Any:
    """Whom it is about: a token, or a value that is known of the person."""
    command = click.option(
        "--field", metavar="NAME", help="With --value: only under this name, such as phone [any]."
    )(command)  # fmt: skip
    command = click.option(
        "--value", metavar="TEXT", help="Whoever has exactly this value in the vault: a name, a phone number."
    )(command)  # fmt: skip
    return click.argument("token", metavar="[TOKEN]", required=False)(command)


def _ground(command: Any) -> Any:
    return click.option(
        "--ground", metavar="TEXT",
        help="Show what is withheld, too, on this ground: it is written down. Needs the keys.",
    )(command)  # fmt: skip


def _said(command: Any) -> Any:
    """Why and by whom, for the log."""
    command = click.option("--by", metavar="WHO", help="Who: a role or token, no person's name.")(command)
    return click.option("--ground", metavar="TEXT", help="Why, for the log: no personal data.")(command)


@click.group(short_help="Answer a person who asks what is held on them.")
def subject() -> None:
    """Show, export, erase, restrict or disclose what is held on a person.

    The log holds tokens and salted commitments; who and what they stand for lies in the vault, apart from it.
    """


# ---- whom ----------------------------------------------------------------------------------------


def read_token(text: str) -> bytes:
    """A token as people write it."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise InputError(f"{text[:60]!r} is no person's token: 32 hexadecimal digits, or say --value")
    return bytes.fromhex(found[1])


def _find(ledger: Ledger, token: str | None, value: str | None, field: str | None) -> bytes:
    """The token that is meant. What was asked for is not repeated: it is personal data."""
    if (token is None) is (value is None):
        raise click.UsageError("say whom: a TOKEN, or --value TEXT, one of the two.")
    if field is not None and value is None:
        raise click.UsageError("--field is the name of what --value says.")
    if token is not None:
        return read_token(token)
    assert value is not None
    found = ledger.vault.find(value, field)
    if not found:
        raise InputError("nobody in the vault has this value: write it exactly as it was put, or name the token")
    if len(found) > 1:
        more = f" and {len(found) - _MOST_SHOWN_TOKENS} more" if len(found) > _MOST_SHOWN_TOKENS else ""
        tokens = ", ".join(one.hex() for one in found[:_MOST_SHOWN_TOKENS])
        raise InputError(f"{len(found)} persons have this value: name one of the tokens {tokens}{more}")
    return found[0]


@contextmanager
def _open(ledger: Path, ground: str | None, keys: Path | None, passphrase_file: Path | None) -> Iterator[Ledger]:
    """For reading; or for writing, as what is withheld is only shown when that is written down."""
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) if ground is None else open_to_write(ledger, keys, passphrase_file) as opened:
        yield opened


# ---- what is held --------------------------------------------------------------------------------


@subject.command(short_help="Show all that is held on a person.")
@_ledger
@_whom
@_ground
@key_options
@json_option
def show(
    ledger: Path, token: str | None, value: str | None, field: str | None, ground: str | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Show all that LEDGER holds on a person: identity, events, private values. Exits with 1 if there is nothing."""
    from tracechain.cli.subject_words import tell_person
    from tracechain.persons import export_file, held_on

    with _open(ledger, ground, keys, passphrase_file) as opened, opened.snapshot() as snapshot:
        whom = _find(opened, token, value, field)
        with bar("looking") as shown:
            file = held_on(snapshot, opened.vault, whom, ground=ground, progress=shown.update)
    if as_json:
        print_json(export_file(file))
    else:
        tell_person(file)
    return 0 if file else 1


@subject.command(short_help="Write all that is held on a person to a file.")
@_ledger
@_whom
@_ground
@click.option("--to", "out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="[stdout]")
@key_options
@json_option
def export(
    ledger: Path, token: str | None, value: str | None, field: str | None, ground: str | None, out: Path | None,
    keys: Path | None, passphrase_file: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Write all that LEDGER holds on a person as JSON, to hand over: with salts, so that the log can be checked.

    FILE is made readable by you alone, and not overwritten. Exits with 1 if there is nothing.
    """
    from tracechain.persons import export_file, held_on

    with _open(ledger, ground, keys, passphrase_file) as opened, opened.snapshot() as snapshot:
        whom = _find(opened, token, value, field)
        with bar("looking") as shown:
            file = held_on(snapshot, opened.vault, whom, ground=ground, progress=shown.update)
    told = export_file(file)
    if out is None:
        click.echo(json.dumps(told) if as_json else json.dumps(told, indent=2))
        return 0 if file else 1
    _write(out, json.dumps(told, indent=2) + "\n")
    if as_json:
        print_json({"token": whom.hex(), "file": str(out), "events": len(file.events), "values": len(file.fields)})
    else:
        say(
            f"{styled('✓', 'good')} {counted(len(file.events), 'event')} and"
            f" {counted(len(file.fields), 'private value')} of person {whom.hex()} in {plain(out)}"
        )
    return 0 if file else 1


def _write(path: Path, text: str) -> None:
    """A new file that only its owner can read: there are personal data in it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(f"{path} exists already and is not overwritten: choose another name") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


# ---- what can go ---------------------------------------------------------------------------------


@subject.command(short_help="Erase what may be erased, and say what must be kept and why.")
@_ledger
@_whom
@click.option("--entry", type=click.IntRange(min=0), metavar="N", help="Only a private field of entry N, --only NAME.")
@click.option("--only", metavar="NAME", help="With --entry: the name of the field.")
@click.option("--due", is_flag=True, help="Of every person all that is due by the policy in force.")
@click.option("--apply", "apply_it", is_flag=True, help="Do it. Without it, only what would become of it is shown.")
@_said
@as_of_option
@key_options
@json_option
def erase(
    ledger: Path, token: str | None, value: str | None, field: str | None, entry: int | None, only: str | None,
    due: bool, apply_it: bool, ground: str | None, by: str | None, as_of: str | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Erase what LEDGER holds on a person, as far as no rule demands it and nothing holds it; the rest is withheld.

    Without --apply, say what would go, what must stay, and why. With it, the log says which tokens and commitments
    lost their values, and no file of the vault holds them any more.
    """
    from tracechain.cli.subject_words import tell_erasure
    from tracechain.ledger import Ledger
    from tracechain.persons import field_commitment, plain_plan, plan_erasure
    from tracechain.retention.dates import day_of

    if (entry is None) is not (only is None):
        raise click.UsageError("--entry N and --only NAME belong together.")
    if (token is not None or value is not None) + (entry is not None) + due != 1:
        raise click.UsageError("say what: a TOKEN or --value TEXT, or --entry N --only NAME, or --due, one of them.")
    if apply_it:
        if ground is None or by is None:
            raise click.UsageError("--apply needs --ground TEXT and --by WHO, for the log.")
        if as_of is not None:
            raise click.UsageError("--as-of shows what may go on a day: what is erased, is erased now.")
    asked = asked_day(as_of, clock()())
    with open_to_write(ledger, keys, passphrase_file) if apply_it else Ledger.open(ledger) as opened:
        with opened.snapshot() as snapshot, bar("looking") as shown:
            which: dict[str, Any] = {"due": due}
            if entry is not None and only is not None:
                which["commitments"] = [field_commitment(snapshot, entry, only)]
            elif not due:
                which["tokens"] = [_find(opened, token, value, field)]
            found = plan_erasure(
                snapshot, opened.vault, as_of=day_of(asked.day), progress=shown.update, **which
            )  # fmt: skip
        done = None
        if apply_it:
            assert ground is not None
            assert by is not None
            done = opened.erase(found, ground=ground, by=by)
    if as_json:
        receipt = None if done is None else done.receipt
        print_json(
            {
                "ledger": str(ledger), "applied": apply_it, **plain_plan(found),
                "entry": None if receipt is None else receipt.first,
                "erased": 0 if done is None else done.erased, "restricted": 0 if done is None else done.restricted,
            }
        )  # fmt: skip
    else:
        tell_erasure(found, done)


@subject.command(short_help="Withhold what is held on a person.")
@_ledger
@_whom
@_said
@key_options
@json_option
def restrict(
    ledger: Path, token: str | None, value: str | None, field: str | None, ground: str | None, by: str | None,
    keys: Path | None, passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Withhold identity and private values of a person: they stay in the vault and are shown on a ground only."""
    from tracechain.store import Kept

    if ground is None or by is None:
        raise click.UsageError("say --ground TEXT and --by WHO, for the log.")
    with open_to_write(ledger, keys, passphrase_file) as opened:
        whom = _find(opened, token, value, field)
        known = (whom, *opened.vault.owned(whom))
        wanted = [key for key in known if opened.vault.standing(key) == Kept.KEPT]
        if not wanted:
            raise InputError(f"nothing of person {whom.hex()} is in the vault that is not withheld already")
        receipt = opened.restrict(wanted, ground=ground, by=by)
    if as_json:
        print_json(
            {"ledger": str(ledger), "token": whom.hex(), "entry": receipt.first, "restricted": len(wanted)}
        )  # fmt: skip
    else:
        say(
            f"{styled('✓', 'good')} {counted(len(wanted), 'value')} of person {whom.hex()} withheld, entry"
            f" {receipt.first:,}"
        )


# ---- one value, shown ----------------------------------------------------------------------------


@subject.command(short_help="Show one private value so that it can be checked against the log.")
@_ledger
@click.argument("entry", type=click.IntRange(min=0), metavar="ENTRY")
@click.argument("name", metavar="FIELD")
@_ground
@click.option("--to", "out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="[stdout]")
@key_options
@json_option
def disclose(
    ledger: Path, entry: int, name: str, ground: str | None, out: Path | None, keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Write the private FIELD of ENTRY with all that is needed to check it: `tracechain subject check FILE --key VKEY`.

    Shows the event's content too, with its token, but no other private field of it.
    """
    from tracechain.persons import disclose as make
    from tracechain.persons import format_disclosure

    with _open(ledger, ground, keys, passphrase_file) as opened, opened.snapshot() as snapshot:
        text = format_disclosure(make(snapshot, opened.vault, entry, name, ground=ground))
    if out is None:
        click.echo(json.dumps(json.loads(text)) if as_json else text)
        return
    _write(out, text + "\n")
    if as_json:
        print_json({"ledger": str(ledger), "entry": entry, "field": name, "file": str(out)})
    else:
        say(f"{styled('✓', 'good')} field {plain(name)} of entry {entry:,} in {plain(out)}")


@subject.command(short_help="Check a disclosed value by the log's key alone.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", required=True, metavar="VKEY|FILE", help="The log's verifier key, or a file with it.")
@json_option
def check(file: Path, key: str, as_json: bool) -> int:
    """Hold a disclosed value (FILE) against the log's signature; no ledger is needed. Exits with 1 if it does not fit.

    What holds: the entry's author committed to this value when the entry was received. Not that the value is true.
    """
    from tracechain.cli.subject_words import tell_disclosed
    from tracechain.errors import DataError, DecodeError
    from tracechain.persons import check_disclosure, parse_disclosure

    verifier = read_vkey(key)
    assert verifier is not None
    try:
        disclosure = parse_disclosure(_text(file))
    except DecodeError as error:
        raise InputError(f"{file}: {error}") from None
    try:
        found = check_disclosure(disclosure, verifier)
    except DataError as error:
        if as_json:
            print_json({"file": str(file), "good": False, "fault": str(error)})
        else:
            say(f"{styled('✗', 'bad')} {plain(error)}")
        return 1
    if as_json:
        value = found.value if isinstance(found.value, str) else {"hex": found.value.hex()}
        print_json(
            {
                "file": str(file), "good": True, "entry": found.index, "receipt_time_ms": found.received,
                "field": found.name, "value": value, "origin": found.origin, "size": found.size,
            }
        )  # fmt: skip
    else:
        tell_disclosed(found)
    return 0


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MOST + 1)
    try:
        if len(data) <= _MOST:
            return data.decode()
    except UnicodeDecodeError:
        pass
    raise InputError(f"{path} is no disclosure: it is no text, or too much of it")


# ---- into the vault ------------------------------------------------------------------------------


@subject.command(short_help="Put persons and private values into the vault.")
@_ledger
@click.argument("file", type=click.Path(path_type=Path))
@key_options
@json_option
def add(ledger: Path, file: Path, keys: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    """Keep who tokens stand for, and the values behind the commitments of events, before the events are ingested.

    FILE is JSON: {"persons": [{"token": HEX, "identity": {NAME: TEXT, ...}, "private": [{"name": NAME, "value": TEXT,
    "salt": HEX}, ...]}, ...]}; identity and private may be left out. All of it is put, or nothing; nothing is logged.
    """
    persons = _read_persons(file)
    with open_to_write(ledger, keys, passphrase_file) as opened, opened.vault.changing() as changes:
        for token, identity, private in persons:
            if identity:
                changes.put_person(token, identity)
            for value in private:
                changes.put_private(value, token)
    values = sum(len(private) for _, _, private in persons)
    if as_json:
        print_json({"ledger": str(ledger), "persons": len(persons), "values": values})
    else:
        say(
            f"{styled('✓', 'good')} {counted(len(persons), 'person')} and {counted(values, 'private value')} are in the"
            " vault"
        )
        say(f"  {plain(file)} holds them, too: delete it when nobody needs it", "warn")


def _read_persons(path: Path) -> list[tuple[bytes, dict[str, str], list[Any]]]:
    with path.open("rb") as file:
        data = file.read(_MOST + 1)
    if len(data) > _MOST:
        raise InputError(f"{path} is over {_MOST} bytes: split it")
    found = parse(data, "json", str(path))
    persons = found.get("persons")
    if set(found) != {"persons"} or not isinstance(persons, list):
        raise InputError(f'{path}: it must be {{"persons": [...]}}')
    return [_person(one, f"{path}: persons[{number}]") for number, one in enumerate(persons, 1)]


def _person(given: Any, where: str) -> tuple[bytes, dict[str, str], list[Any]]:
    from tracechain.private import PrivateValue

    if not isinstance(given, dict) or not {"token"} <= set(given) <= {"token", "identity", "private"}:
        raise InputError(f"{where}: it must have token, and may have identity and private")
    identity, private = given.get("identity", {}), given.get("private", [])
    if not isinstance(identity, dict) or not isinstance(private, list):
        raise InputError(f"{where}: identity must be an object, and private a list")
    values = []
    for one in private:
        if not isinstance(one, dict) or set(one) != {"name", "value", "salt"}:
            raise InputError(f"{where}: each of private must have name, value and salt")
        if not isinstance(one["salt"], str) or _KEY.fullmatch(one["salt"]) is None:
            raise InputError(f"{where}: a salt must be 64 hexadecimal digits in lower case")
        try:
            values.append(PrivateValue(bytes.fromhex(one["salt"]), one["name"], one["value"]))
        except TracechainError as error:
            raise InputError(f"{where}: {error}") from None
    token = given["token"]
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise InputError(f"{where}: token must be 32 hexadecimal digits in lower case")
    return read_token(token), identity, values
