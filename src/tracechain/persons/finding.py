"""Where persons are in a log: the events with a token, or with commitments to private values.

No index of them is kept: what leads from a person to all that was ever recorded of them is worth not having. So this
reads every content once, about a second for a million of them: nearly all are told from their first byte.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from attrs import frozen

from tracechain import encoding
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DecodeError
from tracechain.record import decode_record
from tracechain.retention.records import ERASED, Erased
from tracechain.view import View

__all__ = ["Personal", "Progress", "erasures", "named_in", "personal"]

#: Called with entries read so far, and how many there are.
Progress = Callable[[int, int], None]

# Positions and forms of format.md section 9.1. An array of 16 items or more begins with this byte, and no content but
# an event's is that long.
_LONG_ARRAY = 0xDC
_TIME, _PERSON, _PRIVATE = 1, 24, 25
_STEP = 1 << 16
#: So many tokens and commitments are looked for one by one in the bytes; of more, every event is read.
_FEW = 8


@frozen
class Personal:
    """An event that speaks of a person: its entry, salt and content, the claimed time (ns), the token, and (name,
    commitment) of fields."""

    index: int
    part: bytes
    time: int
    token: bytes | None
    fields: tuple[tuple[str, bytes], ...]


def personal(
    view: View,
    progress: Progress | None = None,
    *,
    of: Collection[bytes] | None = None,
    start: int = 0,
    stop: int | None = None,
) -> Iterator[Personal]:
    """All events with a token or private fields from `start` to before `stop`, as far as their contents are kept; with
    `of`, those with one of these tokens or commitments."""
    few = None if of is None or len(of) > _FEW else tuple(of)
    wanted = None if of is None else frozenset(of)
    for index, part in _contents(view, progress, start, stop):
        if part[SALT_SIZE] != _LONG_ARRAY or (few is not None and not any(map(part.__contains__, few))):
            continue
        time, token, fields = _named(index, part)
        if (token is not None or fields) and (
            wanted is None or token in wanted or any(commitment in wanted for _, commitment in fields)
        ):
            yield Personal(index, part, time, token, fields)


def erasures(view: View, start: int = 0, progress: Progress | None = None) -> Iterator[tuple[int, Erased]]:
    """The records of erasure from an entry on: (index, what it says)."""
    begins = encoding.pack((ERASED, 0, None, None))[:-1]  # format.md section 5.6: version 0, no subject, then its body
    size = len(begins)
    for index, part in _contents(view, progress, start):
        if part[SALT_SIZE : SALT_SIZE + size] == begins and _is_record(view, index):
            yield index, Erased.from_record(decode_record(part[SALT_SIZE:]))


def named_in(index: int, part: bytes) -> frozenset[bytes]:
    """The token and the commitments in the content of an event, given with its salt."""
    if part[SALT_SIZE] != _LONG_ARRAY:
        return frozenset()
    _, token, fields = _named(index, part)
    found = frozenset(commitment for _, commitment in fields)
    return found if token is None else found | {token}


def _is_record(view: View, index: int) -> bool:
    header = view.header(index)
    return header is not None and header[4] == EntryType.RECORD


def _contents(
    view: View, progress: Progress | None, start: int = 0, stop: int | None = None
) -> Iterator[tuple[int, bytes]]:
    size = view.size if stop is None else min(stop, view.size)
    for at in range(start, size, _STEP):
        end = min(at + _STEP, size)
        yield from view.contents(at, end)
        if progress is not None:
            progress(end, size)


def _named(index: int, part: bytes) -> tuple[int, bytes | None, tuple[tuple[str, bytes], ...]]:
    items: Any = encoding.unpack_known(part[SALT_SIZE:])
    try:
        token = items[_PERSON] if len(items) > _PERSON else None
        fields = (items[_PRIVATE] or ()) if len(items) > _PRIVATE else ()
        return items[_TIME], token, tuple([(name, commitment) for name, commitment in fields])
    except (TypeError, ValueError) as error:
        raise DecodeError(f"entry {index}: its content is damaged ({error}); run `tracechain verify`") from None
