"""Verification: pure over a View, every finding a value.

Nothing here trusts an index, a stored node or a key in the log that the caller did not bring or a signature did not
lead to. `verify` takes what depends on registers, buyers and dates on trust; `verify_rules` judges it again.
"""

from tracechain.verification.findings import Code, Finding, Report, SealVerdict, Witnessed
from tracechain.verification.processes import verify_in_processes
from tracechain.verification.rules import verify_rules
from tracechain.verification.unit import Link, UnitReport, verify_unit
from tracechain.verification.verify import verify

__all__ = [
    "Code",
    "Finding",
    "Link",
    "Report",
    "SealVerdict",
    "UnitReport",
    "Witnessed",
    "verify",
    "verify_in_processes",
    "verify_rules",
    "verify_unit",
]
