"""What goes wrong on the day: one short scene for each rule that can be broken, with what the ledger has to say of it.

A scene is lawful up to the event that breaks a rule. All of it is recorded, for it happened; the pack stays where it
was. `Breach` says which pack breaks which rules in which file, so that the demo and the tests can hold the ledger to
it. The kiosk of `shop`, which sells destroyed packs, belongs to them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from attrs import Factory, define, evolve

from tracechain.custody import Violation
from tracechain.demo.earlier import Earlier
from tracechain.demo.files import Breach, Count, DayFile, document, scan_file
from tracechain.demo.rows import Happening
from tracechain.demo.sale import Bought, Purchase, buyer_token, pack_codes
from tracechain.demo.shop import Shop
from tracechain.demo.units import Case, Pack, label_of
from tracechain.demo.world import (
    BEIJING,
    CALM_TABLETS,
    CITY,
    CLINIC,
    DAY,
    DENTURE_GEL,
    ENTERPRISE,
    EYE_WASH,
    HOUR,
    LOCKER,
    MINUTE,
    NIGHT_RIDERS,
    RETURNS,
    SHED,
    SLEEP_GUMMIES,
    SLIMMING_PADS,
    STORAGE,
    STORE,
    TEAHOUSE,
    WASTE,
    WORKSHOP,
    sscc,
)
from tracechain.event import Extension, TransformationEvent
from tracechain.event.sale import EXPIRY, LOT, MASTER_DATA

__all__ = ["make_violations"]

V = Violation


@define
class Scenes:
    """Collects the scenes of one file. Each has ten minutes of its own, from ten o'clock at night."""

    file: str
    shop: Shop
    earlier: Earlier
    told: list[Happening] = Factory(list)
    breaches: list[Breach] = Factory(list)
    numbers: Iterator[int] = Factory(lambda: iter(range(1000)))

    def time(self) -> int:
        """When the next scene begins."""
        return DAY + 22 * HOUR + 3 * MINUTE * next(self.numbers)

    def purchase(self, pack: Pack, *more: Pack) -> Purchase:
        """An order of the night, of a buyer of its own."""
        number = f"BN{self.file[1]}{next(self.numbers):04}"
        return Purchase.of(number, (pack, *more), buyer_token(number))

    def tell(self, story: str, breaking: Happening, packs: tuple[Pack | Case, ...], *codes: Violation) -> None:
        """The event that breaks rules, for each of these packs, or cases."""
        self.told.append(breaking)
        self.breaches += [Breach(self.file, story, pack.id, tuple(sorted(codes))) for pack in packs]


def _shops(scenes: Scenes) -> None:
    """The platform and its merchants."""
    shop, packs = scenes.shop, scenes.earlier.packs
    three = (shop.bonded.pop(), shop.bonded.pop(), shop.bonded.pop())
    scenes.tell(
        "a clinic orders three packs for its own shelf",
        evolve(scenes.purchase(*three).order(scenes.time()), buyer="", target=f"owning_party:{CLINIC}"),
        three,
        V.NON_CONSUMER,
    )
    for story, product, codes in (
        ("an eye wash is sold of which nobody filed a registration", EYE_WASH, (V.PRODUCT_UNREGISTERED,)),
        ("tablets are offered that the screening barred", CALM_TABLETS, (V.SCOPE, V.PRODUCT_BARRED)),
        ("gummies are sold that no scope list names", SLEEP_GUMMIES, (V.SCOPE,)),
        ("a suspended merchant takes one more order", SLIMMING_PADS, (V.MERCHANT_SUSPENDED,)),
        ("a gel is sold on, though the regulator stopped it today", DENTURE_GEL, (V.SERVICE_STOPPED,)),
    ):
        one = packs[product.name][0]
        scenes.tell(story, scenes.purchase(one).order(scenes.time()), (one,), *codes)
    pack, time = shop.bonded.pop(), scenes.time()
    scenes.told.append(Happening(time, "hold", (pack.human,), place=STORAGE))
    scenes.tell(
        "a pack with a broken seal is held, and sold online all the same",
        scenes.purchase(pack).order(time + MINUTE),
        (pack,),
        V.HELD,
    )
    pack, time = shop.bonded.pop(), scenes.time() - HOUR
    purchase = scenes.purchase(pack)
    scenes.told += purchase.through(time, "clear")
    scenes.tell(
        "the platform sells a pack as its own",
        evolve(purchase.sell(time + 40 * MINUTE, pack), source=f"owning_party:{ENTERPRISE}"),
        (pack,),
        V.PLATFORM_SELLS,
    )


def _customs(scenes: Scenes) -> None:
    """Orders, payments and clearance."""
    shop, earlier = scenes.shop, scenes.earlier
    pack, time = shop.bonded.pop(), scenes.time() - HOUR
    purchase = scenes.purchase(pack)
    scenes.told += purchase.through(time, "payment")
    other = scenes.purchase(pack)
    scenes.tell(
        "a pack is cleared on the papers of another order",
        evolve(purchase.clear(time + 20 * MINUTE, pack), doc=f"{other.po} {other.waybill}"),
        (pack,),
        V.THREE_DOC,
    )
    pack, time = shop.bonded.pop(), scenes.time() - HOUR
    purchase = scenes.purchase(pack)
    scenes.told.append(purchase.order(time))
    scenes.tell(
        "somebody else pays, and a yuan less",
        evolve(purchase.payment(time + MINUTE), buyer=buyer_token("else"), amount=purchase.amount - Decimal(1)),
        (pack,),
        V.THREE_DOC,
    )
    scenes.tell(
        "and it is cleared unpaid",
        purchase.clear(time + 20 * MINUTE, pack),
        (pack,),
        V.THREE_DOC,
    )
    two, time = earlier.packs["monitors"][:2], scenes.time() - HOUR
    purchase = scenes.purchase(*two)
    scenes.told += purchase.through(time, "payment")
    for minute, pack in enumerate(two, 20):
        scenes.tell(
            f"one order of {purchase.amount} yuan goes through customs",
            purchase.clear(time + minute * MINUTE, pack),
            (pack,),
            V.LIMIT,
        )
    pack, time = earlier.packs["monitors"][2], scenes.time() - HOUR
    purchase = evolve(scenes.purchase(pack), buyer=earlier.spender)
    scenes.told += purchase.through(time, "payment")
    scenes.tell(
        "the sixth set of one buyer: over 26,000 yuan in this year",
        purchase.clear(time + 20 * MINUTE, pack),
        (pack,),
        V.LIMIT,
    )
    pack = earlier.packs["unbooked"][0]
    scenes.tell(
        "a pack is booked in under bond in a shed outside the zone",
        Happening(scenes.time(), "bond_in", (pack.matrix,), place=SHED, location=SHED),
        (pack,),
        V.ZONE,
    )
    pack = shop.bonded.pop()
    scenes.tell(
        "a pack is sold straight from bonded stock",
        scenes.purchase(pack).sell(scenes.time(), pack),
        (pack,),
        V.SOLD_BEFORE_CLEARANCE,
    )


def _warehouse(scenes: Scenes) -> None:
    """Stock: codes, labels, flags."""
    shop, earlier = scenes.shop, scenes.earlier
    pack = shop.bonded.pop()
    plant = pack.product.maker.plant
    scenes.tell(
        "a line prints a code that is in the stock already",
        Happening(
            scenes.time(), "commission", (pack.element,), place=plant, location=plant, lot=pack.lot, expiry=pack.expiry
        ),
        (pack,),
        V.ALREADY_COMMISSIONED,
    )
    pack = shop.bonded.pop()
    scenes.tell(
        "a pack that lies under bond is booked in once more",
        Happening(scenes.time(), "bond_in", (pack.matrix,), place=STORAGE),
        (pack,),
        V.CUSTODY,
    )
    pack = shop.bonded.pop()
    mistyped = evolve(pack, serial=pack.serial.lower())
    scenes.tell(
        "a scanner with its shift key stuck reads a code that nobody knows",
        Happening(scenes.time(), "stocktake", (mistyped.element,), place=STORAGE),
        (mistyped,),
        V.UNKNOWN_CODE,
    )
    pack = shop.bonded.pop()
    scenes.tell(
        "the box says another lot than the maker did",
        Happening(scenes.time(), "stocktake", (pack.element,), place=STORAGE, lot=f"{pack.lot}X"),
        (pack,),
        V.LOT_MISMATCH,
    )
    pack = shop.bonded.pop()
    later = f"{int(pack.expiry[:4]) + 1}{pack.expiry[4:]}"
    scenes.tell(
        "the box says that it is good for a year longer",
        Happening(scenes.time(), "stocktake", (pack.element,), place=STORAGE, expiry=later),
        (pack,),
        V.EXPIRY_MISMATCH,
    )
    sold = shop.sold.pop()
    scenes.tell(
        "a pack that is sold comes up in the workshop",
        Happening(scenes.time(), "repair", (sold.pack.matrix,), place=WORKSHOP),
        (sold.pack,),
        V.NOT_UNDER_BOND,
    )
    pack, time = shop.bonded.pop(), scenes.time()
    scenes.told.append(Happening(time, "recall", (pack.matrix,), place=STORAGE))
    scenes.tell("a recalled pack is ordered", scenes.purchase(pack).order(time + MINUTE), (pack,), V.RECALLED)
    pack, time = shop.bonded.pop(), scenes.time() - HOUR
    purchase = scenes.purchase(pack)
    scenes.told += purchase.through(time, "clear")
    scenes.told.append(Happening(time + 30 * MINUTE, "steal", (pack.human,), place=STORAGE))
    scenes.tell(
        "a pack is stolen from the outbound shelf, and sold",
        evolve(purchase.sell(time + 45 * MINUTE, pack), place=CITY, location=CITY),
        (pack,),
        V.STOLEN,
    )
    purchase = earlier.sales["expiring"]
    (pack,) = purchase.packs
    scenes.tell("it expired at midnight, and is sold", purchase.sell(scenes.time(), pack), (pack,), V.EXPIRED_LOCK)


def _city(scenes: Scenes) -> None:
    """Delivery and pickup."""
    shop = scenes.shop
    had = shop.delivered.pop()
    scenes.tell(
        "a pack that was delivered is sold a second time",
        Happening(scenes.time(), "sell", (had.pack.human,), place=CITY, location=CITY),
        (had.pack,),
        V.SECONDARY_SALE,
    )
    one, two, three, sold = (shop.sold.pop() for _ in range(4))
    scenes.tell(
        "the neighbour signs for it",
        evolve(one.purchase.deliver(scenes.time(), one.pack), buyer=buyer_token("neighbour")),
        (one.pack,),
        V.WRONG_BUYER,
    )
    scenes.tell(
        "a rider whom nobody assessed brings it",
        evolve(two.purchase.deliver(scenes.time(), two.pack), source=NIGHT_RIDERS),
        (two.pack,),
        V.CARRIER_UNASSESSED,
    )
    scenes.tell(
        "it is left in a locker that nobody registered",
        evolve(three.purchase.deliver(scenes.time(), three.pack), place=LOCKER, location=LOCKER),
        (three.pack,),
        V.PLACE_UNREGISTERED,
    )
    scenes.tell(
        "a sold pack is sent to a teahouse, for its buyer to fetch",
        sold.purchase.transfer(scenes.time(), sold.pack, TEAHOUSE),
        (sold.pack,),
        V.OFFLINE_PICKUP_UNLICENSED,
    )
    pack = shop.bonded.pop()
    scenes.tell(
        "a pack goes from the bonded shelf over the teahouse's counter",
        scenes.purchase(pack).pickup(scenes.time(), pack, TEAHOUSE),
        (pack,),
        V.OFFLINE_PICKUP_UNLICENSED,
    )

    # No rule is broken by this one, but who looks at places and times sees that there are two of it.
    pack, time = shop.bonded.pop(), scenes.time()
    scenes.told += [
        Happening(time, "stocktake", (pack.matrix,), place=STORAGE),
        Happening(time + 4 * MINUTE, "receive", (pack.matrix,), place=STORE, location=STORE),
    ]


def _returns(scenes: Scenes) -> None:
    """What comes back."""
    shop, earlier = scenes.shop, scenes.earlier
    (pack,) = earlier.sales["september"].packs
    scenes.tell(
        "a pack delivered in September arrives",
        Happening(scenes.time(), "return_in", (pack.human,), place=RETURNS),
        (pack,),
        V.RETURN_LATE,
    )
    (pack,) = earlier.sales["october"].packs
    scenes.tell(
        "a buyer asks to return a pack after 39 days",
        earlier.sales["october"].apply(scenes.time(), pack),
        (pack,),
        V.RETURN_LATE,
    )
    had, time = shop.delivered.pop(), scenes.time()
    scenes.told.append(Happening(time, "return_in", (had.pack.human,), place=RETURNS))
    scenes.tell(
        "a returned pack goes back to stock and nobody has looked at it",
        Happening(time + MINUTE, "release", (had.pack.human,), place=RETURNS),
        (had.pack,),
        V.UNVERIFIED_RETURN,
    )
    exported, had = earlier.packs["exported"], shop.delivered.pop()
    scenes.tell(
        "an export of thirteen months ago comes back",
        Happening(scenes.time(), "export_return", pack_codes(exported), place=RETURNS, doc="XR-2026-131"),
        exported,
        V.EXPORT_RETURN_LATE,
    )
    scenes.tell(
        "a pack sold in Beijing is declared as returned goods",
        Happening(scenes.time(), "export_return", (had.pack.human,), place=RETURNS, doc="XR-2026-132"),
        (had.pack,),
        V.NOT_ORIGINAL,
    )


def _taken_back(scenes: Scenes) -> None:
    """Events that are declared errors, and should not be."""
    shop, earlier = scenes.shop, scenes.earlier

    def void(happening: Happening) -> Happening:
        return evolve(happening, error="did_not_occur", declared=DAY + 23 * HOUR)

    def removed(event: str, before: str = "") -> tuple[Pack, Happening]:
        pack, time = shop.bonded.pop(), scenes.time()
        if before:
            scenes.told.append(Happening(time - MINUTE, before, (pack.human,), place=STORAGE))
        scenes.told.append(gone := Happening(time, event, (pack.human,), place=STORAGE))
        return pack, gone

    def tell(story: str, breaking: Happening, pack: Pack, code: Violation) -> None:
        scenes.tell(story, breaking, (pack,), code)

    had: Bought = shop.delivered.pop()
    sale = had.purchase.sell(had.last.time - HOUR, had.pack)
    tell("a shop takes a sale back after the parcel arrived", void(sale), had.pack, V.UNDO_MISMATCH)
    (pack,), booking = earlier.packs["booked"], earlier.bookings["booked"]
    tell("a booking is taken back after two weeks", void(booking), pack, V.UNDO_LATE)
    left = shop.refused[0]
    tell("a clerk takes back what a courier scanned", void(left.last), left.pack, V.UNDO_ACTOR)
    pack, gone = removed("decommission")
    tell("a pack is put back into the books from another hall", evolve(void(gone), place=WASTE), pack, V.UNDO_PLACE)
    (pack,), booking = earlier.packs["booked late"], earlier.bookings["booked late"]
    tell("a booking is taken back after the pack expired", void(booking), pack, V.UNDO_EXPIRED)
    pack, gone = removed("destroy", "recall")
    tell("the destruction of a recalled pack is taken back", void(gone), pack, V.UNDO_RECALLED)
    pack, gone = removed("decommission", "steal")
    tell("a stolen pack is put back into the books", void(gone), pack, V.UNDO_STOLEN)
    had = shop.delivered.pop()
    tell("a delivery is taken back, and the buyer has the pack", void(had.last), had.pack, V.UNDO_SUPPLIED)


def _packing(scenes: Scenes) -> None:
    """What is in what."""
    one, two = scenes.shop.empties[:2]
    company = one.packs[0].product.maker.company
    first, second = (label_of(sscc(company, 20_264_990 + number)) for number in range(2))
    time = scenes.time()
    scenes.told.append(Happening(time, "pack", (label_of(one.id),), first, STORAGE))
    scenes.tell(
        "a case that stands on one pallet is packed onto another",
        Happening(time + MINUTE, "pack", (label_of(one.id),), second, STORAGE),
        (one,),
        V.ALREADY_PACKED,
    )
    scenes.tell(
        "and that pallet is packed into the case that stands on it",
        Happening(time + 2 * MINUTE, "pack", (second,), label_of(one.id), STORAGE),
        (Case(f"00/{second[4:]}", ()),),
        V.PACKING_CYCLE,
    )
    scenes.tell(
        "a case is taken off a pallet on which it never was",
        Happening(scenes.time(), "unpack", (label_of(two.id),), second, STORAGE),
        (two,),
        V.NOT_PACKED,
    )


SCENES: tuple[tuple[str, str, Callable[[Scenes], None]], ...] = (
    ("90-violations-shops.csv", "platform and shops", _shops),
    ("91-violations-customs.csv", "customs and platform", _customs),
    ("92-violations-warehouse.csv", "storage hall", _warehouse),
    ("93-violations-city.csv", "couriers and stores", _city),
    ("94-violations-returns.jsonl", "returns desk", _returns),
    ("95-violations-taken-back.csv", "clerks", _taken_back),
    ("96-violations-packing.csv", "storage hall", _packing),
)
LABELS = "97-violations-labels.json"
ARCHIVED = "05-earlier.csv"


def make_violations(shop: Shop, earlier: Earlier, count: Count) -> tuple[list[DayFile], tuple[Breach, ...]]:
    """The files of what goes wrong, and every breach of the day, in order of the files."""
    (left_next_door,) = earlier.sales["doorstep"].packs
    archived = Breach(
        ARCHIVED, "a parcel of last month was left next door", left_next_door.id, (V.WRONG_BUYER,)
    )  # fmt: skip
    kiosk = [
        Breach("80-city-kiosk.csv", "a kiosk sells a pack that was destroyed", subject, (V.DEAD_PACK,))
        for subject in shop.risen_ids
    ]
    files, breaches = [], [archived, *kiosk]
    received = DAY + 23 * HOUR + 20 * MINUTE
    for number, (name, source, tell) in enumerate(SCENES):
        scenes = Scenes(name, shop, earlier)
        tell(scenes)
        files.append(scan_file(name, source, scenes.told, count, received + number * MINUTE))
        breaches += scenes.breaches
    labels, last = _labels(shop, count)
    return [*files, labels], (*breaches, *last)


def _labels(shop: Shop, count: Count) -> tuple[DayFile, list[Breach]]:
    """A workshop's own system sends EPCIS: a lawful relabelling but for the date, and one of a pack that is sold."""
    events, breaches = [], []
    under_bond, sold = shop.bonded.pop(), shop.sold.pop().pack
    for number, (old, story, old_codes, new_codes) in enumerate(
        (
            (under_bond, "a new label makes a pack good for two years longer", (), (V.EXPIRY_MISMATCH,)),
            (sold, "a pack that is sold gets a new label", (V.NOT_UNDER_BOND,), (V.NOT_UNDER_BOND,)),
        )
    ):
        later = f"{int(old.expiry[:4]) + 2}{old.expiry[4:]}" if number == 0 else old.expiry
        new = evolve(old, serial=f"RX{old.serial[2:]}")
        events.append(
            TransformationEvent(
                event_time=DAY + 22 * HOUR + (30 + number) * MINUTE,
                time_zone_offset=BEIJING,
                epcs=(old.id,),
                output_epcs=(new.id,),
                biz_step="repackaging",
                read_point=WORKSHOP,
                ilmd=(Extension(MASTER_DATA, LOT, old.lot), Extension(MASTER_DATA, EXPIRY, later)),
            )
        )
        for subject, codes in ((old.id, old_codes), (new.id, new_codes)):
            if codes:
                breaches.append(Breach(LABELS, story, subject, codes))
    told = [("relabel", event) for event in events]
    return document(LABELS, "workshop", told, count, DAY + 23 * HOUR + 30 * MINUTE), breaches
