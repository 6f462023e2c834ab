"""The seal note: what an auditor signs who worked a seal out from the whole log (docs/format.md section 5.12).

A C2SP signed note of type 1 under the auditor's own key name. It says of which log, so it means nothing elsewhere.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable

from attrs import field, frozen

from tracechain.checkpoint import (
    MAX_NOTE_BYTES,
    Note,
    NoteSignature,
    NoteSigner,
    VerifierKey,
    format_note,
    open_note,
    parse_note,
)
from tracechain.errors import CheckpointError, InputError
from tracechain.record import check_origin
from tracechain.seals.body import SealBody

__all__ = ["SealNote", "merge_notes", "open_seal_note", "parse_seal_note", "sign_note"]

_FIRST = "tracechain seal v0"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@frozen
class SealNote:
    """A seal of the log with this origin (that of its genesis) and ledger id (32 bytes)."""

    origin: str
    ledger_id: bytes = field(repr=lambda one: one.hex())
    seal: SealBody

    def __attrs_post_init__(self) -> None:
        check_origin(self.origin)
        if len(self.ledger_id) != 32:
            raise InputError(f"a ledger id has 32 bytes, not {len(self.ledger_id)}")

    def format(self) -> str:
        """The text that is signed."""
        seal = self.seal
        lines = (_FIRST, self.origin, _base64(self.ledger_id), str(seal.size), _base64(seal.tree_root), str(seal.ids),
                 _base64(seal.map_root))  # fmt: skip
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> SealNote:
        """Read strictly the text of a note; CheckpointError says what is wrong."""
        lines = text.split("\n")
        if len(lines) != 8 or lines[0] != _FIRST or not all(map(_DECIMAL.fullmatch, (lines[3], lines[5]))):
            raise CheckpointError(f"not a seal note: {_FIRST!r}, origin, ledger id, size, tree root, ids and map root")
        try:
            ledger_id, tree_root, map_root = (b64decode(lines[at], validate=True) for at in (2, 4, 6))
            note = cls(lines[1], ledger_id, SealBody(int(lines[3]), tree_root, int(lines[5]), map_root))
        except ValueError as error:  # InputError is one
            raise CheckpointError(f"not a seal note: {error}") from None
        if note.format() != text:
            raise CheckpointError("not a seal note: it is not in its one spelling")
        return note


def parse_seal_note(data: str | bytes) -> SealNote:
    """What a signed seal note says; no signature is verified. CheckpointError where it is malformed."""
    return SealNote.parse(parse_note(data).text)


def open_seal_note(data: str | bytes, auditors: Iterable[VerifierKey]) -> tuple[SealNote, tuple[VerifierKey, ...]]:
    """What a seal note says, and which of these auditors signed it, in the order of its lines; perhaps none.

    CheckpointError where it is malformed, or an auditor's signature does not stand.
    """
    note, known = parse_note(data), {(one.name, one.key_id): one for one in auditors}
    said = SealNote.parse(note.text)
    if not any((line.name, line.key_id) in known for line in note.signatures):
        return said, ()
    return said, tuple(one.verifier for one in open_note(data, known.values()).verified)


def sign_note(said: SealNote | str | bytes, signer: NoteSigner) -> str:
    """The seal note with this auditor's signature: a new one, or one that others signed already (given as its text).

    Who signs says that he worked the seal out from the whole log himself. CheckpointError for a note that is malformed,
    or that bears another signature of this key.
    """
    if isinstance(said, SealNote):
        note = Note(said.format(), ())
    else:
        note = parse_note(said)
        SealNote.parse(note.text)
    line = NoteSignature(signer.name, signer.verifier.key_id, signer.signer.sign(note.text.encode()))
    return format_note(Note(note.text, _with(note.signatures, (line,))))


def merge_notes(one: str, other: str) -> str:
    """One note with the signatures of two that say the same; InputError where they do not."""
    left, right = parse_note(one), parse_note(other)
    if left.text != right.text:
        raise InputError("the two seal notes say different things: they cannot be one")
    merged = format_note(Note(left.text, _with(left.signatures, right.signatures)))
    if len(merged.encode()) > MAX_NOTE_BYTES:
        raise InputError("the seal note has too many signatures to be kept")
    return merged


def _with(lines: tuple[NoteSignature, ...], more: tuple[NoteSignature, ...]) -> tuple[NoteSignature, ...]:
    """Signature lines and those of others behind them, each key once."""
    for line in more:
        same = next((one for one in lines if (one.name, one.key_id) == (line.name, line.key_id)), None)
        if same is None:
            lines = (*lines, line)
        elif same != line:
            raise CheckpointError(f"{line.name} has signed this note already, with another signature")
    return lines


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
