"""What a row of a scan file means: event names, columns, and the way from texts to an Event.

`docs/scan-files.md` is the description for users; its tables are checked against `EVENTS` and `COLUMNS` here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import frozen

from tracechain import identifiers
from tracechain.encoding import encode
from tracechain.errors import InputError
from tracechain.event import (
    AggregationEvent,
    AssociationEvent,
    ErrorDeclaration,
    Event,
    Extension,
    ObjectEvent,
    SensorElement,
    SensorMetadata,
    SensorReport,
    TransactionEvent,
    TransformationEvent,
)
from tracechain.event.sale import (
    AMOUNT,
    AMOUNT_NAMESPACE,
    CUSTOMS_CLEARING,
    EXPIRY,
    EXPORT_RETURN_DOCUMENT,
    LOT,
    MASTER_DATA,
    PAYMENT_DOCUMENT,
)
from tracechain.formats import scan_fields
from tracechain.formats.scan_fields import Fault, nearby

__all__ = ["COLUMNS", "EVENTS", "MASTER_DATA", "REQUIRED", "SHARED", "Kind", "Rows", "ScanError"]

SCAN_NAMESPACE = "urn:tracechain:scan:"

COLUMNS = (
    "event", "time", "code", "group", "parent", "place", "location", "lot", "expiry", "doc", "from", "to",
    "disposition", "note", "buyer", "amount", "new_code", "temperature", "humidity", "error", "declared",
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


@frozen
class Kind:
    """What an event name stands for in EPCIS 2.0 and CBV 2.0.

    `document` is the type of a document that is written without one; `needs` are the types of documents that have to be
    there.
    """

    build: Callable[..., Event]
    action: str
    biz_step: str
    disposition: str | None = None
    document: str | None = None
    needs: tuple[str, ...] = ()


def _object(action: str, step: str, disposition: str | None = None) -> Kind:
    return Kind(ObjectEvent, action, step, disposition)


_WRITTEN = {
    "po": "the purchase order, po:...",
    "rma": "the application, rma:...",
    PAYMENT_DOCUMENT: "the payment",
    EXPORT_RETURN_DOCUMENT: "the return",
}

EVENTS: dict[str, Kind] = {
    "commission": _object("ADD", "commissioning", "active"),
    "pack": Kind(AggregationEvent, "ADD", "packing", "in_progress"),
    "unpack": Kind(AggregationEvent, "DELETE", "unpacking", "in_progress"),
    "ship": _object("OBSERVE", "shipping", "in_transit"),
    "arrive": _object("OBSERVE", "arriving", "in_progress"),
    "receive": _object("OBSERVE", "receiving", "in_progress"),
    "bond_in": _object("OBSERVE", "storing", "sellable_not_accessible"),
    "stocktake": _object("OBSERVE", "stock_taking"),
    "order": Kind(TransactionEvent, "ADD", "reserving", "reserved", "po"),
    "payment": Kind(TransactionEvent, "ADD", "reserving", "reserved", PAYMENT_DOCUMENT, ("po", PAYMENT_DOCUMENT)),
    "cancel": Kind(TransactionEvent, "DELETE", "reserving", None, "po"),
    "clear": _object("OBSERVE", CUSTOMS_CLEARING, "in_progress"),
    "sell": _object("OBSERVE", "retail_selling", "retail_sold"),
    "sell_part": _object("OBSERVE", "retail_selling", "partially_dispensed"),
    "transfer_store": _object("OBSERVE", "shipping", "in_transit"),
    "deliver": _object("OBSERVE", "dispensing", "dispensed"),
    "pickup": _object("OBSERVE", "dispensing", "dispensed"),
    "deliver_part": _object("OBSERVE", "dispensing", "partially_dispensed"),
    "apply_return": Kind(TransactionEvent, "ADD", "other", None, "rma", ("rma",)),
    "return_in": _object("OBSERVE", "receiving", "returned"),
    "export_return": Kind(
        ObjectEvent, "OBSERVE", "receiving", "returned", EXPORT_RETURN_DOCUMENT, (EXPORT_RETURN_DOCUMENT,)
    ),
    "verify": _object("OBSERVE", "inspecting", "conformant"),
    "verify_failed": _object("OBSERVE", "inspecting", "non_conformant"),
    "hold": _object("OBSERVE", "holding", "non_sellable_other"),
    "release": _object("OBSERVE", "holding", "sellable_not_accessible"),
    "recall": _object("OBSERVE", "holding", "recalled"),
    "repair": _object("OBSERVE", "repairing", "in_progress"),
    "relabel": Kind(TransformationEvent, "", "repackaging"),
    "export": _object("DELETE", "shipping", "inactive"),
    "reexport": _object("DELETE", "shipping", "inactive"),
    "sample": _object("DELETE", "sampling", "inactive"),
    "destroy": _object("DELETE", "destroying", "destroyed"),
    "decommission": _object("DELETE", "decommissioning", "inactive"),
    "steal": _object("OBSERVE", "removing", "stolen"),
    "sensor": _object("OBSERVE", "sensor_reporting"),
    "attach_logger": Kind(AssociationEvent, "ADD", "assembling"),
    "detach_logger": Kind(AssociationEvent, "DELETE", "disassembling"),
}

# ---- from texts to arguments --------------------------------------------------------------------


def _kind(text: str) -> Kind:
    try:
        return EVENTS[text]
    except KeyError:
        known = ", ".join(EVENTS)
        hint = "; a kitting has many inputs and outputs: send it as EPCIS 2.0 JSON" if text in (
            "repackage", "transform") else nearby(text, list(EVENTS))  # fmt: skip
        raise Fault("event", text, f"there is no event {text!r:.60}{hint}; known: {known}") from None


def _fields(kind: Kind, texts: dict[str, str]) -> dict[str, Any]:
    """Constructor arguments of everything in a row but time, code, lot and expiry date."""
    arguments: dict[str, Any] = {"biz_step": kind.biz_step}
    if kind.action:
        arguments["action"] = kind.action
    if kind.disposition is not None:
        arguments["disposition"] = kind.disposition
    if "disposition" in texts:
        arguments["disposition"] = texts["disposition"]
    if "place" in texts:
        arguments["read_point"] = scan_fields.identify("place", texts["place"])
    if "location" in texts:
        arguments["biz_location"] = scan_fields.identify("location", texts["location"])
    if "parent" in texts:
        if kind.build in (ObjectEvent, TransformationEvent):
            raise Fault(
                "parent", texts["parent"], f"{texts['event']!r} has no parent: use pack or unpack for what is inside"
            )
        arguments["parent"] = scan_fields.identify("parent", texts["parent"])
    elif kind.build in (AggregationEvent, AssociationEvent):
        raise Fault("parent", "", f"{texts['event']!r} needs a parent: the code of the container (SSCC) or asset")
    if "doc" in texts:
        arguments["biz_transactions"] = scan_fields.documents(texts["doc"], kind.document)
    elif kind.build is TransactionEvent and not kind.needs:
        raise Fault("doc", "", f"{texts['event']!r} needs a doc: the document that the packs are tied to")
    types = {one.type for one in arguments.get("biz_transactions", ())}
    if not types.issuperset(kind.needs):
        named = " and ".join(_WRITTEN[one] for one in kind.needs)
        raise Fault("doc", texts.get("doc", ""), f"{texts['event']!r} needs a doc: {named}")
    if "from" in texts:
        arguments["sources"] = scan_fields.parties("from", texts["from"])
    if "to" in texts:
        arguments["destinations"] = scan_fields.parties("to", texts["to"])
    if "buyer" in texts:
        arguments["person"] = scan_fields.person(texts["buyer"])
    _check_pair(texts, "error", "declared", "the time of the declaration", "why: did_not_occur or incorrect_data")
    if "error" in texts:
        declared, _ = scan_fields.moment("declared", texts["declared"])
        arguments["error_declaration"] = ErrorDeclaration(
            declaration_time=declared, reason=scan_fields.reason(texts["error"])
        )
    for column, event in (("new_code", "relabel"), ("temperature", "sensor"), ("humidity", "sensor")):
        if column in texts and texts["event"] != event:
            raise Fault(column, texts[column], f"{texts['event']!r} has no {column}: it belongs to {event!r}")
    return arguments


def _check_pair(texts: dict[str, str], first: str, second: str, what_second: str, what_first: str) -> None:
    for here, there, what in ((first, second, what_second), (second, first, what_first)):
        if here in texts and there not in texts:
            raise Fault(there, "", f"{here} is given and {there} is empty: it says {what}")


def _relabelled(arguments: dict[str, Any], texts: dict[str, str]) -> Callable[..., Event]:
    """Builds a transformation of one code into one other; lot and expiry date are those of the new label."""
    text = texts.get("new_code", "")
    if not text:
        raise Fault("new_code", "", "'relabel' needs a new_code: the code that the pack has from now on")
    new = scan_fields.identify("new_code", text)
    lot, expiry = _label(identifiers.parse(text))
    expiry = _agreed("expiry", scan_fields.expiry(texts["expiry"]) if "expiry" in texts else None, expiry)
    ilmd = _told(_agreed("lot", texts.get("lot"), lot), expiry)

    def build(*, epcs: tuple[str, ...], **more: Any) -> Event:
        if len(epcs) != 1:
            raise Fault("new_code", text, "a relabelling has one old code and one new code: give each row its own")
        if epcs[0] == new:
            raise Fault("new_code", text, "the new code is the old one: nothing was relabelled")
        return TransformationEvent(epcs=epcs, output_epcs=(new,), ilmd=ilmd, **arguments, **more)

    return build


def _measured(arguments: dict[str, Any], texts: dict[str, str]) -> Callable[..., Event]:
    """Builds an observation with one sensor element of the row's time."""
    reports = []
    if "temperature" in texts:
        value = scan_fields.temperature(texts["temperature"])
        reports.append(SensorReport(type="Temperature", value=value, uom="CEL"))
    if "humidity" in texts:
        value = scan_fields.humidity(texts["humidity"])
        reports.append(SensorReport(type="RelativeHumidity", value=value, uom="P1"))
    if not reports:
        raise Fault("temperature", "", "'sensor' needs a temperature, a humidity or both: what was measured")

    def build(*, event_time: int, **more: Any) -> Event:
        element = SensorElement(metadata=SensorMetadata(time=event_time), reports=tuple(reports))
        return ObjectEvent(event_time=event_time, sensors=(element,), **arguments, **more)

    return build


# ---- rows --------------------------------------------------------------------------------------


@frozen
class _Template:
    """An event without time and codes. `heavy`: so large that each one has to be measured."""

    build: Callable[..., Event]
    shared: tuple[str | None, ...]
    lot: str | None
    expiry: str | None
    heavy: bool


_SECONDS = {f"{second:02}": second * 1_000_000_000 for second in range(60)}
_MAX_TEMPLATES = 10_000
_MANY = 60  # ids that surely fit into a content together: 60 x 480 bytes
_HEAVY = 32_768  # bytes of a content from which on each event is measured
_LIGHT = 2_000  # characters of which a content under _HEAVY is made


class Rows:
    """Makes events of rows. Files repeat themselves, so what was understood once is kept in tables.

    `names` are the columns of SHARED that the file has: what is not there costs nothing.
    """

    def __init__(self, names: tuple[str, ...] = SHARED) -> None:
        self.names = names
        self._templates: dict[tuple[str | None, ...], _Template] = {}
        self._minutes: dict[str, tuple[int, int]] = {}

    def event(self, shared: tuple[str | None, ...], time: str, code: str) -> Event:
        """One row, one event. `shared` are the texts of `names`, in order, None or '' where there is none."""
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
            known = scan_fields.moment("time", minute)
            if len(self._minutes) >= _MAX_TEMPLATES:
                self._minutes.clear()
            self._minutes[minute] = known
            return known[0] + second, known[1]
        return scan_fields.moment("time", text.strip(" \t"))

    def _template(self, shared: tuple[str | None, ...]) -> _Template:
        texts = self._texts(shared)
        if "event" not in texts:
            raise Fault("event", "", f"it is empty: say what happened, one of {', '.join(EVENTS)}")
        kind = _kind(texts["event"])
        if kind.build is TransformationEvent:
            # There the columns speak of the new code; what the old one says is not known yet.
            return self._keep(shared, _assemble(kind, texts, shared, None, None))
        expiry = scan_fields.expiry(texts["expiry"]) if "expiry" in texts else None
        return self._keep(shared, _assemble(kind, texts, shared, texts.get("lot"), expiry))

    def _texts(self, shared: tuple[str | None, ...]) -> dict[str, str]:
        """What is not empty, by column."""
        stripped = ((name, text.strip(" \t")) for name, text in zip(self.names, shared, strict=True) if text)
        return {name: text for name, text in stripped if text}

    def _keep(self, key: tuple[str | None, ...], template: _Template) -> _Template:
        if len(self._templates) >= _MAX_TEMPLATES:
            self._templates.clear()
        self._templates[key] = template
        return template

    def _scanned(self, template: _Template, code: str) -> _Template:
        """The template with the lot and expiry date that the scanned code itself tells."""
        understood = identifiers.parse(code)
        lot, expiry = _label(understood)
        if lot is None and expiry is None:
            return template
        lot, expiry = _agreed("lot", template.lot, lot), _agreed("expiry", template.expiry, expiry)
        if (lot, expiry) == (template.lot, template.expiry):
            return template
        key = (*template.shared, lot, expiry)
        found = self._templates.get(key)
        if found is None:
            texts = self._texts(template.shared)
            found = self._keep(key, _assemble(_kind(texts["event"]), texts, template.shared, lot, expiry))
        return found


def _label(code: identifiers.Code) -> tuple[str | None, str | None]:
    """Lot and expiry date that a code carries."""
    # Of a lot's own id the lot is no news; beside an SSCC it is that of the contents.
    lot = code.lot if code.serial is not None else None
    return lot, None if code.expiry is None else code.expiry.isoformat()


def _agreed(column: str, told: str | None, scanned: str | None) -> str | None:
    if told is not None and scanned is not None and told != scanned:
        raise Fault(column, told, f"it says {told!r:.60}, the scanned code says {scanned!r:.60}: correct one")
    return told or scanned


def _told(lot: str | None, expiry: str | None) -> tuple[Extension, ...]:
    told = (("lot", LOT, lot), ("expiry", EXPIRY, expiry))
    return tuple([scan_fields.extension(c, MASTER_DATA, name, text) for c, name, text in told if text is not None])


def _assemble(
    kind: Kind, texts: dict[str, str], shared: tuple[str | None, ...], lot: str | None, expiry: str | None
) -> _Template:
    arguments = _fields(kind, texts)
    extensions: tuple[Extension, ...] = ()
    if "amount" in texts:
        extensions += (scan_fields.extension("amount", AMOUNT_NAMESPACE, AMOUNT, scan_fields.yuan(texts["amount"])),)
    if "note" in texts:
        extensions += (scan_fields.extension("note", SCAN_NAMESPACE, "note", texts["note"]),)
    told = _told(lot, expiry)
    if kind.action == "ADD" and kind.build is ObjectEvent:
        if told:
            arguments["ilmd"] = told
    else:
        extensions += told
    if extensions:
        arguments["extensions"] = extensions
    if kind.build is TransformationEvent:
        build = _relabelled(arguments, texts)
    elif texts["event"] == "sensor":
        build = _measured(arguments, texts)
    else:
        build = partial(kind.build, **arguments)
    try:
        # Whatever is wrong with the shared fields shows once, here, and not with each row.
        event = build(event_time=0, time_zone_offset=0, epcs=("-",))  # which no code is
        # What takes few characters takes few bytes; most templates need not be measured.
        heavy = sum(map(len, texts.values())) > _LIGHT and len(encode(event)) > _HEAVY
    except InputError as error:
        column = "disposition" if "disposition" in str(error) else None
        raise Fault(column, texts.get(column or ""), str(error)) from None
    return _Template(build, shared, lot, expiry, heavy)


def _measure(event: Event) -> None:
    try:
        encode(event)
    except InputError as error:
        raise Fault(None, None, str(error)) from None
