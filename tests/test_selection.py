"""Which packs a criterion covers, drawn from the index and chosen of all packs alike.

An example of each criterion by hand, and what is said to be unresolved. Random histories are in
test_selection_agrees.py.
"""

from __future__ import annotations

import contextlib
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import evolve

from pilot_world import EYE_DROPS, NMPA_PRODUCT, PHARMACY, World, merchant, product
from tracechain import criteria
from tracechain.criteria import Criterion
from tracechain.custody import Violation, is_pack
from tracechain.event import (
    AssociationEvent,
    Event,
    ObjectEvent,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDest,
)
from tracechain.pilot import standing_of
from tracechain.recall.select import Selection
from tracechain.replay import MemoryView
from tracechain.rules.mentions import SENSORS
from tracechain.testing.samples import case_id, pack_ids
from tracechain.tracing import Unresolved
from tracechain.view import View
from tracing_histories import (
    at,
    change,
    error,
    into,
    log_of,
    made,
    out,
    paper,
)

PACK, OTHER, THIRD, NEW = pack_ids(4)
CASE, BOX, PALLET = (case_id(number) for number in (1, 2, 3))
SHOP, ZONE = "urn:example:shop", "414/9521234000013"
SHELF = f"{ZONE}/254/17"
CARRIER = "urn:example:carrier"
LOGGER = "urn:example:logger"
OTHER_PRODUCT = "01/09521234002079"
OTHERS_PACK = pack_ids(1, product="09521234002079")[0]


def select(view: View, criterion: Criterion) -> tuple[set[str], set[Unresolved]]:
    """What is covered, each once, and what is unresolved."""
    selection = Selection(view)
    found = [pack for batch in selection.units(criterion) for pack in batch]
    assert len(found) == len(set(found))
    return set(found), selection.unresolved


def of(log: MemoryView, criterion: Criterion) -> set[str]:
    """What is covered, drawn from an index, and asked of each pack alike."""
    drawn, _ = select(log, criterion)
    packs = [subject for subject, _ in log.units() if is_pack(subject)]
    if packs:
        asked, _ = select(log, criteria.Codes(tuple(packs)) & criterion)
        assert asked == drawn
        others, _ = select(log, ~criterion)
        assert others == set(packs) - drawn
    return drawn


def unresolved(log: MemoryView, criterion: Criterion) -> set[tuple[str, str, int | None]]:
    return {(one.kind, one.subject, one.index) for one in select(log, criterion)[1]}


# ---- by code, product, lot, time -------------------------------------------------------------------


def test_codes_are_the_packs_among_them_that_are_known() -> None:
    log = log_of(made(10, PACK, OTHER), into(20, CASE, PACK))
    codes = criteria.Codes((PACK, NEW, CASE))
    assert of(log, codes) == {PACK}
    assert unresolved(log, codes) == {("unknown", NEW, None), ("unknown", CASE, None)}


def test_a_product_is_all_packs_of_it() -> None:
    log = log_of(made(10, PACK, OTHERS_PACK), at(20, SHOP, OTHER, CASE))
    assert of(log, criteria.OfProduct(EYE_DROPS)) == {PACK, OTHER}
    assert unresolved(log, criteria.OfProduct(EYE_DROPS)) == set()


def test_a_lot_is_what_came_into_being_with_it_and_what_was_made_of_that() -> None:
    log = log_of(
        made(10, PACK, lot="A"), made(10, OTHER, lot="B"), change(20, (PACK,), (NEW,), lot="B"),
        change(30, (NEW,), (OTHERS_PACK,)), made(10, "01/09521234002079/21/X", lot="A"),
    )  # fmt: skip
    assert of(log, criteria.Lot(EYE_DROPS, "A")) == {PACK, NEW, OTHERS_PACK}
    assert of(log, criteria.Lot(EYE_DROPS, "B")) == {OTHER, NEW, OTHERS_PACK}
    assert of(log, criteria.Lot(EYE_DROPS, "C")) == set()


def test_a_lot_is_handed_on_by_what_is_no_pack_but_begins_with_packs() -> None:
    bulk = f"{EYE_DROPS}/10/A"
    log = log_of(
        made(10, PACK, lot="A"), change(20, (PACK,), ("urn:bulk",)), change(30, ("urn:bulk",), (OTHER,)),
        made(10, bulk, lot="A"), change(20, (bulk,), (NEW,)),
    )  # fmt: skip
    assert of(log, criteria.Lot(EYE_DROPS, "A")) == {PACK, OTHER}


def test_what_was_declared_an_error_is_of_no_lot_whether_the_declaration_states_it_or_not() -> None:
    first = made(10, PACK, OTHER, lot="A")
    log = log_of(first, error(first, epcs=(PACK,)))
    assert of(log, criteria.Lot(EYE_DROPS, "A")) == {OTHER}
    log = log_of(first, error(first, epcs=(PACK,), ilmd=()), change(20, (PACK,), (NEW,)))
    assert of(log, criteria.Lot(EYE_DROPS, "A")) == {OTHER}


def test_a_new_label_declared_an_error_hands_no_lot_on() -> None:
    relabelled = change(20, (PACK,), (NEW,))
    log = log_of(made(10, PACK, lot="A"), relabelled, error(relabelled))
    assert of(log, criteria.Lot(EYE_DROPS, "A")) == {PACK}
    log = log_of(made(10, PACK, lot="A"), relabelled, error(relabelled), change(30, (PACK, NEW), (OTHER,)))
    assert of(log, criteria.Lot(EYE_DROPS, "A")) == {PACK, OTHER}


def test_commissioning_is_by_claimed_times_and_the_end_is_not_in() -> None:
    log = log_of(made(10, PACK), made(20, OTHER), made(15, THIRD), at(12, SHOP, NEW))
    assert of(log, criteria.Commissioned(10, 20)) == {PACK, THIRD}
    assert of(log, criteria.Commissioned(20, 21)) == {OTHER}


# ---- by what happened to it and to its containers ----------------------------------------------------


def test_through_a_place_is_by_its_own_sightings_and_those_of_its_containers() -> None:
    log = log_of(
        at(10, ZONE, PACK), into(10, CASE, OTHER), at(20, SHELF, CASE), paper(20, ZONE, THIRD), out(30, CASE, OTHER),
        at(40, SHOP, CASE), into(50, CASE, NEW),
    )  # fmt: skip
    assert of(log, criteria.ThroughPlace(ZONE)) == {PACK, OTHER}
    assert of(log, criteria.ThroughPlace(SHELF)) == {OTHER}
    assert of(log, criteria.ThroughPlace(ZONE, 11, 20)) == {OTHER}
    assert of(log, criteria.ThroughPlace(ZONE, None, 10)) == {PACK}
    assert of(log, criteria.ThroughPlace(ZONE, 21)) == set()
    assert of(log, criteria.ThroughPlace(SHOP)) == set()


def test_a_place_is_where_it_was_read_and_not_its_parts_namesakes() -> None:
    both = evolve(at(10, SHOP, PACK), biz_location=ZONE)
    log = log_of(both, evolve(both, epcs=(OTHER,), read_point=None), at(20, f"{ZONE}0/254/1", THIRD))
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK}
    assert of(log, criteria.ThroughPlace(ZONE)) == {OTHER}


def test_a_sighting_declared_an_error_took_place_for_the_others_only() -> None:
    seen = at(20, SHOP, CASE, PACK)
    log = log_of(into(10, CASE, OTHER), seen, error(seen, epcs=(CASE,)))
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK}


def test_what_was_not_taken_out_after_all_is_still_in_it() -> None:
    taken_out = out(20, CASE, PACK, OTHER)
    log = log_of(into(10, CASE, PACK, OTHER), taken_out, error(taken_out, epcs=(PACK,)), at(30, SHOP, CASE))
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK}
    emptied = out(20, CASE)
    log = log_of(into(10, CASE, PACK), emptied, error(emptied), at(30, SHOP, CASE))
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK}


def test_a_bare_position_is_found_though_no_index_has_it() -> None:
    log = log_of(into(5, CASE, OTHER), at(10, "geo:39.9,116.4", PACK, CASE), made(10, THIRD))
    assert of(log, criteria.ThroughPlace("geo:39.9,116.4")) == {PACK, OTHER}


def test_five_levels_deep_what_is_seen_is_seen_with_all_that_is_in_it_by_then() -> None:
    codes = [PACK, *(case_id(number) for number in range(1, 6))]
    log = log_of(
        *(into(10 + level, around, code) for level, (code, around) in enumerate(pairwise(codes))),
        at(20, SHOP, codes[-1]), out(21, codes[3], codes[2]), at(22, ZONE, codes[-1]),
    )  # fmt: skip
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK}
    assert of(log, criteria.ThroughPlace(ZONE)) == set()


def test_late_facts_count_by_their_claimed_times() -> None:
    log = log_of(into(10, CASE, PACK), out(30, CASE, PACK), at(20, SHOP, CASE), at(31, ZONE, CASE))
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK}
    assert of(log, criteria.ThroughPlace(ZONE)) == set()


def test_a_box_in_use_again_and_again_tells_of_what_was_in_it_each_time() -> None:
    packs = pack_ids(30)
    turns: list[Event] = []
    for turn, pack in enumerate(packs):
        unpacked = (pack,) if turn % 2 else ()
        turns += [
            into(10 * turn, CASE, pack), at(10 * turn + 5, SHOP, CASE), out(10 * turn + 8, CASE, *unpacked)
        ]  # fmt: skip
    log = log_of(*turns)
    assert of(log, criteria.ThroughPlace(SHOP, 100, 124)) == set(packs[10:12])
    assert of(log, criteria.ThroughPlace(SHOP)) == set(packs)
    assert of(log, criteria.ThroughContainer(CASE, 200, 208)) == {packs[20]}
    assert of(log, criteria.ThroughContainer(CASE, 209, 209)) == set()


def test_containers_that_hold_each_other_come_to_an_end_and_are_told() -> None:
    log = log_of(into(10, PALLET, CASE), into(11, CASE, PALLET, PACK), at(20, SHOP, PALLET))
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK}
    assert ("cycle", CASE, 1) in unresolved(log, criteria.ThroughPlace(SHOP))
    assert "cycle" in {kind for kind, _, _ in unresolved(log, ~criteria.ThroughPlace(ZONE))}


def test_through_a_container_is_at_any_depth_while_all_of_it_holds() -> None:
    log = log_of(into(10, CASE, PACK, OTHER), out(20, CASE, OTHER), into(30, PALLET, CASE), out(40, PALLET, CASE))
    assert of(log, criteria.ThroughContainer(CASE)) == {PACK, OTHER}
    assert of(log, criteria.ThroughContainer(PALLET)) == {PACK}
    assert of(log, criteria.ThroughContainer(CASE, 20, 20)) == {PACK, OTHER}
    assert of(log, criteria.ThroughContainer(CASE, 21)) == {PACK}
    assert of(log, criteria.ThroughContainer(PALLET, None, 29)) == set()
    assert of(log, criteria.ThroughContainer(PALLET, 41)) == set()
    assert unresolved(log, criteria.ThroughContainer(BOX)) == {("unknown", BOX, None)}


def test_a_container_is_not_what_is_in_it_though_it_be_a_pack() -> None:
    log = log_of(into(10, PACK, OTHER), at(20, SHOP, PACK))
    assert of(log, criteria.ThroughContainer(PACK)) == {OTHER}
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK, OTHER}


def test_by_a_carrier_is_named_as_source_or_destination_of_it_or_of_its_container() -> None:
    def carried(event: Event, side: str, kind: str = "possessing_party") -> Event:
        parties: Any = {side: (SourceDest(kind, CARRIER),)}
        return evolve(event, **parties)

    log = log_of(
        into(10, CASE, PACK), carried(at(20, None, CASE), "sources"), carried(paper(30, SHOP, OTHER), "destinations"),
        carried(at(40, SHOP, THIRD), "sources", "owning_party"),
    )  # fmt: skip
    assert of(log, criteria.ByCarrier(CARRIER)) == {PACK, OTHER}
    assert of(log, criteria.ByCarrier(CARRIER, 20, 29)) == {PACK}


def test_an_error_need_not_name_the_carrier_again() -> None:
    shipped = evolve(at(20, SHOP, CASE), sources=(SourceDest("possessing_party", CARRIER),))
    log = log_of(into(10, CASE, PACK), shipped, error(shipped, sources=()))
    assert of(log, criteria.ByCarrier(CARRIER)) == set()


def test_a_shared_container_is_the_same_one_at_the_same_time_and_no_deeper() -> None:
    log = log_of(
        into(10, CASE, PACK, OTHER), out(20, CASE, PACK), into(20, CASE, THIRD), into(30, PALLET, CASE, NEW)
    )  # fmt: skip
    assert of(log, criteria.SharedContainer(PACK)) == {PACK, OTHER}
    assert of(log, criteria.SharedContainer(THIRD)) == {OTHER, THIRD}
    assert of(log, criteria.SharedContainer(NEW)) == {NEW}
    assert of(log, criteria.SharedContainer(CASE)) == {NEW}
    assert unresolved(log, criteria.SharedContainer(BOX)) == {("unknown", BOX, None)}


# ---- packs that are named by the same entries ----------------------------------------------------------


def test_packs_of_the_same_entries_are_told_apart_where_these_say_different_things_of_them() -> None:
    """Of each pair both are named by all entries and by no others."""
    held = log_of(into(10, PACK, OTHER), at(20, SHOP, PACK, OTHER))
    assert of(held, criteria.ThroughContainer(PACK)) == {OTHER}
    assert of(held, criteria.SharedContainer(OTHER)) == {OTHER}
    assert of(log_of(into(10, OTHER, PACK), at(20, SHOP, PACK, OTHER)), criteria.ThroughContainer(OTHER)) == {PACK}
    tangled = log_of(
        into(10, CASE, PACK, OTHER), at(20, SHOP, CASE), broken={(0, OTHER): Violation.PACKING_CYCLE}
    )  # fmt: skip
    assert of(tangled, criteria.ThroughPlace(SHOP)) == {PACK}
    used = log_of(change(10, (PACK,), (OTHERS_PACK,), lot="A"), change(20, (OTHER,), (NEW,), lot="A"))
    assert of(used, criteria.Lot(EYE_DROPS, "A")) == {NEW}
    assert of(used, criteria.Lot(OTHER_PRODUCT, "A")) == {OTHERS_PACK}
    seen = at(10, SHOP, PACK, OTHER)
    taken_back = log_of(seen, error(seen), broken={(1, OTHER): Violation.NOT_PACKED})
    assert of(taken_back, criteria.ThroughPlace(SHOP)) == {OTHER}


def test_many_packs_of_many_cases_go_through_a_place() -> None:
    packs = pack_ids(400)
    cases = [case_id(number) for number in range(1, 11)]
    events: list[Event] = [made(1, *packs, lot="A")]
    events += [into(10 + at, case, *packs[40 * at : 40 * at + 40]) for at, case in enumerate(cases)]
    events += [into(30, PALLET + "0", *cases[:5]), at(40, SHOP, PALLET + "0"), out(45, PALLET + "0", cases[1])]
    events += [at(50, ZONE, PALLET + "0", cases[9]), out(60, cases[0], *packs[:40:2])]
    events += [at(70 + number, SHELF, pack) for number, pack in enumerate(packs[:40:8])]
    log = log_of(*events)
    assert of(log, criteria.ThroughPlace(SHOP)) == set(packs[:200])
    zone = {*packs[:40], *packs[80:200], *packs[360:]}
    assert of(log, criteria.ThroughPlace(ZONE)) == zone
    assert of(log, criteria.ThroughPlace(SHELF)) == set(packs[:40:8])
    assert of(log, criteria.ThroughPlace(ZONE) & ~criteria.ThroughPlace(SHOP)) == set(packs[360:])
    assert of(log, criteria.Lot(EYE_DROPS, "A") & criteria.ThroughContainer(cases[0], 61)) == set(packs[1:40:2])
    assert of(log, criteria.SharedContainer(packs[0])) == set(packs[:40])


# ---- exposure ----------------------------------------------------------------------------------------


def warm(time: int, celsius: str, *epcs: str, device: str | None = None, until: int | None = None) -> ObjectEvent:
    metadata = None
    if device is not None or until is not None:
        ends: dict[str, Any] = {} if until is None else {"start_time": time, "end_time": until}
        metadata = SensorMetadata(device_id=device, **ends)
    report = SensorReport(type="Temperature", value=Decimal(celsius), uom="CEL")
    return ObjectEvent(
        event_time=time, time_zone_offset=0, action="OBSERVE", epcs=epcs,
        sensors=(SensorElement(metadata=metadata, reports=(report,)),),
    )  # fmt: skip


def fix(time: int, parent: str, *things: str, action: Any = "ADD") -> AssociationEvent:
    return AssociationEvent(event_time=time, time_zone_offset=0, action=action, parent=parent, epcs=things)


ABOVE = criteria.Measured("temperature", above=Decimal(8))


def test_exposed_is_what_was_measured_outside_and_what_was_in_it() -> None:
    log = log_of(
        into(10, CASE, OTHER), warm(20, "8", CASE, PACK), warm(30, "8.1", CASE), warm(31, "5", CASE),
        into(32, CASE, THIRD), warm(40, "9", NEW),
    )  # fmt: skip
    assert of(log, ABOVE) == {OTHER, NEW}
    assert of(log, criteria.Measured("temperature", below=Decimal(6))) == {OTHER}
    assert of(log, criteria.Measured("temperature", below=Decimal(6), above=Decimal("8.5"))) == {OTHER, NEW}
    assert of(log, criteria.Measured("humidity", above=Decimal(0))) == set()


def test_an_excursion_lasts_from_the_first_reading_outside_to_the_next_one_inside() -> None:
    log = log_of(
        into(10, CASE, PACK), warm(20, "9", CASE), warm(25, "10", CASE), out(26, CASE, PACK), into(27, CASE, OTHER),
        warm(30, "8", CASE), warm(40, "9", CASE), into(41, BOX, THIRD), warm(42, "9", BOX), warm(50, "9", BOX),
    )  # fmt: skip
    assert of(log, ABOVE) == {PACK, OTHER, THIRD}
    assert of(log, evolve(ABOVE, longer_than=9)) == {PACK}
    assert of(log, evolve(ABOVE, longer_than=10)) == set()
    assert of(log, evolve(ABOVE, longer_than=7)) == {PACK, THIRD}


def test_a_logger_tells_of_what_it_was_fixed_to_by_then_also_when_read_out_later() -> None:
    log = log_of(
        into(5, CASE, PACK), fix(10, CASE, LOGGER), out(30, CASE, PACK), into(31, CASE, OTHER),
        fix(40, CASE, LOGGER, action="DELETE"), warm(20, "9", device=LOGGER), warm(21, "5", LOGGER),
        warm(50, "9", device=LOGGER), into(5, BOX, THIRD),
    )  # fmt: skip
    assert of(log, ABOVE) == {PACK}
    period = log_of(
        into(5, CASE, PACK), fix(10, CASE, LOGGER), fix(12, BOX, LOGGER), into(5, BOX, THIRD),
        fix(14, BOX, action="DELETE"), into(14, BOX, NEW), warm(11, "9", device=LOGGER, until=20),
    )  # fmt: skip
    assert of(period, ABOVE) == {PACK, THIRD}
    assert of(log_of(into(5, CASE, PACK), warm(20, "9", device=LOGGER)), ABOVE) == set()


def test_readings_of_periods_may_overlap_with_others() -> None:
    log = log_of(
        warm(10, "9", device=LOGGER, until=30), warm(20, "9", device=LOGGER), fix(25, CASE, LOGGER), into(5, CASE, PACK)
    )
    assert of(log, ABOVE) == {PACK}


def test_a_pack_that_is_fixed_to_something_tells_of_itself_alone() -> None:
    log = log_of(into(5, CASE, OTHER), fix(10, CASE, PACK), warm(20, "9", PACK))
    assert of(log, ABOVE) == {PACK}


def test_a_reading_declared_an_error_was_none() -> None:
    hot = warm(20, "9", CASE)
    assert of(log_of(into(10, CASE, PACK), hot, error(hot)), ABOVE) == set()
    alone, other = warm(20, "9", device=LOGGER), warm(20, "10", device=LOGGER)
    log = log_of(into(5, CASE, PACK), fix(6, CASE, LOGGER), alone, error(other), into(5, CASE, OTHER))
    assert of(log, ABOVE) == {PACK, OTHER}
    assert (
        of(log_of(into(5, CASE, PACK), fix(6, CASE, LOGGER), alone, other, error(alone), error(other)), ABOVE) == set()
    )


# ---- registers ---------------------------------------------------------------------------------------


def test_makers_and_merchants_are_those_of_the_registration_files_in_force(tmp_path: Path) -> None:
    with contextlib.closing(World(tmp_path)) as world:
        pack, china = world.packs[0], world.packs[-1]
        world.ledger.append([made(world.now, pack), made(world.now, china), made(world.now, OTHERS_PACK)])
        world.register(product(NMPA_PRODUCT, maker="Other Pharma", maker_id="urn:example:maker"))
        world.register(merchant("urn:example:new"))
        with world.ledger.snapshot() as view:
            for log in (view, MemoryView.of(view)):
                assert select(log, criteria.ByMaker("Example Pharma")) == ({pack}, set())
                assert select(log, criteria.ByMaker("Other Pharma")) == ({china}, set())
                assert select(log, criteria.ByMaker("urn:example:maker")) == ({china}, set())
                assert select(log, criteria.ByMerchant(PHARMACY)) == ({pack, china}, set())
                assert select(log, criteria.ByMerchant("urn:example:new")) == (set(), set())
                for nobody in (criteria.ByMaker("Nobody"), criteria.ByMerchant("urn:example:nobody")):
                    found, left = select(log, nobody)
                    assert (found, [one.kind for one in left]) == (set(), ["unknown"])
                found, left = select(log, ~criteria.ByMaker("Nobody"))
                assert (found, [one.subject for one in left]) == ({pack, china, OTHERS_PACK}, ["Nobody"])
            given_standing = Selection(view, standing=standing_of(view, as_of=0))
            assert [*given_standing.units(criteria.ByMerchant(PHARMACY))] == []


# ---- what is unresolved --------------------------------------------------------------------------------


def test_what_was_handled_by_class_and_quantity_is_not_found_and_is_told() -> None:
    lot = f"{EYE_DROPS}/10/A"
    packed = evolve(into(10, CASE, PACK), quantities=(Quantity(lot, 5),))
    log = log_of(packed, evolve(at(20, SHOP, OTHER), quantities=(Quantity(EYE_DROPS, 1),)))
    assert unresolved(log, criteria.Lot(EYE_DROPS, "A")) == {("class", lot, 0), ("class", EYE_DROPS, 1)}
    assert unresolved(log, criteria.Lot(EYE_DROPS, "B")) == {("class", EYE_DROPS, 1)}
    assert unresolved(log, criteria.OfProduct(EYE_DROPS)) == {("class", lot, 0), ("class", EYE_DROPS, 1)}
    assert unresolved(log, criteria.OfProduct(OTHER_PRODUCT)) == set()
    assert unresolved(log, criteria.ThroughPlace(SHOP)) == {("class", EYE_DROPS, 1)}
    assert unresolved(log, criteria.ThroughContainer(CASE)) == {("class", lot, 0)}
    assert unresolved(log, criteria.ThroughContainer(CASE, None, 9)) == set()


def test_what_is_not_kept_any_more_is_told_and_the_rest_is_found() -> None:
    events = (made(10, PACK, lot="A"), into(20, CASE, PACK, OTHER), at(30, SHOP, CASE), warm(40, "9", CASE))
    for criterion, gone, left, kept in (
        (criteria.Lot(EYE_DROPS, "A"), 0, {("pruned", PACK, 0)}, set()),
        (criteria.Lot(EYE_DROPS, "A"), 1, {("pruned", PACK, 1)}, {PACK}),
        (criteria.ThroughPlace(SHOP), 1, {("pruned", PACK, 1)}, set()),
        (criteria.ThroughContainer(CASE), 2, {("pruned", CASE, 2)}, {PACK, OTHER}),
        (ABOVE, 2, {("pruned", CASE, 2)}, {PACK, OTHER}),
    ):
        log = log_of(*events)
        log.index = dict(log.units())
        del log.raw_contents[gone]
        others, missing = select(log, ~criterion)
        told = {(one.kind, one.subject, one.index) for one in missing}
        assert others == {PACK, OTHER} - kept
        assert left <= told
        assert {kind for kind, _, _ in told} == {"pruned"}


def test_entries_that_the_index_finds_and_whose_content_is_gone_are_told() -> None:
    for criterion, name, index in (
        (criteria.ThroughPlace(SHOP), SHOP, 1),
        (ABOVE, SENSORS, 2),
        (criteria.Lot(EYE_DROPS, "A"), f"{EYE_DROPS}/10/A", 0),
    ):
        log = log_of(made(10, PACK, lot="A"), at(20, SHOP, PACK), warm(30, "9", PACK))
        log.index = dict(log.units())
        assert of(log, criterion) == {PACK}
        del log.raw_contents[index]
        found, missing = select(log, criterion)
        assert found == set()
        assert ("pruned", name, index) in {(one.kind, one.subject, one.index) for one in missing}


def test_damaged_rows_and_contents_are_told() -> None:
    log = log_of(into(10, CASE, PACK), at(20, SHOP, CASE), at(30, SHOP, OTHER))
    log.index = dict(log.units())
    assert of(log, criteria.ThroughPlace(SHOP)) == {PACK, OTHER}
    log.raw_contents[1] = bytes(32) + b"\xc0"
    log.raw_rows[2] = bytes(32) + b"\xc0"
    found, missing = select(log, criteria.ThroughPlace(SHOP))
    assert found == set()
    assert {("damaged", SHOP, 1), ("damaged", OTHER, 2)} <= {(one.kind, one.subject, one.index) for one in missing}


# ---- composed --------------------------------------------------------------------------------------------


def test_criteria_compose() -> None:
    log = log_of(made(10, PACK, OTHER, lot="A"), made(10, THIRD, lot="B"), at(20, SHOP, OTHER, THIRD))
    lot, shop = criteria.Lot(EYE_DROPS, "A"), criteria.ThroughPlace(SHOP)
    assert of(log, lot & shop) == {OTHER}
    assert of(log, lot | shop) == {PACK, OTHER, THIRD}
    assert of(log, ~lot) == {THIRD}
    assert of(log, lot & ~shop) == {PACK}
    assert of(log, ~lot & ~shop) == set()
    assert of(log, ~lot | criteria.Commissioned(0, 11)) == {PACK, OTHER, THIRD}
    assert of(log, criteria.Codes((PACK, THIRD)) & (shop | criteria.OfProduct(OTHER_PRODUCT))) == {THIRD}


def test_a_log_of_nothing_covers_nothing() -> None:
    for criterion in (~criteria.Codes((PACK,)), criteria.OfProduct(EYE_DROPS), ABOVE, criteria.ThroughPlace(SHOP)):
        assert select(log_of(), criterion)[0] == set()


def test_a_view_lists_the_names_that_are_mentioned(tmp_path: Path) -> None:
    with contextlib.closing(World(tmp_path, ())) as world:
        places = [ZONE, SHELF, f"{ZONE}/254/2", f"{ZONE}0", f"{ZONE}/254/17x", "urn:example:中"]
        for _ in range(2):
            world.ledger.append([at(world.now, place, PACK) for place in places for _ in range(2)])
        with world.ledger.snapshot() as view:
            for log in (view, MemoryView.of(view)):
                assert list(log.names(f"{ZONE}/254/")) == sorted((SHELF, f"{ZONE}/254/17x", f"{ZONE}/254/2"))
                assert list(log.names("")) == sorted(places)
                assert list(log.names("urn:example:中")) == ["urn:example:中"]
                assert list(log.names("v")) == []
