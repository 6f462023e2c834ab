"""Seals worked out again in the pass over a log (docs/format.md section 5.12).

Where subjects stand after so many entries is what the pass knows when it gets there. So the sizes of seals are looked
up before, ranges end there, and of each seal the items that changed since the one before are hashed. A seal that was
not seen before is worked out from the rows afterwards.

Where rows are gone that a seal rested on, nobody can work it out any more: that is said, and is no finding.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from attrs import define, field

from tracechain import merkle
from tracechain.checkpoint import VerifierKey
from tracechain.derivation import INDEX_MASK
from tracechain.entry import COVERED_TYPES, SALT_SIZE, EntryType
from tracechain.errors import CheckpointError, DataError
from tracechain.record import decode_record
from tracechain.seals import (
    MapRoot,
    SealBody,
    Sealed,
    SealMap,
    SealNote,
    item_hashes,
    open_seal_note,
    read_seal,
    row_words,
)
from tracechain.verification.covering import RangeResult, Word, may_begin, past_run
from tracechain.verification.findings import Code, Findings, SealVerdict
from tracechain.view import View, ViewNodes

__all__ = ["SealPass", "check_seal_notes"]

#: How a seal record's content begins: an array of four, and its kind.
_BEGINS = b"\x94\xa4seal"
#: Reading an entry's rows costs as much as looking at so many words.
_ROWS_COST = 25
_COVERED = frozenset(map(int, COVERED_TYPES))


@define
class SealPass:
    """The seals of a log whose records are at `start` or behind it, while the log is passed over.

    Whoever passes calls `reached` at each of `sizes`, in ascending order.
    """

    view: View
    start: int = 0
    sizes: Collection[int] = field(init=False)
    _map: SealMap = field(factory=SealMap, init=False)
    _at: int = field(default=0, init=False)
    #: By size: root of the tree, and of the map.
    _found: dict[int, tuple[bytes, MapRoot]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.sizes = frozenset(self._coming())

    def _coming(self) -> Iterator[int]:
        """The sizes of the seals that can be seen at once: a record that is the only one under its statement, as a
        ledger writes it."""
        view, index = self.view, self.start
        while index < view.size:
            header = view.header(index) or b""
            if header[4:5] == bytes([EntryType.STATEMENT]):
                covered, behind = view.header(index + 1) or b"", view.header(index + 2)
                if covered[4:5] == bytes([EntryType.RECORD]) and (behind is None or may_begin(behind)):
                    yield from self._size(index)
                    index += 2
                    continue
            index = past_run(view, index, header) if len(header) > 4 and header[4] in _COVERED else index + 1

    def _size(self, statement: int) -> Iterator[int]:
        content = (self.view.content(statement + 1) or b"")[SALT_SIZE:]
        if content.startswith(_BEGINS):
            with contextlib.suppress(DataError):
                size = SealBody.from_record(decode_record(content)).size
                if size <= statement and _may_end(self.view, size):
                    yield size

    def reached(self, size: int, last: Mapping[str, Word], root: Callable[[], bytes]) -> None:
        """The pass has taken the first `size` entries: `last` says where their subjects stand, `root` gives the root of
        the tree."""
        if size not in self.sizes or size in self._found:
            return
        with contextlib.suppress(DataError):  # what cannot be read is a finding of its own
            self._map.update(item_hashes(self.view, self._changed(size, last)))
            self._at = size
            self._found[size] = root(), self._map.root()

    def _changed(self, size: int, last: Mapping[str, Word]) -> dict[str, Word]:
        """Where those subjects stand that have a row since the seal before."""
        at = self._at
        if (size - at) * _ROWS_COST < len(last):
            with contextlib.suppress(DataError):
                subjects = {
                    subject for index, part in self.view.all_rows(at, size) for subject, _ in row_words(index, part)
                }
                return {subject: last[subject] for subject in subjects if subject in last}
        return {subject: word for subject, word in last.items() if word & INDEX_MASK > at}

    # ---- the end ----

    def conclude(
        self, findings: Findings, results: Sequence[RangeResult]
    ) -> tuple[tuple[SealVerdict, ...], list[Sealed], list[str]]:
        """What is to be said of each seal from `start` on; the seals that a note can be of, those before too; notes."""
        sound: list[Sealed] = []
        before: list[Sealed] = []
        wrong: list[Sealed] = []
        for index, statement in (one for result in results for one in result.seals):
            try:
                sealed = read_seal(self.view, index)
            except DataError as error:
                findings.add(Code.SEAL_RECORD, index, str(error))
                continue
            size = sealed.body.size
            if index < self.start:
                before.append(sealed)
            elif size > statement or not _may_end(self.view, size):
                words = f"it seals {size} entries, at which no log that statement {statement} was added to ended"
                findings.add(Code.SEAL_RECORD, index, words)
                wrong.append(sealed)
            else:
                sound.append(sealed)
        self._catch_up({sealed.body.size for sealed in sound} - self._found.keys())
        faded = max((entry for result in results for entry in result.believed[::2]), default=-1)
        verdicts = [SealVerdict(sealed, right=False) for sealed in wrong]
        for sealed in sound:
            found = self._found.get(sealed.body.size)
            if found is not None and found[0] != sealed.body.tree_root:
                words = f"its tree root is not that of the first {sealed.body.size} entries"
                findings.add(Code.SEAL_RECORD, sealed.index, words)
                verdicts.append(SealVerdict(sealed, right=False))
                continue
            before.append(sealed)
            # Where the first row of a subject that is left has lost what it names, nobody knows where it stood before.
            verdicts.append(SealVerdict(sealed, _judge(findings, sealed, found, faded=sealed.body.size <= faded)))
        verdicts.sort(key=lambda one: one.sealed.index)
        unknown = sum(verdict.right is None for verdict in verdicts)
        notes = []
        if unknown:
            notes.append(
                f"{unknown} of {len(verdicts)} seals cannot be worked out again: rows that they rested on are gone"
            )
        return tuple(verdicts), before, notes

    def _catch_up(self, sizes: Collection[int]) -> None:
        """Work out the seals that nobody stopped for: from the rows, once more."""
        made, words, at = SealMap(), dict[str, Word](), 0
        nodes = ViewNodes(self.view)
        with contextlib.suppress(DataError):  # what cannot be read is a finding of its own
            for size in sorted(sizes):
                fresh: dict[str, Word] = {}
                for index, part in self.view.all_rows(at, size):
                    fresh.update(row_words(index, part))
                words.update(fresh)
                made.update(item_hashes(self.view, fresh))
                at = size
                self._found[size] = merkle.tree_root(nodes, size), made.root()


def _judge(findings: Findings, sealed: Sealed, found: tuple[bytes, MapRoot] | None, *, faded: bool) -> bool | None:
    """Whether the map of a seal is the one that came out."""
    body = sealed.body
    if found is None:
        return None
    _, made = found
    if made == (body.ids, body.map_root):
        return True
    if faded:
        return None
    what = "the map of them has another root"
    if made.ids != body.ids:
        what = f"these have rows of {made.ids} subjects, it says {body.ids}"
    findings.add(Code.SEAL_ROOT, sealed.index, f"it does not say what the first {body.size} entries say: {what}")
    return False


def _may_end(view: View, size: int) -> bool:
    """Whether a log may end after so many entries."""
    return size == view.size or (0 < size < view.size and may_begin(view.header(size)))


def check_seal_notes(
    findings: Findings,
    view: View,
    origin: str,
    ledger_id: bytes,
    seals: Sequence[Sealed],
    auditors: Collection[VerifierKey],
) -> dict[int, tuple[str, ...]]:
    """Hold the seal notes that are kept against the seals of the log; the names of those of the `auditors` who signed,
    by the size of the seal."""
    bodies: dict[int, list[SealBody]] = {}
    for sealed in seals:
        bodies.setdefault(sealed.body.size, []).append(sealed.body)
    signed: dict[int, tuple[str, ...]] = {}
    for size, note in view.seal_notes():
        try:
            said, by = open_seal_note(note, auditors)
        except CheckpointError as error:
            findings.add(Code.SEAL_NOTE, None, f"the seal note of {size} entries: {error}")
            continue
        if said.seal.size != size or said not in [SealNote(origin, ledger_id, body) for body in bodies.get(size, ())]:
            findings.add(
                Code.SEAL_NOTE, None, f"the seal note of {size} entries says something else than the log's seal"
            )
            continue
        signed[size] = tuple(key.name for key in by)
    return signed
