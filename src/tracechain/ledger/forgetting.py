"""Forgetting: what a pruning changes in the index, in the transaction that drops the parts (docs/format.md 7.5).

Whoever rebuilds the index from the log that is left has to come to the same words, so each rule here is the same as in
a fold from nothing (`rules.Notes.lose`), worked out for those subjects alone that lost something. Mostly the latest
entry of such a subject went too: then nothing is remembered of it, and nothing has to be read. Of the others the
entries after the last loss are read again.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from tracechain import encoding
from tracechain.custody import ACT_MASK, Act
from tracechain.derivation import INDEX_MASK
from tracechain.entry import SALT_SIZE, EntryType, Row, decode_rows
from tracechain.event import AggregationEvent, Event
from tracechain.event.sale import LOT, label
from tracechain.ledger.tracks import TIMES_BLOCK
from tracechain.retention.ranges import Ranges
from tracechain.rules import MADE, packing, shanghai_year
from tracechain.rules.guards import ANCHOR_MASK, LOT_SHIFT, lot_check
from tracechain.rules.mentions import transformed_name
from tracechain.store import Transaction
from tracechain.store.tables import MEMORY, PACKED

__all__ = ["forget"]

_MAKING = MADE | {int(Act.COMMISSION)}
_USED = frozenset({int(Act.RELABEL_OLD), int(Act.CONSUME)})
#: Entries that are remembered while chains are read again; the packs of a case share theirs.
_REMEMBERED = 4096
#: How many names of subjects, and how many words of the index, are looked up in one go.
_NAMES_AT_ONCE, _WORDS_AT_ONCE = 262_144, 100_000
_FIX_STR = range(0xA0, 0xC0)
_ROW_COUNT = slice(40, 44)


def forget(txn: Transaction, contents: Ranges, rows: Ranges, time: int) -> None:
    """Drop contents and rows of events, and everything that the index has of them.

    The ranges hold entries alone that are events and have the part. `time` is the latest receipt time (ms): accounts of
    years that count no more go too. The caller flushes the index.
    """
    lost = _losing(txn, contents)
    txn.drop_parts(contents, rows)
    txn.cut_mentions(contents)
    _forget_times(txn, contents)
    txn.drop_spent(shanghai_year(time) - 1)
    _Words(txn, lost).forget()


def _losing(txn: Transaction, contents: Ranges) -> dict[int, int]:
    """The numbers of the subjects of these entries, each with the last one. Numbers are kept, as they take less room
    than names; but a name is looked up only when many have been gathered, for it comes again and again."""
    lost: dict[int, int] = {}
    named: dict[bytes, int] = {}
    for index, part in txn.rows_of(contents):
        for subject in _subjects(part):
            named[subject] = index
        if len(named) >= _NAMES_AT_ONCE:
            _number(txn, named, lost)
    _number(txn, named, lost)
    return lost


def _number(txn: Transaction, named: dict[bytes, int], lost: dict[int, int]) -> None:
    numbers = txn.numbers(named)
    lost.update((numbers[subject], index) for subject, index in named.items())
    named.clear()


def _subjects(part: bytes) -> Sequence[bytes]:
    """The subjects in stored rows, of one row mostly: read off its bytes."""
    first = part[SALT_SIZE + 3]
    if part[SALT_SIZE] == 0x92 and part[SALT_SIZE + 2] == 0x96 and first in _FIX_STR:
        cut = SALT_SIZE + 4 + first - 0xA0
        second = part[cut]
        if second in _FIX_STR:
            return (part[SALT_SIZE + 4 : cut] + part[cut + 1 : cut + 1 + second - 0xA0],)
    return [row.subject.encode() for row in decode_rows(part[SALT_SIZE:])[1]]


def _forget_times(txn: Transaction, contents: Ranges) -> None:
    """The latest claimed times of blocks are those of what is kept."""
    blocks: set[int] = set()
    for start, stop in contents:
        blocks.update(range(start // TIMES_BLOCK, (stop - 1) // TIMES_BLOCK + 1))
    latest: dict[int, int] = {}
    for block in sorted(blocks):
        for index, part in txn.contents_of(((block * TIMES_BLOCK, (block + 1) * TIMES_BLOCK),)):
            header = txn.header(index)
            if header[4] == EntryType.EVENT and any(header[_ROW_COUNT]):
                claimed = encoding.claimed_time(part[SALT_SIZE:])
                if claimed <= int.from_bytes(header[8:16], "big") * 1_000_000 + packing.AFTER_RECEIPT:
                    latest[block] = max(latest.get(block, claimed), claimed)
        if block not in latest:
            txn.drop_time(block)
    txn.put_times(latest)


@define
class _Words:
    """Words of packing and memories, put as a rebuilt index has them. `lost` are the subjects that lost an entry, by
    number, with the last of those; what is to go is gone already."""

    _txn: Transaction
    _lost: dict[int, int]
    _rows: dict[int, dict[str, Row]] = field(factory=dict)
    _events: dict[int, Event | None] = field(factory=dict)
    _memories: dict[int, int] = field(factory=dict)
    _names: dict[int, dict[int, str]] = field(factory=dict)

    def forget(self) -> None:
        """Change what has to be changed."""
        txn = self._txn
        raw, index = txn.txn, txn.index
        packed, memory = index.other(raw, PACKED), index.other(raw, MEMORY)
        numbers = sorted(self._lost)
        for start in range(0, len(numbers), _WORDS_AT_ONCE):
            here = numbers[start : start + _WORDS_AT_ONCE]
            words: dict[int, int] = {}
            columns = index.words(raw, here), packed.recall_all(raw, here), memory.recall_all(raw, here)
            for number, latest, word, remembered in zip(here, *columns, strict=True):
                last, lost = latest & INDEX_MASK, self._lost[number] + 1
                new, known = packing.TANGLED, 0
                if last > lost and (remembered or word & packing.PLACE_MASK):
                    subject = self._name(number, lost - 1)
                    new = self._packed(subject, last, lost)
                    anchor = remembered & ANCHOR_MASK
                    known = self._lot(subject, last) << LOT_SHIFT | (anchor if anchor > lost else 0)
                if new != word:
                    words[number] = new
                if known != remembered:
                    self._memories[number] = known
            packed.rewrite(raw, words)
        self._made_of()
        memory.rewrite(raw, self._memories)

    def _name(self, number: int, index: int) -> str:
        """The subject of a number, which has a row in an entry."""
        found = self._names.get(index)
        if found is None:
            if len(self._names) >= _REMEMBERED:
                self._names.clear()
            told = self._txn.numbers(subject.encode() for subject in self._rows_of(index))
            found = self._names[index] = {other: subject.decode() for subject, other in told.items()}
        return found[number]

    # ---- what packs remember ----

    def _lot(self, subject: str, place: int) -> int:
        """The lot check of a pack after an entry of it, by 1 + its index: set by the latest making since the last
        loss, by the event's lot, or that of what the pack was made of."""
        while place:
            rows = self._rows_of(place - 1)
            row = rows.get(subject)
            if row is None or self._txn.content(place - 1) is None:
                return 0
            if row.act & ACT_MASK in _MAKING and not row.violations and (event := self._event(place - 1)) is not None:
                lot = label(event, LOT)
                if lot is not None:
                    return lot_check(lot)
                row = next((one for one in rows.values() if _lawfully(one, _USED)), None)
                if row is None:
                    return 0
                subject = row.subject
            place = 0 if row.previous is None else row.previous + 1
        return 0

    def _made_of(self) -> None:
        """Packs that were made of what lost something, and have their lot from there: in the order of the log, as they
        may be used up in their turn."""
        txn, changed = self._txn, set[str]()
        memory = txn.index.other(txn.txn, MEMORY)
        made = {index for run in txn.mentioned(transformed_name("")) for index in run}
        for index in sorted(made):
            rows = self._rows_of(index)
            used = next((row.subject for row in rows.values() if _lawfully(row, _USED)), None)
            if used is None or not (used in changed or txn.number(used.encode()) in self._lost):
                continue
            event = self._event(index)
            if event is None or label(event, LOT) is not None:
                continue
            for row in rows.values():
                if not _lawfully(row, MADE):
                    continue
                changed.add(row.subject)
                number = txn.number(row.subject.encode())
                if number is None:
                    continue
                before = self._memories.get(number)
                if before is None:
                    before = memory.recall(txn.txn, number)
                place = txn.index.word(txn.txn, number) & INDEX_MASK
                after = self._lot(row.subject, place) << LOT_SHIFT | before & ANCHOR_MASK
                if after != before:
                    self._memories[number] = after

    # ---- what subjects are in ----

    def _packed(self, subject: str, place: int, lost: int) -> int:
        """The word of packing of a subject by its entries since its last loss now; both are 1 + an index."""
        past = _One(self)
        for index, row in self._since(subject, place, lost):
            event = self._event(index)
            if event is None:
                if self._txn.header(index)[4] == EntryType.EVENT:
                    past.word = packing.TANGLED  # it was lost before, by an earlier pruning
                continue
            past.index, past.event = index, event
            if isinstance(event, AggregationEvent):
                outcomes = [(row.state, row.violations)]
                stated = frozenset(event.epcs)
                packing.pack(past, index, event, [(subject, row.act)], [subject], [0], outcomes, stated)
            elif subject in packing.leaving(event):
                packing.leave(past, [subject])
        return past.word

    def _since(self, subject: str, place: int, lost: int) -> list[tuple[int, Row]]:
        """The entries of a subject after its last loss, in order, with its rows."""
        found: list[tuple[int, Row]] = []
        while place > lost:
            row = self._rows_of(place - 1).get(subject)
            if row is None:
                break
            found.append((place - 1, row))
            place = 0 if row.previous is None else row.previous + 1
        found.reverse()
        return found

    def emptied(self, container: str, index: int, event: Event | None) -> int:
        """1 + index of the entry by which a container was emptied last before an entry that is about it. All that ever
        emptied something is kept (docs/format.md section 5.10)."""
        last = self._txn.emptied(container)
        if last <= index or not isinstance(event, AggregationEvent) or event.parent != container:
            return last
        row = self._rows_of(index).get(container)
        while row is not None and row.previous is not None:
            at = row.previous
            before = self._event(at)
            if before is not None and packing.empties(before):
                return at + 1
            row = self._rows_of(at).get(container)
        return 0

    def packing(self, place: int) -> tuple[str | None, int]:
        """Container and claimed time of a packing."""
        part = self._txn.content(place - 1)
        return packing.packing_of(None if part is None else part[SALT_SIZE:])

    # ---- the log ----

    def _rows_of(self, index: int) -> dict[str, Row]:
        found = self._rows.get(index)
        if found is None:
            part = self._txn.rows(index)
            found = {} if part is None else {row.subject: row for row in decode_rows(part[SALT_SIZE:])[1]}
            if len(self._rows) >= _REMEMBERED:
                self._rows.clear()
            self._rows[index] = found
        return found

    def _event(self, index: int) -> Event | None:
        """The event of an entry; None where it is none, or not kept."""
        if index not in self._events:
            part = self._txn.content(index)
            here = part is not None and self._txn.header(index)[4] == EntryType.EVENT
            if len(self._events) >= _REMEMBERED:
                self._events.clear()
            self._events[index] = encoding.decode(part[SALT_SIZE:]) if part is not None and here else None
        return self._events[index]


def _lawfully(row: Row, acts: frozenset[int]) -> bool:
    return row.act & ACT_MASK in acts and not row.violations


@define
class _One:
    """The packing of one subject, whose word alone may change: a rules.PackingPast."""

    _words: _Words
    word: int = packing.TANGLED
    index: int = 0
    event: Event | None = None

    def packed(self, key: str) -> int:  # noqa: ARG002  # PackingPast's; there is one
        """Its word."""
        return self.word

    def packed_all(self, keys: Sequence[str]) -> list[int]:
        """Its word."""
        return [self.word] * len(keys)

    def put_packed(self, key: str, word: int) -> None:  # noqa: ARG002  # likewise
        """Change it."""
        self.word = word

    def emptied(self, container: str) -> int:
        """As of the entry that is being taken."""
        return self._words.emptied(container, self.index, self.event)

    def put_emptied(self, container: str, place: int) -> None:
        """What empties a container stays, and so does this."""

    def packing(self, place: int) -> tuple[str | None, int]:
        """Container and claimed time of a packing."""
        return self._words.packing(place)

    def key_of(self, subject: str) -> str | None:
        """A subject goes by itself."""
        return subject
