"""The model test at length: 2,000 runs of 80 steps."""

from __future__ import annotations

import pytest
from hypothesis import settings

from test_model import LedgerMachine  # tests/ is on the path, by its conftest.py


class FullMachine(LedgerMachine):
    """A class of its own, so that its settings are."""


TestModelFull = pytest.mark.timeout(7200)(pytest.mark.torture(FullMachine.TestCase))
TestModelFull.settings = settings(max_examples=2_000, stateful_step_count=80)
