"""The unit index: canonical id -> unit number -> word (state and latest entry), docs/format.md section 11.

Random updates are what a ledger this size costs, so a word is not written where it belongs at once:

    tail    the changes of the last commits, a sorted array rewritten by each small commit
    delta   the changes of the last dozens of commits, a sorted array; takes the tail when that is full
    base    blocks of 250 words in order of unit numbers; each fold merges the next slice of the delta into it

A fold merges as large a share of the base's range as the share of the delta's capacity that came in, so the delta stays
bounded, the base is written in order, and no commit has to pay for many others. All of it changes in the
transaction of the log, so a snapshot has log and index of one moment. The newest of tail, delta and base holds.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from math import isqrt
from typing import Any

from tracechain import encoding
from tracechain.errors import DecodeError
from tracechain.store.environment import Environment
from tracechain.store.tables import BASE, MEMORY, META, PACKED, UNITS, key_of

__all__ = ["BLOCK", "IndexReader", "UnitIndex"]

#: Each kind of word has its table of blocks, and its keys in `meta`: position, tail, delta.
_KEYS = {
    BASE: (b"index", b"tail", b"delta"),
    MEMORY: (b"memory", b"memory tail", b"memory delta"),
    PACKED: (b"packed", b"packed tail", b"packed delta"),
}

#: Words a block of the base.
BLOCK = 250
#: Words in the tail before it is folded into the delta: as many as some commits bring, within these bounds. Small
#: commits have a small tail to rewrite, large ones need not fold each time.
TAIL_LEAST, TAIL_MOST, TAIL_COMMITS = 512, 8192, 4
#: Words in the delta once it is warm. More means fewer pages of the base a commit, and a longer array to rewrite; both
#: together are least at about the root of (units x words a fold / 2), and a fold takes some thousand words.
DELTA_CAPACITY = 8_192
DELTA_GROWTH = 2_048
#: Blocks of the base that are remembered: 16 MiB.
BLOCKS_MOST = 8192

_ZERO_BLOCK = bytes(8 * BLOCK)


def _native(words: array[int]) -> array[int]:
    """Between the file's little-endian words and this machine's."""
    if sys.byteorder == "big":
        words.byteswap()
    return words


def _pack(numbers: list[int], words: Iterator[int]) -> bytes:
    return _native(array("Q", numbers)).tobytes() + _native(array("Q", words)).tobytes()


def _unpack(data: bytes | None) -> tuple[array[int], array[int]]:
    """Sorted unit numbers, and their words."""
    if data is None:
        return array("Q"), array("Q")
    if len(data) % 16:
        raise DecodeError("a part of the unit index is damaged: run `tracechain reindex`")
    both = array("Q")
    both.frombytes(data)
    half = len(both) // 2
    return _native(both[:half]), _native(both[half:])


class UnitIndex:
    """The writer's side. Holds tail and delta in memory between commits while no other process has written."""

    def __init__(self, env: Environment, txn: Any, table: str = BASE) -> None:
        self._env = env
        self._units = env.tables[UNITS]
        self._base = env.tables[table]
        self._meta = env.tables[META]
        self._keys = _KEYS[table]
        self._others: dict[str, UnitIndex] = {}
        self.changed = False
        key, tail, delta = self._keys
        stored = txn.get(key, None, self._meta)
        try:
            value = (0, 0) if stored is None else encoding.unpack_strict(stored, max_bytes=64, max_depth=1)
        except DecodeError:
            value = None
        match value:
            case (int() as count, int() as position):
                self.count, self._position = count, position
            case _:
                raise DecodeError("the unit index is damaged: run `tracechain reindex`")
        self.tail: dict[int, int] = dict(zip(*_unpack(txn.get(tail, None, self._meta)), strict=True))
        self._flushed = len(self.tail)
        # Changed in place by a fold before its commit: whoever aborts a transaction drops the whole object.
        self._blocks: dict[int, array[int]] = {}
        self.delta: dict[int, int] = dict(zip(*_unpack(txn.get(delta, None, self._meta)), strict=True))

    def other(self, txn: Any, table: str) -> UnitIndex:
        """Another word of each unit: what the rules remember of a pack (MEMORY), what a subject is in (PACKED)."""
        found = self._others.get(table)
        if found is None:
            found = self._others[table] = UnitIndex(self._env, txn, table)
            found.count = self.count
        return found

    def remember(self, number: int, word: int) -> None:
        """Change a unit's word, until the next flush in `tail` alone."""
        self.tail[number] = word
        self.changed = True

    def recall(self, txn: Any, number: int) -> int:
        """A unit's word of a kind that may go back to 0, unlike those of `words`."""
        word = self.tail.get(number)
        if word is None:
            word = self.delta.get(number)
        if word is None:
            word = self._folded(txn, number)
        return word

    def recall_all(self, txn: Any, numbers: Sequence[int]) -> list[int]:
        """The words of many units, of such a kind."""
        tail, delta = self.tail.get, self.delta.get
        found = [tail(number) for number in numbers]
        if None in found:
            found = [delta(number) if word is None else word for word, number in zip(found, numbers, strict=True)]
            if None in found:
                read = self._folded
                return [read(txn, n) if word is None else word for word, n in zip(found, numbers, strict=True)]
        return found  # type: ignore[return-value]  # none is None

    def word(self, txn: Any, number: int) -> int:
        """The word of a unit: 0 for one that was numbered just now."""
        return self.words(txn, [number])[0]

    def words(self, txn: Any, numbers: list[int]) -> list[int]:
        """The words of many units."""
        tail, delta = self.tail.get, self.delta.get
        words = [tail(number) or delta(number) for number in numbers]
        if None in words:
            read = self._folded
            return [read(txn, number) if word is None else word for word, number in zip(words, numbers, strict=True)]
        return words  # type: ignore[return-value]  # none is None

    @property
    def _folded(self) -> Callable[[Any, int], int]:
        """How to read a word that is in the base."""
        return self._word_in_base if self.count > BLOCK * BLOCKS_MOST else self._word_in_block

    def _word_in_base(self, txn: Any, number: int) -> int:
        """A word by itself: where the base is larger than what is remembered, whole blocks are not worth it."""
        data = txn.get(key_of(number // BLOCK), _ZERO_BLOCK, self._base)
        at = number % BLOCK * 8
        return int.from_bytes(data[at : at + 8], "little")

    def _word_in_block(self, txn: Any, number: int) -> int:
        return self._block(txn, number // BLOCK)[number % BLOCK]

    def _block(self, txn: Any, block: int) -> array[int]:
        """A block of the base, remembered: units of one block tend to be scanned together, and a lookup costs a
        copy."""
        words = self._blocks.get(block)
        if words is None:
            words = array("Q")
            words.frombytes(txn.get(key_of(block), _ZERO_BLOCK, self._base))
            _native(words)
            if self.count <= BLOCK * BLOCKS_MOST:
                self._blocks[block] = words
        return words

    def add(self, txn: Any, subjects: list[bytes]) -> None:
        """Number new subjects, in this order, from `count` on."""
        first = self.count
        txn.cursor(self._units).putmulti(
            [(subject, (first + n).to_bytes(8, "big")) for n, subject in enumerate(subjects)]
        )
        self.count += len(subjects)

    def flush(self, txn: Any) -> None:
        """Write what changed since the last flush: `tail` has it."""
        key, tail, _ = self._keys
        for other in self._others.values():
            if other.changed:
                other.count = self.count
                other.flush(txn)
                other.changed = False
        changed = max(len(self.tail) - self._flushed, 1)
        if len(self.tail) > min(max(TAIL_LEAST, TAIL_COMMITS * changed), TAIL_MOST):
            self._fold(txn)
        self._flushed = len(self.tail)
        numbers = sorted(self.tail)
        txn.put(tail, _pack(numbers, map(self.tail.__getitem__, numbers)), db=self._meta)
        txn.put(key, encoding.pack((self.count, self._position)), db=self._meta)

    def rewrite(self, txn: Any, words: Mapping[int, int]) -> None:
        """Change many words at once, in the base itself and in order of its blocks; the next flush keeps the rest."""
        if not words:
            return
        blocks: dict[int, array[int]] = {}
        for number in sorted(words):
            self.tail.pop(number, None)
            self.delta.pop(number, None)
            at = number // BLOCK
            block = blocks.get(at)
            if block is None:
                block = blocks[at] = self._block(txn, at)
            block[number - at * BLOCK] = words[number]
        txn.cursor(self._base).putmulti(
            [(key_of(at), _native(array("Q", block)).tobytes()) for at, block in blocks.items()]
        )
        numbers = sorted(self.delta)
        txn.put(self._keys[2], _pack(numbers, map(self.delta.__getitem__, numbers)), db=self._meta)
        self.changed = True

    def _fold(self, txn: Any) -> None:
        blocks = -(-self.count // BLOCK)
        capacity = max(DELTA_CAPACITY, isqrt(DELTA_GROWTH * self.count))
        width = min(blocks, -(-blocks * len(self.tail) // capacity))
        self.delta.update(self.tail)
        self.tail = {}
        numbers = sorted(self.delta)
        end = self._position + width
        low = bisect_left(numbers, self._position * BLOCK)
        high = bisect_left(numbers, end * BLOCK)
        self._merge(txn, numbers[low:high])
        self._position = 0 if end >= blocks else end
        del numbers[low:high]
        txn.put(self._keys[2], _pack(numbers, map(self.delta.__getitem__, numbers)), db=self._meta)

    def _merge(self, txn: Any, numbers: list[int]) -> None:
        """Move the words of these units, ascending, from the delta into the base."""
        take = self.delta.pop
        changed: dict[int, array[int]] = {}
        for number in numbers:
            block = number // BLOCK
            words = changed.get(block)
            if words is None:
                words = changed[block] = self._block(txn, block)
            words[number - block * BLOCK] = take(number)
        txn.cursor(self._base).putmulti(
            [(key_of(block), _native(array("Q", words)).tobytes()) for block, words in changed.items()]
        )

    @staticmethod
    def rebuild(
        env: Environment,
        txn: Any,
        units: Iterator[tuple[str, int]],
        others: Mapping[str, Mapping[str, int]] | None = None,
        *,
        chunk: int = 100_000,
    ) -> int:
        """Replace the whole index by (subject, word) in order of first sight; returns how many there are.

        `others` are the other words of subjects, by table.
        """
        meta = env.tables[META]
        others = others or {}
        for name in (UNITS, *_KEYS):
            txn.drop(env.tables[name], delete=False)
        for keys in _KEYS.values():
            for key in keys:
                txn.delete(key, db=meta)
        base = _Blocks(txn, env.tables[BASE])
        blocks = [(_Blocks(txn, env.tables[name]), words) for name, words in others.items()]
        count = 0
        pending: list[tuple[bytes, bytes]] = []
        for subject, word in units:
            pending.append((subject.encode(), count.to_bytes(8, "big")))
            base.add(word)
            for block, words in blocks:
                block.add(words.get(subject, 0))
            count += 1
            if len(pending) == chunk:
                txn.cursor(env.tables[UNITS]).putmulti(sorted(pending))
                pending = []
        for one in (base, *(block for block, _ in blocks)):
            one.end()
        txn.cursor(env.tables[UNITS]).putmulti(sorted(pending))
        txn.put(b"index", encoding.pack((count, 0)), db=meta)
        for name, words in others.items():
            if words:
                txn.put(_KEYS[name][0], encoding.pack((count, 0)), db=meta)
        return count


class _Blocks:
    """Writes words in order of unit numbers, block by block; blocks of nothing but zeros are left out."""

    def __init__(self, txn: Any, table: Any) -> None:
        self._cursor = txn.cursor(table)
        self._words = array("Q")
        self._block = 0

    def add(self, word: int) -> None:
        """The next word."""
        self._words.append(word)
        if len(self._words) == BLOCK:
            self._put()

    def end(self) -> None:
        """Fill up and write the last block."""
        if self._words:
            self._words.extend([0] * (BLOCK - len(self._words)))
            self._put()

    def _put(self) -> None:
        if any(self._words):
            self._cursor.put(key_of(self._block), _native(self._words).tobytes(), append=True)
        self._words = array("Q")
        self._block += 1


class IndexReader:
    """The reader's side: looks units up in the transaction of a snapshot."""

    def __init__(self, env: Environment, txn: Any, table: str = BASE) -> None:
        self._txn = txn
        self._units = env.tables[UNITS]
        self._base = env.tables[table]
        meta = env.tables[META]
        self._parts = [_unpack(txn.get(name, None, meta)) for name in _KEYS[table][1:]]
        #: What is not in the base yet, and its numbers in order; read when somebody asks for many words.
        self._recent: dict[int, int] | None = None
        self._changed: list[int] = []
        self._blocks: dict[int, array[int]] = {}

    def word(self, subject: str) -> int | None:
        """The word of a subject, None if it has no number."""
        number = self._txn.get(subject.encode(), None, self._units) if subject else None
        return None if number is None else self.numbered(int.from_bytes(number, "big"))

    def numbered(self, number: int) -> int:
        """The word of a unit by its number."""
        for numbers, words in self._parts:
            at = bisect_left(numbers, number)
            if at < len(numbers) and numbers[at] == number:
                return words[at]
        block, at = divmod(number, BLOCK)
        data = self._txn.get(key_of(block), _ZERO_BLOCK, self._base)
        return int.from_bytes(data[8 * at : 8 * at + 8], "little")

    def many(self, numbers: list[int]) -> list[int]:
        """The words of many units, best in order of their numbers: blocks are read once."""
        recent = self._latest()
        found = [recent.get(number) for number in numbers]
        if None not in found:
            return found  # type: ignore[return-value]  # none is None
        blocks, block_of = self._blocks, self._block
        result = []
        for number, word in zip(numbers, found, strict=True):
            if word is None:
                block = number // BLOCK
                words_of = blocks.get(block)
                if words_of is None:
                    words_of = block_of(block)
                word = words_of[number - block * BLOCK]  # noqa: PLW2901 - it was not found before
            result.append(word)
        return result

    def run(self, numbers: range) -> list[int]:
        """The words of units whose numbers are in a row."""
        first, last = numbers[0] // BLOCK, numbers[-1] // BLOCK
        found: list[int] = []
        for block in range(first, last + 1):
            words = self._blocks.get(block)
            found += self._block(block) if words is None else words
        found = found[numbers[0] - first * BLOCK : numbers[-1] + 1 - first * BLOCK]
        recent, changed = self._latest(), self._changed
        for number in changed[bisect_left(changed, numbers[0]) : bisect_left(changed, numbers[-1] + 1)]:
            found[number - numbers[0]] = recent[number]
        return found

    def _latest(self) -> dict[int, int]:
        """What is not in the base yet."""
        recent = self._recent
        if recent is None:
            recent = self._recent = {}
            for numbers, words in reversed(self._parts):
                recent.update(zip(numbers, words, strict=True))
            self._changed = sorted(recent)
        return recent

    def _block(self, block: int) -> array[int]:
        words = array("Q")
        words.frombytes(self._txn.get(key_of(block), _ZERO_BLOCK, self._base))
        if len(self._blocks) >= BLOCKS_MOST:
            self._blocks.clear()
        self._blocks[block] = _native(words)
        return words

    def items(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """(subject, word) of every unit whose id begins with `prefix`, in order of their ids."""
        first = prefix.encode()
        cursor = self._txn.cursor(self._units)
        if not (cursor.set_range(first) if first else cursor.first()):
            return
        for subject, number in cursor:
            if not subject.startswith(first):
                return
            yield subject.decode(), self.numbered(int.from_bytes(number, "big"))

    def between(self, after: str, until: str | None) -> Iterator[list[tuple[str, int]]]:
        """(subject, word) of the units whose ids are over `after` and not over `until`, in order of their ids, in runs
        that grow: the quick way to read many."""
        first = after.encode() + b"\0"  # no id holds a NUL, so nothing is between
        last = None if until is None else until.encode()
        cursor = self._txn.cursor(self._units)
        pairs, count = iter(cursor.iternext() if cursor.set_range(first) else ()), 64
        while run := list(islice(pairs, count)):
            count = min(2 * count, 4096)
            behind = last is not None and run[-1][0] > last
            if behind:
                run = [pair for pair in run if last is None or pair[0] <= last]
            words = self.many([int.from_bytes(number, "big") for _, number in run])
            yield list(zip([subject.decode() for subject, _ in run], words, strict=True))
            if behind:
                return
