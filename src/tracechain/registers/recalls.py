"""Recalls: which packs, why, by whose order; whom was told; and what became of the packs."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from attrs import frozen

from tracechain.criteria import Criterion
from tracechain.registers.fields import Day, Label, Name, References, Register, Text, Whole
from tracechain.registers.forms import Choice, Count, Which

__all__ = ["RECALL_CLASSES", "RECALL_PHASES", "RecallStep"]

#: By what may happen to people: 1 serious harm, 2 passing or reversible harm, 3 no harm, but for another reason.
RECALL_CLASSES = ("1", "2", "3")
RECALL_PHASES = ("opened", "notified", "closed")

RecallClass: TypeAlias = Annotated[str, Choice(RECALL_CLASSES)]
RecallPhase: TypeAlias = Annotated[str, Choice(RECALL_PHASES)]
Packs: TypeAlias = Annotated[Criterion, Which()]
Entries: TypeAlias = Annotated[int, Count((1 << 40) - 1)]

_COUNTS = ("affected", "locked", "returned", "destroyed", "outstanding")


@frozen(kw_only=True)
class RecallStep(Register):
    """A step of a recall (S1 V, III(1)5). From the record that opens it until the one that closes it, packs that its
    criterion covers are refused what a recalled pack is refused.

    `criterion` says which packs; `recall_class` is 1 to 3, `authority` who ordered it, or whom it was reported to, and
    `parties` are the ids of those who were told. `affected` is how many packs the criterion met among the first `size`
    entries of the log, and when a recall is closed, how many of them are `locked`, came back, were destroyed, and are
    `outstanding`; `open_reason` says why it is closed although some are.
    """

    KIND: ClassVar[str] = "recall"
    CHAIN = ("recall", "id")

    id: Label
    phase: RecallPhase
    on: Day
    by: Name
    reason: Text
    recall_class: RecallClass | None = None
    authority: Name | None = None
    criterion: Packs | None = None
    parties: References = ()
    affected: Whole | None = None
    locked: Whole | None = None
    returned: Whole | None = None
    destroyed: Whole | None = None
    outstanding: Whole | None = None
    size: Entries | None = None
    open_reason: Text | None = None

    def contradictions(self) -> list[str]:
        """Each phase says what it is about, and the numbers of packs add up."""
        needed = {"opened": ("recall_class", "criterion", "affected"), "notified": ("parties",), "closed": _COUNTS}
        missing = [name for name in needed[self.phase] if getattr(self, name) in (None, ())]
        faults = [f"{name} is missing: a recall that is {self.phase} states it" for name in missing]
        if self.phase != "opened":
            stated = [name for name in ("recall_class", "criterion") if getattr(self, name) is not None]
            faults += [f"{name} is stated by who opens a recall, and this one is {self.phase}" for name in stated]
        if self.phase != "closed" and self.open_reason is not None:
            faults.append(f"open_reason says why a recall is closed, and this one is {self.phase}")
        counts = [getattr(self, name) for name in _COUNTS]
        if None not in counts and sum(counts[1:]) != counts[0]:
            said = " + ".join(f"{name} {count}" for name, count in zip(_COUNTS[1:], counts[1:], strict=True))
            faults.append(f"{said} is {sum(counts[1:])}: it must be affected, {counts[0]}")
        if self.phase == "closed" and bool(self.outstanding) != (self.open_reason is not None):
            what_to_do = "say in open_reason why it is closed all the same" if self.outstanding else "drop open_reason"
            faults.append(f"outstanding is {self.outstanding}: {what_to_do}")
        return faults
