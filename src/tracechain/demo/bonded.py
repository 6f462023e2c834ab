"""Work under bond on the day, all of it lawful: exports and their return, repair, relabelling, climate."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from tracechain.demo.earlier import Earlier
from tracechain.demo.files import Count, DayFile, scan_file
from tracechain.demo.rows import Happening
from tracechain.demo.sale import pack_codes
from tracechain.demo.shop import Shop
from tracechain.demo.units import Lot, Pack, label_of
from tracechain.demo.world import DAY, HOUR, MINUTE, OUTBOUND, RETURNS, STORAGE, WORKSHOP

__all__ = ["bonded_work", "climate", "relabelled"]

#: Packs of an export of the day.
EXPORTED = 6


def climate(lots: Sequence[Lot], count: Count) -> DayFile:
    """The chilled shelves, hour by hour; a door stays open after one o'clock, and one case gets too warm."""
    cases = tuple(label_of(case.id) for lot in lots if lot.product.cold for case in lot.cases)
    told = [
        Happening(
            DAY + hour * HOUR, "sensor", cases, place=STORAGE, temperature=f"{3.1 + hour % 5 / 10:.1f}", humidity="41.5"
        )
        for hour in range(9, 20)
    ]
    told += [
        Happening(DAY + 13 * HOUR + minute * MINUTE, "sensor", cases[:1], place=STORAGE, temperature=degrees)
        for minute, degrees in ((10, "8.6"), (20, "11.2"), (30, "9.4"), (40, "6.3"))
    ]
    return scan_file("60-climate.csv", "sensors of the chilled shelves", told, count)


def relabelled(time: int, old: Pack, place: str = WORKSHOP) -> Happening:
    """A pack gets a new label, with a code of its own; lot and expiry stay."""
    return Happening(
        time, "relabel", (old.matrix,), place=place, lot=old.lot, expiry=old.expiry, new_code=relabelled_as(old).matrix
    )


def relabelled_as(old: Pack) -> Pack:
    """The pack under its new code."""
    return evolve(old, serial=f"RL{old.serial[2:]}")


def bonded_work(shop: Shop, earlier: Earlier, count: Count) -> DayFile:
    """The workshop and the dock of the bonded warehouse, in the afternoon."""
    one, two, three = (shop.bonded.pop() for _ in range(3))
    leaving = tuple(shop.bonded.pop() for _ in range(EXPORTED))
    back = pack_codes(earlier.packs["june"])
    start = DAY + 15 * HOUR
    mistake = Happening(start + 50 * MINUTE, "decommission", (three.human,), place=STORAGE)
    told = [
        # An export of June comes back in time, and is looked at before it goes to stock.
        Happening(start, "export_return", back, place=RETURNS, doc="export_return:XR-2026-118"),
        Happening(start + 6 * MINUTE, "verify", back, place=RETURNS),
        Happening(start + 9 * MINUTE, "release", back, place=RETURNS),
        Happening(start + 20 * MINUTE, "export", pack_codes(leaving), place=OUTBOUND, doc="desadv:HK-2026-871"),
        # A torn box is mended; another pack gets a new label.
        Happening(start + 31 * MINUTE, "repair", (one.matrix,), place=WORKSHOP),
        Happening(start + 40 * MINUTE, "bond_in", (one.matrix,), place=STORAGE),
        relabelled(start + 33 * MINUTE, two),
        Happening(start + 42 * MINUTE, "bond_in", (relabelled_as(two).matrix,), place=STORAGE),
        # The wrong pack was scanned; eleven minutes later that is taken back.
        mistake,
        evolve(mistake, error="did_not_occur", declared=start + 61 * MINUTE),
    ]
    return scan_file("61-bonded-work.csv", "workshop and dock of the zone", told, count, start + 65 * MINUTE)
