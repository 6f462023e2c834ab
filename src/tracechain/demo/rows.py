"""What scanners report: one `Happening` an event, and its rows in scan files (docs/scan-files.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal

from attrs import fields, frozen

from tracechain.demo.world import BEIJING, WAREHOUSE
from tracechain.event import format_time

__all__ = ["Happening", "format_csv", "format_jsonl"]


@frozen
class Happening:
    """One event of the warehouse's own, before it is spelled out: a row for each of its codes.

    Times are nanoseconds since 1970 UTC (`declared` 0: no error declaration); the rest is as it stands in the file.
    """

    time: int
    event: str
    codes: tuple[str, ...]
    parent: str = ""
    place: str = ""
    location: str = WAREHOUSE
    lot: str = ""
    expiry: str = ""
    doc: str = ""
    source: str = ""
    target: str = ""
    buyer: str = ""
    amount: Decimal | None = None
    new_code: str = ""
    temperature: str = ""
    humidity: str = ""
    error: str = ""
    declared: int = 0

    @property
    def packs(self) -> int:
        """How many of the codes are packs; the others are containers, whose labels print them in brackets."""
        return sum(not code.startswith("(00)") for code in self.codes)


#: Columns whose name is no name in Python.
NAMES = {"source": "from", "target": "to"}
COLUMNS = tuple(one.name for one in fields(Happening) if one.name not in ("time", "event", "codes"))


def spelled(value: str | int | Decimal | None) -> str:
    """A field as it stands in a file."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    return format_time(value, BEIJING) if value else ""


def format_csv(happenings: Sequence[Happening]) -> str:
    """The rows under a header line that names what is used; no value here needs quotes."""
    used = [name for name in COLUMNS if any(getattr(one, name) for one in happenings)]
    several = any(len(one.codes) > 1 for one in happenings)
    header = ["event", "time", "code", *(["group"] if several else []), *(NAMES.get(name, name) for name in used)]
    lines = [",".join(header)]
    for number, one in enumerate(happenings, 1):
        # A group ties the rows of one event together; a row without one is an event of its own.
        group = [str(number) if len(one.codes) > 1 else ""] if several else []
        behind = ",".join([*group, *(spelled(getattr(one, name)) for name in used)])
        before = f"{one.event},{format_time(one.time, BEIJING)}"
        lines += [f"{before},{code},{behind}" for code in one.codes]
    return "\n".join(lines) + "\n"


def format_jsonl(happenings: Iterable[Happening]) -> str:
    """One object an event; empty fields are left out."""
    lines = []
    for one in happenings:
        named = {"code": one.codes[0]} if len(one.codes) == 1 else {"codes": list(one.codes)}
        body = {"event": one.event, "time": format_time(one.time, BEIJING), **named}
        body |= {NAMES.get(name, name): spelled(value) for name in COLUMNS if (value := getattr(one, name))}
        lines.append(json.dumps(body, ensure_ascii=False))
    return "\n".join(lines) + "\n"
