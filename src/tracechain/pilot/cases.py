"""Cases, stop orders and advance compensation, as their records in the log tell them.

A complaint, accident, inspection, dispute or compensation is opened, goes step by step, and is closed (S1 III(1)4,
VII, VIII(1)); each step is a record with its author. A stop order (S1 VIII(3), VIII(4)) holds from its record on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from attrs import frozen

from tracechain.pilot.register import Version, history, listing
from tracechain.registers import TARGET_KINDS, CaseStep, Merchant, Stop, Suspension
from tracechain.view import View

__all__ = ["CaseFile", "Compensations", "StopInForce", "cases", "compensations", "stopped"]


@frozen
class CaseFile:
    """One case: `steps` are its records, oldest first, each with entry, receipt time, author and `value`.

    `due` is the day by which it has to go on, as the latest step that names one says; None once it is closed.
    """

    id: str
    type: str
    steps: tuple[Version, ...]

    @property
    def last(self) -> CaseStep:
        """What the latest step says."""
        step = self.steps[-1].value
        assert isinstance(step, CaseStep)
        return step

    @property
    def open(self) -> bool:
        """Whether there is something left to do."""
        return self.last.phase != "closed"

    @property
    def due(self) -> date | None:
        """The day by which it has to go on."""
        days = [step.due for step in self._told() if step.due is not None]
        return days[-1] if days and self.open else None

    def overdue(self, today: date) -> bool:
        """Whether that day has passed."""
        return self.due is not None and self.due < today

    @property
    def about(self) -> tuple[str, ...]:
        """Everything that its steps concern, each once, in order of first mention."""
        return tuple(dict.fromkeys(one for step in self._told() for one in step.about))

    @property
    def amount(self) -> Decimal:
        """What was paid in advance, in yuan, over all steps."""
        return sum((step.amount for step in self._told() if step.amount is not None), Decimal(0))

    def _told(self) -> Iterator[CaseStep]:
        return (version.value for version in self.steps if isinstance(version.value, CaseStep))


@frozen
class StopInForce:
    """An order to give no service, or a suspension: what it is for (`kind`, `id`), and the record that says so."""

    kind: str
    id: str
    order: Version


@frozen
class Compensations:
    """What was paid in advance to consumers (S1 VII), in yuan: in all, and by case."""

    total: Decimal
    cases: tuple[tuple[str, Decimal], ...]


def cases(view: View, as_of: int | None = None, *, about: str | None = None) -> tuple[CaseFile, ...]:
    """Every case, in order of ids, as of a receipt time (ms); with `about` those that concern this id (a pack, lot,
    product, merchant, place or order)."""
    found = []
    for name, _ in listing(view, CaseStep.KIND, as_of):
        steps = history(view, CaseStep.KIND, name, as_of)
        first = steps[0].value
        assert isinstance(first, CaseStep)
        found.append(CaseFile(name, first.type, steps))
    return tuple(case for case in found if about is None or about in case.about)


def stopped(view: View, as_of: int | None = None) -> tuple[StopInForce, ...]:
    """The stop orders and suspensions in force, in order of kind and id (S1 IV(3), VIII(3), VIII(4))."""
    found = []
    for kind in sorted(TARGET_KINDS):
        for name, registered in listing(view, kind, as_of):
            places = {registered.stopped, registered.suspended if kind == Merchant.KIND else None} - {None}
            if places:
                found += [
                    StopInForce(kind, name, version)
                    for version in history(view, kind, name, as_of)
                    if version.index in places and isinstance(version.value, (Stop, Suspension))
                ]
    return tuple(found)


def compensations(view: View, as_of: int | None = None) -> Compensations:
    """What cases have cost in advance compensation; cases without an amount are left out."""
    paid = tuple((case.id, case.amount) for case in cases(view, as_of) if case.amount)
    return Compensations(sum((yuan for _, yuan in paid), Decimal(0)), paid)
