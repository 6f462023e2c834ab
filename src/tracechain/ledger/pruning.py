"""Pruning: what is due is announced, waits, and goes (docs/format.md sections 5.10 and 7.5).

    announce   the intent is recorded: exactly what will go, why, and as of when
    wait       as long as the policy says, while witnesses and auditors see it
    prune      what is still due and not under hold goes, in the commit that says so; the index forgets it there too
    compact    another generation is put in use, in whose files no byte of it is left

A plan is made on a snapshot, without the writer lock. What came in since is looked at under the lock: a record that may
change the plan has it made again, and whatever a new entry continues stays. After a crash the state is that before the
commit or that after it; in the latter `uncompacted` is set, and who opens the ledger to write compacts it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import frozen

from tracechain.custody import ACT_MASK, PILOT, Act
from tracechain.derivation import INDEX_MASK
from tracechain.entry import SALT_SIZE, EntryType, decode_rows
from tracechain.errors import DataError, DecodeError, InputError, KeyUseError
from tracechain.event.values import CONTROL, check_text
from tracechain.ledger.commit import Batch, Commit, Outcome, prepare
from tracechain.ledger.forgetting import forget
from tracechain.ledger.jobs import Own
from tracechain.ledger.receipt import Receipt
from tracechain.record import Record, decode_record
from tracechain.registers import CaseStep, HoldStep, Product, RecallStep
from tracechain.retention.dates import MS_PER_DAY, format_day, shanghai_day
from tracechain.retention.holding import Holding, holds_in
from tracechain.retention.keeping import policy_of
from tracechain.retention.plan import Plan, event_indices, plan, policy_in_force
from tracechain.retention.policy import Policy
from tracechain.retention.prunings import Pruning, prunings
from tracechain.retention.ranges import Ranges, contains, count, indices, intersect, minus, of_indices
from tracechain.retention.records import (
    DONE,
    INTENT,
    OWN_KINDS,
    POLICY,
    POLICY_SUBJECT,
    PruneDone,
    PruneIntent,
    check_name,
    prune_digest,
)
from tracechain.retention.waiting import kept_notes, waited_ms, witnessed_ms
from tracechain.seals import SEAL
from tracechain.signing import Signer
from tracechain.store import Compaction, Snapshot, Store
from tracechain.store.tables import key_of
from tracechain.view import AscendingLeaves, View, unit_history

__all__ = ["Pruned", "Pruner", "announce", "check_own_kinds", "prune"]

Progress = Callable[[int, int], None]

#: Records after which a plan has to be made again: they say until when something is kept.
_DECIDING = frozenset({POLICY, HoldStep.KIND, RecallStep.KIND, CaseStep.KIND, Product.KIND})
#: Acts after which a pack that had ended may be open again: all that is kept of it stays then.
REOPENING = frozenset(map(int, (Act.SHIP, Act.RETURN_IN, Act.EXPORT_RETURN, Act.UNDO)))
_REASON_MOST = 1000
#: How often a plan is made again because of what came in meanwhile, before somebody has to try again.
_TRIES = 5


@frozen
class Pruned:
    """What was done: how many entries lost their content, and their rows; what was announced and kept all the same; how
    long had been waited (ms, as it counts). `seconds` is what the commit took in which it went, and `compaction` what
    it took to leave no byte of it: as long other writers wait."""

    receipt: Receipt
    content_count: int
    row_count: int
    kept_contents: Ranges
    kept_rows: Ranges
    waited_ms: int
    seconds: float
    compaction: Compaction


@frozen
class Pruner:
    """What of a ledger is needed: its store, its own author, its clock, and how jobs run: in some commit, or (`alone`)
    in one of their own."""

    store: Store
    author: Signer | None
    random: Callable[[int], bytes]
    clock: Callable[[], int]
    enqueue: Callable[[Own], Receipt]
    alone: Callable[[Own], Receipt]
    compact: Callable[[Progress | None], Compaction]

    def append(self, commit: Commit, records: Sequence[Record]) -> Outcome:
        """Seal records under one statement."""
        if self.author is None:
            raise KeyUseError("this ledger was opened without an author key: pass author= to prune, which is recorded")
        batch = prepare(records, 0, self.random, commit.rule_set)
        commit.check_scope(self.author.public_key.hash, batch.kinds)
        (outcome,) = commit.append([batch], self.author)
        return outcome


def check_own_kinds(batch: Batch) -> None:
    """Refuse retention policies that are malformed, and records that the ledger writes by itself alone."""
    own = batch.kinds & (OWN_KINDS | {SEAL})
    if own:
        kind = min(own)
        way = "seals.make" if kind == SEAL else "announce, prune or erase"
        raise InputError(f"a record of kind {kind} says what the ledger did: use {way}, which write it")
    if POLICY in batch.kinds:
        for content in batch.contents:
            if isinstance(content, Record) and content.kind == POLICY:
                try:
                    Policy.from_record(content)
                except DecodeError as error:
                    raise InputError(f"refused, nothing was written: {error}") from error


# ---- announcing ----------------------------------------------------------------------------------


def announce(pruner: Pruner, made: Plan, name: str, reason: str, archive: bytes | None) -> Receipt:
    """Record what will go; see Ledger.announce."""
    check_name(name)
    check_text(reason, "the reason of a pruning", _REASON_MOST, CONTROL)
    if not reason.strip():
        raise InputError("say why it is pruned: the reason stands in the log")
    if not made.count:
        raise InputError("nothing is due, so there is nothing to announce")
    if archive is not None and (type(archive) is not bytes or len(archive) != 32):
        raise InputError("the archive is named by its digest, 32 bytes")
    now = pruner.clock()
    with pruner.store.snapshot() as view:
        policy = _standing(view, made, now)
        if policy.archive and archive is None:
            raise InputError(
                f"policy {policy.name!r} demands that what goes is archived first: write the archive, and name its"
                " digest (archive=)"
            )
        used = next((one for one in prunings(view) if one.intent.name == name), None)
        if used is not None:
            raise InputError(f"pruning {name} was announced in entry {used.announced} already: choose another name")
        _check_since(view, made)
        size, told = view.size, _Exactly.of(view, made.contents, made.rows)
    assert made.policy is not None, "it is the one in force"
    intent = PruneIntent(
        name=name, size=made.size, as_of=made.as_of, policy=made.policy, wait_days=policy.wait_days,
        contents=made.contents, rows=made.rows, content_count=count(told.contents), row_count=count(told.rows),
        digest=told.digest, archive=archive, reason=reason,
    )  # fmt: skip

    def job(commit: Commit) -> Outcome:
        since = _Since.of(_sealed(commit, size), made.contents)
        since.check()
        if commit.sealing.time < now:
            raise InputError("the clock went back since the waiting time was measured: try again when it is right")
        return pruner.append(commit, intent.records())

    return pruner.enqueue(job)


def _standing(view: Snapshot, made: Plan, now: int) -> Policy:
    """The policy of a plan: the one in force, and for long enough."""
    if made.size > view.size:
        raise InputError(f"the plan is of a log of {made.size} entries, and this one has {view.size}")
    if made.policy is None:
        raise InputError(
            "the plan is by a policy that is not in force here: put it in force first (retain), and plan again when it"
            " has stood for its waiting time"
        )
    found = policy_in_force(view)
    if found is None or found[0] != made.policy:
        raise InputError(f"the policy of the plan, entry {made.policy}, is not in force any more: plan again")
    policy = found[1]
    if made.as_of > (today := shanghai_day(max(now, view.tip.time))):
        raise InputError(
            f"the plan looks ahead, as of {format_day(made.as_of)}, and today is {format_day(today)}: plan as of today"
        )
    stood = waited_ms(view, made.policy, now=now)
    if stood < policy.wait_days * MS_PER_DAY:
        raise InputError(
            f"policy {policy.name!r} has stood for {_days(stood)} days, and has to stand for {policy.wait_days} before"
            " anything is announced by it"
        )
    for before, replaced_at in _replaced(view, made.policy):
        # Those replaced earlier have waited longer than the latest.
        if before.wait_days * MS_PER_DAY > stood and before.wait_days * MS_PER_DAY > (
            passed := waited_ms(view, replaced_at, now=now)
        ):
            raise InputError(
                f"policy {before.name!r} was replaced {_days(passed)} days ago, and promised {before.wait_days}: wait"
                " for as long before anything is announced by another"
            )
    return policy


def _replaced(view: View, last: int) -> Iterator[tuple[Policy, int]]:
    """The policies before one, each with the entry that replaced it."""
    before: Policy | None = None
    for index in unit_history(view, POLICY_SUBJECT):
        part = view.content(index)
        policy = None if part is None else policy_of(decode_record(part[SALT_SIZE:]))
        if policy is not None and index <= last:
            if before is not None:
                yield before, index
            before = policy


def _check_since(view: View, made: Plan) -> None:
    """Refuse a plan that what came in since may change."""
    _Since.of(_entries(view, made.size, view.size), made.contents).check()


# ---- applying ------------------------------------------------------------------------------------


class _OvertakenError(InputError):
    """A record came in while a plan was made, and may change it."""


@frozen
class _Going:
    """What goes of an announced pruning as of today."""

    pruning: Pruning
    #: Two cosigned notes between which it was waited, where the policy goes by its witnesses.
    witnessed: tuple[bytes, ...]
    waited: int
    size: int
    #: The time by which it was planned (ms).
    now: int
    holding: Holding
    contents: Ranges
    rows: Ranges


def prune(pruner: Pruner, name: str, witnessed: Sequence[bytes], progress: Progress | None) -> Pruned:
    """Do what was announced; see Ledger.prune."""
    check_name(name)
    for left in reversed(range(_TRIES)):
        with pruner.store.snapshot() as view:
            going = _plan_again(pruner, view, name, witnessed, progress)
            try:
                receipt, done, seconds = _apply(pruner, view, going)
            except _OvertakenError:
                if left:
                    continue
                raise
        break
    compaction = pruner.compact(progress)
    return Pruned(
        receipt, done.content_count, done.row_count, done.kept_contents, done.kept_rows, going.waited, seconds,
        compaction,
    )  # fmt: skip


def _plan_again(
    pruner: Pruner, view: Snapshot, name: str, witnessed: Sequence[bytes], progress: Progress | None
) -> _Going:
    """What may go now of what was announced."""
    found = next((one for one in prunings(view) if one.intent.name == name), None)
    if found is None:
        raise InputError(f"pruning {name} was not announced: plan, and announce it first")
    intent = found.intent
    if found.done is not None:
        raise InputError(f"pruning {name} is done already, by entry {found.done_at}")
    now = pruner.clock()
    policy = _policy_at(view, intent.policy)
    if policy.witnesses:
        witnessed = witnessed or kept_notes(view, found.announced_last, policy)
        waited = witnessed_ms(view, found.announced_last, witnessed, policy)
    else:
        waited = waited_ms(view, found.announced_last, now=now)
    if waited < intent.wait_days * MS_PER_DAY:
        raise InputError(
            f"pruning {name} has waited {_days(waited)} days of {intent.wait_days}"
            + ("" if policy.witnesses else "; a gap between two entries counts for two days at most")
        )
    now, holding = max(now, view.tip.time), holds_in(view)
    made = plan(view, holds=holding, as_of=shanghai_day(now), progress=progress)
    contents, rows = intersect(intent.contents, made.contents), intersect(intent.rows, made.rows)
    if not contents and not rows:
        raise InputError(
            f"nothing of pruning {name} may go now: all of it is under hold, in use again, or not due any more"
        )
    return _Going(found, tuple(witnessed), waited, view.size, now, holding, contents, rows)


def _policy_at(view: View, index: int) -> Policy:
    part = view.content(index)
    policy = None if part is None else policy_of(decode_record(part[SALT_SIZE:]))
    if policy is None:
        raise DataError(f"entry {index}: the policy that the announcement names is missing; verify the ledger")
    return policy


def _apply(pruner: Pruner, view: Snapshot, going: _Going) -> tuple[Receipt, PruneDone, float]:
    """The commit: what went is recorded, dropped and forgotten in it, or nothing is."""
    intent = going.pruning.intent
    contents, exactly = going.contents, _Exactly.of(view, going.contents, going.rows)
    done: list[PruneDone] = []

    def job(commit: Commit) -> Outcome:
        nonlocal contents, exactly
        since = _Since.of(_sealed(commit, going.size), contents)
        if since.deciding:
            raise _OvertakenError(f"{since.deciding} came in while pruning {intent.name}: try again")
        if commit.sealing.time < going.now:
            raise _OvertakenError(f"the clock went back while pruning {intent.name}: try again when it is right")
        held = _held_since(going, _sealed(commit, going.size))
        if held and _chains(commit, held, going.rows):
            raise _OvertakenError(f"{min(held)} came under hold while pruning {intent.name}: try again")
        again = since.subjects | since.opened | held
        if again:
            contents = minus(contents, _chains(commit, again, contents))
            exactly = _Exactly.of(view, contents, going.rows)
            if not exactly.contents and not exactly.rows:
                raise _OvertakenError(f"all of it is in use again while pruning {intent.name}: try again")
        said = PruneDone(
            name=intent.name, intent=going.pruning.announced,
            kept_contents=_trimmed(view, minus(intent.contents, contents)),
            kept_rows=_trimmed(view, minus(intent.rows, going.rows)), content_count=count(exactly.contents),
            row_count=count(exactly.rows), digest=exactly.digest, witnessed=going.witnessed,
        )  # fmt: skip
        done.append(said)
        outcome = pruner.append(commit, said.records())
        forget(commit.txn, exactly.contents, exactly.rows, commit.sealing.time)
        commit.txn.put_meta("pruned", key_of(commit.sealing.size - 1))
        return outcome

    begun = time.monotonic()
    receipt = pruner.alone(job)
    return receipt, done[0], time.monotonic() - begun


@frozen
class _Exactly:
    """The events alone that lose a part, without the statements and records between them, and the digest of it all."""

    contents: Ranges
    rows: Ranges
    digest: bytes

    @classmethod
    def of(cls, view: View, contents: Ranges, rows: Ranges) -> _Exactly:
        """As the headers have it."""
        of_contents, of_rows = (of_indices(event_indices(view, one)) for one in (contents, rows))
        digest = prune_digest(AscendingLeaves(view).leaf, indices(of_contents), indices(of_rows))
        return cls(of_contents, of_rows, digest)


def _trimmed(view: View, ranges: Ranges) -> Ranges:
    """The ranges without the statements and records at their ends: they mean the same events."""
    found: list[tuple[int, int]] = []
    for one in ranges:
        events = list(event_indices(view, (one,)))
        if events:
            found.append((events[0], events[-1] + 1))
    return tuple(found)


def _chains(commit: Commit, subjects: Iterable[str], contents: Ranges) -> Ranges:
    """Those of the entries that are about some subjects, by their chains."""
    found: set[int] = set()
    for subject in subjects:
        place = commit.sealing.word(subject) & INDEX_MASK
        while place:
            if contains(contents, place - 1):
                found.add(place - 1)
            part = commit.sealing.rows(place - 1)
            rows = () if part is None else decode_rows(part[SALT_SIZE:])[1]
            place = next((row.previous + 1 for row in rows if row.subject == subject and row.previous is not None), 0)
    return of_indices(sorted(found))


# ---- what came in meanwhile ----------------------------------------------------------------------

_Entry = tuple[int, int, bytes | None, bytes | None]


def _entries(view: View, start: int, stop: int) -> Iterator[_Entry]:
    """(index, type, content, rows), with their salts."""
    for index, header in view.headers(start, stop):
        yield index, header[4], view.content(index), view.rows(index)


def _sealed(commit: Commit, start: int) -> Iterator[_Entry]:
    """The same of entries up to those that a commit has sealed so far."""
    sealing = commit.sealing
    for index in range(start, sealing.size):
        yield index, sealing.header(index)[4], sealing.content(index), sealing.rows(index)


@frozen
class _Since:
    """What entries since a plan mean for it: the record that may change it, and subjects whose entry before is to lose
    its content; and `opened`, packs that may be in use again."""

    deciding: str
    subjects: frozenset[str]
    opened: frozenset[str]

    @classmethod
    def of(cls, entries: Iterable[_Entry], contents: Ranges) -> _Since:
        """Look at entries."""
        deciding = ""
        subjects: set[str] = set()
        opened: set[str] = set()
        for index, kind, content, rows in entries:
            if kind == EntryType.RECORD and content is not None:
                record = decode_record(content[SALT_SIZE:])
                if record.kind in _DECIDING or record.kind in {INTENT, DONE}:
                    deciding = f"a {record.kind} record (entry {index})"
            if rows is not None:
                rule_set, told = decode_rows(rows[SALT_SIZE:])
                for row in told:
                    if row.previous is not None and contains(contents, row.previous):
                        subjects.add(row.subject)
                    elif rule_set == PILOT and row.act & ACT_MASK in REOPENING:
                        opened.add(row.subject)
        return cls(deciding, frozenset(subjects), frozenset(opened))

    def check(self) -> None:
        """Refuse a plan that does not hold any more."""
        if self.deciding:
            raise InputError(f"since the plan was made {self.deciding} came in, which may change it: plan again")
        if self.subjects:
            raise InputError(
                f"since the plan was made something happened to {min(self.subjects)}, of which the entry before would"
                " go: plan again"
            )


def _held_since(going: _Going, entries: Iterable[_Entry]) -> frozenset[str]:
    """Containers that came under hold by standing together with what is, or with another container that is."""
    day, holding = shanghai_day(going.now), going.holding
    if not holding.on(day).holds:
        return frozenset()
    together = [
        [row.subject for row in decode_rows(rows[SALT_SIZE:])[1]] for _, _, _, rows in entries if rows is not None
    ]
    holding.see()
    containers = holding.containers
    roots = {root for one in together for name in one if (root := containers.group(name)) is not None}
    free = [box for root in roots if not holding.covers((root,), None, day) for box in containers.of(root)[0]]
    for one in together:
        holding.link(one)
    return frozenset(box for box in free if holding.covers((box,), None, day))


def _days(milliseconds: int) -> str:
    return f"{milliseconds / MS_PER_DAY:.1f}"
