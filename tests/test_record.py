"""The ledger's own entries and typed records: read strictly, signed for one ledger, refused before they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tracechain import encoding, record
from tracechain.entry import MAX_CONTENT
from tracechain.errors import DataError, DecodeError, InputError, SignatureError
from tracechain.record import (
    ClockRecord,
    EpochRecord,
    Evidence,
    Genesis,
    KeyAuthorised,
    KeyRevoked,
    Record,
    authorise,
    check_authorised,
    check_revoked,
    check_settled,
    decode_record,
    encode_record,
    epoch_of,
    key_subject,
    origin_of,
    revoke,
    settle,
)
from tracechain.testing import Keys, fixed_key, strategies

KEYS = Keys()
ROOT = KEYS.root.public_key
LEDGER, OTHER = bytes(range(32)), bytes(32)
STATION = KEYS.station.public_key.hash

GENESIS = Genesis("a.example/log", 5, KEYS.log.public_key, (ROOT,), 1000, bytes(32))
AUTHORISED = authorise(LEDGER, KEYS.station, KEYS.root, "gate 3", ("event", "note"))
REVOKED = revoke(LEDGER, STATION, KEYS.root, "lost")
CLOCK = ClockRecord(1, 2, "the clock was off")
EPOCH = EpochRecord(1, 10, bytes(32), 12, b"note", "disk")
EVIDENCE = Evidence(4, b"message", bytes(64))
OWN: tuple[Any, ...] = (GENESIS, AUTHORISED, REVOKED, CLOCK, EPOCH, EVIDENCE)

numbers = st.integers(0, (1 << 63) - 1)
hashes = st.binary(min_size=32, max_size=32)
signatures = st.binary(min_size=64, max_size=64)
texts = strategies.texts().map(lambda text: text.translate({9: None, 10: None, 13: None}))


# ---- round trips -----------------------------------------------------------------------------------


def own_records() -> st.SearchStrategy[Any]:
    keys = st.integers(0, 3).map(lambda n: fixed_key(f"key {n}").public_key)
    kinds = st.text("abcxyz0-.", min_size=1, max_size=8)
    scopes = st.none() | st.sets(kinds, min_size=1, max_size=4).map(lambda s: tuple(sorted(s)))
    roots = st.sets(st.integers(0, 5), min_size=1).map(
        lambda some: tuple(sorted((fixed_key(f"key {n}").public_key for n in some), key=lambda k: k.hash))
    )
    origins = st.text("abz./-0", min_size=1, max_size=20).filter(lambda o: "/epoch/" not in o)
    return st.one_of(
        st.builds(Genesis, origins, numbers, keys, roots, numbers, hashes, st.none() | st.binary(max_size=50)),
        st.builds(KeyAuthorised, keys, texts, scopes, hashes, signatures, signatures),
        st.builds(KeyRevoked, hashes, texts, hashes, signatures),
        st.builds(ClockRecord, numbers, numbers, texts),
        st.builds(EpochRecord, numbers, numbers, hashes, numbers, st.binary(max_size=50), texts),
        st.builds(Evidence, numbers, st.binary(max_size=50), signatures),
    )


@given(own_records())
def test_what_is_written_is_read(one: Any) -> None:
    assert type(one).decode(one.encode()) == one


@given(own_records(), st.data())
def test_whatever_is_read_is_written_back(one: Any, data: st.DataObject) -> None:
    raw = bytearray(one.encode())
    for _ in range(data.draw(st.integers(1, 2))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = type(one).decode(bytes(raw))
    except DataError:
        return
    assert found.encode() == raw


@pytest.mark.parametrize("one", OWN, ids=lambda one: type(one).__name__)
def test_other_shapes_are_refused(one: Any) -> None:
    items: Any = encoding.unpack_strict(one.encode())
    for wrong in (
        b"",
        b"\xc0",
        b"\x90",
        encoding.pack(items[:-1]),
        encoding.pack((*items, None)),
        one.encode() + b"\0",
    ):
        with pytest.raises(DataError):
            type(one).decode(wrong)
    for position, item in enumerate(items):
        for value in (None, -1, 1 << 63, True, "text", b"", b"x" * 31, (), ((1,),), (1, b"x"), 1.5):
            if value == item and type(value) is type(item):
                continue
            changed = [*items[:position], value, *items[position + 1 :]]
            try:
                found = type(one).decode(encoding.pack(changed))
            except DataError:
                continue
            assert found != one
            assert encoding.pack(changed) == found.encode()


@pytest.mark.parametrize("one", OWN, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("text", ["\n", "\u0007", "e\u0301", "\ud800", "x" * 65_536])
def test_texts_that_no_reader_would_take_are_not_written(one: Any, text: str) -> None:
    """Else a ledger would log what its own verification refuses."""
    fields = {"origin", "label", "reason"} & set(type(one).__match_args__)
    if fields:
        with pytest.raises(InputError):
            evolve(one, **{fields.pop(): text}).encode()
    else:
        assert type(one) is Evidence


# ---- genesis ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": ""},
        {"origin": "a b"},
        {"origin": "a\u3000b"},
        {"origin": "a+b"},
        {"origin": "a/epoch/1"},
        {"origin": "tracechain statement v0"},
        {"origin": "cosignature/v1"},
        {"roots": ()},
        {"roots": (ROOT, ROOT)},
        {"nonce": bytes(31)},
        {"created": -1},
        {"jump_limit": 1 << 63},
        {"predecessor": b"x" * 65_537},
    ],
)
def test_a_genesis_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((DecodeError, InputError)):
        Genesis.decode(evolve(GENESIS, **changes).encode())


def test_roots_stand_in_order() -> None:
    keys = sorted((fixed_key(f"k{n}").public_key for n in range(3)), key=lambda k: k.hash)
    assert Genesis.decode(evolve(GENESIS, roots=tuple(keys)).encode()).roots == tuple(keys)
    with pytest.raises(DecodeError, match="sorted"):
        Genesis.decode(evolve(GENESIS, roots=tuple(keys[::-1])).encode())


@pytest.mark.parametrize("version", [(1, 1), (0, 2), (-1, 1), (False, 1), (0, True)])
def test_another_version_or_suite_is_refused(version: tuple[Any, Any]) -> None:
    items: Any = encoding.unpack_strict(GENESIS.encode())
    with pytest.raises(DecodeError, match="format version"):
        Genesis.decode(encoding.pack((*version, *items[2:])))


def test_keys_that_do_not_stand_are_refused() -> None:
    for wrong in (bytes(32), b"\1" + bytes(31), b"\xff" * 32, bytes(31)):
        items: list[Any] = list(encoding.unpack_strict(GENESIS.encode()))  # type: ignore[arg-type] # it is an array
        items[4] = (1, wrong)
        with pytest.raises(DataError):
            Genesis.decode(encoding.pack(items))
        items[4], items[5] = (1, KEYS.log.public_key.raw), ((1, wrong),)
        with pytest.raises(DataError):
            Genesis.decode(encoding.pack(items))
    items[4], items[5] = (2, KEYS.log.public_key.raw), ((1, ROOT.raw),)
    with pytest.raises(DataError):
        Genesis.decode(encoding.pack(items))


@pytest.mark.parametrize(
    ("origin", "epoch"),
    [
        ("a", 0),
        ("a/epoch/1", 1),
        ("a/b/epoch/999999999", 999_999_999),
        ("a/epoch/0", 0),
        ("a/epoch/01", 0),
        ("a/epoch/+1", 0),
        ("a/epoch/\uff11", 0),
        ("a/epoch/1 ", 0),
        ("a/epoch/1/b", 0),
        ("/epoch/1", 0),
        ("a/epoch/1000000000", 0),
    ],
)
def test_epochs_in_origins(origin: str, epoch: int) -> None:
    assert epoch_of(origin) == epoch


@given(st.integers(0, 999_999_999))
def test_an_origin_names_its_epoch(epoch: int) -> None:
    assert epoch_of(origin_of(GENESIS, epoch)) == epoch
    assert origin_of(GENESIS, 0) == GENESIS.origin


# ---- keys ------------------------------------------------------------------------------------------


def test_both_signatures_of_an_authorisation_stand() -> None:
    check_authorised(LEDGER, AUTHORISED, (ROOT,))
    message = b"tracechain authorise v0\n" + encoding.pack(
        (LEDGER, 1, KEYS.station.public_key.raw, "gate 3", ("event", "note"))
    )
    assert AUTHORISED.holder_signature == KEYS.station.sign(message)
    assert AUTHORISED.root_signature == KEYS.root.sign(message)
    assert AUTHORISED.root == ROOT.hash


@pytest.mark.parametrize(
    "changes",
    [
        {"key": KEYS.other_station.public_key},
        {"label": "gate 4"},
        {"scope": None},
        {"scope": ("event",)},
        {"root": KEYS.log.public_key.hash},
        {"root": STATION},
        {"holder_signature": bytes(64)},
        {"root_signature": AUTHORISED.holder_signature},
    ],
)
def test_an_authorisation_stands_whole_or_not(changes: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        check_authorised(LEDGER, evolve(AUTHORISED, **changes), (ROOT,))


def test_an_authorisation_is_for_one_ledger_and_its_roots() -> None:
    with pytest.raises(SignatureError):
        check_authorised(OTHER, AUTHORISED, (ROOT,))
    with pytest.raises(SignatureError, match="not one of the genesis"):
        check_authorised(LEDGER, AUTHORISED, (KEYS.log.public_key,))
    with pytest.raises(SignatureError):
        check_authorised(LEDGER, AUTHORISED, ())


def test_a_scope_is_sorted_and_each_once() -> None:
    made = authorise(LEDGER, KEYS.station, KEYS.root, "s", ["note", "event", "note"])
    assert made.scope == ("event", "note")
    assert KeyAuthorised.decode(made.encode()) == made
    assert authorise(LEDGER, KEYS.station, KEYS.root, "s").scope is None


@pytest.mark.parametrize("scope", [[], [""], ["Event"], ["event "], ["x" * 65], ["\uff45vent"]])
def test_a_scope_that_names_nothing_is_refused(scope: list[str]) -> None:
    with pytest.raises(InputError, match="scope"):
        authorise(LEDGER, KEYS.station, KEYS.root, "s", scope)


@pytest.mark.parametrize("scope", [(), ("b", "a"), ("a", "a"), ("A",), (1,), "event"])
def test_a_scope_in_another_form_is_not_read(scope: Any) -> None:
    items: list[Any] = list(encoding.unpack_strict(AUTHORISED.encode()))  # type: ignore[arg-type] # it is an array
    items[3] = scope
    with pytest.raises(DecodeError, match="scope"):
        KeyAuthorised.decode(encoding.pack(items))


def test_a_revocation_is_the_roots() -> None:
    check_revoked(LEDGER, REVOKED, (ROOT,))
    for ledger, changes in (
        (OTHER, {}),
        (LEDGER, {"reason": "found"}),
        (LEDGER, {"key_hash": ROOT.hash}),
        (LEDGER, {"root_signature": bytes(64)}),
        (LEDGER, {"root": STATION}),
    ):
        with pytest.raises(SignatureError):
            check_revoked(ledger, evolve(REVOKED, **changes), (ROOT,))


def test_what_was_signed_for_one_purpose_serves_no_other() -> None:
    """The same bytes behind another first line: a settlement is no revocation."""
    about = settle(LEDGER, KEYS.root, "epoch", (1, STATION, "x"))
    *_, signature = about.body
    with pytest.raises(SignatureError):
        check_revoked(LEDGER, KeyRevoked(STATION, "x", ROOT.hash, signature), (ROOT,))


def test_a_key_has_a_chain_of_its_own() -> None:
    assert key_subject(STATION) == f"urn:tracechain:key:{STATION.hex()}"
    assert len(key_subject(STATION)) == 83


# ---- settlements -----------------------------------------------------------------------------------

GAP = settle(LEDGER, KEYS.root, "gap", (STATION, 4, 9, "lost"))
LEAF = bytes(range(32, 64))
LOSS = settle(LEDGER, KEYS.root, "epoch", (1, LEAF, "given up"))


def test_a_settlement_says_what_it_is_about() -> None:
    assert check_settled(LEDGER, GAP, (ROOT,)) == (STATION, 4, 9, "lost")
    assert check_settled(LEDGER, LOSS, (ROOT,)) == (1, LEAF, "given up")
    assert {GAP.kind, LOSS.kind} == record.SETTLING
    assert decode_record(encode_record(GAP)) == GAP
    assert decode_record(encode_record(LOSS)) == LOSS


def test_the_root_signs_the_number_of_an_epoch_and_the_leaf_of_its_entry() -> None:
    message = b"tracechain settle v0\n" + encoding.pack((LEDGER, "epoch", 1, LEAF, "given up"))
    assert LOSS.body == (1, LEAF, "given up", ROOT.hash, KEYS.root.sign(message))


@pytest.mark.parametrize(
    "wrong",
    [
        Record("gap-settled", LOSS.body),
        Record("epoch-settled", GAP.body),
        Record("note", LOSS.body),
        Record("gap-settled", None),
        Record("gap-settled", 1),
        Record("gap-settled", GAP.body[:-1]),
        Record("gap-settled", (*GAP.body, 1)),
        Record("epoch-settled", (True, *LOSS.body[1:])),
        Record("epoch-settled", (2, *LOSS.body[1:])),
        Record("epoch-settled", (1, STATION, *LOSS.body[2:])),
        Record("epoch-settled", (1, LEAF[:31], *LOSS.body[2:])),
        Record("epoch-settled", (1, LEAF.hex(), *LOSS.body[2:])),
        Record("epoch-settled", (1, *LOSS.body[2:])),
        Record("epoch-settled", (1, LEAF, "given in", *LOSS.body[3:])),
        Record("gap-settled", (STATION[:31], *GAP.body[1:])),
        Record("gap-settled", (STATION, 4, 10, *GAP.body[3:])),
        Record("gap-settled", (ROOT.hash, *GAP.body[1:])),
        Record("gap-settled", (*GAP.body[:4], STATION, GAP.body[5])),
        Record("gap-settled", (*GAP.body[:5], bytes(63))),
    ],
)
def test_a_settlement_in_another_form_is_refused(wrong: Record) -> None:
    with pytest.raises(DataError):
        check_settled(LEDGER, wrong, (ROOT,))


def test_a_settlement_is_for_one_ledger() -> None:
    for good in (GAP, LOSS):
        with pytest.raises(SignatureError):
            check_settled(OTHER, good, (ROOT,))
        with pytest.raises(SignatureError):
            check_settled(LEDGER, good, (KEYS.station.public_key,))


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("gap", (1, LEAF, "x")),
        ("gap", (STATION[:8], 1, 2, "x")),
        ("epoch", (STATION, 1, 2, "x")),
        ("other", (1, LEAF, "x")),
        ("epoch", ("1", LEAF, "x")),
        ("epoch", (1, "x")),
        ("epoch", (1, LEAF + b"\0", "x")),
        ("epoch", (1, LEAF.hex(), "x")),
        ("epoch", (1, LEAF)),
    ],
)
def test_only_what_can_be_settled_is_signed(kind: str, about: tuple[Any, ...]) -> None:
    with pytest.raises(InputError, match="settle"):
        settle(LEDGER, KEYS.root, kind, about)


# ---- records ---------------------------------------------------------------------------------------

kinds = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=64)


@given(kinds, strategies.plain_values(), st.none() | strategies.ids(), numbers)
def test_a_record_is_read_as_it_was_made(kind: str, body: Any, subject: str | None, version: int) -> None:
    made = Record(kind, body, subject, version)
    assert decode_record(encode_record(made)) == made
    assert hash(made) == hash(decode_record(encode_record(made)))


def test_lists_become_arrays_that_cannot_change() -> None:
    assert Record("note", [1, [2, ["x"]]]).body == (1, (2, ("x",)))


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = (value,)
    return value


@pytest.mark.parametrize(
    "make",
    [
        lambda: Record(""),
        lambda: Record("Note"),
        lambda: Record("note "),
        lambda: Record("x" * 65),
        lambda: Record("\uff4eote"),
        lambda: Record(1),  # type: ignore[arg-type] # deliberately wrong
        lambda: Record(None),  # type: ignore[arg-type] # deliberately wrong
        lambda: Record("note", 1.0),
        lambda: Record("note", {"a": 1}),
        lambda: Record("note", {1}),
        lambda: Record("note", 1 << 64),
        lambda: Record("note", -(1 << 63) - 1),
        lambda: Record("note", "\n"),
        lambda: Record("note", "e\u0301"),
        lambda: Record("note", "\ud800"),
        lambda: Record("note", ("fine", ("\u0085",))),
        lambda: Record("note", deep(24)),
        lambda: Record("note", "x" * MAX_CONTENT),
        lambda: Record("note", b"x" * MAX_CONTENT),
        lambda: Record("note", subject=""),
        lambda: Record("note", subject="x" * 481),
        lambda: Record("note", subject="é" * 241),
        lambda: Record("note", subject="a\nb"),
        lambda: Record("note", subject=b"x"),  # type: ignore[arg-type] # deliberately wrong
        lambda: Record("note", version=-1),
        lambda: Record("note", version=1 << 63),
        lambda: Record("note", version=True),
        lambda: Record("note", version=1.0),  # type: ignore[arg-type] # deliberately wrong
    ],
)
def test_a_record_that_could_not_be_read_cannot_be_made(make: Callable[[], Record]) -> None:
    with pytest.raises(InputError):
        make()


def test_a_record_at_the_limits_can_be_read() -> None:
    for made in (
        Record("x" * 64, deep(23)),
        Record("note", "x" * (MAX_CONTENT - 11)),
        Record("note", subject="é" * 240, version=(1 << 63) - 1),
        Record("note", ((1 << 64) - 1, -(1 << 63), None, True, b"", "")),
    ):
        assert decode_record(encode_record(made)) == made


@pytest.mark.parametrize(
    "items",
    [
        ("Note", 0, None, None),
        ("", 0, None, None),
        (1, 0, None, None),
        ("note", -1, None, None),
        ("note", True, None, None),
        ("note", 1 << 63, None, None),
        ("note", 0, "", None),
        ("note", 0, "x" * 481, None),
        ("note", 0, b"x", None),
        ("note", 0, None),
        ("note", 0, None, None, None),
    ],
)
def test_other_shapes_are_no_records(items: tuple[Any, ...]) -> None:
    with pytest.raises(DecodeError):
        decode_record(encoding.pack(items))


@given(st.binary(max_size=60))
def test_noise_is_no_record(data: bytes) -> None:
    for decode in (decode_record, *(type(one).decode for one in OWN)):
        with pytest.raises(DataError):
            decode(data)
