"""What can be done to the texts of a bundle, and to what is brought to check it: see bundle_mutations.py.

Notes, with or without a signature that fits; what a bundle says of itself; disclosures; other keys, policies, times.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from bundle_samples import AUDITOR, KEYS, NOW, OTHER_AUDITOR, VERIFIER, WITNESSES, Sample, witness_policy
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

__all__ = [
    "LOG",
    "STRANGER_LINE",
    "Done",
    "brought",
    "checkpoints",
    "disclosures",
    "flipped",
    "manifest",
    "notes",
    "put",
]

Done = Iterator[tuple[str, Sample]]
LOG = NoteSigner(ORIGIN, KEYS.log)
STRANGER = NoteSigner("stranger.example/s", fixed_key("stranger"))
#: A signature line of somebody nobody knows.
STRANGER_LINE = f"\u2014 stranger.example/s {base64.b64encode(b'0123' + bytes(64)).decode()}\n"


def flipped(data: bytes, offset: int, bit: int) -> bytes:
    """With one bit turned over."""
    return data[:offset] + bytes([data[offset] ^ 1 << bit]) + data[offset + 1 :]


def put(sample: Sample, name: str, data: bytes | None) -> Sample:
    return sample.changed({name: data})


# ---- bundle.json -------------------------------------------------------------------------------------


def manifest(sample: Sample) -> Done:
    """What a bundle says of itself."""
    said = json.loads(sample.files["bundle.json"])

    def said_so(label: str, text: str | bytes) -> tuple[str, Sample]:
        return f"bundle.json {label}", put(sample, "bundle.json", text if isinstance(text, bytes) else text.encode())

    for name, value in (
        ("format", "tracechain bundle v1"),
        ("format", None),
        ("kind", "whole"),
        ("kind", "excerpt"),
        ("kind", "absence"),
        ("kind", "Whole"),
        ("kind", 1),
        ("kind", []),
        ("kind", {}),
        ("exported", 0),
        ("exported", -1),
        ("exported", 1 << 63),
        ("exported", (1 << 63) - 1),
        ("exported", 1.5),
        ("exported", True),
        ("exported", "1"),
        ("exported", 1e3),
        ("exported", None),
        ("asked", "x"),
        ("asked", ["x" * 1000]),
        ("asked", ["x" * 1001]),
        ("asked", []),
        ("asked", ["a"] * 1024),
        ("asked", ["a"] * 1025),
        ("asked", [1]),
        ("asked", None),
        ("asked", [["a"]]),
        ("asked", ["\u202e\x1b[2J\x00"]),
        ("asked", ["\U0001f4a9" * 1000]),
        ("more", 1),
        ("asked", ["\ud800"]),
    ):
        yield said_so(f"{name} {value!r:.40}", json.dumps({**said, name: value}))
    for name in said:
        yield said_so(f"without {name}", json.dumps({one: value for one, value in said.items() if one != name}))
        yield said_so(f"{name} twice", json.dumps(said)[:-1] + f',"{name}":' + json.dumps(said[name]) + "}")
    text = json.dumps(said)
    for label, other in (
        ("NaN", text.replace(str(said["exported"]), "NaN")),
        ("Infinity", text.replace(str(said["exported"]), "Infinity")),
        ("-0", text.replace(str(said["exported"]), "-0")),
        ("1.0", text.replace(str(said["exported"]), "1.0")),
        ("5000 digits", text.replace(str(said["exported"]), "1" * 5000)),
        ("list", f"[{text}]"),
        ("two", text + text),
        ("spaces", " \n\t" + text + "\r\n "),
        ("cut", text[:-1]),
        ("single quotes", text.replace('"', "'")),
        ("deep", "[" * 30_000 + "]" * 30_000),
        ("deep objects", '{"a":' * 12_000 + "1" + "}" * 12_000),
        ("deep within", text[:-1] + ',"asked":' + "[" * 9000 + "]" * 9000 + "}"),
        ("long", text + " " * (1 << 16)),
        ("as long as may be", text + " " * ((1 << 16) - len(text.encode()))),
        ("comment", text + "//"),
        ("null", "null"),
        ("number", "1"),
        ("text", '"x"'),
        ("nothing", ""),
        ("form feed", "\f" + text),
        ("no-break", "\xa0" + text),
        ("control in a text", text.replace("[", '["\x01",', 1)),
        ("escape of half a pair", text.replace("[", '["\\ud800",', 1)),
        ("trailing comma", text[:-1] + ",}"),
        ("hexadecimal", text.replace(str(said["exported"]), "0x10")),
        ("leading zero", text.replace(str(said["exported"]), "0" + str(said["exported"]))),
        ("plus", text.replace(str(said["exported"]), "+1")),
        ("full-width", text.replace(str(said["exported"]), "\uff11")),
        ("exponent", text.replace(str(said["exported"]), "1e2")),
    ):
        yield said_so(label, other)
    yield said_so("byte order mark", b"\xef\xbb\xbf" + text.encode())
    yield said_so("UTF-16", text.encode("utf-16"))
    yield said_so("no UTF-8", text.encode().replace(b"[", b'["\xff",', 1))
    yield said_so("a half pair as UTF-8", text.encode().replace(b"[", b'["\xed\xa0\x80",', 1))


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
            ("key id", flipped(blob, 0, 0)),
            ("signature", flipped(blob, len(blob) - 1, 0)),
            ("R", flipped(blob, 5, 1)),
            ("R of a cosignature", flipped(blob, min(14, len(blob) - 1), 1)),
            ("short", blob[:-1]),
            ("long", blob + b"\0"),
            ("id only", blob[:4]),
            ("three bytes", blob[:3]),
            ("none", b""),
        ):
            yield f"line {number}, {label}", made(body, [*rest, f"{dash} {name} {base64.b64encode(raw).decode()}"])
        for label, text in (
            ("name", f"{dash} x{name} {value}"),
            ("hyphen", f"- {name} {value}"),
            ("space more", f"{dash}  {name} {value}"),
            ("no name", f"{dash}  {value}"),
            ("space after", line + " "),
            ("unpadded", line.rstrip("=")),
            ("padded", line + "="),
            ("spare bits", line[:-1] + chr(ord(line[-1]) ^ 1)),
            ("tab", line.replace(" ", "\t")),
            ("plus in name", f"{dash} {name}+ {value}"),
            ("cr", line + "\r"),
        ):
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
                yield f"{name}: {label}", put(sample, name, text.encode("utf-8", "surrogatepass"))
    for name in (
        "checkpoint",
        *(one for one in sample.files if one.startswith(("witnessed/", "seal")) and "items" not in one),
    ):
        if name in sample.files and "absent" not in name:
            yield f"{name}: no UTF-8", put(sample, name, b"\xff" + sample.files[name])
            yield f"{name}: no UTF-8 at its end", put(sample, name, sample.files[name] + b"\xff")


def checkpoints(sample: Sample) -> Done:
    """Checkpoints that the log key signed, of another tree, size or epoch; witnessed notes likewise."""
    head = parse_checkpoint(parse_note(sample.files["checkpoint"].decode()).text)
    origins = (
        ORIGIN,
        f"{ORIGIN}/epoch/1",
        f"{ORIGIN}/epoch/2",
        f"{ORIGIN}/epoch/01",
        "other.example/log",
        f"{ORIGIN}/epoch/x",
        f"{ORIGIN}/epoch/",
        f"{ORIGIN}/epoch/99999999999999999999",
    )
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
                yield f"checkpoint of {origin} {size} {root[:1].hex()}", put(sample, "checkpoint", note.encode())
                if size < 1 << 40:
                    yield (
                        f"witnessed of {origin} {size} {root[:1].hex()}",
                        put(sample, f"witnessed/{size}", note.encode()),
                    )
    yield (
        "checkpoint by a stranger",
        put(sample, "checkpoint", sign_checkpoint(head, [NoteSigner(ORIGIN, KEYS.stranger)]).encode()),
    )
    yield (
        "checkpoint with all witnesses",
        put(sample, "checkpoint", _with_all(sample.files["checkpoint"].decode()).encode()),
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


# ---- disclosures ---------------------------------------------------------------------------------------


def disclosures(sample: Sample) -> Done:
    """Private values that are shown."""
    for name in sorted(one for one in sample.files if one.startswith("private/")):
        said = json.loads(sample.files[name])

        def said_so(label: str, text: str | bytes, name: str = name) -> tuple[str, Sample]:
            data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
            return f"{name} {label}", put(sample, name, data)

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
                others += [
                    value + "0",
                    value.upper(),
                    value[:-2],
                    " " + value,
                    value.replace("\n", "\r\n"),
                    ("1" if value[0] != "1" else "2") + value[1:],
                    value + "\ud800",
                    value + "e\u0301",
                ]
            for other in others:
                if other != value:
                    yield said_so(f"{member} {other!r:.30}", json.dumps({**said, member: other}))
            yield said_so(f"without {member}", json.dumps({one: thing for one, thing in said.items() if one != member}))
            yield said_so(f"{member} twice", json.dumps(said)[:-1] + f', "{member}": {json.dumps(value)}}}')
        yield said_so("a member more", json.dumps({**said, "more": 1}))
        yield said_so("a list", json.dumps([said]))
        yield said_so("no JSON", json.dumps(said)[:-1])
        yield said_so("deep", "[" * 200_000)
        yield said_so("long", json.dumps(said) + " " * (1 << 19))
        yield said_so("long in bytes alone", json.dumps({**said, "value": "\U0001f4a9" * 100_000}, ensure_ascii=False))
        yield said_so("as ASCII", json.dumps(said))
        yield said_so("as UTF-8", json.dumps(said, ensure_ascii=False))
        yield said_so("byte order mark", b"\xef\xbb\xbf" + json.dumps(said).encode())
        yield said_so("no UTF-8", json.dumps(said).encode() + b"\xff")
        yield said_so("NaN", json.dumps({**said, "value": float("nan")}))
