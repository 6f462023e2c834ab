"""What the makers send: one EPCIS 2.0 document a lot, from commissioning to the pallets' departure."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from tracechain.demo.units import Lot, Pallet
from tracechain.demo.world import BEIJING, DAY, HOUR, MINUTE, SECOND, STORAGE, WAREHOUSE
from tracechain.event import (
    AggregationEvent,
    BizTransaction,
    Event,
    Extension,
    ObjectEvent,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDest,
)

__all__ = ["ARRIVAL", "maker_events"]

#: When the pallets of the day reach the warehouse.
ARRIVAL = DAY + 5 * HOUR + 30 * MINUTE
#: Packs that a line commissions in one event, at most.
RUN = 250
MASTER_DATA = "urn:epcglobal:cbv:mda:"


def maker_events(lot: Lot, number: int, random: Random) -> list[tuple[str, Event]]:
    """(step, event) of a lot at its maker's, in order of time; `number` counts the day's lots from 0."""
    maker = lot.product.maker
    start = DAY - (44 - number) * 24 * HOUR + random.randrange(6 * 3600) * SECOND
    events: list[tuple[str, Event]] = []
    ilmd = (
        Extension(MASTER_DATA, "lotNumber", lot.number),
        Extension(MASTER_DATA, "itemExpirationDate", lot.expiry),
    )
    packs = lot.packs
    for first in range(0, len(packs), RUN):
        run = ObjectEvent(
            event_time=start,
            time_zone_offset=maker.offset,
            epcs=tuple(pack.id for pack in packs[first : first + RUN]),
            action="ADD",
            biz_step="commissioning",
            disposition="active",
            read_point=f"{maker.plant}/254/LINE-{1 + number % 3}",
            biz_location=maker.plant,
            ilmd=ilmd,
        )
        events.append(("commission", run))
        start += random.randrange(8, 15) * MINUTE
    for case in lot.cases:
        start += random.randrange(40, 90) * SECOND
        events.append(("pack", packed(lot, case.id, tuple(pack.id for pack in case.packs), start)))
    for pallet in lot.pallets:
        start += random.randrange(15, 40) * MINUTE
        events.append(("pack", packed(lot, pallet.id, tuple(case.id for case in pallet.cases), start)))
        events.append(("ship", shipped(lot, pallet, start + 20 * HOUR, number)))
        if lot.product.cold:
            events.append(("sensor", logged(pallet, random)))
    return events


def packed(lot: Lot, parent: str, children: tuple[str, ...], time: int) -> AggregationEvent:
    """Packs into a case, or cases onto a pallet."""
    maker = lot.product.maker
    return AggregationEvent(
        event_time=time,
        time_zone_offset=maker.offset,
        parent=parent,
        epcs=children,
        action="ADD",
        biz_step="packing",
        disposition="in_progress",
        read_point=f"{maker.plant}/254/PACKING",
        biz_location=maker.plant,
    )


def shipped(lot: Lot, pallet: Pallet, time: int, number: int) -> ObjectEvent:
    """The pallet leaves for Beijing, with its despatch advice."""
    maker = lot.product.maker
    return ObjectEvent(
        event_time=time,
        time_zone_offset=maker.offset,
        epcs=(pallet.id,),
        action="OBSERVE",
        biz_step="shipping",
        disposition="in_transit",
        read_point=f"{maker.plant}/254/GATE",
        biz_location=maker.plant,
        biz_transactions=(BizTransaction("desadv", f"urn:epcglobal:cbv:bt:{maker.plant[4:]}:DA-{4100 + number}"),),
        sources=(SourceDest("owning_party", maker.plant),),
        destinations=(SourceDest("possessing_party", WAREHOUSE),),
    )


def logged(pallet: Pallet, random: Random) -> ObjectEvent:
    """What the pallet's temperature logger reports when it is read at the warehouse."""
    lowest = Decimal(random.randrange(22, 30)).scaleb(-1)
    report = SensorReport(
        type="Temperature",
        min_value=lowest,
        max_value=lowest + Decimal(random.randrange(20, 45)).scaleb(-1),
        mean_value=lowest + Decimal("1.4"),
        uom="CEL",
    )
    metadata = SensorMetadata(
        start_time=ARRIVAL - 60 * HOUR, end_time=ARRIVAL, device_id=f"urn:epc:id:giai:9521105.LOG{pallet.id[-5:]}"
    )
    return ObjectEvent(
        event_time=ARRIVAL,
        time_zone_offset=BEIJING,
        epcs=(pallet.id,),
        action="OBSERVE",
        biz_step="sensor_reporting",
        read_point=STORAGE,
        sensors=(SensorElement(metadata=metadata, reports=(report,)),),
    )
