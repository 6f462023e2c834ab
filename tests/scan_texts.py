"""Rows of scan files in tests: one row, one file, one refusal."""

from __future__ import annotations

import csv
import io

import pytest

from tracechain.event import Event
from tracechain.formats.scans import ScanError, Skip, iter_csv, iter_jsonl

PACK = "010952123400107221BJ0001"
PACK_ID = "01/09521234001072/21/BJ0001"
OTHER = "010952123400107221BJ0002"
TIME = "2026-11-21T08:30:00+08:00"


def read(text: str | bytes, skip: Skip | None = None) -> list[Event]:
    data = text.encode() if isinstance(text, str) else text
    return list(iter_csv(io.BytesIO(data), "scans.csv", skip))


def read_json(text: str | bytes, skip: Skip | None = None) -> list[Event]:
    data = text.encode() if isinstance(text, str) else text
    return list(iter_jsonl(io.BytesIO(data), "scans.jsonl", skip))


def one(**fields: str) -> Event:
    """The event of one row with these columns."""
    row = {"event": "receive", "time": TIME, "code": PACK} | fields
    out = io.StringIO()
    writer = csv.DictWriter(out, list(row))
    writer.writeheader()
    writer.writerow(row)
    (event,) = read(out.getvalue())
    return event


def refused(text: str | bytes, *said: str) -> ScanError:
    with pytest.raises(ScanError) as caught:
        read(text)
    for words in said:
        assert words in str(caught.value)
    return caught.value
