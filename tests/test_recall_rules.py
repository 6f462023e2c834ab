"""An open recall: every pack that its criterion covers for certain is refused what a recalled pack is refused, from the
entry after the record on, in every process, in a replay and after a rebuild alike (S1 V, III(1)5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pilot_world import (
    EYE_DROPS,
    LOT_NUMBER,
    NMPA_PRODUCT,
    PHARMACY,
    PLANT,
    REGISTERED,
    World,
    example,
    living,
    product,
    profile,
)
from recall_samples import closed, opened, told
from tracechain.criteria import (
    AllOf,
    AnyOf,
    ByMaker,
    ByMerchant,
    Codes,
    Commissioned,
    Criterion,
    Lot,
    Measured,
    Not,
    OfProduct,
    SharedContainer,
    ThroughPlace,
)
from tracechain.custody import CUSTODY_MASK, Act, Custody, Flag, Violation
from tracechain.entry import SALT_SIZE, decode_rows
from tracechain.errors import InputError
from tracechain.event import Event, Extension
from tracechain.event.sale import LOT, MASTER_DATA
from tracechain.ledger import Ledger
from tracechain.pilot import check, standing_of
from tracechain.registers import Profile
from tracechain.replay import MemoryView, replay
from tracechain.rules import JUDGED, Standing
from tracechain.rules.recalled import GUARDED, Known, meets, would_refuse
from tracechain.testing import open_ledger
from tracechain.verification import verify_rules

V = Violation
OF_LOT = Lot(EYE_DROPS, LOT_NUMBER)
OTHER_LOT = "LOT-B8"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def refused(world: World, event: Event) -> set[str]:
    """What a check before the event says, by name."""
    with world.ledger.snapshot() as view:
        return {finding.name for _, finding in check(view, event, world.clock.now).findings}


# ---- refused from the next entry on ----------------------------------------------------------------


@example("S1 V, III(1)5", V.RECALLED)
def test_s1_v_the_next_sale_of_a_recalled_lot_is_refused_and_that_of_another_is_not(world: World) -> None:
    one, two, other, foreign = *world.packs[:3], world.packs[-1]
    world.bring(one, Custody.CLEARED)
    world.bring(two, Custody.STORE)
    world.keep(world.commission(other, lot=OTHER_LOT), world.ship(other), world.bond_in(other))
    world.bring(foreign, Custody.CLEARED)
    world.register(opened())
    world.breaks(world.sell(one), V.RECALLED)
    world.breaks(world.pickup(two), V.RECALLED)
    world.keep(world.order(other, po="9"))
    world.keep(world.sell(foreign))
    assert not world.state(one).recalled, "the state is only what events did to it"
    world.register(told())
    world.breaks(world.sell(one), V.RECALLED)
    world.register(closed())
    world.keep(world.sell(one))
    world.keep(world.pickup(two))


@example("S1 V", V.RECALLED)
def test_s1_v_a_unit_of_the_lot_that_is_commissioned_later_is_caught(world: World) -> None:
    world.register(opened())
    world.keep(*(make(world.packs[0]) for make in (world.commission, world.ship, world.bond_in)))
    world.breaks(world.order(world.packs[0]), V.RECALLED)
    world.keep(world.commission(world.packs[1], lot=None), world.ship(world.packs[1]), world.bond_in(world.packs[1]))
    world.keep(world.order(world.packs[1], po="2"))
    labelled = (Extension(MASTER_DATA, LOT, LOT_NUMBER),)
    payment = world.pay(world.packs[1], po="2")
    world.breaks(evolve(payment, extensions=(*payment.extensions, *labelled)), V.RECALLED)
    world.breaks(evolve(world.sell(world.packs[2]), extensions=labelled), V.RECALLED, V.UNKNOWN_CODE)
    world.breaks(world.sell(world.packs[2]), V.UNKNOWN_CODE)


@example("S1 V", V.RECALLED)
def test_s1_v_a_batch_of_scans_is_judged_like_single_ones(world: World) -> None:
    lots = [LOT_NUMBER, OTHER_LOT] * 4
    for pack, lot in zip(world.packs, lots, strict=False):
        world.keep(world.commission(pack, lot=lot), world.ship(pack), world.bond_in(pack))
    world.register(opened())
    orders = [world.order(pack, po=f"b{at}", yuan="10") for at, pack in enumerate(world.packs[:8])]
    receipt = world.ledger.append(orders)
    assert [(v.index - receipt.first, v.code) for v in receipt.violations] == [(at, V.RECALLED) for at in (0, 2, 4, 6)]
    both = world.order(*world.packs[:2], po="both", yuan="10")
    world.breaks(evolve(both, epcs=(world.packs[0],)), V.RECALLED)


def test_a_record_and_a_sale_in_one_statement_are_judged_in_their_order(world: World) -> None:
    world.bring(world.packs[0], Custody.CLEARED)
    sale = world.sell(world.packs[0])
    receipt = world.ledger.append([world.record(opened()), sale])
    assert [(v.index, v.code) for v in receipt.violations] == [(receipt.first + 1, V.RECALLED)]
    receipt = world.ledger.append([sale, world.record(closed()), sale])
    assert [(v.index, v.code) for v in receipt.violations] == [(receipt.first, V.RECALLED)]


@example("S0: under bond", V.RECALLED, V.NOT_UNDER_BOND)
def test_s0_a_covered_pack_is_no_sound_one_under_another_label(world: World) -> None:
    world.bring(world.packs[0], Custody.REWORK)
    world.register(opened())
    event = world.relabel(world.packs[:1], world.packs[1:2])
    world.breaks(event, of={world.packs[0]: [V.RECALLED], world.packs[1]: [V.NOT_UNDER_BOND]})


# ---- which acts ------------------------------------------------------------------------------------


def anything(world: World, pack: str, new: str) -> list[Event]:
    """An event for each act."""
    one: list[Callable[..., Event]] = [
        world.commission, world.ship, world.bond_in, world.stocktake, world.order, world.pay, world.cancel,
        world.clear, world.sell, world.sell_part, world.transfer, world.deliver, world.pickup, world.deliver_part,
        world.apply_return, world.return_in, world.conform, world.reject, world.release, world.export,
        world.export_return, world.repair, world.hold, world.recall, world.steal, world.destroy,
    ]  # fmt: skip
    return [*(make(pack) for make in one), world.relabel([pack], [new]), world.kit([pack], [new])]


def test_a_covered_pack_is_refused_just_what_a_flagged_one_is(world: World) -> None:
    live = [custody for custody in Custody if custody not in (Custody.NONE, Custody.DEAD)]
    packs = [world.bring(pack, custody) for pack, custody in zip(world.packs, live, strict=False)]
    held = world.packs[4]
    world.keep(world.hold(held))
    new = EYE_DROPS + "/21/new"
    world.register(opened(OF_LOT | OfProduct(NMPA_PRODUCT)))

    def found() -> list[list[tuple[str, str]]]:
        with world.ledger.snapshot() as view:
            standing = standing_of(view)
            verdicts = [
                check(view, event, world.clock.now, standing=standing)
                for pack in packs
                for event in anything(world, pack, new)
            ]
        return [sorted((subject, one.name) for subject, one in verdict.findings) for verdict in verdicts]

    covered = found()
    world.register(closed())
    free = found()
    world.keep(*(world.recall(pack) for pack in packs))
    assert covered == found()
    assert sum("RECALLED" in dict(map(reversed, one)) for one in covered) > 40  # type: ignore[arg-type]  # of pairs
    assert not any("RECALLED" in dict(map(reversed, one)) for one in free)  # type: ignore[arg-type]  # likewise


def test_the_judge_sees_every_guarded_act() -> None:
    acts = [act for act in Act if act not in (Act.SEE, Act.END)]  # of what is no pack
    guarded = {act for act in acts if any(would_refuse(act, custody) for custody in Custody)}
    assert guarded == {act for act in Act if GUARDED[act]}
    assert all(JUDGED[act] for act in guarded)
    assert not would_refuse(Act.SHIP, Custody.ACTIVE)
    assert would_refuse(Act.SHIP, Custody.STORE)
    assert not would_refuse(Act.RELEASE, Custody.RETURNED | Flag.HELD)
    assert would_refuse(Act.RELEASE, Custody.RETURNED)


# ---- which packs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criterion", "caught"),
    [
        (OF_LOT, True),
        (Lot(EYE_DROPS, OTHER_LOT), False),
        (Lot(NMPA_PRODUCT, LOT_NUMBER), False),
        (OfProduct(EYE_DROPS), True),
        (OfProduct(NMPA_PRODUCT), False),
        (ByMaker("Example Pharma"), True),
        (ByMaker("417/9521234000037"), True),
        (ByMaker("Other Pharma"), False),
        (ByMerchant(PHARMACY), True),
        (ByMerchant("other"), False),
        (ThroughPlace(PLANT), False),
        (Commissioned(0, 1 << 62), False),
        (SharedContainer("00/095212340000000013"), False),
        (OF_LOT & ThroughPlace(PLANT), False),
        (OF_LOT | ThroughPlace(PLANT), True),
        (OF_LOT & ~ThroughPlace(PLANT), False),
        (~OfProduct(NMPA_PRODUCT), True),
        (~Lot(EYE_DROPS, OTHER_LOT) & ByMerchant(PHARMACY), True),
    ],
)
def test_only_what_is_known_for_certain_refuses(tmp_path: Path, criterion: Criterion, caught: bool) -> None:
    registered = [product(maker_id="417/9521234000037") if one == product() else one for one in REGISTERED]
    for world in living(tmp_path, registered=registered):
        world.bring(world.packs[0], Custody.CLEARED)
        world.register(opened(criterion))
        if caught:
            world.breaks(world.sell(world.packs[0]), V.RECALLED)
        else:
            world.keep(world.sell(world.packs[0]))


def test_listed_codes_are_caught_and_others_are_not(world: World) -> None:
    for pack in world.packs[:2]:
        world.bring(pack, Custody.CLEARED)
    never = EYE_DROPS + "/21/never"
    world.register(opened(Codes((world.packs[0], never))))
    world.breaks(world.sell(world.packs[0]), V.RECALLED)
    world.breaks(world.sell(never), V.RECALLED, V.UNKNOWN_CODE)
    world.keep(world.sell(world.packs[1]))


def test_the_register_decides_as_it_is_at_the_sale(world: World) -> None:
    for pack in world.packs[:2]:
        world.bring(pack, Custody.CLEARED)
    world.register(opened(ByMaker("Other Pharma")))
    world.keep(world.sell(world.packs[0]))
    world.register(product(maker="Other Pharma"))
    world.breaks(world.sell(world.packs[1]), V.RECALLED)


truths = st.sampled_from([True, False, None])
WORLDS = {True: OfProduct(EYE_DROPS), False: OfProduct(NMPA_PRODUCT), None: Measured("temperature", above=Decimal(8))}


def _values(criterion: Criterion) -> tuple[bool, bool]:
    """What the criterion may be when everything unknown is false, and when everything unknown is true, of formulas in
    which the unknown stands once."""
    found = []
    for unknown in (False, True):

        def value(one: Criterion, unknown: bool = unknown) -> bool:
            match one:
                case AllOf():
                    return all(value(part) for part in one.parts)
                case AnyOf():
                    return any(value(part) for part in one.parts)
                case Not():
                    return not value(one.part)
                case OfProduct():
                    return one.product == EYE_DROPS
            return unknown

        found.append(value(criterion))
    return found[0], found[1]


formulas = st.recursive(
    truths.map(WORLDS.__getitem__),
    lambda parts: st.one_of(
        st.tuples(parts, parts).map(lambda pair: pair[0] & pair[1]),
        st.tuples(parts, parts).map(lambda pair: pair[0] | pair[1]),
        parts.map(lambda part: ~part),
    ),
    max_leaves=6,
)


@given(formulas)
def test_what_is_said_of_a_criterion_holds_however_the_unknown_turns_out(criterion: Criterion) -> None:
    met = meets(criterion, Known(EYE_DROPS, product()))
    if met is not None:
        assert _values(criterion) == (met, met)


def test_a_pack_under_another_spelling_is_of_no_known_product() -> None:
    for criterion in (OF_LOT, ~OF_LOT, OfProduct(EYE_DROPS), ByMaker("M"), ByMerchant("m")):
        assert meets(criterion, Known(None, None, 5, "urn:epc:id:sgtin:9521234.000107.A")) is None


# ---- in every process, replayed and rebuilt --------------------------------------------------------


def test_a_fresh_process_a_rebuilt_index_a_replay_and_a_check_know_it_alike(world: World) -> None:
    one, two = world.bring(world.packs[0], Custody.CLEARED), world.bring(world.packs[1], Custody.CLEARED)
    first = world.register(opened(name="R-1")).first
    second = world.register(opened(Codes((two,)), name="R-2")).first
    world.register(opened(OfProduct(NMPA_PRODUCT), name="R-3"), told("R-1"), closed("R-2"))
    expected = ["R-1", "R-3"]

    def know(standing: Standing) -> None:
        assert list(standing.recalls) == expected
        assert standing.opened == {"R-1": first, "R-3": second + 2}
        assert standing.recalls["R-1"] == opened(name="R-1")

    def rebuild() -> None:
        world.ledger.reindex()

    ways: tuple[Callable[[], None], ...] = (lambda: None, world.reopen, rebuild, world.reopen)
    for again in ways:
        again()
        world.breaks(world.sell(one), V.RECALLED)
        assert refused(world, world.sell(one)) == {"RECALLED"}
        with world.ledger.snapshot() as view:
            know(standing_of(view))
            know(replay(view).standing)
            memory = MemoryView.of(view)
            know(standing_of(memory))
            assert list(standing_of(view, as_of=world.clock.now - 3_600_000).recalls) == []
            found = check(view, world.sell(one), world.clock.now).findings
            assert check(memory, world.sell(one), world.clock.now).findings == found
            assert [(finding.name, finding.entry) for _, finding in found] == [("RECALLED", first)]
            assert verify_rules(view)
    world.register(closed("R-3"), closed("R-1"))
    expected = []
    with world.ledger.snapshot() as view:
        assert standing_of(view).recalls == {}
        assert replay(view).standing.opened == {}
    world.reopen()
    world.keep(world.sell(one))


def test_another_writer_closes_it_and_this_one_knows(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.register(opened())
    world.breaks(world.sell(pack), V.RECALLED)
    world.ledger.close()
    other: Ledger = open_ledger(world.path, keys=world.keys, clock=world.clock)
    with other:
        other.append([closed().record(1)])
    world.reopen()
    world.keep(world.sell(pack))


def test_a_row_that_leaves_the_recall_out_is_found_by_a_replay(world: World) -> None:
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.register(opened())
    world.ledger.append([world.sell(pack)])
    with world.ledger.snapshot() as view:
        index = view.size - 1
        (row,) = decode_rows((view.rows(index) or b"")[SALT_SIZE:])[1]
        assert (row.violations, row.state & CUSTODY_MASK) == ((V.RECALLED,), Custody.CLEARED)
        state = replay(view)
        assert (index, pack, (int(V.RECALLED),)) in state.violations


def test_a_sale_under_an_open_recall_may_not_be_counted_on_after_it_closed(world: World) -> None:
    """What was refused while it was open stays refused: the log is judged in its order."""
    pack = world.bring(world.packs[0], Custody.CLEARED)
    world.register(opened())
    world.breaks(world.sell(pack), V.RECALLED)
    world.register(closed())
    assert world.custody(pack) == Custody.CLEARED
    world.keep(world.sell(pack))


def test_without_a_profile_a_recall_is_a_record_like_others(tmp_path: Path) -> None:
    plain = [one for one in REGISTERED if not isinstance(one, Profile)]
    for world in living(tmp_path, registered=plain):
        world.register(opened(OfProduct(EYE_DROPS)))
        assert world.ledger.append([world.commission(world.packs[0])]).violations == ()
        assert world.ledger.append([world.sell(world.packs[0])]).violations == ()
        world.register(profile())
        world.breaks(world.sell(world.packs[0]), V.RECALLED, V.SOLD_BEFORE_CLEARANCE)


# ---- steps that cannot follow ----------------------------------------------------------------------


def test_a_recall_is_opened_first_and_once_and_ends_when_it_is_closed(world: World) -> None:
    for step in (told(), closed()):
        with pytest.raises(InputError, match="its first step is"):
            world.ledger.append([step.record()])
    world.ledger.append([opened().record()])
    with pytest.raises(InputError, match="opened before"):
        world.ledger.append([opened(OfProduct(EYE_DROPS)).record(1)])
    world.ledger.append([told().record(1), closed().record(2)])
    for step in (opened(), told(), closed()):
        with pytest.raises(InputError, match="was closed in entry"):
            world.ledger.append([step.record(3)])
    scratch = world.ledger.append([opened(name="R-2").record()], strict=True)
    assert scratch.violations == ()


def test_a_step_that_cannot_follow_changes_nothing_in_a_standing() -> None:
    standing = Standing()
    standing.take(3, opened().record())
    tried = Standing(base=standing)
    tried.take(4, closed().record(1))
    assert (tried.recalls, tried.opened) == ({}, {})
    assert (list(standing.recalls), standing.opened) == (["R-1"], {"R-1": 3})
    with pytest.raises(InputError):
        standing.take(5, opened().record(1))
    assert standing.opened == {"R-1": 3}
