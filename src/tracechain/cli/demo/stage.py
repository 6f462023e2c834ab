"""Runs the program's commands inside the demo, in this process but by the same way as from a shell."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tracechain.cli.demo.folder import Folder
from tracechain.cli.demo.screen import Screen
from tracechain.errors import TracechainError

__all__ = ["Check", "DemoError", "Outcome", "Stage"]


@frozen
class Check:
    """One thing that had to come out in one way, and did or did not."""

    name: str
    good: bool
    detail: str


@define
class Outcome:
    """What came of the demo: every check, seconds by act, figures, and the tamperings with what was found."""

    folder: Path
    checks: list[Check] = field(factory=list)
    seconds: dict[str, float] = field(factory=dict)
    figures: dict[str, int] = field(factory=dict)
    tamperings: list[dict[str, Any]] = field(factory=list)

    @property
    def good(self) -> bool:
        """Whether everything went as it should; a demo that checked nothing did not."""
        return bool(self.checks) and all(check.good for check in self.checks)

    def summary(self) -> dict[str, Any]:
        """For --json."""
        return {
            "good": self.good,
            "dir": str(self.folder),
            "figures": self.figures,
            "checks": [{"name": c.name, "good": c.good, "detail": c.detail} for c in self.checks],
            "tamperings": self.tamperings,
            "seconds": {name: round(seconds, 2) for name, seconds in self.seconds.items()},
        }


class DemoError(TracechainError):
    """The demo cannot go on."""


class Stage:
    """A screen, a folder, and the commands that are run on them."""

    def __init__(self, folder: Folder, screen: Screen) -> None:
        self.folder = folder
        self.screen = screen
        self.outcome = Outcome(folder.path)
        #: The options by which commands find the demo's keys.
        self.keys: tuple[str | Path, ...] = ("--keys", folder.keys, "--passphrase-file", folder.passphrase)

    def check(self, name: str, good: bool, detail: str, strong: str = "") -> None:
        """Note a check, and show it."""
        self.outcome.checks.append(Check(name, good, f"{strong} {detail}".strip()))
        self.screen.verdict(good, detail, strong)

    def run(self, *arguments: str | Path, more: Sequence[Path] = (), shown: str = "") -> int:
        """Run a command and let its output be seen; the exit code.

        `more` are arguments that the screen shows as `shown`, as a shell's pattern would stand for them.
        """
        words = [str(one) for one in arguments]
        self._show(words, shown)
        whole = [*words, *map(str, more)]
        if self.screen.silent:
            return self.call(whole)[0]
        code = _main(whole)
        sys.stdout.flush()
        self.screen.printed()
        return code

    def ask(self, *arguments: str | Path, more: Sequence[Path] = (), shown: str = "") -> tuple[int, Any]:
        """Show a command, and run it with --json: exit code and value, None where there was no JSON."""
        words = [str(one) for one in arguments]
        self._show(words, shown)
        return self.value([*words, *map(str, more)])

    def do(self, *arguments: str | Path, shown: bool) -> Any:
        """Run a command that must do, with or without showing it; what it says in JSON. DemoError where it fails."""
        code, said = self.ask(*arguments) if shown else self.value([str(one) for one in arguments])
        if code or said is None:
            raise DemoError(f"`tracechain {arguments[0]} {arguments[1]}` ended with exit code {code}")
        return said

    def value(self, words: Sequence[str]) -> tuple[int, Any]:
        """The same, without showing it."""
        code, text = self.call([*words, "--json"])
        try:
            return code, json.loads(text)
        except ValueError:
            return code, None

    @staticmethod
    def call(words: Sequence[str]) -> tuple[int, str]:
        """Run a command; exit code and what it wrote to stdout."""
        captured = io.StringIO()
        with contextlib.redirect_stdout(captured):
            code = _main(words)
        return code, captured.getvalue()

    def _show(self, words: Sequence[str], shown: str) -> None:
        """The keys are always the same two options: they are left out on the screen, once the demo has shown them."""
        visible = [*words]
        for option in ("--keys", "--passphrase-file"):
            if option in visible and words[0] != "init":
                at = visible.index(option)
                del visible[at : at + 2]
        self.screen.command("tracechain " + shlex.join(visible) + (f" {shown}" if shown else ""))


def _main(words: Sequence[str]) -> int:
    from tracechain.cli import main

    return main(words)
