"""Every violation has a clause, words and a way out; no other code has."""

from __future__ import annotations

import re

import pytest

from tracechain.custody import RULES, Violation
from tracechain.rules import CLAUSES, clause_of

#: How a clause names its source (docs/obligations.md), or says that there is none.
SOURCE = re.compile(r"S[0-4]|EU 2016/161|\[practice\]")


def test_the_table_is_complete() -> None:
    assert list(CLAUSES) == list(Violation), "in order of their numbers, none left out"


@pytest.mark.parametrize("violation", Violation)
def test_each_says_where_it_stands_what_happened_and_what_to_do(violation: Violation) -> None:
    clause = clause_of(violation)
    assert clause is CLAUSES[violation]
    assert SOURCE.search(clause.clause)
    for text in (clause.words, clause.what_to_do):
        assert text[0].islower(), "it stands within a line"
        assert not text.endswith(".")
        assert len(text) > 15


def test_no_two_say_the_same() -> None:
    assert len({clause.words for clause in CLAUSES.values()}) == len(CLAUSES)


def test_a_code_of_a_newer_rule_set_says_that_it_is_one() -> None:
    newer = clause_of(max(Violation) + 1)
    assert newer not in CLAUSES.values()
    assert "newer" in newer.what_to_do
    assert clause_of(0) == newer


def test_the_sources_are_those_of_the_state_machine() -> None:
    """The table of custody and this one cite the same documents."""
    named = {source for rule in RULES.values() for source in SOURCE.findall(rule.clause)}
    assert named <= {source for clause in CLAUSES.values() for source in SOURCE.findall(clause.clause)}
