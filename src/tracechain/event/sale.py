"""The terms of the cross-border sale that CBV 2.0 has no name for, and readers of what an event says with them.

A sale leaves a trail of events on each pack, tied by documents: `order` and `payment` (TransactionEvents) name the
purchase order (`po`) and carry the amount; a payment names its payment document as well; `clear` names the purchase
order and a logistics document (`bol` or `desadv`). The buyer is `Event.person`, a token from the vault.
Field by field this is docs/scan-files.md; what is judged by it is docs/format.md section 7.
"""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING

from tracechain.event.model import MASTER_DATA as MASTER_DATA_SPELLINGS
from tracechain.event.model import ilmd_value

if TYPE_CHECKING:
    from tracechain.event.model import Event

__all__ = [
    "AMOUNT",
    "AMOUNT_NAMESPACE",
    "CUSTOMS_CLEARING",
    "EXPIRY",
    "EXPORT_RETURN_DOCUMENT",
    "LOGISTICS_DOCUMENTS",
    "LOT",
    "MASTER_DATA",
    "PAYMENT_DOCUMENT",
    "amount",
    "destination",
    "destinations",
    "documents",
    "is_amount",
    "is_labelled",
    "label",
    "source",
    "sources",
]

#: Where the sale's own fields stand among an event's extensions.
AMOUNT_NAMESPACE = "urn:tracechain:pilot:"
#: The field of the amount, in yuan: a Decimal over 0 and under 10^15, with at most two digits after the point.
AMOUNT = "amount"
_LEAST, _MOST = Decimal("0.01"), Decimal(10**15)
#: For a number of 19 digits with any exponent of an event, and whatever the caller's context is.
_EXACT = Context(prec=160)
#: The type of the document that says that an order was paid.
PAYMENT_DOCUMENT = "urn:tracechain:btt:payment"
#: The type of the document under which exported goods come back.
EXPORT_RETURN_DOCUMENT = "urn:tracechain:btt:export_return"
#: Documents of the carriage, of which `clear` names one: bill of lading, despatch advice.
LOGISTICS_DOCUMENTS = ("bol", "desadv")
#: The business step of customs clearance.
CUSTOMS_CLEARING = "urn:tracechain:customs_clearing"

#: CBV master data of a pack: its namespace, and the names of the lot number and of the expiry date (YYYY-MM-DD).
MASTER_DATA = "urn:epcglobal:cbv:mda:"
LOT = "lotNumber"
EXPIRY = "itemExpirationDate"


def amount(event: Event) -> Decimal | None:
    """The amount in yuan, or None where the event states none, or something that can be none."""
    for one in event.extensions:
        if one.name == AMOUNT and one.namespace == AMOUNT_NAMESPACE:
            return one.value if isinstance(one.value, Decimal) and is_amount(one.value) else None
    return None


def is_amount(value: Decimal) -> bool:
    """Whether a number of an event can be an amount: another would make room in its buyer's account, or be rounded."""
    return _LEAST <= value < _MOST and not _EXACT.remainder(value, _LEAST)


def documents(event: Event, *types: str) -> tuple[str, ...]:
    """The ids of the event's documents of any of these types (`po`, `PAYMENT_DOCUMENT`, ...), sorted."""
    return tuple([one.id for one in event.biz_transactions if one.type in types])


def source(event: Event, kind: str) -> str | None:
    """The first source of this type ("owning_party": the seller; "possessing_party": the carrier), or None."""
    return next((one.id for one in event.sources if one.type == kind), None)


def sources(event: Event, kind: str) -> tuple[str, ...]:
    """All sources of this type: one must not hide behind another."""
    return tuple([one.id for one in event.sources if one.type == kind])


def destination(event: Event, *types: str) -> str | None:
    """The first destination of the first of these types that has one ("location": where it goes), or None."""
    return next((one.id for kind in types for one in event.destinations if one.type == kind), None)


def destinations(event: Event, *types: str) -> tuple[str, ...]:
    """All destinations of the first of these types that has one."""
    for kind in types:
        if found := tuple([one.id for one in event.destinations if one.type == kind]):
            return found
    return ()


def is_labelled(event: Event) -> bool:
    """Whether an event states what a label said, beside its ilmd."""
    return any(one.namespace in MASTER_DATA_SPELLINGS for one in event.extensions)


def label(event: Event, name: str) -> str | None:
    """What a label said (`LOT` or `EXPIRY`): in the ilmd of what came into being, else among the extensions; there as
    here the first spelling of the namespace of master data that has it (`ilmd_value`)."""
    found = ilmd_value(event, name)
    if found is None:
        said = {one.namespace: one.value for one in event.extensions if one.name == name}
        found = next((said[spelling] for spelling in MASTER_DATA_SPELLINGS if spelling in said), None)
    return found if isinstance(found, str) else None
