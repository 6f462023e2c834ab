"""What a bundle costs: to write it, and to check it by the library and by the stand-alone script.

A ledger in which every unit was commissioned and then scanned once, in random order, is exported whole; every entry of
the bundle is then checked. The script runs as a regulator runs it: a Python of its own, isolated, from the file alone.
The floor is to read every file of the bundle and hash it once. Of each process the largest memory is noted, for a
smaller bundle and a larger one: it must not grow with the bundle.

    python benchmarks/bundles.py --keep FOLDER --entries 1000000 --markdown docs/performance.md
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from statistics import median

from attrs import define, field

from alone import alone
from ledgers import build, open_ledger
from measure import Series, ratio
from report import Line, Section, Target, line, single
from scale import Scale, said
from tracechain.bundle.check import check_whole
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import format_vkey, parse_vkey
from workloads import Scans

_SCRIPT = str(files("tracechain") / "verify_bundle.py")
_EXPORTED_MS = 1_760_000_000_000
#: A process takes over the peak of the one that starts it, so that has to be a small one.
_MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@define
class _Bundle:
    """A bundle of a ledger, and the key to check it with."""

    path: Path
    vkey: str
    entries: int
    #: Largest memory of the script, in MB, in each round.
    memory: list[float] = field(factory=list)

    def by_library(self) -> None:
        """Check it in this process."""
        report = check_whole(self.path, verifier=parse_vkey(self.vkey))
        assert report.exit_code == 0, report

    def by_script(self, processes: int) -> None:
        """Check it as a regulator does."""
        script = [sys.executable, "-I", _SCRIPT, str(self.path), "--key", self.vkey, "--quiet"]
        command = [sys.executable, "-I", "-c", _MEASURED, *script, "--processes", str(processes)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        if processes == 1:
            self.memory.append(int(done.stdout) / 1024)

    def floor(self) -> None:
        """Read all of it, and hash it once."""
        for one in self.path.rglob("*"):
            if one.is_file():
                sha256(one.read_bytes()).digest()


def _seconds(job: Callable[[], object]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def _lived(folder: Path, units: int) -> Path:
    """A closed ledger in which every unit was commissioned and then scanned once, in random order."""
    path = folder / f"bundles-{units}"
    if not path.exists():
        said(f"building a ledger of {units:,} units")
        build(path, units)
        scans = Scans(units, 4)
        with open_ledger(path) as ledger:
            for _ in range(0, units, 1000):
                ledger.append(scans.take(min(1000, units)))
    return path


def bundles(folder: Path, scale: Scale, kept: Path | None = None) -> Section:
    """Write and check bundles of the smallest and the largest size."""
    sizes = sorted({min(scale.sizes), max(scale.sizes)})
    found = [_exported(folder, _lived(kept or folder, size // 2)) for size in sizes]
    large, writing = found[-1]
    floor, library = Series("floor: every file read and hashed once"), Series("the library, one process")
    one, two = Series("the script, one process"), Series("the script, two processes")
    jobs: list[tuple[Series, Callable[[], object]]] = [
        (floor, large.floor),
        (library, large.by_library),
        (one, lambda: large.by_script(1)),
        (two, lambda: large.by_script(2)),
    ]
    for number in range(scale.rounds):
        for series, job in jobs if number % 2 == 0 else jobs[::-1]:
            said(f"round {number + 1}/{scale.rounds}: {series.name}")
            series.seconds.append(_seconds(job))
            series.done.append(large.entries)
        for small, _ in found[:-1]:
            small.by_script(1)
    said("")
    lines: list[Line] = [line(series, "entries/s", one) for series, _ in jobs]
    lines += [line(series, "entries/s", note=words) for series, words in writing]
    lines += [
        single(f"memory of the script, {bundle.entries:,} entries", bundle.memory, "MB", "largest resident")
        for bundle, _ in found
    ]
    targets = [
        Target("the script, entries a second on one core", 40_000, one.rate, "entries/s"),
        Target("the script in two processes against one", 1.5, ratio(two, one), "x"),
    ]
    if len(found) > 1:
        grown = median(large.memory) / median(found[0][0].memory)
        words = f"its memory, {large.entries // found[0][0].entries} times as many entries"
        targets.append(Target(words, 1.25, grown, "x", at_least=False))
    text = f"A whole bundle of {large.entries:,} entries in a folder, commissionings and scans of single units."
    return Section("bundles", "Bundles", text, lines, targets)


def _exported(folder: Path, ledger: Path) -> tuple[_Bundle, list[tuple[Series, str]]]:
    """The bundle in a folder, and what it took to write it, and to write it as a zip."""
    writing = []
    with open_ledger(ledger) as opened:
        vkey = format_vkey(opened.verifier)
        for suffix, words in (("", "a folder"), (".zip", "a zip")):
            said(f"writing {words}")
            path = folder / f"{ledger.name}-bundle{suffix}"
            with opened.snapshot() as view:
                size = view.size
                seconds = _seconds(partial(export_whole, view, path, exported_ms=_EXPORTED_MS))
            note = ""
            if suffix:
                note = f"{path.stat().st_size / size:.0f} bytes an entry"
                path.unlink()
            writing.append((Series(f"writing {words}", [seconds], [size]), note))
    return _Bundle(folder / f"{ledger.name}-bundle", vkey, size), writing


if __name__ == "__main__":
    alone(__doc__, bundles, sizes=lambda entries: (entries // 10, entries))
