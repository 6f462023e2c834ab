"""Bundles of any log, whatever is wrong with it, written here by docs/format.md section 15.3 alone; and what the
library and the stand-alone script find in one."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tracechain import verify_bundle as script
from tracechain.bundle.check import check_whole
from tracechain.checkpoint import parse_vkey

Found = list[tuple[str, int | None, str | None]]


class Silent:
    """A progress that nobody sees."""

    def phase(self, en: str, zh: str, total: int) -> None:
        pass

    def to(self, done: int) -> None:
        pass


def number(n: int) -> str:
    groups = [f"{n % 1000:03}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03}")
    return "/".join(groups)


def write_whole(
    path: Path,
    headers: Sequence[bytes | None],
    contents: Sequence[bytes | None],
    rows: Sequence[bytes | None],
    note: str,
) -> Path:
    """A folder with all of a log. The size is that in the note; a header that is not there is written as zeros."""

    def put(name: str, data: bytes) -> None:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)

    about = {"format": "tracechain bundle v0", "kind": "whole", "exported": 0, "asked": ["all"]}
    put("bundle.json", json.dumps(about).encode())
    put("checkpoint", note.encode())
    raws = [header or bytes(128) for header in headers]
    hashes = [sha256(b"\0" + raw).digest() for raw in raws]
    level = 0
    while hashes:
        above = []
        for at in range(0, len(hashes), 256):
            some = hashes[at : at + 256]
            end = "" if len(some) == 256 else f".p/{len(some)}"
            put(f"tile/{level}/{number(at // 256)}{end}", b"".join(some))
            if len(some) == 256:
                above.append(script.root_of(some))
            if level:
                continue
            put(f"tile/entries/{number(at // 256)}{end}", b"".join(b"\x00\x80" + raw for raw in raws[at : at + 256]))
            for kind, parts in (("contents", contents), ("rows", rows)):
                here = [part or b"" for part in parts[at : at + 256]]
                if any(here):
                    joined = b"".join(len(part).to_bytes(4, "big") + part for part in here)
                    put(f"{kind}/{number(at // 256)}{end}", joined)
        hashes, level = above, level + 1
    return path


def note_size(note: str) -> int:
    return int(note.split("\n")[1])


def by_library(path: Path, vkey: str | None, **more: Any) -> Found:
    report = check_whole(path, verifier=None if vkey is None else parse_vkey(vkey), most=100_000, **more)
    assert report.beyond <= 0
    return [(str(one.code), one.index, one.subject) for one in report.findings]


def by_script(path: Path, vkey: str | None, **more: Any) -> Found:
    return findings_of(result_of(path, vkey, **more))


def result_of(path: Path, vkey: str | None, **more: Any) -> dict[str, Any]:
    options = script.Options()
    options.key = None if vkey is None else script.parse_verifier(vkey)
    options.most = 100_000
    for name, value in more.items():
        assert hasattr(options, name)
        setattr(options, name, value)
    return script.verify_bundle(str(path), options, Silent())


def findings_of(result: dict[str, Any]) -> Found:
    assert result["error"] is None, result["error"]
    assert not result["beyond"]
    assert all(one["en"] and one["zh"] for one in result["findings"])
    return [(one["code"], one["index"], one["subject"]) for one in result["findings"]]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
