"""The model of tracing, held against answers that were worked out by hand: one example for each rule it follows.

A log is made of events alone. The first argument of each is its claimed time; its entry is its place in the log, so
`at(30, SHOP, PACK)` as the third event is the moment (30, 2).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from tracechain import custody
from tracechain.custody import Violation
from tracechain.event import (
    AssociationEvent,
    BizTransaction,
    Event,
    Quantity,
)
from tracechain.testing.samples import PRODUCT, case_id, pack_ids
from tracechain.tracing import Stay
from tracing_histories import at, change, error, gone, into, log_of, made, out, paper, seen_in
from tracing_model import Model, Seen

PACK, SECOND, THIRD, NEW = pack_ids(4)
OTHER_PRODUCT = pack_ids(1, product="09521234002079")[0]
CASE, OTHER_CASE, PALLET, SHIP, TRUCK = (case_id(number) for number in range(1, 6))
PLANT, ZONE, SHOP = "urn:example:plant", "414/9521234000013", "urn:example:shop"
SHELF = f"{ZONE}/254/17"
CARRIER = "urn:example:carrier"
EYE_DROPS = f"01/{PRODUCT}"


def model(*events: Event, broken: dict[tuple[int, str], Violation] | None = None) -> Model:
    return Model(log_of(*events, broken=broken))


def stays(log: Model, subject: str = PACK) -> list[tuple[str, tuple[int, int], tuple[int, int] | None]]:
    return [(stay.container, stay.begin, stay.end) for stay in log.stays(subject)]


def places(log: Model, subject: str = PACK) -> dict[int, str | None]:
    return {time: log.whereabouts(subject, time).place for time in log.times()}


# ---- where something is ------------------------------------------------------------------------------


def test_a_thing_is_where_it_was_seen_last_by_claimed_time() -> None:
    log = model(made(10, PACK, where=PLANT), at(30, SHOP, PACK), at(20, ZONE, PACK))
    assert places(log) == {10: PLANT, 20: ZONE, 30: SHOP}
    now = log.whereabouts(PACK)
    assert (now.place, now.time, now.index, now.seen) == (SHOP, 30, 1, PACK)


def test_of_two_sightings_at_one_time_the_one_recorded_later_counts() -> None:
    assert model(at(10, SHOP, PACK), at(10, ZONE, PACK)).whereabouts(PACK).index == 1


def test_before_its_first_event_it_is_nowhere() -> None:
    log = model(at(10, SHOP, PACK))
    before = log.whereabouts(PACK, 9)
    assert (before.place, before.index, before.seen, before.state) == (None, None, None, None)
    assert log.whereabouts(PACK, 10).place == SHOP


def test_the_read_point_is_the_place_and_else_the_business_location() -> None:
    both = evolve(at(10, ZONE, PACK), biz_location=SHOP)
    assert model(both).whereabouts(PACK).place == ZONE
    assert model(evolve(both, read_point=None)).whereabouts(PACK).place == SHOP


def test_an_event_without_a_place_does_not_move_it() -> None:
    now = model(at(10, SHOP, PACK), at(20, None, PACK)).whereabouts(PACK)
    assert (now.place, now.time, now.index) == (SHOP, 10, 0)


def test_papers_are_no_sighting() -> None:
    assert model(at(10, ZONE, PACK), paper(20, SHOP, PACK)).whereabouts(PACK).place == ZONE


def test_a_logger_is_where_it_is_fixed_and_is_in_nothing() -> None:
    fixed = AssociationEvent(
        event_time=20, time_zone_offset=0, action="ADD", parent=CASE, epcs=("urn:logger",), read_point=ZONE
    )
    log = model(fixed, at(30, SHOP, CASE))
    assert log.whereabouts("urn:logger").place == log.whereabouts(CASE, 20).place == ZONE
    assert log.containers("urn:logger") == ()


def test_old_and_new_codes_are_where_they_were_exchanged() -> None:
    log = model(at(10, ZONE, PACK), evolve(change(20, (PACK,), (NEW,)), read_point=SHOP))
    assert log.whereabouts(PACK).place == log.whereabouts(NEW).place == SHOP
    assert log.whereabouts(PACK).successors == (NEW,)
    assert log.whereabouts(PACK, 19).successors == log.whereabouts(NEW).successors == ()


def test_the_state_is_that_of_the_latest_entry_of_the_log_among_those_of_that_time() -> None:
    log = model(made(10, PACK), gone(30, PACK), at(20, SHOP, PACK))
    assert log.whereabouts(PACK, 10).state == custody.Custody.ACTIVE
    # The scan of time 20 was recorded after the destruction: it found the pack dead.
    assert log.whereabouts(PACK, 20).state == log.whereabouts(PACK, 30).state == custody.Custody.DEAD


# ---- in what something is ----------------------------------------------------------------------------


def test_a_stay_lasts_from_packing_to_unpacking() -> None:
    log = model(into(10, CASE, PACK, SECOND), out(20, CASE, PACK))
    assert stays(log) == [(CASE, (10, 0), (20, 1))]
    assert stays(log, SECOND) == [(CASE, (10, 0), None)]
    assert [log.container(PACK, time) for time in (9, 10, 19, 20)] == [None, CASE, CASE, None]
    assert log.contents(CASE, 10) == [PACK, SECOND]
    assert log.contents(CASE) == [SECOND]


def test_the_later_packing_wins_by_claimed_time() -> None:
    log = model(into(20, OTHER_CASE, PACK), into(10, CASE, PACK))
    assert stays(log) == [(CASE, (10, 1), (20, 0)), (OTHER_CASE, (20, 0), None)]


def test_packing_where_it_is_already_is_nothing_new() -> None:
    assert stays(model(into(10, CASE, PACK), into(20, CASE, PACK))) == [(CASE, (10, 0), None)]


def test_it_can_come_back() -> None:
    log = model(into(10, CASE, PACK), out(20, CASE, PACK), into(30, CASE, PACK))
    assert stays(log) == [(CASE, (10, 0), (20, 1)), (CASE, (30, 2), None)]


def test_unpacking_from_another_container_changes_nothing() -> None:
    assert stays(model(into(10, CASE, PACK), out(20, OTHER_CASE, PACK))) == [(CASE, (10, 0), None)]


def test_being_seen_in_a_container_packs_nothing() -> None:
    assert stays(model(seen_in(10, CASE, PACK))) == []
    assert stays(model(into(10, CASE, PACK), seen_in(20, OTHER_CASE, PACK))) == [(CASE, (10, 0), None)]


def test_emptying_ends_the_stay_of_all_that_is_in_then() -> None:
    log = model(into(10, CASE, PACK, SECOND), out(15, CASE, SECOND), out(20, CASE), into(30, CASE, PACK))
    assert stays(log) == [(CASE, (10, 0), (20, 2)), (CASE, (30, 3), None)]
    assert stays(log, SECOND) == [(CASE, (10, 0), (15, 1))]


def test_emptying_recorded_late_ends_what_was_in_at_its_time() -> None:
    log = model(into(10, CASE, PACK), into(30, CASE, SECOND), out(20, CASE))
    assert stays(log) == [(CASE, (10, 0), (20, 2))]
    assert stays(log, SECOND) == [(CASE, (30, 1), None)]


def test_emptying_of_the_pallet_leaves_the_packs_in_their_case() -> None:
    log = model(into(10, CASE, PACK), into(11, PALLET, CASE), out(20, PALLET))
    assert stays(log) == [(CASE, (10, 0), None)]
    assert log.containers(PACK, 19) == (CASE, PALLET)
    assert log.containers(PACK) == (CASE,)


@pytest.mark.parametrize(
    "leaving", [at(20, SHOP, PACK, step="dispensing"), gone(20, PACK), change(20, (PACK,), (NEW,))]
)
def test_what_is_handed_over_ends_or_is_used_up_leaves_what_it_was_in(leaving: Event) -> None:
    log = model(into(10, CASE, PACK, NEW), leaving, at(30, ZONE, CASE))
    assert stays(log) == [(CASE, (10, 0), (20, 1))]
    assert stays(log, NEW) == [(CASE, (10, 0), None)]
    assert log.whereabouts(PACK).place != ZONE
    assert stays(model(into(10, CASE, PACK), leaving, error(leaving))) == [(CASE, (10, 0), None)]


def test_taking_out_by_class_and_quantity_takes_out_no_code() -> None:
    taken = evolve(out(20, CASE), quantities=(Quantity(EYE_DROPS, Decimal(1)),))
    assert stays(model(into(10, CASE, PACK), taken)) == [(CASE, (10, 0), None)]


def test_what_closed_a_cycle_packed_nothing() -> None:
    log = model(
        into(10, CASE, PACK), into(20, CASE, CASE, SECOND), broken={(1, CASE): Violation.PACKING_CYCLE}
    )  # fmt: skip
    assert stays(log, CASE) == []
    assert stays(log, SECOND) == [(CASE, (20, 1), None)]


def test_another_violation_does_not_take_a_packing_away() -> None:
    log = model(
        into(10, CASE, PACK), into(20, OTHER_CASE, PACK), broken={(1, PACK): Violation.ALREADY_PACKED}
    )  # fmt: skip
    assert stays(log) == [(CASE, (10, 0), (20, 1)), (OTHER_CASE, (20, 1), None)]


def test_containers_come_innermost_first() -> None:
    log = model(into(10, CASE, PACK), into(20, PALLET, CASE), into(30, TRUCK, PALLET), into(40, SHIP, TRUCK))
    assert log.containers(PACK) == (CASE, PALLET, TRUCK, SHIP)
    assert log.containers(PACK, 25) == (CASE, PALLET)
    assert log.contents(PALLET, deep=True) == sorted([CASE, PACK])


def test_containers_that_hold_each_other_by_their_times_come_once() -> None:
    log = model(into(10, CASE, PACK), into(20, PALLET, CASE), into(15, CASE, PALLET))
    assert log.containers(PACK) == (CASE, PALLET)
    assert [way.path for way in log.ways(PACK) if way.closed] == [(PACK, CASE, PALLET, CASE)]
    assert log.circle(PACK)
    assert not log.circle(PACK, 15)


# ---- what is inherited -------------------------------------------------------------------------------


def test_a_scan_of_the_container_moves_what_is_in_it() -> None:
    log = model(into(10, CASE, PACK, where=PLANT), at(20, ZONE, CASE), out(30, CASE, PACK), at(40, SHOP, CASE))
    assert places(log) == {10: PLANT, 20: ZONE, 30: ZONE, 40: ZONE}
    now = log.whereabouts(PACK)
    assert (now.place, now.time, now.index, now.seen) == (ZONE, 20, 1, CASE)


def test_a_scan_before_it_was_packed_is_none_of_it() -> None:
    log = model(at(5, ZONE, CASE), into(10, CASE, PACK))
    assert log.whereabouts(PACK).place is None


def test_a_late_scan_moves_what_was_in_it_at_its_time() -> None:
    log = model(into(10, CASE, PACK), out(30, CASE, PACK), at(20, ZONE, CASE))
    assert log.whereabouts(PACK).place == ZONE


def test_a_scan_at_the_time_of_packing_counts_from_the_entry_of_packing_on() -> None:
    assert model(at(10, ZONE, CASE), into(10, CASE, PACK)).whereabouts(PACK).place is None
    assert model(into(10, CASE, PACK), at(10, ZONE, CASE)).whereabouts(PACK).place == ZONE
    taken_out = model(into(5, CASE, PACK), at(10, ZONE, CASE), out(10, CASE, PACK), at(10, SHOP, CASE))
    assert taken_out.whereabouts(PACK).place == ZONE


def test_emptying_says_where_those_that_came_out_were() -> None:
    log = model(into(10, CASE, PACK), out(20, CASE, where=ZONE))
    now = log.whereabouts(PACK)
    assert (now.place, now.index, now.seen, now.containers) == (ZONE, 1, CASE, ())


def test_a_container_s_container_moves_it_exactly_while_both_hold() -> None:
    log = model(
        into(10, CASE, PACK),
        at(15, PLANT, PALLET),
        into(20, PALLET, CASE),
        at(25, ZONE, PALLET),
        out(30, CASE, PACK),
        at(35, SHOP, PALLET),
    )
    assert places(log) == {10: None, 15: None, 20: None, 25: ZONE, 30: ZONE, 35: ZONE}
    assert log.whereabouts(CASE).place == SHOP


def test_its_own_sighting_and_that_of_its_container_go_by_their_times() -> None:
    log = model(into(10, CASE, PACK), at(20, ZONE, CASE), at(30, SHOP, PACK), at(40, PLANT, CASE))
    assert places(log) == {10: None, 20: ZONE, 30: SHOP, 40: PLANT}


def test_one_event_on_pack_and_container_is_the_pack_s_own() -> None:
    now = model(into(10, CASE, PACK), at(20, ZONE, PACK, CASE)).whereabouts(PACK)
    assert (now.index, now.seen) == (1, PACK)


# ---- what is declared an error -----------------------------------------------------------------------


def test_what_is_declared_an_error_is_no_sighting_and_the_declaration_is_none() -> None:
    scan = at(20, SHOP, PACK)
    log = model(at(10, ZONE, PACK), scan, error(scan))
    assert log.whereabouts(PACK).place == ZONE
    assert log.voided == {(1, PACK): 2}


def test_a_packing_declared_an_error_packed_nothing() -> None:
    packing = into(20, OTHER_CASE, PACK)
    log = model(into(10, CASE, PACK), packing, error(packing), at(30, SHOP, CASE), at(40, ZONE, OTHER_CASE))
    assert stays(log) == [(CASE, (10, 0), None)]
    assert log.whereabouts(PACK).place == SHOP


def test_an_unpacking_and_an_emptying_declared_errors_took_nothing_out() -> None:
    for unpacking in (out(20, CASE, PACK), out(20, CASE)):
        log = model(into(10, CASE, PACK), unpacking, error(unpacking))
        assert stays(log) == [(CASE, (10, 0), None)]


def test_an_error_for_one_of_several_leaves_the_others() -> None:
    packing = into(10, CASE, PACK, SECOND, where=ZONE)
    log = model(packing, error(packing, epcs=(PACK,)))
    assert stays(log) == []
    assert log.whereabouts(PACK).place is None
    assert stays(log, SECOND) == [(CASE, (10, 0), None)]
    assert log.whereabouts(SECOND).place == ZONE
    # It names the case too, so of the case the packing is no fact any more.
    assert log.voided == {(0, PACK): 1, (0, CASE): 1}
    assert log.whereabouts(CASE).place is None


def test_a_declaration_voids_the_latest_that_is_the_same_and_a_second_one_the_one_before() -> None:
    scan = at(20, SHOP, PACK)
    log = model(scan, at(20, SHOP, PACK, SECOND), error(scan))
    assert log.voided == {(1, PACK): 2}
    again = model(scan, at(20, SHOP, PACK, SECOND), error(scan), error(scan), error(scan))
    assert again.voided == {(1, PACK): 2, (0, PACK): 3}


@pytest.mark.parametrize(
    "changes",
    [
        {"event_time": 21},
        {"biz_step": "shipping"},
        {"action": "DELETE"},
        {"read_point": ZONE},
        {"read_point": None},
        {"biz_location": ZONE},
        {"person": bytes(16)},
        {"biz_transactions": (BizTransaction("po", "urn:example:po:1"),)},
        {"epcs": (SECOND,)},
    ],
)
def test_a_declaration_of_something_else_voids_nothing(changes: dict[str, Any]) -> None:
    scan = at(20, SHOP, PACK)
    log = model(scan, error(scan, **changes))
    assert log.voided == {}
    assert log.whereabouts(PACK).place == SHOP


def test_a_declaration_with_another_parent_voids_nothing() -> None:
    packing = into(20, CASE, PACK)
    assert model(packing, error(packing, parent=OTHER_CASE)).voided == {}


def test_what_is_not_compared_may_differ() -> None:
    scan = at(20, SHOP, PACK)
    assert model(scan, error(scan, disposition="damaged", time_zone_offset=60)).voided == {(0, PACK): 1}


def test_a_declaration_before_the_event_voids_nothing() -> None:
    scan = at(20, SHOP, PACK)
    assert model(error(scan), scan).whereabouts(PACK).place == SHOP


def test_a_declaration_that_breaks_a_rule_voids_nothing() -> None:
    scan = at(20, SHOP, PACK)
    log = model(scan, error(scan), broken={(1, PACK): Violation.UNDO_LATE})
    assert log.voided == {}


# ---- the whole history -------------------------------------------------------------------------------


def told(log: Model, subject: str = PACK) -> list[tuple[int, str]]:
    return [(seen.index, seen.relation) for seen in log.trace(subject)]


def test_a_trace_has_own_and_inherited_entries_by_moment() -> None:
    log = model(
        made(10, PACK, SECOND),
        into(20, CASE, PACK),
        out(50, CASE, PACK),
        at(60, SHOP, CASE),
        at(30, ZONE, CASE),
        into(25, PALLET, CASE),
        at(40, PLANT, PALLET),
        paper(35, SHOP, CASE),
    )
    assert told(log) == [
        (0, "own"), (1, "own"), (5, "container"), (4, "container"), (7, "container"), (6, "container"), (2, "own"),
    ]  # fmt: skip


def test_a_trace_shows_its_own_errors_and_declarations_marked_and_inherits_none() -> None:
    scan = at(20, SHOP, PACK, CASE)
    log = model(into(10, CASE, PACK, SECOND), scan, error(scan))
    assert log.trace(PACK) == [Seen(0, "own", None, False), Seen(1, "own", 2, False), Seen(2, "own", None, True)]
    assert log.trace(SECOND) == [Seen(0, "own", None, False)]


def test_a_trace_as_of_a_time_knows_nothing_later() -> None:
    log = model(at(10, PLANT, PACK), change(20, (PACK,), (NEW,)), at(30, SHOP, NEW))
    assert [seen.index for seen in log.trace(NEW, 20)] == [0, 1]
    assert log.trace(NEW, 19) == []
    assert [seen.index for seen in log.trace(PACK, 29)] == [0, 1]


def test_a_trace_runs_back_to_what_it_was_made_of_and_forward_to_what_it_became() -> None:
    third = pack_ids(1, start=9)[0]
    log = model(
        at(10, PLANT, PACK),
        into(15, CASE, PACK),
        at(17, ZONE, CASE),
        change(20, (PACK,), (NEW,)),
        at(30, SHOP, PACK),  # the old label, seen afterwards, is none of the new one's
        at(40, SHOP, NEW),
        change(50, (NEW,), (third,)),
        at(60, SHOP, third),
    )
    assert told(log, NEW) == [
        (0, "before"), (1, "before"), (2, "before"), (3, "own"), (5, "own"), (6, "own"), (7, "after"),
    ]  # fmt: skip
    assert told(log, third) == [
        (0, "before"), (1, "before"), (2, "before"), (3, "before"), (5, "before"), (6, "own"), (7, "own"),
    ]  # fmt: skip
    assert told(log) == [(0, "own"), (1, "own"), (2, "container"), (3, "own"), (4, "own"), *(
        (index, "after") for index in (5, 6, 7)
    )]  # fmt: skip
    assert log.kin(NEW) == {(PACK, "made_of", 3), (third, "made_into", 6)}
    assert log.kin(third) == {(NEW, "made_of", 6)}


def test_clocks_that_differ_do_not_part_the_old_codes_from_the_new() -> None:
    """NEW was made into THIRD before it was, by claimed times, made of PACK."""
    log = model(at(10, PLANT, PACK), change(30, (PACK,), (NEW,)), change(20, (NEW,), (THIRD,)))
    assert told(log, THIRD) == [(0, "before"), (2, "own"), (1, "before")]
    assert told(log) == [(0, "own"), (2, "after"), (1, "own")]


def test_an_old_code_is_told_of_up_to_the_last_time_it_was_made_into_something() -> None:
    log = model(
        change(10, (PACK,), (SECOND,)),
        at(15, SHOP, PACK),
        change(20, (PACK,), (THIRD,)),
        at(25, SHOP, PACK),
        change(30, (SECOND, THIRD), (NEW,)),
    )
    assert told(log, NEW) == [(0, "before"), (1, "before"), (2, "before"), (4, "own")]
    assert told(log, SECOND) == [(0, "own"), (4, "own")]


def test_siblings_are_no_kin() -> None:
    log = model(change(10, (PACK, SECOND), (NEW, THIRD)))
    assert log.kin(PACK) == {(NEW, "made_into", 0), (THIRD, "made_into", 0)}
    assert log.kin(NEW) == {(PACK, "made_of", 0), (SECOND, "made_of", 0)}


def test_a_code_that_is_kept_is_not_made_of_itself_and_labels_may_go_round() -> None:
    log = model(change(10, (PACK,), (PACK, NEW)), change(20, (NEW,), (PACK,)))
    assert log.kin(PACK) == {(NEW, "made_into", 0), (NEW, "made_of", 1)}
    assert told(log) == [(0, "own"), (1, "own")]


def test_an_exchange_declared_an_error_links_nothing() -> None:
    exchange = change(10, (PACK,), (NEW,))
    log = model(exchange, error(exchange), at(20, SHOP, NEW))
    assert log.kin(PACK) == set()
    assert log.whereabouts(PACK).successors == ()
    assert told(log) == [(0, "own"), (1, "own")]


# ---- what breaks a rule of packing -------------------------------------------------------------------


def violations(*events: Event) -> list[tuple[int, str, str]]:
    return [(index, subject, Violation(code).name) for index, subject, code in model(*events).packing_violations()]


def test_packing_into_a_second_container_breaks_a_rule_and_moves_it() -> None:
    assert violations(into(10, CASE, PACK), into(20, OTHER_CASE, PACK), out(30, OTHER_CASE, PACK)) == [
        (1, PACK, "ALREADY_PACKED")
    ]


def test_the_order_of_the_log_decides_whatever_the_claimed_times() -> None:
    assert violations(out(30, CASE, PACK), into(20, CASE, PACK)) == [(0, PACK, "NOT_PACKED")]


def test_packing_where_it_is_breaks_nothing() -> None:
    assert violations(into(10, CASE, PACK), into(20, CASE, PACK), seen_in(30, CASE, PACK)) == []


def test_being_seen_in_another_container_breaks_a_rule_and_does_not_move_it() -> None:
    assert violations(into(10, CASE, PACK), seen_in(20, OTHER_CASE, PACK), out(30, CASE, PACK)) == [
        (1, PACK, "ALREADY_PACKED")
    ]
    assert violations(seen_in(20, OTHER_CASE, PACK)) == []


def test_a_container_in_itself_and_in_what_is_in_it_is_a_cycle_and_moves_nothing() -> None:
    assert violations(into(10, CASE, CASE)) == [(0, CASE, "PACKING_CYCLE")]
    assert violations(
        into(10, CASE, PACK),
        into(20, PALLET, CASE),
        into(30, SHIP, PALLET),
        into(40, CASE, SHIP, SECOND),
        into(50, TRUCK, SHIP),
    ) == [(3, SHIP, "PACKING_CYCLE")]


def test_a_cycle_is_not_a_second_container_too() -> None:
    assert violations(into(10, TRUCK, PALLET), into(20, PALLET, CASE), into(30, CASE, PALLET)) == [
        (2, PALLET, "PACKING_CYCLE")
    ]


def test_taking_out_what_is_not_in_breaks_a_rule() -> None:
    assert violations(into(10, CASE, PACK), out(20, OTHER_CASE, PACK), out(30, CASE, PACK, SECOND)) == [
        (1, PACK, "NOT_PACKED"),
        (2, SECOND, "NOT_PACKED"),
    ]


def test_what_was_emptied_has_nothing_in_it() -> None:
    assert violations(into(10, CASE, PACK), out(20, CASE), out(30, CASE, PACK), into(40, OTHER_CASE, PACK)) == [
        (2, PACK, "NOT_PACKED")
    ]


def test_what_left_is_not_in_it_by_the_log_either() -> None:
    sold = at(20, SHOP, PACK, step="dispensing")
    assert violations(into(10, CASE, PACK), sold, into(30, OTHER_CASE, PACK)) == []
    assert violations(into(10, CASE, PACK), sold, error(sold), out(30, CASE, PACK)) == [(3, PACK, "NOT_PACKED")]


def test_what_was_packed_in_error_is_in_nothing_and_what_was_taken_out_in_error_is_back() -> None:
    packing = into(10, CASE, PACK)
    assert violations(packing, error(packing), into(20, OTHER_CASE, PACK)) == []
    unpacking = out(20, CASE, PACK)
    assert violations(packing, unpacking, error(unpacking), into(20, OTHER_CASE, PACK)) == [(3, PACK, "ALREADY_PACKED")]


def test_stays_are_the_library_s_values() -> None:
    assert model(into(10, CASE, PACK)).stays(PACK) == [Stay(CASE, (10, 0), None)]
