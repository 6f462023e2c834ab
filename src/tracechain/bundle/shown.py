"""What an excerpt shows, beside that nothing is wrong with it (docs/format.md section 15.5)."""

from __future__ import annotations

from attrs import field, frozen

from tracechain.checkpoint import VerifierKey
from tracechain.seals import Sealed

__all__ = ["History", "Shown"]


@frozen
class History:
    """The history of a subject, complete up to the seal: its entries there, the state at its end, and how many entries
    came behind the seal, of which nobody can tell whether they are all.

    `cut` is the entry from which on it is complete, where what was before lost its rows; None for all of it.
    """

    subject: str
    entries: tuple[int, ...]
    state: int
    behind: int = 0
    cut: int | None = None


@frozen
class Shown:
    """What an excerpt shows. `seal` is the one it goes by, None where there is none: then nothing says that a history
    is complete, or that a code is absent. `auditors` are the known ones who signed it.

    `histories` are of the subjects that are complete up to the seal, `incomplete` the others that the excerpt has
    proofs for, `absent` the codes that no entry below the seal names. `subjects` is the number of those that entries
    here name without more being shown of them. `extends` is the size of the older checkpoint that the log extends.
    """

    seal: Sealed | None = None
    auditors: tuple[VerifierKey, ...] = ()
    histories: tuple[History, ...] = field(default=(), repr=lambda some: f"<{len(some)} histories>")
    incomplete: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    subjects: int = 0
    extends: int | None = None
