"""Keys and signatures: the rule that decides, against a second implementation of it, and key files."""

from __future__ import annotations

import copy
import importlib.util
import json
import pickle
import stat
import subprocess
from hashlib import sha256
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tracechain import signing
from tracechain.errors import InputError, KeyUseError, SignatureError
from tracechain.signing import ED25519, FileSigner, MemorySigner, PublicKey, Signer, verify

VECTORS = Path(__file__).parent / "vectors"
FAST = 1000  # PBKDF2 rounds for keys that protect nothing

# The second implementation is that of the vectors: plain affine arithmetic on the curve.
_spec = importlib.util.spec_from_file_location("ed25519_model", VECTORS / "group_ed25519.py")
assert _spec
assert _spec.loader
model: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(model)

seeds = st.binary(min_size=32, max_size=32)


def accepted(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify(PublicKey(ED25519, key), message, signature)
    except SignatureError:
        return False
    return True


def cases(kind: str) -> list[Any]:
    found = [(path, json.loads(path.read_text("utf-8"))) for path in sorted(VECTORS.glob("ed25519-*.json"))]
    return [pytest.param(case, id=path.stem) for path, case in found if case["kind"] == kind]


# ---- the rule ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seed", "key", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                "d25bf5f0595bbe24655141438e7a100b"
            ),
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
                "387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            (
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
                "4a7c15e9716ed28dc027beceea1ec40a"
            ),
        ),
    ],
)
def test_rfc_8032_section_7_1(seed: Any, key: Any, message: Any, signature: Any) -> None:
    signer = MemorySigner.from_seed(bytes.fromhex(seed))
    assert signer.public_key.raw.hex() == key
    assert signer.sign(bytes.fromhex(message)).hex() == signature
    verify(signer.public_key, bytes.fromhex(message), bytes.fromhex(signature))


@pytest.mark.parametrize("case", cases("signature"))
def test_vector_signatures(case: dict[str, Any]) -> None:
    key, message, signature = (bytes.fromhex(case[name]) for name in ("public_key", "message", "signature"))
    assert accepted(key, message, signature) == (case["verdict"] == "stands")
    assert model.stands(key, message, signature) == (case["verdict"] == "stands")
    if "seed" in case:
        assert MemorySigner.from_seed(bytes.fromhex(case["seed"])).sign(message) == signature


@pytest.mark.parametrize("case", cases("keys-refused"))
def test_vector_keys_that_are_refused(case: dict[str, Any]) -> None:
    assert len(case["small_order"]) == 14
    for kind, words in (
        ("small_order", "small order|not the canonical"),
        ("not_canonical", "canonical"),
        ("no_point", "curve"),
    ):
        assert case[kind]
        for key in case[kind]:
            with pytest.raises(SignatureError, match=words):
                PublicKey(ED25519, bytes.fromhex(key))


def test_there_are_vectors() -> None:
    assert len(cases("signature")) > 15
    assert len(cases("keys-refused")) == 1


def test_openssl_alone_would_accept_what_small_order_does() -> None:
    """Why the rule is stricter than the library below it: with a small-order key one signature fits any
    message."""
    neutral = model.encode(model.IDENTITY)
    ed25519.Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"any message at all")
    with pytest.raises(SignatureError, match="small order"):
        PublicKey(ED25519, neutral)


@settings(max_examples=25)
@given(seeds, st.binary(max_size=40), st.integers(0, 63), st.integers(0, 7))
def test_both_implementations_agree_on_signatures_and_on_their_flips(
    seed: Any, message: Any, at: Any, bit: Any
) -> None:
    signer = MemorySigner.from_seed(seed)
    key, signature = model.sign(seed, message)
    assert (key, signature) == (signer.public_key.raw, signer.sign(message))
    assert accepted(key, message, signature)
    bad = signature[:at] + bytes((signature[at] ^ 1 << bit,)) + signature[at + 1 :]
    assert not accepted(key, message, bad)
    assert not accepted(key, message + b"\0", signature)


@settings(max_examples=25)
@given(seeds, st.integers(0, 7), st.integers(0, 7), st.binary(max_size=8), st.integers(1, model.L - 1))
def test_both_implementations_agree_where_points_have_small_components(
    seed: Any, of_key: Any, of_r: Any, message: Any, number: Any
) -> None:
    a, _ = model.secret(seed)
    key = model.encode(model.add(model.multiply(a, model.BASE), model.TORSION[of_key]))
    r = model.encode(model.add(model.multiply(number, model.BASE), model.TORSION[of_r]))
    s = (number + model.challenge(r, key, message) * a) % model.L
    signature = r + s.to_bytes(32, "little")
    assert accepted(key, message, signature) == model.stands(key, message, signature)


@given(seeds)
def test_every_key_that_is_a_canonical_point_of_no_small_order_is_taken_and_no_other(raw: Any) -> None:
    fine = model.decode(raw) is not None and raw not in model.SMALL_ORDER
    if fine:
        assert PublicKey(ED25519, raw).raw == raw
    else:
        with pytest.raises(SignatureError):
            PublicKey(ED25519, raw)


@pytest.mark.parametrize(
    ("algorithm", "raw"), [(0, bytes(32)), (2, bytes(32)), (1, b""), (1, bytes(31)), (1, bytes(33))]
)
def test_another_algorithm_or_length_is_no_key(algorithm: int, raw: Any) -> None:
    with pytest.raises(SignatureError):
        PublicKey(algorithm, raw)


@pytest.mark.parametrize("length", [0, 32, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    key = MemorySigner.from_seed(bytes(32)).public_key
    with pytest.raises(SignatureError, match="64 bytes"):
        verify(key, b"", bytes(length))


def test_what_is_wrong_with_a_signature_is_said() -> None:
    signer = MemorySigner.from_seed(bytes(32))
    good = signer.sign(b"message")
    high = good[:32] + (int.from_bytes(good[32:], "little") + model.L).to_bytes(32, "little")
    for bad, words in ((high, "S is not reduced"), (bytes(64), "small order"), (good, "does not fit")):
        with pytest.raises(SignatureError, match=words):
            verify(signer.public_key, b"another message", bad)


# ---- keys --------------------------------------------------------------------------------------


def test_a_key_is_named_by_its_hash() -> None:
    key = MemorySigner.from_seed(bytes(32)).public_key
    assert key.hash == sha256(b"\x01" + key.raw).digest()
    assert key.id == key.hash[:8]
    assert key == PublicKey(ED25519, key.raw)
    assert pickle.loads(pickle.dumps(key)) == key
    assert key.raw.hex() in repr(key)


def test_a_signer_gives_its_private_key_to_nobody(tmp_path: Path) -> None:
    seed = bytes(range(32))
    file = FileSigner.create(tmp_path / "key.pem", "secret words", rounds=FAST)
    for signer in (MemorySigner.from_seed(seed), file):
        assert seed.hex() not in repr(signer)
        assert str(signer) == repr(signer)
        assert signer.public_key.raw.hex() in repr(signer)
        for give in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="private key"):
                give(signer)


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_has_32_bytes(seed: Any) -> None:
    with pytest.raises(KeyUseError, match="32 bytes"):
        MemorySigner.from_seed(seed)


def test_a_signer_from_elsewhere_plugs_in() -> None:
    class Module:
        """As an HSM would be: the key is behind a call."""

        def __init__(self) -> None:
            self._key = ed25519.Ed25519PrivateKey.generate()

        @property
        def public_key(self) -> PublicKey:
            return PublicKey(ED25519, self._key.public_key().public_bytes_raw())

        def sign(self, message: bytes) -> bytes:
            return self._key.sign(message)

    signer: Signer = Module()
    verify(signer.public_key, b"message", signer.sign(b"message"))


# ---- key files ---------------------------------------------------------------------------------


def test_a_key_file_is_opened_again_with_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "log.pem"
    made = FileSigner.create(path, "Schlüssel 钥匙", rounds=FAST)
    opened = FileSigner.open(path, "Schlüssel 钥匙")
    assert opened.public_key == made.public_key
    verify(made.public_key, b"message", opened.sign(b"message"))
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_by_default_a_guess_costs_600_000_rounds(tmp_path: Path) -> None:
    path = tmp_path / "log.pem"
    FileSigner.create(path, "passphrase")
    assert signing.KDF_ROUNDS == 600_000
    if which("openssl") is None:
        pytest.skip("openssl is not installed: its reading of the file cannot be compared")
    text = subprocess.run(["openssl", "asn1parse", "-in", path], capture_output=True, text=True, check=True).stdout
    assert f":{600_000:06X}" in text
    subprocess.run(["openssl", "pkey", "-in", path, "-passin", "pass:passphrase", "-noout"], check=True)


@pytest.mark.parametrize("rounds", [1, 127, 128, 32_768, 65_535])
def test_any_number_of_rounds_is_written_so_that_others_read_it(tmp_path: Path, rounds: int) -> None:
    made = FileSigner.create(tmp_path / "key.pem", "x", rounds=rounds)
    assert FileSigner.open(tmp_path / "key.pem", "x").public_key == made.public_key


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    one, two = (FileSigner.create(tmp_path / name, "x", rounds=FAST) for name in ("one", "two"))
    assert one.public_key != two.public_key
    assert (tmp_path / "one").read_bytes()[60:] != (tmp_path / "two").read_bytes()[60:]


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    FileSigner.create(path, "x", rounds=FAST)
    before = path.read_bytes()
    with pytest.raises(KeyUseError, match="never overwritten"):
        FileSigner.create(path, "x", rounds=FAST)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyUseError, match="never overwritten"):
        FileSigner.create(tmp_path / "link", "x", rounds=FAST)
    assert path.read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyUseError, match="cannot be created"):
        FileSigner.create(tmp_path / "nowhere" / "key.pem", "x", rounds=FAST)


@pytest.mark.parametrize("passphrase", ["", None])
def test_no_passphrase_is_no_protection(tmp_path: Path, passphrase: Any) -> None:
    with pytest.raises(InputError, match="needs a passphrase"):
        FileSigner.create(tmp_path / "key.pem", passphrase)
    with pytest.raises(InputError, match="needs a passphrase"):
        FileSigner.open(tmp_path / "key.pem", passphrase)
    assert not list(tmp_path.iterdir())


def test_what_is_wrong_with_a_key_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(KeyUseError, match="no such key file"):
        FileSigner.open(path, "x")
    FileSigner.create(path, "right", rounds=FAST)
    with pytest.raises(KeyUseError, match="wrong passphrase"):
        FileSigner.open(path, "wrong")
    good = path.read_bytes()

    path.write_bytes(good[:100] + good[120:])
    with pytest.raises(KeyUseError, match="damaged"):
        FileSigner.open(path, "right")
    for junk in (b"", b"a,b\n1,2\n", b"\xff" * 100):
        path.write_bytes(junk)
        with pytest.raises(KeyUseError, match="not a PKCS#8"):
            FileSigner.open(path, "right")
    path.write_bytes(good * 1000)
    with pytest.raises(KeyUseError, match="over 65536 bytes"):
        FileSigner.open(path, "right")
    with pytest.raises(KeyUseError, match="cannot be read"):
        FileSigner.open(tmp_path, "right")


def test_a_key_without_encryption_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyUseError, match="not encrypted"):
        FileSigner.open(path, "x")
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    with pytest.raises(KeyUseError, match="another kind"):
        FileSigner.open(path, "x")


def test_a_key_file_of_another_tool_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    assert FileSigner.open(path, "x").public_key.raw == key.public_key().public_bytes_raw()
