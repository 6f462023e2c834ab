"""Keys and signatures: Ed25519 (RFC 8032) behind a Protocol, so that an HSM or a KMS can sign.

A key is named by its hash, SHA-256(algorithm byte || raw public key); the first 8 bytes of that are its
short id.

**Which signatures stand.** Implementations of Ed25519 differ on malformed input, and here two of them must
agree: this module and the stand-alone script that a regulator runs. So the rule is spelled out. With p =
2^255 - 19, L the order of the base point B, public key A, signature R || S and message M, a signature stands
if and only if

1. A is 32 bytes whose y (the lower 255 bits, little-endian) is below p, belongs to a point of the curve, and
   that point is none of the 8 of small order, in whatever spelling;
2. the signature is 64 bytes, S (little-endian) is below L, the y of R is below p, and R has none of the y of
   the 8 points of small order;
3. encode([S]B - [h]A) equals R byte for byte, where h = SHA-512(R || A || M) mod L, reduced before it
   multiplies.

This is the equation without the cofactor, as OpenSSL (through the cryptography package) computes it; points
1 and 2 make it stricter. The comparison in 3 is one of bytes, so R need not be decoded. Points of mixed
order pass 1 as they pass in OpenSSL; only who holds such a key could make them.

The only importer of the cryptography package. Private keys never leave the signer that holds them: no repr,
no attribute, no pickle gives one away.
"""

from __future__ import annotations

import os
from binascii import b2a_base64
from functools import lru_cache
from hashlib import pbkdf2_hmac, sha256
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from attrs import field, frozen
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tracechain.errors import InputError, KeyUseError, SignatureError, StorageError

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = [
    "ED25519",
    "KEY_BYTES",
    "SIGNATURE_BYTES",
    "FileSigner",
    "MemorySigner",
    "PublicKey",
    "Signer",
    "verify",
]

ED25519 = 1
"""Algorithm number of Ed25519, here and as a C2SP signature type."""

KEY_BYTES = 32
"""Length of an Ed25519 public key and of its seed."""

SIGNATURE_BYTES = 64
"""Length of an Ed25519 signature."""

KDF_ROUNDS = 600_000
"""PBKDF2-HMAC-SHA256 rounds that protect a key file: about 0.15 s for whoever knows the passphrase, and for
each guess of whoever does not. The cryptography package's own PKCS#8 writer takes 2,048, which is too few
for a file that may be stolen."""

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# The y of the eight points of small order: 1 (order 1), -1 (order 2), 0 (twice, order 4), +-_Y8 (twice each,
# order 8). The sign bit tells the twins apart, so a point is of small order exactly if its y is in here.
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


def _y(encoded: bytes) -> int:
    return int.from_bytes(encoded, "little") & (2**255 - 1)


def _refusal(algorithm: int, raw: bytes) -> str | None:
    """Say why these bytes are no public key, or None if they are one (rule 1 above)."""
    if algorithm != ED25519:
        return f"algorithm {algorithm} is unknown here (1 is Ed25519): a newer tracechain may know it"
    if len(raw) != KEY_BYTES:
        return f"an Ed25519 public key has 32 bytes, this one has {len(raw)}"
    y = _y(raw)
    if y >= _P:
        return f"{raw.hex()} is not the canonical encoding of a point"
    if y in _SMALL_ORDER_Y:
        return f"{raw.hex()} is a point of small order: one signature of it would fit many messages"
    # x^2 = (y^2 - 1) / (d y^2 + 1) must be a square; u/v is one exactly if u*v is.
    if pow((y * y - 1) * (_D * y * y + 1), (_P - 1) // 2, _P) != 1:
        return f"{raw.hex()} is not a point of the curve"
    return None


@frozen
class PublicKey:
    """An Ed25519 public key that passed rule 1 of this module; anything else raises SignatureError."""

    algorithm: int
    raw: bytes = field(repr=lambda raw: raw.hex())

    @raw.validator
    def _check(self, _attribute: Attribute[bytes], raw: bytes) -> None:
        refusal = _refusal(self.algorithm, raw)
        if refusal is not None:
            raise SignatureError(f"public key refused: {refusal}")

    @property
    def hash(self) -> bytes:
        """Name of the key, 32 bytes: SHA-256(algorithm byte || raw)."""
        return sha256(bytes((self.algorithm,)) + self.raw).digest()

    @property
    def id(self) -> bytes:
        """Short name of the key, 8 bytes: where room is scarce, never where a collision would matter."""
        return self.hash[:8]


class Signer(Protocol):
    """Something that signs with one private key: a file, an HSM, a KMS."""

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""

    def sign(self, message: bytes) -> bytes:
        """Sign the message itself (pure Ed25519, no pre-hash): 64 bytes."""


@lru_cache(maxsize=1024)
def _loaded(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)


def verify(public_key: PublicKey, message: bytes, signature: bytes) -> None:
    """Check a signature by the rule at the head of this module; SignatureError if it does not stand."""
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"an Ed25519 signature has 64 bytes, this one has {len(signature)}")
    if int.from_bytes(signature[32:], "little") >= _L:
        raise SignatureError("signature refused: S is not reduced, so it is a second spelling of another signature")
    y = _y(signature[:32])
    if y >= _P or y in _SMALL_ORDER_Y:
        raise SignatureError("signature refused: R is not canonical or of small order")
    try:
        _loaded(public_key.raw).verify(signature, message)
    except InvalidSignature:
        raise SignatureError(
            f"the signature does not fit the message and key {public_key.id.hex()}:"
            " one of the three was changed, or another key signed"
        ) from None


# ---- signers -----------------------------------------------------------------------------------


class _HeldKey:
    """A private key in this process's memory."""

    __slots__ = ("_private", "_public_key")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public_key = PublicKey(ED25519, private.public_key().public_bytes_raw())

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Sign the message: 64 bytes, always the same for the same message (RFC 8032)."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of public key {self._public_key.raw.hex()}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} holds a private key and is not pickled; open it where it is needed")


class MemorySigner(_HeldKey):
    """A signer whose key exists in memory only: for tests, and for keys that come from elsewhere."""

    __slots__ = ()

    @classmethod
    def from_seed(cls, seed: bytes) -> MemorySigner:
        """Make the signer of a 32-byte seed (the private key of RFC 8032)."""
        if len(seed) != KEY_BYTES:
            raise KeyUseError(f"an Ed25519 seed has 32 bytes, this one has {len(seed)}")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))


class FileSigner(_HeldKey):
    """A signer whose key lies in a file: PKCS#8 PEM (RFC 5958), encrypted with a passphrase (PBES2, RFC
    8018).

    `openssl pkey -in FILE -noout` opens it; so does anything else that reads PKCS#8.
    """

    __slots__ = ()

    @classmethod
    def create(cls, path: str | os.PathLike[str], passphrase: str, *, rounds: int = KDF_ROUNDS) -> FileSigner:
        """Make a new key and write it, mode 0600, never over an existing file; durable when this returns.

        `rounds` is the number of PBKDF2 rounds: lower it for throw-away keys only. KeyUseError if the file
        exists or cannot be created, InputError without a passphrase, StorageError if it could not be written.
        """
        secret = _passphrase_bytes(passphrase)
        private = Ed25519PrivateKey.generate()
        pem = _encrypted_pem(private, secret, rounds)
        path = Path(path)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise KeyUseError(f"{path} exists; a key file is never overwritten: choose another name") from None
        except OSError as error:
            raise KeyUseError(f"{path}: the key file cannot be created: {error.strerror}") from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
            _sync_folder(path.parent)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise StorageError(f"{path}: the key file could not be written: {error.strerror}") from error
        return cls(private)

    @classmethod
    def open(cls, path: str | os.PathLike[str], passphrase: str) -> FileSigner:
        """Open a key file. KeyUseError says what is wrong with it or with the passphrase."""
        secret = _passphrase_bytes(passphrase)
        path = Path(path)
        try:
            with path.open("rb") as file:
                pem = file.read(_MAX_PEM_BYTES + 1)
        except FileNotFoundError:
            raise KeyUseError(f"{path}: there is no such key file; make one with FileSigner.create") from None
        except OSError as error:
            raise KeyUseError(f"{path}: the key file cannot be read: {error.strerror}") from error
        if len(pem) > _MAX_PEM_BYTES:
            raise KeyUseError(f"{path} is no key file: over {_MAX_PEM_BYTES} bytes")
        try:
            private = load_pem_private_key(pem, secret)
        except TypeError:
            raise KeyUseError(
                f"{path}: the key is not encrypted although a passphrase was given; anyone who reads the file"
                " can sign with it: encrypt it (openssl pkcs8 -topk8 -in OLD -out NEW) or make a new one"
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in pem:
                raise KeyUseError(f"{path}: wrong passphrase, or a damaged key file") from None
            raise KeyUseError(f"{path} is not a PKCS#8 PEM key file") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyUseError(f"{path} holds a key of another kind; only Ed25519 is used here")
        return cls(private)


_MAX_PEM_BYTES = 65_536


def _passphrase_bytes(passphrase: str) -> bytes:
    if not passphrase:
        raise InputError("a key file needs a passphrase; an empty one protects nothing")
    return passphrase.encode()


def _sync_folder(folder: Path) -> None:
    """Make the entry of a new file durable: a synced file can still lose its name in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _der(tag: int, *parts: bytes) -> bytes:
    """Wrap parts into one DER element (ITU-T X.690); up to 65,535 bytes, enough for a key."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


_SEQUENCE, _INTEGER, _OCTETS, _NULL = 0x30, 0x02, 0x04, bytes((5, 0))
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
_HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")
_AES256_CBC = bytes.fromhex("060960864801650304012a")


def _encrypted_pem(private: Ed25519PrivateKey, secret: bytes, rounds: int) -> bytes:
    """Encrypt into PKCS#8 PEM by hand, because the cryptography package fixes the rounds (see KDF_ROUNDS)."""
    salt, vector = os.urandom(16), os.urandom(16)
    key = pbkdf2_hmac("sha256", secret, salt, rounds, 32)
    plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    padding = 16 - len(plain) % 16
    encryptor = Cipher(AES(key), CBC(vector)).encryptor()
    sealed = encryptor.update(plain + bytes((padding,)) * padding) + encryptor.finalize()
    count = rounds.to_bytes(rounds.bit_length() // 8 + 1, "big")
    kdf = _der(
        _SEQUENCE,
        _PBKDF2,
        _der(_SEQUENCE, _der(_OCTETS, salt), _der(_INTEGER, count), _der(_SEQUENCE, _HMAC_SHA256, _NULL)),
    )
    cipher = _der(_SEQUENCE, _AES256_CBC, _der(_OCTETS, vector))
    info = _der(_SEQUENCE, _der(_SEQUENCE, _PBES2, _der(_SEQUENCE, kdf, cipher)), _der(_OCTETS, sealed))
    body = b2a_base64(info, newline=False)
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    marker = b"ENCRYPTED PRIVATE KEY-----"
    return b"\n".join([b"-----BEGIN " + marker, *lines, b"-----END " + marker, b""])
