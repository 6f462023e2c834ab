"""Ingest, replay and a rebuilt index agree where they each have a way of their own to what the rules look at."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pilot_world import REGISTERED, World, living, profile
from tracechain.custody import Custody, Violation
from tracechain.errors import RefusedError
from tracechain.replay import replay
from tracechain.rules.guards import LOT_SHIFT


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def test_a_new_code_has_the_lot_of_the_first_old_one(world: World) -> None:
    """Also where that had none: the second's is not taken instead, neither at ingest nor when the index is rebuilt."""
    without, with_lot, new = world.packs[:3]
    world.keep(world.commission(without, lot=None))
    world.keep(world.commission(with_lot))
    world.keep(world.ship(without, with_lot), world.bond_in(without, with_lot))
    world.keep(world.relabel([without, with_lot], [new], lot=None))
    for _ in range(2):
        with world.ledger.snapshot() as view:
            assert view.memory(new) == 0
            assert view.memory(with_lot) >> LOT_SHIFT
            assert replay(view).memory(new) == 0
        world.ledger.reindex()


def test_a_profile_holds_for_what_comes_after_it_under_the_same_statement(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.RESERVED, po="7")
    world.keep(world.pay(pack, po="7"))
    stricter = world.record(profile(order_limit=Decimal(100)))
    with pytest.raises(RefusedError, match="LIMIT"):
        world.ledger.append([stricter, world.clear(pack, po="7")], strict=True)
    receipt = world.ledger.append([stricter, world.clear(pack, po="7")])
    assert [v.code for v in receipt.violations] == [Violation.LIMIT]


def test_what_was_stated_before_the_first_profile_is_undone_after_it(tmp_path: Path) -> None:
    """The state that it restores is one of the plain rules."""
    world = World(tmp_path, registered=())
    made, seen = world.packs[:2]
    commissioned, shipped = world.commission(made, seen), world.ship(seen)
    world.ledger.append([commissioned, shipped])
    world.register(*REGISTERED)
    receipt = world.ledger.append([world.undo(shipped), world.undo(commissioned)])
    # Of the pack that was shipped after it was commissioned, only the shipping is its latest event; it had changed
    # nothing by the plain rules.
    assert [(v.subject, v.code) for v in receipt.violations] == [(seen, Violation.UNDO_MISMATCH)]
    assert world.custody(made) == Custody.NONE
    assert world.custody(seen) == Custody.ACTIVE
    world.agrees()
    world.close()
