"""The first rules: what an event does to what it names, as docs/format.md section 7.1 says."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracechain import custody
from tracechain.custody import PLAIN, PLAIN_TABLE, Act, Custody, Violation
from tracechain.errors import InputError
from tracechain.event import (
    AggregationEvent,
    AssociationEvent,
    BizTransaction,
    ErrorDeclaration,
    Event,
    ObjectEvent,
    Quantity,
    TransactionEvent,
    TransformationEvent,
    subjects,
)
from tracechain.testing import START, strategies

FORMAT = Path(__file__).resolve().parents[1] / "docs" / "format.md"
WHEN: dict[str, Any] = {"event_time": START * 1_000_000, "time_zone_offset": 480}
CASE, PACK, OTHER, LOT = (
    "00/095212340000000013",
    "01/09521234001072/21/A",
    "01/09521234001072/21/B",
    "01/09521234001072/10/L",
)


def test_the_table_is_that_of_the_format() -> None:
    """The rows of the table in section 7.1, read from the text."""
    section = FORMAT.read_text().split("### 7.1 State")[1].split("\n## ")[0]
    assert f"Rule set {PLAIN}:" in section
    table: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[1].isdigit():
            assert Act[cells[0].upper()] == int(cells[1])
            for before, cell in enumerate(cells[3:]):
                match = re.fullmatch(r"([0-9]+)(?:, violation ([0-9]+))?", cell)
                assert match is not None, cell
                table[before, int(cells[1])] = int(match[1]), (int(match[2]),) if match[2] else ()
    assert table == {(int(s), int(a)): outcome for (s, a), outcome in PLAIN_TABLE.items()}
    assert "0 none" in section
    assert [c.name.lower() for c in Custody][:3] == ["none", "active", "dead"]


@pytest.mark.parametrize("state", list(Custody)[:3])
@pytest.mark.parametrize("act", list(Act)[:3])
def test_a_step_is_what_the_table_says(state: Custody, act: Act) -> None:
    assert custody.step(state, act) == custody.step(int(state), int(act)) == PLAIN_TABLE[state, act]


def test_what_is_gone_stays_gone_and_says_so() -> None:
    assert custody.step(Custody.DEAD, Act.SEE) == (Custody.DEAD, (Violation.DEAD_PACK,))
    assert custody.step(Custody.DEAD, Act.END) == (Custody.DEAD, (Violation.DEAD_PACK,))
    assert custody.step(Custody.DEAD, Act.NOTE) == (Custody.DEAD, ())


@given(st.lists(st.sampled_from(list(Act)[:3]), max_size=20))
def test_a_note_never_changes_anything(acts: list[Act]) -> None:
    def fold(some: list[Act]) -> tuple[int, int]:
        state = violations = 0
        for act in some:
            state, codes = custody.step(state, act)
            violations += len(codes)
        return state, violations

    assert fold(acts) == fold([act for act in acts if act != Act.NOTE])


@pytest.mark.parametrize(("state", "act"), [(3, 0), (-1, 0), (0, 3), (0, -1), (77, 77)])
def test_what_the_rules_do_not_know_is_refused(state: int, act: int) -> None:
    with pytest.raises(InputError, match="rule set 1 knows no state"):
        custody.step(state, act)


def test_outcomes_fit_into_a_row() -> None:
    for state, codes in PLAIN_TABLE.values():
        assert type(state) is int
        assert 0 <= state < 1 << 24
        assert all(type(code) is int and 0 < code < 1 << 16 for code in codes)
        assert list(codes) == sorted(set(codes))


# ---- what an event does ----------------------------------------------------------------------------


def acts(event: Event) -> dict[str, Act]:
    return {subject: Act(act) for subject, act in custody.acts(event)}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ObjectEvent(**WHEN, action="ADD", epcs=(PACK,)), {PACK: Act.SEE}),
        (ObjectEvent(**WHEN, action="OBSERVE", epcs=(PACK, OTHER)), {PACK: Act.SEE, OTHER: Act.SEE}),
        (ObjectEvent(**WHEN, action="DELETE", epcs=(PACK, OTHER)), {PACK: Act.END, OTHER: Act.END}),
        (
            ObjectEvent(**WHEN, action="DELETE", epcs=(PACK,), quantities=(Quantity(LOT, Decimal(2)),)),
            {PACK: Act.END, LOT: Act.SEE},
        ),
        (ObjectEvent(**WHEN, action="DELETE", quantities=(Quantity(LOT),)), {LOT: Act.SEE}),
        (
            ObjectEvent(**WHEN, action="DELETE", epcs=(PACK,), error_declaration=ErrorDeclaration(declaration_time=1)),
            {PACK: Act.NOTE},
        ),
        (AggregationEvent(**WHEN, action="ADD", parent=CASE, epcs=(PACK,)), {CASE: Act.SEE, PACK: Act.SEE}),
        (AggregationEvent(**WHEN, action="DELETE", parent=CASE, epcs=(PACK,)), {CASE: Act.SEE, PACK: Act.SEE}),
        (AggregationEvent(**WHEN, action="DELETE", parent=CASE), {CASE: Act.SEE}),
        (AggregationEvent(**WHEN, action="ADD", parent=PACK, epcs=(PACK,)), {PACK: Act.SEE}),
        (AssociationEvent(**WHEN, action="DELETE", parent=CASE, epcs=(PACK,)), {CASE: Act.SEE, PACK: Act.SEE}),
        (
            TransactionEvent(
                **WHEN, action="DELETE", epcs=(PACK,), biz_transactions=(BizTransaction("po", "urn:example:1"),)
            ),
            {PACK: Act.SEE},
        ),
        (TransformationEvent(**WHEN, epcs=(PACK,), output_epcs=(OTHER,)), {PACK: Act.END, OTHER: Act.SEE}),
        (TransformationEvent(**WHEN, epcs=(PACK,), output_epcs=(PACK, OTHER)), {PACK: Act.END, OTHER: Act.SEE}),
        (
            TransformationEvent(**WHEN, quantities=(Quantity(LOT),), output_quantities=(Quantity(PACK),)),
            {LOT: Act.SEE, PACK: Act.SEE},
        ),
        (
            TransformationEvent(
                **WHEN, epcs=(PACK,), output_epcs=(OTHER,), error_declaration=ErrorDeclaration(declaration_time=1)
            ),
            {PACK: Act.NOTE, OTHER: Act.NOTE},
        ),
    ],
)
def test_what_an_event_does_to_whom(event: Event, expected: dict[str, Act]) -> None:
    assert acts(event) == expected


@given(strategies.events())
def test_every_subject_has_one_act_in_row_order(event: Event) -> None:
    found = custody.acts(event)
    assert tuple(subject for subject, _ in found) == subjects(event)
    assert [s for s, _ in found] == sorted({s for s, _ in found}, key=str.encode)
    assert {int(act) for _, act in found} <= {0, 1, 2}
    if event.error_declaration is not None:
        assert {act for _, act in found} <= {Act.NOTE}
    ends = isinstance(event, TransformationEvent) or (isinstance(event, ObjectEvent) and event.action == "DELETE")
    ended = {subject for subject, act in found if act == Act.END}
    assert ended == (set(event.epcs) if ends and event.error_declaration is None else set())


@given(strategies.plain_object_events())
def test_the_short_way_for_scans_agrees_with_the_long_one(event: ObjectEvent) -> None:
    assert event.plain
    object.__setattr__(event, "plain", False)
    long = custody.acts(event)
    object.__setattr__(event, "plain", True)
    assert custody.acts(event) == long


def test_violations_have_names() -> None:
    assert custody.describe(1) == "DEAD_PACK"
    assert custody.describe(500) == "VIOLATION_500"
