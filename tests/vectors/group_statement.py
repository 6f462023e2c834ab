"""Vectors of statements and submissions (docs/format.md section 6). Keys come from "seed": RFC 8032 secret keys.

Kinds:

    statement   statement (the content of its entry), held against ledger_id, public_key and covered (commitment,
                record_class, type of each). When it stands: leaves, root, message, hash.
    submission  submission; when it stands: statement, items

"fails" says at which step a refused statement is found: "decode" (its form), "ledger" (made for another), "signature"
(under public_key), "root" (the covered contents are others).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from attrs import evolve

from tracechain import encoding
from tracechain.entry import content_commitment
from tracechain.merkle import root
from tracechain.signing import MemorySigner
from tracechain.statement import (
    Item,
    Statement,
    Submission,
    encode_statement,
    encode_submission,
    sign_statement,
    statement_leaves,
)

Cases = dict[str, dict[str, Any]]
SEED = bytes(range(64, 96))
SIGNER = MemorySigner.from_seed(SEED)
OTHER = MemorySigner.from_seed(bytes(range(96, 128)))
LEDGER = sha256(b"a ledger").digest()
SIGNED_AT = 1_795_219_200_000


def _item(number: int, kind: int = 3, record_class: int = 0) -> Item:
    content = (
        encoding.pack((1, number, 480, 2, None, ("", ("urn:x",))))
        if kind == 3
        else encoding.pack(("note", 0, None, number))
    )
    return Item(kind, record_class, sha256(f"salt {number}".encode()).digest(), content)


def _leaves(items: list[Item]) -> list[bytes]:
    return statement_leaves([i.commitment for i in items], [i.record_class for i in items], [i.type for i in items])


def _sign(items: list[Item], first: int = 0, previous: bytes = bytes(32), ledger: bytes = LEDGER) -> Statement:
    return sign_statement(
        SIGNER,
        ledger_id=ledger,
        first=first,
        count=len(items),
        previous=previous,
        signed_at=SIGNED_AT,
        leaves=_leaves(items),
    )


def _context(items: list[Item]) -> dict[str, Any]:
    return {
        "ledger_id": LEDGER.hex(),
        "seed": SEED.hex(),
        "public_key": SIGNER.public_key.raw.hex(),
        "covered": [{"commitment": i.commitment.hex(), "record_class": i.record_class, "type": i.type} for i in items],
    }


def _good(about: str, statement: Statement, items: list[Item]) -> dict[str, Any]:
    leaves = _leaves(items)
    assert root(leaves) == statement.root
    return {
        "about": about,
        "kind": "statement",
        "verdict": "stands",
        "statement": encode_statement(statement).hex(),
        **_context(items),
        "first": statement.first,
        "previous": statement.previous.hex(),
        "signed_at": SIGNED_AT,
        "leaves": [leaf.hex() for leaf in leaves],
        "root": statement.root.hex(),
        "message": statement.message.hex(),
        "hash": statement.hash.hex(),
    }


def _bad(fails: str, reason: str, words: str, statement: Statement | bytes, items: list[Item]) -> dict[str, Any]:
    data = statement if isinstance(statement, bytes) else encode_statement(statement)
    return {
        "about": "A statement that is refused.",
        "kind": "statement",
        "verdict": "refused",
        "fails": fails,
        "reason": reason,
        "words": words,
        "statement": data.hex(),
        **_context(items),
    }


def _resigned(items: tuple[Any, ...]) -> bytes:
    """A statement of any seven items with a signature that stands."""
    message = b"tracechain statement v0\n" + encoding.pack(items)
    return encoding.pack((*items, SIGNER.sign(message)))


def _statements() -> Cases:
    items = [_item(0), _item(1, record_class=5), _item(2, kind=4)]
    one = _sign(items)
    more = [_item(n) for n in range(3, 68)]
    good = {
        "first": _good("An author's first statement: two events and a record.", one, items),
        "following": _good(
            "The next one names the hash of the one before; 65 contents make two leaves.",
            _sign(more, 3, one.hash),
            more,
        ),
        "single": _good("One content: its leaf is the root.", _sign(items[:1]), items[:1]),
        "last-number": _good("The largest first number there is.", _sign(items[:1], 2**63 - 1, one.hash), items[:1]),
    }
    seven = (LEDGER, one.author, 0, 3, bytes(32), SIGNED_AT, one.root)
    changed = bytearray(one.signature)
    changed[10] ^= 1

    def put(position: int, value: Any) -> bytes:
        return _resigned((*seven[:position], value, *seven[position + 1 :]))

    bad = {
        "other-ledger": _bad(
            "ledger", "It was signed for another ledger.", "", _sign(items, ledger=sha256(b"another").digest()), items
        ),
        "signature-changed": _bad(
            "signature", "A bit of the signature differs.", "", evolve(one, signature=bytes(changed)), items
        ),
        "other-key": _bad(
            "signature", "Another key signed it.", "", evolve(one, signature=OTHER.sign(one.message)), items
        ),
        "redated": _bad("signature", "The signing time was changed.", "", evolve(one, signed_at=SIGNED_AT + 1), items),
        "reattributed": _bad(
            "signature", "It names another author.", "", evolve(one, author=OTHER.public_key.hash), items
        ),
        "root-order": _bad("root", "The contents are in another order.", "", one, [items[1], items[0], items[2]]),
        "root-missing": _bad("root", "A content is missing.", "", one, items[:2]),
        "root-class": _bad(
            "root", "A content has another record class.", "", one, [evolve(items[0], record_class=1), *items[1:]]
        ),
        "root-type": _bad(
            "root", "A record is passed off as an event.", "", one, [*items[:2], evolve(items[2], type=3)]
        ),
        "seven-items": _bad("decode", "It has no signature.", "eight items", encoding.pack(seven), items),
        "short-signature": _bad(
            "decode", "The signature has 63 bytes.", "signature", evolve(one, signature=one.signature[:63]), items
        ),
        "short-ledger-id": _bad("decode", "The ledger id has 31 bytes.", "ledger id", put(0, LEDGER[:31]), items),
        "author-text": _bad("decode", "The author is a text.", "author", put(1, "x" * 32), items),
        "first-negative": _bad("decode", "The first number is negative.", "first sequence", put(2, -1), items),
        "first-large": _bad("decode", "The first number is 2^63.", "first sequence", put(2, 2**63), items),
        "count-0": _bad("decode", "It covers nothing.", "covers nothing", put(3, 0), items),
        "count-large": _bad("decode", "It covers more than a million.", "count", put(3, 1_000_001), items),
        "count-true": _bad("decode", "The count is a boolean.", "count", put(3, True), items),
        "previous-of-first": _bad(
            "decode", "The first statement names one before.", "previous", put(4, one.hash), items
        ),
        "previous-missing": _bad("decode", "A later statement names none before.", "previous", put(2, 3), items),
        "time-negative": _bad("decode", "The signing time is negative.", "signing time", put(5, -1), items),
        "trailing": _bad("decode", "A byte stands behind it.", "canonical", encode_statement(one) + b"\0", items),
        "long-integer": _bad(
            "decode",
            "A number is longer than need be.",
            "shorter form",
            encode_statement(one).replace(b"\x00\x03\xc4\x20", b"\x00\xcc\x03\xc4\x20", 1),
            items,
        ),
    }
    return {
        **good,
        **{f"refused-{name}": case for name, case in bad.items()},
    }


def _submissions() -> Cases:
    items = (_item(0), _item(1, record_class=5), _item(2, kind=4))
    statement = _sign(list(items))
    good = encode_submission(Submission(statement, items))

    def bad(reason: str, words: str, data: bytes) -> dict[str, Any]:
        return {
            "about": "A submission that is refused.",
            "kind": "submission",
            "verdict": "refused",
            "reason": reason,
            "words": words,
            "submission": data.hex(),
        }

    def of(*changed: Any, name: str = "tracechain submission v0") -> bytes:
        return encoding.pack((name, encode_statement(statement), changed))

    plain = [(i.type, i.record_class, i.salt, i.content) for i in items]
    same = evolve(items[1], salt=items[0].salt)
    twins = (items[0], same)
    return {
        "submission": {
            "about": "What a station hands over.",
            "kind": "submission",
            "verdict": "stands",
            "submission": good.hex(),
            "statement": encode_statement(statement).hex(),
            "items": [
                {
                    "type": i.type,
                    "record_class": i.record_class,
                    "salt": i.salt.hex(),
                    "content": i.content.hex(),
                    "commitment": content_commitment(i.salt, i.content).hex(),
                }
                for i in items
            ],
        },
        "submission-refused-name": bad(
            "It is of a later version.", "no submission", of(*plain, name="tracechain submission v1")
        ),
        "submission-refused-item-missing": bad(
            "It has fewer contents than its statement covers.", "2 came with it", of(*plain[:2])
        ),
        "submission-refused-order": bad(
            "The contents are in another order.", "root differs", of(plain[1], plain[0], plain[2])
        ),
        "submission-refused-type": bad(
            "A key record cannot be submitted.", "item 0", of((5, *plain[0][1:]), *plain[1:])
        ),
        "submission-refused-class": bad(
            "A record class has 16 bits.", "item 0", of((3, 65_536, *plain[0][2:]), *plain[1:])
        ),
        "submission-refused-salt-short": bad(
            "A salt has 31 bytes.", "item 0", of((3, 0, bytes(31), items[0].content), *plain[1:])
        ),
        "submission-refused-salt-twice": bad(
            "Two contents have one salt.", "one salt", encode_submission(Submission(_sign(list(twins)), twins))
        ),
        "submission-refused-content-empty": bad(
            "A content is empty.", "item 0", of((3, 0, bytes(32), b""), *plain[1:])
        ),
        "submission-refused-no-array": bad(
            "The contents are no array.",
            "array of items",
            encoding.pack(("tracechain submission v0", encode_statement(statement), None)),
        ),
    }


def cases() -> Cases:
    """All cases of this group."""
    return _statements() | _submissions()
