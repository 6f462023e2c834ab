"""What the children of points.py do: a board to report on, and the scenarios they run on a ledger."""

from __future__ import annotations

import json
import mmap
import os
import random
import struct
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

# The pilot's events and registers stand beside the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from attrs import evolve

from pilot_world import NMPA_PRODUCT, World, merchant, place, profile, suspension
from recall_samples import closed, opened
from tracechain.criteria import Lot
from tracechain.errors import PoisonedError, StorageError, TracechainError
from tracechain.event import Event, Extension
from tracechain.ledger import Ledger, Receipt
from tracechain.persons import plan_erasure
from tracechain.private import PrivateValue
from tracechain.record import Record
from tracechain.retention.dates import shanghai_day
from tracechain.retention.plan import plan
from tracechain.retention.policy import After, Anchor, Policy, Regime, Rule, Selector, Term
from tracechain.store import Kept
from tracechain.testing import Clock, Keys
from tracechain.testing.samples import commission, observe, pack_ids

KEYS = Keys()
ORIGIN = "ledger.example/torture"
DAY = 86_400_000


class Board:
    """Lines that a child leaves; they are there whatever becomes of it."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, 1 << 20)
        self._lock = threading.Lock()

    def add(self, **line: Any) -> None:
        data = json.dumps(line).encode() + b"\n"
        with self._lock:
            (used,) = struct.unpack_from("<Q", self._map)
            self._map[8 + used : 8 + used + len(data)] = data
            struct.pack_into("<Q", self._map, 0, used + len(data))  # only now it is there

    def lines(self) -> list[dict[str, Any]]:
        (used,) = struct.unpack_from("<Q", self._map)
        return [json.loads(line) for line in self._map[8 : 8 + used].splitlines()]

    def clear(self) -> None:
        struct.pack_into("<Q", self._map, 0, 0)


# ---- what the child does -------------------------------------------------------------------------


class Work:
    """A child's work: operations on a ledger, each reported when it is done, or failed."""

    def __init__(self, path: Path, seed: int, board: Board, submissions: list[bytes]) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.board = board
        self.submissions = submissions
        self.ledger: Ledger | None = None
        self._serial = 1000 + seed % 1000 * 1000
        self._lock = threading.Lock()

    def open(self) -> None:
        self.do("open", self._open)

    def _open(self) -> None:
        self.ledger = open_ledger(self.path)

    def serial(self, count: int) -> int:
        """The first of so many serial numbers that nobody else has."""
        with self._lock:
            first, self._serial = self._serial, self._serial + count
        return first

    def append(self, count: int, *, strict: bool = False) -> None:
        ids = pack_ids(count, start=self.serial(count))

        def run() -> None:
            receipt = self.held.append([commission((one,)) for one in ids], strict=strict)
            acknowledge(self.board, receipt, ids)

        self.do("append", run)

    def submit(self, number: int) -> None:
        def run() -> None:
            receipt = self.held.submit(self.submissions[number])
            self.board.add(first=receipt.first, count=receipt.count, ids=None, note=receipt.checkpoint)

        self.do("submit", run)

    def record_sale(self, make: Callable[[str, str], list[Event]], *, strict: bool = False) -> None:
        """What becomes of a new pack, in one batch."""
        name = self.serial(1)
        events = make(pack_ids(1, start=name)[0], str(name))

        def run() -> None:
            acknowledge(self.board, self.held.append(events, strict=strict), packs_of(events))

        self.do("append", run)

    def record_registers(self) -> None:
        """Registers, of names that nobody else has."""
        name = str(self.serial(1))
        self.do("append", lambda: acknowledge_bare(self.board, self.held.append(registers(name))))

    @property
    def held(self) -> Ledger:
        assert self.ledger is not None
        return self.ledger

    def do(self, name: str, run: Callable[[], None]) -> None:
        """Run an operation. Where it fails: is the ledger poisoned, and does opening it again help?"""
        try:
            run()
        except TracechainError as error:
            self.board.add(op=name, error=type(error).__name__, said=str(error))
            if not isinstance(error, StorageError):
                raise
            self.failed(name)
            return
        self.board.add(done=name)

    def failed(self, name: str) -> None:
        if self.ledger is not None:
            try:
                self.ledger.append([observe(pack_ids(1))])
                after = "accepted"
            except PoisonedError:
                after = "poisoned"
            except StorageError:
                after = "failed"
            self.board.add(after=after, op=name)
            self.ledger.close()
            self.ledger = None
        if not self.path.exists():
            self._end()
        try:
            self._open()
        except TracechainError as error:
            self.board.add(reopened=False, error=type(error).__name__, said=str(error))
            self._end()
        self.board.add(reopened=True)

    @staticmethod
    def _end() -> None:
        os._exit(0)


def acknowledge(board: Board, receipt: Receipt, ids: tuple[str, ...]) -> None:
    board.add(first=receipt.first, count=receipt.count, ids=ids, note=receipt.checkpoint)


def acknowledge_bare(board: Board, receipt: Receipt) -> None:
    """Of records: which entries they are is not said."""
    board.add(note=receipt.checkpoint, records=[receipt.first, receipt.count])


def work_append(work: Work) -> None:
    work.open()
    for number in range(4):
        work.append(work.random.randint(1, 4), strict=number == 1)
        if number == 2:
            work.do("checkpoint", lambda: work.board.add(note=work.held.checkpoint()))
    work.submit(0)
    work.submit(1)
    work.submit(0)
    work.append(300)  # several pages, and more than one tail of the index


def work_threads(work: Work) -> None:
    work.open()

    def several() -> None:
        for _ in range(3):
            work.append(1)

    threads = [threading.Thread(target=several) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def work_threads_failing(work: Work) -> None:
    """As above where calls fail: the threads must agree on who opens the ledger again, so none does."""
    work.open()

    def several() -> None:
        for _ in range(3):
            ids = pack_ids(1, start=work.random.randint(1, 1 << 40))
            try:
                acknowledge(work.board, work.held.append([commission(ids)]), ids)
            except StorageError as error:
                work.board.add(op="append", error=type(error).__name__, said=str(error))

    threads = [threading.Thread(target=several) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any("error" in line for line in work.board.lines()):
        work.failed("append")


def work_reindex(work: Work) -> None:
    work.open()
    work.append(2)
    work.do("reindex", lambda: (work.held.reindex(), None)[1])
    work.append(2)


def work_backup(work: Work) -> None:
    work.open()
    work.append(2)
    work.do("backup", lambda: (work.held.backup(copy_of(work.path)), None)[1])
    work.append(2)


def work_compact(work: Work) -> None:
    """Two generations further, and the vault one, with a snapshot open all the time."""
    work.open()
    work.do("delete", lambda: delete_secret(work))
    work.append(2)
    with work.held.snapshot() as view:
        size = view.size
        work.do("compact", lambda: (work.held.compact(), None)[1])
        work.append(2)
        work.do("compact vault", lambda: compact_vault(work.held))
        work.do("compact", lambda: (work.held.compact(), None)[1])
        assert work.ledger is None or view.size == size
    work.append(2)


def work_erase(work: Work) -> None:
    """Persons are put, buy something, are withheld or not, and are erased, each by a record in the log."""
    work.open()
    for number in range(3):
        token = work.random.randbytes(16)
        values = [PrivateValue(work.random.randbytes(32), "phone", secret_of(token, one)) for one in "ab"]
        keys = [token.hex(), *(value.commitment.hex() for value in values)]

        def put(token: bytes = token, values: list[PrivateValue] = values, keys: list[str] = keys) -> None:
            with work.held.vault.changing() as changes:
                changes.put_person(token, {"name": secret_of(token, "name")})
                for value in values:
                    changes.put_private(value, token)
            work.board.add(put=keys)

        def buy(token: bytes = token, values: list[PrivateValue] = values) -> None:
            ids = pack_ids(1, start=work.serial(1))
            event = evolve(observe(ids), person=token, private=(values[0].field,))
            acknowledge(work.board, work.held.append([event]), ids)

        def erase(token: bytes = token, keys: list[str] = keys, number: int = number) -> None:
            if work.held.vault.standing(token) != Kept.KEPT:
                return  # to put it had failed
            if number == 1:
                acknowledge_bare(work.board, work.held.restrict([token], ground="contested", by="clerk"))
            with work.held.snapshot() as view:
                made = plan_erasure(view, work.held.vault, as_of=0, tokens=[token])
            done = work.held.erase(made, ground="asked for", by="clerk")
            assert done.receipt is not None
            acknowledge_bare(work.board, done.receipt)
            work.board.add(erased=keys)

        work.do("put", put)
        work.do("append", buy)
        work.do("erase", erase)


def work_prune(work: Work) -> None:
    """What was announced and has waited goes, and no byte of it is left."""

    def prune() -> None:
        acknowledge_bare(work.board, work.held.prune("due").receipt)
        work.board.add(deleted=True)

    work.open()
    work.append(2)
    work.do("prune", prune)
    work.append(2)


def make_due(path: Path) -> None:
    """A ledger in which events were announced that may go now; each says SECRET."""
    clock = Clock()
    secret = Extension("https://example.com/", "remark", SECRET.decode())
    anything = Rule("all", "S1 VII", Selector(), keep_until=After(Anchor.RECEIPT, Term(days=1)))
    with create_ledger(path, clock) as ledger:
        ledger.retain(Policy(name="short", regimes=(Regime("test", "Of a test", (anything,)),), wait_days=1))
        ledger.append([commission(pack_ids(900))])
        for number in range(1, 40):
            ledger.append([evolve(observe(pack_ids(3, start=number)), extensions=(secret,))] * 3)
        clock.advance(3 * 366 * DAY)
        ledger.accept_clock("closed for years")
        for _ in range(2):
            clock.advance(DAY)
            ledger.append([Record("note", "a day")])
        with ledger.snapshot() as view:
            made = plan(view, as_of=shanghai_day(clock.now))
        ledger.announce(made, name="due", reason="due")
        for _ in range(2):
            clock.advance(DAY)
            ledger.append([Record("note", "a day")])


def secret_of(token: bytes, which: str) -> str:
    """A personal value of the person with this token, as no other has it."""
    return f"{which} of person {int.from_bytes(token, 'big')}"


def work_create(work: Work) -> None:
    def create() -> None:
        work.ledger = create_ledger(work.path)
        work.board.add(note=work.ledger.checkpoint(), created=True)

    work.do("create", create)
    work.append(2)


def work_restore(work: Work) -> None:
    def restore() -> None:
        work.ledger = restore_ledger(work.path)
        work.board.add(note=work.ledger.checkpoint(), restored=True)

    work.do("restore", restore)
    work.append(2)


# ---- under the pilot's rules ----------------------------------------------------------------------


class Sale(World):
    """The events of `World`, for a ledger that others hold."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def through(self, pack: str, po: str) -> list[Event]:
        """One pack from the maker to its buyer: lawful as a whole, whatever went before."""
        return [
            self.commission(pack), self.ship(pack), self.bond_in(pack), self.order(pack, po=po, yuan="1.5"),
            self.pay(pack, po=po, yuan="1.5"), self.clear(pack, po=po), self.sell(pack), self.deliver(pack),
        ]  # fmt: skip

    def unlawful(self, pack: str, po: str) -> list[Event]:
        """One pack that is ordered and given up, sold before it is cleared, held, and held no more."""
        held = self.hold(pack)
        return [
            self.commission(pack, lot=None), self.bond_in(pack), self.order(pack, po=po, yuan="2"),
            self.cancel(pack, po=po, yuan="2"), self.order(pack, po=po, buyer=None), self.sell(pack),
            held, self.undo(held),
        ]  # fmt: skip


def packs_of(events: list[Event]) -> tuple[str, ...]:
    """The one pack of each event."""
    return tuple(epc for event in events for epc in event.epcs)


def registers(name: str) -> list[Record]:
    """Registers that can follow whatever is there: a place, a merchant that is suspended at once, a recall, one that
    is closed at once, another profile."""
    values = (
        place(f"urn:example:place:{name}", "warehouse"),
        merchant(f"urn:example:merchant:{name}"),
        suspension(f"urn:example:merchant:{name}"),
        opened(Lot(NMPA_PRODUCT, name), f"R{name}"),
        opened(Lot(NMPA_PRODUCT, name), f"S{name}"),
        closed(f"S{name}"),
        profile(name=f"p{name}", order_limit=Decimal(4000)),
    )
    return [value.record() for value in values]


def work_pilot(work: Work) -> None:
    work.open()
    sale = Sale(Clock())
    for _ in range(2):
        work.record_sale(sale.through, strict=True)
        work.record_sale(sale.unlawful)
        work.record_registers()
    # What many packs remember: more than one tail of it.
    old = pack_ids(700)
    work.do("append", lambda: (work.held.append([sale.ship(*old), sale.bond_in(*old)]), None)[1])
    work.do("append", lambda: (work.held.append([sale.order(*old, po="all")]), None)[1])
    work.record_sale(sale.through)


def work_pilot_reindex(work: Work) -> None:
    work.open()
    sale = Sale(Clock())
    work.record_sale(sale.through)
    work.record_registers()
    work.do("reindex", lambda: (work.held.reindex(), None)[1])
    work.record_sale(sale.unlawful)
    work.record_sale(sale.through, strict=True)


def work_pilot_threads(work: Work) -> None:
    """Sales and registers from several threads; whoever fails leaves it at that."""
    work.open()
    sale = Sale(Clock())

    def several(number: int) -> None:
        for turn in range(3):
            name = work.serial(1)
            events = (sale.through if turn else sale.unlawful)(pack_ids(1, start=name)[0], str(name))
            try:
                if number == turn:
                    acknowledge_bare(work.board, work.held.append(registers(str(name))))
                acknowledge(work.board, work.held.append(events, strict=turn == 2), packs_of(events))
            except StorageError as error:
                work.board.add(op="append", error=type(error).__name__, said=str(error))

    threads = [threading.Thread(target=several, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any("error" in line for line in work.board.lines()):
        work.failed("append")


SCENARIOS: dict[str, Callable[[Work], None]] = {
    "append": work_append,
    "threads": work_threads,
    "reindex": work_reindex,
    "backup": work_backup,
    "compact": work_compact,
    "compact-pair": work_compact,
    "create": work_create,
    "erase": work_erase,
    "prune": work_prune,
    "restore": work_restore,
    "pair": work_append,
    "pilot": work_pilot,
    "pilot-reindex": work_pilot_reindex,
    "pilot-threads": work_pilot_threads,
}


#: Bytes that are written and deleted: once that is done, whoever opens the ledger to write leaves them in no file.
SECRET = b"what was deleted can be read in the file until it is compacted"


def delete_secret(work: Work) -> None:
    """Write something and delete it, as pruning does; what it says stays in pages that LMDB has freed."""
    store = work.held._store
    with store.lock.held(), store.write() as txn:
        txn.put_meta("secret", SECRET)
    with store.lock.held(), store.write() as txn:
        txn.txn.delete(b"secret", db=txn.env.tables["meta"])
        txn.put_meta("uncompacted", b"1")
    work.board.add(deleted=True)


def compact_vault(ledger: Ledger) -> None:
    """The vault has generations of its own."""
    with ledger._store.lock.held():
        ledger.vault.compact()


def create_ledger(path: Path, clock: Clock | None = None) -> Ledger:
    return Ledger.create(
        path, origin=ORIGIN, signer=KEYS.log, root=KEYS.root, author=KEYS.author, clock=clock or Clock(),
        random=os.urandom,
    )  # fmt: skip


def open_ledger(path: Path) -> Ledger:
    return Ledger.open(path, signer=KEYS.log, author=KEYS.author, clock=Clock(), random=os.urandom)


def restore_ledger(path: Path) -> Ledger:
    return Ledger.restore(path, signer=KEYS.log, author=KEYS.author, reason="disk lost", clock=Clock())


def anchor_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.anchor")


def copy_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.copy")
