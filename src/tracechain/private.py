"""Private fields: what an event says of a person without saying it (docs/format.md section 4.1).

    commitment = H( tag "TCH0 private" || salt (32 bytes) || canonical [name, value] )

The content of an event names the field and holds its commitment; salt and value are kept in the vault, where they can
be erased at once. Who is shown salt, name and value can hold them against the commitment, and so against the log.
Without the salt a commitment says nothing, not even whether two of them stand for the same value: with no salt,
telephone numbers are few enough to try them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from itertools import pairwise

from attrs import field, frozen

from tracechain import encoding
from tracechain.entry import SALT_SIZE
from tracechain.errors import DecodeError, InputError
from tracechain.event.parts import PrivateField
from tracechain.event.values import check_name, check_text

__all__ = [
    "COMMITMENT_SIZE",
    "MAX_VALUE",
    "TOKEN_SIZE",
    "Identity",
    "PrivateValue",
    "Value",
    "check_token",
    "check_value",
    "commit_private",
    "decode_identity",
    "encode_identity",
    "private_fields",
]

#: A person's token, bytes.
TOKEN_SIZE = 16
#: A commitment, bytes.
COMMITMENT_SIZE = 32
#: A value, bytes (a text's in UTF-8): what is bigger is kept elsewhere, and its digest is the value.
MAX_VALUE = 16_384
MAX_IDENTITY = 65_536

PRIVATE_TAG = b"TCH0 private".ljust(16, b"\0")

#: What a private field or an item of an identity holds.
Value = str | bytes
#: Who a token stands for: named values, such as {"name": "...", "phone": "..."}; not empty.
Identity = Mapping[str, Value]


def check_token(token: object) -> None:
    """InputError unless it is 16 bytes."""
    if type(token) is not bytes or len(token) != TOKEN_SIZE:
        raise InputError(f"a person's token is {TOKEN_SIZE} random bytes, not {token!r:.60}")


def check_value(name: object, value: object) -> None:
    """InputError unless they are the name (1 to 480 bytes) and the value (text or bytes) of a private field."""
    check_name(name, "the name of a private field")
    if type(value) is str:
        check_text(value, f"private field {name}", MAX_VALUE)
    elif type(value) is not bytes:
        raise InputError(f"private field {name} holds a {type(value).__name__}: only text and bytes can be kept")
    elif len(value) > MAX_VALUE:
        raise InputError(f"private field {name} has {len(value)} bytes, over the limit of {MAX_VALUE}")


def commit_private(salt: bytes, name: str, value: Value) -> bytes:
    """What stands for a named value in an event's content (format.md section 4.1)."""
    if type(salt) is not bytes or len(salt) != SALT_SIZE:
        raise InputError(f"the salt of private field {name!r:.100} must be {SALT_SIZE} random bytes")
    check_value(name, value)
    return sha256(PRIVATE_TAG + salt + encoding.pack((name, value))).digest()


@frozen
class PrivateValue:
    """What the commitment of a private field stands for. Its text form leaves the value out: it ends up in logs."""

    salt: bytes = field(repr=False)
    name: str
    value: Value = field(repr=False)
    commitment: bytes = field(init=False)

    @commitment.default
    def _commitment(self) -> bytes:
        return commit_private(self.salt, self.name, self.value)

    @property
    def field(self) -> PrivateField:
        """What goes into the event."""
        return PrivateField(self.name, self.commitment)


def private_fields(
    values: Mapping[str, Value], random: Callable[[int], bytes]
) -> tuple[tuple[PrivateField, ...], tuple[PrivateValue, ...]]:
    """Commit to named values: the fields for `Event.private`, and what the vault keeps of them. Sorted by name.

    `random` gives so many random bytes (os.urandom): each value gets a salt of its own. Put the values into the vault
    before the event is appended: the other way round a crash loses them.
    """
    kept = tuple(PrivateValue(random(SALT_SIZE), name, values[name]) for name in sorted(values))
    return tuple(one.field for one in kept), kept


def encode_identity(identity: Identity) -> bytes:
    """An identity as the vault keeps it: canonical [ [name, value], ... ], by name. InputError for one that it cannot
    keep."""
    if not identity:
        raise InputError("an identity is at least one named value, such as {'name': '...'}")
    for name, value in identity.items():
        check_value(name, value)
    data = encoding.pack(tuple((name, identity[name]) for name in sorted(identity)))
    if len(data) > MAX_IDENTITY:
        raise InputError(f"an identity has {len(data)} bytes, over the limit of {MAX_IDENTITY}")
    return data


def decode_identity(data: bytes) -> dict[str, Value]:
    """Read an identity strictly, in order of names."""
    items = encoding.unpack_raw(data, MAX_IDENTITY, 2)
    if not isinstance(items, tuple) or not items:
        raise DecodeError("an identity is an array of at least one named value")
    found: dict[str, Value] = {}
    for item in items:
        if not isinstance(item, tuple) or len(item) != 2:
            raise DecodeError("an identity holds what is no pair of name and value")
        name, value = item
        try:
            check_value(name, value)
        except InputError as error:
            raise DecodeError(f"an identity: {error}") from None
        assert isinstance(name, str)
        assert isinstance(value, str | bytes)
        found[name] = value
    names = [item[0] for item in items if isinstance(item, tuple)]
    if any(str(a) >= str(b) for a, b in pairwise(names)):
        raise DecodeError("the names of an identity are not in order, each once")
    return found
