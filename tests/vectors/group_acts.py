"""Vectors of what events do to their subjects under rule set 2 (docs/format.md section 7.2, docs/custody.md).

Kind "acts": content, event (its class); under each rule set the subjects in order of rows, each with its act:
"rule_set_1" and "rule_set_2". Every event of the pilot's vocabulary is here, and what looks like one and is none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from attrs import evolve

from tracechain import custody, encoding
from tracechain.event import (
    Action,
    AggregationEvent,
    AssociationEvent,
    BizTransaction,
    ErrorDeclaration,
    Event,
    Extension,
    ObjectEvent,
    Quantity,
    SensorElement,
    SensorReport,
    TransactionEvent,
    TransformationEvent,
)
from tracechain.event.sale import CUSTOMS_CLEARING, EXPORT_RETURN_DOCUMENT, PAYMENT_DOCUMENT
from tracechain.testing.samples import case_id, pack_ids

Cases = dict[str, dict[str, Any]]
AT = 1_795_233_600_000_000_000
WHEN: dict[str, Any] = {"event_time": AT, "time_zone_offset": 480}
ONE, TWO, THREE = pack_ids(3)
CASE, LOT, NMPA = case_id(1), "01/09521234001072/10/LOT-A7", "nmpa/81234560000000000001"
MDA, VOC = "urn:epcglobal:cbv:mda:", "https://gs1.org/voc/"
PO, PAID = BizTransaction("po", "urn:example:po:1"), BizTransaction(PAYMENT_DOCUMENT, "urn:example:payment:1")
RMA, BACK = BizTransaction("rma", "urn:example:rma:1"), BizTransaction(EXPORT_RETURN_DOCUMENT, "urn:example:back:1")


def _case(about: str, event: Event) -> dict[str, Any]:
    return {
        "about": about,
        "kind": "acts",
        "content": encoding.encode(event).hex(),
        "event": type(event).__name__,
        "rule_set_1": [[subject, int(act)] for subject, act in custody.acts(event, custody.PLAIN)],
        "rule_set_2": [[subject, int(act)] for subject, act in custody.acts(event, custody.PILOT)],
    }


def _object(step: str | None, disposition: str | None = None, action: Action = "OBSERVE", **more: Any) -> ObjectEvent:
    values: dict[str, Any] = {"epcs": (ONE,)} | more
    return ObjectEvent(**WHEN, action=action, biz_step=step, disposition=disposition, **values)


def _transaction(action: Action, step: str | None, *documents: BizTransaction, **more: Any) -> TransactionEvent:
    values: dict[str, Any] = {"epcs": (ONE,)} | more
    return TransactionEvent(**WHEN, action=action, biz_step=step, biz_transactions=documents, **values)


def _made(*fields: tuple[str, Any], **more: Any) -> ObjectEvent:
    """A pack comes into being with these expiry dates: (namespace, value)."""
    ilmd = tuple(Extension(namespace, "itemExpirationDate", value) for namespace, value in fields)
    return _object("commissioning", "active", "ADD", ilmd=ilmd, **more)


def _vocabulary() -> Cases:
    """The rows of the pilot's event vocabulary."""
    expires = (Extension(MDA, "itemExpirationDate", "2028-06-30"), Extension(MDA, "lotNumber", "LOT-A7"))
    sold = _object("retail_selling", "retail_sold")
    return {
        "commission": _case("Packs come into being, with an expiry date.", _made((MDA, "2028-06-30"), epcs=(ONE, TWO))),
        "pack": _case(
            "Packs go into a case.",
            AggregationEvent(**WHEN, action="ADD", parent=CASE, epcs=(ONE, TWO), biz_step="packing"),
        ),
        "unpack": _case(
            "Packs come out of it.",
            AggregationEvent(**WHEN, action="DELETE", parent=CASE, epcs=(ONE, TWO), biz_step="unpacking"),
        ),
        "ship": _case("A pack leaves.", _object("shipping", "in_transit")),
        "arrive": _case("A pack arrives.", _object("arriving", "in_progress")),
        "receive": _case("A pack is received.", _object("receiving", "in_progress")),
        "bond-in": _case("A pack is booked in under bond.", _object("storing", "sellable_not_accessible")),
        "sensor": _case(
            "A logger reports: no subjects.",
            _object(
                "sensor_reporting",
                epcs=(),
                sensors=(SensorElement(reports=(SensorReport(type="Temperature", value=Decimal(5)),)),),
            ),
        ),
        "attach-logger": _case(
            "A logger is fixed to a case, and to a pack.",
            AssociationEvent(**WHEN, action="ADD", parent=CASE, epcs=("urn:example:logger:7", ONE), biz_step="assembling"),
        ),
        "stocktake": _case("A pack is counted.", _object("stock_taking")),
        "stocktake-former-name": _case("The same, by its former name.", _object("cycle_counting")),
        "order": _case("A consumer orders a pack.", _transaction("ADD", "reserving", PO, disposition="reserved")),
        "payment": _case("And pays: the same act.", _transaction("ADD", "reserving", PAID, PO, disposition="reserved")),
        "cancel": _case("An order is cancelled.", _transaction("DELETE", "reserving", PO)),
        "clear": _case("Customs clears a pack.", _object(CUSTOMS_CLEARING, "in_progress")),
        "sell": _case("A pack is sold.", sold),
        "sell-part": _case("A part of a pack is sold.", _object("retail_selling", "partially_dispensed")),
        "transfer-store": _case(
            "A pack goes to a store: it is shipped.", _object("shipping", "in_transit", read_point="414/9521234000013")
        ),
        "deliver": _case("A pack is handed over.", _object("dispensing", "dispensed")),
        "deliver-part": _case("A part of it is.", _object("dispensing", "partially_dispensed")),
        "apply-return": _case("A return is applied for.", _transaction("ADD", None, RMA)),
        "return-in": _case("A pack comes back.", _object("receiving", "returned")),
        "export-return": _case("A pack comes back from abroad.", _object("receiving", "returned", biz_transactions=(BACK,))),
        "verify-conformant": _case("A pack passes inspection.", _object("inspecting", "conformant")),
        "verify-non-conformant": _case("A pack does not.", _object("inspecting", "non_conformant")),
        "hold": _case("A pack is held.", _object("holding", "non_sellable_other")),
        "release": _case("A hold ends, or a return may be sold again.", _object("holding", "sellable_not_accessible")),
        "release-accessible": _case("A hold ends in a store.", _object("holding", "sellable_accessible")),
        "release-available": _case("A hold ends.", _object("holding", "available")),
        "release-returned": _case("The hold of a return ends.", _object("holding", "returned")),
        "recall": _case("A pack is recalled.", _object("holding", "recalled")),
        "repair": _case("A pack is repaired.", _object("repairing")),
        "relabel": _case(
            "An old code ends, a new one begins.",
            TransformationEvent(**WHEN, epcs=(ONE,), output_epcs=(TWO,), biz_step="repackaging", ilmd=expires),
        ),
        "export": _case("A pack leaves the country.", _object("shipping", "inactive", "DELETE")),
        "sample": _case("A pack is opened for analysis.", _object("sampling", None, "DELETE")),
        "destroy": _case("A pack is destroyed.", _object("destroying", "destroyed", "DELETE")),
        "decommission": _case("A code is taken back.", _object("decommissioning", "inactive", "DELETE")),
        "steal": _case("A pack is stolen.", _object("removing", "stolen")),
        "void": _case(
            "A sale was not one: it is undone.",
            evolve(sold, error_declaration=ErrorDeclaration(declaration_time=AT + 1, reason="did_not_occur")),
        ),
        "correct": _case(
            "A commissioning was wrong; what is no pack is only noted, and the day of the act is not read.",
            evolve(
                _made((MDA, "2028-06-30"), epcs=(ONE, CASE)),
                error_declaration=ErrorDeclaration(declaration_time=AT + 1, corrective_event_ids=("urn:uuid:6",)),
            ),
        ),
        "produce": _case(
            "The maker makes packs of others; a lot goes in as well.",
            TransformationEvent(
                **WHEN, epcs=(ONE, TWO), output_epcs=(THREE,), quantities=(Quantity(LOT),), ilmd=expires
            ),
        ),
    }


def _others() -> Cases:
    return {
        "add-any-step": _case("What is added comes into being, whatever the step.", _object("shipping", None, "ADD")),
        "delete-any-step": _case("What is deleted ends, whatever the step.", _object("storing", None, "DELETE")),
        "delete-case": _case("A case leaves the country: it is no pack.", _object("shipping", None, "DELETE", epcs=(CASE, ONE))),
        "sell-deleted": _case(
            "A sale that says that the code is done with is a sale; what is no pack ends.",
            _object("retail_selling", "retail_sold", "DELETE", epcs=(CASE, ONE)),
        ),
        "sell-part-deleted": _case("The same of a part.", _object("retail_selling", "partially_dispensed", "DELETE")),
        "deliver-deleted": _case("A delivery likewise.", _object("dispensing", None, "DELETE")),
        "deliver-part-deleted": _case("And of a part.", _object("dispensing", "partially_dispensed", "DELETE")),
        "receive-deleted": _case("Any other step is an end.", _object("receiving", "returned", "DELETE")),
        "no-step": _case("A pack is seen.", _object(None)),
        "own-step": _case("A step of one's own is no act.", _object("https://vendor.example/sell", "retail_sold")),
        "own-disposition": _case("Sold, in words of one's own.", _object("retail_selling", "https://vendor.example/x")),
        "storing": _case("Storing that is not under bond.", _object("storing", "sellable_accessible")),
        "receiving-export-document": _case(
            "The document of an export return, and nothing returned.",
            _object("receiving", "in_progress", biz_transactions=(BACK,)),
        ),
        "holding": _case("Holding without saying how.", _object("holding")),
        "inspecting": _case("An inspection without a result.", _object("inspecting")),
        "removing": _case("Removed, and not stolen.", _object("removing", "in_progress")),
        "nmpa": _case("A pack with a code of the NMPA is sold.", _object("retail_selling", epcs=(NMPA,))),
        "variant": _case("A code of a variant is a pack's.", _object("shipping", epcs=("01/09521234001072/22/A/21/S",))),
        "kinds": _case(
            "Packs beside what is none.", _object("shipping", epcs=(CASE, ONE, "01/09521234001072", "urn:x:1", NMPA, LOT))
        ),
        "quantities": _case(
            "A lot beside a pack.", _object("shipping", quantities=(Quantity(LOT, Decimal(2)),))
        ),
        "pack-as-class": _case(
            "A pack that stands among the quantities is seen only.", _object("shipping", quantities=(Quantity(TWO),))
        ),
        "parent-pack": _case(
            "A pack that is a parent is seen only.",
            _transaction("ADD", "reserving", PO, parent=TWO),
        ),
        "parent-among-epcs": _case(
            "A parent that is among the epcs takes their act.",
            _transaction("ADD", "reserving", PO, parent=ONE, epcs=(ONE, TWO)),
        ),
        "order-observed": _case("An order that is only seen.", _transaction("OBSERVE", "reserving", PO)),
        "order-with-application": _case("A step says more than a document.", _transaction("ADD", "reserving", PO, RMA)),
        "application-withdrawn": _case("Only ADD applies for a return.", _transaction("DELETE", None, RMA)),
        "both-sides": _case(
            "A code that is old and new is old.",
            TransformationEvent(**WHEN, epcs=(ONE, TWO), output_epcs=(TWO, THREE), biz_step="repackaging"),
        ),
        "begun": _case(
            "Inputs alone.",
            TransformationEvent(**WHEN, epcs=(ONE,), transformation_id="urn:uuid:9", biz_step="repackaging"),
        ),
        "relabel-case": _case(
            "What is no pack ends and is seen.",
            TransformationEvent(**WHEN, epcs=(CASE,), output_epcs=(case_id(2),), biz_step="repackaging"),
        ),
    }


def _expiries() -> Cases:
    texts = {
        "time": ("A date with a time: its day is as written.", "2028-06-30T23:59:59-08:00"),
        "first": ("The first day.", "2000-01-02"),
        "last": ("The last day that fits.", "2089-09-17"),
        "leap-day": ("A leap day.", "2028-02-29"),
        "day-zero": ("Before the first day: the first.", "2000-01-01"),
        "before": ("Long before the first day: the first.", "1999-12-31"),
        "beyond": ("After the last day that fits: the last.", "2089-09-18"),
        "none-such": ("There is no such day.", "2027-02-29"),
        "none-short": ("Another spelling.", "2028-6-30"),
        "none-basic": ("Another spelling, of ISO 8601.", "20280630"),
        "none-week": ("A day by its week.", "2028-W26-5"),
        "none-wide": ("Digits that are none of ASCII.", "\uff12\uff10\uff12\uff18-06-30"),
        "none-empty": ("No text.", ""),
        "none-number": ("A number.", Decimal(20280630)),
        "none-null": ("Null.", None),
    }
    cases = {name: _case(f"{about}", _made((MDA, value))) for name, (about, value) in texts.items()}
    cases["other-namespace"] = _case("The GS1 Web Vocabulary.", _made((VOC, "2028-06-30")))
    cases["without-colon"] = _case("The namespace without its colon.", _made((MDA[:-1], "2028-06-30")))
    cases["two"] = _case("Of two, the one of CBV counts.", _made((VOC, "2030-01-01"), (MDA, "2028-06-30")))
    cases["none-own"] = _case("A field of the vendor's own.", _made(("https://vendor.example/", "2028-06-30")))
    return cases


def cases() -> Cases:
    """All cases of this group."""
    return _vocabulary() | _others() | {f"expiry-{name}": case for name, case in _expiries().items()}
