"""One section of the benchmarks by itself, at a size of its own, on a ledger that is kept for the next time."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import machine
from report import Section, rewrite, show, write_json
from scale import Scale

__all__ = ["alone"]


def alone(
    about: str | None,
    measure: Callable[[Path, Scale, Path | None], Section],
    *,
    rounds: int = 3,
    sizes: Callable[[int], tuple[int, ...]] = lambda entries: (entries,),
) -> None:
    """Measure a section as the command line says, and show it. `sizes` are those of the scale, by --entries."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True, metavar="FOLDER", help="where the ledgers are, or will be")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="rewrite the measured section in this document")
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.keep) as work:
        measured = machine(Path(work))
        section = measure(Path(work), Scale(0, 0, given.rounds, sizes(given.entries)), given.keep)
    print(f"Measured on {measured}.")
    show(section)
    if given.json is not None:
        write_json(given.json, [section], measured, {"entries": given.entries, "rounds": given.rounds})
    if given.markdown is not None:
        rewrite(given.markdown, [section], measured)
