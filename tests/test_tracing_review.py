"""What tracing keeps and says where somebody tries to break it: odd subjects and times, damage, depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from pilot_world import compare
from tracechain import recall, tracing
from tracechain.criteria import Lot
from tracechain.errors import DataError
from tracechain.ledger import Ledger
from tracechain.record import authorise, key_subject, revoke
from tracechain.replay import MemoryView, replay
from tracechain.store.tables import EMPTIED, TIMES
from tracechain.testing import Keys, new_ledger
from tracechain.testing.samples import PRODUCT, pack_ids
from tracechain.tracing import Tracer
from tracechain.tracing.containment import Containment
from tracechain.tracing.locate import Located, Locator
from tracechain.verification import Code
from tracechain.view import Unit, View
from tracing_histories import at, change, error, into, log_of, made, out

PACK, SECOND, THIRD, NEW = pack_ids(4)
CASE, PALLET, PLANT, SHOP = "urn:example:case", "urn:example:pallet", "urn:example:plant", "urn:example:shop"


# ---- what ingest keeps, reindex makes and a replay comes to -------------------------------------------


def kept(ledger: Ledger) -> dict[str, Any]:
    """What the index keeps for tracing."""
    with ledger._store.read() as txn:
        found: dict[str, Any] = {name: dict(txn.txn.cursor(txn.env.tables[name])) for name in (EMPTIED, TIMES)}
    with ledger.snapshot() as view:
        units = [subject for subject, _ in view.units()]
        found["words"] = dict(zip(units, view.words(units), strict=True))
        found["mentions"] = {name: [at for run in view.mentions(name) for at in run] for name in view.names("")}
    return found


def same_however_made(ledger: Ledger) -> None:
    """Ingest, reindex and replay come to the same."""
    live = kept(ledger)
    with ledger.snapshot() as view:
        compare(view, replay(view))
        copy = MemoryView.of(view)
        bare = MemoryView(copy.raw_headers, copy.raw_contents, copy.raw_rows, copy.checkpoint, copy.size)
        assert bare.words([*live["words"]]) == [*live["words"].values()]
        assert {name: [at for run in bare.mentions(name) for at in run] for name in bare.names("")} == live["mentions"]
    ledger.reindex()
    assert kept(ledger) == live


def test_a_key_between_two_events_about_it_does_not_hide_that_they_are_out_of_order(tmp_path: Path) -> None:
    keys = Keys()
    key = key_subject(keys.station.public_key.hash)
    with new_ledger(tmp_path / "ledger", keys=keys) as ledger:
        ledger.append([at(50, PLANT, key)])
        ledger.authorise(authorise(ledger.ledger_id, keys.station, keys.root, "station", None))
        ledger.revoke(revoke(ledger.ledger_id, keys.station.public_key.hash, keys.root, "gone"))
        ledger.append([at(40, SHOP, key)])
        ledger.append([at(number, SHOP, subject) for number, subject in enumerate([*pack_ids(20), key])])
        same_however_made(ledger)


def test_the_first_time_there_is_counts(tmp_path: Path) -> None:
    first, last = -(1 << 63), (1 << 63) - 1
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([at(first, PLANT, PACK)])
        same_however_made(ledger)
        ledger.append([at(first, PLANT, PACK), at(last, PLANT, PACK), at(first, SHOP, PACK, SECOND)])
        ledger.append([at(first, SHOP, pack) for pack in pack_ids(20)])
        same_however_made(ledger)


def test_odd_subjects_and_names(tmp_path: Path) -> None:
    odd = ["a:1", "a:1/", "a:1//", "a:1/x", "a:1/x/", "a:", "a:é", "a:\U0001f600", "a:\uffff", "a:" + "x" * 478]
    odd += ["a:" + "x" * 477, "a:" + "é" * 239]
    with new_ledger(tmp_path / "ledger") as ledger:
        for time in range(3):
            for number, subject in enumerate(odd):
                ledger.append([
                    at(time, odd[number - 1], *odd[number:]),
                    into(time, subject, *odd[:3], where=subject),
                    *(at(time, subject, one) for one in odd),
                    at(time, odd[number - 3], subject),
                ])  # fmt: skip
        same_however_made(ledger)


# ---- depth and number -----------------------------------------------------------------------------------

DEEP = 3000


def located(view: View, *units: str) -> list[tuple[Any, ...]]:
    """Where units are, the quick way and the exact one: they have to be the same."""
    tracer = Tracer(view)
    found: list[tuple[Any, ...]] = sorted(tuple(one)[:7] for one in Locator(tracer, Located).locate(units))
    for unit, state, last, place, holder, container, time in found:
        exact = Tracer(view).whereabouts(unit)
        outermost = exact.containers[-1] if exact.containers else None
        assert exact.unit == Unit(last, state)
        assert (exact.place, exact.holder.id, outermost, exact.time) == (place, holder, container, time)
    return found


def test_containers_may_be_as_deep_as_they_like(tmp_path: Path) -> None:
    boxes = [f"urn:example:box:{number}" for number in range(DEEP)]
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([made(0, PACK, where=PLANT), into(1, boxes[0], PACK)])
        ledger.append([into(2, around, inside) for inside, around in pairwise(boxes)])
        ledger.append([at(3, SHOP, boxes[-1])])
        with ledger.snapshot() as view:
            now = tracing.whereabouts(view, PACK)
            assert (now.place, now.seen, now.containers) == (SHOP, boxes[-1], tuple(boxes))
            assert tracing.whereabouts(view, PACK, 2).place == PLANT
            assert located(view, PACK)[0][3:6] == (SHOP, SHOP, boxes[-1])
            history = tracing.trace(view, PACK)
            assert history
            assert history.steps[-1].via == tuple(boxes)


def test_many_stays_in_a_container_with_many_stays() -> None:
    rounds: list[Any] = [made(0, PACK, where=PLANT)]
    for time in range(10, 1510, 10):
        rounds += [into(time, CASE, PACK), into(time + 1, PALLET, CASE), at(time + 2, f"urn:example:{time}", PALLET)]
        rounds += [out(time + 3, PALLET, CASE), out(time + 4, CASE, PACK)]
    log = log_of(*rounds)
    for time in range(12, 1510, 10):
        assert tracing.whereabouts(log, PACK, time).seen == PALLET
    assert tracing.whereabouts(log, PACK).place == "urn:example:1500"
    asked: list[str] = []

    class Counting(Containment):
        def _around(self, subject: str, *args: Any, **more: Any) -> Any:
            for found in super()._around(subject, *args, **more):
                asked.append(subject)
                yield found

    assert len(list(Counting(log).inherited(PACK, set()))) == 5 * 150 + 2 * 150
    assert len(asked) == 300


def test_the_latest_sighting_is_the_last_of_all_that_is_inherited() -> None:
    log = log_of(
        made(0, PACK, where=PLANT),
        into(1, CASE, PACK), into(2, PALLET, CASE), at(3, SHOP, PALLET), out(4, PALLET, CASE),
        into(5, PALLET, CASE), at(6, "urn:example:road", PALLET), out(7, CASE, PACK), at(8, PLANT, PALLET),
    )  # fmt: skip
    for end in range(9):
        containment = Containment(log)
        facts = [link.fact for link in containment.past(PACK).facts]
        facts += [link.fact for link, _ in containment.inherited(PACK, set(), end=(end, 1 << 40))]
        last = max(fact.moment for fact in facts if fact and fact.locates and fact.time <= end)
        for asked in (containment, Containment(log)):
            found = asked.latest(PACK, set(), end=(end, 1 << 40))
            assert found is not None
            assert found[0].moment == last


def test_what_is_gone_of_a_container_is_said_of_all_that_is_in_it() -> None:
    log = log_of(made(0, PACK, SECOND), into(1, CASE, PACK, SECOND), at(2, PLANT, CASE), at(3, SHOP, CASE))
    units = log._units()
    del log.raw_contents[2]
    log.index = units
    tracer = Tracer(log)
    for pack in (PACK, SECOND):
        assert [one.kind for one in tracer.whereabouts(pack).unresolved] == ["pruned"]


def test_many_codes_of_one_transformation() -> None:
    old, new = (tuple(f"01/{PRODUCT}/21/{kind}{number:03}" for number in range(300)) for kind in "AB")
    log = log_of(made(0, *old), change(1, old, new), change(2, (new[7], old[3]), (old[3], "urn:example:kit")))
    assert [step.index for step in tracing.trace(log, old[5]).steps] == [0, 1, 2]
    assert {kin.code for kin in tracing.trace(log, new[9]).kin} == {*old}
    assert {kin.code for kin in tracing.trace(log, old[3]).kin} == {*new, new[7], "urn:example:kit"}


# ---- what was altered is seen -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    """A ledger with everything that a trace rests on."""
    packs = tuple(f"01/{PRODUCT}/21/{number:02}" for number in range(20))
    scan = at(6, SHOP, packs[0])
    with new_ledger(tmp_path_factory.mktemp("whole") / "ledger") as ledger:
        ledger.append([made(0, *packs, lot="A", where=PLANT), into(1, CASE, *packs), into(2, PALLET, CASE)])
        ledger.append([at(3, SHOP, PALLET), out(4, CASE, packs[0]), at(5, PLANT, PALLET), scan, error(scan)])
        ledger.append([change(7, (packs[0],), (NEW,)), at(8, PLANT, packs[1]), at(9, SHOP, NEW)])
        with ledger.snapshot() as view:
            copy = MemoryView.of(view)
    copy._mentioned()
    copy._state()
    return copy


UNIT = f"01/{PRODUCT}/21/00"


def altered(whole: MemoryView, part: str, index: int, data: bytes | None) -> MemoryView:
    """A copy with one part changed, and the index as it was."""
    parts = {name: dict(getattr(whole, name)) for name in ("raw_headers", "raw_contents", "raw_rows")}
    parts[part].pop(index)
    if data is not None:
        parts[part][index] = data
    headers, contents, rows = parts.values()
    found = MemoryView(headers, contents, rows, whole.checkpoint, whole.size, dict(whole._units()))
    found._mentions, found._replayed = whole._mentions, whole._replayed
    return found


def flips(whole: MemoryView) -> Iterator[tuple[str, int, bytes]]:
    for part in ("raw_headers", "raw_contents", "raw_rows"):
        for index, data in getattr(whole, part).items():
            if index > 2:
                for at_byte in range(len(data)):
                    changed = bytearray(data)
                    changed[at_byte] ^= 1 << at_byte % 8
                    yield part, index, bytes(changed)


def lines(history: tracing.Trace) -> list[tuple[object, ...]]:
    return [(step.index, step.relation, step.via, step.content, step.act, step.state) for step in history.steps]


def test_no_flipped_bit_changes_a_trace_that_verifies(whole: MemoryView) -> None:
    wanted = tracing.trace(whole, UNIT)
    assert wanted
    assert len(wanted.steps) == 9
    seen = 0
    for part, index, data in flips(whole):
        view = altered(whole, part, index, data)
        found = tracing.trace(view, UNIT)
        assert not found or lines(found) == lines(wanted), (part, index)
        seen += not found
        tracing.whereabouts(view, UNIT)
        recall.fan_out(view, Lot(f"01/{PRODUCT}", "A"))
    assert seen > 2000


@pytest.mark.parametrize("part", ["raw_headers", "raw_contents", "raw_rows"])
@pytest.mark.parametrize("cut", [lambda data: None, lambda data: b"", lambda data: data[:20], lambda data: data[:-1]])
def test_what_is_cut_is_found(whole: MemoryView, part: str, cut: Callable[[bytes], bytes | None]) -> None:
    for step in tracing.trace(whole, UNIT).steps:
        view = altered(whole, part, step.index, cut(getattr(whole, part)[step.index]))
        assert step.index in {finding.index for finding in tracing.trace(view, UNIT).findings}
        tracing.whereabouts(view, UNIT)
        try:
            recall.fan_out(view, Lot(f"01/{PRODUCT}", "A"))
        except DataError:
            assert part == "raw_headers"


def test_a_scan_of_the_container_cannot_be_moved_out_of_sight(whole: MemoryView) -> None:
    at_shop = next(step for step in tracing.trace(whole, UNIT).steps if step.relation == "container" and step.time == 3)
    data = whole.raw_contents[at_shop.index]
    assert at_shop.content is not None
    for time in (0, 9):
        moved = data[:32] + at_shop.content.replace(b"\x98\x02\x03", bytes((0x98, 2, time)))
        moved = data[:34] + bytes((time,)) + data[35:]
        found = tracing.trace(altered(whole, "raw_contents", at_shop.index, moved), UNIT)
        assert at_shop.index not in {step.index for step in found.steps}
        assert (Code.CONTENT_COMMITMENT, at_shop.index) in {(one.code, one.index) for one in found.findings}


def test_the_row_of_a_container_beside_many_others_is_looked_at(whole: MemoryView) -> None:
    packing = next(step for step in tracing.trace(whole, UNIT).steps if step.time == 1)
    data = whole.raw_rows[packing.index]
    assert data.endswith(b":case\x00\x00\x01\xc0")  # its row is the last, the unit's the first of eight
    found = tracing.trace(altered(whole, "raw_rows", packing.index, data[:-3] + b"\x01" + data[-2:]), UNIT)
    assert (Code.ROW_ROOT, packing.index) in {(one.code, one.index) for one in found.findings}


def test_a_step_that_cannot_be_read_is_shown_all_the_same(whole: MemoryView) -> None:
    wanted = tracing.trace(whole, UNIT)
    first = wanted.steps[0]
    found = tracing.trace(altered(whole, "raw_contents", first.index, bytes(32) + b"\xc1"), UNIT)
    broken = next(step for step in found.steps if step.index == first.index)
    assert (broken.content, [one.code for one in broken.findings]) == (None, [Code.CONTENT_COMMITMENT])
    assert ("damaged", first.index) in {(one.kind, one.index) for one in found.unresolved}
    assert len(found.steps) == len(wanted.steps)


def test_an_index_that_leads_elsewhere_is_found(whole: MemoryView) -> None:
    last = whole._units()[UNIT]
    for elsewhere in (last.last - 1, whole.size, 1 << 39):
        view = altered(whole, "raw_headers", 0, whole.raw_headers[0])
        assert view.index is not None
        view.index[UNIT] = evolve(last, last=elsewhere)
        assert not tracing.trace(view, UNIT)
