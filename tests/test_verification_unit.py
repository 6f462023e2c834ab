"""verify_unit: each link of one subject's chain, and everything that a link rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from forging import KEYS, copy, events_of, forge, index_of, logged, memory, patch
from tracechain import record
from tracechain.checkpoint import VerifierKey
from tracechain.entry import SALT_SIZE, EntryType, content_commitment, decode_rows, encode_rows, parse_header
from tracechain.event import ObjectEvent
from tracechain.record import KeyAuthorised, Record, key_subject
from tracechain.replay import MemoryView
from tracechain.statement import decode_statement, encode_statement, sign_statement, statement_leaves
from tracechain.testing import ORIGIN, Keys, new_ledger
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids, relabel, ship
from tracechain.testing.scanner import Scanner, sample_ledger
from tracechain.verification import Code, UnitReport, verify, verify_unit
from tracechain.view import Unit, unit_history

VERIFIER = VerifierKey(ORIGIN, 1, KEYS.log.public_key)
ONE, TWO, THREE = pack_ids(3)


def kept(view: MemoryView) -> MemoryView:
    """A copy with its index, which an attacker on the disk need not touch."""
    fresh = copy(view)
    fresh.index = dict(view.units())
    return fresh


def codes(report: UnitReport) -> set[Code]:
    return {finding.code for finding in report.findings}


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    """Two authors, one of them revoked in the end; batches of several entries; a record; a violation."""
    path = tmp_path_factory.mktemp("unit") / "ledger"
    with new_ledger(path, keys=KEYS) as ledger:
        ledger.append([commission((one,)) for one in (ONE, TWO, THREE)])
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "gate 3", ("event", "note")))
        scanner = Scanner(KEYS.station, ledger.ledger_id)
        ledger.submit(scanner.make([observe((TWO,)), pack(case_id(1), (ONE, TWO)), ship((case_id(1),))]))
        ledger.submit(scanner.make([Record("note", ("bent",), ONE), ship((ONE,))]))
        ledger.revoke(record.revoke(ledger.ledger_id, KEYS.station.public_key.hash, KEYS.root, "lost"))
        ledger.append([observe((ONE,)), destroy((TWO,)), observe((TWO,)), relabel((THREE,), pack_ids(1, start=9))])
    return memory(path)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    path = tmp_path_factory.mktemp("sample") / "ledger"
    sample_ledger(path, keys=KEYS)
    return memory(path)


# ---- clean chains ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verifier", [None, VERIFIER])
def test_every_subject_of_a_clean_log_is_clean(
    view: MemoryView, everything: MemoryView, verifier: VerifierKey | None
) -> None:
    for log in (view, everything):
        for subject, unit in log.units():
            report = verify_unit(log, subject, verifier=verifier)
            assert report, report.findings
            assert report.unit == unit
            assert [link.index for link in report.links] == unit_history(log, subject)
            assert all(report.links)
            last = report.links[-1].row
            assert last is not None
            assert (report.links[-1].index, last.state) == (unit.last, unit.state)


def test_a_link_says_what_happened_and_who_said_so(view: MemoryView) -> None:
    links = verify_unit(view, ONE).links
    assert [type(link.content).__name__ for link in links] == [
        "ObjectEvent", "AggregationEvent", "Record", "ObjectEvent", "ObjectEvent",
    ]  # fmt: skip
    station = ("gate 3", KEYS.station.public_key.hash)
    own = ("ledger", KEYS.author.public_key.hash)
    assert [link.author for link in links] == [own, station, station, station, own]
    assert isinstance(links[0].content, ObjectEvent)
    assert links[0].content.epcs == (ONE,)
    dead = verify_unit(view, TWO).links[-1].row
    assert dead is not None
    assert dead.violations == (1,)
    keys = verify_unit(view, key_subject(KEYS.station.public_key.hash)).links
    assert [link.author for link in keys] == [None, None]


def test_a_subject_that_is_unknown_has_no_links_and_that_is_said(view: MemoryView) -> None:
    report = verify_unit(view, "urn:example:nothing")
    assert (report.unit, report.links, report.findings) == (None, (), ())
    assert any("does not know it" in note for note in report.notes)


def test_one_statement_is_checked_once_however_many_links_it_covers(tmp_path: Path) -> None:
    """A hundred events of one pack in one statement: its entries are read once for its root, not a hundred times."""
    log = logged(tmp_path, [observe((ONE,)) for _ in range(100)], [pack(case_id(1), pack_ids(100))])
    ranges = []
    original = log.headers

    def headers(start: int, stop: int) -> Any:
        ranges.append((start, stop))
        return original(start, stop)

    log.headers = headers  # type: ignore[method-assign] # counts what is read
    report = verify_unit(log, ONE)
    assert report, report.findings
    assert len(report.links) == 101
    assert sum(stop - start > 50 for start, stop in ranges) == 1


def test_a_gap_of_one_number_does_not_lead_past_the_statement(tmp_path: Path) -> None:
    """The statement takes one place in the log, so behind a gap of one the numbers run on as if it were not there."""
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger:
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "station"))
        scanner = Scanner(KEYS.station, ledger.ledger_id)
        ledger.submit(scanner.make([observe((TWO,))] * 4))
        scanner.first += 1
        ledger.submit(scanner.make([observe((ONE,))] * 4))
    log = memory(tmp_path / "ledger")
    report = verify_unit(log, ONE)
    assert report, report.findings
    assert verify(log).codes == (Code.AUTHOR_GAP,)


# ---- each part altered -----------------------------------------------------------------------------


@given(st.data())
def test_any_byte_of_what_a_chain_rests_on_is_found(view: MemoryView, data: st.DataObject) -> None:
    """Headers, contents and rows of its own entries; statements, key records and genesis behind them."""
    subject = data.draw(st.sampled_from([ONE, TWO, THREE, case_id(1)]))
    own = unit_history(view, subject)
    authors = {parse_header(view.raw_headers[i]).author for i in own}
    rests = {
        ("raw_headers", 0),
        ("raw_contents", 0),
        *((part, i) for part in ("raw_headers", "raw_contents", "raw_rows") for i in own),
    }
    for index in own:
        at = next(i for i in range(index, 0, -1) if view.raw_headers[i][4] == EntryType.STATEMENT)
        rests |= {("raw_headers", at), ("raw_contents", at)}
    for index, raw in view.raw_headers.items():
        if raw[4] == EntryType.KEY_AUTHORISED:
            key = KeyAuthorised.decode(view.raw_contents[index][SALT_SIZE:]).key
            if key.id in authors:
                rests |= {("raw_headers", index), ("raw_contents", index)}
    name, index = data.draw(st.sampled_from(sorted(rests)))
    altered = kept(view)
    part = getattr(altered, name)[index]
    at = data.draw(st.integers(0, len(part) - 1))
    getattr(altered, name)[index] = patch(part, at, bytes([part[at] ^ data.draw(st.integers(1, 255))]))
    assert not verify_unit(altered, subject, verifier=VERIFIER)
    del getattr(altered, name)[index]
    assert not verify_unit(altered, subject, verifier=VERIFIER)


@settings(max_examples=40)
@given(st.data())
def test_altered_parts_never_stop_it(everything: MemoryView, data: st.DataObject) -> None:
    altered = kept(everything)
    for _ in range(data.draw(st.integers(1, 6))):
        name = data.draw(st.sampled_from(("raw_headers", "raw_contents", "raw_rows")))
        index = data.draw(st.sampled_from(sorted(getattr(everything, name))))
        part = getattr(everything, name)[index]
        at = data.draw(st.integers(0, len(part)))
        getattr(altered, name)[index] = part[:at] + data.draw(st.binary(max_size=4)) + part[at + 2 :]
    altered.checkpoint = data.draw(st.sampled_from((everything.checkpoint, "", "x\n1\nAAAA\n")))
    for subject, _ in everything.units():
        verify_unit(altered, subject)
        verify_unit(altered, subject, verifier=VERIFIER)


def test_another_authors_name_is_not_shown_for_what_he_did_not_say(view: MemoryView) -> None:
    """On the disk alone: statement and key record of another author are put in, and the index leads to them."""
    stranger = KEYS.stranger
    altered = kept(view)
    index = unit_history(view, ONE)[0]
    at = index_of(view, EntryType.STATEMENT)
    statement = decode_statement(view.raw_contents[at][SALT_SIZE:])
    mine = evolve(statement, author=stranger.public_key.hash)
    mine = evolve(mine, signature=stranger.sign(mine.message))
    altered.raw_contents[at] = view.raw_contents[at][:SALT_SIZE] + encode_statement(mine)
    key_at = index_of(view, EntryType.KEY_AUTHORISED)
    forged = record.authorise(view.leaf(0), stranger, Keys().named("no root"), "the minister")
    altered.raw_contents[key_at] = view.raw_contents[key_at][:SALT_SIZE] + forged.encode()
    assert altered.index is not None
    altered.index[key_subject(stranger.public_key.hash)] = Unit(key_at, 1)
    report = verify_unit(altered, ONE, verifier=VERIFIER)
    link = next(link for link in report.links if link.index == index)
    assert link.author is None
    assert {Code.CONTENT_COMMITMENT, Code.KEY_RECORD} <= {f.code for f in link.findings}


# ---- what an operator with all keys makes ----------------------------------------------------------


def changed_row(view: MemoryView, index: int, **changes: Any) -> MemoryView:
    altered = copy(view)
    part = altered.raw_rows[index]
    rule_set, rows = decode_rows(part[SALT_SIZE:])
    rule_set = changes.pop("rule_set", rule_set)
    rows = tuple(evolve(row, **changes) if row.subject == ONE else row for row in rows)
    altered.raw_rows[index] = part[:SALT_SIZE] + encode_rows(rule_set, rows)
    forge(altered)
    altered.index = dict(view.units())
    return altered


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": 2}, Code.ROW_STATE),
        ({"violations": (1,)}, Code.ROW_VIOLATIONS),
        ({"act": 1, "state": 2}, Code.ROW_ACT),
        ({"previous": 4}, Code.ROW_SUBJECTS),
        ({"subject": "01/09521234001072/21/BJ000000"}, Code.ROW_SUBJECTS),
        ({"previous": 1 << 39}, Code.ROW_LINK),
    ],
)
@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_row_has_to_follow_from_content_and_chain(
    view: MemoryView, number: int, changes: dict[str, Any], code: Code
) -> None:
    index = unit_history(view, ONE)[number]
    report = verify_unit(changed_row(view, index, **changes), ONE, verifier=VERIFIER)
    assert code in codes(report)


def test_rows_of_rules_that_are_not_known_are_not_judged(view: MemoryView) -> None:
    history = unit_history(view, ONE)
    altered = changed_row(view, history[-1], rule_set=77, state=9, act=7, violations=(8,))
    altered.index = dict(view.units()) | {ONE: Unit(history[-1], 9)}
    report = verify_unit(altered, ONE)
    assert report, report.findings
    assert any("1 entries follow rules" in note for note in report.notes)
    assert report.links[-1].rule_set == 77


def test_an_index_that_leads_elsewhere_is_found(view: MemoryView) -> None:
    history = unit_history(view, ONE)
    for unit, code in (
        (Unit(history[-1], 2), Code.INDEX),
        (Unit(history[-1] + 1, 1), Code.ROW_SUBJECTS),
        (Unit(view.size, 1), Code.ENTRY_MISSING),
        (Unit(0, 1), Code.ROWS_MISSING),
    ):
        altered = kept(view)
        assert altered.index is not None
        altered.index[ONE] = unit
        assert code in codes(verify_unit(altered, ONE))


def submitted(path: Path, scope: tuple[str, ...] | None = None) -> MemoryView:
    with new_ledger(path / "ledger", keys=KEYS) as ledger:
        ledger.authorise(record.authorise(ledger.ledger_id, KEYS.station, KEYS.root, "s", scope))
        ledger.submit(Scanner(KEYS.station, ledger.ledger_id).make([observe((ONE,)), observe((TWO,))]))
        ledger.append([ship((TWO,))])
    return memory(path / "ledger")


def test_an_author_has_to_be_authorised_for_it(tmp_path: Path) -> None:
    log = submitted(tmp_path)
    index = index_of(log, EntryType.KEY_AUTHORISED, 1)
    narrow = record.authorise(log.leaf(0), KEYS.station, KEYS.root, "s", ("note",))
    log.raw_contents[index] = log.raw_contents[index][:SALT_SIZE] + narrow.encode()
    units = dict(log.units())
    forge(log).index = units
    assert codes(verify_unit(log, ONE, verifier=VERIFIER)) == {Code.AUTHOR_SCOPE}


def test_an_author_has_to_be_authorised_before(tmp_path: Path) -> None:
    """Key record and statement with its events change places; all links are healed."""
    log = submitted(tmp_path)
    at = index_of(log, EntryType.KEY_AUTHORISED, 1)
    units = {s: Unit({at: at + 3, at + 2: at + 1}.get(u.last, u.last), u.state) for s, u in log.units()}
    for parts in (log.raw_headers, log.raw_contents, log.raw_rows):
        four = [parts.pop(i, None) for i in range(at, at + 4)]
        for i, part in zip((at + 3, at, at + 1, at + 2), four, strict=True):
            if part is not None:
                parts[i] = part
    part = log.raw_rows[at + 5]
    rows = [evolve(row, previous=at + 2) for row in decode_rows(part[SALT_SIZE:])[1]]
    log.raw_rows[at + 5] = part[:SALT_SIZE] + encode_rows(1, rows)
    forge(log).index = units
    assert codes(verify_unit(log, ONE, verifier=VERIFIER)) == {Code.AUTHOR_UNKNOWN}
    assert codes(verify_unit(log, TWO, verifier=VERIFIER)) == {Code.AUTHOR_UNKNOWN}


def test_a_revocation_before_the_statement_counts(view: MemoryView) -> None:
    """The key is said to have been revoked before; a revocation that no root signed does not count."""
    for root, expected in ((KEYS.root, {Code.AUTHOR_REVOKED}), (KEYS.stranger, set())):
        altered = copy(view)
        subject = key_subject(KEYS.station.public_key.hash)
        units = dict(view.units())
        revoked_at, station_at = index_of(view, EntryType.KEY_REVOKED), unit_history(view, subject)[0]
        content = record.revoke(view.leaf(0), KEYS.station.public_key.hash, root, "lost").encode()
        altered.raw_contents[revoked_at] = view.raw_contents[revoked_at][:SALT_SIZE] + content
        moved = (station_at + 1, *range(station_at + 1, revoked_at))
        for parts in (altered.raw_headers, altered.raw_contents, altered.raw_rows):
            old = {i: parts.pop(i, None) for i in range(station_at + 1, revoked_at + 1)}
            for i, part in old.items():
                if part is not None:
                    parts[station_at + 1 if i == revoked_at else i + 1] = part
        assert moved
        for index, part in altered.raw_rows.items():
            rule_set, rows = decode_rows(part[SALT_SIZE:])
            healed = [
                evolve(r, previous=r.previous + (station_at < r.previous < revoked_at)) if r.previous is not None else r
                for r in rows
            ]
            altered.raw_rows[index] = part[:SALT_SIZE] + encode_rows(rule_set, healed)
        forge(altered).index = {
            s: Unit(station_at + 1 if s == subject else u.last + (station_at < u.last < revoked_at), u.state)
            for s, u in units.items()
        }
        assert codes(verify_unit(altered, case_id(1), verifier=VERIFIER)) == expected


def test_an_event_slipped_in_behind_a_batch_is_uncovered(tmp_path: Path) -> None:
    log = logged(tmp_path, [observe((ONE,)), observe((TWO,))])
    units = dict(log.units())
    last = events_of(log)[-1]
    statement = decode_statement(log.raw_contents[last - 2][SALT_SIZE:])
    header = parse_header(log.raw_headers[last - 1])
    one_less = sign_statement(
        KEYS.author,
        ledger_id=statement.ledger_id,
        first=0,
        count=1,
        previous=bytes(32),
        signed_at=statement.signed_at,
        leaves=statement_leaves([header.content_commitment], [0], [3]),
    )
    log.raw_contents[last - 2] = log.raw_contents[last - 2][:SALT_SIZE] + encode_statement(one_less)
    forge(log).index = units
    assert codes(verify_unit(log, TWO, verifier=VERIFIER)) == {Code.EVENT_UNCOVERED}
    assert codes(verify_unit(log, ONE, verifier=VERIFIER)) == set()


def test_an_entry_of_another_type_than_its_content_is_found(view: MemoryView) -> None:
    index = unit_history(view, ONE)[0]
    for kind in (EntryType.RECORD, EntryType.CLOCK, EntryType.KEY_AUTHORISED, EntryType.STATEMENT):
        altered = copy(view)
        header = altered.raw_headers[index]
        if kind not in (EntryType.RECORD, EntryType.STATEMENT):
            header = patch(header, 24, bytes(16))
        altered.raw_headers[index] = patch(header, 4, bytes([kind]))
        forge(altered).index = dict(view.units())
        assert not verify_unit(altered, ONE, verifier=VERIFIER)


def test_another_key_than_the_logs_is_found(view: MemoryView) -> None:
    report = verify_unit(view, ONE, verifier=VerifierKey(ORIGIN, 1, KEYS.stranger.public_key))
    assert {Code.CHECKPOINT_SIGNATURE, Code.GENESIS} <= codes(report)


def test_a_content_that_its_header_commits_to_is_believed_only_in_the_tree(view: MemoryView) -> None:
    """A forged entry with a fitting header, but under the checkpoint that was signed."""
    index = unit_history(view, ONE)[0]
    altered = kept(view)
    part = altered.raw_contents[index].replace(b"LOT-A7", b"LOT-A8")
    altered.raw_contents[index] = part
    altered.raw_headers[index] = patch(
        altered.raw_headers[index], 64, content_commitment(part[:SALT_SIZE], part[SALT_SIZE:])
    )
    assert {Code.TREE_ROOT, Code.STATEMENT_ROOT} <= codes(verify_unit(altered, ONE))
