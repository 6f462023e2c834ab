"""All inclusion and consistency proofs to 1,024 leaves against the model, each hash of each proof
corrupted."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

# The model and the sweeps are those of tests/test_merkle.py, which is not on the path when only this folder
# runs.
_spec = importlib.util.spec_from_file_location("merkle_model", Path(__file__).parents[1] / "test_merkle.py")
assert _spec
assert _spec.loader
model = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(model)

PARTS = 16


@pytest.mark.torture
@pytest.mark.parametrize("part", range(PARTS))
def test_all_inclusion_proofs_to_1024_leaves(part: int) -> None:
    for size in range(1 + part, model.FULL + 1, PARTS):
        for index in range(size):
            model.sweep_inclusion(size, index, corrupt=True)


@pytest.mark.torture
@pytest.mark.parametrize("part", range(PARTS))
def test_all_consistency_proofs_to_1024_leaves(part: int) -> None:
    for new in range(part, model.FULL + 1, PARTS):
        for old in range(new + 1):
            model.sweep_consistency(new, old, corrupt=True)
