"""What may go, slowly: the rules of docs/format.md section 5.10 as they are written, entry by entry.

Nothing here is shared with the planner but the policy, the criteria and the reading of entries.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from tracechain import encoding
from tracechain.criteria import Codes, Criterion
from tracechain.custody import PILOT, Custody, is_pack, unpack_state
from tracechain.entry import OPEN_DAY, SALT_SIZE, EntryType, Header, Row, decode_rows, parse_header
from tracechain.event import AggregationEvent, Event
from tracechain.registers import Product
from tracechain.retention.dates import day_of, floor_day, shanghai_day
from tracechain.retention.policy import Facts, Policy
from tracechain.rules.packing import OUT, PLACE_MASK
from tracechain.rules.recalled import Known, meets
from tracechain.view import View

__all__ = ["Held", "Model"]


@define
class Held:
    """A hold as a test says it: until when (None: no end), by criterion, about what."""

    until: int | None = None
    criterion: Criterion | None = None
    about: frozenset[str] = frozenset()


@define
class Model:
    """All entries of a view, taken apart. `files` are all versions of products' files, `lost` what done records say
    that was pruned."""

    view: View
    policy: Policy
    holds: list[Held]
    as_of: int
    files: dict[str, list[Product]]
    lost: frozenset[int] = frozenset()
    headers: list[Header] = field(factory=list)
    events: dict[int, Event] = field(factory=dict)
    rows: dict[int, tuple[Row, ...]] = field(factory=dict)
    rule_sets: dict[int, int] = field(factory=dict)
    chains: dict[str, list[int]] = field(factory=dict)
    held_boxes: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        for index in range(self.view.size):
            self.headers.append(parse_header(self.view.header(index) or b""))
            content, rows = self.view.content(index), self.view.rows(index)
            if content is not None and self.headers[index].type == EntryType.EVENT:
                self.events[index] = encoding.decode(content[SALT_SIZE:])
            if rows is not None:
                self.rule_sets[index], self.rows[index] = decode_rows(rows[SALT_SIZE:])
                for row in self.rows[index]:
                    self.chains.setdefault(row.subject, []).append(index)
        self.holds = [one for one in self.holds if one.until is None or self.as_of <= one.until]
        before = -1
        while before != len(self.held_boxes):
            before = len(self.held_boxes)
            for some in self.rows.values():
                subjects = [row.subject for row in some]
                if any(self.is_held(one) for one in subjects if is_pack(one) or _box(one)):
                    self.held_boxes.update(filter(_box, subjects))

    # ---- holds ----

    def is_held(self, subject: str) -> bool:
        """Whether a subject is under hold."""
        if subject in self.held_boxes or any(subject in one.about for one in self.holds):
            return True
        if _box(subject):
            return any(one.criterion is not None and subject in _codes(one.criterion) for one in self.holds)
        if not is_pack(subject) and not subject.startswith(("01/", "nmpa/")):
            return False
        product = _product(subject)
        files = self.files.get(product, [])
        for one in self.holds:
            if any(
                _product(about) == product
                for about in one.about
                if about.startswith(("01/", "nmpa/")) and not is_pack(about)
            ):
                return True
            if any(file.merchant in one.about for file in files):
                return True
            if one.criterion is not None and any(
                meets(one.criterion, Known(product, file, 0, subject)) is not False for file in files or (None,)
            ):
                return True
        return False

    def holds_entry(self, index: int) -> bool:
        """Whether an entry is under hold."""
        if any(self.is_held(row.subject) for row in self.rows.get(index, ())):
            return True
        if index not in self.events:
            return False
        content = (self.view.content(index) or b"")[SALT_SIZE:]
        texts = {
            text
            for one in self.holds
            for text in one.about
            if not is_pack(text) and not text.startswith(("01/", "nmpa/"))
        }
        return any(encoding.pack(text) in content for text in texts)

    # ---- contents ----

    def due(self, index: int) -> bool:
        """Whether policy, header and floor let the content of an entry go."""
        header = self.headers[index]
        if header.type != EntryType.EVENT:
            return False
        if index in self.lost:
            return True
        if index not in self.events:
            return False
        if self.as_of <= floor_day(header.time):
            return False
        if header.keep_until != OPEN_DAY and self.as_of <= header.keep_until:
            return False
        return all(self.policy.keep(facts).due(self.as_of) for facts in self._facts(index))

    def _facts(self, index: int) -> Iterable[Facts]:
        header, event = self.headers[index], self.events[index]
        rows = self.rows.get(index, ())
        goods = [row for row in rows if is_pack(row.subject) or row.subject.startswith(("01/", "nmpa/"))]
        for product in {_product(row.subject) for row in goods} or {""}:
            files = self.files.get(product, [])
            classes = {file.category for file in files}
            expiries = [
                None if (expiry := unpack_state(row.state).expiry) is None else day_of(expiry)
                for row in goods
                if is_pack(row.subject) and _product(row.subject) == product
            ]
            yield Facts(
                header.record_class, shanghai_day(header.time), shanghai_day(event.event_time // 1_000_000),
                tuple(expiries), None, max((day_of(file.published_on) for file in files), default=None),
                classes.pop() if len(classes) == 1 else None,
            )  # fmt: skip

    def in_use(self, index: int) -> bool:
        """Whether something in an entry is in use still."""
        event = self.events[index]
        for row in self.rows.get(index, ()):
            subject = row.subject
            last = self.chains[subject][-1]
            if self.due(last):
                continue
            state = self.rows[last][[one.subject for one in self.rows[last]].index(subject)].state
            ended = (Custody.DEAD, Custody.EXPORTED, Custody.SOLD, Custody.DELIVERED)
            if is_pack(subject) and self.rule_sets[last] == PILOT and unpack_state(state).custody not in ended:
                return True
            _, word = self.view.words([subject])[0]
            place = word & PLACE_MASK
            if place and not word & OUT and place - 1 <= index and place - 1 in self.events:
                packing = self.events[place - 1]
                assert isinstance(packing, AggregationEvent)
                assert packing.parent is not None
                if self.view.emptied(packing.parent) <= place:
                    return True
        return _empties(event)

    def content_goes(self, index: int) -> bool:
        """Whether the content of an entry goes."""
        return (
            index in self.events and self.due(index) and not self.holds_entry(index) and not self.in_use(index)
            and (self.headers[index].row_count == 0 or index in self.rows)
        )  # fmt: skip

    # ---- rows ----

    def rows_go(self) -> set[int]:
        """The entries whose rows go."""
        going: set[int] = set()
        for index in sorted(self.rows):
            if index not in self.lost or self.headers[index].type != EntryType.EVENT or self.holds_entry(index):
                continue
            if all(self._row_goes(index, row, going) for row in self.rows[index]):
                going.add(index)
        return going

    def _row_goes(self, index: int, row: Row, going: set[int]) -> bool:
        chain = self.chains[row.subject]
        at = chain.index(index)
        if at == len(chain) - 1 or chain[at + 1] not in self.lost:
            return False
        return row.previous is None or row.previous not in self.rows or row.previous in going


def _empties(event: Event) -> bool:
    """Whether an event empties a container."""
    if not isinstance(event, AggregationEvent) or event.action != "DELETE" or event.error_declaration is not None:
        return False
    return event.parent is not None and not event.epcs and not event.quantities


def _product(subject: str) -> str:
    return subject[:12] if subject.startswith("nmpa/") else subject[:17]


def _box(subject: str) -> bool:
    return not is_pack(subject) and not subject.startswith(("01/", "nmpa/", "urn:tracechain:"))


def _codes(criterion: Criterion) -> set[str]:
    if isinstance(criterion, Codes):
        return set(criterion.codes)
    parts = getattr(criterion, "parts", None) or [part for part in [getattr(criterion, "part", None)] if part]
    return {code for part in parts for code in _codes(part)}
