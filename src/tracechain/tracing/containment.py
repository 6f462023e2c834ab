"""Containment by time: in what a subject was when, and what it inherits of that.

Everything goes by moments (claimed time, then index), whatever the order in which it was recorded. A stay begins with
the event that packs a subject and ends with the one that takes it out, packs it elsewhere, or empties the container;
both belong to it. While it lasts, what happens to the container happens to the subject.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from attrs import define, field

from tracechain.tracing.facts import ADD, AGGREGATION, Fact, Link, Log
from tracechain.tracing.values import Moment, Stay, Unresolved
from tracechain.view import View

__all__ = ["CIRCLE", "FIRST", "Containment", "Inherited", "Past"]

#: What is said of containers that hold each other.
CIRCLE = "containers are said to hold each other"
FIRST: Moment = (-(1 << 63), -1)
_LAST: Moment = (1 << 63, 0)
_MOMENT = attrgetter("fact.moment")
_MOST = 65_536
#: A subject, a time (from a moment to a moment), and what led to it from the inside.
_Window: TypeAlias = tuple[str, Moment, Moment | None, tuple[str, ...]]


@define
class Past:
    """A subject's chain, put in order: `links` as recorded, `facts` by moments, without errors and their declarations.

    `voided` leads from an entry to the one that declares it an error.
    """

    links: list[Link]
    facts: list[Link] = field(factory=list)
    voided: dict[int, int] = field(factory=dict)
    emptyings: list[Moment] = field(factory=list)
    unresolved: set[Unresolved] = field(factory=set)


class Inherited(NamedTuple):
    """A fact that a subject shares with a container; `via` are the containers from the innermost to that one."""

    link: Link
    via: tuple[str, ...]


class Containment:
    """What was in what, over one view. Remembers the chains of containers, which many units share."""

    def __init__(self, view: View) -> None:
        self.log = Log(view)
        self._pasts: dict[str, Past] = {}
        self._stays: dict[str, list[Stay]] = {}
        self._last: dict[str, tuple[tuple[Fact, str] | None, frozenset[Unresolved]]] = {}

    def past(self, subject: str) -> Past:
        """The chain of a subject, put in order."""
        found = self._pasts.get(subject)
        if found is None:
            unit = self.log.view.unit(subject)
            unresolved: set[Unresolved] = set()
            links = self.log.chain(subject, None if unit is None else unit.last, unresolved)
            found = self.take(subject, links)
            found.unresolved = unresolved
        return found

    def take(self, subject: str, links: list[Link]) -> Past:
        """The same from the entries of its chain, oldest first, for who has read all of them already."""
        if len(self._pasts) >= _MOST:
            self._pasts.clear()
            self._stays.clear()
            self._last.clear()
        found = self._pasts[subject] = _in_order(links)
        return found

    def forget(self, subjects: Iterable[str]) -> None:
        """Remember these no more, as nobody will come back to them."""
        for subject in subjects:
            for known in (self._pasts, self._stays, self._last):
                known.pop(subject, None)

    def stays(self, subject: str) -> list[Stay]:
        """Where a subject was packed in, in order."""
        found = self._stays.get(subject)
        if found is None:
            found = self._stays[subject] = list(self._work_out(subject))
        return found

    def stays_until(self, subject: str, as_of: int | None) -> tuple[Stay, ...]:
        """The same as far as is claimed for a time (ns): what ended later had not ended then."""
        if as_of is None:
            return tuple(self.stays(subject))
        return tuple(
            Stay(stay.container, stay.begin, None) if stay.end is not None and stay.end[0] > as_of else stay
            for stay in self.stays(subject)
            if stay.begin[0] <= as_of
        )

    def _work_out(self, subject: str) -> Iterator[Stay]:
        inside: Stay | None = None
        for link in self.past(subject).facts:
            fact = link.fact
            assert fact is not None
            packs = fact.packs(subject) and not link.cycles
            if not packs and (inside is None or not fact.leaves(subject)):
                continue
            moment, parent = fact.moment, fact.parent
            if inside is not None and (emptied := self._emptied(inside, moment)) is not None:
                yield Stay(inside.container, inside.begin, emptied)
                inside = None
            if not packs:
                if inside is not None:
                    yield Stay(inside.container, inside.begin, moment)
                inside = None
                continue
            assert parent is not None
            if fact.action == ADD:
                if inside is None or inside.container != parent:
                    if inside is not None:
                        yield Stay(inside.container, inside.begin, moment)
                    inside = Stay(parent, moment)
            elif inside is not None and inside.container == parent:
                yield Stay(parent, inside.begin, moment)
                inside = None
        if inside is not None:
            yield Stay(inside.container, inside.begin, self._emptied(inside, None))

    def _emptied(self, stay: Stay, before: Moment | None) -> Moment | None:
        """When the container was emptied, during the stay and before a moment."""
        emptyings = self.past(stay.container).emptyings
        at = bisect_right(emptyings, stay.begin)
        if at < len(emptyings) and (before is None or emptyings[at] < before):
            return emptyings[at]
        return None

    def containers(self, subject: str, as_of: int | None = None) -> tuple[tuple[str, ...], bool]:
        """What it is in, innermost first; and whether containers are said to hold each other."""
        found: list[str] = []
        seen, at = {subject}, subject
        while (stay := self.stay_at(at, as_of)) is not None:
            if stay.container in seen:
                return tuple(found), True
            found.append(stay.container)
            seen.add(stay.container)
            at = stay.container
        return tuple(found), False

    def stay_at(self, subject: str, as_of: int | None) -> Stay | None:
        """The stay that lasts at a time (ns), after everything that is claimed for it."""
        stays = self.stays(subject)
        if as_of is None:
            return stays[-1] if stays and stays[-1].end is None else None
        for stay in reversed(stays):
            if stay.begin[0] <= as_of:
                return stay if stay.end is None or stay.end[0] > as_of else None
        return None

    def inherited(
        self,
        subject: str,
        unresolved: set[Unresolved],
        begin: Moment = FIRST,
        end: Moment | None = None,
        visited: set[str] | None = None,
    ) -> Iterator[Inherited]:
        """What happened to the containers of a subject while it was in them, from `begin` to `end`: the nearer
        containers first, else in no order. `visited` takes all containers that were looked at."""
        waiting: deque[_Window] = deque([(subject, begin, end, ())])
        while waiting:
            inside, begin, end, via = waiting.popleft()
            for stay, first, last in self._around(inside, begin, end):
                if stay.container == subject or stay.container in via:
                    unresolved.add(Unresolved("cycle", stay.container, stay.begin[1], CIRCLE))
                    continue
                path = (*via, stay.container)
                past = self.past(stay.container)
                unresolved |= past.unresolved
                if visited is not None:
                    visited.add(stay.container)
                for link in _between(past.facts, first, last):
                    yield Inherited(link, path)
                waiting.append((stay.container, first, last, path))

    def _around(
        self, subject: str, begin: Moment, end: Moment | None, *, newest: bool = False
    ) -> Iterator[tuple[Stay, Moment, Moment | None]]:
        """The stays of a subject that overlap with a time, the oldest or the newest first, and what they have in common
        with it."""
        stays = self.stays(subject)
        start = bisect_left(stays, begin, key=_end_of)
        stop = len(stays) if end is None else bisect_right(stays, end, key=_begin_of)
        for at in reversed(range(start, stop)) if newest else range(start, stop):
            stay = stays[at]
            last = stay.end if end is None else end if stay.end is None else min(stay.end, end)
            first = max(stay.begin, begin)
            if last is None or first <= last:
                yield stay, first, last

    def latest(
        self, subject: str, unresolved: set[Unresolved], begin: Moment = FIRST, end: Moment | None = None
    ) -> tuple[Fact, str] | None:
        """The latest sighting of a subject between two moments, itself or with a container that it was in then, and
        what was seen: the last of `inherited` and its own facts that locate, without looking at the others."""
        if end is None:
            # What was seen last of all is what was seen last since a moment, unless that was before. So for all that
            # is in a container still it is worked out once, for the outermost first.
            for container in reversed(self.containers(subject)[0]):
                if container not in self._last:
                    noticed: set[Unresolved] = set()
                    found = self._latest(container, noticed, FIRST, None)
                    self._last[container] = found, frozenset(noticed)
        return self._latest(subject, unresolved, begin, end)

    def _latest(
        self, subject: str, unresolved: set[Unresolved], begin: Moment, end: Moment | None
    ) -> tuple[Fact, str] | None:
        best: tuple[Fact, str] | None = None
        waiting: list[_Window] = [(subject, begin, end, ())]
        while waiting:
            inside, begin, end, path = waiting.pop()
            if _is_over(best, end):
                continue
            known = self._last.get(inside) if path and end is None else None
            if known is not None:
                found = known[0] if known[0] is not None and known[0][0].moment >= begin else None
                unresolved |= known[1]
            else:
                found = self._own_latest(inside, unresolved, begin, end)
            if found is not None and (best is None or found[0].moment > best[0].moment):
                best = found
            if known is not None:
                continue
            path = (*path, inside)
            older: list[_Window] = []
            for stay, first, last in self._around(inside, begin, end, newest=True):
                if _is_over(best, last):
                    break  # and those before ended earlier still
                if stay.container in path:
                    unresolved.add(Unresolved("cycle", stay.container, stay.begin[1], CIRCLE))
                else:
                    older.append((stay.container, first, last, path))
            waiting += reversed(older)
        return best

    def _own_latest(
        self, subject: str, unresolved: set[Unresolved], begin: Moment, end: Moment | None
    ) -> tuple[Fact, str] | None:
        past = self.past(subject)
        unresolved |= past.unresolved
        facts = past.facts
        for at in range(len(facts) if end is None else bisect_right(facts, end, key=_MOMENT), 0, -1):
            fact = facts[at - 1].fact
            assert fact is not None
            if fact.moment < begin:
                break
            if fact.locates:
                return fact, subject
        return None

    def contents(self, container: str, as_of: int | None = None) -> list[str]:
        """What is in a container itself, ascending: not what is in that in turn."""
        # Also of packings that are no fact of the container any more: they may be one of what is in it.
        candidates = {
            child
            for link in self.past(container).links
            if link.fact is not None and link.fact.kind == AGGREGATION and link.fact.parent == container
            for child in self.log.children(link.at)
        }
        return sorted(
            child
            for child in candidates
            if child != container and (stay := self.stay_at(child, as_of)) is not None and stay.container == container
        )


def _is_over(best: tuple[Fact, str] | None, end: Moment | None) -> bool:
    """Whether a time ends before what was found already."""
    return best is not None and end is not None and end <= best[0].moment


def _begin_of(stay: Stay) -> Moment:
    return stay.begin


def _end_of(stay: Stay) -> Moment:
    return _LAST if stay.end is None else stay.end


def _between(facts: list[Link], first: Moment, last: Moment | None) -> Iterator[Link]:
    """The facts from one moment to another."""
    for at in range(bisect_left(facts, first, key=_MOMENT), len(facts)):
        if last is not None and _fact_of(facts[at]).moment > last:
            break
        yield facts[at]


def _in_order(links: list[Link]) -> Past:
    past = Past(links)
    standing: list[Link] = []
    for link in links:
        fact = link.fact
        if fact is None:
            continue
        if not fact.declares:
            standing.append(link)
        elif not link.codes:
            for at in range(len(standing) - 1, -1, -1):
                about = standing[at].fact
                if about is not None and fact.same(about):
                    past.voided[standing[at].at] = link.at
                    del standing[at]
                    break
    past.facts = sorted(standing, key=_MOMENT)
    past.emptyings = [
        fact.moment for link in past.facts if (fact := _fact_of(link)).empties and fact.parent is not None
    ]
    return past


def _fact_of(link: Link) -> Fact:
    assert link.fact is not None
    return link.fact
