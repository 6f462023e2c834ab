"""Errors, sorted by whose fault they are: the caller's, the data's, or the storage's.

A message says what is wrong, where, and what to do about it. A type of its own exists only where a
caller acts on it differently.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "ClockError",
    "CodeError",
    "DataError",
    "DecodeError",
    "EquivocationError",
    "ForkError",
    "InputError",
    "KeyUseError",
    "PoisonedError",
    "ProofError",
    "RefusedError",
    "RestrictedError",
    "RollbackError",
    "SignatureError",
    "StorageError",
    "TracechainError",
    "VerificationError",
]


class TracechainError(Exception):
    """Everything this library raises on purpose."""


# ---- the caller's ------------------------------------------------------------------------------


class InputError(TracechainError, ValueError):
    """What the caller handed over cannot be used: nothing was written."""


class CodeError(InputError):
    """A unit, container, product or place code that follows no known scheme."""


class KeyUseError(InputError):
    """A key that is missing, unreadable, not authorised, revoked, or not the one needed."""


class RefusedError(InputError):
    """A strict submission was refused whole; `violations` says everything that was wrong with it."""

    def __init__(self, message: str, violations: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.violations = violations


class RestrictedError(InputError):
    """A personal value that is withheld: it is shown only to who states a ground, by `Vault.reveal`."""


class EquivocationError(InputError):
    """An author signed two different statements for one sequence number."""


class ClockError(InputError):
    """The clock jumped forward by more than the ledger accepts without a clock record."""


# ---- the data's --------------------------------------------------------------------------------


class DataError(TracechainError):
    """Bytes that were stored or received are not what they claim to be."""


class DecodeError(DataError):
    """Bytes that are not the canonical encoding of anything."""


class ProofError(DataError):
    """An inclusion or consistency proof that proves nothing."""


class SignatureError(DataError):
    """A signature or a public key that does not stand."""


class CheckpointError(DataError):
    """A note or checkpoint that is malformed or not signed by the key that is trusted."""


class VerificationError(DataError):
    """Raised by a report with findings; `findings` holds them."""

    def __init__(self, message: str, findings: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings


class RollbackError(DataError):
    """The database is older than what was signed before: a backup was put back, or the tail is gone."""


class ForkError(DataError):
    """The database contradicts a checkpoint that was signed before."""


# ---- the storage's -----------------------------------------------------------------------------


class StorageError(TracechainError):
    """The disk, the file system or LMDB failed."""


class PoisonedError(StorageError):
    """A write or sync failed earlier; what is durable is unknown until the ledger is opened again."""
