"""Zip files byte by byte, so that they can say anything of themselves; and what a stranger might send as a bundle.

hostile(folder, whole, excerpt): writes the bundles, gives label -> path
"""

from __future__ import annotations

import functools
import os
import socket
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import define, evolve, field

from bundle_samples import Sample, write_folder, write_zip

__all__ = ["Member", "hostile", "make_zip", "members"]

_STORED, _DEFLATED = 0, 8
_ZIP64 = 0x0001
_REGULAR = 0o100644 << 16


@define
class Member:
    """A file in a zip, with everything that directory and local header may say of it. None: what is true."""

    name: bytes
    data: bytes
    method: int = _STORED
    packed: bytes | None = None
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    flags: int = 0
    mode: int = _REGULAR
    extra: bytes = b""
    local_name: bytes | None = None
    local_extra: bytes = b""
    offset: int | None = None
    magic: bytes = b"PK\x03\x04"
    version: int = 20
    #: Written to the file at all: a second name for a place has no bytes of its own.
    written: bool = True
    at: int = field(default=0, init=False)

    @property
    def stream(self) -> bytes:
        """The packed bytes."""
        if self.packed is not None:
            return self.packed
        if self.method != _DEFLATED:
            return self.data
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(self.data) + packer.flush()


def members(files: Mapping[str, bytes]) -> list[Member]:
    """Honest ones."""
    return [Member(name.encode(), data) for name, data in files.items()]


def make_zip(
    path: Path, some: Sequence[Member], *, before: bytes = b"", comment: bytes = b"", count: int | None = None,
    shift: int = 0, tail: bytes = b"", zip64: bytes = b"", directory: int | None = None,
) -> Path:  # fmt: skip
    """Write a zip. `shift` moves where the directory is said to begin, `tail` comes behind its end."""
    with path.open("wb") as file:
        file.write(before)
        for one in some:
            one.at = file.tell()
            if not one.written:
                continue
            name = one.name if one.local_name is None else one.local_name
            stream = one.stream
            file.write(
                one.magic
                + struct.pack("<HHHHH", one.version, one.flags, one.method, 0, 33)
                + struct.pack("<III", zlib.crc32(one.data), len(stream) & 0xFFFFFFFF, len(one.data) & 0xFFFFFFFF)
                + struct.pack("<HH", len(name), len(one.local_extra))
            )
            file.write(name + one.local_extra + stream)
        start = file.tell()
        for one in some:
            size = len(one.data) if one.size is None else one.size
            packed = len(one.stream) if one.packed_size is None else one.packed_size
            crc = zlib.crc32(one.data) if one.crc is None else one.crc
            file.write(
                b"PK\x01\x02"
                + struct.pack("<HHHHHH", 0x0314, one.version, one.flags, one.method, 0, 33)
                + struct.pack("<III", crc, packed, size)
                + struct.pack("<HHHHHI", len(one.name), len(one.extra), 0, 0, 0, one.mode)
                + struct.pack("<I", one.at if one.offset is None else one.offset)
                + one.name
                + one.extra
            )
        length = file.tell() - start if directory is None else directory
        file.write(zip64)
        number = len(some) if count is None else count
        file.write(
            b"PK\x05\x06"
            + struct.pack("<HHHHIIH", 0, 0, number & 0xFFFF, number & 0xFFFF, length, start + shift, len(comment))
        )
        file.write(comment + tail)
    return path


def _zip64(*values: int) -> bytes:
    return struct.pack("<HH", _ZIP64, 8 * len(values)) + b"".join(value.to_bytes(8, "little") for value in values)


@functools.cache
def _zeros(length: int) -> bytes:
    """A deflate stream of so many zeros, made without them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    found = []
    while length > 0:
        found.append(packer.compress(bytes(min(length, 1 << 20))))
        length -= 1 << 20
    return b"".join(found) + packer.flush()


# ---- zips ------------------------------------------------------------------------------------------------


def _of(files: Mapping[str, bytes], name: str, **changes: object) -> list[Member]:
    """One of them is not what it says."""
    return [evolve(one, **changes) if one.name == name.encode() else one for one in members(files)]  # type: ignore[arg-type]  # by name


def _zips(files: Mapping[str, bytes]) -> Iterator[tuple[str, dict[str, object]]]:
    """Arguments of make_zip, by label."""
    honest = members(files)
    for name in sorted(files):
        data = files[name]
        for label, changes in (
            ("stated longer", {"size": len(data) + 1}),
            ("stated shorter", {"size": max(0, len(data) - 1)}),
            ("stated empty", {"size": 0}),
            ("another checksum", {"crc": 1}),
            ("packed stated longer", {"packed_size": len(data) + 1}),
            ("packed stated shorter", {"packed_size": len(data) - 1}),
            ("packed", {"method": 8}),
            ("packed, stated longer", {"method": 8, "size": len(data) + 1}),
            ("packed, stated shorter", {"method": 8, "size": len(data) - 1}),
            ("no stream", {"method": 8, "packed": b"\xff\xff"}),
            ("an empty stream", {"method": 8, "packed": b""}),
            ("a stream and more", {"method": 8, "packed": Member(b"", data, 8).stream + b"x"}),
            ("two streams", {"method": 8, "packed": Member(b"", data, 8).stream * 2}),
            ("a cut stream", {"method": 8, "packed": Member(b"", data, 8).stream[:-1]}),
            ("an endless stream", {"method": 8, "packed": _endless(data)}),
            ("behind the end", {"offset": 1 << 30}),
            ("another's place", {"offset": 0}),
            ("another magic", {"magic": b"PK\x03\x05"}),
            ("another local name", {"local_name": b"other"}),
            ("a local name of another case", {"local_name": name.upper().encode()}),
            ("a local extra", {"local_extra": b"\x99\x99\x04\x00abcd"}),
            ("a cut extra", {"extra": b"\x99\x99\xff\x00ab"}),
            (
                "zip64, true",
                {"size": 0xFFFFFFFF, "packed_size": 0xFFFFFFFF, "extra": _zip64(len(data), len(data)), "version": 45},
            ),
            ("zip64, 2^63", {"size": 0xFFFFFFFF, "extra": _zip64(1 << 63), "version": 45}),
            ("zip64, 2^64 - 1", {"size": 0xFFFFFFFF, "extra": _zip64((1 << 64) - 1), "version": 45}),
            ("zip64, packed 2^62", {"packed_size": 0xFFFFFFFF, "extra": _zip64(1 << 62), "version": 45}),
            ("zip64, far", {"offset": 0xFFFFFFFF, "extra": _zip64(1 << 62), "version": 45}),
            ("zip64, missing", {"size": 0xFFFFFFFF, "version": 45}),
            ("zip64, cut", {"size": 0xFFFFFFFF, "extra": b"\1\0\4\0abcd"}),
            ("zip64 for nothing", {"extra": _zip64(1, 2, 3)}),
        ):
            if changes.get("size", 0) is not None and not any(
                isinstance(value, int) and value < 0 for value in changes.values()
            ):
                yield f"{name}: {label}", {"some": _of(files, name, **changes)}
        for flag in (1, 1 << 3, 1 << 5, 1 << 6, 1 << 11, 1 << 13):
            yield f"{name}: flag {flag:#x}", {"some": _of(files, name, flags=flag)}
        for method in (1, 6, 9, 12, 14, 93, 98, 99, 65535):
            yield f"{name}: method {method}", {"some": _of(files, name, method=method)}
        for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR, 0, 0o170000):
            yield f"{name}: mode {kind:o}", {"some": _of(files, name, mode=(kind | 0o644) << 16)}
        yield f"{name}: twice", {"some": [*honest, Member(name.encode(), data)]}
        yield f"{name}: twice, one place", {"some": [*honest, Member(name.encode(), data, written=False)]}
    for raw in (
        b"../x",
        b"a/../x",
        b"..",
        b"/etc/passwd",
        b"/",
        b"C:\\x",
        b"C:/x",
        b"\\\\server\\x",
        b"a\\b",
        b"a\0b",
        b"\0",
        b"",
        b".",
        b"./checkpoint",
        b"a/./b",
        b"a//b",
        b"a/",
        b"contents/",
        b"CHECKPOINT",
        b"Bundle.json",
        b"checkpoint ",
        b" checkpoint",
        b"checkpoint/",
        b"a\nb",
        b"\x1b[2J",
        b"caf\x82",
        b"x" * 65_535,
        b"a/" * 5000 + b"x",
        b"con",
        b"nul.txt",
        b"a:b",
        b"...",
        b"..x",
        b"x/..",
        b"tile/0/../1",
        b"%2e%2e/x",
        b"~/x",
        b"-rf",
    ):
        yield f"named {raw[:20]!r}", {"some": [*honest, Member(raw, b"x")]}
        yield f"named {raw[:20]!r} in UTF-8", {"some": [*honest, Member(raw, b"x", flags=0x800)]}
    for text in (
        "é",
        "e\u0301",
        "\u202ecod.exe",
        "\u2028",
        "checkpoint\u200b",
        "ｃheckpoint",
        "\U0001f4a9",
        "../é",
        "a\u2215b",
    ):
        yield f"named {text!r}", {"some": [*honest, Member(text.encode(), b"x", flags=0x800)]}
    yield "a name that is no UTF-8", {"some": [*honest, Member(b"\xff\xfe", b"x", flags=0x800)]}
    yield (
        "a name in UTF-8 by an extra field",
        {
            "some": [
                *honest,
                Member(b"x", b"x", extra=struct.pack("<HHBI", 0x7075, 15, 1, zlib.crc32(b"x")) + b"checkpoint"),
            ]
        },
    )
    yield (
        "a folder of mode folder",
        {"some": [*honest, Member(b"contents/", b"", mode=(stat.S_IFDIR | 0o755) << 16 | 16)]},
    )
    yield "all under a folder", {"some": [evolve(one, name=b"bundle/" + one.name) for one in honest]}
    yield "behind other bytes", {"some": honest, "before": b"MZ" + bytes(1000)}
    yield "before other bytes", {"some": honest, "tail": b"junk"}
    yield "with a comment", {"some": honest, "comment": b"a comment\x1b[31m"}
    yield "with a comment that is a zip's end", {"some": honest, "comment": b"PK\x05\x06" + bytes(18)}
    yield "a long comment", {"some": honest, "comment": b"x" * 65_535}
    yield "counted too many", {"some": honest, "count": 60_000}
    yield "counted too few", {"some": honest, "count": 1}
    yield "counted none", {"some": honest, "count": 0}
    yield "directory elsewhere", {"some": honest, "shift": 7}
    yield "directory far away", {"some": honest, "shift": 1 << 31}
    yield "directory short", {"some": honest, "directory": 10}
    yield "directory long", {"some": honest, "directory": 1 << 31}
    yield "directory empty", {"some": honest, "directory": 0}
    yield "nothing", {"some": []}
    for size, offset in ((1 << 63, 0), (0, 1 << 63), ((1 << 64) - 1, (1 << 64) - 1)):
        end = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 3, 3, size, offset)
        locator = b"PK\x06\x07" + struct.pack("<IQI", 0, 0, 1)
        yield f"zip64 end of {size} {offset}", {"some": honest, "zip64": end + locator}
    yield "a zip64 locator alone", {"some": honest, "zip64": b"PK\x06\x07" + struct.pack("<IQI", 5, 1 << 60, 9)}


def _endless(data: bytes) -> bytes:
    """A stream that does not end: blocks, none of them marked as the last."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


def _bombs(files: Mapping[str, bytes]) -> Iterator[tuple[str, list[Member]]]:
    """Much out of little."""
    caps = {
        "checkpoint": 1 << 16,
        "bundle.json": 1 << 16,
        "README.txt": 1 << 20,
        "verify_bundle.py": 1 << 20,
        "witnessed/5": 1 << 16,
        "contents/000.p/7": 1 << 25,
        "tile/0/000.p/7": 8192,
        "tile/entries/000.p/7": 33_280,
        "entries/003.entry": 1 << 26,
        "entries/003.proof": 131_072,
        "seal/note": 1 << 16,
        "private/3-0.json": 1 << 21,
        "rows/000.p/7": 1 << 28,
    }
    for name, cap in caps.items():
        honest = [one for one in members(files) if one.name != name.encode()]
        for label, length in (("at its cap", cap), ("over its cap", cap + 1)):
            yield f"{name} {label}", [*honest, Member(name.encode(), b"", 8, _zeros(length), size=length)]
            yield (
                f"{name} {label}, checksum and all",
                [*honest, Member(name.encode(), bytes(length), 8, _zeros(length))],
            )
        yield f"{name} longer than stated", [*honest, Member(name.encode(), b"", 8, _zeros(cap * 3), size=cap)]
        yield f"{name} much longer than stated", [*honest, Member(name.encode(), b"", 8, _zeros(1 << 27), size=10)]
    honest = members(files)
    yield "a bomb where nobody looks", [*honest, Member(b"surplus", b"", 8, _zeros(1 << 28), size=1 << 28)]
    kernel = Member(b"kernel", b"", 8, _zeros(1 << 22), size=1 << 22)
    yield (
        "overlapping",
        [*honest, kernel, *(evolve(kernel, name=f"contents/{n:03}".encode(), written=False) for n in range(100, 900))],
    )
    listed = [one for one in honest if one.name not in (b"seal/items", b"seal/absent")]
    yield "a list without an end", [*listed, Member(b"seal/items", b"", 8, _zeros(1 << 27), size=1 << 27)]
    body = b"\x00\x10\x00\x00" + bytes(1 << 20)
    yield "a list of long proofs", [*listed, Member(b"seal/items", body * 16, 8)]
    yield "a list of short proofs", [*listed, Member(b"seal/absent", b"\0\0\0\1\xc0" * 1_000_000, 8)]
    yield "30,000 names", [*honest, *(Member(f"x{n:06}".encode(), b"") for n in range(30_000))]
    yield (
        "20,000 entries without proofs",
        [*honest, *(Member(f"entries/x{n // 1000 + 1:03}/{n % 1000:03}.entry".encode(), b"") for n in range(20_000))],
    )
    yield "20,000 notes", [*honest, *(Member(f"witnessed/{n}".encode(), b"\n") for n in range(1000, 21_000))]
    yield "20,000 disclosures", [*honest, *(Member(f"private/2-{n}.json".encode(), b"{}") for n in range(20_000))]
    for name in ("checkpoint", "witnessed/4", "seals/4", "seal/note"):
        for label, data in (
            ("of empty lines", b"\n" * 65_536),
            ("of short lines", b"a\n" * 32_768),
            ("of dashes", "\u2014 a b\n".encode() * 8000),
            ("of one line", b"x" * 65_536),
            ("of a long size", b"ledger.example/test\n" + b"9" * 60_000 + b"\nAAAA\n\n\xe2\x80\x94 a AAAAAAA=\n"),
            ("of a hundred signatures", files["checkpoint"] + "\u2014 ledger.example/test AAAAAAAA\n".encode() * 1000),
            ("of escapes", "\x1b[2J\u202e\u2066\n1\n\n\u2014 a b\n".encode()),
        ):
            yield (
                f"{name} {label}",
                [*(one for one in honest if one.name != name.encode()), Member(name.encode(), data)],
            )
    for name, data in files.items():
        if name.endswith(".entry") or name.startswith(("contents", "rows")):
            for head in (
                b"\x91" * 60_000,
                b"\xdd\xff\xff\xff\xff" * 5000,
                b"\xdc\xff\xff" * 20_000,
                b"\x96\xc6\x7f\xff\xff\xff",
                b"\xdd\x7f\xff\xff\xff" + b"\xc0" * 100_000,
            ):
                other = head if name.endswith(".entry") else _with_first(data, bytes(32) + head)
                yield (
                    f"{name} {head[:5].hex()}",
                    [*(one for one in honest if one.name != name.encode()), Member(name.encode(), other)],
                )


def _with_first(data: bytes, part: bytes) -> bytes:
    """Contents or rows with another first part."""
    length = int.from_bytes(data[:4], "big")
    return len(part).to_bytes(4, "big") + part + data[4 + length :]


# ---- folders -------------------------------------------------------------------------------------------


def _folders(folder: Path, sample: Sample) -> Iterator[tuple[str, Path]]:
    """Folders with something in them that is no regular file, or of a size or name that is none."""
    count = 0

    def new(files: Mapping[str, bytes] = sample.files) -> Path:
        nonlocal count
        count += 1
        return write_folder(folder / f"folder-{count}", files)

    for name in ("checkpoint", "surplus", "README.txt", "bundle.json"):
        made = new()
        if (made / name).exists():
            (made / name).rename(folder / f"beside-{count}")
        (made / name).symlink_to(folder / f"beside-{count}")
        yield f"{name} is a link", made
        made = new()
        (made / name).unlink(missing_ok=True)
        os.mkfifo(made / name)
        yield f"{name} is a pipe", made
        made = new()
        (made / name).unlink(missing_ok=True)
        (made / name).mkdir()
        yield f"{name} is an empty folder", made
        made = new()
        (made / name).unlink(missing_ok=True)
        (made / name).mkdir()
        (made / name / "x").write_bytes(b"")
        yield f"{name} is a folder", made
        made = new()
        with (made / name).open("ab") as file:
            file.truncate(1 << 38)
        yield f"{name} is very long", made
    made = new()
    (made / "root").symlink_to("/")
    yield "a link to the root", made
    made = new()
    (made / "contents-again").symlink_to(".")
    yield "a link to itself", made
    made = new()
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(made)
        listening.bind("socket")
    yield "a socket", made
    made = new()
    deep = made / Path(*(["d"] * 400))
    deep.mkdir(parents=True)
    (deep / "x").write_bytes(b"")
    yield "deep folders", made
    made = new()
    (made / "a\nb\x1b[31m\u202e").write_bytes(b"")
    yield "a strange name", made
    made = new()
    (made / "back\\slash").write_bytes(b"")
    yield "a backslash", made
    made = new()
    (Path(os.fsdecode(os.fsencode(made) + b"/\xff\xfe"))).write_bytes(b"")
    yield "a name that is no UTF-8", made
    yield "an empty folder", new({})
    (folder / "zeros").write_bytes(bytes(100_000))
    yield "no zip", folder / "zeros"
    (folder / "empty").write_bytes(b"")
    yield "an empty file", folder / "empty"
    os.mkfifo(folder / "pipe")
    yield "a pipe", folder / "pipe"


def hostile(folder: Path, whole: Sample, excerpt: Sample) -> dict[str, Path]:
    """Write them all; label -> path."""
    found: dict[str, Path] = {}
    for sample in (whole, excerpt):
        inside = folder / sample.name
        inside.mkdir()
        number = 0
        for label, arguments in _zips(sample.files):
            number += 1
            found[f"{sample.name}: {label}"] = make_zip(inside / f"{number}.zip", **arguments)  # type: ignore[arg-type]  # by name
        for label, some in _bombs(sample.files):
            number += 1
            found[f"{sample.name}: {label}"] = make_zip(inside / f"{number}.zip", some)
        here = Path.cwd()
        try:
            for label, path in _folders(inside, sample):
                found[f"{sample.name}: {label}"] = path
        finally:
            os.chdir(here)
        found[f"{sample.name}: as it is"] = write_zip(inside / "honest.zip", sample.files, packed=True)
    return found
