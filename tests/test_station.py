"""A station's numbers: none is used twice, none is lost, whatever happens between two system calls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tracechain import encoding, record
from tracechain.errors import DataError, EquivocationError, InputError, PoisonedError, StorageError
from tracechain.record import Record
from tracechain.signing import verify as verify_signature
from tracechain.statement import Submission, check_items, decode_submission
from tracechain.station import Station
from tracechain.testing import START, Clock, Keys, Random, new_ledger
from tracechain.testing.samples import observe, pack_ids, receive

KEYS = Keys()
LEDGER = bytes(range(32))


def create(path: Path, **changes: Any) -> Station:
    given: dict[str, Any] = {"clock": Clock(), "random": Random(9)} | changes
    return Station.create(path, KEYS.station, LEDGER, **given)


def reopen(path: Path) -> Station:
    return Station.open(path, KEYS.station, clock=Clock(), random=Random(10))


def make(station: Station, count: int = 1) -> Submission:
    return decode_submission(station.make([observe((one,)) for one in pack_ids(count)]))


# ---- what a submission is --------------------------------------------------------------------------


def test_a_submission_is_what_a_ledger_takes(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "station"))
        with Station.create(tmp_path / "station", KEYS.station, ledger.ledger_id, clock=Clock()) as station:
            data = [station.make([observe(pack_ids(2)), Record("note", ("x",))], record_class=3) for _ in range(3)]
            assert [p.first for p in station.pending()] == [0, 2, 4]
            for first, waiting in zip((0, 2, 4), station.pending(), strict=True):
                assert waiting.read() == data.pop(0)
                receipt = ledger.submit(waiting.read())
                assert receipt.count == waiting.count == 2
                assert ledger.submit(waiting.read()).first == receipt.first
                station.acknowledge(first)
            assert station.pending() == []
            assert station.next_sequence == 6


def test_statements_follow_each_other(tmp_path: Path) -> None:
    with create(tmp_path / "s", clock=Clock(START + 5)) as station:
        one, other = make(station, 3), make(station, 2)
    for submission in (one, other):
        check_items(submission)
        verify_signature(KEYS.station.public_key, submission.statement.message, submission.statement.signature)
        assert submission.statement.ledger_id == LEDGER
        assert submission.statement.signed_at == START + 5
    assert (one.statement.first, one.statement.previous) == (0, bytes(32))
    assert (other.statement.first, other.statement.previous) == (3, one.statement.hash)


@pytest.mark.parametrize(
    "make_it",
    [
        lambda s: s.make([]),
        lambda s: s.make(["an event"]),
        lambda s: s.make([observe(pack_ids(1))], record_class=1 << 16),
        lambda s: s.make([observe(pack_ids(1))], record_class=-1),
        lambda s: s.make([observe(pack_ids(1))], record_class=True),
        lambda s: s.make([Record("note", "x" * 65_536)]),
        lambda s: s.make([Record("note", "\u0007")]),
    ],
)
def test_what_cannot_be_recorded_uses_no_number(tmp_path: Path, make_it: Callable[[Station], bytes]) -> None:
    with create(tmp_path / "s") as station:
        with pytest.raises(InputError):
            make_it(station)
        assert station.next_sequence == 0
        assert make(station).statement.first == 0


def test_a_clock_or_a_signer_that_fails_uses_no_number(tmp_path: Path) -> None:
    clock = Clock(-1)
    with create(tmp_path / "s", clock=clock) as station:
        with pytest.raises(InputError, match="time -1"):
            make(station)
        clock.set(START)
        assert make(station).statement.first == 0


# ---- the same numbers after anything ---------------------------------------------------------------


class StationMachine(RuleBasedStateMachine):
    """Against a model: what was handed out, and what of it was acknowledged. Files are all that survives a crash."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = Path(tempfile.mkdtemp(prefix="station"))
        self.path = self.folder / "s"
        self.station = create(self.path)
        self.handed_out: list[tuple[int, int, bytes]] = []
        self.waiting: dict[int, bytes] = {}

    def teardown(self) -> None:
        self.station.close()
        shutil.rmtree(self.folder)

    @rule(count=st.integers(1, 4))
    def make(self, count: int) -> None:
        data = self.station.make([observe((one,)) for one in pack_ids(count)])
        statement = decode_submission(data).statement
        self.handed_out.append((statement.first, statement.count, statement.hash))
        assert statement.previous == (self.handed_out[-2][2] if statement.first else bytes(32))
        self.waiting[statement.first] = data

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        first = data.draw(st.sampled_from(sorted(self.waiting)))
        self.station.acknowledge(first)
        del self.waiting[first]

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def crash_between_state_and_unlink(self, data: st.DataObject) -> None:
        """The state is written, the submission is still there: it is pending again, and may be acknowledged again."""
        first = data.draw(st.sampled_from(sorted(self.waiting)))
        path = next(p.path for p in self.station.pending() if p.first == first)
        kept = path.read_bytes()
        self.station.acknowledge(first)
        path.write_bytes(kept)
        self.crash()

    @rule()
    def crash_before_rename(self) -> None:
        """Half of the next submission is on disk; nobody was given it."""
        first = self.station.next_sequence
        (self.path / "out" / f"{first:020}-{1:07}.tcs.part").write_bytes(b"half")
        (self.path / "state.part").write_bytes(b"half")
        self.crash()

    @rule()
    def crash(self) -> None:
        self.station.close()
        self.station = reopen(self.path)

    @invariant()
    def numbers_are_used_once_and_none_is_lost(self) -> None:
        end = 0
        for first, count, _ in self.handed_out:
            assert first == end
            end += count
        assert self.station.next_sequence == end
        assert {p.first: p.read() for p in self.station.pending()} == self.waiting
        assert [p.first for p in self.station.pending()] == sorted(self.waiting)


TestStationMachine = StationMachine.TestCase


@pytest.mark.parametrize("what", ["make", "acknowledge"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(6))
def test_a_failing_call_poisons_and_nothing_is_used_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int, after: bool
) -> None:
    """Each sync, rename and unlink fails once, before or after it took effect."""
    station = create(tmp_path / "s")
    first = make(station)
    count = 0

    def failing(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == number + 1:
                if after:
                    original(*arguments, **options)
                raise OSError(5, "Input/output error")
            return original(*arguments, **options)

        return call

    handed_out = [first.statement]
    acknowledged = False
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(os.fsync))
        patch.setattr(Path, "replace", failing(Path.replace))
        patch.setattr(Path, "unlink", failing(Path.unlink))
        try:
            if what == "make":
                handed_out.append(make(station, 2).statement)
            else:
                station.acknowledge(0)
                acknowledged = True
        except StorageError:
            with pytest.raises(PoisonedError, match="open the station again"):
                make(station)
            with pytest.raises(PoisonedError):
                station.acknowledge(0)
        else:
            assert count <= number, "a failing call went unnoticed"
    station.close()
    with reopen(tmp_path / "s") as again:
        waiting = [decode_submission(p.read()).statement for p in again.pending()]
        if not acknowledged and what == "make":
            assert waiting[: len(handed_out)] == handed_out
        handed_out += [s for s in waiting if s not in handed_out]
        handed_out.append(make(again).statement)
    ends = [0, *(s.first + s.count for s in handed_out)]
    assert [s.first for s in handed_out] == ends[:-1]
    assert [s.previous for s in handed_out] == [bytes(32), *(s.hash for s in handed_out[:-1])]


def test_a_station_that_was_created_is_durable_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power loss could take the folder, and its numbers would begin again."""
    synced: list[str] = []
    original = os.fsync

    def sync(fd: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        original(fd)

    monkeypatch.setattr(os, "fsync", sync)
    create(tmp_path / "s").close()
    assert str(tmp_path) in synced
    synced.clear()
    with reopen(tmp_path / "s") as station:
        make(station)
    # What a killed process left is made durable before it is handed out; then each submission, and its name.
    assert [Path(name).name.partition("-")[2] or Path(name).name for name in synced] == [
        "s",
        "out",
        "0000001.tcs.part",
        "out",
    ]


def test_an_interrupted_creation_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(StorageError, match="cannot make a station"):
            create(tmp_path / "s")
    assert not (tmp_path / "s").exists()
    with create(tmp_path / "s") as station:
        assert make(station).statement.first == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s"]


# ---- one user at a time ----------------------------------------------------------------------------


def test_a_station_has_one_user(tmp_path: Path) -> None:
    with create(tmp_path / "s"):
        with pytest.raises(InputError, match="in use"):
            reopen(tmp_path / "s")
        child = (
            "import sys; from tracechain.station import Station; from tracechain.testing import Keys\n"
            "try: Station.open(sys.argv[1], Keys().station)\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        said = subprocess.run([sys.executable, "-c", child, str(tmp_path / "s")], capture_output=True, check=True)
        assert b"InputError" in said.stdout
        assert b"in use" in said.stdout
    reopen(tmp_path / "s").close()


def test_a_refused_or_failed_opening_leaves_no_lock_behind(tmp_path: Path) -> None:
    open_files = sum(1 for _ in Path("/proc/self/fd").iterdir())
    with create(tmp_path / "s"):
        for _ in range(3):
            with pytest.raises(InputError):
                reopen(tmp_path / "s")
    state = (tmp_path / "s" / "state").read_bytes()
    (tmp_path / "s" / "state").write_bytes(b"\x00")
    for _ in range(3):
        with pytest.raises(DataError):
            reopen(tmp_path / "s")
    (tmp_path / "s" / "state").write_bytes(state)
    reopen(tmp_path / "s").close()
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == open_files


def test_a_closed_station_makes_nothing(tmp_path: Path) -> None:
    """Another process may have used the next number since."""
    station = create(tmp_path / "s")
    make(station)
    station.close()
    station.close()
    with pytest.raises(InputError, match="closed"):
        make(station)
    with pytest.raises(InputError, match="closed"):
        station.acknowledge(0)


def test_a_forked_child_makes_nothing(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                make(station)
            except InputError as error:
                os.write(write, str(error).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(write)
        assert b"parent of this process" in os.read(read, 1000)
        os.close(read)
        assert make(station).statement.first == 0


def test_threads_share_a_station(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        made: list[Submission] = []

        def work() -> None:
            made.extend(make(station, 2) for _ in range(10))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statements = sorted((s.statement for s in made), key=lambda s: s.first)
        assert [s.first for s in statements] == list(range(0, 160, 2))
        assert [s.previous for s in statements[1:]] == [s.hash for s in statements[:-1]]


# ---- damage ----------------------------------------------------------------------------------------


def test_an_existing_folder_is_not_begun_anew(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        make(station)
    with pytest.raises(InputError, match="exists already"):
        create(tmp_path / "s")
    shutil.rmtree(tmp_path / "s" / "out")
    with pytest.raises(InputError, match="exists already"):
        create(tmp_path / "s")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="exists already"):
        create(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    create(tmp_path / "empty").close()


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_ledger_id_has_32_bytes(tmp_path: Path, length: int) -> None:
    with pytest.raises(InputError, match="32 bytes"):
        Station.create(tmp_path / "s", KEYS.station, bytes(length))
    assert not (tmp_path / "s").exists()


def test_another_key_or_folder_is_refused(tmp_path: Path) -> None:
    create(tmp_path / "s").close()
    with pytest.raises(InputError, match="belongs to author key"):
        Station.open(tmp_path / "s", KEYS.other_station)
    with pytest.raises(DataError, match="holds no station"):
        Station.open(tmp_path / "nowhere", KEYS.station)
    with pytest.raises(DataError, match="holds no station"):
        Station.open(tmp_path, KEYS.station)


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"\x92\x00",
        encoding.pack((0, b"x" * 32)),
        encoding.pack((5, bytes(32))),
        encoding.pack((5, b"x" * 31)),
        encoding.pack((-1, b"x" * 32)),
        encoding.pack((True, b"x" * 32)),
        encoding.pack((1, b"x" * 32, 1)),
        b"\x92\xcd\x00\x05" + encoding.pack(b"x" * 32),
    ],
)
def test_a_damaged_state_is_refused(tmp_path: Path, state: bytes) -> None:
    create(tmp_path / "s").close()
    (tmp_path / "s" / "state").write_bytes(state)
    with pytest.raises(DataError, match="damaged"):
        reopen(tmp_path / "s")


@pytest.mark.parametrize("name", ["station", "state"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    create(tmp_path / "s").close()
    (tmp_path / "s" / name).unlink()
    with pytest.raises(DataError, match=f"{name} is missing"):
        reopen(tmp_path / "s")


def test_a_missing_out_folder_is_an_error_of_ours(tmp_path: Path) -> None:
    create(tmp_path / "s").close()
    shutil.rmtree(tmp_path / "s" / "out")
    with pytest.raises(StorageError, match="out"):
        reopen(tmp_path / "s")


def test_a_damaged_last_submission_is_named(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        make(station)
        path = station.pending()[0].path
    kept = path.read_bytes()
    for data in (b"", kept[:-1], kept + b"\0", b"\xc0"):
        path.write_bytes(data)
        with pytest.raises(DataError, match=path.name):
            reopen(tmp_path / "s")
    path.write_bytes(kept)
    with reopen(tmp_path / "s") as station:
        assert station.next_sequence == 1


def test_submissions_of_another_station_are_not_taken_for_its_own(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        make(station)
        path = station.pending()[0].path
    with Station.create(tmp_path / "other", KEYS.other_station, LEDGER) as other:
        foreign = other.make([receive(pack_ids(1))])
    with Station.create(tmp_path / "third", KEYS.station, bytes(32)) as third:
        elsewhere = third.make([receive(pack_ids(1))])
    for data in (foreign, elsewhere):
        path.write_bytes(data)
        with pytest.raises(DataError, match="another station"):
            reopen(tmp_path / "s")


def test_two_submissions_with_a_number_in_common_are_refused(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        make(station, 3)
        path = station.pending()[0].path
    shutil.copy(path, path.with_name("00000000000000000002-0000003.tcs"))
    with pytest.raises(DataError, match="number in common"):
        reopen(tmp_path / "s")


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        make(station)
    for name in ("notes.txt", "00000000000000000009-0000001.tcs~", "٠0000000000000000009-0000001.tcs"):
        (tmp_path / "s" / "out" / name).write_text("mine")
    with reopen(tmp_path / "s") as station:
        assert [p.first for p in station.pending()] == [0]
    assert (tmp_path / "s" / "out" / "notes.txt").read_text() == "mine"


def test_an_acknowledgement_needs_a_pending_submission(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        make(station, 2)
        for first in (1, 2, -1):
            with pytest.raises(InputError, match=f"begins at number {first}"):
                station.acknowledge(first)
        station.acknowledge(0)
        with pytest.raises(InputError):
            station.acknowledge(0)


def test_a_submission_that_was_taken_away_says_so(tmp_path: Path) -> None:
    with create(tmp_path / "s") as station:
        make(station)
        pending = station.pending()[0]
        pending.path.unlink()
        with pytest.raises(StorageError, match="cannot read the submission"):
            pending.read()
        station.acknowledge(0)


def test_thousands_of_pending_submissions_are_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Acknowledging each of n submissions must not read a folder of n files n times."""
    with create(tmp_path / "s") as station:
        for _ in range(30):
            make(station)
    listed = 0
    original = Path.iterdir

    def iterdir(self: Path) -> Iterator[Path]:
        nonlocal listed
        listed += 1
        return original(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with reopen(tmp_path / "s") as station:
        for first in range(30):
            station.acknowledge(first)
            assert len(station.pending()) == 29 - first
    assert listed == 1


def test_an_older_copy_of_the_folder_equivocates_and_the_ledger_says_so(tmp_path: Path) -> None:
    """No station can know that it was put back; the evidence is the ledger's to keep."""
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "station"))
        with Station.create(tmp_path / "s", KEYS.station, ledger.ledger_id, random=Random(1)) as station:
            shutil.copytree(tmp_path / "s", tmp_path / "old")
            ledger.submit(station.make([observe(pack_ids(1))]))
        with Station.open(tmp_path / "old", KEYS.station, random=Random(2)) as old, pytest.raises(EquivocationError):
            ledger.submit(old.make([receive(pack_ids(1))]))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.data())
def test_any_order_of_acknowledgements_leaves_the_next_number(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("station") / "s"
    with create(path) as station:
        firsts = [make(station, count).statement.first for count in counts]
        last = decode_submission(station.pending()[-1].read()).statement.hash
    for first in data.draw(st.permutations(firsts)):
        with reopen(path) as station:
            station.acknowledge(first)
    with reopen(path) as station:
        statement = make(station).statement
    assert (statement.first, statement.previous) == (sum(counts), last)
