"""verify: a whole log, or what was added since a checkpoint; in this process or in several."""

from __future__ import annotations

import contextlib
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from hashlib import sha256
from itertools import chain
from multiprocessing import get_context
from typing import cast

from attrs import frozen

from tracechain import custody, encoding, merkle
from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import (
    COVERED_TYPES,
    HEADER_SIZE,
    SALT_SIZE,
    EntryType,
    Row,
    content_commitment,
    decode_rows,
    parse_header,
    row_hashes,
    row_root,
)
from tracechain.errors import CheckpointError, DataError, InputError
from tracechain.record import (
    SETTLING,
    EpochRecord,
    Genesis,
    KeyAuthorised,
    decode_record,
    epoch_of,
    origin_of,
)
from tracechain.retention.keeping import policy_of
from tracechain.signing import PublicKey
from tracechain.statement import decode_statement
from tracechain.verification.covering import RangeResult, Said, begins_pilot
from tracechain.verification.findings import NO_KEY, RULES, UNWITNESSED, Code, Finding, Findings, Report
from tracechain.verification.log import (
    check_authors,
    check_checkpoint,
    check_own_entries,
    check_policies,
    check_rule_sets,
    check_uncovered,
    check_unsigned,
)
from tracechain.verification.range import RangeCheck, check_link
from tracechain.verification.tree import Tree, node_check
from tracechain.view import View, ViewNodes

__all__ = ["OpenView", "verify", "verify_in_processes"]

Progress = Callable[[int, int], None]
#: Opens a view in whichever process it is called; a context manager, importable by name.
OpenView = Callable[[], AbstractContextManager[View]]
_COVERED = frozenset(bytes([t]) for t in COVERED_TYPES)
_AUTHORISED = bytes([EntryType.KEY_AUTHORISED])
#: Entries of one task: bounds what a process holds of leaves.
_TASK = 1 << 18


def verify(
    view: View,
    *,
    verifier: VerifierKey | None = None,
    since: str | None = None,
    index: bool = False,
    progress: Progress | None = None,
    most: int = 1000,
) -> Report:
    """Check a log from its bytes alone: every header, content, row, link, statement, signature, and the tree.

    `verifier` is the log's key as the caller knows it from outside. With `since`, an older signed note that the caller
    kept, the log has to extend it, and of the entries before it only headers, rows and what the ledger and its authors
    signed are read again: contents were verified then. If the entries it signs were lost when a backup was put back,
    the whole log is verified. With `index`, the live index is held against the chains. At most `most` findings are
    listed, the rest is counted.
    """
    findings = Findings(most)
    genesis, ledger_id = _genesis(findings, view)
    notes: list[str] = []
    old = _open_since(findings, view, since, verifier, genesis, notes)
    keys: dict[bytes, PublicKey] = {}
    last: dict[str, int] = {}
    results: list[RangeResult] = []
    tree = Tree(node_check(view, findings))
    start = 0
    if old is not None:
        start = min(old.size, view.size)
        results = [_skim(findings, view, start, last, keys, tree, progress)]
        if tree.root() != old.root and old.size <= view.size:
            findings.add(
                Code.FORK, None, f"its first {old.size} entries are not those that were signed in the older note"
            )
    done = start
    for at, end in _tasks(view, start, view.size):
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
    if index:
        _check_index(findings, view, last)
    return _conclude(findings, view, results, tree, genesis, ledger_id, verifier, notes, len(last))


# ---- several processes ---------------------------------------------------------------------------


@frozen
class _Part:
    """What a worker sends back; dictionaries travel as one text and arrays, which is several times quicker."""

    result: RangeResult
    findings: tuple[Finding, ...]
    beyond: int
    subjects: str
    words: array[int]
    #: Subjects whose first rows in the range claim a past: subject, entry, 1 + the entry before, number of the claim.
    entering: str
    entries: array[int]
    befores: array[int]
    claim_numbers: array[int]
    claims: tuple[tuple[int, int, bytes], ...]


def _work(open_view: OpenView, start: int, stop: int, keys: tuple[PublicKey, ...], most: int) -> _Part:
    with open_view() as view:
        findings = Findings(most)
        genesis, ledger_id = _genesis(Findings(), view)
        last: dict[str, int] = {}
        entering: dict[str, tuple[int, int, int]] = {}
        check = RangeCheck(
            view,
            start,
            stop,
            last=last,
            keys={key.hash: key for key in keys},
            findings=findings,
            entering=entering if start else None,
            genesis=genesis,
            ledger_id=ledger_id,
        )
        result = check.run()
    entries, befores, numbers = zip(*entering.values(), strict=True) if entering else ((), (), ())
    return _Part(
        result,
        tuple(findings.items),
        findings.beyond,
        "\n".join(last),
        array("Q", last.values()),
        "\n".join(entering),
        array("Q", entries),
        array("Q", befores),
        array("Q", numbers),
        tuple(check.claims),
    )


def verify_in_processes(
    open_view: OpenView,
    processes: int,
    *,
    verifier: VerifierKey | None = None,
    index: bool = False,
    progress: Progress | None = None,
    most: int = 1000,
) -> Report:
    """The same as `verify` of a whole log, in several processes, this one among them.

    This one goes from the front, where it knows where every subject stands; the others take ranges from the end, and
    what their first rows claim of a subject's past is held against it when the two meet.
    """
    if processes < 1:
        raise InputError("at least one process is needed")
    with open_view() as view:
        findings = Findings(most)
        genesis, ledger_id = _genesis(findings, view)
        size = view.size
        keys, bounds = _survey(view, size, processes)
        last: dict[str, int] = {}
        known: dict[bytes, PublicKey] = {}
        tree = Tree(node_check(view, findings))
        results: list[RangeResult] = []
        waiting = deque(bounds)
        running: dict[int, Future[_Part]] = {}
        context = get_context("spawn")  # a forked child must not inherit an open LMDB environment
        with ProcessPoolExecutor(max(processes - 1, 1), mp_context=context) as pool:

            def feed(_: int = 0) -> None:
                """Give each idle worker the last range that nobody has; this process goes on from the first one."""
                while waiting and sum(not part.done() for part in running.values()) < processes - 1:
                    at, end = waiting.pop()
                    own = tuple(key for came, key in keys if came < at)
                    running[at] = pool.submit(_work, open_view, at, end, own, most)

            while waiting:
                at, end = waiting.popleft()
                feed()
                check = RangeCheck(
                    view, at, end, last=last, keys=known, findings=findings, genesis=genesis, ledger_id=ledger_id
                )
                results.append(check.run(feed))
                tree.add(results[-1].subtrees)
                if progress is not None:
                    progress(end, size)
            for at in sorted(running):
                part = running.pop(at).result()
                _join(findings, last, part)
                tree.add(part.result.subtrees)
                results.append(part.result)
                if progress is not None:
                    progress(at + part.result.entries, size)
        if index:
            _check_index(findings, view, last)
        return _conclude(findings, view, results, tree, genesis, ledger_id, verifier, [], len(last))


def _join(findings: Findings, last: dict[str, int], part: _Part) -> None:
    """Hold the first rows of a range against the ranges before it, then take over where its subjects stand."""
    findings.extend(part.findings, part.beyond)
    if part.entering:
        subjects = part.entering.split("\n")
        words = [last.get(subject, 0) for subject in subjects]
        # A combination of state before and claim is judged once; then only links have to be compared.
        pairs = zip([word >> STATE_SHIFT for word in words], part.claim_numbers, strict=True)
        suspects = {pair for pair in set(pairs) if not _allowed(*pair, part.claims)}
        for position, (word, before, number) in enumerate(zip(words, part.befores, part.claim_numbers, strict=True)):
            if word & INDEX_MASK == before and (not suspects or (word >> STATE_SHIFT, number) not in suspects):
                continue
            rule_set, act, ending = part.claims[number]
            row = Row(subjects[position], act, before - 1 if before else None, *_outcome(ending))
            check_link(findings, part.entries[position], row, word or None, rule_set)
    if part.subjects:
        last.update(zip(part.subjects.split("\n"), part.words, strict=True))


def _outcome(ending: bytes) -> tuple[int, tuple[int, ...]]:
    """State and violations of the row that ends so."""
    state, codes = cast("tuple[int, tuple[int, ...] | None]", encoding.unpack_raw(b"\x92" + ending))
    return state, codes or ()


def _allowed(state: int, number: int, claims: tuple[tuple[int, int, bytes], ...]) -> bool:
    """Whether the rules lead from this state to what a row claims."""
    rule_set, act, ending = claims[number]
    try:
        return rule_set not in custody.TABLES or all(custody.agrees(rule_set, state, act, *_outcome(ending)))
    except KeyError:
        return False


def _survey(view: View, size: int, processes: int) -> tuple[list[tuple[int, PublicKey]], list[tuple[int, int]]]:
    """The author keys in the log with the entries they came in by, and ranges that cut no statement off its entries.

    A key that is passed over costs nothing: what it signed is checked when the ranges are joined.
    """
    keys: list[tuple[int, PublicKey]] = []
    starts = [0]
    want = max(1, min(_TASK, -(-size // (6 * processes))))
    index = 0
    while index < size:
        header = view.header(index) or b""
        if header[4:5] in _COVERED:
            index = _past_run(view, index, header)
            continue
        if index - starts[-1] >= want and _may_begin(header):
            starts.append(index)
        if header[4:5] == _AUTHORISED:
            content = _committed(view, index, header)
            # Where it cannot be read, the range that holds it says so.
            with contextlib.suppress(DataError):
                keys.append((index, KeyAuthorised.decode(content or b"").key))
        index += 1
    return keys, [(a, b) for a, b in zip(starts, [*starts[1:], size], strict=True) if a < b]


def _past_run(view: View, index: int, header: bytes) -> int:
    """The index after a run of covered entries: as long as the author's numbers run on, so most need not be read."""
    step = 256
    while step:
        ahead = view.header(index + step) or b""
        number = int.from_bytes(header[32:40], "big") + step
        if ahead[4:5] in _COVERED and ahead[24:40] == header[24:32] + (number & (1 << 64) - 1).to_bytes(8, "big"):
            index, header, step = index + step, ahead, 2 * step
        else:
            step //= 2
    return index + 1


# ---- parts ---------------------------------------------------------------------------------------


def _genesis(findings: Findings, view: View) -> tuple[Genesis | None, bytes]:
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


def _committed(view: View, index: int, header: bytes) -> bytes | None:
    """A content, if it is there and its header commits to it."""
    part = view.content(index)
    if part is None or content_commitment(part[:SALT_SIZE], part[SALT_SIZE:]) != header[64:96]:
        return None
    return part[SALT_SIZE:]


def _may_begin(header: bytes | None) -> bool:
    """Whether a range may begin here: at an entry that can be read and that no statement covers."""
    try:
        return parse_header(header or b"").type not in COVERED_TYPES
    except DataError:
        return False


def _tasks(view: View, start: int, size: int) -> Iterable[tuple[int, int]]:
    """Ranges of at most about _TASK entries that do not cut a statement from its entries."""
    while start < size:
        end = min(start + _TASK, size)
        while end < size and not _may_begin(view.header(end)):
            end += 1
        yield start, end
        start = end


def _open_since(
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
    if _committed(view, 0, view.header(0) or b"") is None:
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
    notes.append("of entries before the older checkpoint the contents were not verified again")
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
                begun = EpochRecord.decode(_committed(view, index, header) or b"")
            except DataError:
                continue
            if begun.epoch > epoch_of(old.origin) and begun.size < old.size:
                return old.size <= begun.lost_end
    return False


def _skim(
    findings: Findings,
    view: View,
    stop: int,
    last: dict[str, int],
    keys: dict[bytes, PublicKey],
    tree: Tree,
    progress: Progress | None,
) -> RangeResult:
    """Read again what the verification of later entries rests on: headers, rows, and all but the events' contents."""
    frontier, result = merkle.Frontier(), RangeResult()
    leaves: list[bytes] = []
    all_rows = chain(view.all_rows(0, stop), [(stop, b"")])
    at, part = next(all_rows)
    for index, header in view.headers(0, stop):
        leaves.append(sha256(b"\0" + header).digest())
        if len(header) != HEADER_SIZE:
            continue  # not what the older checkpoint signs: the root will tell
        if header[4] != EntryType.EVENT:
            _skim_content(findings, view, index, header, keys, result)
        while at < index:
            at, part = next(all_rows)
        _skim_rows(findings, view, index, header, part if at == index else None, last, result)
        if len(leaves) == 4096:
            frontier.extend(leaves)
            leaves.clear()
            if progress is not None:
                progress(index + 1, view.size)
    frontier.extend(leaves)
    begin = 0
    for value in frontier.hashes:
        height = (frontier.size - begin).bit_length() - 1
        tree.add([(height, begin >> height, value)])
        begin += 1 << height
    return result


def _skim_content(
    findings: Findings, view: View, index: int, header: bytes, keys: dict[bytes, PublicKey], result: RangeResult
) -> None:
    content = _committed(view, index, header)
    if content is None:
        findings.add(Code.CONTENT_COMMITMENT, index, "the content is not there, or not what the header commits to")
        return
    try:
        match header[4]:
            case EntryType.STATEMENT:
                s = decode_statement(content)
                result.statements.append(Said(index, s.author, s.first, s.count, s.previous, s.hash, frozenset()))
            case EntryType.RECORD:
                record = decode_record(content)
                if record.kind in SETTLING:
                    result.own.append((index, header[4], content))
                if policy_of(record) is not None:
                    result.policies.append(index)
                if result.profile is None and begins_pilot(record):
                    said = result.statements[-1] if result.statements else None
                    result.profile = index, index if said is None else max(index, said.index + said.count)
            case kind:
                result.own.append((index, kind, content))
                if kind == EntryType.KEY_AUTHORISED:
                    key = KeyAuthorised.decode(content).key
                    keys.setdefault(key.hash, key)
    except DataError as error:
        findings.add(Code.CONTENT_MALFORMED, index, str(error))


def _skim_rows(
    findings: Findings,
    view: View,
    index: int,
    header: bytes,
    part: bytes | None,
    last: dict[str, int],
    result: RangeResult,
) -> None:
    """Follow the chains, and hold the rows against the header: what comes later is judged by them."""
    if part is None:
        if header[40:44] != bytes(4):
            findings.add(Code.ROWS_MISSING, index, "the rows are not there, and no record says that they were pruned")
        return
    try:
        rule_set, rows = decode_rows(part[SALT_SIZE:])
    except DataError as error:
        findings.add(Code.ROWS_MALFORMED, index, str(error))
        return
    named = [None if row.previous is None else view.header(row.previous) for row in rows]
    leaves = [None if raw is None else sha256(b"\0" + raw).digest() for raw in named]
    if row_root(row_hashes(part[:SALT_SIZE], rule_set, rows, leaves)) != header[96:]:
        findings.add(Code.ROW_ROOT, index, "rows, their salt, or the entry before that a row names were altered")
    for row in rows:
        last[row.subject] = row.state << STATE_SHIFT | index + 1
    result.note_rules(index, rule_set)


def _check_index(findings: Findings, view: View, last: dict[str, int]) -> None:
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


def _conclude(
    findings: Findings,
    view: View,
    results: list[RangeResult],
    tree: Tree,
    genesis: Genesis | None,
    ledger_id: bytes,
    verifier: VerifierKey | None,
    notes: list[str],
    units: int,
) -> Report:
    origin = None
    statements = [said for result in results for said in result.statements]
    check_uncovered(findings, results)
    check_rule_sets(findings, results)
    check_policies(findings, results)
    if genesis is not None:
        keys, origin, epochs, settled, gaps, said_notes = check_own_entries(
            findings, ledger_id, genesis, results, ViewNodes(view)
        )
        notes += said_notes
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
    checkpoint = check_checkpoint(findings, view.checkpoint, verifier, origin, view.size, tree.root())
    notes.append(UNWITNESSED)
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
    )
