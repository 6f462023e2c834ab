"""The quick way of verification where contents are gone: runs of events that have their header and one row left, or
their header alone.

Without a content nothing tells what the row must be, so it is taken as it stands: it has to be written in its one
spelling, follow from where its subject stood, and be what the header commits to. As in `columns`, nothing is concluded
from a difference: an entry that is anything else is left to the careful way of `range`.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Any, cast

from tracechain import custody, encoding
from tracechain.custody import EXPIRY_SHIFT
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import HEADER_SIZE, MAX_CONTENT, MAX_ROWS, ROW_TAG, SALT_SIZE, ZERO, Header
from tracechain.errors import DecodeError
from tracechain.event.values import MAX_ID
from tracechain.retention.keeping import NO_PACK, Heads
from tracechain.retention.records import CONTENT, ROWS
from tracechain.verification.columns import Columns
from tracechain.verification.covering import Covering
from tracechain.verification.links import possible
from tracechain.verification.lost import CODES_UNKNOWN, LostKind, least_keep, rows_lost, sum_of_codes

__all__ = ["Faded", "alike"]

_BEFORE = struct.Struct(">QI")
_AFTER = struct.Struct(">IIQ")
_COUNTS = struct.Struct(">QIIIIQ")
_PREFIXES_MOST = 4096
_SUFFIX_MOST = 31
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


class Faded(Columns):
    """The state of a pass over a range of entries, and its quick way through what was pruned."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        #: What stands before the suffix of a subject that was read carefully -> whether it is a pack, by length of the
        #: suffix.
        self._prefixes: dict[str, dict[int, bool]] = {}
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
        return self._rowed(index, h_s, cast("list[bytes]", rows), covering, covering.heads)

    def _bare(self, index: int, headers: list[bytes], covering: Covering, heads: Heads) -> int:
        """Events that have nothing left but the header."""
        whole = heads[NO_PACK]
        begin, author, policy, record_class = whole[:20], whole[24:], heads.policy, int.from_bytes(whole[16:18], "big")
        least = least_keep(heads.days)
        unpack, lost = _COUNTS.unpack_from, self.result.lost
        numbers: dict[bytes, int] = {}
        done = 0
        for sequence, h in enumerate(headers, covering.sequence):
            if len(h) != HEADER_SIZE:
                break
            keep = int.from_bytes(h[20:24], "big")
            own, row_count, length, rows_length, first, named = unpack(h, 32)
            if not (h[:20] == begin and h[24:32] == author and own == sequence and named == policy):
                break
            if not (0 < length <= MAX_CONTENT and first <= row_count and keep >= least):
                break
            if row_count and not 0 < rows_length <= MAX_ROWS:
                break
            if not row_count and (rows_length or h[:32] != whole or h[96:] != ZERO):
                break
            key = h[20:24] + h[40:44] + h[52:56]
            number = numbers.get(key)
            if number is None:
                what = CONTENT | ROWS if row_count else CONTENT
                codes = CODES_UNKNOWN if row_count else NO_PACK
                kind = LostKind(what, record_class, keep, policy, codes, row_count, first)
                number = numbers[key] = lost.number(kind)
            lost.add(index + done, covering.time, number)
            done += 1
        self._pass(index, headers[:done], covering)
        return done

    def _rowed(self, index: int, headers: list[bytes], rows: list[bytes], covering: Covering, heads: Heads) -> int:
        """Events that have one row left."""
        rule_set, policy = self._shape_rules, heads.policy
        if self._rule_set > rule_set or rule_set not in custody.TABLES:
            return 0
        table, last, prefixes = custody.TABLES[rule_set], self.last, self._prefixes
        leaves, start, record_class = self._leaves, self.start, int.from_bytes(heads[NO_PACK][16:18], "big")
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
            lengths = prefixes.get(prefix) if type(prefix) is str else None
            if lengths is None or type(suffix) is not str or broke is not None or stated != rule_set:
                break
            if not (type(act) is type(before) is type(state) is int and suffix.isalnum() and suffix.isascii()):
                break
            pack_id = lengths.get(len(suffix))
            if pack_id is None:
                if len(suffix) > _SUFFIX_MOST:
                    break
                pack_id = lengths[len(suffix)] = custody.is_pack(prefix + suffix)
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
                keep, codes = int.from_bytes(h[20:24], "big"), sum_of_codes((code,) if pack_id else ())
                kind = LostKind(CONTENT, record_class, keep, policy, codes, 1, int(not before))
                number = numbers[code, not before] = lost.number(kind)
            lost.add(index + done, covering.time, number)
            done += 1
        last.update(words)
        self.result.rows += done
        if rule_set == custody.PLAIN and done:
            self.result.last_plain = index + done - 1
        self._pass(index, headers[:done], covering)
        return done

    def _pass(self, index: int, headers: list[bytes], covering: Covering) -> None:
        """Go on behind entries that stood."""
        self._leaves += [sha256(b"\0" + header).digest() for header in headers]
        tail = covering.tail
        covering.terms += [header[64:96] + tail for header in headers]
        covering.sequence += len(headers)
        covering.left -= len(headers)
        if not covering.left:
            self._end_covering(index + len(headers))

    def _remember_prefix(self, prefix: str) -> None:
        """Note how subjects begin that were read carefully: neither it nor an ASCII suffix need be read so again."""
        if prefix in self._prefixes or len(prefix.encode()) + _SUFFIX_MOST > MAX_ID:
            return
        if len(self._prefixes) >= _PREFIXES_MOST:
            self._prefixes.clear()
        self._prefixes[prefix] = {}

    def _lose(self, index: int, header: Header, what: int) -> None:
        """Note which parts of an event are gone."""
        kind = LostKind(
            what, header.record_class, header.keep_until, header.policy, self._codes, header.row_count,
            header.first_rows,
        )  # fmt: skip
        self.result.lost.add(index, header.time, self.result.lost.number(kind))
