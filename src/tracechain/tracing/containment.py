"""Containment by time: in what a subject was when, and what it inherits of that.

Everything goes by moments (claimed time, then index), whatever the order in which it was recorded. A stay begins with
the
event that packs a subject and ends with the one that takes it out, packs it elsewhere, or empties the container; both
belong to it. While it lasts, what happens to the container happens to the subject.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from attrs import define, field

from tracechain.tracing.facts import ADD, AGGREGATION, Fact, Link, Log
from tracechain.tracing.values import Moment, Stay, Unresolved
from tracechain.view import View

__all__ = ["CIRCLE", "FIRST", "Containment", "Inherited", "Past"]

#: What is said of containers that hold each other.
CIRCLE = "containers are said to hold each other"
FIRST: Moment = (-(1 << 63), -1)
_MOMENT = attrgetter("fact.moment")
_MOST = 65_536


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
        self._last: dict[str, tuple[Fact, str] | None] = {}

    def past(self, subject: str) -> Past:
        """The chain of a subject, put in order."""
        found = self._pasts.get(subject)
        if found is None:
            unit = self.log.view.unit(subject)
            unresolved: set[Unresolved] = set()
            links = self.log.chain(subject, None if unit is None else unit.last, unresolved)
            found = _in_order(links)
            found.unresolved = unresolved
            if len(self._pasts) >= _MOST:
                self._pasts.clear()
                self._stays.clear()
                self._last.clear()
            self._pasts[subject] = found
        return found

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
            if not fact.packs(subject) or link.cycles:
                continue
            moment, parent = fact.moment, fact.parent
            assert parent is not None
            if inside is not None and (emptied := self._emptied(inside, moment)) is not None:
                yield Stay(inside.container, inside.begin, emptied)
                inside = None
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
        via: tuple[str, ...] = (),
        around: str | None = None,
    ) -> Iterator[Inherited]:
        """What happened to the containers of a subject while it was in them, from `begin` to `end`; in no order.

        `via` and `around` are its own: by which containers it came from which subject, to notice a circle.
        """
        around = around or subject
        for stay in self.stays(subject):
            first = max(stay.begin, begin)
            last = stay.end if end is None else end if stay.end is None else min(stay.end, end)
            if last is not None and first > last:
                continue
            if stay.container == around or stay.container in via:
                unresolved.add(Unresolved("cycle", stay.container, stay.begin[1], CIRCLE))
                continue
            path = (*via, stay.container)
            past = self.past(stay.container)
            unresolved |= past.unresolved
            facts = past.facts
            for at in range(bisect_right(facts, (first[0], first[1] - 1), key=_MOMENT), len(facts)):
                link = facts[at]
                assert link.fact is not None
                if last is not None and link.fact.moment > last:
                    break
                yield Inherited(link, path)
            yield from self.inherited(stay.container, unresolved, first, last, path, around)

    def latest(
        self, subject: str, unresolved: set[Unresolved], begin: Moment = FIRST, end: Moment | None = None
    ) -> tuple[Fact, str] | None:
        """The latest sighting of a subject between two moments, itself or with a container that it was in then, and
        what was seen: the last of `inherited` and its own facts that locate, without looking at the others."""
        return self._latest(subject, unresolved, begin, end, ())

    def _latest(
        self, subject: str, unresolved: set[Unresolved], begin: Moment, end: Moment | None, path: tuple[str, ...]
    ) -> tuple[Fact, str] | None:
        best = self._own_latest(subject, unresolved, begin, end)
        for stay in reversed(self.stays(subject)):
            first = max(stay.begin, begin)
            last = stay.end if end is None else end if stay.end is None else min(stay.end, end)
            if last is not None and stay.begin > last:
                continue  # it began after the end
            if last is not None and (first > last or (best is not None and last < best[0].moment)):
                break  # and those before ended earlier still
            if stay.container in path or stay.container == subject:
                unresolved.add(Unresolved("cycle", stay.container, stay.begin[1], CIRCLE))
                continue
            found = self._in(stay.container, unresolved, first, last, (*path, subject))
            if found is not None and (best is None or found[0].moment > best[0].moment):
                best = found
        return best

    def _in(
        self, container: str, unresolved: set[Unresolved], begin: Moment, end: Moment | None, path: tuple[str, ...]
    ) -> tuple[Fact, str] | None:
        """`_latest` of a container. What was seen last of all is what was seen last since a moment, unless that was
        before: so for all that is in it still, it is worked out once."""
        if end is not None:
            return self._latest(container, unresolved, begin, end, path)
        if container not in self._last:
            noticed: set[Unresolved] = set()
            found = self._latest(container, noticed, FIRST, None, path)
            if any(one.kind == "cycle" for one in noticed):  # perhaps at another time
                return self._latest(container, unresolved, begin, None, path)
            unresolved |= noticed
            self._last[container] = found
        found = self._last[container]
        return found if found is not None and found[0].moment >= begin else None

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
        candidates = {
            child
            for link in self.past(container).facts
            if link.fact is not None and link.fact.kind == AGGREGATION and link.fact.parent == container
            for child in self.log.children(link.at)
        }
        return sorted(
            child
            for child in candidates
            if child != container and (stay := self.stay_at(child, as_of)) is not None and stay.container == container
        )


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
