"""What headers say of retention: which policy was in force, and until which day an event is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from pilot_world import World
from raw_database import raw
from tracechain.custody import Custody
from tracechain.entry import NO_POLICY, OPEN_DAY, EntryType, Header, format_header, parse_header
from tracechain.event import ObjectEvent
from tracechain.ledger import Ledger
from tracechain.retention.dates import date_of, floor_day
from tracechain.retention.policy import After, Anchor, Bound, Permanent, Policy, Regime, Rule, Selector, Term
from tracechain.retention.tables import pilot_policy
from tracechain.store.tables import HEADERS, key_of
from tracechain.testing import new_ledger
from tracechain.verification import Code, verify
from tracechain.view import View


def _headers(view: View) -> list[Header]:
    return [parse_header(header) for _, header in view.headers(0, view.size)]


def _policy(name: str, *rules: Rule) -> Policy:
    return Policy(name=name, regimes=(Regime("test", "A regime of a test", rules),))


def _rule(name: str, bound: Bound, *classes: int) -> Rule:
    return Rule(name, "S1 VII", Selector(record_classes=classes), keep_until=bound)


def test_headers_are_open_and_name_nothing_before_there_is_a_policy(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append(
            [ObjectEvent(event_time=1, time_zone_offset=0, action="OBSERVE", epcs=("01/09521234001072/21/A",))]
        )
        with ledger.snapshot() as view:
            last = _headers(view)[-1]
    assert (last.policy, last.keep_until) == (NO_POLICY, OPEN_DAY)


def test_the_policy_is_in_force_from_the_next_statement_on(tmp_path: Path) -> None:
    event = ObjectEvent(event_time=1, time_zone_offset=0, action="OBSERVE", epcs=("01/09521234001072/21/A",))
    policy = _policy("five", _rule("all", After(Anchor.RECEIPT, Term(years=5))))
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([policy.record(), event])
        ledger.append([event])
        with ledger.snapshot() as view:
            assert verify(view, verifier=ledger.verifier)
            record, beside, _, after = _headers(view)[-4:]
            named = view.size - 4
    assert [one.type for one in (record, beside, after)] == [EntryType.RECORD, EntryType.EVENT, EntryType.EVENT]
    assert [one.policy for one in (record, beside, after)] == [NO_POLICY, NO_POLICY, named]
    assert str(date_of(after.keep_until)) == "2031-11-21"


def test_a_pack_is_kept_by_its_expiry_and_a_case_by_its_day(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.ledger.append([pilot_policy().record()])
    pack = world.packs[0]
    world.bring(pack, Custody.BONDED)
    with world.ledger.snapshot() as view:
        unit = view.unit(pack)
        assert unit is not None
        header = parse_header(view.header(unit.last) or b"")
        assert verify(view, verifier=world.ledger.verifier)
    # The pack expires on 2028-06-30: two years after that is before five years after the transaction.
    assert str(date_of(header.keep_until)) == "2031-11-21"


def test_classes_have_rules_of_their_own(tmp_path: Path) -> None:
    event = ObjectEvent(event_time=1, time_zone_offset=0, action="OBSERVE", epcs=("00/095212340000000013",))
    policy = _policy(
        "classes",
        _rule("trading", After(Anchor.RECEIPT, Term(years=6)), 1),
        _rule("technical", After(Anchor.RECEIPT, Term(days=1)), 3),
        _rule("evidence", Permanent(), 40_000),
    )
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([policy.record()])
        for record_class in (1, 3, 40_000, 50_000):
            ledger.append([event], record_class=record_class)
        with ledger.snapshot() as view:
            assert verify(view, verifier=ledger.verifier)
            events = [one for one in _headers(view) if one.type == EntryType.EVENT]
    days = {one.record_class: one.keep_until for one in events}
    assert str(date_of(days[1])) == "2032-11-21"
    assert days[3] == floor_day(events[1].time), "nothing goes before the end of the year after that of its receipt"
    assert (days[40_000], days[50_000]) == (OPEN_DAY, OPEN_DAY), "what no rule is for is kept"


@pytest.mark.parametrize("rows", [1, 40], ids=["single", "many"])
def test_many_events_are_verified_with_their_days_the_quick_way(tmp_path: Path, rows: int) -> None:
    world = World(tmp_path)
    world.ledger.append([pilot_policy().record()])
    packs = [f"01/09521234001072/21/Q{n}" for n in range(400)]
    for at in range(0, 400, rows):
        world.keep(world.commission(*packs[at : at + rows]))
    with world.ledger.snapshot() as view:
        assert verify(view, verifier=world.ledger.verifier, index=True)


@pytest.mark.parametrize(
    "change",
    [
        lambda header: evolve(header, keep_until=header.keep_until - 1),
        lambda header: evolve(header, policy=NO_POLICY),
        lambda header: evolve(header, policy=NO_POLICY, keep_until=OPEN_DAY),
    ],
    ids=["a day less", "no policy", "open"],
)
def test_a_header_that_says_otherwise_is_found(tmp_path: Path, change: Callable[[Header], Header]) -> None:
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([pilot_policy().record()])
        for number in range(30):
            ledger.append(
                [
                    ObjectEvent(
                        event_time=number,
                        time_zone_offset=0,
                        action="OBSERVE",
                        epcs=(f"01/09521234001072/21/A{number}",),
                    )
                ]
            )
        with ledger.snapshot() as view:
            last = view.size - 1
            header = parse_header(view.header(last) or b"")
    with raw(tmp_path / "ledger") as (txn, table):
        txn.put(key_of(last), format_header(change(header)), db=table(HEADERS))
    with Ledger.open(tmp_path / "ledger") as ledger, ledger.snapshot() as view:
        assert Code.KEEP_UNTIL in verify(view).codes
