"""What people ask about: a code in any spelling, the ones that were perhaps meant, and states in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from tracechain import custody, identifiers
from tracechain.cli.entries import human
from tracechain.cli.output import plain, say, styled
from tracechain.errors import InputError, TracechainError

if TYPE_CHECKING:
    from tracechain.tracing import Unresolved
    from tracechain.view import View

__all__ = ["canonical", "named", "perhaps_meant", "state_words", "tell_unknown", "tell_unresolved", "unresolved_json"]

_MOST_SEARCHED = 2_000_000  # ids looked through for one that was perhaps meant
_MOST_TOLD = 20


def canonical(code: str) -> str:
    """The canonical id of a code in any spelling; CodeError for what is none."""
    return code if code.startswith("urn:tracechain:") else identifiers.canonical(code)


def named(text: str) -> str:
    """An id in any spelling; what is no code (the id of a party) as it is."""
    try:
        return identifiers.canonical(text)
    except TracechainError:
        return text


def perhaps_meant(view: View, code: str) -> list[str]:
    """Known ids that an unknown one is near to: of the same product, or else of any."""
    head, _ = identifiers.split(code)

    def known(*, same: bool) -> Iterator[str]:
        for subject, _ in islice(view.units(), _MOST_SEARCHED):
            if not subject.startswith("urn:tracechain:") and subject.startswith(head) is same:
                yield subject

    return identifiers.nearest(code, known(same=True)) or identifiers.nearest(code, known(same=False))


def tell_unknown(subject: str, hints: list[str]) -> None:
    """Say that a code is not in the ledger, and which were perhaps meant."""
    say(f"{styled('?', 'warn')} {human(subject)} is not in this ledger")
    if hints:
        say("  perhaps one of these was meant:")
        for hint in hints:
            say(f"    {human(hint)}")


def state_words(number: int, subject: str = "") -> str:
    """A state in words: custody and flags. What is registered has versions and no custody."""
    if subject.startswith("urn:tracechain:"):
        return "a register"
    try:
        state = custody.unpack_state(number)
    except InputError:
        return f"state {number}"
    return ", ".join((state.custody.name.lower(), *state.flags()))


# ---- what could not be told ----------------------------------------------------------------------


def unresolved_json(found: tuple[Unresolved, ...]) -> list[dict[str, Any]]:
    """For --json."""
    return [{"kind": one.kind, "subject": one.subject, "index": one.index, "detail": one.detail} for one in found]


def tell_unresolved(found: tuple[Unresolved, ...], subject: str = "") -> None:
    """Say loudly what could not be told, so that no answer looks complete when it is not; of `subject`, which was
    asked about, without its name."""
    for one in found[:_MOST_TOLD]:
        other = bool(one.subject) and one.subject != subject
        who = f" {human(one.subject)}" if other else ""
        where = f", entry {one.index:,}" if other and one.index is not None else ""
        say(f"{styled(f'! unresolved: {plain(one.kind)}', 'warn')}{who}{where}: {plain(one.detail)}")
    if len(found) > _MOST_TOLD:
        say(styled(f"! and {len(found) - _MOST_TOLD:,} more that are unresolved (--json)", "warn"))
