"""A byte turned over anywhere in an exported bundle is found, by library and script, unless it is one of those that
do not matter (docs/format.md section 15.6): which is tested too. The torture test turns over every byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bundle_flips import UNMINDED, check_headers, check_lengths, check_parts, large_bundle, one_by_one, why_not, zipped
from bundle_forgeries import log_of
from bundle_samples import Sample, samples
from bundle_texts import flipped
from bundle_verdicts import by_library, by_script
from tracechain.entry import EntryType


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return large_bundle(tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    return samples(tmp_path_factory.mktemp("samples"))


def test_the_bundle_is_large(large: Sample) -> None:
    kinds = [header[4] for header in log_of(large).raw_headers.values()]
    assert kinds.count(EntryType.EVENT) > 1000
    assert set(kinds) == set(EntryType) - {EntryType.EPOCH, EntryType.EVIDENCE}


@pytest.mark.slow
def test_bytes_of_contents_and_rows_and_of_their_salts(large: Sample, tmp_path: Path) -> None:
    """In each entry, at places that are drawn, and at the borders of salt and part."""
    offsets = [None] * 12 + [0, 31, 32, 33]
    assert check_parts(tmp_path, large, offsets, ("contents", "rows"), seed=1) > 30_000


@pytest.mark.slow
def test_bytes_of_every_header(large: Sample) -> None:
    assert check_headers(large, range(log_of(large).size), (0,)) > 140_000


def test_bytes_of_lengths(large: Sample) -> None:
    assert check_lengths(large, (0, 7)) > 10_000


def _drawn(sample: Sample, prefix: tuple[str, ...], count: int, seed: int) -> list[tuple[str, int, int]]:
    draw = random.Random(seed)
    names = [name for name in sorted(sample.files) if name.startswith(prefix) and sample.files[name]]
    weights = [len(sample.files[name]) for name in names]
    chosen = draw.choices(names, weights, k=count)
    return [(name, draw.randrange(len(sample.files[name])), draw.randrange(8)) for name in chosen]


@pytest.mark.slow
def test_bytes_of_headers_and_tiles_in_the_whole(large: Sample, tmp_path: Path) -> None:
    # What test_bytes_of_every_header argues from the tree, once more without the argument; tiles stand for themselves.
    places = [
        *_drawn(large, ("tile/entries/",), 40, 1),
        *_drawn(large, ("tile/0", "tile/1"), 40, 2),
        ("tile/1/000.p/4", 127, 7),
    ]
    places += [("checkpoint", offset, offset % 8) for offset in range(0, len(large.files["checkpoint"]), 3)]
    assert list(one_by_one(tmp_path, large, places)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "prefix", "count"),
    [
        ("everything", ("checkpoint", "witnessed/", "seals/", "private/"), 140),
        ("units", ("",), 120),
        ("period", ("",), 30),
        ("absence", ("",), 80),
        ("relabelled", ("",), 80),
        ("unsealed", ("",), 60),
        ("excerpt", ("",), 200),
    ],
)
def test_bytes_of_files_one_by_one(
    made: dict[str, Sample], tmp_path: Path, name: str, prefix: tuple[str, ...], count: int
) -> None:
    sample = made[name]
    for place in one_by_one(tmp_path, sample, _drawn(sample, prefix, count, 3)):
        assert why_not(sample, *place), place


@pytest.mark.parametrize("name", ["small", "excerpt"])
def test_bytes_of_what_a_bundle_says_of_itself(made: dict[str, Sample], tmp_path: Path, name: str) -> None:
    """`exported` and `asked` may say what they like, and nothing else there."""
    sample = made[name]
    places = [("bundle.json", offset, offset % 8) for offset in range(len(sample.files["bundle.json"]))]
    missed = list(one_by_one(tmp_path, sample, places))
    assert missed
    assert all(why_not(sample, *place) == "exported, asked" for place in missed)


def test_what_is_not_looked_at(made: dict[str, Sample], tmp_path: Path) -> None:
    for name in ("README.txt", "verify_bundle.py"):
        sample = made["small"].changed({name: b"print('all is well')\n"})
        assert list(one_by_one(tmp_path, sample, [(name, at, 1) for at in range(0, 20, 5)])) == [
            (name, at, 1) for at in range(0, 20, 5)
        ]


@pytest.mark.slow
def test_bytes_of_the_zip_itself(made: dict[str, Sample], tmp_path: Path) -> None:
    """Of each field one bit a byte: what nobody minds is what section 15.6 says."""
    sample = made["small"]
    found = zipped(tmp_path / "whole.zip", sample)
    path = tmp_path / "flipped.zip"
    minded: set[str] = set()
    unminded: set[str] = set()
    for offset, what in found.frame:
        path.write_bytes(flipped(found.data, offset, offset % 8))
        library, alone = by_library(path, sample.brought), by_script(path, sample.brought)
        assert library.said == alone.said, (offset, what)
        (unminded if library.outcome == "clean" else minded).add(what)
    assert unminded <= UNMINDED
    assert minded
