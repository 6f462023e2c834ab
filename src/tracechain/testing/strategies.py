"""Hypothesis strategies: ids, values and events, all of them valid.

    from hypothesis import given
    from tracechain.testing import strategies

    @given(strategies.events())
    def test_a_round_trip(event): ...

Ids are canonical, so that whatever these strategies give can be ingested, encoded and written as EPCIS.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from string import ascii_letters, digits
from typing import Any

from hypothesis import strategies as st

from tracechain import identifiers
from tracechain.event import (
    AggregationEvent,
    Array,
    AssociationEvent,
    BizTransaction,
    ErrorDeclaration,
    Event,
    Extension,
    Object,
    ObjectEvent,
    PersistentDisposition,
    PrivateField,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDest,
    TransactionEvent,
    TransformationEvent,
    Value,
)
from tracechain.event.times import MAX_TIME, MIN_TIME
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

__all__ = [
    "class_ids",
    "container_ids",
    "decimals",
    "events",
    "extension_fields",
    "ids",
    "place_ids",
    "plain_object_events",
    "plain_values",
    "terms",
    "texts",
    "times",
    "unit_ids",
    "uris",
    "values",
]

SERIAL = ascii_letters + digits + "-_."


def keyed(body: str) -> str:
    """`body` with its GS1 check digit behind it."""
    return body + identifiers.check_digit(body)


def gtins() -> st.SearchStrategy[str]:
    """A few GTINs, so that units of one product meet."""
    return st.integers(0, 3).map(lambda number: keyed(f"0952123400{number:03}"))


def serials() -> st.SearchStrategy[str]:
    """Serial and lot numbers that need no percent-encoding."""
    return st.text(SERIAL, min_size=1, max_size=12).filter(lambda text: not set(text) <= set("."))


def unit_ids() -> st.SearchStrategy[str]:
    """Canonical ids of single packs."""
    gs1 = st.builds(lambda gtin, serial: f"01/{gtin}/21/{serial}", gtins(), serials())
    nmpa = st.integers(0, 9999).map(lambda number: f"nmpa/8123456{number:013}")
    return gs1 | gs1 | nmpa


def container_ids() -> st.SearchStrategy[str]:
    """Canonical ids of logistic units (SSCC)."""
    return st.integers(0, 10**9 - 1).map(lambda number: "00/" + keyed(f"09521234{number:09}"))


def place_ids() -> st.SearchStrategy[str]:
    """Canonical ids of places and parties, and other absolute URIs."""
    gln = st.integers(0, 99999).map(lambda number: "414/" + keyed(f"9521234{number:05}"))
    return gln | st.just("geo:47.506694,11.104301") | uris()


def class_ids() -> st.SearchStrategy[str]:
    """Canonical ids of products and lots."""
    return gtins().map(lambda gtin: f"01/{gtin}") | st.builds(
        lambda gtin, lot: f"01/{gtin}/10/{lot}", gtins(), serials()
    )


def uris() -> st.SearchStrategy[str]:
    """Absolute URIs that are no GS1 keys."""
    return st.text(SERIAL, min_size=1, max_size=20).map(lambda text: f"urn:example:{text}")


def ids() -> st.SearchStrategy[str]:
    """Any of them."""
    return unit_ids() | container_ids() | uris()


def times() -> st.SearchStrategy[int]:
    """Nanoseconds since 1970 UTC, half of them whole milliseconds of our days."""
    ours = st.integers(1_600_000_000_000, 2_000_000_000_000).map(lambda millis: millis * 1_000_000)
    return ours | st.integers(MIN_TIME, MAX_TIME)


def decimals() -> st.SearchStrategy[Decimal]:
    """Exact numbers within the limits of an event."""
    return st.builds(
        lambda mantissa, exponent: Decimal((int(mantissa < 0), tuple(map(int, str(abs(mantissa)))), exponent)),
        st.integers(-(1 << 63) + 1, (1 << 63) - 1) | st.integers(-1000, 1000),
        st.integers(-6, 2) | st.integers(-64, 40),
    )


def texts(max_size: int = 30) -> st.SearchStrategy[str]:
    """Texts in normal form C, with line breaks but no other control characters."""
    characters = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from("\t\n\r")
    return st.text(characters, max_size=max_size).map(lambda text: unicodedata.normalize("NFC", text))


def names() -> st.SearchStrategy[str]:
    """Names of extension fields."""
    return st.text(ascii_letters + digits + "_", min_size=1, max_size=8)


def terms(vocabulary: Vocabulary) -> st.SearchStrategy[str]:
    """Standard names of a vocabulary, and absolute URIs."""
    return st.sampled_from(vocabulary.names) | uris()


def namespaces() -> st.SearchStrategy[str]:
    """Namespaces of vendor fields, well-known ones among them."""
    return st.sampled_from((*NAMESPACES.names[1:], "https://ns.example.com/epcis/", "http://ns.example.com/epcis"))


def values() -> st.SearchStrategy[Value]:
    """Values of extension fields, arrays and objects included."""
    leaves: st.SearchStrategy[Value] = st.none() | st.booleans() | texts() | decimals()
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda items: Array(tuple(items)))
            | extension_fields(inner, bare=True).map(Object)
        ),
        max_leaves=6,
    )


def extension_fields(
    inner: st.SearchStrategy[Value] | None = None, *, bare: bool = False, least: int = 0
) -> st.SearchStrategy[tuple[Extension, ...]]:
    """Vendor fields, each name once; with `bare`, some have no namespace."""
    spaces = namespaces() | st.just("") if bare else namespaces()
    one = st.builds(Extension, spaces, names(), values() if inner is None else inner)
    found = st.lists(one, min_size=least, max_size=3, unique_by=lambda field: (field.namespace, field.name))
    return found.map(tuple)


def tuples(one: st.SearchStrategy[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    """Tuples of what `one` gives."""
    return st.lists(one, min_size=least, max_size=most).map(tuple)


def quantities(least: int = 0) -> st.SearchStrategy[tuple[Quantity, ...]]:
    """Quantities of classes."""
    units = st.none() | st.sampled_from(("KGM", "LTR", "EA"))
    return tuples(st.builds(Quantity, class_ids(), st.none() | decimals(), units), least)


def sensor_metadata() -> st.SearchStrategy[SensorMetadata]:
    """Metadata of a sensor element, never empty."""
    return st.builds(
        SensorMetadata,
        time=times(),
        start_time=st.none() | times(),
        end_time=st.none() | times(),
        device_id=st.none() | uris(),
        device_metadata=st.none() | uris(),
        raw_data=st.none() | uris(),
        data_processing_method=st.none() | uris(),
        biz_rules=st.none() | uris(),
        extensions=extension_fields(),
    )


def sensor_reports() -> st.SearchStrategy[SensorReport]:
    """Measurements."""
    optional: dict[str, st.SearchStrategy[Any]] = {
        "exception": terms(EXCEPTION),
        "component": terms(COMPONENT),
        "time": times(),
        "string_value": texts(),
        "boolean_value": st.booleans(),
        "hex_binary_value": st.binary(min_size=1, max_size=8),
        "uom": st.sampled_from(("CEL", "A93")),
        "extensions": extension_fields(),
    }
    for name in ("value", "min_value", "max_value", "mean_value", "s_dev", "perc_rank", "perc_value"):
        optional[name] = decimals()
    for name in ("device_id", "device_metadata", "raw_data", "data_processing_method", "biz_rules", "uri_value"):
        optional[name] = uris()
    for name in ("microorganism", "chemical_substance", "coordinate_reference_system"):
        optional[name] = uris()
    needed: dict[str, st.SearchStrategy[Any]] = {"type": terms(MEASUREMENT_TYPE)}
    fields = st.fixed_dictionaries(needed, optional=optional)
    return fields.map(lambda found: SensorReport(**found))


def sensors() -> st.SearchStrategy[tuple[SensorElement, ...]]:
    """Sensor elements."""
    one = st.builds(
        SensorElement,
        metadata=st.none() | sensor_metadata(),
        reports=tuples(sensor_reports(), 1, 2),
        extensions=extension_fields(),
    )
    return tuples(one, 1, 2)


def common_fields() -> dict[str, st.SearchStrategy[Any]]:
    """What any event may have, by field; a place's extensions need the place and are added by `events`."""
    party = st.builds(SourceDest, terms(SOURCE_DEST_TYPE), place_ids())
    return {
        "biz_step": terms(BIZ_STEP),
        "disposition": terms(DISPOSITION),
        "read_point": place_ids(),
        "biz_location": place_ids(),
        "quantities": quantities(),
        "biz_transactions": tuples(st.builds(BizTransaction, st.none() | terms(BIZ_TRANSACTION_TYPE), uris())),
        "sources": tuples(party),
        "destinations": tuples(party),
        "event_id": uris(),
        "record_time": times(),
        "persistent_disposition": st.builds(
            PersistentDisposition, tuples(terms(DISPOSITION), 1), tuples(terms(DISPOSITION))
        ),
        "sensors": sensors(),
        "error_declaration": st.builds(
            ErrorDeclaration,
            declaration_time=times(),
            reason=st.none() | terms(ERROR_REASON),
            corrective_event_ids=tuples(uris()),
            extensions=extension_fields(),
        ),
        "certification": tuples(uris()),
        "person": st.binary(min_size=16, max_size=16),
        "private": st.lists(
            st.builds(PrivateField, names(), st.binary(min_size=32, max_size=32)),
            max_size=2,
            unique_by=lambda field: field.name,
        ).map(tuple),
        "extensions": extension_fields(),
    }


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Events of all five kinds, with any of their fields."""
    kind = draw(
        st.sampled_from((ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent, AssociationEvent))
    )
    fields: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=common_fields()))
    for place in ("read_point", "biz_location"):
        if place in fields and draw(st.booleans()):
            fields[f"{place}_extensions"] = draw(extension_fields())
    fields["event_time"] = draw(times())
    fields["time_zone_offset"] = draw(st.integers(-840, 840))
    fields["epcs"] = draw(st.lists(ids(), min_size=1, max_size=6))
    if kind is TransformationEvent:
        fields["transformation_id"] = draw(st.none() | uris())
        fields["output_epcs"] = draw(st.lists(ids(), min_size=1, max_size=6))
        fields["output_quantities"] = draw(quantities())
        fields["ilmd"] = draw(extension_fields())
    else:
        fields["action"] = action = draw(st.sampled_from(("ADD", "OBSERVE", "DELETE")))
        if kind is ObjectEvent and action == "ADD":
            fields["ilmd"] = draw(extension_fields())
        elif kind is AssociationEvent or (kind is AggregationEvent and action != "OBSERVE"):
            fields["parent"] = draw(container_ids())
        elif kind is not ObjectEvent:
            fields["parent"] = draw(st.none() | container_ids())
        if kind is TransactionEvent:
            fields["biz_transactions"] = (BizTransaction("po", draw(uris())),)
    event: Event = kind(**fields)
    return event


@st.composite
def plain_object_events(draw: st.DrawFn, max_size: int = 4) -> ObjectEvent:
    """ObjectEvents as scanners make them: a few units, step, disposition, place."""
    return ObjectEvent(
        event_time=draw(times()),
        time_zone_offset=480,
        action=draw(st.sampled_from(("ADD", "OBSERVE", "DELETE"))),
        epcs=tuple(draw(st.lists(unit_ids(), min_size=1, max_size=max_size))),
        biz_step=draw(st.none() | terms(BIZ_STEP)),
        disposition=draw(st.none() | terms(DISPOSITION)),
        read_point=draw(st.none() | place_ids()),
        biz_location=draw(st.none() | place_ids()),
    )


def plain_values() -> st.SearchStrategy[Any]:
    """Plain values (`encoding.Plain`), as records carry them."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers(-(1 << 63), (1 << 64) - 1)
        | st.integers(-40, 300)
        | texts()
        .map(lambda text: text.translate({9: None, 10: None, 13: None}))
        .map(lambda text: unicodedata.normalize("NFC", text))
        | st.binary(max_size=40)
    )
    return st.recursive(leaves, lambda inner: tuples(inner, 0, 20), max_leaves=30)
