"""What may go: a plan over a View, pure and with a reason for every part of every entry (docs/retention.md).

    with ledger.snapshot() as view:
        made = plan(view, as_of=parse_day("2034-01-01"))
    made.by_reason()       how much stays and goes, and why
    made.of(4711)          what becomes of one entry

Of an event the content may go when the policy, its header, the floor and no hold stand against it, and nothing in it is
in use; its rows go oldest first, in a later round than the content, and a subject's latest never (docs/format.md
section 5.10). Everything else stays for ever.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import groupby

from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DecodeError, InputError
from tracechain.record import decode_record
from tracechain.retention.decisions import (
    Decision,
    Part,
    Personal,
    Plan,
    Reason,
    Tally,
    Verdict,
    Why,
    event_indices,
)
from tracechain.retention.holding import Holding, holds_in
from tracechain.retention.keeping import policy_of
from tracechain.retention.planning import Planner
from tracechain.retention.policy import Policy
from tracechain.retention.ranges import Ranges
from tracechain.retention.records import POLICY_SUBJECT
from tracechain.retention.terms import Terms
from tracechain.view import View, unit_history

__all__ = [
    "Decision",
    "Part",
    "Personal",
    "Plan",
    "Reason",
    "Tally",
    "Verdict",
    "Why",
    "event_indices",
    "plan",
    "policy_in_force",
]


def policy_in_force(view: View) -> tuple[int, Policy] | None:
    """The latest policy of the log with the index of its record, None if there is none: in force from the statement
    after it on."""
    if view.unit(POLICY_SUBJECT) is None:
        return None
    for index in reversed(unit_history(view, POLICY_SUBJECT)):
        header, part = view.header(index), view.content(index)
        if header is None or part is None or header[4] != EntryType.RECORD:
            continue
        with contextlib.suppress(DecodeError):
            found = policy_of(decode_record(part[SALT_SIZE:]))
            if found is not None:
                return index, found
    return None


def plan(
    view: View,
    policy: Policy | None = None,
    holds: Holding | None = None,
    *,
    as_of: int,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """What may go as of a day (since 1970-01-01 in Asia/Shanghai), by the policy and the holds in force if none are
    given. Pure: it reads the view, and changes nothing. `progress` is told (done, of how many).

    A plan by another policy than the one in force has no `policy` index: it is a look ahead, and cannot be announced.
    DataError where a header is missing or the index does not fit the log.
    """
    if type(as_of) is not int or not 0 <= as_of < 1 << 32:
        raise InputError(f"as_of is {as_of!r:.60}: it must be a day, such as dates.parse_day('2034-01-01')")
    found = policy_in_force(view)
    if policy is None and found is not None:
        policy = found[1]
    holding = holds_in(view) if holds is None else holds
    terms = None if policy is None else Terms(policy, holding.files)
    planner = Planner(view, terms, holding, as_of, progress)
    planner.run()
    contents, content_count = _going(planner, planner.contents)
    rows, row_count = _going(planner, planner.rows)
    sizes = dict.fromkeys((Part.CONTENT, Part.ROWS), 0)
    for (part, number, _), (_, size) in planner.sums.items():
        if planner.grounds[number][0] is Verdict.PRUNE:
            sizes[part] += size
    return Plan(
        size=view.size,
        as_of=as_of,
        policy=found[0] if found is not None and policy == found[1] else None,
        policy_name=None if policy is None else policy.name,
        contents=contents,
        rows=rows,
        content_count=content_count,
        row_count=row_count,
        content_bytes=sizes[Part.CONTENT],
        row_bytes=sizes[Part.ROWS],
        personal=tuple(planner.personal),
        grounds=tuple(planner.grounds),
        content_column=planner.contents,
        row_column=planner.rows,
        sums=tuple((part, number, year, *both) for (part, number, year), both in planner.sums.items()),  # type: ignore[misc]  # two numbers
    )


def _going(planner: Planner, column: object) -> tuple[Ranges, int]:
    """What goes of a column as ranges, and how many entries these are. Statements and records that stand between two
    events do not break a range: only events are meant."""
    numbers: list[int] = column  # type: ignore[assignment]  # an array of them
    pruned = [verdict is Verdict.PRUNE for verdict, _ in planner.grounds]
    passed = [False] + [reason.why is Why.STRUCTURE for _, reason in planner.grounds[1:]]
    between = planner.contents
    found: list[tuple[int, int]] = []
    count = at = 0
    open_ = False
    for number, run in groupby(numbers):
        length = sum(1 for _ in run)
        if pruned[number]:
            count += length
            if open_:
                found[-1] = found[-1][0], at + length
            else:
                found.append((at, at + length))
                open_ = True
        elif open_:
            open_ = all(passed[one] for one in between[at : at + length])
        at += length
    return tuple(found), count
