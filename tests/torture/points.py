"""Kills and fails a process that works on a ledger, at chosen system calls, and looks at what is left.

Run as a program (the tests do), as it forks and must be single-threaded for that:

    python tests/torture/points.py --folder DIR --kind kill --scenarios append,threads --points 50 --seed 1

A point is one run of a scenario in a forked child. The child reports on a shared memory board, which outlives it and
needs no system call, so only the ledger's own calls are counted. strace(1) attaches to the child and, at the N-th
write, sync, rename ... call,

    kill    sends SIGKILL; or the parent does, after a random delay
    fail    makes the call fail with ENOSPC or EIO, once or from then on

Then the parent opens the ledger again: everything acknowledged is there at its index, the log verifies, every
checkpoint that was handed out is consistent with it, and it can go on. The last line of output is the outcome as JSON.
"""

from __future__ import annotations

import argparse
import collections
import ctypes
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import frozen
from crash_work import (
    KEYS,
    SCENARIOS,
    SECRET,
    Board,
    Sale,
    Work,
    anchor_of,
    copy_of,
    create_ledger,
    make_due,
    open_ledger,
    registers,
    restore_ledger,
    secret_of,
    work_threads,
    work_threads_failing,
)

from pilot_world import REGISTERED, compare
from tracechain import merkle
from tracechain.checkpoint import parse_checkpoint, parse_note
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType, parse_header
from tracechain.errors import RollbackError, TracechainError
from tracechain.ledger import Ledger
from tracechain.persons.finding import erasures
from tracechain.record import authorise, decode_record
from tracechain.registers import KINDS
from tracechain.replay import replay
from tracechain.retention.prunings import prunings
from tracechain.station import Station
from tracechain.store import Kept, Snapshot
from tracechain.testing import Clock
from tracechain.testing.samples import commission, observe, pack_ids
from tracechain.verification import Code, verify
from tracechain.view import ViewNodes

#: What may be failed and killed at: everything that puts something on a disk.
CALLS = (
    "write", "pwrite64", "pwritev", "fdatasync", "fsync", "msync", "ftruncate",
    "rename", "renameat", "renameat2", "mkdir", "unlink", "unlinkat", "rmdir", "flock",
)  # fmt: skip
#: These report their failure to whoever called; a failed unlink or flock(LOCK_UN) is of no consequence.
FAILABLE = ("write", "pwrite64", "pwritev", "fdatasync", "fsync", "msync", "ftruncate", "rename", "mkdir")
#: Another process writes meanwhile, and must not notice.
PAIRS = ("pair", "compact-pair")
PATIENCE = 60.0


class UnavailableError(Exception):
    """strace is missing or may not trace."""


# ---- one point -----------------------------------------------------------------------------------


@frozen
class Point:
    """`call` is None for a kill after `delay` seconds; `error` is None for a kill."""

    scenario: str
    seed: int
    call: str | None = None
    when: int = 0
    error: str | None = None
    lasting: bool = False
    delay: float = 0.0

    def __str__(self) -> str:
        what = f"kill after {self.delay * 1000:.1f} ms" if self.call is None else f"{self.error or 'kill'} at"
        at = "" if self.call is None else f" {self.call} {self.when}{'+' if self.lasting else ''}"
        return f"{self.scenario} (seed {self.seed}): {what}{at}"


def injection(point: Point) -> list[str]:
    if point.call is None:
        return []
    what = "signal=KILL" if point.error is None else f"error={point.error}"
    return ["-e", f"inject={point.call}:{what}:when={point.when}{'+' if point.lasting else ''}"]


def trace(pid: int, log: Path, extra: list[str]) -> subprocess.Popen[bytes]:
    """Attach strace to a child that waits at its gate."""
    strace = shutil.which("strace")
    if strace is None:
        raise UnavailableError("strace is not installed")
    tracer = subprocess.Popen(
        [strace, "-f", "-q", "-o", str(log), "-e", f"trace={','.join(CALLS)}", *extra, "-p", str(pid)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    end = time.monotonic() + PATIENCE
    while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text():
        if tracer.poll() is not None or time.monotonic() > end:
            said = tracer.stderr.read().decode(errors="replace") if tracer.stderr is not None else ""
            tracer.kill()
            raise UnavailableError(f"strace may not attach here: {said.strip()[:200]}")
        time.sleep(0.001)
    return tracer


def start(work: Callable[[], None]) -> tuple[int, int]:
    """Fork a child that does `work` once a byte is written to its gate: (pid, gate)."""
    theirs, gate = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, gate
    code = 70
    try:
        os.close(gate)
        ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1 & (1 << 64) - 1), 0, 0, 0)  # let the sibling trace us
        os.read(theirs, 1)
        work()
        code = 0
    finally:
        os._exit(code)


def child(work: Work, scenario: Callable[[Work], None]) -> None:
    try:
        scenario(work)
    except BaseException:  # noqa: BLE001  # the board is all that is left of a child
        work.board.add(unexpected=traceback.format_exc())
    if work.ledger is not None:
        work.ledger.close()


class Range:
    """The place where points are run: a template of each scenario's ledger, and the counts of its calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.board = Board()
        self.other_board = Board()
        self.template = folder / "template"
        self.counts: dict[str, dict[str, int]] = {}
        self.spans: dict[str, float] = {}
        self.submissions: list[bytes] = []
        self._number = 0
        self._make_templates()

    def _make_templates(self) -> None:
        """`plain`: a ledger with some history. `behind`: the same, whose anchor has seen more."""
        plain, behind = self.template / "plain", self.template / "behind"
        self.template.mkdir(parents=True)
        with create_ledger(plain) as ledger:
            ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "station"))
            ledger.append([commission(pack_ids(900))])
            for number in range(3):
                ledger.append([observe(pack_ids(20, start=20 * number + 1))] * 3)
            with_id = ledger.ledger_id
        station = Station.create(self.template / "station", KEYS.station, with_id, clock=Clock())
        self.submissions = [station.make([commission(pack_ids(1, start=n + 5000))] * 2) for n in range(2)]
        station.close()
        self._make_pilot()
        make_due(self.template / "due")
        shutil.copytree(plain, behind)
        shutil.copy(anchor_of(plain), anchor_of(behind))
        kept = self.template / "kept"
        shutil.copytree(behind, kept)
        with open_ledger(behind) as ledger:
            ledger.append([commission(pack_ids(3, start=7000))])
        shutil.rmtree(behind)
        kept.rename(behind)

    def _make_pilot(self) -> None:
        """`pilot`: a ledger with registers, a profile in force, and packs that the rules remember."""
        sale = Sale(Clock())
        with create_ledger(self.template / "pilot") as ledger:
            ledger.append([value.record() for value in REGISTERED])
            ledger.append([sale.commission(*pack_ids(700))])
            for number in range(3):
                ledger.append(sale.through(pack_ids(1, start=800 + number)[0], str(number)), strict=True)

    def fresh(self, scenario: str) -> Path:
        self._number += 1
        path = self.folder / f"point-{self._number}" / "ledger"
        path.parent.mkdir()
        if scenario != "create":
            name = {"restore": "behind", "prune": "due"}.get(scenario, scenario.split("-", maxsplit=1)[0])
            name = name if name in {"behind", "due", "pilot"} else "plain"
            source = self.template / name
            shutil.copytree(source, path)
            shutil.copy(anchor_of(source), anchor_of(path))
        return path

    def count(self, scenario: str, *, failing: bool) -> dict[str, int]:
        """How often each call occurs in an undisturbed run, at most in one thread."""
        if scenario not in self.counts:
            path = self.fresh(scenario)
            log = path.parent / "trace"
            self._run(Point(scenario, 1), path, log, failing=failing)
            seen: collections.Counter[tuple[str, str]] = collections.Counter()
            for line in log.read_text(errors="replace").splitlines():
                match = re.match(r"(\d+) +(\w+)\(", line)
                if match:
                    seen[match[1], match[2]] += 1
            counts: dict[str, int] = {}
            for (_, call), number in seen.items():
                counts[call] = max(counts.get(call, 0), number)
            self.counts[scenario] = counts
            shutil.rmtree(path.parent)
            path = self.fresh(scenario)
            begun = time.monotonic()
            self._run(Point(scenario, 1), path, None, failing=failing)
            self.spans[scenario] = time.monotonic() - begun
            shutil.rmtree(path.parent)
        return self.counts[scenario]

    def _run(self, point: Point, path: Path, log: Path | None, *, failing: bool) -> None:
        """Run a child to its end, whatever that is."""
        self.board.clear()
        self.other_board.clear()
        scenario = SCENARIOS[point.scenario]
        if failing and scenario is work_threads:
            scenario = work_threads_failing
        work = Work(path, point.seed, self.board, self.submissions)
        pid, gate = start(lambda: child(work, scenario))
        others: list[tuple[int, int]] = []
        if point.scenario in PAIRS:
            second = Work(path, point.seed + 1, self.other_board, [])
            others.append(start(lambda: child(second, work_threads)))
        tracer = None
        try:
            if log is not None:
                tracer = trace(pid, log, injection(point))
            for _, their_gate in [(pid, gate), *others]:
                os.write(their_gate, b"g")
            if log is None and point.delay:
                time.sleep(point.delay)
                os.kill(pid, signal.SIGKILL)
        except BaseException:
            for their_pid, _ in [(pid, gate), *others]:
                os.kill(their_pid, signal.SIGKILL)
            raise
        finally:
            for their_pid, their_gate in [(pid, gate), *others]:
                os.close(their_gate)
                os.waitpid(their_pid, 0)
            if tracer is not None:
                tracer.communicate(timeout=PATIENCE)

    def run(self, point: Point) -> str:
        """Run a point and look at what is left; returns the outcome, AssertionError where it is not as it must be."""
        path = self.fresh(point.scenario)
        log = path.parent / "trace" if point.call is not None else None
        try:
            self._run(point, path, log, failing=point.error is not None)
            injected = log is not None and re.search(
                r"INJECTED|\+\+\+ killed by SIGKILL", log.read_text(errors="replace")
            )
            lines = self.board.lines()
            outcome = self._look(point, path, lines, bool(injected))
            for line in self.other_board.lines():
                assert "unexpected" not in line, line["unexpected"]
                assert "error" not in line, line
            if point.scenario in PAIRS:
                assert sum("first" in line for line in self.other_board.lines()) == 12, "the other writer lost its way"
            inspect(point, path, lines + self.other_board.lines())
        except AssertionError as error:
            raise AssertionError(f"{point}: {error}\n{json.dumps(self.board.lines(), indent=1)[:4000]}") from error
        except TracechainError as error:
            raise AssertionError(f"{point}: {traceback.format_exc()}\n{self.board.lines()}") from error
        shutil.rmtree(path.parent)
        return outcome

    @staticmethod
    def _look(point: Point, path: Path, lines: list[dict[str, Any]], injected: bool) -> str:
        for line in lines:
            assert "unexpected" not in line, line["unexpected"]
        if point.error is None:
            done = sum("first" in line for line in lines)
            return ("killed" if point.call is None or injected else "ran through") + (
                ", some acknowledged" if done else ""
            )
        errors = [line for line in lines if "op" in line and "error" in line]
        if not injected:
            assert not errors, errors
            return "ran through"
        assert errors, "a call failed and nobody was told"
        for line in errors:
            assert line["error"] in {"StorageError", "PoisonedError"}, line
        writes = ("append", "submit", "reindex")
        for line in lines:
            if "after" in line and line["op"] in writes:
                assert line["after"] == "poisoned", line
            if line.get("op") == "backup" and "error" in line:
                assert not copy_of(path).exists(), "a backup failed and left something"
                assert not list(path.parent.glob(".*")), "a backup failed and left a part"
            if line.get("reopened") is False:
                assert point.lasting or point.scenario == "restore", line
        if point.scenario == "create" and errors[0]["op"] == "create":
            if not point.lasting:
                assert not path.exists(), "a creation failed and left something"
                assert not anchor_of(path).exists(), "a creation failed and left its anchor"
            return "create failed"
        return f"{errors[0]['op']} failed" + (", lasting" if point.lasting else "")


# ---- what is left --------------------------------------------------------------------------------


def check_persons(ledger: Ledger, path: Path, lines: list[dict[str, Any]]) -> None:
    """What the log says was erased is in no file, what was acknowledged is in the log, all else is still there."""
    with ledger.snapshot() as view:
        said = [one for _, one in erasures(view) if not one.restricted]
    gone = {key.hex() for one in said for key in (*one.tokens, *one.commitments)}
    acknowledged = {key for line in lines for key in line.get("erased", ())}
    assert acknowledged <= gone, "an erasure was acknowledged and is not in the log"
    assert not ledger.vault.pending()
    for keys in (line["put"] for line in lines if "put" in line):
        token, *commitments = (bytes.fromhex(key) for key in keys)
        assert {ledger.vault.standing(key) == Kept.ERASED for key in (token, *commitments)} == {token.hex() in gone}
        needle = secret_of(token, "")[1:].encode()
        left = [str(file) for file in path.rglob("*") if file.is_file() and needle in file.read_bytes()]
        assert bool(left) == (token.hex() not in gone), f"values of a person are in {left}"


def check_pruned(ledger: Ledger, path: Path) -> None:
    """All of it went, and no byte is left, or nothing did; then it goes now."""
    with ledger.snapshot() as view:
        (pruning,) = prunings(view)
    if pruning.done is None:
        assert secrets_in(path), "something went, and no record says so"
        assert ledger.prune("due").content_count == pruning.intent.content_count
    else:
        assert pruning.done.content_count == pruning.intent.content_count
    assert not secrets_in(path), f"what was pruned is in {secrets_in(path)}"


def secrets_in(path: Path) -> list[str]:
    """The files in which SECRET can be read."""
    return [str(file) for file in path.rglob("*") if file.is_file() and SECRET in file.read_bytes()]


def inspect(point: Point, path: Path, lines: list[dict[str, Any]]) -> None:
    """Hold the ledger against what was acknowledged."""
    ledger = reopen(point, path, lines)
    with ledger:
        for part in ("ledger", "vault"):
            left = sorted(entry.name for entry in (path / part).iterdir())
            assert left == ["CURRENT", (path / part / "CURRENT").read_text().strip()], f"remains of generations: {left}"
        check_view(point, ledger, lines)
        if any("deleted" in line for line in lines):
            assert not secrets_in(path), f"deleted bytes are in {secrets_in(path)}"
        if point.scenario == "prune":
            check_pruned(ledger, path)
        check_persons(ledger, path, lines)
        if point.scenario.startswith("pilot"):
            sale = Sale(Clock())
            ledger.append(sale.through(pack_ids(1, start=9_000_000)[0], "last"), strict=True)
            ledger.append(registers("last"))
        else:
            ledger.append([commission(pack_ids(2, start=9_000_000))])
        if point.scenario == "backup":
            check_backup(ledger, path, lines)
        check_view(point, ledger, lines)
        ledger.reindex()
        check_view(point, ledger, lines)


def reopen(point: Point, path: Path, lines: list[dict[str, Any]]) -> Ledger:
    told = any("created" in line or "restored" in line for line in lines)
    try:
        return open_ledger(path)
    except TracechainError as error:
        refused = error
    assert not told, f"what was acknowledged cannot be opened: {refused}"
    if point.scenario == "restore" and isinstance(refused, RollbackError):
        return restore_ledger(path)
    assert point.scenario == "create", f"it cannot be opened: {refused}"
    # A creation that did not end says so, and can be begun again once the pieces are swept away.
    if path.exists():
        shutil.rmtree(path)
    anchor_of(path).unlink(missing_ok=True)
    return create_ledger(path)


def check_view(point: Point, ledger: Ledger, lines: list[dict[str, Any]]) -> None:
    with ledger.snapshot() as view:
        for line in lines:
            if "first" in line:
                for at, index in enumerate(range(line["first"], line["first"] + line["count"])):
                    header, part = view.header(index), view.content(index)
                    assert header is not None, f"acknowledged entry {index} is lost"
                    assert part is not None, f"acknowledged entry {index} is lost"
                    assert parse_header(header).type == EntryType.EVENT
                    if line["ids"] is not None:
                        assert decode(part[SALT_SIZE:]).epcs == (line["ids"][at],), f"entry {index} is another"
            if "note" in line:
                old = parse_checkpoint(parse_note(line["note"]).text)
                assert old.size <= view.size, "a checkpoint that was handed out is ahead of the ledger"
                assert merkle.tree_root(ViewNodes(view), old.size) == old.root, (
                    "the ledger is a fork of what was signed"
                )
            for index in range(*_span(line)):
                assert (view.header(index) or b"")[4:5] == bytes([EntryType.RECORD]), (
                    f"acknowledged entry {index} is lost"
                )
        check_rules(view)
        report = verify(view, verifier=ledger.verifier, index=True)
        found = [f for f in report.findings if point.scenario != "restore" or f.code != Code.EPOCH_LOST]
        assert not found, found[:5]
        if point.scenario == "restore":
            assert len(report.findings) == 1, report.findings


def _span(line: dict[str, Any]) -> tuple[int, int]:
    """The entries of acknowledged records."""
    first, count = line.get("records", (0, 0))
    return first, first + count


def check_rules(view: Snapshot) -> None:
    """The log folded from nothing comes to what the live index says: states, violations, memories, accounts, and where
    the latest registers and the profile in force are."""
    state = replay(view)
    compare(view, state)
    latest: dict[str, bytes] = {}
    for index, header in view.headers(0, view.size):
        if header[4] == EntryType.RECORD:
            kind = decode_record((view.content(index) or b"")[SALT_SIZE:]).kind
            latest |= {name: index.to_bytes(8, "big") for name in ("registers", kind) if kind in KINDS}
    assert view.meta("registers") == latest.get("registers"), "the latest register record is another"
    assert view.meta("profile") == latest.get("profile"), "the profile in force is another"
    opened = b"".join(index.to_bytes(8, "big") for index in state.standing.opened.values())
    assert (view.meta("recalls") or b"") == opened, "other recalls are open"


def check_backup(ledger: Ledger, path: Path, lines: list[dict[str, Any]]) -> None:
    copy = copy_of(path)
    if any(line.get("done") == "backup" for line in lines):
        assert copy.exists(), "the backup that was acknowledged is not there"
    if copy.exists():
        with Ledger.open(copy) as backup, backup.snapshot() as view:
            assert verify(view, verifier=ledger.verifier)
        shutil.rmtree(copy)
    ledger.backup(copy)
    assert not list(path.parent.glob(".*")), "parts of a backup are left"


# ---- many points ---------------------------------------------------------------------------------


def points(place: Range, kind: str, scenarios: list[str], number: int, seed: int) -> Iterator[Point]:
    """`number` points, spread over the scenarios and their calls; the same for the same seed."""
    chance = random.Random(seed)
    exact: list[Point] = []
    for scenario in scenarios:
        for call, times in sorted(place.count(scenario, failing=kind == "fail").items()):
            for when in range(1, times + 1):
                if kind == "kill":
                    exact.append(Point(scenario, chance.randrange(1000), call, when))
                elif call in FAILABLE:
                    exact += [
                        Point(scenario, chance.randrange(1000), call, when, error, lasting)
                        for error in ("ENOSPC", "EIO")
                        for lasting in (False, True)
                    ]
    made = 0
    while made < number:
        chance.shuffle(exact)
        for point in exact:
            if made == number:
                return
            made += 1
            if kind == "kill" and made % 4 == 0:
                delay = chance.uniform(0.0005, 1.2 * place.spans[point.scenario])
                yield Point(point.scenario, chance.randrange(1000), delay=delay)
            else:
                yield point


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--kind", choices=("kill", "fail"), required=True)
    parser.add_argument("--scenarios", default=",".join(SCENARIOS))
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args()
    outcomes: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    begun = time.monotonic()
    try:
        place = Range(chosen.folder)
        for point in points(place, chosen.kind, chosen.scenarios.split(","), chosen.points, chosen.seed):
            try:
                outcome = place.run(point)
            except AssertionError as error:
                failures.append(str(error))
                outcome = "FAILED"
            if chosen.verbose:
                print(f"{time.monotonic() - begun:8.2f} {point}: {outcome}", flush=True)
            outcomes[outcome] += 1
            if len(failures) >= 20:
                break
    except UnavailableError as error:
        print(json.dumps({"unavailable": str(error)}))
        return
    seconds = round(time.monotonic() - begun, 1)
    count, named = sum(outcomes.values()), dict(sorted(outcomes.items()))
    print(json.dumps({"points": count, "outcomes": named, "failures": failures, "seconds": seconds}))


if __name__ == "__main__":
    main()
