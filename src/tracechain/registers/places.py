"""Places: plants, ports, warehouses in a zone and outside, stores, areas of delivery."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from attrs import frozen

from tracechain.registers.fields import Day, Id, Name, Register, Whole
from tracechain.registers.forms import Choice

__all__ = ["PLACE_TYPES", "Place"]

PLACE_TYPES = ("plant", "port", "zone-warehouse", "warehouse", "store", "office", "delivery-area")

PlaceType: TypeAlias = Annotated[str, Choice(PLACE_TYPES)]


@frozen(kw_only=True)
class Place(Register):
    """A place where packs may be (warehouse S1 VI; bonded zone S2, method 1210; licensed store S4 Part 2).

    `zone` names the bonded or special control area that it lies in, `confirmed_on` is the day on which customs
    confirmed that the zone meets the requirements of 1210. `area` is in square metres, `managers` counts the warehouse
    managers. `licence` is the store's, good to `licensed_until` inclusive. From `closed_on` on nothing happens there.
    """

    KIND: ClassVar[str] = "place"
    CHAIN = ("place", "id")

    id: Id
    name: Name
    type: PlaceType
    zone: Name | None = None
    confirmed_on: Day | None = None
    area: Whole | None = None
    managers: Whole | None = None
    licence: Name | None = None
    licensed_until: Day | None = None
    closed_on: Day | None = None
