"""verify_rules: an operator who has every key cannot bend a rule, not even one that depends on registers or buyers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from forging import KEYS, copy, forge, replaced
from pilot_world import BUYER, World, suspension
from tracechain import custody
from tracechain.custody import Custody, Violation, unpack_state
from tracechain.entry import SALT_SIZE, Row, decode_rows, encode_rows
from tracechain.replay import MemoryView
from tracechain.testing import new_ledger
from tracechain.testing.samples import commission, destroy, observe, pack_ids, ship
from tracechain.verification import Code, Finding, Report, verify, verify_rules
from tracechain.view import Unit


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def looked(world: World) -> MemoryView:
    """The log in memory, with the index of the live ledger."""
    with world.ledger.snapshot() as snapshot:
        return MemoryView.of(snapshot)


def altered(view: MemoryView, index: int, change: Callable[[Row], Row], *, rule_set: int | None = None) -> MemoryView:
    """The rows of an entry changed, by someone who has every key, and the index made to fit."""
    kept, rows = decode_rows(view.raw_rows[index][SALT_SIZE:])
    rows = tuple(map(change, rows))
    content = view.raw_contents[index][SALT_SIZE:]
    made = replaced(view, index, content, encode_rows(kept if rule_set is None else rule_set, rows))
    made.index = dict(view.units())
    for row in rows:
        if made.index[row.subject].last == index:
            made.index[row.subject] = Unit(index, row.state)
    return made


def said(report: Report) -> list[tuple[Code, int | None, str | None]]:
    return [(one.code, one.index, one.subject) for one in report.findings]


def passes_verify(view: MemoryView) -> bool:
    return bool(verify(view, index=True))


def without_violation(row: Row) -> Row:
    """The row as if the event had been lawful: the table alone allows it."""
    before = Custody.BONDED
    state, codes = custody.step(before | row.state & ~0xF, row.act, custody.PILOT)
    assert codes == ()
    return evolve(row, state=state, violations=())


# ---- what is as it should be ---------------------------------------------------------------------


def test_a_ledger_that_kept_the_rules_is_good(world: World) -> None:
    world.bring(world.packs[0], Custody.DELIVERED)
    world.breaks(world.sell(world.packs[0]), Violation.SECONDARY_SALE)
    told: list[tuple[int, int]] = []
    with world.ledger.snapshot() as snapshot:
        report = verify_rules(snapshot, progress=lambda done, total: told.append((done, total)))
        assert (report.entries, report.size) == (snapshot.size, snapshot.size)
        assert report.units == sum(1 for _ in snapshot.units())
    assert report
    assert report.findings == ()
    assert report.rows > 10
    assert told[-1] == (report.size, report.size)


def test_a_ledger_without_a_profile_is_judged_by_the_plain_rules(tmp_path: Path) -> None:
    one, two = pack_ids(2)
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger.append([commission((one, two)), ship((one,)), destroy((two,)), observe((two,))])
        with ledger.snapshot() as snapshot:
            assert verify_rules(snapshot)
            view = MemoryView.of(snapshot)
    bent = altered(view, view.size - 1, lambda row: evolve(row, violations=()))
    assert said(verify_rules(bent)) == [(Code.ROW_VIOLATIONS, view.size - 1, two)]


# ---- an operator with all keys -------------------------------------------------------------------


def test_a_violation_that_was_dropped_passes_verify_and_is_found_here(world: World) -> None:
    """The merchant was suspended; the operator lets the order look lawful, and signs everything anew."""
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.register(suspension())
    broken = world.breaks(world.order(pack), Violation.MERCHANT_SUSPENDED).first
    view = looked(world)
    assert verify_rules(view)
    bent = altered(view, broken, without_violation)
    assert passes_verify(bent), "rows, links, signatures and index are all of one piece"
    report = verify_rules(bent)
    assert said(report) == [(Code.ROW_VIOLATIONS, broken, pack), (Code.ROW_STATE, broken, pack)]
    assert "the row says no violation, the rules give MERCHANT_SUSPENDED" in report.findings[0].detail
    assert "(reserved" in report.findings[1].detail
    assert "(bonded" in report.findings[1].detail


def test_a_violation_that_was_made_up_is_found_as_well(world: World) -> None:
    world.bring(world.packs[0], Custody.RESERVED)
    view = looked(world)
    last = view.size - 1
    bent = altered(
        view, last, lambda row: evolve(row, violations=(int(Violation.LIMIT),), state=Custody.BONDED | row.state & ~0xF)
    )
    assert passes_verify(bent)
    assert {Code.ROW_VIOLATIONS, Code.ROW_STATE} == {code for code, _, _ in said(verify_rules(bent))}


def test_what_follows_from_a_bent_row_says_where_it_began(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    world.register(suspension())
    broken = world.breaks(world.order(pack), Violation.MERCHANT_SUSPENDED).first
    later = world.ledger.append([world.hold(pack)]).first
    view = altered(looked(world), broken, without_violation)
    bent = altered(view, later, lambda row: evolve(row, state=Custody.RESERVED | row.state & ~0xF))
    assert passes_verify(bent)
    report = verify_rules(bent)
    assert [(code, index) for code, index, _ in said(report)] == [
        (Code.ROW_VIOLATIONS, broken),
        (Code.ROW_STATE, broken),
        (Code.ROW_STATE, later),
    ]
    assert f"departed from the rules in entry {broken}" in report.findings[-1].detail


def test_rows_that_ignore_the_profile_are_found(world: World) -> None:
    """Rule set 1 goes on after a profile came into force: nothing could be broken then."""
    pack = world.packs[0]
    entry = world.keep(world.commission(pack)).first
    bent = altered(
        looked(world), entry, lambda row: evolve(row, act=0, state=int(Custody.ACTIVE), violations=()),
        rule_set=custody.PLAIN,
    )  # fmt: skip
    report = verify_rules(bent)
    assert said(report) == [(Code.ROWS_MALFORMED, entry, None)]
    assert "rule set 1, and set 2 is in force" in report.findings[0].detail


# ---- the index -----------------------------------------------------------------------------------


def index_findings(view: MemoryView) -> list[Finding]:
    report = verify_rules(view)
    assert {one.code for one in report.findings} <= {Code.INDEX}
    return list(report.findings)


def test_an_index_that_says_otherwise_is_found(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    view = looked(world)
    assert view.index is not None
    unit = view.index[pack]
    for wrong in (Unit(unit.last, int(Custody.SOLD)), Unit(unit.last - 1, unit.state)):
        view.index[pack] = wrong
        (finding,) = index_findings(view)
        assert finding.subject == pack
    del view.index[pack]
    (finding,) = index_findings(view)
    assert (finding.subject, finding.index) == (pack, unit.last)
    view.index[pack] = unit
    view.index[world.packs[5]] = Unit(3, 1)
    (finding,) = index_findings(view)
    assert "no entry of the log names it" in finding.detail


class _Forgetful(MemoryView):
    """An index that remembers nothing for the rules."""

    def memory(self, subject: str) -> int:
        return 0

    def spent(self, person: bytes, year: int) -> Decimal:
        return Decimal(0)


def test_memories_that_were_wiped_out_are_found(world: World) -> None:
    """Without them a second buyer could take the pack, and a limit would never be reached."""
    pack = world.bring(world.packs[0], Custody.RESERVED)
    view = looked(world)
    blind = _Forgetful(
        view.raw_headers, view.raw_contents, view.raw_rows, view.checkpoint, view.size, dict(view.units())
    )
    about_pack, about_buyer = index_findings(blind)
    assert (about_pack.subject, about_buyer.subject) == (pack, None)
    assert BUYER.hex() in about_buyer.detail
    assert "come to 0 yuan in the index, 300 by the log" in about_buyer.detail


# ---- what cannot be read -------------------------------------------------------------------------


def test_what_cannot_be_read_ends_the_replay_and_is_a_finding(world: World) -> None:
    world.bring(world.packs[0], Custody.BONDED)
    view = looked(world)
    entry = view.size - 1
    for parts, wrong, code in (
        ("raw_headers", None, Code.ENTRY_MISSING),
        ("raw_headers", b"TCH0", Code.ENTRY_MISSING),
        ("raw_contents", None, Code.CONTENT_MISSING),
        ("raw_contents", bytes(40), Code.CONTENT_MALFORMED),
    ):
        bent = copy(view)
        bent.index = dict(view.units())
        if wrong is None:
            del getattr(bent, parts)[entry]
        else:
            getattr(bent, parts)[entry] = wrong
        report = verify_rules(bent)
        assert not report
        assert said(report) == [(code, entry, None)]
        # The content of an event may have gone lawfully: that it did not is a finding, and the rest is judged.
        assert report.entries == entry + (parts == "raw_contents" and wrong is None)


def test_rows_that_are_missing_or_of_somebody_else_are_found(world: World) -> None:
    pack, other = world.packs[:2]
    entry = world.keep(world.commission(pack)).first
    view = looked(world)
    cut = copy(view)
    cut.index = dict(view.units())
    del cut.raw_rows[entry]
    assert said(verify_rules(cut)) == [(Code.ROW_SUBJECTS, entry, pack)]
    moved = altered_subject(view, entry, other)
    assert set(said(verify_rules(moved))) == {(Code.ROW_SUBJECTS, entry, pack), (Code.ROW_SUBJECTS, entry, other)}
    torn = copy(view)
    torn.index = dict(view.units())
    torn.raw_rows[entry] = torn.raw_rows[entry][:-1]
    assert said(verify_rules(torn)) == [(Code.ROWS_MALFORMED, entry, None)]


def altered_subject(view: MemoryView, entry: int, subject: str) -> MemoryView:
    made = copy(view)
    rule_set, (row,) = decode_rows(view.raw_rows[entry][SALT_SIZE:])
    made.raw_rows[entry] = view.raw_rows[entry][:SALT_SIZE] + encode_rows(rule_set, [evolve(row, subject=subject)])
    made.index = dict(view.units())
    return forge(made)


def test_findings_beyond_the_limit_are_counted(world: World) -> None:
    packs = world.packs[:4]
    entry = world.keep(world.commission(*packs)).first
    bent = altered(looked(world), entry, lambda row: evolve(row, state=row.state & 0xF | 1 << custody.EXPIRY_SHIFT))
    report = verify_rules(bent, most=2)
    assert (len(report.findings), report.beyond) == (2, 2)
    assert not report
    assert "expires 2000-01-02" in report.findings[0].detail


def test_the_words_of_a_state_say_everything_in_it(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.BONDED)
    entry = world.ledger.append([world.hold(pack)]).first
    view = looked(world)
    state = decode_rows(view.raw_rows[entry][SALT_SIZE:])[1][0].state
    assert unpack_state(state).held
    bent = altered(view, entry, lambda row: evolve(row, state=row.state & ~custody.Flag.HELD))
    (finding,) = verify_rules(bent).findings
    assert f"the rules give state {state} (bonded, held, expires 2028-06-30)" in finding.detail
