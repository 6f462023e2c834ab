"""One private value, shown to somebody who can hold it against the log and needs nothing but this and the log's key.

    name, value, salt      -> private commitment, which has to stand in the content (format.md section 4.1)
    content and its salt   -> content commitment, which has to stand in the header
    header                 -> leaf, which has to be in the tree that the log key signed

The commitment is inside the content, and the content is hashed as a whole: so the entry's content is shown, with its
salt. It has no personal data in it, but it does say of which packs, parties and documents the event was, and the
person's token; other private fields of it stay hidden behind their own salts. Who must not see the rest of an event
must not be shown one of its values in this way.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from attrs import field, frozen

from tracechain import merkle
from tracechain.checkpoint import InclusionProof, VerifierKey, check_proof, format_proof, parse_proof
from tracechain.encoding import decode
from tracechain.entry import HEADER_SIZE, MAX_CONTENT, SALT_SIZE, EntryType, content_commitment, parse_header
from tracechain.errors import DecodeError, InputError, ProofError
from tracechain.event import Event
from tracechain.persons.plain import plain_value, read_value
from tracechain.private import PrivateValue, Value, commit_private
from tracechain.record import epoch_of
from tracechain.store import Kept, Vault
from tracechain.view import View, ViewNodes

__all__ = ["Disclosed", "Disclosure", "check_disclosure", "disclose", "format_disclosure", "parse_disclosure"]

FORMAT = "tracechain disclosure v0"
#: Bytes of a disclosure as text: its content and value in hexadecimal, and a proof.
_MOST = 1 << 19  # format.md section 4.1


@frozen
class Disclosure:
    """What is shown: `header` has 128 bytes, `content` is what its commitment covers, with `content_salt`; `salt` is
    that of the private value; `proof` leads from the header to the log's signature."""

    header: bytes = field(repr=False)
    content: bytes = field(repr=False)
    content_salt: bytes = field(repr=False)
    name: str
    value: Value
    salt: bytes = field(repr=False)
    proof: InclusionProof

    @property
    def index(self) -> int:
        """The entry."""
        return self.proof.index


@frozen
class Disclosed:
    """What a disclosure proves: that the author of entry `index` committed to this value, when the entry was received
    (ms since 1970 UTC), no later than when the log had `size` entries. Not that the value is true."""

    index: int
    received: int
    event: Event
    name: str
    value: Value
    origin: str
    size: int


def disclose(view: View, vault: Vault, index: int, name: str, *, ground: str | None = None) -> Disclosure:
    """Show the private field `name` of the event at `index`.

    InputError where there is no such field, or its value is not kept; RestrictedError where it is withheld and no
    `ground` is stated.
    """
    if not 0 <= index < view.size:
        raise InputError(f"there is no entry {index}: the ledger has {view.size} entries, from 0")
    header, part = view.header(index), view.content(index)
    if header is None or parse_header(header).type != EntryType.EVENT:
        raise InputError(f"entry {index} is no event: only events have private fields")
    if part is None:
        raise InputError(f"entry {index}: its content is not kept, so nothing can be held against it")
    event = decode(part[SALT_SIZE:])
    value = _value(vault, index, event, name, ground)
    nodes = ViewNodes(view)
    proof = InclusionProof(index, tuple(merkle.prove_inclusion(nodes, index, view.size)), view.checkpoint)
    return Disclosure(header, part[SALT_SIZE:], part[:SALT_SIZE], name, value.value, value.salt, proof)


def _value(vault: Vault, index: int, event: Event, name: str, ground: str | None) -> PrivateValue:
    commitment = next((one.commitment for one in event.private if one.name == name), None)
    if commitment is None:
        names = ", ".join(one.name for one in event.private) or "none"
        raise InputError(f"entry {index} has no private field {name!r:.100}; it has {names}")
    if ground is None:
        value = vault.private(commitment)
    else:
        revealed = vault.reveal(commitment, ground=ground)
        assert revealed is None or isinstance(revealed, PrivateValue)
        value = revealed
    if value is None:
        said = "was erased" if vault.standing(commitment) == Kept.ERASED else "is not in the vault"
        raise InputError(f"entry {index}: the value of {name} {said}, so it cannot be shown")
    return value


def check_disclosure(disclosure: Disclosure, verifier: VerifierKey) -> Disclosed:
    """Hold a disclosure against the log, by its key alone. DataError (ProofError, CheckpointError, DecodeError) says
    what does not fit."""
    header = parse_header(disclosure.header)
    checkpoint = check_proof(disclosure.proof, sha256(b"\0" + disclosure.header).digest(), verifier)
    if checkpoint.origin != verifier.name and not (
        epoch_of(checkpoint.origin) and checkpoint.origin.startswith(f"{verifier.name}/epoch/")
    ):
        raise ProofError(f"the checkpoint is of log {checkpoint.origin!r:.200}, not of {verifier.name!r:.200}")
    if header.type != EntryType.EVENT:
        raise ProofError(f"entry {disclosure.index} is no event")
    if content_commitment(disclosure.content_salt, disclosure.content) != header.content_commitment:
        raise ProofError(f"the content is not that of entry {disclosure.index}: it, or its salt, was altered")
    event = decode(disclosure.content)
    try:
        commitment = commit_private(disclosure.salt, disclosure.name, disclosure.value)
    except InputError as error:
        raise ProofError(f"this is no private value: {error}") from None
    if not any(one.name == disclosure.name and one.commitment == commitment for one in event.private):
        raise ProofError(
            f"entry {disclosure.index} does not commit to this value of {disclosure.name}: the value, or its salt, was"
            " altered, or is of another entry"
        )
    return Disclosed(
        disclosure.index, header.time, event, disclosure.name, disclosure.value, checkpoint.origin, checkpoint.size
    )


def format_disclosure(disclosure: Disclosure) -> str:
    """A disclosure as JSON."""
    return json.dumps(
        {
            "format": FORMAT,
            "name": disclosure.name,
            "value": plain_value(disclosure.value),
            "salt": disclosure.salt.hex(),
            "header": disclosure.header.hex(),
            "content": disclosure.content.hex(),
            "content_salt": disclosure.content_salt.hex(),
            "proof": format_proof(disclosure.proof),
        },
        ensure_ascii=False,
        indent=2,
    )


def parse_disclosure(text: str) -> Disclosure:
    """Read it strictly; nothing is verified yet. DecodeError for what is no disclosure."""
    if len(text) > _MOST:
        raise DecodeError(f"a disclosure has at most {_MOST} characters, not {len(text)}")
    try:
        found: Any = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"this is no disclosure: it is no JSON ({error})") from None
    names = {"format", "name", "value", "salt", "header", "content", "content_salt", "proof"}
    if not isinstance(found, dict) or set(found) != names or found["format"] != FORMAT:
        raise DecodeError(f"this is no disclosure: it is a JSON object of {', '.join(sorted(names))} ({FORMAT})")
    if not isinstance(found["name"], str) or not isinstance(found["proof"], str):
        raise DecodeError("this is no disclosure: its name and its proof are texts")
    return Disclosure(
        _hex(found["header"], HEADER_SIZE, HEADER_SIZE, "header"),
        _hex(found["content"], 1, MAX_CONTENT, "content"),
        _hex(found["content_salt"], SALT_SIZE, SALT_SIZE, "content salt"),
        found["name"],
        read_value(found["value"]),
        _hex(found["salt"], SALT_SIZE, SALT_SIZE, "salt"),
        parse_proof(found["proof"]),
    )


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object in which no name stands twice: readers differ in which one they take."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _hex(value: object, least: int, most: int, what: str) -> bytes:
    """Bytes written in lower-case hexadecimal, in no other way."""
    try:
        data = bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        data = None
    if data is None or data.hex() != value or not least <= len(data) <= most:
        raise DecodeError(f"the {what} of a disclosure is not {least} to {most} bytes in lower-case hexadecimal")
    return data
