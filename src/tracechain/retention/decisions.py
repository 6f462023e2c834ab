"""What a plan says: for every part of every entry whether it stays or goes, and why.

A decision is for a run of neighbouring entries of which the same is true for the same reason; together they have each
part of each entry exactly once. Millions of entries have few different reasons, so a plan keeps a number for each part
and a list of reasons, and makes decisions of them when somebody looks.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Any

from attrs import field, frozen

from tracechain.entry import EntryType
from tracechain.retention.dates import format_day, format_term
from tracechain.retention.policy import Kept
from tracechain.retention.ranges import Ranges
from tracechain.retention.records import prune_digest
from tracechain.view import AscendingLeaves, View

__all__ = ["Decision", "Part", "Personal", "Plan", "Reason", "Tally", "Verdict", "Why", "event_indices"]

_EVENT = int(EntryType.EVENT)


class Part(StrEnum):
    """A part of an entry, or of what an entry says of a person: that value lies in the vault."""

    HEADER = "header"
    CONTENT = "content"
    ROWS = "rows"
    #: Whom the person's token stands for.
    IDENTITY = "identity"
    #: The value behind a commitment.
    PRIVATE = "private"


class Verdict(StrEnum):
    """What becomes of it."""

    KEEP = "keep"
    PRUNE = "prune"
    #: It is not there any more.
    GONE = "gone"
    #: Of a personal value: it stays, and is not used.
    RESTRICT = "restrict"
    ERASE = "erase"


class Why(StrEnum):
    """What decides, in words."""

    ALWAYS = "headers stay for ever"
    STRUCTURE = "not an event: stays for ever"
    POLICY = "a rule of the policy"
    NO_RULE = "no rule of the policy is for it"
    NO_POLICY = "no policy is in force"
    HEADER = "its header says so"
    FLOOR = "received this calendar year or the one before"
    HOLD = "hold"
    OPEN = "in use: a pack in it has not ended"
    PACKED = "in use: something in it is in a container"
    EMPTIED = "it empties a container: stays for ever"
    NEXT_ROUND = "rows go after their content, in a later round"
    CONTENT_KEPT = "its content stays"
    LATEST = "the latest row of a subject"
    FOLLOWED = "the content of a subject's next entry is kept"
    EARLIER_ROWS = "waits for earlier rows"
    OLDEST_FIRST = "its content went, and that of the next entries"
    DONE = "pruned before"
    MISSING = "missing without a record"
    #: A personal value with no upper bound that is past.
    NOT_OVERDUE = "no rule asks for it to go yet"


@frozen
class Reason:
    """Why, with what decided: the rule of a regime, the anchor counted from and its day, and the day it comes to (None:
    no day). Days are those of Asia/Shanghai since 1970-01-01. `note` says which hold, or which record."""

    why: Why
    regime: str | None = None
    rule: str | None = None
    clause: str | None = None
    anchor: str | None = None
    anchor_day: int | None = None
    term: str | None = None
    instead_of: str | None = None
    day: int | None = None
    note: str | None = None

    @classmethod
    def of(cls, kept: Kept, why: Why = Why.POLICY) -> Reason:
        """The reason that a rule gives."""
        return cls(
            why, kept.regime or None, kept.rule, kept.clause or None,
            None if kept.anchor is None else str(kept.anchor), kept.anchor_day,
            None if kept.term is None else format_term(kept.term),
            None if kept.instead_of is None else str(kept.instead_of), kept.day,
        )  # fmt: skip

    @property
    def group(self) -> tuple[str, str | None, str | None, str | None, str | None]:
        """The reason without its dates: what tables are by."""
        return str(self.why), self.regime, self.rule, self.clause, self.note

    @property
    def text(self) -> str:
        """In words, on one line."""
        said = str(self.why)
        if self.why is Why.POLICY:
            said = f"{self.regime}: {self.rule}" + (f" ({self.clause})" if self.clause else "")
        if self.note is not None:
            said = self.note if self.why is Why.HOLD else f"{said}: {self.note}"
        if self.anchor is not None and self.anchor_day is not None:
            said += f", {self.anchor} {format_day(self.anchor_day)} + {self.term}"
            said += "" if self.instead_of is None else f" as {self.instead_of} is not known"
        elif self.anchor is not None:
            said += f", as {self.anchor} is not known"
        if self.day is not None:
            said += f", until {format_day(self.day)}"
        elif self.why is Why.POLICY:
            said += ", for ever"
        return said

    def plain(self) -> dict[str, Any]:
        """As JSON values; days as dates."""
        return {
            "why": str(self.why), "regime": self.regime, "rule": self.rule, "clause": self.clause,
            "anchor": self.anchor, "anchor_day": _date(self.anchor_day), "term": self.term,
            "instead_of": self.instead_of, "until": _date(self.day), "note": self.note, "text": self.text,
        }  # fmt: skip


@frozen
class Decision:
    """What becomes of a part of the entries start <= index < stop, and why."""

    start: int
    stop: int
    part: Part
    verdict: Verdict
    reason: Reason

    @property
    def count(self) -> int:
        """How many entries it is for."""
        return self.stop - self.start


@frozen
class Personal:
    """What becomes of a personal value that an entry speaks of: `key` is the token of the person (16 bytes) or the
    commitment (32), `name` the field ("identity" for a token)."""

    index: int
    part: Part
    name: str
    key: bytes
    verdict: Verdict
    reason: Reason


@frozen
class Tally:
    """How many parts have a verdict for a reason (dates aside), their bytes with salts, and from which day to which
    they are kept."""

    part: Part
    verdict: Verdict
    why: str
    regime: str | None
    rule: str | None
    clause: str | None
    note: str | None
    count: int
    size: int
    first_day: int | None
    last_day: int | None


def _date(day: int | None) -> str | None:
    return None if day is None else format_day(day)


#: A verdict and its reason; their places in the list are the numbers of the columns.
Grounds = tuple[tuple[Verdict, Reason], ...]


@frozen
class Plan:
    """What may go of the first `size` entries as of a day, and why everything else stays.

    `policy` is the index of the record of the policy in force, None where the plan is by another or there is none;
    `policy_name` its name. `contents` and `rows` are what goes, as ranges: every event in a range, and what stands
    between events (statements, records) is not meant. `content_count` and `row_count` are how many entries lose them.
    """

    size: int
    as_of: int
    policy: int | None
    policy_name: str | None
    contents: Ranges
    rows: Ranges
    content_count: int
    row_count: int
    content_bytes: int
    row_bytes: int
    personal: tuple[Personal, ...]
    grounds: Grounds = field(repr=False)
    #: By index: the number of the ground of the content, and of the rows; 0 for no rows.
    content_column: array[int] = field(repr=False)
    row_column: array[int] = field(repr=False)
    #: (part, number of the ground, calendar year of receipt, count, bytes)
    sums: tuple[tuple[Part, int, int, int, int], ...] = field(repr=False)

    @property
    def count(self) -> int:
        """How many parts go."""
        return self.content_count + self.row_count

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Every part of every entry once, in runs: headers, contents, rows."""
        return tuple(self.iter_decisions())

    def iter_decisions(self) -> Iterator[Decision]:
        """The same one by one; there may be as many as entries."""
        if self.size:
            yield Decision(0, self.size, Part.HEADER, Verdict.KEEP, Reason(Why.ALWAYS))
        yield from self._runs(Part.CONTENT, self.content_column)
        yield from self._runs(Part.ROWS, self.row_column)

    def _runs(self, part: Part, column: Sequence[int]) -> Iterator[Decision]:
        start = 0
        for number, run in groupby(column):
            stop = start + sum(1 for _ in run)
            if number:
                yield Decision(start, stop, part, *self.grounds[number])
            start = stop

    def of(self, index: int) -> dict[Part, tuple[Verdict, Reason]]:
        """What becomes of each part of one entry."""
        found = {
            Part.HEADER: (Verdict.KEEP, Reason(Why.ALWAYS)),
            Part.CONTENT: self.grounds[self.content_column[index]],
        }
        if number := self.row_column[index]:
            found[Part.ROWS] = self.grounds[number]
        return found

    def by_reason(self) -> tuple[Tally, ...]:
        """How much stays and goes for which reason: what goes first, then by size."""
        found: dict[tuple[Any, ...], list[Any]] = {}
        for part, number, _, count, size in self.sums:
            verdict, reason = self.grounds[number]
            row = found.setdefault((part, verdict, *reason.group), [0, 0, None, None])
            row[0] += count
            row[1] += size
            if reason.day is not None:
                row[2] = reason.day if row[2] is None else min(row[2], reason.day)
                row[3] = reason.day if row[3] is None else max(row[3], reason.day)
        for one in self.personal:
            found.setdefault((one.part, one.verdict, *one.reason.group), [0, 0, None, None])[0] += 1
        order = tuple(Verdict)
        tallies = [Tally(*key, *row) for key, row in found.items()]
        return tuple(sorted(tallies, key=lambda t: (t.part, -order.index(t.verdict), -t.size, -t.count, t.why)))

    def by_year(self) -> dict[int, dict[tuple[Part, Verdict], tuple[int, int]]]:
        """By calendar year of receipt (Asia/Shanghai): how many parts have which verdict, and their bytes."""
        found: dict[int, dict[tuple[Part, Verdict], tuple[int, int]]] = {}
        for part, number, year, count, size in self.sums:
            row = found.setdefault(year, {})
            key = part, self.grounds[number][0]
            before = row.get(key, (0, 0))
            row[key] = before[0] + count, before[1] + size
        return dict(sorted(found.items()))

    def digest(self, view: View) -> bytes:
        """What goes, in the 32 bytes of an intent (format.md section 5.10)."""
        leaf = AscendingLeaves(view).leaf
        return prune_digest(leaf, event_indices(view, self.contents), event_indices(view, self.rows))

    def plain(self, *, decisions: bool = True) -> dict[str, Any]:
        """As JSON values; `decisions` may be as many as entries."""
        told: dict[str, Any] = {
            "size": self.size, "as_of": format_day(self.as_of), "policy": self.policy, "policy_name": self.policy_name,
            "contents": [list(one) for one in self.contents], "rows": [list(one) for one in self.rows],
            "content_count": self.content_count, "row_count": self.row_count, "content_bytes": self.content_bytes,
            "row_bytes": self.row_bytes,
            "by_reason": [
                {
                    "part": str(t.part), "verdict": str(t.verdict), "why": t.why, "regime": t.regime, "rule": t.rule,
                    "clause": t.clause, "note": t.note, "count": t.count, "bytes": t.size,
                    "first_until": _date(t.first_day), "last_until": _date(t.last_day),
                }
                for t in self.by_reason()
            ],
            "by_year": [
                {"year": year, "part": str(part), "verdict": str(verdict), "count": count, "bytes": size}
                for year, row in self.by_year().items()
                for (part, verdict), (count, size) in sorted(row.items())
            ],
            "personal": [
                {
                    "entry": p.index, "part": str(p.part), "name": p.name, "key": p.key.hex(),
                    "verdict": str(p.verdict), "reason": p.reason.plain(),
                }
                for p in self.personal
            ],
        }  # fmt: skip
        if decisions:
            told["decisions"] = [
                {
                    "start": d.start, "stop": d.stop, "part": str(d.part), "verdict": str(d.verdict),
                    "reason": d.reason.plain(),
                }
                for d in self.iter_decisions()
            ]  # fmt: skip
        return told


def event_indices(view: View, ranges: Ranges) -> Iterator[int]:
    """The events in some ranges, ascending: what else stands there is not meant (format.md section 5.10)."""
    for start, stop in ranges:
        for index, header in view.headers(start, stop):
            if header[4] == _EVENT:
                yield index
