"""The five events of EPCIS 2.0 as frozen classes, correct by construction.

Building one is the hot path of the whole library, so `Event.__attrs_post_init__` checks what every event has in
straight lines, and looks at the rare fields (all that format.md section 9 puts from position 10 on) only when one
of them is set; `plain` remembers the outcome for the encoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from attrs import field, frozen

from tracechain.errors import InputError
from tracechain.event.parts import (
    BizTransaction,
    ErrorDeclaration,
    PersistentDisposition,
    PrivateField,
    Quantity,
    SensorElement,
    SourceDest,
    check_time,
)
from tracechain.event.times import MAX_OFFSET, MAX_TIME, MIN_TIME
from tracechain.event.values import (
    OWN_NAMESPACE,
    Extension,
    Value,
    check_id,
    check_ids,
    check_size,
    check_term,
    check_uri,
    sorted_extensions,
    sorted_uris,
)
from tracechain.event.vocabulary import BIZ_STEP, DISPOSITION

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Action",
    "AggregationEvent",
    "AssociationEvent",
    "Event",
    "ObjectEvent",
    "TransactionEvent",
    "TransformationEvent",
    "ilmd_value",
    "subjects",
]

Action: TypeAlias = Literal["ADD", "OBSERVE", "DELETE"]

ACTIONS = ("ADD", "OBSERVE", "DELETE")
EMPTY: Final[tuple[Any, ...]] = ()
STEPS = BIZ_STEP.codes
DISPOSITIONS = DISPOSITION.codes
MASTER_DATA = ("urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda", "https://gs1.org/voc/")

set_attribute = object.__setattr__  # how a frozen instance normalises itself while it is built


def convert_epcs(ids: Iterable[str]) -> tuple[str, ...]:
    """Ids of the field epcs, sorted, each once."""
    return check_ids(ids, "epcs")


def convert_output_epcs(ids: Iterable[str]) -> tuple[str, ...]:
    """Ids of the field output_epcs, sorted, each once."""
    return check_ids(ids, "output_epcs")


@frozen(kw_only=True)
class Event:
    """What all events have. Not built itself: use one of its five subclasses.

    - `event_time`: when it happened, nanoseconds since 1970 UTC (`parse_time`); `time_zone_offset`: the local
      clock there, minutes east of UTC.
    - `epcs`: canonical ids of single things (inputs of a transformation, children of an aggregation or
      association); sorted, each once.
    - `quantities`: things of a class, sorted by (class, unit of measure, number).
    - `biz_step`, `disposition`: a bare CBV name or another absolute URI.
    - `read_point`, `biz_location`: canonical ids or absolute URIs (geo:...); their `..._extensions` are
      vendor fields that stood beside the id.
    - `biz_transactions` sorted by (id, type), `sources` and `destinations` by (type, id), each once.
    - `certification`: absolute URIs (EPCIS certificationInfo). `record_time`: when somebody's system recorded
      it, ns.
    - `person`: 16 random bytes that stand for a natural person. Personal data itself never enters an event.
    - `private`: commitments to values kept elsewhere, sorted by name, each name once.
    - `extensions`: vendor fields, sorted by (namespace, name), each once.

    InputError, from any constructor, names the field and what to do.
    """

    event_time: int
    time_zone_offset: int
    epcs: tuple[str, ...] = field(default=(), converter=convert_epcs)
    biz_step: str | None = None
    disposition: str | None = None
    read_point: str | None = None
    biz_location: str | None = None
    quantities: tuple[Quantity, ...] = ()
    biz_transactions: tuple[BizTransaction, ...] = ()
    sources: tuple[SourceDest, ...] = ()
    destinations: tuple[SourceDest, ...] = ()
    event_id: str | None = None
    record_time: int | None = None
    persistent_disposition: PersistentDisposition | None = None
    sensors: tuple[SensorElement, ...] = ()
    error_declaration: ErrorDeclaration | None = None
    certification: tuple[str, ...] = ()
    person: bytes | None = None
    private: tuple[PrivateField, ...] = ()
    extensions: tuple[Extension, ...] = ()
    read_point_extensions: tuple[Extension, ...] = ()
    biz_location_extensions: tuple[Extension, ...] = ()
    # Whether all fields after `biz_location` have their defaults: the encoder's short way.
    plain: bool = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        nanos = self.event_time
        if type(nanos) is not int or not MIN_TIME <= nanos <= MAX_TIME:
            check_time(nanos, "event_time")
        offset = self.time_zone_offset
        if type(offset) is not int or not -MAX_OFFSET <= offset <= MAX_OFFSET:
            raise InputError(f"time_zone_offset is {offset!r:.100}: it must be minutes, an int from -840 to 840")
        step = self.biz_step
        if step is not None and (type(step) is not str or step not in STEPS):
            check_term(step, BIZ_STEP, "biz_step")
        disposition = self.disposition
        if disposition is not None and (type(disposition) is not str or disposition not in DISPOSITIONS):
            check_term(disposition, DISPOSITION, "disposition")
        if self.read_point is not None:
            check_id(self.read_point, "read_point")
        if self.biz_location is not None:
            check_id(self.biz_location, "biz_location")
        # Identity: the cheapest exact test that nothing was set (the empty tuple is one object).
        plain = (
            self.quantities is EMPTY
            and self.biz_transactions is EMPTY
            and self.sources is EMPTY
            and self.destinations is EMPTY
            and self.sensors is EMPTY
            and self.certification is EMPTY
            and self.private is EMPTY
            and self.extensions is EMPTY
            and self.read_point_extensions is EMPTY
            and self.biz_location_extensions is EMPTY
            and self.event_id is None
            and self.record_time is None
            and self.persistent_disposition is None
            and self.error_declaration is None
            and self.person is None
        )
        if not plain:
            check_rare(self)
        set_attribute(self, "plain", plain)


def check_rare(event: Event) -> None:
    """Check and normalise the fields that most events leave out."""
    # Each only where it is set: most of these events have one of them, and verification builds them by the million.
    if event.quantities is not EMPTY:
        set_attribute(event, "quantities", sorted_quantities(event.quantities, "quantities"))
    if event.biz_transactions is not EMPTY:
        check_parts(event.biz_transactions, BizTransaction, "biz_transactions")
        transactions = sorted(dict.fromkeys(event.biz_transactions), key=lambda one: (one.id, one.type or ""))
        set_attribute(event, "biz_transactions", tuple(transactions))
    for name in ("sources", "destinations"):
        parties: tuple[SourceDest, ...] = getattr(event, name)
        if parties is not EMPTY:
            check_parts(parties, SourceDest, name)
            ordered = sorted(dict.fromkeys(parties), key=lambda one: (one.type, one.id))
            set_attribute(event, name, tuple(ordered))
    if event.sensors is not EMPTY:
        check_parts(event.sensors, SensorElement, "sensors")
    if event.certification is not EMPTY:
        check_size(event.certification, "certification")
        set_attribute(event, "certification", sorted_uris(event.certification, "certification"))
    if event.private is not EMPTY:
        check_parts(event.private, PrivateField, "private")
        private = tuple(sorted(event.private, key=lambda one: one.name))
        if len({one.name for one in private}) != len(private):
            raise InputError("private names a field twice: keep one commitment for each name")
        set_attribute(event, "private", private)
    for name in ("extensions", "read_point_extensions", "biz_location_extensions"):
        fields = getattr(event, name)
        if fields is not EMPTY:
            set_attribute(event, name, sorted_extensions(fields, name))
    if any(one.namespace == OWN_NAMESPACE for one in event.extensions):
        raise InputError(f"extensions use the namespace {OWN_NAMESPACE}, which is ours: use person and private")
    for place in ("read_point", "biz_location"):
        if getattr(event, f"{place}_extensions") and getattr(event, place) is None:
            raise InputError(f"{place}_extensions stand beside no {place}: state its id")
    if event.event_id is not None:
        check_uri(event.event_id, "event_id")
    if event.record_time is not None:
        check_time(event.record_time, "record_time")
    if event.person is not None and (type(event.person) is not bytes or len(event.person) != 16):
        raise InputError("person must be 16 random bytes: a token from the vault, never the identity itself")
    for name, kind in (
        ("persistent_disposition", PersistentDisposition),
        ("error_declaration", ErrorDeclaration),
    ):
        part = getattr(event, name)
        if part is not None and type(part) is not kind:
            raise InputError(f"{name} is {part!r:.100}: it must be of class {kind.__name__}")


def check_parts(parts: object, kind: type, what: str) -> None:
    """InputError unless `parts` is a tuple of instances of `kind`."""
    check_size(parts, what)
    assert isinstance(parts, tuple)
    for one in parts:
        if type(one) is not kind:
            raise InputError(f"{what} holds {one!r:.100}: it must be of class {kind.__name__}")


def sorted_quantities(quantities: tuple[Quantity, ...], what: str) -> tuple[Quantity, ...]:
    """`quantities` in order; equal ones all stay, for two cartons of ten are not one."""
    check_parts(quantities, Quantity, what)
    return tuple(
        sorted(
            quantities,
            key=lambda one: (one.epc_class, one.uom or "", one.quantity is not None, one.quantity or 0),
        )
    )


def check_action(action: object) -> None:
    """InputError unless `action` is one of the three."""
    if action not in ACTIONS:
        raise InputError(f"action is {action!r:.100}: it must be ADD, OBSERVE or DELETE")


def check_parent(event: AggregationEvent | TransactionEvent | AssociationEvent) -> None:
    """Check the parent's form."""
    if event.parent is not None:
        check_id(event.parent, "parent")


@frozen(kw_only=True)
class ObjectEvent(Event):
    """Things came into being (ADD), were seen (OBSERVE) or ended (DELETE).

    `ilmd`, master data of what comes into being (lot, expiry), only with ADD. It names epcs or quantities, or
    carries sensor data.
    """

    action: Action
    ilmd: tuple[Extension, ...] = ()

    def __attrs_post_init__(self) -> None:
        check_action(self.action)
        Event.__attrs_post_init__(self)
        if self.ilmd is not EMPTY:
            set_attribute(self, "ilmd", sorted_extensions(self.ilmd, "ilmd"))
            if self.ilmd and self.action != "ADD":
                raise InputError(f"ilmd stands with action {self.action}: only ADD brings master data")
        if not (self.epcs or self.quantities or self.sensors):
            raise InputError("an ObjectEvent without epcs, quantities and sensors says nothing: name what it is about")


@frozen(kw_only=True)
class AggregationEvent(Event):
    """Things (`epcs`, `quantities`) were packed into `parent` (ADD), seen in it (OBSERVE) or taken out of it
    (DELETE).

    DELETE without things: all of them were taken out.
    """

    action: Action
    parent: str | None = None

    def __attrs_post_init__(self) -> None:
        check_action(self.action)
        Event.__attrs_post_init__(self)
        check_parent(self)
        if self.parent is None and self.action != "OBSERVE":
            raise InputError(f"an AggregationEvent with action {self.action} needs a parent: the container's id")
        if self.action != "DELETE" and not (self.epcs or self.quantities):
            raise InputError(f"an AggregationEvent with action {self.action} needs epcs or quantities: the children")


@frozen(kw_only=True)
class TransactionEvent(Event):
    """Things were tied to (ADD), seen under (OBSERVE) or released from (DELETE) `biz_transactions`."""

    action: Action
    parent: str | None = None

    def __attrs_post_init__(self) -> None:
        check_action(self.action)
        Event.__attrs_post_init__(self)
        check_parent(self)
        if not self.biz_transactions:
            raise InputError("a TransactionEvent needs biz_transactions: name the document")
        if self.action != "DELETE" and not (self.epcs or self.quantities or self.parent):
            raise InputError(f"a TransactionEvent with action {self.action} needs epcs, quantities or a parent")


@frozen(kw_only=True)
class TransformationEvent(Event):
    """Inputs (`epcs`, `quantities`) became `output_epcs`, `output_quantities`: kitting, relabelling,
    repackaging.

    Both sides are stated, or at least one with a `transformation_id` that ties several events together.
    """

    transformation_id: str | None = None
    output_epcs: tuple[str, ...] = field(default=(), converter=convert_output_epcs)
    output_quantities: tuple[Quantity, ...] = ()
    ilmd: tuple[Extension, ...] = ()

    def __attrs_post_init__(self) -> None:
        Event.__attrs_post_init__(self)
        set_attribute(self, "output_quantities", sorted_quantities(self.output_quantities, "output_quantities"))
        set_attribute(self, "ilmd", sorted_extensions(self.ilmd, "ilmd"))
        if self.transformation_id is not None:
            check_uri(self.transformation_id, "transformation_id")
        inputs, outputs = self.epcs or self.quantities, self.output_epcs or self.output_quantities
        if not (inputs and outputs) and (self.transformation_id is None or not (inputs or outputs)):
            raise InputError(
                "a TransformationEvent needs inputs and outputs, or a transformation_id and one of the two"
            )


@frozen(kw_only=True)
class AssociationEvent(Event):
    """Things (say, a logger) were fixed to `parent` (ADD), seen on it (OBSERVE) or taken off (DELETE)."""

    action: Action
    parent: str

    def __attrs_post_init__(self) -> None:
        check_action(self.action)
        Event.__attrs_post_init__(self)
        check_id(self.parent, "parent")
        if self.action != "DELETE" and not (self.epcs or self.quantities):
            raise InputError(f"an AssociationEvent with action {self.action} needs epcs or quantities: the children")


def subjects(event: Event) -> tuple[str, ...]:
    """All ids that the event is about and that get a row, sorted, each once (format.md section 7).

    These are epcs, parent, output_epcs and the classes of both kinds of quantities.
    """
    kind = type(event)
    if event.plain and (kind is ObjectEvent or (kind is not TransformationEvent and event.parent is None)):  # type: ignore[attr-defined] # the other three have a parent
        return event.epcs
    found = set(event.epcs)
    found.update(one.epc_class for one in event.quantities)
    if isinstance(event, TransformationEvent):
        found.update(event.output_epcs)
        found.update(one.epc_class for one in event.output_quantities)
    elif isinstance(event, AggregationEvent | TransactionEvent | AssociationEvent) and event.parent is not None:
        found.add(event.parent)
    return tuple(sorted(found))


def ilmd_value(event: Event, name: str) -> Value:
    """Master data `name` (such as "lotNumber") from the event's ilmd, or None.

    Looked up among CBV master data attributes, in both spellings of their namespace that are in use, then in
    the GS1 Web Vocabulary.
    """
    fields: tuple[Extension, ...] = getattr(event, "ilmd", ())
    for namespace in MASTER_DATA:
        for one in fields:
            if one.name == name and one.namespace == namespace:
                return one.value
    return None
