"""`tracechain archive`: what is about to be pruned, in one signed file; checked, and shown, for ever after."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from attrs import frozen

from tracechain.cli.clock import clock
from tracechain.cli.entries import human, read_entry
from tracechain.cli.keyfiles import key_options, keys_folder, open_key, passphrase, read_vkey
from tracechain.cli.moments import asked_day
from tracechain.cli.output import bar, console, counted, json_option, moment, plain, print_json, say, styled, table
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.archive import Archive, Archived, ArchiveReport
    from tracechain.retention.ranges import Ranges
    from tracechain.view import View

__all__ = ["announced", "archive"]


class _WriteFirst(click.Group):
    """Takes `archive LEDGER OUT` for `archive write LEDGER OUT`: a ledger in a folder of a command's name is told by
    its path (./check)."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `write` in front of what begins with no command."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["write", *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Both ways to call it."""
        formatter.write_usage(ctx.command_path, "LEDGER OUT [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND [ARGS]...", " " * 7)


@click.group(cls=_WriteFirst, short_help="Keep what is about to be pruned in a signed file.")
def archive() -> None:
    """Write what is about to go to a signed file that proves itself by the ledger's headers for ever. See `archive
    write --help`."""


_FILE = click.argument("file", type=click.Path(path_type=Path))
_KEY_HELP = "The log's verifier key, or a file with it, as you know it from outside the ledger."


# ---- writing -------------------------------------------------------------------------------------


@archive.command("write", short_help="Write an archive (the default).")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--as-of", metavar="DATE", help="What is due by that day in Beijing (YYYY-MM-DD) [today].")
@click.option("--intent", metavar="NAME", help="What was announced as the pruning NAME, such as 2034-q1.")
@key_options
@json_option
def write(
    ledger: Path, out: Path, as_of: str | None, intent: str | None, keys: Path | None, passphrase_file: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Write the contents and rows that are due in LEDGER to the new file OUT, signed with the log key.

    Nothing is pruned by it. The ledger may be written to meanwhile. Each part is held against its header first, so what
    was damaged is refused. `tracechain prune --announce --archive OUT` names the file in the log.
    """
    from tracechain.archive import write_archive
    from tracechain.ledger import Ledger

    if as_of is not None and intent is not None:
        raise click.UsageError("say one of: --as-of, --intent. What was announced has its day.")
    with Ledger.open(ledger) as opened, opened.snapshot() as snapshot:
        contents, rows = _wanted(snapshot, as_of) if intent is None else announced(snapshot, intent)
        if not contents and not rows:
            raise InputError("there is nothing to archive: nothing may go, see `tracechain retention`")
        signer = open_key(keys_folder(ledger, keys), "log", passphrase(passphrase_file))
        with bar("archiving") as shown:
            made = write_archive(snapshot, out, contents, rows, signer, shown.update)
    if as_json:
        print_json({"ledger": str(ledger), **_plain(made)})
        return
    say(f"{styled('✓', 'good')} {_what(made)} archived in {plain(made.path)}, {_bytes(made.bytes)}")
    _tell(made)
    if intent is None:
        naming = f"--announce NAME --reason TEXT --archive {plain(out)}"
        say(f"  name it in the log: tracechain prune {plain(ledger)} {naming}", "dim")


def _wanted(view: View, as_of: str | None) -> tuple[Ranges, Ranges]:
    from tracechain.retention.dates import day_of
    from tracechain.retention.plan import plan

    with bar("planning") as shown:
        found = plan(view, as_of=day_of(asked_day(as_of, clock()()).day), progress=shown.update)
    return found.contents, found.rows


def announced(view: View, name: str) -> tuple[Ranges, Ranges]:
    """Contents and rows that a pruning announced and that are not gone; InputError where there is none."""
    from tracechain.retention.prunings import prunings

    for one in reversed(prunings(view)):
        if one.intent.name == name:
            if one.done_at is not None:
                raise InputError(f"pruning {name} was done in entry {one.done_at}: what went is gone")
            return one.intent.contents, one.intent.rows
    raise InputError(f"no pruning {name!r:.80} was announced: see `tracechain prune --list`")


# ---- checking ------------------------------------------------------------------------------------


@archive.command(short_help="Check an archive.")
@_FILE
@click.option("--key", metavar="VKEY|FILE", required=True, help=_KEY_HELP)
@click.option("--signed-by", metavar="VKEY|FILE", help="The key that sealed it, where that is not the log's.")
@click.option(
    "--ledger", type=click.Path(path_type=Path), metavar="LEDGER",
    help="Hold it against the headers of this ledger, too, and say which pruning names it.",
)  # fmt: skip
@json_option
def check(file: Path, key: str, signed_by: str | None, ledger: Path | None, as_json: bool) -> int:
    """Check every byte of the archive FILE: its seal, and that each content and each row is what a header commits to
    which is in the log by a checkpoint that the log signed.

    Nothing else is needed. Exits with 1 when something was found.
    """
    from tracechain.archive import check_archive
    from tracechain.ledger.auditing import open_snapshot

    verifier, sealer = read_vkey(key), read_vkey(signed_by)
    assert verifier is not None, "the option is required"
    begun = time.monotonic()
    with nullcontext() if ledger is None else open_snapshot(ledger) as view:
        with bar("checking") as shown:
            report = check_archive(
                file, verifier, view=view, signed_by=None if sealer is None else sealer.key, progress=shown.update
            )
        names = [] if view is None else _naming(view, report.archive)
    seconds = time.monotonic() - begun
    if as_json:
        print_json(_report_json(report, names, seconds))
    else:
        _tell_report(report, names, seconds, against=ledger)
    return 0 if report and all(one.same for one in names) else 1


@frozen
class _Naming:
    """A pruning that names an archive: its name, the entry that announced it, whether it was done, and whether it is of
    just what the archive holds."""

    name: str
    entry: int
    done: bool
    same: bool


def _naming(view: View, made: Archive) -> list[_Naming]:
    """The prunings that name an archive."""
    from tracechain.retention.prunings import prunings

    return [
        _Naming(one.intent.name, one.announced, one.done_at is not None, one.intent.digest == made.lost)
        for one in prunings(view)
        if one.intent.archive == made.digest
    ]


def _tell_report(report: ArchiveReport, names: list[_Naming], seconds: float, *, against: Path | None) -> None:
    made = report.archive
    if report.findings:
        total = len(report.findings) + report.beyond
        say(styled(f"✗ {counted(total, 'finding')} in {plain(made.path)}", "bad"))
        found = table()
        found.add_column("code", style="red", no_wrap=True)
        found.add_column("entry", justify="right", style="cyan", no_wrap=True)
        found.add_column("what was found", overflow="fold")
        for finding in report.findings[:100]:
            found.add_row(str(finding.code), _index(finding.index), plain(finding.detail))
        console().print(found)
        if total > 100:
            say(f"and {total - min(100, len(report.findings)):,} more (--json lists up to 1,000)", "warn")
    else:
        say(styled("✓ VERIFIED, UNWITNESSED", "good"))
    said = f"  {_what(made)}, {counted(report.links, 'link')} in {seconds:.1f} s"
    say(said if against is None else f"{said}, held against {plain(against)}")
    _tell(made)
    for one in names:
        said = f"  named by pruning {plain(one.name)}, entry {one.entry:,}{', which was done' if one.done else ''}"
        say(
            said if one.same else f"{said}; but what that announces is not what is archived",
            None if one.same else "bad",
        )
    for note in report.notes:
        say(f"  {plain(note)}", "warn")


def _index(index: int | None) -> str:
    return "" if index is None else f"{index:,}"


def _report_json(report: ArchiveReport, names: list[_Naming], seconds: float) -> dict[str, Any]:
    good = bool(report) and all(one.same for one in names)
    return {
        "good": good,
        "verdict": "verified_unwitnessed" if good else "findings",
        "archive": _plain(report.archive),
        "entries": report.entries,
        "contents": report.contents,
        "rows": report.rows,
        "links": report.links,
        "against_ledger": report.against_ledger,
        "named_by": [
            {"name": one.name, "entry": one.entry, "done": one.done, "of_what_is_archived": one.same} for one in names
        ],
        "findings": [{"code": str(f.code), "index": f.index, "detail": f.detail} for f in report.findings],
        "findings_not_listed": report.beyond,
        "notes": list(report.notes),
        "seconds": round(seconds, 3),
    }


# ---- showing -------------------------------------------------------------------------------------


@archive.command(short_help="Show one entry of an archive.")
@_FILE
@click.argument("index", type=click.IntRange(min=0))
@click.option("--key", metavar="VKEY|FILE", help=f"{_KEY_HELP} Without it, authenticity is not checked.")
@click.option("--signed-by", metavar="VKEY|FILE", help="The key that sealed it, where that is not the log's.")
@json_option
def show(file: Path, index: int, key: str | None, signed_by: str | None, as_json: bool) -> None:
    """Show entry INDEX as the archive FILE holds it, with the proof that its header is in the log.

    With --key that is checked, and the seal; the rest of the file is not read.
    """
    from tracechain.archive import open_archive
    from tracechain.checkpoint import check_proof, parse_proof
    from tracechain.merkle import leaf_hash

    verifier, sealer = read_vkey(key), read_vkey(signed_by)
    with open_archive(file) as reader:
        found, proof, made = reader.entry(index), reader.proof(index), reader.archive
        if verifier is not None:
            reader.authenticate(verifier, None if sealer is None else sealer.key)
            check_proof(parse_proof(proof), leaf_hash(found.header), verifier)
    # What it says is read as from a ledger that has this entry.
    entry = read_entry(cast("View", _One(found)), index)
    assert entry is not None, "its header is there"
    rows = _rows(found)
    if as_json:
        print_json(
            {
                "archive": _plain(made), "authenticity": "not_checked" if verifier is None else "checked",
                "entry": entry.as_json({}), "header": found.header.hex(),
                "content_with_salt": None if found.content is None else found.content.hex(),
                "rows_with_salt": None if found.rows is None else found.rows.hex(),
                "rows": [
                    {"subject": subject, "act": act, "previous": previous, "state": state, "violations": violations}
                    for subject, act, previous, state, violations in rows
                ],
                "proof": proof,
            }
        )  # fmt: skip
        return
    header = entry.header
    assert header is not None, "the reader parsed it"
    say(f"{styled(f'entry {index:,}', 'bold')}  {entry.name}  {entry.line}")
    say(f"  received {moment(header.time)}")
    for name, part, length in (
        ("content", found.content, header.content_length),
        ("rows", found.rows, header.rows_length),
    ):
        say(f"  {name}: {counted(length, 'byte')}{'' if part is not None else ', not in the archive'}")
    for subject, _, previous, _, violations in rows[:20]:
        before = "its first entry" if previous is None else f"its entry before is {previous:,}"
        broken = f", violations {', '.join(map(str, violations))}" if violations else ""
        say(f"    {human(subject)}: {before}{broken}")
    if len(rows) > 20:
        say(f"    and {len(rows) - 20:,} more (--json lists all)", "dim")
    if verifier is None:
        say(styled("~ AUTHENTICITY NOT CHECKED (--key)", "warn"))
    else:
        say(f"{styled('✓', 'good')} in the log {plain(made.origin)} of {made.size:,} entries, unwitnessed")


class _One:
    """As much of a View as reading one entry takes."""

    def __init__(self, found: Archived) -> None:
        self._found = found

    def header(self, _index: int) -> bytes:
        """The header."""
        return self._found.header

    def content(self, _index: int) -> bytes | None:
        """Salt and content."""
        return self._found.content


def _rows(found: Archived) -> list[tuple[str, int, int | None, int, tuple[int, ...]]]:
    from tracechain.entry import SALT_SIZE, decode_rows

    if found.rows is None:
        return []
    rows = decode_rows(found.rows[SALT_SIZE:])[1]
    return [(row.subject, row.act, row.previous, row.state, row.violations) for row in rows]


# ---- words ---------------------------------------------------------------------------------------


def _what(made: Archive) -> str:
    both = [counted(made.content_count, "content")] * (made.content_count > 0)
    both += [f"{made.row_count:,} entries' rows"] * (made.row_count > 0)
    return f"{' and '.join(both) or 'nothing but headers'} of {counted(made.entries, 'header')}"


def _tell(made: Archive) -> None:
    say(f"  checkpoint {plain(made.origin)}, size {made.size:,}")
    say(f"  archive {made.digest.hex()}", "dim")


def _bytes(count: int) -> str:
    return f"{count:,} bytes" if count < 10_000_000 else f"{count / 1_000_000:,.0f} MB"


def _plain(made: Archive) -> dict[str, Any]:
    return {
        "file": str(made.path), "digest": made.digest.hex(), "ledger_id": made.ledger_id.hex(), "origin": made.origin,
        "size": made.size, "entries": made.entries, "contents": made.content_count, "rows": made.row_count,
        "prune_digest": made.lost.hex(), "content_ranges": [list(one) for one in made.contents],
        "row_ranges": [list(one) for one in made.rows], "bytes": made.bytes,
    }  # fmt: skip
