"""Temperature and humidity outside of what a product bears, from sensor data (S1 VI).

A reading is about what its event names: packs, containers with what is in them at that time, and loggers with what they
are fixed to. What is in what is folded in order of claimed times, so a logger that is read out after unpacking still
speaks of the packs that travelled with it. Readings of one thing make excursions: from the first reading outside the
range to the next one inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from operator import attrgetter

from attrs import define, field, frozen

from tracechain.custody import is_pack
from tracechain.event import SensorElement, SensorReport
from tracechain.pilot.survey import Change, Reading
from tracechain.registers import Product
from tracechain.rules import Standing
from tracechain.rules.guards import class_of

__all__ = ["Containment", "Excursion", "excursions"]

_MEASURES = {"Temperature": "temperature", "RelativeHumidity": "humidity"}


@frozen
class Excursion:
    """A thing (`subject`: a pack, container or logger) was outside the range of a product that it was or held.

    `measure` is "temperature" (Celsius) or "humidity" (per cent), `allowed` the product's range, `low` and `high` the
    extremes that were measured. It began at `start` (ns, by the reading of entry `index`) and was over by `end`; `over`
    is False where no later reading is inside again, and `end` is that of the last one. `packs` are those concerned.
    """

    subject: str
    product: str
    measure: str
    allowed: tuple[Decimal, Decimal]
    low: Decimal
    high: Decimal
    start: int
    end: int
    over: bool
    readings: int
    index: int
    packs: tuple[str, ...]


class Containment:
    """What is in what, and fixed to what, while time goes on."""

    def __init__(self) -> None:
        self._inside: dict[str, set[str]] = {}
        self._parent: dict[str, str] = {}
        self._fixed: set[str] = set()

    def take(self, change: Change) -> None:
        """Things come in or go out."""
        inside = self._inside.setdefault(change.parent, set())
        if change.action == "ADD":
            for child in change.children:
                before = self._parent.get(child)
                if before is not None:
                    self._inside[before].discard(child)
                self._parent[child] = change.parent
                inside.add(child)
                (self._fixed.add if change.fixed else self._fixed.discard)(child)
            return
        for child in change.children or tuple(inside):
            if child in inside:
                inside.discard(child)
                del self._parent[child]
                self._fixed.discard(child)

    def packs(self, subject: str) -> tuple[str, ...]:
        """The packs that `subject` is or holds; of a logger, those of what it is fixed to."""
        if subject in self._fixed and not is_pack(subject):
            subject = self._parent[subject]
        return (subject,) if is_pack(subject) else tuple(self._under(subject))

    def _under(self, subject: str) -> Iterator[str]:
        waiting, known = [subject], {subject}
        while waiting:
            for child in self._inside.get(waiting.pop(), ()):
                if child in known:  # a log may say that two boxes hold each other
                    continue
                known.add(child)
                if is_pack(child):
                    yield child
                else:
                    waiting.append(child)


@frozen
class _Measured:
    """One value, or the least and greatest of a period."""

    measure: str
    start: int
    end: int
    low: Decimal
    high: Decimal


@define
class _Series:
    """Readings of one thing for one product, while they are outside."""

    found: list[Excursion] = field(factory=list)
    packs: set[str] = field(factory=set)
    first: tuple[int, int] | None = None
    end: int = 0
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    count: int = 0


def excursions(changes: Iterable[Change], readings: Iterable[Reading], standing: Standing) -> list[Excursion]:
    """All excursions, by the ranges that the register has now. Packs of products without a range have none."""
    measured = [
        (one.start, reading.index, subject, one)
        for reading in readings
        for element in reading.event.sensors
        for report in element.reports
        if (one := _measured(reading, element, report)) is not None
        for subject in _named(reading, element, report)
    ]
    measured.sort(key=lambda one: (one[0], one[1], one[2], one[3].measure, one[3].end))
    ordered = sorted(changes, key=attrgetter("time", "index"))
    inside, at = Containment(), 0
    series: dict[tuple[str, str, str], _Series] = {}
    for time, index, subject, one in measured:
        while at < len(ordered) and ordered[at].time <= time:
            inside.take(ordered[at])
            at += 1
        products: dict[str, list[str]] = {}
        for pack in inside.packs(subject):
            products.setdefault(class_of(pack), []).append(pack)
        for product, packs in products.items():
            allowed = _allowed(standing, product, one.measure)
            if allowed is not None:
                key = (subject, product, one.measure)
                _take(series.setdefault(key, _Series()), key, allowed, one, index, packs)
    for key, open_one in series.items():
        allowed = _allowed(standing, key[1], key[2])
        if open_one.first is not None and allowed is not None:
            _close(open_one, key, allowed, open_one.end, over=False)
    return [excursion for one_series in series.values() for excursion in one_series.found]


def _take(
    series: _Series, key: tuple[str, str, str], allowed: tuple[Decimal, Decimal], one: _Measured, index: int,
    packs: list[str],
) -> None:  # fmt: skip
    """The next reading of a series."""
    if allowed[0] <= one.low and one.high <= allowed[1]:
        if series.first is not None:
            _close(series, key, allowed, one.start, over=True)
        return
    if series.first is None:
        series.first, series.low, series.high = (one.start, index), one.low, one.high
    series.low, series.high = min(series.low, one.low), max(series.high, one.high)
    series.end = max(series.end, one.end)
    series.count += 1
    series.packs.update(packs)


def _close(
    series: _Series, key: tuple[str, str, str], allowed: tuple[Decimal, Decimal], end: int, *, over: bool
) -> None:
    assert series.first is not None
    (start, index), packs = series.first, tuple(sorted(series.packs))
    series.found.append(
        Excursion(*key, allowed, series.low, series.high, start, end, over, series.count, index, packs)
    )  # fmt: skip
    series.first, series.end, series.count, series.packs = None, 0, 0, set()


def _allowed(standing: Standing, product: str, measure: str) -> tuple[Decimal, Decimal] | None:
    registered = standing.find(Product.KIND, product)
    file = None if registered is None else registered.value
    if not isinstance(file, Product):
        return None
    return file.temperature if measure == "temperature" else file.humidity


# ---- what sensors say ----------------------------------------------------------------------------


def _named(reading: Reading, element: SensorElement, report: SensorReport) -> tuple[str, ...]:
    """What a report is about: the things of its event, or the logger that took it."""
    parent = getattr(reading.event, "parent", None)
    named = reading.epcs if parent is None else (*reading.epcs, parent)
    if named:
        return named
    device = report.device_id or (element.metadata.device_id if element.metadata is not None else None)
    return () if device is None else (device,)


def _measured(reading: Reading, element: SensorElement, report: SensorReport) -> _Measured | None:
    """A report as one measure; None for other kinds, units that are not known, and reports without a number."""
    measure = _MEASURES.get(report.type)
    if measure is None:
        return None
    values = [v for v in (report.value, report.min_value, report.max_value, report.mean_value) if v is not None]
    numbers = [_convert(measure, value, report.uom) for value in values]
    known = [number for number in numbers if number is not None]
    if not known:
        return None
    start, end = _times(reading.time, element, report)
    return _Measured(measure, start, end, min(known), max(known))


def _times(event_time: int, element: SensorElement, report: SensorReport) -> tuple[int, int]:
    """When a report was measured: a moment, or the period that its statistics are of."""
    if report.time is not None:
        return report.time, report.time
    metadata = element.metadata
    if metadata is None:
        return event_time, event_time
    if metadata.time is not None:
        return metadata.time, metadata.time
    start = metadata.start_time if metadata.start_time is not None else metadata.end_time
    end = metadata.end_time if metadata.end_time is not None else start
    if start is None or end is None:
        return event_time, event_time
    return start, max(start, end)


def _convert(measure: str, value: Decimal, unit: str | None) -> Decimal | None:
    """Degrees Celsius, or per cent (UN/CEFACT Recommendation 20); without a unit they are taken for that."""
    if measure == "humidity":
        return value if unit in (None, "P1") else value * 100 if unit == "C62" else None
    match unit:
        case None | "CEL":
            return value
        case "KEL":
            return value - Decimal("273.15")
        case "FAH":
            return ((value - 32) * 5 / 9).quantize(Decimal("0.01"))
        case _:
            return None
