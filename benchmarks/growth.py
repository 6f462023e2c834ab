"""Flat as it grows: the same scans on ledgers of ever more units, each measured by a fresh process.

One ledger is grown through the sizes and copied at each. In every round a child process for each size opens its
copy, scans random units, and says how fast that was, how long its worst commit took, what memory it had to itself,
and how long opening took.

    python benchmarks/growth.py --units 100000,1000000,10000000 --rounds 5     some 10 minutes, 6 GB of disk
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from ledgers import Ours, build, copy, data_file, extend, open_ledger
from measure import Series, machine, private_memory, ratio, written_bytes
from report import Line, Section, Target, line, show, single, write_json
from scale import Scale, said
from workloads import scan

__all__ = ["growth"]

_MIB = 1 << 20


def growth(folder: Path, scale: Scale) -> Section:
    """Rate, worst commit, memory and opening at each of the sizes."""
    paths = _grow(folder, scale.sizes)
    commits = max(10, scale.events // 1000)
    found: dict[int, list[dict[str, Any]]] = {size: [] for size in scale.sizes}
    for number in range(scale.rounds):
        for size in scale.sizes if number % 2 == 0 else scale.sizes[::-1]:
            said(f"round {number + 1}/{scale.rounds}: {size:,} units")
            found[size].append(_child(paths[size], size, commits, number))
    said("")
    return _section(scale.sizes, commits, found, paths)


def _grow(folder: Path, sizes: tuple[int, ...]) -> dict[int, Path]:
    """A ledger for each size: grown from the one before, in commits of 10,000."""
    paths: dict[int, Path] = {}
    growing = build(folder / "growing", 0)
    done = 0
    for size in sizes:
        with open_ledger(growing) as ledger:
            for at in range(done, size, 100_000):
                said(f"commissioning {at:,} of {size:,} units")
                extend(ledger, at, min(at + 100_000, size), 10_000)
        done = size
        # The last one need not be copied: nothing grows on it.
        paths[size] = growing if size == sizes[-1] else copy(growing, folder / f"units-{size}")
    return paths


def _child(path: Path, size: int, commits: int, seed: int) -> dict[str, Any]:
    arguments = [str(path), str(size), str(commits), str(seed)]
    done = subprocess.run(
        [sys.executable, __file__, "--child", *arguments], check=True, stdout=subprocess.PIPE, env=dict(os.environ)
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _measure(path: Path, size: int, commits: int, seed: int) -> dict[str, Any]:
    """What the child does."""
    start = time.perf_counter()
    ours = Ours(path, 1000)
    opening = time.perf_counter() - start
    chosen = random.Random(seed)
    seconds: list[float] = []
    memory = written = 0
    for number in range(commits):
        events = [scan([chosen.randrange(size)], number) for _ in range(ours.batch)]
        before = written_bytes()
        start = time.perf_counter()
        ours.append(events)
        seconds.append(time.perf_counter() - start)
        written += written_bytes() - before
        memory = max(memory, private_memory())
    ours.close()
    return {"opening": opening, "seconds": seconds, "memory": memory, "written": written, "events": commits * 1000}


def _section(
    sizes: tuple[int, ...], commits: int, found: dict[int, list[dict[str, Any]]], paths: dict[int, Path]
) -> Section:
    series = {size: Series(f"{size:,} units, 1,000 a commit") for size in sizes}
    lines: list[Line] = []
    worst: dict[int, float] = {}
    for size, runs in found.items():
        series[size].seconds = [sum(run["seconds"]) for run in runs]
        series[size].done = [run["events"] for run in runs]
        series[size].written = [run["written"] for run in runs]
        worst[size] = median(max(run["seconds"]) for run in runs) * 1e3
    last = sizes[-1]
    for size, runs in found.items():
        lines += [
            line(series[size], "/s", series[last], f"{series[size].written_each:,.0f} bytes written an event"),
            single(f"{size:,} units: worst commit of 1,000", [max(run["seconds"]) * 1e3 for run in runs], "ms"),
            single(f"{size:,} units: median commit", [median(run["seconds"]) * 1e3 for run in runs], "ms"),
            single(f"{size:,} units: writer's private memory", [run["memory"] / _MIB for run in runs], "MiB"),
            single(f"{size:,} units: opening", [run["opening"] * 1e3 for run in runs], "ms"),
            single(f"{size:,} units: file", [data_file(paths[size]).stat().st_size / _MIB], "MiB"),
        ]
    targets = [
        Target(
            f"rate at {last:,} units, share of that at {sizes[0]:,}", 0.5, ratio(series[last], series[sizes[0]]), ""
        ),
        Target("writer's private memory", 150, max(r["memory"] for r in found[last]) / _MIB, "MiB", at_least=False),
        Target("worst commit of 1,000, median of rounds", 100, max(worst.values()), "ms", at_least=False),
        Target(
            "opening",
            100,
            max(median(r["opening"] for r in runs) for runs in found.values()) * 1e3,
            "ms",
            at_least=False,
        ),
    ]
    words = (
        f"Scans of random units, {commits} commits of 1,000 by a fresh process each round. Memory is what the process"
        " has to itself, interpreter included, without the mapped database, at its highest. Ratios: of the largest."
    )
    return Section("growth", "Flat as it grows", words, lines, targets)


def main() -> None:
    """Measure growth alone."""
    if sys.argv[1:2] == ["--child"]:
        path, *numbers = sys.argv[2:]
        print(json.dumps(_measure(Path(path), *map(int, numbers))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", default="100000,1000000", help="numbers of units, ascending, separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=20_000, help="scans in one round")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--dir", type=Path, help="where to work: on the disk that is to be measured")
    given = parser.parse_args()
    scale = Scale(0, given.events, given.rounds, tuple(map(int, given.units.split(","))))
    work = Path(tempfile.mkdtemp(prefix="tracechain-growth-", dir=given.dir))
    try:
        measured = machine(work)
        section = growth(work, scale)
        print(f"Measured on {measured}.")
        show(section)
        if given.json:
            write_json(given.json, [section], measured, scale.as_dict())
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
