"""Plain forms of criteria, for records: [tag, ...], one spelling each (docs/format.md section 5.8)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tracechain.criteria.values import (
    MAX_DEPTH,
    MEASURES,
    AllOf,
    AnyOf,
    ByCarrier,
    ByMaker,
    ByMerchant,
    Codes,
    Commissioned,
    Criterion,
    Lot,
    Measured,
    Not,
    OfProduct,
    SharedContainer,
    ThroughContainer,
    ThroughPlace,
)
from tracechain.encoding import Plain, check_plain, pack
from tracechain.encoding.content import read_groups
from tracechain.errors import DecodeError, InputError
from tracechain.event.values import MAX_EXPONENT, MAX_MANTISSA

__all__ = ["from_plain", "to_plain"]


def to_plain(criterion: Criterion) -> Plain:
    """The plain form, for a record."""
    return criterion.plain()


def from_plain(plain: Plain) -> Criterion:
    """Read a plain form strictly; DecodeError unless it is what `to_plain` gives."""
    try:
        check_plain(plain)
        criterion = _read(plain, MAX_DEPTH)
    except InputError as error:
        raise DecodeError(f"this is no criterion: {error}") from None
    if pack(criterion.plain()) != pack(plain):
        raise DecodeError(f"this criterion is written otherwise: {criterion.plain()!r:.200}")
    return criterion


def _read(plain: Any, depth: int) -> Criterion:
    if depth == 0:
        raise InputError(f"criteria stand within each other more than {MAX_DEPTH} deep")
    if not isinstance(plain, tuple) or not plain or type(plain[0]) is not int:
        raise InputError(f"{plain!r:.100} is not [tag, ...]")
    tag, *values = plain
    kind = _KINDS.get(tag)
    if kind is None:
        raise InputError(f"tag {tag} stands for none: there are 1 to {max(_KINDS)}")
    if tag in _LISTS:
        several: Criterion = kind(tuple([_read(value, depth - 1) for value in values]))
        return several
    wanted = _LENGTHS[tag]
    if len(values) != wanted:
        raise InputError(f"tag {tag} has {len(values)} values after it: it must have {wanted}")
    if kind is Not:
        return Not(_read(values[0], depth - 1))
    if kind is Codes:
        return Codes(tuple(_ids(values[0])))
    if kind is Measured:
        return Measured(_measure(values[0]), _number(values[1]), _number(values[2]), values[3])
    found: Criterion = kind(*values)
    return found


def _ids(groups: Any) -> list[str]:
    if not isinstance(groups, tuple) or len(groups) % 2:
        raise InputError(f"{groups!r:.100} are no id groups: a prefix, an array of suffixes, a prefix, ...")
    for prefix, suffixes in zip(groups[::2], groups[1::2], strict=True):
        texts = (prefix, *suffixes) if isinstance(suffixes, tuple) else (None,)
        if any(type(text) is not str for text in texts):
            raise InputError(f"{groups!r:.100} are no id groups: prefixes and suffixes are texts")
    return read_groups(groups)


def _measure(number: Any) -> Any:
    if type(number) is not int or not 0 <= number < len(MEASURES):
        raise InputError(f"measure is {number!r:.100}: it must be 0, temperature, or 1, humidity")
    return MEASURES[number]


def _number(plain: Any) -> Decimal | None:
    match plain:
        case None:
            return None
        case (int() as mantissa, int() as exponent):
            if abs(mantissa) <= MAX_MANTISSA and abs(exponent) <= MAX_EXPONENT:
                return Decimal((int(mantissa < 0), Decimal(abs(mantissa)).as_tuple().digits, exponent))
    raise InputError(f"a limit is {plain!r:.100}: it must be a mantissa and an exponent")


_KINDS: dict[int, type[Any]] = {
    kind.TAG: kind
    for kind in (
        Lot, OfProduct, ByMaker, ByMerchant, Commissioned, ThroughPlace, ThroughContainer, ByCarrier, Measured,
        SharedContainer, Codes, AllOf, AnyOf, Not,
    )
}  # fmt: skip
#: Values after the tag.
_LENGTHS = {1: 2, 2: 1, 3: 1, 4: 1, 5: 2, 6: 3, 7: 3, 8: 3, 9: 4, 10: 1, 11: 1, 14: 1}
#: Tags with any number of parts after them.
_LISTS = {AllOf.TAG, AnyOf.TAG}
