"""Holds: what may not be deleted, by whose order, why, and until when."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from attrs import frozen

from tracechain.criteria import Criterion
from tracechain.registers.fields import Day, Label, Name, References, Register, Text
from tracechain.registers.forms import Choice, Which

__all__ = ["HOLD_PHASES", "HoldStep"]

HOLD_PHASES = ("placed", "extended", "released")

HoldPhase: TypeAlias = Annotated[str, Choice(HOLD_PHASES)]
Packs: TypeAlias = Annotated[Criterion, Which()]

_ABOUT = ("criterion", "about", "case")


@frozen(kw_only=True)
class HoldStep(Register):
    """A step of a legal hold (S1 VIII(2)): from the record that places it until the one that releases it, or until the
    day is over that it states, nothing that it covers is deleted, whatever a retention policy says.

    `authority` is who orders it. It covers the packs that its `criterion` describes, the ids that it is `about` (packs,
    lots, products, merchants, containers, places, orders), and what the `case` of this id is about, also after that was
    closed. `until` is its last day, in Asia/Shanghai; without one it stands until it is released.
    """

    KIND: ClassVar[str] = "hold"
    CHAIN = ("hold", "id")

    id: Label
    phase: HoldPhase
    on: Day
    by: Name
    authority: Name | None = None
    reason: Text
    until: Day | None = None
    criterion: Packs | None = None
    about: References = ()
    case: Label | None = None

    def contradictions(self) -> list[str]:
        """Each phase says what it is about: a hold never covers more or less than when it was placed."""
        faults = []
        covered = [name for name in _ABOUT if getattr(self, name) not in (None, ())]
        if self.phase == "placed":
            if self.authority is None:
                faults.append("authority is missing: a hold that is placed states who orders it")
            if not covered:
                faults.append("about, criterion and case are missing: a hold that is placed states one of them")
        else:
            faults += [f"{name} is stated by who places a hold, and this one is {self.phase}" for name in covered]
        if self.phase == "extended" and self.until is None:
            faults.append("until is missing: a hold that is extended states its new last day")
        if self.phase == "released" and self.until is not None:
            faults.append("until is stated where a hold is placed or extended, and this one is released")
        return faults
