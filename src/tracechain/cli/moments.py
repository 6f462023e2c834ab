"""Days and times that people ask for: --as-of and --at."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import click
from attrs import frozen

from tracechain.cli.output import BEIJING
from tracechain.errors import InputError
from tracechain.event import format_time, parse_time
from tracechain.rules import shanghai_day

__all__ = [
    "Asked", "as_of_option", "asked_day", "asked_time", "claimed_nanos", "claimed_option", "end_of_day", "stated_day",
]  # fmt: skip

_MS = 1_000_000
_EPOCH = date(1970, 1, 1)


@frozen
class Asked:
    """What was asked for: receipt times up to `millis`, which is in `day` in Beijing."""

    millis: int
    day: date


def end_of_day(day: date) -> int:
    """The last millisecond of a day in Beijing, since 1970."""
    return ((day - _EPOCH + timedelta(days=1)).days * 86_400 - BEIJING * 60) * 1000 - 1


def stated_day(text: str, option: str) -> date:
    """A day as an option states it; InputError names the option."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InputError(f"{option} {text[:40]!r} is no day of the calendar: write YYYY-MM-DD")
    return day


def as_of_option(command: Any) -> Any:
    """The option --as-of of commands that look back."""
    return click.option(
        "--as-of", metavar="DATE",
        help="What was recorded by the end of that day in Beijing (YYYY-MM-DD), or by a time with its zone [now].",
    )(command)  # fmt: skip


def asked_day(text: str | None, now: int) -> Asked:
    """A day (its end, in Beijing) or a time with a zone; `now` (ms) where nothing was asked for. InputError for what
    is neither."""
    if text is None:
        return Asked(now, shanghai_day(now * _MS))
    if "T" in text or " " in text:
        try:
            nanos = parse_time(text)
        except InputError as error:
            raise InputError(f"--as-of: {error}") from None
        return Asked(nanos // _MS, shanghai_day(nanos))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InputError(f"--as-of {text[:40]!r} is no day of the calendar: write YYYY-MM-DD, or a time with its zone")
    return Asked(end_of_day(day), day)


def asked_time(text: str | None, now: int) -> str:
    """A time with a zone as scan files have it: what was asked for, or `now` (ms) by Beijing's clock."""
    return format_time(now * _MS, BEIJING) if text is None else text


def claimed_option(command: Any) -> Any:
    """The option --as-of of commands that ask where things were."""
    return click.option(
        "--as-of", metavar="TIME",
        help="By what is claimed for up to that day's end in Beijing (YYYY-MM-DD), or that time with its zone [now].",
    )(command)  # fmt: skip


def claimed_nanos(text: str | None, option: str = "--as-of", *, begin: bool = False) -> int | None:
    """Nanoseconds of a time with a zone, or of a day in Beijing: its last one, or with `begin` its first. None for
    None; InputError names the option."""
    if text is None:
        return None
    if "T" in text or " " in text:
        try:
            return parse_time(text)
        except InputError as error:
            raise InputError(f"{option}: {error}") from None
    try:
        asked = asked_day(text, 0)
    except InputError as error:
        raise InputError(f"{option}{str(error).removeprefix('--as-of')}") from None
    last = (asked.millis + 1) * _MS - 1
    return last - 86_400_000 * _MS + 1 if begin else last
