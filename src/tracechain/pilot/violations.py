"""Every rule that was broken, counted from the rows of the log.

What a row says was judged when it was recorded, by the registers and the profile of that moment. A replay comes to the
same (`replay.State.violations`), and verification holds the rows against it.
"""

from __future__ import annotations

from attrs import frozen

from tracechain.custody import describe
from tracechain.pilot.register import entries_until
from tracechain.pilot.rows import quick_rows
from tracechain.rules import clause_of
from tracechain.view import View

__all__ = ["Broken", "violations"]


@frozen
class Broken:
    """A rule and how often it was broken: `count` subjects, in `entries` (indices, ascending).

    `code` and `name` are the violation's, `clause` where the rule stands, `words` what it means, `what_to_do` then.
    """

    code: int
    name: str
    clause: str
    words: str
    what_to_do: str
    count: int
    entries: tuple[int, ...]


def violations(view: View, as_of: int | None = None) -> tuple[Broken, ...]:
    """The rules that were broken, in order of their codes; with `as_of` (ms) by entries received until then.

    Reads every row once: a million of them in some seconds. DecodeError for rows that are damaged.
    """
    counts: dict[int, int] = {}
    entries: dict[int, list[int]] = {}
    for index, part in view.all_rows(0, entries_until(view, as_of)):
        for _, _, _, _, codes in quick_rows(part):
            for code in codes:
                counts[code] = counts.get(code, 0) + 1
                places = entries.setdefault(code, [])
                if not places or places[-1] != index:
                    places.append(index)
    return tuple(_broken(code, counts[code], tuple(entries[code])) for code in sorted(counts))


def _broken(code: int, count: int, entries: tuple[int, ...]) -> Broken:
    clause = clause_of(code)
    return Broken(code, describe(code), clause.clause, clause.words, clause.what_to_do, count, entries)
