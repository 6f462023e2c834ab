"""An author beside the ledger, and a ledger that has a bit of everything in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import define, field

from tracechain import record
from tracechain.encoding import encode
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import EquivocationError
from tracechain.event import Event
from tracechain.ledger import Ledger
from tracechain.ledger.ledger import DEFAULT_JUMP_LIMIT
from tracechain.record import Record, encode_record
from tracechain.signing import Signer
from tracechain.statement import Item, Submission, encode_submission, sign_statement, statement_leaves
from tracechain.testing.samples import case_id, observe, pack_ids, receive, sample_events, ship
from tracechain.testing.standins import START, Clock, Keys, Random, new_ledger

__all__ = ["Scanner", "sample_ledger"]

_ZERO = bytes(32)


@define
class Scanner:
    """Makes submissions as a station does, but keeps nothing: for tests that also want to do it wrong.

    `first` and `previous` are what the next statement will say; set them to leave a gap or to contradict.
    """

    signer: Signer
    ledger_id: bytes
    random: Callable[[int], bytes] = field(factory=lambda: Random(100))
    first: int = 0
    previous: bytes = _ZERO

    def make(self, contents: Sequence[Event | Record], *, record_class: int = 0, at: int = START) -> bytes:
        """Sign a statement over the contents and go on; returns the bytes of the submission."""
        items = tuple(
            Item(int(EntryType.RECORD), record_class, self.random(SALT_SIZE), encode_record(content))
            if isinstance(content, Record)
            else Item(int(EntryType.EVENT), record_class, self.random(SALT_SIZE), encode(content))
            for content in contents
        )
        statement = sign_statement(
            self.signer,
            ledger_id=self.ledger_id,
            first=self.first,
            count=len(items),
            previous=self.previous,
            signed_at=at,
            leaves=statement_leaves(
                [i.commitment for i in items], [i.record_class for i in items], [i.type for i in items]
            ),
        )
        self.first += len(items)
        self.previous = statement.hash
        return encode_submission(Submission(statement, items))


def sample_ledger(
    path: Path, *, keys: Keys | None = None, packs: int = 8, rounds: int = 0, contradiction: bool = False
) -> None:
    """Make a ledger with nearly every type of entry and close it. Verification finds nothing in it.

    Two stations (`keys.station` writes events and notes, `keys.other_station` events) and the ledger's own author
    write; the other station is revoked; the clock goes back once and jumps once. With `contradiction` the other
    station signs a number twice, which is kept as evidence and is a finding. `rounds` more batches of eight
    stocktakes follow, for a larger ledger.
    """
    keys, clock = keys or Keys(), Clock()
    with new_ledger(path, keys=keys, clock=clock) as ledger:
        for batch in sample_events(packs):
            ledger.append(batch, record_class=1)
            clock.advance(60_000)
        one, other = (
            Scanner(signer, ledger.ledger_id, Random(seed))
            for seed, signer in ((101, keys.station), (102, keys.other_station))
        )
        _authorise(ledger, keys, keys.station, "station 1", ("event", "note"))
        _authorise(ledger, keys, keys.other_station, "station 2", ("event",))
        ids = pack_ids(packs)
        for number in range(3):
            ledger.submit(one.make([ship(ids[4:6]), receive(ids[4:6])], record_class=2))
            clock.advance(1000)
            ledger.submit(other.make([observe(ids[5:7]), observe((case_id(2 + number),))]))
        ledger.submit(one.make([Record("note", ("seal broken",), case_id(2)), Record("note", ("shift ends",))]))
        if contradiction:
            _contradict(ledger, other)
        clock.advance(-5_000)
        ledger.append([observe(ids[6:7])])
        ledger.revoke(record.revoke(ledger.ledger_id, keys.other_station.public_key.hash, keys.root, "scanner lost"))
        clock.advance(2 * DEFAULT_JUMP_LIMIT)
        ledger.accept_clock("the machine was in storage")
        ledger.append([observe(ids[:2]), observe(ids[6:8])])
        for number in range(rounds):
            ledger.append([observe(ids[(number + n) % packs :][:1]) for n in range(8)])
        ledger.submit(one.make([receive(ids[7:8]), ship(ids[7:8])], record_class=2))


def _authorise(ledger: Ledger, keys: Keys, holder: Signer, label: str, scope: tuple[str, ...]) -> None:
    ledger.authorise(record.authorise(ledger.ledger_id, holder, keys.root, label, scope))


def _contradict(ledger: Ledger, scanner: Scanner) -> None:
    """Sign one number twice: the ledger refuses the second statement and keeps the evidence."""
    twin = Scanner(scanner.signer, scanner.ledger_id, Random(103), scanner.first, scanner.previous)
    ledger.submit(scanner.make([observe(pack_ids(1, start=5))]))
    try:
        ledger.submit(twin.make([observe(pack_ids(1, start=6))]))
    except EquivocationError:
        return
    raise AssertionError("the ledger took two statements for one number")
