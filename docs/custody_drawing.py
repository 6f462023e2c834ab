"""The drawing of the state machine of packs, docs/custody.svg: laid out by hand, held against RULES.

Where a custody stands and which way an arrow takes is written here; which arrows there are and what stands at them is
the code's. A move of RULES without a way, or a way without a move, stops the generator (`generate_custody.py`).
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from tracechain.custody import RULES, Act, Custody

__all__ = ["draw"]

C = Custody
WIDTH, HEIGHT = 1580, 640
#: Half of a box.
W, H = 58, 23
_X = [85, 275, 465, 655, 845, 1035, 1250, 1480]
_Y = [110, 235, 380, 500]

#: Column and row of each custody.
PLACES = {
    C.NONE: (0, 1), C.ACTIVE: (1, 1), C.TRANSIT: (2, 0), C.BONDED: (3, 1), C.RESERVED: (4, 1), C.CLEARED: (5, 1),
    C.SOLD: (6, 1), C.STORE: (6, 0), C.DELIVERED: (7, 1), C.RETURNED: (5, 2), C.REWORK: (3, 2), C.EXPORTED: (3, 3),
    C.DEAD: (1, 3),
}  # fmt: skip

#: Frames behind the boxes: left, top, right, bottom, title.
FRAMES = (
    (_X[1] - 80, 50, _X[2] + 80, _Y[1] + 45, "abroad", "#f1f5f9"),
    (_X[3] - 95, 50, _X[5] + 92, _Y[2] + 50, "in the zone, under bond", "#eef6ee"),
    (_X[6] - 80, 50, _X[7] + 80, _Y[1] + 45, "sold", "#fdf3e7"),
)

STYLE = """\
<style>
.label{font-size:13px;fill:#334155}
.name{font-size:14px;font-weight:bold;fill:#0f172a}
.title{font-size:14px;fill:#64748b}
.way{fill:none;stroke:#475569;stroke-width:1.4;marker-end:url(#tip)}
.box{fill:#fff;stroke:#0f172a;stroke-width:1.4}
.end{stroke-dasharray:5 3}
</style>"""
TIP = """\
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">
<path d="M0,1 L10,5 L0,9 z" fill="#475569"/></marker></defs>"""

Way = tuple[str, tuple[float, float, str]]


def _ways() -> dict[tuple[Custody, Custody], Way]:
    """Each arrow's path, and where its label stands: x, y of the last line, anchor."""
    x, y = _X, _Y
    around = (
        f"M{x[6] - W},{y[0] + 8} H{x[5] + 96} Q{x[5] + 76},{y[0] + 8} {x[5] + 76},{y[0] + 28}"
        f" V{y[2] - 70} Q{x[5] + 76},{y[2] - 50} {x[5] + 56},{y[2] - 50} H{x[5] + 50}"
        f" Q{x[5] + 30},{y[2] - 50} {x[5] + 30},{y[2] - H}"
    )
    return {
        (C.NONE, C.ACTIVE): (f"M{x[0] + 10},{y[1]} H{x[1] - W}", (x[0] + 66, y[1] - 8, "middle")),
        (C.NONE, C.REWORK): (f"M{x[0]},{y[1] + 10} V{y[2]} H{x[3] - W}", (x[1] + 95, y[2] - 8, "middle")),
        (C.ACTIVE, C.TRANSIT): (f"M{x[1]},{y[1] - H} V{y[0]} H{x[2] - W}", (x[1] + 66, y[0] - 8, "middle")),
        (C.ACTIVE, C.BONDED): (f"M{x[1] + W},{y[1]} H{x[3] - W}", (x[2], y[1] - 8, "middle")),
        (C.TRANSIT, C.BONDED): (f"M{x[2] + W},{y[0]} H{x[3]} V{y[1] - H}", (x[2] + 125, y[0] - 8, "middle")),
        (C.BONDED, C.RESERVED): (f"M{x[3] + W},{y[1] - 8} H{x[4] - W}", ((x[3] + x[4]) / 2, y[1] - 16, "middle")),
        (C.RESERVED, C.BONDED): (f"M{x[4] - W},{y[1] + 8} H{x[3] + W}", ((x[3] + x[4]) / 2, y[1] + 24, "middle")),
        (C.RESERVED, C.CLEARED): (f"M{x[4] + W},{y[1]} H{x[5] - W}", ((x[4] + x[5]) / 2, y[1] - 8, "middle")),
        (C.CLEARED, C.SOLD): (f"M{x[5] + W},{y[1]} H{x[6] - W}", ((x[5] + 76 + x[6] - W) / 2 - 3, y[1] - 8, "middle")),
        (C.CLEARED, C.STORE): (
            f"M{x[5]},{y[1] - H} V{y[0] - 8} H{x[6] - W}", ((x[5] + x[6]) / 2 - 20, y[0] - 16, "middle"),
        ),
        (C.SOLD, C.STORE): (f"M{x[6]},{y[1] - H} V{y[0] + H}", (x[6] + 8, (y[0] + y[1]) / 2 + 4, "start")),
        (C.SOLD, C.DELIVERED): (f"M{x[6] + W},{y[1]} H{x[7] - W}", ((x[6] + x[7]) / 2, y[1] - 8, "middle")),
        (C.STORE, C.DELIVERED): (f"M{x[6] + W},{y[0]} H{x[7]} V{y[1] - H}", (x[7] - 8, y[0] - 8, "end")),
        (C.SOLD, C.RETURNED): (
            f"M{x[6]},{y[1] + H} V{y[2] - 9} H{x[5] + W}", (x[6] - 8, y[2] - 17, "end"),
        ),
        (C.DELIVERED, C.RETURNED): (
            f"M{x[7]},{y[1] + H} V{y[2] + 9} H{x[5] + W}", (x[7] - 8, y[2] + 1, "end"),
        ),
        (C.STORE, C.RETURNED): (
            around,
            (x[5] + 70, y[1] + 46, "end"),
        ),
        (C.RETURNED, C.BONDED): (
            f"M{x[5] - 30},{y[2] - H} C{x[5] - 30},{y[2] - 85} {x[3] + 44},{y[1] + 85} {x[3] + 44},{y[1] + H}",
            (x[4], (y[1] + y[2]) / 2 - 8, "middle"),
        ),
        (C.RETURNED, C.REWORK): (f"M{x[5] - W},{y[2]} H{x[3] + W}", (x[4], y[2] - 8, "middle")),
        (C.BONDED, C.REWORK): (f"M{x[3] - 34},{y[1] + H} V{y[2] - H}", (x[3] - 40, (y[1] + y[2]) / 2 + 4, "end")),
        (C.REWORK, C.BONDED): (f"M{x[3] - 14},{y[2] - H} V{y[1] + H}", (x[3] - 8, (y[1] + y[2]) / 2 + 4, "start")),
        (C.BONDED, C.EXPORTED): (
            f"M{x[3] - W},{y[1] + 12} H{x[3] - 84} V{y[3]} H{x[3] - W}", (x[3] - 90, y[3] - 40, "end"),
        ),
        (C.REWORK, C.EXPORTED): (f"M{x[3]},{y[2] + H} V{y[3] - H}", (x[3] + 8, (y[2] + y[3]) / 2 + 12, "start")),
        (C.EXPORTED, C.RETURNED): (f"M{x[3] + W},{y[3]} H{x[5]} V{y[2] + H}", (x[4] + 40, y[3] - 8, "middle")),
    }  # fmt: skip


def _moves() -> tuple[dict[tuple[Custody, Custody], list[Act]], dict[Act, list[Custody]], dict[Act, list[Custody]]]:
    """The moves of RULES: from custody to custody; into the end; and those that stay where they are."""
    arrows: dict[tuple[Custody, Custody], list[Act]] = {}
    ends: dict[Act, list[Custody]] = {}
    stays: dict[Act, list[Custody]] = {}
    for act, rule in RULES.items():
        for before, after in sorted(rule.moves.items()):
            if after == before:
                stays.setdefault(act, []).append(before)
            elif after == C.DEAD:
                ends.setdefault(act, []).append(before)
            else:
                arrows.setdefault((before, after), []).append(act)
    return arrows, ends, stays


def _names(custodies: list[Custody]) -> str:
    alive = len(Custody) - 2
    return "everywhere" if len(custodies) == alive else ", ".join(one.name.lower() for one in custodies)


def _text(x: float, y: float, said: str, *, anchor: str = "middle", style: str = "label") -> str:
    return f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(said)}</text>'


def draw() -> str:
    """The drawing as SVG."""
    arrows, ends, stays = _moves()
    ways = _ways()
    if ways.keys() != arrows.keys() or PLACES.keys() != set(Custody):
        odd = sorted(f"{a.name} -> {b.name}" for a, b in ways.keys() ^ arrows.keys())
        raise SystemExit(f"custody_drawing.py does not fit RULES any more: {', '.join(odd)}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        "<title>The state machine of packs</title>",
        STYLE,
        TIP,
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for left, top, right, bottom, title, fill in FRAMES:
        parts.append(
            f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" rx="10" fill="{fill}"/>'
        )
        parts.append(_text(left, top - 8, title, anchor="start", style="title"))
    for move, (path, (x, y, anchor)) in ways.items():
        parts.append(f'<path class="way" d="{path}"/>')
        acts = arrows[move]
        for line, act in enumerate(reversed(acts)):
            parts.append(_text(x, y - 15 * line, act.name.lower(), anchor=anchor))
    for one, (column, row) in PLACES.items():
        x, y = _X[column], _Y[row]
        if one == C.NONE:
            parts.append(f'<circle cx="{x}" cy="{y}" r="9" fill="#0f172a"/>')
            parts.append(_text(x, y - 16, "none", style="name"))
            continue
        parts.append(
            f'<rect class="box{" end" if one == C.DEAD else ""}" x="{x - W}" y="{y - H}" width="{2 * W}"'
            f' height="{2 * H}" rx="8"/>'
        )
        parts.append(_text(x, y + 5, one.name.lower(), style="name"))
    x, y = _X[0], _Y[3] + 48
    parts.append(_text(x - 20, y, "Ends in dead:", anchor="start", style="title"))
    said = "; ".join(f"{act.name.lower()} from {_names(where)}" for act, where in ends.items())
    parts.append(_text(x + 140, y, said, anchor="start"))
    parts.append(_text(x - 20, y + 24, "Stays where it is:", anchor="start", style="title"))
    said = "; ".join(f"{act.name.lower()} in {_names(where)}" for act, where in stays.items())
    parts.append(_text(x + 140, y + 24, said, anchor="start"))
    parts.append(_text(x - 20, y + 48, "Anywhere alive:", anchor="start", style="title"))
    anywhere = [act.name.lower() for act, rule in RULES.items() if rule.otherwise is None]
    parts.append(_text(x + 140, y + 48, ", ".join(anywhere), anchor="start"))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
