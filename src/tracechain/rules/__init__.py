"""The rules that need more than state and act: registers, buyers, dates, other entries.

`Standing` is what the registers say after the entries so far; `Judge` holds an event against it, and against what the
log says of its packs. Both are pure: the ledger at ingest, a replay from nothing, and a question before a sale use the
same functions, over different pasts (`Past`).
"""

from tracechain.rules.clauses import CLAUSES, Clause, clause_of
from tracechain.rules.guards import Anchor
from tracechain.rules.judge import JUDGED, MADE, TELLING, Judge, Past, remember, shanghai_day, shanghai_year, spend
from tracechain.rules.notes import Notes
from tracechain.rules.standing import Registered, Standing, fold

__all__ = [
    "CLAUSES",
    "JUDGED",
    "MADE",
    "TELLING",
    "Anchor",
    "Clause",
    "Judge",
    "Notes",
    "Past",
    "Registered",
    "Standing",
    "clause_of",
    "fold",
    "remember",
    "shanghai_day",
    "shanghai_year",
    "spend",
]
