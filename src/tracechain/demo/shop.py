"""What becomes of the stock on the day: orders, clearance, sale, delivery or pickup, returns; one pack at a time.

Whatever is told here is lawful, but for the kiosk that sells packs which the returns desk destroyed. The lot that is
recalled has a story of its own (`recalled`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from tracechain.demo.buyers import NAMES
from tracechain.demo.files import Count, DayFile, scan_file
from tracechain.demo.rows import Happening
from tracechain.demo.sale import Bought, Purchase, buyer_token
from tracechain.demo.units import Lot, Pack, label_of
from tracechain.demo.world import CITY, DAY, HOUR, MINUTE, RETURNS, SECOND, SPECIAL, STORAGE, STORE, WASTE

__all__ = ["Shop"]

#: Shares: of all packs, what is ordered on the day; of that, what couriers 07 and 12 carry, and of the rest, what is
#: delivered by nightfall.
ORDERED = 0.56
CARRIED = 0.06
DELIVERED = 0.93
#: One order in so many is cancelled before clearance; one in so many goes to a store, where the buyer fetches it.
CANCELLED = 80
FETCHED = 25
#: One in so many returned packs fails inspection and is destroyed; so many of these are sold again.
FAILED = 4
RISEN = 7
#: One in so many parcels that a courier carries is refused at the door.
REFUSED = 20


class Shop:
    """Goes through the day as it is made. What is left at night: `bonded` packs that nobody ordered, `sold` ones on
    their way, `delivered` ones with their buyers, `refused` ones on their way back (each still with the courier who
    wrote it down)."""

    def __init__(self, lots: Sequence[Lot], seed: str, returned: int, apart: Lot) -> None:
        self.random = Random(f"{seed} shop")  # noqa: S311  # a made-up day must repeat itself; it guards nothing
        self.people = Random(f"{seed} people")  # noqa: S311  # as above
        packs = [(pack, lot) for lot in lots for pack in lot.packs]
        self.random.shuffle(packs)
        packs = [(pack, lot) for pack, lot in packs if lot is not apart]
        #: Chilled packs stay in their cases until they are ordered.
        self._cases = {pack.id: case for lot in lots if lot.product.cold for case in lot.cases for pack in case.packs}
        self.outbound: list[Happening] = []
        #: The first orders, by number: their buyers are told apart (`buyers`).
        self.named: list[tuple[str, Happening]] = []
        self.returns: list[Happening] = []
        self.risen: list[Happening] = []
        self.risen_ids: list[str] = []
        self.carried: tuple[list[Happening], list[Happening]] = ([], [])
        self.traced = packs[0]
        #: Cases that were emptied in the morning: at night they stand about.
        self.empties = [case for lot in lots if lot is not apart and not lot.product.cold for case in lot.cases]
        ordered = [pack for pack, _ in packs[: round(len(packs) * ORDERED)]]
        self.bonded = [pack for pack, _ in packs[len(ordered) :]]
        self.sold: list[Bought] = []
        self.delivered: list[Bought] = []
        self.refused: list[Bought] = []
        self._orders(ordered, returned)
        self._take_back()

    def _orders(self, packs: list[Pack], returned: int) -> None:
        at, number = 0, 0
        first, last = DAY + 9 * HOUR, DAY + 17 * HOUR + 30 * MINUTE
        while at < len(packs):
            size = self.random.choices((1, 2, 3), (70, 20, 10))[0]
            # Earlier orders come first: the log is in order of receipt, and so are its files.
            time = first + (last - first) * at // len(packs) // SECOND * SECOND
            number += 1
            buyer = buyer_token(str(self.people.randrange(max(40, len(packs) // 2))))
            purchase = Purchase.of(f"BJ{number:06}", packs[at : at + size], buyer)
            if number <= len(NAMES):
                self.named.append((purchase.number, purchase.order(time)))
            else:
                self.outbound.append(purchase.order(time))
            self.outbound.append(purchase.payment(time + self.people.randrange(15, 100) * SECOND))
            if at >= returned and number % CANCELLED == 0:
                self.outbound.append(purchase.cancel(time + 30 * MINUTE))
            else:
                for offset, pack in enumerate(purchase.packs):
                    self._sold(purchase, pack, time, at + offset, returned, fetched=number % FETCHED == 0)
            at += len(purchase.packs)

    def _sold(self, purchase: Purchase, pack: Pack, time: int, at: int, returned: int, *, fetched: bool) -> None:
        """From clearance to the buyer."""
        random = self.random
        cleared = time + random.randrange(120, 600) * SECOND
        sold = cleared + random.randrange(5, 90) * SECOND
        if pack.product.cold:
            parent = label_of(self._cases[pack.id].id)
            self.outbound.append(Happening(cleared - 40 * SECOND, "unpack", (pack.matrix,), parent, STORAGE))
        self.outbound += [purchase.clear(cleared, pack), sale := purchase.sell(sold, pack)]
        handed = sold + random.randrange(75, 240) * MINUTE
        delivery = purchase.deliver(handed, pack)
        if at == 0:  # the pack to follow
            self.carried[0].append(delivery)
        elif at < returned:
            self.outbound.append(delivery)
        elif fetched:
            store = SPECIAL if at % 2 else STORE
            # A van takes over an hour from the zone to a store: nothing is seen at both within less.
            self.outbound.append(purchase.transfer(sold + random.randrange(2, 12) * MINUTE, pack, store))
            self.outbound.append(purchase.pickup(handed, pack, store))
        elif random.random() < CARRIED:
            carried = random.choice(self.carried)
            if len(carried) % REFUSED == 5:
                delivery = Happening(handed, "return_in", (pack.link,), place=CITY, location=CITY)
                self.refused.append(Bought(purchase, pack, delivery))
            carried.append(delivery)
        elif random.random() < DELIVERED:
            self.outbound.append(delivery)
            self.delivered.append(Bought(purchase, pack, delivery))
        else:
            self.sold.append(Bought(purchase, pack, sale))
        if at < returned:
            self._returned(purchase, pack, at, returned, handed)

    def _returned(self, purchase: Purchase, pack: Pack, at: int, returned: int, handed: int) -> None:
        """In the evening packs come back: inspected, and booked in again. What fails is destroyed, and some of that is
        sold again."""
        time = DAY + 18 * HOUR + 30 * MINUTE + at * 9000 // returned * SECOND
        code = (pack.human,)
        self.returns.append(purchase.apply(handed + self.people.randrange(20, 90) * MINUTE, pack))
        self.returns.append(Happening(time, "return_in", code, place=RETURNS))
        if at == 0 or at % FAILED:
            self.returns.append(Happening(time + 40 * SECOND, "verify", code, place=RETURNS))
            self.returns.append(Happening(time + 4 * MINUTE, "release", code, place=RETURNS))
            return
        self.returns.append(Happening(time + 40 * SECOND, "verify_failed", code, place=RETURNS))
        self.returns.append(Happening(time + 20 * MINUTE, "destroy", code, place=WASTE))
        if len(self.risen) < RISEN:
            late = DAY + 22 * HOUR + 10 * MINUTE + len(self.risen) * 171 * SECOND
            self.risen.append(Happening(late, "sell", code, place=CITY, location=CITY))
            self.risen_ids.append(pack.id)

    def _take_back(self) -> None:
        """At ten the couriers bring what was refused; the first of it waits for the morning."""
        for number, one in enumerate(self.refused[1:]):
            time = DAY + 22 * HOUR + number * 30 * SECOND
            code = (one.pack.human,)
            self.returns.append(Happening(time, "verify", code, place=RETURNS))
            self.returns.append(Happening(time + 20 * SECOND, "release", code, place=RETURNS))

    def hourly(self, count: Count) -> Iterable[DayFile]:
        """The outbound scans, one file an hour."""
        by_hour: dict[int, list[Happening]] = {}
        for one in self.outbound:
            by_hour.setdefault((one.time - DAY) // HOUR, []).append(one)
        for hour in sorted(by_hour):
            yield scan_file(f"40-outbound-{hour:02}h.csv", "platform, customs, shops, couriers", by_hour[hour], count)
