"""The way of a unit as a picture: places as lanes from above, time from left to right, containers as bars below.

Steps lie minutes apart, or months; drawn to scale, a day in a warehouse would be one dot. So the room between two
moments
grows with the logarithm of the time between them. What is worked out here are numbers for a template, no drawing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import log10

from attrs import frozen

from tracechain.event import Event, TransactionEvent, format_time
from tracechain.report.catalogue import Both, both
from tracechain.report.escaping import shorten
from tracechain.report.words import Name, Names, clock_time
from tracechain.tracing import Moment, Stay, Step

__all__ = ["Bar", "Dot", "Lane", "Sighting", "Way", "draw", "kind_of"]

_WIDTH, _GUTTER, _RIGHT = 1100, 250, 64
_TOP, _LANE, _ROW, _FOOT = 14, 38, 28, 30
_MOST_LANES = 24
_MOST_SIGHTINGS = 2000
_LABEL = 26  # columns of a lane's name
_TICK = 86  # least room between two dates
_CHARACTER = 6.6  # of a label on a bar
_MINUTE = 60_000_000_000


@frozen
class Sighting:
    """A step of the history with its event and what it is called; `at` is its place in the list of steps."""

    at: int
    step: Step
    event: Event | None
    words: Both

    @property
    def moment(self) -> Moment:
        """What it is put in order by."""
        return self.step.time, self.step.index


@frozen
class Lane:
    """A place: its line, its name short and in full. `now`: the subject is there."""

    y: float
    name: Both
    title: str
    now: bool


@frozen
class Dot:
    """A sighting; `kind` is own, container, kin or voided; `failed`: it does not verify."""

    x: float
    y: float
    kind: str
    failed: bool
    title: Both
    at: int


@frozen
class Bar:
    """A stay in a container; `open`: it still is in it; `sure`: begin and end are known, not just sightings in
    between."""

    x: float
    y: float
    width: float
    label: str
    title: str
    open: bool
    sure: bool


@frozen
class Way:
    """The picture: `path` is the line from place to place, `here` where it ends, `rows` the heights of the rows of
    bars."""

    width: float
    height: float
    gutter: float
    right: float
    lanes: tuple[Lane, ...]
    path: str
    here: tuple[float, float] | None
    dots: tuple[Dot, ...]
    bars: tuple[Bar, ...]
    rows: tuple[tuple[float, Both], ...]
    ticks: tuple[tuple[float, str], ...]
    foot: float
    left_out: int


def draw(seen: Sequence[Sighting], stays: Sequence[Stay], place: str | None, names: Names) -> Way | None:
    """The picture of sightings in order of their moments, and of the subject's own stays; `place` is where it is now.

    None where nothing says where it was.
    """
    located = [one for one in seen if one.step.place is not None and not isinstance(one.event, TransactionEvent)]
    drawn = located[-_MOST_SIGHTINGS:]
    if not drawn:
        return None
    since = drawn[0].moment if len(drawn) < len(located) else None
    shown = [one for one in stays if since is None or one.end is None or one.end >= since]
    scale = _Scale([*(one.moment for one in drawn), *_ends(shown)], since)
    lanes, y_of = _lanes(drawn, place, names)
    rows, bars = _bars(drawn, shown, scale, names, _TOP + len(lanes) * _LANE + 12)
    foot = _TOP + len(lanes) * _LANE + (12 if rows else 0) + len(rows) * _ROW
    valid = [one for one in drawn if one.step.voided is None and not one.step.declares]
    points = [(scale.x(one.moment), y_of[_place(one)]) for one in valid]
    last = y_of[place] if place in y_of else points[-1][1] if points else None
    here = None if last is None else (float(_WIDTH - _RIGHT), last)
    return Way(
        width=_WIDTH, height=foot + _FOOT, gutter=_GUTTER, right=_WIDTH - _RIGHT, lanes=lanes,
        path=_path(points, here), here=here, dots=tuple(_dot(one, scale, y_of, names) for one in drawn), bars=bars,
        rows=rows, ticks=_ticks(drawn, scale), foot=foot, left_out=len(located) - len(drawn),
    )  # fmt: skip


def kind_of(step: Step) -> str:
    """By what a step came to the history: own, container, or kin."""
    return {"own": "own", "container": "container"}.get(step.relation, "kin")


def _place(one: Sighting) -> str:
    place = one.step.place
    assert place is not None, "only what has a place is drawn"
    return place


def _ends(stays: Iterable[Stay]) -> list[Moment]:
    return [moment for stay in stays for moment in (stay.begin, stay.end) if moment is not None]


class _Scale:
    """Where a moment lies: left to right, long waits shortened."""

    def __init__(self, moments: Iterable[Moment], since: Moment | None) -> None:
        self._moments = sorted({one for one in moments if since is None or one >= since})
        steps = [0.0]
        for (before, _), (after, _) in zip(self._moments, self._moments[1:], strict=False):
            steps.append(steps[-1] + 0.35 + log10(1 + (after - before) / _MINUTE))
        # What is after the last moment is now: some room, however long it is ago.
        room = _WIDTH - _RIGHT - _GUTTER - 16
        unit = room / (steps[-1] + max(0.8, steps[-1] * 0.06))
        self._x = [_GUTTER + 16 + one * unit for one in steps]

    def x(self, moment: Moment) -> float:
        """The place of a moment that the scale was made of; of another, that of the next one."""
        return round(self._x[min(bisect_left(self._moments, moment), len(self._x) - 1)], 1)


def _lanes(drawn: Sequence[Sighting], place: str | None, names: Names) -> tuple[tuple[Lane, ...], dict[str, float]]:
    """A lane for each place in order of the first visit; where they are too many, the oldest share the first."""
    order = list(dict.fromkeys(map(_place, drawn)))
    surplus = len(order) - _MOST_LANES
    shared = order[: surplus + 1] if surplus > 0 else []
    own = order[len(shared) :]
    lanes: list[Lane] = []
    y_of: dict[str, float] = {}
    if shared:
        others = both("timeline.way_others", n=len(shared))
        lanes.append(Lane(_TOP + _LANE / 2, others, "", now=place in shared))
        y_of |= dict.fromkeys(shared, lanes[0].y)
    for one in own:
        y = _TOP + (len(lanes) + 0.5) * _LANE
        name = names.of(one)
        short = _short(name.words[0]), _short(name.words[1])
        lanes.append(Lane(y, short, _full(name), now=one == place))
        y_of[one] = y
    return tuple(lanes), y_of


def _short(words: str) -> str:
    """A name in the room beside a lane; of a code the end, which tells it from others."""
    if not words.startswith("("):
        return shorten(words, _LABEL)
    return words if len(words) <= _LABEL else f"…{words[1 - _LABEL :]}"


def _full(name: Name) -> str:
    return f"{name.words[0]} {name.id}".strip()


def _dot(one: Sighting, scale: _Scale, y_of: dict[str, float], names: Names) -> Dot:
    step = one.step
    kind = "voided" if step.voided is not None or step.declares else kind_of(step)
    place = names.of(step.place)
    time = clock_time(step.time, step.offset)
    with_ = "" if step.relation == "own" else f" ({_full(names.of(step.subject))})"
    title = tuple(f"{time}: {what}, {where}{with_}" for what, where in zip(one.words, place.words, strict=True))
    return Dot(scale.x(one.moment), y_of[_place(one)], kind, bool(step.findings), (title[0], title[1]), one.at)


def _path(points: Sequence[tuple[float, float]], here: tuple[float, float] | None) -> str:
    """Along the lane of a place until just before the next sighting, then over to the next lane."""
    if not points:
        return ""
    x, y = points[0]
    parts = [f"M{x:g} {y:g}"]
    for x_next, y_next in [*points[1:], *([] if here is None else [here])]:
        if y_next == y:
            parts.append(f"H{x_next:g}")
        else:
            turn = max(x, x_next - 28)
            middle = (turn + x_next) / 2
            parts.append(f"H{turn:g}C{middle:g} {y:g} {middle:g} {y_next:g} {x_next:g} {y_next:g}")
        x, y = x_next, y_next
    return "".join(parts)


def _ticks(drawn: Sequence[Sighting], scale: _Scale) -> tuple[tuple[float, str], ...]:
    ticks: list[tuple[float, str]] = []
    before = ""
    for one in drawn:
        day = format_time(one.step.time, one.step.offset)[:10]
        x = scale.x(one.moment)
        if day != before and (not ticks or x - ticks[-1][0] >= _TICK) and x < _WIDTH - _RIGHT - _TICK / 2:
            ticks.append((x, day))
            before = day
    return tuple(ticks)


# ---- containers --------------------------------------------------------------------------------


def _bars(
    drawn: Sequence[Sighting], stays: Sequence[Stay], scale: _Scale, names: Names, top: float
) -> tuple[tuple[tuple[float, Both], ...], tuple[Bar, ...]]:
    """Rows by depth: what the subject itself was packed into, as the stays say; then what that was in, as far as scans
    tell."""
    runs = _outer(drawn, stays)
    deepest = max((depth for depth, *_ in runs), default=0)
    if not stays and not deepest:
        return (), ()
    rows = [(top + (at + 0.5) * _ROW, both("timeline.way_outer" if at else "timeline.way_level"))
            for at in range(deepest + 1)]  # fmt: skip
    bars = [_bar(one.container, one.begin, one.end, rows[0][0], scale, names, sure=True) for one in stays]
    bars += [
        _bar(container, begin, end, rows[depth][0], scale, names, sure=False)
        for depth, container, begin, end in runs
    ]  # fmt: skip
    return tuple(rows), tuple(bars)


def _outer(drawn: Sequence[Sighting], stays: Sequence[Stay]) -> list[tuple[int, str, Moment, Moment]]:
    """(depth, container, first sighting in it, last one) for what is further out than the subject's own container."""
    runs: list[tuple[int, str, Moment, Moment]] = []
    latest: dict[int, tuple[int, tuple[int, str]]] = {}  # by depth: which run is the latest, and in which stay
    for one in drawn:
        if one.step.relation != "container":
            continue
        stay = next((at for at, s in enumerate(stays) if s.container == one.step.via[0] and _within(one.moment, s)), -1)
        for depth, container in enumerate(one.step.via[1:], 1):
            run = latest.get(depth)
            if run is not None and run[1] == (stay, container):
                _, _, begin, _ = runs[run[0]]
                runs[run[0]] = (depth, container, begin, one.moment)
            else:
                latest[depth] = len(runs), (stay, container)
                runs.append((depth, container, one.moment, one.moment))
    return runs


def _within(moment: Moment, stay: Stay) -> bool:
    return stay.begin <= moment and (stay.end is None or moment <= stay.end)


def _bar(
    container: str, begin: Moment, end: Moment | None, y: float, scale: _Scale, names: Names, *, sure: bool
) -> Bar:
    x = scale.x(begin)
    right = float(_WIDTH - _RIGHT) if end is None else scale.x(end)
    width = max(4.0, round(right - x, 1))
    name = names.of(container)
    # Of the long code of a container the end tells it from others.
    room = int((width - 10) / _CHARACTER)
    words = name.words[0]
    label = words if len(words) <= room else f"…{words[1 - room :]}" if room > 6 else ""
    until = "…" if end is None else clock_time(end[0])
    return Bar(x, y, width, label, f"{_full(name)}: {clock_time(begin[0])} – {until}", end is None, sure)
