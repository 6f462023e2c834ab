"""Checking a whole bundle: its files, and then the log that is in them (docs/format.md section 15.3).

The files are read once for themselves: every length and checksum, every tile against the headers, every disclosure.
That the log is sound is the work of `verification`, which reads the bundle as it reads a ledger.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from attrs import define, field

from tracechain.bundle.checking import BundleReport, in_order
from tracechain.bundle.container import Container, WrongFileError, open_container
from tracechain.bundle.manifest import WHOLE_KIND, read_manifest
from tracechain.bundle.names import (
    CHECKPOINT,
    CONTENTS,
    ENTRIES,
    HASHES,
    ROWS,
    TILE_HEIGHT,
    TILE_WIDTH,
    WHOLE,
    Name,
    Tile,
    contents_name,
    entries_name,
    levels,
    rows_name,
    tile_name,
    tiles,
)
from tracechain.bundle.tiled import HASH_BYTES, Tiling, decode_headers, decode_parts, leaves_of
from tracechain.bundle.view import WholeView, open_whole, read_checkpoint, view_of
from tracechain.checkpoint import VerifierKey
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.merkle import Frontier
from tracechain.persons.disclosure import check_disclosure, parse_disclosure
from tracechain.retention.policy import Policy
from tracechain.verification import Code, Report, verify, verify_in_processes
from tracechain.verification.findings import NO_KEY, Findings
from tracechain.verification.verify import find_genesis, open_since
from tracechain.view import View
from tracechain.witnessing import WitnessPolicy

__all__ = ["check_bundle", "check_whole"]

Progress = Callable[[int, int], None]

#: Of so many findings the first is told for certain.
_COLLECTED = 20_000
NOTHING_ELSE = "nothing else was looked at: without a checkpoint and all headers there is nothing to hold a log against"


def check_bundle(
    path: str | os.PathLike[str], *, retention: Policy | None = None, processes: int = 1, **more: Any
) -> BundleReport:
    """Check a bundle, whatever its kind: see `check_whole` and `judging.check_excerpt`. A retention policy is demanded
    of a whole log only."""
    from tracechain.bundle.judging import check_excerpt

    with open_container(path) as container:
        kind = read_manifest(container).kind
    if kind == WHOLE_KIND:
        return check_whole(path, retention=retention, processes=processes, **more)
    return check_excerpt(path, **more)


def check_whole(
    path: str | os.PathLike[str],
    *,
    verifier: VerifierKey | None = None,
    since: str | None = None,
    witnesses: WitnessPolicy | None = None,
    auditors: Sequence[VerifierKey] = (),
    retention: Policy | None = None,
    now: int | None = None,
    progress: Progress | None = None,
    processes: int = 1,
    most: int = 1000,
) -> BundleReport:
    """Check a whole bundle: all that `verification.verify` checks of a log, and every file of the bundle.

    What is given comes from outside the bundle and means what it means there: the log's key, an older note that was
    kept, a witness policy, the keys of auditors who sign seals, a retention policy that is demanded, the time (ms since
    1970). All of the bundle is checked, also what the older note signs: what was checked then was another bundle. More
    `processes` are started by spawning.

    InputError if nothing is there, or for what was brought; UnreadableError for what is no bundle that can be looked
    into.
    """
    if processes < 1:
        raise InputError("at least one process is needed")
    # A policy that names the log's key comes from outside too.
    verifier = verifier if witnesses is None else witnesses.log_key(verifier)
    with open_container(path) as container:
        manifest = read_manifest(container)
        collected = max(most, _COLLECTED)
        names = _Names.of(container, collected)
        parts = [names.wrong]
        log, shown, notes = None, 0, [NOTHING_ELSE]
        if names.size is not None and not names.missing:
            view = view_of(container, manifest, nodes=False)
            with _files_checked(container, names.size, parts, apart=processes > 1, most=collected):
                log = _verify(
                    view, path, processes, verifier=verifier, witnesses=witnesses, auditors=auditors,
                    retention=retention, now=now, progress=progress, most=collected,
                )  # fmt: skip
            notes = list(log.notes)
            parts.append(_extends(view, since, verifier, notes))
            private = Findings(collected)
            shown = _check_disclosures(
                private, container, names, verifier if verifier is not None else log.verifier, view.checkpoint
            )
            parts.append(private)
    found = in_order([one for part in parts for one in part.items] + list(() if log is None else log.findings))
    beyond = sum(part.beyond for part in parts) + (0 if log is None else log.beyond) + max(0, len(found) - most)
    if verifier is None and NO_KEY not in notes:
        notes.insert(0, NO_KEY)
    return BundleReport(
        path=Path(path), manifest=manifest, findings=found[:most], beyond=beyond, size=names.size or 0,
        entries=0 if log is None else log.entries, rows=0 if log is None else log.rows,
        statements=0 if log is None else log.statements, units=0 if log is None else log.units, disclosures=shown,
        seal_notes=names.seals, checkpoint=None if log is None else log.checkpoint, verifier=verifier,
        notes=tuple(notes), log=log, witnessed=None if log is None else log.witnessed,
    )  # fmt: skip


def _verify(view: WholeView, path: str | os.PathLike[str], processes: int, **more: Any) -> Report:
    """The log, in one process or in several."""
    if processes > 1:
        return verify_in_processes(partial(_open_view, os.fspath(path)), processes, **more)
    return verify(view, **more)


def _extends(view: WholeView, since: str | None, verifier: VerifierKey | None, notes: list[str]) -> Findings:
    """Hold an older note against the log."""
    findings = Findings()
    old = open_since(findings, view, since, verifier, find_genesis(Findings(), view)[0], notes)
    if old is not None and old.size <= view.size:
        tree = Frontier()
        for start in range(0, old.size, TILE_WIDTH):
            tree.extend(leaves_of([header for _, header in view.headers(start, min(start + TILE_WIDTH, old.size))]))
        if tree.root() != old.root:
            words = f"its first {old.size} entries are not those that were signed in the older note"
            findings.add(Code.FORK, None, words)
    return findings


@contextmanager
def _open_view(path: str) -> Iterator[View]:
    with open_whole(path, nodes=False) as view:
        yield view


# ---- names -----------------------------------------------------------------------------------------


@define
class _Names:
    """What the names alone tell: the size of the log, what lies behind it, which files of entries are not there."""

    size: int | None
    wrong: Findings
    private: list[Name] = field(factory=list)
    #: How many files of entries have to be there and are not.
    missing: int = 0
    seals: int = 0

    @classmethod
    def of(cls, container: Container, most: int) -> _Names:
        """Look at all names."""
        found = cls(None, Findings(most))
        found.size = found._read_size(container)
        entries: set[int] = set()
        for name in container.names():
            said = WHOLE.parse(name)
            if said is None:
                found.wrong.add(Code.BUNDLE_SURPLUS, None, f"{name[:200]!r} is no file of a whole bundle")
            elif said.tile is not None:
                if not found._is_due(said.kind, said.tile):
                    words = f"{name} is no file of a log of this size"
                    found.wrong.add(Code.BUNDLE_SURPLUS, said.tile.start, words)
                elif said.kind == ENTRIES:
                    entries.add(said.tile.number)
            elif said.kind == "private":
                if found.size is not None and said.index is not None and said.index >= found.size:
                    words = f"{name} is of an entry that there is not"
                    found.wrong.add(Code.BUNDLE_SURPLUS, said.index, words)
                else:
                    found.private.append(said)
            elif said.kind in ("witnessed", "seals"):
                found.seals += said.kind == "seals"
                found._read_note(container, name, said.cap)
        found._count_missing(entries, most)
        return found

    def _read_size(self, container: Container) -> int | None:
        found = None
        try:
            found = read_checkpoint(container)
        except WrongFileError as error:
            self.wrong.add(Code.BUNDLE_FILE, None, str(error))
        except CheckpointError as error:
            self.wrong.add(Code.CHECKPOINT_MALFORMED, None, str(error))
            return None
        if found is None:
            self.wrong.add(Code.CHECKPOINT_MISSING, None, f"there is no {CHECKPOINT}: it says which log this is")
            return None
        return found[1]

    def _is_due(self, kind: str, tile: Tile) -> bool:
        """Whether a log of this size has such a tile, or such a file of entries. Without a size, anything may be."""
        if self.size is None:
            return True
        level = tile.level if kind == HASHES else 0
        left = (self.size >> TILE_HEIGHT * level) - tile.number * TILE_WIDTH
        return level < levels(self.size) and tile.width == min(TILE_WIDTH, left)

    def _read_note(self, container: Container, name: str, cap: int) -> None:
        """That a note can be read; what it says is judged with the log."""
        try:
            container.read(name, cap)
        except WrongFileError as error:
            self.wrong.add(Code.BUNDLE_FILE, None, str(error))

    def _count_missing(self, there: set[int], most: int) -> None:
        if self.size is None:  # nobody knows how many there should be
            return
        self.missing = -(-self.size // TILE_WIDTH) - len(there)
        number = told = 0
        while told < min(self.missing, most):
            if number not in there:
                words = f"the file of the headers of entries {number * TILE_WIDTH} and on is not there"
                self.wrong.add(Code.ENTRY_MISSING, number * TILE_WIDTH, words)
                told += 1
            number += 1
        self.wrong.beyond += self.missing - told


# ---- files -----------------------------------------------------------------------------------------


@contextmanager
def _files_checked(container: Container, size: int, parts: list[Findings], *, apart: bool, most: int) -> Iterator[None]:
    """Adds what is found in files: where it runs `apart`, in a process of its own while the block runs."""
    if not apart:
        parts.append(_files_in(container, size, most))
        yield
        return
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        running = pool.submit(_files_of, os.fspath(container.path), size, most)
        yield
        parts.append(running.result())


def _files_of(path: str, size: int, most: int) -> Findings:
    with open_container(path) as container:
        return _files_in(container, size, most)


def _files_in(container: Container, size: int, most: int) -> Findings:
    findings = Findings(most)
    _check_files(container, size, findings)
    return findings


def _check_files(container: Container, size: int, findings: Findings) -> None:
    """Read all that comes 256 at a time: lengths and form, and the tiles that the headers come to."""
    tiling = Tiling()
    for tile in tiles(size):
        leaves: Sequence[bytes | None] = [None] * tile.width
        data = _read(container, findings, entries_name(tile), ENTRIES, tile.start)
        if data is not None:
            try:
                leaves = leaves_of(decode_headers(data, tile.width))
            except WrongFileError as error:
                findings.add(Code.BUNDLE_FILE, tile.start, f"{entries_name(tile)}: {error}")
        for kind, name in ((CONTENTS, contents_name(tile)), (ROWS, rows_name(tile))):
            data = _read(container, findings, name, kind, tile.start)
            if data is not None:
                try:
                    decode_parts(data, tile.width)
                except WrongFileError as error:
                    findings.add(Code.BUNDLE_FILE, tile.start, f"{name}: {error}")
        _check_tiles(container, findings, tiling.add(leaves))
    _check_tiles(container, findings, tiling.finish())


def _check_tiles(container: Container, findings: Findings, due: Iterable[tuple[Tile, bytes | None]]) -> None:
    for tile, hashes in due:
        name = tile_name(tile)
        stored = _read(container, findings, name, HASHES, tile.start)
        if stored is not None and len(stored) != HASH_BYTES * tile.width:
            words = f"{name} has {len(stored)} bytes, {tile.width} hashes are {HASH_BYTES * tile.width}"
            findings.add(Code.BUNDLE_FILE, tile.start, words)
            stored = None
        if hashes is None or stored == hashes:
            continue
        words = "is not there" if stored is None else "is not what the headers give"
        findings.add(Code.BUNDLE_TILE, tile.start, f"{name} {words}")


def _read(container: Container, findings: Findings, name: str, kind: str, index: int) -> bytes | None:
    try:
        return container.read(name, WHOLE.caps[kind])
    except WrongFileError as error:
        findings.add(Code.BUNDLE_FILE, index, str(error))
        return None


# ---- disclosures -----------------------------------------------------------------------------------


def _check_disclosures(
    findings: Findings, container: Container, names: _Names, verifier: VerifierKey | None, note: str
) -> int:
    """How many disclosures stand."""
    good = 0
    for name in sorted(names.private, key=lambda one: (one.index, one.number)):
        file = f"private/{name.index}-{name.number}.json"
        try:
            data = container.read(file, name.cap)
        except WrongFileError as error:
            findings.add(Code.BUNDLE_FILE, name.index, str(error))
            continue
        words = disclosure_fault(data or b"", name.index or 0, note, verifier)
        if words is None:
            good += 1
        else:
            findings.add(Code.DISCLOSURE, name.index, f"{file}: {words}")
    return good


def disclosure_fault(data: bytes, index: int, note: str, verifier: VerifierKey | None) -> str | None:
    """What is wrong with a disclosure of an entry in a bundle with this checkpoint, None if nothing is."""
    try:
        one = parse_disclosure(data.decode())
        if one.index != index:
            return f"it is of entry {one.index}"
        if one.proof.checkpoint != note:
            return "it is under another checkpoint"
        if verifier is None:
            return "the log names no key under which it could stand"
        check_disclosure(one, verifier)
    except (DataError, InputError, UnicodeDecodeError) as error:
        return str(error)
    return None
