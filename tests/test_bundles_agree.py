"""Library and script cannot drift: whatever is done to a bundle, both say the same of it, and of the first finding.

Verdict, exit code, and code, entry and subject of the first finding have to be equal (format.md section 16). The two
share no code; the script is imported by its path, and run as a process for a sample. A run takes a part of all that can
be done (bundle_mutations.py, bundle_forgeries.py), some of each kind; the torture test takes all.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bundle_mutations
from bundle_forgeries import forged, forged_excerpts, log_of
from bundle_mutations import GENERATORS, flipped
from bundle_samples import Sample, samples, write_folder, write_zip
from bundle_verdicts import Verdict, by_library, by_process, by_script, report_of
from excerpt_samples import sealed
from tracechain.errors import TracechainError
from tracechain.testing.samples import pack_ids

NAMES = (
    "everything",
    "units",
    "period",
    "absence",
    "relabelled",
    "unsealed",
    "contradiction",
    "small",
    "excerpt",
)
#: How many of each kind of change are taken of each sample.
EACH = int(os.environ.get("TRACECHAIN_MUTATIONS", "20"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    return samples(tmp_path_factory.mktemp("samples"))


def _plain(name: str) -> bool:
    return all(31 < ord(one) < 0xD800 for one in name)


def both(folder: Path, sample: Sample, number: int) -> tuple[Verdict, Verdict]:
    """What both say of a bundle; every second one is a folder, if its names can be those of files."""
    if number % 2 and all(map(_plain, sample.files)):
        path = write_folder(folder / f"{number}", sample.files)
    else:
        path = write_zip(folder / f"{number}.zip", sample.files, packed=number % 4 == 0)
    try:
        return by_library(path, sample.brought), by_script(path, sample.brought)
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def agree(folder: Path, some: Iterable[tuple[str, Sample]]) -> Counter[str]:
    """Check them all; the first findings that there were."""
    seen: Counter[str] = Counter()
    differ = []
    for number, (label, sample) in enumerate(some):
        library, alone = both(folder, sample, number)
        seen[library.first[0] if library.first else library.outcome] += 1
        if library.said != alone.said:
            differ.append(f"{sample.name}, {label}: library {library.said}, script {alone.said}")
    assert not differ, "\n".join(differ[:20])
    return seen


def drawn(some: Iterable[tuple[str, Sample]], count: int, seed: str) -> Iterator[tuple[str, Sample]]:
    """`count` of them, spread over all, others for another seed; always the same for the same one."""
    draw = random.Random(seed)
    labels = [label for label, _ in some_of(some)]
    picked = set(range(len(labels))) if len(labels) <= count else set(draw.sample(range(len(labels)), count))
    return ((label, one) for at, (label, one) in enumerate(some_of(some)) if at in picked)


def some_of(some: Iterable[tuple[str, Sample]]) -> Iterable[tuple[str, Sample]]:
    return some


def test_samples_are_clean_but_for_the_contradiction(made: dict[str, Sample], tmp_path: Path) -> None:
    assert tuple(sorted(made)) == tuple(sorted(NAMES))
    for number, sample in enumerate(made.values()):
        library, alone = both(tmp_path, sample, number)
        assert library == alone, sample.name
        assert library.codes == (("EQUIVOCATION",) if sample.name == "contradiction" else ()), sample.name
        assert library.exit == (sample.name == "contradiction")


@pytest.mark.slow
@pytest.mark.parametrize("kind", GENERATORS)
def test_they_agree_on_what_is_done_to_a_bundle(made: dict[str, Sample], tmp_path: Path, kind: str) -> None:
    seen: Counter[str] = Counter()
    for name in NAMES:
        function = GENERATORS[kind]
        every = list(function(made[name])) if kind != "tiles" or name != "everything" else _few_tiles(made[name])
        seen += agree(tmp_path, drawn(every, EACH, f"{kind} {name}"))
    assert seen


def _few_tiles(sample: Sample) -> list[tuple[str, Sample]]:
    """Tens of thousands of changes of a log of over a hundred entries: every seventh entry's."""
    return list(bundle_mutations.tiles(sample, stride=7))


@pytest.mark.slow
def test_they_agree_on_all_of_the_smallest_bundles(made: dict[str, Sample], tmp_path: Path) -> None:
    """What a bundle says of itself, its names and files, its notes: all of it, of a whole one and of an excerpt."""
    for name in ("small", "excerpt"):
        for kind in ("files", "copies", "manifest", "brought"):
            agree(tmp_path, GENERATORS[kind](made[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["everything", "small", "contradiction"])
def test_they_agree_on_an_operator_who_lies(made: dict[str, Sample], tmp_path: Path, name: str) -> None:
    draw = random.Random(name)
    rate = {"everything": 0.004, "contradiction": 0.004, "small": 0.1}[name]
    seen = agree(tmp_path, forged(made[name], lambda _: draw.random() < rate))
    assert sum(seen.values()) > EACH
    assert len(seen) > 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["everything", "small"])
def test_they_agree_on_excerpts_of_what_he_made_up(made: dict[str, Sample], tmp_path: Path, name: str) -> None:
    draw = random.Random(name)
    rate = {"everything": 0.006, "small": 0.15}[name]
    codes = pack_ids(1) if name == "small" else (*pack_ids(2), pack_ids(1, start=800)[0], pack_ids(1, start=500)[0])
    seen = agree(tmp_path, forged_excerpts(made[name], codes, lambda _: draw.random() < rate))
    assert sum(seen.values()) > EACH


def test_they_agree_on_how_an_absent_code_is_spelled(made: dict[str, Sample], tmp_path: Path) -> None:
    """Any spelling but that of the log is absent from every log: its proof shows nothing, and that is a finding."""
    view = log_of(made["everything"])
    proofs = sealed(view)
    codes = (
        "zz",
        "01/09521234001072/21/BJ000999",
        "(01)09521234001072(21)BJ000999",
        "01/9521234001072/21/BJ000999",
        "01/1/21/x",
        "urn:epc:id:sgtin:9521234.000107.BJ000999",
        "https://id.gs1.org/01/09521234001072/21/BJ000999",
        "nmpa/1",
        "01/09521234001072",
        "01/09521234001073/21/x",
        "00/123",
        "00/095212340000000990",
        "00/095212340000000999",
        "urn:zzz:absent",
        "nmpa/81234560000000009999",
        "81234560000000009999",
        "01/09521234001072/21/%61",
        "01/09521234001072/21/a b",
        "a:b",
        "414/9521234000013/254/99",
        "414/9521234000013",
        "person/00",
        "http://example.org/",
        "HTTP://example.org/",
        "é:x",
        "1a:b",
        "01/09521234001072/21/" + "x" * 21,
        "01/09521234001072/10/LOT",
        "urn:tracechain:seals",
        "geo:1,2",
        "a:",
        ":a",
        "a:b c",
        "a:<",
        "01/09521234001072/21/A%2FB",
        "01/09521234001072/21/A%2fB",
        "01/09521234001072/21/A%41",
        "253/9521234000013",
        "8004/95212340x",
    )
    some = []
    for code in codes:
        with contextlib.suppress(TracechainError):
            data = proofs.prover.absence(code).encode()
            listed = made["absence"].changed({"seal/absent": len(data).to_bytes(4, "big") + data})
            some.append((f"absence of {code}", listed))
    assert len(some) > 25
    seen = agree(tmp_path, some)
    assert seen["clean"]
    assert seen["ABSENCE"]


@settings(max_examples=60)
@given(st.data())
def test_they_agree_on_bytes_changed_anywhere(
    made: dict[str, Sample], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One to three changes at once: bits, bytes put in or left out, of any files of any bundle."""
    sample = made[data.draw(st.sampled_from(NAMES))]
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(sample.files)))
        content = sample.files[name]
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        match data.draw(st.sampled_from(("bit", "put", "drop", "again", "swap"))):
            case "bit" if content:
                content = flipped(content, at, data.draw(st.integers(0, 7)))
            case "put":
                content = content[:at] + data.draw(st.binary(min_size=1, max_size=4)) + content[at:]
            case "drop":
                content = content[:at] + content[at + data.draw(st.integers(1, 40)) :]
            case "again":
                content = content[:at] + content[max(0, at - 32) :]
            case _:
                content = sample.files[data.draw(st.sampled_from(sorted(sample.files)))]
        sample = sample.changed({name: content})
    library, alone = both(tmp_path_factory.mktemp("drawn"), sample, data.draw(st.integers(0, 3)))
    assert library.said == alone.said


def test_in_several_processes_they_say_the_same(made: dict[str, Sample], tmp_path: Path) -> None:
    """The script's and the library's ways of sharing the work among processes change no finding."""
    sample = made["everything"]
    entries = next(name for name in sample.files if name.startswith("tile/entries/"))
    for number, offset in enumerate((None, 130 * 60 + 20, 130 * 100 + 70)):
        files = {} if offset is None else {entries: flipped(sample.files[entries], offset, 2)}
        path = write_zip(tmp_path / f"{number}.zip", sample.changed(files).files)
        one = by_library(path, sample.brought)
        assert one.said == by_script(path, sample.brought).said
        assert one.said == by_process(path, sample.brought, more=("--processes", "2")).said
        assert report_of(path, sample.brought, processes=2).codes == report_of(path, sample.brought).codes


def test_the_process_says_what_the_module_says(made: dict[str, Sample], tmp_path: Path) -> None:
    """As a regulator runs it: `python -I`, nothing of ours in reach."""
    draw = random.Random(7)
    for name in NAMES:
        sample = made[name]
        changed = draw.choice(sorted(one for one in sample.files if one != "bundle.json"))
        data = sample.files[changed]
        for number, one in enumerate((sample, sample.changed({changed: flipped(data, len(data) // 2, 1)}))):
            path = write_zip(tmp_path / f"{name}{number}.zip", one.files)
            assert by_process(path, one.brought) == by_script(path, one.brought)
            assert by_library(path, one.brought).said == by_process(path, one.brought, python=sys.executable).said
