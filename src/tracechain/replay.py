"""Replay: the log folded into its state from nothing, and the View that needs no disk.

`replay` trusts the log as it stands (verify it first) and derives each subject's state by the rules alone, from
contents, without looking at the rows. So it says whether the ledger applied its rules rightly, and it has to come out
equal to the live index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

from attrs import define, field

from tracechain import custody, encoding, record
from tracechain.custody import Act
from tracechain.entry import HEADER_SIZE, SALT_SIZE, EntryType
from tracechain.errors import DataError
from tracechain.record import KeyAuthorised, KeyRevoked, decode_record
from tracechain.view import Block, Unit, View

__all__ = ["MemoryView", "State", "entry_acts", "replay", "step"]


@define
class State:
    """What the log says of its subjects after `size` entries."""

    size: int = 0
    units: dict[str, Unit] = field(factory=dict)
    #: (entry index, subject, violation codes), in order.
    violations: list[tuple[int, str, tuple[int, ...]]] = field(factory=list)


def entry_acts(kind: int, content: bytes) -> tuple[tuple[str, int], ...]:
    """The subjects of an entry with its acts, from type and content (format.md sections 7 and 7.1)."""
    match kind:
        case EntryType.EVENT:
            return custody.acts(encoding.decode(content))
        case EntryType.RECORD:
            subject = decode_record(content).subject
            return () if subject is None else ((subject, Act.NOTE),)
        case EntryType.KEY_AUTHORISED:
            return ((record.key_subject(KeyAuthorised.decode(content).key.hash), Act.SEE),)
        case EntryType.KEY_REVOKED:
            return ((record.key_subject(KeyRevoked.decode(content).key_hash), Act.END),)
        case _:
            return ()


def step(state: State, kind: int, content: bytes) -> None:
    """Take the next entry into the state: the one pure step of the projection, over all of an entry's subjects."""
    index = state.size
    units = state.units
    for subject, act in entry_acts(kind, content):
        before = units.get(subject)
        after, codes = custody.step(0 if before is None else before.state, act)
        units[subject] = Unit(index, after)
        if codes:
            state.violations.append((index, subject, codes))
    state.size = index + 1


def replay(view: View, *, stop: int | None = None, progress: Callable[[int, int], None] | None = None) -> State:
    """The state after the first `stop` entries (all of them by default). DataError where a content is missing."""
    state = State()
    end = view.size if stop is None else min(stop, view.size)
    contents = view.contents(0, end)
    for index, header in view.headers(0, end):
        at, part = next(contents, (-1, b""))
        if index != state.size or at != index or len(header) != HEADER_SIZE:
            raise DataError(
                f"entry {state.size}: header or content is missing or cut, so the log cannot be replayed; verify it"
            )
        step(state, header[4], part[SALT_SIZE:])
        if progress is not None and index % 4096 == 0:
            progress(index, end)
    if state.size != end:
        raise DataError(f"entry {state.size}: header is missing, so the log cannot be replayed; verify it")
    if progress is not None:
        progress(end, end)
    return state


class MemoryView:
    """A View in plain Python: for tests, for small bundles, for looking at what would be if a byte were different.

    Its parts are dictionaries that may be changed; its index is given, or folded from the rows' subjects by `replay`.
    """

    def __init__(
        self,
        headers: dict[int, bytes],
        contents: dict[int, bytes],
        rows: dict[int, bytes],
        checkpoint: str,
        size: int,
        units: dict[str, Unit] | None = None,
    ) -> None:
        self.raw_headers = headers
        self.raw_contents = contents
        self.raw_rows = rows
        self.checkpoint = checkpoint
        self.size = size
        self.index = units

    @classmethod
    def of(cls, view: View) -> MemoryView:
        """A copy of any View, its index included."""
        size = view.size
        return cls(
            dict(view.headers(0, size)),
            dict(view.contents(0, size)),
            dict(view.all_rows(0, size)),
            view.checkpoint,
            size,
            dict(view.units()),
        )

    def header(self, index: int) -> bytes | None:
        """The 128 bytes of an entry's header."""
        return self.raw_headers.get(index)

    def content(self, index: int) -> bytes | None:
        """Salt and content."""
        return self.raw_contents.get(index)

    def rows(self, index: int) -> bytes | None:
        """Salt and rows."""
        return self.raw_rows.get(index)

    def headers(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, header), ascending."""
        return self._range(self.raw_headers, start, stop)

    def contents(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and content), ascending."""
        return self._range(self.raw_contents, start, stop)

    def all_rows(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and rows), ascending."""
        return self._range(self.raw_rows, start, stop)

    def block(self, start: int, stop: int) -> Block:
        """The three parts of every entry from `start` to `stop - 1`."""
        each = range(start, stop)
        return (
            [self.raw_headers.get(i) for i in each],
            [self.raw_contents.get(i) for i in each],
            [self.raw_rows.get(i) for i in each],
        )

    def node(self, height: int, index: int) -> bytes | None:  # noqa: ARG002  # the View's; nothing is stored here
        """No subtree is stored: it is computed from the headers."""
        return None

    def unit(self, subject: str) -> Unit | None:
        """Where a subject stands."""
        return self._units().get(subject)

    def units(self) -> Iterator[tuple[str, Unit]]:
        """Every subject, in order of ids."""
        return iter(sorted(self._units().items()))

    def leaf(self, index: int) -> bytes:
        """The leaf of an entry."""
        return sha256(b"\0" + self.raw_headers[index]).digest()

    def _units(self) -> dict[str, Unit]:
        if self.index is None:
            self.index = replay(self).units
        return self.index

    def _range(self, parts: dict[int, bytes], start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        for index in range(max(start, 0), min(stop, self.size)):
            part = parts.get(index)
            if part is not None:
                yield index, part
