"""The peers, each driven the way someone who knows it would.

All are durable: SQLite in WAL mode with synchronous=FULL, which syncs the log at every commit and which all of
them allow (their default, a rollback journal, syncs more often and is no faster); LMDB with its defaults. All get
what they store ready made, outside the timing: our canonical content as bytes for pymerkle and eventsourcing, the
same facts as strings and a dict for auditchain. What the ledger is measured on, from event objects to receipt,
they do not have to do. So two of them are shown more than once: pymerkle as a table of leaf hashes whose tree is
left for later, with the root of the tree after every commit (a receipt of ours stands under one), and with that
root and from the same event objects; eventsourcing also from its own kind of event objects, which its mapper
encodes.

    pymerkle        SqliteTree.append_entries, get_root: one leaf hash an entry, and the tree. No signature, no chain
    eventsourcing   SQLiteApplicationRecorder.insert_events (after Mapper.to_stored_event): one row an event under its
                    unit's id. No hash. Its aggregates and application, which take several times as long, are left out
    auditchain      AuditLog.append_many on SqliteBackend: a SHA-256 chain, or an Ed25519 signature a record as well

The raw floor, the very puts of our own commits into the same LMDB tables, is in ledgers.py.
"""

import asyncio
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import auditchain
import eventsourcing.persistence
import eventsourcing.sqlite
import pymerkle

from tracechain.encoding import encode
from tracechain.event import ObjectEvent
from workloads import chunks

__all__ = ["AuditChain", "EventSourcing", "Pymerkle"]

_SPACE = uuid.UUID(int=0)
FULL = 2


def _durable(connection: sqlite3.Connection) -> None:
    """WAL and a sync at each commit. Fails where SQLite was built to do less."""
    assert _first(connection, "PRAGMA journal_mode=WAL") == "wal"
    connection.execute("PRAGMA synchronous=FULL")
    assert _first(connection, "PRAGMA synchronous") == FULL


def _first(connection: sqlite3.Connection, statement: str) -> object:
    row = connection.execute(statement).fetchone()
    return row if isinstance(row, str | int) else row[0]


class Pymerkle:
    """pymerkle 7.0.0 on SQLite."""

    def __init__(
        self, folder: Path, batch: int, *, root: bool = False, from_events: bool = False, tuned: bool = True
    ) -> None:
        self.name = "pymerkle, " + ("root a commit" if root else "leaf hashes only")
        self.name += ", from event objects" if from_events else ""
        # As it comes, SQLite keeps a rollback journal, durable too; WAL is what an expert would set.
        self.name += "" if tuned else ", as it comes"
        self.batch = batch
        self._root = root
        self._from_events = from_events
        folder.mkdir(parents=True)
        self.file = folder / "tree.db"
        self.tree = pymerkle.SqliteTree(str(self.file))
        if tuned:
            _durable(self.tree.con)

    def prepare(self, events: list[ObjectEvent]) -> list[Any]:
        commits = chunks(events, self.batch)
        return commits if self._from_events else [[encode(event) for event in commit] for commit in commits]

    def append(self, commit: Any) -> object:
        entries = [encode(event) for event in commit] if self._from_events else commit
        self.tree.append_entries(entries)
        return self.tree.get_root() if self._root else None

    def prove(self, index: int) -> object:
        """The inclusion proof of an entry, from 0."""
        return self.tree.prove_inclusion(index + 1)

    def close(self) -> None:
        self.tree.close()


@dataclass(frozen=True)
class Scan:
    """A domain event of eventsourcing that says what our event says."""

    originator_id: uuid.UUID
    originator_version: int
    event_time: int
    time_zone_offset: int
    action: str
    biz_step: str | None
    disposition: str | None
    read_point: str | None
    biz_location: str | None


class EventSourcing:
    """eventsourcing 9.5.6, SQLite."""

    def __init__(self, folder: Path, batch: int, *, from_events: bool = False) -> None:
        self.name = "eventsourcing" + (", from event objects" if from_events else ", entries ready made")
        self.batch = batch
        self._from_events = from_events
        self._mapper: Any = eventsourcing.persistence.Mapper(eventsourcing.persistence.JSONTranscoder())
        folder.mkdir(parents=True)
        self.file = folder / "events.db"
        # Sets WAL itself; synchronous is FULL by default, which is checked.
        self.store = eventsourcing.sqlite.SQLiteDatastore(str(self.file))
        self.recorder = eventsourcing.sqlite.SQLiteApplicationRecorder(self.store)
        self.recorder.create_table()
        with self.store.transaction(commit=False) as cursor:
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone()[0] == FULL
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone()[0] == "wal"
        self._versions: dict[str, int] = {}

    def prepare(self, events: list[ObjectEvent]) -> list[Any]:
        return [[self._stored(event) for event in commit] for commit in chunks(events, self.batch)]

    def _stored(self, event: ObjectEvent) -> object:
        unit = event.epcs[0]
        version = self._versions[unit] = self._versions.get(unit, 0) + 1
        if self._from_events:
            return Scan(
                uuid.uuid5(_SPACE, unit),
                version,
                event.event_time,
                event.time_zone_offset,
                event.action,
                event.biz_step,
                event.disposition,
                event.read_point,
                event.biz_location,
            )
        return eventsourcing.persistence.StoredEvent(
            originator_id=uuid.uuid5(_SPACE, unit),
            originator_version=version,
            topic="scan:ObjectEvent",
            state=encode(event),
        )

    def append(self, commit: Any) -> object:
        stored = list(map(self._mapper.to_stored_event, commit)) if self._from_events else commit
        return self.recorder.insert_events(stored)

    def close(self) -> None:
        self.store.close()


class AuditChain:
    """auditchain 0.3.0 on SQLite: a SHA-256 chain, with `sign` an Ed25519 signature a record as well."""

    def __init__(self, folder: Path, batch: int, *, sign: bool) -> None:
        self.name = "auditchain, " + ("Ed25519 a record" if sign else "SHA-256 chain")
        self.batch = batch
        folder.mkdir(parents=True)
        self.file = folder / "audit.db"
        self._loop = asyncio.new_event_loop()
        seed, _ = auditchain.generate_keypair() if sign else (None, None)
        backend = auditchain.SqliteBackend(self.file)
        self.log = auditchain.AuditLog(backend, signing_key=seed)
        self._loop.run_until_complete(self.log.init())
        _durable(backend._connection())

    def prepare(self, events: list[ObjectEvent]) -> list[Any]:
        return [[_facts(event) for event in commit] for commit in chunks(events, self.batch)]

    def append(self, commit: Any) -> object:
        return self._loop.run_until_complete(self.log.append_many(commit))

    def verify(self) -> int:
        """Check the whole log; the number of records."""
        report = self._loop.run_until_complete(self.log.verify())
        assert report.ok
        checked: int = report.records_checked
        return checked

    def prove(self, index: int) -> object:
        """The inclusion proof of a record."""
        return self._loop.run_until_complete(self.log.inclusion_proof(index))

    def close(self) -> None:
        self._loop.run_until_complete(self.log.close())
        self._loop.close()


def _facts(event: ObjectEvent) -> tuple[str | None, str | None, str, dict[str, Any]]:
    """(actor, action, subject, metadata): what the event says, and not more bytes than it takes."""
    more = {"t": event.event_time, "z": event.time_zone_offset, "d": event.disposition, "l": event.biz_location}
    return event.read_point, event.biz_step, event.epcs[0], more
