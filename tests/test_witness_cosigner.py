"""A witness signs what extends everything that it signed before, and nothing else, whatever it is asked and whenever it
dies (format.md section 10.1)."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from tracechain import merkle
from tracechain.checkpoint import (
    Checkpoint,
    NoteSigner,
    VerifierKey,
    format_checkpoint,
    format_note,
    open_cosignature,
    parse_checkpoint,
    parse_note,
    sign_checkpoint,
)
from tracechain.cosigner import Cosigner
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.merkle import leaf_hash
from tracechain.testing import fixed_key
from tracechain.witnessing import (
    Refusal,
    RefusedRequestError,
    Request,
    add_answer,
    check_request,
    format_request,
    open_witnessed,
    parse_request,
)

LOG = NoteSigner("ledger.example/test", fixed_key("log"))
OTHER_LOG = NoteSigner("ledger.example/other", fixed_key("other log"))
WITNESS = NoteSigner("customs.example/witness", fixed_key("customs"))
MOST = 24


class Leaves:
    """A merkle.NodeReader over a list."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves = leaves

    def leaf(self, index: int) -> bytes:
        return self._leaves[index]

    def node(self, height: int, index: int) -> bytes | None:
        return None


def leaves(branch: int, parts_at: int) -> list[bytes]:
    """The leaves of a branch, which has its own entries from `parts_at` on."""
    return [leaf_hash(f"{0 if i < parts_at else branch} {i}".encode()) for i in range(MOST + 1)]


def note(tree: list[bytes], size: int, log: NoteSigner = LOG, epoch: int = 0) -> str:
    origin = f"{log.name}/epoch/{epoch}" if epoch else log.name
    return sign_checkpoint(Checkpoint(origin, size, merkle.root(tree[:size])), [log])


def proof(tree: list[bytes], old: int, size: int) -> tuple[bytes, ...]:
    return tuple(merkle.prove_consistency(Leaves(tree), old, size)) if old <= size else ()


def request(tree: list[bytes], old: int, size: int, log: NoteSigner = LOG, epoch: int = 0) -> Request:
    return Request(old, proof(tree, old, size), note(tree, size, log, epoch))


MAIN = leaves(0, 0)


class Time:
    def __init__(self, now: int = 1_800_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "memory"
    Cosigner.create(made, WITNESS.cosigner)
    return made


@pytest.fixture
def witness(folder: Path, time: Time) -> Cosigner:
    return Cosigner(folder, WITNESS, time)


# ---- requests as text ------------------------------------------------------------------------------


@given(st.integers(0, MOST), st.integers(1, MOST))
def test_a_request_comes_back_from_its_text(old: int, size: int) -> None:
    made = request(MAIN, min(old, size), size)
    text = format_request(made)
    assert parse_request(text) == parse_request(text.encode()) == made
    assert format_request(parse_request(text)) == text


def test_the_text_is_that_of_tlog_witness() -> None:
    text = format_request(request(MAIN, 3, 7))
    first, *rest = text.split("\n")
    assert first == "old 3"
    assert rest[rest.index("") + 1 :] == note(MAIN, 7).split("\n")
    assert len(rest[: rest.index("")]) == len(proof(MAIN, 3, 7))


GOOD = format_request(request(MAIN, 3, 7))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "old 3\n",
        GOOD.replace("old 3", "old 03"), GOOD.replace("old 3", "old +3"), GOOD.replace("old 3", "old  3"),
        GOOD.replace("old 3", "old \uff13"), GOOD.replace("old 3", "Old 3"), GOOD.replace("old 3\n", "old 3\nAAAA\n"),
        GOOD.replace("old 3\n", "old 3\r\n"), GOOD.replace("=\n", "\n", 1), GOOD.replace("old 3\n", "old 3 \n"),
        GOOD[:-1], GOOD + "\n", GOOD.replace("old 3\n", "old 3\n" + "A" * 43 + "=\n" * 64), " " + GOOD,
        GOOD.replace("old 3", f"old {2**63}"), GOOD.replace("old 3\n", "old 3\n\n"),
        "old 0\n" + f"{'A' * 43}=\n" * 64 + "\n" + note(MAIN, 7),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        parse_request(text)


@given(st.integers(0, len(GOOD.encode()) - 1), st.integers(1, 255))
def test_a_byte_that_was_changed_is_refused_or_read_as_it_stands(at: int, change: int) -> None:
    data = bytearray(GOOD.encode())
    data[at] ^= change
    try:
        parsed = parse_request(bytes(data))
    except CheckpointError:
        return
    assert format_request(parsed).encode() == data
    last = parse_checkpoint(parse_note(note(MAIN, 3)).text)
    try:
        signed = check_request(parsed, LOG.verifier, last)
    except RefusedRequestError:
        return
    # Lines of keys that nobody knows are all that may differ, and they are not signed.
    assert format_checkpoint(signed) == parse_note(note(MAIN, 7)).text


# ---- what is signed --------------------------------------------------------------------------------


def refusal(witness: Cosigner, asked: Request, log: VerifierKey = LOG.verifier, **more: Any) -> RefusedRequestError:
    before = witness.last(log)
    with pytest.raises(RefusedRequestError) as caught:
        witness.sign(asked, log, **more)
    assert witness.last(log) == before
    assert str(int(caught.value.number)) in str(caught.value)
    return caught.value


def test_a_first_checkpoint_and_those_that_extend_it_are_signed(witness: Cosigner, time: Time) -> None:
    first = witness.sign(request(MAIN, 0, 5), LOG.verifier)
    assert (first.last, first.time_s, first.again) == (None, time.now, False)
    assert open_cosignature(first.note, WITNESS.cosigner) == time.now
    assert open_witnessed(first.note, LOG.verifier)[1].size == 5
    time.now += 60
    second = witness.sign(request(MAIN, 5, 9), LOG.verifier)
    assert second.last is not None
    assert second.last.size == 5
    assert open_cosignature(second.note, WITNESS.cosigner) == time.now


def test_refusals_have_the_numbers_of_tlog_witness(witness: Cosigner) -> None:
    fork = leaves(1, 4)
    assert refusal(witness, request(MAIN, 3, 5)).size == 0
    bogus = Request(0, (bytes(32),), note(MAIN, 5))
    assert refusal(witness, bogus).number == Refusal.NO_PROOF
    assert refusal(witness, Request(6, (), note(MAIN, 5))).number == Refusal.MALFORMED
    witness.sign(request(MAIN, 0, 6), LOG.verifier)
    assert refusal(witness, request(MAIN, 0, 5)).number == Refusal.CONFLICT
    assert refusal(witness, request(MAIN, 0, 9)).size == 6
    assert refusal(witness, request(MAIN, 3, 9)).size == 6
    assert refusal(witness, Request(6, (), note(MAIN, 9))).number == Refusal.NO_PROOF
    assert refusal(witness, request(fork, 6, 9)).number == Refusal.NO_PROOF
    forked = refusal(witness, request(fork, 6, 6))
    assert forked.fork
    assert forked.number == Refusal.CONFLICT
    assert refusal(witness, request(MAIN, 6, 9, OTHER_LOG)).number == Refusal.OTHER_LOG
    stranger = NoteSigner(LOG.name, fixed_key("stranger"))
    assert refusal(witness, request(MAIN, 6, 9, stranger)).number == Refusal.NOT_SIGNED
    extended = sign_checkpoint(Checkpoint(LOG.name, 9, merkle.root(MAIN[:9]), ("more",)), [LOG])
    assert refusal(witness, Request(6, proof(MAIN, 6, 9), extended)).number == Refusal.MALFORMED
    witness.sign(request(MAIN, 6, 9), LOG.verifier)


def test_a_request_that_is_asked_again_gets_the_answer_that_was_given(witness: Cosigner, time: Time) -> None:
    first = witness.sign(request(MAIN, 0, 5), LOG.verifier)
    time.now += 500
    again = witness.sign(request(MAIN, 0, 5), LOG.verifier)
    assert again.note == first.note
    assert again.again
    # From there: nothing else was seen until now.
    fresh = witness.sign(request(MAIN, 5, 5), LOG.verifier)
    assert open_cosignature(fresh.note, WITNESS.cosigner) == time.now
    assert len(parse_note(fresh.note).signatures) == 2


def test_a_clock_that_was_set_back_signs_nothing(witness: Cosigner, time: Time) -> None:
    witness.sign(request(MAIN, 0, 5), LOG.verifier)
    time.now -= 1
    with pytest.raises(InputError, match="clock stands 1 s before"):
        witness.sign(request(MAIN, 5, 6), LOG.verifier)
    time.now += 1
    witness.sign(request(MAIN, 5, 6), LOG.verifier)


def test_several_logs_do_not_mix(witness: Cosigner) -> None:
    other = leaves(5, 0)
    witness.sign(request(MAIN, 0, 9), LOG.verifier)
    witness.sign(request(other, 0, 4, OTHER_LOG), OTHER_LOG.verifier)
    witness.sign(request(other, 4, 5, OTHER_LOG), OTHER_LOG.verifier)
    witness.sign(request(MAIN, 9, 10), LOG.verifier)
    # The same name with another key is another log.
    namesake = NoteSigner(LOG.name, fixed_key("stranger"))
    witness.sign(request(other, 0, 3, namesake), namesake.verifier)
    assert parse_checkpoint(parse_note(witness.last(LOG.verifier) or "").text).size == 10


def test_lines_of_others_are_not_passed_on(witness: Cosigner) -> None:
    foreign = NoteSigner("somebody.example", fixed_key("somebody"))
    text = sign_checkpoint(Checkpoint(LOG.name, 5, merkle.root(MAIN[:5])), [LOG, foreign])
    found = witness.sign(Request(0, (), text), LOG.verifier)
    assert {one.name for one in parse_note(found.note).signatures} == {LOG.name, WITNESS.name}


def test_an_answer_is_the_note_or_its_line(witness: Cosigner) -> None:
    asked = note(MAIN, 5)
    answer = witness.sign(Request(0, (), asked), LOG.verifier).note
    line = answer.splitlines(keepends=True)[-1]
    assert add_answer(asked, answer) == add_answer(asked, line) == answer
    with pytest.raises(CheckpointError, match="another checkpoint"):
        add_answer(note(MAIN, 6), answer)
    with pytest.raises(CheckpointError):
        add_answer(asked, line[:-1])


# ---- epochs, without loss; with loss: test_witness_ledger ------------------------------------------


def test_a_later_epoch_that_extends_is_signed_and_the_earlier_one_is_over(witness: Cosigner, folder: Path) -> None:
    witness.sign(request(MAIN, 0, 5), LOG.verifier)
    witness.sign(request(MAIN, 5, 8, epoch=1), LOG.verifier)
    assert refusal(witness, request(MAIN, 8, 9)).number == Refusal.CONFLICT
    assert refusal(witness, request(MAIN, 8, 8)).number == Refusal.CONFLICT
    assert refusal(witness, request(MAIN, 8, 8, epoch=2)).number == Refusal.CONFLICT
    witness.sign(request(MAIN, 8, 9, epoch=1), LOG.verifier)
    (kept,) = folder.glob("*.epoch-0.note")
    assert open_witnessed(kept.read_bytes(), LOG.verifier)[1].size == 5


# ---- the memory ------------------------------------------------------------------------------------


def test_a_memory_that_is_lost_or_of_another_is_refused(folder: Path, tmp_path: Path, time: Time) -> None:
    with pytest.raises(InputError, match="no memory of a witness"):
        Cosigner(tmp_path, WITNESS, time)
    with pytest.raises(InputError, match="another witness"):
        Cosigner(folder, NoteSigner(WITNESS.name, fixed_key("stranger")), time)
    with pytest.raises(InputError, match="exists already"):
        Cosigner.create(folder, WITNESS.cosigner)


def test_a_memory_that_was_altered_is_refused(witness: Cosigner, folder: Path) -> None:
    witness.sign(request(MAIN, 0, 9), LOG.verifier)
    (path,) = folder.glob("*.note")
    good = path.read_bytes()
    without = format_note(parse_note(note(MAIN, 5))).encode()
    for bad in (b"", good[:-3], without, good.replace(b"\n9\n", b"\n5\n"), b"\xff" + good):
        path.write_bytes(bad)
        with pytest.raises(DataError, match="not what this witness signed"):
            witness.sign(request(MAIN, 0, 5), LOG.verifier)
        assert path.read_bytes() == bad
    path.write_bytes(good)
    witness.sign(request(MAIN, 9, 10), LOG.verifier)


def _ask(folder: Path, branch: int, answers: Any) -> None:
    """In a process of its own: go on with a branch, as far as the witness lets it."""
    witness = Cosigner(folder, WITNESS, Time())
    tree = leaves(branch, 5)
    old = 5
    for size in range(6, MOST):
        try:
            answers.put((branch, witness.sign(request(tree, old, size), LOG.verifier).note))
        except RefusedRequestError as error:
            if error.size is None or error.fork:
                break
            old = error.size
        else:
            old = size
    answers.put(None)


def test_of_several_processes_with_different_logs_one_gets_through(witness: Cosigner, folder: Path) -> None:
    witness.sign(request(MAIN, 0, 5), LOG.verifier)
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    asking = [SpawnProcess(target=_ask, args=(folder, branch, answers)) for branch in (1, 2, 3)]
    for one in asking:
        one.start()
    found, ended = [], 0
    while ended < len(asking):
        one = answers.get(timeout=60)
        ended += one is None
        found += [] if one is None else [one]
    for process in asking:
        process.join()
        assert process.exitcode == 0
    assert len({branch for branch, _ in found}) == 1
    assert {parse_checkpoint(parse_note(text).text).size for _, text in found} == set(range(6, MOST))


def _die(folder: Path, when: str) -> None:
    """In a process of its own: the power fails before the new memory is in its place, or after that."""
    witness = Cosigner(folder, WITNESS, Time())
    if when == "before":
        os.replace = os.rename = lambda *_, **__: os._exit(9)
    witness.sign(request(MAIN, 5, 9), LOG.verifier)
    os._exit(9)


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_dies_before_the_answer_leaves_can_be_asked_again(when: str, folder: Path, time: Time) -> None:
    witness = Cosigner(folder, WITNESS, time)
    witness.sign(request(MAIN, 0, 5), LOG.verifier)
    process = SpawnProcess(target=_die, args=(folder, when))
    process.start()
    process.join()
    assert process.exitcode == 9
    remembered = parse_checkpoint(parse_note(witness.last(LOG.verifier) or "").text)
    assert remembered.size == (5 if when == "before" else 9)
    time.now += 100
    answer = witness.sign(request(MAIN, 5, 9), LOG.verifier)
    assert answer.again == (when == "after")
    assert open_cosignature(answer.note, WITNESS.cosigner) == time.now - 100 * (when == "after")
    assert refusal(witness, request(leaves(1, 5), 5, 9)).fork


# ---- whatever it is asked ---------------------------------------------------------------------------


class Asked(RuleBasedStateMachine):
    """A log that forks, rolls back, replays requests and makes up proofs; a witness that forgets nothing."""

    requests: Bundle[Request] = Bundle("requests")

    @initialize()
    def begin(self) -> None:
        self.home = tempfile.TemporaryDirectory()
        self.folder = Path(self.home.name) / "memory"
        Cosigner.create(self.folder, WITNESS.cosigner)
        self.time = Time()
        self.witness = Cosigner(self.folder, WITNESS, self.time)
        self.branches = [MAIN]
        self.signed: list[tuple[int, bytes, int]] = []  # size, root, time

    def teardown(self) -> None:
        self.home.cleanup()

    @rule(parts_at=st.integers(0, MOST))
    def fork(self, parts_at: int) -> None:
        if len(self.branches) < 4:
            self.branches.append(leaves(len(self.branches), parts_at))

    @rule(seconds=st.integers(0, 5))
    def wait(self, seconds: int) -> None:
        self.time.now += seconds

    @rule()
    def open_again(self) -> None:
        self.witness = Cosigner(self.folder, WITNESS, self.time)

    def _ask(self, asked: Request) -> None:
        before = self.witness.last(LOG.verifier)
        try:
            answer = self.witness.sign(asked, LOG.verifier)
        except RefusedRequestError:
            assert self.witness.last(LOG.verifier) == before
            return
        time = open_cosignature(answer.note, WITNESS.cosigner)
        signed = open_witnessed(answer.note, LOG.verifier)[1]
        assert self.witness.last(LOG.verifier) == answer.note
        assert time == (self.time.now if not answer.again else self.signed[-1][2])
        self.signed.append((signed.size, signed.root, time))

    @rule(target=requests, branch=st.integers(0, 3), old=st.integers(0, MOST), size=st.integers(1, MOST))
    def ask_anything(self, branch: int, old: int, size: int) -> Request:
        tree = self.branches[branch % len(self.branches)]
        asked = Request(old, proof(tree, old, size), note(tree, size))
        self._ask(asked)
        return asked

    @rule(
        target=requests,
        branch=st.integers(0, 3),
        more=st.integers(0, 6),
        hashes=st.lists(st.binary(min_size=32, max_size=32)),
    )
    def make_up_a_proof(self, branch: int, more: int, hashes: list[bytes]) -> Request:
        tree, old = self.branches[branch % len(self.branches)], self.signed[-1][0] if self.signed else 0
        asked = Request(old, tuple(hashes), note(tree, max(1, min(MOST, old + more))))
        self._ask(asked)
        return asked

    @rule(asked=requests)
    def ask_again(self, asked: Request) -> None:
        self._ask(asked)

    @rule(target=requests, more=st.integers(0, 4), fork=st.booleans())
    def go_on(self, more: int, fork: bool) -> Request:
        """A request as it has to be, from what was signed last: signed if the branch is one that was signed."""
        old, root, _ = self.signed[-1] if self.signed else (0, merkle.EMPTY_ROOT, 0)
        mine = [tree for tree in self.branches if merkle.root(tree[:old]) == root]
        tree = mine[0] if not fork else self.branches[-1]
        size = max(1, min(MOST, old + more))
        asked = Request(old, proof(tree, old, size), note(tree, size))
        count = len(self.signed)
        self._ask(asked)
        assert (len(self.signed) > count) == (tree[:old] == mine[0][:old])
        return asked

    @invariant()
    def everything_signed_is_one_history(self) -> None:
        if not hasattr(self, "signed") or not self.signed:
            return
        size, root, _ = self.signed[-1]
        (tree, *_) = [one for one in self.branches if merkle.root(one[:size]) == root]
        for before, its_root, _ in self.signed:
            assert before <= size
            assert merkle.root(tree[:before]) == its_root
        assert [time for *_, time in self.signed] == sorted(time for *_, time in self.signed)


TestAsked = Asked.TestCase
TestAsked.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
