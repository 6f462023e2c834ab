"""Pruned logs for tests: which sets of parts may go by the rules of the log, and what an index is made of."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

from pilot_world import MINUTE, REGISTERED, World
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType, decode_rows
from tracechain.errors import InputError
from tracechain.event import Event
from tracechain.ledger import Ledger
from tracechain.ledger.forgetting import forget
from tracechain.replay import State
from tracechain.retention.ranges import Ranges, count, of_indices
from tracechain.rules import shanghai_year
from tracechain.rules.packing import empties
from tracechain.store.tables import EMPTIED, TIMES, key_of
from tracechain.testing import open_ledger
from tracechain.view import View
from tracing_histories import History, Player

__all__ = ["LATER", "Lives", "derived", "drop", "droppable_contents", "droppable_rows", "replayed"]

#: 2028-02-01: what came in in 2026 may go.
LATER = 1_832_947_200_000


class Lives:
    """A world that goes on over years."""

    def __init__(self, folder: Path, *, pilot: bool = True) -> None:
        self.world = World(folder, REGISTERED if pilot else ())
        self.player = Player(self.world if pilot else None)
        self.old = 0

    def play(self, history: History) -> None:
        """Record a history; commits that are refused are left out."""
        world = self.world
        for commit in history.commits:
            for append in commit.appends:
                contents = self.player.contents(append)
                if contents:
                    try:
                        world.ledger.append(contents)
                    except InputError:
                        continue
                world.clock.advance(MINUTE)

    def years_later(self) -> None:
        """What there is now is old."""
        with self.world.ledger.snapshot() as view:
            self.old = view.size
        self.world.clock.set(LATER)
        self.world.ledger.accept_clock("the store was closed")

    def reopen(self) -> None:
        """Open the ledger anew, with salts that begin anew."""
        self.world.ledger.close()
        self.world.ledger = open_ledger(self.world.path, keys=self.world.keys, clock=self.world.clock)

    def twin(self, folder: Path) -> Ledger:
        """A copy of the ledger with a rebuilt index, open for writing at the same time and with the same salts."""
        world = self.world
        world.ledger.close()
        shutil.copytree(world.path, folder / "ledger")
        shutil.copy(world.path.with_name("ledger.anchor"), folder / "ledger.anchor")
        self.reopen()
        twin = open_ledger(folder / "ledger", keys=world.keys, clock=world.clock)
        twin.reindex()
        return twin


def event_of(view: View, index: int) -> Event | None:
    """The event of an entry, if it is one and kept."""
    header, part = view.header(index), view.content(index)
    return None if part is None or header is None or header[4] != EntryType.EVENT else decode(part[SALT_SIZE:])


def droppable_contents(view: View, stop: int) -> list[int]:
    """Events before an entry that may lose their contents at all: what empties a container stays."""
    found = []
    for index in range(stop):
        event = event_of(view, index)
        if event is not None and not empties(event):
            found.append(index)
    return found


def droppable_rows(view: View, rng: random.Random) -> list[int]:
    """Some entries that may lose their rows: content gone, as that of the next entry of each subject, and the rows of
    each subject's entries before."""
    after: dict[tuple[str, int], int] = {}
    told: dict[int, list[tuple[str, int | None]]] = {}
    for index, part in view.all_rows(0, view.size):
        told[index] = [(row.subject, row.previous) for row in decode_rows(part[SALT_SIZE:])[1]]
        for subject, previous in told[index]:
            if previous is not None:
                after[subject, previous] = index
    gone: list[int] = []
    for index, rows in told.items():
        if (
            (view.header(index) or b"")[4] == EntryType.EVENT
            and view.content(index) is None
            and all(
                (following := after.get((subject, index))) is not None
                and view.content(following) is None
                and (previous is None or previous not in told or previous in gone)
                for subject, previous in rows
            )
            and rng.random() < 0.8
        ):
            gone.append(index)
    return gone


def drop(ledger: Ledger, contents: Ranges, rows: Ranges = ()) -> None:
    """Drop parts without asking anybody."""
    with ledger._store.lock.held(), ledger._store.write() as txn:
        forget(txn, contents, rows, txn.tip.time)
        txn.put_meta("pruned", key_of(count(contents) + count(rows)))
        txn.index.flush(txn.txn)


def derived(ledger: Ledger) -> dict[str, Any]:
    """What the index says, as a value."""
    with ledger._store.read() as txn:
        found: dict[str, Any] = {name: dict(txn.txn.cursor(txn.env.tables[name])) for name in (EMPTIED, TIMES)}
        found["row nodes"] = dict(txn.txn.cursor(txn.env.tables["row nodes"]))
    with ledger.snapshot() as view:
        units = dict(view.units())
        found["units"] = units
        found["words"] = dict(zip(units, view.words([*units]), strict=True))
        found["memories"] = {subject: view.memory(subject) for subject in units}
        found["mentions"] = {name: [at for run in view.mentions(name) for at in run] for name in view.names("")}
        year = shanghai_year(view.tip.time)
        with ledger._store.read() as txn:
            found["spent"] = {
                key: value
                for key, value in txn.txn.cursor(txn.env.tables["spent"])
                if int.from_bytes(key[-2:], "big") >= year - 1
            }
    return found


def replayed(view: View, state: State) -> dict[str, Any]:
    """What a replay came to, in the words of `derived`, as far as it has them."""
    year = shanghai_year(int.from_bytes((view.header(view.size - 1) or b"")[8:16], "big"))
    return {
        "units": state.units,
        "memories": {subject: state.memory(subject) for subject in state.units},
        "packed": {subject: state.packed(subject) for subject in state.units},
        "emptied": {subject: place for subject, place in state.emptyings.items() if place},
        "spent": {key: yuan for key, yuan in state.spending.items() if key[1] >= year - 1},
    }


def some(rng: random.Random, indices: list[int]) -> Ranges:
    """Some of them: a few, many, or all of a stretch."""
    share = rng.choice((0.1, 0.5, 0.9, 1.0))
    start = rng.choice((0, 0, len(indices) // 2))
    return of_indices(index for index in indices[start:] if rng.random() < share)
