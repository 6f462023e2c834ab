"""What a log says of retention, in its order: policies, what was announced to go, and what is said to have gone.

An announcement or its execution may need several records: neighbours under one statement, every part once and in order.
What cannot be read so, or does not fit what headers say of the entries that it names, is a finding (PRUNE_RECORD).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from attrs import define, field, frozen

from tracechain.entry import COVERED_TYPES, SALT_SIZE, EntryType
from tracechain.errors import DataError
from tracechain.record import Record, decode_record
from tracechain.retention.keeping import policy_of
from tracechain.retention.policy import Policy
from tracechain.retention.ranges import Ranges, intersect, minus
from tracechain.retention.records import (
    CONTENT,
    DONE,
    INTENT,
    POLICY,
    PRUNE_TAG,
    ROWS,
    PruneDone,
    PruneIntent,
    gather,
    read,
)
from tracechain.verification.findings import Code, Findings
from tracechain.verification.lost import LEAF, Lost
from tracechain.view import View

__all__ = ["Announced", "Done", "Said", "Tally", "read_records", "tally"]

_EVENT = bytes([EntryType.EVENT])
Said = PruneIntent | PruneDone


@frozen
class Tally:
    """What headers say of some sets of entries: how many events lose their content, their rows, and the digest."""

    contents: int
    rows: int
    digest: bytes


@define
class Announced:
    """An intent, whole: entries `index` to `last`; the policy that was in force there, and the index of its record.
    `done` is where it was said to be done first."""

    index: int
    last: int
    said: PruneIntent
    policy: tuple[int, Policy] | None
    tally: Tally
    done: int | None = None


@define
class Done:
    """A done, whole, with what it executes of its intent. `wrong` as soon as there is a finding."""

    index: int
    last: int
    said: PruneDone
    intent: Announced
    contents: Ranges
    rows: Ranges
    #: The policy in force then, and the index of its record.
    policy: tuple[int, Policy] | None
    wrong: bool = False
    #: Number of records before it that can place or lift a hold, or say what one is about.
    before: int = 0


def tally(view: View, lost: Lost, contents: Ranges, rows: Ranges) -> Tally:
    """Count and digest what goes (format.md section 5.10), from headers. `lost` has the leaves of what is gone."""
    said = sha256(PRUNE_TAG)
    counts = [0, 0, 0, 0]
    for start, stop, what in _segments(contents, rows):
        mark, at = bytes((what,)), start
        while at < stop:
            leaves, end = lost.leaves_from(at, min(stop, at + _BLOCK))
            if leaves:
                pairs = zip(range(at, end), range(0, len(leaves), LEAF), strict=True)
                told = [index.to_bytes(8, "big") + mark + leaves[place : place + LEAF] for index, place in pairs]
            else:
                told = [
                    index.to_bytes(8, "big") + mark + sha256(b"\0" + header).digest()
                    for index, header in view.headers(at, end)
                    if header[4:5] == _EVENT
                ]
            counts[what] += len(told)
            said.update(b"".join(told))
            at = end
    return Tally(counts[CONTENT] + counts[CONTENT | ROWS], counts[ROWS] + counts[CONTENT | ROWS], said.digest())


_BLOCK = 4096


def _segments(contents: Ranges, rows: Ranges) -> list[tuple[int, int, int]]:
    """Both sets as one list of ranges, each with what goes in it."""
    assert (CONTENT, ROWS) == (1, 2)
    both = intersect(contents, rows)
    found = [(start, stop, CONTENT) for start, stop in minus(contents, both)]
    found += [(start, stop, ROWS) for start, stop in minus(rows, both)]
    found += [(start, stop, CONTENT | ROWS) for start, stop in both]
    return sorted(found)


@define
class Records:
    """All of it, as far as it can be read."""

    policies: list[tuple[int, Policy]] = field(factory=list)
    intents: dict[int, Announced] = field(factory=dict)
    dones: list[Done] = field(factory=list)
    #: Records that say what is under hold, with what they are about.
    others: list[tuple[int, Record]] = field(factory=list)


def read_records(findings: Findings, view: View, lost: Lost, indices: Iterable[int]) -> Records:
    """Read the records at some indices, ascending, whose contents were held against their headers before."""
    found = Records()
    parts: list[Said] = []
    first = -1

    def wrong(index: int, words: str) -> None:
        findings.add(Code.PRUNE_RECORD, index, words)

    def broken_off() -> None:
        if parts:
            wrong(first, f"pruning {parts[0].name}: {len(parts)} of {parts[0].parts} parts are there")
            parts.clear()

    for index in indices:
        content = view.content(index)
        if content is None:
            continue
        if parts and index != first + len(parts):
            broken_off()
        try:
            record = decode_record(content[SALT_SIZE:])
            said = read(record) if record.kind in (INTENT, DONE) else None
        except DataError as error:
            wrong(index, str(error))
            continue
        if not isinstance(said, PruneIntent | PruneDone):
            if record.kind == POLICY:
                policy = policy_of(record)
                if policy is not None:
                    found.policies.append((index, policy))
            else:
                found.others.append((index, record))
            continue
        if said.part == 0 or (parts and type(said) is not type(parts[0])):
            broken_off()
        if not parts:
            first = index
        parts.append(said)
        if len(parts) < said.parts:
            continue
        try:
            whole: Said = gather(parts)  # type: ignore[type-var]  # parts of two kinds never come together
        except DataError as error:
            wrong(first, str(error))
        else:
            if isinstance(whole, PruneIntent):
                _announce(findings, view, lost, found, first, index, whole)
            else:
                _done(findings, view, lost, found, first, index, whole)
        parts.clear()
    broken_off()
    return found


def _announce(
    findings: Findings, view: View, lost: Lost, found: Records, first: int, last: int, said: PruneIntent
) -> None:
    policy = _in_force(view, found, first)
    stop = max((ranges[-1][1] for ranges in (said.contents, said.rows) if ranges), default=0)
    if said.size > first or stop > said.size:
        findings.add(
            Code.PRUNE_RECORD,
            first,
            f"pruning {said.name} announces what goes up to entry {stop}, of a log of {said.size} entries, in entry"
            f" {first}",
        )
    told = tally(view, lost, _before(said.contents, first), _before(said.rows, first))
    _compare(findings, first, f"pruning {said.name} announces", told, said)
    found.intents[first] = Announced(first, last, said, policy, told)


def _done(findings: Findings, view: View, lost: Lost, found: Records, first: int, last: int, said: PruneDone) -> None:
    intent = found.intents.get(said.intent)
    if intent is None or intent.said.name != said.name:
        findings.add(
            Code.PRUNE_RECORD,
            first,
            f"pruning {said.name} is said to be done, and entry {said.intent} does not announce it",
        )
        return
    if intent.done is not None:
        findings.add(Code.PRUNE_RECORD, first, f"pruning {said.name} was done before, in entry {intent.done}")
        return
    intent.done = first
    announced = _before(intent.said.contents, intent.index), _before(intent.said.rows, intent.index)
    contents, rows = minus(announced[0], said.kept_contents), minus(announced[1], said.kept_rows)
    policy = _in_force(view, found, first)
    done = Done(first, last, said, intent, contents, rows, policy, before=len(found.others))
    found.dones.append(done)
    before = len(findings.items) + findings.beyond
    if minus(said.kept_contents, intent.said.contents) or minus(said.kept_rows, intent.said.rows):
        findings.add(Code.PRUNE_RECORD, first, f"pruning {said.name} keeps what was not announced to go")
    told = intent.tally
    if said.kept_contents or said.kept_rows:
        told = tally(view, lost, done.contents, done.rows)
    _compare(findings, first, f"pruning {said.name} says that it did", told, said)
    done.wrong = len(findings.items) + findings.beyond > before


def _before(ranges: Ranges, index: int) -> Ranges:
    """What of some ranges lies before an entry. More is a finding, and may be as much as 2^40 entries, of which none is
    there to be looked at."""
    return intersect(ranges, ((0, index),))


def _compare(findings: Findings, index: int, what: str, told: Tally, said: Said) -> None:
    if (told.contents, told.rows) != (said.content_count, said.row_count):
        findings.add(
            Code.PRUNE_RECORD,
            index,
            f"{what} {said.content_count} contents and {said.row_count} rows: by the headers it is {told.contents} and"
            f" {told.rows}",
        )
    elif told.digest != said.digest:
        findings.add(Code.PRUNE_RECORD, index, f"{what} other entries than those that are there: the digest differs")


def _in_force(view: View, found: Records, index: int) -> tuple[int, Policy] | None:
    """The policy in force at the statement that covers a record."""
    statement = _statement_of(view, index)
    return next((one for one in reversed(found.policies) if one[0] < statement), None)


def _statement_of(view: View, index: int) -> int:
    """The statement that covers an entry; 0 where none does, which is a finding of its own."""
    for at in range(index - 1, 0, -1):
        kind = (view.header(at) or b"")[4:5]
        if int.from_bytes(kind) not in COVERED_TYPES:
            return at
    return 0
