"""The demo's day held against the rules: everything in it is lawful, but for the breaches that it says it has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from demo_files import all_files, read
from tracechain import identifiers, record
from tracechain.custody import Custody, Violation, unpack_state
from tracechain.demo import PRODUCTS, Day, Recall, make_day, make_registry
from tracechain.event import AggregationEvent, TransactionEvent
from tracechain.event.sale import PAYMENT_DOCUMENT, amount, documents
from tracechain.pilot import load_profile
from tracechain.recall import Progress, fan_out, notice, opening, progress
from tracechain.registers import Product, Profile, Register, load
from tracechain.replay import replay
from tracechain.rules import Standing
from tracechain.testing.scanner import Scanner
from tracechain.testing.standins import Clock, Keys, new_ledger

SMALL = 0.02
DAYS = 86_400_000_000_000

Found = tuple[str, str, tuple[str, ...]]


@pytest.fixture(scope="module")
def day() -> Day:
    return make_day(SMALL)


class Played:
    """The day in a ledger, by the clock of the story. `found` are (file, subject, codes) of every broken rule."""

    def __init__(self, path: Path, day: Day) -> None:
        registry, keys = make_registry(day), Keys()
        self.found: list[Found] = []
        self.versions: Counter[str] = Counter()
        files = all_files(day)
        clock = Clock(registry.files[0].received // 1_000_000)
        with new_ledger(path, keys=keys, clock=clock) as ledger:
            self.ledger = ledger
            self._register(registry.opening)
            couriers: dict[str, Scanner] = {}
            for station in day.stations:
                key = keys.named(station.name)
                ledger.authorise(record.authorise(ledger.ledger_id, key, keys.root, station.name, ("event",)))
                couriers |= dict.fromkeys([file.name for file in station.files], Scanner(key, ledger.ledger_id))
            for file in files:
                if file.name == "90-violations-shops.csv":
                    clock.set(registry.files[-1].received // 1_000_000)
                    self._register(registry.measures)
                    self._register(registry.cases)
                if file.name == "40-outbound-12h.csv":
                    clock.set(day.recall.opened // 1_000_000)
                    self._recall(day.recall)
                clock.set(file.received // 1_000_000)
                if file.name in couriers:
                    receipt = ledger.submit(couriers[file.name].make(read(file), at=clock.now))
                else:
                    receipt = ledger.append(read(file))
                by_row: dict[tuple[int, str], list[str]] = {}
                for one in receipt.violations:
                    by_row.setdefault((one.index, one.subject), []).append(one.name)
                self.found += [(file.name, subject, tuple(sorted(codes))) for (_, subject), codes in by_row.items()]
            with ledger.snapshot() as view:
                self.states = {breach.subject: view.unit(breach.subject) for breach in day.breaches}
                self.traced = view.unit(day.story.traced)
                self.progress = progress(view, day.recall.id)
                self.found_at_night = fan_out(view, day.recall.criterion)
                self.replayed = replay(view)

    def _recall(self, told: Recall) -> None:
        """The recall is opened, and everybody is told who is to be told."""
        with self.ledger.snapshot() as view:
            self.found_at_noon = fan_out(view, told.criterion)
            records = opening(
                view, id=told.id, recall_class=told.recall_class, criterion=told.criterion, by=told.by,
                reason=told.reason, on=told.on, time=told.opened, authority=told.authority,
            )  # fmt: skip
        self.ledger.append(records)
        with self.ledger.snapshot() as view:
            parties = (*told.parties, *told.buyers)
            self.ledger.append(notice(view, id=told.id, parties=parties, by=told.by, reason="recalled", on=told.on))

    def _register(self, values: Iterable[Register]) -> None:
        for value in values:
            # What has versions is registered anew with the next one; what is done to it has none of its own.
            versioned = type(value).CHAIN[0] == type(value).KIND != "case"
            version = self.versions[value.subject] if versioned else 0
            self.versions[value.subject] += versioned
            self.ledger.append([value.record(version)])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, day: Day) -> Played:
    return Played(tmp_path_factory.mktemp("day") / "ledger", day)


def expected(day: Day) -> list[Found]:
    return sorted((b.file, b.subject, tuple(sorted(code.name for code in b.codes))) for b in day.breaches)


# ---- the rules ---------------------------------------------------------------------------------


def test_what_breaks_rules_is_what_the_day_says_and_nothing_else(played: Played, day: Day) -> None:
    assert sorted(played.found) == expected(day)


@pytest.mark.parametrize("code", Violation)
def test_every_rule_is_broken_once_at_least_and_its_story_is_told(day: Day, code: Violation) -> None:
    stories = {breach.story for breach in day.breaches if code in breach.codes}
    assert stories
    assert all(story and story == story.strip() and "\n" not in story for story in stories)


# Shrinking a whole day would take minutes, and a smaller one explains nothing better.
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(scale=st.floats(0.02, 0.05), seed=st.text("abc", min_size=1, max_size=3))
def test_that_holds_whatever_the_size_of_the_day(
    tmp_path_factory: pytest.TempPathFactory, scale: float, seed: str
) -> None:
    made = make_day(scale, seed)
    played = Played(tmp_path_factory.mktemp("day") / "ledger", made)
    assert sorted(played.found) == expected(made)
    assert played.found_at_noon.groups == made.recall.groups
    assert counts(played.progress) == made.recall.end


def test_a_broken_rule_leaves_the_pack_where_it_was(played: Played, day: Day) -> None:
    def custody(code: Violation) -> set[Custody]:
        found = [played.states[breach.subject] for breach in day.breaches if code in breach.codes]
        return {Custody.NONE if unit is None else unpack_state(unit.state).custody for unit in found}

    assert custody(Violation.DEAD_PACK) == {Custody.DEAD}
    assert custody(Violation.UNKNOWN_CODE) == {Custody.NONE}
    assert custody(Violation.NON_CONSUMER) == {Custody.BONDED}
    assert custody(Violation.LIMIT) == {Custody.RESERVED}
    assert custody(Violation.WRONG_BUYER) == {Custody.SOLD}
    assert custody(Violation.SECONDARY_SALE) == {Custody.DELIVERED}
    assert custody(Violation.EXPORT_RETURN_LATE) == {Custody.EXPORTED}


def test_the_pack_to_follow_is_back_in_bonded_stock(played: Played) -> None:
    assert played.traced is not None
    assert unpack_state(played.traced.state).custody == Custody.BONDED


def test_a_replay_from_nothing_finds_the_same(played: Played, day: Day) -> None:
    found = Counter((subject, tuple(sorted(codes))) for _, subject, codes in played.replayed.violations)
    assert found == Counter((b.subject, tuple(sorted(map(int, b.codes)))) for b in day.breaches)


# ---- the recall --------------------------------------------------------------------------------


def counts(progress: Progress) -> dict[str, int]:
    return {name: getattr(progress, name) for name in ("affected", "reached", "locked", "returned", "destroyed",
                                                       "outstanding")}  # fmt: skip


def test_at_noon_each_pack_of_the_lot_is_where_the_story_says(played: Played, day: Day) -> None:
    found = played.found_at_noon
    assert found.groups == day.recall.groups
    assert {group for group, count in found.groups.items() if not count} == {"unknown"}
    assert {unit.lot for unit in found.units} == {day.recall.lot}
    assert [one.kind for one in found.unresolved] == ["left"]
    told = {*day.recall.parties, *day.recall.buyers}
    assert {unit.holder for unit in found.units if unit.group in ("transit", "store", "exported")} <= told


def test_at_night_it_has_come_as_far_as_the_story_says(played: Played, day: Day) -> None:
    assert counts(played.progress) == day.recall.end
    assert played.progress.open
    assert all(day.recall.end.values())
    late = played.found_at_night.affected - played.found_at_noon.affected
    assert late == day.recall.late_packs > 0
    caught = {identifiers.canonical(code) for code in (day.recall.next_sale, day.recall.handed_over)}
    contradicting = {one.subject for one in played.progress.unresolved if one.kind == "contradiction"}
    assert caught < contradicting
    assert len(contradicting) == 3


def test_nothing_else_sells_the_lot(day: Day) -> None:
    """What the shops sell of other lots does not depend on the recall, and orders of the lot end with it."""
    packs = {pack for file in day.files if day.recall.lot.lower() in file.name for event in read(file)
             for pack in event.epcs if pack.startswith("01/")}  # fmt: skip
    after = [
        (file.name, event.biz_step)
        for file in all_files(day)
        for event in read(file)
        if packs.intersection(event.epcs) and event.event_time > day.recall.opened
    ]
    assert {name for name, step in after if step == "retail_selling"} == {"40-outbound-12h.csv"}
    orders = [(name, step) for name, step in after if step == "reserving"]
    assert orders.count(("45-late-case.csv", "reserving")) == 1
    assert {name for name, _ in orders} == {"40-outbound-12h.csv", "45-late-case.csv"}


@pytest.mark.parametrize("file", ["10-coral-c301-", "10-nordlicht-n102-"])
def test_goods_travel_in_cases_on_pallets_in_containers(day: Day, file: str) -> None:
    """Four levels, by sea and by air."""
    parents: dict[str, str] = {}
    for one in day.files:
        if one.name.startswith(file):
            for event in read(one):
                if isinstance(event, AggregationEvent):
                    assert event.parent is not None
                    parents |= dict.fromkeys(event.epcs, event.parent)

    def depth(code: str) -> int:
        return 1 + depth(parents[code]) if code in parents else 1

    assert {depth(code) for code in parents if code.startswith("01/")} == {4}


def test_no_pack_that_was_sold_is_in_a_case_any_more(played: Played) -> None:
    sold = [unit for unit in played.found_at_night.units if unit.group == "sold"]
    assert sold
    assert {unit.container for unit in sold} == {None}


# ---- the files ---------------------------------------------------------------------------------


def test_files_are_received_in_order_and_after_what_they_tell(day: Day) -> None:
    files = all_files(day)
    assert [file.received for file in files] == sorted(file.received for file in files)
    for file in files:
        assert max(event.event_time for event in read(file)) <= file.received, file.name
    received = {file.name: file.received for file in files}
    # An act is undone too late by the time at which the ledger heard of it.
    late = received["95-violations-taken-back.csv"] - received["05-earlier.csv"]
    assert late > load_profile("beijing").undo_days * DAYS
    assert received["95-violations-taken-back.csv"] - received["06-day-before.csv"] < 2 * DAYS
    registers = {file.part: file.received for file in make_registry(day).files}
    assert registers["opening"] < received["05-earlier.csv"]
    assert received["80-city-kiosk.csv"] < registers["measures"] < received["90-violations-shops.csv"]


def test_an_order_is_paid_by_its_buyer_with_a_document_of_its_own(day: Day) -> None:
    orders: dict[str, TransactionEvent] = {}
    paid: dict[str, TransactionEvent] = {}
    prices = {f"01/{product.gtin}": Decimal(product.price) for product in PRODUCTS}
    for file in day.files:
        if not file.name.startswith(("38-", "40-")):
            continue
        for event in read(file):
            if isinstance(event, TransactionEvent) and event.action == "ADD":
                (po,) = documents(event, "po")
                (paid if documents(event, PAYMENT_DOCUMENT) else orders)[po] = event
    assert len(orders) > 300
    assert orders.keys() == paid.keys()
    for po, order in orders.items():
        payment = paid[po]
        assert (payment.epcs, payment.person, amount(payment)) == (order.epcs, order.person, amount(order))
        assert payment.event_time > order.event_time
        assert amount(order) == sum(prices[pack[:17]] for pack in order.epcs)
        assert 1 <= len(order.epcs) <= 3
    assert len({order.person for order in orders.values()}) < len(orders), "some people order twice"
    papers = [documents(payment, PAYMENT_DOCUMENT) for payment in paid.values()]
    assert len(set(papers)) == len(papers)


def test_nobody_is_named_in_a_file(day: Day) -> None:
    """Buyers are tokens, and each event of a sale says whose it is."""
    for file in all_files(day):
        for event in read(file):
            if event.biz_step == "dispensing" or (event.biz_step == "reserving" and amount(event) is not None):
                assert event.person is not None or file.name == "90-violations-shops.csv"


# ---- the registers -----------------------------------------------------------------------------


def test_the_registers_repeat_themselves(day: Day) -> None:
    assert make_registry(make_day(SMALL)) == make_registry(day)


def test_register_files_hold_the_registers_in_order(day: Day, tmp_path: Path) -> None:
    registry = make_registry(day)
    values: list[Register] = []
    for file in registry.files:
        path = tmp_path / file.name
        path.write_bytes(file.data)
        found = load(path, file.kind)
        assert len(found) == file.records
        values += found
    assert tuple(values) == (*registry.opening, *registry.measures, *registry.cases)
    names = [file.name for file in registry.files]
    assert names == sorted(set(names))


def test_the_profile_comes_first_and_names_the_enterprise(day: Day) -> None:
    registry = make_registry(day)
    first = registry.opening[0]
    assert isinstance(first, Profile)
    assert f"urn:tracechain:enterprise:{first.enterprise}" in [value.subject for value in registry.opening]


def test_a_register_can_follow_upon_another(day: Day) -> None:
    """Each record of the day can be taken: nothing is suspended that is not registered, no case closed twice."""
    registry, standing = make_registry(day), Standing()
    versions: Counter[str] = Counter()
    for index, value in enumerate((*registry.opening, *registry.measures, *registry.cases)):
        versioned = type(value).CHAIN[0] == type(value).KIND != "case"
        standing.take(index, value.record(versions[value.subject] if versioned else 0))
        versions[value.subject] += versioned
    shielded = [found for found in standing.known().values() if found.shielded]
    assert [(type(found.value), found.shielded, found.version) for found in shielded] == [(Product, frozenset({0}), 1)]


@pytest.mark.parametrize("scale", [0.0, 0.0199, -1.0, 10.5, float("nan"), float("inf")])
def test_a_day_of_no_size_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale is"):
        make_day(scale)


def test_an_order_names_its_document_and_one_to_three_packs(day: Day) -> None:
    told = [e for f in day.files if "outbound" in f.name for e in read(f) if isinstance(e, TransactionEvent)]
    orders = [one for one in told if one.action == "ADD" and not documents(one, PAYMENT_DOCUMENT)]
    assert orders
    assert {len(order.epcs) for order in orders} == {1, 2, 3}
    names = [po for order in orders for po in documents(order, "po")]
    assert len(set(names)) == len(names) == len(orders)
