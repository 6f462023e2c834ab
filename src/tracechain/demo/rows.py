"""Rows of scan files (docs/scan-files.md), as CSV and as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable

from attrs import fields, frozen

from tracechain.demo.world import BEIJING
from tracechain.event import format_time

__all__ = ["Row", "format_csv", "format_jsonl"]


@frozen
class Row:
    """One scan: `time` in nanoseconds since 1970 UTC, the rest as it stands in the file."""

    event: str
    time: int
    code: str
    group: str = ""
    parent: str = ""
    place: str = ""
    location: str = ""
    lot: str = ""
    doc: str = ""


COLUMNS = tuple(one.name for one in fields(Row))


def format_csv(rows: Iterable[Row]) -> str:
    """The rows under a header line; no value here needs quotes."""
    lines = [",".join(COLUMNS)]
    last, stamp = -1, ""
    for row in rows:
        if row.time != last:
            last, stamp = row.time, format_time(row.time, BEIJING)
        lines.append(
            f"{row.event},{stamp},{row.code},{row.group},{row.parent},{row.place},{row.location},{row.lot},{row.doc}"
        )
    return "\n".join(lines) + "\n"


def format_jsonl(rows: Iterable[Row]) -> str:
    """One object a line; empty fields are left out."""
    lines = []
    for row in rows:
        body = {name: getattr(row, name) for name in COLUMNS if getattr(row, name) != ""}
        body["time"] = format_time(row.time, BEIJING)
        lines.append(json.dumps(body, ensure_ascii=False))
    return "\n".join(lines) + "\n"
