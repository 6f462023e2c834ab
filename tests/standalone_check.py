"""Recompute a ledger from docs/format.md alone: no line of tracechain is imported, nothing it computed is believed.

    python standalone_check.py LEDGER VKEY      the ledger's folder, and the verifier key line of its log

lmdb reads the database and cryptography checks signatures; the rest is the standard library. Recomputed are, by
sections of the format: commitments (4), authorisations and revocations (5), statement roots, signatures and coverage
(6), row hashes and links (7), leaves, tree and signed checkpoint (2, 10). Only stored bytes are hashed, so whether they
are canonical (3) is not asked. Not checked either: what contents mean (5.5, 5.6, 8, 9) and that rows fit them (7, 7.1),
gaps and equivocation (6.2), keys of small order (5.1), the anchor and the index (11). Parts that are not there have to
be those of which prunings (5.10) say that they went; whether they went lawfully is for standalone_pruned.py. It prints
counts and OK, exit 0; or the first mismatch, exit 1.
"""

import struct
import sys
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import lmdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HEADER = struct.Struct(">4sBBHQHHI8sQIIIIQ32s32s")
WIDTH = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4}  # byte strings, texts, arrays
WIDTH |= {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}  # integers
ZERO = bytes(32)


def require(holds: bool, where: str, what: str) -> None:
    if not holds:
        raise ValueError(f"{where}: {what}")


def sha(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def root(hashes: list[bytes]) -> bytes:  # RFC 6962: pairs are joined, an odd one moves up as it is
    while len(hashes) > 1:
        odd = hashes[-1:] if len(hashes) % 2 else []
        hashes = [sha(b"\x01", a, b) for a, b in zip(hashes[::2], hashes[1::2], strict=False)] + odd
    return hashes[0] if hashes else sha()


def read(data: bytes, at: int = 0) -> tuple[Any, int]:  # section 3: the value at this place, and where it ends
    code, width = data[at], WIDTH.get(data[at], 0)
    at += 1 + width
    number = int.from_bytes(data[at - width : at], "big", signed=0xD0 <= code <= 0xD3)
    if code < 0x80 or code >= 0xE0 or code in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}.get(code, code - 256 * (code >= 0xE0)), at
    if 0xCC <= code <= 0xD3:
        return number, at
    length = number if width else code & (0x1F if code >= 0xA0 else 0x0F)
    if code < 0xA0 or code >= 0xDC:
        array = []
        for _ in range(length):
            item, at = read(data, at)
            array.append(item)
        return array, at
    part = data[at : at + length]
    return part if code <= 0xC6 and width else part.decode(), at + length


def items(data: bytes) -> list[bytes]:  # the items of an array, as they are written
    at, found = 1 + WIDTH.get(data[0], 0), []
    while at < len(data):
        start, at = at, read(data, at)[1]
        found.append(data[start:at])
    return found


def signed(key: bytes, signature: bytes, message: bytes, where: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except Exception as error:
        raise ValueError(f"{where}: the signature does not stand") from error


def check_rows(rows: bytes, all_rows: list[bytes], leaves: list[bytes], latest: dict[str, int], i: int) -> list[Any]:
    """Give row root, row count and first rows (section 7); move `latest`: subject -> index + 1."""
    salt, rows = rows[:32], rows[32:]
    rule_set, *groups = items(rows)
    split = [(group[0], group[k : k + 5]) for group in map(items, groups) for k in range(1, len(group), 5)]
    hashes, first = [], 0
    for k, (prefix, row) in enumerate(split):
        subject, previous = read(prefix)[0] + read(row[0])[0], read(row[2])[0]
        gone = (
            subject not in latest and 0 < previous <= i and not all_rows[previous - 1]
        )  # nobody knows whose they were
        require(gone or previous == latest.get(subject, 0), f"entry {i}, row {k}", "previous is not the latest entry")
        latest[subject] = i + 1
        first += previous == 0
        own = salt if len(split) == 1 else sha(b"TCH0 row salt".ljust(16, b"\0"), salt, k.to_bytes(4, "big"))
        link = leaves[previous - 1] if previous else ZERO
        hashes.append(sha(b"TCH0 row".ljust(16, b"\0"), own, link, b"\x92", rule_set, b"\x96", prefix, *row))
    return [root(hashes), len(split), first]


def check_gone(records: list[tuple[int, Any]], headers: list[bytes], contents: list[bytes], rows: list[bytes]) -> None:
    """Hold the parts that are not there against what intents announced and dones kept (section 5.10)."""
    events = {i for i, header in enumerate(headers) if header[4] == 3}
    intents, parts, went = dict[int, list[Any]](), list[Any](), [set[int](), set[int]()]
    for i, (kind, _, _, body) in records:
        parts = parts if body[1] else []
        require(body[1] == len(parts) and all(i - n == at for n, (at, _) in enumerate(parts[::-1], 1)), str(i), "parts")
        parts.append((i, body))
        at, sets = (7, [set[int](), set[int]()]) if kind == "prune-intent" else (4, [set[int](), set[int]()])
        for _, said in parts:
            for one, flat in zip(sets, said[at : at + 2], strict=True):
                end = 0
                for skip, length in zip(flat[::2], flat[1::2], strict=True):
                    one.update(n for n in events if end + skip <= n < end + skip + length)
                    end += skip + length
        if len(parts) < body[2]:
            continue
        if kind == "prune-intent":
            intents[parts[0][0]] = [body[0], *sets]
        else:
            name, *announced = intents.pop(body[3])
            require(name == body[0], f"entry {i}", "another pruning")
            sets = [one - kept for one, kept in zip(announced, sets, strict=True)]
            went = [one | more for one, more in zip(went, sets, strict=True)]
        whats = [(n, (n in sets[0]) + 2 * (n in sets[1])) for n in sorted(sets[0] | sets[1])]
        said = b"".join(n.to_bytes(8, "big") + bytes([what]) + sha(b"\0", headers[n]) for n, what in whats)
        told = [len(sets[0]), len(sets[1]), sha(b"TCH0 prune".ljust(16, b"\0"), said)]
        require(told == body[at + 2 : at + 5], f"entry {i}", "counts or digest of a pruning")
    lost = [
        {n for n in events if not part[n] and (k == 0 or headers[n][40:44] != bytes(4))}
        for k, part in enumerate((contents, rows))
    ]
    with_rows = {n for n in went[1] if headers[n][40:44] != bytes(4)}
    require(lost == [went[0], with_rows], "parts", "what is not there is not what was pruned")


def check_entries(headers: list[bytes], contents: list[bytes], all_rows: list[bytes]) -> tuple[list[Any], int, str]:
    """Check what is under the headers; give the genesis, the epoch and what was counted."""
    leaves, counts, closed, epoch = [sha(b"\0", header) for header in headers], [0] * 11, 0, 0
    latest, keys, ends, begins = dict[str, int](), dict[bytes, Any](), dict[tuple[bytes, int], bytes](), []
    prunings, subjects, scope = list[tuple[int, Any]](), 0, None
    for i, (header, content, rows) in enumerate(zip(headers, contents, all_rows, strict=True)):
        here = f"entry {i}"
        magic, kind, suite, *_, row_count, length, rows_length, first, _, commitment, row_root = HEADER.unpack(header)
        require((magic, suite) == (b"TCH0", 1) and 1 <= kind <= 9, here, "unknown magic, suite or type")
        require((kind == 1) == (i == 0) and (kind in (3, 4)) == (i < closed), here, f"type {kind} has no place here")
        lengths = 32 + length, 32 + rows_length if row_count else 0
        held = tuple(
            n if kind == 3 and not part else len(part) for n, part in zip(lengths, (content, rows), strict=True)
        )
        require(held == lengths, here, "lengths")
        subjects += first
        if rows or not row_count:
            found = check_rows(rows, all_rows, leaves, latest, i) if row_count else [ZERO, 0, 0]
            require(found == [row_root, row_count, first], here, "row root, row count or first rows")
        counts[10] += row_count
        counts[kind] += 1
        if not content:
            require(scope is None or "event" in scope, here, "outside the key's scope")
            continue
        require(sha(b"TCH0 content".ljust(16, b"\0"), content) == commitment, here, "content commitment")
        raw, (values, end) = items(content[32:]), read(content, 32)
        require(end == len(content), here, "bytes after the content's value")
        if kind == 1:
            genesis, roots = values, {sha(bytes([algorithm]), key): key for algorithm, key in values[5]}
        elif kind == 2:
            ledger_id, who, number, count, previous, _, covered_root, signature = values
            require(ledger_id == leaves[0], here, "a statement for another ledger")
            require(who in keys, here, "the author's key is not authorised here")
            key, scope = keys[who]
            message = b"tracechain statement v0\n\x97" + b"".join(raw[:7])
            signed(key, signature, message, here)
            closed = i + 1 + count
            covered = headers[i + 1 : closed]
            terms = [h[64:96] + h[16:18] + h[4:5] for h in covered]
            stated = [sha(b"\0", *terms[n : n + 64]) for n in range(0, count, 64)]
            require(count == len(covered) and root(stated) == covered_root, here, "statement root or count")
            expected = [who[:8] + (number + k).to_bytes(8, "big") for k in (0, *range(count))]
            require([h[24:40] for h in (header, *covered)] == expected, here, "author or sequence of a covered entry")
            ends[who, number + count] = sha(message)
            begins.append((here, who, number, previous))
        elif kind in (3, 4):
            require(scope is None or (values[0] if kind == 4 else "event") in scope, here, "outside the key's scope")
            if kind == 4 and values[0] in ("prune-intent", "prune-done"):
                prunings.append((i, values))
        elif kind == 5:
            algorithm, key, _, scope, by, holder_signature, root_signature = values
            message = b"tracechain authorise v0\n\x95\xc4\x20" + leaves[0] + b"".join(raw[:4])
            require(by in roots, here, "no root key of the genesis")
            signed(key, holder_signature, message, here)
            signed(roots[by], root_signature, message, here)
            keys[sha(bytes([algorithm]), key)] = key, scope
        elif kind == 6:
            who, _, by, signature = values
            require(by in roots and who in keys, here, "no root key of the genesis, or no key that is authorised")
            signed(roots[by], signature, b"tracechain revoke v0\n\x93\xc4\x20" + leaves[0] + b"".join(raw[:2]), here)
            del keys[who]
        elif kind == 8:
            epoch = values[0]
    check_gone(prunings, headers, contents, all_rows)
    require(subjects == len(latest), "rows", "there are not as many subjects as first rows")
    for here, who, number, previous in begins:
        known = ends.get((who, number), previous) if number else ZERO
        require(previous == known, here, "it does not follow its author's statement before")
    return genesis, epoch, f"{len(leaves)} entries, {counts[2]} statements, {counts[3]} events, {counts[10]} rows"


def check_checkpoint(note: str, vkey: str, genesis: list[Any], epoch: int, headers: list[bytes]) -> None:  # section 10
    name, key_id, encoded = vkey.strip().split("+", 2)
    typed = b64decode(encoded, validate=True)
    require(sha(name.encode(), b"\n", typed).hex()[:8] == key_id, "verifier key", "its key id is wrong")
    require(genesis[2:5:2] == [name, [typed[0], typed[1:]]], "genesis", "it has another origin or log key")
    text, _, lines = note.rpartition("\n\n")
    mine = [line.split(" ")[2] for line in lines.splitlines() if line.startswith(f"\u2014 {name} ")]
    blobs = [blob for blob in (b64decode(one, validate=True) for one in mine) if blob[:4].hex() == key_id]
    require(len(blobs) == 1, "checkpoint", "it has not exactly one signature of the log key")
    signed(typed[1:], blobs[0][4:], text.encode() + b"\n", "checkpoint")
    origin, size, tree_root = text.split("\n")
    require(origin == name + (f"/epoch/{epoch}" if epoch else ""), "checkpoint", f"it is of {origin}")
    require(size == str(len(headers)), "checkpoint", f"it is of {size} entries, {len(headers)} are there")
    computed = root([sha(b"\0", header) for header in headers])
    require(b64decode(tree_root, validate=True) == computed, "checkpoint", "its root is not that of the headers")


def main(ledger: str, vkey: str) -> str:
    folder = Path(ledger) / "ledger"  # section 11
    generation = folder / (folder / "CURRENT").read_text("ascii").strip()
    with lmdb.open(str(generation), readonly=True, lock=False, max_dbs=32) as environment:
        names = [environment.open_db(name, create=False) for name in (b"headers", b"contents", b"rows", b"meta")]
        with environment.begin() as transaction:
            tables = [dict(transaction.cursor(name)) for name in names]
    numbers = [i.to_bytes(8, "big") for i in range(len(tables[0]))]
    require([*tables[0]] == numbers, "headers", "a number is missing")
    headers, contents, rows = ([table.get(number, b"") for number in numbers] for table in tables[:3])
    genesis, epoch, counted = check_entries(headers, contents, rows)
    check_checkpoint(tables[3][b"checkpoint"].decode(), vkey, genesis, epoch, headers)
    return counted


if __name__ == "__main__":
    try:
        print(main(*sys.argv[1:]), "OK", sep="\n")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the data is told in one line, with exit code 1
        sys.exit(f"MISMATCH: {error!s:.200} ({type(error).__name__})")
