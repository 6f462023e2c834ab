"""A plan of what goes and what stays, for people and for programs: by reason and by year of receipt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field

from tracechain.cli.output import console, counted, plain, say, styled, table
from tracechain.retention.dates import format_day
from tracechain.retention.decisions import Part, Reason, Verdict, Why

if TYPE_CHECKING:
    from rich.table import Table

    from tracechain.retention.decisions import Plan
    from tracechain.retention.policy import Policy

__all__ = ["plan_json", "reason_words", "size_words", "tell_plan", "tell_totals"]

#: Years that have a column of their own; older ones share the first.
_MOST_YEARS = 6
_PERSONAL = (Part.IDENTITY, Part.PRIVATE)
_GOES, _STAYS = (Verdict.PRUNE, Verdict.ERASE), (Verdict.KEEP, Verdict.RESTRICT)
_HEADS = ((_GOES, "goes", "good"), (_STAYS, "stays", "bold"), ((Verdict.GONE,), "went before", "dim"))


def size_words(size: int) -> str:
    """Bytes for people."""
    for unit, worth in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= worth:
            return f"{size / worth:,.1f} {unit}"
    return f"{size:,} B"


@define
class _Line:
    """One reason: a part, a verdict, how much of it was received in which year, and until when it is kept."""

    part: Part
    verdict: Verdict
    words: str
    years: dict[int, int] = field(factory=dict)
    size: int = 0
    days: list[int] = field(factory=list)

    @property
    def count(self) -> int:
        return sum(self.years.values())

    def add(self, year: int, count: int, size: int, day: int | None) -> None:
        self.years[year] = self.years.get(year, 0) + count
        self.size += size
        if day is not None:
            self.days.append(day)

    @property
    def until(self) -> str:
        if not self.days:
            return ""
        first, last = format_day(min(self.days)), format_day(max(self.days))
        return first if first == last else f"{first} to {last}"


def reason_words(reason: Reason) -> str:
    """A reason without its dates."""
    if reason.why is Why.POLICY:
        clause = f" ({reason.clause})" if reason.clause else ""
        said = f"{reason.regime}: {reason.rule}{clause}"
        if reason.anchor is not None and reason.anchor_day is None:
            said += f", {reason.anchor} not known"
        return said
    if reason.note is None:
        return str(reason.why)
    return reason.note if reason.why is Why.HOLD else f"{reason.why}: {reason.note}"


def _lines(plan: Plan) -> list[_Line]:
    """The parts of entries by reason, the most first."""
    found: dict[tuple[Part, Verdict, str], _Line] = {}
    for part, number, year, count, size in plan.sums:
        verdict, reason = plan.grounds[number]
        words = reason_words(reason)
        line = found.setdefault((part, verdict, words), _Line(part, verdict, words))
        line.add(year, count, size, reason.day)
    return sorted(found.values(), key=lambda one: (one.part, -one.count))


def _personal(plan: Plan) -> list[tuple[Verdict, str, str, int]]:
    """(verdict, field, reason, how many) of personal values."""
    found: dict[tuple[Verdict, str, str], int] = {}
    for one in plan.personal:
        key = one.verdict, one.name, reason_words(one.reason)
        found[key] = found.get(key, 0) + 1
    return [(*key, count) for key, count in sorted(found.items(), key=lambda one: (one[0][0], -one[1], one[0]))]


# ---- JSON ----------------------------------------------------------------------------------------


def plan_json(plan: Plan, policy: Policy | None, *, decisions: bool = False) -> dict[str, Any]:
    """For --json: `reasons` has a row for each part, verdict, reason and year."""
    said = plan.plain(decisions=decisions)
    said["reasons"] = [
        {
            "part": str(line.part), "verdict": str(line.verdict), "reason": line.words, "year": year, "count": count,
        }
        for line in _lines(plan)
        for year, count in sorted(line.years.items())
    ]  # fmt: skip
    said["crossings"] = [] if policy is None else [str(one) for one in policy.crossings()]
    return said


# ---- tables --------------------------------------------------------------------------------------


def tell_plan(plan: Plan, policy: Policy | None, *, in_force: bool) -> None:
    """What goes and what stays, and why; `in_force`: by the policy in force, and not by another."""
    day = format_day(plan.as_of)
    if policy is None:
        say(f"as of {day}, without a policy in force: `tracechain retention set`", "warn")
    else:
        which = "the policy in force" if in_force else "not in force"
        say(f"as of {styled(day, 'bold')}, by policy {styled(plain(policy.name), 'bold')} ({which})")
    lines = _lines(plan)
    years = sorted({year for line in lines for year in line.years})
    merged, shown_years = (years[:-_MOST_YEARS], years[-_MOST_YEARS:]) if len(years) > _MOST_YEARS else ([], years)
    shown = _table(merged, shown_years)
    for verdicts, head, style in _HEADS:
        group = [line for line in lines if line.verdict in verdicts]
        before = None
        for number, line in enumerate(group):
            part = "" if line.part == before else _plural(line.part)
            before = line.part
            columns = [sum(line.years.get(year, 0) for year in merged)] if merged else []
            columns += [line.years.get(year, 0) for year in shown_years]
            shown.add_row(
                styled_cell(head if number == 0 else "", style), part, plain(line.words), line.until,
                *(f"{count:,}" if count else "" for count in columns), f"{line.count:,}", size_words(line.size),
            )  # fmt: skip
    if lines:
        console().print(shown)
    _tell_personal(plan)
    tell_totals(plan)
    for crossing in () if policy is None else policy.crossings():
        say(f"! {plain(crossing)}", "warn")


def styled_cell(text: str, style: str) -> Any:
    """A cell in a colour."""
    from rich.text import Text

    return Text(text, {"good": "green", "bold": "bold", "dim": "dim"}[style])


def _plural(part: Part) -> str:
    return "contents" if part is Part.CONTENT else str(part)


def _table(merged: Sequence[int], years: Sequence[int]) -> Table:
    shown = table()
    shown.add_column("", no_wrap=True)
    shown.add_column("part", no_wrap=True)
    shown.add_column("why", overflow="fold")
    shown.add_column("kept until", overflow="fold")
    if merged:
        shown.add_column(f"to {merged[-1]}", justify="right", no_wrap=True)
    for year in years:
        shown.add_column(str(year), justify="right", no_wrap=True)
    shown.add_column("entries", justify="right", no_wrap=True)
    shown.add_column("", justify="right", no_wrap=True)
    return shown


def _tell_personal(plan: Plan) -> None:
    found = _personal(plan)
    if not found:
        return
    say("")
    say("what they say of persons, with values in the vault:", "bold")
    shown = table(header=False)
    for _ in range(2):
        shown.add_column(no_wrap=True)
    shown.add_column(overflow="fold")
    shown.add_column(justify="right", no_wrap=True)
    for verdict, name, words, count in found:
        style = "good" if verdict in _GOES else "bold"
        shown.add_row(styled_cell(str(verdict), style), plain(name), plain(words), f"{count:,}")
    console().print(shown)


def tell_totals(plan: Plan) -> None:
    """How much goes, in a line."""
    goes = f"{counted(plan.content_count, 'content')} and the rows of {plan.row_count:,} of {plan.size:,} entries"
    size = size_words(plan.content_bytes + plan.row_bytes)
    if plan.count:
        say(f"{goes} may go, {size}; every header stays", "bold")
    else:
        say(f"nothing may go of {plan.size:,} entries", "bold")
