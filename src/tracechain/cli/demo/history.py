"""Looking up what happened to a pack."""

from __future__ import annotations

from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE
from tracechain.view import View, unit_history

__all__ = ["find"]


def find(view: View, subject: str, step: str) -> int:
    """The index of a unit's first entry with a business step. LookupError where there is none."""
    for index in unit_history(view, subject):
        part = view.content(index)
        if part is not None and decode(part[SALT_SIZE:]).biz_step == step:
            return index
    raise LookupError(f"{subject} has no entry with {step}")
