"""What the registers say: register records folded, subject by subject, in the order of the log.

A register subject (a product, a merchant, a place, ...) has a chain of its own; `fold` takes its next record. A record
that cannot follow is refused at ingest, and changes nothing in a replay. A new version of a value is a whole
value; suspension, stop and shield stand beside it until they are lifted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from attrs import evolve, frozen

from tracechain import registers
from tracechain.errors import InputError, TracechainError
from tracechain.record import Record
from tracechain.registers import (
    CaseStep,
    HoldStep,
    Profile,
    Readmission,
    RecallStep,
    Resumption,
    Shield,
    Stop,
    Suspension,
)

__all__ = ["Registered", "Standing", "fold"]


@frozen
class Registered:
    """Where a register subject stands: its value in force, and what stands beside it.

    Indices are of log entries. `value` is None for a subject that only has measures taken against it (a stop order for
    something never registered). `shielded` are versions whose information was taken from view.
    """

    index: int
    version: int
    value: Any = None
    suspended: int | None = None
    stopped: int | None = None
    shielded: frozenset[int] = frozenset()
    #: The value before the one in force: an edition of a scope list may be recorded ahead of its day.
    former: Any = None
    versions: int = 0


def fold(before: Registered | None, index: int, record: Record) -> Registered:
    """Where a register subject stands after one more record; InputError where that cannot follow, DecodeError where the
    record is not of the form of its kind."""
    value = registers.read(record)
    if value is None:
        raise InputError(f"record {record.kind} is not of a register")
    if value.subject != record.subject:
        raise InputError(
            f"record {record.kind}: its subject is {record.subject!r}, its body is about {value.subject!r}"
        )
    now = before or Registered(index, -1)
    what = record.subject
    match value:
        case Suspension():
            _known(now, what, "suspended")
            if now.suspended is not None:
                raise InputError(f"{what}: it is suspended since entry {now.suspended}; readmit it first")
            return evolve(now, suspended=index)
        case Readmission():
            if now.suspended is None:
                raise InputError(f"{what}: it is not suspended, so it cannot be readmitted")
            return evolve(now, suspended=None)
        case Stop():
            if now.stopped is not None:
                raise InputError(f"{what}: its service is stopped since entry {now.stopped}")
            return evolve(now, stopped=index)
        case Resumption():
            if now.stopped is None:
                raise InputError(f"{what}: its service is not stopped, so it cannot be resumed")
            return evolve(now, stopped=None)
        case Shield():
            if not 0 <= value.version < now.versions:
                raise InputError(f"{what}: there is no version {value.version} to shield, it has {now.versions}")
            if value.version in now.shielded:
                raise InputError(f"{what}: version {value.version} is shielded already")
            return evolve(now, shielded=now.shielded | {value.version})
        case CaseStep():
            return evolve(_next_step(now, value), index=index, versions=now.versions + 1)
        case RecallStep():
            _follows(now, value, "recall", "opened", "closed")  # S1 V
            return evolve(now, value=value, index=index, versions=now.versions + 1)
        case HoldStep():
            _holds_on(now, value)
            return evolve(now, value=value, index=index, versions=now.versions + 1)
    if record.version != now.versions:
        raise InputError(f"{what}: version {record.version}, but version {now.versions} is the next")
    return evolve(now, index=index, version=record.version, value=value, versions=now.versions + 1, former=now.value)


def _known(now: Registered, what: str | None, done: str) -> None:
    if now.value is None:
        raise InputError(f"{what}: it is not registered, so it cannot be {done}")


def _next_step(now: Registered, step: CaseStep) -> Registered:
    """A case is opened first, once, and takes no step after it was closed (S1 III(1)4)."""
    _follows(now, step, "case", "opened", "closed")
    last: CaseStep | None = now.value
    if last is not None and step.type != last.type:
        raise InputError(f"case {step.id}: it is of type {last.type!r}, not {step.type!r}")
    return evolve(now, value=step)


_BEGIN = {"opened": "open", "placed": "place"}


def _follows(now: Registered, step: CaseStep | RecallStep | HoldStep, what: str, first: str, final: str) -> None:
    """What goes step by step begins with its `first` phase, once, and takes no step after the `final` one."""
    last: CaseStep | RecallStep | HoldStep | None = now.value
    if last is None:
        if step.phase != first:
            raise InputError(f"{what} {step.id}: its first step is {step.phase!r}; {_BEGIN[first]} it first")
    elif last.phase == final:
        raise InputError(f"{what} {step.id}: it was {final} in entry {now.index}; {_BEGIN[first]} a new one")
    elif step.phase == first:
        raise InputError(f"{what} {step.id}: it was {first} before")


def _holds_on(now: Registered, step: HoldStep) -> None:
    """A hold is placed first and once, is extended to a later day only, and takes no step after it was released
    (S1 VIII(2)): none ends sooner than it was said to but by a release."""
    _follows(now, step, "hold", "placed", "released")
    last: HoldStep | None = now.value
    if last is not None and step.until is not None and (last.until is None or step.until <= last.until):
        stands = "without an end" if last.until is None else f"until {last.until}"
        raise InputError(f"hold {step.id}: it stands {stands}; it cannot be extended to {step.until}, only released")


#: How a subject's past records are found: all of its (index, record), oldest first.
Load = Callable[[str], Iterable[tuple[int, Record]]]


class Standing:
    """What the registers say after the entries so far.

    `load` reads a subject's chain where it is not known yet; a replay has none, for it begins at nothing. `base` is a
    Standing that this one tries records on without changing it. `profile` is the profile in force, None before the
    first. `recalls` are the records that opened the recalls that are open, by the ids of these, and `opened` the
    indices of their entries; both are replaced, never changed.
    """

    def __init__(
        self,
        load: Load | None = None,
        profile: Profile | None = None,
        base: Standing | None = None,
        recalls: Iterable[tuple[int, RecallStep]] = (),
    ) -> None:
        self.load = load
        self._base = base
        self._known: dict[str, Registered | None] = {}
        self.profile: Profile | None = profile if base is None else base.profile
        found = sorted(recalls, key=itemgetter(0))
        self.recalls: dict[str, RecallStep] = {step.id: step for _, step in found} if base is None else base.recalls
        self.opened: dict[str, int] = {step.id: index for index, step in found} if base is None else base.opened
        #: What guards worked out of the registers, by question; dropped when a register changes.
        self.answers: dict[Any, Any] = {}

    def at(self, subject: str) -> Registered | None:
        """Where a register subject stands, None if no record names it."""
        try:
            return self._known[subject]
        except KeyError:
            pass
        found: Registered | None = None
        if self._base is not None:
            found = self._base.at(subject)
        elif self.load is not None:
            for index, record in self.load(subject):
                found = _taken(found, index, record)
        self._known[subject] = found
        return found

    def find(self, kind: str, name: str) -> Registered | None:
        """Where the register subject of this kind and id stands."""
        return self.at(f"urn:tracechain:{kind}:{name}")

    def take(self, index: int, record: Record) -> None:
        """Take the next record of the log. InputError, and no change, where it cannot follow."""
        if record.kind not in registers.KINDS:
            return
        if record.subject is None:
            raise InputError(f"record {record.kind}: it names no subject; make it by `record()` of its value")
        self._known[record.subject] = now = fold(self.at(record.subject), index, record)
        self.answers.clear()
        if isinstance(now.value, Profile):
            self.profile = now.value
        elif isinstance(now.value, RecallStep):
            self._take_recall(index, now.value)

    def _take_recall(self, index: int, step: RecallStep) -> None:
        if step.phase == "opened":
            self.recalls, self.opened = self.recalls | {step.id: step}, self.opened | {step.id: index}
        elif step.phase == "closed":
            self.recalls = {name: one for name, one in self.recalls.items() if name != step.id}
            self.opened = {name: one for name, one in self.opened.items() if name != step.id}

    @property
    def asked(self) -> int:
        """How many subjects are remembered, those among them that no record names, and answers that rest on them."""
        return len(self._known) + len(self.answers)

    def known(self) -> dict[str, Registered]:
        """Every register subject that was taken or asked for: all there are, in a replay."""
        return {subject: found for subject, found in self._known.items() if found is not None}


def _taken(before: Registered | None, index: int, record: Record) -> Registered | None:
    """`fold`, where the log holds what cannot follow: that stays in the log and changes nothing."""
    if record.kind not in registers.KINDS:
        return before
    try:
        return fold(before, index, record)
    except TracechainError:
        return before
