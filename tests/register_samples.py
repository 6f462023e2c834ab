"""Registers for tests: a file's object of each kind, and any value of any class, drawn from the forms of its fields."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from criteria_samples import criteria
from tracechain import registers
from tracechain.registers import (
    KINDS,
    CaseStep,
    HoldStep,
    Merchant,
    Place,
    Product,
    Profile,
    RecallStep,
    Register,
    Scope,
    Shield,
    Stop,
    Suspension,
    forms,
)
from tracechain.registers.fields import Fields, Nested, _slots
from tracechain.testing import strategies

CLASSES = tuple(KINDS.values())
DIGEST = "ab" * 32
DAY = "2026-01-31"

#: A file's object for each kind, as a service would write it.
EXAMPLES: dict[type[Register], dict[str, Any]] = {
    Product: {
        "gtin": "9521234001072",
        "name": "Sodium hyaluronate eye drops",
        "name_zh": "玻璃酸钠滴眼液",
        "model": "0.1 %",
        "specification": "10 ml",
        "indications": "Dry eyes",
        "contraindications": "Allergy to the substance",
        "registration_number": "22500AMX00001000",
        "registered_in": "JP",
        "maker": "Example Pharma",
        "merchant": "417/9521234000037",
        "category": "drug",
        "screening": "none",
        "scope": "beijing",
        "verified_on": "2025-06-01",
        "verify_by": "2026-06-01",
        "temperature": [2, "8.5"],
        "introduction": DIGEST,
        "published_on": "2025-06-02",
    },
    Shield: {
        "product": "01/09521234001072",
        "version": 3,
        "authority": "Leading group",
        "reference": "2026-7",
        "reason": "Untrue information",
        "on": DAY,
    },
    Merchant: {
        "id": "merchant-7",
        "name": "Example Pharmacy",
        "country": "JP",
        "agreement": DIGEST,
        "agreed_on": "2025-01-01",
        "conditions": ["licensed in its country"],
        "documents": [
            {"name": "licence", "digest": DIGEST, "valid_until": "2027-01-01"},
            {"name": "b", "digest": DIGEST},
        ],
        "admitted_on": "2025-02-01",
        "verify_by": "2026-02-01",
    },
    Suspension: {
        "merchant": "merchant-7",
        "ground": "false-information",
        "reason": "Exaggerated effect",
        "on": DAY,
        "reported_to": "Leading group",
    },
    registers.Readmission: {"merchant": "merchant-7", "reason": "Corrected", "on": DAY},
    registers.Enterprise: {
        "id": "urn:example:pilot",
        "name": "Pilot enterprise",
        "registered_in": "Beijing",
        "platform": "P-1",
        "verify_by": DAY,
    },
    Place: {
        "id": "414/9521234000020",
        "name": "Zone warehouse",
        "type": "zone-warehouse",
        "zone": "Tianzhu",
        "confirmed_on": "2021-04-01",
        "area": 500,
        "managers": 3,
    },
    registers.Carrier: {
        "id": "sf-express",
        "name": "Carrier",
        "assessed_on": "2025-01-01",
        "assessed_by": "Quality department",
        "result": "passed",
        "valid_until": "2026-01-01",
        "responsibility": "Keeps the range of temperature",
    },
    Scope: {
        "name": "beijing",
        "edition": "2021-1",
        "valid_from": DAY,
        "authority": "Leading group",
        "products": ["01/09521234001072", "nmpa/8123456"],
    },
    registers.Dossier: {"section": "facilities", "title": "Equipment", "digest": DIGEST, "on": DAY},
    Stop: {
        "target_kind": "merchant",
        "target": "merchant-7",
        "ground": 3,
        "authority": "Leading group",
        "reference": "2026-8",
        "reason": "Beyond the scope",
        "on": DAY,
    },
    registers.Resumption: {
        "target_kind": "product",
        "target": "nmpa/8123456",
        "authority": "Leading group",
        "reference": "2026-9",
        "reason": "Corrected",
        "on": DAY,
    },
    CaseStep: {
        "id": "C-2026-1",
        "type": "complaint",
        "phase": "opened",
        "on": DAY,
        "by": "Service desk",
        "text": "The seal was broken",
        "about": ["01/09521234001072/21/BJ0001"],
        "amount": "12.50",
    },
    RecallStep: {
        "id": "R-2026-1",
        "phase": "opened",
        "on": DAY,
        "by": "Quality",
        "reason": "Particles were found",
        "recall_class": "2",
        "criterion": {"lot": {"product": "01/09521234001072", "lot": "A102"}},
        "affected": 1200,
    },
    HoldStep: {
        "id": "H-2026-1",
        "phase": "placed",
        "on": DAY,
        "by": "Legal department",
        "authority": "Leading group",
        "reason": "An investigation of the merchant",
        "until": "2029-12-31",
        "about": ["merchant-7"],
    },
    Profile: {
        "name": "mine",
        "edition": "1",
        "order_limit": 5000,
        "year_limit": 26000,
        "return_apply_days": 30,
        "return_arrive_days": 45,
        "export_return_days": 365,
        "undo_days": 10,
        "near_expiry_days": 90,
        "late_recording_hours": 24,
        "movement_minutes": 60,
        "delivery_days": 7,
        "stocktake_days": 31,
        "warehouse_area": 500,
        "warehouse_managers": 2,
        "reverify_days": 365,
        "places_registered": True,
        "products_registered": True,
    },
}


def example(cls: type[Register]) -> Any:
    return cls.from_mapping(EXAMPLES[cls], "x.toml")


# ---- any value of any class, from its forms --------------------------------------------------------

days = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31))
party_ids = st.sampled_from(["merchant-7", "a", "417/9521234000037", "urn:example:被", "https://a.example/x"])
product_ids = strategies.gtins().map("01/{}".format) | st.integers(0, 9_999_999).map("nmpa/{:07}".format)


def lines(most: int) -> st.SearchStrategy[str]:
    plain = strategies.texts(40).map(lambda text: re.sub(r"[\t\n\r]", "", text).strip())
    return plain.filter(lambda text: 0 < len(text.encode()) <= most)


def numbers(form: forms.Number) -> st.SearchStrategy[Decimal]:
    # Eighteen digits of a mantissa less those before the point.
    return st.decimals(form.least, form.most, allow_nan=False, allow_infinity=False, places=4)


def of_form(form: forms.Form) -> st.SearchStrategy[Any]:
    match form:
        case forms.Words():
            return lines(form.most)
        case forms.Pattern():
            return st.from_regex(form.pattern, fullmatch=True)
        case forms.Choice():
            return st.sampled_from(form.words)
        case forms.ProductCode():
            return product_ids
        case forms.Reference():
            return strategies.ids() | party_ids | st.just("01/00000000000001/21/x")
        case forms.Which():
            return criteria
        case forms.Flag():
            return st.booleans()
        case forms.Count():
            return st.integers(form.least, form.most)
        case forms.Number():
            return numbers(form)
        case forms.Between():
            return st.tuples(numbers(form.number), numbers(form.number)).map(lambda ends: tuple(sorted(ends)))
        case forms.Date():
            return days
        case forms.Fingerprint():
            return st.binary(min_size=32, max_size=32)
        case forms.Items():
            return st.lists(of_form(form.item), min_size=form.least, max_size=3).map(tuple)
        case Nested():
            return of_class(form.part)
        case _:
            return party_ids


@st.composite
def recalled(draw: st.DrawFn, phase: str) -> dict[str, Any]:
    """What a step of a recall states together."""
    left = [draw(st.integers(0, 100)) for _ in range(4)]
    counts = dict(zip(("locked", "returned", "destroyed", "outstanding"), left, strict=True))
    values: dict[str, Any] = {"recall_class": None, "criterion": None, "open_reason": None, "locked": None}
    if phase == "opened":
        return values | {"recall_class": draw(st.sampled_from("123")), "criterion": draw(criteria), "affected": left[0]}
    if phase == "notified":
        return values | {"parties": (draw(party_ids),)}
    return values | counts | {"affected": sum(left), "open_reason": draw(lines(99)) if left[-1] else None}


@st.composite
def held(draw: st.DrawFn, phase: str) -> dict[str, Any]:
    """What a step of a hold states together."""
    if phase == "placed":
        return {"authority": draw(lines(99)), "case": draw(of_form(_form(HoldStep, "case")))}
    until = draw(days) if phase == "extended" else None
    return {"criterion": None, "about": (), "case": None, "until": until}


def _form(cls: type[Fields], name: str) -> forms.Form:
    return next(slot.form for slot in _slots(cls) if slot.name == name)


@st.composite
def of_class(draw: st.DrawFn, cls: type[Fields]) -> Any:
    values: dict[str, Any] = {
        slot.name: draw(st.none() | of_form(slot.form) if slot.nullable else of_form(slot.form)) for slot in _slots(cls)
    }
    for first, last in (("verified_on", "verify_by"), ("admitted_on", "verify_by"), ("assessed_on", "valid_until")):
        if first in values:
            values[first], values[last] = sorted([values[first], values[last]])
    if values.get("target_kind") == "product":
        values["target"] = draw(product_ids)
    if cls is RecallStep:
        values |= draw(recalled(values["phase"]))
    if cls is HoldStep:
        values |= draw(held(values["phase"]))
    return cls(**values)


def registered() -> st.SearchStrategy[Any]:
    return st.one_of([of_class(cls) for cls in CLASSES])
