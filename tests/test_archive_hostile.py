"""Archives that were altered, cut short, forged by whoever holds the log key, or made to hurt their reader."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from archive_samples import KEYS, VERIFIER, VKEY, Draft, make, sample_views
from standalone_archive import main as standalone
from tracechain import encoding
from tracechain.archive import Code, check_archive, open_archive
from tracechain.archive.directory import BEGIN, BLOCK_MOST, DIRECTORY_MOST, END, SEAL_MOST, TRAILER, Directory, Seal
from tracechain.archive.parts import Held
from tracechain.checkpoint import Checkpoint, NoteSigner, sign_checkpoint
from tracechain.entry import HEADER_SIZE
from tracechain.errors import DataError, DecodeError
from tracechain.testing import ORIGIN, MemoryView

LAST = TRAILER.size


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> MemoryView:
    return sample_views(tmp_path_factory.mktemp("hostile"))[-1]


@pytest.fixture(scope="module")
def archive(view: MemoryView, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small archive with everything: two blocks, gaps, contents with and without rows."""
    return make(view, tmp_path_factory.mktemp("hostile") / "small", ((6, 9), (40, 42)), ((7, 9), (20, 21), (33, 34)))


@pytest.fixture
def draft(archive: Path) -> Draft:
    return Draft.of(archive)


def found_in(path: Path) -> bool:
    """Whether anything is found in an archive."""
    try:
        return not check_archive(path, VERIFIER)
    except DataError:
        return True


def script_finds(path: Path) -> bool:
    """Whether the script finds something. Anything that goes wrong in it is a mismatch."""
    try:
        standalone(str(path), VKEY)
    except Exception:  # noqa: BLE001  it says so in one line, whatever it is
        return True
    return False


def codes(path: Path) -> set[Code]:
    """What is found, by the library; the script finds something too."""
    assert script_finds(path)
    return set(check_archive(path, VERIFIER).codes)


# ---- bytes -----------------------------------------------------------------------------------------


def test_every_byte_that_is_turned_over_is_found(archive: Path, tmp_path: Path) -> None:
    data, path = archive.read_bytes(), tmp_path / "flipped"
    assert len(data) > 2500
    missed = []
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :])
        if not found_in(path):
            missed.append(at)
    assert missed == []
    assert not found_in(archive)


def test_the_script_finds_them_too(archive: Path, tmp_path: Path) -> None:
    data, path = archive.read_bytes(), tmp_path / "flipped"
    missed = []
    for at in range(0, len(data), 3):
        path.write_bytes(data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :])
        if not script_finds(path):
            missed.append(at)
    assert missed == []
    assert not script_finds(archive)


def test_what_is_cut_short_or_goes_on_is_no_archive(archive: Path, tmp_path: Path) -> None:
    data, path = archive.read_bytes(), tmp_path / "cut"
    for length in [*range(0, len(data), 11), *range(len(data) - 40, len(data))]:
        path.write_bytes(data[:length])
        with pytest.raises(DataError):
            open_archive(path)
    for more in (data + b"\0", b"\0" + data, data[:16] + b"\0" + data[16:], data[:-LAST] + b"\0" + data[-LAST:]):
        path.write_bytes(more)
        with pytest.raises(DataError):
            open_archive(path)


@given(data=st.binary(max_size=300), middle=st.binary(max_size=200), lengths=st.tuples(*[st.integers(0, 300)] * 2))
def test_noise_is_refused(
    data: bytes, middle: bytes, lengths: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise"
    for one in (data, BEGIN + middle + TRAILER.pack(*lengths, END)):
        path.write_bytes(one)
        with pytest.raises(DataError):
            open_archive(path)


# ---- what the holder of the key could say ----------------------------------------------------------


def test_taken_apart_and_put_together_it_is_the_same(draft: Draft, archive: Path, tmp_path: Path) -> None:
    assert draft.write(tmp_path / "again").read_bytes() == archive.read_bytes()


def block_with(draft: Draft, what: str) -> tuple[int, Held, int]:
    """The first block that holds something, and where in it."""
    for number, (_, held) in enumerate(draft.blocks):
        for at, part in enumerate(getattr(held, what)):
            if part is not None:
                return number, held, at
    raise AssertionError(f"no block has {what}")


@pytest.mark.parametrize(
    ("what", "code"), [("contents", Code.CONTENT), ("rows", Code.ROWS), ("leaves", Code.ROWS), ("nodes", Code.TREE)]
)
def test_another_part_is_found(draft: Draft, tmp_path: Path, what: str, code: Code) -> None:
    _, held, at = block_with(draft, what)
    parts: list[Any] = getattr(held, what)
    parts[at] = bytes((parts[at][0] ^ 1,)) + parts[at][1:]
    assert codes(draft.write(tmp_path / "out")) == {code}


@pytest.mark.parametrize("what", ["contents", "rows"])
def test_two_parts_that_changed_places_are_found(draft: Draft, tmp_path: Path, view: MemoryView, what: str) -> None:
    path = make(view, tmp_path / "two", ((3, 11),), ((3, 11),))
    draft = Draft.of(path)
    _, held, _ = block_with(draft, what)
    parts: list[Any] = getattr(held, what)
    alike = [
        n
        for n, part in enumerate(parts)
        if part is not None and sum(p is not None and len(p) == len(part) for p in parts) > 1
    ]
    one, two = [n for n in alike if len(parts[n]) == len(parts[alike[0]])][:2]
    parts[one], parts[two] = parts[two], parts[one]
    assert codes(draft.write(tmp_path / "out")) == {Code.CONTENT if what == "contents" else Code.ROWS}


def test_another_header_is_found(draft: Draft, tmp_path: Path) -> None:
    _, held, at = block_with(draft, "contents")
    header = held.headers[at]
    held.headers[at] = header[:15] + bytes((header[15] ^ 1,)) + header[16:]
    assert codes(draft.write(tmp_path / "out")) == {Code.TREE, Code.COUNTS}
    assert codes(draft.write(tmp_path / "two", lost=bytes(32))) == {Code.TREE, Code.COUNTS}


def test_another_subtree_or_node_is_found(draft: Draft, tmp_path: Path) -> None:
    path = draft.write(tmp_path / "out", lines=lambda lines: [evolve(lines[0], root=bytes(32)), *lines[1:]])
    assert codes(path) == {Code.TREE}
    draft.directory = evolve(draft.directory, nodes=(bytes(32), *draft.directory.nodes[1:]))
    assert codes(draft.write(tmp_path / "node")) == {Code.TREE}


@pytest.mark.parametrize("name", ["contents", "rows"])
def test_wrong_counts_are_found(draft: Draft, tmp_path: Path, name: str) -> None:
    path = draft.write(tmp_path / "out", **{name: getattr(draft.seal, name) + 1})
    assert codes(path) == {Code.COUNTS}


def test_a_wrong_digest_and_a_wrong_ledger_are_found(draft: Draft, tmp_path: Path) -> None:
    assert codes(draft.write(tmp_path / "lost", lost=bytes(32))) == {Code.COUNTS}
    assert codes(draft.write(tmp_path / "id", ledger_id=bytes(32))) == {Code.LEDGER}


def test_a_seal_of_a_stranger_is_found(draft: Draft, tmp_path: Path) -> None:
    path = draft.write(tmp_path / "out", signer=KEYS.stranger)
    assert codes(path) == {Code.SEAL}
    # And one who writes the log's key over his own.
    data = path.read_bytes()
    assert data.count(KEYS.stranger.public_key.raw) == 1
    path.write_bytes(data.replace(KEYS.stranger.public_key.raw, KEYS.log.public_key.raw))
    assert codes(path) == {Code.SEAL}


def test_a_checkpoint_of_a_stranger_is_found(draft: Draft, tmp_path: Path) -> None:
    head = draft.directory.checkpoint
    draft.directory = evolve(draft.directory, note=sign_checkpoint(head, [NoteSigner(ORIGIN, KEYS.stranger)]))
    assert codes(draft.write(tmp_path / "out")) == {Code.CHECKPOINT}


def test_a_checkpoint_of_another_tree_is_refused(draft: Draft, tmp_path: Path) -> None:
    head = draft.directory.checkpoint
    for other in (Checkpoint(head.origin, head.size, bytes(32)), Checkpoint(head.origin, head.size + 1, head.root)):
        draft.directory = evolve(draft.directory, note=sign_checkpoint(other, [NoteSigner(ORIGIN, KEYS.log)]))
        refused(draft.write(tmp_path / "out"), "checkpoint|nodes")
    note = sign_checkpoint(Checkpoint(head.origin, head.size, bytes(32)), [NoteSigner(ORIGIN, KEYS.log)])
    draft.directory = evolve(draft.directory, note=note)
    assert codes(draft.write(tmp_path / "both", root=bytes(32))) == {Code.TREE}


# ---- forms that are none ---------------------------------------------------------------------------


def refused(path: Path, message: str) -> None:
    """The library does not open it, the script finds something."""
    with pytest.raises(DecodeError, match=message):
        open_archive(path)
    assert script_finds(path)


Lines = Callable[[list[Any]], list[Any]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (lambda lines: lines[:-1], "in none of its blocks"),
        (lambda lines: [*lines, lines[-1]], "do not follow each other"),
        (lambda lines: lines[::-1], "do not follow each other"),
        (lambda lines: [evolve(lines[0], height=17), *lines[1:]], "no subtree of the log"),
        (lambda lines: [evolve(lines[0], height=255), *lines[1:]], "no subtree of the log"),
        (lambda lines: [evolve(lines[0], start=1), *lines[1:]], "no subtree of the log"),
        (lambda lines: [*lines[:-1], evolve(lines[-1], start=1 << 63)], "no subtree of the log"),
        (lambda lines: [evolve(lines[0], plain=BLOCK_MOST + 1), *lines[1:]], "over what is read"),
        (lambda lines: [evolve(lines[0], unpacked=BLOCK_MOST + 1), *lines[1:]], "over what is read"),
        (lambda lines: [evolve(lines[0], packed=lines[0].unpacked + 1), *lines[1:]], "over what is read"),
        (lambda lines: [evolve(lines[0], plain=lines[0].plain + 1), *lines[1:]], "more or fewer bytes"),
        (lambda lines: [evolve(lines[0], plain=0), *lines[1:]], "more or fewer bytes"),
        (lambda lines: [evolve(lines[0], height=0), *lines[1:]], "in none of its blocks|more or fewer nodes"),
    ],
)
def test_blocks_that_are_not_those_of_the_sets_are_refused(
    draft: Draft, tmp_path: Path, lines: Lines, message: str
) -> None:
    refused(draft.write(tmp_path / "out", lines=lines), message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contents": ((6, 9),)}, "nothing is held of it|in none|more or fewer|counts"),
        ({"contents": ((6, 9), (40, 42), (59, 1000))}, "its checkpoint of"),
        ({"nodes": ()}, "more or fewer nodes"),
        ({"note": "no note"}, "note"),
        ({"note": "x" * 70_000}, "impossible length"),
    ],
)
def test_directories_that_do_not_fit_are_refused(
    draft: Draft, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    draft.directory = evolve(draft.directory, **changes)
    with pytest.raises(DataError, match=message):
        open_archive(draft.write(tmp_path / "out"))
    assert script_finds(tmp_path / "out")


def test_a_directory_has_one_spelling(draft: Draft) -> None:
    items: Any = encoding.unpack_strict(draft.directory.encode(), DIRECTORY_MOST)
    note, contents, rows, blocks, nodes = items
    assert Directory.decode(encoding.pack((note, contents, rows, blocks, nodes))) == draft.directory
    for bad in (
        (note, contents, rows, blocks),
        (note, contents, rows, blocks, nodes, None),
        (note, (*contents, 0, 1), rows, blocks, nodes),
        (note, (*contents, 1), rows, blocks, nodes),
        (note, (*contents, 1, 0), rows, blocks, nodes),
        (note, (*contents, 1, 1 << 40), rows, blocks, nodes),
        (note, None, rows, blocks, nodes),
        (note, contents, rows, blocks + b"\0", nodes),
        (note, contents, rows, blocks, nodes + b"\0"),
        (b"\xff" + note, contents, rows, blocks, nodes),
        (note.decode(), contents, rows, blocks, nodes),
    ):
        with pytest.raises(DataError):
            Directory.decode(encoding.pack(bad))
    long = b"\x95\xdc\x00\x00" + draft.directory.encode()[1:]
    with pytest.raises(DecodeError):
        Directory.decode(long)


def test_a_seal_has_one_form(draft: Draft) -> None:
    items: Any = encoding.unpack_strict(draft.seal.encode())
    assert Seal.decode(encoding.pack(items)) == draft.seal
    for at in range(len(items)):
        for bad in (None, -1, True, b"", "text", 1 << 41):
            if at == 8 and bad is True:
                continue
            with pytest.raises(DataError):
                Seal.decode(encoding.pack((*items[:at], bad, *items[at + 1 :])))
    with pytest.raises(DataError):
        Seal.decode(encoding.pack((*items, None)))


# ---- sizes that hurt -------------------------------------------------------------------------------


def unpacked_of(held: Held) -> bytes:
    parts = [part[32:] for column in (held.contents, held.rows) for part in column if part is not None]
    return b"".join([header[:64] for header in held.headers] + parts)


def test_lengths_of_directory_and_seal_are_capped(archive: Path, tmp_path: Path) -> None:
    data, path = archive.read_bytes(), tmp_path / "out"
    directory, seal, _ = TRAILER.unpack(data[-LAST:])
    for lengths in (
        ((1 << 64) - 1, seal), (DIRECTORY_MOST + 1, seal), (directory, (1 << 32) - 1), (directory, SEAL_MOST + 1),
        (len(data), seal), (0, 0),
    ):  # fmt: skip
        path.write_bytes(data[:-LAST] + TRAILER.pack(*lengths, END))
        refused(path, "longer than what is read|begin before it does|canonical")


def test_a_block_that_unpacks_to_more_than_it_says_is_not_unpacked(draft: Draft, tmp_path: Path) -> None:
    """256 MiB of zeros in a few bytes, under a right hash and a right signature."""
    block, held = draft.blocks[0]
    with open_archive(draft.write(tmp_path / "fine")) as reader:
        plain = reader._stream.read()[: block.plain] if reader._stream.seek(16) else b""
    squeezed = zlib.compressobj(9)
    bomb = b"".join(squeezed.compress(bytes(1 << 24)) for _ in range(16)) + squeezed.flush()
    for unpacked in (block.unpacked, BLOCK_MOST):
        draft.store(0, plain, bomb[:unpacked], unpacked)
        path = draft.write(tmp_path / f"bomb {unpacked}")
        tracemalloc.start()
        assert Code.BLOCK in codes(path)
        assert tracemalloc.get_traced_memory()[1] < 6 * BLOCK_MOST
        tracemalloc.stop()
    assert len(held.headers) > 1


@pytest.mark.parametrize("case", ["short", "long", "cut", "two streams", "no stream", "empty"])
def test_a_block_that_does_not_unpack_to_its_length_is_found(draft: Draft, tmp_path: Path, case: str) -> None:
    block, held = draft.blocks[0]
    data = draft.write(tmp_path / "fine").read_bytes()
    plain, meant = data[16 : 16 + block.plain], unpacked_of(held)
    packed = zlib.compress(meant)
    length = len(meant)
    match case:
        case "short":
            packed = zlib.compress(meant[:-1])
        case "long":
            packed = zlib.compress(meant + b"\0")
        case "cut":
            packed = packed[:-1]
        case "two streams":
            packed += zlib.compress(b"")
        case "no stream":
            packed = b"\0" * len(packed)
        case "empty":
            plain, packed, length = b"", b"", 0
    draft.store(0, plain, packed, length)
    found = codes(draft.write(tmp_path / "out"))
    assert found == {Code.BLOCK, Code.COUNTS}
    draft.store(0, data[16 : 16 + block.plain], zlib.compress(meant, 9), len(meant))
    assert check_archive(draft.write(tmp_path / "other level"), VERIFIER)


@pytest.mark.parametrize("more", [b"\0", bytes(32), bytes(64)])
def test_bytes_that_belong_to_nothing_are_found(draft: Draft, tmp_path: Path, more: bytes) -> None:
    block, held = draft.blocks[0]
    data = draft.write(tmp_path / "fine").read_bytes()
    plain, meant = data[16 : 16 + block.plain], unpacked_of(held)
    draft.store(0, plain + more, meant, len(meant))
    assert Code.BLOCK in codes(draft.write(tmp_path / "plain"))
    draft.store(0, plain, meant + more, len(meant) + len(more))
    assert Code.BLOCK in codes(draft.write(tmp_path / "meant"))
    draft.store(0, plain[:-32], meant, len(meant))
    assert Code.BLOCK in codes(draft.write(tmp_path / "less"))


def test_a_header_with_lengths_that_none_has_is_found(draft: Draft, tmp_path: Path) -> None:
    """Lengths in headers lead through a block, and a hostile one must not lead far."""
    _, held, at = block_with(draft, "rows")
    for field, value in ((40, 0), (44, 1 << 31), (48, (1 << 32) - 1), (48, 0)):
        twin = Draft.of(draft.write(tmp_path / "fine"))
        number, other, _ = block_with(twin, "rows")
        other.headers[at] = held.headers[at][:field] + value.to_bytes(4, "big") + held.headers[at][field + 4 :]
        assert len(other.headers[at]) == HEADER_SIZE
        meant = unpacked_of(other)
        data = (tmp_path / "fine").read_bytes()
        start = 16 + sum(block.size for block, _ in twin.blocks[:number])
        twin.store(number, data[start : start + twin.blocks[number][0].plain], meant, len(meant))
        assert Code.BLOCK in codes(twin.write(tmp_path / "out"))


def test_rows_that_are_none_are_found(draft: Draft, tmp_path: Path) -> None:
    number, held, at = block_with(draft, "rows")
    rows = held.rows[at]
    assert rows is not None
    for bad in (b"\xc0", b"\x80", b"\xff", b"\x91\x01", b"\x92\x01\x90", b"\xcb" + bytes(8), b"\x92\x01\xa1x"):
        twin = Draft.of(draft.write(tmp_path / "fine"))
        twin.blocks[number][1].rows[at] = rows[:32] + (bad + rows[32 + len(bad) :])
        # The script does not ask whether bytes are canonical, so some of these are none of its business.
        assert check_archive(twin.write(tmp_path / "out"), VERIFIER).codes & {Code.BLOCK, Code.ROWS}


def test_a_row_that_names_a_later_entry_is_found(tmp_path: Path, view: MemoryView) -> None:
    """One row, so that its bytes can be altered in place; header and tree are made to fit as far as they can."""
    index = next(i for i, part in view.all_rows(20, view.size) if part[33:34] == b"\x01" and part[35:36] != b"\xff")
    draft = Draft.of(make(view, tmp_path / "one", (), ((index, index + 1),)))
    _, held, at = block_with(draft, "rows")
    rows = held.rows[at]
    assert rows is not None
    items: Any = encoding.unpack_strict(rows[32:])
    rule_set, *groups = items
    group = list(groups[0])
    group[3] = (1 << 40) - 1
    altered = rows[:32] + encoding.pack((rule_set, tuple(group), *groups[1:]))
    held.rows[at] = altered
    header = held.headers[at]
    held.headers[at] = header[:48] + (len(altered) - 32).to_bytes(4, "big") + header[52:]
    assert Code.BLOCK in codes(draft.write(tmp_path / "out"))
    with open_archive(tmp_path / "out") as reader, pytest.raises(DecodeError, match="as the one before"):
        reader.entry(index)


def test_an_entry_that_is_not_what_its_header_says_is_not_given(draft: Draft, tmp_path: Path) -> None:
    for what in ("contents", "rows"):
        twin = Draft.of(draft.write(tmp_path / "fine"))
        _, held, at = block_with(twin, what)
        parts: list[Any] = getattr(held, what)
        parts[at] = bytes((parts[at][0] ^ 1,)) + parts[at][1:]
        with open_archive(twin.write(tmp_path / "out")) as reader, pytest.raises(DataError, match="commits to"):
            reader.entry(held.indices[at])


def test_many_findings_are_counted(tmp_path: Path, view: MemoryView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracechain.archive.checking.MOST", 5)
    draft = Draft.of(make(view, tmp_path / "all", ((0, view.size),), ()))
    for _, held in draft.blocks:
        held.contents[:] = [None if part is None else bytes(32) + part[32:] for part in held.contents]
    report = check_archive(draft.write(tmp_path / "out"), VERIFIER)
    assert (len(report.findings), report.beyond) == (5, report.contents - 5)
    assert not report
