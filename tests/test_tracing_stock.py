"""Stock is what a count of all packs, one by one, comes to; and lots are those that brought them into being."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

import pytest

from pilot_world import EYE_DROPS, LOT_NUMBER, NMPA_PRODUCT, SHELF, STORE, ZONE, World
from test_tracing_agrees import record
from tracechain.custody import CUSTODY_MASK, Custody
from tracechain.errors import InputError
from tracechain.event import ObjectEvent
from tracechain.event.sale import LOT, label
from tracechain.replay import replay
from tracechain.rules.guards import class_of
from tracechain.tracing import STOCK_KEYS, StockRow, stock
from tracechain.tracing.stock import IN_HAND
from tracechain.view import View
from tracing_histories import Player, random_history
from tracing_model import Model


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def rows(view: View, place: str | None = None, as_of: int | None = None, **more: object) -> list[StockRow]:
    return stock(view, place, as_of, **more)  # type: ignore[arg-type]  # passed on


# ---- by hand -------------------------------------------------------------------------------------


def test_what_is_sold_exported_or_destroyed_is_no_stock(world: World) -> None:
    for pack, custody in zip(world.packs[:9], (c for c in Custody if c not in (Custody.NONE, Custody.REWORK)),
                             strict=False):  # fmt: skip
        world.bring(pack, custody)
    world.bring(world.packs[9], Custody.REWORK)
    with world.ledger.snapshot() as view:
        assert rows(view) == [StockRow(6, EYE_DROPS), StockRow(1, NMPA_PRODUCT)]
        assert rows(view, by=("custody",)) == [
            StockRow(1, custody=name)
            for name in ("active", "bonded", "cleared", "reserved", "rework", "store", "transit")
        ]
        everything = rows(view, by=("custody",), all=True)
        assert {row.custody for row in everything} >= {"sold", "dead", "delivered"}
        assert sum(row.units for row in everything) == 10


def test_a_lot_is_one_of_a_product(world: World) -> None:
    first, second, third, fourth, other = *world.packs[:4], world.packs[9]
    world.keep(world.commission(first, second), world.commission(third, lot="B"), world.commission(fourth, lot=None))
    world.keep(world.commission(other))
    with world.ledger.snapshot() as view:
        assert rows(view, by=("lot",)) == [
            StockRow(1, EYE_DROPS, "B"), StockRow(2, EYE_DROPS, LOT_NUMBER), StockRow(1, EYE_DROPS, None),
            StockRow(1, NMPA_PRODUCT, LOT_NUMBER),
        ]  # fmt: skip


def test_places_have_parts(world: World) -> None:
    bonded, stored = world.packs[:2]
    world.bring(bonded, Custody.BONDED)
    world.bring(stored, Custody.STORE)
    with world.ledger.snapshot() as view:
        assert rows(view, by=("place",)) == [StockRow(1, place=ZONE), StockRow(1, place=SHELF)]
        assert rows(view, ZONE) == [StockRow(2, EYE_DROPS)]
        assert rows(view, SHELF) == [StockRow(1, EYE_DROPS)]
        assert rows(view, STORE) == []


def test_stock_of_an_hour_ago(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    with world.ledger.snapshot() as view:
        bonded_at = world.now
    world.clock.advance(3_600_000)
    world.keep(world.export(pack))
    with world.ledger.snapshot() as view:
        assert rows(view) == []
        assert rows(view, as_of=bonded_at) == [StockRow(1, EYE_DROPS)]
        assert rows(view, as_of=bonded_at - 10**15) == []


def test_merchants_are_asked_for_by_product(world: World) -> None:
    world.keep(world.commission(world.packs[0], world.packs[9]))
    with world.ledger.snapshot() as view:
        told = rows(view, by=("merchant",), merchants={EYE_DROPS: "m"}.get)
        assert told == [StockRow(1, merchant="m"), StockRow(1)]


@pytest.mark.parametrize("by", [("shelf",), ("product", "gtin"), ("merchant",)])
def test_what_stock_is_not_counted_by(world: World, by: tuple[str, ...]) -> None:
    with world.ledger.snapshot() as view, pytest.raises(InputError, match=by[-1]):
        rows(view, by=by)


def test_what_was_commissioned_by_mistake_has_the_lot_it_got_then(world: World) -> None:
    """A declared error does not state the lot of its packs, the commissioning that stands does."""
    pack, other = world.packs[:2]
    wrong = world.commission(pack, other, lot="WRONG")
    assert isinstance(wrong, ObjectEvent)
    world.keep(wrong)
    world.ledger.append([world.undo(wrong), world.commission(pack, lot="RIGHT")])
    with world.ledger.snapshot() as view:
        lots = {row.lot: row.units for row in rows(view, by=("lot",), all=True)}
    assert lots.get("RIGHT") == 1
    assert "WRONG" not in lots


# ---- as a slow count says ------------------------------------------------------------------------


def slow(model: Model, place: str | None, as_of: int | None, *, everything: bool) -> Counter[tuple[object, ...]]:
    """(product, lot, custody, place) of each pack that is counted, one by one."""
    found: Counter[tuple[object, ...]] = Counter()
    for pack in model.packs:
        where = model.whereabouts(pack, as_of)
        state = model.known[pack][1] if as_of is None else where.state
        if state is None or (not everything and Custody(state & CUSTODY_MASK) not in IN_HAND):
            continue
        if place is None or where.place == place or (where.place or "").startswith(f"{place}/254/"):
            name = Custody(state & CUSTODY_MASK).name.lower()
            found[class_of(pack), slow_lot(model, pack), name, where.place] += 1
    return found


def slow_lot(model: Model, pack: str) -> str | None:
    known: set[str] = set()
    at: str | None = pack
    while at is not None and at not in known:
        known.add(at)
        made = next(
            (
                entry.event
                for entry in model.facts(at)
                if (isinstance(entry.event, ObjectEvent) and entry.event.action == "ADD")
                or at in getattr(entry.event, "output_epcs", ())
            ),
            None,
        )
        if made is None:
            return None
        lot = label(made, LOT)
        if lot is not None or isinstance(made, ObjectEvent):
            return lot
        at = made.epcs[0] if made.epcs else None
    return None


@pytest.mark.parametrize("seed", range(12))
def test_stock_is_what_a_slow_count_comes_to(tmp_path: Path, seed: int) -> None:
    pilot = seed % 2 == 0
    world = World(tmp_path) if pilot else World(tmp_path, ())
    player = Player(world if pilot else None)
    with contextlib.closing(world):
        for commit in random_history(seed, pilot=pilot).commits:
            record(world, player, commit)
        with world.ledger.snapshot() as view:
            model, memory = Model(view), replay(view)
            assert memory.size == view.size
            times = model.times()
            moments = [None, *times[:: max(1, len(times) // 3)]]
            for as_of in moments:
                for place in (None, ZONE, STORE):
                    for everything in (False, True):
                        told = stock(view, place, as_of, by=[k for k in STOCK_KEYS if k != "merchant"], all=everything)
                        counted = Counter({(r.product, r.lot, r.custody, r.place): r.units for r in told})
                        assert counted == slow(model, place, as_of, everything=everything)
                        by_lot = stock(view, place, as_of, by=("lot",), all=everything)
                        assert sum(row.units for row in by_lot) == counted.total()
