"""What every part of a selection reads: chains and entries of one view, with a note of what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tracechain.errors import DataError
from tracechain.recall.lives import CHUNK, Lives
from tracechain.tracing import Stay, Unresolved
from tracechain.tracing.containment import Containment, Past
from tracechain.tracing.facts import TRANSFORMATION, Fact, classes_of, epcs_of
from tracechain.view import View

__all__ = ["Ground", "gathered", "subjects_of"]


class Ground:
    """One view as a selection sees it. What is gone or damaged is noted in `unresolved`, and the rest goes on."""

    def __init__(self, containment: Containment, unresolved: set[Unresolved]) -> None:
        self.containment = containment
        self.log = containment.log
        self.view: View = containment.log.view
        self.lives = Lives(containment)
        self.unresolved = unresolved

    def past(self, subject: str) -> Past:
        """The chain of a subject, put in order."""
        past = self.containment.past(subject)
        if past.unresolved:
            self.unresolved |= past.unresolved
        return past

    def stays(self, subject: str) -> list[Stay]:
        """What a subject was in, in order."""
        self.past(subject)
        stays = self.containment.stays(subject)
        for stay in stays:
            self.past(stay.container)  # it may have been emptied by an entry that is gone
        return stays

    def runs(self, names: Iterable[str]) -> list[range]:
        """The entries that mention one of these names."""
        return [run for name in names for run in self.view.mentions(name)]

    def facts(self, name: str, runs: Iterable[range]) -> Iterator[Fact]:
        """The events of entries that mention a name: read many at a time, and not remembered."""
        for run in runs:
            for start in range(run.start, run.stop, CHUNK):
                yield from self._read(name, range(start, min(start + CHUNK, run.stop)))

    def _read(self, name: str, indices: Sequence[int]) -> Iterator[Fact]:
        for index, (content, _) in zip(indices, self.view.parts(indices), strict=True):
            try:
                fact = self.log.read(index, content)
            except DataError as error:
                self.note("damaged", name, index, str(error))
                continue
            if fact is None:
                self.note("pruned", name, index, "the content of this entry is not kept")
            else:
                yield fact

    def unknown(self, code: str) -> Iterator[Unresolved]:
        """A code that the ledger does not know."""
        if self.view.unit(code) is None:
            yield Unresolved("unknown", code, None, "no entry of the ledger names it")

    def by_class(self, name: str) -> Iterator[Unresolved]:
        """A product or lot that was handled without codes too."""
        if (unit := self.view.unit(name)) is not None:
            yield Unresolved("class", name, unit.last, "it was also handled by class and quantity, without codes")

    def note(self, kind: str, subject: str, index: int | None, detail: str) -> None:
        """Something could not be told."""
        self.unresolved.add(Unresolved(kind, subject, index, detail))

    def note_classes(self, fact: Fact) -> None:
        """An event may name goods without codes: nobody can tell which units those are."""
        for one in classes_of(fact):
            self.note("class", one, fact.index, "it was handled by class and quantity, without codes")


def subjects_of(fact: Fact) -> list[str]:
    """What an event names by codes: its epcs, what it made, and its container."""
    found = epcs_of(fact)
    if fact.kind == TRANSFORMATION:
        found += epcs_of(fact, outputs=True)
    if fact.parent is not None:
        found.append(fact.parent)
    return found


def gathered(batches: Iterable[Sequence[str]]) -> Iterator[list[str]]:
    """Batches of some thousands, of what comes in any: packs that are looked at together share work."""
    waiting: list[str] = []
    for batch in batches:
        waiting += batch
        if len(waiting) >= CHUNK:
            whole = len(waiting) // CHUNK * CHUNK
            for start in range(0, whole, CHUNK):
                yield waiting[start : start + CHUNK]
            del waiting[:whole]
    if waiting:
        yield waiting
