"""Append, hold, release, announce, prune, erase, compact, reopen, rebuild, crash, in any order, while years pass: each
time what is left verifies, its rules come out, the index is what a rebuild and a replay come to, and what was erased of
persons is in no file."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
import warnings
from datetime import date
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pruned import Lives, derived, replayed
from retained import DAY, day, policy
from tracechain.entry import SALT_SIZE, decode_rows
from tracechain.errors import InputError
from tracechain.event import ObjectEvent
from tracechain.persons import Verdict, plan_erasure
from tracechain.private import private_fields
from tracechain.record import Record
from tracechain.registers import HoldStep
from tracechain.replay import replay
from tracechain.retention.plan import Plan, plan
from tracechain.retention.prunings import prunings
from tracechain.store import Kept
from tracechain.testing import open_ledger
from tracechain.verification import verify, verify_rules
from tracing_histories import THINGS, random_history

WAIT = 1


class Machine(RuleBasedStateMachine):
    """A store over years; `waiting` are prunings that were announced and not done."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.held: dict[str, int] = {}
        self.waiting: list[str] = []
        self.steps = 0
        #: The contents that went, and those that were told to stay.
        self.gone: set[int] = set()
        #: Who bought something: by token, what is known of her and nobody else.
        self.known: dict[bytes, str] = {}
        self.forgotten: list[str] = []

    @initialize(seed=st.integers(0, 1 << 32), pilot=st.booleans())
    def begin(self, seed: int, pilot: bool) -> None:
        """Some years ago."""
        self.lives = Lives(self.folder, pilot=pilot)
        self.world = self.lives.world
        self.world.ledger.retain(policy(wait=WAIT))
        self.lives.play(random_history(seed, 25, pilot=pilot))
        self.pass_days(2)

    def teardown(self) -> None:
        """Remove it."""
        self.world.ledger.close()
        shutil.rmtree(self.folder)

    def pass_days(self, days: int) -> None:
        """With an event a day."""
        for _ in range(days):
            self.world.clock.advance(DAY)
            self.steps += 1
            self.lives.play(random_history(self.steps, 1))

    def plan(self) -> Plan:
        """As of today."""
        with self.world.ledger.snapshot() as view:
            return plan(view, as_of=day(self.world.clock.now))

    # ---- what happens ----

    @rule(seed=st.integers(0, 1 << 32), size=st.integers(1, 12))
    def append(self, seed: int, size: int) -> None:
        """More of the same."""
        self.lives.play(random_history(seed, size, pilot=bool(self.lives.player.world)))

    @rule(years=st.integers(1, 3))
    def years_pass(self, years: int) -> None:
        """Closed for some time."""
        self.world.clock.advance(years * 366 * DAY)
        self.world.ledger.accept_clock("closed")

    @rule()
    def a_day_passes(self) -> None:
        """As usual."""
        self.pass_days(1)

    @rule(thing=st.sampled_from(range(len(THINGS))))
    def hold(self, thing: int) -> None:
        """Something may not be deleted."""
        self.steps += 1
        name = f"h{self.steps}"
        self.world.ledger.register(self._step(name, "placed", THINGS[thing]))
        self.held[name] = thing

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        """It may again."""
        name = data.draw(st.sampled_from(sorted(self.held)))
        del self.held[name]
        self.world.ledger.register(self._step(name, "released"))

    @rule()
    def announce(self) -> None:
        """What is due, where something is that was not announced."""
        self.steps += 1
        made, name = self.plan(), f"p{self.steps}"
        try:
            self.world.ledger.announce(made, name=name, reason="Due")
        except InputError as error:
            assert self.waiting or not made.count, error  # noqa: PT017  # what else may refuse it
        else:
            self.waiting.append(name)

    @rule(years=st.integers(0, 2))
    def go_round(self, years: int) -> None:
        """All of it, as every year."""
        if years:
            self.years_pass(years)
        self.announce()
        if self.waiting:
            self.prune()

    @precondition(lambda self: self.waiting)
    @rule()
    def prune(self) -> None:
        """The oldest that was announced."""
        self.pass_days(WAIT)
        with self.world.ledger.snapshot() as view:
            held = {THINGS[thing] for thing in self.held.values()}
            told = [(i, decode_rows(part[SALT_SIZE:])[1]) for i, part in view.all_rows(0, view.size)]
            kept = {i for i, rows in told if held & {row.subject for row in rows} and view.content(i) is not None}
        try:
            self.world.ledger.prune(self.waiting[0])
        except InputError as error:
            assert "nothing of pruning" in str(error)  # noqa: PT017  # nothing else may refuse it
            return
        del self.waiting[0]
        with self.world.ledger.snapshot() as view:
            assert all(view.content(index) is not None for index in kept), "held"
            assert not self.world.ledger._store.uncompacted

    @rule()
    def know(self) -> None:
        """A person buys something, and says who she is."""
        self.steps += 1
        ledger, token, name = self.world.ledger, self.steps.to_bytes(16, "big"), f"customer number {self.steps:09}"
        fields, values = private_fields({"phone": name}, os.urandom)
        ledger.vault.put_person(token, {"name": name})
        ledger.vault.put_private(values, token)
        bought = ObjectEvent(
            event_time=self.world.clock.now * 1_000_000, time_zone_offset=480, action="OBSERVE",
            epcs=(f"urn:example:parcel:{self.steps}",), person=token, private=fields,
        )  # fmt: skip
        ledger.append([bought])
        self.known[token] = name

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        """She asks for it: what need not be kept goes, the rest is withheld."""
        token = data.draw(st.sampled_from(sorted(self.known)))
        ledger = self.world.ledger
        with ledger.snapshot() as view:
            asked = plan_erasure(view, ledger.vault, as_of=day(self.world.clock.now), tokens=[token])
        ledger.erase(asked, ground="asked for", by="clerk")
        assert {ledger.vault.standing(token)} <= {Kept.ERASED, Kept.RESTRICTED}
        if len(asked.of(Verdict.ERASE)) == 2:
            self.forgotten.append(self.known.pop(token))

    @rule(milliseconds=st.integers(0, 40))
    def crash(self, milliseconds: int) -> None:
        """Somebody opens the ledger, prunes, compacts, appends, and is killed."""
        self.world.ledger.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of threads: the child asks none
            pid = os.fork()
        if not pid:
            try:
                self._work()
            finally:
                os._exit(0)
        time.sleep(milliseconds / 1000)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.lives.reopen()
        with self.world.ledger.snapshot() as view:
            done = {one.intent.name for one in prunings(view) if one.done is not None}
        self.waiting = [name for name in self.waiting if name not in done]

    def _work(self) -> None:
        """In the child, until it is killed."""
        with open_ledger(self.world.path, keys=self.world.keys, clock=self.world.clock) as ledger:
            while True:
                ledger.append([Record("note", "under way")])
                for name in self.waiting:
                    with contextlib.suppress(InputError):
                        ledger.prune(name)
                ledger.compact()

    @rule()
    def compact(self) -> None:
        """Another generation."""
        self.world.ledger.compact()

    @rule()
    def reopen(self) -> None:
        """What is remembered is forgotten."""
        self.lives.reopen()

    @rule()
    def rebuild(self) -> None:
        """The index is made anew, and is the same."""
        live = derived(self.world.ledger)
        self.world.ledger.reindex()
        assert derived(self.world.ledger) == live

    def _step(self, name: str, phase: str, *about: str) -> HoldStep:
        return HoldStep(
            id=name, phase=phase, on=date(2028, 1, 1), by="Court", authority=None if phase == "released" else "Court",
            reason="Case", about=about,
        )  # fmt: skip

    # ---- what is always so ----

    @invariant()
    def sound(self) -> None:
        """What is left verifies, and what is said of it is so."""
        if not hasattr(self, "world"):
            return
        live = derived(self.world.ledger)
        with self.world.ledger.snapshot() as view:
            told = replayed(view, replay(view))
            assert told["units"] == live["units"]
            assert told["memories"] == live["memories"]
            assert told["packed"] == {subject: word for subject, (_, word) in live["words"].items()}
            for report in (verify(view, verifier=self.world.ledger.verifier, index=True), verify_rules(view)):
                assert report, report.findings
            gone = {i for i, header in view.headers(0, view.size) if view.content(i) is None}
            assert self.gone <= gone
            self.gone = gone
            assert [one.intent.name for one in prunings(view) if one.done is None] == self.waiting
        files = [file.read_bytes() for file in self.world.path.rglob("*.mdb")]
        assert not any(name.encode() in data for name in self.forgotten for data in files)
        assert all(any(name.encode() in data for data in files) for name in self.known.values())


TestPruning = pytest.mark.slow(Machine.TestCase)
TestPruning.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
