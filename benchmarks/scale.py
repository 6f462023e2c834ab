"""How much a run measures, and how it says how far it is: what every section needs, and no peer."""

from __future__ import annotations

import sys
from typing import Any

from attrs import asdict, evolve, frozen

__all__ = ["Scale", "said"]


@frozen
class Scale:
    """How much is measured: units commissioned before, events a round, rounds, and the sizes of `growth`."""

    population: int
    events: int
    rounds: int
    sizes: tuple[int, ...]

    def with_changes(self, rounds: int | None, sizes: tuple[int, ...] | None) -> Scale:
        """The same with what the command line said."""
        return evolve(self, rounds=rounds or self.rounds, sizes=sizes or self.sizes)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.population:,} units commissioned before, {self.rounds} rounds of {self.events:,} events"


def said(words: str) -> None:
    """Progress, on the terminal only."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)
