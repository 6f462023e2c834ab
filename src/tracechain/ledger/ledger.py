"""The Ledger: create, open, append, submit, prove, snapshot."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import evolve

from tracechain import merkle, record
from tracechain.checkpoint import (
    InclusionProof,
    VerifierKey,
    format_proof,
    open_checkpoint,
)
from tracechain.collector import uninterrupted
from tracechain.custody import PLAIN, Act
from tracechain.entry import SALT_SIZE, EntryType, content_commitment, parse_header
from tracechain.errors import (
    CheckpointError,
    DataError,
    EquivocationError,
    InputError,
    KeyUseError,
    StorageError,
)
from tracechain.event import Event
from tracechain.ledger import erasing, maintenance
from tracechain.ledger.anchor import Anchor, Anchored
from tracechain.ledger.authors import Author
from tracechain.ledger.commit import Batch, Commit, Outcome, check_batch, prepare
from tracechain.ledger.erasing import Writer
from tracechain.ledger.groups import GroupCommit, Request
from tracechain.ledger.guard import NodesError, begin_epoch, check_anchor
from tracechain.ledger.jobs import Append, Job, Own, Submit, run_jobs, runs
from tracechain.ledger.losses import check_settlements, epoch_leaf
from tracechain.ledger.past import Registers
from tracechain.ledger.pruning import Pruner, check_own_kinds
from tracechain.ledger.receipt import Receipt
from tracechain.ledger.retaining import Retaining
from tracechain.ledger.seals import Sealer, Seals
from tracechain.ledger.witnessed import Witnesses
from tracechain.pilot import next_records
from tracechain.record import ClockRecord, Genesis, KeyAuthorised, KeyRevoked, Record, epoch_of
from tracechain.registers import Register
from tracechain.retention.dates import shanghai_day
from tracechain.signing import PublicKey, Signer
from tracechain.statement import decode_submission
from tracechain.store import Compaction, Snapshot, Store, Tip, Transaction, Vault
from tracechain.view import ViewNodes

__all__ = ["DAY", "Ledger", "anchor_path", "system_clock"]

#: Milliseconds in a day.
DAY = 86_400_000
DEFAULT_JUMP_LIMIT = 31 * DAY

Clock = Callable[[], int]
Random = Callable[[int], bytes]
Progress = Callable[[int, int], None]


def system_clock() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def anchor_path(path: Path) -> Path:
    """Where a ledger's anchor is unless the caller says otherwise: beside it, not in it."""
    return path.with_name(f"{path.name}.anchor")


class Ledger(Retaining):
    """One ledger on disk. Threads may share it; a forked child must open it again; a path is opened once a process.

    Without a signer it is open for reading. Everything that is signed or answered is durable first.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer | None,
        author: Signer | None,
        clock: Clock,
        random: Random,
        anchor: Path,
    ) -> None:
        self.path = store.path
        self._store = store
        self._signer = signer
        self._author = author
        self._clock = store.vault.clock = clock
        self._random = random
        self._anchor = Anchor(anchor)
        self._sound: bytes | None = None
        self._registers = Registers()
        self._rule_set = PLAIN
        self._groups: GroupCommit[Job, Receipt] = GroupCommit(self._commit_group)
        self.genesis: Genesis
        self.ledger_id: bytes

    # ---- opening ----

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        origin: str,
        signer: Signer,
        root: Signer,
        author: Signer | None = None,
        author_label: str = "ledger",
        more_roots: Iterable[PublicKey] = (),
        jump_limit: int = DEFAULT_JUMP_LIMIT,
        anchor: str | os.PathLike[str] | None = None,
        clock: Clock = system_clock,
        random: Random = os.urandom,
    ) -> Ledger:
        """Make a new ledger and open it for writing.

        `origin` is the first line of its checkpoints and the name of its key; `signer` holds the log key, `root` the
        organisation's root key, which authorises `author`, the key of this process's own events. `jump_limit` is in
        milliseconds.
        """
        folder = Path(path).absolute()
        anchor_file = anchor_path(folder) if anchor is None else Path(anchor)
        if anchor_file.exists():
            raise InputError(f"{anchor_file} is there already: it anchors another ledger; move it away or name another")
        now = clock()
        roots = {key.hash: key for key in (root.public_key, *more_roots)}
        genesis = Genesis(
            origin, now, signer.public_key, tuple(roots[h] for h in sorted(roots)), jump_limit, random(32)
        )
        VerifierKey(origin, signer.public_key.algorithm, signer.public_key)
        record.check_origin(origin)
        new = not folder.exists()
        store = Store.create(folder)
        ledger = cls(store, signer, author, clock, random, anchor_file)
        ledger.genesis = genesis

        def first(commit: Commit) -> Outcome:
            ledger.genesis = evolve(genesis, created=commit.sealing.time)
            outcome = commit.own(EntryType.GENESIS, ledger.genesis.encode())
            commit.ledger_id = ledger.ledger_id = commit.sealing.leaf(0)
            if author is not None:
                ledger._authorise(commit, record.authorise(ledger.ledger_id, author, root, author_label))
            return outcome

        request: Request[Job, Receipt] = Request(first)
        try:
            ledger.ledger_id = bytes(32)
            with store.lock.held():
                ledger._transact([request], None, check=lambda _: None)  # there is nothing to extend
            if request.error is not None:
                raise request.error  # one place takes away what there is of the ledger
        except BaseException:
            # Nobody was told of it yet: what there is of it must not stand in the way of the next attempt.
            ledger.close()
            Store.remove(folder, folder=new)
            anchor_file.unlink(missing_ok=True)
            raise
        return ledger

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        signer: Signer | None = None,
        author: Signer | None = None,
        anchor: str | os.PathLike[str] | None = None,
        clock: Clock = system_clock,
        random: Random = os.urandom,
    ) -> Ledger:
        """Open a ledger: with `signer` (the log key) for writing, without it for reading.

        Opening costs the same whatever the size. RollbackError or ForkError where the database does not extend what
        was signed last; KeyUseError for the wrong key; DataError for a folder that is no ledger of this version.
        """
        folder = Path(path).absolute()
        store = Store(folder, writable=signer is not None)
        ledger = cls(store, signer, author, clock, random, anchor_path(folder) if anchor is None else Path(anchor))
        try:
            ledger._read_genesis()
            if signer is not None:
                if signer.public_key != ledger.genesis.log_key:
                    raise KeyUseError(  # one place closes the ledger again
                        f"{folder} is signed by key {ledger.genesis.log_key.hash.hex()[:16]}, the key given is"
                        f" {signer.public_key.hash.hex()[:16]}: use the ledger's own log key"
                    )
                # Damage that `reindex` mends must not keep it out: writing is refused until then, see _check_tip.
                with store.lock.held(), store.read() as txn, contextlib.suppress(NodesError):
                    anchored = ledger._anchor.read()
                    ledger._check_sound(txn.entries(), txn, anchored)
                    ledger._catch_up(txn, anchored)
                with store.lock.held():
                    ledger._finish()
        except BaseException:
            ledger.close()
            raise
        return ledger

    @classmethod
    def restore(
        cls,
        path: str | os.PathLike[str],
        *,
        signer: Signer,
        reason: str,
        author: Signer | None = None,
        anchor: str | os.PathLike[str] | None = None,
        clock: Clock = system_clock,
        random: Random = os.urandom,
    ) -> Ledger:
        """Go on with a restored backup as a new epoch (format.md section 5.5), and open it for writing.

        What was signed after the backup is lost and stays a finding until it was submitted again and that is
        settled. Revocations, holds and erasures of the lost range have to be made again first. InputError where nothing
        is lost.
        """
        folder = Path(path).absolute()
        store = Store(folder, writable=True)
        ledger = cls(store, signer, author, clock, random, anchor_path(folder) if anchor is None else Path(anchor))
        try:
            ledger._read_genesis()
            if signer.public_key != ledger.genesis.log_key:
                raise KeyUseError(  # one place closes the ledger again
                    f"{folder} is signed by another key: use the ledger's own log key"
                )
            with store.lock.held():
                ledger._begin_epoch(reason)
                erasing.reapply(store)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        """Close the ledger; snapshots of it must be closed before."""
        self._anchor.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- reading ----

    @property
    def verifier(self) -> VerifierKey:
        """The key that checkpoints of this ledger verify under: what a regulator keeps."""
        return VerifierKey(self.genesis.origin, self.genesis.log_key.algorithm, self.genesis.log_key)

    def snapshot(self) -> Snapshot:
        """A View of the last commit. Close it when done, best by `with`."""
        return self._store.snapshot()

    def checkpoint(self) -> str:
        """The signed note of the last commit."""
        with self.snapshot() as snapshot:
            return snapshot.checkpoint

    def prove(self, index: int) -> str:
        """The tlog-proof file of an entry under the last checkpoint."""
        with self.snapshot() as snapshot:
            if not 0 <= index < snapshot.size:
                raise InputError(f"there is no entry {index}: the ledger has {snapshot.size} entries, from 0")
            hashes = merkle.prove_inclusion(ViewNodes(snapshot), index, snapshot.size)
            return format_proof(InclusionProof(index, tuple(hashes), snapshot.checkpoint))

    def prove_consistency(self, old_size: int) -> list[bytes]:
        """That the tree of the last checkpoint extends the tree of `old_size` entries."""
        with self.snapshot() as snapshot:
            return merkle.prove_consistency(ViewNodes(snapshot), old_size, snapshot.size)

    @property
    def vault(self) -> Vault:
        """Identities behind tokens and values of private fields, in a database of their own."""
        return self._store.vault

    @property
    def seals(self) -> Seals:
        """Seals: where every subject stood at some moment, made, listed, proved by (format.md section 5.12)."""
        return Seals(Sealer(self._store, self._author, self._random, self._clock, self._enqueue))

    @property
    def witnessed(self) -> Witnesses:
        """What witnesses are asked, and the notes that they cosigned (format.md section 10.1)."""
        return Witnesses(self._store, self.verifier, self._need_signer)

    # ---- writing ----

    def append(self, contents: Iterable[Event | Record], *, record_class: int = 0, strict: bool = False) -> Receipt:
        """Record events and records of this process's own author key; returns when they are durable.

        An event that breaks a rule is kept with its violations (`Receipt.violations`); with `strict` the whole
        submission is refused instead (RefusedError), before anything is written. Calls from several threads share
        commits.
        """
        if self._author is None:
            raise KeyUseError("this ledger was opened without an author key: pass author= to append")
        batch = prepare(tuple(contents), record_class, self._random, self._rule_set)
        self._check_settlements(batch)
        return self._enqueue(Append(batch, strict))

    def register(self, *values: Register) -> Receipt:
        """Record values of the registers, each as the next version of its subject; all of them or none.

        InputError for one that cannot follow what the registers say, such as a second suspension. A `Profile` puts the
        rules of the pilot in force, from the next statement on.
        """
        with self.snapshot() as snapshot:
            records = next_records(snapshot, values)
        return self.append(records)

    def submit(self, data: bytes, *, strict: bool = False) -> Receipt:
        """Record a station's submission (format.md section 6.4); the very same one again gets its first receipt.

        Raises DecodeError or SignatureError where it is not what its statement covers, KeyUseError for a key that
        may not write, EquivocationError where the author signed otherwise before (the evidence is kept).
        """
        submission = decode_submission(data)
        batch = check_batch(submission)
        self._check_settlements(batch)
        return self._enqueue(Submit(submission, batch, strict))

    def authorise(self, authorised: KeyAuthorised) -> Receipt:
        """Let an author's key write from the next entry on; see record.authorise."""
        return self._enqueue(lambda commit: self._authorise(commit, authorised))

    def revoke(self, revoked: KeyRevoked) -> Receipt:
        """Stop an author's key from the next entry on; see record.revoke."""

        def job(commit: Commit) -> Outcome:
            record.check_revoked(self.ledger_id, revoked, self.genesis.roots)
            commit.check_clock()
            authors = commit.authors.without(revoked.key_hash, commit.sealing.size)
            acts = ((record.key_subject(revoked.key_hash), Act.END),)
            outcome = commit.own(EntryType.KEY_REVOKED, revoked.encode(), acts)
            commit.authors = authors
            return outcome

        return self._enqueue(job)

    def authors(self) -> tuple[Author, ...]:
        """All author keys that were ever authorised, in order."""
        from tracechain.ledger.authors import Authors

        with self.snapshot() as snapshot:
            return Authors.decode(snapshot.meta("keys")).authors

    def accept_clock(self, reason: str) -> Receipt:
        """Record that the clock rightly jumped forward by more than the limit, and go on (format.md section 8)."""

        def job(commit: Commit) -> Outcome:
            if commit.jump_allowed:
                raise InputError("the clock is within the limit: there is no jump to record")
            jump = ClockRecord(commit.txn.tip.time, commit.sealing.time, reason)
            outcome = commit.own(EntryType.CLOCK, jump.encode())
            commit.jump_allowed = True
            return outcome

        return self._enqueue(job)

    def settle_epoch(self, epoch: int, reason: str, root: Signer) -> Receipt:
        """Record that what an epoch lost was submitted again, or is given up for `reason`.

        `root` signs for that very entry of the log which began the epoch. InputError where there is none.
        """
        with self.snapshot() as snapshot:
            leaf = epoch_leaf(snapshot, epoch)
        return self.append([record.settle(self.ledger_id, root, "epoch", (epoch, leaf, reason))])

    def settle_gap(self, key_hash: bytes, start: int, end: int, reason: str, root: Signer) -> Receipt:
        """Record that an author's numbers `start` to `end - 1` will not come, for `reason`."""
        return self.append([record.settle(self.ledger_id, root, "gap", (key_hash, start, end, reason))])

    # ---- maintenance ----

    def reindex(self, progress: Progress | None = None) -> int:
        """Rebuild everything that is derived from the log, in one transaction; returns the number of units.

        DataError where the log's tree is not the signed one: then nothing is changed.
        """
        self._need_signer()
        self._store.check()
        with self._store.lock.held():
            anchored = self._anchor.read()
            notes = () if anchored is None else (anchored.note,)
            with self._store.write(rebuild=True) as txn:
                return maintenance.reindex(txn, self.verifier, progress, notes)

    def compact(self, progress: Progress | None = None) -> Compaction:
        """Put a compact copy of the database in use, so that nothing of what was deleted can be read in it any more.

        Other processes and threads go on: who reads sees no difference, who writes waits. `progress` is told bytes
        copied and bytes to copy. StorageError where the disk is full; then nothing has changed.
        """
        self._need_signer()
        self._store.check()
        with self._store.lock.held():
            return self._store.compact(progress)

    def backup(self, destination: str | os.PathLike[str]) -> Path:
        """Copy the ledger, compacted, to a new folder while it is read and written. The anchor is not copied."""
        return maintenance.backup(self._store, Path(destination))

    # ---- the commit ----

    def _authorise(self, commit: Commit, authorised: KeyAuthorised) -> Outcome:
        record.check_authorised(self.ledger_id, authorised, self.genesis.roots)
        commit.check_clock()
        authors = commit.authors.with_author(
            Author(authorised.key, authorised.label, authorised.scope, commit.sealing.size)
        )
        acts = ((record.key_subject(authorised.key.hash), Act.SEE),)
        outcome = commit.own(EntryType.KEY_AUTHORISED, authorised.encode(), acts)
        commit.authors = authors
        return outcome

    def _enqueue(self, job: Job) -> Receipt:
        """Refuse here what must not wait for the others: no key, a closed or poisoned ledger, a forked child."""
        self._need_signer()
        self._store.check()
        return self._groups.submit(job)

    def _finish(self) -> None:
        """Go on with what a crash interrupted; where the disk is too full for that, appending is still possible."""
        try:
            erasing.finish(self._store)
            if self._store.uncompacted:
                self._store.compact()
        except StorageError as error:
            warnings.warn(
                f"{self.path}: what was deleted can still be read in its file, and will be until it is opened again:"
                f" {error}",
                RuntimeWarning,
                stacklevel=3,
            )

    def _alone(self, job: Own) -> Receipt:
        """Run a job in a commit of its own."""
        self._need_signer()
        self._store.check()
        request: Request[Job, Receipt] = Request(job)
        self._commit_group([request])
        if request.error is not None:
            raise request.error
        assert request.result is not None, "it was committed"
        return request.result

    def _check_settlements(self, batch: Batch) -> None:
        check_own_kinds(batch)
        if batch.kinds & record.SETTLING:
            with self.snapshot() as snapshot:
                check_settlements(batch, snapshot, self.ledger_id, self.genesis)

    def _writer(self) -> Writer:
        return Writer(self._store, self._author, self._random, self._enqueue, shanghai_day(self._clock()))

    def _pruner(self) -> Pruner:
        store, author = self._store, self._author
        return Pruner(store, author, self._random, self._clock, self._enqueue, self._alone, self.compact)

    def _need_signer(self) -> Signer:
        if self._signer is None:
            raise KeyUseError(f"{self.path} was opened for reading: pass the log key as signer= to write")
        return self._signer

    def _commit_group(self, requests: list[Request[Job, Receipt]]) -> None:
        with self._store.lock.held(), uninterrupted():
            self._transact(requests, self._anchor.read())

    def _transact(
        self,
        requests: list[Request[Job, Receipt]],
        anchored: Anchored | None,
        *,
        check: Callable[[Transaction], None] | None = None,
    ) -> None:
        """Run jobs in one commit: commit, then anchor, then answer (invariants 1 and 5 of the design)."""
        signer = self._need_signer()
        done: list[tuple[Request[Job, Receipt], Outcome]] = []
        counter = 0 if anchored is None else anchored.counter
        with contextlib.suppress(_Nothing):
            with self._registers.kept(), self._store.write() as txn:
                if check is None:
                    self._check_tip(txn, anchored)
                else:
                    check(txn)
                commit = Commit(txn, self.genesis, self.ledger_id, self._clock(), self._random, self._registers)
                for run in runs(requests):
                    run_jobs(str(self.path), commit, self._author, run, done)
                self._rule_set = commit.rule_set
                if commit.empty:
                    note = (txn.meta("checkpoint") or b"").decode()
                    raise _Nothing
                note = commit.seal(signer)
            self._sound = note.encode()
        if anchored is None or anchored.note != note.encode():
            # Also where there was nothing to write: a submission that is answered with its first receipt may have been
            # committed just before a crash, and nothing is acknowledged that the anchor does not know.
            try:
                self._anchor.write(counter + 1, note.encode())
            except StorageError as error:
                self._store.env.poison(f"the anchor could not be written ({error})")
                raise
        for request, outcome in done:
            try:
                request.result = outcome(note)
            except EquivocationError as error:
                request.error = error

    # ---- soundness ----

    def _read_genesis(self) -> None:
        with self._store.read() as txn:
            part = txn.content(0)
            if part is None and not txn.entries():
                raise DataError(f"{self.path}: its creation was interrupted; remove the folder and create it again")
            if part is None:
                raise DataError(f"{self.path}: its genesis record is missing; restore a backup")
            self.genesis = Genesis.decode(part[SALT_SIZE:])
            self.ledger_id = txn.leaf(0)
            if content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]) != parse_header(txn.header(0)).content_commitment:
                raise DataError(f"{self.path}: its genesis record was altered; restore a backup")

    def _check_tip(self, txn: Transaction, anchored: Anchored | None) -> None:
        note = txn.meta("checkpoint") or b""
        if anchored is not None and anchored.note == note == self._sound:
            return  # what this process itself signed and anchored last
        self._check_sound(txn.entries(), txn, anchored)
        self._check_signed(txn)
        self._sound = note

    def _check_signed(self, txn: Transaction) -> None:
        """Check that the tip is what the database's own checkpoint signed."""
        note = txn.meta("checkpoint") or b""
        # What lies beyond the anchor, after a crash before it was written, has our signature in the database alone.
        try:
            signed = open_checkpoint(note.decode(), self.verifier)
        except (CheckpointError, UnicodeDecodeError) as error:
            raise DataError(
                f"{self.path}: its checkpoint is damaged ({error}); run `tracechain reindex`, or restore a backup"
            ) from error
        epoch = epoch_of(signed.origin)
        tip = Tip.decode(txn.meta("tip") or b"")
        if (tip.size, tip.frontier.root(), tip.epoch) != (signed.size, signed.root, epoch):
            raise DataError(f"{self.path}: its tip is not what was signed; run `tracechain reindex`")

    def _catch_up(self, txn: Transaction, anchored: Anchored | None) -> None:
        """Anchor a commit that a crash kept from its anchor, before anybody is shown its checkpoint."""
        note = txn.meta("checkpoint") or b""
        if anchored is None or anchored.note == note:
            return
        with contextlib.suppress(DataError):  # what is damaged is refused when it comes to writing
            self._check_signed(txn)
            tip = Tip.decode(txn.meta("tip") or b"")
            if merkle.tree_root(txn, tip.size) == tip.frontier.root():
                self._anchor.write(anchored.counter + 1, note)

    def _check_sound(self, size: int, reader: merkle.NodeReader, anchored: Anchored | None) -> None:
        check_anchor(str(self.path), size, reader, anchored, self.verifier)

    def _begin_epoch(self, reason: str) -> None:
        anchored = self._anchor.read()
        with self._store.snapshot() as snapshot:
            epoch = begin_epoch(str(self.path), snapshot, anchored, self.verifier, reason)
            own = snapshot.checkpoint.encode()
        if epoch is None:
            assert anchored is not None
            self._anchor.write(anchored.counter + 1, own)
            return

        def job(commit: Commit) -> Outcome:
            commit.epoch = epoch.epoch
            return commit.own(EntryType.EPOCH, epoch.encode())

        request: Request[Job, Receipt] = Request(job)
        self._transact([request], anchored, check=self._check_signed)
        if request.error is not None:
            raise request.error


class _Nothing(Exception):  # noqa: N818  # not an error: it ends a transaction that has nothing to write
    pass
