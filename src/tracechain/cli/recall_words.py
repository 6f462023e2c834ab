"""What a recall comes to, in words, as JSON and as rows: groups, parties, units, progress, steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracechain import criteria
from tracechain.cli.entries import human
from tracechain.cli.output import BEIJING, console, counted, plain, say, say_wrapped, styled, table
from tracechain.cli.subjects import state_words, tell_unresolved, unresolved_json
from tracechain.event import format_time
from tracechain.recall import GROUPS, Affected, FanOut, Progress, RecallFile

__all__ = [
    "STEPS_HEADER",
    "UNITS_HEADER",
    "fan_out_json",
    "file_json",
    "progress_json",
    "step_rows",
    "tell_fan_out",
    "tell_file",
    "tell_files",
    "tell_progress",
    "unit_rows",
]

UNITS_HEADER = ("unit", "group", "to_do", "state", "lot", "place", "holder", "container", "seen_at", "last_entry")
STEPS_HEADER = (
    "id", "phase", "on", "recall_class", "by", "reason", "authority", "which", "parties", "affected", "locked",
    "returned", "destroyed", "outstanding", "open_reason", "entry",
)  # fmt: skip
_BUYER = "person/"
_MOST_PARTIES = 20
_PARTS = ("reached", "locked", "returned", "destroyed", "outstanding")


# ---- what is affected ----------------------------------------------------------------------------


def fan_out_json(found: FanOut, *, units: bool) -> dict[str, Any]:
    """For --json."""
    criterion = found.criterion
    value: dict[str, Any] = {
        "affected": found.affected,
        "groups": found.groups,
        "to_do": dict(GROUPS),
        "parties": found.parties,
        "unresolved": unresolved_json(found.unresolved),
        "criterion": None if criterion is None else criteria.to_json(criterion),
        "size": found.size,
    }
    if units:
        value["units"] = [dict(zip(UNITS_HEADER, row, strict=True)) for row in unit_rows(found)]
    return value


def unit_rows(found: FanOut) -> Iterator[tuple[object, ...]]:
    """The units, with the cells under UNITS_HEADER."""
    return map(_unit_row, found.units)


def _unit_row(unit: Affected) -> tuple[object, ...]:
    seen = None if unit.time is None else format_time(unit.time, BEIJING)
    return (
        unit.unit, unit.group, GROUPS[unit.group], state_words(unit.state), unit.lot, unit.place, unit.holder,
        unit.container, seen, unit.last,
    )  # fmt: skip


def tell_fan_out(found: FanOut) -> None:
    """What is affected, what has to be done with it, who has to be told, and what could not be told."""
    if found.criterion is not None:
        say_wrapped(plain(criteria.in_words(found.criterion)), 0, "bold")
    if found.units:
        shown = table()
        shown.add_column("group", style="bold", no_wrap=True)
        shown.add_column("packs", justify="right", no_wrap=True)
        shown.add_column("to do", no_wrap=True)
        for group, count in found.groups.items():
            if count:
                shown.add_row(group, f"{count:,}", GROUPS[group])
        console().print(shown)
        _tell_parties(found)
    say(f"{styled(counted(found.affected, 'pack'), 'bold')} affected; the log has {found.size:,} entries")
    tell_unresolved(found.unresolved)
    if found.unresolved:
        say(styled("! look into what is unresolved: this may not be all, or not where it is said to be", "bad"))


def _tell_parties(found: FanOut) -> None:
    """Who has to be told. Buyers are counted: there may be as many as packs, and each is a token."""
    parties = found.parties
    buyers = {party: groups for party, groups in parties.items() if party.startswith(_BUYER)}
    named = {party: groups for party, groups in parties.items() if party and party not in buyers}
    if not parties:
        return
    shown = table()
    shown.add_column("to be told", overflow="fold")
    shown.add_column("packs", justify="right", no_wrap=True)
    shown.add_column(style="dim", overflow="fold")
    for party, groups in list(named.items())[:_MOST_PARTIES]:
        shown.add_row(human(party), f"{sum(groups.values()):,}", _in_groups(groups))
    if len(named) > _MOST_PARTIES:
        rest = list(named.values())[_MOST_PARTIES:]
        shown.add_row(f"and {len(rest):,} more", f"{sum(sum(g.values()) for g in rest):,}", "--json lists them all")
    if buyers:
        shown.add_row(counted(len(buyers), 'buyer'), f"{sum(sum(g.values()) for g in buyers.values()):,}",
                      "by their tokens: --json, --csv")  # fmt: skip
    if "" in parties:
        unknown = parties[""]
        shown.add_row("nobody is known", f"{sum(unknown.values()):,}", _in_groups(unknown))
    console().print(shown)


def _in_groups(groups: dict[str, int]) -> str:
    return ", ".join(f"{group} {count:,}" for group, count in groups.items())


# ---- how far it is -------------------------------------------------------------------------------


def progress_json(progress: Progress) -> dict[str, Any]:
    """For --json."""
    return {
        "id": progress.id, "known": True, "open": progress.open, "affected": progress.affected,
        **{name: getattr(progress, name) for name in _PARTS},
        "effectiveness": progress.effectiveness,
        "unresolved": unresolved_json(progress.unresolved),
    }  # fmt: skip


def tell_progress(progress: Progress, file: RecallFile) -> None:
    """How far a recall has come."""
    _tell_head(file)
    shown = table(header=False)
    shown.add_column(no_wrap=True)
    shown.add_column(justify="right", no_wrap=True)
    shown.add_column(style="dim", overflow="fold")
    told = "1 party was told" if len(file.told) == 1 else f"{len(file.told):,} parties were told"
    words = {
        "reached": f"all but what is outstanding with who was not told; {told}",
        "locked": "in stock, and refused to be sold",
        "returned": "came back since it was opened",
        "destroyed": "",
        "outstanding": "on the way, in stores, with buyers, abroad, or not found",
    }  # fmt: skip
    shown.add_row("affected", f"{progress.affected:,}", "")
    for name in _PARTS:
        shown.add_row(f"  {name}", f"{getattr(progress, name):,}", words[name])
    share = progress.effectiveness
    # Rounded down: never to all of them while one is outstanding.
    percent = "-" if share is None else f"{int(1000 * share + 1e-9) / 10:.1f} %"
    shown.add_row("effectiveness", percent, "what is not outstanding")
    console().print(shown)
    tell_unresolved(progress.unresolved)


# ---- its steps -----------------------------------------------------------------------------------


def file_json(file: RecallFile) -> dict[str, Any]:
    """For --json."""
    opened = file.opened
    return {
        "id": file.id, "open": file.open, "phase": file.last.phase, "recall_class": opened.recall_class,
        "opened_on": opened.on.isoformat(), "reason": opened.reason, "affected_then": opened.affected,
        "criterion": criteria.to_json(file.criterion), "told": list(file.told),
        "steps": [
            {"entry": step.index, "receipt_time_ms": step.time, **step.value.mapping()} for step in file.steps
        ],
    }  # fmt: skip


def step_rows(files: tuple[RecallFile, ...]) -> Iterator[tuple[object, ...]]:
    """The steps of recalls, with the cells under STEPS_HEADER."""
    for file in files:
        for step, value in zip(file.steps, file.values, strict=True):
            which = None if value.criterion is None else criteria.in_words(value.criterion)
            said = (getattr(value, name) for name in STEPS_HEADER[:7])
            numbers = (getattr(value, name) for name in STEPS_HEADER[9:15])
            yield (*said, which, " ".join(value.parties), *numbers, step.index)


def tell_files(files: tuple[RecallFile, ...]) -> None:
    """All recalls, a line each."""
    if files:
        shown = table()
        shown.add_column("recall", style="bold", no_wrap=True)
        shown.add_column("class", no_wrap=True)
        shown.add_column("phase", no_wrap=True)
        shown.add_column("opened", no_wrap=True)
        shown.add_column("packs then", justify="right", no_wrap=True)
        shown.add_column("which", overflow="fold")
        for file in files:
            opened = file.opened
            shown.add_row(
                plain(file.id), str(opened.recall_class), file.last.phase, str(opened.on), f"{opened.affected or 0:,}",
                plain(criteria.in_words(file.criterion)),
            )  # fmt: skip
        console().print(shown)
    say(f"{counted(len(files), 'recall')}, {sum(file.open for file in files):,} open", "dim")


def _tell_head(file: RecallFile) -> None:
    state = styled("open", "warn") if file.open else "closed"
    say(f"{styled(plain(file.id), 'bold')}   class {file.opened.recall_class}   {state}")
    say_wrapped(plain(criteria.in_words(file.criterion)), 2)


def tell_file(file: RecallFile) -> None:
    """One recall, step by step."""
    _tell_head(file)
    for step, value in zip(file.steps, file.values, strict=True):
        say("│", "dim")
        say(
            f"{styled('•', 'good')} {value.on}  {styled(value.phase, 'bold')}  {styled(f'entry {step.index:,}', 'dim')}"
        )
        parts = [f"by {plain(value.by)}"]
        if value.authority is not None:
            parts.append(f"authority {plain(value.authority)}")
        if value.phase == "opened":
            parts.append(f"{counted(value.affected or 0, 'pack')} affected")
        if value.phase == "closed":
            names = ("locked", "returned", "destroyed", "outstanding")
            numbers = ", ".join(f"{getattr(value, name):,} {name}" for name in names)
            parts.append(f"{counted(value.affected or 0, 'pack')} affected: {numbers}")
        if value.parties:
            more = f" +{len(value.parties) - _MOST_PARTIES:,}" if len(value.parties) > _MOST_PARTIES else ""
            parts.append(f"told {', '.join(map(human, value.parties[:_MOST_PARTIES]))}{more}")
        lines = [plain(value.reason), " · ".join(parts)]
        if value.open_reason is not None:
            lines.append(f"closed all the same: {plain(value.open_reason)}")
        for line in lines:
            say(f"{styled('│', 'dim')}   {line}")
