"""What a stranger needs to check that a ledger is the signed one: leaf hashes, tree root, checkpoint signature.

    python -I standalone_root.py LEDGER VKEY

Written from docs/format.md sections 2, 10 and 11 alone; imports nothing of tracechain.
"""

from __future__ import annotations

import base64
import sys
from hashlib import sha256
from pathlib import Path

import lmdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def read(ledger: Path) -> tuple[list[bytes], bytes]:
    """The headers in order, and the checkpoint note (section 11)."""
    folder = ledger / "ledger" / (ledger / "ledger" / "CURRENT").read_text("ascii").strip()
    with lmdb.open(str(folder), readonly=True, max_dbs=32, map_size=1 << 42) as env:
        tables = {name: env.open_db(name, create=False) for name in (b"headers", b"meta")}
        with env.begin() as txn:
            pairs = list(txn.cursor(tables[b"headers"]))
            note = bytes(txn.get(b"checkpoint", db=tables[b"meta"]) or b"")
    if [int.from_bytes(key, "big") for key, _ in pairs] != list(range(len(pairs))):
        raise SystemExit("entries are missing")
    return [bytes(header) for _, header in pairs], note


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, level by level: the odd one at the end goes up as it is."""
    while len(leaves) > 1:
        pairs = [sha256(b"\1" + a + b).digest() for a, b in zip(leaves[::2], leaves[1::2], strict=False)]
        leaves = pairs + leaves[len(leaves) & ~1 :]
    return leaves[0]


def signed_body(note: bytes, vkey: str) -> bytes:
    """The body of a C2SP note, once the key's signature over it stands."""
    name, key_id, encoded = vkey.strip().split("+", 2)
    key = base64.b64decode(encoded, validate=True)
    own = name.encode() + b"\n" + key
    if key[:1] != b"\1" or sha256(own).digest()[:4].hex() != key_id:
        raise SystemExit("this is no Ed25519 verifier key")
    body, _, lines = note.rpartition(b"\n\n")
    body += b"\n"
    for line in lines.decode().splitlines():
        _, signer, blob = line.split(" ")
        signature = base64.b64decode(blob, validate=True)
        if signer == name and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], body)
            return body
    raise SystemExit("the note is not signed by this key")


def main() -> None:
    """Recompute, compare, say so."""
    headers, note = read(Path(sys.argv[1]))
    if any(len(header) != 128 or header[:4] != b"TCH0" for header in headers):
        raise SystemExit("a header is malformed")
    leaves = [sha256(b"\0" + header).digest() for header in headers]
    origin, size, encoded = signed_body(note, sys.argv[2]).decode().splitlines()
    if (int(size), base64.b64decode(encoded)) != (len(leaves), root(leaves)):
        raise SystemExit("the entries are not those that were signed")
    print(f"{size} entries of {origin} (ledger id {leaves[0].hex()[:16]}) have the signed root: OK")


if __name__ == "__main__":
    main()
