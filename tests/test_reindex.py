"""Damage to what is derived, and reindex, which makes what ingest kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from raw_database import raw
from tracechain.entry import (
    EntryType,
    parse_header,
)
from tracechain.errors import (
    DataError,
    EquivocationError,
    ForkError,
)
from tracechain.ledger import Ledger
from tracechain.record import Record, authorise, revoke
from tracechain.station import Station
from tracechain.store.tables import MENTIONS, META
from tracechain.testing import Clock, Keys, Random, new_ledger, open_ledger
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids, sell, unpack
from tracechain.verification import Code, verify

KEYS = Keys()


def codes(ledger: Ledger) -> list[str]:
    """The codes of what verification finds."""
    with ledger.snapshot() as view:
        return [str(finding.code) for finding in verify(view, verifier=ledger.verifier).findings]


def types(ledger: Ledger) -> list[EntryType]:
    with ledger.snapshot() as view:
        return [parse_header(header).type for _, header in view.headers(0, view.size)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of five entries, closed."""
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([commission(pack_ids(3)), observe(pack_ids(2))])
    return tmp_path / "ledger"


# ---- damage, reindex -----------------------------------------------------------------------------


def rich(path: Path) -> None:
    """A ledger with all that an index is made of: keys, statements in any order, evidence, violations, an epoch."""
    with new_ledger(path) as ledger:
        ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "s", ["event"]))
        ledger.authorise(authorise(ledger.ledger_id, KEYS.other_station, KEYS.root, "t"))
        station = Station.create(path.with_name("s"), KEYS.station, ledger.ledger_id, clock=Clock(), random=Random(3))
        twin_path = path.with_name("twin")
        shutil.copytree(station.path, twin_path)
        twin = Station.open(twin_path, KEYS.station, clock=Clock(), random=Random(4))
        data = [station.make([commission(pack_ids(40, start=40 * n + 1))] * 2) for n in range(3)]
        lie = twin.make([commission(pack_ids(5, start=900))])
        for n in (2, 0, 1):
            ledger.submit(data[n])
        with pytest.raises(EquivocationError):
            ledger.submit(lie)
        for n in range(30):
            packs = pack_ids(60, start=50 * n + 1)
            case = case_id(n)
            ledger.append([commission(packs), destroy(packs[:3]), sell(packs[:5]), Record("note", n, packs[0])])
            ledger.append([pack(case, packs), unpack(case, packs[:2]), unpack(case, ()), pack(case_id(77), packs[:1])])
        ledger.revoke(revoke(ledger.ledger_id, KEYS.other_station.public_key.hash, KEYS.root, "gone"))
        station.close()
        twin.close()


def derived(ledger: Ledger) -> dict[str, Any]:
    """Everything that reindex rebuilds, as a value."""
    with ledger._store.read() as txn:
        env, raw = txn.env, txn.txn
        kept = ("nodes", "statements", "emptied", "times", "row nodes")
        found: dict[str, Any] = {name: dict(raw.cursor(env.tables[name])) for name in kept}
        # A run of entries may begin anew with each commit.
        found["mentions"] = {
            (key[:-8], at)
            for key, count in raw.cursor(env.tables[MENTIONS])
            for at in range(
                int.from_bytes(key[-8:], "big"), int.from_bytes(key[-8:], "big") + int.from_bytes(count, "big")
            )
        }
        meta = dict(raw.cursor(env.tables[META]))
    for kind in (b"", b"packed "):
        for name in (b"index", b"tail", b"delta"):
            meta.pop(kind + name, None)
    meta.pop(b"packed", None)
    with ledger.snapshot() as view:
        units = dict(view.units())
        found["units"] = units
        found["packed"] = dict(zip(units, view.words([*units]), strict=True))
    assert all(found.values())
    return found | {"meta": meta}


DAMAGE: dict[str, Callable[[Any, Callable[[str], Any]], Any]] = {
    "nothing": lambda txn, db: None,
    "nodes changed": lambda txn, db: [txn.put(k, bytes(32), db=db("nodes")) for k, _ in list(txn.cursor(db("nodes")))],
    "nodes gone": lambda txn, db: txn.drop(db("nodes"), delete=False),
    "statements gone": lambda txn, db: txn.drop(db("statements"), delete=False),
    "units gone": lambda txn, db: txn.drop(db("units"), delete=False),
    "emptied gone": lambda txn, db: txn.drop(db("emptied"), delete=False),
    "mentions gone": lambda txn, db: txn.drop(db("mentions"), delete=False),
    "times gone": lambda txn, db: txn.drop(db("times"), delete=False),
    "row nodes gone": lambda txn, db: txn.drop(db("row nodes"), delete=False),
    "packed gone": lambda txn, db: [txn.drop(db("packed"), delete=False), txn.delete(b"packed tail", db=db("meta"))],
    "base gone": lambda txn, db: txn.drop(db("base"), delete=False),
    "tail gone": lambda txn, db: txn.delete(b"tail", db=db("meta")),
    "tail torn": lambda txn, db: txn.put(b"tail", b"xyz", db=db("meta")),
    "delta torn": lambda txn, db: txn.put(b"delta", b"\xff" * 15, db=db("meta")),
    "index torn": lambda txn, db: txn.put(b"index", b"\xff\xff", db=db("meta")),
    "keys gone": lambda txn, db: txn.delete(b"keys", db=db("meta")),
    "keys torn": lambda txn, db: txn.put(b"keys", b"\x01", db=db("meta")),
    "tip gone": lambda txn, db: txn.delete(b"tip", db=db("meta")),
    "tip torn": lambda txn, db: txn.put(b"tip", b"\x93\x00", db=db("meta")),
    "checkpoint gone": lambda txn, db: txn.delete(b"checkpoint", db=db("meta")),
    "checkpoint torn": lambda txn, db: txn.put(b"checkpoint", b"\xff\xfe", db=db("meta")),
    "everything derived gone": lambda txn, db: [
        *(txn.drop(db(name), delete=False) for name in ("nodes", "statements", "units", "base")),
        *(txn.delete(name, db=db("meta")) for name in (b"keys", b"tip", b"index", b"tail", b"delta", b"checkpoint")),
    ],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_reindex_makes_what_ingest_kept(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "l"
    rich(path)
    with open_ledger(path) as ledger:
        before = derived(ledger)
    with raw(path) as (txn, db):
        DAMAGE[damage](txn, db)
    told: list[tuple[int, int]] = []
    with open_ledger(path) as ledger:
        count = ledger.reindex(lambda done, total: told.append((done, total)))
        assert derived(ledger) == before
        assert count == len(before["units"])
        assert told[-1] == (len(types(ledger)),) * 2
        assert codes(ledger) == [Code.EQUIVOCATION]
        ledger.append([commission(pack_ids(3)), commission(pack_ids(2, start=4000))])
        assert codes(ledger) == [Code.EQUIVOCATION]
        assert ledger.reindex() == count + 2


@pytest.mark.parametrize("damage", ["nodes changed", "tip torn", "tip gone", "checkpoint gone", "checkpoint torn"])
def test_nothing_is_signed_on_a_damaged_tip(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "l"
    rich(path)
    with raw(path) as (txn, db):
        DAMAGE[damage](txn, db)
    with open_ledger(path) as ledger, pytest.raises(DataError, match="run `tracechain reindex`"):
        ledger.append([commission(pack_ids(1))])


@pytest.mark.parametrize("table", ["headers", "contents", "rows"])
@pytest.mark.parametrize("how", ["gone", "changed"])
def test_an_index_is_not_made_from_a_log_that_was_altered(tmp_path: Path, table: str, how: str) -> None:
    """Headers are held against the signed root; a content or rows only where they are needed and cannot be read."""
    path = tmp_path / "l"
    rich(path)
    with open_ledger(path) as ledger:
        before = derived(ledger)
    index = (3 if table == "contents" else 5).to_bytes(8, "big")
    with raw(path) as (txn, db):
        if how == "gone":
            txn.delete(index, db=db(table))
        else:
            value = bytearray(txn.get(index, None, db(table)))
            value[40] ^= 0xFF
            txn.put(index, bytes(value), db=db(table))
    try:
        ledger = open_ledger(path)
    except (DataError, ForkError):
        assert table == "headers"
        return
    with ledger:
        with pytest.raises(DataError):
            ledger.reindex()
        assert derived(ledger) == before


def test_a_genesis_that_was_altered_is_told(path: Path) -> None:
    with raw(path) as (txn, db):
        value = txn.get(bytes(8), None, db("contents"))
        value = value.replace(KEYS.root.public_key.raw, KEYS.stranger.public_key.raw)
        txn.put(bytes(8), value, db=db("contents"))
    for options in ({}, {"signer": KEYS.log}):
        with pytest.raises(DataError, match="genesis record was altered"):
            Ledger.open(path, **options)  # type: ignore[arg-type]  # by name


def test_a_unit_that_lost_its_word_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "l"
    rich(path)
    with raw(path) as (txn, db):
        txn.delete(b"tail", db=db(META))
        txn.delete(b"delta", db=db(META))
        txn.drop(db("base"), delete=False)
    with open_ledger(path) as ledger:
        with pytest.raises(DataError, match="tracechain reindex"):
            ledger.append([observe(pack_ids(1))])
        ledger.reindex()
        ledger.append([observe(pack_ids(1))])
        assert codes(ledger) == [Code.EQUIVOCATION]


def test_damage_met_while_sealing_ends_the_commit_whole(path: Path) -> None:
    """The header that a row's chain leads to is gone: no half statement is signed."""
    with raw(path) as (txn, db):
        txn.delete((4).to_bytes(8, "big"), db=db("headers"))
        txn.put((4).to_bytes(8, "big"), b"short", db=db("rows"))
    try:
        ledger = open_ledger(path)
    except DataError:
        return  # its tree cannot be computed without that header
    with ledger, pytest.raises(DataError):
        ledger.append([observe(pack_ids(1))])
