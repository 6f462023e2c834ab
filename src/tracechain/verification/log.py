"""Verification of a whole log, from the results of its ranges: tree, checkpoint, keys, authors, epochs."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from attrs import define, field

from tracechain import merkle, record
from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from tracechain.entry import NO_POLICY, EntryType
from tracechain.errors import CheckpointError, DataError, KeyUseError
from tracechain.record import (
    EpochRecord,
    Evidence,
    Genesis,
    KeyAuthorised,
    KeyRevoked,
    decode_record,
    epoch_of,
    origin_of,
)
from tracechain.signing import PublicKey, verify
from tracechain.statement import Statement, statement_of
from tracechain.verification.covering import RangeResult, Said
from tracechain.verification.findings import Code, Findings

__all__ = [
    "Keys",
    "check_authors",
    "check_checkpoint",
    "check_own_entries",
    "check_policies",
    "check_rule_sets",
    "check_uncovered",
    "check_unsigned",
    "take_authorised",
    "take_revoked",
]


def check_checkpoint(
    findings: Findings, note: str, verifier: VerifierKey | None, origin: str | None, size: int, root: bytes
) -> Checkpoint | None:
    """Hold the signed note against the tree; without a verifier only its form and its tree are checked."""
    if not note:
        findings.add(Code.CHECKPOINT_MISSING, None, "there is no signed checkpoint")
        return None
    try:
        checkpoint = parse_checkpoint(parse_note(note).text)
    except CheckpointError as error:
        findings.add(Code.CHECKPOINT_MALFORMED, None, str(error))
        return None
    if verifier is not None:
        try:
            open_checkpoint(note, verifier)
        except (CheckpointError, KeyUseError) as error:
            findings.add(Code.CHECKPOINT_SIGNATURE, None, f"not signed by the log's key: {error}")
    if checkpoint.extensions:
        findings.add(Code.CHECKPOINT_MALFORMED, None, "it has extension lines, which this format does not know")
    if origin is not None and checkpoint.origin != origin:
        findings.add(Code.CHECKPOINT_ORIGIN, None, f"its origin is {checkpoint.origin!r}, this log's is {origin!r}")
    if checkpoint.size != size:
        findings.add(Code.CHECKPOINT_SIZE, None, f"it signs {checkpoint.size} entries, {size} are there")
    elif checkpoint.root != root:
        findings.add(Code.TREE_ROOT, None, "the entries are not those that were signed: the tree's root differs")
    return checkpoint


@define
class Keys:
    """When author keys came in and went out, by position; and the keys themselves."""

    authorised: dict[bytes, tuple[int, tuple[str, ...] | None]] = field(factory=dict)
    revoked: dict[bytes, int] = field(factory=dict)
    ids: dict[bytes, int] = field(factory=dict)
    by_hash: dict[bytes, PublicKey] = field(factory=dict)


def check_own_entries(
    findings: Findings,
    ledger_id: bytes,
    genesis: Genesis,
    results: list[RangeResult],
    nodes: merkle.NodeReader,
) -> tuple[Keys, str, list[tuple[int, EpochRecord]], set[int], list[tuple[bytes, int, int]], list[str]]:
    """Check key records, epochs, evidence and settlements; `nodes` are those of the log's tree.

    Returns keys, the origin of the last checkpoint, the epochs, the entries of the settled ones, settled gaps, and
    notes.
    """
    keys, epochs, settled, gaps, notes = Keys(), [], set(), [], []
    epoch = 0
    accused: set[bytes] = set()
    said = {statement.index: statement for result in results for statement in result.statements}
    for index, kind, content in (own for result in results for own in result.own):
        try:
            match kind:
                case EntryType.KEY_AUTHORISED:
                    take_authorised(findings, keys, ledger_id, genesis, index, KeyAuthorised.decode(content))
                case EntryType.KEY_REVOKED:
                    take_revoked(findings, keys, ledger_id, genesis, index, KeyRevoked.decode(content))
                case EntryType.EPOCH:
                    begun = EpochRecord.decode(content)
                    epoch = _epoch(findings, genesis, index, begun, epoch, nodes)
                    epochs.append((index, begun))
                case EntryType.EVIDENCE:
                    evidence = Evidence.decode(content)
                    other = statement_of(evidence)
                    if other.ledger_id != ledger_id:
                        raise DataError("the evidence was signed for another ledger")
                    if other.hash in accused:
                        raise DataError("the evidence is in the log already")
                    accused.add(other.hash)
                    before = said.get(evidence.index) if evidence.index < index else None
                    _evidence(findings, keys.by_hash, before, index, evidence, other)
                case EntryType.RECORD:
                    settlement = decode_record(content)
                    about = record.check_settled(ledger_id, settlement, genesis.roots)
                    if settlement.kind == "epoch-settled":
                        settled.add(_settled(epochs, nodes, *about[:2]))
                        notes.append(f"the loss of epoch {about[0]} is settled: {about[2]}")
                    else:
                        gaps.append(about[:3])
                        notes.append(
                            f"numbers {about[1]} to {about[2] - 1} of {about[0].hex()[:16]} are given up: {about[3]}"
                        )
                case EntryType.GENESIS if index:
                    findings.add(Code.GENESIS, index, "a genesis record stands only at entry 0")
        except DataError as error:
            findings.add(_CODES.get(EntryType(kind), Code.CONTENT_MALFORMED), index, str(error))
    return keys, origin_of(genesis, epoch), epochs, settled, gaps, notes


_CODES = {
    EntryType.KEY_AUTHORISED: Code.KEY_RECORD,
    EntryType.KEY_REVOKED: Code.KEY_RECORD,
    EntryType.EPOCH: Code.EPOCH_RECORD,
    EntryType.EVIDENCE: Code.EVIDENCE_RECORD,
    EntryType.RECORD: Code.SETTLEMENT,
}


def take_authorised(
    findings: Findings,
    keys: Keys,
    ledger_id: bytes,
    genesis: Genesis,
    index: int,
    authorised: KeyAuthorised,
) -> None:
    """Take a key that an entry lets in (docs/format.md section 5.3); DataError where a signature does not stand."""
    record.check_authorised(ledger_id, authorised, genesis.roots)
    key_hash, key_id = authorised.key.hash, authorised.key.id
    if key_id in keys.ids:
        findings.add(Code.KEY_RECORD, index, f"a key with this id was authorised in entry {keys.ids[key_id]}")
    if key_hash in keys.revoked:
        findings.add(Code.KEY_RECORD, index, "the key was revoked before")
    keys.ids.setdefault(key_id, index)
    keys.authorised.setdefault(key_hash, (index, authorised.scope))
    keys.by_hash[key_hash] = authorised.key


def take_revoked(
    findings: Findings, keys: Keys, ledger_id: bytes, genesis: Genesis, index: int, revoked: KeyRevoked
) -> None:
    """Take the end of a key (docs/format.md section 5.4); DataError where the signature does not stand."""
    record.check_revoked(ledger_id, revoked, genesis.roots)
    if revoked.key_hash in keys.revoked:
        findings.add(Code.KEY_RECORD, index, "the key was revoked before")
    keys.revoked.setdefault(revoked.key_hash, index)


def _epoch(
    findings: Findings,
    genesis: Genesis,
    index: int,
    begun: EpochRecord,
    epoch: int,
    nodes: merkle.NodeReader,
) -> int:
    verifier = VerifierKey(genesis.origin, genesis.log_key.algorithm, genesis.log_key)
    last = open_checkpoint(begun.note, verifier)
    wrong = [
        words
        for bad, words in (
            (
                last.origin != origin_of(genesis, epoch_of(last.origin)),
                f"its note is of {last.origin!r}, not of this log",
            ),
            (begun.size != index, f"it says {begun.size} entries were before it, {index} were"),
            (
                begun.size == index and begun.root != merkle.tree_root(nodes, index),
                "its root is not that of the entries before it",
            ),
            (begun.epoch != 1 + epoch_of(last.origin), "its number does not follow that of the note it holds"),
            (begun.epoch <= epoch, f"epoch {begun.epoch} after epoch {epoch}"),
            (last.size != begun.lost_end, "the end of the lost range is not the size in the note it holds"),
            (begun.lost_end < begun.size, "the lost range ends before it begins"),
            (begun.lost_end == begun.size and begun.root != last.root, "its root is not that of the note it holds"),
        )
        if bad
    ]
    for words in wrong:
        findings.add(Code.EPOCH_RECORD, index, words)
    return max(epoch, begun.epoch)


def _settled(epochs: list[tuple[int, EpochRecord]], nodes: merkle.NodeReader, epoch: int, leaf: bytes) -> int:
    """The entry of the epoch that a settlement names; an epoch that was itself lost has left its number to another."""
    own = [index for index, begun in epochs if begun.epoch == epoch]
    for index in own:
        if nodes.leaf(index) == leaf:
            return index
    where = f"the one in entry {own[0]} is another loss" if own else "none before it has that number"
    raise DataError(f"it settles epoch {epoch} with leaf {leaf.hex()[:16]}, which is not in this log: {where}")


def _evidence(
    findings: Findings,
    by_hash: dict[bytes, PublicKey],
    said: Said | None,
    index: int,
    evidence: Evidence,
    other: Statement,
) -> None:
    """Evidence has to be what it claims (format.md section 6.3): a signed statement that contradicts a logged one."""
    key = by_hash.get(other.author)
    if key is None:
        raise DataError("the evidence is of an unknown author")
    verify(key, evidence.message, evidence.signature)
    if said is None or said.author != other.author:
        raise DataError(f"entry {evidence.index} holds no statement of the author of the evidence")
    end, said_end = other.first + other.count, said.first + said.count
    overlap = other.first < said_end and said.first < end
    broken_chain = (said_end == other.first and other.previous != said.hash) or (
        end == said.first and said.previous != other.hash
    )
    if other.hash == said.hash or not (overlap or broken_chain):
        raise DataError(f"the evidence does not contradict the statement in entry {evidence.index}")
    findings.add(
        Code.EQUIVOCATION,
        index,
        f"author {other.author.hex()[:16]} signed two statements that contradict each other: one is entry"
        f" {evidence.index}, the other is here",
    )


def check_authors(findings: Findings, keys: Keys, statements: list[Said], gaps: list[tuple[bytes, int, int]]) -> None:
    """Check each author's authorisation, numbers, and chain of statements (format.md section 6)."""
    by_author: dict[bytes, list[Said]] = defaultdict(list)
    for said in statements:
        by_author[said.author].append(said)
        known = keys.authorised.get(said.author)
        if known is None or known[0] > said.index:
            findings.add(Code.AUTHOR_UNKNOWN, said.index, f"author key {said.author.hex()[:16]} is not authorised here")
        elif known[1] is not None and not said.kinds <= set(known[1]):
            beyond = ", ".join(sorted(said.kinds - set(known[1])))
            findings.add(Code.AUTHOR_SCOPE, said.index, f"the author's key is not authorised for {beyond}")
        revoked = keys.revoked.get(said.author)
        if revoked is not None and revoked < said.index:
            findings.add(Code.AUTHOR_REVOKED, said.index, f"the author's key was revoked in entry {revoked}")
    given_up: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for author, start, stop in sorted(gaps):
        given_up[author].append((start, stop))
    for author, own in by_author.items():
        own.sort(key=lambda s: (s.first, s.index))
        end, previous = 0, bytes(32)
        for said in own:
            if said.first < end:
                findings.add(
                    Code.EQUIVOCATION,
                    said.index,
                    f"author {author.hex()[:16]} covers number {said.first} twice",
                )
            elif said.first > end:
                if not _given_up(given_up[author], end, said.first):
                    findings.add(
                        Code.AUTHOR_GAP,
                        said.index,
                        f"author {author.hex()[:16]}: numbers {end} to {said.first - 1} are missing",
                    )
            elif said.previous != previous:
                findings.add(
                    Code.AUTHOR_CHAIN, said.index, "it names another statement before it than the one in the log"
                )
            if said.first + said.count > end:
                end, previous = said.first + said.count, said.hash


def _given_up(gaps: list[tuple[int, int]], start: int, stop: int) -> bool:
    """Whether settlements, which come in ascending order, give up all numbers from `start` to `stop` - 1."""
    for begin, end in gaps:
        if begin <= start < end:
            start = end
    return start >= stop


def check_unsigned(findings: Findings, keys: Keys, results: list[RangeResult]) -> None:
    """Check the signatures that the passes over the ranges left open, of authors that were authorised all the same."""
    for index, statement in (unsigned for result in results for unsigned in result.unsigned):
        known = keys.authorised.get(statement.author)
        if known is not None and known[0] < index:
            try:
                verify(keys.by_hash[statement.author], statement.message, statement.signature)
            except DataError as error:
                findings.add(Code.STATEMENT_SIGNATURE, index, f"the author's signature does not stand: {error}")


def check_uncovered(findings: Findings, results: list[RangeResult]) -> None:
    """Name the entries that no statement covers: repeated where an earlier one covers their number, else foreign."""
    said: dict[bytes, list[tuple[int, int, int]]] = defaultdict(list)
    for result in results:
        for one in result.statements:
            said[one.author[:8]].append((one.first, one.first + one.count, one.index))
    for own in said.values():
        own.sort()
    for index, author, number in (uncovered for result in results for uncovered in result.uncovered):
        before = said[author][: bisect_right(said[author], (number, 1 << 64, 0))][-1:]
        if any(number < end and at < index for _, end, at in before):
            words = "no statement covers it here, and one before covers its number already"
            findings.add(Code.ENTRY_DUPLICATED, index, words)
        else:
            findings.add(Code.EVENT_UNCOVERED, index, "no author's statement covers it: it was slipped in")


def check_policies(findings: Findings, results: list[RangeResult]) -> None:
    """Check that events name the retention policy that is in force at their statement (format.md section 5.9)."""
    policies = [index for result in results for index in result.policies]
    last = None
    for statement, named in (one for result in results for one in result.named):
        before = bisect_right(policies, statement)
        expected = policies[before - 1] if before else NO_POLICY
        known, last = last, (named, expected)  # each range begins anew to say what is named
        if named != expected and known != last:
            was, now = ("none" if one == NO_POLICY else f"that of entry {one}" for one in (named, expected))
            findings.add(
                Code.KEEP_UNTIL, statement, f"its events name {was} as their retention policy, in force is {now}"
            )


def check_rule_sets(findings: Findings, results: list[RangeResult]) -> None:
    """Check that the rule set does not decrease from one range to the next, and that nothing goes on under rule set 1
    once a profile is in force (format.md section 7)."""
    last = 0
    for result in results:
        if result.first_rules is not None:
            index, first = result.first_rules
            if first < last:
                findings.add(Code.ROWS_MALFORMED, index, f"rule set {first} after rule set {last}")
            last = result.last_rules
    profile = next((result.profile for result in results if result.profile is not None), None)
    plain = max((result.last_plain for result in results), default=-1)
    if profile is not None and plain > profile[1]:
        words = f"its rows follow rule set 1, and the profile of entry {profile[0]} is in force"
        findings.add(Code.ROWS_MALFORMED, plain, words)
