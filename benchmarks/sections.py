"""The sections of a run, each a comparison or a few figures with the project's aims for them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from ledgers import Capture, Floor, Ours, build, copy, data_file, hash_everything, open_ledger
from measure import Contestant, Series, interleave, ratio
from peers import AuditChain, EventSourcing, Pymerkle
from report import Line, Section, Target, line, single
from scale import Scale, said
from tracechain.event import ObjectEvent
from tracechain.ledger import Ledger, verify_ledger
from tracechain.verification import verify_unit
from tracechain.view import unit_history
from workloads import Scans, commissioning, unit_id

__all__ = ["append", "disk", "lookups", "many", "threads", "verify"]

_UNITS = 100


def _rounds_of(scans: Scans, events: int) -> Callable[[int, Contestant], list[ObjectEvent]]:
    """The same new events for every contestant of one round."""
    current: dict[int, list[ObjectEvent]] = {}

    def events_of(number: int, _: Contestant) -> list[ObjectEvent]:
        if number not in current:
            current.clear()
            current[number] = scans.take(events)
        return current[number]

    return events_of


# ---- append ------------------------------------------------------------------------------------


def append(folder: Path, scale: Scale) -> Section:
    """Single-unit events in random unit order: the ledger, the peers, the floor."""
    said("commissioning")
    base = build(folder / "base", scale.population)
    ours = Ours(copy(base, folder / "k1"), 1000)
    ours_10k = Ours(copy(base, folder / "k10"), 10_000)
    floor = Floor(copy(base, folder / "f1"), Capture(copy(base, folder / "c1"), 1000), 1000)
    floor_10k = Floor(copy(base, folder / "f10"), Capture(copy(base, folder / "c10"), 10_000), 10_000)
    loop_10k = Floor(copy(base, folder / "l10"), Capture(copy(base, folder / "d10"), 10_000), 10_000, loop=True)
    peers: list[Contestant] = [
        Pymerkle(folder / "pymerkle", 1000),
        Pymerkle(folder / "pymerkle-root", 1000, root=True),
        Pymerkle(folder / "pymerkle-events", 1000, root=True, from_events=True),
        Pymerkle(folder / "pymerkle-plain", 1000, root=True, from_events=True, tuned=False),
        EventSourcing(folder / "eventsourcing", 1000),
        EventSourcing(folder / "eventsourcing-events", 1000, from_events=True),
        AuditChain(folder / "sha", 1000, sign=False),
        AuditChain(folder / "ed25519", 1000, sign=True),
    ]
    for peer in peers:
        said(f"commissioning: {peer.name}")
        for at in range(0, scale.population, 10_000):
            for commit in peer.prepare(commissioning(range(at, min(at + 10_000, scale.population)))):
                peer.append(commit)
    everyone: list[Contestant] = [ours, *peers, floor, ours_10k, floor_10k, loop_10k]
    found = interleave(everyone, scale.rounds, _rounds_of(Scans(scale.population, 1), scale.events), progress=said)
    for one in everyone:
        one.close()
    said("")
    mine, mine_10k = found[ours.name], found[ours_10k.name]
    lines = [
        line(found[one.name], "/s", mine_10k if one.batch == 10_000 else mine, _written(found[one.name]))
        for one in everyone
    ]
    leaves_only, root, from_events, plain, stored, mapped, sha, ed25519 = (found[peer.name] for peer in peers)
    targets = [
        Target(
            "1,000 a commit, against pymerkle as it comes, root a commit, from the same event objects",
            1,
            ratio(mine, plain),
            "x",
        ),
        Target(
            "1,000 a commit, against pymerkle with WAL, root a commit, from the same event objects",
            1,
            ratio(mine, from_events),
            "x",
        ),
        Target(
            "1,000 a commit, against pymerkle with WAL, root a commit, entries ready made", 1, ratio(mine, root), "x"
        ),
        Target(
            "1,000 a commit, against pymerkle with WAL, leaf hashes only, entries ready made",
            1,
            ratio(mine, leaves_only),
            "x",
        ),
        Target("1,000 a commit, against eventsourcing, from its event objects", 3, ratio(mine, mapped), "x"),
        Target("1,000 a commit, against eventsourcing, entries ready made", 3, ratio(mine, stored), "x"),
        Target("1,000 a commit, against auditchain, SHA-256 chain", 3, ratio(mine, sha), "x"),
        Target("1,000 a commit, against auditchain, Ed25519", 3, ratio(mine, ed25519), "x"),
        Target(
            "10,000 a commit, share of the raw floor, a put a value", 0.45, ratio(mine_10k, found[loop_10k.name]), ""
        ),
        Target(
            "10,000 a commit, share of the raw floor, by putmulti", 0.45, ratio(mine_10k, found[floor_10k.name]), ""
        ),
    ]
    words = (
        "Single-unit events in random unit order, the units commissioned before. The ledger takes event objects and"
        " gives a receipt; the peers get their entries ready made (where the line does not say otherwise), 1,000 a"
        " commit; all are durable. Raw LMDB is the floor: the very keys and values of our commits, index and meta"
        " included, put into the same tables, by Transaction.put one by one or by Cursor.putmulti in the lists that we"
        " pass; nothing is looked up, hashed or signed."
    )
    return Section("append", "Append: single-unit events", words, lines, targets)


def _written(series: Series) -> str:
    return f"{series.written_each:,.0f} bytes written an event"


# ---- many units an event -----------------------------------------------------------------------


def many(folder: Path, scale: Scale) -> Section:
    """Events of 100 units against events of one."""
    base = build(folder / "base", scale.population)
    scans = Scans(scale.population, 2)
    one = Ours(copy(base, folder / "one"), 1000, "events of 1 unit, 1,000 a commit")
    same = Ours(copy(base, folder / "same"), 10_000, "events of 1 unit, 10,000 a commit")
    random_100 = Ours(copy(base, folder / "random"), 100, "events of 100 random units, 100 a commit")
    cartons = Ours(copy(base, folder / "cartons"), 100, "events of 100 neighbouring units, 100 a commit")

    def events_of(_: int, who: Contestant) -> list[ObjectEvent]:
        if who is cartons:
            return scans.take_cartons(scale.events // _UNITS)
        return scans.take(scale.events // _UNITS, _UNITS) if who is random_100 else scans.take(scale.events)

    everyone = [one, same, random_100, cartons]
    found = interleave(everyone, scale.rounds, events_of, work=lambda event: len(event.epcs), progress=said)
    for who in everyone:
        who.close()
    said("")
    hundred = found[random_100.name]
    lines = [line(found[who.name], "unit scans/s", hundred, _written(found[who.name])) for who in everyone]
    targets = [
        Target(
            "unit scans/s of events of 100 units, against single ones, 1,000 a commit",
            2,
            ratio(hundred, found[one.name]),
            "x",
        ),
        Target("the same, against single ones, 10,000 a commit", 2, ratio(hundred, found[same.name]), "x"),
    ]
    words = "Unit scans a second; ratios are of events of 100 random units."
    return Section("many", "Append: events of 100 units", words, lines, targets)


# ---- threads -----------------------------------------------------------------------------------


def threads(folder: Path, scale: Scale) -> Section:
    """Single events, one a call, from 1 and from 16 threads: group commit."""
    base = build(folder / "base", min(scale.population, 20_000))
    each = max(50, scale.events // 50)
    path = copy(base, folder / "ledger")
    scans = Scans(min(scale.population, 20_000), 3)
    found = {count: Series(f"{count} thread{'s' if count > 1 else ''}, one event a call") for count in (1, 4, 16)}
    with open_ledger(path) as ledger:
        for number in range(scale.rounds):
            for count in (1, 4, 16) if number % 2 == 0 else (16, 4, 1):
                said(f"round {number + 1}/{scale.rounds}: {count} threads")
                seconds = _append_from_threads(ledger, count, [scans.take(each) for _ in range(count)])
                found[count].seconds.append(seconds)
                found[count].done.append(each * count)
    said("")
    lines = [line(one, "/s", found[16]) for one in found.values()]
    targets = [Target("16 threads appending single events, against one", 10, ratio(found[16], found[1]), "x")]
    words = "Each call appends one event and returns when it is durable; ratios are of 16 threads."
    return Section("threads", "Append: group commit", words, lines, targets)


def _append_from_threads(ledger: Ledger, count: int, events: list[list[ObjectEvent]]) -> float:
    ready = threading.Barrier(count + 1)
    failed: list[BaseException] = []

    def work(own: list[ObjectEvent]) -> None:
        ready.wait()
        try:
            for event in own:
                ledger.append([event])
        except BaseException as error:  # noqa: BLE001  # reported by the thread that measures
            failed.append(error)

    workers = [threading.Thread(target=work, args=(own,)) for own in events]
    for worker in workers:
        worker.start()
    ready.wait()
    start = time.perf_counter()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - start
    if failed:
        raise failed[0]
    return seconds


# ---- verify ------------------------------------------------------------------------------------


def verify(folder: Path, scale: Scale) -> Section:
    """The whole log, in one process and in two, against reading and hashing the same bytes once."""
    path = _lived(folder, scale)
    with Ledger.open(path) as ledger, ledger.snapshot() as snapshot:
        size = snapshot.size
    floor = Series("floor: the same bytes read and hashed once each")
    one, two = Series("verify, one process"), Series("verify, two processes")
    whole = Series("verify, one process, the index held against the log as well")

    def check(processes: int, *, index: bool = False) -> Callable[[], object]:
        return lambda: verify_ledger(path, processes=processes, index=index).raise_for_findings()

    jobs: list[tuple[Series, Callable[[], object]]] = [
        (floor, lambda: hash_everything(path)),
        (one, check(1)),
        (two, check(2)),
        (whole, check(1, index=True)),
    ]
    for number in range(scale.rounds):
        for series, job in jobs if number % 2 == 0 else jobs[::-1]:
            said(f"round {number + 1}/{scale.rounds}: {series.name}")
            series.seconds.append(_seconds(job))
            series.done.append(size)
    lines = [line(series, "entries/s", one) for series, _ in jobs]
    for sign in (False, True):
        peer = AuditChain(folder / f"auditchain-{sign}", 1000, sign=sign)
        entries = commissioning(range(min(scale.population, 20_000)))
        for commit in peer.prepare(entries):
            peer.append(commit)
        said(f"verify: {peer.name}")
        rates = [len(entries) / _seconds(peer.verify) for _ in range(3)]
        peer.close()
        lines.append(
            Line(
                peer.name,
                median(rates),
                "entries/s",
                min(rates),
                max(rates),
                one.rate / median(rates),
                "not interleaved",
            )
        )
    said("")
    targets = [
        Target("verify the whole log, share of the floor", 0.4, ratio(one, floor), ""),
        Target("two processes against one", 1.7, ratio(two, one), "x"),
    ]
    words = (
        f"A log of {size:,} entries, half of them first sights, half scans in random order; ratios are of one process."
    )
    return Section("verify", "Verification of the whole log", words, lines, targets)


def _lived(folder: Path, scale: Scale) -> Path:
    """A closed ledger in which every unit was commissioned and then scanned once, in random order."""
    said("building a ledger")
    population = scale.population * 5 // 2  # large enough that starting processes is not what is measured
    path = build(folder / "lived", population)
    scans = Scans(population, 4)
    with open_ledger(path) as ledger:
        for _ in range(0, population, 1000):
            ledger.append(scans.take(1000))
    return path


def _seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


# ---- disk --------------------------------------------------------------------------------------


def disk(folder: Path, scale: Scale) -> Section:
    """Bytes on disk of an event and of a unit scan."""
    base = build(folder / "base", scale.population)
    lines: list[Line] = []
    compact: dict[str, float] = {}
    empty = _sizes(build(folder / "empty", 1), folder / "empty-copy")
    before = _sizes(base, folder / "base-copy")
    lines += _disk_lines(
        "commissioning of one unit, its place in the index included", before, empty, scale.population, compact
    )
    scans = Scans(scale.population, 5)
    for name, events, units in (
        ("scan of one unit, 1,000 a commit", scale.population, 1),
        ("unit scan of events of 100 random units", scale.population // _UNITS, _UNITS),
        ("unit scan of events of 100 neighbouring units", scale.population // _UNITS, -_UNITS),
    ):
        said(name)
        path = copy(base, folder / f"scan{units}")
        with open_ledger(path) as ledger:
            for at in range(0, events, 1000 if units == 1 else 100):
                count = min(1000 if units == 1 else 100, events - at)
                ledger.append(scans.take_cartons(count, -units) if units < 0 else scans.take(count, units))
        after = _sizes(path, folder / f"copy{units}")
        lines += _disk_lines(name, after, before, events * abs(units), compact)
    said("")
    targets = [
        Target(
            "bytes on disk a single-unit event",
            450,
            compact["scan of one unit, 1,000 a commit"],
            "bytes",
            at_least=False,
        ),
        Target(
            "bytes on disk a unit scan of 100-unit events",
            80,
            compact["unit scan of events of 100 random units"],
            "bytes",
            at_least=False,
        ),
    ]
    words = (
        "What the database grows by. `tables`: pages in use; `compact`: the file of a backup, which is a compact copy;"
        " `file`: the file as it was written, with the pages that LMDB keeps to use again."
    )
    return Section("disk", "Bytes on disk", words, lines, targets)


def _sizes(path: Path, to: Path) -> dict[str, int]:
    with open_ledger(path) as ledger:
        with ledger.snapshot() as snapshot:
            tables = snapshot.table_bytes()
        ledger.backup(to)
    found = {name: size for name, (size, _) in tables.items()}
    return found | {
        "tables": sum(found.values()),
        "compact": data_file(to).stat().st_size,
        "file": data_file(path).stat().st_size,
    }


def _disk_lines(
    name: str, after: dict[str, int], before: dict[str, int], count: int, compact: dict[str, float]
) -> Sequence[Line]:
    grown = {key: (after[key] - before[key]) / count for key in after}
    compact[name] = grown["compact"]
    split = ", ".join(
        f"{key} {size:.1f}" for key, size in grown.items() if key not in {"tables", "compact", "file"} and size >= 0.05
    )
    return [
        single(f"{name}: compact", [grown["compact"]], "bytes", split),
        single(f"{name}: tables", [grown["tables"]], "bytes"),
        single(f"{name}: file", [grown["file"]], "bytes"),
    ]


# ---- lookups -----------------------------------------------------------------------------------


def lookups(folder: Path, scale: Scale) -> Section:
    """Opening, inclusion proofs, and the trace of one unit."""
    path = _lived(folder, scale)
    chosen = random.Random(6)
    opening = [_seconds(lambda: open_ledger(path).close()) * 1e3 for _ in range(15)]
    reading = [_seconds(lambda: Ledger.open(path).close()) * 1e3 for _ in range(15)]
    with Ledger.open(path) as ledger, ledger.snapshot() as view:
        units = [unit_id(chosen.randrange(scale.population)) for _ in range(1000)]
        proofs = [_seconds(lambda: ledger.prove(chosen.randrange(view.size))) * 1e6 for _ in range(1000)]
        histories = [_seconds(lambda u=u: unit_history(view, u)) * 1e6 for u in units]  # type: ignore[misc]  # a default binds u
        verdicts = [_seconds(lambda u=u: verify_unit(view, u)) * 1e6 for u in units[:200]]  # type: ignore[misc]  # the same
        size = view.size
    pymerkle = Pymerkle(folder / "pymerkle", 10_000)
    auditchain = AuditChain(folder / "auditchain", 10_000, sign=False)
    entries = commissioning(range(min(scale.population, 50_000)))
    for peer in (pymerkle, auditchain):
        said(f"filling: {peer.name}")
        for commit in peer.prepare(entries):
            peer.append(commit)
    others = [_seconds(lambda: pymerkle.prove(chosen.randrange(len(entries)))) * 1e6 for _ in range(100)]
    slow = [_seconds(lambda: auditchain.prove(chosen.randrange(len(entries)))) * 1e6 for _ in range(3)]
    pymerkle.close()
    auditchain.close()
    said("")
    proof = median(proofs)
    lines = [
        single("opening for writing, anchor checked", opening, "ms"),
        single("opening for reading", reading, "ms"),
        single("inclusion proof as a tlog-proof file", proofs, "us"),
        Line(
            pymerkle.name + ": inclusion proof",
            median(others),
            "us",
            min(others),
            max(others),
            median(others) / proof,
            f"{len(entries):,} entries",
        ),
        Line(
            auditchain.name + ": inclusion proof",
            median(slow),
            "us",
            min(slow),
            max(slow),
            median(slow) / proof,
            f"{len(entries):,} entries",
        ),
        single("history of a unit (two entries)", histories, "us"),
        single("trace of a unit with the verdict of each link", verdicts, "us"),
    ]
    targets = [Target("opening for writing", 100, median(opening), "ms", at_least=False)]
    words = f"Medians of repeated calls on a ledger of {size:,} entries, in cache."
    return Section("lookups", "Opening, proofs, traces", words, lines, targets)
