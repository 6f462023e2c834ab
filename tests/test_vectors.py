"""The vector files are what their generator makes: a change of the format shows up as a changed file in
review."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

VECTORS = Path(__file__).parent / "vectors"


def test_the_vectors_are_as_generated() -> None:
    result = subprocess.run(
        [sys.executable, VECTORS / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_vector_says_what_it_shows() -> None:
    for path in VECTORS.glob("*.json"):
        case = json.loads(path.read_text("utf-8"))
        assert case["about"].endswith("."), path.name
        assert case["kind"], path.name
