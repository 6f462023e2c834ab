"""Thousands of kills and failing calls: `make torture`. TRACECHAIN_TORTURE_POINTS says how many (2000)."""

from __future__ import annotations

import collections
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("points.py")
POINTS = int(os.environ.get("TRACECHAIN_TORTURE_POINTS", "2000"))
SEED = int(os.environ.get("TRACECHAIN_TORTURE_SEED", "1"))


@pytest.mark.torture
@pytest.mark.timeout(6 * 3600)
def test_kills_and_failing_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shares = {"kill": POINTS - POINTS // 2, "fail": POINTS // 2}
    running = {
        kind: subprocess.Popen(
            [sys.executable, str(PROGRAM), "--folder", str(tmp_path / kind), "--kind", kind,
             "--points", str(points), "--seed", str(SEED)],
            stdout=subprocess.PIPE, text=True,
        )
        for kind, points in shares.items()
    }  # fmt: skip
    outcomes: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    for kind, process in running.items():
        said, _ = process.communicate()
        assert process.returncode == 0, kind
        result = json.loads(said.splitlines()[-1])
        if "unavailable" in result:
            pytest.skip(result["unavailable"])
        outcomes.update({f"{kind}: {name}": number for name, number in result["outcomes"].items()})
        failures += result["failures"]
    with capsys.disabled():
        print(
            f"\ncrash torture: {sum(outcomes.values())} points, {len(failures)} failures;",
            dict(sorted(outcomes.items())),
        )
    assert failures == [], "\n\n".join(failures)
    assert sum(outcomes.values()) == POINTS
