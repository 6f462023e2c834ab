"""docs/format.md sections 7.4, 11 and 11.3 suffice: a second implementation of packing, written from them alone, comes
to the violations in the rows and to the tables of the index, over ledgers that pack rightly and wrongly."""

from __future__ import annotations

import ast
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given, settings

import standalone_packing
import standalone_pruned
from pilot_world import World
from raw_database import raw
from standalone_packing import OUT, TANGLED, Fold
from tracechain.custody import Violation
from tracechain.entry import SALT_SIZE, decode_rows, encode_rows
from tracechain.event import Extension
from tracechain.ledger import verify_ledger
from tracechain.retention.dates import MS_PER_DAY as DAY
from tracechain.retention.dates import shanghai_day
from tracechain.retention.plan import plan
from tracechain.rules import packing
from tracechain.rules.mentions import lot_name
from tracechain.testing import START, Clock, MemoryView, new_ledger, open_ledger
from tracechain.testing.samples import (
    WAREHOUSE,
    case_id,
    commission,
    observe,
    order,
    pack,
    pack_ids,
    relabel,
    sensor,
    ship,
    unpack,
)
from tracechain.testing.tamper.by_hand import CLASS, policy
from tracechain.view import View
from tracing_histories import History, Player, error, histories, random_history, seen_in

SCRIPT = Path(__file__).with_name("standalone_packing.py")
VECTORS = {
    path.stem: json.loads(path.read_text("utf-8"))
    for path in sorted(Path(__file__).with_name("vectors").glob("packing-*.json"))
}
#: 2028-02-01.
LATER = 1_832_947_200_000
ONE, TWO, CASE, OTHER, PALLET = *pack_ids(2), case_id(1), case_id(2), case_id(11)


def run(ledger: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as a stranger does, in a process of its own: with nothing on its path but its own folder."""
    return subprocess.run(
        [sys.executable, "-E", "-s", SCRIPT, ledger], capture_output=True, text=True, check=False, timeout=60
    )


def counted(ledger: Path) -> list[int]:
    """Packings, violations, tangled subjects and names, as the script counted them."""
    done = run(ledger)
    assert (done.returncode, done.stderr) == (0, "")
    first, last = done.stdout.splitlines()
    assert last == "OK"
    return [int(word) for word in first.split() if word.isdigit()]


def play(world: World, history: History, *, pilot: bool) -> None:
    player = Player(world if pilot else None)
    for commit in history.commits:
        if commit.before == "reindex":
            world.ledger.reindex()
        for items in commit.appends:
            if batch := player.contents(items):
                world.ledger.append(batch)
        world.clock.advance(1000)


def folded(view: View) -> Fold:
    """The second implementation over the entries of a view."""
    fold = Fold()
    for index, (header, content, rows) in enumerate(zip(*view.block(0, view.size), strict=True)):
        assert header is not None
        assert content is not None
        fold.take(index, header, content[SALT_SIZE:], None if rows is None else rows[SALT_SIZE:])
    return fold


def test_the_script_imports_nothing_of_ours() -> None:
    tree = ast.parse(SCRIPT.read_text("utf-8"))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert names - sys.stdlib_module_names == {"lmdb", "standalone_custody", "standalone_pruned"}


# ---- agreed on --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_random_packing_is_recomputed_from_the_text(tmp_path: Path, seed: int) -> None:
    pilot = seed % 2 == 0
    with contextlib.closing(World(tmp_path) if pilot else World(tmp_path, ())) as world:
        play(world, random_history(seed, 120, pilot=pilot), pilot=pilot)
        with world.ledger.snapshot() as view:
            fold = folded(view)
    packings, violations, tangled, names = counted(tmp_path / "ledger")
    assert (packings, violations, names) == (fold.packings, len(fold.broken), len(fold.mentions))
    assert packings > 20
    assert {code for _, _, code in fold.broken} == {40, 41, 42}
    assert tangled == sum(word & TANGLED > 0 for word in fold.words.values())


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    return lambda: tmp_path_factory.mktemp("packing")


@settings(max_examples=50)
@given(history=histories())
def test_drawn_packing_is_recomputed_from_the_text(paths: Callable[[], Path], history: History) -> None:
    with contextlib.closing(World(paths(), ())) as world:
        play(world, history, pilot=False)
        with world.ledger.snapshot() as view:
            fold = folded(view)
            subjects = [subject for subject, _ in view.units()]
            assert [word for _, word in view.words(subjects)] == [fold.words.get(subject, 0) for subject in subjects]
            assert [view.emptied(subject) for subject in subjects] == [fold.emptied.get(one, 0) for one in subjects]
            for name, entries in fold.mentions.items():
                assert [index for run in view.mentions(name) for index in run] == entries


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_of_packing_are_recomputed_from_the_text_and_by_the_library(name: str) -> None:
    case = VECTORS[name]
    parts: dict[str, dict[int, bytes]] = {
        part: {at: bytes.fromhex(entry[part]) for at, entry in enumerate(case["entries"]) if entry[part] is not None}
        for part in ("header", "content", "rows")
    }
    view = MemoryView(parts["header"], parts["content"], parts["rows"], "", len(case["entries"]))
    fold = folded(view)
    assert [[*one] for one in fold.broken] == case["violations"]
    assert fold.emptied == case["emptied"]
    assert fold.mentions == case["mentions"]
    assert {str(block): str(time) for block, time in fold.times.items()} == case["times"]
    for subject, _ in view.units():
        place, *flags = case["packed"].get(subject, [0])
        word = place | OUT * ("out" in flags) | TANGLED * ("tangled" in flags)
        assert view.words([subject])[0][1] == fold.words.get(subject, 0) == word
        assert view.emptied(subject) == fold.emptied.get(subject, 0)
    assert {name: [index for run in view.mentions(name) for index in run] for name in fold.mentions} == fold.mentions


def test_each_line_of_the_table(tmp_path: Path) -> None:
    """The violations of one history, written down by hand: (entry, subject, code)."""
    first = pack(CASE, (ONE,))
    events = [
        first,  # 3
        first,  # it is in there already
        seen_in(5, CASE, ONE, TWO),  # and another one in nothing
        seen_in(6, OTHER, ONE),  # 6: it is in another
        pack(OTHER, (ONE,)),  # 7: which it is then packed into
        unpack(CASE, (ONE, TWO)),  # 8: neither is in there
        pack(PALLET, (OTHER,)),
        pack(OTHER, (OTHER,)),  # 10: into itself
        pack(ONE, (PALLET,)),  # 11: around what is around it
        unpack(PALLET),
        pack(ONE, (PALLET,)),  # the other is in nothing now
        unpack(OTHER, (ONE,)),
        error(unpack(OTHER, (ONE,))),  # it is in there again
        pack(CASE, (ONE,)),  # 16
        error(pack(CASE, (ONE,))),  # in nothing
        unpack(CASE, (ONE,)),  # 18
    ]
    clock = Clock()
    with new_ledger(tmp_path / "ledger", clock=clock) as ledger:
        for event in events:
            ledger.append([event])
        with ledger.snapshot() as view:
            fold = folded(view)
            first_entry = next(index for index, header in view.headers(0, view.size) if header[4] == 3)
            assert view.words([ONE])[0][1] == fold.words[ONE]
    # A statement stands before each event.
    broken = [(3 + (index - first_entry) // 2, subject, code) for index, subject, code in fold.broken]
    assert broken == [
        (6, ONE, 40),
        (7, ONE, 40),
        (8, ONE, 42),
        (8, TWO, 42),
        (10, OTHER, 41),
        (11, PALLET, 41),
        (16, ONE, 40),
        (18, ONE, 42),
    ]
    assert fold.words[ONE] & OUT
    assert counted(tmp_path / "ledger")[:2] == [16, 8]


def test_a_larger_ledger_has_several_blocks_of_everything(tmp_path: Path) -> None:
    """Words in tail, delta and base, times of two blocks of entries, runs of many entries."""
    clock = Clock()
    units = pack_ids(2_500)
    with new_ledger(tmp_path / "ledger", clock=clock) as ledger:
        ledger.append([commission(units)])
        for start in range(0, 2_500, 500):
            some = units[start : start + 500]
            ledger.append([pack(case_id(1 + at // 10), some[at : at + 10]) for at in range(0, 500, 10)])
            ledger.append([ship((case_id(1 + at),)) for at in range(50)])
            ledger.append([observe((unit,)) for unit in some])
            ledger.append([observe((unit,), at=clock() + at) for at, unit in enumerate(some)])
            clock.advance(60_000)
        ledger.append([order(units[:2], "1"), unpack(case_id(3)), relabel(units[:1], pack_ids(1, start=9_001))])
        with ledger.snapshot() as view:
            assert len(list(view.mentions(WAREHOUSE))) < 40
            assert view.size > 5_000
    assert counted(tmp_path / "ledger")[0] == 251


def test_what_names_no_subject_is_mentioned_too_and_after_a_rebuild(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger", clock=Clock()) as ledger:
        ledger.append([sensor("21.5"), commission((ONE,)), sensor("22", at=START + 1000)])
    assert counted(tmp_path / "ledger") == [0, 0, 0, 3]
    with open_ledger(tmp_path / "ledger", clock=Clock()) as ledger:
        ledger.reindex()
    assert counted(tmp_path / "ledger") == [0, 0, 0, 3]


def test_a_lot_number_too_long_for_a_key_is_mentioned_by_its_digest(tmp_path: Path) -> None:
    lot = Extension("urn:epcglobal:cbv:mda:", "lotNumber", "L" * 470)
    made = evolve(commission((ONE,)), ilmd=(lot,))
    with new_ledger(tmp_path / "ledger", clock=Clock()) as ledger:
        ledger.append([made])
        with ledger.snapshot() as view:
            (name,) = [name for name in folded(view).mentions if "sha256" in name]
            assert name == lot_name(ONE[:17], "L" * 470)
    counted(tmp_path / "ledger")


# ---- what is altered is seen ------------------------------------------------------------------------


@pytest.mark.parametrize("codes", [(), (42,)])
def test_a_violation_that_vanished_or_was_made_up_is_seen(tmp_path: Path, codes: tuple[int, ...]) -> None:
    with new_ledger(tmp_path / "ledger", clock=Clock()) as ledger:
        ledger.append([pack(CASE, (ONE,)), pack(OTHER, (ONE,))])
        with ledger.snapshot() as view:
            copy = MemoryView.of(view)
    assert [code for *_, code in folded(copy).broken] == [40]
    last = copy.size - 1
    rule_set, rows = decode_rows(copy.raw_rows[last][SALT_SIZE:])
    altered = [evolve(row, violations=codes) if row.violations else row for row in rows]
    copy.raw_rows[last] = bytes(SALT_SIZE) + encode_rows(rule_set, altered)
    with pytest.raises(ValueError, match="and packing gives"):
        folded(copy)


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("packed", bytes(8), bytes(2000)),
        ("emptied", CASE.encode(), (9).to_bytes(8, "big")),
        ("mentions", b"urn:example:nowhere" + (5).to_bytes(8, "big"), (1).to_bytes(4, "big")),
        ("times", bytes(8), (1).to_bytes(8, "big")),
    ],
)
def test_a_table_that_says_something_else_is_seen(tmp_path: Path, table: str, key: bytes, value: bytes) -> None:
    with new_ledger(tmp_path / "ledger", clock=Clock()) as ledger:
        ledger.append([pack(CASE, (ONE,)), unpack(CASE)])
        ledger.reindex()  # words are in the base
    assert counted(tmp_path / "ledger")[0] == 2
    with raw(tmp_path / "ledger") as (txn, tables):
        txn.put(key, value, db=tables(table))
    done = run(tmp_path / "ledger")
    assert done.returncode == 1
    assert done.stderr.startswith(f"MISMATCH: {table}: ")


def test_its_numbers_are_those_of_the_library() -> None:
    assert (standalone_packing.ALREADY_PACKED, standalone_packing.NOT_PACKED) == (
        Violation.ALREADY_PACKED,
        Violation.NOT_PACKED,
    )
    assert (TANGLED, OUT, standalone_packing.PACKED, standalone_packing.DAY) == (
        packing.TANGLED,
        packing.OUT,
        packing.PLACE_MASK,
        packing.AFTER_RECEIPT,
    )


def test_a_pruned_ledger_is_recomputed_as_far_as_it_is_there(tmp_path: Path) -> None:
    """What was packed by an event that went is in nothing; what came after it is judged by what is left."""
    clock, path = Clock(), tmp_path / "ledger"
    ids = pack_ids(6)
    with new_ledger(path, clock=clock) as ledger:
        ledger.append([policy().record()])
        for one in ids:
            clock.advance(DAY)
            ledger.append([commission((one,))], record_class=CLASS)
        ledger.append([pack(CASE, ids[:3]), pack(OTHER, ids[3:5])], record_class=CLASS)
        clock.advance(DAY)
        ledger.append([unpack(OTHER, ids[3:5]), pack(PALLET, (OTHER,))], record_class=CLASS)
        clock.set(LATER)
        ledger.accept_clock("closed")
        ledger.append([observe((one,)) for one in ids], record_class=CLASS)
        for name in ("first", "second"):
            with ledger.snapshot() as view:
                made = plan(view, as_of=shanghai_day(clock()))
            ledger.announce(made, name=name, reason="due")
            for _ in range(3):
                # Packed anew while what had packed it waits to go, and is judged by it.
                ledger.append([pack(OTHER, ids[3:4]), unpack(OTHER, ids[3:4])], record_class=CLASS)
                clock.advance(DAY)
            ledger.append([pack(CASE, ids[5:])], record_class=CLASS)
            ledger.prune(name)
        ledger.append([pack(CASE, ids[4:5]), unpack(CASE, ids[5:])], record_class=CLASS)
        with ledger.snapshot() as view:
            assert sum(1 for _ in view.contents(0, view.size)) < view.size
    counted(path)
    assert standalone_pruned.main(str(path)).endswith("pruned by 2")
    assert verify_ledger(path)
