"""The memories, accounts and tracks of a fold from nothing: the half of a rules.Past that is the same wherever they are
kept in dictionaries, for a replay as for a rebuilt index."""

from __future__ import annotations

from collections.abc import Container, Sequence
from decimal import Decimal

from attrs import define, field

from tracechain.custody import Outcome
from tracechain.event import AggregationEvent, Event
from tracechain.rules import packing
from tracechain.rules.guards import Anchor

__all__ = ["Notes"]


@define(kw_only=True)
class Notes:
    """What the rules remember: of packs by subject, of buyers by (person, year), and anchors as a cache; and what is in
    what, as rules.PackingPast has it."""

    memories: dict[str, int] = field(factory=dict)
    spending: dict[tuple[bytes, int], Decimal] = field(factory=dict)
    anchors: dict[int, Anchor | None] = field(factory=dict)
    #: Words of packing by subject, and 1 + index of the entry that emptied a container.
    packings: dict[str, int] = field(factory=dict)
    emptyings: dict[str, int] = field(factory=dict)
    #: The claimed time (ns) of each subject's latest event.
    _claimed: dict[str, int] = field(factory=dict)
    _containers: dict[int, tuple[str | None, int]] = field(factory=dict)

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

    def lose(self, subject: str) -> None:
        """Take an entry whose content is not kept, for a subject of it (docs/format.md section 7.5).

        This is the one place that says what such an entry leaves beside the state in its row: nothing is remembered of
        the subject, it is in nothing, and its entries are no plain facts in order of their times any more. It mentions
        nothing, claims no time, empties nothing.
        """
        if subject in self.memories:
            self.memories[subject] = 0
        self.packings[subject] = packing.TANGLED

    # ---- tracks ----

    def stated(self, index: int) -> tuple[bytes, bytes | None]:
        """The header of an earlier entry, and its content if it is kept."""
        raise AssertionError(index)  # who keeps the log says

    def packed(self, key: str) -> int:
        """The word of packing of a subject."""
        return self.packings.get(key, 0)

    def packed_all(self, keys: Sequence[str]) -> list[int]:
        """The words of packing of some subjects."""
        get = self.packings.get
        return [get(key, 0) for key in keys]

    def put_packed(self, key: str, word: int) -> None:
        """Change it."""
        self.packings[key] = word

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last."""
        return self.emptyings.get(container, 0)

    def put_emptied(self, container: str, place: int) -> None:
        """Change it."""
        self.emptyings[container] = place

    def packing(self, place: int) -> tuple[str | None, int]:
        """Container and claimed time of a packing, by 1 + its index."""
        found = self._containers.get(place)
        if found is None:
            found = self._containers[place] = packing.packing_of(self.stated(place - 1)[1])
        return found

    def key_of(self, subject: str) -> str:
        """A subject goes by itself."""
        return subject

    def track(
        self,
        index: int,
        event: Event,
        received: int,
        acts: Sequence[tuple[str, int]],
        befores: Sequence[int],
        outcomes: Sequence[Outcome],
        stated: Container[str] = (),
    ) -> Sequence[Outcome]:
        """Take an event that was received at `received` (ms): its outcomes with what packing breaks. `befores` are the
        states of its subjects; the outcomes of those `stated` are taken as they are."""
        claimed, time, declares = self._claimed, event.event_time, event.error_declaration is not None
        for subject, _ in acts:
            if packing.tangles(time, received, claimed.get(subject), declares=declares):
                packing.tangle(self, subject)
            claimed[subject] = time
        if isinstance(event, AggregationEvent):
            return packing.pack(self, index, event, acts, [subject for subject, _ in acts], befores, outcomes, stated)
        packing.leave(self, packing.leaving(event))
        return outcomes
