"""Entries for people and for programs: what each says, in a line, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from attrs import frozen

from tracechain import identifiers, registers
from tracechain.cli.output import plain
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType, Header, parse_header
from tracechain.errors import TracechainError
from tracechain.event import Event, Extension, TransformationEvent, format_time, ilmd_value, subjects
from tracechain.event.sale import EXPORT_RETURN_DOCUMENT, PAYMENT_DOCUMENT, documents
from tracechain.formats.scan_rows import EVENTS, MASTER_DATA
from tracechain.record import (
    ClockRecord,
    EpochRecord,
    Evidence,
    Genesis,
    KeyAuthorised,
    KeyRevoked,
    Record,
    decode_record,
)
from tracechain.statement import decode_statement
from tracechain.view import View

__all__ = ["Entry", "event_line", "event_name", "event_time", "human", "read_entry", "register_title", "to_json"]

# The first name wins, so that what two names stand for is called by the commoner one.
_NAMES: dict[tuple[type, str, str, str | None], str] = {}
for _name, _kind in EVENTS.items():
    for _disposition in (_kind.disposition, None):
        _NAMES.setdefault((_kind.build, _kind.action, _kind.biz_step, _disposition), _name)  # type: ignore[arg-type]  # EVENTS builds with classes
#: Types of documents that are our own are told by their last word, as scan files have them.
_OWN_DOCUMENTS = "urn:tracechain:btt:"


def human(subject: str) -> str:
    """An id to be read by people; what is no canonical id (a file, a key) as it is, shortened."""
    try:
        text = identifiers.format_human(subject)
    except TracechainError:
        text = subject
    return plain(text if len(text) <= 60 else f"{text[:57]}...")


def event_name(event: Event) -> str:
    """What scan files call such an event, or its business step, or its class."""
    key = (type(event), getattr(event, "action", ""), event.biz_step or "", event.disposition)
    name = _NAMES.get(key)
    if name is None:
        name = event.biz_step or type(event).__name__
    elif name == "order" and documents(event, PAYMENT_DOCUMENT):
        name = "payment"  # the very same event but for its document
    elif name == "return_in" and documents(event, EXPORT_RETURN_DOCUMENT):
        name = "export_return"
    if event.error_declaration is not None:
        name = f"void {name}"
    return plain(name)


def event_time(event: Event) -> str:
    """When it happened, by the clock of where it happened."""
    return format_time(event.event_time, event.time_zone_offset)


def _several(ids: Sequence[str]) -> str:
    if not ids:
        return ""
    more = f" +{len(ids) - 1:,}" if len(ids) > 1 else ""
    return human(ids[0]) + more


def _master(event: Event, name: str) -> str | None:
    value = ilmd_value(event, name)
    if value is None:
        value = next((e.value for e in event.extensions if (e.namespace, e.name) == (MASTER_DATA, name)), None)
    return value if isinstance(value, str) else None


def event_line(event: Event, subject: str | None = None) -> list[str]:
    """What an event says beside time and name, a phrase each; `subject` is left out, as the reader knows it."""
    parts: list[str] = []
    if subject is None:
        parts.append(_several(event.epcs) or _several([q.epc_class for q in event.quantities]))
    elif len(event.epcs) > 1:
        parts.append(f"{len(event.epcs):,} codes")
    if isinstance(event, TransformationEvent):
        parts.append(f"into {_several(event.output_epcs)}")
    parent = getattr(event, "parent", None)
    if parent is not None and parent != subject:
        preposition = "from" if getattr(event, "action", "") == "DELETE" else "in"
        parts.append(f"{preposition} {human(parent)}")
    if (lot := _master(event, "lotNumber")) is not None:
        parts.append(f"lot {plain(lot)}")
    if (expiry := _master(event, "itemExpirationDate")) is not None:
        parts.append(f"expires {plain(expiry)}")
    place = event.biz_location or event.read_point
    if place is not None:
        parts.append(f"at {human(place)}")
    parts += [
        f"{plain((d.type or 'document').removeprefix(_OWN_DOCUMENTS))} {human(d.id)}"
        for d in event.biz_transactions[:2]
    ]
    parts += [f"to {human(d.id)}" for d in event.destinations[:1]]
    return [part for part in parts if part]


# ---- entries -----------------------------------------------------------------------------------


@frozen
class Entry:
    """An entry as far as it can be read; `fault` says why where it cannot."""

    index: int
    raw: bytes
    header: Header | None
    name: str
    line: str
    content: Any
    fault: str | None = None

    def as_json(self, authors: Mapping[bytes, str]) -> dict[str, Any]:
        """For --json."""
        header = self.header
        value: dict[str, Any] = {
            "index": self.index,
            "leaf": sha256(b"\0" + self.raw).hexdigest(),
            "type": None if header is None else header.type.name.lower(),
            "fault": self.fault,
        }
        if header is not None:
            value |= {
                "receipt_time_ms": header.time,
                "clamped": header.clamped,
                "record_class": header.record_class,
                "author_key_id": header.author.hex() if any(header.author) else None,
                "author": authors.get(header.author),
                "sequence": header.sequence if any(header.author) else None,
                "rows": header.row_count,
                "content_length": header.content_length,
                "content_commitment": header.content_commitment.hex(),
                "row_root": header.row_root.hex(),
            }
        value["content"] = to_json(self.content)
        return value


def read_entry(view: View, index: int) -> Entry | None:
    """The entry at `index`, None where its header is missing."""
    raw = view.header(index)
    if raw is None:
        return None
    try:
        header = parse_header(raw)
    except TracechainError as error:
        return Entry(index, raw, None, "?", "", None, str(error))
    part = view.content(index)
    if part is None:
        return Entry(index, raw, header, header.type.name.lower(), "content is not there any more", None)
    try:
        return _understood(index, raw, header, part[SALT_SIZE:])
    except TracechainError as error:
        return Entry(index, raw, header, header.type.name.lower(), f"unreadable: {plain(error)}", None, str(error))


def _understood(index: int, raw: bytes, header: Header, content: bytes) -> Entry:
    name, line = header.type.name.lower().replace("_", " "), ""
    read: Any
    match header.type:
        case EntryType.EVENT:
            read = decode(content)
            name, line = event_name(read), " · ".join(event_line(read))
        case EntryType.RECORD:
            read = decode_record(content)
            name, line = plain(read.kind), _record_line(read)
        case EntryType.STATEMENT:
            read = decode_statement(content)
            entries = "entry" if read.count == 1 else "entries"
            line = f"{read.count:,} {entries}, numbers {read.first:,} to {read.first + read.count - 1:,}"
        case EntryType.GENESIS:
            read = Genesis.decode(content)
            line = plain(read.origin)
        case EntryType.KEY_AUTHORISED:
            read = KeyAuthorised.decode(content)
            scope = "everything" if read.scope is None else ", ".join(read.scope)
            line = f"{plain(read.label)} ({read.key.hash.hex()[:16]}) for {plain(scope)}"
        case EntryType.KEY_REVOKED:
            read = KeyRevoked.decode(content)
            line = f"{read.key_hash.hex()[:16]}: {plain(read.reason)}"
        case EntryType.CLOCK:
            read = ClockRecord.decode(content)
            line = f"forward by {(read.end - read.start) / 86_400_000:.1f} days: {plain(read.reason)}"
        case EntryType.EPOCH:
            read = EpochRecord.decode(content)
            line = f"{read.epoch}, {read.lost_end - read.size:,} entries lost: {plain(read.reason)}"
        case EntryType.EVIDENCE:
            read = Evidence.decode(content)
            line = f"another statement than entry {read.index:,}, signed by the same author"
    return Entry(index, raw, header, name, line, read)


def _record_line(read: Record) -> str:
    match read.kind, read.body:
        case "ingested-file", (str() as name, bytes(), int() as count):
            return f"{plain(name)}, {count:,} events"
        case "ingested-file", (str() as name, bytes(), int() as first, int() as count):
            return f"{plain(name)}, events {first:,} to {first + count - 1:,}"
    if read.subject is None:
        return ""
    if read.kind in registers.KINDS:
        # urn:tracechain:<kind>:<id>: the kind is told by the name of the entry.
        return " · ".join(filter(None, (human(read.subject.split(":", 3)[-1]), register_title(read))))
    return human(read.subject)


def register_title(read: Record) -> str:
    """What a register record says beside its id, in a few words; '' for one that cannot be read."""
    try:
        value = registers.read(read)
    except TracechainError:
        return ""
    said = (getattr(value, name, None) for name in ("name", "title", "edition", "phase", "reason"))
    name = str(read.subject).rpartition(":")[2]
    return plain(next((one for one in said if one and one != name), ""))


def to_json(value: Any) -> Any:
    """A content as JSON: events in EPCIS 2.0, everything else by its own fields, bytes in hexadecimal."""
    from tracechain.formats.epcis import format_document

    if isinstance(value, Event):
        try:
            document = format_document([value])
        except TracechainError as error:
            return {"subjects": list(subjects(value)), "fault": str(error)}
        return {"@context": document["@context"], **document["epcisBody"]["eventList"][0]}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Extension):
        return {"namespace": value.namespace, "name": value.name, "value": to_json(value.value)}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [to_json(one) for one in value]
    if hasattr(type(value), "__attrs_attrs__"):
        return {one.name: to_json(getattr(value, one.name)) for one in type(value).__attrs_attrs__}
    return value
