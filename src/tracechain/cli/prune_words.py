"""Prunings for people and for programs: what was announced, how long it has waited, what was done and what was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from tracechain.cli.output import console, counted, moment, plain, say, table
from tracechain.entry import SALT_SIZE, parse_header
from tracechain.retention.dates import format_day, shanghai_day
from tracechain.retention.decisions import event_indices
from tracechain.retention.holding import holds_in, row_subjects
from tracechain.retention.plan import plan
from tracechain.retention.prunings import Pruning, prunings

if TYPE_CHECKING:
    from tracechain.retention.decisions import Plan
    from tracechain.view import View

__all__ = ["Kept", "Listed", "kept_json", "listed", "pruning_json", "tell_kept", "tell_prunings", "why_kept"]

MS_PER_DAY = 86_400_000


# ---- what there is -------------------------------------------------------------------------------


@frozen
class Listed:
    """A pruning: when it was announced (ms), how long it has waited (ms), and when it was done (ms)."""

    pruning: Pruning
    announced: int
    waited: int
    done: int | None

    @property
    def needed(self) -> int:
        """Milliseconds that it has to wait."""
        return self.pruning.intent.wait_days * MS_PER_DAY

    @property
    def ready(self) -> bool:
        """Whether it may be applied, as far as the waiting time goes."""
        return self.done is None and self.waited >= self.needed


def listed(view: View, now: int) -> list[Listed]:
    """All prunings of a log; what is not done has waited until `now` (ms)."""
    from tracechain.retention.waiting import waited_ms

    found = []
    for one in prunings(view):
        done = None if one.done_at is None else _received(view, one.done_at)
        waited = waited_ms(view, one.announced_last, None if one.done_at is None else one.done_at, now)
        found.append(Listed(one, _received(view, one.announced), waited, done))
    return found


def _received(view: View, index: int) -> int:
    header = view.header(index)
    return 0 if header is None else parse_header(header).time


def pruning_json(one: Listed) -> dict[str, Any]:
    """For --json."""
    intent, done = one.pruning.intent, one.pruning.done
    return {
        "name": intent.name, "entry": one.pruning.announced, "announced_ms": one.announced,
        "as_of": format_day(intent.as_of), "policy": intent.policy, "reason": intent.reason,
        "contents": intent.content_count, "rows": intent.row_count,
        "archive": None if intent.archive is None else intent.archive.hex(), "wait_days": intent.wait_days,
        "waited_days": round(one.waited / MS_PER_DAY, 2), "ready": one.ready, "done_entry": one.pruning.done_at,
        "done_ms": one.done, "done_contents": None if done is None else done.content_count,
        "done_rows": None if done is None else done.row_count,
    }  # fmt: skip


def tell_prunings(found: Sequence[Listed]) -> None:
    """A line each."""
    if found:
        shown = table()
        shown.add_column("pruning", style="bold", no_wrap=True)
        shown.add_column("announced", no_wrap=True)
        shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
        shown.add_column("as of", no_wrap=True)
        shown.add_column("contents", justify="right", no_wrap=True)
        shown.add_column("rows", justify="right", no_wrap=True)
        shown.add_column("waited", justify="right", no_wrap=True)
        shown.add_column("", overflow="fold")
        for one in found:
            intent = one.pruning.intent
            shown.add_row(
                plain(intent.name), moment(one.announced)[:10], f"{one.pruning.announced:,}", format_day(intent.as_of),
                f"{intent.content_count:,}", f"{intent.row_count:,}",
                f"{one.waited / MS_PER_DAY:.1f} of {intent.wait_days} days", _state(one),
            )  # fmt: skip
        console().print(shown)
    say(f"{counted(len(found), 'pruning')}, {sum(one.done is not None for one in found):,} done", "dim")


def _state(one: Listed) -> str:
    done = one.pruning.done
    if done is not None and one.done is not None:
        intent = one.pruning.intent
        kept = intent.content_count + intent.row_count - done.content_count - done.row_count
        return f"done {moment(one.done)[:10]}, entry {one.pruning.done_at:,}" + (f", {kept:,} kept" if kept else "")
    return "may be applied" if one.ready else "waits"


# ---- what was kept -------------------------------------------------------------------------------


@frozen
class Kept:
    """How many parts (contents, rows) of a pruning were kept, and why."""

    what: str
    reason: str
    count: int


def why_kept(view: View, name: str) -> list[Kept]:
    """What the pruning `name` announced and did not do, by reason."""
    from tracechain.cli.plan_words import reason_words

    done = next((one for one in reversed(prunings(view)) if one.intent.name == name and one.done is not None), None)
    if done is None or done.done is None or done.done_at is None:
        return []
    if not (done.done.kept_contents or done.done.kept_rows):
        return []
    day = shanghai_day(_received(view, done.done_at))
    holding = holds_in(view)
    found: Counter[tuple[str, str]] = Counter()
    made: Plan | None = None
    for what, ranges in (("contents", done.done.kept_contents), ("rows", done.done.kept_rows)):
        for index in event_indices(view, ranges):
            content, rows = view.content(index), view.rows(index)
            subjects = () if rows is None else row_subjects(rows)
            hold = holding.covers(subjects, None if content is None else content[SALT_SIZE:], day)
            if hold is None and made is None:
                made = plan(view, as_of=day)  # only where something else than a hold came in between
            if hold is not None:
                reason = hold.why
            else:
                assert made is not None
                column = made.content_column if what == "contents" else made.row_column
                reason = reason_words(made.grounds[column[index]][1])
            found[what, reason] += 1
    return [Kept(what, reason, number) for (what, reason), number in found.most_common()]


def kept_json(kept: Sequence[Kept]) -> list[dict[str, Any]]:
    """For --json."""
    return [{"what": one.what, "reason": one.reason, "count": one.count} for one in kept]


def tell_kept(kept: Sequence[Kept]) -> None:
    """What was announced and stays all the same."""
    if not kept:
        return
    say("kept all the same:", "bold")
    shown = table(header=False)
    shown.add_column(justify="right", no_wrap=True)
    shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    for one in kept:
        shown.add_row(f"{one.count:,}", one.what, plain(one.reason))
    console().print(shown)
