"""What an event does to the state of a subject: the rules, as one table (docs/format.md section 7.1).

Rule set 1 is the first simple custody: a subject is seen, is active, and is gone. An act that the table
does not list for a state leaves the state alone and is kept with its violation: a fact is never dropped.
"""

from __future__ import annotations

from enum import IntEnum

from tracechain.errors import InputError
from tracechain.event import Event, ObjectEvent, TransformationEvent, subjects

__all__ = ["RULE_SET", "Act", "Custody", "Violation", "acts", "describe", "step"]

RULE_SET = 1


class Custody(IntEnum):
    """The custody a subject is in; 0 is what nobody has seen."""

    NONE = 0
    ACTIVE = 1
    GONE = 2


class Act(IntEnum):
    """What an event does to one of its subjects."""

    SEE = 0
    END = 1
    #: The subject of a record, or of an event that is declared an error: nothing changes.
    NOTE = 2


class Violation(IntEnum):
    """Rules an event can break; the numbers stand in rows and never change."""

    #: An event for something that is gone (domain.md section 3, "destroy and the like").
    DEAD_PACK = 1


Outcome = tuple[int, tuple[int, ...]]

_SEEN: Outcome = (int(Custody.ACTIVE), ())
_ENDED: Outcome = (int(Custody.GONE), ())
_DEAD: Outcome = (int(Custody.GONE), (int(Violation.DEAD_PACK),))

#: (state before, act) -> (state after, violations). Plain ints: the hot path looks up one key a row.
TABLE: dict[tuple[int, int], Outcome] = {
    (Custody.NONE, Act.SEE): _SEEN,
    (Custody.ACTIVE, Act.SEE): _SEEN,
    (Custody.GONE, Act.SEE): _DEAD,
    (Custody.NONE, Act.END): _ENDED,
    (Custody.ACTIVE, Act.END): _ENDED,
    (Custody.GONE, Act.END): _DEAD,
    (Custody.NONE, Act.NOTE): (int(Custody.NONE), ()),
    (Custody.ACTIVE, Act.NOTE): _SEEN,
    (Custody.GONE, Act.NOTE): (int(Custody.GONE), ()),
}


def step(state: int, act: int) -> Outcome:
    """The state after an act, and the violations it is kept with. Ingest, replay and verification use only this."""
    try:
        return TABLE[state, act]
    except KeyError:
        raise InputError(f"rule set {RULE_SET} knows no state {state} or no act {act}") from None


def acts(event: Event) -> tuple[tuple[str, Act], ...]:
    """The subjects of an event with what it does to each, in row order (format.md sections 7 and 7.1)."""
    if type(event) is ObjectEvent and event.plain:
        # The usual scan, in the ingest loop: nothing but units.
        act = Act.END if event.action == "DELETE" else Act.SEE
        epcs = event.epcs
        return ((epcs[0], act),) if len(epcs) == 1 else tuple([(epc, act) for epc in epcs])
    if event.error_declaration is not None:
        return tuple((subject, Act.NOTE) for subject in subjects(event))
    ends = isinstance(event, TransformationEvent) or (isinstance(event, ObjectEvent) and event.action == "DELETE")
    if not ends:
        return tuple((subject, Act.SEE) for subject in subjects(event))
    ended = frozenset(event.epcs)
    return tuple((subject, Act.END if subject in ended else Act.SEE) for subject in subjects(event))


def describe(code: int) -> str:
    """The name of a violation code, or its number where a newer rule set wrote it."""
    try:
        return Violation(code).name
    except ValueError:
        return f"VIOLATION_{code}"
