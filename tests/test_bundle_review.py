"""What a hostile bundle could make its reader believe: by words, by spellings, by what lies beside it."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from bundle_samples import Brought
from bundle_verdicts import by_library, by_script
from bundle_verdicts import script as alone
from excerpt_samples import ABSENT, KEYS, NOW, PACKS, VERIFIER, Maker, make_ledger, proofs_in, put_proofs, sealed
from retained import policy
from tracechain.bundle.check import check_whole
from tracechain.bundle.entryfile import EntryFile
from tracechain.bundle.excerpt import SealProofs, export_excerpt
from tracechain.bundle.judging import check_excerpt
from tracechain.bundle.names import SEAL_ABSENT, SEAL_ITEMS
from tracechain.bundle.reading import open_excerpt
from tracechain.bundle.select import select_units
from tracechain.bundle.view import open_whole
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import NoteSigner
from tracechain.cli import replay
from tracechain.encoding import pack
from tracechain.errors import InputError
from tracechain.record import authorise
from tracechain.seals import Presence, note_of, open_seal_note, prover_of, seals_of, sign_note
from tracechain.testing import fixed_key
from tracechain.testing.samples import commission, pack_ids
from tracechain.testing.scanner import Scanner
from tracechain.verification import Code
from tracechain.verification.audit import audit

BROUGHT = Brought()


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[Maker]:
    ledger, _ = make_ledger(tmp_path / "ledger")
    with ledger:
        yield Maker(ledger, tmp_path)


@pytest.mark.parametrize(
    "spelling",
    [
        "(01)09521234001072(21)BJ000001", "01/09521234001072/21/%42J000001", "01/09521234001072/21/BJ000001 ",
        "01/9521234001072/21/BJ000001", "010952123400107221BJ000001", "01/09521234001072/21/\u0412J000001",
        "https://id.gs1.org/01/09521234001072/21/BJ000001", "zz",
    ],
)  # fmt: skip
def test_another_spelling_of_a_code_that_is_there_shows_no_absence(maker: Maker, spelling: str) -> None:
    assert PACKS[0] == "01/09521234001072/21/BJ000001"
    with pytest.raises(InputError, match="spelling"):
        maker.absent(spelling)
    path = maker.absent(ABSENT).path
    with maker.ledger.snapshot() as view:
        put_proofs(path, SEAL_ABSENT, [sealed(view).prover.absence(spelling).encode()])
    for check in (by_library, by_script):
        assert check(path, BROUGHT).first == (Code.ABSENCE, None, spelling)


@pytest.mark.parametrize("subject", ["01/09521234001072/21/%42J000001", "01/9521234001072/21/BJ000001", "nmpa/1"])
def test_the_script_shows_no_other_spelling_as_the_code(subject: str) -> None:
    assert alone().report_human(subject) == subject


HOSTILE = "import sys\nprint('HOSTILE', file=sys.stderr)\nraise SystemExit(0)\n"


@pytest.mark.parametrize("processes", ["1", "2"])
def test_nothing_that_lies_beside_the_script_is_imported(maker: Maker, tmp_path: Path, processes: str) -> None:
    path = tmp_path / "whole"
    with maker.ledger.snapshot() as view:
        export_whole(view, path, exported_ms=NOW)
    for name in ("argparse", "html", "heapq", "json", "multiprocessing", "pickle", "socket", "unicodedata"):
        (path / f"{name}.py").write_text(HOSTILE)
    command = [sys.executable, "verify_bundle.py", ".", "--quiet", "--json", "--processes", processes]
    ran = subprocess.run(command, cwd=path, capture_output=True, text=True, timeout=120, check=False)
    assert "HOSTILE" not in ran.stderr
    assert ran.returncode == 1
    assert json.loads(ran.stdout)["by_code"] == {"BUNDLE_SURPLUS": 8}


# ---- what is shown of what was asked for ---------------------------------------------------------------


def told(path: Path, *arguments: str) -> dict[str, Any]:
    """What the script says of a bundle."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        alone().main([str(path), "--key", BROUGHT.key or "", "--json", "--quiet", *arguments])
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


def unchecked(result: dict[str, Any]) -> str:
    return "\n".join(one["en"] for one in result["not_checked"])


def complete(result: dict[str, Any]) -> str:
    """What the page says to whether it is complete."""
    answers: list[Any] = alone()._report_questions(result)
    return str(answers[2][2][0])


@pytest.mark.parametrize("code", [PACKS[0], "(01)09521234001072(21)BJ000001"])
def test_a_unit_that_was_asked_for_and_is_not_shown_whole_is_told(maker: Maker, code: str) -> None:
    path = maker.units(PACKS[0]).path
    assert "whole history of" not in unchecked(told(path, "--unit", code))
    items = [one for one in proofs_in(path, SEAL_ITEMS) if Presence.decode(one).id != PACKS[0]]
    put_proofs(path, SEAL_ITEMS, items)
    result = told(path, "--unit", code)
    assert not result["findings"]
    assert f"nothing here shows the whole history of {PACKS[0]}" in unchecked(result)
    assert result["timelines"][0]["subject"] == PACKS[0]
    assert not result["timelines"][0]["complete"]
    assert complete(result) == "Not for all"


def test_how_far_the_log_goes_on_behind_the_seal_is_told(maker: Maker) -> None:
    """By an older seal, and without what came behind it: nothing that is here is behind the seal."""
    path = maker.path()
    with maker.ledger.snapshot() as view:
        old = list(seals_of(view))[1]
        chosen = select_units(view, PACKS[2:3])
        export_excerpt(view, path, chosen, exported_ms=NOW, seal=SealProofs(old, prover_of(view, old.body)))
        size = view.size
    for file in path.glob("entries/*.entry"):
        if int(file.stem) > old.index:
            file.unlink()
            file.with_suffix(".proof").unlink()
    result, said = told(path), f"{size - old.body.size - 2} entries of the log came behind the seal"
    assert not result["findings"]
    assert said in unchecked(result)
    assert f"goes on to entry {size - 1}" in alone()._report_questions(result)[2][3][0]
    assert any(note.startswith(said) for note in check_excerpt(path, verifier=VERIFIER).notes)


def test_an_absence_makes_no_history_complete(maker: Maker) -> None:
    """Events of a unit without its proof, and beside them a proof that something else is absent."""
    absence, path = maker.absent(ABSENT).path, maker.units(PACKS[0]).path
    keys = [one for one in proofs_in(path, SEAL_ITEMS) if Presence.decode(one).id.startswith("urn:tracechain:key:")]
    put_proofs(path, SEAL_ITEMS, keys)
    (path / SEAL_ABSENT).write_bytes((absence / SEAL_ABSENT).read_bytes())
    result = told(path)
    assert not result["findings"]
    assert complete(result) == "Not for all"
    assert complete(told(absence)).startswith("Up to entry")


def test_a_retention_policy_that_an_excerpt_cannot_be_held_against_is_told(maker: Maker, tmp_path: Path) -> None:
    (tmp_path / "policy").write_bytes(pack(policy().plain()))
    path = maker.units(PACKS[0]).path
    said = "the retention policy was not asked"
    assert said in unchecked(told(path, "--retention", str(tmp_path / "policy")))
    assert said not in unchecked(told(path))


def test_a_unit_that_no_entry_names_is_told(maker: Maker, tmp_path: Path) -> None:
    with maker.ledger.snapshot() as view:
        export_whole(view, tmp_path / "whole.zip", exported_ms=NOW)
    for result in (told(tmp_path / "whole.zip", "--unit", ABSENT), told(maker.units(PACKS[0]).path, "--unit", ABSENT)):
        assert ABSENT in "\n".join(one["en"] for one in (*result["notes"], *result["not_checked"]))
    assert ABSENT not in unchecked(told(maker.absent(ABSENT).path, "--unit", ABSENT))


def test_keys_that_may_have_been_revoked_behind_the_seal_are_told(maker: Maker) -> None:
    """The station's key is authorised behind the seal and revoked; the excerpt is without the revocation."""
    stolen = fixed_key("stolen")
    ledger = maker.ledger
    ledger.authorise(authorise(ledger.ledger_id, stolen, KEYS.root, "till", ["event"]))
    at = 1_795_300_000_000
    late = pack_ids(1, start=777)
    ledger.submit(Scanner(stolen, ledger.ledger_id).make([commission(late)], at=at))
    made = maker.units(*late).path
    said = "nothing shows whether their authors' keys were revoked"
    result = told(made)
    assert said in unchecked(result)
    assert complete(result) == "Not for all"
    assert any(said in note for note in check_excerpt(made, verifier=VERIFIER).notes)
    before = maker.units(PACKS[2]).path
    assert said not in unchecked(told(before))
    assert not any(said in note for note in check_excerpt(before, verifier=VERIFIER).notes)


# ---- what an auditor signs ---------------------------------------------------------------------------------


def test_an_auditor_signs_nothing_but_what_was_verified(maker: Maker, tmp_path: Path) -> None:
    """The bundle is another one when it is replayed than when it was verified, or keeps a note that says else."""
    auditor = NoteSigner("auditor.example", fixed_key("auditor"))
    signer = replay._Auditor(auditor, tmp_path / "note", True, None)
    for name in ("one", "other"):
        with maker.ledger.snapshot() as view:
            export_whole(view, tmp_path / name, exported_ms=NOW)
        maker.ledger.append([commission(pack_ids(1, start=5_000))])
        maker.ledger.seals.make()
    verified = check_whole(tmp_path / "one", verifier=VERIFIER)
    assert verified, verified.findings
    signer = evolve(signer, head=verified.checkpoint)
    with open_whole(tmp_path / "other") as view:
        assert signer.sign(view, audit(view)) == "the bundle was changed since it was verified"
    with open_whole(tmp_path / "one") as view:
        done = audit(view)
        said = note_of(view, done.seals[0].sealed.body)
        false = evolve(said, seal=evolve(said.seal, map_root=bytes(32)))
        (tmp_path / "one/seals").mkdir()
        kept = tmp_path / f"one/seals/{said.seal.size}"
        kept.write_text(sign_note(false, NoteSigner("another.example", fixed_key("another"))))
        assert "says something else" in (signer.sign(view, done) or "")
        assert not signer.out.exists()
        kept.unlink()
    with open_whole(tmp_path / "one") as view:
        assert signer.sign(view, audit(view)) is None
    assert open_seal_note(signer.out.read_text(), [auditor.verifier])[0] == said


# ---- what a small bundle makes its reader remember ----------------------------------------------------------


def test_a_proof_with_more_hashes_than_any_tree_has_is_none(maker: Maker) -> None:
    path = maker.units(PACKS[0]).path
    first, *others = proofs_in(path, SEAL_ITEMS)
    for count, malformed in ((63, False), (64, True)):
        data = evolve(Presence.decode(first), path=(bytes(32),) * count).encode()
        put_proofs(path, SEAL_ITEMS, [data, *others])
        for check in (by_library, by_script):
            assert (Code.BUNDLE_FILE in check(path, BROUGHT).codes) is malformed


def test_of_entries_that_were_read_few_bytes_are_kept(maker: Maker) -> None:
    path = maker.units(*PACKS).path
    for file in path.rglob("*.entry"):
        entry = EntryFile.decode(file.read_bytes())
        if entry.leaves is not None:
            file.write_bytes(evolve(entry, leaves=(bytes(32),) * 300_000).encode())
    with open_excerpt(path) as view:
        for index in view.indices:
            view.file(index)
        assert len(view.indices) > 5
        assert sum(len(file.leaves or ()) * 32 for file, _ in view._kept._files.values()) < 1 << 25
