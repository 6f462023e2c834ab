"""Verification of a log under the pilot's rules: clean in every way, and every way finds what does not belong there.

The log has long runs of events of one pack each, which the quick way of `verification.columns` takes, under both rule
sets; and between them all that ends such a run. The attacker of the forgeries has every key, so rows, links and
signatures are of one piece: what he put there is found by the table of `custody`, or by a replay alone.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from flips import flip_all
from forging import KEYS, PARTS, agree, changed, copy, events_of, forge, found, memory, patch, replaced
from pilot_world import (
    EYE_DROPS,
    OTHER_BUYER,
    PHARMACY,
    REGISTERED,
    World,
    profile,
    readmission,
    resumption,
    stop,
    suspension,
)
from tracechain import custody, encoding, record
from tracechain.checkpoint import NoteSigner, VerifierKey, format_vkey
from tracechain.custody import ACT_MASK, EXPIRY_SHIFT, PILOT, PLAIN, Act, Custody, Flag, Violation
from tracechain.entry import SALT_SIZE, EntryType, Row, decode_rows, encode_rows
from tracechain.event import Event
from tracechain.ledger import Ledger, verify_ledger
from tracechain.record import Record
from tracechain.replay import MemoryView
from tracechain.testing import ORIGIN, tamper
from tracechain.testing.samples import case_id, pack, pack_ids
from tracechain.verification import Code, Report, verify, verify_rules, verify_unit
from tracechain.verification.range import RangeCheck

HERE = Path(__file__).parent
VERIFIER = VerifierKey(ORIGIN, 1, KEYS.log.public_key)
#: Packs a run.
RUN = 14
PACKS = pack_ids(3 * RUN, start=100)
OLD, SOLD, REST = PACKS[:RUN], PACKS[RUN : 2 * RUN], PACKS[2 * RUN :]


@frozen
class Log:
    """A closed ledger, its log, older notes of it, and the entries of interest by name."""

    path: Path
    view: MemoryView
    notes: tuple[str, ...]
    at: dict[str, int]


def singles(make: Callable[..., Event], packs: tuple[str, ...], **more: Any) -> list[Event]:
    return [make(one, **more) for one in packs]


def build(folder: Path) -> Log:
    world = World(folder, registered=())
    ledger, at, notes = world.ledger, dict[str, int](), []

    def run(name: str, events: list[Event], *, station: bool = False) -> None:
        receipt = world.submit(*events) if station else world.keep(*events)
        at[name] = receipt.first
        notes.append(ledger.checkpoint())

    # By the plain rules; OLD have no expiry date when the pilot begins.
    run("seen", singles(world.commission, OLD))
    run("shipped", singles(world.ship, OLD))
    ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "gate 1", None))
    world.register(*REGISTERED)
    # By the pilot's rules, one pack an event.
    run("made", singles(world.commission, (*SOLD, *REST)))
    run("bonded", singles(world.bond_in, PACKS), station=True)
    run("counted", singles(world.stocktake, PACKS))
    run("held", singles(world.hold, PACKS))
    # One kind after the other, and by turns.
    run("turns", [event for one in PACKS for event in (world.release(one), world.stocktake(one))], station=True)
    run("ordered", [world.order(one, po=one[-6:], yuan="1.5") for one in SOLD])
    run("paid", [world.pay(one, po=one[-6:], yuan="1.5") for one in SOLD])
    run("cleared", [world.clear(one, po=one[-6:]) for one in SOLD])
    run("sold", singles(world.sell, SOLD))
    run("handed", singles(world.deliver, SOLD), station=True)
    # What ends a run: events of several packs, of a case, what the table and the registers forbid, registers.
    run("several", [world.hold(*REST), pack(case_id(1), REST[:2]), world.release(*REST)])
    at["secondary"] = world.breaks(world.sell(SOLD[0]), Violation.SECONDARY_SALE).first
    at["nobody"] = world.breaks(world.order(REST[0], buyer=None), Violation.NON_CONSUMER).first
    world.register(suspension(PHARMACY), stop("product", EYE_DROPS))
    three = Violation.MERCHANT_SUSPENDED, Violation.SERVICE_STOPPED
    at["two codes"] = world.breaks(world.order(*REST[1:3]), *three).first
    world.register(readmission(PHARMACY), resumption("product", EYE_DROPS), profile(edition="2"))
    world.ledger.append([Record("note", ("bent",), REST[3]), world.stocktake(REST[3])])
    held = singles(world.hold, REST[4:12])
    run("held again", held)
    run("undone", [world.undo(event) for event in held[:4]])
    run("relabelled", [world.relabel(REST[12:], pack_ids(2, start=500))])
    at["foreign undo"] = world.breaks(world.undo(held[5]), Violation.UNDO_ACTOR, station=True).first
    ledger.revoke(record.revoke(ledger.ledger_id, KEYS.station.public_key.hash, KEYS.root, "lost"))
    run("ordered again", [world.order(one, po="a" + one[-6:], buyer=OTHER_BUYER, yuan="2") for one in REST[4:7]])
    run("counted again", singles(world.stocktake, (*OLD, *REST[4:12])))
    at["last"] = at["counted again"] + RUN + 7
    world.close()
    return Log(world.path, memory(world.path), tuple(notes), at)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return build(tmp_path_factory.mktemp("pilot"))


# ---- a clean log -----------------------------------------------------------------------------------


def test_the_log_is_clean_however_it_is_verified(log: Log) -> None:
    for size in (1, 2, 3, 5, 11, 60):
        assert found(agree(log.view, (size,))) == set()
    report = verify(log.view, verifier=VERIFIER, index=True)
    assert report
    assert report.entries == log.view.size
    assert verify_rules(log.view)


def test_the_log_has_all_that_the_tests_below_need(log: Log) -> None:
    rules = {index: decode_rows(part[SALT_SIZE:])[0] for index, part in sorted(log.view.raw_rows.items())}
    switch = next(index for index, rule_set in rules.items() if rule_set == PILOT)
    assert log.at["shipped"] + RUN <= switch <= log.at["made"]
    assert all(rule_set == (PLAIN if index < switch else PILOT) for index, rule_set in rules.items())
    kinds = {EntryType(header[4]) for header in log.view.raw_headers.values()}
    assert {EntryType.KEY_AUTHORISED, EntryType.KEY_REVOKED, EntryType.RECORD, EntryType.EVENT} <= kinds
    acts = {row.act & ACT_MASK for _, row in rows_of(log.view)}
    assert {Act.UNDO, Act.RELABEL_OLD, Act.RELABEL_NEW, Act.HOLD, Act.RELEASE, Act.SELL, Act.DISPENSE} <= acts


def rows_of(view: MemoryView) -> list[tuple[int, Row]]:
    """Every row with the index of its entry."""
    return [(index, row) for index, part in sorted(view.raw_rows.items()) for row in decode_rows(part[SALT_SIZE:])[1]]


@pytest.mark.parametrize("name", ["seen", "shipped", "made", "bonded", "counted", "held", "turns"])
def test_the_quick_way_takes_runs_under_both_rule_sets(log: Log, name: str) -> None:
    """Else the tests below would compare the careful way with itself."""
    slow: list[int] = []
    original = RangeCheck._slow

    def read(self: RangeCheck, index: int, *parts: Any) -> None:
        slow.append(index)
        original(self, index, *parts)

    with changed(RangeCheck, _slow=read):
        assert verify(log.view)
    # The first of each kind is read, for what is like it to be known.
    assert sum(log.at[name] <= index < log.at[name] + RUN for index in slow) <= 2


def test_what_came_since_any_older_note_is_clean(log: Log) -> None:
    for note in log.notes:
        report = verify(log.view, verifier=VERIFIER, since=note, index=True)
        assert report, report.findings
        assert 0 <= report.entries < log.view.size


def test_two_processes_say_the_same(log: Log, tmp_path: Path) -> None:
    one, two = (verify_ledger(log.path, verifier=VERIFIER, processes=n) for n in (1, 2))
    assert one
    assert two
    assert (one.entries, one.rows, one.statements, one.units) == (two.entries, two.rows, two.statements, two.units)
    path = tamper.duplicate(log.path, tmp_path / "ledger")
    for name in ("content_flipped", "rows_flipped"):
        tamper.TAMPERINGS[name](path)
    one, two = (verify_ledger(path, verifier=VERIFIER, processes=n) for n in (1, 2))
    assert {Code.CONTENT_COMMITMENT, Code.ROW_ROOT} <= set(one.codes)
    assert found(one) == found(two)


def test_every_subject_is_clean_by_itself(log: Log) -> None:
    links = 0
    for subject, unit in log.view.units():
        report = verify_unit(log.view, subject, verifier=VERIFIER)
        assert report, (subject, report.findings)
        assert report.links[-1].index == unit.last
        links += len(report.links)
    assert links == len(rows_of(log.view))


def test_a_script_that_knows_no_rules_recomputes_the_ledger(log: Log) -> None:
    vkey = format_vkey(NoteSigner(ORIGIN, KEYS.log).verifier)
    done = subprocess.run(
        [sys.executable, "-I", HERE / "standalone_check.py", log.path, vkey],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("OK\n")


# ---- bytes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shard", [0, 7])
def test_every_flipped_byte_is_found(log: Log, shard: int) -> None:
    """Of headers, contents and rows, of every twelfth entry."""
    tally = flip_all(log.path, shard=shard, shards=12)
    assert tally.missed == []
    assert tally.events > 20
    assert tally.flips > 250 * tally.events


@settings(max_examples=30)
@given(data=st.data())
def test_any_byte_of_a_part_is_judged_alike(log: Log, data: st.DataObject) -> None:
    view = copy(log.view)
    index = data.draw(st.sampled_from(events_of(view)), label="entry")
    parts = getattr(view, data.draw(st.sampled_from(PARTS)))
    part = parts[index]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0 if parts is view.raw_headers else SALT_SIZE, len(part) - 1), label="at")
        part = patch(part, at, bytes([data.draw(st.integers(0, 255), label="byte")]))
    parts[index] = part
    agree(forge(view), (3,))


@settings(max_examples=30)
@given(data=st.data())
def test_any_cell_of_a_row_is_judged_alike(log: Log, data: st.DataObject) -> None:
    index = data.draw(st.sampled_from(events_of(log.view)), label="entry")
    rule_set, rows = decode_rows(log.view.raw_rows[index][SALT_SIZE:])
    place = data.draw(st.integers(0, len(rows) - 1))
    row = rows[place]
    acts = st.sampled_from(list(Act)) | st.integers(0, (1 << 24) - 1)
    states = st.integers(0, (1 << 24) - 1) | st.sampled_from(list(Custody)).map(lambda c: row.state & ~0xF | c)
    codes = st.lists(st.sampled_from(list(Violation)), max_size=3, unique=True).map(lambda some: tuple(sorted(some)))
    new = evolve(
        row,
        act=int(data.draw(st.just(row.act) | acts, label="act")),
        state=int(data.draw(st.just(row.state) | states, label="state")),
        violations=tuple(map(int, data.draw(st.just(row.violations) | codes, label="violations"))),
    )
    rules = data.draw(st.sampled_from([rule_set, rule_set, 1, 2, 3]), label="rule set")
    stored = encode_rows(rules, [*rows[:place], new, *rows[place + 1 :]])
    report = agree(replaced(log.view, index, log.view.raw_contents[index][SALT_SIZE:], stored), (3,))
    assert not report or (new, rules) == (row, rule_set) or rules == 3 or excused(row, new)


def excused(row: Row, new: Row) -> bool:
    """Whether what was changed is what rows alone cannot tell: violations of the registers, and undone states."""
    undone = row.act == Act.UNDO and not new.violations
    return new.act == row.act and (undone or set(new.violations) != set(row.violations))


# ---- forgeries by one who has every key ------------------------------------------------------------


def bent(
    view: MemoryView, index: int, change: Callable[[Row], Row], *, rule_set: int | None = None, of: str | None = None
) -> MemoryView:
    """A forged copy in which the rows of an entry (of one subject, if `of` names it) say something else."""
    kept, rows = decode_rows(view.raw_rows[index][SALT_SIZE:])
    stored = encode_rows(
        kept if rule_set is None else rule_set, [change(row) if of in (None, row.subject) else row for row in rows]
    )
    return replaced(view, index, view.raw_contents[index][SALT_SIZE:], stored)


def moved(row: Row, place: Custody, *codes: Violation) -> Row:
    return evolve(row, state=row.state & ~0xF | place, violations=tuple(map(int, codes)))


def codes_at(report: Report, index: int) -> set[str]:
    return {str(one.code) for one in report.findings if one.index == index}


_A, _V, _C = Act, Violation, Custody
#: name -> (run, place in it, change of the row, what has to be found there)
FORGERIES: dict[str, tuple[str, int, Callable[[Row], Row], set[str]]] = {
    "a state that the table does not give": ("counted", 20, lambda r: moved(r, _C.SOLD), {"ROW_STATE"}),
    "a state that the table does not give, by turns": ("turns", 31, lambda r: moved(r, _C.CLEARED), {"ROW_STATE"}),
    "a state that comes one event too early": ("ordered", 4, lambda r: moved(r, _C.CLEARED), {"ROW_STATE"}),
    "a flag": ("counted", 20, lambda r: evolve(r, state=r.state ^ Flag.RECALLED), {"ROW_STATE"}),
    "paid": ("paid", 3, lambda r: evolve(r, state=r.state ^ Flag.PAID), {"ROW_STATE"}),
    "an expiry day of the state alone": (
        "made", 9, lambda r: evolve(r, state=r.state + (1 << EXPIRY_SHIFT)), {"ROW_STATE"},
    ),
    "an expiry day of act and state": (
        "made", 9, lambda r: evolve(r, act=r.act + 256, state=r.state + (1 << EXPIRY_SHIFT)), {"ROW_ACT"},
    ),
    "no expiry day": ("made", 9, lambda r: evolve(r, act=int(_A.COMMISSION), state=int(_C.ACTIVE)), {"ROW_ACT"}),
    "another act": ("held", 6, lambda r: evolve(r, act=int(_A.RECALL), state=r.state ^ 0x30), {"ROW_ACT"}),
    "another act that does the same": ("counted", 6, lambda r: evolve(r, act=int(_A.REJECT)), {"ROW_ACT"}),
    "an act that nobody knows": ("counted", 6, lambda r: evolve(r, act=200), {"ROW_ACT"}),
    "a day where an act has none": ("held", 6, lambda r: evolve(r, act=r.act | 5 << 8), {"ROW_ACT"}),
    "a violation of registers, and the state moves all the same": (
        "bonded", 8, lambda r: evolve(r, violations=(int(_V.ZONE),)), {"ROW_STATE"},
    ),
    "several of them": (
        "sold", 8, lambda r: evolve(r, violations=(int(_V.SCOPE), int(_V.LIMIT))), {"ROW_STATE"},
    ),
    "a violation of the table that was none": (
        "counted", 8, lambda r: moved(r, _C.BONDED, _V.CUSTODY), {"ROW_VIOLATIONS"},
    ),
    "a violation that nobody knows": ("counted", 8, lambda r: evolve(r, violations=(900,)), {"ROW_VIOLATIONS"}),
    "a violation of the table left out": ("secondary", 0, lambda r: evolve(r, violations=()), {"ROW_VIOLATIONS"}),
    "a violation of the table replaced": (
        "secondary", 0, lambda r: evolve(r, violations=(int(_V.EXPIRED_LOCK),)), {"ROW_VIOLATIONS"},
    ),
    "a violation of the table left out, and sold": ("secondary", 0, lambda r: moved(r, _C.SOLD), {"ROW_STATE"}),
    "an undo that breaks a rule and is done": (
        "foreign undo", 0, lambda r: evolve(r, state=r.state ^ Flag.HELD), {"ROW_STATE"},
    ),
    "a hold of several that one escapes": ("several", 0, lambda r: moved(r, _C.TRANSIT), {"ROW_STATE"}),
    "a new code in another custody": ("relabelled", 0, lambda r: moved(r, _C.BONDED), {"ROW_STATE"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_rows_are_found_by_the_table(log: Log, name: str) -> None:
    run, place, change, codes = FORGERIES[name]
    index = log.at[run] + place
    report = agree(bent(log.view, index, change), (1, 2, 7, 13))
    assert codes_at(report, index) == codes
    assert min(one.index for one in report.findings if one.index is not None) == index
    subject = decode_rows(log.view.raw_rows[index][SALT_SIZE:])[1][0].subject
    assert not verify_unit(bent(log.view, index, change), subject, verifier=VERIFIER)


@pytest.mark.parametrize(("run", "place"), [("made", 3), ("counted", 30), ("several", 1), ("counted again", 4)])
def test_rules_that_are_set_back_are_found(log: Log, run: str, place: int) -> None:
    """Rule set 1 where 2 had begun: with its acts and states, or with those of 2."""
    index = log.at[run] + place

    def plain(row: Row) -> Row:
        return evolve(row, act=int(_A.SEE), state=int(_C.ACTIVE), violations=())

    for change in (plain, lambda row: row):
        report = agree(bent(log.view, index, change, rule_set=PLAIN), (1, 2, 7))
        assert "ROWS_MALFORMED" in codes_at(report, index)
        assert not verify_rules(bent(log.view, index, change, rule_set=PLAIN))


def test_rules_that_begin_too_early_are_found(log: Log) -> None:
    index = log.at["seen"] + 5

    def pilot(row: Row) -> Row:
        return evolve(row, act=int(_A.COMMISSION))

    report = agree(bent(log.view, index, pilot, rule_set=PILOT), (1, 2, 7))
    assert codes_at(report, index + 1) == {"ROWS_MALFORMED"}  # those after it go back


def test_rules_that_begin_too_early_for_good_are_found_by_a_replay(log: Log) -> None:
    """From the last batch before the profile on: nothing goes back, and each row is one of the table."""
    view = copy(log.view)
    states: dict[str, int] = {}
    for index, part in sorted(view.raw_rows.items()):
        rule_set, rows = decode_rows(part[SALT_SIZE:])
        if log.at["shipped"] <= index and rule_set == PLAIN:
            packs = [custody.is_pack(row.subject) for row in rows]
            rows = tuple(
                evolve(row, act=int(_A.SHIP), state=int(_C.TRANSIT)) if is_pack else row
                for row, is_pack in zip(rows, packs, strict=True)
            )
            view.raw_rows[index] = part[:SALT_SIZE] + encode_rows(PILOT, rows)
            states |= {row.subject: row.state for row in rows}
    forge(view)
    assert len(states) > RUN
    # What follows is booked in from transit as well as from active.
    assert agree(view, (1, 2, 7)).codes == ()
    report = verify_rules(view)
    assert report.codes[0] == Code.ROWS_MALFORMED
    assert report.findings[0].index == log.at["shipped"]


# ---- what rows cannot tell -------------------------------------------------------------------------


def passes(view: MemoryView) -> bool:
    """Whether verification finds nothing, in any way, with an index that fits."""
    return not found(agree(view, (1, 2, 7)))


def flagged(view: MemoryView, index: int, subject: str, more: int) -> MemoryView:
    """A forged copy in which bits of a state are turned over."""
    return bent(view, index, lambda row: evolve(row, state=row.state ^ more), of=subject)


def test_an_undone_state_is_shown_by_a_replay_alone(log: Log) -> None:
    """The pack comes out of its undo recalled, or with another expiry date; it is counted once more after that."""
    pack_of = REST[7]
    undone = log.at["undone"] + 3
    last = log.view.unit(pack_of)
    assert last is not None
    for more in (int(Flag.RECALLED), 1 << EXPIRY_SHIFT):
        view = flagged(flagged(log.view, undone, pack_of, more), last.last, pack_of, more)
        assert passes(view)
        codes = {(one.code, one.index) for one in verify_rules(view).findings if one.code != Code.INDEX}
        assert codes == {(Code.ROW_STATE, undone), (Code.ROW_STATE, last.last)}


@pytest.mark.parametrize("name", ["nobody", "two codes", "foreign undo"])
def test_a_violation_of_the_registers_that_vanished_is_shown_by_a_replay_alone(log: Log, name: str) -> None:
    index = log.at[name]

    def lawful(row: Row) -> Row:
        state, codes = custody.step(row.state, row.act, PILOT)
        assert codes == ()
        return evolve(row, state=state, violations=())

    view = bent(log.view, index, lawful)
    assert passes(view)
    assert {(one.code, one.index) for one in verify_rules(view).findings} >= {(Code.ROW_VIOLATIONS, index)}


def test_one_of_two_codes_that_vanished_is_shown_by_a_replay_alone(log: Log) -> None:
    index = log.at["two codes"]
    view = bent(log.view, index, lambda row: evolve(row, violations=row.violations[:1]))
    assert passes(view)
    assert {one.code for one in verify_rules(view).findings} == {Code.ROW_VIOLATIONS}


def test_a_violation_that_was_made_up_is_shown_by_a_replay_alone(log: Log) -> None:
    """Counting changes no state, so the row fits the table with a violation as well."""
    index = log.at["counted"] + 11
    view = bent(log.view, index, lambda row: evolve(row, violations=(int(_V.LOT_MISMATCH), int(_V.EXPIRY_MISMATCH))))
    assert passes(view)
    assert {(one.code, one.index) for one in verify_rules(view).findings} == {(Code.ROW_VIOLATIONS, index)}


def test_a_register_that_the_operator_rewrote_is_found(log: Log) -> None:
    """The content of a record under the author's statement: by the commitment, or by the author's signature."""
    index = next(i for i, h in sorted(log.view.raw_headers.items()) if h[4] == EntryType.RECORD)
    content = log.view.raw_contents[index][SALT_SIZE:]
    other = content[:-1] + bytes([content[-1] ^ 1])
    view = copy(log.view)
    view.raw_contents[index] = view.raw_contents[index][:SALT_SIZE] + other
    assert Code.CONTENT_COMMITMENT in agree(view, (2,)).codes
    forge(view, {})
    assert agree(view, (2,)).codes != ()


def test_bytes_of_contents_are_those_that_were_encoded(log: Log) -> None:
    for index in events_of(log.view):
        content = log.view.raw_contents[index][SALT_SIZE:]
        assert encoding.encode(encoding.decode(content)) == content
    with Ledger.open(log.path) as ledger, ledger.snapshot() as snapshot:
        assert MemoryView.of(snapshot).raw_rows == log.view.raw_rows
