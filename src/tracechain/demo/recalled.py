"""The lot that its maker recalls at midday: where each of its packs is by then, and what becomes of it until night.

Told by roles, so that it is known beforehand what the ledger has to say, whatever the size of the day (`Recall`). Packs
of this lot are sold by nothing else.

    bonded        on the shelf, and in cases that nobody opened      stock: locked; some are destroyed before a witness
    reserved      paid, and not cleared                              stock: cancelled, and locked
    next          cleared; the sale comes in after the opening       stock: refused, and locked
    flying        in an aircraft over Siberia                        transit
    stored        in a store, for the buyer to fetch                 store: sent back, but by the second store
    carried       in a courier's van                                 sold: turned round, most of it
    delivered     with the buyer                                     sold: some send it back
    exported      in Hong Kong                                       exported
    crushed       under a forklift, this morning                     destroyed
    late          a case that is in no document until night          (is not known yet): locked
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from random import Random

from attrs import frozen

from tracechain.criteria import Criterion
from tracechain.criteria import Lot as LotCriterion
from tracechain.custody import Violation
from tracechain.demo.files import Breach, Count, DayFile, document, scan_file
from tracechain.demo.makers import ARRIVAL, cased, commissioned, packed, shipped
from tracechain.demo.rows import Happening
from tracechain.demo.sale import Bought, Purchase, buyer_token, pack_codes
from tracechain.demo.units import CASE, Case, Lot, Pack, label_of, make_packs
from tracechain.demo.world import (
    AIR_CARGO,
    AIRPORT,
    AUTHORITY,
    CARRIER,
    DAY,
    DOCK,
    HOUR,
    IMPORTER,
    MINUTE,
    OUTBOUND,
    RETURNS,
    SECOND,
    SPECIAL,
    STORAGE,
    STORE,
    TODAY,
    WAREHOUSE,
    WASTE,
    sscc,
)
from tracechain.event import Event, ObjectEvent, SourceDest

__all__ = ["OPENED", "WITNESS", "Recall", "RecalledLot"]

#: When the enterprise opens the recall, by the clock of the story.
OPENED = DAY + 12 * HOUR + 4 * MINUTE
#: Whose key signs what is destroyed.
WITNESS = "witness-bmpa"

#: Shares of the lot: cases that nobody opens, packs that are ordered before noon, exported, destroyed at night.
UNOPENED, ORDERED, EXPORTED, DESTROYED = 0.2, 0.195, 0.003, 0.08
#: By noon so much of what was ordered is delivered, counted from the earliest; of the earliest of these, one in so many
#: lies in a store.
DELIVERED, STORED, EARLIEST = 0.4, 8, 0.35
#: One in so many parcels in a van cannot be stopped; two in so many buyers send theirs back.
NOT_STOPPED, SENT_BACK = 6, 5
#: One in so many buyers does not answer the telephone.
SILENT = 20


@frozen(kw_only=True)
class Recall:
    """The recall of the day, and what has to come of it.

    `groups` are units by what has to be done at the opening (tracechain.recall.GROUPS); `end` is its progress at night:
    affected, reached, locked, returned, destroyed, outstanding. `opened` and `notified` are in nanoseconds since 1970
    UTC; `parties` and `buyers` are told then. Packs, as a person would type their codes: the open recall catches
    `next_sale`, `handed_over` and `late`, one of `late_packs` that turn up afterwards; `flying` is on its way.
    """

    id: str
    product: str
    lot: str
    name: str
    recall_class: str
    reason: str
    by: str
    authority: str
    on: date
    opened: int
    notified: int
    groups: dict[str, int]
    end: dict[str, int]
    parties: tuple[str, ...]
    buyers: tuple[str, ...]
    next_sale: str
    handed_over: str
    late: str
    late_packs: int
    flying: str

    @property
    def criterion(self) -> Criterion:
        """Which packs it is about."""
        return LotCriterion(self.product, self.lot)


class RecalledLot:
    """The packs of the lot by roles, and what is told of them, file by file.

    `outbound` and `returns` go into the hourly files and into that of the returns desk; `unopened` are ids of cases,
    and `more_packs` are those that are not on the pallets of the lot.
    """

    def __init__(self, lot: Lot, seed: str) -> None:
        self.lot = lot
        self.outbound: list[Happening] = []
        self.returns: list[Happening] = []
        self._random = Random(f"{seed} recalled")  # noqa: S311  # a made-up day must repeat itself; it guards nothing
        size = len(lot.packs)
        opened = len(lot.cases) - int(UNOPENED * len(lot.cases))
        self.unopened = {case.id for case in lot.cases[opened:]}
        shelf = [pack for case in lot.cases[:opened] for pack in case.packs]
        self._random.shuffle(shelf)
        draw = iter(shelf)
        ordered = [next(draw) for _ in range(max(12, round(ORDERED * size)))]
        self.exported = [next(draw) for _ in range(max(2, round(EXPORTED * size)))]
        self.crushed = [next(draw) for _ in range(max(1, round(size / 1000)))]
        self.bonded = [*(pack for case in lot.cases[opened:] for pack in case.packs), *draw]
        self.destroyed = self.bonded[: max(4, round(DESTROYED * size))]
        self.late, *self.flying = more = self._more_cases(1 + max(1, size // 1000))
        self.more_packs = sum(len(case.packs) for case in more)
        self.reserved: list[Bought] = []
        self.stored: list[Bought] = []
        self.carried: list[Bought] = []
        self.delivered: list[Bought] = []
        self._sales(ordered)
        self.outbound.append(self._export())
        self._after()

    def _more_cases(self, count: int) -> list[Case]:
        """Cases of the lot that are not on its pallets."""
        lot = self.lot
        taken = {pack.serial for pack in lot.packs}
        return [
            Case(
                sscc(lot.product.maker.company, 20_264_900 + number),
                make_packs(lot.product, lot.number, lot.expiry, CASE, self._random, taken),
            )
            for number in range(count)
        ]

    # ---- until noon ----------------------------------------------------------------------------

    def _sales(self, packs: Sequence[Pack]) -> None:
        """From nine o'clock on: what is ordered early is delivered or lies in a store by noon, the rest is in a van."""
        random, count = self._random, len(packs)
        reserved = max(2, count // 100)
        first, last = DAY + 9 * HOUR, DAY + 11 * HOUR + 52 * MINUTE
        for number, pack in enumerate(packs):
            time = first + (last - first) * number // count // SECOND * SECOND
            purchase = Purchase.of(
                f"BR{number + 1:06}", (pack,), buyer_token(f"of the lot {random.randrange(count * 3)}")
            )
            self.outbound += [purchase.order(time), purchase.payment(time + random.randrange(15, 80) * SECOND)]
            if number >= count - reserved:
                self.reserved.append(Bought(purchase, pack, self.outbound[-1]))
            elif number == count - reserved - 1:
                self.next = Bought(purchase, pack, purchase.sell(OPENED + 2 * MINUTE + 30 * SECOND, pack))
                self.outbound += [purchase.clear(OPENED - 7 * MINUTE, pack), self.next.last]
            else:
                self._sold(purchase, pack, time + random.randrange(120, 480) * SECOND, number, count)

    def _sold(self, purchase: Purchase, pack: Pack, cleared: int, number: int, count: int) -> None:
        random = self._random
        sale = purchase.sell(cleared + random.randrange(5, 60) * SECOND, pack)
        self.outbound += [purchase.clear(cleared, pack), sale]
        later = sale.time + random.randrange(75, 95) * MINUTE
        if number < EARLIEST * count and number % STORED == 3:
            store = SPECIAL if len(self.stored) % 3 == 2 else STORE
            there = Happening(later, "receive", (pack.matrix,), place=store, location=store)
            self.outbound += [purchase.transfer(sale.time + random.randrange(2, 12) * MINUTE, pack, store), there]
            self.stored.append(Bought(purchase, pack, there))
        elif number < DELIVERED * count:
            delivery = purchase.deliver(later, pack)
            self.outbound.append(delivery)
            self.delivered.append(Bought(purchase, pack, delivery))
        else:
            self.carried.append(Bought(purchase, pack, sale))

    # ---- what becomes of it --------------------------------------------------------------------

    def _after(self) -> None:
        """Until night: some comes back, some does not, and one courier has not heard of it."""
        random = self._random
        for one in self.reserved:
            self.outbound.append(one.purchase.cancel(OPENED + random.randrange(15, 40) * MINUTE))
        self.handed_over = next(one for at, one in enumerate(self.carried) if at % NOT_STOPPED == 1)
        self.handing = self.handed_over.purchase.deliver(DAY + 13 * HOUR + 40 * MINUTE, self.handed_over.pack)
        self.outbound.append(self.handing)
        self.turned = [
            one
            for at, one in enumerate(self.carried)
            if at % NOT_STOPPED != NOT_STOPPED - 1 and one is not self.handed_over
        ]
        self.pulled = [one for one in self.stored if one.last.place == STORE]
        self.sent_back = [one for at, one in enumerate(self.delivered) if at % SENT_BACK in (0, 2)]
        for one in self.sent_back:
            asked = OPENED + random.randrange(40, 300) * MINUTE
            back = DAY + 18 * HOUR + 40 * MINUTE + random.randrange(9000) * SECOND
            code = (one.pack.human,)
            self.returns.append(one.purchase.apply(asked, one.pack))
            self.returns.append(Happening(back, "return_in", code, place=RETURNS))
            self.returns.append(Happening(back + 40 * SECOND, "verify_failed", code, place=RETURNS))

    # ---- the files -----------------------------------------------------------------------------

    def _export(self) -> Happening:
        """Half past ten: a parcel for Hong Kong."""
        return Happening(
            DAY + 10 * HOUR + 30 * MINUTE, "export", pack_codes(self.exported), place=OUTBOUND,
            doc="desadv:HK-2026-869", target=f"possessing_party:{IMPORTER}",
        )  # fmt: skip

    def accident(self) -> Happening:
        """Just before nine a forklift runs over some."""
        return Happening(DAY + 9 * HOUR - 30 * SECOND, "destroy", pack_codes(self.crushed), place=WASTE)

    def air_document(self, count: Count) -> DayFile:
        """What was too late for the ship follows by air: cases, on a pallet, in an aircraft's unit."""
        lot, maker = self.lot, self.lot.product.maker
        packs = [pack for case in self.flying for pack in case.packs]
        pallet, unit = sscc(maker.company, 20_264_950), sscc(maker.company, 20_264_951)
        start = DAY - 3 * 24 * HOUR + 9 * HOUR
        told: list[tuple[str, Event]] = [("commission", commissioned(lot, packs, "LINE-1", start))]
        told += [("pack", cased(lot, case, start + (20 + number) * MINUTE)) for number, case in enumerate(self.flying)]
        told.append(("pack", packed(lot, pallet, tuple(case.id for case in self.flying), start + HOUR)))
        told.append(("pack", packed(lot, unit, (pallet,), start + 2 * HOUR)))
        # This despatch names the packs as well, so each of them is known to be on its way.
        told.append(("ship", shipped(lot, (unit, *(pack.id for pack in packs)), start + 4 * HOUR, "DA-4190")))
        flight = ObjectEvent(
            event_time=DAY + 4 * HOUR + 30 * MINUTE,
            time_zone_offset=maker.offset,
            epcs=(unit,),
            action="OBSERVE",
            biz_step="shipping",
            disposition="in_transit",
            read_point=AIRPORT,
            sources=(SourceDest("possessing_party", AIR_CARGO),),
            destinations=(SourceDest("location", DOCK),),
        )
        told.append(("ship", flight))
        return document(f"{self._name('10')}-air.json", maker.name, told, count, ARRIVAL + 5 * MINUTE)

    def late_files(self, count: Count) -> Iterator[DayFile]:
        """A case that the ship's papers forgot: the dock finds it, its maker sends its data, and it is on sale."""
        lot, case = self.lot, self.late
        made = DAY - 30 * 24 * HOUR
        told: list[tuple[str, Event]] = [
            ("commission", commissioned(lot, case.packs, "LINE-3", made)),
            ("pack", cased(lot, case, made + 25 * MINUTE)),
        ]
        received = DAY + 21 * HOUR + 45 * MINUTE
        yield document(f"{self._name('44')}-late.json", lot.product.maker.name, told, count, received)
        time = DAY + 15 * HOUR + 20 * MINUTE
        codes = tuple(pack.matrix for pack in case.packs)
        self.forgotten = Purchase.of("BR900001", case.packs[:1], buyer_token("of the late case"))
        happenings = [
            Happening(time, "receive", (label_of(case.id),), place=DOCK),
            Happening(time + 25 * MINUTE, "bond_in", codes, place=STORAGE),
            self.forgotten.order(time + 45 * MINUTE),
        ]
        yield scan_file("45-late-case.csv", "dock, storage hall, platform", happenings, count, received + 5 * MINUTE)

    def parcels_file(self, count: Count) -> DayFile:
        """Vans that turned round, and what a store sends back."""
        happenings = []
        for number, one in enumerate((*self.turned, *self.pulled)):
            time = DAY + 16 * HOUR + number * 25 * SECOND
            happenings.append(Happening(time, "return_in", (one.pack.matrix,), place=RETURNS))
        return scan_file("46-recalled-parcels.csv", "couriers, stores", happenings, count)

    def witnessed_file(self, count: Count) -> DayFile:
        """Part of the stock is burnt, case by case, before the eyes of the administration, which signs for it."""
        doc = f"cert:urn:epcglobal:cbv:bt:{WAREHOUSE[4:]}:DESTROYED-2026-1120"
        happenings = [
            Happening(
                DAY + 21 * HOUR + 20 * MINUTE + start // CASE * 3 * MINUTE, "destroy",
                pack_codes(self.destroyed[start : start + CASE]), place=WASTE, doc=doc,
            )
            for start in range(0, len(self.destroyed), CASE)
        ]  # fmt: skip
        return scan_file(f"75-{WITNESS}.csv", WITNESS, happenings, count)

    def _name(self, prefix: str) -> str:
        return f"{prefix}-{self.lot.product.maker.name.split()[0].lower()}-{self.lot.number.lower()}"

    # ---- what has to come of it ----------------------------------------------------------------

    def breaches(self) -> list[Breach]:
        """What is done with packs of the lot although the recall is open."""
        return [
            Breach(file, story, pack.id, (Violation.RECALLED,))
            for file, story, pack in (
                ("40-outbound-12h.csv", "the lot is recalled, and the shop sells one more", self.next.pack),
                (
                    "40-outbound-13h.csv",
                    "a courier who has heard nothing hands a recalled pack over",
                    self.handed_over.pack,
                ),
                (
                    "45-late-case.csv",
                    "a case of the recalled lot turns up, and a pack of it is ordered",
                    self.late.packs[0],
                ),
            )
        ]

    def recall(self) -> Recall:
        """The recall, with the counts that follow from the roles."""
        lot = self.lot
        flying = sum(len(case.packs) for case in self.flying)
        whole = len(lot.packs) + flying
        sold = [*self.carried, *self.delivered]
        buyers = tuple(dict.fromkeys(one.purchase.buyer for one in (*self.stored, *sold)))
        told = tuple(buyer for number, buyer in enumerate(buyers) if number % SILENT != SILENT // 2)
        back = {one.pack.id for one in (*self.turned, *self.pulled, *self.sent_back)}
        destroyed = len(self.crushed) + len(self.destroyed)
        kept = [one for one in sold if one.pack.id not in back]
        outstanding = flying + len(self.exported) + len(kept) + len(self.stored) - len(self.pulled)
        affected = whole + len(self.late.packs)
        return Recall(
            id="R-2026-002",
            product=f"01/{lot.product.gtin}",
            lot=lot.number,
            name=f"{lot.product.name}, {lot.product.maker.name}",
            recall_class="2",
            reason="fast ageing test: ibuprofen falls under its limit before the expiry date",
            by="quality department",
            authority=AUTHORITY,
            on=TODAY,
            opened=OPENED,
            notified=OPENED + 16 * MINUTE,
            groups={
                "stock": len(self.bonded) + len(self.reserved) + 1,
                "transit": flying,
                "store": len(self.stored),
                "sold": len(sold),
                "exported": len(self.exported),
                "destroyed": len(self.crushed),
                "unknown": 0,
            },
            end={
                "affected": affected,
                "reached": affected - sum(one.purchase.buyer not in told for one in kept),
                "locked": affected - len(back) - destroyed - outstanding,
                "returned": len(back),
                "destroyed": destroyed,
                "outstanding": outstanding,
            },
            parties=(STORE, SPECIAL, CARRIER, AIR_CARGO, IMPORTER, lot.product.maker.merchant),
            buyers=tuple(f"person/{buyer}" for buyer in told),
            next_sale=self.next.pack.human,
            late=self.late.packs[1].human,
            late_packs=len(self.late.packs),
            handed_over=self.handed_over.pack.human,
            flying=self.flying[0].packs[0].human,
        )
