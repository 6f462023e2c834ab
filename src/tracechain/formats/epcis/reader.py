"""EPCIS 2.0 JSON -> events: documents and events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracechain.errors import InputError
from tracechain.event import (
    AggregationEvent,
    Array,
    AssociationEvent,
    Event,
    Extension,
    Object,
    ObjectEvent,
    PrivateField,
    TransactionEvent,
    TransformationEvent,
)
from tracechain.event.values import OWN_NAMESPACE
from tracechain.formats.epcis.fields import (
    ACTION,
    CHILDREN,
    COMMON_FIELDS,
    EPCS,
    ILMD,
    PARENT,
    TRANSFORMATION,
    Fields,
    read_id,
    read_time,
)
from tracechain.formats.epcis.jsonld import VERSION, Context, extensions_of, load, member, shown, typed

__all__ = ["KINDS", "PLACES", "iter_document", "parse_document"]


def parse_document(data: bytes | str, where: str) -> tuple[Event, ...]:
    """All events of an EPCIS 2.0 document, in order; see `iter_document`."""
    return tuple(iter_document(data, where))


def iter_document(data: bytes | str, where: str) -> Iterator[Event]:
    """The events of an EPCIS 2.0 document (or query document with results, or single event), one after the
    other.

    `where` names the file in messages. InputError names the file, the event (counted from 1), the field, the value
    and what to do; events before the faulty one have been handed out by then.
    """
    try:
        events, context = open_document(load(data))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    for number, body in enumerate(events, 1):
        try:
            event = parse_event(body, context)
        except InputError as error:
            kind = body.get("type") if isinstance(body, dict) else None
            raise InputError(f"{where}, event {number} ({shown(kind)}): {error}") from None
        yield event


def open_document(document: Any) -> tuple[list[Any], Context]:
    """The raw events of a document and its context."""
    if not isinstance(document, dict):
        raise InputError("it is no JSON object: an EPCIS 2.0 document begins with { and has a type")
    kind = document.get("type")
    if "@context" not in document:
        raise InputError("@context is missing: EPCIS 2.0 JSON is JSON-LD and needs the EPCIS context")
    context = Context({}, None).derive(document["@context"])
    if isinstance(kind, str) and context.kind(kind) in KINDS:
        return [document], context
    if kind not in ("EPCISDocument", "EPCISQueryDocument"):
        raise InputError(f"it is not an EPCISDocument: its type is {shown(kind)}")
    for name in document:
        if name not in DOCUMENT_FIELDS and ":" not in name and context.name(name)[0] == "":
            raise InputError(f"a document has no field {name!r:.100}: remove it, or give it a namespace")
    query = kind == "EPCISQueryDocument"
    for name in () if query else ("schemaVersion", "creationDate"):
        if name not in document:
            raise InputError(f"{name} is missing")
    version = document.get("schemaVersion", "2.0")
    if not isinstance(version, str) or VERSION.fullmatch(version) is None:
        raise InputError(f"schemaVersion is {shown(version)}: only EPCIS 2.x is read")
    if "creationDate" in document:
        read_time(document["creationDate"], context, "creationDate")
    body = member(document, "epcisBody", dict)
    if query:
        body = member(member(body, "queryResults", dict), "resultsBody", dict)
    events: list[Any] = member(body, "eventList", list)
    return events, context


DOCUMENT_FIELDS = frozenset(
    {
        "@context",
        "id",
        "type",
        "schemaVersion",
        "creationDate",
        "instanceIdentifier",
        "sender",
        "receiver",
        "epcisHeader",
        "epcisBody",
    }
)


KINDS: dict[str, tuple[type[Event], Fields]] = {
    "ObjectEvent": (ObjectEvent, COMMON_FIELDS | ACTION | EPCS | ILMD),
    "AggregationEvent": (AggregationEvent, COMMON_FIELDS | ACTION | PARENT | CHILDREN),
    "TransactionEvent": (TransactionEvent, COMMON_FIELDS | ACTION | PARENT | EPCS),
    "TransformationEvent": (TransformationEvent, COMMON_FIELDS | TRANSFORMATION | ILMD),
    "AssociationEvent": (AssociationEvent, COMMON_FIELDS | ACTION | PARENT | CHILDREN),
}
PLACES = {"readPoint": "read_point", "bizLocation": "biz_location"}


def parse_event(value: Any, context: Context) -> Event:
    """One event of a document, `context` being the document's."""
    body = typed(value, dict, "an event")
    kind = body.get("type")
    if "@context" in body:
        context = context.derive(body["@context"])
    name = context.kind(kind) if isinstance(kind, str) else ""
    if name not in KINDS:
        raise InputError(f"type is {shown(kind)}: it must be one of {', '.join(KINDS)}")
    build, fields = KINDS[name]
    arguments: dict[str, Any] = {}
    for field, place in PLACES.items():
        if field in body:
            inner = typed(body[field], dict, field)
            arguments[place] = read_id(member(inner, "id", str), context, f"{field}, id")
            arguments[f"{place}_extensions"] = extensions_of(inner, ("id",), context, field)
    for field, item in body.items():
        if field in fields:
            attribute, read = fields[field]
            arguments[attribute] = read(item, context, field)
    check_required(name, body, arguments)
    known = fields.keys() | PLACES.keys() | {"type", "@context"}
    arguments |= own_fields(extensions_of(body, known, context, name))
    try:
        return build(**arguments)
    except TypeError:  # what the class needs and the document lacks was found before, so this is ours
        raise AssertionError(f"{name} cannot be built from {sorted(arguments)}") from None


def check_required(name: str, body: dict[str, Any], arguments: dict[str, Any]) -> None:
    """What the schema asks for and the classes cannot see."""
    needed = ["eventTime", "eventTimeZoneOffset"]
    if name != "TransformationEvent":
        needed.append("action")
    if name == "AssociationEvent":
        needed.append("parentID")
    for field in needed:
        if field not in body:
            raise InputError(f"{field} is missing")
    sensed = arguments.get("sensors") and "readPoint" in body
    if name == "ObjectEvent" and not ("epcList" in body or arguments.get("quantities") or sensed):
        raise InputError(
            "epcList is missing: name the things in epcList or quantityList, or give sensorElementList and readPoint"
        )


def own_fields(extensions: tuple[Extension, ...]) -> dict[str, Any]:
    """Constructor arguments out of vendor fields: ours (see `writer`) go back where they came from."""
    arguments: dict[str, Any] = {"extensions": tuple(one for one in extensions if one.namespace != OWN_NAMESPACE)}
    for one in extensions:
        if one.namespace == OWN_NAMESPACE:
            arguments[one.name] = own_value(one)
    return arguments


def own_value(one: Extension) -> Any:
    """The value of a field of our own namespace; InputError if the writer writes no such thing."""
    try:
        if one.name == "person":
            return bytes.fromhex(str(one.value))
        if one.name == "private" and isinstance(one.value, Array):
            pairs = [
                {field.name: field.value for field in item.fields} if isinstance(item, Object) else {}
                for item in one.value.items
            ]
            return tuple(PrivateField(str(pair["name"]), bytes.fromhex(str(pair["commitment"]))) for pair in pairs)
    except (ValueError, KeyError) as error:
        raise InputError(f"the field {OWN_NAMESPACE}{one.name} cannot be read: {error}") from None
    raise InputError(f"there is no field {OWN_NAMESPACE}{one.name}: leave this namespace to us")
