"""docs/custody.md and its drawing are as the code says, and enough to write the state machine again.

A second implementation was written from the documents (`standalone_custody`, which imports nothing of ours): the tables
in the text are held against it, cell by cell.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

import standalone_custody as standalone
from tracechain.custody import RULES, Act, Custody, Violation

DOCS = Path(__file__).resolve().parents[1] / "docs"
TEXT = (DOCS / "custody.md").read_text("utf-8")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_custody", DOCS / "generate_custody.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(heading: str) -> list[list[list[str]]]:
    """The tables of a section, each a list of rows of cells, without their heads."""
    section = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [[[cell.strip() for cell in line[1:-1].split("|")] for line in t.splitlines()[2:]] for t in tables]


# ---- as generated ----------------------------------------------------------------------------------


def test_the_documents_are_as_generated() -> None:
    command = [sys.executable, str(DOCS / "generate_custody.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "custody.md is as generated\ncustody.svg is as generated\n"), done


def test_documents_that_went_stale_are_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = generator().main
    assert main(["--check"], tmp_path) == 1
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    text = (tmp_path / "custody.md").read_text("utf-8")
    assert text == TEXT
    (tmp_path / "custody.md").write_text(text.replace("| 8 cancel | 2 |", "| 8 cancel | 1 |"), "utf-8")
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    assert "+| 8 cancel | 2 |" in capsys.readouterr().out


# ---- the text --------------------------------------------------------------------------------------


def test_the_table_is_that_of_the_second_implementation() -> None:
    head = next(line for line in TEXT.splitlines() if line.startswith("| act | 0 none "))
    assert [cell.split()[0] for cell in head[1:-1].split("|")[1:]] == [str(one.value) for one in Custody]
    numbers = {one.name.lower(): one.value for one in Custody}
    acts, cells = rows("What an act does")
    found: dict[int, list[str]] = {}
    for name, *columns in cells:
        number, _, act = name.partition(" ")
        assert Act(int(number)).name.lower() == act
        found[int(number)] = [
            "." if cell == "." else f">{numbers[cell.strip('*')]}" if "*" in cell else "!" + cell.replace(", ", "+")
            for cell in columns
        ]
    assert found == standalone.CELLS
    assert {int(row[1]) for row in acts if row[4] == "yes"} == standalone.GUARDED
    assert {int(row[1]) for row in acts} == set(map(int, RULES))


def test_custodies_flags_and_violations_have_their_numbers() -> None:
    custodies, flags = rows("State")
    assert {row[0]: int(row[1]) for row in custodies} == {one.name.lower(): one.value for one in Custody}
    bits = {row[0].upper(): 1 << int(row[1]) for row in flags}
    assert bits == {name: getattr(standalone, name) for name in bits}
    (violations,) = rows("Violations")
    assert {int(row[0]): row[1].strip("`") for row in violations} == {one.value: one.name for one in Violation}
    assert {int(row[0]) for row in violations if row[2] in ("context", "both")} == standalone.CONTEXTUAL
    assert all(all(row) for row in violations), "every violation has a clause, words, and something to do"


# ---- the drawing -----------------------------------------------------------------------------------


def test_the_drawing_shows_every_custody_and_every_act_that_moves_a_pack() -> None:
    root = ET.parse(DOCS / "custody.svg").getroot()
    texts = [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {one.name.lower() for one in Custody} <= set(texts)
    said = set(re.findall(r"\w+", " ".join(texts)))
    assert {act.name.lower() for act in RULES} <= said
    mermaid = TEXT.split("```mermaid\n")[1].split("```")[0]
    arrows = re.findall(r"^    (\S+) --> (\S+): (.*)$", mermaid, re.MULTILINE)
    moves = {
        ("[*]" if before == Custody.NONE else before.name.lower(), after.name.lower(), act.name.lower())
        for act, rule in RULES.items()
        for before, after in rule.moves.items()
        if act != Act.DESTROY
    }
    assert {(a, b, act) for a, b, acts in arrows for act in acts.split(", ")} == moves
