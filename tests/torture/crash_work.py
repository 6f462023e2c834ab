"""What the children of points.py do: a board to report on, and the scenarios they run on a ledger."""

from __future__ import annotations

import json
import mmap
import os
import random
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tracechain.errors import PoisonedError, StorageError, TracechainError
from tracechain.ledger import Ledger, Receipt
from tracechain.testing import Clock, Keys
from tracechain.testing.samples import commission, observe, pack_ids

KEYS = Keys()
ORIGIN = "ledger.example/torture"


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

    def append(self, count: int, *, strict: bool = False) -> None:
        with self._lock:
            first, self._serial = self._serial, self._serial + count
        ids = pack_ids(count, start=first)

        def run() -> None:
            receipt = self.held.append([commission((one,)) for one in ids], strict=strict)
            acknowledge(self.board, receipt, ids)

        self.do("append", run)

    def submit(self, number: int) -> None:
        def run() -> None:
            receipt = self.held.submit(self.submissions[number])
            self.board.add(first=receipt.first, count=receipt.count, ids=None, note=receipt.checkpoint)

        self.do("submit", run)

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


SCENARIOS: dict[str, Callable[[Work], None]] = {
    "append": work_append,
    "threads": work_threads,
    "reindex": work_reindex,
    "backup": work_backup,
    "create": work_create,
    "restore": work_restore,
    "pair": work_append,
}


def create_ledger(path: Path) -> Ledger:
    return Ledger.create(
        path, origin=ORIGIN, signer=KEYS.log, root=KEYS.root, author=KEYS.author, clock=Clock(), random=os.urandom
    )


def open_ledger(path: Path) -> Ledger:
    return Ledger.open(path, signer=KEYS.log, author=KEYS.author, clock=Clock(), random=os.urandom)


def restore_ledger(path: Path) -> Ledger:
    return Ledger.restore(path, signer=KEYS.log, author=KEYS.author, reason="disk lost", clock=Clock())


def anchor_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.anchor")


def copy_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.copy")
