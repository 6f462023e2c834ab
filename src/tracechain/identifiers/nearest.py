"""Which known code was probably meant: a hint for an unknown one.

Most mismatches are no counterfeits but a keyboard layout that changes case, an O typed for a 0, two
characters swapped, or one that is missing (domain practice of the European verification systems).
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["nearest"]

_LIMIT = 2  # edits; at three almost any serial number is near some other
_ALIKE = str.maketrans("OQDIJLSZB", "000111528")


def _fold(text: str) -> str:
    """Letter case and look-alikes taken away."""
    return text.upper().translate(_ALIKE)


def _edits(a: str, b: str, limit: int) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours from `a` to `b`; above `limit`, limit + 1.

    At most 4 ** limit branches behind common prefixes: far less work than a full matrix for the small
    limit that is of use here.
    """
    start = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        start += 1
    a, b = a[start:], b[start:]
    if not a or not b:
        return min(len(a) + len(b), limit + 1)
    if limit == 0 or abs(len(a) - len(b)) > limit:
        return limit + 1
    best = min(_edits(a[1:], b[1:], limit - 1), _edits(a[1:], b, limit - 1), _edits(a, b[1:], limit - 1))
    if a[:2] == b[1::-1]:
        best = min(best, _edits(a[2:], b[2:], limit - 1))
    return best + 1


def _swapped(a: str, b: str) -> bool:
    """Whether two neighbours swapped make `a` into `b`."""
    differ = [i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y]
    return (
        len(a) == len(b)
        and len(differ) == 2
        and differ[1] == differ[0] + 1
        and (a[differ[0]], a[differ[1]]) == (b[differ[1]], b[differ[0]])
    )


def nearest(code: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """At most `limit` of the `known` ids that `code` was probably meant to be, likeliest first.

    Order: differing only in letter case, then only in look-alikes (O/0, I/1, S/5 ...), then by two
    neighbours swapped, then by one edit, then by two; ids further away are not named. `code` should be
    canonical where it can be (`canonical`). Walks through all of `known` once: hand over the ids of one
    product rather than of a whole ledger.
    """
    folded, upper = _fold(code), code.upper()
    found: list[tuple[int, str]] = []
    for other in known:
        if other == code or abs(len(other) - len(code)) > _LIMIT:
            continue
        if other.upper() == upper:
            rank = 0
        elif _fold(other) == folded:
            rank = 1
        elif _swapped(code, other):
            rank = 2
        else:
            edits = _edits(code, other, _LIMIT)
            if edits > _LIMIT:
                continue
            rank = 2 + edits
        found.append((rank, other))
    return [other for _, other in heapq.nsmallest(limit, set(found))]
