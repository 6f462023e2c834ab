"""Open recalls: whether one covers a pack that is no flagged one, as far as the pack, the registers and the event tell.

Flagging the packs that a recall affects is an event like any other, and reaches only what is known then. The judge
itself holds every guarded act against the criteria of the open recalls, so that a pack of the lot that is commissioned
tomorrow is refused like those of yesterday.

A criterion is true, false or unknown (None) of a pack, in Kleene's logic: product, lot, code, maker and merchant are
known here; where a pack has been, or what it was exposed to, is not. Only what is true refuses: a recall that knows
better has flagged the pack.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from attrs import frozen

from tracechain import custody
from tracechain.criteria import AllOf, AnyOf, ByMaker, ByMerchant, Codes, Criterion, Lot, Not, OfProduct
from tracechain.custody import ACT_MASK, Flag, Violation
from tracechain.event import Event, TransformationEvent
from tracechain.event.sale import LOT, label
from tracechain.registers import Product
from tracechain.rules.guards import Pack, class_of, lot_check
from tracechain.rules.standing import Standing

__all__ = ["GUARDED", "Known", "covering", "meets", "recalled", "would_refuse"]

#: Acts that a recalled pack is refused, by number.
GUARDED: tuple[bool, ...] = tuple(
    any(act == number and rule.guarded for act, rule in custody.RULES.items()) for number in range(ACT_MASK + 1)
)
_RECALLED = (int(Violation.RECALLED),)


@frozen
class Known:
    """What is known of a pack: its product and the register's file of it, the check of its lot (0: unknown) and its
    code; None where it is not known."""

    product: str | None
    file: Product | None
    lot: int = 0
    code: str | None = None


def recalled(standing: Standing, event: Event, pack: Pack, number: int) -> tuple[int, ...]:
    """The violation of an act (by number) of a pack that an open recall covers, if it is none for a flagged one."""
    if not GUARDED[number] or pack.state & Flag.RECALLED or not would_refuse(number, pack.state):
        return ()
    return () if covering(standing, event, pack) is None else _RECALLED


def would_refuse(number: int, state: int) -> bool:
    """Whether the table refuses the act to a pack in this state, were it recalled: it has exceptions of its own."""
    return _RECALLED[0] in custody.PILOT_TABLE[state | Flag.RECALLED, number][1]


def covering(standing: Standing, event: Event, pack: Pack) -> str | None:
    """The id of the first open recall that covers a pack for certain, None if there is none."""
    product = class_of(pack.subject) if pack.subject.startswith(("01/", "nmpa/")) else None
    key = ("recalls", product)
    found: tuple[Known, tuple[tuple[str, Criterion], ...]] | None = standing.answers.get(key)
    if found is None:
        registered = None if product is None else standing.find(Product.KIND, product)
        known = Known(product, None if registered is None else registered.value)
        # What is false of all packs of a product is not asked of each.
        some = tuple((name, step.criterion) for name, step in standing.recalls.items() if step.criterion is not None)
        found = standing.answers[key] = known, tuple((n, c) for n, c in some if meets(c, known) is not False)
    known, asked = found
    if not asked:
        return None
    known = Known(product, known.file, pack.lot or _stated_lot(event), pack.subject)
    return next((name for name, criterion in asked if meets(criterion, known)), None)


def _stated_lot(event: Event) -> int:
    """The check of the lot that the label says, for a pack that nobody stated the lot of."""
    if not event.extensions or isinstance(event, TransformationEvent):  # which states the lot of what it makes
        return 0
    lot = label(event, LOT)
    return lot_check(lot) if lot else 0


def meets(criterion: Criterion, known: Known) -> bool | None:
    """Whether a pack meets a criterion; None where that is not known here."""
    match criterion:
        case Lot():
            if known.product != criterion.product:
                return None if known.product is None else False
            return known.lot == lot_check(criterion.lot) if known.lot else None
        case OfProduct():
            return None if known.product is None else known.product == criterion.product
        case ByMaker():
            return None if known.file is None else criterion.maker in (known.file.maker, known.file.maker_id)
        case ByMerchant():
            return None if known.file is None else criterion.merchant == known.file.merchant
        case Codes():
            return None if known.code is None else _listed(criterion.codes, known.code)
        case AllOf():
            return _all(meets(part, known) for part in criterion.parts)
        case AnyOf():
            return _not(_all(_not(meets(part, known)) for part in criterion.parts))
        case Not():
            return _not(meets(criterion.part, known))
    return None


def _listed(codes: tuple[str, ...], code: str) -> bool:
    at = bisect_left(codes, code)  # they are sorted, and may be thousands
    return at < len(codes) and codes[at] == code


def _not(met: bool | None) -> bool | None:
    return None if met is None else not met


def _all(several: Iterable[bool | None]) -> bool | None:
    result: bool | None = True
    for met in several:
        if met is False:
            return False
        if met is None:
            result = None
    return result
