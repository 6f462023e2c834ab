"""A log as it was after its first entries: what a live ledger's index told then, worked out from the log alone.

    view = Replayed.of(bundle, stop)
    stock(view), whereabouts(view, code), fan_out(view, criterion) ...

The whole state is in memory, some hundred bytes a subject. Nothing here verifies anything: a log that was verified
comes to what its ledger said. What has been pruned since is not there any more, so of that a replay says what the rows
tell (docs/format.md section 7.5).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterator, Sequence
from decimal import Decimal

from attrs import define, field

from tracechain.custody import Outcome
from tracechain.derivation import STATE_SHIFT
from tracechain.event import Event
from tracechain.replay import State, replay
from tracechain.retention.prunings import judged_again, prunings_in_log
from tracechain.rules.mentions import mentioned
from tracechain.view import Block, Unit, View

__all__ = ["Remembering", "Replayed", "entries_received"]


@define
class Remembering(State):
    """A State that remembers which entries mention what."""

    #: Names with the runs of entries that mention them, [start, stop].
    mentions: dict[str, list[list[int]]] = field(factory=dict)

    def track(
        self,
        index: int,
        event: Event,
        received: int,
        acts: Sequence[tuple[str, int]],
        befores: Sequence[int],
        outcomes: Sequence[Outcome],
        stated: Container[str] = (),
    ) -> Sequence[Outcome]:
        """Note what the event mentions, too."""
        for name in mentioned(event):
            runs = self.mentions.setdefault(name, [])
            if runs and runs[-1][1] == index:
                runs[-1][1] = index + 1
            else:
                runs.append([index, index + 1])
        return super().track(index, event, received, acts, befores, outcomes, stated)


class Replayed:
    """The View of a log after the entries that a state has taken; its index is that state."""

    def __init__(self, view: View, state: Remembering) -> None:
        self._view = view
        self.state = state
        self._ids: list[str] | None = None
        self._names: list[str] | None = None

    @classmethod
    def of(cls, view: View, stop: int | None = None, *, progress: Callable[[int, int], None] | None = None) -> Replayed:
        """The log of a view after its first `stop` entries, all of them by default. The view's own index is not asked.
        DataError where the log cannot be replayed: see `replay`."""
        state = Remembering(log=view, again=judged_again(view, prunings_in_log))
        replay(view, stop=stop, progress=progress, state=state)
        return cls(view, state)

    # ---- the log ----

    @property
    def size(self) -> int:
        """Number of entries then."""
        return self.state.size

    @property
    def checkpoint(self) -> str:
        """The signed note, '' unless the log ends here: older ones are not kept."""
        return self._view.checkpoint if self._view.size == self.size else ""

    def header(self, index: int) -> bytes | None:
        """The 128 bytes of an entry's header."""
        return self._view.header(index) if index < self.size else None

    def content(self, index: int) -> bytes | None:
        """Salt and content."""
        return self._view.content(index) if index < self.size else None

    def parts(self, indices: Sequence[int]) -> list[tuple[bytes | None, bytes | None]]:
        """Content and rows of entries anywhere."""
        size = self.size
        if all(index < size for index in indices):
            return self._view.parts(indices)
        return [(self.content(index), self.rows(index)) for index in indices]

    def rows(self, index: int) -> bytes | None:
        """Salt and rows."""
        return self._view.rows(index) if index < self.size else None

    def row_nodes(self, index: int) -> bytes | None:
        """Those that the view keeps."""
        return self._view.row_nodes(index) if index < self.size else None

    def headers(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, header), ascending."""
        return self._view.headers(start, min(stop, self.size))

    def contents(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and content), ascending."""
        return self._view.contents(start, min(stop, self.size))

    def all_rows(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and rows), ascending."""
        return self._view.all_rows(start, min(stop, self.size))

    def block(self, start: int, stop: int) -> Block:
        """The three parts of every entry from `start` to `stop - 1`."""
        end = max(start, min(stop, self.size))
        found = self._view.block(start, end)
        behind: list[bytes | None] = [None] * max(0, stop - end)
        return found[0] + behind, found[1] + behind, found[2] + behind

    def node(self, height: int, index: int) -> bytes | None:
        """A subtree that was complete then, as the view stores it."""
        return self._view.node(height, index) if index + 1 << height <= self.size else None

    def witnessed(self) -> Iterator[tuple[int, str]]:
        """The witnessed notes of no more entries than there were."""
        return (one for one in self._view.witnessed() if one[0] <= self.size)

    def seal_notes(self) -> Iterator[tuple[int, str]]:
        """The seal notes of no more entries than there were."""
        return (one for one in self._view.seal_notes() if one[0] <= self.size)

    # ---- the index ----

    def unit(self, subject: str) -> Unit | None:
        """Where a subject stood."""
        return self.state.units.get(subject)

    def units(self) -> Iterator[tuple[str, Unit]]:
        """Every subject, in order of ids."""
        return self.subjects("")

    def subjects(self, prefix: str) -> Iterator[tuple[str, Unit]]:
        """Every subject whose id begins with `prefix`, in order of ids."""
        if self._ids is None:
            # The order of code points is that of UTF-8 bytes.
            self._ids = sorted(self.state.units)
        ids, units = self._ids, self.state.units
        for at in range(bisect_left(ids, prefix), len(ids)):
            if not ids[at].startswith(prefix):
                return
            yield ids[at], units[ids[at]]

    def memory(self, subject: str) -> int:
        """What the rules remembered of a pack."""
        return self.state.memory(subject)

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year had come to."""
        return self.state.spent(person, year)

    def words(self, subjects: Sequence[str], *, together: bool = False) -> list[tuple[int, int]]:  # noqa: ARG002 - the View's
        """Where subjects stood, and what they were in."""
        units, packings = self.state.units, self.state.packings
        return [
            (0 if (unit := units.get(one)) is None else unit.state << STATE_SHIFT | unit.last + 1, packings.get(one, 0))
            for one in subjects
        ]

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything had been taken out of a container last."""
        return self.state.emptied(container)

    def mentions(self, name: str) -> Iterator[range]:
        """The entries that mentioned a name, run by run."""
        return (range(start, stop) for start, stop in self.state.mentions.get(name, ()))

    def names(self, prefix: str) -> Iterator[str]:
        """The names that events had mentioned and that begin with `prefix`, ascending."""
        if self._names is None:
            self._names = sorted(self.state.mentions)
        names = self._names
        for at in range(bisect_left(names, prefix), len(names)):
            if not names[at].startswith(prefix):
                return
            yield names[at]


class _Times(Sequence[int]):
    """The receipt times of a log, entry by entry."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __len__(self) -> int:
        return self._view.size

    def __getitem__(self, index: int) -> int:  # type: ignore[override]  # nobody asks for slices
        return int.from_bytes((self._view.header(index) or b"")[8:16], "big")


def entries_received(view: View, until: int) -> int:
    """How many entries a log had at a moment (ms since 1970): those with a receipt time up to then. A statement and the
    entries under it have one receipt time, so a log may end there."""
    return bisect_right(_Times(view), until)
