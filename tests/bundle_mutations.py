"""What can be done to a bundle: every structure and every field of it, changed in every way we could think of.

    for label, changed in GENERATORS[kind](sample): ...

Each function takes a sample and gives labelled samples. None asks what verification should find: library and script
have to say the same, whatever that is. Texts and notes are in bundle_texts.py; bundle_forgeries.py re-signs with all
keys, as an operator could who lies.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bundle_samples import Sample
from bundle_texts import LOG, STRANGER_LINE, Done, brought, checkpoints, disclosures, flipped, manifest, notes, put
from tracechain import encoding
from tracechain.checkpoint import Checkpoint, sign_checkpoint
from tracechain.errors import DataError
from tracechain.testing import ORIGIN

__all__ = ["GENERATORS", "everything_done_to", "flipped", "packed_beside", "tiles"]

_NOTES = ("checkpoint", "witnessed", "seals")


# ---- files -------------------------------------------------------------------------------------------


def files(sample: Sample) -> Done:
    """Each file gone, cut, longer, empty, of other bytes, under other names; and files for which there is no place."""
    names = sorted(sample.files)
    for number, name in enumerate(names):
        data = sample.files[name]
        yield f"{name}: gone", put(sample, name, None)
        for label, other in (
            ("empty", b""), ("cut by one", data[:-1]), ("cut in half", data[: len(data) // 2]),
            ("a byte more", data + b"\0"), ("a line more", data + b"\n"), ("twice", data + data),
            ("without its first byte", data[1:]), ("zeros", bytes(len(data))), ("over its cap", data + bytes(1 << 16)),
        ):  # fmt: skip
            if other != data:
                yield f"{name}: {label}", put(sample, name, other)
        following = names[(number + 1) % len(names)]
        yield f"{name} and {following} swapped", sample.changed({name: sample.files[following], following: data})
        yield f"{name}: the bytes of {following}", put(sample, name, sample.files[following])
    for name in (
        "x",
        "README",
        "contents/x000/000",
        "contents/1",
        "contents/000.p/0",
        "contents/000.p/256",
        "contents/000.p/07",
        "contents/000.p/1",
        "contents/001",
        "rows/000.p/3",
        "rows/x001/000",
        "tile/0/000",
        "tile/0/000.p/1",
        "tile/1/000",
        "tile/1/000.p/1",
        "tile/9/000.p/1",
        "tile/10/000",
        "tile/00/000",
        "tile/entries/000",
        "tile/entries/000.p/5",
        "tile/entries/001.p/5",
        "tile/-1/000",
        "witnessed/0",
        "witnessed/1",
        "witnessed/01",
        "witnessed/+5",
        "witnessed/1000000000000",
        "witnessed/99999999999999",
        "seals/0",
        "seals/5",
        "seals/400000",
        "seal/note",
        "seal/items",
        "seal/absent",
        "seal/other",
        "private/3-0.json",
        "private/3-1.json",
        "private/03-0.json",
        "private/999999-0.json",
        "private/3.json",
        "private/3-0.JSON",
        "private/-3-0.json",
        "consistency/0",
        "consistency/1",
        "consistency/3",
        "consistency/900000",
        "consistency/03",
        "entries/003.entry",
        "entries/003.proof",
        "entries/3.entry",
        "entries/x000/003.entry",
        "entries/x001/003.entry",
        "entries/900.proof",
        "entries/900.entry",
        "entries/\uff10\uff10\uff13.entry",
        "Checkpoint",
        "checkpoint/x",
        "bundle.json/x",
        "contents/\u0661",
        "..a",
        "a/..b",
        "é",
        "e\u0301",
        "\U0001f4a9",
        "a\nb",
        "a\x1b[31mb",
        "\u202eabc",
        "verify_bundle.py",
        "README.txt",
        "README.txt/x",
        "readme.txt",
    ):
        if name not in sample.files and not any(
            one.startswith(name + "/") or name.startswith(one + "/") for one in sample.files
        ):
            yield f"{name!r} more", put(sample, name, b"something")
            yield f"{name!r} empty more", put(sample, name, b"")


def copies(sample: Sample) -> Done:
    """Each numbered file a second time, under the number or size of another place."""
    for name, data in sorted(sample.files.items()):
        for other in {
            name.replace(".p/", ".p/1"), name.replace("000", "001"), name.replace("000", "x000/000"),
            name.replace("/0/", "/1/"), name.replace("/1/", "/2/"), name.replace("-0", "-1"), name.replace("-1", "-7"),
        } - set(sample.files):  # fmt: skip
            yield f"{name}: also as {other}", put(sample, other, data)
            yield f"{name}: as {other}", sample.changed({name: None, other: data})


# ---- what is canonical -------------------------------------------------------------------------------


def _other_values(value: Any) -> Iterator[tuple[str, Any]]:
    """Values beside one: of the same type, and of others."""
    yield from (
        (label, other)
        for label, other in (
            ("nil", None),
            ("false", False),
            ("0", 0),
            ("a text", "x"),
            ("bytes", b"x"),
            ("an array", ()),
        )
        if other != value or type(other) is not type(value)
    )
    match value:
        case bool():
            yield "the other", not value
        case int():
            for label, other in (
                ("+1", value + 1),
                ("-1", value - 1),
                ("large", (1 << 63) - 1),
                ("larger", (1 << 64) - 1),
                ("negative", -1),
                ("x256", value << 8),
            ):
                if -(1 << 63) <= other < 1 << 64 and other != value:
                    yield label, other
        case bytes():
            if value:
                yield "first bit", flipped(value, 0, 0)
                yield "last bit", flipped(value, len(value) - 1, 7)
                yield "shorter", value[:-1]
                yield "longer", value + b"\0"
                yield "zeros", bytes(len(value))
                yield "half", value[: len(value) // 2]
                yield "without a hash", value[32:]
                yield "a hash more", value + bytes(32)
        case str():
            for label, text in (
                ("longer", value + "x"),
                ("empty", ""),
                ("shorter", value[:-1]),
                ("a space", value + " "),
                ("not NFC", value + "e\u0301"),
                ("upper", value.upper()),
                ("long", "x" * 481),
            ):
                if text != value:
                    yield label, text
        case tuple():
            if value:
                yield "without the last", value[:-1]
                yield "without the first", value[1:]
                yield "the last twice", (*value, value[-1])
                yield "turned round", value[::-1]
                yield "nil more", (*value, None)


def values_beside(value: Any, most: int = 4, path: str = "") -> Iterator[tuple[str, Any]]:
    """A canonical value with one thing in it changed, at any place (of long arrays, at `most` places at each end)."""
    for label, other in _other_values(value):
        yield f"{path or 'all'} {label}", other
    if isinstance(value, tuple):
        places = range(len(value)) if len(value) <= 3 * most else (*range(most), *range(len(value) - most, len(value)))
        for at in places:
            for label, other in values_beside(value[at], most, f"{path}[{at}]"):
                yield label, (*value[:at], other, *value[at + 1 :])


def packed_beside(data: bytes, most: int = 4, depth: int = 24) -> Iterator[tuple[str, bytes]]:
    """Canonical bytes with one thing changed, and encoded again; and in spellings that are not canonical."""
    try:
        value = encoding.unpack_strict(data, max_bytes=1 << 26, max_depth=depth)
    except DataError:
        return
    for label, other in values_beside(value, most):
        try:
            yield label, encoding.pack(other)
        except (DataError, ValueError, OverflowError, RecursionError, TypeError):
            continue
    yield "a byte behind", data + b"\0"
    yield "nil behind", data + b"\xc0"
    yield "cut", data[:-1]
    for label, head in (
        ("a long array", b"\xdd\xff\xff\xff\xff"),
        ("a long text", b"\xdb\xff\xff\xff\xff"),
        ("a long array 16", b"\xdc\xff\xff"),
        ("a long byte string", b"\xc6\xff\xff\xff\xff"),
        ("a map", b"\x80"),
        ("a float", b"\xcb" + bytes(8)),
        ("an extension", b"\xd4\x00\x00"),
        ("deep", b"\x91" * 70_000),
        ("reserved", b"\xc1"),
    ):
        yield label, head
        yield label + " before", head + data[1:]
    if data[:1] and 0x90 <= data[0] <= 0x9F:
        yield "an array of another spelling", b"\xdc" + struct.pack(">H", data[0] & 15) + data[1:]
        yield "an array of a third spelling", b"\xdd" + struct.pack(">I", data[0] & 15) + data[1:]


def entry_files(sample: Sample, *, stride: int = 1, most: int = 2) -> Done:
    """Each field of each entry of an excerpt, and what is packed in them."""
    names = sorted(name for name in sample.files if name.endswith(".entry"))
    for number, name in enumerate(names):
        data = sample.files[name]
        # A header of another type than before is where most is decided: all of them for one entry of each type.
        for label, other in packed_beside(data, most, 1):
            yield f"{name} {label}", put(sample, name, other)
        if number % stride:
            continue
        parts = encoding.unpack_strict(data, max_bytes=1 << 26, max_depth=1)
        assert isinstance(parts, tuple)
        for at in (1, 2):
            part = parts[at]
            if isinstance(part, bytes):
                for label, other in packed_beside(part[32:], most):
                    changed = (*parts[:at], part[:32] + other, *parts[at + 1 :])
                    yield f"{name} {('', 'content', 'rows')[at]} {label}", put(sample, name, encoding.pack(changed))
        header = parts[0]
        assert isinstance(header, bytes)
        for offset in range(0, 128, 3):
            changed = (flipped(header, offset, offset % 8), *parts[1:])
            yield f"{name} header byte {offset}", put(sample, name, encoding.pack(changed))


def proofs(sample: Sample) -> Done:
    """Proofs of entries."""
    names = sorted(name for name in sample.files if name.endswith(".proof"))
    for number, name in enumerate(names):
        text = sample.files[name].decode()
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        for at, line in enumerate(lines):
            for label, changed in (
                ("gone", []),
                ("twice", [line, line]),
                ("longer", [line + "A"]),
                ("shorter", [line[:-1]]),
                ("a space", [line + " "]),
            ):
                if number % 4 == at % 4:
                    again = "\n".join([*lines[:at], *changed, *lines[at + 1 :]]) + "\n\n" + note
                    yield f"{name} line {at} {label}", put(sample, name, again.encode())
        other = sample.files[names[number - 1]]
        yield f"{name} that of {names[number - 1]}", put(sample, name, other)
        if number % 8 == 0:
            for label, again in (
                ("extra", text.replace("\nindex", "\nextra eA==\nindex", 1)), ("crlf", text.replace("\n", "\r\n")),
                ("index 0", text.replace("index ", "index 0", 1)), ("index +", text.replace("index ", "index +", 1)),
                ("index large", text.replace("index ", "index 9999999999999999999999", 1)),
                ("another note", head + "\n\n" + sign_checkpoint(Checkpoint(ORIGIN, 5, bytes(32)), [LOG])),
                ("no note", head + "\n\n"), ("nothing", "\n"), ("no UTF-8", text + "\udcff"),
                ("another magic", text.replace("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2")),
                ("100 hashes", head + "\n" + f"{base64.b64encode(bytes(32)).decode()}\n" * 100 + "\n" + note),
                ("stranger's line", text + STRANGER_LINE),
            ):  # fmt: skip
                yield f"{name} {label}", put(sample, name, again.encode("utf-8", "surrogateescape"))


def consistency(sample: Sample) -> Done:
    """Consistency proofs."""
    for name in sorted(one for one in sample.files if one.startswith("consistency/")):
        lines = sample.files[name].decode().splitlines()
        for label, changed in (
            ("without the first", lines[1:]),
            ("without the last", lines[:-1]),
            ("the last twice", [*lines, *lines[-1:]]),
            ("turned round", lines[::-1]),
            ("zeros", [base64.b64encode(bytes(32)).decode()] * len(lines)),
            ("none", []),
            ("short", [one[:-4] for one in lines]),
            ("spaces", [f"{one} " for one in lines]),
            ("an empty line", [*lines, ""]),
            ("spare bits", [one[:-2] + chr(ord(one[-2]) ^ 1) + "=" for one in lines]),
            ("more", [*lines, *lines * 20]),
        ):
            yield f"{name} {label}", put(sample, name, "".join(f"{one}\n" for one in changed).encode())


def _listed(data: bytes) -> list[bytes]:
    found = []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return found


def _joined(proofs: Sequence[bytes]) -> bytes:
    return b"".join(len(one).to_bytes(4, "big") + one for one in proofs)


def seal_lists(sample: Sample) -> Done:
    """Proofs of presence and of absence: one at a time gone, twice, in another order, and each field of each."""
    for name in ("seal/items", "seal/absent"):
        if name not in sample.files:
            continue
        found = _listed(sample.files[name])
        for at, one in enumerate(found):
            for label, changed in (("gone", []), ("twice", [one, one])):
                yield f"{name} {at} {label}", put(sample, name, _joined([*found[:at], *changed, *found[at + 1 :]]))
            for label, other in packed_beside(one, 3, 3):
                yield f"{name} {at} {label}", put(sample, name, _joined([*found[:at], other, *found[at + 1 :]]))
        for label, some in (
            ("turned round", found[::-1]),
            ("none", []),
            ("an empty one", [*found, b""]),
            ("the last in front", found[-1:] + found[:-1]),
        ):
            yield f"{name} {label}", put(sample, name, _joined(some))
        for label, data in (
            ("a length more", sample.files[name] + bytes(4)),
            ("half a length", sample.files[name] + b"\0\0"),
            ("a long length", sample.files[name] + b"\xff\xff\xff\xff"),
            ("over its cap", sample.files[name] + b"\0\x10\0\1" + bytes((1 << 20) + 1)),
            ("at its cap", sample.files[name] + b"\0\x10\0\0" + bytes(1 << 20)),
        ):
            yield f"{name} {label}", put(sample, name, data)


# ---- what comes 256 at a time -------------------------------------------------------------------------


def _split(data: bytes, width: int) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + width], "big")
        found.append(data[at + width : at + width + length])
        at += width + length
    return found


def _join(parts: Sequence[bytes], width: int) -> bytes:
    return b"".join(len(one).to_bytes(width, "big") + one for one in parts)


def tiles(sample: Sample, *, stride: int = 1, most: int = 2) -> Done:
    """Headers, contents, rows and hashes: one gone, swapped, of another length, each field of each changed."""
    for name in sorted(sample.files):
        data = sample.files[name]
        kind = "tile/entries" if name.startswith("tile/entries/") else name.partition("/")[0]
        if kind == "tile":
            for at in range(0, len(data), 32 * max(1, stride)):
                yield f"{name} hash {at // 32}", put(sample, name, flipped(data, at + at % 31, 3))
            continue
        if kind not in ("tile/entries", "contents", "rows"):
            continue
        width = 2 if kind == "tile/entries" else 4
        parts = _split(data, width)

        def joined(label: str, parts: Sequence[bytes], name: str = name, width: int = width) -> tuple[str, Sample]:
            return f"{name} {label}", put(sample, name, _join(parts, width))

        yield joined("turned round", parts[::-1])
        yield joined("none", [])
        yield joined("all empty", [b""] * len(parts))
        yield joined("one more", [*parts, parts[-1]])
        yield joined("an empty one more", [*parts, b""])
        for at, part in enumerate(parts):
            before, behind = parts[:at], parts[at + 1 :]
            yield joined(f"{at} gone", [*before, *behind])
            yield joined(f"{at} empty", [*before, b"", *behind])
            yield joined(f"{at} twice", [*before, part, part, *behind])
            if behind:
                yield joined(f"{at} swapped", [*before, behind[0], part, *behind[1:]])
            if at % stride:
                continue
            for length in (1, 31, 32, 33):
                yield joined(f"{at} of {length} bytes", [*before, part[:length], *behind])
            yield joined(f"{at} a byte more", [*before, part + b"\0", *behind])
            if kind == "tile/entries":
                for offset in range(128):
                    yield joined(f"{at} byte {offset}", [*before, flipped(part, offset, offset % 8), *behind])
            else:
                for offset in (0, 31):
                    yield joined(f"{at} salt {offset}", [*before, flipped(part, offset, 0), *behind] if part else parts)
                for label, other in packed_beside(part[32:], most):
                    yield joined(f"{at} {label}", [*before, part[:32] + other, *behind])


GENERATORS: dict[str, Callable[[Sample], Done]] = {
    "files": files,
    "copies": copies,
    "manifest": manifest,
    "notes": notes,
    "checkpoints": checkpoints,
    "brought": brought,
    "entry_files": entry_files,
    "proofs": proofs,
    "consistency": consistency,
    "seal_lists": seal_lists,
    "disclosures": disclosures,
    "tiles": tiles,
}


def everything_done_to(sample: Sample) -> Done:
    """All of it."""
    for function in GENERATORS.values():
        yield from function(sample)
