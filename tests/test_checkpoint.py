"""Notes, checkpoints, keys as text, cosignatures and proof files: byte for byte, and strict on what comes
in."""

from __future__ import annotations

import doctest
import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain import checkpoint as module
from tracechain import merkle
from tracechain.checkpoint import (
    MAX_NOTE_BYTES,
    Checkpoint,
    InclusionProof,
    Note,
    NoteSignature,
    NoteSigner,
    VerifiedSignature,
    VerifierKey,
    add_signature,
    check_proof,
    cosign,
    format_checkpoint,
    format_note,
    format_proof,
    format_skey,
    format_vkey,
    open_checkpoint,
    open_cosignature,
    open_note,
    parse_checkpoint,
    parse_note,
    parse_proof,
    parse_skey,
    parse_vkey,
    sign_checkpoint,
)
from tracechain.errors import CheckpointError, DataError, InputError, KeyUseError, ProofError
from tracechain.signing import MemorySigner

VECTORS = Path(__file__).parent / "vectors"
SKEY = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
WORKED = """\
example.com/log/testdata
1
0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=

— example.com/log/testdata M9e0lhr9kuLxGdAtaUrhm84TQffVsLdcy808sN0a3WyniNlfcr9+bywoiIke1YYciCNjJGkCgIlQ8b16jhsmg/SChAM=
"""
LOG = parse_skey(SKEY)
OTHER = NoteSigner("other.example/log", MemorySigner.from_seed(b"o" * 32))
WITNESS = NoteSigner("witness.example/w1", MemorySigner.from_seed(b"w" * 32))
HEAD = Checkpoint("example.com/log/testdata", 1, merkle.leaf_hash(b"one"))
NOTE = sign_checkpoint(HEAD, [LOG])


def cases(kind: str) -> list[Any]:
    found = [(path, json.loads(path.read_text("utf-8"))) for path in sorted(VECTORS.glob("c2sp-*.json"))]
    return [pytest.param(case, id=path.stem) for path, case in found if case["kind"] == kind]


def signed(text: str, signer: NoteSigner = LOG) -> str:
    """Sign any text: what is then refused is the text, not the signature."""
    blob = signer.verifier.key_id + signer.signer.sign(text.encode())
    return f"{text}\n— {signer.name} {b64encode(blob).decode()}\n"


# ---- the published example, and the specification in the docstring -------------------------------


def test_the_worked_example_comes_out_byte_for_byte() -> None:
    assert NOTE == WORKED
    assert open_checkpoint(WORKED, LOG.verifier) == HEAD
    assert open_checkpoint(WORKED.encode(), LOG.verifier, origin=HEAD.origin) == HEAD


def test_the_examples_in_the_specification_run() -> None:
    result = doctest.testmod(module)
    assert result.attempted >= 10
    assert result.failed == 0


def test_the_cosignature_of_the_specification_is_read() -> None:
    """The example of the tlog-cosignature specification: its blob has a key id, a time and 64 bytes."""
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
        "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    (_, signature) = parse_note(add_signature(NOTE, line)).signatures
    assert signature.name == "witness.example.com/w1"
    assert len(signature.signature) == 72
    assert int.from_bytes(signature.signature[:8], "big") == 1679315147


# ---- vectors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("checkpoint"))
def test_vector_checkpoints(case: dict[str, Any]) -> None:
    verifier = parse_vkey(case["vkey"])
    if case["verdict"] == "refused":
        with pytest.raises(CheckpointError):
            open_checkpoint(case["note"], verifier)
        return
    expected = Checkpoint(case["origin"], case["size"], bytes.fromhex(case["root"]), tuple(case["extensions"]))
    assert open_checkpoint(case["note"], verifier) == expected
    assert format_note(parse_note(case["note"])) == case["note"]
    if "skey" in case:
        assert sign_checkpoint(expected, [parse_skey(case["skey"])]) == case["note"]
    if "entries" in case:
        assert merkle.root([merkle.leaf_hash(entry.encode()) for entry in case["entries"]]) == expected.root


@pytest.mark.parametrize("case", cases("cosignature"))
def test_vector_cosignatures(case: dict[str, Any]) -> None:
    witness = parse_vkey(case["witness"])
    if case["verdict"] == "refused":
        with pytest.raises(CheckpointError):
            open_cosignature(case["note"], witness)
        return
    assert open_cosignature(case["note"], witness) == case["time"]
    if "witness_skey" in case:
        signer = parse_skey(case["witness_skey"])
        assert cosign(case["note"], signer.name, signer.signer, case["time"]) == case["line"]
        open_checkpoint(case["note"], parse_vkey(case["vkey"]))


@pytest.mark.parametrize("case", cases("proof"))
def test_vector_proof_files(case: dict[str, Any]) -> None:
    leaf, verifier = bytes.fromhex(case["leaf"]), parse_vkey(case["vkey"])
    if case["verdict"] == "refused":
        with pytest.raises((ProofError, CheckpointError)):
            check_proof(parse_proof(case["proof"]), leaf, verifier)
        return
    proof = parse_proof(case["proof"])
    assert check_proof(proof, leaf, verifier).origin == LOG.name
    assert proof.index == case["index"]
    assert proof.extra == (bytes.fromhex(case["extra"]) if "extra" in case else None)
    assert format_proof(proof) == case["proof"]


@pytest.mark.parametrize("case", cases("vkey"))
def test_vector_verifier_keys(case: dict[str, Any]) -> None:
    if case["verdict"] == "refused":
        with pytest.raises(KeyUseError) as caught:
            parse_vkey(case["vkey"])
        assert len(str(caught.value)) > 20
        return
    log = parse_skey(case["skey"])
    assert format_vkey(log.verifier) == case["vkey"]
    assert format_vkey(log.cosigner) == case["cosigner_vkey"]
    assert parse_vkey(case["cosigner_vkey"]) == log.cosigner
    verifier = parse_vkey(case["vkey"])
    assert (verifier.name, verifier.key_id.hex(), verifier.key.raw.hex()) == (
        case["name"],
        case["key_id"],
        case["public_key"],
    )


def test_there_are_vectors_of_each_kind() -> None:
    counts = {kind: len(cases(kind)) for kind in ("checkpoint", "cosignature", "proof", "vkey")}
    assert min(counts.values()) >= 7, counts


# ---- changed bytes -----------------------------------------------------------------------------


def test_every_flipped_bit_of_a_signed_note_is_refused() -> None:
    data = NOTE.encode()
    for at in range(len(data)):
        for bit in range(8):
            bad = data[:at] + bytes((data[at] ^ 1 << bit,)) + data[at + 1 :]
            with pytest.raises(CheckpointError):
                open_checkpoint(bad, LOG.verifier)


def test_every_flipped_byte_of_a_cosigned_note_is_refused_by_one_who_knows_both_keys() -> None:
    data = add_signature(NOTE, cosign(NOTE, WITNESS.name, WITNESS.signer, 1_700_000_000)).encode()
    keys = [LOG.verifier, WITNESS.cosigner]
    assert len(open_note(data, keys).verified) == 2
    for at in range(len(data)):
        bad = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        try:
            opened = open_note(bad, keys)
        except CheckpointError:
            continue
        # A flip in a name or key id makes a line one of an unknown key; then a signature is missing.
        assert opened.text == NOTE.rpartition("\n\n")[0] + "\n"
        assert len(opened.verified) == 1


def test_every_truncation_of_a_signed_note_is_refused() -> None:
    data = NOTE.encode()
    for end in range(len(data)):
        with pytest.raises(CheckpointError):
            open_checkpoint(data[:end], LOG.verifier)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_junk_is_refused_with_our_error(junk: Any) -> None:
    for parse, error in ((parse_note, CheckpointError), (parse_proof, DataError)):
        with pytest.raises(error):
            parse(junk)
    if isinstance(junk, str):
        with pytest.raises(KeyUseError):
            parse_vkey(junk)
        with pytest.raises(KeyUseError):
            parse_skey(junk)


# ---- what is written is read back ----------------------------------------------------------------

lines = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)
names = lines.filter(lambda name: "+" not in name and not any(c.isspace() for c in name))
roots = st.binary(min_size=32, max_size=32)
heads = st.builds(Checkpoint, lines, st.integers(1, merkle.MAX_SIZE), roots, st.lists(lines, max_size=3).map(tuple))
signers = st.builds(NoteSigner, names, roots.map(MemorySigner.from_seed))


@given(heads)
def test_a_checkpoint_comes_back_from_its_text(head: Any) -> None:
    assert parse_checkpoint(format_checkpoint(head)) == head


@given(heads, st.lists(signers, min_size=1, max_size=3, unique_by=lambda signer: signer.name))
def test_a_signed_checkpoint_opens_with_each_signers_key(head: Any, many: Any) -> None:
    note = sign_checkpoint(head, many)
    for signer in many:
        assert open_checkpoint(note, parse_vkey(format_vkey(signer.verifier)), head.origin) == head
    verified = open_note(note, [signer.verifier for signer in reversed(many)]).verified
    assert verified == tuple(VerifiedSignature(signer.verifier) for signer in many)
    assert format_note(parse_note(note)) == note


@given(names, roots)
def test_keys_come_back_from_their_text(name: str, seed: Any) -> None:
    skey = format_skey(name, seed)
    signer = parse_skey(skey)
    assert signer.signer.public_key == MemorySigner.from_seed(seed).public_key
    for verifier in (signer.verifier, signer.cosigner):
        assert parse_vkey(format_vkey(verifier)) == verifier
        body = name.encode() + b"\n" + bytes((verifier.algorithm,)) + verifier.key.raw
        assert verifier.key_id == sha256(body).digest()[:4]


@given(st.integers(0, 2**63 - 2), st.lists(roots, max_size=63).map(tuple), st.none() | st.binary(max_size=300))
def test_a_proof_comes_back_from_its_text(index: int, hashes: Any, extra: Any) -> None:
    proof = InclusionProof(index, hashes, NOTE, extra)
    assert parse_proof(format_proof(proof)) == proof
    assert parse_proof(format_proof(proof).encode()) == proof


# ---- notes -------------------------------------------------------------------------------------


def test_a_note_may_hold_empty_lines_and_splits_at_the_last() -> None:
    text = "Ognuno sta solo\n\ntrafitto da un raggio\n"
    note = signed(text)
    assert open_note(note, [LOG.verifier]).text == text
    assert parse_note(note).text == text


def test_unknown_keys_are_ignored_and_known_ones_are_not() -> None:
    line = signed("another text\n", OTHER).rpartition("\n\n")[2]
    assert open_note(NOTE + line, [LOG.verifier]).verified == (VerifiedSignature(LOG.verifier),)
    with pytest.raises(CheckpointError, match=r"other\.example/log does not stand"):
        open_note(NOTE + line, [LOG.verifier, OTHER.verifier])
    with pytest.raises(
        CheckpointError, match=r"no signature of a known key: signed by example.com/log/testdata\+33d7b496"
    ):
        open_note(NOTE, [OTHER.verifier])
    with pytest.raises(CheckpointError, match="known: none"):
        open_note(NOTE, [])


def test_a_key_of_the_same_name_is_another_key() -> None:
    same_name = VerifierKey(LOG.name, 1, OTHER.signer.public_key)
    with pytest.raises(CheckpointError, match="no signature of a known key"):
        open_note(NOTE, [same_name])
    assert open_note(NOTE, [same_name, LOG.verifier]).verified == (VerifiedSignature(LOG.verifier),)


def test_two_keys_that_collide_in_name_and_id_are_the_callers_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key id has 32 bits, so anyone can make such a pair; here they are made by shortening it to none."""
    monkeypatch.setattr(module, "key_id", lambda *_: bytes(4))
    pair = [VerifierKey("log", 1, signer.signer.public_key) for signer in (LOG, OTHER)]
    with pytest.raises(KeyUseError, match="two different keys"):
        open_note(NOTE, pair)


def test_a_note_over_a_cap_is_refused() -> None:
    head = Checkpoint("log", 1, bytes(32), ("x" * 1000,) * 70)
    with pytest.raises(CheckpointError, match="over 65536 bytes"):
        sign_checkpoint(head, [LOG])
    with pytest.raises(CheckpointError, match="over 65536 bytes"):
        parse_note("x" * MAX_NOTE_BYTES + NOTE)
    with pytest.raises(CheckpointError, match="over 65536 bytes"):
        parse_note("é" * (MAX_NOTE_BYTES // 2) + NOTE)
    line = NOTE.rpartition("\n\n")[2].replace(LOG.name, "someone")
    assert len(parse_note(NOTE + line * 99).signatures) == 100
    with pytest.raises(CheckpointError, match="101 signature lines"):
        parse_note(NOTE + line * 100)


def test_a_note_whose_text_does_not_end_in_a_newline_is_not_written() -> None:
    signature = NoteSignature("name", bytes(4), b"x")
    for text in ("text", "", "text\n\n— "):
        with pytest.raises(CheckpointError):
            format_note(Note(text, (signature,)))
    with pytest.raises(CheckpointError):
        format_note(Note("text\n", ()))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\x00b", "a\u0085b", "\ud800"])
def test_what_cannot_name_a_key(name: str) -> None:
    with pytest.raises(KeyUseError, match="cannot name a key"):
        VerifierKey(name, 1, LOG.signer.public_key)
    with pytest.raises(KeyUseError):
        NoteSigner(name, LOG.signer)
    with pytest.raises(KeyUseError):
        format_skey(name, bytes(32))
    with pytest.raises(CheckpointError):
        NoteSignature(name, bytes(4), b"x")


@pytest.mark.parametrize("algorithm", [0, 2, 5, 6, 255])
def test_a_type_of_key_that_is_not_known_is_named(algorithm: int) -> None:
    with pytest.raises(KeyUseError, match=f"type {algorithm}"):
        VerifierKey("log", algorithm, LOG.signer.public_key)


@pytest.mark.parametrize(
    "skey",
    [
        "",
        SKEY.removeprefix("PRIVATE+KEY+"),
        SKEY.lower(),
        SKEY[:-4],
        SKEY + "=",
        SKEY.replace("33d7b496", "33d7b497"),
        SKEY.replace("33d7b496", "33D7B496"),
        SKEY.replace("testdata", "testdatb"),
        SKEY.replace("AeymY", "AuymY"),
        SKEY.replace("AeymY", "Aeym!"),
        SKEY + "\n",
    ],
)
def test_a_malformed_skey_is_refused_and_not_repeated(skey: str) -> None:
    with pytest.raises(KeyUseError) as caught:
        parse_skey(skey)
    assert "SZAX0jZcJ8enZ5FY1Dz" not in str(caught.value)


def test_a_secret_key_given_as_a_verifier_key_is_not_printed() -> None:
    with pytest.raises(KeyUseError) as caught:
        parse_vkey(SKEY)
    assert "SZAX0jZcJ8enZ5FY1Dz" not in str(caught.value)


# ---- checkpoints -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, bytes(32), ()),
        ("a\nb", 1, bytes(32), ()),
        ("a\tb", 1, bytes(32), ()),
        ("\ud800", 1, bytes(32), ()),
        ("log", -1, bytes(32), ()),
        ("log", 2**63, bytes(32), ()),
        ("log", 1, bytes(31), ()),
        ("log", 0, bytes(32), ()),
        ("log", 1, bytes(32), ("",)),
        ("log", 1, bytes(32), ("a\nb",)),
    ],
)
def test_what_is_no_checkpoint(origin: Any, size: int, root: Any, extensions: Any) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint(origin, size, root, extensions)


def test_another_log_s_checkpoint_is_refused_although_the_key_is_right() -> None:
    with pytest.raises(CheckpointError, match=r"of log 'example.com/log/testdata', not of 'example.com/log/other'"):
        open_checkpoint(NOTE, LOG.verifier, origin="example.com/log/other")


def test_a_witness_is_not_the_log_nor_the_log_a_witness() -> None:
    both = add_signature(NOTE, cosign(NOTE, LOG.name, LOG.signer, 1))
    with pytest.raises(KeyUseError, match="log's own key"):
        open_checkpoint(both, LOG.cosigner)
    with pytest.raises(KeyUseError, match="no witness's key"):
        open_cosignature(both, LOG.verifier)
    assert open_cosignature(both, LOG.cosigner) == 1


def test_a_signature_needs_a_signer() -> None:
    with pytest.raises(InputError, match="at least one"):
        sign_checkpoint(HEAD, [])


# ---- cosignatures ------------------------------------------------------------------------------


@given(st.integers(0, 2**63 - 1))
def test_a_cosignature_tells_when(time_s: int) -> None:
    note = add_signature(NOTE, cosign(NOTE, WITNESS.name, WITNESS.signer, time_s))
    assert open_cosignature(note, WITNESS.cosigner) == time_s
    opened = open_note(note, [WITNESS.cosigner, LOG.verifier])
    assert opened.verified == (VerifiedSignature(LOG.verifier), VerifiedSignature(WITNESS.cosigner, time_s))


@pytest.mark.parametrize("time_s", [-1, 2**63])
def test_a_time_that_does_not_fit_is_neither_written_nor_read(time_s: int) -> None:
    with pytest.raises(InputError, match="time"):
        cosign(NOTE, WITNESS.name, WITNESS.signer, time_s)
    text = parse_note(NOTE).text
    time_bytes = (time_s % 2**64).to_bytes(8, "big")
    message = f"cosignature/v1\ntime {time_s % 2**64}\n{text}".encode()
    blob = WITNESS.cosigner.key_id + time_bytes + WITNESS.signer.sign(message)
    note = NOTE + f"— {WITNESS.name} {b64encode(blob).decode()}\n"
    with pytest.raises(CheckpointError, match=re.escape("over 2^63 - 1")):
        open_cosignature(note, WITNESS.cosigner)


def test_only_a_checkpoint_is_cosigned() -> None:
    with pytest.raises(CheckpointError):
        cosign(signed("just\ntext\n"), WITNESS.name, WITNESS.signer, 1)
    text = "just\ntext\n"
    blob = WITNESS.cosigner.key_id + bytes(8) + WITNESS.signer.sign(f"cosignature/v1\ntime 0\n{text}".encode())
    with pytest.raises(CheckpointError, match="does not stand"):
        open_cosignature(f"{text}\n— {WITNESS.name} {b64encode(blob).decode()}\n", WITNESS.cosigner)


def test_adding_a_signature_is_idempotent_and_never_replaces() -> None:
    line = cosign(NOTE, WITNESS.name, WITNESS.signer, 1)
    once = add_signature(NOTE, line)
    assert add_signature(once, line) == once
    with pytest.raises(CheckpointError, match="already"):
        add_signature(once, cosign(NOTE, WITNESS.name, WITNESS.signer, 2))
    for bad in ("", line[:-1], line + "\n", line + line, line.replace("—", "-"), line.replace(" ", "  ", 1)):
        with pytest.raises(CheckpointError):
            add_signature(NOTE, bad)


# ---- proof files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "hashes", "error"),
    [
        (-1, (), ProofError),
        (2**63 - 1, (), ProofError),
        (0, (b"short",), ProofError),
        (0, (bytes(32),) * 64, ProofError),
    ],
)
def test_what_is_no_proof(index: int, hashes: Any, error: Any) -> None:
    with pytest.raises(error):
        InclusionProof(index, hashes, NOTE)


def test_a_proof_carries_a_checkpoint_and_not_just_any_note() -> None:
    with pytest.raises(CheckpointError):
        InclusionProof(0, (), signed("just\ntext\n"))
    with pytest.raises(CheckpointError):
        InclusionProof(0, (), "")


def test_a_proof_over_the_cap_is_neither_written_nor_read() -> None:
    proof = InclusionProof(0, (), NOTE, bytes(100_000))
    with pytest.raises(ProofError, match="over 131072 bytes"):
        format_proof(proof)
    with pytest.raises(ProofError, match="over 131072 bytes"):
        parse_proof("x" * 200_000)


def test_a_proof_is_checked_against_the_log_that_is_meant() -> None:
    proof = InclusionProof(0, (), NOTE)
    leaf = merkle.leaf_hash(b"one")
    assert check_proof(proof, leaf, LOG.verifier, HEAD.origin) == HEAD
    with pytest.raises(CheckpointError, match="of log"):
        check_proof(proof, leaf, LOG.verifier, "another")
    with pytest.raises(ProofError, match="leads to root"):
        check_proof(proof, merkle.leaf_hash(b"two"), LOG.verifier)
