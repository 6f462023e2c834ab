"""Criteria in words, in English and Chinese: for pages and terminals, not to be read back."""

from __future__ import annotations

from typing import Literal, TypeAlias

from tracechain.criteria.files import format_duration
from tracechain.criteria.values import (
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
from tracechain.errors import InputError
from tracechain.event.times import format_time

__all__ = ["Language", "in_words"]

Language: TypeAlias = Literal["en", "zh"]

_BEIJING = 480
#: More codes than these are counted.
_NAMED_MOST = 3


def in_words(criterion: Criterion, language: Language = "en") -> str:
    """What the criterion says, in one line; times are those of Beijing (+08:00)."""
    if language not in ("en", "zh"):
        raise InputError(f"{language!r:.60} is no language of criteria: there are 'en' and 'zh'")
    return _chinese(criterion) if language == "zh" else _english(criterion)


def _english(criterion: Criterion) -> str:
    match criterion:
        case Lot(product=product, lot=lot):
            return f"lot {lot} of {product}"
        case OfProduct(product=product):
            return f"product {product}"
        case ByMaker(maker=maker):
            return f"products of the maker {maker}"
        case ByMerchant(merchant=merchant):
            return f"products of the merchant {merchant}"
        case Commissioned(start=start, stop=stop):
            return f"commissioned from {_time(start)} until before {_time(stop)}"
        case ThroughPlace(place=place):
            return f"was at {place}{_window(criterion)}"
        case ThroughContainer(container=container):
            return f"was in {container}{_window(criterion)}"
        case ByCarrier(carrier=carrier):
            return f"was carried by {carrier}{_window(criterion)}"
        case Measured(measure=measure):
            unit = _unit(criterion)
            limits = [f"above {criterion.above:f} {unit}"] if criterion.above is not None else []
            limits += [f"below {criterion.below:f} {unit}"] if criterion.below is not None else []
            return f"{measure} {' or '.join(limits)} for longer than {format_duration(criterion.longer_than)}"
        case SharedContainer(code=code):
            return f"was in one container with {code}"
        case Codes(codes=codes):
            named = ", ".join(codes[:_NAMED_MOST])
            return named if len(codes) <= _NAMED_MOST else f"{len(codes)} codes: {named}, ..."
        case AllOf(parts=parts):
            return " and ".join(_bracketed(part, _english(part), "()") for part in parts)
        case AnyOf(parts=parts):
            return " or ".join(_bracketed(part, _english(part), "()") for part in parts)
        case Not(part=part):
            return f"not ({_english(part)})"
    raise InputError(f"{criterion!r:.100} is no criterion that has words")


def _chinese(criterion: Criterion) -> str:
    match criterion:
        case Lot(product=product, lot=lot):
            return f"产品 {product} 的批次 {lot}"
        case OfProduct(product=product):
            return f"产品 {product}"
        case ByMaker(maker=maker):
            return f"生产企业 {maker} 的产品"
        case ByMerchant(merchant=merchant):
            return f"商户 {merchant} 的产品"
        case Commissioned(start=start, stop=stop):
            return f"赋码时间自 {_time(start)} 起、{_time(stop)} 之前"
        case ThroughPlace(place=place):
            return f"{_window_chinese(criterion)}曾在地点 {place}"
        case ThroughContainer(container=container):
            return f"{_window_chinese(criterion)}曾装于 {container}"
        case ByCarrier(carrier=carrier):
            return f"{_window_chinese(criterion)}曾由 {carrier} 承运"
        case Measured(measure=measure):
            unit = _unit(criterion)
            limits = [f"高于 {criterion.above:f} {unit}"] if criterion.above is not None else []
            limits += [f"低于 {criterion.below:f} {unit}"] if criterion.below is not None else []
            name = "温度" if measure == "temperature" else "湿度"
            return f"{name}{'或'.join(limits)}，持续超过 {format_duration(criterion.longer_than)}"
        case SharedContainer(code=code):
            return f"曾与 {code} 同装一箱"
        case Codes(codes=codes):
            named = "、".join(codes[:_NAMED_MOST])
            return f"追溯码 {named}" if len(codes) <= _NAMED_MOST else f"{len(codes)} 个追溯码：{named} 等"
        case AllOf(parts=parts):
            return "，且".join(_bracketed(part, _chinese(part), "（）") for part in parts)
        case AnyOf(parts=parts):
            return "，或".join(_bracketed(part, _chinese(part), "（）") for part in parts)
        case Not(part=part):
            return f"非（{_chinese(part)}）"
    raise InputError(f"{criterion!r:.100} is no criterion that has words")


def _bracketed(part: Criterion, words: str, brackets: str) -> str:
    """In brackets where `and` and `or` meet."""
    return f"{brackets[0]}{words}{brackets[1]}" if isinstance(part, AllOf | AnyOf) else words


def _unit(criterion: Measured) -> str:
    return "°C" if criterion.measure == "temperature" else "%"


def _time(nanos: int) -> str:
    """To the second where that is all: 2026-01-31 08:00:00."""
    return format_time(nanos, _BEIJING).removesuffix("+08:00").replace("T", " ")


def _window(criterion: ThroughPlace | ThroughContainer | ByCarrier) -> str:
    start = "" if criterion.start is None else f" from {_time(criterion.start)}"
    return start if criterion.stop is None else f"{start} to {_time(criterion.stop)}"


def _window_chinese(criterion: ThroughPlace | ThroughContainer | ByCarrier) -> str:
    start, stop = criterion.start, criterion.stop
    if start is None:
        return "" if stop is None else f"至 {_time(stop)} "
    return f"自 {_time(start)} 起" if stop is None else f"自 {_time(start)} 至 {_time(stop)} "
