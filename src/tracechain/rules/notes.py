"""The memories and accounts of a fold from nothing: the half of a rules.Past that is the same wherever they are kept in
dictionaries, for a replay as for a rebuilt index."""

from __future__ import annotations

from decimal import Decimal

from attrs import define, field

from tracechain.rules.guards import Anchor

__all__ = ["Notes"]


@define(kw_only=True)
class Notes:
    """What the rules remember: of packs by subject, of buyers by (person, year), and anchors as a cache."""

    memories: dict[str, int] = field(factory=dict)
    spending: dict[tuple[bytes, int], Decimal] = field(factory=dict)
    anchors: dict[int, Anchor | None] = field(factory=dict)

    def memory(self, key: str) -> int:
        """The memory of a pack."""
        return self.memories.get(key, 0)

    def remember(self, key: str, memory: int) -> None:
        """Change it."""
        self.memories[key] = memory

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to."""
        return self.spending.get((person, year), Decimal(0))

    def put_spent(self, person: bytes, year: int, yuan: Decimal) -> None:
        """Change it."""
        self.spending[person, year] = yuan
