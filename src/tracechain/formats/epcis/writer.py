"""Events -> EPCIS 2.0 JSON. What `reader` makes of it are the same events again.

Ids go out as URIs (GS1 Digital Link, https://id.gs1.org/...), standard names bare, extension fields with a prefix
that the document's context declares. `person` and `private` stand as fields of our own namespace.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from tracechain import identifiers
from tracechain.errors import InputError
from tracechain.event import (
    Array,
    ErrorDeclaration,
    Event,
    Extension,
    Object,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Value,
    format_offset,
    format_time,
)
from tracechain.event.values import OWN_NAMESPACE
from tracechain.formats.epcis.fields import ERROR_FIELDS, METADATA_FIELDS, REPORT_FIELDS, Fields, read_time
from tracechain.formats.epcis.jsonld import STANDARD_PREFIXES
from tracechain.formats.epcis.reader import KINDS, PLACES

__all__ = ["format_document", "format_json"]

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"


def format_document(events: Iterable[Event], *, created: int | None = None) -> dict[str, Any]:
    """An EPCISDocument with `events` as a tree of dicts and lists.

    `created` is the creation date in nanoseconds since 1970 UTC; without it, the latest time that the events
    themselves name (nothing here reads a clock). Numbers are int, or float where that is exact, else Decimal:
    `format_json` writes all three exactly. InputError for what EPCIS JSON has no way to say: names that are no ids or
    contain a colon.
    """
    events = tuple(events)
    if created is None:
        created = max((max(one.event_time, one.record_time or one.event_time) for one in events), default=0)
    namespaces, bare = names_used(events)
    prefixes = choose_prefixes(namespaces, bare)
    own = {prefix: namespace for namespace, prefix in prefixes.items() if prefix not in STANDARD_PREFIXES}
    return {
        "@context": [CONTEXT, own] if own else [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": format_time(created),
        "epcisBody": {"eventList": [format_event(one, prefixes) for one in events]},
    }


def format_json(document: dict[str, Any]) -> str:
    """The text of a document, numbers exact."""
    return "".join(json_pieces(document))


def json_pieces(tree: Any) -> Iterator[str]:
    """The pieces of the JSON text of `tree`: the json module would round a Decimal."""
    if isinstance(tree, dict):
        yield "{"
        for position, (key, value) in enumerate(tree.items()):
            yield f"{',' if position else ''}{json.dumps(key, ensure_ascii=False)}:"
            yield from json_pieces(value)
        yield "}"
    elif isinstance(tree, list):
        yield "["
        for position, value in enumerate(tree):
            if position:
                yield ","
            yield from json_pieces(value)
        yield "]"
    elif isinstance(tree, Decimal):
        yield str(tree)
    else:
        yield json.dumps(tree, ensure_ascii=False)


def names_used(events: tuple[Event, ...]) -> tuple[set[str], set[str]]:
    """The namespaces of all extension fields in `events`, and the names of those that have none."""
    namespaces: set[str] = set()
    bare: set[str] = set()
    pending: list[Any] = []
    for event in events:
        if event.person is not None or event.private:
            namespaces.add(OWN_NAMESPACE)
        pending += (event.extensions, event.read_point_extensions, event.biz_location_extensions)
        pending.append(getattr(event, "ilmd", ()))
        if event.error_declaration is not None:
            pending.append(event.error_declaration.extensions)
        for element in event.sensors:
            pending.append(element.extensions)
            pending += [report.extensions for report in element.reports]
            if element.metadata is not None:
                pending.append(element.metadata.extensions)
    while pending:
        part = pending.pop()
        if isinstance(part, Extension):
            if part.namespace:
                namespaces.add(part.namespace)
            else:
                bare.add(part.name)
            pending.append(part.value)
        elif isinstance(part, Object):
            pending.append(part.fields)
        elif isinstance(part, Array):
            pending.append(part.items)
        elif isinstance(part, tuple):
            pending += part
    return namespaces, bare


def choose_prefixes(namespaces: set[str], bare: set[str]) -> dict[str, str]:
    """A prefix for each namespace: the standard one, or "ext1", "ext2", ... in order, avoiding `bare` names."""
    prefixes = {namespace: prefix for prefix, namespace in STANDARD_PREFIXES.items() if namespace in namespaces}
    number = 0
    for namespace in sorted(namespaces - prefixes.keys()):
        prefix = "tracechain" if namespace == OWN_NAMESPACE else ""
        while not prefix or prefix in bare:
            number += 1
            prefix = f"ext{number}"
        if ":" not in namespace:
            raise InputError(f"the namespace {namespace!r:.100} is no absolute IRI: EPCIS JSON cannot carry it")
        prefixes[namespace] = prefix
    return prefixes


def format_event(event: Event, prefixes: dict[str, str]) -> dict[str, Any]:
    """One event."""
    kind = type(event).__name__
    if kind not in KINDS:
        raise InputError(f"{event!r:.100} is none of the five kinds of event")
    body: dict[str, Any] = {"type": kind}
    for name, (attribute, _) in KINDS[kind][1].items():
        value = getattr(event, attribute)
        if value is not None and value != ():
            body[name] = format_field(name, value, event, prefixes)
    if kind == "ObjectEvent" and not event.epcs:
        body["epcList"] = []  # the schema asks for it where only sensors speak
    if kind == "TransactionEvent" and not event.epcs and not event.quantities:
        body["epcList"] = []
    for name, place in PLACES.items():
        place_id = getattr(event, place)
        if place_id is not None:
            fields = format_extensions(getattr(event, f"{place}_extensions"), prefixes)
            body[name] = {"id": identifiers.format_digital_link(place_id)} | fields
    if event.person is not None:
        body[f"{prefixes[OWN_NAMESPACE]}:person"] = event.person.hex()
    if event.private:
        body[f"{prefixes[OWN_NAMESPACE]}:private"] = [
            {"name": one.name, "commitment": one.commitment.hex()} for one in event.private
        ]
    return body | format_extensions(event.extensions, prefixes)


def format_field(name: str, value: Any, event: Event, prefixes: dict[str, str]) -> Any:
    """The value of one standard field."""
    match name:
        case "eventTime":
            return format_time(value, event.time_zone_offset)
        case "recordTime":
            return format_time(value)
        case "eventTimeZoneOffset":
            return format_offset(value)
        case "epcList" | "childEPCs" | "inputEPCList" | "outputEPCList":
            return [identifiers.format_digital_link(one) for one in value]
        case "parentID":
            return identifiers.format_digital_link(value)
        case "quantityList" | "childQuantityList" | "inputQuantityList" | "outputQuantityList":
            return [format_quantity(one) for one in value]
        case "bizTransactionList":
            return [
                ({} if one.type is None else {"type": one.type})
                | {"bizTransaction": identifiers.format_digital_link(one.id)}
                for one in value
            ]
        case "sourceList" | "destinationList":
            member = name.removesuffix("List")
            return [{"type": one.type, member: identifiers.format_digital_link(one.id)} for one in value]
        case "persistentDisposition":
            return {part: list(getattr(value, part)) for part in ("set", "unset") if getattr(value, part)}
        case "certificationInfo":
            return list(value)
        case "errorDeclaration":
            return format_part(value, ERROR_FIELDS, prefixes)
        case "sensorElementList":
            return [format_sensor(one, prefixes) for one in value]
        case "ilmd":
            return format_extensions(value, prefixes)
        case _:
            return value


def format_quantity(one: Quantity) -> dict[str, Any]:
    """A quantity element."""
    body: dict[str, Any] = {"epcClass": identifiers.format_digital_link(one.epc_class)}
    if one.quantity is not None:
        body["quantity"] = format_number(one.quantity)
    if one.uom is not None:
        body["uom"] = one.uom
    return body


def format_sensor(one: SensorElement, prefixes: dict[str, str]) -> dict[str, Any]:
    """A sensor element."""
    body: dict[str, Any] = {}
    if one.metadata is not None:
        body["sensorMetadata"] = format_part(one.metadata, METADATA_FIELDS, prefixes)
    body["sensorReport"] = [format_part(report, REPORT_FIELDS, prefixes) for report in one.reports]
    return body | format_extensions(one.extensions, prefixes)


def format_part(
    part: SensorMetadata | SensorReport | ErrorDeclaration, fields: Fields, prefixes: dict[str, str]
) -> dict[str, Any]:
    """An object whose members are the attributes of `part`."""
    body: dict[str, Any] = {}
    for name, (attribute, read) in fields.items():
        value = getattr(part, attribute)
        if value is None or value == ():
            continue
        if read is read_time:
            value = format_time(value)
        elif isinstance(value, Decimal):
            value = format_number(value)
        elif isinstance(value, bytes):
            value = value.hex().upper()
        elif isinstance(value, tuple):
            value = list(value)
        body[name] = value
    return body | format_extensions(part.extensions, prefixes)


def format_extensions(fields: tuple[Extension, ...], prefixes: dict[str, str]) -> dict[str, Any]:
    """Extension fields under their prefixed names."""
    body = {}
    for one in fields:
        if one.namespace:
            if one.name.startswith("//"):
                raise InputError(f"the extension name {one.name!r:.100} begins with //: EPCIS JSON cannot carry it")
            key = f"{prefixes[one.namespace]}:{one.name}"
        elif ":" in one.name or one.name == "@context":
            raise InputError(f"the bare name {one.name!r:.100} would be read otherwise: EPCIS JSON cannot carry it")
        else:
            key = one.name
        body[key] = format_value(one.value, prefixes)
    return body


def format_value(value: Value, prefixes: dict[str, str]) -> Any:
    """The value of an extension."""
    if isinstance(value, Decimal):
        return format_number(value)
    if isinstance(value, Array):
        return [format_value(item, prefixes) for item in value.items]
    if isinstance(value, Object):
        return format_extensions(value.fields, prefixes)
    return value


def format_number(number: Decimal) -> int | float | Decimal:
    """`number` as int or float where that is exact."""
    if number == number.to_integral_value():
        return int(number)
    nearest = float(number)
    return nearest if Decimal(repr(nearest)) == number else number
