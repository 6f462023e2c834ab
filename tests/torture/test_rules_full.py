"""The rules over 2,000 random histories, and over 200 in two processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_histories import History, histories
from test_rules_replay import in_two_processes, told  # tests/ is on the path, by its conftest.py

pytestmark = [pytest.mark.torture, pytest.mark.timeout(7200)]
Paths = Callable[[], Path]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return lambda: tmp_path_factory.mktemp("history")


@settings(max_examples=2_000)
@given(history=histories(20))
def test_a_replay_a_rebuilt_index_and_a_fresh_start_agree_with_the_ledger(paths: Paths, history: History) -> None:
    told(paths(), history)


@settings(max_examples=200)
@given(history=histories(), turns=st.lists(st.booleans(), min_size=12, max_size=12))
def test_two_processes_in_turn_come_to_what_a_replay_comes_to(
    paths: Paths, history: History, turns: list[bool]
) -> None:
    in_two_processes(paths(), history, turns)
