"""The vault: identities behind tokens, and the values of private fields, apart from the ledger.

An environment of its own, so that erasing a person does not copy the ledger. What is here is not part of the log; the
log only has random tokens and salted commitments (docs/format.md sections 4.1 and 11.4). So a person can be
forgotten, and the log stays what was signed.

A *key* is a token (16 bytes) or a commitment (32 bytes). A key that was erased stays erased: it is remembered, which
says nothing of anybody, and takes no value again. What is deleted here is still readable in the file until the next
generation is made of it (`compact`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

import lmdb
from attrs import frozen

from tracechain import encoding
from tracechain.errors import DataError, DecodeError, InputError, RestrictedError
from tracechain.event.values import check_text
from tracechain.private import (
    COMMITMENT_SIZE,
    TOKEN_SIZE,
    Identity,
    PrivateValue,
    Value,
    check_token,
    decode_identity,
    encode_identity,
)
from tracechain.store.environment import Environment
from tracechain.store.generations import UNCOMPACTED, Compaction, Generations, Lease, Progress

__all__ = ["Changes", "Kept", "Pending", "Restriction", "Revealed", "Surveyed", "Vault"]

_MAP_SIZE = 1 << 36

_PERSONS = "persons"
_PRIVATE = "private"
_OWNED = "owned"
_RESTRICTED = "restricted"
_REVEALED = "revealed"
_ERASED = "erased"
_PENDING = "pending"
_META = "meta"
_CARRIED_OUT = b"carried out"
_TABLES = (_PERSONS, _PRIVATE, _OWNED, _RESTRICTED, _REVEALED, _ERASED, _PENDING, _META)

_GROUND_MOST = 4096
_NUMBER = 8


class Kept(StrEnum):
    """How a key stands in the vault."""

    KEPT = "kept"
    RESTRICTED = "restricted"
    ERASED = "erased"
    UNKNOWN = "unknown"


@frozen
class Restriction:
    """Since when (day since 1970-01-01 in Asia/Shanghai) and why a value is withheld."""

    day: int
    ground: str


@frozen
class Revealed:
    """That a value was revealed: when (ms since 1970 UTC) and on which ground."""

    time: int
    ground: str


@frozen
class Surveyed:
    """What is kept under a key, but for the value: `name` is None of an identity, `token` whose it is, `since` when it
    was put (ms since 1970 UTC)."""

    key: bytes
    name: str | None
    token: bytes | None
    since: int
    withheld: bool


@frozen
class Pending:
    """An erasure that was about to be recorded: the content of its record, and from which entry on it may stand."""

    size: int
    content: bytes


class Vault:
    """Token -> identity; commitment -> salt, name, value and whose they are; and what is withheld or was erased.

    `clock` gives milliseconds since 1970 UTC: when something was put, or revealed. A ledger sets its own.
    """

    def __init__(self, folder: Path, *, writable: bool, create: bool = False) -> None:
        self.clock: Callable[[], int] = _system_clock
        if create:
            Generations.create(folder, _TABLES, map_size=_MAP_SIZE)
        self._generations = Generations(folder, _TABLES, writable=writable, map_size=_MAP_SIZE)

    # ---- reading ----

    def person(self, token: bytes) -> dict[str, Value] | None:
        """Who a token stands for, by names; None if nobody knows or it was erased. RestrictedError if withheld."""
        with self._reading() as read:
            read.check_shown(token)
            return read.person(token)

    def private(self, commitment: bytes) -> PrivateValue | None:
        """What is behind a commitment; None if nobody knows or it was erased. RestrictedError if it, or its person, is
        withheld."""
        with self._reading() as read:
            read.check_shown(commitment)
            return read.private(commitment)

    def standing(self, key: bytes) -> Kept:
        """Whether what a key stands for is kept, withheld, erased, or was never there."""
        with self._reading() as read:
            return read.standing(key)

    def restriction(self, key: bytes) -> Restriction | None:
        """Why a value is withheld: on its own account, or with its person."""
        with self._reading() as read:
            return read.restriction(key)

    def since(self, key: bytes) -> int | None:
        """When what is kept under a key was put (ms since 1970 UTC), last."""
        with self._reading() as read:
            return read.since(key)

    def names(self, key: bytes) -> tuple[str, ...]:
        """The names of what is kept under a key, withheld or not: of an identity, or of a private field."""
        with self._reading() as read:
            if _is_token(key):
                return tuple(read.person(key) or ())
            value = read.private(key)
            return () if value is None else (value.name,)

    def owned(self, token: bytes) -> tuple[bytes, ...]:
        """The commitments that were put for a person and are kept, withheld or not; sorted."""
        with self._reading() as read:
            return tuple(read.owned(token))

    def owner(self, commitment: bytes) -> bytes | None:
        """The token that a private value was put for."""
        with self._reading() as read:
            return read.owner(commitment)

    def persons(self) -> list[bytes]:
        """Every token with an identity, withheld or not; sorted."""
        with self._reading() as read:
            return read.keys(_PERSONS)

    def privates(self) -> list[tuple[bytes, str, bytes | None]]:
        """(commitment, name, token or None) of every private value, withheld or not; sorted."""
        with self._reading() as read:
            return list(read.privates())

    def survey(self) -> list[Surveyed]:
        """Everything that is kept, withheld or not, without the values: persons first, each sorted by key."""
        with self._reading() as read:
            return list(read.survey())

    def find(self, value: Value, name: str | None = None) -> list[bytes]:
        """The tokens of persons of whom exactly this value is kept, under this name or any; sorted.

        Also of those withheld: who states the value knows it already, and the person it is about must be found. Reads
        the whole vault.
        """
        with self._reading() as read:
            return sorted(set(read.find(value, name)))

    def reveal(self, key: bytes, *, ground: str) -> dict[str, Value] | PrivateValue | None:
        """An identity or a private value whether it is withheld or not. That it was shown, when and on which ground, is
        written down first (`revealed`): so the vault has to be open for writing."""
        _check_ground(ground)
        with self._writing() as write:
            found = write.person(key) if _is_token(key) else write.private(key)
            if found is not None:
                write.note_revealed(key, self.clock(), ground)
            return found

    def revealed(self, key: bytes) -> tuple[Revealed, ...]:
        """When a value was revealed and why, oldest first; kept when the value is erased."""
        _is_token(key)
        with self._reading() as read:
            return tuple(read.revealed(key))

    # ---- writing ----

    @contextlib.contextmanager
    def changing(self) -> Iterator[Changes]:
        """Several changes in one durable transaction: all of them at the end of the block, or none."""
        with self._writing() as write:
            yield write

    def put_person(self, token: bytes, identity: Identity) -> None:
        """Remember who a token stands for. An identity that is there already is replaced; what it said before is out of
        the file when the vault is compacted next."""
        with self._writing() as write:
            write.put_person(token, identity)

    def put_private(self, values: Iterable[PrivateValue], token: bytes | None = None) -> None:
        """Keep values of private fields, and whose they are, so that they are found when the person asks."""
        with self._writing() as write:
            for value in values:
                write.put_private(value, token)

    def lift(self, keys: Iterable[bytes]) -> None:
        """Withhold these identities and values no longer."""
        with self._writing() as write:
            for key in keys:
                write.lift(key)

    # ---- erasing, which the ledger does: each is a record in the log (Ledger.erase) ----

    def announce(self, contents: Iterable[bytes], size: int) -> None:
        """Note that records with these contents are about to be appended to a log of `size` entries."""
        with self._writing() as write:
            for content in contents:
                write.put(_PENDING, size.to_bytes(_NUMBER, "big") + sha256(content).digest(), content)

    def pending(self) -> list[Pending]:
        """What was announced and is not settled, oldest first."""
        with self._reading() as read:
            return [Pending(int.from_bytes(key[:_NUMBER], "big"), content) for key, content in read.rows(_PENDING)]

    def settle(self, pending: Pending) -> None:
        """Forget an announcement: its record was carried out, or was never appended."""
        with self._writing() as write:
            write.delete(_PENDING, pending.size.to_bytes(_NUMBER, "big") + sha256(pending.content).digest())

    def carried_out(self) -> int:
        """The index of the latest record of an erasure that was carried out here, -1 if none was."""
        with self._reading() as read:
            return read.carried_out()

    def withhold(self, keys: Iterable[bytes], restriction: Restriction) -> None:
        """Carry out a record that restricts: what is not there any more is passed over."""
        with self._writing() as write:
            for key in keys:
                write.withhold(key, restriction)

    def erase(self, keys: Iterable[bytes], index: int) -> int:
        """Carry out the record of an erasure, which is entry `index`: delete what is there, for good, and say how many
        it was. The bytes are in the file until `compact`: see `uncompacted`."""
        with self._writing() as write:
            return sum(write.erase(key, index) for key in keys)

    def erased_by(self, key: bytes) -> int | None:
        """The entry that records the erasure of a key, None if it was not erased."""
        with self._reading() as read:
            return read.erased_by(key)

    def uncompacted(self) -> bool:
        """Whether the file may hold bytes of what was erased: not once it is another generation's."""
        return self._generations.uncompacted()

    # ---- the file ----

    def copy(self, folder: Path) -> None:
        """A compact copy into an empty folder."""
        self._generations.copy(folder)

    def compact(self, progress: Progress | None = None) -> Compaction:
        """Put a compact copy in use and remove the old file, so that what was deleted is nowhere in it.

        The caller holds the writer lock of the ledger.
        """
        return self._generations.compact(progress)

    def tidy(self) -> None:
        """Finish a compaction that was interrupted. The caller holds the writer lock of the ledger."""
        self._generations.tidy()

    def close(self) -> None:
        """Close the environment."""
        self._generations.close()

    @contextlib.contextmanager
    def _reading(self) -> Iterator[_Contents]:
        with self._generations.reading() as (env, txn):
            try:
                yield _Contents(txn, env)
            except lmdb.Error as error:
                raise env.failure("read", error) from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Changes]:
        user = Lease()
        env, txn = self._generations.begin(user, write=True)
        committing = False
        try:
            yield Changes(txn, env, self.clock())
            committing = True
            txn.commit()
        except BaseException as error:
            with contextlib.suppress(lmdb.Error):
                txn.abort()
            if isinstance(error, lmdb.Error) or committing:
                env.poison(f"a write failed ({error}), and what of it is on disk is unknown")
            if isinstance(error, lmdb.Error):
                raise env.failure("write to", error) from error
            raise
        finally:
            self._generations.leave(env, user)


class _Contents:
    """What is in the vault, as one transaction sees it."""

    def __init__(self, txn: Any, env: Environment) -> None:
        self._txn = txn
        self._tables = env.tables
        self._where = env.folder

    def get(self, table: str, key: bytes) -> bytes | None:
        """A row of a table."""
        value: bytes | None = self._txn.get(key, None, self._tables[table])
        return value

    def rows(self, table: str, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """The rows of a table whose keys begin so, in order."""
        cursor = self._txn.cursor(self._tables[table])
        if cursor.set_range(prefix):
            for key, value in cursor.iternext():
                if not key.startswith(prefix):
                    return
                yield key, value

    def keys(self, table: str) -> list[bytes]:
        """The keys of a table."""
        return list(self._txn.cursor(self._tables[table]).iternext(values=False))

    def person(self, token: bytes) -> dict[str, Value] | None:
        """An identity, withheld or not."""
        check_token(token)
        data = self.get(_PERSONS, token)
        return None if data is None else decode_identity(data[_NUMBER:])

    def private(self, commitment: bytes) -> PrivateValue | None:
        """A private value, withheld or not."""
        _check_commitment(commitment)
        data = self.get(_PRIVATE, commitment)
        return None if data is None else self._decoded(commitment, data)[0]

    def since(self, key: bytes) -> int | None:
        """When it was put."""
        data = self.get(_PERSONS if _is_token(key) else _PRIVATE, key)
        return None if data is None else int.from_bytes(data[:_NUMBER], "big")

    def owner(self, commitment: bytes) -> bytes | None:
        """Whose it is."""
        _check_commitment(commitment)
        data = self.get(_PRIVATE, commitment)
        return None if data is None else self._decoded(commitment, data)[1]

    def privates(self) -> Iterator[tuple[bytes, str, bytes | None]]:
        """(commitment, name, token) of all values."""
        for commitment, data in self.rows(_PRIVATE):
            value, token = self._decoded(commitment, data)
            yield commitment, value.name, token

    def survey(self) -> Iterator[Surveyed]:
        """Both tables, in one go each."""
        restricted = set(self.keys(_RESTRICTED))
        for token, data in self.rows(_PERSONS):
            yield Surveyed(token, None, token, int.from_bytes(data[:_NUMBER], "big"), token in restricted)
        for commitment, data in self.rows(_PRIVATE):
            _, name, _, owner = encoding.unpack_known(data[_NUMBER:])  # type: ignore[misc]  # as put_private wrote it
            withheld = commitment in restricted or owner in restricted
            yield Surveyed(commitment, name, owner, int.from_bytes(data[:_NUMBER], "big"), withheld)  # type: ignore[arg-type]  # likewise

    def owned(self, token: bytes) -> Iterator[bytes]:
        """The commitments of a person's values."""
        check_token(token)
        for key, _ in self.rows(_OWNED, token):
            yield key[TOKEN_SIZE:]

    def standing(self, key: bytes) -> Kept:
        """How a key stands."""
        if self.get(_PERSONS if _is_token(key) else _PRIVATE, key) is not None:
            return Kept.KEPT if self.restriction(key) is None else Kept.RESTRICTED
        return Kept.UNKNOWN if self.erased_by(key) is None else Kept.ERASED

    def restriction(self, key: bytes) -> Restriction | None:
        """Why a key is withheld."""
        token = _is_token(key)
        data = self.get(_RESTRICTED, key)
        if data is None and not token:
            owner = self.owner(key)
            data = None if owner is None else self.get(_RESTRICTED, owner)
        if data is None:
            return None
        day, ground = _noted(data)
        return Restriction(day, ground)

    def erased_by(self, key: bytes) -> int | None:
        """The entry that says so."""
        _is_token(key)  # refuses what is no key
        index = self.get(_ERASED, key)
        return None if index is None else int.from_bytes(index, "big")

    def carried_out(self) -> int:
        """The index of the latest record of an erasure that was carried out here, -1 if none was."""
        value = self.get(_META, _CARRIED_OUT)
        return -1 if value is None else int.from_bytes(value, "big")

    def revealed(self, key: bytes) -> Iterator[Revealed]:
        """When and why a value was revealed."""
        for found, data in self.rows(_REVEALED, key):
            if len(found) == len(key) + _NUMBER:
                yield Revealed(*_noted(data))

    def find(self, value: Value, name: str | None) -> Iterator[bytes]:
        """Tokens of whom this value is kept, maybe several times."""
        # The bytes first: what holds them is decoded, and that is next to nothing.
        needle = encoding.pack(value)
        for token, data in self.rows(_PERSONS):
            if needle in data:
                identity = decode_identity(data[_NUMBER:])
                if any(one == value and name in (None, named) for named, one in identity.items()):
                    yield token
        for commitment, data in self.rows(_PRIVATE):
            if needle in data:
                private, owner = self._decoded(commitment, data)
                if owner is not None and private.value == value and name in (None, private.name):
                    yield owner

    def check_shown(self, key: bytes) -> None:
        """RestrictedError if it is withheld."""
        restriction = None if self.standing(key) != Kept.RESTRICTED else self.restriction(key)
        if restriction is not None:
            raise RestrictedError(
                f"what is kept under {key.hex()} is withheld ({restriction.ground}): reveal it with a ground, if you"
                " have one"
            )

    def _decoded(self, commitment: bytes, data: bytes) -> tuple[PrivateValue, bytes | None]:
        """A row of the table of private values, held against its commitment."""
        try:
            salt, name, value, owner = encoding.unpack_raw(data[_NUMBER:], max_depth=1)  # type: ignore[misc]  # see below
            found = PrivateValue(salt, name, value)  # type: ignore[arg-type]  # it checks its types itself
            if owner is not None:
                check_token(owner)
        except (DecodeError, InputError, TypeError, ValueError) as error:
            raise DataError(f"{self._where}: private value {commitment.hex()} is damaged ({error})") from None
        if found.commitment != commitment:
            raise DataError(f"{self._where}: private value {commitment.hex()} is not what was committed to")
        return found, owner  # type: ignore[return-value]  # check_token saw it


class Changes(_Contents):
    """Changes of the vault in one transaction."""

    def __init__(self, txn: Any, env: Environment, now: int) -> None:
        super().__init__(txn, env)
        self._now = now.to_bytes(_NUMBER, "big")

    def put(self, table: str, key: bytes, value: bytes) -> None:
        """Write a row of a table."""
        self._txn.put(key, value, db=self._tables[table])

    def delete(self, table: str, key: bytes) -> bool:
        """Delete a row of a table; whether it was there."""
        return bool(self._txn.delete(key, db=self._tables[table]))

    def put_person(self, token: bytes, identity: Identity) -> None:
        """Remember who a token stands for."""
        check_token(token)
        self._check_new(token)
        self.put(_PERSONS, token, self._now + encode_identity(identity))

    def put_private(self, value: PrivateValue, token: bytes | None = None) -> None:
        """Keep a private value, of this person or of nobody in particular."""
        self._check_new(value.commitment)
        if token is not None:
            check_token(token)
            self._check_new(token)
        data = self.get(_PRIVATE, value.commitment)
        if data is not None:
            _, owner = self._decoded(value.commitment, data)
            if owner is not None and owner != token:
                raise InputError(f"private value {value.commitment.hex()} was put for another person")
        row = encoding.pack((value.salt, value.name, value.value, token))
        self.put(_PRIVATE, value.commitment, self._now + row)
        if token is not None:
            self.put(_OWNED, token + value.commitment, b"")

    def lift(self, key: bytes) -> None:
        """Withhold it no longer."""
        _is_token(key)
        if not self.delete(_RESTRICTED, key):
            raise InputError(f"what is kept under {key.hex()} is not withheld on its own account")

    def withhold(self, key: bytes, restriction: Restriction) -> None:
        """Withhold what is there: of a token also the values, whether there is an identity or not."""
        _check_ground(restriction.ground)
        if self.standing(key) in (Kept.KEPT, Kept.RESTRICTED) or self._owns(key):
            self.put(_RESTRICTED, key, encoding.pack((restriction.day, restriction.ground)))

    def erase(self, key: bytes, index: int) -> bool:
        """Delete what is there and remember that it was; whether there was anything."""
        if self.erased_by(key) is None:
            self.put(_ERASED, key, index.to_bytes(_NUMBER, "big"))
        if _is_token(key):
            gone = self.delete(_PERSONS, key)
            self._drop_mark(key)
        else:
            owner = self.owner(key)
            gone = self.delete(_PRIVATE, key)
            self.delete(_RESTRICTED, key)
            if owner is not None:
                self.delete(_OWNED, owner + key)
                self._drop_mark(owner)
        if gone:
            self.put(_META, UNCOMPACTED, b"1")
        return gone

    def note_carried_out(self, index: int) -> None:
        """Remember that the record of an erasure, which is entry `index`, was carried out."""
        if index > self.carried_out():
            self.put(_META, _CARRIED_OUT, index.to_bytes(_NUMBER, "big"))

    def note_revealed(self, key: bytes, now: int, ground: str) -> None:
        """Write down that a value was shown."""
        number = sum(1 for _ in self.revealed(key))
        self.put(_REVEALED, key + number.to_bytes(_NUMBER, "big"), encoding.pack((now, ground)))

    def _owns(self, key: bytes) -> bool:
        return _is_token(key) and next(self.owned(key), None) is not None

    def _drop_mark(self, token: bytes) -> None:
        """A person of whom nothing is left is not withheld any more."""
        if self.get(_PERSONS, token) is None and not self._owns(token):
            self.delete(_RESTRICTED, token)

    def _check_new(self, key: bytes) -> None:
        if self.erased_by(key) is not None:
            raise InputError(f"{key.hex()} was erased: it takes no value again. Who comes back gets a new token")


def _system_clock() -> int:
    return time.time_ns() // 1_000_000


def _is_token(key: object) -> bool:
    """Whether a key is a token, or else a commitment; InputError for what is neither."""
    if type(key) is bytes and len(key) == TOKEN_SIZE:
        return True
    _check_commitment(key)
    return False


def _check_commitment(commitment: object) -> None:
    if type(commitment) is not bytes or len(commitment) != COMMITMENT_SIZE:
        raise InputError(f"a commitment is {COMMITMENT_SIZE} bytes, not {commitment!r:.80}")


def _check_ground(ground: object) -> None:
    if not isinstance(ground, str) or not ground.strip():
        raise InputError("state a ground: it is kept beside what was done")
    check_text(ground, "a ground", _GROUND_MOST)


def _noted(data: bytes) -> tuple[int, str]:
    number, ground = encoding.unpack_raw(data, max_depth=1)  # type: ignore[misc]  # we wrote it ourselves
    return number, ground  # type: ignore[return-value]  # likewise
