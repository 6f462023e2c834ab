"""A small pilot world on a real ledger: who takes part, where packs can be, and one lawful event for each act.

    world = World(tmp_path)
    world.bring(world.packs[0], Custody.CLEARED)            by lawful events alone
    world.keep(world.sell(pack))                            one more, which has to be lawful
    world.breaks(world.sell(pack), Violation.SECONDARY_SALE) one that has not to be

Each event is lawful as it comes; a test changes what its rule is about (`attrs.evolve`, or the keywords). `keep` and
`breaks` advance the clock by a minute, so no two events are of one time.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest
from attrs import evolve

from tracechain.custody import Custody, PackState, Violation, is_pack, unpack_state
from tracechain.entry import SALT_SIZE, decode_rows
from tracechain.errors import RefusedError
from tracechain.event import (
    BizTransaction,
    ErrorDeclaration,
    Event,
    Extension,
    ObjectEvent,
    SourceDest,
    TransactionEvent,
    TransformationEvent,
    subjects,
)
from tracechain.event.sale import (
    AMOUNT,
    AMOUNT_NAMESPACE,
    CUSTOMS_CLEARING,
    EXPIRY,
    EXPORT_RETURN_DOCUMENT,
    LOT,
    MASTER_DATA,
    PAYMENT_DOCUMENT,
)
from tracechain.ledger import Ledger, Receipt
from tracechain.pilot import load_profile
from tracechain.record import Record, authorise
from tracechain.registers import (
    Carrier,
    Enterprise,
    Merchant,
    Place,
    Product,
    Profile,
    Readmission,
    Register,
    Resumption,
    Scope,
    Stop,
    Suspension,
)
from tracechain.replay import State, replay
from tracechain.testing import Clock, Keys, Random, new_ledger, open_ledger
from tracechain.testing.samples import PRODUCT, pack_ids
from tracechain.testing.scanner import Scanner
from tracechain.verification import verify
from tracechain.view import View

P = ParamSpec("P")
R = TypeVar("R")

MINUTE, DAY = 60_000, 86_400_000
LOT_NUMBER, EXPIRES = "LOT-A7", "2028-06-30"

PLATFORM, PHARMACY = "urn:example:platform", "urn:example:pharmacy"
SF, LAX = "urn:example:carrier:assessed", "urn:example:carrier:failed"
PLANT = "urn:example:plant"
#: The warehouse in the zone that customs confirmed, and a shelf in it, which is not registered by itself.
ZONE = "414/9521234000013"
SHELF = f"{ZONE}/254/17"
UNCONFIRMED = "urn:example:zone:unconfirmed"
OUTSIDE = "urn:example:warehouse"
STORE, KIOSK = "urn:example:store:licensed", "urn:example:store:unlicensed"
CITY = "urn:example:city"
NOWHERE = "urn:example:nowhere"

BUYER, OTHER_BUYER = bytes(range(16)), bytes(range(16, 32))
EYE_DROPS = f"01/{PRODUCT}"
NMPA_PRODUCT = "nmpa/8123456"

_REGISTERED, _DUE = date(2026, 1, 1), date(2027, 12, 31)

#: Which test is an example of which violations: name of the test -> (violations, clause).
EXAMPLES: dict[str, tuple[frozenset[Violation], str]] = {}


def example(clause: str, *violations: Violation) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Marks a test as an example of violations, with the clause they come from; it fails if it causes them not."""

    def mark(test: Callable[P, R]) -> Callable[P, R]:
        name = f"{test.__module__}.{test.__name__}"
        EXAMPLES[name] = EXAMPLES.get(name, (frozenset(), clause))[0] | frozenset(violations), clause

        @functools.wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            result = test(*args, **kwargs)
            world = kwargs["world"]
            assert isinstance(world, World)
            assert set(violations) <= world.caused, f"{name} never causes what it is an example of"
            return result

        return run

    return mark


# ---- what is registered ----------------------------------------------------------------------------


def product(ident: str = EYE_DROPS, **changes: Any) -> Product:
    """The file of a product that may be sold."""
    values: dict[str, Any] = {
        "id": ident, "name": "Eye drops", "name_zh": "滴眼液", "model": "0.1 %", "specification": "10 ml",
        "indications": "Dry eyes", "contraindications": "Allergy", "registration_number": "22500AMX00001000",
        "registered_in": "JP", "maker": "Example Pharma", "merchant": PHARMACY, "category": "drug",
        "screening": "none", "scope": "beijing", "verified_on": _REGISTERED, "verify_by": _DUE,
        "introduction": bytes(32), "quality": bytes(32), "published_on": _REGISTERED,
    }  # fmt: skip
    return Product(**values | changes)


def merchant(ident: str = PHARMACY) -> Merchant:
    """A merchant that was admitted."""
    return Merchant(
        id=ident, name="Pharmacy", country="JP", agreement=bytes(32), agreed_on=_REGISTERED,
        conditions=("licensed in its country",), admitted_on=_REGISTERED, verify_by=_DUE,
    )  # fmt: skip


def place(ident: str, kind: str, **more: Any) -> Place:
    """A place of a type."""
    return Place(id=ident, name=ident.rpartition(":")[2], type=kind, **more)


def carrier(ident: str, result: str = "passed", until: date = _DUE) -> Carrier:
    """A carrier with its assessment."""
    return Carrier(
        id=ident, name="Carrier", assessed_on=_REGISTERED, assessed_by="Quality", result=result, valid_until=until,
        responsibility="Keeps the range of temperature",
    )  # fmt: skip


def scope(*products: str, edition: str = "1") -> Scope:
    """The list of varieties."""
    return Scope(
        name="beijing", edition=edition, valid_from=_REGISTERED, authority="Leading group", products=tuple(products)
    )


def enterprise() -> Enterprise:
    """The platform."""
    return Enterprise(
        id=PLATFORM, name="Platform", registered_in="Beijing", platform="P-1", device_trading="D-1", verify_by=_DUE
    )


def profile(**changes: Any) -> Profile:
    """The profile of the pilot, which names the platform."""
    return evolve(load_profile("beijing"), enterprise=PLATFORM, **changes)


def suspension(who: str = PHARMACY) -> Suspension:
    """A merchant is suspended."""
    return Suspension(
        merchant=who, ground="safety-risk", reason="Risk", on=date(2026, 11, 20), reported_to="Leading group"
    )


def readmission(who: str = PHARMACY) -> Readmission:
    """It goes on."""
    return Readmission(merchant=who, reason="Corrected", on=date(2026, 11, 21))


def stop(kind: str, target: str) -> Stop:
    """The regulator orders to stop."""
    return Stop(
        target_kind=kind, target=target, ground=3, authority="Leading group", reference="2026-8", reason="Risk",
        on=date(2026, 11, 20),
    )  # fmt: skip


def resumption(kind: str, target: str) -> Resumption:
    """It lets it go on."""
    return Resumption(
        target_kind=kind, target=target, authority="Leading group", reference="2026-9", reason="Corrected",
        on=date(2026, 11, 21),
    )  # fmt: skip


REGISTERED: tuple[Register, ...] = (
    enterprise(),
    merchant(),
    scope(EYE_DROPS, NMPA_PRODUCT),
    product(),
    product(NMPA_PRODUCT),
    place(PLANT, "plant"),
    place(ZONE, "zone-warehouse", zone="Tianzhu", confirmed_on=date(2021, 4, 1), area=500, managers=3),
    place(UNCONFIRMED, "zone-warehouse", zone="Daxing", confirmed_on=date(2027, 1, 1), area=500, managers=3),
    place(OUTSIDE, "warehouse"),
    place(STORE, "store", licence="S-1", licensed_until=date(2029, 12, 31)),
    place(KIOSK, "store"),
    place(CITY, "delivery-area"),
    carrier(SF),
    carrier(LAX, "failed"),
    profile(),
)


# ---- the world -------------------------------------------------------------------------------------


class World:
    """The ledger, its clock, and lawful events. `packs` are codes that nobody has used yet."""

    def __init__(self, folder: Path, registered: Sequence[Register] = REGISTERED, *, station: bool = False) -> None:
        self.keys, self.clock = Keys(), Clock()
        self.path = folder / "ledger"
        self.ledger: Ledger = new_ledger(self.path, keys=self.keys, clock=self.clock)
        self.station = Scanner(self.keys.station, self.ledger.ledger_id)
        self.packs = (*pack_ids(9), f"{NMPA_PRODUCT}0000000000001")
        #: Violations that `breaks` saw.
        self.caused: set[Violation] = set()
        self._versions: dict[str, int] = {}
        self._orders = 0
        self._opened = 0
        if station:
            self.ledger.authorise(authorise(self.ledger.ledger_id, self.keys.station, self.keys.root, "station", None))
        if registered:
            self.ledger.append([self.record(one) for one in registered])

    def close(self) -> None:
        """Close its ledger."""
        self.ledger.close()

    def reopen(self) -> None:
        """What it remembers of the registers is gone."""
        self.ledger.close()
        self._opened += 1
        self.ledger = open_ledger(self.path, keys=self.keys, clock=self.clock, random=Random(1000 + self._opened))

    # ---- time and state ----

    @property
    def now(self) -> int:
        """Nanoseconds since 1970."""
        return self.clock.now * 1_000_000

    def later(self, *, days: float = 0) -> None:
        """Let days pass. The clock may jump no further than a month at once."""
        while days > 0:
            self.clock.advance(int(min(days, 30) * DAY))
            days -= 30
            if days > 0:
                self.ledger.append([Record("note", "time passes")])

    def state(self, pack: str) -> PackState:
        """Where a pack stands."""
        with self.ledger.snapshot() as view:
            unit = view.unit(pack)
            return unpack_state(0 if unit is None else unit.state)

    def custody(self, pack: str) -> Custody:
        """The same, without its flags."""
        return self.state(pack).custody

    def record(self, value: Register) -> Record:
        """The next version of a register."""
        version = 0
        if not isinstance(value, (Suspension, Readmission, Stop, Resumption)):
            version = self._versions.get(value.subject, 0)
            self._versions[value.subject] = version + 1
        return value.record(version)

    # ---- recording ----

    def register(self, *values: Register) -> Receipt:
        """Record registers."""
        return self.ledger.append([self.record(value) for value in values])

    def keep(self, *contents: Event | Record) -> Receipt:
        """Record what breaks nothing; with `strict`, as a proof."""
        receipt = self.ledger.append(contents, strict=True)
        assert receipt.violations == ()
        self.clock.advance(MINUTE)
        return receipt

    def submit(self, *events: Event) -> Receipt:
        """Record lawful events as the station does."""
        receipt = self.ledger.submit(self.station.make(events, at=self.clock.now), strict=True)
        assert receipt.violations == ()
        self.clock.advance(MINUTE)
        return receipt

    def breaks(
        self,
        event: Event,
        *codes: Violation,
        of: Mapping[str, Iterable[Violation]] | None = None,
        station: bool = False,
    ) -> Receipt:
        """The event breaks exactly these rules (for all of its packs, or as `of` says for each): it is refused where it
        is strict, and nothing is written; it is kept as evidence where it is not, and nobody's custody changes.
        """
        of = {subject: codes for subject in subjects(event) if is_pack(subject)} if of is None else of
        expected = {(subject, code) for subject, some in of.items() for code in some}
        assert expected, "what breaks nothing is no example"
        before = self._look(event)
        data = self.station.make([event], at=self.clock.now) if station else b""
        ledger = self.ledger

        def take(*, strict: bool) -> Receipt:
            return ledger.submit(data, strict=strict) if station else ledger.append([event], strict=strict)

        with pytest.raises(RefusedError) as refused:
            take(strict=True)
        said = [(v.index, v.subject, v.code) for v in refused.value.violations]  # type: ignore[attr-defined]  # Violated
        assert sorted(said) == sorted((0, subject, int(code)) for subject, code in expected)
        assert all(code.name in str(refused.value) for _, code in sorted(expected)[:5])
        assert self._look(event) == before, "what is refused leaves no trace"
        receipt = take(strict=False)
        assert receipt.count == 1
        found = [(v.index, v.subject, v.code) for v in receipt.violations]
        assert sorted(found) == sorted((receipt.first, subject, int(code)) for subject, code in expected)
        assert [v.name for v in receipt.violations] == [Violation(v.code).name for v in receipt.violations]
        broken = {subject for subject, _ in expected}
        assert {s: state for s, state in self._look(event)[2].items() if s in broken} == {
            s: state for s, state in before[2].items() if s in broken
        }
        self.caused |= {code for _, code in expected}
        self.clock.advance(MINUTE)
        return receipt

    def _look(self, event: Event) -> tuple[int, str, dict[str, int]]:
        with self.ledger.snapshot() as view:
            units = {s: view.unit(s) for s in subjects(event)}
            return view.size, view.checkpoint, {s: 0 if u is None else u.state for s, u in units.items()}

    def agrees(self) -> State:
        """The log folded from nothing says what the live index says, nothing else is found in it, and a rebuilt
        index is the same."""
        with self.ledger.snapshot() as view:
            state = replay(view)
            compare(view, state)
            report = verify(view, verifier=self.ledger.verifier, index=True)
            assert report, report.findings
        self.ledger.reindex()
        with self.ledger.snapshot() as view:
            compare(view, state)
        return state

    # ---- from the maker to the buyer ----

    def _object(self, packs: Sequence[str], step: str, disposition: str, where: str | None, **more: Any) -> ObjectEvent:
        values: dict[str, Any] = {"action": "OBSERVE", "read_point": where} | more
        return ObjectEvent(
            event_time=self.now, time_zone_offset=480, epcs=tuple(packs), biz_step=step, disposition=disposition,
            **values,
        )  # fmt: skip

    def commission(self, *packs: str, lot: str | None = LOT_NUMBER, expiry: str | None = EXPIRES) -> ObjectEvent:
        """Packs come into being."""
        said = ((LOT, lot), (EXPIRY, expiry))
        ilmd = tuple(Extension(MASTER_DATA, name, value) for name, value in said if value is not None)
        return self._object(packs, "commissioning", "active", PLANT, action="ADD", ilmd=ilmd)

    def ship(self, *packs: str) -> ObjectEvent:
        """Packs leave the plant."""
        return self._object(packs, "shipping", "in_transit", PLANT)

    def bond_in(self, *packs: str, where: str = SHELF) -> ObjectEvent:
        """Packs are booked in under bond."""
        return self._object(packs, "storing", "sellable_not_accessible", where)

    def stocktake(self, *packs: str) -> ObjectEvent:
        """Packs are counted."""
        return self._object(packs, "stock_taking", "sellable_not_accessible", SHELF)

    def order(
        self, *packs: str, po: str = "1", buyer: bytes | None = BUYER, yuan: str | None = "300"
    ) -> TransactionEvent:
        """A consumer orders packs."""
        return self._transaction(packs, (BizTransaction("po", f"urn:example:po:{po}"),), buyer, yuan)

    def pay(
        self, *packs: str, po: str = "1", buyer: bytes | None = BUYER, yuan: str | None = "300"
    ) -> TransactionEvent:
        """And pays for them."""
        documents = (
            BizTransaction("po", f"urn:example:po:{po}"),
            BizTransaction(PAYMENT_DOCUMENT, f"urn:example:payment:{po}"),
        )
        return self._transaction(packs, documents, buyer, yuan)

    def cancel(
        self, *packs: str, po: str = "1", buyer: bytes | None = BUYER, yuan: str | None = "300"
    ) -> TransactionEvent:
        """Or thinks better of it."""
        return evolve(self.order(*packs, po=po, buyer=buyer, yuan=yuan), action="DELETE")

    def _transaction(
        self, packs: Sequence[str], documents: tuple[BizTransaction, ...], buyer: bytes | None, yuan: str | None
    ) -> TransactionEvent:
        amounts = () if yuan is None else (Extension(AMOUNT_NAMESPACE, AMOUNT, Decimal(yuan)),)
        return TransactionEvent(
            event_time=self.now, time_zone_offset=480, action="ADD", epcs=tuple(packs), biz_step="reserving",
            disposition="reserved", biz_transactions=documents, person=buyer, extensions=amounts,
        )  # fmt: skip

    def clear(self, *packs: str, po: str = "1") -> ObjectEvent:
        """Customs clears them."""
        documents = (BizTransaction("po", f"urn:example:po:{po}"), BizTransaction("bol", f"urn:example:bol:{po}"))
        return self._object(packs, CUSTOMS_CLEARING, "in_progress", ZONE, biz_transactions=documents)

    def sell(self, *packs: str) -> ObjectEvent:
        """The merchant sells them."""
        return self._object(
            packs, "retail_selling", "retail_sold", ZONE, sources=(SourceDest("owning_party", PHARMACY),)
        )

    def sell_part(self, *packs: str) -> ObjectEvent:
        """The merchant sells a part of each."""
        return evolve(self.sell(*packs), disposition="partially_dispensed")

    def transfer(self, *packs: str, store: str = STORE, by: str = SF) -> ObjectEvent:
        """They go to a store."""
        return self._object(
            packs, "shipping", "in_transit", ZONE, destinations=(SourceDest("location", store),),
            sources=(SourceDest("possessing_party", by),),
        )  # fmt: skip

    def deliver(self, *packs: str, buyer: bytes | None = BUYER, by: str = SF) -> ObjectEvent:
        """A carrier hands them to the buyer."""
        return self._object(
            packs, "dispensing", "dispensed", CITY, person=buyer, sources=(SourceDest("possessing_party", by),)
        )

    def pickup(self, *packs: str, buyer: bytes | None = BUYER, store: str = STORE) -> ObjectEvent:
        """The buyer fetches them from a store."""
        return self._object(packs, "dispensing", "dispensed", store, person=buyer)

    def deliver_part(self, *packs: str) -> ObjectEvent:
        """A part of each is handed over."""
        return evolve(self.deliver(*packs), disposition="partially_dispensed")

    # ---- and back ----

    def apply_return(self, *packs: str) -> TransactionEvent:
        """The buyer asks to give them back."""
        return TransactionEvent(
            event_time=self.now, time_zone_offset=480, action="ADD", epcs=tuple(packs), person=BUYER,
            biz_transactions=(BizTransaction("rma", "urn:example:rma:1"),),
        )  # fmt: skip

    def return_in(self, *packs: str) -> ObjectEvent:
        """They come back."""
        return self._object(packs, "receiving", "returned", ZONE)

    def conform(self, *packs: str) -> ObjectEvent:
        """They pass inspection."""
        return self._object(packs, "inspecting", "conformant", ZONE)

    def reject(self, *packs: str) -> ObjectEvent:
        """They do not."""
        return self._object(packs, "inspecting", "non_conformant", ZONE)

    def release(self, *packs: str) -> ObjectEvent:
        """They may be sold again, or are held no more."""
        return self._object(packs, "holding", "sellable_not_accessible", ZONE)

    def export(self, *packs: str) -> ObjectEvent:
        """They leave the country."""
        return self._object(packs, "shipping", "inactive", ZONE, action="DELETE")

    def export_return(self, *packs: str) -> ObjectEvent:
        """They come back from abroad."""
        documents = (BizTransaction(EXPORT_RETURN_DOCUMENT, "urn:example:export-return:1"),)
        return evolve(self.return_in(*packs), biz_transactions=documents)

    def repair(self, *packs: str) -> ObjectEvent:
        """They are repaired under bond."""
        return self._object(packs, "repairing", "in_progress", ZONE)

    def relabel(
        self, old: Sequence[str], new: Sequence[str], *, lot: str | None = LOT_NUMBER, expiry: str | None = EXPIRES
    ) -> TransformationEvent:
        """They get new codes under bond, with what was known of them."""
        ilmd = self.commission(*new, lot=lot, expiry=expiry).ilmd
        return TransformationEvent(
            event_time=self.now, time_zone_offset=480, epcs=tuple(old), output_epcs=tuple(new), ilmd=ilmd,
            biz_step="repackaging", read_point=ZONE,
        )  # fmt: skip

    def kit(self, old: Sequence[str], new: Sequence[str]) -> TransformationEvent:
        """The maker makes packs of others, abroad."""
        return evolve(self.relabel(old, new), biz_step="assembling", read_point=PLANT)

    # ---- what may happen to any of them ----

    def hold(self, *packs: str) -> ObjectEvent:
        """They are held."""
        return self._object(packs, "holding", "non_sellable_other", ZONE)

    def recall(self, *packs: str) -> ObjectEvent:
        """They are recalled."""
        return self._object(packs, "holding", "recalled", ZONE)

    def steal(self, *packs: str) -> ObjectEvent:
        """They are stolen."""
        return self._object(packs, "removing", "stolen", ZONE)

    def destroy(self, *packs: str) -> ObjectEvent:
        """They are destroyed."""
        return self._object(packs, "destroying", "destroyed", ZONE, action="DELETE")

    def undo(self, event: Event) -> Event:
        """The event, declared an error."""
        return evolve(event, error_declaration=ErrorDeclaration(declaration_time=self.now, reason="did_not_occur"))

    # ---- anywhere, lawfully ----

    def way(self, custody: Custody, po: str) -> tuple[Callable[..., Event], ...]:
        """The events that bring a new pack into a custody."""
        sold = (*_BONDED, _named("order", po), _named("pay", po), _named("clear", po), _named("sell"))
        ways: dict[Custody, tuple[Callable[..., Event], ...]] = {
            Custody.NONE: (),
            Custody.ACTIVE: _BONDED[:1],
            Custody.TRANSIT: _BONDED[:2],
            Custody.BONDED: _BONDED,
            Custody.RESERVED: sold[:4],
            Custody.CLEARED: sold[:6],
            Custody.SOLD: sold,
            Custody.STORE: (*sold[:6], _named("transfer")),
            Custody.DELIVERED: (*sold, _named("deliver")),
            Custody.RETURNED: (*sold, _named("deliver"), _named("return_in")),
            Custody.REWORK: (*_BONDED, _named("repair")),
            Custody.EXPORTED: (*_BONDED, _named("export")),
            Custody.DEAD: (_named("commission"), _named("destroy")),
        }
        return ways[custody]

    def bring(self, pack: str, custody: Custody, *, po: str | None = None) -> str:
        """Bring a new pack into a custody by lawful events. Its order, if it needs one, is for 300 yuan, by BUYER."""
        self._orders += 1
        way = self.way(custody, str(self._orders) if po is None else po)
        if way:
            self.keep(*(make(self, pack) for make in way))
        assert self.custody(pack) == custody
        return pack


def living(folder: Path, **more: Any) -> Iterator[World]:
    """A world for one test; what its log says is compared with what its index says when the test is over."""
    world = World(folder, **more)
    yield world
    world.agrees()
    world.close()


def _named(name: str, po: str | None = None) -> Callable[..., Event]:
    def make(world: World, *packs: str) -> Event:
        event: Event = getattr(world, name)(*packs) if po is None else getattr(world, name)(*packs, po=po)
        return event

    return make


_BONDED = (_named("commission"), _named("ship"), _named("bond_in"))


def compare(view: View, state: State) -> None:
    """What a replay came to is what the index of the view says."""
    assert state.size == view.size
    units = dict(view.units())
    assert state.units == units
    assert {s: state.memory(s) for s in units} == {s: view.memory(s) for s in units}
    for person, year in {(p, y + n) for p, y in state.spending for n in (-1, 0, 1)}:
        assert state.spent(person, year) == view.spent(person, year)
    rows = [
        (index, row.subject, row.violations)
        for index, part in view.all_rows(0, view.size)
        for row in decode_rows(part[SALT_SIZE:])[1]
        if row.violations
    ]
    assert state.violations == rows
