"""The LMDB store: layout, index, one write transaction, snapshots (docs/format.md section 11).

The only importer of lmdb.
"""

from tracechain.store.environment import Environment
from tracechain.store.generations import Compaction
from tracechain.store.index import UnitIndex
from tracechain.store.snapshot import Snapshot
from tracechain.store.store import Store
from tracechain.store.tip import Tip
from tracechain.store.transaction import Transaction
from tracechain.store.vault import Kept, Restriction, Vault

__all__ = [
    "Compaction",
    "Environment",
    "Kept",
    "Restriction",
    "Snapshot",
    "Store",
    "Tip",
    "Transaction",
    "UnitIndex",
    "Vault",
]
