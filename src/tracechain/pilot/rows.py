"""Rows of stored entries, read the quick way: for counts and hints over logs that verification has looked at.

`entry.decode_rows` is strict and builds an object a row; whoever passes over the whole log wants neither. Damage shows
as DecodeError here too, but not every damage: that is the verifier's to find.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias, cast

from tracechain import identifiers
from tracechain.encoding.primitives import unpack_known
from tracechain.entry import SALT_SIZE, Row
from tracechain.errors import DecodeError
from tracechain.view import View

__all__ = ["Cells", "lawful_rows", "quick_rows", "row_at"]

#: (subject, act, index of the subject's entry before or None, state after, violations) of a row.
Cells: TypeAlias = tuple[str, int, int | None, int, tuple[int, ...]]


def quick_rows(part: bytes) -> Iterator[Cells]:
    """The rows of an entry, from salt and rows as a View has them, in order of their subjects."""
    for group in _groups(part):
        prefix = group[0]
        for at in range(1, len(group), 5):
            suffix, act, previous, state, codes = group[at : at + 5]
            yield prefix + suffix, act, previous - 1 if previous else None, state, codes or ()


def row_at(view: View, index: int, subject: str) -> Row | None:
    """The row of a subject in an entry, None where that has none."""
    part = view.rows(index)
    if part is None:
        return None
    prefix, suffix = identifiers.split(subject)
    for group in _groups(part):
        if group[0] == prefix:
            for at in range(1, len(group), 5):
                if group[at] == suffix:
                    _, act, previous, state, codes = group[at : at + 5]
                    return Row(subject, act, previous - 1 if previous else None, state, codes or ())
    return None


def lawful_rows(view: View, subject: str, last: int | None) -> Iterator[tuple[int, Row]]:
    """The rows of a subject that broke no rule, newest first, from its entry `last` back. Ends where one is missing."""
    at = last
    while at is not None and at >= 0:
        row = row_at(view, at, subject)
        if row is None or (row.previous is not None and row.previous >= at):
            return
        if not row.violations:
            yield at, row
        at = row.previous


def _groups(part: bytes) -> tuple[tuple[Any, ...], ...]:
    value = unpack_known(part[SALT_SIZE:])
    if (
        not isinstance(value, tuple)
        or len(value) < 2
        or not all(isinstance(group, tuple) and len(group) % 5 == 1 for group in value[1:])
    ):
        raise DecodeError("stored rows are damaged: verify the ledger")
    return cast("tuple[tuple[Any, ...], ...]", value[1:])
