"""stock: how many packs are in hand, by product, lot, merchant, custody and place.

What stands where now is a walk over the index. Neither lots nor places are in it: a lot is found from the event that
brought one of its packs into being, and then all of the lot at once, since events that state a lot are mentioned under
it; where a pack is, `tracing.whereabouts` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from tracechain.custody import CUSTODY_MASK, Custody, is_pack
from tracechain.errors import InputError
from tracechain.rules.guards import class_of
from tracechain.tracing.locate import Located, Locator
from tracechain.tracing.lots import Lots
from tracechain.tracing.tracer import Tracer
from tracechain.tracing.values import StockRow
from tracechain.view import Unit, View

__all__ = ["IN_HAND", "STOCK_KEYS", "stock"]

#: What units can be counted by.
STOCK_KEYS = ("product", "lot", "merchant", "custody", "place")
#: Custodies of packs that are in the hands of those who sell them: not sold, exported, or destroyed.
IN_HAND = frozenset(
    (
        Custody.ACTIVE, Custody.TRANSIT, Custody.BONDED, Custody.RESERVED, Custody.CLEARED, Custody.STORE,
        Custody.RETURNED, Custody.REWORK,
    )
)  # fmt: skip

#: What the ids of packs begin with; of those in the spellings of other standards too (custody.is_pack).
_BEGINNINGS = ("01/", "http://", "https://", "nmpa/", "urn:epc:id:sgtin:")
_CUSTODIES = {int(one): one.name.lower() for one in Custody}
_AT_ONCE = 4096


class _Stand(NamedTuple):
    """A pack that is counted. No attrs class: there may be a million."""

    pack: str
    custody: int
    place: str | None


def stock(
    view: View,
    place: str | None = None,
    as_of: int | None = None,
    *,
    by: Sequence[str] = ("product",),
    all: bool = False,  # noqa: A002 - every custody is what it says
    merchants: Callable[[str], str | None] | None = None,
) -> list[StockRow]:
    """How many packs there are, in rows that have the keys `by` in common (STOCK_KEYS), in order of these.

    Counted is what is in hand (IN_HAND), with `all` in every custody; at a place (canonical id) or parts of it, if one
    is given; now, or at a claimed time (ns). A lot is one of a product, so `lot` brings `product` with it. The lot is
    that which the event says that brought the pack into being, the first one where there are several. `merchants`
    tells the merchant of a product ("01/<gtin>"). InputError for other keys.

    States alone cost microseconds a pack; a place, or a time, some hundred.
    """
    keys = _checked(by, merchants)
    counted = frozenset(map(int, Custody if all else IN_HAND))
    found: Counter[tuple[str | None, ...]] = Counter()
    tracer = Tracer(view)
    lots = Lots(tracer.containment)
    located = place is not None or as_of is not None or "place" in keys
    stands = _located(tracer, counted, place, as_of) if located else _standing(view, counted)
    for product, some in groupby(stands, key=lambda one: class_of(one.pack)):
        packs: Iterable[_Stand] = list(some) if "lot" in keys else some  # noqa: B031 - one of the two
        lot_of = lots.of_many(one.pack for one in packs).get if "lot" in keys else _nothing
        merchant = merchants(product) if merchants is not None and "merchant" in keys else None
        by_product = product if "product" in keys else None
        with_custody, with_place = "custody" in keys, "place" in keys
        alike = Counter(
            (lot_of(pack), custody if with_custody else -1, where if with_place else None)
            for pack, custody, where in packs
        )
        for (lot, custody, where), count in alike.items():
            found[by_product, lot, merchant, _CUSTODIES.get(custody), where] += count
    ordered = sorted(found.items(), key=lambda item: [(one is None, one or "") for one in item[0]])
    return [StockRow(count, *named) for named, count in ordered]


def _checked(by: Sequence[str], merchants: object) -> frozenset[str]:
    for key in by:
        if key not in STOCK_KEYS:
            raise InputError(f"stock is not counted by {key!r:.40}: there are {', '.join(STOCK_KEYS)}")
    if "merchant" in by and merchants is None:
        raise InputError("stock by merchant needs `merchants`, which tells the merchant of a product")
    return frozenset(by) | ({"product"} if "lot" in by else frozenset())


def _nothing(_: str) -> None:
    return None


def _packs(view: View) -> Iterator[tuple[str, Unit]]:
    for beginning in _BEGINNINGS:
        for subject, unit in view.subjects(beginning):
            if is_pack(subject):
                yield subject, unit


def _standing(view: View, counted: frozenset[int]) -> Iterator[_Stand]:
    """What is counted, wherever it is, in order of ids."""
    for pack, unit in _packs(view):
        custody = unit.state & CUSTODY_MASK
        if custody in counted:
            yield _Stand(pack, custody, None)


def _located(tracer: Tracer, counted: frozenset[int], place: str | None, as_of: int | None) -> Iterator[_Stand]:
    """What is, or was, counted, with where it is."""
    for one in _now(tracer, counted) if as_of is None else _then(tracer, counted, as_of):
        if place is None or (one.place is not None and (one.place == place or one.place.startswith(f"{place}/254/"))):
            yield one


def _now(tracer: Tracer, counted: frozenset[int]) -> Iterator[_Stand]:
    locator = Locator(tracer, Located)
    packs = (one.pack for one in _standing(tracer.view, counted))
    while some := list(islice(packs, _AT_ONCE)):
        for unit, state, _, where, *_ in sorted(locator.locate(some)):
            yield _Stand(unit, state & CUSTODY_MASK, where)


def _then(tracer: Tracer, counted: frozenset[int], as_of: int) -> Iterator[_Stand]:
    for pack, _ in _packs(tracer.view):
        found = tracer.whereabouts(pack, as_of)
        custody = 0 if found.unit is None else found.unit.state & CUSTODY_MASK
        if found.unit is not None and custody in counted:
            yield _Stand(pack, custody, found.place)
