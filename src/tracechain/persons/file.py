"""All that is held on a person: what the log says under a token, and what the vault keeps of it."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, parse_header
from tracechain.errors import DataError
from tracechain.event import Event, sale, subjects
from tracechain.persons.finding import Personal, Progress, personal
from tracechain.private import PrivateValue, Value
from tracechain.store import Kept, Restriction, Vault
from tracechain.store.vault import Revealed
from tracechain.view import View, ledger_id

__all__ = ["HeldEvent", "HeldField", "HeldIdentity", "PersonFile", "held_on"]


@frozen
class HeldIdentity:
    """Who a token stands for. `values` is None unless it is kept and shown; `names` are those of its values."""

    standing: Kept
    names: tuple[str, ...] = ()
    values: dict[str, Value] | None = None
    restriction: Restriction | None = None
    #: The record of its erasure, by index.
    erased_by: int | None = None
    revealed: tuple[Revealed, ...] = ()


@frozen
class HeldField:
    """A private value: of an entry, or of none (`index` None) as long as no kept event has its commitment.

    `value` is None unless it is kept and shown.
    """

    index: int | None
    name: str
    commitment: bytes
    standing: Kept
    value: PrivateValue | None = None
    restriction: Restriction | None = None
    erased_by: int | None = None
    revealed: tuple[Revealed, ...] = ()


@frozen
class HeldEvent:
    """An event with the person's token, or with private values of the person. `received` is in ms since 1970 UTC,
    `part` is salt and content."""

    index: int
    received: int
    part: bytes = field(repr=False)
    event: Event
    #: Whether the event has the token; else it is the vault that knows its fields to be of this person.
    named: bool
    fields: tuple[HeldField, ...]

    @property
    def units(self) -> tuple[str, ...]:
        """What it was about: the ids of its subjects."""
        return subjects(self.event)

    @property
    def amount(self) -> Decimal | None:
        """What it came to, in yuan."""
        return sale.amount(self.event)


@frozen
class PersonFile:
    """Everything, as of a log of `size` entries under `checkpoint`. Alerts, which are worked out anew whenever they are
    asked for, are not kept and not part of it."""

    ledger_id: bytes
    size: int
    checkpoint: str
    token: bytes
    identity: HeldIdentity
    events: tuple[HeldEvent, ...]
    #: Values that are kept for the person and that no kept event has a commitment to.
    loose: tuple[HeldField, ...]

    @property
    def fields(self) -> tuple[HeldField, ...]:
        """All private values, those of events first."""
        return (*(one for event in self.events for one in event.fields), *self.loose)

    def __bool__(self) -> bool:
        """Whether anything is held at all: an event, an identity, a value."""
        return bool(self.events or self.loose) or self.identity.standing in (Kept.KEPT, Kept.RESTRICTED)


def held_on(
    view: View, vault: Vault, token: bytes, *, ground: str | None = None, progress: Progress | None = None
) -> PersonFile:
    """All that is held on the person behind a token. Reads the whole log once.

    What is withheld is not shown, unless a `ground` is stated: then that is written down, which needs a vault that is
    open for writing.
    """
    owned = set(vault.owned(token))
    found = personal(view, progress, of={token, *owned})
    events = tuple(_event(view, vault, one, token, owned, ground) for one in found)
    told = {one.commitment for event in events for one in event.fields}
    loose = tuple(_field(vault, None, None, commitment, ground) for commitment in sorted(owned - told))
    return PersonFile(
        ledger_id(view), view.size, view.checkpoint, token, _identity(vault, token, ground), events, loose
    )


def _identity(vault: Vault, token: bytes, ground: str | None) -> HeldIdentity:
    standing = vault.standing(token)
    values = None
    if standing == Kept.KEPT:
        values = vault.person(token)
    elif standing == Kept.RESTRICTED and ground is not None:
        revealed = vault.reveal(token, ground=ground)
        assert isinstance(revealed, dict)
        values = revealed
    return HeldIdentity(
        standing, vault.names(token), values, vault.restriction(token), vault.erased_by(token), vault.revealed(token)
    )


def _event(view: View, vault: Vault, one: Personal, token: bytes, owned: set[bytes], ground: str | None) -> HeldEvent:
    header = view.header(one.index)
    if header is None:
        raise DataError(f"entry {one.index}: its header is missing; run `tracechain verify`")
    named = one.token == token
    fields = tuple(
        _field(vault, one.index, name, commitment, ground)
        for name, commitment in one.fields
        # In an event of several persons' values only those that are known to be of this one, or of nobody.
        if commitment in owned or (named and vault.owner(commitment) in (None, token))
    )
    return HeldEvent(one.index, parse_header(header).time, one.part, decode(one.part[SALT_SIZE:]), named, fields)


def _field(vault: Vault, index: int | None, name: str | None, commitment: bytes, ground: str | None) -> HeldField:
    standing = vault.standing(commitment)
    value = None
    if standing == Kept.KEPT:
        value = vault.private(commitment)
    elif standing == Kept.RESTRICTED and ground is not None:
        revealed = vault.reveal(commitment, ground=ground)
        assert isinstance(revealed, PrivateValue)
        value = revealed
    return HeldField(
        index,
        name if name is not None else vault.names(commitment)[0],
        commitment,
        standing,
        value,
        vault.restriction(commitment),
        vault.erased_by(commitment),
        vault.revealed(commitment),
    )
