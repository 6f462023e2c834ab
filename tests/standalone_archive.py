"""Check an archive from docs/format.md section 14 alone: no line of tracechain is imported, nothing it computed is
believed.

    python standalone_archive.py ARCHIVE VKEY      the file, and the verifier key line of its log

cryptography checks signatures; the rest is the standard library and what `standalone_check` has for sections 3 and 7.
It prints counts and OK, exit 0; or the first mismatch, exit 1. Not checked: whether stored bytes are canonical (3),
what contents mean, and (14.3, point 4) the ledger's own headers, which are not at hand.
"""

import struct
import sys
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any

from standalone_check import items, read, require, root, sha, signed

BLOCK = struct.Struct(">QBIII32s32s")
BEGIN, END = b"TCH0 archive".ljust(16, b"\0"), b"TCH0 archive end"
Ranges = list[tuple[int, int]]


def ranges_of(flat: list[int], size: int) -> Ranges:
    """The ranges (start, stop) of a flat array."""
    found: Ranges = []
    at = 0
    for skip, length in zip(flat[::2], flat[1::2], strict=True):
        require(length > 0 and (skip > 0 or not found), "directory", "a range is empty or touches the one before")
        found.append((at + skip, at + skip + length))
        at += skip + length
    require(at <= size, "directory", "a range ends behind the log")
    return found


def cover(start: int, stop: int) -> list[tuple[int, int]]:
    """The subtrees (start, height) of a gap."""
    found = []
    while start < stop:
        height = next(h for h in range(40, -1, -1) if 1 << h <= stop - start and start % (1 << h) == 0)
        found.append((start, height))
        start += 1 << height
    return found


def covers(start: int, stop: int, pieces: Ranges) -> list[tuple[int, int]]:
    """The subtrees of all gaps between pieces."""
    found = []
    for first, last in pieces:
        found += cover(start, first)
        start = last
    return found + cover(start, stop)


def tree(subtrees: dict[tuple[int, int], bytes], start: int, stop: int) -> bytes:
    """The root over the entries from start to stop - 1 (RFC 6962): split at the largest power of two below."""
    count = stop - start
    height = count.bit_length() - 1
    if count == 1 << height and (start, height) in subtrees:
        return subtrees.pop((start, height))
    require(count > 1, f"entry {start}", "no subtree leads there")
    middle = start + (1 << (count - 1).bit_length() - 1)
    return sha(b"\x01", tree(subtrees, start, middle), tree(subtrees, middle, stop))


def row_root(part: bytes, count: int, index: int, leaves: list[bytes]) -> bytes:
    """The row root (section 7); takes the leaves of the entries before from the front of `leaves`."""
    salt, (rule_set, *groups) = part[:32], items(part[32:])
    split = [(group[0], group[k : k + 5]) for group in map(items, groups) for k in range(1, len(group), 5)]
    known, hashes = {0: bytes(32)}, []
    for k, (prefix, row) in enumerate(split):
        previous = read(row[2])[0]
        require(previous <= index, f"entry {index}", "a row names an entry that is not before")
        if previous not in known:
            require(leaves != [], f"entry {index}", "a leaf before is missing")
            known[previous] = leaves.pop(0)
        own = salt if len(split) == 1 else sha(b"TCH0 row salt".ljust(16, b"\0"), salt, k.to_bytes(4, "big"))
        tagged = b"TCH0 row".ljust(16, b"\0")
        hashes.append(sha(tagged, own, known[previous], b"\x92", rule_set, b"\x96", prefix, *row))
    require(len(split) == count, f"entry {index}", "row count")
    return root(hashes)


class Archive:
    """What was found in the blocks: counts, and the subtrees they lead to."""

    def __init__(self, contents: Ranges, rows: Ranges) -> None:
        self.contents = {i for start, stop in contents for i in range(start, stop)}
        self.rows = {i for start, stop in rows for i in range(start, stop)}
        self.held = sorted(self.contents | self.rows | {0})
        self.counts = [0, 0, 0]
        self.lost = [b"TCH0 prune".ljust(16, b"\0")]
        self.first = b""

    def block(self, line: tuple[Any, ...], stored: bytes) -> None:
        """Check one block (section 14.2)."""
        start, height, plain_length, packed_length, unpacked_length, block_hash, subtree_root = line
        here = f"block of entry {start}"
        require(height <= 16 and max(plain_length, unpacked_length) <= 1 << 25, here, "too large")
        require(sha(b"TCH0 block".ljust(16, b"\0"), stored) == block_hash, here, "hash")
        plain, packed = stored[:plain_length], stored[plain_length:]
        unpacked = packed
        if packed_length != unpacked_length:
            stream = zlib.decompressobj()
            unpacked = stream.decompress(packed, unpacked_length + 1)
            require(stream.eof and not stream.unused_data and len(unpacked) == unpacked_length, here, "zlib")
        held = [i for i in self.held if start <= i < start + (1 << height)]
        n = len(held)
        require(n > 0 and start % (1 << height) == 0, here, "it holds nothing, or is no subtree")
        headers = [unpacked[64 * k : 64 * k + 64] + plain[64 * k : 64 * k + 64] for k in range(n)]
        event = [header[4] == 3 for header in headers]
        numbers = [struct.unpack(">III", header[40:52]) for header in headers]
        wants = [[k for k in range(n) if event[k] and held[k] in self.contents]]
        wants += [[k for k in range(n) if event[k] and held[k] in self.rows and numbers[k][0]]]
        found: list[dict[int, bytes]] = [{}, {}]
        salt_at = at = 64 * n
        for part, want in enumerate(wants):
            for k in want:
                length = numbers[k][1 + part]
                found[part][k] = plain[salt_at : salt_at + 32] + unpacked[at : at + length]
                salt_at, at = salt_at + 32, at + length
        spaces = covers(start, start + (1 << height), [(i, i + 1) for i in held])
        ends = [*range(salt_at, len(plain) + 1, 32)]
        require(at == len(unpacked) and ends[-1:] == [len(plain)] and len(ends) > len(spaces), here, "length")
        hashes = [plain[place : place + 32] for place in ends[:-1]]
        leaves = hashes[len(spaces) :]
        subtrees = dict(zip(spaces, hashes, strict=False))
        for k, i in enumerate(held):
            leaf = sha(b"\0", headers[k])
            subtrees[i, 0] = leaf
            if k in found[0]:
                commitment = sha(b"TCH0 content".ljust(16, b"\0"), found[0][k])
                require(commitment == headers[k][64:96], f"entry {i}", "content commitment")
            if k in found[1]:
                require(row_root(found[1][k], numbers[k][0], i, leaves) == headers[k][96:], f"entry {i}", "row root")
            what = (i in self.contents) + 2 * (i in self.rows)
            if what and event[k]:
                self.lost += (i.to_bytes(8, "big"), bytes([what]), leaf)
            self.counts[1] += k in found[0]
            self.counts[2] += k in found[1]
        require(leaves == [], here, "leaves that no row names")
        require(tree(subtrees, start, start + (1 << height)) == subtree_root and not subtrees, here, "subtree root")
        self.counts[0] += n
        self.first = self.first or sha(b"\0", headers[0])


def note_of(note: str, vkey: str) -> tuple[int, bytes, bytes]:
    """Size and root of the checkpoint, and the log's key, once its signature stands (section 10)."""
    name, key_id, encoded = vkey.strip().split("+", 2)
    typed = b64decode(encoded, validate=True)
    require(sha(name.encode(), b"\n", typed).hex()[:8] == key_id, "verifier key", "its key id is wrong")
    text, _, lines = note.rpartition("\n\n")
    mine = [line.split(" ")[2] for line in lines.splitlines() if line.startswith(f"\u2014 {name} ")]
    blobs = [blob for blob in (b64decode(one, validate=True) for one in mine) if blob[:4].hex() == key_id]
    require(len(blobs) == 1, "checkpoint", "it has not exactly one signature of the log key")
    signed(typed[1:], blobs[0][4:], text.encode() + b"\n", "checkpoint")
    _, size, tree_root = text.split("\n")
    return int(size), b64decode(tree_root, validate=True), typed[1:]


def main(file: str, vkey: str) -> str:
    data = Path(file).read_bytes()
    directory_length, seal_length = struct.unpack(">QI", data[-28:-16])
    seal_at = len(data) - 28 - seal_length
    directory_at = seal_at - directory_length
    require(data[:16] == BEGIN and data[-16:] == END and directory_at >= 16, "file", "it is no archive")
    require(directory_length <= 1 << 24 and seal_length <= 512, "file", "its directory or seal is too long")
    directory, seal = data[directory_at:seal_at], data[seal_at:-28]
    (ledger_id, size, tree_root, *counts, lost, directory_hash, algorithm, key, signature), end = read(seal)
    require(end == len(seal) and algorithm == 1, "seal", "form")
    require(sha(directory) == directory_hash, "directory", "its hash is not that in the seal")
    (note, contents, rows, blocks, nodes), end = read(directory)
    require(end == len(directory), "directory", "bytes behind it")
    head_size, head_root, log_key = note_of(note.decode(), vkey)
    require((size, tree_root) == (head_size, head_root), "seal", "it is of another checkpoint")
    require(key == log_key, "seal", "it is of another key than the log's")
    signed(key, signature, b"tracechain archive v0\n\x9a" + b"".join(items(seal)[:10]), "seal")
    found, at, before, subtrees = Archive(ranges_of(contents, size), ranges_of(rows, size)), 16, 0, {}
    pieces = []
    for line in BLOCK.iter_unpack(blocks):
        start, height, plain_length, packed_length, *_, subtree_root = line
        stop = start + (1 << height)
        require(before <= start and stop <= size, f"block of entry {start}", "it is not where it belongs")
        found.block(line, data[at : at + plain_length + packed_length])
        at += plain_length + packed_length
        pieces.append((start, stop))
        subtrees[start, height] = subtree_root
        before = stop
    require(at == directory_at, "file", "bytes between blocks and directory")
    spaces = covers(0, size, pieces)
    require(len(nodes) == 32 * len(spaces), "directory", "more or fewer nodes than gaps")
    subtrees |= {space: nodes[32 * k : 32 * k + 32] for k, space in enumerate(spaces)}
    require(tree(subtrees, 0, size) == tree_root and not subtrees, "tree", "it does not lead to the signed root")
    require(found.counts == counts and len(found.held) == counts[0], "seal", "counts")
    require(sha(*found.lost) == lost and found.first == ledger_id, "seal", "digest or ledger id")
    return f"{counts[0]} headers, {counts[1]} contents, {counts[2]} rows of {size} entries"


if __name__ == "__main__":
    try:
        print(main(*sys.argv[1:]), "OK", sep="\n")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the data is told in one line, with exit code 1
        sys.exit(f"MISMATCH: {error!s:.200} ({type(error).__name__})")
