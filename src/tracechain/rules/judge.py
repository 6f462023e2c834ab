"""The judge: what an event breaks beside the table of `custody`, given registers and past.

The table says what follows from state and act. Here each act's further conditions are looked at (`guards`), and the
violations found are added; whatever is found leaves the state alone. Days are those of Asia/Shanghai at the
claimed time of the event; what was recorded late shows in the receipt time (an alert), not here.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Context, Decimal
from itertools import islice
from typing import Generic, Protocol, TypeVar

from attrs import define, evolve, field

from tracechain import custody, encoding
from tracechain.custody import ACT_MASK, CUSTODY_MASK, EXPIRY_SHIFT, Act, Custody, Flag, Outcome, Violation
from tracechain.errors import TracechainError
from tracechain.event import Event, ObjectEvent, TransformationEvent
from tracechain.event.sale import LOT, amount, documents, is_labelled, label
from tracechain.rules.guards import (
    ANCHOR_MASK,
    EVENT_GUARDS,
    LOT_SHIFT,
    PACK_GUARDS,
    Anchor,
    Case,
    Pack,
    event_codes,
    labelled_as_commissioned,
    lot_check,
)
from tracechain.rules.recalled import GUARDED, recalled
from tracechain.rules.standing import Standing

__all__ = ["JUDGED", "MADE", "TELLING", "Judge", "Past", "remember", "shanghai_day", "shanghai_year", "spend"]

_DAY = 86_400_000_000_000
_EAST = 8 * 3_600_000_000_000
_EPOCH = date(1970, 1, 1)
_LAST_DAY = (date.max - _EPOCH).days
_DAYS_TO_ZERO = (custody.DAY_ZERO - _EPOCH).days
_V = Violation
#: New codes that are made of others of the same event.
MADE = frozenset({int(Act.RELABEL_NEW), int(Act.PRODUCE)})
_NEW = MADE | {int(Act.COMMISSION)}
#: Acts that become the anchor of their pack.
_ANCHORS = frozenset(map(int, (Act.RESERVE, Act.DISPENSE, Act.DISPENSE_PART, Act.EXPORT)))
_OLD = frozenset({int(Act.RELABEL_OLD), int(Act.CONSUME)})
_SPENDING = frozenset({int(Act.RESERVE), int(Act.CANCEL), int(Act.UNDO)})
#: Acts whose event the memories need, not only its index.
TELLING = _NEW | _SPENDING
_LASTING = _NEW | _ANCHORS | _SPENDING
#: Entries that the cache of anchors holds: the orders of some minutes of a busy day.
_ANCHORS_MOST = 32_768
#: What a case is about before the first event.
_NOTHING = ObjectEvent(event_time=0, time_zone_offset=0, action="OBSERVE", epcs=("urn:x:none",))
#: Acts that the judge has to see, by number; of the others it sees those whose event says more than a plain one.
JUDGED: tuple[bool, ...] = tuple(
    GUARDED[number]
    or number in EVENT_GUARDS.keys() | PACK_GUARDS.keys() | _NEW | _OLD | _ANCHORS | {Act.CANCEL, Act.UNDO}
    for number in range(ACT_MASK + 1)
)

_ORDERED, _FREED = (Custody.BONDED, Custody.RESERVED), (Custody.RESERVED, Custody.BONDED)
#: Accounts are exact, whatever the caller's context rounds to: amounts have at most 17 digits.
_EXACT = Context(prec=60)

Key_contra = TypeVar("Key_contra", bound=Hashable, contravariant=True)


def shanghai_day(nanos: int) -> date:
    """The calendar day in Asia/Shanghai (UTC+8, no summer time) of nanoseconds since 1970; the last one there is for
    what lies beyond, as the receipt time of a forged header may."""
    return _EPOCH + timedelta(days=min((nanos + _EAST) // _DAY, _LAST_DAY))


def shanghai_year(millis: int) -> int:
    """The calendar year there of milliseconds since 1970."""
    return shanghai_day(millis * 1_000_000).year


class Past(Protocol[Key_contra]):
    """What the judge needs of the entries so far, and where it notes what later ones need.

    A pack goes by whatever `Key_contra` its keeper looks things up by: a number in the ledger, the subject in a replay.
    """

    @property
    def anchors(self) -> dict[int, Anchor | None]:
        """What is known of entries that packs are held against, by 1 + index: a cache that the keeper may share."""

    def memory(self, key: Key_contra) -> int:
        """The memory of a pack, 0 for none."""

    def remember(self, key: Key_contra, memory: int) -> None:
        """Change the memory of a pack."""

    def stated(self, index: int) -> tuple[bytes, bytes | None]:
        """The header of an earlier entry, and its content if it is kept."""

    def former(self, subject: str, key: Key_contra, last: int) -> int | None:
        """The state of a pack before its latest entry, which is `last`; None if that is not kept."""

    def spent(self, person: bytes, year: int) -> Decimal:
        """Yuan that a buyer's orders received in a year come to."""

    def put_spent(self, person: bytes, year: int, yuan: Decimal) -> None:
        """Change what they come to."""


class Judge(Generic[Key_contra]):
    """Judges the events of one author under one statement, in order; `time` is their receipt time, ms."""

    def __init__(self, standing: Standing, past: Past[Key_contra], time: int, author: bytes) -> None:
        assert standing.profile is not None, "without a profile there is nothing to judge by"
        self._standing = standing
        self._profile = standing.profile
        self._past = past
        self._time = time
        self._author = author
        self._year = shanghai_year(time)
        self._anchors = past.anchors
        self._pack = Pack(past.memory, self._anchor)
        self._case = Case(standing, self._profile, _NOTHING, _EPOCH, -_DAYS_TO_ZERO, self._spent)
        self._day = 0
        self._undoing: _Undoing | None = None

    def entry(
        self,
        index: int,
        event: Event,
        acts: Sequence[tuple[str, int]],
        keys: Sequence[Key_contra],
        befores: Sequence[tuple[int, int]],
        outcomes: Sequence[Outcome],
        stated: Mapping[str, Outcome] | None = None,
    ) -> list[Outcome]:
        """The outcomes of one entry for its subjects: those of the table with what the guards add to them.

        `befores` are (state, 1 + index of the latest entry) of each subject. Of those `stated` the outcome is known,
        and cannot be judged again, as it was judged when more was kept than now.
        """
        judged = list(outcomes)
        positions: Sequence[int] = range(len(acts))
        if isinstance(event, TransformationEvent):
            # What is made is held against what it was made of.
            positions = sorted(positions, key=lambda at: acts[at][1] & ACT_MASK in MADE)
        sources = _Sources(sum(act & ACT_MASK == Act.RELABEL_NEW for _, act in acts))
        for at in positions:
            subject, act = acts[at]
            state, last = befores[at]
            if stated and subject in stated:
                self._pack.set(subject, state, keys[at])
                outcome = stated[subject]
            elif JUDGED[act & ACT_MASK] or (act > Act.NOTE and event.extensions):
                outcome = self._one(event, subject, act, keys[at], state, last, outcomes[at], sources)
            else:
                continue
            judged[at] = outcome
            if act in _OLD:
                sources.take(state, self._pack.memory, outcome)
            if not outcome[1] and act & ACT_MASK in _LASTING:
                remember(self._past, keys[at], index, event, act, state, sources.first or 0, self._pack.memory)
        changes = [
            (subject, key, act, before[0], outcome)
            for (subject, act), key, before, outcome in zip(acts, keys, befores, judged, strict=True)
            if act in _SPENDING
        ]
        if changes:
            spend(self._past, self._year, event, changes)
        return judged

    def single(
        self,
        index: int,
        event: Event,
        subject: str,
        act: int,
        key: Key_contra,
        before: tuple[int, int],
        outcome: Outcome,
    ) -> Outcome:
        """The same for an event of one pack."""
        judged = self._one(event, subject, act, key, before[0], before[1], outcome, _NO_SOURCES)
        if not judged[1] and act & ACT_MASK in _LASTING:
            remember(self._past, key, index, event, act, before[0], 0, self._pack.memory)
            if act in _SPENDING:
                spend(self._past, self._year, event, ((subject, key, act, before[0], judged),))
                # An order will be paid and cleared soon.
                if act == Act.RESERVE and before[0] & CUSTODY_MASK == Custody.BONDED:
                    orders = documents(event, "po")
                    self._keep(index + 1, Anchor(event.event_time, event.person, orders, amount(event), self._year))
        return judged

    # ---- one pack ----

    def _one(
        self,
        event: Event,
        subject: str,
        act: int,
        key: Key_contra,
        state: int,
        last: int,
        outcome: Outcome,
        sources: _Sources,
    ) -> Outcome:
        number = act & ACT_MASK
        self._pack.set(subject, state, key)
        if number == Act.UNDO:
            return self._undo(event, subject, key, state, last, outcome)
        after, found = outcome
        event_guarded, guards = number in EVENT_GUARDS, PACK_GUARDS.get(number)
        if number == Act.RELEASE and state & Flag.HELD:
            event_guarded, guards = False, None  # only the hold ends
        labelled = bool(event.extensions) and state & CUSTODY_MASK and is_labelled(event)
        codes = found
        if event_guarded or guards or labelled:
            case = self._case_of(event)
            if event_guarded:
                codes += event_codes(case, number)
            if guards or labelled:
                pack = self._pack
                for guard in guards or ():
                    codes += guard(case, pack)
                if labelled:
                    codes += labelled_as_commissioned(case, pack)
        if self._standing.recalls:
            codes += recalled(self._standing, event, self._pack, number)
        if number == Act.RELABEL_NEW or (number == Act.PRODUCE and sources.broken):
            codes += _made_of(event, number, act, sources)
        if codes:
            return state, tuple(sorted({int(code) for code in codes}))
        return after, ()

    def _spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to; accounts of years before the last one are not kept (section 7.3)."""
        return self._past.spent(person, year) if year >= self._year - 1 else Decimal(0)

    def _case_of(self, event: Event) -> Case:
        """The case of this event: always the same object, set anew, as most guards cost less than to make one."""
        case = self._case
        case.event = event
        number = (event.event_time + _EAST) // _DAY
        if number != self._day:
            self._day = number
            case.day = _EPOCH + timedelta(days=number)
            case.today = number - _DAYS_TO_ZERO
        return case

    def _anchor(self, place: int) -> Anchor | None:
        """What the anchor says; several packs of one order share it."""
        try:
            return self._anchors[place]
        except KeyError:
            pass
        anchor: Anchor | None = None
        header, content = self._past.stated(place - 1)
        if content is not None:
            anchor = Anchor(*encoding.glimpse(content), shanghai_year(_received(header)))
        return self._keep(place, anchor)

    def _keep(self, place: int, anchor: Anchor | None) -> Anchor | None:
        anchors = self._anchors
        if len(anchors) >= _ANCHORS_MOST:
            for old in list(islice(anchors, _ANCHORS_MOST // 2)):
                del anchors[old]
        anchors[place] = anchor
        return anchor

    # ---- undoing ----

    def _undo(self, event: Event, subject: str, key: Key_contra, state: int, last: int, outcome: Outcome) -> Outcome:
        """An event declared in error: what it did to the pack is taken back, if it was the last thing that happened,
        within ten days, by the same actor, at the same place, not expired, recalled, stolen or supplied (EU 2016/161
        art. 13)."""
        former = self._past.former(subject, key, last - 1) if last else None
        now = self._undoing
        if now is None or now.event is not event:
            now = self._undoing = _Undoing(event, evolve(event, error_declaration=None))
        if last and last != now.last:
            now.last = last
            now.header, content = self._past.stated(last - 1)
            now.undone = None if content is None else _event(content)
        declared, undone, header = now.declared, now.undone if last else None, now.header
        # What was taken back once, or in vain, is not taken back again: that would do what was declared an error.
        again = undone is not None and undone.error_declaration is not None
        if undone is None or again or former is None or not _same(declared, undone):
            if now.acts is None:
                now.acts = dict(custody.acts(declared, custody.PILOT))
            return (state, (int(_V.UNDO_MISMATCH),)) if _moves(now.acts[subject]) else outcome
        if former == state:
            return outcome  # it had done nothing, so there is nothing to take back
        codes = set()
        if self._time - _received(header) > self._profile.undo_days * 86_400_000:
            codes.add(_V.UNDO_LATE)
        if header[24:32] != self._author:
            codes.add(_V.UNDO_ACTOR)
        if (declared.read_point, declared.biz_location) != (undone.read_point, undone.biz_location):
            codes.add(_V.UNDO_PLACE)
        expiry = state >> EXPIRY_SHIFT
        if expiry and (shanghai_day(self._time * 1_000_000) - custody.DAY_ZERO).days > expiry:
            codes.add(_V.UNDO_EXPIRED)
        if state & Flag.RECALLED:
            codes.add(_V.UNDO_RECALLED)
        if state & Flag.STOLEN:
            codes.add(_V.UNDO_STOLEN)
        if state & CUSTODY_MASK == Custody.DELIVERED:
            codes.add(_V.UNDO_SUPPLIED)
        return (state, tuple(sorted(map(int, codes)))) if codes else (former, ())


@define
class _Sources:
    """What the new codes of an event are made of. `labels` are the new codes of a relabelling."""

    labels: int
    packs: int = 0
    #: Whether one of them broke a rule; the memory of the first; days and lot checks where they are known.
    broken: bool = False
    first: int | None = None
    days: set[int] = field(factory=set)
    lots: set[int] = field(factory=set)

    def take(self, state: int, memory: int, outcome: Outcome) -> None:
        """One more, ascending."""
        self.packs += 1
        self.broken = self.broken or bool(outcome[1])
        self.first = memory if self.first is None else self.first
        self.days.add(state >> EXPIRY_SHIFT)
        self.lots.add(memory >> LOT_SHIFT)


#: Of an event of one code, which has nothing to be made of.
_NO_SOURCES = _Sources(1)


@define
class _Undoing:
    """An event declared in error, and the latest entry of one of its packs: mostly it is that of all of them."""

    event: Event
    declared: Event
    acts: dict[str, int] | None = None
    #: 1 + the index of the entry; what it says, and its header.
    last: int = 0
    undone: Event | None = None
    header: bytes = b""


def remember(
    past: Past[Key_contra],
    key: Key_contra,
    index: int,
    event: Event | None,
    act: int,
    state: int,
    source: int,
    memory: int,
) -> None:
    """What a lawful act leaves in the memory of its pack. `state` and `memory` are those before; `source` is the memory
    of what a new code was made of. `event` may be None where the act is none of TELLING."""
    number = act & ACT_MASK
    if number in _NEW:
        lot = None if event is None else label(event, LOT)
        new = (source >> LOT_SHIFT if lot is None else lot_check(lot)) << LOT_SHIFT
        if new or memory:
            past.remember(key, new)
    elif number in _ANCHORS and not (number == Act.RESERVE and state & CUSTODY_MASK == Custody.RESERVED):
        past.remember(key, memory & ~ANCHOR_MASK | index + 1)


def spend(
    past: Past[Key_contra],
    year: int,
    event: Event,
    changes: Sequence[tuple[str, Key_contra, int, int, Outcome]],
) -> None:
    """What an entry leaves in accounts. An order counts once, whatever the number of its packs, in the account of its
    buyer. A pack whose order was cancelled or undone takes its share of that off again; one whose cancellation was
    undone puts it back. `changes` are (subject, key, act, state before, outcome) of the subjects.

    What is taken off is what the order says, not what a cancellation says: else it would make room for other orders.
    """
    ordered = False
    orders: dict[int, _Shares | None] = {}
    for subject, key, act, state, (after, codes) in changes:
        turn = state & CUSTODY_MASK, after & CUSTODY_MASK
        # Nothing but an order, and an undone cancellation, leads from bonded to reserved, and the other way likewise.
        if act not in _SPENDING or codes or (turn != _ORDERED and turn != _FREED):
            continue
        if act != Act.RESERVE:
            _settle(past, orders, subject, key, back=turn == _FREED)
        elif not ordered and event.person is not None and (yuan := amount(event)) is not None:
            ordered = True
            _put(past, event.person, year, yuan)


@define
class _Shares:
    """What each pack of an order comes to, in fen, and in whose account of which year."""

    person: bytes
    year: int
    fen: int
    places: dict[str, int]

    def of(self, subject: str) -> int:
        """Equal shares but for the fen that are left over, so that all of them are the whole."""
        at, packs = self.places[subject], len(self.places)
        return self.fen * (at + 1) // packs - self.fen * at // packs


def _shares(past: Past[Key_contra], place: int) -> _Shares | None:
    header, content = past.stated(place - 1) if place else (b"", None)
    order = None if content is None else _event(content)
    if order is None or order.person is None or (yuan := amount(order)) is None:
        return None
    places = {epc: at for at, epc in enumerate(order.epcs)}
    return _Shares(order.person, shanghai_year(_received(header)), int(yuan.scaleb(2, _EXACT)), places)


def _settle(
    past: Past[Key_contra], orders: dict[int, _Shares | None], subject: str, key: Key_contra, *, back: bool
) -> None:
    """Take a pack's share of its order off the account that the order counts in, or put it there again."""
    place = past.memory(key) & ANCHOR_MASK
    if place not in orders:
        orders[place] = _shares(past, place)
    shares = orders[place]
    if shares is not None and subject in shares.places:
        fen = shares.of(subject)
        _put(past, shares.person, shares.year, Decimal(-fen if back else fen).scaleb(-2, _EXACT).normalize(_EXACT))


def _put(past: Past[Key_contra], person: bytes, year: int, yuan: Decimal) -> None:
    past.put_spent(person, year, _EXACT.add(past.spent(person, year), yuan))


def _received(header: bytes) -> int:
    """The receipt time of an entry, ms, of its header."""
    return int.from_bytes(header[8:16], "big")


def _event(content: bytes) -> Event | None:
    """The event of a content, None where it is a record's."""
    try:
        return encoding.decode(content)
    except TracechainError:
        return None


def _same(declared: Event, stated: Event) -> bool:
    """Whether an event declared in error is the one that was stated, its place apart."""
    return (
        type(declared) is type(stated)
        and declared.event_time == stated.event_time
        and declared.biz_step == stated.biz_step
        and getattr(declared, "action", None) == getattr(stated, "action", None)
        and declared.person == stated.person
        and declared.biz_transactions == stated.biz_transactions
        and amount(declared) == amount(stated)
    )


def _moves(act: int) -> bool:
    """Whether an act can change a pack's state at all."""
    rule = custody.RULES.get(act & ACT_MASK)  # type: ignore[call-overload]  # an Act is an int
    return rule is not None and bool(rule.moves or rule.sets or rule.clears)


def _made_of(event: Event, number: int, act: int, sources: _Sources) -> tuple[int, ...]:
    """What a new code breaks for what it was made of (S0: relabelling under bond)."""
    codes: set[int] = set()
    # A label more than there are packs would be a code from nowhere.
    if sources.broken or (number == Act.RELABEL_NEW and sources.labels > sources.packs):
        codes.add(_V.NOT_UNDER_BOND)
    if number == Act.RELABEL_NEW:
        if not sources.days <= {0, act >> 8}:
            codes.add(_V.EXPIRY_MISMATCH)
        lot = label(event, LOT)
        if lot is not None and not sources.lots <= {0, lot_check(lot)}:
            codes.add(_V.LOT_MISMATCH)
    return tuple(codes)
