"""What a hostile bundle could make its reader believe: by words, by spellings, by what lies beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundle_samples import Brought
from bundle_verdicts import by_library, by_script
from bundle_verdicts import script as alone
from excerpt_samples import ABSENT, NOW, PACKS, Maker, make_ledger, put_proofs, sealed
from tracechain.bundle.names import SEAL_ABSENT
from tracechain.bundle.whole import export_whole
from tracechain.errors import InputError
from tracechain.verification import Code

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
