"""What is in what, in the order of the log: what packing breaks, and what the index keeps of it (docs/format.md 7.4).

Where things *were* is a matter of claimed times, and worked out by `tracechain.tracing`. Here it is what the log had
said when an event came in: who packs a unit into a case while another case has it, a pallet into a box that stands on
it, or takes out what is not in, breaks a rule of packing. The event is a fact all the same, and the later packing
holds.

The index keeps one word a subject:

    bits 0 to 39   1 + index of the entry that packed it last, 0 for none
    bit 40         tangled: its entries are not in the order of their claimed times, or one of them is no plain fact
    bit 41         it was taken out since
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence
from typing import Protocol, TypeVar

from tracechain import encoding
from tracechain.custody import Outcome, Violation
from tracechain.event import AggregationEvent, Event, ObjectEvent, TransformationEvent

__all__ = [
    "AFTER_RECEIPT",
    "OUT",
    "PLACE_MASK",
    "TANGLED",
    "PackingPast",
    "around",
    "empties",
    "leave",
    "leaving",
    "pack",
    "packing_of",
    "tangle",
    "tangles",
]

PLACE_MASK = (1 << 40) - 1
TANGLED = 1 << 40
OUT = 1 << 41
#: How far ahead of its receipt an event's time may be (ns) and still be taken for one of a clock that goes wrong a
#: little.
AFTER_RECEIPT = 86_400_000_000_000

_ALREADY, _CYCLE, _NOT = (
    int(code) for code in (Violation.ALREADY_PACKED, Violation.PACKING_CYCLE, Violation.NOT_PACKED)
)
_NOBODY: frozenset[str] = frozenset()

Key = TypeVar("Key", bound=Hashable)


class PackingPast(Protocol[Key]):
    """What packing needs of the entries so far. Subjects go by a key of their keeper: a number in the ledger."""

    def packed(self, key: Key) -> int:
        """The word of a subject, 0 for none."""

    def packed_all(self, keys: Sequence[Key]) -> list[int]:
        """The words of some subjects."""

    def put_packed(self, key: Key, word: int) -> None:
        """Change it."""

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last, 0 for none."""

    def put_emptied(self, container: str, place: int) -> None:
        """Change it."""

    def packing(self, place: int) -> tuple[str | None, int]:
        """Container and claimed time of a packing, by 1 + its index; (None, 0) where that is not kept."""

    def key_of(self, subject: str) -> Key | None:
        """The key of a subject, None if no entry names it."""


def tangles(time: int, received: int, before: int | None, *, declares: bool) -> bool:
    """Whether an event makes its subject's entries something else than plain facts in order of their times.

    `time` is claimed (ns), `received` in ms, `before` the claimed time of the subject's event before, None if there is
    none. `declares`: it states that another was an error.
    """
    return declares or time > received * 1_000_000 + AFTER_RECEIPT or (before is not None and time < before)


def tangle(past: PackingPast[Key], key: Key) -> None:
    """Note that the entries of a subject have to be looked at one by one."""
    word = past.packed(key)
    if not word & TANGLED:
        past.put_packed(key, word | TANGLED)


def pack(
    past: PackingPast[Key],
    index: int,
    event: AggregationEvent,
    acts: Sequence[tuple[str, int]],
    keys: Sequence[Key],
    befores: Sequence[int],
    outcomes: Sequence[Outcome],
    stated: Container[str] = _NOBODY,
) -> list[Outcome]:
    """The outcomes of an entry that packs or unpacks, with what that breaks; `befores` are the states of its subjects.

    Changes what is in what, as far as that is not broken. Those `stated` were judged when more was kept than now: what
    the entry did to them is what their outcomes say already.
    """
    judged = list(outcomes)
    parent = event.parent
    if parent is None:
        return judged
    if event.error_declaration is not None:
        _take_back(past, event, acts, keys, outcomes)
        return judged
    if empties(event):
        past.put_emptied(parent, index + 1)
        return judged
    children, action = frozenset(event.epcs), event.action
    outer = set() if all(child in stated for child in children) else around(past, parent)
    put, place = past.put_packed, index + 1
    for at, ((subject, _), key, word) in enumerate(zip(acts, keys, past.packed_all(keys), strict=True)):
        if subject not in children:
            continue
        inside = _container(past, word) if word & PLACE_MASK else None
        if subject in stated:
            code = next((code for code in outcomes[at][1] if code in {_ALREADY, _CYCLE, _NOT}), 0)
        else:
            code = _broken(subject, inside, parent, outer, action)
            if code:
                judged[at] = befores[at], tuple(sorted({*outcomes[at][1], code}))
        if action == "DELETE":
            if code != _NOT and word & PLACE_MASK:
                put(key, word | OUT)
        elif action == "ADD" and code != _CYCLE and inside != parent:
            put(key, word & TANGLED | place)
    return judged


def _broken(subject: str, inside: str | None, parent: str, outer: Container[str], action: str) -> int:
    """What a packing breaks for one thing, 0 for nothing. It is in `inside`, its parent is, or is in, those `outer`."""
    if action == "DELETE":
        return 0 if inside == parent else _NOT
    if action == "ADD" and subject in outer:
        return _CYCLE
    return _ALREADY if inside is not None and inside != parent else 0


def empties(event: Event) -> bool:
    """Whether an event takes everything out of its parent."""
    return (
        isinstance(event, AggregationEvent)
        and event.action == "DELETE"
        and event.parent is not None
        and event.error_declaration is None
        and not event.epcs
        and not event.quantities
    )


def leaving(event: Event) -> tuple[str, ...]:
    """Those of an event's things that leave whatever they are in, unpacked or not: what is handed to a buyer, what
    ends, and what something else is made of. Who picks a pack out of its case for a sale seldom says so."""
    if event.error_declaration is not None:
        return ()
    if isinstance(event, ObjectEvent):
        return event.epcs if event.action == "DELETE" or event.biz_step == "dispensing" else ()
    return event.epcs if isinstance(event, TransformationEvent) else ()


def leave(past: PackingPast[Key], keys: Sequence[Key]) -> None:
    """Note that subjects are in nothing any more."""
    for key, word in zip(keys, past.packed_all(keys), strict=True):
        if word & PLACE_MASK and not word & OUT:
            past.put_packed(key, word | OUT)


def packing_of(content: bytes | None) -> tuple[str | None, int]:
    """Container and claimed time of a packing, from its content; (None, 0) where that is not kept, or is no packing."""
    return (None, 0) if content is None else encoding.packing_of(content)


def _container(past: PackingPast[Key], word: int) -> str | None:
    """What a subject is in, by its word."""
    place = word & PLACE_MASK
    if not place or word & OUT:
        return None
    parent, _ = past.packing(place)
    return None if parent is None or past.emptied(parent) > place else parent


def around(past: PackingPast[Key], container: str) -> set[str]:
    """A container, and all that it is in: what the judgement of packing into it rests on."""
    found: set[str] = set()
    at: str | None = container
    while at is not None and at not in found:
        found.add(at)
        key = past.key_of(at)
        at = None if key is None else _container(past, past.packed(key))
    return found


def _take_back(
    past: PackingPast[Key],
    event: AggregationEvent,
    acts: Sequence[tuple[str, int]],
    keys: Sequence[Key],
    outcomes: Sequence[Outcome],
) -> None:
    """A packing declared an error: what it packed is in nothing, what it took out is back.

    What a subject was in before is not looked up, nor does what was emptied or handed over come back: later events may
    seem to break a rule then. Where things were, by their times, does not rest on this.
    """
    children = frozenset(event.epcs)
    for at, (subject, _) in enumerate(acts):
        if subject not in children or outcomes[at][1]:
            continue
        word = past.packed(keys[at])
        place = word & PLACE_MASK
        if not place:
            continue
        parent, time = past.packing(place)
        if event.action == "ADD" and (parent, time) == (event.parent, event.event_time):
            past.put_packed(keys[at], word | OUT)
        elif event.action == "DELETE" and parent == event.parent:
            past.put_packed(keys[at], word & ~OUT)
