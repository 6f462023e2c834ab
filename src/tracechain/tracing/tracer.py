"""trace and whereabouts: where a subject was, by which way it came, and whether what says so verifies."""

from __future__ import annotations

from collections.abc import Container, Iterator
from operator import attrgetter
from typing import NamedTuple, Protocol

from tracechain.checkpoint import VerifierKey
from tracechain.custody import CUSTODY_MASK, Custody
from tracechain.derivation import INDEX_MASK
from tracechain.tracing.containment import CIRCLE, FIRST, Containment
from tracechain.tracing.facts import (
    DESTINATIONS,
    SHIPPING,
    SOURCES,
    TRANSFORMATION,
    Fact,
    Link,
    epcs_of,
    parties_of,
)
from tracechain.tracing.proof import Proof
from tracechain.tracing.values import Holder, Kin, Moment, Step, Trace, Unresolved, Whereabouts
from tracechain.verification import Code, Finding
from tracechain.view import Unit, View

__all__ = ["BROKE", "Checks", "Tracer", "holder_of", "holding", "trace", "whereabouts"]

_SOLD = frozenset((Custody.SOLD, Custody.DELIVERED))
_HEADER = 128
PROVED = (
    "each entry was held against the signed tree, with its content and rows; who stated it is checked by `verify`"
    " and verify_unit; that there is no later one is the word of the index"
)
#: What is said of a subject whose latest fact broke a rule.
BROKE = "its latest sighting, or something stated of it since, broke a rule"
_Key = attrgetter("time", "index")


def trace(view: View, subject: str, *, verifier: VerifierKey | None = None, as_of: int | None = None) -> Trace:
    """The whole history of a subject (canonical id): its own entries and those it inherited from its containers, of
    the codes it was made of, and of those that were made of it, by claimed times; with `as_of` (ns) up to that time.

    Each step says whether its entry verifies under the view's checkpoint, whose key is `verifier`'s (the one that the
    log names itself, if not given). For many subjects of one view, ask one `Tracer`.
    """
    return Tracer(view, verifier=verifier).trace(subject, as_of)


def whereabouts(view: View, subject: str, as_of: int | None = None) -> Whereabouts:
    """Where a subject (canonical id) is, or was at a claimed time (ns): by the latest sighting of itself or of a
    container that it was in. Many of one view are answered by one `Tracer`."""
    return Tracer(view).whereabouts(subject, as_of)


class _Shown(NamedTuple):
    """An entry that a trace will show: see Step."""

    link: Link
    subject: str
    relation: str
    via: tuple[str, ...]
    voided: int | None


class Checks(Protocol):
    """Says of entries whether they verify: `Proof`, or who checked all of them before (an excerpt has no tree to look
    into). `findings` are about no entry."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the whole."""

    def check(self, index: int, subject: str) -> tuple[Finding, ...]:
        """What is wrong with an entry, as far as a subject goes."""


class Tracer:
    """Answers about one view, and remembers containers and proofs, which many units share."""

    def __init__(self, view: View, *, verifier: VerifierKey | None = None, proof: Checks | None = None) -> None:
        self.view = view
        self.containment = Containment(view)
        self._verifier = verifier
        self._proof = proof

    # ---- whereabouts ----

    def whereabouts(self, subject: str, as_of: int | None = None) -> Whereabouts:
        """See `whereabouts`."""
        unit = self.view.unit(subject)
        if unit is None:
            words = "no entry of the ledger names it"
            return Whereabouts(subject, None, unresolved=(Unresolved("unknown", subject, None, words),))
        past = self.containment.past(subject)
        unresolved = set(past.unresolved)
        end = None if as_of is None else (as_of, INDEX_MASK)
        sighting = self.containment.latest(subject, unresolved, end=end)
        containers, circle = self.containment.containers(subject, as_of)
        if circle:
            unresolved.add(Unresolved("cycle", subject, None, CIRCLE))
        links = past.links if as_of is None else [one for one in past.links if one.fact and one.fact.time <= as_of]
        stood = Unit(links[-1].at, links[-1].state) if links else None
        unresolved.update(_contradiction(subject, past.facts, as_of))
        seen, who = (None, None) if sighting is None else sighting
        return Whereabouts(
            subject,
            stood,
            None if seen is None else seen.place,
            None if seen is None else seen.time,
            None if seen is None else seen.index,
            who,
            containers,
            self._holder(0 if stood is None else stood.state, seen, links, past.voided),
            tuple(dict.fromkeys(code for code, relation, _ in self._kin(subject, as_of) if relation == "made_into")),
            tuple(sorted(unresolved, key=attrgetter("order"))),
        )

    def _holder(self, state: int, seen: Fact | None, links: list[Link], voided: Container[int]) -> Holder:
        """Who has it; the buyer is whom the latest of `links` names that is not declared an error."""
        person = None
        if state & CUSTODY_MASK in _SOLD:
            said = (one.fact for one in reversed(links) if one.fact and not one.fact.declares and one.at not in voided)
            person = next((fact.person for fact in said if fact.person), None)
        return holder_of(state, seen, person)

    # ---- trace ----

    def trace(self, subject: str, as_of: int | None = None) -> Trace:
        """See `trace`."""
        unit = self.view.unit(subject)
        if unit is None:
            words = "no entry of the ledger names it"
            return Trace(subject, None, (), unresolved=(Unresolved("unknown", subject, None, words),))
        proof = self._proof
        if proof is None:
            proof = self._proof = Proof(self.containment.log, self._verifier)
        unresolved: set[Unresolved] = set()
        shown: dict[int, _Shown] = {}
        asked: set[str] = set()
        self._take(subject, "own", None, None, shown, unresolved, asked)
        kin = self._kin(subject, as_of)
        self._family(subject, as_of, shown, unresolved, asked)
        # The newest first: each makes those before it sure, so that few have to be looked for in the tree.
        steps = [self._step(shown[index], proof) for index in sorted(shown, reverse=True)]
        ordered = [one for one in sorted(steps, key=_Key) if as_of is None or one.time <= as_of]
        unresolved.update(_contradiction(subject, self.containment.past(subject).facts, as_of))
        _, circle = self.containment.containers(subject, as_of)
        if circle:
            unresolved.add(Unresolved("cycle", subject, None, CIRCLE))
        findings = (*proof.findings, *(finding for one in steps for finding in one.findings))
        return Trace(
            subject,
            unit,
            tuple(ordered),
            tuple(Kin(code, relation, fact.index) for code, relation, fact in kin),
            self.containment.stays_until(subject, as_of),
            tuple(sorted(unresolved, key=attrgetter("order"))),
            tuple(dict.fromkeys((*findings, *self._behind(shown, asked, unresolved, proof)))),
            (PROVED,),
        )

    def _behind(
        self, shown: dict[int, _Shown], asked: set[str], unresolved: set[Unresolved], proof: Checks
    ) -> Iterator[Finding]:
        """What is wrong with entries that a trace rests on and does not show: who alters the time of a scan, or the row
        that leads to it, takes it out of the trace."""
        rest = [
            (link.at, subject)
            for subject in asked
            for link in self.containment.past(subject).links
            if link.at not in shown or shown[link.at].subject != subject
        ]
        for at, subject in sorted(rest, reverse=True):
            yield from proof.check(at, subject)
        for one in unresolved:
            if one.kind == "damaged" and one.index is not None:
                found = proof.check(one.index, one.subject)
                yield from found or (Finding(Code.CONTENT_MALFORMED, one.index, one.detail, one.subject),)

    def _take(
        self,
        subject: str,
        relation: str,
        first: Moment | None,
        last: Moment | None,
        shown: dict[int, _Shown],
        unresolved: set[Unresolved],
        asked: set[str],
    ) -> None:
        """Add the entries of a subject, and what it inherited, between two moments; `asked` takes whose chains were
        looked at."""
        past = self.containment.past(subject)
        asked.add(subject)
        unresolved |= past.unresolved
        for link in past.links:
            moment = self._told(link)
            if (first is None or moment >= first) and (last is None or moment <= last):
                _show(shown, _Shown(link, subject, relation, (), past.voided.get(link.at)))
        how = "container" if relation == "own" else relation
        for link, via in self.containment.inherited(subject, unresolved, first or FIRST, last, asked):
            _show(shown, _Shown(link, via[-1], how, via, None))

    def _told(self, link: Link) -> Moment:
        """The moment of an entry; what claims no time stands where it was received."""
        if link.fact is not None:
            return link.fact.moment
        return int.from_bytes((self.view.header(link.at) or bytes(_HEADER))[8:16], "big") * 1_000_000, link.at

    def _family(
        self, subject: str, as_of: int | None, shown: dict[int, _Shown], unresolved: set[Unresolved], asked: set[str]
    ) -> None:
        """Add what happened to the codes it was made of, before that, and to those made of it, after.

        Whatever made a code is followed, whatever the claimed times, for clocks differ; where a code comes in more than
        once, all counts that is before, or after, one of these times.
        """
        for how, before in (("before", True), ("after", False)):
            limits: dict[str, Moment] = {}
            #: Transformations that were followed, and from where: of many codes, one tells of all others.
            followed: dict[int, str | None] = {}
            waiting = [subject]
            while waiting:
                at = waiting.pop()
                for fact in self._transformations(at, as_of):
                    if followed.get(fact.index, "") in (None, at) or at not in epcs_of(fact, outputs=before):
                        continue
                    # Not to itself; for others that are in it as well this was one of the old or new codes.
                    again = followed.get(fact.index)
                    followed[fact.index] = at if again is None else None
                    codes = epcs_of(fact, outputs=not before) if again is None else [again]
                    for code in codes:
                        if code in (at, subject) or (
                            again is not None and code not in epcs_of(fact, outputs=not before)
                        ):
                            continue
                        known = limits.get(code)
                        if known is None:
                            waiting.append(code)
                        if known is None or (fact.moment > known) is before:
                            limits[code] = fact.moment
            for code, moment in limits.items():
                first, last = (None, moment) if before else (moment, None)
                self._take(code, how, first, last, shown, unresolved, asked)

    def _transformations(self, subject: str, as_of: int | None) -> Iterator[Fact]:
        for link in self.containment.past(subject).facts:
            fact = link.fact
            if fact is not None and fact.kind == TRANSFORMATION and (as_of is None or fact.time <= as_of):
                yield fact

    def _kin(self, subject: str, as_of: int | None) -> list[tuple[str, str, Fact]]:
        """(code, relation, event) of what it was made of, and into."""
        found: list[tuple[str, str, Fact]] = []
        for fact in self._transformations(subject, as_of):
            inputs, outputs = epcs_of(fact), epcs_of(fact, outputs=True)
            if subject in inputs:
                found += [(code, "made_into", fact) for code in outputs if code != subject]
            if subject in outputs:
                found += [(code, "made_of", fact) for code in inputs if code != subject]
        return found

    def _step(self, shown: _Shown, proof: Checks) -> Step:
        link, subject, relation, via, voided = shown
        header = self.view.header(link.at) or bytes(_HEADER)
        part = self.view.content(link.at)
        fact = link.fact
        received = int.from_bytes(header[8:16], "big")
        findings: tuple[Finding, ...] = proof.check(link.at, subject)
        return Step(
            link.at,
            received * 1_000_000 if fact is None else fact.time,
            0 if fact is None else fact.raw[2],
            received,
            subject,
            relation,
            via,
            None if fact is None else fact.place,
            header[24:32],
            link.act,
            link.state,
            link.codes,
            None if part is None or fact is None else part[32:],
            voided,
            fact is not None and fact.declares,
            findings,
        )


def _show(shown: dict[int, _Shown], one: _Shown) -> None:
    """Show an entry as it was told of first. Where it is of several codes alike, and was an error for some of them, it
    stands for the others."""
    known = shown.get(one.link.at)
    if known is None or (known.relation == one.relation and (known.voided or 0) > (one.voided or 0)):
        shown[one.link.at] = one


def _contradiction(subject: str, facts: list[Link], as_of: int | None) -> Iterator[Unresolved]:
    """What speaks against the latest sighting of a subject itself: that, or a later fact without a place, broke a
    rule."""
    for link in reversed(facts):
        fact = link.fact
        assert fact is not None
        if as_of is not None and fact.time > as_of:
            continue
        if link.codes:
            yield Unresolved("contradiction", subject, link.at, BROKE)
            return
        if fact.locates:
            return


def holder_of(state: int, seen: Fact | None, person: bytes | None) -> Holder:
    """Who has a pack in a state, seen last by this event, bought by this person."""
    return Holder(*holding(state, seen, person))


def holding(state: int, seen: Fact | None, person: bytes | None) -> tuple[str, str | None]:
    """The kind and the id of the holder."""
    where = state & CUSTODY_MASK
    if where == Custody.DEAD:
        return "none", None
    if where in _SOLD:
        return "buyer", None if person is None else f"person/{person.hex()}"
    if seen is None:
        return "unknown", None
    if seen.step == SHIPPING or where == Custody.EXPORTED:
        # The carrier has it; where none is named, whoever it goes to.
        for position in (SOURCES, DESTINATIONS):
            if seen.item(position) and (named := parties_of(seen, position, "possessing_party")):
                return "carrier" if position == SOURCES else "place", named[0]
    place = seen.place
    return ("unknown", None) if place is None else ("place", place.partition("/254/")[0])
