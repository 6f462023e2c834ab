"""Each known way to tamper with a ledger is found, by its own code, whatever the attacker can sign."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracechain.checkpoint import VerifierKey
from tracechain.errors import DataError, ForkError, InputError, RollbackError
from tracechain.ledger import Ledger, anchor_path, verify_ledger
from tracechain.ledger.ledger import DEFAULT_JUMP_LIMIT
from tracechain.testing import ORIGIN, START, Clock, Keys, open_ledger
from tracechain.testing.samples import observe, pack_ids
from tracechain.testing.scanner import sample_ledger
from tracechain.testing.tamper import (
    PRUNINGS,
    TAMPERINGS,
    Power,
    Tampering,
    drop_tail,
    duplicate,
    edit,
    put_back,
    read,
    reseal,
    resign,
)
from tracechain.testing.tamper.chains import CHAINS
from tracechain.verification import Code, Report, verify_unit

VERIFIER = VerifierKey(ORIGIN, 1, Keys().log.public_key)
LATER = START + 3 * DEFAULT_JUMP_LIMIT  # the sample ledger's clock jumped ahead by two
# A chain that is cut or skips an entry is sound in itself; only the whole log shows what is missing from it.
HIDDEN_FROM_ONE_UNIT = {"second_claims_first", "link_skips", "row_added"}

cases = [
    pytest.param(name, power, id=f"{name}-{power.value.replace(' ', '-')}")
    for name, one in TAMPERINGS.items()
    for power in one.codes
]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tampering") / "ledger"
    sample_ledger(path)
    return path


@pytest.fixture
def victim(original: Path, tmp_path: Path) -> Path:
    return duplicate(original, tmp_path / "ledger")


def verified(path: Path, since: str | None = None) -> Report:
    return verify_ledger(path, verifier=VERIFIER, since=since, anchor=anchor_path(path))


def checkpoint(path: Path) -> str:
    with Ledger.open(path) as ledger:
        return ledger.checkpoint()


def append(path: Path, serial: int, seed: int = 1) -> str:
    """Write one more event to a closed ledger; returns the checkpoint."""
    with open_ledger(path, clock=Clock(LATER)) as ledger:
        for _ in range(seed):
            ledger.append([observe(pack_ids(1, start=serial))])
        return ledger.checkpoint()


# ---- single tamperings -------------------------------------------------------------------------


def test_nothing_is_found_in_a_ledger_that_nobody_touched(victim: Path) -> None:
    report = verified(victim)
    assert report.findings == ()
    assert report.size == report.entries == len(read(victim))
    report.raise_for_findings()


@pytest.mark.parametrize(("name", "power"), cases)
def test_each_tampering_is_found_by_its_own_code(victim: Path, name: str, power: Power) -> None:
    one = TAMPERINGS[name]
    one(victim, power)
    report = verified(victim)
    assert not report
    assert one.codes[power] in report.codes, report.findings
    if power is Power.OPERATOR:
        # Nothing but the thing itself is left to find: everything else was made to fit.
        assert set(report.codes) <= {one.codes[power], *one.also}, report.findings


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampering_says_what_the_attacker_does(name: str) -> None:
    one = TAMPERINGS[name]
    assert one.name == name
    assert one.doc.endswith(".")
    assert one.codes


def test_every_kind_of_finding_is_caused_by_some_tampering() -> None:
    # Left over are those of whole copies (the tests below, and the model test for a lost epoch), and what has tests of
    # its own: bundles, seals, witnesses.
    caused = {code for one in (*TAMPERINGS.values(), *PRUNINGS.values()) for code in one.codes.values()}
    elsewhere = ("BUNDLE_", "SEAL_", "WITNESS_", "PROOF", "CONSISTENCY", "CHAIN_INCOMPLETE", "ABSENCE", "DISCLOSURE")
    copies = {Code.ROLLBACK, Code.FORK, Code.EPOCH_LOST}
    assert caused == {code for code in Code if not code.startswith(elsewhere)} - copies


def test_what_the_log_key_signs_opens_and_goes_on_as_if_nothing_were_wrong(victim: Path) -> None:
    # So the tests above do test verification: neither signature nor anchor stands in this attacker's way.
    TAMPERINGS["content_flipped"](victim, Power.OPERATOR)
    append(victim, 1)
    assert verified(victim).codes == (Code.STATEMENT_ROOT,)


@pytest.mark.parametrize("one", CHAINS, ids=lambda one: one.name)
@pytest.mark.parametrize("power", [Power.DISK, Power.OPERATOR], ids=lambda power: power.value)
def test_who_asks_for_one_unit_finds_what_was_done_to_its_chain(victim: Path, one: Tampering, power: Power) -> None:
    log = read(victim)
    subjects = {row.subject for index in range(len(log)) for row in log.row_list(index)[1]}
    one(victim, power)
    with Ledger.open(victim) as ledger, ledger.snapshot() as snapshot:
        clean = all(verify_unit(snapshot, subject, verifier=VERIFIER) for subject in subjects)
    assert clean is (power is Power.OPERATOR and one.name in HIDDEN_FROM_ONE_UNIT)


def test_several_processes_find_the_same(original: Path, tmp_path: Path) -> None:
    for name in ("event_dropped", "state_changed", "key_smuggled_in"):
        victim = duplicate(original, tmp_path / name)
        TAMPERINGS[name](victim, Power.OPERATOR)
        alone = verify_ledger(victim, verifier=VERIFIER)
        together = verify_ledger(victim, verifier=VERIFIER, processes=2)
        assert set(together.codes) == set(alone.codes)


# ---- copies ------------------------------------------------------------------------------------


def test_an_older_copy_put_back_is_a_rollback(victim: Path, tmp_path: Path) -> None:
    older = duplicate(victim, tmp_path / "older")
    kept = append(victim, 1)
    put_back(victim, older)
    with pytest.raises(RollbackError, match="were signed"):
        open_ledger(victim)
    assert verified(victim).codes == (Code.ROLLBACK,)
    assert verified(victim, since=kept).codes[0] == Code.ROLLBACK


def test_an_older_copy_with_its_anchor_is_found_by_whoever_kept_a_checkpoint(victim: Path, tmp_path: Path) -> None:
    older = duplicate(victim, tmp_path / "older")
    kept = append(victim, 1)
    open_ledger(older).close()
    assert not verified(older).findings
    assert verified(older, since=kept).codes == (Code.ROLLBACK,)


def test_two_copies_written_to_differently_are_a_fork(victim: Path, tmp_path: Path) -> None:
    other = duplicate(victim, tmp_path / "other")
    ours, theirs = append(victim, 1), append(other, 2)
    assert not verified(victim).findings
    assert not verified(other).findings
    assert verified(victim, since=theirs).codes == (Code.FORK,)
    assert verified(other, since=ours).codes == (Code.FORK,)
    put_back(victim, other)
    with pytest.raises(ForkError, match="not those that were signed"):
        open_ledger(victim)
    assert verified(victim).codes == (Code.FORK,)


def test_a_longer_fork_is_a_fork(victim: Path, tmp_path: Path) -> None:
    other = duplicate(victim, tmp_path / "other")
    kept = append(victim, 1)
    append(other, 2, 3)
    put_back(victim, other)
    with pytest.raises(ForkError):
        open_ledger(victim)
    assert verified(victim, since=kept).codes[0] == Code.FORK


def test_a_tail_dropped_with_the_log_key_is_found_against_the_anchor(victim: Path) -> None:
    drop_tail(victim, 3)
    with pytest.raises(RollbackError):
        open_ledger(victim)
    assert verified(victim).codes == (Code.ROLLBACK,)


def test_a_tail_dropped_with_its_anchor_is_found_by_whoever_kept_a_checkpoint(victim: Path) -> None:
    kept = checkpoint(victim)
    drop_tail(victim, 3, anchored=True)
    assert not verified(victim).findings
    assert verified(victim, since=kept).codes == (Code.ROLLBACK,)


def test_a_ledger_without_its_anchor_is_not_written_to(victim: Path) -> None:
    anchor_path(victim).unlink()
    with pytest.raises(RollbackError, match="anchor is missing"):
        open_ledger(victim)
    assert verified(victim).codes == (Code.ROLLBACK,)


def test_an_anchor_of_another_key_is_not_trusted(victim: Path) -> None:
    resign(victim, Keys().stranger)
    with pytest.raises(ForkError, match="another key"):
        open_ledger(victim)
    assert Code.FORK in verified(victim).codes


def test_a_revocation_taken_back_is_found_by_whoever_kept_a_checkpoint(victim: Path) -> None:
    # The operator's own records can be left out without a trace in the log: that is what kept checkpoints are for.
    kept = checkpoint(victim)
    with edit(victim) as log:
        index = next(i for i in range(len(log)) if log.header(i).type.name == "KEY_REVOKED")
        log.remove(index)
    reseal(victim)
    resign(victim, Keys().log)
    assert not verified(victim).findings
    assert verified(victim, since=kept).codes[0] in (Code.FORK, Code.ROLLBACK)


def test_a_ledger_of_other_keys_does_not_pass_for_this_one(original: Path, tmp_path: Path) -> None:
    impostor = tmp_path / "impostor"
    sample_ledger(impostor, keys=Keys(log=Keys().named("impostor")))
    assert verify_ledger(impostor).findings == ()
    found = verify_ledger(impostor, verifier=VERIFIER)
    assert set(found.codes) == {Code.GENESIS, Code.CHECKPOINT_SIGNATURE}


def test_a_checkpoint_of_another_key_is_no_since(victim: Path) -> None:
    with edit(victim) as log:
        note = log.note
    stranger = note.replace("ledger.example/test", "ledger.example/other")
    with pytest.raises(InputError, match="older checkpoint"):
        verified(victim, since=stranger)


def test_a_garbled_tip_is_an_error_not_a_clean_report(victim: Path) -> None:
    from tracechain.store.tables import META
    from tracechain.testing.tamper import database

    with database(victim) as (env, txn):
        txn.put(b"tip", b"\x93\x01\x02\x03", db=env.tables[META])
    with pytest.raises(DataError):
        verified(victim)
