"""Times: xsd:dateTimeStamp <-> nanoseconds since 1970-01-01T00:00:00Z, and zone offsets in minutes.

The calendar is the proleptic Gregorian one of `datetime.date`; the range is that of a signed 64-bit number of
nanoseconds (1677 to 2262). Leap seconds (:60) and 24:00:00 are refused: they have a second spelling or none
here.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from tracechain.errors import InputError

__all__ = ["MAX_OFFSET", "MAX_TIME", "MIN_TIME", "format_offset", "format_time", "parse_offset", "parse_time"]

MIN_TIME = -(1 << 63)
MAX_TIME = (1 << 63) - 1
MAX_OFFSET = 14 * 60

SECOND = 1_000_000_000
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

TIME_STAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,9}))?"
    r"(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
)
OFFSET = re.compile(r"[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)")


def parse_offset(text: str) -> int:
    """Minutes east of UTC of an eventTimeZoneOffset such as "+08:00"; InputError if it is none."""
    if OFFSET.fullmatch(text) is None:
        raise InputError(f"{text!r} is no time zone offset: write +hh:mm or -hh:mm, at most 14:00")
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return -minutes if text[0] == "-" else minutes


def format_offset(minutes: int) -> str:
    """`minutes` east of UTC as "+hh:mm"; the inverse of `parse_offset`."""
    if not -MAX_OFFSET <= minutes <= MAX_OFFSET:
        raise InputError(f"{minutes} minutes is no time zone offset: from -840 to 840")
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def parse_time(text: str) -> int:
    """Nanoseconds since 1970 UTC of an xsd:dateTimeStamp.

    The zone is mandatory, a fraction has at most nine digits. InputError says what is wrong.
    """
    match = TIME_STAMP.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is no time: write YYYY-MM-DDThh:mm:ss[.fraction] and Z or +hh:mm")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - EPOCH_ORDINAL
    except ValueError:
        raise InputError(f"{text!r} is no time: the calendar has no such day") from None
    minutes = int(hour) * 60 + int(minute)
    if zone != "Z":
        minutes -= parse_offset(zone)
    nanos = (days * 86_400 + minutes * 60 + int(second)) * SECOND
    if fraction is not None:
        nanos += int(fraction.ljust(9, "0"))
    if not MIN_TIME <= nanos <= MAX_TIME:
        raise InputError(f"{text!r} is out of range: times go from 1677 to 2262")
    return nanos


def format_time(nanos: int, offset: int = 0) -> str:
    """xsd:dateTimeStamp of `nanos` since 1970 UTC, in the zone `offset` minutes east of UTC.

    "Z" for offset 0; the fraction has as many digits as it needs. `parse_time` gives `nanos` back.
    """
    if not MIN_TIME <= nanos <= MAX_TIME:
        raise InputError(f"{nanos} is out of range: times are signed 64-bit numbers of nanoseconds")
    zone = "Z" if offset == 0 else format_offset(offset)
    seconds, fraction = divmod(nanos, SECOND)
    days, rest = divmod(seconds + offset * 60, 86_400)
    day = date(1970, 1, 1) + timedelta(days=days)
    point = f".{fraction:09}".rstrip("0") if fraction else ""
    return f"{day.isoformat()}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{point}{zone}"
