"""What only a replay finds: an operator with every key lets a broken rule vanish and makes everything fit again."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from tracechain import custody
from tracechain.entry import Row
from tracechain.ledger import Ledger
from tracechain.signing import Signer
from tracechain.testing.tamper.database import Log, edit, reseal, resign

__all__ = ["pardon"]


def pardon(path: Path, index: int, signer: Signer) -> tuple[str, ...]:
    """Let what an entry of a closed ledger broke look lawful: its rows lose their violations, and get the state that
    the event would have led to. Then all of it is sealed, signed with the log key, anchored and indexed anew.

    Returns the subjects. `verify` cannot object, as authors sign contents and no rows; `verify_rules` does. Only
    violations in `custody.CONTEXTUAL` can go this way: the others, `verify` judges by itself. What came after the entry
    stays, so take the latest of its subjects.
    """
    with edit(path) as log:
        rule_set, rows = log.row_list(index)
        pardoned = tuple(row.subject for row in rows if row.violations)
        assert pardoned, f"entry {index} broke no rule"
        log.set_rows(index, [_lawful(log, rule_set, row) if row.violations else row for row in rows])
    reseal(path)
    resign(path, signer)
    with Ledger.open(path, signer=signer) as ledger:
        ledger.reindex()
    return pardoned


def _lawful(log: Log, rule_set: int, row: Row) -> Row:
    """The row as it would be had no rule been broken."""
    before = 0
    if row.previous is not None:
        before = next(one.state for one in log.row_list(row.previous)[1] if one.subject == row.subject)
    state, codes = custody.TABLES[rule_set][before, row.act]
    assert not codes, f"{row.subject}: the table itself says {', '.join(map(custody.describe, codes))}"
    return evolve(row, state=state, violations=())
