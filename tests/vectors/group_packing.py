"""Vectors of packing: what a log comes to by docs/format.md sections 7.4, 11 and 11.3.

Kind "packing": entries (header, content, rows; the parts begin with their salts), and what they come to: "violations",
(index, subject, code) of packing, in order; "packed", of each subject that has a word of packing: 1 + the index of the
entry that packed it last, and then "out" and "tangled" where it is; "emptied"; "mentions", for each name the entries
that mention it; "times", for each block of 4,096 entries the latest claimed time, as text.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from tracechain.custody import PACKING
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.event import Event, Extension
from tracechain.record import Record
from tracechain.replay import MemoryView, replay
from tracechain.rules.mentions import lot_name, mentioned
from tracechain.rules.packing import AFTER_RECEIPT, OUT, PLACE_MASK, TANGLED
from tracechain.testing import START, Clock, Keys, Random, new_ledger
from tracechain.testing.samples import (
    PRODUCT,
    case_id,
    commission,
    destroy,
    observe,
    pack,
    pack_ids,
    relabel,
    sell,
    sensor,
    ship,
    stock,
    unpack,
)
from tracing_histories import error, seen_in

Cases = dict[str, dict[str, Any]]
ONE, TWO, THREE, FOUR = pack_ids(4)
CASE, OTHER, PALLET = case_id(1), case_id(2), case_id(11)
MINUTE, DAY = 60_000, 86_400_000


def _case(about: str, *batches: Sequence[Event | Record]) -> dict[str, Any]:
    """What these batches come to, a statement each."""
    clock = Clock()
    with (
        tempfile.TemporaryDirectory() as folder,
        new_ledger(Path(folder) / "ledger", keys=Keys(), clock=clock, random=Random()) as ledger,
    ):
        for batch in batches:
            ledger.append(batch)
            clock.advance(MINUTE)
        with ledger.snapshot() as view:
            copy = MemoryView.of(view)
    return {"about": about, "kind": "packing"} | _entries(copy) | comes_to(copy)


def _entries(view: MemoryView) -> dict[str, Any]:
    parts = {"header": view.raw_headers, "content": view.raw_contents, "rows": view.raw_rows}
    return {
        "entries": [
            {name: part.hex() if (part := raw.get(index)) else None for name, raw in parts.items()}
            for index in range(view.size)
        ]
    }


def comes_to(view: MemoryView) -> dict[str, Any]:
    """What the library makes of a log."""
    state = replay(view)
    mentions: dict[str, list[int]] = {}
    times: dict[str, int] = {}
    for index, content in view.raw_contents.items():
        header = view.raw_headers[index]
        if header[4] != EntryType.EVENT:
            continue
        event = decode(content[SALT_SIZE:])
        for name in mentioned(event):
            mentions.setdefault(name, []).append(index)
        ahead = event.event_time > int.from_bytes(header[8:16], "big") * 1_000_000 + AFTER_RECEIPT
        if index in view.raw_rows and not ahead:
            block = str(index // 4096)
            times[block] = max(times.get(block, event.event_time), event.event_time)
    return {
        "violations": [
            [index, subject, code] for index, subject, codes in state.violations for code in codes if code in PACKING
        ],
        "packed": {subject: _word(word) for subject, word in sorted(state.packings.items()) if word},
        "emptied": dict(sorted(state.emptyings.items())),
        "mentions": dict(sorted(mentions.items())),
        "times": {block: str(time) for block, time in times.items()},
    }


def _word(word: int) -> list[int | str]:
    return [word & PLACE_MASK, *["out"] * bool(word & OUT), *["tangled"] * bool(word & TANGLED)]


def cases() -> Cases:
    """All cases of this group."""
    into = pack(CASE, (ONE,))
    lot = Extension("urn:epcglobal:cbv:mda:", "lotNumber", "L" * 470)
    assert len(lot_name(PRODUCT, "L" * 470)) < 480
    label = Extension("https://gs1.org/voc/", "lotNumber", "LOT-B")
    return {
        "levels": _case(
            "Packs in cases on a pallet, taken out again; no rule is broken.",
            [commission((ONE, TWO, THREE)), pack(CASE, (ONE, TWO)), pack(OTHER, (THREE,)), pack(PALLET, (CASE, OTHER))],
            [ship((PALLET,)), unpack(PALLET, (CASE,)), unpack(CASE, (ONE,)), unpack(PALLET)],
        ),
        "broken": _case(
            "Each violation of packing; the event holds all the same, unless containers would hold each other.",
            [into, into, seen_in(START * 1_000_000, CASE, ONE, TWO)],
            [seen_in(START * 1_000_000, OTHER, ONE), pack(OTHER, (ONE,)), unpack(CASE, (ONE, TWO))],
            [pack(PALLET, (OTHER,)), pack(OTHER, (OTHER,)), pack(ONE, (PALLET,)), unpack(PALLET), pack(ONE, (PALLET,))],
        ),
        "errors": _case(
            "Packing and unpacking declared errors; what was emptied does not come back.",
            [into, unpack(CASE, (ONE,)), error(unpack(CASE, (ONE,))), pack(CASE, (ONE,))],
            [error(into), unpack(CASE, (ONE,)), pack(OTHER, (TWO,)), error(pack(OTHER, (TWO,), at=START + 1))],
            [unpack(OTHER), error(unpack(OTHER)), unpack(OTHER, (TWO,))],
        ),
        "leaving": _case(
            "What is dispensed, ends or is used up leaves its case, also where that breaks a rule; a sale does not.",
            [commission((ONE, TWO, THREE, FOUR)), pack(CASE, (ONE, TWO, THREE, FOUR)), *[destroy((ONE,))] * 2],
            [evolve(observe((TWO,)), biz_step="dispensing"), relabel((THREE,), pack_ids(1, start=9)), sell((FOUR,))],
            [error(evolve(observe((TWO,)), biz_step="dispensing")), unpack(CASE, (ONE, TWO, THREE, FOUR))],
        ),
        "tangled": _case(
            "Claimed earlier than the event before, ahead of the receipt by more than a day, and a record.",
            [observe((ONE, TWO), at=START), observe((ONE,), at=START - 1), observe((TWO,), at=START)],
            [observe((THREE,), at=START + MINUTE + DAY), observe((CASE,), at=START + MINUTE + DAY + 1)],
            [Record("note", ("seal broken",), OTHER), sensor("21.5", at=START + MINUTE)],
        ),
        "mentions": _case(
            "Places, parties, sensors, lots and transformations; a lot too long for a key; a bare position.",
            [commission((ONE, TWO)), commission(pack_ids(1, product="09521234002079")), sensor("21.5"), stock(3)],
            [evolve(commission((THREE,)), ilmd=(lot,), read_point="geo:39.9,116.4")],
            [evolve(relabel((ONE, TWO), pack_ids(1, start=9)), extensions=(label,)), error(commission((ONE,)))],
        ),
    }
