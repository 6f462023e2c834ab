"""The clock that commands go by: the system's, unless somebody in this process tells another; and the jump limit."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tracechain.cli import main
from tracechain.cli.clock import clock, telling
from tracechain.entry import parse_header
from tracechain.ledger import DAY, Ledger, system_clock
from tracechain.ledger.auditing import open_snapshot

START = 1_795_104_000_000
SCAN = "event,time,code\ncommission,2026-11-20T08:30:00+08:00,010952123400107221BJ{:04}\n"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Made at START, with a jump limit of three days."""
    monkeypatch.setenv("TRACECHAIN_PASSPHRASE", "of a test")
    path = tmp_path / "ledger"
    with telling(lambda: START):
        assert main(["init", str(path), "--origin", "example.com/clock", "--jump-limit", "3"]) == 0
    return path


def ingest(ledger: Path, number: int) -> int:
    scans = ledger.with_name(f"{number}.csv")
    scans.write_text(SCAN.format(number))
    return main(["ingest", str(ledger), str(scans)])


def times(ledger: Path) -> list[int]:
    with open_snapshot(ledger) as view:
        return [parse_header(header).time for _, header in view.headers(0, view.size)]


def test_without_a_word_it_is_the_systems() -> None:
    assert clock() is system_clock
    before = time.time_ns() // 1_000_000
    assert before <= clock()() <= time.time_ns() // 1_000_000


def test_what_is_told_holds_inside_the_block_only() -> None:
    with telling(lambda: 1):
        with telling(lambda: 2):
            assert clock()() == 2
        assert clock()() == 1
    assert clock() is system_clock


def test_another_thread_goes_by_its_own() -> None:
    seen = []
    with telling(lambda: 1):
        thread = threading.Thread(target=lambda: seen.append(clock()))
        thread.start()
        thread.join()
    assert seen == [system_clock]


def test_receipt_times_are_those_that_are_told(ledger: Path) -> None:
    with telling(lambda: START + DAY):
        assert ingest(ledger, 1) == 0
    assert set(times(ledger)) == {START, START + DAY}


def test_a_jump_beyond_the_limit_is_refused_until_it_is_accepted(
    ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger.open(ledger) as opened:
        assert opened.genesis.jump_limit == 3 * DAY
    with telling(lambda: START + 3 * DAY):
        assert ingest(ledger, 1) == 0
    with telling(lambda: START + 7 * DAY):
        size = len(times(ledger))
        assert ingest(ledger, 2) == 2
        assert "4.0 days ahead" in capsys.readouterr().err
        assert len(times(ledger)) == size
        assert main(["clock", str(ledger), "--reason", "nobody was here"]) == 0
        assert ingest(ledger, 2) == 0


def test_a_clock_that_stands_behind_is_clamped(ledger: Path) -> None:
    with telling(lambda: START - DAY):
        assert ingest(ledger, 1) == 0
    assert set(times(ledger)) == {START}


@pytest.mark.parametrize("days", ["0", "36501", "x"])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["init", str(tmp_path / "ledger"), "--origin", "example.com/clock", "--jump-limit", days]
    assert main(words) == 2
    assert "--jump-limit" in capsys.readouterr().err
    assert not (tmp_path / "ledger").exists()
