"""Every way through verification says the same of the same log: in one pass, in ranges, in processes, quick or careful.

The quick way (`RangeCheck._columns`) knows contents by their shape and compares bytes. The attacker of these tests has
every key (`forging`), so whatever the quick way does not look at, somebody could put there.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from forging import (
    KEYS,
    PARTS,
    agree,
    changed,
    copy,
    events_of,
    forge,
    found,
    in_ranges,
    in_tasks,
    logged,
    memory,
    patch,
    replaced,
)
from tracechain import encoding, record
from tracechain.entry import SALT_SIZE, EntryType, Row, decode_rows, encode_rows, format_header, parse_header
from tracechain.errors import InputError
from tracechain.event import Extension, ObjectEvent, Quantity
from tracechain.ledger.auditing import verify_ledger
from tracechain.record import Record
from tracechain.replay import MemoryView
from tracechain.retention.tables import pilot_policy
from tracechain.testing import START, new_ledger, tamper
from tracechain.testing.samples import commission, destroy, observe, pack_ids, receive, ship
from tracechain.testing.scanner import Scanner, sample_ledger
from tracechain.verification import Code, verify, verify_unit
from tracechain.verification.range import RangeCheck


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    """A log of single-unit events in three shapes, two of them with a past; nothing is wrong with it."""
    path = tmp_path_factory.mktemp("plain") / "ledger"
    ids = pack_ids(12)
    with new_ledger(path, keys=KEYS) as ledger:
        ledger.append([commission((one,)) for one in ids])
        ledger.append([ship((one,)) for one in ids])
        ledger.append([destroy((one,)) for one in ids[:4]])
        ledger.append([receive((one,)) for one in ids])
    return memory(path)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger with nearly every type of entry; nothing is wrong with it."""
    path = tmp_path_factory.mktemp("sample") / "ledger"
    sample_ledger(path, keys=KEYS, rounds=2)
    return path


@pytest.fixture(scope="module")
def everything(sample: Path) -> MemoryView:
    return memory(sample)


# ---- clean logs ------------------------------------------------------------------------------------


def test_a_clean_log_is_clean_in_every_way(plain: MemoryView, everything: MemoryView) -> None:
    for view in (plain, everything):
        assert found(agree(view, (1, 2, 3, 5, 11))) == set()


def test_the_quick_way_is_taken(plain: MemoryView) -> None:
    """Else the tests below would compare the careful way with itself."""
    decoded: list[int] = []
    original = RangeCheck._slow

    def slow(self: RangeCheck, index: int, *parts: Any) -> None:
        decoded.append(index)
        original(self, index, *parts)

    with changed(RangeCheck, _slow=slow):
        assert verify(plain)
    assert len(decoded) < plain.size // 2


def test_a_forged_copy_of_a_clean_log_is_clean(plain: MemoryView, everything: MemoryView) -> None:
    """`forge` itself leaves nothing to find."""
    assert found(verify(forge(copy(plain)))) == set()
    assert found(verify(forge(copy(everything)))) == set()


# ---- the quick way and the careful way -------------------------------------------------------------


@given(data=st.data())
def test_any_byte_of_a_part_is_judged_alike(plain: MemoryView, data: st.DataObject) -> None:
    view = copy(plain)
    index = data.draw(st.sampled_from(events_of(view)), label="entry")
    parts = getattr(view, data.draw(st.sampled_from(PARTS)))
    part = parts[index]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0 if parts is view.raw_headers else SALT_SIZE, len(part) - 1), label="at")
        part = patch(part, at, bytes([data.draw(st.integers(0, 255), label="byte")]))
    parts[index] = part
    agree(forge(view), (3,))


@given(data=st.data())
def test_parts_that_are_cut_or_longer_are_judged_alike(plain: MemoryView, data: st.DataObject) -> None:
    view = copy(plain)
    index = data.draw(st.sampled_from(events_of(view)))
    parts = getattr(view, data.draw(st.sampled_from(PARTS)))
    part = parts[index]
    parts[index] = part[: data.draw(st.integers(0, len(part)))] + data.draw(st.binary(max_size=3))
    with contextlib.suppress(struct.error):
        forge(view)
    agree(view, (3,))


@given(data=st.data())
def test_missing_parts_are_judged_alike(plain: MemoryView, data: st.DataObject) -> None:
    view = copy(plain)
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, view.size - 1))
        parts = getattr(view, data.draw(st.sampled_from(PARTS)))
        parts.pop(index, None)
    assert not agree(view, (3,)) or view.raw_rows.keys() == plain.raw_rows.keys()


@given(data=st.data())
def test_an_unforged_byte_is_found_in_every_way(everything: MemoryView, data: st.DataObject) -> None:
    view = copy(everything)
    parts = getattr(view, data.draw(st.sampled_from(PARTS)))
    index = data.draw(st.sampled_from(sorted(parts)))
    at = data.draw(st.integers(0, len(parts[index]) - 1))
    parts[index] = patch(parts[index], at, bytes([parts[index][at] ^ data.draw(st.integers(1, 255))]))
    assert not agree(view, (4,))


def fast_one(view: MemoryView) -> int:
    """An entry in the middle of the second batch, which the quick way takes."""
    return events_of(view)[18]


@pytest.mark.parametrize(
    "time",
    [
        "cf 0000 0000 ffff ffff",  # has a shorter form
        "cf 0000 0001 0000 0000",
        "cf 7fff ffff ffff ffff",
        "cf 8000 0000 0000 0000",  # beyond a signed number
        "d3 0000 0001 0000 0000",  # the signed spelling
        "cb 4000 0000 0000 0000",  # a float
    ],
)
def test_times_are_judged_alike(plain: MemoryView, time: str) -> None:
    index = fast_one(plain)
    content = plain.raw_contents[index][SALT_SIZE:]
    report = agree(replaced(plain, index, patch(content, 2, bytes.fromhex(time))))
    good = (time.startswith("cf") and "0001" in time) or time.startswith("cf 7f")
    assert report.codes == (() if good else (Code.CONTENT_MALFORMED,))


@pytest.mark.parametrize("serial", ["BJ-00001", "BJ_00001", "BJ/00001", "", "B" * 31, "B" * 32, "BJ 00001", "\u0661"])
def test_serials_are_judged_alike(plain: MemoryView, serial: str) -> None:
    index = fast_one(plain)
    content = plain.raw_contents[index][SALT_SIZE:]
    row = decode_rows(plain.raw_rows[index][SALT_SIZE:])[1][0]
    old = row.subject.rpartition("/")[2]
    content = content.replace(encoding.pack(old), encoding.pack(serial))
    subject = row.subject.removesuffix(old) + serial
    rows = encode_rows(1, [Row(subject, row.act, None, 1)])
    agree(replaced(plain, index, content, rows))


@pytest.mark.parametrize("length", [-3, -1, 1, 3, 9])
def test_serials_of_another_length_than_stated_are_judged_alike(plain: MemoryView, length: int) -> None:
    index = fast_one(plain)
    content = plain.raw_contents[index][SALT_SIZE:]
    at = content.index(b"BJ0") - 1
    assert (
        Code.CONTENT_MALFORMED in agree(replaced(plain, index, patch(content, at, bytes([content[at] + length])))).codes
    )


@pytest.mark.parametrize("head", [0xC0, 0xC4, 0xD9, 0xFF])
def test_a_serial_that_is_no_text_is_found(plain: MemoryView, head: int) -> None:
    """Content and row agree on it, and its bytes look like a serial of head - 0xA0 bytes."""
    index = fast_one(plain)
    content, stored = plain.raw_contents[index][SALT_SIZE:], plain.raw_rows[index][SALT_SIZE:]
    old = encoding.pack(decode_rows(stored)[1][0].subject.rpartition("/")[2])
    new = bytes([head]) + b"B" * (head - 0xA0)
    report = agree(replaced(plain, index, content.replace(old, new), stored.replace(old, new)))
    assert {Code.CONTENT_MALFORMED, Code.ROWS_MALFORMED} <= set(report.codes)


def bare(one: str, **fields: Any) -> ObjectEvent:
    """An event of which nothing stands behind the unit, or what a test adds."""
    return ObjectEvent(event_time=START * 1_000_000, time_zone_offset=480, action="OBSERVE", epcs=(one,), **fields)


def test_a_content_that_ends_within_its_serial_is_found(tmp_path: Path) -> None:
    """Nothing stands behind the serial, so a cut one must not be taken for a shorter one."""
    view = logged(tmp_path, [bare(one) for one in pack_ids(6)])
    index = events_of(view)[4]
    content, stored = view.raw_contents[index][SALT_SIZE:], view.raw_rows[index][SALT_SIZE:]
    cut = replaced(view, index, content[:-2], stored.replace(content[-2:], b"", 1))
    assert {Code.CONTENT_MALFORMED, Code.ROWS_MALFORMED} <= set(agree(cut).codes)


def test_a_content_that_ends_before_its_serial_is_found(plain: MemoryView) -> None:
    index = fast_one(plain)
    content = plain.raw_contents[index][SALT_SIZE:]
    short = replaced(plain, index, content[: content.index(b"BJ0") - 1])
    assert Code.CONTENT_MALFORMED in agree(short).codes
    view = copy(plain)
    view.raw_contents[index] = view.raw_contents[index][: SALT_SIZE + content.index(b"BJ0") - 1]
    assert Code.CONTENT_COMMITMENT in agree(view).codes


def test_a_subject_that_is_no_epc_is_not_taken_for_one(tmp_path: Path) -> None:
    """The one subject is a class; the bytes of its quantity look like an epc."""

    def counted(serial: str) -> ObjectEvent:
        looks_like = b"\1" + encoding.pack(("", (serial,))) + b"\1\3"
        quantity = Quantity("X", Decimal(int.from_bytes(looks_like)), "KGM")
        return ObjectEvent(event_time=START * 1_000_000, time_zone_offset=480, action="OBSERVE", quantities=(quantity,))

    view = logged(tmp_path, [counted("X")] * 4)
    index = events_of(view)[-1]
    rows = encode_rows(1, [Row("Y", 0, None, 1)])
    assert agree(replaced(view, index, encoding.encode(counted("Y")), rows)).codes == (Code.ROW_SUBJECTS,)


def test_a_lot_that_is_named_beside_the_unit_is_not_forgotten(tmp_path: Path) -> None:
    """Unit and class were one id where the shape was seen, so that there was one subject; now there are two."""
    one, other = pack_ids(2)
    view = logged(tmp_path, [bare(one, quantities=(Quantity(one, Decimal(1)),))] * 6)
    index = events_of(view)[3]
    rows = encode_rows(1, [Row(other, 0, None, 1)])
    content = encoding.encode(bare(other, quantities=(Quantity(one, Decimal(1)),)))
    assert Code.ROW_SUBJECTS in agree(replaced(view, index, content, rows)).codes


def test_an_id_beyond_the_limit_is_found(tmp_path: Path) -> None:
    """Prefix and serial are each fine, together they are too long for a key."""
    head = "urn:example:" + "a" * 440 + "/"
    view = logged(tmp_path, [bare(f"{head}S{n}", biz_step="shipping") for n in range(6)])
    index = events_of(view)[4]
    content = view.raw_contents[index][SALT_SIZE:]
    long = content.replace(encoding.pack("S4"), encoding.pack("S" * 31))
    subject = head + "S" * 31
    stored = encoding.pack((1, (head, "S" * 31, 0, 0, 1, None)))
    assert len(subject) > 480
    assert Code.CONTENT_MALFORMED in agree(replaced(view, index, long, stored)).codes


def test_a_content_beyond_the_limit_is_found(tmp_path: Path) -> None:
    def made(serial: str, *sizes: int) -> ObjectEvent:
        fields = tuple(Extension("urn:example:", f"n{n}", "x" * size) for n, size in enumerate(sizes))
        return evolve(bare(f"urn:example:u/{serial}"), action="ADD", ilmd=fields)

    sizes = [16_000] * 4
    sizes.append(65_536 - 30 - len(encoding.encode(made("S0", *sizes))))
    view = logged(tmp_path, [made(f"S{n}", *sizes) for n in range(5)])
    index = events_of(view)[3]
    content = view.raw_contents[index][SALT_SIZE:]
    long = content.replace(encoding.pack("S3"), encoding.pack("S" * 31))
    assert len(content) <= 65_536 < len(long)
    rows = encode_rows(1, [Row("urn:example:u/" + "S" * 31, 0, None, 1)])
    assert Code.HEADER_MALFORMED in agree(replaced(view, index, long, rows)).codes


@pytest.mark.parametrize("state", [0, 2, 3, 77, (1 << 24) - 1])
def test_a_wrong_state_does_not_stop_the_verification(plain: MemoryView, state: int) -> None:
    """The entries after it, of the same unit, take the quick way with a state that no rule knows."""
    index = events_of(plain)[2]
    row = decode_rows(plain.raw_rows[index][SALT_SIZE:])[1][0]
    view = replaced(plain, index, plain.raw_contents[index][SALT_SIZE:], encode_rows(1, [evolve(row, state=state)]))
    report = agree(view, (1, 2, 3, 13))
    assert (str(Code.ROW_STATE), index, row.subject) in {f[:3] for f in found(report)}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (2, True),
        (2, 0.0),
        (3, True),
        (3, -1),
        (3, -(1 << 63)),
        (3, (1 << 64) - 1),
        (3, 1 << 40),
        (4, True),
        (4, -1),
        (4, 1 << 24),
        (4, (1 << 64) - 1),
        (4, 2),
        (5, ()),
        (5, (True,)),
        (5, (1,)),
        (5, (-1,)),
        (5, ("x",)),
        (5, b""),
        (5, 0),
    ],
)
@pytest.mark.parametrize("batch", [0, 1, 2, 3])
def test_cells_of_a_row_are_judged_alike(plain: MemoryView, batch: int, place: int, value: Any) -> None:
    """True is 1 in Python, and is no number in a row; and so on."""
    index = events_of(plain)[(2, 18, 26, 33)[batch]]
    value_of: Any = encoding.unpack_raw(plain.raw_rows[index][SALT_SIZE:])
    prefix, *cells = value_of[1]
    cells[place - 1] = value
    stored = b"\x92\x01" + encoding.pack((prefix, *cells))
    if stored == plain.raw_rows[index][SALT_SIZE:]:
        pytest.skip("that is what stands there")
    assert not agree(replaced(plain, index, plain.raw_contents[index][SALT_SIZE:], stored), (1, 2, 3, 5))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("flags", 1),
        ("time", START + 1),
        ("time", START - 1),
        ("record_class", 5),
        ("author", bytes(8)),
        ("sequence", 3),
        ("policy", 7),
        ("policy", 1 << 40),
        ("type", EntryType.RECORD),
        ("type", EntryType.CLOCK),
    ],
)
@pytest.mark.parametrize("count", [1, 2, 30])
def test_fields_of_headers_are_judged_alike(plain: MemoryView, field: str, value: Any, count: int) -> None:
    """In one entry, in two, and in all that follow: what was wrong before must not become what is expected."""
    view = copy(plain)
    for index in events_of(view)[14 : 14 + count]:
        header = parse_header(view.raw_headers[index])
        new = {field: value}
        if field == "type" and value == EntryType.CLOCK:
            new |= {"author": bytes(8), "sequence": 0}
        view.raw_headers[index] = format_header(evolve(header, **new))
    report = agree(forge(view), (1, 2, 5))
    assert not report or field in {"record_class", "flags"}  # which are the author's and the ledger's to state


def test_a_policy_has_to_be_an_earlier_record(tmp_path: Path) -> None:
    view = logged(tmp_path, [pilot_policy().record()], [observe(pack_ids(1)), ship(pack_ids(1))])
    assert agree(view)
    policy = next(i for i, h in view.raw_headers.items() if h[4] == EntryType.RECORD)
    index = events_of(view)[1]
    header = parse_header(view.raw_headers[index])
    assert header.policy == policy
    for at in (policy - 1, index):
        view.raw_headers[index] = format_header(evolve(header, policy=at))
        assert set(agree(forge(view)).codes) == {Code.KEEP_UNTIL, Code.HEADER_MALFORMED}


def test_a_scope_is_held_against_entries_of_the_quick_way(tmp_path: Path) -> None:
    """Events of a key that may write notes only; the notes stand before, between, and after them."""
    note = Record("note", ("x",))
    events = [observe((one,)) for one in pack_ids(5)]
    batches: list[list[Any]] = [events, [*events, note], [note, *events], [note]]
    for number, batch in enumerate(batches):
        with new_ledger(tmp_path / str(number), keys=KEYS) as ledger:
            ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "s", ("event", "note")))
            ledger.submit(Scanner(KEYS.station, ledger.ledger_id).make(batch))
        view = memory(tmp_path / str(number))
        index = next(i for i, h in view.raw_headers.items() if h[4] == EntryType.KEY_AUTHORISED and i > 1)
        narrow = record.authorise(view.leaf(0), KEYS.station, KEYS.root, "s", ("note",))
        view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + narrow.encode()
        assert agree(forge(view)).codes == ((Code.AUTHOR_SCOPE,) if len(batch) > 1 else ())


def test_entries_moved_over_statement_boundaries_are_judged_alike(plain: MemoryView) -> None:
    for a, b in ((11, 12), (12, 13), (23, 24), (3, 40)):
        view = copy(plain)
        one, other = events_of(view)[a], events_of(view)[min(b, len(events_of(view)) - 1)]
        for parts in (view.raw_headers, view.raw_contents, view.raw_rows):
            parts[one], parts[other] = parts[other], parts[one]
        assert not agree(forge(view), (2, 5))


# ---- rule sets -------------------------------------------------------------------------------------


def with_rules(view: MemoryView, rules: dict[int, int], **changes: Any) -> MemoryView:
    view = copy(view)
    for index, rule_set in rules.items():
        part = view.raw_rows[index]
        rows = [evolve(row, **changes) for row in decode_rows(part[SALT_SIZE:])[1]]
        view.raw_rows[index] = part[:SALT_SIZE] + encode_rows(rule_set, rows)
    return forge(view)


def test_an_unknown_rule_set_is_said_and_not_judged(plain: MemoryView) -> None:
    tail = [i for i in events_of(plain) if i >= events_of(plain)[20]]
    view = with_rules(plain, dict.fromkeys(tail, 77), state=9, violations=(7,), act=5)
    report = agree(view, (1, 2, 3, 13))
    assert report.codes == ()
    assert any(f"{len(tail)} entries follow rules" in note for note in report.notes)


def test_an_unknown_rule_set_does_not_excuse_links(plain: MemoryView) -> None:
    index = events_of(plain)[-1]
    view = with_rules(plain, {index: 77}, previous=events_of(plain)[0])
    assert agree(view, (1, 2, 3)).codes == (Code.ROW_LINK,)


@pytest.mark.parametrize("at", [3, 15, 27, 38])
def test_rules_do_not_go_back_wherever_the_log_is_cut(plain: MemoryView, at: int) -> None:
    index = events_of(plain)[at]
    report = agree(with_rules(plain, {index: 77}), (1, 2, 3, 5, 13))
    assert report.codes == (Code.ROWS_MALFORMED,)


# ---- tasks, ranges, processes ----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(tamper.TAMPERINGS))
def test_a_tampered_log_is_judged_alike_however_it_is_cut(sample: Path, tmp_path: Path, name: str) -> None:
    path = tamper.duplicate(sample, tmp_path / "ledger")
    one = tamper.TAMPERINGS[name]
    power = max(one.codes, key=lambda p: list(tamper.Power).index(p))
    one(path, power)
    log = tamper.read(path)

    def parts(given: Sequence[bytes | None]) -> dict[int, bytes]:
        return {i: part for i, part in enumerate(given) if part is not None}

    view = MemoryView(parts(log.headers), parts(log.contents), parts(log.rows), log.note, len(log), {})
    agree(view, (1, 3, 10))


def test_real_processes_say_the_same(sample: Path, tmp_path: Path) -> None:
    path = tamper.duplicate(sample, tmp_path / "ledger")
    assert verify_ledger(path, processes=2)
    tamper.TAMPERINGS["content_flipped"](path)
    one, two = verify_ledger(path), verify_ledger(path, processes=2)
    assert not one
    assert found(one) == found(two)
    with pytest.raises(InputError, match="one process"):
        verify_ledger(path, processes=2, since=memory(path).checkpoint)


def test_a_key_that_comes_in_later_does_not_count(tmp_path: Path) -> None:
    """A statement before the record that lets its author in: found, and in the same words, in each way."""
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "s"))
        ledger.submit(Scanner(KEYS.station, ledger.ledger_id).make([observe(pack_ids(2))]))
        ledger.append([ship(pack_ids(2))])
    view = memory(tmp_path / "ledger")
    at = next(i for i, h in sorted(view.raw_headers.items()) if i > 1 and h[4] == EntryType.KEY_AUTHORISED)
    for parts in (view.raw_headers, view.raw_contents, view.raw_rows):
        moved = [parts.pop(i, None) for i in (at, at + 1, at + 2)]
        for i, part in zip((at + 2, at, at + 1), moved, strict=True):
            if part is not None:
                parts[i] = part
    for index in range(at + 2, view.size):
        if (part := view.raw_rows.get(index)) is not None:
            rows = [
                evolve(r, previous=at + 1 if r.previous == at + 2 else r.previous) for r in decode_rows(part[32:])[1]
            ]
            view.raw_rows[index] = part[:32] + encode_rows(1, rows)
    assert agree(forge(view), (1, 2, 3)).codes == (Code.AUTHOR_UNKNOWN,)


def test_a_key_record_between_numbers_that_run_on_is_not_passed_over(tmp_path: Path) -> None:
    """Two numbers that come later leave just the room of a key record and a statement in the log."""
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "one"))
        scanner = Scanner(KEYS.station, ledger.ledger_id)
        one, three, two = (scanner.make([observe((unit,)) for unit in pack_ids(n)]) for n in (2, 2, 4))
        ledger.submit(one)
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.other_station, KEYS.root, "other"))
        ledger.submit(two)
        ledger.submit(three)
        ledger.submit(Scanner(KEYS.other_station, ledger.ledger_id).make([observe(pack_ids(3))]))
        ledger.append([ship(pack_ids(2))])
    view = memory(tmp_path / "ledger")
    assert agree(view, (1, 2, 3)).codes == ()
    index = next(
        i
        for i, part in sorted(view.raw_contents.items())
        if view.raw_headers[i][4] == EntryType.STATEMENT and KEYS.other_station.public_key.hash in part
    )
    view.raw_contents[index] = patch(view.raw_contents[index], len(view.raw_contents[index]) - 64, b"?")
    forge(view, {KEYS.author.public_key.hash: KEYS.author})
    assert agree(view, (1, 2, 3)).codes == (Code.STATEMENT_SIGNATURE,)


def test_a_node_over_several_ranges_is_checked(sample: Path) -> None:
    """A stored node whose entries were read in different ranges, by different processes."""

    class Stored(MemoryView):
        def node(self, height: int, index: int) -> bytes | None:
            return bytes(32) if (height, index) == (4, 1) else None

    view = memory(sample)
    view.__class__ = Stored
    for size in (1, 2, 3, 5):
        assert in_tasks(view, size).codes == (Code.TREE_NODE,)
        assert in_ranges(view, size).codes == (Code.TREE_NODE,)


def test_headers_of_any_length_are_findings(plain: MemoryView) -> None:
    for index in (0, 1, 2, 5, plain.size - 1):
        for header in (b"", b"T", plain.raw_headers[index][:5], plain.raw_headers[index] + b"\0"):
            view = copy(plain)
            view.raw_headers[index] = header
            assert not agree(view, (1, 2))
            assert not verify(view, since=plain.checkpoint)
            view.index = dict(plain.units())
            assert verify_unit(view, pack_ids(1)[0]).findings or index in {2, 5, plain.size - 1}
