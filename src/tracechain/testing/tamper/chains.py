"""Tamperings of the chains: what the ledger itself says of its units, by rows."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from tracechain.custody import Act
from tracechain.entry import EntryType, Row
from tracechain.testing.tamper.database import Log, edit
from tracechain.testing.tamper.registry import tampering
from tracechain.verification.findings import Code

__all__ = ["CHAINS"]


def _violated(log: Log) -> int:
    """An entry whose only row has a violation."""
    for index in range(len(log)):
        rows = log.row_list(index)[1]
        if len(rows) == 1 and rows[0].violations:
            return index
    raise AssertionError("no event of the ledger broke a rule")


def _wide(log: Log) -> int:
    """An event with several rows, whose subjects have later entries, too."""
    return next(i for i in range(len(log)) if len(log.row_list(i)[1]) > 3)


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_FIRST)
def second_claims_first(path: Path) -> None:
    """A unit's second entry says that it is its first: its past is cut off."""
    with edit(path) as log:
        index, position = log.linked_row()
        log.set_row(index, position, previous=None)


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_LINK)
def link_skips(path: Path) -> None:
    """A unit's entry names the one before the one before it: an entry in between is passed over."""
    with edit(path) as log:
        index, position = log.linked_row(reach=2)
        row = log.row_list(index)[1][position]
        assert row.previous is not None
        before = next(r for r in log.row_list(row.previous)[1] if r.subject == row.subject)
        log.set_row(index, position, previous=before.previous)


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_LINK)
def link_strays(path: Path) -> None:
    """A unit's entry names one that is not the unit's."""
    with edit(path) as log:
        index, position = log.linked_row()
        log.set_row(index, position, previous=log.find(EntryType.STATEMENT))


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_LINK)
def link_forward(path: Path) -> None:
    """A unit's entry names itself as the one before: whoever follows it never ends."""
    with edit(path) as log:
        index, position = log.linked_row()
        log.set_row(index, position, previous=index)


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_STATE)
def state_changed(path: Path) -> None:
    """A pack that was destroyed is active again."""
    with edit(path) as log:
        log.set_row(_violated(log), 0, state=1)


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_VIOLATIONS)
def violation_removed(path: Path) -> None:
    """That a rule was broken is hidden."""
    with edit(path) as log:
        log.set_row(_violated(log), 0, violations=())


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_VIOLATIONS)
def violation_added(path: Path) -> None:
    """A rule is said to be broken that was not."""
    with edit(path) as log:
        log.set_row(_wide(log), 1, violations=(1,))


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_ACT, also=[Code.ROW_STATE])
def act_changed(path: Path) -> None:
    """A destruction is passed off as a mere scan: the pack lives on."""
    with edit(path) as log:
        index = next(i for i in range(len(log)) if any(r.act == Act.END for r in log.row_list(i)[1]))
        log.set_row(index, 0, act=int(Act.SEE), state=1)


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_SUBJECTS, also=[Code.ROW_LINK])
def row_removed(path: Path) -> None:
    """One of the units that an event names gets no row: its history does not show the event."""
    with edit(path) as log:
        index = _wide(log)
        log.set_rows(index, [r for n, r in enumerate(log.row_list(index)[1]) if n != 2])


@tampering(Code.ROW_ROOT, Code.ROW_ROOT, Code.ROW_SUBJECTS)
def row_added(path: Path) -> None:
    """A unit that the event does not name gets a row: a history is made up."""
    with edit(path) as log:
        index = _wide(log)
        rows = log.row_list(index)[1]
        stray = Row("urn:tracechain:made-up", int(Act.SEE), None, 1)
        log.set_rows(index, sorted((*rows, stray), key=lambda row: row.subject.encode()))


@tampering(Code.ROWS_MALFORMED, Code.ROWS_MALFORMED, Code.ROWS_MALFORMED, also=[Code.ROW_LINK])
def rows_out_of_order(path: Path) -> None:
    """Rows that do not ascend: a second spelling of the same rows."""
    with edit(path) as log:
        index = _wide(log)
        rows = log.row_list(index)[1]
        log.set_rows(index, [rows[0], rows[2], rows[1], *(evolve(row) for row in rows[3:])])


CHAINS = (
    second_claims_first, link_skips, link_strays, link_forward, state_changed, violation_removed, violation_added,
    act_changed, row_removed, row_added, rows_out_of_order,
)  # fmt: skip
