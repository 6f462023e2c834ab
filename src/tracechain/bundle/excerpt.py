"""Writing an excerpt, or the proof that codes are not in the log (docs/format.md section 15.4).

Both have the same layout. Everything comes from one view, so the log may grow meanwhile. Each proof is checked before
it is written: an excerpt of a damaged ledger is not made.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from attrs import field, frozen

from tracechain import merkle
from tracechain.bundle.beside import put_beside
from tracechain.bundle.container import Writer, create_container
from tracechain.bundle.gather import Gathered, Shower, gather
from tracechain.bundle.manifest import ABSENCE_KIND, EXCERPT_KIND, Manifest
from tracechain.bundle.names import (
    CHECKPOINT,
    SEAL_ABSENT,
    SEAL_ITEMS,
    SEAL_NOTE,
    consistency_name,
    entry_name,
    private_name,
    proof_name,
    witnessed_name,
)
from tracechain.bundle.reading import MOST_PROOFS
from tracechain.bundle.select import Selection, check_absent
from tracechain.checkpoint import Checkpoint, InclusionProof, format_proof, parse_checkpoint, parse_note
from tracechain.encoding import decode
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.persons import Disclosure, disclose, format_disclosure
from tracechain.seals import Prover, SealBody, Sealed
from tracechain.store import Kept, Vault
from tracechain.tracing import Unresolved
from tracechain.view import View, ViewNodes

__all__ = ["Exported", "Private", "SealProofs", "disclosed", "export_absence", "export_excerpt"]

Progress = Callable[[int, int], None]


@frozen
class SealProofs:
    """The latest seal of a log, by which an excerpt goes, and who proves by it."""

    sealed: Sealed
    prover: Prover = field(repr=False)

    @property
    def body(self) -> SealBody:
        """What it says."""
        return self.sealed.body


@frozen
class Private:
    """Which private fields are shown, by their names, from which vault, and on which ground: the vault writes down that
    they were revealed. Values that are withheld are shown too, as there is a ground."""

    vault: Vault
    names: frozenset[str]
    ground: str


@frozen(kw_only=True)
class Exported:
    """What was written. `histories` are the subjects that are shown whole, keys of authors apart; `sealed` says how
    many of them the seal shows to be complete, `unsealed` which came after it, or all where there is none.

    `disclosures` counts private values that are shown, `withheld` those that were asked for and are not kept.
    """

    path: Path
    kind: str
    entries: int
    histories: tuple[str, ...] = field(repr=lambda some: f"<{len(some)} histories>")
    absent: tuple[str, ...] = ()
    seal: SealBody | None = None
    seal_entry: int | None = None
    sealed: int = 0
    unsealed: tuple[str, ...] = ()
    witnessed: int = 0
    disclosures: int = 0
    withheld: int = 0
    unresolved: tuple[Unresolved, ...] = ()


def export_excerpt(
    view: View,
    path: str | Path,
    selection: Selection,
    *,
    exported_ms: int,
    seal: SealProofs | None = None,
    private: Private | None = None,
    since: Iterable[Checkpoint] = (),
    progress: Progress | None = None,
) -> Exported:
    """Write an excerpt to a new folder, or to a zip where the name ends in `.zip`. `exported_ms` is now (ms
    since 1970).

    `seal` is the latest one of the log: by it histories are shown to be complete up to it; without it, they are what
    the ledger shows. For each checkpoint of `since`, which the receiver keeps, there is a proof that the log extends
    it. InputError for a name that is taken, or for a checkpoint that is none of this log; DataError where the log is
    damaged.
    """
    manifest = Manifest(EXCERPT_KIND, exported_ms, _fitting(selection.asked))
    return _Export(view, seal, selection, private).write(Path(path), manifest, (), since, progress)


def export_absence(
    view: View,
    path: str | Path,
    codes: Sequence[str],
    *,
    exported_ms: int,
    seal: SealProofs | None,
    since: Iterable[Checkpoint] = (),
    progress: Progress | None = None,
) -> Exported:
    """Write the proof that no entry below the size of the latest seal names these codes (canonical ids), likewise.

    It names the codes that come before and behind each in the order of codes: it is for a regulator's eyes. InputError
    for a code that is in the ledger, also behind the seal, and where there is no seal.
    """
    wanted = sorted(set(codes))
    if not wanted:
        raise InputError("say which codes are absent: none was given")
    for code in wanted:
        check_absent(view, code)
    if seal is None:
        raise InputError("this ledger has no seal, and only a seal shows that a code is absent: `tracechain seal make`")
    manifest = Manifest(ABSENCE_KIND, exported_ms, _fitting([f"absence of {code}" for code in wanted]))
    return _Export(view, seal, Selection(), None).write(Path(path), manifest, wanted, since, progress)


def _fitting(asked: Sequence[str]) -> tuple[str, ...]:
    """What bundle.json has room for (docs/format.md section 15.2)."""
    return tuple(text[:400] for text in asked[:100])


class _Export:
    def __init__(self, view: View, seal: SealProofs | None, selection: Selection, private: Private | None) -> None:
        self._view = view
        self._seal = seal
        self._selection = selection
        self._private = private
        self._shower = Shower(view)
        try:
            self._checkpoint = parse_checkpoint(parse_note(view.checkpoint).text)
        except CheckpointError as error:
            raise DataError(f"the ledger has no checkpoint that an excerpt could rest on: {error}") from None
        if self._checkpoint.size != view.size:
            raise DataError(f"the checkpoint is of {self._checkpoint.size} entries, {view.size} are there; verify it")
        if seal is not None and seal.prover.root != (seal.body.ids, seal.body.map_root):
            raise DataError(f"the seal in entry {seal.sealed.index} is not what its proofs lead to; verify the ledger")
        if seal is not None and not seal.body.size <= seal.sealed.index < view.size:
            raise InputError(f"the seal in entry {seal.sealed.index} is none of this view of {view.size} entries")
        if seal is not None and self._root(seal.body.size) != seal.body.tree_root:
            raise DataError(f"the seal in entry {seal.sealed.index} names another tree than this log's; verify it")

    def write(
        self,
        path: Path,
        manifest: Manifest,
        absent: Sequence[str],
        since: Iterable[Checkpoint],
        progress: Progress | None,
    ) -> Exported:
        seal = self._seal
        gathered = gather(self._view, self._selection, () if seal is None else (seal.sealed.index,))
        keys = frozenset(gathered.keys)
        histories = tuple(subject for subject in gathered.subjects if subject not in keys)
        proved = () if seal is None else tuple(one for one in gathered.subjects if seal.prover.has(one))
        sizes = {self._held(old) for old in since}
        if seal is not None:
            sizes.add(seal.body.size)
        with create_container(path) as writer:
            put_beside(writer, manifest)
            writer.put(CHECKPOINT, self._view.checkpoint.encode())
            if seal is not None:
                _put_list(writer, SEAL_ITEMS, (seal.prover.presence(one).encode() for one in proved))
                _put_list(writer, SEAL_ABSENT, (seal.prover.absence(one).encode() for one in absent))
                note = next((text for size, text in self._view.seal_notes() if size == seal.body.size), None)
                if note is not None:
                    writer.put(SEAL_NOTE, note.encode())
            notes = list(self._witnessed(sizes))
            for size, note in notes:
                writer.put(witnessed_name(size), note.encode())
            for size in sorted(sizes):
                proof = self._shower.consistency(size)
                writer.put(consistency_name(size), b"".join(b64encode(item) + b"\n" for item in proof))
            disclosures, withheld = self._entries(writer, gathered, progress)
        sealed = set(proved)
        return Exported(
            path=path, kind=manifest.kind, entries=len(gathered.entries), histories=histories, absent=tuple(absent),
            seal=None if seal is None else seal.body, seal_entry=None if seal is None else seal.sealed.index,
            sealed=len(sealed.intersection(histories)), unsealed=tuple(one for one in histories if one not in sealed),
            witnessed=len(notes), disclosures=disclosures, withheld=withheld,
            unresolved=tuple(sorted(self._selection.unresolved, key=lambda one: one.order)),
        )  # fmt: skip

    def _entries(self, writer: Writer, gathered: Gathered, progress: Progress | None) -> tuple[int, int]:
        """Write the entries with their proofs, and what is shown of private fields: how many, and how many not."""
        shown = withheld = 0
        total = len(gathered.entries)
        for done, index in enumerate(gathered.entries, 1):
            one = self._shower.entry(index)
            proof = InclusionProof(index, self._shower.proof(index), self._view.checkpoint)
            try:
                leaf = sha256(b"\0" + one.header).digest()
                merkle.check_inclusion(leaf, index, self._checkpoint.size, proof.hashes, self._checkpoint.root)
            except DataError as error:
                raise DataError(f"entry {index} is not the one that was signed: {error}; verify the ledger") from None
            writer.put(entry_name(index), one.encode())
            writer.put(proof_name(index), format_proof(proof).encode())
            if self._private is not None and one.content is not None and one.header[4] == EntryType.EVENT:
                some, missing = disclosed(self._view, self._private, index, one.content)
                for number, disclosure in enumerate(some):
                    writer.put(private_name(index, number), format_disclosure(disclosure).encode())
                shown, withheld = shown + len(some), withheld + missing
            if progress is not None and (done % 64 == 0 or done == total):
                progress(done, total)
        return shown, withheld

    def _witnessed(self, sizes: set[int]) -> Iterator[tuple[int, str]]:
        """The witnessed notes that are of this log: not those of a range that was lost."""
        for size, note in self._view.witnessed():
            try:
                seen = parse_checkpoint(parse_note(note).text)
            except CheckpointError:
                continue
            if seen.size == size and 0 < size <= self._view.size and seen.root == self._root(size):
                if size < self._view.size:
                    sizes.add(size)
                yield size, note

    def _root(self, size: int) -> bytes:
        return merkle.tree_root(ViewNodes(self._view), size)

    def _held(self, old: Checkpoint) -> int:
        """The size of an older checkpoint that the log extends; InputError for another."""
        if not 0 < old.size <= self._view.size:
            raise InputError(f"a checkpoint of {old.size} entries cannot be extended by this log of {self._view.size}")
        if self._root(old.size) != old.root:
            raise InputError(
                f"the older checkpoint of {old.size} entries is none of this log: what it signed is not what is here"
            )
        return old.size


def disclosed(view: View, private: Private, index: int, content: bytes) -> tuple[list[Disclosure], int]:
    """The disclosures of an event (its content with the salt), and how many of the fields asked for have no value that
    is kept."""
    some: list[Disclosure] = []
    missing = 0
    for one in decode(content[SALT_SIZE:]).private:
        if one.name not in private.names:
            continue
        if private.vault.standing(one.commitment) in (Kept.KEPT, Kept.RESTRICTED):
            some.append(disclose(view, private.vault, index, one.name, ground=private.ground))
        else:
            missing += 1
    return some, missing


def _put_list(writer: Writer, name: str, proofs: Iterable[bytes]) -> None:
    """Proofs one after the other, the length before each; no file where there is none."""
    listed = list(proofs)
    if len(listed) > MOST_PROOFS:
        raise InputError(
            f"the excerpt would show {len(listed):,} histories or codes, it may show {MOST_PROOFS:,}: take"
            " the whole log, or several excerpts"
        )
    data = b"".join(len(one).to_bytes(4, "big") + one for one in listed)
    if data:
        writer.put(name, data, packed=False)
