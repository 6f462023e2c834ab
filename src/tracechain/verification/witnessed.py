"""Witnesses: the notes that were cosigned, held against the log, and receipt times against them (docs/format.md
section 10.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracechain.checkpoint import Checkpoint, VerifierKey, parse_note
from tracechain.entry import HEADER_SIZE
from tracechain.errors import CheckpointError
from tracechain.record import EpochRecord
from tracechain.verification.findings import Code, Findings, Witnessed
from tracechain.view import View
from tracechain.witnessing import (
    Bracket,
    Place,
    Sufficient,
    WitnessPolicy,
    brackets,
    cosignatures,
    enough,
    open_witnessed,
    place_of,
    roots_at,
)

__all__ = ["LATE", "check_witnessed", "hold_notes"]

#: How much later than a cosignature an entry under it may say it was received (s): clocks differ.
LATE = 600
_CHUNK = 4096
Epochs = Sequence[tuple[int, EpochRecord]]


def check_witnessed(
    findings: Findings,
    view: View,
    log: VerifierKey | None,
    checkpoint: Checkpoint | None,
    epochs: Epochs,
    policy: WitnessPolicy | None,
) -> tuple[Witnessed | None, list[str]]:
    """Hold the witnessed notes of a log against it, and its receipt times against them.

    `checkpoint` is the log's own if that is one of this log, None otherwise; `log` its key. Notes are held against the
    log also without a policy; then the first result is None. The second is what has to be said beside findings.
    """
    asked = policy if policy is not None and policy.demands else None
    opened = [] if log is None else list(_opened(findings, view, log))
    known = roots_at(view, (one.size for _, one in opened if one.size <= view.size))
    good, notes = hold_notes(findings, opened, view.size, epochs, known)
    if asked is None:
        return None, notes
    if log is not None and checkpoint is not None:
        good.append((view.checkpoint, checkpoint))
    found: list[Sufficient] = []
    for text, one in good:
        signed = cosignatures(parse_note(text), asked.verifiers)
        for words in signed.wrong:
            findings.add(Code.WITNESS_SIGNATURE, None, f"the note of {one.size} entries: {words}")
        note = enough(one, signed, asked)
        if note is not None:
            found.append(note)
    found.sort(key=lambda note: note.size)
    if not found:
        findings.add(Code.WITNESS_QUORUM, None, f"no checkpoint of this log is cosigned by {asked.words()}")
    runs = brackets(found, view.size)
    early = tuple(_check_times(findings, view, run) for run in runs)
    behind = view.size - found[-1].size if found else view.size
    if found and behind:
        notes.append(
            f"{behind} entries behind the largest cosigned checkpoint, of {found[-1].size}, are not witnessed yet"
        )
    if sum(early):
        notes.append(
            f"{sum(early)} entries say they were received before witnesses signed a checkpoint without them: which may"
            " have been on its way"
        )
    return Witnessed(asked.words(), tuple(found), runs, early, behind), notes


def _opened(findings: Findings, view: View, log: VerifierKey) -> Iterable[tuple[str, Checkpoint]]:
    for size, text in view.witnessed():
        try:
            _, checkpoint = open_witnessed(text, log)
            if checkpoint.size != size:
                raise CheckpointError(f"it is of {checkpoint.size} entries")
        except CheckpointError as error:
            findings.add(Code.WITNESS_SIGNATURE, None, f"the witnessed note of {size} entries does not count: {error}")
        else:
            yield text, checkpoint


def hold_notes(
    findings: Findings,
    opened: Iterable[tuple[str, Checkpoint]],
    size: int,
    epochs: Epochs,
    roots: dict[int, bytes],
) -> tuple[list[tuple[str, Checkpoint]], list[str]]:
    """Hold notes that were opened against a log of `size` entries with these roots; those that are of it, and what is
    said of others. Where a root is not known the log has a hole, which is found elsewhere: it shows nothing."""
    good: list[tuple[str, Checkpoint]] = []
    notes: list[str] = []
    for text, one in opened:
        match place_of(one, size, epochs):
            case Place.HELD if one.size not in roots:
                notes.append(f"the witnessed note of {one.size} entries could not be held against the log")
            case Place.HELD if roots[one.size] == one.root:
                good.append((text, one))
            case Place.HELD:
                words = f"the first {one.size} entries are not those that the log signed and witnesses saw"
                findings.add(Code.FORK, None, words)
            case Place.FORK:
                words = (
                    f"a witnessed note of {one.size} entries is of {one.origin}, which this log never was at that size"
                )
                findings.add(Code.FORK, None, words)
            case Place.AHEAD:
                words = f"{size} entries, but witnesses saw {one.size} that the log signed: it was rolled back"
                findings.add(Code.ROLLBACK, None, words)
            case Place.LOST:
                notes.append(f"the witnessed note of {one.size} entries signs some that were lost with a backup")
    return good, notes


def _check_times(findings: Findings, view: View, run: Bracket) -> int:
    """Hold the receipt times of a run of entries against what witnesses say; how many of them are early."""
    latest = None if run.before_s is None else (run.before_s + LATE) * 1000
    earliest = None if run.after_s is None else run.after_s * 1000
    early = 0
    if latest is None and earliest is None:
        return 0
    for start in range(run.start, run.stop, _CHUNK):
        here = view.headers(start, min(start + _CHUNK, run.stop))
        times = [(index, int.from_bytes(raw[8:16], "big")) for index, raw in here if len(raw) == HEADER_SIZE]
        if earliest is not None:
            early += sum(time < earliest for _, time in times)
        if latest is not None:
            for index, time in times:
                if time > latest:
                    seconds = (time - latest) // 1000 + LATE
                    words = f"it says it was received {seconds} s after witnesses had signed that it was there"
                    findings.add(Code.WITNESS_TIME, index, words)
    return early
