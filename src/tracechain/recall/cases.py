"""Recall cases: opened, told of, followed and closed, as pure functions over a View (docs/format.md section 5.8).

A recall is a chain of records (registers.RecallStep). The one that opens it is followed, in the same statement, by
events that flag what it affects:

    ObjectEvent, OBSERVE, business step holding, disposition recalled, up to 500 codes, no place,
    one business transaction of type urn:tracechain:btt:recall with the id urn:tracechain:recall:<id>

What these functions make is appended by whoever has a key: nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from attrs import frozen

from tracechain.criteria import Criterion
from tracechain.custody import ACT_MASK, CUSTODY_MASK, Act, Custody, Flag
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import InputError
from tracechain.event import BizTransaction, Event, ObjectEvent
from tracechain.event.vocabulary import BIZ_STEP, DISPOSITION
from tracechain.pilot.register import Version, history, listing, next_record, standing_of
from tracechain.recall.fan_out import fan_out
from tracechain.recall.values import Affected, FanOut, Progress
from tracechain.record import Record
from tracechain.registers import Product, RecallStep, subject_of
from tracechain.rules import Standing
from tracechain.rules.guards import LOT_SHIFT, class_of
from tracechain.rules.recalled import Known, meets
from tracechain.tracing import Tracer
from tracechain.tracing.facts import TRANSFORMATION, Log, epcs_of
from tracechain.tracing.locate import Locator
from tracechain.view import View

__all__ = [
    "FLAG_DOCUMENT",
    "RecallFile",
    "closing",
    "find_recall",
    "flagged",
    "flags",
    "notice",
    "opening",
    "progress",
    "progress_of",
    "recalls",
]

#: The type of the document by which an event flags packs for a recall.
FLAG_DOCUMENT = "urn:tracechain:btt:recall"
#: Codes that one event flags at most, and bytes of them, so that any content stays under 64 KiB.
_CODES, _BYTES = 500, 48_000
_BEIJING = 480
_FLAGS = Flag.HELD | Flag.RECALLED | Flag.STOLEN
_RETURNS = frozenset(map(int, (Act.RETURN_IN, Act.EXPORT_RETURN)))
_RECEIVING, _RETURNED, _DISPOSITION = BIZ_STEP.codes["receiving"], DISPOSITION.codes["returned"], 7
#: Codes that cannot be flagged: those that ended, and those that nobody brought into being, which are refused anyway.
_BEYOND = frozenset(map(int, (Custody.DEAD, Custody.NONE)))


@frozen
class RecallFile:
    """One recall: `steps` are its records, oldest first, each with entry, receipt time, author and `value`."""

    id: str
    steps: tuple[Version, ...]

    @property
    def values(self) -> tuple[RecallStep, ...]:
        """What its steps say."""
        return tuple(step.value for step in self.steps if isinstance(step.value, RecallStep))

    @property
    def opened(self) -> RecallStep:
        """The step that opened it."""
        return self.values[0]

    @property
    def last(self) -> RecallStep:
        """The latest step."""
        return self.values[-1]

    @property
    def open(self) -> bool:
        """Whether it was not closed."""
        return self.last.phase != "closed"

    @property
    def criterion(self) -> Criterion:
        """Which packs it is about."""
        criterion = self.opened.criterion
        assert criterion is not None, "a recall is opened with one"
        return criterion

    @property
    def told(self) -> tuple[str, ...]:
        """The parties that were told, each once, in order."""
        return tuple(dict.fromkeys(party for step in self.values for party in step.parties))


# ---- what there is -------------------------------------------------------------------------------


def recalls(view: View, as_of: int | None = None) -> tuple[RecallFile, ...]:
    """Every recall, in order of ids, as of a receipt time (ms)."""
    return tuple(
        RecallFile(name, history(view, RecallStep.KIND, name, as_of))
        for name, _ in listing(view, RecallStep.KIND, as_of)
    )


def find_recall(view: View, id: str) -> RecallFile | None:  # noqa: A002 - the library's word
    """A recall by its id, None if there is none."""
    steps = history(view, RecallStep.KIND, id)
    return RecallFile(id, steps) if steps else None


def _known(view: View, ident: str) -> RecallFile:
    found = find_recall(view, ident)
    if found is None:
        raise InputError(f"there is no recall {ident!r:.80}: open it first")
    return found


def flagged(view: View, file: RecallFile) -> tuple[str, ...]:
    """The packs that were flagged when a recall was opened, in order of their codes."""
    return tuple(sorted({code for _, event in _flagging(view, file) for code in event.epcs}))


def _flagging(view: View, file: RecallFile) -> Iterator[tuple[int, Event]]:
    """(index, event) behind the record that opened a recall which flag packs for it."""
    index = file.steps[0].index + 1
    while (header := view.header(index)) is not None and header[4] == EntryType.EVENT:
        part = view.content(index)
        if part is not None:
            event = decode(part[SALT_SIZE:])
            if not any(one.type == FLAG_DOCUMENT and one.id == _subject(file.id) for one in event.biz_transactions):
                return
            yield index, event
        index += 1


def _subject(ident: str) -> str:
    return subject_of(RecallStep.KIND, ident)


# ---- how far it is -------------------------------------------------------------------------------


def progress(view: View, id: str) -> Progress:  # noqa: A002 - as above
    """How far a recall has come (Progress says how it is counted): of all packs that its criterion covers now, those
    that came later among them, and of those that were flagged when it was opened. InputError for no recall."""
    file = _known(view, id)
    return progress_of(view, file, fan_out(view, file.criterion))


def progress_of(view: View, file: RecallFile, found: FanOut) -> Progress:
    """The same from a fan-out of its criterion that was made already."""
    look = _Look(view, file)
    everything = (*found.units, *_missing(view, file, found))
    codes = {unit.unit for unit in everything}
    # Goods count once: under their new code, once they have one.
    units = [unit for unit in everything if unit.group != "destroyed" or not look.goes_on(unit, codes)]
    counts = dict.fromkeys(("locked", "returned", "destroyed", "outstanding"), 0)
    untold = 0
    told = frozenset(map(_party, file.told))
    for unit in units:
        became = look.became(unit)
        counts[became] += 1
        untold += became == "outstanding" and (unit.holder is None or _party(unit.holder) not in told)
    return Progress(
        id=file.id, open=file.open, affected=len(units), reached=len(units) - untold, **counts,
        unresolved=found.unresolved,
    )  # fmt: skip


def _missing(view: View, file: RecallFile, found: FanOut) -> list[Affected]:
    """What was flagged once and the criterion covers no more, as when the register names another maker."""
    covered = {unit.unit for unit in found.units}
    rest = [code for code in flagged(view, file) if code not in covered]
    return sorted(Locator(Tracer(view), Affected).locate(rest)) if rest else []


def _party(ident: str) -> str:
    """A party by whatever it is called: a GLN stands for a place and for the company there, and parts are its own."""
    whole = ident.partition("/254/")[0]
    return whole[4:] if whole.startswith(("414/", "417/")) else whole


class _Look:
    """What became of packs since a recall was opened."""

    def __init__(self, view: View, file: RecallFile) -> None:
        self._view = view
        self._log = Log(view)
        #: The last entry of the opening itself.
        self._since = max((index for index, _ in _flagging(view, file)), default=file.steps[0].index)
        self._standing: Standing = standing_of(view)
        self._open = tuple(step.criterion for step in self._standing.recalls.values() if step.criterion is not None)
        self._files: dict[str, Product | None] = {}

    def became(self, unit: Affected) -> str:
        """Locked, returned, destroyed or outstanding."""
        group = unit.group
        if group == "destroyed":
            return "destroyed"
        if group == "stock":
            if unit.last > self._since and self._came_back(unit):
                return "returned"
            if self._is_refused(unit):
                return "locked"
        return "outstanding"

    def goes_on(self, unit: Affected, codes: set[str]) -> bool:
        """Whether a code that ended did so as its goods got another one of these codes: by relabelling, or as a part of
        something else."""
        for at, (_, _, _, broken) in self._log.back(unit.unit, unit.last):
            if broken:
                continue
            fact = self._log.event(at)
            if fact is None or fact.kind != TRANSFORMATION or fact.declares:
                return False
            return not codes.isdisjoint(epcs_of(fact, outputs=True))
        return False

    def _came_back(self, unit: Affected) -> bool:
        """Whether it was taken back, lawfully, since the recall was opened."""
        for at, (act, _, _, codes) in self._log.back(unit.unit, unit.last):
            if at <= self._since:
                break
            if not codes and (act & ACT_MASK in _RETURNS or (act == Act.SEE and self._says_returned(at))):
                return True
        return False

    def _says_returned(self, index: int) -> bool:
        """Whether an event takes something back, in a ledger without a profile."""
        fact = self._log.event(index)
        return (
            fact is not None
            and not fact.declares
            and fact.step == _RECEIVING
            and fact.item(_DISPOSITION) == _RETURNED
        )  # fmt: skip

    def _is_refused(self, unit: Affected) -> bool:
        """Whether the ledger refuses to sell it: it is flagged, or an open recall covers it for certain."""
        if self._standing.profile is None:
            return False
        if unit.state & _FLAGS:
            return True
        product = class_of(unit.unit)
        if product not in self._files:
            registered = self._standing.find(Product.KIND, product)
            value = None if registered is None else registered.value
            self._files[product] = value if isinstance(value, Product) else None
        known = Known(product, self._files[product], self._view.memory(unit.unit) >> LOT_SHIFT, unit.unit)
        return any(meets(criterion, known) for criterion in self._open)


# ---- what comes next -----------------------------------------------------------------------------


def opening(
    view: View,
    *,
    id: str,  # noqa: A002 - as above
    recall_class: str,
    criterion: Criterion,
    by: str,
    reason: str,
    on: date,
    time: int,
    authority: str | None = None,
    found: FanOut | None = None,
) -> list[Record | Event]:
    """What opens a recall, to be appended in one statement: its record, and the events at `time` (ns) that flag each
    pack which is affected and lives. `found` is a fan-out of the criterion over this view, if it was made already.

    From the record on, the ledger refuses what it refuses of recalled packs to all that the criterion covers for
    certain, also to packs that come later. InputError where there is such a recall already.
    """
    spread = fan_out(view, criterion) if found is None else found
    step = RecallStep(
        id=id, phase="opened", on=on, by=by, reason=reason, recall_class=recall_class, authority=authority,
        criterion=criterion, affected=spread.affected, size=view.size,
    )  # fmt: skip
    alive = (unit.unit for unit in spread.units if unit.state & CUSTODY_MASK not in _BEYOND)
    return [next_record(view, step), *flags(id, alive, time)]


def flags(id: str, codes: Iterable[str], time: int) -> Iterator[ObjectEvent]:  # noqa: A002 - as above
    """The events that flag these packs for a recall, at a claimed time (ns)."""
    document = BizTransaction(FLAG_DOCUMENT, _subject(id))
    for some in _batches(codes):
        yield ObjectEvent(
            event_time=time, time_zone_offset=_BEIJING, action="OBSERVE", epcs=tuple(some), biz_step="holding",
            disposition="recalled", biz_transactions=(document,),
        )  # fmt: skip


def _batches(codes: Iterable[str]) -> Iterator[list[str]]:
    some: list[str] = []
    room = _BYTES
    for code in codes:
        size = len(code.encode()) + 8
        if some and (len(some) == _CODES or size > room):
            yield some
            some, room = [], _BYTES
        some.append(code)
        room -= size
    if some:
        yield some


def notice(
    view: View, *, id: str, parties: Sequence[str], by: str, reason: str, on: date  # noqa: A002 - as above
) -> list[Record]:  # fmt: skip
    """The record that parties (ids of places, carriers, merchants) were told of a recall. InputError where it is not
    open."""
    step = RecallStep(id=id, phase="notified", on=on, by=by, reason=reason, parties=tuple(parties))
    return [next_record(view, step)]


def closing(
    view: View,
    *,
    id: str,  # noqa: A002 - as above
    by: str,
    reason: str,
    on: date,
    open_reason: str | None = None,
    counted: Progress | None = None,
) -> list[Record]:
    """The record that closes a recall, with the numbers as they are now (`counted`, if they were worked out already).

    InputError where packs are outstanding and `open_reason` does not say why it is closed all the same, and where the
    recall is not open.
    """
    now = progress(view, id) if counted is None else counted
    step = RecallStep(
        id=id, phase="closed", on=on, by=by, reason=reason, affected=now.affected, locked=now.locked,
        returned=now.returned, destroyed=now.destroyed, outstanding=now.outstanding, size=view.size,
        open_reason=open_reason,
    )  # fmt: skip
    return [next_record(view, step)]
