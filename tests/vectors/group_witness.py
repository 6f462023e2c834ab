"""Vectors of witnesses: policies, notes with their times, requests and what is answered, brackets (format.md section
10.1)."""

from __future__ import annotations

from typing import Any

from tracechain import merkle
from tracechain.checkpoint import (
    Checkpoint,
    NoteSigner,
    VerifierKey,
    add_signature,
    cosign,
    format_vkey,
    parse_checkpoint,
    parse_note,
    sign_checkpoint,
)
from tracechain.errors import CheckpointError, InputError
from tracechain.merkle import leaf_hash
from tracechain.testing import fixed_key
from tracechain.witnessing import (
    RefusedRequestError,
    Request,
    Sufficient,
    brackets,
    check_request,
    cosignatures,
    format_request,
    open_witnessed,
    parse_policy,
    parse_request,
    sufficient,
)

Cases = dict[str, dict[str, Any]]

LOG = NoteSigner("ledger.example/test", fixed_key("log"))
OTHER = NoteSigner("other.example", fixed_key("other log"))
#: The four authorities of the pilot.
WITNESSES = [
    NoteSigner(f"{name}.example/witness", fixed_key(name))
    for name in ("drugs-administration", "customs", "commerce", "health-commission")
]
A, B, C, D = (format_vkey(one.cosigner) for one in WITNESSES)
KEYS = {one.name: one.cosigner for one in WITNESSES}
TWO_OF_FOUR = f"witness a {A}\nwitness b {B}\nwitness c {C}\nwitness d {D}\ngroup four 2 a b c d\nquorum four\n"
NESTED = (
    f"# the one that has to, and one of the others\n\nlog {format_vkey(LOG.verifier)} https://ledger.example/\n"
    f"witness 药监 {A}\n witness\tcustoms {B} https://customs.example/\nwitness c {C}\nwitness d {D}\n"
    "group others any customs c d\ngroup both all 药监 others\nquorum both"
)


class _Leaves:
    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves = leaves

    def leaf(self, index: int) -> bytes:
        return self._leaves[index]

    def node(self, height: int, index: int) -> bytes | None:
        del height, index  # none is stored
        return None


MAIN = [leaf_hash(str(number).encode()) for number in range(20)]
FORK = [*MAIN[:5], *(leaf_hash(f"other {number}".encode()) for number in range(5, 20))]


def note(tree: list[bytes], size: int, *signed: tuple[int, int], log: NoteSigner = LOG, epoch: int = 0) -> str:
    """A checkpoint; `signed` are witnesses by number with times."""
    origin = f"{log.name}/epoch/{epoch}" if epoch else log.name
    text = sign_checkpoint(Checkpoint(origin, size, merkle.root(tree[:size])), [log])
    for number, time in signed:
        text = add_signature(text, cosign(text, WITNESSES[number].name, WITNESSES[number].signer, time))
    return text


def _request(tree: list[bytes], old: int, size: int, epoch: int = 0) -> str:
    hashes = merkle.prove_consistency(_Leaves(tree), old, size)
    return format_request(Request(old, tuple(hashes), note(tree, size, epoch=epoch)))


# ---- policies --------------------------------------------------------------------------------------


def _policies() -> Cases:
    some = {
        "two-of-four": ("Two of four.", TWO_OF_FOUR),
        "nested": (
            "Groups in groups, blanks, tabs, addresses, a comment, a name that is no ASCII, no last LF.",
            NESTED,
        ),
        "one": ("One witness and no group.", f"witness a {A}\nwitness b {B}\nquorum b\n"),
        "none": ("Nobody is asked for.", f"witness a {A}\nquorum none\n"),
        "names": ("Words of the format may be names.", f"witness all {A}\ngroup any all all\nquorum any\n"),
    }
    signed = [
        {}, {0: 500}, {1: 300}, {0: 500, 1: 300}, {1: 300, 2: 100, 3: 200}, {0: 7, 1: 7, 2: 7, 3: 7},
        {0: 40, 1: 10, 2: 30, 3: 20},
    ]  # fmt: skip
    cases: Cases = {}
    for name, (about, text) in some.items():
        policy = parse_policy(text)
        cases[f"policy-{name}"] = {
            "about": about, "kind": "witness policy", "policy": text,
            "witnesses": [format_vkey(key) for key in policy.verifiers],
            "logs": [format_vkey(key) for key in policy.logs], "demands": policy.demands,
            "times": [
                {
                    "cosigned": {WITNESSES[number].name: time for number, time in one.items()},
                    "by_from": policy.times({WITNESSES[number].cosigner: time for number, time in one.items()}),
                }
                for one in signed
            ],
        }  # fmt: skip
    refused = {
        "empty": ("It says who is enough.", "\n# nobody\n"),
        "two-quorums": ("There is one quorum line.", "quorum none\nquorum none\n"),
        "unknown-line": ("A line begins with one of four words.", f"witnes a {A}\nquorum none\n"),
        "carriage-return": ("Lines end with LF alone.", f"witness a {A}\r\nquorum a\r\n"),
        "below": ("What a line names stands above it.", f"group g any a\nwitness a {A}\nquorum g\n"),
        "quorum-first": ("The quorum too.", f"quorum a\nwitness a {A}\n"),
        "name-twice": ("A name is defined once.", f"witness a {A}\nwitness a {B}\nquorum a\n"),
        "key-twice": ("A key stands once.", f"witness a {A}\nwitness b {A}\nquorum a\n"),
        "member-twice": (
            "No name is a member twice, in whatever groups.",
            f"witness a {A}\nwitness b {B}\ngroup g any a b\ngroup h all a g\nquorum h\n",
        ),
        "threshold-over": ("No more than all.", f"witness a {A}\ngroup g 2 a\nquorum g\n"),
        "threshold-zero": ("No less than one.", f"witness a {A}\ngroup g 0 a\nquorum g\n"),
        "threshold-leading-zero": ("A number has one spelling.", f"witness a {A}\ngroup g 01 a\nquorum g\n"),
        "no-members": ("A group has members.", f"witness a {A}\ngroup g any\nquorum g\n"),
        "log-as-witness": ("A witness has a key of type 4.", f"witness a {format_vkey(LOG.verifier)}\nquorum a\n"),
        "witness-as-log": ("A log has a key of type 1.", f"log {A}\nquorum none\n"),
        "named-none": ("Nobody is called none.", f"witness none {A}\nquorum none\n"),
        "vkey-damaged": ("A vkey is whole.", f"witness a {A[:-4]}AAA=\nquorum a\n"),
        "too-many-items": ("A line has no more than its items.", f"witness a {A} https://a.example more\nquorum a\n"),
    }
    for name, (about, text) in refused.items():
        cases[f"policy-refused-{name}"] = {"about": about, "kind": "witness policy", "policy": text, "refused": True}
        _must_refuse(text)
    return cases


def _must_refuse(text: str) -> None:
    try:
        parse_policy(text)
    except InputError:
        return
    raise AssertionError(text)


# ---- notes -----------------------------------------------------------------------------------------


def _notes() -> Cases:
    good = note(MAIN, 9, (0, 100), (3, 400), (1, 250))
    lines = good.splitlines(keepends=True)
    some = {
        "sufficient": ("Three cosigned, two are asked for: both times are the second's.", good, TWO_OF_FOUR),
        "two": ("Two cosigned: the second completes the quorum, the first ends it.", note(MAIN, 9, (0, 100), (3, 400)),
                TWO_OF_FOUR),
        "one": ("One is not enough.", note(MAIN, 9, (2, 100)), TWO_OF_FOUR),
        "nested": ("The one that has to, and one of the others.", note(MAIN, 9, (0, 500), (2, 90), (3, 300)), NESTED),
        "nested-without": ("All the others are not enough.", note(MAIN, 9, (1, 1), (2, 1), (3, 1)), NESTED),
        "of-another-checkpoint": (
            "A cosignature of another checkpoint does not stand, and the others count.",
            "".join((*lines[:-3], note(MAIN, 8, (0, 100)).splitlines(keepends=True)[-1], *lines[-2:])), TWO_OF_FOUR,
        ),
        "twice": (
            "A witness that signed twice does not count, even if both stand.",
            good + note(MAIN, 9, (0, 101)).splitlines(keepends=True)[-1], TWO_OF_FOUR,
        ),
        "stranger": (
            "A line of a key that the policy does not have is passed over.", note(MAIN, 9, (0, 1), (3, 2)),
            f"witness a {A}\nquorum a\n",
        ),
        "epoch": ("A checkpoint of a later epoch.", note(MAIN, 9, (0, 1), (1, 2), epoch=12), TWO_OF_FOUR),
        "time-zero": ("A time may be 0.", note(MAIN, 9, (0, 0), (1, 2**63 - 1)), TWO_OF_FOUR),
    }  # fmt: skip
    cases: Cases = {}
    for name, (about, text, asked) in some.items():
        policy = parse_policy(asked)
        found = sufficient(text, LOG.verifier, policy)
        signed = cosignatures(parse_note(text), policy.verifiers)
        cases[f"note-{name}"] = {
            "about": about, "kind": "witnessed note", "log": format_vkey(LOG.verifier), "policy": asked, "note": text,
            "cosigned": {key.name: time for key, time in signed.times}, "wrong": len(signed.wrong),
            "by_from": None if found is None else [found.by_s, found.from_s],
        }  # fmt: skip
    extended = Checkpoint(LOG.name, 9, merkle.root(MAIN[:9]), ("more",))
    refused = {
        "other-log": ("Signed by another log.", note(MAIN, 9, log=OTHER)),
        "other-origin": (
            "Signed by the log key, of another origin.",
            sign_checkpoint(Checkpoint("other.example", 9, merkle.root(MAIN[:9])), [LOG]),
        ),
        "epoch-zero": (
            "There is no epoch 0 in an origin.",
            sign_checkpoint(Checkpoint(f"{LOG.name}/epoch/0", 9, merkle.root(MAIN[:9])), [LOG]),
        ),
        "extension": ("A checkpoint has three lines.", sign_checkpoint(extended, [LOG])),
        "cut": ("A note ends in LF.", note(MAIN, 9)[:-1]),
    }
    for name, (about, text) in refused.items():
        try:
            open_witnessed(text, LOG.verifier)
        except CheckpointError:
            cases[f"note-refused-{name}"] = {
                "about": about, "kind": "witnessed note", "log": format_vkey(LOG.verifier), "policy": TWO_OF_FOUR,
                "note": text, "refused": True,
            }  # fmt: skip
        else:
            raise AssertionError(name)
    return cases


# ---- requests --------------------------------------------------------------------------------------


def _requests() -> Cases:
    last = note(MAIN, 6)
    bogus = format_request(Request(6, (bytes(32),), note(MAIN, 9)))
    some: dict[str, tuple[str, str | None, str, VerifierKey]] = {
        "first": ("The first one for a witness.", None, _request(MAIN, 0, 6), LOG.verifier),
        "extends": ("It extends what was signed.", last, _request(MAIN, 6, 9), LOG.verifier),
        "same": ("Signed again at another time.", last, _request(MAIN, 6, 6), LOG.verifier),
        "asked-again": ("An answer that was lost on its way is given again.", last, _request(MAIN, 3, 6), LOG.verifier),
        "later-epoch": ("A later epoch in which nothing was lost.", last, _request(MAIN, 6, 9, 1), LOG.verifier),
        "backwards": ("From more to less.", last, _request(MAIN, 6, 6).replace("old 6", "old 7"), LOG.verifier),
        "other-log": ("Another log than the witness was told of.", last, _request(MAIN, 6, 9), OTHER.verifier),
        "not-signed": (
            "Not signed by the log's key.", last, _request(MAIN, 6, 9),
            NoteSigner(LOG.name, fixed_key("stranger")).verifier,
        ),
        "unknown-old": ("Nothing was signed yet.", None, _request(MAIN, 3, 9), LOG.verifier),
        "wrong-old": ("It does not go from what was signed last.", last, _request(MAIN, 3, 9), LOG.verifier),
        "rollback": ("Less than was signed.", last, _request(MAIN, 0, 5), LOG.verifier),
        "fork": ("Another tree of the same size.", last, _request(FORK, 6, 6), LOG.verifier),
        "fork-larger": ("A proof from another tree.", last, _request(FORK, 6, 9), LOG.verifier),
        "no-proof": ("A proof that is made up.", last, bogus, LOG.verifier),
        "earlier-epoch": ("An epoch that is over.", note(MAIN, 6, epoch=2), _request(MAIN, 6, 9, 1), LOG.verifier),
    }  # fmt: skip
    cases: Cases = {}
    for name, (about, before, text, log) in some.items():
        signed = None if before is None else parse_checkpoint(parse_note(before).text)
        try:
            check_request(parse_request(text), log, signed)
            answer: dict[str, Any] = {"number": 200, "size": None}
        except RefusedRequestError as error:
            answer = {"number": int(error.number), "size": error.size}
        parsed = parse_request(text)
        cases[f"request-{name}"] = {
            "about": about, "kind": "witness request", "log": format_vkey(log), "last": before, "request": text,
            "old": parsed.old, "hashes": [one.hex() for one in parsed.hashes], **answer,
        }  # fmt: skip
    return cases


def _brackets() -> Cases:
    some = {
        "in-order": ("Notes in order.", [(10, 100, 110), (25, 200, 210)], 30),
        "none": ("Without a note nobody tells anything.", [], 30),
        "all": ("A note over all.", [(30, 7, 7)], 30),
        "late-small": ("A smaller note that was cosigned later tells nothing by that.", [(10, 900, 50), (25, 200, 60)],
                       30),
        "late-from": ("A smaller note's later *from* goes on to count.", [(10, 100, 500), (25, 200, 300)], 30),
        "one-size": ("Two notes of one size.", [(10, 100, 80), (10, 90, 95)], 12),
    }  # fmt: skip
    return {
        f"brackets-{name}": {
            "about": about, "kind": "witness brackets", "size": size,
            "notes": [{"size": one, "by": by, "from": since} for one, by, since in notes],
            "brackets": [
                {"start": run.start, "stop": run.stop, "after": run.after_s, "before": run.before_s}
                for run in brackets([Sufficient(*one) for one in notes], size)
            ],
        }
        for name, (about, notes, size) in some.items()
    }  # fmt: skip


def cases() -> Cases:
    """All cases of the group."""
    return _policies() | _notes() | _requests() | _brackets()
