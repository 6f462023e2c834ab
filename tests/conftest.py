"""What all tests share. Fixtures of ledgers, keys and clocks come from tracechain.pytest_plugin, as users get them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# `make test` runs on two cores that may be shared: examples may be slow, and a slow one is no failure.
settings.register_profile("test", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("torture", parent=settings.get_profile("test"), max_examples=2_000, stateful_step_count=80)
settings.load_profile("test")


def _wants_torture(config: pytest.Config) -> bool:
    return "torture" in config.option.markexpr or any("torture" in argument for argument in config.args)


def pytest_configure(config: pytest.Config) -> None:
    if _wants_torture(config):
        settings.load_profile("torture")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the torture tests out, unless they were asked for by marker or path."""
    if _wants_torture(config):
        return
    left_out = [item for item in items if item.get_closest_marker("torture") is not None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.get_closest_marker("torture") is None]
