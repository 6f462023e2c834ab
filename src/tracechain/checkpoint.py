"""Checkpoints: the signed head of the tree, in the C2SP formats that any transparency-log tool reads.

**Checkpoint** (tlog-checkpoint v1.0.0). Lines, each ended by LF: the origin (names the log), the number of
leaves in decimal, the root in base64, then extension lines, if any (not recommended, none are written here).

**Signed note** (signed-note v1.0.0). The text, which ends in LF; an empty line; signature lines: an em dash
(U+2014), a space, the name of the key, a space, base64 of 4 bytes key id and the signature. The last empty
line divides. The key id is SHA-256(name || LF || type || public key)[:4]; type 1 is Ed25519 over the text,
type 4 a cosignature. A line of an unknown (name, key id) is ignored; if a known key's signature fails, the
whole note is refused.

**Keys as text.** `name+hash+key` where hash is the key id in hex and key is base64(type || public key): a
*vkey*. With `PRIVATE+KEY+` in front and the 32-byte seed instead of the public key: an *skey*, a secret.

    >>> log = parse_skey(
    ...     "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
    ... )
    >>> vkey = format_vkey(log.verifier)
    >>> vkey
    'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
    >>> head = Checkpoint("example.com/log/testdata", 1, merkle.leaf_hash(b"one"))
    >>> note = sign_checkpoint(head, [log])
    >>> print(note, end="")
    example.com/log/testdata
    1
    0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=
    <BLANKLINE>
    — example.com/log/testdata M9e0lhr9kuLxGdAtaUrhm84TQffVsLdcy808sN0a3WyniNlfcr9+bywoiIke1YYciCNjJGkCgIlQ8b16jhsmg/SChAM=
    >>> open_checkpoint(note, parse_vkey(vkey)) == head
    True

**Cosignature** (tlog-cosignature v1.0.1, Ed25519). A witness that saw this checkpoint extend every earlier
one signs `cosignature/v1` LF `time <unix seconds>` LF and the whole checkpoint text; its line carries the
time (u64) before the 64-byte signature. It does not commit to the witness's name: one key per witness.

    >>> from tracechain.signing import MemorySigner
    >>> witness = NoteSigner("witness.example/w1", MemorySigner.from_seed(bytes(32)))
    >>> line = cosign(note, witness.name, witness.signer, 1679315147)
    >>> open_cosignature(add_signature(note, line), witness.cosigner)
    1679315147

**Proof file** (tlog-proof). `c2sp.org/tlog-proof@v1`, perhaps `extra <base64>` (opaque and not
authenticated), `index <n>`, one base64 hash a line beginning with the leaf's sibling, an empty line, the
checkpoint note as it is.

    >>> proof = parse_proof(format_proof(InclusionProof(0, (), note)))
    >>> check_proof(proof, merkle.leaf_hash(b"one"), log.verifier) == head
    True

Parsing is strict: sizes are capped first, base64 and decimal numbers have one spelling, text is UTF-8
without control characters (all of Unicode category Cc but LF; the specification names only those below
U+0020, but what is signed here is also printed on terminals), and what is parsed formats to the same bytes
again. A known key signs a note once.
"""  # noqa: E501  a signature line is as long as it is

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from attrs import field, frozen

from tracechain import merkle
from tracechain.errors import CheckpointError, DataError, InputError, KeyUseError, ProofError, SignatureError
from tracechain.signing import ED25519, KEY_BYTES, SIGNATURE_BYTES, MemorySigner, PublicKey, Signer, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "COSIGNATURE",
    "MAX_NOTE_BYTES",
    "MAX_SIGNATURES",
    "Checkpoint",
    "InclusionProof",
    "Note",
    "NoteSignature",
    "NoteSigner",
    "OpenedNote",
    "VerifiedSignature",
    "VerifierKey",
    "add_signature",
    "check_proof",
    "clean_text",
    "cosign",
    "decode_base64",
    "encode_base64",
    "format_checkpoint",
    "format_note",
    "format_proof",
    "format_skey",
    "format_vkey",
    "key_id",
    "open_checkpoint",
    "open_cosignature",
    "open_note",
    "parse_checkpoint",
    "parse_decimal",
    "parse_note",
    "parse_proof",
    "parse_skey",
    "parse_vkey",
    "sign_checkpoint",
    "verify_line",
]

COSIGNATURE = 4
"""C2SP signature type of a timestamped Ed25519 witness cosignature; an ordinary Ed25519 signature is type
1."""

MAX_NOTE_BYTES = 65_536
"""Longest note that is read or written, in bytes of UTF-8: room for 16 post-quantum signatures."""

MAX_SIGNATURES = 100
"""Most signature lines in a note, as in the Go implementation; the specification asks for at least 16."""

MAX_PROOF_BYTES = 2 * MAX_NOTE_BYTES
"""Longest proof file that is read or written: a note, 63 hashes and extra data."""

_DASH = "\N{EM DASH} "
_MAX_TIME = 2**63 - 1  # of a cosignature, in seconds since 1970
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # surrogates: no UTF-8 has them
_PROOF_MAGIC = "c2sp.org/tlog-proof@v1"
_SKEY_PREFIX = "PRIVATE+KEY+"


# ---- text that has one spelling ----------------------------------------------------------------


def encode_base64(data: bytes) -> str:
    """Encode as RFC 4648 section 4, padded."""
    return b64encode(data).decode("ascii")


def decode_base64(text: str, what: str, error: type[Exception]) -> bytes:
    """Decode base64 of RFC 4648 section 4; unused bits must be zero, padding must be there."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise error(f"{what} is not base64: {text[:80]!r}") from None
    if encode_base64(data) != text:
        raise error(f"{what} is not the one base64 spelling of its bytes: {text[:80]!r}")
    return data


def parse_decimal(text: str, what: str, error: type[Exception]) -> int:
    """Parse ASCII digits without sign or leading zero, below 2^63."""
    if not _DECIMAL.fullmatch(text) or int(text) > merkle.MAX_SIZE:
        raise error(f"{what} is not a decimal number below 2^63 without leading zeros: {text[:80]!r}")
    return int(text)


def clean_text(data: str | bytes, cap: int, what: str, error: type[Exception]) -> str:
    """Check length, encoding and control characters of what came from outside."""
    over = f"{what} has over {cap} bytes, more than is read"
    if len(data) > cap:  # bytes or characters, which are no more than the bytes
        raise error(over)
    try:
        encoded = data.encode() if isinstance(data, str) else data
        text = encoded.decode()
    except UnicodeError:
        raise error(f"{what} is not UTF-8 text") from None
    if len(encoded) > cap:
        raise error(over)
    control = _CONTROL.search(text)
    if control:
        raise error(
            f"{what} has a control character, U+{ord(control[0]):04X}, at character {control.start()};"
            " only LF is allowed (read files as bytes, so that line ends stay as they are)"
        )
    return text


def _is_key_name(name: str) -> bool:
    return name.split() == [name] and "+" not in name and not _CONTROL.search(name)


# ---- keys --------------------------------------------------------------------------------------


def key_id(name: str, algorithm: int, raw: bytes) -> bytes:
    """Compute the 4-byte key id: SHA-256(name || LF || type || public key)[:4]; a name, no secure hash."""
    return sha256(name.encode() + b"\n" + bytes((algorithm,)) + raw).digest()[:4]


@frozen
class VerifierKey:
    """Whose signature counts: the name and public key of a log (type 1) or of a witness (type 4)."""

    name: str
    algorithm: int
    key: PublicKey

    def __attrs_post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise KeyUseError(f"{self.name!r} cannot name a key: empty, or with a space, a control character or +")
        if self.algorithm not in {ED25519, COSIGNATURE}:
            raise KeyUseError(
                f"key {self.name} has signature type {self.algorithm}; this version knows 1 (Ed25519) and"
                " 4 (Ed25519 cosignature)"
            )

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before each signature of this key."""
        return key_id(self.name, self.algorithm, self.key.raw)


def format_vkey(verifier: VerifierKey) -> str:
    """Format a verifier key as the line that is handed to those who check."""
    encoded = encode_base64(bytes((verifier.algorithm,)) + verifier.key.raw)
    return f"{verifier.name}+{verifier.key_id.hex()}+{encoded}"


def parse_vkey(text: str) -> VerifierKey:
    """Parse a vkey. KeyUseError if it is malformed, of an unknown type, or its hash does not fit its key."""
    if _SKEY_PREFIX in text:  # so that no message below repeats it
        raise KeyUseError("this is a signer key, a secret: give the verifier key (name+hash+key) instead")
    parts = text.split("+", 2)  # base64 has + in it too
    if len(parts) != 3:
        raise KeyUseError(f"not a verifier key (name+hash+key): {text[:200]!r}")
    data = decode_base64(parts[2], "the key in the verifier key", KeyUseError)
    if len(data) != 1 + KEY_BYTES:
        raise KeyUseError(f"verifier key {parts[0]!r}: an Ed25519 key has 1 + 32 bytes, this one has {len(data)}")
    try:
        verifier = VerifierKey(parts[0], data[0], PublicKey(ED25519, data[1:]))
    except SignatureError as error:
        raise KeyUseError(f"verifier key {parts[0]!r}: {error}") from None
    if format_vkey(verifier) != text:
        raise KeyUseError(f"verifier key {parts[0]!r}: hash {parts[1]!r} should be {verifier.key_id.hex()}: mistyped?")
    return verifier


@frozen
class NoteSigner:
    """A signer with the name under which it signs notes."""

    name: str
    signer: Signer

    def __attrs_post_init__(self) -> None:
        _ = self.verifier  # refuses a name that no verifier key could have

    @property
    def verifier(self) -> VerifierKey:
        """The verifier key for notes that this signs as a log."""
        return VerifierKey(self.name, ED25519, self.signer.public_key)

    @property
    def cosigner(self) -> VerifierKey:
        """The verifier key for cosignatures that this makes as a witness."""
        return VerifierKey(self.name, COSIGNATURE, self.signer.public_key)


def format_skey(name: str, seed: bytes) -> str:
    """Format a private key as an skey: a secret in plain text, for tests and for moving to and from other
    tools."""
    verifier = NoteSigner(name, MemorySigner.from_seed(seed)).verifier
    return f"{_SKEY_PREFIX}{name}+{verifier.key_id.hex()}+{encode_base64(bytes((ED25519,)) + seed)}"


def parse_skey(text: str) -> NoteSigner:
    """Parse an skey (type 1). KeyUseError if it is malformed; the message does not repeat it."""
    parts = text.removeprefix(_SKEY_PREFIX).split("+", 2)
    if not text.startswith(_SKEY_PREFIX) or len(parts) != 3:
        raise KeyUseError("not a signer key (PRIVATE+KEY+name+hash+key)")
    try:
        data = b64decode(parts[2], validate=True)
    except ValueError:
        raise KeyUseError("the key in the signer key is not base64") from None
    if len(data) != 1 + KEY_BYTES or data[0] != ED25519:
        raise KeyUseError("the signer key is not of type 1 (Ed25519) with 32 bytes")
    if format_skey(parts[0], data[1:]) != text:
        raise KeyUseError("the hash in the signer key does not fit its name and key: it was mistyped")
    return NoteSigner(parts[0], MemorySigner.from_seed(data[1:]))


# ---- checkpoint text ---------------------------------------------------------------------------


@frozen
class Checkpoint:
    """The head of a tree: `size` leaves with this `root` (32 bytes), in the log that `origin` names."""

    origin: str
    size: int
    root: bytes = field(repr=lambda root: root.hex())
    extensions: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line:
                raise CheckpointError(f"the origin and each extension of a checkpoint is one line, not {line!r}")
            clean_text(line, MAX_NOTE_BYTES, "a checkpoint", CheckpointError)
        if not 0 <= self.size <= merkle.MAX_SIZE:
            raise CheckpointError(f"a checkpoint's size is from 0 to 2^63 - 1, not {self.size}")
        if len(self.root) != merkle.HASH_BYTES:
            raise CheckpointError(f"a checkpoint's root has 32 bytes, not {len(self.root)}")
        if self.size == 0 and self.root != merkle.EMPTY_ROOT:
            raise CheckpointError(f"{self.root.hex()} is not the root of the empty tree")


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Format the text that is signed: origin, size, root and extensions, a line each."""
    lines = (checkpoint.origin, str(checkpoint.size), encode_base64(checkpoint.root), *checkpoint.extensions)
    return "\n".join(lines) + "\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse the text of a checkpoint (without signatures: `open_checkpoint` is what one trusts)."""
    text = clean_text(text, MAX_NOTE_BYTES, "the checkpoint", CheckpointError)
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise CheckpointError("a checkpoint has at least three lines (origin, size, root), each ended by LF")
    size = parse_decimal(lines[1], "the size in the checkpoint", CheckpointError)
    root = decode_base64(lines[2], "the root in the checkpoint", CheckpointError)
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


# ---- notes -------------------------------------------------------------------------------------


@frozen
class NoteSignature:
    """One signature line. `signature` is what follows the key id: for type 4 the time (8 bytes) comes
    first."""

    name: str
    key_id: bytes = field(repr=lambda key_id: key_id.hex())
    signature: bytes = field(repr=lambda signature: signature.hex())

    def __attrs_post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise CheckpointError(f"a signature line names its key {self.name!r}, which is no key name")
        if len(self.key_id) != 4 or not self.signature:
            raise CheckpointError(f"the signature line of {self.name} has no key id and signature in it")


@frozen
class Note:
    """A text with signature lines, parsed but **not verified**."""

    text: str
    signatures: tuple[NoteSignature, ...]


def _format_line(signature: NoteSignature) -> str:
    return f"{_DASH}{signature.name} {encode_base64(signature.key_id + signature.signature)}\n"


def _parse_line(line: str) -> NoteSignature:
    """Parse a signature line without its LF."""
    parts = line.removeprefix(_DASH).split(" ")
    if not line.startswith(_DASH) or len(parts) != 2:
        raise CheckpointError(f"not a signature line (em dash, key name, base64): {line[:200]!r}")
    blob = decode_base64(parts[1], f"the signature of {parts[0]!r}", CheckpointError)
    return NoteSignature(parts[0], blob[:4], blob[4:])


def format_note(note: Note) -> str:
    """Format text and signature lines. CheckpointError if no parser would accept the result."""
    text = note.text + "\n" + "".join(map(_format_line, note.signatures))
    if parse_note(text) != note:
        raise CheckpointError("the text of a note ends in LF")
    return text


def parse_note(data: str | bytes) -> Note:
    """Split a note into text and signatures; nothing is verified. CheckpointError if it is malformed or over
    a cap."""
    note = clean_text(data, MAX_NOTE_BYTES, "the note", CheckpointError)
    text, separator, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not separator or lines.pop() or not lines:
        raise CheckpointError("a note is text, an empty line and signature lines, each ended by LF; a part is missing")
    if len(lines) > MAX_SIGNATURES:
        raise CheckpointError(f"the note has {len(lines)} signature lines, over the {MAX_SIGNATURES} that are read")
    return Note(text + "\n", tuple(map(_parse_line, lines)))


@frozen
class VerifiedSignature:
    """A signature that stands: whose, and for a cosignature when (seconds since 1970), else None."""

    verifier: VerifierKey
    time: int | None = None


@frozen
class OpenedNote:
    """A note of which at least one known key's signature stands, and none fails."""

    text: str
    verified: tuple[VerifiedSignature, ...]


def _cosigned_message(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def verify_line(text: str, line: NoteSignature, verifier: VerifierKey) -> VerifiedSignature:
    """Verify one signature line of a note's text; CheckpointError if it does not stand. Whose it claims to be is not
    looked at."""
    try:
        if verifier.algorithm == ED25519:
            verify(verifier.key, text.encode(), line.signature)
            return VerifiedSignature(verifier)
        if len(line.signature) != 8 + SIGNATURE_BYTES:
            raise SignatureError(f"a cosignature has 72 bytes, this one has {len(line.signature)}")
        parse_checkpoint(text)  # what a cosignature says is said of a checkpoint
        time_s = int.from_bytes(line.signature[:8], "big")
        if time_s > _MAX_TIME:
            raise SignatureError("the time in a cosignature is over 2^63 - 1")
        verify(verifier.key, _cosigned_message(text, time_s), line.signature[8:])
        return VerifiedSignature(verifier, time_s)
    except DataError as error:
        raise CheckpointError(
            f"the note is refused, the signature of {verifier.name} does not stand: {error}"
        ) from None


def open_note(data: str | bytes, verifiers: Iterable[VerifierKey]) -> OpenedNote:
    """Verify a note with the keys that the caller trusts; the signatures come in the order of their lines.

    CheckpointError if the note is malformed, a known key's signature fails or occurs twice, or no known key
    signed. KeyUseError if two different keys go by the same name and key id.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise KeyUseError(f"two different keys go by {verifier.name}+{verifier.key_id.hex()}: rename one")
    note = parse_note(data)
    verified: dict[tuple[str, bytes], VerifiedSignature] = {}
    for line in note.signatures:
        who = (line.name, line.key_id)
        if who not in known:
            continue
        if who in verified:
            raise CheckpointError(f"the note is refused, {line.name} signed it twice")
        verified[who] = verify_line(note.text, line, known[who])
    if not verified:
        found = ", ".join(f"{line.name}+{line.key_id.hex()}" for line in note.signatures[:5])
        wanted = ", ".join(f"{name}+{number.hex()}" for name, number in known) or "none"
        raise CheckpointError(f"the note carries no signature of a known key: signed by {found}; known: {wanted}")
    return OpenedNote(note.text, tuple(verified.values()))


def add_signature(note: str, line: str) -> str:
    """Append a signature line (ended by LF) to a note; the same line again changes nothing.

    CheckpointError if either is malformed or the key has another line in the note already. Verifies nothing.
    """
    parsed = parse_note(note)
    if not line.endswith("\n"):
        raise CheckpointError("a signature line ends in LF")
    added = _parse_line(line[:-1])
    for signature in parsed.signatures:
        if signature == added:
            return note
        if (signature.name, signature.key_id) == (added.name, added.key_id):
            raise CheckpointError(f"{added.name} has signed this note already, with another signature")
    return format_note(Note(parsed.text, (*parsed.signatures, added)))


# ---- signing and opening checkpoints -----------------------------------------------------------


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner]) -> str:
    """Sign a checkpoint as its log: the note, with one line for each signer.

    Whoever calls this has made sure that the checkpoint extends the last one that was signed.
    """
    if not signers:
        raise InputError("a note needs at least one signature")
    text = format_checkpoint(checkpoint)
    lines = [
        NoteSignature(signer.name, signer.verifier.key_id, signer.signer.sign(text.encode())) for signer in signers
    ]
    return format_note(Note(text, tuple(lines)))


def open_checkpoint(data: str | bytes, verifier: VerifierKey, origin: str | None = None) -> Checkpoint:
    """Verify a note with the log's key and parse the checkpoint in it; with `origin`, it must be that log's.

    KeyUseError for a witness's key, which vouches for having seen a checkpoint, not for being the log.
    """
    if verifier.algorithm != ED25519:
        raise KeyUseError(f"{verifier.name} is a witness's key (type 4); a checkpoint is opened with the log's own key")
    checkpoint = parse_checkpoint(open_note(data, (verifier,)).text)
    if origin is not None and checkpoint.origin != origin:
        raise CheckpointError(f"the checkpoint is of log {checkpoint.origin!r}, not of {origin!r}")
    return checkpoint


def cosign(note: str, name: str, signer: Signer, time_s: int) -> str:
    """Cosign a checkpoint note as witness `name` at `time_s` (seconds since 1970): one signature line, ended
    by LF.

    The caller has opened the note with the log's key and checked that it extends what this witness signed
    before.
    """
    if not 0 <= time_s <= _MAX_TIME:
        raise InputError(f"a cosignature's time is from 0 to 2^63 - 1 seconds, not {time_s}")
    text = parse_note(note).text
    parse_checkpoint(text)
    signature = time_s.to_bytes(8, "big") + signer.sign(_cosigned_message(text, time_s))
    return _format_line(NoteSignature(name, NoteSigner(name, signer).cosigner.key_id, signature))


def open_cosignature(data: str | bytes, verifier: VerifierKey) -> int:
    """Verify a witness's cosignature on a checkpoint note; when it was made, in seconds since 1970.

    CheckpointError if it is absent or does not stand; KeyUseError for a key that is no witness's.
    """
    if verifier.algorithm != COSIGNATURE:
        raise KeyUseError(f"{verifier.name} is no witness's key (type 4) but of type {verifier.algorithm}")
    (verified,) = open_note(data, (verifier,)).verified
    assert verified.time is not None
    return verified.time


# ---- proof files -------------------------------------------------------------------------------


@frozen
class InclusionProof:
    """A tlog-proof file: leaf `index` is in the tree of `checkpoint` (a note) by `hashes`, leaf's sibling
    first.

    `extra` is opaque and **not authenticated**: nobody signed it.
    """

    index: int
    hashes: tuple[bytes, ...] = field(repr=lambda hashes: f"<{len(hashes)} hashes>")
    checkpoint: str
    extra: bytes | None = None

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.index < merkle.MAX_SIZE:
            raise ProofError(f"a leaf's index is from 0 to 2^63 - 2, not {self.index}")
        if len(self.hashes) > 63 or any(len(item) != merkle.HASH_BYTES for item in self.hashes):
            raise ProofError("an inclusion proof has at most 63 hashes of 32 bytes")
        parse_checkpoint(parse_note(self.checkpoint).text)


def format_proof(proof: InclusionProof) -> str:
    """Format a proof as the text of a .tlog-proof file."""
    lines = [_PROOF_MAGIC]
    if proof.extra is not None:
        lines.append(f"extra {encode_base64(proof.extra)}")
    lines += [f"index {proof.index}", *map(encode_base64, proof.hashes), "", proof.checkpoint]
    text = "\n".join(lines)
    clean_text(text, MAX_PROOF_BYTES, "the proof", ProofError)
    return text


def parse_proof(data: str | bytes) -> InclusionProof:
    """Parse a proof file; nothing is verified. ProofError if it is malformed, CheckpointError if its note
    is."""
    text = clean_text(data, MAX_PROOF_BYTES, "the proof", ProofError)
    head, separator, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines.pop(0) != _PROOF_MAGIC:
        raise ProofError(f"not a proof file: it begins with the line {_PROOF_MAGIC} and has an empty line in it")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), "the extra data of the proof", ProofError)
    if not lines or not lines[0].startswith("index "):
        raise ProofError('the proof has no line "index <n>" where it belongs')
    index = parse_decimal(lines.pop(0).removeprefix("index "), "the index in the proof", ProofError)
    hashes = tuple(decode_base64(line, "a hash in the proof", ProofError) for line in lines)
    return InclusionProof(index, hashes, checkpoint, extra)


def check_proof(
    proof: InclusionProof, leaf_hash: bytes, verifier: VerifierKey, origin: str | None = None
) -> Checkpoint:
    """Check that the leaf is in the log: signature and inclusion; the checkpoint that says so.

    CheckpointError if the note does not stand, ProofError if the hashes do not lead from the leaf to its
    root.
    """
    checkpoint = open_checkpoint(proof.checkpoint, verifier, origin)
    merkle.check_inclusion(leaf_hash, proof.index, checkpoint.size, proof.hashes, checkpoint.root)
    return checkpoint
