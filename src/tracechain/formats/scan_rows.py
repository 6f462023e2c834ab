"""What a row of a scan file means: event names, columns, and the way from texts to an Event.

`docs/scan-files.md` is the description for users; its tables are checked against `EVENTS` and `COLUMNS` here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from difflib import get_close_matches
from functools import partial
from typing import Any
from urllib.parse import quote

from attrs import frozen

from tracechain import identifiers
from tracechain.encoding import encode
from tracechain.errors import InputError
from tracechain.event import (
    AggregationEvent,
    AssociationEvent,
    BizTransaction,
    Event,
    Extension,
    ObjectEvent,
    SourceDest,
    TransactionEvent,
    parse_offset,
    parse_time,
)
from tracechain.event.vocabulary import BIZ_TRANSACTION_TYPE, SOURCE_DEST_TYPE

__all__ = ["COLUMNS", "EVENTS", "REQUIRED", "SHARED", "Fault", "Kind", "Rows", "ScanError", "nearby"]

MASTER_DATA = "urn:epcglobal:cbv:mda:"
SCAN_NAMESPACE = "urn:tracechain:scan:"
CUSTOMS_CLEARING = "urn:tracechain:customs_clearing"

COLUMNS = (
    "event", "time", "code", "group", "parent", "place", "location", "lot", "expiry", "doc", "from", "to",
    "disposition", "note",
)  # fmt: skip
REQUIRED = ("event", "time", "code")
#: The columns that are equal for many rows: what they make of an event is worked out once.
SHARED = tuple(name for name in COLUMNS if name not in ("time", "code", "group"))


class ScanError(InputError):
    """A line of a file that cannot be used: `line` counts from 1, `column` and `value` say which part of it."""

    def __init__(self, where: str, line: int, column: str | None, value: str | None, message: str) -> None:
        place = f"{where}, line {line}" + (f", column {column}" if column else "")
        super().__init__(f"{place}: {message}")
        self.where = where
        self.line = line
        self.column = column
        self.value = value


class Fault(Exception):  # noqa: N818  # internal: becomes a ScanError where the line is known
    """What is wrong with one field."""

    def __init__(self, column: str | None, value: str | None, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.value = value


@frozen
class Kind:
    """What an event name stands for in EPCIS 2.0 and CBV 2.0."""

    build: Callable[..., Event]
    action: str
    biz_step: str
    disposition: str | None = None


def _object(action: str, step: str, disposition: str | None = None) -> Kind:
    return Kind(ObjectEvent, action, step, disposition)


EVENTS: dict[str, Kind] = {
    "commission": _object("ADD", "commissioning", "active"),
    "pack": Kind(AggregationEvent, "ADD", "packing", "in_progress"),
    "unpack": Kind(AggregationEvent, "DELETE", "unpacking", "in_progress"),
    "ship": _object("OBSERVE", "shipping", "in_transit"),
    "arrive": _object("OBSERVE", "arriving", "in_progress"),
    "receive": _object("OBSERVE", "receiving", "in_progress"),
    "bond_in": _object("OBSERVE", "storing", "sellable_not_accessible"),
    "stocktake": _object("OBSERVE", "stock_taking"),
    "order": Kind(TransactionEvent, "ADD", "reserving", "reserved"),
    "payment": Kind(TransactionEvent, "ADD", "reserving", "reserved"),
    "clear": _object("OBSERVE", CUSTOMS_CLEARING, "in_progress"),
    "sell": _object("OBSERVE", "retail_selling", "retail_sold"),
    "transfer_store": _object("OBSERVE", "shipping", "in_transit"),
    "deliver": _object("OBSERVE", "dispensing", "dispensed"),
    "pickup": _object("OBSERVE", "dispensing", "dispensed"),
    "return_in": _object("OBSERVE", "receiving", "returned"),
    "verify": _object("OBSERVE", "inspecting", "conformant"),
    "verify_failed": _object("OBSERVE", "inspecting", "non_conformant"),
    "hold": _object("OBSERVE", "holding", "non_sellable_other"),
    "release": _object("OBSERVE", "holding", "sellable_not_accessible"),
    "recall": _object("OBSERVE", "holding", "recalled"),
    "repair": _object("OBSERVE", "repairing", "in_progress"),
    "export": _object("DELETE", "shipping", "inactive"),
    "reexport": _object("DELETE", "shipping", "inactive"),
    "sample": _object("DELETE", "sampling", "inactive"),
    "destroy": _object("DELETE", "destroying", "destroyed"),
    "decommission": _object("DELETE", "decommissioning", "inactive"),
    "steal": _object("OBSERVE", "removing", "stolen"),
    "attach_logger": Kind(AssociationEvent, "ADD", "assembling"),
    "detach_logger": Kind(AssociationEvent, "DELETE", "disassembling"),
}

# ---- single fields -----------------------------------------------------------------------------

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ZONELESS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
_DIGITS = re.compile(r"[0-9]+")
_DOC = re.compile(rf"({'|'.join(BIZ_TRANSACTION_TYPE.names)}):(.+)", re.DOTALL)
_PARTY = re.compile(rf"({'|'.join(SOURCE_DEST_TYPE.names)}):(.+)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:.")
_SECONDS = {f"{second:02}": second * 1_000_000_000 for second in range(60)}


def nearby(name: str, known: Sequence[str]) -> str:
    """`; did you mean ...?`, or nothing."""
    close = get_close_matches(name.lower(), known, 1, 0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _kind(text: str) -> Kind:
    try:
        return EVENTS[text]
    except KeyError:
        known = ", ".join(EVENTS)
        hint = "; a relabelling or kitting has inputs and outputs: send it as EPCIS 2.0 JSON" if text in (
            "relabel", "repackage", "transform") else nearby(text, list(EVENTS))  # fmt: skip
        raise Fault("event", text, f"there is no event {text!r:.60}{hint}; known: {known}") from None


def _id(column: str, text: str) -> str:
    """A code or place in any spelling; a bare number where the column says what it is."""
    try:
        if _DIGITS.fullmatch(text):
            if len(text) == 13 and column in ("place", "location"):
                return f"414/{identifiers.parse_gln(text)}"
            if len(text) == 18 and column == "parent":
                return f"00/{identifiers.parse_sscc(text)}"
        return identifiers.canonical(text)
    except InputError as error:
        raise Fault(column, text, str(error)) from None


def _expiry(text: str) -> str:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise Fault("expiry", text, f"{text!r:.60} is no day of the calendar: write YYYY-MM-DD")


def _documents(text: str) -> tuple[BizTransaction, ...]:
    """`po:urn:...`, `urn:...`, or a bare number, which becomes a URI of ours; several are parted by spaces."""
    found = []
    for word in text.split():
        typed = _DOC.fullmatch(word)
        kind, name = (typed[1], typed[2]) if typed else (None, word)
        if not _SCHEME.match(name):
            name = f"urn:tracechain:doc:{quote(name, safe='')}"
        try:
            found.append(BizTransaction(kind, name))
        except InputError as error:
            raise Fault("doc", text, str(error)) from None
    return tuple(found)


def _parties(column: str, text: str) -> tuple[SourceDest, ...]:
    """`owning_party:417/...`, or an id alone, which is the possessing party; several are parted by spaces."""
    found = []
    for word in text.split():
        typed = _PARTY.fullmatch(word)
        kind, name = (typed[1], typed[2]) if typed else ("possessing_party", word)
        try:
            if _DIGITS.fullmatch(name) and len(name) == 13:
                name = f"{'414' if kind == 'location' else '417'}/{identifiers.parse_gln(name)}"
            found.append(SourceDest(kind, identifiers.canonical(name)))
        except InputError as error:
            raise Fault(column, text, str(error)) from None
    return tuple(found)


def _fields(kind: Kind, texts: dict[str, str]) -> dict[str, Any]:
    """Constructor arguments of everything in a row but time and code."""
    arguments: dict[str, Any] = {"action": kind.action, "biz_step": kind.biz_step}
    if kind.disposition is not None:
        arguments["disposition"] = kind.disposition
    if "disposition" in texts:
        arguments["disposition"] = texts["disposition"]
    if "place" in texts:
        arguments["read_point"] = _id("place", texts["place"])
    if "location" in texts:
        arguments["biz_location"] = _id("location", texts["location"])
    if "parent" in texts:
        if kind.build is ObjectEvent:
            raise Fault(
                "parent", texts["parent"], f"{texts['event']!r} has no parent: use pack or unpack for what is inside"
            )
        arguments["parent"] = _id("parent", texts["parent"])
    elif kind.build in (AggregationEvent, AssociationEvent):
        raise Fault("parent", "", f"{texts['event']!r} needs a parent: the code of the container (SSCC) or asset")
    if "doc" in texts:
        arguments["biz_transactions"] = _documents(texts["doc"])
    elif kind.build is TransactionEvent:
        raise Fault("doc", "", f"{texts['event']!r} needs a doc: the document that the packs are tied to")
    if "from" in texts:
        arguments["sources"] = _parties("from", texts["from"])
    if "to" in texts:
        arguments["destinations"] = _parties("to", texts["to"])
    return arguments


# ---- rows --------------------------------------------------------------------------------------


@frozen
class _Template:
    """An event without time and codes. `heavy`: so large that each one has to be measured."""

    build: Callable[..., Event]
    shared: tuple[str | None, ...]
    lot: str | None
    expiry: str | None
    heavy: bool


_MAX_TEMPLATES = 10_000
_MANY = 60  # ids that surely fit into a content together: 60 x 480 bytes


class Rows:
    """Makes events of rows. Files repeat themselves, so what was understood once is kept in tables."""

    def __init__(self) -> None:
        self._templates: dict[tuple[str | None, ...], _Template] = {}
        self._minutes: dict[str, tuple[int, int]] = {}

    def event(self, shared: tuple[str | None, ...], time: str, code: str) -> Event:
        """One row, one event. `shared` are the texts of SHARED, in order, None or '' where there is none."""
        template = self._templates.get(shared) or self._template(shared)
        nanos, offset = self._time(time)
        try:
            unit = identifiers.canonical(code)
        except InputError as error:
            raise Fault("code", code, str(error)) from None
        # A code that is longer than its id says more than the id: lot, dates.
        if len(code) > len(unit) + 1 or "%" in unit:
            template = self._scanned(template, code)
        event = template.build(event_time=nanos, time_zone_offset=offset, epcs=(unit,))
        if template.heavy:
            _measure(event)
        return event

    def events(self, shared: tuple[str | None, ...], time: str, codes: Sequence[str]) -> list[Event]:
        """One event of several codes; several events where the codes themselves tell of different lots."""
        template = self._templates.get(shared) or self._template(shared)
        nanos, offset = self._time(time)
        split: dict[_Template, list[str]] = {}
        for code in codes:
            unit = self.code(code)
            scanned = self._scanned(template, code) if len(code) > len(unit) + 1 or "%" in unit else template
            split.setdefault(scanned, []).append(unit)
        events = []
        for one, units in split.items():
            try:
                event = one.build(event_time=nanos, time_zone_offset=offset, epcs=tuple(units))
            except InputError as error:
                raise Fault("code", None, str(error)) from None
            if len(units) > _MANY or one.heavy:
                _measure(event)
            events.append(event)
        return events

    def code(self, code: str) -> str:
        """A unit's canonical id."""
        try:
            return identifiers.canonical(code)
        except InputError as error:
            raise Fault("code", code, str(error)) from None

    def _time(self, text: str) -> tuple[int, int]:
        """Nanoseconds and minutes of offset. Most rows share their minute with others."""
        if len(text) == 25 and (second := _SECONDS.get(text[17:19])) is not None:
            minute = f"{text[:17]}00{text[19:]}"
            known = self._minutes.get(minute)
            if known is not None:
                return known[0] + second, known[1]
            known = _parse_time(minute)
            if len(self._minutes) >= _MAX_TEMPLATES:
                self._minutes.clear()
            self._minutes[minute] = known
            return known[0] + second, known[1]
        return _parse_time(text.strip(" \t"))

    def _template(self, shared: tuple[str | None, ...]) -> _Template:
        texts = {name: text.strip(" \t") for name, text in zip(SHARED, shared, strict=True) if text is not None}
        texts = {name: text for name, text in texts.items() if text}
        if "event" not in texts:
            raise Fault("event", "", f"it is empty: say what happened, one of {', '.join(EVENTS)}")
        kind = _kind(texts["event"])
        lot = texts.get("lot")
        expiry = _expiry(texts["expiry"]) if "expiry" in texts else None
        template = _assemble(kind, texts, shared, lot, expiry)
        if len(self._templates) >= _MAX_TEMPLATES:
            self._templates.clear()
        self._templates[shared] = template
        return template

    def _scanned(self, template: _Template, code: str) -> _Template:
        """The template with the lot and expiry date that the scanned code itself tells."""
        understood = identifiers.parse(code)
        # Of a lot's own id the lot is no news; beside an SSCC it is that of the contents.
        lot = understood.lot if understood.serial is not None else None
        expiry = understood.expiry.isoformat() if understood.expiry is not None else None
        if lot is None and expiry is None:
            return template
        for column, told, scanned in (("lot", template.lot, lot), ("expiry", template.expiry, expiry)):
            if told is not None and scanned is not None and told != scanned:
                raise Fault(column, told, f"it says {told!r:.60}, the scanned code says {scanned!r:.60}: correct one")
        lot, expiry = lot or template.lot, expiry or template.expiry
        if (lot, expiry) == (template.lot, template.expiry):
            return template
        key = (*template.shared, lot, expiry)
        found = self._templates.get(key)
        if found is None:
            texts = {n: t.strip(" \t") for n, t in zip(SHARED, template.shared, strict=True) if t and t.strip(" \t")}
            found = _assemble(_kind(texts["event"]), texts, template.shared, lot, expiry)
            self._templates[key] = found
        return found


def _assemble(
    kind: Kind, texts: dict[str, str], shared: tuple[str | None, ...], lot: str | None, expiry: str | None
) -> _Template:
    arguments = _fields(kind, texts)
    told = []
    if lot is not None:
        told.append(_extension("lot", MASTER_DATA, "lotNumber", lot))
    if expiry is not None:
        told.append(_extension("expiry", MASTER_DATA, "itemExpirationDate", expiry))
    extensions = []
    if kind.action == "ADD" and kind.build is ObjectEvent:
        if told:
            arguments["ilmd"] = tuple(told)
    else:
        extensions = told
    if "note" in texts:
        extensions.append(_extension("note", SCAN_NAMESPACE, "note", texts["note"]))
    if extensions:
        arguments["extensions"] = tuple(extensions)
    build = partial(kind.build, **arguments)
    try:
        # Whatever is wrong with the shared fields shows once, here, and not with each row.
        size = len(encode(build(event_time=0, time_zone_offset=0, epcs=("urn:x:1",))))
    except InputError as error:
        column = "disposition" if "disposition" in str(error) else None
        raise Fault(column, texts.get(column or ""), str(error)) from None
    return _Template(build, shared, lot, expiry, size > 32_768)


def _extension(column: str, namespace: str, name: str, value: str) -> Extension:
    try:
        return Extension(namespace, name, value)
    except InputError as error:
        raise Fault(column, value, str(error)) from None


def _measure(event: Event) -> None:
    try:
        encode(event)
    except InputError as error:
        raise Fault(None, None, str(error)) from None


def _parse_time(text: str) -> tuple[int, int]:
    try:
        nanos = parse_time(text)
    except InputError as error:
        if not text:
            raise Fault("time", text, "it is empty: write YYYY-MM-DDThh:mm:ss and the zone, such as +08:00") from None
        if _ZONELESS.fullmatch(text):
            raise Fault(
                "time", text, f"{text!r} has no zone, so nobody can say when that was: put +08:00 (Beijing), "
                "another offset or Z behind it, and T between day and time"
            ) from None  # fmt: skip
        raise Fault("time", text, str(error)) from None
    return nanos, 0 if text.endswith("Z") else parse_offset(text[-6:])
