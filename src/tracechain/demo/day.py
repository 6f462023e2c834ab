"""What happens on the day, hour by hour, as the files that scanners and systems leave behind.

The makers' documents come with the pallets. The warehouse's own scans are one CSV file a place or hour; the
returns desk writes JSON Lines. Two couriers deliver out of reach of any network: their scans are
`Day.stations`, for handhelds that sign what they scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from attrs import Factory, define, frozen

from tracechain.demo.makers import ARRIVAL, maker_events
from tracechain.demo.rows import Row, format_csv, format_jsonl
from tracechain.demo.units import Case, Lot, Pack, make_lots
from tracechain.demo.world import (
    CITY,
    COURIERS,
    DAY,
    DOCK,
    HOUR,
    MINUTE,
    OUTBOUND,
    PLATFORM,
    RETURNS,
    SECOND,
    STORAGE,
    WAREHOUSE,
    WASTE,
)
from tracechain.event import AggregationEvent
from tracechain.formats.epcis import format_document, format_json

__all__ = ["SEED", "Day", "DayFile", "Station", "StepCount", "Story", "make_day"]

SEED = "bonded warehouse, 2026-11-20"

#: Shares: of all packs, what is ordered on the day; of that, what couriers 07 and 12 carry, and of the rest, what is
#: delivered by nightfall.
ORDERED = 0.56
CARRIED = 0.06
DELIVERED = 0.93
#: One in so many returned packs fails inspection and is destroyed; so many of these are sold again.
FAILED = 4
RISEN = 7


@frozen
class DayFile:
    """One file of scans: who wrote it (`source`), its `format`, and what is in it: events, and packs named in them."""

    name: str
    source: str
    format: str
    data: bytes
    events: int
    scans: int


@define
class StepCount:
    """How often a step occurs: events, packs named in them, events of exactly one pack, containers named."""

    events: int = 0
    scans: int = 0
    single: int = 0
    containers: int = 0

    def add(self, packs: int, containers: int) -> None:
        """Count one event."""
        self.events += 1
        self.scans += packs
        self.single += packs == 1 and not containers
        self.containers += containers


@frozen
class Station:
    """A courier's handheld and the files it signs, in order."""

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
    """All of it: files to ingest in this order, the stations, counts by step, and the story.

    What the stations sign (50-...) belongs after the outbound files (40-...) and before the returns (70-...).
    """

    files: tuple[DayFile, ...]
    stations: tuple[Station, ...]
    steps: dict[str, StepCount]
    packs: int
    lots: int
    story: Story

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


@frozen
class Happening:
    """One event of the warehouse's own, before it is spelled out: rows of one group."""

    time: int
    step: str
    codes: tuple[str, ...]
    packs: int
    parent: str = ""
    place: str = ""
    location: str = WAREHOUSE
    doc: str = ""
    lot: str = ""


@define
class Count:
    """Adds up what goes into the files."""

    steps: dict[str, StepCount] = Factory(dict)

    def add(self, step: str, packs: int, containers: int) -> None:
        """Count one event of `step`."""
        self.steps.setdefault(step, StepCount()).add(packs, containers)


def make_day(scale: float = 1.0, seed: str = SEED) -> Day:
    """The day; `scale` 1 has over 200,000 unit events, 0.02 is the smallest that still tells the whole story."""
    if not 0.02 <= scale <= 10:
        raise ValueError(f"scale is {scale}: it must be from 0.02 to 10")
    lots = make_lots(scale, Random(f"{seed} lots"))  # noqa: S311  # a made-up day must repeat itself; it guards nothing
    count = Count()
    files = [*_documents(lots, seed, count), *_arrival(lots, count), *_storage(lots, seed, count)]
    shop = _Shop(lots, Random(f"{seed} shop"), max(36, round(400 * scale)))  # noqa: S311  # as above
    files += shop.hourly(count)
    files.append(_file("70-returns-desk.jsonl", "returns desk", shop.returns, count))
    files.append(_file("80-city-kiosk.csv", "kiosk in the city", shop.risen, count))
    stations = tuple(
        Station(
            name,
            tuple(_file(f"50-{name}-{half}.csv", name, part, count) for half, part in enumerate(halves(carried), 1)),
        )
        for name, carried in zip(COURIERS, shop.carried, strict=True)
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
    return Day(tuple(files), stations, count.steps, sum(len(lot.packs) for lot in lots), len(lots), story)


def _documents(lots: Sequence[Lot], seed: str, count: Count) -> Iterable[DayFile]:
    for number, lot in enumerate(lots):
        made = maker_events(lot, number, Random(f"{seed} {lot.number}"))  # noqa: S311  # as above
        scans = 0
        for step, event in made:
            packs = sum(one.startswith("01/") for one in event.epcs)
            parent = isinstance(event, AggregationEvent)
            count.add(step, packs, len(event.epcs) - packs + parent)
            scans += packs
        text = format_json(format_document(event for _, event in made)) + "\n"
        yield DayFile(
            f"10-{lot.product.maker.name.split()[0].lower()}-{lot.number.lower()}.json",
            lot.product.maker.name,
            "EPCIS 2.0",
            text.encode(),
            len(made),
            scans,
        )


def _file(name: str, source: str, happenings: Iterable[Happening], count: Count) -> DayFile:
    """Happenings as a scan file, in order of time."""
    rows, events, scans = [], 0, 0
    for one in sorted(happenings, key=lambda happening: happening.time):
        events += 1
        scans += one.packs
        count.add(one.step, one.packs, len(one.codes) - one.packs + bool(one.parent))
        # A group ties the rows of one event together; a row without one is an event of its own.
        group = str(events) if len(one.codes) > 1 else ""
        rows += [
            Row(one.step, one.time, code, group, one.parent, one.place, one.location, one.lot, one.doc)
            for code in one.codes
        ]
    kind = "JSON Lines" if name.endswith(".jsonl") else "CSV"
    text = format_jsonl(rows) if kind == "JSON Lines" else format_csv(rows)
    return DayFile(name, source, kind, text.encode(), events, scans)


def _bracketed(container: str) -> str:
    """An SSCC as its label prints it."""
    return f"(00){container[3:]}"


def _arrival(lots: Sequence[Lot], count: Count) -> Iterable[DayFile]:
    """Half past five: pallets are scanned at the dock, broken up, and each case is received."""
    happenings, time = [], ARRIVAL
    for lot in lots:
        for pallet in lot.pallets:
            time += 90 * SECOND
            cases = tuple(_bracketed(case.id) for case in pallet.cases)
            pallet_code = _bracketed(pallet.id)
            happenings.append(Happening(time, "arrive", (pallet_code,), 0, place=DOCK))
            happenings.append(Happening(time + 20 * SECOND, "unpack", cases, 0, parent=pallet_code, place=DOCK))
            happenings += [
                Happening(time + (25 + 2 * at) * SECOND, "receive", (code,), 0, place=DOCK)
                for at, code in enumerate(cases)
            ]
    yield _file("20-dock.csv", "dock scanners", happenings, count)


def _storage(lots: Sequence[Lot], seed: str, count: Count) -> Iterable[DayFile]:
    """From a quarter to seven every pack is booked in under bond, case by case; then stock is taken."""
    booked, taken = [], []
    time = DAY + 6 * HOUR + 45 * MINUTE
    random = Random(f"{seed} storage")  # noqa: S311  # as above
    cases: list[Case] = [case for lot in lots for case in lot.cases]
    random.shuffle(cases)
    for case in cases:
        time += max(3, 6000 // len(cases)) * SECOND
        codes = tuple(pack.matrix for pack in case.packs)
        booked.append(Happening(time, "bond_in", codes, len(codes), place=STORAGE))
    # Half of the shelves are counted every day.
    for case in cases[: len(cases) // 2]:
        time += 3 * SECOND
        codes = tuple(pack.matrix for pack in case.packs)
        taken.append(Happening(time, "stocktake", codes, len(codes), place=STORAGE))
    yield _file("30-bonded-storage.csv", "storage hall", booked, count)
    yield _file("31-stocktake.csv", "storage hall", taken, count)


class _Shop:
    """Orders, clearance, sale, delivery, returns: one pack at a time."""

    def __init__(self, lots: Sequence[Lot], random: Random, returned: int) -> None:
        packs = [(pack, lot) for lot in lots for pack in lot.packs]
        random.shuffle(packs)
        self.random = random
        self.outbound: list[Happening] = []
        self.returns: list[Happening] = []
        self.risen: list[Happening] = []
        self.risen_ids: list[str] = []
        self.carried: tuple[list[Happening], list[Happening]] = ([], [])
        self.traced = packs[0]
        self._orders([pack for pack, _ in packs[: round(len(packs) * ORDERED)]], returned)

    def _orders(self, packs: list[Pack], returned: int) -> None:
        random, at, number = self.random, 0, 0
        first, last = DAY + 9 * HOUR, DAY + 17 * HOUR + 30 * MINUTE
        while at < len(packs):
            size = random.choices((1, 2, 3), (70, 20, 10))[0]
            bought = packs[at : at + size]
            # Earlier orders come first: the log is in order of receipt, and so are its files.
            time = first + (last - first) * at // len(packs) // SECOND * SECOND
            number += 1
            doc = f"po:urn:epcglobal:cbv:bt:{PLATFORM[4:]}:BJ{number:06}"
            # Customs releases packs in lists, one in ten minutes.
            released = f"urn:epcglobal:cbv:bt:{WAREHOUSE[4:]}:1210-{(time - DAY) // (10 * MINUTE):03}"
            codes = tuple(pack.human for pack in bought)
            self.outbound.append(
                Happening(time, "order", codes, len(codes), place=PLATFORM, location=PLATFORM, doc=doc)
            )
            for pack in bought:
                cleared = time + random.randrange(120, 600) * SECOND
                sold = cleared + random.randrange(5, 90) * SECOND
                self.outbound.append(Happening(cleared, "clear", (pack.element,), 1, place=OUTBOUND, doc=released))
                self.outbound.append(Happening(sold, "sell", (pack.matrix,), 1, place=OUTBOUND))
                handed = sold + random.randrange(75, 240) * MINUTE
                handed_over = Happening(handed, "deliver", (pack.link,), 1, place=CITY, location=CITY)
                if at == 0:  # the pack to follow
                    self.carried[0].append(handed_over)
                elif at >= returned and random.random() < CARRIED:
                    random.choice(self.carried).append(handed_over)
                elif at < returned or random.random() < DELIVERED:
                    self.outbound.append(handed_over)
                if at < returned:
                    self._returned(pack, at, returned)
                at += 1

    def _returned(self, pack: Pack, at: int, returned: int) -> None:
        """In the evening packs come back; what fails inspection is destroyed, and some of that is sold again."""
        time = DAY + 18 * HOUR + 30 * MINUTE + at * 9000 // returned * SECOND
        code = (pack.human,)
        failed = at > 0 and at % FAILED == 0
        self.returns.append(Happening(time, "return_in", code, 1, place=RETURNS))
        self.returns.append(
            Happening(time + 40 * SECOND, "verify_failed" if failed else "verify", code, 1, place=RETURNS)
        )
        if failed:
            self.returns.append(Happening(time + 20 * MINUTE, "destroy", code, 1, place=WASTE))
            if len(self.risen) < RISEN:
                late = DAY + 22 * HOUR + 10 * MINUTE + len(self.risen) * 171 * SECOND
                self.risen.append(Happening(late, "sell", code, 1, place=CITY, location=CITY))
                self.risen_ids.append(pack.id)

    def hourly(self, count: Count) -> Iterable[DayFile]:
        """The outbound scans, one file an hour."""
        by_hour: dict[int, list[Happening]] = {}
        for one in self.outbound:
            by_hour.setdefault((one.time - DAY) // HOUR, []).append(one)
        for hour in sorted(by_hour):
            yield _file(f"40-outbound-{hour:02}h.csv", "shops, customs, couriers", by_hour[hour], count)


def halves(carried: list[Happening]) -> tuple[list[Happening], list[Happening]]:
    """A courier's two rounds."""
    ordered = sorted(carried, key=lambda happening: happening.time)
    middle = len(ordered) // 2
    return ordered[:middle], ordered[middle:]
