"""What tracing answers with: steps of a history, stays in containers, whereabouts, and what could not be told.

A *moment* is (claimed time in nanoseconds, entry index): facts are put in order by it, whatever the order in which they
were recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from tracechain import encoding
from tracechain.errors import TracechainError
from tracechain.event import Event

if TYPE_CHECKING:
    from tracechain.verification import Finding
    from tracechain.view import Unit

__all__ = ["Holder", "Kin", "Moment", "Stay", "Step", "StockRow", "Trace", "Unresolved", "Whereabouts"]

Moment: TypeAlias = tuple[int, int]


@frozen
class Unresolved:
    """Something that an answer would need and that the data does not tell, so that no answer looks complete when it is
    not.

    `kind` is one of

        pruned         a content is not kept any more
        cycle          containers are said to hold each other
        contradiction  the latest sighting, or a packing, broke a rule
        unknown        a code that no entry names
        left           it went to where the data does not follow
        class          packed by class and quantity, without codes
        damaged        rows or contents that cannot be read, or links that do not lead back
    """

    kind: str
    subject: str
    index: int | None
    detail: str

    @property
    def order(self) -> tuple[str, str, int, str]:
        """What answers list it by."""
        return self.kind, self.subject, -1 if self.index is None else self.index, self.detail


@frozen
class Stay:
    """A subject was in a container, from one moment to another; `end` None: it still is."""

    container: str
    begin: Moment
    end: Moment | None = None

    def overlaps(self, start: int | None, stop: int | None) -> bool:
        """Whether it was there at some time from `start` to `stop` (ns, both included; None: without a bound)."""
        return (stop is None or self.begin[0] <= stop) and (start is None or self.end is None or self.end[0] >= start)


@frozen
class Step:
    """One line of a history.

    `time` is claimed (ns), `offset` its zone (minutes east of UTC), `received` the receipt (ms). `subject` is whose row
    the entry has: the unit's own, that of a container it was in at the time (`relation` "container"; `via` leads there
    from the innermost), or that of a code it was made of ("before") or that was made of it ("after"). `voided` is the
    entry that declares this one an error, `declares` that this one does so. `findings` is empty for an entry that
    verifies: in the signed tree, with its content, its row and its link.
    """

    index: int
    time: int
    offset: int
    received: int
    subject: str
    relation: str
    via: tuple[str, ...]
    place: str | None
    author: bytes
    act: int
    state: int
    violations: tuple[int, ...]
    content: bytes | None
    voided: int | None = None
    declares: bool = False
    findings: tuple[Finding, ...] = ()

    def __bool__(self) -> bool:
        return not self.findings

    @property
    def event(self) -> Event | None:
        """What the entry says; None if its content is not kept, or not readable."""
        try:
            return None if self.content is None else encoding.decode(self.content)
        except TracechainError:
            return None


@frozen
class Kin:
    """Another code of the same goods: it was "made_of" `code`, or "made_into" it, by the entry `index`."""

    code: str
    relation: str
    index: int


@frozen
class Trace:
    """The whole history of a subject, by moments. True only without findings.

    `unit` is None for a subject that the ledger does not know. `stays` are those of the subject itself.
    """

    subject: str
    unit: Unit | None
    steps: tuple[Step, ...]
    kin: tuple[Kin, ...] = ()
    stays: tuple[Stay, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.findings


@frozen
class Holder:
    """Who has it.

    `kind` is "place" (whoever runs it), "carrier", "buyer" (`id` is "person/" and the token in hexadecimal, behind
    which an identity can be erased), "none" (destroyed), or "unknown".
    """

    kind: str
    id: str | None = None


@frozen
class Whereabouts:
    """Where a subject is, or was at a claimed time.

    `unit` is its latest entry and its state as of then. `place`, `time` (ns) and `index` are those of the latest
    sighting,
    `seen` what was seen there: itself, or a container that it was in. `containers` hold it now, innermost first.
    """

    subject: str
    unit: Unit | None
    place: str | None = None
    time: int | None = None
    index: int | None = None
    seen: str | None = None
    containers: tuple[str, ...] = ()
    holder: Holder = Holder("unknown")
    successors: tuple[str, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()


@frozen
class StockRow:
    """Units that have these things in common; None for what was not asked for, or is not known."""

    units: int
    product: str | None = None
    lot: str | None = None
    merchant: str | None = None
    custody: str | None = None
    place: str | None = None
