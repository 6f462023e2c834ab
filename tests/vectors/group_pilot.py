"""Vectors of a whole ledger under rule set 2, and of what its rules remember (docs/format.md sections 7.2 and 7.3).

Kinds:

    ledger  as in the group "ledger". What stands has besides "units": for each subject "LATEST STATE LOT ANCHOR", which
            are the index of its latest entry, its state and the lot check of its memory in six hexadecimal digits, and
            the index of its anchor, "-" for none; and "accounts": person, year, yuan. What does not stand names the ledger it was made of ("base"), and the entries that differ from
            those ("changes": index -> parts that differ); "finding" is among what a verification of rows finds or, where
            "by" is "replay", nothing but a replay finds it.
    lot     a lot number and its check.

The attacker has every key.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve
from forging import KEYS, copy, forge, memory
from group_registers import LIMITS
from pilot_world import (
    BUYER,
    EYE_DROPS,
    OTHER_BUYER,
    PHARMACY,
    SF,
    STORE,
    ZONE,
    World,
    carrier,
    merchant,
    place,
    product,
    scope,
    stop,
    suspension,
)

from tracechain.checkpoint import NoteSigner, format_vkey
from tracechain.custody import EXPIRY_SHIFT, PLAIN, Act, Custody, Flag, Violation
from tracechain.entry import SALT_SIZE, Row, decode_rows, encode_rows
from tracechain.registers import Place, Profile
from tracechain.replay import MemoryView, State, replay
from tracechain.rules.guards import ANCHOR_MASK, LOT_SHIFT, lot_check
from tracechain.testing import ORIGIN
from tracechain.verification import Code, verify, verify_rules

if TYPE_CHECKING:
    from collections.abc import Callable

Cases = dict[str, dict[str, Any]]
VKEY = format_vkey(NoteSigner(ORIGIN, KEYS.log).verifier)
PROFILE = LIMITS | {"name": "beijing", "places_registered": False, "products_registered": True}
PARTS = {"header": "raw_headers", "content": "raw_contents", "rows": "raw_rows"}


def _make(folder: Path) -> dict[str, int]:
    """A ledger with a bit of every rule; returns where what is tampered with stands."""
    world = World(folder, registered=())
    one, two, three, four, new = world.packs[:5]
    nmpa = world.packs[9]
    at: dict[str, int] = {}
    plain = [world.commission(one), world.ship(one)]
    world.ledger.append(plain)
    world.clock.advance(60_000)
    zone: Place = place(ZONE, "zone-warehouse", zone="Tianzhu", confirmed_on=product().verified_on)
    store: Place = place(STORE, "store", licence="S-1")
    values = (merchant(), scope(EYE_DROPS), product(), zone, store, carrier(SF), Profile(**PROFILE))
    world.register(*values)
    world.keep(world.commission(two, three, four), world.commission(nmpa, lot=None, expiry=None))
    world.keep(world.bond_in(one, two, three, four), world.bond_in(nmpa))
    at["order"] = world.keep(world.order(one, two, po="1"), world.pay(one, two, po="1")).first
    at["clear"] = world.keep(world.clear(one, two, po="1"), world.sell(one), world.transfer(two)).first
    world.keep(world.pickup(two), world.deliver(one))
    at["again"] = world.breaks(world.sell(one), Violation.SECONDARY_SALE).first
    at["nobody"] = world.breaks(world.order(four, buyer=None, po="2"), Violation.NON_CONSUMER).first
    at["scope"] = world.breaks(world.order(nmpa, po="3"), Violation.PRODUCT_UNREGISTERED).first
    world.keep(world.order(three, buyer=OTHER_BUYER, po="4", yuan="120.5"))
    world.keep(world.cancel(three, buyer=OTHER_BUYER, po="4", yuan="120.5"))
    world.keep(world.order(three, buyer=OTHER_BUYER, po="5", yuan="99.9"))
    world.keep(world.apply_return(two), world.return_in(two), world.conform(two), world.release(two))
    at["relabel"] = world.keep(world.relabel([two], [new], lot=None)).first
    world.keep(world.repair(nmpa), world.export(nmpa))
    held = world.hold(nmpa)
    at["held"] = world.keep(world.hold(new), held).first
    at["undo"] = world.keep(world.undo(held)).first
    world.register(suspension(PHARMACY), stop("product", EYE_DROPS))
    world.breaks(world.pay(three, buyer=BUYER, po="5", yuan="99.9"), Violation.THREE_DOC)
    world.agrees()
    world.close()
    return at


def _ledger(view: MemoryView, state: State) -> dict[str, Any]:
    units = {}
    for subject, unit in sorted(state.units.items()):
        memory = state.memory(subject)
        anchor = (memory & ANCHOR_MASK) - 1
        units[subject] = f"{unit.last} {unit.state:06x} {memory >> LOT_SHIFT:06x} {'-' if anchor < 0 else anchor}"
    return {
        "about": "A ledger in which rule set 1 is followed by rule set 2; rules are kept, and some are broken.",
        "kind": "ledger",
        "verdict": "stands",
        "vkey": VKEY,
        "checkpoint": view.checkpoint,
        "units": units,
        "accounts": [[person.hex(), year, f"{yuan:f}"] for (person, year), yuan in sorted(state.spending.items())],
        "entries": [
            {name: part.hex() if (part := getattr(view, raw).get(index)) else None for name, raw in PARTS.items()}
            for index in range(view.size)
        ],
    }


def _rows(view: MemoryView, index: int, change: Callable[[Row], Row], rule_set: int | None = None) -> MemoryView:
    """A forged copy of which the rows of an entry say something else."""
    made = copy(view)
    part = view.raw_rows[index]
    kept, rows = decode_rows(part[SALT_SIZE:])
    made.raw_rows[index] = part[:SALT_SIZE] + encode_rows(kept if rule_set is None else rule_set, [*map(change, rows)])
    return forge(made)


def _custody(state: int, custody: Custody) -> int:
    return state & ~0xF | custody


#: name -> (about, finding, by, entry, change of its rows)
TAMPERINGS: dict[str, tuple[str, Code, str, str, Callable[[Row], Row]]] = {
    "state": (
        "An ordered pack is said to be cleared: the table does not give that.",
        Code.ROW_STATE, "rows", "order", lambda row: evolve(row, state=_custody(row.state, Custody.CLEARED)),
    ),
    "moved-by-violation": (
        "A lawful row gets a violation, and keeps the state it moved to.",
        Code.ROW_STATE, "rows", "clear", lambda row: evolve(row, violations=(int(Violation.LIMIT),)),
    ),
    "violation-of-the-table-hidden": (
        "A second sale is said to be lawful.",
        Code.ROW_VIOLATIONS, "rows", "again", lambda row: evolve(row, violations=()),
    ),
    "act": (
        "The act of a row is another than its content says.",
        Code.ROW_ACT, "rows", "held", lambda row: evolve(row, act=int(Act.RECALL), state=row.state ^ 0x30),
    ),
    "expiry-day": (
        "A new code is said to expire a year later.",
        Code.ROW_ACT, "rows", "relabel",
        lambda row: row if row.act & 0xFF != Act.RELABEL_NEW else evolve(
            row, act=row.act + (365 << 8), state=row.state + (365 << EXPIRY_SHIFT)
        ),
    ),
    "register-violation-hidden": (
        "An order without a buyer is said to be lawful; rows, links and signatures are of one piece.",
        Code.ROW_VIOLATIONS, "replay", "nobody",
        lambda row: evolve(row, violations=(), state=_custody(row.state, Custody.RESERVED)),
    ),
    "violation-made-up": (
        "A violation that nobody committed stands beside another.",
        Code.ROW_VIOLATIONS, "replay", "scope", lambda row: evolve(row, violations=(*row.violations, 39)),
    ),
    "undone-state": (
        "An undo is said to have given a state that the pack never had.",
        Code.ROW_STATE, "replay", "undo", lambda row: evolve(row, state=row.state | Flag.RECALLED),
    ),
}  # fmt: skip


def _cases(view: MemoryView, at: dict[str, int]) -> Cases:
    made = {name: (about, code, by, _rows(view, at[entry], change)) for name, (about, code, by, entry, change)
            in TAMPERINGS.items()}  # fmt: skip
    back = _rows(view, view.size - 1, lambda row: evolve(row, act=0, state=int(Custody.ACTIVE), violations=()), PLAIN)
    made["rules-set-back"] = ("The last entry goes by rule set 1 again.", Code.ROWS_MALFORMED, "rows", back)
    fitted = copy(view)
    note = forge(fitted).checkpoint
    assert note == view.checkpoint
    cases: Cases = {}
    for name, (about, code, by, forged) in made.items():
        changes = {
            str(index): {
                name: getattr(forged, raw)[index].hex()
                for name, raw in PARTS.items()
                if getattr(forged, raw).get(index) != getattr(view, raw).get(index)
            }
            for index in range(view.size)
        }
        found = verify(forged) if by == "rows" else verify_rules(forged)
        assert code in found.codes, (name, found.findings)
        assert by == "rows" or verify(forged), name
        cases[f"refused-{name}"] = {
            "about": about,
            "kind": "ledger",
            "verdict": "refused",
            "finding": str(code),
            "by": by,
            "base": "pilot-whole",
            "checkpoint": forged.checkpoint,
            "changes": {index: parts for index, parts in changes.items() if parts},
        }
    return cases


def _lots() -> Cases:
    lots = {
        "lot": ("A lot number.", "LOT-A7"),
        "lot-text": ("A lot number that is not of ASCII.", "批号-20261121"),
        "lot-empty": ("An empty lot number.", ""),
        "lot-zero": ("The first three bytes of its hash are zero.", "L7924641"),
    }
    assert lot_check("L7924641") == 1
    return {
        name: {"about": about, "kind": "lot", "lot": lot, "check": lot_check(lot)} for name, (about, lot) in lots.items()
    }


def cases() -> Cases:
    """All cases of this group."""
    with tempfile.TemporaryDirectory() as folder:
        at = _make(Path(folder))
        view = memory(Path(folder) / "ledger")
    state = replay(view)
    whole = _ledger(view, state)
    return {"whole": whole} | _cases(view, at) | _lots()
