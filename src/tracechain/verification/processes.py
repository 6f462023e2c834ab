"""verify in several processes: each takes ranges, and what their first rows claim of the past is checked at the end."""

from __future__ import annotations

import contextlib
from array import array
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import get_context
from typing import cast

from attrs import frozen

from tracechain import custody, encoding
from tracechain.checkpoint import VerifierKey
from tracechain.derivation import INDEX_MASK, STATE_SHIFT
from tracechain.entry import COVERED_TYPES, EntryType, Row
from tracechain.errors import DataError, InputError
from tracechain.record import KeyAuthorised
from tracechain.retention.policy import Policy
from tracechain.signing import PublicKey
from tracechain.verification.covering import RangeResult, may_begin, past_run
from tracechain.verification.findings import Finding, Findings, Report
from tracechain.verification.links import believed, check_alone, check_link
from tracechain.verification.pruned import Demands
from tracechain.verification.range import RangeCheck
from tracechain.verification.seals import SealPass
from tracechain.verification.skim import committed
from tracechain.verification.tree import Tree, node_check
from tracechain.verification.verify import check_index, conclude, find_genesis
from tracechain.view import View
from tracechain.witnessing import WitnessPolicy

__all__ = ["OpenView", "verify_in_processes"]

#: Opens a view in whichever process it is called; a context manager, importable by name.
OpenView = Callable[[], AbstractContextManager[View]]
_AUTHORISED = bytes([EntryType.KEY_AUTHORISED])
#: Entries of one task: bounds what a process holds of leaves.
_TASK = 1 << 18


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
        genesis, ledger_id = find_genesis(Findings(), view)
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
    retention: Policy | None = None,
    now: int | None = None,
    witnesses: WitnessPolicy | None = None,
    auditors: Collection[VerifierKey] = (),
    progress: Callable[[int, int], None] | None = None,
    most: int = 1000,
) -> Report:
    """The same as `verify` of a whole log, in several processes, this one among them.

    This one goes from the front, where it knows where every subject stands; the others take ranges from the end, and
    what their first rows claim of a subject's past is held against it when the two meet.
    """
    if processes < 1:
        raise InputError("at least one process is needed")
    verifier = verifier if witnesses is None else witnesses.log_key(verifier)
    with open_view() as view:
        findings = Findings(most)
        genesis, ledger_id = find_genesis(findings, view)
        size = view.size
        seals = SealPass(view)
        keys, bounds = _survey(view, size, processes, seals.sizes)
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
                seals.reached(end, last, tree.root)
                if progress is not None:
                    progress(end, size)
            for at in sorted(running):
                part = running.pop(at).result()
                _join(findings, view, last, part)
                tree.add(part.result.subtrees)
                results.append(part.result)
                seals.reached(at + part.result.entries, last, tree.root)
                if progress is not None:
                    progress(at + part.result.entries, size)
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
            [],
            len(last),
            demands,
            witnesses,
            seals,
            auditors,
        )


def _join(findings: Findings, view: View, last: dict[str, int], part: _Part) -> None:
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
            entry = part.entries[position]
            if believed(view, entry, row, word):
                part.result.believed.extend((entry, before - 1))
                check_alone(findings, entry, row, word or None, rule_set)
            else:
                check_link(findings, entry, row, word or None, rule_set)
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


def _survey(
    view: View, size: int, processes: int, stops: Collection[int]
) -> tuple[list[tuple[int, PublicKey]], list[tuple[int, int]]]:
    """The author keys in the log with the entries they came in by, and ranges that cut no statement off its entries,
    and end at `stops`.

    A key that is passed over costs nothing: what it signed is checked when the ranges are joined.
    """
    keys: list[tuple[int, PublicKey]] = []
    starts = [0]
    want = max(1, min(_TASK, -(-size // (6 * processes))))
    index = 0
    while index < size:
        header = view.header(index) or b""
        if len(header) > 4 and header[4] in COVERED_TYPES:
            index = past_run(view, index, header)
            continue
        if (index - starts[-1] >= want or index in stops) and may_begin(header):
            starts.append(index)
        if header[4:5] == _AUTHORISED:
            content = committed(view, index, header)
            # Where it cannot be read, the range that holds it says so.
            with contextlib.suppress(DataError):
                keys.append((index, KeyAuthorised.decode(content or b"").key))
        index += 1
    return keys, [(a, b) for a, b in zip(starts, [*starts[1:], size], strict=True) if a < b]
