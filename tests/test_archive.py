"""Archives: what goes in comes out, and is proved by nothing but the file, its checkpoint and the log's key."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import standalone_archive
from archive_samples import KEYS, VERIFIER, VKEY, make, parts_of, sample_views
from tracechain.archive import Archived, Code, check_archive, open_archive, write_archive
from tracechain.archive.places import Places, join_all
from tracechain.archive.tree import fold, gaps, in_order, path
from tracechain.checkpoint import check_proof, parse_proof
from tracechain.entry import EntryType, decode_rows
from tracechain.errors import DataError, InputError, KeyUseError, StorageError, VerificationError
from tracechain.ledger import Ledger
from tracechain.merkle import check_inclusion, leaf_hash, root
from tracechain.retention.ranges import Ranges, indices, of_indices
from tracechain.retention.records import prune_digest
from tracechain.testing import Clock, MemoryView, Random, new_ledger, open_ledger
from tracechain.testing.samples import observe, pack_ids
from tracechain.testing.scanner import sample_ledger


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[MemoryView]:
    return sample_views(tmp_path_factory.mktemp("archive"), rounds=12)


@pytest.fixture(scope="module")
def view(views: list[MemoryView]) -> MemoryView:
    return views[-1]


def everything(view: MemoryView) -> Ranges:
    return ((0, view.size),)


def holds(path: Path, view: MemoryView, contents: Ranges, rows: Ranges) -> None:
    """An archive is what it should be, by the library, entry by entry, and by the script."""
    report = check_archive(path, VERIFIER)
    assert report, report.findings
    against = check_archive(path, VERIFIER, view=view)
    assert against, against.findings
    held_contents, held_rows = parts_of(view, contents, rows)
    wanted = {0, *indices(contents), *indices(rows)}
    assert (report.entries, report.contents, report.rows) == (len(wanted), len(held_contents), len(held_rows))

    def leaf(index: int) -> bytes:
        header = view.header(index)
        assert header is not None
        return leaf_hash(header)

    assert report.archive.lost == prune_digest(leaf, events(view, contents), events(view, rows))
    with open_archive(path) as reader:
        assert reader.archive == report.archive
        for index in range(view.size):
            assert (index in reader) is (index in wanted)
        for index in sorted(wanted)[:: max(1, len(wanted) // 40)]:
            found = reader.entry(index)
            assert (found.header, found.content, found.rows) == (
                view.header(index), held_contents.get(index), held_rows.get(index),
            )  # fmt: skip
            assert found.leaves == {previous: leaf(previous) for previous in named(found)}
            head = check_proof(parse_proof(reader.proof(index)), leaf_hash(found.header), VERIFIER)
            assert head.size == view.size
    assert standalone_archive.main(str(path), VKEY).startswith(f"{len(wanted)} headers, {len(held_contents)} contents,")


def events(view: MemoryView, ranges: Ranges) -> list[int]:
    return [index for index in indices(ranges) if view.raw_headers[index][4] == EntryType.EVENT]


def named(found: Archived) -> set[int]:
    if found.rows is None:
        return set()
    return {row.previous for row in decode_rows(found.rows[32:])[1] if row.previous is not None}


# ---- round trips -----------------------------------------------------------------------------------


def test_all_contents_and_rows_come_back(tmp_path: Path, view: MemoryView) -> None:
    whole = everything(view)
    made = write_archive(view, tmp_path / "whole", whole, whole, KEYS.log)
    assert made.bytes == (tmp_path / "whole").stat().st_size
    assert (made.path, made.size, made.contents, made.rows) == (tmp_path / "whole", view.size, whole, whole)
    holds(made.path, view, whole, whole)
    assert made.content_count > made.row_count > 20, "one event has no rows"


@pytest.mark.parametrize(
    ("contents", "rows"),
    [
        (((5, 6),), ()),
        ((), ((5, 6),)),
        (((0, 1),), ()),
        (((3, 9), (20, 30)), ((5, 25),)),
        (tuple((n, n + 1) for n in range(0, 50, 2)), tuple((n, n + 2) for n in range(1, 50, 3))),
    ],
)
def test_some_contents_and_rows_come_back(tmp_path: Path, view: MemoryView, contents: Ranges, rows: Ranges) -> None:
    holds(make(view, tmp_path / "some", contents, rows), view, contents, rows)


def sets(size: int) -> st.SearchStrategy[Ranges]:
    """Sets of entries: few, many, runs."""
    single = st.sets(st.integers(0, size - 1), max_size=size)
    runs = st.lists(st.tuples(st.integers(0, size - 1), st.integers(1, size)), max_size=4).map(
        lambda pairs: {n for start, length in pairs for n in range(start, min(size, start + length))}
    )
    return st.one_of(single, runs).map(sorted).map(of_indices)


@settings(max_examples=60)
@given(data=st.data())
def test_any_set_of_entries_of_a_log_of_any_size_comes_back(
    data: st.DataObject, views: list[MemoryView], tmp_path_factory: pytest.TempPathFactory
) -> None:
    view = data.draw(st.sampled_from(views))
    contents, rows = data.draw(sets(view.size)), data.draw(sets(view.size))
    path = tmp_path_factory.getbasetemp() / "any"
    if not contents and not rows:
        with pytest.raises(InputError, match="nothing to archive"):
            make(view, path, contents, rows)
    else:
        holds(make(view, path, contents, rows), view, contents, rows)


@settings(max_examples=200)
@given(ranges=sets(200), start=st.integers(0, 220), length=st.integers(0, 100))
def test_places_are_counted_and_clipped_as_a_list_would_be(ranges: Ranges, start: int, length: int) -> None:
    places, every, stop = Places.of(ranges), list(indices(ranges)), start + length
    here = [index for index in every if start <= index < stop]
    assert len(places) == len(every)
    assert places.before(start) == sum(index < start for index in every)
    assert places.count(start, stop) == len(here)
    assert list(indices(tuple(places.clip(start, stop)))) == here
    assert places.next(start) == min((index for index in every if index >= start), default=None)
    flags = bytearray(length)
    places.flags(start, stop, flags, 2)
    assert [start + at for at, flag in enumerate(flags) if flag == 2] == here


@given(several=st.lists(sets(60), max_size=4))
def test_several_sets_are_joined(several: list[Ranges]) -> None:
    assert join_all(*several) == of_indices(sorted({index for ranges in several for index in indices(ranges)}))


@settings(max_examples=200)
@given(data=st.data(), size=st.integers(1, 200))
def test_leaves_and_the_nodes_of_gaps_lead_to_the_root_of_any_tree(data: st.DataObject, size: int) -> None:
    """And to each leaf that is held the proof of RFC 6962; no gap could be covered by fewer subtrees."""
    kept = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1)))
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    held = of_indices(kept)
    spaces = list(gaps(0, size, held))
    nodes = [root(leaves[start : start + (1 << height)]) for start, height in spaces]
    pieces = list(in_order(0, size, held, [leaves[n] for n in kept], nodes))
    assert [n for start, height, _ in pieces for n in range(start, start + (1 << height))] == list(range(size))
    assert fold((height, value) for _, height, value in pieces) == root(leaves)
    index = data.draw(st.sampled_from(kept))
    check_inclusion(leaves[index], index, size, path(pieces, index, size), root(leaves))
    for start, height in spaces:
        assert start % (1 << height) == 0
        # The subtree of twice the size holds an entry that is held, or ends behind the log.
        twice = start >> height + 1 << height + 1
        assert twice + (2 << height) > size or any(twice <= n < twice + (2 << height) for n in kept)


def test_a_log_of_thousands_is_cut_into_blocks(tmp_path: Path) -> None:
    """More than a block holds; few far apart; nearly all, with holes."""
    sample_ledger(tmp_path / "ledger", packs=20, rounds=350, contradiction=True)
    with Ledger.open(tmp_path / "ledger") as ledger, ledger.snapshot() as snapshot:
        view = MemoryView.of(snapshot)
        size = snapshot.size
        dense: Ranges = ((1, size),)
        far: Ranges = tuple((n, n + 1) for n in range(7, size, 999))
        holed: Ranges = tuple((n, n + 11) for n in range(0, size - 12, 12))
        assert size > 3000
        for name, contents, rows in (("a", dense, dense), ("b", far, ()), ("c", holed, far), ("d", (), holed)):
            path = make(snapshot, tmp_path / name, contents, rows)
            holds(path, view, contents, rows)
            with open_archive(path) as reader:
                counts = [reader.sets.held.count(b.start, b.stop) for b in reader.directory.blocks]
                assert max(counts) <= 1024
                assert (len(counts) > 3) is (name != "b")


def test_writing_twice_gives_the_same_file(tmp_path: Path, view: MemoryView) -> None:
    one, two = (make(view, tmp_path / name, ((3, 40),), ((2, 20),)) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_ingest_goes_on_while_it_is_written(tmp_path: Path) -> None:
    sample_ledger(tmp_path / "ledger", packs=20, rounds=400)
    clock = Clock()
    clock.advance(40 * 86_400_000)
    with open_ledger(tmp_path / "ledger", clock=clock) as ledger, ledger.snapshot() as snapshot:
        seen: list[tuple[int, int]] = []

        def meanwhile(done: int, total: int) -> None:
            seen.append((done, total))
            ledger.append([observe(pack_ids(2))])

        made = write_archive(snapshot, tmp_path / "out", ((0, snapshot.size),), (), KEYS.log, meanwhile)
        assert seen[-1] == (made.entries, made.entries)
        assert sorted(seen) == seen
        assert len(seen) > 2
        with ledger.snapshot() as later:
            assert later.size > made.size
            assert check_archive(made.path, VERIFIER, view=later)


# ---- what is not archived --------------------------------------------------------------------------


def test_what_is_pruned_already_is_not_archived(tmp_path: Path, views: list[MemoryView]) -> None:
    for what, name in (("raw_contents", "content"), ("raw_rows", "rows")):
        view = MemoryView.of(views[-1])
        index = max(i for i, _ in view.all_rows(0, view.size))
        del getattr(view, what)[index]
        with pytest.raises(DataError, match=f"entry {index}: its {name} "):
            make(view, tmp_path / "out", everything(view), everything(view))
        assert list(tmp_path.iterdir()) == []


def test_what_was_altered_is_not_archived(tmp_path: Path, views: list[MemoryView]) -> None:
    for what in ("raw_contents", "raw_rows", "raw_headers"):
        for event in (5, 20):
            view = MemoryView.of(views[-1])
            index = [i for i, _ in view.all_rows(0, view.size)][event]
            raw = getattr(view, what)
            raw[index] = raw[index][:-1] + bytes((raw[index][-1] ^ 1,))
            with pytest.raises(DataError, match="verify"):
                make(view, tmp_path / "out", everything(view), everything(view))
    assert list(tmp_path.iterdir()) == []


def test_headers_outside_are_held_against_the_checkpoint_too(tmp_path: Path, views: list[MemoryView]) -> None:
    view = MemoryView.of(views[-1])
    view.raw_headers[30] = view.raw_headers[31]
    with pytest.raises(DataError, match="root of the checkpoint"):
        make(view, tmp_path / "out", ((5, 6),), ())
    assert list(tmp_path.iterdir()) == []


def test_ranges_behind_the_log_are_refused(tmp_path: Path, view: MemoryView) -> None:
    with pytest.raises(InputError, match="the log has"):
        make(view, tmp_path / "out", ((5, view.size + 1),), ())
    assert list(tmp_path.iterdir()) == []


def taking(path: Path) -> Callable[[int, int], None]:
    """Somebody else makes the file while we write."""
    return lambda _done, _total: (path.write_text("mine"), None)[1]


# ---- files -----------------------------------------------------------------------------------------


def test_an_archive_is_never_written_over(tmp_path: Path, view: MemoryView) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        write_archive(view, taken, ((5, 6),), (), KEYS.log)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="exists"):
        write_archive(view, dangling, ((5, 6),), (), KEYS.log)
    assert taken.read_text() == "mine"


def test_somebody_who_takes_the_name_meanwhile_keeps_it(tmp_path: Path, view: MemoryView) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="meanwhile"):
        write_archive(view, out, everything(view), (), KEYS.log, taking(out))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("out", "mine")]


def test_what_a_killed_process_left_is_written_over(tmp_path: Path, view: MemoryView) -> None:
    (tmp_path / "out.partial").write_bytes(b"x" * 1_000_000)
    holds(make(view, tmp_path / "out", everything(view), ()), view, everything(view), ())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_process_that_is_killed_leaves_no_archive(tmp_path: Path) -> None:
    sample_ledger(tmp_path / "ledger", packs=20, rounds=150)
    script = (
        "import sys, time\n"
        "from tracechain.archive import write_archive\n"
        "from tracechain.ledger import Ledger\n"
        "from tracechain.testing import Keys\n"
        "def stay(done, total):\n"
        "    print(done, total, flush=True)\n"
        "    time.sleep(60)\n"
        "with Ledger.open(sys.argv[1]) as ledger, ledger.snapshot() as view:\n"
        "    write_archive(view, sys.argv[2], ((0, view.size),), (), Keys().log, stay)\n"
    )
    out = tmp_path / "out"
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path / "ledger", out], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        done, total = map(int, child.stdout.readline().split())
        child.kill()
    assert 0 < done < total
    assert not out.exists()
    assert (tmp_path / "out.partial").exists()
    with Ledger.open(tmp_path / "ledger") as ledger, ledger.snapshot() as view:
        made = write_archive(view, out, ((0, view.size),), (), KEYS.log)
        assert made.entries == total
        assert check_archive(out, VERIFIER, view=view)
    assert not (tmp_path / "out.partial").exists()


def test_a_process_that_was_killed_once_the_file_had_its_name_does_no_harm(tmp_path: Path, view: MemoryView) -> None:
    """Both names are there. The archive was carried away since, and another is written under its name."""
    out, moved = make(view, tmp_path / "out", everything(view), ()), tmp_path / "moved"
    os.link(out, tmp_path / "out.partial")
    out.rename(moved)
    holds(make(view, tmp_path / "out", ((5, 6),), ()), view, ((5, 6),), ())
    holds(moved, view, everything(view), ())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["moved", "out"]


def test_two_who_write_the_same_file_do_not_mix(tmp_path: Path, view: MemoryView) -> None:
    out = tmp_path / "out"
    refused = []

    def meanwhile(_done: int, _total: int) -> None:
        with pytest.raises(InputError, match="being written"):
            write_archive(view, out, ((5, 6),), (), KEYS.log)
        refused.append(out.exists())

    write_archive(view, out, everything(view), (), KEYS.log, meanwhile)
    assert refused
    assert not any(refused)
    holds(out, view, everything(view), ())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_link_under_the_partial_name_is_not_followed(tmp_path: Path, view: MemoryView) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "out.partial").symlink_to(precious)
    with pytest.raises(StorageError, match=r"out\.partial"):
        make(view, tmp_path / "out", ((5, 6),), ())
    assert precious.read_text() == "mine"


def test_media_without_second_names_do(tmp_path: Path, view: MemoryView, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError(1, "not on this file system")

    monkeypatch.setattr(os, "link", link)
    holds(make(view, tmp_path / "out", everything(view), ()), view, everything(view), ())
    out = tmp_path / "two"
    with pytest.raises(InputError, match="meanwhile"):
        write_archive(view, out, everything(view), (), KEYS.log, taking(out))
    assert out.read_text() == "mine"


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """In a process of its own, which may write no file over 20,000 bytes."""
    sample_ledger(tmp_path / "ledger", packs=20, rounds=60)
    script = (
        "import resource, signal, sys\n"
        "from tracechain.archive import write_archive\n"
        "from tracechain.errors import StorageError\n"
        "from tracechain.ledger import Ledger\n"
        "from tracechain.testing import Keys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "with Ledger.open(sys.argv[1]) as ledger, ledger.snapshot() as view:\n"
        f"    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, {resource.RLIM_INFINITY}))\n"
        "    try:\n"
        "        write_archive(view, sys.argv[2], ((0, view.size),), (), Keys().log)\n"
        "    except StorageError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "ledger", tmp_path / "out"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert f"cannot write {tmp_path / 'out'}" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger", "ledger.anchor"]


def test_an_archive_is_for_its_owner_only(tmp_path: Path, view: MemoryView) -> None:
    assert make(view, tmp_path / "out", ((5, 6),), ()).stat().st_mode & 0o777 == 0o600


def test_what_is_not_there_is_said_so(tmp_path: Path, view: MemoryView) -> None:
    with pytest.raises(InputError, match="not there"):
        open_archive(tmp_path / "none")
    with pytest.raises(InputError, match="folder"):
        open_archive(tmp_path)
    with open_archive(make(view, tmp_path / "out", ((5, 6),), ())) as reader:
        for index in (4, 6, view.size, 1 << 50):
            with pytest.raises(InputError, match=f"entry {index} is not in"):
                reader.entry(index)
            with pytest.raises(InputError, match=f"entry {index} is not in"):
                reader.proof(index)


# ---- whose it is -----------------------------------------------------------------------------------


def test_a_key_of_its_own_may_seal_it(tmp_path: Path, view: MemoryView) -> None:
    archivist = KEYS.named("archivist")
    path = write_archive(view, tmp_path / "out", ((5, 20),), (), archivist).path
    assert check_archive(path, VERIFIER).codes == {Code.SEAL}
    assert check_archive(path, VERIFIER, signed_by=archivist.public_key)
    with open_archive(path) as reader, pytest.raises(KeyUseError, match="as asked for"):
        reader.authenticate(VERIFIER)
    with pytest.raises(VerificationError, match="ARCHIVE_SEAL"):
        check_archive(path, VERIFIER).raise_for_findings()


def test_the_name_of_an_archive_is_of_all_of_it(tmp_path: Path, views: list[MemoryView]) -> None:
    names = set()
    for number, (view, contents, rows) in enumerate(
        [
            (views[-1], ((5, 20),), ()), (views[-1], ((5, 21),), ()), (views[-1], ((5, 20),), ((5, 6),)),
            (views[-2], ((5, 20),), ()),
        ]
    ):  # fmt: skip
        made = write_archive(view, tmp_path / str(number), contents, rows, KEYS.log)
        assert len(made.digest) == 32
        names.add(made.digest)
    assert len(names) == 4


# ---- against the ledger ----------------------------------------------------------------------------


def test_a_ledger_that_lost_what_was_archived_still_proves_it(tmp_path: Path, views: list[MemoryView]) -> None:
    path = make(views[5], tmp_path / "out", everything(views[5]), everything(views[5]))
    pruned = MemoryView.of(views[-1])
    for index in range(views[5].size):
        pruned.raw_contents.pop(index, None)
        pruned.raw_rows.pop(index, None)
    report = check_archive(path, VERIFIER, view=pruned)
    assert report
    assert report.links == 18
    assert report.against_ledger
    assert not any("ledger" in note for note in report.notes)


def test_another_header_in_the_ledger_is_found(tmp_path: Path, views: list[MemoryView]) -> None:
    path = make(views[5], tmp_path / "out", ((5, 9),), ((20, 24),))
    altered = MemoryView.of(views[-1])
    altered.raw_headers[6] = altered.raw_headers[7]
    report = check_archive(path, VERIFIER, view=altered)
    assert {(finding.code, finding.index) for finding in report.findings} >= {(Code.LEDGER, 6)}
    missing = MemoryView.of(views[-1])
    del missing.raw_headers[6]
    assert (Code.LEDGER, 6) in {(f.code, f.index) for f in check_archive(path, VERIFIER, view=missing).findings}


def test_an_entry_before_that_is_another_in_the_ledger_is_found(tmp_path: Path, views: list[MemoryView]) -> None:
    view = views[-1]
    at = max(index for index, header in view.headers(0, view.size) if header[4] == EntryType.EVENT)
    path = make(view, tmp_path / "out", (), ((at, at + 1),))
    with open_archive(path) as reader:
        previous = min(reader.entry(at).leaves)
    altered = MemoryView.of(view)
    altered.raw_headers[previous] = altered.raw_headers[previous + 1]
    found = {(finding.code, finding.index) for finding in check_archive(path, VERIFIER, view=altered).findings}
    assert (Code.LEDGER, previous) in found


def test_another_ledger_and_an_older_one_are_told(tmp_path: Path, views: list[MemoryView]) -> None:
    path = make(views[-1], tmp_path / "out", ((5, 9),), ())
    older = check_archive(path, VERIFIER, view=views[3])
    assert older.codes == {Code.LEDGER}
    assert "the ledger has" in older.findings[0].detail
    sample_ledger(tmp_path / "fork", rounds=10)
    with Ledger.open(tmp_path / "fork") as ledger, ledger.snapshot() as fork:
        assert fork.size > views[-1].size
        assert "a fork" in check_archive(path, VERIFIER, view=fork).findings[0].detail
    with new_ledger(tmp_path / "other", random=Random(5)) as ledger:
        ledger.append([observe(pack_ids(1))] * views[-1].size)
        with ledger.snapshot() as other:
            assert "another ledger" in check_archive(path, VERIFIER, view=other).findings[0].detail
