"""Criteria as values, and their plain form: which packs a recall is about (docs/format.md section 5.8).

A criterion says what has to be true of a pack. Criteria compose with `&`, `|` and `~`, and each has one spelling: lists
are flat, sorted by the canonical bytes of their items and without doubles, so equal criteria are equal values with
equal bytes. A plain form is an array [tag, ...] of fixed length:

    [1, product, lot]              Lot                 [8, carrier, start, stop]                 ByCarrier
    [2, product]                   OfProduct           [9, measure, above, below, longer than]   Measured
    [3, maker]                     ByMaker             [10, code]                                SharedContainer
    [4, merchant]                  ByMerchant          [11, id groups]                           Codes
    [5, start, stop]               Commissioned        [12, part, part, ...]                     AllOf
    [6, place, start, stop]        ThroughPlace        [13, part, part, ...]                     AnyOf
    [7, container, start, stop]    ThroughContainer    [14, part]                                Not

Times are nanoseconds since 1970 of claimed times. What it takes to tell whether a pack meets a criterion is not here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from tracechain.criteria.checks import check_line, check_named, check_product, check_time, check_window
from tracechain.encoding import Plain, pack
from tracechain.encoding.content import group
from tracechain.errors import InputError
from tracechain.event.values import decimal_parts, normal_decimal

__all__ = [
    "MAX_CODES",
    "MAX_DEPTH",
    "MAX_SIZE",
    "MEASURES",
    "AllOf",
    "AnyOf",
    "ByCarrier",
    "ByMaker",
    "ByMerchant",
    "Codes",
    "Commissioned",
    "Criterion",
    "Lot",
    "Measured",
    "Not",
    "OfProduct",
    "SharedContainer",
    "ThroughContainer",
    "ThroughPlace",
    "all_of",
    "any_of",
]

#: Criteria within each other, codes of one list, and bytes of the canonical form of a whole criterion.
MAX_DEPTH = 8
MAX_CODES = 4096
MAX_SIZE = 65_536

MEASURES = ("temperature", "humidity")
_RANGES = {"temperature": (Decimal("-273.15"), Decimal(1000)), "humidity": (Decimal(0), Decimal(100))}


@frozen
class Criterion(ABC):
    """What has to be true of a pack. InputError on construction says what cannot be used, and what to do."""

    TAG: ClassVar[int] = 0

    @property
    def depth(self) -> int:
        """1, and one more for every criterion around another."""
        return 1

    @abstractmethod
    def plain(self) -> tuple[Plain, ...]:
        """The plain form."""

    def __and__(self, other: object) -> Criterion:
        """Both."""
        return all_of((self, other)) if isinstance(other, Criterion) else NotImplemented

    def __or__(self, other: object) -> Criterion:
        """One of them, or both."""
        return any_of((self, other)) if isinstance(other, Criterion) else NotImplemented

    def __invert__(self) -> Criterion:
        """The opposite."""
        return Not(self)


@frozen
class Lot(Criterion):
    """Commissioned with this lot number; `product` is "01/" and 14 digits, or "nmpa/" and 7."""

    TAG = 1

    product: str
    lot: str

    def __attrs_post_init__(self) -> None:
        check_product(self.product)
        check_line(self.lot, "lot")

    def plain(self) -> tuple[Plain, ...]:
        """[1, product, lot]"""
        return self.TAG, self.product, self.lot


@frozen
class OfProduct(Criterion):
    """Every pack of a product."""

    TAG = 2

    product: str

    def __attrs_post_init__(self) -> None:
        check_product(self.product)

    def plain(self) -> tuple[Plain, ...]:
        """[2, product]"""
        return self.TAG, self.product


@frozen
class ByMaker(Criterion):
    """Every pack of a registered product whose maker has this id, or this name."""

    TAG = 3

    maker: str

    def __attrs_post_init__(self) -> None:
        check_line(self.maker, "maker")

    def plain(self) -> tuple[Plain, ...]:
        """[3, maker]"""
        return self.TAG, self.maker


@frozen
class ByMerchant(Criterion):
    """Every pack of a registered product of this merchant."""

    TAG = 4

    merchant: str

    def __attrs_post_init__(self) -> None:
        check_named(self.merchant, "merchant")

    def plain(self) -> tuple[Plain, ...]:
        """[4, merchant]"""
        return self.TAG, self.merchant


@frozen
class Commissioned(Criterion):
    """Commissioned at a claimed time t with start <= t < stop (ns)."""

    TAG = 5

    start: int
    stop: int

    def __attrs_post_init__(self) -> None:
        check_time(self.start, "start")
        check_time(self.stop, "stop")
        check_window(self.start, self.stop)

    def plain(self) -> tuple[Plain, ...]:
        """[5, start, stop]"""
        return self.TAG, self.start, self.stop


@frozen
class _Through(Criterion):
    """What happened to it, or to what it was in, at a claimed time t with start <= t <= stop (ns; None: no bound)."""

    WHAT: ClassVar[str] = ""

    def __attrs_post_init__(self) -> None:
        _, named, start, stop = self.plain()
        check_named(named, self.WHAT)
        for value, what in ((start, "start"), (stop, "stop")):
            if value is not None:
                check_time(value, what)
        if isinstance(start, int) and isinstance(stop, int):
            check_window(start, stop)


@frozen
class ThroughPlace(_Through):
    """Was seen at a place, or at a part of it (`414/<GLN>/254/<part>` of `414/<GLN>`), itself or in a container, at a
    claimed time t with start <= t <= stop (ns; None: without a bound)."""

    TAG = 6
    WHAT = "place"

    place: str
    start: int | None = None
    stop: int | None = None

    def plain(self) -> tuple[Plain, ...]:
        """[6, place, start, stop]"""
        return self.TAG, self.place, self.start, self.stop


@frozen
class ThroughContainer(_Through):
    """Was in a container, at any depth, at some claimed time t with start <= t <= stop (ns; None: without a bound)."""

    TAG = 7
    WHAT = "container"

    container: str
    start: int | None = None
    stop: int | None = None

    def plain(self) -> tuple[Plain, ...]:
        """[7, container, start, stop]"""
        return self.TAG, self.container, self.start, self.stop


@frozen
class ByCarrier(_Through):
    """An event on it, or on a container it was in, names the carrier as the possessing party it came from or went to,
    at a claimed time t with start <= t <= stop (ns; None: without a bound)."""

    TAG = 8
    WHAT = "carrier"

    carrier: str
    start: int | None = None
    stop: int | None = None

    def plain(self) -> tuple[Plain, ...]:
        """[8, carrier, start, stop]"""
        return self.TAG, self.carrier, self.start, self.stop


def _limit(number: Any) -> Decimal | None:
    return None if number is None else normal_decimal(number, "a limit")


@frozen
class Measured(Criterion):
    """Was exposed to a temperature (Celsius) or humidity (per cent) above one limit, or below another, without a break
    for longer than `longer_than` (ns)."""

    TAG = 9

    measure: str
    above: Decimal | None = field(default=None, converter=_limit)
    below: Decimal | None = field(default=None, converter=_limit)
    longer_than: int = 0

    def __attrs_post_init__(self) -> None:
        if type(self.measure) is not str or self.measure not in MEASURES:
            raise InputError(f"measure is {self.measure!r:.100}: it must be 'temperature' or 'humidity'")
        if self.above is None and self.below is None:
            raise InputError("a measured criterion needs a limit: say above what, or below what")
        least, most = _RANGES[self.measure]
        for what, limit in (("above", self.above), ("below", self.below)):
            if limit is not None and not least <= limit <= most:
                raise InputError(f"{what} is {limit!s:.60}: a {self.measure} is from {least} to {most}")
        if self.above is not None and self.below is not None and self.below > self.above:
            raise InputError(f"above {self.above} or below {self.below} is always so: exchange them")
        check_time(self.longer_than, "longer_than")
        if self.longer_than < 0:
            raise InputError(f"longer_than is {self.longer_than}: a duration is 0 ns or more")

    def plain(self) -> tuple[Plain, ...]:
        """[9, 0 temperature or 1 humidity, above, below, longer than]; limits are [mantissa, exponent] or nil."""
        limits = (None if limit is None else decimal_parts(limit) for limit in (self.above, self.below))
        return self.TAG, MEASURES.index(self.measure), *limits, self.longer_than


@frozen
class SharedContainer(Criterion):
    """Was directly in the same container as this code, at the same time."""

    TAG = 10

    code: str

    def __attrs_post_init__(self) -> None:
        check_named(self.code, "code")

    def plain(self) -> tuple[Plain, ...]:
        """[10, code]"""
        return self.TAG, self.code


@frozen
class Codes(Criterion):
    """Is one of these codes: 1 to 4,096 ids, sorted, each once."""

    TAG = 11

    codes: tuple[str, ...]

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.codes, tuple | list):
            raise InputError(f"codes is {self.codes!r:.100}: it must be a list of ids")
        if not 1 <= len(self.codes) <= MAX_CODES:
            raise InputError(f"codes has {len(self.codes)} ids: it must have 1 to {MAX_CODES}")
        for place, code in enumerate(self.codes):
            check_named(code, f"codes[{place}]")
        object.__setattr__(self, "codes", tuple(sorted(set(self.codes))))
        _check_size(self)

    def plain(self) -> tuple[Plain, ...]:
        """[11, id groups], as an event has them (docs/format.md section 9.3)."""
        groups = group(self.codes)
        return self.TAG, tuple(one if type(one) is str else tuple(one) for one in groups)


@frozen
class _Several(Criterion):
    """Two parts or more, none of the same class, sorted by their canonical bytes, each once."""

    parts: tuple[Criterion, ...]

    def __attrs_post_init__(self) -> None:
        parts = _parts(type(self), self.parts)
        if len(parts) < 2:
            raise InputError(
                f"{type(self).__name__} has {len(parts)} different parts: it takes two, or the part itself"
            )
        object.__setattr__(self, "parts", parts)
        _check_depth(self)
        _check_size(self)

    @property
    def depth(self) -> int:
        """One more than the deepest part."""
        return 1 + max(part.depth for part in self.parts)

    def plain(self) -> tuple[Plain, ...]:
        """[tag, part, part, ...]"""
        return self.TAG, *(part.plain() for part in self.parts)


@frozen
class AllOf(_Several):
    """Every part is true of it."""

    TAG = 12


@frozen
class AnyOf(_Several):
    """One part at least is true of it."""

    TAG = 13


@frozen
class Not(Criterion):
    """The part is not true of it. `~` takes a `Not` off again, so none stands in another."""

    TAG = 14

    part: Criterion

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.part, Criterion):
            raise InputError(f"Not holds {self.part!r:.100}: it must be a criterion")
        if isinstance(self.part, Not):
            raise InputError("Not holds another Not: use the part of that, or ~")
        _check_depth(self)
        _check_size(self)

    @property
    def depth(self) -> int:
        """One more than the part."""
        return 1 + self.part.depth

    def plain(self) -> tuple[Plain, ...]:
        """[14, part]"""
        return self.TAG, self.part.plain()

    def __invert__(self) -> Criterion:
        """The part."""
        return self.part


def all_of(parts: Iterable[Criterion]) -> Criterion:
    """`AllOf` of the parts; the part itself where there is but one."""
    return _joined(AllOf, tuple(parts))


def any_of(parts: Iterable[Criterion]) -> Criterion:
    """`AnyOf` of the parts; the part itself where there is but one."""
    return _joined(AnyOf, tuple(parts))


def _joined(kind: type[_Several], given: tuple[Criterion, ...]) -> Criterion:
    parts = _parts(kind, given)
    return parts[0] if len(parts) == 1 else kind(parts)


def _parts(kind: type[_Several], given: object) -> tuple[Criterion, ...]:
    """The parts in their one order, those of parts of the same class among them."""
    if not isinstance(given, tuple | list):
        raise InputError(f"parts is {given!r:.100}: it must be a list of criteria")
    found: dict[bytes, Criterion] = {}
    for part in given:
        if not isinstance(part, Criterion):
            raise InputError(f"{kind.__name__} holds {part!r:.100}: it must be a criterion")
        for one in part.parts if type(part) is kind else (part,):
            found[pack(one.plain())] = one
    return tuple(found[key] for key in sorted(found))


def _check_depth(criterion: Criterion) -> None:
    if criterion.depth > MAX_DEPTH:
        raise InputError(f"criteria stand within each other {criterion.depth} deep: at most {MAX_DEPTH} may")


def _check_size(criterion: Criterion) -> None:
    if (size := len(pack(criterion.plain()))) > MAX_SIZE:
        raise InputError(f"the criterion has {size} bytes, at most {MAX_SIZE} fit: make several of it")
