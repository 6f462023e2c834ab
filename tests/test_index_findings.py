"""What an index that was tampered with does not tell a recall, `verify --rules` finds, and reindex mends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raw_database import raw
from tracechain.testing import new_ledger, open_ledger
from tracechain.testing.samples import case_id, commission, observe, pack, pack_ids, ship, unpack
from tracechain.verification import Code, verify_rules

TAMPERINGS: dict[str, tuple[str, Callable[[Any, Callable[[str], Any]], Any]]] = {
    "a lot that nobody mentions": (
        "01/09521234001072/10/LOT-A7 mentioned",
        lambda txn, db: [
            txn.delete(key, db=db("mentions")) for key, _ in list(txn.cursor(db("mentions"))) if b"/10/" in key
        ],
    ),
    "a run that is shorter": (
        "mentioned by other entries",
        lambda txn, db: [
            txn.put(key, (1).to_bytes(4, "big"), db=db("mentions"))
            for key, count in list(txn.cursor(db("mentions")))
            if int.from_bytes(count, "big") > 1
        ],
    ),
    "a name that nobody said": (
        "urn:x:nowhere mentioned",
        lambda txn, db: txn.put(b"urn:x:nowhere" + bytes(8), (1).to_bytes(4, "big"), db=db("mentions")),
    ),
    "packed words gone": (
        "in something else",
        lambda txn, db: [txn.delete(key, db=db("meta")) for key in (b"packed tail", b"packed delta", b"packed")],
    ),
    "emptied gone": ("emptied by another entry", lambda txn, db: txn.drop(db("emptied"), delete=False)),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_an_index_hides_from_a_recall_is_found(tmp_path: Path, name: str) -> None:
    path = tmp_path / "l"
    packs = pack_ids(12)
    with new_ledger(path) as ledger:
        ledger.append(
            [commission(packs[:6]), commission(packs[6:]), pack(case_id(1), packs), pack(case_id(2), (case_id(1),))]
        )
        ledger.append([ship((case_id(2),)), unpack(case_id(2)), observe(packs[:3]), observe(packs[3:])])
        with ledger.snapshot() as view:
            assert verify_rules(view)
    words, tamper = TAMPERINGS[name]
    with raw(path) as (txn, db):
        tamper(txn, db)
    with open_ledger(path) as ledger:
        with ledger.snapshot() as view:
            report = verify_rules(view)
        assert {finding.code for finding in report.findings} == {Code.INDEX}
        assert all(words in finding.detail for finding in report.findings), report.findings
        ledger.reindex()
        with ledger.snapshot() as view:
            assert verify_rules(view)
