"""Two checkpoints of one log, as two people were shown them: what they say of each other.

Of two sizes nobody can tell without more: a consistency proof, or the log itself. `Comparison.ask` says what to ask
for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise

from attrs import frozen

from tracechain import merkle
from tracechain.checkpoint import Checkpoint, VerifierKey, parse_checkpoint, parse_note
from tracechain.errors import InputError, ProofError
from tracechain.record import epoch_of
from tracechain.view import View
from tracechain.witnessing.logs import epochs_of, roots_at
from tracechain.witnessing.notes import Place, cosignatures, open_witnessed, place_of

__all__ = ["Comparison", "Head", "Relation", "compare", "open_head", "parting"]

_BLOCK = 4096


class Relation(StrEnum):
    """What two checkpoints of one log say of each other."""

    SAME = "same"
    EXTENDS = "extends"  # the larger one begins with the smaller one: proven
    FORK = "fork"  # the log key signed two histories
    ROLLBACK = "rollback"  # one extends the other, but the smaller one was shown later
    LOST = "lost"  # entries of the one were lost, and an epoch entry says so
    UNKNOWN = "unknown"


@frozen
class Head:
    """A checkpoint that somebody was shown, and when known witnesses cosigned it (s since 1970). `authentic`: the log's
    key was known, and its signature stands."""

    checkpoint: Checkpoint
    times: tuple[tuple[VerifierKey, int], ...] = ()
    authentic: bool = False
    wrong: tuple[str, ...] = ()

    @property
    def epoch(self) -> int:
        """The epoch in its origin."""
        return epoch_of(self.checkpoint.origin)

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.checkpoint.size


def open_head(note: str | bytes, log: VerifierKey | None, witnesses: Iterable[VerifierKey] = ()) -> Head:
    """Open a note that somebody was shown. CheckpointError where it is none, or not signed by the log's key, if that
    is known."""
    if log is None:
        parsed = parse_note(note)
        checkpoint = parse_checkpoint(parsed.text)
    else:
        parsed, checkpoint = open_witnessed(note, log)
    signed = cosignatures(parsed, witnesses)
    return Head(checkpoint, signed.times, log is not None, signed.wrong)


@frozen
class Comparison:
    """What was found. `words` says it of "the one of n entries"; `ask` is what would tell, where nothing could."""

    relation: Relation
    words: str
    ask: str | None = None

    def __bool__(self) -> bool:
        """Whether nothing is wrong, and that is shown."""
        return self.relation in (Relation.SAME, Relation.EXTENDS)


def compare(
    one: Head,
    other: Head,
    *,
    hashes: Sequence[bytes] | None = None,
    log: View | None = None,
    key: VerifierKey | None = None,
) -> Comparison:
    """What two checkpoints say of each other; `hashes` is a consistency proof from the smaller to the larger, `log`
    is the log itself as somebody has it, `key` its key, without which nobody checks the signature on its
    checkpoint.

    The order does not matter. InputError for checkpoints of different logs, by their origins.
    """
    a, b = sorted((one, other), key=lambda head: (head.epoch, head.size))
    if _base(a.checkpoint.origin) != _base(b.checkpoint.origin):
        raise InputError(f"{a.checkpoint.origin!r} and {b.checkpoint.origin!r} are two logs: nothing can be compared")
    if a.checkpoint == b.checkpoint:
        return Comparison(Relation.SAME, f"the same {a.size} entries")
    if a.epoch == b.epoch and a.size == b.size:
        return Comparison(Relation.FORK, f"two different trees of {a.size} entries: the log key signed both")
    found = None if log is None else _by_log(a, b, log, key)
    if found is None and hashes is not None:
        found = _by_proof(a, b, hashes)
    if found is not None:
        return found
    words = f"one is of {a.size} entries, the other of {b.size}: their roots alone do not tell"
    return Comparison(Relation.UNKNOWN, words, _what_to_ask(a, b))


def _base(origin: str) -> str:
    epoch = epoch_of(origin)
    return origin.removesuffix(f"/epoch/{epoch}") if epoch else origin


def _what_to_ask(a: Head, b: Head) -> str:
    if a.epoch == b.epoch or a.size < b.size:
        return (
            f"a consistency proof from {a.size} to {b.size} entries, or the log or a whole bundle of at least {b.size}"
        )
    return f"the log or a whole bundle of at least {b.size} entries of epoch {b.epoch}, with its epoch entries"


def _extends(a: Head, b: Head) -> Comparison:
    shown_later = a.times and b.times and min(t for _, t in a.times) > max(t for _, t in b.times)
    if shown_later:
        words = (
            f"the one of {a.size} entries was cosigned only after the one of {b.size}, which extends it: somebody was"
            " shown an older state, or its request was long on its way"
        )
        return Comparison(Relation.ROLLBACK, words)
    return Comparison(Relation.EXTENDS, f"the one of {b.size} entries extends the one of {a.size}")


def _by_proof(a: Head, b: Head, hashes: Sequence[bytes]) -> Comparison:
    if a.size > b.size:
        words = f"the one of epoch {b.epoch} has fewer entries than that of epoch {a.epoch}: a proof cannot tell"
        return Comparison(Relation.UNKNOWN, words, _what_to_ask(a, b))
    try:
        merkle.check_consistency(a.size, a.checkpoint.root, b.size, b.checkpoint.root, hashes)
    except ProofError as error:
        words = f"the proof does not show it ({error}); if no other does, it is a fork"
        return Comparison(Relation.UNKNOWN, words, _what_to_ask(a, b))
    return _extends(a, b)


def _by_log(a: Head, b: Head, log: View, key: VerifierKey | None) -> Comparison | None:
    """What the log tells, `a` being the earlier one by epoch and size; None where it tells nothing."""
    own = open_head(log.checkpoint, key).checkpoint
    if _base(own.origin) != _base(a.checkpoint.origin):
        raise InputError(f"what was given to compare them with is of {own.origin!r}, not of {a.checkpoint.origin!r}")
    roots = roots_at(log, {size for size in (a.size, b.size, log.size) if size <= log.size})
    if roots.get(log.size) != own.root or own.size != log.size:
        raise InputError("what was given to compare them with is not what its own checkpoint signs: verify it first")
    epochs = epochs_of(log) if epoch_of(own.origin) else ()
    places = [place_of(head.checkpoint, log.size, epochs) for head in (a, b)]
    held = [
        place is Place.HELD and roots[head.size] == head.checkpoint.root
        for place, head in zip(places, (a, b), strict=True)
    ]
    for place, good, head in zip(places, held, (a, b), strict=True):
        if place is Place.FORK or (place is Place.HELD and not good):
            words = f"the log that was given for comparison, of {log.size} entries, is not the one of {head.size}"
            return Comparison(Relation.FORK, f"{words}: the log key signed both")
    if all(held):
        return _extends(a, b)
    if Place.LOST in places and Place.AHEAD not in places:
        lost = a if places[0] is Place.LOST else b
        words = f"entries of the one of {lost.size} were lost when a backup was put back, and the log says so"
        return Comparison(Relation.LOST, words)
    return None


def parting(one: View, other: View) -> int | None:
    """The index of the first entry in which two logs differ; None if the shorter one is the beginning of the other."""
    stop = min(one.size, other.size)
    bounds = [*range(0, stop, _BLOCK), stop]
    for start, end in pairwise(bounds):
        here, there = dict(one.headers(start, end)), dict(other.headers(start, end))
        if here != there:
            return next(index for index in range(start, end) if here.get(index) != there.get(index))
    return None
