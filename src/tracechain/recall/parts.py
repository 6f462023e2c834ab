"""The parts of a criterion as they are looked for: each draws the packs that it covers, and says of any pack whether it
covers that one.

Both come to the same, so a criterion of several parts draws the packs of the part that covers fewest, by a guess, and
asks the others about them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from tracechain.criteria import ByMaker, ByMerchant, Codes, Commissioned, Lot
from tracechain.custody import is_pack
from tracechain.entry import parse_header
from tracechain.recall.ground import CHUNK, Ground
from tracechain.recall.lots import descendants, lot_units
from tracechain.recall.reach import Happening, Reach
from tracechain.registers import Merchant, Product, subject_of
from tracechain.rules import Standing
from tracechain.rules.guards import class_of
from tracechain.rules.mentions import lot_name
from tracechain.tracing import Unresolved
from tracechain.tracing.facts import ADD, OBJECT, TRANSFORMATION, Fact, epcs_of

__all__ = [
    "AllParts",
    "AnyPart",
    "CodesPart",
    "CommissionedPart",
    "LotPart",
    "MakerPart",
    "MerchantPart",
    "NotPart",
    "Part",
    "ProductPart",
    "ReachPart",
]

#: Guesses of how many packs there are of a product, of a maker or merchant, and in all.
_OF_PRODUCT, _OF_PARTY, EVERYTHING = 1_000_000, 3_000_000, 1_000_000_000


class Part(ABC):
    """A criterion over one view.

    `effort` is what it costs to ask about a pack: 0 by its code alone, 1 by its chain, 2 by those of its containers.
    """

    effort = 0

    @property
    @abstractmethod
    def size(self) -> int:
        """A guess of how many packs it covers: what it costs to draw them."""

    @abstractmethod
    def packs(self) -> Iterator[list[str]]:
        """The packs it covers, each once, in batches of any length."""

    @abstractmethod
    def covers(self, pack: str) -> bool:
        """Whether it covers a pack that the ledger knows."""

    def missing(self) -> Iterable[Unresolved]:
        """What is known to be missing before anything is looked for."""
        return ()


def _chosen(batches: Iterable[Sequence[str]], covers: Callable[[str], bool]) -> Iterator[list[str]]:
    """The packs of batches that are covered."""
    for batch in batches:
        if chosen := [pack for pack in batch if covers(pack)]:
            yield chosen


class _Everything(Part):
    """A part that is found only by asking about every pack there is."""

    size = EVERYTHING

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def packs(self) -> Iterator[list[str]]:
        """All packs of the ledger, but those that it does not cover."""
        return _chosen(_everything(self._ground), self.covers)


def _everything(ground: Ground) -> Iterator[list[str]]:
    batch: list[str] = []
    for subject, _ in ground.view.units():
        if is_pack(subject):
            batch.append(subject)
            if len(batch) >= CHUNK:
                yield batch
                batch = []
    yield batch


# ---- by the pack itself ----------------------------------------------------------------------------------


class CodesPart(Part):
    """Some codes."""

    def __init__(self, ground: Ground, criterion: Codes) -> None:
        self._ground = ground
        self._codes = frozenset(criterion.codes)

    @property
    def size(self) -> int:
        """As many as there are."""
        return len(self._codes)

    def missing(self) -> Iterator[Unresolved]:
        """Codes that nobody knows, and those that are none of packs."""
        for code in self._codes:
            if self._ground.view.unit(code) is not None and not is_pack(code):
                words = "it is no pack: what was in it is what went through it (ThroughContainer)"
                yield Unresolved("unknown", code, None, words)
            yield from self._ground.unknown(code)

    def packs(self) -> Iterator[list[str]]:
        """Those that the ledger knows."""
        yield [code for code in sorted(self._codes) if is_pack(code) and self._ground.view.unit(code) is not None]

    def covers(self, pack: str) -> bool:
        """Whether it is one of them."""
        return pack in self._codes


class ProductPart(Part):
    """Packs of some products."""

    size = _OF_PRODUCT

    def __init__(self, ground: Ground, product: str | None) -> None:
        self._ground = ground
        self._product = product

    @cached_property
    def products(self) -> frozenset[str]:
        """The products."""
        return frozenset(() if self._product is None else (self._product,))

    def missing(self) -> Iterator[Unresolved]:
        """Products, and lots of them, that were handled without codes."""
        for product in sorted(self.products):
            yield from self._ground.by_class(product)
            for subject, _ in self._ground.view.subjects(f"{product}/10/"):
                if not is_pack(subject):
                    yield from self._ground.by_class(subject)

    def packs(self) -> Iterator[list[str]]:
        """Their codes begin with those of the products."""
        batch: list[str] = []
        for product in sorted(self.products):
            for subject, _ in self._ground.view.subjects(product):
                if is_pack(subject) and class_of(subject) == product:
                    batch.append(subject)
                    if len(batch) >= CHUNK:
                        yield batch
                        batch = []
        yield batch

    def covers(self, pack: str) -> bool:
        """Whether it is of one of the products."""
        return class_of(pack) in self.products


class _PartyPart(ProductPart):
    """Packs of products that are registered for somebody."""

    size = _OF_PARTY
    words = ""

    def __init__(self, ground: Ground, standing: Callable[[], Standing], party: str) -> None:
        super().__init__(ground, None)
        self._standing = standing
        self._party = party

    @abstractmethod
    def is_of(self, file: Product) -> bool:
        """Whether a product is theirs, by its registration file."""

    def is_known(self) -> bool:
        """Whether a register names them, even without a product."""
        return False

    @cached_property
    def products(self) -> frozenset[str]:
        """Those whose registration file in force names the party."""
        found = set()
        prefix = subject_of(Product.KIND, "")
        for subject, _ in self._ground.view.subjects(prefix):
            registered = self._standing().at(subject)
            if registered is not None and isinstance(registered.value, Product) and self.is_of(registered.value):
                found.add(subject.removeprefix(prefix))
        return frozenset(found)

    def missing(self) -> Iterator[Unresolved]:
        """The party, if no register names it; else as of products."""
        if not self.products and not self.is_known():
            yield Unresolved("unknown", self._party, None, self.words)
        yield from super().missing()


class MakerPart(_PartyPart):
    """Packs of products that somebody makes."""

    words = "no registered product names it as its maker"

    def __init__(self, ground: Ground, standing: Callable[[], Standing], criterion: ByMaker) -> None:
        super().__init__(ground, standing, criterion.maker)

    def is_of(self, file: Product) -> bool:
        """By name or by id."""
        return self._party in (file.maker, file.maker_id)


class MerchantPart(_PartyPart):
    """Packs of products that somebody sells."""

    words = "it is no registered merchant, and no registered product names it as its merchant"

    def __init__(self, ground: Ground, standing: Callable[[], Standing], criterion: ByMerchant) -> None:
        super().__init__(ground, standing, criterion.merchant)

    def is_of(self, file: Product) -> bool:
        """By id."""
        return file.merchant == self._party

    def is_known(self) -> bool:
        """Whether it is a registered merchant."""
        return self._standing().find(Merchant.KIND, self._party) is not None


# ---- by its chain ----------------------------------------------------------------------------------------


class LotPart(Part):
    """Packs that were brought into being with a lot number, and what was made of them."""

    effort = 1

    def __init__(self, ground: Ground, criterion: Lot) -> None:
        self._ground = ground
        self._product = criterion.product
        self._lot = criterion.lot
        self._name = lot_name(criterion.product, criterion.lot)

    @cached_property
    def _runs(self) -> list[range]:
        """The entries that bring something into being with this lot, or declare such an entry an error."""
        return self._ground.runs((self._name,))

    @cached_property
    def _starts(self) -> list[int]:
        return [run.start for run in self._runs]

    @cached_property
    def size(self) -> int:
        """By what the entries name that brought them into being."""
        headers = (self._ground.view.header(index) for run in self._runs for index in run)
        return sum(1 if header is None else parse_header(header).row_count for header in headers)

    def missing(self) -> Iterator[Unresolved]:
        """The lot, if it was handled without codes, and the product: that may have been this lot."""
        yield from self._ground.by_class(self._name)
        yield from self._ground.by_class(self._product)

    def packs(self) -> Iterator[list[str]]:
        """What the index of lots finds, and what was made of that; each asked itself, for errors."""
        for run in self._runs:
            for index in run:
                if self._ground.view.content(index) is None:
                    self._ground.note("pruned", self._name, index, "the content of this entry is not kept")
        known: list[str] = []
        seen: set[str] = set()
        for made, _ in lot_units(self._ground.containment, self._product, self._lot):
            known += made
            yield self._new(made, seen)
        yield self._new(sorted(descendants(self._ground.containment, known)), seen)

    def _new(self, units: list[str], seen: set[str]) -> list[str]:
        found = [unit for unit in units if is_pack(unit) and unit not in seen and self.covers(unit)]
        seen.update(found)
        return found

    def covers(self, pack: str) -> bool:
        """Whether it was brought into being with the lot, or made of what was, or of what was made of that."""
        waiting, known = [pack], {pack}
        while waiting:
            code = waiting.pop()
            past = self._ground.past(code)
            made = (link.at for link in past.facts if _makes(link.fact, code))
            if class_of(code) == self._product and is_pack(code) and any(map(self._states, made)):
                return True
            for link in past.links:
                if link.fact is None or link.fact.kind != TRANSFORMATION or link.fact.declares:
                    continue
                if code in epcs_of(link.fact, outputs=True):
                    for source in epcs_of(link.fact):
                        # That it was made of that is asked of the source's own chain.
                        if source not in known and link.at not in self._ground.past(source).voided:
                            known.add(source)
                            waiting.append(source)
        return False

    def _states(self, index: int) -> bool:
        """Whether an entry is one of this lot."""
        at = bisect_right(self._starts, index)
        return at > 0 and index in self._runs[at - 1]


def _makes(fact: Fact | None, code: str) -> bool:
    """Whether an event brings a code into being that it names."""
    if fact is None:
        return False
    if fact.kind == TRANSFORMATION:
        return code in epcs_of(fact, outputs=True)
    return fact.kind == OBJECT and fact.action == ADD


class CommissionedPart(_Everything):
    """Packs that were commissioned in some time."""

    effort = 1

    def __init__(self, ground: Ground, criterion: Commissioned) -> None:
        super().__init__(ground)
        self._start = criterion.start
        self._stop = criterion.stop

    def covers(self, pack: str) -> bool:
        """Whether an event brought it into being then."""
        for link in self._ground.past(pack).facts:
            fact = link.fact
            if (
                fact is not None
                and fact.kind == OBJECT
                and fact.action == ADD
                and self._start <= fact.time < self._stop
            ):
                return True
        return False


class ReachPart(_Everything):
    """Packs that something reached. `indexed` is False for what no index finds."""

    effort = 2

    def __init__(self, ground: Ground, happening: Happening, *, indexed: bool = True) -> None:
        super().__init__(ground)
        self._happening = happening
        self._reach = Reach(ground, happening)
        self._indexed = indexed

    @property
    def size(self) -> int:  # type: ignore[override]  # of what is found by an index
        """As what happened guesses."""
        return self._happening.size if self._indexed else EVERYTHING

    def missing(self) -> Iterable[Unresolved]:
        """As what happened says."""
        return self._happening.missing()

    def packs(self) -> Iterator[list[str]]:
        """Down from what it happened to."""
        return self._reach.packs() if self._indexed else super().packs()

    def covers(self, pack: str) -> bool:
        """Up to what it happened to."""
        return self._reach.covers(pack)


# ---- several parts ---------------------------------------------------------------------------------------


class _Several(Part):
    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = sorted(parts, key=lambda part: part.effort)
        self.effort = max(part.effort for part in self.parts)

    def missing(self) -> Iterator[Unresolved]:
        """What each part says."""
        for part in self.parts:
            yield from part.missing()


class AllParts(_Several):
    """Packs that each part covers."""

    @cached_property
    def size(self) -> int:
        """That of the part with fewest."""
        return min(part.size for part in self.parts)

    def packs(self) -> Iterator[list[str]]:
        """Those of the part with fewest that the others cover too."""
        first = min(self.parts, key=lambda part: part.size)
        others = [part for part in self.parts if part is not first]
        return _chosen(first.packs(), lambda pack: all(part.covers(pack) for part in others))

    def covers(self, pack: str) -> bool:
        """Whether each does."""
        return all(part.covers(pack) for part in self.parts)


class AnyPart(_Several):
    """Packs that some part covers."""

    def __init__(self, ground: Ground, parts: Iterable[Part]) -> None:
        super().__init__(parts)
        self._ground = ground

    @cached_property
    def size(self) -> int:
        """Those of all parts."""
        return min(sum(part.size for part in self.parts), EVERYTHING)

    def packs(self) -> Iterator[list[str]]:
        """Those of one part after the other; where a part needs all packs anyway, all are asked about once."""
        if self.size >= EVERYTHING:
            yield from _chosen(_everything(self._ground), self.covers)
            return
        seen: set[str] = set()
        for part in self.parts:
            for batch in part.packs():
                new = [pack for pack in batch if pack not in seen]
                seen.update(new)
                yield new

    def covers(self, pack: str) -> bool:
        """Whether one does."""
        return any(part.covers(pack) for part in self.parts)


class NotPart(_Everything):
    """Packs that a part does not cover."""

    def __init__(self, ground: Ground, part: Part) -> None:
        super().__init__(ground)
        self._part = part
        self.effort = part.effort

    def missing(self) -> Iterable[Unresolved]:
        """What the part says."""
        return self._part.missing()

    def covers(self, pack: str) -> bool:
        """Whether the part does not."""
        return not self._part.covers(pack)
