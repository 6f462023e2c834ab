"""The history of one unit as a page: where it is, by which way it came, and every step with its proof.

What would make the history look better than it is (what does not verify, what could not be resolved, what it was
before) stands above all else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from attrs import frozen

from tracechain.custody import Violation, unpack_state
from tracechain.errors import InputError
from tracechain.report import catalogue
from tracechain.report.catalogue import FINDINGS, Both, both, known
from tracechain.report.escaping import visible
from tracechain.report.pages import check_language, render
from tracechain.report.way import Sighting, draw, kind_of
from tracechain.report.words import (
    Detail,
    Name,
    Names,
    act_words,
    clock_time,
    details,
    moment,
    state_words,
    step_words,
)
from tracechain.tracing import Step, Trace, Unresolved, Whereabouts
from tracechain.tracing.tracer import PROVED
from tracechain.verification import Finding
from tracechain.verification.findings import NO_KEY, RULES, UNWITNESSED

__all__ = ["timeline_page"]

_MOST_STEPS = 20_000
_MOST_LISTED = 50  # findings, unresolved: above the steps only so many one by one
_REGISTER = "urn:tracechain:"  # what is registered has versions and no custody
#: Notes that are known by heart, by what they say: there is Chinese for them.
NOTES = {NO_KEY: "note.NO_KEY", UNWITNESSED: "note.UNWITNESSED", RULES: "note.RULES", PROVED: "note.PROVED"}


@frozen
class _Row:
    """A step as the page shows it."""

    at: int
    step: Step
    words: Both
    time: str
    received: str
    place: Name | None
    via: tuple[Name, ...]
    subject: Name
    author: Name | None
    state: Both | None
    violations: tuple[tuple[str, Both], ...]
    findings: tuple[tuple[str, Both], ...]
    details: tuple[Detail, ...]
    kind: str


def timeline_page(
    trace: Trace,
    whereabouts: Whereabouts,
    *,
    names: Mapping[str, str] = MappingProxyType({}),
    made_at: int,
    language: str = "en",
) -> str:
    """One self-contained HTML page of the history of a subject, in both languages; it shows `language` first.

    `names` are readable names of places, parties, products and authors by id (an author's is its key id in
    hexadecimal);
    none of buyers is taken. `made_at` is in milliseconds since 1970 UTC, and shown in Beijing time. InputError for a
    language that there is not, or for whereabouts of another subject.
    """
    chosen = check_language(language)
    if trace.subject != whereabouts.subject:
        raise InputError(
            f"the history is that of {trace.subject!r:.100}, the whereabouts are those of "
            f"{whereabouts.subject!r:.100}: ask both of one code"
        )
    called = Names(names)
    seen = [_sighting(at, step) for at, step in enumerate(trace.steps)]
    shown = seen[-_MOST_STEPS:]
    rows = [_row(one, trace.subject, called) for one in shown]
    subject = called.of(trace.subject)
    code = subject.id or subject.words[0]
    kinds = [row.kind for row in rows]
    return render(
        "timeline.html.j2", language=chosen, title=both("timeline.title", code=code), styles=("timeline.css",),
        scripts=("timeline.js",), data={}, made=moment(made_at), trace=trace, where=whereabouts, code=code,
        called=_title(trace.subject, called), names=called, state=_state(trace, whereabouts),
        verdict=_verdict(trace, seen), way=draw(seen, trace.stays, whereabouts.place, called), rows=rows,
        left_out=len(seen) - len(shown), shown_kinds={kind: kinds.count(kind) for kind in ("own", "container", "kin")},
        unresolved=_unresolved(trace.unresolved + whereabouts.unresolved, called),
        findings=_loose(trace), notes=[_note(note) for note in trace.notes],
        broken=sum(len(row.violations) for row in rows), most=_MOST_LISTED,
        seen_at=None if whereabouts.time is None else clock_time(whereabouts.time), at_of=_anchors(shown),
    )  # fmt: skip


def _sighting(at: int, step: Step) -> Sighting:
    event = step.event
    return Sighting(at, step, event, act_words(step.act) if event is None else step_words(event))


def _row(one: Sighting, subject: str, names: Names) -> _Row:
    step, event = one.step, one.event
    author = step.author.hex() if any(step.author) else None
    return _Row(
        at=one.at, step=step, words=one.words, time=clock_time(step.time, step.offset), received=moment(step.received),
        place=None if step.place is None else names.of(step.place), via=tuple(names.of(one) for one in step.via),
        subject=names.of(step.subject), author=None if author is None else names.of(author),
        # The row of a container tells the state of the container.
        state=None if step.relation == "container" or subject.startswith(_REGISTER) else state_words(step.state),
        violations=tuple((_code_name(code), catalogue.violation(code)) for code in step.violations),
        findings=tuple(_finding(one) for one in step.findings),
        details=() if event is None else tuple(details(event, step.subject if step.relation != "own" else subject,
        names)), kind=kind_of(step),
    )  # fmt: skip


def _code_name(code: int) -> str:
    try:
        return Violation(code).name
    except ValueError:
        return f"VIOLATION_{code}"


def _finding(one: Finding) -> tuple[str, Both]:
    detail = visible(one.detail)
    entry = ("", "") if one.index is None else both("page.index", index=f"{one.index:,}")
    words = "", FINDINGS.get(str(one.code), "")
    english, chinese = (" · ".join(filter(None, (*parts, detail))) for parts in zip(words, entry, strict=True))
    return str(one.code), (english, chinese)


def _loose(trace: Trace) -> list[tuple[str, Both]]:
    """The findings that no step has."""
    told = {finding for step in trace.steps for finding in step.findings}
    return [_finding(one) for one in trace.findings if one not in told]


def _unresolved(found: Sequence[Unresolved], names: Names) -> list[tuple[Both, Name, Unresolved, str]]:
    return [
        (known(f"unresolved.{one.kind}", visible(one.kind)), names.of(one.subject), one, visible(one.detail))
        for one in dict.fromkeys(found)
    ]


def _note(note: str) -> Both:
    key = NOTES.get(note)
    return (visible(note), visible(note)) if key is None else both(key)


def _title(subject: str, names: Names) -> str:
    """The name of the product that the subject is of, '' where none is given."""
    name = names.name(subject)
    if name is None:
        product = subject[:12] if subject.startswith("nmpa/") else subject[:17] if subject.startswith("01/") else ""
        name = names.name(product)
    return name or ""


@frozen
class _State:
    words: Both
    register: bool
    expires: str


def _state(trace: Trace, whereabouts: Whereabouts) -> _State | None:
    unit = whereabouts.unit or trace.unit
    if unit is None:
        return None
    try:
        expiry = unpack_state(unit.state).expiry
    except InputError:
        expiry = None
    return _State(
        state_words(unit.state),
        register=trace.subject.startswith(_REGISTER),
        expires="" if expiry is None else expiry.isoformat(),
    )


def _verdict(trace: Trace, seen: Sequence[Sighting]) -> tuple[str, str, dict[str, int]]:
    """(good or bad, text, values): whether the steps verify."""
    bad = sum(1 for one in seen if one.step.findings)
    if bad:
        return "bad", "timeline.bad", {"n": bad, "all": len(seen)}
    if trace.findings:
        return "bad", "timeline.bad_log", {}
    return "good", "timeline.good", {"n": len(seen)}


def _anchors(shown: Sequence[Sighting]) -> dict[int, int]:
    """Where the step of an entry stands, for links."""
    return {one.step.index: one.at for one in shown}
