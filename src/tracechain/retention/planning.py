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
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, cast

from tracechain import encoding
from tracechain.collector import uninterrupted
from tracechain.custody import CUSTODY_MASK, EXPIRY_SHIFT, PILOT, Custody, is_pack
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import HEADER_SIZE, OPEN_DAY, SALT_SIZE, EntryType
from tracechain.errors import DataError, DecodeError
from tracechain.retention.dates import shanghai_day, year_of
from tracechain.retention.decisions import Part, Personal, Reason, Verdict, Why
from tracechain.retention.holding import Hold, Holding, product_of
from tracechain.retention.keeping import NO_PACK
from tracechain.retention.prunings import Executed, prunings
from tracechain.retention.terms import EAST_NS, NS_PER_DAY, Key, Packs, Terms, event_day
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
_OTHER, _THERE, _PACKS, _FADED = range(4)
_WITH_CONTENT = (_THERE, _PACKS)
#: So many subjects that are not due are remembered; where there are more, all are looked up.
_ALIVE_MOST = 1 << 20

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
        self._lengths = array("I", bytes(4 * size)), array("I", bytes(4 * size))
        self._row_counts = array("I", bytes(4 * size))
        self._years = array("I", bytes(4 * size))
        #: In how many of the chains that an entry with lost contents is in, the next entry has lost them too.
        self._followed = array("I", bytes(4 * size))
        #: Subjects of entries that are not due: of all others the latest entry is. Where they are too many, all are
        #: looked up.
        self._alive: set[str] = set()
        self._many = False
        self._structure = self._ground(Verdict.KEEP, Reason(Why.STRUCTURE))
        self._content_kept = self._ground(Verdict.KEEP, Reason(Why.CONTENT_KEPT))
        done = prunings(view)
        self._gone = Executed.contents(done), Executed.rows(done)
        #: What a hold names in contents: orders, places, persons.
        self._reads = self.asked.reads
        self._named: dict[int, Hold] = {}
        self._asks_event = terms is not None and terms.asks_event
        self._asks_fields = terms is not None and bool(terms.fields)
        #: What the policy says: last day, and the grounds of what stays and goes by it.
        self._answers: dict[Key, tuple[int, int, int]] = {}
        self._by_header: dict[int, tuple[int, int]] = {}
        self._products: dict[str, str | None] = {}

    def run(self) -> None:
        """All three passes."""
        size = self.view.size
        with uninterrupted():
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
        kinds, times, classes, untils, counts, *lengths = zip(*_HEADERS.iter_unpack(joined), strict=True)
        self._row_counts[start:stop] = array("I", counts)
        for column, found in zip(self._lengths, lengths, strict=True):
            column[start:stop] = array("I", found)
        rule_sets, entry_kinds, alive = self._rule_sets, self._kinds, self._alive
        term, unpack = self._term, encoding.unpack_known
        days = list(map(_DAYS.__getitem__, times))
        self._years[start:stop] = array("I", map(_YEARS.__getitem__, days))
        for index, kind, received, record_class, until, content, part in zip(
            range(start, stop), kinds, days, classes, untils, contents, rows, strict=True
        ):
            if kind == _EVENT and content is not None and part is not None:
                said = cast("Rows", unpack(part[SALT_SIZE:]))
                rule_sets[index] = said[0] & 0xFF
                at = SALT_SIZE + 1 if content[SALT_SIZE] < 0xA0 else SALT_SIZE + 3  # behind the head of the array
                entry_kinds[index] = _PACKS if content[at] == _AGGREGATION else _THERE
                if not term(index, received, record_class, until, content, said):
                    for group in said[1:]:
                        prefix = group[0]
                        alive.update([prefix + suffix for suffix in group[1::5]])
            elif kind == _EVENT:
                self._event_in_part(index, received, record_class, until, content, part)
            else:
                self.contents[index] = self._structure
                if part is not None:
                    said = _unpacked(part)
                    self.rows[index] = self._structure
                    rule_sets[index] = said[0] & 0xFF
                    alive.update(_subjects(said))
        if len(alive) > _ALIVE_MOST:
            self._many, self._alive = True, set()

    def _event_in_part(
        self, index: int, received: int, record_class: int, until: int, content: bytes | None, part: bytes | None
    ) -> None:
        """An event that has no rows, or of which something is not there."""
        count = self._row_counts[index]
        if content is not None:
            if count:
                self.contents[index] = self._ground(Verdict.KEEP, Reason(Why.MISSING, note="rows"))
                self.rows[index] = self._ground(Verdict.GONE, Reason(Why.MISSING))
            else:
                self._kinds[index] = _THERE
                self._term(index, received, record_class, until, content, ())
            return
        self.contents[index], lawful = self._gone_by(index, 0)
        self._due[index] = lawful
        if part is None:
            if count:
                self.rows[index], _ = self._gone_by(index, 1)
            return
        said = _unpacked(part)
        self._rule_sets[index] = said[0] & 0xFF
        if lawful:
            self._kinds[index] = _FADED
            return
        self.rows[index] = self._ground(Verdict.KEEP, Reason(Why.MISSING, note="content"))
        self._alive.update(_subjects(said))

    def _gone_by(self, index: int, which: int) -> tuple[int, bool]:
        one = self._gone[which].find(index)
        if one is not None:
            return self._ground(Verdict.GONE, Reason(Why.DONE, note=f"entry {one.done_at}")), True
        return self._ground(Verdict.GONE, Reason(Why.MISSING)), False

    def _term(self, index: int, received: int, record_class: int, until: int, content: bytes, said: Rows) -> bool:
        """Until when an event has to be kept, and whether that is over."""
        terms = self.terms
        if terms is None:
            self.contents[index] = self._ground(Verdict.KEEP, Reason(Why.NO_POLICY))
            return False
        packs: Packs
        group: tuple[Any, ...] = said[1] if len(said) == 2 else ()
        if len(group) == 6 and self._products.get(group[0]) is not None:
            # The usual scan: one subject. What makes it a pack, and of which product, is in its prefix.
            packs = self._products[group[0]] or "", group[4] >> EXPIRY_SHIFT
        else:
            packs = self._packs(said)
        event: int | None = None
        if self._asks_event:
            at = SALT_SIZE + 2 if content[SALT_SIZE] < 0xA0 else SALT_SIZE + 4
            if content[at] == 0xCF:
                event = (int.from_bytes(content[at + 1 : at + 9], "big") + EAST_NS) // NS_PER_DAY
            else:
                event = _event_day(content)
        key = record_class, received, event, packs
        answer = self._answers.get(key)
        if answer is None:
            day, reason = terms.entry(key)
            numbers = self._ground(Verdict.KEEP, reason), self._ground(Verdict.PRUNE, reason)
            answer = self._answers[key] = day, *numbers
        day, keep, prune = answer
        if until != OPEN_DAY and until > day:
            day = until
            keep, prune = self._by_header.get(until) or self._header_grounds(until)
        due = self.as_of > day and day != OPEN_DAY
        self._due[index] = due
        self.contents[index] = prune if due else keep
        if due and self._reads:
            hold = self.asked.named_in(content[SALT_SIZE:])
            if hold is not None and said:
                self._named[index] = hold
            elif hold is not None:
                self.contents[index] = self._ground(Verdict.KEEP, Reason(Why.HOLD, note=hold.why))
        if content[SALT_SIZE] == 0xDC and content[SALT_SIZE + 2] > _PERSON and self._asks_fields:
            self._personal(index, key, content, said)
        return due

    def _header_grounds(self, until: int) -> tuple[int, int]:
        reason = Reason(Why.HEADER, day=until)
        found = self._by_header[until] = self._ground(Verdict.KEEP, reason), self._ground(Verdict.PRUNE, reason)
        return found

    def _packs(self, said: Rows) -> Packs:
        """What the policy may ask of the packs in some rows."""
        asks = self.terms is not None and self.terms.asks_product
        packs: set[tuple[str, int]] = set()
        for group in said[1:]:
            prefix = group[0]
            product = self._products[prefix] if prefix in self._products else self._product(prefix)
            if product is not None:
                if len(said) == 2 and len(group) == 6:
                    return product, group[4] >> EXPIRY_SHIFT
                packs.update((product, state >> EXPIRY_SHIFT) for state in group[4::5])
                continue
            for suffix, state in zip(group[1::5], group[4::5], strict=True):
                subject = prefix + suffix
                product = (product_of(subject) if asks else None) or ""
                if is_pack(subject):
                    packs.add((product, state >> EXPIRY_SHIFT))
                elif product:
                    packs.add((product, NO_PACK))
        return frozenset(packs)

    def _product(self, prefix: str) -> str | None:
        """The product of all subjects with a prefix, "" where the policy does not ask, None if they are no packs."""
        found: str | None = None
        if prefix.startswith("01/") and prefix.endswith("/21/"):
            asks = self.terms is not None and self.terms.asks_product
            found = (product_of(prefix) if asks else None) or ""
        self._products[prefix] = found
        return found

    def _personal(self, index: int, key: Key, content: bytes, said: Rows) -> None:
        """The personal values that an event speaks of."""
        assert self.terms is not None
        items = cast("tuple[Any, ...]", encoding.unpack_known(content[SALT_SIZE:]))
        some: list[tuple[Part, str, bytes]] = []
        if items[_PERSON] is not None:
            some.append((Part.IDENTITY, "identity", items[_PERSON]))
        if len(items) > _PRIVATE and items[_PRIVATE]:
            some += [(Part.PRIVATE, name, commitment) for name, commitment in items[_PRIVATE]]
        for what, name, value in some:
            verdict, reason = self.terms.personal(key, name, self.as_of)
            if verdict is Verdict.ERASE and self.asked.holds:
                hold = self.asked.covers(_subjects(said), content[SALT_SIZE:])
                if hold is not None:
                    verdict, reason = Verdict.RESTRICT, Reason(Why.HOLD, note=hold.why)
            self.personal.append(Personal(index, what, name, value, verdict, reason))

    # ---- 2: holds, what is in use, what is followed --------------------------------------------

    def _check(self, start: int, stop: int) -> None:
        kinds, due = self._kinds[start:stop], self._due[start:stop]
        if not any(due) and _FADED not in kinds:
            return
        alive, many, holds = self._alive, self._many, bool(self.asked.holds)
        for index, part in self.view.all_rows(start, stop):
            kind = kinds[index - start]
            if kind == _FADED:
                self._follow(_unpacked(part))
            elif kind and due[index - start]:
                subjects = _subjects(_unpacked(part))
                why = self._held(index, subjects) if holds else None
                if why is None and (many or kind == _PACKS or not alive.isdisjoint(subjects)):
                    why = self._in_use(index, subjects, aggregates=kind == _PACKS)
                if why is not None:
                    self.contents[index] = self._ground(Verdict.KEEP, why)

    def _content(self, index: int) -> bytes:
        return (self.view.content(index) or b"")[SALT_SIZE:]

    def _held(self, index: int, subjects: Sequence[str]) -> Reason | None:
        """What hold covers an event."""
        hold = self.asked.covers(subjects, None) or self._named.get(index)
        return None if hold is None else Reason(Why.HOLD, note=hold.why)

    def _in_use(self, index: int, subjects: Sequence[str], *, aggregates: bool) -> Reason | None:
        """Why an event that is due and not held stays all the same."""
        for subject, (word, packed) in zip(subjects, self.view.words(subjects), strict=True):
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
        return Reason(Why.EMPTIED) if aggregates and self._empties(index) else None

    def _inside(self, place: int) -> bool:
        """Whether what was packed by an entry (1 + index) has not been emptied out since."""
        content = self.view.content(place - 1)
        parent, _ = (None, 0) if content is None else encoding.packing_of(content[SALT_SIZE:])
        return parent is not None and self.view.emptied(parent) <= place

    def _empties(self, index: int) -> bool:
        """Whether it empties a container: without it, what was in there and packed again would seem to have stayed."""
        items = cast("tuple[Any, ...]", encoding.unpack_known(self._content(index)))
        said = dict(enumerate(items))
        return (
            said.get(_PARENT) is not None
            and said[_ACTION] == _DELETE
            and not (said.get(_EPCS) or said.get(_QUANTITIES) or said.get(_ERROR))
        )

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
        #: By the ground of a content that is there, that of the rows.
        beside = [next_round if verdict is Verdict.PRUNE else self._content_kept for verdict, _ in self.grounds]
        size = self.view.size
        for start in range(0, size, _BLOCK):
            stop = min(start + _BLOCK, size)
            kinds = self._kinds[start:stop]
            self.rows[start:stop] = array(
                "I",
                [
                    beside[content] if kind in _WITH_CONTENT and count else row
                    for kind, count, content, row in zip(
                        kinds, self._row_counts[start:stop], self.contents[start:stop], self.rows[start:stop],
                        strict=True,
                    )
                ],
            )  # fmt: skip
            faded = [index for index, kind in enumerate(kinds, start) if kind == _FADED]
            for index, rows in self._rows_of(faded):
                if self._followed[index] != self._row_counts[index]:
                    self.rows[index] = self._not_followed(index, rows)
                    continue
                hold = self.asked.covers(_subjects(rows), None) if self.asked.holds else None
                if hold is not None:
                    self.rows[index] = self._ground(Verdict.KEEP, Reason(Why.HOLD, note=hold.why))
                else:
                    free = all(self._free(one - 1, go) for group in rows[1:] for one in group[3::5] if one)
                    self.rows[index] = go if free else waits
            years = self._years[start:stop]
            self._sum(Part.CONTENT, self.contents[start:stop], years, self._lengths[0][start:stop])
            self._sum(Part.ROWS, self.rows[start:stop], years, self._lengths[1][start:stop])

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

    def _sum(self, part: Part, column: array[int], years: array[int], lengths: array[int]) -> None:
        keys = list(zip(column, years, strict=True))
        some = set(keys)
        if len(some) == 1:  # the usual block
            found = {keys[0]: [len(keys), sum(lengths)]}
        else:
            found = {key: [0, 0] for key in some}
            for key, length in zip(keys, lengths, strict=True):
                row = found[key]
                row[0] += 1
                row[1] += length
        for (number, year), (count, size) in found.items():
            if number:
                row = self.sums.setdefault((part, number, year), [0, 0])
                row[0] += count
                row[1] += size + SALT_SIZE * count


def _unpacked(part: bytes) -> Rows:
    return cast("Rows", encoding.unpack_known(part[SALT_SIZE:]))


def _subjects(rows: Rows) -> list[str]:
    return [group[0] + suffix for group in rows[1:] for suffix in group[1::5]]


def _event_day(content: bytes) -> int | None:
    """The day of the claimed time of an event before 1970, or in its first seconds."""
    try:
        return event_day(encoding.claimed_time(content[SALT_SIZE:]))
    except DecodeError:
        return None


class _Days(dict[int, int]):
    """The day of a receipt time; the entries of a commit have one."""

    def __missing__(self, time: int) -> int:
        if len(self) > _BLOCK:
            self.clear()
        self[time] = day = shanghai_day(time)
        return day


class _Years(dict[int, int]):
    """The calendar year of a day."""

    def __missing__(self, day: int) -> int:
        if len(self) > _BLOCK:
            self.clear()
        self[day] = year = year_of(day)
        return year


_DAYS, _YEARS = _Days(), _Years()
