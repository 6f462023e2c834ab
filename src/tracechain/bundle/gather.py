"""Everything that an excerpt has to have in it, so that what it shows can be checked (docs/format.md section 15.4).

One entry leads to others: to the statement that covers it, that to the entries of its author's key, and an event that
lost a part to the records by which it went. All of these are followed until nothing new comes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache

from attrs import define, field, frozen

from tracechain import merkle
from tracechain.bundle.entryfile import EntryFile
from tracechain.bundle.select import Selection
from tracechain.collector import uninterrupted
from tracechain.entry import COVERED_TYPES, SALT_SIZE, EntryType, Header, decode_rows, parse_header
from tracechain.errors import DataError
from tracechain.record import key_subject
from tracechain.retention.prunings import Executed, prunings
from tracechain.retention.ranges import indices
from tracechain.statement import GROUP, TERM_SIZE, Statement, decode_statement, term_leaves
from tracechain.tracing.facts import Log
from tracechain.view import View, ViewNodes

__all__ = ["Gathered", "Shower", "gather"]

Progress = Callable[[int, int], None]
_COVERED = frozenset(map(int, COVERED_TYPES))
_LEAVES_MOST = 1 << 18


@frozen
class Gathered:
    """The entries of an excerpt, ascending; the subjects whose whole histories are among them, and which of these are
    the chains of author keys."""

    entries: tuple[int, ...] = field(repr=lambda some: f"<{len(some)} entries>")
    subjects: tuple[str, ...] = field(repr=lambda some: f"<{len(some)} subjects>")
    keys: tuple[str, ...]


def gather(view: View, selection: Selection, entries: Sequence[int] = ()) -> Gathered:
    """What an excerpt of a selection needs, with these entries in any case. DataError where the log is damaged so that
    it cannot be shown: verify it."""
    with uninterrupted():
        return _Gatherer(view).run(selection, entries)


class _Gatherer:
    def __init__(self, view: View) -> None:
        self._view = view
        self._log = Log(view)
        self._statements = Statements(view)
        self._found: set[int] = set()
        self._waiting: list[int] = []
        self._histories: set[str] = set()
        self._keys: set[str] = set()
        self._executed: tuple[Executed, Executed] | None = None

    def run(self, selection: Selection, entries: Sequence[int]) -> Gathered:
        self._add(0)
        for index in (*entries, *indices(selection.entries)):
            self._add(index)
        for subject in selection.subjects:
            self._history(subject)
        while self._waiting:
            self._follow(self._waiting.pop())
        return Gathered(tuple(sorted(self._found)), tuple(sorted(self._histories)), tuple(sorted(self._keys)))

    def _add(self, index: int) -> None:
        if index not in self._found:
            self._found.add(index)
            self._waiting.append(index)

    def _history(self, subject: str) -> None:
        """Add all entries of a subject, back to the first, or to one that lost its rows."""
        unit = self._view.unit(subject)
        if subject in self._histories or unit is None:
            return
        self._histories.add(subject)
        before: int | None = unit.last
        for index, (_, named, _, _) in self._log.back(subject, unit.last):
            self._add(index)
            before = named
        if before is not None:
            self._add(before)

    def _follow(self, index: int) -> None:
        header = header_of(self._view, index)
        if header.type in COVERED_TYPES:
            self._add(self._statements.of(index, header)[0])
        elif header.type == EntryType.STATEMENT:
            subject = key_subject(self._statements.read(index).author)
            self._keys.add(subject)
            self._history(subject)
        if header.type == EntryType.EVENT:
            lost = self._view.content(index) is None, header.row_count > 0 and self._view.rows(index) is None
            for gone, executed in zip(lost, self._prunings() if any(lost) else (), strict=False):
                pruning = executed.find(index) if gone else None
                if pruning is not None and pruning.done is not None and pruning.done_at is not None:
                    for at in range(pruning.announced, pruning.announced_last + 1):
                        self._add(at)
                    for at in range(pruning.done_at, pruning.done_at + pruning.done.parts):
                        self._add(at)

    def _prunings(self) -> tuple[Executed, Executed]:
        if self._executed is None:
            some = prunings(self._view)
            self._executed = Executed.contents(some), Executed.rows(some)
        return self._executed


def header_of(view: View, index: int) -> Header:
    """The header of an entry; DataError where there is none."""
    raw = view.header(index)
    if raw is None:
        raise DataError(f"entry {index}: its header is missing; verify the ledger")
    return parse_header(raw)


# ---- statements ------------------------------------------------------------------------------------


class Statements:
    """Which statement covers an entry, without reading all that it covers."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._starts: list[int] = []
        self._known: dict[int, Statement] = {}

    def read(self, index: int) -> Statement:
        """The statement in an entry; DataError if there is none."""
        found = self._known.get(index)
        if found is None:
            part = self._view.content(index)
            if header_of(self._view, index).type != EntryType.STATEMENT or part is None:
                raise DataError(f"entry {index} holds no statement, and should; verify the ledger")
            found = self._known[index] = decode_statement(part[SALT_SIZE:])
            self._starts.insert(bisect_right(self._starts, index), index)
        return found

    def of(self, index: int, header: Header) -> tuple[int, Statement]:
        """The statement that covers an entry, and where it stands. DataError if none does."""
        at = bisect_right(self._starts, index) - 1
        if at >= 0:
            start = self._starts[at]
            statement = self._known[start]
            if start < index <= start + statement.count:
                return start, statement
        start = self._before(index, header)
        statement = self.read(start)
        if not start < index <= start + statement.count:
            raise DataError(f"entry {index}: no statement covers it; verify the ledger")
        return start, statement

    def _before(self, index: int, header: Header) -> int:
        """The nearest statement before an entry. Under one statement the author's numbers go up with the indices, so
        its beginning is found by halving; where it is not there, by looking at each entry."""
        reach = 1
        while index - reach > 0 and self._goes_on(index - reach, index, header):
            reach *= 2
        low, high = max(index - reach, 0), index - reach // 2  # at `high` it goes on, at `low` it does not
        while high - low > 1:
            middle = (low + high) // 2
            if self._goes_on(middle, index, header):
                high = middle
            else:
                low = middle
        if self._type(low) == EntryType.STATEMENT:
            return low
        at = index - 1
        while at > 0 and self._type(at) in _COVERED:
            at -= 1
        return at

    def _goes_on(self, at: int, index: int, header: Header) -> bool:
        raw = self._view.header(at)
        return (
            raw is not None
            and raw[4] in _COVERED
            and raw[24:32] == header.author
            and int.from_bytes(raw[32:40], "big") == header.sequence - (index - at)
        )

    def _type(self, index: int) -> int:
        raw = self._view.header(index)
        return 0 if raw is None else raw[4]


@define
class _Terms:
    """The terms under one statement, and the tree over their leaves: all levels of it, lowest first."""

    terms: bytes
    levels: list[list[bytes]]

    @classmethod
    def of(cls, view: View, start: int, statement: Statement) -> _Terms:
        """Worked out from the headers under it."""
        stop = start + 1 + statement.count
        terms = b"".join(raw[64:96] + raw[16:18] + raw[4:5] for _, raw in view.headers(start + 1, stop))
        leaves = term_leaves([terms])
        if len(terms) != statement.count * TERM_SIZE or merkle.root(leaves) != statement.root:
            raise DataError(
                f"statement {start}: the entries under it are not those that were signed; verify the ledger"
            )
        levels = [leaves]
        while len(levels[-1]) >= 1 << merkle.NODE_STEP:
            complete = len(levels[-1]) >> merkle.NODE_STEP << merkle.NODE_STEP
            levels.append(merkle.nodes_at(levels[-1][:complete], merkle.NODE_STEP))
        return cls(terms, levels)

    def leaf(self, index: int) -> bytes:
        """merkle.NodeReader."""
        return self.levels[0][index]

    def node(self, height: int, index: int) -> bytes | None:
        """merkle.NodeReader."""
        return self.levels[height // merkle.NODE_STEP][index]

    def shown(self, place: int) -> tuple[bytes, tuple[bytes, ...]]:
        """The terms of the leaf that has the content at a place, and the path from there."""
        number, step = place // GROUP, GROUP * TERM_SIZE
        path = merkle.prove_inclusion(self, number, len(self.levels[0]))
        return self.terms[number * step : (number + 1) * step], tuple(path)


# ---- what is shown of an entry -----------------------------------------------------------------------


class _Nodes:
    """A merkle.NodeReader that remembers: the paths of many entries meet on their way up."""

    def __init__(self, view: View) -> None:
        nodes = ViewNodes(view)
        self.leaf = lru_cache(_LEAVES_MOST)(nodes.leaf)
        self.node = lru_cache(_LEAVES_MOST)(nodes.node)


class Shower:
    """Makes the files of entries, best asked for in ascending order."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._nodes = _Nodes(view)
        self._statements = Statements(view)
        self._terms: tuple[int, _Terms] | None = None

    def entry(self, index: int) -> EntryFile:
        """What is shown of an entry. DataError where the log is damaged."""
        header = header_of(self._view, index)
        raw, content, rows = self._view.header(index), self._view.content(index), self._view.rows(index)
        assert raw is not None
        leaves = None if rows is None else self._leaves(index, rows)
        if header.type not in COVERED_TYPES:
            return EntryFile(raw, content, rows, leaves)
        start, statement = self._statements.of(index, header)
        if self._terms is None or self._terms[0] != start:
            self._terms = start, _Terms.of(self._view, start, statement)
        terms, path = self._terms[1].shown(index - start - 1)
        return EntryFile(raw, content, rows, leaves, terms, path)

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The way from the entry's leaf to the root of the view's tree."""
        return tuple(merkle.prove_inclusion(self._nodes, index, self._view.size))

    def consistency(self, size: int) -> tuple[bytes, ...]:
        """The proof that the tree of that size is the beginning of the view's."""
        return tuple(merkle.prove_consistency(self._nodes, size, self._view.size))

    def _leaves(self, index: int, rows: bytes) -> tuple[bytes, ...]:
        named = (row.previous for row in decode_rows(rows[SALT_SIZE:])[1])
        return tuple(
            self._nodes.leaf(before)
            for before in dict.fromkeys(one for one in named if one is not None and one < index)
        )
