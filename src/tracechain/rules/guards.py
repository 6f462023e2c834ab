"""The conditions of acts, one small function each: what of registers, buyers, documents and dates they break.

Each guard yields violations for one pack of one event; `GUARDS` says which guards stand before which act. Every one
cites the clause it comes from (domain.md section 1; S1 is the pilot's Implementation Plan).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from attrs import define

from tracechain.custody import CUSTODY_MASK, EXPIRY_SHIFT, Act, Custody, Violation, expiry_day
from tracechain.event import Event
from tracechain.event.sale import (
    EXPIRY,
    LOGISTICS_DOCUMENTS,
    LOT,
    PAYMENT_DOCUMENT,
    amount,
    destination,
    destinations,
    documents,
    label,
    sources,
)
from tracechain.registers import Carrier, Enterprise, Merchant, Place, Product, Profile, Scope
from tracechain.rules.standing import Registered, Standing

__all__ = [
    "ANCHOR_MASK",
    "EVENT_GUARDS",
    "LOT_SHIFT",
    "PACK_GUARDS",
    "Anchor",
    "Case",
    "Pack",
    "class_of",
    "event_codes",
    "lot_check",
    "place_at",
    "product_codes",
]

#: The memory of a pack: lot check (24 bits) x 2^40 + 1 + index of its anchor, the entry that later acts are held
#: against: its order, then its delivery, or its export. 0 is nothing.
LOT_SHIFT = 40
ANCHOR_MASK = (1 << LOT_SHIFT) - 1

Codes = tuple[int, ...]
_NONE: Codes = ()
_V = Violation
_ABROAD = frozenset(map(int, (Custody.NONE, Custody.ACTIVE, Custody.TRANSIT, Custody.DEAD)))
_WITH_BUYER = frozenset(map(int, (Custody.SOLD, Custody.STORE, Custody.DELIVERED)))
_SOLD_IN_PARTS = frozenset(map(int, (Custody.CLEARED, Custody.SOLD, Custody.DELIVERED)))
_ANSWERS_MOST = 65_536
_DAY = 86_400_000_000_000


@define
class Anchor:
    """The earlier entry that an act is held against: an order, a delivery, an export.

    `time` is in nanoseconds, `year` that of its receipt, in whose account an order counts.
    """

    time: int
    person: bytes | None
    orders: tuple[str, ...]
    amount: Decimal | None
    year: int


class Pack:
    """One pack of the event, as it stood before. What the memory holds of it is looked up when a guard asks.

    The judge sets one of these again and again: making an object a pack would cost as much as most guards do.
    """

    __slots__ = ("_anchored", "_known", "_look_up", "custody", "key", "state", "subject")

    def __init__(self, look_up: Callable[[Any], int], anchored: Callable[[int], Anchor | None]) -> None:
        self._look_up = look_up
        self._anchored = anchored

    def set(self, subject: str, state: int, key: Any) -> None:
        """Make it another pack."""
        self.subject = subject
        self.state = state
        self.custody = state & CUSTODY_MASK
        self.key = key
        self._known: int | None = None

    @property
    def memory(self) -> int:
        """The memory of the pack."""
        known = self._known
        if known is None:
            known = self._known = self._look_up(self.key)
        return known

    @property
    def lot(self) -> int:
        """The check of the lot it was commissioned with, 0 if none was stated."""
        return self.memory >> LOT_SHIFT

    @property
    def anchor(self) -> Anchor | None:
        """The entry that this act is held against; None if there is none, or its content is not kept."""
        place = self.memory & ANCHOR_MASK
        return self._anchored(place) if place else None


@define
class Case:
    """One event before the judge: what the registers say, the profile in force, and the day of the event.

    `today` is that day as expiry dates are kept, in days since 2000-01-01; `spent` is what the orders of a buyer that
    were received in a calendar year come to, in yuan.
    """

    standing: Standing
    profile: Profile
    event: Event
    day: date
    today: int
    spent: Callable[[bytes, int], Decimal]


def class_of(subject: str) -> str:
    """The product that a pack is of: its GTIN, or the first seven digits of its NMPA code."""
    return subject[:12] if subject.startswith("nmpa/") else subject[:17]


def lot_check(lot: str) -> int:
    """24 bits of a lot number, never 0: kept for each pack, to notice that another lot is stated later."""
    return int.from_bytes(sha256(b"lot " + lot.encode()).digest()[:3], "big") or 1


# ---- products and their merchants ---------------------------------------------------------------


def product_codes(standing: Standing, product: str, day: date) -> Codes:
    """What stands against selling a product on a day, as the registers are: R2, R4 to R7, G2. Worked out once, until a
    register changes."""
    key = ("product", product, day)
    found = standing.answers.get(key)
    if found is None:
        found = standing.answers[key] = tuple(sorted({int(v) for v in _against(standing, product, day)}))
    codes: Codes = found
    return codes


def _against(standing: Standing, product: str, day: date) -> Iterator[Violation]:
    if _stopped_enterprise(standing):
        yield _V.SERVICE_STOPPED
    registered = standing.find(Product.KIND, product)
    if registered is not None and registered.stopped is not None:
        yield _V.SERVICE_STOPPED
    if registered is None or registered.value is None:
        if standing.profile is not None and standing.profile.products_registered:
            yield _V.PRODUCT_UNREGISTERED
        return
    file: Product = registered.value
    if file.screening != "none":
        yield _V.PRODUCT_BARRED
    scope = _edition(standing.find(Scope.KIND, file.scope), day)
    if scope is None or file.id not in scope.products:
        yield _V.SCOPE
    merchant = standing.find(Merchant.KIND, file.merchant)
    if merchant is None or merchant.value is None or merchant.suspended is not None:
        yield _V.MERCHANT_SUSPENDED
    if merchant is not None and merchant.stopped is not None:
        yield _V.SERVICE_STOPPED


def _edition(registered: Registered | None, day: date) -> Scope | None:
    """The edition of a scope list on a day: one that was recorded ahead of its day leaves the former in force."""
    latest: Scope | None = None if registered is None else registered.value
    if registered is not None and latest is not None and day < latest.valid_from:
        former: Scope | None = registered.former
        return former
    return latest


def enterprise_of(standing: Standing) -> str | None:
    """The id of the pilot enterprise, the platform itself: the profile names it."""
    return None if standing.profile is None else standing.profile.enterprise


def _stopped_enterprise(standing: Standing) -> bool:
    name = enterprise_of(standing)
    found = None if name is None else standing.find(Enterprise.KIND, name)
    return found is not None and found.stopped is not None


def sold_lawfully(case: Case, pack: Pack) -> Codes:
    """Product in scope and screened, merchant active, service not stopped (S1 IV(3), VIII(3), VIII(4))."""
    if pack.custody != Custody.BONDED and pack.custody != Custody.CLEARED:
        return _NONE
    return product_codes(case.standing, class_of(pack.subject), case.day)


def part_sold_lawfully(case: Case, pack: Pack) -> Codes:
    """The same of the next part of a pack: an order to stop holds for that as well."""
    return product_codes(case.standing, class_of(pack.subject), case.day) if pack.custody in _SOLD_IN_PARTS else _NONE


def stored_lawfully(case: Case, pack: Pack) -> Codes:
    """The same of what goes to a store unsold: from there it is handed over (R13)."""
    return product_codes(case.standing, class_of(pack.subject), case.day) if pack.custody == Custody.CLEARED else _NONE


def sold_by_merchant(case: Case) -> Codes:
    """The platform itself may not sell (S1 III, IV(1)), nor who is no settled merchant, or not now (S1 IV(3))."""
    standing = case.standing
    codes: Codes = _NONE
    for name in sources(case.event, "owning_party"):
        seller = standing.find(Merchant.KIND, name)
        if name == enterprise_of(standing):
            codes += (_V.PLATFORM_SELLS,)
        elif seller is None or seller.value is None or seller.suspended is not None:
            codes += (_V.MERCHANT_SUSPENDED,)
        if seller is not None and seller.stopped is not None:
            codes += (_V.SERVICE_STOPPED,)
    return codes


# ---- buyers and documents -----------------------------------------------------------------------


def bought_by_consumer(case: Case, pack: Pack) -> Codes:
    """To individual consumers only: a natural person's token, and no organisation as the new owner (S1 IV(1))."""
    if pack.custody != Custody.BONDED:
        return _NONE
    company = destination(case.event, "owning_party") if case.event.destinations else None
    return (_V.NON_CONSUMER,) if case.event.person is None or company is not None else _NONE


def paid_as_ordered(case: Case, pack: Pack) -> Codes:
    """The payment is for the order: same order document, payer, amount, and a payment document (S2; [practice])."""
    if pack.custody != Custody.RESERVED:
        return _NONE
    event, order = case.event, pack.anchor
    agrees = (
        order is not None
        and _shared(documents(event, "po"), order.orders)
        and event.person == order.person
        and order.amount is not None  # what states none could not be held against the limits
        and amount(event) == order.amount
        and documents(event, PAYMENT_DOCUMENT)
    )
    return _NONE if agrees else (_V.THREE_DOC,)


def cleared_as_ordered(case: Case, pack: Pack) -> Codes:
    """Order, payment and logistics agree; the amounts are within the limits (S2; [practice])."""
    if pack.custody != Custody.RESERVED:
        return _NONE
    event, order = case.event, pack.anchor
    agrees = (
        order is not None
        and _shared(documents(event, "po"), order.orders)
        and documents(event, *LOGISTICS_DOCUMENTS)
        and event.person in (None, order.person)
    )
    codes = _NONE if agrees else (int(_V.THREE_DOC),)
    if order is not None and order.amount is not None:
        # The account that the order counts in: waiting for another year does not empty it.
        yearly = 0 if order.person is None else case.spent(order.person, order.year)
        if order.amount > case.profile.order_limit or yearly > case.profile.year_limit:
            codes = (*codes, _V.LIMIT)
    return codes


def _shared(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether they have one in common; nothing is not in common."""
    return bool(some) and (some == others or not set(some).isdisjoint(others))


def handed_to_buyer(case: Case, pack: Pack) -> Codes:
    """Who takes the pack is who ordered it, where the event says who that was (S1 IV(1); S4 Part 2)."""
    person = case.event.person
    order = None if person is None else pack.anchor
    if order is None or order.person is None or order.person == person:
        return _NONE
    return (_V.WRONG_BUYER,)


# ---- places and carriers ------------------------------------------------------------------------


def place_at(standing: Standing, name: str | None) -> Place | None:
    """The register's place of an id, or of the place that it is a part of."""
    while name is not None:
        found = standing.find(Place.KIND, name)
        if found is not None and isinstance(found.value, Place):
            return found.value
        # 414/<GLN>/254/<part> is a part of 414/<GLN>
        name = name.rpartition("/254/")[0] or None
    return None


def _place(case: Case) -> Place | None:
    event = case.event
    return place_at(case.standing, event.read_point) or place_at(case.standing, event.biz_location)


def _open(place: Place, day: date) -> bool:
    return place.closed_on is None or day < place.closed_on


def _licensed(place: Place, day: date) -> bool:
    """Whether packs may be handed over here: a licensed store, or one inside a special control area (S4 Part 2)."""
    licensed = place.licence is not None and (place.licensed_until is None or day <= place.licensed_until)
    return _open(place, day) and (licensed or place.zone is not None)


def in_zone(case: Case) -> Codes:
    """1210 stock lies in a listed zone, after customs confirmed it (S2; S1 III(1))."""
    place = _place(case)
    if (
        place is None
        or place.zone is None
        or place.confirmed_on is None
        or place.confirmed_on > case.day
        or not _open(place, case.day)
    ):
        return (_V.ZONE,)
    return _NONE


def at_known_place(case: Case) -> Codes:
    """What happens in China happens at a registered place; a bare position is none (S1 V, VI)."""
    event = case.event
    where = event.read_point or event.biz_location
    if where is None or where.startswith("geo:") or not case.profile.places_registered:
        return _NONE
    place = _place(case)
    return (_V.PLACE_UNREGISTERED,) if place is None or not _open(place, case.day) else _NONE


def to_licensed_store(case: Case, pack: Pack) -> Codes:
    """What was cleared goes to licensed stores only (S2; S4 Part 2)."""
    if pack.custody in _ABROAD:
        return _NONE
    names = destinations(case.event, "location", "possessing_party")
    stores = [place_at(case.standing, name) for name in names]
    lawful = stores and all(s is not None and s.type == "store" and _licensed(s, case.day) for s in stores)
    return _NONE if lawful else (_V.OFFLINE_PICKUP_UNLICENSED,)


def at_licensed_store(case: Case) -> Codes:
    """No pickup at a store that is not licensed (S2; S4 Part 2)."""
    place = _place(case)
    unlicensed = place is not None and place.type == "store" and not _licensed(place, case.day)
    return (_V.OFFLINE_PICKUP_UNLICENSED,) if unlicensed else _NONE


def by_assessed_carrier(case: Case, pack: Pack) -> Codes:
    """An entrusted carrier was assessed, and passed (S1 VI)."""
    if not case.event.sources or pack.custody in _ABROAD:
        return _NONE
    lawful = all(_may_carry(case, name) for name in sources(case.event, "possessing_party"))
    return _NONE if lawful else (_V.CARRIER_UNASSESSED,)


def _may_carry(case: Case, name: str) -> bool:
    if place_at(case.standing, name) is not None:
        return True
    found = case.standing.find(Carrier.KIND, name)
    carrier: Any = None if found is None else found.value
    if carrier is None:
        others = (case.standing.find(kind, name) for kind in (Merchant.KIND, Enterprise.KIND))
        return any(other is not None and other.value is not None for other in others)
    lawful: bool = carrier.result == "passed" and carrier.valid_until >= case.day
    return lawful


# ---- dates and labels ---------------------------------------------------------------------------


def _later_than(case: Case, pack: Pack, days: int) -> bool:
    """Whether the anchor is longer ago, or what it says is not kept any more. To the nanosecond, in whole numbers."""
    anchor = pack.anchor
    return anchor is None or case.event.event_time - anchor.time > days * _DAY


def applied_in_time(case: Case, pack: Pack) -> Codes:
    """A return is applied for within 30 days ([practice])."""
    if pack.custody not in _WITH_BUYER or not _later_than(case, pack, case.profile.return_apply_days):
        return _NONE
    return (_V.RETURN_LATE,)


def returned_in_time(case: Case, pack: Pack) -> Codes:
    """A return arrives within 45 days ([practice]), an export return within one year (S0)."""
    abroad = pack.custody == Custody.EXPORTED
    if not abroad and pack.custody not in _WITH_BUYER:
        return _NONE
    term = case.profile.export_return_days if abroad else case.profile.return_arrive_days
    if not _later_than(case, pack, term):
        return _NONE
    return (_V.EXPORT_RETURN_LATE if abroad else _V.RETURN_LATE,)


def not_expired(case: Case, pack: Pack) -> Codes:
    """Automatic lock after expiry (S1 VI): such stock leaves only as a loss or by export."""
    expiry = pack.state >> EXPIRY_SHIFT
    if not expiry or pack.custody in _ABROAD or case.today <= expiry:
        return _NONE
    return (_V.EXPIRED_LOCK,)


def labelled_as_commissioned(case: Case, pack: Pack) -> Codes:
    """Lot and expiry, where an event states them, are those of the commissioning (S1 V; EMVS: batch mismatch)."""
    lot, expiry = label(case.event, LOT), label(case.event, EXPIRY)
    codes: Codes = _NONE
    if lot is not None and pack.lot not in (0, lot_check(lot)):
        codes = (_V.LOT_MISMATCH,)
    known = pack.state >> EXPIRY_SHIFT
    if expiry is not None and known and expiry_day(expiry) != known:
        codes = (*codes, _V.EXPIRY_MISMATCH)
    return codes


EventGuard = Callable[[Case], Codes]
PackGuard = Callable[[Case, Pack], Codes]

#: What is the same for all packs of an event, and for all events at one place, day and party: asked once for these.
EVENT_GUARDS: dict[int, tuple[EventGuard, ...]] = {
    Act.BOND_IN: (in_zone,),
    Act.CLEAR: (at_known_place,),
    Act.SELL: (sold_by_merchant, at_known_place),
    Act.SELL_PART: (sold_by_merchant, at_known_place),
    Act.DISPENSE: (at_licensed_store, at_known_place),
    Act.DISPENSE_PART: (at_licensed_store, at_known_place),
    Act.RETURN_IN: (at_known_place,),
    Act.EXPORT_RETURN: (at_known_place,),
    Act.RELEASE: (at_known_place,),
}
#: What depends on the pack: its custody, its expiry, its order.
PACK_GUARDS: dict[int, tuple[PackGuard, ...]] = {
    Act.SHIP: (to_licensed_store, by_assessed_carrier, stored_lawfully, not_expired),
    Act.RESERVE: (bought_by_consumer, sold_lawfully, paid_as_ordered, not_expired),
    Act.CLEAR: (cleared_as_ordered, not_expired),
    Act.SELL: (sold_lawfully, not_expired),
    Act.SELL_PART: (part_sold_lawfully, not_expired),
    Act.DISPENSE: (handed_to_buyer, by_assessed_carrier, not_expired),
    Act.DISPENSE_PART: (handed_to_buyer, by_assessed_carrier, not_expired),
    Act.APPLY_RETURN: (applied_in_time,),
    Act.RETURN_IN: (returned_in_time,),
    Act.EXPORT_RETURN: (returned_in_time,),
    Act.RELEASE: (not_expired,),
}


def event_codes(case: Case, number: int) -> Codes:
    """What an event breaks whatever the pack, by the number of its act."""
    event, answers = case.event, case.standing.answers
    key = (number, case.today, event.read_point, event.biz_location, event.sources)
    found: Codes | None = answers.get(key)
    if found is None:
        if len(answers) >= _ANSWERS_MOST:
            answers.clear()
        found = answers[key] = tuple(code for guard in EVENT_GUARDS[number] for code in guard(case))
    return found
