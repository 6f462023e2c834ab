"""What seals cost: all of a map, what changed of it, proofs, and verifying a log that has some.

A ledger in which a million units were commissioned is sealed whole; then units are scanned, neighbours or at random,
and it is sealed again. The floor is what nobody can leave out: to hash every item of the map, and the buckets.

    python benchmarks/seals.py --keep FOLDER --entries 1000000 --markdown docs/performance.md
"""

from __future__ import annotations

import gc
import random
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from attrs import define, field

from alone import alone
from ledgers import build, copy, open_ledger
from report import Section, Target, single
from scale import Scale, said
from tracechain.ledger import Ledger
from tracechain.ledger.seals import prover
from tracechain.seals import map_root
from tracechain.verification import verify
from workloads import scan, unit_id

_BATCH = 1000
_PROOFS = 200


@define
class _Found:
    """Seconds of each round, by what was done; and of the last round, how many buckets were worked out."""

    seconds: dict[str, list[float]] = field(factory=dict)
    notes: dict[str, str] = field(factory=dict)

    def timed(self, name: str, work: Callable[[], object], note: str = "") -> float:
        """Do it, and keep how long it took."""
        gc.collect()
        begun = time.perf_counter()
        work()
        taken = time.perf_counter() - begun
        self.seconds.setdefault(name, []).append(taken)
        self.notes[name] = note
        return taken


def seals(folder: Path, scale: Scale, kept: Path | None = None) -> Section:
    """Seal a ledger, several times."""
    units = max(scale.sizes)
    whole = (kept or folder) / f"seals-{units}"
    if not whole.exists():
        said("building")
        build(whole, units)
    found = _Found()
    for number in range(scale.rounds):
        path = copy(whole, folder / "sealed")
        with open_ledger(path) as ledger:
            _round(ledger, found, units, random.Random(number), f"round {number + 1}/{scale.rounds}")
        shutil.rmtree(path)
        path.with_name(f"{path.name}.anchor").unlink()
    said("")
    return _section(found, units)


def _round(ledger: Ledger, found: _Found, units: int, rng: random.Random, words: str) -> None:
    said(f"{words}: the floor")
    leaf = bytes(32)
    items = [(one, 1_000_000, leaf, 1) for one in sorted(unit_id(n) for n in range(units))]
    found.timed("hashing every item (the floor)", partial(map_root, items))
    items = []
    said(f"{words}: sealing all of it")
    found.timed("sealing all of it", ledger.seals.make)
    _sealed_again(ledger, found, "nothing changed", [])
    for share in (100, 10):
        some = sorted(rng.sample(range(units), units // share))
        _sealed_again(ledger, found, f"{100 // share} % of the units scanned, at random", some)
    start = rng.randrange(units - units // 100)
    _sealed_again(ledger, found, "1 % of the units scanned, neighbours", list(range(start, start + units // 100)))
    said(f"{words}: proofs")
    codes = [unit_id(rng.randrange(units)) for _ in range(_PROOFS)]

    def prove() -> None:
        with ledger.snapshot() as view:
            _, by = prover(view)
            for one in codes:
                by.presence(one)
                by.absence(f"{one}x")

    def prove_one() -> None:
        with ledger.snapshot() as view:
            prover(view)[1].presence(codes[0])

    found.timed("a proof, by itself", prove_one)
    found.timed(f"{_PROOFS} proofs of presence and as many of absence", prove)
    said(f"{words}: verifying")
    found.timed("verifying the log, its seals included", lambda: _verified(ledger), "one process")
    made = len(ledger.seals.list())
    found.notes["verifying the log, its seals included"] = f"one process, {made} seals"


def _sealed_again(ledger: Ledger, found: _Found, what: str, numbers: list[int]) -> None:
    said(what)
    for at in range(0, len(numbers), _BATCH):
        ledger.append([scan([number], at) for number in numbers[at : at + _BATCH]])
    made = []
    found.timed(f"sealing again, {what}", lambda: made.append(ledger.seals.make()))
    found.notes[f"sealing again, {what}"] = f"{made[0].worked_out:,} of {made[0].total:,} buckets worked out"


def _verified(ledger: Ledger) -> None:
    with ledger.snapshot() as view:
        report = verify(view, verifier=ledger.verifier)
    report.raise_for_findings()
    assert all(one.right for one in report.seals)


def _section(found: _Found, units: int) -> Section:
    lines = [single(name, seconds, "s", found.notes[name]) for name, seconds in found.seconds.items()]
    floor, whole = (median(found.seconds[name]) for name in ("hashing every item (the floor)", "sealing all of it"))
    near = median(found.seconds["sealing again, 1 % of the units scanned, neighbours"])
    targets = [
        Target("sealing all of it against the floor", 4, whole / floor, "x", at_least=False),
        Target("sealing again where 1 % changed, neighbours, against all", 0.1, near / whole, "x", at_least=False),
    ]
    words = f"A ledger of {units:,} units is sealed, then scanned and sealed again. While it is sealed, ingest goes on."
    return Section("seals", "Seals", words, lines, targets)


if __name__ == "__main__":
    alone(__doc__, seals)
