"""Each known way to tamper with what was pruned is found, by its own code, whatever the attacker can sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracechain.checkpoint import VerifierKey
from tracechain.ledger import Ledger, anchor_path, verify_ledger
from tracechain.testing import ORIGIN, Keys
from tracechain.testing.tamper import PRUNINGS, Power, duplicate, read
from tracechain.testing.tamper.by_hand import Sample, pruned_ledger
from tracechain.verification import Code, Report

VERIFIER = VerifierKey(ORIGIN, 1, Keys().log.public_key)
#: 2031-01-01: after everything but a clock that was set years ahead.
NOW = 1_924_963_200_000

cases = [
    pytest.param(name, power, id=f"{name}-{power.value.replace(' ', '-')}")
    for name, one in PRUNINGS.items()
    for power in one.codes
]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pruned") / "ledger"
    pruned_ledger(path)
    return path


@pytest.fixture
def victim(original: Path, tmp_path: Path) -> Path:
    return duplicate(original, tmp_path / "ledger")


def verified(path: Path, since: str | None = None) -> Report:
    return verify_ledger(path, verifier=VERIFIER, since=since, now=NOW, anchor=anchor_path(path))


def checkpoint(path: Path) -> str:
    with Ledger.open(path) as ledger:
        return ledger.checkpoint()


def test_nothing_is_found_in_a_ledger_that_was_pruned_by_the_rules(victim: Path) -> None:
    report = verified(victim)
    assert report.findings == ()
    log = read(victim)
    sample = Sample.of(log)
    assert report.pruned_contents == len(sample.gone) + 2 == sum(part is None for part in log.contents)
    assert report.pruned_rows == len(sample.bare)
    assert all(log.rows[index] is None for index in sample.bare)
    assert report.size == report.entries == len(log)
    assert any("15 contents and 6 rows were pruned" in note for note in report.notes)
    report.raise_for_findings()


@pytest.mark.parametrize(("name", "power"), cases)
def test_each_tampering_is_found_by_its_own_code(victim: Path, name: str, power: Power) -> None:
    one = PRUNINGS[name]
    one(victim, power)
    report = verified(victim)
    assert not report
    assert one.codes[power] in report.codes, report.findings
    if power is Power.OPERATOR:
        assert set(report.codes) <= {one.codes[power], *one.also}, report.findings


@pytest.mark.parametrize("name", ["policy_made_hasty", "other_policy_named"])
def test_what_goes_against_its_policy_is_not_counted_as_gone_lawfully(victim: Path, name: str) -> None:
    lawful = verified(victim).pruned_contents
    PRUNINGS[name](victim, Power.OPERATOR)
    report = verified(victim)
    assert set(report.codes) == {Code.PRUNE_POLICY}
    assert report.pruned_contents == lawful < sum(part is None for part in read(victim).contents)


@pytest.mark.parametrize(("name", "power"), cases)
def test_whoever_kept_a_checkpoint_finds_it_too(victim: Path, name: str, power: Power) -> None:
    since = checkpoint(victim)
    one = PRUNINGS[name]
    one(victim, power)
    assert not verified(victim, since)


@pytest.mark.parametrize("name", PRUNINGS)
def test_a_tampering_says_what_the_attacker_does(name: str) -> None:
    one = PRUNINGS[name]
    assert one.name == name
    assert one.doc.endswith(".")
    assert one.codes
