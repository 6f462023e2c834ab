"""The files that scanners and systems leave behind, and what is in them, counted as they are made."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import Factory, define, frozen

from tracechain.custody import Violation
from tracechain.demo.rows import Happening, format_csv, format_jsonl
from tracechain.demo.world import MINUTE
from tracechain.event import AggregationEvent, Event
from tracechain.formats.epcis import format_document, format_json

__all__ = ["Breach", "Count", "DayFile", "StepCount", "document", "scan_file"]


@frozen
class DayFile:
    """One file of scans: who wrote it (`source`), its `format`, and what is in it: events, and packs named in them.

    `received` is when the ledger gets it, by the clock of the story: nanoseconds since 1970 UTC, never before what the
    file tells, and never earlier than that of a file that goes in before.
    """

    name: str
    source: str
    format: str
    data: bytes
    events: int
    scans: int
    received: int


@define
class StepCount:
    """How often a step occurs: events, packs named in them, events of exactly one pack, containers named."""

    events: int = 0
    scans: int = 0
    single: int = 0
    containers: int = 0

    def add(self, packs: int, containers: int) -> None:
        """Count one event."""
        self.events += 1
        self.scans += packs
        self.single += packs == 1 and not containers
        self.containers += containers


@define
class Count:
    """Adds up what goes into the files."""

    steps: dict[str, StepCount] = Factory(dict)

    def add(self, step: str, packs: int, containers: int) -> None:
        """Count one event of `step`."""
        self.steps.setdefault(step, StepCount()).add(packs, containers)


@frozen
class Breach:
    """A pack or container (`subject`, canonical id) that breaks `codes`, in one event of `file`; `story` says how."""

    file: str
    story: str
    subject: str
    codes: tuple[Violation, ...]


def scan_file(
    name: str, source: str, happenings: Iterable[Happening], count: Count, received: int | None = None
) -> DayFile:
    """Happenings as a scan file, in order of time; received two minutes after the last of them unless that is said."""
    told = sorted(happenings, key=lambda happening: happening.time)
    scans = 0
    for one in told:
        scans += one.packs
        count.add(one.event, one.packs, len(one.codes) - one.packs + bool(one.parent))
    lines = name.endswith(".jsonl")
    text = format_jsonl(told) if lines else format_csv(told)
    if received is None:
        received = told[-1].time + 2 * MINUTE
    return DayFile(name, source, "JSON Lines" if lines else "CSV", text.encode(), len(told), scans, received)


def document(name: str, source: str, told: Iterable[tuple[str, Event]], count: Count, received: int) -> DayFile:
    """(step, event) pairs as an EPCIS 2.0 document."""
    events, scans = [], 0
    for step, event in told:
        packs = sum(one.startswith("01/") for one in event.epcs)
        parent = isinstance(event, AggregationEvent)
        count.add(step, packs, len(event.epcs) - packs + parent)
        scans += packs
        events.append(event)
    text = format_json(format_document(events)) + "\n"
    return DayFile(name, source, "EPCIS 2.0", text.encode(), len(events), scans, received)
