"""Plans: every part of every entry once, with a reason; the quick way agrees with the rules as they are written."""

from __future__ import annotations

import contextlib
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pilot_world import BUYER
from retention_model import Held, Model
from retention_samples import policies, regimes
from retention_worlds import CASES, PALLET, Years, hold, made, packed
from tracechain.custody import Custody
from tracechain.entry import EntryType, parse_header
from tracechain.errors import InputError
from tracechain.event import PrivateField
from tracechain.pilot import history
from tracechain.registers import Product
from tracechain.replay import MemoryView
from tracechain.retention.dates import parse_day, shanghai_day
from tracechain.retention.holding import holds_in, row_subjects
from tracechain.retention.plan import Decision, Part, Plan, Reason, Verdict, Why, event_indices, plan
from tracechain.retention.policy import After, Anchor, Policy, Regime, Rule, Term
from tracechain.retention.records import prune_digest
from tracechain.retention.tables import pilot_policy
from tracechain.view import View, ViewNodes, unit_history

#: A smaller seed is no smaller world.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
DATES = tuple(
    parse_day(day) for day in ("2026-11-22", "2027-12-31", "2028-01-01", "2030-02-28", "2035-06-30", "2060-01-01")
)


@contextlib.contextmanager
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


@settings(max_examples=12, deadline=None, phases=PHASES)
@given(st.integers(0, 1 << 32), st.lists(policies(2), min_size=2, max_size=3), st.booleans())
def test_a_plan_is_what_the_rules_say(seed: int, some: list[Policy], pilot: bool) -> None:
    with world(seed, pilot=pilot) as years, years.ledger.snapshot() as view:
        for policy in (pilot_policy(), *some):
            for as_of in DATES[1:]:
                made = check(view, policy, as_of)
            assert plan(MemoryView.of(view), policy, as_of=as_of) == made
            json.dumps(made.plain())


@settings(max_examples=12, deadline=None, phases=PHASES)
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


@settings(max_examples=12, deadline=None, phases=PHASES)
@given(st.integers(0, 1 << 32), policies(2), regimes("another"), st.sampled_from(DATES))
def test_the_strictest_wins(seed: int, policy: Policy, more: Regime, day: int) -> None:
    """Of entries that some rule is for: the first one that is for an entry is what allows it to go at all."""
    policy = evolve(policy, regimes=(*policy.regimes, *SHORT.regimes))
    with world(seed) as years, years.ledger.snapshot() as view:
        few = going(plan(view, policy, as_of=day))
        many = going(plan(view, evolve(policy, regimes=(*policy.regimes, more)), as_of=day))
        assert many[0] <= few[0]


@settings(max_examples=12, deadline=None, phases=PHASES)
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


# ---- rounds: what was pruned before ----------------------------------------------------------------

SHORT = Policy(
    "short",
    (Regime("shop", "The shop's own", (Rule("all", "1", keep_until=After(Anchor.RECEIPT, Term(years=2))),)),),
    1,
)


def wait(years: Years, days: int) -> int:
    """Days pass, the last two of them as waiting time counts them; what day it is then."""
    for some in (days - 2, 2):
        if some > 0:
            years.later(some)
    return shanghai_day(years.world.clock.now)


def prune(years: Years, made: Plan, name: str) -> None:
    """Announce what goes, and do it."""
    years.ledger.announce(made, name=name, reason="a test")
    wait(years, 2)
    with contextlib.suppress(InputError):  # it came under hold
        years.ledger.prune(name)


def lost_contents(view: View) -> frozenset[int]:
    """The events without content."""
    return frozenset(
        index
        for index, header in view.headers(0, view.size)
        if header[4] == EntryType.EVENT and not view.content(index)
    )


@settings(max_examples=8, deadline=None, phases=PHASES)
@given(st.integers(0, 1 << 32))
def test_round_after_round_a_plan_is_what_the_rules_say(seed: int) -> None:
    rng = random.Random(seed)
    with world(seed, holds=2, pilot=seed % 3 > 0) as years:
        years.ledger.retain(SHORT)
        for number in range(5):
            day = wait(years, 800)
            with years.ledger.snapshot() as view:
                made = check(view, SHORT, day, lost_contents(view))
            if made.count:
                prune(years, made, f"round-{number}")
            for _ in range(3):
                years.act(rng)
            if rng.random() < 0.3:
                years.say(rng)


def test_rows_go_oldest_first_in_a_later_round_and_the_latest_stays(tmp_path: Path) -> None:
    years = Years(tmp_path)
    years.ledger.retain(SHORT)
    pack, other = years.packs[:2]
    years.world.bring(pack, Custody.DELIVERED)
    years.world.bring(other, Custody.BONDED)
    with years.ledger.snapshot() as view:
        life, kept = unit_history(view, pack), unit_history(view, other)
    day = wait(years, 1200)
    with years.ledger.snapshot() as view:
        made = plan(view, as_of=day)
    assert going(made) == ({*life, *kept}, set()), "what lies on a shelf for years is dormant"
    assert {made.of(index)[Part.ROWS][1].why for index in life} == {Why.NEXT_ROUND}
    prune(years, made, "contents")
    day = wait(years, 2)
    with years.ledger.snapshot() as view:
        made = plan(view, as_of=day)
    assert going(made) == (set(), {*life[:-1], *kept[:-1]})
    assert made.of(life[-1])[Part.ROWS][1].why is Why.LATEST
    verdict, reason = made.of(life[0])[Part.CONTENT]
    assert verdict is Verdict.GONE
    assert reason.text.startswith("pruned before: entry ")
    # A new event of one: the rows before it have one more to wait for.
    years.put(years.world.sell(other))
    years.put(hold("H", about=(pack,)).record())
    with years.ledger.snapshot() as view:
        made = plan(view, as_of=day)
    assert going(made) == (set(), set(kept[:-1]))
    assert made.of(kept[-1])[Part.ROWS][1].why is Why.FOLLOWED
    assert made.of(life[0])[Part.ROWS][1].text == "hold H by Leading group: An investigation"
    prune(years, made, "rows")
    with years.ledger.snapshot() as view:
        made = plan(view, as_of=day)
        assert made.of(kept[0])[Part.ROWS] == made.of(kept[1])[Part.ROWS]
        assert made.of(kept[0])[Part.ROWS][0] is Verdict.GONE
        check(view, SHORT, day, lost_contents(view))
    years.world.close()


# ---- examples of each reason ------------------------------------------------------------------------


def reasons(years: Years, day: str, policy: Policy | None = None) -> dict[str, Reason]:
    """By the subjects of events: the reason of the last such event's content."""
    with years.ledger.snapshot() as view:
        made = plan(view, policy, as_of=parse_day(day))
        found = {}
        for index, part in view.all_rows(0, view.size):
            verdict, reason = made.of(index)[Part.CONTENT]
            assert (verdict is Verdict.PRUNE) is (index in list(event_indices(view, made.contents)))
            found[" ".join(row_subjects(part))] = reason
    return found


@pytest.fixture
def years(tmp_path: Path) -> Iterator[Years]:
    found = Years(tmp_path)
    yield found
    found.world.close()


def test_the_worked_dates_of_the_pilot(years: Years) -> None:
    """Trading records: the later of expiry + 2 years and transaction + 5 years (S1 VII)."""
    early, late, none = years.packs[:3]
    for pack, expiry in ((early, "2024-02-29"), (late, "2032-02-29"), (none, None)):
        years.put(years.world.commission(pack, expiry=expiry), years.world.destroy(pack), record_class=1)
    said = reasons(years, "2026-12-01", pilot_policy())
    assert [said[pack].text for pack in (early, late, none)] == [
        "pilot: trading records (S1 VII), transaction 2026-11-21 + 5 years, until 2031-11-21",
        "pilot: trading records (S1 VII), expiry 2032-02-29 + 2 years, until 2034-02-28",
        "pilot: trading records (S1 VII), receipt 2026-11-21 + 10 years as expiry is not known, until 2036-11-21",
    ]
    for pack, last, first in ((early, "2031-11-21", "2031-11-22"), (late, "2034-02-28", "2034-03-01")):
        for day, goes in ((last, False), (first, True)):
            with years.ledger.snapshot() as view:
                made = plan(view, pilot_policy(), as_of=parse_day(day))
                index = unit_history(view, pack)[0]
            assert (made.of(index)[Part.CONTENT][0] is Verdict.PRUNE) is goes, (pack, day)


def test_without_a_policy_everything_stays(years: Years) -> None:
    years.world.bring(years.packs[0], Custody.SOLD)
    assert reasons(years, "2090-01-01")[years.packs[0]].text == "no policy is in force"


def test_what_no_rule_is_for_stays(years: Years) -> None:
    years.put(years.world.commission(years.packs[0]), record_class=77)
    assert reasons(years, "2090-01-01", pilot_policy())[years.packs[0]].why is Why.NO_RULE


def test_the_floor_and_the_header_bind_whatever_a_policy_says(years: Years) -> None:
    nothing = evolve(SHORT, regimes=(Regime("r", "t", (Rule("n", "c", keep_until=After(Anchor.RECEIPT, Term())),)),))
    one, two = years.packs[:2]
    years.put(years.world.commission(one), years.world.destroy(one))
    years.ledger.retain(pilot_policy())
    years.put(years.world.commission(two, expiry="2036-02-29"), years.world.destroy(two))
    said = reasons(years, "2027-12-31", nothing)
    assert said[one].text == "received this calendar year or the one before, until 2027-12-31"
    assert said[two].text == "its header says so, until 2038-02-28"
    assert reasons(years, "2028-01-01", nothing)[one].why is Why.FLOOR


def test_a_pack_that_has_not_ended_keeps_what_came_before_until_it_is_dormant(years: Years) -> None:
    sold, shelf, seen = years.packs[:3]
    for pack, custody in ((sold, Custody.SOLD), (shelf, Custody.BONDED), (seen, Custody.BONDED)):
        years.world.bring(pack, custody)
    years.later(1000)
    years.put(years.world.stocktake(seen))
    with years.ledger.snapshot() as view:
        made = plan(view, SHORT, as_of=parse_day("2029-01-01"))
        assert made.of(unit_history(view, sold)[0])[Part.CONTENT][0] is Verdict.PRUNE
        assert made.of(unit_history(view, shelf)[0])[Part.CONTENT][0] is Verdict.PRUNE
        assert made.of(unit_history(view, seen)[0])[Part.CONTENT] == (Verdict.KEEP, Reason(Why.OPEN))


def test_what_is_in_a_container_keeps_its_contents_from_the_packing_on(years: Years) -> None:
    world, pack = years.world, years.packs[0]
    years.put(world.commission(pack), packed(world.now, CASES[0], [pack]))
    years.put(world.deliver(pack), world.ship(CASES[0]), packed(world.now, PALLET, [CASES[0]]))
    years.later(1000)
    years.put(world.ship(CASES[0]))
    said = reasons(years, "2029-01-01", SHORT)
    assert said[f"{CASES[0]} {PALLET}"].why is Why.PACKED
    years.put(packed(world.now, PALLET, (), "DELETE"))
    said = reasons(years, "2029-01-01", SHORT)
    assert said[f"{CASES[0]} {PALLET}"].why is not Why.PACKED
    years.later(1000)
    assert reasons(years, "2060-01-01", SHORT)[PALLET].why is Why.EMPTIED


def test_personal_values_are_restricted_then_erased_unless_held(years: Years) -> None:
    """PIPL art. 47: not used after 180 days, gone when the trading record may go; a hold keeps it, restricted."""
    pack, other = years.packs[:2]
    commitment = bytes(range(32))
    years.put(years.world.commission(pack, other), record_class=1)
    years.put(evolve(years.world.order(pack), private=(PrivateField("phone", commitment),)), record_class=1)
    years.put(years.world.order(other, po="2", buyer=None), record_class=1)

    def said(day: str) -> set[tuple[str, str, Verdict, Why]]:
        with years.ledger.snapshot() as view:
            made = plan(view, pilot_policy(), as_of=parse_day(day))
        keys = {Part.IDENTITY: BUYER, Part.PRIVATE: commitment}
        assert all(one.key == keys[one.part] for one in made.personal)
        assert sum(one.count for one in made.by_reason() if one.part in keys) == len(made.personal)
        return {(str(one.part), one.name, one.verdict, one.reason.why) for one in made.personal}

    both = (("identity", "identity"), ("private", "phone"))
    assert said("2027-05-20") == {(*one, Verdict.KEEP, Why.POLICY) for one in both}
    assert said("2027-05-21") == {(*one, Verdict.RESTRICT, Why.POLICY) for one in both}
    assert said("2031-11-22") == {(*one, Verdict.ERASE, Why.POLICY) for one in both}
    years.put(hold("H", about=("urn:example:po:1",)).record())
    assert said("2031-11-22") == {(*one, Verdict.RESTRICT, Why.HOLD) for one in both}


def test_what_is_missing_without_a_record_is_said_to_be(years: Years) -> None:
    years.world.bring(years.packs[0], Custody.SOLD)
    with years.ledger.snapshot() as view:
        damaged = MemoryView.of(view)
        first, second = unit_history(view, years.packs[0])[:2]
    del damaged.raw_contents[first], damaged.raw_rows[second]
    made = plan(damaged, SHORT, as_of=parse_day("2060-01-01"))
    assert {part: (verdict, reason.text) for part, (verdict, reason) in made.of(first).items()} == {
        Part.HEADER: (Verdict.KEEP, "headers stay for ever"),
        Part.CONTENT: (Verdict.GONE, "missing without a record"),
        Part.ROWS: (Verdict.KEEP, "missing without a record: content"),
    }
    assert made.of(second)[Part.CONTENT] == (Verdict.KEEP, Reason(Why.MISSING, note="rows"))
    assert made.of(second)[Part.ROWS] == (Verdict.GONE, Reason(Why.MISSING))


def test_a_plan_looks_at_days_only(years: Years) -> None:
    with years.ledger.snapshot() as view:
        for as_of in (-1, 1 << 32, True, "2030-01-01", 1.5):
            with pytest.raises(InputError, match="it must be a day"):
                plan(view, as_of=as_of)  # type: ignore[arg-type]  # that is what is tried


def test_a_plan_tells_how_far_it_is(years: Years) -> None:
    years.world.bring(years.packs[0], Custody.SOLD)
    told: list[tuple[int, int]] = []
    with years.ledger.snapshot() as view:
        plan(view, SHORT, as_of=parse_day("2030-01-01"), progress=lambda *said: told.append(said))
        assert told[-1] == (2 * view.size, 2 * view.size)
    assert told == sorted(told)
