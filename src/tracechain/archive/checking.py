"""The whole of an archive checked: seal, blocks, commitments, row roots, tree; and, with a ledger, its headers.

Every finding is a value; only what is no archive at all raises. One block is in memory at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256

from attrs import define, field, frozen

from tracechain import merkle
from tracechain.archive.parts import PRUNE_TAG, Held, bind_rows, said
from tracechain.archive.reading import ArchiveReader, naming, open_archive
from tracechain.archive.tree import fold, subtree_root
from tracechain.archive.writing import Archive, Progress
from tracechain.checkpoint import VerifierKey
from tracechain.entry import CONTENT_TAG, EntryType
from tracechain.errors import CheckpointError, DataError, DecodeError, KeyUseError, SignatureError, VerificationError
from tracechain.signing import PublicKey
from tracechain.view import View, ViewNodes, ledger_id

__all__ = ["ArchiveFinding", "ArchiveReport", "Code", "check_archive"]

#: Findings that are listed; more are counted.
MOST = 1000
NOT_HELD_AGAINST_LEDGER = (
    "not held against the ledger's headers: that the entries before that rows name stand where the rows say is the"
    " ledger's word"
)
UNWITNESSED = "unwitnessed: nobody but the log's own key vouches for the checkpoint"
_EVENT = int(EntryType.EVENT)


class Code(StrEnum):
    """What can be wrong with an archive that opens."""

    SEAL = "ARCHIVE_SEAL"
    CHECKPOINT = "ARCHIVE_CHECKPOINT"
    BLOCK = "ARCHIVE_BLOCK"
    CONTENT = "ARCHIVE_CONTENT"
    ROWS = "ARCHIVE_ROWS"
    TREE = "ARCHIVE_TREE"
    COUNTS = "ARCHIVE_COUNTS"
    LEDGER = "ARCHIVE_LEDGER"


@frozen
class ArchiveFinding:
    """One thing that is wrong: what, at which entry (None: of the whole), in words."""

    code: Code
    index: int | None
    detail: str


@frozen(kw_only=True)
class ArchiveReport:
    """What a check came to: true exactly if nothing was found. `links` counts the entries before that rows name;
    `beyond` the findings that are not listed; `notes` says what was not checked."""

    archive: Archive
    findings: tuple[ArchiveFinding, ...]
    beyond: int
    entries: int
    contents: int
    rows: int
    links: int
    against_ledger: bool
    notes: tuple[str, ...]

    def __bool__(self) -> bool:
        return not self.findings

    @property
    def codes(self) -> frozenset[Code]:
        """What was found."""
        return frozenset(finding.code for finding in self.findings)

    def raise_for_findings(self) -> None:
        """VerificationError if something was found."""
        if self.findings:
            first = self.findings[0]
            total = len(self.findings) + self.beyond
            raise VerificationError(
                f"{self.archive.path}: {total} findings, the first: {first.code}, {first.detail}", self.findings
            )


def check_archive(
    file: str | os.PathLike[str],
    verifier: VerifierKey,
    *,
    view: View | None = None,
    signed_by: PublicKey | None = None,
    progress: Progress | None = None,
) -> ArchiveReport:
    """Check all of an archive: that it is sealed by the log's key (or `signed_by`), that its headers are in the log by
    its checkpoint, and that contents and rows are those that the headers commit to. With `view`, its headers are also
    held against those of the ledger, now or at any time later, and so are the entries before that its rows name.

    DecodeError where the file is no archive, or not a whole one.
    """
    with open_archive(file) as reader:
        return _Check(reader, view, progress).run(verifier, signed_by)


@define
class _Check:
    reader: ArchiveReader
    view: View | None
    progress: Progress | None
    findings: list[ArchiveFinding] = field(factory=list)
    beyond: int = 0
    counts: list[int] = field(factory=lambda: [0, 0, 0, 0])

    def run(self, verifier: VerifierKey, signed_by: PublicKey | None) -> ArchiveReport:
        reader, seal = self.reader, self.reader.seal
        self._authenticate(verifier, signed_by)
        if self.view is not None:
            self._hold_against(self.view)
        lost = sha256(PRUNE_TAG)
        for number in range(len(reader.directory.blocks)):
            block = reader.directory.blocks[number]
            try:
                self._block(block.start, block.stop, block.root, reader.read(number), lost)
            except DecodeError as error:
                self._add(Code.BLOCK, block.start, str(error))
            if self.progress is not None:
                self.progress(self.counts[0], seal.entries)
        if fold((height, value) for _, height, value in reader.directory.pieces()) != seal.root:
            self._add(Code.TREE, None, "blocks and nodes do not lead to the root of the checkpoint")
        if (self.counts[:3], lost.digest()) != ([seal.entries, seal.contents, seal.rows], seal.lost):
            self._add(Code.COUNTS, None, "what it holds is not what its seal counts")
        notes = (*(() if self.view is not None else (NOT_HELD_AGAINST_LEDGER,)), UNWITNESSED)
        return ArchiveReport(
            archive=reader.archive, findings=tuple(self.findings), beyond=self.beyond, entries=self.counts[0],
            contents=self.counts[1], rows=self.counts[2], links=self.counts[3], against_ledger=self.view is not None,
            notes=notes,
        )  # fmt: skip

    def _add(self, code: Code, index: int | None, detail: str) -> None:
        if len(self.findings) < MOST:
            self.findings.append(ArchiveFinding(code, index, detail))
        else:
            self.beyond += 1

    def _authenticate(self, verifier: VerifierKey, signed_by: PublicKey | None) -> None:
        try:
            self.reader.authenticate(verifier, signed_by)
        except (KeyUseError, SignatureError) as error:
            self._add(Code.SEAL, None, str(error))
        except CheckpointError as error:
            self._add(Code.CHECKPOINT, None, str(error))

    def _hold_against(self, view: View) -> None:
        """Its tree against that of the ledger."""
        seal = self.reader.seal
        if view.size < seal.size:
            self._add(Code.LEDGER, None, f"it is of a log of {seal.size} entries, the ledger has {view.size}")
            return
        try:
            if ledger_id(view) != seal.ledger_id:
                self._add(Code.LEDGER, 0, "it is of another ledger")
            elif merkle.tree_root(ViewNodes(view), seal.size) != seal.root:
                self._add(
                    Code.LEDGER, None, f"the ledger's first {seal.size} entries are not those it was made of: a fork"
                )
        except DataError as error:
            self._add(Code.LEDGER, None, str(error))

    def _block(self, start: int, stop: int, root: bytes, parts: Held, lost: sha256) -> None:  # type: ignore[valid-type]  # hashlib names no class
        sets = self.reader.sets
        flags = sets.flags(start, stop)
        named_leaves = iter(parts.leaves)
        leaves: list[bytes] = []
        view, counts = self.view, self.counts
        for index, header, content, rows in zip(parts.indices, parts.headers, parts.contents, parts.rows, strict=True):
            leaf = sha256(b"\0" + header).digest()
            leaves.append(leaf)
            if content is not None:
                counts[1] += 1
                if sha256(CONTENT_TAG + content).digest() != header[64:96]:
                    self._add(Code.CONTENT, index, "its content is not what its header commits to")
            if rows is not None:
                counts[2] += 1
                self._rows(index, header, rows, named_leaves)
            flag = flags[index - start]
            if flag and header[4] == _EVENT:
                lost.update(index.to_bytes(8, "big") + bytes((flag,)) + leaf)  # type: ignore[attr-defined]  # it is one
            if view is not None and view.header(index) != header:
                self._add(Code.LEDGER, index, "the ledger has another header, or none")
        counts[0] += len(leaves)
        if start == 0 and leaves[0] != self.reader.seal.ledger_id:
            self._add(Code.LEDGER, 0, "entry 0 is not that of the ledger it names")
        if next(named_leaves, None) is not None:
            self._add(Code.BLOCK, start, "it holds leaves that no row names")
        if subtree_root(start, stop, list(sets.held.clip(start, stop)), leaves, parts.nodes) != root:
            self._add(Code.TREE, start, f"the headers of entries {start} to {stop - 1} are not those of the tree")

    def _rows(self, index: int, header: bytes, part: bytes, leaves: Iterable[bytes]) -> None:
        named: dict[int, bytes] = {}
        root = bind_rows(part, said(header)[1], naming(iter(leaves), named, index))
        if root != header[96:]:
            self._add(
                Code.ROWS, index, "its rows, or an entry before that a row names, are not what its header commits to"
            )
        self.counts[3] += len(named)
        if self.view is None:
            return
        for previous, leaf in named.items():
            there = self.view.header(previous)
            if there is None or sha256(b"\0" + there).digest() != leaf:
                self._add(Code.LEDGER, previous, f"a row of entry {index} names another entry at its place")
