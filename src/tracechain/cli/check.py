"""`tracechain check`: what recording an event now would come to, before anybody does it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracechain.cli.clock import clock
from tracechain.cli.entries import human
from tracechain.cli.moments import asked_time
from tracechain.cli.opening import open_to_read
from tracechain.cli.output import json_option, moment, plain, print_json, say, say_wrapped, styled
from tracechain.custody import PILOT, Act, PackState
from tracechain.errors import InputError
from tracechain.event import Event
from tracechain.formats.scan_fields import Fault
from tracechain.formats.scan_rows import SHARED, Rows
from tracechain.rules import shanghai_day

if TYPE_CHECKING:
    from tracechain.pilot import Finding, SubjectVerdict, Verdict

__all__ = ["check", "state_words"]

NO_PROFILE = (
    "no profile is in force, so only codes that have ended are noticed: tracechain register LEDGER profile beijing"
)

_HELP = {
    "parent": "The container (pack, unpack) or asset.",
    "place": "Where it happens, in any spelling.",
    "location": "Where the pack is from then on.",
    "lot": "Lot number read there.",
    "expiry": "Expiry date read there, YYYY-MM-DD.",
    "doc": "Documents, parted by spaces: po:..., payment:..., bol:...",
    "from": "Where it comes from: owning_party:ID (the seller), or the carrier's id.",
    "to": "Where it goes: location:ID, or a party's id.",
    "disposition": "A disposition instead of the event's own.",
    "note": "Free text.",
    "buyer": "Token of the buyer, 32 hexadecimal digits.",
    "amount": "Yuan.",
    "new_code": "The code that the pack has from then on (relabel).",
    "temperature": "Degrees Celsius (sensor).",
    "humidity": "Relative humidity in per cent (sensor).",
    "error": "did_not_occur or incorrect_data: the event is declared an error.",
    "declared": "When that is declared; with --error.",
}
_COLUMNS = tuple(name for name in SHARED if name != "event")


def _options(command: Any) -> Any:
    """An option for each column of a scan file."""
    for name in reversed(_COLUMNS):
        command = click.option(
            f"--{name.replace('_', '-')}", f"column_{name}", metavar="TEXT", help=_HELP[name]
        )(command)  # fmt: skip
    return command


@click.command(short_help="Ask before a sale whether it is lawful.")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.argument("code")
@click.option("--event", default="sell", show_default=True, metavar="NAME", help="What would happen, as in scan files.")
@click.option("--at", metavar="TIME", help="When it would happen, and be recorded, with its zone [now].")
@click.option("--author", metavar="LABEL|KEY", help="Whose key would state it; it matters for --error [the first one].")
@_options
@json_option
def check(
    ledger: Path, code: str, event: str, at: str | None, author: str | None, as_json: bool, **columns: str | None
) -> int:
    """Say what recording an event of CODE (any spelling) now would come to; nothing is written.

    Takes every event name and column of scan files (docs/scan-files.md). Exits with 1 if it would break a rule.
    """
    from tracechain.pilot import check as judge

    now = clock()()
    texts = {name: columns[f"column_{name}"] for name in _COLUMNS}
    time = asked_time(at, now)
    asked = _event({"event": event, **texts}, time, code)
    when = now if at is None else asked.event_time // 1_000_000
    with open_to_read(ledger) as opened:
        snapshot = opened.view
        verdict = judge(snapshot, asked, when, author=_author(opened, author))
    today = shanghai_day(when * 1_000_000)
    if as_json:
        print_json(_as_json(ledger, code, event, time, verdict, today))
    else:
        _tell(event, verdict, today)
    return 0 if verdict else 1


def _event(texts: dict[str, str | None], time: str, code: str) -> Event:
    """The event that a row with these texts would be. InputError names the option."""
    try:
        return Rows(SHARED).event(tuple(texts.get(name) for name in SHARED), time, code)
    except Fault as fault:
        option = {"time": "--at", "code": "CODE", None: None}.get(fault.column, f"--{fault.column}")
        where = "" if option is None else f"{option.replace('_', '-')}: "
        raise InputError(f"{where}{fault}") from None


def _author(opened: Any, given: str | None) -> bytes:
    """The id of the key that would state the event."""
    from tracechain.cli.keys import find_author

    authors = opened.authors()
    if given is not None:
        key_id: bytes = find_author(authors, given).key.id
        return key_id
    return next((one.key.id for one in authors if one.revoked is None), bytes(8))


# ---- words ---------------------------------------------------------------------------------------


def state_words(state: PackState, today: date | None = None) -> str:
    """Where a pack stands, for people."""
    expiry = () if state.expiry is None else (f"expires {state.expiry}",)
    flags = tuple(flag for flag in state.flags(today) if flag != "expired")
    if today is not None and state.expired(today):
        expiry = (f"expired {state.expiry}",)
    name = "not known" if state.custody == 0 else state.custody.name.lower()
    return ", ".join((name, *flags, *expiry))


def _state_json(state: PackState, today: date) -> dict[str, Any]:
    return {
        "custody": state.custody.name,
        "flags": list(state.flags(today)),
        "expiry": None if state.expiry is None else state.expiry.isoformat(),
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name, "code": finding.code, "clause": finding.clause, "words": finding.words,
        "what_to_do": finding.what_to_do, "nearest": list(finding.near), "entry": finding.entry,
        "receipt_time_ms": finding.time,
    }  # fmt: skip


def _as_json(ledger: Path, code: str, event: str, time: str, verdict: Verdict, today: date) -> dict[str, Any]:
    return {
        "ledger": str(ledger), "code": code, "event": event, "time": time, "good": bool(verdict),
        "rule_set": verdict.rule_set,
        "subjects": [
            {
                "subject": one.subject, "act": Act(one.act).name,
                "before": _state_json(one.before, today), "after": _state_json(one.after, today),
                "violations": [_finding_json(finding) for finding in one.findings],
            }
            for one in verdict.subjects
        ],
    }  # fmt: skip


def _tell(event: str, verdict: Verdict, today: date) -> None:
    for one in verdict.subjects:
        _tell_subject(event, one, today)
    if verdict.rule_set != PILOT:
        say_wrapped(NO_PROFILE, 2, "warn")


def _tell_subject(event: str, one: SubjectVerdict, today: date) -> None:
    name = styled(human(one.subject), "bold")
    before, after = state_words(one.before, today), state_words(one.after, today)
    if not one.findings:
        moves = f" -> {after}" if after != before else ""
        say(f"{styled('✓', 'good')} {name}: {plain(event)} is open to it")
        say(f"  {before}{moves}")
        return
    count = len(one.findings)
    say(f"{styled('✗', 'bad')} {name}: {plain(event)} would break {count} rule{'s' if count != 1 else ''}")
    say(f"  {before}")
    for finding in one.findings:
        say(f"  {styled(finding.name, 'bad')}  {styled(finding.clause, 'dim')}")
        say_wrapped(finding.words, 4)
        if finding.near:
            say_wrapped(f"perhaps meant: {_listed(finding.near)}", 4)
        if finding.entry is not None:
            received = "" if finding.time is None else f", received {moment(finding.time)}"
            say_wrapped(f"see entry {finding.entry:,}{received}", 4)
        say_wrapped(f"to do: {finding.what_to_do}", 4, "dim")


def _listed(codes: Iterable[str]) -> str:
    return " or ".join(map(human, codes))
