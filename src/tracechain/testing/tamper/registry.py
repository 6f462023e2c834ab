"""The list of tamperings: each with what finds it, at each power of the attacker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path

from attrs import frozen

from tracechain.testing.standins import Keys
from tracechain.testing.tamper.database import reseal, resign
from tracechain.verification.findings import Code

__all__ = ["Power", "Tampering", "tampering"]

Act = Callable[[Path], None]


class Power(Enum):
    """What the attacker can do besides writing to the disk."""

    #: Nothing: checkpoint and derived tables stay as they were.
    DISK = "disk"
    #: Sign with the log key: tree, index, checkpoint and anchor fit the altered headers.
    LOG_KEY = "log key"
    #: The same, after making all commitments, row hashes and headers fit the altered parts.
    OPERATOR = "operator"


@frozen
class Tampering:
    """One thing an attacker does to a closed ledger, and the code that verification has to find at each power.

    A power that is missing from `codes` makes no sense for this tampering: it would undo it, or could not be used.
    `also` are what else the operator cannot avoid: the same fact as seen from other entries.
    """

    name: str
    act: Act
    codes: dict[Power, Code]
    also: frozenset[Code] = frozenset()

    @property
    def doc(self) -> str:
        """What the attacker does."""
        return self.act.__doc__ or ""

    def __call__(self, path: Path, power: Power = Power.DISK) -> None:
        """Do it to the closed ledger at `path`, made with test keys."""
        self.act(path)
        if power is Power.OPERATOR:
            reseal(path)
        if power is not Power.DISK:
            resign(path, Keys().log)


def tampering(
    disk: Code | None, log_key: Code | None, operator: Code | None, also: Iterable[Code] = ()
) -> Callable[[Act], Tampering]:
    """Make a function a tampering; the codes are those that have to be found at each power."""
    codes = {power: code for power, code in zip(Power, (disk, log_key, operator), strict=True) if code is not None}

    def register(act: Act) -> Tampering:
        return Tampering(act.__name__, act, codes, frozenset(also))

    return register
