"""The steps of a history: for people, for programs, and as rows of a spreadsheet.

A step of the subject's own chain comes with its link, which was checked down to the author's signature; one that it
shares with a container or another code was held against the signed tree.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from tracechain import custody
from tracechain.cli.entries import event_line, event_name, event_time, human, register_title
from tracechain.cli.output import clock_time, console, moment, plain, say, styled
from tracechain.cli.subjects import state_words
from tracechain.event import Event, format_time
from tracechain.record import Record

if TYPE_CHECKING:
    from tracechain.tracing import Step, Trace
    from tracechain.verification import Finding, Link, UnitReport

__all__ = ["CSV_HEADER", "Line", "lines_of", "tell_line"]

CSV_HEADER = (
    "time", "received", "entry", "event", "relation", "subject", "via", "place", "state", "violations", "voided_by",
    "author", "verifies", "findings",
)  # fmt: skip

#: Whose container it was, where it was another code's.
_OTHERS = {"before": "what it was made of", "after": "what was made of it"}


@frozen
class Line:
    """One line of a history: the step as tracing tells it, and the link of the subject's own chain. One of them is
    there at least. `author` is the label of who stated it, None where that does not stand, or nobody did."""

    step: Step | None
    link: Link | None
    author: str | None

    @property
    def index(self) -> int:
        """The entry."""
        if self.link is not None:
            return self.link.index
        assert self.step is not None
        return self.step.index

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the entry, each code once."""
        found = () if self.link is None else self.link.findings
        codes = {one.code for one in found}
        return (*found, *(one for one in (() if self.step is None else self.step.findings) if one.code not in codes))

    @property
    def content(self) -> Event | Record | None:
        """What the entry says, if it can be read."""
        if self.link is not None:
            return self.link.content
        return None if self.step is None else self.step.event

    @property
    def received(self) -> int | None:
        """Receipt time, ms."""
        if self.step is not None:
            return self.step.received
        return None if self.link is None or self.link.header is None else self.link.header.time

    @property
    def violations(self) -> tuple[int, ...]:
        """The rules it broke, of this subject."""
        if self.step is not None:
            return self.step.violations
        return () if self.link is None or self.link.row is None else self.link.row.violations

    @property
    def name(self) -> str:
        """What to call it."""
        content = self.content
        if isinstance(content, Event):
            return event_name(content)
        if isinstance(content, Record):
            return plain(content.kind)
        header = None if self.link is None else self.link.header
        return "entry" if header is None else header.type.name.lower().replace("_", " ")

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        step, content = self.step, self.content
        return {
            "index": self.index,
            "good": not self.findings,
            "name": self.name,
            "event_time": event_time(content) if isinstance(content, Event) else None,
            "receipt_time_ms": self.received,
            "relation": "own" if step is None else step.relation,
            "subject": None if step is None else step.subject,
            "via": [] if step is None else list(step.via),
            "place": None if step is None else step.place,
            "state": None if step is None else state_words(step.state, step.subject),
            "violations": [custody.describe(code) for code in self.violations],
            "voided_by": None if step is None else step.voided,
            "declares_error": step is not None and step.declares,
            "author": self.author,
            "author_key_id": None if step is None or not any(step.author) else step.author.hex(),
            "findings": [{"code": str(one.code), "detail": one.detail} for one in self.findings],
        }

    def row(self) -> tuple[object, ...]:
        """For --csv: the cells under CSV_HEADER."""
        said = self.as_json()
        received = None if self.received is None else format_time(self.received * 1_000_000, 0)
        return (
            said["event_time"], received, self.index, self.name, said["relation"], said["subject"],
            " > ".join(said["via"]), said["place"], said["state"], " ".join(said["violations"]), said["voided_by"],
            self.author, not self.findings, " ".join(one["code"] for one in said["findings"]),
        )  # fmt: skip


def lines_of(report: UnitReport, trace: Trace, labels: Mapping[bytes, str], as_of: int | None) -> list[Line]:
    """The steps of a trace with the links of the subject's own chain; before them the links that have no step, for a
    chain that is damaged. `labels` are the authors' by the ids of their keys."""
    links = {link.index: link for link in report.links}
    lines = []
    for step in trace.steps:
        link = links.pop(step.index, None) if step.relation == "own" else None
        # What is known of an own link's author was checked; of any other the header names him, under the signed tree.
        author = labels.get(step.author) if link is None else None if link.author is None else link.author[0]
        lines.append(Line(step, link, author))
    loose = [link for link in links.values() if as_of is None or not _after(link, as_of)]
    return [*(Line(None, link, None if link.author is None else link.author[0]) for link in loose), *lines]


def _after(link: Link, as_of: int) -> bool:
    content = link.content
    if isinstance(content, Event):
        return content.event_time > as_of
    return link.header is not None and link.header.time * 1_000_000 > as_of


def tell_line(line: Line, subject: str) -> None:
    """A step for people: when and what, and below it all that it says."""
    mark = styled("✗", "bad") if line.findings else styled("✓", "good")
    content = line.content
    if isinstance(content, Event):
        when = clock_time(content.event_time, content.time_zone_offset)
    else:
        when = "time unknown" if line.received is None else moment(line.received)
    say(f"{mark} {when}  {styled(line.name, 'bold')}  {styled(f'entry {line.index:,}', 'dim')}")
    room = max(40, console().width) - 4
    for text in textwrap.wrap(
        " · ".join(_said(line, subject)), room, break_long_words=False, break_on_hyphens=False
    ):  # fmt: skip
        say(f"{styled('│', 'dim')}   {text}")
    if line.step is not None and line.step.voided is not None:
        say(f"{styled('│', 'dim')}   {styled(f'! declared an error by entry {line.step.voided:,}', 'warn')}")
    for code in line.violations:
        say(f"{styled('│', 'dim')}   {styled(f'! {custody.describe(code)}', 'warn')}")
    for finding in line.findings:
        say(f"{styled('│', 'dim')}   {styled(f'✗ {finding.code}', 'bad')}: {plain(finding.detail)}")


def _said(line: Line, subject: str) -> Iterator[str]:
    step, content = line.step, line.content
    if step is not None and step.relation in _OTHERS:
        yield _OTHERS[step.relation] if step.via else f"as {human(step.subject)}"
    if step is not None and step.via:
        yield " ".join(f"in {human(one)}" for one in step.via)
    if isinstance(content, Event):
        yield from event_line(content, subject if step is None else step.subject)
    elif isinstance(content, Record) and (title := register_title(content)):
        yield title
    if line.author is not None:
        yield f"stated by {plain(line.author)}"
