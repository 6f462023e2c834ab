"""Turning over single bytes of a large ledger, cheaply: what test_flips and the torture test share.

Verification is one pass over the entries, in order, that carries a state from each entry to the next. So one
honest pass is made, and at each entry every byte of it is altered in the database, one at a time; the state is copied
and the pass takes just this entry and its neighbours in the batch, as it would have come to them. What it then finds,
it finds in the whole log, too.
Only a header that is sound in itself needs more: its leaf is held against the signed checkpoint by an inclusion proof,
which is what the tree's root over all headers comes to.
"""

from __future__ import annotations

import copy
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attrs import define

from tracechain import merkle
from tracechain.checkpoint import VerifierKey, open_checkpoint
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import ProofError
from tracechain.record import Genesis
from tracechain.store import Snapshot
from tracechain.store.tables import CONTENTS, HEADERS, META, ROWS, key_of
from tracechain.store.tip import Tip
from tracechain.testing import ORIGIN, Keys
from tracechain.testing.scanner import sample_ledger
from tracechain.testing.tamper import database, flip
from tracechain.verification.findings import Findings
from tracechain.verification.lost import Lost
from tracechain.verification.range import RangeCheck
from tracechain.view import ViewNodes

VERIFIER = VerifierKey(ORIGIN, 1, Keys().log.public_key)
ROUNDS = 120
MOST_RUN = 5
PARTS = {HEADERS: "header", CONTENTS: "content", ROWS: "rows"}

#: Which bits of a byte are turned over: called with entry index and offset.
Bits = Callable[[int, int], tuple[int, ...]]


def one_bit(index: int, offset: int) -> tuple[int, ...]:
    return ((index + offset) % 8,)


def all_bits(index: int, offset: int) -> tuple[int, ...]:
    return tuple(range(8))


def make_ledger(path: Path) -> None:
    """Over 1,000 events of two stations and the ledger itself, with every type of entry but an epoch."""
    sample_ledger(path, packs=20, rounds=ROUNDS, contradiction=True)


class DirtySnapshot(Snapshot):
    """A snapshot of a write transaction: shows what was altered and will never be committed."""

    def __init__(self, env: Any, txn: Any) -> None:
        self._env = env
        self._txn = txn
        self._tables = env.tables
        self._opened = 0.0
        self._index = None
        tip = self._get(META, b"tip")
        assert tip is not None
        self.tip = Tip.decode(tip)


@define
class Tally:
    """What was turned over, and what of it nobody noticed."""

    flips: int
    events: int
    missed: list[str]


def fork(check: RangeCheck, findings: Findings) -> RangeCheck:
    """A copy of a pass as far as it has come: what it keeps is copied, what it reads from is shared."""
    twin: RangeCheck = copied(check)
    twin.findings = findings
    twin.result = copied(check.result)
    twin._covering = None if check._covering is None else copied(check._covering)
    return twin


def pass_over(begun: RangeCheck, start: int, stop: int) -> bool:
    """Whether a pass that has come to `start` finds anything in the entries up to `stop`."""
    findings = Findings()
    fork(begun, findings)._chunk(start, stop)
    return bool(findings.items)


def copied(thing: Any) -> Any:
    """A copy of an object and of the containers it holds."""
    twin = copy.copy(thing)
    names = [a.name for a in thing.__attrs_attrs__] if hasattr(thing, "__attrs_attrs__") else list(vars(thing))
    for name in names:
        value = getattr(thing, name)
        if type(value) in (list, dict, set):
            setattr(twin, name, value.copy())
        elif type(value) in (array, Lost):
            setattr(twin, name, copy.deepcopy(value))
    return twin


def flip_all(path: Path, *, shard: int = 0, shards: int = 1, bits: Bits = one_bit) -> Tally:
    """Turn over every byte of the entries of one shard (those with index % shards == shard)."""
    tally = Tally(0, 0, [])
    with database(path) as (env, txn):
        view = DirtySnapshot(env, txn)
        signed = open_checkpoint(view.checkpoint, VERIFIER)
        assert signed.size == view.size
        genesis = Genesis.decode((view.content(0) or b"")[SALT_SIZE:])
        ledger_id = ViewNodes(view).leaf(0)
        honest = RangeCheck(
            view, 0, view.size, last={}, keys={}, findings=Findings(), genesis=genesis, ledger_id=ledger_id
        )
        run, begun = 0, fork(honest, Findings())
        for index in range(view.size):
            covering = honest._covering
            if covering is None or covering.heads is None or index - run >= MOST_RUN:
                run, begun = index, fork(honest, Findings())
            if index % shards == shard:
                # Events of one batch are checked as a run: so the altered one stands among those around it.
                stop = index + 1 if covering is None or covering.left < 2 else index + 2
                header = view.header(index)
                assert header is not None
                tally.events += header[4] == EntryType.EVENT
                proof = merkle.prove_inclusion(ViewNodes(view), index, view.size)
                assert not pass_over(begun, run, stop), "the pass finds something where nothing was altered"
                assert not _outside(view, index, header, proof, signed)
                for what, altered in _altered(view, txn, env, index, bits):
                    tally.flips += 1
                    if not pass_over(begun, run, stop) and not _outside(view, index, altered, proof, signed):
                        tally.missed.append(f"entry {index}, {what}")
            honest._chunk(index, index + 1)
        assert not honest.findings.items
        txn.abort()
    return tally


def _altered(view: Snapshot, txn: Any, env: Any, index: int, bits: Bits) -> Iterator[tuple[str, bytes | None]]:
    """Alter each byte of an entry in turn; yields what was altered, with the header where it was that."""
    key = key_of(index)
    for table, name in PARTS.items():
        part = txn.get(key, None, env.tables[table])
        for offset in range(len(part or b"")):
            for bit in bits(index, offset):
                value = flip(part, offset, bit)
                txn.put(key, value, db=env.tables[table])
                yield f"{name} byte {offset} bit {bit}", value if table == HEADERS else None
        if part is not None:
            txn.put(key, part, db=env.tables[table])


def _outside(view: Snapshot, index: int, header: bytes | None, proof: list[bytes], signed: Any) -> bool:
    """Whether an altered header is not the one under the signed checkpoint."""
    if header is None:
        return False
    assert view.header(index) == header
    try:
        merkle.check_inclusion(merkle.leaf_hash(header), index, signed.size, proof, signed.root)
    except ProofError:
        return True
    return False
