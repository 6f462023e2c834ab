"""A retention policy: rules of several regimes, and what they say of an entry (docs/format.md section 5.9).

    Policy       name, regimes, how long a pruning is announced before it may be done, by whose clock
      Regime     a law or contract: name, title, rules
        Rule     name, clause; which entries (or fields) it is for; bounds

A **lower bound** (`keep_until`) says that nothing may go on or before its day. Of all that apply the latest counts:
the strictest wins, and an entry that no rule is for is kept, since nothing allows it to go. An **upper bound** is only
for named personal fields: `delete_by` says that the value is to be gone after its day, `restrict_after` that it is not
to be used any more. Of these the earliest counts. Where a lower bound lies behind an upper one they cross: the value
stays, restricted, until the lower bound is past (PIPL art. 47).

Everything is pure: values in, values out. A record of kind "retention" carries the plain form into the log.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import IntEnum
from typing import Any

from attrs import field, frozen

from tracechain.checkpoint import COSIGNATURE, parse_vkey
from tracechain.encoding import Plain, check_plain, pack
from tracechain.entry import OPEN_DAY
from tracechain.errors import DecodeError, InputError, KeyUseError
from tracechain.event.values import CONTROL, check_text
from tracechain.record import Record
from tracechain.retention.bounds import (
    After,
    Anchor,
    AtLeast,
    Bound,
    Days,
    Earliest,
    Found,
    Latest,
    Permanent,
    find,
    read_bound,
)
from tracechain.retention.crossing import Crossing, always_later, never_later
from tracechain.retention.dates import Term, floor_of, shanghai_day
from tracechain.retention.records import POLICY, POLICY_SUBJECT
from tracechain.retention.toml import format_policy

__all__ = [
    "MAX_POLICY",
    "MAX_WAIT",
    "NO_RULE",
    "After",
    "Anchor",
    "AtLeast",
    "Bound",
    "Earliest",
    "Facts",
    "FieldBounds",
    "Kept",
    "Latest",
    "Permanent",
    "Policy",
    "RecordClass",
    "Regime",
    "Rule",
    "Selector",
    "Term",
]

#: Bytes of a policy's plain form: it has to fit into one record.
MAX_POLICY = 60_000
#: Days that a pruning may have to be announced beforehand.
MAX_WAIT = 3660
MAX_REGIMES = 32
MAX_RULES = 64
MAX_ITEMS = 256
MAX_WITNESSES = 32
_NAME_BYTES, _TEXT_BYTES = 100, 480
#: Names of private fields, as policies spell them.
_FIELD = re.compile("[a-z0-9][a-z0-9._-]{0,63}")


class RecordClass(IntEnum):
    """The record classes that this library gives a meaning; numbers beyond are the user's."""

    #: Nobody said which: the ready tables keep it as they keep a trade.
    UNSPECIFIED = 0
    #: Sales, returns, payments: who traded what with whom.
    TRADING = 1
    #: Where packs went, and in what.
    MOVEMENT = 2
    #: Sensor data and other technical monitoring.
    MONITORING = 3
    #: Information on products.
    PRODUCT = 4
    #: Evidence on persons, such as that an identity was checked.
    PERSONAL = 5


@frozen
class Facts:
    """What a policy asks of an entry. Days are those of Asia/Shanghai since 1970-01-01; None is not known.

    `expiries` has an item for each pack the entry is about, None where its expiry is not known.
    """

    record_class: int
    receipt_day: int
    event_day: int | None = None
    expiries: tuple[int | None, ...] = ()
    release_day: int | None = None
    published_day: int | None = None
    product_class: str | None = None
    jurisdiction: str | None = None

    @property
    def days(self) -> Days:
        """The day of each anchor but the expiry. A transaction is an event."""
        return {
            Anchor.RECEIPT: self.receipt_day,
            Anchor.EVENT: self.event_day,
            Anchor.TRANSACTION: self.event_day,
            Anchor.RELEASE: self.release_day,
            Anchor.PUBLISHED: self.published_day,
        }


@frozen
class Kept:
    """A day that a rule comes to, and why: `day` None is for ever.

    It is `term` after `anchor_day`, the day of `anchor`. Where another anchor should have counted and was not known,
    `instead_of` names it. A `day` of None with an anchor says that this anchor is not known.
    """

    day: int | None
    regime: str
    rule: str
    clause: str
    anchor: Anchor | None = None
    anchor_day: int | None = None
    term: Term | None = None
    instead_of: Anchor | None = None

    @property
    def order(self) -> int:
        """The day as a number to compare; for ever is the largest there is."""
        return OPEN_DAY if self.day is None else self.day

    def due(self, today: int) -> bool:
        """Whether `today` lies behind the day: the day itself still belongs to the time."""
        return self.day is not None and today > self.day


#: What no rule is for is kept: nothing allows it to go.
NO_RULE = Kept(None, "", "no rule", "")


@frozen
class FieldBounds:
    """What a policy says of one personal field of an entry. None: no rule says so.

    `crossing`: the field has to be kept longer than it may be used, so it is restricted between the two days.
    """

    keep_until: Kept | None
    delete_by: Kept | None
    restrict_after: Kept | None
    crossing: bool

    def erasable(self, today: int) -> bool:
        """Whether it may be erased: no lower bound stands in the way."""
        return self.keep_until is None or self.keep_until.due(today)

    def overdue(self, today: int) -> bool:
        """Whether it has to be erased: it may be, and an upper bound is past."""
        return self.delete_by is not None and self.delete_by.due(today) and self.erasable(today)

    def restricted(self, today: int) -> bool:
        """Whether it may be kept, but not used: an upper bound is past."""
        return any(one is not None and one.due(today) for one in (self.restrict_after, self.delete_by))


def _line(text: object, what: str, most: int = _TEXT_BYTES) -> None:
    if type(text) is not str or not text or text != text.strip():
        raise InputError(f"{what} is {text!r:.100}: it must be a text of one line, without space at its ends")
    check_text(text, what, most, CONTROL)


def _sorted(values: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(values, tuple | list | set | frozenset) or len(values) > MAX_ITEMS:
        raise InputError(f"{what} is {values!r:.100}: it must be a list of at most {MAX_ITEMS}")
    for value in values:
        if what == "record_classes":
            if not isinstance(value, int) or type(value) is bool or not 0 <= value < 1 << 16:
                raise InputError(f"record class {value!r:.60} is not a number from 0 to 65,535")
        elif what == "fields":
            if type(value) is not str or not _FIELD.fullmatch(value):
                raise InputError(f"field {value!r:.60}: name it with 1 to 64 of a-z, 0-9, '.', '_' and '-'")
        else:
            _line(value, what, _NAME_BYTES)
    return tuple(sorted({int(value) if isinstance(value, int) else value for value in values}))


@frozen
class Selector:
    """Which entries a rule is for; an empty list is for all. With `fields` it is for these fields alone, and not for
    the entry that holds them."""

    record_classes: tuple[int, ...] = ()
    product_classes: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        for name in ("record_classes", "product_classes", "jurisdictions", "fields"):
            object.__setattr__(self, name, _sorted(getattr(self, name), name))

    def of_class(self, record_class: int) -> bool:
        """Whether it is for entries of this record class."""
        return not self.record_classes or record_class in self.record_classes

    def matches(self, facts: Facts) -> bool:
        """Whether it is for an entry, fields aside. A product class or jurisdiction that is not known counts as
        matching: a rule must not be escaped by leaving something out."""
        return (
            self.of_class(facts.record_class)
            and (not self.product_classes or facts.product_class in {None, *self.product_classes})
            and (not self.jurisdictions or facts.jurisdiction in {None, *self.jurisdictions})
        )

    def common(self, other: Selector) -> tuple[str, ...]:
        """The fields that both are for, of the same entry; `other` without fields is for all."""
        for name in ("record_classes", "product_classes", "jurisdictions"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine and theirs and not set(mine) & set(theirs):
                return ()
        return tuple(one for one in self.fields if not other.fields or one in other.fields)

    def plain(self) -> tuple[Plain, ...]:
        """Four arrays."""
        return self.record_classes, self.product_classes, self.jurisdictions, self.fields


@frozen
class Rule:
    """One rule: which entries or fields, and its bounds, one at least. `clause` is where it comes from."""

    name: str
    clause: str
    selector: Selector = field(factory=Selector)
    keep_until: Bound | None = None
    delete_by: Bound | None = None
    restrict_after: Bound | None = None

    def __attrs_post_init__(self) -> None:
        _line(self.name, "the name of a rule", _NAME_BYTES)
        what = f"rule {self.name!r}"
        _line(self.clause, f"{what}: its clause")
        if not isinstance(self.selector, Selector):
            raise InputError(f"{what}: selector is {self.selector!r:.100}: it must be a Selector")
        for name in ("keep_until", "delete_by", "restrict_after"):
            bound = getattr(self, name)
            if bound is not None and not isinstance(bound, Bound):
                raise InputError(f"{what}: {name} is {bound!r:.100}: it must be a bound")
            if name != "keep_until" and bound is not None:
                if not self.selector.fields:
                    raise InputError(f"{what}: {name} is for personal fields: name them in fields")
                if isinstance(bound, Permanent):
                    raise InputError(f"{what}: {name} never comes: leave it out")
        if self.keep_until is None and self.delete_by is None and self.restrict_after is None:
            raise InputError(f"{what} says nothing: give keep_until, or delete_by or restrict_after for its fields")

    def plain(self) -> tuple[Plain, ...]:
        """[name, clause, record classes, product classes, jurisdictions, fields, keep, delete, restrict]"""
        bounds = (self.keep_until, self.delete_by, self.restrict_after)
        return (
            self.name, self.clause, *self.selector.plain(), *(None if one is None else one.plain() for one in bounds)
        )  # fmt: skip


@frozen
class Regime:
    """The rules of one law or contract."""

    name: str
    title: str
    rules: tuple[Rule, ...]

    def __attrs_post_init__(self) -> None:
        _line(self.name, "the name of a regime", _NAME_BYTES)
        _line(self.title, f"regime {self.name!r}: its title")
        object.__setattr__(self, "rules", _named(self.rules, Rule, MAX_RULES, f"regime {self.name!r}: rules"))

    def plain(self) -> tuple[Plain, ...]:
        """[name, title, rules]"""
        return self.name, self.title, tuple(rule.plain() for rule in self.rules)


def _named(values: Any, kind: type[Any], most: int, what: str) -> tuple[Any, ...]:
    if not isinstance(values, tuple | list) or not all(isinstance(value, kind) for value in values):
        raise InputError(f"{what} are {values!r:.100}: it must be a tuple of {kind.__name__}")
    if not 1 <= len(values) <= most:
        raise InputError(f"{what}: there are {len(values)}: there must be 1 to {most}")
    names = [value.name for value in values]
    if len(set(names)) < len(names):
        raise InputError(f"{what}: a name stands twice among {names!r:.200}: give each its own")
    return tuple(values)


@frozen
class Policy:
    """All that a ledger's retention goes by.

    `wait_days`: how long a pruning stands announced before it may be done, and how long a policy has to stand before an
    announcement may go by it. `archive`: nothing is pruned that was not archived. `witnesses`: verifier keys (vkeys) of
    those by whose cosignatures the waiting time is measured, `quorum` of them at each end.
    """

    name: str
    regimes: tuple[Regime, ...]
    wait_days: int = 30
    archive: bool = False
    witnesses: tuple[str, ...] = ()
    quorum: int = 0

    def __attrs_post_init__(self) -> None:
        _line(self.name, "the name of a policy", _NAME_BYTES)
        object.__setattr__(self, "regimes", _named(self.regimes, Regime, MAX_REGIMES, "regimes"))
        if type(self.wait_days) is not int or not 1 <= self.wait_days <= MAX_WAIT:
            raise InputError(
                f"wait_days is {self.wait_days!r:.60}: it must be 1 to {MAX_WAIT}, so that somebody can see what is"
                " about to go"
            )
        if type(self.archive) is not bool:
            raise InputError(f"archive is {self.archive!r:.60}: it must be true or false")
        object.__setattr__(self, "witnesses", _witnesses(self.witnesses))
        least = 1 if self.witnesses else 0
        if type(self.quorum) is not int or not least <= self.quorum <= len(self.witnesses):
            raise InputError(
                f"quorum is {self.quorum!r:.60}: with {len(self.witnesses)} witnesses it must be {least} to"
                f" {len(self.witnesses)}"
            )
        if (size := len(pack(self.plain()))) > MAX_POLICY:
            raise InputError(f"policy {self.name!r} has {size} bytes, at most {MAX_POLICY} fit into a record")

    # ---- what it says --------------------------------------------------------------------------

    def rules(self) -> Iterator[tuple[Regime, Rule]]:
        """All rules, in order."""
        for regime in self.regimes:
            for rule in regime.rules:
                yield regime, rule

    def header_day(self, record_class: int, receipt_ms: int, expiries: Collection[int | None]) -> int:
        """The keep-until day of a header (docs/format.md section 5.9): OPEN_DAY for one that is left open.

        `expiries` has an item for each pack of the entry, None where its expiry is not known. Only what is certain
        when the entry comes in counts: rules for all products and jurisdictions; events count as of their receipt, and
        of release and publication nothing is known. The result is the same for the latest of the expiries that are
        known (and None, if one is not) as for all of them.
        """
        receipt = shanghai_day(receipt_ms)
        days: Days = {
            Anchor.RECEIPT: receipt, Anchor.EVENT: receipt, Anchor.TRANSACTION: receipt, Anchor.RELEASE: None,
            Anchor.PUBLISHED: None,
        }  # fmt: skip
        latest: int | None = None
        for _, rule in self.rules():
            only = rule.selector
            if (
                rule.keep_until is not None
                and not (only.product_classes or only.jurisdictions or only.fields)
                and only.of_class(record_class)
                and (found := find(rule.keep_until, days, expiries)) is not None
            ):
                if found.day is None:
                    return OPEN_DAY
                latest = found.day if latest is None else max(latest, found.day)
        return OPEN_DAY if latest is None else min(max(latest, floor_of(receipt)), OPEN_DAY)

    def keep(self, facts: Facts) -> Kept:
        """Until when an entry has to be kept, by the strictest of all rules that are for it."""
        return self._strictest(facts, None) or NO_RULE

    def fields(self, facts: Facts, field: str) -> FieldBounds:
        """What is said of a personal field of an entry. Rules without fields are for all that the entry holds."""
        keep = self._strictest(facts, field)
        delete, restrict = (self._earliest(facts, field, upper) for upper in ("delete_by", "restrict_after"))
        crossing = keep is not None and delete is not None and keep.order > delete.order
        return FieldBounds(keep, delete, restrict, crossing)

    def crossings(self) -> tuple[Crossing, ...]:
        """Which rules want a field gone that another rule may keep longer: for any dates, or for some.

        Of entries whose product class and jurisdiction are known; others come under the rules of all of them, and
        `fields` tells of it.
        """
        found = []
        for regime, rule in self.rules():
            for keeping, other in self.rules():
                delete, keep = rule.delete_by, other.keep_until
                if delete is None or keep is None or never_later(keep, delete):
                    continue
                if both := rule.selector.common(other.selector):
                    always = always_later(keep, delete)
                    found.append(Crossing(regime.name, rule.name, keeping.name, other.name, both, always))
        return tuple(found)

    def _strictest(self, facts: Facts, field: str | None) -> Kept | None:
        best: Kept | None = None
        for one in self._said(facts, field, "keep_until"):
            if best is None or one.order > best.order:
                best = one
        return best

    def _earliest(self, facts: Facts, field: str, upper: str) -> Kept | None:
        best: Kept | None = None
        for one in self._said(facts, field, upper):
            if one.day is not None and (best is None or one.order < best.order):
                best = one
        return best

    def _said(self, facts: Facts, field: str | None, bound: str) -> Iterator[Kept]:
        days = facts.days
        for regime, rule in self.rules():
            only: Bound | None = getattr(rule, bound)
            fields = rule.selector.fields
            if only is not None and (not fields or field in fields) and rule.selector.matches(facts):
                found = find(only, days, facts.expiries)
                if found is not None:
                    yield _kept(found, regime, rule)

    # ---- its forms -----------------------------------------------------------------------------

    def plain(self) -> tuple[Plain, ...]:
        """[name, regimes, wait days, archive, witnesses, quorum]"""
        regimes = tuple(regime.plain() for regime in self.regimes)
        return self.name, regimes, self.wait_days, self.archive, self.witnesses, self.quorum

    def to_toml(self, *, comments: bool = True) -> str:
        """As a TOML file, a comment with each key unless told otherwise; `files.read_policy` reads it."""
        return format_policy(self, comments=comments)

    @classmethod
    def from_plain(cls, plain: Plain) -> Policy:
        """Read a plain form strictly; DecodeError unless it is what `plain` gives."""
        try:
            check_plain(plain)
            policy = cls(*_read_policy(plain))
        except InputError as error:
            raise DecodeError(f"this is no retention policy: {error}") from None
        if pack(policy.plain()) != pack(plain):
            raise DecodeError(f"retention policy {policy.name!r} is written otherwise: sort its lists, each item once")
        return policy

    def record(self) -> Record:
        """The record that puts it in force, from the next statement on."""
        return Record(POLICY, self.plain(), POLICY_SUBJECT)

    @classmethod
    def from_record(cls, record: Record) -> Policy:
        """The policy of a record; DecodeError if it is malformed."""
        if (record.kind, record.subject, record.version) != (POLICY, POLICY_SUBJECT, 0):
            raise DecodeError(
                f"a retention policy is a record {POLICY} of {POLICY_SUBJECT}, version 0, and this one is {record.kind}"
                f" of {record.subject}, version {record.version}"
            )
        return cls.from_plain(record.body)


def _kept(found: Found, regime: Regime, rule: Rule) -> Kept:
    return Kept(
        found.day, regime.name, rule.name, rule.clause, found.anchor, found.anchor_day, found.term, found.instead_of
    )


def _witnesses(vkeys: Any) -> tuple[str, ...]:
    if not isinstance(vkeys, tuple | list) or len(vkeys) > MAX_WITNESSES:
        raise InputError(f"witnesses is {vkeys!r:.100}: it must be a list of at most {MAX_WITNESSES} vkeys")
    seen: set[bytes] = set()
    for vkey in vkeys:
        if type(vkey) is not str:
            raise InputError(f"witness {vkey!r:.100}: it must be a vkey, name+hash+key")
        try:
            key = parse_vkey(vkey)
        except KeyUseError as error:
            raise InputError(f"witnesses: {error}") from None
        if key.algorithm != COSIGNATURE:
            raise InputError(f"witness {key.name}: its key is not one for cosignatures (type 4), which state a time")
        if key.key.raw in seen:
            raise InputError(f"witness {key.name}: its key stands twice, and a quorum would count it twice")
        seen.add(key.key.raw)
    return tuple(sorted(vkeys))


# ---- reading the plain form ----------------------------------------------------------------------


def _read_policy(plain: Any) -> tuple[Any, ...]:
    match plain:
        case (name, tuple() as regimes, wait_days, archive, tuple() as witnesses, quorum):
            return name, tuple(_read_regime(one) for one in regimes), wait_days, archive, witnesses, quorum
    raise InputError("it must be an array of name, regimes, wait days, archive, witnesses and quorum")


def _read_regime(plain: Any) -> Regime:
    match plain:
        case (name, title, tuple() as rules):
            return Regime(name, title, tuple(_read_rule(one) for one in rules))
    raise InputError(f"regime {plain!r:.100}: it must be an array of name, title and rules")


def _read_rule(plain: Any) -> Rule:
    if not isinstance(plain, tuple) or len(plain) != 9:
        raise InputError(f"rule {plain!r:.100}: it must be an array of 9 items")
    name, clause, *lists = plain[:6]
    bounds = [None if one is None else read_bound(one) for one in plain[6:]]
    return Rule(name, clause, Selector(*lists), *bounds)
