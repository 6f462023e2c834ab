"""docs/obligations.md leaves no obligation out, and everything that it points to exists."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from attrs import frozen

from tracechain.cli import program

ROOT = Path(__file__).resolve().parents[1]
DOMAIN = ROOT / ".." / "shared" / "domain.md"
TEXT = (ROOT / "docs" / "obligations.md").read_text("utf-8")

#: Every obligation, with where it stands.
OBLIGATIONS = {
    "L1": "S1 V; S0", "L2": "S1 V", "L3": "S1 VII", "L4": "S1 III(1)3", "L5": "S1 VI", "L6": "S1 VI",
    "R1": "S1 IV(1), III", "R2": "S1 IV(3)1, VIII(4)3, 5; S0; S4", "R3": "S1 IV(3)2, VIII(4)4", "R4": "S1 IV(3)",
    "R5": "S1 IV(2), VIII(4)1, 7", "R6": "S1 VII", "R7": "S1 VIII(4)2", "R8": "S1 VI", "R9": "S1 V", "R10": "S1 VI",
    "R11": "S1 III(1), VI; S0", "R12": "S2", "R13": "S4 Part 2",
    "Q1": "S1 VI", "Q2": "S1 V, III(1)5", "Q3": "S1 III(1)4", "Q4": "S1 IV(3), VIII(1)", "Q5": "S1 VII",
    "K1": "S1 VII", "K2": "S1 VII", "K3": "S1 VIII(2)",
    "G1": "S1 VIII(3)", "G2": "S1 VIII(3), (4)", "G3": "S1 VIII(1), (4)6", "G4": "S1 III(2)",
    "X1": "S0; S3", "X2": "S0", "X3": "S3",
    "T1": "S3", "T2": "S1 II; S4 Part 1",
}  # fmt: skip
#: What later parts bring.
PLANNED = {"T1", "T2"}


@frozen
class Row:
    """An obligation and what the document says of it."""

    id: str
    obligation: str
    clause: str
    functions: tuple[str, ...]
    tests: tuple[str, ...]
    commands: tuple[str, ...]
    state: str


def quoted(cell: str) -> tuple[str, ...]:
    """What a cell names, which is nothing but names."""
    found = tuple(re.findall("`([^`]+)`", cell))
    assert ", ".join(f"`{one}`" for one in found) == cell, cell
    return found


def rows() -> list[Row]:
    found = []
    for line in re.findall(r"^\| [A-RT-Z][0-9]+ \|.*$", TEXT, re.MULTILINE):
        id_, obligation, clause, functions, tests, commands, state = (c.strip() for c in line.strip("|").split("|"))
        found.append(Row(id_, obligation, clause, quoted(functions), quoted(tests), quoted(commands), state))
    return found


ROWS = rows()
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)


def test_no_obligation_is_left_out() -> None:
    assert {row.id: row.clause for row in ROWS} == OBLIGATIONS
    assert [row.id for row in ROWS] == list(OBLIGATIONS)


def test_the_obligations_are_those_of_the_domain() -> None:
    if not DOMAIN.exists():
        pytest.skip("the domain's own table is not beside the repository")
    section = DOMAIN.read_text("utf-8").split("## 1. ")[1].split("\n## ")[0]
    found = re.findall(r"^\| ([A-Z][0-9]+) \| [^|]+ \| ([^|]+) \|$", section, re.MULTILINE)
    assert dict(found) == OBLIGATIONS


@EACH
def test_each_names_a_function_a_test_and_a_command(row: Row) -> None:
    assert row.obligation
    assert row.functions
    assert row.tests
    assert row.commands


def resolved(name: str) -> Any:
    """What a dotted name stands for: an attribute where there is one, else a module (of one name, the function)."""
    found: Any = None
    for end, part in enumerate(parts := name.split("."), 1):
        found = getattr(found, part) if hasattr(found, part) else import_module(".".join(parts[:end]))
    return found


@EACH
def test_its_functions_are_there(row: Row) -> None:
    for name in row.functions:
        assert name.startswith("tracechain.")
        assert not isinstance(resolved(name), ModuleType), f"{name} is a module: name what does it"


@EACH
def test_its_tests_are_there(row: Row) -> None:
    for name in row.tests:
        file, _, test = name.partition("::")
        tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
        assert test in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}, name


@EACH
def test_its_commands_are_there(row: Row) -> None:
    for command in row.commands:
        program_name, *words = command.split()
        assert program_name == "tracechain"
        assert words
        found: click.Command | None = program.program
        for word in words:
            assert isinstance(found, click.Group)
            found = found.get_command(click.Context(found), word)
        assert found is not None, command


@EACH
def test_it_says_how_far_it_is(row: Row) -> None:
    if row.id in PLANNED:
        assert row.state.startswith("planned: ")
        assert "Today " in row.state, "what is planned says what there is already"
    else:
        assert row.state.startswith("done")


def test_its_sources_are_named() -> None:
    sources = set(re.findall(r"^\| (S[0-9]) \|", TEXT, re.MULTILINE))
    cited = set(re.findall(r"\bS[0-9]\b", " ".join(row.clause for row in ROWS)))
    assert cited <= sources
    assert sources == {"S0", "S1", "S2", "S3", "S4"}
