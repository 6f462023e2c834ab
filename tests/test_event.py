"""The event model: what can be built, what is refused and in which words, and that each thing has one spelling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from tracechain.errors import InputError
from tracechain.event import (
    AggregationEvent,
    Array,
    AssociationEvent,
    BizTransaction,
    ErrorDeclaration,
    Event,
    Extension,
    Object,
    ObjectEvent,
    PersistentDisposition,
    PrivateField,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDest,
    TransactionEvent,
    TransformationEvent,
    format_offset,
    format_time,
    ilmd_value,
    parse_offset,
    parse_time,
    subjects,
)
from tracechain.event.vocabulary import BIZ_STEP, VOCABULARIES, format_tables
from tracechain.testing import strategies

NOON = parse_time("2026-11-21T12:00:00+08:00")
UNIT = "01/09521234001072/21/BJ0001"
OTHER = "01/09521234001072/21/BJ0002"
BOX = "00/095212340000000013"
LOT = "01/09521234001072/10/LOT-A7"
NS = "https://ns.example.com/epcis/"
WHEN: dict[str, Any] = {"event_time": NOON, "time_zone_offset": 480}


def build(kind: Any = ObjectEvent, **fields: Any) -> Any:
    return kind(**{**WHEN, "action": "OBSERVE", "epcs": [UNIT], **fields})


# ---- times -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2005-04-03T20:33:31.116-06:00", 1112582011116000000),
        ("2022-02-15T01:33:31.116000-06:00", 1644910411116000000),
        ("2024-02-29T00:00:00+14:00", 1709114400000000000),
        ("2262-04-11T23:47:16.854775807Z", (1 << 63) - 1),
        ("1677-09-21T00:12:43.145224192Z", -(1 << 63)),
    ],
)
def test_times_are_nanoseconds_since_1970(text: Any, nanos: Any) -> None:
    assert parse_time(text) == nanos


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21T12:00:00",  # no zone
        "2026-11-21 12:00:00Z",
        "2026-11-21T12:00Z",
        "2026-02-29T12:00:00Z",  # no leap year
        "2026-13-01T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T12:00:60Z",
        "2026-11-21T12:00:00.Z",
        "2026-11-21T12:00:00.1234567890Z",
        "2026-11-21T12:00:00+14:30",
        "2026-11-21T12:00:00+0800",
        "2026-11-21T12:00:00z",
        "+026-11-21T12:00:00Z",
        "２０２６-11-21T12:00:00Z",
        "2026-11-21T12:00:00Z\n",
        " 2026-11-21T12:00:00Z",
        "2262-04-11T23:47:16.854775808Z",
        "1677-09-21T00:12:43.145224191Z",
    ],
)
def test_what_is_no_time_is_refused(text: Any) -> None:
    with pytest.raises(InputError, match=r"time|range"):
        parse_time(text)


@given(strategies.times(), st.integers(-840, 840))
def test_times_come_back_in_any_zone(nanos: Any, offset: Any) -> None:
    assert parse_time(format_time(nanos, offset)) == nanos


@given(st.integers(-(1 << 53), 1 << 52), st.integers(-840, 840))
def test_times_agree_with_datetime(micros: Any, offset: Any) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    moment = moment.astimezone(timezone(timedelta(minutes=offset)))
    assert parse_time(moment.isoformat()) == micros * 1000


@given(st.integers(-840, 840))
def test_offsets_come_back(minutes: Any) -> None:
    assert parse_offset(format_offset(minutes)) == minutes


@pytest.mark.parametrize("text", ["", "Z", "+8:00", "+08:60", "+14:01", "08:00", "+０8:00", "+08:00 "])
def test_what_is_no_offset_is_refused(text: Any) -> None:
    with pytest.raises(InputError, match="offset"):
        parse_offset(text)


def test_formatting_refuses_what_is_out_of_range() -> None:
    with pytest.raises(InputError, match="out of range"):
        format_time(1 << 63)
    with pytest.raises(InputError, match="-840 to 840"):
        format_offset(841)


# ---- one spelling ------------------------------------------------------------------------------


def test_epcs_are_sorted_and_unique_however_they_come() -> None:
    assert build(epcs=iter([OTHER, UNIT, OTHER])).epcs == (UNIT, OTHER)
    assert build(epcs=[UNIT, OTHER]) == build(epcs=(OTHER, UNIT))


def test_sets_are_sorted_and_unique_but_quantities_keep_equals() -> None:
    po, inv = BizTransaction("po", "urn:x:1"), BizTransaction(None, "urn:x:1")
    ten = Quantity(LOT, 10)
    event = build(biz_transactions=(po, inv, po), quantities=(Quantity(LOT, 20), ten, ten, Quantity(LOT)))
    assert event.biz_transactions == (inv, po)
    assert event.quantities == (Quantity(LOT), ten, ten, Quantity(LOT, 20))


def test_numbers_are_exact_and_have_one_form() -> None:
    assert Quantity(LOT, 10).quantity == Quantity(LOT, Decimal("10.00")).quantity == Decimal(10)
    assert str(Quantity(LOT, Decimal("-0.0")).quantity) == "0"
    assert Quantity(LOT, (1 << 63) - 1).quantity == (1 << 63) - 1


@pytest.mark.parametrize("number", [1.5, True, "10", Decimal("NaN"), Decimal("Infinity"), 1 << 63])
def test_numbers_that_cannot_be_recorded_are_refused(number: Any) -> None:
    with pytest.raises(InputError, match="quantity"):
        Quantity(LOT, number)


@pytest.mark.parametrize("number", [Decimal("1E65"), Decimal("1E-65"), Decimal("1E999999"), 10**90])
def test_numbers_out_of_range_are_refused(number: Any) -> None:
    with pytest.raises(InputError, match="out of range"):
        Extension(NS, "x", number)


def test_values_that_python_takes_for_equal_are_different_values() -> None:
    assert Extension(NS, "x", True) != Extension(NS, "x", 1)
    assert Array((True,)) != Array((1,))
    assert Array((Array((False,)),)) != Array((Array((0,)),))
    assert Extension(NS, "x", 5) == Extension(NS, "x", Decimal("5.0"))
    assert Extension(NS, "x", Array()) != Extension(NS, "x", Object())
    assert hash(Extension(NS, "x", 5)) == hash(Extension(NS, "x", Decimal("5.0")))


def test_standard_names_stand_bare() -> None:
    assert build(biz_step="shipping").biz_step == "shipping"
    with pytest.raises(InputError, match="bare, 'shipping'"):
        build(biz_step="https://ref.gs1.org/cbv/BizStep-shipping")
    with pytest.raises(InputError, match="no standard name"):
        build(biz_step="transforming")
    with pytest.raises(InputError, match="no such name"):
        build(disposition="urn:epcglobal:cbv:disp:in_transport")
    assert build(biz_step="urn:tracechain:customs_clearing").biz_step == "urn:tracechain:customs_clearing"


# ---- invariants --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"event_time": 1.5}, "event_time"),
        ({"event_time": True}, "event_time"),
        ({"event_time": 1 << 63}, "event_time"),
        ({"time_zone_offset": 841}, "time_zone_offset"),
        ({"time_zone_offset": None}, "time_zone_offset"),
        ({"action": "add"}, "action"),
        ({"action": []}, "action"),
        ({"epcs": UNIT}, "list of ids"),
        ({"epcs": [UNIT, 5]}, "epcs"),
        ({"epcs": [UNIT, ""]}, "empty"),
        ({"epcs": [UNIT + " "]}, "space"),
        ({"epcs": [UNIT, OTHER + "\u3000"]}, "space"),
        ({"epcs": [UNIT, "urn:x:\x00"]}, "control character"),
        ({"epcs": ["urn:x:" + "y" * 507]}, "513 bytes"),
        ({"epcs": ["urn:x:\ud800"]}, "surrogate"),
        ({"epcs": ["urn:x:e\u0301"]}, "normal form C"),
        ({"epcs": []}, "says nothing"),
        ({"biz_step": ["shipping"]}, "biz_step"),
        ({"disposition": "active "}, "disposition"),
        ({"read_point": ""}, "read_point is empty"),
        ({"read_point_extensions": (Extension(NS, "x", "y"),)}, "no read_point"),
        ({"quantities": [Quantity(LOT)]}, "must be a tuple"),
        ({"quantities": (LOT,)}, "Quantity"),
        ({"quantities": None}, "must be a tuple"),
        ({"sources": (BizTransaction("po", "urn:x:1"),)}, "SourceDest"),
        ({"ilmd": (Extension(NS, "x", "y"),)}, "only ADD"),
        ({"event_id": "374d95fc"}, "absolute URI"),
        ({"record_time": "2026"}, "record_time"),
        ({"certification": ("no-uri",)}, "certification"),
        ({"person": b"short"}, "16 random bytes"),
        ({"person": b""}, "16 random bytes"),
        ({"private": (PrivateField("a", bytes(32)), PrivateField("a", bytes(32)))}, "twice"),
        ({"extensions": (Extension("", "x", "y"),)}, "namespace"),
        ({"extensions": (Extension(NS, "x", "y"), Extension(NS, "x", "z"))}, "twice"),
        ({"extensions": (Extension("urn:tracechain:", "person", "y"),)}, "which is ours"),
        ({"persistent_disposition": "recalled"}, "PersistentDisposition"),
    ],
)
def test_an_event_that_cannot_be_right_cannot_be_built(fields: Any, words: Any) -> None:
    with pytest.raises(InputError, match=words):
        build(**fields)


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (AggregationEvent, {"action": "ADD"}, "needs a parent"),
        (AggregationEvent, {"epcs": [], "parent": BOX}, "needs epcs"),
        (AssociationEvent, {"epcs": [], "parent": BOX}, "needs epcs"),
        (AssociationEvent, {"parent": None}, "parent"),
        (TransactionEvent, {}, "needs biz_transactions"),
        (TransactionEvent, {"epcs": [], "biz_transactions": (BizTransaction("po", "urn:x:1"),)}, "needs epcs"),
    ],
)
def test_each_kind_of_event_asks_for_what_it_is_about(kind: Any, fields: Any, words: Any) -> None:
    with pytest.raises(InputError, match=words):
        build(kind, **fields)


def test_a_transformation_needs_both_sides_or_an_id() -> None:
    with pytest.raises(InputError, match="inputs and outputs"):
        TransformationEvent(**WHEN, epcs=[UNIT])
    with pytest.raises(InputError, match="inputs and outputs"):
        TransformationEvent(**WHEN, transformation_id="urn:x:1")
    assert TransformationEvent(**WHEN, epcs=[UNIT], transformation_id="urn:x:1").output_epcs == ()


def test_unpacking_everything_names_no_children() -> None:
    assert build(AggregationEvent, action="DELETE", epcs=[], parent=BOX).epcs == ()


def test_parts_are_checked_too() -> None:
    with pytest.raises(InputError, match="says nothing"):
        SensorMetadata()
    with pytest.raises(InputError, match="needs reports"):
        SensorElement(reports=())
    with pytest.raises(InputError, match="type"):
        SensorReport(type="Heat")
    with pytest.raises(InputError, match="boolean_value"):
        SensorReport(type="Temperature", boolean_value=1)  # type: ignore[arg-type] # deliberately wrong
    with pytest.raises(InputError, match="uom"):
        Quantity(LOT, 1, "kg")
    with pytest.raises(InputError, match="nothing"):
        PersistentDisposition()
    with pytest.raises(InputError, match="source or destination"):
        SourceDest("owner", BOX)
    with pytest.raises(InputError, match="32 bytes"):
        PrivateField("price", b"")
    with pytest.raises(InputError, match="reason"):
        ErrorDeclaration(declaration_time=NOON, reason="mistake")


def test_extension_values_have_limits() -> None:
    assert Extension(NS, "x", "line\r\n\tbreak").value == "line\r\n\tbreak"
    with pytest.raises(InputError, match="control character"):
        Extension(NS, "x", "bell\x07")
    with pytest.raises(InputError, match="over the limit of 16384"):
        Extension(NS, "x", "药" * 5462)
    with pytest.raises(InputError, match="int or Decimal"):
        Extension(NS, "x", ["a"])  # type: ignore[arg-type] # deliberately wrong
    value: Array = Array()
    for _ in range(15):
        value = Array((value,))
    assert value.depth == 16
    with pytest.raises(InputError, match="17 deep"):
        Array((value,))


def test_events_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        build().epcs = ()


# ---- questions ---------------------------------------------------------------------------------


def test_subjects_are_everything_the_event_is_about() -> None:
    assert subjects(build()) == (UNIT,)
    assert subjects(build(AggregationEvent, parent=BOX, quantities=(Quantity(LOT),))) == tuple(sorted([BOX, LOT, UNIT]))
    event = TransformationEvent(**WHEN, epcs=[UNIT], output_epcs=[OTHER, UNIT], output_quantities=(Quantity(LOT),))
    assert subjects(event) == tuple(sorted([LOT, UNIT, OTHER]))


@given(strategies.events())
def test_subjects_are_sorted_and_unique(event: Any) -> None:
    found = subjects(event)
    assert list(found) == sorted(set(found))
    assert set(event.epcs) <= set(found)


def test_master_data_is_found_in_either_spelling_of_its_namespace() -> None:
    for namespace in ("urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda"):
        event = build(action="ADD", ilmd=(Extension(NS, "lotNumber", "no"), Extension(namespace, "lotNumber", "A7")))
        assert ilmd_value(event, "lotNumber") == "A7"
        assert ilmd_value(event, "itemExpirationDate") is None
    assert ilmd_value(build(AssociationEvent, parent=BOX), "lotNumber") is None


@given(strategies.events())
def test_an_event_is_rebuilt_from_its_own_fields(event: Event) -> None:
    again = evolve(event)
    assert again == event
    assert again.plain == event.plain


# ---- vocabularies ------------------------------------------------------------------------------


def test_numbers_of_standard_names_never_change() -> None:
    # A few out of each table: reordering one would change the meaning of everything recorded.
    picks = {v.title: (v.names[0], v.names[-1], len(v.names)) for v in VOCABULARIES}
    assert picks == {
        "business steps": ("accepting", "sampling", 41),
        "dispositions": ("active", "unavailable", 33),
        "business transaction types": ("bol", "upevt", 13),
        "source and destination types": ("owning_party", "location", 3),
        "error reasons": ("did_not_occur", "incorrect_data", 2),
        "measurement types": ("AbsoluteHumidity", "Wavenumber", 72),
        "sensor exceptions": ("ALARM_CONDITION", "ERROR_CONDITION", 2),
        "sensor value components": ("x", "altitude", 14),
        "namespaces": ("", "https://ref.gs1.org/epcis/", 6),
    }
    assert BIZ_STEP.codes["shipping"] == 30


def test_every_spelling_of_a_standard_name_is_known() -> None:
    for spelling in ("urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping", "shipping"):
        assert BIZ_STEP.bare(spelling) == "shipping"


def test_tables_name_every_code() -> None:
    tables = format_tables()
    for vocabulary in VOCABULARIES:
        for code, name in enumerate(vocabulary.names):
            assert f"{code} `{name}`" in tables or not name
