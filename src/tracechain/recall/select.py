"""Which packs a criterion covers, over any view: found by the index, so that it costs what it finds."""

from __future__ import annotations

from collections.abc import Iterator

from tracechain.criteria import (
    AllOf,
    AnyOf,
    ByCarrier,
    ByMaker,
    ByMerchant,
    Codes,
    Commissioned,
    Criterion,
    Lot,
    Measured,
    Not,
    OfProduct,
    SharedContainer,
    ThroughContainer,
    ThroughPlace,
)
from tracechain.errors import InputError
from tracechain.pilot.register import standing_of
from tracechain.recall.exposure import Exposed
from tracechain.recall.ground import Ground, gathered
from tracechain.recall.parts import (
    AllParts,
    AnyPart,
    CodesPart,
    CommissionedPart,
    LotPart,
    MakerPart,
    MerchantPart,
    NotPart,
    Part,
    ProductPart,
    ReachPart,
)
from tracechain.recall.reach import Carried, Inside, Passed, Shared
from tracechain.retention.prunings import prunings
from tracechain.retention.records import prune_subject
from tracechain.rules import Standing
from tracechain.tracing import Tracer, Unresolved
from tracechain.view import View

__all__ = ["Selection"]


class Selection:
    """The packs of one view that criteria cover.

    `standing` is what the registers say (`pilot.standing_of`), read when a criterion asks for it if it is not given.
    `unresolved` is filled while packs are drawn: what could not be read, or found, and might be affected too.
    """

    def __init__(self, view: View, tracer: Tracer | None = None, standing: Standing | None = None) -> None:
        self.view = view
        self.tracer = tracer or Tracer(view)
        self.unresolved: set[Unresolved] = set()
        self._ground = Ground(self.tracer.containment, self.unresolved)
        self._given = standing

    def units(self, criterion: Criterion) -> Iterator[list[str]]:
        """The packs that a criterion covers, each once, in no order: batches of some thousands."""
        part = self._part(criterion)
        self.unresolved.update(part.missing())
        if _asks_contents(criterion):
            self.unresolved.update(self._pruned())
        yield from gathered(part.packs())

    def _pruned(self) -> Iterator[Unresolved]:
        """What went is in no index any more: packs may be affected of which nothing is left that says so."""
        for one in prunings(self.view):
            if one.done is not None and one.done.content_count:
                words = f"the contents of {one.done.content_count} events are not kept: what they said is not found"
                yield Unresolved("pruned", prune_subject(one.intent.name), one.done_at, words)

    def _standing(self) -> Standing:
        if self._given is None:
            self._given = standing_of(self.view)
        return self._given

    def _part(self, criterion: Criterion) -> Part:
        ground = self._ground
        match criterion:
            case AllOf(parts=parts):
                return AllParts(map(self._part, parts))
            case AnyOf(parts=parts):
                return AnyPart(ground, map(self._part, parts))
            case Not(part=part):
                return NotPart(ground, self._part(part))
            case Codes():
                return CodesPart(ground, criterion)
            case Lot():
                return LotPart(ground, criterion)
            case OfProduct(product=product):
                return ProductPart(ground, product)
            case ByMaker():
                return MakerPart(ground, self._standing, criterion)
            case ByMerchant():
                return MerchantPart(ground, self._standing, criterion)
            case Commissioned():
                return CommissionedPart(ground, criterion)
            case ThroughPlace(place=place):
                # Bare positions are no names, and not indexed (rules.mentions).
                return ReachPart(ground, Passed(ground, criterion), indexed=not place.startswith("geo:"))
            case ByCarrier():
                return ReachPart(ground, Carried(ground, criterion))
            case ThroughContainer():
                return ReachPart(ground, Inside(ground, criterion))
            case SharedContainer():
                return ReachPart(ground, Shared(ground, criterion))
            case Measured():
                return ReachPart(ground, Exposed(ground, criterion))
        raise InputError(f"{criterion!r:.100} is no criterion that can be searched for")


def _asks_contents(criterion: Criterion) -> bool:
    """Whether a criterion asks for more than codes and registers."""
    match criterion:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return any(map(_asks_contents, parts))
        case Not(part=part):
            return _asks_contents(part)
    return not isinstance(criterion, Codes | OfProduct | ByMaker | ByMerchant)
