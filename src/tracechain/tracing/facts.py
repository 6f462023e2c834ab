"""Facts: what entries say of their subjects, read the quick way and remembered.

A `Log` reads entries of one View. It takes what it needs from the arrays of contents and rows without building events
or rows (entry.decode_rows and encoding.decode do that, strictly, for who verifies).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias, cast

from attrs import define

from tracechain.custody import Violation
from tracechain.encoding import unpack_known
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DataError, DecodeError
from tracechain.event.model import MASTER_DATA
from tracechain.event.sale import LOT
from tracechain.event.vocabulary import BIZ_STEP, NAMESPACES, SOURCE_DEST_TYPE
from tracechain.tracing.values import Moment, Unresolved
from tracechain.view import View

__all__ = [
    "AGGREGATION",
    "SHIPPING",
    "TRANSFORMATION",
    "Fact",
    "Link",
    "Log",
    "Rows",
    "epcs_of",
    "lot_of",
    "parties_of",
]

#: Kinds of events, by the first item of their content (format.md section 9.1), and actions.
OBJECT, AGGREGATION, TRANSACTION, TRANSFORMATION, ASSOCIATION = 1, 2, 3, 4, 5
ADD, DELETE = 1, 3
SHIPPING, DISPENSING = BIZ_STEP.codes["shipping"], BIZ_STEP.codes["dispensing"]
_TIME, _OFFSET, _ACTION, _PARENT, _EPCS, _STEP, _READ_POINT, _LOCATION, _QUANTITIES = 1, 2, 3, 4, 5, 6, 8, 9, 10
_ILMD, _EXTENSIONS = 14, 26
_TRANSACTIONS, SOURCES, DESTINATIONS, _DECLARATION, _OUTPUTS, _MADE, _PERSON = 11, 12, 13, 19, 22, 23, 24
#: What an event and its declaration as an error have in common, whatever the codes.
_TELLING = (0, _TIME, _ACTION, _PARENT, _STEP, _READ_POINT, _LOCATION, _TRANSACTIONS, _PERSON)
_PARTY_TYPE = SOURCE_DEST_TYPE.codes
_MASTER_DATA = tuple(NAMESPACES.codes[spelling] for spelling in MASTER_DATA)
_EVENT = bytes((EntryType.EVENT,))
_CYCLE = int(Violation.PACKING_CYCLE)
#: Entries whose contents or rows are remembered; a fan-out comes back to those of many units.
_FACTS_MOST, _ROWS_MOST = 262_144, 16_384

#: What the cells of a row are.
_CELLS = frozenset(((str, str, int, int, int, type(None)), (str, str, int, int, int, tuple)))
#: Rows of an entry as stored: groups of prefix and five cells a row.
_Groups: TypeAlias = tuple[tuple[Any, ...], ...]


@define
class Fact:
    """An event, by the fields that tracing asks for. `raw` are all its items, without the nils at the end."""

    index: int
    time: int
    kind: int
    action: int
    parent: str | None
    place: str | None
    step: int | str | None
    declares: bool
    raw: tuple[Any, ...]

    @property
    def moment(self) -> Moment:
        """Where it stands among other facts."""
        return self.time, self.index

    @property
    def locates(self) -> bool:
        """Whether its subjects were at its place: papers are no sighting."""
        return self.place is not None and self.kind != TRANSACTION

    @property
    def empties(self) -> bool:
        """Whether it takes everything out of its container."""
        named = self.item(_EPCS) or self.item(_QUANTITIES)
        return self.kind == AGGREGATION and self.action == DELETE and not named

    @property
    def person(self) -> bytes | None:
        """The token of the buyer."""
        person: bytes | None = self.item(_PERSON)
        return person

    def packs(self, subject: str) -> bool:
        """Whether it packs or takes out this subject by its code: not as the container, and not as a class, of which
        there is a quantity."""
        return (
            self.kind == AGGREGATION and self.action != 2 and self.parent not in (None, subject) and self.names(subject)
        )

    def names(self, subject: str) -> bool:
        """Whether a subject is among its epcs."""
        cut = subject.rfind("/") + 1
        prefix, suffix = subject[:cut], subject[cut:]
        groups = self.item(_EPCS) or ()
        return any(groups[at] == prefix and suffix in groups[at + 1] for at in range(0, len(groups), 2))

    def leaves(self, subject: str) -> bool:
        """Whether it takes this subject out of whatever it is in (rules.packing.leaving)."""
        if self.kind == OBJECT:
            return self.action == DELETE or self.step == DISPENSING
        return self.kind == TRANSFORMATION and self.names(subject)

    def item(self, position: int) -> Any:
        """An item of the content, None where there is none."""
        raw = self.raw
        return raw[position] if len(raw) > position else None

    def same(self, other: Fact) -> bool:
        """Whether this declaration of an error is about that event."""
        return all(self.item(at) == other.item(at) for at in _TELLING)


@define
class Rows:
    """The rows of an entry as they are stored (format.md section 7): in each group a prefix, and five cells a row."""

    salt: bytes
    rule_set: int
    groups: _Groups
    #: How many rows are before each group, and all of them at the end.
    starts: list[int]
    #: The subject that was asked for last, and its position.
    latest: tuple[str, int | None] = ("", None)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.starts[-1]

    def place(self, subject: str) -> int | None:
        """The position of a subject's row: rows stand in order of their subjects."""
        if self.latest[0] != subject:
            self.latest = subject, self._find(subject)
        return self.latest[1]

    def _find(self, subject: str) -> int | None:
        cut = subject.rfind("/") + 1
        prefix, suffix = subject[:cut], subject[cut:]
        for group, start in zip(self.groups, self.starts, strict=False):
            if group[0] == prefix:
                count = len(group) // 5
                try:
                    at = bisect_left(range(count), suffix, key=lambda n: group[1 + 5 * n])
                except TypeError:  # a suffix that is none
                    return None
                if at < count and group[1 + 5 * at] == suffix:
                    return start + at
        return None

    def cells(self, place: int) -> tuple[str, str, int, int, int, tuple[int, ...] | None]:
        """Prefix, suffix, act, 1 + index of the entry before or 0, state after, violations or None of a row."""
        at = bisect_right(self.starts, place) - 1
        group = self.groups[at]
        first = 1 + 5 * (place - self.starts[at])
        cells: tuple[str, str, int, int, int, tuple[int, ...] | None] = (group[0], *group[first : first + 5])
        if tuple(map(type, cells)) not in _CELLS:
            raise DecodeError(f"row {place} is damaged: verify the ledger")
        return cells


class Link(NamedTuple):
    """One entry of a subject's chain, with its row there; `fact` is None for what is no event, or not kept."""

    at: int
    act: int
    state: int
    codes: tuple[int, ...]
    fact: Fact | None

    @property
    def cycles(self) -> bool:
        """Whether its packing was into something that is in it."""
        return _CYCLE in self.codes


def epcs_of(fact: Fact, *, outputs: bool = False) -> list[str]:
    """The epcs of an event, or its outputs."""
    groups = fact.item(_OUTPUTS if outputs else _EPCS) or ()
    try:
        return [groups[at] + suffix for at in range(0, len(groups), 2) for suffix in groups[at + 1]]
    except TypeError:
        raise DecodeError(f"entry {fact.index}: its content is damaged: verify the ledger") from None


def classes_of(fact: Fact) -> list[str]:
    """The classes of what an event names by quantity, without codes."""
    return [quantity[0] for at in (_QUANTITIES, _MADE) for quantity in fact.item(at) or ()]


def lot_of(fact: Fact) -> str | None:
    """The lot that an event states: what `event.sale.label` says of it."""
    for at in (_ILMD, _EXTENSIONS):
        fields = fact.item(at)
        if isinstance(fields, tuple) and LOT in fields and not len(fields) % 3:
            said = {fields[n]: fields[n + 2] for n in range(0, len(fields), 3) if fields[n + 1] == LOT}
            found = next((said[number] for number in _MASTER_DATA if number in said), None)
            if found is not None:
                return found if isinstance(found, str) else None
    return None


def parties_of(fact: Fact, position: int, kind: str) -> list[str]:
    """The sources or destinations of an event of one type."""
    code = _PARTY_TYPE[kind]
    return [party for type_, party in fact.item(position) or () if type_ == code]


class Log:
    """The entries of a view, as facts. What is damaged or gone is noted in `unresolved`, by (kind, subject, index)."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._facts: dict[int, Fact | None] = {}
        self._rows: dict[int, Rows] = {}

    def fact(self, index: int) -> Fact | None:
        """The event of an entry; None where the entry is none, or its content is not kept."""
        try:
            return self._facts[index]
        except KeyError:
            pass
        header, part = self.view.header(index), self.view.content(index)
        found = None if part is None or not _is_event(header) else _fact(index, part)
        return self.keep(index, found)

    def event(self, index: int) -> Fact | None:
        """The same of an entry that is known to be an event: saves a look at its header."""
        try:
            return self._facts[index]
        except KeyError:
            part = self.view.content(index)
            return self.keep(index, None if part is None else _fact(index, part))

    def read(self, index: int, part: bytes | None) -> Fact | None:
        """The event of an entry whose content was read already; it is not remembered."""
        found = self._facts.get(index)
        return _fact(index, part) if found is None and part is not None else found

    def keep(self, index: int, fact: Fact | None) -> Fact | None:
        """Remember a fact."""
        if len(self._facts) >= _FACTS_MOST:
            self._facts.clear()
        self._facts[index] = fact
        return fact

    def cells(self, index: int, subject: str) -> tuple[int, int | None, int, tuple[int, ...]] | None:
        """(act, index of the entry before or None, state after, violations) of a subject in an entry."""
        rows = self.rows(index)
        place = None if rows is None else rows.place(subject)
        if rows is None or place is None:
            return None
        _, _, act, previous, state, codes = rows.cells(place)
        return act, previous - 1 if previous else None, state, codes or ()

    def back(self, subject: str, last: int) -> Iterator[tuple[int, tuple[int, int | None, int, tuple[int, ...]]]]:
        """The entries of a subject from one back, with its cells in each; ends where there is no row of it, or one that
        does not lead back."""
        at: int | None = last
        while at is not None and (cells := self.cells(at, subject)) is not None:
            yield at, cells
            at = cells[1] if cells[1] is not None and cells[1] < at else None

    def rows(self, index: int) -> Rows | None:
        """The rows of an entry; None where they are missing."""
        found = self._rows.get(index)
        if found is None:
            part = self.view.rows(index)
            if part is None:
                return None
            found = _rows(index, part)
            if len(self._rows) >= _ROWS_MOST:
                self._rows.clear()
            self._rows[index] = found
        return found

    def chain(self, subject: str, last: int | None, unresolved: set[Unresolved]) -> list[Link]:
        """The entries of a subject, oldest first, from its latest. What cannot be followed further is unresolved."""
        found: list[Link] = []
        at = last
        while at is not None:
            try:
                cells = self.cells(at, subject)
            except DataError as error:
                unresolved.add(Unresolved("damaged", subject, at, str(error)))
                break
            if cells is None and self.faded(at):
                words = "the rows of this entry are not kept, so nothing is known of it and of what was before it"
                unresolved.add(Unresolved("pruned", subject, at, words))
                break
            if cells is None or (cells[1] is not None and cells[1] >= at):
                unresolved.add(Unresolved("damaged", subject, at, "there is no row of it, or one that leads nowhere"))
                break
            act, before, state, codes = cells
            fact: Fact | None = None
            try:
                fact = self.fact(at)
            except DataError as error:  # its row leads on all the same
                unresolved.add(Unresolved("damaged", subject, at, str(error)))
            else:
                if fact is None and self.is_event(at):
                    unresolved.add(Unresolved("pruned", subject, at, "the content of this entry is not kept"))
            found.append(Link(at, act, state, codes, fact))
            at = before
        found.reverse()
        return found

    def faded(self, index: int) -> bool:
        """Whether nothing of an event is kept but its header."""
        return self.is_event(index) and self.view.rows(index) is None and self.view.content(index) is None

    def is_event(self, index: int) -> bool:
        """Whether an entry states an event."""
        return _is_event(self.view.header(index))

    def children(self, index: int) -> Iterator[str]:
        """The subjects of an entry."""
        rows = self.rows(index)
        for group in () if rows is None else rows.groups:
            for suffix in group[1::5]:
                yield group[0] + suffix


def _is_event(header: bytes | None) -> bool:
    return header is not None and header[4:5] == _EVENT


def _rows(index: int, part: bytes) -> Rows:
    value = unpack_known(part[SALT_SIZE:])
    if not isinstance(value, tuple) or not all(isinstance(group, tuple) and len(group) % 5 == 1 for group in value[1:]):
        raise DecodeError(f"entry {index}: its rows are damaged: verify the ledger")
    groups = cast("_Groups", value[1:])
    starts = [0, *accumulate(len(group) // 5 for group in groups)]
    return Rows(part[:SALT_SIZE], cast("int", value[0]), groups, starts)


def _fact(index: int, part: bytes) -> Fact:
    items: Any = unpack_known(part[SALT_SIZE:])
    try:
        raw = items + _NILS[len(items) :]
        time, offset, action, parent, epcs, step = raw[_TIME : _STEP + 1]
        place = raw[_READ_POINT]
        if place is None:
            place = raw[_LOCATION]
        whole = (
            type(time) is type(offset) is int
            and (parent is None or type(parent) is str)
            and (place is None or type(place) is str)
            and (step is None or type(step) is int or type(step) is str)
            and _are_groups(epcs)
            and _are_groups(raw[_OUTPUTS])
        )
    except (TypeError, ValueError, IndexError):
        whole = False
    if not whole:
        raise DecodeError(f"entry {index}: its content is damaged: verify the ledger")
    return Fact(index, time, raw[0], action or 0, parent, place, step, raw[_DECLARATION] is not None, items)


#: As many items as a content may have.
_NILS = (None,) * 29


def _are_groups(groups: Any) -> bool:
    """Whether something is id groups (format.md section 9.3), as far as it takes to look into them."""
    if groups is None:
        return True
    return len(groups) % 2 == 0 and (type(groups[1]) is tuple if len(groups) == 2 else _are_tuples(groups[1::2]))


def _are_tuples(some: Any) -> bool:
    return all(type(one) is tuple for one in some)
