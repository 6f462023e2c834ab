"""Everything an attacker could do to a ledger's database, by name: verification has to find each.

`TAMPERINGS[name](path, power)` does it to a closed ledger made with the test keys (`scanner.sample_ledger` has all they
need); `.codes[power]` is the finding that has to come out, `.doc` says what the attacker does. The three powers:

    disk       the database file is altered, nothing else
    log key    and tree, index, checkpoint and anchor are made to fit the altered headers, signed with the log key
    operator   and before that all commitments, row hashes and headers are made to fit the altered parts

`PRUNINGS` are likewise those of what was pruned: they are done to a `by_hand.pruned_ledger`.

`duplicate`, `put_back` and `drop_tail` deal in whole copies, where nothing in the copy is wrong: opening against the
anchor finds them, or `verify(since=...)` with a checkpoint that somebody kept. `pardon` lets a broken rule vanish: only
`verify_rules` finds that. `edit`, `reseal` and `resign` are for tamperings of your own.
"""

from tracechain.testing.tamper.authors import AUTHORS
from tracechain.testing.tamper.chains import CHAINS
from tracechain.testing.tamper.copies import drop_tail, duplicate, put_back
from tracechain.testing.tamper.database import Log, database, edit, flip, read, reseal, resign
from tracechain.testing.tamper.entries import ENTRIES
from tracechain.testing.tamper.pardons import pardon
from tracechain.testing.tamper.parts import PARTS
from tracechain.testing.tamper.pruning import PRUNINGS as _PRUNINGS
from tracechain.testing.tamper.registry import Power, Tampering, tampering

__all__ = [
    "PRUNINGS",
    "TAMPERINGS",
    "Log",
    "Power",
    "Tampering",
    "database",
    "drop_tail",
    "duplicate",
    "edit",
    "flip",
    "pardon",
    "put_back",
    "read",
    "reseal",
    "resign",
    "tampering",
]

#: All tamperings by name.
TAMPERINGS: dict[str, Tampering] = {one.name: one for one in (*PARTS, *ENTRIES, *AUTHORS, *CHAINS)}
#: Those of pruning, which are done to a ledger that was pruned (`by_hand.pruned_ledger`).
PRUNINGS: dict[str, Tampering] = {one.name: one for one in _PRUNINGS}
