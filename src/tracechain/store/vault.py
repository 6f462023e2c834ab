"""The vault: identities behind tokens, and the values of private fields, apart from the ledger.

An environment of its own, so that erasing a person does not copy the ledger. What is here is not part of the
log; the log only has random tokens and salted commitments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lmdb

from tracechain.errors import InputError
from tracechain.store.environment import Environment

__all__ = ["Vault"]

_MAX_KEY = 511  # LMDB's
_TABLES = ("persons", "private")
_MAP_SIZE = 1 << 36


class Vault:
    """Token -> identity, and (entry, field) -> salt and value."""

    def __init__(self, folder: Path, *, writable: bool, create: bool = False) -> None:
        self._env = Environment(folder, _TABLES, writable=writable, create=create, map_size=_MAP_SIZE)

    def put_person(self, token: bytes, identity: bytes) -> None:
        """Remember who a token stands for."""
        self._write("persons", token, identity)

    def person(self, token: bytes) -> bytes | None:
        """Who a token stands for, None if nobody knows or it was erased."""
        return self._read("persons", token)

    def put_private(self, commitment: bytes, salt: bytes, value: bytes) -> None:
        """Keep the salt (32 bytes) and value behind the commitment of a private field."""
        self._write("private", commitment, salt + value)

    def private(self, commitment: bytes) -> tuple[bytes, bytes] | None:
        """(salt, value) behind a commitment."""
        stored = self._read("private", commitment)
        return None if stored is None else (stored[:32], stored[32:])

    def copy(self, folder: Path) -> None:
        """A compact copy into an empty folder."""
        self._env.copy(folder)

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _write(self, table: str, key: bytes, value: bytes) -> None:
        if not 0 < len(key) <= _MAX_KEY:
            raise InputError(f"a token or commitment has 1 to {_MAX_KEY} bytes, not {len(key)}")
        txn: Any = self._env.begin(write=True)
        try:
            with txn:
                txn.put(key, value, db=self._env.tables[table])
        except lmdb.Error as error:
            self._env.poison(f"a write failed ({error})")
            raise self._env.failure("write to", error) from error

    def _read(self, table: str, key: bytes) -> bytes | None:
        with self._env.begin() as txn:
            try:
                value: bytes | None = txn.get(key, None, self._env.tables[table])
            except lmdb.Error as error:
                raise self._env.failure("read", error) from error
            return value
