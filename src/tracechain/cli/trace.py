"""`tracechain trace`: the chain of one code as a timeline, with the verdict of each link."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain import custody, identifiers
from tracechain.cli.entries import event_line, event_name, event_time, human, register_title, to_json
from tracechain.cli.keyfiles import read_vkey
from tracechain.cli.output import clock_time, console, json_option, moment, plain, print_json, say, styled
from tracechain.errors import InputError
from tracechain.event import Event
from tracechain.record import Record

if TYPE_CHECKING:
    from tracechain.verification import Link, UnitReport
    from tracechain.view import View

__all__ = ["trace"]

_MOST_SEARCHED = 2_000_000  # ids looked through for one that was perhaps meant


def _state(number: int) -> str:
    try:
        state = custody.unpack_state(number)
    except InputError:
        return f"state {number}"
    return ", ".join((state.custody.name.lower(), *state.flags()))


def _perhaps_meant(view: View, code: str) -> list[str]:
    """Known ids that an unknown one is near to: of the same product, or else of any."""
    head, _ = identifiers.split(code)

    def known(*, same: bool) -> Iterator[str]:
        for subject, _ in islice(view.units(), _MOST_SEARCHED):
            if not subject.startswith("urn:tracechain:") and subject.startswith(head) is same:
                yield subject

    return identifiers.nearest(code, known(same=True)) or identifiers.nearest(code, known(same=False))


@click.command(short_help="Show what happened to a code.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("code")
@click.option("--key", metavar="VKEY|FILE", help="The log's verifier key, as you know it from outside the ledger.")
@json_option
def trace(ledger: Path, code: str, key: str | None, as_json: bool) -> int:
    """Show what happened to CODE (any spelling), oldest first, each link checked.

    Exits with 1 for a code that is not in the ledger, and when a link does not hold.
    """
    from tracechain.ledger import Ledger
    from tracechain.verification import verify_unit

    subject = code if code.startswith("urn:tracechain:") else identifiers.canonical(code)
    verifier = read_vkey(key)
    with Ledger.open(ledger) as opened, opened.snapshot() as snapshot:
        report = verify_unit(snapshot, subject, verifier=verifier)
        hints = _perhaps_meant(snapshot, subject) if report.unit is None and not report.links else []
    if as_json:
        print_json(_as_json(report, code, hints, key_given=verifier is not None))
    elif report.unit is None and not report.links:
        say(f"{styled('?', 'warn')} {human(subject)} is not in this ledger")
        if hints:
            say("  perhaps one of these was meant:")
            for hint in hints:
                say(f"    {human(hint)}")
        _tell_findings(report)
    else:
        _tell(report, key_given=verifier is not None)
    return 0 if report and report.links else 1


def _as_json(report: UnitReport, code: str, hints: list[str], *, key_given: bool) -> dict[str, Any]:
    return {
        "code": code,
        "subject": report.subject,
        "known": report.unit is not None,
        "state": None if report.unit is None else _state(report.unit.state),
        "last_index": None if report.unit is None else report.unit.last,
        "good": bool(report) and bool(report.links),
        "authenticity": "checked" if key_given else "not_checked",
        "nearest": hints,
        "links": [
            {
                "index": link.index,
                "good": not link.findings,
                "receipt_time_ms": None if link.header is None else link.header.time,
                "type": None if link.header is None else link.header.type.name.lower(),
                "name": event_name(link.content) if isinstance(link.content, Event) else None,
                "event_time": event_time(link.content) if isinstance(link.content, Event) else None,
                "state": None if link.row is None else _state(link.row.state),
                "violations": [] if link.row is None else [custody.describe(v) for v in link.row.violations],
                "previous": None if link.row is None else link.row.previous,
                "author": None if link.author is None else link.author[0],
                "author_key_hash": None if link.author is None else link.author[1].hex(),
                "content": to_json(link.content),
                "findings": [{"code": str(f.code), "detail": f.detail} for f in link.findings],
            }
            for link in report.links
        ],
        "findings": [
            {"code": str(f.code), "index": f.index, "subject": f.subject, "detail": f.detail} for f in report.findings
        ],
    }


def _tell(report: UnitReport, *, key_given: bool) -> None:
    if report.unit is None:
        state = "not in the index"
    else:
        # What is registered has versions and no custody.
        state = "a register" if report.subject.startswith("urn:tracechain:") else _state(report.unit.state)
    bad = sum(1 for link in report.links if link.findings)
    count = f"{len(report.links)} link{'s' if len(report.links) != 1 else ''}"
    say(f"{styled(human(report.subject), 'bold')}   {state}   {count}")
    for link in report.links:
        say("│", "dim")
        _tell_link(link, report.subject)
    say("")
    if bad or report.findings:
        loose = [f for f in report.findings if not any(f in link.findings for link in report.links)]
        for finding in loose:
            say(f"{styled('✗', 'bad')} {finding.code}: {plain(finding.detail)}")
        say(
            styled(
                f"✗ {bad} of {count} do not hold" if bad else "✗ the chain stands, the log around it does not", "bad"
            )
        )
    else:
        say(f"{styled('✓', 'good')} every link holds, in the signed tree, from the first to the last")
    if not key_given:
        say("  authenticity was checked only against the key that the ledger names itself: give --key", "warn")


def _tell_link(link: Link, subject: str) -> None:
    mark = styled("✗", "bad") if link.findings else styled("✓", "good")
    header, content = link.header, link.content
    if isinstance(content, Event):
        when, name = clock_time(content.event_time, content.time_zone_offset), event_name(content)
        lines = event_line(content, subject)
    else:
        when = moment(header.time) if header is not None else "time unknown"
        kind = "entry" if header is None else header.type.name.lower().replace("_", " ")
        name = plain(content.kind) if isinstance(content, Record) else kind
        title = register_title(content) if isinstance(content, Record) else ""
        lines = [title] if title else []
    say(f"{mark} {when}  {styled(name, 'bold')}  {styled(f'entry {link.index:,}', 'dim')}")
    if link.author is not None:
        lines.append(f"stated by {plain(link.author[0])}")
    room = max(40, console().width) - 4
    for line in textwrap.wrap(" · ".join(lines), room, break_long_words=False, break_on_hyphens=False):
        say(f"{styled('│', 'dim')}   {line}")
    for code in () if link.row is None else link.row.violations:
        say(f"{styled('│', 'dim')}   {styled(f'! {custody.describe(code)}', 'warn')}")
    for finding in link.findings:
        say(f"{styled('│', 'dim')}   {styled(f'✗ {finding.code}', 'bad')}: {plain(finding.detail)}")


def _tell_findings(report: UnitReport) -> None:
    for finding in report.findings:
        say(f"{styled('✗', 'bad')} {finding.code}: {plain(finding.detail)}")
