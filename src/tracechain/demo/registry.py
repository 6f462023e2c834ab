"""What the registers know on the demo's day: products, parties, places, the scope list, measures and cases.

All invented, as values of `tracechain.registers`. Digests are those of texts that nobody wrote, so that they are the
same in every run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import groupby

from attrs import evolve, frozen

from tracechain.demo.day import Day
from tracechain.demo.earlier import ARCHIVE
from tracechain.demo.world import (
    AIR_CARGO,
    AIRPORT,
    AUTHORITY,
    CALM_TABLETS,
    CARRIER,
    CITY,
    DAY,
    DENTURE_GEL,
    ENTERPRISE,
    GLUCOSE_MONITOR,
    HOUR,
    IMPORTER,
    MAKERS,
    MINUTE,
    NIGHT_RIDERS,
    OTHER_MAKERS,
    PLATFORM,
    PRODUCTS,
    SHED,
    SLEEP_GUMMIES,
    SLIMMING_PADS,
    SPECIAL,
    STORE,
    TEAHOUSE,
    TODAY,
    WAREHOUSE,
    Maker,
)
from tracechain.demo.world import Product as Article
from tracechain.pilot import load_profile
from tracechain.registers import (
    SECTIONS,
    Carrier,
    CaseStep,
    Document,
    Dossier,
    Enterprise,
    Merchant,
    Place,
    Product,
    Register,
    Scope,
    Shield,
    Stop,
    Suspension,
)

__all__ = ["RegisterFile", "Registry", "later_cases", "make_registry"]

#: When the registers are opened, and when the evening's measures are recorded.
OPENED = ARCHIVE - 30 * MINUTE
MEASURED = DAY + 23 * HOUR + 10 * MINUTE
SCOPE = "beijing-pilot"
ZONE = "Tianzhu Comprehensive Bonded Zone"
HERBS = PRODUCTS[2]

#: Of each article: Chinese name, model, indications, contraindications, category; what its screening found.
FILES: dict[str, tuple[str, str, str, str, str, str]] = {
    PRODUCTS[0].name: ("人工泪液", "AT-30", "dry eyes", "hypersensitivity to carbomer", "drug", "none"),
    PRODUCTS[1].name: ("布洛芬贴", "IP-10", "muscle pain", "broken skin; aspirin asthma", "drug", "none"),
    PRODUCTS[2].name: ("七味胃肠片", "SH-100", "indigestion", "pregnancy", "drug", "none"),
    PRODUCTS[3].name: ("退热贴", "FP-16", "fever, for cooling only", "broken skin", "device", "none"),
    PRODUCTS[4].name: ("生理盐水鼻喷", "NS-30", "dry nose", "none known", "device", "none"),
    PRODUCTS[5].name: ("隐形眼镜护理液", "CL-360", "care of soft lenses", "use in the eye", "device", "none"),
    PRODUCTS[6].name: ("血糖试纸", "GT-50", "blood glucose, self-test", "newborns", "device", "none"),
    PRODUCTS[7].name: ("益生菌滴剂", "PD-8", "infant colic", "immune deficiency", "drug", "none"),
    GLUCOSE_MONITOR.name: ("动态血糖仪", "GM-1", "blood glucose, continuous", "dialysis", "device", "none"),
    SLEEP_GUMMIES.name: ("褪黑素软糖", "MG-60", "jet lag", "autoimmune disease", "drug", "none"),
    SLIMMING_PADS.name: ("草本瘦身贴", "ST-28", "none proven", "pregnancy; heart disease", "device", "none"),
    CALM_TABLETS.name: ("安宁片", "CT-20", "anxiety", "under 18 years", "drug", "psychotropic"),
    DENTURE_GEL.name: ("义齿凝胶", "DG-40", "hold of dentures", "hypersensitivity to zinc", "device", "none"),
}
#: What is in scope: everything that is registered, but for the gummies and for what the screening barred.
OUT_OF_SCOPE = (SLEEP_GUMMIES.name, CALM_TABLETS.name)
ARTICLES = (*PRODUCTS, GLUCOSE_MONITOR, SLEEP_GUMMIES, SLIMMING_PADS, CALM_TABLETS, DENTURE_GEL)
COUNTRIES = {"Hamburg": "DE", "Osaka": "JP", "Brisbane": "AU", "Montreal": "CA", "Basel": "CH", "Lyon": "FR"}


@frozen
class Registry:
    """The records of the day, in order: `opening` stands before anything is ingested (its first is the profile),
    `measures` are of the day's evening, before the violations come in, `cases` follow them."""

    opening: tuple[Register, ...]
    measures: tuple[Register, ...]
    cases: tuple[CaseStep, ...]

    @property
    def files(self) -> tuple[RegisterFile, ...]:
        """All of it as JSON files, in order: one for each run of records of a kind."""
        made: list[RegisterFile] = []
        for part, received in (("opening", OPENED), ("measures", MEASURED), ("cases", MEASURED)):
            for kind, run in groupby(getattr(self, part), key=lambda one: type(one).KIND):
                values = [one.mapping() for one in run]
                text = json.dumps({kind: values}, ensure_ascii=False, indent=1) + "\n"
                name = f"{len(made) + 1:02}-{kind}.json"
                made.append(RegisterFile(name, part, kind, text.encode(), len(values), received))
        return tuple(made)


@frozen
class RegisterFile:
    """Records of one kind, as `tracechain register` takes them. `part` is that of the registry ("opening", ...),
    `received` as for scan files."""

    name: str
    part: str
    kind: str
    data: bytes
    records: int
    received: int


def make_registry(day: Day) -> Registry:
    """The registers of the day; the cases are about packs of it."""
    profile = evolve(load_profile("beijing"), enterprise=ENTERPRISE)
    opening = (
        profile,
        *_parties(),
        *_places(),
        _scope("2025-06", date(2025, 6, 1), [*ARTICLES[:8], SLIMMING_PADS, DENTURE_GEL, GLUCOSE_MONITOR]),
        _scope("2026-11", date(2026, 11, 1), [one for one in ARTICLES if one.name not in OUT_OF_SCOPE]),
        *map(_product, ARTICLES),
    )
    return Registry(opening, _measures(), tuple(_cases(day)))


def _digest(text: str) -> bytes:
    return sha256(f"invented document: {text}".encode()).digest()


def _merchant(maker: Maker) -> Merchant:
    # One licence ran out last month, and nobody has sent a new one yet.
    until = date(2026, 10, 31) if maker is MAKERS[3] else date(2028, 6, 30)
    licence = Document(
        name=f"licence of {maker.name}", digest=_digest(f"licence {maker.name}"), valid_until=until
    )  # fmt: skip
    return Merchant(
        id=maker.merchant,
        name=maker.name,
        country=COUNTRIES[maker.city],
        agreement=_digest(f"agreement with {maker.name}"),
        agreed_on=date(2026, 1, 8),
        conditions=(
            "sells in its own country, under a licence of its authority",
            "sells under its own name, to individual consumers",
            "answers complaints in Chinese within two days",
        ),
        documents=(licence,),
        admitted_on=date(2026, 1, 20),
        verify_by=date(2027, 1, 20),
    )


def _parties() -> Iterable[Register]:
    yield Enterprise(
        id=ENTERPRISE,
        name="Paper Crane Health Platform",
        registered_in="Shunyi District, Beijing",
        qualifications=(
            Document(
                name="internet drug information service", digest=_digest("service"), valid_until=date(2029, 5, 31)
            ),
        ),
        platform="CBEC-2021-0952",
        device_trading="DEV-2021-0952",
        verify_by=date(2027, 3, 1),
    )
    yield from map(_merchant, (*MAKERS, *OTHER_MAKERS))
    yield Carrier(
        id=CARRIER,
        name="Grey Heron Couriers",
        assessed_on=date(2026, 1, 12),
        assessed_by="quality department of the platform",
        result="passed",
        valid_until=date(2027, 1, 11),
        responsibility="carries at the stated temperature, and answers for loss and damage until it is signed for",
        agreement=_digest("carriage"),
    )
    yield Carrier(
        id=NIGHT_RIDERS,
        name="Night Riders",
        assessed_on=date(2026, 7, 2),
        assessed_by="quality department of the platform",
        result="failed",
        valid_until=date(2027, 7, 1),
        responsibility="none was agreed",
    )
    yield Carrier(
        id=AIR_CARGO,
        name="Storm Petrel Air Cargo",
        assessed_on=date(2026, 3, 3),
        assessed_by="quality department of the platform",
        result="passed",
        valid_until=date(2027, 3, 2),
        responsibility="carries at 15 to 25 degrees from airport to airport",
        agreement=_digest("air cargo"),
    )


def _places() -> Iterable[Place]:
    for maker in (*MAKERS, *OTHER_MAKERS):
        yield Place(id=maker.plant, name=f"{maker.name}, {maker.city}", type="plant")
    yield Place(
        id=WAREHOUSE, name="bonded warehouse", type="zone-warehouse", zone=ZONE, confirmed_on=date(2021, 3, 15),
        area=2600, managers=4,
    )  # fmt: skip
    yield Place(id=SHED, name="shed outside the zone", type="warehouse", area=180, managers=1)
    yield Place(id=PLATFORM, name="office of the platform", type="office")
    yield Place(id=CITY, name="delivery area of Beijing", type="delivery-area")
    yield Place(
        id=STORE, name="Chaoyang store", type="store", licence="BJ-CY-0952", licensed_until=date(2028, 12, 31)
    )  # fmt: skip
    yield Place(id=SPECIAL, name="shop in the airport's special control area", type="store", zone=ZONE)
    yield Place(id=TEAHOUSE, name="teahouse at the lake", type="store")
    yield Place(id=AIRPORT, name="air cargo terminal, Hamburg", type="port")
    yield Place(id=IMPORTER, name="wholesaler's warehouse, Hong Kong", type="warehouse")


def _scope(edition: str, valid_from: date, articles: Iterable[Article]) -> Scope:
    products = tuple(sorted(f"01/{one.gtin}" for one in articles))
    return Scope(name=SCOPE, edition=edition, valid_from=valid_from, authority=AUTHORITY, products=products)


def _product(article: Article) -> Product:
    name_zh, model, indications, contraindications, category, screening = FILES[article.name]
    name, _, specification = article.name.partition(", ")
    maker = article.maker
    # One file was due to be verified again three weeks ago.
    verified = date(2025, 10, 30) if article is PRODUCTS[3] else date(2026, 2, 10)
    return Product(
        id=f"01/{article.gtin}",
        name=name,
        name_zh=name_zh,
        model=model,
        specification=specification,
        indications=indications,
        contraindications=contraindications,
        registration_number=f"{COUNTRIES[maker.city]}-{maker.company}-{article.item}",
        registered_in=COUNTRIES[maker.city],
        maker=maker.name,
        maker_id=maker.merchant,
        merchant=maker.merchant,
        category=category,
        screening=screening,
        scope=SCOPE,
        verified_on=verified,
        verify_by=verified.replace(year=verified.year + 1),
        temperature=(Decimal(2), Decimal(8)) if article.cold else (Decimal(5), Decimal(30)),
        humidity=(Decimal(20), Decimal(75)),
        near_expiry_days=120 if article.cold else None,
        introduction=_digest(f"introduction of {article.name}"),
        quality=_digest(f"quality requirements of {article.name}"),
        published_on=date(2026, 2, 12),
    )


def _measures() -> tuple[Register, ...]:
    """The evening's measures, and what the platform had to file for them."""
    herbs = _product(HERBS)
    dossier = (
        Dossier(section=section, title=f"application: {section}", digest=_digest(section), on=date(2020, 12, 28))
        for section in SECTIONS
    )
    return (
        *dossier,
        Suspension(
            merchant=OTHER_MAKERS[0].merchant,
            ground="false-information",
            reason="says that its pads melt fat overnight",
            on=TODAY,
            reported_to=AUTHORITY,
        ),
        Stop(
            target_kind="product",
            target=f"01/{DENTURE_GEL.gtin}",
            ground=7,
            authority=AUTHORITY,
            reference="BMPA-2026-1120-04",
            reason="zinc over the limit",
            on=TODAY,
        ),
        # The introduction promised a cure: it is published anew, and the former version is hidden.
        evolve(herbs, introduction=_digest("corrected introduction"), published_on=TODAY),
        Shield(
            product=herbs.id,
            version=0,
            authority=AUTHORITY,
            reference="BMPA-2026-1120-02",
            reason="the introduction promises a cure",
            on=TODAY,
        ),
    )


def _steps(
    case: str, kind: str, by: str, about: tuple[str, ...], first: date, told: Iterable[tuple[str, int, str]]
) -> Iterable[CaseStep]:
    """Steps of a case: (phase, days after the first day, what was done)."""
    for phase, days, text in told:
        on = first + timedelta(days=days)
        yield CaseStep(id=case, type=kind, phase=phase, on=on, by=by, text=text, about=about)


def _cases(day: Day) -> Iterable[CaseStep]:
    quality, service = "quality department", "customer service"
    opened, investigated, handled, reported, closed = "opened", "investigated", "handled", "reported", "closed"
    yield from _steps(
        "C-2026-017", "complaint", service, (day.story.traced,), date(2026, 11, 20),
        ((opened, 0, "the buyer says that the box was wet"),
         (investigated, 0, "the seal is whole; inspected on return"),
         (handled, 0, "taken back, and the price repaid"), (closed, 0, "the buyer is content")),
    )  # fmt: skip
    yield from _steps(
        "A-2026-003", "accident", quality, (f"01/{PRODUCTS[7].gtin}",), date(2026, 11, 20),
        ((opened, 0, "a shelf of chilled drops reached 11.2 degrees: its door stood open"),
         (investigated, 0, "for half an hour, one case"), (reported, 0, "reported to the administration")),
    )  # fmt: skip
    for step in _steps(
        "I-2026-002", "inspection", AUTHORITY, (WAREHOUSE,), date(2026, 11, 18),
        ((opened, 0, "regular inspection of the warehouse; access was given to everything"),
         (reported, 1, "finding: the shed outside the zone holds empty cartons of bonded goods")),
    ):  # fmt: skip
        due = date(2026, 12, 5) if step.phase == reported else None
        yield evolve(step, due=due, authority=AUTHORITY)
    for step in _steps(
        "P-2026-001", "compensation", service, (f"01/{HERBS.gtin}",), date(2026, 11, 20),
        ((opened, 0, "a buyer of the tablets asks for his money; the merchant does not answer"),
         (handled, 0, "paid in advance by the platform, which turns to the merchant")),
    ):  # fmt: skip
        yield evolve(step, amount=Decimal("158.00")) if step.phase == handled else step


def later_cases() -> bytes:
    """The file of eight years later that closes the cases which nobody had closed, but for one."""
    told = (
        ("A-2026-003", "accident", "quality department", (f"01/{PRODUCTS[7].gtin}",), "the administration is content"),
        ("I-2026-002", "inspection", AUTHORITY, (WAREHOUSE,), "the shed was pulled down"),
    )
    steps = [
        CaseStep(id=case, type=kind, phase="closed", on=date(2034, 11, 21), by=by, text=text, about=about)
        for case, kind, by, about, text in told
    ]
    return json.dumps({"case": [step.mapping() for step in steps]}, ensure_ascii=False, indent=1).encode()
