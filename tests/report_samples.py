"""Histories and fan-outs to make pages of: as tracing and recall give them, and as hostile as texts can be.

The values are made here one by one, so that a page can be looked at that no ledger would easily bring about: a step
that does not verify beside a container in a container, a hundred thousand units with as many buyers.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

from tracechain.criteria import Lot
from tracechain.custody import Custody, Flag, Violation
from tracechain.encoding import encode
from tracechain.event import (
    AggregationEvent,
    BizTransaction,
    ErrorDeclaration,
    Event,
    Extension,
    ObjectEvent,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDest,
    TransactionEvent,
    TransformationEvent,
    parse_time,
)
from tracechain.identifiers import check_digit
from tracechain.recall.values import Affected, FanOut, Progress
from tracechain.tracing import Holder, Kin, Stay, Step, Trace, Unresolved, Whereabouts
from tracechain.verification import Code, Finding
from tracechain.view import Unit

MADE_AT = 1_795_150_000_000
MDA = "urn:epcglobal:cbv:mda:"
#: Texts that would steer a page if they were not taken as texts.
HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'\"><svg onload=document.title='owned'>",
    "\u202egnp.exe\u202c \u2066hidden\u2069",
    "line\u2028separator\u2029and\x1b[31m red\x07\x00",
    "{{ 7 * 7 }}{% for x in y %} ${7*7} {0} %s %(n)s",
    "\ud800 lone, zero\u200bwidth, \ufeff mark, e" + "\u0301" * 40,
    "<!-- <![CDATA[ ]]> --> &lt;b&gt; &amp;amp;",
    "__proto__",
    "constructor",
)


def gtin(item: int) -> str:
    body = f"09521101{item:05}"
    return body + check_digit(body)


def gln(place: int) -> str:
    body = f"9521150{place:05}"
    return f"414/{body}{check_digit(body)}"


def sscc(serial: int) -> str:
    body = f"09521150{serial:09}"
    return f"00/{body}{check_digit(body)}"


PRODUCT = f"01/{gtin(7)}"
UNIT = f"{PRODUCT}/21/NL20260007"
OLD = f"{PRODUCT}/21/OLD-0007"
NEW = f"{PRODUCT}/21/NEW-0007"
CASE, PALLET, SHIPMENT = sscc(11), sscc(12), sscc(13)
PLANT, PORT, WAREHOUSE, STORE = gln(1), gln(2), gln(3), gln(4)
CARRIER, SHOP = "417/9521150000506", "417/9521150000605"
BUYER = bytes.fromhex("3fa2c81e77d04b1f9a550c1d2e3f4a5b")
AUTHOR = bytes.fromhex("5c01a7be90d2e4f6")

NAMES = {
    PRODUCT: "Nordlicht Ibuprofen 400 mg 20 片装",
    PLANT: "Nordlicht Arzneimittel, Hamburg",
    PORT: "Tianjin port 天津港",
    WAREHOUSE: "Bonded warehouse 保税仓库 (Tianzhu)",
    STORE: "Chaoyang store 朝阳门店",
    CARRIER: "Grey Heron Couriers",
    SHOP: "Nordlicht 旗舰店",
    AUTHOR.hex(): "Scanner 4, bonded warehouse",
}


class History:
    """Steps one after the other, each an event that is encoded."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(
        self, time: str, event: type[Event], subject: str = UNIT, state: int = 1, *, place: str | None = None,
        relation: str = "own", via: tuple[str, ...] = (), violations: tuple[int, ...] = (), voided: int | None = None,
        findings: tuple[Finding, ...] = (), kept: bool = True, author: bytes = AUTHOR, act: int = 0, **fields: object,
    ) -> int:  # fmt: skip
        nanos, index = parse_time(time), 100 + 7 * len(self.steps)
        if place is not None:
            fields["read_point"] = place
        fields.setdefault("epcs", (subject,))
        made = event(event_time=nanos, time_zone_offset=480, **fields)  # type: ignore[arg-type]  # as each event has them
        self.steps.append(
            Step(
                index=index, time=nanos, offset=480, received=nanos // 1_000_000 + 2500, subject=subject,
                relation=relation, via=via, place=place, author=author, act=act, state=state, violations=violations,
                content=encode(made) if kept else None, voided=voided, declares=made.error_declaration is not None,
                findings=findings,
            )
        )  # fmt: skip
        return index

    def moment(self, index: int) -> tuple[int, int]:
        return next((one.time, one.index) for one in self.steps if one.index == index)


def lot_and_expiry(lot: str) -> tuple[Extension, ...]:
    return Extension(MDA, "lotNumber", lot), Extension(MDA, "itemExpirationDate", "2028-10-31")


def history(*, sound: bool = False) -> tuple[Trace, Whereabouts]:
    """A pack from its maker to its buyer, in a case on a pallet in a shipment; with a void, a violation, a bad link."""
    log = History()
    add = log.add
    expiry = 10531 << 9
    add("2026-10-01T09:12:00+02:00", ObjectEvent, state=1 | expiry, place=PLANT, action="ADD",
        biz_step="commissioning", disposition="active", ilmd=lot_and_expiry("NL-2610"), act=4)  # fmt: skip
    begin = add("2026-10-01T10:00:00+02:00", AggregationEvent, state=1 | expiry, place=PLANT, action="ADD", parent=CASE,
                biz_step="packing", disposition="in_progress")  # fmt: skip
    add("2026-10-02T16:30:00+02:00", ObjectEvent, SHIPMENT, 1, place=PLANT, relation="container",
        via=(CASE, PALLET, SHIPMENT), action="OBSERVE", biz_step="shipping", disposition="in_transit")  # fmt: skip
    add("2026-10-29T03:10:00+08:00", ObjectEvent, SHIPMENT, 1, place=PORT, relation="container",
        via=(CASE, PALLET, SHIPMENT), action="OBSERVE", biz_step="arriving", disposition="in_progress")  # fmt: skip
    element = SensorElement(metadata=SensorMetadata(time=parse_time("2026-10-29T05:00:00+08:00")), reports=(
        SensorReport(type="Temperature", value=Decimal("11.4"), uom="CEL"),
        SensorReport(type="RelativeHumidity", value=Decimal(55), uom="P1")))  # fmt: skip
    add("2026-10-29T05:00:00+08:00", ObjectEvent, PALLET, 1, place=PORT, relation="container", via=(CASE, PALLET),
        action="OBSERVE", biz_step="sensor_reporting", sensors=(element,))  # fmt: skip
    add("2026-10-30T08:00:00+08:00", ObjectEvent, CASE, 1, place=WAREHOUSE, relation="container", via=(CASE,),
        action="OBSERVE", biz_step="storing", disposition="sellable_not_accessible")  # fmt: skip
    end = add("2026-10-30T08:40:00+08:00", AggregationEvent, state=4 | expiry, place=WAREHOUSE, action="DELETE",
              parent=CASE, biz_step="unpacking", disposition="in_progress")  # fmt: skip
    add("2026-11-20T09:01:00+08:00", TransactionEvent, state=5 | expiry, action="ADD", biz_step="reserving",
        disposition="reserved", biz_transactions=(BizTransaction("po", "urn:example:order:4711"),),
        person=BUYER, extensions=(Extension("urn:tracechain:pilot:", "amount", Decimal("128.50")),),
        sources=(SourceDest("owning_party", SHOP),), act=8)  # fmt: skip
    add("2026-11-20T09:05:00+08:00", ObjectEvent, state=5 | expiry, place=STORE, action="OBSERVE",
        biz_step="retail_selling", disposition="retail_sold", voided=100 + 7 * 9,
        violations=() if sound else (int(Violation.SOLD_BEFORE_CLEARANCE),))  # fmt: skip
    add("2026-11-20T09:05:00+08:00", ObjectEvent, state=5 | expiry, place=STORE, action="OBSERVE",
        biz_step="retail_selling", disposition="retail_sold",
        error_declaration=ErrorDeclaration(
                declaration_time=parse_time("2026-11-20T09:30:00+08:00"), reason="did_not_occur"))  # fmt: skip
    add("2026-11-20T10:15:00+08:00", ObjectEvent, state=6 | expiry, place=WAREHOUSE, action="OBSERVE",
        biz_step="urn:tracechain:customs_clearing", disposition="in_progress", biz_transactions=(
            BizTransaction("bol", "urn:uuid:21112222-3333-4444-5555-666677778888"),), author=bytes(8))  # fmt: skip
    add("2026-11-20T10:20:00+08:00", ObjectEvent, state=8 | expiry, place=WAREHOUSE, action="OBSERVE",
        biz_step="retail_selling", disposition="retail_sold", kept=False, act=10)  # fmt: skip
    finding = Finding(Code.ROW_LINK, 100 + 7 * 12, "the row's previous leaf is not that of entry 177", UNIT)
    last = add("2026-11-20T13:00:00+08:00", ObjectEvent, state=7 | expiry | int(Flag.RECALLED), place=STORE,
               action="OBSERVE", biz_step="shipping", disposition="in_transit",
               sources=(SourceDest("possessing_party", CARRIER),), findings=() if sound else (finding,))  # fmt: skip
    steps = tuple(log.steps)
    stays = (Stay(CASE, log.moment(begin), log.moment(end)),)
    notes = ("no verifier key was given: signatures were checked against the key that the log names itself",)
    unit = Unit(last, 7 | expiry | int(Flag.RECALLED))
    trace = Trace(
        UNIT, unit, steps, () if sound else (Kin(OLD, "made_of", 100),), stays,
        () if sound else (Unresolved("class", SHIPMENT, 114, "24 x 01/09521101000073 were packed without codes"),),
        () if sound else (finding,), notes,
    )  # fmt: skip
    where = Whereabouts(UNIT, unit, STORE, steps[-1].time, last, UNIT, (), Holder("place", STORE))
    return trace, where


def hostile_history() -> tuple[Trace, Whereabouts]:
    """Every text that a ledger can hold somewhere in a history, each hostile."""
    log = History()
    nasty = [text for text in HOSTILE if text.isprintable()]
    for at, text in enumerate(nasty):
        log.add(f"2026-11-2{at % 10}T10:00:00+08:00", ObjectEvent, place=f"urn:x:{at}", action="ADD",
                biz_step=f"urn:step:{at}", ilmd=lot_and_expiry(text))  # fmt: skip
    log.add("2026-11-30T10:00:00+08:00", TransformationEvent, OLD, relation="before", output_epcs=(UNIT,),
            biz_step="repackaging")  # fmt: skip
    # What a damaged ledger, or another program, gives need not be canonical.
    names = dict(zip([f"urn:x:{at}" for at in range(20)], HOSTILE, strict=False))
    steps = tuple(log.steps)
    odd = tuple(
        Step(9000 + at, 0, 0, 0, text, "container", (text, text), text, AUTHOR, 255, 0xFFFFFF, (255,), None, None,
             findings=(Finding(Code.TREE_ROOT, None, text, text),))
        for at, text in enumerate(HOSTILE)
    )  # fmt: skip
    trace = Trace(
        HOSTILE[0], Unit(1, 15), odd + steps, tuple(Kin(text, text, 1) for text in HOSTILE),
        tuple(Stay(text, (0, 9000 + at)) for at, text in enumerate(HOSTILE)),
        tuple(Unresolved(text, text, 1, text) for text in HOSTILE),
        tuple(Finding(Code.FORK, 1, text, text) for text in HOSTILE), HOSTILE,
    )  # fmt: skip
    assert names
    where = Whereabouts(
        HOSTILE[0], Unit(1, 15), HOSTILE[1], 0, 0, HOSTILE[2], HOSTILE, Holder("place", HOSTILE[3]), HOSTILE
    )
    return trace, where


# ---- recalls -----------------------------------------------------------------------------------


def token(number: int) -> str:
    return f"person/{hashlib.sha256(str(number).encode()).hexdigest()[:32]}"


def fan_out(count: int, *, products: int = 1, unresolved: int = 0) -> FanOut:
    """`count` units of lots of so many products, a part of them in stock, on the way, in stores, sold, and so on."""
    places = [gln(at) for at in range(100, 100 + (3 if count < 1000 else 60))]
    size = max(12, count // 400)
    units = []
    for at in range(count):
        share = (at * 7919) % 1000 / 1000
        product = f"01/{gtin(7 + at % products)}"
        lot = f"NL-26{10 + at % (3 if count >= 300 else 1)}"
        place: str | None = places[(at // size) % len(places)]
        holder, container = place, None
        state = int(Custody.BONDED)
        time: int | None = parse_time("2026-11-20T08:00:00+08:00") + at * 1_000_000_000
        if share < 0.42:
            container = sscc(5000 + at // size)
        elif share < 0.50:
            state, holder, container = int(Custody.TRANSIT), CARRIER, sscc(90000 + at // (size * 3))
        elif share < 0.63:
            state, place = int(Custody.STORE), STORE
            holder = place
        elif share < 0.9:
            state, holder = int(Custody.SOLD if share < 0.8 else Custody.DELIVERED), token(at // 2)
        elif share < 0.93:
            state, holder = int(Custody.EXPORTED), None
        elif share < 0.96:
            state, holder = int(Custody.DEAD), None
        elif share < 0.965:
            state, place, holder, time = int(Custody.NONE), None, None, None
        if share < 0.2:
            state |= int(Flag.RECALLED)
        units.append(
            Affected(
                f"{product}/21/{chr(65 + at % 26)}{at:08}", state, 1000 + at * 3, place, holder, container, time, lot
            )
        )
    units.sort()
    open_ends = tuple(
        Unresolved(
            ("left", "class", "pruned", "contradiction")[at % 4], sscc(70000 + at), 500 + at, "seen last at the port"
        )
        for at in range(unresolved)
    )
    makers = {f"01/{gtin(7 + at)}": "Nordlicht Arzneimittel" if at < 2 else f"Maker {at}" for at in range(products)}
    return FanOut(
        frozenset({hashlib.sha256(b"one ledger").digest()}), 1000 + count * 3, Lot(PRODUCT, "NL-2610"), tuple(units),
        open_ends, makers,
    )  # fmt: skip


def progress(fan: FanOut) -> Progress:
    groups = fan.groups
    locked, destroyed, returned = groups["stock"], groups["destroyed"], groups["store"] // 2
    outstanding = fan.affected - locked - destroyed - returned
    return Progress(
        "R-2026-01", True, fan.affected, fan.affected - outstanding // 3, locked, returned, destroyed, outstanding
    )
