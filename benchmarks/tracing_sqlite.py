"""The peer of tracing: the same facts in SQLite, in tables made for these questions.

    words           places, parties, steps, dispositions: small numbers in the tables, texts in the answers
    subjects        every code with its lot, and what is current of it: state, container, last sighting, holder
    events          one row an event; what few events have (documents, buyer, parties, lot) is JSON in `detail`
    event_subjects  which codes an event names, clustered by code and time
    stays           what was in what, from one moment to another: packed, and unpacked or packed elsewhere

The tables with composite keys are WITHOUT ROWID. `subjects` and `stays` are worked out while loading: a stay ends by
the event that takes it out, be it by name or by emptying the container, which is then noted for each thing that was
in; so that the last sighting of a code, and the last ones of what it is in now, tell where it is. Where each
container's things are now is not kept: a scan of a voyage would have to change a million rows.

A fan-out is asked in two ways: of `subjects` with all that it keeps, which tells how it is now and no other time; and
of `stays` and the events, with no more kept of a unit than state and latest event, as the index of the ledger does.

Loading is without journal and sync, in sorted order, and ends with ANALYZE. Questions run with the whole file mapped
and a page cache of 256 MiB, over a connection that has asked before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tracechain import custody
from tracechain.event import AggregationEvent, Event, ObjectEvent, TransactionEvent
from tracechain.event.sale import LOT, label, source

__all__ = ["Loader", "Peer", "load"]

#: The end of a stay that has not ended.
_NEVER = (1 << 63) - 1
_CLASSES: dict[type[Event], int] = {ObjectEvent: 0, AggregationEvent: 1, TransactionEvent: 2}
_ACTIONS = {"ADD": 0, "OBSERVE": 1, "DELETE": 2}

_TABLES = """
CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL);
CREATE TABLE lots (id INTEGER PRIMARY KEY, product TEXT NOT NULL, lot TEXT NOT NULL, UNIQUE (product, lot));
CREATE TABLE events (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, zone INTEGER NOT NULL, received INTEGER NOT NULL,
    author INTEGER NOT NULL, class INTEGER NOT NULL, action INTEGER NOT NULL, step INTEGER, disposition INTEGER,
    read_point INTEGER, location INTEGER, parent INTEGER, holder INTEGER, buyer TEXT, detail TEXT
);
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, lot INTEGER, state INTEGER NOT NULL, last INTEGER NOT NULL,
    parent INTEGER, seen INTEGER, place INTEGER, holder INTEGER, buyer TEXT
);
CREATE TABLE event_subjects (
    subject INTEGER NOT NULL, time INTEGER NOT NULL, event INTEGER NOT NULL, act INTEGER NOT NULL,
    state INTEGER NOT NULL, violations TEXT, PRIMARY KEY (subject, time, event)
) WITHOUT ROWID;
CREATE TABLE stays (
    child INTEGER NOT NULL, start INTEGER NOT NULL, parent INTEGER NOT NULL, stop INTEGER NOT NULL,
    PRIMARY KEY (child, start)
) WITHOUT ROWID;
"""

_INDICES = """
CREATE UNIQUE INDEX subjects_by_code ON subjects (code);
CREATE INDEX subjects_by_lot ON subjects (lot) WHERE lot IS NOT NULL;
CREATE INDEX stays_by_parent ON stays (parent, start, child, stop);
"""

#: Containers of a code, each with the time that the code spent in it, through all levels; then what any of them saw.
#: What packs and unpacks names both, and comes once.
_TRACE = """
WITH RECURSIVE inside (subject, start, stop, depth) AS (
    SELECT id, -1, 9223372036854775807, 0 FROM subjects WHERE code = ?
    UNION ALL
    SELECT s.parent, max(s.start, i.start), min(s.stop, i.stop), depth + 1
    FROM inside i JOIN stays s ON s.child = i.subject AND s.start <= i.stop AND s.stop >= i.start
    WHERE depth < 32
)
SELECT e.id, e.time, e.zone, e.received, e.author, c.code, i.depth, r.act, r.state, r.violations, e.class, e.action,
    e.step, e.disposition, e.read_point, e.location, e.holder, e.parent, e.buyer, e.detail
FROM inside i CROSS JOIN event_subjects r ON r.subject = i.subject AND r.time > i.start AND r.time < i.stop
    CROSS JOIN events e ON e.id = r.event CROSS JOIN subjects c ON c.id = i.subject
ORDER BY e.time, e.id
"""

#: Where the containers of these units are is worked out once each, not once a unit.
_FAN_OUT = """
WITH RECURSIVE
    boxes (box) AS MATERIALIZED (
        SELECT DISTINCT parent FROM subjects WHERE lot = :lot AND parent IS NOT NULL
    ),
    up (box, at, parent, depth) AS (
        SELECT box, box, (SELECT parent FROM subjects WHERE id = box), 0 FROM boxes
        UNION ALL
        SELECT box, parent, (SELECT parent FROM subjects WHERE id = up.parent), depth + 1 FROM up
        WHERE parent IS NOT NULL AND depth < 32
    ),
    found (box, seen, place, holder) AS MATERIALIZED (
        SELECT up.box, max(s.seen), s.place, s.holder FROM up CROSS JOIN subjects s ON s.id = up.at GROUP BY up.box
    ),
    outermost (box, code) AS MATERIALIZED (
        SELECT box, (SELECT code FROM subjects WHERE id = at) FROM up WHERE parent IS NULL
    )
SELECT u.code, u.state, u.last, p.word, CASE u.state & 15
        WHEN 8 THEN u.buyer WHEN 9 THEN u.buyer WHEN 2 THEN NULL ELSE h.word END,
    o.code, CASE WHEN f.seen > u.seen THEN f.seen ELSE u.seen END
FROM subjects u LEFT JOIN found f ON f.box = u.parent LEFT JOIN outermost o ON o.box = u.parent
    LEFT JOIN words p ON p.id = CASE WHEN f.seen > u.seen THEN f.place ELSE u.place END
    LEFT JOIN words h ON h.id = CASE WHEN f.seen > u.seen THEN f.holder ELSE u.holder END
WHERE u.lot = :lot
"""

#: What a subject is in now, and where it was seen last, from the facts.
_NOW = "(SELECT parent FROM stays WHERE child = {} AND stop = 9223372036854775807 ORDER BY start DESC LIMIT 1)"
_SIGHT = (
    "(SELECT event FROM event_subjects r CROSS JOIN events e ON e.id = r.event WHERE r.subject = {} AND e.class <> 2"
    " AND coalesce(e.read_point, e.location) IS NOT NULL ORDER BY r.time DESC, r.event DESC LIMIT 1)"
)
_BUYER = (
    "(SELECT e.buyer FROM event_subjects r CROSS JOIN events e ON e.id = r.event WHERE r.subject = {}"
    " AND e.buyer IS NOT NULL ORDER BY r.time DESC, r.event DESC LIMIT 1)"
)

#: The same answer where only state and last event of a unit are kept, and the rest is found among the facts.
_FAN_OUT_OF_FACTS = f"""
WITH RECURSIVE
    members (unit, code, state, last, parent, sight) AS MATERIALIZED (
        SELECT id, code, state, last, {_NOW.format("u.id")}, {_SIGHT.format("u.id")} FROM subjects u WHERE lot = :lot
    ),
    boxes (box) AS MATERIALIZED (SELECT DISTINCT parent FROM members WHERE parent IS NOT NULL),
    up (box, at, parent, depth) AS (
        SELECT box, box, {_NOW.format("box")}, 0 FROM boxes
        UNION ALL
        SELECT box, parent, {_NOW.format("up.parent")}, depth + 1 FROM up WHERE parent IS NOT NULL AND depth < 32
    ),
    seen (box, event) AS MATERIALIZED (SELECT box, {_SIGHT.format("at")} FROM up),
    found (box, time, event) AS MATERIALIZED (
        SELECT box, max(e.time), e.id FROM seen CROSS JOIN events e ON e.id = seen.event GROUP BY box
    ),
    outermost (box, code) AS MATERIALIZED (
        SELECT box, (SELECT code FROM subjects WHERE id = at) FROM up WHERE parent IS NULL
    )
SELECT u.code, u.state, u.last, p.word, CASE u.state & 15
        WHEN 8 THEN {_BUYER.format("u.unit")} WHEN 9 THEN {_BUYER.format("u.unit")} WHEN 2 THEN NULL ELSE h.word END,
    o.code, e.time
FROM members u LEFT JOIN found f ON f.box = u.parent LEFT JOIN outermost o ON o.box = u.parent
    LEFT JOIN events s ON s.id = u.sight
    LEFT JOIN events e ON e.id = CASE WHEN f.time > s.time THEN f.event ELSE u.sight END
    LEFT JOIN words p ON p.id = coalesce(e.read_point, e.location) LEFT JOIN words h ON h.id = e.holder
"""

_WHERE = """
WITH RECURSIVE up (at, depth) AS (
    SELECT id, 0 FROM subjects WHERE code = ?
    UNION ALL
    SELECT (SELECT parent FROM subjects WHERE id = at) AS parent, depth + 1 FROM up
    WHERE parent IS NOT NULL AND depth < 32
)
SELECT s.code, s.state, s.last, s.seen, s.place, s.holder, s.buyer, depth
FROM up CROSS JOIN subjects s ON s.id = up.at ORDER BY depth
"""

_STOCK = """
SELECT l.product, l.lot, n FROM (
    SELECT lot AS number, count(*) AS n FROM subjects WHERE lot IS NOT NULL AND state & 15 NOT IN (0, 2, 8, 9, 12)
    GROUP BY lot
) CROSS JOIN lots l ON l.id = number ORDER BY 1, 2
"""


class Peer:
    """A loaded database, and the questions."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
        for setting in ("mmap_size=17179869184", "cache_size=-262144", "temp_store=MEMORY", "query_only=1"):
            self._connection.execute(f"PRAGMA {setting}").fetchall()
        self._words: dict[int | None, str | None] = {None: None}
        self._words.update(self._connection.execute("SELECT id, word FROM words"))

    def trace(self, code: str) -> list[tuple[Any, ...]]:
        """Everything that a code and what it was in at the time saw, with all fields, by time."""
        word = self._words
        return [
            (*row[:12], word[row[12]], word[row[13]], word[row[14]], word[row[15]], word[row[16]], *row[17:])
            for row in self._connection.execute(_TRACE, (code,))
        ]

    def fan_out(self, product: str, lot: str) -> Iterator[tuple[Any, ...]]:
        """(unit, state, last event, place, holder, outermost container, time of the sighting) of a lot's units."""
        return iter(self._connection.execute(_FAN_OUT, {"lot": self._lot(product, lot)}))

    def fan_out_of_facts(self, product: str, lot: str) -> Iterator[tuple[Any, ...]]:
        """The same, from stays and events."""
        return iter(self._connection.execute(_FAN_OUT_OF_FACTS, {"lot": self._lot(product, lot)}))

    def whereabouts(self, code: str) -> tuple[str | None, int, tuple[str, ...]]:
        """Place and time of the last sighting, and the containers, innermost first."""
        rows = self._connection.execute(_WHERE, (code,)).fetchall()
        seen = max((row for row in rows if row[3] is not None), key=lambda row: row[3])
        return self._words[seen[4]], seen[3], tuple([row[0] for row in rows[1:]])

    def stock(self) -> list[tuple[str, str, int]]:
        """(product, lot, units that are neither sold, exported nor destroyed)."""
        return self._connection.execute(_STOCK).fetchall()

    def _lot(self, product: str, lot: str) -> int:
        row = self._connection.execute("SELECT id FROM lots WHERE product = ? AND lot = ?", (product, lot)).fetchone()
        number: int = row[0]
        return number

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


# ---- loading -----------------------------------------------------------------------------------


class Loader:
    """Writes events as they come; what is current, and the stays, once all are there."""

    def __init__(self, path: Path, rule_set: int = custody.PLAIN) -> None:
        self._rule_set = rule_set
        self._table = custody.TABLES[rule_set]
        self._connection = sqlite3.connect(path, isolation_level=None)
        for setting in ("page_size=4096", "journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE",
                        "cache_size=-524288", "temp_store=FILE"):  # fmt: skip
            self._connection.execute(f"PRAGMA {setting}").fetchall()
        self._connection.executescript(_TABLES)
        self._connection.execute(
            "CREATE TEMP TABLE named (subject INTEGER, time INTEGER, event INTEGER, act INTEGER, state INTEGER,"
            " violations TEXT)"
        )
        # In order of moments: a number for an ADD is what is packed, of a DELETE what is taken out, None for all.
        self._packing: list[tuple[int, int, bool, int, int | None]] = []
        self._words: dict[str, int] = {}
        self._lots: dict[tuple[str, str], int] = {}
        self._ids: dict[str, int] = {}
        self._lot_of: dict[int, int] = {}
        self._states: list[int] = []
        self._last: list[int] = []
        self._seen: dict[int, tuple[int, int | None, int | None]] = {}
        self._buyers: dict[int, str] = {}

    def take(self, first: int, received: int, events: Sequence[Event]) -> None:
        """Events with neighbouring numbers."""
        rows: list[tuple[Any, ...]] = []
        named: list[tuple[int, int, int, int, int, str | None]] = []
        for number, event in enumerate(events, first):
            rows.append(self._event(number, received, event))
            self._named(number, event, named)
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)
        self._connection.executemany("INSERT INTO temp.named VALUES (?,?,?,?,?,?)", named)
        self._connection.execute("COMMIT")

    def _word(self, word: str | None) -> int | None:
        return None if word is None else self._words.setdefault(word, len(self._words) + 1)

    def _id(self, code: str) -> int:
        number = self._ids.get(code)
        if number is None:
            number = self._ids[code] = len(self._ids)
            self._states.append(0)
            self._last.append(0)
        return number

    def _event(self, number: int, received: int, event: Event) -> tuple[Any, ...]:
        parent = getattr(event, "parent", None)
        return (
            number, event.event_time, event.time_zone_offset, received, 1, _CLASSES[type(event)],
            _ACTIONS[event.action], self._word(event.biz_step), self._word(event.disposition),  # type: ignore[attr-defined]  # all three classes have one
            self._word(event.read_point), self._word(event.biz_location), parent and self._id(parent),
            self._word(_holder(event)), _buyer(event), _detail(event),
        )  # fmt: skip

    def _named(self, number: int, event: Event, named: list[tuple[int, int, int, int, int, str | None]]) -> None:
        time = event.event_time
        seen, buyer = self._sighting(event), _buyer(event)
        table, states, last, latest = self._table, self._states, self._last, self._seen
        for code, act in custody.acts(event, self._rule_set):
            at = self._id(code)
            states[at], codes = table[states[at], act]
            last[at] = number
            named.append((at, time, number, act, states[at], json.dumps(codes) if codes else None))
            if seen is not None and (at not in latest or latest[at][0] < time):
                latest[at] = seen
            if buyer is not None:
                self._buyers[at] = buyer
        if isinstance(event, AggregationEvent) and event.parent is not None and event.action != "OBSERVE":
            parent, adds = self._ids[event.parent], event.action == "ADD"
            if event.epcs:
                self._packing += [(time, number, adds, parent, self._ids[epc]) for epc in event.epcs]
            else:
                self._packing.append((time, number, adds, parent, None))
        lot = label(event, LOT) if isinstance(event, ObjectEvent) and event.ilmd else None
        if lot is not None:
            for epc in event.epcs:
                key = (epc.partition("/21/")[0], lot)
                self._lot_of[self._ids[epc]] = self._lots.setdefault(key, len(self._lots) + 1)

    def _sighting(self, event: Event) -> tuple[int, int | None, int | None] | None:
        place = self._word(event.read_point or event.biz_location)
        if place is None or isinstance(event, TransactionEvent):
            return None
        return event.event_time, place, self._word(_holder(event))

    def finish(self) -> None:
        """Stays, what is current, indices."""
        connection = self._connection
        parents, stays, emptied = _stays(self._packing)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO words VALUES (?,?)", [(n, word) for word, n in self._words.items()])
        connection.executemany("INSERT INTO lots VALUES (?,?,?)", [(n, *lot) for lot, n in self._lots.items()])
        # What was emptied is a sighting of each thing that was in.
        place_of = "SELECT time, coalesce(read_point, location), holder FROM events WHERE id = ?"
        sightings = {event: connection.execute(place_of, (event,)).fetchone() for _, event in emptied}
        for child, event in emptied:
            if child not in self._seen or self._seen[child][0] < sightings[event][0]:
                self._seen[child] = sightings[event]
        connection.executemany(
            "INSERT INTO temp.named VALUES (?,?,?,?,?,NULL)",
            [(child, sightings[event][0], event, -1, self._states[child]) for child, event in emptied],
        )
        connection.executemany("INSERT INTO stays VALUES (?,?,?,?)", stays)
        connection.execute("INSERT INTO event_subjects SELECT * FROM temp.named ORDER BY 1, 2, 3")
        connection.execute("DROP TABLE temp.named")
        nothing = (None, None, None)
        connection.executemany(
            "INSERT INTO subjects VALUES (?,?,?,?,?,?,?,?,?,?)",
            (
                (at, code, self._lot_of.get(at), self._states[at], self._last[at], parents.get(at),
                 *self._seen.get(at, nothing), self._buyers.get(at))
                for code, at in self._ids.items()
            ),
        )  # fmt: skip
        connection.execute("COMMIT")
        connection.executescript(_INDICES)
        connection.execute("ANALYZE")
        connection.close()


def _holder(event: Event) -> str | None:
    """Who has what the event names, as long as nobody bought it: who ships it, else who runs the place."""
    if event.biz_step == "shipping" and (carrier := source(event, "possessing_party")) is not None:
        return carrier
    place = event.read_point or event.biz_location
    return place and place.partition("/254/")[0]


def _buyer(event: Event) -> str | None:
    return None if event.person is None else f"person/{event.person.hex()}"


def _detail(event: Event) -> str | None:
    """What few events have, as JSON."""
    found: dict[str, Any] = {}
    if event.biz_transactions:
        found["documents"] = [[one.type, one.id] for one in event.biz_transactions]
    if event.sources:
        found["sources"] = [[one.type, one.id] for one in event.sources]
    if event.destinations:
        found["destinations"] = [[one.type, one.id] for one in event.destinations]
    if event.extensions:
        found["extensions"] = [[one.namespace, one.name, str(one.value)] for one in event.extensions]
    if isinstance(event, ObjectEvent) and event.ilmd:
        found["ilmd"] = [[one.namespace, one.name, str(one.value)] for one in event.ilmd]
    return json.dumps(found, separators=(",", ":")) if found else None


def _stays(
    packing: list[tuple[int, int, bool, int, int | None]],
) -> tuple[dict[int, int], list[tuple[int, int, int, int]], list[tuple[int, int]]]:
    """(container of each thing now; (child, start, container, stop), by child; (child, event) of each emptying)."""
    packing.sort(key=lambda one: one[:2])
    now: dict[int, tuple[int, int]] = {}
    content: dict[int, set[int]] = {}
    stays: list[tuple[int, int, int, int]] = []
    emptied: list[tuple[int, int]] = []

    def end(child: int, time: int) -> None:
        start, parent = now.pop(child)
        content[parent].discard(child)
        stays.append((child, start, parent, time))

    for time, event, adds, parent, child in packing:
        if child is None:
            for one in sorted(content.get(parent, ())):
                end(one, time)
                emptied.append((one, event))
        elif adds:
            if child in now:
                if now[child][1] == parent:
                    continue
                end(child, time)
            now[child] = (time, parent)
            content.setdefault(parent, set()).add(child)
        elif child in now and now[child][1] == parent:
            end(child, time)
    stays += [(child, start, parent, _NEVER) for child, (start, parent) in now.items()]
    stays.sort()
    return {child: parent for child, (_, parent) in now.items()}, stays, emptied


def load(path: Path, commits: Iterable[tuple[int, int, Sequence[Event]]], rule_set: int = custody.PLAIN) -> None:
    """A database of these events: (number of the first, receipt time in ms, events), ascending."""
    loader = Loader(path, rule_set)
    for first, received, events in commits:
        loader.take(first, received, events)
    loader.finish()
