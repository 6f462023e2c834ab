"""The seals that are in a log, by their chain (docs/format.md section 5.12). What they say is not checked here."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import DataError, DecodeError
from tracechain.record import Genesis, decode_record
from tracechain.seals.body import SEAL_SUBJECT, SealBody
from tracechain.seals.note import SealNote
from tracechain.view import View, ledger_id, unit_history

__all__ = ["Sealed", "latest_seal", "note_of", "read_seal", "seals_of"]


@frozen
class Sealed:
    """A seal in the log: the index of its record, when that was received (ms since 1970), and what it states."""

    index: int
    time: int
    body: SealBody


def read_seal(view: View, index: int) -> Sealed:
    """The seal that an entry states; DecodeError where it is no seal."""
    header, part = view.header(index), view.content(index)
    if header is None or part is None or header[4] != EntryType.RECORD:
        raise DecodeError(f"entry {index} is no seal: it is no record that is there")
    body = SealBody.from_record(decode_record(part[SALT_SIZE:]))
    return Sealed(index, int.from_bytes(header[8:16], "big"), body)


def seals_of(view: View) -> Iterator[Sealed]:
    """The seals of a log, latest first. Another record that somebody wrote on their chain is passed over."""
    for index in reversed(unit_history(view, SEAL_SUBJECT)):
        try:
            yield read_seal(view, index)
        except DecodeError:
            continue


def latest_seal(view: View) -> Sealed | None:
    """The latest seal, None where there is none."""
    return next(seals_of(view), None)


def note_of(view: View, seal: SealBody) -> SealNote:
    """What an auditor signs of a seal of this log: `format` of it is the text."""
    part = view.content(0)
    if part is None:
        raise DataError("the genesis record is missing, so nothing can be said of this log; verify it")
    return SealNote(Genesis.decode(part[SALT_SIZE:]).origin, ledger_id(view), seal)
