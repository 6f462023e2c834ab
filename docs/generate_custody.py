"""Write docs/custody.md and docs/custody.svg from `tracechain.custody`: the state machine of packs, as the code has it.

    python docs/generate_custody.py            write the files
    python docs/generate_custody.py --check    compare only; exit 1 and show what differs (runs in the suite)

Tables and diagrams come from RULES, Flag, Violation and CLAUSES. By hand are the words for custodies and acts, where
things stand in the drawing (`custody_drawing.py`), and events that show how acts are read, which the code itself reads:
what has no words or no place, or is read otherwise, stops the generator.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))  # also where it is loaded from its path

from custody_drawing import draw

from tracechain import custody
from tracechain.custody import _OBJECT_STEPS, CONTEXTUAL, PILOT, RULES, Act, Custody, Flag, Violation
from tracechain.event import (
    AggregationEvent,
    BizTransaction,
    ErrorDeclaration,
    Event,
    Extension,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
)
from tracechain.event.sale import EXPORT_RETURN_DOCUMENT, MASTER_DATA
from tracechain.rules import CLAUSES

HERE = Path(__file__).resolve().parent
ACTS = tuple(RULES)
LIVE = tuple(c for c in Custody if c not in (Custody.NONE, Custody.DEAD))

CUSTODIES = {
    Custody.NONE: "nobody commissioned it",
    Custody.ACTIVE: "commissioned, at its maker's",
    Custody.DEAD: "destroyed, sampled, decommissioned; or its code was replaced by another",
    Custody.TRANSIT: "on its way to the zone",
    Custody.BONDED: "in a zone warehouse, under bond: may be ordered, exported, worked on",
    Custody.RESERVED: "ordered; *paid* says whether it is paid too",
    Custody.CLEARED: "order, payment and carriage agree, customs cleared it",
    Custody.STORE: "on its way to a licensed store, or there, to be picked up",
    Custody.SOLD: "sold, or a part of it",
    Custody.DELIVERED: "with its buyer",
    Custody.RETURNED: "back in the zone; *conformant* says whether it passed inspection",
    Custody.REWORK: "repaired or relabelled, under bond",
    Custody.EXPORTED: "has left the country",
}
FLAGS = {
    Flag.HELD: "held; until it is released",
    Flag.RECALLED: "recalled; for good",
    Flag.STOLEN: "reported stolen; for good",
    Flag.CONFORMANT: "passed inspection; while it is returned",
    Flag.PAID: "its order is paid; while it is reserved",
}
MEANINGS = {
    Act.OBSERVE: "seen, counted, packed, measured: anything that changes nothing",
    Act.COMMISSION: "comes into being",
    Act.SHIP: "leaves a place; what was cleared goes to a licensed store",
    Act.BOND_IN: "booked in under bond (1210)",
    Act.RESERVE: "ordered; what is reserved already: paid",
    Act.CANCEL: "the order is cancelled",
    Act.CLEAR: "cleared by customs",
    Act.SELL: "sold",
    Act.SELL_PART: "sold in part",
    Act.DISPENSE: "delivered to the buyer, or picked up",
    Act.DISPENSE_PART: "a part of it is",
    Act.RETURN_IN: "comes back",
    Act.EXPORT_RETURN: "comes back from abroad under an export return",
    Act.CONFORM: "passes inspection",
    Act.REJECT: "fails inspection",
    Act.HOLD: "held",
    Act.RELEASE: "released: a held pack from its hold, a returned one into the bonded stock",
    Act.RECALL: "recalled",
    Act.STEAL: "stolen",
    Act.REPAIR: "repaired under bond",
    Act.RELABEL_OLD: "relabelled: the old code",
    Act.RELABEL_NEW: "relabelled: the new code",
    Act.CONSUME: "goes into another product, abroad",
    Act.PRODUCE: "is made of others, abroad",
    Act.EXPORT: "leaves the country; re-export",
    Act.DESTROY: "destroyed, sampled, decommissioned",
    Act.UNDO: "the event before is declared an error",
    Act.APPLY_RETURN: "the buyer asks to give it back",
}

HEAD = """\
# Custody

<!-- made by docs/generate_custody.py: change that file, or src/tracechain/custody.py -->

Normative, a part of [the format](format.md) (section 7.2): the state machine of packs under rule set 2. Clauses: S1 is the pilot's Implementation Plan, by its own sections;
S0 and S2 to S4 are the other documents that [obligations.md](obligations.md) lists; [practice] is what customs and the trade do and no clause says.

An act that breaks a rule leaves the pack alone, and is kept with its violations. What follows from state and act is in the tables here; what depends on registers, buyers, documents
and dates is in format.md section 7.3. A pack is *expired* from the day after its expiry date on: that is nowhere stored, it is a matter of the asker's day.

![The state machine of packs](custody.svg)

"""  # noqa: E501  a paragraph of the document is as long as it is

STATES = """\
## State

A state is a number: custody in bits 0 to 3, flags in bits 4 to 8, the expiry date in bits 9 to 23 (days since 2000-01-01, 0 where commissioning stated none).

"""  # noqa: E501  likewise

TABLE = """\
## What an act does

In the second table, `.` leaves the custody as it is, the name of a custody is where the act leads, and numbers are violations. It is for a pack that was paid for and inspected and has no
other flag. Beside that:

- A *guarded* act has violation 8 of a pack that is held, 9 of one that is recalled, 10 of one that is stolen; `ship` not in active and transit.
- `clear` in reserved, not paid: violation 7. `release` in returned, not conformant: violation 11.
- `release` of a pack that is held ends the hold, in any custody, and does nothing else.
- *Sets*, where nothing is broken; a change of custody clears paid and conformant.

"""  # noqa: E501  likewise

READ = """\
## How an act is read off an event

For the packs among the epcs of an event (of a Transformation, its outputs too), by the first row that fits; *other* is any value, or none. A pack elsewhere in an event (a parent, the class
of a quantity) is observed; of an event with an error declaration it is undone.

"""  # noqa: E501  likewise

BROKEN = """\
## Violations

The numbers stand in rows and never change. *Table*: it follows from state and act, so a verifier of rows can tell; *context*: it needs more (format.md sections 7.3 and 7.4), so a replay tells;
*both*: one or the other, by act.

"""  # noqa: E501  likewise


# ---- the tables ------------------------------------------------------------------------------------


def name(one: Act | Custody | Flag) -> str:
    """As documents write it."""
    return one.name.lower()


def cell(before: Custody, act: Act) -> str:
    """What an act does in a custody, to a pack that was paid for and inspected."""
    if act == Act.UNDO:
        return "."
    state = int(before) | Flag.PAID | Flag.CONFORMANT if before else 0
    after, codes = custody.step(state, act, PILOT)
    if codes:
        return ", ".join(map(str, codes))
    now = Custody(after & custody.CUSTODY_MASK)
    return "." if now == before else f"**{name(now)}**"


def custodies() -> str:
    """Custodies and flags."""
    rows = ["| custody | number | the pack |", "|---|---|---|"]
    rows += [f"| {name(one)} | {one.value} | {CUSTODIES[one]} |" for one in Custody]
    rows += ["", "| flag | bit | the pack |", "|---|---|---|"]
    rows += [f"| {name(flag)} | {flag.bit_length() - 1} | {FLAGS[flag]} |" for flag in Flag]
    return "\n".join(rows) + "\n\n"


def acts() -> str:
    """The acts, then what each does in each custody."""
    rows = ["| act | number | the pack | clause | guarded | sets |", "|---|---|---|---|---|---|"]
    for act in ACTS:
        rule = RULES[act]
        sets = [name(flag) for flag in Flag if rule.sets & flag] + [f"not {name(f)}" for f in Flag if rule.clears & f]
        if act == Act.RESERVE:
            sets.append("paid, in reserved")
        if act == Act.RELEASE:
            sets.append("not held")
        if act == Act.CONFORM:
            sets = ["conformant, in returned"]
        rows.append(
            f"| {name(act)} | {act.value} | {MEANINGS[act]} | {rule.clause} | {'yes' if rule.guarded else ''} |"
            f" {', '.join(sets)} |"
        )
    rows += ["", f"| act | {' | '.join(f'{one.value} {name(one)}' for one in Custody)} |", "|---" * 14 + "|"]
    rows += [f"| {act.value} {name(act)} | {' | '.join(cell(one, act) for one in Custody)} |" for act in ACTS]
    return "\n".join(rows) + "\n\n"


def violations() -> str:
    """The violations, with what they mean and what to do."""
    from_table = {code for before in Custody for act in ACTS if act != Act.UNDO for code in _codes(before, act)}
    rows = ["| code | name | told by | clause | what it means | what to do |", "|---|---|---|---|---|---|"]
    for code in Violation:
        told = {(True, False): "table", (True, True): "both", (False, True): "context"}[
            code in from_table, code in CONTEXTUAL[PILOT]
        ]
        clause = CLAUSES[code]
        rows.append(
            f"| {code.value} | `{code.name}` | {told} | {clause.clause} | {clause.words} | {clause.what_to_do} |"
        )
    return "\n".join(rows) + "\n"


def _codes(before: Custody, act: Act) -> Iterator[int]:
    """All that an act can break in a custody, whatever the flags."""
    for flags in range(32 if before else 1):
        yield from custody.step(int(before) | flags << 4, act, PILOT)[1]


# ---- how acts are read -----------------------------------------------------------------------------

PACK, NEW = "01/09521234001072/21/A", "01/09521234001072/21/B"
_EXPIRY = (Extension(MASTER_DATA, "itemExpirationDate", "2000-01-02"),)


def readings() -> str:
    """Events, and what the code reads off them: the Object events of the table in `custody`, the others by example."""
    rows = ["| event | action | business step | disposition | and | act |", "|---|---|---|---|---|---|"]
    rows.append(_row(_undone(), Act.UNDO, "other", "other", "an error declaration", action="other", kind="any"))
    rows.append(_row(_object("ADD", "commissioning", "active"), Act.COMMISSION, "other", "other"))
    returns = _object("OBSERVE", "receiving", "returned", (BizTransaction(EXPORT_RETURN_DOCUMENT, "urn:x:1"),))
    rows.append(_row(returns, Act.EXPORT_RETURN, more=f"a document of type `{EXPORT_RETURN_DOCUMENT}`"))
    for (action, step), found in _OBJECT_STEPS.items():
        if not isinstance(found, dict):
            rows.append(_row(_object(action, step, "damaged"), found, disposition="other"))
            continue
        for disposition, act in found.items():
            shown = "other" if disposition is None else None
            rows.append(_row(_object(action, step, disposition or "damaged"), act, disposition=shown))
    rows.append(_row(_object("OBSERVE", "inspecting", "damaged"), Act.OBSERVE, "other", "other"))
    rows.append(_row(_object("DELETE", "destroying", "destroyed"), Act.DESTROY, "other", "other"))
    rows += [
        _row(_transaction("ADD", "reserving", "po"), Act.RESERVE, disposition="other"),
        _row(_transaction("DELETE", "reserving", "po"), Act.CANCEL, disposition="other"),
        _row(_transaction("ADD", None, "rma"), Act.APPLY_RETURN, "other", "other", "a document of type `rma`"),
        _row(_transaction("OBSERVE", "reserving", "po"), Act.OBSERVE, "other", "other", action="other"),
        _row(_transformation("repackaging"), Act.RELABEL_OLD, disposition="other", more="an input (epcs)"),
        _row(_transformation("repackaging"), Act.RELABEL_NEW, disposition="other", more="an output (output_epcs)"),
        _row(_transformation("assembling"), Act.CONSUME, "other", "other", "an input"),
        _row(_transformation("assembling"), Act.PRODUCE, "other", "other", "an output"),
        _row(_aggregation(), Act.OBSERVE, "other", "other", action="other", kind="Aggregation, Association"),
    ]
    return "\n".join(rows) + "\n\n"


def _row(
    event: Event,
    act: Act,
    step: str | None = None,
    disposition: str | None = None,
    more: str = "",
    *,
    action: str | None = None,
    kind: str | None = None,
) -> str:
    subject = NEW if act in (Act.RELABEL_NEW, Act.PRODUCE) else PACK
    read = dict(custody.acts(event, PILOT))[subject] & custody.ACT_MASK
    if read != act:
        raise SystemExit(f"{event}: the document says {name(act)}, the code reads {name(Act(read))}")
    cells = (
        kind or type(event).__name__.removesuffix("Event"),
        action or str(getattr(event, "action", "")),
        step or f"`{event.biz_step}`",
        disposition or f"`{event.disposition}`",
        more,
        f"{name(act)} ({act.value})",
    )
    return f"| {' | '.join(cells)} |"


def _object(action: Any, step: str | None, disposition: str, documents: tuple[BizTransaction, ...] = ()) -> ObjectEvent:
    return ObjectEvent(
        event_time=0, time_zone_offset=0, epcs=(PACK,), action=action, biz_step=step, disposition=disposition,
        biz_transactions=documents,
    )  # fmt: skip


def _transaction(action: Any, step: str | None, document: str) -> TransactionEvent:
    return TransactionEvent(
        event_time=0, time_zone_offset=0, epcs=(PACK,), action=action, biz_step=step,
        biz_transactions=(BizTransaction(document, "urn:x:1"),),
    )  # fmt: skip


def _transformation(step: str) -> TransformationEvent:
    return TransformationEvent(
        event_time=0, time_zone_offset=0, epcs=(PACK,), output_epcs=(NEW,), biz_step=step, ilmd=_EXPIRY
    )


def _aggregation() -> AggregationEvent:
    return AggregationEvent(event_time=0, time_zone_offset=0, epcs=(PACK,), parent="urn:x:case", action="ADD")


def _undone() -> ObjectEvent:
    return ObjectEvent(
        event_time=0, time_zone_offset=0, epcs=(PACK,), action="OBSERVE",
        error_declaration=ErrorDeclaration(declaration_time=0),
    )  # fmt: skip


# ---- the diagram as text ---------------------------------------------------------------------------


def mermaid() -> str:
    """The machine as a Mermaid diagram: what is alive may be destroyed everywhere, which stands in a note."""
    edges: dict[tuple[Custody, Custody], list[str]] = {}
    for act in ACTS:
        for before, after in RULES[act].moves.items():
            if act != Act.DESTROY:
                edges.setdefault((before, after), []).append(name(act))
    lines = ["```mermaid", "stateDiagram-v2"]
    for (before, after), names in sorted(edges.items()):
        begin = "[*]" if before == Custody.NONE else name(before)
        lines.append(f"    {begin} --> {name(after)}: {', '.join(names)}")
    if tuple(sorted(RULES[Act.DESTROY].moves)) != tuple(sorted(LIVE)):
        raise SystemExit("destroy does not end what is alive everywhere any more: draw it")
    lines += ["    dead --> [*]", "    note right of dead: destroy, from everywhere", "```"]
    return "\n".join(lines) + "\n\n"


# ---- the files -------------------------------------------------------------------------------------


def build() -> dict[str, str]:
    """The files by name."""
    text = HEAD + "<details><summary>The same as text (Mermaid)</summary>\n\n" + mermaid() + "</details>\n\n"
    text += STATES + custodies() + TABLE + acts() + READ + readings() + BROKEN + violations()
    return {"custody.md": text, "custody.svg": draw()}


def main(arguments: list[str], folder: Path = HERE) -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description="Write docs/custody.md and .svg, or check that they are as generated.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    check = parser.parse_args(arguments).check
    stale = 0
    for file, text in build().items():
        path = folder / file
        if not check:
            path.write_text(text, "utf-8", newline="\n")
            continue
        found = path.read_text("utf-8") if path.exists() else ""
        difference = difflib.unified_diff(
            found.splitlines(), text.splitlines(), f"{file} as it is", "as it should be", "", "", 0, ""
        )
        lines = list(difference)
        stale += bool(lines)
        print("\n".join(lines) if lines else f"{file} is as generated")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
