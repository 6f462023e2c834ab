"""Witnessed notes: who cosigned a checkpoint, when, and whether they are enough (docs/format.md section 10.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise

from attrs import frozen

from tracechain.checkpoint import (
    Checkpoint,
    Note,
    VerifierKey,
    open_checkpoint,
    parse_note,
    verify_line,
)
from tracechain.errors import CheckpointError
from tracechain.record import EpochRecord, epoch_of
from tracechain.witnessing.policy import WitnessPolicy

__all__ = [
    "Bracket", "Cosignatures", "Place", "Sufficient", "brackets", "cosignatures", "enough", "is_origin",
    "open_witnessed", "place_of", "sufficient",
]  # fmt: skip


def is_origin(origin: str, log: VerifierKey) -> bool:
    """Whether a checkpoint's origin is that of the log with this key, in whichever epoch (format.md section 5.5)."""
    epoch = epoch_of(origin)
    return origin == (f"{log.name}/epoch/{epoch}" if epoch else log.name)


def open_witnessed(data: str | bytes, log: VerifierKey) -> tuple[Note, Checkpoint]:
    """Open a note as a checkpoint of the log with this key: well-formed, without extension lines, signed by it, of its
    origin in some epoch. CheckpointError. Cosignatures are not looked at."""
    note = parse_note(data)
    checkpoint = open_checkpoint(data, log)
    if checkpoint.extensions:
        raise CheckpointError("the checkpoint has extension lines, which this format does not know")
    if not is_origin(checkpoint.origin, log):
        raise CheckpointError(f"the checkpoint is of {checkpoint.origin!r}, not of {log.name!r} in any epoch")
    return note, checkpoint


@frozen
class Cosignatures:
    """Of some known witnesses, when each cosigned a note (s since 1970); and what is wrong with lines of others."""

    times: tuple[tuple[VerifierKey, int], ...]
    wrong: tuple[str, ...] = ()


def cosignatures(note: Note, witnesses: Iterable[VerifierKey]) -> Cosignatures:
    """The cosignatures of known witnesses that count: their key signed the note once, and the signature stands.

    In the order of the lines. Lines of unknown keys are passed over.
    """
    known = {(one.name, one.key_id): one for one in witnesses}
    lines = Counter((line.name, line.key_id) for line in note.signatures)
    times: list[tuple[VerifierKey, int]] = []
    wrong: dict[str, None] = {}
    for line in note.signatures:
        witness = known.get((line.name, line.key_id))
        if witness is None:
            continue
        if lines[line.name, line.key_id] > 1:
            wrong[f"witness {witness.name} has {lines[line.name, line.key_id]} lines in it: none of them counts"] = None
            continue
        try:
            verified = verify_line(note.text, line, witness)
        except CheckpointError:
            wrong[f"the cosignature of witness {witness.name} does not stand"] = None
            continue
        assert verified.time is not None, "a policy has keys of witnesses only"
        times.append((witness, verified.time))
    return Cosignatures(tuple(times), tuple(wrong))


@frozen
class Sufficient:
    """A note of `size` entries that is cosigned as a policy asks.

    `by_s`: when the quorum had cosigned it, so its entries were there by then. `from_s`: until when a quorum still
    cosigned it, so nothing behind it was shown to them before. Both in seconds since 1970. `times`: who cosigned when.
    """

    size: int
    by_s: int
    from_s: int
    times: tuple[tuple[VerifierKey, int], ...] = ()


def sufficient(data: str | bytes, log: VerifierKey, policy: WitnessPolicy) -> Sufficient | None:
    """Whether a note is cosigned as the policy asks; None if not. That its tree is that of a log, its caller checks.

    CheckpointError for what is no checkpoint of the log with this key.
    """
    note, checkpoint = open_witnessed(data, log)
    return enough(checkpoint, cosignatures(note, policy.verifiers), policy)


def enough(checkpoint: Checkpoint, signed: Cosignatures, policy: WitnessPolicy) -> Sufficient | None:
    """The same of a note that was opened."""
    times = policy.times(dict(signed.times))
    return None if times is None else Sufficient(checkpoint.size, *times, signed.times)


# ---- where a checkpoint stands in a log ------------------------------------------------------------


class Place(StrEnum):
    """How a checkpoint can be held against a log."""

    HELD = "held"  # the log at its size has to have its root
    AHEAD = "ahead"  # it is of more entries than the log has
    LOST = "lost"  # of entries that were lost when an epoch began
    FORK = "fork"  # the log was never of that epoch at that size


def place_of(checkpoint: Checkpoint, size: int, epochs: Sequence[tuple[int, EpochRecord]]) -> Place:
    """Where a checkpoint of a log stands in one of `size` entries with these epoch entries (index, record).

    format.md section 5.5: one of an earlier epoch is still held against the log, up to what was kept.
    """
    epoch = epoch_of(checkpoint.origin)
    later = [begun for _, begun in epochs if begun.epoch > epoch and begun.size < checkpoint.size]
    if later:
        return Place.LOST if checkpoint.size <= later[0].lost_end else Place.FORK
    there = max((begun.epoch for index, begun in epochs if index < checkpoint.size), default=0)
    if there != epoch:
        return Place.FORK
    return Place.AHEAD if checkpoint.size > size else Place.HELD


# ---- between which times entries came ----------------------------------------------------------------


@frozen
class Bracket:
    """Entries `start` to `stop` - 1 came between these two witnessed times (s since 1970): `after_s` is the latest at
    which a quorum had not been shown them, `before_s` the earliest at which a quorum had. None: nobody says."""

    start: int
    stop: int
    after_s: int | None
    before_s: int | None


def brackets(notes: Iterable[Sufficient], size: int) -> tuple[Bracket, ...]:
    """What sufficient notes of one log of `size` entries say of when its entries came: every entry in one bracket."""
    ordered = sorted((note for note in notes if note.size <= size), key=lambda note: note.size)
    bounds = sorted({0, size, *(note.size for note in ordered)})
    befores: dict[int, int] = {}
    earliest: int | None = None
    for note in reversed(ordered):
        earliest = note.by_s if earliest is None else min(earliest, note.by_s)
        befores[note.size] = earliest
    found: list[Bracket] = []
    after: int | None = None
    at = 0
    for start, stop in pairwise(bounds):
        while at < len(ordered) and ordered[at].size <= start:
            after = ordered[at].from_s if after is None else max(after, ordered[at].from_s)
            at += 1
        found.append(Bracket(start, stop, after, befores.get(stop)))
    return tuple(found)
