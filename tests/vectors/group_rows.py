"""Vectors of rows under rule set 2 (docs/format.md sections 7 and 7.2): large acts, states with expiry days.

Kind "rows", as in the group "entry".
"""

from __future__ import annotations

from typing import Any

from group_custody import DAY, EXPIRES
from group_entry import PACK, bad_rows, good_rows

from tracechain.custody import PILOT, Act, Custody, Flag, Violation
from tracechain.entry import Row

Cases = dict[str, dict[str, Any]]
A, B, C, NMPA = f"{PACK}A1", f"{PACK}A2", f"{PACK}A3", "nmpa/81234560000000000001"
CASE = "00/095212340000000013"


def _row(subject: str, act: int, previous: int | None, state: int, *codes: int) -> Row:
    return Row(subject, int(act), previous, int(state), tuple(map(int, codes)))


def _good(about: str, *rows: Row) -> dict[str, Any]:
    return good_rows(about, *rows, rule_set=PILOT)


def cases() -> Cases:
    """All cases of this group."""
    v, c = Violation, Custody
    paid = EXPIRES | c.RESERVED | Flag.PAID
    everything = Flag.HELD | Flag.RECALLED | Flag.STOLEN | Flag.CONFORMANT
    made = Act.COMMISSION | DAY << 8
    cells = ("A1", made, 0, EXPIRES | c.ACTIVE, None)
    good = {
        "commission": _good("A pack comes into being, with its expiry day.", _row(A, made, None, EXPIRES | c.ACTIVE)),
        "commission-no-day": _good("A pack whose expiry nobody stated.", _row(A, Act.COMMISSION, None, c.ACTIVE)),
        "commission-many": _good(
            "Three packs, a case and a code of the NMPA.",
            _row(CASE, Act.SEE, 7, c.ACTIVE),
            *(_row(one, made, None, EXPIRES | c.ACTIVE) for one in (A, B, C)),
            _row(NMPA, Act.COMMISSION, None, c.ACTIVE),
        ),
        "paid": _good("A pack was paid.", _row(A, Act.RESERVE, 300, paid)),
        "flags": _good("All flags.", _row(A, Act.RECALL, 9, EXPIRES | c.RETURNED | everything)),
        "relabel": _good(
            "An old code ends, a new one begins.",
            _row(A, Act.RELABEL_OLD, 70_000, EXPIRES | c.DEAD),
            _row(B, Act.RELABEL_NEW | DAY << 8, None, EXPIRES | c.REWORK),
        ),
        "violations": _good(
            "What the table gives and what the registers give, ascending.",
            _row(A, Act.SELL, 18, EXPIRES | c.CLEARED | Flag.HELD, v.HELD, v.SCOPE, v.EXPIRED_LOCK, v.SERVICE_STOPPED),
        ),
        "undone": _good("A commissioning is undone: the pack is in state 0 again.", _row(A, Act.UNDO, 18, 0)),
        "register": _good(
            "A register record's row.", _row("urn:tracechain:product:01/09521234001072", Act.NOTE, 17, c.NONE)
        ),
        "largest": _good("The largest act and state.", _row(A, 2**24 - 1, 2**40 - 2, 2**24 - 1, 65_535)),
    }
    bad = {
        "act-large": bad_rows("An act is over the limit.", "act", (PILOT, (PACK, "A1", 2**24, 0, 1, None))),
        "act-negative": bad_rows("An act is negative.", "act", (PILOT, (PACK, "A1", -1, 0, 1, None))),
        "act-parts": bad_rows("Act and day are one number.", "act", (PILOT, (PACK, "A1", (4, DAY), 0, 1, None))),
        "state-parts": bad_rows("A state is one number.", "state", (PILOT, (PACK, *cells[:3], (1, DAY), None))),
        "rule-set-large": bad_rows("A rule set is no text.", "rule set", ("2", (PACK, *cells))),
    }
    return good | {f"refused-{name}": case for name, case in bad.items()}
