"""The limits of the rules, as a record: a replay judges with the values that held."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from attrs import frozen

from tracechain.registers.fields import Days, Id, Label, Name, Register, Whole, Yuan
from tracechain.registers.forms import Count, Flag

__all__ = ["Profile"]

Hours: TypeAlias = Annotated[int, Count(24 * 366)]
Minutes: TypeAlias = Annotated[int, Count(60 * 24 * 7)]
Switch: TypeAlias = Annotated[bool, Flag()]


@frozen(kw_only=True)
class Profile(Register):
    """The values that rules, guards and alerts judge by (S1 VI, VII; S0; S2; EU 2016/161 art. 13; customs practice).

    No limit has a default here: the pilot's values and their clauses stand in a profile file (`pilot/beijing.toml`),
    and a profile of one's own says them all. Limits are in yuan, areas in square metres, the rest as its name says.
    """

    KIND: ClassVar[str] = "profile"
    CHAIN = ("profile", "name")

    name: Label
    edition: Name
    #: At most so much an order, and so much a person and calendar year.
    order_limit: Yuan
    year_limit: Yuan
    #: Import returns: applied for and arrived within so many days of the delivery (or the sale).
    return_apply_days: Days
    return_arrive_days: Days
    #: Export returns arrive within so many days of the export.
    export_return_days: Days
    #: An act may be undone for so many days.
    undo_days: Days
    #: The warning before expiry, where a product does not say its own.
    near_expiry_days: Days
    #: An event that is recorded later than this after it happened is late.
    late_recording_hours: Hours
    #: Nobody carries a pack from one registered place to another in less than this.
    movement_minutes: Minutes
    #: A sold pack should be delivered within so many days.
    delivery_days: Days
    #: Stock has to be confirmed by an inventory count this often.
    stocktake_days: Days
    #: A zone warehouse has at least this area, and more managers than this.
    warehouse_area: Whole
    warehouse_managers: Whole
    #: Files of products, merchants and carriers are verified again this often.
    reverify_days: Days
    #: Whether an event at a place, or for a product, that is not registered breaks a rule.
    places_registered: Switch
    products_registered: Switch
    #: The pilot enterprise (the platform): it may not sell, and a stop order for it stops every sale.
    enterprise: Id | None = None
