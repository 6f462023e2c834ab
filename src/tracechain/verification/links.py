"""One row held against where its subject stood before: the link of a chain, and the state after it.

Where the rows of the entry that a row names are not kept, nobody can tell any more whether they were of its subject,
and where it stood. The link is believed then (the row's hash still covers that entry's leaf), and the row has to be one
that could follow from some state. What is gone is a prefix of each chain, so this is asked of the first row that is
left of a subject and of no other.
"""

from __future__ import annotations

from functools import lru_cache

from tracechain import custody
from tracechain.custody import EXPIRY_SHIFT, Act, Flag
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import Row
from tracechain.verification.covering import Word
from tracechain.verification.findings import Code, Findings
from tracechain.verification.lost import rows_lost
from tracechain.view import View

__all__ = ["believed", "check_alone", "check_link", "possible", "stated_rules"]

_MAKES = frozenset(map(int, (Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE)))
_BELOW_EXPIRY = (1 << EXPIRY_SHIFT) - 1
assert max(Flag) <= _BELOW_EXPIRY


def stated_rules(stored: bytes) -> int:
    """The rule set that stored rows name, 0 where that cannot be read: they begin with an array of it and groups."""
    at = 1 if stored[:1] < b"\xdc" else 3
    return stored[at] if len(stored) > at and stored[at] < 0x80 else 0


def believed(view: View, index: int, row: Row, word: Word | None) -> bool:
    """Whether a row of entry `index` names an entry whose rows are not kept, later than any that is left of its
    subject: `word` is where that leaves it."""
    before = row.previous
    return before is not None and (word or 0) & INDEX_MASK <= before < index and rows_lost(view, before)


def check_link(findings: Findings, index: int, row: Row, word: Word | None, rule_set: int) -> None:
    """Hold a row against where its subject stood before: `word` is that, None for a subject nobody has seen."""
    before = (word or 0) & INDEX_MASK
    if row.previous is None and before:
        findings.add(
            Code.ROW_FIRST, index, f"the row claims to be the first, entry {before - 1} was before", row.subject
        )
    elif (row.previous is None) is not (before == 0) or (row.previous is not None and row.previous + 1 != before):
        said = "none" if row.previous is None else row.previous
        was = "none" if not before else before - 1
        findings.add(Code.ROW_LINK, index, f"the row names entry {said} as the one before, it is {was}", row.subject)
    if rule_set not in custody.TABLES:
        return
    state = (word or 0) >> STATE_SHIFT
    try:
        expected = custody.TABLES[rule_set][state, row.act]
        right, complete = custody.agrees(rule_set, state, row.act, row.state, row.violations)
    except KeyError:
        findings.add(Code.ROW_ACT, index, f"act {row.act} is not possible in state {state}", row.subject)
        return
    if not right:
        findings.add(Code.ROW_STATE, index, f"state {row.state}, the rules give {expected[0]}", row.subject)
    elif not complete:
        findings.add(
            Code.ROW_VIOLATIONS, index, f"violations {row.violations}, the rules give {expected[1]}", row.subject
        )


def check_alone(findings: Findings, index: int, row: Row, word: Word | None, rule_set: int) -> None:
    """Check a row whose link is believed: that there is a state which it could follow from. That an older row of its
    subject is still there (`word`) is a finding: rows go oldest first."""
    if word:
        findings.add(
            Code.PRUNE_ORDER,
            row.previous,
            f"its rows are gone, and those of entry {(word & INDEX_MASK) - 1}, which came before it, are there",
            row.subject,
        )
    if rule_set in custody.TABLES and not possible(rule_set, row.act, row.state, row.violations):
        findings.add(
            Code.ROW_STATE,
            index,
            f"state {row.state} and violations {row.violations} follow from act {row.act} in no state at all",
            row.subject,
        )


def possible(rule_set: int, act: int, state: int, codes: tuple[int, ...]) -> bool:
    """Whether a row can follow from some state before (format.md section 7): the act is known, and its outcome is one
    that the table has."""
    if not codes and rule_set == custody.PILOT and act & custody.ACT_MASK not in _MAKES:
        state &= _BELOW_EXPIRY  # which such an act takes over as it is
    return _possible(rule_set, act, state, codes)


@lru_cache(1 << 16)
def _possible(rule_set: int, act: int, state: int, codes: tuple[int, ...]) -> bool:
    # A violation leaves the state alone, so there the state before is known after all.
    befores = (state,) if codes else (0, state, *range(_BELOW_EXPIRY + 1))
    return any(_agrees(rule_set, before, act, state, codes) for before in befores)


def _agrees(rule_set: int, before: int, act: int, state: int, codes: tuple[int, ...]) -> bool:
    try:
        return all(custody.agrees(rule_set, before, act, state, codes))
    except KeyError:
        return False
