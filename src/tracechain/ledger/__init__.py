"""The ledger: one process's handle on one ledger folder, for reading and for writing."""

from tracechain.ledger.auditing import verify_ledger
from tracechain.ledger.authors import Author
from tracechain.ledger.ledger import DAY, Ledger, anchor_path, system_clock
from tracechain.ledger.receipt import Receipt, Violated

__all__ = ["DAY", "Author", "Ledger", "Receipt", "Violated", "anchor_path", "system_clock", "verify_ledger"]
