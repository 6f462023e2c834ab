"""Vectors of whole ledgers: one that stands, and what became of it in an attacker's hands (docs/format.md, all of it).

Kind "ledger": vkey (the verifier key line), checkpoint (the signed note), entries (header, content, rows; a part begins
with its salt; rows are null where there are none). What does not stand has "finding", a code of
tracechain.verification that has to be among what verification finds; other implementations have their own words.

The attacker's powers: the disk alone; the log key as well; or all of the operator's, so that every hash and every
signature of the ledger fits again, and only what authors signed and what the chains say is left to find it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from tracechain import record
from tracechain.checkpoint import NoteSigner, format_vkey, parse_checkpoint, parse_note, sign_checkpoint
from tracechain.ledger import Ledger
from tracechain.record import Record, encode_record
from tracechain.testing import ORIGIN, START, Clock, Keys, Random, new_ledger, open_ledger
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids
from tracechain.testing.scanner import Scanner
from tracechain.testing.tamper import Log, edit, put_back, read, reseal, resign
from tracechain.verification import Code

if TYPE_CHECKING:
    from collections.abc import Callable

Cases = dict[str, dict[str, Any]]
KEYS = Keys()
VKEY = format_vkey(NoteSigner(ORIGIN, KEYS.log).verifier)
# Where things stand in the ledger that `_make` makes.
PACKED, SEEN = 4, 7
LAST = 13


def _make(path: Path) -> None:
    """Fourteen entries: genesis, two keys, two authors' statements over four events and a record, a revocation."""
    clock = Clock()
    ids = pack_ids(2)
    with new_ledger(path, keys=KEYS, clock=clock) as ledger:
        ledger.append([commission(ids), pack(case_id(1), ids, at=START + 1000)], record_class=1)
        clock.advance(60_000)
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "gate 1", ("event", "note")))
        ledger.submit(Scanner(KEYS.station, ledger.ledger_id).make([observe(ids[:1], at=START + 50_000)]))
        ledger.append([destroy(ids[1:]), Record("note", ("seal broken",), case_id(1))])
        ledger.revoke(record.revoke(ledger.ledger_id, KEYS.station.public_key.hash, KEYS.root, "scanner lost"))
        ledger.append([observe(ids[1:])])


def _lose(path: Path, seed: int) -> Log:
    """Of a ledger of four entries only the first two are left; it goes on as epoch 1, over a salt of the seed's."""
    backup = path.with_name(f"{path.name}-backup")
    with new_ledger(path, keys=KEYS) as ledger:
        ledger.backup(backup)
        ledger.append([observe(pack_ids(1))])
    put_back(path, backup)
    Ledger.restore(
        path, signer=KEYS.log, author=KEYS.author, reason="disk failed", clock=Clock(), random=Random(seed)
    ).close()
    return read(path)


def _settled(path: Path, seed: int, lost: Log) -> Log:
    """What a loss became under a settlement that the root signed for the loss in `lost`."""
    begun = len(_lose(path, seed)) - 1
    about = (1, lost.leaf(begun), "seen again")
    with open_ledger(path, random=Random(seed + 1)) as ledger:
        ledger.append([Record("note", ("in its place",))])
    with edit(path) as log:
        log.set_content(len(log) - 1, encode_record(record.settle(log.leaf(0), KEYS.root, "epoch", about)))
        log.commit(len(log) - 1)
        log.restate(len(log) - 2, KEYS.author)
    resign(path, KEYS.log)
    return read(path)


def ledger_case(about: str, log: Log, code: Code | None, **more: Any) -> dict[str, Any]:
    """A case of a whole log, which stands or has the finding `code`; `more` is said of it beside that."""

    def hexed(part: bytes | None) -> str | None:
        return None if part is None else part.hex()

    return {
        "about": about,
        "kind": "ledger",
        "verdict": "stands" if code is None else "refused",
        **({} if code is None else {"finding": str(code)}),
        "vkey": VKEY,
        **more,
        "checkpoint": log.note,
        "entries": [
            {"header": hexed(header), "content": hexed(content), "rows": hexed(rows)}
            for header, content, rows in zip(log.headers, log.contents, log.rows, strict=True)
        ],
    }


def _flip(parts: list[bytes | None], index: int, offset: int) -> None:
    part = bytearray(parts[index] or b"")
    part[offset] ^= 1
    parts[index] = bytes(part)


def _second_first(log: Log) -> None:
    log.set_row(SEEN, 0, previous=None)


def _other_serial(log: Log) -> None:
    content = log.content(SEEN).replace(b"BJ000001", b"BJ000003")
    log.set_content(SEEN, content)
    row = log.row_list(SEEN)[1][0]
    log.set_rows(SEEN, [evolve(row, subject=row.subject.replace("BJ000001", "BJ000003"), previous=None)])


def _hide_violation(log: Log) -> None:
    log.set_row(len(log) - 1, 0, violations=())


def _drop_last(log: Log) -> None:
    for parts in (log.headers, log.contents, log.rows):
        del parts[-2:]


#: name -> (about, code, the attacker's power, what he does)
TAMPERINGS: dict[str, tuple[str, Code, int, Callable[[Log], None]]] = {
    "content-altered": (
        "A bit of a content differs.",
        Code.CONTENT_COMMITMENT,
        0,
        lambda log: _flip(log.contents, PACKED, -1),
    ),
    "header-altered": (
        "A bit of a receipt time differs: the tree is another.",
        Code.TREE_ROOT,
        0,
        lambda log: _flip(log.headers, LAST, 15),
    ),
    "tail-dropped": (
        "The last statement and its event are gone; the checkpoint says how many there were.",
        Code.CHECKPOINT_SIZE,
        0,
        _drop_last,
    ),
    "event-replaced": (
        "The operator lets a station have seen another pack, and fits all hashes.",
        Code.STATEMENT_ROOT,
        2,
        _other_serial,
    ),
    "second-claims-first": (
        "The operator lets a pack's second entry claim to be its first, and fits all hashes.",
        Code.ROW_FIRST,
        2,
        _second_first,
    ),
    "violation-hidden": (
        "The operator hides that a destroyed pack was seen again, and fits all hashes.",
        Code.ROW_VIOLATIONS,
        2,
        _hide_violation,
    ),
}


def _by_stranger(whole: Log) -> Log:
    """The same entries under a checkpoint that a stranger signed."""
    head = parse_checkpoint(parse_note(whole.note).text)
    return evolve(whole, note=sign_checkpoint(head, [NoteSigner(ORIGIN, KEYS.stranger)]))


def cases() -> Cases:
    """All cases of this group."""
    found: Cases = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole"
        _make(path)
        whole = read(path)
        assert len(whole) == LAST + 1
        found["whole"] = ledger_case("A small ledger that stands.", whole, None)
        for name, (about, code, power, act) in TAMPERINGS.items():
            if power == 0:
                log = read(path)
                act(log)
            else:
                copy = Path(folder) / name
                _make(copy)
                with edit(copy) as opened:
                    act(opened)
                reseal(copy)
                resign(copy, KEYS.log)
                log = read(copy)
            found[name] = ledger_case(about, log, code)
        lost = _lose(Path(folder) / "lost", 20)
        found["epoch-lost"] = ledger_case("A backup went on; the loss is not settled.", lost, Code.EPOCH_LOST)
        same, other = (_settled(Path(folder) / f"settled-{seed}", seed, lost) for seed in (20, 30))
        found["epoch-settled"] = ledger_case("A backup went on, and the root settled the loss.", same, None)
        found["settlement-replayed"] = ledger_case(
            "The root settled another loss of the same number, which was itself lost.", other, Code.SETTLEMENT
        )
    found["signed-by-stranger"] = ledger_case(
        "The checkpoint is signed by another key of the same name.", _by_stranger(whole), Code.CHECKPOINT_SIGNATURE
    )
    return found
