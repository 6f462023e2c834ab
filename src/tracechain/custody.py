"""What an event does to the state of a subject: the rules, as one table (docs/format.md section 7.1, docs/custody.md).

Everything that affects the state machine lives in this file; ingest, rebuild, replay, verification and the
documentation read it. Two sets of rules:

    PLAIN (1)  a subject is seen, is active, and is gone; for a ledger without a profile
    PILOT (2)  the pack state machine of the Beijing pilot; from the entry after the first `profile` record on

An act that breaks a rule leaves the state alone and is kept with its violations: a fact is never dropped. What
follows from state and act alone is in the tables here. What also depends on registers, buyers, dates or other entries
(the violations in CONTEXTUAL) is judged by `tracechain.rules`, which can only add violations.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType

from attrs import field, frozen

from tracechain.errors import InputError
from tracechain.event import (
    Event,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
    ilmd_value,
    subjects,
)
from tracechain.event.sale import CUSTOMS_CLEARING, EXPORT_RETURN_DOCUMENT

__all__ = [
    "ACT_MASK",
    "CONTEXTUAL",
    "CUSTODY_MASK",
    "DAY_ZERO",
    "EXPIRY_SHIFT",
    "PACKING",
    "PILOT",
    "PILOT_TABLE",
    "PLAIN",
    "PLAIN_TABLE",
    "RULES",
    "TABLES",
    "Act",
    "Custody",
    "Flag",
    "Outcome",
    "PackState",
    "Rule",
    "Violation",
    "acts",
    "agrees",
    "describe",
    "expiry_day",
    "is_pack",
    "step",
    "unpack_state",
]

PLAIN = 1
PILOT = 2


class Custody(IntEnum):
    """The custody a subject is in (domain.md section 3); 0 is what nobody has seen."""

    NONE = 0
    ACTIVE = 1
    DEAD = 2
    TRANSIT = 3
    BONDED = 4
    RESERVED = 5
    CLEARED = 6
    STORE = 7
    SOLD = 8
    DELIVERED = 9
    RETURNED = 10
    REWORK = 11
    EXPORTED = 12


class Flag(IntEnum):
    """What is true of a pack beside its custody, as bits of its state.

    CONFORMANT (it passed inspection) is kept while it is RETURNED, PAID while it is RESERVED; the others stay.
    """

    HELD = 1 << 4
    RECALLED = 1 << 5
    STOLEN = 1 << 6
    CONFORMANT = 1 << 7
    PAID = 1 << 8


CUSTODY_MASK = 0xF
#: The expiry date of a pack is kept in its state, in days since 2000-01-01; 0 is unknown. 15 bits reach 2089.
EXPIRY_SHIFT = 9
EXPIRY_MOST = (1 << 15) - 1
DAY_ZERO = date(2000, 1, 1)
LASTING = Flag.HELD | Flag.RECALLED | Flag.STOLEN | (EXPIRY_MOST << EXPIRY_SHIFT)


class Act(IntEnum):
    """What an event does to one of its subjects. COMMISSION, RELABEL_NEW and PRODUCE carry the expiry day above
    their number (act + 256 x day)."""

    #: Of anything that is no pack; with PLAIN rules, of packs too.
    SEE = 0
    END = 1
    #: The subject of a record; with PLAIN rules, and of what is no pack, of an event declared an error too.
    NOTE = 2
    #: Of packs, with PILOT rules.
    OBSERVE = 3
    COMMISSION = 4
    SHIP = 5
    BOND_IN = 6
    RESERVE = 7
    CANCEL = 8
    CLEAR = 9
    SELL = 10
    SELL_PART = 11
    DISPENSE = 12
    DISPENSE_PART = 13
    RETURN_IN = 14
    EXPORT_RETURN = 15
    CONFORM = 16
    REJECT = 17
    HOLD = 18
    RELEASE = 19
    RECALL = 20
    STEAL = 21
    REPAIR = 22
    RELABEL_OLD = 23
    RELABEL_NEW = 24
    CONSUME = 25
    PRODUCE = 26
    EXPORT = 27
    DESTROY = 28
    UNDO = 29
    APPLY_RETURN = 30


ACT_MASK = 0xFF


class Violation(IntEnum):
    """Rules an event can break; the numbers stand in rows and never change."""

    DEAD_PACK = 1
    UNKNOWN_CODE = 2
    ALREADY_COMMISSIONED = 3
    CUSTODY = 4
    SOLD_BEFORE_CLEARANCE = 5
    SECONDARY_SALE = 6
    THREE_DOC = 7
    HELD = 8
    RECALLED = 9
    STOLEN = 10
    UNVERIFIED_RETURN = 11
    NOT_ORIGINAL = 12
    NOT_UNDER_BOND = 13
    OFFLINE_PICKUP_UNLICENSED = 14
    ZONE = 15
    NON_CONSUMER = 16
    SCOPE = 17
    MERCHANT_SUSPENDED = 18
    LIMIT = 19
    EXPIRED_LOCK = 20
    WRONG_BUYER = 21
    RETURN_LATE = 22
    EXPORT_RETURN_LATE = 23
    LOT_MISMATCH = 24
    EXPIRY_MISMATCH = 25
    UNDO_MISMATCH = 26
    UNDO_LATE = 27
    UNDO_ACTOR = 28
    UNDO_PLACE = 29
    UNDO_EXPIRED = 30
    UNDO_RECALLED = 31
    UNDO_STOLEN = 32
    UNDO_SUPPLIED = 33
    PRODUCT_UNREGISTERED = 34
    PRODUCT_BARRED = 35
    PLACE_UNREGISTERED = 36
    CARRIER_UNASSESSED = 37
    PLATFORM_SELLS = 38
    SERVICE_STOPPED = 39
    ALREADY_PACKED = 40
    PACKING_CYCLE = 41
    NOT_PACKED = 42


_V, _C = Violation, Custody

#: What is packed where it cannot be: judged under both sets of rules, of packs as of containers.
PACKING = frozenset(map(int, (_V.ALREADY_PACKED, _V.PACKING_CYCLE, _V.NOT_PACKED)))
#: Rule set -> violations that need more than state and act: what `rules` judges. A verifier of single rows takes the
#: ledger's word for them, and a replay does not.
CONTEXTUAL: Mapping[int, frozenset[int]] = MappingProxyType({
    PLAIN: PACKING,
    PILOT: frozenset(int(v) for v in Violation if v >= _V.ZONE)
    | {int(_V.OFFLINE_PICKUP_UNLICENSED), int(_V.THREE_DOC), int(_V.NOT_UNDER_BOND), int(_V.RECALLED)},
})  # fmt: skip


# ---- the pack state machine --------------------------------------------------------------------


def _live(*but: Custody) -> frozenset[Custody]:
    return frozenset(c for c in Custody if c not in (_C.NONE, _C.DEAD, *but))


@frozen
class Rule:
    """What one act does: `moves` from custody to custody, `breaks` says what it is called elsewhere.

    `otherwise` is the violation in every custody that is in neither; None where the act is allowed anywhere and moves
    nothing. `guarded`: not while held, recalled or stolen. `sets` and `clears` are flags.
    """

    clause: str
    moves: Mapping[Custody, Custody] = field(factory=dict)
    breaks: Mapping[Custody, Violation] = field(factory=dict)
    otherwise: Violation | None = _V.CUSTODY
    guarded: bool = False
    sets: int = 0
    clears: int = 0


def _into(target: Custody, *sources: Custody) -> dict[Custody, Custody]:
    return dict.fromkeys(sources, target)


_NEW = dict.fromkeys(_live(), _V.ALREADY_COMMISSIONED) | {_C.DEAD: _V.ALREADY_COMMISSIONED}
_UNSOLD = dict.fromkeys(
    (_C.ACTIVE, _C.TRANSIT, _C.BONDED, _C.RESERVED, _C.RETURNED, _C.REWORK), _V.SOLD_BEFORE_CLEARANCE
)
_UNPAID = dict.fromkeys((_C.BONDED, _C.RESERVED, _C.CLEARED), _V.OFFLINE_PICKUP_UNLICENSED)
_AGAIN = dict.fromkeys((_C.SOLD, _C.DELIVERED), _V.SECONDARY_SALE)

#: The pack state machine: act -> rule. Of a pack that is NONE the violation is UNKNOWN_CODE, of a DEAD one DEAD_PACK,
#: unless the rule says otherwise.
RULES: Mapping[Act, Rule] = MappingProxyType({
    Act.OBSERVE: Rule("S1 V: source and whereabouts", otherwise=None),
    Act.COMMISSION: Rule("S1 V: one object, one code", _into(_C.ACTIVE, _C.NONE), _NEW),
    Act.SHIP: Rule(
        "S1 VI; store transfer: S4 Part 2",
        _into(_C.TRANSIT, _C.ACTIVE, _C.TRANSIT) | _into(_C.STORE, _C.CLEARED, _C.SOLD, _C.STORE),
        guarded=True,
    ),
    Act.BOND_IN: Rule("S1 VI; S2", _into(_C.BONDED, _C.ACTIVE, _C.TRANSIT, _C.REWORK)),
    Act.RESERVE: Rule("S1 IV(1), III(1)3", _into(_C.RESERVED, _C.BONDED, _C.RESERVED), guarded=True),
    Act.CANCEL: Rule("S1 III(1)3", _into(_C.BONDED, _C.RESERVED)),
    Act.CLEAR: Rule("S2; three documents agree [practice]", _into(_C.CLEARED, _C.RESERVED), guarded=True),
    Act.SELL: Rule("S1 III, V, VI", _into(_C.SOLD, _C.CLEARED), _UNSOLD | _AGAIN, guarded=True),
    Act.SELL_PART: Rule(
        "S1 V; a pack sold in parts",
        _into(_C.SOLD, _C.CLEARED, _C.SOLD) | _into(_C.DELIVERED, _C.DELIVERED),
        _UNSOLD,
        guarded=True,
    ),
    Act.DISPENSE: Rule("S1 VI; S2; S4 Part 2", _into(_C.DELIVERED, _C.STORE, _C.SOLD), _UNPAID, guarded=True),
    Act.DISPENSE_PART: Rule(
        "S1 VI; a pack sold in parts",
        _into(_C.DELIVERED, _C.STORE, _C.SOLD, _C.DELIVERED),
        _UNPAID,
        guarded=True,
    ),
    Act.APPLY_RETURN: Rule(
        "S3; within 30 days [practice]",
        _into(_C.SOLD, _C.SOLD) | _into(_C.STORE, _C.STORE) | _into(_C.DELIVERED, _C.DELIVERED),
    ),
    Act.RETURN_IN: Rule("S3; S0", _into(_C.RETURNED, _C.SOLD, _C.STORE, _C.DELIVERED, _C.EXPORTED)),
    Act.EXPORT_RETURN: Rule(
        "S0: original goods", _into(_C.RETURNED, _C.EXPORTED), {_C.NONE: _V.NOT_ORIGINAL, _C.DEAD: _V.NOT_ORIGINAL},
        _V.NOT_ORIGINAL,
    ),
    Act.CONFORM: Rule("S3: inspected", otherwise=None, sets=Flag.CONFORMANT),
    Act.REJECT: Rule("S3: inspected", otherwise=None, clears=Flag.CONFORMANT),
    Act.HOLD: Rule("S1 IV(3), VIII(2)", otherwise=None, sets=Flag.HELD),
    # A hold is released first, whatever the custody; what is not held was returned.
    Act.RELEASE: Rule("S3: release after return", _into(_C.BONDED, _C.RETURNED), guarded=True),
    Act.RECALL: Rule("S1 V, III(1)5", otherwise=None, sets=Flag.RECALLED),
    Act.STEAL: Rule("S1 V: kept out of circulation", otherwise=None, sets=Flag.STOLEN),
    Act.REPAIR: Rule("S0: under bond", _into(_C.REWORK, _C.RETURNED, _C.BONDED), otherwise=_V.NOT_UNDER_BOND),
    # Guarded, for a new code has no flags: else a recalled pack would be a sound one under another label.
    Act.RELABEL_OLD: Rule(
        "S0: under bond",
        _into(_C.DEAD, _C.RETURNED, _C.BONDED, _C.REWORK),
        otherwise=_V.NOT_UNDER_BOND,
        guarded=True,
    ),
    Act.RELABEL_NEW: Rule("S0: under bond", _into(_C.REWORK, _C.NONE), _NEW),
    Act.CONSUME: Rule(
        "S1 V: abroad", _into(_C.DEAD, _C.ACTIVE, _C.TRANSIT), otherwise=_V.NOT_UNDER_BOND, guarded=True
    ),
    Act.PRODUCE: Rule("S1 V: abroad", _into(_C.ACTIVE, _C.NONE), _NEW),
    Act.EXPORT: Rule("S0; S3", _into(_C.EXPORTED, _C.BONDED, _C.REWORK)),
    Act.DESTROY: Rule("S1 VI", dict.fromkeys(_live(), _C.DEAD)),
    # What it restores is in the entries before: `rules` judges it.
    Act.UNDO: Rule("EU 2016/161 art. 13", otherwise=None),
})  # fmt: skip

Outcome = tuple[int, tuple[int, ...]]


class _Table(dict[tuple[int, int], Outcome]):
    """(state before, act) -> (state after, violations). Plain ints: the hot path looks up one key a row.

    States hold expiry dates, so the cells that are asked for are worked out once and kept; KeyError for a state or act
    that the rules do not know.
    """

    _MOST = 1 << 20

    def __missing__(self, key: tuple[int, int]) -> Outcome:
        outcome = _pilot(*key)
        if len(self) >= self._MOST:
            self.clear()
        self[key] = outcome
        return outcome


_SEEN: Outcome = (int(_C.ACTIVE), ())
_ENDED: Outcome = (int(_C.DEAD), ())
_GONE: Outcome = (int(_C.DEAD), (int(_V.DEAD_PACK),))

PLAIN_TABLE: dict[tuple[int, int], Outcome] = {
    (_C.NONE, Act.SEE): _SEEN,
    (_C.ACTIVE, Act.SEE): _SEEN,
    (_C.DEAD, Act.SEE): _GONE,
    (_C.NONE, Act.END): _ENDED,
    (_C.ACTIVE, Act.END): _ENDED,
    (_C.DEAD, Act.END): _GONE,
    (_C.NONE, Act.NOTE): (int(_C.NONE), ()),
    (_C.ACTIVE, Act.NOTE): _SEEN,
    (_C.DEAD, Act.NOTE): (int(_C.DEAD), ()),
}


def _pilot(state: int, act: int) -> Outcome:
    """One cell of the pilot's table."""
    custody = state & CUSTODY_MASK
    if custody > _C.EXPORTED or not 0 <= state < 1 << 24:
        raise KeyError((state, act))
    if act == Act.NOTE:
        return state, ()
    if act in (Act.SEE, Act.END):
        return PLAIN_TABLE[state, act]
    number, day = act & ACT_MASK, act >> 8
    rule = RULES.get(number)  # type: ignore[call-overload]  # an Act is an int, and finds its rule
    if rule is None or (day and number not in (Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE)) or day > EXPIRY_MOST:
        raise KeyError((state, act))
    if number == Act.RELEASE and state & Flag.HELD:
        return state & ~Flag.HELD, ()
    codes = _codes(rule, number, state)
    if codes:
        return state, codes
    after = rule.moves.get(custody, custody)
    if after != custody:
        state = state & LASTING | after
        if custody == _C.NONE:
            state = after | day << EXPIRY_SHIFT
    elif number == Act.RESERVE:
        state |= Flag.PAID
    elif number != Act.CONFORM or custody == _C.RETURNED:
        state = (state | rule.sets) & ~rule.clears
    return state, ()


def _codes(rule: Rule, number: int, state: int) -> tuple[int, ...]:
    """The violations of an act in a state, ascending."""
    custody = Custody(state & CUSTODY_MASK)
    codes: set[int] = set()
    if custody in rule.breaks:
        codes.add(rule.breaks[custody])
    if custody == _C.NONE and custody not in rule.moves and number != Act.UNDO:
        codes.add(_V.UNKNOWN_CODE)
    elif custody == _C.DEAD and custody not in rule.breaks and number != Act.UNDO:
        codes.add(_V.DEAD_PACK)
    elif custody not in rule.moves and custody not in rule.breaks and rule.otherwise is not None:
        codes.add(rule.otherwise)
    if number == Act.RELEASE and custody == _C.RETURNED and not state & Flag.CONFORMANT:
        codes.add(_V.UNVERIFIED_RETURN)
    if number == Act.CLEAR and custody == _C.RESERVED and not state & Flag.PAID:
        codes.add(_V.THREE_DOC)
    if rule.guarded and not (number == Act.SHIP and custody in (_C.ACTIVE, _C.TRANSIT)):
        codes.update(code for flag, code in _FLAGGED if state & flag)
    return tuple(sorted(map(int, codes)))


_FLAGGED = ((Flag.HELD, _V.HELD), (Flag.RECALLED, _V.RECALLED), (Flag.STOLEN, _V.STOLEN))

PILOT_TABLE: dict[tuple[int, int], Outcome] = _Table()
#: Rule set -> table. A verifier that meets another rule set says that states were not checked.
TABLES: Mapping[int, dict[tuple[int, int], Outcome]] = MappingProxyType({PLAIN: PLAIN_TABLE, PILOT: PILOT_TABLE})


def step(state: int, act: int, rule_set: int = PLAIN) -> Outcome:
    """The state after an act, and the violations it is kept with, as far as state and act tell."""
    try:
        return TABLES[rule_set][state, act]
    except KeyError:
        raise InputError(f"rule set {rule_set} knows no state {state} or no act {act}") from None


def agrees(rule_set: int, before: int, act: int, after: int, codes: tuple[int, ...]) -> tuple[bool, bool]:
    """Whether what a row says (state, violations) can follow from where its subject stood.

    Violations that depend on more than state and act are taken as they are. So is the state that an UNDO without
    violations restores. KeyError for a state or act that the rules do not know.
    """
    state, expected = TABLES[rule_set][before, act]
    if not codes:
        undone = rule_set == PILOT and act == Act.UNDO
        return undone or after == state, not expected
    more = set(codes) - set(expected)
    return after == before, CONTEXTUAL[rule_set].issuperset(more) and set(expected) <= set(codes)


# ---- from events to acts -----------------------------------------------------------------------


_NMPA_LENGTH = len("nmpa/") + 20


def is_pack(subject: str) -> bool:
    """Whether a subject is a minimal packaging unit: a serialised GTIN, or an NMPA traceability code.

    In the spellings of other standards too, though no reader of a file leaves them so: else who states events of his
    own could sell a known pack under a name that nobody knows, and it would be no pack.
    """
    return (
        (subject.startswith("01/") and "/21/" in subject)
        or (subject.startswith("nmpa/") and len(subject) == _NMPA_LENGTH)  # nmpa/ and 7 digits is a product
        or subject.startswith("urn:epc:id:sgtin:")
        or (subject.startswith(("https://", "http://")) and "/01/" in subject and "/21/" in subject)
    )


_OBJECT_STEPS: dict[tuple[str, str | None], Act | dict[str | None, Act]] = {
    ("OBSERVE", "shipping"): Act.SHIP,
    ("OBSERVE", "storing"): {"sellable_not_accessible": Act.BOND_IN},
    ("OBSERVE", CUSTOMS_CLEARING): Act.CLEAR,
    ("OBSERVE", "retail_selling"): {"partially_dispensed": Act.SELL_PART, None: Act.SELL},
    ("OBSERVE", "dispensing"): {"partially_dispensed": Act.DISPENSE_PART, None: Act.DISPENSE},
    ("OBSERVE", "receiving"): {"returned": Act.RETURN_IN},
    ("OBSERVE", "inspecting"): {"conformant": Act.CONFORM, "non_conformant": Act.REJECT},
    # A hold ends with the disposition that the pack had before; whatever else is said, damaged or nothing, it is held.
    ("OBSERVE", "holding"): {
        "recalled": Act.RECALL, "sellable_not_accessible": Act.RELEASE, "sellable_accessible": Act.RELEASE,
        "returned": Act.RELEASE, "available": Act.RELEASE, "active": Act.RELEASE, "in_progress": Act.RELEASE,
        "in_transit": Act.RELEASE, "reserved": Act.RELEASE, "retail_sold": Act.RELEASE, "dispensed": Act.RELEASE,
        None: Act.HOLD,
    },
    ("OBSERVE", "removing"): {"stolen": Act.STEAL},
    ("OBSERVE", "repairing"): Act.REPAIR,
    ("DELETE", "shipping"): Act.EXPORT,
    # Some say so that a code is done with; it is a sale all the same, and judged as one.
    ("DELETE", "retail_selling"): {"partially_dispensed": Act.SELL_PART, None: Act.SELL},
    ("DELETE", "dispensing"): {"partially_dispensed": Act.DISPENSE_PART, None: Act.DISPENSE},
}  # fmt: skip


@lru_cache(maxsize=4096)
def _object_act(action: str, biz_step: str | None, disposition: str | None) -> int:
    """What an Object event does to a pack."""
    if action == "ADD":
        return int(Act.COMMISSION)
    found = _OBJECT_STEPS.get((action, biz_step), Act.DESTROY if action == "DELETE" else Act.OBSERVE)
    if isinstance(found, dict):
        # None stands for every other disposition.
        found = found.get(disposition, found.get(None, Act.OBSERVE))
    return int(found)


def expiry_day(text: object) -> int:
    """Days since 2000-01-01 of a text that begins with a date, YYYY-MM-DD; 0 where it does not.

    A date before the first day is the first, one after the last that fits the last: what is stated is never unknown.
    """
    if not isinstance(text, str) or text[4:5] != "-" or text[7:8] != "-":
        return 0  # fromisoformat would also take 20280630 and 2028-W26-5
    try:
        day = (date.fromisoformat(text[:10]) - DAY_ZERO).days
    except ValueError:
        return 0
    return min(max(day, 1), EXPIRY_MOST)


def acts(event: Event, rule_set: int = PLAIN) -> tuple[tuple[str, int], ...]:
    """The subjects of an event with what it does to each, in row order (format.md sections 7 and 7.1)."""
    kind = type(event)
    epcs = event.epcs
    if isinstance(event, ObjectEvent) and event.error_declaration is None and not event.quantities:
        # The usual scan, in the ingest loop: nothing but units.
        other = 1 if event.action == "DELETE" else 0  # Act.END, Act.SEE
        if rule_set == PLAIN:
            return ((epcs[0], other),) if len(epcs) == 1 else tuple([(epc, other) for epc in epcs])
        said_more = event.ilmd or event.biz_transactions
        act = _epc_act(event) if said_more else _object_act(event.action, event.biz_step, event.disposition)
        return tuple([(epc, act if is_pack(epc) else other) for epc in epcs])
    if (
        isinstance(event, TransactionEvent)
        and event.parent is None
        and event.error_declaration is None
        and not event.quantities
    ):
        act = 0 if rule_set == PLAIN else _epc_act(event)
        return tuple([(epc, act if is_pack(epc) else 0) for epc in epcs])
    if event.error_declaration is not None:
        undo = int(Act.UNDO if rule_set == PILOT else Act.NOTE)
        return tuple((s, undo if is_pack(s) else int(Act.NOTE)) for s in subjects(event))
    ends = kind is TransformationEvent or (isinstance(event, ObjectEvent) and event.action == "DELETE")
    ended = frozenset(epcs if ends else ())
    plain = ((s, int(Act.END if s in ended else Act.SEE)) for s in subjects(event))
    if rule_set == PLAIN:
        return tuple(plain)
    act, inside = _epc_act(event), frozenset(epcs)
    # A pack among the quantities is seen only: there stand classes.
    made, outputs = _output_act(event) if isinstance(event, TransformationEvent) else (0, frozenset[str]())
    seen = int(Act.OBSERVE)
    return tuple((s, (act if s in inside else made if s in outputs else seen) if is_pack(s) else a) for s, a in plain)


def _epc_act(event: Event) -> int:
    """What an event does to the packs among its epcs."""
    match event:
        case ObjectEvent():
            act = _object_act(event.action, event.biz_step, event.disposition)
            if act == Act.COMMISSION:
                return act | expiry_day(ilmd_value(event, "itemExpirationDate")) << 8 if event.ilmd else act
            if act == Act.RETURN_IN and any(t.type == EXPORT_RETURN_DOCUMENT for t in event.biz_transactions):
                return int(Act.EXPORT_RETURN)
            return act
        case TransactionEvent() if event.biz_step == "reserving" and event.action != "OBSERVE":
            return int(Act.RESERVE if event.action == "ADD" else Act.CANCEL)
        case TransactionEvent() if event.action == "ADD" and any(t.type == "rma" for t in event.biz_transactions):
            return int(Act.APPLY_RETURN)
        case TransformationEvent():
            return int(Act.RELABEL_OLD if event.biz_step == "repackaging" else Act.CONSUME)
        case _:
            return int(Act.OBSERVE)


def _output_act(event: TransformationEvent) -> tuple[int, frozenset[str]]:
    """What a transformation does to the packs that it makes, and which these are."""
    day = expiry_day(ilmd_value(event, "itemExpirationDate"))
    act = int(Act.RELABEL_NEW if event.biz_step == "repackaging" else Act.PRODUCE)
    return act | day << 8, frozenset(event.output_epcs)


# ---- states in words ---------------------------------------------------------------------------


@frozen
class PackState:
    """A pack's state, taken apart. `expiry` is None where commissioning did not state it."""

    custody: Custody
    held: bool
    recalled: bool
    stolen: bool
    conformant: bool
    paid: bool
    expiry: date | None

    def expired(self, today: date) -> bool:
        """Whether the last day of use has passed: never stored, always a matter of the asker's day (S1 VI)."""
        return self.expiry is not None and today > self.expiry

    def flags(self, today: date | None = None) -> tuple[str, ...]:
        """The names of what is true of it; with a day, `expired` too."""
        named = tuple(n for n in ("held", "recalled", "stolen", "conformant", "paid") if getattr(self, n))
        return (*named, "expired") if today is not None and self.expired(today) else named


def unpack_state(state: int) -> PackState:
    """Take the state of a pack apart; InputError for a number that is no state."""
    custody = state & CUSTODY_MASK
    if not 0 <= state < 1 << 24 or custody > _C.EXPORTED:
        raise InputError(f"{state} is no state of a pack")
    day = state >> EXPIRY_SHIFT
    held, recalled, stolen, conformant, paid = (bool(state & flag) for flag in Flag)
    expiry = DAY_ZERO + timedelta(days=day) if day else None
    return PackState(Custody(custody), held, recalled, stolen, conformant, paid, expiry)


def describe(code: int) -> str:
    """The name of a violation code, or its number where a newer rule set wrote it."""
    try:
        return Violation(code).name
    except ValueError:
        return f"VIOLATION_{code}"
