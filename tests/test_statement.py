"""Statements and submissions: what an author signs, and that nothing else is read (docs/format.md section 6)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tracechain import encoding, merkle, signing
from tracechain.entry import MAX_CONTENT, EntryType
from tracechain.errors import DataError, DecodeError, InputError, SignatureError
from tracechain.record import Evidence
from tracechain.statement import (
    GROUP,
    MAX_COUNT,
    MAX_SUBMISSION,
    Item,
    Statement,
    Submission,
    check_items,
    decode_statement,
    decode_submission,
    encode_statement,
    encode_submission,
    sign_statement,
    statement_leaves,
    statement_of,
    term_leaves,
)
from tracechain.testing import Keys

KEYS = Keys()
LEDGER, ZERO = bytes(range(32)), bytes(32)
hashes = st.binary(min_size=32, max_size=32)


def item(number: int, **changes: Any) -> Item:
    salt = sha256(b"salt %d" % number).digest()
    return evolve(Item(int(EntryType.EVENT), 0, salt, b"content %d" % number), **changes)


def submission(*items: Item, first: int = 0, previous: bytes = ZERO, **changes: Any) -> Submission:
    leaves = statement_leaves([i.commitment for i in items], [i.record_class for i in items], [i.type for i in items])
    statement = sign_statement(
        KEYS.station, ledger_id=LEDGER, first=first, count=len(items), previous=previous, signed_at=7, leaves=leaves
    )
    return Submission(evolve(statement, **changes), items)


THREE = submission(item(0), item(1), item(2))


# ---- statements ------------------------------------------------------------------------------------


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    count = draw(st.integers(1, MAX_COUNT))
    first = draw(st.integers(0, (1 << 63) - count) | st.just(0))
    previous = draw(hashes.filter(any)) if first else ZERO
    signed_at = draw(st.integers(0, (1 << 63) - 1))
    signature = draw(st.binary(min_size=64, max_size=64))
    return Statement(draw(hashes), draw(hashes), first, count, previous, signed_at, draw(hashes), signature)


@given(statements())
def test_a_statement_is_read_as_it_was_written(statement: Statement) -> None:
    assert decode_statement(encode_statement(statement)) == statement
    assert statement_of(Evidence(1, statement.message, statement.signature)) == statement


@given(statements(), st.data())
def test_a_statement_has_one_spelling(statement: Statement, data: st.DataObject) -> None:
    raw = bytearray(encode_statement(statement))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode_statement(bytes(raw))
    except DecodeError:
        return
    assert encode_statement(found) == raw


def test_the_signed_message_is_what_the_format_says() -> None:
    s = THREE.statement
    assert s.message == b"tracechain statement v0\n" + encoding.pack(
        (LEDGER, KEYS.station.public_key.hash, 0, 3, ZERO, 7, s.root)
    )
    assert s.hash == sha256(s.message).digest()
    assert s.author_id == KEYS.station.public_key.hash[:8] == KEYS.station.public_key.id
    signing.verify(KEYS.station.public_key, s.message, s.signature)


@pytest.mark.parametrize(
    "changes",
    [
        {"ledger_id": ZERO},
        {"author": ZERO},
        {"first": 1},
        {"count": 2},
        {"previous": b"x" * 32},
        {"signed_at": 8},
        {"root": ZERO},
    ],
)
def test_the_signature_covers_every_field(changes: dict[str, Any]) -> None:
    changed = evolve(THREE.statement, **changes)
    assert changed.hash != THREE.statement.hash
    with pytest.raises(SignatureError):
        signing.verify(KEYS.station.public_key, changed.message, changed.signature)


GOOD: list[Any] = list(encoding.unpack_strict(encode_statement(THREE.statement)))  # type: ignore[arg-type] # an array


@pytest.mark.parametrize(
    ("position", "values"),
    [
        (0, (b"", bytes(31), bytes(33), "x" * 32, None)),
        (1, (b"", bytes(31), bytes(33), None)),
        (2, (-1, 1 << 63, True, None, "0", 1)),
        (3, (0, -1, MAX_COUNT + 1, True, None)),
        (4, (bytes(31), b"x" * 32, None)),
        (5, (-1, 1 << 63, True, None)),
        (6, (bytes(31), None)),
        (7, (bytes(63), bytes(65), None)),
    ],
)
def test_a_malformed_field_is_refused(position: int, values: tuple[Any, ...]) -> None:
    for value in values:
        with pytest.raises(DecodeError):
            decode_statement(encoding.pack([*GOOD[:position], value, *GOOD[position + 1 :]]))


def test_other_shapes_are_no_statements() -> None:
    for wrong in (
        b"",
        b"\xc0",
        b"\x90",
        encoding.pack(GOOD[:-1]),
        encoding.pack([*GOOD, 1]),
        encoding.pack(GOOD) + b"\0",
    ):
        with pytest.raises(DecodeError):
            decode_statement(wrong)
    with pytest.raises(DecodeError, match="over the limit"):
        decode_statement(bytes(1025))


def test_numbers_end_at_two_to_the_63() -> None:
    last = [*GOOD[:2], (1 << 63) - 3, 3, b"p" * 32, *GOOD[5:]]
    assert decode_statement(encoding.pack(last)).first == (1 << 63) - 3
    with pytest.raises(DecodeError, match="go past"):
        decode_statement(encoding.pack([*last[:2], (1 << 63) - 2, *last[3:]]))


def test_the_first_statement_and_only_that_has_none_before() -> None:
    for first, previous in ((0, b"p" * 32), (1, ZERO)):
        with pytest.raises(DecodeError, match="previous"):
            decode_statement(encoding.pack([*GOOD[:2], first, 3, previous, *GOOD[5:]]))


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 0},
        {"count": MAX_COUNT + 1},
        {"first": -1},
        {"first": 1 << 63},
        {"first": (1 << 63) - 1, "count": 2},
        {"signed_at": -1},
        {"signed_at": 1 << 63},
    ],
)
def test_what_nobody_would_take_is_not_signed(changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"ledger_id": LEDGER, "first": 1, "count": 1, "previous": ZERO, "signed_at": 1}
    with pytest.raises(InputError):
        sign_statement(KEYS.station, **{**fields, **changes}, leaves=[ZERO])


# ---- terms and leaves ------------------------------------------------------------------------------


@given(st.lists(st.tuples(hashes, st.integers(0, 65_535), st.sampled_from((3, 4))), min_size=1, max_size=200))
def test_leaves_are_what_the_format_says(terms: list[tuple[bytes, int, int]]) -> None:
    joined = [c + r.to_bytes(2, "big") + t.to_bytes(1, "big") for c, r, t in terms]
    expected = [sha256(b"\0" + b"".join(joined[at : at + 64])).digest() for at in range(0, len(joined), 64)]
    assert statement_leaves(*map(list, zip(*terms, strict=True))) == expected
    assert term_leaves(joined) == expected


@pytest.mark.parametrize("count", [1, 2, GROUP - 1, GROUP, GROUP + 1, 2 * GROUP, 2 * GROUP + 1])
def test_every_term_counts_and_so_does_its_place(count: int) -> None:
    commitments = [sha256(b"%d" % n).digest() for n in range(count)]
    root = merkle.root(statement_leaves(commitments, [0] * count, [3] * count))
    for n in {0, count // 2, count - 1}:
        other = [*commitments[:n], ZERO, *commitments[n + 1 :]]
        assert merkle.root(statement_leaves(other, [0] * count, [3] * count)) != root
        classes = [int(i == n) for i in range(count)]
        assert merkle.root(statement_leaves(commitments, classes, [3] * count)) != root
        types = [3 + (i == n) for i in range(count)]
        assert merkle.root(statement_leaves(commitments, [0] * count, types)) != root
    if count > 1:
        assert merkle.root(statement_leaves(commitments[::-1], [0] * count, [3] * count)) != root
        assert merkle.root(statement_leaves(commitments[:-1], [0] * (count - 1), [3] * (count - 1))) != root


def test_columns_are_of_one_length() -> None:
    for columns in (([ZERO, ZERO], [0, 1], [3]), ([ZERO], [0, 1], [3, 4])):
        with pytest.raises(ValueError, match="zip"):
            statement_leaves(*columns)
    assert statement_leaves([], [], []) == []


# ---- submissions -----------------------------------------------------------------------------------


@given(
    st.lists(
        st.builds(Item, st.sampled_from((3, 4)), st.integers(0, 65_535), hashes, st.binary(min_size=1, max_size=50)),
        min_size=1,
        max_size=6,
        unique_by=lambda one: one.salt,
    )
)
def test_a_submission_is_read_as_it_was_made(items: list[Item]) -> None:
    made = submission(*items)
    found = decode_submission(encode_submission(made))
    assert found == made
    check_items(found)


@given(st.data())
def test_a_submission_has_one_spelling(data: st.DataObject) -> None:
    raw = bytearray(encode_submission(THREE))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode_submission(bytes(raw))
    except DataError:
        return
    assert encode_submission(found) == raw


@given(st.binary(max_size=80))
def test_noise_is_no_submission(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_submission(data)


@pytest.mark.parametrize(
    "value",
    [
        (),
        ("tracechain submission v0",),
        ("tracechain submission v1", encode_statement(THREE.statement), ()),
        (b"tracechain submission v0", encode_statement(THREE.statement), ()),
        ("tracechain submission v0", GOOD, ()),
        ("tracechain submission v0", encode_statement(THREE.statement), b""),
        ("tracechain submission v0", b"", ()),
        ("tracechain submission v0", encode_statement(THREE.statement), (), 1),
        *(
            ("tracechain submission v0", encode_statement(THREE.statement), (one,))
            for one in (
                (3, 0, ZERO),
                (3, 0, ZERO, b"c", 1),
                (2, 0, ZERO, b"c"),
                (5, 0, ZERO, b"c"),
                (True, 0, ZERO, b"c"),
                (3, -1, ZERO, b"c"),
                (3, 65_536, ZERO, b"c"),
                (3, True, ZERO, b"c"),
                (3, 0, bytes(31), b"c"),
                (3, 0, "x" * 32, b"c"),
                (3, 0, ZERO, b""),
                (3, 0, ZERO, b"c" * (MAX_CONTENT + 1)),
                (3, 0, ZERO, "c"),
                b"c",
            )
        ),
    ],
)
def test_other_shapes_are_no_submissions(value: Any) -> None:
    with pytest.raises(DecodeError):
        decode_submission(encoding.pack(value))


@pytest.mark.parametrize(
    "items",
    [
        (item(0), item(1)),
        (item(0), item(1), item(2), item(3)),
        (item(0), item(2), item(1)),
        (item(0), item(1), item(3)),
        (item(0), item(1), item(2, record_class=1)),
        (item(0), item(1), item(2, type=4)),
        (item(0), item(1), item(2, salt=ZERO)),
        (item(0), item(1), item(2, content=b"other")),
        (),
    ],
)
def test_items_are_exactly_those_of_the_statement(items: tuple[Item, ...]) -> None:
    check_items(THREE)
    with pytest.raises(DecodeError):
        check_items(Submission(THREE.statement, items))


def test_one_salt_does_not_serve_two_contents() -> None:
    """Whoever is shown one content with its salt could try contents against the other commitment."""
    with pytest.raises(DecodeError, match="one salt"):
        check_items(submission(item(0), item(1, salt=item(0).salt)))


def test_a_submission_that_no_ledger_reads_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    from tracechain import statement as module

    size = len(encode_submission(THREE))
    monkeypatch.setattr(module, "MAX_SUBMISSION", size)
    assert decode_submission(encode_submission(THREE)) == THREE
    monkeypatch.setattr(module, "MAX_SUBMISSION", size - 1)
    with pytest.raises(InputError, match="split the batch"):
        encode_submission(THREE)
    assert MAX_SUBMISSION == 1 << 28


# ---- evidence --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"tracechain statement v0\n",
        b"tracechain statement v1\n" + THREE.statement.message[24:],
        THREE.statement.message + b"\0",
        THREE.statement.message[:-1],
        b"tracechain statement v0\n" + encoding.pack(GOOD),
        b"tracechain statement v0\n" + encoding.pack(GOOD[:6]),
        b"tracechain statement v0\n\xc0",
    ],
)
def test_evidence_holds_a_statement_or_is_none(message: bytes) -> None:
    with pytest.raises(DecodeError):
        statement_of(Evidence(1, message, bytes(64)))
