"""How the demo looks: headings, the commands it runs, tables, verdicts.

Colours are the terminal's own green, red, blue and cyan, with bold and dim: they can be read on a dark and on a
light background, and every verdict is a word as well as a colour.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

__all__ = ["Screen"]

GOOD = "bold green"
WRONG = "bold red"

#: No wider than this, so that tables stay together on a wide terminal.
WIDTH = 100


class Screen:
    """Writes to a console, and keeps the seconds of each act; `silent` writes nothing."""

    def __init__(self, console: Console | None = None, *, silent: bool = False) -> None:
        self.console = console or Console(highlight=False, quiet=silent)
        self.console.width = min(self.console.width, WIDTH)
        self.silent = silent
        self.seconds: dict[str, float] = {}
        self._spaced = False

    @contextlib.contextmanager
    def act(self, name: str, title: str) -> Iterator[None]:
        """One act under its heading; `name` is what its seconds go by."""
        self.rule(f"{len(self.seconds) + 1}  {title}")
        start = time.perf_counter()
        self.seconds[name] = 0.0
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - start

    def title(self, name: str, text: str) -> None:
        """The first lines."""
        self.console.print()
        self.console.print(Text.assemble((name, "bold cyan"), f"   {text}"))

    def rule(self, title: str) -> None:
        """A heading."""
        self.gap()
        self.console.print()
        self.console.print(Rule(Text(f"{title} ", "bold"), align="left", style="cyan"))
        self._spaced = False
        self.gap()

    def gap(self) -> None:
        """An empty line, unless there is one already."""
        if not self._spaced:
            self.console.print()
        self._spaced = True

    def printed(self) -> None:
        """A command has printed something by itself: keep a distance."""
        self._spaced = False
        self.gap()

    def say(self, text: str) -> None:
        """A paragraph."""
        self.gap()
        self.console.print(Text(text))
        self._spaced = False

    def note(self, text: str) -> None:
        """A line about what a command did."""
        self._hanging(Text("  "), Text(text, "dim"))

    def command(self, line: str, when: str = "", *, together: bool = False) -> None:
        """The command line that is run now, as a user would type it; `when` it is run, by the clock of the story.

        `together`: no empty line before it.
        """
        if not together:
            self.gap()
        if when:
            self.console.print(Text(when, "cyan"))
        self._hanging(Text("$ ", "bold cyan"), Text(line, "bold"))

    def verdict(self, good: bool, text: str, strong: str = "") -> None:
        """OK or NOT OK, and what; `strong` is said in bold before it."""
        mark = Text(" OK " if good else " NOT OK ", f"{GOOD if good else WRONG} reverse")
        self._hanging(Text.assemble(mark, "  "), Text.assemble((strong, "bold"), " " if strong else "", text))

    def _hanging(self, mark: Text, text: Text) -> None:
        """A mark, and a text whose further lines stand under its first."""
        grid = Table.grid(padding=0)
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(mark, text)
        self.console.print(grid)
        self._spaced = False

    def pairs(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and what they are, without a heading."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True, style="bold")
        grid.add_column()
        for row in rows:
            grid.add_row(*row)
        self.gap()
        self.console.print(grid)
        self._spaced = False

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """A line that moves while something is done, and is gone afterwards."""
        if self.silent or not self.console.is_terminal:
            yield
            return
        with self.console.status(Text(text), spinner="line"):
            yield

    def table(self, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | Text]], total: int = 0) -> None:
        """A table: `columns` are (heading, "left" or "right"); the last `total` rows are sums."""
        table = Table(box=box.SIMPLE_HEAD, header_style="bold cyan", pad_edge=False, show_edge=False)
        for number, (heading, side) in enumerate(columns):
            table.add_column(heading, justify="right" if side == "right" else "left", overflow="fold",
                             no_wrap=number == 0)  # fmt: skip
        listed = list(rows)
        for number, row in enumerate(listed):
            last = number >= len(listed) - total
            table.add_row(*row, style="bold" if last else "", end_section=number == len(listed) - total - 1)
        self.gap()
        self.console.print(table)
        self._spaced = False
        self.gap()
