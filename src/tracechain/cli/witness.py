"""`tracechain witness`: cosigning by files. Who has a ledger asks and keeps; a witness checks, remembers and signs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.clock import clock
from tracechain.cli.keyfiles import key_options, open_to_write, passphrase, read_vkey
from tracechain.cli.output import (
    console,
    counted,
    json_option,
    plain,
    print_json,
    say,
    say_wrapped,
    styled,
    table,
)
from tracechain.cli.witness_words import read_text, read_witnesses, second, witness_option
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.checkpoint import NoteSignature, VerifierKey
    from tracechain.cosigner import Cosigned

__all__ = ["witness"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_MAX_PROOF = 1 << 17
_secret = click.option(
    "--passphrase-file", type=_FILE, metavar="FILE", help="First line: the passphrase of the witness's key."
)
_state = click.option(
    "--state", type=click.Path(path_type=Path), metavar="FOLDER",
    help="Folder of what this witness signed last [KEYFILE with .state].",
)  # fmt: skip


@click.group(short_help="Cosign checkpoints, by exchange of files.")
def witness() -> None:
    """Witnesses hold an operator who has all keys.

    A witness signs, with the time, that it saw the log so far and that this extends all it saw before. `request` and
    `add` are for who has the ledger; `init` and `sign` for the witness, who needs no ledger and no network.
    """


@witness.command(short_help="Make the key of a witness.")
@click.argument("keyfile", type=_FILE)
@click.argument("name")
@_state
@_secret
@json_option
def init(keyfile: Path, name: str, state: Path | None, passphrase_file: Path | None, as_json: bool) -> None:
    """Make the key KEYFILE of a witness called NAME (such as customs.example/witness), and its memory.

    Hand out the verifier key that is written beside it: who verifies a ledger gives it as --witness.
    """
    from tracechain.checkpoint import COSIGNATURE, VerifierKey, format_vkey
    from tracechain.cosigner import Cosigner
    from tracechain.signing import ED25519, FileSigner, MemorySigner

    memory, public = state or keyfile.with_suffix(".state"), keyfile.with_suffix(".vkey")
    if public == keyfile or memory == keyfile:
        raise InputError(f"{keyfile}: the verifier key and the memory get this name, so call the key .pem")
    for path in (keyfile, public, memory):
        if path.exists():
            raise InputError(f"{path} exists already and is not overwritten: move it away, or choose another name")
    VerifierKey(name, ED25519, MemorySigner.from_seed(bytes(32)).public_key)  # a name that none can have is refused
    signer = FileSigner.create(keyfile, passphrase(passphrase_file, confirm=True))
    key = VerifierKey(name, COSIGNATURE, signer.public_key)
    try:
        Cosigner.create(memory, key)
        public.write_text(f"{format_vkey(key)}\n", encoding="utf-8")
    except BaseException:
        keyfile.unlink(missing_ok=True)  # nobody has its verifier key yet
        raise
    if as_json:
        print_json({"key": str(keyfile), "vkey": format_vkey(key), "vkey_file": str(public), "state": str(memory)})
        return
    say(f"{styled('✓', 'good')} witness {plain(name)}")
    say(f"  key           {plain(keyfile)}")
    say(f"  memory        {plain(memory)}")
    say(f"  verifier key  {plain(public)}")
    say(f"                {plain(format_vkey(key))}")
    say_wrapped(
        "Keep the memory with the key: a witness that forgot what it signed is worth nothing, and needs a new key.",
        2,
        "dim",
    )


@witness.command(short_help="Write what a witness is asked.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=_FILE, metavar="FILE", help="Where to write the request.")
@click.option("--since", type=click.IntRange(min=0), metavar="SIZE", help="What the witness signed last; 0: nothing.")
@click.option("--old", type=_FILE, metavar="FILE", help="The note that the witness signed last.")
@click.option(
    "--of", "of", metavar="VKEY|FILE", help="The witness: what it signed last is looked up in the ledger [any witness]."
)
@json_option
def request(ledger: Path, out: Path, since: int | None, old: Path | None, of: str | None, as_json: bool) -> None:
    """Write what a witness is asked: the last checkpoint, and the proof that it extends what was signed last."""
    from tracechain.checkpoint import MAX_NOTE_BYTES, parse_checkpoint, parse_note
    from tracechain.ledger import Ledger
    from tracechain.witnessing import format_request

    if sum(one is not None for one in (since, old, of)) > 1:
        raise InputError("--since, --old and --of each say what was signed last: give one of them")
    from_note = None if old is None else read_text(old, "note", MAX_NOTE_BYTES)
    key = None if of is None else read_witnesses([of])[0]
    with Ledger.open(ledger) as opened:
        asked = opened.witnessed.request(since if from_note is None else from_note, witness=key)
    shown = None if asked.shown is None else out.with_name(f"{out.name}.epoch")
    for path in (out, shown):
        if path is not None and path.exists():
            raise InputError(f"{path} exists already and is not overwritten: choose another name")
    _write(out, format_request(asked.request))
    if shown is not None and asked.shown is not None:
        _write(shown, asked.shown)
    head = parse_checkpoint(parse_note(asked.request.note).text)
    if as_json:
        print_json(
            {
                "request": str(out), "epoch": None if shown is None else str(shown), "origin": head.origin,
                "old": asked.request.old, "size": head.size, "root": head.root.hex(),
            }
        )  # fmt: skip
        return
    say(f"{styled('✓', 'good')} {plain(out)}: {head.size:,} entries of {plain(head.origin)}")
    if shown is not None:
        say_wrapped(
            f"The witness signed {asked.request.old:,} entries, some of which were lost since. It has to be told: send"
            f" {plain(shown)} as well; it may accept that with --epoch and --accept-loss.", 2, "warn",
        )  # fmt: skip
    elif asked.request.old:
        say(f"  extends the {asked.request.old:,} that were signed last")
    else:
        say("  the first one for this witness")


@witness.command(short_help="Check a request, and cosign it.")
@click.argument("request", type=_FILE)
@click.option("--key", required=True, type=_FILE, metavar="KEYFILE", help="The witness's key; its .vkey is beside it.")
@click.option("--log", "log", required=True, metavar="VKEY|FILE", help="The verifier key of the ledger.")
@_state
@click.option("--out", required=True, type=_FILE, metavar="FILE", help="Where to write the cosigned note.")
@click.option(
    "--epoch", type=_FILE, metavar="FILE", help="The entry that says that entries were lost, as `request` wrote it."
)
@click.option("--accept-loss", is_flag=True, help="Sign although entries that this witness signed were lost.")
@_secret
@json_option
def sign(
    request: Path, key: Path, log: str, state: Path | None, out: Path, epoch: Path | None, accept_loss: bool,
    passphrase_file: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Check REQUEST against what this witness signed before, remember it, and cosign it.

    Exits with 1 where it is not signed: the log does not extend what was signed, or does not show it. The answer to a
    request that was lost on its way is given again.
    """
    from tracechain.checkpoint import NoteSigner
    from tracechain.cosigner import Cosigner
    from tracechain.signing import FileSigner
    from tracechain.witnessing import Refusal, RefusedRequestError, parse_request
    from tracechain.witnessing.request import MAX_REQUEST

    asked = parse_request(read_text(request, "request", MAX_REQUEST))
    verifier = read_vkey(log)
    assert verifier is not None, "the option is required"
    shown = None if epoch is None else read_text(epoch, "epoch entry", _MAX_PROOF)
    if out.exists():
        raise InputError(f"{out} exists already and is not overwritten: choose another name")
    public = read_witnesses([str(key.with_suffix(".vkey"))])[0]
    signer = NoteSigner(public.name, FileSigner.open(key, passphrase(passphrase_file)))
    now = clock()
    cosigner = Cosigner(state or key.with_suffix(".state"), signer, lambda: now() // 1000)
    try:
        done = cosigner.sign(asked, verifier, shown=shown, accept=accept_loss)
    except RefusedRequestError as error:
        if error.number not in (Refusal.CONFLICT, Refusal.NO_PROOF):
            raise
        if as_json:
            print_json(
                {
                    "signed": False, "number": int(error.number), "reason": str(error), "size": error.size,
                    "fork": error.fork,
                }
            )  # fmt: skip
            return 1
        say(styled("✗ NOT SIGNED", "bad"))
        say_wrapped(plain(error), 2)
        if error.fork or error.number == Refusal.NO_PROOF:
            say_wrapped("Keep the request: with what this witness signed it may be evidence.", 2, "warn")
        return 1
    _write(out, done.note)
    if as_json:
        print_json(_signed_json(done, out, public))
    else:
        _tell_signed(done, out, public)
    return 0


def _signed_json(done: Cosigned, out: Path, public: VerifierKey) -> dict[str, Any]:
    return {
        "signed": True, "answer": str(out), "witness": public.name, "origin": done.checkpoint.origin,
        "size": done.checkpoint.size, "root": done.checkpoint.root.hex(), "time": done.time_s, "again": done.again,
        "last_size": None if done.last is None else done.last.size,
    }  # fmt: skip


def _tell_signed(done: Cosigned, out: Path, public: VerifierKey) -> None:
    again = ", again as it was" if done.again else ""
    head = done.checkpoint
    say(f"{styled('✓', 'good')} {plain(out)}: {head.size:,} entries of {plain(head.origin)}{again}")
    say(f"  cosigned by {plain(public.name)}, {second(done.time_s)}")
    say(f"  root {head.root.hex()}", "dim")
    if done.last is None:
        say("  the first checkpoint of this log that this witness signs", "warn")
    elif done.last.size > head.size:
        say(f"  {done.last.size:,} entries were signed before: what was lost is accepted", "warn")
    elif not done.again:
        say(f"  extends the {done.last.size:,} entries that were signed before: {head.size - done.last.size:,} more")


@witness.command(short_help="Keep what witnesses answered.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=_FILE)
@click.option(
    "--request", "request_file", type=_FILE, metavar="FILE",
    help="What was asked, where an answer is a cosignature without its note.",
)  # fmt: skip
@witness_option
@key_options
@json_option
def add(
    ledger: Path, files: tuple[Path, ...], request_file: Path | None, witnesses: tuple[str, ...], keys: Path | None,
    passphrase_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Keep in LEDGER what witnesses answered; each note is held against the log first.

    Cosignatures are checked of witnesses that --witness names. Those of others are kept as they are.
    """
    from tracechain.checkpoint import MAX_NOTE_BYTES
    from tracechain.witnessing import parse_request
    from tracechain.witnessing.request import MAX_REQUEST

    known = read_witnesses(witnesses)
    asked = None if request_file is None else parse_request(read_text(request_file, "request", MAX_REQUEST)).note
    answers = [read_text(file, "answer", MAX_NOTE_BYTES) for file in files]
    done = []
    with open_to_write(ledger, keys, passphrase_file, author=False) as opened:
        for file, answer in zip(files, answers, strict=True):
            lines_only = answer.startswith("\N{EM DASH} ")
            added = opened.witnessed.add(answer, asked=asked if lines_only else None, witnesses=known)
            done.append((file, added))
    checked = {key.name for key in known}
    if as_json:
        print_json(
            {
                "ledger": str(ledger),
                "added": [{"file": str(file), "size": one.size, "new": list(one.new)} for file, one in done],
            }
        )  # fmt: skip
        return
    for file, one in done:
        if not one.new:
            say(f"= {plain(file)}: {one.size:,} entries, was kept already")
            continue
        who = ", ".join(plain(name) for name in one.new)
        say(f"{styled('✓', 'good')} {plain(file)}: {one.size:,} entries, cosigned by {who}")
        if not set(one.new) <= checked:
            say("  the signature was not checked: --witness names the key", "warn")


@witness.command(name="list", short_help="List the cosigned notes that are kept.")
@click.argument("ledger", type=click.Path(path_type=Path))
@witness_option
@json_option
def list_(ledger: Path, witnesses: tuple[str, ...], as_json: bool) -> int:
    """List the cosigned notes that LEDGER (or a whole bundle) has.

    Cosignatures are checked of witnesses that --witness names; exits with 1 where one does not stand.
    """
    from tracechain.checkpoint import parse_note
    from tracechain.cli.opening import open_to_read

    known = {(key.name, key.key_id): key for key in read_witnesses(witnesses)}
    with open_to_read(ledger, index=False) as opened:
        notes = [(size, text, parse_note(text)) for size, text in opened.view.witnessed()]
    found = [
        (size, line.name, _stands(text, line, known), int.from_bytes(line.signature[:8], "big"))
        for size, text, note in notes
        for line in note.signatures
        if len(line.signature) == 72  # a log's own line has 64 bytes, and no time
    ]
    if as_json:
        print_json(
            {
                "ledger": str(ledger),
                "notes": [{"size": size, "note": text} for size, text, _ in notes],
                "cosignatures": [
                    {"size": size, "witness": name, "stands": stands, "time": time}
                    for size, name, stands, time in found
                ],
            }
        )  # fmt: skip
    elif not notes:
        say("no cosigned notes are kept: `tracechain witness request` asks for one")
    else:
        shown = table()
        shown.add_column("entries", justify="right", no_wrap=True)
        shown.add_column("cosigned", no_wrap=True)
        shown.add_column("by", overflow="fold")
        shown.add_column("", no_wrap=True)
        for size, name, stands, time in found:
            words = {True: "✓", False: "✗ does not stand", None: "not checked"}[stands]
            shown.add_row(f"{size:,}", second(time), plain(name), words)
        console().print(shown)
        say(counted(len(notes), "note"), "dim")
    return 1 if any(stands is False for _, _, stands, _ in found) else 0


def _stands(text: str, line: NoteSignature, known: dict[tuple[str, bytes], VerifierKey]) -> bool | None:
    from tracechain.checkpoint import parse_note
    from tracechain.witnessing import cosignatures

    key = known.get((line.name, line.key_id))
    return None if key is None else bool(cosignatures(parse_note(text), [key]).times)


def _write(path: Path, text: str) -> None:
    """Write a file as it is handed on: LF and UTF-8 on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")
