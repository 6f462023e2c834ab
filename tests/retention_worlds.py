"""Small worlds over years for tests of retention: packs come, are packed, sold, held, recalled, complained of."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from attrs import evolve

from pilot_world import BUYER, MINUTE, NMPA_PRODUCT, PHARMACY, REGISTERED, World, product
from tracechain.criteria import ByMaker, ByMerchant, Codes, Commissioned, Criterion, Lot, Not, OfProduct, all_of, any_of
from tracechain.custody import Custody
from tracechain.errors import InputError
from tracechain.event import AggregationEvent, Event
from tracechain.record import Record
from tracechain.registers import CaseStep, HoldStep, RecallStep
from tracechain.testing.samples import PRODUCT, case_id, pack_ids, sensor

__all__ = ["CASES", "DROPS", "OTHER", "PALLET", "Years", "case", "hold", "made", "packed", "recall"]

DROPS = f"01/{PRODUCT}"
#: A product that nobody registered.
OTHER = "01/09521234001089"
CASES, PALLET = tuple(case_id(n) for n in range(1, 4)), case_id(9)
DAY = date(2026, 11, 21)


def hold(name: str, phase: str = "placed", **more: Any) -> HoldStep:
    """A step of a hold."""
    values: dict[str, Any] = {"authority": "Leading group"} if phase == "placed" else {}
    return HoldStep(id=name, phase=phase, on=DAY, by="Legal", reason="An investigation", **values | more)


def recall(name: str, phase: str = "opened", criterion: Criterion | None = None) -> RecallStep:
    """A step of a recall."""
    values: dict[str, Any] = {"recall_class": "1", "criterion": criterion, "affected": 0}
    if phase == "closed":
        values = dict.fromkeys(("affected", "locked", "returned", "destroyed", "outstanding"), 0)
    return RecallStep(id=name, phase=phase, on=DAY, by="Quality", reason="Particles", **values)


def case(name: str, phase: str = "opened", about: Sequence[str] = ()) -> CaseStep:
    """A step of a case."""
    return CaseStep(id=name, type="complaint", phase=phase, on=DAY, by="Desk", text="Broken", about=tuple(about))


def packed(time: int, parent: str, things: Sequence[str], action: Any = "ADD") -> AggregationEvent:
    """Things go into a container, or out of it; none and DELETE empties it."""
    return AggregationEvent(
        event_time=time, time_zone_offset=480, action=action, parent=parent, epcs=tuple(things),
        biz_step="packing" if action == "ADD" else "unpacking",
    )  # fmt: skip


class Years:
    """A world, and what can happen in it. `policies` are put in force now and then."""

    def __init__(self, folder: Path, *, pilot: bool = True) -> None:
        self.world = World(folder, REGISTERED if pilot else ())
        self.pilot = pilot
        self.packs = (*self.world.packs[:6], self.world.packs[-1], *pack_ids(2, product=OTHER[3:]))
        self.things = (*self.packs, *CASES, PALLET)
        self._names = 0

    @property
    def ledger(self) -> Any:
        """Its ledger."""
        return self.world.ledger

    def put(self, *contents: Event | Record, record_class: int = 0) -> None:
        """Record, lawful or not; what the ledger refuses is left out."""
        try:
            self.world.ledger.append(contents, record_class=record_class)
        except InputError:
            return
        self.world.clock.advance(MINUTE)

    def later(self, days: int) -> None:
        """Let days pass at once."""
        self.world.clock.advance(days * 86_400_000)
        if days > 30:
            self.world.ledger.accept_clock("the store was closed")
        else:
            self.world.ledger.append([Record("note", "time passes")])

    def act(self, rng: random.Random) -> None:
        """Something happens."""
        world, kind = self.world, rng.choice(range(14))
        some = rng.sample(self.packs, rng.randint(1, 2))
        if kind < 4:
            self._live(rng.choice(self.packs), rng)
        elif kind == 4:
            events = (world.stocktake, world.sell, world.order, world.deliver, world.ship, world.destroy)
            self.put(rng.choice(events)(*some), record_class=rng.choice((0, 1, 2, 3)))
        elif kind in (5, 6):
            box = rng.choice((*CASES, PALLET))
            things = rng.sample([one for one in self.things if one != box], rng.randint(1, 3))
            self.put(packed(world.now, box, things, rng.choice(("ADD", "ADD", "ADD", "OBSERVE", "DELETE"))))
        elif kind == 7:
            self.put(packed(world.now, rng.choice((*CASES, PALLET)), (), "DELETE"))
        elif kind == 8:
            self.put(evolve(world.ship(rng.choice((*CASES, PALLET))), person=rng.choice((None, BUYER))))
        elif kind == 9:
            self.put(rng.choice((sensor("4.5"), evolve(world.stocktake(*some), epcs=(f"{DROPS}/10/A", *some)))))
        elif kind == 10:
            self.put(Record("note", "seen", rng.choice(self.things)))
        else:
            self.later(rng.choice((0, 1, 20, 400, 900)))

    def say(self, rng: random.Random) -> None:
        """Something is held, or let go."""
        self._names += 1
        name, kind = f"N{self._names}", rng.choice(range(8))
        about = rng.choice(
            (*self.things, DROPS, NMPA_PRODUCT, f"{OTHER}/10/L1", PHARMACY, "urn:example:po:1", "urn:example:po:2")
        )
        if kind < 3:
            until = rng.choice((None, date(2027, 12, 31), date(2032, 12, 31)))
            self.put(hold(name, about=(about,), until=until).record())
        elif kind == 3:
            self.put(hold(name, criterion=self.criterion(rng)).record())
        elif kind == 4:
            self.put(recall(name, criterion=self.criterion(rng)).record())
        elif kind == 5:
            self.put(case(name, about=(about,)).record())
        elif kind == 6:
            earlier = f"N{rng.randint(1, self._names)}"
            self.put(case(earlier, "closed").record())
            self.put(hold(name, case=earlier).record())
        else:
            earlier = f"N{rng.randint(1, self._names)}"
            for step in (
                hold(earlier, "released"), hold(earlier, "extended", until=date(2035, 1, 1)), recall(earlier, "closed"),
                case(earlier, "closed"), product(merchant="urn:example:another"),
            ):  # fmt: skip
                if rng.random() < 0.4:
                    self.put(step.record(1))

    def criterion(self, rng: random.Random) -> Criterion:
        """What a hold or a recall is for."""
        lot, codes = Lot(DROPS, "LOT-A7"), Codes(tuple(rng.sample(self.packs, 2)))
        several: tuple[Criterion, ...] = (
            lot, codes, OfProduct(OTHER), ByMerchant(PHARMACY), ByMaker("Nobody"),
            all_of([OfProduct(DROPS), Not(codes)]),
            any_of([OfProduct(NMPA_PRODUCT), codes]), all_of([Commissioned(0, 1), OfProduct(OTHER)]),
        )  # fmt: skip
        return rng.choice(several)

    def _live(self, pack: str, rng: random.Random) -> None:
        """A pack goes some of a lawful way."""
        if not self.pilot:
            self.put(self.world.stocktake(pack), record_class=rng.choice((0, 1, 2)))
            return
        way = self.world.way(rng.choice(tuple(Custody)), str(rng.randint(1, 3)))
        record_class = rng.choice((0, 1, 1, 2))
        for make in way:
            self.put(make(self.world, pack), record_class=record_class)
            if rng.random() < 0.2:
                self.later(rng.choice((1, 300)))


def made(folder: Path, seed: int, *, steps: int = 25, holds: int = 3, pilot: bool = True) -> Years:
    """A world of so many steps."""
    rng = random.Random(seed)
    years = Years(folder, pilot=pilot)
    said = set(rng.sample(range(steps), min(holds, steps)))
    for number in range(steps):
        years.act(rng)
        if number in said:
            years.say(rng)
    return years
