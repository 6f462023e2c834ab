"""Whoever folds the log from nothing, rebuilds the index or opens the ledger anew comes to what the ledger came to.

Over random histories of the pilot world: lawful and unlawful acts, events of several packs, undoing, relabelling,
registers and profiles that change in between, strict and not, by two authors, several appends in a commit, commits
that break off, notes, days that pass.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pilot_histories import Commit, History, Player, histories
from pilot_world import (
    MINUTE,
    World,
    compare,
    living,
    product,
    profile,
    readmission,
    suspension,
)
from tracechain.custody import Custody, Violation
from tracechain.encoding import decode, encode
from tracechain.errors import InputError, RefusedError
from tracechain.event import Event
from tracechain.ledger import Receipt
from tracechain.ledger.commit import Commit as Sealed
from tracechain.ledger.commit import Outcome, prepare
from tracechain.ledger.groups import Request
from tracechain.ledger.jobs import Append, Job
from tracechain.record import Record, decode_record, encode_record
from tracechain.registers import Profile
from tracechain.replay import MemoryView, State, replay
from tracechain.testing import Clock, Random, open_ledger
from tracechain.verification import verify

Said = list[tuple[int, str, int]]


class BrokenError(Exception):
    """What a commit breaks off with."""


def said(violations: Sequence[Any], first: int = 0) -> Said:
    return sorted((v.index - first, v.subject, v.code) for v in violations)


class Told:
    """A world, whose log is folded again after each commit."""

    def __init__(self, path: Path, start: Sequence[Custody] = ()) -> None:
        self.world = World(path, station=True)
        self.player = Player(self.world)
        self.violations: Said = []
        if start:
            self.player.begin(start)

    def play(self, commit: Commit) -> None:
        world = self.world
        if commit.before == "reopen":
            world.reopen()
        elif commit.before == "reindex":
            world.ledger.reindex()
        if commit.days:
            world.later(days=commit.days)
            world.ledger.append([Record("note", "time passes")])
        self.player.look()
        versions = dict(world._versions)
        batches = [batch for items in commit.appends if (batch := self.player.contents(items))]
        if not batches:
            return
        if commit.by == "station":
            for batch in batches:
                self._submit(batch, strict=commit.strict)
        elif commit.by == "abort" or len(batches) > 1:
            self._together(batches, commit)
        else:
            self._append(batches[0], strict=commit.strict)
        world._versions = self._versions(versions)

    def _append(self, batch: Sequence[Event | Record], *, strict: bool) -> None:
        """What strict refuses for, is what is kept as evidence otherwise."""
        ledger = self.world.ledger
        self._strictly(lambda strict: ledger.append(batch, strict=strict), strict=strict)

    def _submit(self, batch: Sequence[Event | Record], *, strict: bool) -> None:
        world = self.world
        first, previous = world.station.first, world.station.previous
        data = world.station.make(batch, at=world.clock.now)
        if not self._strictly(lambda strict: world.ledger.submit(data, strict=strict), strict=strict):
            world.station.first, world.station.previous = first, previous

    def _strictly(self, append: Callable[[bool], Receipt], *, strict: bool) -> bool:
        """What strict refuses for, is kept as evidence otherwise. False where a register record cannot follow."""
        refused: Said = []
        try:
            receipt = append(strict)
        except RefusedError as error:
            refused = said(error.violations)
            receipt = append(False)
        except InputError:
            return False
        assert not strict or said(receipt.violations, receipt.first) == refused
        self._took(receipt)
        return True

    def _together(self, batches: Sequence[Sequence[Event | Record]], commit: Commit) -> None:
        """One transaction, in which strict and other appends may stand side by side."""
        ledger = self.world.ledger
        requests: list[Request[Job, Receipt]] = [
            Request(Append(prepare(tuple(batch), 0, ledger._random), commit.strict and number != 1))
            for number, batch in enumerate(batches)
        ]
        if commit.by == "abort":

            def breaks(_: Sealed) -> Outcome:
                raise BrokenError

            with pytest.raises(BrokenError):
                ledger._commit_group([*requests, Request(breaks)])
            return
        ledger._commit_group(requests)
        for request in requests:
            if request.error is None:
                assert request.result is not None
                self._took(request.result)
            else:
                assert isinstance(request.error, InputError)

    def _took(self, receipt: Receipt) -> None:
        self.violations += said(receipt.violations)

    def _versions(self, before: dict[str, int]) -> dict[str, int]:
        """The versions that were taken: some records were refused."""
        with self.world.ledger.snapshot() as view:
            known = replay(view).standing.known()
        return {s: known[s].versions if s in known else 0 for s in {*before, *known}}

    def check(self, *, shared: bool = False) -> State:
        """A replay agrees with index, rows, receipts and with what the ledger keeps of the registers.

        Where the ledger is shared, what it keeps of them may be old until its next commit."""
        with self.world.ledger.snapshot() as view:
            state = replay(view)
            compare(view, state)
        assert sorted(self.violations) == [(i, s, c) for i, s, codes in sorted(state.violations) for c in codes]
        kept = self.world.ledger._registers._standing
        if kept is not None and not shared:
            known = state.standing.known()
            assert {s: known.get(s) for s in kept._known} == kept._known
            assert kept.profile == state.standing.profile
        return state


def told(path: Path, history: History) -> None:
    told = Told(path, history.start)
    with contextlib.closing(told.world) as world:
        for commit in history.commits:
            told.play(commit)
            state = told.check()
        with world.ledger.snapshot() as view:
            report = verify(view, verifier=world.ledger.verifier, index=True)
            assert report, report.findings
            copy = MemoryView.of(view)
            assert {s: copy.memory(s) for s, _ in copy.units()} == {s: view.memory(s) for s, _ in view.units()}
        world.ledger.reindex()
        with world.ledger.snapshot() as view:
            compare(view, state)


Paths = Callable[[], Path]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    return lambda: tmp_path_factory.mktemp("history")


@settings(max_examples=60)
@given(history=histories())
def test_a_replay_a_rebuilt_index_and_a_fresh_start_agree_with_the_ledger(paths: Paths, history: History) -> None:
    told(paths(), history)


# ---- what random histories seldom meet ---------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def limits(yuan: int) -> Profile:
    return profile(order_limit=Decimal(yuan))


@pytest.mark.parametrize("strict", [True, False])
def test_a_profile_holds_from_its_entry_on_within_a_batch_too(world: World, strict: bool) -> None:
    pack, other = (world.bring(pack, Custody.RESERVED, po=pack) for pack in world.packs[:2])
    contents: list[Event | Record] = [
        world.pay(pack, po=pack),
        world.pay(other, po=other),
        world.clear(pack, po=pack),
        world.record(limits(299)),
        world.clear(other, po=other),
    ]
    receipt = world.ledger.append(contents[: 4 if strict else 5], strict=strict)
    assert said(receipt.violations, receipt.first) == ([] if strict else [(4, other, Violation.LIMIT)])
    world.breaks(world.clear(other, po=other), Violation.LIMIT)
    world.keep(world.record(limits(300)), world.clear(other, po=other))


def test_a_strict_batch_is_judged_by_the_registers_in_it(world: World) -> None:
    pack, other = (world.bring(pack, Custody.BONDED) for pack in world.packs[:2])
    with pytest.raises(RefusedError) as refused:
        world.ledger.append([world.order(pack), world.record(suspension()), world.order(other)], strict=True)
    assert said(refused.value.violations) == [(2, other, Violation.MERCHANT_SUSPENDED)]
    world.keep(world.order(pack))
    world.keep(world.record(suspension()), world.record(readmission()), world.order(other))


def test_the_first_profile_holds_from_the_next_statement_on(tmp_path: Path) -> None:
    world = World(tmp_path, ())
    pack = world.packs[0]
    sell = evolve(world.sell(pack), sources=())
    world.keep(sell, world.record(profile()), sell)
    world.breaks(sell, Violation.SOLD_BEFORE_CLEARANCE, Violation.PLACE_UNREGISTERED)
    world.agrees()
    world.close()


def test_what_was_numbered_in_vain_leaves_nothing(world: World) -> None:
    """A commit that breaks off after an order was judged: the next entry with that index is another one."""
    pack = world.bring(world.packs[0], Custody.BONDED)

    def breaks(_: Sealed) -> Outcome:
        raise BrokenError

    batch = prepare((world.order(pack, po="1", yuan="9000"), world.record(suspension())), 0, world.ledger._random)
    with pytest.raises(BrokenError):
        world.ledger._commit_group([Request(Append(batch, strict=False)), Request(breaks)])
    world.keep(world.order(pack, po="2"), world.pay(pack, po="2"), world.clear(pack, po="2"), world.sell(pack))


# ---- two processes -----------------------------------------------------------------------------------


class Partner:
    """Another process that holds the ledger open all the time, and appends what it is told to."""

    def __init__(self, world: World) -> None:
        self._world = world
        context = multiprocessing.get_context("fork")
        self._ours, theirs = context.Pipe()
        world.ledger.close()  # a child opens it for itself
        self._process = context.Process(target=_partner, args=(theirs, world.path))
        self._process.start()
        theirs.close()
        world.reopen()

    def append(self, batch: Sequence[Event | Record], *, strict: bool = False) -> tuple[int, Said] | str:
        """First entry and violations, or what it raised."""
        encoded = [(True, encode_record(c)) if isinstance(c, Record) else (False, encode(c)) for c in batch]
        self._ours.send((self._world.clock.now, encoded, strict))
        assert self._ours.poll(60), "the partner says nothing"
        answer: tuple[int, Said] | str = self._ours.recv()
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send(None)
        self._process.join(60)
        assert self._process.exitcode == 0


def _partner(pipe: Any, path: Path) -> None:
    clock = Clock()
    with open_ledger(path, clock=clock, random=Random(7)) as ledger:
        while (task := pipe.recv()) is not None:
            clock.now, encoded, strict = task
            try:
                contents = [decode_record(data) if is_record else decode(data) for is_record, data in encoded]
                receipt = ledger.append(contents, strict=strict)
                pipe.send((receipt.first, said(receipt.violations)))
            except InputError as error:
                pipe.send(f"{type(error).__name__}: {error}")


def test_a_process_sees_what_another_one_registers(world: World) -> None:
    pack, other = (world.bring(pack, Custody.BONDED) for pack in world.packs[:2])
    with Partner(world) as partner:
        assert partner.append([world.stocktake(pack)], strict=True) != ""  # it has a view of the registers now
        world.keep(world.stocktake(pack))
        world.register(suspension())
        assert "MERCHANT_SUSPENDED" in str(partner.append([world.order(pack)], strict=True))
        assert "is suspended since" in str(partner.append([suspension().record()]))
        assert isinstance(partner.append([readmission().record()]), tuple)
        world.keep(world.order(pack))
        assert isinstance(partner.append([world.record(limits(299))], strict=True), tuple)
        world.keep(world.pay(pack))
        world.breaks(world.clear(pack), Violation.LIMIT)
        assert isinstance(partner.append([world.record(product(screening="toxic"))]), tuple)
        world.breaks(world.order(other), Violation.PRODUCT_BARRED)


def in_two_processes(path: Path, history: History, turns: Sequence[bool]) -> None:
    told = Told(path, history.start)
    with contextlib.closing(told.world) as world, Partner(world) as partner:
        for commit in history.commits:
            told.player.look()
            versions = dict(world._versions)
            for number, items in enumerate(commit.appends):
                batch = told.player.contents(items)
                if not batch:
                    continue
                if turns[number]:
                    answer = partner.append(batch, strict=commit.strict)
                    if isinstance(answer, tuple):
                        told.violations += answer[1]
                else:
                    with contextlib.suppress(InputError):
                        told._took(world.ledger.append(batch, strict=commit.strict))
                world._versions = told._versions(versions)
            world.clock.advance(MINUTE)
            told.check(shared=True)
        with world.ledger.snapshot() as view:
            assert verify(view, verifier=world.ledger.verifier, index=True)


@settings(max_examples=10)
@given(history=histories(6), turns=st.lists(st.booleans(), min_size=12, max_size=12))
def test_two_processes_in_turn_come_to_what_a_replay_comes_to(
    paths: Paths, history: History, turns: list[bool]
) -> None:
    in_two_processes(paths(), history, turns)
