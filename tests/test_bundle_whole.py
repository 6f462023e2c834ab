"""Whole bundles: read as the ledger they came from, and everything that can be wrong with one is found."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forging import forge
from tracechain.bundle.check import NOTHING_ELSE, check_bundle, check_whole
from tracechain.bundle.checking import BundleReport, in_order
from tracechain.bundle.container import UnreadableError, open_container
from tracechain.bundle.manifest import Manifest
from tracechain.bundle.view import WholeView, open_whole
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import (
    Checkpoint,
    NoteSigner,
    VerifierKey,
    parse_checkpoint,
    parse_note,
    sign_checkpoint,
)
from tracechain.errors import CheckpointError, InputError, VerificationError
from tracechain.ledger import Ledger
from tracechain.merkle import prove_inclusion, tree_root
from tracechain.persons.disclosure import disclose
from tracechain.replay import MemoryView
from tracechain.testing import Keys, fixed_key, new_ledger
from tracechain.testing.samples import observe, pack_ids
from tracechain.verification import Code, Finding, verify, verify_unit
from tracechain.verification.findings import NO_KEY, UNWITNESSED
from tracechain.view import View, ViewNodes, unit_history
from whole_bundle import AUDITOR, LOG, POLICY, Whole, put, whole_bundle

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Whole:
    return whole_bundle(folder)


def checked(path: Path, files: Files, **more: Any) -> BundleReport:
    return check_whole(put(path, files), **{"verifier": LOG, **more})


def found(report: BundleReport) -> list[tuple[str, int | None]]:
    return [(str(one.code), one.index) for one in report.findings]


# ---- clean -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_bundle_as_it_was_exported_is_clean(tmp_path: Path, whole: Whole, name: str, processes: int) -> None:
    report = checked(
        tmp_path / name, whole.files, witnesses=POLICY, auditors=[AUDITOR.verifier], now=whole.now, processes=processes
    )
    assert report.findings == ()
    assert report
    assert (report.exit_code, report.clean, report.kind) == (0, True, "whole")
    assert report.size == report.entries == whole.size
    assert (report.disclosures, report.seal_notes) == (2, 1)
    assert report.statements > 10
    assert report.rows > whole.size
    assert report.checkpoint == parse_checkpoint(parse_note(whole.files["checkpoint"]).text)
    assert report.witnessed is not None
    assert len(report.witnessed.notes) == 2
    assert UNWITNESSED not in report.notes
    assert report.log is not None
    report.raise_for_findings()


def test_without_a_key_it_is_consistent_and_that_is_not_enough(tmp_path: Path, whole: Whole) -> None:
    report = checked(tmp_path / "b.zip", whole.files, verifier=None)
    assert report.clean
    assert not report
    assert report.exit_code == 1
    assert {NO_KEY, UNWITNESSED} <= set(report.notes)


def test_another_key_is_found(tmp_path: Path, whole: Whole) -> None:
    other = NoteSigner(LOG.name, fixed_key("another")).verifier
    report = checked(tmp_path / "b.zip", whole.files, verifier=other)
    assert {Code.GENESIS, Code.CHECKPOINT_SIGNATURE} <= set(report.codes)


def test_the_older_checkpoint_is_extended(tmp_path: Path, whole: Whole) -> None:
    path = put(tmp_path / "b.zip", whole.files)
    assert check_whole(path, verifier=LOG, since=whole.older)
    head = parse_checkpoint(parse_note(whole.older).text)
    forked = sign_checkpoint(Checkpoint(head.origin, head.size, bytes(32)), [NoteSigner(LOG.name, Keys().log)])
    assert check_whole(path, verifier=LOG, since=forked).codes == (Code.FORK,)
    later = sign_checkpoint(Checkpoint(head.origin, whole.size + 1, bytes(32)), [NoteSigner(LOG.name, Keys().log)])
    assert Code.ROLLBACK in check_whole(path, verifier=LOG, since=later).codes
    with pytest.raises(InputError, match="cannot be used"):
        check_whole(path, verifier=LOG, since="no note")


def test_each_size_of_a_last_tile_is_clean(tmp_path: Path) -> None:
    """Logs that end on both sides of a full tile."""
    with new_ledger(tmp_path / "ledger") as ledger:
        sizes = []
        for count in (250, 1, 1, 1, 1):
            ledger.append([observe(pack_ids(1)) for _ in range(count)])
            with ledger.snapshot() as view:
                sizes.append(view.size)
                export_whole(view, tmp_path / f"{view.size}.zip", exported_ms=0)
        verifier = ledger.verifier
    assert min(sizes) < 256 < max(sizes)
    for size in sizes:
        report = check_whole(tmp_path / f"{size}.zip", verifier=verifier)
        assert (report.findings, report.size) == ((), size)


# ---- the view --------------------------------------------------------------------------------------


def test_the_view_is_the_snapshot_that_it_was_made_of(folder: Path, whole: Whole, tmp_path: Path) -> None:
    with (
        Ledger.open(folder / "ledger") as ledger,
        ledger.snapshot() as snapshot,
        open_whole(put(tmp_path / "b.zip", whole.files)) as view,
    ):
        assert isinstance(view, View)
        size = snapshot.size
        assert (view.size, view.checkpoint) == (size, snapshot.checkpoint)
        for index in (*range(size + 2), 1 << 40, -1):
            assert view.header(index) == (snapshot.header(index) if index >= 0 else None)
            assert view.content(index) == (snapshot.content(index) if index >= 0 else None)
            assert view.rows(index) == (snapshot.rows(index) if index >= 0 else None)
        ends = (0, 1, 255, 256, 257, 511, 512, size - 1, size, size + 1, size + 300)
        for start, stop in ((start, stop) for start in ends for stop in ends):
            assert list(view.headers(start, stop)) == list(snapshot.headers(start, stop))
            assert list(view.contents(start, stop)) == list(snapshot.contents(start, stop))
            assert list(view.all_rows(start, stop)) == list(snapshot.all_rows(start, stop))
            assert view.block(start, stop) == snapshot.block(start, stop)
        assert view.parts(range(0, size, 7)) == snapshot.parts(range(0, size, 7))
        assert list(view.witnessed()) == list(snapshot.witnessed()) != []
        assert list(view.seal_notes()) == list(snapshot.seal_notes()) != []
        # The ledger's own chains, before the index is worked out and after it.
        own = list(snapshot.subjects("urn:tracechain:"))
        for _ in range(2):
            assert list(view.subjects("urn:tracechain:")) == own
            assert [view.unit(subject) for subject, _ in own] == [unit for _, unit in own]
            assert view.unit("urn:tracechain:none") is None
            assert list(view.units()) == list(snapshot.units())
        for subject, _ in snapshot.units():
            assert unit_history(view, subject) == unit_history(snapshot, subject)
        assert verify(view, index=True).findings == ()
        nodes = ViewNodes(view)
        assert tree_root(nodes, size) == tree_root(ViewNodes(snapshot), size)
        assert prove_inclusion(nodes, 3, size) == prove_inclusion(ViewNodes(snapshot), 3, size)
        assert view.node(8, 0) == tree_root(nodes, 256)
        assert view.node(8, 2) is view.node(4, 0) is None


def test_a_unit_of_a_bundle_is_verified(tmp_path: Path, whole: Whole) -> None:
    with open_whole(put(tmp_path / "b", whole.files)) as view:
        report = verify_unit(view, pack_ids(1)[0], verifier=LOG)
    assert report, report.findings
    assert len(report.links) > 2


def test_little_of_a_large_bundle_is_kept(tmp_path: Path) -> None:
    view = MemoryView({at: bytes(128) for at in range(40_000)}, {}, {}, "", 40_000, {})
    files = {f"tile/entries/{name}": b"\0\x80".ljust(130, b"\0") * 256 for name in (f"{at:03}" for at in range(156))}
    with open_container(put(tmp_path / "b", files)) as container:
        bundle = WholeView(container, "", 156 * 256)
        assert sum(1 for _ in bundle.headers(0, 40_000)) == 156 * 256
        assert len(bundle._kept["tile/entries"]._files) == 64
        assert bundle.header(5) == view.header(5)


def test_what_is_no_whole_bundle_is_not_opened(tmp_path: Path, whole: Whole) -> None:
    def opened(files: Files) -> None:
        with open_whole(put(tmp_path / f"{len(list(tmp_path.iterdir()))}.zip", files)):
            pass

    with pytest.raises(InputError, match="excerpt bundle"):
        opened(whole.files | {"bundle.json": Manifest("excerpt", 0, ()).encode()})
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        opened({name: data for name, data in whole.files.items() if name != "checkpoint"})
    with pytest.raises(CheckpointError):
        opened(whole.files | {"checkpoint": b"\xff"})
    with pytest.raises(UnreadableError):
        opened({})


# ---- what can be wrong -----------------------------------------------------------------------------


def without(files: Files, *names: str) -> Files:
    assert set(names) <= set(files)
    return {name: data for name, data in files.items() if name not in names}


def flipped(files: Files, name: str, at: int) -> Files:
    data = bytearray(files[name])
    data[at] ^= 1
    return files | {name: bytes(data)}


def last(whole: Whole, kind: str) -> str:
    return f"{kind}/{whole.size >> 8:03}.p/{whole.size & 255}"


#: Indices that are known only when the bundle is made.
SHOWN, BESIDE, END = -1, -2, -3
MISSING = "CONTENT_MISSING"


def changed(name: str, change: Callable[[bytes], bytes]) -> Callable[[Whole], Files]:
    return lambda whole: whole.files | {name: change(whole.files[name])}


def more(name: str, data: bytes = b"x") -> Callable[[Whole], Files]:
    return lambda whole: whole.files | {name: data}


def less(*names: str) -> Callable[[Whole], Files]:
    return lambda whole: without(whole.files, *names)


def less_of(head: str) -> Callable[[Whole], Files]:
    return lambda whole: {name: data for name, data in whole.files.items() if not name.startswith(head)}


def flip(name: str, at: int) -> Callable[[Whole], Files]:
    return lambda whole: flipped(whole.files, name, at)


def shown_as(index: int, change: Callable[[bytes], bytes] = bytes) -> Callable[[Whole], Files]:
    """The first disclosure, changed, under the name of another entry (or its own)."""

    def make(whole: Whole) -> Files:
        data = change(whole.files[f"private/{whole.shown}-0.json"])
        return whole.files | {f"private/{place(whole, index)}-0.json": data}

    return make


def place(whole: Whole, index: int | None) -> int | None:
    return {SHOWN: whole.shown, BESIDE: whole.shown + 1, END: whole.size}.get(index or 0, index)


def another_signature(whole: Whole) -> Files:
    note = whole.files["checkpoint"]
    return {one: data for one, data in whole.files.items() if not one.startswith("private/")} | {
        "checkpoint": note[:-8] + b"AAAA" + note[-4:]
    }


def a_wider_one(whole: Whole) -> Files:
    return whole.files | {f"contents/002.p/{(whole.size & 255) + 1}": b"x"}


def note_of_another_size(whole: Whole) -> Files:
    return whole.files | {"witnessed/9": whole.files["checkpoint"]}


def nothing_and_worse(whole: Whole) -> Files:
    return without(whole.files, "checkpoint", "tile/entries/001") | {"x": b""}


Case = tuple[str, Callable[[Whole], Files], list[tuple[str, int | None]]]
CASES: list[Case] = [
    ("an empty file of contents", more("contents/001", b""), [("BUNDLE_FILE", 256), (MISSING, 256)]),
    ("contents in which nothing is", more("contents/001", bytes(1024)), [("BUNDLE_FILE", 256), (MISSING, 256)]),
    ("no contents", less("contents/001"), [(MISSING, 256)]),
    ("rows cut short", changed("rows/000", lambda data: data[:-1]), [("BUNDLE_FILE", 0)]),
    ("a length in rows", flip("rows/001", 3), [("BUNDLE_FILE", 256)]),
    ("no rows", less("rows/001"), [("ROWS_MISSING", 256)]),
    ("a header", flip("tile/entries/001", 129), [("BUNDLE_TILE", 0), ("BUNDLE_TILE", 256)]),
    ("a length in entries", flip("tile/entries/001", 1), [("BUNDLE_FILE", 256), ("ENTRY_MISSING", 256)]),
    (
        "entries cut short",
        changed("tile/entries/001", lambda data: data[:-1]),
        [("BUNDLE_FILE", 256), ("ENTRY_MISSING", 256)],
    ),
    ("no entries", less("tile/entries/001"), [("ENTRY_MISSING", 256)]),
    ("no entries at all", less_of("tile/entries/"), [("ENTRY_MISSING", at) for at in (0, 256, 512)]),
    ("a tile", flip("tile/0/001", 77), [("BUNDLE_TILE", 256)]),
    ("a higher tile", flip("tile/1/000.p/2", 0), [("BUNDLE_TILE", 0)]),
    ("a tile cut", changed("tile/0/001", lambda data: data[:-32]), [("BUNDLE_FILE", 256), ("BUNDLE_TILE", 256)]),
    ("no tile", less("tile/1/000.p/2"), [("BUNDLE_TILE", 0)]),
    ("a full tile as a partial one, too", more("tile/0/000.p/9"), [("BUNDLE_SURPLUS", 0)]),
    ("a tile behind", more("tile/0/003"), [("BUNDLE_SURPLUS", 768)]),
    ("a level above", more("tile/2/000.p/1"), [("BUNDLE_SURPLUS", 0)]),
    ("rows behind", more("rows/x001/000"), [("BUNDLE_SURPLUS", 256_000)]),
    ("a wider partial one", a_wider_one, [("BUNDLE_SURPLUS", 512)]),
    ("what nobody knows", more("malware.exe"), [("BUNDLE_SURPLUS", None)]),
    ("what nobody can spell", more("中/..x"), [("BUNDLE_SURPLUS", None)]),
    ("what excerpts have", more("seal/items"), [("BUNDLE_SURPLUS", None)]),
    ("no checkpoint", less("checkpoint"), [("CHECKPOINT_MISSING", None)]),
    ("no checkpoint, and worse", nothing_and_worse, [("BUNDLE_SURPLUS", None), ("CHECKPOINT_MISSING", None)]),
    ("a checkpoint that is none", more("checkpoint"), [("CHECKPOINT_MALFORMED", None)]),
    ("no text", changed("checkpoint", lambda data: data + b"\xff"), [("CHECKPOINT_MALFORMED", None)]),
    ("another signature", another_signature, [("CHECKPOINT_SIGNATURE", None)]),
    ("no witnessed note", less_of("witnessed/"), []),
    ("a witnessed note that is none", more("witnessed/9"), [("WITNESS_SIGNATURE", None)]),
    ("a witnessed note that is no text", more("witnessed/9", b"\xff"), [("WITNESS_SIGNATURE", None)]),
    ("a note that is not of its size", note_of_another_size, [("WITNESS_SIGNATURE", None)]),
    ("a seal note that is none", more("seals/9"), [("SEAL_NOTE", None)]),
    ("a disclosure of another entry", shown_as(BESIDE), [("DISCLOSURE", BESIDE)]),
    ("a disclosure of no entry", shown_as(END), [("BUNDLE_SURPLUS", END)]),
    ("a disclosure that is none", shown_as(SHOWN, lambda _: b"\xff"), [("DISCLOSURE", SHOWN)]),
    ("another value", shown_as(SHOWN, lambda data: data.replace(b"5550199", b"5550198")), [("DISCLOSURE", SHOWN)]),
]


@pytest.mark.parametrize(("make", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_wrong_is_found(
    tmp_path: Path, whole: Whole, make: Callable[[Whole], Files], expected: list[tuple[str, int | None]]
) -> None:
    meant = [(code, place(whole, index)) for code, index in expected]
    told = []
    for name in ("b", "b.zip"):
        report = checked(tmp_path / name, make(whole))
        assert found(report)[: len(meant)] == meant
        assert report.exit_code == (1 if meant else 0)
        assert found(report) == sorted(
            found(report), key=lambda one: (one[1] is None, one[1] or 0, list(Code).index(Code(one[0])))
        )
        told.append(found(report))
        if meant:
            with pytest.raises(VerificationError, match=meant[0][0]):
                report.raise_for_findings()
    assert told[0] == told[1]


@pytest.mark.parametrize("name", ["rows/000", "tile/0/001", "tile/entries/001"])
def test_several_processes_find_the_same(tmp_path: Path, whole: Whole, name: str) -> None:
    path = put(tmp_path / "b.zip", flipped(whole.files, name, 133))
    alone, shared = (check_whole(path, verifier=LOG, processes=count) for count in (1, 2))
    assert found(shared) == found(alone) != []


@pytest.mark.parametrize("make", [flip("tile/0/001", 77), more("x"), shown_as(SHOWN, lambda _: b"")])
def test_what_is_said_of_a_file_does_not_spread(tmp_path: Path, whole: Whole, make: Callable[[Whole], Files]) -> None:
    assert len(checked(tmp_path / "b.zip", make(whole)).findings) == 1


def test_without_headers_nothing_else_is_said(tmp_path: Path, whole: Whole) -> None:
    broken = whole.files | {"rows/000": b"", "tile/0/000": b"", f"private/{whole.shown}-0.json": b""}
    for number, files in enumerate((without(broken, "checkpoint"), without(broken, "tile/entries/000"))):
        report = checked(tmp_path / f"{number}.zip", files)
        assert len(report.findings) == 1
        assert NOTHING_ELSE in report.notes
        assert (report.entries, report.checkpoint, report.log) == (0, None, None)


@pytest.mark.parametrize("size", [1 << 20, (1 << 40) - 1, 1 << 40, (1 << 63) - 1])
def test_a_size_that_nothing_is_there_for_costs_nothing(tmp_path: Path, whole: Whole, size: int) -> None:
    note = sign_checkpoint(Checkpoint(LOG.name, size, bytes(32)), [NoteSigner(LOG.name, Keys().log)])
    report = checked(tmp_path / "b.zip", whole.files | {"checkpoint": note.encode()}, most=5)
    behind = f"tile/0/002.p/{whole.size & 255}"
    assert behind in whole.files
    # The partial ones are not those of such a log.
    assert found(report)[0] == ("BUNDLE_SURPLUS", 0)
    assert Code.ENTRY_MISSING in {
        one.code for one in checked(tmp_path / "c.zip", whole.files | {"checkpoint": note.encode()}, most=20).findings
    }
    assert len(report.findings) == 5
    assert report.beyond >= size // 256 - 20


def test_files_over_their_cap_are_not_read(tmp_path: Path, whole: Whole) -> None:
    long = whole.files | {"checkpoint": b"x" * 65_537}
    assert found(checked(tmp_path / "b", long)) == [("BUNDLE_FILE", None), ("CHECKPOINT_MISSING", None)]
    with pytest.raises(UnreadableError, match="it may have 65,536"):
        checked(tmp_path / "b.zip", long)
    for name, index in (
        ("witnessed/9", None),
        ("seals/9", None),
        ("tile/0/001", 256),
        (f"private/{whole.shown}-0.json", whole.shown),
    ):
        files = whole.files | {name: b" " * (1 << 21 | 1)}
        assert found(checked(tmp_path / name.replace("/", "-"), files))[0] == ("BUNDLE_FILE", index)
        with pytest.raises(UnreadableError):
            checked(tmp_path / f"{name.replace('/', '-')}.zip", files)
    beside = whole.files | {"README.txt": b"x" * (1 << 20 | 1)}
    assert checked(tmp_path / "beside", beside).clean


def test_what_lies_beside_is_not_looked_at(tmp_path: Path, whole: Whole) -> None:
    files = without(whole.files, "README.txt")
    assert checked(tmp_path / "b.zip", files | {"verify_bundle.py": b"evil"}).clean


def test_no_more_is_listed_than_was_asked_for(tmp_path: Path, whole: Whole) -> None:
    files = without(whole.files, "contents/000", "contents/001")
    every = checked(tmp_path / "a.zip", files)
    few = checked(tmp_path / "b.zip", files, most=3)
    assert few.findings == every.findings[:3]
    assert few.beyond == len(every.findings) + every.beyond - 3
    assert not few.clean


def test_an_operator_with_all_keys_is_found(tmp_path: Path, whole: Whole) -> None:
    """A ledger that was rewritten and signed anew is a sound bundle, but for who kept an older checkpoint, for the
    witnesses and for the auditor."""
    with open_whole(put(tmp_path / "b.zip", whole.files)) as view:
        forged = MemoryView.of(view)
    part = bytearray(forged.raw_contents[whole.seal - 5])
    part[0] ^= 1
    forged.raw_contents[whole.seal - 5] = bytes(part)
    forge(forged)
    export_whole(forged, tmp_path / "forged.zip", exported_ms=0)
    report = check_whole(tmp_path / "forged.zip", verifier=LOG)
    assert Code.SEAL_RECORD in report.codes or Code.SEAL_ROOT in report.codes
    assert Code.FORK in check_whole(tmp_path / "forged.zip", verifier=LOG, since=whole.older).codes


def test_what_is_kept_beside_the_log_comes_along(tmp_path: Path, whole: Whole) -> None:
    names = set(whole.files)
    assert sum(name.startswith("witnessed/") for name in names) == 2
    assert sum(name.startswith("seals/") for name in names) == 1
    assert {f"private/{whole.shown}-0.json", f"private/{whole.shown}-1.json"} <= names
    assert b"verify_bundle.py" in whole.files["README.txt"]
    assert "如何核验".encode() in whole.files["README.txt"]


def test_a_disclosure_under_another_checkpoint_is_not_exported(tmp_path: Path) -> None:
    from person_samples import ANNA, Shop

    shop = Shop(tmp_path)
    index, _ = shop.sell(ANNA, "Anna")
    with shop.ledger.snapshot() as view:
        one = disclose(view, shop.ledger.vault, index, "phone")
    shop.sell(ANNA, "Anna")
    with shop.ledger.snapshot() as view, pytest.raises(InputError, match="not under this checkpoint"):
        export_whole(view, tmp_path / "b.zip", exported_ms=0, disclosures=[one])
    shop.ledger.close()
    assert not (tmp_path / "b.zip").exists()


def test_any_kind_is_checked_as_what_it_is(tmp_path: Path, whole: Whole) -> None:
    path = put(tmp_path / "b.zip", whole.files)
    assert check_bundle(path, verifier=LOG).kind == "whole"
    put(tmp_path / "c.zip", whole.files | {"bundle.json": Manifest("excerpt", 0, ()).encode()})
    assert check_bundle(tmp_path / "c.zip", verifier=LOG).kind == "excerpt"
    with pytest.raises(InputError, match="excerpt bundle"):
        check_whole(tmp_path / "c.zip", verifier=LOG)
    with pytest.raises(InputError, match="at least one process"):
        check_whole(path, processes=0)


def test_ingest_goes_on_while_a_bundle_is_written(tmp_path: Path) -> None:
    with new_ledger(tmp_path / "ledger") as ledger:
        ledger.append([observe(pack_ids(1)) for _ in range(300)])
        with ledger.snapshot() as view:
            size = view.size

            def meanwhile(_: int, __: int) -> None:
                ledger.append([observe(pack_ids(1))])

            done = export_whole(view, tmp_path / "b.zip", exported_ms=0, progress=meanwhile)
        with ledger.snapshot() as view:
            assert done.size == size < view.size
        verifier: VerifierKey = ledger.verifier
    report = check_whole(tmp_path / "b.zip", verifier=verifier)
    assert (report.findings, report.size) == ((), size)


# ---- bytes -----------------------------------------------------------------------------------------


def test_bytes_that_matter_are_found_when_they_are_flipped(tmp_path: Path, whole: Whole) -> None:
    """A sample of all bytes of all files; those of bundle.json, README.txt and the script do not matter, nor does a
    signature line of a note that nobody asked for."""
    rng = random.Random(5)
    names = [name for name in whole.files if name not in ("bundle.json", "README.txt", "verify_bundle.py")]
    for number in range(40):
        name = rng.choice(names)
        end = len(whole.files[name])
        if name.startswith(("witnessed/", "seals/")):
            end = whole.files[name].index(b"\n\n")
        at = rng.randrange(end)
        report = checked(
            tmp_path / f"{number}.zip", flipped(whole.files, name, at), witnesses=POLICY, auditors=[AUDITOR.verifier]
        )
        assert not report, (name, at)


def test_findings_are_in_one_order() -> None:
    some = [
        Finding(Code.INDEX, None, "a"), Finding(Code.FORK, None, "b"), Finding(Code.ROW_ROOT, 5, "c", "y"),
        Finding(Code.ROW_ROOT, 5, "d", "x"), Finding(Code.BUNDLE_FILE, 5, "e"), Finding(Code.SETTLEMENT, 0, "f"),
    ]  # fmt: skip
    assert [one.detail for one in in_order(some)] == ["f", "e", "d", "c", "b", "a"]


def test_lengths_are_those_of_the_format(whole: Whole) -> None:
    size = whole.size
    assert len(whole.files["tile/entries/001"]) == 256 * 130
    assert len(whole.files[last(whole, "tile/entries")]) == (size & 255) * 130
    assert len(whole.files["tile/1/000.p/2"]) == 64
    data, at, count = whole.files["contents/000"], 0, 0
    while at < len(data):
        at += 4 + struct.unpack_from(">I", data, at)[0]
        count += 1
    assert (at, count) == (len(data), 256)
