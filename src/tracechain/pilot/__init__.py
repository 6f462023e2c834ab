"""The pilot's obligations as pure functions over a view, and its limits, days and lists as data.

    load_profile("beijing")                what the rules judge by; load_profile("mine.toml") for another
    standing_of, lookup, history, listing  the registers, now and as of a day
    check(view, event, now)                what recording an event would come to, before a sale
    alerts(view, now)                      what somebody has to look at, with reasons
    violations(view)                       the rules that were broken, with counts and entries
    overdue(view, today)                   what the registers say has run out, or does not suffice
    cases, stopped, compensations          cases step by step, orders in force, money paid in advance

Nothing here reads a clock or a disk: a live snapshot, a bundle and a replay give the same answers.
"""

from tracechain.pilot.alert import Alert, AlertKind, Severity
from tracechain.pilot.alerts import alerts
from tracechain.pilot.cases import CaseFile, Compensations, StopInForce, cases, compensations, stopped
from tracechain.pilot.check import Finding, SubjectVerdict, Verdict, check, check_code, plain_event
from tracechain.pilot.hints import known_like
from tracechain.pilot.overdue import Overdue, overdue
from tracechain.pilot.profiles import load_profile, profile_names
from tracechain.pilot.register import (
    Version,
    history,
    listing,
    lookup,
    next_record,
    next_records,
    published,
    shown,
    standing_of,
)
from tracechain.pilot.violations import Broken, violations

__all__ = [
    "Alert",
    "AlertKind",
    "Broken",
    "CaseFile",
    "Compensations",
    "Finding",
    "Overdue",
    "Severity",
    "StopInForce",
    "SubjectVerdict",
    "Verdict",
    "Version",
    "alerts",
    "cases",
    "check",
    "check_code",
    "compensations",
    "history",
    "known_like",
    "listing",
    "load_profile",
    "lookup",
    "next_record",
    "next_records",
    "overdue",
    "plain_event",
    "profile_names",
    "published",
    "shown",
    "standing_of",
    "stopped",
    "violations",
]
