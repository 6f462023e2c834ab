"""Excerpts: what belongs to one, that a sound one is found sound, and that what it shows is what the ledger says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from excerpt_samples import (
    ABSENT,
    CASE,
    KEYS,
    MERCHANT,
    NEW,
    NOW,
    PACKS,
    PALLET,
    VERIFIER,
    Maker,
    make_ledger,
    sealed,
)
from person_samples import ANNA, Shop
from pilot_world import EYE_DROPS, World
from recall_samples import opened, told
from tracechain.bundle.entryfile import EntryFile
from tracechain.bundle.excerpt import Private, SealProofs, export_absence, export_excerpt
from tracechain.bundle.judging import Judged, check_excerpt
from tracechain.bundle.reading import open_excerpt
from tracechain.bundle.select import (
    select_lot,
    select_merchant,
    select_period,
    select_recall,
    select_units,
)
from tracechain.bundle.view import open_whole
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import NoteSigner, cosign, parse_checkpoint, parse_note
from tracechain.entry import EntryType, decode_rows
from tracechain.errors import DataError, DecodeError, InputError
from tracechain.ledger import Ledger
from tracechain.ledger.seals import prover
from tracechain.record import key_subject
from tracechain.registers import RecallStep, subject_of
from tracechain.replay import MemoryView
from tracechain.retention.ranges import of_indices
from tracechain.seals import SEAL_SUBJECT
from tracechain.testing import new_ledger
from tracechain.testing.samples import commission, observe, pack_ids
from tracechain.testing.standins import START
from tracechain.tracing import Tracer
from tracechain.verification import Code
from tracechain.view import View, unit_history
from tracechain.witnessing import WitnessPolicy
from tracing_histories import Player, random_history


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[Maker]:
    ledger, _ = make_ledger(tmp_path / "ledger")
    with ledger:
        yield Maker(ledger, tmp_path)


def here(path: Path) -> set[int]:
    with open_excerpt(path) as view:
        return set(view.indices)


def chain(view: View, subject: str) -> set[int]:
    return set(unit_history(view, subject))


# ---- what belongs to it ----------------------------------------------------------------------------


def test_an_excerpt_of_a_unit_has_all_that_tells_of_it_and_all_that_this_rests_on(maker: Maker) -> None:
    made = maker.units(PACKS[0])
    with maker.ledger.snapshot() as view:
        histories = set().union(*(chain(view, one) for one in (PACKS[0], CASE, PALLET)))
        kinds = {index: (view.header(index) or b"")[4] for index in range(view.size)}
        covered = {index for index in histories if kinds[index] == EntryType.EVENT}
        statements = {max(at for at in range(index) if kinds[at] == EntryType.STATEMENT) for index in covered}
        keys = {
            index
            for author in (KEYS.author, KEYS.station)
            for index in chain(view, key_subject(author.public_key.hash))
        }
        seal = unit_history(view, SEAL_SUBJECT)[-1]
    assert set(made.histories) == {PACKS[0], CASE, PALLET}
    assert here(made.path) == {0, seal, seal - 1} | histories | statements | keys
    assert (made.seal_entry, made.sealed, made.unsealed, made.unresolved) == (seal, 3, (), ())


def test_what_a_code_was_made_of_and_into_comes_with_it_with_the_containers_of_all(maker: Maker) -> None:
    for code in (PACKS[3], NEW):
        assert set(maker.units(code).histories) == {PACKS[3], NEW, CASE, PALLET}


def test_a_lot_is_its_packs_and_what_was_made_of_them(maker: Maker) -> None:
    with maker.ledger.snapshot() as view:
        made = maker.of(view, select_lot(view, EYE_DROPS, "LOT-A7"))
        with pytest.raises(InputError, match="LOT-X"):
            select_lot(view, EYE_DROPS, "LOT-X")
    assert set(made.histories) == {*PACKS, NEW, CASE, PALLET}
    assert check_excerpt(made.path, verifier=VERIFIER)


def test_a_merchant_is_the_packs_in_what_went_to_it(maker: Maker) -> None:
    with maker.ledger.snapshot() as view:
        selection = select_merchant(view, MERCHANT)
        with pytest.raises(InputError, match="nobody"):
            select_merchant(view, "urn:example:nobody")
    # The event names the pallet alone; the case was on it, and the packs were in that.
    assert selection.chosen == {*PACKS, PALLET}
    assert selection.subjects == {*PACKS, NEW, CASE, PALLET}


def test_a_period_is_all_that_was_received_then_with_a_neighbour_on_each_side(maker: Maker) -> None:
    with maker.ledger.snapshot() as view:
        times = [int.from_bytes((view.header(index) or b"")[8:16], "big") for index in range(view.size)]
        start = stop = times[view.size // 2]
        made = maker.of(view, select_period(view, start, stop))
    within = {index for index, time in enumerate(times) if start <= time <= stop}
    assert here(made.path) >= within | {min(within) - 1, max(within) + 1}
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert report, report.findings
    assert report.shown is not None
    assert made.histories == ()


def test_a_period_in_which_nothing_came_is_shown_by_its_neighbours(maker: Maker) -> None:
    with maker.ledger.snapshot() as view:
        times = [int.from_bytes((view.header(index) or b"")[8:16], "big") for index in range(view.size)]
        gap = max(range(1, view.size), key=lambda index: times[index] - times[index - 1])
        selection = select_period(view, times[gap - 1] + 1, times[gap] - 1)
    assert selection.entries == ((gap - 1, gap + 1),)


def test_a_recall_is_its_records_and_the_packs_it_is_about(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.keep(world.commission(*world.packs[:3]))
    world.keep(world.commission(world.packs[4], lot="LOT-B"))
    world.register(opened())
    world.register(told())
    world.ledger.seals.make()
    with world.ledger.snapshot() as view:
        selection = select_recall(view, "R-1")
        with pytest.raises(InputError, match="R-2"):
            select_recall(view, "R-2")
        made = export_excerpt(
            view, tmp_path / "recall", selection, exported_ms=NOW, seal=SealProofs(*prover(view))
        )  # fmt: skip
    assert selection.chosen == {*world.packs[:3], subject_of(RecallStep.KIND, "R-1")}
    report = check_excerpt(made.path, verifier=world.ledger.verifier)
    assert report, report.findings
    world.close()


def test_a_code_that_nobody_knows_has_no_history_to_show(maker: Maker) -> None:
    with maker.ledger.snapshot() as view, pytest.raises(InputError, match="BJ000999"):
        select_units(view, [PACKS[0], ABSENT])


def test_selections_add_up(maker: Maker) -> None:
    with maker.ledger.snapshot() as view:
        unit, period = select_units(view, PACKS[:1]), select_period(view, START, START)
    both = unit | period
    assert (both.chosen, both.subjects, both.entries) == (unit.chosen, unit.subjects, period.entries)
    assert both.asked == (*unit.asked, *period.asked)


# ---- that it is found sound ----------------------------------------------------------------------------


def test_a_sound_excerpt_is_clean_in_a_folder_and_in_a_zip(maker: Maker) -> None:
    for name in ("out", "out.zip"):
        made = maker.units(PACKS[0], PACKS[2], name=name)
        report = check_excerpt(made.path, verifier=VERIFIER, now=NOW)
        assert report, report.findings
        assert report.exit_code == 0
        assert (report.kind, report.entries, report.size) == ("excerpt", made.entries, 32)
        shown = report.shown
        assert shown is not None
        assert {one.subject for one in shown.histories} >= {PACKS[0], PACKS[2], CASE, PALLET}
        assert shown.incomplete == ()
        assert shown.seal is not None
        assert shown.seal.index == made.seal_entry


def test_the_same_excerpt_twice_has_the_same_bytes(maker: Maker) -> None:
    one, other = (maker.units(PACKS[0], name=f"{name}.zip").path for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


def test_histories_end_at_the_seal_and_say_what_came_behind_it(maker: Maker) -> None:
    report = check_excerpt(maker.units(PACKS[1], PACKS[2]).path, verifier=VERIFIER)
    assert report.shown is not None
    found = {one.subject: one for one in report.shown.histories}
    with maker.ledger.snapshot() as view:
        history = unit_history(view, PACKS[1])
        unit = view.unit(PACKS[2])
    assert found[PACKS[1]].entries == tuple(history[:-2])
    assert (found[PACKS[1]].behind, found[PACKS[2]].behind) == (2, 0)
    assert unit is not None
    assert (found[PACKS[2]].entries[-1], found[PACKS[2]].state) == (unit.last, unit.state)
    assert any("behind the seal" in note for note in report.notes)


def test_what_came_after_the_seal_is_shown_and_not_called_complete(maker: Maker) -> None:
    late = pack_ids(1, start=5000)[0]
    maker.ledger.append([commission((late,))])
    made = maker.units(late)
    assert (made.unsealed, made.sealed) == ((late,), 0)
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert report, report.findings
    assert report.shown is not None
    assert late not in {one.subject for one in report.shown.histories}


def test_without_a_seal_it_says_that_nothing_shows_a_history_to_be_complete(maker: Maker) -> None:
    made = maker.units(PACKS[0], seal=False)
    assert (made.seal, set(made.unsealed)) == (None, {PACKS[0], CASE, PALLET})
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert report, report.findings
    assert report.shown is not None
    assert report.shown.histories == ()
    assert any("no seal" in note for note in report.notes)


def test_without_a_key_it_is_not_called_authentic(maker: Maker) -> None:
    report = check_excerpt(maker.units(PACKS[0]).path)
    assert report.clean
    assert not report
    assert report.exit_code == 1


def test_a_bundle_can_be_made_from_any_view_of_the_log(maker: Maker, tmp_path: Path) -> None:
    with maker.ledger.snapshot() as view:
        export_whole(view, tmp_path / "whole", exported_ms=NOW)
        copy = MemoryView.of(view)
    live = maker.units(PACKS[0])
    with open_whole(tmp_path / "whole") as bundle:
        whole = bundle.replayed()
        others: tuple[View, ...] = (copy, whole)
        for number, other in enumerate(others):
            again = export_excerpt(
                other, tmp_path / f"again-{number}", select_units(other, PACKS[:1]), exported_ms=NOW,
                seal=sealed(other),
            )  # fmt: skip
            names = sorted(path.relative_to(live.path) for path in live.path.rglob("*") if path.is_file())
            assert names == sorted(path.relative_to(again.path) for path in again.path.rglob("*") if path.is_file())
            assert all((live.path / name).read_bytes() == (again.path / name).read_bytes() for name in names)


def test_a_name_that_is_taken_is_refused_and_nothing_is_left(maker: Maker) -> None:
    made = maker.units(PACKS[0], name="taken")
    before = sorted(maker.folder.iterdir())
    with pytest.raises(InputError, match="taken"):
        maker.units(PACKS[1], name="taken")
    assert sorted(maker.folder.iterdir()) == before
    assert check_excerpt(made.path, verifier=VERIFIER)


def test_a_damaged_ledger_makes_no_excerpt(maker: Maker) -> None:
    with maker.ledger.snapshot() as view:
        copy = MemoryView.of(view)
        index = unit_history(view, PACKS[0])[0]
    copy.raw_headers[index] = copy.raw_headers[index][:100] + bytes(28)
    with pytest.raises(DataError):
        export_excerpt(copy, maker.path("damaged"), select_units(copy, PACKS[:1]), exported_ms=NOW)
    assert not (maker.folder / "damaged").exists()


# ---- absence -----------------------------------------------------------------------------------------


def test_the_absence_of_codes_is_shown(maker: Maker) -> None:
    codes = ("00/000000000000000000", ABSENT, "zz:z")
    made = maker.absent(*codes, ABSENT)
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert report, report.findings
    assert report.kind == "absence"
    assert report.shown is not None
    assert report.shown.absent == codes == made.absent
    assert here(made.path) <= {0, 1, 27, 28}, "no more than the seal rests on"


def test_the_absence_of_what_is_there_is_refused(maker: Maker) -> None:
    late = pack_ids(1, start=5000)[0]
    maker.ledger.append([commission((late,))])
    for code in (PACKS[0], late):
        with pytest.raises(InputError, match="is in the ledger"):
            maker.absent(code)


def test_without_a_seal_absence_cannot_be_shown(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger", keys=KEYS) as ledger, ledger.snapshot() as view:
        with pytest.raises(InputError, match="seal"):
            export_absence(view, tmp_path / "out", [ABSENT], exported_ms=NOW, seal=None)
        with pytest.raises(InputError, match="none was given"):
            export_absence(view, tmp_path / "out", [], exported_ms=NOW, seal=None)


# ---- older checkpoints, witnesses, auditors, private values --------------------------------------------------


def test_an_older_checkpoint_that_was_asked_for_is_extended(maker: Maker, tmp_path: Path) -> None:
    old = maker.ledger.checkpoint()
    maker.ledger.append([observe(PACKS[:1])])
    kept = parse_checkpoint(parse_note(old).text)
    with_proof, without = maker.units(PACKS[0], since=[kept]), maker.units(PACKS[0])
    report = check_excerpt(with_proof.path, verifier=VERIFIER, since=old)
    assert report, report.findings
    assert report.shown is not None
    assert report.shown.extends == kept.size
    assert check_excerpt(without.path, verifier=VERIFIER, since=old).codes == (Code.CONSISTENCY,)
    assert check_excerpt(with_proof.path, verifier=VERIFIER, since=maker.ledger.checkpoint())
    with pytest.raises(InputError, match="none of this log"):
        maker.units(PACKS[0], since=[evolve(kept, root=bytes(32))])


def test_a_log_behind_the_checkpoint_that_was_kept_was_rolled_back(maker: Maker) -> None:
    made = maker.units(PACKS[0])
    maker.ledger.append([observe(PACKS[:1])])
    report = check_excerpt(made.path, verifier=VERIFIER, since=maker.ledger.checkpoint())
    assert report.codes == (Code.ROLLBACK,)


def test_witnesses_say_between_which_times_entries_came(maker: Maker) -> None:
    witness = NoteSigner("witness.example/w", KEYS.named("witness"))
    old = maker.ledger.checkpoint()
    line = cosign(old, witness.name, witness.signer, START // 1000 + 86_400)
    maker.ledger.append([observe(PACKS[:1])])
    with maker.ledger.snapshot() as view:
        copy = MemoryView.of(view)
    note = old + line
    copy.witnessed = lambda: iter([(parse_checkpoint(parse_note(old).text).size, note)])  # type: ignore[method-assign]  # as a ledger that was given it
    made = maker.of(copy, select_units(copy, PACKS[:1]), seal=False)
    assert made.witnessed == 1
    policy = WitnessPolicy.of([witness.cosigner], 1)
    report = check_excerpt(made.path, verifier=VERIFIER, witnesses=policy)
    assert report, report.findings
    assert report.witnessed is not None
    assert [one.size for one in report.witnessed.notes] == [32]
    stranger = WitnessPolicy.of([NoteSigner("witness.example/x", KEYS.stranger).cosigner], 1)
    assert check_excerpt(made.path, verifier=VERIFIER, witnesses=stranger).codes == (Code.WITNESS_QUORUM,)
    late = WitnessPolicy.of([witness.cosigner], 1)
    early = old + cosign(old, witness.name, witness.signer, START // 1000 - 86_400)
    copy.witnessed = lambda: iter([(32, early)])  # type: ignore[method-assign]  # likewise
    made = maker.of(copy, select_units(copy, PACKS[:1]), seal=False)
    assert set(check_excerpt(made.path, verifier=VERIFIER, witnesses=late).codes) == {Code.WITNESS_TIME}


def test_an_auditor_who_signed_the_seal_is_named(maker: Maker) -> None:
    auditor = NoteSigner("auditor.example/a", KEYS.stranger)
    maker.ledger.seals.add_note(maker.ledger.seals.cosign(auditor))
    made = maker.units(PACKS[0])
    report = check_excerpt(made.path, verifier=VERIFIER, auditors=[auditor.verifier])
    assert report, report.findings
    assert report.shown is not None
    assert report.shown.auditors == (auditor.verifier,)
    assert not any("own word" in note for note in report.notes)
    assert check_excerpt(made.path, verifier=VERIFIER).shown.auditors == ()  # type: ignore[union-attr]  # it is there


def test_private_values_are_shown_only_by_name_and_on_a_ground(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.know(ANNA, "Anna")
    shop.sell(ANNA, "Anna")
    code = pack_ids(1)[0]
    with shop.ledger.snapshot() as view:
        selection = select_units(view, [code])
        plain = export_excerpt(view, tmp_path / "plain", selection, exported_ms=NOW)
        private = Private(shop.ledger.vault, frozenset(("phone",)), "inspection 7")
        shown = export_excerpt(view, tmp_path / "shown", selection, exported_ms=NOW, private=private)
    assert (plain.disclosures, shown.disclosures, shown.withheld) == (0, 1, 0)
    assert b"Anna0-5550199" not in b"".join(path.read_bytes() for path in plain.path.rglob("*") if path.is_file())
    texts = [path.read_text() for path in (shown.path / "private").iterdir()]
    assert len(texts) == 1
    assert "5550199" in texts[0]
    assert "Xinhua" not in texts[0]
    report = check_excerpt(shown.path, verifier=shop.ledger.verifier)
    assert report, report.findings
    assert report.disclosures == 1
    keys = [commitment for commitment, name, _ in shop.ledger.vault.privates() if name == "phone"]
    assert [one.ground for key in keys for one in shop.ledger.vault.revealed(key)] == ["inspection 7"]
    shop.ledger.close()


# ---- an excerpt as a View --------------------------------------------------------------------------------


def test_what_is_asked_of_a_history_is_answered_as_by_the_ledger(maker: Maker) -> None:
    made = maker.units(PACKS[0], PACKS[3])
    report = check_excerpt(made.path, verifier=VERIFIER)
    with maker.ledger.snapshot() as live, open_excerpt(made.path) as view:
        tracers = Tracer(live, verifier=VERIFIER), Tracer(view, proof=Judged(report))
        for code in (PACKS[0], PACKS[3], NEW, CASE, PALLET):
            asked, told = (tracer.trace(code) for tracer in tracers)
            assert asked == told
            assert asked.steps
            assert tracers[0].whereabouts(code) == tracers[1].whereabouts(code)


def test_what_an_excerpt_cannot_tell_is_never_answered_as_if_it_could(maker: Maker) -> None:
    with open_excerpt(maker.units(PACKS[0]).path) as view:
        for ask in (
            lambda: view.unit(PACKS[1]),  # its first entry is here, as its neighbour's
            lambda: view.unit(ABSENT),
            lambda: view.memory(PACKS[0]),
            lambda: view.spent(bytes(16), 2026),
            lambda: view.words([PACKS[0]]),
            lambda: view.emptied(CASE),
            lambda: list(view.mentions(MERCHANT)),
            lambda: list(view.names("")),
        ):
            with pytest.raises(DataError, match="only the whole log"):
                ask()
        assert PACKS[0] in dict(view.units())
        assert PACKS[1] not in dict(view.units())
    with open_excerpt(maker.absent(ABSENT).path) as view:
        assert view.unit(ABSENT) is None
    with open_excerpt(maker.units(PACKS[0], seal=False).path, take_whole=[PACKS[0]]) as view:
        assert view.unit(PACKS[0]) is not None


def test_a_whole_bundle_is_no_excerpt(maker: Maker, tmp_path: Path) -> None:
    with maker.ledger.snapshot() as view:
        export_whole(view, tmp_path / "whole", exported_ms=NOW)
    for ask in (open_excerpt, check_excerpt):
        with pytest.raises(InputError, match="whole bundle"):
            ask(tmp_path / "whole")


# ---- properties ------------------------------------------------------------------------------------------


@given(st.integers(0, 1 << 30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_excerpts_of_any_history_are_sound_and_tell_what_the_ledger_tells(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("excerpts")
    with new_ledger(folder / "ledger", keys=KEYS) as ledger:
        _play(ledger, rng, seed)
        with ledger.snapshot() as live:
            known = [subject for subject, _ in live.units() if not subject.startswith("urn:tracechain:")]
            codes = rng.sample(known, min(len(known), rng.randint(1, 3)))
            made = export_excerpt(
                live, folder / "out.zip", select_units(live, codes), exported_ms=NOW, seal=SealProofs(*prover(live))
            )
            report = check_excerpt(made.path, verifier=VERIFIER)
            assert report, report.findings
            sealed_ids = {one.subject for one in report.shown.histories} if report.shown else set()
            assert set(codes) - sealed_ids == set(codes) & set(made.unsealed)
            with open_excerpt(made.path, take_whole=made.histories) as view:
                tracers = Tracer(live, verifier=VERIFIER), Tracer(view, proof=Judged(report))
                for code in codes:
                    assert tracers[0].trace(code) == tracers[1].trace(code)
                    assert tracers[0].whereabouts(code) == tracers[1].whereabouts(code)


def _play(ledger: Ledger, rng: random.Random, seed: int) -> None:
    """A random history; sealed somewhere on its way."""
    player = Player()
    commits = random_history(seed, rng.randint(5, 40)).commits
    seal_at = rng.randrange(len(commits))
    for number, commit in enumerate(commits):
        for append in commit.appends:
            contents = player.contents(append)
            if contents:
                ledger.append(contents)
        if number == seal_at:
            ledger.seals.make()


@given(st.binary(max_size=400))
def test_any_bytes_are_an_entry_in_its_one_spelling_or_none(data: bytes) -> None:
    try:
        found = EntryFile.decode(data)
    except DecodeError:
        return
    assert found.encode() == data


def test_the_file_of_an_entry_has_one_form(maker: Maker) -> None:
    made = maker.units(PACKS[0])
    with open_excerpt(made.path) as view:
        files = [view.file(index) for index in view.indices]
    event = next(one for one in files if one.header[4] == EntryType.EVENT)
    genesis = files[0]
    assert EntryFile.decode(event.encode()) == event
    for wrong in (
        evolve(event, header=event.header[:-1]),
        evolve(event, content=bytes(32)),
        evolve(event, content=bytes(32 + 65_537)),
        evolve(event, rows=None),
        evolve(event, leaves=None),
        evolve(event, leaves=(bytes(31),)),
        evolve(event, terms=None),
        evolve(event, terms=b""),
        evolve(event, terms=bytes(34)),
        evolve(event, terms=bytes(35 * 65)),
        evolve(event, path=None),
        evolve(event, path=(bytes(33),)),
        evolve(genesis, terms=bytes(35), path=()),
    ):
        with pytest.raises(DecodeError):
            EntryFile.decode(wrong.encode())


def test_rows_are_shown_with_the_leaves_they_are_hashed_over_and_no_more(maker: Maker) -> None:
    with open_excerpt(maker.units(PACKS[0]).path) as view:
        for index in view.indices:
            file = view.file(index)
            if file.rows is not None:
                named = {row.previous for row in decode_rows(file.rows[32:])[1]} - {None}
                assert len(file.leaves or ()) == len(named)
    assert of_indices([1, 2]) == ((1, 3),)
