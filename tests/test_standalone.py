"""docs/format.md suffices: a script that imports nothing of tracechain recomputes ledgers and sees what was altered."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tracechain import record
from tracechain.checkpoint import NoteSigner, format_vkey
from tracechain.ledger import Ledger
from tracechain.record import Record
from tracechain.station import Station
from tracechain.testing import ORIGIN, START, Clock, Keys, Random, new_ledger
from tracechain.testing.samples import case_id, commission, observe, pack, pack_ids, relabel, ship, stock
from tracechain.testing.scanner import sample_ledger
from tracechain.testing.tamper import PRUNINGS, TAMPERINGS, Power, drop_tail, duplicate
from tracechain.testing.tamper.by_hand import pruned_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).with_name("standalone_check.py")
VKEY = format_vkey(NoteSigner(ORIGIN, Keys().log).verifier)

#: What the script says itself that it does not check, and so does not see once hashes and signatures fit.
BEYOND = {
    *((name, Power.DISK) for name in ("index_altered", "node_altered")),  # derived tables
    *((name, Power.LOG_KEY) for name in ("author_contradicts_itself", "numbers_left_out")),  # gaps, equivocation
    *((name, Power.OPERATOR) for name in ("author_contradicts_itself", "numbers_left_out", "statement_dropped")),
    *((name, power) for name in ("evidence_forged", "evidence_of_nothing") for power in list(Power)[1:]),
    *((name, Power.OPERATOR) for name in ("receipt_time_decreased", "receipt_time_ahead", "clock_record_altered")),
    *((name, Power.OPERATOR) for name in ("clamp_hidden", "time_within_batch", "signed_by_other_author")),
    ("time_within_batch", Power.LOG_KEY),
    ("policy_made_up", Power.OPERATOR),
    *((name, power) for name in ("settlement_forged", "settlement_replayed") for power in list(Power)[1:]),
    *((name, Power.OPERATOR) for name in ("state_changed", "violation_removed", "violation_added")),  # states
    *((name, Power.OPERATOR) for name in ("act_changed", "row_added")),  # whether rows fit the contents
}


def run(ledger: Path, vkey: str = VKEY) -> subprocess.CompletedProcess[str]:
    """Run the script as a stranger does: isolated, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-I", SCRIPT, ledger, vkey], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nearly every type of entry: five kinds of events, records, three authors, one of them revoked, clock records."""
    path = tmp_path_factory.mktemp("standalone") / "ledger"
    sample_ledger(path)
    return path


@pytest.fixture
def copy(ledger: Path, tmp_path: Path) -> Iterator[Path]:
    yield duplicate(ledger, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy")


def counted(result: subprocess.CompletedProcess[str]) -> list[int]:
    """Entries, statements, events, rows, as the script counted them."""
    assert (result.returncode, result.stderr) == (0, "")
    first, last = result.stdout.splitlines()
    assert last == "OK"
    return [int(word) for word in first.split() if word.isdigit()]


def test_the_script_imports_nothing_of_ours_and_stays_short() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    modules = {
        name
        for node in ast.walk(tree)
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None)])
        if name
    }
    outside = {name.partition(".")[0] for name in modules} - sys.stdlib_module_names
    assert outside == {"lmdb", "cryptography"}
    code = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    assert len(code) <= 200


def test_a_ledger_with_a_bit_of_everything_is_recomputed(ledger: Path) -> None:
    with Ledger.open(ledger) as opened, opened.snapshot() as view:
        kinds = [header[4] for _, header in view.headers(0, view.size)]
        rows = [int.from_bytes(header[40:44], "big") for _, header in view.headers(0, view.size)]
    assert set(kinds) == {1, 2, 3, 4, 5, 6, 7}
    assert max(rows) > 2
    assert counted(run(ledger)) == [len(kinds), kinds.count(2), kinds.count(3), sum(rows)]


def test_station_batches_revocation_and_a_new_epoch_are_recomputed(tmp_path: Path) -> None:
    clock, keys = Clock(), Keys()
    path = tmp_path / "ledger"
    with new_ledger(path, keys=keys, clock=clock) as opened:
        station = Station.create(tmp_path / "station", keys.station, opened.ledger_id, clock=clock, random=Random(7))
        opened.authorise(record.authorise(opened.ledger_id, keys.station, keys.root, "gate 1", ("event", "note")))
        ids = pack_ids(70)
        # 70 contents are two leaves of a statement; ids of several prefixes are several groups of rows.
        opened.submit(station.make([commission((one,)) for one in ids], record_class=3))
        mixed = (*ids[:3], *pack_ids(2, product="09521234001089"), "nmpa/81234567890123456789", "urn:example:crate:1")
        opened.submit(station.make([pack(case_id(1), mixed), ship((case_id(1),)), stock(70)]))
        opened.submit(
            station.make(
                [Record("note", (1, b"\0", (True, None), -40_000, 2**63), ids[0]), relabel(ids[3:4], ids[4:5])]
            )
        )
        station.close()
        opened.backup(tmp_path / "backup")
        clock.advance(60_000)
        opened.append([observe(ids[5:6])])
        opened.revoke(record.revoke(opened.ledger_id, keys.station.public_key.hash, keys.root, "sold"))
    before = counted(run(path))
    assert before[2] == 70 + 3 + 1 + 1
    shutil.rmtree(path)
    shutil.copytree(tmp_path / "backup", path)
    with Ledger.restore(path, signer=keys.log, author=keys.author, reason="disk failed", clock=clock) as opened:
        opened.append([observe(ids[5:6])])
        assert f"{ORIGIN}/epoch/1\n" in opened.checkpoint()
    after = counted(run(path))
    assert after == [before[0] - 3 + 3, before[1], before[2], before[3] - 1]


@pytest.mark.parametrize("name", ["content_flipped", "second_claims_first", "scope_widened", "tail_truncated"])
def test_the_script_names_what_was_altered_and_exits_with_1(copy: Path, name: str) -> None:
    TAMPERINGS[name](copy)
    result = run(copy)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("MISMATCH: ")
    assert "Traceback" not in result.stderr


def test_a_dropped_tail_does_not_fit_what_a_bystander_keeps(copy: Path) -> None:
    """The script takes the ledger's own checkpoint, so a tail dropped with the log key shows in the count alone."""
    whole = counted(run(copy))
    drop_tail(copy, 3)
    assert counted(run(copy))[0] == whole[0] - 3


@pytest.mark.parametrize(
    ("vkey", "words"),
    [
        (VKEY.replace("test+", "tess+"), "key id is wrong"),
        (format_vkey(NoteSigner(ORIGIN, Keys().stranger).verifier), "another origin or log key"),
        (format_vkey(NoteSigner("other.example", Keys().log).verifier), "another origin or log key"),
    ],
)
def test_another_verifier_key_is_refused(ledger: Path, vkey: str, words: str) -> None:
    result = run(ledger, vkey)
    assert result.returncode == 1
    assert words in result.stderr


def test_a_missing_ledger_is_a_mismatch_too(tmp_path: Path) -> None:
    assert run(tmp_path / "none").returncode == 1


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    """The script's functions, for what would take hundreds of processes."""
    names: dict[str, Any] = {"__name__": "standalone"}
    exec(compile(SCRIPT.read_text("utf-8"), SCRIPT, "exec"), names)
    return names


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_tampering_is_seen_but_for_what_the_script_says_it_does_not_check(
    ledger: Path, tmp_path: Path, script: dict[str, Any], name: str
) -> None:
    for power in TAMPERINGS[name].codes:
        copy = duplicate(ledger, tmp_path / power.name)
        TAMPERINGS[name](copy, power)
        if (name, power) in BEYOND:
            assert script["main"](str(copy), VKEY)
        else:
            with pytest.raises((ValueError, LookupError)):
                script["main"](str(copy), VKEY)


#: Of what was pruned, the parts alone are held against what was announced and done, not whether that was lawful.
STRUCTURE = {
    *("content_gone_unannounced", "rows_gone_unannounced", "record_gone", "done_without_intent", "done_twice"),
    *("announced_with_other_counts", "announced_with_other_digest", "done_with_other_digest", "intent_enlarged"),
    *("newer_rows_before_older", "pack_made_to_vanish", "done_and_not_gone", "lawful_intent_rewritten"),
    "rows_with_their_content",
}


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pruned") / "ledger"
    pruned_ledger(path)
    return path


def test_a_pruned_ledger_is_recomputed_as_far_as_it_is_there(pruned: Path) -> None:
    with Ledger.open(pruned) as opened, opened.snapshot() as view:
        kinds = [header[4] for _, header in view.headers(0, view.size)]
        rows = [int.from_bytes(header[40:44], "big") for _, header in view.headers(0, view.size)]
        assert sum(1 for _ in view.contents(0, view.size)) < view.size
    assert counted(run(pruned)) == [len(kinds), kinds.count(2), kinds.count(3), sum(rows)]


@pytest.mark.parametrize("name", PRUNINGS)
def test_of_prunings_it_sees_what_parts_and_announcements_tell(
    pruned: Path, tmp_path: Path, script: dict[str, Any], name: str
) -> None:
    for power in PRUNINGS[name].codes:
        copy = duplicate(pruned, tmp_path / power.name)
        PRUNINGS[name](copy, power)
        if name in STRUCTURE or power is Power.DISK:
            with pytest.raises((ValueError, LookupError)):
                script["main"](str(copy), VKEY)
        elif (name, power) != ("keep_until_shortened", Power.LOG_KEY):  # where leaves do not fit the rows after them
            assert script["main"](str(copy), VKEY)


def test_the_list_of_what_is_not_checked_names_tamperings_that_exist() -> None:
    assert {(name, power) for name, one in TAMPERINGS.items() for power in one.codes} >= BEYOND


def test_the_readers_of_the_script_know_every_form_of_canonical_bytes(script: dict[str, Any]) -> None:
    from tracechain import encoding

    value = (
        None, True, False, 0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63, 2**64 - 1,
        -1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**63),
        "", "x" * 31, "x" * 32, "\u836f" * 85, "x" * 256, b"", b"y" * 255, b"y" * 256,
        (), tuple(range(15)), tuple(range(16)), ((("deep",),),), START,
    )  # fmt: skip
    data = encoding.pack(value)

    def plain(item: Any) -> Any:
        return tuple(map(plain, item)) if isinstance(item, list) else item

    assert plain(script["read"](data)[0]) == value
    assert script["read"](data)[1] == len(data)
    assert [script["read"](one)[0] for one in script["items"](data)][:3] == [None, True, False]
    large = encoding.pack(("z" * 65_536, b"z" * 65_536, tuple(range(65_536))))
    assert plain(script["read"](large)[0]) == ("z" * 65_536, b"z" * 65_536, tuple(range(65_536)))
