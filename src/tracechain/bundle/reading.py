"""An excerpt, read: which of its entries are *here* (docs/format.md section 15.5), and a View of them.

An entry is here when its file is one, and its header is in the tree that the checkpoint signs. So a View of an excerpt
has no header that is not in the log. Whether the rest is right, `judging` says: check an excerpt before anything is
asked of it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from hashlib import sha256
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from attrs import define, field

from tracechain import merkle
from tracechain.bundle.container import Container, UnreadableError, WrongFileError, open_container
from tracechain.bundle.entryfile import EntryFile
from tracechain.bundle.kept import Kept
from tracechain.bundle.manifest import Manifest, read_manifest
from tracechain.bundle.names import (
    CHECKPOINT,
    EXCERPT,
    SEAL_ABSENT,
    SEAL_ITEMS,
    Name,
    consistency_name,
    entry_name,
    proof_name,
)
from tracechain.checkpoint import Checkpoint, parse_checkpoint, parse_note, parse_proof
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import SALT_SIZE, Header, decode_rows, parse_header
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.retention.records import prune_subject
from tracechain.seals import MAX_PROOF_BYTES, Absence, Presence
from tracechain.verification.findings import Code, Findings
from tracechain.verification.lost import rows_lost
from tracechain.view import Block, Unit

__all__ = ["ExcerptView", "Listed", "list_names", "open_excerpt", "read_excerpt"]

Progress = Callable[[int, int], None]
#: Proofs in a list: they are held in memory, and a small zip can have very many of them.
MOST_PROOFS = 1 << 20
#: Entries that are kept after they were read, and bytes of their files.
_FILES_MOST = 512
_BYTES_MOST = 1 << 25


# ---- names -----------------------------------------------------------------------------------------


@define
class Listed:
    """The files of an excerpt by what they are: entries and proofs by index, notes and consistency proofs by size,
    disclosures by (index, number)."""

    entries: set[int] = field(factory=set)
    proofs: set[int] = field(factory=set)
    witnessed: set[int] = field(factory=set)
    consistency: set[int] = field(factory=set)
    private: dict[str, Name] = field(factory=dict)


def list_names(container: Container, size: int | None, findings: Findings) -> Listed:
    """What lies in an excerpt of a log of `size` entries (None where nobody knows). What has no place in it is a
    finding (BUNDLE_SURPLUS), and is not listed."""
    listed = Listed()
    by_kind = {
        ".entry": listed.entries, ".proof": listed.proofs, "witnessed": listed.witnessed,
        "consistency": listed.consistency,
    }  # fmt: skip
    for name in sorted(container.names()):
        one = EXCERPT.parse(name)
        if one is None:
            findings.add(Code.BUNDLE_SURPLUS, None, f"{name[:200]!r} has no place in an excerpt")
            continue
        if one.index is None:
            continue
        behind = size is not None and (one.index > size if one.kind == "consistency" else one.index >= size)
        if behind and one.kind != "witnessed":
            place = None if one.kind == "consistency" else one.index
            findings.add(Code.BUNDLE_SURPLUS, place, f"{name} lies behind the log, which has {size} entries")
        elif one.kind == "private":
            listed.private[name] = one
        else:
            by_kind[one.kind].add(one.index)
    return listed


def read_text(container: Container, name: str, findings: Findings, index: int | None = None) -> bytes | None:
    """A file under the cap of its name; None where it is not there, or wrong, which is a finding."""
    cap = EXCERPT.cap(name)
    assert cap is not None, f"{name} is listed"
    try:
        return container.read(name, cap)
    except WrongFileError as error:
        findings.add(Code.BUNDLE_FILE, index, str(error))
        return None


def read_consistency(container: Container, size: int, findings: Findings) -> tuple[bytes, ...] | None:
    """The consistency proof from a size; None where it is not there, or is none, which is a finding."""
    name = consistency_name(size)
    data = read_text(container, name, findings)
    if data is None:
        return None
    hashes: list[bytes] = []
    for line in data.split(b"\n")[:-1]:
        try:
            item = b64decode(line, validate=True)
        except ValueError:
            break
        if len(item) != merkle.HASH_BYTES or b64encode(item) != line:
            break
        hashes.append(item)
    if b"".join(b64encode(item) + b"\n" for item in hashes) != data:
        findings.add(Code.BUNDLE_FILE, None, f"{name} is no list of hashes in base64, each ended by a line feed")
        return None
    return tuple(hashes)


_Proof = TypeVar("_Proof")


def _read_proofs(
    container: Container,
    name: str,
    decode: Callable[[bytes], _Proof],
    key: Callable[[_Proof], str],
    findings: Findings,
) -> tuple[_Proof, ...]:
    """The proofs of a list, read one by one; none where the file is not there, or wrong, which is a finding."""
    found: list[_Proof] = []
    last = ""
    try:
        with container.open(name) as stream:
            if stream is None:
                return ()
            while length := stream.read(4):
                count = int.from_bytes(length, "big")
                if len(length) < 4 or not 0 < count <= MAX_PROOF_BYTES:
                    raise DataError(f"a proof has 1 to {MAX_PROOF_BYTES} bytes, not {count}")
                data = stream.read(count)
                if len(data) < count:
                    raise DataError("its last proof is cut off")
                one = decode(data)
                if found and key(one) <= last:
                    raise DataError(f"its proofs do not ascend: {key(one)[:80]!r} comes after {last[:80]!r}")
                if len(found) == MOST_PROOFS:
                    raise DataError(f"it has over {MOST_PROOFS:,} proofs")
                last = key(one)
                found.append(one)
        if not found:
            raise DataError("it is empty")
    except UnreadableError:
        raise
    except DataError as error:
        findings.add(Code.BUNDLE_FILE, None, f"{name}: {error}")
        return ()
    return tuple(found)


# ---- the entries that are here -----------------------------------------------------------------------


def read_excerpt(
    container: Container, manifest: Manifest, findings: Findings, progress: Progress | None = None
) -> tuple[ExcerptView | None, Listed]:
    """The entries that are here, and what else there is. None where no checkpoint can be read: then nothing but the
    names was looked at. Its signature is not."""
    checkpoint, note = _checkpoint(container, findings)
    listed = list_names(container, None if checkpoint is None else checkpoint.size, findings)
    if checkpoint is None:
        return None, listed
    view = ExcerptView(container, manifest, checkpoint, note)
    for index in sorted(listed.proofs - listed.entries):
        findings.add(Code.BUNDLE_SURPLUS, index, f"{proof_name(index)} proves an entry that is not in the excerpt")
    view.items = _read_proofs(container, SEAL_ITEMS, Presence.decode, attrgetter("id"), findings)
    view.absent = _read_proofs(container, SEAL_ABSENT, Absence.decode, attrgetter("code"), findings)
    total = len(listed.entries)
    for done, index in enumerate(sorted(listed.entries), 1):
        _take(view, index, index in listed.proofs, findings)
        if progress is not None and done % 256 == 0:
            progress(done, 2 * total)
    return view, listed


def _checkpoint(container: Container, findings: Findings) -> tuple[Checkpoint | None, str]:
    try:
        data = container.read(CHECKPOINT, EXCERPT.cap(CHECKPOINT) or 0)
    except WrongFileError as error:
        findings.add(Code.BUNDLE_FILE, None, str(error))
        data = None
    if data is None:
        findings.add(Code.CHECKPOINT_MISSING, None, "there is no signed checkpoint")
        return None, ""
    try:
        return parse_checkpoint(parse_note(data).text), data.decode()
    except CheckpointError as error:
        findings.add(Code.CHECKPOINT_MALFORMED, None, str(error))
        return None, ""


def _take(view: ExcerptView, index: int, proved: bool, findings: Findings) -> None:
    """Take an entry in, if it is here."""
    name = entry_name(index)
    data = read_text(view.container, name, findings, index)
    if data is None:
        return
    try:
        found = EntryFile.decode(data)
    except DataError as error:
        findings.add(Code.BUNDLE_FILE, index, f"{name}: {error}")
        return
    name = proof_name(index)
    text = read_text(view.container, name, findings, index) if proved else None
    if text is None:
        findings.add(Code.PROOF, index, "there is no proof that the entry is in the log")
        return
    try:
        proof = parse_proof(text)
        if (proof.index, proof.extra, proof.checkpoint) != (index, None, view.checkpoint):
            raise DataError("it is of another entry or checkpoint, or has extra data")
    except DataError as error:
        findings.add(Code.BUNDLE_FILE, index, f"{name}: {error}")
        return
    size, root = view.head.size, view.head.root
    try:
        merkle.check_inclusion(sha256(b"\0" + found.header).digest(), index, size, proof.hashes, root)
    except DataError as error:
        findings.add(Code.PROOF, index, f"the entry is not in the log that was signed: {error}")
        return
    try:
        header = parse_header(found.header)
    except DataError as error:
        findings.add(Code.HEADER_MALFORMED, index, str(error))
        return
    view.take(index, found, header, sha256(data).digest())


def _unknown(what: str) -> NoReturn:
    raise DataError(f"an excerpt does not tell {what}: only the whole log does")


class ExcerptView:
    """The entries of an excerpt as a View: what is asked of histories that it shows whole is answered as by the ledger.

    Those are the histories that `items`, the proofs by its seal, are of. Any other subject is a DataError, as nobody
    could tell from here what else there is of it; so is a question that only the whole log answers. `absent` are the
    proofs of absence. Neither they nor `checkpoint` are verified here.
    """

    def __init__(self, container: Container, manifest: Manifest, head: Checkpoint, note: str) -> None:
        self.container = container
        self.manifest = manifest
        self.head = head
        self.items: tuple[Presence, ...] = ()
        self.absent: tuple[Absence, ...] = ()
        self.indices: list[int] = []
        self._note = note
        self._headers: dict[int, tuple[bytes, bytes]] = {}
        self._kept = Kept[EntryFile](_FILES_MOST, _BYTES_MOST)
        self._whole: frozenset[str] = frozenset()
        self._units: dict[str, Unit] | None = None

    def take_whole(self, subjects: Iterable[str]) -> None:
        """Take it from who made the excerpt that all entries of these subjects are here, by no proof."""
        self._whole |= frozenset(subjects)
        self._units = None

    def take(self, index: int, found: EntryFile, header: Header, digest: bytes) -> None:  # noqa: ARG002  it was parsed
        """Take in the next entry that is here."""
        self.indices.append(index)
        self._headers[index] = found.header, digest

    def here(self, index: int) -> bool:
        """Whether an entry is here."""
        return index in self._headers

    def file(self, index: int) -> EntryFile:
        """An entry that is here, with all that is shown of it."""
        kept = self._kept.get(index)
        if kept is None:
            kept, length = self._read(index)
            self._kept.put(index, kept, length)
        return kept

    def _read(self, index: int) -> tuple[EntryFile, int]:
        name = entry_name(index)
        data = self.container.read(name, EXCERPT.cap(name) or 0)
        if data is None or sha256(data).digest() != self._headers[index][1]:
            raise DataError(f"{self.container.path}: {name} was changed while it was read")
        return EntryFile.decode(data), len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.container.close()

    # ---- the View: what is here ----

    @property
    def size(self) -> int:
        """Number of entries of the log: few of them are here."""
        return self.head.size

    @property
    def checkpoint(self) -> str:
        """The signed note."""
        return self._note

    def header(self, index: int) -> bytes | None:
        """The 128 bytes of an entry's header, None where it is not here."""
        found = self._headers.get(index)
        return None if found is None else found[0]

    def content(self, index: int) -> bytes | None:
        """Salt and content."""
        return self.file(index).content if index in self._headers else None

    def rows(self, index: int) -> bytes | None:
        """Salt and rows."""
        return self.file(index).rows if index in self._headers else None

    def parts(self, indices: Sequence[int]) -> list[tuple[bytes | None, bytes | None]]:
        """Content and rows of entries."""
        return [(self.content(index), self.rows(index)) for index in indices]

    def row_nodes(self, index: int) -> bytes | None:  # noqa: ARG002  the View's; nothing is stored here
        """None are stored."""
        return None

    def between(self, start: int, stop: int) -> list[int]:
        """The entries here from `start` to `stop` - 1."""
        return self.indices[bisect_left(self.indices, start) : bisect_left(self.indices, stop)]

    def headers(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, header) of those that are here, ascending."""
        return ((index, self._headers[index][0]) for index in self.between(start, stop))

    def contents(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and content), likewise."""
        return ((at, part) for at in self.between(start, stop) if (part := self.content(at)) is not None)

    def all_rows(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(index, salt and rows), likewise."""
        return ((at, part) for at in self.between(start, stop) if (part := self.rows(at)) is not None)

    def block(self, start: int, stop: int) -> Block:
        """The three parts of every entry from `start` to `stop - 1`."""
        each = range(start, stop)
        return [*map(self.header, each)], [*map(self.content, each)], [*map(self.rows, each)]

    def node(self, height: int, index: int) -> bytes | None:  # noqa: ARG002  the View's
        """None are here."""
        return None

    # ---- the View: what follows from whole histories ----

    def unit(self, subject: str) -> Unit | None:
        """Where a subject stands that is shown whole; None for a code that is shown to be absent."""
        found = self._index().get(subject)
        if found is None and all(one.code != subject for one in self.absent):
            _unknown(f"the whole history of {subject}")
        return found

    def units(self) -> Iterator[tuple[str, Unit]]:
        """The subjects that are shown whole, in order of ids."""
        return self.subjects("")

    def subjects(self, prefix: str) -> Iterator[tuple[str, Unit]]:
        """Those of them whose ids begin with `prefix`."""
        return iter(sorted(item for item in self._index().items() if item[0].startswith(prefix)))

    def _index(self) -> dict[str, Unit]:
        """The subjects that are shown whole: from the first entry, or from one that lost its rows, to the last."""
        if self._units is None:
            # What was pruned is shown with all records of that pruning.
            wanted = self._whole.union(one.id for one in self.items)
            words: dict[str, int] = {}
            broken: set[str] = set()
            for index in self.indices:
                part = self.rows(index)
                for row in () if part is None else decode_rows(part[SALT_SIZE:])[1]:
                    if row.subject in wanted or row.subject.startswith(prune_subject("")):
                        before = row.previous
                        named = -1 if before is None else before
                        if named != (words.get(row.subject, 0) & INDEX_MASK) - 1 and not rows_lost(self, named):
                            broken.add(row.subject)
                        words[row.subject] = row.state << STATE_SHIFT | index + 1
            self._units = {
                one: Unit((word & INDEX_MASK) - 1, word >> STATE_SHIFT)
                for one, word in words.items()
                if one not in broken
            }
        return self._units

    # ---- the View: what only the whole log tells ----

    def memory(self, subject: str) -> int:  # noqa: ARG002  the View's
        """DataError."""
        _unknown("what the rules remember of a pack")

    def spent(self, person: bytes, year: int) -> Decimal:  # noqa: ARG002  the View's
        """DataError."""
        _unknown("all orders of a buyer")

    def words(self, subjects: Sequence[str], *, together: bool = False) -> list[tuple[int, int]]:  # noqa: ARG002  the View's
        """DataError."""
        _unknown("what packs are in by the order of the log")

    def emptied(self, container: str) -> int:  # noqa: ARG002  the View's
        """DataError."""
        _unknown("when containers were emptied")

    def mentions(self, name: str) -> Iterator[range]:
        """DataError."""
        _unknown(f"all events that mention {name}")

    def names(self, prefix: str) -> Iterator[str]:
        """DataError."""
        _unknown(f"all names that begin with {prefix}")

    def witnessed(self) -> Iterator[tuple[int, str]]:
        """None: they count with their consistency proofs, which a View has no place for."""
        return iter(())

    def seal_notes(self) -> Iterator[tuple[int, str]]:
        """None, likewise."""
        return iter(())


def open_excerpt(path: str | Path, *, take_whole: Iterable[str] = ()) -> ExcerptView:
    """Open an excerpt as a View; close it, best by `with`. Check it first (`check_excerpt`): here it is only read.

    `take_whole` are subjects of which all entries are here by the word of who made it: where it has no seal.

    UnreadableError for what is no bundle; InputError for a whole one, or where the checkpoint cannot be read.
    """
    container = open_container(path)
    try:
        manifest = read_manifest(container)
        if manifest.layout is not EXCERPT:
            raise InputError(f"{path} is a whole bundle, and no excerpt")
        findings = Findings()
        view, _ = read_excerpt(container, manifest, findings)
        if view is None:
            raise InputError(f"{path} has no checkpoint that can be read: check it")
    except BaseException:
        container.close()
        raise
    view.take_whole(take_whole)
    return view
