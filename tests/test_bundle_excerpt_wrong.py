"""Excerpts with something wrong in them: by whoever had the files, and by an operator who has every key."""

from __future__ import annotations

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen

from excerpt_samples import (
    ABSENT,
    CASE,
    KEYS,
    NOW,
    PACKS,
    PALLET,
    VERIFIER,
    Maker,
    make_ledger,
    proofs_in,
    put_proofs,
    rewrite,
)
from person_samples import ANNA, Shop
from tracechain.bundle.container import UnreadableError
from tracechain.bundle.entryfile import EntryFile
from tracechain.bundle.excerpt import Private, export_excerpt
from tracechain.bundle.judging import check_excerpt
from tracechain.bundle.names import SEAL_ABSENT, SEAL_ITEMS, entry_name, proof_name
from tracechain.bundle.reading import open_excerpt
from tracechain.bundle.select import Selection
from tracechain.checkpoint import (
    Checkpoint,
    NoteSigner,
    format_proof,
    parse_checkpoint,
    parse_note,
    parse_proof,
    sign_checkpoint,
)
from tracechain.entry import SALT_SIZE
from tracechain.record import decode_record, key_subject
from tracechain.seals import (
    Absence,
    Presence,
    SealBody,
    SealNote,
    seals_of,
    sign_note,
)
from tracechain.verification import Code
from tracechain.view import unit_history
from tracechain.witnessing import WitnessPolicy

WHOSE = (KEYS.author.public_key.hash, KEYS.station.public_key.hash)


@frozen
class Made:
    """An excerpt of a pack, in a folder, and which entries are what."""

    path: Path
    own: tuple[int, ...]
    case: tuple[int, ...]
    seal: int
    size: int
    sealed: int
    keys: tuple[int, ...]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("original")
    ledger, _ = make_ledger(folder / "ledger")
    with ledger:
        made = Maker(ledger, folder).units(PACKS[0])
        with ledger.snapshot() as view:
            keys = [unit_history(view, key_subject(one))[0] for one in WHOSE]
            own, case = (tuple(unit_history(view, one)) for one in (PACKS[0], CASE))
            seal = next(seals_of(view))
            return Made(made.path, own, case, seal.index, view.size, seal.body.size, tuple(keys))


@pytest.fixture
def made(original: Made, tmp_path: Path) -> Made:
    shutil.copytree(original.path, tmp_path / "copy")
    return evolve(original, path=tmp_path / "copy")


def codes(path: Path, **more: Any) -> tuple[Code, ...]:
    return check_excerpt(path, **({"verifier": VERIFIER} | more)).codes


def first(path: Path, **more: Any) -> tuple[Code, int | None]:
    finding = check_excerpt(path, **({"verifier": VERIFIER} | more)).findings[0]
    return finding.code, finding.index


def flip(data: bytes, at: int = -1) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# ---- names and files ---------------------------------------------------------------------------------


def test_a_file_that_has_no_place_is_surplus(made: Made) -> None:
    for name in ("notes.txt", "entries/1.entry", "tile/0/000", "seals/27", "private/0.json", "consistency/-1"):
        path = made.path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"x")
        assert codes(made.path) == (Code.BUNDLE_SURPLUS,)
        path.unlink()


def test_what_lies_behind_the_log_is_surplus(made: Made) -> None:
    for name in (entry_name(made.size), proof_name(made.size), f"consistency/{made.size + 1}", "private/32-0.json"):
        path = made.path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"x")
        assert codes(made.path) == (Code.BUNDLE_SURPLUS,)
        path.unlink()


def test_a_proof_of_nothing_is_surplus(made: Made) -> None:
    missing = next(index for index in range(made.size) if not (made.path / entry_name(index)).exists())
    shutil.copy(made.path / proof_name(0), made.path / proof_name(missing))
    assert first(made.path) == (Code.BUNDLE_SURPLUS, missing)


@pytest.mark.parametrize("garbage", [b"", b"\xc0", b"\x96" + b"\xc0" * 6, b"x" * 200])
def test_what_is_no_entry_is_a_wrong_file_and_not_there(made: Made, garbage: bytes) -> None:
    (made.path / entry_name(made.own[1])).write_bytes(garbage)
    assert first(made.path) == (Code.BUNDLE_FILE, made.own[1])
    assert Code.CHAIN_INCOMPLETE in codes(made.path)


def test_a_file_over_its_cap_is_a_wrong_file(made: Made) -> None:
    with (made.path / entry_name(made.own[1])).open("r+b") as file:
        file.truncate((1 << 26) + 1)
    assert first(made.path) == (Code.BUNDLE_FILE, made.own[1])


def test_what_is_no_proof_of_this_entry_under_this_checkpoint_is_a_wrong_file(made: Made) -> None:
    path = made.path / proof_name(made.own[0])
    proof = parse_proof(path.read_bytes())
    other = sign_checkpoint(Checkpoint(VERIFIER.name, made.size, bytes(32)), [NoteSigner(VERIFIER.name, KEYS.log)])
    for wrong in (evolve(proof, extra=b"x"), evolve(proof, index=0), evolve(proof, checkpoint=other)):
        path.write_text(format_proof(wrong))
        assert first(made.path) == (Code.BUNDLE_FILE, made.own[0])
    path.write_bytes(b"c2sp.org/tlog-proof@v1\n")
    assert first(made.path) == (Code.BUNDLE_FILE, made.own[0])


def test_a_proof_that_leads_elsewhere_or_is_missing_is_no_proof(made: Made) -> None:
    path = made.path / proof_name(made.own[0])
    proof = parse_proof(path.read_bytes())
    for wrong in (evolve(proof, hashes=(flip(proof.hashes[0]), *proof.hashes[1:])), evolve(proof, hashes=())):
        path.write_text(format_proof(wrong))
        assert first(made.path) == (Code.PROOF, made.own[0])
    path.unlink()
    assert first(made.path) == (Code.PROOF, made.own[0])


def test_a_header_that_was_altered_is_not_in_the_log(made: Made) -> None:
    file = EntryFile.decode((made.path / entry_name(made.own[0])).read_bytes())
    rewrite(made.path, made.own[0], header=flip(file.header, 10))
    assert first(made.path) == (Code.PROOF, made.own[0])


def test_without_a_checkpoint_nothing_but_names_is_looked_at(made: Made) -> None:
    (made.path / "x").write_bytes(b"")
    (made.path / entry_name(0)).write_bytes(b"")
    (made.path / "checkpoint").write_bytes(b"no note")
    assert codes(made.path) == (Code.BUNDLE_SURPLUS, Code.CHECKPOINT_MALFORMED)
    (made.path / "checkpoint").unlink()
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert report.codes == (Code.BUNDLE_SURPLUS, Code.CHECKPOINT_MISSING)
    assert any("nothing but names" in note for note in report.notes)


def resign(path: Path, note: str) -> None:
    """Another checkpoint, in all proofs too."""
    (path / "checkpoint").write_text(note)
    for file in path.rglob("*.proof"):
        file.write_text(format_proof(evolve(parse_proof(file.read_bytes()), checkpoint=note)))


def test_a_checkpoint_that_the_log_did_not_sign_does_not_stand(made: Made) -> None:
    head = parse_checkpoint(parse_note((made.path / "checkpoint").read_text()).text)
    stranger = NoteSigner(VERIFIER.name, KEYS.stranger)
    resign(made.path, sign_checkpoint(head, [stranger]))
    assert codes(made.path) == (Code.CHECKPOINT_SIGNATURE,)
    assert codes(made.path, verifier=stranger.verifier)[0] == Code.GENESIS
    log = NoteSigner(VERIFIER.name, KEYS.log)
    resign(made.path, sign_checkpoint(evolve(head, origin="ledger.example/other"), [log]))
    assert codes(made.path) == (Code.CHECKPOINT_ORIGIN,)
    resign(made.path, sign_checkpoint(evolve(head, extensions=("more",)), [log]))
    assert codes(made.path) == (Code.CHECKPOINT_MALFORMED,)


def test_a_size_that_nothing_is_there_for_costs_nothing(made: Made) -> None:
    head = parse_checkpoint(parse_note((made.path / "checkpoint").read_text()).text)
    stranger = NoteSigner(VERIFIER.name, KEYS.stranger)
    resign(made.path, sign_checkpoint(evolve(head, size=(1 << 63) - 1), [stranger]))
    witness = WitnessPolicy.of([NoteSigner("witness.example/w", KEYS.station).cosigner], 1)
    report = check_excerpt(made.path, now=NOW, witnesses=witness)
    assert report.codes[0] == Code.PROOF
    assert report.size == (1 << 63) - 1
    with open_excerpt(made.path) as view:
        assert view.indices == []
        assert list(view.headers(0, view.size)) == []


def test_a_link_among_the_files_is_not_followed(made: Made) -> None:
    path = made.path / entry_name(made.own[0])
    path.rename(made.path.parent / "elsewhere")
    path.symlink_to(made.path.parent / "elsewhere")
    with pytest.raises(UnreadableError, match="link"):
        check_excerpt(made.path, verifier=VERIFIER)


# ---- parts of an entry ---------------------------------------------------------------------------------


def alterations() -> Iterator[tuple[str, Callable[[EntryFile], dict[str, Any]], Code]]:
    """What can be done to the file of an event of a history."""
    yield "content", lambda file: {"content": flip(file.content or b"")}, Code.CONTENT_COMMITMENT
    yield "content salt", lambda file: {"content": flip(file.content or b"", 0)}, Code.CONTENT_COMMITMENT
    yield "longer content", lambda file: {"content": (file.content or b"") + b"x"}, Code.HEADER_COUNTS
    yield "no content", lambda _: {"content": None}, Code.CONTENT_MISSING
    yield "no rows", lambda _: {"rows": None, "leaves": None}, Code.ROWS_MISSING
    yield "rows salt", lambda file: {"rows": flip(file.rows or b"", 0)}, Code.ROW_ROOT
    yield "rows", lambda file: {"rows": (file.rows or b"") + b"\xc0"}, Code.ROWS_MALFORMED
    yield "leaf", lambda file: {"leaves": (flip((file.leaves or ())[0]), *(file.leaves or ())[1:])}, Code.ROW_ROOT
    yield "leaf more", lambda file: {"leaves": (*(file.leaves or ()), bytes(32))}, Code.ROW_ROOT
    yield "no leaves", lambda _: {"leaves": ()}, Code.ROW_ROOT
    yield "terms", lambda file: {"terms": flip(file.terms or b"")}, Code.STATEMENT_ROOT
    yield "fewer terms", lambda file: {"terms": (file.terms or b"")[35:]}, Code.STATEMENT_ROOT
    yield "path", lambda file: {"path": (*(file.path or ()), bytes(32))}, Code.STATEMENT_ROOT


@pytest.mark.parametrize(("name", "alter", "code"), [pytest.param(*one, id=one[0]) for one in alterations()])
def test_a_part_that_was_altered_is_found_at_its_entry(
    made: Made, name: str, alter: Callable[[EntryFile], dict[str, Any]], code: Code
) -> None:
    index = made.case[-1]
    file = EntryFile.decode((made.path / entry_name(index)).read_bytes())
    rewrite(made.path, index, **alter(file))
    assert first(made.path) == (code, index), name


def test_what_the_ledger_made_itself_loses_no_part(made: Made) -> None:
    rewrite(made.path, made.keys[0], content=None)
    assert first(made.path) == (Code.CONTENT_MISSING, made.keys[0])
    rewrite(made.path, made.keys[1], rows=None, leaves=None)
    assert Code.ROWS_MISSING in codes(made.path)


# ---- what has to be there --------------------------------------------------------------------------------


def drop(made: Made, *indices: int) -> None:
    for index in indices:
        (made.path / entry_name(index)).unlink()
        (made.path / proof_name(index)).unlink()


def test_an_entry_of_a_history_that_is_left_out_is_missed(made: Made) -> None:
    for index in sorted({*made.own, *made.case}):
        copy = evolve(made, path=made.path.parent / f"without-{index}")
        shutil.copytree(made.path, copy.path)
        drop(copy, index)
        report = check_excerpt(copy.path, verifier=VERIFIER)
        assert (report.findings[0].code, report.findings[0].index) == (Code.CHAIN_INCOMPLETE, index)
        missed = {one.subject for one in report.findings}
        assert missed <= {PACKS[0], CASE, PALLET}
        assert report.shown is not None
        assert missed.isdisjoint(one.subject for one in report.shown.histories)
        assert missed <= set(report.shown.incomplete)


def test_without_its_statement_nobody_stated_an_event(made: Made) -> None:
    drop(made, made.own[0] - 1)
    assert first(made.path) == (Code.EVENT_UNCOVERED, made.own[0])


def test_without_its_record_an_author_is_unknown(made: Made) -> None:
    drop(made, made.keys[1])
    found = check_excerpt(made.path, verifier=VERIFIER)
    assert (Code.AUTHOR_UNKNOWN, key_subject(WHOSE[1])) in {
        (Code.AUTHOR_UNKNOWN, key_subject(WHOSE[1])) for one in found.findings if one.code == Code.AUTHOR_UNKNOWN
    }
    assert found.findings[0].code == Code.CHAIN_INCOMPLETE
    assert found.findings[0].index == made.keys[1]


def test_without_entry_0_nothing_is_said_of_keys(made: Made) -> None:
    drop(made, 0)
    assert codes(made.path)[0] == Code.GENESIS
    assert Code.STATEMENT_SIGNATURE not in codes(made.path)


def test_without_the_seal_no_history_is_complete(made: Made) -> None:
    drop(made, made.seal)
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert set(report.codes) == {Code.SEAL_ROOT}
    assert {one.subject for one in report.findings} >= {PACKS[0], CASE, PALLET}
    assert report.shown is not None
    assert report.shown.histories == ()


def test_the_tree_of_the_seal_has_to_be_that_of_the_log(made: Made) -> None:
    path = made.path / f"consistency/{made.sealed}"
    data = path.read_bytes()
    path.unlink()
    assert first(made.path) == (Code.SEAL_RECORD, made.seal)
    lines = data.splitlines()
    path.write_bytes(b"".join(line + b"\n" for line in [b64encode(bytes(32)), *lines[1:]]))
    assert first(made.path) == (Code.SEAL_RECORD, made.seal)
    for wrong in (data[:-1], data + b"x\n", b"\n" + data, data.replace(b"\n", b"\r\n")):
        path.write_bytes(wrong)
        assert codes(made.path)[0] == Code.SEAL_RECORD
        assert Code.BUNDLE_FILE in codes(made.path)


def test_a_history_whose_proof_is_left_out_is_not_called_complete(made: Made) -> None:
    kept = [one for one in proofs_in(made.path, SEAL_ITEMS) if Presence.decode(one).id != PACKS[0]]
    put_proofs(made.path, SEAL_ITEMS, kept)
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert report.clean
    assert report.shown is not None
    assert {one.subject for one in report.shown.histories} == {CASE, PALLET, *map(key_subject, WHOSE)}


def test_whether_a_key_was_revoked_has_to_be_shown(made: Made) -> None:
    (made.path / SEAL_ITEMS).unlink()
    report = check_excerpt(made.path, verifier=VERIFIER)
    assert [(one.code, one.index, one.subject) for one in report.findings] == [
        (Code.CHAIN_INCOMPLETE, index, key_subject(key)) for index, key in sorted(zip(made.keys, WHOSE, strict=True))
    ]


def test_a_list_of_proofs_has_one_form(made: Made) -> None:
    proofs = proofs_in(made.path, SEAL_ITEMS)
    data = (made.path / SEAL_ITEMS).read_bytes()
    for wrong in (b"", data[:-1], data + b"\0", data + bytes(4), data + b"\xff" * 8, data[1:]):
        (made.path / SEAL_ITEMS).write_bytes(wrong)
        assert Code.BUNDLE_FILE in codes(made.path)
    for order in (proofs[::-1], [proofs[0], proofs[0]]):
        put_proofs(made.path, SEAL_ITEMS, order)
        assert Code.BUNDLE_FILE in codes(made.path)


def test_a_proof_of_presence_that_was_altered_proves_nothing(made: Made) -> None:
    proofs = proofs_in(made.path, SEAL_ITEMS)
    at = next(number for number, one in enumerate(proofs) if Presence.decode(one).id == PACKS[0])
    one = Presence.decode(proofs[at])
    for wrong in (
        evolve(one, item=one.item._replace(state=one.item.state + 1)),
        evolve(one, item=one.item._replace(last=one.item.last - 1)),
        evolve(one, path=(*one.path, bytes(32))),
    ):
        put_proofs(made.path, SEAL_ITEMS, [*proofs[:at], wrong.encode(), *proofs[at + 1 :]])
        report = check_excerpt(made.path, verifier=VERIFIER)
        assert [(one.code, one.index, one.subject) for one in report.findings] == [(Code.SEAL_ROOT, None, PACKS[0])]


# ---- absence, notes, private values -------------------------------------------------------------------------


def test_a_proof_of_absence_that_does_not_stand_is_found(tmp_path: Path) -> None:
    ledger, _ = make_ledger(tmp_path / "ledger")
    maker = Maker(ledger, tmp_path)
    path = maker.absent(ABSENT).path
    (one,) = map(Absence.decode, proofs_in(path, SEAL_ABSENT))
    assert one.after is not None
    assert one.before is not None
    for wrong in (evolve(one, code="zzz"), evolve(one, before=None), evolve(one, before=one.after, after=one.before)):
        put_proofs(path, SEAL_ABSENT, [wrong.encode()])
        assert codes(path) == (Code.ABSENCE,)
    (path / SEAL_ABSENT).unlink()
    assert codes(path) == (Code.ABSENCE,)
    ledger.close()


def test_a_seal_note_says_what_the_seal_says_and_is_signed_by_who_is_known(made: Made) -> None:
    auditor = NoteSigner("auditor.example/a", KEYS.stranger)
    seal_entry = EntryFile.decode((made.path / entry_name(made.seal)).read_bytes())
    seal = SealBody.from_record(decode_record((seal_entry.content or b"")[SALT_SIZE:]))
    genesis = EntryFile.decode((made.path / entry_name(0)).read_bytes())
    ledger_id = sha256(b"\0" + genesis.header).digest()
    good = SealNote(VERIFIER.name, ledger_id, seal)
    path = made.path / "seal/note"
    path.write_text(sign_note(good, auditor))
    assert check_excerpt(made.path, verifier=VERIFIER, auditors=[auditor.verifier])
    for wrong in (evolve(good, ledger_id=bytes(32)), evolve(good, seal=evolve(seal, ids=seal.ids + 1))):
        path.write_text(sign_note(wrong, auditor))
        assert first(made.path, auditors=[auditor.verifier]) == (Code.SEAL_NOTE, None)
    path.write_bytes(b"x")
    assert codes(made.path) == (Code.SEAL_NOTE,)
    lines = sign_note(good, auditor).splitlines(keepends=True)
    forged = sign_note(evolve(good, ledger_id=bytes(32)), auditor).splitlines(keepends=True)
    path.write_text("".join([*lines[:-1], forged[-1]]))
    assert codes(made.path, auditors=[auditor.verifier]) == (Code.SEAL_NOTE,)
    assert codes(made.path) == (), "nobody here knows that auditor"


def test_a_private_value_that_was_altered_does_not_stand(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.know(ANNA, "Anna")
    index, _ = shop.sell(ANNA, "Anna")
    with shop.ledger.snapshot() as view:
        private = Private(shop.ledger.vault, frozenset(("phone",)), "inspection 7")
        made = export_excerpt(
            view, tmp_path / "out", Selection(entries=((index, index + 1),)), exported_ms=NOW, private=private
        )  # fmt: skip
    (path,) = (made.path / "private").iterdir()
    text = path.read_text()
    for wrong in (text.replace("5550199", "5550198"), "{}", text[:-2]):
        path.write_text(wrong)
        assert first(made.path) == (Code.DISCLOSURE, index)
    path.write_text(text)
    assert codes(made.path) == ()
    path.rename(path.with_name("0-0.json"))
    assert first(made.path) == (Code.DISCLOSURE, 0)
    shop.ledger.close()
