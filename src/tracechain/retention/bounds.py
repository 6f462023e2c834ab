"""Bounds: until when, as values that compose, and the day they come to (docs/format.md section 5.9).

    After(EXPIRY, "2 years")                     so long after the day of an anchor
    Latest((a, b))   Earliest((a, b))            the latest (earliest) of several: max and min
    AtLeast(a, After(TRANSACTION, "5 years"))    a, but not before that
    Permanent()                                  for ever

An anchor may be unknown. `missing` is then counted from the day of receipt, which is always known; without it the bound
is permanent: what nobody can tell the end of does not end. An entry may be about several packs, and each has its own
expiry; a bound of the entry is the latest over its packs. Where there is no pack, what hangs on an expiry is left out.

In plain form (of a record), with a term as [years, months, days]:

    [1, anchor, term, missing or nil]     [2, part, part, ...] max     [3, part, part, ...] min
    [4, bound, after]                     [5]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

from attrs import frozen

from tracechain.encoding import Plain
from tracechain.entry import OPEN_DAY
from tracechain.errors import InputError
from tracechain.retention.dates import Term, add, parse_term

__all__ = [
    "ANCHORS",
    "MAX_DEPTH",
    "MAX_PARTS",
    "After",
    "Anchor",
    "AtLeast",
    "Bound",
    "Days",
    "Earliest",
    "Found",
    "Latest",
    "Permanent",
    "find",
    "read_bound",
]

#: Bounds within each other, and parts of one.
MAX_DEPTH = 8
MAX_PARTS = 16


class Anchor(StrEnum):
    """The day from which a term counts."""

    #: The ledger received the entry; always known.
    RECEIPT = "receipt"
    #: It happened, as its author claims.
    EVENT = "event"
    #: The same day, of a trade: the word that clauses use.
    TRANSACTION = "transaction"
    #: The pack expires.
    EXPIRY = "expiry"
    #: The pack was released for sale or distribution.
    RELEASE = "release"
    #: A version of the product's information was last published.
    PUBLISHED = "published"


#: In the order of their numbers in plain form, from 0.
ANCHORS = tuple(Anchor)
_NUMBERS = {anchor: number for number, anchor in enumerate(ANCHORS)}

#: The day of each anchor but the expiry; None where it is not known.
Days: TypeAlias = Mapping[Anchor, int | None]
#: Stands in a comparison for "for ever", and for what a header cannot say.
_ENDLESS = OPEN_DAY


@frozen
class Found:
    """What a bound comes to: the day, None for ever; and the part of it that decided.

    `anchor` and `anchor_day` are what was counted from, `term` what was counted; `instead_of` is the anchor that was
    not known where the day of receipt stood in for it. A permanent bound with an `anchor` is permanent because that
    anchor is not known.
    """

    day: int | None
    anchor: Anchor | None = None
    anchor_day: int | None = None
    term: Term | None = None
    instead_of: Anchor | None = None

    @property
    def order(self) -> int:
        """The day as a number to compare."""
        return _ENDLESS if self.day is None else self.day


@frozen
class Bound(ABC):
    """Until when. InputError on construction says what cannot be used, and what to do."""

    TAG: ClassVar[int] = 0

    @property
    def depth(self) -> int:
        """1, and one more for every bound around another."""
        return 1

    @abstractmethod
    def at(self, days: Days, expiries: tuple[int | None, ...]) -> Found | None:
        """What it comes to for a pack with this expiry (one or none in `expiries`); None where all of it hangs on an
        expiry and there is no pack."""

    @abstractmethod
    def plain(self) -> tuple[Plain, ...]:
        """The plain form."""


@frozen
class After(Bound):
    """`term` after the day of `anchor`; where that is not known, `missing` after the day of receipt, or for ever."""

    TAG = 1

    anchor: Anchor
    term: Term
    missing: Term | None = None

    def __attrs_post_init__(self) -> None:
        try:
            object.__setattr__(self, "anchor", Anchor(self.anchor))
        except ValueError:
            raise InputError(f"anchor is {self.anchor!r:.60}: it must be one of {', '.join(Anchor)}") from None
        for name in ("term", "missing"):
            value = getattr(self, name)
            if type(value) is str:
                object.__setattr__(self, name, parse_term(value))
            elif not isinstance(value, Term) and not (name == "missing" and value is None):
                raise InputError(f"{name} is {value!r:.60}: it must be a term, such as 2 years")
        if self.missing is not None and self.anchor is Anchor.RECEIPT:
            raise InputError("the day of receipt is never missing: leave `missing` out")

    def at(self, days: Days, expiries: tuple[int | None, ...]) -> Found | None:
        """The day that many years, months and days after the anchor's."""
        anchor, term = self.anchor, self.term
        instead_of: Anchor | None = None
        if anchor is Anchor.EXPIRY:
            if not expiries:
                return None
            day = expiries[0]
        else:
            day = days[anchor]
        if day is None:
            if self.missing is None:
                return Found(None, anchor)
            day, anchor, instead_of, term = days[Anchor.RECEIPT], Anchor.RECEIPT, anchor, self.missing
            assert day is not None, "the day of receipt is always known"
        end = add(day, term)
        return Found(end if end < _ENDLESS else None, anchor, day, term, instead_of)

    def plain(self) -> tuple[Plain, ...]:
        """[1, anchor, term, missing or nil]"""
        missing = None if self.missing is None else _numbers(self.missing)
        return self.TAG, _NUMBERS[self.anchor], _numbers(self.term), missing


@frozen
class _Several(Bound):
    """Two parts or more, each once, none of the same class. Their order says which is named as the reason where two
    come to the same day."""

    parts: tuple[Bound, ...]

    def __attrs_post_init__(self) -> None:
        name = type(self).__name__
        parts: Any = self.parts
        if not isinstance(parts, tuple | list) or not all(isinstance(part, Bound) for part in parts):
            raise InputError(f"{name} of {parts!r:.100}: it takes a tuple of bounds")
        if not 2 <= len(parts) <= MAX_PARTS or len(set(parts)) < len(parts):
            raise InputError(f"{name} has {len(parts)} parts, {len(set(parts))} different: it takes 2 to {MAX_PARTS}")
        if any(type(part) is type(self) for part in parts):
            raise InputError(f"a part of {name} is {name} itself: put its parts in its place")
        object.__setattr__(self, "parts", tuple(parts))
        _check_depth(self)

    @property
    def depth(self) -> int:
        """One more than the deepest part."""
        return 1 + max(part.depth for part in self.parts)

    def at(self, days: Days, expiries: tuple[int | None, ...]) -> Found | None:
        """That of one of the parts; the first of those that are equal."""
        best: Found | None = None
        for part in self.parts:
            found = part.at(days, expiries)
            if found is not None and (best is None or self._better(found.order, best.order)):
                best = found
        return best

    @abstractmethod
    def _better(self, one: int, other: int) -> bool: ...

    def plain(self) -> tuple[Plain, ...]:
        """[tag, part, part, ...]"""
        return self.TAG, *(part.plain() for part in self.parts)


@frozen
class Latest(_Several):
    """The latest of the parts: max."""

    TAG = 2

    def _better(self, one: int, other: int) -> bool:
        return one > other


@frozen
class Earliest(_Several):
    """The earliest of the parts: min."""

    TAG = 3

    def _better(self, one: int, other: int) -> bool:
        return one < other


@frozen
class AtLeast(Bound):
    """`bound`, but not before `least`."""

    TAG = 4

    bound: Bound
    least: After

    def __attrs_post_init__(self) -> None:
        bound: Any = self.bound
        if not isinstance(bound, Bound) or isinstance(bound, Permanent):
            raise InputError(f"at least: {bound!r:.100} must be a bound that ends")
        if not isinstance(self.least, After):
            raise InputError(f"at least {self.least!r:.100}: it must be a term after an anchor")
        _check_depth(self)

    @property
    def depth(self) -> int:
        """One more than the bound."""
        return 1 + self.bound.depth

    def at(self, days: Days, expiries: tuple[int | None, ...]) -> Found | None:
        """That of the later one; the bound's own where they are equal."""
        found, least = self.bound.at(days, expiries), self.least.at(days, expiries)
        if found is None:
            return least
        return found if least is None or least.order <= found.order else least

    def plain(self) -> tuple[Plain, ...]:
        """[4, bound, after]"""
        return self.TAG, self.bound.plain(), self.least.plain()


@frozen
class Permanent(Bound):
    """For ever."""

    TAG = 5

    def at(self, days: Days, expiries: tuple[int | None, ...]) -> Found | None:
        """No day."""
        del days, expiries
        return Found(None)

    def plain(self) -> tuple[Plain, ...]:
        """[5]"""
        return (self.TAG,)


def find(bound: Bound, days: Days, expiries: Collection[int | None]) -> Found | None:
    """What a bound comes to for an entry whose packs have these expiries (None: not known; empty: there is no pack):
    the latest over its packs. None where all of it hangs on an expiry and there is no pack."""
    if not expiries:
        return bound.at(days, ())
    # No bound comes earlier for a later expiry, so of all that are known only the latest counts.
    known = [expiry for expiry in expiries if expiry is not None]
    best = bound.at(days, (max(known),)) if known else None
    if len(known) < len(expiries):
        unknown = bound.at(days, (None,))
        if best is None or (unknown is not None and unknown.order > best.order):
            return unknown
    return best


def _check_depth(bound: Bound) -> None:
    if bound.depth > MAX_DEPTH:
        raise InputError(f"bounds stand {bound.depth} within each other: at most {MAX_DEPTH} may")


def _numbers(term: Term) -> tuple[int, int, int]:
    return term.years, term.months, term.days


# ---- reading the plain form ----------------------------------------------------------------------


def read_bound(plain: Any, depth: int = MAX_DEPTH) -> Bound:
    """The bound of a plain form; InputError where it is none. Whether it is spelled as ours is for the caller."""
    if depth == 0:
        raise InputError(f"bounds stand within each other more than {MAX_DEPTH} deep")
    match plain:
        case (1, anchor, term, missing) if type(plain[0]) is int:
            if type(anchor) is not int or not 0 <= anchor < len(ANCHORS):
                raise InputError(f"an anchor is {anchor!r:.60}: it must be a number from 0 to {len(ANCHORS) - 1}")
            return After(ANCHORS[anchor], _term(term), None if missing is None else _term(missing))
        case (2, *parts):
            return Latest(tuple([read_bound(part, depth - 1) for part in parts]))
        case (3, *parts):
            return Earliest(tuple([read_bound(part, depth - 1) for part in parts]))
        case (4, bound, least):
            after = read_bound(least, 1)
            if isinstance(after, After):
                return AtLeast(read_bound(bound, depth - 1), after)
        case (5,):
            return Permanent()
    raise InputError(f"{plain!r:.100} is no bound: [tag from 1 to 5, ...] with what belongs to the tag")


def _term(plain: Any) -> Term:
    match plain:
        case (years, months, days):
            return Term(years, months, days)
    raise InputError(f"a term is {plain!r:.60}: it must be an array of years, months and days")
