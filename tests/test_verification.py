"""The rules over a whole log: what was added since, authors' numbers, keys, clocks, epochs, limits of a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from forging import KEYS, agree, changed, copy, events_of, forge, found, index_of, logged, memory, patch, verify_module
from tracechain import merkle, record
from tracechain.checkpoint import Checkpoint, NoteSigner, VerifierKey, sign_checkpoint
from tracechain.entry import (
    SALT_SIZE,
    EntryType,
    decode_rows,
    encode_rows,
    format_header,
    parse_header,
    row_hashes,
    row_root,
)
from tracechain.errors import InputError, VerificationError
from tracechain.ledger import Ledger
from tracechain.record import EpochRecord, Genesis, Record, encode_record
from tracechain.replay import MemoryView
from tracechain.statement import decode_statement
from tracechain.testing import ORIGIN, START, Clock, Keys, Random, new_ledger, tamper
from tracechain.testing.samples import destroy, observe, pack_ids, receive, ship
from tracechain.testing.scanner import Scanner, sample_ledger
from tracechain.verification import Code, Report, verify

VERIFIER = VerifierKey(ORIGIN, 1, KEYS.log.public_key)
IDS = pack_ids(6)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    path = tmp_path_factory.mktemp("plain")
    return logged(path, *([event((one,)) for one in IDS] for event in (observe, ship, receive)))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    path = tmp_path_factory.mktemp("sample") / "ledger"
    sample_ledger(path, keys=KEYS)
    return memory(path)


# ---- since -----------------------------------------------------------------------------------------


def note_of(view: MemoryView, size: int, origin: str = ORIGIN, key: Any = KEYS.log) -> str:
    """The note that was signed when a log had `size` entries."""
    root = merkle.root([merkle.leaf_hash(view.raw_headers[i]) for i in range(size)])
    return sign_checkpoint(Checkpoint(origin, size, root), [NoteSigner(ORIGIN, key)])


def boundaries(view: MemoryView) -> list[int]:
    """The sizes that a checkpoint can have had."""
    covered = (EntryType.EVENT, EntryType.RECORD)
    return [*[i for i in range(view.size) if view.raw_headers[i][4] not in covered][1:], view.size]


@pytest.mark.parametrize("verifier", [None, VERIFIER])
def test_since_any_checkpoint_a_clean_log_is_clean(everything: MemoryView, verifier: VerifierKey | None) -> None:
    whole = verify(everything, index=True)
    for size in boundaries(everything):
        report = verify(everything, since=note_of(everything, size), verifier=verifier, index=True)
        assert report, report.findings
        assert (report.entries, report.units, report.size) == (everything.size - size, whole.units, whole.size)
        assert any("not verified again" in note for note in report.notes)


def test_since_the_last_checkpoint_nothing_is_new(everything: MemoryView) -> None:
    report = verify(everything, since=everything.checkpoint)
    assert report
    assert (report.entries, report.rows, report.statements) == (0, 0, 0)


def test_what_is_new_is_verified(everything: MemoryView) -> None:
    size = boundaries(everything)[5]
    for index in range(size, everything.size):
        for parts in ("raw_headers", "raw_contents", "raw_rows"):
            view = copy(everything)
            getattr(view, parts).pop(index, None)
            if len(getattr(view, parts)) == len(getattr(everything, parts)):
                continue
            report = verify(view, since=note_of(everything, size))
            assert not report, (parts, index)
            assert found(report) <= found(verify(view)) or parts == "raw_contents"


def test_headers_of_before_have_to_be_the_signed_ones(plain: MemoryView) -> None:
    size = boundaries(plain)[2]
    for index in range(size):
        view = copy(plain)
        view.raw_headers[index] = patch(view.raw_headers[index], 16, b"\0\7")
        assert Code.FORK in verify(view, since=note_of(plain, size)).codes
        del view.raw_headers[index]
        assert Code.FORK in verify(view, since=note_of(plain, size)).codes


def test_a_past_that_was_altered_is_no_ground_for_what_is_new(tmp_path: Path) -> None:
    """The stored rows of before say that a pack is not gone; then it may live on. Their header commits to others."""
    one = IDS[:1]
    view = logged(tmp_path, [observe(one)], [destroy(one)], [observe(one)])
    size = index_of(view, EntryType.STATEMENT, -1)
    note = note_of(view, size)
    for index, state in ((size - 1, 1), (view.size - 1, 1)):
        part = view.raw_rows[index]
        rows = [evolve(row, state=state, violations=()) for row in decode_rows(part[SALT_SIZE:])[1]]
        view.raw_rows[index] = part[:SALT_SIZE] + encode_rows(1, rows)
    old = dict(view.raw_headers)
    forge(view)
    for index in range(size):
        view.raw_headers[index] = old[index]
    last = view.size - 1
    leaf = merkle.leaf_hash(view.raw_headers[size - 1])
    part = view.raw_rows[last]
    root = row_root(row_hashes(part[:SALT_SIZE], 1, decode_rows(part[SALT_SIZE:])[1], [leaf]))
    view.raw_headers[last] = format_header(evolve(parse_header(view.raw_headers[last]), row_root=root))
    view.checkpoint = note_of(view, view.size)
    assert verify(view, since=note).codes == (Code.ROW_ROOT,)


@given(st.data())
def test_any_byte_of_what_new_entries_rest_on_is_found(everything: MemoryView, data: st.DataObject) -> None:
    """All of before is read again but the events' contents."""
    size = data.draw(st.sampled_from(boundaries(everything)[3:]))
    name = data.draw(st.sampled_from(("raw_headers", "raw_rows", "raw_contents")))
    usable = [
        i
        for i in getattr(everything, name)
        if name != "raw_contents" or everything.raw_headers[i][4] != EntryType.EVENT
    ]
    index = data.draw(st.sampled_from(usable))
    view = copy(everything)
    part = getattr(view, name)[index]
    at = data.draw(st.integers(0, len(part) - 1))
    getattr(view, name)[index] = patch(part, at, bytes([part[at] ^ data.draw(st.integers(1, 255))]))
    assert not verify(view, since=note_of(everything, size))


def test_a_log_behind_the_older_checkpoint_was_rolled_back(plain: MemoryView) -> None:
    size = boundaries(plain)[1]
    older = MemoryView(plain.raw_headers, plain.raw_contents, plain.raw_rows, note_of(plain, size), size)
    assert verify(older, since=plain.checkpoint).codes[0] == Code.ROLLBACK


def test_a_log_that_went_another_way_is_a_fork(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = logged(tmp_path / "one", [observe(IDS)], [ship(IDS)])
    two = logged(tmp_path / "two", [observe(IDS)], [receive(IDS)])
    assert verify(two, since=one.checkpoint).codes == (Code.FORK,)


def test_an_older_checkpoint_has_to_be_of_this_log(plain: MemoryView) -> None:
    for note, words in (
        (note_of(plain, 3, key=KEYS.stranger), "cannot be used"),
        (note_of(plain, 3, origin="other.example/log"), "is of 'other.example/log'"),
        ("", "cannot be used"),
        ("garbage", "cannot be used"),
        (plain.checkpoint + "x", "cannot be used"),
    ):
        for verifier in (None, VERIFIER):
            with pytest.raises(InputError, match=words):
                verify(plain, since=note, verifier=verifier)


# ---- authors' numbers ------------------------------------------------------------------------------


def with_numbers(path: Path, *spans: tuple[int, int], settle: tuple[tuple[int, int], ...] = ()) -> Report:
    """Verify a log in which a station's statements cover these spans of numbers, in this order."""
    with new_ledger(path / "ledger", keys=KEYS) as ledger:
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "station"))
        made = Scanner(KEYS.station, ledger.ledger_id)
        data, hashes = {}, {0: bytes(32)}
        for start, stop in sorted(spans):
            made.first, made.previous = start, hashes.get(start, b"?" * 32)
            data[start, stop] = made.make([observe(IDS[:1])] * (stop - start))
            hashes[stop] = made.previous
        for span in spans:
            ledger.submit(data[span])
        for start, stop in settle:
            ledger.settle_gap(KEYS.station.public_key.hash, start, stop, "lost", KEYS.root)
    return agree(memory(path / "ledger"))


@pytest.mark.parametrize(
    ("spans", "settle", "gaps"),
    [
        ([(0, 2), (2, 3)], (), 0),
        ([(2, 3), (0, 2)], (), 0),
        ([(0, 2), (5, 6)], (), 1),
        ([(5, 6)], (), 1),
        ([(1, 2), (5, 6)], (), 2),
        ([(0, 2), (5, 6)], ((2, 5),), 0),
        ([(0, 2), (5, 6)], ((0, 9),), 0),
        ([(0, 2), (5, 6)], ((2, 4),), 1),
        ([(0, 2), (5, 6)], ((3, 5),), 1),
        ([(0, 2), (5, 6)], ((4, 5), (2, 3), (3, 4)), 0),
        ([(0, 2), (5, 6)], ((2, 3), (4, 5)), 1),
        ([(0, 2), (5, 6), (8, 9)], ((2, 5),), 1),
        ([(0, 2), (5, 6), (2, 5)], ((2, 5),), 0),
        ([(0, 2), (3, 4)], (), 1),
    ],
)
def test_missing_numbers_are_gaps_until_settled(
    tmp_path: Path, spans: list[tuple[int, int]], settle: tuple[tuple[int, int], ...], gaps: int
) -> None:
    report = with_numbers(tmp_path, *spans, settle=settle)
    assert [f.code for f in report.findings] == [Code.AUTHOR_GAP] * gaps
    assert sum("given up" in note for note in report.notes) == len(settle)


def test_a_settlement_of_one_author_settles_nothing_of_another(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        for key in (KEYS.station, KEYS.other_station):
            ledger.authorise(record.authorise(ledger.ledger_id, key, KEYS.root, "station"))
            ledger.submit(Scanner(key, ledger.ledger_id, first=4, previous=b"?" * 32).make([observe(IDS[:1])]))
        ledger.settle_gap(KEYS.station.public_key.hash, 0, 4, "lost", KEYS.root)
    view = memory(tmp_path / "ledger")
    report = agree(view)
    assert report.codes == (Code.AUTHOR_GAP,)
    assert KEYS.other_station.public_key.hash.hex()[:16] in report.findings[0].detail
    # Settled before the older checkpoint is settled after it.
    assert found(verify(view, since=view.checkpoint)) == found(report)


@pytest.mark.parametrize(
    "settlement",
    [
        lambda i: record.settle(i, KEYS.stranger, "gap", (KEYS.station.public_key.hash, 0, 4, "lost")),
        lambda i: record.settle(bytes(32), KEYS.root, "gap", (KEYS.station.public_key.hash, 0, 4, "lost")),
        lambda i: Record("gap-settled", (KEYS.station.public_key.hash, 0, 4, "lost", bytes(32), bytes(64))),
        lambda i: Record("gap-settled", None),
        lambda i: Record("epoch-settled", (1, "x")),
        lambda i: record.settle(i, KEYS.root, "epoch", (1, i, "no epoch began")),
        lambda i: record.settle(i, KEYS.root, "epoch", (0, i, "nothing was lost")),
    ],
)
def test_a_settlement_that_does_not_stand_is_found(tmp_path: Path, settlement: Callable[[bytes], Record]) -> None:
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger_id = ledger.ledger_id
        ledger.append([Record("note", ("x" * 300,))])
    view = memory(tmp_path / "ledger")
    index = index_of(view, EntryType.RECORD)
    view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + encode_record(settlement(ledger_id))
    assert agree(forge(view)).codes == (Code.SETTLEMENT,)


def test_a_kind_that_only_sounds_like_a_settlement_is_kept_as_it_is(tmp_path: Path) -> None:
    assert agree(logged(tmp_path, [Record("hold-settled", (1, 2)), Record("x-epoch-settled")])).codes == ()


def test_an_uncovered_entry_repeats_one_before_not_one_after(plain: MemoryView) -> None:
    """An entry of the last batch, put before all that its author stated, is foreign; behind it, it is a repetition."""
    first, last = events_of(plain)[0], events_of(plain)[-1]
    view = copy(plain)
    statement = index_of(view, EntryType.STATEMENT)
    for parts in (view.raw_headers, view.raw_contents, view.raw_rows):
        parts[statement] = parts[last]
    assert Code.EVENT_UNCOVERED in agree(forge(view)).codes
    view = copy(plain)
    view.size += 1
    for parts in (view.raw_headers, view.raw_contents, view.raw_rows):
        parts[last + 1] = parts[first]
    assert Code.ENTRY_DUPLICATED in agree(forge(view)).codes


def test_one_entry_repeated_within_a_large_batch_takes_no_time_for_each_that_follows(tmp_path: Path) -> None:
    """Every number after it is one too low; none of them may be sought among all entries before."""
    view = logged(tmp_path, [observe((one,)) for one in pack_ids(300)])
    events = events_of(view)
    for parts in (view.raw_headers, view.raw_contents, view.raw_rows):
        moved = [parts[i] for i in events]
        for i, part in zip(events[10:], moved[9:], strict=False):
            parts[i] = part
    reads = 0
    original = MemoryView.header

    def header(self: MemoryView, index: int) -> bytes | None:
        nonlocal reads
        reads += 1
        return original(self, index)

    with changed(MemoryView, header=header):
        report = verify(forge(view))
    assert {Code.ENTRY_DUPLICATED, Code.ENTRY_ORDER} <= set(report.codes)
    assert reads < 10 * view.size


# ---- keys, by position -----------------------------------------------------------------------------


def test_a_revocation_counts_from_its_position_on(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        station = KEYS.station.public_key.hash
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "station"))
        scanner = Scanner(KEYS.station, ledger.ledger_id)
        ledger.submit(scanner.make([observe(IDS[:1])], at=START + 10**9))
        ledger.revoke(record.revoke(ledger.ledger_id, station, KEYS.root, "lost"))
        ledger.append([ship(IDS[:1])])
    view = memory(tmp_path / "ledger")
    assert agree(view).codes == ()
    at = index_of(view, EntryType.KEY_REVOKED)
    for parts in (view.raw_headers, view.raw_contents, view.raw_rows):
        three = [parts.pop(i, None) for i in (at - 2, at - 1, at)]
        for i, part in zip((at - 1, at, at - 2), three, strict=True):
            if part is not None:
                parts[i] = part
    part = view.raw_rows[at + 2]
    rows = [evolve(row, previous=at) for row in decode_rows(part[SALT_SIZE:])[1]]
    view.raw_rows[at + 2] = part[:SALT_SIZE] + encode_rows(1, rows)
    assert agree(forge(view), (1, 2, 3)).codes == (Code.AUTHOR_REVOKED,)


def test_a_genesis_that_nobody_can_use_is_a_finding(plain: MemoryView) -> None:
    genesis = Genesis.decode(plain.raw_contents[0][SALT_SIZE:])
    for content in (
        evolve(genesis, origin="").encode(),
        evolve(genesis, origin="a b").encode(),
        evolve(genesis, origin="a+b").encode(),
        evolve(genesis, origin="a/epoch/1").encode(),
        evolve(genesis, origin="cosignature/v1").encode(),
        evolve(genesis, roots=()).encode(),
        evolve(genesis, roots=genesis.roots * 2).encode(),
        genesis.encode().replace(genesis.log_key.raw, bytes(32)),
        b"",
        b"\xc0",
    ):
        view = copy(plain)
        view.raw_contents[0] = view.raw_contents[0][:SALT_SIZE] + content
        for report in (agree(view), agree(forge(view)), verify(view, verifier=VERIFIER)):
            assert Code.GENESIS in report.codes


# ---- the clock -------------------------------------------------------------------------------------


def clocked(path: Path, *moves: int, jump_limit: int = 1000) -> MemoryView:
    clock = Clock()
    with new_ledger(path / "ledger", keys=KEYS, clock=clock, jump_limit=jump_limit) as ledger:
        for move in moves:
            clock.advance(move)
            if move > jump_limit:
                ledger.accept_clock("it was off")
            ledger.append([observe((one,)) for one in IDS[:2]])
    return memory(path / "ledger")


def test_a_clock_within_its_limit_is_clean(tmp_path: Path) -> None:
    assert agree(clocked(tmp_path, 0, 1, 1000, -500, 0, 1, 5000, -1, 2)).codes == ()


def retimed(view: MemoryView, batch: int, change: int, flags: int = 0) -> MemoryView:
    """A forged copy in which a batch, with its statement, has another receipt time."""
    view = copy(view)
    start = index_of(view, EntryType.STATEMENT, batch)
    for index in range(start, start + 3):
        header = parse_header(view.raw_headers[index])
        view.raw_headers[index] = format_header(evolve(header, time=header.time + change, flags=flags))
    return forge(view)


@pytest.mark.parametrize(
    ("change", "flags", "codes"),
    [
        (-10, 0, {Code.TIME_DECREASED}),
        (900, 0, set()),
        (901, 0, {Code.TIME_JUMP}),
        (-9, 0, set()),
        (0, 1, {Code.TIME_FLAG}),
        (-9, 1, set()),
    ],
)
def test_receipt_times_are_held_against_the_entry_before(
    tmp_path: Path, change: int, flags: int, codes: set[Code]
) -> None:
    """The last batch came 100 ms after the one before, whose time was 9 ms after it began."""
    view = clocked(tmp_path, 0, 9, 100)
    if change == -9:
        change = -100
    elif change == -10:
        change = -101
    assert set(agree(retimed(view, -1, change, flags), (1, 2, 3)).codes) == codes


def test_a_time_that_decreased_once_is_one_finding(tmp_path: Path) -> None:
    view = clocked(tmp_path, 0, 500, 100, 100, 100)
    report = agree(retimed(view, 1, 500), (1, 2, 3, 5))
    assert [f.code for f in report.findings] == [Code.TIME_DECREASED]


# ---- epochs ----------------------------------------------------------------------------------------


@pytest.fixture
def restored(tmp_path: Path) -> tuple[MemoryView, list[str]]:
    """A log that lost its end and went on as epoch 1, and all notes that were ever signed, of the lost ones also."""
    path = tmp_path / "ledger"
    notes = []
    with new_ledger(path, keys=KEYS) as ledger:
        for number in range(6):
            ledger.append([observe((one,)) for one in IDS[:2]])
            notes.append(ledger.checkpoint())
            if number == 2:
                ledger.backup(tmp_path / "backup")
    tamper.put_back(path, tmp_path / "backup")
    with Ledger.restore(
        path, signer=KEYS.log, author=KEYS.author, reason="disk", clock=Clock(), random=Random(5)
    ) as ledger:
        notes.append(ledger.checkpoint())
        for _ in range(4):
            ledger.append([ship((one,)) for one in IDS[:2]])
            notes.append(ledger.checkpoint())
    return memory(path), notes


def test_an_epoch_is_a_finding_until_it_is_settled(restored: tuple[MemoryView, list[str]], tmp_path: Path) -> None:
    view, _ = restored
    assert agree(view).codes == (Code.EPOCH_LOST,)
    with Ledger.open(tmp_path / "ledger", signer=KEYS.log, author=KEYS.author, clock=Clock()) as ledger:
        ledger.settle_epoch(1, "submitted again", KEYS.root)
    settled = memory(tmp_path / "ledger")
    for report in (agree(settled), verify(settled, since=settled.checkpoint), verify(settled, since=view.checkpoint)):
        assert report.codes == ()
        assert any("the loss of epoch 1 is settled" in note for note in report.notes)


def test_checkpoints_of_the_lost_range_are_no_fork(restored: tuple[MemoryView, list[str]]) -> None:
    """Before the loss, in the lost range, after it (format.md section 5.5)."""
    view, notes = restored
    for number, note in enumerate(notes):
        report = verify(view, since=note)
        assert report.codes == (Code.EPOCH_LOST,), number
        assert any("were lost" in said for said in report.notes) is (3 <= number <= 5)
        assert report.entries == (view.size if 3 <= number <= 5 else view.size - int(note.split("\n")[1]))


def test_a_checkpoint_beyond_the_lost_range_is_a_fork(restored: tuple[MemoryView, list[str]]) -> None:
    view, _ = restored
    begun = EpochRecord.decode(view.raw_contents[index_of(view, EntryType.EPOCH)][SALT_SIZE:])
    for size in (begun.lost_end + 1, view.size, view.size + 1):
        note = sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), [NoteSigner(ORIGIN, KEYS.log)])
        assert verify(view, since=note).codes[0] in {Code.FORK, Code.ROLLBACK}


@pytest.mark.parametrize(
    "changes",
    [
        {"root": bytes(32)},
        {"size": 3},
        {"epoch": 2},
        {"epoch": 0},
        {"lost_end": 10_000},
        {"lost_end": 0},
        {"note": b"garbage"},
        {"note": b""},
        {"note": sign_checkpoint(Checkpoint("a/log", 17, bytes(32)), [NoteSigner(ORIGIN, KEYS.log)]).encode()},
        {"note": sign_checkpoint(Checkpoint(ORIGIN, 17, bytes(32)), [NoteSigner(ORIGIN, KEYS.stranger)]).encode()},
    ],
)
def test_an_epoch_record_has_to_be_true(restored: tuple[MemoryView, list[str]], changes: dict[str, Any]) -> None:
    view, _ = restored
    index = index_of(view, EntryType.EPOCH)
    begun = EpochRecord.decode(view.raw_contents[index][SALT_SIZE:])
    if b"17\n" in changes.get("note", b""):
        changes = changes | {"lost_end": 17}
    content = evolve(begun, **changes).encode()
    view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + content
    assert Code.EPOCH_RECORD in agree(forge(view)).codes


# ---- what was not checked --------------------------------------------------------------------------


def test_a_report_says_what_was_not_checked(plain: MemoryView) -> None:
    for verifier in (None, VERIFIER):
        report = verify(plain, verifier=verifier)
        assert report
        assert any(note.startswith("UNWITNESSED") for note in report.notes)
        assert any("no verifier key" in note for note in report.notes) is (verifier is None)


def test_another_key_than_the_logs_is_found(plain: MemoryView) -> None:
    for name, key in ((ORIGIN, KEYS.stranger), ("other.example/log", KEYS.log)):
        report = verify(plain, verifier=VerifierKey(name, 1, key.public_key))
        assert {Code.GENESIS, Code.CHECKPOINT_SIGNATURE} <= set(report.codes)


def test_entries_past_the_end_are_found(plain: MemoryView) -> None:
    view = copy(plain)
    view.raw_headers[view.size] = view.raw_headers[view.size - 1]
    assert agree(view).codes == (Code.TAIL_SURPLUS,)


def test_every_statement_that_was_counted_can_be_read(everything: MemoryView) -> None:
    report = verify(everything)
    kinds = [h[4] for h in everything.raw_headers.values()]
    assert report.statements == kinds.count(EntryType.STATEMENT)
    counts = [
        decode_statement(everything.raw_contents[i][SALT_SIZE:]).count
        for i, kind in enumerate(kinds)
        if kind == EntryType.STATEMENT
    ]
    assert sum(counts) == kinds.count(EntryType.EVENT) + kinds.count(EntryType.RECORD)
    assert Keys().log.public_key == report.verifier.key  # type: ignore[union-attr] # there is one, from the genesis


# ---- limits of a report ----------------------------------------------------------------------------


def test_findings_beyond_the_limit_are_counted(plain: MemoryView) -> None:
    view = copy(plain)
    view.raw_contents.clear()
    everything = verify(view, most=10_000)
    few = verify(view, most=3)
    assert few.findings == everything.findings[:3]
    assert few.beyond == len(everything.findings) - 3
    with pytest.raises(VerificationError, match=f"and {len(everything.findings) - 1} more findings"):
        few.raise_for_findings()


def test_a_report_without_room_for_findings_is_false_all_the_same(plain: MemoryView) -> None:
    view = copy(plain)
    del view.raw_contents[events_of(view)[0]]
    report = verify(view, most=0)
    assert report.findings == ()
    assert not report
    with pytest.raises(VerificationError, match="findings"):
        report.raise_for_findings()
    assert verify(plain, most=0)
    verify(plain, most=0).raise_for_findings()


def test_progress_ends_at_the_end(plain: MemoryView) -> None:
    seen: list[tuple[int, int]] = []
    with changed(verify_module, _TASK=7):
        verify(plain, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (plain.size, plain.size)
    assert seen == sorted(seen)
