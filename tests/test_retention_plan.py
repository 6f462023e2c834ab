"""Plans: every part of every entry once, with a reason; the quick way agrees with the rules as they are written."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from retention_model import Held, Model
from retention_samples import policies, regimes
from retention_worlds import Years, made
from tracechain.entry import parse_header
from tracechain.pilot import history
from tracechain.registers import Product
from tracechain.replay import MemoryView
from tracechain.retention.dates import parse_day
from tracechain.retention.holding import holds_in
from tracechain.retention.plan import Decision, Part, Plan, Verdict, event_indices, plan
from tracechain.retention.policy import Policy, Regime
from tracechain.retention.records import prune_digest
from tracechain.retention.tables import pilot_policy
from tracechain.view import View, ViewNodes

#: A smaller seed is no smaller world.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
DATES = tuple(
    parse_day(day) for day in ("2026-11-22", "2027-12-31", "2028-01-01", "2030-02-28", "2035-06-30", "2060-01-01")
)


@contextmanager
def world(seed: int, *, holds: int = 3, pilot: bool = True) -> Iterator[Years]:
    with tempfile.TemporaryDirectory() as folder:
        years = made(Path(folder), seed, holds=holds, pilot=pilot)
        yield years
        years.world.close()


def model(view: View, policy: Policy, as_of: int, lost: frozenset[int] = frozenset()) -> Model:
    files = {
        subject.removeprefix("urn:tracechain:product:"): [
            one.value for one in history(view, "product", subject.removeprefix("urn:tracechain:product:"))
            if isinstance(one.value, Product)
        ]
        for subject, _ in view.subjects("urn:tracechain:product:")
    }  # fmt: skip
    holds = [Held(one.until, one.criterion, frozenset(one.about)) for one in holds_in(view).holds]
    return Model(view, policy, holds, as_of, files, lost)


def by_part(made: Plan) -> dict[tuple[int, Part], Decision]:
    """The decisions, part by part; none twice."""
    found: dict[tuple[int, Part], Decision] = {}
    for one in made.decisions:
        for index in range(one.start, one.stop):
            assert (index, one.part) not in found
            found[index, one.part] = one
    return found


def check(view: View, policy: Policy, as_of: int, lost: frozenset[int] = frozenset()) -> Plan:
    """A plan that is what the model says, in whole and in its parts."""
    made = plan(view, policy, as_of=as_of)
    found = by_part(made)
    headers = [parse_header(view.header(index) or b"") for index in range(view.size)]
    expected = {(index, Part.HEADER) for index in range(view.size)} | {
        (index, Part.CONTENT) for index in range(view.size)
    }
    expected |= {(index, Part.ROWS) for index, header in enumerate(headers) if header.row_count}
    assert set(found) == expected
    for (index, part), one in found.items():
        there = {Part.HEADER: view.header, Part.CONTENT: view.content, Part.ROWS: view.rows}[part](index) is not None
        assert (one.verdict is Verdict.GONE) is not there
        assert one.verdict in (Verdict.KEEP, Verdict.PRUNE, Verdict.GONE)
        assert made.of(index)[part] == (one.verdict, one.reason)
        assert one.reason.text
    slow = model(view, policy, as_of, lost)
    contents = [index for index, part in found if part is Part.CONTENT and found[index, part].verdict is Verdict.PRUNE]
    rows = [index for index, part in found if part is Part.ROWS and found[index, part].verdict is Verdict.PRUNE]
    assert contents == [index for index in range(view.size) if slow.content_goes(index)]
    assert set(rows) == slow.rows_go()
    assert not any(slow.holds_entry(index) for index in (*contents, *rows))
    assert list(event_indices(view, made.contents)) == contents
    assert list(event_indices(view, made.rows)) == rows
    assert (made.content_count, made.row_count) == (len(contents), len(rows))
    assert made.digest(view) == prune_digest(ViewNodes(view).leaf, contents, rows)
    assert made.content_bytes == sum(len(view.content(index) or b"") for index in contents)
    tallies = made.by_reason()
    assert sum(one.count for one in tallies if one.part is Part.CONTENT) == view.size
    years = [count for row in made.by_year().values() for count in row.items()]
    assert sum(count for _, (count, _) in years) == sum(
        one.count for one in tallies if one.size or one.part in (Part.CONTENT, Part.ROWS)
    )
    return made


def going(made: Plan) -> tuple[set[int], set[int]]:
    """What goes."""
    found = by_part(made)
    return tuple(  # type: ignore[return-value]  # two
        {index for (index, one), said in found.items() if one is part and said.verdict is Verdict.PRUNE}
        for part in (Part.CONTENT, Part.ROWS)
    )


@settings(max_examples=25, deadline=None, phases=PHASES)
@given(st.integers(0, 1 << 32), st.lists(policies(2), min_size=2, max_size=3), st.booleans())
def test_a_plan_is_what_the_rules_say(seed: int, some: list[Policy], pilot: bool) -> None:
    with world(seed, pilot=pilot) as years, years.ledger.snapshot() as view:
        for policy in (pilot_policy(), *some):
            for as_of in DATES[1:]:
                made = check(view, policy, as_of)
            assert plan(MemoryView.of(view), policy, as_of=as_of) == made
            json.dumps(made.plain())


@settings(max_examples=15, deadline=None, phases=PHASES)
@given(
    st.integers(0, 1 << 32), policies(2), st.lists(st.sampled_from(range(DATES[0], DATES[-1])), min_size=3, max_size=6)
)
def test_what_is_due_stays_due(seed: int, policy: Policy, days: list[int]) -> None:
    with world(seed) as years, years.ledger.snapshot() as view:
        before: tuple[set[int], set[int]] = set(), set()
        for day in sorted(days):
            now = going(plan(view, policy, as_of=day))
            assert now[0] >= before[0]
            assert now[1] >= before[1]
            before = now


@settings(max_examples=15, deadline=None, phases=PHASES)
@given(st.integers(0, 1 << 32), policies(2), regimes("another"), st.sampled_from(DATES))
def test_the_strictest_wins(seed: int, policy: Policy, more: Regime, day: int) -> None:
    with world(seed) as years, years.ledger.snapshot() as view:
        few = going(plan(view, policy, as_of=day))
        many = going(plan(view, evolve(policy, regimes=(*policy.regimes, more)), as_of=day))
        assert many[0] <= few[0]


@settings(max_examples=15, deadline=None, phases=PHASES)
@given(st.integers(0, 1 << 32), st.sampled_from(DATES[2:]))
def test_a_hold_only_ever_keeps_more(seed: int, day: int) -> None:
    with world(seed, holds=0) as years:
        with years.ledger.snapshot() as view:
            before = going(plan(view, pilot_policy(), as_of=day))
        for number in range(3):
            years.say(random.Random(seed + number))
        with years.ledger.snapshot() as view:
            after = going(plan(view, pilot_policy(), as_of=day))
            assert after[0] <= before[0]
            held = model(view, pilot_policy(), day)
            assert not any(held.holds_entry(index) for index in after[0])
