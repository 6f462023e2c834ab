"""The stand-alone script finds what the library finds: the same findings, in the same order, in whole bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from script_worlds import by_library, by_script, note_size, result_of, write_whole
from test_script_vectors import CASES
from tracechain import verify_bundle as script
from tracechain.checkpoint import VerifierKey, format_vkey
from tracechain.testing import ORIGIN, Keys
from tracechain.testing.scanner import sample_ledger
from tracechain.testing.tamper import PRUNINGS, TAMPERINGS, Power, Tampering, duplicate, read
from tracechain.testing.tamper.by_hand import pruned_ledger

NOW = 1_924_963_200_000  # 2031-01-01: after everything but a clock that was set years ahead
VKEY = format_vkey(VerifierKey(ORIGIN, 1, Keys().log.public_key))


def part(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value)


def entries_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    if "base" not in case:
        found: list[dict[str, Any]] = case["entries"]
        return found
    entries = [dict(one) for one in CASES[case["base"]]["entries"]]
    for index, change in case["changes"].items():
        entries[int(index)].update(change)
    return entries


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["kind"] == "ledger"])
def test_the_ledgers_of_the_vectors(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    vkey = case.get("vkey") or CASES[case["base"]]["vkey"]
    entries = entries_of(case)
    headers, contents, rows = ([part(entry[one]) for entry in entries] for one in ("header", "content", "rows"))
    path = write_whole(tmp_path / "bundle", headers, contents, rows, case["checkpoint"])
    more = {"now": case["now"]} if "now" in case else {}
    found = by_script(path, vkey, **more)
    assert found == by_library(path, vkey, **more)
    if case.get("by", "") != "replay":
        assert bool(found) is (case["verdict"] == "refused")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "ledger"
    sample_ledger(path)
    return path


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pruned") / "ledger"
    pruned_ledger(path)
    return path


def bundled(ledger: Path, folder: Path) -> Path:
    log = read(ledger)
    count = min(len(log.headers), note_size(log.note)) if log.note else len(log.headers)
    return write_whole(folder, log.headers[:count], log.contents[:count], log.rows[:count], log.note or "")


def agree(path: Path, **more: Any) -> list[Any]:
    found = by_script(path, VKEY, **more)
    assert found == by_library(path, VKEY, **more)
    return found


def cases(tamperings: dict[str, Tampering]) -> list[Any]:
    return [
        pytest.param(name, power, id=f"{name}-{power.value.replace(' ', '-')}")
        for name, one in tamperings.items()
        for power in one.codes
    ]


def test_a_ledger_that_nobody_touched(sample: Path, tmp_path: Path) -> None:
    path = bundled(sample, tmp_path / "bundle")
    result = result_of(path, VKEY)
    assert (result["verdict"], result["exit"], result["findings"]) == ("clean", 0, [])
    assert result_of(path, None)["exit"] == 1


@pytest.mark.parametrize(("name", "power"), cases(TAMPERINGS))
def test_each_tampering(sample: Path, tmp_path: Path, name: str, power: Power) -> None:
    victim = duplicate(sample, tmp_path / "ledger")
    TAMPERINGS[name](victim, power)
    agree(bundled(victim, tmp_path / "bundle"))


@pytest.mark.parametrize(("name", "power"), cases(PRUNINGS))
def test_each_tampering_with_what_was_pruned(pruned: Path, tmp_path: Path, name: str, power: Power) -> None:
    victim = duplicate(pruned, tmp_path / "ledger")
    PRUNINGS[name](victim, power)
    agree(bundled(victim, tmp_path / "bundle"), now=NOW)


@pytest.mark.parametrize("name", ["row_added", "second_claims_first", "link_skips", "state_changed"])
def test_subjects_by_parts(sample: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large log the rows go to files, by parts of the subjects."""
    victim = duplicate(sample, tmp_path / "ledger")
    TAMPERINGS[name](victim, Power.OPERATOR) if name in TAMPERINGS else None
    path = bundled(victim, tmp_path / "bundle")
    at_once = result_of(path, VKEY)
    monkeypatch.setattr(script, "PART_SUBJECTS", 5)
    monkeypatch.setattr(script, "TASK", 8)
    by_parts = result_of(path, VKEY)
    assert by_parts["findings"] == at_once["findings"]
    assert by_parts["counts"] == at_once["counts"]
