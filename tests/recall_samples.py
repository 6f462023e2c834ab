"""Steps of recalls in the pilot world."""

from __future__ import annotations

from datetime import date

from pilot_world import EYE_DROPS, LOT_NUMBER, PHARMACY
from tracechain.criteria import Criterion, Lot
from tracechain.registers import RecallStep

__all__ = ["closed", "opened", "told"]


def opened(criterion: Criterion | None = None, name: str = "R-1") -> RecallStep:
    """A recall is opened: of the lot that packs are of, unless it is said."""
    which = Lot(EYE_DROPS, LOT_NUMBER) if criterion is None else criterion
    return RecallStep(
        id=name, phase="opened", on=date(2026, 11, 21), by="Quality", reason="Particles", recall_class="1",
        criterion=which, affected=1,
    )  # fmt: skip


def told(name: str = "R-1") -> RecallStep:
    """Parties were told."""
    return RecallStep(
        id=name, phase="notified", on=date(2026, 11, 21), by="Quality", reason="Particles", parties=(PHARMACY,)
    )


def closed(name: str = "R-1") -> RecallStep:
    """It is closed."""
    return RecallStep(
        id=name, phase="closed", on=date(2026, 11, 21), by="Quality", reason="Done", affected=1, locked=0, returned=0,
        destroyed=0, outstanding=1, open_reason="Used up",
    )  # fmt: skip
