"""Frozen bundles of each format version: library and script come to the verdict that was written down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundle_samples import Brought
from bundle_verdicts import by_library, by_process, by_script

BUNDLES = Path(__file__).parent / "vectors" / "bundles"
CASES = sorted(BUNDLES.glob("v*.json"))


def test_there_are_some_and_each_has_its_bundle() -> None:
    assert len(CASES) >= 20
    assert {path.stem for path in BUNDLES.glob("v*.zip")} == {path.stem for path in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_frozen_bundle(case: Path, tmp_path: Path) -> None:
    said = json.loads(case.read_text("utf-8"))
    assert said["about"].endswith(".")
    bundle = tmp_path / f"{case.stem}.zip"
    bundle.write_bytes(case.with_suffix(".zip").read_bytes())
    brought = Brought(**said["brought"])
    first = None if said["first"] is None else tuple(said["first"])
    for check in (by_library, by_script, by_process) if case.stem.count("-") == 1 else (by_library, by_script):
        assert check(bundle, brought).said == (said["outcome"], said["exit"], first)
