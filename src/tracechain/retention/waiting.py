"""How long something has stood in a log: a pruning that was announced, a policy (docs/format.md section 5.10).

Receipt times are the ledger's own word. So a gap between neighbouring entries counts for two days at most, and the jump
of a clock record not at all: whoever sets a clock forward gains little by it, and has to fill the time with entries
that anybody can see. Where the policy names witnesses, it is their cosignatures that count instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from tracechain import merkle
from tracechain.checkpoint import open_note, parse_checkpoint, parse_vkey
from tracechain.entry import EntryType
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.retention.dates import MS_PER_DAY
from tracechain.retention.policy import Policy
from tracechain.view import View, ViewNodes

__all__ = ["WAIT_GAP", "kept_notes", "waited_ms", "witnessed_ms"]

#: What a gap between two entries counts for at most (ms).
WAIT_GAP = 2 * MS_PER_DAY


def waited_ms(view: View, start: int, stop: int | None = None, now: int | None = None) -> int:
    """Milliseconds that went by from entry `start` to entry `stop`, as they count; without `stop` to the end of the
    log, and on to `now` (ms since 1970) if that is given."""
    end = view.size if stop is None else min(stop + 1, view.size)
    first = view.header(start)
    if first is None:
        raise DataError(f"entry {start}: its header is missing; verify the log")
    waited, before = 0, int.from_bytes(first[8:16], "big")
    for _, header in view.headers(start + 1, end):
        time = int.from_bytes(header[8:16], "big")
        if time > before:
            if header[4] != EntryType.CLOCK:
                waited += min(time - before, WAIT_GAP)
            before = time
    if stop is None and now is not None and now > before:
        waited += min(now - before, WAIT_GAP)
    return waited


def witnessed_ms(view: View, announced_last: int, notes: Sequence[bytes], policy: Policy) -> int:
    """Milliseconds between two cosigned notes: in the first, which covers the entry `announced_last`, a quorum of the
    policy's witnesses had seen what was announced; at the second, a quorum says that it is later.

    InputError where the notes do not show it: there are not two, one is of another log, or too few witnesses signed.
    """
    if len(notes) != 2:
        raise InputError(
            f"the policy measures the waiting time by witnesses: give two cosigned notes (witnessed=), not {len(notes)}"
        )
    sizes, times = [], []
    for what, note in zip(("first", "second"), notes, strict=True):
        try:
            text, seen = _seen(note, policy)
            checkpoint = parse_checkpoint(text)
        except CheckpointError as error:
            raise InputError(f"the {what} note does not show how long was waited: {error}") from error
        if not announced_last < checkpoint.size <= view.size:
            raise InputError(
                f"the {what} note is over {checkpoint.size} entries: it has to cover entry {announced_last}, by which"
                f" the pruning was announced, and the log has {view.size}"
            )
        if merkle.tree_root(ViewNodes(view), checkpoint.size) != checkpoint.root:
            raise InputError(f"the {what} note is of another log than this, or of a fork of it")
        if len(seen) < policy.quorum:
            raise InputError(
                f"{len(seen)} witnesses of the policy cosigned the {what} note, it demands {policy.quorum}"
            )
        sizes.append(checkpoint.size)
        times.append(seen)
    if sizes[1] < sizes[0]:
        raise InputError("the second note is over fewer entries than the first: give the older one first")
    return max(times[1][-policy.quorum] - times[0][policy.quorum - 1], 0) * 1000


def kept_notes(view: View, announced_last: int, policy: Policy) -> tuple[bytes, ...]:
    """Of the witnessed notes that are kept beside the log, the two between which the most time passed; fewer where no
    two will do. For `witnessed_ms`."""
    found: list[tuple[int, int, int, bytes]] = []
    for size, note in view.witnessed():
        with contextlib.suppress(CheckpointError):  # one that nobody has to believe shows nothing
            _, seen = _seen(note, policy)
            if size > announced_last and len(seen) >= policy.quorum:
                found.append((seen[policy.quorum - 1], size, seen[-policy.quorum], note.encode()))
    if not found:
        return ()
    _, least, _, first = min(found)
    second = max((one for one in found if one[1] >= least), key=lambda one: one[2])[3]
    return (first, second)


def _seen(note: bytes | str, policy: Policy) -> tuple[str, list[int]]:
    """The text of a note, and when witnesses of the policy signed it (s since 1970), ascending. CheckpointError for a
    note that none of them signed, or where one of their lines does not stand."""
    opened = open_note(note, [parse_vkey(one) for one in policy.witnesses])
    return opened.text, sorted(one.time for one in opened.verified if one.time is not None)
