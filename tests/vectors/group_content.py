"""Vectors of event contents (docs/format.md section 9).

Kind "event": content. What stands has "event" (its class), "subjects" (subject, act: section 7.1) and "items", the
number of positions. What is refused has "reason" in words, and in "words" what this library's message says of it.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

from tracechain import custody, encoding
from tracechain.encoding.content import decode_raw
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
)
from tracechain.testing.samples import case_id, pack_ids

Cases = dict[str, dict[str, Any]]
AT = 1_795_233_600_000_000_000
WHEN: dict[str, Any] = {"event_time": AT, "time_zone_offset": 480}
SEEN: dict[str, Any] = WHEN | {"action": "OBSERVE"}
ONE, TWO, THREE = pack_ids(3)
LOT = "01/09521234001072/10/LOT-A7"
PLACE = "414/9521234000013/254/17"
VENDOR = "https://vendor.example/"


def _good(about: str, event: Event) -> dict[str, Any]:
    content = encoding.encode(event)
    return {
        "about": about,
        "kind": "event",
        "verdict": "stands",
        "content": content.hex(),
        "event": type(event).__name__,
        "items": len(decode_raw(content)),
        "subjects": [[subject, int(act)] for subject, act in custody.acts(event)],
    }


def _bad(reason: str, words: str, *items: Any) -> dict[str, Any]:
    data = items[0] if isinstance(items[0], bytes) else encoding.pack(items)
    return {
        "about": "A content that is refused.",
        "kind": "event",
        "verdict": "refused",
        "reason": reason,
        "words": words,
        "content": data.hex(),
    }


def _object_cases() -> Cases:
    return {
        "object-commissioned": _good(
            "Packs come into being, with lot and expiry.",
            ObjectEvent(
                **WHEN,
                action="ADD",
                epcs=(ONE, TWO, THREE),
                biz_step="commissioning",
                disposition="active",
                read_point=PLACE,
                ilmd=(
                    Extension("urn:epcglobal:cbv:mda", "lotNumber", "LOT-A7"),
                    Extension("urn:epcglobal:cbv:mda", "itemExpirationDate", "2028-06-30"),
                ),
            ),
        ),
        "object-seen": _good("One pack is seen: the shortest event.", ObjectEvent(**SEEN, epcs=(ONE,))),
        "object-destroyed": _good(
            "A pack ends.", ObjectEvent(**WHEN, action="DELETE", epcs=(ONE,), biz_step="destroying")
        ),
        "object-before-1970": _good(
            "Negative time, western zone.",
            ObjectEvent(event_time=-1, time_zone_offset=-300, action="OBSERVE", epcs=(ONE,)),
        ),
        "object-own-terms": _good(
            "Steps and dispositions that are not standard names.",
            ObjectEvent(
                **SEEN, epcs=("urn:uuid:7", "urn:uuid:8"), biz_step=VENDOR + "clear", disposition=VENDOR + "cleared"
            ),
        ),
        "object-groups": _good(
            "Ids of several prefixes, one of which comes again.",
            ObjectEvent(**SEEN, epcs=("a:b/1", "a:b/c/1", "a:b/d", case_id(1), ONE, "nmpa/81234567890123456789")),
        ),
        "object-quantities": _good(
            "Quantities: unknown, counted, weighed; equal ones stay.",
            ObjectEvent(
                **SEEN,
                quantities=(
                    Quantity(LOT),
                    Quantity(LOT, Decimal(10)),
                    Quantity(LOT, Decimal(10)),
                    Quantity(LOT, Decimal("-0.25"), "KGM"),
                    Quantity(LOT, Decimal(0)),
                ),
            ),
        ),
        "object-sensors": _good(
            "Sensor data without a unit: no subjects.",
            ObjectEvent(
                **SEEN,
                biz_step="sensor_reporting",
                read_point="geo:39.9,116.4",
                sensors=(
                    SensorElement(
                        metadata=SensorMetadata(time=AT, device_id="urn:example:logger:7"),
                        reports=(
                            SensorReport(
                                type="Temperature", value=Decimal("21.5"), uom="CEL", min_value=Decimal("20.125")
                            ),
                            SensorReport(
                                type=VENDOR + "smell",
                                string_value="tab\tline\nend\r",
                                boolean_value=False,
                                hex_binary_value=b"\0\xff",
                                component="x",
                            ),
                        ),
                    ),
                ),
            ),
        ),
        "object-error": _good(
            "An event declared an error: its subjects are only noted.",
            ObjectEvent(
                **SEEN,
                epcs=(ONE,),
                event_id="urn:uuid:5",
                error_declaration=ErrorDeclaration(
                    declaration_time=AT + 10**9, reason="incorrect_data", corrective_event_ids=("urn:uuid:6",)
                ),
            ),
        ),
        "object-everything-else": _good(
            "Parties, documents, private fields, a person, vendor fields.",
            ObjectEvent(
                **SEEN,
                epcs=(ONE,),
                read_point=PLACE,
                biz_location=PLACE,
                record_time=AT + 1,
                biz_transactions=(BizTransaction("po", "urn:example:po:1"), BizTransaction(None, "urn:example:x")),
                sources=(SourceDest("owning_party", "urn:example:a"),),
                destinations=(SourceDest("location", PLACE),),
                persistent_disposition=PersistentDisposition(("completeness_inferred",), ("damaged", VENDOR + "wet")),
                certification=("https://certificates.example/1",),
                person=bytes(range(16)),
                private=(PrivateField("buyer", sha256(b"buyer").digest()),),
                extensions=(
                    Extension(VENDOR, "n", Decimal("1E-3")),
                    Extension(VENDOR, "t", True),
                    Extension(VENDOR, "z", None),
                    Extension(VENDOR, "a", Array(("x", Decimal(7), Array(())))),
                    Extension(VENDOR, "o", Object((Extension("", "k", "v"),))),
                ),
                read_point_extensions=(Extension(VENDOR, "gate", "4"),),
                biz_location_extensions=(Extension(VENDOR, "bin", "B"),),
            ),
        ),
    }


def _other_cases() -> Cases:
    return {
        "aggregation-packed": _good(
            "Packs go into a case.",
            AggregationEvent(**WHEN, action="ADD", parent=case_id(1), epcs=(ONE, TWO), biz_step="packing"),
        ),
        "aggregation-emptied": _good(
            "All comes out, unnamed.", AggregationEvent(**WHEN, action="DELETE", parent=case_id(1))
        ),
        "transaction-ordered": _good(
            "Packs are reserved for an order.",
            TransactionEvent(
                **WHEN, action="ADD", epcs=(ONE,), biz_transactions=(BizTransaction("po", "urn:example:po:1"),)
            ),
        ),
        "transformation-relabelled": _good(
            "An old code ends, a new one begins; a lot goes in as well.",
            TransformationEvent(
                **WHEN,
                epcs=(ONE,),
                output_epcs=(TWO, THREE),
                quantities=(Quantity(LOT, Decimal(1)),),
                biz_step="repackaging",
            ),
        ),
        "transformation-begun": _good(
            "Inputs alone, tied together by an id.",
            TransformationEvent(**WHEN, epcs=(ONE,), transformation_id="urn:uuid:9"),
        ),
        "transformation-both-sides": _good(
            "A pack that is input and output takes the act of the inputs.",
            TransformationEvent(
                **WHEN, epcs=(ONE, TWO), output_epcs=(TWO, THREE), output_quantities=(Quantity(LOT, Decimal(2)),)
            ),
        ),
        "association-fixed": _good(
            "A logger is fixed to a case.",
            AssociationEvent(**WHEN, action="ADD", parent=case_id(1), epcs=("urn:example:logger:7",)),
        ),
    }


def _refused() -> Cases:
    ids = ("", ("urn:x",))
    head = (1, AT, 480, 2, None)
    nil = (None,)
    seen = encoding.pack((*head, ids))
    return {
        "empty": _bad("It has no bytes.", "canonical", b""),
        "nil": _bad("It is nil.", "array", b"\xc0"),
        "trailing-nil": _bad("A nil stands at the end.", "not nil", *head, ids, None),
        "trailing-byte": _bad("A byte stands behind it.", "canonical", seen + b"\0"),
        "truncated": _bad("The last byte is missing.", "canonical", seen[:-1]),
        "long-array": _bad("The array's length is longer than need be.", "canonical", b"\xdc\x00\x06" + seen[1:]),
        "long-text": _bad(
            "A text's length is longer than need be.", "canonical", seen.replace(b"\xa5urn:x", b"\xd9\x05urn:x")
        ),
        "bin-for-text": _bad("An id is a byte string.", "item 5", *head, ("", (b"urn:x",))),
        "bad-utf-8": _bad("A text is not UTF-8.", "canonical", seen.replace(b"urn:x", b"urn:\xff")),
        "float-time": _bad("The time is a float.", "0.0 cannot be recorded", b"\x96\x01\xcb" + bytes(8) + seen[11:]),
        "type-0": _bad("There is no type 0.", "no kind of event", 0, *head[1:], ids),
        "type-6": _bad("There is no type 6.", "no kind of event", 6, *head[1:], ids),
        "time-missing": _bad("It has no time.", "event_time", 1, None, 480, 2, None, ids),
        "time-large": _bad("The time has 64 bits and no sign.", "event_time", 1, 2**63, 480, 2, None, ids),
        "zone": _bad("The zone is 14 hours and a minute.", "time_zone_offset", 1, AT, 841, 2, None, ids),
        "action-0": _bad("There is no action 0.", "action", 1, AT, 480, 0, None, ids),
        "action-missing": _bad("An Object event has no action.", "action", 1, AT, 480, None, None, ids),
        "action-of-transformation": _bad(
            "A Transformation has an action.", "action", 4, AT, 480, 2, None, ids, *nil * 16, ids
        ),
        "parent-of-object": _bad("An Object event has a parent.", "parent", 1, AT, 480, 2, "urn:p", ids),
        "says-nothing": _bad("It names nothing.", "says nothing", *head, None, 30),
        "ids-empty": _bad("No ids are nil, not [].", "otherwise", *head, (), *nil * 4, ((LOT,),)),
        "ids-not-sorted": _bad("Ids are not sorted.", "otherwise", *head, ("", ("urn:y", "urn:x"))),
        "ids-twice": _bad("An id comes twice.", "otherwise", *head, ("", ("urn:x", "urn:x"))),
        "ids-group-twice": _bad(
            "Neighbours with one prefix are in two groups.", "otherwise", *head, ("a/", ("1",), "a/", ("2",))
        ),
        "ids-split-early": _bad("An id is cut before its last '/'.", "otherwise", *head, ("a/", ("b/1",))),
        "id-long": _bad("An id has 481 bytes.", "481 bytes", *head, ("", ("x" * 481,))),
        "id-space": _bad("An id holds a space.", "space", *head, ("", ("urn:x y",))),
        "id-wide-space": _bad("An id holds an ideographic space.", "space", *head, ("", ("urn:x\u3000y",))),
        "id-control": _bad("An id holds a control character.", "control", *head, ("", ("urn:x\x1d",))),
        "id-not-nfc": _bad("An id is not in NFC.", "normal form", *head, ("", ("urn:e\u0301",))),
        "step-as-text": _bad("A standard step is written as text.", "otherwise", *head, ids, "shipping"),
        "step-as-urn": _bad(
            "A standard step is written as URN.", "standard name", *head, ids, "urn:epcglobal:cbv:bizstep:shipping"
        ),
        "step-unknown-number": _bad("A step has a number that is not in the table.", "biz_step", *head, ids, 41),
        "step-no-uri": _bad("A step of one's own is no URI.", "URI", *head, ids, "clearing"),
        "quantity-not-normal": _bad("A mantissa has a factor of ten.", "otherwise", *head, *nil * 5, ((LOT, (10, 0)),)),
        "quantity-zero": _bad("Zero has an exponent.", "otherwise", *head, *nil * 5, ((LOT, (0, 1)),)),
        "quantity-order": _bad(
            "Quantities are not sorted.", "otherwise", *head, *nil * 5, ((LOT, (2, 0)), (LOT, (1, 0)))
        ),
        "ilmd-observed": _bad("Master data stands with OBSERVE.", "ilmd", *head, ids, *nil * 8, (1, "lotNumber", "x")),
        "private-twice": _bad(
            "A private name comes twice.", "twice", *head, ids, *nil * 19, (("n", bytes(32)), ("n", bytes(32)))
        ),
        "person-short": _bad("A person's token has 15 bytes.", "person", *head, ids, *nil * 18, bytes(15)),
        "namespace-as-text": _bad(
            "A namespace of the table is written as text.",
            "otherwise",
            *head,
            ids,
            *nil * 20,
            ("urn:epcglobal:cbv:mda:", "n", "v"),
        ),
        "namespace-own": _bad(
            "A vendor field uses our namespace.",
            "urn:tracechain:",
            *head,
            ids,
            *nil * 20,
            ("urn:tracechain:", "n", "v"),
        ),
        "field-twice": _bad(
            "A field comes twice.", "twice", *head, ids, *nil * 20, (VENDOR, "n", "v", VENDOR, "n", "w")
        ),
        "field-kind": _bad("A value is of kind 3.", "kind of value", *head, ids, *nil * 20, (VENDOR, "n", (3,))),
        "field-integer": _bad(
            "A number is not written as mantissa and exponent.", "no value", *head, ids, *nil * 20, (VENDOR, "n", 5)
        ),
        "place-fields-without-place": _bad(
            "Fields of a read point that is not there.", "read_point", *head, ids, *nil * 21, (VENDOR, "n", "v")
        ),
        "position-29": _bad("There is no item 29.", "two items", *head, ids, *nil * 23, 1),
        "association-without-parent": _bad("An Association has no parent.", "parent", 5, AT, 480, 1, None, ids),
    }


def cases() -> Cases:
    """All cases of this group."""
    return _object_cases() | _other_cases() | {f"refused-{name}": case for name, case in _refused().items()}
