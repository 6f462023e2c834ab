"""A witness who works by files: checks requests, remembers what it signed, and cosigns (docs/format.md section 10.1).

    FOLDER/witness.vkey       the verifier key of the witness whose memory this is
    FOLDER/<log>.note         the last checkpoint of a log that it signed, with its own line; named by a hash of the
                              log's name and key
    FOLDER/<log>.epoch-<n>.note   the last one that it signed of an epoch that ended
    FOLDER/lock               held while a request is checked and remembered

What a witness is worth hangs on its memory. So the new checkpoint is durable before anybody gets the answer, one
request at a time; each note in the memory is signed, so an altered one is refused. That a folder was put back from a
backup, nobody can see: keep it with the key.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from tracechain.checkpoint import (
    MAX_NOTE_BYTES,
    Checkpoint,
    Note,
    NoteSigner,
    VerifierKey,
    add_signature,
    cosign,
    format_note,
    format_vkey,
    open_cosignature,
    parse_note,
)
from tracechain.errors import DataError, InputError, StorageError
from tracechain.record import epoch_of
from tracechain.store.files import FileLock, sync_folder, write_durably
from tracechain.witnessing import Request, check_request, open_witnessed

__all__ = ["Cosigned", "Cosigner"]

_VKEY = "witness.vkey"
_MAX_VKEY = 4096


@frozen
class Cosigned:
    """An answer: the note with the log's line and the witness's. `last` is what it had signed before, None for
    nothing; `again`: this is the answer that it gave already."""

    note: str
    checkpoint: Checkpoint
    time_s: int
    last: Checkpoint | None
    again: bool = False


class Cosigner:
    """The memory of a witness, in a folder. `clock` gives seconds since 1970."""

    def __init__(self, folder: str | os.PathLike[str], signer: NoteSigner, clock: Callable[[], int]) -> None:
        """Open what `create` made. InputError where it is not there: a witness that forgot must not go on."""
        self.folder = Path(folder)
        self._signer = signer
        self._clock = clock
        path = self.folder / _VKEY
        try:
            with path.open("rb") as file:
                found = file.read(_MAX_VKEY).decode("utf-8", "replace").strip()
        except FileNotFoundError:
            raise InputError(
                f"{path} is not there: this folder is no memory of a witness. Name the one that was made with the key;"
                " if it is lost, make a new key, for this one can no longer say what it signed"
            ) from None
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error}") from error
        if found != format_vkey(signer.cosigner):
            raise InputError(f"{self.folder} is the memory of another witness, {found[:200]}: name the one of this key")
        self._lock = FileLock(self.folder / "lock")

    @staticmethod
    def create(folder: str | os.PathLike[str], witness: VerifierKey) -> None:
        """Make an empty memory in a new folder. InputError if there is something already."""
        path = Path(folder)
        try:
            path.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            raise InputError(f"{path} exists already: a new witness needs a new folder") from None
        write_durably(path / _VKEY, f"{format_vkey(witness)}\n".encode())
        sync_folder(path.parent)

    def last(self, log: VerifierKey) -> str | None:
        """The note of this log that was signed last; DataError where it is not what this witness signed."""
        remembered = self._read(log)
        return None if remembered is None else remembered[0]

    def sign(self, request: Request, log: VerifierKey, *, shown: str | None = None, accept: bool = False) -> Cosigned:
        """Cosign what is asked for, if it extends what was signed before; Refused if not (witnessing.check_request).

        Durable before it returns. The request for what was signed last gets the same answer again, and a new signature
        if it goes from there, which says that the witness still saw nothing else. InputError where the clock stands
        before the last signature.
        """
        with self._lock.held():
            remembered = self._read(log)
            last = None if remembered is None else remembered[1]
            checkpoint = check_request(request, log, last, shown=shown, accept=accept)
            now = self._clock()
            if remembered is not None:
                if checkpoint == last and request.old != checkpoint.size:
                    return Cosigned(remembered[0], checkpoint, remembered[2], last, again=True)
                if now < remembered[2]:
                    raise InputError(
                        f"this computer's clock stands {remembered[2] - now} s before the last signature of this"
                        " witness: set it right, for the time is what the signature says"
                    )
            note = self._signed(request.note, log, now)
            if remembered is not None and last is not None and last.origin != checkpoint.origin:
                write_durably(self._path(log, f".epoch-{epoch_of(last.origin)}"), remembered[0].encode())
            write_durably(self._path(log), note.encode())
            return Cosigned(note, checkpoint, now, last)

    def _signed(self, note: str, log: VerifierKey, now: int) -> str:
        """The note with the lines of the log and of this witness, and no other."""
        parsed = parse_note(note)
        own = tuple(one for one in parsed.signatures if (one.name, one.key_id) == (log.name, log.key_id))
        bare = format_note(Note(parsed.text, own))
        return add_signature(bare, cosign(bare, self._signer.name, self._signer.signer, now))

    def _path(self, log: VerifierKey, suffix: str = "") -> Path:
        name = sha256(log.name.encode() + b"\n" + log.key.raw).hexdigest()[:32]
        return self.folder / f"{name}{suffix}.note"

    def _read(self, log: VerifierKey) -> tuple[str, Checkpoint, int] | None:
        """What is remembered of a log: the note, its checkpoint, when it was signed."""
        path = self._path(log)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_NOTE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error}") from error
        try:
            _, checkpoint = open_witnessed(data, log)
            return data.decode(), checkpoint, open_cosignature(data, self._signer.cosigner)
        except DataError as error:
            raise DataError(
                f"{path} is not what this witness signed ({error}): put it back from a backup, or make a new key"
            ) from None
