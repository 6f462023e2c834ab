"""The event model: what an author states, in the terms of EPCIS 2.0.

Five frozen classes carry everything that an EPCIS 2.0 event can say: `ObjectEvent` (these things were
seen, made or ended), `AggregationEvent` (packed into, taken out of), `TransactionEvent` (tied to a business
transaction), `TransformationEvent` (inputs became outputs) and `AssociationEvent` (fixed to an asset).

An instance is correct by construction: what cannot be encoded cannot be built. Each thing has one spelling here, so
that equal events have equal bytes: ids are canonical (`identifiers.canonical`), standard CBV names are bare, times
are integers (nanoseconds since 1970 UTC), numbers are exact decimals, sets are sorted and unique.

    >>> from tracechain.event import ObjectEvent, parse_time
    >>> ObjectEvent(
    ...     event_time=parse_time("2026-11-21T08:30:00+08:00"),
    ...     time_zone_offset=480,
    ...     action="OBSERVE",
    ...     epcs=["01/09521234001072/21/BJ0002", "01/09521234001072/21/BJ0001"],
    ...     biz_step="shipping",
    ... ).epcs
    ('01/09521234001072/21/BJ0001', '01/09521234001072/21/BJ0002')
"""

from tracechain.event.model import (
    Action,
    AggregationEvent,
    AssociationEvent,
    Event,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
    ilmd_value,
    subjects,
)
from tracechain.event.parts import (
    BizTransaction,
    ErrorDeclaration,
    PersistentDisposition,
    PrivateField,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDest,
)
from tracechain.event.times import format_offset, format_time, parse_offset, parse_time
from tracechain.event.values import Array, Extension, Object, Value, decimal_parts, normal_decimal

__all__ = [
    "Action",
    "AggregationEvent",
    "Array",
    "AssociationEvent",
    "BizTransaction",
    "ErrorDeclaration",
    "Event",
    "Extension",
    "Object",
    "ObjectEvent",
    "PersistentDisposition",
    "PrivateField",
    "Quantity",
    "SensorElement",
    "SensorMetadata",
    "SensorReport",
    "SourceDest",
    "TransactionEvent",
    "TransformationEvent",
    "Value",
    "decimal_parts",
    "format_offset",
    "format_time",
    "ilmd_value",
    "normal_decimal",
    "parse_offset",
    "parse_time",
    "subjects",
]
