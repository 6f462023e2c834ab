"""A real ledger against a model in plain Python: whatever is done to both, they agree.

The model knows nothing of hashes, rows or LMDB: units are a dictionary from id to (entries, state), authors a
dictionary of the statements that are in the log. The ledger's size, index, replay, unit histories, receipts and
verification have to be what the model says; verification finds exactly what the model knows to be wrong.
"""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tracechain import record
from tracechain.checkpoint import check_proof, open_checkpoint, parse_proof
from tracechain.errors import ClockError, EquivocationError, InputError, KeyUseError, RefusedError
from tracechain.event import AggregationEvent, Event, ObjectEvent, TransformationEvent
from tracechain.ledger import Ledger, Receipt, verify_ledger
from tracechain.ledger.ledger import DEFAULT_JUMP_LIMIT
from tracechain.merkle import leaf_hash
from tracechain.record import Record
from tracechain.replay import MemoryView, replay
from tracechain.testing import ORIGIN, START, Clock, Keys, Random, new_ledger
from tracechain.testing.samples import (
    case_id,
    commission,
    destroy,
    observe,
    order,
    pack,
    pack_ids,
    relabel,
    sensor,
    ship,
    unpack,
)
from tracechain.testing.scanner import Scanner
from tracechain.verification import Code, verify
from tracechain.view import Unit, unit_history

KEYS = Keys()
STATIONS = {"station": KEYS.station, "other": KEYS.other_station}
PACKS, CASES = pack_ids(5), (case_id(1), case_id(2))

# ---- what can be stated: an event or record, with what it does to whom ---------------------------

SEE, END, NOTE = "see", "end", "note"
Deed = tuple[Event | Record, dict[str, str]]

packs = st.lists(st.sampled_from(PACKS), min_size=1, max_size=3, unique=True)
cases = st.sampled_from(CASES)


def seen(event: Event, *ids: str) -> Deed:
    return event, dict.fromkeys(ids, SEE)


deeds: st.SearchStrategy[Deed] = st.one_of(
    packs.map(lambda ids: seen(commission(ids), *ids)),
    packs.map(lambda ids: seen(observe(ids), *ids)),
    packs.map(lambda ids: seen(order(ids, "4711"), *ids)),
    packs.map(lambda ids: (destroy(ids), dict.fromkeys(ids, END))),
    st.tuples(cases, packs).map(lambda both: seen(pack(*both), both[0], *both[1])),
    st.tuples(cases, packs).map(lambda both: seen(unpack(*both), both[0], *both[1])),
    cases.map(lambda case: seen(ship((case,)), case)),
    st.tuples(st.sampled_from(PACKS), st.sampled_from(PACKS)).map(
        # An id on both sides ends: its place among the inputs counts.
        lambda both: (relabel(both[:1], both[1:]), {both[1]: SEE, both[0]: END})
    ),
    st.just((sensor("4.5"), {})),
    st.sampled_from(PACKS).map(lambda one: (Record("note", ("seen",), one), {one: NOTE})),
    st.just((Record("note", ("nothing",)), {})),
)
batches = st.lists(deeds, min_size=1, max_size=4)


def step(state: int, act: str, misplaced: bool) -> tuple[int, int]:
    """(state after, how many rules were broken): 0 none, 1 active, 2 gone."""
    if act == NOTE:
        return state, 0
    broken = (state == 2) + misplaced
    return (state, broken) if broken else (2 if act == END else 1, 0)


def moved(inside: dict[str, str], event: Event | Record, unit: str) -> bool:
    """Pack or unpack; whether the unit was somewhere else."""
    if isinstance(event, TransformationEvent) or (isinstance(event, ObjectEvent) and event.action == "DELETE"):
        if unit in event.epcs:
            inside.pop(unit, None)
        return False
    if not isinstance(event, AggregationEvent) or unit == event.parent or event.parent is None:
        return False
    before = inside.get(unit)
    if event.action == "ADD":
        inside[unit] = event.parent
        return before not in (None, event.parent)
    if before == event.parent:
        del inside[unit]
    return before != event.parent


# ---- the model -----------------------------------------------------------------------------------


@define
class Said:
    """A statement that a station made."""

    author: str
    first: int
    count: int
    hash: bytes
    previous: bytes
    data: bytes
    deeds: list[Deed]

    @property
    def end(self) -> int:
        return self.first + self.count


@define
class Model:
    """What the ledger should be."""

    size: int = 2
    time: int = START
    units: dict[str, tuple[list[int], int]] = field(factory=dict)
    inside: dict[str, str] = field(factory=dict)
    receipts: list[Receipt] = field(factory=list)
    authorised: set[str] = field(factory=set)
    revoked: set[str] = field(factory=set)
    logged: dict[bytes, tuple[Said, Receipt]] = field(factory=dict)
    evidence: set[bytes] = field(factory=set)
    origin: str = ORIGIN
    lost: bool = False

    def broken(self, batch: list[Deed]) -> int:
        """How often the batch would break a rule; changes nothing."""
        states, inside = {unit: state for unit, (_, state) in self.units.items()}, dict(self.inside)
        count = 0
        for event, acts in batch:
            for unit, act in acts.items():
                states[unit], wrong = step(states.get(unit, 0), act, moved(inside, event, unit))
                count += wrong
        return count

    def take(self, batch: list[Deed]) -> int:
        """Log the deeds; returns how often they break a rule."""
        broken = self.broken(batch)
        for event, acts in batch:
            for unit, act in acts.items():
                entries, state = self.units.setdefault(unit, ([], 0))
                entries.append(self.size)
                self.units[unit] = (entries, step(state, act, moved(self.inside, event, unit))[0])
            self.size += 1
        return broken

    def of(self, author: str) -> list[Said]:
        return sorted((said for said, _ in self.logged.values() if said.author == author), key=lambda s: s.first)

    def contradicted(self, said: Said) -> bool:
        """Whether a statement cannot stand beside those of its author that are in the log."""
        for other in self.of(said.author):
            if other.first < said.end and said.first < other.end:
                return True
            if other.end == said.first and other.hash != said.previous:
                return True
            if said.end == other.first and said.hash != other.previous:
                return True
        return False

    def findings(self) -> set[Code]:
        """What verification has to find."""
        found = {Code.EQUIVOCATION} if self.evidence else set()
        for author in STATIONS:
            end = 0
            for said in self.of(author):
                if said.first > end:
                    found.add(Code.AUTHOR_GAP)
                end = said.end
        return found | ({Code.EPOCH_LOST} if self.lost else set())


class LedgerMachine(RuleBasedStateMachine):
    """The rules: what users and stations do, and what befalls the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="tracechain-model-")
        self.path = Path(self.folder.name) / "ledger"
        self.clock, self.random = Clock(), Random()
        self.model = Model()
        self.made: list[Said] = []
        self.saved: tuple[Path, Model] | None = None
        self.backups = 0
        self.notes: list[str] = []
        self.steps = 0

    @initialize(names=st.sampled_from([("station", "other"), ("station", "other"), ("station",)]))
    def create(self, names: tuple[str, ...]) -> None:
        self.ledger = new_ledger(self.path, clock=self.clock, random=self.random)
        self.model.units[record.key_subject(KEYS.author.public_key.hash)] = ([1], 1)
        self.scanners = {name: Scanner(signer, self.ledger.ledger_id, self.random) for name, signer in STATIONS.items()}
        for name in names:
            self._authorise(name)

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
        self.folder.cleanup()

    # ---- receipts and time ----

    def accepted(self) -> int:
        """The receipt time of what is logged now."""
        self.model.time = max(self.model.time, self.clock.now)
        return self.model.time

    @property
    def too_far(self) -> bool:
        return self.clock.now - self.model.time > DEFAULT_JUMP_LIMIT

    def log(self, receipt: Receipt, batch: list[Deed]) -> None:
        """Take a batch into the model as the receipt says that the ledger took it."""
        model = self.model
        assert receipt.statement == model.size
        model.size += 1
        assert (receipt.first, receipt.count, receipt.repeated) == (model.size, len(batch), False)
        assert len(receipt.violations) == model.take(batch)
        assert receipt.time == self.accepted()
        model.receipts.append(receipt)

    def own(self, receipt: Receipt) -> None:
        """One entry of the ledger itself."""
        assert (receipt.first, receipt.count, receipt.time) == (self.model.size, 1, self.accepted())
        self.model.size += 1
        self.model.receipts.append(receipt)

    # ---- the ledger's own author ----

    @rule(batch=batches, strict=st.booleans(), record_class=st.sampled_from([0, 7]))
    def append(self, batch: list[Deed], strict: bool, record_class: int) -> None:
        contents = [content for content, _ in batch]
        if self.too_far:
            with pytest.raises(ClockError):
                self.ledger.append(contents, strict=strict)
        elif strict and (broken := self.model.broken(batch)):
            with pytest.raises(RefusedError) as refused:
                self.ledger.append(contents, strict=True)
            assert len(refused.value.violations) == broken
        else:
            self.log(self.ledger.append(contents, record_class=record_class, strict=strict), batch)

    # ---- stations ----

    @rule(name=st.sampled_from(list(STATIONS)), batch=batches, strict=st.booleans())
    def scan(self, name: str, batch: list[Deed], strict: bool) -> None:
        """A station signs its next statement and submits it."""
        self.made.append(self._signed(name, self.scanners[name], batch))
        self._submit(self.made[-1], strict)

    @rule(name=st.sampled_from(list(STATIONS)), batch=batches)
    def scan_offline(self, name: str, batch: list[Deed]) -> None:
        """A station signs its next statement; it is submitted later, or never."""
        self.made.append(self._signed(name, self.scanners[name], batch))

    @precondition(lambda self: self.made)
    @rule(data=st.data(), strict=st.booleans())
    def submit(self, data: st.DataObject, strict: bool) -> None:
        """Any statement that was made: in order or not, for the first time or again."""
        waiting = [said for said in self.made if said.hash not in self.model.logged]
        only_new = data.draw(st.booleans())
        self._submit(data.draw(st.sampled_from(waiting if waiting and only_new else self.made)), strict)

    @precondition(lambda self: self.made)
    @rule(data=st.data(), batch=batches)
    def scan_again(self, data: st.DataObject, batch: list[Deed]) -> None:
        """A station signs numbers that it used already: a restored scanner, or a stolen key."""
        old = data.draw(st.sampled_from(self.made))
        twin = Scanner(STATIONS[old.author], self.ledger.ledger_id, self.random, old.first, old.previous)
        self.made.append(self._signed(old.author, twin, batch))
        self._submit(self.made[-1], strict=False)

    def _signed(self, name: str, scanner: Scanner, batch: list[Deed]) -> Said:
        first, previous = scanner.first, scanner.previous
        data = scanner.make([content for content, _ in batch], at=self.clock.now)
        return Said(name, first, len(batch), scanner.previous, previous, data, batch)

    def _submit(self, said: Said, strict: bool) -> None:
        model = self.model
        name = said.author
        if name not in model.authorised:
            with pytest.raises(KeyUseError, match="not authorised"):
                self.ledger.submit(said.data)
        elif said.hash in model.logged:
            again = self.ledger.submit(said.data, strict=strict)
            first = model.logged[said.hash][1]
            assert again.repeated
            assert (again.first, again.count, again.statement, again.time) == (
                first.first, first.count, first.statement, first.time,
            )  # fmt: skip
        elif self.too_far:
            with pytest.raises(ClockError):
                self.ledger.submit(said.data)
        elif name in model.revoked:
            with pytest.raises(KeyUseError, match="revoked"):
                self.ledger.submit(said.data)
        elif model.contradicted(said):
            with pytest.raises(EquivocationError):
                self.ledger.submit(said.data, strict=strict)
            if said.hash not in model.evidence:
                model.evidence.add(said.hash)
                model.size += 1
                self.accepted()
        elif strict and model.broken(said.deeds):
            with pytest.raises(RefusedError):
                self.ledger.submit(said.data, strict=True)
        else:
            receipt = self.ledger.submit(said.data, strict=strict)
            self.log(receipt, said.deeds)
            model.logged[said.hash] = (said, receipt)

    # ---- keys ----

    @rule(name=st.sampled_from(list(STATIONS)), revoked=st.sampled_from([False, False, True]))
    def change_keys(self, name: str, revoked: bool) -> None:
        if revoked:
            self._revoke(name)
        else:
            self._authorise(name)

    def _authorise(self, name: str) -> None:
        key = STATIONS[name]
        authorised = record.authorise(self.ledger.ledger_id, key, KEYS.root, name, ["event", "note"])
        if self.too_far:
            with pytest.raises(ClockError):
                self.ledger.authorise(authorised)
        elif name in self.model.authorised:
            with pytest.raises(KeyUseError, match="before"):
                self.ledger.authorise(authorised)
        else:
            self.model.authorised.add(name)
            self.model.units[record.key_subject(key.public_key.hash)] = ([self.model.size], 1)
            self.own(self.ledger.authorise(authorised))

    def _revoke(self, name: str) -> None:
        key_hash = STATIONS[name].public_key.hash
        revoked = record.revoke(self.ledger.ledger_id, key_hash, KEYS.root, "lost")
        if self.too_far:
            with pytest.raises(ClockError):
                self.ledger.revoke(revoked)
        elif name not in self.model.authorised or name in self.model.revoked:
            with pytest.raises(KeyUseError):
                self.ledger.revoke(revoked)
        else:
            entries, _ = self.model.units[record.key_subject(key_hash)]
            self.model.units[record.key_subject(key_hash)] = ([*entries, self.model.size], 2)
            self.own(self.ledger.revoke(revoked))
            self.model.revoked.add(name)

    # ---- the clock ----

    @rule(by=st.sampled_from([1, 1000, 86_400_000, -1, -3_600_000, DEFAULT_JUMP_LIMIT, DEFAULT_JUMP_LIMIT + 1]))
    def time_passes(self, by: int) -> None:
        self.clock.advance(by)

    @precondition(lambda self: self.too_far)
    @rule()
    def accept_clock(self) -> None:
        self.own(self.ledger.accept_clock("it was switched off"))
        with pytest.raises(InputError, match="no jump"):
            self.ledger.accept_clock("it was not")

    # ---- what befalls the machine ----

    def _open(self) -> None:
        self.ledger = Ledger.open(self.path, signer=KEYS.log, author=KEYS.author, clock=self.clock, random=self.random)

    @rule(what=st.sampled_from(["reopen", "reindex", "backup"]))
    def maintain(self, what: str) -> None:
        {"reopen": self._reopen, "reindex": self._reindex, "backup": self._backup}[what]()

    def _reopen(self) -> None:
        self.ledger.close()
        self._open()

    def _reindex(self) -> None:
        before = self.ledger.checkpoint()
        assert self.ledger.reindex() == len(self.model.units)
        assert self.ledger.checkpoint() == before

    def _backup(self) -> None:
        self.backups += 1
        copied = self.ledger.backup(Path(self.folder.name) / f"backup-{self.backups}")
        with Ledger.open(copied) as ledger:
            assert ledger.checkpoint() == self.ledger.checkpoint()
        report = verify_ledger(copied, verifier=self.ledger.verifier)
        assert (report.size, set(report.codes)) == (self.model.size, self.model.findings())
        self.saved = (copied, copy.deepcopy(self.model))

    @precondition(lambda self: self.saved)
    @rule()
    def restore(self) -> None:
        """The last backup is put back; what came after it is lost, and the ledger goes on as a new epoch."""
        assert self.saved is not None
        copied, model = self.saved
        lost = open_checkpoint(self.ledger.checkpoint(), self.ledger.verifier).size - model.size
        self.ledger.close()
        shutil.rmtree(self.path)
        shutil.copytree(copied, self.path)
        arguments: dict[str, Any] = {"signer": KEYS.log, "author": KEYS.author, "clock": self.clock}
        if not lost:
            with pytest.raises(InputError, match="nothing is lost"):
                Ledger.restore(self.path, reason="by mistake", random=self.random, **arguments)
            self._open()
            return
        epoch = int(self.model.origin.rpartition("/epoch/")[2]) if "/epoch/" in self.model.origin else 0
        self.model = copy.deepcopy(model)
        self.ledger = Ledger.restore(self.path, reason="the disk broke", random=self.random, **arguments)
        self.accepted()
        self.model.size += 1
        self.model.lost = True
        self.model.origin = f"{ORIGIN}/epoch/{epoch + 1}"
        self.notes.clear()  # of entries that are lost

    # ---- what always holds ----

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "ledger"):
            return
        model = self.model
        units = {unit: Unit(entries[-1], state) for unit, (entries, state) in model.units.items()}
        with self.ledger.snapshot() as snapshot:
            assert snapshot.size == model.size
            assert dict(snapshot.units()) == units
            assert replay(snapshot).units == units

    @invariant()
    def verifies(self) -> None:
        """What costs more than all the rest, so at every third step."""
        self.steps += 1
        if not hasattr(self, "ledger") or self.steps % 3:
            return
        model = self.model
        with self.ledger.snapshot() as snapshot:
            for unit, (entries, _) in model.units.items():
                assert unit_history(snapshot, unit) == entries
            report = verify(snapshot, verifier=self.ledger.verifier, index=True)
            assert set(report.codes) == model.findings(), report.findings
            assert report.checkpoint is not None
            assert report.checkpoint.origin == model.origin
            if self.notes:
                since = verify(MemoryView.of(snapshot), verifier=self.ledger.verifier, since=self.notes[0])
                assert set(since.codes) <= model.findings()
        self.notes.append(self.ledger.checkpoint())

    @invariant()
    def receipts_prove(self) -> None:
        if not hasattr(self, "ledger") or not self.model.receipts:
            return
        receipts = self.model.receipts
        for receipt in {id(r): r for r in (receipts[0], receipts[len(receipts) // 2], receipts[-1])}.values():
            assert self.ledger.verifier is not None
            assert open_checkpoint(receipt.checkpoint, self.ledger.verifier).size >= receipt.first + receipt.count
            with self.ledger.snapshot() as snapshot:
                for index in (receipt.statement, receipt.indices[-1]):
                    header = snapshot.header(index)
                    assert header is not None
                    proof = parse_proof(self.ledger.prove(index))
                    proven = check_proof(proof, leaf_hash(header), self.ledger.verifier, self.model.origin)
                    assert (proof.index, proven.size) == (index, self.model.size)


TestModel = pytest.mark.slow(LedgerMachine.TestCase)
TestModel.settings = settings(max_examples=60, stateful_step_count=40)
