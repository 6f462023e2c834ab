"""Runs the program's commands inside the demo, in this process but by the same way as from a shell.

The commands go by the clock of the story (`Stage.at`), which stands still while one of them runs.
"""

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

from tracechain.cli.clock import telling
from tracechain.cli.demo.folder import Folder
from tracechain.cli.demo.screen import Screen
from tracechain.cli.output import BEIJING
from tracechain.errors import TracechainError
from tracechain.event import format_time

__all__ = ["Check", "DemoError", "Outcome", "Stage"]


@frozen
class Check:
    """One thing that had to come out in one way, and did or did not."""

    name: str
    good: bool
    detail: str


@define
class Outcome:
    """What came of the demo: every check, seconds by act, figures, how often each rule was broken, alerts by kind, how
    far the recall has come, and the tamperings with what was found."""

    folder: Path
    checks: list[Check] = field(factory=list)
    seconds: dict[str, float] = field(factory=dict)
    figures: dict[str, int] = field(factory=dict)
    violations: dict[str, int] = field(factory=dict)
    alerts: dict[str, int] = field(factory=dict)
    recall: dict[str, float] = field(factory=dict)
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
            "violations": self.violations,
            "alerts": self.alerts,
            "recall": self.recall,
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
        self._now: int | None = None
        self._shown = ""

    def at(self, nanos: int) -> None:
        """Set the clock of the story: nanoseconds since 1970 UTC. It never goes back."""
        self._now = max(self._now or 0, nanos // 1_000_000)

    def back(self, nanos: int) -> None:
        """Tell what happened before, on files that know nothing of what came after: the clock is set back."""
        self._now = nanos // 1_000_000

    def check(self, name: str, good: bool, detail: str, strong: str = "") -> None:
        """Note a check, and show it."""
        self.outcome.checks.append(Check(name, good, f"{strong} {detail}".strip()))
        self.screen.verdict(good, detail, strong)

    def run(self, *arguments: str | Path, more: Sequence[str | Path] = (), shown: str = "") -> int:
        """Run a command and let its output be seen; the exit code.

        `more` are arguments that the screen shows as `shown`, as a shell's pattern would stand for them.
        """
        words = [str(one) for one in arguments]
        self._show(words, shown)
        whole = [*words, *map(str, more)]
        if self.screen.silent:
            return self.call(whole, complaints=False)[0]
        code = self._main(whole)
        sys.stdout.flush()
        self.screen.printed()
        return code

    def ask(
        self, *arguments: str | Path, more: Sequence[str | Path] = (), shown: str = "", together: bool = False
    ) -> tuple[int, Any]:
        """Show a command, and run it with --json: exit code and value, None where there was no JSON.

        `together`: without a distance to what stands before it.
        """
        words = [str(one) for one in arguments]
        self._show(words, shown, together=together)
        return self.value([*words, *map(str, more)])

    def do(self, *arguments: str | Path, shown: bool) -> Any:
        """Run a command that must do, with or without showing it; what it says in JSON. DemoError where it fails."""
        code, said = self.ask(*arguments) if shown else self.value([str(one) for one in arguments])
        if code or said is None:
            raise DemoError(f"`tracechain {arguments[0]} {arguments[1]}` ended with exit code {code}")
        return said

    def value(self, words: Sequence[str], *, complaints: bool = True) -> tuple[int, Any]:
        """The same, without showing it."""
        code, text = self.call([*words, "--json"], complaints=complaints)
        try:
            return code, json.loads(text)
        except ValueError:
            return code, None

    def call(self, words: Sequence[str], *, complaints: bool = True) -> tuple[int, str]:
        """Run a command; exit code and what it wrote to stdout. Without `complaints`, what it writes to stderr is
        not seen."""
        captured, hidden = io.StringIO(), io.StringIO()
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(captured))
            if not complaints:
                stack.enter_context(contextlib.redirect_stderr(hidden))
            code = self._main(words)
        return code, captured.getvalue()

    def _show(self, words: Sequence[str], shown: str, *, together: bool = False) -> None:
        """The keys are always the same two options: they are left out on the screen, once the demo has shown them."""
        visible = [*words]
        for option in ("--keys", "--passphrase-file"):
            if option in visible and words[0] != "init":
                at = visible.index(option)
                del visible[at : at + 2]
        self.command("tracechain " + shlex.join(visible) + (f" {shown}" if shown else ""), together=together)

    def command(self, line: str, *, together: bool = False) -> None:
        """Show a command line, under the time of the story if that has gone on since the last one."""
        now = self._now
        when = "" if now is None else format_time(now * 1_000_000, BEIJING)[:16].replace("T", " ")
        self.screen.command(line, when if when != self._shown else "", together=together)
        self._shown = when

    def _main(self, words: Sequence[str]) -> int:
        from tracechain.cli import main

        now = self._now
        if now is None:
            return main(words)
        with telling(lambda: now):
            return main(words)
