"""What can be done to a bundle: every structure and every field of it, changed in every way we could think of.

    for label, changed in everything_done_to(sample): ...

Each function takes a sample and gives labelled samples. None asks what verification should find: library and script
have to say the same, whatever that is. `forged` re-signs with all keys, as an operator could who lies.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bundle_samples import AUDITOR, KEYS, NOW, OTHER_AUDITOR, VERIFIER, WITNESSES, Sample, witness_policy
from tracechain import encoding
from tracechain.checkpoint import (
    Checkpoint,
    NoteSigner,
    VerifierKey,
    add_signature,
    cosign,
    format_vkey,
    parse_checkpoint,
    parse_note,
    sign_checkpoint,
)
from tracechain.errors import DataError
from tracechain.testing import ORIGIN, fixed_key

__all__ = ["everything_done_to", "flipped"]

Done = Iterator[tuple[str, Sample]]
LOG = NoteSigner(ORIGIN, KEYS.log)
STRANGER = NoteSigner("stranger.example/s", fixed_key("stranger"))
#: A signature line of somebody nobody knows.
STRANGER_LINE = f"\u2014 stranger.example/s {base64.b64encode(b'0123' + bytes(64)).decode()}\n"


def flipped(data: bytes, offset: int, bit: int) -> bytes:
    """With one bit turned over."""
    return data[:offset] + bytes([data[offset] ^ 1 << bit]) + data[offset + 1 :]


def _put(sample: Sample, name: str, data: bytes | None) -> Sample:
    return sample.changed({name: data})


# ---- files -------------------------------------------------------------------------------------------


def files(sample: Sample) -> Done:
    """Each file gone, cut, longer, empty, of other bytes, under other names; and files for which there is no place."""
    names = sorted(sample.files)
    for number, name in enumerate(names):
        data = sample.files[name]
        kind = name.partition("/")[0]
        yield f"{name}: gone", _put(sample, name, None)
        for label, other in (
            ("empty", b""), ("cut by one", data[:-1]), ("cut in half", data[: len(data) // 2]),
            ("a byte more", data + b"\0"), ("a line more", data + b"\n"), ("twice", data + data),
            ("without its first byte", data[1:]), ("zeros", bytes(len(data))), ("over its cap", None),
        ):  # fmt: skip
            if other is None:
                other = data + bytes({"checkpoint": 1 << 16, "witnessed": 1 << 16, "seals": 1 << 16}.get(kind, 1 << 14))
            if other != data:
                yield f"{name}: {label}", _put(sample, name, other)
        following = names[(number + 1) % len(names)]
        yield f"{name} and {following} swapped", sample.changed({name: sample.files[following], following: data})
        yield f"{name}: the bytes of {following}", _put(sample, name, sample.files[following])
    for name in (
        "x", "README", "contents/x000/000", "contents/1", "contents/000.p/0", "contents/000.p/256", "contents/000.p/07",
        "contents/000.p/1", "contents/001", "rows/000.p/3", "rows/x001/000", "tile/0/000", "tile/0/000.p/1", "tile/1/000",
        "tile/1/000.p/1", "tile/9/000.p/1", "tile/10/000", "tile/00/000", "tile/entries/000", "tile/entries/000.p/5",
        "tile/entries/001.p/5", "tile/-1/000", "witnessed/0", "witnessed/1", "witnessed/01", "witnessed/+5",
        "witnessed/1000000000000", "witnessed/99999999999999", "seals/0", "seals/5", "seals/400000", "seal/note",
        "seal/items", "seal/absent", "seal/other", "private/3-0.json", "private/3-1.json", "private/03-0.json",
        "private/999999-0.json", "private/3.json", "private/3-0.JSON", "private/-3-0.json", "consistency/0",
        "consistency/1", "consistency/3", "consistency/900000", "consistency/03", "entries/003.entry",
        "entries/003.proof", "entries/3.entry", "entries/x000/003.entry", "entries/x001/003.entry", "entries/900.proof",
        "entries/900.entry", "entries/\uff10\uff10\uff13.entry", "Checkpoint", "checkpoint/x", "bundle.json/x",
        "contents/\u0661", "..a", "a/..b", "é", "e\u0301", "\U0001f4a9", "a\nb", "a\x1b[31mb", "\u202eabc",
        "verify_bundle.py", "README.txt", "README.txt/x", "readme.txt",
    ):  # fmt: skip
        if name not in sample.files and not any(
            one.startswith(name + "/") or name.startswith(one + "/") for one in sample.files
        ):
            yield f"{name!r} more", _put(sample, name, b"something")
            yield f"{name!r} empty more", _put(sample, name, b"")


def copies(sample: Sample) -> Done:
    """Each numbered file a second time, under the number or size of another place."""
    for name, data in sorted(sample.files.items()):
        for other in {
            name.replace(".p/", ".p/1"), name.replace("000", "001"), name.replace("000", "x000/000"),
            name.replace("/0/", "/1/"), name.replace("/1/", "/2/"), name.replace("-0", "-1"), name.replace("-1", "-7"),
        } - set(sample.files):  # fmt: skip
            yield f"{name}: also as {other}", _put(sample, other, data)
            yield f"{name}: as {other}", sample.changed({name: None, other: data})


# ---- bundle.json -------------------------------------------------------------------------------------


def manifest(sample: Sample) -> Done:
    """What a bundle says of itself."""
    said = json.loads(sample.files["bundle.json"])

    def put(label: str, text: str | bytes) -> tuple[str, Sample]:
        return f"bundle.json {label}", _put(sample, "bundle.json", text if isinstance(text, bytes) else text.encode())

    for name, value in (
        ("format", "tracechain bundle v1"), ("format", None), ("kind", "whole"), ("kind", "excerpt"),
        ("kind", "absence"), ("kind", "Whole"), ("kind", 1), ("kind", []), ("kind", {}), ("exported", 0), ("exported", -1),
        ("exported", 1 << 63), ("exported", (1 << 63) - 1), ("exported", 1.5), ("exported", True), ("exported", "1"),
        ("exported", 1e3), ("exported", None), ("asked", "x"), ("asked", ["x" * 1000]), ("asked", ["x" * 1001]),
        ("asked", []), ("asked", ["a"] * 1024), ("asked", ["a"] * 1025), ("asked", [1]), ("asked", None),
        ("asked", [["a"]]), ("asked", ["\u202e\x1b[2J\x00"]), ("asked", ["\U0001f4a9" * 1000]), ("more", 1),
        ("asked", ["\ud800"]),
    ):  # fmt: skip
        yield put(f"{name} {value!r:.40}", json.dumps({**said, name: value}))
    for name in said:
        yield put(f"without {name}", json.dumps({one: value for one, value in said.items() if one != name}))
        yield put(f"{name} twice", json.dumps(said)[:-1] + f',"{name}":' + json.dumps(said[name]) + "}")
    text = json.dumps(said)
    for label, other in (
        ("NaN", text.replace(str(said["exported"]), "NaN")), ("Infinity", text.replace(str(said["exported"]), "Infinity")),
        ("-0", text.replace(str(said["exported"]), "-0")), ("1.0", text.replace(str(said["exported"]), "1.0")),
        ("5000 digits", text.replace(str(said["exported"]), "1" * 5000)), ("list", f"[{text}]"), ("two", text + text),
        ("spaces", " \n\t" + text + "\r\n "), ("cut", text[:-1]), ("single quotes", text.replace('"', "'")),
        ("deep", "[" * 30_000 + "]" * 30_000), ("deep objects", '{"a":' * 12_000 + "1" + "}" * 12_000),
        ("deep within", text[:-1] + ',"asked":' + "[" * 9000 + "]" * 9000 + "}"), ("long", text + " " * (1 << 16)),
        ("as long as may be", text + " " * ((1 << 16) - len(text.encode()))), ("comment", text + "//"), ("null", "null"),
        ("number", "1"), ("text", '"x"'), ("nothing", ""), ("form feed", "\f" + text), ("no-break", "\xa0" + text),
        ("control in a text", text.replace("[", '["\x01",', 1)), ("escape of half a pair", text.replace("[", '["\\ud800",', 1)),
        ("trailing comma", text[:-1] + ",}"), ("hexadecimal", text.replace(str(said["exported"]), "0x10")),
        ("leading zero", text.replace(str(said["exported"]), "0" + str(said["exported"]))),
        ("plus", text.replace(str(said["exported"]), "+1")), ("full-width", text.replace(str(said["exported"]), "\uff11")),
        ("exponent", text.replace(str(said["exported"]), "1e2")),
    ):  # fmt: skip
        yield put(label, other)
    yield put("byte order mark", b"\xef\xbb\xbf" + text.encode())
    yield put("UTF-16", text.encode("utf-16"))
    yield put("no UTF-8", text.encode().replace(b"[", b'["\xff",', 1))
    yield put("a half pair as UTF-8", text.encode().replace(b"[", b'["\xed\xa0\x80",', 1))


# ---- notes -------------------------------------------------------------------------------------------


def _note_changes(note: str, signer: NoteSigner, other: str) -> Iterator[tuple[str, str]]:
    """A signed note in every way that it can be wrong, or right otherwise."""
    body, _, lines = note.partition("\n\n")
    signatures = lines.splitlines()

    def made(text: str, some: Sequence[str]) -> str:
        return text + "\n\n" + "".join(f"{one}\n" for one in some)

    yield "another note", other
    for number, line in enumerate(signatures):
        rest = signatures[:number] + signatures[number + 1 :]
        yield f"without line {number}", made(body, rest)
        yield f"line {number} twice", made(body, [*signatures, line])
        dash, name, value = line.split(" ")
        blob = base64.b64decode(value)
        for label, raw in (
            ("key id", flipped(blob, 0, 0)), ("signature", flipped(blob, len(blob) - 1, 0)), ("R", flipped(blob, 5, 1)),
            ("R of a cosignature", flipped(blob, min(14, len(blob) - 1), 1)), ("short", blob[:-1]), ("long", blob + b"\0"),
            ("id only", blob[:4]), ("three bytes", blob[:3]), ("none", b""),
        ):  # fmt: skip
            yield f"line {number}, {label}", made(body, [*rest, f"{dash} {name} {base64.b64encode(raw).decode()}"])
        for label, text in (
            ("name", f"{dash} x{name} {value}"), ("hyphen", f"- {name} {value}"), ("space more", f"{dash}  {name} {value}"),
            ("no name", f"{dash}  {value}"), ("space after", line + " "), ("unpadded", line.rstrip("=")),
            ("padded", line + "="), ("spare bits", line[:-1] + chr(ord(line[-1]) ^ 1)), ("tab", line.replace(" ", "\t")),
            ("plus in name", f"{dash} {name}+ {value}"), ("cr", line + "\r"),
        ):  # fmt: skip
            yield f"line {number}, {label}", made(body, [*signatures[:number], text, *signatures[number + 1 :]])
        yield (
            f"line {number} twice, one bad",
            made(body, [line, f"{dash} {name} {base64.b64encode(flipped(blob, len(blob) - 1, 0)).decode()}", *rest]),
        )
    yield "lines the other way round", made(body, signatures[::-1])
    yield "a stranger's line", note + STRANGER_LINE
    yield (
        "100 strangers' lines",
        note + "".join(f"\u2014 s{n} {base64.b64encode(bytes([n]) * 68).decode()}\n" for n in range(100)),
    )
    yield "no line", body + "\n\n"
    yield "no empty line", body + "\n" + lines
    yield "two empty lines", body + "\n\n\n" + lines
    yield "no last line feed", note[:-1]
    yield "crlf", note.replace("\n", "\r\n")
    yield "a control character", note.replace("\n", "\x01\n", 1)
    yield "delete", note.replace("\n", "\x7f\n", 1)
    yield "next line", note.replace("\n", "\x85\n", 1)
    yield "bidi", note.replace("\n", "\u202e\n", 1)
    texts = body.split("\n")
    for number, text in enumerate(texts):
        for label, changed in (
            ("gone", texts[:number] + texts[number + 1 :]), ("twice", [*texts[: number + 1], *texts[number:]]),
            ("a character more", [*texts[:number], text + "0", *texts[number + 1 :]]),
            ("cut", [*texts[:number], text[:-1], *texts[number + 1 :]]),
            ("a space before", [*texts[:number], " " + text, *texts[number + 1 :]]),
            ("a zero before", [*texts[:number], "0" + text, *texts[number + 1 :]]),
            ("a plus before", [*texts[:number], "+" + text, *texts[number + 1 :]]),
            ("full-width", [*texts[:number], text.replace("1", "\uff11"), *texts[number + 1 :]]),
            ("a byte changed", [*texts[:number], text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:]
                                if len(text) > 3 else text, *texts[number + 1 :]]),
        ):  # fmt: skip
            again = "\n".join(changed)
            yield f"text line {number} {label}", made(again, signatures)
            if changed:
                yield f"text line {number} {label}, signed", _signed(again + "\n", signer)
    yield "a line more, signed", _signed(body + "\nmore\n", signer)


def _signed(text: str, signer: NoteSigner) -> str:
    """Any text, signed as a note of type 1."""
    key = signer.verifier
    signature = signer.signer.sign(text.encode())
    value = base64.b64encode(key.key_id + signature).decode()
    return f"{text}\n\u2014 {signer.name} {value}\n"


def notes(sample: Sample) -> Done:
    """Checkpoint, witnessed notes and seal notes."""
    other = sign_checkpoint(Checkpoint(ORIGIN, 5, bytes(32)), [LOG])
    for name in sorted(sample.files):
        if name == "checkpoint" or name.startswith(("witnessed/", "seals/")) or name == "seal/note":
            signer = AUDITOR if "seal" in name else LOG
            for label, text in _note_changes(sample.files[name].decode(), signer, other):
                yield f"{name}: {label}", _put(sample, name, text.encode("utf-8", "surrogatepass"))
    for name in (
        "checkpoint",
        *(one for one in sample.files if one.startswith(("witnessed/", "seal")) and "items" not in one),
    ):
        if name in sample.files and "absent" not in name:
            yield f"{name}: no UTF-8", _put(sample, name, b"\xff" + sample.files[name])
            yield f"{name}: no UTF-8 at its end", _put(sample, name, sample.files[name] + b"\xff")


def checkpoints(sample: Sample) -> Done:
    """Checkpoints that the log key signed, of another tree, size or epoch; witnessed notes likewise."""
    head = parse_checkpoint(parse_note(sample.files["checkpoint"].decode()).text)
    origins = (ORIGIN, f"{ORIGIN}/epoch/1", f"{ORIGIN}/epoch/2", f"{ORIGIN}/epoch/01", "other.example/log", f"{ORIGIN}/epoch/x",
               f"{ORIGIN}/epoch/", f"{ORIGIN}/epoch/99999999999999999999")  # fmt: skip
    for origin in origins:
        for size in (
            head.size,
            head.size - 1,
            head.size + 1,
            0,
            1,
            5,
            256,
            257,
            1 << 20,
            (1 << 40) - 1,
            1 << 40,
            1 << 62,
        ):
            for root in (head.root, bytes(32)):
                if (origin, size, root) == (head.origin, head.size, head.root):
                    continue
                if origin != head.origin and size not in (head.size, head.size - 1, 5):
                    continue
                try:
                    note = sign_checkpoint(Checkpoint(origin, size, root), [LOG])
                except (DataError, ValueError):
                    note = _signed(f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n", LOG)
                yield f"checkpoint of {origin} {size} {root[:1].hex()}", _put(sample, "checkpoint", note.encode())
                if size < 1 << 40:
                    yield (
                        f"witnessed of {origin} {size} {root[:1].hex()}",
                        _put(sample, f"witnessed/{size}", note.encode()),
                    )
    yield (
        "checkpoint by a stranger",
        _put(sample, "checkpoint", sign_checkpoint(head, [NoteSigner(ORIGIN, KEYS.stranger)]).encode()),
    )
    yield (
        "checkpoint with all witnesses",
        _put(sample, "checkpoint", _with_all(sample.files["checkpoint"].decode()).encode()),
    )


def _with_all(note: str, time: int = 1_862_000_000) -> str:
    for witness in WITNESSES:
        if f" {witness.name} " not in note:
            note = add_signature(note, cosign(note, witness.name, witness.signer, time))
    return note


# ---- what is brought ---------------------------------------------------------------------------------


def brought(sample: Sample) -> Done:
    """Other keys, older notes, policies and times."""
    yield "no key", sample.bring(key=None)
    yield "another key", sample.bring(key=format_vkey(VerifierKey(ORIGIN, 1, KEYS.stranger.public_key)))
    yield "another origin", sample.bring(key=format_vkey(VerifierKey("other.example/log", 1, KEYS.log.public_key)))
    for quorum in (1, 2, 3, 4):
        yield f"{quorum} witnesses", sample.bring(policy=witness_policy(quorum))
        yield f"{quorum} witnesses without a key", sample.bring(policy=witness_policy(quorum), key=None)
        yield (
            f"a policy names the log, {quorum}",
            sample.bring(policy=f"log {format_vkey(VERIFIER)}\n" + witness_policy(quorum), key=None),
        )
    stranger = (STRANGER,)
    yield "unknown witness", sample.bring(policy=witness_policy(1, stranger))
    yield "one of the known witnesses", sample.bring(policy=witness_policy(1, WITNESSES[1:2]))
    yield "quorum none", sample.bring(policy="quorum none\n")
    yield "no policy", sample.bring(policy=None)
    for number, time in enumerate((0, 1_795_219_200_000, 1_795_219_260_000, 1_795_400_000_000, 1_862_100_000_000, NOW)):
        yield f"now {number}", sample.bring(now=time)
    yield "no auditor", sample.bring(auditors=())
    yield "another auditor", sample.bring(auditors=(format_vkey(STRANGER.verifier),))
    yield "one auditor", sample.bring(auditors=(format_vkey(OTHER_AUDITOR.verifier),))
    same = VerifierKey(AUDITOR.name, 1, STRANGER.signer.public_key)
    yield "an auditor's name with another key", sample.bring(auditors=(format_vkey(same),))
    head = parse_checkpoint(parse_note(sample.files["checkpoint"].decode()).text)
    yield "since itself", sample.bring(since=sample.files["checkpoint"].decode())
    yield "no since", sample.bring(since=None)
    for name, data in sample.files.items():
        if name.startswith("witnessed/"):
            yield f"since {name}", sample.bring(since=data.decode())
    for size in (1, 3, 4, head.size - 1, head.size, head.size + 1):
        for origin in (ORIGIN, head.origin):
            note = sign_checkpoint(Checkpoint(origin, size, bytes(range(32))), [LOG])
            yield f"since {size} of {origin} with another root", sample.bring(since=note)
    yield "since without a key", sample.bring(key=None, since=sample.files["checkpoint"].decode())


# ---- what is canonical -------------------------------------------------------------------------------


def _other_values(value: Any) -> Iterator[tuple[str, Any]]:
    """Values beside one: of the same type, and of others."""
    yield from ((label, other) for label, other in (("nil", None), ("false", False), ("0", 0), ("a text", "x"), ("bytes", b"x"),
                ("an array", ())) if other != value or type(other) is not type(value))  # fmt: skip
    match value:
        case bool():
            yield "the other", not value
        case int():
            for label, other in (("+1", value + 1), ("-1", value - 1), ("large", (1 << 63) - 1), ("larger", (1 << 64) - 1),
                                 ("negative", -1), ("x256", value << 8)):  # fmt: skip
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
            for label, text in (("longer", value + "x"), ("empty", ""), ("shorter", value[:-1]), ("a space", value + " "),
                                ("not NFC", value + "e\u0301"), ("upper", value.upper()), ("long", "x" * 481)):  # fmt: skip
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
    for label, head in (("a long array", b"\xdd\xff\xff\xff\xff"), ("a long text", b"\xdb\xff\xff\xff\xff"), ("a long array 16", b"\xdc\xff\xff"),
                        ("a long byte string", b"\xc6\xff\xff\xff\xff"), ("a map", b"\x80"), ("a float", b"\xcb" + bytes(8)),
                        ("an extension", b"\xd4\x00\x00"), ("deep", b"\x91" * 70_000), ("reserved", b"\xc1")):  # fmt: skip
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
            yield f"{name} {label}", _put(sample, name, other)
        if number % stride:
            continue
        parts = encoding.unpack_strict(data, max_bytes=1 << 26, max_depth=1)
        assert isinstance(parts, tuple)
        for at in (1, 2):
            part = parts[at]
            if isinstance(part, bytes):
                for label, other in packed_beside(part[32:], most):
                    changed = (*parts[:at], part[:32] + other, *parts[at + 1 :])
                    yield f"{name} {('', 'content', 'rows')[at]} {label}", _put(sample, name, encoding.pack(changed))
        header = parts[0]
        assert isinstance(header, bytes)
        for offset in range(0, 128, 3):
            changed = (flipped(header, offset, offset % 8), *parts[1:])
            yield f"{name} header byte {offset}", _put(sample, name, encoding.pack(changed))


def proofs(sample: Sample) -> Done:
    """Proofs of entries."""
    names = sorted(name for name in sample.files if name.endswith(".proof"))
    for number, name in enumerate(names):
        text = sample.files[name].decode()
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        for at, line in enumerate(lines):
            for label, changed in (("gone", []), ("twice", [line, line]), ("longer", [line + "A"]), ("shorter", [line[:-1]]),
                                   ("a space", [line + " "])):  # fmt: skip
                if number % 4 == at % 4:
                    again = "\n".join([*lines[:at], *changed, *lines[at + 1 :]]) + "\n\n" + note
                    yield f"{name} line {at} {label}", _put(sample, name, again.encode())
        other = sample.files[names[number - 1]]
        yield f"{name} that of {names[number - 1]}", _put(sample, name, other)
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
                yield f"{name} {label}", _put(sample, name, again.encode("utf-8", "surrogateescape"))




def consistency(sample: Sample) -> Done:
    """Consistency proofs."""
    for name in sorted(one for one in sample.files if one.startswith("consistency/")):
        lines = sample.files[name].decode().splitlines()
        for label, changed in (
            ("without the first", lines[1:]), ("without the last", lines[:-1]), ("the last twice", [*lines, *lines[-1:]]),
            ("turned round", lines[::-1]), ("zeros", [base64.b64encode(bytes(32)).decode()] * len(lines)), ("none", []),
            ("short", [one[:-4] for one in lines]), ("spaces", [f"{one} " for one in lines]), ("an empty line", [*lines, ""]),
            ("spare bits", [one[:-2] + chr(ord(one[-2]) ^ 1) + "=" for one in lines]), ("more", [*lines, *lines * 20]),
        ):  # fmt: skip
            yield f"{name} {label}", _put(sample, name, "".join(f"{one}\n" for one in changed).encode())


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
                yield f"{name} {at} {label}", _put(sample, name, _joined([*found[:at], *changed, *found[at + 1 :]]))
            for label, other in packed_beside(one, 3, 3):
                yield f"{name} {at} {label}", _put(sample, name, _joined([*found[:at], other, *found[at + 1 :]]))
        for label, some in (
            ("turned round", found[::-1]), ("none", []), ("an empty one", [*found, b""]), ("the last in front", found[-1:] + found[:-1]),
        ):  # fmt: skip
            yield f"{name} {label}", _put(sample, name, _joined(some))
        for label, data in (
            ("a length more", sample.files[name] + bytes(4)), ("half a length", sample.files[name] + b"\0\0"),
            ("a long length", sample.files[name] + b"\xff\xff\xff\xff"), ("over its cap", sample.files[name] + b"\0\x10\0\1" + bytes((1 << 20) + 1)),
            ("at its cap", sample.files[name] + b"\0\x10\0\0" + bytes(1 << 20)),
        ):  # fmt: skip
            yield f"{name} {label}", _put(sample, name, data)


def disclosures(sample: Sample) -> Done:
    """Private values that are shown."""
    for name in sorted(one for one in sample.files if one.startswith("private/")):
        said = json.loads(sample.files[name])

        def put(label: str, text: str | bytes, name: str = name) -> tuple[str, Sample]:
            data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            return f"{name} {label}", _put(sample, name, data)

        for member, value in said.items():
            others: list[Any] = [
                None,
                "",
                1,
                [],
                {"base64": "eA=="},
                {"base64": "eA"},
                {"base64": 1},
                {},
                {"base64": "eA==", "x": 1},
            ]
            if isinstance(value, str):
                others += [value + "0", value.upper(), value[:-2], " " + value, value.replace("\n", "\r\n"),
                           ("1" if value[0] != "1" else "2") + value[1:], value + "\ud800", value + "e\u0301"]  # fmt: skip
            for other in others:
                if other != value:
                    yield put(f"{member} {other!r:.30}", json.dumps({**said, member: other}))
            yield put(f"without {member}", json.dumps({one: thing for one, thing in said.items() if one != member}))
            yield put(f"{member} twice", json.dumps(said)[:-1] + f', "{member}": {json.dumps(value)}}}')
        yield put("a member more", json.dumps({**said, "more": 1}))
        yield put("a list", json.dumps([said]))
        yield put("no JSON", json.dumps(said)[:-1])
        yield put("deep", "[" * 200_000)
        yield put("long", json.dumps(said) + " " * (1 << 19))
        yield put("long in bytes alone", json.dumps({**said, "value": "\U0001f4a9" * 100_000}, ensure_ascii=False))
        yield put("as ASCII", json.dumps(said))
        yield put("as UTF-8", json.dumps(said, ensure_ascii=False))
        yield put("byte order mark", b"\xef\xbb\xbf" + json.dumps(said).encode())
        yield put("no UTF-8", json.dumps(said).encode() + b"\xff")
        yield put("NaN", json.dumps({**said, "value": float("nan")}))


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
                yield f"{name} hash {at // 32}", _put(sample, name, flipped(data, at + at % 31, 3))
            continue
        if kind not in ("tile/entries", "contents", "rows"):
            continue
        width = 2 if kind == "tile/entries" else 4
        parts = _split(data, width)

        def put(label: str, parts: Sequence[bytes], name: str = name, width: int = width) -> tuple[str, Sample]:
            return f"{name} {label}", _put(sample, name, _join(parts, width))

        yield put("turned round", parts[::-1])
        yield put("none", [])
        yield put("all empty", [b""] * len(parts))
        yield put("one more", [*parts, parts[-1]])
        yield put("an empty one more", [*parts, b""])
        for at, part in enumerate(parts):
            before, behind = parts[:at], parts[at + 1 :]
            yield put(f"{at} gone", [*before, *behind])
            yield put(f"{at} empty", [*before, b"", *behind])
            yield put(f"{at} twice", [*before, part, part, *behind])
            if behind:
                yield put(f"{at} swapped", [*before, behind[0], part, *behind[1:]])
            if at % stride:
                continue
            for length in (1, 31, 32, 33):
                yield put(f"{at} of {length} bytes", [*before, part[:length], *behind])
            yield put(f"{at} a byte more", [*before, part + b"\0", *behind])
            if kind == "tile/entries":
                for offset in range(128):
                    yield put(f"{at} byte {offset}", [*before, flipped(part, offset, offset % 8), *behind])
            else:
                for offset in (0, 31):
                    yield put(f"{at} salt {offset}", [*before, flipped(part, offset, 0), *behind] if part else parts)
                for label, other in packed_beside(part[32:], most):
                    yield put(f"{at} {label}", [*before, part[:32] + other, *behind])


GENERATORS: dict[str, Callable[[Sample], Done]] = {
    "files": files, "copies": copies, "manifest": manifest, "notes": notes, "checkpoints": checkpoints, "brought": brought,
    "entry_files": entry_files, "proofs": proofs, "consistency": consistency, "seal_lists": seal_lists,
    "disclosures": disclosures, "tiles": tiles,
}  # fmt: skip


def everything_done_to(sample: Sample) -> Done:
    """All of it."""
    for function in GENERATORS.values():
        yield from function(sample)
