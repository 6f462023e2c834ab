"""Seals in a log: worked out again in every way of verification, and each finding about them."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from forging import KEYS, agree, copy, forge, in_ranges, memory
from retained import Store
from test_seals import by_the_book, by_the_rows
from tracechain import merkle
from tracechain.checkpoint import Checkpoint, NoteSigner, sign_checkpoint
from tracechain.entry import SALT_SIZE, EntryType, decode_rows
from tracechain.ledger import Ledger
from tracechain.ledger.commit import Commit, Outcome, prepare
from tracechain.record import Record, decode_record, encode_record
from tracechain.replay import MemoryView
from tracechain.seals import SealBody, Sealed, note_of, read_seal, seals_of, sign_note
from tracechain.testing import ORIGIN, new_ledger
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids
from tracechain.verification import Report, verify, verify_in_processes
from tracechain.view import View

AUDITOR = NoteSigner("auditor.example/a", KEYS.stranger)
OTHER = NoteSigner("auditor.example/b", KEYS.station)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    """A log with four seals, two of them of neighbouring entries, and something after each."""
    path = tmp_path_factory.mktemp("sealed") / "ledger"
    with new_ledger(path, keys=KEYS) as ledger:
        ledger.append([commission(pack_ids(40)), pack(case_id(1), pack_ids(3))])
        ledger.seals.make()
        ledger.append([observe((one,)) for one in pack_ids(12)])
        ledger.seals.make()
        ledger.seals.make()
        ledger.append([destroy(pack_ids(2)), commission(pack_ids(3, start=100))])
        ledger.seals.make()
        ledger.append([observe(pack_ids(2, start=3))])
    return memory(path)


def seals_in(view: View) -> list[Sealed]:
    return list(seals_of(view))[::-1]


def restated(view: MemoryView, index: int, body: Any, **more: Any) -> MemoryView:
    """A copy in which a seal says something else, signed again by all keys."""
    view = copy(view)
    content = encode_record(Record("seal", body, more.pop("subject", "urn:tracechain:seal"), **more))
    view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + content
    return forge(view)


def plain(body: SealBody) -> tuple[Any, ...]:
    return body.size, body.tree_root, body.ids, body.map_root


def told(report: Report) -> set[tuple[str, int | None]]:
    return {(str(one.code), one.index) for one in report.findings}


# ---- right seals ---------------------------------------------------------------------------------


def test_seals_that_are_right(sealed: MemoryView) -> None:
    report = agree(sealed)
    assert report
    assert [(one.sealed, one.right, one.auditors) for one in report.seals] == [
        (one, True, ()) for one in seals_in(sealed)
    ]
    assert len(report.seals) == 4
    assert in_ranges(sealed, 3).seals == report.seals


def test_since_any_checkpoint_the_seals_behind_it_are_worked_out(sealed: MemoryView) -> None:
    seals = seals_in(sealed)
    sizes = [i for i in range(2, sealed.size) if sealed.raw_headers[i][4] not in (EntryType.EVENT, EntryType.RECORD)]
    for size in sizes:
        root = merkle.root([merkle.leaf_hash(sealed.raw_headers[i]) for i in range(size)])
        note = sign_checkpoint(Checkpoint(ORIGIN, size, root), [NoteSigner(ORIGIN, KEYS.log)])
        report = verify(sealed, since=note)
        assert report
        assert [one.sealed for one in report.seals] == [one for one in seals if one.index >= size]
        assert all(one.right for one in report.seals)


def test_a_wrong_seal_behind_an_older_checkpoint_of_less_is_found(sealed: MemoryView) -> None:
    """The checkpoint lies between what was sealed and the record that says so, so the pass before it stops there."""
    last = seals_in(sealed)[-1]
    first = seals_in(sealed)[0]
    view = restated(sealed, last.index, plain(evolve(first.body, map_root=bytes(32))))
    size = seals_in(sealed)[1].index + 1
    root = merkle.root([merkle.leaf_hash(view.raw_headers[i]) for i in range(size)])
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root), [NoteSigner(ORIGIN, KEYS.log)])
    assert told(verify(view, since=note)) == {("SEAL_ROOT", last.index)}
    right = restated(sealed, last.index, plain(first.body))
    assert verify(right, since=sign_checkpoint(Checkpoint(ORIGIN, size, root), [NoteSigner(ORIGIN, KEYS.log)]))


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), min_size=1, max_size=10))
def test_all_ways_agree_on_seals(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]) -> None:
    path = tmp_path_factory.mktemp("ways") / "ledger"
    with new_ledger(path, keys=KEYS) as ledger:
        for start, seals in steps:
            if start:
                ledger.append([observe((one,)) for one in pack_ids(start)])
            for _ in range(seals):
                ledger.seals.make()
        with ledger.snapshot() as view:
            here = MemoryView.of(view)
    for one in seals_in(here):
        assert (one.body.ids, one.body.map_root) == by_the_rows(here, one.body.size)
    report = agree(here)
    assert report
    assert [one.right for one in report.seals] == [True] * sum(seals for _, seals in steps)


def test_in_processes_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with new_ledger(path, keys=KEYS) as ledger:
        for start in range(5):
            ledger.append([observe((one,)) for one in pack_ids(60, start=1 + 30 * start)])
            ledger.seals.make()
    report = verify_in_processes(Opened(path), 2, index=True)
    assert report
    assert [one.right for one in report.seals] == [True] * 5


class Opened:
    """Opens a ledger as a view in whichever process it is called."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> Any:
        return Ledger.open(self.path).snapshot()


# ---- SEAL_RECORD, SEAL_ROOT ----------------------------------------------------------------------


@pytest.mark.parametrize("number", range(4))
def test_each_root_and_count_that_is_wrong_is_found(sealed: MemoryView, number: int) -> None:
    one = seals_in(sealed)[number]
    for changes, code in (
        ({"ids": one.body.ids + 1}, "SEAL_ROOT"),
        ({"map_root": bytes(32)}, "SEAL_ROOT"),
        ({"map_root": merkle.EMPTY_ROOT, "ids": 0}, "SEAL_ROOT"),
        ({"tree_root": bytes(32)}, "SEAL_RECORD"),
    ):
        report = agree(restated(sealed, one.index, plain(evolve(one.body, **changes))))
        # The tree that a later seal is of has this one in it, so its root is another.
        later = {("SEAL_RECORD", other.index) for other in seals_in(sealed)[number + 1 :]}
        assert told(report) == {(code, one.index), *later}
        assert [verdict.right for verdict in report.seals] == [True] * number + [False] * (4 - number)


def test_what_is_of_another_tree_is_not_worked_out(sealed: MemoryView) -> None:
    one = seals_in(sealed)[-1]
    view = restated(sealed, one.index, plain(evolve(one.body, tree_root=bytes(32), map_root=bytes(32))))
    assert told(agree(view)) == {("SEAL_RECORD", one.index)}


def test_a_unit_that_was_left_out_is_found(sealed: MemoryView) -> None:
    """What an operator with all keys would do who hides a pack from a seal."""
    one = seals_in(sealed)[-1]
    model = {}
    for index, part in sealed.all_rows(0, one.body.size):
        for row in decode_rows(part[SALT_SIZE:])[1]:
            model[row.subject] = (index, sha256(b"\0" + sealed.raw_headers[index]).digest(), row.state)
    assert by_the_book(model) == (one.body.ids, one.body.map_root)
    del model[pack_ids(7)[6]]
    ids, root = by_the_book(model)
    view = restated(sealed, one.index, (one.body.size, one.body.tree_root, ids, root))
    assert told(agree(view)) == {("SEAL_ROOT", one.index)}


@pytest.mark.parametrize(
    "change",
    [
        lambda body: plain(body)[:3],
        lambda body: (*plain(body), 0),
        lambda _: None,
        lambda body: (0, *plain(body)[1:]),
        lambda body: (str(body.size), *plain(body)[1:]),
        lambda body: (body.size, body.tree_root[:31], body.ids, body.map_root),
    ],
)
def test_malformed_seals_are_found(sealed: MemoryView, change: Callable[[SealBody], Any]) -> None:
    one = seals_in(sealed)[-1]
    report = agree(restated(sealed, one.index, change(one.body)))
    assert told(report) == {("SEAL_RECORD", one.index)}
    assert len(report.seals) == 3


def test_a_seal_of_another_version_is_found(sealed: MemoryView) -> None:
    one = seals_in(sealed)[-1]
    assert told(agree(restated(sealed, one.index, plain(one.body), version=1))) == {("SEAL_RECORD", one.index)}


def test_sizes_at_which_no_log_ended_are_found(sealed: MemoryView) -> None:
    one = seals_in(sealed)[-1]
    for size in range(1, sealed.size + 2):
        may = size < one.index and sealed.raw_headers[size][4] not in (EntryType.EVENT, EntryType.RECORD)
        root = merkle.root([merkle.leaf_hash(sealed.raw_headers[i]) for i in range(min(size, sealed.size))])
        ids, made = by_the_rows(sealed, size)
        view = restated(sealed, one.index, (size, root, ids, made))
        assert told(verify(view)) == (set() if may else {("SEAL_RECORD", one.index)}), size
        assert told(in_ranges(view, 3)) == told(verify(view))


def slipped_in(ledger: Ledger, records: list[Record]) -> None:
    """Records of any kind under one statement of the ledger's author, as a ledger of somebody else might write them."""

    def job(commit: Commit) -> Outcome:
        (outcome,) = commit.append([prepare(records, 0, ledger._random, commit.rule_set)], KEYS.author)
        return outcome

    ledger._enqueue(job)


def test_a_seal_that_nobody_looked_for_is_worked_out_afterwards(tmp_path: Path) -> None:
    """Beside other records under one statement, where the survey before the pass does not look."""
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger.append([observe((one,)) for one in pack_ids(30)])
        first = ledger.seals.make().sealed
        wrong = evolve(first.body, map_root=bytes(32))
        slipped_in(ledger, [Record("note"), first.body.record(), wrong.record(), Record("note")])
        with ledger.snapshot() as view:
            here = MemoryView.of(view)
    report = agree(here)
    assert told(report) == {("SEAL_ROOT", first.index + 4)}
    assert [one.right for one in report.seals] == [True, True, False]


def test_another_record_on_the_chain_of_seals_is_passed_over(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger.append([observe(pack_ids(3))])
        made = ledger.seals.make().sealed
        ledger.append([Record("note", None, "urn:tracechain:seal")])
        assert ledger.seals.latest() == made
        assert ledger.seals.make().sealed.index > made.index
        with ledger.snapshot() as view:
            assert agree(MemoryView.of(view))


def test_missing_headers_and_rows_do_not_stop_it(sealed: MemoryView) -> None:
    for parts in ("raw_headers", "raw_rows", "raw_contents"):
        for index in range(1, sealed.size):
            view = copy(sealed)
            getattr(view, parts).pop(index, None)
            report = verify(view)
            assert told(report) == told(in_ranges(view, 3))
            if len(getattr(view, parts)) < len(getattr(sealed, parts)):
                assert not report


# ---- what rows that are gone leave ---------------------------------------------------------------


def test_a_seal_that_rested_on_pruned_rows_is_said_to_be_unchecked(tmp_path: Path) -> None:
    store = Store(tmp_path)
    gone = store.ended(4)
    before = store.ledger.seals.make().sealed
    store.ledger.append([observe(gone[:1])])
    after = store.ledger.seals.make().sealed
    store.years_later()
    store.pruned("contents")
    store.wait(3)
    store.announce("rows")
    store.wait(3)
    assert store.ledger.prune("rows").row_count
    with store.ledger.snapshot() as view:
        here = MemoryView.of(view)
    report = agree(here)
    assert report
    verdicts = {one.sealed.index: one.right for one in report.seals}
    assert verdicts[before.index] is None
    assert any("seals cannot be worked out again" in note for note in report.notes)
    assert verdicts[after.index] in {True, None}
    # Its tree root is checked all the same.
    other = restated(here, before.index, plain(evolve(before.body, tree_root=bytes(32))))
    assert ("SEAL_RECORD", before.index) in told(verify(other))


def test_a_seal_before_several_rows_that_are_gone_is_unchecked_as_well(tmp_path: Path) -> None:
    """Of the rows of a pack that are gone only the last one is named: those before it were of the pack, too."""
    store = Store(tmp_path)
    code = pack_ids(1, start=900)
    seals = []
    for event in (commission, observe, destroy):
        store.ledger.append([event(code)])
        seals.append(store.ledger.seals.make().sealed.index)
    store.years_later()
    for name in ("contents", "rows"):
        store.pruned(name)
        store.wait(3)
    with store.ledger.snapshot() as view:
        here = MemoryView.of(view)
        gone = [row for row in here.raw_headers if row not in here.raw_rows and here.raw_headers[row][4] == 3]
        assert len(gone) == 2, "commissioned and seen"
    report = agree(here)
    assert report, report.findings
    verdicts = {one.sealed.index: one.right for one in report.seals}
    assert [verdicts[index] for index in seals] == [None, None, True]


# ---- SEAL_NOTE -----------------------------------------------------------------------------------


def with_notes(view: MemoryView, notes: dict[int, str]) -> MemoryView:
    view = copy(view)
    view.raw_seal_notes = dict(notes)
    return view


def test_notes_of_auditors_are_reported(sealed: MemoryView) -> None:
    one, two = seals_in(sealed)[0].body, seals_in(sealed)[-1].body
    notes = {
        one.size: sign_note(sign_note(note_of(sealed, one), AUDITOR), OTHER),
        two.size: sign_note(note_of(sealed, two), OTHER),
    }
    view = with_notes(sealed, notes)
    report = verify(view, auditors=[AUDITOR.verifier, OTHER.verifier])
    assert report
    assert [verdict.auditors for verdict in report.seals] == [(AUDITOR.name, OTHER.name), (), (), (OTHER.name,)]
    assert [verdict.auditors for verdict in verify(view, auditors=[AUDITOR.verifier]).seals][3] == ()
    assert [verdict.auditors for verdict in verify(view).seals] == [()] * 4


def test_notes_that_are_wrong_are_found(sealed: MemoryView) -> None:
    body = seals_in(sealed)[0].body
    right = note_of(sealed, body)
    good = sign_note(right, AUDITOR)
    for size, note, auditors in (
        (body.size, "nonsense", ()),
        (body.size + 1, good, ()),
        (body.size, sign_note(evolve(right, ledger_id=bytes(32)), AUDITOR), ()),
        (body.size, sign_note(evolve(right, origin="other.example"), AUDITOR), ()),
        (body.size, sign_note(evolve(right, seal=evolve(body, ids=body.ids + 1)), AUDITOR), ()),
        (1, sign_note(evolve(right, seal=evolve(body, size=1)), AUDITOR), ()),
        (body.size, good[:-10] + ("AAAA" if good[-10:-6] != "AAAA" else "BBBB") + good[-6:], (AUDITOR.verifier,)),
    ):
        report = verify(with_notes(sealed, {size: note}), auditors=auditors)
        assert told(report) == {("SEAL_NOTE", None)}, (size, note)
    assert verify(with_notes(sealed, {body.size: good}), auditors=[AUDITOR.verifier])


def test_a_note_of_before_the_older_checkpoint_is_held_against_its_seal(sealed: MemoryView) -> None:
    body = seals_in(sealed)[0].body
    right = note_of(sealed, body)
    view = with_notes(sealed, {body.size: sign_note(right, AUDITOR)})
    assert verify(view, since=sealed.checkpoint, auditors=[AUDITOR.verifier])
    wrong = with_notes(sealed, {body.size: sign_note(evolve(right, seal=evolve(body, ids=1)), AUDITOR)})
    assert told(verify(wrong, since=sealed.checkpoint)) == {("SEAL_NOTE", None)}


def test_what_a_seal_states_is_read_from_its_record(sealed: MemoryView) -> None:
    for one in seals_in(sealed):
        assert read_seal(sealed, one.index) == one
        part = sealed.content(one.index)
        assert part is not None
        assert decode_record(part[SALT_SIZE:]) == one.body.record()
