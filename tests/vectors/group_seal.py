"""Vectors of seals: maps, proofs by them, what auditors sign, and ledgers with seals (docs/format.md section 5.12).

- "seal map": items [id, last, leaf, state] in order, and what they come to: buckets [last id, items, root], ids and
  map_root.
- "seal presence", "seal absence": a proof, map_root, and whether it "stands"; of what does not, "refused" says whether
  the form is wrong already ("form") or what it shows ("proof").
- "seal note": the text of a signed note, auditors (verifier key lines), and whose signatures stand, or that it is
  refused.
- "ledger": as in the group of that name.
"""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import evolve
from group_ledger import VKEY, ledger_case

from tracechain.checkpoint import NoteSigner, format_vkey
from tracechain.encoding import pack
from tracechain.record import decode_record, encode_record
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
    sign_note,
)
from tracechain.testing import ORIGIN, Keys, new_ledger
from tracechain.testing.samples import commission, observe, pack_ids
from tracechain.testing.tamper import Log, duplicate, edit, read, resign
from tracechain.verification import Code

Cases = dict[str, dict[str, Any]]
KEYS = Keys()
AUDITOR = NoteSigner("auditor.example/a", KEYS.stranger)
OTHER = NoteSigner("auditor.example/b", KEYS.station)
#: Ids that end a bucket, and as many that do not.
ENDING = [f"e/{n}" for n in range(2000) if ends_bucket(f"e/{n}")][:6]
OPEN = [f"o/{n}" for n in range(30) if not ends_bucket(f"o/{n}")][:20]
#: In the order of their UTF-8 bytes, which is not that of UTF-16.
MIXED = ("00/095212340000000013", "01/09521234001072/21/A", "Z", "a", "ä", "中/1", "\uff5e", "\U00010348")


def _items(ids: list[str]) -> list[Item]:
    return [Item(one, n, sha256(b"%d" % n).digest(), n % 13) for n, one in enumerate(sorted(ids))]


MANY = _items([*ENDING, *OPEN, *(f"{one}-" for one in ENDING), *MIXED])


def _maps() -> Cases:
    some = {
        "empty": ("A map without items.", []),
        "one": ("One item, which does not end a bucket.", OPEN[:1]),
        "one-ending": ("One item, which ends a bucket.", ENDING[:1]),
        "open": ("Several items in one bucket that nothing ends.", OPEN),
        "ended": ("The last item of all ends its bucket.", ["a", ENDING[0]]),
        "two": ("A second bucket begins behind an id that ends one.", ["a", ENDING[0], f"{ENDING[0]}-"]),
        "neighbours": ("Two ids that end buckets, one behind the other.", sorted(ENDING[:2])),
        "order": ("Ids stand in the order of their UTF-8 bytes.", list(MIXED)),
        "many": ("Seven buckets.", [one.id for one in MANY]),
    }
    found = {}
    for name, (about, ids) in some.items():
        items = _items(ids)
        made = map_root(items)
        found[f"map-{name}"] = {
            "about": about,
            "kind": "seal map",
            "items": [[one.id, one.last, one.leaf.hex(), one.state] for one in items],
            "buckets": [[one.last, one.count, one.root.hex()] for one in buckets(items)],
            "ids": made.ids,
            "map_root": made.root.hex(),
        }
    return found


def _prover(items: list[Item]) -> Prover:
    made = SealMap()
    made.update({one.id: item_hash(one) for one in items})
    by_id = {one.id: one for one in items}
    return made.prover(by_id.__getitem__)


BY = _prover(MANY)
ROOT = BY.root.root


def _proof(
    about: str, proof: Presence | Absence | bytes, refused: str | None = None, root: bytes = ROOT
) -> dict[str, Any]:
    absence = isinstance(proof, Absence)
    return {
        "about": about,
        "kind": "seal absence" if absence else "seal presence",
        "verdict": "stands" if refused is None else "refused",
        **({} if refused is None else {"refused": refused}),
        "map_root": root.hex(),
        "proof": (proof if isinstance(proof, bytes) else proof.encode()).hex(),
    }


def _presences() -> Cases:
    first, last, middle = BY.presence(MANY[0].id), BY.presence(MANY[-1].id), BY.presence(OPEN[7])
    ending = BY.presence(ENDING[1])
    lone = _items(OPEN[:1])
    # A sealer who cuts elsewhere: a bucket that goes on behind an id that ends one, and one that ends too soon.
    three = _items(["a", ENDING[0], f"{ENDING[0]}-"])
    hashes, ids = [item_hash(one) for one in three], [one.id for one in three]
    by_id = {one.id: one for one in three}
    whole = Prover([Bucket(ids[2], 3, _root(hashes))], lambda _: (ids, hashes), by_id.__getitem__)
    early = Prover(
        [Bucket(ids[0], 1, hashes[0]), Bucket(ids[2], 2, _root(hashes[1:]))],
        lambda n: (ids[:1], hashes[:1]) if n == 0 else (ids[1:], hashes[1:]),
        by_id.__getitem__,
    )
    plain = middle.plain()
    return {
        "presence-first": _proof("The first item of all.", first),
        "presence-last": _proof("The last item of all, which ends no bucket.", last),
        "presence-middle": _proof("An item within a bucket.", middle),
        "presence-ending": _proof("An item that ends its bucket.", ending),
        "presence-lone": _proof("The only item.", _prover(lone).presence(OPEN[0]), None, map_root(lone).root),
        "presence-refused-state": _proof(
            "Another state.", evolve(middle, item=middle.item._replace(state=12)), "proof"
        ),
        "presence-refused-last": _proof("Another entry.", evolve(middle, item=middle.item._replace(last=99)), "proof"),
        "presence-refused-place": _proof("Another place.", evolve(middle, place=middle.place + 1), "proof"),
        "presence-refused-items": _proof("Another number of items.", evolve(middle, items=middle.items + 1), "proof"),
        "presence-refused-items-none": _proof("A bucket of no items.", evolve(middle, items=0), "proof"),
        "presence-refused-items-many": _proof(
            "More items than can be counted.", evolve(middle, items=1 << 32), "proof"
        ),
        "presence-refused-bucket": _proof("Another bucket.", evolve(middle, bucket=middle.bucket + 1), "proof"),
        "presence-refused-path": _proof("A hash is missing.", evolve(middle, path=middle.path[1:]), "proof"),
        "presence-refused-path-long": _proof(
            "A hash too many.", evolve(middle, path=(*middle.path, bytes(32))), "proof"
        ),
        "presence-refused-root": _proof("By another seal.", middle, "proof", bytes(32)),
        "presence-refused-goes-on": _proof(
            "A bucket goes on behind an id that ends one.", whole.presence(ENDING[0]), "proof", whole.root.root
        ),
        "presence-refused-ends-early": _proof(
            "A bucket that is not the last one ends with an id that ends none.",
            early.presence("a"),
            "proof",
            early.root.root,
        ),
        "presence-refused-nine": _proof("Nine items.", pack(plain[:9]), "form"),
        "presence-refused-eleven": _proof("Eleven items.", pack((*plain, None)), "form"),
        "presence-refused-negative": _proof("A negative place.", pack((*plain[:4], -1, *plain[5:])), "form"),
        "presence-refused-leaf": _proof("A leaf of 31 bytes.", pack((*plain[:2], bytes(31), *plain[3:])), "form"),
        "presence-refused-ragged": _proof("A path of 33 bytes.", pack((*plain[:6], bytes(33), *plain[7:])), "form"),
        "presence-refused-no-id": _proof("An empty id.", pack(("", *plain[1:])), "form"),
        "presence-refused-long-id": _proof("An id of 481 bytes.", pack(("x" * 481, *plain[1:])), "form"),
        "presence-refused-tail": _proof("A byte behind it.", pack(plain) + b"\0", "form"),
        "presence-refused-long-number": _proof("A number in a longer spelling.", _longer(plain), "form"),
    }


def _longer(plain: tuple[Any, ...]) -> bytes:
    data, short = pack(plain), pack(plain[0]) + pack(plain[1])
    assert len(pack(plain[1])) == 1
    return data.replace(short, pack(plain[0]) + b"\xcc" + pack(plain[1]), 1)


def _root(hashes: list[bytes]) -> bytes:
    level = list(hashes)
    while len(level) > 1:
        pairs = [sha256(b"\1" + level[n] + level[n + 1]).digest() for n in range(0, len(level) - 1, 2)]
        level = [*pairs, *level[2 * len(pairs) :]]
    return level[0]


def _absences() -> Cases:
    before_all, behind_all = BY.absence("!"), BY.absence("\U00010400")
    within, between = BY.absence(f"{OPEN[7]}x"), BY.absence(f"{ENDING[1]}!")
    assert within.before is not None
    assert within.after is not None
    assert between.before is not None
    assert between.before.last, "its neighbours are in two buckets"
    names = [one.id for one in MANY]
    at = names.index(OPEN[7])
    wide = Absence(names[at], BY.presence(names[at - 1]), BY.presence(names[at + 1]))
    empty = Absence("x", None, None)
    return {
        "absence-first": _proof("A code before all others.", before_all),
        "absence-last": _proof("A code behind all others.", behind_all),
        "absence-within": _proof("A code whose neighbours are in one bucket.", within),
        "absence-between": _proof("A code whose neighbours are in two buckets.", between),
        "absence-empty": _proof("Nothing is in an empty map.", empty, None, map_root([]).root),
        "absence-refused-empty": _proof("Without neighbours, in a map that has items.", empty, "proof"),
        "absence-refused-wide": _proof("The code is there, between the two that are shown.", wide, "proof"),
        "absence-refused-itself": _proof("The code is one of its neighbours.", evolve(within, code=OPEN[7]), "proof"),
        "absence-refused-order": _proof("The code is not between them.", evolve(within, code="zzz"), "proof"),
        "absence-refused-swapped": _proof(
            "The neighbours are swapped.", Absence(within.code, within.after, within.before), "proof"
        ),
        "absence-refused-open-end": _proof(
            "Nothing behind it, by one that is not the last.", evolve(within, after=None), "proof"
        ),
        "absence-refused-open-start": _proof(
            "Nothing before it, by one that is not the first.", evolve(within, before=None), "proof"
        ),
        "absence-refused-buckets": _proof(
            "The neighbours' numbers of buckets differ.",
            evolve(
                between,
                after=None if between.after is None else evolve(between.after, buckets=between.after.buckets + 1),
            ),
            "proof",
        ),
        "absence-refused-side": _proof(
            "What a neighbour shows does not stand.",
            evolve(within, before=evolve(within.before, item=within.before.item._replace(state=1000))),
            "proof",
        ),
    }


def _notes() -> Cases:
    said = SealNote(ORIGIN, bytes(range(32)), SealBody(7, sha256(b"tree").digest(), 3, sha256(b"map").digest()))
    one = sign_note(said, AUDITOR)
    both = sign_note(one, OTHER)
    vkeys = [format_vkey(key.verifier) for key in (AUDITOR, OTHER)]
    body = said.seal

    def case(about: str, text: str, auditors: list[str], stand: list[str] | None) -> dict[str, Any]:
        found: dict[str, Any] = {"about": about, "kind": "seal note", "note": text, "auditors": auditors}
        if stand is None:
            return {**found, "verdict": "refused"}
        says = {
            "origin": said.origin, "ledger_id": said.ledger_id.hex(), "size": body.size,
            "tree_root": body.tree_root.hex(), "ids": body.ids, "map_root": body.map_root.hex(),
        }  # fmt: skip
        return {**found, "verdict": "stands", "says": says, "signed_by": stand}

    return {
        "note-one": case("An auditor signed.", one, vkeys, [AUDITOR.name]),
        "note-both": case("Two auditors signed.", both, vkeys, [AUDITOR.name, OTHER.name]),
        "note-unknown": case("Signed by an auditor whose key nobody knows: it says what it says.", one, vkeys[1:], []),
        "note-refused-signature": case(
            "An auditor's signature is over another number of ids.", one.replace("\n3\n", "\n4\n"), vkeys, None
        ),
        "note-refused-zero": case("A number with a zero before it.", one.replace("\n3\n", "\n03\n"), [], None),
        "note-refused-size": case("A seal of no entries.", one.replace("\n7\n", "\n0\n"), [], None),
        "note-refused-line": case("A line more.", one.replace("\n3\n", "\n3\n3\n"), [], None),
        "note-refused-version": case("Another version.", one.replace("seal v0", "seal v1"), [], None),
        "note-refused-origin": case("An origin with a space.", one.replace(ORIGIN, "a b"), [], None),
    }


#: name -> (about, code, what the operator lets the last seal say)
WRONG: dict[str, tuple[str, Code, dict[str, Any]]] = {
    "map-root": ("A seal's map root is not that of the log.", Code.SEAL_ROOT, {"map_root": bytes(32)}),
    "ids": ("A seal counts an id too many.", Code.SEAL_ROOT, {"ids": 10}),
    "tree-root": ("A seal's tree root is not that of its size.", Code.SEAL_RECORD, {"tree_root": bytes(32)}),
    "size": ("A seal's size cuts a statement from its entries.", Code.SEAL_RECORD, {"size": 4}),
    "size-ahead": ("A seal is of more entries than were before its statement.", Code.SEAL_RECORD, {"size": 10}),
}


def _ledgers() -> Cases:
    found: Cases = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sealed"
        with new_ledger(path, keys=KEYS) as ledger:
            ledger.append([commission(pack_ids(5)), observe(pack_ids(1))])
            ledger.seals.make()
            ledger.append([observe(pack_ids(2, start=5))])
            last = ledger.seals.make().sealed.index
        found["ledger"] = ledger_case("A ledger with two seals, both right.", read(path), None)
        for name, (about, code, changes) in WRONG.items():
            copy = duplicate(path, Path(folder) / name)
            with edit(copy) as log:
                body = SealBody.from_record(decode_record(log.content(last)))
                log.set_content(last, encode_record(evolve(body, **changes).record()))
                log.commit(last)
                log.restate(last - 1, KEYS.author)
            resign(copy, KEYS.log)
            found[f"ledger-refused-{name}"] = ledger_case(about, read(copy), code)
    return found


def cases() -> Cases:
    """All cases of this group."""
    return {**_maps(), **_presences(), **_absences(), **_notes(), **_ledgers()}
