"""What is held on a person, and what becomes of it, for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracechain.cli.entries import event_name, human
from tracechain.cli.output import console, counted, moment, plain, say, say_wrapped, styled, table
from tracechain.persons import Verdict
from tracechain.retention.dates import format_day
from tracechain.store import Kept, Restriction

if TYPE_CHECKING:
    from tracechain.ledger.erasing import Erasure
    from tracechain.persons import Disclosed, ErasurePlan, HeldField, PersonFile
    from tracechain.private import Value

__all__ = ["tell_disclosed", "tell_erasure", "tell_person"]

_MOST_EVENTS = 200
_MOST_REASONS = 40


def _value(value: Value) -> str:
    return plain(value) if isinstance(value, str) else f"{len(value):,} bytes, {value[:16].hex()}..."


def _stands(standing: Kept, restriction: Restriction | None, erased_by: int | None) -> str:
    """How a value stands, where it is not simply there."""
    if standing == Kept.RESTRICTED and restriction is not None:
        return f"withheld since {format_day(restriction.day)}: {plain(restriction.ground)}"
    if standing == Kept.ERASED:
        return "erased" if erased_by is None else f"erased by entry {erased_by:,}"
    return "not in the vault" if standing == Kept.UNKNOWN else ""


def _field(one: HeldField) -> str:
    said = _stands(one.standing, one.restriction, one.erased_by)
    if one.standing == Kept.RESTRICTED and one.restriction is not None:
        said = f"withheld since {format_day(one.restriction.day)}"  # why is told once, below
    value = "" if one.value is None else _value(one.value.value)
    return f"{plain(one.name)}: {', '.join(part for part in (value, said) if part)}"


def tell_person(file: PersonFile) -> None:
    """All that is held on a person."""
    say(f"person {styled(file.token.hex(), 'bold')}   {counted(len(file.events), 'event')}")
    identity = file.identity
    for name, value in (identity.values or {}).items():
        say_wrapped(f"{plain(name)}: {_value(value)}", 2)
    said = _stands(identity.standing, identity.restriction, identity.erased_by)
    if said:
        say_wrapped(f"identity {said}", 2, "dim")
    if file.events:
        shown = table()
        shown.add_column("entry", justify="right", style="cyan", no_wrap=True)
        shown.add_column("received", no_wrap=True)
        shown.add_column("what", no_wrap=True)
        shown.add_column("of", overflow="fold")
        shown.add_column("yuan", justify="right", no_wrap=True)
        shown.add_column("private", overflow="fold")
        for one in file.events[:_MOST_EVENTS]:
            more = f" +{len(one.units) - 1:,}" if len(one.units) > 1 else ""
            shown.add_row(
                f"{one.index:,}", moment(one.received)[:19], event_name(one.event),
                human(one.units[0]) + more if one.units else "", "" if one.amount is None else f"{one.amount:f}",
                "\n".join(map(_field, one.fields)),
            )  # fmt: skip
        console().print(shown)
        if len(file.events) > _MOST_EVENTS:
            say(f"and {len(file.events) - _MOST_EVENTS:,} more events (--json lists them all)", "dim")
    grounds = {one.restriction for one in file.fields if one.standing == Kept.RESTRICTED} - {identity.restriction, None}
    for ground in sorted(grounds, key=str):
        say_wrapped(_stands(Kept.RESTRICTED, ground, None), 2, "dim")
    if file.loose:
        say("kept for the person, and of no event that is kept:", "bold")
        for field in file.loose:
            say_wrapped(_field(field), 2)
    if not file:
        say("nothing is held on this person", "dim")


_WORDS = {
    Verdict.ERASE: ("erase", "erased", "good"),
    Verdict.RESTRICT: ("must stay, withhold", "must stay, withheld", "warn"),
    Verdict.KEEP: ("keep", "kept", "bold"),
}


def tell_erasure(plan: ErasurePlan, done: Erasure | None) -> None:
    """What would become of what was asked about, or what has."""
    if plan.judged:
        shown = table()
        shown.add_column("", no_wrap=True)
        shown.add_column("values", justify="right", no_wrap=True)
        shown.add_column("which", overflow="fold")
        shown.add_column("why", overflow="fold")
        from rich.text import Text

        for verdict, reason, count in plan.by_reason()[:_MOST_REASONS]:
            fields = dict.fromkeys(one.field for one in plan.of(verdict) if one.reason == reason)
            word = _WORDS[verdict][done is not None]
            style = {"good": "green", "warn": "yellow", "bold": "bold"}[_WORDS[verdict][2]]
            shown.add_row(Text(word, style), f"{count:,}", plain(", ".join(fields)), plain(reason))
        console().print(shown)
        if len(plan.by_reason()) > _MOST_REASONS:
            say(f"and {len(plan.by_reason()) - _MOST_REASONS:,} more reasons (--json lists them all)", "dim")
    day = format_day(plan.as_of)
    if done is None:
        count = len(plan.of(Verdict.ERASE))
        say(f"{counted(count, 'value')} of {len(plan.judged):,} can be erased on {day}: --apply does it", "dim")
        return
    if done.receipt is None:
        say("there was nothing to erase", "dim")
        return
    say(
        f"{styled('✓', 'good')} {counted(done.erased, 'value')} erased, {done.restricted:,} withheld from now on, entry"
        f" {done.receipt.first:,}"
    )


def tell_disclosed(found: Disclosed) -> None:
    """What a disclosure proves."""
    say(f"{styled('✓', 'good')} {plain(found.name)}: {styled(_value(found.value), 'bold')}")
    say_wrapped(
        f"entry {found.index:,} of {plain(found.origin)} ({event_name(found.event)}, received {moment(found.received)})"
        " committed to it",
        2,
    )
