"""What goes to the terminal: text that cannot steer it, JSON, tables, progress.

Codes, names, notes and file names come from scanners and from other people's files. Printed as they are they
could move the cursor, change colours, or turn the reading direction around; so everything passes `plain`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.table import Table

__all__ = [
    "Bar",
    "bar",
    "clock_time",
    "complain",
    "console",
    "counted",
    "json_option",
    "moment",
    "plain",
    "print_json",
    "say",
    "say_wrapped",
    "styled",
    "table",
    "waiting",
]

BEIJING = 480  # minutes east of UTC: where receipt times are read
_WIDTH = 160  # of what is piped, as nobody has to look at it in a window
# Control, format (zero width, direction marks), surrogate, private use, unassigned; line and paragraph separators.
_STEERING = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def plain(value: object) -> str:
    r"""The text of `value` on one line, with everything that could steer a terminal written as \x1b, \u202e ..."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if unicodedata.category(c) not in _STEERING else c.encode("unicode_escape").decode("ascii") for c in text
    )


def counted(count: int, noun: str) -> str:
    """`1 event`, `1,000 events`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def complain(message: object) -> None:
    """One line to stderr: `tracechain: what, where, what to do`."""
    click.echo(f"{click.style('tracechain:', fg='red', bold=True)} {plain(message)}", err=True)


def json_option(command: Any) -> Any:
    """The option --json, which every command has."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON value on stdout, for programs.")(command)


def print_json(value: Any) -> None:
    """One JSON value on stdout, a line. ASCII: what is in it cannot steer a terminal either."""
    click.echo(json.dumps(value))


def console(*, err: bool = False) -> Console:
    """A console that takes texts as they are: no markup, no emoji names, no guessed colours."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDTH
    return Console(file=stream, markup=False, emoji=False, highlight=False, width=width, soft_wrap=False)


def table(*, header: bool = True) -> Table:
    """A table without lines, as all commands print them. Its cells have passed `plain`."""
    from rich.table import Table

    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=header)


def say(text: str, style: str | None = None) -> None:
    """A line for people on stdout, coloured where there is a terminal; `text` has passed `plain`."""
    click.echo(click.style(text, **_STYLES[style]) if style else text)


def say_wrapped(text: str, indent: int, style: str | None = None) -> None:
    """A sentence for people, in lines that fit the window and begin `indent` further right."""
    room = max(40, console().width) - indent
    for line in textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]:
        say(f"{' ' * indent}{styled(line, style) if style else line}")


def styled(text: str, style: str) -> str:
    """`text` in a colour; click takes it away again where there is no terminal."""
    return click.style(text, **_STYLES[style])


_STYLES: dict[str, dict[str, Any]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warn": {"fg": "yellow"},
    "dim": {"dim": True},
    "bold": {"bold": True},
}


def clock_time(nanos: int, offset: int) -> str:
    """A time for people, by the clock that is `offset` minutes east of UTC: `2026-11-21 08:30:00 +08:00`."""
    from tracechain.event import format_offset, format_time

    zone = "Z" if offset == 0 else format_offset(offset)
    return f"{format_time(nanos, offset).replace('T', ' ').removesuffix(zone)} {zone}"


def moment(milliseconds: int) -> str:
    """A receipt time for people: Beijing time, seconds."""
    return clock_time(milliseconds // 1000 * 1_000_000_000, BEIJING)


class Bar:
    """A progress bar on stderr, if that is a terminal and the work takes over a second."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._begun = time.monotonic()
        self._wanted = sys.stderr.isatty()
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._shown = 0.0

    def update(self, done: int, total: int) -> None:
        """Say how far the work is."""
        now = time.monotonic()
        if not self._wanted or now - self._begun < 1 or now - self._shown < 0.1:
            return
        self._shown = now
        if self._progress is None or self._task is None:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=min(40, shutil.get_terminal_size().columns // 3)),
                TextColumn("{task.percentage:>3.0f} %", markup=False),
                TimeRemainingColumn(),
                console=console(err=True),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(plain(self._what), total=total)
        self._progress.update(self._task, completed=done, total=total)

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


@contextmanager
def bar(what: str) -> Iterator[Bar]:
    """A Bar that is gone at the end, also after an error."""
    shown = Bar(what)
    try:
        yield shown
    finally:
        shown.close()


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A turning mark on stderr, if that is a terminal and the work takes over a second: for work that does not say how
    far it is."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.status import Status

    shown = Status(plain(what), console=console(err=True))
    timer = threading.Timer(1, shown.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        shown.stop()
