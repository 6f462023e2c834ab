"""Whether entries verify: cheap enough to do it for each entry that a trace shows.

An entry is sure if its header is under the signed root. That is proved by a path in the tree for one entry, and from
there it spreads: the rows of a sure entry are hashed over the headers of the entries before, so those are what was
signed as well. Who stores or hands over a ledger can alter nothing by that. That each of these headers also stands in
the tree at its own place is left to `verify` and `verification.verify_unit`, as is the author's signature: the ledger's
operator, who signs, could have hashed a row over a header that he never logged. Which entry is a subject's latest is
the word of the index.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import sha256

from tracechain import encoding, merkle
from tracechain.checkpoint import Checkpoint, VerifierKey
from tracechain.entry import HEADER_SIZE, ROW_BLOCK, ROW_SALT_TAG, ROW_TAG, SALT_SIZE, ZERO, content_commitment
from tracechain.errors import DataError
from tracechain.retention.prunings import prunings
from tracechain.retention.ranges import Ranges, contains
from tracechain.tracing.facts import Log, Rows
from tracechain.verification.findings import Code, Finding, Findings
from tracechain.verification.unit import check_signed
from tracechain.view import View, ViewNodes

__all__ = ["Proof"]

_SURE_MOST = 1 << 20
_ROW_NODES_MOST = 1024


class _Nodes:
    """A merkle.NodeReader that remembers: paths of many entries meet on their way up."""

    def __init__(self, view: View) -> None:
        self._nodes = ViewNodes(view)
        self._leaves: dict[int, bytes] = {}
        self._stored: dict[tuple[int, int], bytes | None] = {}

    def leaf(self, index: int) -> bytes:
        """The leaf hash of an entry."""
        found = self._leaves.get(index)
        if found is None:
            found = self._leaves[index] = self._nodes.leaf(index)
        return found

    def node(self, height: int, index: int) -> bytes | None:
        """The stored subtree root."""
        key = height, index
        if key not in self._stored:
            self._stored[key] = self._nodes.node(height, index)
        return self._stored[key]

    def forget(self) -> None:
        """Begin anew."""
        self._leaves.clear()
        self._stored.clear()


class Proof:
    """Checks entries of one view against its signed checkpoint; remembers what is sure."""

    def __init__(self, log: Log, verifier: VerifierKey | None = None) -> None:
        self._view = log.view
        self._log = log
        self._nodes = _Nodes(log.view)
        self._sure: dict[tuple[int, str], tuple[Finding, ...]] = {}
        self._begun: set[int] = set()
        #: The nodes over the rows of entries, as far as they are those of the row root.
        self._row_nodes: dict[int, list[bytes]] = {}
        #: What prunings say went, once something is missing.
        self._gone: list[Ranges] | None = None
        findings = Findings()
        self.checkpoint: Checkpoint | None = check_signed(findings, log.view, verifier)[1]
        #: What is wrong with the checkpoint itself.
        self.findings: tuple[Finding, ...] = tuple(findings.items)

    def check(self, index: int, subject: str) -> tuple[Finding, ...]:
        """What is wrong with an entry, as far as a subject goes: nothing, if it is in the signed tree with its
        content and its row of the subject."""
        found = self._sure.get((index, subject))
        if found is None:
            if len(self._sure) >= _SURE_MOST:
                self._sure.clear()
                self._begun.clear()
                self._nodes.forget()
            found = self._sure[index, subject] = tuple(self._look(index, subject))
        return found

    def _look(self, index: int, subject: str) -> list[Finding]:
        if self.checkpoint is None:
            return [Finding(Code.CHECKPOINT_MISSING, index, "no checkpoint stands, so nothing can be held against it")]
        wrong: list[Finding] = []
        header = self._view.header(index)
        if header is None or len(header) != HEADER_SIZE:
            return [Finding(Code.ENTRY_MISSING, index, "the entry's header is not there, or cut")]
        if index not in self._begun:
            wrong += self._in_tree(index)
        part = self._view.content(index)
        if part is None:
            if not self._went(index):
                wrong.append(
                    Finding(Code.CONTENT_MISSING, index, "the content is not there, and no record says it went")
                )
        elif content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]) != header[64:96]:
            wrong.append(Finding(Code.CONTENT_COMMITMENT, index, "content or its salt was altered"))
        try:
            before = self._check_row(index, subject, header[96:])
        except DataError as error:
            wrong.append(Finding(Code.ROW_ROOT, index, str(error), subject))
            return wrong
        if not wrong:
            self._begun |= before
        return wrong

    def _went(self, index: int) -> bool:
        """Whether a record says that the content of an entry was pruned. Whether lawfully, the whole log tells."""
        if self._gone is None:
            self._gone = [one.contents for one in prunings(self._view)]
        return any(contains(contents, index) for contents in self._gone)

    def _in_tree(self, index: int) -> list[Finding]:
        checkpoint = self.checkpoint
        assert checkpoint is not None
        if index >= checkpoint.size:
            return [Finding(Code.TAIL_SURPLUS, index, f"it lies past the {checkpoint.size} entries that were signed")]
        try:
            proof = merkle.prove_inclusion(self._nodes, index, checkpoint.size)
            merkle.check_inclusion(self._nodes.leaf(index), index, checkpoint.size, proof, checkpoint.root)
        except DataError as error:
            return [Finding(Code.TREE_ROOT, index, f"the entry is not the one that was signed: {error}")]
        return []

    def _check_row(self, index: int, subject: str, root: bytes) -> set[int]:
        """Hold a subject's row against the root in the header; the entries before that are sure by it. DataError if
        it does not lead there.

        Of an entry with many rows those under one node are hashed, where the other nodes are kept.
        """
        rows = self._log.rows(index)
        if rows is None:
            raise DataError("the rows are not there")
        place = rows.place(subject)
        if place is None:
            raise DataError("there is no row of it")
        first, count = place // ROW_BLOCK * ROW_BLOCK, rows.count
        if count > ROW_BLOCK:
            nodes = self._nodes_of(index, count, root)
            if nodes:
                hashes, before = self._hashes(index, rows, first, min(first + ROW_BLOCK, count))
                if nodes[place // ROW_BLOCK] == merkle.root(hashes):
                    return before
        hashes, before = self._hashes(index, rows, 0, count)
        if merkle.root(hashes) != root:
            raise DataError("rows, their salt, or the entry before were altered")
        return before

    def _nodes_of(self, index: int, count: int, root: bytes) -> list[bytes]:
        """The nodes over the rows of an entry, if they are kept and lead to its row root."""
        found = self._row_nodes.get(index)
        if found is None:
            kept = self._view.row_nodes(index) or b""
            found = [kept[at : at + 32] for at in range(0, len(kept), 32)]
            if len(found) != -(-count // ROW_BLOCK) or merkle.root(found) != root:
                found = []
            if len(self._row_nodes) >= _ROW_NODES_MOST:
                self._row_nodes.clear()
            self._row_nodes[index] = found
        return found

    def _hashes(self, index: int, rows: Rows, start: int, stop: int) -> tuple[list[bytes], set[int]]:
        """The hashes of some rows (entry.row_hash), and the entries before that they name."""
        rule_set, salt, pack = rows.rule_set, rows.salt, encoding.pack
        seed = ROW_SALT_TAG + salt
        hashes: list[bytes] = []
        before: set[int] = set()
        group_at = bisect_right(rows.starts, start) - 1
        for position in range(start, stop):
            if position == rows.starts[group_at + 1]:
                group_at += 1
            group, at = rows.groups[group_at], 1 + 5 * (position - rows.starts[group_at])
            cells = (group[0], *group[at : at + 5])
            previous = cells[3]
            leaf = ZERO
            if previous != 0:
                if type(previous) is not int or not 0 < previous <= index:
                    raise DataError("a row leads to no entry before")
                before.add(previous - 1)
                leaf = self._nodes.leaf(previous - 1)
            own = salt if rows.count == 1 else sha256(seed + position.to_bytes(4, "big")).digest()
            hashes.append(sha256(ROW_TAG + own + leaf + pack((rule_set, cells))).digest())
        return hashes, before
