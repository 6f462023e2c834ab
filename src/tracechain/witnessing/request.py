"""What a witness is asked, and whether it may sign: add-checkpoint requests of tlog-witness as files
(docs/format.md section 10.1).

    old <size that the witness signed last>
    <hash of the consistency proof, base64>     one a line
    <empty line>
    <note>

Everything here is pure. To check and to remember at once is the task of `tracechain.cosigner`.
"""

from __future__ import annotations

from enum import IntEnum

from attrs import field, frozen

from tracechain import merkle
from tracechain.checkpoint import (
    MAX_NOTE_BYTES,
    Checkpoint,
    InclusionProof,
    VerifierKey,
    check_proof,
    clean_text,
    decode_base64,
    encode_base64,
    format_note,
    format_proof,
    open_checkpoint,
    parse_checkpoint,
    parse_decimal,
    parse_note,
    parse_proof,
)
from tracechain.entry import HEADER_SIZE, SALT_SIZE, EntryType, content_commitment, parse_header
from tracechain.errors import CheckpointError, DataError, InputError, ProofError
from tracechain.record import EpochRecord, epoch_of
from tracechain.view import View, ViewNodes
from tracechain.witnessing.notes import is_origin

__all__ = [
    "MAX_REQUEST", "Loss", "Refusal", "RefusedRequestError", "Request", "add_answer", "check_loss", "check_request",
    "format_request", "make_loss", "parse_request",
]  # fmt: skip

MAX_HASHES = 63
MAX_REQUEST = MAX_NOTE_BYTES + MAX_HASHES * 45 + 64
"""Longest request that is read, in bytes."""


@frozen
class Request:
    """A note to be cosigned, and the proof that its tree extends that of `old` entries."""

    old: int
    hashes: tuple[bytes, ...] = field(repr=lambda hashes: f"<{len(hashes)} hashes>")
    note: str

    def __attrs_post_init__(self) -> None:
        if len(self.hashes) > MAX_HASHES or any(len(one) != merkle.HASH_BYTES for one in self.hashes):
            raise CheckpointError(f"a consistency proof has at most {MAX_HASHES} hashes of {merkle.HASH_BYTES} bytes")
        parse_checkpoint(parse_note(self.note).text)


def format_request(request: Request) -> str:
    """Format a request as the text of its file."""
    return "\n".join((f"old {request.old}", *map(encode_base64, request.hashes), "", request.note))


def parse_request(data: str | bytes) -> Request:
    """Parse a request; nothing is verified. CheckpointError if it is malformed or too long."""
    text = clean_text(data, MAX_REQUEST, "the request", CheckpointError)
    head, separator, note = text.partition("\n\n")
    old, *hashes = head.split("\n")
    if not separator or not old.startswith("old "):
        raise CheckpointError('not a request to a witness: it begins with the line "old <size>" and has an empty line')
    if len(hashes) > MAX_HASHES:
        raise CheckpointError(f"the request has {len(hashes)} hashes, over the {MAX_HASHES} that a proof can have")
    size = parse_decimal(old.removeprefix("old "), "the old size in the request", CheckpointError)
    return Request(size, tuple(decode_base64(one, "a hash in the request", CheckpointError) for one in hashes), note)


class Refusal(IntEnum):
    """Why a witness does not sign, by the numbers that tlog-witness has for it."""

    MALFORMED = 400
    NOT_SIGNED = 403
    OTHER_LOG = 404
    CONFLICT = 409
    NO_PROOF = 422


class RefusedRequestError(InputError):
    """A witness does not sign. `size` is what it signed last, where the request has to begin there.

    `fork`: the log key signed two different trees of one size. Whoever holds both notes can show it to everybody.
    """

    def __init__(self, number: Refusal, message: str, *, size: int | None = None, fork: bool = False) -> None:
        super().__init__(f"{message} ({number.value})")
        self.number = number
        self.size = size
        self.fork = fork


@frozen
class Loss:
    """What an epoch entry says was lost (docs/format.md section 5.5): entries `size` to `lost_end` - 1, and why."""

    epoch: int
    size: int
    lost_end: int
    reason: str


def check_request(
    request: Request, log: VerifierKey, last: Checkpoint | None, *, shown: str | None = None, accept: bool = False
) -> Checkpoint:
    """Whether a witness that signed `last` of this log may sign what it is asked: the checkpoint.

    `last` is None where it signed none. RefusedRequestError where it may not, as tlog-witness would answer. `shown` is
    the epoch entry that says that entries were lost (`make_loss`), where the checkpoint does not extend `last` for
    that; it is signed only if the witness says so by `accept`. The very text that it signed last it may sign again,
    whatever `old` is.
    """
    checkpoint = _opened(request, log)
    if request.hashes:
        shown = None  # it is to be proven that nothing was lost
    begins_anew = last is not None and epoch_of(checkpoint.origin) > epoch_of(last.origin)
    if request.old > checkpoint.size and not begins_anew:
        words = f"the request goes from {request.old} entries to {checkpoint.size}, which is backwards"
        raise RefusedRequestError(Refusal.MALFORMED, words)
    if last is None:
        if request.old:
            words = f"this witness signed no checkpoint of {log.name} yet: make the request without an older one"
            raise RefusedRequestError(Refusal.CONFLICT, words, size=0)
        if request.hashes:
            raise RefusedRequestError(
                Refusal.NO_PROOF, "a request from old 0 has no hashes, for there is nothing to extend"
            )
        return checkpoint
    if checkpoint == last:
        return checkpoint
    here, there = epoch_of(last.origin), epoch_of(checkpoint.origin)
    if checkpoint.size == last.size and checkpoint.root != last.root and here == there:
        words = (
            f"FORK: the log signed two different trees of {last.size} entries, and this witness signed the other one"
        )
        raise RefusedRequestError(Refusal.CONFLICT, words, size=last.size, fork=True)
    if there < here:
        words = f"this witness signed a checkpoint of epoch {here}; one of epoch {there} was given up for that"
        raise RefusedRequestError(Refusal.CONFLICT, words, size=last.size)
    if begins_anew and shown is not None:
        _accept(request, log, last, checkpoint, shown, accept=accept)
        return checkpoint
    if request.old != last.size or request.old > checkpoint.size:
        if begins_anew:
            words = (
                f"this witness signed {last.size} entries of epoch {here}, the request has {checkpoint.size} of epoch"
                f" {there}: if it extends them, make it from there; if entries were lost, the epoch entry has to be"
                " shown"
            )
        elif checkpoint.size < last.size:
            words = f"ROLLBACK, or an old request: this witness signed {last.size} entries, this has {checkpoint.size}"
        else:
            words = (
                f"this witness signed {last.size} entries last, the request goes from {request.old}: make it from there"
            )
        raise RefusedRequestError(Refusal.CONFLICT, words, size=last.size)
    if checkpoint.size == last.size:
        words = f"another checkpoint of the same {last.size} entries, of {checkpoint.origin} instead of {last.origin}"
        raise RefusedRequestError(Refusal.CONFLICT, words, size=last.size, fork=checkpoint.root != last.root)
    try:
        merkle.check_consistency(last.size, last.root, checkpoint.size, checkpoint.root, request.hashes)
    except ProofError as error:
        words = (
            "it is not shown that the log extends what this witness signed; if no other request shows it, the log was"
            f" forked: {error}"
        )
        raise RefusedRequestError(Refusal.NO_PROOF, words) from None
    return checkpoint


def _opened(request: Request, log: VerifierKey) -> Checkpoint:
    checkpoint = parse_checkpoint(parse_note(request.note).text)
    if not is_origin(checkpoint.origin, log):
        words = f"the checkpoint is of {checkpoint.origin!r}, not of {log.name!r}"
        raise RefusedRequestError(Refusal.OTHER_LOG, words)
    try:
        open_checkpoint(request.note, log)
    except CheckpointError as error:
        raise RefusedRequestError(Refusal.NOT_SIGNED, str(error)) from None
    if checkpoint.extensions:
        words = "the checkpoint has extension lines, which this format does not know"
        raise RefusedRequestError(Refusal.MALFORMED, words)
    return checkpoint


# ---- entries that were lost ------------------------------------------------------------------------


def make_loss(view: View, index: int) -> str:
    """Show the epoch entry at `index` under the view's checkpoint, for a witness that signed what it gives up: a
    tlog-proof with header, salt and content as `extra`."""
    header, part = view.header(index), view.content(index)
    if header is None or part is None or header[4] != EntryType.EPOCH:
        raise InputError(f"entry {index} begins no epoch")
    hashes = merkle.prove_inclusion(ViewNodes(view), index, view.size)
    return format_proof(InclusionProof(index, tuple(hashes), view.checkpoint, header + part))


def check_loss(shown: str | bytes, log: VerifierKey) -> tuple[Checkpoint, Loss]:
    """Check an epoch entry that is shown: under which checkpoint it stands, and what it says was lost. DataError."""
    proof = parse_proof(shown)
    header, part = (proof.extra or b"")[:HEADER_SIZE], (proof.extra or b"")[HEADER_SIZE:]
    parsed = parse_header(header)
    if parsed.type != EntryType.EPOCH or len(part) <= SALT_SIZE:
        raise DataError(f"entry {proof.index}, which is shown, begins no epoch")
    checkpoint = check_proof(proof, merkle.leaf_hash(header), log)
    if content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]) != parsed.content_commitment:
        raise DataError(f"entry {proof.index}: what is shown is not its content")
    begun = EpochRecord.decode(part[SALT_SIZE:])
    before = open_checkpoint(begun.note, log)
    if begun.size != proof.index or before.size != begun.lost_end or epoch_of(before.origin) + 1 != begun.epoch:
        raise DataError(f"entry {proof.index} contradicts itself: verify the log")
    return checkpoint, Loss(begun.epoch, begun.size, begun.lost_end, begun.reason)


def _accept(
    request: Request, log: VerifierKey, last: Checkpoint, checkpoint: Checkpoint, shown: str, *, accept: bool
) -> None:
    """Refuse unless the epoch entry explains why the checkpoint does not extend the last one, and it was accepted."""
    try:
        under, loss = check_loss(shown, log)
    except DataError as error:
        raise RefusedRequestError(Refusal.NO_PROOF, f"the epoch entry does not stand: {error}") from None
    explains = (
        under == checkpoint and epoch_of(last.origin) < loss.epoch <= epoch_of(checkpoint.origin)
        and loss.size < last.size <= loss.lost_end
    )  # fmt: skip
    if not explains:
        words = (
            f"the epoch entry does not explain why the {last.size} entries that this witness signed are not extended"
        )
        raise RefusedRequestError(Refusal.NO_PROOF, words)
    if request.old != last.size or request.hashes:
        words = f"where entries were lost, a request goes from the {last.size} that were signed, without hashes"
        raise RefusedRequestError(Refusal.CONFLICT, words, size=last.size)
    if not accept:
        words = (
            f"entries {loss.size} to {loss.lost_end - 1} were lost, which this witness signed up to {last.size - 1};"
            f" the log says why: {loss.reason!r}. Nothing shows that the {loss.size} before them are still as it"
            " signed them: compare with an older note (tracechain compare). Sign only if you accept that, by saying so"
        )
        raise RefusedRequestError(Refusal.CONFLICT, words, size=last.size)


def add_answer(note: str, answer: str) -> str:
    """Put an answer to a request together with the note: the answer is cosignature lines, or the whole note with them.

    CheckpointError where it is neither, or of another checkpoint. Verifies nothing.
    """
    asked = parse_note(note)
    if answer.startswith("\N{EM DASH} "):
        return format_note(parse_note(f"{note}{answer}"))
    given = parse_note(answer)
    if given.text != asked.text:
        raise CheckpointError("the answer is of another checkpoint than the one that was asked for")
    return answer
