"""What the makers send: one EPCIS 2.0 document a lot, from commissioning to the departure of the sea container."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from tracechain.demo.units import Case, Lot, Pack, Pallet
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

__all__ = ["ARRIVAL", "cased", "commissioned", "maker_events", "packed", "shipped"]

#: When the pallets of the day reach the warehouse.
ARRIVAL = DAY + 5 * HOUR + 30 * MINUTE
#: Packs that a line commissions in one event, at most.
RUN = 250
MASTER_DATA = "urn:epcglobal:cbv:mda:"


def maker_events(lot: Lot, number: int, random: Random) -> list[tuple[str, Event]]:
    """(step, event) of a lot at its maker's, in order of time; `number` counts the day's lots from 0."""
    start = DAY - (44 - number) * 24 * HOUR + random.randrange(6 * 3600) * SECOND
    events: list[tuple[str, Event]] = []
    line, packs = f"LINE-{1 + number % 3}", lot.packs
    for first in range(0, len(packs), RUN):
        events.append(("commission", commissioned(lot, packs[first : first + RUN], line, start)))
        start += random.randrange(8, 15) * MINUTE
    for case in lot.cases:
        start += random.randrange(40, 90) * SECOND
        events.append(("pack", cased(lot, case, start)))
    for pallet in lot.pallets:
        start += random.randrange(15, 40) * MINUTE
        events.append(("pack", packed(lot, pallet.id, tuple(case.id for case in pallet.cases), start)))
        if lot.product.cold:
            events.append(("sensor", logged(pallet, random)))
    start += 50 * MINUTE
    pallets = tuple(pallet.id for pallet in lot.pallets)
    events.append(("pack", packed(lot, lot.container, pallets, start)))
    events.append(("ship", shipped(lot, (lot.container,), start + 20 * HOUR, f"DA-{4100 + number}")))
    return events


def commissioned(lot: Lot, packs: Sequence[Pack], line: str, time: int) -> ObjectEvent:
    """Packs of a lot come off a line."""
    maker = lot.product.maker
    return ObjectEvent(
        event_time=time,
        time_zone_offset=maker.offset,
        epcs=tuple(pack.id for pack in packs),
        action="ADD",
        biz_step="commissioning",
        disposition="active",
        read_point=f"{maker.plant}/254/{line}",
        biz_location=maker.plant,
        ilmd=(
            Extension(MASTER_DATA, "lotNumber", lot.number),
            Extension(MASTER_DATA, "itemExpirationDate", lot.expiry),
        ),
    )


def cased(lot: Lot, case: Case, time: int) -> AggregationEvent:
    """Packs go into their case."""
    return packed(lot, case.id, tuple(pack.id for pack in case.packs), time)


def packed(lot: Lot, parent: str, children: tuple[str, ...], time: int) -> AggregationEvent:
    """Packs into a case, cases onto a pallet, or pallets into a sea container."""
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


def shipped(lot: Lot, codes: tuple[str, ...], time: int, advice: str) -> ObjectEvent:
    """A consignment leaves for Beijing, with its despatch advice."""
    maker = lot.product.maker
    return ObjectEvent(
        event_time=time,
        time_zone_offset=maker.offset,
        epcs=codes,
        action="OBSERVE",
        biz_step="shipping",
        disposition="in_transit",
        read_point=f"{maker.plant}/254/GATE",
        biz_location=maker.plant,
        biz_transactions=(BizTransaction("desadv", f"urn:epcglobal:cbv:bt:{maker.plant[4:]}:{advice}"),),
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
