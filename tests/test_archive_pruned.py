"""Archive first, then prune: what went is found in the archive, and proved by the headers that are left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from cli_home import Ran
from cli_pilot_home import Here
from tracechain.archive import check_archive, open_archive, write_archive
from tracechain.checkpoint import format_vkey
from tracechain.cli.archive import announced
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import InputError
from tracechain.event import ObjectEvent
from tracechain.ledger import Ledger
from tracechain.record import Record
from tracechain.retention.dates import shanghai_day
from tracechain.retention.plan import plan
from tracechain.retention.prunings import prunings
from tracechain.retention.tables import pilot_policy
from tracechain.testing import Clock, Keys, Random, new_ledger
from tracechain.testing.samples import commission, destroy, observe, pack_ids

DAY = 86_400_000
PACKS = pack_ids(40)


def rest(ledger: Ledger, clock: Clock, days: int) -> None:
    """Let days pass, with an entry now and then."""
    while days > 0:
        clock.advance(DAY)
        ledger.append([Record("note", "time passes")])
        days -= 1


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """Packs that were destroyed in 2026, eleven years ago."""
    with new_ledger(tmp_path / "ledger", clock=clock, random=Random(9), jump_limit=5000 * DAY) as made:
        made.retain(evolve(pilot_policy(), wait_days=3, archive=True))
        made.append([commission(PACKS[:20]), *[observe((one,)) for one in PACKS], destroy(PACKS)], record_class=1)
        clock.advance(11 * 366 * DAY)
        rest(made, clock, 4)
        yield made


def test_what_was_pruned_is_in_the_archive_and_proves_itself(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    with ledger.snapshot() as view:
        made = plan(view, as_of=shanghai_day(clock.now))
        assert made.content_count > 40
        archive = write_archive(view, tmp_path / "out", made.contents, made.rows, Keys().log)
        assert (archive.content_count, archive.row_count) == (made.content_count, made.row_count)
        assert archive.lost == made.digest(view)
        there = {index: view.content(index) for start, stop in made.contents for index in range(start, stop)}
    with pytest.raises(InputError, match="archive"):
        ledger.announce(made, name="q1", reason="due")
    ledger.announce(made, name="q1", reason="due", archive=archive.digest)
    rest(ledger, clock, 4)
    ledger.prune("q1")
    with ledger.snapshot() as view, open_archive(archive.path) as reader:
        (pruning,) = prunings(view)
        assert (pruning.intent.archive, pruning.intent.digest) == (archive.digest, archive.lost)
        gone = [index for index in there if view.content(index) is None]
        assert len(gone) == made.content_count
        assert check_archive(archive.path, ledger.verifier, view=view)
        for index in gone:
            found = reader.entry(index)
            assert found.header == view.header(index)
            assert found.content == there[index]
            assert isinstance(decode((found.content or b"")[SALT_SIZE:]), ObjectEvent)
    # In the next round the rows go, and so they are archived.
    with ledger.snapshot() as view:
        again = plan(view, as_of=shanghai_day(clock.now))
        assert (again.content_count, again.row_count > 0) == (0, True)
        rows = write_archive(view, tmp_path / "rows", again.contents, again.rows, Keys().log)
    ledger.announce(again, name="q2", reason="due", archive=rows.digest)
    rest(ledger, clock, 4)
    ledger.prune("q2")
    with ledger.snapshot() as view:
        report = check_archive(rows.path, ledger.verifier, view=view)
        assert report
        assert report.rows == again.row_count
        events = [
            index
            for start, stop in again.rows
            for index, header in view.headers(start, stop)
            if header[4] == EntryType.EVENT
        ]
        assert len(events) == again.row_count
        assert [index for index in events if view.rows(index) is not None] == []


def test_the_program_says_which_pruning_names_an_archive(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    with ledger.snapshot() as view:
        made = plan(view, as_of=shanghai_day(clock.now))
        right = write_archive(view, tmp_path / "right", made.contents, made.rows, Keys().log)
        wrong = write_archive(view, tmp_path / "wrong", ((5, 6),), (), Keys().log)
    ledger.announce(made, name="q1", reason="due", archive=right.digest)
    ledger.close()
    here, vkey = Here(tmp_path), format_vkey(ledger.verifier)

    def check(name: str) -> Ran:
        return here.run("archive", "check", name, "--key", vkey, "--ledger", "ledger", "--json")

    found = check("right")
    assert found.code == 0
    assert [(one["name"], one["done"], one["of_what_is_archived"]) for one in found.json["named_by"]] == [
        ("q1", False, True)
    ]
    assert "named by pruning q1" in here.good("archive", "check", "right", "--key", vkey, "--ledger", "ledger").out
    assert (check("wrong").code, check("wrong").json["named_by"]) == (0, [])
    assert wrong.lost != right.lost


def test_an_archive_that_is_named_for_what_it_does_not_hold_is_told(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    """The ledger takes any name of an archive: it does not see the file."""
    with ledger.snapshot() as view:
        made = plan(view, as_of=shanghai_day(clock.now))
        wrong = write_archive(view, tmp_path / "wrong", ((5, 6),), (), Keys().log)
    ledger.announce(made, name="q1", reason="due", archive=wrong.digest)
    ledger.close()
    here, vkey = Here(tmp_path), format_vkey(ledger.verifier)
    ran = here.run("archive", "check", "wrong", "--key", vkey, "--ledger", "ledger", "--json")
    assert (ran.code, ran.json["good"], ran.json["findings"]) == (1, False, [])
    assert "is not what is archived" in here.run("archive", "check", "wrong", "--key", vkey, "--ledger", "ledger").out


def test_what_was_announced_can_be_archived_until_it_is_done(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    with ledger.snapshot() as view:
        made = plan(view, as_of=shanghai_day(clock.now))
        first = write_archive(view, tmp_path / "first", made.contents, made.rows, Keys().log)
    ledger.announce(made, name="q1", reason="due", archive=first.digest)
    with ledger.snapshot() as view:
        assert announced(view, "q1") == (made.contents, made.rows)
        again = write_archive(view, tmp_path / "again", *announced(view, "q1"), Keys().log)
        assert (again.lost, again.size > first.size) == (first.lost, True)
        with pytest.raises(InputError, match="no pruning 'q2' was announced"):
            announced(view, "q2")
    rest(ledger, clock, 4)
    ledger.prune("q1")
    with ledger.snapshot() as view, pytest.raises(InputError, match="what went is gone"):
        announced(view, "q1")
