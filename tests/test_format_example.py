"""Section 12 of docs/format.md, the worked example, is what the library makes: computed here, so it cannot go stale.

If the format changes on purpose, `python tests/test_format_example.py` prints the new block for the document.
"""

from __future__ import annotations

import re
import struct
import tempfile
from hashlib import sha256
from pathlib import Path

from tracechain import encoding
from tracechain.checkpoint import format_vkey
from tracechain.event import ObjectEvent
from tracechain.record import KeyAuthorised
from tracechain.signing import verify
from tracechain.testing import Clock, Keys, new_ledger

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "format.md"
HEADER = struct.Struct(">4sBBHQHHI8sQIIIIQ32s32s")
FIELDS = (
    "magic", "type", "suite", "flags", "receipt time", "record class", "reserved", "keep-until", "author key id",
    "author sequence", "row count", "content length", "rows length", "first rows", "policy", "content commitment",
    "row root",
)  # fmt: skip
SIZES = (4, 1, 1, 2, 8, 2, 2, 4, 8, 8, 4, 4, 4, 4, 8, 32, 32)
SHIPPED = ObjectEvent(
    event_time=1_795_233_600_000_000_000,
    time_zone_offset=480,
    epcs=("01/09521234001072/21/BJ0001", "01/09521234001072/21/BJ0002"),
    action="OBSERVE",
    biz_step="shipping",
    disposition="in_transit",
    read_point="414/9521234000020",
)


def tag(text: str) -> bytes:
    return text.encode().ljust(16, b"\0")


def hashed(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def line(name: str, data: bytes) -> list[str]:
    """A name and its bytes, at most 40 a line."""
    pieces = [data[at : at + 40].hex() for at in range(0, len(data), 40)]
    return [f"{name if n == 0 else '':<20}{piece}" for n, piece in enumerate(pieces)]


def format_example(folder: Path) -> str:
    """The block of the document. Hashes are computed by the document's formulas, and so is what is compared."""
    clock, keys = Clock(), Keys()
    with new_ledger(folder / "ledger", clock=clock, keys=keys) as ledger:
        clock.advance(1000)
        ledger.append([SHIPPED], record_class=1)
        vkey = format_vkey(ledger.verifier)
        with ledger.snapshot() as view:
            headers = [header for _, header in view.headers(0, 4)]
            contents = [part for _, part in view.contents(0, 4)]
            rows = view.rows(3)
            note = view.checkpoint
    assert rows is not None
    assert len(headers) == 4
    leaves = [hashed(b"\0", header) for header in headers]
    salt, content = contents[3][:32], contents[3][32:]
    term = hashed(tag("TCH0 content"), salt, content) + b"\0\1\3"
    lines = ["Entry 3, header:", ""]
    at = 0
    for name, size in zip(FIELDS, SIZES, strict=True):
        lines += line(name, headers[3][at : at + size])
        at += size
    lines += ["", "Entry 3, parts:", ""]
    lines += [*line("content salt", salt), *line("content", content), *line("commitment", term[:32])]
    lines += [*line("rows salt S", rows[:32]), *line("rows", rows[32:])]
    hashes = []
    for k, suffix in enumerate(("BJ0001", "BJ0002")):
        own = hashed(tag("TCH0 row salt"), rows[:32], k.to_bytes(4, "big"))
        one = encoding.pack((1, ("01/09521234001072/21/", suffix, 0, 0, 1, None)))
        hashes.append(hashed(tag("TCH0 row"), own, bytes(32), one))
        lines += [*line(f"row salt {k}", own), *line(f"row {k}", one), *line(f"row hash {k}", hashes[k])]
    lines += line("row root", hashed(b"\1", *hashes))
    lines += ["", "Entry 2, the statement over entry 3:", ""]
    message = b"tracechain statement v0\n\x97" + contents[2][33:-66]
    lines += [*line("term of entry 3", term), *line("root", hashed(b"\0", term)), *line("message", message)]
    lines += [*line("statement hash", hashed(message)), *line("signature", contents[2][-64:])]
    for index, name in ((0, "genesis"), (1, "key authorised"), (2, "statement")):
        lines += ["", f"Entry {index}, {name}:", ""]
        lines += [*line("header", headers[index]), *line("content salt", contents[index][:32])]
        lines += line("content", contents[index][32:])
    lines += ["", "Tree and checkpoint:", ""]
    for index, leaf in enumerate(leaves):
        lines += line(f"leaf {index}", leaf)
    root = hashed(b"\1", hashed(b"\1", *leaves[:2]), hashed(b"\1", *leaves[2:]))
    lines += [*line("tree root", root), f"{'verifier key':<20}{vkey}", "", *note.splitlines()]
    # What the formulas gave has to be what the library stored.
    assert headers[3][64:96] == term[:32]
    assert headers[3][96:] == hashed(b"\1", *hashes)
    assert hashed(b"\0", term) in contents[2]
    verify(keys.author.public_key, message, contents[2][-64:])
    assert KeyAuthorised.decode(contents[1][32:]).key == keys.author.public_key
    return "".join(f"    {one}".rstrip() + "\n" if one else "\n" for one in lines)


def test_the_worked_example_is_what_the_library_makes(tmp_path: Path) -> None:
    assert format_example(tmp_path) in DOCUMENT.read_text("utf-8")


def test_the_example_has_the_event_of_the_example_of_contents() -> None:
    """Section 9.9 and section 12 show one event."""
    nine, _, twelve = DOCUMENT.read_text("utf-8").partition("## 12. ")
    shown = re.search(r"    content  +((?:[0-9a-f]+\n +)+)commitment", twelve)
    assert shown is not None
    assert bytes.fromhex("".join(shown[1].split())) == encoding.encode(SHIPPED)
    assert "### 9.9" in nine


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(format_example(Path(folder)))
