"""EPCIS 2.0 JSON -> events: the fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tracechain import identifiers
from tracechain.errors import InputError
from tracechain.event import (
    BizTransaction,
    ErrorDeclaration,
    Extension,
    PersistentDisposition,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDest,
    parse_offset,
    parse_time,
)
from tracechain.event.vocabulary import (
    BIZ_STEP,
    BIZ_TRANSACTION_TYPE,
    COMPONENT,
    DISPOSITION,
    ERROR_REASON,
    EXCEPTION,
    MEASUREMENT_TYPE,
    SOURCE_DEST_TYPE,
    Vocabulary,
)
from tracechain.formats.epcis.jsonld import SCHEME, Context, extensions_of, shown, typed

__all__ = [
    "ACTION",
    "CHILDREN",
    "COMMON_FIELDS",
    "EPCS",
    "ERROR_FIELDS",
    "ILMD",
    "METADATA_FIELDS",
    "PARENT",
    "REPORT_FIELDS",
    "TRANSFORMATION",
    "Fields",
    "read_id",
    "read_time",
]


HEX = re.compile("(?:[0-9A-Fa-f]{2})+")


def read_time(value: Any, _: Context, what: str) -> int:
    """A dateTimeStamp."""
    try:
        return parse_time(typed(value, str, what))
    except InputError as error:
        raise InputError(f"{what}: {error}" if not str(error).startswith(what) else str(error)) from None


def read_offset(value: Any, _: Context, what: str) -> int:
    """A zone offset."""
    text = typed(value, str, what)
    try:
        return parse_offset(text)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None


def read_text(value: Any, _: Context, what: str) -> str:
    """Any text."""
    text: str = typed(value, str, what)
    return text


def read_uri(value: Any, context: Context, what: str) -> str:
    """An absolute URI, kept as it is but for a declared prefix."""
    text = context.expand(typed(value, str, what))
    if SCHEME.match(text) is None:
        raise InputError(f"{what} is {shown(value)}: it must be an absolute URI, urn:... or https://...")
    return text


def read_id(value: Any, context: Context, what: str) -> str:
    """The canonical id of a thing, class or place, written as a URI."""
    text = read_uri(value, context, what)
    try:
        return identifiers.canonical(text)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None


def read_list(item: Callable[[Any, Context, str], Any], *, least: int = 0, unique: bool = False) -> Reader:
    """A reader of arrays of what `item` reads."""

    def read(value: Any, context: Context, what: str) -> tuple[Any, ...]:
        items = typed(value, list, what)
        if len(items) < least:
            raise InputError(f"{what} is empty: leave it out, or say what it is")
        if unique and all(isinstance(one, str) for one in items) and len(set(items)) != len(items):
            twice = next(one for position, one in enumerate(items) if one in items[:position])
            raise InputError(f"{what} holds {shown(twice)} twice: keep one")
        return tuple(item(one, context, what) for one in items)

    return read


def read_term(vocabulary: Vocabulary) -> Callable[[Any, Context, str], str]:
    """A reader of a standard name in any of its spellings, or of an absolute URI."""

    def read(value: Any, context: Context, what: str) -> str:
        text: str = typed(value, str, what)
        if text not in vocabulary.codes:
            expanded = context.expand(text)
            if ":" not in expanded and text in context.prefixes:
                expanded = context.prefixes[text]
            text = vocabulary.bare(expanded)
            if (fault := vocabulary.fault(text)) is not None:
                raise InputError(f"{what} is {shown(value)}: {fault}")
        return text

    return read


def read_number(value: Any, _: Context, what: str) -> Decimal:
    """A JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InputError(f"{what} is {shown(value)}: it must be a number")
    return Decimal(value)


def read_bool(value: Any, _: Context, what: str) -> bool:
    """A JSON boolean."""
    if not isinstance(value, bool):
        raise InputError(f"{what} is {shown(value)}: it must be true or false")
    return value


def read_hex(value: Any, _: Context, what: str) -> bytes:
    """An xsd:hexBinary."""
    text = typed(value, str, what)
    if HEX.fullmatch(text) is None:
        raise InputError(f"{what} is {shown(value)}: it must be an even number of hexadecimal digits")
    return bytes.fromhex(text)


def read_certification(value: Any, context: Context, what: str) -> tuple[str, ...]:
    """One URI, or an array of them."""
    return tuple(read_uri(one, context, what) for one in (value if isinstance(value, list) else [value]))


def exact(value: Any, fields: tuple[str, ...], needed: tuple[str, ...], what: str) -> dict[str, Any]:
    """An object that has only `fields`, and has what is `needed`."""
    body: dict[str, Any] = typed(value, dict, what)
    for name in body:
        if name not in fields:
            allowed = ", ".join(fields)
            raise InputError(f"{what} has no field {name!r:.100}: the standard allows only {allowed}")
    for name in needed:
        if name not in body:
            raise InputError(f"{what}: {name} is missing")
    return body


def read_quantity(value: Any, context: Context, what: str) -> Quantity:
    """An element of a quantityList."""
    body = exact(value, ("epcClass", "quantity", "uom"), ("epcClass",), what)
    number = None if "quantity" not in body else read_number(body["quantity"], context, f"{what}, quantity")
    uom = None if "uom" not in body else read_text(body["uom"], context, f"{what}, uom")
    return Quantity(read_id(body["epcClass"], context, f"{what}, epcClass"), number, uom)


def read_transaction(value: Any, context: Context, what: str) -> BizTransaction:
    """An element of a bizTransactionList."""
    body = exact(value, ("type", "bizTransaction"), ("bizTransaction",), what)
    read = read_term(BIZ_TRANSACTION_TYPE)
    kind = read(body["type"], context, f"{what}, type") if "type" in body else None
    return BizTransaction(kind, read_id(body["bizTransaction"], context, f"{what}, bizTransaction"))


def read_party(name: str) -> Callable[[Any, Context, str], SourceDest]:
    """A reader of elements of a sourceList ("source") or destinationList ("destination")."""

    def read(value: Any, context: Context, what: str) -> SourceDest:
        body = exact(value, ("type", name), ("type", name), what)
        kind = read_term(SOURCE_DEST_TYPE)(body["type"], context, f"{what}, type")
        return SourceDest(kind, read_id(body[name], context, f"{what}, {name}"))

    return read


def read_dispositions(value: Any, context: Context, what: str) -> PersistentDisposition:
    """A persistentDisposition."""
    body = exact(value, ("set", "unset"), (), what)
    read = read_list(read_term(DISPOSITION), least=1, unique=True)
    terms = {name: read(value, context, f"{what}, {name}") for name, value in body.items()}
    return PersistentDisposition(**terms)


def read_error(value: Any, context: Context, what: str) -> ErrorDeclaration:
    """An errorDeclaration."""
    body = typed(value, dict, what)
    if "declarationTime" not in body:
        raise InputError(f"{what}: declarationTime is missing")
    return ErrorDeclaration(**read_fields(body, ERROR_FIELDS, context, what))


def read_sensor(value: Any, context: Context, what: str) -> SensorElement:
    """An element of a sensorElementList."""
    body = typed(value, dict, what)
    if "sensorReport" not in body:
        raise InputError(f"{what}: sensorReport is missing")
    return SensorElement(**read_fields(body, SENSOR_FIELDS, context, what))


def read_metadata(value: Any, context: Context, what: str) -> SensorMetadata | None:
    """A sensorMetadata; an empty one says nothing and is None."""
    fields = read_fields(typed(value, dict, what), METADATA_FIELDS, context, what)
    return SensorMetadata(**fields) if len(fields) > 1 or fields["extensions"] else None


def read_report(value: Any, context: Context, what: str) -> SensorReport:
    """An element of a sensorReport."""
    body = typed(value, dict, what)
    if "type" not in body:
        raise InputError(f"{what}: type is missing: say what was measured")
    return SensorReport(**read_fields(body, REPORT_FIELDS, context, what))


def read_fields(body: dict[str, Any], fields: Fields, context: Context, what: str) -> dict[str, Any]:
    """Constructor arguments out of an object that vendors may extend."""
    arguments = {
        fields[name][0]: fields[name][1](value, context, f"{what}, {name}")
        for name, value in body.items()
        if name in fields
    }
    arguments["extensions"] = extensions_of(body, fields, context, what)
    return arguments


def read_ilmd(value: Any, context: Context, what: str) -> tuple[Extension, ...]:
    """An ilmd section: extension fields only."""
    return extensions_of(typed(value, dict, what), (), context, what)


Reader = Callable[[Any, Context, str], Any]
Fields = dict[str, tuple[str, Reader]]

ERROR_FIELDS: Fields = {
    "declarationTime": ("declaration_time", read_time),
    "reason": ("reason", read_term(ERROR_REASON)),
    "correctiveEventIDs": ("corrective_event_ids", read_list(read_uri)),
}
METADATA_FIELDS: Fields = {
    "time": ("time", read_time),
    "startTime": ("start_time", read_time),
    "endTime": ("end_time", read_time),
    "deviceID": ("device_id", read_uri),
    "deviceMetadata": ("device_metadata", read_uri),
    "rawData": ("raw_data", read_uri),
    "dataProcessingMethod": ("data_processing_method", read_uri),
    "bizRules": ("biz_rules", read_uri),
}
REPORT_FIELDS: Fields = {
    "type": ("type", read_term(MEASUREMENT_TYPE)),
    "value": ("value", read_number),
    "uom": ("uom", read_text),
    "time": ("time", read_time),
    "exception": ("exception", read_term(EXCEPTION)),
    "component": ("component", read_term(COMPONENT)),
    "minValue": ("min_value", read_number),
    "maxValue": ("max_value", read_number),
    "meanValue": ("mean_value", read_number),
    "sDev": ("s_dev", read_number),
    "percRank": ("perc_rank", read_number),
    "percValue": ("perc_value", read_number),
    "stringValue": ("string_value", read_text),
    "booleanValue": ("boolean_value", read_bool),
    "hexBinaryValue": ("hex_binary_value", read_hex),
    "uriValue": ("uri_value", read_uri),
    "deviceID": ("device_id", read_uri),
    "deviceMetadata": ("device_metadata", read_uri),
    "rawData": ("raw_data", read_uri),
    "dataProcessingMethod": ("data_processing_method", read_uri),
    "bizRules": ("biz_rules", read_uri),
    "microorganism": ("microorganism", read_uri),
    "chemicalSubstance": ("chemical_substance", read_uri),
    "coordinateReferenceSystem": ("coordinate_reference_system", read_uri),
}
SENSOR_FIELDS: Fields = {
    "sensorMetadata": ("metadata", read_metadata),
    "sensorReport": ("reports", read_list(read_report, least=1)),
}
COMMON_FIELDS: Fields = {
    "eventTime": ("event_time", read_time),
    "eventTimeZoneOffset": ("time_zone_offset", read_offset),
    "recordTime": ("record_time", read_time),
    "eventID": ("event_id", read_uri),
    "certificationInfo": ("certification", read_certification),
    "errorDeclaration": ("error_declaration", read_error),
    "bizStep": ("biz_step", read_term(BIZ_STEP)),
    "disposition": ("disposition", read_term(DISPOSITION)),
    "persistentDisposition": ("persistent_disposition", read_dispositions),
    "bizTransactionList": ("biz_transactions", read_list(read_transaction)),
    "sourceList": ("sources", read_list(read_party("source"))),
    "destinationList": ("destinations", read_list(read_party("destination"))),
    "sensorElementList": ("sensors", read_list(read_sensor)),
}
ACTION: Fields = {"action": ("action", read_text)}
PARENT: Fields = {"parentID": ("parent", read_id)}
EPCS: Fields = {
    "epcList": ("epcs", read_list(read_id, unique=True)),
    "quantityList": ("quantities", read_list(read_quantity)),
}
CHILDREN: Fields = {
    "childEPCs": ("epcs", read_list(read_id)),
    "childQuantityList": ("quantities", read_list(read_quantity)),
}
ILMD: Fields = {"ilmd": ("ilmd", read_ilmd)}
TRANSFORMATION: Fields = {
    "inputEPCList": ("epcs", read_list(read_id, unique=True)),
    "inputQuantityList": ("quantities", read_list(read_quantity)),
    "outputEPCList": ("output_epcs", read_list(read_id, unique=True)),
    "outputQuantityList": ("output_quantities", read_list(read_quantity)),
    "transformationID": ("transformation_id", read_uri),
}
