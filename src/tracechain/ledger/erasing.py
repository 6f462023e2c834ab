"""Erasing and withholding what the vault keeps of persons, so that the log says so and nothing comes back.

    announce   the contents of the records go into the vault's table of what is pending
    record     they are appended to the log: from here on it is said
    carry out  the values leave the vault in one transaction, their keys are noted as erased
    compact    another generation of the vault is put in use, in whose file no byte of them is left
    settle     they are pending no more

A crash leaves a beginning of this, and who opens the ledger to write goes on with it (`finish`): what is in the log is
carried out, what is not was never said. The announcement is made under the writer lock, in the very commit that appends
the records, so that nobody takes one for abandoned that is under way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DataError, InputError, KeyUseError
from tracechain.event.values import CONTROL, check_text
from tracechain.ledger.commit import Commit, Outcome, prepare
from tracechain.ledger.jobs import Own
from tracechain.ledger.receipt import Receipt
from tracechain.persons.erasure import ErasurePlan, Judged, Verdict
from tracechain.persons.finding import Progress, erasures, named_in
from tracechain.private import TOKEN_SIZE
from tracechain.record import Record, decode_record
from tracechain.retention.dates import format_day
from tracechain.retention.policy import RecordClass
from tracechain.retention.records import ERASED, Erased
from tracechain.signing import Signer
from tracechain.store import Kept as Standing
from tracechain.store import Restriction, Store, Vault
from tracechain.store.vault import Pending
from tracechain.view import View

__all__ = ["Erasure", "Writer", "erase", "finish", "reapply", "restrict"]

_GROUND_MOST = 1000
_BY_MOST = 480


@frozen
class Erasure:
    """What was done: how many identities and values were erased, how many are withheld from now on. `receipt` is None
    where there was nothing to do."""

    receipt: Receipt | None
    erased: int
    restricted: int


@frozen
class Writer:
    """What of a ledger is needed to write: its store, its own author, where jobs are queued, today (days since
    1970-01-01 in Asia/Shanghai)."""

    store: Store
    author: Signer | None
    random: Callable[[int], bytes]
    enqueue: Callable[[Own], Receipt]
    today: int


def erase(writer: Writer, plan: ErasurePlan, ground: str, by: str) -> Erasure:
    """Carry out a plan; see Ledger.erase."""
    if plan.as_of > writer.today:
        raise InputError(
            f"the plan is as of {format_day(plan.as_of)}, and today is {format_day(writer.today)}: what is due then is"
            " not due yet"
        )
    _check_said(ground, by)
    gone = plan.of(Verdict.ERASE)
    said = [_erased(writer.today, ground, by, [one.key for one in gone])] if gone else []
    stays: dict[str, list[Judged]] = {}
    for one in plan.of(Verdict.RESTRICT):
        if not one.withheld:
            stays.setdefault(one.reason, []).append(one)
    for reason, some in sorted(stays.items()):
        keys = [one.key for one in some]
        said.append(_erased(writer.today, f"{ground}; {reason}", by, keys, restricted=True))
    receipt = _carry_through(writer, said, plan) if said else None
    return Erasure(receipt, len(gone), sum(map(len, stays.values())))


def restrict(writer: Writer, keys: Iterable[bytes], ground: str, by: str) -> Receipt:
    """Withhold identities and values; see Ledger.restrict."""
    _check_said(ground, by)
    wanted = list(dict.fromkeys(keys))
    vault = writer.store.vault
    for key in wanted:
        if vault.restriction(key) is not None:
            raise InputError(f"what is kept under {key.hex()} is withheld already")
        if vault.standing(key) != Standing.KEPT and not (len(key) == TOKEN_SIZE and vault.owned(key)):
            raise InputError(f"nothing is kept under {key.hex()} that could be withheld: it is {vault.standing(key)}")
    if not wanted:
        raise InputError("nothing is withheld: name a person's token or the commitment of a value")
    return _carry_through(writer, [_erased(writer.today, ground, by, wanted, restricted=True)], None)


def finish(store: Store) -> None:
    """Go on with erasures that a crash interrupted. The caller holds the writer lock."""
    vault = store.vault
    pending = vault.pending()
    if pending:
        with contextlib.suppress(DataError):  # a damaged log is told of by who reads it; nothing is dropped meanwhile
            with store.snapshot() as snapshot:
                found = _in_log(snapshot, pending)
            _carry_out(vault, found)
            _settle(vault, pending)
    elif vault.uncompacted():
        vault.compact()
    _catch_up(store)


def _catch_up(store: Store) -> None:
    """Carry out what the log says was erased and this vault does not know of: it was put back from a backup."""
    with contextlib.suppress(DataError), store.snapshot() as snapshot:
        at = snapshot.meta(ERASED)
        done = store.vault.carried_out()
        if at is None or int.from_bytes(at, "big") <= done:
            return
        found = list(erasures(snapshot, start=done + 1))
        _carry_out(store.vault, found)
        if store.vault.uncompacted():
            store.vault.compact()


def reapply(store: Store, progress: Progress | None = None) -> int:
    """Carry out every erasure of the log again, and say how many records there are. The caller holds the writer
    lock."""
    with store.snapshot() as snapshot:
        found = list(erasures(snapshot, progress=progress))
    _carry_out(store.vault, found)
    if store.vault.uncompacted():
        store.vault.compact()
    return len(found)


def _carry_through(writer: Writer, said: Sequence[Erased], plan: ErasurePlan | None) -> Receipt:
    """Announce, record, carry out, compact, settle; by a plan that has to hold still."""
    author = writer.author
    if author is None:
        raise KeyUseError("this ledger was opened without an author key: pass author= to erase, which is recorded")
    vault = writer.store.vault
    records: list[Record] = [record for one in said for record in one.records()]
    pending: list[Pending] = []

    def job(commit: Commit) -> Outcome:
        if plan is not None:
            _check_unchanged(commit, plan)
        commit.check_scope(author.public_key.hash, {ERASED})
        commit.check_clock()
        batch = prepare(records, int(RecordClass.PERSONAL), writer.random, commit.rule_set)
        contents = [part[SALT_SIZE:] for part in batch.parts]
        size = commit.sealing.size
        pending.extend(Pending(size, content) for content in contents)
        vault.announce(contents, size)
        (outcome,) = commit.append([batch], author)
        return outcome

    receipt = writer.enqueue(job)
    done = [Erased.from_record(record) for record in records]
    _carry_out(vault, list(enumerate(done, receipt.first)))
    with writer.store.lock.held():
        _settle(vault, pending)
    return receipt


def _check_unchanged(commit: Commit, plan: ErasurePlan) -> None:
    """Refuse a plan when a hold may have been placed, another policy come into force, or something been recorded of
    what it erases, after it was made: that may have to be kept for it."""
    for name in ("registers", "retention"):
        at = commit.txn.meta(name)
        if at is not None and int.from_bytes(at, "big") >= plan.size:
            raise InputError(
                f"the plan was made on {plan.size} entries, and entry {int.from_bytes(at, 'big')} may change it (a"
                " hold, a recall, a case, a policy): make it again"
            )
    gone = {one.key for one in plan.of(Verdict.ERASE)}
    for index in range(plan.size, commit.sealing.size) if gone else ():
        part = commit.sealing.content(index)
        if part is not None and commit.sealing.header(index)[4] == EntryType.EVENT and gone & named_in(index, part):
            raise InputError(
                f"the plan was made on {plan.size} entries, and entry {index} is an event of a person or value that it"
                " erases: make it again"
            )


def _carry_out(vault: Vault, said: Iterable[tuple[int, Erased]]) -> None:
    """Let the vault be as the records say, in one transaction; what is so already stays so."""
    with vault.changing() as changes:
        for index, one in said:
            for key in (*one.tokens, *one.commitments):
                if one.restricted:
                    changes.withhold(key, Restriction(one.on, one.ground))
                else:
                    changes.erase(key, index)
            changes.note_carried_out(index)


def _settle(vault: Vault, pending: Iterable[Pending]) -> None:
    """Nothing of what was erased is left in any file; then it is over. The caller holds the writer lock."""
    if vault.uncompacted():
        vault.compact()
    for one in pending:
        vault.settle(one)


def _in_log(view: View, pending: Sequence[Pending]) -> list[tuple[int, Erased]]:
    """Those pending records that were appended, with their entries."""
    wanted = {one.content: one.size for one in sorted(pending, key=lambda one: -one.size)}
    start = min(wanted.values())
    found: dict[bytes, int] = {}
    for index, part in view.contents(start, view.size):
        content = part[SALT_SIZE:]
        if index >= wanted.get(content, index + 1):
            found.setdefault(content, index)
    return sorted((index, Erased.from_record(decode_record(content))) for content, index in found.items())


def _erased(day: int, ground: str, by: str, keys: Iterable[bytes], *, restricted: bool = False) -> Erased:
    both = list(keys)
    tokens = [key for key in both if len(key) == TOKEN_SIZE]
    commitments = [key for key in both if len(key) != TOKEN_SIZE]
    return Erased(on=day, ground=ground, by=by, tokens=tokens, commitments=commitments, restricted=restricted)


def _check_said(ground: str, by: str) -> None:
    for what, text, most in (("ground", ground, _GROUND_MOST), ("by", by, _BY_MOST)):
        if not text.strip():
            raise InputError(f"{what} is missing: it stands in the log beside what was done, so no personal data in it")
        check_text(text, what, most, CONTROL)
