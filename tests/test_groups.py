"""Group commit: many threads share durable commits, each gets its own outcome."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType, parse_header
from tracechain.errors import (
    ClockError,
    DataError,
    EquivocationError,
    InputError,
    KeyUseError,
    RefusedError,
    StorageError,
    TracechainError,
)
from tracechain.ledger import DAY, Ledger, Receipt
from tracechain.ledger import jobs as jobs_module
from tracechain.ledger.groups import GroupCommit, Request
from tracechain.record import Record, authorise
from tracechain.statement import decode_statement
from tracechain.station import Station
from tracechain.testing import Clock, Keys, Random, new_ledger
from tracechain.testing.samples import commission, destroy, observe, pack_ids, sell
from tracechain.verification import verify

KEYS = Keys()


def together(ledger: Ledger, jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run the jobs in threads so that all of them are one group: what each returned or raised, in order.

    The ledger's lock is held until all have queued up behind the first, which leads a group of its own.
    """
    results: list[Any] = [None] * len(jobs)

    def run(number: int) -> None:
        try:
            results[number] = jobs[number]()
        except BaseException as error:  # noqa: BLE001  # it is an outcome
            results[number] = error

    def lead() -> None:
        with contextlib.suppress(TracechainError):  # where the clock or the disk is wrong, it is for all
            ledger.append([commission(pack_ids(1, start=999_999))])

    def queued(number: int) -> bool:
        return len(ledger._groups._queue) == number + 1 or results[number] is not None

    first = threading.Thread(target=lead)
    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(jobs))]
    with ledger._store.lock.held():
        first.start()
        _wait_until(lambda: ledger._groups._led and not ledger._groups._queue)
        for number, thread in enumerate(threads):
            thread.start()
            _wait_until(partial(queued, number))
    for thread in (first, *threads):
        thread.join()
    return results


def _wait_until(what: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(20_000):
        if what():
            return
        pause.wait(0.001)
    raise AssertionError("it did not come to pass")


def _length(queue: GroupCommit[Any, Any], length: int) -> bool:
    return len(queue._queue) == length


def statements(ledger: Ledger) -> list[tuple[int, int]]:
    """(index, count) of the statements in the log, whose coverage is checked to be exact."""
    found: list[tuple[int, int]] = []
    covered: list[int] = []
    contents: list[int] = []
    with ledger.snapshot() as view:
        for index, header in view.headers(0, view.size):
            kind = parse_header(header).type
            if kind == EntryType.STATEMENT:
                part = view.content(index)
                assert part is not None
                count = decode_statement(part[SALT_SIZE:]).count
                found.append((index, count))
                covered += range(index + 1, index + 1 + count)
            elif kind in (EntryType.EVENT, EntryType.RECORD):
                contents.append(index)
    assert covered == contents
    return found


def sound(ledger: Ledger) -> bool:
    with ledger.snapshot() as view:
        report = verify(view, verifier=ledger.verifier)
    assert report, report.findings
    return True


# ---- the queue itself ----------------------------------------------------------------------------


def test_each_gets_its_own_result() -> None:
    groups: list[int] = []

    def commit(requests: list[Request[int, int]]) -> None:
        groups.append(len(requests))
        for request in requests:
            request.result = request.job * 2

    queue: GroupCommit[int, int] = GroupCommit(commit, most=5)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(queue.submit, range(1, 500))) == [2 * n for n in range(1, 500)]
    assert max(groups) <= 5
    assert sum(groups) == 499


def test_a_failed_commit_is_raised_to_each_and_the_next_goes_on() -> None:
    def commit(requests: list[Request[int, int]]) -> None:
        for request in requests:
            if request.job == 13:
                raise StorageError("the disk")
            request.result = request.job

    queue: GroupCommit[int, int] = GroupCommit(commit)
    outcomes = []

    def submit(job: int) -> None:
        try:
            outcomes.append(queue.submit(job))
        except StorageError:
            outcomes.append(-job)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(submit, [*range(1, 100)]))
    assert -13 in outcomes
    assert len(outcomes) == 99
    assert queue.submit(7) == 7


class StoppedError(BaseException):
    """Stands for a KeyboardInterrupt."""


def test_a_leader_that_is_interrupted_takes_nobody_with_it() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def commit(requests: list[Request[str, str]]) -> None:
        if requests[0].job == "first":
            entered.set()
            go_on.wait()
        for request in requests:
            if request.job == "stop":
                raise StoppedError
            request.result = request.job

    queue: GroupCommit[str, str] = GroupCommit(commit)
    outcomes: dict[str, Any] = {}

    def submit(job: str) -> None:
        try:
            outcomes[job] = queue.submit(job)
        except BaseException as error:  # noqa: BLE001  # it is an outcome
            outcomes[job] = error

    threads = [threading.Thread(target=submit, args=(job,)) for job in ("first", "stop", "a", "b")]
    threads[0].start()
    entered.wait()
    for number, thread in enumerate(threads[1:]):
        thread.start()
        _wait_until(partial(_length, queue, number + 1))
    go_on.set()
    for thread in threads:
        thread.join()
    assert outcomes["first"] == "first"
    assert isinstance(outcomes["stop"], StoppedError), "meant for the thread that led"
    for other in ("a", "b"):
        assert isinstance(outcomes[other], StorageError), "for the others it is no Ctrl-C of theirs"
        assert "whether it was written is unknown" in str(outcomes[other])
    assert queue.submit("after") == "after"


@pytest.mark.parametrize("when", ["waiting", "gathering"])
def test_a_thread_that_is_interrupted_while_it_waits_gives_the_lead_on(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next leader is interrupted before it leads: the one behind it must not wait for ever."""
    entered, go_on = threading.Event(), threading.Event()

    def commit(requests: list[Request[str, str]]) -> None:
        if requests[0].job == "first":
            entered.set()
            go_on.wait()
        for request in requests:
            request.result = request.job

    queue: GroupCommit[str, str] = GroupCommit(commit)
    outcomes: dict[str, Any] = {}

    class Interrupted:
        """A lock whose acquire is interrupted once it was released."""

        def __init__(self) -> None:
            self._lock = threading.Lock()
            self._lock.acquire()
            self.release = self._lock.release

        def acquire(self) -> None:
            self._lock.acquire()
            raise StoppedError

    real = Request.__init__

    def init(self: Request[str, str], job: str) -> None:
        real(self, job)
        if job == "victim" and when == "waiting":
            self.wake = Interrupted()  # type: ignore[assignment]  # as good as one

    monkeypatch.setattr(Request, "__init__", init)
    if when == "gathering":
        gather = queue._gather

        def stop() -> None:
            if threading.current_thread().name == "victim":
                raise StoppedError
            gather()

        monkeypatch.setattr(queue, "_gather", stop)

    def submit(job: str) -> None:
        try:
            outcomes[job] = queue.submit(job)
        except BaseException as error:  # noqa: BLE001  # it is an outcome
            outcomes[job] = error

    threads = [threading.Thread(target=submit, args=(job,), name=job) for job in ("first", "victim", "a", "b")]
    threads[0].start()
    entered.wait()
    for number, thread in enumerate(threads[1:]):
        thread.start()
        _wait_until(partial(_length, queue, number + 1))
    go_on.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "it waits for a leader that is gone"
    assert isinstance(outcomes["victim"], StoppedError)
    assert (outcomes["a"], outcomes["b"]) == ("a", "b")
    assert queue.submit("after") == "after"


# ---- many threads on a ledger --------------------------------------------------------------------


def test_threads_share_commits_and_each_has_its_own_receipt(tracechain_ledger: Ledger) -> None:
    def append(number: int) -> tuple[int, Receipt]:
        packs = pack_ids(1 + number % 3, start=10 * number + 1)
        return number, tracechain_ledger.append([commission((pack,)) for pack in packs])

    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(append, range(200)))
    used: set[int] = set()
    with tracechain_ledger.snapshot() as view:
        for number, receipt in receipts:
            assert receipt.count == 1 + number % 3
            for at, index in enumerate(receipt.indices):
                part = view.content(index)
                assert part is not None
                assert decode(part[SALT_SIZE:]).epcs == pack_ids(1, start=10 * number + 1 + at)
                assert index not in used
                used.add(index)
    made = statements(tracechain_ledger)
    assert {r.statement for _, r in receipts} == {index for index, _ in made}
    assert len(made) < 200, "no two appends shared a statement"
    sound(tracechain_ledger)


def test_one_group_of_everything(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    """In one commit: appends, a strict refusal, bad submissions, good ones twice, key changes, a false clock record."""
    ledger = tracechain_ledger
    ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "s"))
    ledger.append([commission(pack_ids(3)), destroy(pack_ids(1))])
    station = Station.create(tmp_path / "s", KEYS.station, ledger.ledger_id, clock=Clock(), random=Random(3))
    stranger = Station.create(tmp_path / "x", KEYS.stranger, ledger.ledger_id, clock=Clock(), random=Random(4))
    one, two = (station.make([commission(pack_ids(1, start=n))]) for n in (50, 60))
    before = len(statements(ledger))
    results = together(
        ledger,
        [
            lambda: ledger.append([commission(pack_ids(2, start=100))]),
            lambda: ledger.append([sell(pack_ids(1))], strict=True),
            lambda: ledger.append([observe(pack_ids(2, start=100))]),
            lambda: ledger.submit(stranger.make([commission(pack_ids(1))])),
            lambda: ledger.submit(two),
            lambda: ledger.submit(one),
            lambda: ledger.submit(one),
            lambda: ledger.submit(two),
            lambda: ledger.accept_clock("no reason"),
            lambda: ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "again")),
            lambda: ledger.authorise(authorise(ledger.ledger_id, KEYS.other_station, KEYS.root, "new")),
            lambda: ledger.append([sell(pack_ids(1))]),
            lambda: ledger.submit(b"no submission"),
        ],
    )
    kinds = [type(r) for r in results]
    assert kinds == [
        Receipt, RefusedError, Receipt, KeyUseError, Receipt, Receipt, Receipt, Receipt, InputError, KeyUseError,
        Receipt, Receipt, results[12].__class__,
    ], results  # fmt: skip
    assert isinstance(results[12], TracechainError)
    assert [r.repeated for r in results[4:8]] == [False, False, True, True]
    assert results[6].first == results[5].first
    assert results[6].time == results[5].time
    assert results[7].first == results[4].first
    assert len({r.checkpoint for r in results if isinstance(r, Receipt)}) == 1, "they were not one commit"
    assert len(results[11].violations) == 1
    assert (
        len(statements(ledger)) == before + 1 + 5
    )  # that of the first thread; two appends, two submissions, one append
    sound(ledger)


def test_a_contradiction_within_one_group_is_evidence(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    import shutil

    ledger = tracechain_ledger
    ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "s"))
    station = Station.create(tmp_path / "s", KEYS.station, ledger.ledger_id, clock=Clock(), random=Random(3))
    shutil.copytree(tmp_path / "s", tmp_path / "t")
    twin = Station.open(tmp_path / "t", KEYS.station, clock=Clock(), random=Random(4))
    one, lie = station.make([commission(pack_ids(1))]), twin.make([commission(pack_ids(1, start=2))])
    results = together(ledger, [lambda: ledger.submit(one), lambda: ledger.submit(lie), lambda: ledger.submit(lie)])
    assert [type(r) for r in results] == [Receipt, EquivocationError, EquivocationError]
    with ledger.snapshot() as view:
        kinds = [parse_header(h).type for _, h in view.headers(0, view.size)]
        assert kinds.count(EntryType.EVIDENCE) == 1
        assert [f.code for f in verify(view, verifier=ledger.verifier).findings] == ["EQUIVOCATION"]


def test_an_append_beyond_the_scope_sinks_no_other(tmp_path: Path) -> None:
    with Ledger.create(
        tmp_path / "l", origin="a/b", signer=KEYS.log, root=KEYS.root, clock=Clock(), random=Random()
    ) as ledger:
        ledger.authorise(authorise(ledger.ledger_id, KEYS.author, KEYS.root, "events only", ["event"]))
        ledger._author = KEYS.author
        results = together(
            ledger,
            [
                lambda: ledger.append([commission(pack_ids(1))]),
                lambda: ledger.append([Record("stopped", 1)]),
                lambda: ledger.append([commission(pack_ids(1, start=2))]),
            ],
        )
        assert [type(r) for r in results] == [Receipt, KeyUseError, Receipt]
        assert results[0].statement == results[2].statement
        sound(ledger)


def test_in_one_group_a_clock_record_lets_pass_what_comes_after_it(
    tracechain_ledger: Ledger, tracechain_clock: Clock
) -> None:
    ledger = tracechain_ledger
    tracechain_clock.advance(40 * DAY)
    results = together(
        ledger,
        [
            lambda: ledger.append([commission(pack_ids(1))]),
            lambda: ledger.accept_clock("the site was closed"),
            lambda: ledger.append([commission(pack_ids(1, start=2))]),
            lambda: ledger.accept_clock("the site was closed"),
        ],
    )
    assert [type(r) for r in results] == [ClockError, Receipt, Receipt, InputError]
    sound(ledger)


def test_statements_are_cut_where_they_would_cover_too_much(
    tracechain_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "MAX_COUNT", 5)
    ledger = tracechain_ledger

    def append(number: int) -> Receipt:
        return ledger.append([commission(pack_ids(1, start=10 * number + 1))] * (1 + number % 3))

    results = together(ledger, [partial(append, n) for n in range(8)])
    assert [type(r) for r in results] == [Receipt] * 8
    counts = [count for _, count in statements(ledger)]
    assert max(counts) <= 5
    assert sum(counts) == 1 + sum(1 + n % 3 for n in range(8))
    sound(ledger)


def test_damage_sinks_the_commit_whole_and_is_told_to_all(tracechain_ledger: Ledger) -> None:
    """A missing header met while one of the group is sealed: nobody's half statement is signed."""
    ledger = tracechain_ledger
    ledger.append([commission(pack_ids(1))])
    with ledger.snapshot() as view:
        unit = view.unit(pack_ids(1)[0])
        assert unit is not None
    env = ledger._store.env
    with env.begin(write=True) as txn:  # behind the ledger's back, as by another process
        kept = txn.pop(unit.last.to_bytes(8, "big"), env.tables["headers"])
    before = ledger.checkpoint()
    results = together(
        ledger,
        [lambda: ledger.append([commission(pack_ids(1, start=5))]), lambda: ledger.append([observe(pack_ids(1))])],
    )
    assert all(isinstance(r, (DataError, StorageError)) for r in results), results
    with env.begin(write=True) as txn:
        txn.put(unit.last.to_bytes(8, "big"), kept, db=env.tables["headers"])
    assert int(ledger.checkpoint().splitlines()[1]) - int(before.splitlines()[1]) in (0, 2)
    ledger.append([observe(pack_ids(1))])
    sound(ledger)


@settings(max_examples=12)
@given(seed=st.integers(0, 1 << 32))
def test_any_mixture_leaves_a_sound_log(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    import shutil

    folder = tmp_path_factory.mktemp("mix")
    accepted: list[Receipt] = []
    with new_ledger(folder / "l") as ledger:
        ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "s"))
        station = Station.create(folder / "s", KEYS.station, ledger.ledger_id, clock=Clock(), random=Random(3))
        submissions = [station.make([commission(pack_ids(2, start=500 + n))]) for n in range(10)]

        def work(number: int) -> None:
            chance = random.Random(seed * 100 + number)
            for _ in range(8):
                packs = pack_ids(chance.randint(1, 3), start=chance.randint(1, 12))
                event = chance.choice([commission, observe, destroy, sell])(packs)
                try:
                    if chance.random() < 0.3:
                        accepted.append(ledger.submit(chance.choice(submissions)))
                    else:
                        accepted.append(ledger.append([event] * chance.randint(1, 3), strict=chance.random() < 0.4))
                except RefusedError:
                    pass

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(work, range(6)))
        own = [r for r in accepted if not r.repeated]
        assert sum(r.count for r in own) == sum(count for _, count in statements(ledger))
        with ledger.snapshot() as view:
            report = verify(view, verifier=ledger.verifier)
            assert {f.code for f in report.findings} <= {"AUTHOR_GAP"}, report.findings
        station.close()
    shutil.rmtree(folder)
