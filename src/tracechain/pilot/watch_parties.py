"""Alerts on merchants and products to stop, and on what the registers say has run out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import define, field

from tracechain.custody import CUSTODY_MASK, Custody, Violation, describe
from tracechain.pilot.alert import CLAUSE_OF, Alert, AlertKind, Asked, Severity, midnight
from tracechain.pilot.overdue import overdue
from tracechain.pilot.register import history, listing
from tracechain.pilot.survey import IN_SALE, IN_STOCK
from tracechain.registers import Enterprise, Merchant, Product, Readmission, Shield
from tracechain.rules import Registered, clause_of
from tracechain.rules.guards import class_of, product_codes

__all__ = ["overdue_files", "to_stop"]

#: Ordered and not handed over: what a stop has to end, or to bring to an end.
_OPEN = IN_SALE | {int(Custody.RESERVED), int(Custody.CLEARED)}
#: What a product may not be.
_BARRED = (
    Violation.SCOPE, Violation.PRODUCT_UNREGISTERED, Violation.PRODUCT_BARRED, Violation.SERVICE_STOPPED,
)  # fmt: skip
_BEYOND = (Violation.SCOPE, Violation.PRODUCT_BARRED)


@define
class _Held:
    """Packs of a product, or of a merchant, by what has to be done with them."""

    stock: int = 0
    orders: int = 0

    def add(self, other: _Held) -> None:
        """Count those of another product too."""
        self.stock += other.stock
        self.orders += other.orders

    def words(self) -> str:
        """How many there are."""
        packs = "1 pack" if self.stock == 1 else f"{self.stock} packs"
        return f"{packs} in stock, {self.orders} ordered and not handed over"

    def __bool__(self) -> bool:
        return bool(self.stock or self.orders)


@define
class _Products:
    """Files by product, what is held of each, and the entries that offered it though it was barred."""

    files: dict[str, Registered]
    held: dict[str, _Held]
    beyond: dict[str, list[int]] = field(factory=dict)
    by_merchant: dict[str, list[str]] = field(factory=dict)


def to_stop(asked: Asked) -> Iterator[Alert]:
    """Merchants whose service is stopped, or has to be, and products that may not be sold, as long as there is stock
    or an order of them (S1 IV(3), VIII(3), VIII(4); Q4)."""
    products = _products(asked)
    for name, registered in listing(asked.view, Enterprise.KIND, asked.as_of):
        if registered.stopped is not None:
            everything = _Held()
            for held in products.held.values():
                everything.add(held)
            if everything.orders:
                yield _stopped(asked, name, registered.stopped, everything, "the pilot")
    for name, registered in listing(asked.view, Merchant.KIND, asked.as_of):
        yield from _merchant(asked, products, name, registered)
    for name in sorted(products.held):
        yield from _product(asked, products, name)


def _products(asked: Asked) -> _Products:
    held: dict[str, _Held] = {}
    custodies = Counter(
        (class_of(pack), word >> 40 & CUSTODY_MASK)
        for pack, word in asked.survey.words.items()
        if word >> 40 & CUSTODY_MASK in _OPEN | IN_STOCK
    )
    for (product, custody), count in custodies.items():
        one = held.setdefault(product, _Held())
        if custody in _OPEN:
            one.orders += count
        else:
            one.stock += count
    found = _Products(dict(listing(asked.view, Product.KIND, asked.as_of)), held)
    for name, registered in found.files.items():
        if isinstance(registered.value, Product):
            found.by_merchant.setdefault(registered.value.merchant, []).append(name)
    for broken in asked.survey.broken:
        if any(code in broken.codes for code in _BEYOND):
            found.beyond.setdefault(class_of(broken.subject), []).append(broken.index)
    return found


def _merchant(asked: Asked, products: _Products, name: str, registered: Registered) -> Iterator[Alert]:
    mine = products.by_merchant.get(name, [])
    held = _Held()
    for product in mine:
        held.add(products.held.get(product, _Held()))
    measures = [one for one in (registered.suspended, registered.stopped) if one is not None]
    if measures:
        if held:
            yield _stopped(asked, name, min(measures), held, "the merchant")
        return
    versions = history(asked.view, Merchant.KIND, name, asked.as_of)
    since = max((one.index for one in versions if isinstance(one.value, Readmission)), default=-1)
    offered = sorted(i for product in mine for i in products.beyond.get(product, ()) if i > since)
    hidden = sorted(i for product in mine for i in _shielded(asked, products, product) if i > since)
    reasons = []
    if offered:
        times = "once" if len(offered) == 1 else f"{len(offered)} times"
        reasons.append(f"offered {times} what is beyond the scope or barred (S1 IV(3)1)")
    if hidden:
        reasons.append("published what had to be shielded (S1 IV(3)2)")
    if reasons:
        first = min((*offered, *hidden))
        yield Alert(
            AlertKind.MERCHANT_TO_STOP,
            Severity.CRITICAL,
            name,
            first,
            asked.received(first),
            f"it {' and '.join(reasons)}: stop its service, keep the records, report; {held.words()}",
            CLAUSE_OF[AlertKind.MERCHANT_TO_STOP],
            {
                "offered": tuple(offered),
                "shielded": tuple(hidden),
                "stock": held.stock,
                "orders": held.orders,
                "products": tuple(sorted(mine)),
            },
        )


def _shielded(asked: Asked, products: _Products, product: str) -> Iterator[int]:
    """The entries that shield the version in force of a product's information."""
    registered = products.files[product]
    if registered.version in registered.shielded:
        for one in history(asked.view, Product.KIND, product, asked.as_of):
            if isinstance(one.value, Shield) and one.value.version == registered.version:
                yield one.index


def _stopped(asked: Asked, name: str, index: int, held: _Held, what: str) -> Alert:
    return Alert(
        AlertKind.MERCHANT_TO_STOP,
        Severity.CRITICAL,
        name,
        index,
        asked.received(index),
        f"service for {what} is stopped since entry {index}; still {held.words()}",
        CLAUSE_OF[AlertKind.MERCHANT_TO_STOP],
        {"stopped": index, "stock": held.stock, "orders": held.orders},
    )


def _product(asked: Asked, products: _Products, name: str) -> Iterator[Alert]:
    registered = products.files.get(name)
    codes = [code for code in product_codes(asked.standing, name, asked.today) if code in _BARRED]
    if registered is None or registered.stopped is None:
        # Of its merchant, or of the pilot: that is their alert.
        codes = [code for code in codes if code != Violation.SERVICE_STOPPED]
    if not codes:
        return
    held = products.held[name]
    index = None if registered is None else registered.stopped or registered.index
    yield Alert(
        AlertKind.MERCHANT_TO_STOP,
        Severity.CRITICAL,
        name,
        index,
        asked.now if index is None else asked.received(index),
        f"{'; '.join(clause_of(code).words for code in codes)}; still {held.words()}",
        "; ".join(dict.fromkeys(clause_of(code).clause for code in codes)),
        {"codes": tuple(describe(code) for code in codes), "stock": held.stock, "orders": held.orders},
    )


def overdue_files(asked: Asked) -> Iterator[Alert]:
    """What the registers say has run out, or does not suffice (S1 III(1), IV(2), VI, VII)."""
    for one in overdue(asked.view, asked.today, as_of=asked.as_of):
        late = one.due is not None
        yield Alert(
            AlertKind.OVERDUE,
            Severity.WARNING,
            one.id,
            one.entry,
            asked.received(one.entry) if one.due is None else midnight(one.due) + 86_400_000,
            f"{one.kind}: {one.what}" + (f", due on {one.due}, {one.days} days ago" if late else ""),
            one.clause,
            {"kind": one.kind, "what": one.what, "due": None if one.due is None else str(one.due), "days": one.days},
        )
