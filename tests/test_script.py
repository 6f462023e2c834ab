"""The stand-alone script finds what the library finds: the same findings, in the same order, in whole bundles."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from excerpt_samples import ABSENT, PACKS, VERIFIER, Maker, make_ledger
from script_worlds import by_library, by_script, note_size, result_of, write_whole
from test_script_vectors import CASES
from tracechain import verify_bundle as script
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import Checkpoint, NoteSigner, VerifierKey, format_vkey, sign_checkpoint
from tracechain.ledger import Ledger
from tracechain.testing import ORIGIN, Keys, new_ledger
from tracechain.testing.samples import observe, pack_ids
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


# ---- units that are asked for (format.md section 16) -----------------------------------------------


def exit_of(path: Path, vkey: str, *units: str) -> int:
    named = [argument for unit in units for argument in ("--unit", unit)]
    return script.main([str(path), "--key", vkey, "--json", "--quiet", *named])


def test_a_unit_of_an_excerpt_is_shown_whole_or_absent_or_the_exit_is_1(tmp_path: Path) -> None:
    vkey, (one, other) = format_vkey(VERIFIER), PACKS[:2]
    ledger, _ = make_ledger(tmp_path / "ledger")
    with ledger:
        maker = Maker(ledger, tmp_path)
        units, absence = maker.units(one).path, maker.absent(ABSENT).path
    assert [
        exit_of(units, vkey),
        exit_of(units, vkey, one),
        exit_of(units, vkey, "(01)09521234001072(21)BJ000001"),
    ] == [0] * 3
    assert [exit_of(units, vkey, other), exit_of(units, vkey, one, other), exit_of(units, vkey, ABSENT)] == [1] * 3
    assert [exit_of(absence, vkey), exit_of(absence, vkey, ABSENT)] == [0, 0]
    assert [exit_of(absence, vkey, one), exit_of(absence, vkey, ABSENT, one)] == [1, 1]
    assert result_of(units, vkey, units=[other])["verdict"] == "clean"


def test_a_unit_of_a_whole_log_is_named_there_or_absent_or_the_exit_is_1(
    sample: Path, pruned: Path, tmp_path: Path
) -> None:
    """What no entry names is absent, unless it may have been in rows that are gone, or no log would name it so."""
    path = bundled(sample, tmp_path / "all")
    with Ledger.open(sample) as ledger, ledger.snapshot() as view:
        one = next(subject for subject, _ in view.units() if subject.startswith("01/"))
    assert [exit_of(path, VKEY, one), exit_of(path, VKEY, ABSENT), exit_of(path, VKEY, one, ABSENT)] == [0] * 3
    assert [exit_of(path, VKEY, code) for code in ("zz", "010952123400107221NEVER", one.replace("/0", "/"))] == [1] * 3
    gone = bundled(pruned, tmp_path / "gone")
    assert [exit_of(gone, VKEY), exit_of(gone, VKEY, ABSENT)] == [0, 1]


# ---- as a regulator runs it ------------------------------------------------------------------------

SCRIPT = Path(script.__file__)


def interpreters() -> list[list[str]]:
    """This Python, and others that are installed beside it under their own names."""
    found = [[sys.executable]]
    for version in ("3.9", "3.10", "3.12", "3.13", "3.14"):
        for name in (f"python{version}", *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))):
            path = shutil.which(name)
            if path and subprocess.run([path, "-c", "0"], capture_output=True, check=False).returncode == 0:
                found.append([path])
                break
    return found


def run(python: list[str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*python, "-I", str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("python", interpreters(), ids=lambda python: Path(python[0]).parent.parent.name)
def test_any_python_from_3_9_on(python: list[str], sample: Path, tmp_path: Path) -> None:
    path = bundled(sample, tmp_path / "bundle")
    done = run(python, path, "--key", VKEY, "--json", "--processes", "2", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert (result["verdict"], result["exit"], result["error"]) == ("clean", 0, None)
    assert result["script"]["sha256"] == sha256(SCRIPT.read_bytes()).hexdigest()
    (path / "rows" / "000.p" / f"{note_size((path / 'checkpoint').read_text())}").write_bytes(b"")
    done = run(python, path, "--key", VKEY, "--lang", "en")
    assert done.returncode == 1
    assert "BUNDLE_FILE" in done.stdout


def test_exit_codes(sample: Path, tmp_path: Path) -> None:
    path = bundled(sample, tmp_path / "bundle")
    assert run([sys.executable], path).returncode == 1  # nobody said whose it should be
    other = format_vkey(VerifierKey(ORIGIN, 1, Keys().root.public_key))
    assert run([sys.executable], path, "--key", other).returncode == 1
    for wrong in (("--key", "x"), ("--key", VKEY, "--witness", VKEY), ("--key", VKEY, "--quorum", "1"),
                  ("--key", VKEY, "--since", tmp_path / "none"), ("--key", VKEY, "--now", "soon")):  # fmt: skip
        done = run([sys.executable], path, *wrong, "--lang", "en")
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
    (path / "bundle.json").unlink()
    assert run([sys.executable], path, "--key", VKEY).returncode == 2
    assert run([sys.executable], tmp_path / "none", "--key", VKEY).returncode == 2


def test_the_script_imports_nothing_but_the_standard_library() -> None:
    names = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or "."])
    }
    assert names <= sys.stdlib_module_names


# ---- older checkpoints, seals, witnesses -----------------------------------------------------------


def test_an_older_checkpoint(sample: Path, tmp_path: Path) -> None:
    log = read(sample)
    path = bundled(sample, tmp_path / "bundle")
    with Ledger.open(duplicate(sample, tmp_path / "ledger")) as ledger:
        kept = ledger.checkpoint()
    assert result_of(path, VKEY, since=kept.encode())["since"]["stands"] is True
    signer = NoteSigner(ORIGIN, Keys().log)
    hashes = [script.leaf_of(header) for header in log.headers if header is not None]
    origin = kept.split("\n", 1)[0]
    for size, root, code in (
        (len(hashes) - 3, script.root_of(hashes[:-3]), None),
        (len(hashes) - 3, bytes(32), "FORK"),
        (len(hashes) + 1, bytes(32), "ROLLBACK"),
    ):
        note = sign_checkpoint(Checkpoint(origin, size, root), [signer])
        result = result_of(path, VKEY, since=note.encode())
        assert [one["code"] for one in result["findings"]] == ([] if code is None else [code])


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with five seals; units come in, and stand elsewhere, between them."""
    folder = tmp_path_factory.mktemp("sealed")
    with new_ledger(folder / "ledger") as ledger:
        for number in range(5):
            for at in range(1, 600, 100):
                ledger.append([observe([one]) for one in pack_ids(100, start=at + 40 * number)])
            ledger.seals.make()
        with ledger.snapshot() as snapshot:
            export_whole(snapshot, folder / "bundle", exported_ms=0)
    return folder / "bundle"


@pytest.mark.parametrize("subjects", [10, 1_000_000])
def test_seals_are_made_again(sealed: Path, subjects: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every seal of a log is worked out, all in one sweep; subjects by parts give the same maps."""
    monkeypatch.setattr(script, "PART_SUBJECTS", subjects)
    result = result_of(sealed, VKEY)
    assert result["findings"] == []
    assert [one["worked_out"] for one in result["seals"]] == [True] * 5
    assert [one["ids"] for one in result["seals"]] == sorted(one["ids"] for one in result["seals"])
    assert result["counts"]["seals"] == 5


def test_a_map_by_the_book() -> None:
    """The sweep over all seals against the definition of one (format.md section 5.12)."""
    random = Random(7)
    leaves = [sha256(bytes([n % 256, n // 256])).digest() for n in range(3000)]
    subjects = [f"01/{n:05}/21/{random.randrange(10**6)}" for n in range(1500)]
    words: dict[str, int] = {}
    changes, maps = [], []
    for number in range(6):
        for subject in random.sample(subjects, 300 if number else 900):
            words[subject] = random.randrange(8) << script.SHIFT | random.randrange(1, 3001)
            changes.append((subject, number, words[subject]))
        buckets: list[list[bytes]] = [[]]
        for subject in sorted(words):
            index = (words[subject] & script.MASK) - 1
            item = script.encode([subject, index, leaves[index], words[subject] >> script.SHIFT])
            buckets[-1].append(sha256(b"\0" + item).digest())
            if sha256(b"TCH0 seal end\0\0\0" + subject.encode()).digest()[0] == 0:
                buckets.append([])
        roots = [b"\0" + len(one).to_bytes(4, "big") + script.root_of(one) for one in buckets if one]
        maps.append((len(words), script.root_of([sha256(one).digest() for one in roots])))
    assert script.sweep(6, sorted(changes), leaves.__getitem__, lambda count: None) == maps
