r"""Text from the ledger on its way into a page: what cannot be seen is made visible, what could act is made text.

Codes, names and reasons come from scanners and other people's files. In HTML they are escaped by the templates; in JSON
inside a script element nothing may end that element; and in both a character that turns the reading direction around,
hides others or has no picture would let a page say something else than the ledger does.
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

__all__ = ["shorten", "to_script", "visible"]

# Control, format (zero width, direction marks), surrogate, private use, unassigned; line and paragraph separators.
_STEERING = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_MARKS = frozenset(("Mn", "Me"))
_MOST_MARKS = 3  # on one letter; more of them would be drawn over the lines above and below
# Line and paragraph separators are ASCII escapes already: json.dumps writes nothing else.
_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def visible(value: object) -> str:
    r"""The text of `value` on one line, with everything that is not to be seen written as \x1b, \u202e ..."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for c in text:
        category = unicodedata.category(c)
        marks = marks + 1 if category in _MARKS else 0
        hidden = category in _STEERING or marks > _MOST_MARKS
        shown.append(c.encode("unicode_escape").decode("ascii") if hidden else c)
    return "".join(shown)


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` columns, where Chinese characters take two; cut texts end with an ellipsis."""
    used = 0
    for at, c in enumerate(text):
        used += 2 if unicodedata.east_asian_width(c) in "WF" else 1
        if used > width:
            kept = text[:at]
            while kept and _columns(kept) > width - 1:
                kept = kept[:-1]
            return f"{kept}…"
    return text


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def to_script(value: Any) -> str:
    """JSON that stands in a script element: ASCII, without a character that HTML gives a meaning to."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_IN_SCRIPT)
