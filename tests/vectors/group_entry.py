"""Vectors of entries: headers, commitments, rows and their hashes (docs/format.md sections 2, 4 and 7).

Kinds:

    header      header; when it stands: fields by name (bytes as hex), leaf
    commitment  salt, content, commitment
    rows        rows as stored; when they stand: rule_set, parsed (subject, act, previous index or null, state,
                violations), salt, previous_leaves (null: none), row_salts, row_hashes, row_root

What is refused has "reason" in words, and in "words" what this library's message says of it.
"""

from __future__ import annotations

import struct
from hashlib import sha256
from typing import Any

from attrs import asdict, evolve

from tracechain import encoding
from tracechain.entry import (
    NO_POLICY,
    OPEN_DAY,
    EntryType,
    Header,
    Row,
    content_commitment,
    encode_rows,
    format_header,
    row_hashes,
    row_root,
    row_salt,
)
from tracechain.merkle import leaf_hash

Cases = dict[str, dict[str, Any]]


def _filled(text: str) -> bytes:
    """32 bytes that stand for something random."""
    return sha256(text.encode()).digest()


EVENT = Header(
    EntryType.EVENT,
    0,
    1_795_219_200_000,
    7,
    20_778,
    _filled("author")[:8],
    41,
    3,
    74,
    66,
    2,
    NO_POLICY,
    _filled("commitment"),
    _filled("row root"),
)
OWN = evolve(
    EVENT,
    type=EntryType.CLOCK,
    record_class=0,
    keep_until=OPEN_DAY,
    author=bytes(8),
    sequence=0,
    row_count=0,
    rows_length=0,
    first_rows=0,
    row_root=bytes(32),
)
STATEMENT = evolve(OWN, type=EntryType.STATEMENT, author=EVENT.author, sequence=41)


def _header(about: str, header: Header) -> dict[str, Any]:
    raw = format_header(header)
    fields = {k: v.hex() if isinstance(v, bytes) else int(v) for k, v in asdict(header).items()}
    return {
        "about": about,
        "kind": "header",
        "verdict": "stands",
        "header": raw.hex(),
        "fields": fields,
        "leaf": leaf_hash(raw).hex(),
    }


def _bad_header(reason: str, words: str, header: Header, offset: int = 0, put: bytes = b"") -> dict[str, Any]:
    raw = bytearray(format_header(header))
    raw[offset : offset + len(put)] = put
    return {
        "about": "A header that is refused.",
        "kind": "header",
        "verdict": "refused",
        "reason": reason,
        "words": words,
        "header": raw.hex(),
    }


RECORD = evolve(EVENT, type=EntryType.RECORD, keep_until=OPEN_DAY, policy=NO_POLICY)


def _headers() -> Cases:
    good = {
        "event": _header("An event's header with every field filled.", EVENT),
        "record": _header(
            "A record without rows: it has a class, and is kept for ever.",
            evolve(
                EVENT,
                type=EntryType.RECORD,
                keep_until=OPEN_DAY,
                policy=NO_POLICY,
                row_count=0,
                rows_length=0,
                first_rows=0,
                row_root=bytes(32),
            ),
        ),
        "statement": _header("A statement has an author, and no class, day or policy.", STATEMENT),
        "clamped": _header("The ledger's clock went back: flag 1.", evolve(EVENT, flags=1)),
        "own": _header("An entry of the ledger's own names no author.", OWN),
        "key": _header(
            "A key record has one row.",
            evolve(
                OWN, type=EntryType.KEY_AUTHORISED, row_count=1, rows_length=93, first_rows=1, row_root=_filled("r")
            ),
        ),
        "largest": _header(
            "Every number as large as it can be.",
            evolve(
                EVENT,
                time=2**64 - 1,
                record_class=2**16 - 1,
                keep_until=OPEN_DAY - 1,
                sequence=2**64 - 1,
                row_count=2**32 - 1,
                first_rows=2**32 - 1,
                content_length=65_536,
                rows_length=2**24,
                policy=2**64 - 2,
            ),
        ),
    }
    bad = {
        "magic": _bad_header("The magic is of a later version.", "magic", EVENT, 0, b"TCH1"),
        "type-0": _bad_header("Type 0 does not exist.", "type 0", EVENT, 4, b"\x00"),
        "type-10": _bad_header("Type 10 does not exist.", "type 10", EVENT, 4, b"\x0a"),
        "suite": _bad_header("Suite 2 does not exist.", "suite is 2", EVENT, 5, b"\x02"),
        "flag": _bad_header("Flag 2 does not exist.", "flags 0x0002", EVENT, 6, b"\x00\x02"),
        "reserved": _bad_header("The reserved field is not zero.", "reserved", EVENT, 18, b"\x00\x01"),
        "content-empty": _bad_header("No content has 0 bytes.", "content length 0", EVENT, 44, bytes(4)),
        "content-large": _bad_header(
            "No content has 65,537 bytes.", "content length 65537", EVENT, 44, b"\x00\x01\x00\x01"
        ),
        "rows-large": _bad_header(
            "No rows have more than 2^24 bytes.", "rows cannot have", EVENT, 48, b"\x01\x00\x00\x01"
        ),
        "rows-without-bytes": _bad_header("3 rows have 0 bytes.", "rows cannot have 0", EVENT, 48, bytes(4)),
        "bytes-without-rows": _bad_header("0 rows have 1 byte.", "0 rows cannot", OWN, 48, b"\x00\x00\x00\x01"),
        "first-rows": _bad_header("4 of 3 rows are first.", "first rows", EVENT, 52, b"\x00\x00\x00\x04"),
        "root-without-rows": _bad_header("There is a row root without rows.", "row root", OWN, 96, b"\x01"),
        "own-author": _bad_header("The ledger's own entry names an author.", "names no author", OWN, 24, b"\x01"),
        "own-sequence": _bad_header(
            "The ledger's own entry has an author's number.", "names no author", OWN, 39, b"\x01"
        ),
        "own-class": _bad_header("The ledger's own entry has a class.", "no record class", OWN, 17, b"\x01"),
        "statement-class": _bad_header("A statement has a class.", "no record class", STATEMENT, 17, b"\x01"),
        "record-day": _bad_header("A record has a keep-until day.", "no keep-until day", RECORD, 20, bytes(4)),
        "record-policy": _bad_header("A record has a policy.", "no policy", RECORD, 56, bytes(8)),
        "statement-day": _bad_header("A statement has a keep-until day.", "no keep-until day", STATEMENT, 20, bytes(4)),
        "statement-policy": _bad_header("A statement has a policy.", "no policy", STATEMENT, 56, bytes(8)),
    }
    short, long = _bad_header("It has 127 bytes.", "127", EVENT), _bad_header("It has 129 bytes.", "129", EVENT)
    short["header"], long["header"] = short["header"][:-2], long["header"] + "00"
    return {
        **{f"header-{name}": case for name, case in good.items()},
        **{f"header-refused-{name}": case for name, case in (bad | {"short": short, "long": long}).items()},
    }


def _commitments() -> Cases:
    salt = bytes(range(32))
    contents = {
        "one-byte": b"\xc0",
        "event": encoding.pack((1, 0, 0, 2, None, ("", ("urn:x",)))),
        "largest": b"\xc5\xff\xfd" + bytes(65_533),
    }
    return {
        f"commitment-{name}": {
            "about": "Tag, salt and content are hashed one behind the other.",
            "kind": "commitment",
            "salt": salt.hex(),
            **(
                {"content": content.hex()}
                if len(content) < 1000
                else {"content_head": "c5fffd", "content_zeros": 65_533}
            ),
            "commitment": content_commitment(salt, content).hex(),
        }
        for name, content in contents.items()
    }


def good_rows(about: str, *rows: Row, rule_set: int = 1) -> dict[str, Any]:
    salt = _filled(about)
    leaves = [None if row.previous is None else _filled(f"leaf {row.previous}") for row in rows]
    hashes = row_hashes(salt, rule_set, rows, leaves)
    return {
        "about": about,
        "kind": "rows",
        "verdict": "stands",
        "rows": encode_rows(rule_set, rows).hex(),
        "rule_set": rule_set,
        "parsed": [[row.subject, row.act, row.previous, row.state, list(row.violations)] for row in rows],
        "salt": salt.hex(),
        "previous_leaves": [None if leaf is None else leaf.hex() for leaf in leaves],
        "row_salts": [row_salt(salt, k, len(rows)).hex() for k in range(len(rows))],
        "row_hashes": [one.hex() for one in hashes],
        "row_root": row_root(hashes).hex(),
    }


def bad_rows(reason: str, words: str, value: Any) -> dict[str, Any]:
    data = value if isinstance(value, bytes) else encoding.pack(value)
    return {
        "about": "Rows that are refused.",
        "kind": "rows",
        "verdict": "refused",
        "reason": reason,
        "words": words,
        "rows": data.hex(),
    }


PACK = "01/09521234001072/21/"


def _row_cases() -> Cases:
    good = {
        "first": good_rows("One pack, seen for the first time.", Row(PACK + "A1", 0, None, 1)),
        "previous": good_rows("One pack whose entry before is number 17.", Row(PACK + "A1", 0, 17, 1)),
        "previous-0": good_rows("An entry before that has index 0 is written as 1.", Row(PACK + "A1", 0, 0, 1)),
        "violation": good_rows("A pack that is gone is seen again.", Row(PACK + "A1", 0, 300, 2, (1,))),
        "violations": good_rows("Several violations.", Row(PACK + "A1", 0, 70_000, 2, (1, 2, 300, 65_535))),
        "group": good_rows(
            "Three packs of one product share a prefix; the tree of three is uneven.",
            *(Row(f"{PACK}A{n}", n % 2, None if n else 9, 1 + n % 2) for n in range(3)),
        ),
        "groups": good_rows(
            "A case, packs of two products, a place with several levels, and ids without '/'.",
            Row("00/095212340000000013", 0, 4, 1),
            Row(PACK + "A1", 0, None, 1),
            Row(PACK + "A2", 0, 5, 1),
            Row("01/09521234001089/10/L7", 0, None, 1),
            Row("414/9521234000013/254/17", 2, None, 0),
            Row("urn:uuid:0", 0, None, 1),
            Row("urn:uuid:1", 0, 2**32, 1),
        ),
        "prefix-again": good_rows(
            "A prefix comes again behind a longer one.",
            Row("a/1", 0, None, 1),
            Row("a/b/1", 0, None, 1),
            Row("a/c", 0, None, 1),
        ),
        "suffix-empty": good_rows("An id that ends with '/' has an empty suffix.", Row("https://a.example/", 0, None, 1)),
        "largest": good_rows("The largest index and state.", Row("x", 0, 2**40 - 2, 2**24 - 1), rule_set=1),
        "other-rules": good_rows("A later rule set is read, its states are not judged.", Row("x", 9, None, 77), rule_set=3),
    }
    cells = ("A1", 0, 0, 1, None)
    bad = {
        "no-groups": bad_rows("There are no rows.", "groups", (1,)),
        "group-empty": bad_rows("A group has no rows.", "five items a row", (1, (PACK,))),
        "cell-missing": bad_rows("A row has four items.", "five items a row", (1, (PACK, "A1", 0, 0, 1))),
        "not-sorted": bad_rows("Rows are not sorted.", "order", (1, (PACK, "A2", *cells[1:], *cells))),
        "twice": bad_rows("A subject comes twice.", "order", (1, (PACK, *cells, *cells))),
        "groups-of-one-prefix": bad_rows(
            "Neighbours with one prefix are in two groups.",
            "share a prefix",
            (1, (PACK, *cells), (PACK, "A2", *cells[1:])),
        ),
        "split-early": bad_rows("A suffix holds '/'.", "split", (1, ("01/", "09521234001072/21/A1", *cells[1:]))),
        "split-late": bad_rows("A prefix does not end with '/'.", "split", (1, (PACK + "A", "1", *cells[1:]))),
        "rule-set-0": bad_rows("Rule sets count from 1.", "rule set", (0, (PACK, *cells))),
        "act-text": bad_rows("An act is a text.", "act", (1, (PACK, "A1", "see", 0, 1, None))),
        "previous-negative": bad_rows("An index is negative.", "previous", (1, (PACK, "A1", 0, -1, 1, None))),
        "previous-large": bad_rows("An index is over the limit.", "previous", (1, (PACK, "A1", 0, 2**40, 1, None))),
        "previous-nil": bad_rows("No previous entry is 0, not nil.", "previous", (1, (PACK, "A1", 0, None, 1, None))),
        "state-large": bad_rows("A state is over the limit.", "state", (1, (PACK, "A1", 0, 0, 2**24, None))),
        "state-true": bad_rows("A boolean is no state.", "state", (1, (PACK, "A1", 0, 0, True, None))),
        "violations-empty": bad_rows("No violations are nil, not [].", "violations", (1, (PACK, *cells[:4], ()))),
        "violations-order": bad_rows("Violations do not ascend.", "violations", (1, (PACK, *cells[:4], (2, 1)))),
        "violations-twice": bad_rows("A violation comes twice.", "violations", (1, (PACK, *cells[:4], (1, 1)))),
        "violation-0": bad_rows("There is no violation 0.", "violations", (1, (PACK, *cells[:4], (0,)))),
        "violation-large": bad_rows("A violation is over 65,535.", "violations", (1, (PACK, *cells[:4], (65_536,)))),
        "long-integer": bad_rows(
            "An integer is longer than need be.",
            "shorter form",
            encoding.pack((1, (PACK, *cells)))[:-4] + bytes.fromhex("cc000001c0"),
        ),
        "trailing": bad_rows(
            "There is a byte behind the rows.", "canonical", encoding.pack((1, (PACK, *cells))) + b"\0"
        ),
        "truncated": bad_rows("The last byte is missing.", "canonical", encoding.pack((1, (PACK, *cells)))[:-1]),
        "map": bad_rows("A map is not used.", "canonical", b"\x92\x01\x80"),
        "subject-control": bad_rows(
            "A subject holds a control character.", "control", (1, (PACK, "A\t1", *cells[1:]))
        ),
    }
    return {
        **{f"rows-{name}": case for name, case in good.items()},
        **{f"rows-refused-{name}": case for name, case in bad.items()},
    }


def cases() -> Cases:
    """All cases of this group."""
    assert struct.calcsize(">4sBBHQHHI8sQIIIIQ32s32s") == 128
    return _headers() | _commitments() | _row_cases()
