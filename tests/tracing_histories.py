"""Histories for tracing: packs in cases on pallets on trucks on ships, packed well and badly, in and out of order.

A history is drawn as plain data (`histories`, or `random_history` from a seed), so that Hypothesis can make a failing
one small; a `Player` acts it out on a ledger. Items are tuples whose first part says what happens; things are numbers
of `THINGS`, places numbers of `PLACES` (0: none), times are `Time`s:

    ("make", things, time, place, lot)                   they come into being; lot 0 is none, -1 one of a label alone
    ("pack", parent, things, time, place, action)        packed (0), seen in it (1), taken out (2)
    ("empty", parent, time, place)
    ("see", things, time, place, step, carrier)          a scan; a carrier may be named as source (1) or destination (2)
    ("end", things, time, place)
    ("paper", parent, things, time, place)               a document; parent None or a thing
    ("fix", parent, things, time, place, action)         as a logger is fixed; taken off (2) without things: everything
    ("change", old, new, time, place, step, lot)         relabelling (step 0) or kitting
    ("count", parent, time, place, action)               a quantity of a class is packed into a thing, or (None) is seen
    ("measure", things, time, place, degrees, seconds)   over so many seconds, or (0) just then; () is by the logger
    ("undo", back, things, twist)                        the event so many back is declared an error, for all or some
    ("note", thing)                                      a record about it
    ("act", name, things, time)                          an act of the pilot world; without one, a scan
    ("bring", thing, custody, time)                      lawful acts of the pilot world; without one, nothing
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from attrs import evolve, frozen
from hypothesis import strategies as st

from pilot_world import NMPA_PRODUCT, SF, SHELF, STORE, ZONE, World
from tracechain import custody
from tracechain.custody import Custody, Violation, is_pack
from tracechain.encoding import encode
from tracechain.entry import NO_POLICY, OPEN_DAY, EntryType, Header, Row, encode_rows, format_header
from tracechain.event import (
    Action,
    AggregationEvent,
    AssociationEvent,
    BizTransaction,
    ErrorDeclaration,
    Event,
    Extension,
    ObjectEvent,
    Quantity,
    SensorElement,
    SensorMetadata,
    SensorReport,
    SourceDest,
    TransactionEvent,
    TransformationEvent,
)
from tracechain.event.sale import LOT, MASTER_DATA
from tracechain.record import Record
from tracechain.replay import MemoryView
from tracechain.testing import START
from tracechain.testing.samples import PRODUCT, case_id, pack_ids

__all__ = [
    "CARRIERS",
    "LOTS",
    "PLACES",
    "THINGS",
    "TICK",
    "Commit",
    "History",
    "Item",
    "Player",
    "at",
    "change",
    "error",
    "gone",
    "histories",
    "into",
    "log_of",
    "made",
    "out",
    "paper",
    "random_history",
    "seen_in",
]

OTHER_PRODUCT = "09521234002079"
#: Few, so that histories meet: by level, from packs up.
LEVELS: tuple[tuple[str, ...], ...] = (
    (*pack_ids(4), *pack_ids(1, product=OTHER_PRODUCT), f"{NMPA_PRODUCT}0000000000001"),
    tuple(case_id(number) for number in (1, 2, 3)),
    tuple(case_id(number) for number in (11, 12)),
    tuple(case_id(number) for number in (21, 22)),
    (case_id(31),),
    ("urn:example:ship", "urn:example:logger"),
)
THINGS: tuple[str, ...] = tuple(thing for level in LEVELS for thing in level)
LEVEL_OF = {THINGS.index(thing): number for number, level in enumerate(LEVELS) for thing in level}
LOGGER = THINGS.index("urn:example:logger")
PLACES: tuple[str | None, ...] = (None, "urn:example:plant", ZONE, SHELF, STORE, "urn:example:road")
LOTS: tuple[str | None, ...] = (None, "LOT-A7", "LOT-B")
CLASSES = (f"01/{PRODUCT}", f"01/{PRODUCT}/10/LOT-A7")
CARRIERS = (SF, "urn:example:carrier:other")
STEPS = (None, "shipping", "receiving", "storing", "stock_taking", "dispensing")
ACTIONS: tuple[Action, ...] = ("ADD", "OBSERVE", "DELETE")
ACTS = (
    "commission",
    "ship",
    "bond_in",
    "order",
    "sell",
    "transfer",
    "deliver",
    "return_in",
    "hold",
    "steal",
    "destroy",
)
TWISTS = ("nothing", "nothing", "nothing", "place", "time", "step", "location", "lot")

SECOND = 1_000_000_000
BASE = START * 1_000_000 - 100 * SECOND

Time: TypeAlias = int
#: One second after the latest of these; the same time again; a time far ahead of the clock. Others are seconds.
TICK, SAME, AHEAD = -1, -2, -3

Item: TypeAlias = tuple[Any, ...]


@frozen
class Commit:
    """Appends that are made together, by the ledger's own author or by a station; `before` it the ledger may be opened
    anew, or its index rebuilt."""

    appends: tuple[tuple[Item, ...], ...]
    before: str = ""
    strict: bool = False
    station: bool = False


@frozen
class History:
    """What is recorded, commit by commit."""

    commits: tuple[Commit, ...]

    @property
    def items(self) -> Iterator[Item]:
        """All of it in a row."""
        return (item for commit in self.commits for append in commit.appends for item in append)


# ---- drawn -------------------------------------------------------------------------------------------

_NUMBERS = range(len(THINGS))
_PACKS = range(len(LEVELS[0]))
_thing = st.sampled_from(_NUMBERS)
_pack = st.sampled_from(_PACKS)
_things = st.lists(_thing, min_size=1, max_size=3, unique=True).map(tuple)
_packs = st.lists(_pack, min_size=1, max_size=4, unique=True).map(tuple)
_place = st.sampled_from(range(len(PLACES)))
_lot = st.sampled_from(range(len(LOTS)))
_action = st.sampled_from((0, 0, 0, 2, 2, 1))


def _above(level: int) -> tuple[int, ...]:
    return tuple(number for number, own in LEVEL_OF.items() if own == level + 1)


@st.composite
def _packings(draw: st.DrawFn, time: st.SearchStrategy[Time]) -> Item:
    """Mostly a level into the next one; at times anything into anything."""
    if draw(st.integers(0, 5)):
        level = draw(st.sampled_from(range(len(LEVELS) - 1)))
        children = st.sampled_from([number for number, own in LEVEL_OF.items() if own == level])
        parent = draw(st.sampled_from(_above(level)))
    else:
        children, parent = _thing, draw(_thing)
    packed = tuple(draw(st.lists(children, min_size=1, max_size=3, unique=True)))
    return "pack", parent, packed, draw(time), draw(_place), draw(_action)


def _items(time: st.SearchStrategy[Time], *, pilot: bool) -> st.SearchStrategy[Item]:
    of, just = st.tuples, st.just
    some = st.none() | _things
    usual: list[st.SearchStrategy[Item]] = [
        _packings(time),
        _packings(time),
        _packings(time),
        of(just("empty"), st.sampled_from(_NUMBERS[len(_PACKS) :]), time, _place),
        of(just("see"), _things, time, _place, st.sampled_from(range(len(STEPS))), st.sampled_from((0, 0, 1, 2))),
        of(just("see"), _things, time, _place, st.sampled_from(range(len(STEPS))), st.sampled_from((0, 0, 1, 2))),
        of(just("undo"), st.sampled_from((0, 0, 0, 1, 2, 3, 5)), some, st.sampled_from(range(len(TWISTS)))),
    ]
    seldom: list[st.SearchStrategy[Item]] = [
        of(just("make"), _packs | _packs | _things, time, _place, _lot | st.just(-1)),
        of(just("end"), _things, time, _place),
        of(just("paper"), st.none() | _thing, _things, time, _place),
        of(just("fix"), _thing, _things | st.just((LOGGER,)) | st.just(()), time, _place, st.sampled_from((0, 2))),
        of(just("change"), _packs, _packs, time, _place, st.integers(0, 1), _lot),
        of(just("change"), _things, _things, time, _place, st.integers(0, 1), _lot),
        of(just("count"), some.map(lambda things: things and things[0]), time, _place, _action),
        of(
            just("measure"),
            _things | st.just((LOGGER,)) | st.just(()),
            time,
            _place,
            st.sampled_from((5, 15, 30)),
            st.sampled_from((0, 0, 1, 4)),
        ),
        of(just("note"), _thing),
    ]
    if pilot:
        seldom += [of(just("act"), st.sampled_from(ACTS), _packs, time)] * 2
        seldom += [of(just("bring"), _pack, st.sampled_from(sorted(Custody)), time)] * 2
    return st.one_of(*usual, st.one_of(*seldom))


_BEFORE = ("", "", "", "", "", "reopen", "reindex")


@st.composite
def histories(draw: st.DrawFn, most: int = 6, *, pilot: bool = False) -> History:
    """Up to so many commits. Half of them in order of their times, for an index that makes use of that."""
    ordered = st.sampled_from((TICK, TICK, SAME))
    time = ordered if draw(st.booleans()) else ordered | st.integers(0, 9) | st.sampled_from((TICK, AHEAD))
    append = st.lists(_items(time, pilot=pilot), min_size=1, max_size=5).map(tuple)
    commit = st.builds(
        Commit,
        st.lists(append, min_size=1, max_size=2).map(tuple),
        before=st.sampled_from(_BEFORE),
        strict=st.sampled_from((False, False, True)),
        station=st.sampled_from((False, False, True)),
    )
    return History(tuple(draw(st.lists(commit, min_size=1, max_size=most))))


# ---- from a seed -------------------------------------------------------------------------------------


def random_history(seed: int, size: int = 60, *, pilot: bool = False) -> History:
    """A longer one that makes more sense: it packs what is not packed, and takes out what is in."""
    return _Teller(random.Random(seed), pilot=pilot).tell(size)


class _Teller:
    """Tells a history, with an idea of what is in what."""

    def __init__(self, rng: random.Random, *, pilot: bool) -> None:
        self.rng = rng
        self.pilot = pilot
        self.inside: dict[int, int] = {}
        #: How much of it is wrong, and how much out of order.
        self.wrong = rng.choice((0.0, 0.05, 0.2))
        self.late = rng.choice((0.0, 0.0, 0.1, 0.5))
        #: Nothing is taken back, and nothing recorded but events: the index has a short way for such subjects.
        self.plain = rng.random() < 0.3
        #: Much is measured, by loggers that travel with it.
        self.measured = rng.random() < 0.2

    def tell(self, size: int) -> History:
        rng = self.rng
        items: list[Item] = [("make", (pack,), self.time(), self.place(), rng.randrange(len(LOTS))) for pack in _PACKS]
        rng.shuffle(items)
        del items[rng.randrange(3, len(items) + 1) :]
        while len(items) < size:
            items.append(self.item())
        commits = []
        while items:
            appends = []
            for _ in range(rng.choice((1, 1, 2))):
                count = rng.randint(1, 8)
                appends.append(tuple(items[:count]))
                del items[:count]
            appended = tuple(one for one in appends if one)
            commits.append(Commit(appended, rng.choice(_BEFORE), rng.random() < 0.1, rng.random() < 0.2))
        return History(tuple(commits))

    def time(self) -> Time:
        rng = self.rng
        if rng.random() >= self.late:
            return TICK if rng.random() < 0.75 else SAME
        return AHEAD if rng.random() < 0.05 else rng.randrange(20)

    def place(self) -> int:
        return self.rng.randrange(len(PLACES))

    def some(self, numbers: Sequence[int], most: int = 3) -> tuple[int, ...]:
        return tuple(self.rng.sample(numbers, self.rng.randint(1, min(most, len(numbers)))))

    def item(self) -> Item:
        rng = self.rng
        kinds = {
            "pack": 30, "unpack": 14, "see": 25, "empty": 5, "undo": 9, "change": 3, "paper": 3, "end": 1, "fix": 2,
            "count": 2, "measure": 4, "note": 2, "make": 1,
        }  # fmt: skip
        if self.pilot:
            kinds |= {"act": 8, "bring": 5}
        if self.measured:
            kinds |= {"fix": 12, "measure": 30}
        if self.plain:
            kinds |= {"undo": 0, "note": 0}
        kind = rng.choices(list(kinds), list(kinds.values()))[0]
        time, place = self.time(), self.place()
        match kind:
            case "pack":
                return self.pack(time, place)
            case "unpack":
                return self.unpack(time, place)
            case "see":
                seen = self.some(_NUMBERS, 2)
                return "see", seen, time, place, rng.randrange(len(STEPS)), rng.choice((0, 0, 1, 2))
            case "empty":
                parent = rng.choice(sorted(set(self.inside.values())) or list(_NUMBERS))
                self.inside = {child: around for child, around in self.inside.items() if around != parent}
                return "empty", parent, time, place
            case "undo":
                some = None if rng.random() < 0.6 else self.some(_NUMBERS)
                return "undo", rng.choice((0, 0, 1, 2, 5)), some, rng.randrange(len(TWISTS))
            case "change":
                step, lot = rng.randrange(2), rng.randrange(len(LOTS))
                among = _PACKS if rng.random() < 0.8 else _NUMBERS
                return "change", self.some(among, 2), self.some(among, 2), time, place, step, lot
            case "paper":
                return "paper", rng.choice((None, *_NUMBERS)), self.some(_NUMBERS), time, place
            case "end":
                return "end", self.some(_NUMBERS, 1), time, place
            case "fix":
                fixed = rng.choice((self.some(_NUMBERS), (LOGGER,), (LOGGER,)))
                return "fix", rng.choice(_NUMBERS), fixed, time, place, rng.choice((0, 0, 2))
            case "count":
                return "count", rng.choice((None, *_NUMBERS)), time, place, rng.randrange(3)
            case "measure":
                measured = rng.choice((self.some(_NUMBERS), (LOGGER,), ()))
                return "measure", measured, time, place, rng.choice((5, 15, 30)), rng.choice((0, 0, 1, 4))
            case "note":
                return "note", rng.choice(_NUMBERS)
            case "make":
                return "make", self.some(_PACKS), time, place, rng.randrange(-1, len(LOTS))
            case "act":
                return "act", rng.choice(ACTS), self.some(_PACKS, 2), time
            case _:
                return "bring", rng.choice(_PACKS), rng.choice(sorted(Custody)), time

    def pack(self, time: Time, place: int) -> Item:
        rng = self.rng
        level = rng.randrange(len(LEVELS) - 1)
        fit = [n for n, own in LEVEL_OF.items() if own == level and n not in self.inside]
        parent = rng.choice(_above(level))
        if not fit or rng.random() < self.wrong:
            fit, parent = list(_NUMBERS), rng.choice(_NUMBERS)
        children = self.some(fit, 4)
        self.inside |= dict.fromkeys(children, parent)
        return "pack", parent, children, time, place, 1 if rng.random() < 0.1 else 0

    def unpack(self, time: Time, place: int) -> Item:
        rng = self.rng
        parent = rng.choice(sorted(set(self.inside.values())) or list(_NUMBERS))
        fit = [child for child, around in self.inside.items() if around == parent]
        if not fit or rng.random() < self.wrong:
            fit = list(_NUMBERS)
        children = self.some(fit)
        for child in children:
            self.inside.pop(child, None)
        return "pack", parent, children, time, place, 2


# ---- acted out ---------------------------------------------------------------------------------------


class Player:
    """Says what the items mean: the time goes on as they are told, and what was said can be taken back."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world
        self.said: list[Event] = []
        self.has_station = False
        self._now = 20
        self._orders = 0

    def contents(self, items: Sequence[Item]) -> list[Event | Record]:
        """The events and records of some items."""
        found: list[Event | Record] = []
        for item in items:
            for one in self._meant(item):
                found.append(one)
                if isinstance(one, Event):
                    self.said.append(one)
        return found

    def _time(self, time: Time) -> int:
        if time == AHEAD:
            return BASE + 3 * 86_400 * SECOND
        if time == TICK:
            self._now += 1
        return BASE + (self._now if time < 0 else time) * SECOND

    def _meant(self, item: Item) -> list[Event | Record]:
        match item:
            case ("make", things, time, place, lot):
                stated = {"extensions": _ilmd(1)} if lot < 0 else {"ilmd": _ilmd(lot)}
                return [self._seen(things, time, place, action="ADD", biz_step="commissioning", **stated)]
            case ("pack", parent, things, time, place, action):
                return [self._aggregation(parent, time, place, action, epcs=_codes(things))]
            case ("empty", parent, time, place):
                return [self._aggregation(parent, time, place, 2)]
            case ("see", things, time, place, step, carrier):
                parties = (SourceDest("possessing_party", CARRIERS[carrier % 2]),) if carrier else ()
                named: dict[str, Any] = {("sources", "sources", "destinations")[carrier]: parties}
                return [self._seen(things, time, place, biz_step=STEPS[step], **named)]
            case ("end", things, time, place):
                return [self._seen(things, time, place, action="DELETE", biz_step="destroying")]
            case ("paper", parent, things, time, place):
                document = BizTransaction("desadv", "urn:example:paper")
                return [
                    TransactionEvent(
                        **self._when_where(time, place), action="ADD", epcs=_codes(things),
                        parent=None if parent is None else THINGS[parent], biz_transactions=(document,),
                    )
                ]  # fmt: skip
            case ("fix", parent, things, time, place, action):
                return [
                    AssociationEvent(
                        **self._when_where(time, place), action=ACTIONS[action] if things else "DELETE",
                        parent=THINGS[parent], epcs=_codes(things),
                    )
                ]  # fmt: skip
            case ("change", old, new, time, place, step, lot):
                return [
                    TransformationEvent(
                        **self._when_where(time, place), epcs=_codes(old), output_epcs=_codes(new), ilmd=_ilmd(lot),
                        biz_step=("repackaging", "assembling")[step],
                    )
                ]  # fmt: skip
            case ("count", parent, time, place, action):
                quantities = tuple(Quantity(one, 2) for one in CLASSES)
                if parent is None:
                    return [self._seen((), time, place, quantities=quantities)]
                return [self._aggregation(parent, time, place, action, quantities=quantities)]
            case ("measure", things, time, place, degrees, seconds):
                return [self._measured(things, time, place, degrees, seconds)]
            case ("undo", back, things, twist):
                return self._undo(back, things, TWISTS[twist])
            case ("note", thing):
                return [Record("note", "seen", THINGS[thing])]
            case ("act", name, things, time):
                return self._act(name, things, time)
            case ("bring", thing, custody, time):
                return self._bring(THINGS[thing], custody, time)
        raise AssertionError(item)

    def _when_where(self, time: Time, place: int) -> dict[str, Any]:
        return {"event_time": self._time(time), "time_zone_offset": 480, "read_point": PLACES[place]}

    def _seen(self, things: Sequence[int], time: Time, place: int, **more: Any) -> ObjectEvent:
        values: dict[str, Any] = {"action": "OBSERVE", "epcs": _codes(things)} | more
        return ObjectEvent(**self._when_where(time, place), **values)

    def _aggregation(self, parent: int, time: Time, place: int, action: int, **more: Any) -> AggregationEvent:
        return AggregationEvent(
            **self._when_where(time, place), action=ACTIONS[action], parent=THINGS[parent],
            biz_step=("packing", None, "unpacking")[action], **more,
        )  # fmt: skip

    def _measured(self, things: Sequence[int], time: Time, place: int, degrees: int, seconds: int) -> ObjectEvent:
        event = self._seen((), time, place, biz_step="sensor_reporting", quantities=(Quantity(CLASSES[0]),))
        now = event.event_time
        metadata = SensorMetadata(
            time=None if seconds else now, device_id=THINGS[LOGGER],
            start_time=now - seconds * SECOND if seconds else None, end_time=now if seconds else None,
        )  # fmt: skip
        report = SensorReport(type="Temperature", value=Decimal(degrees), uom="CEL")
        sensor = SensorElement(metadata=metadata, reports=(report,))
        return evolve(event, epcs=_codes(things), quantities=(), sensors=(sensor,))

    def _undo(self, back: int, things: tuple[int, ...] | None, twist: str) -> list[Event | Record]:
        if back >= len(self.said):
            return []
        event = self.said[-1 - back]
        if things is not None:
            some = set(_codes(things))
            event = evolve(event, epcs=tuple(set(event.epcs) & some) or event.epcs)
        match twist:
            case "place":
                event = evolve(event, read_point=None if event.read_point else STORE)
            case "location":
                event = evolve(event, biz_location=STORE)
            case "time":
                event = evolve(event, event_time=event.event_time + SECOND)
            case "step":
                event = evolve(event, biz_step="other")
            case "lot" if isinstance(event, ObjectEvent | TransformationEvent):
                event = evolve(event, ilmd=())
        return [evolve(event, error_declaration=ErrorDeclaration(declaration_time=BASE, reason="did_not_occur"))]

    def _act(self, name: str, things: Sequence[int], time: Time) -> list[Event | Record]:
        if self.world is None:
            return [self._seen(things, time, 2)]
        event: Event = getattr(self.world, name)(*_codes(things))
        return [evolve(event, event_time=self._time(time))]

    def _bring(self, pack: str, custody: Custody, time: Time) -> list[Event | Record]:
        if self.world is None or not is_pack(pack):
            return []
        self._orders += 1
        way = self.world.way(custody, str(self._orders))
        return [evolve(make(self.world, pack), event_time=self._time(time)) for make in way]


def _codes(things: Sequence[int]) -> tuple[str, ...]:
    return tuple(THINGS[thing] for thing in things)


def _ilmd(lot: int) -> tuple[Extension, ...]:
    return () if LOTS[lot] is None else (Extension(MASTER_DATA, LOT, LOTS[lot]),)


# ---- written by hand ---------------------------------------------------------------------------------

# Events by their claimed time, in nanoseconds, and by what is different about them; `log_of` makes a log of them.


def made(time: int, *epcs: str, lot: str | None = None, where: str | None = None) -> ObjectEvent:
    ilmd = () if lot is None else (Extension("urn:epcglobal:cbv:mda:", "lotNumber", lot),)
    return ObjectEvent(
        event_time=time, time_zone_offset=0, action="ADD", epcs=epcs, read_point=where, ilmd=ilmd
    )  # fmt: skip


def at(time: int, where: str | None, *epcs: str, step: str | None = None) -> ObjectEvent:
    return ObjectEvent(
        event_time=time, time_zone_offset=0, action="OBSERVE", epcs=epcs, biz_step=step, read_point=where
    )  # fmt: skip


def gone(time: int, *epcs: str) -> ObjectEvent:
    return ObjectEvent(event_time=time, time_zone_offset=0, action="DELETE", epcs=epcs)


def into(time: int, parent: str, *epcs: str, where: str | None = None) -> AggregationEvent:
    return AggregationEvent(
        event_time=time, time_zone_offset=0, action="ADD", parent=parent, epcs=epcs, read_point=where
    )  # fmt: skip


def out(time: int, parent: str, *epcs: str, where: str | None = None) -> AggregationEvent:
    return evolve(into(time, parent, "urn:x", where=where), action="DELETE", epcs=epcs)


def seen_in(time: int, parent: str, *epcs: str) -> AggregationEvent:
    return evolve(into(time, parent, *epcs), action="OBSERVE")


def paper(time: int, where: str, *epcs: str) -> TransactionEvent:
    return TransactionEvent(
        event_time=time, time_zone_offset=0, action="ADD", epcs=epcs, read_point=where,
        biz_transactions=(BizTransaction("po", "urn:example:po:1"),),
    )  # fmt: skip


def change(time: int, old: tuple[str, ...], new: tuple[str, ...], *, lot: str | None = None) -> TransformationEvent:
    return TransformationEvent(
        event_time=time, time_zone_offset=0, epcs=old, output_epcs=new, ilmd=made(0, THINGS[0], lot=lot).ilmd
    )  # fmt: skip


def error(event: Event, **changes: Any) -> Event:
    return evolve(event, error_declaration=ErrorDeclaration(declaration_time=0), **changes)


def log_of(*events: Event, broken: dict[tuple[int, str], Violation] | None = None) -> MemoryView:
    """A log of these events and nothing else, under the plain rules; `broken` are violations of (entry, subject)."""
    broken = broken or {}
    headers, contents, stored = {}, {}, {}
    units: dict[str, tuple[int, int]] = {}
    for index, event in enumerate(events):
        rows = []
        for subject, act in custody.acts(event):
            last, state = units.get(subject, (None, 0))
            after, codes = custody.step(state, act)
            if (index, subject) in broken:
                after, codes = state, (*codes, int(broken[index, subject]))
            rows.append(Row(subject, act, last, after, codes))
            units[subject] = index, after
        content, encoded = encode(event), encode_rows(custody.PLAIN, rows)
        headers[index] = format_header(
            Header(
                type=EntryType.EVENT, flags=0, time=index, record_class=0, keep_until=OPEN_DAY, author=bytes(8),
                sequence=index, row_count=len(rows), content_length=len(content), rows_length=len(encoded),
                first_rows=0, policy=NO_POLICY, content_commitment=bytes(32), row_root=bytes(32),
            )
        )  # fmt: skip
        contents[index], stored[index] = bytes(32) + content, bytes(32) + encoded
    return MemoryView(headers, contents, stored, "", len(events))
