"""Write the vectors: one JSON file a case, named <group>-<case>.json.

    python tests/vectors/generate.py            write all files
    python tests/vectors/generate.py --check    compare only; exit 1 and name what differs (runs in the suite)

The frozen bundles (group_bundles.py) are zip files in the folder `bundles`, each with its verdict beside it.

A group is a function that returns {case name: JSON value}. Add one to GROUPS; where it is long, give it a
module of its own beside this file. Every case says in "about" what it shows, and in "kind" how it is to be
read. Bytes are hex, unless the format itself is text. Cases are deterministic: fixed seeds, fixed times, no
clock.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

#: What the vectors of a pilot are made of stands beside the tests.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import group_acts
import group_archive
import group_bundles
import group_c2sp
import group_content
import group_custody
import group_ed25519
import group_entry
import group_ledger
import group_merkle
import group_packing
import group_pilot
import group_private
import group_pruned
import group_record
import group_registers
import group_retention
import group_rows
import group_seal
import group_statement
import group_witness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path(__file__).resolve().parent

GROUPS: dict[str, Callable[[], dict[str, dict[str, Any]]]] = {
    "acts": group_acts.cases,
    "archive": group_archive.cases,
    "c2sp": group_c2sp.cases,
    "content": group_content.cases,
    "custody": group_custody.cases,
    "ed25519": group_ed25519.cases,
    "entry": group_entry.cases,
    "ledger": group_ledger.cases,
    "merkle": group_merkle.cases,
    "packing": group_packing.cases,
    "pilot": group_pilot.cases,
    "private": group_private.cases,
    "pruned": group_pruned.cases,
    "record": group_record.cases,
    "registers": group_registers.cases,
    "retention": group_retention.cases,
    "rows": group_rows.cases,
    "seal": group_seal.cases,
    "statement": group_statement.cases,
    "witness": group_witness.cases,
}


def build() -> dict[str, str]:
    """Make all files: name -> text."""
    files = {}
    for group, function in GROUPS.items():
        for case, value in function().items():
            assert value["about"], f"{group}-{case} does not say what it shows"
            assert value["kind"], f"{group}-{case} does not say how to read it"
            files[f"{group}-{case}.json"] = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
    return files


def build_bundles() -> dict[str, bytes]:
    """Make the frozen bundles, which are files of bytes in a folder of their own: name -> bytes."""
    return {f"bundles/{name}": data for name, data in group_bundles.files().items()}


def differences(files: dict[str, str], bundles: dict[str, bytes]) -> list[str]:
    """Say what on disk is not as generated."""
    return [
        *_differences(files, {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}),
        *_differences(bundles, {f"bundles/{path.name}": path.read_bytes() for path in FOLDER.glob("bundles/v*")}),
    ]


def _differences(files: Mapping[str, object], there: Mapping[str, object]) -> list[str]:
    return [
        *(f"{name}: missing" for name in sorted(files.keys() - there.keys())),
        *(f"{name}: nothing generates it" for name in sorted(there.keys() - files.keys())),
        *(f"{name}: differs" for name in sorted(files.keys() & there.keys()) if files[name] != there[name]),
    ]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Write the test vectors, or check that they are as generated.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    check = parser.parse_args(arguments).check
    files, bundles = build(), build_bundles()
    if check:
        found = differences(files, bundles)
        for line in found:
            print(line)
        print(f"{len(files) + len(bundles)} vectors checked, {len(found)} differ")
        return 1 if found else 0
    for name, text in files.items():
        (FOLDER / name).write_text(text, "utf-8", newline="\n")
    (FOLDER / "bundles").mkdir(exist_ok=True)
    for name, data in bundles.items():
        (FOLDER / name).write_bytes(data)
    for line in differences(files, bundles):  # only files that nothing generates: whoever put them there removes them
        print(line)
    print(f"{len(files) + len(bundles)} vectors written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
