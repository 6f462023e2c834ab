"""Vectors of the rule by which an Ed25519 signature stands (format.md section 5.1), edge cases first of all.

The curve arithmetic here is slow, plain and independent of what the library calls: it builds the edge cases,
and `stands` decides every case a second time, which the generator and the suite compare with the library.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Any

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int]  # affine x, y
IDENTITY: Point = (0, 1)


def add(one: Point, two: Point) -> Point:
    """Add two points; the formula is complete on this curve."""
    (a, b), (c, d) = one, two
    product = D * a * b * c * d % P
    x = (a * d + b * c) * pow(1 + product, -1, P) % P
    y = (b * d + a * c) * pow(1 - product, -1, P) % P
    return x, y


def multiply(number: int, point: Point) -> Point:
    result = IDENTITY
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(encoded: bytes) -> Point | None:
    """Decode strictly (RFC 8032 section 5.1.3); None for what is no canonical point."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


def _base() -> Point:
    point = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    assert point
    return point


BASE = _base()


def torsion() -> list[Point]:
    """Find the eight points of small order: L times any point that has a component in all of them."""
    y = 2
    while True:
        y += 1
        point = decode(y.to_bytes(32, "little"))
        if point is None:
            continue
        small = multiply(L, point)
        if multiply(4, small) != IDENTITY:
            return [multiply(k, small) for k in range(8)]


TORSION = torsion()


def spellings(y: int) -> list[bytes]:
    """List each way to write a y in 32 bytes: both signs, and y + p where that fits."""
    return [(value | sign << 255).to_bytes(32, "little") for value in (y, y + P) if value < 2**255 for sign in (0, 1)]


SMALL_ORDER = sorted({spelled for _, y in TORSION for spelled in spellings(y)})


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(sha512(r + key + message).digest(), "little") % L


def stands(key: bytes, message: bytes, signature: bytes) -> bool:
    """Decide by the rule: strict decoding, nothing of small order, cofactorless equation."""
    if len(key) != 32 or len(signature) != 64:
        return False
    point, r = decode(key), signature[:32]
    s = int.from_bytes(signature[32:], "little")
    if point is None or key in SMALL_ORDER or r in SMALL_ORDER or s >= L or decode(r) is None:
        return False
    h = challenge(r, key, message)
    minus = (P - point[0]) % P, point[1]
    return encode(add(multiply(s, BASE), multiply(h, minus))) == r


def secret(seed: bytes) -> tuple[int, bytes]:
    digest = sha512(seed).digest()
    number = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return number, digest[32:]


def sign(seed: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Public key and signature, RFC 8032 section 5.1.6."""
    a, prefix = secret(seed)
    key = encode(multiply(a, BASE))
    r = int.from_bytes(sha512(prefix + message).digest(), "little") % L
    encoded = encode(multiply(r, BASE))
    s = (r + challenge(encoded, key, message) * a) % L
    return key, encoded + s.to_bytes(32, "little")


SEED = bytes(range(32))
MESSAGE = b"one object, one code"


def mixed(message: bytes, whole: bool) -> tuple[bytes, bytes]:
    """Key and signature with a small-order component: the plain equation holds if `whole`, else only times 8.

    Reducing h modulo L matters here: where h mod 8 and (h mod L) mod 8 differ, only who reduces finds it to
    hold.
    """
    a, _ = secret(SEED)
    key = encode(add(multiply(a, BASE), TORSION[1]))
    for r in range(1, 1000):
        for k in range(8):
            encoded = encode(add(multiply(r, BASE), TORSION[k]))
            h = challenge(encoded, key, message)
            full = int.from_bytes(sha512(encoded + key + message).digest(), "little")
            if ((h + k) % 8 == 0) == whole and h % 8 != full % 8:
                return key, encoded + ((r + h * a) % L).to_bytes(32, "little")
    raise AssertionError("no such case")


RFC_8032 = {
    # Section 7.1: seed, message, in hex.
    "test-1": ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""),
    "test-2": ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"),
    "test-3": ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82"),
    "test-sha-abc": (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
    ),
}


def _case(about: str, key: bytes, message: bytes, signature: bytes, verdict: str) -> dict[str, Any]:
    assert stands(key, message, signature) == (verdict == "stands"), about
    return {
        "about": about,
        "kind": "signature",
        "verdict": verdict,
        "public_key": key.hex(),
        "message": message.hex(),
        "signature": signature.hex(),
    }


def cases() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, (seed, text) in RFC_8032.items():
        key, signature = sign(bytes.fromhex(seed), bytes.fromhex(text))
        found[f"rfc8032-{name}"] = {
            **_case(f"RFC 8032 section 7.1, {name}.", key, bytes.fromhex(text), signature, "stands"),
            "seed": seed,
        }
    key, good = sign(SEED, MESSAGE)
    a, _ = secret(SEED)
    s = int.from_bytes(good[32:], "little")
    found["refused-s-not-reduced"] = _case(
        "S + L: a second spelling of a good signature.",
        key,
        MESSAGE,
        good[:32] + (s + L).to_bytes(32, "little"),
        "refused",
    )
    found["refused-s-high-bit"] = _case(
        "The highest bit of S is set.", key, MESSAGE, good[:63] + bytes((good[63] | 128,)), "refused"
    )
    found["refused-short"] = _case("63 bytes.", key, MESSAGE, good[:63], "refused")
    found["refused-long"] = _case("65 bytes.", key, MESSAGE, good + b"\0", "refused")
    for number, point in enumerate(TORSION):
        r = encode(point)
        s = challenge(r, key, MESSAGE) * a % L
        words = "so the equation holds" if number == 0 else "so the equation holds times 8"
        found[f"refused-small-order-r-{number}"] = _case(
            f"R is a point of small order, {words}.", key, MESSAGE, r + s.to_bytes(32, "little"), "refused"
        )
    odd = (P + 1).to_bytes(32, "little")
    s = challenge(odd, key, MESSAGE) * a % L
    found["refused-r-not-canonical"] = _case(
        "R is the neutral point written with y = p + 1.",
        key,
        MESSAGE,
        odd + s.to_bytes(32, "little"),
        "refused",
    )
    key, signature = mixed(MESSAGE, True)
    found["mixed-order-stands"] = _case(
        "A key with a small-order component; the plain equation holds, with h reduced modulo L first.",
        key,
        MESSAGE,
        signature,
        "stands",
    )
    key, signature = mixed(MESSAGE, False)
    found["refused-mixed-order"] = _case(
        "The key has a small-order component; the equation holds only when multiplied by 8.",
        key,
        MESSAGE,
        signature,
        "refused",
    )
    off = next(y for y in range(2, 100) if decode(y.to_bytes(32, "little")) is None)
    found["keys-refused"] = {
        "about": "Refused public keys: all spellings of the 8 points of small order, y >= p, no point.",
        "kind": "keys-refused",
        "small_order": [item.hex() for item in SMALL_ORDER],
        "not_canonical": [
            spelled.hex() for y in range(19) for spelled in spellings(y)[2:] if spelled not in SMALL_ORDER
        ],
        "no_point": [off.to_bytes(32, "little").hex()],
    }
    return found
