"""The pack state machine, written again from docs/format.md section 7.2 and docs/custody.md alone.

    python standalone_custody.py FILE...     vectors of the groups "custody" and "acts"

Not a line of tracechain is imported; the standard library is enough. It prints how many vectors agree, exit 0; or the
first that does not, exit 1. Rules that need more than state and act (section 7.3) are not its subject.
"""

import json
import re
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

# A cell says what an act does in a custody: "." nothing, ">8" moves the pack, "!5" breaks a rule ("!2+12": both).
TABLE = """
                  0     1   2   3   4   5   6   7   8   9  10  11  12
 3 observe       !2     .  !1   .   .   .   .   .   .   .   .   .   .
 4 commission    >1    !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3
 5 ship          !2    >3  !1   .  !4  !4  >7   .  >7  !4  !4  !4  !4
 6 bond_in       !2    >4  !1  >4  !4  !4  !4  !4  !4  !4  !4  >4  !4
 7 reserve       !2    !4  !1  !4  >5   .  !4  !4  !4  !4  !4  !4  !4
 8 cancel        !2    !4  !1  !4  !4  >4  !4  !4  !4  !4  !4  !4  !4
 9 clear         !2    !4  !1  !4  !4  >6  !4  !4  !4  !4  !4  !4  !4
10 sell          !2    !5  !1  !5  !5  !5  >8  !4  !6  !6  !5  !5  !4
11 sell_part     !2    !5  !1  !5  !5  !5  >8  !4   .   .  !5  !5  !4
12 dispense      !2    !4  !1  !4 !14 !14 !14  >9  >9  !4  !4  !4  !4
13 dispense_part !2    !4  !1  !4 !14 !14 !14  >9  >9   .  !4  !4  !4
14 return_in     !2    !4  !1  !4  !4  !4  !4 >10 >10 >10  !4  !4 >10
15 export_return !2+12 !12 !12 !12 !12 !12 !12 !12 !12 !12 !12 !12 >10
16 conform       !2     .  !1   .   .   .   .   .   .   .   .   .   .
17 reject        !2     .  !1   .   .   .   .   .   .   .   .   .   .
18 hold          !2     .  !1   .   .   .   .   .   .   .   .   .   .
19 release       !2    !4  !1  !4  !4  !4  !4  !4  !4  !4  >4  !4  !4
20 recall        !2     .  !1   .   .   .   .   .   .   .   .   .   .
21 steal         !2     .  !1   .   .   .   .   .   .   .   .   .   .
22 repair        !2   !13  !1 !13 >11 !13 !13 !13 !13 !13 >11 !13 !13
23 relabel_old   !2   !13  !1 !13  >2 !13 !13 !13 !13 !13  >2  >2 !13
24 relabel_new   >11   !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3
25 consume       !2    >2  !1  >2 !13 !13 !13 !13 !13 !13 !13 !13 !13
26 produce       >1    !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3  !3
27 export        !2    !4  !1  !4 >12  !4  !4  !4  !4  !4  !4 >12  !4
28 destroy       !2    >2  !1  >2  >2  >2  >2  >2  >2  >2  >2  >2  >2
29 undo           .     .   .   .   .   .   .   .   .   .   .   .   .
30 apply_return  !2    !4  !1  !4  !4  !4  !4   .   .   .  !4  !4  !4
"""
CELLS = {int(row[0]): row[2:] for row in map(str.split, TABLE.splitlines()[2:])}
HELD, RECALLED, STOLEN, CONFORMANT, PAID = 16, 32, 64, 128, 256
FLAGGED = {HELD: 8, RECALLED: 9, STOLEN: 10}
GUARDED = {5, 7, 9, 10, 11, 12, 13, 19, 23, 25}
MAKES = {4, 24, 26}  # a pack: their act states the expiry day above its number
CONTEXTUAL = {7, 9, *range(13, 43)}


def step(state: int, act: int) -> tuple[int, list[int]]:
    """State after an act, and the violations; KeyError for a state or an act that there is not."""
    custody, number, day = state & 15, act & 255, act >> 8
    if not 0 <= state < 1 << 24 or custody > 12 or act < 0:
        raise KeyError(state)
    if act == 2:  # note
        return state, []
    if act in (0, 1):  # see, end: of what is no pack, by rule set 1
        return {0: (1 + act, []), 1: (1 + act, []), 2: (2, [1])}[state]
    cell = CELLS[number][custody]
    if (day and number not in MAKES) or day >= 1 << 15:
        raise KeyError(act)
    if number == 19 and state & HELD:
        return state - HELD, []
    codes = set(map(int, cell[1:].split("+"))) if cell[0] == "!" else set()
    if number in GUARDED and not (number == 5 and custody in (1, 3)):
        codes |= {code for flag, code in FLAGGED.items() if state & flag}
    if number == 19 and custody == 10 and not state & CONFORMANT:
        codes.add(11)
    if number == 9 and custody == 5 and not state & PAID:
        codes.add(7)
    if codes:
        return state, sorted(codes)
    if cell[0] == ">":
        kept = day << 9 if custody == 0 else state & ~(15 | CONFORMANT | PAID)
        return kept | int(cell[1:]), []
    sets = {7: PAID, 16: CONFORMANT if custody == 10 else 0, 18: HELD, 20: RECALLED, 21: STOLEN}.get(number, 0)
    return (state | sets) & ~(CONFORMANT if number == 17 else 0), []


def link(before: int, act: int, state: int, codes: list[int]) -> str | None:
    """What is wrong with a row by itself, by the name of the finding."""
    try:
        after, expected = step(before, act)
    except KeyError:
        return "ROW_ACT"
    if codes:
        after = before
    if state != after and (act != 29 or codes):
        return "ROW_STATE"
    more = set(codes) - set(expected)
    return None if set(expected) <= set(codes) and more <= CONTEXTUAL and (codes or not expected) else "ROW_VIOLATIONS"


# ---- what an event does ----

WIDTH = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4}  # byte strings, texts, arrays
WIDTH |= {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}  # integers


def read(data: bytes, at: int = 0) -> tuple[Any, int]:
    """The value at this place of canonical bytes (section 3), and where it ends."""
    code, width = data[at], WIDTH.get(data[at], 0)
    at += 1 + width
    number = int.from_bytes(data[at - width : at], "big", signed=0xD0 <= code <= 0xD3)
    if code < 0x80 or code >= 0xE0 or code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}.get(code, code - 256 * (code >= 0xE0)), at
    if 0xCC <= code <= 0xD3:
        return number, at
    length = number if width else code & (0x1F if code >= 0xA0 else 0x0F)
    if code < 0xA0 or code >= 0xDC:
        array = []
        for _ in range(length):
            item, at = read(data, at)
            array.append(item)
        return array, at
    part = data[at : at + length]
    return part if code <= 0xC6 and width else part.decode(), at + length


ADD, OBSERVE, DELETE = 1, 2, 3
CLEARING, EXPORT_RETURN = "urn:tracechain:customs_clearing", "urn:tracechain:btt:export_return"
# (action, business step, disposition) -> act of an Object event; None stands for every other disposition.
SOLD = {(29, 13): 11, (29, None): 10, (12, 13): 13, (12, None): 12}
OBJECT: dict[tuple[Any, ...], int] = {
    (action, *said): act for action in (OBSERVE, DELETE) for said, act in SOLD.items()
}
OBJECT |= {(OBSERVE, 15, disposition): 19 for disposition in (0, 4, 8, 9, 15, 16, 17, 18, 19, 22)}
OBJECT |= {(OBSERVE, 30, None): 5, (OBSERVE, 34, 19): 6, (OBSERVE, CLEARING, None): 9, (OBSERVE, 23, 17): 14}
OBJECT |= {(OBSERVE, 16, 25): 16, (OBSERVE, 16, 31): 17, (OBSERVE, 15, 14): 20, (OBSERVE, 15, None): 18}
OBJECT |= {(OBSERVE, 24, 20): 21, (OBSERVE, 26, None): 22, (DELETE, 30, None): 27}


def expiry(fields: list[Any] | None) -> int:
    """The expiry day that master data states, by the namespaces of CBV, then of the GS1 Web Vocabulary."""
    stated = {
        space: text for space, name, text in zip(*[iter(fields or [])] * 3, strict=True) if name == "itemExpirationDate"
    }
    text = next((stated[space] for space in (1, 2, 3) if space in stated), None)
    if not isinstance(text, str) or not re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return 0
    try:
        day = (date.fromisoformat(text[:10]) - date(2000, 1, 1)).days
    except ValueError:
        return 0
    return min(max(day, 1), (1 << 15) - 1)


def acts(content: bytes) -> list[list[Any]]:
    """The subjects of an event, in order of rows, with their acts under rule set 2."""
    items = read(content)[0]
    items += [None] * (29 - len(items))
    kind, action, step_of = items[0], items[3], items[6]
    ids = [[a + b for a, group in zip(*[iter(items[at] or [])] * 2, strict=True) for b in group] for at in (5, 22)]
    classes = [quantity[0] for at in (10, 23) for quantity in items[at] or []]
    types = [document[1] for document in items[11] or [] if len(document) > 1]
    first, other = 3, 3
    if kind == 1:
        first = OBJECT.get(
            (action, step_of, items[7]), OBJECT.get((action, step_of, None), 28 if action == DELETE else 3)
        )
        first = 15 if first == 14 and EXPORT_RETURN in types else first
        first = 4 | expiry(items[14]) << 8 if action == ADD else first
    elif kind == 3 and step_of == 28 and action != OBSERVE:
        first = 7 if action == ADD else 8
    elif kind == 3 and action == ADD and 9 in types:
        first = 30
    elif kind == 4:
        first, other = (23, 24) if step_of == 25 else (25, 26)
        other |= expiry(items[14]) << 8
    found = []
    for subject in sorted({*ids[0], *ids[1], *classes, *([items[4]] if items[4] else [])}, key=str.encode):
        pack = (subject.startswith("01/") and "/21/" in subject) or (subject.startswith("nmpa/") and len(subject) == 25)
        ends = subject in ids[0] and (kind == 4 or (kind == 1 and action == DELETE))
        act = (first if subject in ids[0] else other) if pack else int(ends)
        found.append([subject, (29 if pack else 2) if items[19] else act])
    return found


def check(case: dict[str, Any]) -> None:
    """Raise ValueError where a vector says something else."""
    if case["kind"] == "acts":
        said: Any = acts(bytes.fromhex(case["content"]))
        wanted: Any = case["rule_set_2"]
    elif case["kind"] == "link":
        said = link(case["before"], case["act"], case["state"], case["violations"])
        wanted = case.get("finding")
    elif case["verdict"] == "refused":
        wanted = said = "refused"
        with suppress(KeyError):
            said = step(case["state"], case["act"])
    else:
        wanted = case["steps"]
        outcomes = [(before[:6], *step(int(before[:6], 16), case["act"])) for before in wanted]
        said = [" ".join([before, f"{after:06x}", *map(str, codes)]) for before, after, codes in outcomes]
    if said != wanted:
        raise ValueError(f"{case['about']} {said} instead of {wanted}"[:500])


if __name__ == "__main__":
    try:
        for file in sys.argv[1:]:
            check(json.loads(Path(file).read_text("utf-8")))
        print(f"{len(sys.argv) - 1} vectors agree")
    except ValueError as error:
        sys.exit(f"MISMATCH: {error}")
