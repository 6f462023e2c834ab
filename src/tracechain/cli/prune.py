"""`tracechain prune`: what is due goes, announced first, after a waiting time, so that it can be verified for ever."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracechain.cli.clock import clock
from tracechain.cli.keyfiles import key_options, keys_folder, open_key, open_to_write, passphrase
from tracechain.cli.moments import asked_day
from tracechain.cli.output import bar, json_option, plain, print_json, say, styled
from tracechain.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracechain.retention.decisions import Plan
    from tracechain.signing import Signer
    from tracechain.view import View

__all__ = ["prune"]

_MAX_NOTE = 1 << 13


@click.command(short_help="Let go what is due: announce it, wait, apply it.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--as-of", metavar="DATE", help="The day by which it is due, in Beijing, not ahead of today [today].")
@click.option(
    "--announce", "announced", metavar="NAME", help="Log what will go, as the pruning NAME, such as 2034-q1.",
)  # fmt: skip
@click.option("--reason", metavar="TEXT", help="With --announce: why, for the log.")
@click.option(
    "--archive", "archived", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="With --announce: write what will go to FILE before, signed; or FILE is that archive already.",
)  # fmt: skip
@click.option("--apply", "applied", metavar="NAME", help="Do what was announced as NAME, after its waiting time.")
@click.option(
    "--witnessed", "notes", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", multiple=True,
    help="With --apply, where the policy names witnesses: a checkpoint that they cosigned, twice, the older one first"
    " [what `witness list` shows].",
)  # fmt: skip
@click.option("--list", "listed", is_flag=True, help="List what was announced and done.")
@key_options
@json_option
def prune(
    ledger: Path, as_of: str | None, announced: str | None, reason: str | None, archived: Path | None,
    applied: str | None, notes: tuple[Path, ...], listed: bool, keys: Path | None, passphrase_file: Path | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Let go what is due in LEDGER by its retention policy. Without --announce or --apply, show what that is.

    First --announce logs exactly what will go. After the policy's waiting time --apply executes just that, minus what
    came under hold meanwhile, and logs that it was done. Headers stay for ever: `tracechain verify` checks what is
    left, and that what is gone went lawfully.
    """
    if (announced is not None) + (applied is not None) + listed > 1:
        raise click.UsageError("say one of: --announce, --apply, --list.")
    if announced is None and (reason is not None or archived is not None):
        raise click.UsageError("--reason and --archive are for --announce.")
    if as_of is not None and (applied is not None or listed):
        raise click.UsageError("--as-of is for a plan: what was announced has its day.")
    if notes and applied is None:
        raise click.UsageError("--witnessed is for --apply.")
    if listed:
        return _list(ledger, as_json=as_json)
    if applied is not None:
        return _apply(ledger, applied, notes, keys, passphrase_file, as_json=as_json)
    if announced is None:
        return _show(ledger, as_of, as_json=as_json)
    if reason is None:
        raise click.UsageError("--announce needs --reason TEXT: it stands in the log.")
    return _announce(ledger, as_of, announced, reason, archived, keys, passphrase_file, as_json=as_json)


def _planned(view: View, as_of: str | None) -> Plan:
    from tracechain.retention.dates import day_of
    from tracechain.retention.plan import plan

    with bar("planning") as shown:
        return plan(view, as_of=day_of(asked_day(as_of, clock()()).day), progress=shown.update)


# ---- before --------------------------------------------------------------------------------------


def _show(ledger: Path, as_of: str | None, *, as_json: bool) -> int:
    from tracechain.cli.plan_words import plan_json, tell_plan
    from tracechain.cli.policies import in_force
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened, opened.snapshot() as snapshot:
        found = _planned(snapshot, as_of)
        standing = in_force(snapshot)
    policy = None if standing is None else standing.policy
    if as_json:
        print_json({"ledger": str(ledger), **plan_json(found, policy)})
        return 0
    tell_plan(found, policy, in_force=True)
    if found.count:
        say(f"  announce it: tracechain prune {plain(ledger)} --announce NAME --reason TEXT", "dim")
    return 0


def _announce(
    ledger: Path, as_of: str | None, name: str, reason: str, archived: Path | None, keys: Path | None,
    passphrase_file: Path | None, *, as_json: bool,
) -> int:  # fmt: skip
    from tracechain.cli.plan_words import plan_json, tell_totals
    from tracechain.cli.policies import in_force
    from tracechain.ledger import Ledger

    Ledger.open(ledger).close()  # before anyone is asked for a passphrase
    folder, secret = keys_folder(ledger, keys), passphrase(passphrase_file)
    log, author = open_key(folder, "log", secret), open_key(folder, "author", secret)
    with Ledger.open(ledger, signer=log, author=author, clock=clock()) as opened:
        with opened.snapshot() as snapshot:
            found = _planned(snapshot, as_of)
            standing = in_force(snapshot)
            if standing is None:
                raise InputError("no retention policy is in force, so nothing may go: `tracechain retention set` first")
            digest = None if archived is None else _archive(snapshot, found, archived, log)
        receipt = opened.announce(found, name=name, reason=reason, archive=digest)
    wait = standing.policy.wait_days
    if as_json:
        print_json(
            {
                "ledger": str(ledger), "name": name, "entry": receipt.first, "receipt_time_ms": receipt.time,
                "policy_entry": standing.index, "wait_days": wait, "archive": None if digest is None else digest.hex(),
                **plan_json(found, standing.policy),
            }
        )  # fmt: skip
        return 0
    tell_totals(found)
    say(f"{styled('✓', 'good')} pruning {plain(name)} is announced, entry {receipt.first:,}")
    if archived is not None and digest is not None:
        say(f"  archived before: {plain(archived)}")
        say(f"  {digest.hex()}", "dim")
    clocks = "" if not standing.policy.witnesses else " between two checkpoints that witnesses signed (`witness add`)"
    say(f"  after {wait} days{clocks}: tracechain prune {plain(ledger)} --apply {plain(name)}", "dim")
    return 0


def _archive(view: View, found: Plan, path: Path, log: Signer) -> bytes:
    """The digest of an archive of what will go: made now, or there already."""
    from tracechain.archive import open_archive, write_archive

    if not path.exists():
        with bar("archiving") as shown:
            return write_archive(view, path, found.contents, found.rows, log, shown.update).digest
    with open_archive(path) as reader:
        if reader.archive.lost != found.digest(view):
            raise InputError(f"{path} is not an archive of just what will go: name a new file, and it is written")
        digest: bytes = reader.archive.digest
    return digest


# ---- afterwards ----------------------------------------------------------------------------------


def _apply(
    ledger: Path, name: str, notes: Sequence[Path], keys: Path | None, passphrase_file: Path | None, *, as_json: bool
) -> int:
    from tracechain.cli.prune_words import kept_json, tell_kept, why_kept

    witnessed = [_note(path) for path in notes]
    with open_to_write(ledger, keys, passphrase_file) as opened:
        with bar(f"pruning {name}") as shown:
            done = opened.prune(name, witnessed=witnessed, progress=shown.update)
        with opened.snapshot() as snapshot:
            kept = why_kept(snapshot, name)
    space = done.compaction
    if as_json:
        print_json(
            {
                "ledger": str(ledger), "name": name, "entry": done.receipt.first,
                "receipt_time_ms": done.receipt.time, "contents": done.content_count, "rows": done.row_count,
                "kept": kept_json(kept), "waited_days": round(done.waited_ms / 86_400_000, 2),
                "bytes_before": space.before, "bytes_after": space.after, "writers_waited_seconds": space.seconds,
            }
        )  # fmt: skip
        return 0
    from tracechain.cli.plan_words import size_words

    say(
        f"{styled('✓', 'good')} pruning {plain(name)} is done, entry {done.receipt.first:,}: {done.content_count:,}"
        f" contents and the rows of {done.row_count:,} entries are gone"
    )
    say(
        f"  {size_words(space.before)} before, {size_words(space.after)} now; writers waited {space.seconds:.1f} s",
        "dim",
    )
    tell_kept(kept)
    return 0


def _note(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_MAX_NOTE + 1)
    if len(data) > _MAX_NOTE:
        raise InputError(f"{path} is no checkpoint: it has over {_MAX_NOTE} bytes")
    return data


def _list(ledger: Path, *, as_json: bool) -> int:
    from tracechain.cli.prune_words import listed, pruning_json, tell_prunings
    from tracechain.ledger import Ledger

    with Ledger.open(ledger) as opened, opened.snapshot() as snapshot:
        found = listed(snapshot, clock()())
    if as_json:
        print_json({"ledger": str(ledger), "prunings": [pruning_json(one) for one in found]})
    else:
        tell_prunings(found)
    return 0
