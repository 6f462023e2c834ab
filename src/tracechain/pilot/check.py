"""What recording an event now would come to, before anybody does it: the question that a till asks before a sale.

Nothing is written. The answer is that of the very rules that ingest applies (the table of `custody`, the judge of
`rules`), over a View, so a check on a live snapshot, on a bundle and on a replay agree with each other and with what
the ledger would record.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import field, frozen

from tracechain import custody, identifiers
from tracechain.custody import CUSTODY_MASK, PILOT, PLAIN, Act, Custody, Flag, PackState, Violation
from tracechain.entry import SALT_SIZE, parse_header
from tracechain.errors import DataError, InputError
from tracechain.event import Event, ObjectEvent
from tracechain.event.sale import CUSTOMS_CLEARING, destination, source
from tracechain.pilot.hints import known_like
from tracechain.pilot.register import standing_of
from tracechain.pilot.rows import lawful_rows, row_at
from tracechain.registers import Carrier, Merchant, Place, Product, Scope
from tracechain.rules import Anchor, Judge, Standing, clause_of
from tracechain.rules.guards import ANCHOR_MASK, Pack, class_of, place_at
from tracechain.rules.recalled import covering
from tracechain.view import View

__all__ = ["Finding", "SubjectVerdict", "Verdict", "ViewPast", "check", "check_code", "plain_event"]

_V = Violation
_BEIJING = 480


@frozen
class Finding:
    """One rule that the event would break for a subject.

    `code` and `name` are the violation's, `clause` where the rule stands, `words` what it means, `what_to_do` then.
    `near` are known codes that an unknown one may be meant to be, likeliest first. `entry` is the log entry that is in
    the way (the first sale, the recall, the suspension) and `time` its receipt (ms), None where there is none.
    """

    code: int
    name: str
    clause: str
    words: str
    what_to_do: str
    near: tuple[str, ...] = ()
    entry: int | None = None
    time: int | None = None

    @property
    def hint(self) -> str:
        """What to say beside the words: the nearest known codes, or the entry in the way; '' for neither."""
        if self.near:
            return f"did you mean {' or '.join(self.near)}?"
        return "" if self.entry is None else f"see entry {self.entry}"


@frozen
class SubjectVerdict:
    """What the event would do to one subject: its `act`, the states `before` and `after`, and what it breaks."""

    subject: str
    act: int
    before: PackState
    after: PackState
    findings: tuple[Finding, ...] = ()


@frozen
class Verdict:
    """What an event would come to, subject by subject, in order of their ids. True if no rule is broken.

    `rule_set` says by which rules: 1 in a ledger without a profile, where nothing but dead codes is noticed.
    """

    subjects: tuple[SubjectVerdict, ...]
    rule_set: int = PILOT

    def __bool__(self) -> bool:
        return not any(one.findings for one in self.subjects)

    @property
    def findings(self) -> tuple[tuple[str, Finding], ...]:
        """(subject, finding) of everything that is broken."""
        return tuple((one.subject, finding) for one in self.subjects for finding in one.findings)


class ViewPast:
    """The past of a question: rules.Past over a View. What the event would leave is kept here and forgotten."""

    __slots__ = ("_memories", "_spent", "_view", "anchors")

    def __init__(self, view: View) -> None:
        self._view = view
        self.anchors: dict[int, Anchor | None] = {}
        self._memories: dict[str, int] = {}
        self._spent: dict[tuple[bytes, int], Decimal] = {}

    def memory(self, key: str) -> int:
        """The memory of a pack."""
        found = self._memories.get(key)
        return self._view.memory(key) if found is None else found

    def remember(self, key: str, memory: int) -> None:
        """Change it, here alone."""
        self._memories[key] = memory

    def stated(self, index: int) -> tuple[bytes, bytes | None]:
        """Header and content of an earlier entry."""
        part = self._view.content(index)
        return self._view.header(index) or bytes(128), None if part is None else part[SALT_SIZE:]

    def former(self, subject: str, key: str, last: int) -> int | None:  # noqa: ARG002  # Past's; keys are the subjects
        """The state of a pack before its latest entry, from the rows."""
        row = row_at(self._view, last, subject)
        if row is None or row.previous is None:
            return None if row is None else 0
        before = row_at(self._view, row.previous, subject)
        return None if before is None else before.state

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to."""
        found = self._spent.get((person, year))
        return self._view.spent(person, year) if found is None else found

    def put_spent(self, person: bytes, year: int, yuan: Decimal) -> None:
        """Change it, here alone."""
        self._spent[person, year] = yuan


def check(view: View, event: Event, now: int, *, standing: Standing | None = None, author: bytes = bytes(8)) -> Verdict:
    """What recording `event` at `now` (ms) would come to.

    `author` is the id (8 bytes) of the key that would state it: it decides whether an event may be taken back.
    `standing` (of `standing_of`, over a view with the same registers) is worth keeping where many are asked: with it
    and a snapshot that stays open a check takes some 20 us. InputError for a state that these rules do not know.
    """
    registers = standing_of(view) if standing is None else standing
    rule_set = PLAIN if registers.profile is None else PILOT
    acts = custody.acts(event, rule_set)
    befores = []
    for subject, _ in acts:
        unit = view.unit(subject)
        befores.append((0, 0) if unit is None else (unit.state, unit.last + 1))
    outcomes = [custody.step(state, act, rule_set) for (_, act), (state, _) in zip(acts, befores, strict=True)]
    if rule_set == PILOT:
        judge = Judge(registers, ViewPast(view), now, author)
        outcomes = judge.entry(view.size, event, acts, [subject for subject, _ in acts], befores, outcomes)
    case = _Asked(view, registers, event)
    return Verdict(
        tuple([
            SubjectVerdict(
                subject,
                act & custody.ACT_MASK,
                custody.unpack_state(state),
                custody.unpack_state(after),
                tuple([_finding(case, code, subject, last - 1) for code in codes]) if codes else (),
            )
            for (subject, act), (state, last), (after, codes) in zip(acts, befores, outcomes, strict=True)
        ]),
        rule_set,
    )  # fmt: skip


#: Events of one code that need nothing beside it, by the names of docs/scan-files.md: (action, step, disposition).
_PLAIN: dict[str, tuple[Any, str, str | None]] = {
    "ship": ("OBSERVE", "shipping", "in_transit"),
    "bond_in": ("OBSERVE", "storing", "sellable_not_accessible"),
    "clear": ("OBSERVE", CUSTOMS_CLEARING, "in_progress"),
    "sell": ("OBSERVE", "retail_selling", "retail_sold"),
    "deliver": ("OBSERVE", "dispensing", "dispensed"),
    "pickup": ("OBSERVE", "dispensing", "dispensed"),
    "return_in": ("OBSERVE", "receiving", "returned"),
    "release": ("OBSERVE", "holding", "sellable_not_accessible"),
    "repair": ("OBSERVE", "repairing", "in_progress"),
    "export": ("DELETE", "shipping", "inactive"),
    "destroy": ("DELETE", "destroying", "destroyed"),
}


def plain_event(code: str, name: str, now: int, place: str | None = None) -> ObjectEvent:
    """The event of one code (any spelling) at `now` (ms), and `place` (a canonical id), under its scan event name.

    CodeError for what is no code, InputError for a name that needs more than a code: build that event and `check` it.
    """
    try:
        action, step, disposition = _PLAIN[name]
    except KeyError:
        raise InputError(
            f"{name!r} is no event of a code alone: there are {', '.join(_PLAIN)}; build any other and use check"
        ) from None
    return ObjectEvent(
        event_time=now * 1_000_000,
        time_zone_offset=_BEIJING,
        epcs=(identifiers.canonical(code),),
        action=action,
        biz_step=step,
        disposition=disposition,
        read_point=place,
        biz_location=place,
    )


def check_code(
    view: View, code: str, name: str = "sell", *, now: int, place: str | None = None, standing: Standing | None = None
) -> Verdict:
    """`check` of one code (any spelling): may it be sold now?"""
    return check(view, plain_event(code, name, now, place), now, standing=standing)


# ---- what is in the way --------------------------------------------------------------------------


@frozen
class _Asked:
    """The event that is asked about; what several findings look up is found once."""

    view: View
    standing: Standing
    event: Event
    _near: dict[str, tuple[str, ...]] = field(factory=dict)

    def near(self, subject: str) -> tuple[str, ...]:
        """Known codes like an unknown one."""
        if subject not in self._near:
            self._near[subject] = known_like(self.view, subject)
        return self._near[subject]

    def of_register(self, kind: str, name: str | None) -> Any:
        """Where a register subject stands, None for no name."""
        return None if name is None else self.standing.find(kind, name)


def _finding(case: _Asked, code: int, subject: str, last: int) -> Finding:
    """A violation in words, with what is in the way; `last` is the index of the subject's latest entry, or -1."""
    clause = clause_of(code)
    entry = _in_the_way(case, code, subject, last)
    time = None
    if entry is not None:
        header = case.view.header(entry)
        if header is None:
            raise DataError(f"entry {entry}: its header is missing; verify the ledger")
        time = parse_header(header).time
    return Finding(
        code,
        custody.describe(code),
        clause.clause,
        clause.words,
        clause.what_to_do,
        case.near(subject) if code == _V.UNKNOWN_CODE else (),
        entry,
        time,
    )


#: Violations that an earlier entry of the same pack explains, by what that entry did.
_BY_ACT: dict[int, frozenset[int]] = {
    _V.ALREADY_COMMISSIONED: frozenset((Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE)),
    _V.LOT_MISMATCH: frozenset((Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE)),
    _V.EXPIRY_MISMATCH: frozenset((Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE)),
    _V.EXPIRED_LOCK: frozenset((Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE)),
    _V.SECONDARY_SALE: frozenset((Act.SELL, Act.SELL_PART)),
    _V.HELD: frozenset((Act.HOLD,)),
    _V.RECALLED: frozenset((Act.RECALL,)),
    _V.UNDO_RECALLED: frozenset((Act.RECALL,)),
    _V.STOLEN: frozenset((Act.STEAL,)),
    _V.UNDO_STOLEN: frozenset((Act.STEAL,)),
    _V.UNDO_SUPPLIED: frozenset((Act.DISPENSE, Act.DISPENSE_PART)),
}
#: Violations that the anchor of the pack explains: its order, then its delivery, or its export.
_BY_ANCHOR = frozenset((_V.THREE_DOC, _V.LIMIT, _V.WRONG_BUYER, _V.RETURN_LATE, _V.EXPORT_RETURN_LATE))
#: Violations that its latest entry explains.
_BY_LAST = frozenset((_V.UNDO_MISMATCH, _V.UNDO_LATE, _V.UNDO_ACTOR, _V.UNDO_PLACE, _V.UNDO_EXPIRED))
#: Violations that the entry explains that brought the pack to where it is.
_BY_CUSTODY = frozenset((
    _V.DEAD_PACK, _V.CUSTODY, _V.SOLD_BEFORE_CLEARANCE, _V.UNVERIFIED_RETURN, _V.NOT_ORIGINAL, _V.NOT_UNDER_BOND,
))  # fmt: skip


def _in_the_way(case: _Asked, code: int, subject: str, last: int) -> int | None:
    """The entry that explains a violation, None where there is none."""
    if code in _BY_ANCHOR:
        anchor = case.view.memory(subject) & ANCHOR_MASK
        return anchor - 1 if anchor else None
    if code in _BY_LAST:
        return last if last >= 0 else None
    if code == _V.RECALLED and (opened := _open_recall(case, subject)) is not None:
        return opened
    if code in _BY_ACT:
        wanted = _BY_ACT[code]
        return next(
            (i for i, row in lawful_rows(case.view, subject, last) if row.act & custody.ACT_MASK in wanted), None
        )
    if code in _BY_CUSTODY:
        return _brought(case.view, subject, last)
    return _registered(case, code, subject)


def _open_recall(case: _Asked, subject: str) -> int | None:
    """The entry that opened the recall which covers a pack that is not flagged."""
    unit = case.view.unit(subject)
    state = 0 if unit is None else unit.state
    if state & Flag.RECALLED:
        return None
    pack = Pack(case.view.memory, lambda _: None)
    pack.set(subject, state, subject)
    name = covering(case.standing, case.event, pack)
    return None if name is None else case.standing.opened[name]


def _brought(view: View, subject: str, last: int) -> int | None:
    """The entry from which on the subject was where it is now."""
    entry: int | None = None
    now: int | None = None
    for index, row in lawful_rows(view, subject, last):
        if now is None:
            now = row.state & CUSTODY_MASK
        if row.state & CUSTODY_MASK != now or now == Custody.NONE:
            break
        entry = index
    return entry


def _registered(case: _Asked, code: int, subject: str) -> int | None:
    """The entry of a register that explains a violation."""
    product = case.of_register(Product.KIND, class_of(subject))
    file: Product | None = None if product is None else product.value
    merchant = None if file is None else case.of_register(Merchant.KIND, file.merchant)
    found: int | None = None
    match code:
        case _V.SERVICE_STOPPED:
            enterprise = None if case.standing.profile is None else case.standing.profile.enterprise
            at = (case.of_register("enterprise", enterprise), product, merchant)
            found = next((one.stopped for one in at if one is not None and one.stopped is not None), None)
        case _V.MERCHANT_SUSPENDED:
            found = None if merchant is None else merchant.suspended
        case _V.PRODUCT_BARRED if product is not None:
            found = product.index
        case _V.SCOPE if file is not None:
            scope = case.of_register(Scope.KIND, file.scope)
            found = None if scope is None else scope.index
        case _V.CARRIER_UNASSESSED:
            carrier = case.of_register(Carrier.KIND, source(case.event, "possessing_party"))
            found = None if carrier is None else carrier.index
        case _V.ZONE | _V.PLACE_UNREGISTERED | _V.OFFLINE_PICKUP_UNLICENSED:
            found = _place(case)
    return found


def _place(case: _Asked) -> int | None:
    """The entry of the first place that the event names and the register knows: where it goes, then where it is."""
    event = case.event
    for name in (destination(event, "location", "possessing_party"), event.read_point, event.biz_location):
        place = place_at(case.standing, name)
        if place is not None:
            registered = case.standing.find(Place.KIND, place.id)
            return None if registered is None else registered.index
    return None
