"""Random histories of the pilot world: lawful and unlawful acts, and registers that change between them.

A history is drawn as plain data (`histories`), so that Hypothesis can make a failing one small; a `Player` acts it out
on a `World`: what an item means depends on where the packs stand by then.

Items are tuples whose first part says what happens:

    ("next", pack, steps, choice, twist)  steps that are lawful for the pack, as far as the player can see, with perhaps
                                          something wrong with the last
    ("act", name, packs, twist)           any act, whatever the state of its packs, perhaps with something wrong
    ("undo", back, packs, twist)          the event so many back is declared an error, for all or some of its packs
    ("new code", name, old, new, twist)   relabelling and kitting
    ("register", which)                   a record of the registers; some cannot follow, and are refused
    ("note", subject)                     a record that is of no register
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen
from hypothesis import strategies as st

from pilot_world import (
    BUYER,
    CITY,
    DAY,
    EYE_DROPS,
    KIOSK,
    LAX,
    NMPA_PRODUCT,
    NOWHERE,
    OTHER_BUYER,
    PHARMACY,
    PLATFORM,
    SF,
    STORE,
    ZONE,
    World,
    carrier,
    merchant,
    place,
    product,
    profile,
    readmission,
    resumption,
    scope,
    stop,
    suspension,
)
from recall_samples import closed, opened, told
from tracechain.criteria import Codes, Lot, OfProduct
from tracechain.custody import Custody
from tracechain.event import Event, Extension, SourceDest, TransactionEvent, TransformationEvent
from tracechain.event.sale import AMOUNT, AMOUNT_NAMESPACE, EXPIRY, LOT, MASTER_DATA
from tracechain.record import Record
from tracechain.registers import Register, Shield
from tracechain.testing.samples import case_id, pack_ids

__all__ = ["Commit", "History", "Player", "histories"]

CASE = case_id(1)
UNREGISTERED = "01/09521234002079/21/X1"
#: Few, so that histories meet.
PACKS = (*pack_ids(4), f"{NMPA_PRODUCT}0000000000001", UNREGISTERED)

KNOWN: tuple[dict[str, str | None], ...] = ({}, {"expiry": None}, {"lot": None}, {"expiry": "2026-12-15"}, {}, {})

#: From where the player can see, what may come next, and where it leads.
NEXT: dict[Custody, tuple[tuple[str, Custody], ...]] = {
    Custody.NONE: (("commission", Custody.ACTIVE),),
    Custody.ACTIVE: (("bond_in", Custody.BONDED), ("ship", Custody.TRANSIT), ("destroy", Custody.DEAD)),
    Custody.TRANSIT: (("bond_in", Custody.BONDED), ("ship", Custody.TRANSIT)),
    Custody.BONDED: (("order", Custody.RESERVED), ("export", Custody.EXPORTED), ("repair", Custody.REWORK)),
    Custody.RESERVED: (("pay and clear", Custody.CLEARED), ("cancel", Custody.BONDED)),
    Custody.CLEARED: (("sell", Custody.SOLD), ("transfer", Custody.STORE), ("sell_part", Custody.SOLD)),
    Custody.SOLD: (("deliver", Custody.DELIVERED), ("transfer", Custody.STORE), ("return_in", Custody.RETURNED)),
    Custody.STORE: (("pickup", Custody.DELIVERED), ("return_in", Custody.RETURNED)),
    Custody.DELIVERED: (("return_in", Custody.RETURNED), ("apply_return", Custody.DELIVERED)),
    Custody.RETURNED: (("inspect and release", Custody.BONDED), ("repair", Custody.REWORK)),
    Custody.REWORK: (("bond_in", Custody.BONDED), ("export", Custody.EXPORTED)),
    Custody.EXPORTED: (("export_return", Custody.RETURNED),),
    Custody.DEAD: (("stocktake", Custody.DEAD),),
}
_SEVERAL = {"pay and clear": ("pay", "clear"), "inspect and release": ("conform", "release")}

ACTS = (
    "commission", "ship", "bond_in", "stocktake", "order", "pay", "cancel", "clear", "sell", "sell_part", "transfer",
    "deliver", "pickup", "deliver_part", "apply_return", "return_in", "conform", "reject", "release", "export",
    "export_return", "repair", "hold", "recall", "steal", "destroy",
)  # fmt: skip


def _stating(one: Extension) -> Callable[[Event], Event]:
    return lambda event: evolve(event, extensions=(*(e for e in event.extensions if e.name != one.name), one))


def _said(name: str, value: str) -> Callable[[Event], Event]:
    """The event with what a label said."""
    return _stating(Extension(MASTER_DATA, name, value))


def _moved(where: str | None) -> Callable[[Event], Event]:
    return lambda event: evolve(event, read_point=where)


def _at(milliseconds: int) -> Callable[[Event], Event]:
    return lambda event: evolve(event, event_time=event.event_time + milliseconds * 1_000_000)


def _source(kind: str, who: str) -> Callable[[Event], Event]:
    return lambda event: evolve(event, sources=(SourceDest(kind, who),))


def _target(kind: str, where: str) -> Callable[[Event], Event]:
    return lambda event: evolve(event, destinations=(SourceDest(kind, where),))


def _priced(yuan: str) -> Callable[[Event], Event]:
    return _stating(Extension(AMOUNT_NAMESPACE, AMOUNT, Decimal(yuan)))


def _with_case(event: Event) -> Event:
    return evolve(event, parent=CASE) if isinstance(event, TransactionEvent) else event


def _as_it_is(event: Event) -> Event:
    return event


TWISTS: tuple[Callable[[Event], Event], ...] = (
    _as_it_is,
    lambda event: evolve(event, person=None),
    lambda event: evolve(event, person=OTHER_BUYER),
    lambda event: evolve(event, person=BUYER),
    _moved(None),
    _moved(NOWHERE),
    _moved(KIOSK),
    _moved(ZONE),
    _moved("geo:40.1,116.6"),
    _at(-40 * DAY),
    _at(400 * DAY),
    _at(-1),
    _said(LOT, "LOT-A7"),
    _said(LOT, "LOT-B"),
    _said(EXPIRY, "2028-06-30"),
    _said(EXPIRY, "2026-12-01"),
    _source("possessing_party", LAX),
    _source("possessing_party", SF),
    _source("owning_party", PLATFORM),
    _target("location", KIOSK),
    _target("location", STORE),
    _target("owning_party", "urn:example:company"),
    _priced("5000.01"),
    _priced("9000"),
    _priced("300.0"),
    lambda event: evolve(event, extensions=()),
    lambda event: evolve(event, disposition="in_progress"),
    _with_case,
)

#: Register values by name. What takes part is as in the world before the history.
REGISTERS: dict[str, Callable[[], Register]] = {
    "suspended": suspension,
    "readmitted": readmission,
    "merchant stopped": lambda: stop("merchant", PHARMACY),
    "merchant resumed": lambda: resumption("merchant", PHARMACY),
    "product stopped": lambda: stop("product", EYE_DROPS),
    "product resumed": lambda: resumption("product", EYE_DROPS),
    "pilot stopped": lambda: stop("enterprise", PLATFORM),
    "pilot resumed": lambda: resumption("enterprise", PLATFORM),
    "merchant": merchant,
    "product": product,
    "product barred": lambda: product(screening="toxic"),
    "product of another": lambda: product(merchant="urn:example:unknown"),
    "other product": lambda: product(UNREGISTERED.partition("/21/")[0]),
    "shield": lambda: Shield(
        product=EYE_DROPS, version=0, authority="Leading group", reference="1", reason="Untrue", on=date(2026, 11, 21)
    ),
    "scope of one": lambda: scope(NMPA_PRODUCT, edition="2"),
    "scope of both": lambda: scope(EYE_DROPS, NMPA_PRODUCT, edition="3"),
    "store unlicensed": lambda: place(STORE, "store"),
    "store licensed": lambda: place(STORE, "store", licence="S-2"),
    "kiosk licensed": lambda: place(KIOSK, "store", licence="S-3"),
    "city closed": lambda: place(CITY, "delivery-area", closed_on=date(2026, 11, 1)),
    "city open": lambda: place(CITY, "delivery-area"),
    "zone unconfirmed": lambda: place(ZONE, "zone-warehouse", zone="Tianzhu"),
    "zone confirmed": lambda: place(ZONE, "zone-warehouse", zone="Tianzhu", confirmed_on=date(2021, 4, 1)),
    "carrier failed": lambda: carrier(SF, "failed"),
    "carrier passed": lambda: carrier(SF),
    "profile": profile,
    "profile without limits": lambda: profile(order_limit=Decimal(10**6), year_limit=Decimal(10**6)),
    "profile of small orders": lambda: profile(order_limit=Decimal(100), year_limit=Decimal(500)),
    "profile without registers": lambda: profile(places_registered=False, products_registered=False),
    "profile of short terms": lambda: profile(return_apply_days=0, return_arrive_days=0, undo_days=0),
    "lot recalled": opened,
    "lot recalled, all told": told,
    "lot recalled no more": closed,
    "others recalled": lambda: opened(
        Lot(EYE_DROPS, "LOT-B") | Codes((PACKS[0], UNREGISTERED)) | ~OfProduct(EYE_DROPS), "R-2"
    ),
    "others recalled no more": lambda: closed("R-2"),
    "profile without a platform": lambda: evolve(profile(), enterprise=None),
}

Item = tuple[Any, ...]


@frozen
class Commit:
    """Appends that are made together, and how: by whom, whether strictly, and what happens before.

    `by` is "author", "station", or "abort" for a transaction that breaks after everything was sealed.
    """

    appends: tuple[tuple[Item, ...], ...]
    by: str = "author"
    strict: bool = False
    before: str = ""
    days: int = 0


@frozen
class History:
    """Where the packs stand at first, lawfully, and what is recorded then."""

    start: tuple[Custody, ...]
    commits: list[Commit]


_packs = st.lists(st.sampled_from(range(len(PACKS))), min_size=1, max_size=3, unique=True).map(tuple)
_pack = st.sampled_from(range(len(PACKS)))
_few = _pack.map(lambda pack: (pack,)) | _packs
_twist = st.just(0) | st.sampled_from(range(len(TWISTS)))
_next = st.tuples(st.just("next"), _pack, st.integers(1, 5), st.integers(0, 5), _twist)
_items: st.SearchStrategy[Item] = st.one_of(
    _next,
    _next,
    _next,
    st.tuples(st.just("act"), st.sampled_from(ACTS), _packs, _twist),
    st.tuples(st.just("act"), st.sampled_from(ACTS), _packs, _twist),
    st.tuples(st.just("undo"), st.sampled_from((0, 0, 0, 1, 2, 3)), st.none() | _packs, _twist),
    st.tuples(st.just("new code"), st.sampled_from(("relabel", "kit")), _few, _few, _twist),
    st.tuples(st.just("register"), st.sampled_from(sorted(REGISTERS))),
    st.tuples(st.just("register"), st.sampled_from(sorted(REGISTERS))),
    st.tuples(st.just("note"), _pack | st.sampled_from((None, "urn:tracechain:merchant:" + PHARMACY))),
)


def histories(most: int = 10) -> st.SearchStrategy[History]:
    """Up to so many commits."""
    appends = st.lists(st.lists(_items, min_size=1, max_size=5).map(tuple), min_size=1, max_size=3).map(tuple)
    commits = st.builds(
        Commit,
        appends,
        by=st.sampled_from(("author", "author", "author", "station", "abort")),
        strict=st.booleans(),
        before=st.sampled_from(("", "", "", "reopen", "reindex")),
        days=st.sampled_from((0, 0, 0, 0, 1, 12, 29)),
    )
    alive = [custody for custody in Custody if custody != Custody.DEAD]
    starts = st.tuples(*(st.sampled_from(alive) for _ in PACKS))
    return st.builds(History, starts, st.lists(commits, min_size=1, max_size=most))


class Player:
    """Acts a history out. It keeps what it said, to take it back, and where it believes its packs to be."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.said: list[Event] = []
        self.custody: dict[str, Custody] = {}
        self._purchases = dict.fromkeys(PACKS, 0)

    def begin(self, start: Sequence[Custody]) -> None:
        """Bring the packs to where the history finds them. Some have no lot or expiry date, one expires soon."""
        for pack, wanted, known in zip(PACKS, start, KNOWN, strict=True):
            if wanted == Custody.NONE:
                continue
            if pack == UNREGISTERED and wanted not in (Custody.ACTIVE, Custody.TRANSIT, Custody.DEAD):
                wanted = Custody.BONDED  # noqa: PLW2901  # it cannot be sold
            self._purchases[pack] += 1
            make = self.world.way(wanted, self._number(pack))[1:]
            events = [self.world.commission(pack, **known), *(one(self.world, pack) for one in make)]
            self.world.keep(*events)
            self.said += events

    def look(self) -> None:
        """See where the packs are in truth."""
        with self.world.ledger.snapshot() as view:
            units = {pack: view.unit(pack) for pack in PACKS}
        self.custody = {p: Custody(0 if u is None else u.state & 15) for p, u in units.items()}

    def contents(self, items: Sequence[Item]) -> list[Event | Record]:
        """What the items mean by now."""
        found: list[Event | Record] = []
        for item in items:
            match item:
                case ("next", pack, steps, choice, twist):
                    *lawful, last = self._next(PACKS[pack], steps, choice)
                    found += [*lawful, self._twisted(last, twist)]
                case ("act", name, packs, twist):
                    found.append(self._twisted(self._made(name, *(PACKS[pack] for pack in packs)), twist))
                case ("undo", back, packs, twist):
                    found += self._undo(back, packs, twist)
                case ("new code", name, old, new, twist):
                    make = getattr(self.world, name)
                    found.append(self._twisted(make([PACKS[p] for p in old], [PACKS[p] for p in new]), twist))
                case ("register", which):
                    found.append(self.world.record(REGISTERS[which]()))
                case ("note", int() as pack):
                    found.append(Record("note", "seen", PACKS[pack]))
                case ("note", subject):
                    found.append(Record("note", "seen", subject))
                case _:
                    raise AssertionError(item)
            self.world.clock.advance(1000)
        self.said += [one for one in found if isinstance(one, Event)]
        return found

    def _next(self, pack: str, steps: int, choice: int) -> list[Event]:
        made = []
        for step in range(steps):
            ways = NEXT[self.custody.get(pack, Custody.NONE)]
            # The first way is the usual one: a sale.
            name, self.custody[pack] = ways[choice % len(ways) if step == 0 else 0]
            made += [self._made(one, pack) for one in _SEVERAL.get(name, (name,))]
        return made

    def _made(self, name: str, *packs: str) -> Event:
        if name == "order":
            for pack in packs:
                self._purchases[pack] += 1
        if name in ("order", "pay", "clear", "cancel"):
            # Packs of one event may be of different orders: then documents do not agree.
            ordered: Event = getattr(self.world, name)(*packs, po=self._number(packs[0]))
            return ordered
        event: Event = getattr(self.world, name)(*packs)
        return event

    def _number(self, pack: str) -> str:
        return str(PACKS.index(pack) * 1000 + self._purchases[pack])

    def _twisted(self, event: Event, twist: int) -> Event:
        return TWISTS[twist](event)

    def _undo(self, back: int, packs: tuple[int, ...] | None, twist: int) -> list[Event]:
        if back >= len(self.said):
            return []
        event = self.said[-1 - back]
        if packs is not None and not isinstance(event, TransformationEvent):
            some = tuple(PACKS[pack] for pack in packs)
            event = evolve(event, epcs=tuple(set(event.epcs) & set(some)) or event.epcs)
        return [self._twisted(self.world.undo(event), twist)]
