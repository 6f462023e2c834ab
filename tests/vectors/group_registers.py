"""Vectors of register records (docs/format.md section 5.7, docs/registers.md).

Kind "register": content (of an entry of type 4). What stands has kind_of, version and subject of the record, and
"mapping": its fields by name, as a file has them (digests in hexadecimal, numbers as text, null left out). What is
refused has "reason" in words, and "field": the field that is at fault, or "its body", "its subject".
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import attrs

from tracechain import encoding
from tracechain.criteria import (
    ByCarrier,
    ByMaker,
    ByMerchant,
    Codes,
    Commissioned,
    Lot,
    Measured,
    OfProduct,
    SharedContainer,
    ThroughContainer,
    ThroughPlace,
    any_of,
)
from tracechain.record import encode_record
from tracechain.registers import (
    KINDS,
    Carrier,
    CaseStep,
    Document,
    Dossier,
    Enterprise,
    HoldStep,
    Merchant,
    Place,
    Product,
    Profile,
    Readmission,
    RecallStep,
    Register,
    Resumption,
    Scope,
    Shield,
    Stop,
    Suspension,
)

Cases = dict[str, dict[str, Any]]
DAY = date(2026, 1, 31)
LATER = date(2027, 12, 31)


def _digest(name: str) -> bytes:
    return sha256(name.encode()).digest()


LICENCE = Document(name="Licence", digest=_digest("licence"), valid_until=LATER)
CHARTER = Document(name="Charter", digest=_digest("charter"))
PRODUCT: dict[str, Any] = {
    "id": "01/09521234001072", "name": "Eye drops", "name_zh": "滴眼液", "model": "0.1 %", "specification": "10 ml",
    "indications": "Dry eyes", "contraindications": "Allergy", "registration_number": "22500AMX00001000",
    "registered_in": "JP", "maker": "Example Pharma", "merchant": "pharmacy", "category": "drug", "screening": "none",
    "scope": "beijing", "verified_on": DAY, "verify_by": LATER, "published_on": DAY,
}
LIMITS: dict[str, Any] = {
    "name": "mine", "edition": "1", "order_limit": Decimal(5000), "year_limit": Decimal(26000),
    "return_apply_days": 30, "return_arrive_days": 45, "export_return_days": 365, "undo_days": 10,
    "near_expiry_days": 90, "late_recording_hours": 24, "movement_minutes": 30, "delivery_days": 7,
    "stocktake_days": 31, "warehouse_area": 500, "warehouse_managers": 2, "reverify_days": 365,
    "places_registered": True, "products_registered": False,
}


HOLD: dict[str, Any] = {"id": "H-2026-1", "on": DAY, "by": "Legal department", "reason": "An investigation"}
RECALL: dict[str, Any] = {"id": "R-2026-1", "on": DAY, "by": "Quality", "reason": "Particles were found"}
MOMENT = 1_795_233_600_000_000_000
#: One of each kind within others: what may follow from it is not asked here.
CRITERION = any_of((
    Lot("01/09521234001072", "A102") & ~Codes(("01/09521234001072/21/A", "01/09521234001072/21/B", "urn:x:c")),
    OfProduct("nmpa/8123456") & Commissioned(MOMENT, MOMENT + 1),
    ~(ByMaker("示例药业") | ByMerchant("pharmacy")),
    ThroughPlace("414/9521234000013", MOMENT, MOMENT),
    ThroughContainer("00/095212340000000013", None, -MOMENT),
    ByCarrier("carrier-1", MOMENT),
    Measured("temperature", above=Decimal("8.5"), below=Decimal(-2), longer_than=1_800_000_000_000),
    Measured("humidity", above=Decimal(70)),
    SharedContainer("01/09521234001072/21/A"),
))


def _good(about: str, value: Register, version: int = 0) -> dict[str, Any]:
    record = value.record(version)
    return {
        "about": about,
        "kind": "register",
        "verdict": "stands",
        "content": encode_record(record).hex(),
        "kind_of": record.kind,
        "version": version,
        "subject": record.subject,
        "mapping": value.mapping(),
    }


def _bad(reason: str, field: str, *items: Any) -> dict[str, Any]:
    return {
        "about": "A register record that is refused.",
        "kind": "register",
        "verdict": "refused",
        "reason": reason,
        "field": field,
        "content": encoding.pack(items).hex(),
    }


def _standing() -> Cases:
    return {
        "product": _good("A product, with nothing that may be left out.", Product(**PRODUCT)),
        "product-full": _good(
            "A product by its NMPA code, with everything; its second version.",
            Product(**PRODUCT | {
                "id": "nmpa/8123456", "maker_id": "417/9521234000037", "temperature": (Decimal(2), Decimal("8.5")),
                "humidity": (Decimal(35), Decimal(75)), "near_expiry_days": 120, "introduction": _digest("zh"),
                "quality": _digest("quality"), "screening": "narcotic",
            }),
            1,
        ),
        "shielded": _good(
            "The information on a product is hidden.",
            Shield(product="01/09521234001072", version=1, authority="Leading group", reference="2026-7",
                   reason="Untrue information", on=DAY),
        ),
        "merchant": _good(
            "A merchant with documents, whose order is kept.",
            Merchant(id="pharmacy", name="Example Pharmacy", country="JP", agreement=_digest("agreement"),
                     agreed_on=DAY, conditions=("licensed in its country", "answers within a day"),
                     documents=(LICENCE, CHARTER), admitted_on=DAY, verify_by=LATER),
        ),
        "merchant-suspended": _good(
            "A merchant is suspended.",
            Suspension(merchant="pharmacy", ground="false-information", reason="Exaggerated effect", on=DAY,
                       reported_to="Leading group"),
        ),
        "merchant-readmitted": _good("And goes on.", Readmission(merchant="pharmacy", reason="Corrected", on=DAY)),
        "enterprise": _good(
            "The pilot enterprise, which lacks one of its qualifications.",
            Enterprise(id="urn:example:platform", name="Platform", registered_in="Beijing", platform="P-1",
                       qualifications=(LICENCE,), verify_by=LATER),
        ),
        "enterprise-full": _good(
            "The pilot enterprise with both.",
            Enterprise(id="urn:example:platform", name="Platform", registered_in="Beijing", platform="P-1",
                       device_trading="D-1", verify_by=LATER), 1,
        ),
        "place": _good(
            "A warehouse in a zone.",
            Place(id="414/9521234000013", name="天竺综合保税区", type="zone-warehouse", zone="Tianzhu",
                  confirmed_on=date(2021, 4, 1), area=500, managers=3),
        ),
        "place-closed": _good(
            "A store that was closed.",
            Place(id="urn:example:store:1", name="Store", type="store", licence="S-1", licensed_until=LATER,
                  closed_on=DAY), 2,
        ),
        "place-bare": _good("A place that only has a name.", Place(id="city", name="City", type="delivery-area")),
        "carrier": _good(
            "A carrier that passed.",
            Carrier(id="carrier-1", name="Carrier", assessed_on=DAY, assessed_by="Quality", result="passed",
                    valid_until=LATER, responsibility="Keeps the range of temperature", agreement=_digest("carrier")),
        ),
        "carrier-failed": _good(
            "One that failed.",
            Carrier(id="carrier-2", name="Carrier", assessed_on=DAY, assessed_by="Quality", result="failed",
                    valid_until=DAY, responsibility="None"),
        ),
        "scope": _good(
            "A scope list.",
            Scope(name="beijing", edition="2021-1", valid_from=DAY, authority="Leading group",
                  products=("01/09521234001072", "nmpa/8123456")),
        ),
        "scope-empty": _good(
            "A scope list that names nothing.",
            Scope(name="beijing", edition="2021-2", valid_from=DAY, authority="Leading group", products=()), 1,
        ),
        "dossier": _good(
            "A section of the dossier.",
            Dossier(section="facilities", title="Equipment", digest=_digest("equipment"), on=DAY),
        ),
        "service-stopped": _good(
            "Service for a product stops.",
            Stop(target_kind="product", target="nmpa/8123456", ground=3, authority="Leading group", reference="2026-8",
                 reason="Beyond the scope", on=DAY),
        ),
        "service-stopped-enterprise": _good(
            "Service of the platform stops, on another ground.",
            Stop(target_kind="enterprise", target="urn:example:platform", ground=0, authority="Leading group",
                 reference="2026-9", reason="Qualification cancelled", on=DAY),
        ),
        "service-resumed": _good(
            "Service for a merchant goes on.",
            Resumption(target_kind="merchant", target="pharmacy", authority="Leading group", reference="2026-10",
                       reason="Corrected", on=DAY),
        ),
        "case": _good(
            "A complaint about a pack, an order and a code that is none.",
            CaseStep(id="C-2026-1", type="complaint", phase="opened", on=DAY, by="Service desk",
                     text="The seal was broken",
                     about=("01/09521234001072/21/BJ000001", "01/09521234001073/21/X", "urn:example:po:1")),
        ),
        "case-full": _good(
            "Compensation was paid in advance.",
            CaseStep(id="C-2026-2", type="compensation", phase="reported", on=DAY, by="Service desk", text="Paid",
                     about=("urn:example:po:1",), due=LATER, amount=Decimal("12.5"), authority="Leading group"), 4,
        ),
        "recall": _good(
            "A recall of a lot is opened.",
            RecallStep(**RECALL, phase="opened", recall_class="1", criterion=Lot("01/09521234001072", "A102"),
                       affected=1200),
        ),
        "recall-criteria": _good(
            "A recall with every kind of criterion, by order of an authority.",
            RecallStep(**RECALL, phase="opened", recall_class="3", criterion=CRITERION, affected=0, size=26_580,
                       authority="Leading group"),
        ),
        "recall-notified": _good(
            "Parties were told.",
            RecallStep(**RECALL, phase="notified", parties=("414/9521234000020", "pharmacy")), 1,
        ),
        "recall-closed": _good(
            "The recall is closed.",
            RecallStep(**RECALL, phase="closed", affected=9, locked=2, returned=3, destroyed=4, outstanding=0), 2,
        ),
        "recall-closed-open": _good(
            "Another is closed although a pack is outstanding.",
            RecallStep(**RECALL, phase="closed", affected=10, locked=2, returned=3, destroyed=4, outstanding=1,
                       open_reason="Used up", size=30_000), 2,
        ),
        "hold": _good(
            "A hold of a merchant and an order is placed, for good.",
            HoldStep(**HOLD, phase="placed", authority="Leading group", about=("pharmacy", "urn:example:po:1")),
        ),
        "hold-full": _good(
            "A hold with everything.",
            HoldStep(**HOLD | {"id": "H-2026-2"}, phase="placed", authority="Leading group", until=LATER,
                     criterion=Lot("01/09521234001072", "A102"), about=("pharmacy",), case="C-2026-1"),
        ),
        "hold-extended": _good(
            "It stands longer.", HoldStep(**HOLD | {"id": "H-2026-2"}, phase="extended", until=date(2029, 12, 31)), 1
        ),
        "hold-released": _good("The first is released.", HoldStep(**HOLD, phase="released"), 1),
        "profile": _good("The limits.", Profile(**LIMITS)),
        "profile-enterprise": _good(
            "The limits of an enterprise.",
            Profile(**LIMITS | {"enterprise": "urn:example:platform", "order_limit": Decimal("0.01")}), 1,
        ),
    }


def _refused() -> Cases:
    good: dict[str, tuple[Any, ...]] = {}
    for value in (
        Product(**PRODUCT),
        Merchant(id="m", name="M", country="JP", agreement=bytes(32), agreed_on=DAY, conditions=("c",), admitted_on=DAY,
                 verify_by=LATER, documents=(LICENCE,)),
        Place(id="p", name="P", type="store"),
        Scope(name="s", edition="1", valid_from=DAY, authority="A", products=("01/09521234001072", "nmpa/8123456")),
        Stop(target_kind="merchant", target="m", ground=3, authority="A", reference="R", reason="R", on=DAY),
        CaseStep(id="C", type="complaint", phase="opened", on=DAY, by="B", text="T", about=(), amount=Decimal(1)),
        RecallStep(**RECALL, phase="opened", recall_class="1", criterion=Lot("01/09521234001072", "A102"), affected=9),
        HoldStep(**HOLD, phase="placed", authority="Leading group", about=("pharmacy",)),
        Profile(**LIMITS),
    ):
        record = value.record()
        good[record.kind] = (record.kind, 0, record.subject, record.body)

    def put(kind: str, field: str, value: Any) -> tuple[Any, ...]:
        body = good[kind][3]
        position = [one.name for one in attrs.fields(KINDS[kind])].index(field)
        return (*good[kind][:3], (*body[:position], value, *body[position + 1 :]))

    def told(criterion: Any) -> tuple[Any, ...]:
        return "criterion", *put("recall", "criterion", criterion)

    closed = RecallStep(**RECALL, phase="closed", affected=9, locked=2, returned=3, destroyed=4, outstanding=0)

    def put_closed(**changes: Any) -> tuple[Any, ...]:
        body = dict(zip((one.name for one in attrs.fields(RecallStep)), closed.body(), strict=True))
        return "recall", 2, closed.subject, tuple((body | changes).values())

    released = HoldStep(**HOLD, phase="released")

    def put_released(**changes: Any) -> tuple[Any, ...]:
        body = dict(zip((one.name for one in attrs.fields(HoldStep)), released.body(), strict=True))
        return "hold", 1, released.subject, tuple((body | changes).values())

    lot, other = (1, "01/09521234001072", "A102"), (2, "nmpa/8123456")
    nested: Any = lot
    for level in range(8):
        nested = (12 + level % 2, *sorted(((3, f"M{level}"), nested), key=encoding.pack))
    scope = good["scope"]
    return {
        "recall-phase": _bad("There is no such phase.", "phase", *put("recall", "phase", "reported")),
        "recall-class": _bad("A class is a text.", "recall_class", *put("recall", "recall_class", 1)),
        "recall-no-criterion": _bad("Nobody knows which packs.", "criterion", *put("recall", "criterion", None)),
        "recall-unfinished": _bad("A pack is outstanding.", "outstanding", *put_closed(affected=10, outstanding=1)),
        "recall-sum": _bad("The numbers do not add up.", "locked", *put_closed(locked=3)),
        "recall-no-number": _bad("A number is missing.", "destroyed", *put_closed(destroyed=None)),
        "recall-open-reason": _bad("Nothing is outstanding.", "outstanding", *put_closed(open_reason="Used up")),
        "recall-other-criterion": _bad("It was stated before.", "criterion", *put_closed(criterion=lot)),
        "recall-nobody": _bad("Nobody was told.", "parties", *put_closed(phase="notified")),
        "hold-phase": _bad("There is no such phase.", "phase", *put("hold", "phase", "opened")),
        "hold-nobody": _bad("Nobody orders it.", "authority", *put("hold", "authority", None)),
        "hold-nothing": _bad("It covers nothing.", "about", *put("hold", "about", ())),
        "hold-no-day": _bad("It is extended to no day.", "until", *put_released(phase="extended")),
        "hold-released-day": _bad("What is released has no last day.", "until", *put_released(until="2029-12-31")),
        "hold-released-about": _bad("It was stated before.", "about", *put_released(about=("pharmacy",))),
        "criterion-no-array": _bad("A criterion is no array.", *told("A102")),
        "criterion-empty": _bad("A criterion has a tag.", *told(())),
        "criterion-tag": _bad("There is no such tag.", *told((15, "A102"))),
        "criterion-tag-true": _bad("A boolean is no tag.", *told((True, "01/09521234001072", "A102"))),
        "criterion-short": _bad("A bound may be nil, and is not left out.", *told((6, "414/9521234000013", 0))),
        "criterion-long": _bad("There is an item too many.", *told((*lot, None))),
        "criterion-product": _bad("A check digit is wrong.", *told((2, "01/09521234001073"))),
        "criterion-lot-space": _bad("A lot ends with a space.", *told((1, "01/09521234001072", "A102 "))),
        "criterion-spelling": _bad("A code is not in its canonical spelling.", *told((10, "(01)09521234001072(21)A"))),
        "criterion-turned": _bad("The start comes first.", *told((5, MOMENT + 1, MOMENT))),
        "criterion-open": _bad("A commissioning has both bounds.", *told((5, MOMENT, None))),
        "criterion-measure": _bad("There are two measures.", *told((9, 2, (8, 0), None, 0))),
        "criterion-no-limit": _bad("A limit is missing.", *told((9, 0, None, None, 0))),
        "criterion-limit": _bad("A mantissa has a factor of ten.", *told((9, 0, (80, -1), None, 0))),
        "criterion-limits": _bad("Everything is above 2 or below 8.", *told((9, 0, (2, 0), (8, 0), 0))),
        "criterion-duration": _bad("A duration is negative.", *told((9, 0, (8, 0), None, -1))),
        "criterion-no-codes": _bad("A list names nothing.", *told((11, ()))),
        "criterion-groups": _bad("Two groups have one prefix.", *told((11, ("01/09521234001072/21/", ("A",)) * 2))),
        "criterion-order": _bad("Codes are not sorted.", *told((11, ("01/09521234001072/21/", ("B", "A"))))),
        "criterion-one-part": _bad("There is one part.", *told((12, lot))),
        "criterion-parts-order": _bad("Parts are not sorted by their bytes.", *told((12, lot, other))),
        "criterion-parts-twice": _bad("A part comes twice.", *told((13, lot, lot))),
        "criterion-flat": _bad("A part has the same tag.", *told((13, other, (13, (3, "M"), lot)))),
        "criterion-not-not": _bad("Twice not is nothing.", *told((14, (14, lot)))),
        "criterion-deep": _bad("Criteria stand nine deep.", *told(nested)),
        "body-nil": _bad("There is no body.", "its body", "place", 0, "urn:tracechain:place:p", None),
        "body-short": _bad("A field is missing.", "its body", *good["place"][:3], good["place"][3][:-1]),
        "body-long": _bad("There is a field too many.", "its body", *good["place"][:3], (*good["place"][3], None)),
        "body-cut": _bad("Nils at the end are left out.", "its body", *good["place"][:3], good["place"][3][:3]),
        "subject-other": _bad(
            "The subject is that of another.", "its subject", "place", 0, "urn:tracechain:place:q", good["place"][3]
        ),
        "subject-nil": _bad("There is no subject.", "its subject", "place", 0, None, good["place"][3]),
        "subject-kind": _bad(
            "The subject is of another kind.", "its subject", "place", 0, "urn:tracechain:store:p", good["place"][3]
        ),
        "id-check-digit": _bad("A check digit is wrong.", "id", *put("product", "id", "01/09521234001073")),
        "id-of-a-pack": _bad("That is one pack.", "id", *put("product", "id", "01/09521234001072/21/A")),
        "id-short": _bad("A GTIN has 14 digits.", "id", *put("product", "id", "01/9521234001072")),
        "id-other-spelling": _bad("Another spelling of an id.", "id", *put("place", "id", "urn:epc:id:sgln:9521234.00001.0")),
        "id-space": _bad("An id holds a space.", "id", *put("place", "id", "a b")),
        "name-empty": _bad("A name is empty.", "name", *put("place", "name", "")),
        "name-space": _bad("A name ends with a space.", "name", *put("place", "name", "P ")),
        "name-long": _bad("A name has 481 bytes.", "name", *put("place", "name", "P" * 481)),
        "name-number": _bad("A name is a number.", "name", *put("place", "name", 7)),
        "choice": _bad("There is no such type of place.", "type", *put("place", "type", "Store")),
        "country": _bad("A country has capital letters.", "country", *put("merchant", "country", "jp")),
        "date-none": _bad("There is no such day.", "closed_on", *put("place", "closed_on", "2027-02-29")),
        "date-short": _bad("Another spelling of a day.", "closed_on", *put("place", "closed_on", "2027-2-28")),
        "date-week": _bad("A day by its week.", "closed_on", *put("place", "closed_on", "2027-W08-7")),
        "date-wide": _bad("Digits that are none of ASCII.", "closed_on", *put("place", "closed_on", "２０２７-02-28")),
        "date-time": _bad("A day with a time.", "closed_on", *put("place", "closed_on", "2027-02-28T00:00:00Z")),
        "date-number": _bad("A day is a number.", "closed_on", *put("place", "closed_on", 20270228)),
        "nil": _bad("A field may not be nil.", "verify_by", *put("product", "verify_by", None)),
        "whole-negative": _bad("An area is negative.", "area", *put("place", "area", -1)),
        "whole-true": _bad("A boolean is no number.", "area", *put("place", "area", True)),
        "days-large": _bad("A hundred years have fewer days.", "undo_days", *put("profile", "undo_days", 36_526)),
        "flag-number": _bad("1 is no boolean.", "places_registered", *put("profile", "places_registered", 1)),
        "number-not-normal": _bad("A mantissa has a factor of ten.", "order_limit", *put("profile", "order_limit", (5000, 0))),
        "number-whole": _bad("A number is mantissa and exponent.", "order_limit", *put("profile", "order_limit", 5000)),
        "number-negative": _bad("An amount is negative.", "amount", *put("case", "amount", (-1, 0))),
        "number-large": _bad("An amount is over the limit.", "amount", *put("case", "amount", (1, 10))),
        "range-turned": _bad(
            "The lower end comes first.", "temperature", *put("product", "temperature", ((8, 0), (2, 0)))
        ),
        "range-one": _bad("A range has two ends.", "temperature", *put("product", "temperature", ((8, 0),))),
        "digest-short": _bad("A digest has 31 bytes.", "agreement", *put("merchant", "agreement", bytes(31))),
        "digest-text": _bad("A digest is written as text.", "agreement", *put("merchant", "agreement", "00" * 32)),
        "list-empty": _bad("Nobody is admitted without a condition.", "conditions", *put("merchant", "conditions", ())),
        "list-order": _bad("A list is not sorted.", "products", *put("scope", "products", scope[3][4][::-1])),
        "list-twice": _bad("An item comes twice.", "products", *put("scope", "products", (scope[3][4][0],) * 2)),
        "list-item": _bad("An item is wrong.", "products[1]", *put("scope", "products", (scope[3][4][0], "01/1"))),
        "document": _bad(
            "A document has a digest of another length.",
            "documents[0]",
            *put("merchant", "documents", (("Licence", bytes(20), None),)),
        ),
        "document-cut": _bad(
            "A document's last nil is left out.", "documents[0]", *put("merchant", "documents", (("Licence", bytes(32)),))
        ),
        "verified-before": _bad(
            "It is to be verified before it was.",
            "verify_by",
            *put("product", "verify_by", "2026-01-30"),
        ),
        "target-of-other-kind": _bad("The target is no product.", "target", *put("service-stopped", "target_kind", "product")),
        "ground": _bad("There are seven grounds, and 0.", "ground", *put("service-stopped", "ground", 8)),
        "case-phase": _bad("There is no such phase.", "phase", *put("case", "phase", "Opened")),
        "reference-other-spelling": _bad(
            "A code is not in its canonical spelling.", "about", *put("case", "about", ("urn:epc:id:sscc:9521234.0000000001",))
        ),
        "label": _bad("A name that stands in a subject has a colon.", "name", *put("scope", "name", "s:1")),
    }


def cases() -> Cases:
    """All cases of this group."""
    return _standing() | {f"refused-{name}": case for name, case in _refused().items()}
