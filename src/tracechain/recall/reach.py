"""How far something reached that happened to things: to all that was in them at that time, at any depth.

What happened is a `Happening`: it tells of a thing in which spans of time it happened to it. A span is two moments,
both included; what comes about at one moment is a span of that moment alone. `Reach` goes both ways. Down, to find all
packs: from the things that it happened to, to what they held meanwhile, to what that held. Up, to test one pack: to
what held it, to what held that. Both come to the same packs.

Spans only get shorter on the way, so going in a circle finds nothing new: a thing that is on the way already is not
entered again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import TypeAlias

from attrs import define, field

from tracechain.criteria import ByCarrier, SharedContainer, ThroughContainer, ThroughPlace
from tracechain.custody import is_pack
from tracechain.recall.ground import Ground, subjects_of
from tracechain.recall.lives import CHUNK
from tracechain.tracing import Moment, Stay, Unresolved
from tracechain.tracing.containment import FIRST
from tracechain.tracing.facts import (
    ADD,
    AGGREGATION,
    DELETE,
    DESTINATIONS,
    SOURCES,
    Fact,
    classes_of,
    epcs_of,
    parties_of,
)

__all__ = ["LAST", "PACKS_OF_ENTRY", "Carried", "Happening", "Inside", "Passed", "Reach", "Shared", "Span", "within"]

Span: TypeAlias = tuple[Moment, Moment]

#: After everything that is claimed for any time.
LAST: Moment = (1 << 63, 1 << 63)
_AFTER = 1 << 63
#: A guess of how many packs an entry tells of, with all that is in what it names.
PACKS_OF_ENTRY = 50
_FEW = 8
_END = itemgetter(1)


# ---- spans -----------------------------------------------------------------------------------------


def _from(spans: Sequence[Span], begin: Moment) -> int:
    """The place of the first span that is not over before a moment: they are in order and do not overlap."""
    return bisect_left(spans, begin, key=_END)


def _touch(spans: Sequence[Span], begin: Moment, end: Moment) -> bool:
    at = _from(spans, begin)
    return at < len(spans) and spans[at][0] <= end


def within(spans: Sequence[Span], begin: Moment, end: Moment) -> list[Span]:
    """The parts of spans between two moments."""
    found: list[Span] = []
    at = _from(spans, begin)
    while at < len(spans) and spans[at][0] <= end:
        found.append((max(spans[at][0], begin), min(spans[at][1], end)))
        at += 1
    return found


def _stays_within(stays: list[Stay], begin: Moment, end: Moment) -> Iterator[tuple[Stay, Moment, Moment]]:
    """The stays that overlap with a time, and what they have in common with it."""
    at = bisect_left(stays, begin, key=_end) if len(stays) > _FEW else 0
    while at < len(stays) and stays[at].begin <= end:
        stay = stays[at]
        first, last = max(stay.begin, begin), min(_end(stay), end)
        if first <= last:
            yield stay, first, last
        at += 1


def _end(stay: Stay) -> Moment:
    return LAST if stay.end is None else stay.end


# ---- what happens ------------------------------------------------------------------------------------


class Happening(ABC):
    """Something that happened to things at some time.

    `itself`: a pack that it happened to is covered, and not only what was in a container that it happened to. `direct`:
    only what was in that container itself, not what was in something in it.
    """

    itself = True
    direct = False

    @property
    @abstractmethod
    def size(self) -> int:
        """A guess of how many packs it reached."""

    @abstractmethod
    def things(self) -> Iterable[str]:
        """Everything that it may have happened to itself."""

    @abstractmethod
    def spans(self, subject: str) -> list[Span]:
        """When it happened to a thing itself: in order, none overlapping with another."""

    def missing(self) -> Iterable[Unresolved]:
        """What is known to be missing before anything is looked for."""
        return ()


class _ByFacts(Happening):
    """What an event does to what it names, at its moment."""

    def __init__(self, ground: Ground, name: str, start: int | None, stop: int | None) -> None:
        self._ground = ground
        self._name = name
        self._start = FIRST[0] if start is None else start
        self._stop = LAST[0] if stop is None else stop
        self._runs: list[range] | None = None

    def names(self) -> Iterable[str]:
        """The names under which such events are found."""
        return (self._name,)

    @abstractmethod
    def meets(self, fact: Fact) -> bool:
        """Whether an event is one, whatever its time."""

    @property
    def size(self) -> int:
        """By the number of entries that the index finds, whatever their times."""
        return PACKS_OF_ENTRY * sum(map(len, self._found()))

    def _found(self) -> list[range]:
        if self._runs is None:
            self._runs = self._ground.runs(self.names())
        return self._runs

    def things(self) -> Iterable[str]:
        """What such events name, also where they were declared errors."""
        found: dict[str, None] = {}
        for fact in self._ground.facts(self._name, self._found()):
            if self._start <= fact.time <= self._stop and not fact.declares and self.meets(fact):
                self._ground.note_classes(fact)
                found.update(dict.fromkeys(subjects_of(fact)))
        return found

    def spans(self, subject: str) -> list[Span]:
        """The moments of such events in its chain."""
        found: list[Span] = []
        for link in self._ground.past(subject).facts:
            fact = link.fact
            if fact is not None and self._start <= fact.time <= self._stop and self.meets(fact):
                found.append((fact.moment, fact.moment))
        return found


class Passed(_ByFacts):
    """Was seen at a place, or at a part of it."""

    def __init__(self, ground: Ground, criterion: ThroughPlace) -> None:
        super().__init__(ground, criterion.place, criterion.start, criterion.stop)
        self._parts = f"{criterion.place}/254/"

    def names(self) -> Iterable[str]:
        """The place and its parts, as far as events mention them."""
        return (self._name, *self._ground.view.names(self._parts))

    def meets(self, fact: Fact) -> bool:
        """Whether an event puts what it names there."""
        place = fact.place
        return place is not None and fact.locates and (place == self._name or place.startswith(self._parts))


class Carried(_ByFacts):
    """Came from a carrier, or went to it."""

    def __init__(self, ground: Ground, criterion: ByCarrier) -> None:
        super().__init__(ground, criterion.carrier, criterion.start, criterion.stop)

    def meets(self, fact: Fact) -> bool:
        """Whether an event names the carrier as possessing party."""
        return any(self._name in parties_of(fact, side, "possessing_party") for side in (SOURCES, DESTINATIONS))


class Inside(Happening):
    """Being a certain container, for a time: what was in it meanwhile is covered."""

    itself = False
    size = 100 * PACKS_OF_ENTRY

    def __init__(self, ground: Ground, criterion: ThroughContainer) -> None:
        self._ground = ground
        self._container = criterion.container
        begin = FIRST if criterion.start is None else (criterion.start, -1)
        self._spans = [(begin, LAST if criterion.stop is None else (criterion.stop, _AFTER))]

    def missing(self) -> Iterable[Unresolved]:
        """The container, if nobody knows it."""
        return self._ground.unknown(self._container)

    def things(self) -> Iterable[str]:
        """The container."""
        return (self._container,)

    def spans(self, subject: str) -> list[Span]:
        """The time in question."""
        return self._spans if subject == self._container else []


class Shared(Happening):
    """Holding a certain code: what was in the same container meanwhile is covered."""

    itself = False
    direct = True
    size = 2 * PACKS_OF_ENTRY

    def __init__(self, ground: Ground, criterion: SharedContainer) -> None:
        self._ground = ground
        self._code = criterion.code
        self._stays: dict[str, list[Span]] | None = None

    def missing(self) -> Iterable[Unresolved]:
        """The code, if nobody knows it."""
        return self._ground.unknown(self._code)

    def things(self) -> Iterable[str]:
        """What the code was in."""
        return self._held()

    def spans(self, subject: str) -> list[Span]:
        """When the code was in it."""
        return self._held().get(subject, [])

    def _held(self) -> dict[str, list[Span]]:
        if self._stays is None:
            self._stays = {}
            for stay in self._ground.stays(self._code):
                self._stays.setdefault(stay.container, []).append((stay.begin, _end(stay)))
        return self._stays


# ---- how far it reaches --------------------------------------------------------------------------------


@define
class _Held:
    """What a container may have held: (from, until, code) by its own chain, with codes in it no longer than that. And
    what it held without codes: (when, entry, class)."""

    codes: list[tuple[Moment, Moment, str]] = field(factory=list)
    classes: list[tuple[Moment, str]] = field(factory=list)


class Reach:
    """The packs that something reached."""

    def __init__(self, ground: Ground, happening: Happening) -> None:
        self._ground = ground
        self._happening = happening
        self._spans: dict[str, list[Span]] = {}
        self._holds: dict[str, _Held] = {}

    # ---- up ----

    def choose(self, packs: Sequence[str]) -> list[str]:
        """Those of some packs that it reached."""
        known: dict[str, bool] = {}
        found: list[str] = []
        for pack, like in self._ground.lives.alike(packs):
            covered = known.get(like)
            if covered is None:
                covered = known[like] = self._covers(like)
            if covered:
                found.append(pack)
        return found

    def _covers(self, pack: str) -> bool:
        happening = self._happening
        if happening.itself and happening.spans(pack):
            return True
        waiting: list[tuple[str, Moment, Moment, tuple[str, ...]]] = [(pack, FIRST, LAST, (pack,))]
        while waiting:
            subject, begin, end, path = waiting.pop()
            for stay, first, last in _stays_within(self._ground.stays(subject), begin, end):
                container = stay.container
                if _touch(self._spans_of(container), first, last):
                    return True
                if container in path:
                    self._note_circle(stay)
                elif not happening.direct:
                    waiting.append((container, first, last, (*path, container)))
        return False

    def _spans_of(self, container: str) -> list[Span]:
        found = self._spans.get(container)
        if found is None:
            found = self._spans[container] = self._happening.spans(container)
        return found

    def _note_circle(self, stay: Stay) -> None:
        self._ground.note("cycle", stay.container, stay.begin[1], "containers are said to hold each other")

    # ---- down ----

    def packs(self) -> Iterator[list[str]]:
        """All packs that it reached, each once."""
        found: set[str] = set()
        batch: list[str] = []
        things = iter(self._happening.things())
        while some := list(islice(things, CHUNK)):
            for subject, spans, holds in self._happened(some):
                if self._happening.itself and is_pack(subject) and subject not in found:
                    found.add(subject)
                    batch.append(subject)
                if holds:
                    self._descend(subject, spans, found, batch)
                if len(batch) >= CHUNK:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _happened(self, things: list[str]) -> list[tuple[str, list[Span], bool]]:
        """The things to which it happened themselves, with its spans, and whether they held anything."""
        known: dict[str, list[Span]] = {}
        found: list[tuple[str, list[Span], bool]] = []
        for subject, like in self._ground.lives.alike(things):
            spans = known.get(like)
            if spans is None:
                spans = known[like] = self._happening.spans(like)
            if spans:
                # What is like another holds nothing: a container represents itself alone.
                found.append((subject, spans, subject == like and self._held(subject) is not None))
        return found

    def _descend(self, subject: str, spans: list[Span], found: set[str], batch: list[str]) -> None:
        """Find what is in a thing to which it happened in these spans."""
        direct = self._happening.direct
        waiting: list[tuple[str, list[Span], tuple[str, ...]]] = [(subject, spans, (subject,))]
        while waiting:
            container, spans, path = waiting.pop()
            held = self._held(container)
            if held is None:
                continue
            for moment, name in held.classes:
                if moment <= spans[-1][1]:
                    words = f"it was packed into {container} by class and quantity, without codes"
                    self._ground.note("class", name, moment[1], words)
            codes = dict.fromkeys(
                code
                for begin, end, code in held.codes
                if not (code in found and (direct or code not in self._holds)) and _touch(spans, begin, end)
            )
            known: dict[str, list[Span]] = {}
            for code, like in self._ground.lives.alike(list(codes)):
                inner = known.get(like)
                if inner is None:
                    inner = known[like] = self._shared(like, container, spans, path)
                if not inner:
                    continue
                if code not in found and is_pack(code):
                    found.add(code)
                    batch.append(code)
                if code == like and not direct and code not in path and self._held(code) is not None:
                    waiting.append((code, inner, (*path, code)))

    def _shared(self, code: str, container: str, spans: list[Span], path: tuple[str, ...]) -> list[Span]:
        """The parts of spans in which a code was in a container."""
        inner: list[Span] = []
        for stay in self._ground.stays(code):
            if stay.container == container and (some := within(spans, stay.begin, _end(stay))):
                inner += some
                if code in path:
                    self._note_circle(stay)
        return inner

    def _held(self, container: str) -> _Held | None:
        """What a thing may have held; None for what never held anything."""
        held = self._holds.get(container)
        if held is None:
            past = self._ground.past(container)
            if not any(_packs(link.fact, container) for link in past.links):
                return None
            held = self._holds[container] = _Held()
            facts = [link.fact for link in past.links if link.fact is not None]
            # Where something was declared an error, each of its contents has to be asked itself what holds for it.
            sure = not any(fact.declares for fact in facts)
            until: dict[str, Moment] = {}
            emptied = LAST
            for fact in sorted(facts, key=_moment, reverse=True):
                if fact.kind != AGGREGATION or fact.parent != container or fact.declares:
                    continue
                moment = fact.moment
                if fact.action == ADD:
                    held.codes += [(moment, min(emptied, until.get(code, LAST)), code) for code in epcs_of(fact)]
                    held.classes += [(moment, name) for name in classes_of(fact)]
                elif sure and fact.empties:
                    emptied = moment
                elif sure and fact.action == DELETE:
                    until.update(dict.fromkeys(epcs_of(fact), moment))
        return held


def _packs(fact: Fact | None, container: str) -> bool:
    return fact is not None and fact.kind == AGGREGATION and fact.action == ADD and fact.parent == container


def _moment(fact: Fact) -> Moment:
    return fact.moment
