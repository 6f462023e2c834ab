"""`tracechain trace`: the whole history of one code as a timeline, with the verdict of each entry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain import custody
from tracechain.cli.clock import clock
from tracechain.cli.entries import event_name, event_time, human, to_json
from tracechain.cli.keyfiles import read_vkey
from tracechain.cli.moments import claimed_nanos, claimed_option
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import (
    BEIJING,
    clock_time,
    counted,
    json_option,
    plain,
    print_json,
    say,
    styled,
    waiting,
)
from tracechain.cli.results import csv_option, html_options, names_of, write_csv, write_page
from tracechain.cli.steps import CSV_HEADER, Line, lines_of, tell_line
from tracechain.cli.subjects import (
    canonical,
    perhaps_meant,
    state_words,
    tell_unknown,
    tell_unresolved,
    unresolved_json,
)
from tracechain.event import Event, format_time

if TYPE_CHECKING:
    from tracechain.tracing import Trace, Whereabouts
    from tracechain.verification import Finding, UnitReport

__all__ = ["trace"]

_MOST_LISTED = 20


@click.command(short_help="Show what happened to a code.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("code")
@click.option("--key", metavar="VKEY|FILE", help="The log's verifier key, as you know it from outside the ledger.")
@claimed_option
@csv_option
@html_options
@json_option
def trace(
    ledger: Path, code: str, key: str | None, as_of: str | None, csv_file: Path | None, html_file: Path | None,
    lang: str, as_json: bool,
) -> int:  # fmt: skip
    """Show what happened to CODE (any spelling), oldest first, each entry checked: itself, in the containers that it
    was in, and under the codes that it was made of or made into.

    Exits with 1 for a code that is not in the ledger, and when a link does not hold.
    """
    from tracechain.tracing import Tracer
    from tracechain.verification import verify_unit

    subject = canonical(code)
    verifier = read_vkey(key)
    until = claimed_nanos(as_of)
    with open_to_read(ledger) as opened, waiting("following its entries"):
        snapshot = opened.view
        report = verify_unit(snapshot, subject, verifier=verifier)
        tracer = Tracer(snapshot, verifier=verifier)
        told = tracer.trace(subject, until)
        where = tracer.whereabouts(subject, until)
        known = bool(report.links) or report.unit is not None
        hints = [] if known else perhaps_meant(snapshot, subject)
        authors = opened.authors()
        labels = {author.key.id: author.label for author in authors}
        names = {} if html_file is None else names_of(snapshot, lang, authors)
    answer = _Answer(report, told, where, lines_of(report, told, labels, until), until)
    if csv_file is not None:
        write_csv(csv_file, CSV_HEADER, (line.row() for line in answer.lines))
    if html_file is not None:
        from tracechain.report import timeline_page

        write_page(html_file, timeline_page(told, where, names=names, made_at=clock()(), language=lang))
    if as_json:
        print_json(answer.as_json(code, hints, key_given=verifier is not None))
    elif not known:
        tell_unknown(subject, hints)
        for finding in report.findings:
            _tell_finding(finding)
    else:
        answer.tell(key_given=verifier is not None)
    return 0 if known and answer.good else 1


class _Answer:
    """A history with all that was found, in the forms that are asked for."""

    def __init__(
        self, report: UnitReport, trace: Trace, where: Whereabouts, lines: list[Line], as_of: int | None
    ) -> None:
        self.report = report
        self.trace = trace
        self.where = where
        self.lines = lines
        self.as_of = as_of
        known = {(finding.code, finding.index) for finding in report.findings}
        self.findings = (*report.findings, *(f for f in trace.findings if (f.code, f.index) not in known))
        #: The subject's own links, of all that were checked those that are shown.
        self.links = sorted(
            (line.link for line in lines if line.link is not None), key=lambda link: link.index
        )  # fmt: skip

    @property
    def good(self) -> bool:
        """Whether everything holds."""
        return not self.findings and bool(self.report.links)

    def as_json(self, code: str, hints: list[str], *, key_given: bool) -> dict[str, Any]:
        """For --json."""
        report, unit = self.report, self.report.unit if self.as_of is None else self.where.unit
        trace = self.trace
        return {
            "code": code,
            "subject": report.subject,
            "known": report.unit is not None,
            "as_of": None if self.as_of is None else format_time(self.as_of, BEIJING),
            "state": None if unit is None else state_words(unit.state),
            "last_index": None if unit is None else unit.last,
            "good": self.good,
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
                    "state": None if link.row is None else state_words(link.row.state),
                    "violations": [] if link.row is None else [custody.describe(v) for v in link.row.violations],
                    "previous": None if link.row is None else link.row.previous,
                    "author": None if link.author is None else link.author[0],
                    "author_key_hash": None if link.author is None else link.author[1].hex(),
                    "content": to_json(link.content),
                    "findings": [{"code": str(f.code), "detail": f.detail} for f in link.findings],
                }
                for link in self.links
            ],
            "steps": [line.as_json() for line in self.lines],
            "stays": [
                {
                    "container": stay.container,
                    "from": {"time": format_time(stay.begin[0], BEIJING), "index": stay.begin[1]},
                    "to": None if stay.end is None
                    else {"time": format_time(stay.end[0], BEIJING), "index": stay.end[1]},
                }
                for stay in trace.stays
            ],
            "kin": [{"code": kin.code, "relation": kin.relation, "index": kin.index} for kin in trace.kin],
            "unresolved": unresolved_json(trace.unresolved),
            "findings": [
                {"code": str(f.code), "index": f.index, "subject": f.subject, "detail": f.detail}
                for f in self.findings
            ],
        }  # fmt: skip

    def tell(self, *, key_given: bool) -> None:
        """For people."""
        unit = self.report.unit if self.as_of is None else self.where.unit
        subject = self.report.subject
        if unit is not None:
            state = state_words(unit.state, subject)
        else:
            state = "not in the index" if self.as_of is None else "not known yet"
        count = counted(len(self.links), "link")
        say(f"{styled(human(subject), 'bold')}   {state}   {count}")
        for line in self.lines:
            say("│", "dim")
            tell_line(line, subject)
        say("")
        self._tell_containers()
        for kin in self.trace.kin[:_MOST_LISTED]:
            say(f"  {kin.relation.replace('_', ' ')} {human(kin.code)} in entry {kin.index:,}")
        _tell_more(len(self.trace.kin), "codes")
        tell_unresolved(self.trace.unresolved, subject)
        self._tell_verdict(count)
        if not key_given:
            say("  authenticity was checked only against the key that the ledger names itself: give --key", "warn")

    def _tell_containers(self) -> None:
        stays = self.trace.stays
        for stay in stays[-_MOST_LISTED:]:
            begin, end = clock_time(stay.begin[0], BEIJING), stay.end
            times = f"since {begin}" if end is None else f"from {begin} to {clock_time(end[0], BEIJING)}"
            say(f"  in {human(stay.container)} {times}")
        _tell_more(len(stays), "containers before")

    def _tell_verdict(self, count: str) -> None:
        bad = sum(1 for link in self.links if link.findings)
        others = [line for line in self.lines if line.link is None]
        broken = sum(1 for line in others if line.findings)
        shown = {(f.code, f.index) for line in self.lines for f in line.findings}
        for finding in self.findings:
            if (finding.code, finding.index) not in shown:
                _tell_finding(finding)
        if bad:
            say(styled(f"✗ {bad} of {count} do not hold", "bad"))
        elif self.report.findings:
            say(styled("✗ the chain stands, the log around it does not", "bad"))
        else:
            say(f"{styled('✓', 'good')} every link holds, in the signed tree, from the first to the last")
        if broken:
            say(styled(f"✗ {broken} of {len(others)} entries of containers and other codes do not hold", "bad"))
        elif others:
            words = "entry of a container or another code is" if len(others) == 1 else (
                "entries of containers and other codes are"
            )  # fmt: skip
            say(f"{styled('✓', 'good')} {len(others):,} {words} in the signed tree as well")


def _tell_more(count: int, what: str) -> None:
    if count > _MOST_LISTED:
        say(f"  and {count - _MOST_LISTED:,} more {what} (--json lists them all)", "dim")


def _tell_finding(finding: Finding) -> None:
    say(f"{styled('✗', 'bad')} {finding.code}: {plain(finding.detail)}")
