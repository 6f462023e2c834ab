"""The parts of an event: quantities, business transactions, parties, sensor data, error declarations.

Each mirrors one object of EPCIS 2.0 JSON; field names are the standard's in snake_case. Order and uniqueness are
those of docs/format.md section "Event content".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import field, fields_dict, frozen

from tracechain.errors import InputError
from tracechain.event.times import MAX_TIME, MIN_TIME
from tracechain.event.values import (
    Extension,
    check_id,
    check_name,
    check_size,
    check_term,
    check_text,
    check_uri,
    optional_number,
    sorted_extensions,
    sorted_uris,
)
from tracechain.event.vocabulary import (
    BIZ_TRANSACTION_TYPE,
    COMPONENT,
    DISPOSITION,
    ERROR_REASON,
    EXCEPTION,
    MEASUREMENT_TYPE,
    SOURCE_DEST_TYPE,
    Vocabulary,
)

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = [
    "BizTransaction",
    "ErrorDeclaration",
    "PersistentDisposition",
    "PrivateField",
    "Quantity",
    "SensorElement",
    "SensorMetadata",
    "SensorReport",
    "SourceDest",
    "check_time",
]

UNIT_OF_MEASURE = re.compile("[A-Z0-9]{2,3}")
MAX_BYTES = 16_384


def check_time(nanos: object, what: str) -> None:
    """InputError unless `nanos` is an int in range."""
    if type(nanos) is not int:
        raise InputError(f"{what} is {nanos!r:.100}: it must be an int, nanoseconds since 1970 UTC")
    if not MIN_TIME <= nanos <= MAX_TIME:
        raise InputError(f"{what} is {nanos}: out of range for a signed 64-bit number of nanoseconds")


def convert_quantity(number: Decimal | int | None) -> Decimal | None:
    """A quantity's number, with int as Decimal."""
    return optional_number(number, "a quantity")


@frozen
class Quantity:
    """So much of a class of things (EPCIS QuantityElement).

    `epc_class` is a canonical id; `quantity` may be left out when unknown; without `uom` (UN/CEFACT Rec. 20, such as
    "KGM") it counts pieces.
    """

    epc_class: str
    quantity: Decimal | None = field(default=None, converter=convert_quantity)
    uom: str | None = None

    def __attrs_post_init__(self) -> None:
        check_id(self.epc_class, "the class of a quantity")
        if self.uom is not None and (type(self.uom) is not str or UNIT_OF_MEASURE.fullmatch(self.uom) is None):
            raise InputError(f"uom is {self.uom!r:.100}: it must be 2 or 3 capitals or digits (UN/CEFACT Rec. 20)")


@frozen
class BizTransaction:
    """A business document that the event belongs to.

    `type` such as "po", or None if unknown; `id` a canonical id or another absolute URI.
    """

    type: str | None
    id: str

    def __attrs_post_init__(self) -> None:
        check_id(self.id, "a business transaction")
        if self.type is not None:
            check_term(self.type, BIZ_TRANSACTION_TYPE, "the type of a business transaction")


@frozen
class SourceDest:
    """A party or place that things come from or go to: `type` such as "owning_party", `id` a canonical id."""

    type: str
    id: str

    def __attrs_post_init__(self) -> None:
        check_term(self.type, SOURCE_DEST_TYPE, "the type of a source or destination")
        check_id(self.id, "a source or destination")


@frozen
class PersistentDisposition:
    """Dispositions that hold beside the current one until they are unset; not both empty."""

    set: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not (self.set or self.unset):
            raise InputError("a persistent disposition sets and unsets nothing: leave it out")
        for name in ("set", "unset"):
            what = f"persistent disposition, {name}"
            terms = getattr(self, name)
            check_size(terms, what)
            for one in terms:
                check_term(one, DISPOSITION, what)
            object.__setattr__(self, name, tuple(sorted(dict.fromkeys(terms))))


@frozen(kw_only=True)
class SensorMetadata:
    """What holds for all reports of a sensor element: times (ns), absolute URIs of device, data, rules."""

    time: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    extensions: tuple[Extension, ...] = ()

    def __attrs_post_init__(self) -> None:
        check_fields(self, "sensor metadata", ("time", "start_time", "end_time"), METADATA_URIS)
        if all(getattr(self, name) in (None, ()) for name in fields_dict(SensorMetadata)):
            raise InputError("sensor metadata says nothing: leave it out")


METADATA_URIS = ("device_id", "device_metadata", "raw_data", "data_processing_method", "biz_rules")
REPORT_URIS = (
    "device_id",
    "device_metadata",
    "raw_data",
    "data_processing_method",
    "biz_rules",
    "microorganism",
    "chemical_substance",
    "coordinate_reference_system",
    "uri_value",
)
REPORT_NUMBERS = ("value", "min_value", "max_value", "mean_value", "s_dev", "perc_rank", "perc_value")
REPORT_TERMS: tuple[tuple[str, Vocabulary], ...] = (
    ("type", MEASUREMENT_TYPE),
    ("exception", EXCEPTION),
    ("component", COMPONENT),
)


@frozen(kw_only=True)
class SensorReport:
    """One measurement: its kind (`type`, such as "Temperature"), values, statistics, and their origin."""

    type: str
    exception: str | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    time: int | None = None
    microorganism: str | None = None
    chemical_substance: str | None = None
    coordinate_reference_system: str | None = None
    value: Decimal | None = None
    component: str | None = None
    string_value: str | None = None
    boolean_value: bool | None = None
    hex_binary_value: bytes | None = None
    uri_value: str | None = None
    min_value: Decimal | None = None
    max_value: Decimal | None = None
    mean_value: Decimal | None = None
    s_dev: Decimal | None = None
    perc_rank: Decimal | None = None
    perc_value: Decimal | None = None
    uom: str | None = None
    extensions: tuple[Extension, ...] = ()

    def __attrs_post_init__(self) -> None:
        check_fields(self, "sensor report", ("time",), REPORT_URIS)
        for name, vocabulary in REPORT_TERMS:
            if name == "type" or getattr(self, name) is not None:
                check_term(getattr(self, name), vocabulary, f"sensor report, {name}")
        for name in REPORT_NUMBERS:
            object.__setattr__(self, name, optional_number(getattr(self, name), f"sensor report, {name}"))
        if self.string_value is not None:
            check_text(self.string_value, "sensor report, string_value")
        if self.uom is not None:
            check_name(self.uom, "sensor report, uom")
        if self.boolean_value is not None and type(self.boolean_value) is not bool:
            raise InputError(f"sensor report, boolean_value is {self.boolean_value!r:.100}: it must be a bool")
        if self.hex_binary_value is not None:
            if type(self.hex_binary_value) is not bytes:
                raise InputError(f"sensor report, hex_binary_value is {self.hex_binary_value!r:.100}: must be bytes")
            if not 0 < len(self.hex_binary_value) <= MAX_BYTES:
                raise InputError(f"sensor report, hex_binary_value must have from 1 to {MAX_BYTES} bytes")


@frozen(kw_only=True)
class SensorElement:
    """Reports of sensors, in the order stated, at least one, with the metadata that they share."""

    metadata: SensorMetadata | None = None
    reports: tuple[SensorReport, ...]
    extensions: tuple[Extension, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.metadata is not None and type(self.metadata) is not SensorMetadata:
            raise InputError(f"metadata of a sensor element is {self.metadata!r:.100}: it must be SensorMetadata")
        check_size(self.reports, "reports of a sensor element")
        if not self.reports or any(type(one) is not SensorReport for one in self.reports):
            raise InputError("a sensor element needs reports, each a SensorReport")
        object.__setattr__(self, "extensions", sorted_extensions(self.extensions, "sensor element"))


@frozen(kw_only=True)
class ErrorDeclaration:
    """The author declares that this event, stated before, is in error; `reason` such as "incorrect_data"."""

    declaration_time: int
    reason: str | None = None
    corrective_event_ids: tuple[str, ...] = ()
    extensions: tuple[Extension, ...] = ()

    def __attrs_post_init__(self) -> None:
        check_time(self.declaration_time, "error declaration, declaration_time")
        if self.reason is not None:
            check_term(self.reason, ERROR_REASON, "error declaration, reason")
        check_size(self.corrective_event_ids, "error declaration, corrective_event_ids")
        ids = sorted_uris(self.corrective_event_ids, "error declaration, corrective_event_ids")
        object.__setattr__(self, "corrective_event_ids", ids)
        object.__setattr__(self, "extensions", sorted_extensions(self.extensions, "error declaration"))


@frozen
class PrivateField:
    """A value kept elsewhere: `commitment` is the salted hash (32 bytes) that it can be checked against."""

    name: str
    commitment: bytes

    def __attrs_post_init__(self) -> None:
        check_name(self.name, "the name of a private field")
        if type(self.commitment) is not bytes or len(self.commitment) != 32:
            raise InputError(f"the commitment of private field {self.name!r:.100} must be 32 bytes")


def check_fields(part: SensorMetadata | SensorReport, what: str, times: tuple[str, ...], uris: tuple[str, ...]) -> None:
    """Check the times, URIs and extensions of `part`."""
    for name in times:
        if (nanos := getattr(part, name)) is not None:
            check_time(nanos, f"{what}, {name}")
    for name in uris:
        if (uri := getattr(part, name)) is not None:
            check_uri(uri, f"{what}, {name}")
    object.__setattr__(part, "extensions", sorted_extensions(part.extensions, what))
