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

__all__ = ["Containment", "Excursion", "Measurement", "Series", "excursions", "measurements"]

_MEASURES = {"Temperature": "temperature", "RelativeHumidity": "humidity"}


@frozen
class Measurement:
    """What a thing (`subject`) was measured to be, by a reading: one value, or the least and the greatest of a period
    (ns)."""

    start: int
    index: int
    subject: str
    measure: str
    end: int
    low: Decimal
    high: Decimal


@frozen
class Excursion:
    """A thing (`subject`: a pack, container or logger) was outside the range of a product that it was or held.

    `measure` is "temperature" (Celsius) or "humidity" (per cent), `allowed` the product's range, `low` and `high` the
    extremes that were measured. It began at `start` (ns, by the reading of entry `index`) and was over by `end`; `over`
    is False where no later reading is inside again, and `end` is that of the last one. `packs` are those concerned,
    `periods` the times of the readings outside (first and last of each, the same for a single value).
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
    periods: tuple[tuple[int, int], ...]


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


@define
class Series:
    """Measurements of one thing, in order of time, and the excursions that they make from a range.

    `product` is whose range it is; excursions say so.
    """

    subject: str
    product: str
    measure: str
    allowed: tuple[Decimal, Decimal]
    found: list[Excursion] = field(factory=list)
    _packs: set[str] = field(factory=set)
    _outside: list[Measurement] = field(factory=list)

    def take(self, one: Measurement, packs: Iterable[str] = ()) -> None:
        """The next measurement; `packs` are those that it concerns."""
        if self.allowed[0] <= one.low and one.high <= self.allowed[1]:
            if self._outside:
                self._close(one.start, over=True)
            return
        self._outside.append(one)
        self._packs.update(packs)

    def finish(self) -> list[Excursion]:
        """All excursions, the last one too, which may not be over."""
        if self._outside:
            self._close(max(one.end for one in self._outside), over=False)
        return self.found

    def _close(self, end: int, *, over: bool) -> None:
        outside = self._outside
        self.found.append(
            Excursion(
                self.subject, self.product, self.measure, self.allowed,
                min(one.low for one in outside), max(one.high for one in outside),
                outside[0].start, end, over, len(outside), outside[0].index,
                tuple(sorted(self._packs)), tuple((one.start, one.end) for one in outside),
            )
        )  # fmt: skip
        self._outside, self._packs = [], set()


def excursions(changes: Iterable[Change], readings: Iterable[Reading], standing: Standing) -> list[Excursion]:
    """All excursions, by the ranges that the register has now. Packs of products without a range have none."""
    ordered = sorted(changes, key=attrgetter("time", "index"))
    inside, at = Containment(), 0
    series: dict[tuple[str, str, str], Series] = {}
    for one in measurements(readings):
        while at < len(ordered) and ordered[at].time <= one.start:
            inside.take(ordered[at])
            at += 1
        products: dict[str, list[str]] = {}
        for pack in inside.packs(one.subject):
            products.setdefault(class_of(pack), []).append(pack)
        for product, packs in products.items():
            allowed = _allowed(standing, product, one.measure)
            if allowed is not None:
                key = (one.subject, product, one.measure)
                if key not in series:
                    series[key] = Series(*key, allowed)
                series[key].take(one, packs)
    return [excursion for one_series in series.values() for excursion in one_series.finish()]


def _allowed(standing: Standing, product: str, measure: str) -> tuple[Decimal, Decimal] | None:
    registered = standing.find(Product.KIND, product)
    file = None if registered is None else registered.value
    if not isinstance(file, Product):
        return None
    return file.temperature if measure == "temperature" else file.humidity


# ---- what sensors say ----------------------------------------------------------------------------


def measurements(readings: Iterable[Reading]) -> list[Measurement]:
    """What readings say of temperature and humidity, one for each thing that it is about, in order of time."""
    found = [
        Measurement(start, reading.index, subject, measure, end, low, high)
        for reading in readings
        for element in reading.event.sensors
        for report in element.reports
        if (measured := _measured(reading, element, report)) is not None
        for measure, start, end, low, high in (measured,)
        for subject in _named(reading, element, report)
    ]
    found.sort(key=attrgetter("start", "index", "subject", "measure", "end"))
    return found


def _named(reading: Reading, element: SensorElement, report: SensorReport) -> tuple[str, ...]:
    """What a report is about: the things of its event, or the logger that took it."""
    parent = getattr(reading.event, "parent", None)
    named = reading.epcs if parent is None else (*reading.epcs, parent)
    if named:
        return named
    device = report.device_id or (element.metadata.device_id if element.metadata is not None else None)
    return () if device is None else (device,)


def _measured(
    reading: Reading, element: SensorElement, report: SensorReport
) -> tuple[str, int, int, Decimal, Decimal] | None:
    """A report as (measure, start, end, low, high); None for other kinds, units that are not known, and reports without
    a number."""
    measure = _MEASURES.get(report.type)
    if measure is None:
        return None
    values = [v for v in (report.value, report.min_value, report.max_value, report.mean_value) if v is not None]
    numbers = [_convert(measure, value, report.uom) for value in values]
    known = [number for number in numbers if number is not None]
    if not known:
        return None
    start, end = _times(reading.time, element, report)
    return measure, start, end, min(known), max(known)


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
