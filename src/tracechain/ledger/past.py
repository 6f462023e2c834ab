"""What the judge asks of the log while a commit is being sealed, and what it leaves for later.

Packs go by their unit numbers. Nothing is written before `flush`.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from tracechain.derivation import INDEX_MASK
from tracechain.entry import SALT_SIZE, EntryType, Row, decode_rows
from tracechain.errors import DataError
from tracechain.record import Record, decode_record
from tracechain.registers import Profile, RecallStep
from tracechain.retention.keeping import Keeping, policy_of
from tracechain.rules import Anchor, Standing
from tracechain.rules.packing import packing_of
from tracechain.store import Transaction
from tracechain.store.tables import MEMORY, key_of

if TYPE_CHECKING:
    from tracechain.ledger.sealing import Sealing
    from tracechain.ledger.tracks import Tracks

__all__ = ["LedgerPast", "Registers", "Scratch"]

#: Register subjects and answers that are kept from commit to commit. More were asked for than there are: such as the
#: position of each delivery, which is no place.
_ASKED_MOST = 131_072
#: Entries whose rows are remembered within a commit.
_ROWS_MOST = 16


class LedgerPast:
    """The past of the entries that a commit seals: rules.Past over a write transaction."""

    def __init__(self, txn: Transaction, sealing: Sealing, anchors: dict[int, Anchor | None]) -> None:
        self._txn = txn
        # Not held: it holds this object by its judge, and LMDB's transaction would live on until the collector comes.
        self._sealing: Sealing = weakref.proxy(sealing)
        #: What is known of entries, kept from commit to commit as long as nothing is pruned.
        self.anchors = anchors
        self._memory = txn.index.other(txn.txn, MEMORY)
        self._spent: dict[tuple[bytes, int], Decimal] = {}
        self._rows: dict[int, dict[str, Row]] = {}

    def memory(self, key: int) -> int:
        """The memory of a pack."""
        return self._memory.recall(self._txn.txn, key)

    def remember(self, key: int, memory: int) -> None:
        """Change it."""
        self._memory.remember(key, memory)

    def stated(self, index: int) -> tuple[bytes, bytes | None]:
        """Header and content of an earlier entry, of this commit too."""
        part = self._sealing.content(index)
        return self._sealing.header(index), None if part is None else part[SALT_SIZE:]

    def former(self, subject: str, key: int, last: int) -> int | None:  # noqa: ARG002  # Past's; a replay goes by it
        """The state of a pack before its latest entry, from the rows."""
        row = self._rows_of(last).get(subject)
        if row is None or row.previous is None:
            return None if row is None else 0
        before = self._rows_of(row.previous).get(subject)
        return None if before is None else before.state

    def _rows_of(self, index: int) -> dict[str, Row]:
        """The rows of an entry by their subjects; many packs are asked for that have an entry in common."""
        found = self._rows.get(index)
        if found is None:
            part = self._sealing.rows(index)
            found = {} if part is None else {row.subject: row for row in decode_rows(part[SALT_SIZE:])[1]}
            if len(self._rows) >= _ROWS_MOST:
                self._rows.clear()
            self._rows[index] = found
        return found

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to."""
        found = self._spent.get((person, year))
        return self._txn.spent(person, year) if found is None else found

    def put_spent(self, person: bytes, year: int, yuan: Decimal) -> None:
        """Change it."""
        self._spent[person, year] = yuan

    def flush(self) -> None:
        """Write what buyers spent; the memories go with the unit index."""
        self._txn.put_spent(self._spent)


class Scratch:
    """A past to try a strict submission on, entry by entry: what it leaves is forgotten.

    Its packs go by (subject, unit number), None for one that has no number yet.
    """

    def __init__(self, base: LedgerPast, tracks: Tracks, time: int) -> None:
        self._base = base
        self._tracks = tracks
        self._time = time
        self._packed: dict[str, int] = {}
        self._emptied: dict[str, int] = {}
        self.anchors: dict[int, Anchor | None] = {}  # of entries that may never be
        self._memories: dict[str, int] = {}
        self._spent: dict[tuple[bytes, int], Decimal] = {}
        self._stated: dict[int, tuple[bytes, bytes]] = {}
        self._former: dict[str, int] = {}

    def note(self, index: int, author: bytes, content: bytes, formers: dict[str, int]) -> None:
        """Take an entry that would be sealed: `formers` are the states of its subjects before it."""
        header = self._time.to_bytes(8, "big").rjust(16, b"\0").ljust(24, b"\0") + author
        self._stated[index] = header, content
        self._former.update(formers)

    def memory(self, key: tuple[str, int | None]) -> int:
        """The memory of a pack."""
        subject, number = key
        found = self._memories.get(subject)
        if found is None:
            return 0 if number is None else self._base.memory(number)
        return found

    def remember(self, key: tuple[str, int | None], memory: int) -> None:
        """Change it."""
        self._memories[key[0]] = memory

    def stated(self, index: int) -> tuple[bytes, bytes | None]:
        """Header (its time and author only, of one not sealed) and content of an earlier entry."""
        return self._stated.get(index) or self._base.stated(index)

    def former(self, subject: str, key: tuple[str, int | None], last: int) -> int | None:
        """The state of a pack before its latest entry."""
        if last in self._stated:
            return self._former[subject]
        return self._base.former(subject, key[1] or 0, last)

    def spent(self, person: bytes, year: int) -> Decimal:
        """What a buyer's orders of a year come to."""
        found = self._spent.get((person, year))
        return self._base.spent(person, year) if found is None else found

    def put_spent(self, person: bytes, year: int, yuan: Decimal) -> None:
        """Change it."""
        self._spent[person, year] = yuan

    # ---- rules.PackingPast ----

    def packed(self, key: tuple[str, int | None]) -> int:
        """The word of packing of a subject."""
        subject, number = key
        found = self._packed.get(subject)
        if found is None:
            return 0 if number is None else self._tracks.packed(number)
        return found

    def packed_all(self, keys: Sequence[tuple[str, int | None]]) -> list[int]:
        """The words of some subjects."""
        return [self.packed(key) for key in keys]

    def put_packed(self, key: tuple[str, int | None], word: int) -> None:
        """Change it."""
        self._packed[key[0]] = word

    def emptied(self, container: str) -> int:
        """1 + index of the entry by which everything was taken out of a container last."""
        found = self._emptied.get(container)
        return self._tracks.emptied(container) if found is None else found

    def put_emptied(self, container: str, place: int) -> None:
        """Change it."""
        self._emptied[container] = place

    def packing(self, place: int) -> tuple[str | None, int]:
        """Container and claimed time of a packing."""
        stated = self._stated.get(place - 1)
        return self._tracks.packing(place) if stated is None else packing_of(stated[1])

    def key_of(self, subject: str) -> tuple[str, int | None]:
        """The key of a subject."""
        return subject, self._tracks.key_of(subject)


class Registers:
    """What the registers say, kept from commit to commit as long as no other process has changed them."""

    def __init__(self) -> None:
        self._standing: Standing | None = None
        self._stamp: bytes | None = None
        self.anchors: dict[int, Anchor | None] = {}
        self._keeping: Keeping | None = None
        self._pruned: bytes | None = None

    def keeping(self, txn: Transaction) -> Keeping | None:
        """The retention policy in force as of this commit."""
        at = txn.meta("retention")
        if at is None:
            return None
        index = int.from_bytes(at, "big")
        if self._keeping is None or self._keeping.index != index:
            part = txn.content(index)
            policy = None if part is None else policy_of(decode_record(part[SALT_SIZE:]))
            if policy is None:
                raise DataError(f"entry {index}: the retention policy in force is missing; restore a backup")
            self._keeping = Keeping(index, policy)
        return self._keeping

    def keep(self, txn: Transaction, keeping: Keeping) -> Keeping:
        """Put a retention policy in force."""
        txn.put_meta("retention", key_of(keeping.index))
        self._keeping = keeping
        return keeping

    def standing(self, txn: Transaction, sealing: Sealing) -> Standing:
        """What they say as of this commit; of subjects that nobody has asked for yet, read from their chains."""
        stamp, pruned = txn.meta("registers"), txn.meta("pruned")
        if pruned != self._pruned:
            self.anchors = {}  # some of these entries may have lost their contents
            self._pruned = pruned
        if self._standing is not None and self._standing.asked > _ASKED_MOST:
            self._standing = None
        if self._standing is None or stamp != self._stamp:
            self._standing = Standing(profile=_profile(txn), recalls=_recalls(txn))
            self._stamp = stamp
        self._standing.load = partial(_records, sealing)
        return self._standing

    def changed(self, txn: Transaction, index: int, record: Record) -> None:
        """Note that the entry at `index` changed a register."""
        self._stamp = key_of(index)
        txn.put_meta("registers", self._stamp)
        if record.kind == Profile.KIND:
            txn.put_meta("profile", self._stamp)
        elif record.kind == RecallStep.KIND and self._standing is not None:
            txn.put_meta("recalls", b"".join(map(key_of, self._standing.opened.values())))

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Around a write transaction: where that fails, what was taken of it is forgotten."""
        try:
            yield
        except BaseException:
            self._standing = None
            self._keeping = None
            self.anchors = {}
            raise
        finally:
            if self._standing is not None:
                self._standing.load = None  # it would hold on to LMDB's transaction


def _profile(txn: Transaction) -> Profile | None:
    """The profile in force."""
    at = txn.meta("profile")
    if at is None:
        return None
    part = txn.content(int.from_bytes(at, "big"))
    if part is None:
        raise DataError(f"entry {int.from_bytes(at, 'big')}: the profile in force is missing; restore a backup")
    return Profile.from_record(decode_record(part[SALT_SIZE:]))


def _recalls(txn: Transaction) -> Iterator[tuple[int, RecallStep]]:
    """The records that opened the recalls that are open: their indices are kept, oldest first."""
    keys = txn.meta("recalls") or b""
    for at in range(0, len(keys), 8):
        index = int.from_bytes(keys[at : at + 8], "big")
        part = txn.content(index)
        if part is None:
            raise DataError(f"entry {index}: the record of an open recall is missing; restore a backup")
        yield index, RecallStep.from_record(decode_record(part[SALT_SIZE:]))


def _records(sealing: Sealing, subject: str) -> Iterable[tuple[int, Record]]:
    """The records of a register subject, oldest first."""
    place = sealing.word(subject) & INDEX_MASK
    found: list[tuple[int, Record]] = []
    while place:
        index = place - 1
        row, part = _row(sealing, index, subject), sealing.content(index)
        if sealing.header(index)[4] == EntryType.RECORD and part is not None:
            found.append((index, decode_record(part[SALT_SIZE:])))
        place = 0 if row is None or row.previous is None else row.previous + 1
    return reversed(found)


def _row(sealing: Sealing, index: int, subject: str) -> Row | None:
    """The row of a subject in an entry, of this commit or before it."""
    part = sealing.rows(index)
    if part is None:
        return None
    return next((row for row in decode_rows(part[SALT_SIZE:])[1] if row.subject == subject), None)
