"""verify: a whole log, or what was added since a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from hashlib import sha256

from attrs import evolve

from tracechain import custody
from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from tracechain.derivation import STATE_SHIFT
from tracechain.entry import SALT_SIZE, EntryType
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.record import EpochRecord, Genesis, epoch_of, origin_of
from tracechain.retention.policy import Policy
from tracechain.signing import PublicKey
from tracechain.verification.covering import RangeResult, may_begin
from tracechain.verification.findings import NO_KEY, RULES, UNWITNESSED, Code, Findings, Report, SealVerdict
from tracechain.verification.log import (
    check_authors,
    check_checkpoint,
    check_own_entries,
    check_policies,
    check_rule_sets,
    check_uncovered,
    check_unsigned,
)
from tracechain.verification.pruned import Demands, check_now, judge
from tracechain.verification.range import RangeCheck
from tracechain.verification.seals import SealPass, check_seal_notes
from tracechain.verification.skim import committed, skim
from tracechain.verification.tree import Tree, node_check
from tracechain.verification.witnessed import check_witnessed
from tracechain.view import View, ViewNodes
from tracechain.witnessing import WitnessPolicy

__all__ = ["check_index", "conclude", "find_genesis", "open_since", "verify"]

Progress = Callable[[int, int], None]
#: Entries of one task: bounds what a process holds of leaves.
_TASK = 1 << 18


def verify(
    view: View,
    *,
    verifier: VerifierKey | None = None,
    since: str | None = None,
    index: bool = False,
    retention: Policy | None = None,
    now: int | None = None,
    witnesses: WitnessPolicy | None = None,
    auditors: Collection[VerifierKey] = (),
    progress: Progress | None = None,
    most: int = 1000,
) -> Report:
    """Check a log from its bytes alone: every header, content, row, link, statement, signature, and the tree.

    `verifier` is the log's key as the caller knows it from outside. With `since`, an older signed note that the caller
    kept, the log has to extend it, and of the entries before it only headers, rows and what the ledger and its authors
    signed are read again: contents were verified then. If the entries it signs were lost when a backup was put back,
    the whole log is verified. With `index`, the live index is held against the chains.

    What was pruned is judged by its records. `retention` is what the caller demands at least, whatever policy the log
    names: how long events are kept, and how long a pruning stands announced. With `now` (ms since 1970), receipt times
    after it are a finding: who sets the clock forward can prune what is not due. `witnesses` says whose cosignatures
    are asked for; the report then has the times between which entries came. `auditors` says whose signatures on seal
    notes are checked. At most `most` findings are listed,
    the rest is counted.
    """
    findings = Findings(most)
    verifier = verifier if witnesses is None else witnesses.log_key(verifier)
    genesis, ledger_id = find_genesis(findings, view)
    notes: list[str] = []
    old = open_since(findings, view, since, verifier, genesis, notes)
    if old is not None:
        notes.append("of entries before the older checkpoint the contents were not verified again")
    keys: dict[bytes, PublicKey] = {}
    last: dict[str, int] = {}
    results: list[RangeResult] = []
    tree = Tree(node_check(view, findings))
    start = 0
    if old is not None:
        start = min(old.size, view.size)
    seals = SealPass(view, start)
    if old is not None:
        results = [skim(findings, view, start, last, keys, tree, progress, seals)]
        seals.reached(start, last, tree.root)
        if tree.root() != old.root and old.size <= view.size:
            findings.add(
                Code.FORK, None, f"its first {old.size} entries are not those that were signed in the older note"
            )
    done = start
    for at, end in _tasks(view, start, view.size, seals.sizes):
        check = RangeCheck(view, at, end, last=last, keys=keys, findings=findings, genesis=genesis, ledger_id=ledger_id)
        base = done

        def tick(count: int) -> None:
            nonlocal done
            done += count
            if progress is not None:
                progress(done, view.size)

        result = check.run(tick)
        done = base + (end - at)
        tree.add(result.subtrees)
        results.append(result)
        seals.reached(end, last, tree.root)
    if index:
        check_index(findings, view, last)
    demands = Demands(retention, now)
    return conclude(
        findings,
        view,
        results,
        tree,
        genesis,
        ledger_id,
        verifier,
        notes,
        len(last),
        demands,
        witnesses,
        seals,
        auditors,
    )


# ---- parts ---------------------------------------------------------------------------------------


def find_genesis(findings: Findings, view: View) -> tuple[Genesis | None, bytes]:
    """The genesis record and the ledger id."""
    header, part = view.header(0), view.content(0)
    if header is None or part is None:
        findings.add(Code.GENESIS, 0, "the genesis record is missing")
        return None, b""
    try:
        genesis = Genesis.decode(part[SALT_SIZE:])
    except DataError as error:
        findings.add(Code.GENESIS, 0, str(error))
        return None, b""
    if header[4:5] != bytes([EntryType.GENESIS]) or genesis.created != int.from_bytes(header[8:16], "big"):
        findings.add(Code.GENESIS, 0, "entry 0 is not a genesis record of its own receipt time")
    return genesis, sha256(b"\0" + header).digest()


def _tasks(view: View, start: int, size: int, stops: Collection[int]) -> Iterable[tuple[int, int]]:
    """Ranges of at most about _TASK entries that do not cut a statement from its entries, and end at `stops`."""
    coming = sorted(stops, reverse=True)
    while start < size:
        while coming and coming[-1] <= start:
            coming.pop()
        end = min([start + _TASK, size, *coming[-1:]])
        while end < size and not may_begin(view.header(end)):
            end += 1
        yield start, end
        start = end


def open_since(
    findings: Findings,
    view: View,
    since: str | None,
    verifier: VerifierKey | None,
    genesis: Genesis | None,
    notes: list[str],
) -> Checkpoint | None:
    """The older checkpoint that the log has to extend; None where there is none, or what it signs was lost."""
    if since is None:
        return None
    if committed(view, 0, view.header(0) or b"") is None:
        genesis = None  # it was altered, which is found elsewhere: nothing here may rest on it
    if verifier is None and genesis is not None:
        verifier = VerifierKey(genesis.origin, genesis.log_key.algorithm, genesis.log_key)
    try:
        old = parse_checkpoint(parse_note(since).text) if verifier is None else open_checkpoint(since, verifier)
    except CheckpointError as error:
        raise InputError(f"the older checkpoint cannot be used: {error}") from error
    if genesis is not None and old.origin != origin_of(genesis, epoch_of(old.origin)):
        raise InputError(f"the older checkpoint is of {old.origin!r}, this log is {genesis.origin!r}")
    if _lost(view, old):
        notes.append("the older checkpoint signs entries that were lost when a backup was put back: all was verified")
        return None
    if old.size > view.size:
        findings.add(
            Code.ROLLBACK, None, f"{view.size} entries, but the older note signs {old.size}: the log was rolled back"
        )
    return old


def _lost(view: View, old: Checkpoint) -> bool:
    """Whether a checkpoint is of the lost range of a later epoch (format.md section 5.5)."""
    try:
        if epoch_of(parse_checkpoint(parse_note(view.checkpoint).text).origin) == epoch_of(old.origin):
            return False  # no epoch began since
    except CheckpointError:
        return False
    for index, header in view.headers(0, view.size):
        if header[4:5] == bytes([EntryType.EPOCH]):
            try:
                begun = EpochRecord.decode(committed(view, index, header) or b"")
            except DataError:
                continue
            if begun.epoch > epoch_of(old.origin) and begun.size < old.size:
                return old.size <= begun.lost_end
    return False


def check_index(findings: Findings, view: View, last: dict[str, int]) -> None:
    """Hold the live index against the chains."""
    count = 0
    try:
        for subject, unit in view.units():
            count += 1
            word = last.get(subject)
            if word != unit.state << STATE_SHIFT | unit.last + 1:
                findings.add(
                    Code.INDEX,
                    None,
                    "the index has another state or entry than the log: run `tracechain reindex`",
                    subject,
                )
    except (DataError, UnicodeDecodeError) as error:
        findings.add(Code.INDEX, None, f"the index cannot be read ({error}): run `tracechain reindex`")
        return
    if count != len(last):
        findings.add(Code.INDEX, None, f"the index has {count} subjects, the log {len(last)}: run `tracechain reindex`")


def conclude(
    findings: Findings,
    view: View,
    results: list[RangeResult],
    tree: Tree,
    genesis: Genesis | None,
    ledger_id: bytes,
    verifier: VerifierKey | None,
    notes: list[str],
    units: int,
    demands: Demands,
    witnesses: WitnessPolicy | None,
    seals: SealPass,
    auditors: Collection[VerifierKey],
) -> Report:
    """What only the whole log tells, and the report."""
    origin = None
    begun_epochs: list[tuple[int, EpochRecord]] = []
    statements = [said for result in results for said in result.statements]
    check_uncovered(findings, results)
    check_rule_sets(findings, results)
    check_policies(findings, results)
    if genesis is not None:
        keys, origin, epochs, settled, gaps, said_notes = check_own_entries(
            findings, ledger_id, genesis, results, ViewNodes(view)
        )
        notes += said_notes
        begun_epochs = epochs
        check_authors(findings, keys, statements, gaps)
        check_unsigned(findings, keys, results)
        for index, begun in epochs:
            if index not in settled:
                findings.add(
                    Code.EPOCH_LOST,
                    index,
                    f"epoch {begun.epoch}: entries {begun.size} to {begun.lost_end - 1} of the epoch before are lost,"
                    " until they were submitted again and that is settled",
                )
        if verifier is not None and (verifier.name, verifier.key) != (genesis.origin, genesis.log_key):
            findings.add(Code.GENESIS, 0, f"the log names another key or origin than {verifier.name}")
        if verifier is None:
            notes.append(NO_KEY)
            verifier = VerifierKey(genesis.origin, genesis.log_key.algorithm, genesis.log_key)
    if view.header(view.size) is not None:
        findings.add(Code.TAIL_SURPLUS, view.size, "there are entries past the end of the log")
    found = findings.count
    checkpoint = check_checkpoint(findings, view.checkpoint, verifier, origin, view.size, tree.root())
    own = checkpoint if findings.count == found else None
    witnessed, said_notes = check_witnessed(findings, view, verifier, own, begun_epochs, witnesses)
    notes += said_notes if witnessed is not None else [*said_notes, UNWITNESSED]
    verdicts: tuple[SealVerdict, ...] = ()
    if genesis is not None:
        verdicts, sealed, said_notes = seals.conclude(findings, results)
        notes += said_notes
        signed = check_seal_notes(findings, view, genesis.origin, ledger_id, sealed, auditors)
        verdicts = tuple(evolve(one, auditors=signed.get(one.sealed.body.size, ())) for one in verdicts)
    check_now(findings, view, demands.now)
    judged = judge(findings, view, results, demands)
    notes += judged.notes
    unknown = sum(result.unknown_rules for result in results)
    if unknown:
        notes.append(f"{unknown} entries follow rules that this version does not know: their states were not checked")
    if any(result.last_rules == custody.PILOT for result in results):
        notes.append(RULES)
    checked = [result for result in results if result.entries]
    return Report(
        tuple(findings.items),
        view.size,
        sum(r.entries for r in checked),
        sum(r.rows for r in checked),
        sum(len(r.statements) for r in checked),
        units,
        checkpoint,
        tuple(notes),
        findings.beyond,
        verifier,
        judged.contents,
        judged.rows,
        witnessed,
        verdicts,
    )
