"""The disk is full or broken at any write, sync or rename: an error, poisoned, nothing acknowledged lost.

The short version; `make torture` runs thousands of points. See torture/points.py for how it works.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from test_crash import run_points, share


@pytest.mark.parametrize(
    ("scenarios", "points", "seed", "failed"),
    [
        ("append", 30, 1, ("append failed", "submit failed")),
        ("threads,pair", 20, 2, ("append failed",)),
        ("reindex,backup", 40, 3, ("append failed", "backup failed")),
        ("create,restore", 40, 4, ("create failed",)),
        ("compact", 40, 5, ("compact failed", "compact vault failed")),
        ("erase", 40, 6, ("erase failed",)),
        ("prune", 30, 7, ("prune failed",)),
    ],
)
def test_a_call_fails(tmp_path: Path, scenarios: str, points: int, seed: int, failed: tuple[str, ...]) -> None:
    outcome = run_points(tmp_path, "fail", scenarios, points, seed)
    # Which thread comes first decides whether a call that was counted comes at all.
    assert share(outcome, "failed") > 0.6, f"too few points did what they are for: {outcome}"
    for words in failed:
        assert share(outcome, words), f"no point where {words}: {outcome}"
