"""Which known code an unknown one was probably meant to be, at a price that does not grow with the ledger.

`identifiers.nearest` ranks the ids that it is handed. Of a product with few packs these are all of them. Of one with
many only the ids one slip away are looked up: another letter case, look-alikes (O and 0, I and 1), two neighbours
swapped, one character wrong, missing or too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product

from tracechain.custody import is_pack
from tracechain.identifiers import nearest
from tracechain.view import View

__all__ = ["known_like"]

#: Packs of a product up to which all are compared.
_FEW = 512
_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALIKE = ("0OQD", "1IJL", "5S", "2Z", "8B")
#: Whoever takes one O for a zero takes them all: each group is left as it is, or written as one of its characters.
_HABITS = tuple(
    str.maketrans({c: target for group, target in zip(_ALIKE, targets, strict=True) if target for c in group})
    for targets in product(*(("", *group) for group in _ALIKE))
)


def known_like(view: View, code: str, limit: int = 3) -> tuple[str, ...]:
    """At most `limit` known packs of the same product that `code` (canonical) was probably meant to be, likeliest
    first. None for what is no pack. At most some thousand lookups."""
    if not is_pack(code):
        return ()
    cut = 12 if code.startswith("nmpa/") else 21
    stem, serial = code[:cut], code[cut:]
    # State 0: an event named it that broke a rule, so it is noted and not known for that.
    known = [(subject, unit) for subject, unit in islice(view.subjects(stem), _FEW + 1)]
    if len(known) <= _FEW:
        return tuple(nearest(code, (subject for subject, unit in known if unit.state), limit))
    slips = {stem + text for text in _slips(serial, digits=cut == 12)}
    return tuple(nearest(code, (one for one in slips if (unit := view.unit(one)) is not None and unit.state), limit))


def _slips(serial: str, *, digits: bool) -> Iterator[str]:
    """Serial numbers one slip away."""
    alphabet = _DIGITS if digits else _DIGITS + _LETTERS + ("" if serial.isupper() else _LETTERS.lower())
    if not digits:
        yield from (serial.upper(), serial.lower(), serial.swapcase())
        yield from (serial.upper().translate(habit) for habit in _HABITS)
    for at in range(len(serial) + 1):
        head, tail = serial[:at], serial[at:]
        yield from (f"{head}{character}{tail}" for character in alphabet)
        if tail:
            yield head + tail[1:]
            yield from (f"{head}{character}{tail[1:]}" for character in alphabet)
        if len(tail) > 1:
            yield f"{head}{tail[1]}{tail[0]}{tail[2:]}"
