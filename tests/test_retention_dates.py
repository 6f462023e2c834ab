"""Days in Asia/Shanghai and terms by the calendar (docs/format.md section 5.9)."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracechain.errors import InputError
from tracechain.retention.dates import (
    MAX_TERM,
    Term,
    add,
    date_of,
    day_of,
    first_ms,
    floor_day,
    floor_of,
    format_day,
    format_term,
    parse_day,
    parse_term,
    shanghai_day,
    year_of,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
TERMS = st.builds(Term, st.integers(0, 60), st.integers(0, 30), st.integers(0, 800))
DATES = st.dates(dt.date(1850, 1, 1), dt.date(2400, 12, 31))


@pytest.mark.parametrize(
    ("date", "term", "wanted"),
    [
        ("2024-02-29", "2 years", "2026-02-28"),
        ("2024-02-29", "4 years", "2028-02-29"),
        ("2096-02-29", "4 years", "2100-02-28"),
        ("2096-02-29", "8 years", "2104-02-29"),
        ("1996-02-29", "4 years", "2000-02-29"),
        ("2024-02-28", "2 years", "2026-02-28"),
        ("2025-02-28", "3 years", "2028-02-28"),
        ("2024-01-31", "1 month", "2024-02-29"),
        ("2025-01-31", "1 month", "2025-02-28"),
        ("2025-08-31", "18 months", "2027-02-28"),
        ("2024-12-31", "2 months", "2025-02-28"),
        ("2024-02-29", "12 months", "2025-02-28"),
        ("2024-02-29", "1 year 1 day", "2025-03-01"),
        ("2024-12-31", "1 day", "2025-01-01"),
        ("2026-01-31", "180 days", "2026-07-30"),
        ("2024-01-31", "1 month 1 day", "2024-03-01"),
        ("1969-12-31", "1 day", "1970-01-01"),
        ("2024-02-29", "0 days", "2024-02-29"),
        ("9999-12-31", "1 day", "10000-01-01"),
        ("9996-02-29", "1000 years", "10996-02-29"),
    ],
)
def test_terms_are_added_by_the_calendar(date: str, term: str, wanted: str) -> None:
    assert format_day(add(parse_day(date), parse_term(term))) == wanted


@given(DATES, TERMS)
def test_adding_agrees_with_the_calendar_of_the_standard_library(date: dt.date, term: Term) -> None:
    year, month = divmod(date.year * 12 + date.month - 1 + term.total_months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    wanted = dt.date(year, month + 1, min(date.day, last)) + dt.timedelta(days=term.days)
    assert date_of(add(day_of(date), term)) == wanted


@given(st.integers(-(10**6), 1 << 40), st.integers(0, 800), TERMS)
def test_what_begins_no_earlier_ends_no_earlier(day: int, later: int, term: Term) -> None:
    assert add(day, term) <= add(day + later, term)


@given(st.integers(-(10**6), 1 << 40), TERMS, TERMS)
def test_a_longer_term_ends_no_earlier(day: int, term: Term, more: Term) -> None:
    longer = Term(term.years + more.years, term.months + more.months, term.days + more.days)
    assert day <= add(day, term) <= add(day, longer)


@given(st.integers(0, 100_000), TERMS, st.integers(1, 10**6))
def test_the_calendar_is_the_same_400_years_later(day: int, term: Term, cycles: int) -> None:
    assert add(day + cycles * 146_097, term) == add(day, term) + cycles * 146_097


@given(st.datetimes(dt.datetime(1992, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(SHANGHAI)))  # noqa: DTZ001 # a zone is given beside
def test_a_day_is_that_of_the_clocks_in_shanghai(time: dt.datetime) -> None:
    ms = round(time.timestamp() * 1000)
    assert date_of(shanghai_day(ms)) == dt.datetime.fromtimestamp(ms / 1000, SHANGHAI).date()


def test_a_day_begins_at_16_hours_utc_of_the_day_before() -> None:
    midnight = 1_709_136_000_000  # 2024-02-28T16:00:00Z
    assert format_day(shanghai_day(midnight)) == "2024-02-29"
    assert format_day(shanghai_day(midnight - 1)) == "2024-02-28"
    assert shanghai_day(0) == 0


@given(st.integers(-(10**9), 10**12))
def test_the_first_millisecond_of_a_day_is_the_first(day: int) -> None:
    assert shanghai_day(first_ms(day)) == day
    assert shanghai_day(first_ms(day) - 1) == day - 1


@given(DATES)
def test_a_date_is_written_and_read(date: dt.date) -> None:
    assert format_day(day_of(date)) == date.isoformat()
    assert parse_day(date.isoformat()) == day_of(date)
    assert date_of(day_of(date)) == date
    assert year_of(day_of(date)) == date.year


def test_what_a_date_cannot_say_is_the_last_date_there_is() -> None:
    assert date_of(1 << 60) == dt.date.max
    assert date_of(-(1 << 60)) == dt.date.min
    assert format_day((1 << 32) - 1) == "11761191-01-20"
    assert year_of((1 << 32) - 1) == 11_761_191


@pytest.mark.parametrize(
    "text",
    ["", "2024-2-29", "2023-02-29", "20240229", "2024-02-29T00:00", "２０２４-02-29", " 2024-02-29", "2024-W09-4"],
)
def test_another_spelling_of_a_date_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="write such as 2034-12-31"):
        parse_day(text)


def test_a_time_is_no_date() -> None:
    with pytest.raises(InputError, match="is a time"):
        day_of(dt.datetime(2024, 2, 29, tzinfo=dt.UTC))


@given(TERMS)
def test_a_term_is_written_and_read(term: Term) -> None:
    assert parse_term(format_term(term)) == term
    assert str(term) == format_term(term)


def test_terms_in_words() -> None:
    assert format_term(Term()) == "0 days"
    assert format_term(Term(1, 0, 1)) == "1 year 1 day"
    assert parse_term("5 years 30 days") == Term(years=5, days=30)
    assert parse_term("1 years") == parse_term("1 year") == Term(years=1)


@pytest.mark.parametrize(
    "text",
    ["", "2", "years", "2years", "2 Years", "02 years", "+2 years", "-2 years", "2_0 years", "２ years", "2.5 years",
     "30 days 5 years", "2 years 3 years", "2 years, 3 days", "2  years", "2 years ", "2 weeks", "1 year months"],
)  # fmt: skip
def test_another_spelling_of_a_term_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="write such as 2 years"):
        parse_term(text)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("number", [-1, "2", 2.0, True, None])
def test_a_term_holds_whole_numbers(place: int, number: object) -> None:
    values: list[Any] = [0, 0, 0]
    values[place] = number
    with pytest.raises(InputError, match="whole number"):
        Term(*values)


def test_a_term_is_a_thousand_years_at_most() -> None:
    assert Term(*MAX_TERM).total_months == 24_000
    for values in ((1001, 0, 0), (0, 12_001, 0), (0, 0, 366_001)):
        with pytest.raises(InputError, match="from 0 to"):
            Term(*values)
    with pytest.raises(InputError, match="from 0 to 1000"):
        parse_term("1001 years")


def test_nothing_goes_in_the_year_it_came_nor_in_the_next() -> None:
    for receipt, floor in (
        ("2026-01-01", "2027-12-31"),
        ("2026-12-31", "2027-12-31"),
        ("2027-01-01", "2028-12-31"),
        ("1970-01-01", "1971-12-31"),
    ):
        day = parse_day(receipt)
        assert format_day(floor_day(first_ms(day))) == floor
        assert floor_day(first_ms(day + 1) - 1) == floor_of(day)


@given(st.integers(0, (1 << 64) - 1))
def test_the_floor_of_any_receipt_time_is_the_end_of_the_year_after(ms: int) -> None:
    floor = floor_day(ms)
    assert format_day(floor)[-6:] == "-12-31"
    assert year_of(floor) == year_of(shanghai_day(ms)) + 1
