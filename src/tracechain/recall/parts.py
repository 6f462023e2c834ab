"""The parts of a criterion as they are looked for: each draws the packs that it covers, and says of any pack whether it
covers that one.

Both come to the same, so a criterion of several parts draws the packs of the part that covers fewest, by a guess, and
asks the others about them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from tracechain.criteria import ByMaker, ByMerchant, Codes, Commissioned, Lot
from tracechain.custody import is_pack
from tracechain.entry import parse_header
from tracechain.recall.ground import Ground, gathered
from tracechain.recall.lives import CHUNK
from tracechain.recall.lots import class_names, descendants, lot_units
from tracechain.recall.reach import Happening, Reach
from tracechain.registers import Merchant, Product, subject_of
from tracechain.rules import Standing
from tracechain.rules.guards import class_of
from tracechain.rules.mentions import lot_name
from tracechain.tracing import Unresolved
from tracechain.tracing.facts import ADD, OBJECT, TRANSFORMATION, Fact, epcs_of, lot_of

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
    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those it covers of some packs that the ledger knows, in their order."""

    def missing(self) -> Iterable[Unresolved]:
        """What is known to be missing before anything is looked for."""
        return ()


class _Everything(Part):
    """A part that is found only by asking about every pack there is."""

    size = EVERYTHING

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def packs(self) -> Iterator[list[str]]:
        """All packs of the ledger, but those that it does not cover."""
        return map(self.choose, _everything(self._ground))


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

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those among them."""
        return [pack for pack in packs if pack in self._codes]


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

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those of one of the products."""
        products = self.products
        return [pack for pack in packs if class_of(pack) in products]


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

    @cached_property
    def size(self) -> int:
        """By what the entries name that brought them into being."""
        runs = self._ground.runs((lot_name(self._product, self._lot),))
        headers = (self._ground.view.header(index) for run in runs for index in run)
        return sum(1 if header is None else parse_header(header).row_count for header in headers)

    def missing(self) -> Iterator[Unresolved]:
        """The lot, if it was handled without codes, and the product: that may have been this lot."""
        for name in class_names(self._product, self._lot):
            yield from self._ground.by_class(name)

    def packs(self) -> Iterator[list[str]]:
        """What the index of lots finds, and what was made of that."""
        known: list[str] = []
        containment, unresolved = self._ground.containment, self._ground.unresolved
        for made, _ in lot_units(containment, self._product, self._lot, unresolved):
            known += made
            yield made
        yield sorted(filter(is_pack, descendants(containment, known, (self._product,), unresolved)))

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those that were brought into being with the lot, or made of what was, or of what was made of that."""
        known: dict[tuple[str, str], bool] = {}
        found: list[str] = []
        for pack, like in self._ground.lives.alike(packs):
            key = like, class_of(pack)
            covered = known.get(key)
            if covered is None:
                covered = known[key] = self._covers(pack, like)
            if covered:
                found.append(pack)
        return found

    def _covers(self, pack: str, like: str) -> bool:
        """Whether a pack is of the lot, by what is known of one that went the same way."""
        if class_of(pack) == self._product and self._is_made(like):
            return True
        waiting, known = [like], {like}
        while waiting:
            for source in self._sources(waiting.pop()):
                if source not in known:
                    if class_of(source) == self._product and is_pack(source) and self._is_made(source):
                        return True
                    known.add(source)
                    waiting.append(source)
        return False

    def _is_made(self, code: str) -> bool:
        """Whether an event brings a code into being with this lot."""
        return any(
            _makes(fact, code) and lot_of(fact) == self._lot
            for link in self._ground.past(code).facts
            if (fact := link.fact) is not None
        )

    def _sources(self, code: str) -> Iterator[str]:
        """The codes that a code was made of. Whether it was is asked of their own chains."""
        for link in self._ground.past(code).links:
            fact = link.fact
            if fact is None or fact.kind != TRANSFORMATION or fact.declares or not _makes(fact, code):
                continue
            for source in epcs_of(fact):
                if fact.index not in self._ground.past(source).voided:
                    yield source


def _makes(fact: Fact, code: str) -> bool:
    """Whether an event brings a code into being that it names."""
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

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those that an event brought into being then."""
        known: dict[str, bool] = {}
        found: list[str] = []
        for pack, like in self._ground.lives.alike(packs):
            if like not in known:
                known[like] = self._is_made(like)
            if known[like]:
                found.append(pack)
        return found

    def _is_made(self, pack: str) -> bool:
        facts = (link.fact for link in self._ground.past(pack).facts if link.fact is not None)
        return any(
            fact.kind == OBJECT and fact.action == ADD and self._start <= fact.time < self._stop for fact in facts
        )


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

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Up to what it happened to."""
        return self._reach.choose(packs)


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
        return (_chosen_by_all(others, batch) for batch in gathered(first.packs()))

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those that each chooses of what the others left."""
        return _chosen_by_all(self.parts, packs)


def _chosen_by_all(parts: Iterable[Part], packs: Sequence[str]) -> list[str]:
    chosen = list(packs)
    for part in parts:
        if chosen:
            chosen = part.choose(chosen)
    return chosen


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
            yield from map(self.choose, _everything(self._ground))
            return
        seen: set[str] = set()
        for part in self.parts:
            for batch in part.packs():
                new = [pack for pack in batch if pack not in seen]
                seen.update(new)
                yield new

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those that one chooses of what the others left."""
        chosen: set[str] = set()
        left = packs
        for part in self.parts:
            if left:
                chosen.update(part.choose(left))
                left = [pack for pack in left if pack not in chosen]
        return [pack for pack in packs if pack in chosen]


class NotPart(_Everything):
    """Packs that a part does not cover."""

    def __init__(self, ground: Ground, part: Part) -> None:
        super().__init__(ground)
        self._part = part
        self.effort = part.effort

    def missing(self) -> Iterable[Unresolved]:
        """What the part says."""
        return self._part.missing()

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those that the part does not."""
        chosen = set(self._part.choose(packs))
        return [pack for pack in packs if pack not in chosen]
