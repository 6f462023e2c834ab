"""Bundles from a stranger: zip bombs, names that lead elsewhere, links, lies in a zip's directory, texts that draw on
a terminal. Library and script say the same of each, within bounded memory and time, and neither falls over."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from bundle_samples import Brought, Sample, samples, write_folder, write_zip
from bundle_verdicts import SCRIPT, by_library, by_process, by_script, script
from hostile_zips import Member, hostile, make_zip, members

TESTS = Path(__file__).parent
#: Bytes of memory, all in all, and seconds of work on all of the bundles, that each of the two may take.
MEMORY, SECONDS = 1 << 30, 400

Said = tuple[str, int, tuple[str, int | None, str | None] | None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    return samples(tmp_path_factory.mktemp("samples"))


def limited(side: str, paths: list[Path]) -> list[Any]:
    """The verdicts of one of the two, as a process with little memory."""
    key = Brought().key
    assert key is not None
    done = subprocess.run(
        [sys.executable, str(TESTS / "bundle_limited.py"), side, str(MEMORY), str(SECONDS), key],
        input="".join(f"{json.dumps(str(path))}\n" for path in paths), capture_output=True, check=False, text=True,
        cwd=TESTS,
    )  # fmt: skip
    found = [json.loads(line)[0] for line in done.stdout.splitlines()]
    at = "" if len(found) == len(paths) else paths[len(found)]
    assert (done.returncode, at) == (0, ""), done.stderr
    return found


@pytest.mark.slow
def test_hostile_bundles_are_judged_alike_within_bounds(made: dict[str, Sample], tmp_path: Path) -> None:
    cases = hostile(tmp_path, made["small"], made["excerpt"])
    assert len(cases) > 1500
    paths = list(cases.values())
    library, alone = limited("library", paths), limited("script", paths)
    differ = {label: (one, two) for label, one, two in zip(cases, library, alone, strict=True) if one != two}
    assert not differ
    by_label = dict(zip(cases, library, strict=True))
    assert {one[0] for one in library} == {"unreadable", "findings", "clean"}
    for sample in ("small", "excerpt"):
        assert by_label[f"{sample}: as it is"] == ["clean", 0, None]
        for label in (
            "checkpoint: twice",
            "checkpoint: flag 0x1",
            "checkpoint: method 12",
            "checkpoint: mode 120000",
            "named b'../x'",
            "named b'/etc/passwd'",
            "named b'a\\\\b'",
            "bundle.json: stated longer",
            "checkpoint over its cap",
            "nothing",
            "checkpoint is a link",
            "checkpoint is a pipe",
            "a link to the root",
            "a socket",
            "a backslash",
            "no zip",
            "checkpoint: zip64, 2^63",
            "all under a folder",
            "an empty folder",
            "a pipe",
        ):
            assert by_label[f"{sample}: {label}"] == ["unreadable", 2, None], label
        for label in ("checkpoint: stated shorter", "checkpoint: another checksum", "checkpoint: another local name"):
            assert by_label[f"{sample}: {label}"][2][0] == "BUNDLE_FILE", label
        for label in ("named b'CHECKPOINT'", "named 'e\u0301'", "surplus is very long", "30,000 names", "deep folders"):
            assert by_label[f"{sample}: {label}"][2][0] == "BUNDLE_SURPLUS", label


def test_some_of_them_as_a_regulator_would_run_the_script(made: dict[str, Sample], tmp_path: Path) -> None:
    honest = members(made["small"].files)
    cases = {
        "bomb": make_zip(
            tmp_path / "a.zip", [*honest, Member(b"witnessed/5", b"", 8, packed=b"\x03\x00", size=(1 << 32) - 2)]
        ),
        "elsewhere": make_zip(tmp_path / "b.zip", [*honest, Member(b"../../x", b"")]),
        "encrypted": make_zip(tmp_path / "c.zip", [evolve(one, flags=1) for one in honest]),
        "empty": write_folder(tmp_path / "d", {}),
        "deep": write_zip(tmp_path / "e.zip", {**made["small"].files, "bundle.json": b"[" * 60_000}),
        "fine": write_zip(tmp_path / "f.zip", made["small"].files),
        "surplus": write_zip(tmp_path / "g.zip", {**made["small"].files, "\x1b[2J\u202e": b""}),
    }
    for label, path in cases.items():
        assert by_process(path, Brought()).said == by_library(path, Brought()).said, label


#: What a text must not bring to a terminal: controls but the line feed, directions of writing, what cannot be seen.
DRAWS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def _texts(files: dict[str, bytes]) -> dict[str, bytes]:
    evil = "\x1b[2J\x1b]0;title\x07\u202etxt.exe\u2066\r\x9b31m"
    said = json.loads(files["bundle.json"])
    return {
        **files,
        "bundle.json": json.dumps({**said, "asked": [evil, evil * 20]}).encode(),
        f"surplus {evil}": b"",
        "witnessed/4": f"{evil}\n4\nAAAA\n\n\u2014 {evil} AAAAAAAA\n".encode(),
        "private/3-0.json": json.dumps({evil: evil, "format": evil}).encode(),
    }


@pytest.mark.parametrize("name", ["small", "excerpt", "absence"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_texts_do_not_draw_on_the_terminal(made: dict[str, Sample], tmp_path: Path, name: str, lang: str) -> None:
    sample = made[name]
    path = write_zip(tmp_path / "evil.zip", _texts(dict(sample.files)))
    page = tmp_path / "page.html"
    arguments = [str(path), "--lang", lang, "--report", str(page), "--key", sample.brought.key or ""]
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        assert script().main(arguments) == 1
    for text in (output.getvalue(), errors.getvalue(), page.read_text("utf-8")):
        assert not DRAWS.search(text)
    assert "<script" not in page.read_text("utf-8").lower() or "script-src" in page.read_text("utf-8")
    assert by_library(path, sample.brought).said == by_script(path, sample.brought).said


def test_terminal_escapes_in_what_is_brought_and_in_paths(made: dict[str, Sample], tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a\x1b[31m\u202e.zip", made["small"].files)
    gone = tmp_path / "no\x1b[31m\u202e.zip"
    for arguments, code in (([str(path), "--key", "x\x1b[31m"], 2), ([str(gone)], 2), ([str(path)], 1)):
        done = subprocess.run([sys.executable, "-I", str(SCRIPT), *arguments], capture_output=True, check=False)
        assert done.returncode == code, done.stderr
        assert not DRAWS.search((done.stdout + done.stderr).decode())
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("check", [by_library, by_script])
def test_nothing_is_written_and_no_link_is_followed(
    made: dict[str, Sample], tmp_path: Path, check: Callable[..., Any]
) -> None:
    """A checkpoint that is a link to the right checkpoint is not read either."""
    path = write_folder(tmp_path / "bundle", made["small"].files)
    (path / "checkpoint").rename(tmp_path / "checkpoint")
    (path / "checkpoint").symlink_to(tmp_path / "checkpoint")
    before = sorted(tmp_path.rglob("*"))
    assert check(path, Brought()).outcome == "unreadable"
    assert sorted(tmp_path.rglob("*")) == before
