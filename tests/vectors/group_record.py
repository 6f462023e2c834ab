"""Vectors of the ledger's own entries and of records (docs/format.md sections 5, 6.3 and 8).

Kind "record": entry type and content. What stands has its fields (bytes as hex, keys as [algorithm, hex]), and its
subject (null: none). Where roots sign, ledger_id and root_keys are given, and "message" is what was signed.

"fails" says at which step a refused one is found: "decode" (its form) or "signature" (of a root or the holder).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from attrs import evolve, fields

from tracechain import encoding, record
from tracechain.checkpoint import Checkpoint, NoteSigner, sign_checkpoint
from tracechain.record import (
    ClockRecord,
    EpochRecord,
    Evidence,
    Genesis,
    KeyAuthorised,
    KeyRevoked,
    Record,
    encode_record,
    key_subject,
    settle,
)
from tracechain.signing import MemorySigner, PublicKey
from tracechain.statement import sign_statement

Cases = dict[str, dict[str, Any]]
LOG, ROOT, ROOT_2, AUTHOR, STRANGER = (MemorySigner.from_seed(bytes([n]) * 32) for n in range(1, 6))
LEDGER = sha256(b"a ledger").digest()
NONCE = sha256(b"nonce").digest()
CREATED = 1_795_219_200_000
ROOTS = tuple(sorted((ROOT.public_key, ROOT_2.public_key), key=lambda key: key.hash))
ORIGIN = "ledger.example/test"
ACTS = (b"tracechain authorise v0\n", b"tracechain revoke v0\n", b"tracechain settle v0\n")
SIGNED: dict[str, Any] = {"ledger_id": LEDGER.hex(), "root_keys": [key.raw.hex() for key in ROOTS]}


def _plain(value: Any) -> Any:
    """A value as JSON: bytes as hex, keys as [algorithm, hex]."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, PublicKey):
        return [value.algorithm, value.raw.hex()]
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _good(kind: int, about: str, value: Any, subject: str | None = None, **more: Any) -> dict[str, Any]:
    content = encode_record(value) if isinstance(value, Record) else value.encode()
    return {
        "about": about,
        "kind": "record",
        "verdict": "stands",
        "type": kind,
        "content": content.hex(),
        "fields": {one.name: _plain(getattr(value, one.name)) for one in fields(type(value))},
        "subject": subject,
        **more,
    }


def _bad(kind: int, reason: str, words: str, content: Any, fails: str = "decode") -> dict[str, Any]:
    if not isinstance(content, bytes):
        content = encoding.pack(content) if isinstance(content, tuple) else content.encode()
    more = SIGNED if fails == "signature" else {}
    return {
        "about": "A record that is refused.",
        "kind": "record",
        "verdict": "refused",
        "fails": fails,
        "type": kind,
        "reason": reason,
        "words": words,
        "content": content.hex(),
        **more,
    }


GENESIS = Genesis(ORIGIN, CREATED, LOG.public_key, ROOTS, 86_400_000, NONCE)
AUTHORISED = record.authorise(LEDGER, AUTHOR, ROOT, "gate 1 \u836f", ("event", "note"))
REVOKED = record.revoke(LEDGER, AUTHOR.public_key.hash, ROOT_2, "scanner lost")
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 9, sha256(b"root of 9").digest()), [NoteSigner(ORIGIN, LOG)])
EPOCH = EpochRecord(1, 7, sha256(b"root of 7").digest(), 9, NOTE.encode(), "disk failed")
CLOCK = ClockRecord(CREATED, CREATED + 10**9, "the machine was in storage")
STATEMENT = sign_statement(
    AUTHOR, ledger_id=LEDGER, first=0, count=1, previous=bytes(32), signed_at=CREATED, leaves=[sha256(b"leaf").digest()]
)
EVIDENCE = Evidence(4, STATEMENT.message, STATEMENT.signature)
LEAF = sha256(b"leaf of the epoch's entry").digest()
SETTLED = settle(LEDGER, ROOT, "epoch", (1, LEAF, "all submitted again"))
GAP = settle(LEDGER, ROOT, "gap", (AUTHOR.public_key.hash, 3, 5, "the scanner burnt"))


def _message(purpose: int, *items: Any) -> str:
    return (ACTS[purpose] + encoding.pack((LEDGER, *items))).hex()


def _standing() -> Cases:
    key, subject = AUTHOR.public_key, key_subject(AUTHOR.public_key.hash)
    everything = record.authorise(LEDGER, AUTHOR, ROOT, "", None)
    return {
        "genesis": _good(1, "A genesis with two root keys, sorted by their hashes.", GENESIS),
        "genesis-successor": _good(
            1, "A genesis that continues another ledger.", evolve(GENESIS, predecessor=NOTE.encode())
        ),
        "key-authorised": _good(
            5,
            "A key with a scope.",
            AUTHORISED,
            subject,
            **SIGNED,
            message=_message(0, 1, key.raw, AUTHORISED.label, AUTHORISED.scope),
        ),
        "key-authorised-everything": _good(
            5,
            "A key for everything, without a label.",
            everything,
            subject,
            **SIGNED,
            message=_message(0, 1, key.raw, "", None),
        ),
        "key-revoked": _good(
            6,
            "A key goes out, signed by the other root.",
            REVOKED,
            subject,
            **SIGNED,
            message=_message(1, key.hash, REVOKED.reason),
        ),
        "clock": _good(7, "A jump of the receipt times.", CLOCK),
        "epoch": _good(8, "A backup was put back: entries 7 and 8 are lost.", EPOCH),
        "evidence": _good(9, "A statement that cannot be logged beside the one in entry 4.", EVIDENCE),
        "open": _good(
            4,
            "A record of a kind that nobody knows, with every kind of value.",
            Record("x.example-hold", (None, True, -1, 2**64 - 1, "\u836f", b"\0", ((),)), "00/095212340000000013", 3),
            "00/095212340000000013",
        ),
        "open-bare": _good(4, "A record without subject and body.", Record("a")),
        "epoch-settled": _good(
            4, "A lost range is settled.", SETTLED, **SIGNED, message=_message(2, "epoch", *SETTLED.body[:3])
        ),
        "gap-settled": _good(
            4, "An author's numbers 3 and 4 will not come.", GAP, **SIGNED, message=_message(2, "gap", *GAP.body[:4])
        ),
    }


def _refused() -> Cases:
    key = AUTHOR.public_key
    roots = tuple((1, one.raw) for one in ROOTS)
    genesis = (0, 1, ORIGIN, CREATED, (1, LOG.public_key.raw), roots, 86_400_000, NONCE, None)
    authorised = (1, key.raw, "gate 1", ("event",), ROOT.public_key.hash, bytes(64), bytes(64))
    foreign = record.authorise(LEDGER, AUTHOR, STRANGER, "gate 1", None)

    def put(items: tuple[Any, ...], position: int, value: Any) -> tuple[Any, ...]:
        return (*items[:position], value, *items[position + 1 :])

    return {
        "genesis-version": _bad(1, "It is of version 1.", "version 1", put(genesis, 0, 1)),
        "genesis-suite": _bad(1, "It is of suite 2.", "suite 2", put(genesis, 1, 2)),
        "genesis-no-root": _bad(1, "It names no root key.", "no root key", put(genesis, 5, ())),
        "genesis-roots-order": _bad(1, "The root keys are not sorted.", "not sorted", put(genesis, 5, roots[::-1])),
        "genesis-roots-twice": _bad(1, "A root key comes twice.", "unique", put(genesis, 5, (roots[0], roots[0]))),
        "genesis-key-small-order": _bad(
            1, "The log key is the identity.", "order", put(genesis, 4, (1, b"\x01" + bytes(31)))
        ),
        "genesis-algorithm": _bad(1, "An algorithm is unknown.", "algorithm", put(genesis, 4, (2, LOG.public_key.raw))),
        "genesis-nonce-short": _bad(1, "The nonce has 31 bytes.", "nonce", put(genesis, 7, NONCE[:31])),
        "genesis-created-negative": _bad(1, "It was created before 1970.", "created", put(genesis, 3, -1)),
        "genesis-created-large": _bad(1, "A time is 2^63.", "created", put(genesis, 3, 2**63)),
        "genesis-predecessor-text": _bad(1, "The predecessor is a text.", "predecessor", put(genesis, 8, "x")),
        "genesis-items": _bad(1, "It has eight items.", "9 items", genesis[:8]),
        "authorised-scope-empty": _bad(5, "A scope is nil, not [].", "scope", put(authorised, 3, ())),
        "authorised-scope-order": _bad(5, "A scope is not sorted.", "scope", put(authorised, 3, ("note", "event"))),
        "authorised-scope-twice": _bad(
            5, "A scope names a kind twice.", "scope", put(authorised, 3, ("event", "event"))
        ),
        "authorised-scope-kind": _bad(
            5, "A scope names what cannot be a kind.", "scope", put(authorised, 3, ("Event",))
        ),
        "authorised-label-control": _bad(5, "A label holds a line feed.", "control", put(authorised, 2, "a\nb")),
        "authorised-label-not-nfc": _bad(5, "A label is not in NFC.", "normal form", put(authorised, 2, "e\u0301")),
        "authorised-signature-short": _bad(5, "A signature has 63 bytes.", "signature", put(authorised, 6, bytes(63))),
        "authorised-foreign-root": _bad(5, "The root key is not one of the genesis.", "root", foreign, "signature"),
        "authorised-holder": _bad(
            5,
            "The holder's signature is the root's.",
            "signature",
            evolve(AUTHORISED, holder_signature=AUTHORISED.root_signature),
            "signature",
        ),
        "authorised-scope-widened": _bad(
            5, "The scope was widened after signing.", "signature", evolve(AUTHORISED, scope=None), "signature"
        ),
        "revoked-other-ledger": _bad(
            6,
            "It was signed for another ledger.",
            "signature",
            record.revoke(NONCE, key.hash, ROOT, "lost"),
            "signature",
        ),
        "revoked-by-holder": _bad(
            6,
            "The key itself signed, which is no root key.",
            "root",
            record.revoke(LEDGER, key.hash, AUTHOR, "lost"),
            "signature",
        ),
        "revoked-hash-short": _bad(
            6, "The key hash has 8 bytes.", "key hash", (key.id, "lost", ROOT.public_key.hash, bytes(64))
        ),
        "clock-items": _bad(7, "It has no reason.", "3 items", (CREATED, CREATED)),
        "clock-time-text": _bad(7, "A time is a text.", "to", (CREATED, "now", "why")),
        "epoch-note-text": _bad(8, "The note is a text.", "note", (1, 7, EPOCH.root, 9, "a note", "disk failed")),
        "epoch-root-short": _bad(8, "The root has 31 bytes.", "root", evolve(EPOCH, root=bytes(31))),
        "evidence-large": _bad(9, "The message has 1,025 bytes.", "message", evolve(EVIDENCE, message=bytes(1025))),
        "evidence-index-negative": _bad(9, "The index is negative.", "index", evolve(EVIDENCE, index=-1)),
        "open-kind-upper-case": _bad(4, "A kind has a capital.", "kind", ("Note", 0, None, None)),
        "open-kind-empty": _bad(4, "A kind is empty.", "kind", ("", 0, None, None)),
        "open-kind-long": _bad(4, "A kind has 65 characters.", "kind", ("a" * 65, 0, None, None)),
        "open-kind-full-width": _bad(4, "A kind has a full-width letter.", "kind", ("\uff41", 0, None, None)),
        "open-version-negative": _bad(4, "A version is negative.", "version", ("note", -1, None, None)),
        "open-subject-empty": _bad(4, "A subject is empty.", "subject", ("note", 0, "", None)),
        "open-items": _bad(4, "It has no body.", "4 items", ("note", 0, None)),
        "open-float": _bad(4, "A body holds a float.", "canonical", b"\x94\xa4note\x00\xc0\xcb" + bytes(8)),
        "open-map": _bad(4, "A body holds a map.", "canonical", b"\x94\xa4note\x00\xc0\x80"),
        "open-long-text": _bad(
            4, "A text's length is longer than need be.", "canonical", b"\x94\xd9\x04note\x00\xc0\xc0"
        ),
        "open-deep": _bad(4, "Arrays nest 25 deep.", "deep", b"\x94\xa4note\x00\xc0" + b"\x91" * 23 + b"\x90"),
        "open-trailing": _bad(4, "A byte stands behind it.", "canonical", encode_record(Record("note")) + b"\xc0"),
        "settled-foreign-root": _bad(
            4,
            "The root key is not one of the genesis.",
            "root",
            encode_record(settle(LEDGER, STRANGER, "epoch", (1, LEAF, "fine"))),
            "signature",
        ),
        "settled-other-epoch": _bad(
            4,
            "It was signed for another epoch of the same number.",
            "signature",
            encode_record(evolve(SETTLED, body=(1, sha256(b"another leaf").digest(), *SETTLED.body[2:]))),
            "signature",
        ),
        "settled-leaf-short": _bad(
            4,
            "The leaf has 31 bytes.",
            "form",
            encode_record(evolve(SETTLED, body=(1, LEAF[:31], *SETTLED.body[2:]))),
            "signature",
        ),
        "settled-no-leaf": _bad(
            4,
            "It names an epoch by its number alone.",
            "form",
            encode_record(evolve(SETTLED, body=(1, *SETTLED.body[2:]))),
            "signature",
        ),
        "settled-other-gap": _bad(
            4,
            "The numbers were changed after signing.",
            "signature",
            encode_record(evolve(GAP, body=(*GAP.body[:2], 6, *GAP.body[3:]))),
            "signature",
        ),
    }


def cases() -> Cases:
    """All cases of this group."""
    assert KeyAuthorised.decode(AUTHORISED.encode()) == AUTHORISED
    assert KeyRevoked.decode(REVOKED.encode()) == REVOKED
    return _standing() | {f"refused-{name}": case for name, case in _refused().items()}
