"""What users test with: keys, clock, randomness, sample events, scanners, the tampering tools, and the plugin."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracechain import identifiers
from tracechain.checkpoint import parse_checkpoint, parse_note
from tracechain.encoding import decode, encode
from tracechain.entry import EntryType
from tracechain.errors import EquivocationError, KeyUseError
from tracechain.event import (
    AggregationEvent,
    Event,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
    subjects,
)
from tracechain.ledger import Ledger, anchor_path, verify_ledger
from tracechain.record import authorise
from tracechain.statement import check_items, decode_submission
from tracechain.testing import START, Clock, Keys, MemoryView, Random, fixed_key, new_ledger, open_ledger
from tracechain.testing.samples import (
    case_id,
    commission,
    destroy,
    observe,
    order,
    pack,
    pack_ids,
    receive,
    relabel,
    sample_events,
    sell,
    sensor,
    ship,
    stock,
    unpack,
)
from tracechain.testing.scanner import Scanner, sample_ledger
from tracechain.testing.tamper import duplicate, edit, flip, read, reseal, resign
from tracechain.view import unit_history

# ---- stand-ins ---------------------------------------------------------------------------------


def test_keys_are_the_same_in_each_run_and_differ_from_each_other() -> None:
    # Pinned: a changed seed would silently change every hash that a user's tests have written down.
    assert Keys().log.public_key.raw.hex() == "cda76857989dbb0554ceadfc1e2b5465c10ef678e23b879f582f9dafe115c15a"
    keys = Keys()
    every = [keys.log, keys.root, keys.author, keys.station, keys.other_station, keys.stranger, keys.named("x")]
    assert len({key.public_key.hash for key in every}) == len(every)
    assert keys.named("log").public_key == fixed_key("log").public_key == keys.log.public_key


def test_the_clock_stands_still_until_it_is_moved() -> None:
    clock = Clock()
    assert clock() == clock() == START
    clock.advance(1500)
    assert clock() == START + 1500
    clock.advance(-2000)
    assert clock.now == START - 500
    clock.set(7)
    assert clock() == 7


@given(st.integers(0, 1 << 64), st.lists(st.integers(0, 200), max_size=8))
def test_randomness_repeats_by_seed_and_never_within_a_run(seed: int, counts: list[int]) -> None:
    one, other = Random(seed), Random(seed)
    drawn = [one(count) for count in counts]
    assert drawn == [other(count) for count in counts]
    assert [len(item) for item in drawn] == counts
    long = [item for item in drawn if len(item) >= 16]
    assert len({item[:16] for item in long}) == len(long)


def test_two_ledgers_made_alike_have_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        sample_ledger(tmp_path / name)
    assert read(tmp_path / "one") == read(tmp_path / "other")
    sample_ledger(tmp_path / "foreign", keys=Keys(log=fixed_key("another log")))
    assert read(tmp_path / "foreign").leaf(0) != read(tmp_path / "one").leaf(0)


def test_a_ledger_is_opened_again_with_the_same_keys(tmp_path: Path) -> None:
    clock = Clock()
    with new_ledger(tmp_path / "ledger", clock=clock, origin="shop.example/log") as ledger:
        ledger.append([commission(pack_ids(1))])
    clock.advance(5)
    with open_ledger(tmp_path / "ledger", clock=clock) as ledger:
        assert ledger.append([observe(pack_ids(1))]).time == START + 5
        assert parse_checkpoint(parse_note(ledger.checkpoint()).text).origin == "shop.example/log"


# ---- samples -----------------------------------------------------------------------------------


@given(st.integers(1, 50), st.integers(0, 900_000))
def test_sample_ids_are_canonical(count: int, start: int) -> None:
    ids = pack_ids(count, start=start)
    assert len(set(ids)) == count
    assert all(identifiers.canonical(one) == one for one in ids)
    assert identifiers.canonical(case_id(start)) == case_id(start)


IDS, CASE = pack_ids(2), case_id(1)
SAMPLES: list[tuple[Event, type[Event], set[str]]] = [
    (commission(IDS), ObjectEvent, set(IDS)),
    (observe(IDS), ObjectEvent, set(IDS)),
    (ship([CASE]), ObjectEvent, {CASE}),
    (receive([CASE]), ObjectEvent, {CASE}),
    (sell(IDS[:1]), ObjectEvent, {IDS[0]}),
    (destroy(IDS), ObjectEvent, set(IDS)),
    (pack(CASE, IDS), AggregationEvent, {CASE, *IDS}),
    (unpack(CASE, IDS), AggregationEvent, {CASE, *IDS}),
    (unpack(CASE), AggregationEvent, {CASE}),
    (order(IDS, "1"), TransactionEvent, set(IDS)),
    (relabel(IDS[:1], IDS[1:]), TransformationEvent, set(IDS)),
    (stock(4), ObjectEvent, {"01/09521234001072/10/LOT-A7"}),
    (sensor("4.5"), ObjectEvent, set()),
]


@pytest.mark.parametrize(("event", "kind", "named"), SAMPLES)
def test_sample_events_are_valid_and_about_what_they_say(event: Event, kind: type[Event], named: set[str]) -> None:
    assert type(event) is kind
    assert decode(encode(event)) == event
    assert set(subjects(event)) == named
    assert event.event_time == START * 1_000_000


def test_sample_events_are_a_life_with_one_broken_rule(tracechain_ledger: Ledger) -> None:
    receipts = [tracechain_ledger.append(batch) for batch in sample_events(6)]
    violations = [violated for receipt in receipts for violated in receipt.violations]
    assert [(v.subject, v.name) for v in violations] == [(pack_ids(6)[2], "DEAD_PACK")]


# ---- scanner and sample ledger -----------------------------------------------------------------


def test_a_scanner_signs_statement_after_statement(tracechain_ledger: Ledger, tracechain_keys: Keys) -> None:
    ledger, keys = tracechain_ledger, tracechain_keys
    scanner = Scanner(keys.station, ledger.ledger_id)
    data = [scanner.make([observe(IDS)]), scanner.make([observe(IDS), ship(IDS)], record_class=3)]
    one, other = (decode_submission(item) for item in data)
    check_items(one)
    check_items(other)
    assert (one.statement.first, other.statement.first, scanner.first) == (0, 1, 3)
    assert other.statement.previous == one.statement.hash
    with pytest.raises(KeyUseError, match="not authorised"):
        ledger.submit(data[0])
    ledger.authorise(authorise(ledger.ledger_id, keys.station, keys.root, "station 1"))
    assert [ledger.submit(item).count for item in data] == [1, 2]


def test_a_scanner_that_is_set_back_contradicts_itself(tracechain_ledger: Ledger, tracechain_keys: Keys) -> None:
    ledger, keys = tracechain_ledger, tracechain_keys
    ledger.authorise(authorise(ledger.ledger_id, keys.station, keys.root, "station 1"))
    scanner = Scanner(keys.station, ledger.ledger_id)
    ledger.submit(scanner.make([observe(IDS)]))
    scanner.first, scanner.previous = 0, bytes(32)
    with pytest.raises(EquivocationError):
        ledger.submit(scanner.make([ship(IDS)]))


def test_the_sample_ledger_has_every_type_of_entry_but_an_epoch(tmp_path: Path) -> None:
    sample_ledger(tmp_path / "ledger", contradiction=True, rounds=2)
    log = read(tmp_path / "ledger")
    kinds = Counter(log.header(index).type for index in range(len(log)))
    assert set(kinds) == set(EntryType) - {EntryType.EPOCH}
    assert any(log.header(index).clamped for index in range(len(log)))
    sample_ledger(tmp_path / "plain")
    assert verify_ledger(tmp_path / "plain", anchor=anchor_path(tmp_path / "plain")).findings == ()


# ---- tampering tools ---------------------------------------------------------------------------


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_flip_changes_one_bit(data: bytes, draw: st.DataObject) -> None:
    offset, bit = draw.draw(st.integers(0, len(data) - 1)), draw.draw(st.integers(0, 7))
    flipped = flip(data, offset, bit)
    assert len(flipped) == len(data)
    assert int.from_bytes(flipped, "big") ^ int.from_bytes(data, "big") == 1 << (8 * (len(data) - 1 - offset) + bit)


def test_sealing_and_signing_again_what_was_not_touched_changes_nothing(tmp_path: Path) -> None:
    # So what the attacker makes is what the ledger would have made: the tools leave no trace of their own.
    path = tmp_path / "ledger"
    sample_ledger(path, contradiction=True)
    before = read(path)
    with edit(path):
        pass
    reseal(path)
    resign(path, Keys().log)
    assert read(path) == before
    with Ledger.open(path, signer=Keys().log) as ledger:
        with ledger.snapshot() as snapshot:
            index = dict(snapshot.units())
        ledger.reindex()
        with ledger.snapshot() as snapshot:
            assert dict(snapshot.units()) == index
    assert read(path) == before


def test_an_entry_taken_out_and_put_back_is_as_before(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    sample_ledger(path)
    before = read(path)
    with edit(path) as log:
        log.insert(20, log.headers[20], log.contents[20], None)
        links = [
            (index, row.previous) for index in range(21, len(log)) for row in log.row_list(index)[1] if row.previous
        ]
        assert any(previous > 20 for _, previous in links)
        assert 20 not in {previous for _, previous in links}, "nothing points to the entry that was put in"
        log.remove(20)
    assert read(path) == before


def test_a_copy_has_its_own_anchor(tmp_path: Path) -> None:
    sample_ledger(tmp_path / "ledger")
    copied = duplicate(tmp_path / "ledger", tmp_path / "copy")
    assert read(copied) == read(tmp_path / "ledger")
    assert anchor_path(copied).read_bytes() == anchor_path(tmp_path / "ledger").read_bytes()


def test_a_memory_view_shows_what_the_ledger_shows(tracechain_ledger: Ledger) -> None:
    for batch in sample_events():
        tracechain_ledger.append(batch)
    with tracechain_ledger.snapshot() as snapshot:
        view = MemoryView.of(snapshot)
        assert (view.size, view.checkpoint) == (snapshot.size, snapshot.checkpoint)
        assert dict(view.units()) == dict(snapshot.units())
        for subject, _ in snapshot.units():
            assert unit_history(view, subject) == unit_history(snapshot, subject)


# ---- the plugin --------------------------------------------------------------------------------

OUTSIDE = """
def test_fixtures(tracechain_ledger, tracechain_keys, tracechain_clock, tracechain_random, tmp_path):
    from tracechain.testing.samples import commission, pack_ids
    before = tracechain_clock()
    tracechain_clock.advance(1000)
    receipt = tracechain_ledger.append([commission(pack_ids(3))])
    assert receipt.count == 1 and receipt.time == before + 1000
    assert tracechain_ledger.genesis.log_key == tracechain_keys.log.public_key
    assert tracechain_ledger.path == tmp_path / "ledger"
    assert tracechain_random(32) != tracechain_random(32)
    with open("checkpoint", "a") as file:
        file.write(tracechain_ledger.checkpoint())
"""


def test_the_plugin_works_in_a_project_of_its_own_and_gives_the_same_ledger_each_time(tmp_path: Path) -> None:
    (tmp_path / "test_outside.py").write_text(OUTSIDE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", "."]
    notes = []
    for _ in range(2):
        done = subprocess.run([*command, "test_outside.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        notes.append((tmp_path / "checkpoint").read_text())
    assert notes[1] == notes[0] * 2


def test_the_plugin_imports_its_helpers_only_when_they_are_used(tmp_path: Path) -> None:
    probe = (
        "import sys, tracechain.pytest_plugin; print('tracechain.testing' in sys.modules, 'hypothesis' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
