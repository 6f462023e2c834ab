"""`tracechain verify` of a bundle: a whole log in one, or an excerpt with what it shows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from tracechain.cli.entries import human
from tracechain.cli.output import bar, counted, moment, plain, print_json, say, styled
from tracechain.cli.subjects import state_words
from tracechain.cli.verify import report_json, tell_report, with_rules

if TYPE_CHECKING:
    from tracechain.bundle.checking import BundleReport
    from tracechain.bundle.shown import Shown
    from tracechain.checkpoint import VerifierKey
    from tracechain.verification import Report

__all__ = ["verify_bundle"]

_LISTED = 50


def verify_bundle(path: Path, *, verifier: VerifierKey | None, rules: bool, as_json: bool, **asked: Any) -> int:
    """Check a bundle, tell what came out, and give the exit code: 1 without a key too, as authenticity was not
    checked. `asked` is what `bundle.check.check_bundle` takes; `rules` has a whole log judged again."""
    from tracechain.bundle.check import check_bundle
    from tracechain.bundle.view import open_whole
    from tracechain.verification import verify_rules
    from tracechain.verification.findings import RULES

    begun = time.monotonic()
    with bar("verifying") as shown:
        found = check_bundle(path, verifier=verifier, progress=shown.update, **asked)
    report = _as_report(found)
    if rules and found.log is not None:
        with bar("judging again") as shown, open_whole(path) as view:
            report = with_rules(report, verify_rules(view, index=False, progress=shown.update))
    seconds = time.monotonic() - begun
    notes = [f"{one} (--rules)" if one == RULES and found.kind == "whole" else one for one in report.notes]
    if asked["retention"] is not None and found.kind != "whole":
        notes.insert(0, "the retention policy was not asked: what went lawfully, only the whole log tells")
    if as_json:
        said = report_json(path, report, verifier, notes, seconds, rules=rules)
        print_json({"bundle": said.pop("ledger"), **_head_json(found), **said, **_shown_json(found)})
    else:
        say(f"{_KINDS[found.kind]}, exported {moment(found.manifest.exported)}", "dim")
        tell_report(report, verifier, notes, seconds)
        if found.disclosures:
            say(f"  {counted(found.disclosures, 'private value')} shown")
        if found.shown is not None:
            _tell_shown(found.shown)
    return 0 if report and verifier is not None else 1


_KINDS = {"whole": "a whole log", "excerpt": "an excerpt from a log", "absence": "a proof of absence"}


def _as_report(found: BundleReport) -> Report:
    """What was found, as of a ledger."""
    from tracechain.verification import Report

    if found.log is not None:
        return evolve(found.log, findings=found.findings, beyond=found.beyond, notes=found.notes)
    return Report(
        found.findings, found.size, found.entries, found.rows, found.statements, found.units, found.checkpoint,
        found.notes, found.beyond, found.verifier, witnessed=found.witnessed,
    )  # fmt: skip


def _head_json(found: BundleReport) -> dict[str, Any]:
    return {
        "kind": found.kind, "exported_ms": found.manifest.exported, "asked": list(found.manifest.asked),
        "disclosures": found.disclosures,
    }  # fmt: skip


def _shown_json(found: BundleReport) -> dict[str, Any]:
    shown = found.shown
    if shown is None:
        return {}
    seal = shown.seal
    return {
        "seal": None if seal is None else {
            "index": seal.index, "receipt_time_ms": seal.time, "size": seal.body.size, "ids": seal.body.ids,
            "map_root": seal.body.map_root.hex(), "auditors": [one.name for one in shown.auditors],
        },
        "histories": [
            {"subject": one.subject, "entries": list(one.entries), "state": state_words(one.state, one.subject),
             "behind_the_seal": one.behind, "complete_from": one.cut} for one in shown.histories
        ],
        "incomplete": list(shown.incomplete),
        "absent": list(shown.absent),
        "extends": shown.extends,
    }  # fmt: skip


def _tell_shown(shown: Shown) -> None:
    if shown.seal is None:
        say("  there is no seal: nothing here says that a history is complete, or that a code is absent", "warn")
    else:
        body = shown.seal.body
        signed = "".join(f", and by {plain(one.name)}" for one in shown.auditors)
        say(f"  complete to {body.size:,} entries, at {moment(shown.seal.time)}, as asserted by the ledger{signed}")
    for one in shown.histories[:_LISTED]:
        behind = f", {one.behind:,} behind the seal" if one.behind else ""
        cut = "" if one.cut is None else f", from entry {one.cut:,} on"
        count = "1 entry" if len(one.entries) == 1 else f"{len(one.entries):,} entries"
        state = state_words(one.state, one.subject)
        say(f"  {styled(human(one.subject), 'bold')}   {state}   {count}{cut}{behind}")
    for subject in shown.incomplete[:_LISTED]:
        say(f"  {styled(human(subject), 'bold')}   {styled('NOT COMPLETE', 'bad')}")
    for code in shown.absent[:_LISTED]:
        say(f"  {styled(human(code), 'bold')}   was not in the ledger")
    more = sum(max(0, len(one) - _LISTED) for one in (shown.histories, shown.incomplete, shown.absent))
    if more:
        say(f"  and {more:,} more (--json)", "dim")
