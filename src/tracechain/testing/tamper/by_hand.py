"""A pruned ledger, made by hand: announced, waited for and carried out as the format says, past every check.

A ledger's own methods prune only what may go. `ByHand` does as its caller says, so that a test can have what no ledger
would do; and what it does by the rules is lawful. `pruned_ledger` has two rounds of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from attrs import define, field, frozen

from tracechain.custody import PLAIN, TABLES, Act
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import EntryType, Row
from tracechain.event import Event
from tracechain.record import ClockRecord, Record, encode_record
from tracechain.registers import HoldStep
from tracechain.retention.bounds import After, Anchor
from tracechain.retention.dates import MS_PER_DAY, Term, shanghai_day
from tracechain.retention.policy import Policy, Regime, Rule, Selector
from tracechain.retention.ranges import Ranges, of_indices
from tracechain.retention.records import POLICY, PruneDone, PruneIntent, prune_digest
from tracechain.signing import Signer
from tracechain.statement import Statement, encode_statement
from tracechain.testing.samples import commission, observe, pack_ids, receive, ship
from tracechain.testing.standins import Clock, Keys, Random, new_ledger
from tracechain.testing.tamper.database import Log, edit, resign

__all__ = ["CLASS", "OPEN_CLASS", "WAIT_DAYS", "ByHand", "Sample", "hold", "policy", "pruned_ledger"]

#: Record classes of the sample: one that its policy keeps for a year, one that no rule of it is for.
CLASS, OPEN_CLASS = 1, 7
WAIT_DAYS = 3
_DAY = MS_PER_DAY
#: 2028-02-01.
_LATER = 1_832_947_200_000


def policy(name: str = "one year", *, years: int = 1, wait_days: int = WAIT_DAYS) -> Policy:
    """A policy that keeps events of class 1 so many years from their receipt."""
    rule = Rule("all", "test", Selector(record_classes=(CLASS,)), keep_until=After(Anchor.RECEIPT, Term(years=years)))
    return Policy(name, (Regime("test", "a table for tests", (rule,)),), wait_days=wait_days)


@define
class ByHand:
    """Writes to a log what its operator could, with the key of an author: records, days that go by, prunings."""

    log: Log
    signer: Signer = field(factory=lambda: Keys().author)

    @property
    def time(self) -> int:
        """When the last entry was received."""
        return self.log.header(len(self.log) - 1).time

    @property
    def policy(self) -> int:
        """The index of the latest record of a policy."""
        for index in range(len(self.log) - 1, -1, -1):
            if self.log.header(index).type == EntryType.RECORD and POLICY.encode() in self.log.content(index)[:12]:
                return index
        raise AssertionError("the ledger has no policy")

    # ---- entries ----

    def batch(self, records: Sequence[Record], *, later: int = 0) -> int:
        """Put records under one statement, received `later` (ms) after the last entry; the index of the first one."""
        log, time = self.log, self.time + later
        last = self._last()
        at = log.append(EntryType.STATEMENT, encode_statement(last), salt=Random(len(log))(32), time=time)
        for record in records:
            salt = Random(len(log))(64)
            rule_set, rows = self._rows(record)
            log.append(EntryType.RECORD, encode_record(record), salt=salt[:32], rows=rows, time=time, rule_set=rule_set)
        log.restate(at, self.signer, count=len(records), first=last.first + last.count, previous=last.hash)
        return at + 1

    def days(self, number: int) -> None:
        """Let days go by, with something that is recorded on each."""
        for _ in range(number):
            self.batch([Record("note", ("a day went by",))], later=_DAY)

    def clock(self, milliseconds: int) -> None:
        """Let a clock record set the time forward."""
        jump = ClockRecord(self.time, self.time + milliseconds, "by hand")
        self.log.append(EntryType.CLOCK, jump.encode(), salt=Random(len(self.log))(32), time=jump.end)

    def _last(self) -> Statement:
        author = self.signer.public_key.id
        for index in range(len(self.log) - 1, -1, -1):
            header = self.log.header(index)
            if header.type == EntryType.STATEMENT and header.author == author:
                return self.log.statement(index)
        raise AssertionError("the author has written nothing yet")

    def _rows(self, record: Record) -> tuple[int, list[Row]]:
        rule_set, word = PLAIN, 0
        for index in range(len(self.log) - 1, -1, -1):
            rules, rows = self.log.row_list(index)
            rule_set = max(rule_set, rules)
            found = [row for row in rows if row.subject == record.subject]
            if found and not word:
                word = found[0].state << STATE_SHIFT | index + 1
        if record.subject is None:
            return rule_set, []
        state = TABLES[rule_set][word >> STATE_SHIFT, int(Act.NOTE)][0]
        previous = (word & INDEX_MASK) - 1 if word else None
        return rule_set, [Row(record.subject, int(Act.NOTE), previous, state)]

    # ---- prunings ----

    def digest(self, contents: Ranges, rows: Ranges) -> bytes:
        """What goes, in 32 bytes, as the headers are now."""
        return prune_digest(self.log.leaf, self._events(contents), self._events(rows))

    def _events(self, ranges: Ranges) -> list[int]:
        return [i for start, stop in ranges for i in range(start, stop) if self.log.header(i).type == EntryType.EVENT]

    def intent(self, name: str, contents: Sequence[int], rows: Sequence[int] = (), **changes: object) -> PruneIntent:
        """An announcement as it should be now, but for `changes`."""
        some, others = of_indices(sorted(contents)), of_indices(sorted(rows))
        said: dict[str, object] = {
            "size": len(self.log), "as_of": shanghai_day(self.time), "policy": self.policy, "wait_days": WAIT_DAYS,
            "content_count": len(self._events(some)), "row_count": len(self._events(others)),
            "digest": self.digest(some, others), "reason": "due",
        }  # fmt: skip
        return PruneIntent(name=name, contents=some, rows=others, **(said | changes))  # type: ignore[arg-type]  # by name

    def announce(self, name: str, contents: Sequence[int], rows: Sequence[int] = (), **changes: object) -> int:
        """Log an announcement; returns its index."""
        return self.batch(self.intent(name, contents, rows, **changes).records())

    def done(self, intent: int, name: str, contents: Sequence[int], rows: Sequence[int] = (), **changes: object) -> int:
        """Log that these contents and rows went, and let the events among them go; returns the index of the record."""
        some, others = of_indices(sorted(contents)), of_indices(sorted(rows))
        said: dict[str, object] = {
            "kept_contents": (), "kept_rows": (), "content_count": len(self._events(some)),
            "row_count": len(self._events(others)), "digest": self.digest(some, others),
        }  # fmt: skip
        done = PruneDone(name=name, intent=intent, **(said | changes))  # type: ignore[arg-type]  # by name
        index = self.batch(done.records())
        self.drop(self._events(some), self._events(others))
        return index

    def drop(self, contents: Sequence[int], rows: Sequence[int] = ()) -> None:
        """Delete parts, and say nothing."""
        for index in contents:
            self.log.contents[index] = None
        for index in rows:
            self.log.rows[index] = None

    def prune(self, name: str, contents: Sequence[int], rows: Sequence[int] = (), *, days: int = WAIT_DAYS) -> int:
        """Announce, wait, and do it; returns the index of the record that says so."""
        index = self.announce(name, contents, rows)
        self.days(days)
        return self.done(index, name, contents, rows)


def pruned_ledger(path: Path) -> None:
    """Make a ledger that was pruned twice by the rules, and close it. Verification finds nothing in it; `Sample.of`
    tells what is in it."""
    clock, ids = Clock(), pack_ids(7)
    with new_ledger(path, clock=clock) as ledger:
        ledger.append([policy().record()])
        batches: list[list[Event]] = [
            [commission((one,)) for one in ids],
            [ship(ids[:4]), observe(ids[4:5]), observe(ids[5:6])],
            [receive((one,)) for one in ids[:4]],
            [observe((one,)) for one in ids],
        ]
        for batch in batches:
            clock.advance(_DAY)
            ledger.append(batch, record_class=CLASS)
        ledger.append([observe(ids[5:6])], record_class=OPEN_CLASS)
        ledger.append([hold("H-1", ids[6:7]).record()])
        clock.set(_LATER)
        ledger.accept_clock("the shop was closed")
        ledger.append([observe((one,)) for one in ids[:3]], record_class=CLASS)
    with edit(path) as log:
        by_hand, sample = ByHand(log), Sample.of(log)
        by_hand.prune("first", sample.gone)
        by_hand.prune("second", sample.seen[:2], sample.bare)
    resign(path, Keys().log)


def hold(name: str, about: Sequence[str], phase: str = "placed") -> HoldStep:
    """A step of a hold of some packs."""
    placed = phase == "placed"
    return HoldStep(
        id=name, phase=phase, on=date(2026, 12, 1), by="court", authority="court" if placed else None, reason="lawsuit",
        about=tuple(about) if placed else (),
    )  # fmt: skip


@frozen
class Sample:
    """The events of a `pruned_ledger`, of seven packs, by what became of them.

    All that came in in 2026 is due, but for `held`, of which the pack is under hold, and `open`, of a class that no
    rule is for. `gone` lost their contents in the first round, `bare` of them their rows in the second; the rows of
    `shipped` could go next. `seen` are the last events of 2026, one of each pack but the held one: the contents of the
    first two went in the second round. `young` are of 2028, of the first three packs.
    """

    gone: tuple[int, ...]
    bare: tuple[int, ...]
    shipped: int
    seen: tuple[int, ...]
    held: tuple[int, ...]
    open: int
    young: tuple[int, ...]

    @classmethod
    def of(cls, log: Log) -> Sample:
        """By the order in which they were made."""
        events = [index for index in range(len(log)) if log.header(index).type == EntryType.EVENT]
        return cls(
            gone=(*events[:6], *events[7:14]), bare=tuple(events[:6]), shipped=events[7], seen=tuple(events[14:20]),
            held=(events[6], events[20]), open=events[21], young=tuple(events[22:25]),
        )  # fmt: skip
