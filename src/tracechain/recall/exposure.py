"""Exposure to temperature and humidity: who was in what while it was measured to be outside of a range.

Readings of a thing make excursions as they do for alerts (pilot.climate), of the range that the criterion allows. An
excursion that lasts long enough happens to the thing in the moments of its readings outside, or in the periods that
these are of; and, if the thing is a logger, to what it was fixed to by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from tracechain import encoding
from tracechain.criteria import Measured
from tracechain.custody import is_pack
from tracechain.entry import SALT_SIZE
from tracechain.errors import DataError
from tracechain.pilot.climate import Measurement, Series, measurements
from tracechain.pilot.survey import Reading
from tracechain.recall.ground import Ground
from tracechain.recall.reach import LAST, PACKS_OF_ENTRY, Happening, Span, within
from tracechain.rules.mentions import SENSORS
from tracechain.tracing import Moment
from tracechain.tracing.facts import ADD, ASSOCIATION, DELETE, Fact, classes_of, epcs_of

__all__ = ["Exposed"]

_SENSORS = 18  # the position of sensor data in a content (format.md section 9.1)
_AFTER = 1 << 63
_NO_LIMIT = Decimal("Infinity")


class Exposed(Happening):
    """Being measured outside of a range for longer than some time."""

    def __init__(self, ground: Ground, criterion: Measured) -> None:
        self._ground = ground
        self._criterion = criterion
        self._runs: list[range] | None = None
        self._found: dict[str, list[Span]] | None = None

    @property
    def size(self) -> int:
        """By the number of entries with sensor data."""
        return PACKS_OF_ENTRY * sum(map(len, self._entries()))

    def things(self) -> Iterable[str]:
        """What was measured to be outside, and what a logger was fixed to that was."""
        return self._outside()

    def spans(self, subject: str) -> list[Span]:
        """The times of the readings outside."""
        return self._outside().get(subject, [])

    def _entries(self) -> list[range]:
        if self._runs is None:
            self._runs = self._ground.runs((SENSORS,))
        return self._runs

    def _outside(self) -> dict[str, list[Span]]:
        """When which things were outside, worked out once."""
        if self._found is None:
            found: dict[str, list[Span]] = {}
            for thing, spans in self._measured_outside().items():
                found.setdefault(thing, []).extend(spans)
                if not is_pack(thing):
                    for parent, begin, end in self._fixed(thing):
                        if some := within(spans, begin, end):
                            found.setdefault(parent, []).extend(some)
            self._found = {thing: _united(spans) for thing, spans in found.items()}
        return self._found

    def _measured_outside(self) -> dict[str, list[Span]]:
        criterion = self._criterion
        allowed = (
            -_NO_LIMIT if criterion.below is None else criterion.below,
            _NO_LIMIT if criterion.above is None else criterion.above,
        )
        series: dict[str, Series] = {}
        for one in self._measurements():
            if one.subject not in series:
                series[one.subject] = Series(one.subject, "", criterion.measure, allowed)
            series[one.subject].take(one)
        found: dict[str, list[Span]] = {}
        for thing, one_series in series.items():
            spans = [
                ((start, _AFTER), (end, _AFTER))
                for excursion in one_series.finish()
                # A single reading outside lasts for no time that anybody knows: it counts where any time does.
                if not criterion.longer_than or excursion.end - excursion.start > criterion.longer_than
                for start, end in excursion.periods
            ]
            if spans:
                found[thing] = _united(spans)
        return found

    # ---- readings ----

    def _measurements(self) -> list[Measurement]:
        """All of the measure in question, in order of time, but those that were declared errors."""
        facts = list(self._ground.facts(SENSORS, self._entries()))
        voided = _voided_unnamed(facts)
        readings = [one for fact in facts if not fact.declares for one in self._reading(fact)]
        return [
            one
            for one in measurements(readings)
            if one.measure == self._criterion.measure
            and one.index not in voided
            and one.index not in self._ground.past(one.subject).voided
        ]

    def _reading(self, fact: Fact) -> Iterator[Reading]:
        part = self._ground.view.content(fact.index)
        if part is None:
            return
        try:
            event = encoding.decode(part[SALT_SIZE:])
        except DataError as error:
            self._ground.note("damaged", SENSORS, fact.index, str(error))
            return
        self._ground.note_classes(fact)
        yield Reading(fact.time, fact.index, event.epcs, event)

    def _fixed(self, thing: str) -> Iterator[tuple[str, Moment, Moment]]:
        """(what a thing was fixed to, from when, until when)."""
        changes = [
            (fact.moment, fact.parent, fact.action == ADD)
            for fact in self._associations(thing)
            if fact.parent is not None and fact.parent != thing
        ]
        for parent in {parent for _, parent, _ in changes}:
            changes += [
                (fact.moment, parent, False)
                for fact in self._associations(parent)
                if fact.parent == parent and not epcs_of(fact) and not classes_of(fact)
            ]
        to: str | None = None
        begin = LAST
        for moment, parent, fixes in sorted(changes):
            if to is not None and fixes == (parent != to):
                yield to, begin, moment
                to = None
            if fixes and to is None:
                to, begin = parent, moment
        if to is not None:
            yield to, begin, LAST

    def _associations(self, subject: str) -> list[Fact]:
        """What was fixed or taken off, as far as a chain tells."""
        facts = [link.fact for link in self._ground.past(subject).facts if link.fact is not None]
        return [fact for fact in facts if fact.kind == ASSOCIATION and fact.action in (ADD, DELETE)]


def _voided_unnamed(facts: list[Fact]) -> set[int]:
    """Readings that name nothing but a device, and were declared errors: no chain tells, so it is told by what both
    have in common, and by what was measured."""
    unnamed: list[Fact] = []
    voided: set[int] = set()
    for fact in sorted(facts, key=_index):
        if epcs_of(fact) or fact.parent is not None:
            continue
        if not fact.declares:
            unnamed.append(fact)
            continue
        for at in range(len(unnamed) - 1, -1, -1):
            if fact.same(unnamed[at]) and fact.item(_SENSORS) == unnamed[at].item(_SENSORS):
                voided.add(unnamed.pop(at).index)
                break
    return voided


def _index(fact: Fact) -> int:
    return fact.index


def _united(spans: list[Span]) -> list[Span]:
    """In order, with those that overlap made one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((begin, end))
    return found
