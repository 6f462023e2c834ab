"""stock: how many packs are in hand, by product, lot, merchant, custody and place.

What stands where now is a walk over the index. Neither lots nor places are in it: a lot is found from the event that
brought one of its packs into being, and then all of the lot at once, since events that state a lot are mentioned under
it; where a pack is, `tracing.whereabouts` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from attrs import evolve

from tracechain import encoding
from tracechain.custody import CUSTODY_MASK, Custody, is_pack
from tracechain.entry import HEADER_STRUCT, SALT_SIZE
from tracechain.errors import InputError
from tracechain.event.sale import LOT, label
from tracechain.rules.guards import class_of
from tracechain.rules.mentions import lot_name
from tracechain.rules.packing import TANGLED
from tracechain.tracing.containment import Containment
from tracechain.tracing.facts import ADD, OBJECT, TRANSFORMATION, Fact, epcs_of
from tracechain.tracing.tracer import Tracer
from tracechain.tracing.values import StockRow
from tracechain.view import View

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
_ROWS, _FIRST_ROWS = 10, 13  # of the fields of a header
_TRACED_MOST = 20_000


class _Stand(NamedTuple):
    """A pack in stock: what is counted of it beside product and lot."""

    pack: str
    state: int
    place: str | None = None


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
    found: Counter[tuple[str | None, ...]] = Counter()
    tracer = Tracer(view)
    stands = _stands(tracer, place, as_of, everything=all, placed="place" in keys)
    for product, packs in groupby(stands, key=lambda stand: class_of(stand.pack)):
        merchant = merchants(product) if merchants is not None and "merchant" in keys else None
        with_lots = _with_lots(tracer.containment, product, packs) if "lot" in keys else ((None, one) for one in packs)
        # States hold dates of expiry, and few differ: names are looked up once for each of what is left.
        alike = Counter(
            (lot, state & CUSTODY_MASK if "custody" in keys else -1, where if "place" in keys else None)
            for lot, (_, state, where) in with_lots
        )
        for (lot, custody, where), count in alike.items():
            named = (
                product if "product" in keys else None, lot, merchant, _CUSTODIES.get(custody), where,
            )  # fmt: skip
            found[named] += count
    ordered = sorted(found.items(), key=lambda item: [(one is None, one or "") for one in item[0]])
    return [StockRow(count, *named) for named, count in ordered]


def _checked(by: Sequence[str], merchants: object) -> frozenset[str]:
    for key in by:
        if key not in STOCK_KEYS:
            raise InputError(f"stock is not counted by {key!r:.40}: there are {', '.join(STOCK_KEYS)}")
    if "merchant" in by and merchants is None:
        raise InputError("stock by merchant needs `merchants`, which tells the merchant of a product")
    return frozenset(by) | ({"product"} if "lot" in by else frozenset())


def _stands(
    tracer: Tracer, place: str | None, as_of: int | None, *, everything: bool, placed: bool
) -> Iterator[_Stand]:
    """The packs that are counted, in order of their ids."""
    counted = frozenset(map(int, Custody if everything else IN_HAND))
    view = tracer.view
    if as_of is None and place is None and not placed:
        for pack, unit in _packs(view):
            if unit.state & CUSTODY_MASK in counted:
                yield _Stand(pack, unit.state)
        return
    for number, (pack, unit) in enumerate(_packs(view)):
        if as_of is None and unit.state & CUSTODY_MASK not in counted:
            continue
        where = tracer.whereabouts(pack, as_of)
        if where.unit is None or where.unit.state & CUSTODY_MASK not in counted:
            continue
        if place is None or where.place == place or (where.place or "").startswith(f"{place}/254/"):
            yield _Stand(pack, where.unit.state, where.place)
