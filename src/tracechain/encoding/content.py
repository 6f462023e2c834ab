"""Event <-> content: one canonical array of positions (docs/format.md section 9, normative).

`encode` has a short way for what comes by the million, events without rare fields; all others go through
`positions`. Both give the same bytes (a property of the test suite). `decode` builds the event, which
checks it, and encodes it again: whatever is not the one spelling of that event is refused.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs

from tracechain.encoding.primitives import Plain, difference, pack, unpack_raw
from tracechain.errors import DecodeError, InputError
from tracechain.event.model import (
    AggregationEvent,
    AssociationEvent,
    Event,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
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
from tracechain.event.values import Array, Extension, Object, Value, decimal_parts
from tracechain.event.vocabulary import (
    BIZ_STEP,
    BIZ_TRANSACTION_TYPE,
    COMPONENT,
    DISPOSITION,
    ERROR_REASON,
    EXCEPTION,
    MEASUREMENT_TYPE,
    NAMESPACES,
    SOURCE_DEST_TYPE,
    Vocabulary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "MAX_CONTENT",
    "METADATA_FIELDS",
    "POSITIONS",
    "REPORT_FIELDS",
    "decode",
    "decode_raw",
    "encode",
]

MAX_CONTENT = 65_536

KINDS: tuple[type[Event], ...] = (
    ObjectEvent,
    AggregationEvent,
    TransactionEvent,
    TransformationEvent,
    AssociationEvent,
)
KIND_CODES = {kind: code for code, kind in enumerate(KINDS, 1)}
ACTIONS = ("ADD", "OBSERVE", "DELETE")
ACTION_CODES: dict[str | None, int] = {action: code for code, action in enumerate(ACTIONS, 1)}

STEP_CODE = BIZ_STEP.codes.get
DISPOSITION_CODE = DISPOSITION.codes.get
NAMESPACE_CODE = NAMESPACES.codes.get

METADATA_FIELDS = (
    "time",
    "start_time",
    "end_time",
    "device_id",
    "device_metadata",
    "raw_data",
    "data_processing_method",
    "biz_rules",
    "extensions",
)
REPORT_FIELDS = (
    "type",
    "value",
    "uom",
    "time",
    "exception",
    "component",
    "min_value",
    "max_value",
    "mean_value",
    "s_dev",
    "perc_rank",
    "perc_value",
    "string_value",
    "boolean_value",
    "hex_binary_value",
    "uri_value",
    "device_id",
    "device_metadata",
    "raw_data",
    "data_processing_method",
    "biz_rules",
    "microorganism",
    "chemical_substance",
    "coordinate_reference_system",
    "extensions",
)
REPORT_TERMS = {"type": MEASUREMENT_TYPE, "exception": EXCEPTION, "component": COMPONENT}
REPORT_NUMBERS = frozenset({"value", "min_value", "max_value", "mean_value", "s_dev", "perc_rank", "perc_value"})

# ---- writing -----------------------------------------------------------------------------------


def encode(event: Event) -> bytes:
    """The content of `event`; InputError when it is over 65,536 bytes."""
    code = KIND_CODES.get(type(event))
    if event.plain and code is not None and code != 4:
        epcs = event.epcs
        if len(epcs) == 1:
            one = epcs[0]
            cut = one.rfind("/") + 1
            groups: list[Any] | None = [one[:cut], [one[cut:]]]
        else:
            groups = group(epcs) or None
        step = event.biz_step
        disposition = event.disposition
        items = [
            code,
            event.event_time,
            event.time_zone_offset,
            ACTION_CODES[event.action],  # type: ignore[attr-defined] # only kind 4 has no action
            None if code == 1 else event.parent,  # type: ignore[attr-defined] # kinds 2, 3, 5 have a parent
            groups,
            STEP_CODE(step, step),  # type: ignore[arg-type] # None has no code and stays None
            DISPOSITION_CODE(disposition, disposition),  # type: ignore[arg-type] # the same
            event.read_point,
            event.biz_location,
        ]
        if code == 1 and event.ilmd:  # type: ignore[attr-defined] # kind 1 has ilmd
            items += (None, None, None, None, write_extensions(event.ilmd))  # type: ignore[attr-defined] # the same
        elif items[-1] is None:
            trim(items)
        content = pack(items)
    else:
        content = pack(positions(event))
    if len(content) > MAX_CONTENT:
        raise InputError(
            f"the event has {len(content)} bytes, over the limit of {MAX_CONTENT}: make several of it, "
            "or keep attachments elsewhere and record their digest"
        )
    return content


def trim(items: list[Any]) -> list[Any]:
    """`items` without the Nones at its end, changed in place."""
    while items and items[-1] is None:
        items.pop()
    return items


def group(ids: Sequence[str]) -> list[Any]:
    """Sorted ids as [prefix, [suffix, ...], prefix, ...]: maximal runs, cut after the last "/"."""
    groups: list[Any] = []
    start, end = 0, len(ids)
    while start < end:
        first = ids[start]
        cut = first.rfind("/") + 1
        prefix = first[:cut]
        # Ids that begin with the prefix are neighbours; "0" is the character after "/".
        stop = bisect_left(ids, prefix[:-1] + "0", start + 1) if cut else start
        suffixes = [one[cut:] for one in ids[start:stop]]
        if not suffixes or "/" in "".join(suffixes):
            return groups + group_slowly(ids[start:])
        groups += (prefix, suffixes)
        start = stop
    return groups


def group_slowly(ids: Sequence[str]) -> list[Any]:
    """The same, for ids without "/" or where a longer prefix comes between."""
    groups: list[Any] = []
    last = None
    for one in ids:
        cut = one.rfind("/") + 1
        prefix = one[:cut]
        if prefix != last:
            groups += (prefix, [])
            last = prefix
        groups[-1].append(one[cut:])
    return groups


def positions(event: Event) -> list[Any]:
    """The items of the content, by position, without trailing nils."""
    kind = type(event)
    if kind not in KIND_CODES:
        raise InputError(f"{event!r:.100} is none of the five kinds of event")
    items: list[Any] = [None] * len(POSITIONS)
    items[0] = KIND_CODES[kind]
    get, writers = FIELDS[kind]
    for value, (position, write) in zip(get(event), writers, strict=True):
        if value is not None and value != ():
            items[position] = write(value)
    return trim(items)


def same(value: Any) -> Any:
    """A value that stands for itself, read or written."""
    return value


def write_action(action: str) -> int:
    """An action as its number."""
    return ACTION_CODES[action]


def write_number(number: Decimal) -> list[int]:
    """A decimal as [mantissa, exponent]."""
    return list(decimal_parts(number))


def write_quantities(quantities: tuple[Quantity, ...]) -> list[Any]:
    """Each as [class, number, unit of measure]."""
    return [
        trim([one.epc_class, None if one.quantity is None else write_number(one.quantity), one.uom])
        for one in quantities
    ]


def write_transactions(transactions: tuple[BizTransaction, ...]) -> list[Any]:
    """Each as [id, type]."""
    return [trim([one.id, write_term(BIZ_TRANSACTION_TYPE, one.type)]) for one in transactions]


def write_parties(parties: tuple[SourceDest, ...]) -> list[Any]:
    """Each as [type, id]."""
    return [[write_term(SOURCE_DEST_TYPE, one.type), one.id] for one in parties]


def write_term(vocabulary: Vocabulary, term: str | None) -> int | str | None:
    """A standard name as its number, anything else as it is."""
    return None if term is None else vocabulary.codes.get(term, term)


def write_extensions(fields: tuple[Extension, ...]) -> list[Any]:
    """Fields as one flat array: namespace, name, value, namespace, ..."""
    items: list[Any] = []
    for one in fields:
        namespace, value = one.namespace, one.value
        items += (
            NAMESPACE_CODE(namespace, namespace),
            one.name,
            value if type(value) is str else write_value(value),
        )
    return items


def write_value(value: Value) -> Plain:
    """An extension value: itself, or an array that begins with 0 (number), 1 (array) or 2 (object)."""
    if isinstance(value, Decimal):
        return [0, *decimal_parts(value)]
    if isinstance(value, Array):
        return [1, *map(write_value, value.items)]
    if isinstance(value, Object):
        return [2, *write_extensions(value.fields)]
    return value


def write_dispositions(part: PersistentDisposition) -> list[Any]:
    """[set, unset], each a list of dispositions or nil."""
    return trim([[write_term(DISPOSITION, one) for one in terms] or None for terms in (part.set, part.unset)])


def write_error(part: ErrorDeclaration) -> list[Any]:
    """[declaration time, reason, corrective event ids, extensions]."""
    return trim(
        [
            part.declaration_time,
            write_term(ERROR_REASON, part.reason),
            list(part.corrective_event_ids) or None,
            write_extensions(part.extensions) or None,
        ]
    )


def write_private(fields: tuple[PrivateField, ...]) -> list[Any]:
    """Each as [name, commitment]."""
    return [[one.name, one.commitment] for one in fields]


def write_sensors(elements: tuple[SensorElement, ...]) -> list[Any]:
    """Each as [metadata, reports, extensions]."""
    return [
        trim(
            [
                None if one.metadata is None else write_metadata(one.metadata),
                [write_report(report) for report in one.reports],
                write_extensions(one.extensions) or None,
            ]
        )
        for one in elements
    ]


def write_metadata(part: SensorMetadata) -> list[Any]:
    """The fields of METADATA_FIELDS, in order."""
    items = [getattr(part, name) for name in METADATA_FIELDS]
    items[-1] = write_extensions(part.extensions) or None
    return trim(items)


def write_report(part: SensorReport) -> list[Any]:
    """The fields of REPORT_FIELDS, in order."""
    items = []
    for name in REPORT_FIELDS:
        value = getattr(part, name)
        if name in REPORT_TERMS:
            value = write_term(REPORT_TERMS[name], value)
        elif name in REPORT_NUMBERS and value is not None:
            value = write_number(value)
        items.append(value)
    items[-1] = write_extensions(part.extensions) or None
    return trim(items)


# ---- reading -----------------------------------------------------------------------------------


def decode_raw(content: bytes) -> tuple[Any, ...]:
    """The items of a content by position: canonical MessagePack of an event's array, but not checked to be a
    valid event.

    For hot loops over content whose hash is known, and which `decode` accepted when it came in. Missing items are not
    filled up. DecodeError otherwise.
    """
    # Short array, type, 64-bit time: so eleven bytes hold no float, whatever the time looks like.
    usual = len(content) > 11 and content[2] == 0xCF and content[1] <= 5 and 0x90 <= content[0] <= 0x9F
    raw = unpack_raw(content, MAX_CONTENT, known=11 if usual else 0)
    if type(raw) is not tuple or not 2 <= len(raw) <= len(POSITIONS) or raw[-1] is None:
        raise DecodeError("a content is an array of at least two items, of which the last is not nil")
    if type(raw[0]) is not int or not 1 <= raw[0] <= len(KINDS):
        raise DecodeError(f"content, item 0 (type): {raw[0]!r:.100} is no kind of event, 1 to {len(KINDS)}")
    return raw


def decode(content: bytes) -> Event:
    """The event of which `content` is the encoding; DecodeError, naming the item, for any other bytes."""
    raw = decode_raw(content)
    kind = KINDS[raw[0] - 1]
    fields: dict[str, Any] = {}
    for position, value in enumerate(raw[1:], 1):
        if value is not None:
            name, _, read = POSITIONS[position]
            try:
                fields[name] = read(value)
            except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
                why = str(error) or type(error).__name__
                raise DecodeError(f"content, item {position} ({name}): {why}") from None
    try:
        event: Event = kind(**fields)
    except (TypeError, InputError) as error:
        raise DecodeError(f"content is no {kind.__name__}: {error}") from None
    again = encode(event)
    if again != content:
        offset = difference(content, again)
        raise DecodeError(f"content is not canonical: this event is written otherwise at offset {offset}")
    return event


def read_groups(raw: tuple[Any, ...]) -> list[str]:
    """The inverse of `group`."""
    ids: list[str] = []
    for prefix, suffixes in zip(raw[::2], raw[1::2], strict=True):
        ids += [prefix + suffix for suffix in suffixes]
    return ids


def read_term(vocabulary: Vocabulary) -> Callable[[int | str], str]:
    """A reader of the terms of `vocabulary`."""

    def read(term: int | str) -> str:
        return vocabulary.names[term] if type(term) is int and term >= 0 else str(term)

    return read


def read_action(code: int) -> str:
    """An action from its number."""
    if not 1 <= code <= len(ACTIONS):
        raise ValueError(f"{code!r:.100} is no action; there are 1 to 3")
    return ACTIONS[code - 1]


def read_number(raw: tuple[int, int]) -> Decimal:
    """A decimal from [mantissa, exponent]."""
    mantissa, exponent = raw
    if type(mantissa) is not int or type(exponent) is not int or not -64 <= exponent <= 64:
        raise ValueError(f"{raw!r:.100} is no [mantissa, exponent]")
    return Decimal((int(mantissa < 0), tuple(map(int, str(abs(mantissa)))), exponent))


def filled(raw: tuple[Any, ...], size: int) -> tuple[Any, ...]:
    """`raw` with Nones at its end, to `size` items."""
    if type(raw) is not tuple or len(raw) > size:
        raise ValueError(f"{raw!r:.100} is no array of at most {size} items")
    return raw + (None,) * (size - len(raw))


def read_quantities(raw: tuple[Any, ...]) -> tuple[Quantity, ...]:
    """The inverse of `write_quantities`."""
    found = []
    for item in raw:
        epc_class, number, uom = filled(item, 3)
        found.append(Quantity(epc_class, None if number is None else read_number(number), uom))
    return tuple(found)


def read_transactions(raw: tuple[Any, ...]) -> tuple[BizTransaction, ...]:
    """The inverse of `write_transactions`."""
    read = read_term(BIZ_TRANSACTION_TYPE)
    return tuple(
        BizTransaction(None if kind is None else read(kind), one) for one, kind in (filled(item, 2) for item in raw)
    )


def read_parties(raw: tuple[Any, ...]) -> tuple[SourceDest, ...]:
    """The inverse of `write_parties`."""
    read = read_term(SOURCE_DEST_TYPE)
    return tuple(SourceDest(read(kind), one) for kind, one in raw)


def read_extensions(raw: tuple[Any, ...] | None) -> tuple[Extension, ...]:
    """The inverse of `write_extensions`; nothing for None."""
    if raw is None:
        return ()
    read = read_term(NAMESPACES)
    return tuple(
        Extension(read(namespace), name, read_value(value))
        for namespace, name, value in zip(raw[::3], raw[1::3], raw[2::3], strict=True)
    )


def read_value(raw: Any) -> Value:
    """The inverse of `write_value`."""
    if type(raw) is not tuple:
        if raw is None or type(raw) is str or type(raw) is bool:
            return raw
        raise ValueError(f"{raw!r:.100} is no value of an extension")
    if raw[0] == 0:
        return read_number(raw[1:])
    if raw[0] == 1:
        return Array(tuple(map(read_value, raw[1:])))
    if raw[0] == 2:
        return Object(read_extensions(raw[1:]))
    raise ValueError(f"{raw[0]!r:.100} is no kind of value; there are 0, 1 and 2")


def read_dispositions(raw: tuple[Any, ...]) -> PersistentDisposition:
    """The inverse of `write_dispositions`."""
    read = read_term(DISPOSITION)
    added, removed = filled(raw, 2)
    return PersistentDisposition(tuple(map(read, added or ())), tuple(map(read, removed or ())))


def read_error(raw: tuple[Any, ...]) -> ErrorDeclaration:
    """The inverse of `write_error`."""
    time, reason, ids, extensions = filled(raw, 4)
    return ErrorDeclaration(
        declaration_time=time,
        reason=None if reason is None else read_term(ERROR_REASON)(reason),
        corrective_event_ids=tuple(ids or ()),
        extensions=read_extensions(extensions),
    )


def read_private(raw: tuple[Any, ...]) -> tuple[PrivateField, ...]:
    """The inverse of `write_private`."""
    return tuple(PrivateField(name, commitment) for name, commitment in raw)


def read_sensors(raw: tuple[Any, ...]) -> tuple[SensorElement, ...]:
    """The inverse of `write_sensors`."""
    found = []
    for item in raw:
        metadata, reports, extensions = filled(item, 3)
        found.append(
            SensorElement(
                metadata=None if metadata is None else read_metadata(metadata),
                reports=tuple(map(read_report, reports)),
                extensions=read_extensions(extensions),
            )
        )
    return tuple(found)


def read_metadata(raw: tuple[Any, ...]) -> SensorMetadata:
    """The inverse of `write_metadata`."""
    values = dict(zip(METADATA_FIELDS, filled(raw, len(METADATA_FIELDS)), strict=True))
    values["extensions"] = read_extensions(values["extensions"])
    return SensorMetadata(**values)


def read_report(raw: tuple[Any, ...]) -> SensorReport:
    """The inverse of `write_report`."""
    values = dict(zip(REPORT_FIELDS, filled(raw, len(REPORT_FIELDS)), strict=True))
    for name, value in values.items():
        if value is not None and name in REPORT_TERMS:
            values[name] = read_term(REPORT_TERMS[name])(value)
        elif value is not None and name in REPORT_NUMBERS:
            values[name] = read_number(value)
    values["extensions"] = read_extensions(values["extensions"])
    return SensorReport(**values)


def write_ids(ids: tuple[str, ...]) -> list[Any]:
    """A sorted set of ids, grouped."""
    return group(ids)


def term(vocabulary: Vocabulary) -> tuple[Callable[[str], int | str | None], Callable[[int | str], str]]:
    """Writer and reader of one term of `vocabulary`."""
    return (lambda text: write_term(vocabulary, text)), read_term(vocabulary)


# Name of the field, writer and reader of each position of the content. Append-only.
POSITIONS: tuple[tuple[str, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    ("type", same, same),
    ("event_time", same, same),
    ("time_zone_offset", same, same),
    ("action", write_action, read_action),
    ("parent", same, same),
    ("epcs", write_ids, read_groups),
    ("biz_step", *term(BIZ_STEP)),
    ("disposition", *term(DISPOSITION)),
    ("read_point", same, same),
    ("biz_location", same, same),
    ("quantities", write_quantities, read_quantities),
    ("biz_transactions", write_transactions, read_transactions),
    ("sources", write_parties, read_parties),
    ("destinations", write_parties, read_parties),
    ("ilmd", write_extensions, read_extensions),
    ("event_id", same, same),
    ("record_time", same, same),
    ("persistent_disposition", write_dispositions, read_dispositions),
    ("sensors", write_sensors, read_sensors),
    ("error_declaration", write_error, read_error),
    ("certification", list, tuple),
    ("transformation_id", same, same),
    ("output_epcs", write_ids, read_groups),
    ("output_quantities", write_quantities, read_quantities),
    ("person", same, same),
    ("private", write_private, read_private),
    ("extensions", write_extensions, read_extensions),
    ("read_point_extensions", write_extensions, read_extensions),
    ("biz_location_extensions", write_extensions, read_extensions),
)


def fields_of(kind: type[Event]) -> tuple[Callable[[Event], tuple[Any, ...]], list[tuple[int, Callable[[Any], Any]]]]:
    """How to take all fields of a kind of event at once, and for each of them its position and writer."""
    own = {one.name for one in attrs.fields(kind)}
    present = [(at, name, write) for at, (name, write, _) in enumerate(POSITIONS) if at and name in own]
    return attrgetter(*(name for _, name, _ in present)), [(at, write) for at, _, write in present]


FIELDS = {kind: fields_of(kind) for kind in KINDS}
