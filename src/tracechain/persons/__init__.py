"""Persons: all that is held on one, a value shown so that it can be checked, what may be erased and what has to stay.

    held_on         -> PersonFile    events, identity, private values; `export_file` is its JSON form
    disclose        -> Disclosure    one value with its way to the log's signature; `check_disclosure` needs no ledger
    plan_erasure    -> ErasurePlan   erased, withheld or kept, and why; `Ledger.erase` carries it out

Pure over a view and the vault. docs/personal-data.md tells the whole story.
"""

from tracechain.persons.disclosure import (
    Disclosed,
    Disclosure,
    check_disclosure,
    disclose,
    format_disclosure,
    parse_disclosure,
)
from tracechain.persons.erasure import (
    IDENTITY,
    ErasurePlan,
    Judged,
    Verdict,
    field_commitment,
    plan_erasure,
)
from tracechain.persons.file import HeldEvent, HeldField, HeldIdentity, PersonFile, held_on
from tracechain.persons.plain import export_file, plain_plan

__all__ = [
    "IDENTITY",
    "Disclosed",
    "Disclosure",
    "ErasurePlan",
    "HeldEvent",
    "HeldField",
    "HeldIdentity",
    "Judged",
    "PersonFile",
    "Verdict",
    "check_disclosure",
    "disclose",
    "export_file",
    "field_commitment",
    "format_disclosure",
    "held_on",
    "parse_disclosure",
    "plain_plan",
    "plan_erasure",
]
