"""All eight bits of every byte of a ledger of more than 1,000 events: over three million, about six minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from flips import all_bits, flip_all, make_ledger

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]

SHARDS = 16


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flips") / "ledger"
    make_ledger(path)
    return path


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_bit_of_every_entry(large: Path, shard: int) -> None:
    tally = flip_all(large, shard=shard, shards=SHARDS, bits=all_bits)
    assert tally.missed == []
    assert tally.flips > 8 * 250 * tally.events
