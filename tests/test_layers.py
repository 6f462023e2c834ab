"""The house rules that a machine can check: layers, citations, file sizes, reasons behind every silenced check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
CODE = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
FORMAT = ROOT / "docs" / "format.md"
CITATION = re.compile(r"format\.md[\s)]+sections?\s+(?P<numbers>[0-9.]+(?:(?:,| and| to)\s+[0-9.]+)*)")
SILENCED = re.compile(r"#\s*(noqa|type:\s*ignore)(?P<codes>[:\[][^#]*)?(?P<reason>.*)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_layers_and_importers_hold() -> None:
    """The contracts of import-linter in pyproject.toml."""
    tool = Path(sys.executable).with_name("lint-imports")
    if not tool.exists():
        pytest.skip("import-linter is not installed: make setup")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_every_module_has_a_layer() -> None:
    """What the layers contract does not name, it does not hold."""
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {layer.strip() for one in contracts if one["type"] == "layers" for layer in one["layers"]}
    named = {part.strip(" ()") for layer in layers for part in re.split(r"[|:]", layer)}
    package = ROOT / "src" / "tracechain"
    modules = {
        f"tracechain.{path.stem}"
        for path in package.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and not path.stem.startswith("__")
    }
    assert modules - named == set()


def sections() -> set[str]:
    text = FORMAT.read_text()
    return {match[1].rstrip(".") for match in re.finditer(r"^#+ ([0-9]+(?:\.[0-9]+)*\.?) ", text, re.MULTILINE)}


def citations(path: Path) -> Iterator[str]:
    # A citation may be broken over two lines of a comment or docstring.
    text = re.sub(r"\n\s*(?:#\s*)?", " ", path.read_text())
    for match in CITATION.finditer(text):
        yield from re.findall(r"[0-9]+(?:\.[0-9]+)*", match["numbers"])


def test_cited_sections_exist() -> None:
    there = sections()
    found = [(name(path), number) for path in SOURCES for number in citations(path)]
    assert len(found) > 40
    assert [one for one in found if one[1] not in there] == []


def test_citations_are_seen_in_every_form(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(
        '"""See docs/format.md sections 2, 4 and 7.1."""\n# format.md section 6.4.\n# format.md\n#   section 99 says\n'
    )
    assert list(citations(file)) == ["2", "4", "7.1", "6.4", "99"]
    assert "99" not in sections()
    assert {"1", "2.1", "7.1", "9", "9.7", "11.2"} <= sections()


@pytest.mark.parametrize("path", [one for one in CODE if one.name != "verify_bundle.py"], ids=name)
def test_no_file_is_too_long(path: Path) -> None:
    """One is longer: a regulator reads one file, and carries one file about."""
    assert len(path.read_text().splitlines()) <= 600


def comments(path: Path) -> Iterator[tuple[int, str]]:
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def without_reason(path: Path) -> list[str]:
    found = []
    for line, comment in comments(path):
        match = SILENCED.search(comment)
        if match is not None:
            codes = match["codes"] or ""
            # Which check is silenced, then why: behind a second "#", a dash or two spaces.
            why = re.fullmatch(
                r"[:\[]\s*[A-Za-z0-9, -]+?\]?(?:\s*#\s*|\s+-\s+|\s\s+)(?P<why>[^\s#].*)", codes + match["reason"]
            )
            if why is None:
                found.append(f"{name(path) if path.is_relative_to(ROOT) else path.name}:{line}: {comment}")
    return found


def test_what_is_silenced_says_why() -> None:
    assert [line for path in CODE for line in without_reason(path)] == []


@pytest.mark.parametrize(
    ("comment", "fine"),
    [
        ("# noqa", False),
        ("# noqa: S101", False),
        ("# noqa: S101  # the Protocol's; nothing is stored", True),
        ("# noqa: A002 - as above", True),
        ("# type: ignore", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore[arg-type] # three columns", True),
        ("# type: ignore[arg-type, misc]  # they are given as such", True),
        ("# type: ignore[arg-type] #", False),
        ("# noqa: E501  a line of a note is as long as it is", True),
        ("# noqa: E501, S101 ", False),
        ("# nothing is silenced here", True),
    ],
)
def test_reasons_are_told_from_codes(tmp_path: Path, comment: str, fine: bool) -> None:
    file = tmp_path / "x.py"
    file.write_text(f"x = 1  {comment}\n")
    assert (without_reason(file) == []) is fine


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_every_module_explains_itself(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module says what it is for"
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}


def test_pure_modules_do_no_input_or_output() -> None:
    """No clock, randomness, key or file in a pure function (invariant 4 of the design): they are arguments."""
    pure = ["event", "encoding", "identifiers", "merkle.py", "checkpoint.py", "entry.py", "record.py", "statement.py",
            "custody.py", "view.py", "replay.py", "verification"]  # fmt: skip
    package = ROOT / "src" / "tracechain"
    files = [f for one in pure for f in ([package / one] if one.endswith(".py") else (package / one).rglob("*.py"))]
    assert len(files) > 25
    forbidden = {"os", "time", "random", "secrets", "pathlib", "io", "socket", "subprocess", "threading", "tempfile"}
    found = []
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name.split(".")[0] for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [(node.module or "").split(".")[0]]
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = ["os"] if node.func.id in {"open", "input", "print"} else []
            else:
                continue
            found += [f"{name(path)}:{node.lineno}: {one}" for one in names if one in forbidden]
    assert found == []
