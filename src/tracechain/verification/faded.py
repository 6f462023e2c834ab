"""The quick way of verification where contents are gone: runs of events that have their header and one row left, or
their header alone.

Without a content nothing tells what the row must be, so it is taken as it stands: it has to be written in its one
spelling, follow from where its subject stood, and be what the header commits to. As in `columns`, nothing is concluded
from a difference: an entry that is anything else is left to the careful way of `range`.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from itertools import count, pairwise
from typing import Any, cast

from tracechain import custody, encoding
from tracechain.custody import EXPIRY_SHIFT
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import HEADER_SIZE, MAX_CONTENT, MAX_ROWS, ROW_TAG, SALT_SIZE, ZERO, Header
from tracechain.errors import DecodeError
from tracechain.event.values import MAX_ID
from tracechain.retention.keeping import NO_PACK, Heads
from tracechain.retention.records import CONTENT, ROWS
from tracechain.verification.columns import ENDINGS, Columns
from tracechain.verification.covering import Covering
from tracechain.verification.links import possible
from tracechain.verification.lost import CODES_UNKNOWN, LostKind, least_keep, rows_lost, sum_of_codes

__all__ = ["Faded", "alike"]

_BEFORE = struct.Struct(">QI")
_AFTER = struct.Struct(">IIQ")
_COUNTS = struct.Struct(">IIII")
_NO_ROWS = bytes(4)
_PREFIXES_MOST = 4096
_SUFFIX_MOST = 31
_ACTS_MOST = 1 << 16
#: Bytes of an integer by its first one.
_WIDTHS = [{0xCC: 2, 0xCD: 3, 0xCE: 5}.get(first, 1) for first in range(256)]
_NIL = b"\xc0"


def alike(contents: list[bytes | None], rows: list[bytes | None], start: int, stop: int) -> int:
    """Where a run of entries ends that have, from `start` on, their content, or lost the same parts."""
    if contents[start] is not None:
        try:
            return contents.index(None, start, stop)
        except ValueError:
            return stop
    bare, at = rows[start] is None, start + 1
    while at < stop and contents[at] is None and (rows[at] is None) is bare:
        at += 1
    return at


class _Acts(dict[bytes, int]):
    """The act that some bytes of a row stand for."""

    def __missing__(self, stated: bytes) -> int:
        act = encoding.unpack_raw(stated)
        if type(act) is not int:
            raise KeyError(stated)
        if len(self) >= _ACTS_MOST:
            self.clear()
        self[stated] = act
        return act


class Faded(Columns):
    """The state of a pass over a range of entries, and its quick way through what was pruned."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        #: What stands before the suffix of a subject that was read carefully -> whether it is a pack, by length of the
        #: suffix.
        self._prefixes: dict[str, dict[int, bool]] = {}
        #: How a row of such a subject begins, and where its suffix begins in the part.
        self._row_heads: dict[int, dict[bytes, str]] = {rule_set: {} for rule_set in custody.TABLES}
        self._row_edges: list[int] = []
        self._acts_read = _Acts()
        #: The sum of the expiry codes of the entry that is looked at.
        self._codes = CODES_UNKNOWN

    def _faded(self, index: int, headers: list[bytes | None], _: list[bytes | None], rows: list[bytes | None]) -> int:
        """Check neighbouring events without content under one statement, all with one row or all without; returns how
        many stood."""
        covering = self._covering
        assert covering is not None
        assert covering.heads is not None
        if None in headers:
            return 0
        h_s = cast("list[bytes]", headers)
        if rows[0] is None:
            return self._bare(index, h_s, covering, covering.heads)
        r_s = cast("list[bytes]", rows)
        if self._rule_set > self._shape_rules or self._shape_rules not in custody.TABLES:
            return 0
        try:
            done = self._known(index, h_s, r_s, covering, covering.heads)
        except (IndexError, KeyError, DecodeError):  # a row that was cut off, a subject that nobody knows, no act
            done = 0
        return done or self._rowed(index, h_s, r_s, covering, covering.heads)

    def _bare(self, index: int, headers: list[bytes], covering: Covering, heads: Heads) -> int:
        """Events that have nothing left but the header. All of them, or none: they differ in little that one asks."""
        whole, policy = heads[NO_PACK], heads.policy.to_bytes(8, "big")
        record_class, least = int.from_bytes(whole[16:18], "big"), least_keep(heads.days)
        alike = {(len(h), h[:20], h[24:32], h[56:64]) for h in headers}
        numbered = [number.to_bytes(8, "big") for number in range(covering.sequence, covering.sequence + len(headers))]
        if alike != {(HEADER_SIZE, whole[:20], whole[24:], policy)} or [h[32:40] for h in headers] != numbered:
            return 0
        lost = self.result.lost
        kinds: dict[tuple[bytes, bytes, bytes], int] = {}
        for one in {(h[20:24], h[40:56], b"" if h[40:44] != _NO_ROWS else h[96:]) for h in headers}:
            keep = int.from_bytes(one[0], "big")
            row_count, length, rows_length, first = _COUNTS.unpack(one[1])
            if not (0 < length <= MAX_CONTENT and first <= row_count and keep >= least):
                return 0
            if row_count and not 0 < rows_length <= MAX_ROWS:
                return 0
            if not row_count and (rows_length or one[0] != whole[20:24] or one[2] != ZERO):
                return 0
            what, codes = (CONTENT | ROWS, CODES_UNKNOWN) if row_count else (CONTENT, NO_PACK)
            kind = LostKind(what, record_class, keep, heads.policy, codes, row_count, first)
            kinds[one[0], one[1], one[2]] = lost.number(kind)
        numbers = [kinds[h[20:24], h[40:56], b"" if h[40:44] != _NO_ROWS else h[96:]] for h in headers]
        lost.add_all(index, covering.time, numbers)
        self._pass(index, headers, covering)
        return len(headers)

    def _known(self, index: int, headers: list[bytes], rows: list[bytes], covering: Covering, heads: Heads) -> int:
        """Events that have one row left, of subjects of which it is known where they stand, column by column: up to the
        first one that is anything else. `_rowed` has the same one by one."""
        known, policy, endings = self._row_heads[self._shape_rules], heads.policy, ENDINGS[self._shape_rules]
        edge = next((e for e in self._row_edges if rows[0][SALT_SIZE:e] in known), None)
        if edge is None:
            return 0
        found = [known.get(part[SALT_SIZE:edge]) for part in rows]
        if None in found:
            del found[found.index(None) :]
        prefixes = cast("list[str]", found)
        sizes = [part[edge] for part in rows]
        if min(sizes) <= 0xA0 or max(sizes) >= 0xC0:
            return 0
        afters = [edge - 0x9F + size for size in sizes]
        texts = [part[edge + 1 : after] for part, after in zip(rows, afters, strict=True)]
        if not b"".join(texts).isalnum():
            return 0
        suffixes = b"\n".join(texts).decode().split("\n")
        subjects = [prefix + suffix for prefix, suffix in zip(prefixes, suffixes, strict=False)]
        if len(set(subjects)) < len(subjects):
            return 0
        stated = [part[after : after + _WIDTHS[part[after]]] for part, after in zip(rows, afters, strict=True)]
        acts, unknown = self._acts_read, -1 if self.entering is not None else 0
        words = [self.last.get(subject, unknown) for subject in subjects]
        stands = [endings[word >> STATE_SHIFT, acts[act]] for word, act in zip(words, stated, strict=False)]
        befores = [word & INDEX_MASK for word in words]
        pack, leaves, start = encoding.pack, self._leaves, self.start
        earlier = [
            ZERO if not before else leaves[before - 1 - start] if before > start else self._leaf(before - 1)
            for before in befores
        ]
        stored = [
            part[SALT_SIZE:after] + act + pack(before) + ending
            for part, after, act, before, (_, ending) in zip(rows, afters, stated, befores, stands, strict=False)
        ]
        packs = {one: self._is_pack(*one) for one in set(zip(prefixes, map(len, texts), strict=False))}
        if all(packs.values()):
            codes = [state >> EXPIRY_SHIFT for state, _ in stands]
        else:
            codes = [
                state >> EXPIRY_SHIFT if packs[prefix, len(text)] else NO_PACK
                for prefix, text, (state, _) in zip(prefixes, texts, stands, strict=False)
            ]
        before_pack, after_pack = _BEFORE.pack, _AFTER.pack
        expected = [
            heads[code] + before_pack(sequence, 1) + h[44:48] + after_pack(len(row), not before, policy) + h[64:96]
            + sha256(ROW_TAG + part[:SALT_SIZE] + leaf + row).digest()
            for sequence, h, code, row, before, part, leaf in zip(
                count(covering.sequence), headers, codes, stored, befores, rows, earlier, strict=False
            )
        ]  # fmt: skip
        done = len(stands)
        if not all(0 < int.from_bytes(one, "big") <= MAX_CONTENT for one in {h[44:48] for h in headers}):
            return 0
        if expected != headers[:done] or stored != [part[SALT_SIZE:] for part in rows[:done]]:
            done = next(
                k
                for k, (e, h, row, part) in enumerate(zip(expected, headers, stored, rows, strict=False))
                if e != h or row != part[SALT_SIZE:]
            )
        keys = list(zip(codes[:done], map(bool, befores), strict=False))
        kinds = {one: self._kind_of(heads, *one) for one in set(keys)}
        self.result.lost.add_all(index, covering.time, [*map(kinds.__getitem__, keys)])
        after_them = [state << STATE_SHIFT | at for at, (state, _) in enumerate(stands[:done], index + 1)]
        self.last.update(zip(subjects, after_them, strict=False))
        return self._passed(index, headers, covering, done)

    def _kind_of(self, heads: Heads, code: int, followed: bool) -> int:  # a part of a key
        """The number of what an entry with one row has lost."""
        head = heads[code]
        kind = LostKind(
            CONTENT, int.from_bytes(head[16:18], "big"), int.from_bytes(head[20:24], "big"), heads.policy,
            sum_of_codes(() if code == NO_PACK else (code,)), 1, int(not followed),
        )  # fmt: skip
        return self.result.lost.number(kind)

    def _is_pack(self, prefix: str, size: int) -> bool | None:
        """Whether subjects of this prefix and length of suffix are packs; None for those that have to be read."""
        lengths = self._prefixes.get(prefix)
        if lengths is None or not 0 < size <= _SUFFIX_MOST:
            return None
        if size not in lengths:
            lengths[size] = custody.is_pack(prefix + "0" * size)
        return lengths[size]

    def _rowed(self, index: int, headers: list[bytes], rows: list[bytes], covering: Covering, heads: Heads) -> int:
        """Events that have one row left, one by one: up to the first one that is not what it has to be."""
        rule_set, policy = self._shape_rules, heads.policy
        table, last, leaves, start = custody.TABLES[rule_set], self.last, self._leaves, self.start
        unpack, pack, lost, entering = encoding.unpack_known, encoding.pack, self.result.lost, self.entering
        before_pack, after_pack = _BEFORE.pack, _AFTER.pack
        words: dict[str, int] = {}
        numbers: dict[tuple[int, bool], int] = {}
        done = 0
        for sequence, (h, part) in enumerate(zip(headers, rows, strict=True), covering.sequence):
            stored = part[SALT_SIZE:]
            try:
                stated, (prefix, suffix, act, before, state, broke) = cast("Any", unpack(stored))
            except (DecodeError, ValueError, TypeError):
                break
            if not (type(prefix) is type(suffix) is str and broke is None and stated == rule_set):
                break
            if not (type(act) is type(before) is type(state) is int and suffix.isalnum() and suffix.isascii()):
                break
            pack_id = self._is_pack(prefix, len(suffix))
            if pack_id is None:
                break
            subject = prefix + suffix
            if subject in words or pack((rule_set, (prefix, suffix, act, before, state, None))) != stored:
                break
            word = last.get(subject)
            known = word is not None or (before == 0 and entering is None)
            if known:
                try:
                    ends, broken = table[(word or 0) >> STATE_SHIFT, act]
                except KeyError:
                    break
                if broken or ends != state or (word or 0) & INDEX_MASK != before:
                    break
            elif not 0 <= before <= (index if entering is None else start) or not 0 <= state < 1 << 24:
                break
            leaf = ZERO
            if before:
                leaf = leaves[before - 1 - start] if before > start else self._leaf(before - 1)
            code = state >> EXPIRY_SHIFT if pack_id else NO_PACK
            expected = (
                heads[code]
                + before_pack(sequence, 1)
                + h[44:48]
                + after_pack(len(stored), not before, policy)
                + h[64:96]
                + sha256(ROW_TAG + part[:SALT_SIZE] + leaf + stored).digest()
            )
            if expected != h or not 0 < int.from_bytes(h[44:48], "big") <= MAX_CONTENT:
                break
            if not known:
                if entering is not None:
                    entering[subject] = (index + done, before, self._claim(act, pack(state) + _NIL))
                elif rows_lost(self.view, before - 1) and possible(rule_set, act, state, ()):
                    self.result.believed.extend((index + done, before - 1))
                else:
                    break
            words[subject] = state << STATE_SHIFT | index + done + 1
            number = numbers.get((code, not before))
            if number is None:
                number = numbers[code, not before] = self._kind_of(heads, code, bool(before))
            lost.add(index + done, covering.time, number)
            done += 1
        last.update(words)
        return self._passed(index, headers, covering, done)

    def _passed(self, index: int, headers: list[bytes], covering: Covering, done: int) -> int:
        """Go on behind the first `done` entries, which stood and have a row each."""
        self.result.rows += done
        if self._shape_rules == custody.PLAIN and done:
            self.result.last_plain = index + done - 1
        self._pass(index, headers[:done], covering)
        return done

    def _pass(self, index: int, headers: list[bytes], covering: Covering) -> None:
        """Go on behind entries that stood."""
        leaves = [sha256(b"\0" + header).digest() for header in headers]
        self._leaves += leaves
        self.result.lost.leaves += b"".join(leaves)
        tail = covering.tail
        covering.terms += [header[64:96] + tail for header in headers]
        covering.sequence += len(headers)
        covering.left -= len(headers)
        if not covering.left:
            self._end_covering(index + len(headers))

    def _stated_acts(self, part: bytes) -> list[tuple[str, int]] | None:
        """What stored rows say was done to whom, where all are subjects that were read before. If that leads to just
        these rows, they need not be read carefully."""
        last = self.last
        try:
            _, *groups = cast("Any", encoding.unpack_known(part[SALT_SIZE:]))
            acts = [
                (group[0] + suffix, act)
                for group in groups
                for suffix, act in zip(group[1::5], group[2::5], strict=True)
            ]
            subjects = [subject for subject, _ in acts if subject in last]
            ascending = all(one.encode() < other.encode() for one, other in pairwise(subjects))
        except (DecodeError, ValueError, TypeError, IndexError, AttributeError):
            return None
        if len(subjects) < len(acts) or not ascending or not all(type(act) is int for _, act in acts):
            return None
        return acts

    def _remember_prefix(self, prefix: str) -> None:
        """Note how subjects begin that were read carefully: neither it nor an ASCII suffix need be read so again."""
        if prefix in self._prefixes or len(prefix.encode()) + _SUFFIX_MOST > MAX_ID:
            return
        if len(self._prefixes) >= _PREFIXES_MOST:
            self._prefixes.clear()
            self._row_edges.clear()
            for known in self._row_heads.values():
                known.clear()
        self._prefixes[prefix] = {}
        for rule_set, known in self._row_heads.items():
            head = b"\x92" + encoding.pack(rule_set) + b"\x96" + encoding.pack(prefix)
            known[head] = prefix
            if SALT_SIZE + len(head) not in self._row_edges:
                self._row_edges.append(SALT_SIZE + len(head))

    def _lose(self, index: int, header: Header, what: int, leaf: bytes) -> None:
        """Note which parts of an event are gone."""
        kind = LostKind(
            what, header.record_class, header.keep_until, header.policy, self._codes, header.row_count,
            header.first_rows,
        )  # fmt: skip
        self.result.lost.add(index, header.time, self.result.lost.number(kind))
        self.result.lost.leaves += leaf
