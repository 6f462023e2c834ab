"""Retention: how long what is kept, by which rule; what may go, what is held, what went.

- `dates`: days in Asia/Shanghai, terms by the calendar, the floor below which nothing goes.
- `bounds`, `policy`: until when, as values that compose; rules, regimes, policies, and what they say of an entry.
- `tables`: ready regimes. `files`, `toml`: policies read from files, and written.
- `holding`: what is under hold. `plan`: what may go, with a reason for every part of every entry.
- `records`, `ranges`: the records of pruning and erasing, and the sets of entries that they name.
"""

from tracechain.retention.crossing import Crossing
from tracechain.retention.dates import floor_day, format_day, parse_day, parse_term, shanghai_day
from tracechain.retention.files import parse_policy, read_policy
from tracechain.retention.policy import (
    After,
    Anchor,
    AtLeast,
    Bound,
    Earliest,
    Facts,
    FieldBounds,
    Kept,
    Latest,
    Permanent,
    Policy,
    RecordClass,
    Regime,
    Rule,
    Selector,
    Term,
)
from tracechain.retention.tables import TABLES, pilot_policy

__all__ = [
    "TABLES",
    "After",
    "Anchor",
    "AtLeast",
    "Bound",
    "Crossing",
    "Earliest",
    "Facts",
    "FieldBounds",
    "Kept",
    "Latest",
    "Permanent",
    "Policy",
    "RecordClass",
    "Regime",
    "Rule",
    "Selector",
    "Term",
    "floor_day",
    "format_day",
    "parse_day",
    "parse_policy",
    "parse_term",
    "pilot_policy",
    "read_policy",
    "shanghai_day",
]
