"""Which packs a criterion covers."""

from __future__ import annotations

from collections.abc import Iterator

from tracechain.criteria import Codes, Criterion
from tracechain.errors import InputError
from tracechain.tracing import Tracer, Unresolved
from tracechain.view import View

__all__ = ["Selection"]


class Selection:
    """The units of one view that criteria cover."""

    def __init__(self, view: View, tracer: Tracer | None = None) -> None:
        self.view = view
        self.tracer = tracer or Tracer(view)
        self.unresolved: set[Unresolved] = set()

    def units(self, criterion: Criterion) -> Iterator[list[str]]:
        """Packs that it covers."""
        if not isinstance(criterion, Codes):
            raise InputError(f"{type(criterion).__name__} cannot be searched for yet")
        yield list(criterion.codes)
