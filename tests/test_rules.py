"""The state machine of packs, cell by cell, and whether every violation has its example.

What is lawful stands here once more, as domain.md section 3 says it, written by hand: the table of `custody` has to
come to it, and everything else is a violation that leaves the pack alone.
"""

from __future__ import annotations

import importlib
from datetime import date
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pilot_world import EXAMPLES, World
from tracechain import custody
from tracechain.custody import (
    CONTEXTUAL,
    DAY_ZERO,
    EXPIRY_SHIFT,
    PILOT,
    RULES,
    Act,
    Custody,
    Flag,
    Violation,
    acts,
    agrees,
    step,
    unpack_state,
)
from tracechain.errors import InputError
from tracechain.event import AggregationEvent, BizTransaction, Event, Quantity, TransactionEvent
from tracechain.rules import CLAUSES
from tracechain.testing import START, Clock
from tracechain.testing.samples import case_id

C, V = Custody, Violation

#: Act -> where it is lawful -> where it leads.
LAWFUL: dict[Act, dict[Custody, Custody]] = {
    Act.COMMISSION: {C.NONE: C.ACTIVE},
    Act.SHIP: {C.ACTIVE: C.TRANSIT, C.TRANSIT: C.TRANSIT, C.CLEARED: C.STORE, C.SOLD: C.STORE, C.STORE: C.STORE},
    Act.BOND_IN: {C.ACTIVE: C.BONDED, C.TRANSIT: C.BONDED, C.REWORK: C.BONDED},
    Act.RESERVE: {C.BONDED: C.RESERVED, C.RESERVED: C.RESERVED},
    Act.CANCEL: {C.RESERVED: C.BONDED},
    Act.CLEAR: {C.RESERVED: C.CLEARED},
    Act.SELL: {C.CLEARED: C.SOLD},
    Act.SELL_PART: {C.CLEARED: C.SOLD, C.SOLD: C.SOLD, C.DELIVERED: C.DELIVERED},
    Act.DISPENSE: {C.STORE: C.DELIVERED, C.SOLD: C.DELIVERED},
    Act.DISPENSE_PART: {C.STORE: C.DELIVERED, C.SOLD: C.DELIVERED, C.DELIVERED: C.DELIVERED},
    Act.APPLY_RETURN: {C.SOLD: C.SOLD, C.STORE: C.STORE, C.DELIVERED: C.DELIVERED},
    Act.RETURN_IN: {C.SOLD: C.RETURNED, C.STORE: C.RETURNED, C.DELIVERED: C.RETURNED, C.EXPORTED: C.RETURNED},
    Act.EXPORT_RETURN: {C.EXPORTED: C.RETURNED},
    Act.RELEASE: {C.RETURNED: C.BONDED},
    Act.REPAIR: {C.RETURNED: C.REWORK, C.BONDED: C.REWORK},
    Act.RELABEL_OLD: {C.RETURNED: C.DEAD, C.BONDED: C.DEAD, C.REWORK: C.DEAD},
    Act.RELABEL_NEW: {C.NONE: C.REWORK},
    Act.CONSUME: {C.ACTIVE: C.DEAD, C.TRANSIT: C.DEAD},
    Act.PRODUCE: {C.NONE: C.ACTIVE},
    Act.EXPORT: {C.BONDED: C.EXPORTED, C.REWORK: C.EXPORTED},
    Act.DESTROY: {c: C.DEAD for c in C if c not in (C.NONE, C.DEAD)},
    **{
        act: {c: c for c in C if c not in (C.NONE, C.DEAD)}
        for act in (Act.OBSERVE, Act.CONFORM, Act.REJECT, Act.HOLD, Act.RECALL, Act.STEAL)
    },
}
#: What a breach is called, where it is neither CUSTODY nor of an unknown or dead code.
CALLED: dict[Act, dict[Custody, Violation]] = {
    **{
        act: dict.fromkeys((c for c in C if c != C.NONE), V.ALREADY_COMMISSIONED)
        for act in (Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE)
    },
    **{
        act: dict.fromkeys((C.ACTIVE, C.TRANSIT, C.BONDED, C.RESERVED, C.RETURNED, C.REWORK), V.SOLD_BEFORE_CLEARANCE)
        for act in (Act.SELL, Act.SELL_PART)
    },
    **{
        act: dict.fromkeys((C.BONDED, C.RESERVED, C.CLEARED), V.OFFLINE_PICKUP_UNLICENSED)
        for act in (Act.DISPENSE, Act.DISPENSE_PART)
    },
    Act.EXPORT_RETURN: dict.fromkeys((c for c in C if c != C.EXPORTED), V.NOT_ORIGINAL),
    **{
        act: dict.fromkeys((c for c in C if c not in (C.NONE, C.DEAD)), V.NOT_UNDER_BOND)
        for act in (Act.REPAIR, Act.RELABEL_OLD, Act.CONSUME)
    },
}
CALLED[Act.SELL] |= dict.fromkeys((C.SOLD, C.DELIVERED), V.SECONDARY_SALE)

#: Acts that a held, recalled or stolen pack is kept from.
GUARDED = (
    Act.RESERVE, Act.CLEAR, Act.SELL, Act.SELL_PART, Act.DISPENSE, Act.DISPENSE_PART, Act.RELEASE,
    Act.RELABEL_OLD, Act.CONSUME,
)  # fmt: skip
FLAGS = (Flag.HELD, Flag.RECALLED, Flag.STOLEN)
PACK_ACTS = tuple(act for act in Act if act > Act.NOTE)
DAY = 10_000
STATES = st.builds(
    lambda c, flags, day: int(c) | flags << 4 | (day if c else 0) << EXPIRY_SHIFT,
    st.sampled_from(C),
    st.integers(0, 31),
    st.integers(0, (1 << 15) - 1),
)


# ---- the table -------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [act for act in PACK_ACTS if act != Act.UNDO], ids=lambda act: act.name)
@pytest.mark.parametrize("before", C, ids=lambda before: before.name)
def test_a_cell_of_the_table(act: Act, before: Custody) -> None:
    """Of a pack without flags that was paid for and inspected, so that nothing but its custody matters."""
    state = int(before) | Flag.PAID | Flag.CONFORMANT if before else 0
    after, codes = step(state, act, PILOT)
    lawful = LAWFUL[act].get(before)
    if lawful is not None:
        assert codes == ()
        assert after & custody.CUSTODY_MASK == lawful
        return
    assert after == state
    called = CALLED.get(act, {}).get(before)
    unknown = {V.UNKNOWN_CODE} if before == C.NONE else set[Violation]()
    if called is not None:
        assert set(codes) == {called} | unknown
    elif before == C.DEAD:
        assert codes == (V.DEAD_PACK,)
    else:
        assert codes == ((V.UNKNOWN_CODE,) if unknown else (V.CUSTODY,))


def test_each_act_of_a_pack_has_a_rule_and_each_rule_a_clause() -> None:
    assert set(RULES) == set(PACK_ACTS)
    assert set(LAWFUL) == set(PACK_ACTS) - {Act.UNDO}
    assert all(rule.clause for rule in RULES.values())


@pytest.mark.parametrize("act", GUARDED, ids=lambda act: act.name)
@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_a_flag_keeps_a_pack_from_its_buyer(act: Act, flag: Flag) -> None:
    for before in LAWFUL[act]:
        state = int(before) | Flag.PAID | Flag.CONFORMANT | flag
        if act == Act.RELEASE and flag == Flag.HELD:
            assert step(state, act, PILOT) == (state & ~Flag.HELD, ())
        else:
            assert step(state, act, PILOT) == (state, (V[flag.name],))


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_a_flagged_pack_is_shipped_abroad_but_not_to_a_store(flag: Flag) -> None:
    for before, after in LAWFUL[Act.SHIP].items():
        expected = (after | flag, ()) if after == C.TRANSIT else (before | flag, (V[flag.name],))
        assert step(before | flag, Act.SHIP, PILOT) == expected


@given(STATES, st.sampled_from(PACK_ACTS))
def test_no_flag_keeps_a_pack_from_being_destroyed_exported_returned_or_cancelled(state: int, act: Act) -> None:
    before = Custody(state & custody.CUSTODY_MASK)
    if act in GUARDED or act in (Act.SHIP, Act.UNDO) or before not in LAWFUL[act]:
        return
    assert step(state, act, PILOT)[1] == ()


@given(STATES, st.sampled_from(PACK_ACTS))
def test_what_is_broken_changes_nothing_and_what_lasts_lasts(state: int, act: Act) -> None:
    after, codes = step(state, act, PILOT)
    assert list(codes) == sorted(set(codes))
    if codes:
        assert after == state
        return
    lasting = Flag.HELD | Flag.RECALLED | Flag.STOLEN
    if state & custody.CUSTODY_MASK and act not in (Act.HOLD, Act.RELEASE, Act.RECALL, Act.STEAL):
        assert after & lasting == state & lasting
        assert after >> EXPIRY_SHIFT == state >> EXPIRY_SHIFT
    if after & custody.CUSTODY_MASK != state & custody.CUSTODY_MASK:
        assert not after & (Flag.PAID | Flag.CONFORMANT)
    found = unpack_state(after)
    assert not state & custody.CUSTODY_MASK or found.custody != C.NONE


@given(STATES, st.sampled_from(PACK_ACTS), st.sets(st.sampled_from(V)))
def test_a_row_can_say_what_the_table_says_and_what_only_the_context_tells(
    state: int, act: Act, more: set[Violation]
) -> None:
    after, codes = step(state, act, PILOT)
    assert agrees(PILOT, state, act, after, codes) == (True, True)
    said = tuple(sorted({*map(int, codes), *map(int, more)}))
    if said and (state, said) != (after, codes):
        lawful = set(said) - set(codes) <= CONTEXTUAL[PILOT]
        assert agrees(PILOT, state, act, state, said) == (True, lawful)
        assert agrees(PILOT, state, act, state ^ 1 << 9, said)[0] is False
    if codes:
        assert agrees(PILOT, state, act, state, codes[1:]) == (len(codes) > 1 or after == state, False)


@given(st.integers(0, 40_000), st.sampled_from((Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE)))
def test_a_new_code_brings_its_expiry_date(day: int, act: Act) -> None:
    if day >= 1 << 15:
        with pytest.raises(InputError, match="knows no state 0 or no act"):
            step(0, act + (day << 8), PILOT)
        return
    found = unpack_state(step(0, act + (day << 8), PILOT)[0])
    assert (None if found.expiry is None else (found.expiry - DAY_ZERO).days) == (day or None)


@pytest.mark.parametrize(
    ("state", "act"),
    [
        (13, 3),
        (-1, 3),
        (1 << 24, 3),
        (1, 31),
        (1, 255),
        (1, Act.SHIP + 256),
        (0, -1),
        (3, Act.SEE),
        (0, Act.UNDO + 256),
    ],
)
def test_what_the_rules_of_the_pilot_do_not_know_is_refused(state: int, act: int) -> None:
    with pytest.raises(InputError, match="rule set 2 knows no state"):
        step(state, act, PILOT)


# ---- what an event does ----------------------------------------------------------------------------


PACK, OTHER, CASE, LOT = (
    "01/09521234001072/21/A", "nmpa/81234560000000000001", case_id(1), "01/09521234001072/10/L",
)  # fmt: skip
WHEN: dict[str, Any] = {"event_time": START * 1_000_000, "time_zone_offset": 480}
#: The names of the events that World makes, and what each of them does.
DONE: dict[str, Act] = {
    "ship": Act.SHIP, "bond_in": Act.BOND_IN, "stocktake": Act.OBSERVE, "order": Act.RESERVE, "pay": Act.RESERVE,
    "cancel": Act.CANCEL, "clear": Act.CLEAR, "sell": Act.SELL, "sell_part": Act.SELL_PART, "transfer": Act.SHIP,
    "deliver": Act.DISPENSE, "pickup": Act.DISPENSE, "deliver_part": Act.DISPENSE_PART,
    "apply_return": Act.APPLY_RETURN, "return_in": Act.RETURN_IN, "conform": Act.CONFORM, "reject": Act.REJECT,
    "release": Act.RELEASE, "export": Act.EXPORT, "export_return": Act.EXPORT_RETURN, "repair": Act.REPAIR,
    "hold": Act.HOLD, "recall": Act.RECALL, "steal": Act.STEAL, "destroy": Act.DESTROY,
}  # fmt: skip


def made(name: str, *args: Any, **kwargs: Any) -> Event:
    """An event of a world without a ledger: to make one, it needs the time alone."""
    world = World.__new__(World)
    world.clock = Clock()
    event: Event = getattr(world, name)(*args, **kwargs)
    return event


@pytest.mark.parametrize("name", DONE)
def test_what_an_event_does_to_packs_and_to_nothing_else(name: str) -> None:
    event = made(name, PACK, OTHER, CASE)
    see = Act.END if getattr(event, "action", "") == "DELETE" and name != "cancel" else Act.SEE
    assert dict(acts(event, PILOT)) == {PACK: DONE[name], OTHER: DONE[name], CASE: see}
    undone = evolve(event, error_declaration=made("undo", event).error_declaration)
    assert dict(acts(undone, PILOT)) == {PACK: Act.UNDO, OTHER: Act.UNDO, CASE: Act.NOTE}
    counted = evolve(event, quantities=(Quantity(LOT),))
    assert dict(acts(counted, PILOT)) == {PACK: DONE[name], OTHER: DONE[name], CASE: see, LOT: Act.SEE}


def test_what_brings_a_code_into_being_carries_its_expiry() -> None:
    day = (date(2028, 6, 30) - DAY_ZERO).days << 8
    assert dict(acts(made("commission", PACK), PILOT)) == {PACK: Act.COMMISSION + day}
    assert dict(acts(made("commission", PACK, expiry=None), PILOT)) == {PACK: Act.COMMISSION}
    assert dict(acts(made("commission", PACK, CASE), PILOT)) == {PACK: Act.COMMISSION + day, CASE: Act.SEE}
    relabel = made("relabel", [PACK], [OTHER])
    assert dict(acts(relabel, PILOT)) == {PACK: Act.RELABEL_OLD, OTHER: Act.RELABEL_NEW + day}
    assert dict(acts(made("kit", [PACK], [OTHER]), PILOT)) == {PACK: Act.CONSUME, OTHER: Act.PRODUCE + day}
    assert dict(acts(made("relabel", [PACK, CASE], [PACK, OTHER]), PILOT)) == {
        PACK: Act.RELABEL_OLD, OTHER: Act.RELABEL_NEW + day, CASE: Act.END,
    }  # fmt: skip


def test_packing_is_nothing_that_happens_to_custody() -> None:
    box = AggregationEvent(**WHEN, action="ADD", parent=CASE, epcs=(PACK,), biz_step="packing")
    assert dict(acts(box, PILOT)) == {CASE: Act.SEE, PACK: Act.OBSERVE}


@pytest.mark.parametrize(
    ("changes", "act"),
    [
        ({"disposition": "in_progress"}, Act.RESERVE),
        ({"biz_step": "accepting"}, Act.OBSERVE),
        ({"biz_step": None, "biz_transactions": (BizTransaction("rma", "urn:example:1"),)}, Act.APPLY_RETURN),
        ({"action": "OBSERVE"}, Act.OBSERVE),
        ({"action": "DELETE"}, Act.CANCEL),
        ({"action": "DELETE", "biz_step": None}, Act.OBSERVE),
        ({"epcs": (), "parent": PACK}, Act.OBSERVE),
    ],
)
def test_what_a_transaction_does(changes: dict[str, Any], act: Act) -> None:
    event = made("order", PACK)
    assert isinstance(event, TransactionEvent)
    assert dict(acts(evolve(event, **changes), PILOT)) == {PACK: act}


@pytest.mark.parametrize(
    ("name", "disposition", "act"),
    [
        ("bond_in", "in_progress", Act.OBSERVE),
        ("sell", "in_progress", Act.SELL),
        ("sell", None, Act.SELL),
        ("deliver", None, Act.DISPENSE),
        ("return_in", "in_progress", Act.OBSERVE),
        ("export_return", "in_progress", Act.OBSERVE),
        ("conform", "in_progress", Act.OBSERVE),
        ("hold", None, Act.HOLD),
        ("hold", "damaged", Act.HOLD),
        ("hold", "in_progress", Act.RELEASE),
        ("hold", "in_transit", Act.RELEASE),
        ("hold", "available", Act.RELEASE),
        ("hold", "sellable_accessible", Act.RELEASE),
        ("hold", "returned", Act.RELEASE),
        ("steal", "in_progress", Act.OBSERVE),
        ("ship", None, Act.SHIP),
        ("clear", None, Act.CLEAR),
        ("repair", None, Act.REPAIR),
        ("export", "in_progress", Act.EXPORT),
        ("destroy", None, Act.DESTROY),
    ],
)
def test_a_disposition_tells_acts_of_one_step_apart(name: str, disposition: str | None, act: Act) -> None:
    assert dict(acts(evolve(made(name, PACK), disposition=disposition), PILOT)) == {PACK: act}


# ---- the examples ----------------------------------------------------------------------------------

MODULES = ("test_rules_sale", "test_rules_places", "test_rules_returns", "test_rules_undo", "test_packing_rules")


def examples() -> dict[str, tuple[frozenset[Violation], str]]:
    for name in MODULES:
        importlib.import_module(name)
    return {name: one for name, one in EXAMPLES.items() if name.partition(".")[0] in MODULES}


@pytest.mark.parametrize("violation", V, ids=lambda violation: violation.name)
def test_every_violation_has_an_example_that_names_its_clause(violation: Violation) -> None:
    clauses = [clause for violations, clause in examples().values() if violation in violations]
    assert clauses, f"no test of {', '.join(MODULES)} is an example of {violation.name}"
    # They name the same source as the table of clauses, which people read.
    said = CLAUSES[violation].clause
    sources = [source for source in ("S0", "S1", "S2", "S3", "S4", "EU 2016/161", "[practice]") if source in said]
    assert any(source in clause for clause in clauses for source in sources), (said, clauses)
