"""Tamperings with pruning: what should have stayed goes, or the records of it are not what they should be.

They are done to a `pruned_ledger`. Records that the attacker adds are under the ledger's own author key, so at the
power of the disk alone nothing of them counts, and what is gone is simply missing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import evolve

from tracechain.entry import EntryType
from tracechain.ledger.ledger import DEFAULT_JUMP_LIMIT
from tracechain.record import decode_record, encode_record
from tracechain.retention.bounds import After, Anchor
from tracechain.retention.dates import MS_PER_DAY, Term, shanghai_day
from tracechain.retention.policy import Regime, Rule
from tracechain.testing.samples import pack_ids
from tracechain.testing.tamper.by_hand import WAIT_DAYS, ByHand, Sample, hold, policy
from tracechain.testing.tamper.database import edit
from tracechain.testing.tamper.registry import Tampering, tampering
from tracechain.verification.findings import Code

__all__ = ["PRUNINGS"]

_MISSING = Code.CONTENT_MISSING
_NAME = "third"
#: A day for everything.
_ALL = (Regime("test", "all of it", (Rule("all", "test", keep_until=After(Anchor.RECEIPT, Term(days=1))),)),)


def _unlawful(found: Code, *also: Code, disk: Code = _MISSING) -> Callable[[Callable[[Path], None]], Tampering]:
    """A tampering by records of the attacker's own."""
    return tampering(disk, found, found, also)


@tampering(_MISSING, _MISSING, _MISSING)
def content_gone_unannounced(path: Path) -> None:
    """The content of an event that is due is gone, and no record says so."""
    with edit(path) as log:
        ByHand(log).drop(Sample.of(log).seen[2:3])


@tampering(Code.ROWS_MISSING, Code.ROWS_MISSING, Code.ROWS_MISSING)
def rows_gone_unannounced(path: Path) -> None:
    """Rows that could go are gone, and no record says so."""
    with edit(path) as log:
        ByHand(log).drop((), (Sample.of(log).shipped,))


@tampering(_MISSING, _MISSING, _MISSING, also=[Code.PRUNE_EARLY])
def record_gone(path: Path) -> None:
    """The record of a hold is gone, and the announced ranges reach over it: a record never goes."""
    with edit(path) as log:
        hand, sample = ByHand(log), Sample.of(log)
        held = next(i for i in range(len(log)) if log.header(i).type == EntryType.RECORD and b"hold" in log.content(i))
        hand.prune(_NAME, (sample.open, *range(sample.open + 1, held + 1)))
        hand.drop((held,))


@_unlawful(Code.PRUNE_RECORD, _MISSING)
def done_without_intent(path: Path) -> None:
    """A content goes by a record that says that it was done, and nobody announced it."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:3]
        index = hand.announce("another", gone)
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, gone)


@_unlawful(Code.PRUNE_RECORD, _MISSING)
def done_twice(path: Path) -> None:
    """One announcement is carried out twice: what was left the first time goes, and is counted anew."""
    with edit(path) as log:
        hand, (one, other) = ByHand(log), Sample.of(log).seen[2:4]
        index = hand.announce(_NAME, (one, other))
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, (one,), kept_contents=((other, other + 1),))
        hand.done(index, _NAME, (other,), kept_contents=((one, one + 1),))


@_unlawful(Code.PRUNE_RECORD)
def announced_with_other_counts(path: Path) -> None:
    """An announcement says one content, and its ranges are of two."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:4]
        index = hand.announce(_NAME, gone, content_count=1)
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, gone)


@_unlawful(Code.PRUNE_RECORD)
def announced_with_other_digest(path: Path) -> None:
    """The digest of an announcement is that of other entries."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:4]
        index = hand.announce(_NAME, gone, digest=hand.digest(((0, 1),), ()))
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, gone)


@_unlawful(Code.PRUNE_RECORD)
def done_with_other_digest(path: Path) -> None:
    """What is said to be done has the digest of something else."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:4]
        index = hand.announce(_NAME, gone)
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, gone, digest=bytes(32))


@_unlawful(Code.PRUNE_RECORD, _MISSING)
def intent_enlarged(path: Path) -> None:
    """An announcement gets a further part after the fact, under another statement."""
    with edit(path) as log:
        hand, (one, other) = ByHand(log), Sample.of(log).seen[2:4]
        whole = hand.intent(_NAME, (one, other))
        record = whole.one_record()
        assert isinstance(record.body, tuple)
        name, _, _, *rest = record.body
        parts = [(name, part, 2, *rest) for part in range(2)]
        parts = [(*body[:7], (index, 1), *body[8:]) for body, index in zip(parts, (one, other), strict=True)]
        index = hand.batch([type(record)(record.kind, parts[0], record.subject)])
        hand.days(WAIT_DAYS)
        hand.batch([type(record)(record.kind, parts[1], record.subject)])
        hand.done(index, _NAME, (one, other))


@_unlawful(Code.PRUNE_WAIT)
def done_too_soon(path: Path) -> None:
    """A pruning is done a day after it was announced."""
    with edit(path) as log:
        ByHand(log).prune(_NAME, Sample.of(log).seen[2:3], days=1)


@_unlawful(Code.PRUNE_WAIT)
def waited_by_a_clock_record(path: Path) -> None:
    """The clock is set forward, with a record of it, between announcing and doing."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:3]
        index = hand.announce(_NAME, gone)
        hand.clock(100 * MS_PER_DAY)
        hand.done(index, _NAME, gone)


@_unlawful(Code.PRUNE_WAIT)
def waited_by_jumps(path: Path) -> None:
    """The clock is set forward as far as it may without a record."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:3]
        index = hand.announce(_NAME, gone)
        hand.batch([hold("H-2", pack_ids(1, start=40)).record()], later=DEFAULT_JUMP_LIMIT)
        hand.done(index, _NAME, gone)


@_unlawful(Code.PRUNE_WAIT, Code.PRUNE_POLICY)
def announced_for_less(path: Path) -> None:
    """An announcement states a shorter waiting time than the policy wants, and is carried out after it."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:3]
        index = hand.announce(_NAME, gone, wait_days=WAIT_DAYS - 1)
        hand.days(WAIT_DAYS - 1)
        hand.done(index, _NAME, gone)


@_unlawful(Code.TIME_AHEAD)
def clock_set_years_ahead(path: Path) -> None:
    """The clock is set years ahead; then all is done by the book, for entries that are not due."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).young[:1]
        hand.clock(2000 * MS_PER_DAY)
        hand.prune(_NAME, gone)


@_unlawful(Code.PRUNE_EARLY)
def young_pruned(path: Path) -> None:
    """An event goes years before the day that its header names, announced and waited for."""
    with edit(path) as log:
        ByHand(log).prune(_NAME, Sample.of(log).young[:1])


@_unlawful(Code.PRUNE_EARLY)
def left_open_pruned(path: Path) -> None:
    """An event goes of which no header says how long it stays, and no rule of any policy in the log lets it go."""
    with edit(path) as log:
        ByHand(log).prune(_NAME, (Sample.of(log).open,))


@_unlawful(Code.PRUNE_EARLY)
def planned_for_the_future(path: Path) -> None:
    """A pruning as of next year is done now."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:3]
        index = hand.announce(_NAME, gone, as_of=shanghai_day(hand.time) + 365)
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, gone)


@tampering(_MISSING, Code.KEEP_UNTIL, Code.KEEP_UNTIL)
def keep_until_shortened(path: Path) -> None:
    """Headers of young events are sealed anew with a day that is past; then all is done by the book."""
    with edit(path) as log:
        sample = Sample.of(log)
        for index in sample.young[2:]:
            log.set_header(index, keep_until=log.header(sample.gone[0]).keep_until)
        log.seal()
        hand = ByHand(log)
        hand.clock(700 * MS_PER_DAY)  # the floor of every ledger is past, the policy's time is not
        hand.prune(_NAME, sample.young[2:])


@_unlawful(Code.PRUNE_POLICY, Code.PRUNE_EARLY)
def policy_changed_before(path: Path) -> None:
    """A policy is put in force just before the announcement that goes by it."""
    with edit(path) as log:
        hand = ByHand(log)
        hand.batch([policy("none").record()])
        hand.prune(_NAME, (Sample.of(log).open,))


@_unlawful(Code.PRUNE_POLICY)
def policy_made_hasty(path: Path) -> None:
    """The policy is replaced by one that lets go and waits a day only, twice, and after that day all is by the book."""
    with edit(path) as log:
        hand = ByHand(log)
        hand.batch([policy("hasty", wait_days=1).record()])
        hand.batch([evolve(policy("hasty, too", wait_days=1), regimes=_ALL).record()])
        hand.days(1)
        gone = (Sample.of(log).open,)
        index = hand.announce(_NAME, gone, wait_days=1)
        hand.days(1)
        hand.done(index, _NAME, gone)


@_unlawful(Code.PRUNE_POLICY)
def other_policy_named(path: Path) -> None:
    """An announcement goes by a policy that another one has replaced."""
    with edit(path) as log:
        hand = ByHand(log)
        old = hand.policy
        hand.batch([policy("ten years", years=10).record()])
        hand.days(WAIT_DAYS)
        gone = Sample.of(log).seen[2:3]
        index = hand.announce(_NAME, gone, policy=old)
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, gone)


@_unlawful(Code.PRUNE_HELD)
def pruned_under_hold(path: Path) -> None:
    """The events of a pack under hold go, as if the hold were over: no record releases it."""
    with edit(path) as log:
        ByHand(log).prune(_NAME, Sample.of(log).held)


@_unlawful(Code.PRUNE_HELD)
def held_meanwhile(path: Path) -> None:
    """A pack comes under hold while its events wait to go, and they go all the same."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2:3]
        index = hand.announce(_NAME, gone)
        hand.batch([hold("H-2", [log.row_list(gone[0])[1][0].subject]).record()])
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, gone)


@_unlawful(Code.PRUNE_HELD)
def released_afterwards(path: Path) -> None:
    """The release of a hold is recorded after what it covered went."""
    with edit(path) as log:
        hand = ByHand(log)
        hand.prune(_NAME, Sample.of(log).held)
        hand.batch([hold("H-1", (), "released").record()])


@_unlawful(Code.PRUNE_ORDER, disk=_MISSING)
def rows_with_their_content(path: Path) -> None:
    """Rows go in the same round as their content, so nobody could see what it was about."""
    with edit(path) as log:
        sample = Sample.of(log)
        ByHand(log).prune(_NAME, (sample.seen[2],), (sample.seen[2],))


@_unlawful(Code.PRUNE_ORDER, disk=_MISSING)
def rows_close_behind_their_content(path: Path) -> None:
    """Content and rows of an event under hold are announced at once, in two prunings, and go one right after the other:
    rows are what shows that the hold covered it, and nobody had the time to see them."""
    with edit(path) as log:
        hand, sample = ByHand(log), Sample.of(log)
        hand.clock(750 * MS_PER_DAY)
        hand.prune("newer", sample.young[2:])
        old = sample.seen[2]
        hand.batch([hold("H-2", [log.row_list(old)[1][0].subject]).record()])
        rows = sample.shipped, sample.gone[11], old
        contents_said, rows_said = hand.announce(_NAME, (old,)), hand.announce("fourth", (), rows)
        hand.days(WAIT_DAYS)
        hand.done(contents_said, _NAME, (old,))
        hand.done(rows_said, "fourth", (), rows)


@_unlawful(Code.PRUNE_ORDER, disk=Code.ROWS_MISSING)
def latest_rows_gone(path: Path) -> None:
    """The latest rows of a pack go: what was before it looks like the latest."""
    with edit(path) as log:
        hand, sample = ByHand(log), Sample.of(log)
        hand.prune(_NAME, sample.seen[3:4])
        hand.prune("fourth", (), sample.seen[3:4])


@_unlawful(Code.PRUNE_ORDER, disk=Code.ROWS_MISSING)
def newer_rows_before_older(path: Path) -> None:
    """Rows go while older ones of the same packs stay."""
    with edit(path) as log:
        ByHand(log).prune(_NAME, (), Sample.of(log).gone[9:10])


@_unlawful(Code.PRUNE_ORDER, disk=Code.ROWS_MISSING)
def rows_before_a_content_that_stays(path: Path) -> None:
    """Rows go while the content of the pack's next event is there, which cannot be judged any more without them."""
    with edit(path) as log:
        ByHand(log).prune(_NAME, (), Sample.of(log).gone[7:8])


@_unlawful(Code.SUBJECT_LOST, Code.PRUNE_ORDER, Code.PRUNE_EARLY, disk=Code.ROWS_MISSING)
def pack_made_to_vanish(path: Path) -> None:
    """All that is left of a pack goes, its latest rows, too: as if it had never been."""
    with edit(path) as log:
        hand, sample = ByHand(log), Sample.of(log)
        of_one = sample.gone[8], sample.seen[5]
        hand.prune(_NAME, (sample.seen[5], sample.open))
        hand.prune("fourth", (), (*of_one, sample.open))


@_unlawful(Code.PRUNE_KEPT, disk=Code.TAIL_SURPLUS)
def done_and_not_gone(path: Path) -> None:
    """A content is said to have gone, and is there: it was kept aside."""
    with edit(path) as log:
        hand, gone = ByHand(log), Sample.of(log).seen[2]
        kept = log.contents[gone]
        hand.prune(_NAME, (gone,))
        log.contents[gone] = kept


@_unlawful(Code.PRUNE_RECORD, disk=Code.TAIL_SURPLUS)
def announced_backwards(path: Path) -> None:
    """An announcement is of a log longer than the one it stands in: of entries that are yet to come."""
    with edit(path) as log:
        hand = ByHand(log)
        hand.announce(_NAME, Sample.of(log).seen[2:3], size=len(log) + 100)


@_unlawful(Code.PRUNE_RECORD, disk=_MISSING)
def announced_without_end(path: Path) -> None:
    """An announcement, carried out, reaches as far as a log can at all: who looks at each entry of it never ends."""
    with edit(path) as log:
        hand, (gone,) = ByHand(log), Sample.of(log).seen[2:3]
        said = evolve(hand.intent(_NAME, (gone,)), contents=((gone, gone + 1), (len(log) + 1000, 1 << 40)))
        index = hand.batch(said.records())
        hand.days(WAIT_DAYS)
        hand.done(index, _NAME, (gone,))


@tampering(Code.CONTENT_COMMITMENT, Code.CONTENT_COMMITMENT, Code.STATEMENT_ROOT, also=[Code.PRUNE_RECORD, _MISSING])
def lawful_intent_rewritten(path: Path) -> None:
    """The ranges of an announcement that was carried out are widened in its place, and one content more goes."""
    with edit(path) as log:
        sample = Sample.of(log)
        index = next(i for i in range(len(log)) if log.contents[i] is not None and b"prune-intent" in log.content(i))
        record = decode_record(log.content(index))
        assert isinstance(record.body, tuple)
        more = (*record.body[:7], (*record.body[7], 2, 1), *record.body[8:])
        log.set_content(index, encode_record(type(record)(record.kind, more, record.subject)))
        ByHand(log).drop(sample.seen[2:3])


PRUNINGS = (
    content_gone_unannounced, rows_gone_unannounced, record_gone, done_without_intent, done_twice,
    announced_with_other_counts, announced_with_other_digest, done_with_other_digest, intent_enlarged, done_too_soon,
    waited_by_a_clock_record, waited_by_jumps, announced_for_less, clock_set_years_ahead, young_pruned,
    left_open_pruned, planned_for_the_future, keep_until_shortened, policy_changed_before, policy_made_hasty,
    other_policy_named,
    pruned_under_hold, held_meanwhile, released_afterwards, rows_with_their_content, rows_close_behind_their_content,
    latest_rows_gone, newer_rows_before_older, rows_before_a_content_that_stays, pack_made_to_vanish,
    done_and_not_gone, announced_backwards, announced_without_end, lawful_intent_rewritten,
)  # fmt: skip
