"""Every byte of an exported bundle of more than 1,000 events, and of smaller ones of other kinds: about an hour."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import test_bundles_agree
from bundle_flips import UNMINDED, check_headers, check_lengths, check_parts, large_bundle, one_by_one, why_not, zipped
from bundle_forgeries import forged, forged_excerpts, log_of
from bundle_mutations import GENERATORS
from bundle_samples import Sample, samples
from bundle_texts import flipped
from bundle_verdicts import by_library, by_script
from tracechain.testing.samples import pack_ids

pytestmark = [pytest.mark.torture, pytest.mark.timeout(7200)]

ALL_BITS = tuple(range(8))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return large_bundle(tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    return samples(tmp_path_factory.mktemp("samples"))


@pytest.mark.parametrize("kind", ["contents", "rows"])
def test_every_byte_of_contents_or_rows(large: Sample, tmp_path: Path, kind: str) -> None:
    view = log_of(large)
    parts = view.raw_contents if kind == "contents" else view.raw_rows
    longest = max(map(len, parts.values()))
    assert check_parts(tmp_path, large, range(longest), (kind,), seed=0) == sum(map(len, parts.values()))


def test_every_bit_of_headers_and_lengths(large: Sample) -> None:
    assert check_headers(large, range(log_of(large).size), ALL_BITS)
    assert check_lengths(large, ALL_BITS)


def _every(sample: Sample, prefix: tuple[str, ...], stride: int = 1) -> Iterator[tuple[str, int, int]]:
    for name in sorted(sample.files):
        if name.startswith(prefix):
            yield from ((name, at, at % 8) for at in range(0, len(sample.files[name]), stride))


def test_every_byte_of_the_checkpoint_and_many_of_tiles(large: Sample, tmp_path: Path) -> None:
    places = [*_every(large, ("checkpoint", "tile/1/")), *_every(large, ("tile/0/",), 13)]
    assert list(one_by_one(tmp_path, large, places)) == []


@pytest.mark.parametrize(
    ("name", "prefix", "stride"),
    [
        ("everything", ("checkpoint", "witnessed/", "seals/"), 1),
        ("everything", ("private/",), 5),
        ("excerpt", ("",), 1),
        ("absence", ("",), 3),
        ("units", ("",), 11),
        ("period", ("",), 11),
        ("relabelled", ("",), 7),
        ("small", ("",), 1),
    ],
)
def test_every_byte_of_smaller_bundles(
    made: dict[str, Sample], tmp_path: Path, name: str, prefix: tuple[str, ...], stride: int
) -> None:
    for place in one_by_one(tmp_path, made[name], _every(made[name], prefix, stride)):
        assert why_not(made[name], *place), place


def test_every_bit_of_the_zip_itself(made: dict[str, Sample], tmp_path: Path) -> None:
    found = zipped(tmp_path / "whole.zip", made["small"])
    path = tmp_path / "flipped.zip"
    for offset, what in found.frame:
        for bit in ALL_BITS:
            path.write_bytes(flipped(found.data, offset, bit))
            library, alone = by_library(path, made["small"].brought), by_script(path, made["small"].brought)
            assert library.said == alone.said, (offset, bit, what)
            assert library.outcome != "clean" or what in UNMINDED, (offset, bit, what)


@pytest.mark.parametrize("kind", GENERATORS)
@pytest.mark.parametrize("name", test_bundles_agree.NAMES)
def test_library_and_script_agree_on_much_more(made: dict[str, Sample], tmp_path: Path, name: str, kind: str) -> None:
    count = int(os.environ.get("TRACECHAIN_MUTATIONS", "1500"))
    every = list(GENERATORS[kind](made[name]))
    test_bundles_agree.agree(tmp_path, test_bundles_agree.drawn(every, count, "torture"))


@pytest.mark.parametrize("name", ["small", "everything", "contradiction"])
def test_library_and_script_agree_on_many_lies(made: dict[str, Sample], tmp_path: Path, name: str) -> None:
    draw = random.Random(name)
    rate = 1 if name == "small" else 0.05
    test_bundles_agree.agree(tmp_path, forged(made[name], lambda _: draw.random() < rate))
    if name != "contradiction":
        codes = pack_ids(2) if name == "small" else (*pack_ids(3), pack_ids(1, start=800)[0])
        test_bundles_agree.agree(tmp_path, forged_excerpts(made[name], codes, lambda _: draw.random() < rate))
