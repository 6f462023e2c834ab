"""Witness policies, cosigned notes and their times, and what they say of when entries came (format.md section 10.1)."""

from __future__ import annotations

from itertools import combinations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tracechain.checkpoint import (
    Checkpoint,
    NoteSigner,
    VerifierKey,
    add_signature,
    cosign,
    format_vkey,
    parse_note,
    sign_checkpoint,
)
from tracechain.errors import CheckpointError, InputError
from tracechain.merkle import leaf_hash
from tracechain.record import EpochRecord
from tracechain.testing import fixed_key
from tracechain.witnessing import (
    Group,
    Place,
    Sufficient,
    WitnessPolicy,
    brackets,
    cosignatures,
    format_policy,
    parse_policy,
    place_of,
    sufficient,
)

LOG = NoteSigner("ledger.example/test", fixed_key("log"))
#: The four authorities of the pilot, each with a witness of its own.
WITNESSES = [
    NoteSigner(f"{name}.example/witness", fixed_key(name))
    for name in ("drugs-administration", "customs", "commerce", "health-commission")
]
KEYS = [one.cosigner for one in WITNESSES]
VKEYS = [format_vkey(key) for key in KEYS]


def note(size: int, *signed: tuple[int, int], origin: str = LOG.name) -> str:
    """A checkpoint of `size` entries; `signed` are witnesses by number, and times."""
    text = sign_checkpoint(Checkpoint(origin, size, leaf_hash(str(size).encode())), [LOG])
    for number, time in signed:
        witness = WITNESSES[number]
        text = add_signature(text, cosign(text, witness.name, witness.signer, time))
    return text


# ---- policies ------------------------------------------------------------------------------------

EXAMPLE = f"""
# who may be asked
log {format_vkey(LOG.verifier)} https://ledger.example/

  witness\tdrugs {VKEYS[0]}
witness customs {VKEYS[1]} https://customs.example/witness
witness 商务 {VKEYS[2]}
witness health {VKEYS[3]}
group others any 商务 health
group all-of-them 2  drugs customs\tothers
quorum all-of-them"""


def test_a_policy_is_read_with_blanks_tabs_comments_and_addresses() -> None:
    policy = parse_policy(EXAMPLE)
    assert policy.verifiers == tuple(KEYS)
    assert policy.logs == (LOG.verifier,)
    assert policy.groups == (
        Group("others", 1, ("商务", "health")), Group("all-of-them", 2, ("drugs", "customs", "others"))
    )  # fmt: skip
    assert policy == parse_policy(format_policy(policy)) == parse_policy(EXAMPLE.encode())
    assert policy.words() == (
        "2 of drugs-administration.example/witness, customs.example/witness,"
        " (1 of commerce.example/witness, health-commission.example/witness)"
    )


def test_all_members_are_meant_by_all() -> None:
    lines = "\n".join(f"witness {n} {vkey}" for n, vkey in zip("abcd", VKEYS, strict=True))
    policy = parse_policy(f"{lines}\ngroup g all a b c d\nquorum g\n")
    assert policy.groups[0].threshold == 4
    assert parse_policy(f"{lines}\nquorum c\n").times({KEYS[2]: 7}) == (7, 7)
    assert not parse_policy(f"{lines}\nquorum none\n").demands
    assert parse_policy("quorum none").times({}) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no quorum line"),
        ("quorum a\n", "no line above defines"),
        ("quorum none\nquorum none\n", "line 2 .*already"),
        (f"witness a {VKEYS[0]}\nwitness a {VKEYS[1]}\nquorum a\n", "defined twice"),
        (f"witness a {VKEYS[0]}\nwitness b {VKEYS[0]}\nquorum a\n", "twice"),
        (f"witness none {VKEYS[0]}\nquorum none\n", "cannot name"),
        (f"witness a {format_vkey(LOG.verifier)}\nquorum a\n", "type 1"),
        (f"log {VKEYS[0]}\nquorum none\n", "type 4"),
        (f"quorum a\nwitness a {VKEYS[0]}\n", "line 1 .*no line above"),
        (f"group g any a\nwitness a {VKEYS[0]}\nquorum g\n", "no line above"),
        (f"witness a {VKEYS[0]}\ngroup g any g\nquorum g\n", "no line above"),
        (f"witness a {VKEYS[0]}\ngroup g 2 a\nquorum g\n", "cannot be asked"),
        (f"witness a {VKEYS[0]}\ngroup g 0 a\nquorum g\n", "threshold"),
        (f"witness a {VKEYS[0]}\ngroup g 01 a\nquorum g\n", "threshold"),
        (f"witness a {VKEYS[0]}\ngroup g +1 a\nquorum g\n", "threshold"),
        (f"witness a {VKEYS[0]}\ngroup g \uff11 a\nquorum g\n", "threshold"),
        (f"witness a {VKEYS[0]}\ngroup g any\nquorum g\n", "group line"),
        (f"witness a {VKEYS[0]}\ngroup g 2 a a\nquorum g\n", "twice"),
        (f"witness a {VKEYS[0]}\ngroup g any a\ngroup h any a\nquorum g\n", "twice"),
        (f"witness a {VKEYS[0][:-2]}\nquorum a\n", "base64"),
        ("quorum none\r\n", "0x0D"),
        ("quorum none\nwitnesses a\n", "line 2 .*begins no line"),
        ("quorum none extra\n", "quorum line"),
        ("# " + "x" * 65_536 + "\nquorum none\n", "65536"),
    ],
)
def test_what_is_no_policy_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_policy(text)


def test_names_are_octets() -> None:
    kelvin = f"witness \u212a {VKEYS[0]}\nwitness K {VKEYS[1]}\nquorum K\n"
    assert parse_policy(kelvin).times({KEYS[1]: 1}) == (1, 1)
    raw = b"witness \xff\xfe " + VKEYS[0].encode() + b"\nquorum \xff\xfe\n"
    assert parse_policy(raw).times({KEYS[0]: 5}) == (5, 5)
    with pytest.raises(InputError, match="no line above"):
        parse_policy(raw.replace(b"quorum \xff\xfe", b"quorum \xff\xfd"))


def test_deep_groups_are_no_deep_recursion() -> None:
    lines = [f"witness w {VKEYS[0]}", "group g0 any w", *(f"group g{n} any g{n - 1}" for n in range(1, 100))]
    assert parse_policy("\n".join((*lines, "quorum g99"))).times({KEYS[0]: 3}) == (3, 3)
    with pytest.raises(InputError, match="at most 100 groups"):
        parse_policy("\n".join((*lines, "group g100 any g99", "quorum g100")))


def test_the_log_of_a_policy_is_the_one_that_is_judged() -> None:
    other = NoteSigner("other.example", fixed_key("other log")).verifier
    policy = parse_policy(EXAMPLE)
    assert policy.log_key(None) == policy.log_key(LOG.verifier) == LOG.verifier
    with pytest.raises(InputError, match=r"not for other\.example"):
        policy.log_key(other)
    two = WitnessPolicy((), (), "none", (LOG.verifier, other))
    assert two.log_key(other) == other
    with pytest.raises(InputError, match="name the key"):
        two.log_key(None)
    assert WitnessPolicy.of(KEYS, 2).log_key(other) == other


@st.composite
def policies(draw: st.DrawFn) -> WitnessPolicy:
    """Any tree of thresholds over the four."""
    left = [f"w{number}" for number in range(4)]
    witnesses = tuple(zip(left, KEYS, strict=True))
    groups: list[Group] = []
    for number in range(draw(st.integers(1, 3))):
        members = tuple(draw(st.lists(st.sampled_from(left), min_size=1, unique=True)))
        groups.append(Group(f"g{number}", draw(st.integers(1, len(members))), members))
        left = [*(one for one in left if one not in members), f"g{number}"]
    return WitnessPolicy(witnesses, tuple(groups), draw(st.sampled_from([*left, "g0"])))


def fulfils(policy: WitnessPolicy, who: frozenset[VerifierKey]) -> bool:
    """The definition, and nothing of times."""
    members = {group.name: group for group in policy.groups}
    keys = dict(policy.witnesses)

    def has(name: str) -> bool:
        if name in keys:
            return keys[name] in who
        return sum(map(has, members[name].members)) >= members[name].threshold

    return has(policy.quorum)


SIGNED = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 9))


@given(policies(), SIGNED)
def test_by_and_from_are_what_the_definition_says(policy: WitnessPolicy, signed: dict[VerifierKey, int]) -> None:
    until = [t for t in range(10) if fulfils(policy, frozenset(k for k, s in signed.items() if s <= t))]
    since = [t for t in range(10) if fulfils(policy, frozenset(k for k, s in signed.items() if s >= t))]
    assert policy.times(signed) == ((until[0], since[-1]) if until else None)
    assert parse_policy(format_policy(policy)) == policy


@pytest.mark.parametrize("quorum", [1, 2, 3, 4])
def test_n_of_m(quorum: int) -> None:
    policy = WitnessPolicy.of(KEYS, quorum)
    for count in range(5):
        for who in combinations(KEYS, count):
            assert (policy.times(dict.fromkeys(who, 1)) is not None) == (count >= quorum)


@pytest.mark.parametrize("quorum", [0, 5, -1])
def test_a_quorum_that_cannot_be_met_is_refused(quorum: int) -> None:
    with pytest.raises(InputError, match="cannot be asked"):
        WitnessPolicy.of(KEYS, quorum)


# ---- notes ---------------------------------------------------------------------------------------


def test_a_note_is_sufficient_with_a_quorum_and_has_two_times() -> None:
    policy = WitnessPolicy.of(KEYS, 2)
    found = sufficient(note(9, (0, 100), (3, 400), (1, 250)), LOG.verifier, policy)
    assert found is not None
    assert (found.size, found.by_s, found.from_s) == (9, 250, 250)
    assert dict(found.times) == {KEYS[0]: 100, KEYS[3]: 400, KEYS[1]: 250}
    assert sufficient(note(9, (2, 100)), LOG.verifier, policy) is None
    assert sufficient(note(9), LOG.verifier, policy) is None


def test_a_witness_counts_once_and_only_if_its_signature_stands() -> None:
    good, other = note(9, (0, 100), (1, 200)), note(9, (0, 101))
    twice = good + other.splitlines(keepends=True)[-1]
    found = cosignatures(parse_note(twice), KEYS)
    assert [key for key, _ in found.times] == [KEYS[1]]
    assert len(found.wrong) == 1
    assert "2 lines" in found.wrong[0]
    # A line of another checkpoint, and one with its time changed.
    foreign = note(9) + note(8, (0, 100)).splitlines(keepends=True)[-1]
    assert cosignatures(parse_note(foreign), KEYS).times == ()
    assert cosignatures(parse_note(foreign), KEYS).wrong == (
        "the cosignature of witness drugs-administration.example/witness does not stand",
    )
    parsed = parse_note(note(9, (0, 100)))
    later = evolve(parsed.signatures[-1], signature=(101).to_bytes(8, "big") + parsed.signatures[-1].signature[8:])
    assert cosignatures(evolve(parsed, signatures=(parsed.signatures[0], later)), KEYS).times == ()
    stranger = note(9, (0, 100))
    assert cosignatures(parse_note(stranger), KEYS[1:]) == cosignatures(parse_note(note(9)), KEYS)


@pytest.mark.parametrize(
    "text",
    [
        note(9, origin="another.example"),
        note(9, origin=f"{LOG.name}/epoch/0"),
        note(9, origin=f"{LOG.name}/epoch/01"),
        sign_checkpoint(Checkpoint(LOG.name, 9, bytes(32), ("more",)), [LOG]),
        sign_checkpoint(Checkpoint(LOG.name, 9, bytes(32)), [NoteSigner(LOG.name, fixed_key("stranger"))]),
        "no note",
    ],
)
def test_what_is_no_checkpoint_of_the_log_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        sufficient(text, LOG.verifier, WitnessPolicy.of(KEYS, 1))


def test_a_checkpoint_of_a_later_epoch_is_one_of_the_log() -> None:
    found = sufficient(note(9, (0, 1), origin=f"{LOG.name}/epoch/12"), LOG.verifier, WitnessPolicy.of(KEYS[:1]))
    assert found is not None


# ---- epochs ----------------------------------------------------------------------------------------

BEGUN = ((10, EpochRecord(1, 10, bytes(32), 14, b"", "")), (20, EpochRecord(3, 20, bytes(32), 20, b"", "")))


@pytest.mark.parametrize(
    ("epoch", "size", "place"),
    [
        (0, 10, Place.HELD), (0, 11, Place.LOST), (0, 14, Place.LOST), (0, 15, Place.FORK), (0, 40, Place.FORK),
        (1, 10, Place.FORK), (1, 11, Place.HELD), (1, 20, Place.HELD), (1, 21, Place.FORK),
        (2, 15, Place.FORK), (2, 21, Place.FORK),
        (3, 20, Place.FORK), (3, 21, Place.HELD), (3, 30, Place.HELD), (3, 31, Place.AHEAD), (4, 31, Place.FORK),
    ],
)  # fmt: skip
def test_where_a_checkpoint_of_an_epoch_stands(epoch: int, size: int, place: Place) -> None:
    origin = f"{LOG.name}/epoch/{epoch}" if epoch else LOG.name
    assert place_of(Checkpoint(origin, size, bytes(32)), 30, BEGUN) is place


# ---- brackets --------------------------------------------------------------------------------------


def test_brackets_of_notes_in_order() -> None:
    notes = [Sufficient(10, 100, 110), Sufficient(25, 200, 210)]
    assert [(b.start, b.stop, b.after_s, b.before_s) for b in brackets(notes, 30)] == [
        (0, 10, None, 100), (10, 25, 110, 200), (25, 30, 210, None),
    ]  # fmt: skip
    assert [(b.start, b.stop) for b in brackets([], 30)] == [(0, 30)]
    assert [(b.start, b.stop) for b in brackets([Sufficient(30, 1, 1)], 30)] == [(0, 30)]


@given(
    st.lists(st.builds(Sufficient, st.integers(1, 12), st.integers(0, 20), st.integers(0, 20)), max_size=6),
    st.integers(1, 12),
)
def test_each_entry_is_in_one_bracket_with_the_tightest_times(notes: list[Sufficient], size: int) -> None:
    found = brackets(notes, size)
    assert [index for one in found for index in range(one.start, one.stop)] == list(range(size))
    used = [note for note in notes if note.size <= size]
    for one in found:
        for index in (one.start, one.stop - 1):
            assert one.before_s == min((note.by_s for note in used if note.size > index), default=None)
            assert one.after_s == max((note.from_s for note in used if note.size <= index), default=None)
