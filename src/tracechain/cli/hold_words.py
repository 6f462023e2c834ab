"""What keeps a ledger from pruning, in words, tables and JSON: holds, and what is one by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from attrs import frozen

from tracechain import criteria
from tracechain.cli.entries import human
from tracechain.cli.output import console, counted, plain, say, say_wrapped, styled, table
from tracechain.registers import HoldStep

if TYPE_CHECKING:
    from tracechain.pilot import CaseFile, Version
    from tracechain.recall import RecallFile

__all__ = ["Found", "found_json", "hold_json", "tell_found", "tell_one", "tell_step"]

_MOST_IDS = 3


@frozen
class Found:
    """A hold, a recall or a case (`kind`): its id, its latest phase, whether it stands, since when and until when, who
    ordered it, what it covers (`about` ids, `criterion`, `case`), and its records."""

    kind: str
    id: str
    phase: str
    stands: bool
    since: date
    until: date | None
    authority: str
    reason: str
    about: tuple[str, ...]
    criterion: criteria.Criterion | None
    case: str | None
    steps: tuple[Version, ...]

    @classmethod
    def of_hold(cls, name: str, steps: tuple[Version, ...], today: date) -> Found:
        """From its records; `today` says whether its last day is over."""
        values = [step.value for step in steps if isinstance(step.value, HoldStep)]
        first, last = values[0], values[-1]
        until = next((one.until for one in reversed(values) if one.until is not None), None)
        stands = last.phase != "released" and (until is None or until >= today)
        phase = "ended" if not stands and last.phase != "released" else last.phase
        return cls(
            "hold", name, phase, stands, first.on, until, first.authority or first.by, first.reason, first.about,
            first.criterion, first.case, steps,
        )  # fmt: skip

    @classmethod
    def of_recall(cls, file: RecallFile) -> Found:
        """A recall, which holds what its criterion covers while it is open."""
        opened = file.opened
        return cls(
            "recall", file.id, file.last.phase, file.open, opened.on, None, opened.authority or opened.by,
            opened.reason, (), file.criterion, None, file.steps,
        )  # fmt: skip

    @classmethod
    def of_case(cls, file: CaseFile) -> Found:
        """A case, which holds what it is about while it is open."""
        first: Any = file.steps[0].value
        return cls(
            "case", file.id, file.last.phase, file.open, first.on, None, first.authority or first.by, first.text,
            file.about, None, None, file.steps,
        )  # fmt: skip

    @property
    def covers(self) -> str:
        """What it covers, in words."""
        return covered(self.about, self.criterion, self.case)


def covered(about: Sequence[str], criterion: criteria.Criterion | None, case: str | None) -> str:
    """What a hold covers, in words."""
    parts = [] if criterion is None else [plain(criteria.in_words(criterion))]
    if about:
        more = f" +{len(about) - _MOST_IDS:,}" if len(about) > _MOST_IDS else ""
        parts.append(", ".join(map(human, about[:_MOST_IDS])) + more)
    if case is not None:
        parts.append(f"what case {plain(case)} is about")
    return "; ".join(parts)


# ---- one step ------------------------------------------------------------------------------------


def hold_json(step: HoldStep) -> dict[str, Any]:
    """A step for --json."""
    return {name: value for name, value in step.mapping().items() if value is not None}


def tell_step(step: HoldStep, index: int) -> None:
    """What was recorded."""
    ident = plain(step.id)
    match step.phase:
        case "placed":
            end = "until it is released" if step.until is None else f"until {step.until}"
            say(f"{styled('✓', 'good')} hold {ident} is placed, entry {index:,}, {end}")
            say_wrapped(covered(step.about, step.criterion, step.case), 2)
        case "extended":
            say(f"{styled('✓', 'good')} hold {ident} is extended to {step.until}, entry {index:,}")
        case _:
            say(f"{styled('✓', 'good')} hold {ident} is released, entry {index:,}")


# ---- lists ---------------------------------------------------------------------------------------


def found_json(one: Found) -> dict[str, Any]:
    """For --json."""
    return {
        "kind": one.kind, "id": one.id, "phase": one.phase, "stands": one.stands, "since": one.since.isoformat(),
        "until": None if one.until is None else one.until.isoformat(), "authority": one.authority,
        "reason": one.reason, "about": list(one.about),
        "criterion": None if one.criterion is None else criteria.to_json(one.criterion), "case": one.case,
        "steps": [
            {"entry": step.index, "receipt_time_ms": step.time, **step.value.mapping()} for step in one.steps
        ],
    }  # fmt: skip


def tell_found(found: Sequence[Found], day: date) -> None:
    """A line each."""
    if found:
        shown = table()
        shown.add_column("", no_wrap=True)
        shown.add_column("id", style="bold", no_wrap=True)
        shown.add_column("phase", no_wrap=True)
        shown.add_column("since", no_wrap=True)
        shown.add_column("until", no_wrap=True)
        shown.add_column("ordered by", overflow="fold")
        shown.add_column("covers", overflow="fold")
        for one in found:
            until = "" if one.until is None else str(one.until)
            shown.add_row(
                one.kind, plain(one.id), one.phase, str(one.since), until, plain(one.authority), one.covers,
                style="" if one.stands else "dim",
            )  # fmt: skip
        console().print(shown)
    stand = sum(one.stands for one in found)
    kinds = ", ".join(
        counted(sum(one.stands and one.kind == kind for one in found), kind) for kind in ("hold", "recall", "case")
    )
    say(f"{stand:,} {'stands' if stand == 1 else 'stand'} on {day}: {kinds}", "dim")


def tell_one(one: Found) -> None:
    """One of them, step by step."""
    state = styled("stands", "warn") if one.stands else "has ended"
    say(f"{one.kind} {styled(plain(one.id), 'bold')}   {state}")
    say_wrapped(one.covers, 2)
    for step in one.steps:
        value: Any = step.value
        say("│", "dim")
        say(
            f"{styled('•', 'good')} {value.on}  {styled(value.phase, 'bold')}  {styled(f'entry {step.index:,}', 'dim')}"
        )
        parts = [f"by {plain(value.by)}"]
        parts += [
            f"{what} {plain(said)}"
            for what in ("authority", "until")
            if (said := getattr(value, what, None)) is not None
        ]  # fmt: skip
        text = getattr(value, "reason", None) or getattr(value, "text", "")
        for line in (plain(text), " · ".join(parts)):
            say(f"{styled('│', 'dim')}   {line}")
