"""The documents are true: every example in README and docs runs, every link leads somewhere, nothing is left out.

A document is one test, so that its examples share a namespace and a folder, in order, whatever worker runs them:

- `python` blocks are executed; blocks that begin with `>>>` are doctests.
- `console` blocks are run by the shell, a command behind each `$ `; what follows it is its output, in which `...`
  stands for anything. A command that fails has to be followed by `$ echo $?`.
- `<!-- file: NAME -->` before a block writes it to NAME.
- `<!-- not run: REASON -->` before a block leaves it out.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest
from sybil import Document, Example, Region
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

from tracechain.cli import program

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_MARKER = re.compile(r"<!-- (?P<what>file|not run): (?P<argument>[^\n]+?) -->\n\Z")
_EXPORT = re.compile(r"export (?P<name>\w+)=(?P<quote>[\"']?)(?P<value>[^\"']*)(?P=quote)")
#: Blocks in these languages look as if they ran, but are not run: they have to say why.
_IDLE = frozenset({"sh", "bash", "shell", "shell-session", "py", "pycon", "python3"})
#: Documents with tests of their own.
_ELSEWHERE = {"docs/demo.md": "test_demo.py holds it against the day it tells"}


# ---- the examples ------------------------------------------------------------------------------


class Console:
    """Runs `console` blocks with the `tracechain` and `pytest` of this Python, in the current folder."""

    def __init__(self) -> None:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TRACECHAIN", "PYTEST", "COV"))}
        self.environment = kept | {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONUTF8": "1", "TZ": "UTC"}
        self.code = 0

    def __call__(self, example: Example) -> str | None:
        commands = _commands(str(example.parsed))
        for number, (command, expected) in enumerate(commands):
            exported = _EXPORT.fullmatch(command)
            if exported is not None:
                self.environment[exported["name"]] = exported["value"]
                continue
            done = subprocess.run(
                ["sh", "-c", f"(exit {self.code}); {command}"],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=120, check=False, encoding="utf-8",
            )  # fmt: skip
            self.code = done.returncode
            if not doctest.OutputChecker().check_output(expected, done.stdout, _FLAGS):
                return f"$ {command}\nexpected:\n{expected}\nprinted:\n{done.stdout}"
            if self.code and (number + 1 == len(commands) or commands[number + 1][0] != "echo $?"):
                return f"$ {command}\nended with exit code {self.code}, and nobody asked for it"
        return None


def _commands(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that is expected of it."""
    commands: list[tuple[str, str]] = []
    going_on = False
    for line in block.splitlines():
        if going_on:
            commands[-1] = (commands[-1][0] + "\n" + line, "")
        elif line.startswith("$ "):
            commands.append((line[2:], ""))
        else:
            assert commands, f"a console block begins with '$ ', not {line!r}"
            commands[-1] = (commands[-1][0], f"{commands[-1][1]}{line}\n")
            continue
        going_on = line.endswith("\\")
    return commands


def _write(example: Example) -> None:
    name, text = example.parsed
    Path(name).write_text(text, encoding="utf-8")


def _marker(document: Document, fence: Region) -> tuple[str, str]:
    found = _MARKER.search(document.text[: fence.start])
    return ("", "") if found is None else (found["what"], found["argument"])


def _fences(document: Document) -> Iterator[tuple[Region, str, str]]:
    """Every fenced block of a document: (region, language, source)."""
    for fence in FencedCodeBlockLexer(language="[^\n]*")(document):
        yield fence, fence.lexemes["language"].strip(), fence.lexemes["source"]


class Examples:
    """A parser for Sybil: what is to be run in a document, in order."""

    def __init__(self) -> None:
        self._console = Console()
        self._python = PythonEvaluator()
        self._sessions = DocTestStringParser(DocTestEvaluator(_FLAGS))

    def __call__(self, document: Document) -> Iterator[Region]:
        for fence, language, source in _fences(document):
            what, argument = _marker(document, fence)
            if what == "file":
                yield Region(fence.start, fence.end, (argument, source), _write)
            elif what == "not run":
                continue
            elif language == "console":
                yield Region(fence.start, fence.end, source, self._console)
            elif language == "python" and source.startswith(">>>"):
                for region in self._sessions(source, document.path):
                    region.adjust(fence, source)  # type: ignore[arg-type]  # source is the Lexeme it asks for
                    yield region
            elif language == "python":
                yield Region(fence.start, fence.end, source, self._python)


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_the_examples_of_a_document_run_and_print_what_it_says(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = Document.parse(str(path), Examples())
    monkeypatch.chdir(tmp_path)
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in _ELSEWHERE])
def test_a_block_that_is_not_run_says_why(name: str) -> None:
    path = ROOT / name
    document = Document(path.read_text(encoding="utf-8"), str(path))
    silent = [
        f"{path.name}: {document.line_column(fence.start)}: {language}"
        for fence, language, _ in _fences(document)
        if language in _IDLE and _marker(document, fence)[0] != "not run"
    ]
    assert silent == []


def _evaluated(text: str, folder: Path) -> None:
    path = folder / "document.md"
    path.write_text(text, encoding="utf-8")
    for example in Document.parse(str(path), Examples()).examples():
        example.evaluate()


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ echo one\n```\n",
        "```console\n$ exit 3\n```\n",
        "```console\n$ exit 3\n$ echo $?\n0\n```\n",
        "```python\nassert False\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
    ],
)
def test_an_example_that_is_not_true_fails(text: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        _evaluated(text, tmp_path)


def test_what_the_evaluator_can_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _evaluated(
        "<!-- file: a.txt -->\n```text\nalpha\n```\n"
        "```console\n$ export WORD='two words'\n$ cat a.txt; \\\n    echo \"$WORD\"\nalpha\n...words\n"
        "$ exit 3\n$ echo $?\n3\n```\n"
        "```python\nx = 1\n```\n\n```python\n>>> x + 1\n2\n```\n"
        "<!-- not run: it would not end -->\n```console\n$ sleep 1000\n```\n",
        tmp_path,
    )


# ---- links, sections, completeness -------------------------------------------------------------

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<title>.+)$", re.MULTILINE)
_CITED = re.compile(r"format\.md,? sections? (?P<numbers>[0-9][0-9.]*(?:(?:, | and | to )[0-9][0-9.]*)*)")


def _anchors(path: Path) -> set[str]:
    """What GitHub calls the headings of a document."""
    titles = (m["title"].lower() for m in _HEADING.finditer(path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in (m["target"] for m in _LINK.finditer(path.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        to = path if not name else path.parent / name
        if not to.exists() or (anchor and anchor not in _anchors(to)):
            broken.append(target)
    assert broken == []


def test_code_cites_only_sections_that_the_format_has() -> None:
    text = (ROOT / "docs/format.md").read_text(encoding="utf-8")
    sections = set(re.findall(r"^#{2,3} ([0-9]+(?:\.[0-9]+)?)[. ]", text, re.MULTILINE))
    wrong, cited = [], 0
    for path in [*ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py"), *ROOT.glob("docs/**/*.md")]:
        for found in _CITED.finditer(path.read_text(encoding="utf-8")):
            for number in re.findall(r"[0-9]+(?:\.[0-9]+)*", found["numbers"]):
                cited += 1
                if number not in sections:
                    wrong.append(f"{path.relative_to(ROOT)}: section {number}")
    assert wrong == []
    assert cited > 30


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / m["target"]).resolve() for m in _LINK.finditer(index)}
    assert [str(p.relative_to(ROOT)) for p in DOCUMENTS if p not in linked and p.name != "README.md"] == []


def _command_names(command: click.Command, name: str) -> Iterator[str]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for one in command.list_commands(context):
            inner = command.get_command(context, one)
            assert inner is not None
            yield from _command_names(inner, f"{name} {one}")
    else:
        yield name


def test_every_command_is_in_its_document() -> None:
    document = Document((ROOT / "docs/cli.md").read_text(encoding="utf-8"), "cli.md")
    text = "".join(source for _, language, source in _fences(document) if language == "console")
    names = list(_command_names(program.program, "tracechain"))
    assert [name for name in names if f"{name} " not in text] == []


def test_every_module_is_on_the_map() -> None:
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    source = ROOT / "src/tracechain"
    names = {p.stem for p in source.glob("*.py")} | {p.parent.name for p in source.glob("*/__init__.py")}
    assert [n for n in sorted(names) if not n.startswith("__") and f"`{n}`" not in text] == []


def test_names_of_the_library_in_the_documents_exist() -> None:
    wrong = []
    for path in DOCUMENTS:
        for name in set(re.findall(r"`(tracechain(?:\.[a-z_]+)*\.[A-Za-z_]+)`", path.read_text(encoding="utf-8"))):
            module, _, attribute = name.rpartition(".")
            try:
                import_module(name)
            except ImportError:
                try:
                    if not hasattr(import_module(module), attribute):
                        wrong.append(f"{path.name}: {name}")
                except ImportError:
                    wrong.append(f"{path.name}: {name}")
    assert wrong == []
