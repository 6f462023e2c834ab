"""An operator with every key can let a broken rule vanish, so that `verify` finds nothing; a replay finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilot_world import OTHER_BUYER, World
from tracechain.custody import Custody, Violation, unpack_state
from tracechain.ledger import verify_ledger
from tracechain.ledger.auditing import open_snapshot
from tracechain.testing.tamper import pardon
from tracechain.verification import Code, verify_rules


def test_a_pardon_passes_verify_and_a_replay_finds_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    pack = world.packs[0]
    world.bring(pack, Custody.SOLD)
    broken = world.breaks(world.deliver(pack, buyer=OTHER_BUYER), Violation.WRONG_BUYER).first
    world.keep(world.commission(world.packs[1]))
    verifier = world.ledger.verifier
    world.close()
    assert pardon(world.path, broken, world.keys.log) == (pack,)
    report = verify_ledger(world.path, verifier=verifier, anchor=tmp_path / "ledger.anchor")
    assert report.findings == ()
    with open_snapshot(world.path) as view:
        unit = view.unit(pack)
        assert unit is not None
        assert unpack_state(unit.state).custody == Custody.DELIVERED
        found = verify_rules(view).findings
    assert {(one.code, one.index, one.subject) for one in found} == {
        (Code.ROW_VIOLATIONS, broken, pack),
        (Code.ROW_STATE, broken, pack),
    }


def test_what_verify_judges_by_itself_cannot_be_pardoned(tmp_path: Path) -> None:
    world = World(tmp_path)
    pack = world.packs[0]
    world.bring(pack, Custody.DELIVERED)
    broken = world.breaks(world.sell(pack), Violation.SECONDARY_SALE).first
    world.close()
    with pytest.raises(AssertionError, match="SECONDARY_SALE"):
        pardon(world.path, broken, world.keys.log)
    with pytest.raises(AssertionError, match="broke no rule"):
        pardon(world.path, broken - 2, world.keys.log)
