"""What an excerpt is of: the histories that it shows, and entries beside them.

A history is every entry of a subject, so that nothing of it can be left out. Where a code went is told by the
containers that it was in and by the codes that it was made of or made into, so their histories come with it; what else
was in these containers, and in the same events, is thereby told as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import field, frozen

from tracechain.collector import uninterrupted
from tracechain.criteria import Lot
from tracechain.custody import is_pack
from tracechain.errors import CodeError, DataError, InputError
from tracechain.identifiers import canonical
from tracechain.pilot.register import entries_until
from tracechain.recall.cases import find_recall, flagged
from tracechain.recall.ground import Ground, subjects_of
from tracechain.recall.lots import class_names
from tracechain.recall.reach import Happening, Reach, Span
from tracechain.recall.select import Selection as Covered
from tracechain.registers import Merchant, RecallStep, subject_of
from tracechain.retention.ranges import Ranges, unite
from tracechain.tracing import Moment, Tracer, Unresolved
from tracechain.tracing.containment import FIRST, Containment
from tracechain.tracing.facts import DESTINATIONS, SOURCES, TRANSFORMATION, Fact, epcs_of
from tracechain.view import View

__all__ = [
    "Selection",
    "check_absent",
    "is_canonical",
    "select_lot",
    "select_merchant",
    "select_period",
    "select_recall",
    "select_units",
]

_READ_POINT, _LOCATION = 8, 9  # of the items of a content (format.md section 9.1)
_LISTED = 100  # codes named in what was asked for
_OPEN = 1 << 63


@frozen
class Selection:
    """What an excerpt shows: the whole histories of `subjects` (canonical ids), and the entries in `entries`.

    `chosen` are the subjects that were asked for; the others are their containers, what they were made of, and what was
    made of them. `asked` says in words what was asked for. `unresolved` is what could not be followed: what it leads to
    is not in the selection.
    """

    chosen: frozenset[str] = frozenset()
    subjects: frozenset[str] = field(default=frozenset(), repr=lambda some: f"<{len(some)} subjects>")
    entries: Ranges = ()
    asked: tuple[str, ...] = ()
    unresolved: frozenset[Unresolved] = frozenset()

    def __or__(self, other: Selection) -> Selection:
        """Both."""
        return Selection(
            self.chosen | other.chosen,
            self.subjects | other.subjects,
            unite(self.entries, other.entries),
            (*self.asked, *other.asked),
            self.unresolved | other.unresolved,
        )


# ---- ways to choose --------------------------------------------------------------------------------


def select_units(view: View, codes: Iterable[str]) -> Selection:
    """The histories of some subjects (canonical ids): packs, containers, products, register chains. InputError names a
    code that no entry of the log names."""
    wanted = sorted(set(codes))
    for code in wanted:
        if view.unit(code) is None:
            raise InputError(f"{code}: no entry of the ledger names it, so there is no history to show; see --absent")
    return _with_others(Containment(view), wanted, _listed("unit", wanted))


def select_lot(view: View, product: str, lot: str) -> Selection:
    """The histories of the packs of a lot of a product (`01/` and GTIN, or `nmpa/` and 7 digits), and of those that
    were made of them since. InputError where the log knows none."""
    tracer = Tracer(view)
    found = Covered(view, tracer)
    units = [unit for batch in found.units(Lot(product, lot)) for unit in batch]
    # Goods of a lot may be handled without codes: the lot itself is the subject then.
    by_class = [name for name in class_names(product, lot) if name != product and view.unit(name) is not None]
    if not units and not by_class:
        raise InputError(f"no entry of the ledger that is kept brings packs of lot {lot!r:.80} of {product} into being")
    asked = (f"lot {lot} of {product}",)
    return _with_others(tracer.containment, (*units, *by_class), asked, found.unresolved)


def select_recall(view: View, ident: str) -> Selection:
    """The records of a recall, and the histories of the packs that were flagged when it was opened and of those that
    its criterion covers now. InputError for no recall."""
    file = find_recall(view, ident)
    if file is None:
        raise InputError(f"there is no recall {ident!r:.80}: see `tracechain recall list`")
    tracer = Tracer(view)
    found = Covered(view, tracer)
    units = {unit for batch in found.units(file.criterion) for unit in batch}
    units.update(flagged(view, file))
    subjects = (*sorted(units), subject_of(RecallStep.KIND, ident))
    return _with_others(tracer.containment, subjects, (f"recall {ident}",), found.unresolved)


def select_merchant(view: View, ident: str) -> Selection:
    """The histories of the packs that events are about which name a party (as a source, a destination, or the place),
    of packs in a container meanwhile too, and of the containers; and what its register says. InputError where nothing
    names it."""
    containment = Containment(view)
    unresolved: set[Unresolved] = set()
    ground = Ground(containment, unresolved)
    about = _About(ground, ident)
    units = {unit for batch in Reach(ground, about).packs() for unit in batch}
    units.update(about.things())
    register = subject_of(Merchant.KIND, ident)
    if view.unit(register) is not None:
        units.add(register)
    if not units:
        raise InputError(f"no event of the ledger that is kept names {ident!r:.80}, and no register does")
    return _with_others(containment, sorted(units), (f"merchant {ident}",), unresolved)


def select_period(view: View, start: int, stop: int) -> Selection:
    """Every entry that was received from `start` to `stop` (ms, both included), with the neighbour on each side, which
    shows that no other one was."""
    if not 0 <= start <= stop:
        raise InputError(f"a period from {start} to {stop} (ms since 1970) has no time in it")
    first, end = entries_until(view, start - 1), entries_until(view, stop)
    asked = (f"entries received from {start} to {stop} (ms since 1970-01-01T00:00:00Z)",)
    return Selection(entries=((max(first - 1, 0), min(end + 1, view.size)),), asked=asked)


def _listed(what: str, codes: Sequence[str]) -> tuple[str, ...]:
    """What was asked for, in words that fit into bundle.json."""
    more = (f"and {len(codes) - _LISTED} more",) if len(codes) > _LISTED else ()
    return (*(f"{what} {code}" for code in codes[:_LISTED]), *more)


class _About(Happening):
    """Being what an event is about that names a party."""

    size = 0

    def __init__(self, ground: Ground, party: str) -> None:
        self._ground = ground
        self._party = party
        self._things: dict[str, None] | None = None

    def _meets(self, fact: Fact) -> bool:
        sides = (pair for side in (SOURCES, DESTINATIONS) for pair in fact.item(side) or ())
        places = (fact.item(_READ_POINT), fact.item(_LOCATION))
        return self._party in places or any(party == self._party for _, party in sides)

    def things(self) -> Iterable[str]:
        """What such events name by code."""
        if self._things is None:
            self._things = {}
            runs = self._ground.runs((self._party,))
            for fact in self._ground.facts(self._party, runs):
                self._ground.note_classes(fact)
                self._things.update(dict.fromkeys(subjects_of(fact)))
        return self._things

    def spans(self, subject: str) -> list[Span]:
        """When such events were."""
        facts = (link.fact for link in self._ground.past(subject).facts)
        return [(fact.moment, fact.moment) for fact in facts if fact is not None and self._meets(fact)]


# ---- what comes with it ----------------------------------------------------------------------------


def _with_others(
    containment: Containment, chosen: Iterable[str], asked: tuple[str, ...], unresolved: Iterable[Unresolved] = ()
) -> Selection:
    """Some subjects, those that they were made of and made into, and the containers of all of these."""
    wanted = frozenset(chosen)
    noted = set(unresolved)
    with uninterrupted():
        found = set(wanted)
        for outputs in (False, True):
            found |= _kin(containment, wanted, outputs=outputs)
        # What was seen last of a container that something is in now may have been before that.
        now = {container for subject in found for container in containment.containers(subject)[0]}
        found |= _around(containment, found | now)
        for subject in found:
            if is_pack(subject) or not subject.startswith("urn:tracechain:"):
                noted |= containment.past(subject).unresolved
    return Selection(wanted, frozenset(found), (), asked, frozenset(noted))


def _kin(containment: Containment, subjects: Iterable[str], *, outputs: bool) -> set[str]:
    """What some codes were made into, at any remove, with `outputs`; else what they were made of."""
    found: set[str] = set()
    waiting = list(subjects)
    while waiting:
        at = waiting.pop()
        for link in containment.past(at).facts:
            fact = link.fact
            if fact is None or fact.kind != TRANSFORMATION or at not in epcs_of(fact, outputs=not outputs):
                continue
            new = [code for code in epcs_of(fact, outputs=outputs) if code not in found and code != at]
            found.update(new)
            waiting += new
    return found


def _around(containment: Containment, subjects: Iterable[str]) -> set[str]:
    """The containers of some subjects, and those of these while they held them; and, as emptying a container ends the
    stay of what is in it, whatever else these containers were in themselves. Many that were packed together are looked
    at once."""
    found: set[str] = set()
    seen: set[tuple[str, Moment, Moment]] = set()
    for subject in subjects:
        waiting: list[tuple[str, Moment, Moment]] = [(subject, FIRST, (_OPEN, 0))]
        while waiting:
            inside, begin, end = waiting.pop()
            for stay in containment.stays(inside):
                found.add(stay.container)
                first, last = max(stay.begin, begin), end if stay.end is None else min(stay.end, end)
                window = stay.container, first, last
                if first <= last and window not in seen:
                    seen.add(window)
                    waiting.append(window)
    return found


def is_canonical(code: str) -> bool:
    """Whether a code is spelled as in logs (docs/format.md section 9.2). Any other spelling of it is absent from
    every log, which shows nothing."""
    try:
        return canonical(code) == code
    except CodeError:
        return False


def check_absent(view: View, code: str) -> None:
    """InputError if an entry of the log names a code, or it is spelled as no log spells it: that its absence could be
    shown would mean nothing."""
    if not is_canonical(code):
        raise InputError(f"{code!r:.200} is not in the spelling of the log: give the canonical id of the code")
    try:
        unit = view.unit(code)
    except DataError as error:
        raise InputError(f"{code}: {error}") from None
    if unit is not None:
        raise InputError(f"{code} is in the ledger, last in entry {unit.last}: see --unit for its history")
