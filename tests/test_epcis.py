"""EPCIS 2.0 documents: what is read, what is refused and in which words, and that events survive the round trip."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain import encoding, identifiers
from tracechain.errors import InputError
from tracechain.event import (
    AggregationEvent,
    Array,
    AssociationEvent,
    BizTransaction,
    Event,
    Extension,
    Object,
    ObjectEvent,
    Quantity,
    SourceDest,
    TransactionEvent,
    TransformationEvent,
    parse_time,
)
from tracechain.formats import epcis
from tracechain.testing import strategies

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "epcis"
# GS1's own example states two different eventIDs for one event: which one holds is for its author to say.
TWO_EVENT_IDS = "AssociationEvent-h.jsonld"

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared EPCIS documents are not beside this clone")


def files(*patterns: str) -> list[Any]:
    return [
        pytest.param(path, id=path.name)
        for pattern in patterns
        for path in sorted(SHARED.glob(pattern))
        if path.name != TWO_EVENT_IDS
    ]


def event(**fields: Any) -> dict[str, Any]:
    body = {
        "type": "ObjectEvent",
        "eventTime": "2026-11-21T12:00:00.5+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "epcList": ["urn:epc:id:sgtin:9521234.000107.BJ0001"],
    }
    return {name: value for name, value in (body | fields).items() if value is not ...}


def document(*events: dict[str, Any], context: Any = CONTEXT, **fields: Any) -> str:
    body = {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-21T12:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }
    return json.dumps({name: value for name, value in (body | fields).items() if value is not ...})


def read(context: Any = CONTEXT, **fields: Any) -> Event:
    (found,) = epcis.parse_document(document(event(**fields), context=context), "test.json")
    return found


# ---- real documents ----------------------------------------------------------------------------


@needs_shared
@pytest.mark.parametrize(
    "path",
    files("gs1-examples/**/*.jsonld", "openepcis-valid/*", "event-hash/examples/*.jsonld", "event-hash/*/*.json"),
)
def test_real_documents_are_read_encoded_and_written(path: Path) -> None:
    found = epcis.parse_document(path.read_bytes(), path.name)
    assert found
    for one in found:
        assert encoding.decode(encoding.encode(one)) == one
    text = epcis.format_json(epcis.format_document(found))
    assert epcis.parse_document(text, "again") == found


@needs_shared
@pytest.mark.parametrize("path", files("openepcis-invalid/*"))
def test_documents_that_must_be_refused_are_refused_by_name(path: Path) -> None:
    with pytest.raises(InputError, match=path.name):
        epcis.parse_document(path.read_bytes(), path.name)


@needs_shared
def test_an_event_with_two_event_ids_is_refused() -> None:
    (path,) = SHARED.glob(f"gs1-examples/**/{TWO_EVENT_IDS}")
    with pytest.raises(InputError, match="'eventID' comes twice"):
        epcis.parse_document(path.read_bytes(), path.name)


@needs_shared
def test_vendor_fields_are_counted_in_the_fullest_example() -> None:
    (path,) = SHARED.glob("gs1-examples/**/object_event_all_possible_fields.jsonld")
    (found,) = epcis.parse_document(path.read_bytes(), path.name)
    assert isinstance(found, ObjectEvent)
    (element,) = found.sensors
    (report,) = element.reports
    assert (len(found.extensions), len(found.ilmd), len(element.extensions), len(report.extensions)) == (8, 14, 8, 1)
    assert report.hex_binary_value == b"\xf0\xf0\xf0"
    assert found.quantities == (Quantity("01/04012345123456/10/998877", 200, "KGM"),)


# ---- round trip --------------------------------------------------------------------------------


@given(st.lists(strategies.events() | strategies.plain_object_events(), max_size=3))
@settings(max_examples=150)
def test_what_is_written_is_read_as_the_same_events(events: list[Event]) -> None:
    tree = epcis.format_document(events)
    assert epcis.parse_document(epcis.format_json(tree), "round trip") == tuple(events)


@given(strategies.events())
def test_json_that_the_standard_module_writes_is_the_same_but_for_long_numbers(one: Event) -> None:
    tree = epcis.format_document([one])
    assert json.loads(epcis.format_json(tree)) == json.loads(json.dumps(tree, default=float))


def test_a_document_written_has_the_form_of_the_standard() -> None:
    found = read(readPoint={"id": "https://example.com/x/414/9521234000020"}, bizStep="shipping")
    (body,) = epcis.format_document([found])["epcisBody"]["eventList"]
    assert body == {
        "type": "ObjectEvent",
        "eventTime": "2026-11-21T12:00:00.5+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "epcList": ["https://id.gs1.org/01/09521234001072/21/BJ0001"],
        "bizStep": "shipping",
        "readPoint": {"id": "https://id.gs1.org/414/9521234000020"},
    }


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Extension("urn:x:", "//y", "z"), "begins with //"),
        (Extension("nowhere", "y", "z"), "no absolute IRI"),
        (Extension("urn:x:", "y", Object((Extension("", "a:b", "z"),))), "read otherwise"),
        (Extension("urn:x:", "y", Object((Extension("", "@context", "z"),))), "read otherwise"),
    ],
)
def test_what_json_ld_cannot_say_is_refused(one: Extension, words: str) -> None:
    found = ObjectEvent(event_time=0, time_zone_offset=0, action="OBSERVE", epcs=["urn:x:1"], extensions=(one,))
    with pytest.raises(InputError, match=words):
        epcis.format_document([found])


def test_a_bare_name_that_looks_like_our_prefix_stays_bare() -> None:
    inner = Object((Extension("", "ext1", "bare"), Extension("http://ns.example.com/epcis", "x", "1")))
    one = ObjectEvent(
        event_time=0,
        time_zone_offset=0,
        action="OBSERVE",
        epcs=["urn:x:1"],
        extensions=(Extension("https://a.example/", "y", inner),),
    )
    assert epcis.parse_document(epcis.format_json(epcis.format_document([one])), "x") == (one,)


# ---- reading -----------------------------------------------------------------------------------


def test_every_field_finds_its_place() -> None:
    found = read(
        action="ADD",
        bizStep="https://ref.gs1.org/cbv/BizStep-commissioning",
        disposition="urn:epcglobal:cbv:disp:active",
        bizTransactionList=[
            {"type": "cbv:BTT-po", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152"},
            {"bizTransaction": "urn:epc:id:gdti:0614141.00001.1618034"},
        ],
        sourceList=[{"type": "https://ref.gs1.org/cbv/SDT-location", "source": "urn:epc:id:sgln:0614141.00777.0"}],
        quantityList=[{"epcClass": "urn:epc:class:lgtin:9521234.000107.A7", "quantity": 0.10, "uom": "KGM"}],
        ilmd={"cbvmda:lotNumber": "A7", "https://example.com/a#b": None},
        certificationInfo="https://example.com/certificate",
    )
    assert isinstance(found, ObjectEvent)
    assert found.event_time == parse_time("2026-11-21T04:00:00.5Z")
    assert found.epcs == ("01/09521234001072/21/BJ0001",)
    assert (found.biz_step, found.disposition) == ("commissioning", "active")
    assert found.biz_transactions == (
        BizTransaction(None, identifiers.canonical("urn:epc:id:gdti:0614141.00001.1618034")),
        BizTransaction("po", "urn:epcglobal:cbv:bt:0614141073467:1152"),
    )
    assert found.sources == (SourceDest("location", "414/0614141007776"),)
    assert found.quantities == (Quantity("01/09521234001072/10/A7", Decimal("0.1"), "KGM"),)
    assert found.ilmd == (
        Extension("https://example.com/a#", "b", None),
        Extension("urn:epcglobal:cbv:mda:", "lotNumber", "A7"),
    )
    assert found.certification == ("https://example.com/certificate",)


def test_all_five_kinds_are_read() -> None:
    box = "urn:epc:id:sscc:9521234.0000000001"
    children = {"epcList": ..., "parentID": box, "childEPCs": ["urn:epc:id:sgtin:9521234.000107.1"]}
    order = [{"type": "po", "bizTransaction": "urn:x:order:1"}]
    assert type(read(type="AggregationEvent", **children)) is AggregationEvent
    assert type(read(type="epcis:AssociationEvent", **children)) is AssociationEvent
    assert type(read(type="TransactionEvent", bizTransactionList=order)) is TransactionEvent
    sides = {"inputEPCList": ["urn:x:1"], "outputEPCList": ["urn:x:2"], "epcList": ..., "action": ...}
    found = read(type="TransformationEvent", **sides)
    assert isinstance(found, TransformationEvent)
    assert (found.epcs, found.output_epcs) == (("urn:x:1",), ("urn:x:2",))


def test_an_event_alone_and_query_results_are_read_too() -> None:
    alone = json.dumps({"@context": CONTEXT} | event())
    results = document(
        type="EPCISQueryDocument",
        epcisBody={"queryResults": {"queryName": "q", "resultsBody": {"eventList": [event()]}}},
    )
    assert epcis.parse_document(alone, "a") == epcis.parse_document(results, "b") == (read(),)


def test_names_are_what_their_context_says_they_are() -> None:
    context = [CONTEXT, {"a": "https://a.example/", "b": {"@id": "https://b.example/#"}, "c": "a:c/", "t": "a:term"}]
    found = read(
        context,
        **{"@context": {"a": "https://event.example/"}},
        **{"a:x": "1", "b:x": "2", "c:x": "3", "t": "4", "https://full.example/p/q": "5", "undeclared:x": "6"},
    )
    assert {(one.namespace, one.name): one.value for one in found.extensions} == {
        ("https://event.example/", "x"): "1",
        ("https://b.example/#", "x"): "2",
        ("https://a.example/c/", "x"): "3",
        ("https://a.example/", "term"): "4",
        ("https://full.example/p/", "q"): "5",
        ("undeclared:", "x"): "6",
    }


def test_a_default_vocabulary_names_what_has_no_prefix() -> None:
    found = read([CONTEXT, {"@vocab": "https://v.example/"}], shelf="B7")
    assert found.extensions == (Extension("https://v.example/", "shelf", "B7"),)


def test_extension_values_keep_their_kind_and_numbers_their_digits() -> None:
    value: list[Any] = [1, 1.10, True, None, "e\u0301\n", {"inner": [], "x:y": {}}]
    (one,) = read(context=[CONTEXT, {"x": "urn:x:"}], **{"x:z": value}).extensions
    inner = Object((Extension("", "inner", Array()), Extension("urn:x:", "y", Object())))
    assert one.value == Array((Decimal(1), Decimal("1.1"), True, None, "\u00e9\n", inner))
    assert str(one.value.items[1]) == "1.1"  # type: ignore[union-attr] # it is an Array


def test_a_place_may_have_vendor_fields() -> None:
    found = read([CONTEXT, {"x": "urn:x:"}], readPoint={"id": "urn:p:1", "x:gate": "4"})
    assert found.read_point_extensions == (Extension("urn:x:", "gate", "4"),)


def test_two_spellings_of_one_unit_are_one_unit() -> None:
    two = ["urn:epc:id:sgtin:9521234.000107.BJ0001", "https://id.gs1.org/01/09521234001072/21/BJ0001"]
    assert read(epcList=two).epcs == ("01/09521234001072/21/BJ0001",)


# ---- refusing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"eventTime": ...}, "eventTime is missing"),
        ({"eventTime": "2026-02-30T12:00:00Z"}, "eventTime: .* no such day"),
        ({"eventTime": "2026-11-21T12:00:00"}, "eventTime: .* no time"),
        ({"eventTime": 5}, "eventTime is 5: it must be text"),
        ({"eventTimeZoneOffset": ...}, "eventTimeZoneOffset is missing"),
        ({"eventTimeZoneOffset": "+15:00"}, "eventTimeZoneOffset: "),
        ({"action": ...}, "action is missing"),
        ({"action": "CREATE"}, "action is 'CREATE'"),
        ({"epcList": ...}, "epcList is missing"),
        ({"epcList": []}, "says nothing"),
        ({"epcList": "urn:x:1"}, "epcList is 'urn:x:1': it must be an array"),
        ({"epcList": ["BJ0001"]}, "epcList is 'BJ0001': it must be an absolute URI"),
        ({"epcList": ["urn:x:1", "urn:x:1"]}, "epcList holds 'urn:x:1' twice"),
        ({"epcList": ["https://id.gs1.org/01/09521234001073/21/1"]}, "epcList: "),
        ({"epcLst": []}, "no field 'epcLst'"),
        ({"bizStep": "Shipping"}, "bizStep is 'Shipping': it is no standard name"),
        ({"bizStep": "urn:epcglobal:cbv:bizstep:teleporting"}, "no such name"),
        ({"bizStep": None}, "bizStep is None: it must be text"),
        ({"disposition": "lost"}, "disposition is 'lost'"),
        ({"readPoint": "urn:x:1"}, "readPoint is 'urn:x:1': it must be an object"),
        ({"readPoint": {}}, "id is missing"),
        ({"readPoint": {"id": "urn:x:1", "gate": 4}}, "readPoint has no field 'gate'"),
        ({"ilmd": {"gs1:x": "y"}}, "only ADD"),
        ({"action": "ADD", "ilmd": {"materialType": "soil"}}, "ilmd has no field 'materialType'"),
        ({"quantityList": [{"quantity": 5}]}, "epcClass is missing"),
        ({"quantityList": [{"epcClass": "urn:x:1", "quantity": "5"}]}, "quantity is '5': it must be a number"),
        ({"quantityList": [{"epcClass": "urn:x:1", "quantity": True}]}, "it must be a number"),
        ({"quantityList": [{"epcClass": "urn:x:1", "quantity": 1e70}]}, "out of range"),
        ({"quantityList": [{"epcClass": "urn:x:1", "uom": "kilogram"}]}, "uom is 'kilogram'"),
        ({"bizTransactionList": [{"type": "order", "bizTransaction": "urn:x:1"}]}, "bizTransactionList, type"),
        ({"sourceList": [{"source": "urn:x:1"}]}, "type is missing"),
        ({"sourceList": [{"type": "location", "destination": "urn:x:1"}]}, "no field 'destination'"),
        ({"persistentDisposition": {}}, "sets and unsets nothing"),
        ({"persistentDisposition": {"set": []}}, "is empty"),
        ({"errorDeclaration": {"reason": "incorrect_data"}}, "declarationTime is missing"),
        ({"sensorElementList": [{"sensorReport": []}]}, "sensorReport is empty"),
        ({"sensorElementList": [{"sensorReport": [{"value": 5}]}]}, "type is missing"),
        ({"sensorElementList": [{"sensorReport": [{"type": "Heat"}]}]}, "'Heat': it is no standard name"),
        ({"sensorElementList": [{"sensorReport": [{"type": "Mass", "hexBinaryValue": "abc"}]}]}, "hexadecimal"),
        ({"sensorElementList": [{"sensorReport": [{"type": "Mass", "booleanValue": "true"}]}]}, "true or false"),
        ({"eventID": "5"}, "eventID is '5': it must be an absolute URI"),
        ({"certificationInfo": [{}]}, "certificationInfo"),
        ({"type": "QuantityEvent"}, "type is 'QuantityEvent'"),
        ({"type": None}, "type is None"),
        ({"parentID": "urn:x:1"}, "no field 'parentID'"),
        ({"gs1:": "x"}, "ends where a name should begin"),
        ({"gs1:x": 1, "https://gs1.org/voc/x": 2}, "twice"),
        ({"urn:tracechain:person": "xyz"}, "cannot be read"),
        ({"urn:tracechain:other": "xyz"}, "leave this namespace to us"),
        ({"@context": {"x": "relative"}}, "no absolute IRI"),
        ({"gs1:x": "\ud800"}, "surrogate"),
        ({"gs1:x": "\u0000"}, "control character"),
        ({"type": "AssociationEvent", "epcList": ..., "childEPCs": ["urn:x:1"]}, "parentID is missing"),
    ],
)
def test_a_faulty_event_is_refused_with_file_number_field_and_value(fields: dict[str, Any], words: str) -> None:
    data = document(event(), event(**fields))
    with pytest.raises(InputError, match=rf"^test\.json, event 2 \(.*\): .*{words}"):
        epcis.parse_document(data, "test.json")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no JSON"),
        (b"[]", "no JSON object"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1, "a": 2}', "'a' comes twice"),
        (b"[" * 200_000, "nested too deep"),
        (b'{"a":' * 200_000, "nested too deep"),
        (b"1" * 10_000, "no JSON"),
        (b'{"type": "EPCISDocument"}', "@context is missing"),
        (document(type="EPCISMasterDataDocument"), "not an EPCISDocument"),
        (document(type="EPCISQueryDocument"), "queryResults is missing"),
        (document(schemaVersion="1.2"), "only EPCIS 2.x"),
        (document(schemaVersion=...), "schemaVersion is missing"),
        (document(creationDate="yesterday"), "creationDate"),
        (document(epcisBody={}), "eventList is missing"),
        (document(epcisBody={"eventList": {}}), "eventList is {}: it must be an array"),
        (document(extra=1), "no field 'extra'"),
        (document(context=5), "@context is 5"),
    ],
)
def test_what_is_no_epcis_document_is_refused(data: bytes | str, words: str) -> None:
    with pytest.raises(InputError, match=rf"^test\.json: .*{words}"):
        epcis.parse_document(data, "test.json")


def test_deep_extension_values_are_refused() -> None:
    value: Any = "bottom"
    for _ in range(17):
        value = {"x": value}
    with pytest.raises(InputError, match="more than 16 deep"):
        read(**{"gs1:x": value})


def test_a_byte_order_mark_does_no_harm() -> None:
    assert epcis.parse_document(b"\xef\xbb\xbf" + document(event()).encode(), "x") == (read(),)


def test_events_before_the_fault_are_handed_out() -> None:
    found = epcis.iter_document(document(event(), event(action="CREATE")), "x")
    assert next(found) == read()
    with pytest.raises(InputError, match="event 2"):
        next(found)
