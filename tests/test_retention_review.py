"""What was found by trying to prune what must stay, and what must not be mistaken for it."""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pilot_world import World
from pruned import LATER
from retained import DAY, Store, policy
from tracechain import custody
from tracechain.errors import InputError
from tracechain.ledger.pruning import REOPENING, announce
from tracechain.retention.dates import shanghai_day
from tracechain.retention.keeping import NO_PACK
from tracechain.retention.plan import plan
from tracechain.retention.policy import After, Anchor, Policy, Regime, Rule, Selector, Term
from tracechain.retention.prunings import Executed, Pruning, prunings
from tracechain.retention.ranges import Ranges, contains, count, of_indices
from tracechain.retention.records import CONTENT, ROWS, PruneDone, PruneIntent
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids, unpack
from tracechain.verification import verify, verify_rules
from tracechain.verification.lost import Lost, LostKind
from tracechain.verification.pruned import _Judge
from tracechain.view import unit_history


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.sound()
    store.ledger.close()


def only(rule: Rule) -> Policy:
    return Policy("only", (Regime("test", "Test", (rule,)),), wait_days=3)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("goods", "test", Selector(product_classes=("vitamins",)), After(Anchor.RECEIPT, Term(years=1))),
        Rule("here", "test", Selector(jurisdictions=("cn",)), After(Anchor.RECEIPT, Term(years=1))),
        Rule("event", "test", Selector(), After(Anchor.EVENT, Term(days=1))),
        Rule("released", "test", Selector(), After(Anchor.RELEASE, Term(years=1), Term(years=1))),
        Rule("expired", "test", Selector(), After(Anchor.EXPIRY, Term(days=1), Term(days=2))),
        Rule("published", "test", Selector(), After(Anchor.PUBLISHED, Term(years=1), Term(days=1))),
    ],
    ids=lambda rule: rule.name,
)
def test_what_headers_leave_open_goes_by_the_policy_in_force_and_verifies(store: Store, rule: Rule) -> None:
    """Of some of these rules a header can say nothing."""
    store.ledger.retain(only(rule))
    store.ended(3)
    store.years_later()
    store.wait(3)
    done = store.pruned("a")
    assert done.content_count >= 6
    store.clock.advance(400 * DAY)
    store.ledger.accept_clock("closed")
    store.pruned("b")  # rows, some contents


def test_a_container_that_comes_under_hold_between_plan_and_commit_holds_what_was_in_it(store: Store) -> None:
    """A case that was used before is packed with what is under hold: from then on it is a held container, all along."""
    case, packs, held = case_id(7), pack_ids(2, start=500), pack_ids(1, start=600)
    store.ledger.append([commission((*packs, *held)), pack(case, packs), unpack(case), destroy(packs)])
    store.years_later()
    store.hold("h1", *held)
    store.announce("a")
    store.wait(3)
    alone = store.ledger._alone

    def late(job: Any) -> Any:
        store.ledger.append([pack(case, held)])
        return alone(job)

    store.ledger._alone = late  # type: ignore[method-assign]  # something comes in just then
    done = store.ledger.prune("a")
    with store.ledger.snapshot() as view:
        about = [i for i, part in view.all_rows(0, view.size) if case.rpartition("/")[2].encode() in part]
        assert len(about) == 3
        assert all(view.content(index) is not None for index in about)
    assert count(done.kept_contents) == 1


def test_what_opens_a_pack_again_is_looked_for() -> None:
    ended = {custody.Custody.DEAD, custody.Custody.EXPORTED, custody.Custody.SOLD, custody.Custody.DELIVERED}
    opening = {int(custody.Act.UNDO)}  # of which the rules say what it leads to, and not the table
    for act in custody.Act:
        for before in ended:
            with contextlib.suppress(KeyError):
                after, _ = custody.TABLES[custody.PILOT][int(before), int(act)]
                if after & custody.CUSTODY_MASK not in ended:
                    opening.add(int(act))
    assert opening == REOPENING


def test_a_clock_that_goes_back_while_it_is_pruned_is_noticed(store: Store) -> None:
    """Nobody waited until a time that the log never says."""
    store.ended(2)
    store.years_later()
    store.announce("a")
    store.wait(2)
    alone = store.ledger._alone

    def late(job: Any) -> Any:
        store.clock.advance(-DAY // 2)
        return alone(job)

    store.clock.advance(DAY)
    store.ledger._alone = late  # type: ignore[method-assign]  # the clock is set right just then
    with pytest.raises(InputError, match=r"has waited 2\.5 days of 3"):
        store.ledger.prune("a")
    store.ledger._alone = alone  # type: ignore[method-assign]  # and stays right
    store.clock.advance(DAY)
    assert store.ledger.prune("a").content_count


def test_prunings_that_reach_far_back_are_judged_by_what_is_in_their_ranges() -> None:
    """Each may take something old that came free, so all of them reach over the whole log."""
    lost = Lost()
    kind = lost.number(LostKind(CONTENT, 1, 100, 3, NO_PACK, 1, 1))
    for number in range(2000):
        lost.add(2 * number, number, kind)
    looked = 0

    class Counted(array):  # type: ignore[type-arg]  # it is not subscriptable when it runs
        def __getitem__(self, at: Any) -> Any:
            nonlocal looked
            looked += 1
            return super().__getitem__(at)

    lost.times = Counted("Q", lost.times)
    judge = object.__new__(_Judge)
    judge._lost = lost
    for first in range(100):
        ranges = ((2 * first, 2 * first + 1), (3990 - 2 * first, 3991 - 2 * first))
        found = [(run.start, start, stop) for run, start, stop in judge._runs_in(ranges, CONTENT)]
        assert found == [(start, start, stop) for start, stop in ranges]
        assert not list(judge._runs_in(ranges, ROWS))
    assert looked == 400


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=4).map(
            lambda some: of_indices(sorted({n for start, length in some for n in range(start, start + length)}))
        ),
        max_size=5,
    )
)
def test_what_took_a_part_is_found_among_many_prunings(several: list[Ranges]) -> None:
    """Also in a log that says twice that a part went."""
    whole: Any = {"size": 99, "as_of": 1, "policy": 0, "wait_days": 1, "digest": bytes(32), "reason": "Due"}
    nothing: Any = {"content_count": 0, "row_count": 0}
    some = []
    for number, ranges in enumerate(several):
        intent = PruneIntent(name=f"p{number}", contents=ranges, rows=((7, 9),), **whole, **nothing)
        done = PruneDone(
            name=f"p{number}", intent=number, kept_contents=(), kept_rows=(), digest=bytes(32), **nothing
        )  # fmt: skip
        some.append(Pruning(intent, number, number, done, 100 + number))
    some.append(Pruning(PruneIntent(name="open", contents=((0, 99),), rows=(), **whole, **nothing), 50, 50))
    found = Executed.contents(some)
    for index in range(80):
        one = found.find(index)
        assert (one is None) == (not any(contains(ranges, index) for ranges in several))
        assert one is None or contains(one.contents, index)
    assert (Executed.rows(some).find(8) is None) == (not several)


def test_a_policy_that_waits_for_less_is_not_used_before_the_old_one_would_have_been(store: Store) -> None:
    """Not through another one in between, either."""
    store.ledger.retain(policy(wait=30))
    store.wait(31)
    store.ended(2)
    store.years_later()
    store.ledger.retain(policy(wait=1))
    store.ledger.retain(policy(wait=2))
    store.wait(5)
    with pytest.raises(InputError, match=r"'test' was replaced 5\.0 days ago, and promised 30: wait"):
        store.announce("a")
    store.wait(25)
    store.announce("a")
    store.wait(2)
    assert store.ledger.prune("a").content_count


def test_a_pack_that_is_open_again_between_plan_and_commit_keeps_what_there_is(tmp_path: Path) -> None:
    """Its latest entry was not to go, so that something continues it is not enough to tell."""
    world = World(tmp_path)
    ledger, sold = world.ledger, world.packs[0]
    ledger.retain(policy(wait=3))
    world.bring(sold, custody.Custody.SOLD)
    with ledger.snapshot() as view:
        old = view.size

    def days(number: int) -> None:
        for day in range(number):
            world.clock.advance(DAY)
            ledger.append([observe(pack_ids(1, start=7000 + day))])

    world.clock.set(LATER)
    ledger.accept_clock("closed")
    world.keep(world.stocktake(sold))
    days(4)
    with ledger.snapshot() as view:
        made = plan(view, as_of=shanghai_day(world.clock.now))
        about = [row for row in unit_history(view, sold) if row < old]
    assert about
    assert all(contains(made.contents, index) for index in about)
    world.keep(world.commission(world.packs[1]))
    world.keep(world.ship(world.packs[1]))  # others come and go all the time
    ledger.announce(made, name="a", reason="Due")
    days(3)
    alone = ledger._alone

    def late(job: Any) -> Any:
        world.keep(evolve(world.transfer(sold), sources=()))
        return alone(job)

    ledger._alone = late  # type: ignore[method-assign]  # something comes in just then
    with pytest.raises(InputError, match="nothing of pruning a may go now"):
        ledger.prune("a")  # there was nothing else, and so it is not done
    with ledger.snapshot() as view:
        assert not [one for one in prunings(view) if one.done is not None]
        assert all(view.content(index) is not None for index in about)
        assert verify(view, verifier=ledger.verifier, index=True)
        assert verify_rules(view)
    ledger.close()


def test_a_clock_that_goes_back_while_it_is_announced_is_noticed(store: Store) -> None:
    """The policy has not stood until a time that the log never says."""
    store.ended(2)
    store.years_later()
    store.ledger.retain(policy(wait=3))
    store.wait(2)
    store.clock.advance(DAY)
    made = store.plan()
    pruner = store.ledger._pruner()

    def late(job: Any) -> Any:
        store.clock.advance(-DAY // 2)
        return pruner.enqueue(job)

    size = store.size()
    with pytest.raises(InputError, match="the clock went back"):
        announce(evolve(pruner, enqueue=late), made, "a", "Due", None)
    assert store.size() == size
    store.clock.advance(DAY)
    store.announce("a")
