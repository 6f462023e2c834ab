"""What a verifier says of parts that are not there (docs/format.md section 13).

A part went lawfully when a record says that it was done, and an earlier one announced it: explicitly, with the right
counts and digest, by the policy that was in force and had stood, early enough before; when neither the header nor the
floor nor what the caller demands kept it any longer, and no hold stood; and when rows went after contents, oldest
first. Everything is judged from headers, rows that are left, and records, so it can be judged for ever.

What is gone cannot be asked any more. So some of it is only checked as far as it can be seen, and the report says so.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, pairwise
from typing import cast

from attrs import define, field, frozen

from tracechain.entry import OPEN_DAY
from tracechain.errors import DataError, InputError
from tracechain.retention.bounds import Anchor, Bound, find
from tracechain.retention.dates import MS_PER_DAY, floor_day, format_day, shanghai_day
from tracechain.retention.decisions import event_indices
from tracechain.retention.holding import Holding, named_packs, row_subjects
from tracechain.retention.keeping import expiry_of
from tracechain.retention.policy import Policy
from tracechain.retention.ranges import Ranges, intersect, minus, unite
from tracechain.retention.records import CONTENT, ROWS
from tracechain.retention.waiting import witnessed_ms
from tracechain.verification.announced import Announced, Done, read_records
from tracechain.verification.covering import RangeResult
from tracechain.verification.findings import Code, Findings
from tracechain.verification.lost import CODES_UNKNOWN, Lost, LostKind, LostRun, codes_of
from tracechain.view import View

__all__ = ["Demands", "Judged", "Waits", "check_now", "judge"]

#: Stands for a day of which nothing is known: no bound comes earlier for a later one.
_LONG_AGO = -1_000_000
#: Packs of an entry of which no rows are left: none, one that expired at once, one whose expiry is not known.
_ANY_CODES: tuple[tuple[int, ...], ...] = ((), (1,), (0,))


@frozen
class Demands:
    """What a caller demands beyond what the log says itself: the `retention` that is kept at least, however the policy
    in the log reads, and that nothing was received after `now` (ms since 1970)."""

    retention: Policy | None = None
    now: int | None = None


@frozen
class Judged:
    """How many contents and rows went lawfully, and what to say of them."""

    contents: int = 0
    rows: int = 0
    notes: tuple[str, ...] = ()


def judge(
    findings: Findings,
    view: View,
    results: list[RangeResult],
    demands: Demands,
) -> Judged:
    """Judge every part that is not there, and every record that says that one went."""
    lost, pairs, retained, jumps = Lost(), array("Q"), array("Q"), array("Q")
    for result in results:
        jumps += result.jumps
        lost.extend(result.lost)
        pairs += result.believed
        retained += result.retained
    if not lost and not retained:
        return Judged()
    return _Judge(findings, view, lost, pairs, Waits.of(view, jumps), demands).run(retained)


def check_now(findings: Findings, view: View, now: int | None) -> None:
    """Look for entries that were received after `now`. Times never decrease, or that is a finding of its own."""
    if now is None:
        return
    begin, end = 0, view.size
    while begin < end:
        middle = (begin + end) // 2
        if _time(view, middle) > now:
            end = middle
        else:
            begin = middle + 1
    if begin < view.size:
        ahead = (_time(view, begin) - now) / MS_PER_DAY
        words = f"it and what follows were received {ahead:.1f} days and more after the verifier's own time"
        findings.add(Code.TIME_AHEAD, begin, words)


def _time(view: View, index: int) -> int:
    return int.from_bytes((view.header(index) or b"")[8:16], "big")


@frozen
class Waits:
    """How long anybody waited from one entry to another, as retention.waiting has it, without reading what is between:
    `jumps` are the entries before which some of the gap does not count, `sums` how much, all before together."""

    view: View
    jumps: array[int]
    sums: array[int]

    @classmethod
    def of(cls, view: View, jumps: array[int]) -> Waits:
        """From what the passes over the log noted: entry, milliseconds, and so on."""
        return cls(view, jumps[::2], array("Q", accumulate(jumps[1::2], initial=0)))

    def between(self, start: int, stop: int) -> int:
        """Milliseconds from entry `start` to entry `stop`."""
        first, last = (bisect_right(self.jumps, index) for index in (start, stop))
        return _time(self.view, stop) - _time(self.view, start) - (self.sums[last] - self.sums[first])


@define
class _Span:
    """Entries that a finding is about, and the day that decides."""

    first: int
    count: int
    day: int


@define
class _Judge:
    """One judgement."""

    _findings: Findings
    _view: View
    _lost: Lost
    #: Entry with a row that is believed, entry that it names, and so on, flat.
    _pairs: array[int]
    _waits: Waits
    _demands: Demands
    _asked: dict[tuple[LostKind, int], int] = field(factory=dict, init=False)
    #: By the index of a policy of the log.
    _least: dict[tuple[int, LostKind, int], int] = field(factory=dict, init=False)
    _holding: Holding = field(factory=Holding, init=False)
    #: How far containers were taken, and records that say what is held.
    _linked: int = field(default=0, init=False)
    _taken: int = field(default=0, init=False)
    #: Contents whose holds cannot be looked at: their rows are gone as well.
    _unseen: int = field(default=0, init=False)
    #: Entries of intents that broke their policy.
    _refused: set[int] = field(factory=set, init=False)

    def run(self, retained: Iterable[int]) -> Judged:
        """All of it."""
        records = read_records(self._findings, self._view, self._lost, retained)
        self._holding = Holding(named_packs(records.others))
        lost_contents, lost_rows = self._lost.ranges(CONTENT), self._lost.ranges(ROWS)
        for intent in records.intents.values():
            self._check_intent(intent, records.policies)
        gone_contents: Ranges = ()
        gone_rows: Ranges = ()
        for done in records.dones:
            while self._taken < done.before:
                self._holding.take(*records.others[self._taken])
                self._taken += 1
            self._check_done(done)
            again = intersect(done.contents, gone_contents), intersect(done.rows, gone_rows)
            for index in chain(event_indices(self._view, again[0]), event_indices(self._view, again[1])):
                self._add(done, Code.PRUNE_RECORD, done.index, f"entry {index} lost that part by an earlier pruning")
                break
            kept = chain(
                event_indices(self._view, minus(done.contents, lost_contents)),
                self._with_rows(minus(done.rows, lost_rows)),
            )
            self._spans(done, Code.PRUNE_KEPT, kept, "is said to have gone, and is there")
            early = self._with_rows(self._not_gone_before(done, records.dones))
            words = "lost its rows, and its content had not gone when that was announced"
            self._spans(done, Code.PRUNE_ORDER, early, words)
            gone_contents, gone_rows = unite(gone_contents, done.contents), unite(gone_rows, done.rows)
        self._check_followers(records.dones)
        self._check_latest()
        self._check_subjects()
        self._uncovered(Code.CONTENT_MISSING, minus(lost_contents, gone_contents), "content is")
        self._uncovered(Code.ROWS_MISSING, minus(lost_rows, gone_rows), "rows are")
        return self._judged(records.dones)

    def _not_gone_before(self, done: Done, dones: list[Done]) -> Ranges:
        """The rows of a pruning whose contents had not gone when they were announced. Between the two, rows are what
        shows whether a hold covered the contents, so there has to be a time in which everybody can see them."""
        left = done.rows
        for other in dones:
            if not left or other.last >= done.intent.index:
                break
            left = minus(left, other.contents)
        return left

    def _uncovered(self, code: Code, ranges: Ranges, what: str) -> None:
        words = f"the {what} not there, and no record says that it was pruned"
        self._findings.add_run(code, (index for start, stop in ranges for index in range(start, stop)), words)

    def _judged(self, dones: list[Done]) -> Judged:
        counts = [0, 0]
        for done in dones:
            if not done.wrong:
                counts[0] += done.said.content_count
                counts[1] += done.said.row_count
        notes = []
        if sum(counts):
            notes.append(
                f"{counts[0]} contents and {counts[1]} rows were pruned as announced: what they said cannot be looked"
                " at any more"
            )
        if self._unseen:
            notes.append(
                f"of {self._unseen} pruned contents the rows are gone, too: whether a hold covered them cannot be seen"
                " any more"
            )
        return Judged(counts[0], counts[1], tuple(notes))

    # ---- findings ----

    def _add(self, done: Done, code: Code, index: int, words: str) -> None:
        done.wrong = True
        self._findings.add(code, index, f"pruning {done.said.name}, done in entry {done.index}: {words}")

    def _spans(self, done: Done, code: Code, indices: Iterable[int], words: str) -> None:
        """One finding for all entries of a pruning that have the same fault."""
        first, count = -1, 0
        for index in indices:
            first, count = (index if count == 0 else first), count + 1
        if count:
            more = f"; {count} entries in all, from here on" if count > 1 else ""
            self._add(done, code, first, f"the entry {words}{more}")

    def _with_rows(self, ranges: Ranges) -> Iterator[int]:
        """The events in some ranges that have rows, or had them."""
        for index in event_indices(self._view, ranges):
            if (self._view.header(index) or b"")[40:44] != bytes(4):
                yield index

    # ---- announced and waited ----

    def _check_intent(self, intent: Announced, policies: list[tuple[int, Policy]]) -> None:
        """The policy that an announcement names was in force, had stood, and is kept to (docs/format.md 5.10)."""
        said, name = intent.said, f"pruning {intent.said.name}"
        if intent.policy is None or intent.policy[0] != said.policy:
            force = "none is" if intent.policy is None else f"that of entry {intent.policy[0]} is"
            words = f"{name} is announced by the policy of entry {said.policy}, and {force} in force"
            self._refuse(intent, words)
            return
        at, policy = intent.policy
        stood = self._waited(at, intent.index)
        days = max(policy.wait_days, self._own_days)
        if stood < days * MS_PER_DAY:
            words = f"{name} goes by the policy of entry {at}, which has stood for {_days(stood)} of {days} days"
            self._refuse(intent, words)
        for (replaced, before), (after, _) in pairwise(one for one in policies if one[0] <= at):
            passed = self._waited(after, intent.index)
            if passed < before.wait_days * MS_PER_DAY:
                words = f"{name} was announced {_days(passed)} days after the policy of entry {replaced} was replaced"
                words = f"{words}, which promised {before.wait_days} days"
                self._refuse(intent, words)
        if said.wait_days < policy.wait_days:
            words = f"{name} is announced for {said.wait_days} days, the policy wants {policy.wait_days}"
            self._refuse(intent, words)
        if policy.archive and said.archive is None:
            words = f"{name} names no archive, and the policy wants one"
            self._refuse(intent, words)

    def _refuse(self, intent: Announced, words: str) -> None:
        """What is announced against its policy is not executed lawfully by any done (docs/format.md 13.2, 2)."""
        self._refused.add(intent.index)
        self._findings.add(Code.PRUNE_POLICY, intent.index, words)

    @property
    def _own_days(self) -> int:
        return 0 if self._demands.retention is None else self._demands.retention.wait_days

    def _waited(self, start: int, stop: int) -> int:
        return self._waits.between(start, stop)

    def _check_done(self, done: Done) -> None:
        intent = done.intent
        done.wrong = done.wrong or intent.index in self._refused
        day = shanghai_day(_time(self._view, done.index))
        own = None if intent.policy is None else intent.policy[1]
        self._check_wait(done, own, max(intent.said.wait_days, 0 if own is None else own.wait_days))
        if self._demands.retention is not None:
            self._check_wait(done, self._demands.retention, self._own_days)
        if intent.said.as_of > day:
            words = f"it is due as of {format_day(intent.said.as_of)}, and was done on {format_day(day)}"
            self._add(done, Code.PRUNE_EARLY, done.index, words)
        self._check_days(done, day)
        self._check_held(done, day)

    def _check_wait(self, done: Done, policy: Policy | None, days: int) -> None:
        """That a pruning waited so many days, by the witnesses that a policy names, or else by receipt times."""
        why = "jumps of the clock do not count"
        if policy is None or not policy.witnesses:
            waited = self._waited(done.intent.last, done.index)
        else:
            try:
                waited = witnessed_ms(self._view, done.intent.last, done.said.witnessed, policy)
                why = "by its witnesses"
            except (InputError, DataError) as error:
                waited, why = 0, str(error)
        if waited < days * MS_PER_DAY:
            self._add(done, Code.PRUNE_WAIT, done.index, f"it waited {_days(waited)} of {days} days ({why})")

    # ---- kept long enough ----

    def _check_days(self, done: Done, day: int) -> None:
        early: dict[str, _Span] = {}
        for run, start, stop in self._runs_in(done.contents, CONTENT):
            for until, by in chain(self._until(run), self._until_by_policy(run, done)):
                if until >= day:
                    span = early.get(by)
                    if span is None:
                        early[by] = _Span(start, stop - start, until)
                    else:
                        span.count += stop - start
                        span.day = max(span.day, until)
        for by, span in early.items():
            term = "for ever" if span.day == OPEN_DAY else f"until {format_day(span.day)}"
            more = f"; {span.count} entries in all, from here on" if span.count > 1 else ""
            words = f"gone on {format_day(day)}, and {by} keeps it {term}{more}"
            self._add(done, Code.PRUNE_EARLY, span.first, words)

    def _until(self, run: LostRun) -> Iterator[tuple[int, str]]:
        """The days until which the entries of a run have to be kept, and by what."""
        if run.kind.keep_until != OPEN_DAY:
            yield run.kind.keep_until, "its header"
        yield floor_day(run.time), "the floor of every ledger"
        if self._demands.retention is not None:
            key = run.kind, shanghai_day(run.time)
            if key not in self._asked:
                self._asked[key] = _asked(self._demands.retention, run.kind, run.time)
            yield self._asked[key], f"policy {self._demands.retention.name}, which the verifier demands,"

    def _until_by_policy(self, run: LostRun, done: Done) -> Iterator[tuple[int, str]]:
        """Where the header leaves it open: the least that the log's own policies come to, that of the announcement and
        that in force when it was done."""
        if run.kind.keep_until == OPEN_DAY:
            for at, policy in {one[0]: one[1] for one in (done.intent.policy, done.policy) if one is not None}.items():
                key = at, run.kind, shanghai_day(run.time)
                if key not in self._least:
                    self._least[key] = _least_of(policy, run.kind, run.time)
                yield self._least[key], f"the policy of entry {at}"

    def _runs_in(self, ranges: Ranges, what: int) -> Iterator[tuple[LostRun, int, int]]:
        """The runs that lost a part and lie in some ranges, with where in them each begins and ends."""
        for first, last in ranges:
            for run in self._lost.between(first, last):
                if run.kind.what & what:
                    yield run, max(run.start, first), min(run.stop, last)

    # ---- not held ----

    def _check_held(self, done: Done, day: int) -> None:
        if not self._holding.standing_on(day):
            return
        for _, part in self._view.all_rows(self._linked, done.index):
            subjects = _subjects(part)
            if len(subjects) > 1 or (subjects and not subjects[0].startswith(("01/", "nmpa/"))):
                self._holding.link(subjects)
        self._linked = max(self._linked, done.index)
        asked = self._holding.on(day)
        held: dict[str, _Span] = {}
        for run, start, stop in self._runs_in(done.contents, CONTENT):
            if run.kind.what & ROWS:
                self._unseen += stop - start
                continue
            for index, part in self._view.all_rows(start, stop):
                hold = asked.covers(_subjects(part), None)
                if hold is not None:
                    held.setdefault(hold.why, _Span(index, 0, day)).count += 1
        for why, span in held.items():
            more = f"; {span.count} entries in all, from here on" if span.count > 1 else ""
            self._add(done, Code.PRUNE_HELD, span.first, f"it went on {format_day(day)} under {why}{more}")

    # ---- rows: after contents, oldest first, never the latest ----

    def _check_followers(self, dones: list[Done]) -> None:
        """Rows go only after the content of the next entry of each of their subjects, so what keeps its content can be
        judged by what was before it. Of each subject whose oldest rows are gone, one row that is left tells."""
        contents, rows = (_numbered(dones, what) for what in (CONTENT, ROWS))
        faults: dict[int, list[int]] = {}
        for entry, named in zip(self._pairs[::2], self._pairs[1::2], strict=True):
            number = _find(rows, named)
            follower = _find(contents, entry)
            if number is not None and (follower is None or follower >= number):
                faults.setdefault(number, []).append(named)
        for number, found in sorted(faults.items()):
            words = "lost its rows before the next entry of a subject lost its content"
            self._spans(dones[number], Code.PRUNE_ORDER, sorted(found), words)

    def _check_latest(self) -> None:
        """Every row that is gone was followed by another one of its subject: by one that is left and names its entry,
        or by one that is gone as well, which is no first row. From the end on there have to be as many of these as of
        those."""
        named = array("Q", sorted(self._pairs[1::2]))
        at, first = len(named), 0
        for run in reversed(list(self._lost.runs())):
            if not run.kind.what & ROWS:
                continue
            for index in range(run.stop - 1, run.start - 1, -1):
                at = bisect_left(named, index, 0, at)
                if len(named) - at < run.kind.row_count + first:
                    words = "its rows are gone, and not all of them are followed by others: a latest row went"
                    self._findings.add(Code.PRUNE_ORDER, index, words)
                    return
                first += run.kind.first_rows

    def _check_subjects(self) -> None:
        """No subject disappears (docs/format.md section 2): of each whose first row is gone, a later one is left, and
        the first of these names an entry without rows. Nothing else does, so they are as many as first rows that are
        gone."""
        gone = sum((run.stop - run.start) * run.kind.first_rows for run in self._lost.runs() if run.kind.what & ROWS)
        left = len(self._pairs) // 2
        if gone > left:
            words = f"the first rows of {gone} subjects are gone, and later ones are left of {left} of them"
            self._findings.add(Code.SUBJECT_LOST, None, words)


def _numbered(dones: list[Done], what: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Where the ranges of all prunings begin, ascending, with their ends and the numbers of the prunings."""
    found = sorted(
        (start, stop, number)
        for number, done in enumerate(dones)
        for start, stop in (done.contents if what == CONTENT else done.rows)
    )
    return [start for start, _, _ in found], [(stop, number) for _, stop, number in found]


def _find(numbered: tuple[list[int], list[tuple[int, int]]], index: int) -> int | None:
    at = bisect_right(numbered[0], index) - 1
    if at < 0 or numbered[1][at][0] <= index:
        return None
    return numbered[1][at][1]


def _subjects(part: bytes) -> list[str]:
    """The subjects of stored rows; none where they cannot be read, which is a finding of its own."""
    try:
        return row_subjects(part)
    except (DataError, TypeError, IndexError, ValueError):
        return []


def _asked(policy: Policy, kind: LostKind, received: int) -> int:
    """The day until which a policy keeps an event of this kind at least; -1 where no rule of it is for such events.

    Where the rows are gone, so are the packs' expiries: what it is for the earliest that they can have been counts.
    """
    known = _ANY_CODES if kind.codes == CODES_UNKNOWN else (codes_of(kind.codes),)
    return min(_asked_of(policy, kind.record_class, received, codes) for codes in known)


def _asked_of(policy: Policy, record_class: int, received: int, codes: tuple[int, ...]) -> int:
    expiries = tuple(map(expiry_of, codes))
    day = policy.header_day(record_class, received, expiries)
    if day != OPEN_DAY:
        return day
    # Open is what a header is where a rule says for ever, and where no rule says anything: who demands nothing of
    # these events has nothing against their going.
    days = dict.fromkeys(Anchor, shanghai_day(received))
    for _, rule in policy.rules():
        only = rule.selector
        general = not (only.product_classes or only.jurisdictions or only.fields)
        bound = rule.keep_until if general and only.of_class(record_class) else None
        if bound is not None and find(bound, days, expiries) is not None:
            return OPEN_DAY
    return -1


def _least_of(policy: Policy, kind: LostKind, received: int) -> int:
    """The day until which a policy keeps an event of this kind, whatever was claimed in it and of whatever product it
    was; OPEN_DAY where no rule can have been for it: what no rule is for is kept."""
    some = [rule for _, rule in policy.rules() if rule.keep_until is not None and not rule.selector.fields]
    some = [rule for rule in some if rule.selector.of_class(kind.record_class)]
    if not some:
        return OPEN_DAY
    days: dict[Anchor, int | None] = dict.fromkeys(Anchor, _LONG_AGO)
    days[Anchor.RECEIPT] = shanghai_day(received)
    known = _ANY_CODES if kind.codes == CODES_UNKNOWN else (codes_of(kind.codes),)
    found = []
    for codes in known:
        expiries = tuple(map(expiry_of, codes))
        said = [
            find(cast("Bound", rule.keep_until), days, expiries)
            for rule in some
            if not (rule.selector.product_classes or rule.selector.jurisdictions)
        ]
        found.append(max((one.order for one in said if one is not None), default=-1))
    return min(found)


def _days(milliseconds: int) -> str:
    return f"{milliseconds / MS_PER_DAY:.1f}"
