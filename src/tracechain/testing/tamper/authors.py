"""Tamperings of authorship: statements signed again, replayed, attributed to others, contradicted; forged key records.

Some of them take a key of an author that was stolen; what the ledger's own operator can do is in the others.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve

from tracechain import record
from tracechain.checkpoint import NoteSigner, parse_checkpoint, parse_note, sign_checkpoint
from tracechain.custody import Act
from tracechain.encoding import encode
from tracechain.entry import EntryType, Row
from tracechain.record import EpochRecord, Evidence, KeyAuthorised, KeyRevoked, Record, encode_record, key_subject
from tracechain.signing import Signer
from tracechain.statement import Statement, encode_statement
from tracechain.testing.samples import sensor
from tracechain.testing.standins import Keys, Random, fixed_key, new_ledger
from tracechain.testing.tamper.database import Log, edit
from tracechain.testing.tamper.registry import tampering
from tracechain.verification.findings import Code

__all__ = ["AUTHORS"]


def _of(log: Log, signer: Signer, number: int = 0) -> int:
    """The index of an author's statement."""
    author = signer.public_key.id
    headers = [log.header(i) for i in range(len(log))]
    own = [i for i, h in enumerate(headers) if h.type == EntryType.STATEMENT and h.author == author]
    return own[number]


def _set(log: Log, index: int, statement: Statement) -> None:
    log.set_content(index, encode_statement(statement))
    log.commit(index)


def _append_batch(
    log: Log, signer: Signer, *, skipped: int = 0, content: bytes | None = None, kind: EntryType = EntryType.EVENT
) -> int:
    """Put a statement of one content, signed in proper order but for `skipped` numbers, behind the end."""
    last = log.statement(_of(log, signer, -1))
    index = log.append(EntryType.STATEMENT, encode_statement(last), salt=Random(200)(32))
    log.append(kind, encode(sensor("4.5")) if content is None else content, salt=Random(201)(32))
    log.restate(index, signer, count=1, first=last.first + last.count + skipped, previous=last.hash)
    return index


@tampering(Code.AUTHOR_UNKNOWN, Code.AUTHOR_UNKNOWN, Code.AUTHOR_UNKNOWN)
def signed_by_stranger(path: Path) -> None:
    """A batch is signed again by a key that nobody authorised."""
    with edit(path) as log:
        log.restate(_of(log, Keys().station, -1), Keys().stranger, first=0, previous=bytes(32))


@tampering(Code.AUTHOR_GAP, Code.AUTHOR_GAP, Code.AUTHOR_GAP)
def signed_by_other_author(path: Path) -> None:
    """A batch of one station is signed again with the stolen key of another author, in proper order there."""
    with edit(path) as log:
        other = log.statement(_of(log, Keys().author, -1))
        index = _of(log, Keys().station, 2)
        log.restate(index, Keys().author, first=other.first + other.count, previous=other.hash)


@tampering(
    Code.STATEMENT_SIGNATURE,
    Code.STATEMENT_SIGNATURE,
    Code.STATEMENT_SIGNATURE,
    also=[Code.EQUIVOCATION, Code.AUTHOR_GAP],
)
def statement_reattributed(path: Path) -> None:
    """A statement names another author than the one who signed it; so do the headers."""
    with edit(path) as log:
        index = _of(log, Keys().station)
        statement, author = log.statement(index), Keys().author.public_key.hash
        _set(log, index, evolve(statement, author=author))
        for i in range(index, index + 1 + statement.count):
            log.set_header(i, author=author[:8])


@tampering(Code.STATEMENT_AUTHOR, Code.STATEMENT_AUTHOR, Code.STATEMENT_AUTHOR)
def headers_reattributed(path: Path) -> None:
    """The headers of a batch name another author than its statement does."""
    with edit(path) as log:
        index = _of(log, Keys().station)
        for i in range(index, index + 1 + log.statement(index).count):
            log.set_header(i, author=Keys().author.public_key.id)


@tampering(Code.STATEMENT_SIGNATURE, Code.STATEMENT_SIGNATURE, Code.STATEMENT_SIGNATURE, also=[Code.AUTHOR_CHAIN])
def statement_redated(path: Path) -> None:
    """A statement claims another signing time than the one that was signed."""
    with edit(path) as log:
        index = _of(log, Keys().station)
        statement = log.statement(index)
        _set(log, index, evolve(statement, signed_at=statement.signed_at - 1))


@tampering(Code.STATEMENT_MALFORMED, Code.STATEMENT_MALFORMED, Code.STATEMENT_MALFORMED, also=[Code.EVENT_UNCOVERED])
def statement_garbled(path: Path) -> None:
    """A statement has a byte too many: a second spelling of what was signed."""
    with edit(path) as log:
        index = _of(log, Keys().station, -1)
        log.set_content(index, log.content(index) + b"\xc0")
        log.commit(index)


@tampering(Code.STATEMENT_LEDGER, Code.STATEMENT_LEDGER, Code.STATEMENT_LEDGER)
def statement_replayed(path: Path) -> None:
    """A statement that the same author signed for another ledger stands in the place of one of this ledger."""
    with TemporaryDirectory() as folder, new_ledger(Path(folder) / "other", random=Random(300)) as other:
        elsewhere = other.ledger_id
    with edit(path) as log:
        log.restate(_of(log, Keys().station, -1), Keys().station, ledger_id=elsewhere)


@tampering(Code.STATEMENT_SIGNATURE, Code.STATEMENT_SIGNATURE, Code.STATEMENT_SIGNATURE)
def statement_adapted(path: Path) -> None:
    """A statement that was signed for another ledger is made to name this one, which its signature does not cover."""
    statement_replayed.act(path)
    with edit(path) as log:
        index = _of(log, Keys().station, -1)
        _set(log, index, evolve(log.statement(index), ledger_id=log.leaf(0)))


@tampering(Code.TAIL_SURPLUS, Code.AUTHOR_REVOKED, Code.AUTHOR_REVOKED)
def revoked_key_used(path: Path) -> None:
    """After its revocation a station's key goes on to sign, in proper order."""
    with edit(path) as log:
        _append_batch(log, Keys().other_station)


@tampering(Code.TAIL_SURPLUS, Code.AUTHOR_SCOPE, Code.AUTHOR_SCOPE)
def scope_exceeded(path: Path) -> None:
    """A station that may write events and notes signs a record of another kind."""
    with edit(path) as log:
        content = encode_record(Record("hold", ("lot", "LOT-A7")))
        _append_batch(log, Keys().station, content=content, kind=EntryType.RECORD)


@tampering(Code.TAIL_SURPLUS, Code.EQUIVOCATION, Code.EQUIVOCATION)
def author_contradicts_itself(path: Path) -> None:
    """A second statement for numbers that the author has used, properly signed, is in the log."""
    with edit(path) as log:
        first = log.statement(_of(log, Keys().station))
        index = _append_batch(log, Keys().station)
        log.restate(index, Keys().station, count=1, first=first.first, previous=first.previous)


@tampering(Code.AUTHOR_CHAIN, Code.AUTHOR_CHAIN, Code.AUTHOR_CHAIN)
def author_chain_broken(path: Path) -> None:
    """An author's last statement names another one before it than the one that is there."""
    with edit(path) as log:
        log.restate(_of(log, Keys().station, -1), Keys().station, previous=bytes(31) + b"\1")


@tampering(Code.TAIL_SURPLUS, Code.AUTHOR_GAP, Code.AUTHOR_GAP)
def numbers_left_out(path: Path) -> None:
    """An author's next statement begins ten numbers late: ten contents of it are nowhere."""
    with edit(path) as log:
        _append_batch(log, Keys().station, skipped=10)


@tampering(Code.TAIL_SURPLUS, Code.STATEMENT_COVERAGE, Code.STATEMENT_COVERAGE)
def statement_without_events(path: Path) -> None:
    """The log ends with a statement whose events never came."""
    with edit(path) as log:
        _append_batch(log, Keys().station)
        log.remove(len(log) - 1)


@tampering(Code.TAIL_SURPLUS, Code.KEY_RECORD, Code.KEY_RECORD)
def key_smuggled_in(path: Path) -> None:
    """A key is authorised in the name of the root, by another key."""
    with edit(path) as log:
        true = KeyAuthorised.decode(log.content(log.find(EntryType.KEY_AUTHORISED, -1)))
        stranger = Keys().stranger
        forged = record.authorise(log.leaf(0), stranger, fixed_key("no root"), "station 9", true.scope)
        rows = [Row(key_subject(stranger.public_key.hash), int(Act.SEE), None, 1)]
        log.append(EntryType.KEY_AUTHORISED, evolve(forged, root=true.root).encode(), rows=rows)


@tampering(Code.KEY_RECORD, Code.KEY_RECORD, Code.KEY_RECORD, also=[Code.AUTHOR_UNKNOWN])
def scope_widened(path: Path) -> None:
    """A station's key record gets a scope that the root never signed."""
    with edit(path) as log:
        index = log.find(EntryType.KEY_AUTHORISED, -1)
        log.set_content(index, evolve(KeyAuthorised.decode(log.content(index)), scope=None).encode())
        log.commit(index)


@tampering(Code.TAIL_SURPLUS, Code.KEY_RECORD, Code.KEY_RECORD)
def revocation_forged(path: Path) -> None:
    """A station's key is revoked without the root's signature: its true statements would fall."""
    with edit(path) as log:
        true = KeyRevoked.decode(log.content(log.find(EntryType.KEY_REVOKED)))
        key_hash = Keys().station.public_key.hash
        rows = [Row(key_subject(key_hash), int(Act.END), log.find(EntryType.KEY_AUTHORISED, 1), 2)]
        log.append(EntryType.KEY_REVOKED, evolve(true, key_hash=key_hash).encode(), rows=rows)


@tampering(Code.TAIL_SURPLUS, Code.SETTLEMENT, Code.SETTLEMENT)
def settlement_forged(path: Path) -> None:
    """The ledger's own author declares numbers of a station given up, without the root's signature."""
    with edit(path) as log:
        true = KeyRevoked.decode(log.content(log.find(EntryType.KEY_REVOKED)))
        about = (Keys().station.public_key.hash, 0, 2, "never came")
        forged = record.settle(log.leaf(0), fixed_key("no root"), "gap", about)
        forged = evolve(forged, body=(*about, true.root, forged.body[-1]))
        _append_batch(log, Keys().author, content=encode_record(forged), kind=EntryType.RECORD)


@tampering(None, Code.SETTLEMENT, Code.SETTLEMENT, also=[Code.EPOCH_LOST])
def settlement_replayed(path: Path) -> None:
    """A loss is answered with the root's settlement of an earlier one, of the same epoch, that was itself lost."""
    with edit(path) as log:
        size, signed = len(log), parse_checkpoint(parse_note(log.note).text)
        signer = NoteSigner(signed.origin, Keys().log)
        note = sign_checkpoint(evolve(signed, size=size + 100), [signer]).encode()
        first = log.append(EntryType.EPOCH, EpochRecord(1, size, signed.root, size + 100, note, "disk broke").encode())
        about = (1, log.leaf(first), "sent again")
        log.remove(first)
        log.append(EntryType.EPOCH, EpochRecord(1, size, signed.root, size + 100, note, "disk broke again").encode())
        settlement = record.settle(log.leaf(0), Keys().root, "epoch", about)
        _append_batch(log, Keys().author, content=encode_record(settlement), kind=EntryType.RECORD)
        log.note = sign_checkpoint(evolve(signed, origin=f"{signed.origin}/epoch/1"), [signer])


@tampering(Code.TAIL_SURPLUS, Code.EPOCH_RECORD, Code.EPOCH_RECORD)
def epoch_forged(path: Path) -> None:
    """A loss is made up: an epoch begins over a checkpoint that the log never signed."""
    with edit(path) as log:
        size = len(log)
        signed = parse_checkpoint(parse_note(log.note).text)
        stranger = NoteSigner(signed.origin, Keys().stranger)
        note = sign_checkpoint(evolve(signed, size=size + 100), [stranger]).encode()
        log.append(EntryType.EPOCH, EpochRecord(1, size, signed.root, size + 100, note, "disk broke").encode())


@tampering(Code.TAIL_SURPLUS, Code.EVIDENCE_RECORD, Code.EVIDENCE_RECORD)
def evidence_forged(path: Path) -> None:
    """Evidence of a contradiction that the author never signed."""
    with edit(path) as log:
        index = _of(log, Keys().station)
        statement = log.statement(index)
        forged = evolve(statement, signed_at=statement.signed_at + 1)
        log.append(EntryType.EVIDENCE, Evidence(index, forged.message, forged.signature).encode())


@tampering(Code.TAIL_SURPLUS, Code.EVIDENCE_RECORD, Code.EVIDENCE_RECORD)
def evidence_of_nothing(path: Path) -> None:
    """An honest statement is put down as evidence against its author: it contradicts nothing."""
    with edit(path) as log:
        index = _of(log, Keys().station)
        statement = log.statement(index)
        log.append(EntryType.EVIDENCE, Evidence(index, statement.message, statement.signature).encode())


AUTHORS = (
    signed_by_stranger, signed_by_other_author, statement_reattributed, headers_reattributed, statement_redated,
    statement_garbled, statement_replayed, statement_adapted, revoked_key_used, scope_exceeded,
    author_contradicts_itself, author_chain_broken, numbers_left_out, statement_without_events, key_smuggled_in,
    scope_widened, revocation_forged, settlement_forged, settlement_replayed, epoch_forged, evidence_forged,
    evidence_of_nothing,
)  # fmt: skip
