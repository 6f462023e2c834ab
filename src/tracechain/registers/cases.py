"""Cases: complaints, accidents, inspections, disputes, advance compensation, step by step."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from attrs import frozen

from tracechain.registers.fields import Day, Label, Name, References, Register, Text, Yuan
from tracechain.registers.forms import Choice

__all__ = ["CASE_TYPES", "PHASES", "CaseStep"]

CASE_TYPES = ("complaint", "accident", "inspection", "dispute", "compensation")
PHASES = ("opened", "investigated", "handled", "reported", "rectified", "closed")

CaseType: TypeAlias = Annotated[str, Choice(CASE_TYPES)]
Phase: TypeAlias = Annotated[str, Choice(PHASES)]


@frozen(kw_only=True)
class CaseStep(Register):
    """A step of a case (complaints and accidents S1 III(1)4; inspections VIII(1); disputes and compensation VII).

    `about` are the ids that it concerns: packs, lots, products, merchants, places, orders. `due` is the day by which
    findings are rectified or the case has to go on, `amount` what was paid in advance, in yuan, and `authority` whom
    it was reported to, or who inspected.
    """

    KIND: ClassVar[str] = "case"
    CHAIN = ("case", "id")

    id: Label
    type: CaseType
    phase: Phase
    on: Day
    by: Name
    text: Text
    about: References
    due: Day | None = None
    amount: Yuan | None = None
    authority: Name | None = None
