"""A ledger, its witnesses and who verifies: what is asked, kept, held against the log, and found (format.md 10.1)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from forging import agree, memory
from raw_database import raw
from tracechain import merkle
from tracechain.checkpoint import (
    Checkpoint,
    NoteSigner,
    add_signature,
    cosign,
    format_note,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    sign_checkpoint,
)
from tracechain.cosigner import Cosigner
from tracechain.errors import CheckpointError, DataError, ForkError, InputError, KeyUseError, RollbackError
from tracechain.ledger import Ledger, anchor_path, verify_ledger
from tracechain.replay import MemoryView
from tracechain.store.tables import WITNESSED, key_of
from tracechain.testing import ORIGIN, START, Clock, Keys, fixed_key, new_ledger, open_ledger
from tracechain.testing.samples import commission, observe, pack_ids
from tracechain.verification import Code, Report, verify
from tracechain.view import ViewNodes
from tracechain.witnessing import (
    RefusedRequestError,
    Relation,
    Request,
    WitnessPolicy,
    check_loss,
    check_request,
    compare,
    open_head,
    parting,
)

KEYS = Keys()
NAMES = ("drugs-administration", "customs", "commerce", "health-commission")
SIGNERS = [NoteSigner(f"{name}.example/witness", fixed_key(name)) for name in NAMES]
VERIFIERS = [one.cosigner for one in SIGNERS]
LOG = NoteSigner(ORIGIN, KEYS.log)


@frozen
class World:
    """A ledger and four witnesses, whose clocks go with the ledger's."""

    path: Path
    ledger: Ledger
    clock: Clock
    witnesses: list[Cosigner]

    def append(self, number: int, seconds: int = 60) -> None:
        self.clock.advance(seconds * 1000)
        self.ledger.append([commission(pack_ids(1, start=number))])

    def cosign(self, *numbers: int) -> str:
        """Have the last checkpoint cosigned, and keep what comes back."""
        note = ""
        for number in numbers:
            last = self.witnesses[number].last(LOG.verifier)
            old = 0 if last is None else parse_checkpoint(parse_note(last).text).size
            asked = self.ledger.witnessed.request(old).request
            answer = self.witnesses[number].sign(asked, LOG.verifier)
            note = self.ledger.witnessed.add(answer.note, witnesses=VERIFIERS).note
        return note

    def verify(self, quorum: int = 2, most: int = 1000) -> Report:
        with self.ledger.snapshot() as view:
            return verify(view, verifier=LOG.verifier, witnesses=WitnessPolicy.of(VERIFIERS, quorum), most=most)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = Clock()
    with new_ledger(tmp_path / "ledger", clock=clock) as ledger:
        witnesses = []
        for name, signer in zip(NAMES, SIGNERS, strict=True):
            Cosigner.create(tmp_path / name, signer.cosigner)
            witnesses.append(Cosigner(tmp_path / name, signer, lambda: clock() // 1000))
        made = World(tmp_path / "ledger", ledger, clock, witnesses)
        made.append(1)
        yield made


def codes(report: Report) -> set[str]:
    return {str(code) for code in report.codes}


# ---- asked, signed, kept -----------------------------------------------------------------------------


def test_notes_of_one_size_are_put_together(world: World) -> None:
    world.cosign(2, 0)
    note = world.cosign(1)
    assert [line.name for line in parse_note(note).signatures] == [ORIGIN, *(SIGNERS[n].name for n in (2, 0, 1))]
    ((size, kept),) = world.ledger.witnessed.notes()
    assert kept == note
    with world.ledger.snapshot() as view:
        assert size == view.size
        assert dict(view.witnessed()) == {size: note}
        assert dict(MemoryView.of(view).witnessed()) == {size: note}


def test_the_same_note_again_adds_nothing_and_a_later_line_of_a_key_does_not_replace_its_first(world: World) -> None:
    first = world.cosign(0)
    assert world.ledger.witnessed.add(first).new == ()
    world.clock.advance(9000)
    size = parse_checkpoint(parse_note(first).text).size
    later = world.witnesses[0].sign(Request(size, (), world.ledger.checkpoint()), LOG.verifier)
    assert later.note != first
    added = world.ledger.witnessed.add(later.note, witnesses=VERIFIERS)
    assert (added.new, added.note) == ((), first)


def test_a_line_that_does_not_stand_gives_way_to_one_that_does(world: World) -> None:
    good = world.witnesses[0].sign(world.ledger.witnessed.request(0).request, LOG.verifier).note
    stranger = NoteSigner(SIGNERS[0].name, fixed_key("stranger"))
    line = parse_note(good).signatures[1]
    wrong = parse_note(add_signature(world.ledger.checkpoint(), cosign(good, stranger.name, stranger.signer, 5)))
    bad = format_note(type(wrong)(wrong.text, (wrong.signatures[0], type(line)(line.name, line.key_id, b"x" * 72))))
    with pytest.raises(CheckpointError, match="does not stand"):
        world.ledger.witnessed.add(bad, witnesses=VERIFIERS)
    assert world.ledger.witnessed.notes() == ()
    world.ledger.witnessed.add(bad)
    assert codes(world.verify(1)) == {"WITNESS_SIGNATURE", "WITNESS_QUORUM"}
    assert world.ledger.witnessed.add(good, witnesses=VERIFIERS).new == (SIGNERS[0].name,)
    assert world.verify(1)


def test_cosignature_lines_go_with_what_was_asked(world: World) -> None:
    asked = world.ledger.witnessed.request(0).request
    world.append(2)
    line = world.witnesses[0].sign(asked, LOG.verifier).note.splitlines(keepends=True)[-1]
    with pytest.raises(InputError, match="name the request"):
        world.ledger.witnessed.add(line)
    assert world.ledger.witnessed.add(line, asked=asked.note).new == (SIGNERS[0].name,)


def test_what_is_not_of_this_ledger_is_not_kept(world: World, tmp_path: Path) -> None:
    note = world.cosign(0)
    witnessed = world.ledger.witnessed
    with pytest.raises(InputError, match="nobody cosigned"):
        witnessed.add(world.ledger.checkpoint())
    with new_ledger(tmp_path / "fork", clock=Clock(START + 7)) as fork:
        fork.append([observe(pack_ids(1))])
        with pytest.raises(ForkError, match="FORK"):
            fork.witnessed.add(note)
        with pytest.raises(ForkError, match="FORK"):
            fork.witnessed.request(note)
    with new_ledger(tmp_path / "short", clock=Clock()) as short, pytest.raises(RollbackError, match="older copy"):
        short.witnessed.add(note)
    foreign = sign_checkpoint(Checkpoint("other.example", 3, bytes(32)), [NoteSigner("other.example", KEYS.log)])
    with pytest.raises(CheckpointError):
        witnessed.add(foreign)
    with Ledger.open(world.path.parent / "fork") as reading, pytest.raises(KeyUseError, match="for reading"):
        reading.witnessed.add(note)


def test_a_request_goes_from_the_largest_note_that_is_kept_of_a_witness(world: World) -> None:
    assert world.ledger.witnessed.request().request.old == 0
    world.cosign(0, 1)
    small = world.ledger.witnessed.notes()[0][0]
    world.append(2)
    world.cosign(0)
    large = world.ledger.witnessed.notes()[1][0]
    world.append(3)
    assert world.ledger.witnessed.request().request.old == large
    assert world.ledger.witnessed.request(witness=VERIFIERS[1]).request.old == small
    assert world.ledger.witnessed.request(witness=VERIFIERS[2]).request.old == 0
    for number in (0, 1, 2, 3):
        world.witnesses[number].sign(world.ledger.witnessed.request(witness=VERIFIERS[number]).request, LOG.verifier)
    with pytest.raises(InputError, match="give the note"):
        world.ledger.witnessed.request(999)


def test_notes_stay_through_reindex_compaction_and_backup(world: World, tmp_path: Path) -> None:
    world.cosign(0, 1)
    kept = world.ledger.witnessed.notes()
    world.ledger.reindex()
    world.ledger.compact()
    world.append(2)
    assert world.ledger.witnessed.notes() == kept
    world.ledger.backup(tmp_path / "backup")
    world.ledger.close()
    with Ledger.open(tmp_path / "backup") as backup:
        assert backup.witnessed.notes() == kept
    with open_ledger(world.path, clock=world.clock) as again:
        assert again.witnessed.notes() == kept
        assert verify_ledger(tmp_path / "backup", witnesses=WitnessPolicy.of(VERIFIERS, 2))


# ---- verified by a policy ----------------------------------------------------------------------------


def test_between_which_times_entries_came(world: World) -> None:
    report = world.verify()
    assert codes(report) == {"WITNESS_QUORUM"}
    assert report.witnessed is not None
    assert report.witnessed.behind == report.size
    world.cosign(0, 1, 2)
    first = report.size
    assert world.verify().witnessed is not None
    world.append(2, 3600)
    report = world.verify()
    assert report
    assert any(f"{report.size - first} entries behind" in note for note in report.notes)
    world.cosign(1)
    assert world.verify().witnessed == report.witnessed
    world.clock.advance(5000)
    world.cosign(3)
    world.append(3)
    report = world.verify()
    begun = START // 1000 + 60
    assert report.witnessed is not None
    assert [(one.start, one.stop, one.after_s, one.before_s) for one in report.witnessed.brackets] == [
        (0, first, None, begun),
        (first, first + 2, begun, begun + 3605),
        (first + 2, first + 4, begun + 3600, None),
    ]
    assert report.witnessed.behind == 2
    assert report.witnessed.policy.startswith("2 of drugs-administration.example/witness, ")
    assert not any("UNWITNESSED" in note for note in report.notes)


def test_without_a_policy_or_with_none_it_is_unwitnessed(world: World) -> None:
    world.cosign(0, 1)
    with world.ledger.snapshot() as view:
        for policy in (None, WitnessPolicy((), (), "none")):
            report = verify(view, verifier=LOG.verifier, witnesses=policy)
            assert report
            assert report.witnessed is None
            assert any("UNWITNESSED" in note for note in report.notes)
        with pytest.raises(InputError, match="witness policy is for"):
            verify(
                view,
                verifier=LOG.verifier,
                witnesses=WitnessPolicy((), (), "none", (NoteSigner("x", KEYS.root).verifier,)),
            )


def test_the_ledger_s_own_checkpoint_may_be_the_witnessed_one(world: World) -> None:
    with world.ledger.snapshot() as snapshot:
        view = MemoryView.of(snapshot)
    for number in (0, 1):
        view.checkpoint = add_signature(
            view.checkpoint, cosign(view.checkpoint, SIGNERS[number].name, SIGNERS[number].signer, START)
        )
    report = verify(view, verifier=LOG.verifier, witnesses=WitnessPolicy.of(VERIFIERS, 2))
    assert report
    assert report.witnessed is not None
    assert report.witnessed.behind == 0


@pytest.mark.parametrize("seconds", [600, 601])
def test_an_entry_that_says_it_came_after_it_was_seen_is_found(tmp_path: Path, seconds: int) -> None:
    clock = Clock()
    with new_ledger(tmp_path / "ledger", clock=clock) as ledger:
        ledger.append([commission(pack_ids(1))])
        before = parse_checkpoint(parse_note(ledger.checkpoint()).text).size
        clock.advance(seconds * 1000)
        ledger.append([commission(pack_ids(2, start=50))])
        note = ledger.checkpoint()
        for signer in SIGNERS[:2]:
            note = add_signature(note, cosign(note, signer.name, signer.signer, START // 1000))
        ledger.witnessed.add(note)
        clock.advance(100_000)
        ledger.append([commission(pack_ids(1, start=90))])
        with ledger.snapshot() as view:
            report = verify(view, witnesses=WitnessPolicy.of(VERIFIERS, 2))
    found = [(one.code, one.index) for one in report.findings]
    assert found == ([] if seconds == 600 else [(Code.WITNESS_TIME, before), (Code.WITNESS_TIME, before + 1)])
    if seconds == 601:
        assert "601 s" in report.findings[0].detail


def test_entries_that_say_they_came_before_they_were_shown_are_counted(world: World) -> None:
    world.cosign(0, 1)
    # The witnesses signed a day later than the ledger says it went on.
    note = world.ledger.checkpoint()
    for signer in SIGNERS[2:]:
        note = add_signature(note, cosign(note, signer.name, signer.signer, world.clock() // 1000 + 86_400))
    world.ledger.witnessed.add(note)
    world.append(2)
    world.append(3)
    report = world.verify()
    assert report
    assert report.witnessed is not None
    assert report.witnessed.early == (0, 4)
    assert any("4 entries say they were received before" in one for one in report.notes)


def test_a_note_of_another_tree_is_a_fork_with_a_policy_or_without(world: World) -> None:
    world.cosign(0, 1)
    with world.ledger.snapshot() as snapshot:
        view = MemoryView.of(snapshot)
    size = view.size
    forged = sign_checkpoint(Checkpoint(ORIGIN, size - 1, bytes(32)), [LOG])
    view.raw_witnessed[size - 1] = forged
    assert codes(verify(view, verifier=LOG.verifier)) == {"FORK"}
    assert codes(verify(view, verifier=LOG.verifier, witnesses=WitnessPolicy.of(VERIFIERS, 2))) == {"FORK"}
    assert codes(agree(view)) == {"FORK"}
    # Witnesses who cosigned what is not of this log make no note sufficient.
    for signer in SIGNERS[:2]:
        forged = add_signature(forged, cosign(forged, signer.name, signer.signer, START))
    view.raw_witnessed = {size - 1: forged}
    assert codes(verify(view, witnesses=WitnessPolicy.of(VERIFIERS, 2))) == {"FORK", "WITNESS_QUORUM"}


@pytest.mark.parametrize("place", ["size", "log", "form", "ahead", "epoch", "extension"])
def test_a_note_that_does_not_count_is_found(world: World, place: str) -> None:
    note = world.cosign(0, 1)
    with world.ledger.snapshot() as snapshot:
        view = MemoryView.of(snapshot)
    size = view.size
    head = parse_checkpoint(parse_note(note).text)
    more = {
        "size": (size - 1, note),
        "log": (size, sign_checkpoint(head, [NoteSigner(ORIGIN, KEYS.stranger)])),
        "form": (size, note[:-1]),
        "ahead": (size + 5, sign_checkpoint(Checkpoint(ORIGIN, size + 5, bytes(32)), [LOG])),
        "epoch": (size, sign_checkpoint(Checkpoint(f"{ORIGIN}/epoch/1", size, head.root), [LOG])),
        "extension": (size, sign_checkpoint(Checkpoint(ORIGIN, size, head.root, ("x",)), [LOG])),
    }[place]
    view.raw_witnessed = {more[0]: more[1]}
    code = {"ahead": "ROLLBACK", "epoch": "FORK"}.get(place, "WITNESS_SIGNATURE")
    assert codes(verify(view, verifier=LOG.verifier)) == {code}
    found = verify(view, verifier=LOG.verifier, witnesses=WitnessPolicy.of(VERIFIERS, 2))
    assert codes(found) == {code, "WITNESS_QUORUM"}
    assert all(one.index is None for one in found.findings)


def test_processes_say_the_same(world: World) -> None:
    world.cosign(0, 1)
    for number in range(2, 30):
        world.append(number)
    world.cosign(1, 2)
    alone = world.verify()
    world.ledger.close()
    both = verify_ledger(world.path, verifier=LOG.verifier, processes=2, witnesses=WitnessPolicy.of(VERIFIERS, 2))
    assert both.witnessed == alone.witnessed
    assert both
    # The note's signature is altered in the database.
    with raw(world.path) as (txn, tables):
        size, text = alone.witnessed.notes[-1].size if alone.witnessed else 0, b""
        text = txn.get(key_of(size), db=tables(WITNESSED))
        txn.put(key_of(size), text.replace(b"Z", b"Y").replace(b"a", b"b"), db=tables(WITNESSED))
    reports = [
        verify_ledger(world.path, verifier=LOG.verifier, processes=n, witnesses=WitnessPolicy.of(VERIFIERS, 2))
        for n in (1, 2)
    ]
    assert [set(map(str, one.findings)) for one in reports] == [set(map(str, reports[0].findings))] * 2
    assert "WITNESS_SIGNATURE" in codes(reports[0])


def test_a_header_that_is_missing_is_no_fork(world: World) -> None:
    world.cosign(0, 1)
    view = memory_of(world)
    del view.raw_headers[2]
    report = verify(view, witnesses=WitnessPolicy.of(VERIFIERS, 2))
    assert "FORK" not in codes(report)
    assert {"ENTRY_MISSING", "WITNESS_QUORUM"} <= codes(report)
    assert any("could not be held" in note for note in report.notes)


def memory_of(world: World) -> MemoryView:
    with world.ledger.snapshot() as snapshot:
        return MemoryView.of(snapshot)


# ---- entries that were lost --------------------------------------------------------------------------


@frozen
class Loss:
    """A ledger that was put back from a backup, after witnesses had signed more."""

    world: World
    lost: str
    ledger: Ledger


@pytest.fixture
def loss(world: World, tmp_path: Path) -> Iterator[Loss]:
    world.cosign(0, 1)
    world.ledger.backup(tmp_path / "backup")
    for number in range(2, 6):
        world.append(number)
    lost = world.cosign(0)
    world.ledger.close()
    shutil.rmtree(world.path)
    shutil.copytree(tmp_path / "backup", world.path)
    with Ledger.restore(
        world.path, signer=KEYS.log, author=KEYS.author, reason="the disk burned", clock=world.clock
    ) as ledger:
        yield Loss(world, lost, ledger)


def test_what_was_lost_is_signed_only_with_the_entry_shown_and_consent(loss: Loss) -> None:
    zero, one = loss.world.witnesses[:2]
    asked = loss.ledger.witnessed.request(loss.lost)
    assert asked.shown is not None
    assert asked.request.hashes == ()
    under, said = check_loss(asked.shown, LOG.verifier)
    assert (said.epoch, said.reason) == (1, "the disk burned")
    assert said.lost_end == asked.request.old > said.size
    assert under == open_checkpoint(loss.ledger.checkpoint(), LOG.verifier)
    before = zero.last(LOG.verifier)
    for shown, accept in ((None, True), (asked.shown, False)):
        with pytest.raises(RefusedRequestError):
            zero.sign(asked.request, LOG.verifier, shown=shown, accept=accept)
        assert zero.last(LOG.verifier) == before
    answer = zero.sign(asked.request, LOG.verifier, shown=asked.shown, accept=True)
    assert answer.checkpoint.size < asked.request.old
    (kept,) = zero.folder.glob("*.epoch-0.note")
    assert kept.read_text() == before
    loss.ledger.witnessed.add(answer.note)
    # Who signed nothing of what was lost is asked for no consent.
    normal = loss.ledger.witnessed.request(witness=VERIFIERS[1])
    assert normal.shown is None
    assert one.sign(normal.request, LOG.verifier).checkpoint == answer.checkpoint
    # After that it goes on as ever.
    loss.ledger.append([commission(pack_ids(1, start=77))])
    zero.sign(loss.ledger.witnessed.request(witness=VERIFIERS[0]).request, LOG.verifier)


def test_an_epoch_entry_that_explains_nothing_is_refused(loss: Loss) -> None:
    zero, one = loss.world.witnesses[:2]
    asked = loss.ledger.witnessed.request(loss.lost)
    assert asked.shown is not None
    last = parse_checkpoint(parse_note(one.last(LOG.verifier) or "").text)
    # To this witness nothing was lost.
    with pytest.raises(RefusedRequestError, match="does not explain"):
        check_request(Request(last.size, (), asked.request.note), LOG.verifier, last, shown=asked.shown, accept=True)
    # Under another checkpoint, of another log's key, damaged.
    loss.ledger.append([commission(pack_ids(1, start=77))])
    later = loss.ledger.witnessed.request(loss.lost)
    with pytest.raises(RefusedRequestError, match="does not explain"):
        zero.sign(later.request, LOG.verifier, shown=asked.shown, accept=True)
    assert later.shown is not None
    for wrong in ("", later.shown.replace("extra ", "extra AAAA"), later.shown[:-9], loss.lost):
        with pytest.raises(RefusedRequestError, match="does not stand"):
            zero.sign(later.request, LOG.verifier, shown=wrong, accept=True)
    with pytest.raises(DataError):
        check_loss(asked.shown, NoteSigner(ORIGIN, KEYS.root).verifier)
    with pytest.raises(RefusedRequestError, match="without hashes"):
        zero.sign(Request(3, (), later.request.note), LOG.verifier, shown=later.shown, accept=True)


def test_every_byte_of_an_epoch_entry_that_is_shown_counts(loss: Loss) -> None:
    shown = (loss.ledger.witnessed.request(loss.lost).shown or "").encode()
    said = check_loss(shown, LOG.verifier)
    for at in range(len(shown)):
        for change in (1, 0x20):
            data = shown[:at] + bytes([shown[at] ^ change]) + shown[at + 1 :]
            with pytest.raises(DataError):
                assert check_loss(data, LOG.verifier) == said, at


def test_a_note_of_what_was_lost_is_said_and_not_kept(loss: Loss) -> None:
    with pytest.raises(InputError, match="lost with a backup"):
        loss.ledger.witnessed.add(loss.lost)
    with loss.ledger.snapshot() as snapshot:
        view = MemoryView.of(snapshot)
    size = parse_checkpoint(parse_note(loss.lost).text).size
    view.raw_witnessed[size] = loss.lost
    report = verify(view, witnesses=WitnessPolicy.of(VERIFIERS, 2))
    assert codes(report) == {"EPOCH_LOST"}
    assert any(f"witnessed note of {size} entries signs some that were lost" in note for note in report.notes)
    heads = [open_head(one, LOG.verifier) for one in (loss.lost, loss.ledger.checkpoint())]
    assert compare(*heads).relation is Relation.UNKNOWN
    assert compare(*heads, log=view).relation is compare(*reversed(heads), log=view).relation is Relation.LOST
    kept = [open_head(text, LOG.verifier) for _, text in loss.ledger.witnessed.notes()]
    assert compare(kept[0], heads[1], log=view).relation is Relation.EXTENDS
    # More than was lost, of the epoch before: somebody goes on with the old one.
    more = open_head(sign_checkpoint(Checkpoint(ORIGIN, size + 1, bytes(32)), [LOG]), LOG.verifier)
    assert compare(more, heads[1], log=view).relation is Relation.FORK


# ---- two checkpoints compared ------------------------------------------------------------------------


def test_two_checkpoints_of_one_log(world: World) -> None:
    early = world.cosign(0, 1)
    world.append(2)
    late = world.cosign(1, 2)
    view = memory_of(world)
    a, b = (open_head(one, LOG.verifier, VERIFIERS) for one in (early, late))
    assert compare(a, a).relation is Relation.SAME
    assert compare(a, b).relation is Relation.UNKNOWN
    assert f"from {a.size} to {b.size}" in (compare(a, b).ask or "")
    hashes = merkle.prove_consistency(ViewNodes(view), a.size, b.size)
    for found in (
        compare(a, b, hashes=hashes),
        compare(b, a, hashes=hashes),
        compare(a, b, log=view, key=LOG.verifier),
    ):
        assert found
        assert found.relation is Relation.EXTENDS
    wrong = compare(a, b, hashes=[bytes(32), *hashes])
    assert wrong.relation is Relation.UNKNOWN
    assert not wrong
    short = MemoryView({i: h for i, h in view.raw_headers.items() if i < a.size}, {}, {}, early, a.size)
    assert compare(a, b, log=short).relation is Relation.UNKNOWN


def test_a_fork_is_told_with_the_log_or_by_two_roots(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.path, tmp_path / "copy")
    shutil.copy(anchor_path(world.path), anchor_path(tmp_path / "copy"))
    world.append(2)
    mine = open_head(world.ledger.checkpoint(), LOG.verifier)
    view = memory_of(world)
    world.ledger.close()
    with open_ledger(tmp_path / "copy", clock=world.clock) as other:
        other.append([observe(pack_ids(1))])
        same_size = open_head(other.checkpoint(), LOG.verifier)
        other.append([observe(pack_ids(1))])
        larger = open_head(other.checkpoint(), LOG.verifier)
        with other.snapshot() as snapshot:
            fork = MemoryView.of(snapshot)
    assert compare(mine, same_size).relation is Relation.FORK
    assert compare(mine, larger).relation is Relation.UNKNOWN
    assert compare(mine, larger, log=fork).relation is Relation.FORK
    assert compare(mine, larger, log=view).relation is Relation.UNKNOWN
    assert compare(same_size, larger, log=view).relation is Relation.FORK
    assert parting(view, fork) == mine.size - 2
    assert parting(fork, fork) is None
    assert memory(tmp_path / "copy").size == larger.size
    fork.raw_headers[0] = bytes(128)
    with pytest.raises(InputError, match="verify it first"):
        compare(mine, larger, log=fork)


def test_a_smaller_one_that_was_shown_later_is_a_rollback(world: World) -> None:
    early = world.ledger.checkpoint()
    world.append(2)
    late = world.cosign(0, 1)
    view = memory_of(world)
    stale = add_signature(early, cosign(early, SIGNERS[2].name, SIGNERS[2].signer, world.clock() // 1000 + 1))
    a, b = (open_head(one, LOG.verifier, VERIFIERS) for one in (stale, late))
    assert compare(a, b, log=view).relation is compare(b, a, log=view).relation is Relation.ROLLBACK
    # Nobody's times are known.
    assert compare(open_head(stale, LOG.verifier), b, log=view).relation is Relation.EXTENDS


def test_checkpoints_of_two_logs_are_not_compared(world: World) -> None:
    other = sign_checkpoint(Checkpoint("other.example", 3, bytes(32)), [NoteSigner("other.example", KEYS.log)])
    head = open_head(world.ledger.checkpoint(), LOG.verifier)
    with pytest.raises(InputError, match="two logs"):
        compare(head, open_head(other, None))
    with pytest.raises(CheckpointError):
        open_head(other, LOG.verifier)
