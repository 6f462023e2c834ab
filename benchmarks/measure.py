"""How things are measured: rounds in which all contestants take turns, and what the kernel counts meanwhile.

The machine may be shared, so a figure by itself says little. In every round each contestant does the same work,
the order changes from round to round, and a ratio is the median over rounds of the ratio within one round.
"""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from attrs import Factory, define

from tracechain.event import ObjectEvent

__all__ = ["Contestant", "Series", "file_system", "interleave", "machine", "private_memory", "ratio", "written_bytes"]


class Contestant(Protocol):
    """Something that events are appended to, durably, a commit at a time."""

    name: str
    #: Events a commit.
    batch: int

    def prepare(self, events: list[ObjectEvent]) -> Sequence[Any]:
        """Commits in the form that its own API takes. Not timed."""

    def append(self, commit: Any) -> object:
        """Make one commit durable. Timed."""

    def close(self) -> None:
        """Close what is open."""


@define
class Series:
    """What one contestant did: seconds, work done (events or scans) and bytes written, a round."""

    name: str
    seconds: list[float] = Factory(list)
    done: list[int] = Factory(list)
    written: list[int] = Factory(list)
    worst: float = 0.0

    @property
    def rates(self) -> list[float]:
        """Work a second, in each round."""
        return [done / seconds for done, seconds in zip(self.done, self.seconds, strict=True)]

    @property
    def rate(self) -> float:
        """The median of them."""
        return median(self.rates)

    @property
    def written_each(self) -> float:
        """Bytes written for one piece of work."""
        return sum(self.written) / sum(self.done)


def ratio(ours: Series, other: Series) -> float:
    """How many times as fast as `other`: the median of the ratios within one round."""
    return median(a / b for a, b in zip(ours.rates, other.rates, strict=True))


def interleave(
    contestants: Sequence[Contestant],
    rounds: int,
    events_of: Callable[[int, Contestant], list[ObjectEvent]],
    *,
    work: Callable[[ObjectEvent], int] = lambda _: 1,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Series]:
    """Give every contestant its events of every round, in turn; the order rotates and turns around."""
    series = {one.name: Series(one.name) for one in contestants}
    for number in range(rounds):
        for one in _in_order(contestants, number):
            progress(f"round {number + 1}/{rounds}: {one.name}")
            events = events_of(number, one)
            commits = one.prepare(events)
            done = sum(map(work, events))
            seconds, worst, written = _timed(one, commits)
            found = series[one.name]
            found.seconds.append(seconds)
            found.done.append(done)
            found.written.append(written)
            found.worst = max(found.worst, worst)
    return series


def _in_order(contestants: Sequence[Contestant], number: int) -> Iterator[Contestant]:
    at = number % len(contestants)
    order = [*contestants[at:], *contestants[:at]]
    return iter(order if number % 2 == 0 else order[::-1])


def _timed(one: Contestant, commits: Sequence[Any]) -> tuple[float, float, int]:
    gc.collect()
    worst = 0.0
    before = written_bytes()
    start = last = time.perf_counter()
    for commit in commits:
        one.append(commit)
        now = time.perf_counter()
        worst = max(worst, now - last)
        last = now
    return last - start, worst, written_bytes() - before


# ---- the system --------------------------------------------------------------------------------


def written_bytes() -> int:
    """Bytes that this process has written to files so far, 0 where the kernel does not say.

    LMDB and SQLite write by system calls, each page as it goes to disk at the next sync. The kernel's `write_bytes`
    counts pages that became dirty instead, by whole folios, which says up to twice as much as is written.
    """
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("wchar:")), 0)


def private_memory(beside: str = "data.mdb") -> int:
    """Bytes of memory that belong to this process alone, without the mapped database.

    The kernel counts a page of a mapped file as private when no other process has it in use; those of the database are
    cache that can go at any time, so mappings whose name ends with `beside` are left out.
    """
    total, counted = 0, True
    for line in Path("/proc/self/smaps").read_text().splitlines():
        head, _, rest = line.partition(":")
        if head in {"Private_Clean", "Private_Dirty"}:
            total += int(rest.split()[0]) * 1024 if counted else 0
        elif "-" in head.split(" ")[0]:
            counted = not line.endswith(beside)
    return total


def file_system(path: Path) -> str:
    """The type of file system under `path`: durability on tmpfs is none."""
    best, kind = "", "unknown"
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return kind
    real = str(path.resolve())
    for line in mounts:
        _, place, name, *_ = line.split()
        if (real == place or real.startswith(place.rstrip("/") + "/")) and len(place) >= len(best):
            best, kind = place, name
    return kind


def machine(folder: Path) -> str:
    """One line on what was measured on."""
    model = "unknown processor"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        model = platform.processor() or model
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores {model}, {file_system(folder)}, Python {platform.python_version()},"
        f" {datetime.now(UTC):%Y-%m-%d}, load at the start {load:.1f}"
    )
