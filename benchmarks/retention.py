"""What retention costs: planning over a ledger of whole sales, by date and with holds.

The ledger is three years of a pilot's trade: units are commissioned, shipped, bonded in and sold, one event each. Then
nothing is due, or half of it, or all; and a hold of one product that all of it is of.

    python benchmarks/retention.py --keep FOLDER      builds what is not in FOLDER yet, measures, and leaves it there
    python benchmarks/retention.py --keep FOLDER --entries 200000 --rounds 3
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path

from attrs import evolve

from alone import alone
from ledgers import _AUTHOR, _LOG, _ROOT
from measure import Series
from report import Line, Section, Target, line, single
from rules import registers, sale
from scale import Scale, said
from tracechain.event import Event, Extension, ObjectEvent
from tracechain.event.sale import EXPIRY, LOT, MASTER_DATA
from tracechain.ledger import Ledger
from tracechain.record import Record
from tracechain.registers import HoldStep
from tracechain.retention.dates import parse_day
from tracechain.retention.holding import Holding
from tracechain.retention.plan import Plan, plan
from tracechain.retention.policy import RecordClass
from tracechain.retention.tables import pilot_policy
from workloads import unit_id

__all__ = ["build", "retention"]

_BEGIN = 1_700_000_000_000
_DAY_MS = 86_400_000
_BATCH = 10_000
#: Events of one unit: commissioned, shipped, and the six of a sale.
_EVENTS = 8
_YEARS = 3


class _Clock:
    """A clock that stands still until it is moved: what is due goes by receipt times."""

    now = _BEGIN

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        return self.now


def build(folder: Path, entries: int) -> Path:
    """A closed ledger of about that many entries, or the one that an earlier run has left there."""
    path = folder / f"retention-{entries}"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock()
    making = folder / f"making-{entries}"
    with Ledger.create(
        making, origin="example.com/bench", signer=_LOG, root=_ROOT, author=_AUTHOR, clock=clock
    ) as ledger:
        ledger.append([one.record() for one in registers()])
        ledger.append([pilot_policy().record()])
        units = entries // _EVENTS
        rounds = max(units // _BATCH, 1)
        step = _YEARS * 365 * _DAY_MS // (rounds * _EVENTS)
        for number in range(rounds):
            for events in _lives(range(number * units // rounds, (number + 1) * units // rounds), number):
                shift = clock.now * 1_000_000
                receipt = ledger.append(
                    [evolve(event, event_time=shift) for event in events], record_class=int(RecordClass.TRADING)
                )
                if receipt.violations:
                    raise RuntimeError(f"the sales are lawful: {receipt.violations[0]}")
                _later(ledger, clock, step)
            said(f"{entries:,} entries: {number + 1}/{rounds}")
    making.with_name(f"{making.name}.anchor").rename(path.with_name(f"{path.name}.anchor"))
    return making.rename(path)


def _later(ledger: Ledger, clock: _Clock, milliseconds: int) -> None:
    """Let time pass, no further at once than a clock may jump."""
    while milliseconds > 0:
        clock.now += min(milliseconds, 20 * _DAY_MS)
        milliseconds -= 20 * _DAY_MS
        if milliseconds > 0:
            ledger.append([Record("note", "time passes")])


def _lives(numbers: range, seed: int) -> Iterator[list[Event]]:
    """The events of these units, a list a step, each in another order."""
    chosen = list(numbers)
    drawn = random.Random(seed)
    ilmd = (Extension(MASTER_DATA, LOT, f"L{seed}"), Extension(MASTER_DATA, EXPIRY, f"{2026 + seed % 4}-06-30"))
    made = ObjectEvent(
        event_time=0, time_zone_offset=480, epcs=(unit_id(0),), action="ADD", biz_step="commissioning",
        disposition="active", ilmd=ilmd,
    )  # fmt: skip
    yield [evolve(made, epcs=(unit_id(n),)) for n in chosen]
    sent = evolve(made, action="OBSERVE", biz_step="shipping", disposition="in_transit", ilmd=())
    drawn.shuffle(chosen)
    yield [evolve(sent, epcs=(unit_id(n),)) for n in chosen]
    for _, events in sale(chosen):
        drawn.shuffle(events)
        yield events


# ---- measuring -----------------------------------------------------------------------------------

_DATES = {"nothing is due": "2027-06-01", "about half is due": "2030-03-01", "all is due": "2036-01-01"}


def retention(folder: Path, scale: Scale, kept: Path | None = None) -> Section:
    """Planning; and what comes after it, where it is there."""
    entries = max(scale.sizes)
    path = build(kept or folder, entries)
    series: dict[str, Series] = {}
    plans: dict[str, Plan] = {}
    with Ledger.open(path) as ledger:
        with ledger.snapshot() as view:
            size = view.size
        jobs: dict[str, Callable[[], Plan]] = {}
        for words, day in _DATES.items():
            jobs[f"plan, {words}"] = partial(_planned, ledger, day)
        jobs["plan, all is due, holds of a pack, a case and an order"] = partial(_planned, ledger, day, _held())
        for number in range(scale.rounds):
            for name, job in list(jobs.items())[:: 1 if number % 2 == 0 else -1]:
                said(f"round {number + 1}/{scale.rounds}: {name}")
                one = series.setdefault(name, Series(name))
                gc.collect()
                start = time.perf_counter()
                plans[name] = job()
                one.seconds.append(time.perf_counter() - start)
                one.done.append(size)
    lines: list[Line] = []
    for name, one in series.items():
        made = plans[name]
        note = f"{made.content_count:,} contents go, {made.content_bytes / 1e6:,.0f} MB"
        lines += [line(one, "entries/s"), single(f"{name}, all of it", one.seconds, "s", note)]
    worst = max(sorted(one.seconds)[len(one.seconds) // 2] for one in series.values()) * 1e6 / size
    said("")
    return Section(
        "retention", "Retention", _words(size), lines,
        [Target("planning 1 M entries, the slowest of these", 10, worst, "s", at_least=False)],
    )  # fmt: skip


def _planned(ledger: Ledger, day: str, holds: Holding | None = None) -> Plan:
    with ledger.snapshot() as view:
        return plan(view, None, holds, as_of=parse_day(day))


def _held() -> Holding:
    """A hold as a log could have it."""
    about = (unit_id(4711), "00/095212340000000011", "urn:example:order:17")
    step = HoldStep(
        id="H-1", phase="placed", on=date(2026, 1, 1), by="legal", authority="court", reason="measured", about=about
    )
    holding = Holding(about)
    holding.take(0, step.record())
    return holding


def _words(size: int) -> str:
    return (
        f"A ledger of {size:,} entries, {_YEARS} years of trade by the pilot's rules and its retention policy: events"
        f" of one unit in commits of {_BATCH:,}, eight a unit, from commissioning to delivery, in another order at each"
        " step. A plan is made on a fresh snapshot, with policy and holds in force read from the log, and gives every"
        " part of every entry its reason."
    )


if __name__ == "__main__":
    alone(__doc__, retention, rounds=5)
