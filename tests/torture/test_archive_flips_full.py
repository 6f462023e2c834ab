"""Every bit of an archive turned over: each is found by the library, and those of every fifth byte by the script."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_samples import VERIFIER, VKEY, make, sample_views
from standalone_archive import main as standalone
from tracechain.archive import check_archive
from tracechain.errors import DataError

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3600)]


def script_finds(path: Path) -> bool:
    try:
        standalone(str(path), VKEY)
    except Exception:  # noqa: BLE001  it says so in one line, whatever it is
        return True
    return False


def test_every_bit_that_is_turned_over_is_found(tmp_path: Path) -> None:
    view = sample_views(tmp_path, rounds=12)[-1]
    base = make(view, tmp_path / "base", ((3, 12), (40, 42)), ((7, 9), (20, 21), (33, 35)))
    data, path = base.read_bytes(), tmp_path / "flipped"
    missed = []
    for bit in range(8 * len(data)):
        at = bit // 8
        path.write_bytes(data[:at] + bytes((data[at] ^ 1 << bit % 8,)) + data[at + 1 :])
        try:
            found = not check_archive(path, VERIFIER)
        except DataError:
            found = True
        if not found or (at % 5 == 0 and not script_finds(path)):
            missed.append(bit)
    print(f"\n{8 * len(data):,} bits of {len(data):,} bytes turned over, {len(missed)} missed")
    assert missed == []
