"""The map of a seal and proofs by it, against a sorted dictionary and a tree worked out by the definition."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain import encoding
from tracechain.checkpoint import MAX_NOTE_BYTES, NoteSigner
from tracechain.entry import SALT_SIZE, decode_rows
from tracechain.errors import CheckpointError, DataError, DecodeError, InputError, ProofError
from tracechain.record import Record
from tracechain.seals import (
    Absence,
    Bucket,
    Item,
    Presence,
    Prover,
    SealBody,
    SealMap,
    SealNote,
    buckets,
    ends_bucket,
    item_hash,
    map_root,
    merge_notes,
    open_seal_note,
    parse_seal_note,
    sign_note,
)
from tracechain.signing import MemorySigner
from tracechain.view import View

Model = dict[str, tuple[int, bytes, int]]


def encoding_takes(text: str) -> bool:
    try:
        encoding.check_plain(text)
    except InputError:
        return False
    return True


# Ids of which some end a bucket: few would in a map as small as these.
ENDING = [f"e/{n}" for n in range(20_000) if ends_bucket(f"e/{n}")][:40]
IDS = st.one_of(st.sampled_from(ENDING), st.text(st.characters(codec="utf-8"), min_size=1, max_size=6))
STANDING = st.tuples(st.integers(0, 1 << 39), st.binary(min_size=32, max_size=32), st.integers(0, (1 << 24) - 1))
MODELS = st.dictionaries(IDS.filter(encoding_takes), STANDING, max_size=60)


def rfc_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, as it is written there."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\1" + rfc_root(leaves[:k]) + rfc_root(leaves[k:])).digest()


def by_the_book(model: Model) -> tuple[int, bytes]:
    """format.md section 5.12, without our parts."""
    leaves: list[bytes] = []
    hashes: list[bytes] = []
    for subject in sorted(model, key=str.encode):
        last, leaf, state = model[subject]
        hashes.append(sha256(b"\0" + encoding.pack((subject, last, leaf, state))).digest())
        if sha256(b"TCH0 seal end\0\0\0" + subject.encode()).digest()[0] == 0:
            leaves.append(sha256(b"\0" + len(hashes).to_bytes(4, "big") + rfc_root(hashes)).digest())
            hashes = []
    if hashes:
        leaves.append(sha256(b"\0" + len(hashes).to_bytes(4, "big") + rfc_root(hashes)).digest())
    return len(model), rfc_root(leaves)


def by_the_rows(view: View, size: int) -> tuple[int, bytes]:
    """The map of the first `size` entries, from rows, by the definition."""
    model = {}
    for index, part in view.all_rows(0, size):
        header = view.header(index)
        assert header is not None
        for row in decode_rows(part[SALT_SIZE:])[1]:
            model[row.subject] = (index, sha256(b"\0" + header).digest(), row.state)
    return by_the_book(model)


def items_of(model: Model) -> list[Item]:
    return [Item(one, *model[one]) for one in sorted(model)]


def prover_of(model: Model) -> Prover:
    made = SealMap()
    made.update({one.id: item_hash(one) for one in items_of(model)})
    return made.prover(lambda subject: Item(subject, *model[subject]))


# ---- the map -------------------------------------------------------------------------------------


@given(MODELS)
def test_root_is_that_of_the_definition(model: Model) -> None:
    assert map_root(items_of(model)) == by_the_book(model) == prover_of(model).root


@given(st.lists(MODELS, max_size=5))
def test_a_map_that_changes_is_the_map_made_anew(steps: list[Model]) -> None:
    made, model = SealMap(), Model()
    for step in steps:
        model.update(step)
        made.update({one.id: item_hash(one) for one in items_of(step)})
        assert made.root() == by_the_book(model)


def test_many_items() -> None:
    model = {f"01/09521234001072/21/{n:06d}": (n, sha256(b"%d" % n).digest(), n % 13) for n in range(3000)}
    found = list(buckets(items_of(model)))
    assert 4 < len(found) < 40, "256 items a bucket in the mean"
    assert map_root(items_of(model)) == by_the_book(model)
    # One that comes in changes one bucket, or cuts it in two.
    model["01/09521234001072/21/001500A"] = (9, bytes(32), 1)
    assert len(set(buckets(items_of(model))) - set(found)) <= 2


def test_no_items() -> None:
    assert map_root([]) == (0, sha256().digest()) == SealMap().root()


@pytest.mark.parametrize("ids", [["b", "a"], ["a", "a"], [""]])
def test_items_out_of_order_are_refused(ids: list[str]) -> None:
    with pytest.raises(InputError, match="ascend"):
        map_root([Item(one, 0, bytes(32), 0) for one in ids])


# ---- proofs --------------------------------------------------------------------------------------


@given(MODELS, IDS.filter(encoding_takes))
def test_every_subject_is_present_and_every_other_code_absent(model: Model, code: str) -> None:
    prover, (_, root) = prover_of(model), by_the_book(model)
    for item in items_of(model):
        proof = prover.presence(item.id)
        assert proof.item == item
        assert Presence.decode(proof.encode()) == proof
        proof.check(root)
        with pytest.raises(InputError, match="in the ledger"):
            prover.absence(item.id)
    if code in model:
        return
    assert not prover.has(code)
    with pytest.raises(InputError, match="not in the map"):
        prover.presence(code)
    gone = prover.absence(code)
    assert Absence.decode(gone.encode()) == gone
    gone.check(root)
    names = sorted([*model, code])
    at = names.index(code)
    assert (None if gone.before is None else gone.before.id) == (names[at - 1] if at else None)
    assert (None if gone.after is None else gone.after.id) == (names[at + 1] if at + 1 < len(names) else None)


@given(MODELS.filter(lambda model: len(model) > 2), st.data())
def test_no_two_items_prove_the_absence_of_what_is_between(model: Model, data: st.DataObject) -> None:
    """Of three items the outer two are not neighbours, whatever number of buckets a proof claims."""
    prover, (_, root) = prover_of(model), by_the_book(model)
    names = sorted(model)
    at = data.draw(st.integers(1, len(names) - 2))
    before, after = prover.presence(names[at - 1]), prover.presence(names[at + 1])
    for many in data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=6)):
        for bucket in range(many):
            left = evolve(before, buckets=many, bucket=bucket)
            right = evolve(after, buckets=many, bucket=bucket + 1)
            for forged in (Absence(names[at], left, right), Absence(names[at], left, evolve(right, bucket=bucket))):
                with pytest.raises(ProofError):
                    forged.check(root)
    for sides in ((before, after), (before, None), (None, after), (None, None), (after, before)):
        with pytest.raises(ProofError):
            Absence(names[at], *sides).check(root)


@given(MODELS.filter(lambda model: len(model) > 1), st.data())
def test_no_other_value_is_proved(model: Model, data: st.DataObject) -> None:
    """Each field of a proof, changed, makes it prove nothing; but for the number of buckets, as different
    numbers may read a path alike: absence does not rest on it."""
    prover, (_, root) = prover_of(model), by_the_book(model)
    proof = prover.presence(data.draw(st.sampled_from(sorted(model))))
    item = proof.item
    wrong: list[Presence] = [
        evolve(proof, item=item._replace(id=item.id + "x")),
        evolve(proof, item=item._replace(last=item.last + 1)),
        evolve(proof, item=item._replace(leaf=bytes(b ^ 1 for b in item.leaf))),
        evolve(proof, item=item._replace(state=item.state ^ 1)),
        evolve(proof, items=proof.items + 1),
        evolve(proof, items=proof.items - 1),
        evolve(proof, items=0),
        evolve(proof, items=1 << 32),
        evolve(proof, place=proof.items),
        evolve(proof, bucket=proof.buckets),
        evolve(proof, path=(*proof.path, bytes(32))),
        evolve(proof, bucket_path=(*proof.bucket_path, bytes(32))),
        *(evolve(proof, place=place) for place in range(proof.items) if place != proof.place),
        *(evolve(proof, bucket=bucket) for bucket in range(proof.buckets) if bucket != proof.bucket),
        *(evolve(proof, path=proof.path[:n] + proof.path[n + 1 :]) for n in range(len(proof.path))),
        *(
            evolve(proof, bucket_path=proof.bucket_path[:n] + proof.bucket_path[n + 1 :])
            for n in range(len(proof.bucket_path))
        ),
    ]
    for other in wrong:
        with pytest.raises(ProofError):
            other.check(root)
    with pytest.raises(ProofError):
        proof.check(bytes(32))


def test_where_a_bucket_is_cut_is_checked() -> None:
    """A sealer that cut elsewhere could hide that a bucket has more items; the rule of cuts forbids it."""
    ending = ENDING[0]
    names = sorted(["a", ending, ending + "z"])
    hashes = [item_hash(Item(one, 1, bytes(32), 1)) for one in names]
    items = {one: Item(one, 1, bytes(32), 1) for one in names}
    whole = Bucket(names[-1], 3, rfc_root(hashes))  # goes on behind an id that ends a bucket
    early = [Bucket("a", 1, hashes[0]), Bucket(names[-1], 2, rfc_root(hashes[1:]))]  # ends with one that does not
    one = Prover([whole], lambda _: (names, hashes), items.__getitem__)
    with pytest.raises(ProofError, match="ends a bucket"):
        one.presence(ending).check(one.root.root)
    two = Prover(early, lambda n: ((names[:1], hashes[:1]), (names[1:], hashes[1:]))[n], items.__getitem__)
    with pytest.raises(ProofError, match="cannot end"):
        two.presence("a").check(two.root.root)


def test_a_prover_holds_what_it_is_given_against_the_buckets() -> None:
    item = Item("a", 1, bytes(32), 1)
    bucket = Bucket("a", 1, item_hash(item))
    with pytest.raises(DataError, match="not those that were sealed"):
        Prover([bucket], lambda _: (["a"], [bytes(32)]), lambda _: item).presence("a")
    with pytest.raises(DataError, match="not those that were sealed"):
        Prover([bucket], lambda _: ([], []), lambda _: item).presence("a")
    with pytest.raises(DataError, match="does not stand where"):
        Prover([bucket], lambda _: (["a"], [item_hash(item)]), lambda _: item._replace(state=2)).presence("a")


@pytest.mark.parametrize("code", ["", "x" * 481, "é" * 241])
def test_codes_that_no_ledger_can_hold(code: str) -> None:
    with pytest.raises(InputError, match="cannot be a code"):
        prover_of({}).absence(code)


# ---- strict bytes --------------------------------------------------------------------------------


def _plain() -> tuple[Any, ...]:
    model: Model = {f"e/{n}": (n, bytes(32), 1) for n in range(700)}
    return prover_of(model).presence("e/300").plain()


@pytest.mark.parametrize("at", range(10))
def test_each_item_of_a_presence_is_read_strictly(at: int) -> None:
    plain = _plain()
    bad: list[Any] = [None, True, (), -1, 1 << 63, "x" * 481, b"", bytes(33), bytes(31)]
    for value in bad:
        if isinstance(value, bytes) and len(value) % 32 == 0 and at in {6, 9}:
            continue  # a path of no hashes has the form of one
        changed = (*plain[:at], value, *plain[at + 1 :])
        with pytest.raises(DecodeError):
            Presence.decode(encoding.pack(changed))
        with pytest.raises(DecodeError):
            Absence.decode(encoding.pack(("x", changed, None)))


def test_other_shapes_are_refused() -> None:
    plain = _plain()
    for value in (plain[:9], (*plain, 0), None, "x", (), (plain,)):
        with pytest.raises(DecodeError):
            Presence.decode(encoding.pack(value))
    for value in (("x", None), ("x", None, None, None), ("", None, None), (b"x", None, None), ("x", 1, None), None):
        with pytest.raises(DecodeError):
            Absence.decode(encoding.pack(value))
    data = encoding.pack(plain)
    with pytest.raises(DecodeError):
        Presence.decode(data + b"\0")
    with pytest.raises(DecodeError, match="limit"):
        Presence.decode(bytes(1 << 20) + data)


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_come_out_again(data: bytes) -> None:
    for kind in (Presence, Absence):
        try:
            read = kind.decode(data)
        except DecodeError:
            continue
        assert read.encode() == data


# ---- the record and the note ---------------------------------------------------------------------

BODY = SealBody(7, bytes(32), 3, b"\1" * 32)
NOTE = SealNote("ledger.example/test", b"\2" * 32, BODY)
AUDITOR = NoteSigner("auditor.example/a", MemorySigner.from_seed(bytes(32)))
OTHER = NoteSigner("auditor.example/b", MemorySigner.from_seed(b"\1" * 32))


def test_the_record_comes_out_again() -> None:
    record = BODY.record()
    assert (record.kind, record.version, record.subject) == ("seal", 0, "urn:tracechain:seal")
    assert SealBody.from_record(record) == BODY


@pytest.mark.parametrize(
    "record",
    [
        Record("seal", (7, bytes(32), 3, bytes(32)), "urn:tracechain:seals"),
        Record("seal", (7, bytes(32), 3, bytes(32)), "urn:tracechain:seal", 1),
        Record("seals", (7, bytes(32), 3, bytes(32)), "urn:tracechain:seal"),
        *(
            Record("seal", body, "urn:tracechain:seal")
            for body in (
                None,
                (7, bytes(32), 3),
                (7, bytes(32), 3, bytes(32), 0),
                (0, bytes(32), 3, bytes(32)),
                (True, bytes(32), 3, bytes(32)),
                (7, bytes(31), 3, bytes(32)),
                (7, "x" * 32, 3, bytes(32)),
                (7, bytes(32), -1, bytes(32)),
                (7, bytes(32), None, bytes(32)),
                (7, bytes(32), 3, bytes(33)),
                (1 << 63, bytes(32), 3, bytes(32)),
            )
        ),
    ],
)
def test_other_records_are_no_seals(record: Record) -> None:
    with pytest.raises(DecodeError):
        SealBody.from_record(record)


def test_a_note_is_signed_by_auditors_one_after_the_other() -> None:
    one = sign_note(NOTE, AUDITOR)
    both = sign_note(one, OTHER)
    assert parse_seal_note(both) == NOTE
    keys = [AUDITOR.verifier, OTHER.verifier]
    assert open_seal_note(both, keys) == (NOTE, tuple(keys))
    assert open_seal_note(one, keys[1:]) == (NOTE, ())
    assert sign_note(one, AUDITOR) == one
    assert merge_notes(one, sign_note(NOTE, OTHER)) == both == merge_notes(both, one)
    with pytest.raises(InputError, match="different things"):
        merge_notes(one, sign_note(evolve(NOTE, ledger_id=bytes(32)), OTHER))
    with pytest.raises(InputError):
        merge_notes(one, sign_note(evolve(NOTE, seal=evolve(BODY, ids=4)), AUDITOR))


def test_a_note_with_a_forged_signature_is_refused() -> None:
    forged = sign_note(NOTE, AUDITOR).replace(NOTE.format(), evolve(NOTE, seal=evolve(BODY, ids=4)).format())
    assert parse_seal_note(forged).seal.ids == 4
    with pytest.raises(CheckpointError, match="does not stand"):
        open_seal_note(forged, [AUDITOR.verifier])
    assert open_seal_note(forged, [OTHER.verifier])[1] == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tracechain seal v0", "tracechain seal v1"),
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n+7\n"),
        ("\n7\n", "\n0\n"),
        ("\n3\n", "\n\N{FULLWIDTH DIGIT THREE}\n"),
        ("\n3\n", "\n3_0\n"),
        ("\n3\n", "\n9223372036854775808\n"),
        ("AgICAgI", "AgICAg"),
        ("AgI=", "AgJ="),
        ("ledger.example/test", "ledger example"),
        ("ledger.example/test", "tracechain x"),
        ("\n3\n", "\n3\nmore\n"),
    ],
)
def test_a_note_has_one_spelling(before: str, after: str) -> None:
    text = NOTE.format()
    assert before in text
    assert SealNote.parse(text) == NOTE
    with pytest.raises(CheckpointError):
        SealNote.parse(text.replace(before, after, 1))


def test_a_note_is_capped() -> None:
    with pytest.raises(CheckpointError, match="more than is read"):
        parse_seal_note("x" * (MAX_NOTE_BYTES + 1))


@settings(max_examples=30)
@given(MODELS)
def test_neighbouring_buckets_end_where_ids_say(model: Model) -> None:
    found = list(buckets(items_of(model)))
    assert sum(one.count for one in found) == len(model)
    assert all(ends_bucket(one.last) for one, _ in pairwise(found))
