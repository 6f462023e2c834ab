"""What is left of a pruned ledger verifies, in every way through it; and what is gone is judged by what is left."""

from __future__ import annotations

import contextlib
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from flips import VERIFIER, flip_all
from forging import agree, changed, copy, events_of, forge, found, memory, patch
from tracechain.checkpoint import NoteSigner, add_signature, cosign, format_vkey
from tracechain.entry import SALT_SIZE, EntryType, decode_rows, encode_rows, format_header, parse_header
from tracechain.ledger import Ledger, verify_ledger
from tracechain.replay import MemoryView
from tracechain.retention.bounds import After, Anchor, Permanent
from tracechain.retention.dates import MS_PER_DAY, Term
from tracechain.retention.keeping import NO_PACK
from tracechain.retention.policy import Policy, Regime, Rule, Selector
from tracechain.retention.ranges import indices
from tracechain.retention.records import CONTENT, ROWS
from tracechain.retention.waiting import waited_ms
from tracechain.testing import Clock, Keys, new_ledger
from tracechain.testing.samples import commission, observe, pack_ids, ship
from tracechain.testing.tamper import duplicate, edit, read, resign
from tracechain.testing.tamper.by_hand import CLASS, WAIT_DAYS, ByHand, Sample, hold, policy, pruned_ledger
from tracechain.verification import Code, Report, verify, verify_unit
from tracechain.verification.lost import Lost, LostKind, codes_of, sum_of_codes
from tracechain.verification.pruned import Waits
from tracechain.verification.range import RangeCheck

#: What `forge` makes fit again where rows are there.
FORGED = {"row_count", "first_rows"}
PARTS = ("raw_headers", "raw_contents", "raw_rows")
LATER = 1_832_947_200_000


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pruned") / "ledger"
    pruned_ledger(path)
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Batches that are long enough for the quick ways: half of it lost its contents, a part of that its rows."""
    path = tmp_path_factory.mktemp("large") / "ledger"
    clock, ids = Clock(), pack_ids(24)
    with new_ledger(path, clock=clock) as ledger:
        ledger.append([policy().record()])
        for day in range(6):
            clock.advance(MS_PER_DAY)
            one_by_one = [(observe if day else commission)((one,)) for one in ids]
            ledger.append([*one_by_one[:20], ship(ids[20:]), *one_by_one[20:]] if day else one_by_one, record_class=1)
        clock.set(LATER)
        ledger.accept_clock("closed")
        ledger.append([observe((one,)) for one in ids[::3]], record_class=CLASS)
    with edit(path) as log:
        hand = ByHand(log)
        events = [i for i in range(len(log)) if log.header(i).type == EntryType.EVENT]
        hand.prune("contents", events[:100])
        hand.prune("rows", (), events[:24])
        hand.prune("more", (), events[24:60])
    resign(path, Keys().log)
    return path


@pytest.fixture(scope="module")
def sample(original: Path) -> Sample:
    return Sample.of(read(original))


@pytest.fixture(scope="module")
def view(original: Path) -> MemoryView:
    return memory(original)


@pytest.fixture(scope="module")
def large_view(large: Path) -> MemoryView:
    return memory(large)


@pytest.fixture
def victim(original: Path, tmp_path: Path) -> Path:
    return duplicate(original, tmp_path / "ledger")


def verified(path: Path, **options: Any) -> Report:
    return verify_ledger(path, verifier=VERIFIER, **options)


@contextlib.contextmanager
def hand(path: Path) -> Iterator[ByHand]:
    """Add to a closed ledger by hand, and sign it."""
    with edit(path) as log:
        yield ByHand(log)
    resign(path, Keys().log)


def carefully(view: MemoryView) -> Report:
    """Verify with no quick way at all."""
    slow = {"_remember_shape": lambda *_: None, "_faded": lambda *_: 0, "_stated_acts": lambda *_: None}
    with changed(RangeCheck, **slow):
        return verify(view)


def all_ways(view: MemoryView, ranges: tuple[int, ...] = (3,)) -> Report:
    report = agree(view, ranges)
    assert found(report) == found(carefully(view))
    return report


# ---- every way -------------------------------------------------------------------------------------


def test_every_way_through_a_pruned_ledger_comes_to_the_same(view: MemoryView, large_view: MemoryView) -> None:
    for one in (view, large_view):
        report = all_ways(one, (1, 2, 5, 40))
        assert report.findings == ()
    assert (report.pruned_contents, report.pruned_rows) == (100, 60)


def test_the_quick_ways_are_taken(large_view: MemoryView) -> None:
    calls: dict[str, int] = {}

    def counting(name: str) -> Any:
        inner = getattr(RangeCheck, name)

        def outer(self: RangeCheck, *arguments: Any) -> Any:
            done = inner(self, *arguments)
            calls[name] = calls.get(name, 0) + (done if type(done) is int else done is not None)
            return done

        return outer

    with changed(RangeCheck, **{name: counting(name) for name in ("_bare", "_known", "_rowed", "_stated_acts")}):
        assert verify(large_view)
    assert calls["_bare"] > 40
    assert calls["_rowed"] >= 1  # the first one of a subject whose older rows are gone
    assert calls["_known"] > 5
    assert calls["_stated_acts"] > 1


@settings(max_examples=60)
@given(data=st.data())
def test_any_byte_of_what_is_left_is_judged_alike(
    view: MemoryView, large_view: MemoryView, data: st.DataObject
) -> None:
    """Whatever an operator makes of it: every way finds the same."""
    changed_view = copy(data.draw(st.sampled_from([view, large_view]), label="view"))
    parts = getattr(changed_view, data.draw(st.sampled_from(PARTS), label="part"))
    index = data.draw(st.sampled_from([i for i in events_of(changed_view) if i in parts]), label="entry")
    part = parts[index]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0 if parts is changed_view.raw_headers else SALT_SIZE, len(part) - 1), label="at")
        part = patch(part, at, bytes([data.draw(st.integers(0, 255), label="byte")]))
    parts[index] = part
    all_ways(forge(changed_view))


@settings(max_examples=60)
@given(data=st.data())
def test_any_cell_of_a_row_without_its_content_is_judged_alike(large_view: MemoryView, data: st.DataObject) -> None:
    changed_view = copy(large_view)
    gone = [i for i in events_of(large_view) if i not in large_view.raw_contents and i in large_view.raw_rows]
    index = data.draw(st.sampled_from(gone), label="entry")
    salt, stored = large_view.raw_rows[index][:SALT_SIZE], large_view.raw_rows[index][SALT_SIZE:]
    rule_set, rows = decode_rows(stored)
    place = data.draw(st.integers(0, len(rows) - 1), label="row")
    before = rows[place].previous
    new = evolve(
        rows[place],
        act=data.draw(st.sampled_from([rows[place].act, 0, 1, 2, 3, 5, 300]), label="act"),
        state=data.draw(st.sampled_from([rows[place].state, 0, 1, 2, 7, 1 << 20]), label="state"),
        violations=data.draw(st.sampled_from([(), (1,), (40,), (3, 9)]), label="codes"),
        previous=data.draw(st.sampled_from([before, None, 0, index - 1, index, (before or 1) - 1]), label="previous"),
    )
    changed_view.raw_rows[index] = salt + encode_rows(rule_set, [*rows[:place], new, *rows[place + 1 :]])
    report = all_ways(forge(changed_view))
    assert not report or new == rows[place]


@settings(max_examples=40)
@given(data=st.data())
def test_whatever_is_dropped_beyond_it_is_found(view: MemoryView, large_view: MemoryView, data: st.DataObject) -> None:
    less = copy(data.draw(st.sampled_from([view, large_view]), label="view"))
    parts = {"content": less.raw_contents, "rows": less.raw_rows}
    for _ in range(data.draw(st.integers(1, 4))):
        kept = data.draw(st.sampled_from(sorted(parts)), label="part")
        some = [i for i in parts[kept] if less.raw_headers[i][4] == EntryType.EVENT]
        if some:
            del parts[kept][data.draw(st.sampled_from(some), label="entry")]
    report = all_ways(less)
    assert {Code.CONTENT_MISSING, Code.ROWS_MISSING} & set(report.codes)


@pytest.mark.parametrize(
    "field", ["keep_until", "record_class", "time", "policy", "sequence", "row_count", "first_rows"]
)
@pytest.mark.parametrize("number", [2, 30, 70])
def test_fields_of_headers_are_judged_alike(large_view: MemoryView, field: str, number: int) -> None:
    altered = copy(large_view)
    index = events_of(altered)[number]
    header = parse_header(altered.raw_headers[index])
    altered.raw_headers[index] = format_header(evolve(header, **{field: getattr(header, field) ^ 1}))
    report = all_ways(forge(altered))
    assert not report or (index in altered.raw_rows and field in FORGED)


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(4))
def test_every_flipped_byte_of_what_is_left_is_found(large: Path, shard: int) -> None:
    tally = flip_all(large, shard=shard, shards=4)
    assert tally.missed == []
    assert tally.events > 30


def test_flipped_bytes_of_the_sample_are_found(original: Path) -> None:
    tally = flip_all(original, shard=0, shards=3)
    assert tally.missed == []
    assert tally.flips > 2000


# ---- what was added since ----------------------------------------------------------------------------


def test_a_pruning_since_an_older_checkpoint_is_judged_as_well(victim: Path, sample: Sample) -> None:
    with Ledger.open(victim) as ledger:
        since = ledger.checkpoint()
    assert verified(victim, since=since)
    with hand(victim) as by_hand:
        by_hand.prune("third", sample.seen[2:4])
    report = verified(victim, since=since)
    assert report.findings == ()
    assert report.pruned_contents == 15 + 2
    with hand(victim) as by_hand:
        by_hand.prune("fourth", sample.young[:1])
    assert verified(victim, since=since).codes == (Code.PRUNE_EARLY,)


def test_rows_that_go_since_an_older_checkpoint_are_followed(victim: Path, sample: Sample) -> None:
    with Ledger.open(victim) as ledger:
        since = ledger.checkpoint()
    with hand(victim) as by_hand:
        by_hand.prune("third", (), (sample.shipped,))
    assert verified(victim, since=since).findings == ()


def test_newer_rows_that_went_before_older_ones_are_seen_since_a_checkpoint(victim: Path, sample: Sample) -> None:
    with Ledger.open(victim) as ledger:
        since = ledger.checkpoint()
    with hand(victim) as by_hand:
        by_hand.drop((), sample.gone[9:10])
    assert set(verified(victim, since=since).codes) == {Code.PRUNE_ORDER, Code.ROWS_MISSING}


# ---- one unit ----------------------------------------------------------------------------------------


def test_the_chain_of_a_unit_ends_where_its_older_rows_were_pruned(original: Path, sample: Sample) -> None:
    with Ledger.open(original) as ledger, ledger.snapshot() as view:
        first = verify_unit(view, pack_ids(1)[0], verifier=VERIFIER)
        third = verify_unit(view, pack_ids(7)[2], verifier=VERIFIER)
    assert first.findings == third.findings == ()
    assert [link.index for link in first.links] == [sample.shipped, sample.gone[9], sample.seen[0], sample.young[0]]
    assert [link.pruned is not None for link in first.links] == [True, True, True, False]
    assert [link.pruned is not None for link in third.links] == [True, True, False, False]
    assert any(f"before entry {sample.shipped} is not known" in note for note in first.notes)
    assert any("the whole log tells" in note for note in first.notes)


def test_a_unit_of_which_a_part_is_missing_is_told_from_a_pruned_one(victim: Path, sample: Sample) -> None:
    with hand(victim) as by_hand:
        by_hand.drop(sample.seen[2:3])
    with Ledger.open(victim) as ledger, ledger.snapshot() as view:
        report = verify_unit(view, pack_ids(7)[2], verifier=VERIFIER)
    assert [(finding.code, finding.index) for finding in report.findings] == [(Code.CONTENT_MISSING, sample.seen[2])]


def test_a_unit_is_told_that_its_content_went_too_early(victim: Path, sample: Sample) -> None:
    with hand(victim) as by_hand:
        by_hand.prune("third", sample.young[:1])
    with Ledger.open(victim) as ledger, ledger.snapshot() as view:
        report = verify_unit(view, pack_ids(1)[0], verifier=VERIFIER)
    assert [finding.code for finding in report.findings] == [Code.PRUNE_EARLY]


def test_the_record_of_a_pruning_has_to_stand_in_the_tree(original: Path, sample: Sample) -> None:
    view = memory(original)
    done = max(i for i, part in view.raw_contents.items() if b"prune-done" in part)
    view.raw_contents[done] = patch(view.raw_contents[done], 0, b"\0\0")
    with Ledger.open(original) as ledger, ledger.snapshot() as snapshot:
        index = dict(snapshot.units())
    with changed(MemoryView, unit=lambda _, subject: index.get(subject), subjects=_subjects(index)):
        report = verify_unit(view, pack_ids(1)[0], verifier=VERIFIER)
    assert Code.CONTENT_MISSING in [finding.code for finding in report.findings]


def _subjects(index: dict[str, Any]) -> Any:
    return lambda _, prefix: iter([one for one in sorted(index.items()) if one[0].startswith(prefix)])


# ---- what a caller demands ----------------------------------------------------------------------------


def demanding(bound: Any, *, classes: tuple[int, ...] = (), wait_days: int = 1) -> Policy:
    rule = Rule("mine", "mine", Selector(record_classes=classes), keep_until=bound)
    return Policy("mine", (Regime("mine", "what I demand", (rule,)),), wait_days=wait_days)


@pytest.mark.parametrize(
    ("demanded", "codes"),
    [
        (demanding(After(Anchor.RECEIPT, Term(years=1))), ()),
        (demanding(After(Anchor.RECEIPT, Term(years=2))), (Code.PRUNE_EARLY,)),
        (demanding(After(Anchor.EXPIRY, Term(years=1), Term(years=10))), (Code.PRUNE_EARLY,)),
        (demanding(Permanent()), (Code.PRUNE_EARLY,)),
        (demanding(Permanent(), classes=(CLASS,)), (Code.PRUNE_EARLY,)),
        (demanding(Permanent(), classes=(5,)), ()),  # of other events
        (demanding(After(Anchor.RECEIPT, Term()), wait_days=WAIT_DAYS), ()),
        (demanding(After(Anchor.RECEIPT, Term()), wait_days=WAIT_DAYS + 1), (Code.PRUNE_WAIT,)),
        (demanding(After(Anchor.RECEIPT, Term()), wait_days=100), (Code.PRUNE_POLICY, Code.PRUNE_WAIT)),
    ],
)
def test_a_verifier_holds_its_own_floor_against_the_log(
    original: Path, demanded: Policy, codes: tuple[Code, ...]
) -> None:
    for processes in (1, 2):
        report = verified(original, retention=demanded, processes=processes)
        assert set(report.codes) == set(codes)
        assert bool(report.pruned_contents) is not bool(codes)


def test_what_was_received_after_the_verifiers_own_time_is_found(original: Path) -> None:
    with Ledger.open(original) as ledger, ledger.snapshot() as view:
        last = parse_header(view.header(view.size - 1) or b"").time
        jump = next(i for i, header in view.headers(0, view.size) if header[4] == EntryType.CLOCK)
    assert verified(original, now=last)
    assert [f.index for f in verified(original, now=last - 1).findings] != []
    report = verified(original, now=LATER - 1)
    assert [(f.code, f.index) for f in report.findings] == [(Code.TIME_AHEAD, jump)]


# ---- witnesses ----------------------------------------------------------------------------------------


def witnessed(path: Path, *, days: int, whose: str = "witness", first_late: bool = False) -> Report:
    """Prune with a policy that names a witness, who saw the log twice, `days` apart."""
    witness = NoteSigner("witness.example", Keys().named("witness"))
    vkey = format_vkey(witness.cosigner)
    with hand(path) as by_hand:
        by_hand.batch([evolve(policy("watched"), witnesses=(vkey,), quorum=1).record()])
        by_hand.days(WAIT_DAYS)
    announced = -1
    gone = Sample.of(read(path)).seen[2:3]
    notes = []
    if first_late:
        notes.append(_note(path))
    with hand(path) as by_hand:
        announced = by_hand.announce("third", gone)
    notes = [*notes, _note(path)][:1]
    with hand(path) as by_hand:
        by_hand.days(1)
    notes.append(_note(path))
    start = 1_800_000_000
    signer = Keys().named(whose)
    signed = [
        add_signature(note, cosign(note, "witness.example", signer, start + at * 86_400))
        for note, at in zip(notes, (0, days), strict=True)
    ]
    with hand(path) as by_hand:
        by_hand.done(announced, "third", gone, witnessed=tuple(note.encode() for note in signed))
    return verified(path)


def _note(path: Path) -> str:
    with Ledger.open(path) as ledger:
        return ledger.checkpoint()


def test_where_a_policy_names_witnesses_their_time_counts(victim: Path) -> None:
    assert witnessed(victim, days=WAIT_DAYS).findings == ()


@pytest.mark.parametrize(
    "how", [{"days": WAIT_DAYS - 1}, {"days": 9, "whose": "stranger"}, {"days": 9, "first_late": True}]
)
def test_what_witnesses_did_not_see_did_not_wait(victim: Path, how: dict[str, Any]) -> None:
    """Too little time; signed by a stranger; the first note is of before the announcement."""
    assert witnessed(victim, **how).codes == (Code.PRUNE_WAIT,)


# ---- what is gone, in columns ---------------------------------------------------------------------------


def kind(what: int, *, count: int = 1, first: int = 0, codes: int = 0) -> LostKind:
    return LostKind(what, CLASS, 20_000, 5, codes, count, first)


@given(st.lists(st.tuples(st.sampled_from([0, CONTENT, CONTENT | ROWS]), st.integers(0, 2)), max_size=40))
def test_runs_say_what_each_entry_lost(some: list[tuple[int, int]]) -> None:
    halves = Lost(), Lost()
    for index, (what, time) in enumerate(some):
        if what:
            lost = halves[index >= len(some) // 2]
            lost.add(index, time // 2, lost.number(kind(what)))
            lost.leaves += bytes([index]) * 32
    lost, other = halves
    lost.extend(other)
    for part in (CONTENT, ROWS):
        assert list(indices(lost.ranges(part))) == [i for i, (what, _) in enumerate(some) if what & part]
    told = {i: (run.kind.what, run.time) for run in lost.runs() for i in range(run.start, run.stop)}
    assert told == {i: (what, time // 2) for i, (what, time) in enumerate(some) if what}
    at = 0
    leaves: dict[int, int] = {}
    while at < len(some):
        here, end = lost.leaves_from(at, len(some))
        leaves |= {at + k: here[32 * k] for k in range(len(here) // 32)}
        at = end
    assert leaves == {i: i for i, (what, _) in enumerate(some) if what}


@given(st.lists(st.integers(0, (1 << 15) - 1), max_size=5))
def test_sums_of_codes_come_to_the_same_day(codes: list[int]) -> None:
    def day(some: Any) -> int:
        return max((0 if code else 9_000) + code for code in some) if some else -1  # no later for a later expiry

    assert day(codes_of(sum_of_codes(codes))) == day(codes)
    assert (sum_of_codes(codes) == NO_PACK) is not bool(codes)


def test_a_million_lost_parts_are_small() -> None:
    lost = Lost()
    numbers = [lost.number(kind(CONTENT, codes=code)) for code in range(50)]
    for index in range(1_000_000):
        lost.add(index, index // 7, numbers[index % 50])
    columns = (lost.starts, lost.stops, lost.times, lost.numbers)
    assert len(lost.starts) == 1_000_000  # no two neighbours are alike
    assert sum(sys.getsizeof(column) for column in columns) < 40_000_000


# ---- waiting ---------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from([3, 7]), st.integers(0, 5 * MS_PER_DAY)), min_size=1, max_size=30), st.data())
def test_waits_are_those_of_the_ledger(gaps: list[tuple[int, int]], data: st.DataObject) -> None:
    from tracechain.verification.covering import RangeResult

    headers, time, result = {}, 1_000, RangeResult()
    for index, (number, gap) in enumerate(gaps):
        if index:
            time += gap
            result.note_gap(index, number, gap)
        headers[index] = bytes(4) + bytes([number]) + bytes(3) + time.to_bytes(8, "big") + bytes(112)
    view = MemoryView(headers, {}, {}, "", len(headers), None)
    start = data.draw(st.integers(0, len(gaps) - 1))
    stop = data.draw(st.integers(start, len(gaps) - 1))
    waits = Waits.of(view, array("Q", result.jumps))
    assert waits.between(start, stop) == waited_ms(view, start, stop)


def test_a_hold_that_is_over_holds_nothing(victim: Path, sample: Sample) -> None:
    with hand(victim) as by_hand:
        by_hand.batch([hold("H-1", (), "released").record()])
        by_hand.prune("third", sample.held)
    report = verified(victim)
    assert report.findings == ()
    assert report.pruned_contents == 17
