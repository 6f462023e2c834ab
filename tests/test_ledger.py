"""The ledger: opening, appending, submitting, keys, clocks, snapshots, backups."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain import custody
from tracechain.checkpoint import check_proof, open_checkpoint, parse_proof
from tracechain.entry import (
    EntryType,
    parse_header,
)
from tracechain.errors import (
    ClockError,
    DataError,
    DecodeError,
    EquivocationError,
    InputError,
    KeyUseError,
    RefusedError,
    RollbackError,
    SignatureError,
    StorageError,
    TracechainError,
)
from tracechain.ledger import DAY, Ledger, anchor_path
from tracechain.record import Record, authorise, revoke
from tracechain.station import Station
from tracechain.store import Store
from tracechain.testing import START, Clock, Keys, Random, new_ledger, open_ledger
from tracechain.testing.samples import case_id, commission, destroy, observe, pack, pack_ids, sell
from tracechain.verification import Code, verify
from tracechain.view import ViewNodes, unit_history

KEYS = Keys()


def codes(ledger: Ledger) -> list[str]:
    """The codes of what verification finds."""
    with ledger.snapshot() as view:
        return [str(finding.code) for finding in verify(view, verifier=ledger.verifier).findings]


def types(ledger: Ledger) -> list[EntryType]:
    with ledger.snapshot() as view:
        return [parse_header(header).type for _, header in view.headers(0, view.size)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of five entries, closed."""
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([commission(pack_ids(3)), observe(pack_ids(2))])
    return tmp_path / "ledger"


@pytest.fixture
def station(tracechain_ledger: Ledger, tmp_path: Path) -> Station:
    """A station whose key is authorised on `tracechain_ledger`."""
    tracechain_ledger.authorise(authorise(tracechain_ledger.ledger_id, KEYS.station, KEYS.root, "station"))
    return Station.create(
        tmp_path / "station", KEYS.station, tracechain_ledger.ledger_id, clock=Clock(), random=Random(9)
    )


def cloned(station: Station, tmp_path: Path) -> Station:
    """The same author a second time: what a copied station folder makes of an honest author."""
    twin = tmp_path / f"{station.path.name}-twin"
    shutil.copytree(station.path, twin)
    return Station.open(twin, KEYS.station, clock=Clock(START + 1), random=Random(10))


# ---- creating and opening ----------------------------------------------------------------------


def test_a_new_ledger_begins_with_genesis_and_its_author(tracechain_ledger: Ledger) -> None:
    assert types(tracechain_ledger) == [EntryType.GENESIS, EntryType.KEY_AUTHORISED]
    assert codes(tracechain_ledger) == []
    checkpoint = open_checkpoint(tracechain_ledger.checkpoint(), tracechain_ledger.verifier)
    assert checkpoint.size == 2
    assert checkpoint.origin == "ledger.example/test"


def test_a_ledger_without_an_author_takes_no_events(tmp_path: Path) -> None:
    with Ledger.create(tmp_path / "l", origin="a/b", signer=KEYS.log, root=KEYS.root, clock=Clock()) as ledger:
        with pytest.raises(KeyUseError, match="opened without an author key"):
            ledger.append([commission(pack_ids(1))])
        assert types(ledger) == [EntryType.GENESIS]


def test_it_opens_again_where_it_was(path: Path) -> None:
    with open_ledger(path) as ledger:
        before = ledger.checkpoint()
        assert ledger.append([observe(pack_ids(1))]).first == 6
    with open_ledger(path) as ledger:
        assert ledger.checkpoint() != before
        assert codes(ledger) == []


def test_without_a_key_it_is_read_only(path: Path) -> None:
    with Ledger.open(path, author=KEYS.author) as ledger:
        for write in (
            lambda: ledger.append([commission(pack_ids(1))]),
            lambda: ledger.submit(b""),
            lambda: ledger.accept_clock("why"),
            ledger.reindex,
        ):
            with pytest.raises((KeyUseError, DecodeError)):
                write()
        assert open_checkpoint(ledger.checkpoint(), ledger.verifier).size == 5
        assert proved(ledger, 4)


def proved(ledger: Ledger, index: int) -> bool:
    """Whether an entry's proof leads from its header to the signed root."""
    with ledger.snapshot() as view:
        leaf = ViewNodes(view).leaf(index)
    return check_proof(parse_proof(ledger.prove(index)), leaf, ledger.verifier).size > index


def test_a_wrong_key_is_named(path: Path) -> None:
    with pytest.raises(KeyUseError, match="use the ledger's own log key"):
        Ledger.open(path, signer=KEYS.stranger)
    with pytest.raises(KeyUseError, match="use the ledger's own log key"):
        Ledger.restore(path, signer=KEYS.stranger, reason="x")
    open_ledger(path).close()  # it was closed again


def test_an_author_nobody_authorised_is_refused(path: Path) -> None:
    with Ledger.open(path, signer=KEYS.log, author=KEYS.stranger, clock=Clock()) as ledger:
        with pytest.raises(KeyUseError, match=r"is not authorised on this ledger: authorise it"):
            ledger.append([commission(pack_ids(1))])
        assert len(types(ledger)) == 5


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_what_is_no_ledger_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "l"
    if kind == "file":
        path.write_text("hello")
    elif kind == "empty":
        path.mkdir()
    with pytest.raises(DataError, match="holds no ledger" if kind != "file" else "is a file, a ledger is a folder"):
        Ledger.open(path)


def test_creation_over_something_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match=r"anchors another ledger"):
        new_ledger(path)
    anchor_path(path).unlink()
    with pytest.raises(InputError, match="exists already"):
        new_ledger(path)


@pytest.mark.parametrize(
    "origin", ["", "a b", "a+b", "x/epoch/1", "tracechain x", "cosignature/v1", "a\nb", "x" * 3000, "e\u0301"]
)
def test_an_origin_of_no_use_is_refused_and_leaves_nothing(tmp_path: Path, origin: str) -> None:
    with pytest.raises(TracechainError):
        new_ledger(tmp_path / "l", origin=origin)
    assert list(tmp_path.iterdir()) == []


def test_an_author_that_cannot_be_authorised_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TracechainError):
        Ledger.create(
            tmp_path / "l", origin="a/b", signer=KEYS.log, root=KEYS.root, author=KEYS.author, author_label="\x00"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_is_opened_once_in_a_process(tracechain_ledger: Ledger) -> None:
    with pytest.raises(InputError, match="open in this process already"):
        Ledger.open(tracechain_ledger.path)
    tracechain_ledger.append([commission(pack_ids(1))])


def test_a_closed_ledger_says_so(tracechain_ledger: Ledger) -> None:
    tracechain_ledger.close()
    tracechain_ledger.close()
    for use in (
        lambda: tracechain_ledger.append([commission(pack_ids(1))]),
        tracechain_ledger.snapshot,
        tracechain_ledger.reindex,
        lambda: tracechain_ledger.backup("/nowhere"),
    ):
        with pytest.raises(InputError, match="was closed: open the ledger again"):
            use()


def test_an_interrupted_creation_is_told(tmp_path: Path) -> None:
    Store.create(tmp_path / "l").close()
    with pytest.raises(DataError, match="its creation was interrupted; remove the folder and create it again"):
        Ledger.open(tmp_path / "l", signer=KEYS.log)


def test_a_relative_path_may_be_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with new_ledger(Path("l")) as ledger:
        monkeypatch.chdir(elsewhere)
        ledger.append([commission(pack_ids(1))])
        ledger.append([commission(pack_ids(1))])
    assert list(elsewhere.iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elsewhere", "l", "l.anchor"]


# ---- appending ---------------------------------------------------------------------------------


def test_a_receipt_says_where_and_proves_it(tracechain_ledger: Ledger) -> None:
    packs = pack_ids(3)
    receipt = tracechain_ledger.append([commission(packs), pack(case_id(1), packs), sell(packs[:1])], record_class=7)
    assert (receipt.first, receipt.count, receipt.statement, receipt.repeated) == (3, 3, 2, False)
    assert list(receipt.indices) == [3, 4, 5]
    with tracechain_ledger.snapshot() as view:
        for index in receipt.indices:
            header = view.header(index)
            assert header is not None
            assert parse_header(header).record_class == 7
            assert parse_header(header).time == receipt.time == START
            assert proved(tracechain_ledger, index)
        assert view.checkpoint == receipt.checkpoint
        assert unit_history(view, packs[0]) == [3, 4, 5]


@pytest.mark.parametrize("index", [-1, 2, 1 << 63])
def test_there_is_no_proof_of_what_is_not_there(tracechain_ledger: Ledger, index: int) -> None:
    with pytest.raises(InputError, match="there is no entry"):
        tracechain_ledger.prove(index)


@pytest.mark.parametrize("contents", [[], ["an event"], [None], [b"x"], [commission(pack_ids(1)), 5]])
def test_only_events_and_records_are_appended(tracechain_ledger: Ledger, contents: list[Any]) -> None:
    with pytest.raises(InputError):
        tracechain_ledger.append(contents)
    assert len(types(tracechain_ledger)) == 2
    tracechain_ledger.append([commission(pack_ids(1))])


@pytest.mark.parametrize("record_class", [-1, 65_536, True, "1", 1.0])
def test_a_record_class_is_a_small_number(tracechain_ledger: Ledger, record_class: Any) -> None:
    with pytest.raises(InputError, match="record class"):
        tracechain_ledger.append([commission(pack_ids(1))], record_class=record_class)


@pytest.mark.parametrize("subject", ["", "x" * 481, "x" * 600, "é" * 241])
def test_a_record_on_an_impossible_subject_is_refused_and_poisons_nothing(
    tracechain_ledger: Ledger, subject: str
) -> None:
    for strict in (False, True):
        with pytest.raises(InputError):
            tracechain_ledger.append([Record("stopped", 1, subject)], strict=strict)
    tracechain_ledger.append([Record("stopped", 1, "x" * 480)])
    assert codes(tracechain_ledger) == []


def test_records_and_events_go_together(tracechain_ledger: Ledger) -> None:
    tracechain_ledger.append([commission(pack_ids(2)), Record("stopped", ["why", 3], pack_ids(1)[0]), Record("note")])
    assert types(tracechain_ledger)[2:] == [
        EntryType.STATEMENT, EntryType.EVENT, EntryType.RECORD, EntryType.RECORD,
    ]  # fmt: skip
    assert codes(tracechain_ledger) == []


def test_a_violation_is_kept_and_changes_nothing(tracechain_ledger: Ledger) -> None:
    packs = pack_ids(2)
    tracechain_ledger.append([commission(packs), destroy(packs[:1])])
    receipt = tracechain_ledger.append([sell(packs)])
    assert [(v.index, v.subject, v.name) for v in receipt.violations] == [(receipt.first, packs[0], "DEAD_PACK")]
    with tracechain_ledger.snapshot() as view:
        unit = view.unit(packs[0])
        assert unit is not None
        assert (unit.last, unit.state) == (receipt.first, custody.Custody.DEAD)
    assert codes(tracechain_ledger) == []


def test_strict_refuses_the_whole_submission_and_says_everything(tracechain_ledger: Ledger) -> None:
    packs = pack_ids(8)
    tracechain_ledger.append([commission(packs), destroy(packs[:7])])
    before = tracechain_ledger.checkpoint()
    with pytest.raises(
        RefusedError, match=r"refused, nothing was written: event 1: .*DEAD_PACK.* and 2 more"
    ) as caught:
        tracechain_ledger.append([commission(pack_ids(1, start=50)), sell(packs)], strict=True)
    assert len(caught.value.violations) == 7
    assert tracechain_ledger.checkpoint() == before
    assert tracechain_ledger.append([sell(packs[7:])], strict=True).violations == ()


def test_strict_sees_what_the_submission_itself_does(tracechain_ledger: Ledger) -> None:
    packs = pack_ids(1)
    with pytest.raises(RefusedError):
        tracechain_ledger.append([commission(packs), destroy(packs), sell(packs)], strict=True)
    with tracechain_ledger.snapshot() as view:
        assert view.unit(packs[0]) is None
    tracechain_ledger.append([commission(packs), destroy(packs)], strict=True)


# ---- submissions ---------------------------------------------------------------------------------


def test_a_submission_is_recorded_and_repeated_for_the_asking(
    tracechain_ledger: Ledger, station: Station, tmp_path: Path
) -> None:
    data = station.make([commission(pack_ids(2)), Record("note", 5)])
    first = tracechain_ledger.submit(data)
    tracechain_ledger.append([observe(pack_ids(1))])
    size = len(types(tracechain_ledger))
    again = tracechain_ledger.submit(data)
    assert again.repeated
    assert not first.repeated
    assert (again.first, again.count, again.statement, again.time) == (first.first, 2, first.statement, first.time)
    path = tracechain_ledger.path
    tracechain_ledger.close()
    with open_ledger(path) as ledger:
        ledger._clock = Clock(START + DAY)
        assert ledger.submit(data).time == first.time
        assert ledger.submit(data).repeated
        assert len(types(ledger)) == size
        assert codes(ledger) == []


def test_a_strict_submission_is_refused_and_may_come_again(tracechain_ledger: Ledger, station: Station) -> None:
    tracechain_ledger.append([commission(pack_ids(1)), destroy(pack_ids(1))])
    data = station.make([sell(pack_ids(1))])
    with pytest.raises(RefusedError):
        tracechain_ledger.submit(data, strict=True)
    assert len(tracechain_ledger.submit(data).violations) == 1
    assert tracechain_ledger.submit(data, strict=True).repeated


def test_a_submission_for_another_ledger_is_refused(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    other = Station.create(tmp_path / "s", KEYS.author, bytes(32), clock=Clock())
    with pytest.raises(InputError, match="was made for ledger 0000000000000000"):
        tracechain_ledger.submit(other.make([commission(pack_ids(1))]))


def test_a_submission_of_a_stranger_is_refused(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    other = Station.create(tmp_path / "s", KEYS.stranger, tracechain_ledger.ledger_id, clock=Clock())
    with pytest.raises(KeyUseError, match="is not authorised on this ledger"):
        tracechain_ledger.submit(other.make([commission(pack_ids(1))]))


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=60)
def test_a_submission_with_a_flipped_bit_changes_nothing(
    at: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    with new_ledger(folder / "l") as ledger:
        ledger.authorise(authorise(ledger.ledger_id, KEYS.station, KEYS.root, "s"))
        station = Station.create(folder / "s", KEYS.station, ledger.ledger_id, clock=Clock(), random=Random(3))
        data = bytearray(station.make([commission(pack_ids(2))]))
        data[at % len(data)] ^= 1 << bit
        before = ledger.checkpoint()
        with pytest.raises((DataError, InputError)):
            ledger.submit(bytes(data))
        assert ledger.checkpoint() == before
        station.close()
    shutil.rmtree(folder)


def test_statements_may_arrive_out_of_order_and_the_gap_is_a_finding_until_then(
    tracechain_ledger: Ledger, station: Station
) -> None:
    data = [station.make([commission(pack_ids(1, start=n))]) for n in (1, 2, 3)]
    tracechain_ledger.submit(data[2])
    assert codes(tracechain_ledger) == [Code.AUTHOR_GAP]
    tracechain_ledger.submit(data[0])
    assert codes(tracechain_ledger) == [Code.AUTHOR_GAP]
    tracechain_ledger.submit(data[1])
    assert codes(tracechain_ledger) == []


def test_a_gap_can_be_settled(tracechain_ledger: Ledger, station: Station) -> None:
    data = [station.make([commission(pack_ids(1, start=n))]) for n in (1, 2, 3)]
    tracechain_ledger.submit(data[2])
    tracechain_ledger.settle_gap(KEYS.station.public_key.hash, 0, 2, "scanner drowned", KEYS.root)
    assert codes(tracechain_ledger) == []


@pytest.mark.parametrize("overlap", ["same numbers", "longer", "later", "previous"])
def test_equivocation_is_refused_and_its_evidence_logged_once(
    tracechain_ledger: Ledger, station: Station, tmp_path: Path, overlap: str
) -> None:
    twin = cloned(station, tmp_path)
    one = station.make([commission(pack_ids(1)), commission(pack_ids(1, start=2))])
    if overlap == "same numbers":
        lie = twin.make([commission(pack_ids(1, start=9)), commission(pack_ids(1, start=8))])
    elif overlap == "longer":
        lie = twin.make([commission(pack_ids(1, start=n)) for n in (9, 8, 7)])
    elif overlap == "later":
        twin.make([commission(pack_ids(1, start=9))])
        lie = twin.make([commission(pack_ids(1, start=8)), commission(pack_ids(1, start=7))])
    else:
        twin.make([commission(pack_ids(1, start=9)), commission(pack_ids(1, start=8))])
        lie = twin.make([commission(pack_ids(1, start=7))])
    tracechain_ledger.submit(one)
    for _ in range(3):
        with pytest.raises(EquivocationError, match="in two different ways: entry 3 has the other"):
            tracechain_ledger.submit(lie)
    assert types(tracechain_ledger).count(EntryType.EVIDENCE) == 1
    assert codes(tracechain_ledger) == [Code.EQUIVOCATION]
    assert tracechain_ledger.submit(one).repeated
    path = tracechain_ledger.path
    tracechain_ledger.close()
    with open_ledger(path) as ledger:
        ledger.reindex()
        with pytest.raises(EquivocationError):
            ledger.submit(lie)
        assert types(ledger).count(EntryType.EVIDENCE) == 1


def test_a_statement_that_a_later_one_does_not_name_is_equivocation(
    tracechain_ledger: Ledger, station: Station, tmp_path: Path
) -> None:
    twin = cloned(station, tmp_path)
    station.make([commission(pack_ids(1))])
    second = station.make([commission(pack_ids(1, start=2))])
    other_first = twin.make([commission(pack_ids(1, start=3))])
    tracechain_ledger.submit(second)
    with pytest.raises(EquivocationError):
        tracechain_ledger.submit(other_first)
    assert types(tracechain_ledger).count(EntryType.EVIDENCE) == 1


# ---- keys ----------------------------------------------------------------------------------------


def test_a_revoked_key_writes_no_more_but_its_receipts_stay(tracechain_ledger: Ledger, station: Station) -> None:
    old, new = station.make([commission(pack_ids(1))]), station.make([commission(pack_ids(1, start=2))])
    first = tracechain_ledger.submit(old)
    key_hash = KEYS.station.public_key.hash
    tracechain_ledger.revoke(revoke(tracechain_ledger.ledger_id, key_hash, KEYS.root, "stolen"))
    with pytest.raises(KeyUseError, match="was revoked in entry 5: use another"):
        tracechain_ledger.submit(new)
    assert tracechain_ledger.submit(old).first == first.first
    with pytest.raises(KeyUseError, match="was revoked"):
        tracechain_ledger.revoke(revoke(tracechain_ledger.ledger_id, key_hash, KEYS.root, "again"))
    with pytest.raises(KeyUseError, match="a key comes in once"):
        tracechain_ledger.authorise(authorise(tracechain_ledger.ledger_id, KEYS.station, KEYS.root, "back"))
    assert codes(tracechain_ledger) == []
    assert [a.revoked for a in tracechain_ledger.authors()] == [None, 5]


def test_a_key_keeps_to_its_scope(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    ledger_id = tracechain_ledger.ledger_id
    tracechain_ledger.authorise(authorise(ledger_id, KEYS.station, KEYS.root, "s", ["event", "stopped"]))
    station = Station.create(tmp_path / "s", KEYS.station, ledger_id, clock=Clock())
    tracechain_ledger.submit(station.make([commission(pack_ids(1)), Record("stopped", 1)]))
    with pytest.raises(KeyUseError, match="is authorised for event, stopped, not for release"):
        tracechain_ledger.submit(station.make([Record("stopped", 1), Record("release", 1)]))
    assert codes(tracechain_ledger) == []


@pytest.mark.parametrize("how", ["another root", "another ledger", "label changed", "no root"])
def test_a_key_comes_in_by_itself_and_a_root(tracechain_ledger: Ledger, how: str) -> None:
    from attrs import evolve

    ledger_id = bytes(32) if how == "another ledger" else tracechain_ledger.ledger_id
    root = KEYS.stranger if how in {"another root", "no root"} else KEYS.root
    authorised = authorise(ledger_id, KEYS.station, root, "s")
    if how == "label changed":
        authorised = evolve(authorised, label="t")
    if how == "another root":
        authorised = evolve(authorised, root=KEYS.root.public_key.hash)
    with pytest.raises(SignatureError):
        tracechain_ledger.authorise(authorised)
    assert len(types(tracechain_ledger)) == 2


def test_a_revocation_needs_a_root(tracechain_ledger: Ledger) -> None:
    key_hash = KEYS.author.public_key.hash
    with pytest.raises(SignatureError):
        tracechain_ledger.revoke(revoke(tracechain_ledger.ledger_id, key_hash, KEYS.stranger, "mine now"))
    tracechain_ledger.append([commission(pack_ids(1))])


# ---- time ----------------------------------------------------------------------------------------


def test_a_clock_that_went_back_is_clamped_and_flagged(tracechain_ledger: Ledger, tracechain_clock: Clock) -> None:
    tracechain_ledger.append([commission(pack_ids(1))])
    tracechain_clock.advance(-5000)
    receipt = tracechain_ledger.append([observe(pack_ids(1))])
    assert receipt.time == START
    tracechain_clock.advance(6000)
    assert tracechain_ledger.append([observe(pack_ids(1))]).time == START + 1000
    with tracechain_ledger.snapshot() as view:
        headers = [parse_header(header) for _, header in view.headers(0, view.size)]
    assert [h.clamped for h in headers] == [False] * 4 + [True] * 2 + [False] * 2
    assert codes(tracechain_ledger) == []


def test_a_jump_is_refused_until_it_is_recorded(tracechain_ledger: Ledger, tracechain_clock: Clock) -> None:
    tracechain_ledger.append([commission(pack_ids(1))])
    with pytest.raises(InputError, match="there is no jump to record"):
        tracechain_ledger.accept_clock("for nothing")
    tracechain_clock.advance(31 * DAY)
    tracechain_ledger.append([observe(pack_ids(1))])  # exactly the limit
    tracechain_clock.advance(31 * DAY + 1)
    with pytest.raises(ClockError, match=r"31\.0 days ahead of the last entry, the ledger accepts 31\.0"):
        tracechain_ledger.append([observe(pack_ids(1))])
    receipt = tracechain_ledger.accept_clock("the site was closed for a month")
    assert receipt.time == START + 62 * DAY + 1
    tracechain_ledger.append([observe(pack_ids(1))])
    assert EntryType.CLOCK in types(tracechain_ledger)
    assert codes(tracechain_ledger) == []


def test_a_repetition_is_answered_whatever_the_clock_says(
    tracechain_ledger: Ledger, tracechain_clock: Clock, station: Station
) -> None:
    data = station.make([commission(pack_ids(1))])
    tracechain_ledger.submit(data)
    tracechain_clock.advance(100 * DAY)
    assert tracechain_ledger.submit(data).repeated


# ---- backup --------------------------------------------------------------------------------------


def test_a_backup_is_the_ledger(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    tracechain_ledger.append([commission(pack_ids(9))])
    tracechain_ledger.vault.put_person(b"sixteen bytes ok", {"name": "somebody"})
    note = tracechain_ledger.checkpoint()
    copy = tracechain_ledger.backup(tmp_path / "copy")
    tracechain_ledger.append([observe(pack_ids(9))])
    with Ledger.open(copy) as backup:
        assert backup.checkpoint() == note
        assert backup.vault.person(b"sixteen bytes ok") == {"name": "somebody"}
        assert codes(backup) == []
    with pytest.raises(RollbackError, match="anchor is missing"):
        open_ledger(copy)
    with pytest.raises(InputError, match="exists already: name a new folder"):
        tracechain_ledger.backup(copy)


def test_a_part_of_an_interrupted_backup_is_swept_away(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    left = tmp_path / ".copy.partial" / "ledger" / "gen-000001"
    left.mkdir(parents=True)
    (left / "data.mdb").write_bytes(b"half")
    tracechain_ledger.backup(tmp_path / "copy")
    Ledger.open(tmp_path / "copy").close()
    assert not (tmp_path / ".copy.partial").exists()


def test_a_backup_to_nowhere_is_a_storage_error(tracechain_ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot back up to"):
        tracechain_ledger.backup(tmp_path / "file" / "copy")
    tracechain_ledger.append([commission(pack_ids(1))])


def test_a_reader_can_back_up(path: Path, tmp_path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.backup(tmp_path / "copy")
    with Ledger.open(tmp_path / "copy") as backup:
        assert codes(backup) == []


# ---- snapshots -----------------------------------------------------------------------------------


def test_a_snapshot_stays_as_it_was(tracechain_ledger: Ledger) -> None:
    packs = pack_ids(5)
    tracechain_ledger.append([commission(packs)])
    with tracechain_ledger.snapshot() as old:
        before = (old.size, old.checkpoint, dict(old.units()), old.unit(packs[0]))
        for _ in range(20):
            tracechain_ledger.append([sell(packs), commission(pack_ids(3, start=100))])
        tracechain_ledger.reindex()
        assert (old.size, old.checkpoint, dict(old.units()), old.unit(packs[0])) == before
        assert old.header(old.size) is None
        assert [i for i, _ in old.headers(0, 1 << 40)] == list(range(old.size))
        assert verify(old, verifier=tracechain_ledger.verifier)
    with tracechain_ledger.snapshot() as new:
        assert new.size > before[0]
