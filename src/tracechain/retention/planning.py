"""How a plan is made: three passes over the log, each part of each entry getting a number for its ground.

    1   headers, contents, rows: until when each entry has to be kept, by header, floor and policy
    2   of what is due: what holds cover it, whether something in it is in use still; and of entries whose contents are
        gone, which of them are followed by others of that kind in the chains of all their subjects
    3   of these, oldest first, whose rows may go

A million entries come through this, so they are never made into objects: headers are cut by `struct`, rows stay the
arrays that they are on disk.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, cast

from tracechain import encoding
from tracechain.custody import CUSTODY_MASK, EXPIRY_SHIFT, PILOT, Custody, is_pack
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import HEADER_SIZE, OPEN_DAY, SALT_SIZE, EntryType
from tracechain.errors import DataError, DecodeError
from tracechain.retention.dates import shanghai_day, year_of
from tracechain.retention.decisions import Part, Personal, Reason, Verdict, Why
from tracechain.retention.holding import Holding, product_of
from tracechain.retention.prunings import prunings
from tracechain.retention.ranges import Ranges, contains
from tracechain.retention.terms import NO_PACK, Key, Terms, event_day
from tracechain.rules.packing import OUT, PLACE_MASK
from tracechain.view import View

__all__ = ["Planner"]

#: Type, receipt time, record class, keep-until, row count, content length, rows length (format.md section 2).
_HEADERS = struct.Struct(">4xB3xQH2xI16xIII76x")
assert _HEADERS.size == HEADER_SIZE

_BLOCK = 4096
_EVENT = int(EntryType.EVENT)
#: Custodies in which a pack has ended: nothing is done with it any more as a rule.
_ENDED = frozenset(map(int, (Custody.DEAD, Custody.EXPORTED, Custody.SOLD, Custody.DELIVERED)))
#: Positions in an event's content (format.md section 9.1).
_ACTION, _PARENT, _EPCS, _QUANTITIES, _ERROR, _PERSON, _PRIVATE = 3, 4, 5, 10, 19, 24, 25
_AGGREGATION, _DELETE = 2, 3
#: What an entry is, for the later passes.
_OTHER, _THERE, _FADED = 0, 1, 2

#: Rows as they are stored, unpacked: rule set, then groups of a prefix and five cells a row.
Rows: TypeAlias = "tuple[Any, ...]"


class Planner:
    """One planning: `run` fills the columns."""

    def __init__(
        self,
        view: View,
        terms: Terms | None,
        holding: Holding,
        as_of: int,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.view = view
        self.terms = terms
        self.as_of = as_of
        self.progress = progress
        self.asked = holding.on(as_of)
        size = view.size
        self.contents = array("I", bytes(4 * size))
        self.rows = array("I", bytes(4 * size))
        self.personal: list[Personal] = []
        #: (part, ground, year) -> [count, bytes]
        self.sums: dict[tuple[Part, int, int], list[int]] = {}
        self.grounds: list[tuple[Verdict, Reason]] = [(Verdict.KEEP, Reason(Why.ALWAYS))]
        self._numbers: dict[tuple[Verdict, Reason], int] = {}
        #: Whether the policy lets an entry go: what was lawfully pruned is due too.
        self._due = bytearray(size)
        self._kinds = bytearray(size)
        self._rule_sets = bytearray(size)
        self._row_counts = array("I", bytes(4 * size))
        #: In how many of the chains that an entry with lost contents is in, the next entry has lost them too.
        self._followed = array("I", bytes(4 * size))
        self._structure = self._ground(Verdict.KEEP, Reason(Why.STRUCTURE))
        self._content_kept = self._ground(Verdict.KEEP, Reason(Why.CONTENT_KEPT))
        self._gone = [(one.contents, one.rows, one.done_at) for one in prunings(view) if one.done is not None]

    def run(self) -> None:
        """All three passes."""
        size = self.view.size
        for start in range(0, size, _BLOCK):
            self._read(start, min(start + _BLOCK, size))
            self._tell(start)
        for start in range(0, size, _BLOCK):
            self._check(start, min(start + _BLOCK, size))
            self._tell(size + start)
        self._finish()
        self._tell(2 * size)

    def _tell(self, done: int) -> None:
        if self.progress is not None:
            self.progress(done, 2 * self.view.size)

    def _ground(self, verdict: Verdict, reason: Reason) -> int:
        key = verdict, reason
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.grounds)
            self.grounds.append(key)
        return number

    # ---- 1: until when -------------------------------------------------------------------------

    def _read(self, start: int, stop: int) -> None:
        headers, contents, rows = self.view.block(start, stop)
        if None in headers:
            raise DataError(f"entry {start + headers.index(None)}: its header is missing; verify the ledger")
        joined = b"".join(cast("list[bytes]", headers))
        if len(joined) != HEADER_SIZE * (stop - start):
            raise DataError(f"a header among entries {start} to {stop - 1} is cut; verify the ledger")
        for index, fields, content, part in zip(
            range(start, stop), _HEADERS.iter_unpack(joined), contents, rows, strict=True
        ):
            kind, time, record_class, keep_until, row_count, _, _ = fields
            if part is not None:
                self._rule_sets[index] = _rule_set(part)
            if kind != _EVENT:
                self.contents[index] = self._structure
                self.rows[index] = self._structure if row_count else 0
                continue
            self._row_counts[index] = row_count
            if content is None:
                self._lost(index, row_count, part)
                continue
            self._kinds[index] = _THERE
            if row_count and part is None:
                self.contents[index] = self._ground(Verdict.KEEP, Reason(Why.MISSING, note="rows"))
                self.rows[index] = self._ground(Verdict.GONE, Reason(Why.MISSING))
                continue
            self._term(index, time, record_class, keep_until, content, part)

    def _lost(self, index: int, row_count: int, part: bytes | None) -> None:
        """An event without its content."""
        self.contents[index], lawful = self._gone_by(index, 0)
        self._due[index] = lawful
        if not row_count:
            return
        if part is None:
            self.rows[index], _ = self._gone_by(index, 1)
        elif lawful:
            self._kinds[index] = _FADED
        else:
            self.rows[index] = self._ground(Verdict.KEEP, Reason(Why.MISSING, note="content"))

    def _gone_by(self, index: int, which: int) -> tuple[int, bool]:
        for one in self._gone:
            ranges = cast("Ranges", one[which])
            if contains(ranges, index):
                return self._ground(Verdict.GONE, Reason(Why.DONE, note=f"entry {one[2]}")), True
        return self._ground(Verdict.GONE, Reason(Why.MISSING)), False

    def _term(
        self, index: int, time: int, record_class: int, keep_until: int, content: bytes, part: bytes | None
    ) -> None:
        """Until when an event has to be kept."""
        if self.terms is None:
            self.contents[index] = self._ground(Verdict.KEEP, Reason(Why.NO_POLICY))
            return
        key = self._key(time, record_class, content, part)
        day, reason = self.terms.entry(key)
        if keep_until != OPEN_DAY and keep_until > day:
            day, reason = keep_until, Reason(Why.HEADER, day=keep_until)
        due = day != OPEN_DAY and self.as_of > day
        self._due[index] = due
        self.contents[index] = self._ground(Verdict.PRUNE if due else Verdict.KEEP, reason)
        if self.terms.fields and content[SALT_SIZE] == 0xDC and content[SALT_SIZE + 2] > _PERSON:
            self._personal(index, key, content, part)

    def _key(self, time: int, record_class: int, content: bytes, part: bytes | None) -> Key:
        terms = self.terms
        assert terms is not None
        packs: set[tuple[str | None, int]] = set()
        if part is not None:
            for group in _unpacked(part)[1:]:
                prefix, by_product = group[0], terms.asks_product
                if prefix.startswith("01/") and prefix.endswith("/21/"):
                    product = product_of(prefix) if by_product else None
                    packs.update((product, state >> EXPIRY_SHIFT) for state in group[4::5])
                    continue
                for suffix, state in zip(group[1::5], group[4::5], strict=True):
                    subject = prefix + suffix
                    product = product_of(subject) if by_product else None
                    if is_pack(subject):
                        packs.add((product, state >> EXPIRY_SHIFT))
                    elif product is not None:
                        packs.add((product, NO_PACK))
        event = _event_day(content) if terms.asks_event else None
        return record_class, shanghai_day(time), event, frozenset(packs)

    def _personal(self, index: int, key: Key, content: bytes, part: bytes | None) -> None:
        """The personal values that an event speaks of."""
        assert self.terms is not None
        items = cast("tuple[Any, ...]", encoding.unpack_known(content[SALT_SIZE:]))
        said: list[tuple[Part, str, bytes]] = []
        if items[_PERSON] is not None:
            said.append((Part.IDENTITY, "identity", items[_PERSON]))
        if len(items) > _PRIVATE and items[_PRIVATE]:
            said += [(Part.PRIVATE, name, commitment) for name, commitment in items[_PRIVATE]]
        for what, name, value in said:
            verdict, reason = self.terms.personal(key, name, self.as_of)
            if verdict is Verdict.ERASE and self.asked.holds:
                subjects = [] if part is None else _subjects(_unpacked(part))
                hold = self.asked.covers(subjects, content[SALT_SIZE:])
                if hold is not None:
                    verdict, reason = Verdict.RESTRICT, Reason(Why.HOLD, note=hold.why)
            self.personal.append(Personal(index, what, name, value, verdict, reason))

    # ---- 2: holds, what is in use, what is followed --------------------------------------------

    def _check(self, start: int, stop: int) -> None:
        kinds = self._kinds[start:stop]
        due = self._due
        asked = [at for at, kind in enumerate(kinds, start) if kind == _FADED or (kind == _THERE and due[at])]
        if not asked:
            return
        view = self.view
        parts = view.parts(asked)
        there: list[tuple[int, list[str], bytes]] = []
        for index, (content, part) in zip(asked, parts, strict=True):
            rows = () if part is None else _unpacked(part)
            if self._kinds[index] == _FADED:
                self._follow(rows)
            elif content is not None:
                there.append((index, _subjects(rows), content))
        words = view.words([one for _, subjects, _ in there for one in subjects])
        at = 0
        for index, subjects, content in there:
            why = self._kept(index, subjects, content, words[at : at + len(subjects)])
            at += len(subjects)
            if why is not None:
                self.contents[index] = self._ground(Verdict.KEEP, why)

    def _kept(
        self, index: int, subjects: Sequence[str], content: bytes, words: Sequence[tuple[int, int]]
    ) -> Reason | None:
        """Why an event that is due stays all the same."""
        if self.asked.holds:
            hold = self.asked.covers(subjects, content[SALT_SIZE:])
            if hold is not None:
                return Reason(Why.HOLD, note=hold.why)
        for subject, (word, packed) in zip(subjects, words, strict=True):
            if not word:
                raise DataError(f"{subject}: entry {index} has a row of it, and the index does not know it; reindex")
            last = (word & INDEX_MASK) - 1
            if self._due[last]:
                continue
            if self._rule_sets[last] == PILOT and word >> STATE_SHIFT & CUSTODY_MASK not in _ENDED and is_pack(subject):
                return Reason(Why.OPEN)
            place = packed & PLACE_MASK
            if place and not packed & OUT and index >= place - 1 and self._inside(place):
                return Reason(Why.PACKED)
        if content[_after_head(content)] == _AGGREGATION and self._empties(index, content):
            return Reason(Why.EMPTIED)
        return None

    def _inside(self, place: int) -> bool:
        """Whether what was packed by an entry (1 + index) has not been emptied out since."""
        content = self.view.content(place - 1)
        parent, _ = (None, 0) if content is None else encoding.packing_of(content[SALT_SIZE:])
        return parent is not None and self.view.emptied(parent) <= place

    def _empties(self, index: int, content: bytes) -> bool:
        """Whether it is the latest emptying of a container."""
        items = cast("tuple[Any, ...]", encoding.unpack_known(content[SALT_SIZE:]))
        parent = items[_PARENT] if len(items) > _PARENT else None
        return parent is not None and items[_ACTION] == _DELETE and self.view.emptied(parent) == index + 1

    def _follow(self, rows: Rows) -> None:
        """Tell the entries before one whose content is gone."""
        followed, kinds = self._followed, self._kinds
        for group in rows[1:]:
            for previous in group[3::5]:
                if previous and kinds[previous - 1] == _FADED:
                    followed[previous - 1] += 1

    # ---- 3: rows -------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Rows, and the sums."""
        go = self._ground(Verdict.PRUNE, Reason(Why.OLDEST_FIRST))
        waits = self._ground(Verdict.KEEP, Reason(Why.EARLIER_ROWS))
        next_round = self._ground(Verdict.KEEP, Reason(Why.NEXT_ROUND))
        pruned = [verdict is Verdict.PRUNE for verdict, _ in self.grounds]
        size = self.view.size
        for start in range(0, size, _BLOCK):
            stop = min(start + _BLOCK, size)
            asked = []
            for index in range(start, stop):
                kind = self._kinds[index]
                if kind == _THERE and self._row_counts[index] and not self.rows[index]:
                    self.rows[index] = next_round if pruned[self.contents[index]] else self._content_kept
                elif kind == _FADED:
                    asked.append(index)
            for index, rows in self._rows_of(asked):
                if self._followed[index] != self._row_counts[index]:
                    self.rows[index] = self._not_followed(index, rows)
                    continue
                hold = self.asked.covers(_subjects(rows), None) if self.asked.holds else None
                if hold is not None:
                    self.rows[index] = self._ground(Verdict.KEEP, Reason(Why.HOLD, note=hold.why))
                else:
                    free = all(self._free(one - 1, go) for group in rows[1:] for one in group[3::5] if one)
                    self.rows[index] = go if free else waits
            self._sum(start, stop)

    def _free(self, index: int, go: int) -> bool:
        """Whether the rows of an entry are gone or go."""
        number = self.rows[index]
        return number == go or (number > 0 and self.grounds[number][0] is Verdict.GONE)

    def _rows_of(self, indices: list[int]) -> Iterator[tuple[int, Rows]]:
        for index, (_, part) in zip(indices, self.view.parts(indices), strict=True):
            if part is not None:
                yield index, _unpacked(part)

    def _not_followed(self, index: int, rows: Rows) -> int:
        """Rows that have to stay: the latest of a subject, or before an entry with a content."""
        words = self.view.words(_subjects(rows))
        latest = any(word & INDEX_MASK == index + 1 for word, _ in words)
        return self._ground(Verdict.KEEP, Reason(Why.LATEST if latest else Why.FOLLOWED))

    def _sum(self, start: int, stop: int) -> None:
        headers, _, _ = self.view.block(start, stop)
        counted: Counter[tuple[Part, int, int]] = Counter()
        sizes: Counter[tuple[Part, int, int]] = Counter()
        for index, fields in enumerate(_HEADERS.iter_unpack(b"".join(cast("list[bytes]", headers))), start):
            _, time, _, _, _, content_length, rows_length = fields
            year = year_of(shanghai_day(time))
            key = Part.CONTENT, self.contents[index], year
            counted[key] += 1
            sizes[key] += content_length + SALT_SIZE
            if number := self.rows[index]:
                key = Part.ROWS, number, year
                counted[key] += 1
                sizes[key] += rows_length + SALT_SIZE
        for key, count in counted.items():
            row = self.sums.setdefault(key, [0, 0])
            row[0] += count
            row[1] += sizes[key]


def _unpacked(part: bytes) -> Rows:
    return cast("Rows", encoding.unpack_known(part[SALT_SIZE:]))


def _subjects(rows: Rows) -> list[str]:
    return [group[0] + suffix for group in rows[1:] for suffix in group[1::5]]


def _rule_set(part: bytes) -> int:
    """The rule set of stored rows, 0 for one that fits into no byte."""
    found = part[_after_head(part)]
    return found if found < 0x80 else 0


def _after_head(part: bytes) -> int:
    """Where the first item of a stored array stands."""
    head = part[SALT_SIZE]
    return SALT_SIZE + (1 if head < 0xA0 else 3 if head == 0xDC else 5)


def _event_day(content: bytes) -> int | None:
    """The day of the claimed time of an event."""
    at = _after_head(content) + 1
    if content[at] == 0xCF:
        return event_day(int.from_bytes(content[at + 1 : at + 9], "big"))
    try:
        return event_day(encoding.claimed_time(content[SALT_SIZE:]))
    except DecodeError:
        return None
