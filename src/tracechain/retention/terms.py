"""What a policy says of entries, remembered by all that it may ask of one.

Of a million entries few differ in what a policy asks: class, days, the packs' expiry. So each answer is worked out
once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from attrs import define, evolve, field

from tracechain.registers import Product
from tracechain.retention.bounds import After, Anchor, AtLeast, Bound
from tracechain.retention.dates import EAST_MS, MS_PER_DAY, day_of, floor_of
from tracechain.retention.decisions import Reason, Verdict, Why
from tracechain.retention.keeping import NO_PACK, expiry_of
from tracechain.retention.policy import NO_RULE, Facts, FieldBounds, Kept, Policy

__all__ = ["EAST_NS", "NS_PER_DAY", "Key", "Packs", "Terms", "event_day"]

EAST_NS, NS_PER_DAY = EAST_MS * 1_000_000, MS_PER_DAY * 1_000_000
_MOST = 1 << 20

#: Of a pack its product ("": not asked for, or not known) and the code of its expiry: days since 2000-01-01, 0 for one
#: that is not known, NO_PACK for goods that are no packs. Of an entry with one pack, or of all of its packs.
Packs: TypeAlias = "tuple[str, int] | frozenset[tuple[str, int]]"
#: Record class, day of receipt, day of the event (None: not asked for), packs.
Key: TypeAlias = "tuple[int, int, int | None, Packs]"


def event_day(time: int) -> int:
    """The day in Asia/Shanghai of a claimed time (ns)."""
    return (time + EAST_NS) // NS_PER_DAY


@define
class Terms:
    """Answers of one policy. `files` gives every version of a product's file."""

    policy: Policy
    files: Callable[[str], Sequence[Product]]
    #: What the policy asks for at all.
    asks_event: bool = field(init=False)
    asks_product: bool = field(init=False)
    fields: tuple[str, ...] = field(init=False)
    _entries: dict[Key, tuple[int, Reason]] = field(factory=dict, init=False)
    _fields: dict[tuple[Key, str], tuple[Verdict, Reason]] = field(factory=dict, init=False)
    _products: dict[str, tuple[str | None, int | None]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        anchors: set[Anchor] = set()
        classes = False
        named: set[str] = set()
        for _, rule in self.policy.rules():
            for bound in (rule.keep_until, rule.delete_by, rule.restrict_after):
                anchors.update(() if bound is None else _anchors(bound))
            classes = classes or bool(rule.selector.product_classes)
            named.update(rule.selector.fields)
        self.asks_event = not anchors.isdisjoint({Anchor.EVENT, Anchor.TRANSACTION})
        self.asks_product = classes or Anchor.PUBLISHED in anchors
        self.fields = tuple(sorted(named))

    def entry(self, key: Key) -> tuple[int, Reason]:
        """The last day on which an entry has to be kept, OPEN_DAY for ever, by policy and floor; and the reason."""
        found = self._entries.get(key)
        if found is None:
            if len(self._entries) >= _MOST:
                self._entries.clear()
            found = self._entries[key] = self._entry(key)
        return found

    def _entry(self, key: Key) -> tuple[int, Reason]:
        best: Kept | None = None
        for facts in self.facts(key):
            kept = self.policy.keep(facts)
            if best is None or kept.order > best.order:
                best = kept
        assert best is not None
        floor = floor_of(key[1])
        if floor > best.order:
            return floor, Reason(Why.FLOOR, day=floor)
        return best.order, Reason.of(best, Why.NO_RULE if best == NO_RULE else Why.POLICY)

    def personal(self, key: Key, name: str, today: int) -> tuple[Verdict, Reason]:
        """What becomes of a personal value by the bounds of its field: of an entry with several products, what is
        safe for all."""
        found = self._fields.get((key, name))
        if found is None:
            if len(self._fields) >= _MOST:
                self._fields.clear()
            said = [_bounded(self.policy.fields(facts, name), today) for facts in self.facts(key)]
            order = (Verdict.RESTRICT, Verdict.KEEP, Verdict.ERASE)
            found = self._fields[key, name] = min(said, key=lambda one: order.index(one[0]))
        return found

    def facts(self, key: Key) -> list[Facts]:
        """What a policy is asked of an entry: for each product by itself, as any may be the one that a rule is for."""
        record_class, received, event, packs = key
        by_product: dict[str, list[int]] = {}
        for product, code in packs if isinstance(packs, frozenset) else (packs,):
            by_product.setdefault(product, []).append(code)
        some = []
        for product, codes in by_product.items() or (("", [NO_PACK]),):
            product_class, published = self._product(product) if product else (None, None)
            expiries = tuple(expiry_of(code) for code in sorted(codes) if code != NO_PACK)
            some.append(Facts(record_class, received, event, expiries, None, published, product_class))
        return some

    def _product(self, product: str) -> tuple[str | None, int | None]:
        """Category of a product, None where none or several are registered, and the last day of publication."""
        found = self._products.get(product)
        if found is None:
            files = self.files(product)
            classes = {file.category for file in files}
            days = [day_of(file.published_on) for file in files]
            one = classes.pop() if len(classes) == 1 else None
            found = self._products[product] = one, max(days, default=None)
        return found


def _bounded(bounds: FieldBounds, today: int) -> tuple[Verdict, Reason]:
    delete, restrict, keep = bounds.delete_by, bounds.restrict_after, bounds.keep_until
    if bounds.overdue(today) and delete is not None:
        return Verdict.ERASE, Reason.of(delete)
    if bounds.restricted(today):
        past = delete if delete is not None and delete.due(today) else restrict
        assert past is not None
        running = keep is not None and not keep.due(today)
        note = f"{keep.regime}: {keep.rule} runs still" if keep is not None and running else None
        return Verdict.RESTRICT, evolve(Reason.of(past), note=note)
    if keep is not None and not keep.due(today):
        return Verdict.KEEP, Reason.of(keep)
    return Verdict.KEEP, Reason(Why.NOT_OVERDUE)


def _anchors(bound: Bound) -> set[Anchor]:
    match bound:
        case After():
            return {bound.anchor}
        case AtLeast():
            return _anchors(bound.bound) | _anchors(bound.least)
    parts: tuple[Bound, ...] = getattr(bound, "parts", ())
    return {anchor for part in parts for anchor in _anchors(part)}
