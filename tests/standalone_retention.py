"""Retention policies, worked out again from docs/format.md section 5.9 alone.

    python standalone_retention.py FILE...     vectors of the kinds "retention-dates" and "retention-headers"

Not a line of tracechain is imported; the standard library is enough. It prints how many vectors agree, exit 0; or the
first that does not, exit 1. A policy is its plain form: arrays as lists (or tuples), nil as None.
"""

import json
import sys
from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path
from typing import Any

FOREVER = (1 << 32) - 1
UNKNOWN, VOID = None, "void"
RECEIPT, EVENT, TRANSACTION, EXPIRY, RELEASE, PUBLISHED = range(6)
ZERO = date(1970, 1, 1)
KEEP, DELETE, RESTRICT = 6, 7, 8


def day_of(milliseconds: int) -> int:
    """The day in Asia/Shanghai of a time."""
    return (milliseconds + 28_800_000) // 86_400_000


def plus(day: int, term: Any) -> int:
    """A day and a term."""
    years, months, days = map(int, term)
    eras, day = divmod(day, 146_097)  # a date has four digits for the year; 400 years are always as long
    start = ZERO + timedelta(days=day)
    months += 12 * years + start.month - 1
    eras, year, month = eras + months // 4800, start.year + months % 4800 // 12, months % 12 + 1
    end = date(year, month, min(start.day, monthrange(year, month)[1]))
    return min(146_097 * eras + (end - ZERO).days + days, FOREVER)


def floor_of(day: int) -> int:
    """31 December of the year after that of a day."""
    eras, day = divmod(day, 146_097)
    return 146_097 * eras + (date((ZERO + timedelta(days=day)).year + 1, 12, 31) - ZERO).days


def come_to(bound: Any, days: dict[int, Any]) -> Any:
    """The day of a bound for one pack, or for none (days[EXPIRY] is VOID)."""
    tag, *rest = bound
    if tag == 1:
        anchor, term, missing = rest
        if days[anchor] == VOID:
            return VOID
        if days[anchor] is not UNKNOWN:
            return plus(days[anchor], term)
        return FOREVER if missing is None else plus(days[RECEIPT], missing)
    if tag == 5:
        return FOREVER
    parts = [day for part in rest if (day := come_to(part, days)) != VOID]
    if not parts:
        return VOID
    return min(parts) if tag == 3 else max(parts)


def of_entry(bound: Any, days: dict[int, Any], expiries: Any) -> Any:
    """The day of a bound for an entry: the latest over its packs."""
    return max(
        (come_to(bound, days | {EXPIRY: one}) for one in expiries), default=come_to(bound, days | {EXPIRY: VOID})
    )


def rules_of(policy: Any) -> list[Any]:
    """All rules, in order."""
    return [rule for regime in policy[1] for rule in regime[2]]


def meant(rule: Any, entry: dict[str, Any], field: str | None) -> bool:
    """Whether a rule is for an entry (no field), or for a field of it."""
    _, _, classes, products, places, fields, *_ = rule
    return (
        (not classes or entry["record_class"] in classes)
        and (not products or entry.get("product_class") in {None, *products})
        and (not places or entry.get("jurisdiction") in {None, *places})
        and (not fields or field in fields)
    )


def days_of(policy: Any, entry: dict[str, Any], field: str | None, which: int) -> list[int]:
    """What the bounds of one sort come to, of all rules that are meant."""
    days = {
        RECEIPT: entry["receipt"], EVENT: entry.get("event"), TRANSACTION: entry.get("event"),
        RELEASE: entry.get("release"), PUBLISHED: entry.get("published"),
    }  # fmt: skip
    found = [
        of_entry(rule[which], days, entry.get("expiries", ()))
        for rule in rules_of(policy)
        if rule[which] is not None and meant(rule, entry, field)
    ]
    return [day for day in found if day != VOID]


def keep_until(policy: Any, entry: dict[str, Any], field: str | None = None) -> int | None:
    """Until when an entry, or a field of it, is kept; None where no rule says anything."""
    return max(days_of(policy, entry, field, KEEP), default=None)


def upper(policy: Any, entry: dict[str, Any], field: str, which: int) -> int | None:
    """The earliest day of an upper bound of a field; None where there is none."""
    return min((day for day in days_of(policy, entry, field, which) if day < FOREVER), default=None)


def header_day(policy: Any, record_class: int, receipt_ms: int, expiries: Any) -> int:
    """The keep-until field of a header."""
    day = day_of(receipt_ms)
    days = {RECEIPT: day, EVENT: day, TRANSACTION: day, RELEASE: UNKNOWN, PUBLISHED: UNKNOWN}
    found = [
        of_entry(rule[KEEP], days, expiries)
        for rule in rules_of(policy)
        if rule[KEEP] is not None and not (rule[3] or rule[4] or rule[5]) and (not rule[2] or record_class in rule[2])
    ]
    said: list[int] = [one for one in found if one != VOID]
    if not said or max(said) >= FOREVER:
        return FOREVER
    return min(max(*said, floor_of(day)), FOREVER)


# ---- vectors -------------------------------------------------------------------------------------


def number(text: str | None) -> int | None:
    """The day of a date as a vector has it."""
    return None if text is None else (date.fromisoformat(text) - ZERO).days


def entry_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a vector with its dates as days."""
    days = {key: number(row[key]) for key in ("receipt", "event", "release", "published") if key in row}
    return row | days | {"expiries": [number(one) for one in row.get("expiries", ())]}


def check(case: dict[str, Any]) -> None:
    """ValueError where a vector says otherwise."""
    for row in case["rows"]:
        policy = case["policies"][row["policy"]]
        if case["kind"] == "retention-headers":
            said: Any = header_day(policy, row["record_class"], row["receipt_ms"], [number(e) for e in row["expiries"]])
            wanted: Any = row["keep_until"]
        else:
            entry, field = entry_of(row), row.get("field")
            keep = keep_until(policy, entry, field)
            said, wanted = [None if keep in {None, FOREVER} else keep], [number(row["keep_until"])]
            if field is not None:
                delete, restrict = (upper(policy, entry, field, which) for which in (DELETE, RESTRICT))
                said += [delete, restrict, keep is not None and delete is not None and keep > delete]
                wanted += [number(row["delete_by"]), number(row["restrict_after"]), row["crossing"]]
        if said != wanted:
            raise ValueError(f"{row['about']} {said} instead of {wanted}"[:500])


if __name__ == "__main__":
    try:
        for file in sys.argv[1:]:
            check(json.loads(Path(file).read_text("utf-8")))
        print(f"{len(sys.argv) - 1} vectors agree")
    except ValueError as error:
        sys.exit(f"MISMATCH: {error}")
