"""Calendar arithmetic on days: whole numbers, counted from 1970-01-01 in Asia/Shanghai (docs/format.md section 5.9).

Asia/Shanghai is UTC+8 without summer time, so a day is 86,400,000 ms and no table of time zones is needed. A calendar
year or month after a day is the day of that number in the month it leads to, or that month's last day where it has no
such day: 2024-02-29 + 2 years is 2026-02-28, and + 4 years is 2028-02-29.

    >>> str(date_of(add(day_of(dt.date(2024, 2, 29)), parse_term("2 years"))))
    '2026-02-28'

Days are plain ints without end: a header may be forged to lie a million years ahead, and arithmetic on it has to
go on all the same. What a `datetime.date` cannot say, `format_day` can.
"""

from __future__ import annotations

import datetime as dt
import re
from itertools import zip_longest

from attrs import field, frozen

from tracechain.errors import InputError

__all__ = [
    "EAST_MS",
    "MAX_TERM",
    "MS_PER_DAY",
    "Term",
    "add",
    "date_of",
    "day_of",
    "first_ms",
    "floor_day",
    "floor_of",
    "format_day",
    "format_term",
    "parse_day",
    "parse_term",
    "shanghai_day",
    "year_of",
]

MS_PER_DAY = 86_400_000
#: Asia/Shanghai is this much ahead of UTC.
EAST_MS = 8 * 3_600_000
#: The most years, months and days a term may have: 1,000 years of each.
MAX_TERM = (1000, 12_000, 366_000)

_EPOCH = dt.date(1970, 1, 1).toordinal()
_FIRST, _LAST = dt.date.min.toordinal() - _EPOCH, dt.date.max.toordinal() - _EPOCH
#: The Gregorian calendar repeats after this many days, which are 400 years.
_CYCLE = 146_097
_NAMES = ("year", "month", "day")
_PART = re.compile(r"(0|[1-9][0-9]{0,5}) (year|month|day)s?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@frozen
class Term:
    """A length of time by the calendar: years and months first, then days."""

    years: int = field(default=0)
    months: int = field(default=0)
    days: int = field(default=0)

    def __attrs_post_init__(self) -> None:
        for name, number, most in zip(_NAMES, (self.years, self.months, self.days), MAX_TERM, strict=True):
            if type(number) is not int or not 0 <= number <= most:
                raise InputError(f"a term of {number!r:.60} {name}s: it must be a whole number from 0 to {most}")

    @property
    def total_months(self) -> int:
        """Years and months, in months: all that counts of them."""
        return self.years * 12 + self.months

    def __str__(self) -> str:
        return format_term(self)


def format_term(term: Term) -> str:
    """The term in words that `parse_term` reads: "5 years 30 days"; nothing is "0 days"."""
    numbers = zip((term.years, term.months, term.days), _NAMES, strict=True)
    return " ".join(f"{n} {name}{'' if n == 1 else 's'}" for n, name in numbers if n) or "0 days"


def parse_term(text: str) -> Term:
    """Read "2 years", "18 months", "5 years 30 days": years, months, days, in this order, each once at most."""
    words = text.split(" ") if type(text) is str else []
    found: dict[str, int] = {}
    for pair in zip_longest(words[::2], words[1::2], fillvalue=""):
        match = _PART.fullmatch(" ".join(pair))
        if match is None or (found and _NAMES.index(match[2]) <= max(map(_NAMES.index, found))):
            found.clear()
            break
        found[match[2]] = int(match[1])
    if not found:
        raise InputError(f"{text!r:.60} is no term: write such as 2 years, 18 months, 180 days, or 5 years 30 days")
    return Term(*(found.get(name, 0) for name in _NAMES))


def add(day: int, term: Term) -> int:
    """The day that is `term` after `day`: months on by the calendar, its last day where a month is too short, then
    days."""
    months = term.years * 12 + term.months
    if months:
        cycles, within = divmod(day, _CYCLE)
        date = dt.date.fromordinal(_EPOCH + within)  # 1970 to 2370: the calendar of any other 400 years is the same
        total = date.year * 12 + date.month - 1 + months
        more, rest = divmod(total - 1970 * 12, 4800)
        year, month = divmod(rest + 1970 * 12, 12)
        day = (cycles + more) * _CYCLE + _ordinal(year, month + 1, date.day) - _EPOCH
    return day + term.days


def _ordinal(year: int, month: int, day: int) -> int:
    """The day's ordinal, or that of the last day of its month."""
    if day > 28:
        following = dt.date(year + month // 12, month % 12 + 1, 1).toordinal()
        return min(dt.date(year, month, 1).toordinal() + day, following) - 1
    return dt.date(year, month, day).toordinal()


def shanghai_day(ms: int) -> int:
    """The day in Asia/Shanghai of milliseconds since 1970 (UTC)."""
    return (ms + EAST_MS) // MS_PER_DAY


def first_ms(day: int) -> int:
    """The first millisecond of a day in Asia/Shanghai, since 1970 (UTC)."""
    return day * MS_PER_DAY - EAST_MS


def day_of(date: dt.date) -> int:
    """The day of a calendar date. A datetime is refused: which day it falls on depends on where."""
    if isinstance(date, dt.datetime):
        raise InputError(f"{date} is a time: give a date, or its milliseconds to shanghai_day")
    return date.toordinal() - _EPOCH


def date_of(day: int) -> dt.date:
    """The calendar date of a day; the last one there is (the first one) for what lies beyond the years 1 to 9999."""
    return dt.date.fromordinal(_EPOCH + min(max(day, _FIRST), _LAST))


def year_of(day: int) -> int:
    """The calendar year of a day, whatever it is."""
    cycles, within = divmod(day, _CYCLE)
    return dt.date.fromordinal(_EPOCH + within).year + 400 * cycles


def format_day(day: int) -> str:
    """The date as YYYY-MM-DD, with more digits for a year over 9999."""
    cycles, within = divmod(day, _CYCLE)
    date = dt.date.fromordinal(_EPOCH + within)
    return f"{date.year + 400 * cycles:04d}-{date.month:02d}-{date.day:02d}"


def parse_day(text: str) -> int:
    """The day of a date written YYYY-MM-DD."""
    try:
        if type(text) is str and _DATE.fullmatch(text):
            return day_of(dt.date.fromisoformat(text))
    except ValueError:
        pass
    raise InputError(f"{text!r:.60} is no date: write such as 2034-12-31")


def floor_day(receipt_ms: int) -> int:
    """The day until which nothing received at `receipt_ms` goes, whatever any policy says: 31 December of the year
    after that of receipt. Accounts of buyers, which rules look at, span that long (docs/format.md section 7.5)."""
    return floor_of(shanghai_day(receipt_ms))


def floor_of(receipt_day: int) -> int:
    """The same, of a day of receipt."""
    cycles, within = divmod(receipt_day, _CYCLE)
    year = dt.date.fromordinal(_EPOCH + within).year
    return cycles * _CYCLE + dt.date(year + 1, 12, 31).toordinal() - _EPOCH
