"""Excerpts: every byte that is turned over is found, and every file that is taken away; and what prunings took."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from excerpt_samples import ABSENT, KEYS, NOW, PACKS, VERIFIER, Maker, files_of, make_ledger, rewrite
from person_samples import ANNA, Shop
from retained import Store
from tracechain.bundle.entryfile import EntryFile
from tracechain.bundle.excerpt import Private, SealProofs, export_excerpt
from tracechain.bundle.judging import check_excerpt
from tracechain.bundle.names import MANIFEST, README, SCRIPT, entry_name, proof_name
from tracechain.bundle.reading import open_excerpt
from tracechain.bundle.select import Selection, select_units
from tracechain.checkpoint import NoteSigner
from tracechain.ledger.seals import prover
from tracechain.seals import seals_of
from tracechain.verification import Code
from tracechain.view import unit_history

AUDITOR = NoteSigner("auditor.example/a", KEYS.stranger)
#: What nobody looks at, or what nothing rests on.
BESIDE = (MANIFEST, README, SCRIPT)
#: Bytes of the larger files of which one is turned over, by chance.
STRIDE = 9


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An excerpt of a pack with a seal that an auditor signed, and a proof of absence."""
    folder = tmp_path_factory.mktemp("bundles")
    ledger, _ = make_ledger(folder / "ledger")
    with ledger:
        ledger.seals.add_note(ledger.seals.cosign(AUDITOR))
        maker = Maker(ledger, folder)
        return maker.units(PACKS[0]).path, maker.absent(ABSENT).path


def sound(path: Path) -> bool:
    report = check_excerpt(path, verifier=VERIFIER, auditors=[AUDITOR.verifier])
    return bool(report) and report.shown is not None and report.shown.auditors == (AUDITOR.verifier,)


def places(data: bytes, rng: random.Random) -> Iterator[int]:
    """All bytes of a small file, some of a larger one."""
    for start in range(0, len(data), 1 if len(data) < 200 else STRIDE):
        yield min(start + rng.randrange(STRIDE if len(data) >= 200 else 1), len(data) - 1)


@pytest.mark.parametrize("kind", [0, 1], ids=["excerpt", "absence"])
def test_every_byte_that_is_turned_over_is_found(bundles: tuple[Path, Path], kind: int) -> None:
    path, rng, missed, tried = bundles[kind], random.Random(7), [], 0
    assert sound(path)
    for file in files_of(path):
        name = file.relative_to(path).as_posix()
        # Of the proofs, which are alike, a third.
        if name in BESIDE or (name.endswith(".proof") and rng.random() < 0.7):
            continue
        data = file.read_bytes()
        for at in places(data, rng):
            tried += 1
            file.write_bytes(data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :])
            if sound(path):
                missed.append((name, at))
        file.write_bytes(data)
    assert missed == []
    assert tried > 500
    assert sound(path)


def test_every_file_that_is_taken_away_is_missed(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    for path in bundles:
        for file in files_of(path):
            name = file.relative_to(path).as_posix()
            if name in BESIDE:
                continue
            aside = tmp_path / "aside"
            shutil.move(file, aside)
            assert not sound(path), name
            if name.endswith(".entry"):
                proof = file.with_suffix(".proof")
                shutil.move(proof, tmp_path / "proof")
                assert not sound(path), f"{name} with its proof"
                shutil.move(tmp_path / "proof", proof)
            shutil.move(aside, file)
        assert sound(path)


def test_bytes_of_a_private_value_that_are_turned_over_are_found(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.know(ANNA, "Anna")
    index, _ = shop.sell(ANNA, "Anna")
    with shop.ledger.snapshot() as view:
        private = Private(shop.ledger.vault, frozenset(("phone", "address")), "inspection 7")
        made = export_excerpt(
            view, tmp_path / "out", Selection(entries=((index, index + 1),)), exported_ms=NOW, private=private
        )  # fmt: skip
    rng = random.Random(7)
    assert made.disclosures == 2
    for file in (made.path / "private").iterdir():
        data = file.read_bytes()
        for at in range(0, len(data), 5):
            changed = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
            if not changed.isspace() and changed.decode(errors="replace").split() != data.decode().split():
                file.write_bytes(changed)
                assert Code.DISCLOSURE in check_excerpt(made.path, verifier=VERIFIER).codes, at
        file.write_bytes(data)
    shop.ledger.close()


# ---- what prunings took ----------------------------------------------------------------------------------


@pytest.fixture
def pruned(tmp_path: Path) -> Iterator[tuple[Store, tuple[str, ...]]]:
    store = Store(tmp_path)
    codes = store.ended(3)
    store.years_later()
    store.announce("round-1")
    store.wait(40)
    store.ledger.prune("round-1")
    store.ledger.seals.make()
    yield store, codes
    store.ledger.close()


def excerpt(store: Store, code: str, out: Path) -> Path:
    with store.ledger.snapshot() as view:
        proofs = SealProofs(*prover(view))
        return export_excerpt(view, out, select_units(view, [code]), exported_ms=NOW, seal=proofs).path


def test_what_a_pruning_took_is_said_by_its_records_which_are_here(
    pruned: tuple[Store, tuple[str, ...]], tmp_path: Path
) -> None:
    store, codes = pruned
    path = excerpt(store, codes[0], tmp_path / "out")
    verifier = store.ledger.verifier
    report = check_excerpt(path, verifier=verifier)
    assert report, report.findings
    with store.ledger.snapshot() as view:
        history = unit_history(view, codes[0])
        assert [view.content(index) for index in history] == [None] * len(history)
        (subject,) = [one for one, _ in view.subjects("urn:tracechain:prune:")]
        records = unit_history(view, subject)
    with open_excerpt(path) as shown:
        assert set(shown.indices) >= set(records)
    assert report.shown is not None
    assert codes[0] in {one.subject for one in report.shown.histories}
    for index in records:
        copy = tmp_path / f"without-{index}"
        shutil.copytree(path, copy)
        (copy / entry_name(index)).unlink()
        (copy / proof_name(index)).unlink()
        found = check_excerpt(copy, verifier=verifier)
        assert {(one.code, one.index) for one in found.findings} >= {(Code.CONTENT_MISSING, at) for at in history}
        # One that is not what its header commits to says nothing either.
        altered = tmp_path / f"altered-{index}"
        shutil.copytree(path, altered)
        content = EntryFile.decode((altered / entry_name(index)).read_bytes()).content
        assert content is not None
        rewrite(altered, index, content=bytes([content[0] ^ 1]) + content[1:])
        found = check_excerpt(altered, verifier=verifier)
        assert {(one.code, one.index) for one in found.findings} == {
            (Code.CONTENT_COMMITMENT, index), *((Code.CONTENT_MISSING, at) for at in history)
        }  # fmt: skip


def test_where_rows_went_too_a_history_is_complete_from_there_on(
    pruned: tuple[Store, tuple[str, ...]], tmp_path: Path
) -> None:
    store, codes = pruned
    store.announce("round-2")
    store.wait(40)
    store.ledger.prune("round-2")
    store.ledger.seals.make()
    with store.ledger.snapshot() as view:
        unit = view.unit(codes[0])
        assert unit is not None
        before = next(index for index in range(unit.last) if view.rows(index) is None and view.content(index) is None)
        seal = next(seals_of(view))
    path = excerpt(store, codes[0], tmp_path / "out")
    report = check_excerpt(path, verifier=store.ledger.verifier)
    assert report, report.findings
    assert report.shown is not None
    (history,) = [one for one in report.shown.histories if one.subject == codes[0]]
    assert (history.entries, history.cut) == ((unit.last,), unit.last)
    assert report.shown.seal == seal
    with open_excerpt(path) as shown:
        assert shown.header(unit.last - 1) is not None
        assert shown.rows(unit.last - 1) is None
        assert before < unit.last
        found = shown.unit(codes[0])
        assert found is not None
        assert found.last == unit.last
