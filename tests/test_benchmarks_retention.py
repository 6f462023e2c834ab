"""The benchmark of retention runs, and what it plans is what it says."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))  # they are scripts, and no package

from retention import build, retention
from scale import Scale
from tracechain.ledger import Ledger
from tracechain.retention.dates import parse_day
from tracechain.retention.plan import plan


def test_it_runs_on_a_small_ledger(tmp_path: Path) -> None:
    section = retention(tmp_path, Scale(0, 0, 1, (160,)))
    assert len(section.lines) == 8
    path = build(tmp_path, 160)
    with Ledger.open(path) as ledger, ledger.snapshot() as view:
        counts = [plan(view, as_of=parse_day(day)).content_count for day in ("2027-06-01", "2036-01-01")]
    assert counts == [0, 160]
