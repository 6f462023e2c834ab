"""Vectors of the C2SP formats: keys, signed notes, checkpoints, cosignatures, proof files; accepted and
refused.

The log key and the first checkpoint are those of the published example (example.com/log/testdata, entries
"one", ...).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from tracechain import merkle
from tracechain.checkpoint import (
    Checkpoint,
    InclusionProof,
    NoteSigner,
    add_signature,
    cosign,
    format_proof,
    format_skey,
    format_vkey,
    parse_skey,
    sign_checkpoint,
)
from tracechain.signing import MemorySigner

SKEY = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
LOG = parse_skey(SKEY)
ENTRIES = ["one", "two", "three", "four", "five"]
LEAVES = [merkle.leaf_hash(entry.encode()) for entry in ENTRIES]
OTHER = NoteSigner("other.example/log", MemorySigner.from_seed(bytes(range(32))))
WITNESS = NoteSigner("witness.example/w1", MemorySigner.from_seed(bytes(range(32, 64))))
TIME = 1679315147


def _head(size: int) -> Checkpoint:
    return Checkpoint(LOG.name, size, merkle.root(LEAVES[:size]))


def _note(about: str, note: str, head: Checkpoint | None, **more: Any) -> dict[str, Any]:
    case: dict[str, Any] = {"about": about, "kind": "checkpoint", "verdict": "stands" if head else "refused"}
    if head:
        case |= {
            "origin": head.origin,
            "size": head.size,
            "root": head.root.hex(),
            "extensions": list(head.extensions),
        }
    return case | {"vkey": format_vkey(LOG.verifier), "note": note} | more


def _checkpoints() -> dict[str, dict[str, Any]]:
    one = sign_checkpoint(_head(1), [LOG])
    extended = Checkpoint(LOG.name, 5, merkle.root(LEAVES), ("an extension", "another + one"))
    return {
        "checkpoint-published": _note("The published example.", one, _head(1), skey=SKEY, entries=ENTRIES[:1]),
        "checkpoint-empty": _note("A tree without leaves.", sign_checkpoint(_head(0), [LOG]), _head(0)),
        "checkpoint-five": _note("Five leaves.", sign_checkpoint(_head(5), [LOG]), _head(5), entries=ENTRIES),
        "checkpoint-extensions": _note("Extension lines.", sign_checkpoint(extended, [LOG]), extended),
        "checkpoint-unknown-signer": _note(
            "A line of an unknown key stands before the log's and is ignored.",
            sign_checkpoint(_head(5), [OTHER, LOG]),
            _head(5),
        ),
        "checkpoint-unknown-twice": _note(
            "Lines of unknown keys are ignored, also when they repeat.",
            one + _line_of(sign_checkpoint(_head(5), [OTHER])) * 2,
            _head(1),
        ),
        "checkpoint-same-name": _note(
            "A line with the log's name and another key id is of an unknown key.",
            one + _line_of(sign_checkpoint(_head(1), [NoteSigner(LOG.name, OTHER.signer)])),
            _head(1),
        ),
    }


def _line_of(note: str) -> str:
    return note.rpartition("\n\n")[2]


def _resign(text: str) -> str:
    """Sign any text whatever with the log's key: what is refused is the text, not the signature."""
    blob = LOG.verifier.key_id + LOG.signer.sign(text.encode())
    return f"{text}\n— {LOG.name} {b64encode(blob).decode()}\n"


def _refused_checkpoints() -> dict[str, tuple[str, str]]:
    head = _head(5)
    note = sign_checkpoint(head, [LOG])
    text, _, line = note.rpartition("\n\n")
    text += "\n"
    root = b64encode(head.root).decode()
    encoded = line.split(" ")[2].rstrip("\n")
    blob = b64decode(encoded)
    flipped = b64encode(blob[:-33] + bytes((blob[-33] ^ 1,)) + blob[-32:]).decode()

    def own(size: str, root: str = root, origin: str = LOG.name, tail: str = "") -> str:
        return _resign(f"{origin}\n{size}\n{root}\n{tail}")

    return {
        "size-changed": ("The signature is over another size.", note.replace("\n5\n", "\n4\n")),
        "signature-changed": ("One bit of the signature is changed.", note.replace(encoded, flipped)),
        "known-fails-beside-good": (
            "One good line of the known key and one that fails.",
            note + line.replace(encoded, flipped),
        ),
        "signed-twice": ("The known key's line stands twice.", note + line),
        "no-known-key": ("Signed by an unknown key only.", sign_checkpoint(head, [OTHER])),
        "no-signature": ("A text and an empty line, nothing else.", text + "\n"),
        "no-empty-line": ("Text and signature without the empty line.", text + line),
        "no-last-newline": ("The last line is not ended.", note[:-1]),
        "carriage-return": ("CR LF line ends.", note.replace("\n", "\r\n")),
        "hyphen": ("A hyphen for the em dash.", note.replace("—", "-")),
        "base64-padding": (
            "The padding of the signature is missing.",
            note.replace(encoded, encoded.rstrip("=")),
        ),
        "base64-unused-bits": (
            "Unused bits of the base64 are set.",
            note.replace(encoded, encoded[:-2] + chr(ord(encoded[-2]) + 1) + "="),
        ),
        "base64-space": (
            "A space within the base64.",
            note.replace(encoded, encoded[:8] + " " + encoded[8:]),
        ),
        "size-leading-zero": ("The size is 05.", own("05")),
        "size-sign": ("The size is +5.", own("+5")),
        "size-full-width": ("The size is a full-width five.", own("５")),
        "size-empty": ("The size is missing.", own("")),
        "size-too-large": ("The size is 2^63.", own(str(2**63))),
        "root-short": ("The root has 31 bytes.", own("5", b64encode(head.root[:31]).decode())),
        "root-hex": ("The root is in hex.", own("5", head.root.hex())),
        "empty-tree-with-root": ("Size 0 with another root than that of the empty tree.", own("0")),
        "origin-empty": ("The origin is empty.", own("5", origin="")),
        "extension-empty": ("An empty extension line.", own("5", tail="\nx\n")),
        "two-lines": ("A text of two lines.", _resign(f"{LOG.name}\n5\n")),
        "control": ("A control character in an extension.", own("5", tail="a\tb\n")),
        "c1-control": ("U+009B, which starts a command on some terminals.", own("5", tail="a\u009bb\n")),
    }


def _proofs() -> dict[str, dict[str, Any]]:
    class Memory:
        def leaf(self, index: int) -> bytes:
            return LEAVES[index]

        def node(self, height: int, index: int) -> bytes | None:
            return None

    note = sign_checkpoint(_head(5), [LOG])
    hashes = tuple(merkle.prove_inclusion(Memory(), 2, 5))
    plain = format_proof(InclusionProof(2, hashes, note))
    extra = format_proof(InclusionProof(2, hashes, note, b"not authenticated"))
    first = sign_checkpoint(_head(1), [LOG])
    shared = {"vkey": format_vkey(LOG.verifier), "leaf": LEAVES[2].hex()}

    def case(about: str, proof: str, verdict: str = "refused", **more: Any) -> dict[str, Any]:
        return {"about": about, "kind": "proof", "verdict": verdict, **shared, "proof": proof, **more}

    hash_lines = [b64encode(item).decode() + "\n" for item in hashes]
    return {
        "proof-plain": case('Entry 2 ("three") of five.', plain, "stands", index=2, entry=ENTRIES[2]),
        "proof-extra": case("With extra data.", extra, "stands", index=2, extra=b"not authenticated".hex()),
        "proof-single": case(
            "The only leaf: a proof without hashes.",
            format_proof(InclusionProof(0, (), first)),
            "stands",
            index=0,
            leaf=LEAVES[0].hex(),
        ),
        "proof-refused-other-leaf": case("The proof of another entry.", plain, leaf=LEAVES[1].hex()),
        "proof-refused-index": case("A neighbour's index.", plain.replace("index 2\n", "index 3\n")),
        "proof-refused-index-zeros": case("The index is 02.", plain.replace("index 2\n", "index 02\n")),
        "proof-refused-index-missing": case("No index line.", plain.replace("index 2\n", "")),
        "proof-refused-magic": case("Another version.", plain.replace("@v1", "@v2")),
        "proof-refused-hash-missing": case("A hash is missing.", plain.replace(hash_lines[-1], "")),
        "proof-refused-hash-twice": case("A hash stands twice.", plain.replace(hash_lines[0], hash_lines[0] * 2)),
        "proof-refused-extra-last": case(
            "The extra line stands after the index.", plain.replace("index 2\n", "index 2\nextra bm90\n")
        ),
        "proof-refused-checkpoint": case("Another checkpoint of the log.", plain.replace(note, first)),
        "proof-refused-no-checkpoint": case("No checkpoint.", plain.replace(note, "")),
        "proof-refused-unsigned": case(
            "Signed by an unknown key.",
            plain.replace(note, sign_checkpoint(_head(5), [OTHER])),
        ),
    }


def _cosignatures() -> dict[str, dict[str, Any]]:
    note = sign_checkpoint(_head(5), [LOG])
    line = cosign(note, WITNESS.name, WITNESS.signer, TIME)
    both = add_signature(note, line)
    later = cosign(note, WITNESS.name, WITNESS.signer, TIME + 1)
    blob = b64decode(line.split(" ")[2])
    moved = b64encode(blob[:4] + (TIME + 1).to_bytes(8, "big") + blob[12:]).decode()
    as_log = _line_of(sign_checkpoint(_head(5), [WITNESS]))
    shared = {"vkey": format_vkey(LOG.verifier), "witness": format_vkey(WITNESS.cosigner)}

    def case(about: str, note: str, time: int | None = None) -> dict[str, Any]:
        found = {
            "about": about,
            "kind": "cosignature",
            "verdict": "refused" if time is None else "stands",
            **shared,
        }
        return {**found, **({} if time is None else {"time": time}), "note": note}

    return {
        "cosignature": case("A witness's line beside the log's.", both, TIME)
        | {"line": line, "witness_skey": format_skey(WITNESS.name, bytes(range(32, 64)))},
        "cosignature-alone": case(
            "The witness's line without the log's.", note.rpartition("\n\n")[0] + "\n\n" + line, TIME
        ),
        "cosignature-refused-absent": case("The witness did not sign.", note),
        "cosignature-refused-time-moved": case(
            "The time was changed afterwards.", both.replace(line.split(" ")[2], moved + "\n")
        ),
        "cosignature-refused-twice": case("Two lines of one witness.", both + later),
        "cosignature-refused-type": case("The witness's key signed as a log (type 1).", note + as_log),
        "cosignature-refused-other-text": case(
            "A cosignature on another checkpoint of the log.", sign_checkpoint(_head(4), [LOG]) + line
        ),
    }


def _vkeys() -> dict[str, dict[str, Any]]:
    good = format_vkey(LOG.verifier)
    name, number, key = good.split("+", 2)
    small = b64encode(b"\x01" + bytes(32)).decode()
    wrong = {
        "hash-changed": f"{name}+33d7b497+{key}",
        "hash-upper-case": f"{name}+{number.upper()}+{key}",
        "hash-short": f"{name}+{number[:7]}+{key}",
        "name-changed": f"{name}x+{number}+{key}",
        "name-empty": f"+{number}+{key}",
        "name-space": f"a b+{number}+{key}",
        "two-parts": f"{name}+{number}",
        "key-short": f"{name}+{number}+{b64encode(b64decode(key)[:-1]).decode()}",
        "key-spelling": f"{name}+{number}+{key}=",
        "key-unknown-type": f"{name}+{number}+{b64encode(bytes((2,)) + b64decode(key)[1:]).decode()}",
        "key-small-order": f"{name}+{number}+{small}",
        "secret": SKEY,
    }
    found: dict[str, dict[str, Any]] = {
        "vkey": {
            "about": "The published signing key and its verifier key, as a log and as a witness.",
            "kind": "vkey",
            "verdict": "stands",
            "skey": SKEY,
            "vkey": good,
            "cosigner_vkey": format_vkey(LOG.cosigner),
            "name": name,
            "key_id": number,
            "public_key": LOG.signer.public_key.raw.hex(),
        }
    }
    for what, vkey in wrong.items():
        found[f"vkey-refused-{what}"] = {
            "about": f"A verifier key that is refused: {what.replace('-', ' ')}.",
            "kind": "vkey",
            "verdict": "refused",
            "vkey": vkey,
        }
    return found


def cases() -> dict[str, dict[str, Any]]:
    refused = {
        f"checkpoint-refused-{name}": _note(about, note, None) for name, (about, note) in _refused_checkpoints().items()
    }
    return {**_vkeys(), **_checkpoints(), **refused, **_cosignatures(), **_proofs()}
