"""Seals of a ledger: each is the map by the definition, however it was worked out; proofs; auditors' notes."""

from __future__ import annotations

import random
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from retained import Store
from test_seals import by_the_rows
from tracechain.checkpoint import NoteSigner, parse_note
from tracechain.entry import SALT_SIZE
from tracechain.errors import CheckpointError, ClockError, DataError, InputError, KeyUseError
from tracechain.ledger import DAY, Ledger
from tracechain.ledger.seals import SealPolicy, prover
from tracechain.record import Record, authorise, decode_record
from tracechain.seals import (
    SealBody,
    SealNote,
    ends_bucket,
    latest_seal,
    parse_seal_note,
    prover_of,
    sign_note,
    units_map,
)
from tracechain.store import Transaction
from tracechain.testing import Clock, Keys, Random, new_ledger, open_ledger
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids
from tracechain.testing.scanner import Scanner
from tracechain.testing.tamper import put_back
from tracechain.verification import verify

KEYS = Keys()
AUDITOR = NoteSigner("auditor.example/a", KEYS.stranger)
OTHER = NoteSigner("auditor.example/b", KEYS.station)


def check_seals(ledger: Ledger) -> None:
    """Every seal in the log is the map of its entries, and the table that of the last one."""
    with ledger.snapshot() as view:
        assert units_map(view, dict(view.units())).root() == by_the_rows(view, view.size)
        for sealed in ledger.seals.list():
            assert (sealed.body.ids, sealed.body.map_root) == by_the_rows(view, sealed.body.size)
        last = latest_seal(view)
        if last is not None and view.meta("sealed") is not None:
            table = view.sealed()
            assert sum(one.count for one in table) == last.body.ids
            assert [one.last for one in table] == sorted(one.last for one in table)
            assert all(ends_bucket(one.last) for one in table[:-1])


def tree_root(ledger: Ledger, size: int) -> bytes:
    with ledger.snapshot() as view:
        leaves = [sha256(b"\0" + header).digest() for _, header in view.headers(0, size)]
    return _root(leaves)


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + _root(leaves[:k]) + _root(leaves[k:])).digest()


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    with new_ledger(tmp_path / "ledger", keys=KEYS, clock=Clock()) as made:
        made.append([commission(pack_ids(700)), observe(pack_ids(2))])
        yield made


# ---- making --------------------------------------------------------------------------------------


def test_a_seal_says_what_the_ledger_has(ledger: Ledger) -> None:
    size = ledger.snapshot().size
    made = ledger.seals.make()
    with ledger.snapshot() as view:
        assert made.sealed.index == size + 1 == view.size - 1, "a statement, then the record"
        part = view.content(made.sealed.index)
        assert part is not None
        record = decode_record(part[SALT_SIZE:])
        assert (
            SealBody.from_record(record)
            == made.sealed.body
            == SealBody(size, tree_root(ledger, size), *by_the_rows(view, size))
        )
        assert made.worked_out == made.total > 1
        assert view.unit("urn:tracechain:seal") is not None
        assert verify(view, index=True)
    assert ledger.seals.latest() == made.sealed == ledger.seals.list()[0]


def test_only_what_changed_is_worked_out(ledger: Ledger) -> None:
    ledger.append([commission(pack_ids(3000, start=10_000))])
    first = ledger.seals.make()
    ledger.append([observe(pack_ids(1, start=11_000))])
    second = ledger.seals.make()
    assert first.worked_out == first.total
    assert 1 <= second.worked_out <= 3 < second.total, "that of the pack, and those of the ledger's own subjects"
    check_seals(ledger)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["new", "see", "end", "pack", "seal", "reindex", "reopen"]), st.integers(1, 400)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25)
@given(EVENTS, st.integers(0, 1000))
def test_seal_after_seal(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], seed: int) -> None:
    """Whatever happens between seals, each is the map by the definition, and proves everything."""
    path, rng = tmp_path_factory.mktemp("seals") / "ledger", random.Random(seed)
    ledger, packs = new_ledger(path, keys=KEYS), 0
    try:
        for number, (what, count) in enumerate(steps):
            known = pack_ids(packs)
            some = sorted(rng.sample(known, min(count, packs)))
            match what:
                case "new":
                    ledger.append([commission(pack_ids(count, start=packs + 1))])
                    packs += count
                case "see" if some:
                    ledger.append([observe((one,)) for one in some])
                case "end" if some:
                    ledger.append([destroy(some[:3])])
                case "pack" if some:
                    ledger.append([pack(case_id(number), some)])
                case "seal":
                    ledger.seals.make()
                case "reindex":
                    ledger.reindex()
                case "reopen":
                    ledger.close()
                    ledger = open_ledger(path, keys=KEYS, random=Random(number + 5))
        ledger.seals.make()
        check_seals(ledger)
        some = rng.sample(pack_ids(packs), min(5, packs))
        ledger.append([observe(some)] if some else [observe(pack_ids(1))])
        with ledger.snapshot() as view:
            for sealed in ledger.seals.list():
                whole = prover_of(view, sealed.body)
                _, quick = prover(view, sealed.body.size)
                for one in (*some, "urn:tracechain:seal", "0", "zzz", f"{pack_ids(1)[0]}x", pack_ids(1, start=9999)[0]):
                    if whole.has(one):
                        assert quick.presence(one) == whole.presence(one)
                        quick.presence(one).check(sealed.body.map_root)
                    else:
                        assert quick.absence(one) == whole.absence(one)
                        quick.absence(one).check(sealed.body.map_root)
    finally:
        ledger.close()


def test_what_comes_in_meanwhile_is_not_in_the_seal(ledger: Ledger) -> None:
    """Ingest goes on while a seal is worked out."""
    late = pack_ids(1, start=90_000)
    waiting = [lambda: ledger.append([commission(late), observe(pack_ids(1))])]

    def tick(_: int, __: int) -> None:
        if waiting:
            waiting.pop()()

    made = ledger.seals.make(tick)
    assert made.sealed.index - made.sealed.body.size > 3
    check_seals(ledger)
    assert ledger.seals.prove_absent(late[0]).code == late[0]
    check_seals(ledger)
    assert ledger.seals.make().worked_out <= 2
    check_seals(ledger)


def test_two_who_seal_at_once(ledger: Ledger) -> None:
    """The one who comes second works out again what the first one changed."""
    again = [ledger.seals.make]

    def tick(_: int, __: int) -> None:
        if again:
            again.pop()()

    made = ledger.seals.make(tick)
    assert [one.index for one in ledger.seals.list()] == [made.sealed.index - 2, made.sealed.index]
    assert made.sealed.body.size == made.sealed.index - 1
    check_seals(ledger)


def test_one_who_is_always_overtaken_is_told(ledger: Ledger) -> None:
    busy = False

    def tick(_: int, __: int) -> None:
        nonlocal busy
        if not busy:
            busy = True
            ledger.append([observe(pack_ids(1))])
            ledger.seals.make()
            busy = False

    ledger.seals.make()
    ledger.append([observe(pack_ids(3))])
    with pytest.raises(InputError, match="another seal was made meanwhile"):
        ledger.seals.make(tick)
    check_seals(ledger)


def test_a_table_that_is_not_that_of_the_last_seal_is_made_anew(ledger: Ledger) -> None:
    ledger.append([commission(pack_ids(2000, start=5000))])
    ledger.seals.make()

    def spoil(txn: Transaction) -> None:
        with ledger.snapshot() as view:
            txn.put_sealed([view.sealed()[1].last], ())

    store = ledger._store
    with store.lock.held(), store.write() as txn:
        spoil(txn)
    made = ledger.seals.make()
    assert made.worked_out == made.total
    check_seals(ledger)


def test_after_a_reindex_proofs_go_by_the_rows(ledger: Ledger) -> None:
    sealed = ledger.seals.make().sealed
    before = ledger.seals.prove(pack_ids(2))
    ledger.reindex()
    with ledger.snapshot() as view:
        assert (view.meta("sealed"), view.sealed()) == (None, [])
    assert ledger.seals.prove(pack_ids(2)) == before
    assert ledger.seals.latest() == sealed
    made = ledger.seals.make()
    assert made.worked_out == made.total
    check_seals(ledger)


def test_seals_outlast_a_compaction_and_a_backup(ledger: Ledger, tmp_path: Path) -> None:
    sealed = ledger.seals.make().sealed
    note = sign_note(ledger.seals.to_sign(), AUDITOR)
    ledger.seals.add_note(note)
    ledger.compact()
    ledger.backup(tmp_path / "copy")
    with Ledger.open(tmp_path / "copy") as copy:
        for one in (ledger, copy):
            assert one.seals.notes() == ((sealed, note),)
            one.seals.prove_absent("nothing").check(sealed.body.map_root)
            with one.snapshot() as view:
                assert view.sealed()
    ledger.reindex()
    assert ledger.seals.notes() == ((sealed, note),), "a note is no part of what is derived"


def test_who_may_seal(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    with new_ledger(path, keys=KEYS) as ledger:
        body = SealBody(1, bytes(32), 0, bytes(32))
        with pytest.raises(InputError, match=r"use seals\.make"):
            ledger.append([body.record()])
        with pytest.raises(InputError, match=r"use seals\.make"):
            ledger.append([Record("seal", None)])
        ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "station"))
        with pytest.raises(InputError, match=r"use seals\.make"):
            ledger.submit(Scanner(KEYS.station, ledger.ledger_id).make([body.record()]))
        ledger.authorise(authorise(ledger.ledger_id, KEYS.other_station, KEYS.root, "events", ["event"]))
        ledger.authorise(authorise(ledger.ledger_id, KEYS.stranger, KEYS.root, "seals", ["seal"]))
        size = ledger.snapshot().size
    with Ledger.open(path) as ledger, pytest.raises(KeyUseError, match="without an author key"):
        ledger.seals.make()
    with Ledger.open(path, signer=KEYS.log, author=KEYS.other_station) as ledger:
        with pytest.raises(KeyUseError, match="not for seal"):
            ledger.seals.make()
        assert ledger.snapshot().size == size
    with Ledger.open(path, signer=KEYS.log, author=KEYS.stranger) as ledger:
        assert ledger.seals.make().sealed.body.size == size


def test_a_clock_that_jumped_stops_a_seal(tmp_path: Path) -> None:
    clock = Clock()
    with new_ledger(tmp_path / "ledger", keys=KEYS, clock=clock) as ledger:
        clock.advance(90 * DAY)
        with pytest.raises(ClockError):
            ledger.seals.make()
        assert ledger.seals.list() == ()


def test_a_seal_that_fails_halfway_was_never_made(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is sealed in the commit already when the table fails: neither is there then."""
    first = ledger.seals.make().sealed
    ledger.append([observe(pack_ids(5))])
    with ledger.snapshot() as view:
        before = view.size, view.meta("sealed"), view.sealed()

    def fail(*_: object) -> None:
        raise DataError("a fault")

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "put_sealed", fail)
        with pytest.raises(DataError, match="a fault"):
            ledger.seals.make()
    with ledger.snapshot() as view:
        assert (view.size, view.meta("sealed"), view.sealed()) == before
    assert ledger.seals.latest() == first
    ledger.seals.make()
    check_seals(ledger)


def test_seals_go_on_after_a_loss(tmp_path: Path) -> None:
    """A backup has the table of its own last seal; what was sealed after it is lost with the rest."""
    path = tmp_path / "ledger"
    with new_ledger(path, keys=KEYS) as ledger:
        ledger.append([commission(pack_ids(300))])
        ledger.seals.make()
        ledger.backup(tmp_path / "backup")
        ledger.append([observe(pack_ids(5))])
        ledger.seals.make()
    put_back(path, tmp_path / "backup")
    with Ledger.restore(
        path, signer=KEYS.log, author=KEYS.author, reason="lost", clock=Clock(), random=Random(9)
    ) as ledger:
        assert len(ledger.seals.list()) == 1
        made = ledger.seals.make()
        assert made.worked_out < made.total or made.total <= 2
        check_seals(ledger)
        with ledger.snapshot() as view:
            report = verify(view, index=True)
        assert [str(code) for code in report.codes] == ["EPOCH_LOST"]
        assert [one.right for one in report.seals] == [True, True]


def test_a_note_is_kept_by_who_may_write(ledger: Ledger, tmp_path: Path) -> None:
    ledger.seals.make()
    ledger.backup(tmp_path / "copy")
    with Ledger.open(tmp_path / "copy") as copy:
        note = copy.seals.cosign(AUDITOR)
        with pytest.raises(KeyUseError, match="opened for reading"):
            copy.seals.add_note(note)
    assert ledger.seals.add_note(note).seal.size


# ---- by policy -----------------------------------------------------------------------------------


def test_a_policy_says_when(tmp_path: Path) -> None:
    clock = Clock()
    with new_ledger(tmp_path / "ledger", keys=KEYS, clock=clock) as ledger:
        often, daily = SealPolicy(entries=4), SealPolicy(hours=24)
        assert ledger.seals.due(often), "there is none yet"
        assert ledger.seals.make_if_due(often) is not None
        clock.advance(2 * DAY)
        assert not ledger.seals.due(daily), "nothing came in since"
        ledger.append([observe(pack_ids(1))])
        assert ledger.seals.due(daily)
        assert not ledger.seals.due(often), "a statement and an event"
        assert ledger.seals.make_if_due(often) is None
        ledger.append([observe(pack_ids(1))])
        assert ledger.seals.due(often)
        assert ledger.seals.make_if_due(SealPolicy(entries=4, hours=1000)) is not None
        assert not ledger.seals.due(SealPolicy(entries=1, hours=0))
        ledger.append([observe(pack_ids(1))])
        assert not ledger.seals.due(daily)
        assert ledger.seals.due(SealPolicy(hours=0))


@pytest.mark.parametrize("wrong", [{}, {"entries": 0}, {"hours": -1.0}, {"hours": float("nan")}])
def test_policies_that_say_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        SealPolicy(**wrong)


# ---- proving -------------------------------------------------------------------------------------


def test_without_a_seal_nothing_is_proved(ledger: Ledger) -> None:
    for ask in (
        lambda: ledger.seals.prove(pack_ids(1)),
        lambda: ledger.seals.prove_absent("x"),
        ledger.seals.to_sign,
    ):
        with pytest.raises(InputError, match="has no seal"):
            ask()
    ledger.seals.make()
    with pytest.raises(InputError, match="no seal is of 3 entries"):
        ledger.seals.prove(pack_ids(1), size=3)
    with pytest.raises(InputError, match="not in the map"):
        ledger.seals.prove(["urn:tracechain:seal"])
    with pytest.raises(InputError, match="cannot be proved"):
        ledger.seals.prove_absent(pack_ids(1)[0])


def test_a_pruned_log_proves_what_can_be_proved(tmp_path: Path) -> None:
    """An old seal rested on rows that are gone; a new one does not."""
    store = Store(tmp_path)
    gone = store.ended(4)
    old = store.ledger.seals.make().sealed
    assert len(store.ledger.seals.prove(gone)) == 4
    store.ledger.append([observe(gone[:1])])
    store.years_later()
    store.pruned("contents")
    store.wait(3)
    store.announce("rows")
    store.wait(3)
    assert store.ledger.prune("rows").row_count > 0
    ledger = store.ledger
    # The latest entry of each pack keeps its rows, and the first pack has a later one now: its bucket is lost.
    for codes in (gone[:1], gone[1:]):
        with pytest.raises(DataError, match="pruned since"):
            ledger.seals.prove(codes)
    ledger.reindex()
    with pytest.raises(DataError, match=r"rows of \d+ of these entries were pruned since"):
        ledger.seals.prove(gone[1:], size=old.body.size)
    with pytest.raises(DataError, match="pruned since"):
        ledger.seals.cosign(AUDITOR)
    new = ledger.seals.make().sealed
    for proof in ledger.seals.prove(gone):
        proof.check(new.body.map_root)


# ---- auditors ------------------------------------------------------------------------------------


def test_auditors_cosign_and_the_ledger_keeps_it(ledger: Ledger) -> None:
    first = ledger.seals.make().sealed
    one = ledger.seals.cosign(AUDITOR)
    assert (
        parse_seal_note(one) == ledger.seals.to_sign() == SealNote(ledger.genesis.origin, ledger.ledger_id, first.body)
    )
    ledger.seals.add_note(one, [AUDITOR.verifier, OTHER.verifier])
    ledger.seals.add_note(ledger.seals.cosign(OTHER).encode())
    ledger.seals.add_note(one)
    ledger.append([observe(pack_ids(1))])
    second = ledger.seals.make().sealed
    ledger.seals.add_note(ledger.seals.cosign(OTHER))
    kept = ledger.seals.notes()
    assert [sealed for sealed, _ in kept] == [first, second]
    assert [[line.name for line in parse_note(note).signatures] for _, note in kept] == [
        [AUDITOR.name, OTHER.name],
        [OTHER.name],
    ]
    assert ledger.seals.cosign(AUDITOR, first.body.size) == one


def test_notes_that_are_not_kept(ledger: Ledger) -> None:
    sealed = ledger.seals.make().sealed
    right = ledger.seals.to_sign()
    for wrong in (
        evolve(right, ledger_id=bytes(32)),
        evolve(right, origin="ledger.example/other"),
        evolve(right, seal=evolve(sealed.body, ids=1)),
        evolve(right, seal=evolve(sealed.body, map_root=bytes(32))),
        evolve(right, seal=evolve(sealed.body, tree_root=bytes(32))),
    ):
        with pytest.raises(InputError, match="something else"):
            ledger.seals.add_note(sign_note(wrong, AUDITOR))
    with pytest.raises(InputError, match="no seal is of 2 entries"):
        ledger.seals.add_note(sign_note(evolve(right, seal=evolve(sealed.body, size=2)), AUDITOR))
    with pytest.raises(InputError, match="none of the auditors"):
        ledger.seals.add_note(sign_note(right, AUDITOR), [OTHER.verifier])
    forged = sign_note(right, AUDITOR).replace("auditor.example/a ", "auditor.example/a ", 1)
    line = forged.splitlines()[-1]
    swapped = forged.replace(line, line[:-8] + ("AAAA" if line[-8:-4] != "AAAA" else "BBBB") + line[-4:])
    with pytest.raises(CheckpointError, match="does not stand"):
        ledger.seals.add_note(swapped, [AUDITOR.verifier])
    with pytest.raises(CheckpointError):
        ledger.seals.add_note("nonsense")
    assert ledger.seals.notes() == ()
