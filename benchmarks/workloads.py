"""What the benchmarks append: units, their commissioning, and scans of them in random order.

One scan looks like a receipt at a bonded warehouse: unit, time with zone, step, disposition, read point, place.
The same events, drawn from fixed seeds, go to every contestant of a run.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from tracechain.event import ObjectEvent

__all__ = ["Scans", "chunks", "commissioning", "scan", "unit_id"]

_PRODUCT = "01/09521234001072/21/"
_WAREHOUSE = "414/9521234000013"
_DOOR = "414/9521234000013/254/17"
_BEGIN = 1_700_000_000_000_000_000
_SECOND = 1_000_000_000


def unit_id(number: int) -> str:
    """The canonical id of unit `number`: serials ascend in the order of commissioning, with gaps, at one length."""
    return f"{_PRODUCT}BJ{number * 7919:011d}"


def commissioning(numbers: Iterable[int]) -> list[ObjectEvent]:
    """One event a unit: first sight."""
    return [
        ObjectEvent(
            event_time=_BEGIN + number * _SECOND,
            time_zone_offset=480,
            epcs=(unit_id(number),),
            action="ADD",
            biz_step="commissioning",
            disposition="active",
            read_point=_DOOR,
            biz_location=_WAREHOUSE,
        )
        for number in numbers
    ]


def scan(numbers: Iterable[int], second: int) -> ObjectEvent:
    """One event about these units."""
    return ObjectEvent(
        event_time=_BEGIN + second * _SECOND,
        time_zone_offset=480,
        epcs=tuple(map(unit_id, numbers)),
        action="OBSERVE",
        biz_step="receiving",
        disposition="in_progress",
        read_point=_DOOR,
        biz_location=_WAREHOUSE,
    )


class Scans:
    """Endless scans of a commissioned population, in random order: each unit once before any comes again."""

    def __init__(self, population: int, seed: int) -> None:
        self._population = population
        self._random = random.Random(seed)
        self._numbers = self._draw()
        self._second = population

    def _draw(self) -> Iterator[int]:
        while True:
            order = list(range(self._population))
            self._random.shuffle(order)
            yield from order

    def take(self, events: int, units: int = 1) -> list[ObjectEvent]:
        """`events` events of `units` random units each."""
        taken = []
        for _ in range(events):
            self._second += 1
            taken.append(scan([next(self._numbers) for _ in range(units)], self._second))
        return taken

    def take_cartons(self, events: int, units: int = 100) -> list[ObjectEvent]:
        """The same, but the units of one event have neighbouring serials, as in a carton that was packed in order."""
        taken = []
        for _ in range(events):
            self._second += 1
            first = self._random.randrange(max(1, self._population - units))
            taken.append(scan(range(first, first + units), self._second))
        return taken


def chunks(events: list[ObjectEvent], size: int) -> list[list[ObjectEvent]]:
    """Commits of `size` events."""
    return [events[at : at + size] for at in range(0, len(events), size)]
