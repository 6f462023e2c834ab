"""Valid events in one line each: packs of one product, cases they travel in, and what happens to them on the way.

    packs, case = pack_ids(3), case_id(1)
    ledger.append([commission(packs), pack(case, packs)])
    ledger.append([ship([case]), sell(packs[:1]), destroy(packs[1:2])])

Codes are of GS1's example prefix 952, which no company has. Times are milliseconds, as a `Clock` tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tracechain import identifiers
from tracechain.event import (
    Action,
    AggregationEvent,
    BizTransaction,
    Event,
    Extension,
    ObjectEvent,
    Quantity,
    SensorElement,
    SensorReport,
    TransactionEvent,
    TransformationEvent,
)
from tracechain.testing.standins import START

__all__ = [
    "PRODUCT",
    "SHOP",
    "WAREHOUSE",
    "case_id",
    "commission",
    "destroy",
    "observe",
    "order",
    "pack",
    "pack_ids",
    "receive",
    "relabel",
    "sample_events",
    "sell",
    "sensor",
    "ship",
    "stock",
    "unpack",
]

#: GTIN of the product that `pack_ids` makes packs of.
PRODUCT = "09521234001072"
#: Places: a bonded warehouse and a shop.
WAREHOUSE = "414/9521234000013/254/17"
SHOP = "414/9521234000020"

_LOT = Extension("urn:epcglobal:cbv:mda", "lotNumber", "LOT-A7")
_EXPIRY = Extension("urn:epcglobal:cbv:mda", "itemExpirationDate", "2028-06-30")
_BEIJING = 480


def pack_ids(count: int, *, start: int = 1, product: str = PRODUCT) -> tuple[str, ...]:
    """Canonical ids of `count` packs of a product (a GTIN), with serial numbers from `start` on."""
    return tuple(f"01/{product}/21/BJ{serial:06d}" for serial in range(start, start + count))


def case_id(number: int) -> str:
    """The canonical id of a case: an SSCC with a valid check digit. `number` is at most nine digits."""
    body = f"09521234{number:09d}"
    return f"00/{body}{identifiers.check_digit(body)}"


def _object(
    epcs: Sequence[str], action: Action, step: str, disposition: str, place: str | None, at: int
) -> ObjectEvent:
    return ObjectEvent(
        event_time=at * 1_000_000,
        time_zone_offset=_BEIJING,
        epcs=tuple(epcs),
        action=action,
        biz_step=step,
        disposition=disposition,
        read_point=place,
        biz_location=place,
    )


def commission(epcs: Sequence[str], *, at: int = START) -> ObjectEvent:
    """Packs come into being, with lot and expiry."""
    return ObjectEvent(
        event_time=at * 1_000_000,
        time_zone_offset=_BEIJING,
        epcs=tuple(epcs),
        action="ADD",
        biz_step="commissioning",
        disposition="active",
        read_point=WAREHOUSE,
        ilmd=(_LOT, _EXPIRY),
    )


def observe(epcs: Sequence[str], *, at: int = START, place: str = WAREHOUSE) -> ObjectEvent:
    """Things are seen where they are, as in a stocktake."""
    return _object(epcs, "OBSERVE", "stock_taking", "in_progress", place, at)


def ship(epcs: Sequence[str], *, at: int = START) -> ObjectEvent:
    """Things leave the warehouse."""
    return _object(epcs, "OBSERVE", "shipping", "in_transit", WAREHOUSE, at)


def receive(epcs: Sequence[str], *, at: int = START) -> ObjectEvent:
    """Things arrive in the shop."""
    return _object(epcs, "OBSERVE", "receiving", "in_progress", SHOP, at)


def sell(epcs: Sequence[str], *, at: int = START) -> ObjectEvent:
    """Packs are sold to consumers."""
    return _object(epcs, "OBSERVE", "retail_selling", "retail_sold", SHOP, at)


def destroy(epcs: Sequence[str], *, at: int = START) -> ObjectEvent:
    """Packs are destroyed: an event for them after this one is a violation."""
    return _object(epcs, "DELETE", "destroying", "destroyed", WAREHOUSE, at)


def pack(case: str, epcs: Sequence[str], *, at: int = START, action: Action = "ADD") -> AggregationEvent:
    """Packs go into a case."""
    return AggregationEvent(
        event_time=at * 1_000_000,
        time_zone_offset=_BEIJING,
        epcs=tuple(epcs),
        parent=case,
        action=action,
        biz_step="packing" if action == "ADD" else "unpacking",
        disposition="in_progress",
        read_point=WAREHOUSE,
    )


def unpack(case: str, epcs: Sequence[str] = (), *, at: int = START) -> AggregationEvent:
    """Packs come out of a case; all of them if none are named."""
    return pack(case, epcs, at=at, action="DELETE")


def order(epcs: Sequence[str], number: str, *, at: int = START) -> TransactionEvent:
    """Packs are reserved for a purchase order."""
    return TransactionEvent(
        event_time=at * 1_000_000,
        time_zone_offset=_BEIJING,
        epcs=tuple(epcs),
        action="ADD",
        biz_step="reserving",
        disposition="reserved",
        biz_transactions=(BizTransaction("po", f"urn:epcglobal:cbv:bt:9521234000013:{number}"),),
    )


def relabel(old: Sequence[str], new: Sequence[str], *, at: int = START) -> TransformationEvent:
    """Old codes end, new ones begin on the same goods."""
    return TransformationEvent(
        event_time=at * 1_000_000,
        time_zone_offset=_BEIJING,
        epcs=tuple(old),
        output_epcs=tuple(new),
        biz_step="repackaging",
        read_point=WAREHOUSE,
    )


def stock(count: int, *, at: int = START, product: str = PRODUCT) -> ObjectEvent:
    """A stocktake that counts packs of a lot instead of naming them: its subject is the lot."""
    return ObjectEvent(
        event_time=at * 1_000_000,
        time_zone_offset=_BEIJING,
        action="OBSERVE",
        biz_step="stock_taking",
        quantities=(Quantity(f"01/{product}/10/LOT-A7", Decimal(count)),),
        read_point=WAREHOUSE,
    )


def sensor(celsius: str, *, at: int = START) -> ObjectEvent:
    """A temperature of the warehouse: an event that names no unit, so its entry has no rows."""
    report = SensorReport(type="Temperature", value=Decimal(celsius), uom="CEL")
    return ObjectEvent(
        event_time=at * 1_000_000,
        time_zone_offset=_BEIJING,
        action="OBSERVE",
        biz_step="sensor_reporting",
        sensors=(SensorElement(reports=(report,)),),
        read_point=WAREHOUSE,
    )


def sample_events(packs: int = 8, *, at: int = START) -> list[list[Event]]:
    """The life of some packs (at least 4) as six batches, with every kind of event and one broken rule at the end.

    Commissioned, packed, shipped, received, unpacked, ordered, sold; one destroyed, one relabelled; and the destroyed
    one is seen again, which is kept with a violation.
    """
    ids, case = pack_ids(packs), case_id(1)
    new = pack_ids(1, start=900_001)
    minute = 60_000
    return [
        [*(commission((one,), at=at) for one in ids), stock(packs, at=at)],
        [pack(case, ids, at=at + minute), ship((case,), at=at + 2 * minute), sensor("21.5", at=at + 2 * minute)],
        [receive((case,), at=at + 60 * minute), unpack(case, ids, at=at + 61 * minute)],
        [order(ids[:2], "4711", at=at + 90 * minute), sell(ids[:1], at=at + 100 * minute)],
        [destroy(ids[2:3], at=at + 120 * minute), relabel(ids[3:4], new, at=at + 121 * minute)],
        [observe(ids[2:3], at=at + 180 * minute), sell(ids[1:2], at=at + 181 * minute)],
    ]
