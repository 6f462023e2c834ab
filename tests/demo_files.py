"""The files of the demo's day, for tests: in order, and read as the program reads them."""

from __future__ import annotations

import io

from tracechain.demo import Day, DayFile
from tracechain.event import Event
from tracechain.formats.epcis import parse_document
from tracechain.formats.scans import iter_csv, iter_jsonl

__all__ = ["all_files", "read"]


def all_files(day: Day) -> list[DayFile]:
    """In the order in which they go into the ledger."""
    return sorted([*day.files, *(file for station in day.stations for file in station.files)], key=lambda f: f.name)


def read(file: DayFile) -> list[Event]:
    if file.format == "CSV":
        return list(iter_csv(io.BytesIO(file.data), file.name))
    if file.format == "JSON Lines":
        return list(iter_jsonl(io.BytesIO(file.data), file.name))
    return list(parse_document(file.data, file.name))
