"""The registers over a View: now, as of a day, version by version; what may be published; what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pilot_world import (
    EYE_DROPS,
    NMPA_PRODUCT,
    PHARMACY,
    REGISTERED,
    World,
    living,
    merchant,
    product,
    profile,
    readmission,
    resumption,
    scope,
    stop,
    suspension,
)
from tracechain.custody import Custody
from tracechain.entry import SALT_SIZE, parse_header
from tracechain.errors import InputError
from tracechain.pilot import (
    history,
    listing,
    lookup,
    next_record,
    next_records,
    published,
    shown,
    standing_of,
)
from tracechain.pilot.register import CHAINS
from tracechain.record import Record
from tracechain.registers import CaseStep, Product, Shield, Suspension
from tracechain.replay import MemoryView, replay
from tracechain.rules import Registered, Standing
from tracechain.view import View

DAY = date(2026, 11, 20)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from living(tmp_path)


def shield(version: int) -> Shield:
    return Shield(
        product=EYE_DROPS, version=version, authority="Leading group", reference="2026-7", reason="Untrue", on=DAY
    )


def case_step(phase: str = "opened", name: str = "C-1") -> CaseStep:
    return CaseStep(id=name, type="complaint", phase=phase, on=DAY, by="Desk", text="A seal was broken", about=())


def told(standing: Standing, kind: str, name: str) -> Registered:
    found = standing.find(kind, name)
    assert found is not None
    return found


# ---- View.subjects ---------------------------------------------------------------------------------


@given(st.sampled_from(["", "0", "01/", "urn:", "urn:tracechain:place:", "x", "\U0010ffff", "01/09521234001072/21/"]))
def test_subjects_are_those_with_the_prefix_in_order(prefix: str) -> None:
    ids = ("01/09521234001072/21/A", "01/09521234001072/21/B", "urn:a", "urn:tracechain:place:x", "urn:被", "nmpa/8")
    from tracechain.view import Unit

    view = MemoryView({}, {}, {}, "", 0, {one: Unit(0, 1) for one in reversed(ids)})
    assert [s for s, _ in view.subjects(prefix)] == sorted(one for one in ids if one.startswith(prefix))
    assert list(view.subjects("")) == list(view.units())


def test_a_snapshot_and_a_memory_view_find_the_same_subjects(world: World) -> None:
    for pack in world.packs[:4]:
        world.bring(pack, Custody.ACTIVE)
    with world.ledger.snapshot() as view:
        copy = MemoryView.of(view)
        every = [s for s, _ in view.units()]
        cuts = {one[:n] for one in every for n in (0, 1, 3, len(one) - 1, len(one))} | {
            "zzz",
            "\U0010ffff",
            every[-1] + "x",
        }
        for prefix in sorted(cuts):
            found = list(view.subjects(prefix))
            assert found == list(copy.subjects(prefix))
            assert [s for s, _ in found] == [s for s in every if s.startswith(prefix)]


# ---- the standing ----------------------------------------------------------------------------------


def test_the_standing_read_from_chains_is_that_of_a_replay(world: World) -> None:
    world.register(suspension(), stop("product", EYE_DROPS), product(model="0.2 %"), shield(0), profile(undo_days=3))
    with world.ledger.snapshot() as view:
        state = replay(view)
        standing = standing_of(view)
        assert standing.profile == state.standing.profile
        for subject, found in state.standing.known().items():
            assert standing.at(subject) == found
        assert standing.at("urn:tracechain:product:01/00000000000000") is None


def test_the_standing_as_of_a_day_is_that_of_the_log_cut_there(world: World) -> None:
    moments = [world.clock.now]
    for one in (suspension(), readmission(), product(model="0.2 %"), profile(undo_days=3), stop("merchant", PHARMACY)):
        world.clock.advance(60_000)
        world.register(one)
        moments.append(world.clock.now)
    with world.ledger.snapshot() as view:
        for moment in moments:
            size = sum(parse_header(header).time <= moment for _, header in view.headers(0, view.size))
            state = replay(view, stop=size)
            standing = standing_of(view, as_of=moment)
            assert standing.profile == state.standing.profile
            for subject, found in state.standing.known().items():
                assert standing.at(subject) == found
        before = standing_of(view, as_of=moments[0] - 1)
        assert before.profile is None
        assert before.find("merchant", PHARMACY) is None


def test_the_latest_profile_is_in_force_whatever_its_name(world: World) -> None:
    world.register(evolve(profile(undo_days=1), name="a-pilot-of-our-own"))
    with world.ledger.snapshot() as view:
        assert standing_of(view).profile == evolve(profile(undo_days=1), name="a-pilot-of-our-own")
    world.register(profile(undo_days=2))
    with world.ledger.snapshot() as view:
        assert standing_of(view).profile == profile(undo_days=2)


def test_a_ledger_without_registers_has_an_empty_standing(tmp_path: Path) -> None:
    world = World(tmp_path, ())
    with world.ledger.snapshot() as view:
        assert standing_of(view).profile is None
        assert lookup(view, "product", EYE_DROPS) is None
        assert history(view, "product", EYE_DROPS) == ()
        assert list(listing(view, "product")) == []
        assert published(view, EYE_DROPS) == ()
    world.close()


# ---- lookup, history, listing ----------------------------------------------------------------------


def test_what_the_register_said_on_that_day(world: World) -> None:
    first = world.clock.now
    world.clock.advance(60_000)
    world.register(product(model="0.2 %"))
    second = world.clock.now
    with world.ledger.snapshot() as view:
        assert lookup(view, "product", EYE_DROPS, first - 1) is None
        before, after = lookup(view, "product", EYE_DROPS, first), lookup(view, "product", EYE_DROPS)
        assert before is not None
        assert after is not None
        assert (before.value.model, before.version) == ("0.1 %", 0)
        assert (after.value.model, after.version) == ("0.2 %", 1)
        assert lookup(view, "product", EYE_DROPS, second - 1) == before
        assert lookup(view, "product", EYE_DROPS, second) == after


def test_the_history_names_entry_time_and_author(world: World) -> None:
    world.clock.advance(60_000)
    receipt = world.register(suspension())
    with world.ledger.snapshot() as view:
        one, two = history(view, "merchant", PHARMACY)
        assert (one.value, two.value) == (merchant(), suspension())
        assert two.index == receipt.first
        assert two.time == world.clock.now
        assert {one.author, two.author} == {world.keys.author.public_key.hash[:8]}
        assert (one.after.suspended, two.after.suspended) == (None, two.index)
        assert history(view, "merchant", PHARMACY, two.time - 1) == (one,)


def test_what_is_no_record_of_a_register_is_left_out(world: World) -> None:
    """An event may name a register's subject, and so may a note: they are entries of its chain, no versions."""
    subject = merchant().subject
    world.ledger.append([Record("note", "a remark", subject)])
    world.keep(evolve(world.stocktake("urn:example:pallet"), epcs=(subject,)))
    world.register(suspension())
    with world.ledger.snapshot() as view:
        assert [one.value for one in history(view, "merchant", PHARMACY)] == [merchant(), suspension()]
        assert told(standing_of(view), "merchant", PHARMACY) == lookup(view, "merchant", PHARMACY)


def test_the_listing_is_of_one_kind_in_order(world: World) -> None:
    with world.ledger.snapshot() as view:
        for kind in CHAINS:
            expected = sorted((one for one in REGISTERED if kind == one.KIND), key=lambda one: one.subject)
            found = list(listing(view, kind))
            assert [registered.value for _, registered in found] == expected
            assert [f"urn:tracechain:{kind}:{name}" for name, _ in found] == [one.subject for one in expected]
        assert list(listing(view, "product", 0)) == []


@pytest.mark.parametrize("kind", ["merchants", "merchant-suspended", "service-stopped", "", "key"])
def test_what_is_no_kind_of_subject_is_refused(world: World, kind: str) -> None:
    with world.ledger.snapshot() as view:
        with pytest.raises(InputError, match="there are product, merchant"):
            lookup(view, kind, "x")
        with pytest.raises(InputError, match="no kind of register subject"):
            list(listing(view, kind))


# ---- what may be published -------------------------------------------------------------------------


def version(view: View, at: int) -> Registered:
    found = history(view, "product", EYE_DROPS)[at].after
    assert isinstance(found.value, Product)
    return found


def test_what_is_published_is_the_file_with_its_digest(world: World) -> None:
    with world.ledger.snapshot() as view:
        one = version(view, 0)
        seen = shown(one)
        part = view.content(one.index)
        assert part is not None
        assert seen["digest"] == sha256(part[SALT_SIZE:]).hexdigest()
        assert (seen["id"], seen["version"], seen["entry"]) == (EYE_DROPS, 0, one.index)
        assert {"id": EYE_DROPS, **seen["information"]} == product().mapping()
        assert "shielded" not in seen


def test_of_a_shielded_version_the_digest_stays_alone(world: World) -> None:
    with world.ledger.snapshot() as view:
        before = shown(version(view, 0))
    world.register(shield(0))
    with world.ledger.snapshot() as view:
        found = lookup(view, "product", EYE_DROPS)
        assert found is not None
        after = shown(found, shield(0))
        assert after["digest"] == before["digest"]
        assert after["shielded"] == {
            "authority": "Leading group", "reference": "2026-7", "reason": "Untrue", "on": "2026-11-20"
        }  # fmt: skip
        assert shown(found)["shielded"] is True
        for hidden in ("Dry eyes", "滴眼液", "Example Pharma"):
            assert hidden in str(before)
            assert hidden not in str(after)


def test_each_published_version_is_kept_and_shown(world: World) -> None:
    world.register(product(model="0.2 %"), product(model="0.3 %"), shield(1))
    with world.ledger.snapshot() as view:
        seen = published(view, EYE_DROPS)
        assert [one["version"] for one in seen] == [0, 1, 2]
        assert [one.get("information", {}).get("model") for one in seen] == ["0.1 %", None, "0.3 %"]
        assert "shielded" in seen[1]
        assert len({one["digest"] for one in seen}) == 3
        assert all(one["recorded"] == world.clock.now for one in seen)


def test_only_products_are_published(world: World) -> None:
    with world.ledger.snapshot() as view:
        found = lookup(view, "merchant", PHARMACY)
        assert found is not None
        with pytest.raises(InputError, match="only product information"):
            shown(found)


# ---- what comes next -------------------------------------------------------------------------------


def test_the_next_record_is_the_one_that_can_follow(world: World) -> None:
    for value in (product(model="0.2 %"), suspension(), scope(EYE_DROPS, edition="2"), case_step(), shield(1)):
        with world.ledger.snapshot() as view:
            record = next_record(view, value)
        world.ledger.append([record])
        with world.ledger.snapshot() as view:
            chain, _, name = value.subject.removeprefix("urn:tracechain:").partition(":")
            assert history(view, chain, name)[-1].value == value
    with world.ledger.snapshot() as view:
        assert told(standing_of(view), "product", EYE_DROPS).version == 1


def test_records_to_append_together_count_on(world: World) -> None:
    with world.ledger.snapshot() as view:
        records = next_records(
            view, [product(model="1"), product(model="2"), product(NMPA_PRODUCT), case_step(), case_step("handled")]
        )
    assert [record.version for record in records] == [1, 2, 1, 0, 1]
    world.ledger.append(records)
    with world.ledger.snapshot() as view:
        assert told(standing_of(view), "case", "C-1").versions == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((suspension(), suspension()), "it is suspended since entry"),
        ((readmission(),), "it is not suspended"),
        ((resumption("product", EYE_DROPS),), "its service is not stopped"),
        ((stop("merchant", PHARMACY), stop("merchant", PHARMACY)), "its service is stopped since entry"),
        ((shield(1),), "there is no version 1"),
        ((case_step("closed"),), "open it first"),
        ((case_step(), case_step()), "it was opened before"),
        ((suspension("urn:example:stranger"),), "it is not registered"),
    ],
)
def test_what_cannot_follow_is_refused_with_the_reason(
    world: World, values: tuple[Suspension, ...], message: str
) -> None:
    with world.ledger.snapshot() as view, pytest.raises(InputError, match=message):
        next_records(view, values)
