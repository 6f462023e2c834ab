"""What pruning costs: the commit that drops contents, the copy without them, who waits, and verifying after it.

A ledger of three years of trade (benchmarks/retention.py) is copied, its clock moved on until all of it is due, and all
of it announced, pruned and compacted, while another process reads all the time and a third appends an event whenever
the one before is durable. The rate of writing is that of building the ledger, measured in the same run.

    python benchmarks/pruning.py --keep FOLDER --entries 1000000 --markdown docs/performance.md
"""

from __future__ import annotations

import gc
import multiprocessing
import shutil
import time
from datetime import datetime, timedelta, timezone
from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from statistics import median
from typing import Any

from attrs import define, field

from alone import alone
from ledgers import _AUTHOR, _LOG, copy
from report import Section, Target, single
from retention import build
from scale import Scale, said
from tracechain.event import ObjectEvent
from tracechain.ledger import Ledger
from tracechain.record import Record
from tracechain.retention.dates import shanghai_day
from tracechain.retention.plan import plan
from tracechain.verification import verify

_DAY_MS = 86_400_000
_WAIT = 32
#: When all of the ledger is due.
_LATER = int(datetime(2036, 1, 2, 12, tzinfo=timezone(timedelta(hours=8))).timestamp() * 1000)
_FRESH = 200_000
_ROUNDS = 3


@define
class _Found:
    """Seconds, bytes and counts of each round."""

    dropping: list[float] = field(factory=list)
    planning: list[float] = field(factory=list)
    whole: list[float] = field(factory=list)
    compacting: list[float] = field(factory=list)
    rate: list[float] = field(factory=list)
    writing: list[float] = field(factory=list)
    waits: list[float] = field(factory=list)
    usual: list[float] = field(factory=list)
    reads: list[float] = field(factory=list)
    before: list[float] = field(factory=list)
    after: list[float] = field(factory=list)
    sizes: tuple[int, int] = (0, 0)
    contents: int = 0
    rows: int = 0
    entries: int = 0


class _Clock:
    """A clock that is moved by hand, and goes on by itself from there."""

    def __init__(self, now: int) -> None:
        self._shift = now - time.time_ns() // 1_000_000

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        return time.time_ns() // 1_000_000 + self._shift

    def later(self, milliseconds: int) -> None:
        """Move it on."""
        self._shift += milliseconds


def pruning(folder: Path, scale: Scale, kept: Path | None = None) -> Section:
    """Prune all of a ledger, several times."""
    whole = build(kept or folder, max(scale.sizes))
    found, rounds = _Found(), min(scale.rounds, _ROUNDS)
    for number in range(rounds):
        said(f"round {number + 1}/{rounds}: writing")
        found.writing.append(_writing(folder))
        path = copy(whole, folder / "pruned")
        _round(path, found, number, rounds)
        shutil.rmtree(path)
        path.with_name(f"{path.name}.anchor").unlink()
    said("")
    return _section(found)


def _writing(folder: Path) -> float:
    """Entries a second when such a ledger is written."""
    begun = time.perf_counter()
    path = build(folder, _FRESH)
    taken = time.perf_counter() - begun
    with Ledger.open(path) as ledger, ledger.snapshot() as view:
        size = view.size
    shutil.rmtree(path)
    path.with_name(f"{path.name}.anchor").unlink()
    return size / taken


def _round(path: Path, found: _Found, number: int, rounds: int) -> None:
    clock = _Clock(_LATER)
    words = f"round {number + 1}/{rounds}"
    with Ledger.open(path, signer=_LOG, author=_AUTHOR, clock=clock) as ledger:
        ledger.accept_clock("all of it is due")
        said(f"{words}: verifying all of it")
        found.before.append(_verified(ledger))
        with ledger.snapshot() as view:
            made = plan(view, as_of=shanghai_day(clock()))
        ledger.announce(made, name="all", reason="measured")
        for _ in range(_WAIT):
            clock.later(_DAY_MS)
            ledger.append([Record("note", "a day")])
        stop, waits, reads = _others(path, clock())
        try:
            time.sleep(1.0)
            said(f"{words}: pruning {made.content_count:,} contents")
            begun = time.perf_counter()
            done = ledger.prune("all")
            taken = time.perf_counter() - begun
            time.sleep(1.0)
        finally:
            stop.set()
        gaps, slowest = sorted(waits.get(timeout=60)), reads.get(timeout=60)
        found.dropping.append(done.seconds)
        found.compacting.append(done.compaction.seconds)
        found.planning.append(taken - done.seconds - done.compaction.seconds)
        found.rate.append(done.content_count / (done.seconds + done.compaction.seconds))
        found.whole.append(done.content_count / taken)
        found.waits.append(gaps[-1])
        found.usual.append(gaps[len(gaps) // 2])
        found.reads.append(slowest)
        found.sizes = done.compaction.before, done.compaction.after
        found.contents, found.entries = done.content_count, made.size
        said(f"{words}: verifying what is left")
        found.after.append(_verified(ledger))


def _verified(ledger: Ledger) -> float:
    gc.collect()
    with ledger.snapshot() as view:
        begun = time.perf_counter()
        report = verify(view, verifier=ledger.verifier, index=True)
        taken = time.perf_counter() - begun
    report.raise_for_findings()
    return taken


# ---- other processes -----------------------------------------------------------------------------


def _others(path: Path, now: int) -> tuple[Flag, Any, Any]:
    """Start a writer and a reader; (when they have to stop, the writer's waits, the reader's slowest snapshot)."""
    context = multiprocessing.get_context("spawn")
    stop, waits, reads = context.Event(), context.Queue(), context.Queue()
    for work, queue in ((_write, waits), (_read, reads)):
        ready = context.Event()
        context.Process(target=work, args=(path, now, stop, ready, queue), daemon=True).start()
        ready.wait(30)
    return stop, waits, reads


def _write(path: Path, now: int, stop: Flag, ready: Flag, waits: Any) -> None:
    """Append single events, and note how long each took."""
    gaps: list[float] = []
    with Ledger.open(path, signer=_LOG, author=_AUTHOR, clock=_Clock(now)) as ledger:
        number = 0
        while not stop.is_set():
            begun = time.perf_counter()
            event = ObjectEvent(
                event_time=now * 1_000_000 + number, time_zone_offset=480, action="OBSERVE",
                epcs=(f"00/{number:018}",),
            )  # fmt: skip
            ledger.append([event])
            gaps.append(time.perf_counter() - begun)
            number += 1
            ready.set()
            time.sleep(0.005)
    waits.put(gaps)


def _read(path: Path, _: int, stop: Flag, ready: Flag, reads: Any) -> None:
    """Take snapshots, and note the slowest."""
    slowest = 0.0
    with Ledger.open(path) as ledger:
        while not stop.is_set():
            begun = time.perf_counter()
            with ledger.snapshot() as view:
                view.header(view.size - 1)
            slowest = max(slowest, time.perf_counter() - begun)
            ready.set()
            time.sleep(0.001)
    reads.put(slowest)


# ---- what it came to -----------------------------------------------------------------------------


def _section(found: _Found) -> Section:
    before, after = (size / 1e6 for size in found.sizes)
    writing, rate = median(found.writing), median(found.rate)
    lines = [
        single("planning again, and the digest of what goes", found.planning, "s", "nobody waits for it"),
        single("dropping and forgetting, one commit", found.dropping, "s", f"{found.contents:,} contents"),
        single("compacting", found.compacting, "s", f"{before:,.0f} MB to {after:,.0f} MB"),
        single("pruned and compacted", found.rate, "entries/s", "the two lines above"),
        single("the same with planning again", found.whole, "entries/s"),
        single("writing such a ledger", found.writing, "entries/s"),
        single("longest wait of a writer in another process", found.waits, "s"),
        single("its usual append", found.usual, "s"),
        single("slowest snapshot of a reader in another process", found.reads, "s"),
        single("verifying all of it", found.before, "s", "one process, index included"),
        single("verifying what is left", found.after, "s", "likewise"),
    ]
    targets = [
        Target("pruning and compacting", 200_000, rate, "entries/s"),
        Target("pruning, planning again included, against writing", 1, median(found.whole) / writing, "x"),
        Target("verifying the pruned ledger against the full one", 1, median(found.before) / median(found.after), "x"),
    ]
    words = (
        f"A ledger of {found.entries:,} entries as above, all of it due: announced, and after {_WAIT} days pruned and"
        " compacted in one go, while another process reads all the time and a third appends single events."
    )
    return Section("pruning", "Pruning", words, lines, targets)


if __name__ == "__main__":
    alone(__doc__, pruning)
