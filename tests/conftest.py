"""What all tests share. Fixtures of ledgers, keys and clocks come from tracechain.pytest_plugin, as users get them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# `make test` runs on two cores that may be shared: examples may be slow, and a slow one is no failure.
settings.register_profile("test", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("torture", parent=settings.get_profile("test"), max_examples=2_000, stateful_step_count=80)
settings.load_profile("test")
