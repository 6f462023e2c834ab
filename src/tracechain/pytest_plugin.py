"""The pytest plugin: fixtures for code that uses tracechain. pytest finds it by itself once tracechain is installed.

    def test_a_scan_is_recorded(tracechain_ledger):
        receipt = tracechain_ledger.append(commission(3))
        assert receipt.count == 3

- `tracechain_clock`: a `testing.Clock` that stands still until the test moves it.
- `tracechain_random`: a `testing.Random`, so that salts and thereby all hashes are the same in each run.
- `tracechain_keys`: `testing.Keys`, one fixed signer a role.
- `tracechain_ledger`: a new ledger in the test's `tmp_path`, made with the three above, closed after the test.

Keys are public knowledge and the clock stands still: for tests only. This module stays thin, as pytest loads
it in every run of every project that has tracechain installed; what the fixtures need is imported by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tracechain.ledger import Ledger
    from tracechain.testing import Clock, Keys, Random

__all__ = ["tracechain_clock", "tracechain_keys", "tracechain_ledger", "tracechain_random"]


@pytest.fixture
def tracechain_clock() -> Clock:
    """A clock that stands still at `testing.START` until the test moves it by `.advance(ms)` or `.set(ms)`."""
    from tracechain.testing import Clock

    return Clock()


@pytest.fixture
def tracechain_random() -> Random:
    """Bytes that are the same in each run of the test."""
    from tracechain.testing import Random

    return Random()


@pytest.fixture
def tracechain_keys() -> Keys:
    """Fixed signers: log, root, author, two stations, a stranger."""
    from tracechain.testing import Keys

    return Keys()


@pytest.fixture
def tracechain_ledger(
    tmp_path: Path, tracechain_keys: Keys, tracechain_clock: Clock, tracechain_random: Random
) -> Iterator[Ledger]:
    """A new ledger at `tmp_path / "ledger"`, open for writing, closed after the test."""
    from tracechain.testing import new_ledger

    with new_ledger(
        tmp_path / "ledger", keys=tracechain_keys, clock=tracechain_clock, random=tracechain_random
    ) as ledger:
        yield ledger
