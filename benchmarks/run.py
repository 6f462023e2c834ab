"""The benchmarks: the ledger and its peers on the same entries, interleaved in one run, durable, medians over rounds.

    python benchmarks/run.py                     everything but the large sizes, some minutes
    python benchmarks/run.py --quick             small and few rounds: whether it works and what to expect
    python benchmarks/run.py --only append       one section
    python benchmarks/run.py --growth 100000,1000000,10000000 --only growth      takes long, and 6 GB of disk
    python benchmarks/run.py --markdown docs/performance.md                      also writes the sections there

Each section ends with the project's aims and whether they were met; that is information, the exit status is 0
either way.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import sections
from bundles import bundles
from growth import growth
from measure import file_system, machine
from pruning import pruning
from report import Section, rewrite, show, write_json
from retention import retention
from rules import rules
from scale import Scale
from seals import seals
from tracing import traces

SECTIONS: dict[str, Callable[[Path, Scale], Section]] = {
    "append": sections.append,
    "many": sections.many,
    "threads": sections.threads,
    "verify": sections.verify,
    "disk": sections.disk,
    "lookups": sections.lookups,
    "rules": rules,
    "tracing": traces,
    "retention": retention,
    "pruning": pruning,
    "seals": seals,
    "bundles": bundles,
    "growth": growth,
}

FULL = Scale(population=200_000, events=20_000, rounds=9, sizes=(100_000, 1_000_000))
QUICK = Scale(population=20_000, events=10_000, rounds=3, sizes=(10_000, 40_000))


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes and three rounds")
    parser.add_argument("--only", action="append", choices=sorted(SECTIONS), help="this section; can be repeated")
    parser.add_argument("--rounds", type=int, help="rounds of each comparison")
    parser.add_argument("--growth", help="numbers of units, ascending, separated by commas")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write all figures to this file")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="rewrite the measured sections in this document")
    parser.add_argument("--dir", type=Path, help="where to work: on the disk that is to be measured")
    given = parser.parse_args()
    scale = (QUICK if given.quick else FULL).with_changes(
        given.rounds, tuple(map(int, given.growth.split(","))) if given.growth else None
    )
    work = Path(tempfile.mkdtemp(prefix="tracechain-bench-", dir=given.dir))
    try:
        measured = machine(work)
        if file_system(work) in {"tmpfs", "ramfs"}:
            print("warning: this is a file system in memory, nothing is durable here: use --dir", file=sys.stderr)
        print(f"Measured on {measured}.")
        done = []
        for name in given.only or SECTIONS:
            folder = work / name
            folder.mkdir()
            done.append(SECTIONS[name](folder, scale))
            show(done[-1])
            shutil.rmtree(folder)
        missed = [t for section in done for t in section.targets if not t.met]
        met = sum(t.met for section in done for t in section.targets)
        print(f"\n{met} aims met, {len(missed)} missed{':' if missed else '.'}")
        for target in missed:
            print(f"  {target}")
        if given.json:
            write_json(given.json, done, measured, scale.as_dict())
        if given.markdown:
            rewrite(given.markdown, done, f"{measured}; {scale}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
