"""`tracechain verify`: the whole log, or what was added since a checkpoint; with --rules, a replay on top.

What was not checked never looks like OK.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve

from tracechain.cli.clock import clock
from tracechain.cli.entries import human
from tracechain.cli.keyfiles import read_vkey, read_vkeys
from tracechain.cli.opening import looks_like_bundle
from tracechain.cli.output import (
    bar,
    console,
    counted,
    json_option,
    moment,
    plain,
    print_json,
    say,
    say_wrapped,
    styled,
)
from tracechain.cli.witness_words import (
    tell_witnessed,
    witness_options,
    witness_policy,
    witnessed_json,
    witnessed_verdict,
)
from tracechain.errors import InputError

if TYPE_CHECKING:
    from tracechain.checkpoint import VerifierKey
    from tracechain.verification import Report, SealVerdict

__all__ = ["report_json", "tell_report", "verify", "with_rules"]

_MAX_NOTE = 1 << 16


def _read_note(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MAX_NOTE + 1)
    if len(data) > _MAX_NOTE:
        raise InputError(f"{path} is no checkpoint: it has over {_MAX_NOTE} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no checkpoint: byte {error.start} is not UTF-8") from None


@click.command(short_help="Check the whole log.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option(
    "--key", metavar="VKEY|FILE",
    help="The log's verifier key, or a file with it, as you know it from outside the ledger. Without it, authenticity"
    " is not checked.",
)  # fmt: skip
@click.option(
    "--since", type=click.Path(path_type=Path), metavar="FILE",
    help="An older checkpoint that you kept: check that the log extends it, and what was added.",
)  # fmt: skip
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, metavar="N", help="Share the work."
)
@click.option("--anchor", type=click.Path(path_type=Path), metavar="FILE", help="The ledger's anchor [LEDGER.anchor].")
@click.option("--no-anchor", is_flag=True, help="There is no anchor, as of a copy: a rollback would not be seen.")
@click.option(
    "--rules", is_flag=True,
    help="Replay the whole log and judge every event again, by registers, buyers, documents and dates too.",
)  # fmt: skip
@click.option(
    "--retention", "demanded", metavar="NAME|FILE",
    help="A retention policy of your own: whatever the ledger's says, nothing may have gone earlier than by this one.",
)  # fmt: skip
@click.option(
    "--clock", "by_clock", is_flag=True,
    help="Nothing may have been received later than this computer's clock says: finds one that was set forward.",
)  # fmt: skip
@click.option(
    "--auditor", "auditors", multiple=True, metavar="VKEY|FILE",
    help="An auditor's verifier key, as you know it: his signatures under seals are checked, and told.",
)  # fmt: skip
@witness_options
@json_option
def verify(
    ledger: Path, key: str | None, since: Path | None, processes: int, anchor: Path | None, no_anchor: bool,
    rules: bool, demanded: str | None, by_clock: bool, auditors: tuple[str, ...], witnesses: tuple[str, ...],
    quorum: int | None, policy_file: Path | None, as_json: bool,
) -> int:  # fmt: skip
    """Check every header, content, row, link, statement, signature and the tree of LEDGER, or of a bundle.

    Of what was pruned, that it went lawfully: announced, after the waiting time, not before its day, and not held. With
    --rules also that every state and every violation is what the log comes to: an operator who has all keys can
    sign anything, but not make a broken rule vanish. With witnesses, that enough of them cosigned this log, and between
    which of their times its entries came. Exits with 1 when something was found.
    """
    from tracechain.ledger import anchor_path, verify_ledger
    from tracechain.verification.findings import RULES

    wanted = witness_policy(witnesses, quorum, policy_file)
    verifier = read_vkey(key) if wanted is None else wanted.log_key(read_vkey(key))
    policy = None
    if demanded is not None:
        from tracechain.cli.policies import find_policy

        policy = find_policy(demanded)
    note = None if since is None else _read_note(since)
    if looks_like_bundle(ledger):
        from tracechain.cli.bundle_verdict import verify_bundle

        return verify_bundle(
            ledger, verifier=verifier, since=note, processes=processes, rules=rules, retention=policy,
            now=clock()() if by_clock else None, auditors=read_vkeys(auditors), witnesses=wanted, as_json=as_json,
        )  # fmt: skip
    begun = time.monotonic()
    with _replaying(ledger, apart=processes > 1) if rules else nullcontext() as replayed:
        with bar("verifying") as shown:
            report = verify_ledger(
                ledger, verifier=verifier, since=note, processes=processes - (rules and processes > 1),
                progress=shown.update, anchor=None if no_anchor else anchor or anchor_path(ledger), retention=policy,
                now=clock()() if by_clock else None, auditors=read_vkeys(auditors), witnesses=wanted,
            )  # fmt: skip
        if replayed is not None:
            report = with_rules(report, replayed())
    seconds = time.monotonic() - begun
    notes = list(report.notes) if rules else [f"{note} (--rules)" if note == RULES else note for note in report.notes]
    if no_anchor:
        notes.append("the anchor was not checked: a rollback to an older copy would not be seen")
    if policy is not None:
        notes.insert(0, f"what is gone was held against retention policy {policy.name}, too")
    if as_json:
        print_json(report_json(ledger, report, verifier, notes, seconds, rules=rules))
    else:
        tell_report(report, verifier, notes, seconds)
    return 0 if report else 1


def _replay(ledger: Path, progress: Callable[[int, int], None] | None = None) -> Report:
    """What a replay finds."""
    from tracechain.ledger.auditing import open_snapshot
    from tracechain.verification import verify_rules

    with open_snapshot(ledger) as snapshot:
        return verify_rules(snapshot, progress=progress)


@contextmanager
def _replaying(ledger: Path, *, apart: bool) -> Iterator[Callable[[], Report]]:
    """Gives what gets the replay's report: where it runs `apart`, in a process of its own from now on."""
    if apart:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            yield pool.submit(_replay, ledger).result
        return

    def here() -> Report:
        with bar("judging again") as shown:
            return _replay(ledger, shown.update)

    yield here


def with_rules(report: Report, found: Report) -> Report:
    """The report with what a replay found beyond it."""
    from tracechain.verification.findings import RULES

    known = {(one.code, one.index, one.subject) for one in report.findings}
    new = tuple(one for one in found.findings if (one.code, one.index, one.subject) not in known)
    return evolve(
        report,
        findings=(*report.findings, *new),
        beyond=report.beyond + found.beyond,
        notes=(*found.notes, *(note for note in report.notes if note != RULES)),
    )


def _verdict(report: Report, verifier: VerifierKey | None) -> str:
    if not report:
        return "findings"
    if verifier is None:
        return "consistent_authenticity_not_checked"
    return "verified_unwitnessed" if report.witnessed is None else "verified_witnessed"


def report_json(
    ledger: Path, report: Report, verifier: VerifierKey | None, notes: list[str], seconds: float, *, rules: bool
) -> dict[str, Any]:
    """A report for programs."""
    head = report.checkpoint
    return {
        "ledger": str(ledger),
        "good": bool(report),
        "verdict": _verdict(report, verifier),
        "authenticity": "checked" if verifier is not None else "not_checked",
        "witnessed": bool(report) and report.witnessed is not None,
        "witnesses": witnessed_json(report.witnessed),
        "rules": "judged_again" if rules else "not_judged_again",
        "size": report.size,
        "entries": report.entries,
        "rows": report.rows,
        "statements": report.statements,
        "units": report.units,
        "pruned": {"contents": report.pruned_contents, "rows": report.pruned_rows},
        "seals": {
            "right": sum(one.right is True for one in report.seals),
            "wrong": sum(one.right is False for one in report.seals),
            "not_checkable": sum(one.right is None for one in report.seals),
            "latest": None if not report.seals else _seal_json(report.seals[-1]),
        },
        "checkpoint": None if head is None else {"origin": head.origin, "size": head.size, "root": head.root.hex()},
        "findings": [
            {"code": str(f.code), "index": f.index, "subject": f.subject, "detail": f.detail} for f in report.findings
        ],
        "findings_not_listed": report.beyond,
        "notes": notes,
        "seconds": round(seconds, 3),
    }


def _seal_json(verdict: SealVerdict) -> dict[str, Any]:
    sealed = verdict.sealed
    return {
        "index": sealed.index, "receipt_time_ms": sealed.time, "size": sealed.body.size, "ids": sealed.body.ids,
        "map_root": sealed.body.map_root.hex(), "right": verdict.right, "auditors": list(verdict.auditors),
    }  # fmt: skip


def _tell_seals(seals: tuple[SealVerdict, ...]) -> None:
    """How many seals were worked out again, and what the latest right one comes to."""
    if not seals:
        return
    right = [one for one in seals if one.right]
    say(f"  {len(right):,} of {counted(len(seals), 'seal')} worked out again" + (":" if right else ""))
    if right:
        latest = right[-1]
        signed = "".join(f", and by {plain(name)}" for name in latest.auditors)
        size = latest.sealed.body.size
        say(f"    complete to {size:,} entries, at {moment(latest.sealed.time)}, as asserted by the ledger{signed}")


def tell_report(report: Report, verifier: VerifierKey | None, notes: list[str], seconds: float) -> None:
    """A report for people: the verdict, findings, what was checked, and what was not."""
    from tracechain.verification.rules import JUDGED

    if report.findings:
        from rich.table import Table

        total = len(report.findings) + report.beyond
        say(styled(f"✗ {total:,} finding{'s' if total != 1 else ''} in {report.size:,} entries", "bad"))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("code", style="red", no_wrap=True)
        table.add_column("entry", justify="right", style="cyan", no_wrap=True)
        table.add_column("what was found", overflow="fold")
        for finding in report.findings[:100]:
            about = f"{human(finding.subject)}: " if finding.subject else ""
            index = "" if finding.index is None else f"{finding.index:,}"
            table.add_row(str(finding.code), index, about + plain(finding.detail))
        console().print(table)
        if total > 100:
            say(f"and {total - min(100, len(report.findings)):,} more (--json lists up to 1,000)", "warn")
    elif verifier is not None:
        say(styled(f"✓ VERIFIED, {witnessed_verdict(report.witnessed, report.size)}", "good"))
    else:
        seen = witnessed_verdict(report.witnessed, report.size)
        say(styled(f"~ CONSISTENT, AUTHENTICITY NOT CHECKED, {seen}", "warn"))
    say(
        f"  {report.entries:,} entries, {report.rows:,} rows, {report.statements:,} statements, {report.units:,} units"
        f" in {seconds:.1f} s"
    )
    if report.pruned_contents or report.pruned_rows:
        say(f"  pruned lawfully: {report.pruned_contents:,} contents, the rows of {report.pruned_rows:,} entries")
    _tell_seals(report.seals)
    if report.checkpoint is not None:
        say(f"  checkpoint {plain(report.checkpoint.origin)}, size {report.checkpoint.size:,}")
        say(f"  root {report.checkpoint.root.hex()}", "dim")
    if verifier is not None:
        say(f"  signed by {plain(verifier.name)}, key id {verifier.key_id.hex()}")
    if report.witnessed is not None:
        tell_witnessed(report.witnessed)
    for note in notes:
        say_wrapped(plain(note), 2, None if note == JUDGED or "held against retention" in note else "warn")
