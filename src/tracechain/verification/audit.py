"""audit: what an auditor works out of a whole log: its state, every judgement, and every seal.

`verify` shows that the log is what was signed. An audit shows what it comes to: the rules are applied from nothing, by
contents alone, and each seal's map is made of the states that come out. So what is said of a seal does not rest on the
rows that the ledger made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field, frozen

from tracechain.derivation import STATE_SHIFT
from tracechain.entry import EntryType
from tracechain.errors import DataError
from tracechain.merkle import Frontier, leaf_hash
from tracechain.replayed import Remembering, Replayed
from tracechain.seals import Sealed, SealMap, item_hashes, seals_of
from tracechain.verification.findings import Code, Finding, Report
from tracechain.verification.rules import judge_again
from tracechain.view import View

__all__ = ["Audit", "AuditedSeal", "audit"]

_CHUNK = 4096


@frozen
class AuditedSeal:
    """A seal, and whether the log comes to it: True, False, or None where parts are gone that it would take."""

    sealed: Sealed
    stands: bool | None


@frozen
class Audit:
    """A log after its first entries: `view` answers every question by it, `report` says what was found. `seals` are
    those whose records are in it, latest first."""

    view: Replayed
    report: Report
    seals: tuple[AuditedSeal, ...]


@define
class _Sealing:
    """Works seals out as the replay goes along: of each again only what changed since the one before."""

    view: View
    map: SealMap = field(factory=SealMap)
    known: dict[str, int] = field(factory=dict)
    tree: Frontier = field(factory=Frontier)
    #: Whether rows were gone of an entry so far.
    gone: bool = False
    #: By size: tree root, number of ids, map root, and whether rows were gone.
    found: dict[int, tuple[bytes, int, bytes, bool]] = field(factory=dict)

    def reach(self, state: Remembering) -> None:
        """The replay has come to the size of a seal."""
        changed = {}
        for subject, unit in state.units.items():
            word = unit.state << STATE_SHIFT | unit.last + 1
            if self.known.get(subject) != word:
                changed[subject] = word
        self.known |= changed
        self.map.update(item_hashes(self.view, changed))
        self._grow(state.size)
        ids, root = self.map.root()
        self.found[state.size] = self.tree.root(), ids, root, self.gone

    def _grow(self, size: int) -> None:
        while self.tree.size < size:
            start, stop = self.tree.size, min(size, self.tree.size + _CHUNK)
            headers = dict(self.view.headers(start, stop))
            if len(headers) != stop - start:
                raise DataError(f"a header from entry {start} on is missing; run `tracechain verify`")
            self.tree.extend([leaf_hash(headers[index]) for index in range(start, stop)])
            counted = {index for index, one in headers.items() if one[4] == EntryType.EVENT and any(one[40:44])}
            if counted and not self.gone:
                self.gone = not counted <= {index for index, _ in self.view.all_rows(start, stop)}

    def judge(self, sealed: Sealed) -> bool | None:
        """Whether a seal says what the log comes to."""
        body = sealed.body
        if body.size not in self.found:
            return None
        tree_root, ids, map_root, gone = self.found[body.size]
        if body.tree_root != tree_root:
            return False
        stands = (body.ids, body.map_root) == (ids, map_root)
        return None if gone and not stands else stands


def audit(
    view: View, stop: int | None = None, *, progress: Callable[[int, int], None] | None = None, most: int = 1000
) -> Audit:
    """Replay the first `stop` entries of a log (all by default), hold every row against the rules, and every seal
    against the states that come out.

    Trusts the log's own bytes, so `verify` it as well. Beside the findings of `verify_rules`: SEAL_ROOT for a seal that
    the log does not come to. What comes out is the state up to the entry at which a finding ended the replay.
    """
    end = view.size if stop is None else min(stop, view.size)
    seals = _seals_before(view, end)
    sealing = _Sealing(view)
    cuts = sorted({one.body.size for one in seals if one.body.size <= end})
    report, state = judge_again(view, end, cuts, sealing.reach, progress=progress, most=most)
    judged = tuple(AuditedSeal(one, sealing.judge(one)) for one in seals)
    wrong = [one.sealed for one in judged if one.stands is False]
    report = report.with_findings(
        Finding(Code.SEAL_ROOT, one.index, f"the first {one.body.size} entries do not come to what the seal says")
        for one in wrong[:most]
    )
    return Audit(Replayed(view, state), report, judged)


def _seals_before(view: View, end: int) -> Sequence[Sealed]:
    """The seals whose records are among the first entries, latest first; none where their chain cannot be followed."""
    try:
        return [one for one in seals_of(view) if one.index < end]
    except DataError:
        return []
