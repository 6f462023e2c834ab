"""The slow, obviously right model of tracing: plain Python over the whole log, without an index.

A `Model` reads every entry of a View once and answers every question by going through all of them again. Nothing here
is taken from `tracechain.tracing` but the value `Stay`: a container and two moments.

Two orders. The order of the log (the index of an entry) decides what breaks a rule; claimed time decides where things
were: facts are put in order by their *moment*, (claimed time in nanoseconds, index of the entry). "As of" a time means:
of the facts with a claimed time of up to and including that time, all that the log has by now, late ones too.

What was ambiguous, and how it is read here:

- A declaration voids the latest matching entry *of each subject it names*. A declared packing of one child of several
  names the container too, so it voids the packing for this child and for the container; the other children stay packed,
  for packing is a fact of each child.
- A transformation links codes of one event. That it holds is asked of the code one comes from: forward of the old code,
  backward of the new one. A code among inputs and outputs of one event is not made of itself.
- A trace runs on: to what the old codes were made of, to what the new ones were made into, and through the containers
  of all of them. It does not run down again to other new codes of an old code, nor up to other old codes of a new one.
- Kin is followed whatever the claimed times, for clocks differ: a new code that is said to be older than the old one is
  of the same goods all the same. Of an old code all is told up to the moment it was made into
  another, the latest where there are several; of a new code from the moment it was made, the earliest.
- Errors and declarations are shown among the entries of a subject and of its kin. What a container only seemed to do is
  no fact, and is not inherited.
- Records about a subject (and about its kin) are told of at their receipt; they are not inherited.
- The buyer of what is sold is named by the latest fact of the log that names one.
- What is handed over (an Object event, dispensing), ends (an Object event with DELETE) or is used up (an input of a
  transformation) leaves what it was in, at that moment. So it does in the order of the log, where declaring that an
  error does not bring it back.
- A container is emptied of what was in it at that moment by claimed times.
- A cycle is broken before a container, or the subject itself, is entered a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from attrs import frozen

from tracechain.custody import CUSTODY_MASK, Custody, Violation, is_pack
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType, Row, decode_rows, parse_header
from tracechain.errors import TracechainError
from tracechain.event import AggregationEvent, Event, ObjectEvent, TransactionEvent, TransformationEvent
from tracechain.record import decode_record
from tracechain.rules import Standing
from tracechain.tracing import Stay
from tracechain.view import View

__all__ = ["BEGINNING", "END", "Entry", "Model", "Moment", "Seen", "Told", "Where", "is_same"]

Moment = tuple[int, int]
BEGINNING: Moment = (-(1 << 70), -1)
END: Moment = (1 << 70, 0)


@frozen
class Entry:
    """An entry that records an event, with its rows by subject."""

    index: int
    event: Event
    rows: dict[str, Row]

    @property
    def moment(self) -> Moment:
        """What it is put in order by."""
        return self.event.event_time, self.index

    @property
    def declares(self) -> bool:
        """Whether it says that another one is an error."""
        return self.event.error_declaration is not None

    @property
    def place(self) -> str | None:
        """Where it happened."""
        return self.event.read_point or self.event.biz_location

    @property
    def locates(self) -> bool:
        """Whether its subjects were where it happened: papers are written elsewhere."""
        return self.place is not None and not isinstance(self.event, TransactionEvent)


@frozen
class Note:
    """An entry that names subjects and records no event: a record about them. Its time is that of its receipt (ns)."""

    index: int
    time: int
    rows: dict[str, Row]


@frozen
class Way:
    """`path` leads from a subject to one of its containers, which held it (through the ones between) from `begin` to
    `end`. The path of a subject alone is a way too. `closed`: the last of the path is on it already."""

    path: tuple[str, ...]
    begin: Moment
    end: Moment
    closed: bool = False


@frozen
class Told:
    """An entry that tells of a subject: its own, or that of the last of the containers in `via`."""

    entry: Entry
    via: tuple[str, ...]


@frozen
class Where:
    """Where a subject is or was. `state` is None where no entry names it by then."""

    place: str | None
    time: int | None
    index: int | None
    seen: str | None
    containers: tuple[str, ...]
    state: int | None
    holder: tuple[str, str | None]
    successors: tuple[str, ...]


@frozen
class Seen:
    """A line of a trace."""

    index: int
    relation: str
    voided: int | None
    declares: bool


RELATIONS = ("own", "container", "before", "after")


class Model:
    """Every answer about a log, by going through all of it."""

    def __init__(self, view: View) -> None:
        self.entries: list[Entry] = []
        self.notes: list[Note] = []
        #: All subjects that any entry names, whatever its type, with (index, state) of the latest.
        self.known: dict[str, tuple[int, int]] = {}
        self.standing = Standing()
        for index, header in view.headers(0, view.size):
            part, stored = view.content(index), view.rows(index)
            assert part is not None
            content = part[SALT_SIZE:]
            rows = {} if stored is None else {row.subject: row for row in decode_rows(stored[SALT_SIZE:])[1]}
            self.known.update({subject: (index, row.state) for subject, row in rows.items()})
            parsed = parse_header(header)
            if parsed.type == EntryType.EVENT:
                self.entries.append(Entry(index, decode(content), rows))
                continue
            self.notes.append(Note(index, parsed.time * 1_000_000, rows))
            if parsed.type == EntryType.RECORD:
                with suppress(TracechainError):  # what cannot follow stays in the log and changes nothing
                    self.standing.take(index, decode_record(content))
        #: (entry, subject) -> the entry that declares it an error.
        self.voided: dict[tuple[int, str], int] = {}
        for entry in self.entries:
            if entry.declares:
                self._void(entry)
        self.by_moment = sorted(self.entries, key=lambda entry: entry.moment)
        self._stays: dict[tuple[str, int | None], list[Stay]] = {}

    def _void(self, declaration: Entry) -> None:
        for subject, row in declaration.rows.items():
            if row.violations:
                continue
            for entry in reversed(self.entries):
                if (
                    entry.index < declaration.index
                    and subject in entry.rows
                    and not entry.declares
                    and (entry.index, subject) not in self.voided
                    and is_same(entry.event, declaration.event)
                ):
                    self.voided[entry.index, subject] = declaration.index
                    break

    # ---- facts ----

    @property
    def packs(self) -> list[str]:
        """All packs that the ledger has heard of."""
        return sorted(subject for subject in self.known if is_pack(subject))

    def times(self) -> list[int]:
        """All claimed times, ascending, each once."""
        return sorted({entry.event.event_time for entry in self.entries})

    def about(self, subject: str, as_of: int | None = None) -> list[Entry]:
        """All that was said of a subject by events, errors too, by moment."""
        return [entry for entry in self._until(as_of) if subject in entry.rows]

    def facts(self, subject: str, as_of: int | None = None) -> list[Entry]:
        """What was said of a subject, and not taken back, by moment."""
        return [entry for entry in self.about(subject, as_of) if self.is_fact(entry, subject)]

    def is_fact(self, entry: Entry, subject: str) -> bool:
        return subject in entry.rows and not entry.declares and (entry.index, subject) not in self.voided

    def _until(self, as_of: int | None) -> Iterator[Entry]:
        for entry in self.by_moment:
            if as_of is None or entry.event.event_time <= as_of:
                yield entry

    # ---- containers ----

    def stays(self, subject: str, as_of: int | None = None) -> list[Stay]:
        """What a subject was in, and from when to when."""
        if (subject, as_of) not in self._stays:
            self._stays[subject, as_of] = self._fold_stays(subject, as_of)
        return self._stays[subject, as_of]

    def _fold_stays(self, subject: str, as_of: int | None) -> list[Stay]:
        stays: list[Stay] = []
        inside: str | None = None
        begin = BEGINNING
        for entry in self._until(as_of):
            now = self._inside_after(entry, subject, inside)
            if now == inside:
                continue
            if inside is not None:
                stays.append(Stay(inside, begin, entry.moment))
            inside, begin = now, entry.moment
        if inside is not None:
            stays.append(Stay(inside, begin, None))
        return stays

    def _inside_after(self, entry: Entry, subject: str, inside: str | None) -> str | None:
        """What a subject is in after an entry, if it was in `inside` before."""
        event = entry.event
        if not isinstance(event, AggregationEvent):
            return None if self.is_fact(entry, subject) and _leaves(event, subject) else inside
        if self.is_fact(entry, subject) and subject in event.epcs:
            if event.action == "ADD" and Violation.PACKING_CYCLE not in entry.rows[subject].violations:
                return event.parent
            if event.action == "DELETE" and inside == event.parent:
                return None
        elif inside is not None and inside == event.parent and _empties(event) and self.is_fact(entry, inside):
            return None
        return inside

    def container(self, subject: str, as_of: int | None = None) -> str | None:
        """What a subject is in directly."""
        stays = self.stays(subject, as_of)
        return stays[-1].container if stays and stays[-1].end is None else None

    def containers(self, subject: str, as_of: int | None = None) -> tuple[str, ...]:
        """What it is in, innermost first, up to the first that comes again."""
        path = [subject]
        while (around := self.container(path[-1], as_of)) is not None and around not in path:
            path.append(around)
        return tuple(path[1:])

    def circle(self, subject: str, as_of: int | None = None) -> bool:
        """Whether what it is in is, in the end, in that itself."""
        path = (subject, *self.containers(subject, as_of))
        return self.container(path[-1], as_of) is not None

    def contents(self, container: str, as_of: int | None = None, *, deep: bool = False) -> list[str]:
        """What is in a container: directly, or at any depth."""
        return [
            subject
            for subject in sorted(self.known)
            if subject != container
            and container in (self.containers(subject, as_of) if deep else (self.container(subject, as_of),))
        ]

    def ways(
        self, subject: str, as_of: int | None = None, begin: Moment = BEGINNING, end: Moment = END
    ) -> Iterator[Way]:
        """All ways from a subject to what held it at any time from `begin` to `end`, both included."""
        yield from self._ways((subject,), as_of, begin, end)

    def _ways(self, path: tuple[str, ...], as_of: int | None, begin: Moment, end: Moment) -> Iterator[Way]:
        yield Way(path, begin, end)
        for stay in self.stays(path[-1], as_of):
            first, last = max(begin, stay.begin), min(end, stay.end or END)
            if first > last:
                continue
            if stay.container in path:
                yield Way((*path, stay.container), first, last, closed=True)
            else:
                yield from self._ways((*path, stay.container), as_of, first, last)

    def told(
        self, subject: str, as_of: int | None = None, begin: Moment = BEGINNING, end: Moment = END
    ) -> Iterator[Told]:
        """All that was said of a subject, errors too, and what was true of its containers, from `begin` to `end`."""
        for way in self.ways(subject, as_of, begin, end):
            if not way.closed:
                last = way.path[-1]
                for entry in self.about(last, as_of) if last == subject else self.facts(last, as_of):
                    if way.begin <= entry.moment <= way.end:
                        yield Told(entry, way.path[1:])

    def facts_told(self, subject: str, as_of: int | None = None) -> Iterator[Told]:
        """Of that the facts alone: own and inherited ones."""
        for told in self.told(subject, as_of):
            if self.is_fact(told.entry, told.via[-1] if told.via else subject):
                yield told

    # ---- answers ----

    def whereabouts(self, subject: str, as_of: int | None = None) -> Where:
        """Where it is, as of a claimed time (ns)."""
        sightings = [told for told in self.facts_told(subject, as_of) if told.entry.locates]
        # One entry may tell of a subject and of its container; the nearer counts.
        last = max(sightings, key=lambda told: (told.entry.moment, -len(told.via)), default=None)
        states = sorted((entry.index, entry.rows[subject].state) for entry in self.about(subject, as_of))
        state = states[-1][1] if states else None
        return Where(
            place=None if last is None else last.entry.place,
            time=None if last is None else last.entry.event.event_time,
            index=None if last is None else last.entry.index,
            seen=None if last is None else (last.via[-1] if last.via else subject),
            containers=self.containers(subject, as_of),
            state=state,
            holder=self._holder(subject, state or 0, None if last is None else last.entry, as_of),
            successors=tuple(dict.fromkeys(code for code, _ in self.made_into(subject, as_of))),
        )

    def contradicted(self, subject: str, as_of: int | None = None) -> bool:
        """Whether the latest sighting of a subject itself, or a fact since that has no place, broke a rule."""
        since: list[Entry] = []
        for fact in self.facts(subject, as_of):
            since = [fact] if fact.locates else [*since, fact]
        return any(fact.rows[subject].violations for fact in since)

    def _holder(self, subject: str, state: int, seen: Entry | None, as_of: int | None) -> tuple[str, str | None]:
        """Who has it: (kind, id)."""
        custody = state & CUSTODY_MASK
        if custody == Custody.DEAD:
            return "none", None
        if custody in (Custody.SOLD, Custody.DELIVERED):
            named = sorted((e.index, e.event.person) for e in self.facts(subject, as_of) if e.event.person is not None)
            return "buyer", f"person/{named[-1][1].hex()}" if named else None
        if seen is None or seen.place is None:
            return "unknown", None
        if seen.event.biz_step == "shipping" or custody == Custody.EXPORTED:
            # On its way: the carrier has it; where none is named, whoever it goes to.
            for kind, parties in (("carrier", seen.event.sources), ("place", seen.event.destinations)):
                for party in parties:
                    if party.type == "possessing_party":
                        return kind, party.id
        return "place", seen.place.split("/254/")[0]

    def made_of(self, subject: str, as_of: int | None = None) -> list[tuple[str, Entry]]:
        """The old codes of the same goods, with what made the new one of them."""
        return [
            (code, entry)
            for entry in self.facts(subject, as_of)
            if isinstance(entry.event, TransformationEvent) and subject in entry.event.output_epcs
            for code in entry.event.epcs
            if code != subject
        ]

    def made_into(self, subject: str, as_of: int | None = None) -> list[tuple[str, Entry]]:
        """The new codes of the same goods."""
        return [
            (code, entry)
            for entry in self.facts(subject, as_of)
            if isinstance(entry.event, TransformationEvent) and subject in entry.event.epcs
            for code in entry.event.output_epcs
            if code != subject
        ]

    def ancestors(self, subject: str, as_of: int | None = None) -> dict[str, Moment]:
        """All that it was made of, and that was made of, with the latest moment at which something was made of each."""
        family = {subject}
        while more := {code for one in family for code, _ in self.made_of(one, as_of)} - family:
            family |= more
        links = [(code, entry.moment) for one in family for code, entry in self.made_of(one, as_of)]
        return {code: max(moment for made, moment in links if made == code) for code in family - {subject}}

    def descendants(self, subject: str, as_of: int | None = None) -> dict[str, Moment]:
        """All that was made of it, and of that, with the earliest moment at which each was made."""
        family = {subject}
        while more := {code for one in family for code, _ in self.made_into(one, as_of)} - family:
            family |= more
        links = [(code, entry.moment) for one in family for code, entry in self.made_into(one, as_of)]
        return {code: min(moment for made, moment in links if made == code) for code in family - {subject}}

    def trace(self, subject: str, as_of: int | None = None) -> list[Seen]:
        """The whole history, each entry once, by moment."""
        found = list(self._lines(subject, "own", as_of))
        for code, end in self.ancestors(subject, as_of).items():
            found += self._lines(code, "before", as_of, end=end)
        for code, begin in self.descendants(subject, as_of).items():
            found += self._lines(code, "after", as_of, begin=begin)
        # An entry that tells of it in several ways is told of in the nearest, and stands if it stands for one.
        nearest: dict[int, tuple[Moment, Seen]] = {}
        for moment, line in sorted(found, key=lambda one: (RELATIONS.index(one[1].relation), one[1].voided or 0)):
            nearest.setdefault(line.index, (moment, line))
        return [line for _, line in sorted(nearest.values(), key=lambda one: one[0])]

    def _lines(
        self, code: str, relation: str, as_of: int | None, begin: Moment = BEGINNING, end: Moment = END
    ) -> Iterator[tuple[Moment, Seen]]:
        for told in self.told(code, as_of, begin, end):
            entry = told.entry
            how = "container" if told.via and relation == "own" else relation
            voided = None if told.via else self.voided.get((entry.index, code))
            yield entry.moment, Seen(entry.index, how, voided, entry.declares)
        for note in self.notes:
            moment = note.time, note.index
            if code in note.rows and (as_of is None or note.time <= as_of) and begin <= moment <= end:
                yield moment, Seen(note.index, relation, None, False)

    def kin(self, subject: str, as_of: int | None = None) -> set[tuple[str, str, int]]:
        """(code, relation, entry) of the codes that it was made of, or into."""
        return {(code, "made_of", made.index) for code, made in self.made_of(subject, as_of)} | {
            (code, "made_into", made.index) for code, made in self.made_into(subject, as_of)
        }

    # ---- what breaks a rule of packing, in the order of the log ----

    def packing_violations(self) -> list[tuple[int, str, int]]:
        """(entry, subject, code) of all that breaks a rule of packing (docs/format.md 7.4)."""
        return list(_packing_violations(self.entries))


def is_same(stated: Event, declared: Event) -> bool:
    """Whether a declaration is about the event that was stated."""
    return (
        type(stated) is type(declared)
        and stated.event_time == declared.event_time
        and getattr(stated, "action", None) == getattr(declared, "action", None)
        and stated.biz_step == declared.biz_step
        and getattr(stated, "parent", None) == getattr(declared, "parent", None)
        and stated.person == declared.person
        and stated.biz_transactions == declared.biz_transactions
        and stated.read_point == declared.read_point
        and stated.biz_location == declared.biz_location
    )


def _leaves(event: Event, subject: str) -> bool:
    """Whether what happens to it takes it out of whatever it is in: it is handed over, it ends, it is used up."""
    if isinstance(event, TransformationEvent):
        return subject in event.epcs
    return isinstance(event, ObjectEvent) and (event.action == "DELETE" or event.biz_step == "dispensing")


def _empties(event: AggregationEvent) -> bool:
    return event.action == "DELETE" and not event.epcs and not event.quantities


def _packing_violations(entries: Iterable[Entry]) -> Iterator[tuple[int, str, int]]:
    #: Of each child the container that the log says it is in, and the time that was claimed for its packing.
    inside: dict[str, tuple[str, int]] = {}
    #: The same of what was taken out of a container since: a declaration may put it back.
    taken_out: dict[str, tuple[str, int]] = {}

    def around(container: str) -> set[str]:
        found = {container}
        while container in inside and inside[container][0] not in found:
            container = inside[container][0]
            found.add(container)
        return found

    for entry in entries:
        event = entry.event
        if not entry.declares:
            taken_out |= {child: inside.pop(child) for child in event.epcs if child in inside and _leaves(event, child)}
        if not isinstance(event, AggregationEvent) or event.parent is None:
            continue
        parent = event.parent
        if _empties(event) and not entry.declares:
            for packed in (inside, taken_out):
                for child in [child for child, (container, _) in packed.items() if container == parent]:
                    del packed[child]
            continue
        for child in event.epcs:
            now = inside[child][0] if child in inside else None
            if entry.declares:
                if entry.rows[child].violations:
                    continue
                if event.action == "ADD" and inside.get(child) == (parent, event.event_time):
                    taken_out[child] = inside.pop(child)
                elif event.action == "DELETE" and child in taken_out and taken_out[child][0] == parent:
                    inside[child] = taken_out.pop(child)
            elif event.action == "DELETE":
                if now == parent:
                    taken_out[child] = inside.pop(child)
                else:
                    yield entry.index, child, Violation.NOT_PACKED
            elif event.action == "ADD" and child in around(parent):
                yield entry.index, child, Violation.PACKING_CYCLE
            elif now != parent:
                if now is not None:
                    yield entry.index, child, Violation.ALREADY_PACKED
                if event.action == "ADD":
                    inside[child] = parent, event.event_time
                    taken_out.pop(child, None)
