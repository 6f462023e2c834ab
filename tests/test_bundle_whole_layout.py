"""The layout of whole bundles is that of C2SP tlog-tiles: paths, widths and hashes are worked out here once more, from
the rules alone."""

from __future__ import annotations

import json
import struct
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracechain.bundle import names
from tracechain.bundle.container import WrongFileError, open_container
from tracechain.bundle.names import EXCERPT, WHOLE, Tile
from tracechain.bundle.tiled import Tiling, decode_headers, decode_parts, encode_headers, encode_parts
from tracechain.bundle.whole import export_whole
from tracechain.checkpoint import Checkpoint, NoteSigner, sign_checkpoint
from tracechain.errors import DataError, InputError
from tracechain.replay import MemoryView
from tracechain.testing import Keys

# ---- the rules, once more ----------------------------------------------------------------------------


def leaf(data: bytes) -> bytes:
    return sha256(b"\0" + data).digest()


def tree(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return sha256(b"\1" + tree(leaves[:cut]) + tree(leaves[cut:])).digest()


def written(number: int) -> str:
    """`<N>`: zero-padded groups of three digits, x before all but the last."""
    digits = str(number)
    digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join(["x" + one for one in groups[:-1]] + groups[-1:])


def tiled(size: int) -> dict[str, tuple[int, int, int]]:
    """Path -> (level, first hash, number of hashes) of the tiles of a tree, and of the entry bundles."""
    found = {}
    level = 0
    while size >> (8 * level):
        hashes = size >> (8 * level)
        for number in range(hashes // 256):
            found[f"tile/{level}/{written(number)}"] = level, 256 * number, 256
        if hashes % 256:
            found[f"tile/{level}/{written(hashes // 256)}.p/{hashes % 256}"] = (
                level,
                hashes - hashes % 256,
                hashes % 256,
            )
        level += 1
    for path, (at, first, count) in list(found.items()):
        if at == 0:
            found[path.replace("tile/0/", "tile/entries/")] = -1, first, count
    return found


# ---- a log of any size -------------------------------------------------------------------------------


def made_up(size: int, step: int = 3) -> MemoryView:
    """Headers that mean nothing, contents and rows of some of them, and a checkpoint of theirs."""
    headers = {index: index.to_bytes(128, "big") for index in range(size)}
    contents = {index: b"c" * 32 + bytes([index % 251]) * (index % 7 + 1) for index in range(0, size, step)}
    rows = {index: b"r" * 32 + index.to_bytes(4, "big") for index in range(0, size, 2 * step)}
    root = sized_root(size)
    note = sign_checkpoint(Checkpoint("made.example", size, root), [NoteSigner("made.example", Keys().log)])
    return MemoryView(headers, contents, rows, note, size, {})


def sized_root(size: int) -> bytes:
    level = [leaf(index.to_bytes(128, "big")) for index in range(size)]
    while len(level) > 1:
        pairs = [sha256(b"\1" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537])
def test_tiles_are_those_of_the_rules(tmp_path: Path, size: int) -> None:
    view = made_up(size)
    out = tmp_path / "bundle.zip"
    done = export_whole(view, out, exported_ms=5)
    assert (done.size, done.contents, done.rows) == (size, len(view.raw_contents), len(view.raw_rows))
    leaves = [leaf(view.raw_headers[index]) for index in range(size)]
    with open_container(out) as container:
        found = {name for name in container.names() if name.startswith("tile/")}
        expected = tiled(size)
        assert found == set(expected)
        for path, (level, first, count) in expected.items():
            data = container.read(path, 1 << 20)
            if level == -1:
                step = [struct.pack(">H", 128) + view.raw_headers[at] for at in range(first, first + count)]
                assert data == b"".join(step)
                continue
            wide = 1 << (8 * level)
            assert data == b"".join(tree(leaves[at * wide : (at + 1) * wide]) for at in range(first, first + count))
        # What lies beside them, and nothing else.
        for kind, parts in (("contents", view.raw_contents), ("rows", view.raw_rows)):
            for path, (level, first, count) in expected.items():
                name = path.replace("tile/entries/", f"{kind}/")
                if level == -1:
                    stored = [parts.get(at, b"") for at in range(first, first + count)]
                    data = b"".join(struct.pack(">I", len(one)) + one for one in stored)
                    assert container.read(name, 1 << 20) == (data if any(stored) else None)
        others = {name for name in container.names() if not name.startswith(("tile/", "contents/", "rows/"))}
        assert others - {"verify_bundle.py"} == {"bundle.json", "README.txt", "checkpoint"}
        assert container.read("checkpoint", 1 << 16) == view.checkpoint.encode()
        said = json.loads(container.read("bundle.json", 1 << 16) or b"")
        assert said == {"format": "tracechain bundle v0", "kind": "whole", "exported": 5, "asked": ["the whole ledger"]}


def test_a_file_in_which_nothing_is_is_not_there(tmp_path: Path) -> None:
    view = made_up(600)
    for index in range(256, 512):
        view.raw_contents.pop(index, None)
        view.raw_rows.pop(index, None)
    export_whole(view, tmp_path / "bundle", exported_ms=0)
    assert {one.name for one in (tmp_path / "bundle" / "contents").iterdir()} == {"000", "002.p"}
    assert {one.name for one in (tmp_path / "bundle" / "rows").iterdir()} == {"000", "002.p"}


def test_a_folder_and_a_zip_hold_the_same_and_the_same_zip_is_made_again(tmp_path: Path) -> None:
    view = made_up(300)
    for name in ("a.zip", "b.zip", "folder"):
        export_whole(view, tmp_path / name, exported_ms=7)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with open_container(tmp_path / "a.zip") as packed, open_container(tmp_path / "folder") as plain:
        assert sorted(packed.names()) == sorted(plain.names())
        for name in packed.names():
            assert packed.read(name, 1 << 20) == plain.read(name, 1 << 20)


def test_what_cannot_be_checked_is_not_written(tmp_path: Path) -> None:
    view = made_up(300)
    kept = view.raw_headers.pop(299)
    with pytest.raises(DataError, match="entry 299: its header is missing"):
        export_whole(view, tmp_path / "bundle.zip", exported_ms=0)
    view.raw_headers[299] = kept[::-1]
    with pytest.raises(DataError, match="do not lead to the root"):
        export_whole(view, tmp_path / "bundle", exported_ms=0)
    view.raw_headers[299] = kept
    view.size = 299
    with pytest.raises(DataError, match="is of 300 entries, 299 are there"):
        export_whole(view, tmp_path / "bundle", exported_ms=0)
    view.size = 300
    with pytest.raises(InputError, match="at most 1024 texts"):
        export_whole(view, tmp_path / "bundle", exported_ms=0, asked=["x" * 1001])
    assert list(tmp_path.iterdir()) == []


# ---- names -------------------------------------------------------------------------------------------


def test_numbers_of_the_specification() -> None:
    assert names.format_number(1_234_067) == "x001/x234/067" == written(1_234_067)
    assert names.format_number(0) == "000"
    assert names.format_number(1000) == "x001/000"


@given(st.integers(0, (1 << 40) - 1))
def test_numbers_have_one_spelling(number: int) -> None:
    text = names.format_number(number)
    assert text == written(number)
    assert names.parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "0", "00", "0000", "x000/000", "x00/000", "1000", "001/000", "x001/x000", "x001/0", "X001/000", "x001//000",
     "-01", "+01", " 01", "0_1", "００１", "x999/x999/x999/x999/999", "x" * 400, "000/"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    assert names.parse_number(text) is None
    assert WHOLE.parse(f"tile/0/{text}") is None


@given(
    st.integers(0, 5), st.integers(0, 1 << 30), st.integers(1, 256), st.integers(0, 1 << 39), st.integers(0, 1 << 20)
)
def test_every_name_is_parsed_to_what_it_was_made_of(level: int, number: int, width: int, index: int, k: int) -> None:
    tile = Tile(level, number, width)
    flat = Tile(0, number, width)
    said = {
        names.tile_name(tile): tile, names.entries_name(flat): flat, names.contents_name(flat): flat,
        names.rows_name(flat): flat,
    }  # fmt: skip
    for name, place in said.items():
        found = WHOLE.parse(name)
        assert found is not None
        assert found.tile == place
        assert EXCERPT.parse(name) is None
    for layout, name in (
        (WHOLE, names.seal_name(index)),
        (WHOLE, names.witnessed_name(index)),
        (EXCERPT, names.witnessed_name(index)),
        (EXCERPT, names.consistency_name(index)),
        (EXCERPT, names.entry_name(index)),
        (EXCERPT, names.proof_name(index)),
        (WHOLE, names.private_name(index, k)),
        (EXCERPT, names.private_name(index, k)),
    ):
        found = layout.parse(name)
        assert found is not None
        assert found.index == index
        assert found.number == (k if name.startswith("private/") else None)
        assert layout.cap(name) == found.cap


@pytest.mark.parametrize(
    "name",
    ["tile", "tile/", "tile/0", "tile/0/", "tile/00/000", "tile/10/000", "tile/-1/000", "tile/٣/000", "tile/0/000.p",
     "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/+1", "tile/0/000.p/1/",
     "tile/entries", "tile/entries/x", "tile/x/000", "Tile/0/000", "tile//0/000", "contents/000.P/1", "rows/000 ",
     "seals/01", "seals/-1", "seals/", "seals/1e3", "seals/99999999999999", "witnessed/x", "private/1.json",
     "private/1-2.JSON", "private/1-2", "private/-2.json", "private/01-2.json", "private/1-2-3.json", "checkpoint/",
     "Checkpoint", "bundle.json ", "a", "seal/items", "entries/000.entry", "consistency/5", ""],
)  # fmt: skip
def test_what_is_no_name_of_a_whole_bundle(name: str) -> None:
    assert WHOLE.parse(name) is None
    assert WHOLE.cap(name) is None


# ---- the files --------------------------------------------------------------------------------------


@given(st.lists(st.binary(min_size=128, max_size=128), min_size=1, max_size=5))
def test_headers_come_back(headers: list[bytes]) -> None:
    data = encode_headers(headers)
    assert decode_headers(data, len(headers)) == headers
    for wrong in (
        data[:-1],
        data + b"\0",
        data[1:],
        b"",
        data + data[:130],
        b"\1" + data[1:],
        data[:1] + b"\x7f" + data[2:],
    ):
        with pytest.raises(WrongFileError):
            decode_headers(wrong, len(headers))


@given(st.lists(st.none() | st.binary(min_size=1, max_size=20), min_size=1, max_size=6).filter(any))
def test_parts_come_back(parts: list[bytes | None]) -> None:
    data = encode_parts(parts)
    assert decode_parts(data, len(parts)) == parts
    for wrong in (data[:-1], data + b"\0", b"", data + b"\0\0\0\1", data[1:]):
        with pytest.raises(WrongFileError):
            decode_parts(wrong, len(parts))
    with pytest.raises(WrongFileError):
        decode_parts(data, len(parts) + 1)
    with pytest.raises(WrongFileError):
        decode_parts(bytes(4 * len(parts)), len(parts))


def test_a_length_of_gigabytes_costs_nothing() -> None:
    with pytest.raises(WrongFileError):
        decode_parts(b"\xff\xff\xff\xff" + b"x" * 100, 3)


def test_what_is_over_an_unknown_leaf_is_unknown() -> None:
    tiling = Tiling()
    leaves: list[bytes | None] = [bytes([at % 256]) * 32 for at in range(600)]
    leaves[300] = None
    found = {place: data for start in range(0, 600, 256) for place, data in tiling.add(leaves[start : start + 256])}
    found |= dict(tiling.finish())
    assert {(place.level, place.number): data is None for place, data in found.items()} == {
        (0, 0): False, (0, 1): True, (0, 2): False, (1, 0): True,
    }  # fmt: skip
