"""What an archive costs: written, checked, held against the ledger; for all events, some of them, and many packs each.

    python benchmarks/archive.py                      100,000 entries, three rounds
    python benchmarks/archive.py --entries 1000000 --rounds 1 --keep FOLDER

Rates are of entries that are archived, a second, on one core; the median of the rounds. Random packs are observed, so
the entries before that rows name are anywhere in the log.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tracechain.archive import check_archive, write_archive
from tracechain.ledger import Ledger
from tracechain.retention.ranges import Ranges
from tracechain.testing import Clock, Keys, new_ledger
from tracechain.testing.samples import observe, pack_ids

_BATCH = 10_000


def build(path: Path, entries: int, packs: int) -> Path:
    """A ledger of so many events, of neighbouring packs each."""
    if path.exists():
        return path
    clock, picked = Clock(), random.Random(1)
    every = pack_ids(max(packs + 1, entries // 4))
    with new_ledger(path, clock=clock) as ledger:
        for _ in range(0, entries, _BATCH):
            starts = [picked.randrange(len(every) - packs) for _ in range(min(_BATCH, entries))]
            ledger.append([observe(every[at : at + packs], at=clock.now) for at in starts])
            clock.advance(60_000)
    return path


def timed(rounds: int, work: Callable[[], object]) -> float:
    """The median of some runs, in seconds."""
    found = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return median(found)


def measure(ledger: Ledger, name: str, contents: Ranges, rows: Ranges, rounds: int, file: Path) -> str:
    """A line of the table."""
    with ledger.snapshot() as view:

        def write() -> None:
            file.unlink(missing_ok=True)
            write_archive(view, file, contents, rows, Keys().log)

        def check(**more: Ledger) -> None:
            check_archive(file, ledger.verifier, view=view if more else None).raise_for_findings()

        times = timed(rounds, write), timed(rounds, check), timed(rounds, lambda: check(ledger=ledger))
        made = check_archive(file, ledger.verifier).archive
    rates = " | ".join(f"{made.entries / seconds:,.0f}" for seconds in times)
    return f"| {name} | {made.entries:,} | {made.bytes / made.entries:,.0f} | {rates} |"


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where ledgers are left, and found again")
    asked = parser.parse_args()
    print("| | entries | bytes each | written/s | checked/s | and against the ledger/s |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = asked.keep or Path(name)
        folder.mkdir(exist_ok=True, parents=True)
        for packs, entries in ((1, asked.entries), (50, asked.entries // 20)):
            with Ledger.open(build(folder / f"archive-{entries}-{packs}", entries, packs)) as ledger:
                with ledger.snapshot() as view:
                    size = view.size
                third = tuple((n, n + 2) for n in range(2, size - 2, 3))
                tenth = tuple((n, n + 1) for n in range(2, size - 1, 10))
                of = f"{packs} pack{'s' * (packs > 1)} each"
                for what, contents, rows in (
                    ("contents and rows", ((0, size),), ((0, size),)),
                    ("contents", ((0, size),), ()),
                    ("contents, two of three", third, ()),
                    ("contents and rows, one of ten", tenth, tenth),
                ):
                    print(measure(ledger, f"{of}: {what}", contents, rows, asked.rounds, folder / "out"), flush=True)
        (folder / "out").unlink()


if __name__ == "__main__":
    main()
