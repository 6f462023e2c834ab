"""Vectors of the pack state machine (docs/format.md section 7.2, docs/custody.md).

Kinds:

    step    rule_set, act (with its expiry day, as a row writes it). What stands has "steps", one text each:
                "STATE AFTER CODE ..."    state before and after as six hexadecimal digits, violations in decimal
            What is refused has "state" instead: no row can say this act of a subject in this state.
    link    what a verifier demands of a row that follows another of its subject: rule_set, state before, and the row's
            act, state and violations. What does not stand has "finding", a code of tracechain.verification.

A case "step" that stands holds every custody, without flags, with each flag, with all, and with an expiry day.
"""

from __future__ import annotations

from typing import Any

from tracechain import custody
from tracechain.custody import PILOT, RULES, Act, Custody, Flag, Violation
from tracechain.verification import Code

Cases = dict[str, dict[str, Any]]

#: 2028-06-30, in days since 2000-01-01.
DAY = 10_408
EXPIRES = DAY << custody.EXPIRY_SHIFT
#: The last day that fits: 2089-09-17.
LAST = (1 << 15) - 1
BARRED = Flag.HELD | Flag.RECALLED | Flag.STOLEN
MORE = (0, *Flag, BARRED, Flag.CONFORMANT | Flag.PAID, EXPIRES, EXPIRES | BARRED | Flag.CONFORMANT | Flag.PAID)


def _step(about: str, act: int, states: list[int]) -> dict[str, Any]:
    steps = []
    for state in states:
        after, codes = custody.step(state, act, PILOT)
        steps.append(" ".join([f"{state:06x}", f"{after:06x}", *map(str, codes)]))
    return {"about": about, "kind": "step", "verdict": "stands", "rule_set": PILOT, "act": act, "steps": steps}


def _bad_step(reason: str, state: int, act: int) -> dict[str, Any]:
    return {
        "about": "A state or an act that the rules do not know.",
        "kind": "step",
        "verdict": "refused",
        "reason": reason,
        "words": "knows no state",
        "rule_set": PILOT,
        "state": state,
        "act": act,
    }


def _steps() -> Cases:
    states = [0, *(int(c | more) for c in Custody if c for more in MORE)]
    plain = [int(c) for c in (Custody.NONE, Custody.ACTIVE, Custody.DEAD)]
    name = {act: act.name.lower().replace("_", "-") for act in Act}
    cases = {name[act]: _step(f"Act {act:d} of a pack: {rule.clause}.", int(act), states) for act, rule in RULES.items()}
    for act in (Act.COMMISSION, Act.RELABEL_NEW, Act.PRODUCE):
        cases[f"{name[act]}-expiry"] = _step("An act that states an expiry day.", act | DAY << 8, states)
    cases["commission-first-day"] = _step("The first expiry day.", Act.COMMISSION | 1 << 8, [0])
    cases["commission-last-day"] = _step("The last expiry day that fits.", Act.COMMISSION | LAST << 8, [0])
    cases["note"] = _step("A record about a pack changes nothing.", int(Act.NOTE), states)
    cases["see"] = _step("What is no pack goes by rule set 1: it is seen.", int(Act.SEE), plain)
    cases["end"] = _step("What is no pack goes by rule set 1: it ends.", int(Act.END), plain)
    return cases


def _refused() -> Cases:
    bonded = int(Custody.BONDED)
    return {
        "custody-13": _bad_step("There is no custody 13.", 13, Act.OBSERVE),
        "custody-15": _bad_step("There is no custody 15.", 15, Act.UNDO),
        "custody-13-note": _bad_step("There is no custody 13, for a record either.", 13, Act.NOTE),
        "state-large": _bad_step("A state has 24 bits.", 1 << 24 | bonded, Act.OBSERVE),
        "state-negative": _bad_step("A state is not negative.", -12, Act.OBSERVE),
        "act-31": _bad_step("There is no act 31.", bonded, 31),
        "act-255": _bad_step("There is no act 255.", bonded, 255),
        "act-negative": _bad_step("An act is not negative.", bonded, -1),
        "day-of-ship": _bad_step("Only what makes a pack states its expiry day.", bonded, Act.SHIP | DAY << 8),
        "day-of-undo": _bad_step("Only what makes a pack states its expiry day.", bonded, Act.UNDO | 1 << 8),
        "day-of-see": _bad_step("What is no pack has no expiry day.", 0, Act.SEE | DAY << 8),
        "day-large": _bad_step("An expiry day has 15 bits.", 0, Act.COMMISSION | (LAST + 1) << 8),
        "see-bonded": _bad_step("Nothing that is no pack is bonded.", bonded, Act.SEE),
        "end-held": _bad_step("Nothing that is no pack is held.", Custody.ACTIVE | Flag.HELD, Act.END),
    }


def _link(
    about: str, before: int, act: int, after: int, codes: tuple[int, ...] = (), finding: Code | None = None
) -> dict[str, Any]:
    return {
        "about": about,
        "kind": "link",
        "verdict": "stands" if finding is None else "refused",
        **({} if finding is None else {"finding": str(finding)}),
        "rule_set": PILOT,
        "before": before,
        "act": int(act),
        "state": after,
        "violations": [int(code) for code in codes],
    }


def _links() -> Cases:
    v, c = Violation, Custody
    bonded, reserved, sold = EXPIRES | c.BONDED, EXPIRES | c.RESERVED, EXPIRES | c.SOLD
    held = EXPIRES | c.CLEARED | Flag.HELD
    state, codes, act = Code.ROW_STATE, Code.ROW_VIOLATIONS, Code.ROW_ACT
    return {
        "lawful": _link("A bonded pack is ordered.", bonded, Act.RESERVE, reserved),
        "first": _link("A pack comes into being.", 0, Act.COMMISSION | DAY << 8, EXPIRES | c.ACTIVE),
        "contextual": _link(
            "What the table allows breaks rules that need more than the table.",
            bonded, Act.RESERVE, bonded, (v.NON_CONSUMER, v.SCOPE, v.SERVICE_STOPPED),
        ),
        "both": _link(
            "Violations of the table, and others beside them.",
            held, Act.SELL, held, (v.HELD, v.EXPIRED_LOCK, v.PLATFORM_SELLS),
        ),
        "packing": _link(
            "A pack is packed into a case while another has it.", bonded, Act.OBSERVE, bonded, (v.ALREADY_PACKED,)
        ),
        "recalled": _link(
            "A pack that nobody flagged is refused what an open recall covers.",
            EXPIRES | c.CLEARED, Act.SELL, EXPIRES | c.CLEARED, (v.RECALLED,),
        ),
        "undo": _link("An undone sale gives the state before it.", sold, Act.UNDO, EXPIRES | c.CLEARED),
        "undo-nothing": _link("There was nothing to undo.", sold, Act.UNDO, sold),
        "undo-refused": _link("An undo too late changes nothing.", sold, Act.UNDO, sold, (v.UNDO_LATE,)),
        "no-pack": _link("What is no pack is seen.", 1, Act.SEE, 1),
        "refused-state": _link("The table gives another state.", bonded, Act.RESERVE, sold, (), state),
        "refused-expiry": _link("The expiry day is another.", bonded, Act.RESERVE, 1 << 9 | c.RESERVED, (), state),
        "refused-unmoved": _link("A lawful act that moves nothing.", bonded, Act.RESERVE, bonded, (), state),
        "refused-moved": _link(
            "A violation, and the state changes all the same.",
            bonded, Act.RESERVE, reserved, (v.NON_CONSUMER,), state,
        ),
        "refused-hidden": _link("A sold pack is sold again, without a violation.", sold, Act.SELL, sold, (), codes),
        "refused-partly-hidden": _link(
            "Of two violations one is missing.", held, Act.EXPORT, held, (v.HELD,), codes
        ),
        "refused-table-violation-made-up": _link(
            "A violation that the table would give, and does not.",
            bonded, Act.RESERVE, bonded, (v.CUSTODY,), codes,
        ),
        "refused-unknown-code": _link(
            "A violation that nobody knows.", bonded, Act.RESERVE, bonded, (43,), codes
        ),
        "refused-undo-moved": _link(
            "An undo that breaks a rule changes nothing.",
            sold, Act.UNDO, EXPIRES | c.CLEARED, (v.UNDO_LATE,), state,
        ),
        "refused-act": _link("There is no act 31.", bonded, 31, bonded, (), act),
        "refused-before": _link("No act leads on from custody 13.", 13, Act.OBSERVE, 13, (), act),
        "refused-no-pack": _link("Nothing that is no pack is bonded.", bonded, Act.SEE, bonded, (), act),
    }


def cases() -> Cases:
    """All cases of this group."""
    assert {int(a) for a in Act} == {int(a) for a in RULES} | {Act.SEE, Act.END, Act.NOTE}
    return (
        _steps()
        | {f"refused-{name}": case for name, case in _refused().items()}
        | {f"link-{name}": case for name, case in _links().items()}
    )
