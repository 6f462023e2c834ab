"""The model of recall, held against answers that were worked out by hand: one example for each criterion.

Logs are made as in test_tracing_model.py: the first argument of an event is its claimed time.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from recall_model import covered, lot_of
from tracechain import criteria
from tracechain.event import Event, SourceDest
from tracechain.testing.samples import PRODUCT, case_id, pack_ids
from tracing_histories import at, change, error, into, log_of, made, out, paper
from tracing_model import Model

PACK, SECOND, THIRD, NEW = pack_ids(4)
OTHER_PRODUCT = pack_ids(1, product="09521234002079")[0]
CASE, OTHER_CASE, PALLET, SHIP, TRUCK = (case_id(number) for number in range(1, 6))
PLANT, ZONE, SHOP = "urn:example:plant", "414/9521234000013", "urn:example:shop"
SHELF = f"{ZONE}/254/17"
CARRIER = "urn:example:carrier"
EYE_DROPS = f"01/{PRODUCT}"


def model(*events: Event) -> Model:
    return Model(log_of(*events))


def test_a_lot_is_what_came_into_being_with_it() -> None:
    log = model(
        made(10, PACK, OTHER_PRODUCT, lot="A"),
        made(10, SECOND, lot="B"),
        change(20, ("urn:bulk",), (THIRD,), lot="A"),
        evolve(at(30, SHOP, SECOND), extensions=made(0, PACK, lot="A").ilmd),
    )
    assert covered(log, criteria.Lot(EYE_DROPS, "A")) == {PACK, THIRD}
    assert covered(log, criteria.Lot(EYE_DROPS, "B")) == {SECOND}
    assert covered(log, criteria.Lot("01/09521234002079", "A")) == {OTHER_PRODUCT}


def test_a_lot_is_also_what_was_made_of_it_and_of_that() -> None:
    log = model(made(10, PACK, lot="A"), change(20, (PACK,), (NEW,), lot="B"), change(15, (NEW,), (OTHER_PRODUCT,)))
    assert covered(log, criteria.Lot(EYE_DROPS, "A")) == {PACK, NEW, OTHER_PRODUCT}
    assert covered(log, criteria.Lot(EYE_DROPS, "B")) == {NEW, OTHER_PRODUCT}


def test_a_lot_declared_an_error_is_none() -> None:
    first = made(10, PACK, lot="A")
    log = model(first, error(first), made(11, PACK, lot="B"))
    assert covered(log, criteria.Lot(EYE_DROPS, "A")) == set()
    assert covered(log, criteria.Lot(EYE_DROPS, "B")) == {PACK}


def test_a_product_is_all_packs_with_its_code_in_front() -> None:
    log = model(made(10, PACK), at(20, SHOP, SECOND, OTHER_PRODUCT, CASE))
    assert covered(log, criteria.OfProduct(EYE_DROPS)) == {PACK, SECOND}


def test_what_was_commissioned_between_is_by_claimed_times() -> None:
    log = model(made(10, PACK), made(20, SECOND), made(15, THIRD), at(12, SHOP, NEW))
    assert covered(log, criteria.Commissioned(10, 20)) == {PACK, THIRD}
    assert covered(log, criteria.Commissioned(20, 21)) == {SECOND}


def test_through_a_place_is_by_its_own_sightings_and_those_of_its_containers() -> None:
    log = model(
        at(10, ZONE, PACK), into(10, CASE, SECOND), at(20, SHELF, CASE), paper(20, ZONE, THIRD), at(20, SHELF, CASE)
    )
    assert covered(log, criteria.ThroughPlace(ZONE)) == {PACK, SECOND}
    assert covered(log, criteria.ThroughPlace(SHELF)) == {SECOND}
    assert covered(log, criteria.ThroughPlace(ZONE, 11, 20)) == {SECOND}
    assert covered(log, criteria.ThroughPlace(ZONE, None, 10)) == {PACK}
    assert covered(log, criteria.ThroughPlace(ZONE, 21)) == set()


def test_through_a_place_does_not_follow_new_codes() -> None:
    log = model(at(10, ZONE, PACK), change(20, (PACK,), (NEW,)))
    assert covered(log, criteria.ThroughPlace(ZONE)) == {PACK}


def test_through_a_container_is_at_any_depth_while_all_of_it_holds() -> None:
    log = model(
        into(10, CASE, PACK, SECOND), out(20, CASE, SECOND), into(30, PALLET, CASE), out(40, PALLET, CASE)
    )  # fmt: skip
    assert covered(log, criteria.ThroughContainer(CASE)) == {PACK, SECOND}
    assert covered(log, criteria.ThroughContainer(PALLET)) == {PACK}
    assert covered(log, criteria.ThroughContainer(CASE, 20, 20)) == {PACK, SECOND}
    assert covered(log, criteria.ThroughContainer(CASE, 21)) == {PACK}
    assert covered(log, criteria.ThroughContainer(PALLET, 41)) == set()
    assert covered(log, criteria.ThroughContainer(PALLET, 35, 36)) == {PACK}
    assert covered(log, criteria.ThroughContainer(PALLET, None, 29)) == set()


def test_by_a_carrier_is_named_as_source_or_destination_of_it_or_of_its_container() -> None:
    def carried(event: Event, side: str, kind: str = "possessing_party") -> Event:
        parties: Any = {side: (SourceDest(kind, CARRIER),)}
        return evolve(event, **parties)

    log = model(
        into(10, CASE, PACK),
        carried(at(20, None, CASE), "sources"),
        carried(paper(30, SHOP, SECOND), "destinations"),
        carried(at(40, SHOP, THIRD), "sources", "owning_party"),
    )
    assert covered(log, criteria.ByCarrier(CARRIER)) == {PACK, SECOND}
    assert covered(log, criteria.ByCarrier(CARRIER, 20, 29)) == {PACK}


def test_a_shared_container_is_the_same_one_at_the_same_time() -> None:
    log = model(
        into(10, CASE, PACK, SECOND), out(20, CASE, PACK), into(20, CASE, THIRD), into(30, PALLET, CASE, NEW)
    )  # fmt: skip
    assert covered(log, criteria.SharedContainer(PACK)) == {PACK, SECOND}
    assert covered(log, criteria.SharedContainer(THIRD)) == {SECOND, THIRD}
    assert covered(log, criteria.SharedContainer(NEW)) == {NEW}
    assert covered(log, criteria.SharedContainer(CASE)) == {NEW}


def test_criteria_compose() -> None:
    log = model(made(10, PACK, SECOND, lot="A"), made(10, THIRD, lot="B"), at(20, SHOP, SECOND, THIRD))
    lot, shop = criteria.Lot(EYE_DROPS, "A"), criteria.ThroughPlace(SHOP)
    assert covered(log, lot & shop) == {SECOND}
    assert covered(log, lot | shop) == {PACK, SECOND, THIRD}
    assert covered(log, ~lot) == {THIRD}
    assert covered(log, lot & ~shop) == {PACK}
    assert covered(log, criteria.Codes((PACK, CASE, "urn:example:unknown"))) == {PACK}


def test_the_lot_of_a_pack_is_that_of_the_earliest_event_that_made_it() -> None:
    log = model(made(20, PACK, lot="B"), made(10, PACK, lot="A"), change(30, (PACK,), (NEW,)))
    assert lot_of(log, PACK) == lot_of(log, NEW) == "A"
    assert lot_of(log, SECOND) is None


def test_a_lot_may_stand_on_the_label_alone() -> None:
    log = model(evolve(made(10, PACK), extensions=made(10, PACK, lot="A").ilmd))
    assert lot_of(log, PACK) == "A"
    assert covered(log, criteria.Lot(EYE_DROPS, "A")) == {PACK}
