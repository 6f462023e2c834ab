"""The vectors of archives, read by the library and by a script that knows the text of the format alone."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import standalone_archive
from archive_samples import VKEY, make, sample_views
from tracechain.archive import check_archive, open_archive
from tracechain.checkpoint import parse_vkey
from tracechain.errors import DataError

VECTORS = Path(__file__).parent / "vectors"
SCRIPT = Path(standalone_archive.__file__)
CASES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("archive-*.json"))
}
GOOD = {name for name, case in CASES.items() if "digest" in case}


@pytest.fixture
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(bytes.fromhex(CASES[request.param]["file"]))
    return path


def test_there_are_all_kinds() -> None:
    assert {"archive-whole", "archive-packed", "archive-all", "archive-far"} == GOOD
    assert sum("findings" in case for case in CASES.values()) >= 12
    assert sum("refused" in case for case in CASES.values()) >= 6


@pytest.mark.parametrize(("file", "name"), [(name, name) for name in CASES], indirect=["file"])
def test_the_library_says_what_the_vector_says(file: Path, name: str) -> None:
    case = CASES[name]
    verifier = parse_vkey(case["vkey"])
    if "refused" in case:
        with pytest.raises(DataError):
            check_archive(file, verifier)
        return
    report = check_archive(file, verifier)
    assert report.codes == set(case.get("findings", ()))
    if name in GOOD:
        assert report.archive.digest.hex() == case["digest"]
        with open_archive(file) as reader:
            held = [str(index) for start, stop in reader.sets.held.ranges for index in range(start, stop)]
            assert held == list(case["entries"])
            for index, said in case["entries"].items():
                found = reader.entry(int(index))
                parts = {"header": found.header, "content": found.content, "rows": found.rows}
                assert {what: part and part.hex() for what, part in parts.items()} == said


@pytest.mark.parametrize(("file", "name"), [(name, name) for name in CASES], indirect=["file"])
def test_the_script_says_what_the_vector_says(file: Path, name: str) -> None:
    if name in GOOD:
        entries = CASES[name]["entries"].values()
        counts = [sum(one[what] is not None for one in entries) for what in ("header", "content", "rows")]
        said = standalone_archive.main(str(file), CASES[name]["vkey"])
        assert [int(word) for word in said.split() if word.isdigit()][:3] == counts
    else:
        with pytest.raises(Exception, match=r"."):
            standalone_archive.main(str(file), CASES[name]["vkey"])


def test_the_script_imports_nothing_of_ours() -> None:
    names = set()
    for node in ast.walk(ast.parse(SCRIPT.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names - sys.stdlib_module_names == {"standalone_check"}


def test_the_script_runs_by_itself(tmp_path: Path) -> None:
    view = sample_views(tmp_path)[-1]
    path = make(view, tmp_path / "out", ((0, view.size),), ((5, 20),))

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-E", "-s", SCRIPT, path, VKEY], capture_output=True, text=True, check=False, timeout=60
        )

    good = run()
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith("\nOK\n")
    data = path.read_bytes()
    path.write_bytes(data[:500] + bytes((data[500] ^ 1,)) + data[501:])
    bad = run()
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("MISMATCH: block of entry 0: hash")
