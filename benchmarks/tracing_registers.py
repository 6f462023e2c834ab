"""The registers under which the facts of `tracing_data` are lawful by the pilot's rules."""

from __future__ import annotations

from datetime import date

from tracechain import pilot
from tracechain.registers import Carrier, Merchant, Place, Product, Register, Scope
from tracing_data import CARRIERS, MERCHANT, PRODUCT, STATIONS, STORES, WAREHOUSES

__all__ = ["registers"]

_DAY, _LATER = date(2023, 1, 2), date(2033, 1, 2)


def registers() -> list[Register]:
    """A profile, the product and its merchant, and every place and carrier that is asked for."""
    found: list[Register] = [
        pilot.load_profile("beijing"),
        Scope(name="list", edition="1", valid_from=_DAY, authority="customs", products=(PRODUCT,)),
        Merchant(
            id=MERCHANT, name="Shop", country="JP", agreement=bytes(32), agreed_on=_DAY, conditions=("licensed",),
            documents=(), admitted_on=_DAY, verify_by=_LATER,
        ),
        Product(
            id=PRODUCT, name="Drops", name_zh="滴眼液", model="1", specification="10 ml", indications="-",
            contraindications="-", registration_number="1", registered_in="JP", maker="Maker", merchant=MERCHANT,
            category="drug", screening="none", scope="list", verified_on=_DAY, verify_by=_LATER, published_on=_DAY,
        ),
    ]  # fmt: skip
    found += [
        Place(id=one, name="Warehouse", type="zone-warehouse", zone="Tianzhu", confirmed_on=_DAY, area=900, managers=4)
        for one in WAREHOUSES
    ]
    found += [Place(id=one, name="Store", type="store", licence="1", licensed_until=_LATER) for one in STORES]
    found += [Place(id=one, name="Station", type="delivery-area") for one in STATIONS]
    found += [
        Carrier(
            id=one, name="Carrier", assessed_on=_DAY, assessed_by="Quality", result="passed", valid_until=_LATER,
            responsibility="Delivery",
        )
        for one in CARRIERS
    ]  # fmt: skip
    return found
