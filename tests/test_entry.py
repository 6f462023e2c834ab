"""Headers, commitments and rows: read strictly, written in one way (docs/format.md sections 2, 4 and 7)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tracechain import encoding, merkle
from tracechain.entry import (
    COVERED_TYPES,
    HEADER_SIZE,
    MAX_CONTENT,
    MAX_ROWS,
    NO_POLICY,
    OPEN_DAY,
    EntryType,
    Header,
    Row,
    content_commitment,
    decode_rows,
    encode_row,
    encode_rows,
    format_header,
    parse_header,
    prove_row,
    row_hash,
    row_hashes,
    row_root,
    row_salt,
)
from tracechain.errors import DecodeError, InputError, ProofError
from tracechain.testing import strategies

SALT = bytes(range(32))
u64 = st.integers(0, (1 << 64) - 1)
u32 = st.integers(0, (1 << 32) - 1)
hashes = st.binary(min_size=32, max_size=32)


# ---- headers ---------------------------------------------------------------------------------------


@st.composite
def headers(draw: st.DrawFn) -> Header:
    """Every header that the format allows."""
    kind = draw(st.sampled_from(EntryType))
    authored = kind in COVERED_TYPES or kind == EntryType.STATEMENT
    covered = kind in COVERED_TYPES
    rows = draw(st.integers(0, (1 << 32) - 1) | st.just(0))
    return Header(
        type=kind,
        flags=draw(st.integers(0, 1)),
        time=draw(u64),
        record_class=draw(st.integers(0, 65_535)) if covered else 0,
        keep_until=draw(u32) if kind == EntryType.EVENT else OPEN_DAY,
        author=draw(st.binary(min_size=8, max_size=8)) if authored else bytes(8),
        sequence=draw(u64) if authored else 0,
        row_count=rows,
        content_length=draw(st.integers(1, MAX_CONTENT)),
        rows_length=draw(st.integers(1, MAX_ROWS)) if rows else 0,
        first_rows=draw(st.integers(0, rows)),
        policy=draw(u64) if kind == EntryType.EVENT else NO_POLICY,
        content_commitment=draw(hashes),
        row_root=draw(hashes) if rows else bytes(32),
    )


@given(headers())
def test_a_header_is_read_as_it_was_written(header: Header) -> None:
    raw = format_header(header)
    assert len(raw) == HEADER_SIZE
    assert parse_header(raw) == header
    assert header.clamped is (raw[7] == 1)


@given(st.binary(min_size=HEADER_SIZE, max_size=HEADER_SIZE), headers(), st.data())
def test_what_is_read_is_written_back_byte_for_byte(noise: bytes, header: Header, data: st.DataObject) -> None:
    """No two spellings of one header: the leaf is over the bytes, the checks are over the fields."""
    raw = format_header(header)
    at = data.draw(st.integers(0, HEADER_SIZE - 1))
    for candidate in (noise, raw[:at] + noise[at : at + 1] + raw[at + 1 :], raw[:at] + noise[at:]):
        try:
            parsed = parse_header(candidate)
        except DecodeError:
            continue
        assert format_header(parsed) == candidate


def test_fields_stand_where_the_format_says() -> None:
    header = Header(EntryType.EVENT, 1, 2, 3, 4, b"AUTHORID", 5, 6, 7, 8, 1, 9, b"c" * 32, b"r" * 32)
    assert format_header(header).hex(" ", -4) == (
        "54434830 03010001 00000000 00000002 00030000 00000004 415554484f524944 00000000 00000005"
        " 00000006 00000007 00000008 00000001 00000000 00000009"
    ).replace("415554484f524944", "41555448 4f524944") + " " + " ".join(["63636363"] * 8 + ["72727272"] * 8)


GOOD = Header(EntryType.EVENT, 0, 1, 0, OPEN_DAY, b"author11", 0, 1, 10, 10, 1, NO_POLICY, b"c" * 32, b"r" * 32)
OWN = Header(EntryType.CLOCK, 0, 1, 0, OPEN_DAY, bytes(8), 0, 0, 10, 0, 0, NO_POLICY, b"c" * 32, bytes(32))


@pytest.mark.parametrize("size", [0, 1, 127, 129, 256])
def test_a_header_has_128_bytes(size: int) -> None:
    with pytest.raises(DecodeError, match=f"this one has {size}"):
        parse_header((format_header(GOOD) * 2)[:size])


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (0, b"TCH1", "magic"),
        (0, b"tch0", "magic"),
        (4, b"\0", "type 0"),
        (4, b"\x0a", "type 10"),
        (5, b"\0", "suite is 0"),
        (5, b"\2", "suite is 2"),
        (6, b"\0\2", "flags 0x0002"),
        (6, b"\x80\1", "flags 0x8001"),
        (18, b"\0\1", "reserved"),
        (44, b"\0\0\0\0", "content length 0"),
        (44, b"\0\1\0\1", "content length 65537"),
        (40, b"\0\0\0\0", "0 rows cannot have 10 bytes"),
        (48, b"\0\0\0\0", "1 rows cannot have 0 bytes"),
        (48, b"\1\0\0\1", "16777217 bytes"),
        (52, b"\0\0\0\2", "2 of 1 rows"),
    ],
)
def test_a_malformed_header_is_named(at: int, value: bytes, words: str) -> None:
    raw = format_header(GOOD)
    with pytest.raises(DecodeError, match=words):
        parse_header(raw[:at] + value + raw[at + len(value) :])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"author": b"author11"}, "names no author"),
        ({"sequence": 1}, "names no author"),
        ({"record_class": 1}, "no record class"),
        ({"keep_until": 1}, "no keep-until day and no policy"),
        ({"policy": 1}, "no keep-until day and no policy"),
        ({"row_root": b"r" * 32}, "without rows has a row root"),
    ],
)
def test_the_ledgers_own_entries_name_nobody(changes: dict[str, Any], words: str) -> None:
    assert parse_header(format_header(OWN)) == OWN
    with pytest.raises(DecodeError, match=words):
        parse_header(format_header(evolve(OWN, **changes)))


def test_a_statement_has_an_author_and_no_class() -> None:
    statement = evolve(OWN, type=EntryType.STATEMENT, author=b"author11", sequence=7)
    assert parse_header(format_header(statement)) == statement
    with pytest.raises(DecodeError):
        parse_header(format_header(evolve(statement, record_class=1)))


# ---- commitments -----------------------------------------------------------------------------------


def test_a_commitment_is_what_the_format_says() -> None:
    expected = sha256(b"TCH0 content\0\0\0\0" + SALT + b"content").digest()
    assert content_commitment(SALT, b"content") == expected
    assert content_commitment(SALT, b"") != content_commitment(SALT + b"", b"\0")


# ---- rows ------------------------------------------------------------------------------------------


@st.composite
def row_lists(draw: st.DrawFn, most: int = 12) -> list[Row]:
    """Rows of one entry, in order, of ids that share prefixes and of ids that do not."""
    some = st.one_of(strategies.ids(), st.sampled_from(("/", "a/", "a/b", "a/b/", "a", "b/a", "é/ü", "0", "a0/b")))
    subjects = draw(st.lists(some, min_size=1, max_size=most, unique=True))
    return [
        Row(
            subject,
            draw(st.integers(0, 255)),
            draw(st.none() | st.integers(0, (1 << 40) - 2)),
            draw(st.integers(0, (1 << 24) - 1)),
            tuple(sorted(draw(st.sets(st.integers(1, 65_535), max_size=3)))),
        )
        for subject in sorted(subjects)
    ]


@given(row_lists(), st.integers(1, (1 << 64) - 1))
def test_rows_are_read_as_they_were_written(rows: list[Row], rule_set: int) -> None:
    data = encode_rows(rule_set, rows)
    assert decode_rows(data) == (rule_set, tuple(rows))
    assert [s.subject.encode() for s in rows] == sorted(s.subject.encode() for s in rows)


@given(row_lists(4), st.data())
def test_rows_have_one_spelling(rows: list[Row], data: st.DataObject) -> None:
    """Whatever else is read, is written back byte for byte."""
    raw = bytearray(encode_rows(1, rows))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        rule_set, found = decode_rows(bytes(raw))
    except DecodeError:
        return
    assert encode_rows(rule_set, found) == raw


ROW: list[Any] = ["", "x", 0, 0, 1, None]


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        [],
        [1],
        [0, ROW],
        [-1, ROW],
        [True, ROW],
        ["1", ROW],
        [1, "x"],
        [1, []],
        [1, [""]],
        [1, ["", "x", 0, 0, 1]],
        [1, [*ROW, "y"]],
        [1, [1, *ROW[1:]]],
        [1, ["", "", 0, 0, 1, None]],
        [1, ["", "a/b", 0, 0, 1, None]],
        [1, ["a", "b", 0, 0, 1, None]],
        [1, ["", "x" * 481, 0, 0, 1, None]],
        [1, ["", "é" * 241, 0, 0, 1, None]],
        [1, ROW, ["", "y", 0, 0, 1, None]],
        [1, ["", "y", 0, 0, 1, None, *ROW[1:]]],
        [1, [*ROW, *ROW[1:]]],
        [1, ["b/", *ROW[1:]], ["a/", *ROW[1:]]],
        *([1, ["", "x", act, 0, 1, None]] for act in (-1, 1 << 24, True, None, "0")),
        *([1, ["", "x", 0, previous, 1, None]] for previous in (-1, 1 << 40, True, None)),
        *([1, ["", "x", 0, 0, state, None]] for state in (-1, 1 << 24, True, None)),
        *([1, ["", "x", 0, 0, 1, codes]] for codes in ([], 1, [0], [1 << 16], [2, 1], [1, 1], [True], ["1"], [[1]])),
    ],
)
def test_other_shapes_are_no_rows(value: Any) -> None:
    with pytest.raises(DecodeError):
        decode_rows(encoding.pack(value))


def test_the_longest_subject_is_a_row() -> None:
    for subject in ("x" * 480, "é" * 240, "a/" * 240):
        row = Row(subject, 0, None, 1)
        assert decode_rows(encode_rows(1, [row])) == (1, (row,))


@pytest.mark.parametrize("data", [b"", b"\x92", b"\x92\x01", b"\x92\xcc\x01\x96\xa0\xa1x\x00\x00\x01\xc0"])
def test_bytes_that_are_not_canonical_are_no_rows(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_rows(data)
    good = encode_rows(1, [Row("x", 0, None, 1)])
    with pytest.raises(DecodeError):
        decode_rows(good + b"\0")


def test_rows_over_the_limit_are_not_looked_at() -> None:
    with pytest.raises(DecodeError, match="over the limit"):
        decode_rows(bytes(MAX_ROWS + 1))


# ---- hashes of rows --------------------------------------------------------------------------------


def test_a_row_hash_is_what_the_format_says() -> None:
    row = Row("01/1/21/A", 1, 4, 2, (1,))
    encoded = b"\x92\x01\x96" + encoding.pack("01/1/21/") + encoding.pack("A") + b"\x01\x05\x02\x91\x01"
    assert encode_row(1, row) == encoded
    leaf = bytes(31) + b"\1"
    tag = b"TCH0 row".ljust(16, b"\0")
    assert row_hash(SALT, leaf, encoded) == sha256(tag + SALT + leaf + encoded).digest()
    assert row_hash(SALT, None, encoded) == sha256(tag + SALT + bytes(32) + encoded).digest()
    salt_tag = b"TCH0 row salt".ljust(16, b"\0")
    assert row_salt(SALT, 0, 1) == SALT
    assert row_salt(SALT, 3, 5) == sha256(salt_tag + SALT + b"\0\0\0\3").digest()
    assert row_salt(SALT, 0, 2) != SALT


@given(row_lists(), st.data())
def test_one_row_is_shown_without_its_neighbours(rows: list[Row], data: st.DataObject) -> None:
    leaves = [None if row.previous is None else sha256(b"%d" % row.previous).digest() for row in rows]
    found = row_hashes(SALT, 1, rows, leaves)
    root = row_root(found)
    position = data.draw(st.integers(0, len(rows) - 1))
    proof = prove_row(found, position)
    shown = row_hash(row_salt(SALT, position, len(rows)), leaves[position], encode_row(1, rows[position]))
    merkle.check_inclusion(shown, position, len(rows), proof, root)
    forged = evolve(rows[position], state=rows[position].state ^ 1)
    other = row_hash(row_salt(SALT, position, len(rows)), leaves[position], encode_row(1, forged))
    with pytest.raises(ProofError):
        merkle.check_inclusion(other, position, len(rows), proof, root)


@given(row_lists())
def test_everything_about_a_row_is_in_its_hash(rows: list[Row]) -> None:
    row = rows[0]
    leaf = bytes(32) if row.previous is None else b"l" * 32
    base = row_hashes(SALT, 1, [row], [leaf])
    for changed in (
        row_hashes(SALT[::-1], 1, [row], [leaf]),
        row_hashes(SALT, 2, [row], [leaf]),
        row_hashes(SALT, 1, [row], [b"m" * 32]),
        row_hashes(SALT, 1, [evolve(row, subject=row.subject + "x")], [leaf]),
        row_hashes(SALT, 1, [evolve(row, act=row.act ^ 1)], [leaf]),
        row_hashes(SALT, 1, [evolve(row, previous=7 if row.previous is None else None)], [leaf]),
        row_hashes(SALT, 1, [evolve(row, state=row.state ^ 1)], [leaf]),
        row_hashes(SALT, 1, [evolve(row, violations=(*row.violations, 65_536))], [leaf]),
    ):
        assert changed != base


def test_no_rows_no_root() -> None:
    assert row_root([]) == bytes(32)
    assert row_hashes(SALT, 1, [], []) == []
    with pytest.raises(ValueError, match="zip"):
        row_hashes(SALT, 1, [Row("x", 0, None, 1)], [])
    with pytest.raises(InputError):
        prove_row([b"h" * 32], 1)
