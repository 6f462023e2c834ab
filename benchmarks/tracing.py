"""Trace, whereabouts, stock and recall fan-out, on a ledger and on SQLite with the same facts.

Two data sets: a lot that is recalled, alone, and the same lot beside one ten times as large. Both sides are loaded from
the same events (`tracing_data`); the peer's tables and queries are in `tracing_sqlite`. Memory is that of a fresh
process.

    python benchmarks/tracing.py --keep FOLDER        builds what is not in FOLDER yet, measures, and leaves it there
    python benchmarks/tracing.py --keep FOLDER --units 20000,100000 --rounds 3
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from attrs import Factory, define, frozen

from ledgers import build as empty_ledger
from ledgers import data_file, open_ledger
from measure import Series, machine, ratio
from report import Line, Section, Target, line, rewrite, show, single, write_json
from scale import Scale, said
from tracechain import criteria, recall, tracing
from tracechain.event import Event
from tracechain.ledger import Ledger
from tracing_data import PRODUCT, Facts, Lot, unit_scans
from tracing_sqlite import Loader, Peer

__all__ = ["Data", "build", "traces"]

_BATCH = 10_000
_MIB = 1 << 20
#: Units asked for one by one in a round.
_SINGLE = 200
_RECALLED, _LARGE = "R-0001", "M-0001"


@frozen
class Data:
    """A ledger and a database with the same facts, and what appending them took."""

    facts: Facts
    ledger: Path
    database: Path
    events: int
    scans: int
    seconds: float

    @property
    def name(self) -> str:
        """How large it is."""
        return f"{self.scans / 1e6:.1f} M unit events"


# ---- building ----------------------------------------------------------------------------------


def build(folder: Path, facts: Facts) -> Data:
    """Load the facts into both, or take what an earlier run has left there."""
    ledger_path, database, told = folder / "ledger", folder / "facts.db", folder / "built.json"
    if not told.exists():
        folder.mkdir(parents=True)
        empty_ledger(ledger_path, 0)
        loader = Loader(database)
        events = scans = 0
        seconds = 0.0
        with open_ledger(ledger_path) as ledger:
            for commit in facts.commits(_BATCH):
                start = time.perf_counter()
                receipt = ledger.append(commit)
                seconds += time.perf_counter() - start
                if receipt.violations:
                    raise RuntimeError(f"the facts are lawful: {receipt.violations[0]}")
                loader.take(receipt.first, receipt.time, commit)
                events += len(commit)
                scans += unit_scans(commit)
                said(f"{folder.name}: {scans:,} unit events")
        said(f"{folder.name}: the peer's stays and indices")
        loader.finish()
        told.write_text(json.dumps({"events": events, "scans": scans, "seconds": seconds}))
    return Data(facts, ledger_path, database, **json.loads(told.read_text()))


def _packing(folder: Path, facts: Facts) -> list[Series]:
    """Units packed into cases, and the same units seen case by case: commits of nothing else, in turns."""
    steps: dict[str | None, list[Event]] = {"commissioning": [], "packing": [], "accepting": []}
    for event in facts:
        if event.biz_step in steps and event.epcs[0].startswith("01/"):
            steps[event.biz_step].append(event)
    cases = _BATCH // 40
    found = [Series("packing units into cases of 40"), Series("scanning units, 40 an event")]
    with open_ledger(empty_ledger(folder / "packing", 0)) as ledger:
        for at in range(0, len(steps["commissioning"]), cases):
            ledger.append(steps["commissioning"][at : at + cases])
        for at in range(0, len(steps["packing"]), cases):
            for series, step in zip(found, ("packing", "accepting"), strict=True):
                commit = steps[step][at : at + cases]
                gc.collect()
                start = time.perf_counter()
                ledger.append(commit)
                series.seconds.append(time.perf_counter() - start)
                series.done.append(unit_scans(commit))
    return found


# ---- measuring ---------------------------------------------------------------------------------


@define
class _Turns:
    """Jobs that take turns, round by round; the order turns around. Of single calls, each one's time as well."""

    rounds: int
    series: dict[str, Series] = Factory(dict)
    calls: dict[str, list[float]] = Factory(dict)

    def whole(self, jobs: Sequence[tuple[str, Callable[[], int]]]) -> None:
        """Each job runs once a round, and says how many units it found."""
        for number in range(self.rounds):
            for name, job in jobs if number % 2 == 0 else jobs[::-1]:
                said(f"round {number + 1}/{self.rounds}: {name}")
                gc.collect()
                start = time.perf_counter()
                done = job()
                self._note(name, time.perf_counter() - start, done)

    def each(self, jobs: Sequence[tuple[str, Callable[[str], object]]], units: Sequence[str]) -> None:
        """Each job is asked for every unit of a round; units are shared out among rounds."""
        share = len(units) // self.rounds
        for number in range(self.rounds):
            some = units[number * share : (number + 1) * share]
            for name, job in jobs if number % 2 == 0 else jobs[::-1]:
                said(f"round {number + 1}/{self.rounds}: {name}")
                gc.collect()
                calls = self.calls.setdefault(name, [])
                total = 0.0
                for unit in some:
                    start = time.perf_counter()
                    job(unit)
                    seconds = time.perf_counter() - start
                    calls.append(seconds)
                    total += seconds
                self._note(name, total, share)

    def _note(self, name: str, seconds: float, done: int) -> None:
        one = self.series.setdefault(name, Series(name))
        one.seconds.append(seconds)
        one.done.append(done)

    def seconds(self, name: str) -> float:
        """The median: of calls, or of whole jobs."""
        return median(self.calls.get(name) or self.series[name].seconds)

    def line(self, name: str, unit: str, ours: str | None = None, note: str = "") -> Line:
        """A line of times; `ours` is what is compared with it."""
        scale = {"us": 1e6, "ms": 1e3, "s": 1.0}[unit]
        times = [seconds * scale for seconds in self.calls.get(name) or self.series[name].seconds]
        times.sort()
        low, high = times[len(times) // 100], times[-1 - len(times) // 100]
        against = None if ours is None else self.ratio(ours, name)
        return Line(name, median(times), unit, low, high, against, note)

    def ratio(self, ours: str, other: str) -> float:
        """How many times as fast as `other`."""
        return ratio(self.series[ours], self.series[other])


def _child(path: Path, lot: str, *, whole: bool) -> dict[str, int]:
    """What a fan-out adds to the memory of a fresh process."""
    arguments = [str(path), lot, "whole" if whole else "stream"]
    done = subprocess.run(
        [sys.executable, __file__, "--memory", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    told: dict[str, int] = json.loads(done.stdout)
    return told


def _memory(path: Path, lot: str, how: str) -> dict[str, int]:
    """What the child does: bytes of its own memory at the most, and of that with the mapped file, above the start."""
    with Ledger.open(path) as ledger, ledger.snapshot() as view:
        gc.collect()
        before, resident = _status("RssAnon"), _status("VmHWM")
        most = [before]
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.01):
                most[0] = max(most[0], _status("RssAnon"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        criterion = criteria.Lot(PRODUCT, lot)
        if how == "whole":
            kept = recall.fan_out(view, criterion)
            units = len(kept.units)
        else:
            units = sum(isinstance(one, recall.Affected) for one in recall.affected(view, criterion))
        most[0] = max(most[0], _status("RssAnon"))
        stop.set()
        watcher.join()
    return {"units": units, "own": most[0] - before, "resident": _status("VmHWM") - resident}


def _status(name: str) -> int:
    """Bytes that the kernel counts: "RssAnon", what is no cache of a file; "VmHWM", all, at the most so far."""
    for told in Path("/proc/self/status").read_text().splitlines():
        if told.startswith(f"{name}:"):
            return int(told.split()[1]) * 1024
    return 0


# ---- the section -------------------------------------------------------------------------------


def traces(folder: Path, scale: Scale, kept: Path | None = None) -> Section:
    """Trace, whereabouts, fan-out, stock: ours and the peer's, in one run."""
    recalled = Lot(_RECALLED, min(scale.sizes[0], 100_000), 0, 4 * 86_400, 240)
    beside = Lot(_LARGE, min(scale.sizes[-1], 1_000_000), -(-recalled.units // 20_000), 0, 60)
    alone, large = Facts([recalled]), Facts([recalled, beside])
    small = build((kept or folder) / f"units-{recalled.units}", alone)
    big = build((kept or folder) / f"units-{recalled.units}-{beside.units}", large)
    packing = _packing(folder, alone)
    turns = _Turns(scale.rounds)
    chosen = random.Random(21)
    with (
        Ledger.open(small.ledger) as small_ledger,
        Ledger.open(big.ledger) as ledger,
        ledger.snapshot() as view,
    ):
        peers = {small.name: Peer(small.database), big.name: Peer(big.database)}
        peer = peers[big.name]
        verifier = ledger.verifier
        tracer = tracing.Tracer(view, verifier=verifier)
        units = [large.unit(beside, chosen.randrange(beside.units)) for _ in range(_SINGLE * scale.rounds)]
        turns.each(
            [
                (_TRACE, tracer.trace),
                (_ALONE, lambda unit: tracing.trace(view, unit, verifier=verifier)),
                (_PEER_TRACE, peer.trace),
            ],
            units,
        )
        chosen.shuffle(units)
        turns.each([(_WHERE, lambda unit: tracing.whereabouts(view, unit)), (_PEER_WHERE, peer.whereabouts)], units)

        def ours(of: Ledger, lot: str) -> Callable[[], int]:
            def job() -> int:
                with of.snapshot() as snapshot:
                    return len(list(recall.affected(snapshot, criteria.Lot(PRODUCT, lot))))

            return job

        def streamed() -> int:
            with ledger.snapshot() as snapshot:
                return sum(1 for _ in recall.affected(snapshot, criteria.Lot(PRODUCT, _LARGE)))

        def grouped() -> int:
            with ledger.snapshot() as snapshot:
                found = recall.fan_out(snapshot, criteria.Lot(PRODUCT, _RECALLED))
                assert sum(found.groups.values()) == len(found.units)
                return len(found.units)

        def stock() -> int:
            with ledger.snapshot() as snapshot:
                return sum(row.units for row in tracing.stock(snapshot, by=("product", "lot")))

        turns.whole(
            [
                (_fan(recalled, big), ours(ledger, _RECALLED)),
                (_fan(recalled, small), ours(small_ledger, _RECALLED)),
                (_GROUPED, grouped),
                (_KEPT, lambda: len(list(peer.fan_out(PRODUCT, _RECALLED)))),
                (_FACTS, lambda: len(list(peer.fan_out_of_facts(PRODUCT, _RECALLED)))),
                (f"{_KEPT}, {small.name}", lambda: len(list(peers[small.name].fan_out(PRODUCT, _RECALLED)))),
                (f"{_FACTS}, {small.name}", lambda: len(list(peers[small.name].fan_out_of_facts(PRODUCT, _RECALLED)))),
                (_STOCK, stock),
                (_PEER_STOCK, lambda: sum(row[2] for row in peer.stock())),
            ]
        )
        turns.whole(
            [
                (_fan(beside, big), streamed),
                (_LARGE_KEPT, lambda: sum(1 for _ in peer.fan_out(PRODUCT, _LARGE))),
                (_LARGE_FACTS, lambda: sum(1 for _ in peer.fan_out_of_facts(PRODUCT, _LARGE))),
            ]
        )
        for one in peers.values():
            one.close()
    said("memory")
    memory = {whole: _child(big.ledger, _LARGE, whole=whole) for whole in (False, True)}
    said("")
    return _section(turns, small, big, packing, memory)


_TRACE = "trace of a unit, with its proof, by one Tracer"
_ALONE = "by itself: key, checkpoint and containers looked at anew"
_PEER_TRACE = "SQLite: trace of a unit"
_WHERE, _PEER_WHERE = "whereabouts of a unit", "SQLite, positions kept: whereabouts of a unit"
_GROUPED = "the same, sorted, grouped by what must be done"
_KEPT, _FACTS = "SQLite, positions kept: the same fan-out", "SQLite, from the facts: the same fan-out"
_LARGE_KEPT, _LARGE_FACTS = "SQLite, positions kept: the large fan-out", "SQLite, from the facts: the large fan-out"
_STOCK, _PEER_STOCK = "stock by lot", "SQLite: stock by lot"


def _fan(lot: Lot, data: Data) -> str:
    return f"fan-out of a lot of {lot.units:,}, in {data.name}"


def _section(
    turns: _Turns, small: Data, big: Data, packing: Sequence[Series], memory: dict[bool, dict[str, int]]
) -> Section:
    recalled, beside = big.facts.lots
    fan, fan_small, fan_large = _fan(recalled, big), _fan(recalled, small), _fan(beside, big)
    ledger_size, peer_size = data_file(big.ledger).stat().st_size, big.database.stat().st_size
    lines = [
        turns.line(_TRACE, "us"),
        turns.line(_ALONE, "us"),
        turns.line(_PEER_TRACE, "us", _TRACE),
        turns.line(_WHERE, "us"),
        turns.line(_PEER_WHERE, "us", _WHERE),
        turns.line(fan, "ms"),
        turns.line(_GROUPED, "ms"),
        turns.line(_KEPT, "ms", fan),
        turns.line(_FACTS, "ms", fan),
        turns.line(fan_small, "ms"),
        turns.line(f"{_KEPT}, {small.name}", "ms", fan_small),
        turns.line(f"{_FACTS}, {small.name}", "ms", fan_small),
        turns.line(fan_large, "s", None, "as a stream"),
        turns.line(_LARGE_KEPT, "s", fan_large, "as a stream"),
        turns.line(_LARGE_FACTS, "s", fan_large, "as a stream"),
        turns.line(_STOCK, "ms"),
        turns.line(_PEER_STOCK, "ms", _STOCK),
        *(
            single(
                f"memory of a fan-out of {told['units']:,}, {'all kept and sorted' if whole else 'as a stream'}",
                [told["own"] / _MIB],
                "MiB",
                f"{told['resident'] / _MIB:,.0f} MiB with the mapped file",
            )
            for whole, told in memory.items()
        ),
        single("append of all this, packings in it", [big.scans / big.seconds], "unit events/s", _mix(big)),
        *(line(one, "units/s", packing[0]) for one in packing),
        single("size of the ledger", [ledger_size / _MIB], "MiB"),
        single("size of the database", [peer_size / _MIB], "MiB"),
    ]
    return Section(
        "tracing", "Trace, whereabouts, recall fan-out", _words(big), lines, _targets(turns, small, big, memory)
    )


def _mix(data: Data) -> str:
    return f"{data.events / data.seconds:,.0f} events/s of {data.scans / data.events:.1f} units on average"


def _words(big: Data) -> str:
    recalled, beside = big.facts.lots
    return (
        f"A ledger of {(recalled.units + beside.units) / 1e6:.1f} M units in two lots, {big.name}, {big.events:,}"
        " entries, five levels (unit, case, pallet, container, voyage), without a profile. Single questions are about"
        " random units, in cache; their spread is from the first to the last percentile. A fan-out gives unit, state,"
        " last entry, place, holder, outermost container and time of each unit, from a fresh snapshot. SQLite has the"
        " same facts and proves nothing: *positions kept*: containers and last sightings are kept up to date for every"
        " code, which tells how things are now and no other time; *from the facts*: of a unit only its state and latest"
        " event are kept, as in the ledger's index, and the rest is found in stays and events."
    )


def _targets(turns: _Turns, small: Data, big: Data, memory: dict[bool, dict[str, int]]) -> list[Target]:
    recalled, beside = big.facts.lots
    fan, fan_small, fan_large = _fan(recalled, big), _fan(recalled, small), _fan(beside, big)
    return [
        Target("trace of one unit with its proof, median", 1000, turns.seconds(_TRACE) * 1e6, "us", at_least=False),
        Target("the same, against SQLite", 1, turns.ratio(_TRACE, _PEER_TRACE), "x"),
        Target(f"fan-out of {recalled.units:,} units", 1000, turns.seconds(fan) * 1e3, "ms", at_least=False),
        Target("the same, against SQLite from the facts", 3, turns.ratio(fan, _FACTS), "x"),
        Target("the same, against SQLite with positions kept", 3, turns.ratio(fan, _KEPT), "x"),
        Target(f"fan-out of {beside.units:,} units", 8, turns.seconds(fan_large), "s", at_least=False),
        Target(
            f"the same recall in {big.name}, against {small.name}",
            1.3,
            turns.ratio(fan_small, fan),
            "x",
            at_least=False,
        ),
        Target("memory of the large fan-out, all kept", 1024, memory[True]["own"] / _MIB, "MiB", at_least=False),
    ]


def main() -> None:
    """Measure tracing alone."""
    if sys.argv[1:2] == ["--memory"]:
        path, lot, how = sys.argv[2:]
        print(json.dumps(_memory(Path(path), lot, how)))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--keep", type=Path, required=True, metavar="FOLDER", help="where the data sets are, or will be"
    )
    parser.add_argument("--units", default="100000,1000000", help="units of the two lots, separated by a comma")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="rewrite the measured section in this document")
    given = parser.parse_args()
    scale = Scale(0, 0, given.rounds, tuple(map(int, given.units.split(","))))
    with tempfile.TemporaryDirectory(dir=given.keep.parent) as work:
        measured = machine(Path(work))
        section = traces(Path(work), scale, given.keep)
    print(f"Measured on {measured}.")
    show(section)
    if given.json:
        write_json(given.json, [section], measured, scale.as_dict())
    if given.markdown:
        rewrite(given.markdown, [section], f"{measured}; {scale}")


if __name__ == "__main__":
    main()
