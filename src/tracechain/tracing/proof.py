"""Whether entries verify: cheap enough to do it for each entry that a trace shows.

An entry is sure if its header is under the signed root. That is proved by a path in the tree for one entry, and from
there it
spreads: the rows of a sure entry are hashed over the headers of the entries before, so those are sure as well. What
is not looked at here is who stated it: `verification.verify_unit` checks the author's signature too.
"""

from __future__ import annotations

from hashlib import sha256

from tracechain import encoding, merkle
from tracechain.checkpoint import Checkpoint, VerifierKey
from tracechain.entry import ROW_SALT_TAG, ROW_TAG, SALT_SIZE, ZERO, content_commitment
from tracechain.errors import DataError
from tracechain.tracing.facts import Log
from tracechain.verification.findings import Code, Finding, Findings
from tracechain.verification.unit import check_signed
from tracechain.view import ViewNodes

__all__ = ["Proof"]

_SURE_MOST = 1 << 20


class Proof:
    """Checks entries of one view against its signed checkpoint; remembers what is sure."""

    def __init__(self, log: Log, verifier: VerifierKey | None = None) -> None:
        self._view = log.view
        self._log = log
        self._nodes = ViewNodes(log.view)
        self._leaves: dict[int, bytes] = {}
        self._sure: dict[int, tuple[Finding, ...]] = {}
        self._begun: set[int] = set()
        findings = Findings()
        self.checkpoint: Checkpoint | None = check_signed(findings, log.view, verifier)[1]
        #: What is wrong with the checkpoint itself.
        self.findings: tuple[Finding, ...] = tuple(findings.items)

    def check(self, index: int) -> tuple[Finding, ...]:
        """What is wrong with an entry: nothing, if it is in the signed tree with its content and rows."""
        found = self._sure.get(index)
        if found is None:
            if len(self._sure) >= _SURE_MOST:
                self._sure.clear()
                self._begun.clear()
                self._leaves.clear()
            found = self._sure[index] = tuple(self._look(index))
        return found

    def _look(self, index: int) -> list[Finding]:
        if self.checkpoint is None:
            return [Finding(Code.CHECKPOINT_MISSING, index, "no checkpoint stands, so nothing can be held against it")]
        wrong: list[Finding] = []
        header = self._view.header(index)
        if header is None or len(header) != 128:
            return [Finding(Code.ENTRY_MISSING, index, "the entry's header is not there, or cut")]
        if index not in self._begun:
            wrong += self._in_tree(index)
        part = self._view.content(index)
        if part is None:
            wrong.append(Finding(Code.CONTENT_MISSING, index, "the content is not there"))
        elif content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]) != header[64:96]:
            wrong.append(Finding(Code.CONTENT_COMMITMENT, index, "content or its salt was altered"))
        rows = self._view.rows(index)
        if rows is None:
            wrong.append(Finding(Code.ROWS_MISSING, index, "the rows are not there"))
            return wrong
        try:
            root, before = self._row_root(index, rows)
        except DataError as error:
            wrong.append(Finding(Code.ROWS_MALFORMED, index, str(error)))
            return wrong
        if root != header[96:]:
            wrong.append(Finding(Code.ROW_ROOT, index, "rows, their salt, or the entry before were altered"))
        elif not wrong:
            self._begun |= before
        return wrong

    def _in_tree(self, index: int) -> list[Finding]:
        checkpoint = self.checkpoint
        assert checkpoint is not None
        if index >= checkpoint.size:
            return [Finding(Code.TAIL_SURPLUS, index, f"it lies past the {checkpoint.size} entries that were signed")]
        try:
            proof = merkle.prove_inclusion(self._nodes, index, checkpoint.size)
            merkle.check_inclusion(self._leaf(index), index, checkpoint.size, proof, checkpoint.root)
        except DataError as error:
            return [Finding(Code.TREE_ROOT, index, f"the entry is not the one that was signed: {error}")]
        return []

    def _row_root(self, index: int, part: bytes) -> tuple[bytes, set[int]]:
        """The root that the rows of an entry come to, and the entries before that it names. What `entry.row_hashes`
        says in readable lines, for the many rows of a commissioning."""
        value = encoding.unpack_known(part[SALT_SIZE:])
        groups = self._log.groups(index)
        if groups is None or not isinstance(value, tuple):
            raise DataError(f"entry {index}: its rows are damaged")
        rule_set, pack, leaf = value[0], encoding.pack, self._leaf
        salt = part[:SALT_SIZE]
        seed, position = ROW_SALT_TAG + salt, 0
        alone = len(groups) == 1 and len(groups[0]) == 6
        hashes: list[bytes] = []
        before: set[int] = set()
        for group in groups:
            prefix = group[0]
            for at in range(1, len(group), 5):
                previous = group[at + 2]
                if previous:
                    if previous > index:
                        raise DataError(f"a row leads forward to entry {previous - 1}")
                    before.add(previous - 1)
                own = salt if alone else sha256(seed + position.to_bytes(4, "big")).digest()
                row = pack((rule_set, (prefix, *group[at : at + 5])))
                hashes.append(sha256(ROW_TAG + own + (leaf(previous - 1) if previous else ZERO) + row).digest())
                position += 1
        return merkle.root(hashes), before

    def _leaf(self, index: int) -> bytes:
        found = self._leaves.get(index)
        if found is None:
            found = self._leaves[index] = self._nodes.leaf(index)
        return found
