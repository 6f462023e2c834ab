"""A few fields of an event's content without building the event: what a rule looks back at, for the ingest loop."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

from tracechain.encoding.primitives import unpack_known
from tracechain.errors import DecodeError
from tracechain.event.sale import AMOUNT, AMOUNT_NAMESPACE, is_amount
from tracechain.event.vocabulary import BIZ_TRANSACTION_TYPE

__all__ = ["claimed_time", "glimpse", "packing_of"]

_PO = BIZ_TRANSACTION_TYPE.codes["po"]
# Positions in the array (format.md section 9.1).
_AGGREGATION = 2
_PARENT = 4
_TIME, _TRANSACTIONS, _PERSON, _EXTENSIONS = 1, 11, 24, 26


def glimpse(content: bytes) -> tuple[int, bytes | None, tuple[str, ...], Decimal | None]:
    """(event time, person, ids of its purchase orders, amount) of an event whose content is known to be valid.

    DecodeError where it is damaged after all.
    """
    try:
        return _fields(cast("tuple[Any, ...]", unpack_known(content)))
    except (TypeError, ValueError, IndexError) as error:
        raise DecodeError(f"a stored content is damaged ({error}): verify the ledger") from None


def claimed_time(content: bytes) -> int:
    """The event time (ns) of such an event."""
    try:
        time: int = cast("tuple[Any, ...]", unpack_known(content))[_TIME]
    except (TypeError, IndexError) as error:
        raise DecodeError(f"a stored content is damaged ({error}): verify the ledger") from None
    return time


def packing_of(content: bytes) -> tuple[str | None, int]:
    """Container and event time (ns) of such an event, if it is a packing; (None, 0) of any other content."""
    items = unpack_known(content)
    if not isinstance(items, tuple) or len(items) <= _PARENT or items[0] != _AGGREGATION:
        return None, 0
    return cast("str | None", items[_PARENT]), cast("int", items[_TIME])


def _fields(items: tuple[Any, ...]) -> tuple[int, bytes | None, tuple[str, ...], Decimal | None]:
    count = len(items)
    person = items[_PERSON] if count > _PERSON else None
    transactions = (items[_TRANSACTIONS] or ()) if count > _TRANSACTIONS else ()
    orders = tuple([one[0] for one in transactions if len(one) > 1 and one[1] == _PO])
    fields = (items[_EXTENSIONS] or ()) if count > _EXTENSIONS else ()
    for at in range(0, len(fields), 3):
        if fields[at + 1] == AMOUNT and fields[at] == AMOUNT_NAMESPACE:
            value = fields[at + 2]
            if isinstance(value, tuple) and value[0] == 0:
                sign, digits = int(value[1] < 0), tuple(map(int, str(abs(value[1]))))
                yuan = Decimal((sign, digits, value[2]))
                return items[_TIME], person, orders, yuan if is_amount(yuan) else None
    return items[_TIME], person, orders, None
