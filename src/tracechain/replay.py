"""Replay: the log folded into its state from nothing, and the View that needs no disk.

`replay` trusts the log as it stands (verify it first) and derives each subject's state by the rules alone, from
contents, without looking at the rows. So it says whether the ledger applied its rules rightly, and it has to come out
equal to the live index.

Of an event whose content is not kept the rows are all there is to say what it did, so they are taken as they stand
(docs/format.md section 7.5). What was judged while that content was there cannot be judged again without it: of such
entries too the rows are taken, and counted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256

from attrs import define, field

from tracechain import custody, encoding, record
from tracechain.custody import ACT_MASK, Act, Outcome
from tracechain.derivation import STATE_SHIFT
from tracechain.entry import COVERED_TYPES, HEADER_SIZE, SALT_SIZE, EntryType, Row, decode_rows
from tracechain.errors import DataError, TracechainError
from tracechain.event import AggregationEvent, Event, TransformationEvent
from tracechain.record import KeyAuthorised, KeyRevoked, Record, decode_record
from tracechain.rules import Judge, Notes, Standing, packing, shanghai_year
from tracechain.rules.guards import ANCHOR_MASK
from tracechain.rules.mentions import mentioned
from tracechain.view import Block, Unit, View

__all__ = ["MemoryView", "State", "entry_acts", "replay", "step"]


_NEVER = 1 << 62


def _never(_: int) -> int:
    return _NEVER


@define
class State(Notes):
    """What the log says of its subjects after `size` entries. `log` is the view that is replayed: rules look back."""

    size: int = 0
    units: dict[str, Unit] = field(factory=dict)
    #: (entry index, subject, violation codes), in order.
    violations: list[tuple[int, str, tuple[int, ...]]] = field(factory=list)
    standing: Standing = field(factory=Standing)
    log: View | None = None
    #: The rules of the entries under the last statement.
    rule_set: int = custody.PLAIN
    #: From which entry on it can be judged again what an entry (by its index) did whose content is not kept: from the
    #: record on that says it went, as that is when the ledger forgot it too. Who does not know says never.
    again: Callable[[int], int] = _never
    #: How many entries there were whose content is not kept, and how many others were not judged again.
    lost: int = 0
    unjudged: int = 0
    _former: dict[str, int] = field(factory=dict)
    #: Subjects, and calendar years of receipt, of such entries: up to which entry they cannot be judged.
    _doubted: dict[str, int] = field(factory=dict)
    _doubted_years: dict[int, int] = field(factory=dict)

    # ---- rules.Past, beside the notes ----

    def stated(self, index: int) -> tuple[bytes, bytes | None]:
        """Header and content of an earlier entry."""
        if self.log is None:
            raise DataError(f"entry {index}: a rule looks back at it, and this state has no log to look into")
        part = self.log.content(index)
        return self.log.header(index) or b"", None if part is None else part[SALT_SIZE:]

    def former(self, subject: str, key: str, last: int) -> int | None:  # noqa: ARG002  # Past's; the ledger's go by them
        """The state of a pack before its latest entry."""
        return self._former.get(subject)

    def lose_entry(self, header: bytes) -> None:
        """Take the next entry, an event whose content is not kept: what its rows state, if they are kept."""
        index = self.size
        again = self.again(index)
        self.lost += 1
        for row in self._rows(index):
            self.take(row.subject, index, (row.state, row.violations))
            self.lose(row.subject)
            self._doubt(row.subject, again)
        year = shanghai_year(int.from_bytes(header[8:16], "big"))
        self._doubted_years[year] = max(self._doubted_years.get(year, 0), again)
        self.size = index + 1

    def stated_outcomes(self, event: Event, acts: Sequence[tuple[str, int]]) -> dict[str, Outcome]:
        """What the rows of the next entry say of those subjects for which it cannot be judged again."""
        index, doubted = self.size, self._doubted
        doubtful = {subject for subject, _ in acts if doubted.get(subject, 0) > index}
        if isinstance(event, TransformationEvent) and doubtful:
            # What is made is judged, and remembered, by what it is made of.
            until = max(doubted[subject] for subject in doubtful)
            doubtful.update(event.output_epcs)
            for subject in event.output_epcs:
                self._doubt(subject, until)
        elif isinstance(event, AggregationEvent):
            outer = set() if event.parent is None else packing.around(self, event.parent)
            if any(doubted.get(container, 0) > index for container in outer):
                doubtful.update(event.epcs)
        if self.rule_set == custody.PILOT:
            doubtful.update(subject for subject, act in acts if act & ACT_MASK == Act.CLEAR and self._in_doubt(subject))
        if not doubtful:
            return {}
        self.unjudged += 1
        return {row.subject: (row.state, row.violations) for row in self._rows(index) if row.subject in doubtful}

    def _in_doubt(self, subject: str) -> bool:
        """Whether the account that a pack's order counts in may have held more than is known."""
        place = self.memory(subject) & ANCHOR_MASK
        header = b"" if not place or self.log is None else self.log.header(place - 1) or b""
        return self._doubted_years.get(shanghai_year(int.from_bytes(header[8:16], "big")), 0) > self.size

    def _doubt(self, subject: str, until: int) -> None:
        self._doubted[subject] = max(self._doubted.get(subject, 0), until)

    def _rows(self, index: int) -> tuple[Row, ...]:
        part = None if self.log is None else self.log.rows(index)
        return () if part is None else decode_rows(part[SALT_SIZE:])[1]

    def take(self, subject: str, index: int, outcome: Outcome) -> None:
        """Put what the rules came to."""
        before = self.units.get(subject)
        state, codes = outcome
        # Under the first rules too: what was stated before the profile may be taken back after it.
        self._former[subject] = 0 if before is None else before.state
        self.units[subject] = Unit(index, state)
        if codes:
            self.violations.append((index, subject, codes))


def entry_acts(kind: int, content: bytes, rule_set: int = custody.PLAIN) -> tuple[tuple[str, int], ...]:
    """The subjects of an entry with its acts, from type and content (format.md sections 7 and 7.1)."""
    return _said(kind, content, rule_set)[0]


def _said(kind: int, content: bytes, rule_set: int) -> tuple[tuple[tuple[str, int], ...], Event | Record | None]:
    """The same, and what the entry says."""
    match kind:
        case EntryType.EVENT:
            event = encoding.decode(content)
            return custody.acts(event, rule_set), event
        case EntryType.RECORD:
            note = decode_record(content)
            return () if note.subject is None else ((note.subject, int(Act.NOTE)),), note
        case EntryType.KEY_AUTHORISED:
            return ((record.key_subject(KeyAuthorised.decode(content).key.hash), int(Act.SEE)),), None
        case EntryType.KEY_REVOKED:
            return ((record.key_subject(KeyRevoked.decode(content).key_hash), int(Act.END)),), None
        case _:
            return (), None


def step(state: State, header: bytes, content: bytes | None) -> None:
    """Take the next entry into the state: the one pure step of the projection, over all of an entry's subjects.

    `header` are the entry's 128 bytes: its type, receipt time and author count. `content` is None where it is not kept,
    which only an event's may be: DataError for another.
    """
    index, kind = state.size, header[4]
    if content is None:
        if kind != EntryType.EVENT:
            raise DataError(f"entry {index}: its content is missing, so the log cannot be replayed; verify it")
        state.lose_entry(header)
        return
    if kind not in COVERED_TYPES:
        # A profile is in force from the next statement on.
        state.rule_set = custody.PLAIN if state.standing.profile is None else custody.PILOT
    acts, said = _said(kind, content, state.rule_set)
    units = state.units
    befores = [(0, 0) if (unit := units.get(s)) is None else (unit.state, unit.last + 1) for s, _ in acts]
    outcomes = [custody.step(before, act, state.rule_set) for (before, _), (_, act) in zip(befores, acts, strict=True)]
    if isinstance(said, Event):
        stated: Mapping[str, Outcome] = state.stated_outcomes(said, acts) if state.lost else {}
        if stated:
            outcomes = [stated.get(subject, outcome) for (subject, _), outcome in zip(acts, outcomes, strict=True)]
        received = int.from_bytes(header[8:16], "big")
        if state.rule_set == custody.PILOT:
            judge = Judge(state.standing, state, received, header[24:32])
            outcomes = judge.entry(index, said, acts, [subject for subject, _ in acts], befores, outcomes, stated)
        before = [stood for stood, _ in befores]
        outcomes = list(state.track(index, said, received, acts, before, outcomes, stated))
    elif isinstance(said, Record):
        if said.subject is not None:
            packing.tangle(state, said.subject)
        with contextlib.suppress(TracechainError):  # what cannot follow stays in the log and changes nothing
            state.standing.take(index, said)
    for (subject, _), outcome in zip(acts, outcomes, strict=True):
        state.take(subject, index, outcome)
    state.size = index + 1


def replay(
    view: View,
    *,
    stop: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    state: State | None = None,
) -> State:
    """The state after the first `stop` entries (all of them by default). DataError where a part is missing that never
    goes: a header, or the content of what is no event. A `state` of fewer entries is carried on, and is the result."""
    state = State(log=view) if state is None else state
    end = view.size if stop is None else min(stop, view.size)
    begin = state.size
    contents = view.contents(begin, end)
    at, part = next(contents, (end, b""))
    for index, header in view.headers(begin, end):
        if index != state.size or len(header) != HEADER_SIZE:
            break
        if at == index:
            step(state, header, part[SALT_SIZE:])
            at, part = next(contents, (end, b""))
        else:
            step(state, header, None)
        if progress is not None and index % 4096 == 0:
            progress(index, end)
    if state.size != end:
        raise DataError(f"entry {state.size}: its header is missing or cut, so the log cannot be replayed; verify it")
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
        self.raw_witnessed: dict[int, str] = {}
        self.raw_seal_notes: dict[int, str] = {}
        self._replayed: State | None = None
        self._mentions: dict[str, list[int]] | None = None

    @classmethod
    def of(cls, view: View) -> MemoryView:
        """A copy of any View, its index included."""
        size = view.size
        made = cls(
            dict(view.headers(0, size)),
            dict(view.contents(0, size)),
            dict(view.all_rows(0, size)),
            view.checkpoint,
            size,
            dict(view.units()),
        )
        made.raw_witnessed, made.raw_seal_notes = dict(view.witnessed()), dict(view.seal_notes())
        return made

    def header(self, index: int) -> bytes | None:
        """The 128 bytes of an entry's header."""
        return self.raw_headers.get(index)

    def content(self, index: int) -> bytes | None:
        """Salt and content."""
        return self.raw_contents.get(index)

    def rows(self, index: int) -> bytes | None:
        """Salt and rows."""
        return self.raw_rows.get(index)

    def row_nodes(self, index: int) -> bytes | None:  # noqa: ARG002  # the View's; nothing is stored here
        """None are stored: all rows are hashed."""
        return None

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
        return self.subjects("")

    def subjects(self, prefix: str) -> Iterator[tuple[str, Unit]]:
        """Every subject whose id begins with `prefix`, in order of ids. Looks at all, as the index may be changed."""
        return iter(sorted(item for item in self._units().items() if item[0].startswith(prefix)))

    def memory(self, subject: str) -> int:
        """What the rules remember of a pack: worked out from the log, as nobody stored it."""
        return self._state().memory(subject)

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to, likewise."""
        return self._state().spent(person, year)

    def parts(self, indices: Sequence[int]) -> list[tuple[bytes | None, bytes | None]]:
        """Content and rows of entries."""
        return [(self.raw_contents.get(index), self.raw_rows.get(index)) for index in indices]

    def words(self, subjects: Sequence[str], *, together: bool = False) -> list[tuple[int, int]]:  # noqa: ARG002 - the View's
        """Where subjects stand, and what they are in."""
        units, packings = self._units(), self._state().packings
        return [
            (0 if (unit := units.get(one)) is None else unit.state << STATE_SHIFT | unit.last + 1, packings.get(one, 0))
            for one in subjects
        ]

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last."""
        return self._state().emptied(container)

    def mentions(self, name: str) -> Iterator[range]:
        """The entries that mention a name."""
        return (range(index, index + 1) for index in self._mentioned().get(name, ()))

    def names(self, prefix: str) -> Iterator[str]:
        """The names that are mentioned and begin with `prefix`."""
        return iter(sorted(name for name in self._mentioned() if name.startswith(prefix)))

    def witnessed(self) -> Iterator[tuple[int, str]]:
        """(size, note) of witnessed notes."""
        return iter(sorted(self.raw_witnessed.items()))

    def seal_notes(self) -> Iterator[tuple[int, str]]:
        """(size, note) of seal notes."""
        return iter(sorted(self.raw_seal_notes.items()))

    def _mentioned(self) -> dict[str, list[int]]:
        """What mentions what: all contents are read, once."""
        if self._mentions is None:
            found: dict[str, list[int]] = {}
            for index, header in self.headers(0, self.size):
                part = self.raw_contents.get(index)
                if header[4] == EntryType.EVENT and part is not None:
                    for one in mentioned(encoding.decode(part[SALT_SIZE:])):
                        found.setdefault(one, []).append(index)
            self._mentions = found
        return self._mentions

    def leaf(self, index: int) -> bytes:
        """The leaf of an entry."""
        return sha256(b"\0" + self.raw_headers[index]).digest()

    def _units(self) -> dict[str, Unit]:
        if self.index is None:
            self.index = self._state().units
        return self.index

    def _state(self) -> State:
        if self._replayed is None:
            self._replayed = replay(self)
        return self._replayed

    def _range(self, parts: dict[int, bytes], start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        for index in range(max(start, 0), min(stop, self.size)):
            part = parts.get(index)
            if part is not None:
                yield index, part
