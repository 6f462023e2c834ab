"""audit: seals are worked out from the states that a replay comes to, not from rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from forging import KEYS, forge
from pruned import Lives
from retained import DAY, day, policy
from tracechain.entry import SALT_SIZE
from tracechain.ledger import Ledger
from tracechain.record import decode_record, encode_record
from tracechain.replay import MemoryView
from tracechain.retention.plan import plan
from tracechain.seals import SealBody, seals_of
from tracechain.testing import Clock, new_ledger
from tracechain.testing.samples import commission, destroy, observe, pack_ids
from tracechain.verification import Code
from tracechain.verification.audit import audit
from tracing_histories import random_history


@pytest.fixture
def sealed(tmp_path: Path) -> MemoryView:
    """A log with three seals, one of them of the same entries as the one before and its record."""
    clock, ids = Clock(), pack_ids(30)
    with new_ledger(tmp_path / "ledger", keys=KEYS, clock=clock) as ledger:
        _grow(ledger, ids)
        ledger.seals.make()
        ledger.seals.make()
        ledger.append([observe(ids[5:9]), destroy(ids[0]), commission(pack_ids(300, start=100))])
        ledger.seals.make()
        ledger.append([observe(ids[5:6])])
        with ledger.snapshot() as view:
            return MemoryView.of(view)


def _grow(ledger: Ledger, ids: tuple[str, ...]) -> None:
    ledger.append([commission(ids)])
    ledger.append([observe((one,)) for one in ids[:20]])


def test_every_seal_is_worked_out_again(sealed: MemoryView) -> None:
    told: list[tuple[int, int]] = []
    done = audit(sealed, progress=lambda *at: told.append(at))
    assert done.report, done.report.findings
    assert [one.stands for one in done.seals] == [True] * 3
    assert [one.sealed for one in done.seals] == list(seals_of(sealed))
    assert done.view.size == sealed.size == told[-1][0]
    assert dict(done.view.units()) == dict(sealed.units())


def test_only_seals_of_then_are_told(sealed: MemoryView) -> None:
    first, second, third = reversed(list(seals_of(sealed)))
    for stop, known in ((first.index, []), (first.index + 1, [first]), (third.index, [first, second])):
        done = audit(sealed, stop)
        assert [one.sealed for one in done.seals] == known[::-1]
        assert all(one.stands for one in done.seals)
        assert done.view.size == stop


@pytest.mark.parametrize("change", [{"map_root": bytes(32)}, {"ids": 5}, {"tree_root": bytes(32)}, {"size": 7}])
def test_a_seal_of_an_operator_with_all_keys_is_found(sealed: MemoryView, change: dict[str, object]) -> None:
    one = list(seals_of(sealed))[1]
    part = sealed.raw_contents[one.index]
    record = decode_record(part[SALT_SIZE:])
    wrong = evolve(SealBody.from_record(record), **change)  # type: ignore[arg-type]  # by name
    sealed.raw_contents[one.index] = part[:SALT_SIZE] + encode_record(wrong.record())
    done = audit(forge(sealed))
    assert [verdict.stands for verdict in done.seals].count(False) >= 1
    assert (Code.SEAL_ROOT, one.index) in [(found.code, found.index) for found in done.report.findings]
    assert not done.report


def test_where_rows_are_gone_a_seal_cannot_be_worked_out(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    world = lives.world
    world.ledger.retain(policy(wait=1))
    for seed, size in ((3, 12), (4, 12), (0, 60), (1, 60), (2, 60)):
        lives.play(random_history(seed, size, pilot=True))
        world.ledger.seals.make()
    rows = 0
    for number in range(3):
        world.clock.advance(2 * DAY)
        lives.play(random_history(20 + number, 5, pilot=True))
        world.clock.advance(2 * 366 * DAY)
        world.ledger.accept_clock("closed")
        lives.play(random_history(10 + number, 20, pilot=True))
        with world.ledger.snapshot() as view:
            made = plan(view, as_of=day(world.clock.now))
        world.ledger.announce(made, name=f"p{number}", reason="Due")
        world.clock.advance(DAY)
        rows += world.ledger.prune(f"p{number}").row_count
        if not rows:
            with world.ledger.snapshot() as view:
                # Contents alone take nothing from a seal.
                assert all(one.stands for one in audit(view).seals)
    assert rows
    world.ledger.seals.make()
    with world.ledger.snapshot() as view:
        done = audit(view)
    world.close()
    assert done.report, done.report.findings
    stands = [one.stands for one in done.seals]
    assert stands[0] is True
    assert stands[-1] is None
    assert False not in stands
