"""Canonical bytes: one spelling for each value and event, and nothing else is read."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import attrs
import msgpack
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tracechain import encoding, identifiers
from tracechain.encoding.content import POSITIONS, group, positions
from tracechain.encoding.primitives import skim
from tracechain.errors import DecodeError, InputError
from tracechain.event import (
    AggregationEvent,
    AssociationEvent,
    Event,
    Extension,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
    format_time,
    subjects,
)
from tracechain.event.vocabulary import format_tables
from tracechain.testing import strategies

UNIT = "01/09521234001072/21/BJ0001"
KINDS = (ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, AssociationEvent)


def shipped(**fields: Any) -> ObjectEvent:
    common: dict[str, Any] = {
        "event_time": 1_795_233_600_000_000_000,
        "time_zone_offset": 480,
        "action": "OBSERVE",
        "epcs": [UNIT],
        "biz_step": "shipping",
        "disposition": "in_transit",
        "read_point": "414/9521234000020",
    }
    return ObjectEvent(**common | fields)


def content(*items: Any) -> bytes:
    packed: bytes = msgpack.packb(items, use_bin_type=True)
    return packed


# ---- plain values ------------------------------------------------------------------------------


@given(strategies.plain_values())
def test_plain_values_come_back(value: Any) -> None:
    assert encoding.unpack_strict(encoding.pack(value)) == value


@given(strategies.plain_values(), strategies.plain_values())
def test_different_plain_values_have_different_bytes(one: Any, other: Any) -> None:
    assert (encoding.pack(one) == encoding.pack(other)) == (repr(one) == repr(other))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "incomplete|bytes end"),
        (b"\xcc\x05", "shorter form"),  # 5 in two bytes
        (b"\xd0\x05", "shorter form"),
        (b"\xcd\x00\x80", "shorter form"),
        (b"\xd3" + bytes(7) + b"\x01", "shorter form"),
        (b"\xd9\x01a", "shorter form"),
        (b"\xda\x00\x01a", "shorter form"),
        (b"\xc5\x00\x01a", "shorter form"),
        (b"\xdc\x00\x01\x01", "shorter form"),
        (b"\xdd\x00\x00\x00\x01\x01", "shorter form"),
        (b"\x01\x01", "extra"),
        (b"\x92\x01", "incomplete"),
        (b"\xc1", "not canonical"),
        (b"\x80", "maps"),
        (b"\x81\x01\x02", "maps"),
        (b"\x81\xa1a\x02", "maps"),
        (b"\x91\xca" + struct.pack(">f", 1.5), "1.5 cannot be recorded"),
        (b"\xcb" + struct.pack(">d", 1.0), "1.0 cannot be recorded"),
        (b"\xcb" + struct.pack(">d", float("nan")), "nan cannot be recorded"),
        (b"\xd4\x05\x00", "cannot be recorded"),
        (b"\xd6\xff\x00\x00\x00\x00", "cannot be recorded"),  # the timestamp extension
        (b"\xc7\x03\x05abc", "cannot be recorded"),
        (b"\xa2\xc3\x28", "utf-8|codec"),
        (b"\xa3\xed\xa0\x80", "utf-8|codec"),  # a surrogate
        (b"\xa1\n", "control character"),
        (b"\xa3e\xcc\x81", "normal form"),
    ],
)
def test_other_spellings_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=f"(?i){words}"):
        encoding.unpack_strict(data)


@pytest.mark.parametrize("value", [1.5, {}, {"a": 1}, [1], object(), 1 << 64, -(1 << 63) - 1, ("a\x00",), ("e\u0301",)])
def test_what_is_not_plain_is_refused_before_it_is_packed(value: Any) -> None:
    with pytest.raises(InputError):
        encoding.check_plain(value)


def test_nesting_has_a_limit_counted_from_the_outermost() -> None:
    nested: Any = ()
    for _ in range(23):
        nested = (nested,)
    assert encoding.unpack_strict(encoding.pack(nested)) == nested
    assert encoding.unpack_strict(encoding.pack((1, 2)), max_depth=1) == (1, 2)
    with pytest.raises(DecodeError, match="too deep"):
        encoding.unpack_strict(encoding.pack((nested,)))
    with pytest.raises(DecodeError, match="too deep"):
        encoding.unpack_strict(encoding.pack(((),)), max_depth=1)


def test_size_is_looked_at_first() -> None:
    with pytest.raises(DecodeError, match="5 bytes are over the limit of 4"):
        encoding.unpack_strict(b"\xc1" * 5, max_bytes=4)


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff",
        b"\x91" * 65_536,
        b"\x91" * 65_535 + b"\x01",
        b"\xdc\xff\xff" * 21_845,
        b"\xdd\x00\x00\xff\xff" * 13_107,
        b"\xdc\x80\x00" * 1000 + bytes(62_000),
    ],
)
def test_hostile_input_is_refused(data: bytes) -> None:
    # These announce up to 2^32 items or nest thousands deep: refused without reserving what they announce.
    with pytest.raises(DecodeError):
        encoding.unpack_strict(data)
    with pytest.raises(DecodeError):
        encoding.decode(data)


@given(st.one_of(strategies.plain_values(), st.lists(strategies.plain_values(), max_size=5).map(tuple)))
def test_the_first_look_at_large_input_refuses_nothing_good(value: Any) -> None:
    skim(encoding.pack(value), 40)


def test_a_large_value_with_many_long_arrays_is_read() -> None:
    value = tuple(tuple(range(i, i + 20)) for i in range(1500))
    assert encoding.unpack_strict(encoding.pack(value), max_bytes=1 << 24) == value


@given(st.binary(max_size=60))
def test_random_bytes_are_refused_or_canonical(data: bytes) -> None:
    try:
        value = encoding.unpack_strict(data)
    except DecodeError:
        return
    assert encoding.pack(value) == data


# ---- events ------------------------------------------------------------------------------------


@given(strategies.events())
@settings(max_examples=300)
def test_events_come_back(event: Event) -> None:
    data = encoding.encode(event)
    again = encoding.decode(data)
    assert again == event
    assert type(again) is type(event)
    assert encoding.unpack_raw(data) == encoding.decode_raw(data)


@given(strategies.events() | strategies.plain_object_events(), strategies.events() | strategies.plain_object_events())
def test_different_events_have_different_bytes(one: Event, other: Event) -> None:
    assert (encoding.encode(one) == encoding.encode(other)) == (one == other)


@given(strategies.plain_object_events(max_size=8) | strategies.events())
def test_the_short_way_writes_what_the_long_way_writes(event: Event) -> None:
    assert encoding.encode(event) == encoding.pack(positions(event))


@given(strategies.events() | strategies.plain_object_events(), st.data())
def test_damaged_content_is_refused_or_another_event(event: Event, data: st.DataObject) -> None:
    whole = encoding.encode(event)
    cut = data.draw(st.integers(0, len(whole) - 1), "cut")
    bit = data.draw(st.integers(0, len(whole) * 8 - 1), "bit")
    flipped = bytearray(whole)
    flipped[bit // 8] ^= 1 << bit % 8
    for damaged in (whole[:cut], whole + b"\xc0", whole + whole, bytes(flipped)):
        try:
            other = encoding.decode(damaged)
        except DecodeError:
            continue
        assert other != event
        assert encoding.encode(other) == damaged


def test_every_flipped_bit_of_a_scan_is_refused_or_another_event() -> None:
    event = shipped(epcs=[UNIT, UNIT + "A", "nmpa/81234567890123456789"], event_id="urn:uuid:1")
    whole = encoding.encode(event)
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            other = encoding.decode(bytes(flipped))
        except DecodeError:
            continue
        assert other != event


def test_the_worked_example_of_the_format_is_right() -> None:
    text = (Path(__file__).parents[1] / "docs" / "format.md").read_text()
    lines = text.split("### 9.9 Example")[1].split("\n## ")[0].splitlines()
    # Per line: hexadecimal bytes, then (after two spaces) words.
    data = bytes.fromhex("".join(line.strip().split("  ")[0] for line in lines if line.startswith("    ")))
    event = shipped(epcs=[UNIT, UNIT[:-1] + "2"])
    assert encoding.encode(event) == data
    assert encoding.decode(data) == event
    assert format_time(event.event_time, event.time_zone_offset) == "2026-11-21T12:00:00+08:00"
    assert all(identifiers.canonical(one) == one for one in subjects(event))


def test_the_vocabulary_tables_of_the_format_are_those_of_the_code() -> None:
    text = (Path(__file__).parents[1] / "docs" / "format.md").read_text()
    assert format_tables() in text


def test_too_large_an_event_is_refused_with_its_size() -> None:
    big = tuple(Extension("urn:x:", f"n{i}", "x" * 16_000) for i in range(5))
    with pytest.raises(InputError, match=r"80\d\d\d bytes, over the limit of 65536"):
        encoding.encode(shipped(extensions=big))
    with pytest.raises(InputError, match="over the limit"):
        encoding.encode(shipped(epcs=[f"01/09521234001072/21/{i:07}" for i in range(9000)]))


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ((), "at least two items"),
        ((1,), "at least two items"),
        ((1, 0, None), "last is not nil"),
        ((0, 0, 0), "no kind of event"),
        ((6, 0, 0), "no kind of event"),
        ((True, 0, 0), "no kind of event"),
        (("1", 0, 0), "no kind of event"),
        ((1, 0, 0, 4, None, ("", ("urn:x",))), r"item 3 \(action\)"),
        ((1, 0, 0, True, None, ("", ("urn:x",))), "written otherwise"),
        ((1, True, 0, 2, None, ("", ("urn:x",))), "event_time"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), 41), r"item 6 \(biz_step\)"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), -1), "biz_step"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), "shipping"), "written otherwise"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), ""), "empty"),
        ((1, 0, 0, 2, None, ("", ("urn:b", "urn:a"))), "written otherwise"),
        ((1, 0, 0, 2, None, ("", ("urn:a", "urn:a"))), "written otherwise"),
        ((1, 0, 0, 2, None, ("", ("urn:a",), "", ("urn:b",))), "written otherwise"),
        ((1, 0, 0, 2, None, ("a/", ("1",), "", ("urn:b",), "a/", ("2",))), "written otherwise"),
        ((1, 0, 0, 2, None, ("a/", ("b/1",))), "written otherwise"),
        ((1, 0, 0, 2, None, ("a/", ())), "says nothing"),
        ((1, 0, 0, 2, None, ()), "says nothing"),
        ((1, 0, 0, 2, None, ("a/", ("1",), "b/")), r"item 5 \(epcs\)"),
        ((1, 0, 0, 2, None, ("a/", (1,))), r"item 5 \(epcs\)"),
        ((1, 0, 0, 2, None, (("a/",), (("1",),))), "epcs"),
        ((1, 0, 0, 2, "00/1", ("", ("urn:x",))), "parent"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 4, ()), "written otherwise"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 4, (("01/1", (10, 0)),)), "written otherwise"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 4, (("01/1", (0, 1)),)), "written otherwise"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 4, (("01/1", (True, 0)),)), r"item 10 \(quantities\)"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 20, ("urn:x:", "n", (3,))), r"item 26 \(extensions\)"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 20, ("urn:x:", "n", ())), r"item 26 \(extensions\)"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 20, ("urn:x:", "n", 5)), r"item 26 \(extensions\)"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 20, ("urn:x:", "n")), r"item 26 \(extensions\)"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 20, ("urn:epcglobal:cbv:mda:", "n", "v")), "otherwise"),
        ((4, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 16, ("", ("urn:y",))), "action"),
        ((1, 0, 0, 2, None, ("", ("urn:x",)), *(None,) * 23, 1), "at least two items"),
    ],
)
def test_content_that_no_event_has_is_refused(items: Any, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        encoding.decode(content(*items))


@given(st.lists(st.text("a/0.", min_size=1, max_size=6), min_size=1, max_size=12, unique=True))
@example(["a", "a/", "a/.", "a//", "a/0", "a/0/", "a/a/a", "a0"])
def test_groups_are_maximal_runs_with_one_prefix(ids: list[str]) -> None:
    ids.sort()
    expected: list[Any] = []
    for one in ids:
        prefix, suffix = identifiers.split(one)
        if not expected or expected[-2] != prefix:
            expected += [prefix, []]
        expected[-1].append(suffix)
    assert group(ids) == expected


def test_a_hundred_units_share_their_prefix() -> None:
    event = shipped(epcs=[f"01/09521234001072/21/BJ{i:04}" for i in range(100)])
    assert len(encoding.encode(event)) < 100 * 8


def test_the_table_of_positions_is_what_the_format_says() -> None:
    names = [
        "type",
        "event_time",
        "time_zone_offset",
        "action",
        "parent",
        "epcs",
        "biz_step",
        "disposition",
        "read_point",
        "biz_location",
        "quantities",
        "biz_transactions",
        "sources",
        "destinations",
        "ilmd",
        "event_id",
        "record_time",
        "persistent_disposition",
        "sensors",
        "error_declaration",
        "certification",
        "transformation_id",
        "output_epcs",
        "output_quantities",
        "person",
        "private",
        "extensions",
        "read_point_extensions",
        "biz_location_extensions",
    ]
    assert [name for name, _, _ in POSITIONS] == names
    attributes = {field.name for kind in KINDS for field in attrs.fields(kind)}
    assert set(names) - {"type"} == attributes - {"plain"}
