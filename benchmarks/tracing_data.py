"""What tracing is measured on: lots of units with their whole lives, five levels of codes, in order of time.

    unit      01/.../21/...   40 in a case
    case      00/...          25 on a pallet, later some of them on another one in the warehouse
    pallet    00/...          20 in a container
    container 8003/...        up to 8 on a voyage, or up to 10 on one that is still at sea
    voyage    402/...

One unit in five is at sea. The others were unpacked level by level and booked in case by case, then counted; three
cases in five were opened, and most of their units sold one by one. Units are named by some 12 events each (4 of one at
sea), about 10 on average; what happens to pallets, containers and voyages names only those.

A lot's facts depend on nothing but the lot and the shape, so that a lot is the same alone and among others. Few facts
come late, up to some hours: counts by scanners that were offline, scans of containers. No two events have the same
time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from heapq import merge
from itertools import islice, repeat

from attrs import frozen

from tracechain.event import (
    AggregationEvent,
    BizTransaction,
    Event,
    Extension,
    ObjectEvent,
    SourceDest,
    TransactionEvent,
)
from tracechain.event.sale import (
    AMOUNT,
    AMOUNT_NAMESPACE,
    CUSTOMS_CLEARING,
    EXPIRY,
    LOT,
    MASTER_DATA,
    PAYMENT_DOCUMENT,
)
from tracechain.identifiers import check_digit

__all__ = ["CARRIERS", "MERCHANT", "PRODUCT", "STATIONS", "STORES", "WAREHOUSES", "Facts", "Lot", "Shape", "unit_scans"]

_BEGIN = 1_700_000_000_000_000_000
_SECOND = 1_000_000_000
_HOUR = 3600
_DAY = 24 * _HOUR

#: The class of all units, and what their ids begin with.
PRODUCT = "01/09521234001072"
_SERIAL = f"{PRODUCT}/21/BJ"


def _gln(number: int) -> str:
    body = f"9521234{number:05d}"
    return body + check_digit(body)


_FACTORY = f"414/{_gln(100)}"
_HUB = f"414/{_gln(200)}"
_PORTS = tuple(f"414/{_gln(300 + n)}" for n in range(5))
WAREHOUSES = tuple(f"414/{_gln(400 + n)}" for n in range(3))
STORES = tuple(f"414/{_gln(500 + n)}" for n in range(12))
STATIONS = tuple(f"414/{_gln(600 + n)}" for n in range(200))
CARRIERS = tuple(f"417/{_gln(700 + n)}" for n in range(6))
MERCHANT = "417/9521234000037"


@frozen
class Shape:
    """How many of a level are in one of the next, and how many units one event of making or shipping names."""

    case: int = 40
    pallet: int = 25
    container: int = 20
    voyage: int = 8
    run: int = 250
    layer: int = 5  # cases


@frozen
class Lot:
    """A lot: its name, the number of its first container among all (two lots share none), when its making begins (s)
    and how long a case takes (s)."""

    name: str
    units: int
    first: int
    start: int
    pace: int


def _spread(number: int, salt: int) -> int:
    """A number from 0 to 2^24 - 1 that looks drawn."""
    mixed = (number * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ mixed >> 31) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return mixed >> 40


def _percent(number: int, salt: int) -> int:
    return _spread(number, salt) % 100


# ---- kinds of facts, in the order of a life ----------------------------------------------------

(
    _COMMISSION, _PACK_CASE, _INSPECT, _PACK_PALLET, _SHIP, _PALLET_SHIPPED, _PALLET_AT_HUB, _PACK_CONTAINER,
    _CONTAINER_AT_GATE, _PACK_VOYAGE, _VOYAGE_SEEN, _UNPACK_VOYAGE, _CONTAINER_IN_YARD, _CONTAINER_IN_ZONE,
    _UNPACK_CONTAINER, _PALLET_AT_DOCK, _UNPACK_PALLET, _BOND_IN, _RESTACK, _RESTACKED, _COUNT, _PICK, _UNPACK_CASE,
    _ORDER, _PAY, _CLEAR, _SELL, _DELIVER, _TO_STORE, _PICK_UP, _APPLY, _RETURN, _CONFORM, _RELEASE, _DESTROY,
) = range(35)  # fmt: skip

# A planned fact is one number, so that millions of them can be sorted: second of arrival, kind, which time, what.
_WHAT_BITS, _TIME_BITS, _KIND_BITS = 28, 3, 6
_LATE = {
    _COUNT: (2, 3 * _HOUR),
    _PALLET_AT_HUB: (5, 2 * _HOUR),
    _CONTAINER_AT_GATE: (5, 6 * _HOUR),
    _VOYAGE_SEEN: (5, 6 * _HOUR),
}


def _fact(second: int, kind: int, what: int, time: int = 0) -> int:
    """`second` is when it happens; a late one arrives later."""
    late = _delay(kind, what, time)
    return (((second + late) << _KIND_BITS | kind) << _TIME_BITS | time) << _WHAT_BITS | what


def _delay(kind: int, what: int, time: int) -> int:
    percent, most = _LATE.get(kind, (0, 0))
    return 1 + _spread(what, 90 + time) % most if percent and _percent(what, 80 + time) < percent else 0


class Facts:
    """The facts of some lots, as events in the order in which they arrive."""

    def __init__(self, lots: Sequence[Lot], shape: Shape | None = None) -> None:
        self.lots = tuple(lots)
        self.shape = shape or Shape()
        shape = self.shape
        self._in_container = shape.case * shape.pallet * shape.container
        self._make = _makers(self)

    # ---- codes ----

    def unit(self, lot: Lot, number: int) -> str:
        """The id of a lot's unit, numbered from 0."""
        return self._unit(lot.first * self._in_container + number)

    def _unit(self, number: int) -> str:
        return f"{_SERIAL}{number * 7919:011d}"

    def _units(self, first: int, stop: int, lot: Lot) -> tuple[str, ...]:
        stop = min(stop, lot.first * self._in_container + lot.units)
        return tuple([f"{_SERIAL}{number * 7919:011d}" for number in range(first, stop)])

    # ---- the plan ----

    def _plan(self, lot: Lot) -> list[int]:
        shape = self.shape
        found: list[int] = []
        add = found.append
        first_unit = lot.first * self._in_container
        cases = -(-lot.units // shape.case)
        first_case = first_unit // shape.case
        per_run = -(-shape.run * lot.pace // shape.case)

        for run in range(-(-lot.units // shape.run)):
            add(_fact(lot.start + (run + 1) * per_run, _COMMISSION, first_unit + run * shape.run))
        closed = [lot.start + (k + 1) * lot.pace + 2 * per_run + 600 for k in range(cases)]
        for k, second in enumerate(closed):
            add(_fact(second, _PACK_CASE, first_case + k))
            add(_fact(second + _DAY + _spread(k, 1) % (2 * _HOUR), _INSPECT, first_case + k))
        pallets = -(-cases // shape.pallet)
        first_pallet = first_case // shape.pallet
        loaded = []
        for p in range(pallets):
            last = min((p + 1) * shape.pallet, cases) - 1
            second = closed[last] + 30 * _HOUR
            loaded.append(second)
            add(_fact(second, _PACK_PALLET, first_pallet + p))
            for layer in range(p * shape.pallet, last + 1, shape.layer):
                add(_fact(second + _HOUR + layer % shape.pallet * 10, _SHIP, first_case + layer))
            add(_fact(second + 2 * _HOUR, _PALLET_SHIPPED, first_pallet + p))
            add(_fact(second + 8 * _HOUR, _PALLET_AT_HUB, first_pallet + p))
        containers = -(-pallets // shape.container)
        stuffed = []
        for c in range(containers):
            second = loaded[min((c + 1) * shape.container, pallets) - 1] + 12 * _HOUR
            stuffed.append(second)
            add(_fact(second, _PACK_CONTAINER, lot.first + c))
            add(_fact(second + 6 * _HOUR, _CONTAINER_AT_GATE, lot.first + c))
        for voyage, aboard in self._voyages(lot):
            sailed = stuffed[aboard[-1]] + _DAY
            at_sea = _is_at_sea(aboard[0])
            add(_fact(sailed, _PACK_VOYAGE, voyage))
            for time, days in enumerate((1, 4) if at_sea else (1, 4, 8, 12)):
                add(_fact(sailed + days * _DAY, _VOYAGE_SEEN, voyage, time))
            if at_sea:
                continue
            landed = sailed + 13 * _DAY
            add(_fact(landed, _UNPACK_VOYAGE, voyage))
            for at, c in enumerate(aboard):
                self._plan_arrival(add, lot, c, landed + _DAY + at * 4 * _HOUR, cases)
        found.sort()
        return found

    def _voyages(self, lot: Lot) -> Iterator[tuple[int, list[int]]]:
        """(number, containers of the lot from 0) of each voyage: those at sea carry every fifth container."""
        containers = -(-lot.units // self._in_container)
        for sea, most in ((False, self.shape.voyage), (True, self.shape.voyage + 2)):
            some = [c for c in range(containers) if _is_at_sea(c) == sea]
            for at in range(0, len(some), most):
                # The first container's number is the voyage's: two lots share none.
                yield lot.first + some[at], some[at : at + most]

    def _plan_arrival(self, add: Callable[[int], None], lot: Lot, c: int, second: int, cases: int) -> None:
        shape = self.shape
        add(_fact(second, _CONTAINER_IN_YARD, lot.first + c))
        add(_fact(second + 6 * _HOUR, _CONTAINER_IN_ZONE, lot.first + c))
        add(_fact(second + 12 * _HOUR, _UNPACK_CONTAINER, lot.first + c))
        first_case = lot.first * shape.container * shape.pallet
        for at, p in enumerate(range(c * shape.container, (c + 1) * shape.container)):
            if p * shape.pallet >= cases:
                break
            pallet = lot.first * shape.container + p
            docked = second + 13 * _HOUR + at * 600
            add(_fact(docked, _PALLET_AT_DOCK, pallet))
            add(_fact(docked + 2 * _HOUR, _UNPACK_PALLET, pallet))
            booked = docked + 3 * _HOUR
            if p % 5 == 1:
                add(_fact(booked + _DAY, _RESTACK, pallet))
                add(_fact(booked + 36 * _HOUR, _RESTACKED, pallet, 0))
                add(_fact(booked + 12 * _DAY, _RESTACKED, pallet, 1))
            for k in range(p * shape.pallet, min((p + 1) * shape.pallet, cases)):
                case = first_case + k
                stored = booked + k % shape.pallet * 60
                add(_fact(stored, _BOND_IN, case))
                for time, days in enumerate((2, 5, 9)):
                    add(_fact(stored + days * _DAY + _spread(k, 2 + time) % (6 * _HOUR), _COUNT, case, time))
                if p % 5 in {0, 2, 3}:
                    add(_fact(stored + 10 * _DAY, _PICK, case))
                    add(_fact(stored + 10 * _DAY + _HOUR, _UNPACK_CASE, case))
                    stop = min((case + 1) * shape.case, lot.first * self._in_container + lot.units)
                    for number in range(case * shape.case, stop):
                        _plan_sale(add, number, stored + 11 * _DAY)

    # ---- events ----

    def __iter__(self) -> Iterator[Event]:
        """All events, in the order in which they arrive."""
        # Last digits of times (ns): no two events have the same, and a lot's do not depend on the lots beside it.
        last = dict.fromkeys((lot.name for lot in self.lots), 0)
        plans = [zip(self._plan(lot), repeat(lot)) for lot in self.lots]
        what_mask, time_mask, kind_mask = (1 << _WHAT_BITS) - 1, (1 << _TIME_BITS) - 1, (1 << _KIND_BITS) - 1
        for fact, lot in merge(*plans, key=lambda one: one[0]):
            what = fact & what_mask
            time = fact >> _WHAT_BITS & time_mask
            kind = fact >> _WHAT_BITS + _TIME_BITS & kind_mask
            second = (fact >> _WHAT_BITS + _TIME_BITS + _KIND_BITS) - _delay(kind, what, time)
            last[lot.name] += 1
            nanos = _BEGIN + second * _SECOND + lot.first * 5_000_000 + last[lot.name]
            yield self._make[kind](lot, what, time, nanos)

    def commits(self, size: int) -> Iterator[list[Event]]:
        """The same in commits of `size`."""
        events = iter(self)
        while commit := list(islice(events, size)):
            yield commit


def _is_at_sea(container: int) -> bool:
    return container % 5 == 4


def _plan_sale(add: Callable[[int], None], number: int, opened: int) -> None:
    fate = _percent(number, 10)
    second = opened + _spread(number, 11) % (20 * _DAY)
    if fate >= 80:
        if fate == 99:
            add(_fact(second, _DESTROY, number))
        return
    add(_fact(second, _ORDER, number))
    add(_fact(second + 600, _PAY, number))
    add(_fact(second + _DAY, _CLEAR, number))
    if fate < 5:
        add(_fact(second + 26 * _HOUR, _TO_STORE, number))
        if fate < 3:
            add(_fact(second + 4 * _DAY, _PICK_UP, number))
        return
    add(_fact(second + 26 * _HOUR, _SELL, number))
    if fate < 15:
        return
    add(_fact(second + 3 * _DAY, _DELIVER, number))
    if fate < 17:
        add(_fact(second + 8 * _DAY, _APPLY, number))
        add(_fact(second + 12 * _DAY, _RETURN, number))
        if fate == 15:
            add(_fact(second + 13 * _DAY, _CONFORM, number))
            add(_fact(second + 13 * _DAY + _HOUR, _RELEASE, number))


def unit_scans(events: Sequence[Event]) -> int:
    """Pairs of an event and a unit that it names."""
    return sum(len(event.epcs) for event in events if event.epcs and event.epcs[0].startswith("01/"))


# ---- making events -----------------------------------------------------------------------------

_Maker = Callable[[Lot, int, int, int], Event]


def _sscc(kind: int, number: int) -> str:
    body = f"09521234{kind}{number:08d}"
    return f"00/{body}{check_digit(body)}"


def _container(number: int) -> str:
    return f"8003/09521234000013C{number:07d}"


def _voyage(number: int) -> str:
    body = f"9521234{number:09d}"
    return f"402/{body}{check_digit(body)}"


def _carrier(number: int) -> tuple[SourceDest, ...]:
    return (_CARRIED[number % len(CARRIERS)],)


_CARRIED = tuple(SourceDest("possessing_party", one) for one in CARRIERS)
_SELLER = (SourceDest("owning_party", MERCHANT),)
_TO_STORES = tuple(SourceDest("location", one) for one in STORES)
_PRICE = (Extension(AMOUNT_NAMESPACE, AMOUNT, Decimal(128)),)


def _makers(facts: Facts) -> list[_Maker]:
    """By kind: an event of (lot, what, which time, ns)."""
    shape = facts.shape

    def units_of_cases(first: int, count: int, lot: Lot) -> tuple[str, ...]:
        return facts._units(first * shape.case, (first + count) * shape.case, lot)

    def some(lot: Lot, first: int, count: int, per: int, code: Callable[[int], str]) -> tuple[str, ...]:
        """The codes of `count` of a level, `per` units each, as far as the lot goes."""
        stop = -(-(lot.first * facts._in_container + lot.units) // per)
        return tuple([code(number) for number in range(first, min(first + count, stop))])

    def warehouse(case: int) -> tuple[str, str]:
        place = WAREHOUSES[case // (shape.pallet * shape.container) % len(WAREHOUSES)]
        return f"{place}/254/{_spread(case, 20) % 40 + 1}", place

    def at_warehouse_of(number: int) -> str:
        return WAREHOUSES[number // facts._in_container % len(WAREHOUSES)]

    def seen(
        nanos: int, epcs: tuple[str, ...], step: str, disposition: str, place: str | None, location: str | None = None,
        sources: tuple[SourceDest, ...] = (), action: str = "OBSERVE", person: bytes | None = None,
        documents: tuple[BizTransaction, ...] = (), destinations: tuple[SourceDest, ...] = (),
    ) -> Event:  # fmt: skip
        return ObjectEvent(
            event_time=nanos, time_zone_offset=480, epcs=epcs, action=action, biz_step=step, disposition=disposition,  # type: ignore[arg-type]  # one of the three
            read_point=place, biz_location=location, sources=sources, destinations=destinations, person=person,
            biz_transactions=documents,
        )  # fmt: skip

    def packed(
        nanos: int, parent: str, epcs: tuple[str, ...], place: str, action: str = "ADD",
        sources: tuple[SourceDest, ...] = (),
    ) -> Event:  # fmt: skip
        return AggregationEvent(
            event_time=nanos, time_zone_offset=480, parent=parent, epcs=epcs, action=action,  # type: ignore[arg-type]  # likewise
            biz_step="packing" if action == "ADD" else "unpacking", disposition="in_progress", read_point=place,
            sources=sources,
        )  # fmt: skip

    case_code: Callable[[int], str] = lambda number: _sscc(1, number)  # noqa: E731  # one of a level's codes
    pallet_code: Callable[[int], str] = lambda number: _sscc(2, number)  # noqa: E731  # likewise
    per_pallet = shape.case * shape.pallet

    def cases_of(lot: Lot, pallet: int) -> tuple[str, ...]:
        return some(lot, pallet * shape.pallet, shape.pallet, shape.case, case_code)

    def pallets_of(lot: Lot, container: int) -> tuple[str, ...]:
        return some(lot, container * shape.container, shape.container, per_pallet, pallet_code)

    def containers_of(lot: Lot, voyage: int) -> tuple[str, ...]:
        aboard = next(those for number, those in facts._voyages(lot) if number == voyage)
        return tuple(_container(lot.first + c) for c in aboard)

    def commission(lot: Lot, what: int, _: int, nanos: int) -> Event:
        return ObjectEvent(
            event_time=nanos, time_zone_offset=480, epcs=facts._units(what, what + shape.run, lot), action="ADD",
            biz_step="commissioning", disposition="active", read_point=f"{_FACTORY}/254/{what // shape.run % 4 + 1}",
            biz_location=_FACTORY,
            ilmd=(Extension(MASTER_DATA, LOT, lot.name), Extension(MASTER_DATA, EXPIRY, "2028-06-30")),
        )  # fmt: skip

    def deal(number: int, nanos: int, *more: BizTransaction) -> Event:
        return TransactionEvent(
            event_time=nanos, time_zone_offset=480, epcs=(facts._unit(number),), action="ADD", biz_step="reserving",
            disposition="reserved", biz_transactions=(_order(number), *more), person=_buyer(number), sources=_SELLER,
            extensions=_PRICE,
        )  # fmt: skip

    def clear(_: Lot, number: int, __: int, nanos: int) -> Event:
        documents = (_order(number), BizTransaction("bol", f"urn:example:bol:{number}"))
        return seen(
            nanos, (facts._unit(number),), CUSTOMS_CLEARING, "in_progress", f"{at_warehouse_of(number)}/254/customs",
            documents=documents,
        )  # fmt: skip

    def one(step: str, disposition: str, place: Callable[[int], str], *, action: str = "OBSERVE") -> _Maker:
        def made(_: Lot, number: int, __: int, nanos: int) -> Event:
            return seen(nanos, (facts._unit(number),), step, disposition, place(number), action=action)

        return made

    def deliver(_: Lot, number: int, __: int, nanos: int) -> Event:
        place = STATIONS[_spread(number, 12) % len(STATIONS)]
        return seen(
            nanos, (facts._unit(number),), "dispensing", "dispensed", place, sources=_carrier(number),
            person=_buyer(number),
        )  # fmt: skip

    def to_store(_: Lot, number: int, __: int, nanos: int) -> Event:
        return seen(
            nanos, (facts._unit(number),), "shipping", "in_transit", f"{at_warehouse_of(number)}/254/out",
            sources=_carrier(number), destinations=(_TO_STORES[number % len(STORES)],),
        )  # fmt: skip

    def pick_up(_: Lot, number: int, __: int, nanos: int) -> Event:
        place = STORES[number % len(STORES)]
        return seen(nanos, (facts._unit(number),), "dispensing", "dispensed", place, person=_buyer(number))

    def apply(_: Lot, number: int, __: int, nanos: int) -> Event:
        return TransactionEvent(
            event_time=nanos, time_zone_offset=480, epcs=(facts._unit(number),), action="ADD", person=_buyer(number),
            biz_transactions=(BizTransaction("rma", f"urn:example:rma:{number}"), _order(number)),
        )  # fmt: skip

    def unpack_container(lot: Lot, what: int, _: int, nanos: int) -> Event:
        place = WAREHOUSES[what % len(WAREHOUSES)]
        return packed(nanos, _container(what), pallets_of(lot, what) if what % 2 else (), f"{place}/254/dock", "DELETE")

    def unpack_pallet(lot: Lot, what: int, _: int, nanos: int) -> Event:
        place = WAREHOUSES[what // shape.container % len(WAREHOUSES)]
        cases = cases_of(lot, what) if what % 3 else ()
        return packed(nanos, pallet_code(what), cases, f"{place}/254/dock", "DELETE")

    def restack(lot: Lot, what: int, _: int, nanos: int) -> Event:
        place = WAREHOUSES[what // shape.container % len(WAREHOUSES)]
        return packed(nanos, _sscc(3, what), cases_of(lot, what), f"{place}/254/stacks")

    def restacked(_: Lot, what: int, time: int, nanos: int) -> Event:
        place = WAREHOUSES[(what // shape.container + time) % len(WAREHOUSES)]
        return seen(nanos, (_sscc(3, what),), "storing", "in_progress", f"{place}/254/high{what % 9}", place)

    def voyage_seen(_: Lot, what: int, time: int, nanos: int) -> Event:
        place = _PORTS[time if time < 3 else 3 + what % 2]
        return seen(nanos, (_voyage(what),), "transporting", "in_transit", place, sources=_carrier(what))

    returns = f"{WAREHOUSES[0]}/254/returns"
    makers: dict[int, _Maker] = {
        _COMMISSION: commission,
        _PACK_CASE: lambda lot, what, _, nanos: packed(
            nanos, case_code(what), units_of_cases(what, 1, lot), f"{_FACTORY}/254/packing"
        ),
        _INSPECT: lambda lot, what, _, nanos: seen(
            nanos, units_of_cases(what, 1, lot), "accepting", "in_progress", f"{_FACTORY}/254/quality", _FACTORY
        ),
        _PACK_PALLET: lambda lot, what, _, nanos: packed(
            nanos, pallet_code(what), cases_of(lot, what), f"{_FACTORY}/254/stacking"
        ),
        _SHIP: lambda lot, what, _, nanos: seen(
            nanos, units_of_cases(what, min(shape.layer, shape.pallet - what % shape.pallet), lot), "shipping",
            "in_transit", f"{_FACTORY}/254/dock", sources=_carrier(what // shape.pallet),
        ),
        _PALLET_SHIPPED: lambda _, what, __, nanos: seen(
            nanos, (pallet_code(what),), "departing", "in_transit", f"{_FACTORY}/254/dock", sources=_carrier(what)
        ),
        _PALLET_AT_HUB: lambda _, what, __, nanos: seen(
            nanos, (pallet_code(what),), "arriving", "in_transit", _HUB, sources=_carrier(what)
        ),
        _PACK_CONTAINER: lambda lot, what, _, nanos: packed(
            nanos, _container(what), pallets_of(lot, what), _HUB, sources=_carrier(what)
        ),
        _CONTAINER_AT_GATE: lambda _, what, __, nanos: seen(
            nanos, (_container(what),), "arriving", "in_transit", f"{_PORTS[0]}/254/gate", sources=_carrier(what)
        ),
        _PACK_VOYAGE: lambda lot, what, _, nanos: packed(
            nanos, _voyage(what), containers_of(lot, what), _PORTS[0], sources=_carrier(what)
        ),
        _VOYAGE_SEEN: voyage_seen,
        _UNPACK_VOYAGE: lambda lot, what, _, nanos: packed(
            nanos, _voyage(what), containers_of(lot, what), _PORTS[3 + what % 2], "DELETE"
        ),
        _CONTAINER_IN_YARD: lambda _, what, __, nanos: seen(
            nanos, (_container(what),), "transporting", "in_transit", f"{_PORTS[3]}/254/yard", sources=_carrier(what)
        ),
        _CONTAINER_IN_ZONE: lambda _, what, __, nanos: seen(
            nanos, (_container(what),), "arriving", "in_transit",
            f"{WAREHOUSES[what % len(WAREHOUSES)]}/254/gate", sources=_carrier(what),
        ),
        _UNPACK_CONTAINER: unpack_container,
        _PALLET_AT_DOCK: lambda _, what, __, nanos: seen(
            nanos, (pallet_code(what),), "receiving", "in_progress",
            f"{WAREHOUSES[what // shape.container % len(WAREHOUSES)]}/254/dock",
        ),
        _UNPACK_PALLET: unpack_pallet,
        _BOND_IN: lambda lot, what, _, nanos: seen(
            nanos, units_of_cases(what, 1, lot), "storing", "sellable_not_accessible", *warehouse(what)
        ),
        _RESTACK: restack,
        _RESTACKED: restacked,
        _COUNT: lambda lot, what, _, nanos: seen(
            nanos, units_of_cases(what, 1, lot), "cycle_counting", "in_progress", *warehouse(what)
        ),
        _PICK: lambda lot, what, _, nanos: seen(
            nanos, units_of_cases(what, 1, lot), "picking", "in_progress", f"{warehouse(what)[1]}/254/face"
        ),
        _UNPACK_CASE: lambda lot, what, _, nanos: packed(
            nanos, case_code(what), units_of_cases(what, 1, lot), f"{warehouse(what)[1]}/254/face", "DELETE"
        ),
        _ORDER: lambda _, what, __, nanos: deal(what, nanos),
        _PAY: lambda _, what, __, nanos: deal(what, nanos, BizTransaction(PAYMENT_DOCUMENT, f"urn:example:pay:{what}")),
        _CLEAR: clear,
        _SELL: one("retail_selling", "retail_sold", lambda number: f"{at_warehouse_of(number)}/254/out"),
        _DELIVER: deliver,
        _TO_STORE: to_store,
        _PICK_UP: pick_up,
        _APPLY: apply,
        _RETURN: one("receiving", "returned", lambda _: returns),
        _CONFORM: one("inspecting", "conformant", lambda _: returns),
        _RELEASE: one("holding", "sellable_not_accessible", lambda _: returns),
        _DESTROY: one("destroying", "destroyed", at_warehouse_of, action="DELETE"),
    }  # fmt: skip
    return [makers[kind] for kind in range(len(makers))]


def _order(number: int) -> BizTransaction:
    return BizTransaction("po", f"urn:example:order:{number}")


def _buyer(number: int) -> bytes:
    return (_spread(number, 30) << 64 | number).to_bytes(16, "big")
