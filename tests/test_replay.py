"""Replay: the state from nothing equals the live index; a MemoryView is the Snapshot that it copies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forging import KEYS, copy, logged, memory
from tracechain import custody, record
from tracechain.custody import Act, Custody, Violation
from tracechain.entry import SALT_SIZE, EntryType, decode_rows
from tracechain.errors import DataError, DecodeError
from tracechain.event import AggregationEvent, ErrorDeclaration, Event, ObjectEvent, TransformationEvent
from tracechain.ledger import Ledger
from tracechain.record import KeyAuthorised, Record, key_subject
from tracechain.replay import MemoryView, State, entry_acts, replay, step
from tracechain.testing import START, new_ledger, strategies
from tracechain.testing.samples import case_id, destroy, observe, pack_ids, ship
from tracechain.testing.scanner import sample_ledger
from tracechain.verification import verify
from tracechain.view import Unit, View, ViewNodes, ledger_id, unit_history

IDS = (
    *pack_ids(4),
    case_id(1),
    case_id(2),
    "01/09521234001072/10/LOT-A7",
    "urn:example:a",
    "nmpa/81234560000000000001",
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "ledger"
    sample_ledger(path, keys=KEYS, rounds=3)
    return path


# ---- MemoryView and Snapshot -----------------------------------------------------------------------


def ranges(size: int) -> list[tuple[int, int]]:
    ends = (0, 1, 2, size // 2, size - 1, size, size + 1, size + 50)
    return [(start, stop) for start in ends for stop in ends]


def test_a_memory_view_answers_as_the_snapshot_it_copies(path: Path) -> None:
    with Ledger.open(path) as ledger, ledger.snapshot() as snapshot:
        view = MemoryView.of(snapshot)
        assert isinstance(view, View)
        assert isinstance(snapshot, View)
        assert (view.size, view.checkpoint) == (snapshot.size, snapshot.checkpoint)
        for index in (*range(view.size + 2), 1 << 40, 1 << 63):
            assert view.header(index) == snapshot.header(index)
            assert view.content(index) == snapshot.content(index)
            assert view.rows(index) == snapshot.rows(index)
        for start, stop in ranges(view.size):
            assert list(view.headers(start, stop)) == list(snapshot.headers(start, stop))
            assert list(view.contents(start, stop)) == list(snapshot.contents(start, stop))
            assert list(view.all_rows(start, stop)) == list(snapshot.all_rows(start, stop))
            assert view.block(start, stop) == snapshot.block(start, stop)
        assert list(view.units()) == list(snapshot.units())
        for subject, unit in snapshot.units():
            assert view.unit(subject) == snapshot.unit(subject) == unit
            assert unit_history(view, subject) == unit_history(snapshot, subject)
        for subject in ("", "urn:example:nothing", "01/09521234001072/21/", "x" * 480):
            assert view.unit(subject) is None
            assert snapshot.unit(subject) is None
        assert ledger_id(view) == ledger_id(snapshot) == view.leaf(0) == ledger.ledger_id
        for index in range(view.size):
            assert ViewNodes(view).leaf(index) == ViewNodes(snapshot).leaf(index)
        assert snapshot.node(4, 0) is not None
        assert view.node(4, 0) is None
        assert verify(view, index=True).findings == verify(snapshot, index=True).findings == ()


def test_a_copy_of_a_copy_is_the_same(path: Path) -> None:
    one = memory(path)
    other = MemoryView.of(one)
    assert (one.raw_headers, one.raw_contents, one.raw_rows) == (other.raw_headers, other.raw_contents, other.raw_rows)
    assert (list(one.units()), one.checkpoint, one.size) == (list(other.units()), other.checkpoint, other.size)


def test_a_memory_view_without_an_index_folds_one(path: Path) -> None:
    view = memory(path)
    assert list(copy(view).units()) == list(view.units())
    assert copy(view).unit(IDS[0]) == view.unit(IDS[0])


def test_missing_parts_are_left_out(path: Path) -> None:
    view = memory(path)
    del view.raw_headers[3], view.raw_contents[4]
    assert [i for i, _ in view.headers(2, 6)] == [2, 4, 5]
    assert [i for i, _ in view.contents(2, 6)] == [2, 3, 5]
    headers, contents, _ = view.block(2, 6)
    assert [h is None for h in headers] == [False, True, False, False]
    assert [c is None for c in contents] == [False, False, True, False]
    assert view.header(3) is None
    with pytest.raises(DataError, match="entry 3: its header is missing"):
        ViewNodes(view).leaf(3)


# ---- replay ----------------------------------------------------------------------------------------


def test_the_state_from_nothing_is_the_live_index(path: Path) -> None:
    with Ledger.open(path) as ledger, ledger.snapshot() as snapshot:
        state = replay(snapshot)
        assert state.size == snapshot.size
        assert state.units == dict(snapshot.units())
        in_rows = [
            (index, row.subject, row.violations)
            for index, part in snapshot.all_rows(0, snapshot.size)
            for row in decode_rows(part[SALT_SIZE:])[1]
            if row.violations
        ]
        assert state.violations == in_rows != []


def any_event() -> st.SearchStrategy[Event]:
    """Events that meet each other: of few ids, of all kinds of acts."""
    some = st.lists(st.sampled_from(IDS), min_size=1, max_size=4)
    common: dict[str, Any] = {"event_time": st.just(START * 1_000_000), "time_zone_offset": st.just(480)}
    wrong = st.none() | st.just(ErrorDeclaration(declaration_time=START * 1_000_000))
    plain = st.builds(
        ObjectEvent,
        **common,
        epcs=some,
        action=st.sampled_from(("ADD", "OBSERVE", "DELETE")),
        error_declaration=wrong,
        biz_step=st.sampled_from((None, "shipping", "destroying")),
    )
    packing = st.builds(
        AggregationEvent,
        **common,
        epcs=some,
        parent=st.sampled_from(IDS),
        action=st.sampled_from(("ADD", "DELETE")),
        error_declaration=wrong,
    )
    relabelling = st.builds(TransformationEvent, **common, epcs=some, output_epcs=some, error_declaration=wrong)
    return plain | plain | packing | relabelling


def contents() -> st.SearchStrategy[Event | Record]:
    notes = st.builds(Record, st.just("note"), strategies.plain_values(), st.none() | st.sampled_from(IDS))
    return any_event() | any_event() | notes


@settings(max_examples=30)
@given(st.lists(st.lists(contents(), min_size=1, max_size=8), max_size=5), st.booleans())
def test_replay_equals_the_index_over_any_history(
    tmp_path_factory: pytest.TempPathFactory, batches: Sequence[Sequence[Event | Record]], again: bool
) -> None:
    path = tmp_path_factory.mktemp("history") / "ledger"
    with new_ledger(path, keys=KEYS) as ledger:
        violated = [
            (violation.index, violation.subject) for batch in batches for violation in ledger.append(batch).violations
        ]
        if again:
            ledger.reindex()
        with ledger.snapshot() as snapshot:
            state = replay(snapshot)
            assert state.units == dict(snapshot.units())
            assert [(index, subject) for index, subject, codes in state.violations for _ in codes] == violated
            report = verify(snapshot, index=True)
            assert report, report.findings
            for stop in range(snapshot.size + 1):
                part = replay(snapshot, stop=stop)
                assert part.size == stop
                assert all(unit.last < stop for unit in part.units.values())
            for subject, unit in snapshot.units():
                history = unit_history(snapshot, subject)
                assert history[-1] == unit.last
                assert [replay(snapshot, stop=i + 1).units[subject].last for i in history] == history


@settings(max_examples=30)
@given(st.lists(strategies.events(), min_size=1, max_size=6))
def test_events_with_any_field_are_replayed_as_they_were_taken(
    tmp_path_factory: pytest.TempPathFactory, events: Sequence[Event]
) -> None:
    path = tmp_path_factory.mktemp("events") / "ledger"
    with new_ledger(path, keys=KEYS) as ledger:
        ledger.append(events)
        with ledger.snapshot() as snapshot:
            assert replay(snapshot).units == dict(snapshot.units())
            report = verify(snapshot, index=True)
            assert report, report.findings


def test_a_log_with_a_part_missing_cannot_be_replayed(path: Path) -> None:
    for index in (0, 7):
        view = memory(path)
        del view.raw_headers[index]
        with pytest.raises(DataError, match=f"entry {index}: its header is missing or cut"):
            replay(view)
    for index, header in memory(path).raw_headers.items():
        if header[4] != EntryType.EVENT:
            view = memory(path)
            del view.raw_contents[index]
            with pytest.raises(DataError, match=f"entry {index}: its content is missing"):
                replay(view)
    for header in (b"", b"TCH0"):
        view = memory(path)
        view.raw_headers[5] = header
        with pytest.raises(DataError, match="entry 5"):
            replay(view)
    view = memory(path)
    for index in (view.size - 1, view.size - 2):
        del view.raw_headers[index], view.raw_contents[index]
    with pytest.raises(DataError, match="header is missing"):
        replay(view)
    with pytest.raises(DataError):
        list(copy(view).units())


def test_replay_shows_its_progress(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    view = memory(path)
    replay(view, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (view.size, view.size)


# ---- one step --------------------------------------------------------------------------------------


def test_a_step_takes_all_subjects_of_an_entry() -> None:
    from tracechain.encoding import encode

    header = bytes(4) + bytes([EntryType.EVENT]) + bytes(123)
    state = State()
    step(state, header, encode(observe(IDS[:2])))
    step(state, header, encode(destroy(IDS[:1])))
    step(state, header, encode(ship(IDS[:2])))
    assert state.units == {IDS[0]: Unit(2, Custody.DEAD), IDS[1]: Unit(2, Custody.ACTIVE)}
    assert state.violations == [(2, IDS[0], (Violation.DEAD_PACK,))]
    assert state.size == 3


def test_acts_of_the_ledgers_own_entries() -> None:
    authorised = record.authorise(bytes(32), KEYS.station, KEYS.root, "s")
    revoked = record.revoke(bytes(32), KEYS.station.public_key.hash, KEYS.root, "lost")
    subject = key_subject(KEYS.station.public_key.hash)
    assert entry_acts(EntryType.KEY_AUTHORISED, authorised.encode()) == ((subject, Act.SEE),)
    assert entry_acts(EntryType.KEY_REVOKED, revoked.encode()) == ((subject, Act.END),)
    assert entry_acts(EntryType.RECORD, record.encode_record(Record("note", 1))) == ()
    assert entry_acts(EntryType.RECORD, record.encode_record(Record("note", 1, "x"))) == (("x", Act.NOTE),)
    for kind in (EntryType.GENESIS, EntryType.STATEMENT, EntryType.CLOCK, EntryType.EPOCH, EntryType.EVIDENCE):
        assert entry_acts(kind, b"anything") == ()
    for kind in (EntryType.EVENT, EntryType.RECORD, EntryType.KEY_AUTHORISED, EntryType.KEY_REVOKED):
        with pytest.raises(DecodeError):
            entry_acts(kind, b"\xc0")
    assert KeyAuthorised.decode(authorised.encode()) == authorised
    assert custody.PLAIN == 1


def test_histories_that_do_not_lead_back_are_errors(tmp_path: Path) -> None:
    from tracechain.entry import Row, encode_rows

    view = logged(tmp_path, [observe(IDS[:1])], [ship(IDS[:1])])
    last = view.size - 1
    salt = view.raw_rows[last][:SALT_SIZE]
    for previous, words in ((last, "points forward"), (last + 5, "points forward"), (0, "rows of entry 0 are missing")):
        view.raw_rows[last] = salt + encode_rows(1, [Row(IDS[0], 0, previous, 1)])
        with pytest.raises(DataError, match=words):
            unit_history(view, IDS[0])
    view.raw_rows[last] = salt + encode_rows(1, [Row(IDS[1], 0, None, 1)])
    with pytest.raises(DataError, match="has no row of it"):
        unit_history(view, IDS[0])
