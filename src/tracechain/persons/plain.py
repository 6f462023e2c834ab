"""The JSON forms of what is held on a person, and of what would become of it.

A person gets everything, with the salts: so each value can be held against the log, or against what a regulator has.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import Any

from tracechain.entry import SALT_SIZE
from tracechain.errors import DecodeError
from tracechain.event.times import format_time
from tracechain.persons.erasure import ErasurePlan, Judged, Verdict
from tracechain.persons.file import HeldEvent, HeldField, HeldIdentity, PersonFile
from tracechain.private import Value
from tracechain.retention.dates import format_day
from tracechain.store import Restriction
from tracechain.store.vault import Revealed

__all__ = ["export_file", "plain_plan", "plain_value", "read_value"]

FILE_FORMAT = "tracechain person file v0"
_BEIJING = 480  # minutes east of UTC
_NANOS = 1_000_000


def plain_value(value: Value) -> Any:
    """A text as it is, bytes as {"base64": ...}."""
    return value if isinstance(value, str) else {"base64": b64encode(value).decode()}


def read_value(plain: object) -> Value:
    """Read it strictly."""
    if isinstance(plain, str):
        return plain
    if isinstance(plain, dict) and set(plain) == {"base64"} and isinstance(plain["base64"], str):
        try:
            data = b64decode(plain["base64"], validate=True)
        except (binascii.Error, ValueError):
            data = None
        if data is not None and b64encode(data).decode() == plain["base64"]:
            return data
    raise DecodeError('a value is a text, or {"base64": ...}')


def export_file(file: PersonFile) -> dict[str, Any]:
    """All that is held on a person as a JSON value, to hand over.

    `content` is that of each event, whole, as canonical bytes in hexadecimal behind its salt (docs/format.md sections 4
    and 9); what stands beside it is taken from it for people.
    """
    return {
        "format": FILE_FORMAT,
        "ledger": file.ledger_id.hex(),
        "entries": file.size,
        "checkpoint": file.checkpoint,
        "token": file.token.hex(),
        "identity": _identity(file.identity),
        "events": [_event(event) for event in file.events],
        "other_values": [_field(one) for one in file.loose],
    }


def _identity(identity: HeldIdentity) -> dict[str, Any]:
    values = identity.values
    return {
        "standing": str(identity.standing),
        "names": list(identity.names),
        "values": None if values is None else {name: plain_value(value) for name, value in values.items()},
        **_story(identity.restriction, identity.erased_by, identity.revealed),
    }


def _event(held: HeldEvent) -> dict[str, Any]:
    event = held.event
    return {
        "index": held.index,
        "received": format_time(held.received * _NANOS, _BEIJING),
        "time": format_time(event.event_time, event.time_zone_offset),
        "type": type(event).__name__,
        "action": getattr(event, "action", None),
        "business_step": event.biz_step,
        "disposition": event.disposition,
        "units": list(held.units),
        "amount": None if held.amount is None else format(held.amount, "f"),
        "documents": [{"type": one.type, "id": one.id} for one in event.biz_transactions],
        "sources": [{"type": one.type, "id": one.id} for one in event.sources],
        "destinations": [{"type": one.type, "id": one.id} for one in event.destinations],
        "read_point": event.read_point,
        "business_location": event.biz_location,
        "names_the_person": held.named,
        "private": [_field(one) for one in held.fields],
        "content": held.part[SALT_SIZE:].hex(),
        "content_salt": held.part[:SALT_SIZE].hex(),
    }


def _field(one: HeldField) -> dict[str, Any]:
    return {
        "name": one.name,
        "commitment": one.commitment.hex(),
        "standing": str(one.standing),
        "value": None if one.value is None else plain_value(one.value.value),
        "salt": None if one.value is None else one.value.salt.hex(),
        **_story(one.restriction, one.erased_by, one.revealed),
    }


def _story(restriction: Restriction | None, erased_by: int | None, revealed: tuple[Revealed, ...]) -> dict[str, Any]:
    return {
        "restricted": None
        if restriction is None
        else {"since": format_day(restriction.day), "ground": restriction.ground},
        "erased_by_entry": erased_by,
        "revealed": [{"time": format_time(one.time * _NANOS, _BEIJING), "ground": one.ground} for one in revealed],
    }


def plain_plan(plan: ErasurePlan) -> dict[str, Any]:
    """A plan of erasure as a JSON value; there is no personal value in it."""
    return {
        "entries": plan.size,
        "as_of": format_day(plan.as_of),
        "counts": {str(verdict): len(plan.of(verdict)) for verdict in Verdict},
        "reasons": [
            {"verdict": str(verdict), "reason": reason, "count": count} for verdict, reason, count in plan.by_reason()
        ],
        "values": [_judged(one) for one in plan.judged],
    }


def _judged(one: Judged) -> dict[str, Any]:
    rule, hold = one.rule, one.hold
    return {
        "person": None if one.token is None else one.token.hex(),
        "field": one.field,
        "key": one.key.hex(),
        "entry": one.index,
        "verdict": str(one.verdict),
        "withheld": one.withheld,
        "reason": one.reason,
        "rule": None
        if rule is None
        else {
            "regime": rule.regime,
            "rule": rule.rule,
            "clause": rule.clause,
            "day": None if rule.day is None else format_day(rule.day),
        },
        "hold": None
        if hold is None
        else {"kind": hold.kind, "id": hold.id, "entry": hold.index, "authority": hold.authority},
        "crossing": one.crossing,
    }
