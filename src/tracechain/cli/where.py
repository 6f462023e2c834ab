"""`tracechain where`: where a code is, or was at a time, and who has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.entries import human
from tracechain.cli.moments import claimed_nanos, claimed_option
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import BEIJING, clock_time, json_option, moment, print_json, say, styled
from tracechain.cli.subjects import (
    canonical,
    perhaps_meant,
    state_words,
    tell_unknown,
    tell_unresolved,
    unresolved_json,
)
from tracechain.event import format_time

if TYPE_CHECKING:
    from tracechain.tracing import Holder, Whereabouts

__all__ = ["holder_words", "where"]

_MOST_LISTED = 20


@click.command(short_help="Show where a code is, and who has it.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("code")
@claimed_option
@json_option
def where(ledger: Path, code: str, as_of: str | None, as_json: bool) -> int:
    """Show where CODE (any spelling) is, or was at a time, what it is in, and who has it, by what the events claim.
    LEDGER may be a bundle, of all or of the history of CODE.

    Exits with 1 for a code that is not in the ledger, or was not yet.
    """
    from tracechain.tracing import whereabouts

    subject = canonical(code)
    until = claimed_nanos(as_of)
    with open_to_read(ledger, excerpts=True) as opened:
        snapshot = opened.view
        known = snapshot.unit(subject) is not None
        found = whereabouts(snapshot, subject, until)
        hints = [] if known else perhaps_meant(snapshot, subject)
    if as_json:
        print_json(_as_json(code, found, until, hints, known=known))
    elif not known:
        tell_unknown(subject, hints)
    else:
        _tell(found, until)
    return 0 if found.unit is not None else 1


def _as_json(code: str, found: Whereabouts, as_of: int | None, hints: list[str], *, known: bool) -> dict[str, Any]:
    return {
        "code": code,
        "subject": found.subject,
        "known": known,
        "as_of": None if as_of is None else format_time(as_of, BEIJING),
        "state": None if found.unit is None else state_words(found.unit.state, found.subject),
        "last_index": None if found.unit is None else found.unit.last,
        "place": found.place,
        "seen_at": None if found.time is None else format_time(found.time, BEIJING),
        "seen": found.seen,
        "index": found.index,
        "containers": list(found.containers),
        "holder": {"kind": found.holder.kind, "id": found.holder.id},
        "successors": list(found.successors),
        "unresolved": unresolved_json(found.unresolved),
        "nearest": hints,
    }


def holder_words(holder: Holder) -> str:
    """Who has it, in words."""
    match holder.kind, holder.id:
        case "none", _:
            return "nobody: it is destroyed"
        case "unknown", _:
            return "nobody knows"
        case "place", str() as ident:
            return f"whoever runs {human(ident)}"
        case "carrier", str() as ident:
            return f"the carrier {human(ident)}"
        case "buyer", str() as ident:
            return f"the buyer {human(ident)}"
    return f"a {human(holder.kind)}, who is not named"


def _tell(found: Whereabouts, as_of: int | None) -> None:
    when = "" if as_of is None else f"   as of {moment(as_of // 1_000_000)}"
    if found.unit is None:
        say(f"{styled('?', 'warn')} {human(found.subject)} was not known yet{when}")
        tell_unresolved(found.unresolved, found.subject)
        return
    say(f"{styled(human(found.subject), 'bold')}   {state_words(found.unit.state, found.subject)}{when}")
    if found.place is None or found.time is None or found.index is None:
        _line("at", styled("nobody has stated where", "warn"))
    else:
        _line("at", styled(human(found.place), "bold"))
        _line("seen", f"{clock_time(found.time, BEIJING)}, entry {found.index:,}{_how(found)}")
    if found.containers:
        _line("in", " in ".join(map(human, found.containers)))
    _line("held by", holder_words(found.holder))
    for code in found.successors[:_MOST_LISTED]:
        _line("made into", human(code))
    if len(found.successors) > _MOST_LISTED:
        _line("", f"and {len(found.successors) - _MOST_LISTED:,} more (--json lists them all)")
    tell_unresolved(found.unresolved, found.subject)


def _how(found: Whereabouts) -> str:
    if found.seen is None or found.seen == found.subject:
        return ", itself"
    return f", in {human(found.seen)}"


def _line(name: str, text: str) -> None:
    say(f"  {styled(name.ljust(9), 'dim')}  {text}")
