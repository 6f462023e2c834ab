"""What happened before the day: stock from earlier, sales of the past year, exports; taken over from old systems.

Each lot here is small and has its part in what the day tells later: packs that come back too late, an export of more
than a year ago, a lot that expires the day before, a buyer who is near the yearly limit.
"""

from __future__ import annotations

from random import Random

from attrs import evolve, frozen

from tracechain.demo.files import Count, DayFile, scan_file
from tracechain.demo.rows import Happening
from tracechain.demo.sale import Purchase, buyer_token, pack_codes
from tracechain.demo.units import Pack, make_packs
from tracechain.demo.world import (
    CALM_TABLETS,
    DENTURE_GEL,
    EYE_WASH,
    GLUCOSE_MONITOR,
    OUTBOUND,
    PRODUCTS,
    SLEEP_GUMMIES,
    SLIMMING_PADS,
    STORAGE,
    WAREHOUSE,
    Product,
    moment,
)

__all__ = ["ARCHIVE", "Earlier", "make_earlier"]

#: When the archive of the past year was taken over, and when the day before was handed in.
ARCHIVE = moment("2026-11-06 09:30")
EVE = moment("2026-11-19 17:30")

TEARS, SPRAY, LENS, STRIPS = PRODUCTS[0], PRODUCTS[4], PRODUCTS[5], PRODUCTS[6]


@frozen
class Earlier:
    """The files, and the packs by what was done with them.

    Of `sales`: "september" and "october" were delivered then, "doorstep" was handed to somebody else (the one breach of
    the archive, which an operator might like to forget), "overdue" was sold on 5 November and is on its way, "expiring"
    was cleared on the day before it expired. Of `packs`, by name: "exported" last year, two "june" exports,
    "unbooked" from the maker, "booked" and "booked late" under bond (with their bookings in `bookings`), "monitors",
    and by product what may not be sold.
    """

    files: tuple[DayFile, ...]
    sales: dict[str, Purchase]
    packs: dict[str, tuple[Pack, ...]]
    bookings: dict[str, Happening]
    spender: str

    @property
    def count(self) -> int:
        """How many packs there are."""
        return len({pack.id for packs in self.packs.values() for pack in packs})


class _Archive:
    """Lots as they are made, and what is told of them."""

    def __init__(self, random: Random) -> None:
        self.told: list[Happening] = []
        self._random = random
        self._taken: set[str] = set()

    def lot(self, product: Product, number: str, made: str, expiry: str, packs: int, booked: str = "") -> list[Pack]:
        """A lot is made, and booked in under bond unless it says nothing of that."""
        made_of = make_packs(product, number, expiry, packs, self._random, self._taken)
        plant, codes = product.maker.plant, tuple(pack.element for pack in made_of)
        self.told.append(
            Happening(moment(made), "commission", codes, place=plant, location=plant, lot=number, expiry=expiry)
        )
        if booked:
            self.book(booked, *made_of)
        return list(made_of)

    def book(self, time: str, *packs: Pack) -> Happening:
        """Packs are booked in under bond."""
        self.told.append(
            Happening(moment(time), "bond_in", tuple(pack.matrix for pack in packs), place=STORAGE, location=WAREHOUSE)
        )
        return self.told[-1]

    def sale(self, number: str, packs: list[Pack], buyer: str, time: str, until: str = "deliver") -> Purchase:
        """A sale under bond, up to a step of it."""
        purchase = Purchase.of(number, packs, buyer)
        self.told += purchase.through(moment(time), until)
        return purchase

    def export(self, time: str, *packs: Pack) -> None:
        """Packs leave the country."""
        self.told.append(Happening(moment(time), "export", pack_codes(packs), place=OUTBOUND))


def make_earlier(seed: str, count: Count) -> Earlier:
    """The archive of the past year, and the day before."""
    archive = _Archive(Random(f"{seed} earlier"))  # noqa: S311  # a made-up day must repeat itself; it guards nothing
    spray = archive.lot(SPRAY, "C301-0B06", "2025-08-18 10:00", "2027-08-15", 4, "2025-09-20 09:00")
    loose = archive.lot(SPRAY, "C301-0B07", "2025-08-19 10:00", "2027-08-15", 2)
    strips = archive.lot(STRIPS, "A501-0C02", "2025-09-02 11:00", "2028-03-28", 3, "2025-09-20 09:10")
    # Twelve bottles that nobody ordered: eight weeks are left to them, and no stocktake finds them.
    lens = archive.lot(LENS, "L401-0D15", "2025-01-20 15:00", "2027-01-15", 12, "2025-10-08 14:00")
    monitors = archive.lot(GLUCOSE_MONITOR, "A503-0A01", "2025-12-01 09:00", "2028-05-28", 8, "2026-01-15 10:00")
    tears = archive.lot(TEARS, "N101-0E11", "2024-11-20 08:00", "2026-11-19", 2)
    barred = {
        product.name: tuple(archive.lot(product, number, "2026-02-02 09:00", "2028-02-28", 1, "2026-03-10 16:00"))
        for product, number in (
            (SLEEP_GUMMIES, "C302-0A01"),
            (SLIMMING_PADS, "V601-0A01"),
            (EYE_WASH, "L402-0A01"),
            (CALM_TABLETS, "M203-0A01"),
            (DENTURE_GEL, "N103-0A01"),
        )
    }
    doorstep = archive.lot(SPRAY, "C301-0B08", "2025-08-20 10:00", "2027-08-15", 1, "2025-09-20 09:05")
    spender = buyer_token("of monitors")
    for number, day in enumerate(("2026-02-03", "2026-04-15", "2026-06-20", "2026-08-08", "2026-10-01")):
        archive.sale(f"BE00001{number}", [monitors[number]], spender, f"{day} 11:00")
    archive.export("2025-10-30 15:00", strips[0])
    archive.export("2026-06-11 15:00", *strips[1:])
    sales = {
        "september": archive.sale("BE000021", spray[:1], buyer_token("in september"), "2026-09-18 10:00"),
        "october": archive.sale("BE000022", spray[1:2], buyer_token("in october"), "2026-10-12 10:00"),
        "doorstep": archive.sale("BE000025", doorstep, buyer_token("at work"), "2026-10-14 10:00", "sell"),
        "overdue": archive.sale("BE000023", spray[2:3], buyer_token("who waits"), "2026-11-05 10:00", "sell"),
    }
    to_neighbour = sales["doorstep"].deliver(moment("2026-10-14 17:00"), doorstep[0])
    archive.told.append(evolve(to_neighbour, buyer=buyer_token("next door")))
    archive.book("2026-11-05 15:00", tears[0])
    bookings = {"booked": archive.book("2026-11-05 16:00", loose[0])}
    files = [scan_file("05-earlier.csv", "archives of the past year", archive.told, count, ARCHIVE)]
    archive.told = []
    sales["expiring"] = archive.sale("BE000024", tears[:1], buyer_token("of tears"), "2026-11-19 10:00", "clear")
    bookings["booked late"] = archive.book("2026-11-19 16:00", tears[1])
    files.append(scan_file("06-day-before.csv", "storage hall, customs", archive.told, count, EVE))
    packs = barred | {
        "exported": (strips[0],),
        "june": tuple(strips[1:]),
        "unbooked": (loose[1],),
        "booked": (loose[0],),
        "booked late": (tears[1],),
        "bonded": (spray[3],),
        "monitors": tuple(monitors[5:]),
        "sold": (*monitors[:5], *spray[:3], *doorstep, tears[0]),
        "near expiry": tuple(lens),
    }
    return Earlier(tuple(files), sales, packs, bookings, spender)
