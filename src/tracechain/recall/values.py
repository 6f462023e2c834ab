"""What a recall answers with: affected units, counted in every way that somebody has to act on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise
from operator import attrgetter
from types import MappingProxyType
from typing import TypeAlias

from attrs import evolve, field, frozen

from tracechain.criteria import Criterion
from tracechain.custody import CUSTODY_MASK, Custody
from tracechain.rules.guards import class_of
from tracechain.tracing import Unresolved
from tracechain.tracing.locate import Located

__all__ = ["GROUPS", "GROUP_OF", "Affected", "FanOut", "Node", "Progress"]

#: What has to be done, by group.
GROUPS: Mapping[str, str] = MappingProxyType({
    "stock": "lock",
    "transit": "stop",
    "store": "pull",
    "sold": "notify",
    "exported": "ask back",
    "destroyed": "nothing",
    "unknown": "look for",
})  # fmt: skip

#: The group of a custody.
GROUP_OF: Mapping[int, str] = MappingProxyType(
    dict.fromkeys(map(int, Custody), "stock")
    | {
        int(Custody.NONE): "unknown",
        int(Custody.TRANSIT): "transit",
        int(Custody.STORE): "store",
        int(Custody.SOLD): "sold",
        int(Custody.DELIVERED): "sold",
        int(Custody.EXPORTED): "exported",
        int(Custody.DEAD): "destroyed",
    }
)

#: (kind, id) of a node of the picture; kinds are maker, lot, container, place, holder. '' is an id that is not known.
Node: TypeAlias = tuple[str, str]


class Affected(Located):
    """One unit that a criterion covers, and where it is now."""

    __slots__ = ()

    @property
    def group(self) -> str:
        """What has to be done with it: a key of GROUPS."""
        return GROUP_OF[self.state & CUSTODY_MASK]


@frozen
class FanOut:
    """All units that a criterion covers, in order of their codes, in one ledger or in several that were merged.

    `ledgers` are the ids of the ledgers, `makers` the names by product, as far as a register has them. A recall is
    complete only where `unresolved` is empty.
    """

    ledgers: frozenset[bytes]
    size: int
    criterion: Criterion | None
    units: tuple[Affected, ...]
    unresolved: tuple[Unresolved, ...] = ()
    makers: Mapping[str, str] = field(factory=dict)

    @property
    def affected(self) -> int:
        """How many units there are."""
        return len(self.units)

    @property
    def groups(self) -> dict[str, int]:
        """Units by what has to be done with them: all groups, in order of GROUPS."""
        counted = Counter(GROUP_OF[state & CUSTODY_MASK] for _, state, *_ in self.units)
        return {name: counted[name] for name in GROUPS}

    @property
    def parties(self) -> dict[str, dict[str, int]]:
        """Who has to be told, by id ('' where nobody is known), with the units that each has, by group; destroyed units
        are nobody's. Those with most units come first."""
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        for unit in self.units:
            group = GROUP_OF[unit.state & CUSTODY_MASK]
            if group != "destroyed":
                counted[unit.holder or ""][group] += 1
        ordered = sorted(counted.items(), key=lambda item: (-item[1].total(), item[0]))
        return {party: dict(groups) for party, groups in ordered}

    @property
    def edges(self) -> dict[tuple[Node, Node], int]:
        """The spread for a picture, maker -> lot -> container -> place -> holder, with units; a unit in no container
        goes from its lot to its place at once, and one that is destroyed ends at its place."""
        found: Counter[tuple[Node, Node]] = Counter()
        alike = Counter(
            (class_of(unit.unit), unit.lot, unit.container, unit.place, unit.holder, unit.group == "destroyed")
            for unit in self.units
        )
        for (product, lot, container, place, holder, destroyed), count in alike.items():
            nodes = [
                ("maker", self.makers.get(product, "")),
                ("lot", f"{product}/10/{lot}" if lot else product),
                *([] if container is None else [("container", container)]),
                ("place", place or ""),
                *([] if destroyed else [("holder", holder or "")]),
            ]
            for edge in pairwise(nodes):
                found[edge] += count
        return dict(sorted(found.items()))

    def merge(self, other: FanOut) -> FanOut:
        """The fan-out over both ledgers: associative and commutative. Of a unit that both know, the later sighting
        holds."""
        units: dict[str, Affected] = {}
        for one in (*self.units, *other.units):
            known = units.get(one.unit)
            if known is None or _later(one) > _later(known):
                units[one.unit] = one
        makers = dict(self.makers)
        for product, name in other.makers.items():
            makers[product] = max(name, makers.get(product, ""))
        return evolve(
            self,
            ledgers=self.ledgers | other.ledgers,
            size=self.size + other.size,
            criterion=self.criterion if self.criterion == other.criterion else None,
            units=tuple(units[name] for name in sorted(units)),
            unresolved=tuple(sorted({*self.unresolved, *other.unresolved}, key=attrgetter("order"))),
            makers=makers,
        )


def _later(unit: Affected) -> tuple[object, ...]:
    """What decides between two ledgers: the time, then anything that is the same whichever way round."""
    unset = [(text is not None, text or "") for text in (unit.place, unit.holder, unit.container, unit.lot)]
    return (unit.time is not None, unit.time or 0, unit.last, unit.state, *unset)


@frozen
class Progress:
    """How far a recall has come: `affected` = `locked` + `returned` + `destroyed` + `outstanding`. Goods that got a
    new code count once, under that.

    Locked are those that lie in stock, with the ledger refusing to sell them; returned came back since the recall was
    opened; outstanding are on the way, in stores, with buyers, abroad, or nobody knows where. `reached` are all but
    those of the outstanding whose holder has not been told. `unresolved` says what else could be affected.
    """

    id: str
    open: bool
    affected: int
    reached: int
    locked: int
    returned: int
    destroyed: int
    outstanding: int
    unresolved: tuple[Unresolved, ...] = ()

    @property
    def effectiveness(self) -> float | None:
        """The share of the affected units that are not outstanding; None where nothing is affected."""
        return None if not self.affected else 1 - self.outstanding / self.affected
