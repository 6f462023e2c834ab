"""The quick way of verification: runs of events of one unit each, checked column by column.

A content that was decoded once is known again by its shape: the bytes before and after the serial number, but for
the time.
What else an entry must be (numbers, commitment, row, link, state) is computed and compared as bytes. Nothing is
concluded from a difference: an entry that differs anywhere is left to the careful way of `range`, which finds the
words.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from hashlib import sha256
from itertools import count
from typing import cast

from attrs import define, field

from tracechain import custody, encoding
from tracechain.custody import EXPIRY_SHIFT, Act
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import CONTENT_TAG, MAX_CONTENT, ROW_TAG, SALT_SIZE, ZERO
from tracechain.errors import DecodeError
from tracechain.event.values import MAX_ID
from tracechain.retention.keeping import NO_PACK
from tracechain.verification.covering import Covering, RangeResult, Word
from tracechain.view import View

__all__ = ["ENDINGS", "Columns"]

_COUNTS = struct.Struct(">QIIIIQ")
_SHAPES_MOST = 4096
_ENDINGS_MOST = 1 << 20


class _Endings(dict[tuple[int, int], tuple[int, bytes]]):
    """How a lawful row ends, by state before and act: (state after, its bytes and those of the violations)."""

    def __init__(self, rule_set: int) -> None:
        super().__init__()
        self._table = custody.TABLES[rule_set]

    def __missing__(self, key: tuple[int, int]) -> tuple[int, bytes]:
        state, codes = self._table[key]
        ending = state, encoding.pack(state) + encoding.pack(codes or None)
        if len(self) >= _ENDINGS_MOST:
            self.clear()
        self[key] = ending
        return ending


ENDINGS = {rule_set: _Endings(rule_set) for rule_set in custody.TABLES}


#: What a content is by its tail: the three bytes before its time, its act, and the bytes of that.
_Kind = tuple[bytes, int, bytes]


@define
class _Shape:
    """A content of an event of one unit, but for time, serial, and what comes after the serial (`tails`): there are the
    business step and the disposition, so the act depends on it."""

    prefix: str
    row_head: bytes
    #: Whether the subject is a pack, and so what its keep-until day rests on.
    pack: bool
    #: The length byte of the serial where it decides what the subject is (nmpa/), else 0.
    size: int = 0
    tails: dict[bytes, _Kind] = field(factory=dict)


class Columns(ABC):
    """The state of a pass over a range of entries, and its quick way; `range.RangeCheck` is the rest of it."""

    def __init__(
        self, view: View, start: int, last: dict[str, Word], entering: dict[str, tuple[int, int, int]] | None
    ) -> None:
        self.view = view
        self.start = start
        self.last = last
        self.entering = entering
        #: (rule set, act, how the row ends) -> number: what a row claims of its subject beside the entry before.
        self.claims: dict[tuple[int, int, bytes], int] = {}
        self.result = RangeResult()
        self._leaves: list[bytes] = []
        self._covering: Covering | None = None
        self._shapes: dict[bytes, _Shape] = {}
        self._edges: list[int] = []
        self._rule_set = 0
        #: The rules by which the shapes were read.
        self._shape_rules = custody.PLAIN

    @abstractmethod
    def _end_covering(self, index: int) -> None:
        """Conclude the statement whose entries end before `index`."""

    def _columns(
        self, index: int, headers: list[bytes | None], contents: list[bytes | None], rows: list[bytes | None]
    ) -> int:
        """Check neighbouring events of one unit each under one statement, column by column; returns how many stood.

        The usual case, and the one that has to be quick: contents that were seen before but for time and serial need
        not be decoded, and what the rest of an entry must be is computed and compared as bytes. An entry that is
        anything else ends the run; it is looked at by `_slow`.
        """
        covering = self._covering
        assert covering is not None
        assert covering.heads is not None
        heads = covering.heads
        if None in headers or None in contents or None in rows:
            return 0
        h_s, p_s, r_s = cast("tuple[list[bytes], list[bytes], list[bytes]]", (headers, contents, rows))
        edge = next((e for e in self._edges if p_s[0][SALT_SIZE + 11 : e] in self._shapes), None)
        if edge is None:
            return 0
        found = [self._shapes.get(p[SALT_SIZE + 11 : edge]) for p in p_s]
        if None in found:
            del found[found.index(None) :]
        shapes = cast("list[_Shape]", found)
        sizes = [p[edge] for p in p_s]
        if min(sizes) <= 0xA0 or max(sizes) >= 0xC0:
            return 0
        afters = [edge - 0x9F + size for size in sizes]
        times = [p[35:39] for p in p_s]
        serials = [p[edge + 1 : after] for p, after in zip(p_s, afters, strict=True)]
        told = [shape.tails.get(p[after:]) for shape, p, after in zip(shapes, p_s, afters, strict=False)]
        kinds = cast("list[_Kind]", told)
        if not (
            min(times) > b"\0\0\0\0"
            and max(times) < b"\x80"
            and b"".join(serials).isalnum()
            and None not in told
            and all(not shape.size or shape.size == size for shape, size in zip(shapes, sizes, strict=False))
            and all(kind[0] == p[32:35] for kind, p in zip(kinds, p_s, strict=False))
        ):
            return 0
        texts = b"\n".join(serials).decode().split("\n")
        subjects = [shape.prefix + text for shape, text in zip(shapes, texts, strict=False)]
        if len(set(subjects)) != len(subjects):
            del subjects[_first_repeated(subjects) :]
        stands = self._stands(subjects, shapes, kinds, texts, r_s)
        leaves, start = self._leaves, self.start
        earlier = [
            ZERO if not before else leaves[before - 1 - start] if before > start else self._leaf(before - 1)
            for before, _, _ in stands
        ]
        pack, numbers, policy = encoding.pack, _COUNTS.pack, heads.policy
        expected_rows = [
            shape.row_head + p[edge:after] + act_bytes + pack(before) + ending
            for shape, (_, _, act_bytes), p, after, (before, _, ending) in zip(
                shapes, kinds, p_s, afters, stands, strict=False
            )
        ]
        expected = [
            heads[stand[1] >> EXPIRY_SHIFT if shape.pack else NO_PACK]
            + numbers(sequence, 1, len(p) - SALT_SIZE, len(row), not stand[0], policy)
            + sha256(CONTENT_TAG + p).digest()
            + sha256(ROW_TAG + r[:SALT_SIZE] + leaf + row).digest()
            for sequence, p, r, leaf, row, stand, shape in zip(
                count(covering.sequence), p_s, r_s, earlier, expected_rows, stands, shapes, strict=False
            )
        ]
        done = len(stands)
        if expected != h_s[:done] or expected_rows != [r[SALT_SIZE:] for r in r_s[:done]]:
            done = next(
                k
                for k, (e, h, row, r) in enumerate(zip(expected, h_s, expected_rows, r_s, strict=False))
                if e != h or row != r[SALT_SIZE:]
            )
        self._take(index, done, subjects, stands, h_s, kinds)
        return done

    def _stands(
        self, subjects: list[str], shapes: list[_Shape], kinds: list[_Kind], texts: list[str], rows: list[bytes]
    ) -> list[tuple[int, int, bytes]]:
        """For each subject 1 + the index of its entry before (or 0), the state after, and how the row must end."""
        last, endings = self.last, ENDINGS[self._shape_rules]
        if self.entering is None:
            words = [last.get(subject, 0) for subject in subjects]
            return [
                (word & INDEX_MASK, *endings[word >> STATE_SHIFT, act])
                for word, (_, act, _) in zip(words, kinds, strict=False)
            ]
        stands: list[tuple[int, int, bytes]] = []
        for subject, shape, (_, act, act_bytes), text, row in zip(subjects, shapes, kinds, texts, rows, strict=False):
            word = last.get(subject)
            if word is not None:
                stands.append((word & INDEX_MASK, *endings[word >> STATE_SHIFT, act]))
                continue
            # What the row itself claims; whoever asked compares the whole row with what follows from it.
            at = SALT_SIZE + len(shape.row_head) + 1 + len(text) + len(act_bytes)
            try:
                before, state, _ = cast("tuple[int, ...]", encoding.unpack_raw(b"\x93" + row[at:]))
            except (DecodeError, ValueError):
                break
            if row[-1:] != b"\xc0" or type(before) is not int or type(state) is not int:
                break
            if not 0 <= before <= self.start or not 0 <= state < 1 << 24:
                break
            ending = encoding.pack(state) + b"\xc0"
            stands.append((before, state, ending))
        return stands

    def _take(
        self,
        index: int,
        done: int,
        subjects: list[str],
        stands: list[tuple[int, int, bytes]],
        headers: list[bytes],
        kinds: list[_Kind],
    ) -> None:
        """Take the first `done` entries of a run as checked."""
        covering = self._covering
        assert covering is not None
        self._leaves += [sha256(b"\0" + header).digest() for header in headers[:done]]
        if self.entering is not None:
            for at, subject, (_, act, _), (before, _, ending) in zip(
                range(index, index + done), subjects, kinds, stands, strict=False
            ):
                if subject not in self.last:
                    self.entering[subject] = (at, before, self._claim(act, ending))
        words = [state << STATE_SHIFT | at for at, (_, state, _) in enumerate(stands[:done], index + 1)]
        self.last.update(zip(subjects, words, strict=False))
        tail = covering.tail
        covering.terms += [header[64:96] + tail for header in headers[:done]]
        covering.sequence += done
        covering.left -= done
        self.result.rows += done
        if self._shape_rules == custody.PLAIN and done:
            self.result.last_plain = index + done - 1
        if not covering.left:
            self._end_covering(index + done)

    def _claim(self, act: int, ending: bytes) -> int:
        """The number of a claim under the rules of the shapes."""
        return self.claims.setdefault((self._shape_rules, act, ending), len(self.claims))

    def _leaf(self, index: int) -> bytes:
        """The leaf of an earlier entry, from its header."""
        if index >= self.start:
            return self._leaves[index - self.start]
        header = self.view.header(index)
        return ZERO if header is None else sha256(b"\0" + header).digest()

    def _remember_shape(self, content: bytes, acts: list[tuple[str, int]]) -> None:
        """Of an Object event whose one subject stands among its epcs: that all in it but time and serial is valid, so
        that the next like it need not be decoded. A content is then known by what stands before the serial and what
        stands after it. There is room for the longest serial in what the limits allow, and something stands after it,
        so that one that was cut off is not taken for shorter.
        """
        if content[2] != 0xCF or not 0x90 < content[0] < 0xA0 or content[1] != 1 or len(content) > MAX_CONTENT - 31:
            return
        prefix, slash, suffix = acts[0][0].rpartition("/")
        one = encoding.pack(((prefix := prefix + slash), (suffix,)))
        at = content.find(one, 11)
        edge = at + len(one) - len(suffix) - 1
        if at < 0 or len(suffix) > 31 or content.find(one, at + 1) >= 0 or acts[0][1] in (Act.NOTE, Act.UNDO):
            return
        if (
            at + len(one) == len(content)
            or len(prefix.encode()) + 31 > MAX_ID
            or self._shape_rules not in custody.TABLES
        ):
            return
        if len(self._shapes) >= _SHAPES_MOST:
            self._shapes.clear()
            self._edges.clear()
        act = acts[0][1]
        shape = self._shapes.get(content[11:edge])
        if shape is None:
            row_head = b"\x92" + encoding.pack(self._shape_rules) + b"\x96" + encoding.pack(prefix)
            size = content[edge] if prefix == "nmpa/" else 0
            pack = custody.is_pack(acts[0][0])
            shape = self._shapes[content[11:edge]] = _Shape(prefix, row_head, pack, size)
        elif shape.size not in (0, content[edge]):
            return
        if len(shape.tails) >= _SHAPES_MOST:  # of events that name an order or a buyer each, and never come again
            shape.tails.clear()
        shape.tails[content[at + len(one) :]] = content[:3], act, encoding.pack(act)
        if SALT_SIZE + edge not in self._edges:
            self._edges.append(SALT_SIZE + edge)


def _first_repeated(subjects: list[str]) -> int:
    """The position of the first subject that stood before."""
    seen: set[str] = set()
    for position, subject in enumerate(subjects):
        if subject in seen:
            return position
        seen.add(subject)
    return len(subjects)
