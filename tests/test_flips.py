"""A byte turned over anywhere in a ledger of more than 1,000 events is found.

Every byte, one bit each: of headers, contents and rows with their salts, statements, key records, evidence, and of the
checkpoint. The torture test turns over all eight bits of each.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from flips import PARTS, ROUNDS, VERIFIER, DirtySnapshot, flip_all, make_ledger
from tracechain.checkpoint import open_checkpoint
from tracechain.entry import EntryType, parse_header
from tracechain.ledger import verify_ledger
from tracechain.store.tables import META, key_of
from tracechain.testing.tamper import database, flip, read
from tracechain.verification import Code
from tracechain.verification.findings import Findings
from tracechain.verification.log import check_checkpoint

SHARDS = 16
SAMPLE = 60


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("flips") / "ledger"
    make_ledger(path)
    return path


def test_the_ledger_is_large_and_has_all_kinds_of_entries(large: Path) -> None:
    log = read(large)
    kinds = [parse_header(header or b"").type for header in log.headers]
    assert kinds.count(EntryType.EVENT) > 8 * ROUNDS > 900
    assert set(kinds) == set(EntryType) - {EntryType.EPOCH}
    assert verify_ledger(large, verifier=VERIFIER).codes == (Code.EQUIVOCATION,)  # that is kept in it on purpose


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_byte_of_every_entry(large: Path, shard: int) -> None:
    tally = flip_all(large, shard=shard, shards=SHARDS)
    assert tally.missed == []
    assert tally.events > 900 // SHARDS
    assert tally.flips > 250 * tally.events


def test_every_bit_of_the_checkpoint(large: Path) -> None:
    with database(large) as (env, txn):
        view = DirtySnapshot(env, txn)
        note = txn.get(b"checkpoint", None, env.tables[META])
        signed = open_checkpoint(view.checkpoint, VERIFIER)
        expected = (VERIFIER, signed.origin, signed.size, signed.root)
        for offset in range(len(note)):
            for bit in range(8):
                txn.put(b"checkpoint", flip(note, offset, bit), db=env.tables[META])
                findings = Findings()
                check_checkpoint(findings, view.checkpoint, *expected)
                assert findings.items, f"byte {offset} bit {bit}"
        txn.put(b"checkpoint", note, db=env.tables[META])
        findings = Findings()
        check_checkpoint(findings, view.checkpoint, *expected)
        assert not findings.items
        txn.abort()


@pytest.mark.parametrize("seed", range(3))
def test_some_of_them_committed_to_the_disk_and_found_by_the_whole_verification(large: Path, seed: int) -> None:
    # What the tests above argue from one entry to the whole log, once more without the argument.
    draw = random.Random(seed)
    size = len(read(large))
    for _ in range(SAMPLE // 3):
        table = draw.choice(list(PARTS))
        with database(large) as (env, txn):
            part = None
            while part is None:
                index = draw.randrange(size)
                part = txn.get(key_of(index), None, env.tables[table])
            offset, bit = draw.randrange(len(part)), draw.randrange(8)
            txn.put(key_of(index), flip(part, offset, bit), db=env.tables[table])
        try:
            report = verify_ledger(large, verifier=VERIFIER)
            assert set(report.codes) - {Code.EQUIVOCATION}, f"{PARTS[table]} of entry {index}, byte {offset} bit {bit}"
            assert any(f.index is not None and f.index <= index for f in report.findings) or table == "headers"
        finally:
            with database(large) as (env, txn):
                txn.put(key_of(index), part, db=env.tables[table])
    assert verify_ledger(large, verifier=VERIFIER).codes == (Code.EQUIVOCATION,)
