"""A process is killed at any point of its work on a ledger: what it acknowledged is there, and nothing is half there.

The short version; `make torture` runs thousands of points. See torture/points.py for how it works.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parent / "torture" / "points.py"


def run_points(folder: Path, kind: str, scenarios: str, points: int, seed: int) -> dict[str, Any]:
    command = [
        sys.executable, str(PROGRAM), "--folder", str(folder / "points"), "--kind", kind,
        "--scenarios", scenarios, "--points", str(points), "--seed", str(seed),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "unavailable" in outcome:
        pytest.skip(outcome["unavailable"])
    assert outcome["failures"] == [], "\n\n".join(outcome["failures"])
    assert outcome["points"] == points
    return outcome


def share(outcome: dict[str, Any], words: str) -> float:
    outcomes: dict[str, int] = outcome["outcomes"]
    return sum(n for said, n in outcomes.items() if words in said) / sum(outcomes.values())


@pytest.mark.parametrize(
    ("scenarios", "points", "seed"),
    [
        ("append", 30, 1),
        ("threads", 20, 2),
        ("pair", 15, 3),
        ("reindex,backup", 25, 4),
        ("create,restore", 30, 5),
        ("compact,compact-pair", 40, 8),
        ("erase", 40, 9),
        ("prune", 30, 10),
        ("pilot,pilot-reindex,pilot-threads", 30, 7),
    ],
)
def test_killed_at_a_system_call_or_at_random(tmp_path: Path, scenarios: str, points: int, seed: int) -> None:
    outcome = run_points(tmp_path, "kill", scenarios, points, seed)
    assert share(outcome, "killed") > 0.6, f"too few points did what they are for: {outcome}"


def test_what_is_killed_has_acknowledged_something_before(tmp_path: Path) -> None:
    # Otherwise "nothing acknowledged was lost" would be easy to say.
    outcome = run_points(tmp_path, "kill", "append", 20, 6)
    assert share(outcome, "some acknowledged") > 0.3, outcome
