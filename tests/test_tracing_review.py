"""What tracing keeps and says where somebody tries to break it: odd subjects and times, damage, depth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilot_world import compare
from tracechain.ledger import Ledger
from tracechain.record import authorise, key_subject, revoke
from tracechain.replay import MemoryView, replay
from tracechain.store.tables import EMPTIED, TIMES
from tracechain.testing import Keys, new_ledger
from tracechain.testing.samples import pack_ids
from tracing_histories import at, into

PACK, SECOND, THIRD, NEW = pack_ids(4)
CASE, PALLET, PLANT, SHOP = "urn:example:case", "urn:example:pallet", "urn:example:plant", "urn:example:shop"


# ---- what ingest keeps, reindex makes and a replay comes to -------------------------------------------


def kept(ledger: Ledger) -> dict[str, Any]:
    """What the index keeps for tracing."""
    with ledger._store.read() as txn:
        found: dict[str, Any] = {name: dict(txn.txn.cursor(txn.env.tables[name])) for name in (EMPTIED, TIMES)}
    with ledger.snapshot() as view:
        units = [subject for subject, _ in view.units()]
        found["words"] = dict(zip(units, view.words(units), strict=True))
        found["mentions"] = {name: [at for run in view.mentions(name) for at in run] for name in view.names("")}
    return found


def same_however_made(ledger: Ledger) -> None:
    """Ingest, reindex and replay come to the same."""
    live = kept(ledger)
    with ledger.snapshot() as view:
        compare(view, replay(view))
        copy = MemoryView.of(view)
        bare = MemoryView(copy.raw_headers, copy.raw_contents, copy.raw_rows, copy.checkpoint, copy.size)
        assert bare.words([*live["words"]]) == [*live["words"].values()]
        assert {name: [at for run in bare.mentions(name) for at in run] for name in bare.names("")} == live["mentions"]
    ledger.reindex()
    assert kept(ledger) == live


def test_a_key_between_two_events_about_it_does_not_hide_that_they_are_out_of_order(tmp_path: Path) -> None:
    keys = Keys()
    key = key_subject(keys.station.public_key.hash)
    with new_ledger(tmp_path / "ledger", keys=keys) as ledger:
        ledger.append([at(50, PLANT, key)])
        ledger.authorise(authorise(ledger.ledger_id, keys.station, keys.root, "station", None))
        ledger.revoke(revoke(ledger.ledger_id, keys.station.public_key.hash, keys.root, "gone"))
        ledger.append([at(40, SHOP, key)])
        ledger.append([at(number, SHOP, subject) for number, subject in enumerate([*pack_ids(20), key])])
        same_however_made(ledger)


def test_the_first_time_there_is_counts(tmp_path: Path) -> None:
    first, last = -(1 << 63), (1 << 63) - 1
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([at(first, PLANT, PACK)])
        same_however_made(ledger)
        ledger.append([at(first, PLANT, PACK), at(last, PLANT, PACK), at(first, SHOP, PACK, SECOND)])
        ledger.append([at(first, SHOP, pack) for pack in pack_ids(20)])
        same_however_made(ledger)


def test_odd_subjects_and_names(tmp_path: Path) -> None:
    odd = ["a:1", "a:1/", "a:1//", "a:1/x", "a:1/x/", "a:", "a:é", "a:\U0001f600", "a:\uffff", "a:" + "x" * 478]
    odd += ["a:" + "x" * 477, "a:" + "é" * 239]
    with new_ledger(tmp_path / "ledger") as ledger:
        for time in range(3):
            for number, subject in enumerate(odd):
                ledger.append([
                    at(time, odd[number - 1], *odd[number:]),
                    into(time, subject, *odd[:3], where=subject),
                    *(at(time, subject, one) for one in odd),
                    at(time, odd[number - 3], subject),
                ])  # fmt: skip
        same_however_made(ledger)
