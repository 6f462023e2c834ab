"""What the pilot's rules cost: the same ingest with and without them, and a question before a sale.

Both ledgers get the same events in the same commits; one has a profile in force and the registers that a sale needs.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from ledgers import Ours, build, copy, open_ledger
from measure import Series, interleave, ratio
from report import Section, Target, line, single
from scale import Scale, said
from tracechain import pilot
from tracechain.event import BizTransaction, Event, Extension, ObjectEvent, TransactionEvent
from tracechain.event.sale import AMOUNT, AMOUNT_NAMESPACE, CUSTOMS_CLEARING, PAYMENT_DOCUMENT
from tracechain.ledger import Ledger
from tracechain.registers import Merchant, Place, Product, Register, Scope
from workloads import Scans, unit_id

__all__ = ["rules"]

_PRODUCT, _MERCHANT, _WAREHOUSE = unit_id(0)[:17], "417/9521234000037", "414/9521234000013"
_DOOR = f"{_WAREHOUSE}/254/17"
_BEGIN = 1_700_000_000_000_000_000
_DAY = date(2023, 1, 2)
_LATER = date(2033, 1, 2)
_DIGEST = bytes(32)
_BATCH = 10_000


def registers() -> list[Register]:
    """A profile, and just what one product's lawful sale needs."""
    return [
        pilot.load_profile("beijing"),
        Scope(name="list", edition="1", valid_from=_DAY, authority="customs", products=(_PRODUCT,)),
        Merchant(
            id=_MERCHANT, name="Shop", country="JP", agreement=_DIGEST, agreed_on=_DAY, conditions=("licensed",),
            documents=(), admitted_on=_DAY, verify_by=_LATER,
        ),
        Place(
            id=_WAREHOUSE, name="Warehouse", type="zone-warehouse", zone="Tianzhu", confirmed_on=_DAY, area=900,
            managers=4,
        ),
        Product(
            id=_PRODUCT, name="Drops", name_zh="滴眼液", model="1", specification="10 ml", indications="-",
            contraindications="-", registration_number="1", registered_in="JP", maker="Maker", merchant=_MERCHANT,
            category="drug", screening="none", scope="list", verified_on=_DAY, verify_by=_LATER, published_on=_DAY,
        ),
    ]  # fmt: skip


def _scan(number: int, step: str, disposition: str, second: int, documents: tuple[BizTransaction, ...] = ()) -> Event:
    return ObjectEvent(
        event_time=_BEGIN + second * 1_000_000_000, time_zone_offset=480, epcs=(unit_id(number),), action="OBSERVE",
        biz_step=step, disposition=disposition, read_point=_DOOR, biz_location=_WAREHOUSE, biz_transactions=documents,
        person=number.to_bytes(16, "big") if step == "dispensing" else None,
    )  # fmt: skip


def _deal(number: int, second: int, *more: BizTransaction) -> Event:
    return TransactionEvent(
        event_time=_BEGIN + second * 1_000_000_000, time_zone_offset=480, epcs=(unit_id(number),), action="ADD",
        biz_step="reserving", disposition="reserved", biz_transactions=(_order(number), *more),
        person=number.to_bytes(16, "big"), extensions=(Extension(AMOUNT_NAMESPACE, AMOUNT, Decimal(128)),),
    )  # fmt: skip


def _order(number: int) -> BizTransaction:
    return BizTransaction("po", f"urn:example:order:{number}")


def sale(numbers: Sequence[int]) -> Iterator[tuple[str, list[Event]]]:
    """The life of these units from the bonded warehouse to the buyer, a list of single-unit events a step."""
    yield "bond_in", [_scan(n, "storing", "sellable_not_accessible", 1) for n in numbers]
    yield "order", [_deal(n, 2) for n in numbers]
    yield "payment", [_deal(n, 3, BizTransaction(PAYMENT_DOCUMENT, f"urn:example:pay:{n}")) for n in numbers]
    documents = {n: (_order(n), BizTransaction("bol", f"urn:example:bol:{n}")) for n in numbers}
    yield "clear", [_scan(n, CUSTOMS_CLEARING, "in_progress", 4, documents[n]) for n in numbers]
    yield "sell", [_scan(n, "retail_selling", "retail_sold", 5) for n in numbers]
    yield "deliver", [_scan(n, "dispensing", "dispensed", 6) for n in numbers]


def rules(folder: Path, scale: Scale) -> Section:
    """Scans in random order and whole sales, with the pilot's rules and without; and `check` before a sale."""
    said("commissioning")
    bare = build(folder / "bare", scale.population)
    # The profile comes first: the units are commissioned under the rules they are scanned under.
    ruled = build(folder / "ruled", scale.population, before=[one.record() for one in registers()])
    plain = Ours(copy(bare, folder / "scans-plain"), _BATCH, "scans, without rules")
    pilot_ = Ours(copy(ruled, folder / "scans-pilot"), _BATCH, "scans, with the pilot's rules")
    scans = Scans(scale.population, 11)
    current: dict[int, list[ObjectEvent]] = {}

    def events_of(number: int, _: object) -> list[ObjectEvent]:
        if number not in current:
            current.clear()
            current[number] = scans.take(max(scale.events, _BATCH))
        return current[number]

    found = interleave([plain, pilot_], scale.rounds, events_of, progress=said)
    for who in (plain, pilot_):
        who.close()
    sold = _sales(bare, ruled, folder, scale)
    units = max(scale.sizes)
    said("a large ledger")
    large = build(folder / "large", units, before=[one.record() for one in registers()])
    lines = [line(found[one.name], "/s", found[pilot_.name]) for one in (plain, pilot_)]
    lines += [line(one, "/s", sold[1]) for one in sold]
    for words, kept in (("registers kept between questions", True), ("registers read anew", False)):
        times = _checks(large, folder, scale, kept=kept)
        lines.append(single(f"check before a sale, {words}", [t * 1e6 for t in times], "us"))
        if kept:
            median = sorted(times)[len(times) // 2] * 1e6
    targets = [
        Target("scans with rules, share of the rate without", 0.75, ratio(found[pilot_.name], found[plain.name]), ""),
        Target("whole sales with rules, share of the rate without", 0.75, ratio(sold[1], sold[0]), ""),
        Target(f"check before a sale among {units:,} units, median", 200, median, "us", at_least=False),
    ]
    words = (
        f"Single-unit events of random units, {_BATCH:,} a commit; of {scale.population:,} units. A whole sale is"
        " bond_in, order, payment, clear, sell, deliver of each unit: every event but the scans of a warehouse is held"
        " against registers, documents and the order before."
    )
    said("")
    return Section("rules", "The pilot's rules", words, lines, targets)


def _sales(bare: Path, ruled: Path, folder: Path, scale: Scale) -> list[Series]:
    """Seconds of whole sales of random units, without rules and with them, step by step in turn."""
    series = [Series("whole sales, without rules"), Series("whole sales, with the pilot's rules")]
    ledgers = [open_ledger(copy(path, folder / f"sales-{at}")) for at, path in enumerate((bare, ruled))]
    order = list(range(scale.population))
    random.Random(12).shuffle(order)
    rounds = min(scale.rounds, len(order) // _BATCH)
    for number in range(rounds):
        said(f"round {number + 1}/{rounds}: sales")
        seconds = [0.0, 0.0]
        done = 0
        for step, events in sale(order[number * _BATCH : (number + 1) * _BATCH]):
            done += len(events)
            for at in (0, 1) if number % 2 == 0 else (1, 0):
                start = time.perf_counter()
                receipt = ledgers[at].append(events)
                seconds[at] += time.perf_counter() - start
                if receipt.violations:
                    raise RuntimeError(f"{step}: {receipt.violations[0]}")
        for one, spent in zip(series, seconds, strict=True):
            one.seconds.append(spent)
            one.done.append(done)
            one.written.append(0)
    for ledger in ledgers:
        ledger.close()
    return series


def _checks(ruled: Path, folder: Path, scale: Scale, *, kept: bool) -> list[float]:
    """Seconds of single questions before a sale, each of another random unit."""
    path = copy(ruled, folder / "checks")
    chosen = random.Random(13).sample(range(max(scale.sizes)), 600)
    steps = dict(sale(chosen))
    with open_ledger(path) as ledger:
        for step in ("bond_in", "order", "payment", "clear"):
            ledger.append(steps[step])
    times = []
    with Ledger.open(path) as ledger, ledger.snapshot() as snapshot:
        standing = pilot.standing_of(snapshot) if kept else None
        for event in steps["sell"]:
            start = time.perf_counter()
            verdict = pilot.check(snapshot, event, _BEGIN // 1_000_000, standing=standing)
            times.append(time.perf_counter() - start)
            if not verdict:
                raise RuntimeError(str(verdict))
    shutil.rmtree(path)
    path.with_name(f"{path.name}.anchor").unlink()
    return times
