"""Scan files: what a row means, what is refused and where, in blocks of any size."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_texts import OTHER, PACK, PACK_ID, TIME, one, read, read_json, refused
from tracechain.errors import InputError
from tracechain.event import (
    AggregationEvent,
    AssociationEvent,
    BizTransaction,
    Event,
    Extension,
    ObjectEvent,
    SourceDest,
    TransactionEvent,
    ilmd_value,
    parse_time,
)
from tracechain.formats.scan_rows import COLUMNS, EVENTS
from tracechain.formats.scans import MAX_LINE, ScanError, iter_csv, iter_jsonl
from tracechain.formats.sniffing import sniff

DOC = Path(__file__).resolve().parents[1] / "docs" / "scan-files.md"


# ---- what a row means --------------------------------------------------------------------------


def test_a_commissioning_has_lot_and_expiry_as_master_data() -> None:
    event = one(event="commission", lot="LOT-A7", expiry="2028-06-30", place="4149521234000013")
    assert isinstance(event, ObjectEvent)
    assert (event.action, event.biz_step, event.disposition) == ("ADD", "commissioning", "active")
    assert event.epcs == (PACK_ID,)
    assert event.read_point == "414/9521234000013"
    assert (event.event_time, event.time_zone_offset) == (parse_time(TIME), 480)
    assert ilmd_value(event, "lotNumber") == "LOT-A7"
    assert ilmd_value(event, "itemExpirationDate") == "2028-06-30"
    assert event.extensions == ()


def test_with_another_event_lot_and_expiry_say_what_was_read() -> None:
    event = one(event="receive", lot="LOT-A7", expiry="2028-06-30")
    told = {e.name: e.value for e in event.extensions}
    assert told == {"lotNumber": "LOT-A7", "itemExpirationDate": "2028-06-30"}


def test_packing_has_a_parent_and_its_bare_number_is_an_sscc() -> None:
    event = one(event="pack", parent="095212340000000013")
    assert isinstance(event, AggregationEvent)
    assert (event.parent, event.epcs, event.action) == ("00/095212340000000013", (PACK_ID,), "ADD")


def test_orders_are_tied_to_documents_of_known_and_unknown_type() -> None:
    event = one(event="order", doc="po:urn:epcglobal:cbv:bt:9521234000013:PO-17 PO/18")
    assert isinstance(event, TransactionEvent)
    assert event.biz_transactions == (
        BizTransaction("po", "urn:epcglobal:cbv:bt:9521234000013:PO-17"),
        BizTransaction("po", "urn:tracechain:doc:PO%2F18"),
    )
    assert one(event="ship", doc="7").biz_transactions == (BizTransaction(None, "urn:tracechain:doc:7"),)


def test_parties_have_a_type_or_are_possessing_parties() -> None:
    event = one(event="ship", **{"from": "owning_party:9521234000013", "to": "9521234000013 location:9521234000013"})
    assert event.sources == (SourceDest("owning_party", "417/9521234000013"),)
    assert event.destinations == (
        SourceDest("location", "414/9521234000013"),
        SourceDest("possessing_party", "417/9521234000013"),
    )


def test_a_disposition_of_ones_own_replaces_the_usual_one() -> None:
    assert one(event="release", disposition="sellable_accessible").disposition == "sellable_accessible"


def test_a_note_is_kept() -> None:
    assert one(note="crate was wet").extensions == (Extension("urn:tracechain:scan:", "note", "crate was wet"),)


def test_a_logger_is_associated() -> None:
    event = one(event="attach_logger", parent="095212340000000013", code="urn:example:logger:7")
    assert isinstance(event, AssociationEvent)
    assert event.epcs == ("urn:example:logger:7",)


#: What an event name cannot do without.
NEEDS = {
    "pack": {"parent": "095212340000000013"},
    "unpack": {"parent": "095212340000000013"},
    "attach_logger": {"parent": "095212340000000013"},
    "detach_logger": {"parent": "095212340000000013"},
    "order": {"doc": "PO-1"},
    "payment": {"doc": "po:PO-1 PAY-1"},
    "cancel": {"doc": "PO-1"},
    "export_return": {"doc": "ER-1"},
    "apply_return": {"doc": "RMA-1"},
    "relabel": {"new_code": OTHER},
    "sensor": {"temperature": "4.5"},
}


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_name_makes_the_event_it_stands_for(name: str) -> None:
    kind = EVENTS[name]
    event = one(event=name, **NEEDS.get(name, {}))
    assert type(event) is kind.build
    assert getattr(event, "action", "") == kind.action
    assert (event.biz_step, event.disposition) == (kind.biz_step, kind.disposition)


@pytest.mark.parametrize(("name", "column"), [(name, column) for name, needs in NEEDS.items() for column in needs])
def test_what_an_event_cannot_do_without_is_asked_for(name: str, column: str) -> None:
    refused(f"event,time,code\n{name},{TIME},{PACK}\n", f"line 2, column {column}", f"'{name}' needs a")


@given(st.lists(st.sampled_from(COLUMNS[3:]), unique=True), st.data())
def test_which_columns_a_file_has_changes_nothing_but_what_is_in_them(empty: list[str], data: Any) -> None:
    """A column that is empty says the same as one that is not there, wherever it stands."""
    columns = data.draw(st.permutations(["event", "time", "code", *empty]))
    row = {"event": "receive", "time": TIME, "code": PACK}
    text = ",".join(columns) + "\n" + ",".join(row.get(name, "") for name in columns) + "\n"
    assert read(text) == [one()]


GS = "\x1d"


@pytest.mark.parametrize(
    "code",
    [
        f"]d201095212340010721728063010LOT-A7{GS}21BJ0001",
        "(01)09521234001072(17)280630(10)LOT-A7(21)BJ0001",
        "https://brand.example/01/09521234001072/10/LOT-A7/21/BJ0001?17=280630",
    ],
)
def test_lot_and_expiry_that_the_code_itself_carries_are_kept(code: str) -> None:
    event = one(event="commission", code=code)
    assert event.epcs == (PACK_ID,)
    assert (ilmd_value(event, "lotNumber"), ilmd_value(event, "itemExpirationDate")) == ("LOT-A7", "2028-06-30")
    assert one(event="commission", code=code, lot="LOT-A7") == event


def test_a_code_that_contradicts_its_column_is_refused() -> None:
    text = f"event,time,code,lot\ncommission,{TIME},(01)09521234001072(10)LOT-A7(21)BJ0001,LOT-B1\n"
    error = refused(text, "scans.csv, line 2, column lot", "'LOT-B1'", "'LOT-A7'")
    assert (error.line, error.column, error.value) == (2, "lot", "LOT-B1")


# ---- groups ------------------------------------------------------------------------------------


def test_rows_of_one_group_are_one_event() -> None:
    text = (
        f"event,time,code,group\nstocktake,{TIME},{PACK},a\nstocktake,{TIME},{OTHER},a\n"
        f"stocktake,{TIME},{PACK},b\nstocktake,{TIME},{PACK},\nstocktake,{TIME},{OTHER},b\n"
    )
    assert [len(e.epcs) for e in read(text)] == [2, 1, 1, 1]


def test_codes_of_different_lots_in_a_group_become_an_event_for_each_lot() -> None:
    rows = "".join(f"receive,{TIME},(01)09521234001072(10)LOT-{n % 2}(21)BJ000{n},a\n" for n in range(4))
    events = read(f"event,time,code,group\n{rows}")
    assert [(len(e.epcs), e.extensions[0].value) for e in events] == [(2, "LOT-0"), (2, "LOT-1")]


def test_rows_of_a_group_that_differ_are_refused_by_name() -> None:
    text = f"event,time,code,group\nstocktake,{TIME},{PACK},a\nstocktake,2026-11-21T08:30:01+08:00,{OTHER},a\n"
    error = refused(text, "line 3, column time", "line 2")
    assert error.value == "2026-11-21T08:30:01+08:00"


def test_a_group_too_large_for_an_entry_is_refused_before_it_is_anyones_problem() -> None:
    rows = "".join(f"stocktake,{TIME},010952123400107221{n:020},a\n" for n in range(5_000))
    refused(f"event,time,code,group\n{rows}", "line 2", "over the limit of 65536")


# ---- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (f"recieve,{TIME},{PACK}", "event", "did you mean 'receive'"),
        (f"repackage,{TIME},{PACK}", "event", "EPCIS 2.0"),
        (f",{TIME},{PACK}", "event", "empty"),
        (f"receive,,{PACK}", "time", "empty"),
        (f"receive,2026-11-21T08:30:00,{PACK}", "time", "has no zone"),
        (f"receive,2026-11-21 08:30:00,{PACK}", "time", "has no zone"),
        (f"receive,2026-02-30T08:30:00+08:00,{PACK}", "time", "no such day"),
        (f"receive,2026-11-21T08:30:60+08:00,{PACK}", "time", "no time"),
        (f"receive,2026-11-21T08:30:+1+08:00,{PACK}", "time", "no time"),
        (f"receive,２026-11-21T08:30:00+08:00,{PACK}", "time", "no time"),
        (f"receive,{TIME},0109521234001072 21BJ0001", "code", "space at position 17"),
        (f"receive,{TIME},０109521234001072", "code", "full-width"),
        (f"receive,{TIME},010952123400107321BJ0001", "code", "check digit should be 2"),
        (f"receive,{TIME},", "code", "empty code"),
        (f"receive,{TIME},{PACK} {OTHER}", "code", "space"),
        (f"pack,{TIME},{PACK}", "parent", "needs a parent"),
        (f"order,{TIME},{PACK}", "doc", "needs a doc"),
    ],
)
def test_a_bad_field_is_named_with_line_column_and_what_to_do(row: str, column: str, words: str) -> None:
    error = refused(f"event,time,code\nreceive,{TIME},{PACK}\n{row}\n", f"scans.csv, line 3, column {column}", words)
    assert (error.line, error.column) == (3, column)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"event": "ship", "parent": "095212340000000013"}, "has no parent"),
        ({"expiry": "2028-6-30"}, "YYYY-MM-DD"),
        ({"expiry": "20280630"}, "YYYY-MM-DD"),
        ({"expiry": "2027-02-29"}, "no day of the calendar"),
        ({"place": "9521234000014"}, "check digit should be 3"),
        ({"disposition": "sold"}, "no standard name"),
        ({"note": "a\x1b[31mb"}, "control character"),
        ({"event": "pack", "parent": "095212340000000014"}, "check digit"),
        ({"doc": "po:" + "x" * 500}, "over the limit"),
        ({"to": "owning_party:nobody"}, "no known scheme"),
    ],
)
def test_other_columns_are_checked_too(fields: dict[str, str], words: str) -> None:
    with pytest.raises(ScanError, match=re.escape(words)):
        one(**fields)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("event;time;code", "parted by ';'"),
        ("event\ttime\tcode", "parted by tab"),
        ("event|time|code", "parted by '|'"),
        ("event，time，code", "full-width comma"),
        (f"receive,{TIME},{PACK}", "the first line is the header"),
        ("event,time,code,lots", "did you mean 'lot'"),
        ("event,time", "'code' is missing"),
        ("event,time,code,Code", "there twice"),
    ],
)
def test_a_bad_header_is_explained(header: str, words: str) -> None:
    error = refused(f"{header}\nreceive,{TIME},{PACK}\n", "line 1", words)
    assert error.line == 1


def test_a_row_with_another_delimiter_than_the_header_is_explained() -> None:
    refused(f"event,time,code\nreceive;{TIME};{PACK}\n", "line 2", "parted by ';'")


def test_a_row_with_too_many_fields_is_refused() -> None:
    refused(f"event,time,code\nreceive,{TIME},{PACK},x\n", "line 2", "4 fields", "3 columns")


@pytest.mark.parametrize("text", ['event,time,code\nreceive,"x"y,z\n', 'event,time,code\nreceive,"x\n'])
def test_broken_quoting_is_refused(text: str) -> None:
    refused(text, "quoting is broken")


def test_quoted_fields_may_hold_commas_quotes_and_line_ends() -> None:
    with pytest.raises(ScanError, match="control character"):
        one(lot="a\x07b")
    assert one(note='a, "b"').extensions[0].value == 'a, "b"'
    assert one(note="a\nb").extensions[0].value == "a\nb"


def test_empty_files_are_errors() -> None:
    for text in ("", "\ufeff", "event,time,code\n", "event,time,code\n\n\n"):
        with pytest.raises(InputError, match=r"empty|no scans|no known column"):
            read(text)
    for text in ("", "\n\n"):
        with pytest.raises(InputError, match=r"empty|no line"):
            read_json(text)


def test_a_byte_order_mark_and_any_line_ends_are_taken() -> None:
    rows = f"event,time,code\nreceive,{TIME},{PACK}\nreceive,{TIME},{OTHER}"
    for text in (
        rows,
        rows.replace("\n", "\r\n"),
        rows.replace("\n", "\r"),
        "\ufeff" + rows,
        rows.upper()[:15] + rows[15:],
    ):
        assert [e.epcs[0][-1] for e in read(text)] == ["1", "2"]


def test_another_encoding_is_refused_with_the_byte_that_shows_it() -> None:
    text = f"event,time,code,note\nreceive,{TIME},{PACK},ok\nreceive,{TIME},{PACK},苯片\n"
    data = text.encode("gb18030")
    at = data.index("苯片".encode("gb18030"))
    error = refused(data, f"byte {at} ", "line 3", "UTF-8")
    assert error.line == 3
    refused_late = b"event,time,code,note\n" + f"receive,{TIME},{PACK},ok\n".encode() * 50_000 + data.split(b"\n", 1)[1]
    error = refused(refused_late, f"byte {refused_late.index('苯片'.encode('gb18030'))} ", "line 50003")
    with pytest.raises(InputError, match="UTF-16"):
        read(text.encode("utf-16"))


class Endless:
    """A file of one line without end, which counts what is read of it."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int, /) -> bytes:
        self.taken += size
        assert self.taken < 8 * MAX_LINE, "an endless line has to be refused early"
        return b"x" * size


@pytest.mark.parametrize("reader", [iter_csv, iter_jsonl])
def test_an_endless_line_is_refused_after_a_block_or_two(reader: Any) -> None:
    with pytest.raises(ScanError, match="line 1: the line has over"):
        list(reader(Endless(), "endless"))


def test_a_long_line_far_inside_is_refused_with_its_number() -> None:
    text = f"event,time,code\nreceive,{TIME},{PACK}\n" + "x" * (MAX_LINE + 1) + "\n"
    assert refused(text, "over 1048576 bytes").line == 3


def test_skip_leaves_faulty_rows_out_and_names_each() -> None:
    faults: list[ScanError] = []
    rows = (
        f"receive,{TIME},{PACK},",
        f"receive,x,{PACK},",
        f"receive,{TIME},1 2,g",
        f"receive,{TIME},{OTHER},g",
        "a,b",
    )
    text = "\n".join(("event,time,code,group", *rows))
    events = read(text, faults.append)
    assert [e.epcs[0][-1] for e in events] == ["1", "2"]
    assert [f.line for f in faults] == [3, 4, 6]


# ---- JSON Lines --------------------------------------------------------------------------------


def test_a_line_of_json_is_what_the_row_is() -> None:
    fields = {"event": "commission", "time": TIME, "code": PACK, "lot": "LOT-A7", "place": "4149521234000013"}
    assert read_json(json.dumps(fields) + "\n") == [one(**fields)]


def test_codes_make_one_event_of_many() -> None:
    (event,) = read_json(json.dumps({"event": "receive", "time": TIME, "codes": [PACK, OTHER]}))
    assert len(event.epcs) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "too deep"),
        ('{"a":' * 100_000, "too deep"),
        ("[1]", "no object but list"),
        ('"x"', "no object but str"),
        ('{"event":"receive","event":"ship"}', "there twice"),
        ('{"event":"receive","time":1,"code":"x"}', "is no text"),
        ('{"event":"receive","time":"x","code":"x","codes":["x"]}', "in one of the two"),
        ('{"event":"receive","time":"x","codes":[]}', "at least one"),
        ('{"event":"receive","time":"x","codes":[1]}', "write codes in quotes"),
        ('{"event":"receive","time":"x","codes":"x"}', "an array"),
        ('{"event":"receive","evnt":"x"}', "did you mean 'event'"),
        ('{"event":"receive","group":"x"}', "stand in codes"),
        ("1" * 5_000, "no JSON that can be read"),
    ],
)
def test_bad_json_lines_are_named(line: str, words: str) -> None:
    good = json.dumps({"event": "receive", "time": TIME, "code": PACK})
    with pytest.raises(ScanError, match=re.escape(words)) as caught:
        read_json(f"{good}\n\n{line}\n")
    assert caught.value.line == 3


# ---- properties --------------------------------------------------------------------------------


class Dribble:
    """A file that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._file, self._step = io.BytesIO(data), step

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._step))


NOTES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=20)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001  # the zone is drawn beside it


@given(
    rows=st.lists(st.tuples(MOMENTS, st.integers(-840, 840), st.integers(0, 999), NOTES), min_size=1, max_size=20),
    step=st.integers(1, 200),
)
def test_what_is_written_is_read_back_whatever_the_size_of_blocks(rows: Any, step: int) -> None:
    """Times, zones and notes survive; the cut of blocks changes nothing."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["event", "time", "code", "note"])
    expected = []
    for moment, offset, serial, drawn in rows:
        zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
        text = moment.isoformat() + zone
        note = unicodedata.normalize("NFC", drawn)
        writer.writerow(["receive", text, f"010952123400107221{serial}", note])
        expected.append((parse_time(text), offset, f"01/09521234001072/21/{serial}", note))
    found = [
        (e.event_time, e.time_zone_offset, e.epcs[0], e.extensions[0].value if e.extensions else "")
        for e in iter_csv(Dribble(out.getvalue().encode(), step), "x")
    ]
    assert found == expected


@given(st.binary(max_size=400))
def test_no_bytes_make_anything_but_an_input_error(data: bytes) -> None:
    for reader in (iter_csv, iter_jsonl):
        with contextlib.suppress(InputError):
            assert all(isinstance(event, Event) for event in reader(io.BytesIO(data), "x"))


@given(st.lists(st.sampled_from(["receive", TIME, PACK, "\n", ",", '"', "event,time,code\n", "\r", " ", "药", ";"])))
def test_no_pieces_of_scan_files_make_anything_but_events_or_an_input_error(pieces: list[str]) -> None:
    with contextlib.suppress(InputError):
        assert read("event,time,code\n" + "".join(pieces))


# ---- formats and documentation -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"event,time,code\n", "csv"),
        (b"\xef\xbb\xbfevent", "csv"),
        (b'{"event":"ship"}\n', "jsonl"),
        (b' \n {"@context":[], "type":"EPCISDocument"}', "epcis"),
        (b"\x93\xb8tracechain submission v0", "submission"),
    ],
)
def test_formats_are_known_by_their_content(head: bytes, found: str) -> None:
    assert sniff(head, "x") == found


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "empty"),
        (b" \n", "nothing but spaces"),
        (b"PK\x03\x04", "spreadsheet"),
        (b"\x1f\x8b", "gzip"),
        (b"<?xml", "XML"),
        (b"\xff\xfee", "UTF-16"),
        (b"[{}]", "JSON array"),
        (b"ab\0c", "NUL"),
    ],
)
def test_foreign_files_are_named_for_what_they_are(head: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        sniff(head, "x")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)


def test_the_examples_of_the_documentation_are_scan_files() -> None:
    counts = [len(read(block)) for block in blocks("csv")]
    assert counts == [4, 7, 2]
    assert [len(read_json(block)) for block in blocks("jsonl")] == [2]


def test_the_tables_of_the_documentation_are_those_of_the_code() -> None:
    text = DOC.read_text(encoding="utf-8")
    columns = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \|$", text, re.MULTILINE)
    assert tuple(columns) == COLUMNS
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) ?(\w*) \| (\S+) \| (\S*) ?\|$", text, re.MULTILINE)
    documented = {
        name: (f"{kind}Event", action, step, disposition or None) for name, kind, action, step, disposition in rows
    }
    in_code = {n: (k.build.__name__, k.action, k.biz_step, k.disposition) for n, k in EVENTS.items()}
    assert documented == in_code
    assert list(documented) == list(in_code)


# ---- lines -------------------------------------------------------------------------------------


def test_each_event_has_the_line_that_it_begins_in() -> None:
    """A group that is left, a blank line, a faulty row, and a group of two lots, which makes two events."""
    rows = (
        f"{TIME},commission,{PACK},,\n",
        "\n",
        f"{TIME},receive,{PACK},shelf,\n",
        f"{TIME},receive,{OTHER},shelf,\n",
        "nonsense,receive,,,\n",
        f"{TIME},receive,{PACK},,\n",
        f"{TIME},receive,{PACK}\x1d10LOT1,pallet,\n",
        f"{TIME},receive,{OTHER}\x1d10LOT2,pallet,\n",
    )
    lines: list[int] = []
    text = "time,event,code,group,note\n" + "".join(rows)
    events = list(iter_csv(io.BytesIO(text.encode()), "a.csv", lambda _: None, lines))
    assert [(line, len(event.epcs)) for line, event in zip(lines, events, strict=True)] == [
        (2, 1), (4, 2), (7, 1), (8, 1), (8, 1),
    ]  # fmt: skip


def test_each_event_of_json_lines_has_its_line() -> None:
    one_pack = json.dumps({"time": TIME, "event": "receive", "code": PACK})
    two_lots = json.dumps({"time": TIME, "event": "receive", "codes": [f"{PACK}\x1d10LOT1", f"{OTHER}\x1d10LOT2"]})
    lines: list[int] = []
    data = f"{one_pack}\n\nnonsense\n{two_lots}\n".encode()
    assert len(list(iter_jsonl(io.BytesIO(data), "a.jsonl", lambda _: None, lines))) == 3
    assert lines == [1, 4, 4]
