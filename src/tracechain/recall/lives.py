"""Packs that went the same way: one of them is looked at, and speaks for the others.

Forty packs of a case that nobody has opened are named by the same entries. So where many packs are asked about, their
chains are read together, entry by entry from the newest, each entry once; and those whose chains have the same entries
have one representative. Whatever is asked of its facts and of what it was in has the same answer for each of them.

That is so as long as no entry says different things of the packs it names: not of a container and what is packed in it,
not of what is used and what is made of it, nor where an error was declared, or a rule of packing broken. A pack with
such an entry represents itself alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, TypeAlias

from tracechain.custody import ACT_MASK, Act, Violation
from tracechain.encoding import unpack_known
from tracechain.entry import SALT_SIZE
from tracechain.errors import DataError
from tracechain.tracing.containment import Containment
from tracechain.tracing.facts import TRANSFORMATION, Fact, Link

__all__ = ["CHUNK", "Lives"]

_CYCLE = int(Violation.PACKING_CYCLE)
#: Units looked at in one go, and entries with several rows that are remembered.
CHUNK, _ROWS_MOST = 4_096, 1_024

#: The rows of an entry in groups: prefix, suffixes, all cells.
_Group: TypeAlias = tuple[str, tuple[str, ...], tuple[Any, ...]]
#: Index of an entry, and act, state and violations in a row of it.
_Cells: TypeAlias = tuple[int, int, int, tuple[int, ...]]


class Lives:
    """The chains of many packs of one view."""

    def __init__(self, containment: Containment) -> None:
        self._containment = containment
        self._view = containment.log.view
        #: By entries: a representative, and the containers among the subjects, which are not alike.
        self._by_entries: dict[tuple[int, ...], tuple[str, set[str]]] = {}
        #: Of entries with several rows.
        self._groups: dict[int, list[_Group]] = {}
        self._last: dict[str, str] = {}
        self._taken: list[str] = []

    def alike(self, units: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each unit with one that went the same way: itself, or another. The chain of that one is remembered until the
        next is asked for, or a little longer."""
        for start in range(0, len(units), CHUNK):
            chunk = units if len(units) <= CHUNK else units[start : start + CHUNK]
            last = self._last
            if not all(unit in last for unit in chunk):
                self._containment.forget(self._taken)
                self._taken = []
                self._by_entries.clear()
                last = self._last = {
                    unit: unit if chain is None else self._representative(unit, chain)
                    for unit, chain in zip(chunk, self._read(chunk), strict=True)
                }
            for unit in chunk:
                yield unit, last[unit]

    def _representative(self, unit: str, chain: list[_Cells]) -> str:
        entries = tuple([cells[0] for cells in chain])
        known = self._by_entries.get(entries)
        if known is not None:
            return unit if unit in known[1] else known[0]
        links: list[Link] = []
        containers: set[str] = set()
        alike = True
        for at, act, state, codes in reversed(chain):
            fact = self._event(at)
            if fact is None:
                return unit
            if fact.parent is not None:
                containers.add(fact.parent)
            alike = alike and not fact.declares and fact.kind != TRANSFORMATION
            links.append(Link(at, act, state, codes, fact))
        self._containment.take(unit, links)
        self._taken.append(unit)
        if alike and unit not in containers:
            self._by_entries[entries] = unit, containers
        return unit

    def _event(self, index: int) -> Fact | None:
        log = self._containment.log
        try:
            # What one pack alone is named by is not asked for again.
            return log.event(index) if index in self._groups else log.read(index, self._view.content(index))
        except DataError:
            return None

    def _read(self, units: Sequence[str]) -> list[list[_Cells] | None]:
        """The chains of units, newest entry first: (index, act, state, violations); None for one that is asked
        itself."""
        chains: list[list[_Cells] | None] = [None] * len(units)
        #: The units whose next entry is this one: (position, prefix, suffix).
        waiting: dict[int, list[tuple[int, str, str]]] = {}
        for position, name in enumerate(units):
            unit = self._view.unit(name)
            if unit is not None:
                chains[position] = []
                cut = name.rfind("/") + 1
                waiting.setdefault(unit.last, []).append((position, name[:cut], name[cut:]))
        heap = [-index for index in waiting]
        heapify(heap)
        while heap:
            index = -heappop(heap)
            groups = self._rows(index)
            for one in waiting.pop(index):
                position, prefix, suffix = one
                chain = chains[position]
                cells = _find(groups, prefix, suffix)
                if chain is None or cells is None:
                    chains[position] = None
                    continue
                act, previous, state, codes = cells
                if previous > index or act & ACT_MASK == Act.NOTE or (codes and _CYCLE in codes):
                    chains[position] = None
                    continue
                chain.append((index, act, state, codes or ()))
                if previous:
                    others = waiting.get(previous - 1)
                    if others is None:
                        waiting[previous - 1] = [one]
                        heappush(heap, 1 - previous)
                    else:
                        others.append(one)
        return chains

    def _rows(self, index: int) -> list[_Group]:
        """The rows of an entry; none where they are missing or damaged, so that each unit is asked itself."""
        found = self._groups.get(index)
        if found is None:
            part = self._view.rows(index)
            try:
                value: Any = () if part is None else unpack_known(part[SALT_SIZE:])
                found = [(group[0], group[1::5], group) for group in value[1:]]
            except (DataError, TypeError, IndexError):
                return []
            if len(found) > 1 or (found and len(found[0][1]) > 1):
                if len(self._groups) >= _ROWS_MOST:
                    self._groups.clear()
                self._groups[index] = found
        return found


def _find(groups: list[_Group], prefix: str, suffix: str) -> tuple[int, int, int, tuple[int, ...] | None] | None:
    """(act, 1 + index of the entry before or 0, state, violations) of a subject: rows are in order of subjects."""
    for first, suffixes, cells in groups:
        if first == prefix:
            at = bisect_left(suffixes, suffix)
            if at < len(suffixes) and suffixes[at] == suffix:
                row: tuple[int, int, int, tuple[int, ...] | None] = cells[5 * at + 2 : 5 * at + 6]
                return row
    return None
