#!/usr/bin/env python3
"""Verify a tracechain bundle: one file, Python 3.9 or later, nothing but the standard library, no network.

    python -I verify_bundle.py BUNDLE --key VKEY [--since FILE] [--witness VKEY ...] [--report out.html]

BUNDLE is a folder or a .zip with all of a log ("whole"), with excerpts of one, or with the proof that a code is not in
it ("absence"). VKEY is the verifier key of the log, and it comes from elsewhere: from the contract, the regulator's own
files, a web page of the operator that others watch; never from the bundle. Without it nobody knows who wrote the
bundle, and the exit is 1. Exit 0: clean, under the key given. Exit 1: there are findings. Exit 2: this is no bundle.

This script was written from docs/format.md ("the format") and shares no code with the library that writes ledgers, so
that an error in one is not hidden by the same error in the other. Sections of the format are named where they are
applied.
What is worked out:

    the container              names, sizes and caps, before anything is read                        format 15.1
    the tree                   every header, every tile, the signed root, older checkpoints           format 2, 10
    every content              against its commitment, then as an event or record                     format 3, 4, 9
    every statement            who signed it, what it covers, that none is missing                    format 6
    every row                  its hash, what it says was done, its link to the subject's row before  format 7
    keys, epochs, times        as the ledger itself stated them                                       format 5, 8
    what is not there          whether a record of a pruning executed it, and lawfully                format 13
    seals                      each map of all subjects, made again from the rows                     format 5.12
    witnesses                  their cosignatures, and between which times each entry was shown       format 10.1

It is read from top to bottom: each section needs only those above it. The last part, from "Words" on, decides nothing:
it tells the result on a terminal, as JSON and as a page. Memory does not grow with the log: what has to be looked up
later lies in temporary files (TMPDIR; some 100 bytes an entry), and subjects are checked by parts.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    # This file may lie in a bundle: nothing that lies beside it is taken for a part of the standard library. (Not by
    # `-I` alone, which may be forgotten.)
    del sys.path[0]

import argparse
import base64
import errno
import hashlib
import heapq
import html
import json
import marshal
import mmap
import os
import re
import shutil
import stat
import struct
import tempfile
import time as clock
import unicodedata
import zipfile
import zlib
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, NamedTuple, Optional, Protocol
from urllib.parse import unquote

VERSION = "tracechain verification v0"

ZERO = bytes(32)
sha256 = hashlib.sha256


def sha(*parts: bytes) -> bytes:
    """H of the format: SHA-256 over the joined parts."""
    return sha256(b"".join(parts)).digest()


def tag(text: str) -> bytes:
    """A tag of the format: ASCII, padded with zero bytes to 16."""
    return text.encode("ascii").ljust(16, b"\0")


class Bad(ValueError):
    """Bytes or a value that break a rule of the format; the message says which, in English and in Chinese."""

    def __init__(self, en: str, zh: str | None = None) -> None:
        super().__init__(en)
        self.en = en
        self.zh = en if zh is None else zh


class Refused(Exception):
    """There is no verdict: exit 2. The message says why, in English and in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh


class Unreadable(Refused):
    """What was given is no bundle, or is one that is not safe to read (format 15.1)."""


class Misused(Refused):
    """What was given beside the bundle (a key, a policy, an older checkpoint) cannot be used."""


# ======================================================================================================================
# FINDINGS (format 16). A finding has a code, the index of an entry (or none), a subject (or none), and words in English
# and Chinese. They are listed by index, those without one last, then in the order of the codes, then by subject.
# ======================================================================================================================

CODES = """
BUNDLE_FILE BUNDLE_TILE BUNDLE_SURPLUS PROOF CONSISTENCY CHECKPOINT_MISSING CHECKPOINT_MALFORMED CHECKPOINT_SIGNATURE
CHECKPOINT_ORIGIN CHECKPOINT_SIZE TREE_ROOT TREE_NODE TAIL_SURPLUS ROLLBACK FORK ENTRY_MISSING ENTRY_DUPLICATED
ENTRY_ORDER HEADER_MALFORMED HEADER_COUNTS TIME_DECREASED TIME_JUMP TIME_FLAG TIME_AHEAD KEEP_UNTIL CONTENT_MISSING
CONTENT_COMMITMENT CONTENT_MALFORMED ROWS_MISSING ROWS_MALFORMED ROW_ROOT ROW_SUBJECTS ROW_ACT ROW_FIRST ROW_LINK
ROW_STATE ROW_VIOLATIONS SUBJECT_LOST PRUNE_RECORD PRUNE_POLICY PRUNE_WAIT PRUNE_EARLY PRUNE_HELD PRUNE_ORDER
PRUNE_KEPT STATEMENT_MALFORMED STATEMENT_LEDGER STATEMENT_AUTHOR STATEMENT_SIGNATURE STATEMENT_COVERAGE STATEMENT_ROOT
EVENT_UNCOVERED AUTHOR_UNKNOWN AUTHOR_REVOKED AUTHOR_SCOPE AUTHOR_GAP AUTHOR_CHAIN EQUIVOCATION GENESIS KEY_RECORD
CLOCK_RECORD EPOCH_RECORD EPOCH_LOST EVIDENCE_RECORD SETTLEMENT SEAL_RECORD SEAL_ROOT SEAL_NOTE CHAIN_INCOMPLETE
ABSENCE DISCLOSURE WITNESS_SIGNATURE WITNESS_QUORUM WITNESS_TIME INDEX
""".split()
RANK = {code: rank for rank, code in enumerate(CODES)}

Finding = tuple[str, Optional[int], str, str, Optional[str]]  # code, index, English, Chinese, subject


def finding_order(finding: Finding) -> tuple[int, int, str]:
    """The key by which findings are listed."""
    code, index, _, _, subject = finding
    return (1 << 63 if index is None else index), RANK[code], subject or ""


class Findings:
    """What is wrong, in order; of very many only the first `most` are kept, the others are counted by their codes."""

    def __init__(self, most: int = 1000) -> None:
        self.most = most
        self.items: list[Finding] = []
        self.by_code: dict[str, int] = {}

    def add(self, code: str, index: int | None, en: str, zh: str, subject: str | None = None) -> None:
        """Note a finding."""
        self.by_code[code] = self.by_code.get(code, 0) + 1
        self.items.append((code, index, en, zh, subject))
        if len(self.items) >= 2 * self.most + 1000:
            self.items = heapq.nsmallest(self.most, self.items, key=finding_order)

    def bad(self, code: str, index: int | None, error: Bad, subject: str | None = None) -> None:
        """Note that something breaks a rule of the format."""
        self.add(code, index, error.en, error.zh, subject)

    def extend(self, items: Iterable[Finding], by_code: dict[str, int]) -> None:
        """Take over what another pass found."""
        for code, count in by_code.items():
            self.by_code[code] = self.by_code.get(code, 0) + count
        self.items = heapq.nsmallest(self.most, [*self.items, *items], key=finding_order)

    def count(self) -> int:
        """How many there are, listed or not."""
        return sum(self.by_code.values())

    def listed(self) -> list[Finding]:
        """The first ones, in order."""
        return heapq.nsmallest(self.most, self.items, key=finding_order)


class Say:
    """Sentences in both languages, for what is no finding."""

    def __init__(self) -> None:
        self.items: list[dict[str, str]] = []

    def add(self, en: str, zh: str) -> None:
        """Add a sentence, once."""
        if {"en": en, "zh": zh} not in self.items:
            self.items.append({"en": en, "zh": zh})


# ======================================================================================================================
# CANONICAL BYTES (format 3). MessagePack with one spelling for each value: nil, booleans, integers, texts, byte strings
# and arrays. A reader that accepted a second spelling would accept a second hash for the same statement.
# ======================================================================================================================

MAX_CONTENT = 65_536
MAX_ROWS = 1 << 24
MAX_DEPTH = 24
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
CONTROL_BUT_WHITE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

Value = Any  # None, bool, int, str, bytes, or a list of these


def check_text(text: str, white: bool = False) -> None:
    """A text is in NFC and has no control characters; with `white` it may have tab, line feed and carriage return."""
    if text.isascii() and text.isprintable():
        return
    if (CONTROL_BUT_WHITE if white else CONTROL).search(text):
        raise Bad("a text has a control character in it", "文本中有控制字符")
    if not unicodedata.is_normalized("NFC", text):
        raise Bad("a text is not in Unicode normal form C", "文本不是 Unicode 规范形式 C")


class Decoder:
    """Reads one value; every longer spelling, map, float and extension type is refused."""

    def __init__(self, data: bytes, depth: int, white: bool) -> None:
        self.data = data
        self.at = 0
        self.depth = depth
        self.white = white

    def number(self, width: int, least: int) -> int:
        """An unsigned integer of `width` bytes that would not fit into fewer."""
        end = self.at + width
        if end > len(self.data):
            raise Bad("the bytes end within a value", "字节在一个值中间就结束了")
        found = int.from_bytes(self.data[self.at : end], "big")
        if found < least:
            raise Bad("a value is not written in its shortest form", "值没有用最短形式书写")
        self.at = end
        return found

    def raw(self, length: int) -> bytes:
        """The next bytes."""
        end = self.at + length
        if end > len(self.data):
            raise Bad("the bytes end within a value", "字节在一个值中间就结束了")
        found = self.data[self.at : end]
        self.at = end
        return found

    def text(self, length: int) -> str:
        """A text of so many bytes."""
        try:
            found = self.raw(length).decode("utf-8")
        except UnicodeDecodeError:
            raise Bad("a text is not UTF-8", "文本不是 UTF-8") from None
        check_text(found, self.white)
        return found

    def items(self, count: int, level: int) -> list[Value]:
        """The items of an array at this depth."""
        if level >= self.depth:
            raise Bad("arrays are nested too deep", "数组嵌套过深")
        if count > len(self.data) - self.at:
            raise Bad("an array announces more items than there are bytes", "数组声明的项数多于字节数")
        return [self.value(level + 1) for _ in range(count)]

    def value(self, level: int = 0) -> Value:
        """The next value."""
        code = self.number(1, 0)
        if code < 0x80:
            return code
        if code >= 0xE0:
            return code - 256
        if code >= 0xA0 and code < 0xC0:
            return self.text(code & 0x1F)
        if code >= 0x90 and code < 0xA0:
            return self.items(code & 0x0F, level)
        if code == 0xC0:
            return None
        if code in (0xC2, 0xC3):
            return code == 0xC3
        if code in (0xC4, 0xC5, 0xC6):
            return self.raw(self.number(1 << code - 0xC4, (0, 1 << 8, 1 << 16)[code - 0xC4]))
        if code in (0xD9, 0xDA, 0xDB):
            return self.text(self.number(1 << code - 0xD9, (32, 1 << 8, 1 << 16)[code - 0xD9]))
        if code in (0xDC, 0xDD):
            return self.items(self.number(2 << code - 0xDC, (16, 1 << 16)[code - 0xDC]), level)
        if 0xCC <= code <= 0xCF:
            return self.number(1 << code - 0xCC, (0x80, 1 << 8, 1 << 16, 1 << 32)[code - 0xCC])
        if 0xD0 <= code <= 0xD3:
            width = 1 << code - 0xD0
            found = self.number(width, 0) - (1 << 8 * width)
            most = (-32, -(1 << 7), -(1 << 15), -(1 << 31))[code - 0xD0]
            if found < -(1 << 8 * width - 1) or found >= most:
                raise Bad("a value is not written in its shortest form", "值没有用最短形式书写")
            return found
        raise Bad("maps, floats and extension types are not used", "不使用映射、浮点数和扩展类型")


def decode(data: bytes, most: int = MAX_CONTENT, depth: int = MAX_DEPTH, white: bool = False) -> Value:
    """The value of canonical bytes; Bad for everything else. `depth` 1 is an array of scalars."""
    if len(data) > most:
        raise Bad(f"{len(data)} bytes are over the limit of {most}", f"{len(data)} 字节超过上限 {most}")
    decoder = Decoder(data, depth, white)
    found = decoder.value()
    if decoder.at != len(data):
        raise Bad("there are bytes after the value", "值之后还有字节")
    return found


def encode(value: Value) -> bytes:
    """The canonical bytes of a value."""
    kind = type(value)
    if kind is int:
        return encode_number(value)
    if kind is str:
        raw: bytes = value.encode("utf-8")
        return (bytes((0xA0 + len(raw),)) if len(raw) < 32 else _length(0xD9, len(raw))) + raw
    if kind is bytes:
        return _length(0xC4, len(value)) + bytes(value)
    if kind is not list and kind is not tuple:
        return b"\xc0" if value is None else b"\xc3" if value else b"\xc2"
    count, joined = len(value), b"".join(map(encode, value))
    if count < 16:
        return bytes((0x90 + count,)) + joined
    return (b"\xdc" + count.to_bytes(2, "big") if count < 1 << 16 else b"\xdd" + count.to_bytes(4, "big")) + joined


def encode_number(value: int) -> bytes:
    """The canonical bytes of an integer."""
    if -32 <= value < 0x80:
        return bytes((value & 0xFF,))
    if value > 0:
        width = 1 if value < 1 << 8 else 2 if value < 1 << 16 else 4 if value < 1 << 32 else 8
        return bytes((0xCC + width.bit_length() - 1,)) + value.to_bytes(width, "big")
    width = 1 if value >= -(1 << 7) else 2 if value >= -(1 << 15) else 4 if value >= -(1 << 31) else 8
    return bytes((0xD0 + width.bit_length() - 1,)) + value.to_bytes(width, "big", signed=True)


def _length(code: int, length: int) -> bytes:
    width = 1 if length < 1 << 8 else 2 if length < 1 << 16 else 4
    return bytes((code + width.bit_length() - 1,)) + length.to_bytes(width, "big")


def is_number(value: Value, least: int = 0, stop: int = 1 << 63) -> bool:
    """Whether a value is an integer (a boolean is none) from `least` to `stop` - 1."""
    return type(value) is int and least <= value < stop


def is_bytes(value: Value, size: int) -> bool:
    """Whether a value is a byte string of this size."""
    return type(value) is bytes and len(value) == size


def array_of(data: bytes, count: int, en: str, zh: str) -> list[Value]:
    """The items of a content that is an array of so many items."""
    value = decode(data)
    if type(value) is not list or len(value) != count:
        raise Bad(f"{en}: not an array of {count} items", f"{zh}：不是 {count} 项的数组")
    return value


def demand(holds: bool, en: str, zh: str) -> None:
    """Raise Bad unless something holds."""
    if not holds:
        raise Bad(en, zh)


# ======================================================================================================================
# ED25519 (RFC 8032; the rule of format 5.1). Verification only, so nothing here is secret and nothing needs to be
# constant in time. Points are added with the complete formulas of RFC 8032 section 5.1.4 in extended coordinates;
# tables of multiples of the base point and of each key make a verification about a third of a millisecond.
# ======================================================================================================================

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
#: The y of the eight points of small order; the sign bit tells twins apart, so y alone says whether a point is one.
SMALL_ORDER_Y = frozenset((0, 1, P - 1, Y8, P - Y8))

Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
Multiple = tuple[int, int, int]  # y - x, y + x, 2dxy of an affine point


def point_add(p: Point, q: Multiple) -> Point:
    """The sum of two points (RFC 8032 section 5.1.4)."""
    x, y, z, t = p
    minus, plus, xyd = q
    a, b, c, d = (y - x) * minus % P, (y + x) * plus % P, t * xyd % P, 2 * z
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


NEUTRAL: Point = (0, 1, 1, 0)


def multiples(x: int, y: int, width: int) -> list[list[Multiple]]:
    """For each window of `width` bits of a 256-bit number, what its values 1, 2, ... make of the point (x, y)."""
    found: list[Point] = []
    base = (x, y)
    per = (1 << width) - 1
    for _ in range(-(-256 // width)):
        step = ((base[1] - base[0]) % P, (base[1] + base[0]) % P, 2 * D * base[0] * base[1] % P)
        point: Point = (base[0], base[1], 1, base[0] * base[1] % P)
        found.append(point)
        for _ in range(per - 1):
            point = point_add(point, step)
            found.append(point)
        last = point_add(point, step)  # 2^width times the base: that of the next window
        inverse = pow(last[2], -1, P)
        base = (last[0] * inverse % P, last[1] * inverse % P)
    # One inversion for all: the product of the others divides each z out.
    before, product = [], 1
    for point in found:
        before.append(product)
        product = product * point[2] % P
    inverse = pow(product, -1, P)
    table: list[Multiple] = []
    for point, others in zip(reversed(found), reversed(before)):
        own = inverse * others % P
        inverse = inverse * point[2] % P
        ax, ay = point[0] * own % P, point[1] * own % P
        table.append(((ay - ax) % P, (ay + ax) % P, 2 * D * ax * ay % P))
    table.reverse()
    return [table[at : at + per] for at in range(0, len(table), per)]


def times(point: Point, number: int, table: list[list[Multiple]], width: int) -> Point:
    """`point` and `number` times the point of a table."""
    mask = (1 << width) - 1
    for window in table:
        digit = number & mask
        if digit:
            point = point_add(point, window[digit - 1])
        number >>= width
    return point


_BASE_WIDTH, _KEY_WIDTH = 8, 4
_base_table: list[list[Multiple]] = []
BASE_Y = 4 * pow(5, -1, P) % P


def recover_x(y: int, sign: int) -> int | None:
    """The x of a point by its y and the sign bit (RFC 8032 section 5.1.3); None where there is none."""
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P) % P, (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * SQRT_M1 % P
        if (v * x * x - u) % P:
            return None
    if x == 0 and sign:
        return None
    return P - x if x & 1 != sign else x


class PublicKey:
    """An Ed25519 public key; Bad for one that format 5.1 refuses."""

    def __init__(self, raw: bytes, algorithm: int = 1) -> None:
        demand(algorithm == 1, f"algorithm {algorithm!r} of a key is unknown", f"未知的密钥算法 {algorithm!r}")
        demand(len(raw) == 32, "an Ed25519 key has 32 bytes", "Ed25519 密钥应为 32 字节")
        number = int.from_bytes(raw, "little")
        y = number & (1 << 255) - 1
        demand(y < P, "a key is not the canonical encoding of a point", "密钥不是点的规范编码")
        demand(y not in SMALL_ORDER_Y, "a key is a point of small order", "密钥是小阶点")
        x = recover_x(y, number >> 255)
        if x is None:
            raise Bad("a key is not a point of the curve", "密钥不是曲线上的点")
        self.raw = raw
        self.hash = sha(bytes((algorithm,)), raw)
        self._point = (P - x, y)  # its negative: [S]B - [h]A is what is compared
        self._table: list[list[Multiple]] = []

    def stands(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature stands: encode([S]B - [h]A) = R, with S below the group order, R canonical, not small."""
        if len(signature) != 64:
            return False
        s = int.from_bytes(signature[32:], "little")
        r = int.from_bytes(signature[:32], "little") & (1 << 255) - 1
        if s >= L or r >= P or r in SMALL_ORDER_Y:
            return False
        if not _base_table:
            base_x = recover_x(BASE_Y, 0)
            assert base_x is not None
            _base_table.extend(multiples(base_x, BASE_Y, _BASE_WIDTH))
        if not self._table:
            self._table = multiples(self._point[0], self._point[1], _KEY_WIDTH)
        h = int.from_bytes(hashlib.sha512(signature[:32] + self.raw + message).digest(), "little") % L
        point = times(times(NEUTRAL, s, _base_table, _BASE_WIDTH), h, self._table, _KEY_WIDTH)
        inverse = pow(point[2], -1, P)
        x, y = point[0] * inverse % P, point[1] * inverse % P
        return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# ======================================================================================================================
# MERKLE TREES (RFC 6962 section 2.1)
# ======================================================================================================================


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root of a tree whose leaf hashes are given: pairs are joined, an odd one moves up as it is."""
    level = list(hashes)
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        odd = level[-1:] if len(level) & 1 else []
        level = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2])] + odd
    return level[0]


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which an inclusion proof leads (RFC 9162 section 2.1.3.2); None for a proof of another length."""
    if not 0 <= index < size:
        return None
    at, last, found = index, size - 1, leaf
    for one in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = node(one, found)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            found = node(found, one)
        at >>= 1
        last >>= 1
    return found if last == 0 else None


def consistent(old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether a consistency proof shows that the tree of `new` leaves extends that of `old` (RFC 9162 2.1.4.2)."""
    if old > new:
        return False
    if old == 0:
        return not path and old_root == root_of(())
    if old == new:
        return not path and old_root == new_root
    hashes = list(path)
    if not old & (old - 1):
        hashes.insert(0, old_root)
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(one, first), node(one, second)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            second = node(second, one)
        at >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == new_root


# ======================================================================================================================
# SIGNED NOTES (C2SP signed-note v1.0.0, tlog-checkpoint v1.0.0, tlog-cosignature v1.0.1, tlog-proof, tlog-policy;
# format 10). Text has one spelling: what is parsed would be formatted to the same bytes again.
# ======================================================================================================================

MAX_NOTE = 65_536
MAX_LINES = 100
LOG_TYPE, WITNESS_TYPE = 1, 4
NOTE_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
DECIMAL = re.compile("0|[1-9][0-9]{0,18}", re.ASCII)
EPOCH = re.compile("(?P<origin>.+)/epoch/(?P<epoch>[1-9][0-9]{0,18})", re.ASCII)
MAX_SIZE = (1 << 63) - 1


def base64_bytes(text: str, en: str, zh: str) -> bytes:
    """Bytes of base64 in its one spelling: padded, unused bits zero."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        raise Bad(f"{en} is not base64", f"{zh}不是 base64") from None
    if base64.b64encode(found).decode("ascii") != text:
        raise Bad(f"{en} is not in the one spelling of base64", f"{zh}不是 base64 的唯一写法")
    return found


def decimal(text: str, en: str, zh: str) -> int:
    """A decimal number below 2^63 without sign and leading zeros."""
    if not DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise Bad(f"{en} is not a decimal number", f"{zh}不是十进制数")
    return int(text)


def note_text(data: bytes, most: int = MAX_NOTE) -> str:
    """Bytes as a text without control characters but LF."""
    demand(len(data) <= most, f"a note has over {most} bytes", f"签名文本超过 {most} 字节")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("a note is not UTF-8", "签名文本不是 UTF-8") from None
    demand(not NOTE_CONTROL.search(text), "a note has a control character", "签名文本中有控制字符")
    return text


def is_key_name(name: str) -> bool:
    """Whether this can name a key: not empty, no space, no plus."""
    return name.split() == [name] and "+" not in name and not NOTE_CONTROL.search(name)


class Verifier:
    """A verifier key from outside: the name and public key of a log or auditor (type 1) or of a witness (type 4)."""

    def __init__(self, name: str, kind: int, key: PublicKey) -> None:
        demand(is_key_name(name), f"{name!r} cannot name a key", f"{name!r} 不能作为密钥名")
        demand(kind in (LOG_TYPE, WITNESS_TYPE), f"signature type {kind} is unknown", f"未知的签名类型 {kind}")
        self.name = name
        self.kind = kind
        self.key = key
        self.id = sha(name.encode(), b"\n", bytes((kind,)), key.raw)[:4]

    @property
    def text(self) -> str:
        """The line that is handed out."""
        encoded = base64.b64encode(bytes((self.kind,)) + self.key.raw).decode("ascii")
        return f"{self.name}+{self.id.hex()}+{encoded}"


def parse_verifier(text: str) -> Verifier:
    """A verifier key as a line: name+hash+key."""
    if "PRIVATE+KEY+" in text:
        raise Bad("this is a signer key, a secret: give the verifier key", "这是签名私钥（机密）：请给出验证公钥")
    parts = text.split("+", 2)
    demand(len(parts) == 3, "a verifier key is name+hash+key", "验证公钥的形式是 名称+哈希+密钥")
    raw = base64_bytes(parts[2], "the key in a verifier key", "验证公钥中的密钥")
    demand(len(raw) == 33, "a verifier key has 1 + 32 bytes", "验证公钥应为 1 + 32 字节")
    found = Verifier(parts[0], raw[0], PublicKey(raw[1:]))
    demand(found.text == text, "the hash in the verifier key does not fit: mistyped?",
        "验证公钥中的哈希不符：是否输错？")
    return found


Line = tuple[str, bytes, bytes]  # name, key id, signature (of a cosignature: time, then signature)


class Note:
    """A text with signature lines, parsed and not verified."""

    def __init__(self, data: bytes) -> None:
        text = note_text(data)
        body, separator, tail = text.rpartition("\n\n")
        lines = tail.split("\n")
        demand(
            bool(separator) and not lines.pop() and bool(lines),
            "a note is text, an empty line and signature lines",
            "签名文本由正文、空行和签名行组成",
        )
        demand(len(lines) <= MAX_LINES, "a note has too many signature lines", "签名行过多")
        self.text = body + "\n"
        self.lines: list[Line] = [self._line(line) for line in lines]

    @staticmethod
    def _line(line: str) -> Line:
        parts = line[2:].split(" ")
        demand(line.startswith("\u2014 ") and len(parts) == 2, "a signature line is malformed", "签名行格式错误")
        demand(is_key_name(parts[0]), "a signature line names no key", "签名行没有密钥名")
        blob = base64_bytes(parts[1], "a signature line", "签名行")
        demand(len(blob) > 4, "a signature line has no signature", "签名行中没有签名")
        return parts[0], blob[:4], blob[4:]

    def signed(self, verifier: Verifier) -> bool:
        """Whether a known key's signature of type 1 stands; Bad where it is there more than once, or does not stand."""
        own = [signature for name, key_id, signature in self.lines if (name, key_id) == (verifier.name, verifier.id)]
        if not own:
            return False
        demand(len(own) == 1, "a known key signed twice", "同一已知密钥签了两次")
        demand(
            verifier.kind == LOG_TYPE and verifier.key.stands(self.text.encode(), own[0]),
            f"the signature of {verifier.name} does not stand",
            f"{verifier.name} 的签名不成立",
        )
        return True

    def cosigned(self, verifier: Verifier) -> int | None:
        """The time (s) at which a witness cosigned; None without its line, Bad where that does not stand."""
        own = [signature for name, key_id, signature in self.lines if (name, key_id) == (verifier.name, verifier.id)]
        if not own:
            return None
        demand(len(own) == 1, "a known witness signed twice", "同一已知见证方签了两次")
        when = int.from_bytes(own[0][:8], "big")
        message = (f"cosignature/v1\ntime {when}\n{self.text}").encode()
        demand(
            verifier.kind == WITNESS_TYPE and len(own[0]) == 72 and when <= MAX_SIZE
            and verifier.key.stands(message, own[0][8:]),
            f"the cosignature of {verifier.name} does not stand",
            f"{verifier.name} 的联署不成立",
        )
        return when


class Checkpoint:
    """The head of a tree: origin, size, root, and perhaps further lines."""

    def __init__(self, text: str) -> None:
        lines = text.split("\n")
        demand(len(lines) >= 4 and not lines.pop(), "a checkpoint has at least three lines", "检查点至少有三行")
        demand(all(lines[:1] + lines[3:]), "a line of the checkpoint is empty", "检查点中有空行")
        self.origin = lines[0]
        self.size = decimal(lines[1], "the size in the checkpoint", "检查点中的大小")
        self.root = base64_bytes(lines[2], "the root in the checkpoint", "检查点中的根")
        demand(len(self.root) == 32, "a root has 32 bytes", "根应为 32 字节")
        demand(self.size > 0 or self.root == root_of(()), "that is not the root of the empty tree", "那不是空树的根")
        self.more = lines[3:]

    @property
    def epoch(self) -> int:
        """The epoch in the origin (format 5.5)."""
        return epoch_of(self.origin)


def epoch_of(origin: str) -> int:
    """The epoch in a checkpoint's origin (format 5.5)."""
    match = EPOCH.fullmatch(origin)
    return int(match["epoch"]) if match else 0


def origin_of(origin: str, epoch: int) -> str:
    """The origin of checkpoints in an epoch of a ledger."""
    return f"{origin}/epoch/{epoch}" if epoch else origin


def open_checkpoint(data: bytes, verifier: Verifier | None) -> tuple[Note, Checkpoint]:
    """A checkpoint note; with a verifier its signature has to be there and stand."""
    note = Note(data)
    checkpoint = Checkpoint(note.text)
    if verifier is not None:
        demand(
            note.signed(verifier),
            f"it is not signed by {verifier.text}",
            f"没有 {verifier.text} 的签名",
        )
    return note, checkpoint


class Proof:
    """A tlog-proof: where a leaf stands, and the checkpoint under which that is proved."""

    def __init__(self, data: bytes) -> None:
        text = note_text(data, 2 * MAX_NOTE)
        head, separator, note = text.partition("\n\n")
        lines = head.split("\n")
        demand(bool(separator) and lines.pop(0) == "c2sp.org/tlog-proof@v1", "this is no tlog-proof",
            "这不是 tlog-proof")
        self.extra: bytes | None = None
        if lines and lines[0].startswith("extra "):
            self.extra = base64_bytes(lines.pop(0)[6:], "extra data of a proof", "证明的附加数据")
        demand(bool(lines) and lines[0].startswith("index "), "a proof has no index", "证明中没有索引")
        self.index = decimal(lines.pop(0)[6:], "the index of a proof", "证明的索引")
        self.path = [base64_bytes(line, "a hash of a proof", "证明中的哈希") for line in lines]
        demand(all(len(one) == 32 for one in self.path) and len(self.path) <= 63, "a proof's hash has 32 bytes",
            "证明中的哈希应为 32 字节")
        self.note = note.encode()


def prune_witness_key(vkey: str) -> bytes | None:
    """The public key in a verifier key of a witness, None where it is none."""
    try:
        found = parse_verifier(vkey)
    except Bad:
        return None
    return found.key.raw if found.kind == WITNESS_TYPE else None


# ======================================================================================================================
# THE CONTAINER (format 15.1, 15.2). Nothing is written, nothing is unpacked to disk, no name leads out of the bundle.
# ======================================================================================================================

CAPS_ONE = {"bundle.json": 1 << 16, "README.txt": 1 << 20, "verify_bundle.py": 1 << 20, "checkpoint": 1 << 16}
CAPS_SEAL = {"seal/items": 1 << 40, "seal/absent": 1 << 40, "seal/note": 1 << 16}
CAP_TILE = {"tile": 8192, "entries": 33_280, "contents": 1 << 25, "rows": 1 << 28}
NUMBER = "(?P<n>(?:x[0-9]{3}/)*[0-9]{3})"
NAME_TILED = re.compile(
    "(?:tile/(?P<level>[0-9]|entries)|(?P<kind>contents|rows))/" + NUMBER + "(?:\\.p/(?P<w>[1-9][0-9]{0,2}))?", re.ASCII
)
NAME_SIZED = re.compile("(?P<kind>witnessed|seals|consistency)/(?P<size>0|[1-9][0-9]{0,12})", re.ASCII)
NAME_PRIVATE = re.compile("private/(?P<index>0|[1-9][0-9]{0,12})-(?P<k>0|[1-9][0-9]{0,12})\\.json", re.ASCII)
NAME_ENTRY = re.compile("entries/" + NUMBER + "\\.(?P<kind>entry|proof)", re.ASCII)
MOST_ENTRIES = 1 << 40


def format_number(number: int) -> str:
    """A number in groups of three digits, all but the last with x before them: x001/x234/067 (tlog-tiles)."""
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03}")
    return "/".join(reversed(groups))


def parse_number(text: str) -> int | None:
    """The number that is written so; None for what `format_number` does not write."""
    if len(text) > 24:
        return None
    number = int(text.replace("x", "").replace("/", ""))
    return number if number < MOST_ENTRIES and format_number(number) == text else None


class Name:
    """A name that a layout lists: its kind, its cap, and what is numbered in it."""

    def __init__(self, kind: str, cap: int, level: int = 0, number: int = 0, width: int = 0,
            start: int | None = None) -> None:
        self.kind = kind
        self.cap = cap
        self.level = level
        self.number = number
        self.width = width
        self.start = start


def parse_name(name: str, whole: bool) -> Name | None:
    """What a name means in the whole or the excerpt layout; None for one that is not listed (format 15.3, 15.4)."""
    if name in CAPS_ONE:
        return Name(name, CAPS_ONE[name])
    if not whole and name in CAPS_SEAL:
        return Name(name, CAPS_SEAL[name])
    match = NAME_TILED.fullmatch(name) if whole else None
    if match:
        number, width = parse_number(match["n"]), 256 if match["w"] is None else int(match["w"])
        if number is None or width > (256 if match["w"] is None else 255):
            return None
        kind = match["kind"] or ("entries" if match["level"] == "entries" else "tile")
        level = int(match["level"]) if kind == "tile" else 0
        return Name(kind, CAP_TILE[kind], level, number, width, number << 8 * (level + 1))
    match = NAME_SIZED.fullmatch(name)
    if match and match["kind"] != ("consistency" if whole else "seals") and int(match["size"]) < MOST_ENTRIES:
        return Name(match["kind"], 8192 if match["kind"] == "consistency" else 1 << 16, number=int(match["size"]))
    match = NAME_PRIVATE.fullmatch(name)
    if match and int(match["index"]) < MOST_ENTRIES and int(match["k"]) < MOST_ENTRIES:
        return Name("private", 1 << 21, number=int(match["index"]), width=int(match["k"]), start=int(match["index"]))
    match = NAME_ENTRY.fullmatch(name) if not whole else None
    if match:
        number = parse_number(match["n"])
        if number is not None:
            return Name(match["kind"], 1 << 26 if match["kind"] == "entry" else 131_072, number=number, start=number)
    return None


LOCAL_HEAD = struct.Struct("<4s22xHH")
ZIP_ERRORS = (
    zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, struct.error, EOFError, OverflowError,
    IndexError, MemoryError,
)  # fmt: skip
PIECE = 1 << 16


class Plain:
    """A file in a folder, read from its beginning to its end."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, flags)
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            os.close(descriptor)
            raise IsADirectoryError(errno.EISDIR, "a folder, and so no file of this name", name)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise Unreadable(f"{name!r} is no regular file", f"{name!r} 不是普通文件")
        self.length = found.st_size
        self._file = os.fdopen(descriptor, "rb")

    def read(self, count: int) -> bytes:
        """The next bytes, fewer only at the end."""
        try:
            return self._file.read(count)
        except OSError as error:
            raise Bad(f"{self.name} cannot be read: {error.strerror}",
                f"{self.name} 无法读取：{error.strerror}") from None

    def close(self) -> None:
        """Close it."""
        self._file.close()


class Packed:
    """A file in a zip, read from its beginning to its end: it ends where its stated lengths say, packed and unpacked,
    and has its stated checksum, or it is Bad. Of `zipfile` only the directory is used, which judges little."""

    def __init__(self, file: IO[bytes], info: zipfile.ZipInfo) -> None:
        self.name = info.orig_filename
        self.length = info.file_size
        self._file = file
        self._info = info
        self._given = self._check = 0
        self._left = info.compress_size
        self._unpacker = zlib.decompressobj(-15) if info.compress_type == zipfile.ZIP_DEFLATED else None
        self._waiting = b""
        head = self._raw(info.header_offset, LOCAL_HEAD.size)
        self._need(len(head) == LOCAL_HEAD.size)
        magic, name_length, extra_length = LOCAL_HEAD.unpack(head)
        self._at = info.header_offset + LOCAL_HEAD.size + name_length + extra_length
        encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
        own = self._raw(info.header_offset + LOCAL_HEAD.size, name_length)
        self._need(magic == b"PK\x03\x04" and own == self.name.encode(encoding))

    def _need(self, holds: bool) -> None:
        demand(holds, f"{self.name} cannot be read out of the zip file as it says",
            f"{self.name} 无法按所述从 zip 文件中读出")

    def _raw(self, at: int, count: int) -> bytes:
        try:
            self._file.seek(at)
            return self._file.read(count)
        except (OSError, ValueError, OverflowError):
            raise Bad(f"{self.name} cannot be read out of the zip file",
                f"{self.name} 无法从 zip 文件中读出") from None

    def read(self, count: int) -> bytes:
        """The next bytes, fewer only at the end; the last ones only if all of it is right."""
        count = min(count, self.length - self._given)
        pieces: list[bytes] = []
        while count > 0:
            piece = self._next(count)
            self._need(bool(piece))
            pieces.append(piece)
            count -= len(piece)
            self._given += len(piece)
            self._check = zlib.crc32(piece, self._check)
        if self._given == self.length:
            self._end()
        return b"".join(pieces)

    def _next(self, count: int) -> bytes:
        if self._unpacker is None:
            return self._stored(min(count, PIECE))
        try:
            while not self._unpacker.eof:
                packed = self._waiting or self._stored(PIECE)
                piece = self._unpacker.decompress(packed, count)
                self._waiting = self._unpacker.unconsumed_tail
                if piece or not packed:
                    return piece
        except zlib.error:
            self._need(False)
        return b""

    def _stored(self, count: int) -> bytes:
        data = self._raw(self._at, min(count, self._left))
        self._at += len(data)
        self._left -= len(data)
        return data

    def _end(self) -> None:
        """Nothing is left over, and the checksum is the stated one."""
        over = self._next(1)
        self._need(not over and not self._left and not self._waiting)
        if self._unpacker is not None:
            self._need(self._unpacker.eof and not self._unpacker.unused_data)
        self._need(self._check == self._info.CRC)

    def close(self) -> None:
        """Nothing is open by itself."""


class Container:
    """A folder or a zip file, by its path. `read` gives a file's bytes: None where it is not there, Bad where it cannot
    be read or is over its cap."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.files = 0
        self.bytes = 0
        self._zip: dict[str, zipfile.ZipInfo] | None = None
        try:
            mode = os.stat(path).st_mode
            if stat.S_ISDIR(mode):
                return
            if not stat.S_ISREG(mode):
                raise Unreadable(f"{path} is neither a folder nor a file", f"{path} 既不是文件夹也不是文件")
            self._file = open(path, "rb")  # noqa: SIM115  it stays open as long as the bundle is read
        except OSError as error:
            raise Unreadable(f"{path} cannot be opened: {error.strerror}",
                f"{path} 无法打开：{error.strerror}") from None
        try:
            with zipfile.ZipFile(self._file) as listed:
                found = listed.infolist()
        except ZIP_ERRORS as error:
            self._file.close()
            raise Unreadable(f"{path} is no folder and no zip file ({error})",
                f"{path} 不是文件夹也不是 zip 文件（{error}）") from None
        self._zip = {}
        try:
            for info in found:
                self._take(info, self._zip)
        except Unreadable:
            self._file.close()
            raise

    def _take(self, info: zipfile.ZipInfo, taken: dict[str, zipfile.ZipInfo]) -> None:
        """A file of a zip, if that is safe (format 15.1)."""
        name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)
        if not name or name in taken:
            raise Unreadable(f"the name {name[:200]!r} comes twice", f"名称 {name[:200]!r} 出现两次")
        if name.startswith("/") or ".." in name.split("/") or "\\" in name or "\0" in name:
            raise Unreadable(f"the name {name[:200]!r} leads elsewhere", f"名称 {name[:200]!r} 指向别处")
        if info.flag_bits & (0x0001 | 0x0020 | 0x0040 | 0x2000):
            raise Unreadable(f"{name[:200]!r} is encrypted", f"{name[:200]!r} 已加密")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable(f"{name[:200]!r} is packed by a method that is not used",
                f"{name[:200]!r} 使用了不允许的压缩方法")
        if kind not in (0, stat.S_IFREG) and not (kind == stat.S_IFDIR and name.endswith("/")):
            raise Unreadable(f"{name[:200]!r} is a link or another special file",
                f"{name[:200]!r} 是链接或其他特殊文件")
        taken[name] = info

    def close(self) -> None:
        """Close it."""
        if self._zip is not None:
            self._file.close()

    def check_lengths(self, whole: bool) -> None:
        """Of a zip, no file states a length over the cap of its name; of a folder, all files are safe (format 15.1)."""
        for name, length in self.names():
            said = parse_name(name, whole) if self._zip is not None else None
            if said is not None and length > said.cap:
                raise Unreadable(f"{name} would have {length} bytes, it may have {said.cap}",
                    f"{name} 将有 {length} 字节，上限为 {said.cap}")

    def names(self) -> Iterator[tuple[str, int]]:
        """All names with their sizes; Unreadable for what is not safe (format 15.1)."""
        if self._zip is not None:
            for name, info in self._zip.items():
                yield name, info.file_size
            return
        try:
            yield from self._walk(self.path, "")
        except RecursionError:
            raise Unreadable("folders nest without end", "文件夹无限嵌套") from None
        except OSError as error:
            raise Unreadable(f"{self.path} cannot be read: {error.strerror}",
                f"{self.path} 无法读取：{error.strerror}") from None

    def _walk(self, folder: str, prefix: str) -> Iterator[tuple[str, int]]:
        with os.scandir(folder) as found:
            for one in found:
                name = prefix + one.name
                if one.is_symlink():
                    raise Unreadable(f"{name!r} is a link", f"{name!r} 是链接")
                if "\\" in one.name:
                    raise Unreadable(f"the name {name!r} leads elsewhere", f"名称 {name!r} 指向别处")
                if one.is_dir(follow_symlinks=False):
                    yield from self._walk(one.path, name + "/")
                elif one.is_file(follow_symlinks=False):
                    yield name, one.stat(follow_symlinks=False).st_size
                else:
                    raise Unreadable(f"{name!r} is a special file", f"{name!r} 是特殊文件")

    def open(self, name: str) -> Plain | Packed | None:
        """A file to be read from its beginning on; None where it is not there."""
        if self._zip is not None:
            info = self._zip.get(name)
            return None if info is None else Packed(self._file, info)
        try:
            return Plain(name, os.path.join(self.path, *name.split("/")))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Unreadable(f"{name!r} is a link", f"{name!r} 是链接") from None
            raise Bad(f"{name} cannot be read: {error.strerror}", f"{name} 无法读取：{error.strerror}") from None

    def read(self, name: str, cap: int) -> bytes | None:
        """The bytes of a file."""
        stream = self.open(name)
        if stream is None:
            return None
        try:
            demand(stream.length <= cap, f"{name} is over its cap of {cap} bytes", f"{name} 超过上限 {cap} 字节")
            data = stream.read(stream.length)
            whole = len(data) == stream.length and not stream.read(1)
            demand(whole, f"{name} is longer or shorter than it was said to be", f"{name} 的长度与声明不符")
            return data
        finally:
            stream.close()


class Manifest:
    """bundle.json (format 15.2)."""

    def __init__(self, data: bytes | None) -> None:
        if data is None:
            raise Unreadable("there is no bundle.json: this is no bundle", "没有 bundle.json：这不是数据包")
        try:
            found = json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=no_constant)
        except (ValueError, RecursionError):
            found = None
        keys = {"format", "kind", "exported", "asked"}
        if (
            not isinstance(found, dict)
            or set(found) != keys
            or found["format"] != "tracechain bundle v0"
            or found["kind"] not in ("whole", "excerpt", "absence")
            or not is_number(found["exported"])
            or not isinstance(found["asked"], list)
            or len(found["asked"]) > 1024
            or not all(isinstance(one, str) and len(one) <= 1000 for one in found["asked"])
        ):
            raise Unreadable("bundle.json is not as it has to be: this is no bundle that this script reads",
                "bundle.json 不符合要求：本脚本无法读取该数据包")
        self.kind: str = found["kind"]
        self.exported: int = found["exported"]
        self.asked: list[str] = found["asked"]


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which each member comes once."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member comes twice")
    return dict(pairs)


def no_constant(name: str) -> Any:
    """JSON has no NaN."""
    raise ValueError(name)


# ======================================================================================================================
# HEADERS (format 2)
# ======================================================================================================================

HEADER = struct.Struct(">4sBBHQHHI8sQIIIIQ32s32s")
HEADER_SIZE = 128
GENESIS, STATEMENT, EVENT, RECORD, AUTHORISED, REVOKED, CLOCK, EPOCH_ENTRY, EVIDENCE = range(1, 10)
COVERED = (EVENT, RECORD)
OPEN_DAY = (1 << 32) - 1
NO_POLICY = (1 << 64) - 1
MAX_ID = 480
CONTENT_TAG, ROW_TAG, ROW_SALT_TAG = tag("TCH0 content"), tag("TCH0 row"), tag("TCH0 row salt")


class Header:
    """The 128 bytes of an entry that are kept for ever; Bad for a malformed one."""

    __slots__ = (
        "author", "commitment", "content_length", "first_rows", "flags", "keep_until", "kind", "policy", "record_class",
        "row_count", "row_root", "rows_length", "sequence", "time",
    )  # fmt: skip

    def __init__(self, raw: bytes) -> None:
        demand(len(raw) == HEADER_SIZE, "a header has 128 bytes", "条目头应为 128 字节")
        (
            magic, kind, suite, flags, self.time, self.record_class, zero, self.keep_until, self.author, self.sequence,
            self.row_count, self.content_length, self.rows_length, self.first_rows, self.policy, self.commitment,
            self.row_root,
        ) = HEADER.unpack(raw)  # fmt: skip
        self.kind: int = kind
        self.flags: int = flags
        demand(magic == b"TCH0", "the header does not begin with TCH0", "条目头不以 TCH0 开头")
        demand(suite == 1, f"suite {suite} is unknown", f"未知的算法套件 {suite}")
        demand(1 <= kind <= 9, f"type {kind} is unknown", f"未知的条目类型 {kind}")
        demand(zero == 0, "a reserved field is not zero", "保留字段不为零")
        demand(flags <= 1, "unknown flags", "未知标志")
        demand(0 < self.content_length <= MAX_CONTENT, "that content length cannot be", "内容长度不可能")
        demand((self.row_count == 0) == (self.rows_length == 0) and self.rows_length <= MAX_ROWS,
            "so many rows cannot have so many bytes", "单元记录的份数与字节数不符")
        demand(self.first_rows <= self.row_count, "more first rows than rows", "首份单元记录多于单元记录总数")
        demand(self.row_count > 0 or self.row_root == ZERO, "a row root without rows", "没有单元记录却有其根")
        demand(kind in (STATEMENT, EVENT, RECORD) or (self.author == bytes(8) and self.sequence == 0),
            "an entry of the ledger itself names an author", "账本自身的条目写有作者")
        demand(kind in COVERED or self.record_class == 0, "an entry of this type has no record class",
            "此类条目没有记录类别")
        demand(kind == EVENT or (self.keep_until == OPEN_DAY and self.policy == NO_POLICY),
            "only an event has a keep-until day and a policy", "只有事件才有保存期限和保存政策")


def leaf_of(raw: bytes) -> bytes:
    """The leaf of a header."""
    return sha256(b"\0" + raw).digest()


def committed(raw: bytes, part: bytes | None) -> bytes | None:
    """The content under a header (without its salt) if it is what the header commits to, else None (format 4)."""
    if part is None or len(raw) != HEADER_SIZE or sha(CONTENT_TAG, part) != raw[64:96]:
        return None
    return part[32:]


# ======================================================================================================================
# EVENTS (format 9): one array with fixed positions. What is checked here is that an event is written in its one form;
# what it claims is the word of who signed it.
# ======================================================================================================================

VOCABULARY = {
    "step": (
        "accepting arriving assembling collecting commissioning consigning creating_class_instance"
        " cycle_counting decommissioning"
        " departing destroying disassembling dispensing encoding entering_exiting holding inspecting installing"
        " killing loading other"
        " packing picking receiving removing repackaging repairing replacing reserving retail_selling shipping"
        " staging_outbound"
        " stock_taking stocking storing transporting unloading unpacking void_shipping sensor_reporting sampling",
        "bizstep", "BizStep",
    ),
    "disposition": (
        "active container_closed damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive"
        " no_pedigree_match non_sellable_other partially_dispensed recalled reserved retail_sold returned"
        " sellable_accessible"
        " sellable_not_accessible stolen unknown available completeness_verified completeness_inferred"
        " conformant container_open"
        " mismatch_instance mismatch_class mismatch_quantity needs_replacement non_conformant unavailable",
        "disp", "Disp",
    ),
    "transaction": ("bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt", "btt", "BTT"),
    "party": ("owning_party possessing_party location", "sdt", "SDT"),
    "reason": ("did_not_occur incorrect_data", "er", "ER"),
    "component": (
        "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing"
        " latitude longitude altitude",
        None, "Comp",
    ),
    "measurement": (
        "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance"
        " AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area"
        " Capacitance Conductance"
        " Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity"
        " ElectricCharge ElectricCurrent"
        " ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance"
        " Irradiance"
        " KinematicViscosity Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux"
        " MagneticFluxDensity"
        " MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity"
        " MolalityOfSolute MolarEnergy"
        " MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity RelativeHumidity Resistance"
        " Resistivity SolidAngle"
        " SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume"
        " VolumeFlowRate VolumeFraction"
        " VolumetricFlux Wavenumber",
        None, None,
    ),
    "exception": ("ALARM_CONDITION ERROR_CONDITION", None, None),
}  # fmt: skip
WEB = [scheme + f"://{host}.gs1.org/cbv/" for host in ("ref", "ns") for scheme in ("https", "http")]
VOC = [scheme + "://" + host + "/voc/" for host in ("gs1.org", "www.gs1.org") for scheme in ("https", "http")]
CLOSED = ("urn:epcglobal:cbv:", "https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/")
NAMESPACES = ("", "urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda", "https://gs1.org/voc/",
    "https://ref.gs1.org/cbv/", "https://ref.gs1.org/epcis/")


class Vocabulary:
    """Standard names by their numbers, and the spellings of them that are never written (format 9.7)."""

    def __init__(self, names: str, urn: str | None, fragment: str | None) -> None:
        self.names = names.split()
        before = [f"urn:epcglobal:cbv:{urn}:"] if urn else []
        before += VOC if fragment is None else [base + fragment + "-" for base in WEB]
        self.never = frozenset(self.names) | {base + name for base in before for name in self.names}
        self.closed = () if fragment is None else CLOSED

    def read(self, value: Value) -> str:
        """The name or URI that a term stands for."""
        if type(value) is int and 0 <= value < len(self.names):
            return self.names[value]
        if type(value) is not str or value in self.never or value.startswith(self.closed or ("\0",)):
            raise Bad(f"{value!r:.80} is no term of its vocabulary", f"{value!r:.80} 不是词汇表中的术语")
        return read_uri(value)


TERMS = {name: Vocabulary(*spellings) for name, spellings in VOCABULARY.items()}
SPACE = re.compile(r"\s")
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`]+")
UNIT = re.compile("[A-Z0-9]{2,3}", re.ASCII)


def read_text(value: Value) -> str:
    """A text value: it alone may hold tab, line feed and carriage return."""
    if type(value) is not str or len(value.encode()) > 16_384:
        raise Bad(f"{value!r:.80} is no text of at most 16384 bytes", f"{value!r:.80} 不是至多 16384 字节的文本")
    return value


def read_name(value: Value) -> str:
    """A text of 1 to 480 bytes, one line."""
    if type(value) is not str or not 0 < len(value.encode()) <= MAX_ID or CONTROL.search(value):
        raise Bad(f"{value!r:.80} is no text of 1 to 480 bytes on one line",
            f"{value!r:.80} 不是 1 至 480 字节的单行文本")
    return value


def read_id(value: Value) -> str:
    """A name without white space."""
    if (type(value) is str and 0 < len(value) <= MAX_ID and value.isascii() and value.isprintable()
            and " " not in value):
        return value
    if SPACE.search(read_name(value)):
        raise Bad(f"an id has white space in it: {value!r:.80}", f"标识中有空白：{value!r:.80}")
    return str(value)


def read_uri(value: Value) -> str:
    """An absolute URI."""
    if not URI.fullmatch(read_id(value)):
        raise Bad(f"{value!r:.80} is no absolute URI", f"{value!r:.80} 不是绝对 URI")
    return str(value)


def read_time(value: Value) -> int:
    """Nanoseconds since 1970, signed 64-bit."""
    if not is_number(value, -(1 << 63), 1 << 63):
        raise Bad(f"{value!r:.80} is no time", f"{value!r:.80} 不是时间")
    return int(value)


def read_number(value: Value) -> int:
    """A number [mantissa, exponent]; what it comes to, times 10^64, so that numbers compare exactly."""
    if type(value) is not list or len(value) != 2 or not is_number(value[0], 1 - (1 << 63)) or not is_number(value[1],
            -64, 65):
        raise Bad(f"{value!r:.80} is no number", f"{value!r:.80} 不是数")
    mantissa, exponent = value
    if (mantissa == 0 and exponent) or (mantissa and mantissa % 10 == 0):
        raise Bad("a number is not in its shortest form", "数没有用最短形式书写")
    return int(mantissa * 10 ** (exponent + 64))


def positions(value: Value, most: int) -> list[Value]:
    """An array with positions: the last item is not nil; filled up with nils to `most`."""
    if type(value) is not list or not 0 < len(value) <= most or value[-1] is None:
        raise Bad(f"{value!r:.80} is no array of at most {most} items of which the last is not nil",
            f"{value!r:.80} 不是至多 {most} 项且末项非空的数组")
    return value + [None] * (most - len(value))


def listed(value: Value) -> list[Value]:
    """A list of 1 to 32,768 items."""
    if type(value) is not list or not 0 < len(value) <= 32_768:
        raise Bad(f"{value!r:.80} is no list of 1 to 32,768 items", f"{value!r:.80} 不是 1 至 32,768 项的列表")
    return value


def ascending(keys: Sequence[Any], strict: bool = True) -> None:
    """Keys are in order; with `strict`, each once."""
    for one, other in zip(keys, keys[1:]):
        if not (one < other or (not strict and one == other)):
            raise Bad("a list is not in its order, or an item comes twice", "列表没有按顺序排列，或有重复项")


def read_groups(value: Value) -> list[str]:
    """Id groups (format 9.3): sorted ids, cut after their last slash."""
    if type(value) is not list or not value or len(value) % 2:
        raise Bad("ids are not groups of a prefix and suffixes", "标识不是前缀与后缀组成的组")
    ids: list[str] = []
    last: str | None = None
    for prefix, suffixes in zip(value[::2], value[1::2]):
        if type(prefix) is not str or prefix == last or type(suffixes) is not list or not suffixes:
            raise Bad("neighbouring groups of ids have one prefix, or a group is empty",
                "相邻的标识组前缀相同，或有空组")
        if prefix and not prefix.endswith("/"):
            raise Bad("an id is not cut after its last slash", "标识没有在最后一个斜杠后切开")
        last = prefix
        for suffix in suffixes:
            if type(suffix) is not str or "/" in suffix:
                raise Bad("an id is not cut after its last slash", "标识没有在最后一个斜杠后切开")
            ids.append(read_id(prefix + suffix))
    if len(ids) > 32_768:
        raise Bad("more than 32,768 ids", "标识超过 32,768 个")
    ascending(ids)  # code points are in the order of the UTF-8 bytes
    return ids


def read_fields(value: Value, bare: bool = False, depth: int = 1) -> list[tuple[str, str, Value]]:
    """Extension fields (format 9.5): triples of namespace, name and value, sorted."""
    if type(value) is not list or not value or len(value) % 3 or len(value) > 3 * 32_768:
        raise Bad("fields are not triples", "扩展字段不是三元组")
    found: list[tuple[str, str, Value]] = []
    for space, name, one in zip(value[::3], value[1::3], value[2::3]):
        if type(space) is int and 0 <= space < len(NAMESPACES):
            namespace = NAMESPACES[space]
        elif type(space) is str and space not in NAMESPACES:
            namespace = read_id(space)
        else:
            raise Bad(f"{space!r:.80} is no namespace", f"{space!r:.80} 不是命名空间")
        if not namespace and not bare:
            raise Bad("a field has no namespace", "字段没有命名空间")
        read_value(one, depth)
        found.append((namespace, read_name(name), one))
    ascending([one[:2] for one in found])
    return found


def read_value(value: Value, depth: int) -> None:
    """The value of an extension field: text, boolean, nil, number, array or object, at most 16 deep."""
    if value is None or type(value) is bool:
        return
    if type(value) is str:
        read_text(value)
        return
    if type(value) is not list or not value or type(value[0]) is not int or not 0 <= value[0] <= 2:
        raise Bad(f"{value!r:.80} is no value of a field", f"{value!r:.80} 不是字段值")
    if value[0] == 0:
        read_number(value[1:])
        return
    if depth > 16 or len(value) > 1 + 3 * 32_768 or (value[0] == 1 and len(value) > 1 + 32_768):
        raise Bad("a value is nested too deep, or too long", "字段值嵌套过深或过长")
    if value[0] == 1:
        for one in value[1:]:
            read_value(one, depth + 1)
    elif len(value) > 1:
        read_fields(value[1:], bare=True, depth=depth + 1)


def read_quantities(value: Value) -> list[str]:
    """Quantities [class, number, unit]; their classes."""
    keys = []
    for one in listed(value):
        kind, number, unit = positions(one, 3)
        if unit is not None and (type(unit) is not str or not UNIT.fullmatch(unit)):
            raise Bad(f"{unit!r:.80} is no unit", f"{unit!r:.80} 不是计量单位")
        keys.append((read_id(kind), unit or "", number is not None, 0 if number is None else read_number(number)))
    ascending(keys, strict=False)
    return [key[0] for key in keys]


def read_uris(value: Value) -> None:
    """URIs, sorted, each once."""
    ascending([read_uri(one) for one in listed(value)])


def read_transactions(value: Value) -> list[str]:
    """Documents [id, type]; their types, empty where there is none."""
    found = []
    for one in listed(value):
        document, kind = positions(one, 2)
        found.append((read_id(document), "" if kind is None else TERMS["transaction"].read(kind)))
    ascending(found)
    return [kind for _, kind in found]


def read_parties(value: Value) -> None:
    """Sources or destinations [type, id]."""
    found = []
    for one in listed(value):
        if type(one) is not list or len(one) != 2:
            raise Bad("a source or destination is [type, id]", "来源或目的地的形式是 [类型, 标识]")
        found.append((TERMS["party"].read(one[0]), read_id(one[1])))
    ascending(found)


def read_dispositions(value: Value) -> None:
    """A persistent disposition [set, unset]."""
    for terms in positions(value, 2):
        if terms is not None:
            ascending([TERMS["disposition"].read(one) for one in listed(terms)])


def read_error(value: Value) -> None:
    """An error declaration [time, reason, ids, fields]."""
    when, reason, ids, fields = positions(value, 4)
    read_time(when)
    if reason is not None:
        TERMS["reason"].read(reason)
    if ids is not None:
        read_uris(ids)
    if fields is not None:
        read_fields(fields)


def read_private(value: Value) -> None:
    """Private fields [name, commitment] (format 4.1)."""
    names = []
    for one in listed(value):
        if type(one) is not list or len(one) != 2 or not is_bytes(one[1], 32):
            raise Bad("a private field is [name, commitment of 32 bytes]", "私密字段的形式是 [名称, 32 字节承诺]")
        names.append(read_name(one[0]))
    ascending(names)


def read_blob(value: Value) -> None:
    """A byte string of 1 to 16,384 bytes."""
    if type(value) is not bytes or not 0 < len(value) <= 16_384:
        raise Bad("not a byte string of 1 to 16,384 bytes", "不是 1 至 16,384 字节的字节串")


def read_boolean(value: Value) -> None:
    """True or false."""
    if type(value) is not bool:
        raise Bad(f"{value!r:.80} is no boolean", f"{value!r:.80} 不是布尔值")


METADATA = [read_time] * 3 + [read_uri] * 5 + [read_fields]
REPORT: list[Callable[[Value], Any]] = [
    TERMS["measurement"].read, read_number, read_name, read_time, TERMS["exception"].read, TERMS["component"].read,
    *[read_number] * 6, read_text, read_boolean, read_blob, read_uri, *[read_uri] * 8, read_fields,
]  # fmt: skip


def read_sensors(value: Value) -> None:
    """Sensor elements [metadata, reports, fields] (format 9.6)."""
    for one in listed(value):
        metadata, reports, fields = positions(one, 3)
        if metadata is not None:
            read_all(positions(metadata, 9), METADATA)
        for report in listed(reports):
            items = positions(report, 25)
            if items[0] is None:
                raise Bad("a sensor report has no type", "传感器读数没有类型")
            read_all(items, REPORT)
        if fields is not None:
            read_fields(fields)


def read_all(items: Sequence[Value], readers: Sequence[Callable[[Value], Any]]) -> None:
    """Each item that is not nil by its own reader."""
    for item, reader in zip(items, readers):
        if item is not None:
            reader(item)


def read_person(value: Value) -> None:
    """A token for a natural person: 16 bytes."""
    if not is_bytes(value, 16):
        raise Bad("a person is a token of 16 bytes", "人员标识是 16 字节的令牌")


OBJECT, AGGREGATION, TRANSACTION, TRANSFORMATION = range(1, 5)
ADD, OBSERVE, DELETE = 1, 2, 3
ANY = frozenset(range(1, 6))
#: Reader of each position, and the kinds of events that have it (format 9.1). The first four are read by themselves.
POSITIONS: list[tuple[Callable[[Value], Any], frozenset[int]]] = [
    (read_id, frozenset((2, 3, 5))), (read_groups, ANY), (TERMS["step"].read, ANY), (TERMS["disposition"].read, ANY),
    (read_id, ANY), (read_id, ANY), (read_quantities, ANY), (read_transactions, ANY), (read_parties, ANY),
    (read_parties, ANY),
    (read_fields, frozenset((1, 4))), (read_uri, ANY), (read_time, ANY), (read_dispositions, ANY),
    (read_sensors, ANY),
    (read_error, ANY), (read_uris, ANY), (read_uri, frozenset((4,))), (read_groups, frozenset((4,))),
    (read_quantities, frozenset((4,))), (read_person, ANY), (read_private, ANY), (read_fields, ANY),
    (read_fields, ANY), (read_fields, ANY),
]  # fmt: skip


class Event:
    """An event's content; Bad where it is not in its one form."""

    __slots__ = ("action", "classes", "documents", "epcs", "items", "kind", "outputs", "step")

    def __init__(self, content: bytes) -> None:
        items = decode(content, white=True)
        if type(items) is not list or not 3 <= len(items) <= 29 or items[-1] is None:
            raise Bad("an event is an array of 3 to 29 items of which the last is not nil",
                "事件是 3 至 29 项且末项非空的数组")
        items += [None] * (29 - len(items))
        kind, _, zone, action = items[:4]
        demand(is_number(kind, 1, 6), "there is no such type of event", "没有这种事件类型")
        read_time(items[1])
        demand(is_number(zone, -840, 841), "a time zone offset is out of range", "时区偏移超出范围")
        demand(is_number(action, 1, 4) if kind != TRANSFORMATION else action is None, "there is no such action",
            "没有这种动作")
        found: list[Any] = []
        for at, (reader, kinds) in enumerate(POSITIONS, 4):
            if items[at] is None:
                found.append(None)
                continue
            demand(kind in kinds, f"item {at} does not stand in an event of this type", f"第 {at} 项不属于此类事件")
            found.append(reader(items[at]))
        self.items: list[Value] = items
        self.kind: int = kind
        self.action: int | None = action
        self.epcs: list[str] = found[1] or []
        self.step: str | None = found[2]
        self.classes: list[str] = (found[6] or []) + (found[19] or [])
        self.documents: list[str] = found[7] or []
        self.outputs: list[str] = found[18] or []
        demand(items[14] is None or kind == TRANSFORMATION or action == ADD, "master data stands with ADD only",
            "主数据只能与 ADD 一起出现")
        demand(items[27] is None or items[8] is not None, "fields of a read point that is not there",
            "没有读取点却有其扩展字段")
        demand(items[28] is None or items[9] is not None, "fields of a location that is not there",
            "没有地点却有其扩展字段")
        demand(not any(space == "urn:tracechain:" for space, _, _ in found[22] or ()),
            "a namespace is not to be used", "使用了保留的命名空间")
        self._needs(items, found[6], found[19])

    def _needs(self, items: list[Value], quantities: Any, output_quantities: Any) -> None:
        """What an event needs (format 9.8)."""
        things, parent, kind = bool(self.epcs or quantities), items[4] is not None, self.kind
        if kind == OBJECT:
            holds = things or items[18] is not None
        elif kind == AGGREGATION:
            holds = (parent or self.action == OBSERVE) and (things or self.action == DELETE)
        elif kind == TRANSACTION:
            holds = bool(self.documents) and (things or parent or self.action == DELETE)
        elif kind == TRANSFORMATION:
            made = bool(self.outputs or output_quantities)
            holds = (things and made) or (items[21] is not None and (things or made))
        else:
            holds = parent and (things or self.action == DELETE)
        demand(holds, "the event does not say what it is about", "事件没有说明所涉及的对象")


# ======================================================================================================================
# ACTS AND STATES (format 7.1, 7.2; docs/custody.md). What an event does to each subject, and where that leads.
# ======================================================================================================================

# A cell says what an act does in a custody: "." nothing, ">8" leads to custody 8, "!5" breaks rule 5 ("!2+12": both).
CUSTODY_TABLE = """
                  0     1   2   3   4   5   6   7   8   9  10  11  12
 3 observe       !2     .  !1   .   .   .   .   .   .   .   .   .   .
 4 commission    >1    !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3
 5 ship          !2    >3  !1   .  !4  !4  >7   .  >7  !4  !4  !4  !4
 6 bond_in       !2    >4  !1  >4  !4  !4  !4  !4  !4  !4  !4  >4  !4
 7 reserve       !2    !4  !1  !4  >5   .  !4  !4  !4  !4  !4  !4  !4
 8 cancel        !2    !4  !1  !4  !4  >4  !4  !4  !4  !4  !4  !4  !4
 9 clear         !2    !4  !1  !4  !4  >6  !4  !4  !4  !4  !4  !4  !4
10 sell          !2    !5  !1  !5  !5  !5  >8  !4  !6  !6  !5  !5  !4
11 sell_part     !2    !5  !1  !5  !5  !5  >8  !4   .   .  !5  !5  !4
12 dispense      !2    !4  !1  !4 !14 !14 !14  >9  >9  !4  !4  !4  !4
13 dispense_part !2    !4  !1  !4 !14 !14 !14  >9  >9   .  !4  !4  !4
14 return_in     !2    !4  !1  !4  !4  !4  !4 >10 >10 >10  !4  !4 >10
15 export_return !2+12 !12 !12 !12 !12 !12 !12 !12 !12 !12 !12 !12 >10
16 conform       !2     .  !1   .   .   .   .   .   .   .   .   .   .
17 reject        !2     .  !1   .   .   .   .   .   .   .   .   .   .
18 hold          !2     .  !1   .   .   .   .   .   .   .   .   .   .
19 release       !2    !4  !1  !4  !4  !4  !4  !4  !4  !4  >4  !4  !4
20 recall        !2     .  !1   .   .   .   .   .   .   .   .   .   .
21 steal         !2     .  !1   .   .   .   .   .   .   .   .   .   .
22 repair        !2   !13  !1 !13 >11 !13 !13 !13 !13 !13 >11 !13 !13
23 relabel_old   !2   !13  !1 !13  >2 !13 !13 !13 !13 !13  >2  >2 !13
24 relabel_new   >11   !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3
25 consume       !2    >2  !1  >2 !13 !13 !13 !13 !13 !13 !13 !13 !13
26 produce       >1    !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3
27 export        !2    !4  !1  !4 >12  !4  !4  !4  !4  !4  !4 >12  !4
28 destroy       !2    >2  !1  >2  >2  >2  >2  >2  >2  >2  >2  >2  >2
29 undo           .     .   .   .   .   .   .   .   .   .   .   .   .
30 apply_return  !2    !4  !1  !4  !4  !4  !4   .   .   .  !4  !4  !4
"""
CUSTODY = {int(row[0]): row[2:] for row in map(str.split, CUSTODY_TABLE.splitlines()[2:])}
HELD, RECALLED, STOLEN, CONFORMANT, PAID = 16, 32, 64, 128, 256
FLAGGED = ((HELD, 8), (RECALLED, 9), (STOLEN, 10))
GUARDED = frozenset((5, 7, 9, 10, 11, 12, 13, 19, 23, 25))
MAKES = frozenset((4, 24, 26))
SEE, END, NOTE, UNDO = 0, 1, 2, 29
#: Violations that a verifier of rows cannot judge (format 7.1, 7.2): more than state and act decides them.
CONTEXTUAL = {1: frozenset((40, 41, 42)), 2: frozenset((7, 9, *range(13, 43)))}
RULE_SETS = (1, 2)
EXPIRY_SHIFT = 9

_steps: dict[tuple[int, int, int], tuple[int, tuple[int, ...]]] = {}


def step(rule_set: int, state: int, act: int) -> tuple[int, tuple[int, ...]]:
    """The state after an act and its violations by the tables; KeyError for a state or an act that there is not."""
    key = (rule_set, state, act)
    found = _steps.get(key)
    if found is None:
        if len(_steps) > 1 << 18:
            _steps.clear()
        found = _steps[key] = _step_plain(state, act) if rule_set == 1 else _step_pack(state, act)
    return found


def _step_plain(state: int, act: int) -> tuple[int, tuple[int, ...]]:
    if not 0 <= state <= 2:
        raise KeyError(state)
    if act == NOTE:
        return state, ()
    if act not in (SEE, END):
        raise KeyError(act)
    return (2, (1,)) if state == 2 else (1 + act, ())


def _step_pack(state: int, act: int) -> tuple[int, tuple[int, ...]]:
    custody, number, day = state & 15, act & 255, act >> 8
    if not 0 <= state < 1 << 24 or custody > 12 or act < 0:
        raise KeyError(state)
    if act == NOTE:
        return state, ()
    if act in (SEE, END):  # what is no pack goes by rule set 1
        return _step_plain(state, act)
    cell = CUSTODY[number][custody]
    if (day and number not in MAKES) or day >= 1 << 15:
        raise KeyError(act)
    if number == 19 and state & HELD:
        return state - HELD, ()
    codes = set(map(int, cell[1:].split("+"))) if cell[0] == "!" else set()
    if number in GUARDED and not (number == 5 and custody in (1, 3)):
        codes.update(code for flag, code in FLAGGED if state & flag)
    if number == 19 and custody == 10 and not state & CONFORMANT:
        codes.add(11)
    if number == 9 and custody == 5 and not state & PAID:
        codes.add(7)
    if codes:
        return state, tuple(sorted(codes))
    if cell[0] == ">":
        kept = day << EXPIRY_SHIFT if custody == 0 else state & ~(15 | CONFORMANT | PAID)
        return kept | int(cell[1:]), ()
    sets = {7: PAID, 16: CONFORMANT if custody == 10 else 0, 18: HELD, 20: RECALLED, 21: STOLEN}.get(number, 0)
    return (state | sets) & ~(CONFORMANT if number == 17 else 0), ()


def follows(rule_set: int, before: int, act: int, after: int, codes: Sequence[int]) -> tuple[bool, bool]:
    """Whether state and violations of a row can follow from the state before; KeyError as `step`."""
    state, expected = step(rule_set, before, act)
    if not codes:
        return (rule_set == 2 and act == UNDO) or after == state, not expected
    more = set(codes) - set(expected)
    return after == before, more <= CONTEXTUAL[rule_set] and set(expected) <= set(codes)


def possible(rule_set: int, act: int, after: int, codes: tuple[int, ...]) -> bool:
    """Whether a row can follow from some state before (format 13.1): of a chain whose beginning was pruned."""
    if not codes and rule_set == 2 and act & 255 not in MAKES:
        after &= (1 << EXPIRY_SHIFT) - 1  # the expiry day goes on as it is
    key = (rule_set, act, after, codes)
    found = _possible.get(key)
    if found is None:
        if len(_possible) > 1 << 16:
            _possible.clear()
        befores = (after,) if codes else (0, after, *range(1 << EXPIRY_SHIFT))
        found = _possible[key] = any(_follows(rule_set, before, act, after, codes) for before in befores)
    return found


_possible: dict[tuple[int, int, int, tuple[int, ...]], bool] = {}


def _follows(rule_set: int, before: int, act: int, after: int, codes: tuple[int, ...]) -> bool:
    try:
        return all(follows(rule_set, before, act, after, codes))
    except KeyError:
        return False


def is_pack(subject: str) -> bool:
    """Whether a subject is a pack (format 7.2)."""
    return (
        (subject.startswith("01/") and "/21/" in subject)
        or (subject.startswith("nmpa/") and len(subject) == 25)
        or subject.startswith("urn:epc:id:sgtin:")
        or (subject.startswith(("https://", "http://")) and "/01/" in subject and "/21/" in subject)
    )


CLEARING, EXPORT_RETURN = "urn:tracechain:customs_clearing", "urn:tracechain:btt:export_return"
#: (action, business step, disposition) -> act of an Object event; a disposition None stands for every other one.
OBJECT_ACTS: dict[tuple[int, str | None, str | None], int] = {
    (action, said, disposition): act
    for action in (OBSERVE, DELETE)
    for said, disposition, act in (
        ("retail_selling", "partially_dispensed", 11), ("retail_selling", None, 10),
        ("dispensing", "partially_dispensed", 13), ("dispensing", None, 12),
    )
}  # fmt: skip
OBJECT_ACTS.update(
    {(OBSERVE, "holding", TERMS["disposition"].names[n]): 19 for n in (0, 4, 8, 9, 15, 16, 17, 18, 19, 22)})
OBJECT_ACTS.update({
    (OBSERVE, "shipping", None): 5, (OBSERVE, "storing", "sellable_not_accessible"): 6, (OBSERVE, CLEARING, None): 9,
    (OBSERVE, "receiving", "returned"): 14, (OBSERVE, "inspecting", "conformant"): 16,
    (OBSERVE, "inspecting", "non_conformant"): 17, (OBSERVE, "holding", "recalled"): 20,
    (OBSERVE, "holding", None): 18,
    (OBSERVE, "removing", "stolen"): 21, (OBSERVE, "repairing", None): 22, (DELETE, "shipping", None): 27,
})  # fmt: skip
DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def expiry_day(fields: Value) -> int:
    """The expiry day that master data states, in days since 2000-01-01; 0 where it states none (format 7.2)."""
    stated = {
        space: value
        for space, name, value in zip(*[iter(fields or ())] * 3)
        if name == "itemExpirationDate" and space in (1, 2, 3)
    }
    text = next((stated[space] for space in (1, 2, 3) if space in stated), None)
    if not isinstance(text, str) or not DATE.match(text):
        return 0
    try:
        day = (date(int(text[:4]), int(text[5:7]), int(text[8:10])) - date(2000, 1, 1)).days
    except ValueError:
        return 0
    return min(max(day, 1), (1 << 15) - 1)


def acts_of(event: Event, rule_set: int) -> list[tuple[str, int]]:
    """The subjects of an event in the order of rows, each with what the event does to it."""
    items, kind, action = event.items, event.kind, event.action
    subjects = {*event.epcs, *event.outputs, *event.classes}
    if items[4] is not None:
        subjects.add(items[4])
    ordered = sorted(subjects)
    if items[19] is not None:
        undo = UNDO if rule_set == 2 else NOTE
        return [(subject, undo if is_pack(subject) else NOTE) for subject in ordered]
    ends = set(event.epcs) if kind == TRANSFORMATION or (kind == OBJECT and action == DELETE) else set()
    if rule_set == 1:
        return [(subject, END if subject in ends else SEE) for subject in ordered]
    first, other = _pack_acts(event)
    inside, outputs = set(event.epcs), set(event.outputs)
    return [
        (subject, first if subject in inside else other if subject in outputs else 3)
        if is_pack(subject)
        else (subject, END if subject in ends else SEE)
        for subject in ordered
    ]


def _pack_acts(event: Event) -> tuple[int, int]:
    """What an event does to the packs among its epcs, and among its outputs."""
    items, kind, action, said = event.items, event.kind, event.action, event.step
    if kind == OBJECT:
        if action == ADD:
            return 4 | expiry_day(items[14]) << 8, 3
        disposition = None if items[7] is None else TERMS["disposition"].read(items[7])
        assert action is not None
        act = OBJECT_ACTS.get((action, said, disposition),
            OBJECT_ACTS.get((action, said, None), 28 if action == DELETE else 3))
        return (15 if act == 14 and EXPORT_RETURN in event.documents else act), 3
    if kind == TRANSACTION and said == "reserving" and action != OBSERVE:
        return (7 if action == ADD else 8), 3
    if kind == TRANSACTION and action == ADD and "rma" in event.documents:
        return 30, 3
    if kind == TRANSFORMATION:
        day = expiry_day(items[14]) << 8
        return (23, 24 | day) if said == "repackaging" else (25, 26 | day)
    return 3, 3


# ======================================================================================================================
# A WHOLE BUNDLE (format 15.3): the tiles of headers, contents and rows, 256 entries a file.
# ======================================================================================================================

WIDTH = 256
Block = tuple[list[Optional[bytes]], list[Optional[bytes]], list[Optional[bytes]]]
#: So many bytes of contents and rows are remembered at most, beside those of the last file.
BLOCKS_MOST = 1 << 26


def path_of(number: int, width: int) -> str:
    """Number and width of a tile as they stand in its name."""
    return format_number(number) if width == WIDTH else f"{format_number(number)}.p/{width}"


def split_parts(data: bytes, count: int) -> list[bytes | None]:
    """The parts in a file of contents or rows: u32 length and part, none where the length is 0."""
    found: list[bytes | None] = []
    at = 0
    for _ in range(count):
        length = int.from_bytes(data[at : at + 4], "big")
        at += 4 + length
        found.append(data[at - length : at] if length else None)
    demand(at == len(data), "it has more or fewer bytes than its lengths say", "字节数与所述长度不符")
    demand(any(one is not None for one in found), "a file in which nothing is would not be there", "空文件不应存在")
    return found


def held_by(block: Block) -> int:
    """The bytes of contents and rows in a block."""
    return sum(len(part) for parts in block[1:] for part in parts if part is not None)


class Log:
    """The log in a whole bundle. `leaves` are those of all entries, one after the other, once they are known."""

    def __init__(self, container: Container, size: int) -> None:
        self.container = container
        self.size = size
        self.leaves: Any = b""
        self.tree: Tree | None = None
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self._held = 0

    def width(self, number: int) -> int:
        """How many entries a file has."""
        return min(WIDTH, self.size - number * WIDTH)

    def headers_of(self, number: int, findings: Findings | None = None) -> list[bytes] | None:
        """The headers in a file of entries; None where it is not there or not as it has to be."""
        width = self.width(number)
        name = "tile/entries/" + path_of(number, width)
        try:
            data = self.container.read(name, CAP_TILE["entries"])
            if data is None:
                return None
            demand(len(data) == 130 * width, f"{name} has {len(data)} bytes, not {130 * width}",
                f"{name} 有 {len(data)} 字节，应为 {130 * width}")
            demand(data[0::130] == bytes(width) and data[1::130] == b"\x80" * width,
                f"{name}: an entry is not of 128 bytes", f"{name}：条目不是 128 字节")
        except Bad as error:
            if findings is not None:
                findings.bad("BUNDLE_FILE", number * WIDTH, error)
            return None
        return [data[at : at + HEADER_SIZE] for at in range(2, len(data), 130)]

    def parts_of(self, kind: str, number: int, findings: Findings | None = None) -> list[bytes | None]:
        """The contents or rows in a file; nothing where it is not there or not as it has to be."""
        width = self.width(number)
        name = f"{kind}/{path_of(number, width)}"
        try:
            data = self.container.read(name, CAP_TILE[kind])
            if data is not None:
                return split_parts(data, width)
        except Bad as error:
            if findings is not None:
                findings.add("BUNDLE_FILE", number * WIDTH, f"{name}: {error.en}", f"{name}：{error.zh}")
        return [None] * width

    def block(self, number: int, findings: Findings | None = None) -> Block:
        """Headers, contents and rows of the entries of one number; the last few are remembered."""
        found = self._blocks.get(number)
        if found is None or findings is not None:
            headers: list[bytes | None] = [None] * self.width(number)
            headers = [*(self.headers_of(number) or headers)]
            found = headers, self.parts_of("contents", number, findings), self.parts_of("rows", number, findings)
            if number in self._blocks:
                self._held -= held_by(self._blocks.pop(number))
            self._blocks[number] = found
            self._held += held_by(found)
            while len(self._blocks) > 1 and (len(self._blocks) > 24 or self._held > BLOCKS_MOST):
                self._held -= held_by(self._blocks.popitem(last=False)[1])
        else:
            self._blocks.move_to_end(number)
        return found

    def header(self, index: int) -> bytes | None:
        """The header of an entry, None where it is not there."""
        return self.block(index // WIDTH)[0][index % WIDTH] if 0 <= index < self.size else None

    def part(self, index: int) -> bytes | None:
        """Salt and content of an entry."""
        return self.block(index // WIDTH)[1][index % WIDTH] if 0 <= index < self.size else None

    def rows_part(self, index: int) -> bytes | None:
        """Salt and rows of an entry."""
        return self.block(index // WIDTH)[2][index % WIDTH] if 0 <= index < self.size else None

    def content(self, index: int) -> bytes | None:
        """The content of an entry without its salt, if it is what the header commits to."""
        return committed(self.header(index) or b"", self.part(index))

    def leaf(self, index: int) -> bytes:
        """The leaf of an entry, zero bytes where its header is not there."""
        return bytes(self.leaves[32 * index : 32 * index + 32])

    def root(self, size: int) -> bytes:
        """The root of the tree over the first `size` entries."""
        assert self.tree is not None
        return self.tree.root(size)

    def rows(self, index: int) -> tuple[int, list[Row]] | None:
        """Rule set and rows of an entry, if they are what the header commits to."""
        raw, part = self.header(index), self.rows_part(index)
        if raw is None or part is None:
            return None
        try:
            rule_set, rows = decode_rows(part[32:])
        except Bad:
            return None
        hashes = row_hashes(part[:32], rule_set, rows,
            [self.leaf(row[2] - 1) if 0 < row[2] <= index else ZERO for row in rows])
        return (rule_set, rows) if root_of(hashes) == raw[96:] else None


class Tree:
    """The tree over all headers: any node, and the root of the first so many entries."""

    def __init__(self, leaves: Any, size: int, tops: bytes) -> None:
        """`tops` are the roots over each 256 leaves, as far as there are 256."""
        self.leaves = leaves
        self.size = size
        self.levels = [tops]
        while len(self.levels[-1]) >= 64:
            below = self.levels[-1]
            pairs = range(0, len(below) - 63, 64)
            self.levels.append(b"".join([sha256(b"\x01" + below[at : at + 64]).digest() for at in pairs]))

    def node(self, height: int, index: int) -> bytes:
        """The root over the 2^height entries from index x 2^height on."""
        if height >= 8:
            return self.levels[height - 8][32 * index : 32 * index + 32]
        start = index << height
        return root_of([bytes(self.leaves[32 * at : 32 * at + 32]) for at in range(start, start + (1 << height))])

    def root(self, size: int) -> bytes:
        """The root over the first `size` entries."""
        nodes, at = [], 0
        while at < size:
            height = (size - at).bit_length() - 1
            nodes.append(self.node(height, at >> height))
            at += 1 << height
        if not nodes:
            return root_of(())
        found = nodes.pop()
        while nodes:
            found = node(nodes.pop(), found)
        return found


# ======================================================================================================================
# ROWS (format 7): what the ledger says an entry did to each subject, and which entry of the subject came before.
# ======================================================================================================================

#: Subject, act, previous (0: none, else 1 + index), state, violations.
Row = tuple[str, int, int, int, tuple[int, ...]]


def decode_rows(data: bytes) -> tuple[int, list[Row]]:
    """Rule set and rows as they are stored."""
    value = decode(data, MAX_ROWS)
    if type(value) is not list or len(value) < 2 or type(value[0]) is not int or value[0] < 1:
        raise Bad("rows are an array of a rule set and groups", "单元记录由规则版本和各组组成")
    rows: list[Row] = []
    last: str | None = None
    for group in value[1:]:
        if type(group) is not list or len(group) < 6 or len(group) % 5 != 1:
            raise Bad("a group of rows is a prefix and five items a row", "一组单元记录由前缀和每份五项组成")
        prefix = group[0]
        if type(prefix) is not str or prefix == last or (prefix and prefix[-1] != "/"):
            raise Bad("neighbouring groups of rows have one prefix", "相邻的单元记录组前缀相同")
        last = prefix
        for at in range(1, len(group), 5):
            suffix, act, previous, state, codes = group[at : at + 5]
            if type(suffix) is not str or "/" in suffix:
                raise Bad("a row's subject is not split after its last slash", "单元记录的对象没有在最后一个斜杠后切开")
            subject = prefix + suffix
            if not 0 < len(subject.encode()) <= MAX_ID:
                raise Bad("a row's subject does not have 1 to 480 bytes", "单元记录的对象不是 1 至 480 字节")
            if not (is_number(act, 0, 1 << 24) and is_number(previous, 0, 1 << 40) and is_number(state, 0, 1 << 24)):
                raise Bad("a number in a row is out of range", "单元记录中的数超出范围")
            if codes is None:
                rows.append((subject, act, previous, state, ()))
                continue
            if type(codes) is not list or not codes or not all(is_number(code, 1, 1 << 16) for code in codes):
                raise Bad("violations of a row are not nil or codes", "单元记录的违规代码不正确")
            if any(one >= other for one, other in zip(codes, codes[1:])):
                raise Bad("violations of a row are not ascending", "单元记录的违规代码不是升序")
            rows.append((subject, act, previous, state, tuple(codes)))
    if any(one[0] >= other[0] for one, other in zip(rows, rows[1:])):
        raise Bad("rows are not in the order of their subjects", "单元记录没有按对象排序")
    return value[0], rows


def stated_rules(part: bytes | None) -> int:
    """The rule set that stored rows name, 0 where that cannot be read."""
    if part is None or len(part) < 34:
        return 0
    at = 33 if part[32] < 0xDC else 35
    return part[at] if len(part) > at and part[at] < 0x80 else 0


def encode_row(rule_set: int, row: Row) -> bytes:
    """One row as its hash covers it."""
    subject, act, previous, state, codes = row
    cut = subject.rfind("/") + 1
    return b"\x92" + encode(rule_set) + encode([subject[:cut], subject[cut:], act, previous, state, [*codes] or None])

def row_hashes(salt: bytes, rule_set: int, rows: Sequence[Row], leaves: Sequence[bytes]) -> list[bytes]:
    """The hashes of the rows of an entry; `leaves` are those of the entries that they name."""
    if len(rows) == 1:
        return [sha256(ROW_TAG + salt + leaves[0] + encode_row(rule_set, rows[0])).digest()]
    seed = ROW_SALT_TAG + salt
    return [
        sha256(ROW_TAG + sha256(seed + at.to_bytes(4, "big")).digest() + leaf + encode_row(rule_set, row)).digest()
        for at, (row, leaf) in enumerate(zip(rows, leaves))
    ]


# ======================================================================================================================
# CHAINS (format 7, 13.1): each row follows from the row before of its subject. Subjects are many, so of a large log
# they are parted by a hash of their ids; each part is written to a file during the pass, and checked by itself
# afterwards.
# ======================================================================================================================

SHIFT = 40
MASK = (1 << SHIFT) - 1
#: How many subjects are held in memory at once.
PART_SUBJECTS = 250_000
PART_ROWS = 4_000_000

Ranges = list[tuple[int, int]]


def has(ranges: Ranges, index: int) -> bool:
    """Whether an index lies in one of some ascending ranges (start, stop)."""
    at = bisect_right(ranges, (index, 1 << 63)) - 1
    return at >= 0 and index < ranges[at][1]


def put(ranges: Ranges, index: int) -> None:
    """Add an index behind all that is in some ranges."""
    if ranges and ranges[-1][1] == index:
        ranges[-1] = (ranges[-1][0], index + 1)
    else:
        ranges.append((index, index + 1))


def check_link(findings: Findings, index: int, rule_set: int, row: Row, word: int) -> None:
    """Hold a row against where its subject stood: `word` is that, 0 for a subject that nobody has seen."""
    subject, act, previous, state, codes = row
    before, stood = word & MASK, word >> SHIFT
    add = findings.add
    if not previous and before:
        add("ROW_FIRST", index, f"the row claims to be the first of its subject, entry {before - 1} was before",
            f"该单元记录声称是其对象的第一份，但之前已有条目 {before - 1}", subject)
    elif previous != before:
        said, was = [str(one - 1) if one else "none" for one in (previous, before)]
        add("ROW_LINK", index, f"the row names entry {said} as the one before, it is {was}",
            f"该单元记录称前一条目为 {said}，实为 {was}", subject)
    if rule_set not in RULE_SETS:
        return
    try:
        after, expected = step(rule_set, stood, act)
        right, complete = follows(rule_set, stood, act, state, codes)
    except KeyError:
        add("ROW_ACT", index, f"act {act} is not possible in state {stood}", f"状态 {stood} 下不可能有动作 {act}",
            subject)
        return
    if not right:
        add("ROW_STATE", index, f"state {state}, the rules give {after}", f"状态为 {state}，按规则应为 {after}",
            subject)
    elif not complete:
        add("ROW_VIOLATIONS", index, f"violations {list(codes)}, the rules give {list(expected)}",
            f"违规代码为 {list(codes)}，按规则应为 {list(expected)}", subject)


def is_lawful(rule_set: int, before: int, act: int, state: int) -> bool:
    """Whether a row without violations follows by rules that are known."""
    return rule_set in RULE_SETS and _follows(rule_set, before, act, state, ())


class Chains:
    """Where each subject of a part stands: state x 2^40 + 1 + index of its latest entry."""

    def __init__(self, findings: Findings, bare: Ranges, cuts: Sequence[int]) -> None:
        self.findings = findings
        self.bare = bare
        self.last: dict[str, int] = {}
        #: Rows that name an entry of which the rows are not kept, and that entry, one pair after the other.
        self.believed: array[int] = array("Q")
        #: Sizes of the seals, ascending; what changed up to each: (subject, number of the seal, word).
        self.cuts = list(cuts)
        self.cut = 0
        self.next_cut = self.cuts[0] if self.cuts else 1 << 62
        self.fresh: set[str] = set()
        #: (rule set, state before, act, state) of lawful rows that were seen before.
        self.lawful: set[tuple[int, int, int, int]] = set()
        self.changes: list[tuple[str, int, int]] = []

    def pass_cut(self, index: int) -> None:
        """Note where subjects stood at each seal that is passed by going on to this entry."""
        while index >= self.next_cut:
            self.changes += [(subject, self.cut, self.last[subject]) for subject in self.fresh]
            self.fresh.clear()
            self.cut += 1
            self.next_cut = self.cuts[self.cut] if self.cut < len(self.cuts) else 1 << 62

    def end(self) -> None:
        """Go on behind the last entry."""
        self.pass_cut((1 << 62) - 1)

    def take(self, index: int, rule_set: int, row: Row) -> None:
        """Hold a row against where its subject stood."""
        subject, act, previous, state, codes = row
        if index >= self.next_cut:
            self.pass_cut(index)
        word = self.last.get(subject, 0)
        before = word & MASK
        if previous and before < previous <= index and has(self.bare, previous - 1):
            self.believed.extend((index, previous - 1))
            self._alone(index, rule_set, row, word)
        else:
            link = rule_set, word >> SHIFT, act, state
            if previous != before or codes or link not in self.lawful:
                check_link(self.findings, index, rule_set, row, word)
                if not codes and is_lawful(*link):
                    self.lawful.add(link)
        self.last[subject] = state << SHIFT | index + 1
        if self.cut < len(self.cuts):
            self.fresh.add(subject)

    def _alone(self, index: int, rule_set: int, row: Row, word: int) -> None:
        if word:
            before = (word & MASK) - 1
            self.findings.add("PRUNE_ORDER", row[2] - 1,
                f"its rows are gone, and those of entry {before}, which came before it, are there",
                f"其单元记录已不在，而更早的条目 {before} 的单元记录仍在", row[0])
        check_possible(index, rule_set, row, self.findings)


class Spill:
    """Writes rows to files by parts of subjects: what `Chains` takes later."""

    def __init__(self, folder: str, name: str, parts: int, seed: bytes) -> None:
        paths = [os.path.join(folder, f"rows-{part}-{name}") for part in range(parts)]
        self.files = [open(path, "wb") for path in paths]  # noqa: SIM115  `end` closes them
        self.held: list[list[Any]] = [[] for _ in range(parts)]
        self.parts = parts
        self.seed = seed

    def take(self, index: int, rule_set: int, row: Row) -> None:
        """Keep a row for later."""
        part = int.from_bytes(hashlib.blake2b(row[0].encode(), digest_size=4, key=self.seed).digest(),
            "big") % self.parts
        held = self.held[part]
        held += (index, rule_set, row)
        if len(held) >= 6144:
            marshal.dump(held, self.files[part])
            held.clear()

    def end(self) -> None:
        """Write what is left."""
        for held, file in zip(self.held, self.files):
            marshal.dump(held, file)
            file.close()


def unspill(folder: str, part: int, names: Sequence[str], chains: Chains, tick: Callable[[int], None]) -> None:
    """Give chains the rows of a part, in the order of the log. The files are our own, of this run."""
    for name in names:
        path = os.path.join(folder, f"rows-{part}-{name}")
        with open(path, "rb") as file:
            while True:
                try:
                    held = marshal.load(file)
                except EOFError:
                    break
                for at in range(0, len(held), 3):
                    chains.take(held[at], held[at + 1], held[at + 2])
                tick(len(held) // 3)
        os.unlink(path)
    chains.end()


# ======================================================================================================================
# THE LEDGER'S OWN CONTENTS AND STATEMENTS (format 5, 6)
# ======================================================================================================================

KIND = re.compile("[a-z0-9.-]{1,64}", re.ASCII)
KEY_URN = "urn:tracechain:key:"
SETTLING = ("epoch-settled", "gap-settled")


class GenesisRecord:
    """Format 5.2."""

    def __init__(self, content: bytes) -> None:
        version, suite, origin, created, log, roots, jump, nonce, predecessor = array_of(content, 9, "genesis",
            "创世记录")
        demand((version, suite) == (0, 1) and type(version) is type(suite) is int, "another version or suite",
            "版本或算法套件不同")
        demand(type(origin) is str and is_origin(origin), "that cannot be an origin", "不能作为来源名")
        demand(is_number(created) and is_number(jump), "a number is out of range", "数超出范围")
        demand(is_bytes(nonce, 32), "the nonce has 32 bytes", "随机数应为 32 字节")
        demand(predecessor is None or (type(predecessor) is bytes and len(predecessor) <= 65_536),
            "the predecessor is no note", "前身不是签名文本")
        demand(type(roots) is list and bool(roots), "it names no root key", "没有根密钥")
        self.origin: str = origin
        self.created: int = created
        self.jump_limit: int = jump
        self.log_key = read_key(log)
        keys = [read_key(one) for one in roots]
        demand(all(a.hash < b.hash for a, b in zip(keys, keys[1:])), "root keys are not sorted and unique",
            "根密钥没有排序或有重复")
        self.roots = {key.hash: key for key in keys}

    def root(self, key_hash: bytes) -> PublicKey:
        """A root key by its hash."""
        if key_hash not in self.roots:
            raise Bad(f"root key {key_hash.hex()[:16]} is not one of the genesis record's",
                f"根密钥 {key_hash.hex()[:16]} 不在创世记录中")
        return self.roots[key_hash]


def is_origin(origin: str) -> bool:
    """Whether a text can be the origin of checkpoints."""
    return is_key_name(origin) and "/epoch/" not in origin and not origin.startswith(("tracechain ", "cosignature/"))


def read_key(value: Value) -> PublicKey:
    """[algorithm, key]."""
    if type(value) is not list or len(value) != 2 or type(value[0]) is not int or type(value[1]) is not bytes:
        raise Bad("a public key is [algorithm, bytes]", "公钥的形式是 [算法, 字节]")
    return PublicKey(value[1], value[0])


def must(key: PublicKey, message: bytes, signature: bytes, en: str, zh: str) -> None:
    """A signature has to stand."""
    demand(key.stands(message, signature), f"the signature of {en} does not stand", f"{zh}的签名不成立")


class KeyAuthorised:
    """Format 5.3."""

    def __init__(self, content: bytes) -> None:
        algorithm, raw, label, scope, root, holder, by_root = array_of(content, 7, "key authorised", "密钥授权")
        self.key = read_key([algorithm, raw])
        demand(type(label) is str, "a label is a text", "标签应为文本")
        demand(
            scope is None
            or (type(scope) is list and bool(scope)
                and all(type(one) is str and bool(KIND.fullmatch(one)) for one in scope)
                and scope == sorted(set(scope))),
            "a scope is nil or sorted, distinct kinds", "权限范围应为空或已排序且不重复的种类",
        )  # fmt: skip
        demand(is_bytes(root, 32) and is_bytes(holder, 64) and is_bytes(by_root, 64),
            "a hash or signature has a wrong length", "哈希或签名长度错误")
        self.label: str = label
        self.scope: list[str] | None = scope
        self.root: bytes = root
        self._signatures = holder, by_root
        self._message = b"\x95", [algorithm, raw, label, scope]

    def check(self, ledger_id: bytes, genesis: GenesisRecord) -> None:
        """Both signatures stand."""
        message = b"tracechain authorise v0\n" + encode([ledger_id, *self._message[1]])
        must(self.key, message, self._signatures[0], "the key's holder", "密钥持有人")
        must(genesis.root(self.root), message, self._signatures[1], "the root key", "根密钥")


class KeyRevoked:
    """Format 5.4."""

    def __init__(self, content: bytes) -> None:
        key_hash, reason, root, signature = array_of(content, 4, "key revoked", "密钥吊销")
        demand(is_bytes(key_hash, 32) and is_bytes(root, 32) and is_bytes(signature, 64),
            "a hash or signature has a wrong length", "哈希或签名长度错误")
        demand(type(reason) is str, "a reason is a text", "理由应为文本")
        self.hash: bytes = key_hash
        self.reason: str = reason
        self._root, self._signature = root, signature

    def check(self, ledger_id: bytes, genesis: GenesisRecord) -> None:
        """The root's signature stands."""
        message = b"tracechain revoke v0\n" + encode([ledger_id, self.hash, self.reason])
        must(genesis.root(self._root), message, self._signature, "the root key", "根密钥")


class RecordEntry:
    """Format 5.6: kind, version, subject, body."""

    def __init__(self, content: bytes) -> None:
        kind, version, subject, body = array_of(content, 4, "record", "记录")
        demand(type(kind) is str and bool(KIND.fullmatch(kind)), "that is no kind of record", "记录种类不正确")
        demand(is_number(version), "a version is out of range", "版本号超出范围")
        demand(subject is None or (type(subject) is str and 0 < len(subject.encode()) <= MAX_ID),
            "a subject has 1 to 480 bytes", "对象应为 1 至 480 字节")
        self.kind: str = kind
        self.version: int = version
        self.subject: str | None = subject
        self.body: Value = body


def check_settled(record: RecordEntry, ledger_id: bytes, genesis: GenesisRecord) -> list[Value]:
    """What a settling record is about (format 5.6): [epoch, leaf, reason] or [key hash, from, to, reason]."""
    body, kind = record.body, record.kind[: -len("-settled")]
    count = 3 if kind == "epoch" else 4
    right = type(body) is list and len(body) == count + 2 and is_bytes(body[-2], 32) and is_bytes(body[-1], 64)
    if right and kind == "epoch":
        right = type(body[0]) is int and is_bytes(body[1], 32) and type(body[2]) is str
    elif right:
        right = is_bytes(body[0], 32) and type(body[1]) is int and type(body[2]) is int and type(body[3]) is str
    demand(right, "the body of a settlement does not have its form", "结清记录的内容格式不正确")
    about: list[Value] = body[:count]
    message = b"tracechain settle v0\n" + encode([ledger_id, kind, *about])
    must(genesis.root(body[-2]), message, body[-1], "the root key", "根密钥")
    return about


class Statement:
    """Format 6."""

    def __init__(self, content: bytes) -> None:
        value = decode(content, 1024, 1)
        demand(type(value) is list and len(value) == 8, "a statement is an array of eight items", "陈述应为八项数组")
        ledger_id, author, first, count, previous, signed_at, root, signature = value
        demand(all(is_bytes(one, 32) for one in (ledger_id, author, previous, root)) and is_bytes(signature, 64),
            "a hash or signature has a wrong length", "哈希或签名长度错误")
        demand(is_number(first) and is_number(count, 1, 1_000_001) and is_number(signed_at)
            and first + count <= 1 << 63, "a number is out of range", "数超出范围")
        demand((first == 0) == (previous == ZERO),
            "the first statement of an author, and only that, names none before it", "只有作者的第一份陈述没有前一份")
        self.ledger_id: bytes = ledger_id
        self.author: bytes = author
        self.first: int = first
        self.count: int = count
        self.previous: bytes = previous
        self.signed_at: int = signed_at
        self.root: bytes = root
        self.signature: bytes = signature
        self.message = b"tracechain statement v0\n" + encode(value[:7])
        self.hash = sha256(self.message).digest()


def statement_in(evidence: list[Value]) -> Statement:
    """The statement of an evidence entry [index, message, signature] (format 6.3)."""
    index, message, signature = evidence
    demand(is_number(index) and type(message) is bytes and len(message) <= 1024 and is_bytes(signature, 64),
        "evidence is [index, message, signature]", "证据的形式是 [索引, 消息, 签名]")
    lead = b"tracechain statement v0\n"
    demand(message.startswith(lead), "the evidence holds no statement", "证据中没有陈述")
    value = decode(message[len(lead) :], 1024, 1)
    return Statement(encode([*value, signature] if type(value) is list else value))


def read_epoch(content: bytes) -> list[Value]:
    """[epoch, size, root, lost end, note, reason] (format 5.5)."""
    value = array_of(content, 6, "epoch", "纪元记录")
    epoch, size, root, lost_end, note, reason = value
    demand(is_number(epoch) and is_number(size) and is_number(lost_end), "a number is out of range", "数超出范围")
    demand(is_bytes(root, 32) and type(note) is bytes and len(note) <= 8192 and type(reason) is str,
        "an item has a wrong form", "某项格式错误")
    return value


def read_clock(content: bytes) -> list[Value]:
    """[from, to, reason] (format 8)."""
    value = array_of(content, 3, "clock record", "时钟记录")
    demand(is_number(value[0]) and is_number(value[1]) and type(value[2]) is str, "an item has a wrong form",
        "某项格式错误")
    return value


def read_seal(record: RecordEntry) -> list[Value]:
    """[size, tree root, ids, map root] (format 5.12)."""
    body = record.body
    demand(record.version == 0 and record.subject == "urn:tracechain:seal",
        "a seal has version 0 and the subject urn:tracechain:seal", "封存的版本应为 0，对象应为 urn:tracechain:seal")
    demand(type(body) is list and len(body) == 4 and is_number(body[0], 1) and is_bytes(body[1], 32)
        and is_number(body[2]) and is_bytes(body[3], 32), "a seal is [size, tree root, ids, map root]",
        "封存的形式是 [大小, 树根, 对象数, 映射根]")
    found: list[Value] = body
    return found


# ======================================================================================================================
# Retention (format.md section 5.9): policies, and the days until which they keep an event.
# ======================================================================================================================

PRUNE_DAY_MS = 86_400_000
#: A day that is not set, and every one behind it: for ever.
PRUNE_OPEN = (1 << 32) - 1
#: The expiry code of an entry that no pack is in; 0 is a pack whose expiry is not known (section 7.2).
PRUNE_NO_PACK = -1
_PRUNE_RECEIPT, _PRUNE_EXPIRY = 0, 3
_PRUNE_EXPIRY_ZERO = (date(2000, 1, 1) - date(1970, 1, 1)).days
_PRUNE_EPOCH = date(1970, 1, 1)
_PRUNE_CYCLE = 146_097  # days of 400 years, after which the calendar repeats
_PRUNE_LONG_AGO = -1_000_000
#: Packs of an entry whose rows are gone: none, one that expired on 2000-01-02, one of unknown expiry (section 13.1).
_PRUNE_ANY = ((), (1,), (0,))

_PRUNE_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PRUNE_FIELD = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PRUNE_KIND = re.compile(r"[a-z0-9.-]{1,64}")


def prune_day_of(ms: int) -> int:
    """The day in Asia/Shanghai of a time."""
    return (ms + 28_800_000) // PRUNE_DAY_MS


def prune_date(day: int) -> str:
    """A day as YYYY-MM-DD, with more digits for a year over 9999."""
    eras, within = divmod(day, _PRUNE_CYCLE)
    there = _PRUNE_EPOCH + timedelta(days=within)
    return f"{there.year + 400 * eras:04d}-{there.month:02d}-{there.day:02d}"


def prune_plus(day: int, term: Sequence[int]) -> int:
    """A day and a term: calendar months on, to the last day of a month that is too short, then days."""
    eras, within = divmod(day, _PRUNE_CYCLE)
    start = _PRUNE_EPOCH + timedelta(days=within)
    months = 12 * (start.year + term[0]) + start.month - 1 + term[1] - 12 * 1970
    more, months = divmod(months, 4800)
    year, month = 1970 + months // 12, months % 12 + 1
    first = date(year, month, 1)
    length = (date(year + month // 12, month % 12 + 1, 1) - first).days
    ends = (first - _PRUNE_EPOCH).days + min(start.day, length) - 1
    return min((eras + more) * _PRUNE_CYCLE + ends + term[2], PRUNE_OPEN)


def prune_floor(received: int) -> int:
    """31 December of the year after that of a day of receipt: until then nothing goes."""
    eras, within = divmod(received, _PRUNE_CYCLE)
    year = (_PRUNE_EPOCH + timedelta(days=within)).year
    return eras * _PRUNE_CYCLE + (date(year + 1, 12, 31) - _PRUNE_EPOCH).days


class PruneRule(NamedTuple):
    """A rule with a lower bound: the record classes that it is for (empty: all); whether it is for some products or
    places only; whether for fields only; the bound."""

    classes: tuple[int, ...]
    special: bool
    fields: bool
    keep: list[Any]

    def of_class(self, record_class: int) -> bool:
        """Whether it is for events of a record class."""
        return not self.classes or record_class in self.classes


class PrunePolicy(NamedTuple):
    """A retention policy, as far as a verifier asks it. `rules` are those that say until when something is kept."""

    name: str
    rules: tuple[PruneRule, ...]
    wait_days: int
    archive: bool
    witnesses: tuple[str, ...]
    quorum: int


def _prune_line(value: Any, most: int) -> bool:
    """A text of one line. Control characters and other normal forms are refused by who decodes."""
    return type(value) is str and value != "" and value == value.strip() and len(value.encode()) <= most


def _prune_whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _prune_sorted(values: Any, most: int, right: Callable[[Any], bool]) -> bool:
    """Whether it is an array of at most so many such items, ascending, each once."""
    if type(values) is not list or len(values) > most or not all(map(right, values)):
        return False
    return all(one < other for one, other in zip(values, values[1:]))


def _prune_array(value: Any, least: int, most: int) -> bool:
    return type(value) is list and least <= len(value) <= most


def _prune_term(value: Any) -> bool:
    return _prune_array(value, 3, 3) and all(
        _prune_whole(one, 0, most) for one, most in zip(value, (1000, 12_000, 366_000))
    )


def _prune_bound(value: Any, depth: int) -> bool:
    """Whether it is a bound with at most `depth` within each other."""
    if depth == 0 or type(value) is not list or not value or type(value[0]) is not int:
        return False
    tag = value[0]
    if tag == 1:
        if len(value) != 4 or not _prune_whole(value[1], 0, 5) or not _prune_term(value[2]):
            return False
        return value[3] is None or (value[1] != _PRUNE_RECEIPT and _prune_term(value[3]))
    if tag in (2, 3):
        parts = value[1:]
        if not 2 <= len(parts) <= 16 or not all(_prune_bound(part, depth - 1) for part in parts):
            return False
        return all(part[0] != tag for part in parts) and len(set(map(encode, parts))) == len(parts)
    if tag == 4:
        if len(value) != 3 or not _prune_bound(value[1], depth - 1) or not _prune_bound(value[2], 1):
            return False
        return bool(value[1][0] != 5 and value[2][0] == 1)
    return tag == 5 and len(value) == 1


def _prune_rule(value: Any) -> bool:
    if not _prune_array(value, 9, 9) or not _prune_line(value[0], 100) or not _prune_line(value[1], 480):
        return False
    if not _prune_sorted(value[2], 256, lambda one: _prune_whole(one, 0, 65_535)):
        return False
    if not all(_prune_sorted(some, 256, lambda one: _prune_line(one, 100)) for some in value[3:5]):
        return False
    if not _prune_sorted(value[5], 256, lambda one: type(one) is str and _PRUNE_FIELD.fullmatch(one) is not None):
        return False
    bounds = value[6:]
    if bounds == [None, None, None] or not all(one is None or _prune_bound(one, 8) for one in bounds):
        return False
    return all(one is None or (bool(value[5]) and one != [5]) for one in bounds[1:])


def _prune_names(values: list[Any]) -> bool:
    """Whether what is named first of each is there once."""
    return len({one[0] for one in values}) == len(values)


def parse_policy(body: Any) -> PrunePolicy | None:
    """The retention policy of a record's body (or of the same as JSON); None for what is none (section 5.9)."""
    if not _prune_array(body, 6, 6) or not _prune_line(body[0], 100) or not _prune_array(body[1], 1, 32):
        return None
    for regime in body[1]:
        if not _prune_array(regime, 3, 3) or not _prune_line(regime[0], 100) or not _prune_line(regime[1], 480):
            return None
        if not _prune_array(regime[2], 1, 64) or not all(map(_prune_rule, regime[2])) or not _prune_names(regime[2]):
            return None
    _, regimes, wait_days, archive, witnesses, quorum = body
    if not _prune_names(regimes) or not _prune_whole(wait_days, 1, 3660) or type(archive) is not bool:
        return None
    if not _prune_sorted(witnesses, 32, lambda one: type(one) is str):
        return None
    keys = [prune_witness_key(vkey) for vkey in witnesses]
    if None in keys or len(set(keys)) < len(keys):
        return None
    if not _prune_whole(quorum, 1 if witnesses else 0, len(witnesses)) or len(encode(body)) > 60_000:
        return None
    rules = tuple(
        PruneRule(tuple(rule[2]), bool(rule[3] or rule[4]), bool(rule[5]), rule[6])
        for regime in regimes
        for rule in regime[2]
        if rule[6] is not None
    )
    return PrunePolicy(body[0], rules, wait_days, archive, tuple(witnesses), quorum)


def read_demand(data: bytes) -> PrunePolicy:
    """A policy that the verifier demands: the body of a record of kind retention, in canonical bytes or as JSON; or the
    content of such a record. Raises Bad for what is none."""
    try:
        body = json.loads(data.decode("utf-8")) if data.lstrip()[:1] == b"[" else decode(data)
        if _prune_array(body, 4, 4) and body[0] == "retention":
            body = body[3]
        policy = parse_policy(body)
    except (ValueError, RecursionError) as error:
        raise Bad(f"this is no retention policy: {error}") from None
    if policy is None:
        raise Bad("this is no retention policy in the form of format.md section 5.9")
    return policy


def _prune_come(bound: list[Any], days: Sequence[int | None], void: bool) -> int | None:
    """The day that a bound comes to; None where it is void. `days` are those of the anchors, None where not known;
    `void`: there is no pack."""
    tag = bound[0]
    if tag == 1:
        if void and bound[1] == _PRUNE_EXPIRY:
            return None
        day = days[bound[1]]
        if day is not None:
            return prune_plus(day, bound[2])
        received = days[_PRUNE_RECEIPT]
        return PRUNE_OPEN if bound[3] is None or received is None else prune_plus(received, bound[3])
    if tag == 5:
        return PRUNE_OPEN
    found = [day for day in (_prune_come(part, days, void) for part in bound[1:]) if day is not None]
    if not found:
        return None
    return min(found) if tag == 3 else max(found)


class PruneDays(dict[int, int]):
    """Keep-until days of events of one class and day of receipt, by the expiry code of a pack; PRUNE_NO_PACK for one
    without packs. Of an event with several the latest holds."""

    def __init__(self, policy: PrunePolicy, record_class: int, received: int) -> None:
        super().__init__()
        general = [rule for rule in policy.rules if not rule.special and not rule.fields]
        self._bounds = [rule.keep for rule in general if rule.of_class(record_class)]
        self._received = received

    def __missing__(self, code: int) -> int:
        found = prune_says(self._bounds, self._received, self._received, None, code)
        day = PRUNE_OPEN
        if found is not None and found < PRUNE_OPEN:
            day = min(max(found, prune_floor(self._received)), PRUNE_OPEN)
        self[code] = day
        return day

    def of(self, codes: Iterable[int]) -> int:
        """The day of an event with these packs (section 5.9)."""
        return max(map(self.__getitem__, codes), default=self[PRUNE_NO_PACK])

    def says(self, code: int) -> bool:
        """Whether any rule says something of such an event."""
        return prune_says(self._bounds, self._received, self._received, None, code) is not None


def prune_says(
    bounds: Iterable[list[Any]], received: int, claimed: int | None, others: int | None, code: int
) -> int | None:
    """The latest day that some bounds come to, None where all are void: `claimed` stands for the anchors event and
    transaction, `others` for release and publication."""
    expiry = _PRUNE_EXPIRY_ZERO + code if code > 0 else None
    days = (received, claimed, claimed, expiry, others, others)
    void = code == PRUNE_NO_PACK
    return max((day for one in bounds if (day := _prune_come(one, days, void)) is not None), default=None)


class KeepDays:
    """What a policy says of events, by record class, receipt time and expiry codes. Answers are remembered."""

    def __init__(self, policy: PrunePolicy) -> None:
        self.policy = policy
        self._tables: dict[tuple[int, int], PruneDays] = {}
        self._leasts: dict[tuple[int, int, int], int] = {}

    def days(self, record_class: int, receipt_ms: int) -> PruneDays:
        """The table of a class and a receipt time: for a loop over many events that have both in common."""
        key = record_class, (receipt_ms + 28_800_000) // PRUNE_DAY_MS
        found = self._tables.get(key)
        if found is None:
            if len(self._tables) >= 1024:
                self._tables.clear()
            found = self._tables[key] = PruneDays(self.policy, *key)
        return found

    def day(self, record_class: int, receipt_ms: int, codes: Iterable[int]) -> int:
        """The keep-until day of a header (section 5.9)."""
        return self.days(record_class, receipt_ms).of(codes)

    def least(self, record_class: int, receipt_ms: int) -> int:
        """The earliest keep-until day of an event whose rows are gone (section 13.1)."""
        table = self.days(record_class, receipt_ms)
        return min(table[PRUNE_NO_PACK], table[1], table[0])

    def demanded(self, record_class: int, receipt_ms: int, codes: Sequence[int] | None) -> int:
        """The day until which a verifier who demands this policy wants an event kept; -1 where no rule of it says
        anything of such an event (section 13.2). `codes` is None where its rows are gone."""
        table = self.days(record_class, receipt_ms)
        found = []
        for some in _PRUNE_ANY if codes is None else (codes,):
            day = table.of(some)
            said = day < PRUNE_OPEN or any(map(table.says, some or (PRUNE_NO_PACK,)))
            found.append(day if said else -1)
        return min(found)

    def at_least(self, record_class: int, receipt_ms: int, codes: Sequence[int] | None) -> int:
        """The least that the policy can have come to for an event whose header leaves it open: all anchors but receipt
        and expiry are taken as long past (section 13.2, 4). For ever where no rule at all is for its class."""
        rules = [rule for rule in self.policy.rules if not rule.fields and rule.of_class(record_class)]
        if not rules:
            return PRUNE_OPEN
        return min(
            max(self._least_of(record_class, prune_day_of(receipt_ms), code) for code in some or (PRUNE_NO_PACK,))
            for some in (_PRUNE_ANY if codes is None else (codes,))
        )

    def _least_of(self, record_class: int, received: int, code: int) -> int:
        key = record_class, received, code
        if key not in self._leasts:
            if len(self._leasts) >= 65_536:
                self._leasts.clear()
            rules = (rule for rule in self.policy.rules if not rule.fields and not rule.special)
            bounds = [rule.keep for rule in rules if rule.of_class(record_class)]
            found = prune_says(bounds, received, _PRUNE_LONG_AGO, _PRUNE_LONG_AGO, code)
            self._leasts[key] = -1 if found is None else found
        return self._leasts[key]


# ======================================================================================================================
# Holds (format.md sections 5.7 and 5.8; docs/registers.md for the bodies): what no pruning takes.
# ======================================================================================================================

_PRUNE_PRODUCT = re.compile(r"01/[0-9]{14}|nmpa/[0-9]{7}")
_PRUNE_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PRUNE_COUNTRY = re.compile(r"[A-Z]{2}")
_PRUNE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_PRUNE_SPACE = re.compile(r"\s")

PruneCheck = Callable[[Any], bool]


def _prune_checks(digits: str) -> bool:
    """Whether the last digit of a GS1 number is its check digit: from the right of the rest they weigh 3, 1, 3, ..."""
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return weighed % 10 == 0


def _prune_product_of(subject: str) -> str | None:
    """The product of a pack, a lot or a class of goods; None of anything else."""
    if subject.startswith("01/"):
        return subject[:17] if len(subject) == 17 or subject[17:18] == "/" else None
    return subject[:12] if subject.startswith("nmpa/") else None


# ---- forms of registers.md ----


def _prune_id_text(value: Any, most: int) -> bool:
    return type(value) is str and 0 < len(value.encode()) <= most and _PRUNE_SPACE.search(value) is None


def _prune_label(value: Any) -> bool:
    return type(value) is str and _PRUNE_LABEL.fullmatch(value) is not None


def _prune_date_text(value: Any) -> bool:
    if type(value) is not str or not _PRUNE_DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _prune_product_id(value: Any) -> bool:
    if type(value) is not str or not _PRUNE_PRODUCT.fullmatch(value):
        return False
    return not value.startswith("01/") or _prune_checks(value[3:])


def _prune_ident(value: Any) -> bool:
    """An id of a party or a place: a plain name, or the canonical spelling of a right code, or another URI."""
    if not _prune_id_text(value, 400):
        return False
    return _PRUNE_NAME.fullmatch(value) is not None or prune_canonical(value) == value


def _prune_named(value: Any) -> bool:
    """An id that a criterion names: a right code stands in its canonical spelling."""
    if not _prune_id_text(value, 480):
        return False
    return _PRUNE_NAME.fullmatch(value) is not None or prune_canonical(value) in (None, value)


def _prune_reference(value: Any) -> bool:
    return _prune_id_text(value, 480) and prune_canonical(value) in (None, value)


def _prune_number(value: Any) -> Fraction | None:
    """The number of [mantissa, exponent] (section 9.2), None for what is none."""
    if not _prune_array(value, 2, 2) or not _prune_whole(value[0], 1 - (1 << 63), (1 << 63) - 1):
        return None
    if not _prune_whole(value[1], -64, 64) or (value[0] % 10 == 0 and value != [0, 0]):
        return None
    mantissa, exponent = value
    return Fraction(mantissa) * (Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent))


def _prune_between(least: Fraction, most: Fraction) -> PruneCheck:
    def right(value: Any) -> bool:
        number = _prune_number(value)
        return number is not None and least <= number <= most

    return right


def _prune_range(least: Fraction, most: Fraction) -> PruneCheck:
    inside = _prune_between(least, most)

    def right(value: Any) -> bool:
        if not _prune_array(value, 2, 2) or not all(map(inside, value)):
            return False
        low, high = map(_prune_number, value)
        return low is not None and high is not None and low <= high

    return right


def _prune_text(most: int) -> PruneCheck:
    return lambda value: _prune_line(value, most)


def _prune_choice(*words: str) -> PruneCheck:
    return lambda value: type(value) is str and value in words


def _prune_count(most: int) -> PruneCheck:
    return lambda value: _prune_whole(value, 0, most)


def _prune_references(value: Any) -> bool:
    return _prune_sorted(value, 1024, _prune_reference)


def _prune_digest(value: Any) -> bool:
    return type(value) is bytes and len(value) == 32


def _prune_is_time(value: Any) -> bool:
    return _prune_whole(value, -(1 << 63), (1 << 63) - 1)


_PRUNE_CELSIUS = Fraction(-27_315, 100), Fraction(1000)
_PRUNE_PERCENT = Fraction(0), Fraction(100)


def _prune_window(start: Any, stop: Any) -> bool:
    if not all(one is None or _prune_is_time(one) for one in (start, stop)):
        return False
    return start is None or stop is None or bool(start <= stop)


def _prune_groups(groups: Any) -> list[str] | None:
    """The ids of id groups (section 9.3), None for what is no such array."""
    if type(groups) is not list or len(groups) % 2:
        return None
    found: list[str] = []
    before = None
    for prefix, suffixes in zip(groups[::2], groups[1::2]):
        if type(prefix) is not str or prefix == before or not _prune_array(suffixes, 1, 32_768):
            return None
        if not all(type(one) is str and "/" not in one for one in suffixes) or prefix[-1:] not in ("", "/"):
            return None
        found += [prefix + one for one in suffixes]
        before = prefix
    keys = [one.encode() for one in found]
    return found if all(one < other for one, other in zip(keys, keys[1:])) else None


def prune_is_criterion(value: Any, depth: int = 8) -> bool:
    """Whether it is a criterion (section 5.8) with at most `depth` within each other."""
    if depth == 8 and (type(value) is not list or len(encode(value)) > 65_536):
        return False
    if depth == 0 or type(value) is not list or not value or type(value[0]) is not int:
        return False
    tag, *rest = value
    lengths = {1: 2, 2: 1, 3: 1, 4: 1, 5: 2, 6: 3, 7: 3, 8: 3, 9: 4, 10: 1, 11: 1, 14: 1}
    if tag in (12, 13):
        if len(rest) < 2 or not all(prune_is_criterion(part, depth - 1) and part[0] != tag for part in rest):
            return False
        keys = list(map(encode, rest))
        return all(one < other for one, other in zip(keys, keys[1:]))
    if len(rest) != lengths.get(tag):
        return False
    if tag == 1:
        return _prune_product_id(rest[0]) and _prune_line(rest[1], 480)
    if tag == 2:
        return _prune_product_id(rest[0])
    if tag == 3:
        return _prune_line(rest[0], 480)
    if tag in (4, 10):
        return _prune_named(rest[0])
    if tag == 5:
        return None not in rest and _prune_window(*rest)
    if tag in (6, 7, 8):
        return _prune_named(rest[0]) and _prune_window(rest[1], rest[2])
    if tag == 9:
        return _prune_is_measured(rest)
    if tag == 11:
        codes = _prune_groups(rest[0])
        return codes is not None and 1 <= len(codes) <= 4096 and all(map(_prune_named, codes))
    return prune_is_criterion(rest[0], depth - 1) and rest[0][0] != 14


def _prune_is_measured(rest: list[Any]) -> bool:
    measure, above, below, longer = rest
    if not _prune_whole(measure, 0, 1) or (above is None and below is None) or not _prune_count((1 << 63) - 1)(longer):
        return False
    inside = _prune_between(*(_PRUNE_PERCENT if measure else _PRUNE_CELSIUS))
    if not all(one is None or inside(one) for one in (above, below)):
        return False
    high, low = _prune_number(above), _prune_number(below)
    return high is None or low is None or low <= high


_PRUNE_ID, _PRUNE_SHORT, _PRUNE_LONG = _prune_ident, _prune_text(480), _prune_text(8192)
_PRUNE_INT = _prune_count((1 << 31) - 1)


def _prune_country(value: Any) -> bool:
    return type(value) is str and _PRUNE_COUNTRY.fullmatch(value) is not None


_PRUNE_SCREENINGS = ["none", "narcotic", "psychotropic", "toxic", "radioactive", "rehabilitation", "precursor"]
#: Fields of the bodies of docs/registers.md, in order: what may stand there, and whether nil may.
_PRUNE_BODIES: dict[str, tuple[tuple[PruneCheck, bool], ...]] = {
    "product": (
        (_prune_product_id, False), (_PRUNE_SHORT, False), (_PRUNE_SHORT, False), (_PRUNE_SHORT, False),
        (_PRUNE_LONG, False), (_PRUNE_LONG, False), (_PRUNE_LONG, False), (_PRUNE_SHORT, False),
        (_prune_country, False), (_PRUNE_SHORT, False), (_PRUNE_ID, True), (_PRUNE_ID, False),
        (_prune_choice("drug", "device"), False),
        (_prune_choice(*_PRUNE_SCREENINGS), False),
        (_prune_label, False), (_prune_date_text, False), (_prune_date_text, False),
        (_prune_range(*_PRUNE_CELSIUS), True), (_prune_range(*_PRUNE_PERCENT), True), (_prune_count(36_525), True),
        (_prune_digest, True), (_prune_digest, True), (_prune_date_text, False),
    ),
    "case": (
        (_prune_label, False), (_prune_choice("complaint", "accident", "inspection", "dispute", "compensation"), False),
        (_prune_choice("opened", "investigated", "handled", "reported", "rectified", "closed"), False),
        (_prune_date_text, False), (_PRUNE_SHORT, False), (_PRUNE_LONG, False), (_prune_references, False),
        (_prune_date_text, True), (_prune_between(Fraction(0), Fraction(10**9)), True), (_PRUNE_SHORT, True),
    ),
    "recall": (
        (_prune_label, False), (_prune_choice("opened", "notified", "closed"), False), (_prune_date_text, False),
        (_PRUNE_SHORT, False), (_PRUNE_LONG, False), (_prune_choice("1", "2", "3"), True), (_PRUNE_SHORT, True),
        (prune_is_criterion, True), (_prune_references, False), (_PRUNE_INT, True), (_PRUNE_INT, True),
        (_PRUNE_INT, True), (_PRUNE_INT, True), (_PRUNE_INT, True), (_prune_count((1 << 40) - 1), True),
        (_PRUNE_LONG, True),
    ),
    "hold": (
        (_prune_label, False), (_prune_choice("placed", "extended", "released"), False), (_prune_date_text, False),
        (_PRUNE_SHORT, False), (_PRUNE_SHORT, True), (_PRUNE_LONG, False), (_prune_date_text, True),
        (prune_is_criterion, True), (_prune_references, False), (_prune_label, True),
    ),
}  # fmt: skip


def _prune_fits(kind: str, body: list[Any]) -> bool:
    """What registers.md says of several fields of a body together."""
    if kind == "product":
        return bool(body[16] >= body[15])
    if kind == "recall":
        phase, counts, outstanding = body[1], body[9:14], body[13]
        if phase == "opened":
            if body[5] is None or body[7] is None or body[9] is None:
                return False
        elif body[5] is not None or body[7] is not None:
            return False
        if phase == "notified" and not body[8]:
            return False
        if phase == "closed":
            if None in counts or (outstanding == 0) is not (body[15] is None):
                return False
        elif body[15] is not None:
            return False
        return None in counts or sum(counts[1:]) == counts[0]
    if kind == "hold":
        phase, until = body[1], body[6]
        names = body[7] is not None or bool(body[8]) or body[9] is not None
        if phase == "placed":
            return body[4] is not None and names
        return not names and (until is None) is (phase == "released")
    return True


def prune_register(record: Any) -> list[Any] | None:
    """The body of a record [kind, version, subject, body] of a product, case, recall or hold if it is of the form of
    registers.md; else None."""
    kind, _, subject, body = record
    forms = _PRUNE_BODIES.get(kind)
    if forms is None or not _prune_array(body, len(forms), len(forms)):
        return None
    if not all(
        (value is None and nil) or (value is not None and form(value)) for value, (form, nil) in zip(body, forms)
    ):
        return None
    if subject != f"urn:tracechain:{kind}:{body[0]}" or not _prune_fits(kind, body):
        return None
    return list(body)


# ---- which spelling of a code is the canonical one (format.md section 9.2: the path of the GS1 Digital Link) ----

# What a value has to be, by application identifier; and which of its digits end in a check digit.
_PRUNE_SET82 = r"[!\"%-?A-Z_a-z]"
_PRUNE_SHAPES = {
    "00": r"[0-9]{18}", "01": r"[0-9]{14}", "253": rf"[0-9]{{13}}{_PRUNE_SET82}{{0,17}}", "255": r"[0-9]{13,25}",
    "401": rf"(?=[0-9]{{4}}){_PRUNE_SET82}{{1,30}}", "402": r"[0-9]{17}", "414": r"[0-9]{13}", "417": r"[0-9]{13}",
    "8003": rf"0[0-9]{{13}}{_PRUNE_SET82}{{0,16}}", "8004": rf"(?=[0-9]{{4}}){_PRUNE_SET82}{{1,30}}",
    "8006": r"[0-9]{18}", "8010": r"(?=[0-9]{4})[#\-/0-9A-Z]{1,30}", "8017": r"[0-9]{18}", "8018": r"[0-9]{18}",
    "10": rf"{_PRUNE_SET82}{{1,20}}", "21": rf"{_PRUNE_SET82}{{1,20}}", "22": rf"{_PRUNE_SET82}{{1,20}}",
    "235": rf"{_PRUNE_SET82}{{1,28}}", "254": rf"{_PRUNE_SET82}{{1,20}}", "7040": rf"{_PRUNE_SET82}{{4}}",
    "8011": r"0|[1-9][0-9]{0,11}", "8019": r"[0-9]{1,10}",
}  # fmt: skip
_PRUNE_CHECKED = {
    "00": (0, 18), "01": (0, 14), "253": (0, 13), "255": (0, 13), "402": (0, 17), "414": (0, 13), "417": (0, 13),
    "8003": (1, 14), "8006": (0, 14), "8017": (0, 18), "8018": (0, 18),
}  # fmt: skip
#: Keys, and what may follow them in a path, in this order; what of that the canonical id keeps is in prune_canonical.
_PRUNE_KEYS: dict[str, tuple[str, ...]] = {
    "00": (), "01": ("22", "10", "21", "235"), "253": (), "255": (), "401": (), "402": (), "414": ("254",),
    "417": ("7040",), "8003": (), "8004": (), "8006": ("22", "10", "21"), "8010": ("8011",), "8017": ("8019",),
    "8018": ("8019",),
}  # fmt: skip
_PRUNE_WORDS = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018",
    "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004",
    "cpv": "22", "lot": "10", "ser": "21", "glnx": "254", "cpsn": "8011",
}  # fmt: skip
_PRUNE_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})?")
_PRUNE_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_PRUNE_WEB = re.compile(r"https?://[^/?#]+([^?#]*)(?:[?][^#]*)?(?:#.*)?", re.IGNORECASE)
_PRUNE_EPC = re.compile(r"urn:epc:(?:id|class|idpat):[a-z]+:[0-9]{6,12}\.[^:]+|urn:epc:tag:[^:]+:.+", re.IGNORECASE)
_PRUNE_NO_KEY = re.compile(r"urn:epc:[a-z]+:(?:adi|bic|gid|imovn|usdod)[^:]*:.+", re.IGNORECASE)
_PRUNE_ELEMENTS = re.compile(
    r"(?:\][A-Za-z][0-9A-Za-z])?\x1d?\(?(?:01\)?([0-9]{14})(?:\(?(?:10|21)\)?.+)?|00\)?([0-9]{18})|414\)?([0-9]{13}))"
)


def _prune_escape(value: str) -> str:
    return "".join(f"%{ord(one):02X}" if one in "!\"#%&'()*+,/:;<=>?" else one for one in value)


def _prune_pairs(segments: list[str]) -> str | None:
    """The canonical id of key, value, qualifier, value, ..., None where that is no right code."""
    key = segments[0]
    allowed, last = _PRUNE_KEYS[key], -1
    if len(segments) % 2:
        return None
    values: dict[str, str] = {}
    for ai, escaped in zip(segments[::2], segments[1::2]):
        if any(found[1] is None for found in _PRUNE_ESCAPED.finditer(escaped)):
            return None
        value = _PRUNE_ESCAPED.sub(lambda found: chr(int(found[1], 16)), escaped)
        if values:
            if ai not in allowed or allowed.index(ai) <= last:
                return None
            last = allowed.index(ai)
        elif key == "01":
            value = value.zfill(14)
        if not re.fullmatch(_PRUNE_SHAPES[ai], value):
            return None
        start, stop = _PRUNE_CHECKED.get(ai, (0, 0))
        if stop and not _prune_checks(value[start:stop]):
            return None
        values[ai] = value
    if key == "8006" and not "00" < values[key][14:16] <= values[key][16:18]:
        return None
    if "21" in values and "235" in values:
        return None
    path = f"{key}/{_prune_escape(values[key])}"
    kept = {"01": ("21", "235", "10"), "8006": ("21", "10"), "8010": ("8011",), "414": ("254",)}.get(key, ())
    for ai in kept:
        if ai in values and not (ai == "254" and values[ai] == "0"):
            return f"{path}/{ai}/{_prune_escape(values[ai])}"
    return path


def _prune_link(text: str) -> str | bool | None:
    """The canonical id of a web address that is a Digital Link, None for a wrong one, False for any other address."""
    match = _PRUNE_WEB.fullmatch(text)
    if match is None:
        return False
    segments = match[1].split("/")[1:]
    if segments and not segments[-1]:
        segments.pop()
    names = [_PRUNE_WORDS.get(one, one) for one in segments]
    for at, ai in enumerate(names[:-1]):
        shape = r"[0-9]{8}|[0-9]{12,14}" if ai == "01" else _PRUNE_SHAPES.get(ai, "")
        if ai in ("253", "8003", "401", "8004", "8010"):
            shape = {"253": "[0-9]{13}.*", "8003": "0[0-9]{13}.*"}.get(ai, "[0-9]{4}.*")
        if ai in _PRUNE_KEYS and re.fullmatch(shape, segments[at + 1]):
            rest = [names[k] if (k - at) % 2 == 0 else segments[k] for k in range(at, len(segments))]
            found = _prune_pairs(rest)
            if at >= 2 and names[at - 2] in _PRUNE_KEYS[ai]:
                found = None
            if found is None and (ai in ("401", "8004", "8010") or (ai == "01" and len(rest[1]) == 8)):
                return False
            return found
    return False


def prune_canonical(text: str) -> str | None:
    """The canonical id of a code, None for what is no right code. Of the spellings that no record of a ledger has (as
    scanned, or as EPC URIs), only that they are not the canonical one counts here: they come out as ""."""
    if re.fullmatch(r"nmpa/[0-9]{20}", text):
        return text
    if _PRUNE_SCHEME.match(text):
        if text[:5].lower() == "nmpa:":
            return "" if re.fullmatch(r"[0-9]{20}", text[5:]) else None
        if text[:8].lower() == "urn:epc:" and not _PRUNE_NO_KEY.fullmatch(text):
            return "" if _PRUNE_EPC.fullmatch(text) else None
        if text[:4].lower() == "http":
            link = _prune_link(text)
            if link is not False:
                return None if link is None else str(link)
        if any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp") for one in text):
            return None
        return None if text.endswith(":") else text
    segments = text.split("/")
    if len(segments) > 1 and segments[0] in _PRUNE_KEYS:
        return _prune_pairs(segments)
    elements = _PRUNE_ELEMENTS.fullmatch(text)
    if elements is not None and _prune_checks(elements[elements.lastindex or 1]):
        return ""
    return "" if re.fullmatch(r"8[0-9]{19}", text) else None


def unit_of(text: str) -> str:
    """A code as somebody typed it, such as `(01)09521234001072(21)BJ0001`, in the spelling of a log; what is in none
    that is read here stays as it is, and will not be found."""
    text = text.strip()
    if re.fullmatch("8[0-9]{19}", text):
        return f"nmpa/{text}"
    pairs = re.findall(r"\(([0-9]{2,4})\)([^(]+)", text)
    if pairs and "".join(f"({ai}){value}" for ai, value in pairs) == text:
        path = "/".join(f"{ai}/{_prune_escape(value)}" for ai, value in pairs)
        if pairs[0][0] in _PRUNE_KEYS:
            return prune_canonical(path) or text
    return text


# ---- what stands, and what it covers ----


class PruneHold(NamedTuple):
    """Why something stays: a hold, a recall or a case; `until` is its last day, None where it has none."""

    kind: str
    id: str
    authority: str | None
    reason: str
    until: int | None
    criterion: list[Any] | None
    about: tuple[str, ...]


def _prune_listed(criterion: list[Any] | None) -> list[str]:
    """The ids that a criterion lists (tag 11)."""
    if criterion is None:
        return []
    if criterion[0] == 11:
        return _prune_groups(criterion[1]) or []
    if criterion[0] in (12, 13, 14):
        return [one for part in criterion[1:] for one in _prune_listed(part)]
    return []


def _prune_meets(criterion: list[Any], product: str | None, file: list[Any] | None, code: str) -> bool | None:
    """Whether a pack whose lot is not known meets a criterion; None where that is not known (sections 5.7, 7.3).
    `file` is a register value of its product."""
    tag = criterion[0]
    if tag == 1:
        return False if product is not None and product != criterion[1] else None
    if tag == 2:
        return None if product is None else bool(product == criterion[1])
    if tag == 3:
        return None if file is None else criterion[1] in (file[9], file[10])
    if tag == 4:
        return None if file is None else bool(criterion[1] == file[11])
    if tag == 11:
        return code in _prune_ids_of(criterion)
    if tag == 14:
        met = _prune_meets(criterion[1], product, file, code)
        return None if met is None else not met
    if tag in (12, 13):
        found = {_prune_meets(part, product, file, code) for part in criterion[1:]}
        decides = tag == 13
        return decides if decides in found else None if None in found else not decides
    return None


_PRUNE_IDS: dict[int, tuple[list[Any], frozenset[str]]] = {}


def _prune_ids_of(criterion: list[Any]) -> frozenset[str]:
    """The ids of tag 11 as a set: made once for each list."""
    found = _PRUNE_IDS.get(id(criterion))
    if found is None or found[0] is not criterion:
        found = _PRUNE_IDS[id(criterion)] = criterion, frozenset(_prune_listed(criterion))
    return found[1]


class _PruneGroups:
    """Containers that stood in one entry with each other, directly or by way of others; of each group the products of
    the packs that stood with one of it, and those packs that some hold of the log names by themselves."""

    def __init__(self, named: frozenset[str]) -> None:
        self._named = named
        self._of: dict[str, int] = {}
        self._members: dict[int, tuple[list[str], set[str | None], set[str]]] = {}
        self._next = 0

    def link(self, subjects: Sequence[str]) -> None:
        """Take the subjects of the next entry."""
        boxes = [
            one
            for one in subjects
            if not one.startswith(("01/", "nmpa/", "urn:tracechain:")) and not is_pack(one)
        ]
        if not boxes or len(subjects) < 2:
            return
        groups = sorted(
            {self._of[box] for box in boxes if box in self._of},
            key=lambda one: len(self._members[one][0]),
            reverse=True,
        )
        if groups:
            into = groups[0]
        else:
            into, self._next = self._next, self._next + 1
            self._members[into] = [], set(), set()
        members = self._members[into]
        for other in groups[1:]:
            more = self._members.pop(other)
            members[0].extend(more[0])
            members[1].update(more[1])
            members[2].update(more[2])
            for box in more[0]:
                self._of[box] = into
        for box in boxes:
            if box not in self._of:
                self._of[box] = into
                members[0].append(box)
        for one in subjects:
            if one in self._named:
                members[2].add(one)
            elif is_pack(one):
                members[1].add(_prune_product_of(one))

    def group(self, box: str) -> int | None:
        """The group of a container, None for one that stood with nothing."""
        return self._of.get(box)

    def members(self, group: int) -> tuple[list[str], set[str | None], set[str]]:
        """Containers, products and named packs of a group."""
        return self._members[group]


#: Where in a body the phase stands, the one that begins, the one that ends.
_PRUNE_STEPS = {"hold": (1, "placed", "released"), "recall": (1, "opened", "closed"), "case": (2, "opened", "closed")}


class PruneHoldings:
    """What holds, recalls and cases stand as the log goes on (section 5.7): records are taken in its order."""

    def __init__(self, named: Iterable[str]) -> None:
        self.named = frozenset(named)
        self.groups = _PruneGroups(self.named)
        self.files: dict[str, list[list[Any]]] = {}
        self._chains: dict[tuple[str, str], list[tuple[int, list[Any]]]] = {}

    def take(self, index: int, record: Any) -> None:
        """Take the next record. One that cannot follow those before it on its chain changes nothing."""
        body = prune_register(record)
        if body is None:
            return
        kind, name = record[0], body[0]
        if kind == "product":
            files = self.files.setdefault(name, [])
            if record[1] == len(files):
                files.append(body)
            return
        chain = self._chains.setdefault((kind, name), [])
        before = chain[-1][1] if chain else None
        at, first, final = _PRUNE_STEPS[kind]
        phase = body[at]
        if before is None or phase == first:
            follows = before is None and phase == first
        elif kind == "hold" and body[6] is not None:  # it is extended to a later day, where it has one
            follows = before[at] != final and before[6] is not None and before[6] < body[6]
        else:
            follows = before[at] != final and (kind != "case" or before[1] == body[1])
        if follows:
            chain.append((index, body))

    def standing_on(self, day: int) -> list[PruneHold]:
        """What stands on a day, in the order in which it began."""
        found: list[tuple[int, PruneHold]] = []
        for (kind, name), chain in self._chains.items():
            if not chain or chain[-1][1][_PRUNE_STEPS[kind][0]] == _PRUNE_STEPS[kind][2]:
                continue
            index, first = chain[0]
            until: int | None = None
            if kind == "hold":
                last = chain[-1][1][6]
                until = None if last is None else (date.fromisoformat(last) - _PRUNE_EPOCH).days
                about = set(first[8]) | (set() if first[9] is None else self._about(first[9]))
                hold = PruneHold(kind, name, first[4], first[5], until, first[7], tuple(sorted(about)))
            elif kind == "recall":
                hold = PruneHold(kind, name, first[6], first[4], None, first[7], ())
            else:
                hold = PruneHold(kind, name, first[9], first[5], None, None, tuple(sorted(self._about(name))))
            if until is None or day <= until:
                found.append((index, hold))
        return [hold for _, hold in sorted(found, key=lambda one: one[0])]

    def _about(self, case: str) -> set[str]:
        return {one for _, body in self._chains.get(("case", case), ()) for one in body[6]}


def prune_named_packs(records: Iterable[Any]) -> Iterator[str]:
    """The packs that the records of holds, recalls and cases name by themselves, whether they stand or not."""
    for record in records:
        body = prune_register(record)
        if body is None or record[0] == "product":
            continue
        about: list[str] = list(body[6] if record[0] == "case" else body[8] if record[0] == "hold" else ())
        criterion = None if record[0] == "case" else body[7]
        yield from (one for one in (*about, *_prune_listed(criterion)) if is_pack(one))


class PruneCover:
    """What the holds of one day cover, by the subjects of an entry's rows."""

    def __init__(self, holdings: PruneHoldings, holds: list[PruneHold]) -> None:
        self._holdings = holdings
        self._holds = holds
        self._packs: dict[str, PruneHold] = {}
        self._products: dict[str, PruneHold] = {}
        self._plain: dict[str, PruneHold] = {}
        self._by_product: dict[str | None, PruneHold | None] = {}
        self._by_group: dict[int, PruneHold | None] = {}
        for hold in holds:
            for one in (*hold.about, *(code for code in _prune_listed(hold.criterion) if not is_pack(code))):
                product = _prune_product_of(one)
                if is_pack(one):
                    self._packs.setdefault(one, hold)
                elif product is not None:
                    self._products.setdefault(product, hold)
                else:
                    self._plain.setdefault(one, hold)

    def of(self, subjects: Iterable[str]) -> PruneHold | None:
        """The first hold that covers an entry with rows of these subjects, None where none does."""
        for one in subjects:
            if is_pack(one):
                found = self._pack(one)
            elif one.startswith(("01/", "nmpa/")):
                found = self._product(_prune_product_of(one))
            else:
                found = self._plain.get(one) or self._box(one)
            if found is not None:
                return found
        return None

    def _pack(self, pack: str) -> PruneHold | None:
        if pack not in self._holdings.named:  # so no hold names it, and it is what any pack of its product is
            return self._product(_prune_product_of(pack))
        return self._packs.get(pack) or self._ask(_prune_product_of(pack), pack)

    def _product(self, product: str | None) -> PruneHold | None:
        """What holds a pack of the product that no criterion and no hold names."""
        if product not in self._by_product:
            self._by_product[product] = self._ask(product, "")
        return self._by_product[product]

    def _ask(self, product: str | None, code: str) -> PruneHold | None:
        files: list[Any] = [] if product is None else self._holdings.files.get(product, [])
        if product is not None and product in self._products:
            return self._products[product]
        for file in files:
            if file[11] in self._plain:
                return self._plain[file[11]]
        for hold in self._holds:
            if hold.criterion is not None and any(
                _prune_meets(hold.criterion, product, file, code) is not False for file in (files or [None])
            ):
                return hold
        return None

    def _box(self, box: str) -> PruneHold | None:
        group = self._holdings.groups.group(box)
        if group is None:
            return None
        if group not in self._by_group:
            boxes, products, packs = self._holdings.groups.members(group)
            found = next((self._plain[one] for one in boxes if one in self._plain), None)
            for product in products:
                found = found or self._product(product)
            for pack in packs:
                found = found or self._pack(pack)
            self._by_group[group] = found
        return self._by_group[group]


# ======================================================================================================================
# Ranges of entries, and the records of prunings (format.md section 5.10).
# ======================================================================================================================

PruneRanges = list[tuple[int, int]]
_PRUNE_GAP = 2 * PRUNE_DAY_MS
_PRUNE_TAG = b"TCH0 prune".ljust(16, b"\0")
_PRUNE_MOST = 1 << 40
PRUNE_RETENTION, PRUNE_INTENT, PRUNE_DONE = "retention", "prune-intent", "prune-done"
#: Kinds of records that prunings are judged by.
PRUNE_KINDS = frozenset((PRUNE_RETENTION, PRUNE_INTENT, PRUNE_DONE, *_PRUNE_BODIES))


class PruneLog(Protocol):
    """What is asked of a log. Parts are given only where they are what the header commits to; contents without salt."""

    @property
    def size(self) -> int:
        """Number of entries."""

    def header(self, index: int) -> bytes | None:
        """The 128 bytes, None where they are not there."""

    def content(self, index: int) -> bytes | None:
        """The content."""

    def rows(self, index: int) -> tuple[int, list[tuple[str, int, int, int, Any]]] | None:
        """Rule set and rows: (subject, act, previous, state, violations)."""

    def leaf(self, index: int) -> bytes:
        """The leaf of the entry."""

    def root(self, size: int) -> bytes:
        """The root of the tree over the first entries."""


class PruneGathered(Protocol):
    """What the pass over all entries notes."""

    #: (index, index of its statement, kind) of well-formed records of type 4 of PRUNE_KINDS, ascending.
    records: Sequence[tuple[int, int, str]]
    #: Ranges (start, stop) of events without their content; without the rows that they had.
    lost_contents: PruneRanges
    lost_rows: PruneRanges
    #: An entry with a believed row (section 13.1), and the entry that this row names.
    believed: Sequence[tuple[int, int]]
    #: (statement, policy that its first event names; a header's all ones for none), ascending.
    policies_named: Sequence[tuple[int, int]]


class PruneFindings(Protocol):
    """Where findings go."""

    def add(self, code: str, index: int | None, en: str, zh: str, subject: str | None = None) -> None:
        """Note one."""


def _prune_intersect(some: PruneRanges, others: PruneRanges) -> PruneRanges:
    found, a, b = [], 0, 0
    while a < len(some) and b < len(others):
        start, stop = max(some[a][0], others[b][0]), min(some[a][1], others[b][1])
        if start < stop:
            found.append((start, stop))
        if some[a][1] < others[b][1]:
            a += 1
        else:
            b += 1
    return found


def _prune_minus(some: PruneRanges, others: PruneRanges) -> PruneRanges:
    found, at = [], 0
    for first, stop in some:
        while at < len(others) and others[at][1] <= first:
            at += 1
        here, start = at, first
        while here < len(others) and others[here][0] < stop:
            if start < others[here][0]:
                found.append((start, others[here][0]))
            start = max(start, others[here][1])
            here += 1
        if start < stop:
            found.append((start, stop))
    return found


def _prune_unite(some: PruneRanges, others: PruneRanges) -> PruneRanges:
    found: PruneRanges = []
    for start, stop in sorted((*some, *others)):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], stop)
        else:
            found.append((start, stop))
    return found


def _prune_ranges(flat: Any) -> PruneRanges | None:
    """The ranges of [skip, length, skip, length, ...], None for what is no set of ranges in its one spelling."""
    if type(flat) is not list or len(flat) % 2 or not all(_prune_whole(one, 0, _PRUNE_MOST) for one in flat):
        return None
    found: PruneRanges = []
    end = 0
    for skip, length in zip(flat[::2], flat[1::2]):
        if not length or (found and not skip) or end + skip + length > _PRUNE_MOST:
            return None
        found.append((end + skip, end + skip + length))
        end += skip + length
    return found


class PruneSaid(NamedTuple):
    """What the parts of an intent or a done say together. `contents` and `rows` are announced, or kept; `rest` is what
    each part says alike: of an intent size, as of, policy, wait days, counts, digest, archive, reason; of a done
    intent, counts, digest, witnessed."""

    kind: str
    first: int
    last: int
    statement: int
    name: str
    contents: PruneRanges
    rows: PruneRanges
    counts: tuple[int, int]
    digest: bytes
    rest: list[Any]


def _prune_part(record: list[Any]) -> tuple[PruneRanges, PruneRanges] | None:
    """The ranges of one part of an intent or a done; None for what is malformed."""
    kind, version, subject, body = record
    if version != 0 or not _prune_array(body, 14, 14) if kind == PRUNE_INTENT else not _prune_array(body, 10, 10):
        return None
    if version != 0 or not _prune_label(body[0]) or subject != f"urn:tracechain:prune:{body[0]}":
        return None
    at = 7 if kind == PRUNE_INTENT else 4
    numbers = (*body[1:7], *body[9:11]) if kind == PRUNE_INTENT else (*body[1:4], *body[6:8])
    digest = body[11] if kind == PRUNE_INTENT else body[8]
    if not all(_prune_whole(one, 0, (1 << 63) - 1) for one in numbers) or not _prune_digest(digest):
        return None
    if not body[1] < body[2] <= 1 << 20:
        return None
    if kind == PRUNE_INTENT:
        if (body[12] is not None and not _prune_digest(body[12])) or type(body[13]) is not str:
            return None
    elif not _prune_array(body[9], 0, 2) or not all(type(one) is bytes and len(one) <= 8192 for one in body[9]):
        return None
    contents, rows = _prune_ranges(body[at]), _prune_ranges(body[at + 1])
    return None if contents is None or rows is None else (contents, rows)


def _prune_joined(parts: Sequence[PruneRanges]) -> PruneRanges | None:
    """The ranges of all parts, in order; None where they do not ascend."""
    joined: PruneRanges = []
    for start, stop in (one for part in parts for one in part):
        if joined and start < joined[-1][1]:
            return None
        if joined and start == joined[-1][1]:
            joined[-1] = joined[-1][0], stop
        else:
            joined.append((start, stop))
    return joined


def _prune_whole_of(first: int, statement: int, parts: list[tuple[list[Any], Any]]) -> PruneSaid | None:
    """What neighbouring records say together; None where they are no parts of one."""
    kind, _, _, body = parts[0][0]
    at = 7 if kind == PRUNE_INTENT else 4
    alike = {encode([body[0], *one[2:at], *one[at + 2 :]]) for (_, _, _, one), _ in parts}
    if len(alike) > 1 or [one[3][1] for one, _ in parts] != list(range(body[2])):
        return None
    if any(one[3][0] != body[0] for one, _ in parts):
        return None
    contents, rows = (_prune_joined([ranges[which] for _, ranges in parts]) for which in (0, 1))
    if contents is None or rows is None:
        return None
    end = first + len(parts) - 1
    if kind == PRUNE_INTENT:
        rest, counts, digest = [*body[3:7], *body[12:]], (body[9], body[10]), body[11]
    else:
        rest, counts, digest = [body[3], body[9]], (body[6], body[7]), body[8]
    return PruneSaid(kind, first, end, statement, body[0], contents, rows, counts, digest, rest)


class PruneIntentSeen:
    """An intent in the log: what it announces as far as it lies before it; the policy in force at its statement; what
    headers say of it. `done` is the entry that executed it first."""

    def __init__(self, said: PruneSaid, policy: tuple[int, PrunePolicy] | None) -> None:
        self.said = said
        self.policy = policy
        before = [(0, said.first)]
        self.contents = _prune_intersect(said.contents, before)
        self.rows = _prune_intersect(said.rows, before)
        self.told: tuple[int, int, bytes] = (0, 0, b"")
        self.done: int | None = None
        self.wrong = False

    @property
    def wait_days(self) -> int:
        """The days that it says it waits."""
        return int(self.said.rest[3])


class PruneDoneSeen:
    """A done in the log, with what it executes of its intent; the policy in force then; how many of the records that
    holds are made by stand before it. `wrong` as soon as anything is."""

    def __init__(
        self, said: PruneSaid, intent: PruneIntentSeen, policy: tuple[int, PrunePolicy] | None, before: int
    ) -> None:
        self.said = said
        self.intent = intent
        self.policy = policy
        self.before = before
        self.contents = _prune_minus(intent.contents, said.contents)
        self.rows = _prune_minus(intent.rows, said.rows)
        self.wrong = False


# ======================================================================================================================
# What went, and whether it went lawfully (format.md section 13).
# ======================================================================================================================


def check_policies(log: PruneLog, gathered: PruneGathered, findings: PruneFindings) -> None:
    """That the events of each statement name the retention policy that is in force there (section 5.9)."""
    policies = []
    for index, _, kind in gathered.records:
        if kind == PRUNE_RETENTION and _prune_policy_at(log, index) is not None:
            policies.append(index)
    last = None
    for statement, named in gathered.policies_named:
        before = bisect_right(policies, statement)
        expected = policies[before - 1] if before else (1 << 64) - 1
        known, last = last, (named, expected)
        if named != expected and known != last:
            was, now = ("none" if one == (1 << 64) - 1 else f"that of entry {one}" for one in last)
            was_zh, now_zh = ("无" if one == (1 << 64) - 1 else f"条目 {one}" for one in last)
            findings.add(
                "KEEP_UNTIL", statement,
                f"its events name {was} as their retention policy, in force is {now}",
                f"其事件所引用的保存政策（{was_zh}）与当时有效的保存政策（{now_zh}）不符",
            )  # fmt: skip


def _prune_record_at(log: PruneLog, index: int) -> list[Any] | None:
    """The record [kind, version, subject, body] of an entry, None where it is none."""
    content = log.content(index)
    try:
        record: Any = None if content is None else decode(content)
    except Bad:
        return None
    if not _prune_array(record, 4, 4) or type(record[0]) is not str or not _PRUNE_KIND.fullmatch(record[0]):
        return None
    if not _prune_whole(record[1], 0, (1 << 63) - 1) or not (record[2] is None or type(record[2]) is str):
        return None
    return list(record)


def _prune_policy_at(log: PruneLog, index: int) -> PrunePolicy | None:
    """The policy that the record of an entry puts in force, None where it is malformed."""
    record = _prune_record_at(log, index)
    if record is None or record[:3] != [PRUNE_RETENTION, 0, "urn:tracechain:retention"]:
        return None
    return parse_policy(record[3])


Cosigned = Callable[[bytes, Sequence[str]], tuple[int, bytes, list[int]]]


def judge_prunings(
    log: PruneLog,
    gathered: PruneGathered,
    findings: PruneFindings,
    demand: PrunePolicy | None,
    now_ms: int | None,
    cosigned: Cosigned | None,
) -> dict[str, Any]:
    """Judge every part of an event that is not there, and every record that says that one went.

    `demand` is a policy that the verifier wants kept as well, `now_ms` a time after which nothing can have come in.
    `cosigned` reads a note of the waiting (section 5.10): its size, its root, and the times (s) of the cosignatures by
    these vkeys that stand; it raises Bad for what is none.

    The result: `contents` and `rows`, how many went lawfully; `notes`, (English, Chinese), of what cannot be seen any
    more; `prunings`, of each one in the order of the log, as --json prints it.
    """
    _prune_check_now(log, findings, now_ms)
    if not (gathered.lost_contents or gathered.lost_rows or gathered.records):
        return {"contents": 0, "rows": 0, "notes": [], "prunings": []}
    return _PruneJudge(log, gathered, findings, demand, cosigned).run()


def _prune_check_now(log: PruneLog, findings: PruneFindings, now_ms: int | None) -> None:
    """Look for what was received after the verifier's own time. Times never decrease, or that is found elsewhere."""
    if now_ms is None:
        return
    begin, end = 0, log.size
    while begin < end:
        middle = (begin + end) // 2
        if _prune_time(log, middle) > now_ms:
            end = middle
        else:
            begin = middle + 1
    if begin < log.size:
        days = (_prune_time(log, begin) - now_ms) / PRUNE_DAY_MS
        findings.add(
            "TIME_AHEAD", begin,
            f"it and what follows were received {days:.1f} days and more after the verifier's own time",
            f"该条目及其后的条目的接收时间比核验者自己的时间晚 {days:.1f} 天以上",
        )  # fmt: skip


def _prune_time(log: PruneLog, index: int) -> int:
    return int.from_bytes((log.header(index) or b"")[8:16], "big")


class _PruneWaits:
    """How much time has passed between two entries, as it counts (section 5.10)."""

    def __init__(self, log: PruneLog) -> None:
        self._log = log
        #: Entries before which some of the gap does not count, and how much did not before each, all together.
        self._at = array("Q")
        self._sums = array("Q", [0])
        before = -1
        for index in range(log.size):
            header = log.header(index) or b""
            time = int.from_bytes(header[8:16], "big")
            gap = time - before
            if before >= 0 and gap > 0:
                clock = header[4:5] == b"\x07"
                if clock or gap > _PRUNE_GAP:
                    self._at.append(index)
                    self._sums.append(self._sums[-1] + (gap if clock else gap - _PRUNE_GAP))
            before = time

    def between(self, start: int, stop: int) -> int:
        """Milliseconds from entry `start` to entry `stop`."""
        first, last = (bisect_right(self._at, index) for index in (start, stop))
        return _prune_time(self._log, stop) - _prune_time(self._log, start) - (self._sums[last] - self._sums[first])


class _PruneSpan:
    """Entries that have the same fault: the first, how many, and the day that decides."""

    def __init__(self, first: int, day: int = 0) -> None:
        self.first = first
        self.count = 0
        self.day = day


class _PruneJudge:
    """One judgement."""

    def __init__(
        self,
        log: PruneLog,
        gathered: PruneGathered,
        findings: PruneFindings,
        demand: PrunePolicy | None,
        cosigned: Cosigned | None,
    ) -> None:
        self._log = log
        self._gathered = gathered
        self._findings = findings
        self._demand = None if demand is None else KeepDays(demand)
        self._cosigned = cosigned
        self._waits: _PruneWaits | None = None
        self._policies: list[tuple[int, PrunePolicy]] = []
        self._tables: dict[int, KeepDays] = {}
        self._intents: dict[int, PruneIntentSeen] = {}
        self._dones: list[PruneDoneSeen] = []
        self._others: list[tuple[int, list[Any]]] = []
        self._linked = 0
        self._unseen = 0

    def run(self) -> dict[str, Any]:
        """All of it."""
        self._read()
        for intent in self._intents.values():
            self._check_intent(intent)
        holdings, taken = PruneHoldings(prune_named_packs(record for _, record in self._others)), 0
        lost_contents, lost_rows = self._gathered.lost_contents, self._gathered.lost_rows
        gone_contents: PruneRanges = []
        gone_rows: PruneRanges = []
        for done in self._dones:
            while taken < done.before:
                holdings.take(*self._others[taken])
                taken += 1
            self._check_done(done, holdings)
            again = _prune_intersect(done.contents, gone_contents), _prune_intersect(done.rows, gone_rows)
            for index in (*self._first_event(again[0]), *self._first_event(again[1]))[:1]:
                self._add(
                    done, "PRUNE_RECORD", done.said.first,
                    f"entry {index} lost that part by an earlier pruning",
                    f"条目 {index} 的该部分已被先前的清理执行过",
                )  # fmt: skip
            kept = self._events(_prune_minus(done.contents, lost_contents))
            rows_kept = self._with_rows(_prune_minus(done.rows, lost_rows))
            self._spans(
                done, "PRUNE_KEPT", kept, rows_kept, "is said to have gone, and is there", "记录称已清理，实际仍在"
            )
            self._spans(
                done, "PRUNE_ORDER", self._with_rows(self._not_gone_before(done)), iter(()),
                "lost its rows, and its content had not gone when that was announced",
                "的单元记录已清理，而在公示清理时其内容尚未清理",
            )  # fmt: skip
            gone_contents, gone_rows = _prune_unite(gone_contents, done.contents), _prune_unite(gone_rows, done.rows)
        self._check_followers()
        self._check_latest()
        missing = (
            ("CONTENT_MISSING", _prune_minus(lost_contents, gone_contents), "content is", "内容缺失"),
            ("ROWS_MISSING", _prune_minus(lost_rows, gone_rows), "rows are", "单元记录缺失"),
        )
        for code, ranges, what, zh in missing:
            for start, stop in ranges:
                for index in range(start, stop):
                    self._findings.add(
                        code, index, f"the {what} not there, and no record says that it was pruned",
                        f"{zh}，且没有任何记录说明其已被清理",
                    )  # fmt: skip
        return self._result()

    # ---- the records, in the order of the log ----

    def _read(self) -> None:
        parts: list[tuple[list[Any], tuple[PruneRanges, PruneRanges]]] = []
        first = 0

        def broken_off() -> None:
            if parts:
                name, count, of = parts[0][0][3][0], len(parts), parts[0][0][3][2]
                self._wrong_record(
                    first,
                    f"pruning {name}: {count} of {of} parts are there",
                    f"清理 {name}：{of} 部分中只有 {count} 部分",
                )
                parts.clear()

        for index, statement, kind in self._gathered.records:
            record = _prune_record_at(self._log, index)
            if record is None or record[0] != kind or kind not in PRUNE_KINDS:
                continue
            if parts and index != first + len(parts):
                broken_off()
            if kind not in (PRUNE_INTENT, PRUNE_DONE):
                self._take(index, record)
                continue
            part = _prune_part(record)
            if part is None:
                self._wrong_record(index, f"a record {kind} that is malformed", f"格式错误的 {kind} 记录")
                continue
            if record[3][1] == 0 or (parts and record[0] != parts[0][0][0]):
                broken_off()
            if not parts:
                first = index
            parts.append((record, part))
            if len(parts) < record[3][2]:
                continue
            said = _prune_whole_of(first, statement, parts)
            if said is None:
                words = f"pruning {record[3][0]}: its parts do not belong together"
                self._wrong_record(first, words, f"清理 {record[3][0]}：各部分互不相属")
            elif kind == PRUNE_INTENT:
                self._announce(said)
            else:
                self._execute(said)
            parts.clear()
        broken_off()

    def _take(self, index: int, record: list[Any]) -> None:
        if record[0] != PRUNE_RETENTION:
            self._others.append((index, record))
            return
        policy = _prune_policy_at(self._log, index)
        if policy is not None:
            self._policies.append((index, policy))
            self._tables[index] = KeepDays(policy)

    def _wrong_record(self, index: int, en: str, zh: str) -> None:
        self._findings.add("PRUNE_RECORD", index, en, zh)

    def _in_force(self, said: PruneSaid) -> tuple[int, PrunePolicy] | None:
        """The policy in force at the statement that covers it."""
        return next((one for one in reversed(self._policies) if one[0] < said.statement), None)

    def _announce(self, said: PruneSaid) -> None:
        intent = PruneIntentSeen(said, self._in_force(said))
        size = said.rest[0]
        stop = max([ranges[-1][1] for ranges in (said.contents, said.rows) if ranges], default=0)
        if size > said.first or stop > size:
            self._wrong_record(
                said.first,
                f"pruning {said.name} announces what goes up to entry {stop}, of a log of {size} entries, in entry"
                f" {said.first}",
                f"清理 {said.name} 在条目 {said.first} 中公示清理至条目 {stop}，所依据的日志却有 {size} 条",
            )
            intent.wrong = True
        intent.told = self._tally(intent.contents, intent.rows)
        if not self._compare(said, intent.told):
            intent.wrong = True
        self._intents[said.first] = intent

    def _execute(self, said: PruneSaid) -> None:
        intent = self._intents.get(said.rest[0])
        if intent is None or intent.said.name != said.name:
            words = f"pruning {said.name} is said to be done, and entry {said.rest[0]} does not announce it"
            self._wrong_record(said.first, words, f"记录称清理 {said.name} 已执行，而条目 {said.rest[0]} 并未公示它")
            return
        if intent.done is not None:
            words = f"pruning {said.name} was done before, in entry {intent.done}"
            self._wrong_record(said.first, words, f"清理 {said.name} 先前已在条目 {intent.done} 中执行")
            return
        intent.done = said.first
        done = PruneDoneSeen(said, intent, self._in_force(said), len(self._others))
        self._dones.append(done)
        announced = intent.said
        if _prune_minus(said.contents, announced.contents) or _prune_minus(said.rows, announced.rows):
            words = f"pruning {said.name} keeps what was not announced to go"
            self._wrong_record(said.first, words, f"清理 {said.name} 声称保留的内容从未公示要清理")
            done.wrong = True
        told = intent.told
        if said.contents or said.rows:
            told = self._tally(done.contents, done.rows)
        if not self._compare(said, told):
            done.wrong = True

    def _compare(self, said: PruneSaid, told: tuple[int, int, bytes]) -> bool:
        """Whether counts and digest are those of the headers."""
        intent = said.kind == PRUNE_INTENT
        what = f"pruning {said.name} {'announces' if intent else 'says that it did'}"
        zh = f"清理 {said.name} {'公示' if intent else '声称已清理'}"
        if told[:2] != said.counts:
            words = f"{what} {said.counts[0]} contents and {said.counts[1]} rows: by the headers it is {told[0]} and"
            self._wrong_record(
                said.first, f"{words} {told[1]}",
                f"{zh} {said.counts[0]} 份内容和 {said.counts[1]} 份单元记录，按条目头应为 {told[0]} 和 {told[1]}",
            )  # fmt: skip
            return False
        if told[2] != said.digest:
            words = f"{what} other entries than those that are there: the digest differs"
            self._wrong_record(said.first, words, f"{zh} 的条目与实际不同：摘要不符")
            return False
        return True

    def _tally(self, contents: PruneRanges, rows: PruneRanges) -> tuple[int, int, bytes]:
        """How many events lose their content, how many their rows, and the digest (section 5.10)."""
        both = _prune_intersect(contents, rows)
        segments = [(start, stop, 1) for start, stop in _prune_minus(contents, both)]
        segments += [(start, stop, 2) for start, stop in _prune_minus(rows, both)]
        segments += [(start, stop, 3) for start, stop in both]
        said, counts = sha256(_PRUNE_TAG), [0, 0, 0, 0]
        header, leaf = self._log.header, self._log.leaf
        for start, stop, what in sorted(segments):
            mark = bytes((what,))
            for block in range(start, stop, 4096):
                found = [
                    index.to_bytes(8, "big") + mark + leaf(index)
                    for index in range(block, min(stop, block + 4096))
                    if (header(index) or b"")[4:5] == b"\x03"
                ]
                counts[what] += len(found)
                said.update(b"".join(found))
        return counts[1] + counts[3], counts[2] + counts[3], said.digest()

    # ---- helpers ----

    def _events(self, ranges: PruneRanges) -> Iterator[int]:
        header = self._log.header
        for start, stop in ranges:
            for index in range(start, stop):
                if (header(index) or b"")[4:5] == b"\x03":
                    yield index

    def _first_event(self, ranges: PruneRanges) -> list[int]:
        return [index for index, _ in zip(self._events(ranges), range(1))]

    def _with_rows(self, ranges: PruneRanges) -> Iterator[int]:
        """The events of some ranges that have rows, or had them."""
        for index in self._events(ranges):
            if (self._log.header(index) or b"")[40:44] != bytes(4):
                yield index

    def _add(self, done: PruneDoneSeen, code: str, index: int, en: str, zh: str) -> None:
        done.wrong = True
        name, at = done.said.name, done.said.first
        self._findings.add(
            code, index, f"pruning {name}, done in entry {at}: {en}", f"清理 {name}（执行于条目 {at}）：{zh}"
        )

    def _spans(
        self, done: PruneDoneSeen, code: str, some: Iterator[int], others: Iterator[int], en: str, zh: str
    ) -> None:
        """One finding for all entries of a pruning that have the same fault."""
        span: _PruneSpan | None = None
        for index in (index for indices in (some, others) for index in indices):
            span = span or _PruneSpan(index)
            span.count += 1
        if span is not None:
            more, more_zh = _prune_more(span.count)
            self._add(done, code, span.first, f"the entry {en}{more}", f"该条目{zh}{more_zh}")

    def _waited(self, start: int, stop: int) -> int:
        if self._waits is None:
            self._waits = _PruneWaits(self._log)
        return self._waits.between(start, stop)

    # ---- announced, and waited for (sections 5.10; 13.2, 2 and 3) ----

    def _policy_finding(self, intent: PruneIntentSeen, en: str, zh: str) -> None:
        intent.wrong = True
        name = intent.said.name
        self._findings.add("PRUNE_POLICY", intent.said.first, f"pruning {name} {en}", f"清理 {name} {zh}")

    def _check_intent(self, intent: PruneIntentSeen) -> None:
        said, named = intent.said, intent.said.rest[2]
        if intent.policy is None or intent.policy[0] != named:
            force = "none is" if intent.policy is None else f"that of entry {intent.policy[0]} is"
            zh = (
                "当时没有有效的保存政策" if intent.policy is None else f"当时有效的是条目 {intent.policy[0]} 的保存政策"
            )
            self._policy_finding(
                intent, f"is announced by the policy of entry {named}, and {force} in force",
                f"依据条目 {named} 的保存政策公示，而{zh}",
            )  # fmt: skip
            return
        at, policy = intent.policy
        stood = self._waited(at, said.first)
        days = max(policy.wait_days, 0 if self._demand is None else self._demand.policy.wait_days)
        if stood < days * PRUNE_DAY_MS:
            self._policy_finding(
                intent, f"goes by the policy of entry {at}, which has stood for {_prune_days(stood)} of {days} days",
                f"依据条目 {at} 的保存政策，该政策只生效了 {_prune_days(stood)} 天，应为 {days} 天",
            )  # fmt: skip
        until = [one for one in self._policies if one[0] <= at]
        for (replaced, before), (after, _) in zip(until, until[1:]):
            passed = self._waited(after, said.first)
            if passed < before.wait_days * PRUNE_DAY_MS:
                self._policy_finding(
                    intent,
                    f"was announced {_prune_days(passed)} days after the policy of entry {replaced} was replaced, which"
                    f" promised {before.wait_days} days",
                    f"在条目 {replaced} 的保存政策被替换 {_prune_days(passed)} 天后即公示，应为 {before.wait_days} 天",
                )
        if intent.wait_days < policy.wait_days:
            self._policy_finding(
                intent, f"is announced for {intent.wait_days} days, the policy wants {policy.wait_days}",
                f"公示期为 {intent.wait_days} 天，政策要求 {policy.wait_days} 天",
            )  # fmt: skip
        if policy.archive and said.rest[4] is None:
            self._policy_finding(
                intent, "names no archive, and the policy wants one", "没有指明归档文件，而政策要求归档"
            )

    def _check_done(self, done: PruneDoneSeen, holdings: PruneHoldings) -> None:
        intent = done.intent
        today, as_of = prune_day_of(_prune_time(self._log, done.said.first)), intent.said.rest[1]
        own = None if intent.policy is None else intent.policy[1]
        self._check_wait(done, own, max(intent.wait_days, 0 if own is None else own.wait_days))
        if self._demand is not None:
            self._check_wait(done, self._demand.policy, self._demand.policy.wait_days)
        if as_of > today:
            self._add(
                done, "PRUNE_EARLY", done.said.first,
                f"it is due as of {prune_date(as_of)}, and was done on {prune_date(today)}",
                f"到期日为 {prune_date(as_of)}，却在 {prune_date(today)} 执行",
            )  # fmt: skip
        self._check_days(done, today)
        self._check_held(done, today, holdings)

    def _check_wait(self, done: PruneDoneSeen, policy: PrunePolicy | None, days: int) -> None:
        """That it waited so many days: by the witnesses of a policy that has some, or else by receipt times."""
        why, zh = "jumps of the clock do not count", "时钟跳跃不计"
        if policy is None or not policy.witnesses:
            waited = self._waited(done.intent.said.last, done.said.first)
        else:
            why, zh = "by its witnesses", "按见证方计"
            try:
                waited = self._witnessed(done, policy)
            except Bad as error:
                waited, why, zh = 0, str(error), f"见证联署不足：{error}"
        if waited < days * PRUNE_DAY_MS:
            self._add(
                done, "PRUNE_WAIT", done.said.first, f"it waited {_prune_days(waited)} of {days} days ({why})",
                f"只等待了 {_prune_days(waited)} 天，应为 {days} 天（{zh}）",
            )  # fmt: skip

    def _witnessed(self, done: PruneDoneSeen, policy: PrunePolicy) -> int:
        """Milliseconds between the moment at which a quorum had seen the intent, and the latest by which a quorum had
        seen what came later (section 5.10)."""
        notes = done.said.rest[1]
        if self._cosigned is None or len(notes) != 2:
            raise Bad(f"the policy measures by witnesses: two cosigned notes are wanted, {len(notes)} are there")
        sizes, times = [], []
        for note in notes:
            size, root, seen = self._cosigned(note, policy.witnesses)
            if not done.intent.said.last < size <= self._log.size:
                raise Bad(
                    f"a note is over {size} entries, and the pruning is announced in entry {done.intent.said.last}"
                )
            if self._log.root(size) != root:
                raise Bad("a note is of another log than this, or of a fork of it")
            if len(seen) < policy.quorum:
                raise Bad(f"{len(seen)} witnesses of the policy cosigned a note, it demands {policy.quorum}")
            sizes.append(size)
            times.append(sorted(seen))
        if sizes[1] < sizes[0]:
            raise Bad("the second note is over fewer entries than the first")
        return max(times[1][-policy.quorum] - times[0][policy.quorum - 1], 0) * 1000

    # ---- kept long enough (13.2, 4) ----

    def _check_days(self, done: PruneDoneSeen, today: int) -> None:
        early: dict[str, tuple[_PruneSpan, str]] = {}
        policies = {one[0]: one[1] for one in (done.intent.policy, done.policy) if one is not None}
        log, demand = self._log, self._demand
        known: dict[tuple[bytes, int, Any], list[tuple[int, str, str]]] = {}
        for start, stop in _prune_intersect(done.contents, self._gathered.lost_contents):
            for index in range(start, stop):
                header = log.header(index) or bytes(128)
                received = (int.from_bytes(header[8:16], "big") + 28_800_000) // PRUNE_DAY_MS
                asks = demand is not None or header[20:24] == b"\xff\xff\xff\xff"
                codes = self._codes(index, header) if asks else ()
                key = header[16:24], received, codes
                late = known.get(key)
                if late is None:
                    if len(known) >= 65_536:
                        known.clear()
                    late = known[key] = [one for one in self._until(header, policies, codes) if one[0] >= today]
                for until, by, zh in late:
                    span = early.setdefault(by, (_PruneSpan(index), zh))[0]
                    span.count += 1
                    span.day = max(span.day, until)
        for by, (span, zh) in early.items():
            term, term_zh = f"until {prune_date(span.day)}", f"保存至 {prune_date(span.day)}"
            if span.day == PRUNE_OPEN:
                term, term_zh = "for ever", "永久保存"
            more, more_zh = _prune_more(span.count)
            self._add(
                done, "PRUNE_EARLY", span.first,
                f"gone on {prune_date(today)}, and {by} keeps it {term}{more}",
                f"于 {prune_date(today)} 清理，而{zh}要求{term_zh}{more_zh}",
            )  # fmt: skip

    def _until(
        self, header: bytes, policies: dict[int, PrunePolicy], codes: tuple[int, ...] | None
    ) -> Iterator[tuple[int, str, str]]:
        """The days until which an event has to be kept, and by what."""
        record_class, received = int.from_bytes(header[16:18], "big"), int.from_bytes(header[8:16], "big")
        until = int.from_bytes(header[20:24], "big")
        if until != PRUNE_OPEN:
            yield until, "its header", "其条目头"
        yield prune_floor(prune_day_of(received)), "the floor of every ledger", "所有账本的最低保存期"
        if self._demand is not None:
            name = self._demand.policy.name
            yield (
                self._demand.demanded(record_class, received, codes),
                f"policy {name}, which the verifier demands,", f"核验者要求的保存政策 {name} ",
            )  # fmt: skip
        if until == PRUNE_OPEN:
            for at in policies:
                day = self._tables[at].at_least(record_class, received, codes)
                yield day, f"the policy of entry {at}", f"条目 {at} 的保存政策"

    def _codes(self, index: int, header: bytes) -> tuple[int, ...] | None:
        """The expiry codes of an entry's packs, each once; None where its rows are gone or cannot be read."""
        if header[40:44] == bytes(4):
            return ()
        rows = self._log.rows(index)
        if rows is None:
            return None
        return tuple(sorted({row[3] >> 9 for row in rows[1] if is_pack(row[0])}))

    # ---- not held (13.2, 5) ----

    def _check_held(self, done: PruneDoneSeen, today: int, holdings: PruneHoldings) -> None:
        holds = holdings.standing_on(today)
        if not holds:
            return
        log = self._log
        for index in range(self._linked, done.said.first):
            # What has one row stood together with nothing.
            if int.from_bytes((log.header(index) or bytes(44))[40:44], "big") > 1:
                rows = log.rows(index)
                if rows is not None:
                    holdings.groups.link([row[0] for row in rows[1]])
        self._linked = max(self._linked, done.said.first)
        cover = PruneCover(holdings, holds)
        held: dict[tuple[str, str, str | None, str], _PruneSpan] = {}
        for start, stop in _prune_intersect(done.contents, self._gathered.lost_contents):
            for index in range(start, stop):
                if (log.header(index) or bytes(44))[40:44] == bytes(4):
                    continue
                rows = log.rows(index)
                if rows is None:
                    self._unseen += 1
                    continue
                hold = cover.of(row[0] for row in rows[1])
                if hold is not None:
                    held.setdefault(hold[:4], _PruneSpan(index)).count += 1
        for (kind, name, authority, reason), span in held.items():
            by = "" if authority is None else f" by {authority}"
            zh = {"hold": "留存令", "recall": "召回", "case": "案件"}[kind]
            more, more_zh = _prune_more(span.count)
            self._add(
                done, "PRUNE_HELD", span.first,
                f"it went on {prune_date(today)} under {kind} {name}{by}: {reason}{more}",
                f"于 {prune_date(today)} 清理，而当时受{zh} {name} 约束：{reason}{more_zh}",
            )  # fmt: skip

    # ---- rows: after contents, oldest first, never the latest (13.1; 13.2, 6) ----

    def _not_gone_before(self, done: PruneDoneSeen) -> PruneRanges:
        """The rows of a pruning whose contents had not gone when they were announced."""
        left = done.rows
        for other in self._dones:
            if not left or other.said.last >= done.intent.said.first:
                break
            left = _prune_minus(left, other.contents)
        return left

    def _check_followers(self) -> None:
        """Where a believed row names an entry, the content of its own entry went by an earlier done than the rows of
        that one."""
        contents, rows = (self._numbered(which) for which in (0, 1))
        faults: dict[int, list[int]] = {}
        for entry, named in self._gathered.believed:
            number, follower = _prune_find(rows, named), _prune_find(contents, entry)
            if number is not None and (follower is None or follower >= number):
                faults.setdefault(number, []).append(named)
        for number, found in sorted(faults.items()):
            self._spans(
                self._dones[number], "PRUNE_ORDER", iter(sorted(found)), iter(()),
                "lost its rows before the next entry of a subject lost its content",
                "的单元记录先于同一标识下一条目的内容被清理",
            )  # fmt: skip

    def _numbered(self, which: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Where the ranges of all prunings begin, ascending; their ends and the numbers of the prunings."""
        found = sorted(
            (start, stop, number)
            for number, done in enumerate(self._dones)
            for start, stop in (done.rows if which else done.contents)
        )
        return [start for start, _, _ in found], [(stop, number) for _, stop, number in found]

    def _check_latest(self) -> None:
        """From any entry on that lost its rows, the believed rows that name it or a later one are no fewer than its
        rows and the first rows of all later entries that lost theirs; over the whole log, than all first rows."""
        named = sorted(one for _, one in self._gathered.believed)
        at, first, ordered = len(named), 0, True
        for start, stop in reversed(self._gathered.lost_rows):
            for index in range(stop - 1, start - 1, -1):
                header = self._log.header(index) or bytes(128)
                while at and named[at - 1] >= index:
                    at -= 1
                if ordered and len(named) - at < int.from_bytes(header[40:44], "big") + first:
                    ordered = False
                    self._findings.add(
                        "PRUNE_ORDER", index,
                        "its rows are gone, and not all of them are followed by others: a latest row went",
                        "其单元记录已清理，而并非每一份单元记录之后都有后续者：有标识的最新一份单元记录被清理",
                    )  # fmt: skip
                first += int.from_bytes(header[52:56], "big")
        if first > len(named):
            self._findings.add(
                "SUBJECT_LOST", None,
                f"the first rows of {first} subjects are gone, and later ones are left of {len(named)} of them",
                f"{first} 个标识的首份单元记录已清理，而其中只有 {len(named)} 个还留有后续单元记录",
            )  # fmt: skip

    # ---- what it comes to ----

    def _result(self) -> dict[str, Any]:
        counts = [0, 0]
        prunings = []
        done_of = {id(done.intent): done for done in self._dones}
        for intent in self._intents.values():
            done = done_of.get(id(intent))
            # What is wrong with the intent makes all that it announced unlawful (13.2: all of this holds).
            lawful = None if done is None else not (done.wrong or intent.wrong)
            said = intent.said if done is None else done.said
            if lawful:
                counts[0] += said.counts[0]
                counts[1] += said.counts[1]
            size, as_of, named, wait, archive, reason = intent.said.rest
            policy = None if intent.policy is None or intent.policy[0] != named else intent.policy[1].name
            prunings.append({
                "name": intent.said.name, "intent": intent.said.first,
                "intent_ms": _prune_time(self._log, intent.said.first),
                "done": None if done is None else done.said.first,
                "done_ms": None if done is None else _prune_time(self._log, done.said.first),
                "as_of": as_of, "size": size, "wait_days": wait, "policy": named, "policy_name": policy,
                "contents": said.counts[0], "rows": said.counts[1], "reason": reason,
                "archive": None if archive is None else archive.hex(), "lawful": lawful,
            })  # fmt: skip
        notes = []
        if sum(counts):
            en = f"{counts[0]} contents and {counts[1]} rows were pruned as announced: what they said cannot be looked"
            zh = f"{counts[0]} 份内容和 {counts[1]} 份单元记录已按公示清理：其所述内容无法再查看"
            notes.append((f"{en} at any more", zh))
        if self._unseen:
            en = f"of {self._unseen} pruned contents the rows are gone, too: whether a hold covered them cannot be seen"
            zh = f"{self._unseen} 份已清理内容的单元记录也已清理：当时是否受留存令约束无法再查证"
            notes.append((f"{en} any more", zh))
        return {"contents": counts[0], "rows": counts[1], "notes": notes, "prunings": prunings}


def _prune_find(numbered: tuple[list[int], list[tuple[int, int]]], index: int) -> int | None:
    """The number of the pruning that executed a part of an entry."""
    at = bisect_right(numbered[0], index) - 1
    if at < 0 or numbered[1][at][0] <= index:
        return None
    return numbered[1][at][1]


def _prune_more(count: int) -> tuple[str, str]:
    if count < 2:
        return "", ""
    return f"; {count} entries in all, from here on", f"；自此起共 {count} 个条目"


def _prune_days(milliseconds: int) -> str:
    return f"{milliseconds / PRUNE_DAY_MS:.1f}"


# ======================================================================================================================
# THE PASS (format 2 to 9). A range of entries is read once, in order: headers, contents, rows, statements. What only
# the whole log tells (authors' numbers, keys, epochs, prunings) is noted for later.
#
# Most entries of a log are alike: an Object event about one unit, under one statement with others like it. `_quick`
# takes these by comparing bytes with what they have to be; whatever it does not take, for whatever reason, goes to
# `_slow`, where every rule is asked by itself and every difference gets its words. So what is quick decides nothing.
# ======================================================================================================================

NO_PACK = -1
LEAST = {0xCC: (2, 0x80), 0xCD: (3, 1 << 8), 0xCE: (5, 1 << 16),
    0xCF: (9, 1 << 32)}  # of an integer: width, least value
COUNTS = struct.Struct(">QIIIIQ")
TERM = 35
GROUP = 64 * TERM


def _short(data: bytes, at: int) -> tuple[int, int]:
    """An integer of 0 and more in its shortest form, and where it ends; -1 for anything else."""
    first = data[at] if at < len(data) else 0xC1
    if first < 0x80:
        return first, at + 1
    width, least = LEAST.get(first, (0, 0))
    found = int.from_bytes(data[at + 1 : at + width], "big")
    return (found if width and found >= least and at + width <= len(data) else -1), at + max(width, 1)


class Heads(dict[int, bytes]):
    """The first 32 bytes of headers that differ from one another in the keep-until day alone, by expiry day."""

    def __init__(self, raw: bytes, keeping: KeepDays | None, record_class: int, time: int) -> None:
        super().__init__()
        self._before, self._after = raw[:20], raw[24:32]
        self._days = None if keeping is None else keeping.days(record_class, time)

    def __missing__(self, code: int) -> bytes:
        day = OPEN_DAY if self._days is None else self._days.of(() if code == NO_PACK else (code,))
        found = self[code] = self._before + day.to_bytes(4, "big") + self._after
        return found


class Covering:
    """A statement whose entries are being read."""

    def __init__(self, index: int, statement: Statement, time: int) -> None:
        self.index = index
        self.statement = statement
        self.left = statement.count
        self.sequence = statement.first
        self.time = time
        self.broken = False
        self.kinds: set[str] = set()
        self.policy: int | None = None
        self.heads: Heads | None = None
        self.policy_of_heads = NO_POLICY
        self.tail = b""
        self.terms = bytearray()
        self.hashes: list[bytes] = []

    def fold(self) -> None:
        """Hash the terms that fill a leaf of the statement's tree (format 6)."""
        full = len(self.terms) - len(self.terms) % GROUP
        for at in range(0, full, GROUP):
            self.hashes.append(sha256(b"\0" + self.terms[at : at + GROUP]).digest())
        del self.terms[:full]

    def root(self) -> bytes:
        """The root over all terms."""
        self.fold()
        return root_of(self.hashes + ([sha256(b"\0" + self.terms).digest()] if self.terms else []))


class Shape:
    """How an event about one unit is written, but for its time and serial number; what follows the serial number, with
    the act that it makes."""

    __slots__ = ("pack", "prefix", "row_head", "size", "tails")

    def __init__(self, prefix: str, row_head: bytes, pack: bool, size: int) -> None:
        self.prefix = prefix
        self.row_head = row_head
        self.pack = pack
        self.size = size
        self.tails: dict[bytes, tuple[bytes, int, bytes]] = {}


SAID = struct.Struct(">QQII32s32s32s")  # index, first, count, number of its set of kinds, author, previous, hash


class Passed:
    """What a pass over a range leaves beside findings; it goes from one process to another."""

    def __init__(self) -> None:
        self.entries = self.rows = self.events = self.contents = self.broken = 0
        self.said = bytearray()
        self.kind_sets: dict[frozenset[str], int] = {}
        self.own: list[tuple[int, int, bytes]] = []
        self.unsigned: list[tuple[int, bytes]] = []
        self.uncovered: list[tuple[int, bytes, int]] = []
        self.first_rules: tuple[int, int] | None = None
        self.last_rules = 0
        self.last_plain = -1
        self.profile: tuple[int, int] | None = None
        self.unknown_rules = 0
        self.records: list[tuple[int, int, str]] = []
        self.policies_named: list[tuple[int, int]] = []
        self.lost_contents: Ranges = []
        self.lost_rows: Ranges = []
        #: These, and those of events with a malformed header: what a row that names one cannot be held against.
        self.bare: Ranges = []
        self.signatures = 0


class Context:
    """What a pass has to know of the log from before it."""

    def __init__(self, ledger_id: bytes, jump_limit: int | None, keys: dict[bytes, tuple[int, bytes]]) -> None:
        self.ledger_id = ledger_id
        self.jump_limit = jump_limit
        self.keys = keys


class Pass:
    """The pass over the entries from `start` to `stop` - 1."""

    def __init__(self, log: Log, start: int, stop: int, context: Context, chains: Any, findings: Findings,
            bare: Ranges) -> None:
        self.log = log
        self.start = start
        self.stop = stop
        self.context = context
        self.chains = chains
        self.direct = isinstance(chains, Chains)
        self.findings = findings
        self.found = Passed()
        self.found.bare = bare
        self.covering: Covering | None = None
        self.rule_set = 0
        #: The rules by which contents are read: those that their rows name.
        self.shape_rules = 1
        self.shapes: dict[bytes, Shape] = {}
        self.edges: list[int] = []
        #: How a row of a subject begins that was read carefully -> its prefix; where its suffix begins in the part.
        self.row_heads: dict[bytes, str] = {}
        self.row_edges: list[int] = []
        self.endings: dict[bytes, int] = {}
        self.right: set[tuple[int, int, int]] = set()
        self.keeping: dict[int, KeepDays | None] = {}
        self.keys: dict[bytes, PublicKey | None] = {}
        self.time = 0
        self.latest_policy = -1
        self._skip = self._misses = 0
        for index in range(start - 1, -1, -1):
            try:
                self.time = Header(log.header(index) or b"").time
                break
            except Bad:
                continue

    def run(self, tick: Callable[[int], None]) -> Passed:
        """Read the range."""
        at = self.start
        while at < self.stop:
            number = at // WIDTH
            base = number * WIDTH
            headers, contents, rows = self.log.block(number, self.findings if base >= self.start else None)
            end = min(base + WIDTH, self.stop)
            place = at - base
            while place < end - base:
                done = self._quick(base, place, end - base, headers, contents, rows)
                done = done or self._faded(base, place, end - base, headers, contents, rows)
                place += done
                if place < end - base:
                    raw = headers[place]
                    if raw is None:
                        self._missing(base + place)
                    else:
                        self._slow(base + place, raw, contents[place], rows[place])
                    place += 1
            tick(end - at)
            at = end
        if self.covering is not None:
            self._end_covering()
        self.found.entries = self.stop - self.start
        return self.found

    # ---- the usual entry -----------------------------------------------------------------------

    def _quick(
        self, base: int, place: int, end: int,
        headers: list[bytes | None], contents: list[bytes | None], rows: list[bytes | None],
    ) -> int:
        """Take entries that are as they have to be, byte for byte; returns how many."""
        covering = self.covering
        if covering is None or covering.heads is None or self.rule_set != self.shape_rules or not self.edges:
            return 0
        if self._skip:
            self._skip -= 1
            return 0
        heads, policy, tail, terms = covering.heads, covering.policy_of_heads, covering.tail, covering.terms
        sequence, edges, shapes, endings = covering.sequence, self.edges, self.shapes, self.endings
        leaves, rule_set, chains, direct = self.log.leaves, self.rule_set, self.chains, self.direct
        last: dict[str, int] = chains.last if direct else {}
        right, counts = self.right, COUNTS.pack
        fresh = direct and chains.cut < len(chains.cuts)
        end = min(end, place + covering.left)
        at = place
        while at < end:
            raw, part, stored = headers[at], contents[at], rows[at]
            if raw is None or part is None or stored is None:
                break
            shape = None
            for edge in edges:
                shape = shapes.get(part[43:edge])
                if shape is not None:
                    break
            if shape is None:
                break
            after = edge + part[edge] - 0x9F
            serial = part[edge + 1 : after]
            known = shape.tails.get(part[after:])
            if (
                known is None
                or not edge + 1 < after < edge + 33
                or not serial.isalnum()
                or known[0] != part[32:35]
                or not b"\0\0\0\0" < part[35:39] < b"\x80"
                or (shape.size and shape.size != part[edge])
            ):
                break
            row = stored[32:]
            expected = shape.row_head + part[edge:after] + known[2]
            cut = len(expected)
            if row[:cut] != expected or len(row) < cut + 3:
                break
            previous = row[cut]
            if previous >= 0x80:
                width, least = LEAST.get(previous, (0, 0))
                previous = int.from_bytes(row[cut + 1 : cut + width], "big")
                if previous < least or not width:
                    break
                ending = row[cut + width :]
            else:
                ending = row[cut + 1 :]
            state = endings.get(ending)
            if state is None:
                state = self._ending(ending)
            index = base + at
            if state < 0 or previous > index:
                break
            head = heads[state >> EXPIRY_SHIFT if shape.pack else NO_PACK]
            leaf = leaves[32 * previous - 32 : 32 * previous] if previous else ZERO
            if raw != (
                head
                + counts(sequence, 1, len(part) - 32, len(row), not previous, policy)
                + sha256(CONTENT_TAG + part).digest()
                + sha256(ROW_TAG + stored[:32] + leaf + row).digest()
            ):
                break
            subject = shape.prefix + serial.decode("ascii")
            if direct:
                word = last.get(subject, 0)
                if word & MASK != previous or index >= chains.next_cut:
                    break
                link = (word >> SHIFT, known[1], state)
                if link not in right:
                    if not is_lawful(rule_set, *link):
                        break
                    right.add(link)
                last[subject] = state << SHIFT | index + 1
                if fresh:
                    chains.fresh.add(subject)
            else:
                chains.take(index, rule_set, (subject, known[1], previous, state, ()))
            terms += raw[64:96] + tail
            sequence += 1
            at += 1
        done = at - place
        if done:
            self.found.rows += done
            self.found.events += done
            self.found.contents += done
            if rule_set == 1:
                self.found.last_plain = base + at - 1
            self._cover(covering, sequence, done)
        elif at < end:
            self._skip = min(2 * self._misses + 1, 32)
            self._misses = self._skip
        if done:
            self._misses = 0
        return done

    def _cover(self, covering: Covering, sequence: int, done: int) -> None:
        """So many more entries of a statement were right."""
        covering.sequence = sequence
        covering.left -= done
        covering.fold()
        if covering.left == 0:
            self._end_covering()

    def _ending(self, ending: bytes) -> int:
        """The state at the end of a row without violations; -1 where something else stands there."""
        try:
            value = decode(b"\x92" + ending)
        except Bad:
            value = None
        state = value[0] if value is not None and value[1] is None and is_number(value[0], 0, 1 << 24) else -1
        if len(self.endings) > 1 << 16:
            self.endings.clear()
        self.endings[ending] = state
        return state

    def _remember(self, content: bytes, subject: str, act: int) -> None:
        """Learn the shape of an event about one unit, which was read carefully just now."""
        if content[2] != 0xCF or not 0x90 < content[0] < 0xA0 or content[1] != OBJECT:
            return
        if len(content) > MAX_CONTENT - 31:
            return
        cut = subject.rfind("/") + 1
        prefix, suffix = subject[:cut], subject[cut:].encode()
        group = b"\x92" + encode(prefix) + b"\x91" + encode(subject[cut:])
        at = content.find(group, 11)
        edge = at + len(group) - len(suffix) - 1
        # A shape has room for the longest serial number within all limits, and something follows it.
        if (
            at < 0
            or not 0 < len(suffix) < 32
            or content.find(group, at + 1) >= 0
            or act in (NOTE, UNDO)
            or at + len(group) == len(content)
            or len(prefix.encode()) + 31 > MAX_ID
        ):
            return
        if len(self.shapes) >= 4096:
            self.shapes.clear()
            self.edges.clear()
        head = content[11:edge]
        shape = self.shapes.get(head)
        if shape is None:
            row_head = b"\x92" + encode(self.shape_rules) + b"\x96" + encode(prefix)
            shape = self.shapes[head] = Shape(prefix, row_head, is_pack(subject), content[edge] if prefix == "nmpa/"
                else 0)
        elif shape.size not in (0, content[edge]):
            return
        if len(shape.tails) >= 4096:
            shape.tails.clear()
        shape.tails[content[at + len(group) :]] = content[:3], act, encode(act)
        if 32 + edge not in self.edges:
            self.edges.append(32 + edge)

    def _faded(
        self, base: int, place: int, end: int, headers: list[bytes | None], contents: list[bytes | None],
        rows: list[bytes | None],
    ) -> int:  # fmt: skip
        """Take events without content that have one row left, or none, and are as they have to be; returns how many."""
        covering = self.covering
        if covering is None or covering.heads is None or contents[place] is not None:
            return 0
        heads, tail, terms = covering.heads, covering.tail, covering.terms
        whole, policy = heads[NO_PACK], covering.policy_of_heads.to_bytes(8, "big")
        lead, author, sequence = whole[:20], whole[24:32], covering.sequence
        least = min(int.from_bytes(heads[code][20:24], "big") for code in (NO_PACK, 0, 1))  # format 13.1
        leaves, rule_set, chains, direct = self.log.leaves, self.rule_set, self.chains, self.direct
        row_lead = b"\x92" + bytes((rule_set & 0x7F,)) + b"\x96"
        right, cut_at, fresh = self.right, chains.next_cut if direct else 0, direct and chains.cut < len(chains.cuts)
        edges, row_heads = self.row_edges, self.row_heads
        end = min(end, place + covering.left)
        at = place
        while at < end:
            raw, stored, index = headers[at], rows[at], base + at
            if (
                raw is None
                or contents[at] is not None
                or raw[:20] != lead
                or raw[24:32] != author
                or raw[32:40] != sequence.to_bytes(8, "big")
                or raw[56:64] != policy
                or not 0 < int.from_bytes(raw[44:48], "big") <= MAX_CONTENT
            ):
                break
            if stored is None:
                count, length, first = (int.from_bytes(raw[k : k + 4], "big") for k in (40, 48, 52))
                if not (count and 0 < length <= MAX_ROWS and first <= count):
                    break
                if int.from_bytes(raw[20:24], "big") < least:
                    break
                put(self.found.lost_rows, index)
                put(self.found.bare, index)
            else:
                prefix = None
                for edge in edges:
                    prefix = row_heads.get(stored[32:edge])
                    if prefix is not None:
                        break
                if prefix is None or stored[32:35] != row_lead or rule_set not in RULE_SETS:
                    break
                after = edge + stored[edge] - 0x9F
                suffix = stored[edge + 1 : after]
                # What follows the suffix: act, the entry before, state, nil. Each number in its shortest form.
                act, cut = _short(stored, after)
                previous, cut = _short(stored, cut)
                if not edge + 1 < after < edge + 33 or not suffix.isalnum() or act < 0 or not 0 <= previous <= index:
                    break
                ending = stored[cut:]
                state = self.endings.get(ending)
                if state is None:
                    state = self._ending(ending)
                if state < 0 or act >= 1 << 24:
                    break
                subject = prefix + suffix.decode("ascii")
                leaf = leaves[32 * previous - 32 : 32 * previous] if previous else ZERO
                if raw != (
                    heads[state >> EXPIRY_SHIFT if is_pack(subject) else NO_PACK]
                    + COUNTS.pack(sequence, 1, int.from_bytes(raw[44:48], "big"), len(stored) - 32, not previous,
                        covering.policy_of_heads)
                    + raw[64:96]
                    + sha256(ROW_TAG + stored[:32] + leaf + stored[32:]).digest()
                ):
                    break
                word = chains.last.get(subject, 0) if direct else 0
                if direct and word & MASK == previous and (word >> SHIFT, act, state) in right and index < cut_at:
                    chains.last[subject] = state << SHIFT | index + 1
                    if fresh:
                        chains.fresh.add(subject)
                else:  # the first row that is left of its subject, or any other: the chain has its own rules
                    chains.take(index, rule_set, (subject, act, previous, state, ()))
                    if direct:
                        cut_at, fresh = chains.next_cut, chains.cut < len(chains.cuts)
                        if is_lawful(rule_set, word >> SHIFT, act, state):
                            right.add((word >> SHIFT, act, state))
                self.found.rows += 1
                if rule_set == 1:
                    self.found.last_plain = index
            put(self.found.lost_contents, index)
            terms += raw[64:96] + tail
            sequence += 1
            at += 1
        done = at - place
        if done:
            self.found.events += done
            self._cover(covering, sequence, done)
        return done

    def _remember_row(self, rule_set: int, subject: str) -> None:
        """Learn how the row of a subject begins, which was read carefully just now."""
        prefix = subject[: subject.rfind("/") + 1]
        if len(prefix.encode()) + 31 > MAX_ID or rule_set not in RULE_SETS:
            return
        if len(self.row_heads) >= 4096:
            self.row_heads.clear()
            self.row_edges.clear()
        head = b"\x92" + encode(rule_set) + b"\x96" + encode(prefix)
        self.row_heads[head] = prefix
        if 32 + len(head) not in self.row_edges:
            self.row_edges.append(32 + len(head))

    # ---- one entry, every rule by itself -------------------------------------------------------

    def _missing(self, index: int) -> None:
        self.findings.add("ENTRY_MISSING", index, "the entry's header is not there", "条目头不在")
        self._step_over(index)

    def _step_over(self, index: int) -> None:
        """Go on behind an entry that cannot be read."""
        covering = self.covering
        if covering is not None:
            covering.broken = True
            covering.sequence += 1
            covering.left -= 1
            if covering.left <= 0:
                self._end_covering()

    def _slow(self, index: int, raw: bytes, part: bytes | None, stored: bytes | None) -> None:
        try:
            header = Header(raw)
        except Bad as error:
            self.findings.bad("HEADER_MALFORMED", index, error)
            if raw[4] == EVENT and raw[40:44] != bytes(4) and stored is None:
                put(self.found.bare, index)
            self._step_over(index)
            return
        content = content_of(index, header, raw, part, self.findings)
        self.found.contents += content is not None
        self._check_time(index, header, content)
        covered = header.kind in COVERED
        if covered:
            self._check_covered(index, raw, header)
        elif self.covering is not None:
            self._end_covering()
        self._read_by(stored)
        acts, kind = self._acts(index, header, content)
        if header.kind == EVENT:
            self.found.events += 1
        if self.covering is not None and (header.kind == EVENT or kind):
            self.covering.kinds.add("event" if header.kind == EVENT else str(kind))
        self._check_rows(index, header, raw, stored, acts)
        if header.kind == EVENT:
            if part is None:
                put(self.found.lost_contents, index)
            if stored is None and header.row_count:
                put(self.found.lost_rows, index)
                put(self.found.bare, index)
        if header.kind == STATEMENT:
            self._begin_covering(index, header, content)
        elif content is not None and (not covered or kind in SETTLING or kind == "seal"):
            self.found.own.append((index, header.kind, content))
        if covered and self.covering is not None and self.covering.left <= 0:
            self._end_covering()

    def _check_time(self, index: int, header: Header, content: bytes | None) -> None:
        """Format 8."""
        add = self.findings.add
        if header.flags & 1 and (index == 0 or header.time != self.time):
            add("TIME_FLAG", index, "marked as clamped, but its receipt time is not that of the entry before",
                "标记为沿用前一时间，但接收时间与前一条目不同")
        if index and header.time < self.time:
            add("TIME_DECREASED", index, f"receipt time {header.time} is before {self.time} of the entry before",
                f"接收时间 {header.time} 早于前一条目的 {self.time}")
        elif header.kind == CLOCK and content is not None:
            try:
                start, end, _ = read_clock(content)
                demand((start, end) == (self.time, header.time),
                    "the jump it states is not the one between the entries", "所述的时间跳跃与条目间的实际跳跃不符")
            except Bad as error:
                self.findings.bad("CLOCK_RECORD", index, error)
        elif (index and self.context.jump_limit is not None and header.kind not in (CLOCK, EPOCH_ENTRY)
                and header.time - self.time > self.context.jump_limit):
            add("TIME_JUMP", index, f"receipt time jumps by {header.time - self.time} ms without a clock record",
                f"接收时间跳跃 {header.time - self.time} 毫秒而没有时钟记录")
        self.time = header.time

    # ---- statements ----------------------------------------------------------------------------

    def _begin_covering(self, index: int, header: Header, content: bytes | None) -> None:
        """Format 6."""
        statement = statement_of(index, header, content, self.context.ledger_id, self.findings)
        if content is None or statement is None:
            return
        key = self._key(statement.author, index)
        if key is None:
            self.found.unsigned.append((index, content))
        else:
            self.found.signatures += 1
            check_signature(index, statement, key, self.findings)
        self.covering = Covering(index, statement, header.time)

    def _key(self, author: bytes, index: int) -> PublicKey | None:
        """The author's key, if an entry before states it."""
        known = self.context.keys.get(author)
        if known is None or known[0] >= index:
            return None
        if author not in self.keys:
            self.keys[author] = PublicKey(known[1])
        return self.keys[author]

    def _check_covered(self, index: int, raw: bytes, header: Header) -> None:
        """Format 6.1."""
        add = self.findings.add
        covering = self.covering
        if covering is None:
            if len(self.found.uncovered) < 10_000:
                self.found.uncovered.append((index, header.author, header.sequence))
            return
        statement = covering.statement
        sound = header.time == covering.time
        if header.author != statement.author[:8]:
            sound = False
            add("STATEMENT_AUTHOR", index, f"it names another author than statement {covering.index} that covers it",
                f"所写作者与覆盖它的陈述 {covering.index} 不同")
        elif header.sequence != covering.sequence:
            place = covering.index + 1 + header.sequence - statement.first
            if covering.index < place < index and raw == self.log.header(place):
                add("ENTRY_DUPLICATED", index, "it repeats an entry before", "重复了之前的条目")
            else:
                add("ENTRY_ORDER", index,
                    f"it has the author's number {header.sequence} where {covering.sequence} belongs: entries"
                    " were swapped or dropped",
                    f"作者编号为 {header.sequence}，此处应为 {covering.sequence}：条目被调换或删除")
            covering.broken = True
        keeping = self._check_policy(index, header, covering)
        if header.time != covering.time:
            add("TIME_FLAG", index, "its receipt time is not that of the statement that covers it",
                "接收时间与覆盖它的陈述不同")
        tail = raw[16:18] + raw[4:5]
        covering.terms += raw[64:96] + tail
        covering.fold()
        covering.heads = None
        if sound and header.kind == EVENT and (keeping is None) == (header.policy == NO_POLICY):
            covering.heads = Heads(raw, keeping, header.record_class, header.time)
            covering.policy_of_heads = header.policy
        covering.tail = tail
        covering.sequence += 1
        covering.left -= 1

    def _end_covering(self) -> None:
        covering = self.covering
        assert covering is not None
        self.covering = None
        statement = covering.statement
        if covering.left > 0:
            self.findings.add("STATEMENT_COVERAGE", covering.index,
                f"it covers {statement.count} entries, {covering.left} of them are not there",
                f"它覆盖 {statement.count} 个条目，其中 {covering.left} 个不在")
        elif not covering.broken and covering.root() != statement.root:
            self.findings.add("STATEMENT_ROOT", covering.index,
                "the entries it covers are not those that the author signed", "它所覆盖的条目不是作者所签的条目")
        kinds = self.found.kind_sets.setdefault(frozenset(covering.kinds), len(self.found.kind_sets))
        self.found.said += SAID.pack(covering.index, statement.first, statement.count, kinds, statement.author,
            statement.previous, statement.hash)

    # ---- retention (format 5.9) ----------------------------------------------------------------

    def _check_policy(self, index: int, header: Header, covering: Covering) -> KeepDays | None:
        """The policy that a header names. That it is the one in force, only the whole log tells."""
        if header.kind != EVENT:
            return None
        keeping = self._keeping(header.policy) if header.policy < index else None
        if keeping is None and header.policy != NO_POLICY:
            self.findings.add("HEADER_MALFORMED", index,
                f"it names entry {header.policy} as its policy: that is none before it",
                f"它以条目 {header.policy} 为保存政策，但那之前并无此政策")
        if covering.policy is None:
            self._note_policy(covering.index, header.policy)
        elif covering.policy != header.policy:
            self.findings.add("KEEP_UNTIL", index, "it names another policy than the one before it in its statement",
                "与同一陈述中的前一条目引用了不同的保存政策")
        covering.policy = header.policy
        return keeping

    def _note_policy(self, statement: int, policy: int) -> None:
        named = self.found.policies_named
        if not named or named[-1][1] != policy or named[-1][0] < self.latest_policy < statement:
            named.append((statement, policy))

    def _keeping(self, index: int) -> KeepDays | None:
        """The policy that an entry put in force, None where it did not."""
        if index not in self.keeping:
            content, policy = self.log.content(index), None
            if content is not None and (self.log.header(index) or b"")[4:5] == bytes((RECORD,)):
                try:
                    policy = self._is_policy(RecordEntry(content))
                except Bad:
                    policy = None
            self.keeping[index] = None if policy is None else KeepDays(policy)
        return self.keeping[index]

    @staticmethod
    def _is_policy(record: RecordEntry) -> PrunePolicy | None:
        """The policy that a record puts in force, None where it is malformed: then it changes nothing."""
        if (record.kind, record.version, record.subject) != ("retention", 0, "urn:tracechain:retention"):
            return None
        return parse_policy(record.body)

    def _check_keep(self, index: int, header: Header, rows: Sequence[Row]) -> None:
        """The keep-until day by policy, class, receipt time, and the expiry of packs in the rows."""
        if header.kind != EVENT:
            return
        day = OPEN_DAY
        keeping = self._keeping(header.policy) if header.policy < index else None
        if keeping is not None:
            day = keeping.day(header.record_class, header.time,
                [row[3] >> EXPIRY_SHIFT for row in rows if is_pack(row[0])])
        if header.keep_until != day:
            self.findings.add("KEEP_UNTIL", index,
                f"its keep-until day is {day_words(header.keep_until)}, by its policy it is {day_words(day)}",
                f"保存期限为 {day_words(header.keep_until)}，按其保存政策应为 {day_words(day)}")

    def _check_least_keep(self, index: int, header: Header) -> None:
        """The same of an event without rows, as far as class and receipt time tell (format 13.1)."""
        keeping = self._keeping(header.policy) if header.policy < index else None
        least = OPEN_DAY if keeping is None else keeping.least(header.record_class, header.time)
        if header.keep_until < least:
            self.findings.add("KEEP_UNTIL", index,
                f"its keep-until day is {day_words(header.keep_until)}, by its policy it is {day_words(least)} at"
                " least", f"保存期限为 {day_words(header.keep_until)}，按其保存政策至少应为 {day_words(least)}")

    # ---- contents and rows ---------------------------------------------------------------------

    def _read_by(self, stored: bytes | None) -> None:
        """Contents are read by the rules that their rows name."""
        rule_set = stated_rules(stored)
        if rule_set in RULE_SETS and rule_set != self.shape_rules:
            self.shape_rules = rule_set
            self.shapes.clear()
            self.edges.clear()
            self.right.clear()

    def _acts(self, index: int, header: Header,
            content: bytes | None) -> tuple[list[tuple[str, int]] | None, str | None]:
        """The subjects that a content names with what it does to them, None where it cannot tell; a record's kind."""
        if content is None:
            return None, None
        try:
            if header.kind == EVENT:
                event = Event(content)
                acts = acts_of(event, self.shape_rules)
                if len(acts) == 1 and event.epcs and not event.classes and self.covering is not None:
                    self._remember(content, acts[0][0], acts[0][1])
                return acts, None
            if header.kind == RECORD:
                return self._record(index, RecordEntry(content))
            if header.kind == AUTHORISED:
                return [(KEY_URN + KeyAuthorised(content).key.hash.hex(), SEE)], None
            if header.kind == REVOKED:
                return [(KEY_URN + KeyRevoked(content).hash.hex(), END)], None
        except Bad as error:
            self.findings.bad("CONTENT_MALFORMED", index, error)
            return None, None
        return [], None

    def _record(self, index: int, record: RecordEntry) -> tuple[list[tuple[str, int]], str]:
        covering = self.covering
        if self.found.profile is None and begins_pilot(record):
            end = index if covering is None else covering.index + covering.statement.count
            self.found.profile = index, end
        if record.kind in PRUNE_KINDS:
            self.found.records.append((index, 0 if covering is None else covering.index, record.kind))
        if record.kind == "retention" and self._is_policy(record):
            self.latest_policy = index
        return ([] if record.subject is None else [(record.subject, NOTE)]), record.kind

    def _check_rows(self, index: int, header: Header, raw: bytes, stored: bytes | None,
            acts: list[tuple[str, int]] | None) -> None:
        """Format 7."""
        add = self.findings.add
        if stored is None:
            if header.row_count and header.kind != EVENT:
                add("ROWS_MISSING", index, "the rows are not there, and those of an entry that is no event never go",
                    "单元记录不在，而非事件条目的单元记录永不删除")
            elif header.row_count:
                self._check_least_keep(index, header)
            elif acts:
                add("ROW_SUBJECTS", index, f"it has no row of {acts[0][0]}", f"没有 {acts[0][0]} 的单元记录",
                    acts[0][0])
            else:
                self._check_keep(index, header, ())
            return
        found = rows_of(index, stored, self.rule_set, self.findings)
        if found is None:
            return
        rule_set, rows = found
        known = rule_set in RULE_SETS
        if not known or rule_set != self.rule_set:
            self.right.clear()
        self._note_rules(index, rule_set)
        check_row_counts(index, header, stored, rows, self.findings)
        check_told(index, rule_set, rows, acts, self.findings)
        self.found.unknown_rules += not known
        leaves = [self.log.leaf(row[2] - 1) if 0 < row[2] <= index else ZERO for row in rows]
        if root_of(row_hashes(stored[:32], rule_set, rows, leaves)) != raw[96:]:
            add("ROW_ROOT", index,
                "rows, their salt, or the entry before that a row names were altered: the header commits to others",
                "单元记录、其盐值或其所指的前一条目被改动：条目头承诺的是另外的单元记录")
        for row in rows:
            self.chains.take(index, rule_set, row)
            self.found.broken += len(row[4])
        self._check_keep(index, header, rows)
        if acts is None and len(rows) == 1:
            self._remember_row(rule_set, rows[0][0])
        self.found.rows += len(rows)

    def _note_rules(self, index: int, rule_set: int) -> None:
        self.rule_set = rule_set
        found = self.found
        found.last_rules = rule_set
        found.first_rules = found.first_rules or (index, rule_set)
        if rule_set == 1:
            found.last_plain = index


def content_of(index: int, header: Header, raw: bytes, part: bytes | None, findings: Findings) -> bytes | None:
    """The content of an entry, if it is there and is what the header commits to (format 4)."""
    if part is None:
        if header.kind != EVENT:
            findings.add("CONTENT_MISSING", index,
                "the content is not there, and that of an entry that is no event never goes",
                "内容不在，而非事件条目的内容永不删除")
        return None
    if len(part) - 32 != header.content_length:
        findings.add("HEADER_COUNTS", index,
            f"{len(part) - 32} bytes of content, the header says {header.content_length}",
            f"内容有 {len(part) - 32} 字节，条目头称 {header.content_length}")
    content = committed(raw, part)
    if content is None:
        findings.add("CONTENT_COMMITMENT", index, "the content or its salt was altered: the header commits to another",
            "内容或其盐值被改动：条目头承诺的是另一内容")
    return content


def statement_of(index: int, header: Header, content: bytes | None, ledger_id: bytes,
        findings: Findings) -> Statement | None:
    """The statement that an entry is, where it can be read (format 6). Without genesis record there is no ledger id."""
    if content is None:
        return None
    try:
        statement = Statement(content)
    except Bad as error:
        findings.bad("STATEMENT_MALFORMED", index, error)
        return None
    if header.author != statement.author[:8] or header.sequence != statement.first:
        findings.add("STATEMENT_AUTHOR", index, "the header names another author or number than the statement",
            "条目头所写作者或编号与陈述不同")
    if ledger_id and statement.ledger_id != ledger_id:
        findings.add("STATEMENT_LEDGER", index, "the statement was made for another ledger", "陈述是为另一账本作出的")
    return statement


def check_signature(index: int, statement: Statement, key: PublicKey, findings: Findings) -> None:
    """A statement is signed by the key of its author."""
    if not key.stands(statement.message, statement.signature):
        findings.add("STATEMENT_SIGNATURE", index, "the author's signature does not stand", "作者的签名不成立")


def rows_of(index: int, stored: bytes, latest: int, findings: Findings) -> tuple[int, list[Row]] | None:
    """Rule set and rows of an entry, where they can be read (format 7); `latest` is the rule set of the rows before."""
    try:
        rule_set, rows = decode_rows(stored[32:])
    except Bad as error:
        findings.bad("ROWS_MALFORMED", index, error)
        return None
    check_rule_set(index, rule_set, latest, findings)
    return rule_set, rows


def check_rule_set(index: int, rule_set: int, latest: int, findings: Findings) -> None:
    """Rule sets do not decrease (format 7)."""
    if rule_set < latest:
        findings.add("ROWS_MALFORMED", index, f"rule set {rule_set} after rule set {latest}",
            f"规则版本 {rule_set} 出现在版本 {latest} 之后")


def check_told(index: int, rule_set: int, rows: Sequence[Row], acts: Sequence[tuple[str, int]] | None,
        findings: Findings) -> None:
    """Rows are of the subjects of the content, and by known rules of its acts; None where the content cannot tell."""
    if acts is None:
        return
    if [row[0] for row in rows] != [subject for subject, _ in acts]:
        findings.add("ROW_SUBJECTS", index, "the rows are not those of the content's subjects",
            "单元记录与内容中的对象不符")
    elif rule_set in RULE_SETS and [row[1] for row in rows] != [act for _, act in acts]:
        findings.add("ROW_ACT", index, "a row states another act than the content", "单元记录所述动作与内容不同")


def check_row_counts(index: int, header: Header, stored: bytes, rows: Sequence[Row], findings: Findings) -> None:
    """The header counts what the rows are."""
    first = sum(not row[2] for row in rows)
    if (header.row_count, header.rows_length, header.first_rows) != (len(rows), len(stored) - 32, first):
        findings.add("HEADER_COUNTS", index, "the header does not count the rows that are there",
            "条目头的计数与现有的单元记录不符")


def check_possible(index: int, rule_set: int, row: Row, findings: Findings) -> None:
    """A row whose subject stood nobody knows where: some state leads to what it says."""
    subject, act, _, state, codes = row
    if rule_set in RULE_SETS and not possible(rule_set, act, state, codes):
        findings.add("ROW_STATE", index,
            f"state {state} and violations {list(codes)} follow from act {act} in no state at all",
            f"从任何状态出发，动作 {act} 都得不到状态 {state} 和违规 {list(codes)}", subject)


def day_words(day: int) -> str:
    """A day of a header in words."""
    return "none" if day == OPEN_DAY else prune_date(day)


def begins_pilot(record: RecordEntry) -> bool:
    """Whether a record puts a profile in force, where none before it did (format 7; registers.md)."""
    body = record.body
    if record.kind != "profile" or record.version or type(body) is not list or len(body) != len(PROFILE_FORMS):
        return False
    if not all(form(one) for form, one in zip(PROFILE_FORMS, body)):
        return False
    return record.subject == "urn:tracechain:profile:" + str(body[0])


def count_up_to(most: int) -> Callable[[Value], bool]:
    """A form of registers.md: an integer from 0 to `most`."""
    return lambda value: is_number(value, 0, most + 1)


def is_limit(value: Value) -> bool:
    """A form of registers.md: a number from 0 to 1,000,000,000."""
    try:
        return 0 <= read_number(value) <= 1_000_000_000 * 10**64
    except Bad:
        return False


PROFILE_FORMS: list[Callable[[Value], bool]] = [
    lambda value: bool(_prune_label(value)), lambda value: bool(_prune_line(value, 480)), is_limit, is_limit,
    *[count_up_to(36_525)] * 5, count_up_to(8_784), count_up_to(10_080), count_up_to(36_525), count_up_to(36_525),
    count_up_to((1 << 31) - 1), count_up_to((1 << 31) - 1), count_up_to(36_525),
    lambda value: type(value) is bool, lambda value: type(value) is bool,
    lambda value: value is None or bool(_prune_ident(value)),
]  # fmt: skip


# ======================================================================================================================
# SEALS (format 5.12). The map of all subjects is made again at each seal, all of them in one sweep over the subjects in
# the order of their ids. Subjects are taken in runs that end where a bucket may end; a run in which nothing changed
# between two seals is not worked out twice.
# ======================================================================================================================

SEAL_END = tag("TCH0 seal end")


def ends_bucket(subject: str) -> bool:
    """Whether a bucket ends with this id."""
    return sha256(SEAL_END + subject.encode()).digest()[0] == 0


def bucket_leaf(hashes: Sequence[bytes]) -> bytes:
    """The leaf of a bucket in the map."""
    return sha(b"\0", len(hashes).to_bytes(4, "big"), root_of(hashes))


class Frontier:
    """The root of a tree whose leaf hashes come one by one: the complete subtrees so far, largest first."""

    def __init__(self) -> None:
        self.nodes: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash."""
        height, found = 0, leaf
        while self.nodes and self.nodes[-1][0] == height:
            found = node(self.nodes.pop()[1], found)
            height += 1
        self.nodes.append((height, found))

    def root(self) -> bytes:
        """The root so far."""
        if not self.nodes:
            return root_of(())
        found = self.nodes[-1][1]
        for _, one in reversed(self.nodes[:-1]):
            found = node(one, found)
        return found


def is_note(data: bytes) -> bool:
    """Whether bytes are a signed note at all."""
    try:
        Note(data)
    except Bad:
        return False
    return True


class Worked:
    """The map of one seal while it is made."""

    def __init__(self) -> None:
        self.ids = 0
        self.tree = Frontier()
        #: Item hashes of the bucket that is not closed yet.
        self.open: list[bytes] = []


def sweep(count: int, changes: Iterable[tuple[str, int, int]], leaf: Callable[[int], bytes],
        tick: Callable[[int], None]) -> list[tuple[int, bytes]]:
    """Number of ids and map root of each of `count` seals. `changes` are (subject, number of the seal, word), by id."""
    seals = [Worked() for _ in range(count)]
    run: list[tuple[str, list[tuple[int, int]]]] = []
    for subject, number, word in changes:
        if not run or run[-1][0] != subject:
            if run and ends_bucket(run[-1][0]):
                _close_run(seals, run, leaf)
                tick(len(run))
                run = []
            run.append((subject, []))
        run[-1][1].append((number, word))
    if run:
        _close_run(seals, run, leaf)
        tick(len(run))
    found = []
    for seal in seals:
        if seal.open:
            seal.tree.add(bucket_leaf(seal.open))
        found.append((seal.ids, seal.tree.root()))
    return found


def _close_run(seals: list[Worked], run: list[tuple[str, list[tuple[int, int]]]],
        leaf: Callable[[int], bytes]) -> None:
    """Add a run of subjects to each seal. A bucket is closed in a seal if the last subject of the run is in it."""
    items: list[bytes | None] = [None] * len(run)
    by_seal: dict[int, list[tuple[int, int]]] = {}
    for place, (_, words) in enumerate(run):
        for number, word in words:
            by_seal.setdefault(number, []).append((place, word))
    closing = ends_bucket(run[-1][0])
    hashes: list[bytes] = []
    whole: bytes | None = None
    for number, seal in enumerate(seals):
        changed = by_seal.get(number)
        if changed:
            for place, word in changed:
                index = (word & MASK) - 1
                items[place] = sha256(b"\0" + encode([run[place][0], index, leaf(index), word >> SHIFT])).digest()
            hashes = [one for one in items if one is not None]
            whole = None
        if not hashes:
            continue
        seal.ids += len(hashes)
        if not closing or items[-1] is None:
            seal.open += hashes
        elif seal.open:
            seal.tree.add(bucket_leaf(seal.open + hashes))
            seal.open = []
        else:
            whole = whole or bucket_leaf(hashes)
            seal.tree.add(whole)


def seal_text(origin: str, ledger_id: bytes, body: Sequence[Value]) -> str:
    """The text that auditors sign (format 5.12)."""
    size, tree_root, ids, map_root = body
    lines = ["tracechain seal v0", origin, b64(ledger_id), str(size), b64(tree_root), str(ids), b64(map_root)]
    return "".join(line + "\n" for line in lines)


def b64(data: bytes) -> str:
    """Base64 of RFC 4648 section 4."""
    return base64.b64encode(data).decode("ascii")


def check_seal_note(data: bytes, text: str | None, auditors: Sequence[Verifier], findings: Findings,
        size: int) -> list[dict[str, Any]]:
    """Which auditors signed a seal note; `text` is what it has to say, None where there is no such seal."""
    try:
        note = Note(data)
        demand(text is not None, f"there is no seal of {size} entries", f"没有 {size} 个条目的封存")
        demand(note.text == text, "it says something else than the seal", "所述与封存不同")
    except Bad as error:
        findings.add("SEAL_NOTE", None, f"the seal note of {size} entries: {error.en}",
            f"{size} 个条目的封存签注：{error.zh}")
        return []
    found = []
    for auditor in auditors:
        try:
            if note.signed(auditor):
                found.append({"name": auditor.name, "stands": True})
        except Bad as error:
            findings.add("SEAL_NOTE", None, f"the seal note of {size} entries: {error.en}",
                f"{size} 个条目的封存签注：{error.zh}")
            found.append({"name": auditor.name, "stands": False})
    return found


# ======================================================================================================================
# WITNESSES (format 10.1)
# ======================================================================================================================

POLICY_NAME = re.compile(r"[^ \t\n]+")
LATE = 600


class WitnessPolicy:
    """Whose cosignatures are enough: witnesses, groups of them with a threshold, and a quorum (C2SP tlog-policy)."""

    def __init__(self) -> None:
        self.witnesses: dict[str, Verifier] = {}
        self.groups: list[tuple[str, int, list[str]]] = []
        self.logs: list[Verifier] = []
        self.quorum: str | None = None
        self.words = ""
        self._members: set[str] = set()

    def _name(self, name: str) -> str:
        demand(name != "none" and name not in self.witnesses and all(name != one[0] for one in self.groups),
            f"{name!r:.80} is defined twice, or cannot be a name", f"{name!r:.80} 定义了两次或不能作为名称")
        return name

    def witness(self, name: str, vkey: str) -> None:
        """A witness line."""
        key = parse_verifier(vkey)
        demand(key.kind == WITNESS_TYPE, f"the key of witness {name} is not of type 4",
            f"见证方 {name} 的密钥不是类型 4")
        demand(all(one.key.raw != key.key.raw for one in self.witnesses.values()),
            f"the key of witness {name} stands twice", f"见证方 {name} 的密钥出现两次")
        demand(len(self.witnesses) < 100, "more than 100 witnesses", "见证方超过 100 个")
        self.witnesses[self._name(name)] = key

    def log(self, vkey: str) -> None:
        """A log line."""
        key = parse_verifier(vkey)
        demand(key.kind == LOG_TYPE and all(one.key.raw != key.key.raw for one in self.logs) and len(self.logs) < 100,
            "a log line is no key of a log, or comes twice", "log 行不是账本密钥或重复")
        self.logs.append(key)

    def group(self, name: str, threshold: str, members: list[str]) -> None:
        """A group line."""
        known = set(self.witnesses) | {one[0] for one in self.groups}
        for member in members:
            demand(member in known and member not in self._members,
                f"member {member!r:.80} is not defined above, or is a member twice",
                f"成员 {member!r:.80} 未在上文定义或重复")
            self._members.add(member)
        if threshold in ("any", "all"):
            number = 1 if threshold == "any" else len(members)
        else:
            demand(bool(re.fullmatch("[1-9][0-9]{0,8}", threshold, re.ASCII)), f"{threshold!r:.80} is no threshold",
                f"{threshold!r:.80} 不是阈值")
            number = int(threshold)
        demand(number <= len(members), "more are asked for than there are", "要求的数目多于成员数")
        demand(len(self.groups) < 100, "more than 100 groups", "组超过 100 个")
        self.groups.append((self._name(name), number, members))

    def times(self, cosigned: dict[str, int]) -> tuple[int, int] | None:
        """*by* and *from* of a note by when each witness cosigned it; None where that is no quorum."""
        known: dict[str, tuple[int, int] | None] = {
            name: (cosigned[name], cosigned[name]) if name in cosigned else None for name in self.witnesses
        }
        for name, threshold, members in self.groups:
            there = [one for one in map(known.__getitem__, members) if one is not None]
            if len(there) < threshold:
                known[name] = None
            else:
                known[name] = sorted(one[0] for one in there)[threshold - 1], sorted(one[1]
                    for one in there)[-threshold]
        return known.get(self.quorum or "")


def parse_witness_policy(data: bytes) -> WitnessPolicy:
    """The text of a tlog-policy."""
    demand(len(data) <= 65_536 and not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", data),
        "a witness policy is a text of at most 65,536 bytes", "见证政策是至多 65,536 字节的文本")
    policy = WitnessPolicy()
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        items = POLICY_NAME.findall(line)
        if not items or items[0].startswith("#"):
            continue
        word, count = items[0], len(items)
        if word == "log" and count in (2, 3):
            policy.log(items[1])
        elif word == "witness" and count in (3, 4):
            policy.witness(items[1], items[2])
        elif word == "group" and count >= 4:
            policy.group(items[1], items[2], items[3:])
        elif word == "quorum" and count == 2 and policy.quorum is None:
            known = items[1] == "none" or items[1] in policy.witnesses or any(items[1] == one[0]
                for one in policy.groups)
            demand(known, "the quorum is not defined above", "法定人数未在上文定义")
            policy.quorum = items[1]
        else:
            raise Bad(f"{line!r:.80} is no line of a witness policy", f"{line!r:.80} 不是见证政策的行")
    demand(policy.quorum is not None, "the policy has no quorum line", "见证政策没有 quorum 行")
    policy.words = data.decode("utf-8", "replace").strip()
    return policy


def policy_of(vkeys: Sequence[str], quorum: int | None) -> WitnessPolicy:
    """`quorum` of these witnesses, all of them where it is None."""
    policy = WitnessPolicy()
    names = [f"w{number}" for number in range(1, len(vkeys) + 1)]
    for name, vkey in zip(names, vkeys):
        policy.witness(name, vkey)
    number = len(names) if quorum is None else quorum
    demand(1 <= number <= len(names), f"{number} of {len(names)} witnesses cannot be asked for",
        f"不能要求 {number} / {len(names)} 个见证方")
    policy.group("quorum", str(number), names)
    policy.quorum = "quorum"
    policy.words = f"{number} of {len(names)}"
    return policy


class Sufficient:
    """A note of `size` entries that is cosigned as a policy asks: *by*, *from*, and by whom."""

    def __init__(self, size: int, by: int, since: int, names: list[str]) -> None:
        self.size = size
        self.by = by
        self.since = since
        self.names = names


def cosignatures(note: Note, policy: WitnessPolicy, findings: Findings, size: int) -> dict[str, int]:
    """When known witnesses cosigned a note, by their names in the policy; one that does not count is a finding."""
    found = {}
    for name, verifier in policy.witnesses.items():
        try:
            when = note.cosigned(verifier)
        except Bad as error:
            findings.add("WITNESS_SIGNATURE", None, f"the note of {size} entries: {error.en}",
                f"{size} 个条目的签名文本：{error.zh}")
            continue
        if when is not None:
            found[name] = when
    return found


Epoch = tuple[int, list[Value]]  # index of the entry, [epoch, size, root, lost end, note, reason]


def place_of(checkpoint: Checkpoint, size: int, epochs: Sequence[Epoch]) -> str:
    """How a checkpoint can be held against a log (format 5.5): `held`, `ahead`, `lost` or `fork`."""
    epoch = checkpoint.epoch
    later = [begun for _, begun in epochs if begun[0] > epoch and begun[1] < checkpoint.size]
    if later:
        return "lost" if checkpoint.size <= later[0][3] else "fork"
    there = max((begun[0] for index, begun in epochs if index < checkpoint.size), default=0)
    if there != epoch:
        return "fork"
    return "ahead" if checkpoint.size > size else "held"


def brackets(notes: Sequence[Sufficient], size: int) -> list[tuple[int, int, int | None, int | None]]:
    """(start, stop, from, by): between which witnessed times the entries of each range came."""
    ordered = sorted((note for note in notes if note.size <= size), key=lambda note: note.size)
    bounds = sorted({0, size, *(note.size for note in ordered)})
    found = []
    for start, stop in zip(bounds, bounds[1:]):
        since = max((note.since for note in ordered if note.size <= start), default=None)
        by = min((note.by for note in ordered if note.size >= stop), default=None)
        found.append((start, stop, since, by))
    return found


def open_witnessed(data: bytes, key: Verifier, size: int, findings: Findings) -> tuple[Note, Checkpoint] | None:
    """A witnessed note of this size that counts, None (and a finding) for one that does not."""
    try:
        note, checkpoint = open_checkpoint(data, key)
        demand(not checkpoint.more, "it has further lines", "有附加行")
        demand(checkpoint.origin == origin_of(key.name, checkpoint.epoch), "it is of another log", "它属于另一账本")
        demand(checkpoint.size == size, f"it is of {checkpoint.size} entries", f"它是 {checkpoint.size} 个条目的")
    except Bad as error:
        findings.add("WITNESS_SIGNATURE", None, f"the witnessed note of {size} entries does not count: {error.en}",
            f"{size} 个条目的见证文本无效：{error.zh}")
        return None
    return note, checkpoint


def judge_witnessed(findings: Findings, policy: WitnessPolicy | None, held: list[tuple[Note, Checkpoint]],
        own: tuple[Note, Checkpoint] | None, size: int, headers: Callable[[int, int], Iterable[tuple[int, bytes]]],
        result: dict[str, Any], notes: Say) -> None:
    """Whether notes that are of this log, and its own checkpoint, are cosigned as the policy asks, and what that says
    of receipt times. `headers` gives those of a range, as far as they are there."""
    counts = result["counts"]
    counts["witnessed"] = len(held)
    if policy is None or policy.quorum == "none":
        return
    found = []
    for note, checkpoint in [*held, *([] if own is None else [own])]:
        cosigned = cosignatures(note, policy, findings, checkpoint.size)
        times_ = policy.times(cosigned)
        counts["cosignatures"] = counts.get("cosignatures", 0) + len(cosigned)
        if times_ is not None:
            found.append(
                Sufficient(checkpoint.size, times_[0], times_[1], [policy.witnesses[name].name for name in cosigned]))
    found.sort(key=lambda one: one.size)
    if not found:
        findings.add("WITNESS_QUORUM", None, "no checkpoint of this log is cosigned by enough witnesses",
            "没有检查点得到足够见证方联署")
    runs = brackets(found, size)
    early = sum(_check_times(findings, headers, *run) for run in runs)
    covered = found[-1].size if found else 0
    if found and covered < size:
        notes.add(
            f"{size - covered} entries behind the largest cosigned checkpoint, of {covered}, are not witnessed yet",
            f"最大的联署检查点（{covered}）之后的 {size - covered} 个条目尚未见证")
    if early:
        notes.add(
            f"{early} entries say they were received before witnesses signed a checkpoint without them: which may"
            " have been on its way", f"{early} 个条目声称的接收时间早于不含它们的联署检查点：该检查点可能尚在途中")
    result["witnesses"] = {
        "policy": {"names": [one.name for one in policy.witnesses.values()], "text": policy.words},
        "sufficient": bool(found),
        "notes": [{"size": one.size, "by": one.by, "from": one.since, "names": one.names} for one in found],
        "brackets": [{"start": run[0], "stop": run[1], "from": run[2], "by": run[3]} for run in runs],
        "covered": covered,
        "early": early,
    }


def _check_times(findings: Findings, headers: Callable[[int, int], Iterable[tuple[int, bytes]]], start: int,
        stop: int, since: int | None, by: int | None) -> int:
    """Receipt times of a range against what witnesses say; how many are early."""
    if since is None and by is None:
        return 0
    early, latest = 0, None if by is None else (by + LATE) * 1000
    for index, raw in headers(start, stop):
        when = int.from_bytes(raw[8:16], "big")
        early += since is not None and when < since * 1000
        if latest is not None and when > latest:
            seconds = (when - latest) // 1000 + LATE
            findings.add("WITNESS_TIME", index,
                f"it says it was received {seconds} s after witnesses had signed that it was there",
                f"它声称的接收时间比见证方签署其已存在晚 {seconds} 秒")
    return early


# ======================================================================================================================
# DISCLOSURES (format 4.1)
# ======================================================================================================================

PRIVATE_TAG = tag("TCH0 private")


class Disclosure:
    """The value of a private field, and all that leads from it to a checkpoint."""

    def __init__(self, data: bytes) -> None:
        try:
            text = data.decode("utf-8")
            demand(len(text) <= 1 << 19, "it is over 2^19 characters", "超过 2^19 个字符")
            found = json.loads(text, object_pairs_hook=once, parse_constant=no_constant)
        except (ValueError, RecursionError):
            raise Bad("it is no JSON", "不是 JSON") from None
        members = {"format", "name", "value", "salt", "header", "content", "content_salt", "proof"}
        demand(isinstance(found, dict) and set(found) == members and found["format"] == "tracechain disclosure v0",
            "it does not have the members of a disclosure", "成员不符合披露文件格式")
        demand(isinstance(found["name"], str) and isinstance(found["proof"], str), "name and proof are texts",
            "名称和证明应为文本")
        self.name: str = found["name"]
        value = found["value"]
        if isinstance(value, dict):
            demand(set(value) == {"base64"} and isinstance(value["base64"], str),
                "a byte string is written as base64", "字节串应写作 base64")
            value = base64_bytes(value["base64"], "the value", "值")
        demand(isinstance(value, (str, bytes)), "a value is a text or a byte string", "值应为文本或字节串")
        for text in (self.name, value):
            demand(isinstance(text, bytes) or not any("\ud800" <= one <= "\udfff" for one in text),
                "a text has half a character in it", "文本中有半个字符")
        self.value: Any = value
        self.salt = unhex(found["salt"], 32)
        self.header = unhex(found["header"], HEADER_SIZE)
        self.content = unhex(found["content"], None)
        self.content_salt = unhex(found["content_salt"], 32)
        self.proof = Proof(found["proof"].encode("utf-8", "surrogatepass"))

    @property
    def words(self) -> str:
        """The value as a text."""
        return self.value if isinstance(self.value, str) else "base64:" + b64(self.value)

    def check(self, index: int, note: bytes, log_key: Verifier | None) -> None:
        """It is of this entry, under this note, and stands."""
        demand(self.proof.index == index, f"it is of entry {self.proof.index}", f"它属于条目 {self.proof.index}")
        demand(self.proof.note == note, "it is under another checkpoint", "它依据另一检查点")
        if log_key is None:
            raise Bad("the log names no key under which it could stand", "账本没有可供核验的密钥")
        header = Header(self.header)
        _, checkpoint = open_checkpoint(self.proof.note, log_key)
        demand(root_by_inclusion(leaf_of(self.header), index, checkpoint.size, self.proof.path) == checkpoint.root,
            "its proof does not lead to the root", "证明不能导出树根")
        epoch = checkpoint.epoch
        demand(checkpoint.origin == origin_of(log_key.name, epoch), "its checkpoint is of another log",
            "其检查点属于另一账本")
        demand(header.kind == EVENT, "the entry is no event", "该条目不是事件")
        demand(committed(self.header, self.content_salt + self.content) is not None,
            "the content is not that of the entry", "内容不是该条目的内容")
        event = Event(self.content)
        read_name(self.name)
        if isinstance(self.value, str):
            read_text(self.value)
            check_text(self.value, white=True)
        else:
            demand(len(self.value) <= 16_384, "a value has at most 16,384 bytes", "值至多 16,384 字节")
        check_text(self.name)
        commitment = sha(PRIVATE_TAG, self.salt, encode([self.name, self.value]))
        demand([self.name, commitment] in (event.items[25] or []), "the entry does not commit to this value",
            "该条目没有承诺此值")


def unhex(value: Any, size: int | None) -> bytes:
    """Bytes of lower-case hexadecimal."""
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    demand(found.hex() == value and 0 < len(found) <= MAX_CONTENT and size in (None, len(found)),
        "a field is not lower-case hexadecimal of its length", "字段不是规定长度的小写十六进制")
    return found


# ======================================================================================================================
# A WHOLE LOG (format 15.3). First all names; then all headers, which give the tree; then the pass over the entries, in
# one process or in several; then what only the whole tells.
# ======================================================================================================================

TASK = 1 << 18


class Options:
    """What comes from outside the bundle."""

    def __init__(self) -> None:
        self.key: Verifier | None = None
        self.since: bytes | None = None
        self.policy: WitnessPolicy | None = None
        self.auditors: list[Verifier] = []
        self.demand: Any = None
        self.now: int | None = None
        self.processes = 1
        self.units: list[str] = []
        self.most = 1000


class Names:
    """What the names in a bundle tell (format 15.1, 15.3, 15.4)."""

    def __init__(self, container: Container, whole: bool, findings: Findings) -> None:
        self.container = container
        self.whole = whole
        self.findings = findings
        self.note: bytes | None = None
        self.checkpoint: Checkpoint | None = None
        self.missing = 0
        self.witnessed: list[int] = []
        self.seals: list[int] = []
        self.private: list[tuple[int, int]] = []
        self.consistency: list[int] = []
        self.entries: list[int] = []
        self.proofs: list[int] = []
        self._read_checkpoint()
        self._look()

    def _read_checkpoint(self) -> None:
        try:
            data = self.container.read("checkpoint", MAX_NOTE)
        except Bad as error:
            self.findings.bad("BUNDLE_FILE", None, error)
            data = None
        if data is None:
            self.findings.add("CHECKPOINT_MISSING", None, "there is no checkpoint: it says which log this is",
                "没有检查点：无从得知这是哪本账本")
            return
        self.note = data
        try:
            self.checkpoint = Checkpoint(Note(self.note).text)
        except Bad as error:
            self.findings.bad("CHECKPOINT_MALFORMED", None, error)

    def _look(self) -> None:
        size = None if self.checkpoint is None else self.checkpoint.size
        needed = 0 if size is None or not self.whole else -(-size // WIDTH)
        there = bytearray((min(needed, 1 << 26) + 7) // 8)
        count = 0
        for name, length in self.container.names():
            self.container.files += 1
            self.container.bytes += length
            said = parse_name(name, self.whole)
            if said is None:
                self.findings.add("BUNDLE_SURPLUS", None, f"{name!r:.200} is no file of such a bundle",
                    f"{name!r:.200} 不是此类数据包中的文件")
            elif said.width and said.kind != "private":
                if size is not None and not self._is_due(said, size):
                    self.findings.add("BUNDLE_SURPLUS", said.start, f"{name} is no file of a log of this size",
                        f"{name} 不是此大小的账本应有的文件")
                elif said.kind == "entries":
                    count += 1
                    if said.number < 8 * len(there):
                        there[said.number >> 3] |= 1 << (said.number & 7)
            elif said.kind == "private":
                if size is not None and said.number >= size:
                    self.findings.add("BUNDLE_SURPLUS", said.number, f"{name} is of an entry that there is not",
                        f"{name} 所属的条目不存在")
                else:
                    self.private.append((said.number, said.width))
            else:
                self._note(name, said)
        if size is not None and self.whole and count < needed:
            self.missing = needed - count
            told = 0
            for number in range(needed):
                if told >= min(self.missing, self.findings.most):
                    break
                if number >= 8 * len(there) or not there[number >> 3] & 1 << (number & 7):
                    told += 1
                    self.findings.add("ENTRY_MISSING", number * WIDTH,
                        f"the file of the headers of entries {number * WIDTH} and on is not there",
                        f"条目 {number * WIDTH} 起的条目头文件不在")
            self.findings.by_code["ENTRY_MISSING"] += self.missing - told
        for found in (self.witnessed, self.seals, self.consistency, self.entries, self.proofs):
            found.sort()
        self.private.sort()

    def _is_due(self, said: Name, size: int) -> bool:
        """Whether a log of this size has such a tile or file of entries."""
        return said.width == min(WIDTH, (size >> 8 * said.level) - said.number * WIDTH)

    def _note(self, name: str, said: Name) -> None:
        size = None if self.checkpoint is None else self.checkpoint.size
        if said.kind == "consistency" and size is not None and said.number > size:
            self.findings.add("BUNDLE_SURPLUS", None, f"{name} lies behind the log", f"{name} 超出账本")
        elif said.kind in ("witnessed", "seals", "consistency"):
            {"witnessed": self.witnessed, "seals": self.seals,
                "consistency": self.consistency}[said.kind].append(said.number)
            if self.whole:
                try:
                    self.container.read(name, said.cap)
                except Bad as error:
                    self.findings.bad("BUNDLE_FILE", None, error)
        elif said.kind in ("entry", "proof"):
            if size is not None and said.number >= size:
                self.findings.add("BUNDLE_SURPLUS", said.number, f"{name} lies behind the log", f"{name} 超出账本")
            else:
                (self.entries if said.kind == "entry" else self.proofs).append(said.number)

    def read(self, name: str, cap: int) -> bytes | None:
        """A note beside the log, None where it cannot be read; of a whole, that was said when its name was met."""
        try:
            return self.container.read(name, cap)
        except Bad as error:
            if not self.whole:
                self.findings.bad("BUNDLE_FILE", None, error)
            return None


# ---- the headers -------------------------------------------------------------------------------


class Survey:
    """What the headers of a range of files give."""

    def __init__(self) -> None:
        self.tops = bytearray()
        self.holes: list[int] = []
        self.keys: dict[bytes, tuple[int, bytes]] = {}
        self.seals: list[tuple[int, int]] = []
        self.rows = 0
        self.first = 0


def survey(log: Log, start: int, stop: int, leaves: Any, findings: Findings, tick: Callable[[int], None]) -> Survey:
    """Read the headers of files `start` to `stop` - 1: leaves go to a file, tiles of level 0 are held against them."""
    found = Survey()
    for number in range(start, stop):
        width = log.width(number)
        headers = log.headers_of(number, findings)
        hashes = [ZERO] * width
        if headers is None:
            found.holes.append(number)
        else:
            hashes = [sha256(b"\0" + raw).digest() for raw in headers]
            found.rows += sum([int.from_bytes(raw[40:44], "big") for raw in headers])
            found.first += sum([int.from_bytes(raw[52:56], "big") for raw in headers])
            kinds = {raw[4] for raw in headers}
            if RECORD in kinds or AUTHORISED in kinds:
                _survey_records(log, number, headers, found)
        joined = b"".join(hashes)
        leaves.write(joined)
        check_tile(log, 0, number, None if headers is None else joined, findings)
        if width == WIDTH:
            found.tops += root_of(hashes)
        tick(width)
    return found


def _survey_records(log: Log, number: int, headers: list[bytes], found: Survey) -> None:
    """Note keys and seals: what has to be known before the pass begins."""
    parts = log.parts_of("contents", number)
    for place, (raw, part) in enumerate(zip(headers, parts)):
        if raw[4] not in (RECORD, AUTHORISED) or part is None:
            continue
        if raw[4] == RECORD and part[32:38] != b"\x94\xa4seal":
            continue
        content = committed(raw, part)
        if content is None:
            continue
        try:
            if raw[4] == AUTHORISED:
                key = KeyAuthorised(content).key
                found.keys.setdefault(key.hash, (number * WIDTH + place, key.raw))
            else:
                found.seals.append((number * WIDTH + place, read_seal(RecordEntry(content))[0]))
        except Bad:
            continue


def check_tile(log: Log, level: int, number: int, hashes: bytes | None, findings: Findings) -> None:
    """A tile is what the headers give; `hashes` is None where a header under it is not there."""
    width = min(WIDTH, (log.size >> 8 * level) - number * WIDTH)
    name = f"tile/{level}/{path_of(number, width)}"
    start = number << 8 * (level + 1)
    stored = None
    try:
        stored = log.container.read(name, CAP_TILE["tile"])
        demand(stored is None or len(stored) == 32 * width, f"{name} does not have {width} hashes",
            f"{name} 不是 {width} 个哈希")
    except Bad as error:
        findings.bad("BUNDLE_FILE", start, error)
        stored = None
    if hashes is not None and stored != hashes:
        findings.add("BUNDLE_TILE", start, f"{name} is not there, or is not what the headers give",
            f"{name} 不在，或与条目头不符")


def check_upper_tiles(log: Log, tree: Tree, holes: Sequence[int], findings: Findings) -> None:
    """The tiles of the levels over the first."""
    level = 1
    while log.size >> 8 * level:
        hashes = log.size >> 8 * level
        for number in range(-(-hashes // WIDTH)):
            width = min(WIDTH, hashes - number * WIDTH)
            first = number << 8 * (level + 1)
            stop = first + (width << 8 * level)
            hole = any(first <= one * WIDTH < stop for one in holes)
            joined = b"".join([tree.node(8 * level, number * WIDTH + place) for place in range(width)])
            check_tile(log, level, number, None if hole else joined, findings)
        level += 1


# ---- work in several processes -----------------------------------------------------------------

_logs: dict[tuple[str, int], Log] = {}


def log_at(path: str, size: int, leaves: str) -> Log:
    """The log in a bundle, once a process."""
    log = _logs.get((path, size))
    if log is None:
        log = _logs[path, size] = Log(Container(path), size)
    if leaves and not log.leaves:
        log.leaves = open_scattered(leaves)
    return log


class Scattered:
    """A file of our own of which slices are read, anywhere in it. Mapped, all of it would be memory in the end."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)

    def __getitem__(self, where: slice) -> bytes:
        return os.pread(self._file, where.stop - where.start, where.start)

    def close(self) -> None:
        """Close it, if that was not done."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def open_scattered(path: str) -> Any:
    """A file of our own as something that slices are taken of; mapped where a system cannot read at a place."""
    if not os.path.getsize(path):
        return b""
    if hasattr(os, "pread"):
        return Scattered(path)
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def work_survey(job: tuple[str, int, int, int, str, int]) -> tuple[Survey, list[Finding], dict[str, int]]:
    """`survey` in a process of its own; leaves go to their place in the common file."""
    path, size, start, stop, leaves, most = job
    findings = Findings(most)
    with open(leaves, "r+b") as file:
        file.seek(32 * WIDTH * start)
        found = survey(log_at(path, size, ""), start, stop, file, findings, _no_tick)
    return found, findings.listed(), findings.by_code


def work_pass(job: tuple[Any, ...]) -> tuple[Passed, list[Finding], dict[str, int]]:
    """`Pass` in a process of its own; rows go to files, by parts of subjects."""
    path, size, leaves, start, stop, context, folder, name, parts, seed, most = job
    findings = Findings(most)
    chains = Spill(folder, name, parts, seed)
    found = Pass(log_at(path, size, leaves), start, stop, Context(*context), chains, findings, []).run(_no_tick)
    chains.end()
    return found, findings.listed(), findings.by_code


class Part:
    """What the chains of a part of the subjects come to."""

    def __init__(self, chains: Chains, findings: Findings, wanted: Iterable[str]) -> None:
        self.units = len(chains.last)
        self.believed = chains.believed
        self.findings = findings.listed()
        self.by_code = findings.by_code
        subjects = {one[4] for one in self.findings} | set(wanted)
        self.stands = {subject: chains.last[subject] for subject in subjects if subject is not None
            and subject in chains.last}


def work_part(job: tuple[str, int, list[str], Ranges, list[int], list[str], int]) -> Part:
    """`Chains` of one part in a process of its own. What changed up to each seal goes to a file, by id."""
    folder, part, names, bare, cuts, wanted, most = job
    findings = Findings(most)
    chains = Chains(findings, bare, cuts)
    unspill(folder, part, names, chains, _no_tick)
    write_changes(os.path.join(folder, f"changes-{part}"), chains)
    return Part(chains, findings, wanted)


def write_changes(path: str, chains: Chains) -> None:
    """Keep what changed up to each seal, in the order of ids."""
    chains.changes.sort()
    with open(path, "wb") as file:
        for at in range(0, len(chains.changes), 4096):
            marshal.dump(chains.changes[at : at + 4096], file)
    chains.changes = []


def read_changes(path: str) -> Iterator[tuple[str, int, int]]:
    """What `write_changes` kept."""
    with open(path, "rb") as file:
        while True:
            try:
                yield from marshal.load(file)
            except EOFError:
                return


def _no_tick(count: int) -> None:
    """Progress that nobody sees."""


class Workers:
    """Runs jobs one after the other, or in several processes; the answers come in order."""

    def __init__(self, processes: int) -> None:
        self.pool: Any = None
        if processes > 1:
            import multiprocessing

            # Nor do the other processes import what lies in the current folder (Python 3.11 and later).
            os.environ["PYTHONSAFEPATH"] = "1"
            self.pool = multiprocessing.get_context("spawn").Pool(processes)

    def run(self, work: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Any]:
        """The answers to the jobs."""
        return map(work, jobs) if self.pool is None else self.pool.imap(work, jobs)

    def close(self) -> None:
        """End the processes."""
        if self.pool is not None:
            self.pool.terminate()
            self.pool.join()


# ---- the whole ---------------------------------------------------------------------------------


class Verification(ABC):
    """What the verification of a whole log and that of an excerpt have in common."""

    size: int

    def __init__(self, container: Container, options: Options, findings: Findings, result: dict[str, Any],
            progress: Any) -> None:
        self.container = container
        self.options = options
        self.findings = findings
        self.result = result
        self.progress = progress
        self.notes = Say()
        self.unchecked = Say()
        #: Units that were asked for, and are shown neither with a whole history nor as absent.
        self.unshown: list[str] = []
        self.counts: dict[str, int] = result["counts"]
        self.log_key = options.key
        self.genesis: GenesisRecord | None = None
        self.ledger_id = b""
        self.keys: dict[bytes, tuple[int, KeyAuthorised]] = {}
        self.key_ids: dict[bytes, int] = {}
        self.revoked: dict[bytes, tuple[int, KeyRevoked]] = {}

    def _open(self, whole: bool) -> None:
        """Look at the names and at the checkpoint."""
        self.names = Names(self.container, whole, self.findings)
        self.result["notes"], self.result["not_checked"] = self.notes.items, self.unchecked.items
        self.counts["files"] = self.container.files
        fill_checkpoint(self.result, self.names.note, self.options)

    # ---- what the two know in their own ways ----------------------------------------------------

    @abstractmethod
    def _header(self, index: int) -> bytes | None:
        """The header of an entry, if it is there."""

    @abstractmethod
    def _headers_of(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Those of a range that are there."""

    @abstractmethod
    def _place_since(self, old: Checkpoint) -> str:
        """How the older checkpoint stands to the log: `held`, `ahead`, `fork`, or what was said of it otherwise."""

    @abstractmethod
    def _place_witnessed(self, seen: Checkpoint) -> str:
        """The same of a checkpoint that witnesses saw."""

    # ---- the log and its keys ------------------------------------------------------------------

    def _begin(self, raw: bytes, content: bytes) -> None:
        """Entry 0 (format 5.2)."""
        try:
            self.genesis = GenesisRecord(content)
        except Bad as error:
            self.findings.bad("GENESIS", 0, error)
            return
        if raw[4] != GENESIS or self.genesis.created != received(raw):
            self.findings.add("GENESIS", 0, "entry 0 is not a genesis record of its own receipt time",
                "条目 0 不是与其接收时间一致的创世记录")
        self.ledger_id = leaf_of(raw)

    def _name_key(self, genesis: GenesisRecord) -> None:
        """Hold the log's key by its own word against the one that was given; without one, take it."""
        named = Verifier(genesis.origin, LOG_TYPE, genesis.log_key)
        if self.log_key is None:
            self.log_key = named
        elif self.log_key.text != named.text:
            self.findings.add("GENESIS", 0, f"the log names another key or origin than {self.log_key.name}",
                f"账本所写的密钥或来源与 {self.log_key.name} 不同")

    def _take_key(self, index: int, record: KeyAuthorised | KeyRevoked, genesis: GenesisRecord) -> None:
        """A record that lets a key in or out (format 5.3, 5.4); Bad where it does not count."""
        record.check(self.ledger_id, genesis)
        key_hash = record.key.hash if isinstance(record, KeyAuthorised) else record.hash
        if isinstance(record, KeyAuthorised) and key_hash[:8] in self.key_ids:
            self.findings.add("KEY_RECORD", index,
                f"a key with this id was authorised in entry {self.key_ids[key_hash[:8]]}",
                f"同一标识的密钥已在条目 {self.key_ids[key_hash[:8]]} 授权")
        if key_hash in self.revoked:
            self.findings.add("KEY_RECORD", index, "the key was revoked before", "该密钥此前已吊销")
        if isinstance(record, KeyAuthorised):
            self.key_ids.setdefault(key_hash[:8], index)
            self.keys.setdefault(key_hash, (index, record))
        else:
            self.revoked.setdefault(key_hash, (index, record))

    def _author_at(self, index: int, author: bytes) -> KeyAuthorised | None:
        """The key of a statement's author, if it was authorised by then."""
        known = self.keys.get(author)
        if known is not None and known[0] < index:
            return known[1]
        name = author.hex()[:16]
        self.findings.add("AUTHOR_UNKNOWN", index, f"author key {name} is not authorised here",
            f"作者密钥 {name} 此时未获授权")
        return None

    def _check_scope(self, index: int, known: KeyAuthorised, kinds: AbstractSet[str]) -> None:
        """What a statement covers, against the scope of its author's key."""
        if known.scope is not None and not kinds <= set(known.scope):
            beyond = ", ".join(sorted(kinds - set(known.scope)))
            self.findings.add("AUTHOR_SCOPE", index, f"the author's key is not authorised for {beyond}",
                f"作者密钥无权书写 {beyond}")

    def _check_revoked(self, index: int, author: bytes) -> None:
        revoked = self.revoked.get(author)
        if revoked is not None and revoked[0] < index:
            self.findings.add("AUTHOR_REVOKED", index, f"the author's key was revoked in entry {revoked[0]}",
                f"作者密钥已在条目 {revoked[0]} 吊销")

    # ---- what lies beside the log --------------------------------------------------------------

    def _check_since(self) -> None:
        """The older checkpoint that the verifier kept: the log extends it, or it is of what was lost (format 5.5)."""
        if self.options.since is None:
            return
        try:
            _, old = open_checkpoint(self.options.since, self.log_key)
            if self.log_key is not None:
                demand(old.origin == origin_of(self.log_key.name, old.epoch), "it is of another log",
                    "它属于另一账本")
        except Bad as error:
            raise Misused(f"the older checkpoint cannot be used: {error.en}",
                f"无法使用旧检查点：{error.zh}") from None
        place = self._place_since(old)
        stands = {"held": True, "ahead": False, "fork": False}.get(place)
        self.result["since"] = {"size": old.size, "root": b64(old.root), "stands": stands}
        if place == "ahead":
            self.findings.add("ROLLBACK", None,
                f"{self.size} entries, but the older note signs {old.size}: the log was rolled back",
                f"现有 {self.size} 个条目，而旧检查点签了 {old.size} 个：账本被回滚")
        elif place == "fork":
            self.findings.add("FORK", None,
                f"its first {old.size} entries are not those that were signed in the older note",
                f"前 {old.size} 个条目与旧检查点所签的不同")

    def _check_witnessed(self, own: Checkpoint | None) -> None:
        """Format 10.1; `own` is the checkpoint of the bundle, where it counts."""
        held: list[tuple[Note, Checkpoint]] = []
        for size in self.names.witnessed:
            data = self.names.read(f"witnessed/{size}", MAX_NOTE)
            opened = None if data is None or self.log_key is None else open_witnessed(data, self.log_key, size,
                self.findings)
            if opened is None:
                continue
            place = self._place_witnessed(opened[1])
            if place == "ahead":
                self.findings.add("ROLLBACK", None,
                    f"{self.size} entries, but witnesses saw {size} that the log signed: it was rolled back",
                    f"现有 {self.size} 个条目，而见证方见过签名的 {size} 个：账本被回滚")
            elif place == "fork":
                self.findings.add("FORK", None,
                    f"the first {size} entries are not those that the log signed and witnesses saw",
                    f"前 {size} 个条目不是账本签过、见证方见过的那些")
            elif place == "held":
                held.append(opened)
        signed = None if own is None else (Note(self.names.note or b""), own)
        judge_witnessed(self.findings, self.options.policy, held, signed, self.size, self._headers_of, self.result,
            self.notes)

    def _check_disclosures(self, lacking: Callable[[int], bool]) -> None:
        """Disclosures; `lacking` tells of an entry whether it is not here."""
        good = 0
        for index, number in self.names.private:
            file = f"private/{index}-{number}.json"
            stood = check_disclosure(self.container, file, index, self.names.note or b"", self.log_key, self.findings,
                self.result)
            if stood and lacking(index):
                self.findings.add("DISCLOSURE", index, f"{file}: its entry is not here", f"{file}：其条目不在")
                self.result["disclosures"][-1]["stands"] = stood = False
            good += stood
        if self.names.private:
            self.counts["disclosures"] = good

    # ---- the result ----------------------------------------------------------------------------

    def _tell_rules(self, unknown: int, pilot: bool) -> None:
        """Which rules were not judged."""
        if unknown:
            self.unchecked.add(
                f"{unknown} entries follow rules that this script does not know: their states were not checked",
                f"{unknown} 个条目遵循本脚本不认识的规则：其状态未检查")
        if pilot:
            self.unchecked.add(
                "rules that depend on registers, buyers, documents and dates were not judged again: a replay"
                " does that", "依赖登记册、购买者、单证和日期的规则未重新判定：由重放完成")

    def _tell_ledger(self, first: int | None, last: int | None, statements: dict[bytes, list[int]]) -> None:
        """The log and its keys; `statements` has how many there are of an author, and of how many entries."""
        assert self.genesis is not None
        self.result["ledger"] = {
            "id": self.ledger_id.hex(), "origin": self.genesis.origin, "created": self.genesis.created,
            "first": first, "last": last,
        }  # fmt: skip
        self.result["keys"] = key_history(self.genesis, self.keys, self.revoked, statements, self._header)

    def _tell_seal(self, index: int, body: list[Value], worked_out: bool | None,
            auditors: list[dict[str, Any]]) -> None:
        size, _, ids, map_root = body
        self.result["seals"].append({
            "index": index, "received": received(self._header(index)), "size": size, "ids": ids,
            "map_root": b64(map_root), "worked_out": worked_out, "auditors": auditors,
        })  # fmt: skip

    def _labels(self) -> dict[bytes, str]:
        """How authors are called, by the ids of their keys."""
        return {key_hash[:8]: one.label for key_hash, (_, one) in self.keys.items()}

    def _codes(self, *subjects: str | None) -> dict[int, list[str]]:
        """The codes of findings about these, by entry."""
        codes: dict[int, list[str]] = {}
        for code, at, _, _, who in self.findings.listed():
            if at is not None and who in subjects:
                codes.setdefault(at, []).append(code)
        return codes


class Whole(Verification):
    """The verification of a whole bundle; `run` fills `result`."""

    def __init__(self, container: Container, options: Options, findings: Findings, result: dict[str, Any],
            progress: Any, folder: str) -> None:
        super().__init__(container, options, findings, result, progress)
        self.folder = folder
        self.epochs: list[Epoch] = []
        self.statements: dict[bytes, list[int]] = {}
        self.stands: dict[str, int] = {}
        # of the pass
        self.passed: list[Passed] = []
        self.lost_contents: Ranges = []
        self.lost_rows: Ranges = []
        self.bare: Ranges = []
        self.believed: list[tuple[int, int]] = []
        self.units = 0

    def run(self) -> None:
        """Verify."""
        self._open(True)
        names = self.names
        if names.checkpoint is None or names.missing:
            self.unchecked.add(
                "nothing else was looked at: without a checkpoint and all headers there is nothing to hold a log"
                " against",
                "未检查其他内容：没有检查点和全部条目头，就没有可供核对的依据",
            )
            return
        self.size = names.checkpoint.size
        self.log = Log(self.container, self.size)
        workers = Workers(self.options.processes)
        try:
            self._survey(workers)
            self._genesis()
            self._entries(workers)
        finally:
            workers.close()
        self._conclude()

    def close(self) -> None:
        """Let go of the file of leaves, so that it can be removed."""
        logs = [*_logs.values(), *([self.log] if hasattr(self, "log") else [])]
        for log in _logs.values():
            log.container.close()
        _logs.clear()
        for log in logs:
            log.tree = None
            if isinstance(log.leaves, (Scattered, mmap.mmap)):
                log.leaves.close()

    # ---- reading -------------------------------------------------------------------------------

    def _counter(self) -> Callable[[int], None]:
        """Takes how much more of a phase is done."""
        done = 0

        def tick(count: int) -> None:
            nonlocal done
            done += count
            self.progress.to(done)

        return tick

    def _survey(self, workers: Workers) -> None:
        files = -(-self.size // WIDTH)
        self.leaves_path = os.path.join(self.folder, "leaves")
        self.progress.phase("headers and tree", "条目头与树", self.size)
        found: list[Survey] = []
        if workers.pool is None:
            with open(self.leaves_path, "wb") as file:
                found.append(survey(self.log, 0, files, file, self.findings, self._counter()))
        else:
            with open(self.leaves_path, "wb") as file:
                file.truncate(32 * self.size)
            step_ = max(1, min(TASK // WIDTH, -(-files // (4 * self.options.processes))))
            jobs = [(self.container.path, self.size, at, min(at + step_, files), self.leaves_path, self.options.most)
                for at in range(0, files, step_)]
            for job, (one, items, by_code) in zip(jobs, workers.run(work_survey, jobs)):
                found.append(one)
                self.findings.extend(items, by_code)
                self.progress.to(min(job[3] * WIDTH, self.size))
        self.log.leaves = open_scattered(self.leaves_path)
        self.log.tree = self.tree = Tree(self.log.leaves, self.size, b"".join([bytes(one.tops) for one in found]))
        self.holes = [number for one in found for number in one.holes]
        check_upper_tiles(self.log, self.tree, self.holes, self.findings)
        self.known_keys: dict[bytes, tuple[int, bytes]] = {}
        for one in found:
            for key_hash, known in one.keys.items():
                self.known_keys.setdefault(key_hash, known)
        self.row_count = sum(one.rows for one in found)
        self.first_count = sum(one.first for one in found)
        self.seal_sizes = sorted({size for one in found for index, size in one.seals if size <= index})
        self.counts["tiles"] = sum(-(-(self.size >> 8 * level) // WIDTH) for level in range(5)
            if self.size >> 8 * level)

    def _genesis(self) -> None:
        raw, part = self.log.header(0), self.log.part(0)
        if raw is None or part is None:
            self.findings.add("GENESIS", 0, "the genesis record is missing", "缺少创世记录")
            return
        self._begin(raw, part[32:])

    def _tasks(self, step_: int) -> list[tuple[int, int]]:
        """Ranges that do not cut a statement from its entries."""
        tasks, start = [], 0
        while start < self.size:
            end = min(start + step_, self.size)
            while end < self.size and not self._may_begin(end):
                end += 1
            tasks.append((start, end))
            start = end
        return tasks

    def _may_begin(self, index: int) -> bool:
        try:
            return Header(self.log.header(index) or b"").kind not in COVERED
        except Bad:
            return False

    def _entries(self, workers: Workers) -> None:
        parts = max(1, -(-min(self.first_count, self.row_count) // PART_SUBJECTS))
        if self.seal_sizes:
            parts = max(parts, -(-self.row_count // PART_ROWS))
        parts = min(parts, 256)
        context = self.ledger_id, None if self.genesis is None else self.genesis.jump_limit, self.known_keys
        self.said_path = os.path.join(self.folder, "said")
        self.progress.phase("entries", "条目", self.size)
        self.changes: list[str] = []
        if workers.pool is None and parts == 1:
            self._entries_here(context)
        else:
            self._entries_apart(workers, context, max(parts, min(self.options.processes, 2)))
        self.kind_sets = [list(one.kind_sets) for one in self.passed]

    def _keep(self, passed: Passed, said: Any) -> None:
        """Take over what a pass left; statements go to a file."""
        said.write(struct.pack(">QI", len(passed.said), len(self.passed)) + passed.said)
        passed.said = bytearray()
        self.passed.append(passed)
        self.lost_contents += passed.lost_contents
        self.lost_rows += passed.lost_rows

    def _entries_here(self, context: tuple[Any, ...]) -> None:
        """In this process, all subjects at once."""
        chains = Chains(self.findings, self.bare, self.seal_sizes)
        tick = self._counter()
        with open(self.said_path, "wb") as said:
            for start, stop in self._tasks(TASK):
                self._keep(
                    Pass(self.log, start, stop, Context(*context), chains, self.findings, self.bare).run(tick),
                    said)
        chains.end()
        self._take_part(
            Part(chains, Findings(0), [*self.options.units, *(one[4] for one in self.findings.listed() if one[4])]),
            False)
        self.changes = [os.path.join(self.folder, "changes-0")]
        write_changes(self.changes[0], chains)

    def _entries_apart(self, workers: Workers, context: tuple[Any, ...], parts: int) -> None:
        """Rows by parts of subjects to files, then part by part."""
        step_ = TASK if workers.pool is None else max(4096, min(TASK, -(-self.size // (4 * self.options.processes))))
        tasks = self._tasks(step_)
        names = [f"{number:06}" for number in range(len(tasks))]
        seed, most = os.urandom(16), self.options.most
        jobs = [
            (self.container.path, self.size, self.leaves_path, start, stop, context, self.folder, name, parts, seed,
                most)
            for (start, stop), name in zip(tasks, names)
        ]
        with open(self.said_path, "wb") as said:
            for (_, stop), (passed, items, by_code) in zip(tasks, workers.run(work_pass, jobs)):
                self.findings.extend(items, by_code)
                self.bare += passed.bare
                self._keep(passed, said)
                self.progress.to(stop)
        self.progress.phase("chains of subjects", "各对象的链", parts)
        chain_jobs = [(self.folder, part, names, self.bare, self.seal_sizes, self.options.units, most)
            for part in range(parts)]
        for number, part in enumerate(workers.run(work_part, chain_jobs), 1):
            self._take_part(part, True)
            self.progress.to(number)
        self.changes = [os.path.join(self.folder, f"changes-{part}") for part in range(parts)]

    def _take_part(self, part: Part, apart: bool) -> None:
        self.units += part.units
        pairs = iter(part.believed)
        self.believed += zip(pairs, pairs)
        self.stands.update(part.stands)
        if apart:
            self.findings.extend(part.findings, part.by_code)

    # ---- what only the whole tells -------------------------------------------------------------

    def _conclude(self) -> None:
        findings, passed = self.findings, self.passed
        self.believed.sort()
        self._check_uncovered()
        self._check_rule_sets()
        records = [one for part in passed for one in part.records]
        #: What `check_policies` and `judge_prunings` ask of this object.
        self.records = records
        self.policies_named = [one for part in passed for one in part.policies_named]
        gathered: Any = self
        check_policies(self.log, gathered, findings)
        own = [(index, RecordEntry(content)) for part in passed for index, kind, content in part.own
            if kind == RECORD]
        self.seals = [(index, record) for index, record in own if record.kind == "seal"]
        origin: str | None = None
        if self.genesis is not None:
            origin = origin_of(self.genesis.origin, self._own_entries())
            self._check_authors()
            self._check_unsigned()
            self._name_key(self.genesis)
        self._check_since()
        stands = check_checkpoint(findings, self.names.note or b"", self.log_key, origin, self.tree.root(self.size))
        fill_key(self.result, self.options, self.log_key, self.names.note)
        self._check_witnessed(stands)
        self._check_prunings()
        self._check_seals()
        self._check_disclosures(lambda index: False)
        self._fill()

    def _statements(self) -> Iterator[tuple[int, int, int, frozenset[str], bytes, bytes, bytes]]:
        """All statements: index, first number, count, kinds under it, author, statement before, hash."""
        with open(self.said_path, "rb") as file:
            while True:
                head = file.read(12)
                if not head:
                    return
                length, number = struct.unpack(">QI", head)
                kinds = self.kind_sets[number]
                for _ in range(length // SAID.size):
                    index, first, count, kind, author, previous, own = SAID.unpack(file.read(SAID.size))
                    yield index, first, count, kinds[kind], author, previous, own

    def _check_uncovered(self) -> None:
        uncovered = [one for part in self.passed for one in part.uncovered]
        if not uncovered:
            return
        wanted = {author for _, author, _ in uncovered}
        covers: dict[bytes, list[tuple[int, int, int]]] = {}
        for index, first, count, _, author, _, _ in self._statements():
            if author[:8] in wanted:
                covers.setdefault(author[:8], []).append((first, first + count, index))
        for own in covers.values():
            own.sort()
        for index, author, number in uncovered:
            own = covers.get(author, [])
            before = own[: bisect_right(own, (number, 1 << 64, 0))][-1:]
            if any(number < end and at < index for _, end, at in before):
                self.findings.add("ENTRY_DUPLICATED", index,
                    "no statement covers it here, and one before covers its number already",
                    "此处没有陈述覆盖它，而之前的陈述已覆盖其编号")
            else:
                self.findings.add("EVENT_UNCOVERED", index, "no author's statement covers it: it was slipped in",
                    "没有作者的陈述覆盖它：是被塞入的")

    def _check_rule_sets(self) -> None:
        """Rule sets do not decrease, and after a profile nothing follows rule set 1 (format 7)."""
        last = 0
        for part in self.passed:
            if part.first_rules is not None:
                index, first = part.first_rules
                check_rule_set(index, first, last, self.findings)
                last = part.last_rules
        profile = next((part.profile for part in self.passed if part.profile is not None), None)
        plain = max((part.last_plain for part in self.passed), default=-1)
        if profile is not None and plain > profile[1]:
            self.findings.add("ROWS_MALFORMED", plain,
                f"its rows follow rule set 1, and the profile of entry {profile[0]} is in force",
                f"其单元记录按规则版本 1 书写，而条目 {profile[0]} 的参数已生效")

    def _own_entries(self) -> int:
        """Keys, epochs, evidence and settlements; the epoch of the log."""
        genesis, findings = self.genesis, self.findings
        assert genesis is not None
        self.settled: dict[int, int] = {}
        self.gaps: dict[bytes, list[tuple[int, int]]] = {}
        self.accused: set[bytes] = set()
        self.evidence = self.clocks = 0
        epoch = 0
        codes = {AUTHORISED: "KEY_RECORD", REVOKED: "KEY_RECORD", EPOCH_ENTRY: "EPOCH_RECORD",
            EVIDENCE: "EVIDENCE_RECORD", RECORD: "SETTLEMENT"}
        for index, kind, content in (own for part in self.passed for own in part.own):
            try:
                if kind == GENESIS and index:
                    findings.add("GENESIS", index, "a genesis record stands only at entry 0", "创世记录只能是条目 0")
                elif kind in (AUTHORISED, REVOKED):
                    self._take_key(index, (KeyAuthorised if kind == AUTHORISED else KeyRevoked)(content), genesis)
                elif kind == EPOCH_ENTRY:
                    begun = read_epoch(content)
                    epoch = self._epoch(index, begun, epoch, genesis)
                    self.epochs.append((index, begun))
                elif kind == EVIDENCE:
                    self._evidence(index, content)
                elif kind == RECORD:
                    record = RecordEntry(content)
                    if record.kind != "seal":
                        self._settlement(index, record, genesis)
                elif kind == CLOCK:
                    self.clocks += 1
            except Bad as error:
                findings.bad(codes.get(kind, "CONTENT_MALFORMED"), index, error)
        for index, begun in self.epochs:
            if index not in self.settled:
                findings.add("EPOCH_LOST", index,
                    f"epoch {begun[0]}: entries {begun[1]} to {begun[3] - 1} of the epoch before are lost, until"
                    " they were submitted again and that is settled",
                    f"纪元 {begun[0]}：前一纪元的条目 {begun[1]} 至 {begun[3] - 1} 已丢失，直到重新提交并结清")
        return epoch

    def _epoch(self, index: int, begun: list[Value], epoch: int, genesis: GenesisRecord) -> int:
        """Format 5.5."""
        number, size, root, lost_end, note, _ = begun
        _, last = open_checkpoint(note, Verifier(genesis.origin, LOG_TYPE, genesis.log_key))
        for wrong, en, zh in (
            (last.origin != origin_of(genesis.origin, last.epoch), "its note is not of this log",
                "其签名文本不属于本账本"),
            (size != index, f"it says {size} entries were before it, {index} were",
                f"它称之前有 {size} 个条目，实有 {index} 个"),
            (size == index and root != self.tree.root(index), "its root is not that of the entries before it",
                "其根与之前的条目不符"),
            (number != 1 + last.epoch, "its number does not follow that of the note it holds",
                "其编号与所持签名文本不相接"),
            (number <= epoch, f"epoch {number} after epoch {epoch}", f"纪元 {number} 出现在纪元 {epoch} 之后"),
            (last.size != lost_end, "the end of the lost range is not the size in the note it holds",
                "丢失范围的末端与签名文本中的大小不符"),
            (lost_end < size, "the lost range ends before it begins", "丢失范围的末端早于起点"),
            (lost_end == size and root != last.root, "its root is not that of the note it holds",
                "其根与所持签名文本不符"),
        ):
            if wrong:
                self.findings.add("EPOCH_RECORD", index, en, zh)
        return max(epoch, int(number))

    def _settlement(self, index: int, record: RecordEntry, genesis: GenesisRecord) -> None:
        """Format 5.6."""
        about = check_settled(record, self.ledger_id, genesis)
        if record.kind == "epoch-settled":
            number, leaf, reason = about
            own = [at for at, begun in self.epochs if begun[0] == number]
            at = next((one for one in own if self.log.leaf(one) == leaf), None)
            if at is None:
                raise Bad(f"it settles a loss of epoch {number} that is not in this log",
                    f"它结清的纪元 {number} 的丢失不在本账本中")
            self.settled.setdefault(at, index)
            self.notes.add(f"the loss of epoch {number} is settled: {reason}",
                f"纪元 {number} 的丢失已结清：{reason}")
        else:
            author, start, stop, reason = about
            self.gaps.setdefault(author, []).append((start, stop))
            self.notes.add(f"numbers {start} to {stop - 1} of author {author.hex()[:16]} are given up: {reason}",
                f"作者 {author.hex()[:16]} 的编号 {start} 至 {stop - 1} 已放弃：{reason}")

    def _evidence(self, index: int, content: bytes) -> None:
        """Format 6.3: a signed statement that contradicts one in the log."""
        value = array_of(content, 3, "evidence", "证据")
        other = statement_in(value)
        demand(other.ledger_id == self.ledger_id, "the evidence was signed for another ledger",
            "证据是为另一账本签的")
        demand(other.hash not in self.accused, "the evidence is in the log already", "该证据已在账本中")
        self.accused.add(other.hash)
        known = self.keys.get(other.author)
        if known is None:
            raise Bad("the evidence is of an unknown author", "证据的作者未知")
        must(known[1].key, other.message, other.signature, "the author in the evidence", "证据中作者")
        said: Statement | None = None
        before = self.log.header(value[0]) if value[0] < index else None
        logged = None if before is None or before[4] != STATEMENT else self.log.content(value[0])
        if logged is not None:
            try:
                said = Statement(logged)
            except Bad:
                said = None
        if said is None or said.author != other.author:
            raise Bad(f"entry {value[0]} holds no statement of the author of the evidence",
                f"条目 {value[0]} 不是该作者的陈述")
        end, said_end = other.first + other.count, said.first + said.count
        overlap = other.first < said_end and said.first < end
        broken = ((said_end == other.first and other.previous != said.hash)
            or (end == said.first and said.previous != other.hash))
        demand(other.hash != said.hash and (overlap or broken),
            f"the evidence does not contradict the statement in entry {value[0]}",
            f"证据与条目 {value[0]} 的陈述并不矛盾")
        self.evidence += 1
        self.findings.add("EQUIVOCATION", index,
            f"author {other.author.hex()[:16]} signed two statements that contradict each other: one is entry"
            f" {value[0]}, the other is here",
            f"作者 {other.author.hex()[:16]} 签了两份互相矛盾的陈述：一份是条目 {value[0]}，另一份在此")

    def _check_authors(self) -> None:
        """Authorisation, numbers and chain of each author's statements (format 6.1, 6.2)."""
        for gaps in self.gaps.values():
            gaps.sort()
        tips: dict[bytes, tuple[int, bytes]] = {}
        again: set[bytes] = set()
        for index, first, count, kinds, author, previous, own in self._statements():
            totals = self.statements.setdefault(author, [0, 0])
            totals[0] += 1
            totals[1] += count
            known = self._author_at(index, author)
            if known is not None:
                self._check_scope(index, known, kinds)
            self._check_revoked(index, author)
            end, tip = tips.get(author, (0, ZERO))
            if first == end and previous == tip:
                tips[author] = first + count, own
            else:
                again.add(author)
        if again:
            self._check_order(again)

    def _check_order(self, authors: set[bytes]) -> None:
        """The same of authors whose statements do not simply follow one another, in the order of their numbers."""
        found: dict[bytes, list[tuple[int, int, int, bytes, bytes]]] = {author: [] for author in authors}
        for index, first, count, _, author, previous, own in self._statements():
            if author in found:
                found[author].append((first, index, count, previous, own))
        for author, statements in found.items():
            statements.sort(key=lambda one: one[:2])
            end, tip, name = 0, ZERO, author.hex()[:16]
            for first, index, count, previous, own in statements:
                if first < end:
                    self.findings.add("EQUIVOCATION", index, f"author {name} covers number {first} twice",
                        f"作者 {name} 两次覆盖编号 {first}")
                elif first > end:
                    if not given_up(self.gaps.get(author, []), end, first):
                        self.findings.add("AUTHOR_GAP", index,
                            f"author {name}: numbers {end} to {first - 1} are missing",
                            f"作者 {name}：编号 {end} 至 {first - 1} 缺失")
                elif previous != tip:
                    self.findings.add("AUTHOR_CHAIN", index,
                        "it names another statement before it than the one in the log",
                        "它所指的前一份陈述与账本中的不同")
                if first + count > end:
                    end, tip = first + count, own

    def _check_unsigned(self) -> None:
        """Signatures of authors whose key was not known when their statement was read, and is authorised after all."""
        for index, content in (one for part in self.passed for one in part.unsigned):
            statement = Statement(content)
            known = self.keys.get(statement.author)
            if known is not None and known[0] < index:
                check_signature(index, statement, known[1].key, self.findings)

    def _place_since(self, old: Checkpoint) -> str:
        place = place_of(old, self.size, self.epochs)
        if place == "lost":
            self.notes.add("the older checkpoint signs entries that were lost when a backup was put back",
                "旧检查点所签的部分条目在恢复备份时丢失")
        elif old.size > self.size:
            return "ahead"
        elif place == "held" and self.tree.root(old.size) != old.root:
            return "fork"
        return place

    def _place_witnessed(self, seen: Checkpoint) -> str:
        place = place_of(seen, self.size, self.epochs)
        if place == "lost":
            self.notes.add(f"the witnessed note of {seen.size} entries signs some that were lost with a backup",
                f"{seen.size} 个条目的见证文本包含恢复备份时丢失的条目")
        elif place == "held" and not self._is_whole(seen.size):
            self.notes.add(f"the witnessed note of {seen.size} entries could not be held against the log",
                f"{seen.size} 个条目的见证文本无法与账本核对")
            return "unheld"
        elif place == "held" and self.tree.root(seen.size) != seen.root:
            return "fork"
        return place

    def _header(self, index: int) -> bytes | None:
        return self.log.header(index)

    def _headers_of(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        for index in range(start, stop):
            raw = self.log.header(index)
            if raw is not None:
                yield index, raw

    def _check_prunings(self) -> None:
        """Format 13."""
        gathered: Any = self
        found = judge_prunings(self.log, gathered, self.findings, self.options.demand, self.options.now, note_times)
        for en, zh in found["notes"]:
            self.notes.add(en, zh)
        self.result["prunings"] = found["prunings"]
        self.counts["contents_pruned"], self.counts["rows_pruned"] = found["contents"], found["rows"]
        if found["prunings"]:
            self.counts["prunings"] = len(found["prunings"])

    def _check_seals(self) -> None:
        """Format 5.12."""
        worked = self._work_seals()
        unworkable = max((index for index, _ in self.believed), default=-1)
        texts: dict[int, list[str]] = {}
        told: dict[int, list[dict[str, Any]]] = {}
        good = bad = 0
        for index, record in self.seals:
            try:
                size, tree_root, ids, map_root = body = read_seal(record)
            except Bad as error:
                self.findings.bad("SEAL_RECORD", index, error)
                continue
            ends = size <= self._statement_of(index) and self._may_end(size)
            verdict: bool | None = None
            if not ends:
                self.findings.add("SEAL_RECORD", index,
                    f"it seals {size} entries, at which no log that its statement was added to can have ended",
                    f"它封存 {size} 个条目，而其陈述所接续的账本不可能在此处结束")
                verdict = False
            elif self._is_whole(size) and self.tree.root(size) != tree_root:
                self.findings.add("SEAL_RECORD", index, f"its tree root is not that of the first {size} entries",
                    f"其树根与前 {size} 个条目不符")
                verdict = False
            else:
                if self.genesis is not None:
                    texts.setdefault(size, []).append(seal_text(self.genesis.origin, self.ledger_id, body))
                if worked[size] == (ids, map_root):
                    verdict = True
                elif size > unworkable and self._is_whole(size):
                    self.findings.add("SEAL_ROOT", index,
                        f"it does not say what the first {size} entries say: these have rows of {worked[size][0]}"
                        " subjects", f"它所述与前 {size} 个条目不符：这些条目涉及 {worked[size][0]} 个对象")
                    verdict = False
            good += verdict is True
            bad += verdict is None
            signed = told.setdefault(size, [])
            self._tell_seal(index, body, verdict, signed)
        for size in self.names.seals if self.genesis is not None else ():
            data = self.names.read(f"seals/{size}", MAX_NOTE)
            if data is not None:
                said = Note(data).text if is_note(data) else ""
                text = next((one for one in texts.get(size, ()) if one == said),
                    next(iter(texts.get(size, ())), None))
                signed = check_seal_note(data, text, self.options.auditors, self.findings, size)
                if size in told:
                    told[size] += signed
        if self.seals:
            self.counts["seals"], self.counts["seals_unworkable"] = good, bad
        if bad:
            self.unchecked.add(f"{bad} seals could not be worked out again: rows that they rest on were pruned",
                f"{bad} 个封存无法重新推算：所依据的单元记录已被清理")

    def _work_seals(self) -> dict[int, tuple[int, bytes]]:
        """Number of ids and map root at each size."""
        if not self.seal_sizes:
            return {}
        self.progress.phase("seals", "封存", self.units)
        changes = heapq.merge(*map(read_changes, self.changes))
        return dict(zip(self.seal_sizes, sweep(len(self.seal_sizes), changes, self.log.leaf, self._counter())))

    def _is_whole(self, size: int) -> bool:
        """Whether the headers of the first `size` entries are all there."""
        return all(number * WIDTH >= size for number in self.holes)

    def _statement_of(self, index: int) -> int:
        """The statement that covers an entry."""
        for at in range(index - 1, 0, -1):
            if (self.log.header(at) or b"\0" * 5)[4] not in COVERED:
                return at
        return 0

    def _may_end(self, size: int) -> bool:
        """Whether a log may end behind so many entries (format 6.1)."""
        return size >= self.size or (self.log.header(size) or b"\0" * 5)[4] not in COVERED

    # ---- the result ----------------------------------------------------------------------------

    def _fill(self) -> None:
        counts, passed, result = self.counts, self.passed, self.result
        counts["entries"] = self.size
        counts["rows"] = counts["links"] = sum(one.rows for one in passed)
        counts["events"] = sum(one.events for one in passed)
        counts["contents"] = sum(one.contents for one in passed)
        counts["violations"] = sum(one.broken for one in passed)
        counts["subjects"] = self.units
        counts["statements"] = sum(one[0] for one in self.statements.values())
        counts["signatures"] = sum(one.signatures for one in passed)
        counts["authors"] = len(self.keys)
        if self.believed:
            counts["believed"] = len(self.believed)
        self._tell_rules(sum(one.unknown_rules for one in passed), any(one.last_rules == 2 for one in passed))
        first, last = self.log.header(0), self.log.header(self.size - 1) if self.size else None
        if self.genesis is not None:
            self._tell_ledger(received(first), received(last), self.statements)
            result["epochs"] = [
                {"index": index, "received": received(self.log.header(index)), "epoch": begun[0], "start": begun[1],
                    "stop": begun[3], "reason": begun[5], "settled": self.settled.get(index)}
                for index, begun in self.epochs
            ]
            for name, count in (("epochs", len(self.epochs)), ("evidence", self.evidence), ("clocks", self.clocks)):
                if count:
                    counts[name] = count
        wanted = [*self.options.units, *(one[4] for one in self.findings.listed() if one[4] is not None)]
        result["timelines"] = [self._timeline(subject) for subject in list(dict.fromkeys(wanted))[:50]
            if subject in self.stands]
        for unit in self.options.units:
            if unit not in self.stands:
                self.notes.add(f"no entry that can be read names {unit}, which was asked for",
                    f"可读的条目中没有一条提到所询问的 {unit}")
                # It may have been in rows that are gone; and of a code, no other spelling tells anything.
                if self.bare or prune_canonical(unit) != unit:
                    self.unshown.append(unit)

    def _timeline(self, subject: str) -> dict[str, Any]:
        """The entries of a subject, from its latest one back."""
        steps: list[dict[str, Any]] = []
        index, left_out, earlier = (self.stands[subject] & MASK) - 1, 0, None
        codes, labels = self._codes(subject), self._labels()
        while index >= 0:
            raw, found = self.log.header(index), self.log.rows(index)
            row = None if found is None else next((one for one in found[1] if one[0] == subject), None)
            if raw is None or found is None or row is None or row[2] > index:
                earlier = index if steps and found is None else None
                break
            if len(steps) < 200:
                content = self.log.content(index)
                steps.append(
                    timeline_step(index, raw, content, found[0], row, labels.get(raw[24:32]), codes.get(index, [])))
            else:
                left_out += 1
                if left_out > 100_000:
                    break
            index = row[2] - 1
        return {"subject": subject, "complete": not codes, "size": self.size, "received": None, "left_out": left_out,
            "earlier": earlier, "steps": steps[::-1]}


def key_history(genesis: GenesisRecord, keys: dict[bytes, tuple[int, KeyAuthorised]],
        revocations: dict[bytes, tuple[int, KeyRevoked]], statements: dict[bytes, list[int]],
        header: Callable[[int], bytes | None]) -> dict[str, Any]:
    """The keys of a log, as the result has them."""
    authors = []
    for key_hash, (index, one) in keys.items():
        revoked = revocations.get(key_hash)
        totals = statements.get(key_hash, [0, 0])
        authors.append({
            "hash": key_hash.hex(), "label": one.label, "scope": one.scope, "authorised": index,
            "authorised_ms": received(header(index)), "revoked": None if revoked is None else revoked[0],
            "revoked_ms": None if revoked is None else received(header(revoked[0])),
            "reason": None if revoked is None else revoked[1].reason, "statements": totals[0], "entries": totals[1],
        })  # fmt: skip
    return {
        "log": {"name": genesis.origin, "hash": genesis.log_key.hash.hex()},
        "roots": [one.hex() for one in genesis.roots], "authors": authors,
    }  # fmt: skip


def given_up(gaps: Sequence[tuple[int, int]], start: int, stop: int) -> bool:
    """Whether settlements, ascending, give up all numbers from `start` to `stop` - 1."""
    for begin, end in gaps:
        if begin <= start < end:
            start = end
    return start >= stop


def received(raw: bytes | None) -> int | None:
    """The receipt time in a header."""
    return None if raw is None else int.from_bytes(raw[8:16], "big")


def note_times(note: bytes, vkeys: Sequence[str]) -> tuple[int, bytes, list[int]]:
    """Size, root and times of cosignatures of these keys in a note: what a waiting rests on (format 5.10)."""
    parsed = Note(note)
    checkpoint = Checkpoint(parsed.text)
    times_ = []
    for vkey in vkeys:
        when = parsed.cosigned(parse_verifier(vkey))
        if when is not None:
            times_.append(when)
    return checkpoint.size, checkpoint.root, times_


def timeline_step(index: int, raw: bytes, content: bytes | None, rules: int, row: Row, author: str | None,
        codes: list[str]) -> dict[str, Any]:
    """One entry of a subject, as the result has it."""
    event: Event | None = None
    if content is not None and raw[4] == EVENT:
        try:
            event = Event(content)
        except Bad:
            event = None
    items = [None] * 29 if event is None else event.items
    return {
        "index": index, "received": received(raw), "claimed": items[1], "offset": items[2],
        "class": raw[4], "rules": rules,
        "pack": is_pack(row[0]), "act": row[1], "state": row[3], "violations": list(row[4]), "step": items[6],
        "place": items[8] or items[9], "parent": items[4], "author": author,
        "gone": raw[4] == EVENT and content is None,
        "behind": False, "findings": codes,
    }  # fmt: skip


def check_head(findings: Findings, note: Note, checkpoint: Checkpoint, key: Verifier | None) -> bool:
    """Whether the log's key, if it is known, signed a head. Further lines in it are a finding, too."""
    if checkpoint.more:
        findings.add("CHECKPOINT_MALFORMED", None, "it has further lines, which this format does not know",
            "有本格式不认识的附加行")
    try:
        demand(key is None or note.signed(key), "the log's key did not sign it", "没有账本密钥的签名")
    except Bad as error:
        findings.bad("CHECKPOINT_SIGNATURE", None, error)
        return False
    return True


def check_checkpoint(findings: Findings, data: bytes, key: Verifier | None, origin: str | None,
        root: bytes) -> Checkpoint | None:
    """Hold the signed head against the tree; the checkpoint if it is right in everything."""
    before = findings.count()
    note = Note(data)
    checkpoint = Checkpoint(note.text)
    check_head(findings, note, checkpoint, key)
    if origin is not None and checkpoint.origin != origin:
        findings.add("CHECKPOINT_ORIGIN", None, f"its origin is {checkpoint.origin!r}, this log's is {origin!r}",
            f"其来源为 {checkpoint.origin!r}，本账本为 {origin!r}")
    if checkpoint.root != root:
        findings.add("TREE_ROOT", None, "the entries are not those that were signed: the tree's root differs",
            "条目不是所签的条目：树根不同")
    return checkpoint if findings.count() == before else None


def check_disclosure(container: Container, file: str, index: int, note: bytes, key: Verifier | None,
        findings: Findings, result: dict[str, Any]) -> int:
    """1 if a disclosure stands, else 0."""
    try:
        data = container.read(file, 1 << 21)
    except Bad as error:
        findings.bad("BUNDLE_FILE", index, error)
        return 0
    try:
        one = Disclosure(data or b"")
    except Bad as error:
        findings.add("DISCLOSURE", index, f"{file}: {error.en}", f"{file}：{error.zh}")
        return 0
    stands = True
    try:
        one.check(index, note, key)
    except Bad as error:
        findings.add("DISCLOSURE", index, f"{file}: {error.en}", f"{file}：{error.zh}")
        stands = False
    result["disclosures"].append({"index": index, "name": one.name, "value": one.words, "stands": stands})
    return int(stands)


def fill_checkpoint(result: dict[str, Any], data: bytes | None, options: Options) -> None:
    """The checkpoint as the result has it."""
    if data is None:
        return
    try:
        note = Note(data)
        checkpoint = Checkpoint(note.text)
    except Bad:
        return
    witnesses = {} if options.policy is None else {(one.name, one.id): one
        for one in options.policy.witnesses.values()}
    lines = []
    for name, key_id, _ in note.lines:
        role, when, stands = "unknown", None, None
        known = witnesses.get((name, key_id))
        if known is not None:
            role = "witness"
            try:
                when = note.cosigned(known)
                stands = True
            except Bad:
                stands = False
        lines.append({"name": name, "key_id": key_id.hex(), "role": role, "time": when, "stands": stands})
    result["checkpoint"] = {
        "note": data.decode("utf-8"), "origin": checkpoint.origin, "size": checkpoint.size,
        "root": b64(checkpoint.root), "signatures": lines,
    }  # fmt: skip


def fill_key(result: dict[str, Any], options: Options, key: Verifier | None, data: bytes | None) -> None:
    """The key, and whether it signed the checkpoint, as the result has it."""
    stands: bool | None = None
    if key is not None and data is not None:
        try:
            stands = Note(data).signed(key)
        except Bad:
            stands = False
        for line in (result["checkpoint"] or {}).get("signatures", []):
            if (line["name"], line["key_id"]) == (key.name, key.id.hex()):
                line["role"], line["stands"] = "log", stands
    result["key"] = {"given": options.key is not None, "vkey": None if key is None else key.text, "stands": stands}


# ======================================================================================================================
# EXCERPTS AND PROOFS OF ABSENCE (format 15.4, 15.5). An entry is here when its header is in the tree that was signed.
# The entries here are judged one after the other; then histories and absence by the latest seal here.
# ======================================================================================================================

MAX_PROOF = 1 << 20


class EntryFile:
    """One entry of an excerpt: [header, content, rows, leaves, terms, path]."""

    def __init__(self, data: bytes) -> None:
        value = decode(data, 1 << 26, 1)
        demand(type(value) is list and len(value) == 6, "an entry of an excerpt is an array of six items",
            "节选条目应为六项数组")
        header, content, rows, leaves, terms, path = value
        demand(is_bytes(header, HEADER_SIZE), "an entry begins with a header of 128 bytes",
            "条目以 128 字节的条目头开始")
        for part, most in ((content, MAX_CONTENT), (rows, MAX_ROWS)):
            demand(part is None or (type(part) is bytes and 32 < len(part) <= 32 + most),
                "a part is nil, or longer than its salt", "部分应为空或长于其盐值")
        for hashes in (leaves, path):
            demand(hashes is None or (type(hashes) is bytes and not len(hashes) % 32),
                "hashes are nil or a byte string", "哈希应为空或字节串")
        demand(terms is None or (type(terms) is bytes and 0 < len(terms) <= GROUP and not len(terms) % TERM),
            "terms are nil, or of 1 to 64 contents", "条款应为空或 1 至 64 项")
        demand((rows is None) == (leaves is None), "an entry has leaves exactly where it has rows", "有单元记录才有叶")
        covered = header[4] in COVERED
        demand(covered == (terms is not None) and covered == (path is not None),
            "terms and path are those of types 3 and 4", "只有类型 3 和 4 有条款和路径")
        self.raw: bytes = header
        self.content: bytes | None = content
        self.rows: bytes | None = rows
        self.leaves = [] if leaves is None else [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
        self.terms: bytes = terms or b""
        self.path = [] if path is None else [path[at : at + 32] for at in range(0, len(path), 32)]


class Presence:
    """A proof that the map of a seal has an item (format 5.12)."""

    def __init__(self, value: Value) -> None:
        demand(type(value) is list and len(value) == 10, "a proof of presence is an array of ten items",
            "存在证明应为十项数组")
        subject, last, leaf, state, place, items, path, bucket, buckets, bucket_path = value
        demand(type(subject) is str and 0 < len(subject.encode()) <= MAX_ID, "an id has 1 to 480 bytes",
            "标识应为 1 至 480 字节")
        demand(all(is_number(one) for one in (last, state, place, items, bucket, buckets)),
            "a number is out of range", "数超出范围")
        demand(is_bytes(leaf, 32), "a leaf has 32 bytes", "叶应为 32 字节")
        for one in (path, bucket_path):
            demand(type(one) is bytes and not len(one) % 32 and len(one) <= 63 * 32,
                "a path is a byte string of at most 63 hashes", "路径应为不超过 63 个哈希的字节串")
        self.id: str = subject
        self.last: int = last
        self.leaf: bytes = leaf
        self.state: int = state
        self.place: int = place
        self.items: int = items
        self.bucket: int = bucket
        self.buckets: int = buckets
        self.paths = [[one[at : at + 32] for at in range(0, len(one), 32)] for one in (path, bucket_path)]

    @property
    def ends(self) -> bool:
        """Whether it is the last item of its bucket."""
        return self.place == self.items - 1

    def check(self, map_root: bytes) -> None:
        """It leads to the root of the map, and stands where buckets are cut."""
        demand(0 < self.items < 1 << 32, "there is no such bucket", "没有这样的桶")
        demand(self.ends or not ends_bucket(self.id), "its id ends a bucket, and it is not the last one there",
            "其标识应结束一个桶，却不在桶末")
        demand(not self.ends or ends_bucket(self.id) or self.bucket == self.buckets - 1,
            "it ends a bucket, which its id cannot", "它结束一个桶，而其标识不能")
        item = sha256(b"\0" + encode([self.id, self.last, self.leaf, self.state])).digest()
        root = root_by_inclusion(item, self.place, self.items, self.paths[0])
        found = None
        if root is not None:
            leaf = sha(b"\0", self.items.to_bytes(4, "big"), root)
            found = root_by_inclusion(leaf, self.bucket, self.buckets, self.paths[1])
        demand(found == map_root, "the proof does not lead to the map root of the seal", "证明不能导出封存的映射根")


class Absence:
    """A proof that the map of a seal has no item of a code (format 5.12)."""

    def __init__(self, data: bytes) -> None:
        value = decode(data, MAX_PROOF, 2)
        demand(type(value) is list and len(value) == 3 and type(value[0]) is str
            and 0 < len(value[0].encode()) <= MAX_ID, "a proof of absence is [code, before, after]",
            "不存在证明的形式是 [代码, 前, 后]")
        self.code: str = value[0]
        self.before = None if value[1] is None else Presence(value[1])
        self.after = None if value[2] is None else Presence(value[2])

    def check(self, map_root: bytes) -> None:
        """Its neighbours are in the map, next to each other, and the code would stand between them."""
        before, after = self.before, self.after
        for one in (before, after):
            if one is not None:
                one.check(map_root)
        demand((before is None or before.id < self.code) and (after is None or self.code < after.id),
            "the code does not stand between its neighbours", "代码不在其相邻项之间")
        if before is None and after is None:
            right = map_root == root_of(())
        elif before is None:
            right = after is not None and after.place == 0 and after.bucket == 0
        elif after is None:
            right = before.ends and before.bucket == before.buckets - 1
        elif before.bucket == after.bucket:
            right = before.buckets == after.buckets and before.items == after.items and after.place == before.place + 1
        else:
            next_to = before.ends and after.place == 0 and after.bucket == before.bucket + 1
            right = before.buckets == after.buckets and next_to
        demand(right, "the items that the proof names are not next to each other in the map",
            "证明所列的项在映射中并不相邻")


class Stated:
    """The statement that is the nearest before an entry here; None where it is malformed."""

    def __init__(self, index: int, time: int, statement: Statement | None) -> None:
        self.index = index
        self.time = time
        self.statement = statement
        self.kinds: set[str] = set()


class Excerpt(Verification):
    """The verification of an excerpt; `run` fills `result`."""

    def __init__(self, container: Container, options: Options, findings: Findings, result: dict[str, Any],
            progress: Any, kind: str) -> None:
        super().__init__(container, options, findings, result, progress)
        self.kind = kind
        self.headers: dict[int, bytes] = {}
        self.seals: dict[int, list[Value] | None] = {}
        self.signed: dict[int, bytes] = {}
        self.words: dict[str, int] = {}
        #: Of subjects in question: entry -> (entry before or None, state).
        self.seen: dict[str, dict[int, tuple[int | None, int]]] = {}
        self.lost_contents: list[int] = []
        self.gone: set[int] = set()
        self.bare: set[int] = set()
        self.prunings: list[tuple[int, RecordEntry]] = []
        self.covering: Stated | None = None
        self.time: tuple[int, int] | None = None
        self.rule_set = 0
        self.rows = self.statements = self.unknown_rules = self.events = self.contents = 0
        self.signatures = self.broken = 0
        self.pilot = False
        self._proofs: dict[int, list[bytes] | None] = {}

    def run(self) -> None:
        """Verify."""
        self._open(False)
        names = self.names
        if names.checkpoint is None:
            self.unchecked.add("nothing but names was looked at, as there is no checkpoint to hold anything against",
                "没有可供核对的检查点，只检查了文件名")
            return
        self.head, self.size = names.checkpoint, names.checkpoint.size
        with_entry = set(names.entries)
        for index in names.proofs:
            if index not in with_entry:
                self.findings.add("BUNDLE_SURPLUS", index, f"there is a proof of entry {index}, and not the entry",
                    f"有条目 {index} 的证明而无该条目")
        self.items = self._read_proofs("seal/items", lambda data: Presence(decode(data, MAX_PROOF, 1)),
            lambda one: one.id)
        self.absent = self._read_proofs("seal/absent", Absence, lambda one: one.code)
        self.seen.update({one.id: {} for one in self.items})
        self.seen.update({one.code: {} for one in self.absent})
        for unit in self.options.units:
            self.seen.setdefault(unit, {})
        self._take_entries(with_entry, set(names.proofs))
        self._finish()
        self._conclude()

    # ---- what is here --------------------------------------------------------------------------

    def _read_proofs(self, name: str, read: Callable[[bytes], Any], key: Callable[[Any], str]) -> list[Any]:
        """The proofs of a list, u32 length and proof each, in ascending order."""
        found: list[Any] = []
        try:
            stream = self.container.open(name)
            if stream is None:
                return []
            try:
                while True:
                    head = stream.read(4)
                    if not head:
                        break
                    length = int.from_bytes(head, "big")
                    demand(len(head) == 4 and 0 < length <= MAX_PROOF, "a proof has 1 to 2^20 bytes",
                        "证明应为 1 至 2^20 字节")
                    data = stream.read(length)
                    demand(len(data) == length, "its last proof is cut off", "最后一份证明不完整")
                    one = read(data)
                    demand(not found or key(found[-1]) < key(one), "its proofs do not ascend", "证明没有按升序排列")
                    demand(len(found) < 1 << 20, "it has over 2^20 proofs", "证明超过 2^20 份")
                    found.append(one)
            finally:
                stream.close()
            demand(bool(found), "it is empty", "文件为空")
        except Bad as error:
            self.findings.add("BUNDLE_FILE", None, f"{name}: {error.en}", f"{name}：{error.zh}")
            return []
        return found

    def _take_entries(self, there: set[int], proved: set[int]) -> None:
        """Read all entries; what is here is judged at once."""
        indices = sorted(there)
        self.progress.phase("entries", "条目", len(indices))
        here: list[int] = []
        for index in indices:
            raw = self._here(index, index in proved)
            if raw is not None:
                self.headers[index] = raw
                here.append(index)
        if 0 not in self.headers:
            self.findings.add("GENESIS", 0, "the genesis record is not here", "创世记录不在")
        for done, index in enumerate(here, 1):
            file = self._file(index)
            if file is not None:
                self._judge(index, file)
            self.progress.to(done)

    def _file(self, index: int) -> EntryFile | None:
        name = f"entries/{format_number(index)}.entry"
        try:
            data = self.container.read(name, 1 << 26)
            return None if data is None else EntryFile(data)
        except Bad as error:
            self.findings.add("BUNDLE_FILE", index, f"{name}: {error.en}", f"{name}：{error.zh}")
            return None

    def _here(self, index: int, proved: bool) -> bytes | None:
        """The header of an entry that is here: its file has its form, and its proof leads to the root."""
        file = self._file(index)
        if file is None:
            return None
        name = f"entries/{format_number(index)}.proof"
        text = None
        try:
            text = self.container.read(name, 131_072) if proved else None
        except Bad as error:
            self.findings.bad("BUNDLE_FILE", index, error)
        if text is None:
            self.findings.add("PROOF", index, "there is no proof that the entry is in the log",
                "没有证明该条目在账本中")
            return None
        try:
            proof = Proof(text)
            demand((proof.index, proof.extra, proof.note) == (index, None, self.names.note),
                "it is of another entry or checkpoint, or has extra data", "它属于另一条目或检查点，或带有附加数据")
        except Bad as error:
            self.findings.add("BUNDLE_FILE", index, f"{name}: {error.en}", f"{name}：{error.zh}")
            return None
        self.counts["proofs"] = self.counts.get("proofs", 0) + 1
        if root_by_inclusion(leaf_of(file.raw), index, self.size, proof.path) != self.head.root:
            self.findings.add("PROOF", index,
                "the entry is not in the log that was signed: its proof leads elsewhere",
                "该条目不在所签的账本中：其证明导出另一树根")
            return None
        try:
            Header(file.raw)
        except Bad as error:
            self.findings.bad("HEADER_MALFORMED", index, error)
            return None
        return file.raw

    # ---- one entry -----------------------------------------------------------------------------

    def _judge(self, index: int, file: EntryFile) -> None:
        header = Header(file.raw)
        if file.content is None and header.kind == EVENT:
            self.lost_contents.append(index)
        content = content_of(index, header, file.raw, file.content, self.findings)
        self.contents += content is not None
        if index == 0:
            self._begin(file.raw, content or b"")
            if self.genesis is not None:
                self._name_key(self.genesis)
        elif header.kind == GENESIS:
            self.findings.add("GENESIS", index, "a genesis record stands only at entry 0", "创世记录只能是条目 0")
        self._check_time(index, header, content)
        covering = self._cover(index, header, file) if header.kind in COVERED else None
        acts, record = self._stated(index, header, content, file)
        if covering is not None and (header.kind == EVENT or record is not None):
            covering.kinds.add("event" if record is None else record.kind)
        if record is not None:
            self._record(index, record, covering)
        elif header.kind == STATEMENT:
            self._statement(index, header, content)
        self._check_rows(index, header, file, acts)

    def _check_time(self, index: int, header: Header, content: bytes | None) -> None:
        """Format 8, as far as neighbours are here."""
        before, self.time = self.time, (index, header.time)
        near = None if before is None or before[0] != index - 1 else before[1]
        if header.flags & 1 and (index == 0 or (near is not None and header.time != near)):
            self.findings.add("TIME_FLAG", index,
                "marked as clamped, but its receipt time is not that of the entry before",
                "标记为沿用前一时间，但接收时间与前一条目不同")
        if before is not None and header.time < before[1]:
            self.findings.add("TIME_DECREASED", index,
                f"receipt time {header.time} is before {before[1]} of entry {before[0]}",
                f"接收时间 {header.time} 早于条目 {before[0]} 的 {before[1]}")
        elif header.kind == CLOCK and content is not None:
            try:
                start, end, _ = read_clock(content)
                demand(end == header.time and near in (None, start),
                    "the jump it states is not the one between the entries", "所述的时间跳跃与条目间的实际跳跃不符")
            except Bad as error:
                self.findings.bad("CLOCK_RECORD", index, error)
        elif (near is not None and self.genesis is not None and header.kind not in (CLOCK, EPOCH_ENTRY)
                and header.time - near > self.genesis.jump_limit):
            self.findings.add("TIME_JUMP", index,
                f"receipt time jumps by {header.time - near} ms without a clock record",
                f"接收时间跳跃 {header.time - near} 毫秒而没有时钟记录")

    def _stated(self, index: int, header: Header, content: bytes | None,
            file: EntryFile) -> tuple[list[tuple[str, int]] | None, RecordEntry | None]:
        """Subjects and acts by the content, None where it cannot tell; and the record that it is."""
        if header.kind == EVENT:
            self.events += 1
        if content is None:
            return None, None
        try:
            if header.kind == EVENT:
                rule_set = stated_rules(file.rows)
                return acts_of(Event(content), rule_set if rule_set in RULE_SETS else 1), None
            if header.kind == RECORD:
                record = RecordEntry(content)
                return ([] if record.subject is None else [(record.subject, NOTE)]), record
            if header.kind == AUTHORISED:
                authorised = KeyAuthorised(content)
                self._key_record(index, authorised)
                return [(KEY_URN + authorised.key.hash.hex(), SEE)], None
            if header.kind == REVOKED:
                revoked = KeyRevoked(content)
                self._key_record(index, revoked)
                return [(KEY_URN + revoked.hash.hex(), END)], None
        except Bad as error:
            self.findings.bad("CONTENT_MALFORMED", index, error)
            return None, None
        try:
            if header.kind == EPOCH_ENTRY:
                read_epoch(content)
            elif header.kind == EVIDENCE:
                statement_in(array_of(content, 3, "evidence", "证据"))
        except Bad as error:
            self.findings.bad("EPOCH_RECORD" if header.kind == EPOCH_ENTRY else "EVIDENCE_RECORD", index, error)
        return [], None

    def _record(self, index: int, record: RecordEntry, covering: Stated | None) -> None:
        if record.kind in SETTLING and self.genesis is not None:
            try:
                check_settled(record, self.ledger_id, self.genesis)
            except Bad as error:
                self.findings.bad("SETTLEMENT", index, error)
        elif record.kind in ("prune-intent", "prune-done"):
            self.prunings.append((index, record))
        elif record.kind == "seal":
            self.seals[index] = None
            try:
                body = read_seal(record)
                demand(covering is not None and body[0] <= covering.index,
                    "its statement is not behind the entries that it is of", "覆盖它的陈述不在其所涵盖的条目之后")
                self.seals[index] = body
            except Bad as error:
                self.findings.bad("SEAL_RECORD", index, error)

    def _key_record(self, index: int, record: KeyAuthorised | KeyRevoked) -> None:
        if self.genesis is None:
            return
        try:
            self._take_key(index, record, self.genesis)
        except Bad as error:
            self.findings.bad("KEY_RECORD", index, error)

    def _statement(self, index: int, header: Header, content: bytes | None) -> None:
        """Format 6: what comes next is covered by it, as far as it reaches."""
        self._end_covering()
        self.covering = Stated(index, header.time, None)
        statement = statement_of(index, header, content, self.ledger_id, self.findings)
        if statement is None:
            return
        self.covering.statement = statement
        self.statements += 1
        if self.genesis is None:
            return
        known = self._author_at(index, statement.author)
        if known is None:
            return
        self.signed[index] = statement.author
        self._check_revoked(index, statement.author)
        self.signatures += 1
        check_signature(index, statement, known.key, self.findings)

    def _end_covering(self) -> None:
        """What a statement covers here, against the scope of its key."""
        covering, self.covering = self.covering, None
        if covering is None or covering.statement is None:
            return
        known = self.keys.get(covering.statement.author)
        if known is not None:
            self._check_scope(covering.index, known[1], covering.kinds)

    def _cover(self, index: int, header: Header, file: EntryFile) -> Stated | None:
        """Format 6.1, of an entry and the statement before it that is here."""
        covering = self.covering
        statement = None if covering is None else covering.statement
        if covering is None or statement is None or index > covering.index + statement.count:
            self.findings.add("EVENT_UNCOVERED", index, "no author's statement that is here covers it",
                "此处没有陈述覆盖它")
            return None
        place = index - covering.index - 1
        if header.author != statement.author[:8]:
            self.findings.add("STATEMENT_AUTHOR", index, f"it names another author than statement {covering.index}",
                f"所写作者与陈述 {covering.index} 不同")
        elif header.sequence != statement.first + place:
            self.findings.add("ENTRY_ORDER", index,
                f"it has the author's number {header.sequence} where {statement.first + place} belongs",
                f"作者编号为 {header.sequence}，此处应为 {statement.first + place}")
        if header.time != covering.time:
            self.findings.add("TIME_FLAG", index, "its receipt time is not that of the statement that covers it",
                "接收时间与覆盖它的陈述不同")
        number, leaves = place // 64, -(-statement.count // 64)
        here = min(64, statement.count - number * 64)
        root = root_by_inclusion(sha256(b"\0" + file.terms).digest(), number, leaves, file.path)
        at = place % 64 * TERM
        own = file.raw[64:96] + file.raw[16:18] + file.raw[4:5]
        if len(file.terms) != here * TERM or root != statement.root or file.terms[at : at + TERM] != own:
            self.findings.add("STATEMENT_ROOT", index,
                f"it is not what the author signed in statement {covering.index}",
                f"它不是作者在陈述 {covering.index} 中所签的内容")
        return covering

    # ---- rows ----------------------------------------------------------------------------------

    def _check_rows(self, index: int, header: Header, file: EntryFile, acts: list[tuple[str, int]] | None) -> None:
        """Format 7."""
        add = self.findings.add
        if file.rows is None:
            self.bare.add(index)
            if header.row_count and header.kind == EVENT:
                self.gone.add(index)
            elif header.row_count:
                add("ROWS_MISSING", index, "the rows are not there, and those of an entry that is no event never go",
                    "单元记录不在，而非事件条目的单元记录永不删除")
            elif acts:
                add("ROW_SUBJECTS", index, f"it has no row of {acts[0][0]}", f"没有 {acts[0][0]} 的单元记录",
                    acts[0][0])
            return
        found = rows_of(index, file.rows, self.rule_set, self.findings)
        if found is None:
            return
        rule_set, rows = found
        self.rule_set = rule_set
        self.unknown_rules += rule_set not in RULE_SETS
        self.pilot = self.pilot or rule_set == 2
        check_told(index, rule_set, rows, acts, self.findings)
        check_row_counts(index, header, file.rows, rows, self.findings)
        named = list(dict.fromkeys(row[2] - 1 for row in rows if 0 < row[2] <= index))
        leaves = dict(zip(named, file.leaves))
        hashes = row_hashes(file.rows[:32], rule_set, rows, [leaves.get(row[2] - 1, ZERO) for row in rows])
        if len(file.leaves) != len(named) or root_of(hashes) != file.raw[96:]:
            add("ROW_ROOT", index,
                "rows, their salt, or the entry before that a row names were altered: the header commits to others",
                "单元记录、其盐值或其所指的前一条目被改动：条目头承诺的是另外的单元记录")
            return
        for before, leaf in leaves.items():
            raw = self.headers.get(before)
            if raw is not None and leaf_of(raw) != leaf:
                add("ROW_LINK", index, f"its rows were hashed over another entry than entry {before}",
                    f"其单元记录的哈希所依据的不是条目 {before}")
        for row in rows:
            self._check_row(index, rule_set, row)
            self.broken += len(row[4])
        self.rows += len(rows)

    def _check_row(self, index: int, rule_set: int, row: Row) -> None:
        """A row, against where its subject stood before, as far as that is here."""
        subject, _, previous, state, _ = row
        word = self.words.get(subject, 0)
        latest = word & MASK
        if not previous or previous == latest or previous > index:
            check_link(self.findings, index, rule_set, row, word)
        else:
            raw = self.headers.get(previous - 1)
            if previous < latest:
                self.findings.add("ROW_LINK", index,
                    f"the row names entry {previous - 1} as the one before, and entry {latest - 1} is behind it",
                    f"该单元记录称前一条目为 {previous - 1}，而条目 {latest - 1} 在其后", subject)
            elif raw is not None and raw[40:44] == bytes(4):
                self.findings.add("ROW_LINK", index, f"entry {previous - 1}, which the row names, has no rows",
                    f"该单元记录所指的条目 {previous - 1} 没有单元记录", subject)
            elif raw is not None and previous - 1 not in self.bare:
                self.findings.add("ROW_LINK", index, f"entry {previous - 1}, which the row names, has no row of it",
                    f"该单元记录所指的条目 {previous - 1} 没有该对象的单元记录", subject)
            check_possible(index, rule_set, row, self.findings)
        self.words[subject] = state << SHIFT | index + 1
        if subject in self.seen:
            self.seen[subject][index] = (previous - 1 if previous else None), state

    def _finish(self) -> None:
        """What takes all entries: scopes, and parts that are not there (format 15.5, 2)."""
        self._end_covering()
        contents, rows = self._executed()
        for index in self.lost_contents:
            if not has(contents, index):
                self.findings.add("CONTENT_MISSING", index,
                    "the content is not there, and no record here says it was pruned",
                    "内容不在，且此处没有记录说明它已被清理")
        for index in sorted(self.gone):
            if not has(rows, index):
                self.findings.add("ROWS_MISSING", index,
                    "the rows are not there, and no record here says they were pruned",
                    "单元记录不在，且此处没有记录说明它们已被清理")
                self.gone.discard(index)

    def _executed(self) -> tuple[Ranges, Ranges]:
        """What dones that are here, with intents that are here, executed of contents and of rows."""
        by_subject: dict[str, list[tuple[int, RecordEntry]]] = {}
        for index, record in self.prunings:
            if record.subject is not None:
                by_subject.setdefault(record.subject, []).append((index, record))
        gone: list[Ranges] = [[], []]
        for chain in by_subject.values():
            intents: dict[int, PruneSaid] = {}
            for said in _wholes(chain):
                if said.kind == PRUNE_INTENT:
                    intents[said.first] = said
                    continue
                intent = intents.pop(said.rest[0], None)
                if intent is not None:
                    for which, announced, kept in ((0, intent.contents, said.contents), (1, intent.rows, said.rows)):
                        gone[which] = _prune_unite(gone[which], _prune_minus(announced, kept))
        return gone[0], gone[1]

    # ---- what all of it shows ------------------------------------------------------------------

    def _conclude(self) -> None:
        if self.options.now is not None:
            late = next(
                (index for index, raw in self.headers.items() if int.from_bytes(raw[8:16], "big") > self.options.now),
                None)
            if late is not None:
                self.findings.add("TIME_AHEAD", late,
                    "it was received after the verifier's own time, as was what follows",
                    "其接收时间晚于核验者自己的时间，后续条目亦然")
        good = self._check_head(self.log_key)
        fill_key(self.result, self.options, self.log_key, self.names.note)
        seal = self._latest_seal()
        self._check_note(seal)
        complete = self._histories(seal)
        self._check_absent(seal)
        self._check_disclosures(lambda index: index not in self.headers)
        self._check_since()
        self._check_witnessed(self.head if good else None)
        self._fill(seal, complete)

    def _check_head(self, key: Verifier | None) -> bool:
        """The signature and origin of the checkpoint; whether both stand."""
        good = check_head(self.findings, Note(self.names.note or b""), self.head, key)
        if key is not None and self.head.origin != origin_of(key.name, self.head.epoch):
            self.findings.add("CHECKPOINT_ORIGIN", None,
                f"its origin is {self.head.origin!r}, this log's is {key.name!r}",
                f"其来源为 {self.head.origin!r}，本账本为 {key.name!r}")
            good = False
        return good

    def _consistent(self, size: int, root: bytes) -> bool | None:
        """Whether the log extends a tree of this size and root; None where there is no proof of it."""
        if size == self.size:
            return root == self.head.root
        if size not in self._proofs:
            self._proofs[size] = self._consistency(size) if size in self.names.consistency else None
        path = self._proofs[size]
        return None if path is None else consistent(size, root, self.size, self.head.root, path)

    def _consistency(self, size: int) -> list[bytes] | None:
        name = f"consistency/{size}"
        try:
            data = self.container.read(name, 8192)
            if data is None:
                return None
            lines = data.split(b"\n")
            demand(lines.pop() == b"", "its last line is not ended", "最后一行没有换行")
            hashes = [base64_bytes(line.decode("ascii", "replace"), "a hash", "哈希") for line in lines]
            demand(all(len(one) == 32 for one in hashes), "a hash has 32 bytes", "哈希应为 32 字节")
            return hashes
        except Bad as error:
            self.findings.add("BUNDLE_FILE", None, f"{name}: {error.en}", f"{name}：{error.zh}")
            return None

    def _latest_seal(self) -> tuple[int, list[Value]] | None:
        """The seal that counts: the last one here, if the log extends its tree."""
        if not self.seals:
            return None
        index = max(self.seals)
        body = self.seals[index]
        if body is None:
            return None
        if not self._consistent(body[0], body[1]):
            self.findings.add("SEAL_RECORD", index, "nothing shows that the log extends the tree that it names",
                "没有证明账本延续了它所述的树")
            return None
        return index, body

    def _check_note(self, seal: tuple[int, list[Value]] | None) -> None:
        self.auditors: list[dict[str, Any]] = []
        data = self.names.read("seal/note", MAX_NOTE)
        if data is not None:
            text = None if seal is None or self.genesis is None else seal_text(self.genesis.origin, self.ledger_id,
                seal[1])
            size = 0 if seal is None else seal[1][0]
            self.auditors = check_seal_note(data, text, self.options.auditors, self.findings, size)

    def _histories(self, seal: tuple[int, list[Value]] | None) -> set[str]:
        """The subjects of which all entries up to the seal are here."""
        complete: set[str] = set()
        proved: set[str] = set()
        for item in self.items:
            try:
                if seal is None:
                    raise Bad("there is no seal that it could be held against", "没有可供核对的封存")
                item.check(seal[1][3])
                demand(item.last < seal[1][0], f"it names entry {item.last}, which is not below the seal",
                    f"它所指的条目 {item.last} 不在封存之下")
            except Bad as error:
                self.findings.bad("SEAL_ROOT", None, error, item.id)
                continue
            proved.add(item.id)
            if self._history(seal[1][0], item):
                complete.add(item.id)
        if seal is not None:
            for key_hash in dict.fromkeys(self.signed.values()):
                at, subject = self.keys[key_hash][0], KEY_URN + key_hash.hex()
                if at < seal[1][0] and subject not in proved:
                    self.findings.add("CHAIN_INCOMPLETE", at,
                        "nothing shows where the author's key stood at the seal: it may have been revoked",
                        "没有证明作者密钥在封存时的状态：它可能已被吊销", subject)
        return complete

    def _history(self, size: int, item: Presence) -> bool:
        """Whether a subject's entries are all here, from the last one of the seal back."""
        add, subject, rows = self.findings.add, item.id, self.seen[item.id]
        wrong = False
        for index, (before, _) in rows.items():
            if item.last < index < size:
                add("SEAL_ROOT", index, f"it has a row of it, and the seal says entry {item.last} is the last",
                    f"它有该对象的单元记录，而封存称最后一条是 {item.last}", subject)
                wrong = True
            elif index >= size and before is not None and before < size and before != item.last:
                add("SEAL_ROOT", index,
                    f"its row names entry {before} as the one before, the seal says {item.last} was the last",
                    f"其单元记录称前一条目为 {before}，而封存称最后一条是 {item.last}", subject)
                wrong = True
        raw = self.headers.get(item.last)
        if raw is not None and leaf_of(raw) != item.leaf:
            add("SEAL_ROOT", item.last, "the seal has another leaf for this entry than the log",
                "封存中该条目的叶与账本不同", subject)
            wrong = True
        if item.last in rows and rows[item.last][1] != item.state:
            add("SEAL_ROOT", item.last, f"state {rows[item.last][1]}, the seal says {item.state}",
                f"状态为 {rows[item.last][1]}，封存称 {item.state}", subject)
            wrong = True
        elif raw is not None and item.last not in rows and item.last not in self.gone:
            add("SEAL_ROOT", item.last, "the seal says it is its last entry, and that has no row of it",
                "封存称这是其最后一条，而该条目没有它的单元记录", subject)
            wrong = True
        at = None if wrong else item.last
        while at is not None and at not in self.gone:
            if at not in rows:
                add("CHAIN_INCOMPLETE", at, "this entry of its history is not here, or lacks its row",
                    "其流转历史中的这一条目不在，或缺少它的单元记录", subject)
                return False
            before = rows[at][0]
            at = before if before is None or before < at else None
        return not wrong

    def _check_absent(self, seal: tuple[int, list[Value]] | None) -> None:
        for one in self.absent:
            stands = True
            try:
                if seal is None:
                    raise Bad("there is no seal that it could be held against", "没有可供核对的封存")
                size, _, ids, map_root = seal[1]
                one.check(map_root)
                # Any other spelling of a code is absent from every log, and may look the same on paper.
                demand(prune_canonical(one.code) == one.code,
                    "it is in no spelling that a log has: that the code itself is not there is not shown",
                    "其写法不是账本所用的写法：不能证明该代码本身不在账本中")
                demand((one.before is None and one.after is None) == (ids == 0),
                    "it names no neighbours, and the seal has subjects", "它没有相邻项，而封存中有对象")
                named = [index for index in self.seen[one.code] if index < size]
                demand(not named, f"entry {named[0] if named else 0} names it",
                    f"条目 {named[0] if named else 0} 提到它")
            except Bad as error:
                self.findings.bad("ABSENCE", None, error, one.code)
                stands = False
            sides = [None if side is None else side.id for side in (one.before, one.after)]
            self.result["absences"].append(
                {"code": one.code, "before": sides[0], "after": sides[1], "stands": stands})
        if self.kind == "absence" and not self.absent:
            self.findings.add("ABSENCE", None, "there is no proof of absence here", "此处没有不存在证明")
        if self.absent:
            self.counts["absences"] = sum(one["stands"] for one in self.result["absences"])

    def _place_since(self, old: Checkpoint) -> str:
        place = self._place(old)
        if place == "unproved":
            self.findings.add("CONSISTENCY", None,
                f"there is no proof that the log extends the older checkpoint of {old.size} entries: ask for it",
                f"没有证明账本延续了 {old.size} 个条目的旧检查点：请索取")
        return place

    def _place_witnessed(self, seen: Checkpoint) -> str:
        place = self._place(seen)
        if place == "unproved":
            self.notes.add(f"the witnessed note of {seen.size} entries has no proof with it that the log extends it",
                f"{seen.size} 个条目的见证文本没有附账本延续它的证明")
        return place

    def _place(self, other: Checkpoint) -> str:
        if other.size > self.size:
            return "ahead"
        stands = self._consistent(other.size, other.root)
        return "unproved" if stands is None else "held" if stands else "fork"

    def _header(self, index: int) -> bytes | None:
        return self.headers.get(index)

    def _headers_of(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        return ((index, raw) for index, raw in sorted(self.headers.items()) if start <= index < stop)

    # ---- the result ----------------------------------------------------------------------------

    def _fill(self, seal: tuple[int, list[Value]] | None, complete: set[str]) -> None:
        counts, result = self.counts, self.result
        counts.update(
            entries=len(self.headers), events=self.events, contents=self.contents, rows=self.rows, links=self.rows,
            subjects=len(self.words), statements=self.statements, signatures=self.signatures, authors=len(self.keys),
            histories=len(complete), violations=self.broken,
        )  # fmt: skip
        say = self.unchecked.add
        say(
            "only the whole log tells: gaps in authors' numbers, policies and keep-until days, receipt times"
            " between entries that are not neighbours, whether what was pruned went lawfully",
            "只有整本账本才能说明：作者编号的缺口、保存政策与期限、不相邻条目之间的接收时间、清理是否合法",
        )
        if self.options.demand is not None:
            say("the retention policy was not asked: what went lawfully, only the whole log tells",
                "未按所给的保存政策核对：清理是否合法，只有整本账本才能说明")
        if seal is None:
            say("there is no seal: nothing shows that a history is complete, or that a key was not revoked since",
                "没有封存：无法证明流转历史完整，也无法证明密钥此后未被吊销")
        elif not any(one["stands"] for one in self.auditors):
            say("the seal is the ledger's own word: no auditor whose key was given signed it",
                "封存只是账本自己的说法：没有已知审计方签署")
        behind = 0 if seal is None else self.size - seal[1][0] - 2  # the seal's own record and statement are behind it
        if behind > 0:
            say(f"{behind} entries of the log came behind the seal: what is here of them is shown, and nothing shows"
                " whether that is all", f"账本在封存之后还有 {behind} 个条目：仅显示此处所有，无法证明是否齐全")
        if seal is not None and any(index > seal[1][0] for index in self.signed):
            say("statements here came behind the seal: nothing shows whether their authors' keys were revoked by then",
                "此处有封存之后的陈述：无法证明其作者密钥届时未被吊销")
        self.unshown = [unit for unit in self.options.units if unit not in complete
            and not any(one["stands"] and one["code"] == unit for one in result["absences"])]
        for unit in self.unshown:
            say(f"nothing here shows the whole history of {unit}, which was asked for",
                f"此处没有证明所询问的 {unit} 的完整流转历史")
        others = len(set(self.words) - set(self.seen))
        if others:
            more = "subject" if others == 1 else "subjects"
            say(f"no history is shown of {others} more {more} that entries here name",
                f"此处条目还提到 {others} 个其他对象，其流转历史未显示")
        self._tell_rules(self.unknown_rules, self.pilot)
        times_ = [int.from_bytes(raw[8:16], "big") for raw in self.headers.values()]
        if self.genesis is not None:
            totals: dict[bytes, list[int]] = {}
            for author in self.signed.values():
                totals.setdefault(author, [0, 0])[0] += 1
            self._tell_ledger(min(times_, default=None), max(times_, default=None), totals)
        if seal is not None:
            counts["seals"] = 1
            self._tell_seal(seal[0], seal[1], None, self.auditors)
        wanted = [one.id for one in self.items if not one.id.startswith("urn:tracechain:")]
        wanted = list(dict.fromkeys([*self.unshown, *wanted]))
        wanted.sort(key=lambda one: (one not in self.options.units, not is_pack(one)))
        result["timelines"] = [self._timeline(subject, seal, subject in complete) for subject in wanted[:50]]

    def _timeline(self, subject: str, seal: tuple[int, list[Value]] | None, complete: bool) -> dict[str, Any]:
        """The entries here of a subject."""
        indices = sorted(self.seen[subject])
        codes, labels = self._codes(None, subject), self._labels()
        steps: list[dict[str, Any]] = []
        earlier = None
        for index in indices[-200:]:
            file = self._file(index)
            if file is None or file.rows is None:
                continue
            try:
                rule_set, rows = decode_rows(file.rows[32:])
            except Bad:
                continue
            row = next((one for one in rows if one[0] == subject), None)
            if row is not None:
                one = timeline_step(index, file.raw, committed(file.raw, file.content), rule_set, row,
                    labels.get(file.raw[24:32]), codes.get(index, []))
                one["behind"] = seal is not None and index >= seal[1][0]
                if not steps and row[2] and index == indices[0]:
                    earlier = row[2] - 1
                steps.append(one)
        return {
            "subject": subject, "complete": None if seal is None else complete,
            "size": None if seal is None else seal[1][0],
            "received": None if seal is None else received(self.headers.get(seal[0])),
            "left_out": max(0, len(indices) - 200), "earlier": earlier, "steps": steps,
        }  # fmt: skip


def _wholes(chain: list[tuple[int, RecordEntry]]) -> Iterator[PruneSaid]:
    """The intents and dones of one name of which all parts are there, as neighbours (format 5.10)."""
    parts: list[Any] = []
    first = 0
    for index, record in chain:
        plain = [record.kind, record.version, record.subject, record.body]
        part = _prune_part(plain)
        if part is None:
            parts = []
            continue
        if record.body[1] == 0 or (parts and (index != first + len(parts) or record.kind != parts[0][0][0])):
            parts = []
        if not parts:
            first = index
        parts.append((plain, part))
        if len(parts) == record.body[2]:
            said = _prune_whole_of(first, 0, parts)
            parts = []
            if said is not None:
                yield said


# ================================================================================================
# Words: each text in English and Chinese
# ================================================================================================

# A text in both languages: (English, Chinese).
ReportBoth = tuple[str, str]

_REPORT_STEPS: tuple[str, ...] = (  # format.md section 9.7, in Chinese
    "验收", "到达", "组装", "归集", "赋码", "交运", "创建品类", "循环盘点", "注销", "离开", "销毁", "拆解",
    "交付使用", "编码", "进出场", "扣留", "查验", "安装", "停用", "装载", "其他", "装箱", "拣选", "收货",
    "移除", "重新包装", "维修", "替换", "预留", "零售", "发运", "待发", "盘点", "上架", "存储", "运输",
    "卸载", "拆箱", "撤销发运", "传感器记录", "抽样",
)  # fmt: skip
_REPORT_STEPS_ENGLISH = (
    "accepting", "arriving", "assembling", "collecting", "commissioning", "consigning", "creating_class_instance",
    "cycle_counting", "decommissioning", "departing", "destroying", "disassembling", "dispensing", "encoding",
    "entering_exiting", "holding", "inspecting", "installing", "killing", "loading", "other", "packing", "picking",
    "receiving", "removing", "repackaging", "repairing", "replacing", "reserving", "retail_selling", "shipping",
    "staging_outbound", "stock_taking", "stocking", "storing", "transporting", "unloading", "unpacking",
    "void_shipping", "sensor_reporting", "sampling",
)  # fmt: skip

_REPORT_ACTS: tuple[ReportBoth, ...] = (  # custody.md, by number
    ("seen", "记录"), ("ended", "终止"), ("noted", "登记"), ("seen", "记录"), ("commissioned", "赋码"),
    ("shipped", "发运"), ("taken into bond", "保税入库"), ("ordered", "下单"), ("order cancelled", "取消订单"),
    ("cleared by customs", "清关"), ("sold", "销售"), ("sold in part", "部分销售"), ("delivered", "交付"),
    ("delivered in part", "部分交付"), ("returned", "退回入库"), ("returned from export", "出口退回"),
    ("inspected: conformant", "查验合格"), ("inspected: not conformant", "查验不合格"), ("held", "扣留"),
    ("released", "放行"), ("recalled", "召回"), ("reported stolen", "报失窃"), ("repaired", "维修"),
    ("relabelled: the old code", "换标（旧码）"), ("relabelled: the new code", "换标（新码）"),
    ("made into other goods", "加工转换（投入）"), ("made of other goods", "加工转换（产出）"),
    ("exported", "出口"), ("destroyed", "销毁"), ("taken back", "撤回"), ("return applied for", "申请退货"),
)  # fmt: skip

_REPORT_CUSTODY: tuple[ReportBoth, ...] = (  # format.md section 7.2
    ("not commissioned", "无记录"), ("active", "已赋码"), ("ended", "已终止"), ("in transit", "在途"),
    ("bonded", "保税在库"),
    ("ordered", "已下单"), ("cleared", "已清关"), ("at a store", "在门店"), ("sold", "已售"), ("delivered", "已交付"),
    ("returned", "已退回"), ("in rework", "返工中"), ("exported", "已出口"),
)  # fmt: skip
_REPORT_FLAGS: tuple[ReportBoth, ...] = (
    ("held", "扣留"), ("recalled", "召回"), ("stolen", "失窃"), ("conformant", "合格"), ("paid", "已支付"),
)  # fmt: skip
_REPORT_PLAIN_STATES: tuple[ReportBoth, ...] = (("not known", "无记录"), ("active", "有效"), ("gone", "已终止"))

_REPORT_VIOLATIONS: dict[int, tuple[str, str, str]] = {  # format.md sections 7.1 to 7.4, custody.md
    1: (
        "DEAD_PACK", "the code had ended before: its pack was destroyed, sampled, relabelled or decommissioned",
        "该码此前已终止：包装已销毁、抽样、换标或注销",
    ),
    2: ("UNKNOWN_CODE", "no pack was ever commissioned under this code", "该码从未赋予任何包装"),
    3: ("ALREADY_COMMISSIONED", "the code belongs to a pack that was commissioned before", "该码属于此前已赋码的包装"),
    4: (
        "CUSTODY", "the pack is not where this can happen to it: a step before it is missing, or it has gone further",
        "包装所处状态不容许此步骤：缺少前序步骤，或已进入后续环节",
    ),
    5: ("SOLD_BEFORE_CLEARANCE", "the pack was sold before customs cleared it", "清关前即已销售"),
    6: (
        "SECONDARY_SALE", "the code was sold before: a second sale, or a copy of the code",
        "该码此前已售出：二次销售，或编码被复制",
    ),
    7: (
        "THREE_DOC", "order, payment and carriage do not agree, or one of them is missing",
        "订单、支付单、物流单不一致，或缺少其一",
    ),
    8: ("HELD", "the pack is held", "包装处于扣留状态"),
    9: ("RECALLED", "the pack is recalled", "包装已被召回"),
    10: ("STOLEN", "the pack was reported stolen", "包装已报失窃"),
    11: (
        "UNVERIFIED_RETURN", "a returned pack was released before an inspection found it conformant",
        "退回的包装未经查验合格即被放行",
    ),
    12: (
        "NOT_ORIGINAL", "what came back under an export return was never exported under this code",
        "以出口退货名义退回之物，从未以此码出口",
    ),
    13: (
        "NOT_UNDER_BOND", "repair and relabelling happen under bond, and the pack is not there",
        "维修和换标须在保税状态下进行，而该包装不在保税状态",
    ),
    14: (
        "OFFLINE_PICKUP_UNLICENSED", "bonded goods were handed over, or sent, where no licence allows it",
        "在未获许可处交付或调拨保税货物",
    ),
    15: (
        "ZONE", "the place is in no zone that customs has confirmed for bonded online shopping (1210)",
        "该地点不在海关确认的网购保税进口（1210）区域内",
    ),
    16: (
        "NON_CONSUMER", "the buyer is no individual consumer, or the order does not say who it is",
        "购买者不是个人消费者，或订单未说明购买者",
    ),
    17: ("SCOPE", "the product is not on the list of varieties of the pilot", "产品不在试点品种清单内"),
    18: (
        "MERCHANT_SUSPENDED", "the merchant of the product, or who sells it, is suspended or was never admitted",
        "产品商户或销售方已被暂停，或从未准入",
    ),
    19: (
        "LIMIT", "the order, or what its buyer ordered this year, is over the limit of personal purchases",
        "订单金额或购买者年度累计超过个人购买限额",
    ),
    20: ("EXPIRED_LOCK", "the pack has expired and is locked", "包装已过有效期并锁定"),
    21: ("WRONG_BUYER", "who took the pack is not who ordered it", "取货人不是下单人"),
    22: ("RETURN_LATE", "the return was applied for, or arrived, after its term", "退货申请或退回超过期限"),
    23: ("EXPORT_RETURN_LATE", "the exported pack came back after its term", "出口包装超过期限退回"),
    24: (
        "LOT_MISMATCH", "the lot on the label is not the one that the pack was commissioned with",
        "标签批号与赋码时不一致",
    ),
    25: (
        "EXPIRY_MISMATCH", "the expiry date on the label is not the one that the pack was commissioned with",
        "标签有效期与赋码时不一致",
    ),
    26: (
        "UNDO_MISMATCH", "what is declared an error is not the last thing that happened to the pack",
        "被声明有误的并非该包装的最后一步",
    ),
    27: ("UNDO_LATE", "the time in which the event could be taken back is over", "可撤回的期限已过"),
    28: ("UNDO_ACTOR", "the event is taken back by somebody else than who stated it", "撤回者并非原陈述者"),
    29: ("UNDO_PLACE", "the event is taken back at another place than it happened at", "撤回地点与发生地点不同"),
    30: ("UNDO_EXPIRED", "the pack has expired since, so nothing can be taken back", "包装已过有效期，不能撤回"),
    31: ("UNDO_RECALLED", "the pack is recalled, so nothing can be taken back", "包装已被召回，不能撤回"),
    32: ("UNDO_STOLEN", "the pack was reported stolen, so nothing can be taken back", "包装已报失窃，不能撤回"),
    33: (
        "UNDO_SUPPLIED", "the pack was handed to its buyer, so nothing can be taken back",
        "包装已交付购买者，不能撤回",
    ),
    34: ("PRODUCT_UNREGISTERED", "the product has no registration file", "产品没有登记档案"),
    35: (
        "PRODUCT_BARRED",
        "the screening found a controlled substance: information on the product may not be spread, nor may it be sold",
        "审查发现含管制成分：不得发布信息，也不得销售",
    ),
    36: ("PLACE_UNREGISTERED", "the place is not in the register, or was closed", "该地点未登记或已关闭"),
    37: (
        "CARRIER_UNASSESSED", "the carrier has no valid assessment, or did not pass it",
        "承运方没有有效评估，或评估未通过",
    ),
    38: ("PLATFORM_SELLS", "the platform itself is named as the seller", "以平台自身为销售方"),
    39: (
        "SERVICE_STOPPED", "the regulator ordered to stop service for this product, its merchant or the pilot",
        "监管部门已责令停止对该产品、商户或试点的服务",
    ),
    40: (
        "ALREADY_PACKED", "it was packed into, or seen in, one container while it was in another",
        "该码已在另一容器中",
    ),
    41: (
        "PACKING_CYCLE", "a container was packed into itself, or into something that is in it",
        "容器装入其自身所含之物：互相包含",
    ),
    42: ("NOT_PACKED", "it was taken out of a container that it was not in", "被取出之码并不在该容器中"),
}

# The codes of section 16 in short words, by what they point at.
_REPORT_CODES: dict[str, ReportBoth] = {
    "BUNDLE_FILE": ("a file of the bundle is not as it has to be", "数据包内文件不合规定"),
    "BUNDLE_TILE": ("a tile is not what the headers give", "哈希瓦片与条目头不符"),
    "BUNDLE_SURPLUS": ("a file that does not belong here", "多余的文件"),
    "PROOF": ("a proof does not lead to the signed tree", "证明未导向签名树"),
    "CONSISTENCY": ("not shown to extend the older checkpoint", "未证明系旧检查点之延续"),
    "CHECKPOINT_MISSING": ("there is no checkpoint", "缺少检查点"),
    "CHECKPOINT_MALFORMED": ("malformed checkpoint", "检查点格式有误"),
    "CHECKPOINT_SIGNATURE": ("the checkpoint is not signed by the key", "检查点签名无效"),
    "CHECKPOINT_ORIGIN": ("a checkpoint of another log", "检查点来自其他日志"),
    "CHECKPOINT_SIZE": ("another number of entries than signed", "检查点的条目数不符"),
    "TREE_ROOT": ("the tree is not the signed one", "默克尔树根不符"),
    "TREE_NODE": ("a node of the tree is wrong", "默克尔树节点不符"),
    "TAIL_SURPLUS": ("unsigned entries at the end", "末尾有未签名的条目"),
    "ROLLBACK": ("the log was set back", "日志被回滚"),
    "FORK": ("the log has two versions", "日志分叉"),
    "ENTRY_MISSING": ("an entry is missing", "缺少条目"),
    "ENTRY_DUPLICATED": ("an entry is there twice", "条目重复"),
    "ENTRY_ORDER": ("entries in wrong order", "条目次序有误"),
    "HEADER_MALFORMED": ("malformed header", "条目头格式有误"),
    "HEADER_COUNTS": ("lengths or counts in the header are wrong", "条目头计数不符"),
    "TIME_DECREASED": ("receipt time went back", "接收时间倒退"),
    "TIME_JUMP": ("receipt time jumped", "接收时间跳跃"),
    "TIME_FLAG": ("wrong flag of the receipt time", "时间标志不符"),
    "TIME_AHEAD": ("received later than now", "接收时间晚于核验时间"),
    "KEEP_UNTIL": ("the day to keep until is not by the policy", "保存期限与政策不符"),
    "CONTENT_MISSING": ("a content is missing", "缺少内容"),
    "CONTENT_COMMITMENT": ("a content is not what was committed to", "内容与其承诺值不符"),
    "CONTENT_MALFORMED": ("malformed content", "内容格式有误"),
    "ROWS_MISSING": ("rows are missing", "缺少单元记录"),
    "ROWS_MALFORMED": ("malformed rows", "单元记录格式有误"),
    "ROW_ROOT": ("rows are not what the header commits to", "单元记录与条目头不符"),
    "ROW_SUBJECTS": ("rows are of other units than the content", "单元记录的对象与内容不符"),
    "ROW_ACT": ("a row tells another act than the content", "单元记录的步骤与内容不符"),
    "ROW_FIRST": ("wrong number of first rows", "首条记录不符"),
    "ROW_LINK": ("the chain of a unit is broken", "单元链断裂"),
    "ROW_STATE": ("a state does not follow", "单元状态不符"),
    "ROW_VIOLATIONS": ("broken rules are not recorded rightly", "违规记录不符"),
    "SUBJECT_LOST": ("a unit disappeared", "对象消失"),
    "PRUNE_RECORD": ("malformed or false record of a pruning", "清理记录有误"),
    "PRUNE_POLICY": ("pruned by another policy than in force", "清理所依据的保存政策不符"),
    "PRUNE_WAIT": ("pruned before the announced time had passed", "清理公示期不足"),
    "PRUNE_EARLY": ("pruned while it had to be kept", "保存期未满即被清理"),
    "PRUNE_HELD": ("pruned while under hold", "留存令期间被清理"),
    "PRUNE_ORDER": ("pruned out of order", "清理次序有误"),
    "PRUNE_KEPT": ("said to be pruned, but there", "记为已清理但仍存在"),
    "STATEMENT_MALFORMED": ("malformed statement", "陈述格式有误"),
    "STATEMENT_LEDGER": ("a statement for another ledger", "陈述属于其他账本"),
    "STATEMENT_AUTHOR": ("a statement of another author", "陈述的作者不符"),
    "STATEMENT_SIGNATURE": ("the author's signature does not stand", "陈述签名无效"),
    "STATEMENT_COVERAGE": ("a statement does not cover its entries", "陈述未准确覆盖条目"),
    "STATEMENT_ROOT": ("not what the author stated", "陈述的根不符"),
    "EVENT_UNCOVERED": ("no author stated this entry", "事件没有陈述为证"),
    "AUTHOR_UNKNOWN": ("the author's key is not authorised", "作者密钥未获授权"),
    "AUTHOR_REVOKED": ("the author's key was revoked before", "作者密钥已被吊销"),
    "AUTHOR_SCOPE": ("the author's key may not state this", "超出作者密钥的授权范围"),
    "AUTHOR_GAP": ("statements of an author are missing", "作者序号不连续"),
    "AUTHOR_CHAIN": ("an author's statements do not follow each other", "作者的陈述链断裂"),
    "EQUIVOCATION": ("an author signed two versions", "作者自相矛盾的两份陈述"),
    "GENESIS": ("wrong genesis entry", "创世记录有误"),
    "KEY_RECORD": ("wrong key record", "密钥记录有误"),
    "CLOCK_RECORD": ("wrong clock record", "时钟记录有误"),
    "EPOCH_RECORD": ("wrong epoch record", "纪元记录有误"),
    "EPOCH_LOST": ("entries were lost, and not settled", "有条目已丢失，尚未结清"),
    "EVIDENCE_RECORD": ("wrong evidence record", "证据记录有误"),
    "SETTLEMENT": ("wrong settlement", "结清记录有误"),
    "SEAL_RECORD": ("malformed or false seal", "封存记录有误"),
    "SEAL_ROOT": ("a seal is not that of the log", "封存根与日志不符"),
    "SEAL_NOTE": ("an auditor's note on a seal does not stand", "审计方封存声明无效"),
    "CHAIN_INCOMPLETE": ("a history is not complete", "流转历史不完整"),
    "ABSENCE": ("absence of a code is not proven", "未能证明编码从未出现"),
    "DISCLOSURE": ("a disclosed value is not the committed one", "披露的字段值与承诺不符"),
    "WITNESS_SIGNATURE": ("a witness's signature does not stand", "见证签名无效"),
    "WITNESS_QUORUM": ("too few witnesses", "见证方数量不足"),
    "WITNESS_TIME": ("received later than witnesses saw it", "接收时间晚于见证时间"),
    "INDEX": ("the index is not that of the log", "索引与日志不符"),
}

# What a finding points at, and what to do: the first group whose word begins the code.
_REPORT_MEANINGS: tuple[tuple[tuple[str, ...], ReportBoth], ...] = (
    (
        ("ROLLBACK", "FORK", "CONSISTENCY", "WITNESS_TIME"),
        (
            (
                "The log shown here may not be the one shown to you or to others before. Keep this bundle "
                "and the older "
                "checkpoint as evidence, and compare checkpoints with the other authorities."
            ),
            (
                "此处出示的日志可能不是先前出示给您或他人的那一份。请将此数据包与旧检查点作为证据保存，"
                "并与其他监管部门比对检查点。"
            ),
        ),
    ),
    (
        ("CHECKPOINT_", "TREE_", "TAIL_", "PROOF"),
        (
            (
                "What is shown is not what the log key signed. Make sure that the verifier key is the "
                "right one; if it is, "
                "the bundle was altered after signing, or is another ledger's."
            ),
            "所出示的并非日志密钥所签。请先确认验证公钥无误；如无误，则此数据包在签名后被改动，或属于另一账本。",
        ),
    ),
    (
        ("BUNDLE_",),
        (
            "The bundle itself is damaged or was altered. Ask for it again, in another way if need be.",
            "包本身损坏或被改动。请要求重新提供，必要时改用其他途径。",
        ),
    ),
    (
        ("WITNESS_",),
        (
            (
                "The witnesses did not confirm this log as your policy demands. Ask them for the "
                "checkpoint that they signed "
                "last."
            ),
            "见证方未按您的政策确认此日志。请向见证方索取其最近签署的检查点。",
        ),
    ),
    (
        ("PRUNE_", "SUBJECT_LOST", "KEEP_UNTIL", "CONTENT_MISSING", "ROWS_MISSING"),
        (
            (
                "Records are gone that had to be kept, or went without due notice. Ask who removed them, "
                "by which decision, "
                "and for the archive."
            ),
            "应保存的记录已不存在，或未经应有公示即被清理。请查明由谁、依据何种决定清理，并索取归档。",
        ),
    ),
    (
        ("STATEMENT_", "EVENT_UNCOVERED", "AUTHOR_", "EQUIVOCATION", "KEY_RECORD", "SETTLEMENT", "EVIDENCE_"),
        (
            (
                "It is not sure that the named author stated these entries, or all that he stated is here. "
                "Ask that author "
                "for what he signed."
            ),
            "不能确定这些条目确系所列作者陈述，或其全部陈述均在此处。请向该作者索取其所签内容。",
        ),
    ),
    (
        ("CONTENT_", "ROW_ROOT", "ROWS_MALFORMED"),
        (
            (
                "What an entry says was changed after it was recorded. It is no evidence any more; ask its author for "
                "the original."
            ),
            "条目所载内容在记录之后被改动，已不能作为证据。请向其作者索取原件。",
        ),
    ),
    (
        ("TIME_", "CLOCK_"),
        (
            "Receipt times are not to be relied on here: a clock was moved, or times were written afterwards.",
            "此处的接收时间不可采信：时钟曾被调动，或时间系事后写入。",
        ),
    ),
    (
        ("ROW_", "ROWS_", "CHAIN_INCOMPLETE", "SEAL_"),
        (
            (
                "The history of a unit was cut, changed or not told in full. Do not rely on what is said "
                "of the units named "
                "until it is explained."
            ),
            "某单元的流转历史被截断、改动或未完整出示。查明之前，不应采信有关单元的内容。",
        ),
    ),
    (
        ("ABSENCE",),
        (
            "Nothing shows that this code was never in the ledger: it may be there. Ask for another proof, or for the "
            "whole log.",
            "未能证明该编码从未出现于账本：它可能就在其中。请要求另行证明，或索取整本日志。",
        ),
    ),
    (
        ("EPOCH_",),
        (
            "Entries were lost when a backup was put back. Ask which ones, and who has them still.",
            "恢复备份时丢失了条目。请查明丢失哪些，以及何方仍有保存。",
        ),
    ),
    (
        ("DISCLOSURE",),
        (
            "The personal or private value shown is not the one that was recorded. Do not use it.",
            "所披露的私密字段值并非当初记录之值。请勿使用。",
        ),
    ),
)
_REPORT_MEANING_OTHER: ReportBoth = (
    "The log breaks its own format here: it was altered, or written by something else than the ledger.",
    "日志在此违反自身格式：曾被改动，或并非由账本写入。",
)

# Counts that are shown in this order, for one and for more; any other is shown by its name behind them.
_REPORT_COUNTS: dict[str, ReportBoth] = {
    "entries": ("entry|entries", "条目"),
    "events": ("event|events", "事件"),
    "records": ("record|records", "登记记录"),
    "statements": ("statement of an author|statements of authors", "作者陈述"),
    "signatures": ("signature|signatures", "签名"),
    "authors": ("author key|author keys", "作者密钥"),
    "contents": ("content|contents", "内容"),
    "rows": ("row of a unit|rows of units", "单元记录"),
    "subjects": ("units and other subjects", "单元及其他对象"),
    "links": ("link of a chain|links of chains", "链节"),
    "histories": ("complete history|complete histories", "完整流转历史"),
    "proofs": ("proof in the tree|proofs in the tree", "树内证明"),
    "tiles": ("tile of the tree|tiles of the tree", "哈希瓦片"),
    "files": ("file|files", "文件"),
    "seals": ("seal checked|seals checked", "已核对的封存"),
    "seals_unworkable": (
        "seal that cannot be worked out again|seals that cannot be worked out again", "无法重新推算的封存",
    ),
    "witnessed": ("witnessed checkpoint|witnessed checkpoints", "经见证的检查点"),
    "cosignatures": ("cosignature of a witness|cosignatures of witnesses", "见证联署"),
    "absences": ("code shown to be absent|codes shown to be absent", "证明从未出现的编码"),
    "disclosures": ("disclosed value|disclosed values", "披露的字段值"),
    "prunings": ("pruning|prunings", "清理"),
    "contents_pruned": ("content pruned|contents pruned", "已清理的内容"),
    "rows_pruned": ("entry whose rows were pruned|entries whose rows were pruned", "已清理单元记录的条目"),
    "believed": ("link to a row that was pruned|links to rows that were pruned", "指向已清理记录的链节"),
    "holds": ("hold|holds", "留存令"),
    "epochs": ("restored backup|restored backups", "备份恢复"),
    "clocks": ("clock record|clock records", "时钟记录"),
    "evidence": ("record of evidence|records of evidence", "证据记录"),
    "violations": (
        "broken rule that the ledger itself recorded|broken rules that the ledger itself recorded",
        "账本自行记录的违规",
    ),
}

_REPORT_KINDS: dict[str, ReportBoth] = {
    "whole": ("the whole log", "整本日志"),
    "excerpt": ("an excerpt", "节选"),
    "absence": ("proof that codes are absent", "编码未出现证明"),
}


def report_act(rules: int, pack: bool, act: int) -> ReportBoth:
    """The act of a row in words (format.md sections 7.1 and 7.2); an expiry day above its number is left out."""
    number = act & 0xFF
    if rules == 2 and pack:
        return _REPORT_ACTS[number] if number < len(_REPORT_ACTS) else (f"act {number}", f"步骤 {number}")
    return _REPORT_ACTS[number] if number < 3 else (f"act {number}", f"步骤 {number}")


def report_state(pack: bool, state: int) -> ReportBoth:
    """The state of a row in words. States of rule set 1 are those of packs that were only ever active or ended."""
    if not pack:
        return (
            _REPORT_PLAIN_STATES[state]
            if 0 <= state < len(_REPORT_PLAIN_STATES)
            else (f"state {state}", f"状态 {state}")
        )
    custody = state & 15
    words = [_REPORT_CUSTODY[custody] if custody < len(_REPORT_CUSTODY) else (f"custody {custody}", f"状态 {custody}")]
    words += [flag for bit, flag in enumerate(_REPORT_FLAGS, 4) if state >> bit & 1]
    expiry = state >> 9
    if expiry:
        day = report_day(expiry + 10957)  # 2000-01-01
        words.append((f"expires {day}", f"有效期至 {day}"))
    return ", ".join(english for english, _ in words), "、".join(chinese for _, chinese in words)


def report_violation(number: int) -> tuple[str, str, str]:
    """Name, English and Chinese words of a violation."""
    return _REPORT_VIOLATIONS.get(
        number, (f"VIOLATION_{number}", "a rule that this script does not know", "本脚本不识别的规则")
    )


def _report_code(code: str) -> ReportBoth:
    """A code of section 16 in short words."""
    return _REPORT_CODES.get(code, (code, code))


def _report_meaning(code: str) -> ReportBoth:
    """What a code points at, and what to do about it."""
    for beginnings, words in _REPORT_MEANINGS:
        if code.startswith(beginnings):
            return words
    return _REPORT_MEANING_OTHER


# ================================================================================================
# Texts of the bundle, numbers and times, for people
# ================================================================================================

# Control, format (zero width, direction marks), surrogate, private use, unassigned; line and paragraph separators.
_REPORT_STEERING = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_REPORT_MOST_MARKS = 3  # combining marks on one letter: more would be drawn over other lines


def report_visible(value: object) -> str:
    r"""The text of `value` on one line; what cannot be seen, or steers what is seen, as \x1b, \u202e ..."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for one in text:
        category = unicodedata.category(one)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        hidden = category in _REPORT_STEERING or marks > _REPORT_MOST_MARKS
        shown.append(one.encode("unicode_escape").decode("ascii") if hidden else one)
    return "".join(shown)


def _report_cut(value: object, most: int = 1200) -> str:
    """A text made visible, cut where nobody would read on."""
    text = str(value)
    return report_visible(text if len(text) <= most else text[:most] + "…")


def _report_said(one: dict[str, Any]) -> ReportBoth:
    """What a finding or a note says, as a sentence in each language."""
    english, chinese = _report_cut(one["en"]), _report_cut(one["zh"])
    if re.match("[a-z]+[ ,]", english):
        english = english[0].upper() + english[1:]
    if english[-1:].isalnum() or english[-1:] in (")", "'"):
        english += "."
    if chinese[-1:].isalnum() or chinese[-1:] in ("）", ")", "'"):
        chinese += "。"
    return english, chinese


def report_human(subject: str) -> str:
    """A canonical id as it is read by people (format.md section 9.2): `(01)09521234001072(21)BJ0001`."""
    if len(subject) > 480:
        return _report_cut(subject, 480)
    if prune_canonical(subject) != subject:
        return report_visible(subject)  # another spelling of a code is another subject, and must not look like it
    parts = subject.split("/")
    if len(parts) == 2 and parts[0] == "nmpa":
        return report_visible(parts[1])
    if len(parts) < 2 or len(parts) % 2 or not all(re.fullmatch("[0-9]{2,4}", ai) for ai in parts[::2]):
        return report_visible(subject)
    try:
        values = [unquote(value, errors="strict").replace("(", "\\(") for value in parts[1::2]]
    except UnicodeDecodeError:
        return report_visible(subject)
    return report_visible("".join(f"({ai}){value}" for ai, value in zip(parts[::2], values)))


_REPORT_EPOCH = datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=8))) + timedelta(hours=8)


def report_time(ms: int) -> str:
    """Milliseconds since 1970 by Beijing's clock, to the second: `2026-11-21 08:30:00 +08:00`."""
    try:
        moment = _REPORT_EPOCH + timedelta(seconds=ms // 1000)
    except OverflowError:
        return f"{ms} ms"
    return moment.strftime("%Y-%m-%d %H:%M:%S +08:00") if moment.year >= 1000 else f"{ms} ms"


def _report_claimed(ns: int, offset: int | None) -> str:
    """A claimed time by the clock of the place that claims it."""
    minutes = 0 if offset is None else offset
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=ns // 10**9, minutes=minutes)
    except OverflowError:
        return f"{ns} ns"
    sign, away = "-" if minutes < 0 else "+", abs(minutes)
    zone = "" if minutes == 480 else f" {sign}{away // 60:02}:{away % 60:02}"  # Beijing's is not said each time
    return f"{moment:%Y-%m-%d %H:%M:%S}{zone}"


def report_day(day: int) -> str:
    """A day since 1970-01-01 (format.md section 5.9)."""
    try:
        return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
    except OverflowError:
        return f"day {day}"


def _report_size(count: int) -> str:
    """Bytes in a unit that people read."""
    if count < 10_000:
        return f"{count:,} B"
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= one:
            return f"{count / one:,.1f} {unit}"
    return f"{count:,} B"


def _report_scope(scope: Sequence[str] | None) -> ReportBoth:
    """What a key may state (format.md section 5.3)."""
    if scope is None:
        return "everything", "全部"
    kinds = ", ".join(_report_cut(one, 64) for one in scope)
    return kinds, kinds.replace(", ", "、")


def _report_step(step: dict[str, Any]) -> ReportBoth:
    """What happened in a step of a timeline: the act, or where that says nothing, the business step."""
    rules, pack, act = step.get("rules") or 1, bool(step.get("pack")), step.get("act") or 0
    business = step.get("step")
    if act & 0xFF in (0, 3) and business is not None:
        if isinstance(business, int) and 0 <= business < len(_REPORT_STEPS):
            return _REPORT_STEPS_ENGLISH[business].replace("_", " "), _REPORT_STEPS[business]
        return (_report_cut(business, 160),) * 2
    return report_act(rules, pack, act)


# ================================================================================================
# The verdict, and the four questions that a regulator has
# ================================================================================================


def _report_total(result: dict[str, Any]) -> int:
    """All findings, those beyond the listed ones included."""
    return len(result.get("findings") or ()) + (result.get("beyond") or 0)


def _report_alike(findings: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Findings that say the same of several entries or units, told once: (the first of them, all of them), in order."""
    groups: dict[tuple[object, object], list[dict[str, Any]]] = {}
    for one in findings:
        groups.setdefault((one.get("code"), one.get("en")), []).append(one)
    return [(group[0], group) for group in groups.values()]


def _report_where(one: dict[str, Any]) -> ReportBoth:
    """The entry of a finding, and the unit."""
    index, subject = one.get("index"), one.get("subject")
    english, chinese = ("the log as a whole", "整体") if index is None else (f"entry {index:,}", f"条目 {index:,}")
    unit = f" · {report_human(str(subject))}" if subject else ""
    return english + unit, chinese + unit


def report_verdict(result: dict[str, Any]) -> tuple[str, ReportBoth, ReportBoth]:
    """(good, open or bad; the headline; what that means)."""
    total = _report_total(result)
    if result.get("verdict") == "unreadable":
        error = result.get("error") or {}
        return (
            "bad", ("UNREADABLE", "无法读取"),
            _report_said({
                "en": error.get("en") or "This is no bundle that can be read.",
                "zh": error.get("zh") or "无法作为数据包读取。",
            }),
        )
    given = bool((result.get("key") or {}).get("given"))
    if total:
        unchecked = (
            ("", "")
            if given
            else (
                " Authenticity was not checked either: no verifier key was given.",
                "真实性亦未核验：未提供验证公钥。",
            )
        )
        return (
            "bad", ("1 FINDING" if total == 1 else f"{total:,} FINDINGS", f"发现 {total:,} 项问题"),
            (
                "What is shown does not agree with itself, with what was signed, or with what had to be kept. Do not "
                "rely on it until every finding is explained." + unchecked[0],
                "所出示的内容与其自身、与所签内容或与应保存的内容不一致。在逐项查明之前，不应采信。" + unchecked[1],
            ),
        )
    if not given:
        return (
            "open", ("CONSISTENT, AUTHENTICITY NOT CHECKED", "内部一致，真实性未核验"),
            (
                (
                    "Nothing contradicts itself, but anybody can make such a bundle with keys of his own. "
                    "Run the check "
                    "again with --key and the verifier key that you know from outside the bundle."
                ),
                (
                    "内容没有自相矛盾，但任何人都能用自己的密钥制作这样的包。请用 --key "
                    "提供您从数据包之外得知的验证公钥，重新核验。"
                ),
            ),
        )
    witnesses = result.get("witnesses")
    if not witnesses or not witnesses.get("sufficient"):
        return (
            "good", ("VERIFIED, UNWITNESSED", "通过核验，无见证"),
            (
                (
                    "Everything that was looked at agrees with what the log key signed. No witness confirmed it: an "
                    "operator who has all keys could show different logs to different people."
                ),
                "所核验的内容均与日志密钥所签一致。但无见证方确认：持有全部密钥的运营方可向不同的人出示不同的日志。",
            ),
        )
    size = (result.get("checkpoint") or {}).get("size") or 0
    covered = witnesses.get("covered") or 0
    if covered < size:
        left = size - covered
        return (
            "good", ("VERIFIED, WITNESSED", "通过核验，有见证"),
            (
                (
                    "Everything that was looked at agrees with what the log key signed, and the witnesses "
                    "confirmed the "
                    f"first {covered:,} entries; the {left:,} behind them are not witnessed yet."
                ),
                f"所核验的内容均与日志密钥所签一致；见证方已确认前 {covered:,} 个条目，其后 {left:,} 个尚未见证。",
            ),
        )
    return (
        "good", ("VERIFIED, WITNESSED", "通过核验，有见证"),
        (
            "Everything that was looked at agrees with what the log key signed, and the witnesses confirmed it.",
            "所核验的内容均与日志密钥所签一致，并经见证方确认。",
        ),
    )


def _report_names(names: Iterable[object]) -> ReportBoth:
    shown = [_report_cut(one, 160) for one in names]
    return ", ".join(shown), "、".join(shown)


def _report_questions(result: dict[str, Any]) -> list[tuple[str, ReportBoth, ReportBoth, ReportBoth]]:
    """The four questions: (good, open or bad; the question; the answer; more)."""
    return [
        _report_question_key(result), _report_question_changed(result), _report_question_complete(result),
        _report_question_witnesses(result),
    ]


def _report_question_key(result: dict[str, Any]) -> tuple[str, ReportBoth, ReportBoth, ReportBoth]:
    asks = ("Is it this ledger's?", "是否出自该账本？")
    key, ledger = result.get("key") or {}, result.get("ledger") or {}
    origin = report_visible(ledger.get("origin") or (result.get("checkpoint") or {}).get("origin") or "")
    if not key.get("given"):
        return (
            "open", asks, ("Not checked", "未核验"),
            ("No verifier key was given from outside the bundle.", "未从数据包之外提供验证公钥。"),
        )
    if key.get("stands") and _report_any(
        result, "TREE_ROOT", "PROOF", "CHECKPOINT_", "ROLLBACK", "FORK", "CONSISTENCY"
    ):
        return (
            "bad", asks, ("Not shown", "未证明"),
            (
                "The key signed the checkpoint, but what is shown does not lead to it, or not from what was known.",
                "检查点确由该密钥签名，但所示内容与其不符，或与先前所知不符。",
            ),
        )
    if key.get("stands"):
        return "good", asks, ("Yes", "是"), (f"Signed by the log key of {origin}.", f"由 {origin} 的日志密钥签名。")
    return ("bad", asks, ("No", "否"), ("The checkpoint is not signed by the given key.", "检查点并非由所给密钥签名。"))


def _report_question_changed(result: dict[str, Any]) -> tuple[str, ReportBoth, ReportBoth, ReportBoth]:
    asks = ("Is it unaltered?", "是否未经改动？")
    total = _report_total(result)
    if not total and not (result.get("key") or {}).get("given"):
        return (
            "open", asks, ("Only in itself", "仅就自身而言"),
            ("Nothing contradicts itself; who signed it is not known.", "没有自相矛盾之处；何方签名则不得而知。"),
        )
    if not total:
        return ("good", asks, ("Yes", "是"), ("Nothing disagrees with what was signed.", "没有与所签内容不符之处。"))
    first = (result.get("findings") or [{}])[0]
    english, chinese = _report_code(str(first.get("code")))
    return (
        "bad", asks, ("1 finding" if total == 1 else f"{total:,} findings", f"{total:,} 项问题"),
        (f"The first: {english}.", f"第一项：{chinese}。"),
    )


def _report_question_complete(result: dict[str, Any]) -> tuple[str, ReportBoth, ReportBoth, ReportBoth]:
    asks = ("Is it complete?", "是否完整？")
    kind = (result.get("bundle") or {}).get("kind")
    size = (result.get("checkpoint") or {}).get("size") or 0
    broken = _report_any(result, *_REPORT_INCOMPLETE)
    if broken:
        return (
            "bad", asks, ("No", "否"),
            ("Something is missing that has to be there: see the findings.", "缺少必须具备的内容，见所发现的问题。"),
        )
    if kind == "whole" and _report_any(result, "TREE_", "PROOF", "CHECKPOINT_", "TAIL_", "ROLLBACK", "FORK", "BUNDLE_"):
        return (
            "open", asks, ("Not shown", "未证明"),
            ("What is here is not what was signed, so nothing tells.", "所示并非所签内容，无从判断。"),
        )
    if kind == "whole" and not (result.get("key") or {}).get("given"):
        return (
            "open", asks, ("By its own word", "仅凭自述"),
            (
                f"All {size:,} entries of the checkpoint that it brings along.",
                f"与其自带检查点相符，共 {size:,} 个条目。",
            ),
        )
    if kind == "whole":
        pruned = (result.get("counts") or {}).get("contents_pruned") or 0
        more = (
            (f"All {size:,} entries that were signed.", f"所签的全部 {size:,} 个条目。")
            if not pruned
            else (
                f"All {size:,} entries; the contents of {pruned:,} were pruned by rule.",
                f"全部 {size:,} 个条目，其中 {pruned:,} 个的内容已依规清理。",
            )
        )
        return "good", asks, ("Yes", "是"), more
    seals = result.get("seals") or []
    if not seals:
        return (
            "open", asks, ("Not shown", "未证明"),
            ("Without a seal, entries of these units may have been left out.", "没有封存，可能遗漏了这些单元的条目。"),
        )
    seal = seals[-1]
    auditors = [one.get("name") for one in seal.get("auditors") or () if one.get("stands")]
    by = _report_names(auditors)
    said = (
        (f", as asserted by the ledger and by {by[0]}", f"（由账本及 {by[1]} 声明）")
        if auditors
        else (", as asserted by the ledger alone", "（仅由账本声明）")
    )
    when = report_time(seal.get("received") or 0)[:10]
    further = ("", "")
    if size > (seal.get("size") or 0) + 2:  # the seal's own record and statement are behind it
        further = (f" The log goes on to entry {size - 1:,}.", f"账本续至条目 {size - 1:,}。")
    timelines = result.get("timelines") or []
    counts = result.get("counts") or {}
    if timelines:
        shown = all(one.get("complete") for one in timelines)
    else:  # the histories are those of keys, too: nothing is complete by them where there are events
        shown = not counts.get("events") and bool(result.get("absences") or counts.get("histories"))
    if not shown:
        return (
            "open", asks, ("Not for all", "并非全部"),
            ("Not all histories lead up to the seal.", "并非所有流转历史都核对至封存。"),
        )
    return (
        "good" if auditors else "open", asks,
        (f"Up to entry {(seal.get('size') or 0) - 1:,}", f"截至条目 {(seal.get('size') or 0) - 1:,}"),
        (f"What is listed below, on {when}{said[0]}.{further[0]}", f"就以下所列，{when}{said[1]}。{further[1]}"),
    )


# Beginnings of codes that say that something is missing which has to be there.
_REPORT_INCOMPLETE = (
    "ENTRY_MISSING", "CONTENT_MISSING", "ROWS_MISSING", "SUBJECT_LOST", "CHAIN_INCOMPLETE", "AUTHOR_GAP", "ABSENCE",
    "EPOCH_LOST", "CHECKPOINT_SIZE", "PRUNE_",
)  # fmt: skip


def _report_any(result: dict[str, Any], *beginnings: str) -> bool:
    """Whether anything was found whose code begins with one of these."""
    codes = {str(one.get("code")) for one in result.get("findings") or ()} | set(result.get("by_code") or ())
    return any(code.startswith(beginnings) for code in codes)


def _report_policy(witnesses: dict[str, Any]) -> ReportBoth:
    """A witness policy in a few words: `3 of 4`; of one in a file, how many witnesses it names."""
    policy = witnesses.get("policy") or {}
    text, count = str(policy.get("text") or "").strip(), len(policy.get("names") or ())
    found = re.fullmatch("([0-9]{1,4}) (?:of|/) ([0-9]{1,4})", text, re.ASCII)
    if found:
        return f"{found[1]} of {found[2]}", f"{found[2]} 取 {found[1]}"
    if "\n" in text or not text:
        return f"a policy of {count} witnesses", f"{count} 个见证方的政策"
    return (_report_cut(text, 160),) * 2


def _report_question_witnesses(result: dict[str, Any]) -> tuple[str, ReportBoth, ReportBoth, ReportBoth]:
    asks = ("Did others see the same?", "他方所见是否相同？")
    witnesses = result.get("witnesses")
    if not witnesses:
        return (
            "open", asks, ("Unwitnessed", "无见证"),
            (
                "No witness policy was given: a second version would not be seen.",
                "未提供见证政策：另有版本亦无从得知。",
            ),
        )
    policy = _report_policy(witnesses)
    if not witnesses.get("sufficient"):
        more = (f"Too few witnesses ({policy[0]}).", f"见证方不足（{policy[1]}）。")
        return "bad", asks, ("Not confirmed", "未获确认"), more
    if _report_any(result, "FORK", "WITNESS_"):
        return (
            "bad", asks, ("No", "否"), ("What witnesses saw is not what is shown here.", "见证方所见并非此处所示。"),
        )
    size, covered = (result.get("checkpoint") or {}).get("size") or 0, witnesses.get("covered") or 0
    notes = witnesses.get("notes") or [{}]
    when = notes[-1].get("by")
    by = f" by {report_time(when * 1000)[:16]}" if when else ""
    until = f"，不晚于 {report_time(when * 1000)[:16]}" if when else ""
    if covered < size:
        return (
            "open", asks, (f"Up to entry {covered - 1:,}", f"截至条目 {covered - 1:,}"),
            (
                f"Confirmed{by}; {size - covered:,} behind are not yet.",
                f"已确认{until}；其后 {size - covered:,} 个条目尚未见证。",
            ),
        )
    return "good", asks, ("Yes", "是"), (f"Confirmed{by} ({policy[0]}).", f"已确认{until}（{policy[1]}）。")


# ================================================================================================
# QR code: ISO/IEC 18004, byte mode, error correction level M, versions 1 to 40
# ================================================================================================

# By version: error correction codewords of a block, number of blocks (level M; table 9 of the standard).
_REPORT_QR_CHECK = (
    10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
    26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
)  # fmt: skip
_REPORT_QR_BLOCKS = (
    1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
    17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49,
)  # fmt: skip
#: Clause 7.8.2: which modules change, by row i and column j.
_REPORT_QR_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda i, j: (i + j) % 2 == 0,
    lambda i, _: i % 2 == 0,
    lambda _, j: j % 3 == 0,
    lambda i, j: (i + j) % 3 == 0,
    lambda i, j: (i // 2 + j // 3) % 2 == 0,
    lambda i, j: i * j % 2 + i * j % 3 == 0,
    lambda i, j: (i * j % 2 + i * j % 3) % 2 == 0,
    lambda i, j: ((i + j) % 2 + i * j % 3) % 2 == 0,
)


def _report_qr_centres(version: int) -> list[int]:
    """Rows, and columns, in which alignment patterns have their centres (annex E)."""
    if version == 1:
        return []
    count, last = version // 7 + 2, 4 * version + 10
    # Evenly spaced from the last one backwards in even steps; what is left over is between the first two.
    step = 26 if version == 32 else -(-(last - 6) // (2 * (count - 1))) * 2
    return [6, *sorted(last - step * at for at in range(count - 1))]


def _report_qr_codewords(version: int) -> int:
    """Codewords that fit into a symbol: the modules that are left beside all patterns, in bytes."""
    side, centres = 4 * version + 17, len(_report_qr_centres(version))
    modules = side * side - 3 * 64 - 2 * (side - 16) - 31
    if centres:
        # Three of the corners have no alignment pattern; those in row or column 6 share 5 modules with the timing.
        modules -= 25 * (centres * centres - 3) - 5 * 2 * (centres - 2)
    if version >= 7:
        modules -= 36
    return modules // 8


def _report_qr_field() -> tuple[list[int], list[int]]:
    """Powers and logarithms in GF(256) of polynomial 0x11D."""
    powers, logarithms, value = [0] * 512, [0] * 256, 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    return powers, logarithms


def _report_qr_remainder(data: Sequence[int], count: int) -> list[int]:
    """`count` codewords of Reed-Solomon error correction (clause 7.5.2)."""
    powers, logarithms = _report_qr_field()
    divisor = [1]
    for exponent in range(count):  # times (x - 2^exponent), highest power first
        longer = [*divisor, 0]
        for at, one in enumerate(divisor):
            longer[at + 1] ^= powers[logarithms[one] + exponent]
        divisor = longer
    rest = [0] * count
    for one in data:
        factor = one ^ rest[0]
        rest = [*rest[1:], 0]
        if factor:
            shift = logarithms[factor]
            for at in range(count):
                rest[at] ^= powers[logarithms[divisor[at + 1]] + shift]
    return rest


def _report_qr_stream(data: bytes) -> tuple[int, list[int]]:
    """The smallest version that holds the data, and all its codewords in the order in which they are placed."""
    # Without the designator (ECI 26: UTF-8) a reader has to guess what bytes over 127 are.
    prefix = [] if data.isascii() else [(0b0111, 4), (26, 8)]
    for version in range(1, 41):
        codewords = _report_qr_codewords(version)
        room = codewords - _REPORT_QR_CHECK[version - 1] * _REPORT_QR_BLOCKS[version - 1]
        parts = [*prefix, (0b0100, 4), (len(data), 8 if version < 10 else 16)]
        used = sum(width for _, width in parts) + 8 * len(data)
        if used <= 8 * room:
            break
    else:
        raise ValueError(f"{len(data):,} bytes do not fit into a QR code")
    value, bits = 0, 0
    for part, width in parts:
        value, bits = value << width | part, bits + width
    value, bits = value << 8 * len(data) | int.from_bytes(data, "big"), bits + 8 * len(data)
    end = min(4, 8 * room - bits)
    end += -(bits + end) % 8
    value, bits = value << end, bits + end
    stream = list(value.to_bytes(bits // 8, "big"))
    stream += [(0xEC, 0x11)[at % 2] for at in range(room - len(stream))]
    blocks = _REPORT_QR_BLOCKS[version - 1]
    short, longer = divmod(room, blocks)  # the last `longer` blocks have one codeword more
    pieces, at = [], 0
    for number in range(blocks):
        length = short + (number >= blocks - longer)
        pieces.append(stream[at : at + length])
        at += length
    checks = [_report_qr_remainder(piece, _REPORT_QR_CHECK[version - 1]) for piece in pieces]
    placed = [piece[place] for place in range(short + 1) for piece in pieces if place < len(piece)]
    placed += [check[place] for place in range(_REPORT_QR_CHECK[version - 1]) for check in checks]
    return version, placed


def _report_qr_bch(value: int, generator: int, width: int) -> int:
    """A value with its BCH check bits behind it (annexes C and D)."""
    rest = value << width
    for bit in range(rest.bit_length() - 1, width - 1, -1):
        if rest >> bit & 1:
            rest ^= generator << bit - width
    return value << width | rest


class _ReportQr:
    """A symbol being drawn: `dark` modules, and which of them are `fixed` patterns that no mask changes."""

    def __init__(self, version: int) -> None:
        self.version, self.side = version, 4 * version + 17
        self.dark = [[False] * self.side for _ in range(self.side)]
        self.fixed = [[False] * self.side for _ in range(self.side)]
        for at in range(self.side):
            self.put(6, at, at % 2 == 0)
            self.put(at, 6, at % 2 == 0)
        for row, column in ((3, 3), (3, self.side - 4), (self.side - 4, 3)):
            self.square(row, column, 4, (0, 1, 3))
        centres = _report_qr_centres(version)
        for row in centres:
            for column in centres:
                if (row, column) not in ((6, 6), (6, centres[-1]), (centres[-1], 6)):
                    self.square(row, column, 2, (0, 2))
        self.information(0)
        if version >= 7:
            bits = _report_qr_bch(version, 0x1F25, 12)
            for at in range(18):
                self.put(at // 3, self.side - 11 + at % 3, bits >> at & 1 == 1)
                self.put(self.side - 11 + at % 3, at // 3, bits >> at & 1 == 1)

    def put(self, row: int, column: int, dark: bool) -> None:
        self.dark[row][column], self.fixed[row][column] = dark, True

    def square(self, row: int, column: int, reach: int, rings: tuple[int, ...]) -> None:
        """Rings around a centre, as far as they are on the symbol: `rings` are dark."""
        for i in range(max(0, row - reach), min(self.side, row + reach + 1)):
            for j in range(max(0, column - reach), min(self.side, column + reach + 1)):
                self.put(i, j, max(abs(i - row), abs(j - column)) in rings)

    def information(self, mask: int) -> None:
        """Level M (00) and mask, twice (clause 7.9); bit 0 is the lowest one."""
        bits = _report_qr_bch(mask, 0x537, 10) ^ 0x5412
        for at in range(15):
            dark = bits >> at & 1 == 1
            self.put((at if at < 6 else at + 1) if at < 8 else self.side - 15 + at, 8, dark)
            if at < 8:
                self.put(8, self.side - 1 - at, dark)
            else:
                self.put(8, 7 if at == 8 else 14 - at, dark)
        self.put(self.side - 8, 8, True)

    def fill(self, codewords: Sequence[int]) -> None:
        """Codewords in columns of two from the right, upwards and downwards by turns (clause 7.7.3)."""
        bits = (one >> bit & 1 == 1 for one in codewords for bit in range(7, -1, -1))
        upwards = True
        for right in range(self.side - 1, 0, -2):
            column = right if right > 6 else right - 1  # column 6 is timing
            for row in range(self.side - 1, -1, -1) if upwards else range(self.side):
                for at in (column, column - 1):
                    if not self.fixed[row][at]:
                        self.dark[row][at] = next(bits, False)
            upwards = not upwards

    def masked(self, mask: int) -> list[list[bool]]:
        """The finished symbol with one of the masks."""
        self.information(mask)
        changes = _REPORT_QR_MASKS[mask]
        return [
            [dark != (not fixed and changes(i, j)) for j, (dark, fixed) in enumerate(zip(darks, fixeds))]
            for i, (darks, fixeds) in enumerate(zip(self.dark, self.fixed))
        ]


_REPORT_QR_RUN = re.compile("0{5,}|1{5,}")
_REPORT_QR_FINDER = re.compile("(?=00001011101|10111010000)")


def _report_qr_penalty(modules: list[list[bool]]) -> int:
    """How badly a symbol would be read (clause 7.8.3): the mask with the least is taken."""
    lines = ["".join("01"[dark] for dark in row) for row in modules]
    turned = ["".join(column) for column in zip(*lines)]
    points = 0
    for line in (*lines, *turned):
        points += sum(len(run[0]) - 2 for run in _REPORT_QR_RUN.finditer(line))
        points += 40 * sum(1 for _ in _REPORT_QR_FINDER.finditer(line))
    for above, below in zip(lines, lines[1:]):
        points += 3 * sum(
            1 for at in range(len(above) - 1) if above[at : at + 2] + below[at : at + 2] in ("0000", "1111")
        )
    side = len(lines)
    share = sum(line.count("1") for line in lines) * 20
    return points + 10 * (abs(share - 10 * side * side) // (side * side))


def report_qr(data: bytes) -> list[list[bool]]:
    """A QR code of level M, row by row, dark modules true, without the quiet zone of 4 around it.

    Bytes over 127 are marked as UTF-8. ValueError where they do not fit: 2,331 bytes of ASCII, 2,330 others.
    """
    version, codewords = _report_qr_stream(data)
    symbol = _ReportQr(version)
    symbol.fill(codewords)
    return min((symbol.masked(mask) for mask in range(8)), key=_report_qr_penalty)


# ================================================================================================
# Terminal, JSON, progress
# ================================================================================================


def report_default_lang() -> str:
    """The language of the environment: zh or en."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def report_colour(stream: IO[str]) -> bool:
    """Whether colours are shown there: on a terminal that wants them (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _report_columns(text: str) -> int:
    """How wide a text is on a terminal: Chinese characters take two columns, combining marks none."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


_REPORT_PIECES = re.compile(
    # A word, or one Chinese character, each with the closing punctuation behind it; or spaces.
    "[\uff08\u300c\u300a\u201c]?(?:[^\\s\u2e80-\u9fff\uff00-\uffef]+|[\u2e80-\u9fff\uff00-\uffef])"
    "[\u3001\u3002\uff0c\uff1a\uff1b\uff09\u300d\uff1f]*|\\s+"
)


def _report_wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns: broken at spaces and between Chinese characters, long words anywhere."""
    lines, line, used = [], "", 0
    for piece in _REPORT_PIECES.findall(text):
        if piece.isspace():
            if line:
                line, used = line + " ", used + 1
            continue
        for part in _report_broken(piece, width):
            wide = _report_columns(part)
            if used + wide > width and line:
                lines.append(line.rstrip())
                line, used = "", 0
            line, used = line + part, used + wide
    if line.strip() or not lines:
        lines.append(line.rstrip())
    return lines


def _report_broken(piece: str, width: int) -> Iterator[str]:
    """A piece in parts of at most `width` columns."""
    part, used = "", 0
    for one in piece:
        wide = _report_columns(one)
        if used + wide > width and part:
            yield part
            part, used = "", 0
        part, used = part + one, used + wide
    yield part


class _ReportPrinter:
    """Lines of a terminal in one language."""

    def __init__(self, lang: str, colour: bool, width: int) -> None:
        self.at = 1 if lang == "zh" else 0
        self.colour, self.width = colour, max(40, min(width, 110))
        self.lines: list[str] = []

    def say(self, both: ReportBoth) -> str:
        return both[self.at]

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def add(self, text: str, indent: int = 0, paint: str = "", first: str = "") -> None:
        """Wrapped text; `first` stands before its first line, inside the indentation."""
        for number, line in enumerate(_report_wrap(text, self.width - indent)):
            start = " " * (indent - _report_columns(first)) + first if number == 0 else " " * indent
            self.lines.append(start + (self.paint(line, paint) if paint else line))

    def blank(self) -> None:
        self.lines.append("")

    def head(self, both: ReportBoth, count: str = "") -> None:
        self.blank()
        self.add(self.say(both) + (f" {count}" if count else ""), 0, "1")

    def pair(self, label: ReportBoth, text: str) -> None:
        """A label and what it says, in two columns."""
        name = self.say(label)
        wide = 14 if self.at == 0 else 12
        for number, line in enumerate(_report_wrap(text, self.width - wide - 2)):
            start = name + " " * (wide - _report_columns(name)) if number == 0 else " " * wide
            self.lines.append("  " + (self.paint(start, "2") if number == 0 else start) + line)


_REPORT_MARKS = {"good": ("✓", "32;1"), "open": ("~", "33;1"), "bad": ("✗", "31;1")}
_REPORT_TERMINAL_MOST, _REPORT_TERMINAL_PLACES = 50, 8


def report_text(result: dict[str, Any], lang: str = "en", colour: bool = False, width: int = 80) -> str:
    """All that a terminal shows, in one language, lines of at most `width` columns; ends with a line feed."""
    out = _ReportPrinter(lang, colour, width)
    kind, head, meaning = report_verdict(result)
    mark, paint = _REPORT_MARKS[kind]
    out.add(out.say(head), 2, paint, out.paint(mark, paint) + " " if not colour else "")
    if colour:
        out.lines[-1] = out.paint(f"{mark} {out.say(head)}", paint)
    out.add(out.say(meaning), 2)
    readable = result.get("verdict") != "unreadable"
    if readable:
        _report_text_answers(out, result)
    out.blank()
    for label, text in _report_facts(result):
        out.pair(label, out.say(text))
    _report_text_findings(out, result)
    if readable:
        _report_text_counts(out, result)
        _report_text_lists(out, result)
    left = result.get("not_checked") or []
    if left:
        out.head(("Not checked", "未核验"))
        for one in left:
            out.add(out.say(_report_said(one)), 4, "", "· ")
    out.blank()
    script = result.get("script") or {}
    out.pair(("SHA-256", "SHA-256"), report_visible(script.get("sha256")))
    out.pair(("", ""), out.say(("of this script", "（本脚本）")))
    out.pair(("made", "核验"), out.say(_report_made(result)))
    out.pair(("exit code", "退出码"), str(result.get("exit")))
    return "\n".join(out.lines) + "\n"


def _report_text_findings(out: _ReportPrinter, result: dict[str, Any]) -> None:
    findings = result.get("findings") or []
    if not findings:
        return
    out.head(("Findings", "发现的问题"), f"{_report_total(result):,}")
    meant: set[ReportBoth] = set()
    groups = _report_alike(findings)
    for number, (one, alike) in enumerate(groups[:_REPORT_TERMINAL_MOST], 1):
        code = str(one.get("code"))
        out.add(f"{out.say(_report_code(code))} · {report_visible(code)}", 6, "31", f"{number}. ")
        places = [out.say(_report_where(place)) for place in alike[:_REPORT_TERMINAL_PLACES]]
        rest = len(alike) - len(places)
        if rest:
            places.append(out.say((f"and {rest:,} more places", f"另有 {rest:,} 处")))
        out.add(out.say(("; ", "；")).join(places), 6)
        out.add(out.say(_report_said(one)), 6)
        if _report_meaning(code) not in meant:
            meant.add(_report_meaning(code))
            out.add(out.say(_report_meaning(code)), 8, "2", "→ ")
    more, beyond = len(groups) - _REPORT_TERMINAL_MOST, result.get("beyond") or 0
    if more > 0:
        out.add(out.say((f"and {more:,} other ones: see --report", f"另有 {more:,} 类：见 --report")), 6)
    if beyond:
        out.add(out.say((f"and {beyond:,} more that were only counted", f"另有 {beyond:,} 项仅计数，未逐一列出")), 6)


def _report_text_answers(out: _ReportPrinter, result: dict[str, Any]) -> None:
    out.blank()
    questions = _report_questions(result)
    widest = max(_report_columns(out.say(question)) for _, question, _, _ in questions)
    for kind, question, answer, more in questions:
        mark, paint = _REPORT_MARKS[kind]
        asked = out.say(question)
        text = f"{out.say(answer)}{out.say(('. ', '。'))}{out.say(more)}"
        start = f"  {out.paint(mark, paint)} {asked}{' ' * (widest - _report_columns(asked))}  "
        if out.width < 2 * widest:  # a narrow terminal has the answer below the question
            out.lines.append(start.rstrip())
            out.add(text, 6)
            continue
        for number, line in enumerate(_report_wrap(text, out.width - widest - 6)):
            out.lines.append(start + line if not number else " " * (widest + 6) + line)


def _report_text_counts(out: _ReportPrinter, result: dict[str, Any]) -> None:
    counts = _report_counted(result)
    if counts:
        out.head(("Checked", "已核验"))
        cells = [(out.say(words), f"{count:,}") for words, count in counts]
        digits = max(len(count) for _, count in cells)
        for words, count in cells:
            out.add(words, 4 + digits, "", f"{count.rjust(digits)}  ")
        for one in result.get("checked") or []:
            out.add(out.say(_report_said(one)), 4, "", "· ")


def _report_text_lists(out: _ReportPrinter, result: dict[str, Any]) -> None:
    absences = result.get("absences") or []
    if absences:
        out.head(("Codes that were never in the ledger, up to the seal", "截至封存从未出现于账本的编码"))
        for one in absences:
            mark, _ = _REPORT_MARKS["good" if one.get("stands") else "bad"]
            out.add(report_human(str(one.get("code"))), 4, "" if one.get("stands") else "31", f"{mark} ")
    timelines = result.get("timelines") or []
    if timelines:
        out.head(("Units in question", "所涉单元"), str(len(timelines)))
        for one in timelines[:20]:
            steps = one.get("steps") or []
            last = out.say(report_state(bool(steps[-1].get("pack")), steps[-1].get("state") or 0)) if steps else ""
            out.add(f"{report_human(str(one.get('subject')))}  {last}", 2)
            out.add(out.say(_report_completeness(one)), 4, "2")
            if one.get("earlier") is not None:
                out.add(out.say(_report_earlier(one["earlier"])), 4, "2")
        if len(timelines) > 20:
            out.add(out.say((f"and {len(timelines) - 20} more", f"另有 {len(timelines) - 20} 项")), 2)
    notes = result.get("notes") or []
    if notes:
        out.head(("To be known", "须知"))
        for one in notes:
            out.add(out.say(_report_said(one)), 4, "", "· ")


def _report_made(result: dict[str, Any]) -> ReportBoth:
    """When the check was made, by which Python."""
    when = report_time(result.get("made") or 0)
    seconds = float(result.get("seconds") or 0)
    python = report_visible((result.get("script") or {}).get("python"))
    return f"{when}, in {seconds:,.1f} s, Python {python}", f"{when}，用时 {seconds:,.1f} 秒，Python {python}"


# Counts that say something where they are zero.
_REPORT_COUNTS_ZERO = ("entries", "violations")


def _report_counted(result: dict[str, Any]) -> list[tuple[ReportBoth, int]]:
    """Counts in the order of the table; those without words last, by name. What was not there is left out."""
    told = result.get("counts") or {}
    counts = {name: count for name, count in told.items() if count or name in _REPORT_COUNTS_ZERO}
    shown: list[tuple[ReportBoth, int]] = []
    for name, (english, chinese) in _REPORT_COUNTS.items():
        if counts.get(name) is not None:
            one, bar, more = english.partition("|")
            shown.append(((more if bar and counts[name] != 1 else one, chinese), counts[name]))
    others = [name for name in counts if name not in _REPORT_COUNTS and counts[name] is not None]
    return shown + [((report_visible(name), report_visible(name)), counts[name]) for name in others]


def _report_facts(result: dict[str, Any]) -> list[tuple[ReportBoth, ReportBoth]]:
    """What was looked at: labels and values, for terminal and page."""
    facts: list[tuple[ReportBoth, ReportBoth]] = []
    bundle = result.get("bundle") or {}
    path = report_visible(Path(str(bundle.get("path") or "")).name)
    kind = _REPORT_KINDS.get(str(bundle.get("kind")))
    size = bundle.get("bytes")
    english = [path, *([kind[0]] if kind else []), *([_report_size(size)] if size else [])]
    chinese = [path, *([kind[1]] if kind else []), *([_report_size(size)] if size else [])]
    facts.append((("bundle", "数据包"), (", ".join(english), "，".join(chinese))))
    if bundle.get("exported") is not None:
        when = report_time(bundle["exported"])
        facts.append((("exported", "导出时间"), (f"{when} (by its own word)", f"{when}（自述）")))
    if bundle.get("asked"):
        asked = _report_names(_report_cut(one, 200) for one in bundle["asked"][:20])
        more = len(bundle["asked"]) - 20
        if more > 0:
            asked = (f"{asked[0]}, and {more} more", f"{asked[1]}，另有 {more} 项")
        facts.append((("asked for", "索取内容"), asked))
    ledger, checkpoint, key = (result.get(one) or {} for one in ("ledger", "checkpoint", "key"))
    origin = ledger.get("origin") or checkpoint.get("origin")
    if origin:
        since = f", since {report_time(ledger['created'])[:10]}" if ledger.get("created") is not None else ""
        begun = f"，建于 {report_time(ledger['created'])[:10]}" if ledger.get("created") is not None else ""
        facts.append((("ledger", "账本"), (report_visible(origin) + since, report_visible(origin) + begun)))
    if checkpoint:
        count = checkpoint.get("size") or 0
        facts.append((("log", "日志"), (f"{count:,} entries", f"{count:,} 个条目")))
        root = report_visible(checkpoint.get("root"))
        facts.append((("root", "树根"), (root, root)))
    if ledger.get("first") is not None and ledger.get("last") is not None:
        first, last = report_time(ledger["first"]), report_time(ledger["last"])
        facts.append((("received", "接收时间"), (f"{first} to {last}", f"{first} 至 {last}")))
    if key.get("vkey"):
        vkey = report_visible(key["vkey"])
        facts.append(
            (("key", "验证公钥"), (vkey, vkey))
            if key.get("given")
            else (("key", "验证公钥"), (f"none given; the log itself names {vkey}", f"未提供；日志自称 {vkey}"))
        )
    since_note = result.get("since")
    if since_note:
        count = since_note.get("size") or 0
        said = {
            True: (f"of {count:,} entries: this log extends it", f"{count:,} 个条目：本日志系其延续"),
            False: (f"of {count:,} entries: this log does NOT extend it", f"{count:,} 个条目：本日志并非其延续"),
        }.get(since_note.get("stands"), (f"of {count:,} entries: could not be compared", f"{count:,} 个条目：无法比对"))
        facts.append((("older one", "旧检查点"), said))
    return facts


def _report_completeness(timeline: dict[str, Any]) -> ReportBoth:
    """How far the history of a unit is known to be complete."""
    size, when = timeline.get("size"), timeline.get("received")
    at = f" ({report_time(when)[:16]})" if when is not None else ""
    bis = f"（{report_time(when)[:16]}）" if when is not None else ""
    if timeline.get("complete"):
        if size is None:
            return "complete", "完整"
        return f"complete up to entry {size - 1:,}{at}", f"截至条目 {size - 1:,} 完整{bis}"
    if timeline.get("complete") is None:
        return ("no seal: entries of this unit may have been left out", "没有封存：可能遗漏了该单元的条目")
    return "not shown to be complete", "未证明完整"


def _report_earlier(index: int) -> ReportBoth:
    """Of a history whose beginning is not there: where what is left begins."""
    return (
        f"It began earlier: what entry {index:,} and those before it say of this unit is not here any more.",
        f"此前尚有记录：条目 {index:,} 及更早条目中该单元的记录已不在此处。",
    )


def report_json(result: dict[str, Any]) -> str:
    """The result as it is, in ASCII; ends with a line feed."""
    return json.dumps(result, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


class ReportProgress:
    """A bar on a terminal, by phases; nothing at all where there is no terminal.

    It is drawn at most ten times a second, and takes itself away at the end.
    """

    def __init__(self, stream: IO[str], lang: str = "en", on: bool | None = None) -> None:
        self._stream, self._at = stream, 1 if lang == "zh" else 0
        self._on = stream.isatty() if on is None else on
        self._words, self._total, self._begun, self._drawn = "", 0, 0.0, 0.0

    def phase(self, english: str, chinese: str, total: int) -> None:
        """A new phase of `total` steps; 0 where nobody knows."""
        self._words, self._total = (english, chinese)[self._at], total
        self._begun, self._drawn = clock.monotonic(), 0.0
        self.to(0)

    def to(self, done: int) -> None:
        """So many steps of the phase are done."""
        if not self._on:
            return
        now = clock.monotonic()
        if now - self._drawn < 0.1 and done < self._total:
            return
        self._drawn = now
        if self._total:
            share = min(1.0, done / self._total)
            full = int(share * 24)
            left = (now - self._begun) * (1 - share) / share if share > 0.02 else 0
            rest = f"  {int(left) // 60}:{int(left) % 60:02}" if left >= 1 else ""
            text = f"{self._words}  {'━' * full}{'─' * (24 - full)} {share:4.0%}{rest}"
        else:
            text = f"{self._words}  {done:,}"
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()

    def close(self) -> None:
        """Take the bar away."""
        if self._on:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


# ================================================================================================
# The page
# ================================================================================================


class ReportMarkup(str):
    """HTML as it stands in the page; any other text is escaped on its way in."""

    __slots__ = ()


_REPORT_VOID = frozenset(("input", "meta", "br"))


def _report_html(inside: object) -> str:
    """Anything as HTML: markup as it is, pairs of texts in both languages, lists one after the other."""
    if inside is None or inside is False:
        return ""
    if isinstance(inside, ReportMarkup):
        return str(inside)
    if isinstance(inside, tuple) and len(inside) == 2 and all(type(one) is str for one in inside):
        english, chinese = (_report_html(one) for one in inside)
        if english == chinese:
            return english
        return f'<span class="zh" lang="zh-Hans">{chinese}</span><span class="en" lang="en">{english}</span>'
    if isinstance(inside, (list, tuple, Iterator)):
        return "".join(map(_report_html, inside))
    return html.escape(report_visible(inside), quote=True)


def _report_el(tag: str, *inside: object, cls: str = "", **attributes: object) -> ReportMarkup:
    """An element; an underscore in the name of an attribute stands for a hyphen, None leaves it out."""
    names = {"class": cls or None, **{name.strip("_").replace("_", "-"): value for name, value in attributes.items()}}
    written = "".join(
        f' {name}="{html.escape(report_visible(value), quote=True)}"'
        for name, value in names.items()
        if value is not None
    )
    if tag in _REPORT_VOID:
        return ReportMarkup(f"<{tag}{written}>")
    return ReportMarkup(f"<{tag}{written}>{''.join(map(_report_html, inside))}</{tag}>")


def _report_join(parts: Iterable[object], between: str = " ") -> ReportMarkup:
    return ReportMarkup(between.join(_report_html(one) for one in parts if one))


def _report_section(title: ReportBoth, *inside: object, cls: str = "", lead: ReportBoth | None = None) -> ReportMarkup:
    """A part of the page with its heading, and a sentence on what it is."""
    return _report_el(
        "section", _report_el("h2", title), _report_el("p", lead, cls="lead block") if lead else None, *inside, cls=cls
    )


def _report_table(
    heads: Sequence[ReportBoth], rows: Iterable[Sequence[object]], right: Sequence[int] = ()
) -> ReportMarkup:
    """A table; columns named in `right` hold numbers. A cell may be markup, a text or a pair of texts."""
    side = ["num" if at in right else "" for at in range(len(heads))]
    return _report_el(
        "div",
        _report_el(
            "table",
            _report_el("thead", _report_el("tr", [_report_el("th", head, cls=one) for head, one in zip(heads, side)])),
            _report_el(
                "tbody",
                [_report_el("tr", [_report_el("td", cell, cls=one) for cell, one in zip(row, side)]) for row in rows],
            ),
        ),
        cls="scroll",
    )


def _report_mark(kind: str, label: ReportBoth | None = None) -> ReportMarkup:
    """A mark that is told apart by form, not by colour alone; it stays with the words behind it."""
    sign = {"good": "✓", "open": "○", "bad": "✗"}[kind]
    mark = _report_el("span", sign, cls=f"mark {kind}", aria_hidden="true")
    return _report_join([mark, _report_el("span", label)], "\u00a0") if label else mark


def _report_span(start: int, stop: int) -> ReportBoth:
    """Entries from start to stop - 1."""
    if stop - start == 1:
        return f"{start:,}", f"{start:,}"
    return f"{start:,} to {stop - 1:,}", f"{start:,} 至 {stop - 1:,}"


def _report_code_el(text: object) -> ReportMarkup:
    return _report_el("span", report_visible(text), cls="code")


def _report_none() -> ReportMarkup:
    return _report_el("span", "–", cls="muted")


def _report_when(ms: object) -> object:
    """A time by Beijing's clock; the zone is said once, at the foot of the page."""
    shown = report_time(ms)[:19] if isinstance(ms, int) else ""
    return _report_el("span", shown, cls="time") if shown else _report_none()


def _report_seconds(seconds: object) -> object:
    return _report_when(seconds * 1000 if isinstance(seconds, int) else None)


# ---- the parts of the page, in their order ------------------------------------------------------


def _report_page_verdict(result: dict[str, Any]) -> ReportMarkup:
    kind, head, meaning = report_verdict(result)
    sign = {"good": "✓", "open": "!", "bad": "✗"}[kind]
    tiles = None
    if result.get("verdict") != "unreadable":
        tiles = _report_el(
            "div",
            [
                _report_el(
                    "div", _report_el("h3", question),
                    _report_el("p", _report_mark(how), " ", _report_el("b", answer), cls="answer"),
                    _report_el("p", more, cls="more block"), cls=f"tile {how}",
                )
                for how, question, answer, more in _report_questions(result)
            ],
            cls="tiles",
        )
    return _report_el(
        "section",
        _report_el(
            "div", _report_el("span", sign, cls="sign", aria_hidden="true"),
            _report_el("div", _report_el("h1", head, cls="block"), _report_el("p", meaning, cls="block")),
            cls=f"verdict {kind}",
        ),
        tiles, cls="first",
    )


def _report_page_facts(result: dict[str, Any]) -> ReportMarkup:
    rows = [
        _report_el(
            "div", _report_el("dt", label), _report_el("dd", text, cls="code" if label[0] in ("root", "key") else "")
        )
        for label, text in _report_facts(result)
    ]
    return _report_section(("What was looked at", "核验对象"), _report_el("dl", rows, cls="facts"))


_REPORT_PAGE_FINDINGS, _REPORT_PAGE_PLACES = 500, 40


def _report_page_findings(result: dict[str, Any]) -> ReportMarkup | None:
    findings = result.get("findings") or []
    if not findings:
        return None
    by_code: dict[str, int] = {}
    for one in findings:
        by_code[str(one.get("code"))] = by_code.get(str(one.get("code")), 0) + 1
    by_code.update({str(code): count for code, count in (result.get("by_code") or {}).items()})
    order = {code: at for at, code in enumerate(_REPORT_CODES)}
    codes = sorted(by_code, key=lambda code: (order.get(code, len(order)), code))
    groups: dict[ReportBoth, list[str]] = {}
    for code in codes:
        groups.setdefault(_report_meaning(code), []).append(code)
    summary = [
        _report_el(
            "li",
            _report_el(
                "p",
                _report_join(
                    _report_el("span", _report_el("b", _report_code(code)), f" {by_code[code]:,}", cls="chip bad")
                    for code in group
                ),
            ),
            _report_el("p", meaning, cls="block"),
        )
        for meaning, group in groups.items()
    ]
    items, shown, told = [], _report_alike(findings), 0
    for one, alike in shown[:_REPORT_PAGE_FINDINGS]:
        code, rest = str(one.get("code")), len(alike) - _REPORT_PAGE_PLACES
        told += len(alike)
        items.append(
            _report_el(
                "li",
                _report_el(
                    "p", _report_el("b", _report_code(code)), " ", _report_el("span", report_visible(code), cls="id"),
                    cls="title",
                ),
                _report_el(
                    "p", [_report_el("span", _report_where(place)) for place in alike[:_REPORT_PAGE_PLACES]],
                    _report_el("span", (f"and {rest:,} more", f"另有 {rest:,} 处")) if rest > 0 else None, cls="where",
                ),
                _report_el("p", _report_said(one), cls="block"),
            )
        )
    more = _report_total(result) - told
    return _report_section(
        ("Findings", "发现的问题"), _report_el("ul", summary, cls="meanings"),
        _report_el("ol", items, cls="findings"),
        _report_el("p", (f"And {more:,} more that are not listed here.", f"另有 {more:,} 项未在此列出。"), cls="more")
        if more
        else None,
    )


def _report_page_checked(result: dict[str, Any]) -> ReportMarkup | None:
    counts = _report_counted(result)
    if not counts:
        return None
    cells = [_report_el("div", _report_el("dd", f"{count:,}"), _report_el("dt", words)) for words, count in counts]
    more = [
        _report_el("li", _report_said(one), cls="block")
        for one in result.get("checked") or []
    ]
    return _report_section(
        ("What was checked", "核验内容"), _report_el("dl", cells, cls="counts"),
        _report_el("ul", more, cls="plain") if more else None,
    )


def _report_page_sentences(title: ReportBoth, sentences: Sequence[dict[str, Any]], cls: str) -> ReportMarkup | None:
    if not sentences:
        return None
    items = [_report_el("li", _report_said(one), cls="block") for one in sentences]
    return _report_section(title, _report_el("ul", items, cls="plain"), cls=cls)


def _report_page_absences(result: dict[str, Any]) -> ReportMarkup | None:
    absences = result.get("absences") or []
    if not absences:
        return None
    seals = result.get("seals") or []
    lead: ReportBoth = ("", "")
    if seals:
        when, size = report_time(seals[-1].get("received") or 0), seals[-1].get("size") or 0
        lead = (
            (
                f"As of the seal of {when}, which tells of the first {size:,} entries. The neighbours are "
                "the codes between "
                "which each one would stand; they were in the ledger, so this page is for the authority only."
            ),
            (
                f"以 {when} 的封存为准，该封存涵盖前 {size:,} 个条目。“相邻编码”是该编码若出现时其前后的编码，"
                "均为账本中真实存在者，故本页仅供监管部门使用。"
            ),
        )
    rows = [
        (
            _report_mark(
                "good" if one.get("stands") else "bad",
                ("never there", "从未出现") if one.get("stands") else ("not proven", "未能证明"),
            ),
            _report_code_el(report_human(str(one.get("code")))),
            _report_code_el(report_human(str(one["before"]))) if one.get("before") else _report_none(),
            _report_code_el(report_human(str(one["after"]))) if one.get("after") else _report_none(),
        )
        for one in absences
    ]
    heads = (("", ""), ("code", "编码"), ("neighbour before", "前一相邻编码"), ("neighbour behind", "后一相邻编码"))
    return _report_section(
        ("Codes that were never in the ledger", "从未出现于账本的编码"), _report_table(heads, rows), lead=lead
    )


def _report_page_disclosures(result: dict[str, Any]) -> ReportMarkup | None:
    rows = [
        (
            f"{one.get('index'):,}", _report_code_el(_report_cut(one.get("name"), 160)),
            _report_cut(one.get("value"), 400),
            _report_mark("good", ("as recorded", "与记录一致"))
            if one.get("stands")
            else _report_mark("bad", ("not as recorded", "与记录不一致")),
        )
        for one in result.get("disclosures") or []
    ]
    if not rows:
        return None
    heads = (("entry", "条目"), ("field", "字段"), ("value", "值"), ("", ""))
    lead = (
        "Private values that were shown with the bundle. Whoever prints this page holds personal data.",
        "随包披露的私密字段值。打印本页者即持有个人信息。",
    )
    return _report_section(("Disclosed values", "披露的字段值"), _report_table(heads, rows, (0,)), lead=lead)


def _report_page_timelines(result: dict[str, Any]) -> ReportMarkup | None:
    timelines = result.get("timelines") or []
    if not timelines:
        return None
    return _report_section(
        ("Units in question", "所涉单元"), [_report_timeline(one) for one in timelines], cls="timelines",
        lead=("Receipt times are those of the ledger, by Beijing's clock; claimed times are by the clock of the place.",
              "接收时间为账本所记，北京时间；所述时间按当地时钟。"),
    )  # fmt: skip


def _report_timeline(timeline: dict[str, Any]) -> ReportMarkup:
    steps = timeline.get("steps") or []
    kind = {True: "good", False: "bad", None: "open"}[timeline.get("complete")]
    now = report_state(bool(steps[-1].get("pack")), steps[-1].get("state") or 0) if steps else None
    left, earlier = timeline.get("left_out") or 0, timeline.get("earlier")
    return _report_el(
        "article",
        _report_el(
            "header", _report_el("h3", report_human(str(timeline.get("subject"))), cls="code"),
            _report_el("span", now, cls="chip") if now else None,
        ),
        _report_el("p", _report_mark(kind, _report_completeness(timeline)), cls="complete"),
        _report_el("p", (f"The {left:,} oldest steps are left out.", f"最早的 {left:,} 步未列出。"), cls="more")
        if left
        else None,
        _report_el("p", _report_earlier(earlier), cls="more block") if earlier is not None else None,
        _report_el(
            "ol", [_report_timeline_step(one, before) for one, before in zip(steps, [None, *steps])], cls="steps"
        ),
        cls="unit",
    )


_REPORT_UNPACKING = _REPORT_STEPS_ENGLISH.index("unpacking")


def _report_timeline_step(step: dict[str, Any], before: dict[str, Any] | None) -> ReportMarkup:
    state, pack = step.get("state") or 0, bool(step.get("pack"))
    if pack and before is not None and (before.get("state") or 0) >> 9 == state >> 9:
        state &= 511  # the expiry date is said where it is new
    failed = step.get("findings") or []
    broken = step.get("violations") or []
    classes = (
        "step"
        + (" failed" if failed else "")
        + (" broken" if broken else "")
        + (" behind" if step.get("behind") else "")
    )
    meta: list[object] = [(f"entry {step.get('index'):,}", f"条目 {step.get('index'):,}")]
    if isinstance(step.get("claimed"), int):
        claimed = _report_claimed(step["claimed"], step.get("offset"))
        meta.append((f"claimed {claimed}", f"所述时间 {claimed}"))
    if step.get("author"):
        author = _report_cut(step["author"], 160)
        meta.append((f"stated by {author}", f"由 {author} 陈述"))
    place = report_human(str(step["place"])) if step.get("place") else None
    parent = report_human(str(step["parent"])) if step.get("parent") else None
    whence = ("out of ", "取自 ") if step.get("step") == _REPORT_UNPACKING else ("in ", "装入 ")
    return _report_el(
        "li", _report_el("p", _report_when(step.get("received")), cls="when"),
        _report_el(
            "div",
            _report_el(
                "p", _report_el("b", _report_step(step)), _report_el("span", place, cls="code") if place else None,
                _report_el("span", whence, _report_code_el(parent)) if parent else None,
                _report_el("span", ("content pruned", "内容已清理"), cls="chip") if step.get("gone") else None,
                _report_el("span", ("behind the seal", "在封存之后"), cls="chip") if step.get("behind") else None,
                _report_el("span", "→ ", report_state(pack, state), cls="state"), cls="line",
            ),
            [
                _report_el("p", _report_el("span", "! ", aria_hidden="true"), report_violation(one)[1:], " ",
                           _report_el("span", report_violation(one)[0], cls="id"), cls="rule")
                for one in broken
            ],
            [
                _report_el("p", _report_el("span", "✗ ", aria_hidden="true"), _report_code(str(one)), " ",
                           _report_el("span", report_visible(one), cls="id"), cls="fault")
                for one in failed
            ],
            _report_el("p", _report_join((_report_el("span", one) for one in meta), " · "), cls="meta"), cls="what",
        ),
        cls=classes,
    )  # fmt: skip


# ---- the ledger's own history: keys, witnesses, seals, prunings ---------------------------------

_REPORT_CHART_WIDTH, _REPORT_CHART_LEFT, _REPORT_CHART_ROW = 860, 212, 24


class _ReportChart:
    """Rows over one axis of time, as SVG: bars from when to when, and marks."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, max(last, first + 1)
        self.parts: list[ReportMarkup] = []
        self.y = 8

    def x(self, ms: int) -> str:
        share = (min(max(ms, self.first), self.last) - self.first) / (self.last - self.first)
        return f"{_REPORT_CHART_LEFT + share * (_REPORT_CHART_WIDTH - _REPORT_CHART_LEFT - 14):.1f}"

    def row(self, label: object) -> None:
        """A new row, with its label left of the axis."""
        self.y += _REPORT_CHART_ROW
        texts = label if isinstance(label, tuple) else (label, label)
        short = tuple(_report_short(str(one), 27) for one in texts)
        words = (
            [_report_el("tspan", short[1], cls="zh"), _report_el("tspan", short[0], cls="en")]
            if short[0] != short[1]
            else short[0]
        )
        self.add("text", words, x=_REPORT_CHART_LEFT - 12, y=self.y + 4, cls="label")
        self.add("line", x1=_REPORT_CHART_LEFT, x2=_REPORT_CHART_WIDTH - 14, y1=self.y, y2=self.y, cls="rail")

    def add(self, tag: str, *inside: object, cls: str = "", **attributes: object) -> None:
        self.parts.append(_report_el(tag, *inside, cls=cls, **attributes))

    def bar(self, start: int, stop: int, cls: str) -> None:
        left, right = float(self.x(start)), float(self.x(stop))
        self.add("rect", x=f"{left:.1f}", y=self.y - 4, width=f"{max(right - left, 2):.1f}", height=8, rx=4, cls=cls)

    def mark(self, ms: int, cls: str) -> None:
        """A mark whose form says what it is, as its name does in the labels."""
        x = self.x(ms)
        if cls == "cross":
            self.add("path", d=f"M{x} {self.y}m-5 -5l10 10m0 -10l-10 10", cls=cls)
        elif cls == "diamond":
            self.add("path", d=f"M{x} {self.y}m0 -6l6 6l-6 6l-6 -6z", cls=cls)
        else:
            self.add("circle", cx=x, cy=self.y, r=4.5, cls=cls)

    def finish(self) -> ReportMarkup:
        """The drawing with its axis: as many dates as there is room for."""
        bottom = self.y + 16
        axis: list[ReportMarkup] = []
        shown: set[str] = set()
        for at in range(6):
            ms = self.first + (self.last - self.first) * at // 5
            words = report_time(ms)[: 10 if self.last - self.first > 5 * 86_400_000 else 16]
            if words in shown:
                continue
            shown.add(words)
            x = self.x(ms)
            anchor = "start" if at == 0 else "end" if at == 5 else "middle"
            axis.append(_report_el("line", x1=x, x2=x, y1=14, y2=bottom, cls="grid"))
            axis.append(_report_el("text", words, x=x, y=bottom + 16, cls=f"date {anchor}"))
        return _report_el(
            "svg", axis, self.parts, viewBox=f"0 0 {_REPORT_CHART_WIDTH} {bottom + 24}", cls="chart", role="img",
            aria_hidden="true",
        )  # fmt: skip


def _report_short(text: str, columns: int) -> str:
    """At most so many columns: of a long name the end, which tells more than its domain."""
    text = report_visible(text)
    if _report_columns(text) <= columns:
        return text
    while _report_columns(text) > columns - 1:
        text = text[1:]
    return "…" + text


_REPORT_CHART_MOST = 24


def _report_page_chart(result: dict[str, Any]) -> ReportMarkup | None:
    """Everything that happened to the ledger itself, over one axis of time."""
    authors = (result.get("keys") or {}).get("authors") or []
    notes = (result.get("witnesses") or {}).get("notes") or []
    seals, prunings, epochs = (result.get(one) or [] for one in ("seals", "prunings", "epochs"))
    ledger = result.get("ledger") or {}
    times = [one for one in (ledger.get("created"), ledger.get("first"), ledger.get("last")) if one is not None]
    times += [ms for one in authors for ms in (one.get("authorised_ms"), one.get("revoked_ms")) if ms is not None]
    times += [one["by"] * 1000 for one in notes if one.get("by")] + [one["received"] for one in (*seals, *epochs)]
    times += [ms for one in prunings for ms in (one.get("intent_ms"), one.get("done_ms")) if ms is not None]
    if len(times) < 2 or min(times) == max(times):
        return None
    chart = _ReportChart(min(times), max(times))
    for one in authors[:_REPORT_CHART_MOST]:
        chart.row(one.get("label") or one.get("hash"))
        end = one.get("revoked_ms")
        chart.bar(one["authorised_ms"], chart.last if end is None else end, "key" if end is None else "key ended")
        if end is not None:
            chart.mark(end, "cross")
    for rows, label, form in (
        (notes, ("witnessed ●", "见证 ●"), "dot"), (seals, ("seals ◆", "封存 ◆"), "diamond"),
        (epochs, ("restored backups ✕", "备份恢复 ✕"), "cross"),
    ):
        if rows:
            chart.row(label)
        for one in rows[-400:]:
            when = one["by"] * 1000 if form == "dot" else one["received"]
            chart.mark(when, form)
    if prunings:
        chart.row(("prunings: notice ▬ done ●", "清理：公示 ▬ 执行 ●"))
        for one in prunings[-400:]:
            begun, done = one.get("intent_ms"), one.get("done_ms")
            if begun is not None:
                chart.bar(begun, done if done is not None else chart.last, "notice")
            if done is not None:
                chart.mark(done, "dot bad" if one.get("lawful") is False else "dot")
    return _report_el("div", chart.finish(), cls="scroll chartbox")


def _report_page_history(result: dict[str, Any]) -> ReportMarkup | None:
    parts = [
        _report_page_chart(result), _report_keys(result), _report_witnesses(result), _report_seals(result),
        _report_prunings(result), _report_epochs(result),
    ]  # fmt: skip
    if not any(parts):
        return None
    return _report_section(("The ledger's own history", "账本自身的历史"), *parts, cls="history")


def _report_keys(result: dict[str, Any]) -> list[ReportMarkup] | None:
    keys = result.get("keys") or {}
    authors = keys.get("authors") or []
    parts: list[ReportMarkup] = []
    log = keys.get("log")
    if log:
        name, digest = report_visible(log.get("name")), str(log.get("hash"))[:16]
        count = len(keys.get("roots") or [])
        parts.append(
            _report_el(
                "p",
                (
                    (
                        f"Log key {name}, hash {digest}…; root keys of the organisation: {count}. The first entry "
                        "names them, for the life of the ledger."
                    ),
                    f"日志密钥 {name}，哈希 {digest}…；机构根密钥 {count} 个。均由首个条目确定，终身不变。",
                ),
                cls="lead block",
            )
        )
    if not authors:
        return parts or None
    rows = []
    for one in authors[:200]:
        ended = one.get("revoked")
        rows.append(
            (
                (
                    _report_el("b", _report_cut(one.get("label") or "–", 160), cls="name"),
                    _report_el("div", str(one.get("hash"))[:16] + "…", cls="id"),
                ),
                _report_el("span", _report_scope(one.get("scope")), cls="name short"),
                (
                    _report_el("span", (f"entry {one.get('authorised'):,}", f"条目 {one.get('authorised'):,}")),
                    _report_el("div", _report_when(one.get("authorised_ms"))),
                ),
                _report_none()
                if ended is None
                else (
                    _report_mark("bad", (f"entry {ended:,}", f"条目 {ended:,}")),
                    _report_el("div", _report_when(one.get("revoked_ms"))),
                    _report_el("div", _report_cut(one.get("reason") or "", 200)),
                ),
                f"{one.get('statements') or 0:,}", f"{one.get('entries') or 0:,}",
            )
        )
    heads = (("author's key", "作者密钥"), ("may state", "可陈述"), ("authorised", "授权"), ("revoked", "吊销"),
             ("statements", "陈述"), ("entries", "条目"))  # fmt: skip
    more = len(authors) - len(rows)
    parts.append(_report_table(heads, rows, (4, 5)))
    if more > 0:
        parts.append(_report_el("p", (f"And {more:,} more keys.", f"另有 {more:,} 个密钥。"), cls="more"))
    return [_report_el("h3", ("Keys", "密钥")), *parts]


def _report_witnesses(result: dict[str, Any]) -> list[ReportMarkup] | None:
    witnesses = result.get("witnesses")
    if not witnesses:
        return None
    policy = witnesses.get("policy") or {}
    names, few = _report_names(policy.get("names") or []), _report_policy(witnesses)
    text = str(policy.get("text") or "")
    parts = [_report_el("h3", ("Witnesses", "见证方")), _report_el("p", few, ": ", names[0], cls="lead")]
    if "\n" in text.strip():
        parts.append(_report_lines(text))
    brackets = witnesses.get("brackets") or []
    if brackets:
        heads = (
            ("entries", "条目"), ("shown to witnesses after", "晚于此时出示"), ("and by", "不晚于"),
            ("cosigned by", "联署方"),
        )
        by_size = {one.get("size"): one for one in witnesses.get("notes") or []}
        rows = [
            (
                _report_el("span", _report_span(one["start"], one["stop"]), cls="time"),
                _report_seconds(one.get("from")),
                _report_seconds(one["by"])
                if one.get("by")
                else _report_mark("open", ("not witnessed yet", "尚未见证")),
                _report_names(by_size.get(one["stop"], {}).get("names") or [])[0],
            )
            for one in brackets[-200:]
        ]
        parts.append(_report_table(heads, rows))
        if len(brackets) > 200:
            parts.append(_report_el("p", ("Only the latest 200 are listed.", "仅列出最近 200 项。"), cls="more"))
    return parts


def _report_seals(result: dict[str, Any]) -> list[ReportMarkup] | None:
    seals = result.get("seals") or []
    if not seals:
        return None
    worked = {
        True: _report_mark("good", ("worked out again: agrees", "重新推算：一致")),
        False: _report_mark("bad", ("worked out again: differs", "重新推算：不一致")),
        None: _report_mark("open", ("the ledger's word", "账本自述")),
    }
    rows = [
        (
            _report_el("span", (f"{one.get('size') or 0:,} entries", f"{one.get('size') or 0:,} 个条目"), cls="time"),
            _report_when(one.get("received")), f"{one.get('ids') or 0:,}",
            (
                _report_el("span", _report_cut(one.get("map_root"), 64), cls="id"),
                _report_el("div", worked[one.get("worked_out")]),
            ),
            [
                _report_el(
                    "div", _report_mark("good" if by.get("stands") else "bad", (_report_cut(by.get("name"), 160),) * 2)
                )
                for by in one.get("auditors") or []
            ]
            or _report_none(),
        )
        for one in seals[-100:]
    ]
    heads = (
        ("covers", "涵盖"), ("made", "生成时间"), ("units", "对象数"), ("root of the map", "映射根"),
        ("auditors", "审计方"),
    )
    return [_report_el("h3", ("Seals", "封存")), _report_table(heads, rows, (2,))]


def _report_prunings(result: dict[str, Any]) -> list[ReportMarkup] | None:
    prunings = result.get("prunings") or []
    if not prunings:
        return None
    verdicts = {True: _report_mark("good", ("lawful", "合规")), False: _report_mark("bad", ("not lawful", "不合规"))}
    rows = []
    for one in prunings[-200:]:
        done = one.get("done") is not None
        undecided = ("only the whole log tells", "须凭整本日志判定") if done else ("announced", "已公示，未执行")
        rows.append(
            (
                (
                    _report_el("b", _report_cut(one.get("name"), 160), cls="name"),
                    _report_el("div", _report_cut(one.get("reason") or "", 200), cls="muted"),
                ),
                (
                    _report_when(one.get("intent_ms")),
                    _report_el("div", _report_when(one.get("done_ms")) if done else _report_none()),
                ),
                (
                    report_day(one["as_of"]) if isinstance(one.get("as_of"), int) else "–",
                    _report_el("div", report_visible(one.get("policy_name") or ""), cls="muted"),
                ),
                f"{one.get('contents') or 0:,}", f"{one.get('rows') or 0:,}",
                (
                    verdicts.get(one.get("lawful")) or _report_mark("open", undecided),
                    _report_el("div", ("archived before", "事前已归档"), cls="muted") if one.get("archive") else None,
                ),
            )
        )
    heads = (("pruning", "清理"), ("announced, done", "公示、执行"),
             ("due by, policy", "到期日、政策"), ("contents", "内容"),
             ("rows", "单元记录"), ("verdict", "判定"))  # fmt: skip
    return [_report_el("h3", ("Prunings", "清理")), _report_table(heads, rows, (3, 4))]


def _report_epochs(result: dict[str, Any]) -> list[ReportMarkup] | None:
    epochs = result.get("epochs") or []
    if not epochs:
        return None
    rows = [
        (
            _report_when(one.get("received")),
            _report_el(
                "span", _report_span(one["start"], one["stop"]) if one["stop"] > one["start"] else ("none", "无"),
                cls="time",
            ),
            _report_cut(one.get("reason") or "", 300),
            _report_mark("bad", ("not settled", "尚未结清"))
            if one.get("settled") is None
            else _report_mark("good", (f"settled by entry {one['settled']:,}", f"已由条目 {one['settled']:,} 结清")),
        )
        for one in epochs[-100:]
    ]
    heads = (("restored", "恢复时间"), ("entries lost", "丢失条目"), ("reason", "理由"), ("", ""))
    return [_report_el("h3", ("Restored backups", "备份恢复")), _report_table(heads, rows)]


# ---- checkpoint, signature, frame ---------------------------------------------------------------


def _report_lines(text: str) -> ReportMarkup:
    """A text of several lines as it stands, which a visitor can compare."""
    lines = text.rstrip("\n").split("\n")[:400]
    return _report_el("pre", ReportMarkup("\n".join(_report_html(line) for line in lines)), cls="note")


def _report_qr_svg(data: bytes) -> tuple[ReportMarkup, int]:
    """A QR code with its quiet zone, black on white on every ground: each run of dark modules is a rectangle."""
    modules = report_qr(data)
    side = len(modules) + 8
    runs: list[str] = []
    for row, line in enumerate(modules):
        text = "".join("01"[dark] for dark in line)
        runs += [f"M{run.start() + 4} {row + 4}h{len(run[0])}v1h-{len(run[0])}z" for run in re.finditer("1+", text)]
    drawn = _report_el(
        "svg",
        _report_el("rect", width=side, height=side, fill="#fff"),
        _report_el("path", d="".join(runs), fill="#000"),
        viewBox=f"0 0 {side} {side}", shape_rendering="crispEdges", cls="qr", role="img",
        aria_label="QR code of the checkpoint / 检查点二维码",
    )
    return drawn, len(modules)


def _report_page_checkpoint(result: dict[str, Any]) -> ReportMarkup | None:
    checkpoint = result.get("checkpoint")
    if not checkpoint or not checkpoint.get("note"):
        return None
    note = str(checkpoint["note"])
    code: object
    try:
        code, side = _report_qr_svg(note.encode("utf-8", "surrogateescape"))
        size = " large" if side > 97 else ""
    except ValueError:
        size = ""
        code = _report_el(
            "p", ("This checkpoint is too long for a QR code.", "该检查点过长，无法生成二维码。"), cls="muted block"
        )
    signatures = []
    for one in checkpoint.get("signatures") or []:
        role = {"log": ("log key", "日志密钥"), "witness": ("witness", "见证方")}.get(
            str(one.get("role")), ("not known", "不明")
        )
        kind = {True: "good", False: "bad", None: "open"}[one.get("stands")]
        signatures.append(
            (
                _report_mark(kind), _report_code_el(_report_cut(one.get("name"), 160)), role,
                _report_el("span", _report_cut(one.get("key_id"), 16), cls="id"), _report_seconds(one.get("time")),
            )
        )
    heads = (("", ""), ("signed by", "签名方"), ("as", "身份"), ("key id", "密钥标识"), ("time", "时间"))
    return _report_section(
        ("The checkpoint", "检查点"),
        _report_el(
            "div", _report_el("figure", code, cls="code-figure" + size),
            _report_el("pre", ReportMarkup("\n".join(_report_html(line) for line in note.split("\n"))), cls="note"),
            cls="checkpoint" + size,
        ),
        _report_table(heads, signatures) if signatures else None,
        lead=(
            (
                "It stands for the whole log. Keep it: given with --since next time, it shows whether the "
                "log was only added "
                "to. The QR code holds the text beside it, byte for byte."
            ),
            (
                "检查点代表整本日志。请妥善保存：下次核验时以 --since 提供，即可查明日志是否只增未改。"
                "二维码内容与旁边的文本逐字节相同。"
            ),
        ),
        cls="seal-page",
    )


def _report_page_signing(result: dict[str, Any]) -> ReportMarkup:
    _, head, _ = report_verdict(result)
    script = result.get("script") or {}
    size = (result.get("checkpoint") or {}).get("size")
    of = (f" of the log of {size:,} entries", f"（日志共 {size:,} 个条目）") if size is not None else ("", "")
    blanks = [
        _report_el("div", _report_el("span", words), cls=cls)
        for words, cls in (
            (("Name and office", "姓名及职务"), "blank"), (("Authority", "单位"), "blank"),
            (("Place and date", "地点及日期"), "blank"), (("Signature and seal", "签字（盖章）"), "blank tall"),
        )
    ]
    return _report_el(
        "section", _report_el("h2", ("Signature", "签署")),
        _report_el(
            "p",
            (
                (
                    "I ran the check that this page reports, with the key and the policy named above, and it "
                    f"came to: {head[0]}{of[0]}."
                ),
                f"本人以上列公钥和政策执行了本页所载核验，结论为：{head[1]}{of[1]}。",
            ),
            cls="block",
        ),
        _report_el("div", blanks, cls="blanks"),
        _report_el(
            "p",
            (
                (
                    f"Checked by verify_bundle.py, SHA-256 {report_visible(script.get('sha256'))}, on "
                    f"{report_time(result.get('made') or 0)}."
                ),
                (
                    f"核验脚本 verify_bundle.py，SHA-256 {report_visible(script.get('sha256'))}，核验时间 "
                    f"{report_time(result.get('made') or 0)}。"
                ),
            ),
            cls="block small",
        ),
        cls="signing",
    )


_REPORT_STYLE = """
:root {
  color-scheme: light dark;
  --bg: #f8f8f6; --surface: #ffffff; --sunken: #f1f2f1; --ink: #1b2026; --muted: #59636e; --line: #dfe2e4;
  --strong: #b9c0c6; --accent: #1c5d99; --accent-soft: #e3eef8; --good: #17703f; --good-bg: #edf7f0;
  --good-line: #a9d3b8;
  --warn: #8a5200; --warn-bg: #fff5e0; --warn-line: #ecc983; --bad: #b3261e; --bad-bg: #fdeceb; --bad-line: #efb4b0;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Hiragino Sans GB",
    "Microsoft YaHei", "Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Noto Sans Mono", "DejaVu Sans Mono",
    "Noto Sans Mono CJK SC", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --bg: #13161a; --surface: #1a1e23; --sunken: #20252b; --ink: #e6e9ec; --muted: #9aa5b0; --line: #2c333a;
    --strong: #4a545e; --accent: #74b3ec; --accent-soft: #1d2f40; --good: #62c993; --good-bg: #16271e;
    --good-line: #2f5a41;
    --warn: #eab65a; --warn-bg: #2a2212; --warn-line: #5f4a1c; --bad: #ff8f86; --bad-bg: #321b1a;
    --bad-line: #6d3430;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.6 var(--sans);
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
.page { margin: 0 auto; max-width: 940px; padding: 0 28px 48px; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; }
ul, ol { padding: 0; list-style: none; }
h1 { font-size: 25px; line-height: 1.25; font-weight: 650; letter-spacing: -0.005em; }
h2 { font-size: 18px; line-height: 1.35; font-weight: 650; margin-bottom: 10px; }
h3 { font-size: 15px; line-height: 1.4; font-weight: 650; }
section { margin-top: 40px; }
section.first { margin-top: 14px; }
.muted, .more, .lead { color: var(--muted); }
.lead { margin: -4px 0 12px; font-size: 14px; }
.more { font-size: 13.5px; }
.code, .id { font-family: var(--mono); font-size: 0.88em; overflow-wrap: anywhere; }
.id { color: var(--muted); }
.time { white-space: nowrap; }
.mark { font-weight: 700; }
.mark.good { color: var(--good); }
.mark.open { color: var(--warn); }
.mark.bad { color: var(--bad); }
.chip {
  display: inline-block; font-size: 13px; line-height: 1.6; padding: 0 9px; border-radius: 11px;
  background: var(--sunken); color: var(--muted);
}
.chip.bad { background: var(--bad-bg); color: var(--ink); }

/* One of three radio buttons before the page says which language is shown: no script is needed. */
.pick { position: absolute; opacity: 0; width: 1px; height: 1px; }
#lang-zh:checked ~ .page .en, #lang-en:checked ~ .page .zh { display: none; }
.languages {
  display: flex; border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
  background: var(--surface); flex: none;
}
.languages label { padding: 4px 13px; font-size: 14px; color: var(--muted); cursor: pointer; }
#lang-zh:checked ~ .page [for="lang-zh"], #lang-en:checked ~ .page [for="lang-en"],
#lang-both:checked ~ .page [for="lang-both"] { background: var(--accent-soft); color: var(--ink); }
#lang-zh:focus-visible ~ .page [for="lang-zh"], #lang-en:focus-visible ~ .page [for="lang-en"],
#lang-both:focus-visible ~ .page [for="lang-both"] {
  outline: 2px solid var(--accent); outline-offset: -2px; border-radius: 7px;
}
#lang-both:checked ~ .page .zh + .en { margin-left: 0.5em; color: var(--muted); font-size: 0.92em; }
#lang-both:checked ~ .page .block > .zh + .en { display: block; margin-left: 0; }
#lang-both:checked ~ .page .chart .zh + .en { display: none; }

.top { display: flex; justify-content: space-between; align-items: center; gap: 20px; padding-top: 26px; }
.kicker { color: var(--muted); font-size: 15px; }

.verdict {
  display: flex; gap: 18px; align-items: flex-start; border: 1px solid; border-radius: 12px;
  padding: 20px 24px 22px;
}
.verdict .sign {
  flex: none; width: 42px; height: 42px; border-radius: 50%; font-size: 23px; line-height: 42px;
  text-align: center; font-weight: 700; color: #fff;
}
.verdict p { margin-top: 5px; max-width: 76ch; }
.verdict.good { background: var(--good-bg); border-color: var(--good-line); }
.verdict.good .sign { background: #17703f; }
.verdict.open { background: var(--warn-bg); border-color: var(--warn-line); }
.verdict.open .sign { background: #8a5200; }
.verdict.bad { background: var(--bad-bg); border-color: var(--bad-line); }
.verdict.bad .sign { background: #b3261e; }
.tiles {
  display: grid; grid-template-columns: repeat(4, 1fr); gap: 1px; background: var(--line);
  border: 1px solid var(--line); border-radius: 12px; overflow: hidden; margin-top: 14px;
}
.tile { background: var(--surface); padding: 13px 16px 15px; min-width: 0; }
.tile h3 { font-size: 13.5px; font-weight: 500; color: var(--muted); }
.tile .answer { font-size: 16px; line-height: 1.4; margin: 3px 0; }
.tile .more { line-height: 1.5; }

.facts { border-top: 1px solid var(--line); }
.facts div {
  display: grid; grid-template-columns: 150px 1fr; gap: 18px; padding: 6px 0;
  border-bottom: 1px solid var(--line);
}
.facts dt { color: var(--muted); }
.facts dd { overflow-wrap: anywhere; min-width: 0; }
.facts dd.code { padding-top: 1px; }
.counts {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(168px, 1fr)); background: var(--surface);
  border: 1px solid var(--line); border-radius: 12px; overflow: hidden;
}
.counts div { padding: 10px 16px 11px; border: solid var(--line); border-width: 0 1px 1px 0; margin: 0 -1px -1px 0; }
.counts dd { font-size: 19px; font-weight: 600; line-height: 1.3; }
.counts dt { color: var(--muted); font-size: 13.5px; line-height: 1.4; }
.plain li { position: relative; padding: 3px 0 3px 18px; max-width: 86ch; }
.plain li::before { content: "·"; position: absolute; left: 5px; color: var(--muted); font-weight: 700; }
.counts + .plain { margin-top: 12px; }
.left {
  background: var(--surface); border: 1px solid var(--warn-line); border-left-width: 4px; border-radius: 10px;
  padding: 14px 20px 16px;
}

.meanings { display: grid; gap: 8px; margin-bottom: 16px; }
.meanings li { border-left: 3px solid var(--bad); padding: 1px 0 1px 14px; }
.meanings p + p { font-size: 14px; margin-top: 3px; max-width: 86ch; }
.findings { counter-reset: finding; border-top: 1px solid var(--line); }
.findings li {
  counter-increment: finding; position: relative; padding: 9px 0 10px 44px;
  border-bottom: 1px solid var(--line);
}
.findings li::before {
  content: counter(finding); position: absolute; left: 0; width: 30px; text-align: right; color: var(--muted);
}
.findings .where { display: flex; flex-wrap: wrap; gap: 0 18px; font-size: 14px; color: var(--muted); }
.findings .title b { color: var(--bad); }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.5; }
th { text-align: left; font-weight: 500; color: var(--muted); font-size: 13px; vertical-align: bottom; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); }
td { vertical-align: top; overflow-wrap: anywhere; }
td.num { white-space: nowrap; }
.name { display: inline-block; min-width: 15em; }
.name.short { min-width: 6em; }
th:last-child, td:last-child { padding-right: 0; }
.num { text-align: right; }
th .zh, td .mark + span > .zh { white-space: nowrap; }

.unit {
  border: 1px solid var(--line); border-radius: 12px; background: var(--surface); padding: 14px 20px 6px;
  margin-top: 12px;
}
.unit header {
  display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 14px; align-items: baseline;
}
.unit h3 { font-size: 15px; }
.unit .complete { font-size: 14px; color: var(--muted); }
.steps { margin-top: 10px; }
.step { position: relative; display: grid; grid-template-columns: 148px 1fr; gap: 0 42px; padding: 0 0 12px; }
.step::before {
  content: ""; position: absolute; left: 168px; top: 12px; bottom: -8px; width: 2px; background: var(--line);
}
.step:last-child::before { display: none; }
.step::after {
  content: ""; position: absolute; left: 163px; top: 6px; width: 12px; height: 12px; border-radius: 50%;
  background: var(--accent); border: 2px solid var(--surface);
}
.step.behind::after { background: var(--surface); border-color: var(--muted); }
.step.broken::after { background: var(--surface); border-color: var(--warn); }
.step.failed::after { background: var(--bad); border-color: var(--bad); border-radius: 2px; }
.when { color: var(--muted); font-size: 13.5px; text-align: right; padding-top: 1px; }
.what { min-width: 0; }
.line { display: flex; flex-wrap: wrap; gap: 0 10px; align-items: baseline; }
.line .state { margin-left: auto; color: var(--muted); font-size: 14px; }
.meta { color: var(--muted); font-size: 13px; }
.rule, .fault { font-size: 14px; padding: 2px 10px; border-radius: 6px; margin: 3px 0; }
.rule { background: var(--warn-bg); }
.fault { background: var(--bad-bg); }

.history h3 { margin: 24px 0 6px; }
.history h3 + .lead { margin-top: 0; }
.chartbox { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 2px 12px 8px; }
.chart { display: block; width: 100%; min-width: 640px; height: auto; }
.chart text { font-family: var(--sans); font-size: 12.5px; fill: var(--ink); }
.chart .label { text-anchor: end; }
.chart .date { fill: var(--muted); font-size: 11.5px; }
.chart .middle { text-anchor: middle; }
.chart .end { text-anchor: end; }
.grid { stroke: var(--line); stroke-dasharray: 2 4; }
.rail { stroke: var(--line); }
.key { fill: var(--accent); fill-opacity: 0.55; }
.key.ended { fill: var(--strong); fill-opacity: 1; }
.notice { fill: var(--warn-line); }
.dot { fill: var(--accent); stroke: var(--surface); stroke-width: 1.5; }
.dot.bad { fill: var(--bad); }
.diamond { fill: var(--good); stroke: var(--surface); stroke-width: 1.5; }
.cross { fill: none; stroke: var(--bad); stroke-width: 2.2; stroke-linecap: round; }

.checkpoint { display: grid; grid-template-columns: 250px 1fr; gap: 26px; align-items: start; }
.checkpoint.large { grid-template-columns: 380px 1fr; }
.qr {
  display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px;
  background: #fff;
}
.note {
  margin: 0; font: 12.5px/1.65 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere;
  background: var(--sunken); border-radius: 8px; padding: 13px 17px; min-width: 0;
}
.checkpoint + .scroll, .lead + .note, .note + .scroll { margin-top: 10px; }
.blanks { display: grid; grid-template-columns: 1fr 1fr; gap: 26px 34px; margin: 30px 0 18px; }
.blank {
  border-bottom: 1px solid var(--ink); height: 46px; display: flex; align-items: flex-end; font-size: 13px;
  color: var(--muted); padding-bottom: 3px;
}
.small { font-size: 12.5px; color: var(--muted); overflow-wrap: anywhere; }
footer {
  margin-top: 44px; padding-top: 14px; border-top: 1px solid var(--line); color: var(--muted); font-size: 13px;
}

@media (max-width: 820px) {
  .tiles { grid-template-columns: 1fr 1fr; }
  .checkpoint, .checkpoint.large { grid-template-columns: 1fr; }
  .code-figure { max-width: 380px; }
}
@media (max-width: 600px) {
  .page { padding: 0 16px 32px; }
  .top { flex-direction: column-reverse; align-items: flex-start; gap: 8px; }
  .tiles { grid-template-columns: 1fr; }
  .verdict { padding: 16px; gap: 12px; }
  h1 { font-size: 21px; }
  .facts div { grid-template-columns: 1fr; gap: 0; }
  .step { grid-template-columns: 1fr; padding-left: 24px; }
  .step::before { left: 6px; }
  .step::after { left: 1px; }
  .when { text-align: left; }
  .blanks { grid-template-columns: 1fr; }
}
@page {
  size: A4; margin: 16mm 16mm 20mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #4a535c; }
}
@media print {
  :root { --bg: #fff; --surface: #fff; --muted: #4a535c; }
  body { font-size: 9.5pt; line-height: 1.45; }
  .page { max-width: none; padding: 0 1px; }
  .languages { display: none; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .tile { padding: 7pt 8pt 8pt; }
  .tile .answer { font-size: 11pt; }
  .tile h3, .tile .more { font-size: 8.5pt; }
  .facts div { padding: 3pt 0; }
  .counts { grid-template-columns: repeat(5, 1fr); }
  .counts div { padding: 5pt 8pt 6pt; }
  .counts dd { font-size: 11.5pt; }
  .counts dt { font-size: 8.5pt; }
  .left { break-inside: avoid; }
  .unit { -webkit-box-decoration-break: clone; box-decoration-break: clone; }
  .top { padding-top: 0; }
  h1 { font-size: 15pt; }
  h2 { font-size: 12pt; margin-bottom: 5pt; }
  h3 { font-size: 10pt; }
  .lead, .meanings p + p { font-size: 9pt; }
  section { margin-top: 18pt; }
  .verdict { padding: 12pt 15pt 13pt; }
  .history h3 { margin: 13pt 0 3pt; }
  h2, h3, .lead, thead, .unit header, .unit .complete { break-after: avoid; }
  .steps > li:first-child { break-before: avoid; }
  li, tr, .tile, .verdict, .unit header, .counts div, .facts div, .chartbox, .blanks, .meanings {
    break-inside: avoid;
  }
  .unit { padding: 9pt 12pt 2pt; }
  .step { grid-template-columns: 92pt 1fr; gap: 0 30pt; padding-bottom: 4pt; }
  .step::before { left: 106.5pt; }
  .step::after { left: 102pt; top: 4pt; }
  .when { font-size: 8.5pt; }
  .meta, .more, .line .state, .findings .where, .rule, .fault, .chip { font-size: 8.5pt; }
  table { font-size: 8.5pt; line-height: 1.4; }
  th { font-size: 8pt; }
  th, td { padding: 3pt 9pt 3pt 0; }
  .findings li { padding: 5pt 0 5pt 34pt; }
  .left { padding: 9pt 13pt 10pt; }
  footer { margin-top: 14pt; padding-top: 7pt; font-size: 8pt; }
  .small { font-size: 8pt; }
  .scroll { overflow: visible; }
  .chart { min-width: 0; }
  .checkpoint { grid-template-columns: 58mm 1fr; gap: 7mm; }
  .checkpoint.large { grid-template-columns: 88mm 1fr; }
  .checkpoint { break-inside: avoid; }
  .note { font-size: 7.5pt; padding: 8pt 11pt; }
  .seal-page { break-before: page; }
  .signing { break-inside: avoid; }
  .blanks { margin: 16pt 0 12pt; gap: 16pt 28pt; }
  .blank { height: 38pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def report_page(result: dict[str, Any], lang: str = "zh") -> str:
    """The result as one HTML page that fetches nothing and runs no script; `lang` is the language shown first."""
    first = "en" if lang == "en" else "zh"
    _, head, _ = report_verdict(result)
    origin = (result.get("ledger") or {}).get("origin") or (result.get("checkpoint") or {}).get("origin") or ""
    tag = ("en", "en") if first == "en" else ("zh", "zh-Hans")
    checkpoint = result.get("checkpoint") or {}
    style, root = _REPORT_STYLE, str(checkpoint.get("root"))
    if re.fullmatch("[A-Za-z0-9+/]{43}=", root):  # on each sheet of paper, so that none is exchanged unseen
        mark = f"{int(checkpoint.get('size') or 0)} · {root}"
        style += f'@page {{ @bottom-left {{ content: "{mark}"; font: 8pt monospace; color: #4a535c; }} }}\n'
    policy = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    title = f"{head[0 if first == 'en' else 1]} · {origin}" if origin else head[0 if first == "en" else 1]
    picks = [
        _report_el("input", type="radio", name="lang", id=f"lang-{one}", cls="pick", aria_label=words,
                   checked="checked" if one == first else None)
        for one, words in (("zh", "中文"), ("en", "English"), ("both", "中文 + English"))
    ]  # fmt: skip
    labels = [
        _report_el("label", words, for_=f"lang-{one}", lang=code)
        for one, words, code in (("zh", "中文", "zh-Hans"), ("en", "English", "en"), ("both", "中 + En", "en"))
    ]
    readable = result.get("verdict") != "unreadable"
    body = [
        _report_el(
            "header", _report_el("p", ("Verification of a traceability bundle", "追溯账本核验报告"), cls="kicker"),
            _report_el("div", labels, cls="languages"), cls="top",
        ),
        _report_el(
            "main", _report_page_verdict(result), _report_page_findings(result), _report_page_facts(result),
            _report_page_absences(result), _report_page_timelines(result), _report_page_disclosures(result),
            _report_page_checked(result) if readable else None,
            _report_page_sentences(("To be known", "须知"), result.get("notes") or [], "known"),
            _report_page_sentences(("Not checked", "未核验的内容"), result.get("not_checked") or [], "left"),
            _report_page_history(result), _report_page_checkpoint(result), _report_page_signing(result),
        ),
        _report_el(
            "footer",
            _report_el(
                "p",
                (
                    (
                        "This page is complete in itself: it asks nothing of the network and runs no "
                        "script. It reports one run "
                        "of the script; the bundle is the evidence, not the page."
                    ),
                    "本页自成一体，不访问网络，不运行脚本。它记载脚本的一次运行；以数据包为证，不以本页为证。",
                ),
                cls="block",
            ),
            _report_el(
                "p",
                (
                    "Times are by Beijing's clock (UTC+8) where no other zone is said.",
                    "未注明时区的时间均为北京时间（UTC+8）。",
                ),
                cls="block",
            ),
            _report_el("p", ("Checked ", "核验于 "), _report_made(result)),
        ),
    ]
    return (
        "<!doctype html>\n"
        + _report_el(
            "html", ReportMarkup("\n<head>\n"), _report_el("meta", charset="utf-8"),
            ReportMarkup(
                '\n<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
                f"style-src 'sha256-{policy}'; base-uri 'none'; form-action 'none'\">\n"
            ),
            _report_el("meta", name="viewport", content="width=device-width, initial-scale=1"),
            _report_el("meta", name="color-scheme", content="light dark"),
            _report_el("meta", name="referrer", content="no-referrer"), _report_el("title", title),
            ReportMarkup(f"\n<style>{style}</style>\n</head>\n"),
            _report_el("body", picks, _report_el("div", body, cls="page")), lang=tag[1],
        )
        + "\n"
    )


# ======================================================================================================================
# THE COMMAND
# ======================================================================================================================


def own_digest() -> str:
    """SHA-256 of this very file."""
    try:
        return sha256(Path(__file__).read_bytes()).hexdigest()
    except OSError:
        return ""


def empty_result(path: str) -> dict[str, Any]:
    """A result in which nothing was looked at yet."""
    return {
        "format": VERSION,
        "script": {"sha256": own_digest(), "python": ".".join(map(str, sys.version_info[:3]))},
        "command": [], "made": int(clock.time() * 1000), "seconds": 0.0, "now": None,
        "verdict": "unreadable", "exit": 2, "error": None,
        "bundle": {"path": path, "kind": None, "asked": [], "exported": None, "files": None, "bytes": None},
        "key": {"given": False, "vkey": None, "stands": None},
        "checkpoint": None, "ledger": None, "since": None, "counts": {}, "checked": [], "not_checked": [],
        "notes": [], "findings": [], "beyond": 0, "by_code": {}, "witnesses": None, "seals": [],
        "keys": {"log": None, "roots": [], "authors": []},
        "epochs": [], "prunings": [], "absences": [], "disclosures": [], "timelines": [],
    }  # fmt: skip


def verify_bundle(path: str, options: Options, progress: Any) -> dict[str, Any]:
    """Verify a bundle; Misused for what was given beside it."""
    begun = clock.monotonic()
    result = empty_result(path)
    findings = Findings(options.most)
    if options.key is not None and options.policy is not None and options.policy.logs:
        if all(one.text != options.key.text for one in options.policy.logs):
            raise Misused("the witness policy is for another log than the key", "见证政策不适用于此密钥的账本")
    elif options.key is None and options.policy is not None and options.policy.logs:
        if len(options.policy.logs) > 1:
            raise Misused("the witness policy is for several logs: give the key of the one that is meant",
                "见证政策适用于多个账本：请给出所指账本的密钥")
        options.key = options.policy.logs[0]
    container: Container | None = None
    try:
        container = Container(path)
        try:
            data = container.read("bundle.json", 1 << 16)
        except Bad as error:
            raise Unreadable(error.en, error.zh) from None
        manifest = Manifest(data)
        container.check_lengths(manifest.kind == "whole")
        result["bundle"].update(kind=manifest.kind, asked=manifest.asked, exported=manifest.exported)
        with tempfile.TemporaryDirectory(prefix="verify-bundle-") as folder:
            if manifest.kind == "whole":
                whole = Whole(container, options, findings, result, progress, folder)
                try:
                    whole.run()
                finally:
                    whole.close()
                unshown = whole.unshown
            else:
                excerpt = Excerpt(container, options, findings, result, progress, manifest.kind)
                excerpt.run()
                unshown = excerpt.unshown
        result["bundle"].update(files=container.files, bytes=container.bytes)
    except Unreadable as error:
        result["error"] = {"en": error.en, "zh": error.zh}
        result["seconds"] = clock.monotonic() - begun
        return result
    finally:
        if container is not None:
            container.close()
    listed_ = findings.listed()
    result["findings"] = [{"code": code, "index": index, "subject": subject, "en": en, "zh": zh}
        for code, index, en, zh, subject in listed_]
    result["by_code"] = dict(sorted(findings.by_code.items(), key=lambda one: RANK[one[0]]))
    result["beyond"] = findings.count() - len(listed_)
    result["verdict"] = "findings" if listed_ else "clean"
    if options.key is None:
        result["not_checked"].insert(0, {
            "en": "authenticity was not checked: no verifier key was given, so signatures were held against the"
            " key that the log names itself",
            "zh": "未核验真实性：未给出验证公钥，签名仅按账本自己所写的密钥核对",
        })  # fmt: skip
    if options.policy is None or options.policy.quorum == "none":
        result["not_checked"].append({
            "en": "UNWITNESSED: no witness's cosignature was asked for, so an operator with all keys is taken at"
            " his word",
            "zh": "无见证（UNWITNESSED）：未要求见证方联署，只能相信持有全部密钥的运营方",
        })  # fmt: skip
    result["exit"] = 1 if listed_ or options.key is None or unshown else 0
    result["now"] = options.now
    result["seconds"] = clock.monotonic() - begun
    return result


def read_file(path: str, most: int, en: str, zh: str) -> bytes:
    """A file that was given beside the bundle."""
    try:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Misused(f"{en} {path} cannot be read: {error.strerror}",
            f"无法读取{zh} {path}：{error.strerror}") from None
    if len(data) > most:
        raise Misused(f"{en} {path} has over {most} bytes", f"{zh} {path} 超过 {most} 字节")
    return data


def parse_now(text: str) -> int:
    """A time: milliseconds since 1970, or YYYY-MM-DD[THH:MM[:SS]] with Z or an offset, Asia/Shanghai without one."""
    if re.fullmatch("[0-9]{1,15}", text, re.ASCII):
        return int(text)
    if text == "now":
        return int(clock.time() * 1000)
    try:
        found = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise Misused(f"--now {text!r} is no time", f"--now {text!r} 不是时间") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone(timedelta(hours=8)))
    return int(found.timestamp() * 1000)


def given_key(text: str) -> str:
    """A verifier key, or a file with one in its only line: no key has fewer than two +."""
    if text.count("+") >= 2:
        return text.strip()
    try:
        return read_file(text, 1024, "the key", "密钥").decode("utf-8").strip()
    except UnicodeDecodeError:
        raise Misused(f"{text} is no verifier key", f"{text} 不是验证公钥") from None


def make_options(given: argparse.Namespace) -> Options:
    """What was given beside the bundle; Misused says what cannot be used."""
    options = Options()
    try:
        if given.key:
            options.key = parse_verifier(given_key(given.key))
            demand(options.key.kind == LOG_TYPE, "--key is no key of a log (type 1)", "--key 不是账本密钥（类型 1）")
        options.auditors = [parse_verifier(given_key(one)) for one in given.auditor]
        demand(all(one.kind == LOG_TYPE for one in options.auditors), "an auditor's key is of type 1",
            "审计方密钥应为类型 1")
        if given.policy and given.witness:
            raise Misused("give --policy or --witness, not both", "--policy 与 --witness 只能给出其一")
        if given.policy:
            options.policy = parse_witness_policy(read_file(given.policy, 65_536, "the witness policy", "见证政策"))
        elif given.witness:
            options.policy = policy_of([given_key(one) for one in given.witness], given.quorum)
        elif given.quorum is not None:
            raise Misused("--quorum needs --witness", "--quorum 需要 --witness")
        if given.retention:
            options.demand = read_demand(read_file(given.retention, 1 << 20, "the retention policy", "保存政策"))
    except Bad as error:
        raise Misused(error.en, error.zh) from None
    if given.since:
        options.since = read_file(given.since, MAX_NOTE, "the older checkpoint", "旧检查点")
    options.now = None if given.now is None else parse_now(given.now)
    options.processes = given.processes if given.processes > 0 else os.cpu_count() or 1
    options.units = [unit_of(one) for one in given.unit]
    options.most = max(1, given.most)
    return options


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="verify_bundle.py",
        description="Verify a tracechain bundle. 核验 tracechain 数据包。")
    add = found.add_argument
    add("bundle", help="folder or .zip / 文件夹或 .zip")
    add("--key", metavar="VKEY|FILE",
        help="verifier key of the log, from elsewhere than the bundle / 账本验证公钥，须另行取得")
    add("--since", metavar="FILE", help="an older checkpoint that you kept / 您保存的旧检查点")
    add("--witness", metavar="VKEY|FILE", action="append", default=[],
        help="verifier key of a witness; may be repeated / 见证方验证公钥，可重复")
    add("--quorum", metavar="N", type=int,
        help="how many of the witnesses are enough (all) / 需要多少见证方（默认全部）")
    add("--policy", metavar="FILE", help="a witness policy (tlog-policy) in place of --witness / 见证政策文件")
    add("--auditor", metavar="VKEY|FILE", action="append", default=[],
        help="verifier key of an auditor who signs seals / 签署封存的审计方验证公钥")
    add("--retention", metavar="FILE", help="a retention policy that must have been kept too / 另须遵守的保存政策")
    add("--now", metavar="TIME", help="nothing may have been received after this / 不得有晚于此时的接收时间")
    add("--unit", metavar="CODE", action="append", default=[],
        help="show the history of a unit; exit 1 if it is not shown whole, nor absent; may be repeated"
        " / 显示某单元的流转历史；若历史未完整证明且未证明其不存在，退出码为 1；可重复")
    add("--report", metavar="OUT.html", help="write a page / 写出网页报告")
    add("--json", action="store_true", help="print the result as JSON / 以 JSON 输出结果")
    add("--lang", choices=("zh", "en"), help="language / 语言")
    add("--processes", metavar="N", type=int, default=1,
        help="how many processes (0: one a core) / 进程数（0：每核一个）")
    add("--most", metavar="N", type=int, default=1000, help="how many findings are listed / 最多列出多少项发现")
    add("--quiet", action="store_true", help="no progress bar / 不显示进度条")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Verify a bundle and say what was found; 0 clean, 1 findings, no key or a unit not shown, 2 unreadable."""
    given = parser().parse_args(argv)
    lang = given.lang or report_default_lang()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    progress = ReportProgress(sys.stderr, lang, False if given.quiet else None)
    try:
        result = verify_bundle(given.bundle, make_options(given), progress)
    except Misused as error:
        print(report_visible(error.zh if lang == "zh" else error.en), file=sys.stderr)
        return 2
    except (OSError, MemoryError) as error:  # of this machine, not of the bundle: no verdict
        words = ("the verification could not be finished", "核验未能完成")[lang == "zh"]
        print(report_visible(f"{words}: {str(error) or type(error).__name__}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 2
    finally:
        progress.close()
    result["command"] = list(sys.argv[1:] if argv is None else argv)
    if given.report:
        try:
            with open(given.report, "w", encoding="utf-8") as file:
                file.write(report_page(result, lang))
        except OSError as error:
            print(f"{given.report}: {error.strerror}", file=sys.stderr)
            return 2
    if given.json:
        sys.stdout.write(report_json(result))
    else:
        width = shutil.get_terminal_size((80, 24)).columns
        sys.stdout.write(report_text(result, lang, report_colour(sys.stdout), width))
    return int(result["exit"])


if __name__ == "__main__":
    sys.exit(main())
