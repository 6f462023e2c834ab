"""Containers come from strangers: what a folder or zip may hold, what makes it unreadable, what is a wrong file; and a
bundle gets its name whole or not at all."""

from __future__ import annotations

import os
import socket
import stat
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain.bundle.container import (
    UnreadableError,
    WrongFileError,
    create_container,
    open_container,
)
from tracechain.bundle.manifest import Manifest, read_manifest
from tracechain.errors import InputError, StorageError

MANIFEST = Manifest("whole", 1, ("all",))
FILES = {"bundle.json": MANIFEST.encode(), "checkpoint": b"note", "tile/0/000.p/3": b"h" * 96, "contents/x001/000": b""}


def write(path: Path, files: dict[str, bytes] | None = None) -> Path:
    with create_container(path) as writer:
        for name, data in (FILES if files is None else files).items():
            writer.put(name, data)
    return path


@pytest.fixture(params=["bundle", "bundle.zip", "bundle.ZIP"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


# ---- writing -----------------------------------------------------------------------------------------


def test_what_is_written_is_read(path: Path) -> None:
    write(path)
    assert path.is_dir() == (path.suffix == "")
    with open_container(path) as container:
        assert sorted(container.names()) == sorted(FILES)
        for name, data in FILES.items():
            assert container.read(name, len(data)) == data
            assert container.length(name) == len(data)
            with pytest.raises(WrongFileError, match="it may have"):
                container.read(name, len(data) - 1)
            with container.open(name) as stream:
                assert stream is not None
                pieces = [stream.read(7) for _ in range(len(data) // 7 + 2)]
                assert b"".join(pieces) == data
        for name in ("tile", "tile/0/001", "checkpoint/x", "none"):
            assert container.length(name) is None
            assert container.read(name, 10) is None
        assert read_manifest(container) == MANIFEST
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_its_files_are_for_their_owner(path: Path) -> None:
    write(path)
    for one in (path, *path.rglob("*")):
        assert not one.stat().st_mode & 0o077


def test_nothing_is_written_over(path: Path) -> None:
    write(path)
    with pytest.raises(InputError, match="never written over"):
        write(path, {"bundle.json": b""})
    dangling = path.with_name("link.zip")
    dangling.symlink_to("nowhere")
    with pytest.raises(InputError, match="never written over"):
        write(dangling)
    with pytest.raises(InputError, match="is no folder"):
        write(path.parent / "none" / path.name)
    with open_container(path) as container:
        assert container.read("checkpoint", 4) == b"note"


def test_what_fails_leaves_nothing(path: Path) -> None:
    def fail() -> None:
        with create_container(path) as writer:
            writer.put("checkpoint", b"x")
            assert not path.exists()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert list(path.parent.iterdir()) == []


def test_who_takes_the_name_meanwhile_keeps_it(path: Path) -> None:
    def race() -> None:
        with create_container(path) as writer:
            writer.put("checkpoint", b"x")
            if path.suffix:
                path.write_bytes(b"theirs")
            else:
                path.mkdir()
                (path / "theirs").touch()

    with pytest.raises(InputError, match="made by somebody else"):
        race()
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == b"theirs" if path.suffix else (path / "theirs").exists()


def test_a_file_is_put_once(path: Path) -> None:
    def twice() -> None:
        with create_container(path) as writer:
            writer.put("checkpoint", b"x")
            writer.put("checkpoint", b"x")

    with pytest.raises(StorageError, match="checkpoint"):
        twice()
    assert not path.exists()


def test_a_killed_writer_leaves_no_bundle(path: Path) -> None:
    script = f"""
import os, signal
from tracechain.bundle.container import create_container
with create_container({os.fspath(path)!r}) as writer:
    for number in range(100):
        writer.put(f"tile/0/{{number:03}}", b"x" * 1000)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -9
    assert not path.exists()
    write(path)  # what it left is in nobody's way
    with open_container(path) as container:
        assert sorted(container.names()) == sorted(FILES)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.sampled_from(("a", "b/c", "b/d", "e/f/g")), st.binary(max_size=3000), max_size=4))
def test_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("x", "x.zip"):
        with open_container(write(folder / name, files)) as container:
            assert {one: container.read(one, 3000) for one in container.names()} == files


# ---- what is no bundle -------------------------------------------------------------------------------


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        open_container(tmp_path / "none")


@pytest.mark.parametrize("data", [b"", b"x", b"PK", b"PK\3\4" + bytes(100), b"PK\5\6" + b"\xff" * 18, bytes(70_000)])
def test_what_is_no_zip(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(UnreadableError, match="no zip file"):
        open_container(tmp_path / "x.zip")


def test_what_is_neither_file_nor_folder() -> None:
    with pytest.raises(UnreadableError, match="neither a folder nor a zip"):
        open_container("/dev/null")


def link(folder: Path) -> None:
    (folder / "checkpoint").unlink()
    (folder / "checkpoint").symlink_to("bundle.json")


def link_of_folder(folder: Path) -> None:
    (folder / "tile").rename(folder / "elsewhere")
    (folder / "tile").symlink_to("elsewhere")


def circle(folder: Path) -> None:
    (folder / "rows").symlink_to("..")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "README.txt")


def a_socket(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.fspath(folder / "s"))


def backslash(folder: Path) -> None:
    (folder / "tile\\0").touch()


@pytest.mark.parametrize("make", [link, link_of_folder, circle, pipe, a_socket, backslash])
def test_a_folder_with_what_is_no_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    folder = write(tmp_path / "b")
    make(folder)
    with open_container(folder) as container:
        with pytest.raises(UnreadableError):
            list(container.names())
        with pytest.raises(UnreadableError):
            read_manifest(container)


def test_no_link_is_followed_that_came_later(tmp_path: Path) -> None:
    folder = write(tmp_path / "b")
    with open_container(folder) as container:
        link(folder)
        with pytest.raises(UnreadableError, match="is a link"):
            container.read("checkpoint", 1000)


# ---- zips --------------------------------------------------------------------------------------------


def zipped(path: Path, *files: tuple[str | zipfile.ZipInfo, bytes], packed: bool = True) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        archive.writestr("bundle.json", MANIFEST.encode())
        for name, data in files:
            archive.writestr(name, data)
    return path


def special(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "tile/../../x", "tile/..", "a\\b", "..", "/", "//x", "C:\\x", "\\\\host\\x"]
)
def test_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableError, match="leads elsewhere"):
        open_container(zipped(tmp_path / "x.zip", (name, b"x")))


@pytest.mark.parametrize("name", ["..x", "x..", "a/..b", "C:", "~", "a:b", "é", "中", ".", "./a", "a//b", "-"])
def test_names_that_only_are_not_listed(tmp_path: Path, name: str) -> None:
    with open_container(zipped(tmp_path / "x.zip", (name, b"x"))) as container:
        assert read_manifest(container).layout.parse(name) is None
        assert container.read(name, 1) == b"x"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR])
def test_what_is_no_regular_file(tmp_path: Path, kind: int) -> None:
    with pytest.raises(UnreadableError, match="no regular file"):
        open_container(zipped(tmp_path / "x.zip", (special("checkpoint", kind | 0o777), b"bundle.json")))


def test_a_folder_in_a_zip_is_no_listed_name(tmp_path: Path) -> None:
    with open_container(zipped(tmp_path / "x.zip", (special("tile/", stat.S_IFDIR | 0o755), b""))) as container:
        assert list(container.names()) == ["bundle.json", "tile/"]


def test_a_name_twice(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "x.zip", ("checkpoint", b"one"), ("checkpoint", b"two"))
    with pytest.raises(UnreadableError, match="twice"):
        open_container(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_method(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        archive.writestr("checkpoint", b"x")
    with pytest.raises(UnreadableError, match=f"method {method}"):
        open_container(tmp_path / "x.zip")


def directory_at(data: bytes, name: bytes) -> int:
    """Where the directory at the end begins to speak of a name."""
    at = data.rindex(name) - 46
    assert data[at : at + 4] == b"PK\1\2"
    return at


def altered(path: Path, name: str, at: int, value: bytes, *, local: bool = False) -> Path:
    data = bytearray(path.read_bytes())
    start = data.index(name.encode()) - 30 if local else directory_at(bytes(data), name.encode())
    data[start + at : start + at + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("flag", [0x0001, 0x0020, 0x0040, 0x2000])
def test_encryption(tmp_path: Path, flag: int) -> None:
    path = altered(zipped(tmp_path / "x.zip", ("checkpoint", b"x")), "checkpoint", 8, struct.pack("<H", flag))
    with pytest.raises(UnreadableError, match="encrypted"):
        open_container(path)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("at", "value", "local"),
    [
        (16, b"\1\2\3\4", False),  # checksum
        (24, struct.pack("<I", 39), False),  # length
        (24, struct.pack("<I", 41), False),
        (24, struct.pack("<I", 0), False),
        (20, struct.pack("<I", 3), False),  # packed length
        (20, struct.pack("<I", 1 << 20), False),
        (42, struct.pack("<I", 1), False),  # where it begins
        (42, struct.pack("<I", 1 << 31), False),
        (0, b"PK\1\2", True),
        (30, b"X", True),  # another name
        (26, struct.pack("<H", 9), True),  # length of the name
    ],
)
def test_a_file_that_is_not_as_stated(tmp_path: Path, packed: bool, at: int, value: bytes, local: bool) -> None:
    path = zipped(tmp_path / "x.zip", ("checkpoint", b"note" * 10), packed=packed)
    altered(path, "checkpoint", at, value, local=local)
    with open_container(path) as container:
        with pytest.raises(WrongFileError):
            container.read("checkpoint", 1 << 16)
        assert read_manifest(container) == MANIFEST  # others are as they were


def test_what_the_directory_does_not_state_does_not_count(tmp_path: Path) -> None:
    """Lengths, checksum and method of the local header are not looked at, nor is what lies between files."""
    path = zipped(tmp_path / "x.zip", ("checkpoint", b"note" * 10))
    altered(path, "checkpoint", 8, b"\xff" * 18, local=True)
    with open_container(path) as container:
        assert container.read("checkpoint", 40) == b"note" * 10


def test_a_stream_that_ends_early_or_goes_on(tmp_path: Path) -> None:
    meant = b"x" * 5000
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = packer.compress(meant) + packer.flush()
    for wrong in (stream + b"\0", stream + stream, stream[:-1], stream[:-4]):
        path = tmp_path / f"{len(wrong)}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("checkpoint", wrong)
        for at, value in (
            (10, struct.pack("<H", 8)),
            (16, struct.pack("<I", zlib.crc32(meant))),
            (24, struct.pack("<I", 5000)),
        ):
            altered(path, "checkpoint", at, value)
        with open_container(path) as container, pytest.raises(WrongFileError):
            container.read("checkpoint", 5000)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.zip", ("checkpoint", bytes(300 << 20)), ("tile/0/000", b"x"))
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        with open_container(path) as container:
            with pytest.raises(UnreadableError, match="it may have 65,536"):
                read_manifest(container)
            with pytest.raises(WrongFileError, match="it may have"):
                container.read("checkpoint", 1 << 16)
        # One that lies about its length is stopped where it said that it ends.
        altered(path, "checkpoint", 24, struct.pack("<I", 60_000))
        with open_container(path) as container:
            assert read_manifest(container) == MANIFEST
            with pytest.raises(WrongFileError, match="longer than stated"):
                container.read("checkpoint", 1 << 16)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_every_cut_of_a_zip_is_noticed(tmp_path: Path) -> None:
    whole = write(tmp_path / "x.zip").read_bytes()
    for end in range(0, len(whole), 7):
        cut = tmp_path / "cut.zip"
        cut.write_bytes(whole[:end])
        with pytest.raises(UnreadableError):
            open_container(cut)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_flipped_bit_breaks_nothing_of_ours(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever was done to a zip: files come out as they were, or a finding does, or it is unreadable."""
    folder = tmp_path_factory.mktemp("flips")
    whole = bytearray(write(folder / "x.zip").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (folder / "y.zip").write_bytes(whole)
    try:
        with open_container(folder / "y.zip") as container:
            found = {}
            for name in container.names():
                try:
                    found[name] = container.read(name, 1 << 16)
                except WrongFileError:
                    continue
            for name, content in found.items():
                assert name not in FILES or FILES[name] == content
    except UnreadableError:
        pass


# ---- bundle.json -------------------------------------------------------------------------------------


def test_a_manifest_comes_back() -> None:
    for kind in ("whole", "excerpt", "absence"):
        one = Manifest(kind, (1 << 63) - 1, ("药盒 \U0001f48a", "", '"\\\n'))
        assert Manifest.decode(one.encode()) == one


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", '"x"', "{", "NaN", "[" * 100_000, "\ufeff{}",
        '{"format":"tracechain bundle v0","kind":"whole","exported":1}',
        '{"format":"tracechain bundle v0","kind":"whole","exported":1,"asked":[],"more":1}',
        '{"format":"tracechain bundle v0","kind":"whole","kind":"whole","exported":1,"asked":[]}',
        '{"format":"tracechain bundle v1","kind":"whole","exported":1,"asked":[]}',
        '{"format":"tracechain bundle v0","kind":"half","exported":1,"asked":[]}',
        '{"format":"tracechain bundle v0","kind":["whole"],"exported":1,"asked":[]}',
        '{"format":"tracechain bundle v0","kind":"whole","exported":1.0,"asked":[]}',
        '{"format":"tracechain bundle v0","kind":"whole","exported":true,"asked":[]}',
        '{"format":"tracechain bundle v0","kind":"whole","exported":-1,"asked":[]}',
        '{"format":"tracechain bundle v0","kind":"whole","exported":9223372036854775808,"asked":[]}',
        '{"format":"tracechain bundle v0","kind":"whole","exported":1,"asked":"x"}',
        '{"format":"tracechain bundle v0","kind":"whole","exported":1,"asked":[1]}',
        '{"format":"tracechain bundle v0","kind":"whole","exported":1,"asked":[NaN]}',
    ],
)  # fmt: skip
def test_what_is_no_manifest(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "x.zip", {"bundle.json": text.encode()})
    with open_container(path) as container, pytest.raises(UnreadableError, match=r"bundle\.json"):
        read_manifest(container)


def test_a_manifest_that_says_too_much(tmp_path: Path) -> None:
    for asked in (("x",) * 1025, ("x" * 1001,)):
        with pytest.raises(InputError, match="at most 1024"):
            Manifest("whole", 1, asked).encode()
    with pytest.raises(InputError, match="it may have 65536"):
        Manifest("whole", 1, ("x" * 1000,) * 70).encode()
    with pytest.raises(InputError, match="no such thing"):
        Manifest("half", 1, ()).encode()
    path = write(tmp_path / "b", {"bundle.json": b" " * 65_537})
    with open_container(path) as container, pytest.raises(UnreadableError, match="it may have"):
        read_manifest(container)
    path = write(tmp_path / "c", {"checkpoint": b""})
    with open_container(path) as container, pytest.raises(UnreadableError, match=r"there is no bundle\.json"):
        read_manifest(container)
