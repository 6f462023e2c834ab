"""The units of a recall as columns of numbers, small enough that a page of 100,000 of them stays quick.

Every text stands in a table once, and columns name it by its number; a code is one of few beginnings and its own end.
What
exceeds a page (units, buyers, nodes of the picture) is counted, never dropped silently: each list says how many there
are and how many the page carries, and surplus nodes of a layer are one node that says how many it stands for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tracechain import identifiers
from tracechain.custody import CUSTODY_MASK, EXPIRY_SHIFT, Custody, unpack_state
from tracechain.errors import InputError
from tracechain.recall.values import GROUP_OF, GROUPS, Affected, FanOut, Node
from tracechain.report.escaping import visible
from tracechain.report.words import BUYER, Names, human
from tracechain.rules.guards import class_of
from tracechain.tracing import Unresolved

__all__ = ["LAYERS", "MOST_UNITS", "Columns", "state_counts", "to_columns"]

LAYERS: Final = ("maker", "lot", "container", "place", "holder")
MOST_UNITS = 200_000  # rows of a list that a page carries
_MOST_NODES = 400  # of a layer of the picture, buyers apart: what more there is nobody looks at one by one
_REST, _REST_OF_BUYERS = -2, -3
_FLAGS = (1 << EXPIRY_SHIFT) - 1  # custody and flags of a state, without the expiry date

Columns = dict[str, Any]


class _Texts:
    """Each text once: its number, by id. Names stand beside, as most ids have none."""

    def __init__(self, names: Names) -> None:
        self.shown: list[str] = []
        self.names: dict[int, str] = {}
        self._given = names
        self._at: dict[str, int] = {}

    def at(self, subject: str | None) -> int:
        """The number of an id; -1 for none."""
        if not subject:
            return -1
        found = self._at.get(subject)
        if found is None:
            found = self._at[subject] = len(self.shown)
            self.shown.append(visible(subject) if subject.startswith(BUYER) else human(subject))
            name = self._given.name(subject)
            if name is not None:
                self.names[found] = name
        return found

    def said(self, text: str) -> int:
        """The number of a text that is no id; -1 for ''."""
        if not text:
            return -1
        # No id has a tab in it.
        found = self._at.get(f"\t{text}")
        if found is None:
            found = self._at[f"\t{text}"] = len(self.shown)
            self.shown.append(visible(text))
        return found


def state_counts(fan: FanOut) -> Counter[int]:
    """Units by custody and flags."""
    return Counter(unit.state & _FLAGS for unit in fan.units)


def to_columns(fan: FanOut, names: Names, *, most: int) -> Columns:
    """What the scripts of a page draw a fan-out from."""
    texts = _Texts(names)
    lots: dict[str, int] = {}
    by_lot: list[list[int]] = []
    by_place: dict[str, list[int]] = defaultdict(lambda: [0] * len(GROUPS))
    group_at = {custody: list(GROUPS).index(group) for custody, group in GROUP_OF.items()}
    lot_columns: Columns = {"product": [], "lot": [], "maker": []}

    def lot_at(unit: Affected) -> int:
        product = class_of(unit.unit)
        node = _lot_node(product, unit.lot)
        found = lots.get(node)
        if found is None:
            found = lots[node] = len(by_lot)
            by_lot.append([0] * len(GROUPS))
            lot_columns["product"].append(texts.at(product))
            lot_columns["lot"].append(texts.said(unit.lot or ""))
            lot_columns["maker"].append(texts.said(fan.makers.get(product, "")))
        return found

    # A million units have some dozens of these.
    alike = Counter(
        (class_of(unit.unit), unit.lot, unit.place, unit.state & CUSTODY_MASK) for unit in fan.units
    )  # fmt: skip
    for (product, lot, place, custody), count in alike.items():
        group = group_at.get(custody, len(GROUPS) - 1)
        at = lot_at(Affected(product, 0, 0, None, None, None, None, lot))
        by_lot[at][group] += count
        by_place[place or ""][group] += count
    lot_columns["groups"] = _transposed(by_lot)
    return {
        "groups": list(GROUPS),
        "custodies": [one.name for one in Custody],
        "layers": list(LAYERS),
        "units": _units(fan.units, most, texts, lot_at),
        "parties": _counts(((party, _by_group(groups)) for party, groups in fan.parties.items()), most, texts),
        "places": _counts(sorted(by_place.items(), key=lambda one: (-sum(one[1]), one[0])), most, texts),
        "lots": {"count": len(by_lot), **lot_columns},
        "unresolved": _unresolved(fan.unresolved, most, texts),
        "spread": _spread(fan.edges, lots, texts),
        "states": _states(state_counts(fan)),
        "texts": texts.shown,
        "names": texts.names,
    }


def _lot_node(product: str, lot: str | None) -> str:
    """The id that the node of a lot has in FanOut.edges."""
    return f"{product}/10/{lot}" if lot else product


def _by_group(groups: Mapping[str, int]) -> list[int]:
    return [groups.get(name, 0) for name in GROUPS]


def _transposed(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Counts by group, a list each; an empty one where no row has any."""
    columns = [[row[at] for row in rows] for at in range(len(GROUPS))]
    return [column if any(column) else [] for column in columns]


def _counts(rows: Iterable[tuple[str, list[int]]], most: int, texts: _Texts) -> Columns:
    listed = list(rows)
    kept = listed[:most]
    return {
        "count": len(listed),
        "id": [texts.at(subject) for subject, _ in kept],
        "groups": _transposed([counts for _, counts in kept]),
    }


def _unresolved(found: Sequence[Unresolved], most: int, texts: _Texts) -> Columns:
    kept = found[:most]
    return {
        "count": len(found),
        "kind": [visible(one.kind) for one in kept],
        "subject": [texts.at(one.subject) for one in kept],
        "index": [one.index for one in kept],
        "detail": [visible(one.detail) for one in kept],
    }


# ---- units -------------------------------------------------------------------------------------


def _units(units: Sequence[Affected], most: int, texts: _Texts, lot_at: Any) -> Columns:
    heads: dict[str, int] = {}
    shown: list[str] = []
    states: dict[int, int] = {}
    columns: Columns = {name: [] for name in ("head", "tail", "lot", "state", "place", "holder", "container", "time",
                                              "last")}  # fmt: skip
    for unit in units[:most]:
        head, tail = identifiers.split(unit.unit)
        if not (tail.isascii() and tail.isalnum()):
            head, tail = "", human(unit.unit)  # its end may be escaped, or have to be made visible
        at = heads.get(head)
        if at is None:
            at = heads[head] = len(shown)
            shown.append(human(unit.unit)[: -len(tail)] if head else "")
        columns["head"].append(at)
        columns["tail"].append(tail)
        columns["lot"].append(lot_at(unit))
        columns["state"].append(states.setdefault(unit.state & _FLAGS, len(states)))
        columns["place"].append(texts.at(unit.place))
        columns["holder"].append(texts.at(unit.holder))
        columns["container"].append(texts.at(unit.container))
        columns["time"].append(None if unit.time is None else unit.time // 1_000_000_000)
        columns["last"].append(unit.last)
    return {"count": len(units), "heads": shown, "states": [_state(state) for state in states], **columns}


def _state(state: int) -> list[Any]:
    """[custody, its flags ...]; custody -1 is one that this version does not know."""
    try:
        pack = unpack_state(state)
    except InputError:
        return [-1]
    return [int(pack.custody), *pack.flags()]


def _states(counted: Counter[int]) -> list[list[Any]]:
    """[custody, group, units, {flag: units}] by custody, those with most units first."""
    units: Counter[int] = Counter()
    flags: dict[int, Counter[str]] = defaultdict(Counter)
    for state, count in counted.items():
        custody, *names = _state(state)
        units[custody] += count
        for name in names:
            flags[custody][name] += count
    groups = list(GROUPS)
    return [
        [custody, groups.index(GROUP_OF.get(custody, "unknown")), count, dict(flags[custody])]
        for custody, count in sorted(units.items(), key=lambda one: (-one[1], one[0]))
    ]


# ---- the picture -------------------------------------------------------------------------------


def _spread(edges: Mapping[tuple[Node, Node], int], lots: Mapping[str, int], texts: _Texts) -> Columns:
    """Nodes by layer, those with most units first, and the edges between them."""
    incoming: Counter[Node] = Counter()
    outgoing: Counter[Node] = Counter()
    for (start, stop), count in edges.items():
        outgoing[start] += count
        incoming[stop] += count
    units = {node: max(incoming[node], outgoing[node]) for node in incoming | outgoing}
    columns: Columns = {"layer": [], "id": [], "units": [], "stands": [], "from": [], "to": [], "width": []}
    number: dict[Node, int] = {}

    def add(layer: int, shown: int, count: int, stands: int) -> int:
        for name, value in (("layer", layer), ("id", shown), ("units", count), ("stands", stands)):
            columns[name].append(value)
        return len(columns["layer"]) - 1

    for layer, kind in enumerate(LAYERS):
        nodes = sorted((node for node in units if node[0] == kind), key=lambda node: (-units[node], node))
        for buyers in (False, True):
            some = [node for node in nodes if node[1].startswith(BUYER) is buyers]
            for node in some[:_MOST_NODES]:
                shown = (
                    texts.said(node[1]) if kind == "maker" else lots[node[1]] if kind == "lot" else texts.at(node[1])
                )
                number[node] = add(layer, shown, units[node], 1)
            if rest := some[_MOST_NODES:]:
                surplus = add(
                    layer, _REST_OF_BUYERS if buyers else _REST, sum(units[node] for node in rest), len(rest)
                )  # fmt: skip
                number |= dict.fromkeys(rest, surplus)
    widths: Counter[tuple[int, int]] = Counter()
    for (start, stop), count in edges.items():
        widths[number[start], number[stop]] += count
    for (start_at, stop_at), count in widths.items():
        columns["from"].append(start_at)
        columns["to"].append(stop_at)
        columns["width"].append(count)
    return columns
