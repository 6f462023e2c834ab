"""What happens on the day, hour by hour, as the files that scanners and systems leave behind.

The makers' documents come with the pallets. The warehouse's own scans are one CSV file a place or hour; the
returns desk writes JSON Lines. Two couriers deliver out of reach of any network: their scans are
`Day.stations`, for handhelds that sign what they scan. At night comes in what broke the rules (`violations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from attrs import evolve, frozen

from tracechain.demo.bonded import bonded_work, climate
from tracechain.demo.buyers import Buyer, order_document, tell_buyers
from tracechain.demo.earlier import make_earlier
from tracechain.demo.files import Breach, Count, DayFile, StepCount, document, scan_file
from tracechain.demo.makers import ARRIVAL, maker_events
from tracechain.demo.recalled import WITNESS, Recall, RecalledLot
from tracechain.demo.rows import Happening
from tracechain.demo.shop import Shop
from tracechain.demo.units import Case, Lot, Pack, label_of, make_lots
from tracechain.demo.violations import make_violations
from tracechain.demo.world import (
    BEIJING,
    COURIERS,
    DAY,
    DOCK,
    HOUR,
    MINUTE,
    RECALLED,
    SECOND,
    STORAGE,
    WAREHOUSE,
)
from tracechain.event import AggregationEvent

__all__ = ["SEED", "Breach", "Day", "DayFile", "Recall", "Station", "StepCount", "Story", "make_day"]

SEED = "bonded warehouse, 2026-11-20"


@frozen
class Station:
    """A handheld of a courier, or of the witness, and the files it signs, in order."""

    name: str
    files: tuple[DayFile, ...]


@frozen
class Story:
    """Packs to follow, by canonical id, and the text that a person would type for the first.

    `traced` was made, sold, delivered by the first courier and returned; `risen` were destroyed and are sold again.
    """

    traced: str
    traced_code: str
    traced_lot: str
    traced_expiry: str
    traced_product: str
    risen: tuple[str, ...]


@frozen
class Day:
    """All of it: files to ingest in this order, the stations, counts by step, the story, and what breaks the rules.

    What the couriers sign (50-...) belongs after the outbound files (40-...) and before all that follow (60-...), what
    the witness signs (75-...) after the returns desk. The `recall` is opened before the outbound file of twelve
    o'clock. The `opening` records of `registry` come first of all, its `measures` before the violations (90-...).
    """

    files: tuple[DayFile, ...]
    stations: tuple[Station, ...]
    steps: dict[str, StepCount]
    packs: int
    lots: int
    story: Story
    recall: Recall
    breaches: tuple[Breach, ...]
    buyers: tuple[Buyer, ...]
    #: A pack of another product that lies on the shelf at the end.
    shelved: Pack

    @property
    def scans(self) -> int:
        """Unit events: packs named, summed over all events."""
        return sum(step.scans for step in self.steps.values())

    @property
    def single(self) -> int:
        """Events of exactly one pack."""
        return sum(step.single for step in self.steps.values())

    @property
    def events(self) -> int:
        """All events."""
        return sum(step.events for step in self.steps.values())


def make_day(scale: float = 1.0, seed: str = SEED) -> Day:
    """The day; `scale` 1 has over 200,000 unit events, 0.02 is the smallest that still tells the whole story."""
    if not 0.02 <= scale <= 10:
        raise ValueError(f"scale is {scale}: it must be from 0.02 to 10")
    lots = make_lots(scale, Random(f"{seed} lots"))  # noqa: S311  # a made-up day must repeat itself; it guards nothing
    count = Count()
    earlier = make_earlier(seed, count)
    recalled = RecalledLot(next(lot for lot in lots if lot.product is RECALLED), seed)
    files = [*earlier.files, *_documents(lots, seed, count), recalled.air_document(count), *_arrival(lots, count)]
    files += _storage(lots, recalled, seed, count)
    shop = Shop(lots, seed, max(36, round(400 * scale)), recalled.lot)
    shop.outbound += recalled.outbound
    shop.returns += recalled.returns
    buyers, orders = tell_buyers(shop.named)
    files.append(order_document(orders, count))
    files += [*shop.hourly(count), *recalled.late_files(count), recalled.parcels_file(count)]
    signed = {
        name: [
            scan_file(f"50-{name}-{half}.csv", name, part, count)
            for half, part in enumerate(_halves(carried), 1)
        ]
        for name, carried in zip(COURIERS, shop.carried, strict=True)
    }  # fmt: skip
    files += [climate(lots, count), bonded_work(shop, earlier, count)]
    files.append(scan_file("70-returns-desk.jsonl", "returns desk", shop.returns, count))
    files.append(scan_file("80-city-kiosk.csv", "kiosk in the city", shop.risen, count))
    broken, breaches = make_violations(shop, earlier, count)
    files += broken
    signed[WITNESS] = [recalled.witnessed_file(count)]
    received = _in_order([*files, *(file for part in signed.values() for file in part)])
    stations = tuple(
        Station(name, tuple(evolve(file, received=received[file.name]) for file in part))
        for name, part in signed.items()
    )
    traced, lot = shop.traced
    story = Story(
        traced.id,
        traced.human,
        lot.number,
        lot.expiry,
        f"{lot.product.name}, {lot.product.maker.name}",
        tuple(shop.risen_ids),
    )
    return Day(
        tuple(evolve(file, received=received[file.name]) for file in files),
        stations,
        count.steps,
        sum(len(lot.packs) for lot in lots) + recalled.more_packs,
        len(lots),
        story,
        recalled.recall(),
        (*recalled.breaches(), *breaches),
        buyers,
        next(pack for pack in shop.bonded if not pack.product.cold and pack.product is not RECALLED),
    )


def _in_order(files: Iterable[DayFile]) -> dict[str, int]:
    """When each file is received: no file before one that goes in earlier."""
    received, latest = {}, 0
    for file in sorted(files, key=lambda one: one.name):
        received[file.name] = latest = max(latest, file.received)
    return received


def _documents(lots: Sequence[Lot], seed: str, count: Count) -> Iterable[DayFile]:
    for number, lot in enumerate(lots):
        made = maker_events(lot, number, Random(f"{seed} {lot.number}"))  # noqa: S311  # as above
        name = f"10-{lot.product.maker.name.split()[0].lower()}-{lot.number.lower()}.json"
        yield document(name, lot.product.maker.name, made, count, ARRIVAL + 5 * MINUTE)


def _arrival(lots: Sequence[Lot], count: Count) -> Iterable[DayFile]:
    """Half past five: sea containers are opened at the dock, pallets broken up, and each case is received."""
    happenings, time = [], ARRIVAL
    for lot in lots:
        pallets, container = tuple(label_of(pallet.id) for pallet in lot.pallets), label_of(lot.container)
        happenings.append(Happening(time + 20 * SECOND, "arrive", (container,), place=DOCK))
        happenings.append(Happening(time + 70 * SECOND, "unpack", pallets, container, DOCK))
        for pallet in lot.pallets:
            time += 90 * SECOND
            cases = tuple(label_of(case.id) for case in pallet.cases)
            pallet_code = label_of(pallet.id)
            happenings.append(Happening(time, "arrive", (pallet_code,), place=DOCK))
            happenings.append(Happening(time + 20 * SECOND, "unpack", cases, pallet_code, DOCK))
            happenings += [
                Happening(time + (25 + 2 * at) * SECOND, "receive", (code,), place=DOCK)
                for at, code in enumerate(cases)
            ]
    yield scan_file("20-dock.csv", "dock scanners", happenings, count)


def _storage(lots: Sequence[Lot], recalled: RecalledLot, seed: str, count: Count) -> Iterable[DayFile]:
    """From a quarter to seven every pack is booked in under bond, case by case; then stock is taken."""
    booked, taken, emptied = [], [], []
    time = DAY + 6 * HOUR + 45 * MINUTE
    random = Random(f"{seed} storage")  # noqa: S311  # as above
    cases: list[Case] = [case for lot in lots for case in lot.cases]
    closed = {case.id for lot in lots if lot.product.cold for case in lot.cases} | recalled.unopened
    random.shuffle(cases)
    for case in cases:
        time += max(3, 6000 // len(cases)) * SECOND
        booked.append(Happening(time, "bond_in", tuple(pack.matrix for pack in case.packs), place=STORAGE))
        if case.id not in closed:
            emptied.append(("unpack", _onto_the_shelf(case, time + 90 * SECOND)))
    # Half of the shelves are counted every day.
    for case in cases[: len(cases) // 2]:
        time += 3 * SECOND
        taken.append(Happening(time, "stocktake", tuple(pack.matrix for pack in case.packs), place=STORAGE))
    yield scan_file("30-bonded-storage.csv", "storage hall", booked, count)
    yield scan_file("31-stocktake.csv", "storage hall", taken, count)
    shelved = DAY + 8 * HOUR + 55 * MINUTE
    yield document("33-shelves.json", "storage hall", emptied, count, shelved)
    # A case with a dent is held until somebody has looked into it.
    dented = tuple(pack.human for pack in cases[0].packs)
    held = [
        Happening(DAY + 8 * HOUR + 52 * MINUTE, "hold", dented, place=STORAGE),
        Happening(DAY + 8 * HOUR + 58 * MINUTE, "release", dented, place=STORAGE),
        recalled.accident(),
    ]
    yield scan_file("32-inspection.csv", "storage hall", held, count)


def _onto_the_shelf(case: Case, time: int) -> AggregationEvent:
    """A case is opened, and all of it goes onto the shelf: whatever is in, without a name."""
    return AggregationEvent(
        event_time=time,
        time_zone_offset=BEIJING,
        parent=case.id,
        action="DELETE",
        biz_step="unpacking",
        disposition="in_progress",
        read_point=STORAGE,
        biz_location=WAREHOUSE,
    )


def _halves(carried: list[Happening]) -> tuple[list[Happening], list[Happening]]:
    """A courier's two rounds."""
    ordered = sorted(carried, key=lambda happening: happening.time)
    middle = len(ordered) // 2
    return ordered[:middle], ordered[middle:]
