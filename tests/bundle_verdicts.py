"""The verdict on a bundle, by the library and by the stand-alone script, in the same words.

by_library(path, brought)     tracechain.bundle, in this process
by_script(path, brought)      verify_bundle.py, imported by its path, in this process
by_process(path, brought)     the same, as a regulator runs it: `python -I verify_bundle.py ... --json`
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from attrs import field, frozen

from bundle_samples import Brought
from tracechain.bundle.check import check_bundle
from tracechain.bundle.checking import BundleReport
from tracechain.bundle.container import UnreadableError
from tracechain.checkpoint import parse_vkey
from tracechain.errors import InputError
from tracechain.witnessing import parse_policy

__all__ = ["SCRIPT", "Verdict", "by_library", "by_process", "by_script", "report_of", "script"]

SCRIPT = Path(__file__).resolve().parents[1] / "src" / "tracechain" / "verify_bundle.py"

_MISUSED = 2
Found = tuple[str, int | None, str | None]


@frozen
class Verdict:
    """`outcome` is clean, findings or unreadable, or misused where what was brought is of no use; `first` the first
    finding: code, entry, subject; `codes` all codes."""

    outcome: str
    exit: int
    first: Found | None = None
    codes: tuple[str, ...] = ()
    #: Every (code, entry) that was found.
    places: frozenset[tuple[str, int | None]] = field(default=frozenset(), eq=False, repr=False)

    @property
    def said(self) -> tuple[str, int, Found | None]:
        """What library and script have to agree on: the verdict, the exit code, the first finding."""
        return self.outcome, self.exit, self.first


def report_of(path: Path, brought: Brought, most: int = 1000, processes: int = 1) -> BundleReport:
    """What the library says of a bundle."""
    return check_bundle(
        path,
        verifier=None if brought.key is None else parse_vkey(brought.key),
        since=brought.since,
        witnesses=None if brought.policy is None else parse_policy(brought.policy),
        auditors=tuple(parse_vkey(one) for one in brought.auditors),
        now=brought.now,
        most=most,
        processes=processes,
    )


def by_library(path: Path, brought: Brought, most: int = 1000) -> Verdict:
    """The library's verdict."""
    try:
        report = report_of(path, brought, most)
    except UnreadableError:
        return Verdict("unreadable", 2)
    except InputError:
        return Verdict("misused", 2)
    found = [(str(one.code), one.index, one.subject) for one in report.findings]
    return _verdict("findings" if found else "clean", report.exit_code, found)


def _verdict(outcome: str, code: int, found: Sequence[Found]) -> Verdict:
    codes = tuple(dict.fromkeys(one for one, _, _ in found))
    return Verdict(outcome, code, found[0] if found else None, codes, frozenset((one, at) for one, at, _ in found))


# ---- the script --------------------------------------------------------------------------------------


@functools.cache
def script() -> ModuleType:
    """The script as a module of its own, by its path."""
    spec = importlib.util.spec_from_file_location("verify_bundle_alone", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    # The same keys and signatures come thousands of times: their arithmetic is done once. Nothing else is changed.
    module.multiples = functools.lru_cache(256)(module.multiples)  # type: ignore[attr-defined]  # the script's
    stands = module.PublicKey.stands
    known: dict[tuple[bytes, bytes, bytes], bool] = {}

    def quick(key: Any, message: bytes, signature: bytes) -> bool:
        named = key.raw, message, signature
        if named not in known:
            known[named] = stands(key, message, signature)
        return known[named]

    module.PublicKey.stands = quick
    return module


@contextlib.contextmanager
def _arguments(path: Path, brought: Brought) -> Iterator[list[str]]:
    """The arguments of the script; texts that it takes as files lie beside the bundle meanwhile."""
    found = [str(path), "--json", "--quiet"]
    files: list[Path] = []
    if brought.key is not None:
        found += ["--key", brought.key]
    for one in brought.auditors:
        found += ["--auditor", one]
    if brought.now is not None:
        found += ["--now", str(brought.now)]
    for name, text in (("since", brought.since), ("policy", brought.policy)):
        if text is not None:
            files.append(path.with_name(f"{path.name}.{name}"))
            files[-1].write_text(text, "utf-8", newline="\n")
            found += [f"--{name}", str(files[-1])]
    try:
        yield found
    finally:
        for file in files:
            file.unlink()


def _read(output: str, code: int) -> Verdict:
    if code == _MISUSED and not output:
        return Verdict("misused", code)
    result: dict[str, Any] = json.loads(output)
    assert result["exit"] == code
    found = [(one["code"], one["index"], one["subject"]) for one in result["findings"]]
    return _verdict(result["verdict"], code, found)


def by_script(path: Path, brought: Brought, most: int = 1000) -> Verdict:
    """The script's verdict, by its `main` in this process. Whatever it raises is raised."""
    output = io.StringIO()
    with (
        _arguments(path, brought) as arguments,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        code: int = script().main([*arguments, "--most", str(most)])
    return _read(output.getvalue(), code)


def by_process(path: Path, brought: Brought, *, python: str = sys.executable, more: Sequence[str] = ()) -> Verdict:
    """The script's verdict, as a process that sees nothing of this one."""
    with _arguments(path, brought) as arguments:
        done = subprocess.run(
            [python, "-I", str(SCRIPT), *arguments, *more], capture_output=True, check=False, timeout=120
        )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
    return _read(done.stdout.decode(), done.returncode)
