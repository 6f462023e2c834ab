"""A store of packs with a retention policy, for tests of pruning: years pass by the clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from attrs import evolve

from pruned import derived, replayed
from tracechain.event import Event
from tracechain.ledger import Receipt
from tracechain.ledger.pruning import Pruned
from tracechain.record import Record, authorise
from tracechain.registers import HoldStep
from tracechain.replay import replay
from tracechain.retention.dates import shanghai_day
from tracechain.retention.plan import Plan, plan
from tracechain.retention.policy import After, Anchor, Policy, Regime, Rule, Term
from tracechain.testing import Clock, Keys, Random, new_ledger, open_ledger
from tracechain.testing.samples import commission, destroy, observe, pack_ids
from tracechain.testing.scanner import Scanner
from tracechain.verification import verify, verify_rules

__all__ = ["BEFORE", "DAY", "Store", "day", "policy"]

DAY = 86_400_000
#: Events that a store begins with, while its policy comes to stand; they become due with the others.
BEFORE = 4


def day(milliseconds: int) -> int:
    """The day of a time."""
    return shanghai_day(milliseconds)


def policy(*, wait: int = 3, years: int = 0, **more: Any) -> Policy:
    """Everything is kept for so many years from its receipt, and never less than the floor demands."""
    rule = Rule("all", "test", keep_until=After(Anchor.RECEIPT, Term(years=years)))
    return Policy("test", (Regime("test", "Test", (rule,)),), wait_days=wait, **more)


class Store:
    """A ledger with a policy that has stood for long enough, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.keys, self.clock = Keys(), Clock()
        self.path = folder / "ledger"
        self.ledger = new_ledger(self.path, keys=self.keys, clock=self.clock)
        self.station = Scanner(self.keys.station, self.ledger.ledger_id)
        self.ledger.authorise(authorise(self.ledger.ledger_id, self.keys.station, self.keys.root, "station", None))
        self.ledger.retain(policy())
        self._packs = 0
        self._others = 5000
        self._reopened = 1
        self.wait(BEFORE)

    def size(self) -> int:
        """Entries so far."""
        with self.ledger.snapshot() as view:
            return view.size

    def reopen(self) -> None:
        """Open it anew."""
        self.ledger.close()
        self._reopened += 1
        self.ledger = open_ledger(self.path, keys=self.keys, clock=self.clock, random=Random(self._reopened))

    def submission(self, contents: Sequence[Event | Record]) -> bytes:
        """What the station would hand over; it is not counted as said."""
        first, previous = self.station.first, self.station.previous
        data = self.station.make(contents, at=self.clock.now)
        self.station.first, self.station.previous = first, previous
        return data

    def wait(self, days: int) -> None:
        """Go on for some days: each has an event of another pack."""
        for _ in range(days):
            self.clock.advance(DAY)
            self._others += 1
            self.ledger.append([observe(pack_ids(1, start=self._others))])

    def ended(self, packs: int, where: str | None = None) -> tuple[str, ...]:
        """Packs that came and went: two events each."""
        codes = pack_ids(packs, start=self._packs + 1) if packs else ()
        self._packs += packs
        for code in codes:
            self.ledger.append([commission((code,)), evolve(destroy((code,)), read_point=where)])
        return codes

    def years_later(self) -> None:
        """It is 2029: what came in before 2028 may go. What `wait` recorded stays for being the latest of its pack."""
        self.clock.set(1_862_000_000_000 + DAY)
        self.ledger.accept_clock("closed for years")
        self.wait(1)

    def plan(self) -> Plan:
        """As of today."""
        with self.ledger.snapshot() as view:
            return plan(view, as_of=day(self.clock.now))

    def announce(self, name: str) -> Receipt:
        """Announce what is due."""
        return self.ledger.announce(self.plan(), name=name, reason="Due")

    def pruned(self, name: str) -> Pruned:
        """Announce, wait, prune."""
        self.announce(name)
        self.wait(3)
        return self.ledger.prune(name)

    def hold(self, name: str, *codes: str) -> Receipt:
        """Hold packs."""
        return self.ledger.register(self._step(name, "placed", codes))

    def release(self, name: str) -> Receipt:
        """Let them go."""
        return self.ledger.register(self._step(name, "released", ()))

    def _step(self, name: str, phase: str, codes: Sequence[str]) -> HoldStep:
        return HoldStep(
            id=name, phase=phase, on=date(2028, 1, 1), by="Court", authority="Court", reason="Case",
            about=tuple(codes),
        )  # fmt: skip

    def sound(self) -> None:
        """Live, replayed and rebuilt, it says the same, and it verifies."""
        live = derived(self.ledger)
        with self.ledger.snapshot() as view:
            told = replayed(view, replay(view))
            assert told["units"] == live["units"]
            assert told["memories"] == live["memories"]
            assert told["packed"] == {subject: word for subject, (_, word) in live["words"].items()}
            for report in (verify(view, verifier=self.ledger.verifier, index=True), verify_rules(view)):
                assert report, report.findings
        self.ledger.reindex()
        assert derived(self.ledger) == live
