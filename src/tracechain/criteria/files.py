"""Criteria in JSON files: one object with one key each, times with their offset, durations as "1h30m".

    {"lot": {"product": "01/09521234001072", "lot": "A102"}}
    {"product": "01/09521234001072"}                 {"maker": "Example Pharma"}     {"merchant": "pharmacy"}
    {"commissioned": {"from": "2026-01-01T00:00:00+08:00", "before": "2026-02-01T00:00:00+08:00"}}
    {"through_place": {"place": "414/9521234000013", "from": ..., "to": ...}}        and through_container, by_carrier
    {"measured": {"measure": "temperature", "above": "8", "longer_than": "30m"}}
    {"shared_container": "01/09521234001072/21/A"}   {"codes": ["01/09521234001072/21/A", ...]}
    {"all": [..., ...]}                              {"any": [..., ...]}             {"not": ...}

Written in one way, read generously: codes in any spelling, times in any zone, numbers with or without quotes, bounds
left out or null, lists with doubles or of one item.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tracechain.criteria.checks import canonical_id
from tracechain.criteria.values import (
    MAX_CODES,
    MAX_DEPTH,
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
    all_of,
    any_of,
)
from tracechain.errors import InputError
from tracechain.event.times import MAX_TIME, format_time, parse_time

__all__ = ["format_duration", "from_json", "parse_duration", "to_json"]

_BEIJING = 480
_UNITS = {
    "d": 86_400_000_000_000, "h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000,
    "us": 1000, "ns": 1,
}  # fmt: skip
_DURATION = re.compile("".join(f"(?:([0-9]{{1,19}}){unit}(?![a-z]))?" for unit in _UNITS))
_DECIMAL = re.compile("-?[0-9]{1,20}(?:[.][0-9]{1,20})?")
#: Lists of criteria may be long, but a file of more could not be recorded anyway.
_MAX_PARTS = 4096


def format_duration(nanos: int) -> str:
    """Nanoseconds (0 or more) as days, hours, minutes, ...: "1h30m"; nothing is "0s"."""
    text = ""
    for unit, size in _UNITS.items():
        number, nanos = divmod(nanos, size)
        text += f"{number}{unit}" if number else ""
    return text or "0s"


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration such as "30m" or "1d12h": units from the largest on, each once at most."""
    match = _DURATION.fullmatch(text) if text else None
    if match is None:
        raise InputError(f"{text!r:.60} is no duration: write such as 30m, 1h30m or 2d (d, h, m, s, ms, us, ns)")
    numbers = zip(match.groups(), _UNITS.values(), strict=True)
    nanos = sum(int(number) * size for number, size in numbers if number is not None)
    if nanos > MAX_TIME:
        raise InputError(f"{text!r:.60} is too long: a duration has at most 2^63 - 1 ns, some 292 years")
    return nanos


# ---- writing -------------------------------------------------------------------------------------


def to_json(criterion: Criterion) -> dict[str, Any]:
    """The criterion as an object of a JSON file."""
    match criterion:
        case Lot(product=product, lot=lot):
            return {"lot": {"product": product, "lot": lot}}
        case OfProduct(product=product):
            return {"product": product}
        case ByMaker(maker=maker):
            return {"maker": maker}
        case ByMerchant(merchant=merchant):
            return {"merchant": merchant}
        case Commissioned(start=start, stop=stop):
            return {"commissioned": {"from": _time(start), "before": _time(stop)}}
        case ThroughPlace(place=place):
            return {"through_place": {"place": place} | _window(criterion)}
        case ThroughContainer(container=container):
            return {"through_container": {"container": container} | _window(criterion)}
        case ByCarrier(carrier=carrier):
            return {"by_carrier": {"carrier": carrier} | _window(criterion)}
        case Measured():
            limits = {"above": criterion.above, "below": criterion.below}
            said = {what: f"{limit:f}" for what, limit in limits.items() if limit is not None}
            return {
                "measured": {"measure": criterion.measure}
                | said
                | {"longer_than": format_duration(criterion.longer_than)}
            }
        case SharedContainer(code=code):
            return {"shared_container": code}
        case Codes(codes=codes):
            return {"codes": list(codes)}
        case AllOf(parts=parts):
            return {"all": [to_json(part) for part in parts]}
        case AnyOf(parts=parts):
            return {"any": [to_json(part) for part in parts]}
        case Not(part=part):
            return {"not": to_json(part)}
    raise InputError(f"{criterion!r:.100} is no criterion that a file knows")


def _time(nanos: int) -> str:
    return format_time(nanos, _BEIJING)


def _window(criterion: ThroughPlace | ThroughContainer | ByCarrier) -> dict[str, str]:
    ends = {"from": criterion.start, "to": criterion.stop}
    return {what: _time(time) for what, time in ends.items() if time is not None}


# ---- reading -------------------------------------------------------------------------------------


def from_json(value: object) -> Criterion:
    """Read an object of a JSON file. InputError names the key that is unknown or wrong, and where it stands."""
    return _read(value, "", MAX_DEPTH * 2)


class _LocatedError(InputError):
    """A fault that says where it stands."""


def _fault(where: str, words: str) -> InputError:
    return _LocatedError(f"{where}: {words}" if where else words)


def _read(value: object, where: str, depth: int) -> Criterion:
    if depth == 0:
        raise _fault(where[:60], f"criteria stand within each other too deep: at most {MAX_DEPTH} may")
    if not isinstance(value, Mapping) or len(value) != 1:
        raise _fault(where, f"{value!r:.100} must be an object of one key: one of {', '.join(_READERS)}")
    ((key, given),) = value.items()
    if key not in _READERS:
        raise _fault(where, _unknown(key, _READERS))
    inner = f"{where}.{key}" if where else key
    try:
        return _READERS[key](given, inner, depth - 1)
    except _LocatedError:
        raise
    except InputError as error:
        raise _fault(inner, str(error)) from None


def _unknown(key: object, known: Any) -> str:
    close = difflib.get_close_matches(str(key), list(known), 1)
    return f"unknown key {key!r:.60}" + (
        f", did you mean {close[0]!r}?" if close else f": there are {', '.join(known)}"
    )


def _fields(given: object, wanted: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[Any]:
    """The values of an object's keys in this order, None for one that may be left out."""
    if not isinstance(given, Mapping):
        raise InputError(f"{given!r:.100} must be an object of {', '.join((*wanted, *optional))}")
    for key in given:
        if key not in wanted and key not in optional:
            raise InputError(_unknown(key, (*wanted, *optional)))
    for key in wanted:
        if given.get(key) is None:
            raise InputError(f"{key!r} is missing")
    return [given.get(key) for key in (*wanted, *optional)]


def _moment(given: object, key: str) -> int:
    if isinstance(given, datetime) and given.tzinfo is not None:  # TOML has times of its own
        given = given.isoformat()
    if type(given) is not str:
        raise InputError(f"{key} is {given!r:.100}: it must be a time in quotes, such as 2026-01-31T08:00:00+08:00")
    try:
        return parse_time(given)
    except InputError as error:
        raise InputError(f"{key}: {error}") from None


def _canonical(given: Any) -> Any:
    return canonical_id(given) if type(given) is str and given else given


def _lot(given: object, _: str, __: int) -> Criterion:
    product, lot = _fields(given, ("product", "lot"))
    return Lot(_canonical(product), lot)


def _commissioned(given: object, _: str, __: int) -> Criterion:
    start, stop = _fields(given, ("from", "before"))
    return Commissioned(_moment(start, "from"), _moment(stop, "before"))


def _through(kind: type[Any], named: str) -> _Reader:
    def read(given: object, _: str, __: int) -> Criterion:
        name, start, stop = _fields(given, (named,), ("from", "to"))
        ends = (None if end is None else _moment(end, key) for end, key in ((start, "from"), (stop, "to")))
        found: Criterion = kind(_canonical(name), *ends)
        return found

    return read


def _measured(given: object, _: str, __: int) -> Criterion:
    measure, longest, above, below = _fields(given, ("measure", "longer_than"), ("above", "below"))
    if type(longest) is not str:
        raise InputError(f"longer_than is {longest!r:.100}: it must be a duration in quotes, such as 30m")
    return Measured(measure, _number(above, "above"), _number(below, "below"), parse_duration(longest))


def _number(given: object, key: str) -> Any:
    if given is None or (type(given) is int or isinstance(given, Decimal)):
        return given
    text = repr(given) if type(given) is float else given  # the shortest text that stands for it: what was written
    if type(text) is not str or not _DECIMAL.fullmatch(text):
        raise InputError(f"{key} is {given!r:.100}: it must be a number, such as 8 or 8.5")
    return Decimal(text)


def _codes(given: object, _: str, __: int) -> Criterion:
    if not isinstance(given, list | tuple) or len(given) > MAX_CODES:
        raise InputError(f"{given!r:.100} must be a list of 1 to {MAX_CODES} codes")
    return Codes(tuple(map(_canonical, given)))


def _several(join: Callable[[list[Criterion]], Criterion]) -> _Reader:
    def read(given: object, where: str, depth: int) -> Criterion:
        if not isinstance(given, list | tuple) or not 1 <= len(given) <= _MAX_PARTS:
            raise InputError(f"{given!r:.100} must be a list of 1 to {_MAX_PARTS} criteria")
        return join([_read(one, f"{where}[{place}]", depth) for place, one in enumerate(given)])

    return read


_Reader = Callable[[object, str, int], Criterion]
_READERS: dict[str, _Reader] = {
    "lot": _lot,
    "product": lambda given, _, __: OfProduct(_canonical(given)),
    "maker": lambda given, _, __: ByMaker(given),  # type: ignore[arg-type] # it checks what it is given
    "merchant": lambda given, _, __: ByMerchant(_canonical(given)),
    "commissioned": _commissioned,
    "through_place": _through(ThroughPlace, "place"),
    "through_container": _through(ThroughContainer, "container"),
    "by_carrier": _through(ByCarrier, "carrier"),
    "measured": _measured,
    "shared_container": lambda given, _, __: SharedContainer(_canonical(given)),
    "codes": _codes,
    "all": _several(all_of),
    "any": _several(any_of),
    "not": lambda given, where, depth: ~_read(given, where, depth),
}
