"""Seals of a ledger: made, kept up to date, proved by (docs/format.md section 5.12).

A seal is worked out on a snapshot, without the writer lock: ingest goes on. The table `sealed` has the buckets of the
last one, so the next works out those in which something changed; where that is most of them, or the table is not there
after a `reindex`, all. The record and the table change in one transaction, and only if the table is still the one that
was started from.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import cast

from attrs import frozen

from tracechain import encoding, merkle
from tracechain.checkpoint import NoteSigner, VerifierKey
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.encoding import unpack_raw
from tracechain.entry import MAX_ROWS, SALT_SIZE
from tracechain.errors import DataError, InputError, KeyUseError
from tracechain.ledger.commit import Commit, Outcome, prepare
from tracechain.ledger.jobs import Own
from tracechain.ledger.receipt import Receipt
from tracechain.seals import (
    SEAL,
    Absence,
    Bucket,
    Item,
    MapRoot,
    Presence,
    Prover,
    SealBody,
    Sealed,
    SealNote,
    buckets,
    item_hash,
    latest_seal,
    merge_notes,
    note_of,
    open_seal_note,
    prover_of,
    row_words,
    seals_of,
    sign_note,
)
from tracechain.signing import Signer
from tracechain.store import Snapshot, Store
from tracechain.view import View, ViewNodes

__all__ = ["Made", "SealPolicy", "Sealer", "Seals", "prover"]

Progress = Callable[[int, int], None]
_HOUR = 3_600_000
#: How often a seal is made again because another one came in between.
_TRIES = 5
_SEALED = "sealed"


@frozen
class SealPolicy:
    """When a seal is due: once `entries` came in since the last one, or once it is `hours` old and something came in.

    What nobody recorded since, the seal's own record and its statement, does not count.
    """

    entries: int | None = None
    hours: float | None = None

    def __attrs_post_init__(self) -> None:
        if self.entries is None and self.hours is None:
            raise InputError("a policy of seals names a number of entries, hours, or both")
        if (self.entries is not None and self.entries < 1) or (self.hours is not None and not self.hours >= 0):
            raise InputError("a seal is made after at least one entry, and after no negative time")


@frozen
class Made:
    """A seal that was made. `worked_out` of its buckets were worked out, `total` are there."""

    receipt: Receipt
    sealed: Sealed
    worked_out: int
    total: int


@frozen
class Sealer:
    """What of a ledger is needed: its store, its own author, its clock, how jobs run."""

    store: Store
    author: Signer | None
    random: Callable[[int], bytes]
    clock: Callable[[], int]
    enqueue: Callable[[Own], Receipt]


class _OvertakenError(InputError):
    """Another seal was made meanwhile."""


@frozen
class Seals:
    """The seals of one ledger: `Ledger.seals`."""

    _sealer: Sealer

    # ---- making ----

    def make(self, progress: Progress | None = None) -> Made:
        """Seal what the ledger has now: append the record, durable when this returns. `progress` is told items.

        Needs the ledger's own author, whose scope has to allow `seal`.
        """
        sealer = self._sealer
        if sealer.author is None:
            raise KeyUseError("this ledger was opened without an author key: pass author= to seal, which is recorded")
        for left in reversed(range(_TRIES)):
            with sealer.store.snapshot() as snapshot:
                work = _work_out(snapshot, progress)
            try:
                receipt = sealer.enqueue(self._job(work, sealer.author))
            except _OvertakenError:
                if left:
                    continue
                raise
            break
        sealed = Sealed(receipt.first, receipt.time, work.body)
        return Made(receipt, sealed, len(work.changed), work.total)

    def due(self, policy: SealPolicy) -> bool:
        """Whether a policy wants a seal now."""
        with self._sealer.store.snapshot() as snapshot:
            return _is_due(snapshot, policy, self._sealer.clock())

    def make_if_due(self, policy: SealPolicy, progress: Progress | None = None) -> Made | None:
        """Make a seal if a policy wants one; None if not. For a timer, or after a batch of events."""
        return self.make(progress) if self.due(policy) else None

    def _job(self, work: _Work, author: Signer) -> Own:
        def job(commit: Commit) -> Outcome:
            if commit.txn.meta(_SEALED) != work.base:
                raise _OvertakenError("another seal was made meanwhile: try again")
            commit.check_scope(author.public_key.hash, {SEAL})
            commit.check_clock()
            batch = prepare([work.body.record()], 0, self._sealer.random, commit.rule_set)
            (outcome,) = commit.append([batch], author)
            commit.txn.put_sealed(work.gone, work.changed)
            commit.txn.put_meta(_SEALED, encoding.pack((work.body.size, commit.sealing.size - 1)))
            return outcome

        return job

    # ---- reading ----

    def list(self) -> tuple[Sealed, ...]:
        """The seals of the ledger, oldest first."""
        with self._sealer.store.snapshot() as snapshot:
            return tuple(seals_of(snapshot))[::-1]

    def latest(self) -> Sealed | None:
        """The latest seal, None where there is none."""
        with self._sealer.store.snapshot() as snapshot:
            return latest_seal(snapshot)

    # ---- proving ----

    def prove(self, ids: Iterable[str], size: int | None = None) -> tuple[Presence, ...]:
        """That subjects stood where the latest seal says, or the seal of `size` entries, in order of `ids`.

        InputError for one that the seal does not have, or where there is no such seal. By the latest seal it takes the
        buckets of the ids; by an older one all rows up to it are read, and DataError says where rows that it rested on
        were pruned.
        """
        with self._sealer.store.snapshot() as snapshot:
            _, by = prover(snapshot, size)
            return tuple(by.presence(one) for one in ids)

    def prove_absent(self, code: str, size: int | None = None) -> Absence:
        """That a code was not in the ledger when the latest seal was made, or that of `size` entries; likewise.

        It names the codes next to it, so it is for a regulator's eyes.
        """
        with self._sealer.store.snapshot() as snapshot:
            return prover(snapshot, size)[1].absence(code)

    # ---- what auditors sign ----

    def to_sign(self, size: int | None = None) -> SealNote:
        """What an auditor signs of the latest seal, or of that of `size` entries, once he worked it out himself."""
        with self._sealer.store.snapshot() as snapshot:
            return note_of(snapshot, _seal_of(snapshot, size).body)

    def cosign(self, signer: NoteSigner, size: int | None = None) -> str:
        """The seal note with an auditor's signature, as text: for an auditor who has the ledger at hand.

        It is worked out from the rows first: DataError where the seal is not what they say. Whether the rows are right,
        `verify` tells.
        """
        with self._sealer.store.snapshot() as snapshot:
            body = _seal_of(snapshot, size).body
            prover_of(snapshot, body)
            return sign_note(note_of(snapshot, body), signer)

    def add_note(self, note: str | bytes, auditors: Sequence[VerifierKey] = ()) -> SealNote:
        """Keep a seal note that auditors signed; signatures of others that are kept already stay with it.

        InputError where it is not of a seal of this ledger, or none of the `auditors`, if any are given, signed it;
        CheckpointError where it is malformed or a signature of theirs does not stand. Signatures of other keys are kept
        as they are, and whoever verifies the ledger says which keys count.
        """
        said, signed = open_seal_note(note, auditors)
        if auditors and not signed:
            raise InputError("none of the auditors that were named signed this seal note")
        text = note if isinstance(note, str) else note.decode()
        with self._sealer.store.snapshot() as snapshot:
            if said != note_of(snapshot, _seal_of(snapshot, said.seal.size).body):
                raise InputError(
                    f"the seal note says something else than the seal of {said.seal.size} entries, or is of another"
                    " ledger: one of the two is wrong, compare them with the auditor"
                )
        store = self._sealer.store
        if not store.writable:
            raise KeyUseError(f"{store.path} was opened for reading: pass the log key as signer= to keep a note")
        store.check()
        with store.lock.held(), store.write() as txn:
            kept = txn.seal_note(said.seal.size)
            txn.put_seal_note(
                said.seal.size, (text if kept is None else merge_notes(kept.decode("utf-8", "replace"), text)).encode()
            )
        return said

    def notes(self) -> tuple[tuple[Sealed, str], ...]:
        """The seals of which a note is kept, with it, oldest first."""
        with self._sealer.store.snapshot() as snapshot:
            by_size = {one.body.size: one for one in seals_of(snapshot)}
            return tuple((by_size[size], note) for size, note in snapshot.seal_notes() if size in by_size)


# ---- when ----------------------------------------------------------------------------------------


def _is_due(view: View, policy: SealPolicy, now: int) -> bool:
    last = latest_seal(view)
    if last is None:
        return True
    # A seal is a statement and a record: what came in before them, and was not sealed, counts as well.
    new = view.size - last.body.size - 2
    if new <= 0:
        return False
    if policy.entries is not None and new >= policy.entries:
        return True
    return policy.hours is not None and now - last.time >= policy.hours * _HOUR


def _seal_of(view: View, size: int | None) -> Sealed:
    for one in seals_of(view):
        if size is None or one.body.size == size:
            return one
    if size is None:
        raise InputError("this ledger has no seal: make one first (`tracechain seal make`)")
    raise InputError(f"no seal is of {size} entries: `tracechain seal list` shows those there are")


# ---- working out ---------------------------------------------------------------------------------


@frozen
class _Work:
    """A seal to be recorded, and how the table of buckets changes with it: from what `meta` said (`base`), the buckets
    whose last ids are `gone` are no more (None: all), and `changed` are new or others; `total` are there then."""

    body: SealBody
    base: bytes | None
    gone: tuple[str, ...] | None
    changed: tuple[Bucket, ...]
    total: int


def _work_out(snapshot: Snapshot, progress: Progress | None) -> _Work:
    """The seal of a snapshot."""
    base, size, root = snapshot.meta(_SEALED), snapshot.size, snapshot.tip.frontier.root()
    kept = snapshot.sealed()
    old = _kept_seal(snapshot, base, kept)
    changed: Sequence[Bucket]
    if old is None or size - old.size > old.ids:  # to look for what changed would cost more than to do all
        gone, whole = None, list(buckets(_told(_items(snapshot, "", None), snapshot, progress)))
        changed = whole
    else:
        gone, changed, whole = _renewed(snapshot, kept, _changed_since(snapshot, old.size), progress)
    found = _root(whole)
    return _Work(SealBody(size, root, found.ids, found.root), base, gone, tuple(changed), len(whole))


def _root(whole: Sequence[Bucket]) -> MapRoot:
    return MapRoot(sum(one.count for one in whole), merkle.root([one.leaf for one in whole]))


def _kept_seal(snapshot: Snapshot, base: bytes | None, kept: Sequence[Bucket]) -> SealBody | None:
    """The seal that the table of buckets is of, None where it cannot be built on: it is not there, or damaged."""
    last = None if base is None else latest_seal(snapshot)
    if last is None or encoding.pack((last.body.size, last.index)) != base:
        return None
    return last.body if _root(kept) == (last.body.ids, last.body.map_root) else None


def _changed_since(snapshot: Snapshot, size: int) -> list[str]:
    """The subjects with a row in an entry from `size` on, in order."""
    found: set[str] = set()
    for index, part in snapshot.all_rows(size, snapshot.size):
        found.update(subject for subject, _ in row_words(index, part))
    return sorted(found)


def _renewed(
    snapshot: Snapshot, kept: list[Bucket], changed: list[str], progress: Progress | None
) -> tuple[tuple[str, ...], list[Bucket], list[Bucket]]:
    """Last ids of buckets that are no more, buckets that are new or others, and all, after some subjects changed."""
    lasts = [bucket.last for bucket in kept]
    gone: list[str] = []
    new: list[Bucket] = []
    whole: list[Bucket] = []
    done = 0
    for start, stop in _touched(lasts, changed):
        # The last bucket is worked out with all that comes behind it: it may be open still, and it costs little.
        until = lasts[stop - 1] if stop < len(kept) else None
        here = list(buckets(_items(snapshot, lasts[start - 1] if start else "", until)))
        whole += [*kept[done:start], *here]
        new += here
        gone += set(lasts[start:stop]) - {bucket.last for bucket in here}
        done = stop
        if progress is not None:
            progress(stop, len(kept))
    return tuple(gone), new, whole + kept[done:]


def _touched(lasts: list[str], changed: list[str]) -> Iterator[tuple[int, int]]:
    """The runs of neighbouring buckets in which something changed: (first, behind the last); `lasts` are the ids that
    they end with. What is behind all of them belongs to the last one."""
    start = stop = at = 0
    while at < len(changed):
        number = min(bisect_left(lasts, changed[at], start), max(len(lasts) - 1, 0))
        if number > stop:
            if stop > start:
                yield start, stop
            start = number
        stop = number + 1
        at = bisect_right(changed, lasts[number], at) if stop < len(lasts) else len(changed)
    if changed:
        yield start, stop


def _items(snapshot: Snapshot, after: str, until: str | None) -> Iterator[tuple[str, int, bytes, int]]:
    """The items of subjects whose ids are over `after` and not over `until`, in order: the loop of a full build."""
    header_of, leaf, known = snapshot.header, b"", -1
    for run in snapshot.words_between(after, until):
        for subject, word in run:
            last = (word & INDEX_MASK) - 1
            if last != known:
                header = header_of(last) if last >= 0 else None
                if header is None:
                    raise DataError(f"{subject}: the index leads to no entry; run `tracechain reindex`")
                leaf, known = sha256(b"\0" + header).digest(), last
            yield subject, last, leaf, word >> STATE_SHIFT


def _told(
    items: Iterator[tuple[str, int, bytes, int]], snapshot: Snapshot, progress: Progress | None
) -> Iterator[tuple[str, int, bytes, int]]:
    """The same items, counted for who waits."""
    if progress is None:
        yield from items
        return
    total = snapshot.table_bytes()["units"][1]
    for number, item in enumerate(items):
        if number % 4096 == 0:
            progress(number, total)
        yield item
    progress(total, total)


# ---- proving -------------------------------------------------------------------------------------


def prover(snapshot: Snapshot, size: int | None = None) -> tuple[Sealed, Prover]:
    """The latest seal, or that of `size` entries, and who proves by it as long as the snapshot is open.

    By the latest from the buckets that are kept, by another one from all rows up to it: see `Seals.prove`.
    """
    sealed = _seal_of(snapshot, size)
    kept = snapshot.sealed()
    quick = _kept_seal(snapshot, snapshot.meta(_SEALED), kept) == sealed.body
    return sealed, _quick(snapshot, sealed.body, kept) if quick else prover_of(snapshot, sealed.body)


def _quick(snapshot: Snapshot, seal: SealBody, kept: list[Bucket]) -> Prover:
    """By the buckets that are kept: what came in since is taken back, subject by subject, by their chains."""
    back, items = _Back(snapshot, seal.size), dict[str, Item]()

    def hashes_of(number: int) -> tuple[Sequence[str], Sequence[bytes]]:
        after = kept[number - 1].last if number else ""
        ids, hashes = [], []
        for run in snapshot.words_between(after, kept[number].last):
            for subject, word in run:
                item = back.item(subject, word)
                if item is not None:
                    items[subject] = item
                    ids.append(subject)
                    hashes.append(item_hash(item))
        return ids, hashes

    return Prover(kept, hashes_of, items.__getitem__)


class _Back:
    """Where subjects stood when the log had `size` entries, by following their rows back from where they stand now."""

    def __init__(self, snapshot: Snapshot, size: int) -> None:
        self._snapshot = snapshot
        self._size = size
        self._nodes = ViewNodes(snapshot)
        self._rows: dict[int, dict[str, tuple[int, int]]] = {}

    def item(self, subject: str, word: int) -> Item | None:
        """The item of a subject that stands so now, None for one that came later."""
        last, state = (word & INDEX_MASK) - 1, word >> STATE_SHIFT
        while last >= self._size:
            before, _ = self._row(last, subject)
            if before == 0:
                return None
            if before > last:
                raise DataError(f"{subject}: the row in entry {last} points forward; run `tracechain verify`")
            last = before - 1
            if last < self._size:
                _, state = self._row(last, subject)
        return Item(subject, last, self._nodes.leaf(last), state)

    def _row(self, index: int, subject: str) -> tuple[int, int]:
        """1 + the entry before, and the state, by the row of a subject in an entry."""
        rows = self._rows.get(index)
        if rows is None:
            part = self._snapshot.rows(index)
            if part is None:
                raise DataError(
                    f"{subject}: the rows of entry {index} said where it stood when this seal was made, and they were"
                    " pruned since; make a new seal and prove by that"
                )
            groups = cast("tuple[tuple[str | int, ...], ...]", unpack_raw(part[SALT_SIZE:], max_bytes=MAX_ROWS)[1:])  # type: ignore[index]  # stored rows are an array
            rows = {
                f"{group[0]}{suffix}": (cast("int", before), cast("int", state))
                for group in groups
                for suffix, before, state in zip(group[1::5], group[3::5], group[4::5], strict=True)
            }
            if len(self._rows) >= 1024:
                self._rows.clear()
            self._rows[index] = rows
        found = rows.get(subject)
        if found is None:
            raise DataError(f"{subject}: entry {index} has no row of it; run `tracechain verify`")
        return found
