"""Announcing and pruning: what is refused and why, what goes, what is kept of it, and what comes in meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pruned import derived
from retained import BEFORE, Store, day, policy
from tracechain.checkpoint import NoteSigner, add_signature, cosign, format_vkey
from tracechain.entry import SALT_SIZE, Row, decode_rows, encode_rows
from tracechain.errors import InputError
from tracechain.ledger import pruning
from tracechain.record import Record
from tracechain.replay import MemoryView
from tracechain.retention.plan import plan
from tracechain.retention.prunings import prunings
from tracechain.retention.ranges import count, indices
from tracechain.retention.records import ERASED, PruneDone, PruneIntent
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids, unpack
from tracechain.verification import Code, verify_rules
from tracechain.view import View


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.sound()
    store.ledger.close()


def test_what_is_due_is_announced_waits_and_goes(store: Store) -> None:
    store.ended(6)
    store.years_later()
    made = store.plan()
    assert made.content_count == BEFORE + 12
    receipt = store.ledger.announce(made, name="2028-q1", reason="Due by the plan")
    with store.ledger.snapshot() as view:
        (said,) = prunings(view)
        assert (said.announced, said.intent.contents, said.intent.digest) == (
            receipt.first, made.contents, made.digest(view),
        )  # fmt: skip
    with pytest.raises(InputError, match=r"has waited 0\.0 days of 3"):
        store.ledger.prune("2028-q1")
    store.wait(3)
    size = store.size()
    done = store.ledger.prune("2028-q1")
    assert (done.content_count, done.row_count, done.kept_contents, done.kept_rows) == (BEFORE + 12, 0, (), ())
    assert done.waited_ms >= 3 * 86_400_000
    with store.ledger.snapshot() as view:
        assert view.size == size + 2  # a statement, and the record that it was done
        (said,) = prunings(view)
        assert said.done is not None
        assert said.contents == made.contents
        gone = [i for i in range(view.size) if view.content(i) is None]
        assert len(gone) == BEFORE + 12
        assert set(gone) <= set(indices(made.contents))
    assert not store.ledger._store.uncompacted
    with pytest.raises(InputError, match="is done already"):
        store.ledger.prune("2028-q1")
    with pytest.raises(InputError, match="choose another name"):
        store.ledger.announce(made, name="2028-q1", reason="again")


def test_rows_go_in_a_later_round_oldest_first(store: Store) -> None:
    store.ended(4)
    store.years_later()
    store.pruned("first")
    made = store.plan()
    assert (made.content_count, made.row_count) == (0, 4)  # the last of each pack stays
    store.ledger.announce(made, name="second", reason="Due")
    store.wait(3)
    done = store.ledger.prune("second")
    assert (done.content_count, done.row_count) == (0, 4)
    assert store.plan().count == 0


def test_a_plan_of_nothing_or_of_another_state_is_refused(store: Store) -> None:
    store.ended(2)
    with pytest.raises(InputError, match="nothing is due"):
        store.announce("a")
    store.years_later()
    with store.ledger.snapshot() as view:
        ahead = plan(view, as_of=day(store.clock.now) + 1)
        other = plan(view, policy(wait=4, years=1), as_of=day(store.clock.now))
    with pytest.raises(InputError, match="looks ahead"):
        store.ledger.announce(ahead, name="a", reason="Due")
    with pytest.raises(InputError, match="a policy that is not in force"):
        store.ledger.announce(other, name="a", reason="Due")
    made = store.plan()
    store.ledger.retain(policy(wait=3, years=1))
    with pytest.raises(InputError, match="not in force any more"):
        store.ledger.announce(made, name="a", reason="Due")
    with pytest.raises(InputError, match=r"has stood for 0\.0 days, and has to stand for 3"):
        store.announce("a")
    store.wait(3)
    store.announce("a")


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 1001])
def test_a_reason_is_one_line(store: Store, reason: str) -> None:
    store.ended(1)
    store.years_later()
    with pytest.raises(InputError):
        store.ledger.announce(store.plan(), name="a", reason=reason)


@pytest.mark.parametrize("name", ["", "-a", "a b", "x" * 65, "ä"])
def test_a_name_is_plain(store: Store, name: str) -> None:
    store.ended(1)
    store.years_later()
    with pytest.raises(InputError, match="cannot name a pruning"):
        store.ledger.announce(store.plan(), name=name, reason="Due")
    with pytest.raises(InputError, match="cannot name a pruning"):
        store.ledger.prune(name)


def test_what_came_in_since_the_plan_is_looked_at(store: Store) -> None:
    packs = store.ended(3)
    store.years_later()
    made = store.plan()
    store.ledger.append([observe(pack_ids(1, start=900))])  # nothing to do with it
    store.hold("h1", packs[0])
    with pytest.raises(InputError, match=r"a hold record \(entry \d+\) came in"):
        store.ledger.announce(made, name="a", reason="Due")
    made = store.plan()
    store.ledger.append([observe(packs[1:2])])
    with pytest.raises(InputError, match="of which the entry before would go"):
        store.ledger.announce(made, name="a", reason="Due")
    store.announce("a")


def test_what_comes_in_between_plan_and_commit_is_looked_at_too(store: Store) -> None:
    """The look under the writer lock, not only the one before."""
    packs = store.ended(3)
    store.years_later()
    made = store.plan()
    pruner = store.ledger._pruner()
    enqueue = pruner.enqueue

    def late(job: Any) -> Any:
        store.ledger.append([observe(packs[:1])])
        return enqueue(job)

    with pytest.raises(InputError, match="of which the entry before would go"):
        pruning.announce(pruning.Pruner(
            pruner.store, pruner.author, pruner.random, pruner.clock, late, pruner.alone, pruner.compact
        ), made, "a", "Due", None)  # fmt: skip


def test_what_two_prunings_announce_goes_once(store: Store) -> None:
    store.ended(3)
    store.years_later()
    made = store.plan()
    store.ledger.announce(made, name="a", reason="Due")
    store.announce("again")
    with pytest.raises(InputError, match=r"pruning a was announced in entry \d+ already"):
        store.announce("a")
    store.wait(3)
    store.ledger.prune("a")
    with pytest.raises(InputError, match="nothing of pruning again may go now"):
        store.ledger.prune("again")
    store.announce("b")  # the rows


def test_what_comes_under_hold_meanwhile_is_kept(store: Store) -> None:
    packs = store.ended(5)
    store.years_later()
    store.announce("a")
    store.hold("h1", packs[2])
    store.wait(3)
    done = store.ledger.prune("a")
    assert (done.content_count, count(done.kept_contents)) == (BEFORE + 8, 2)
    with store.ledger.snapshot() as view:
        kept = [(i, view.content(i) is not None) for i in indices(done.kept_contents)]
        assert all(there for _, there in kept), (kept, done)
    store.release("h1")
    assert store.pruned("b").content_count == 2


def test_nothing_is_done_where_all_of_it_has_to_stay(store: Store) -> None:
    packs = store.ended(2)
    store.years_later()
    store.announce("a")
    for pack_id in (*packs, *pack_ids(BEFORE, start=5001)):
        store.hold(f"h{pack_id[-4:]}", pack_id)
    store.wait(3)
    size = store.size()
    with pytest.raises(InputError, match="nothing of pruning a may go now"):
        store.ledger.prune("a")
    assert store.size() == size
    for pack_id in (*packs, *pack_ids(BEFORE, start=5001)):
        store.release(f"h{pack_id[-4:]}")
    assert store.ledger.prune("a").content_count == BEFORE + 4


def test_what_is_named_again_between_plan_and_commit_stays(store: Store) -> None:
    packs = store.ended(4)
    store.years_later()
    store.announce("a")
    store.wait(3)
    alone = store.ledger._alone

    def late(job: Any) -> Any:
        store.ledger.append([observe(packs[:1])])
        return alone(job)

    store.ledger._alone = late  # type: ignore[method-assign]  # something comes in just then
    done = store.ledger.prune("a")
    assert (done.content_count, count(done.kept_contents)) == (BEFORE + 6, 2)


def test_a_hold_between_plan_and_commit_is_planned_with(store: Store) -> None:
    packs = store.ended(4)
    store.years_later()
    store.announce("a")
    store.wait(3)
    alone, tried = store.ledger._alone, []

    def late(job: Any) -> Any:
        tried.append(job)
        if len(tried) == 1:
            store.hold("h1", packs[3])
            with pytest.raises(InputError, match=r"a hold record \(entry \d+\) came in while pruning a: try again"):
                alone(job)
        return alone(job)

    store.ledger._alone = late  # type: ignore[method-assign]  # something comes in just then
    done = store.ledger.prune("a")
    assert (done.content_count, count(done.kept_contents)) == (BEFORE + 6, 2)


def test_a_clock_that_is_set_forward_gains_little(store: Store) -> None:
    store.ended(2)
    store.years_later()
    store.announce("a")
    store.clock.advance(30 * 86_400_000)
    store.ledger.append([observe(pack_ids(1, start=900))])
    with pytest.raises(InputError, match=r"has waited 2\.0 days of 3; a gap"):
        store.ledger.prune("a")
    store.clock.advance(300 * 86_400_000)
    store.ledger.accept_clock("it stood")
    with pytest.raises(InputError, match=r"has waited 2\.0 days of 3"):
        store.ledger.prune("a")


def test_records_that_the_ledger_writes_by_itself_are_refused_from_others(store: Store) -> None:
    intent = PruneIntent(
        name="x", size=1, as_of=1, policy=0, wait_days=0, contents=((1, 2),), rows=(), content_count=1, row_count=0,
        digest=bytes(32), reason="mine",
    )  # fmt: skip
    done = PruneDone(name="x", intent=0, kept_contents=(), kept_rows=(), content_count=1, row_count=0, digest=bytes(32))
    for record in (intent.one_record(), done.one_record(), Record(ERASED, None), Record("prune-done", 7)):
        with pytest.raises(InputError, match="says what the ledger did"):
            store.ledger.append([observe(pack_ids(1)), record])
        with pytest.raises(InputError, match="says what the ledger did"):
            store.ledger.submit(store.submission([record]))
    for malformed in (Record("retention", 7, "urn:tracechain:retention"), Record("retention", policy().record().body)):
        with pytest.raises(InputError, match="nothing was written"):
            store.ledger.append([malformed])
        with pytest.raises(InputError, match="nothing was written"):
            store.ledger.submit(store.submission([malformed]))


def test_an_archive_may_be_demanded(store: Store) -> None:
    store.ledger.retain(policy(archive=True))
    store.ended(2)
    store.wait(3)
    store.years_later()
    with pytest.raises(InputError, match="demands that what goes is archived first"):
        store.announce("a")
    with pytest.raises(InputError, match="32 bytes"):
        store.ledger.announce(store.plan(), name="a", reason="Due", archive=b"short")
    store.ledger.announce(store.plan(), name="a", reason="Due", archive=bytes(range(32)))
    with store.ledger.snapshot() as view:
        assert [one.intent.archive for one in prunings(view)] == [bytes(range(32))]


@pytest.mark.parametrize("given", [True, False], ids=["given", "kept"])
def test_witnesses_may_measure_the_time(store: Store, given: bool) -> None:
    witness = NoteSigner("witness.example/w", store.keys.named("witness"))
    store.ledger.retain(policy(witnesses=(format_vkey(witness.cosigner),), quorum=1))
    store.ended(2)
    store.wait(3)
    store.years_later()
    before = store.ledger.checkpoint()
    store.announce("a")

    def signed(note: str, seconds: int) -> bytes:
        return add_signature(note, cosign(note, witness.name, witness.signer, seconds)).encode()

    first = signed(store.ledger.checkpoint(), 1_000_000)
    store.ledger.append([observe(pack_ids(1, start=900))])
    second = signed(store.ledger.checkpoint(), 1_000_000 + 3 * 86_400)
    soon = signed(store.ledger.checkpoint(), 1_000_000 + 3 * 86_400 - 1)
    for notes, words in (
        ((), "give two cosigned notes"),
        ((signed(before, 1), second), "has to cover entry"),
        ((store.ledger.checkpoint().encode(), second), "does not show how long"),
        ((second, first), "fewer entries than the first"),
        ((first, soon), r"has waited 3\.0 days of 3"),
    ):
        with pytest.raises(InputError, match=words):
            store.ledger.prune("a", witnessed=notes)
    if given:
        done = store.ledger.prune("a", witnessed=(first, second))
    else:
        for note in (signed(before, 1), first):
            store.ledger.witnessed.add(note.decode())
        with pytest.raises(InputError, match=r"has waited 0\.0 days of 3"):
            store.ledger.prune("a")
        store.ledger.witnessed.add(second.decode())
        done = store.ledger.prune("a")
    assert done.waited_ms == 3 * 86_400_000
    with store.ledger.snapshot() as view:
        assert [one.done.witnessed for one in prunings(view) if one.done is not None] == [(first, second)]


def test_what_emptied_a_container_stays(store: Store) -> None:
    case, packs = case_id(7), pack_ids(3, start=500)
    store.ledger.append([commission(packs), pack(case, packs[:2]), unpack(case), pack(case, packs[1:]), unpack(case)])
    store.ledger.append([destroy(packs)])
    store.years_later()
    store.pruned("a")
    with store.ledger.snapshot() as view:
        left = [i for i, header in view.headers(0, view.size) if header[4] == 3 and view.content(i) is not None]
        about = [i for i, part in view.all_rows(0, view.size) if case.rpartition("/")[2].encode() in part]
        assert len(about) == 4
        assert set(left) & set(about) == {about[1], about[3]}


def test_other_processes_notice_that_anchors_went(store: Store) -> None:
    """What is remembered of orders is dropped when another process pruned."""
    store.ended(2)
    store.years_later()
    store.announce("a")
    store.wait(3)
    registers = store.ledger._registers
    registers.anchors[5] = None
    store.ledger.prune("a")
    store.ledger.append([observe(pack_ids(1, start=900))])
    assert 5 not in registers.anchors


def test_what_is_gone_is_in_no_file(store: Store) -> None:
    packs = store.ended(2, where="urn:example:nowhere-else-at-all")
    assert packs
    store.years_later()

    def stored() -> bytes:
        return b"".join(path.read_bytes() for path in store.path.rglob("data.mdb"))

    assert b"nowhere-else-at-all" in stored()
    store.pruned("a")
    assert b"nowhere-else-at-all" not in stored()


def test_a_crash_before_the_copy_is_made_good_when_it_is_opened_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.ended(2, where="urn:example:nowhere-else-at-all")
    store.years_later()
    store.announce("a")
    store.wait(3)

    def crash(_: object, __: object = None) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as crashing:
        crashing.setattr(type(store.ledger._store), "compact", crash)
        with pytest.raises(KeyboardInterrupt):
            store.ledger.prune("a")
        assert store.ledger._store.generations.uncompacted()
    with store.ledger.snapshot() as view:
        assert [one.done is not None for one in prunings(view)] == [True]
    store.reopen()
    assert not store.ledger._store.uncompacted
    assert not any(b"nowhere-else-at-all" in path.read_bytes() for path in store.path.rglob("data.mdb"))


def test_nothing_is_dropped_where_the_commit_fails(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.ended(2)
    store.years_later()
    store.announce("a")
    store.wait(3)
    before = derived(store.ledger)
    size = store.size()

    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as failing:
        failing.setattr(pruning, "forget", fail)
        with pytest.raises(MemoryError):
            store.ledger.prune("a")
    assert store.size() == size
    assert derived(store.ledger) == before
    assert store.ledger.prune("a").content_count == BEFORE + 4


def test_what_happens_after_it_was_done_is_judged_again(store: Store) -> None:
    """Whoever signs rows could say anything of what lost its content, but not of what came later."""
    packs = store.ended(2)
    store.years_later()
    between = store.ledger.append([commission(pack_ids(1, start=300)), observe(pack_ids(1, start=300))]).first
    assert between
    store.pruned("a")
    later = store.ledger.append([observe(packs[:1])]).first
    with store.ledger.snapshot() as view:
        assert [row.violations for row in rows_of(view, later)] == [(1,)]
        (gone,) = (
            i for i, rows in every_row(view) if [r.subject for r in rows] == [packs[0]] and rows[0].previous is None
        )
        for index, found in ((later, True), (gone, False)):
            bent = MemoryView.of(view)
            (row,) = rows_of(view, index)
            lying = evolve(row, violations=()) if found else evolve(row, violations=(1,))
            bent.raw_rows[index] = bytes(32) + encode_rows(1, [lying])
            codes = {one.code for one in verify_rules(bent).findings}
            assert codes == ({Code.ROW_VIOLATIONS} if found else set())


def rows_of(view: View, index: int) -> tuple[Row, ...]:
    """The rows of an entry."""
    return decode_rows((view.rows(index) or b"")[SALT_SIZE:])[1]


def every_row(view: View) -> Iterator[tuple[int, tuple[Row, ...]]]:
    """All rows, by entry."""
    for index, part in view.all_rows(0, view.size):
        yield index, decode_rows(part[SALT_SIZE:])[1]
