"""Checking an excerpt: what it shows, and what is wrong with it (docs/format.md section 15.5).

`reading` says what is here, `entries` judges one entry after the other. What is left is judged here: histories and
absence by the seal, notes of auditors and witnesses, disclosures, and the older checkpoint.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from tracechain import merkle
from tracechain.bundle.check import disclosure_fault
from tracechain.bundle.checking import BundleReport, in_order
from tracechain.bundle.container import Container, open_container
from tracechain.bundle.entries import Entries
from tracechain.bundle.manifest import ABSENCE_KIND, EXCERPT_KIND, Manifest, read_manifest
from tracechain.bundle.names import SEAL_NOTE, witnessed_name
from tracechain.bundle.reading import ExcerptView, Listed, read_consistency, read_excerpt, read_text
from tracechain.bundle.select import is_canonical
from tracechain.bundle.shown import History, Shown
from tracechain.checkpoint import Checkpoint, VerifierKey, open_checkpoint, parse_checkpoint, parse_note
from tracechain.errors import CheckpointError, DataError, InputError, KeyUseError
from tracechain.record import key_subject
from tracechain.seals import Presence, SealBody, Sealed, open_seal_note
from tracechain.verification.findings import NO_KEY, RULES, UNWITNESSED, Code, Finding, Findings, Witnessed
from tracechain.verification.witnessed import LATE
from tracechain.witnessing import (
    Sufficient,
    WitnessPolicy,
    brackets,
    cosignatures,
    enough,
    open_witnessed,
)
from tracechain.witnessing.notes import is_origin

__all__ = ["Judged", "check_excerpt"]

Progress = Callable[[int, int], None]
#: So many findings are collected before the first of them are chosen.
_COLLECTED = 1 << 20

NOTHING_ELSE = "nothing but names was looked at, as there is no checkpoint to hold anything against"
NOT_CHECKED = (
    "not checked, as only the whole log tells: gaps in authors' numbers, policies and keep-until days, receipt times"
    " between entries that are not neighbours, whether what was pruned went lawfully"
)
NO_SEAL = "there is no seal: nothing shows that a history is complete, or that a key was not revoked since"
KEYS_BEHIND = "statements here came behind the seal: nothing shows whether their authors' keys were revoked by then"


def check_excerpt(
    path: str | os.PathLike[str],
    *,
    verifier: VerifierKey | None = None,
    since: str | None = None,
    witnesses: WitnessPolicy | None = None,
    auditors: Sequence[VerifierKey] = (),
    now: int | None = None,
    progress: Progress | None = None,
    most: int = 1000,
) -> BundleReport:
    """Check an excerpt, or a proof of absence: every file of it, and what it shows.

    `verifier` is the log's key as the caller knows it from outside; `since` an older note that he kept; `witnesses` a
    policy; `auditors` the keys of those whose word on a seal counts for him; `now` his own time (ms since 1970). At
    most `most` findings are listed, the first of them all, the rest is counted.

    InputError if nothing is there, for a whole bundle, or an older checkpoint of another log; UnreadableError for what
    is no bundle that can be looked into.
    """
    verifier = verifier if witnesses is None else witnesses.log_key(verifier)
    with open_container(path) as container:
        manifest = read_manifest(container)
        if manifest.kind not in (EXCERPT_KIND, ABSENCE_KIND):
            raise InputError(f"{path} is a whole bundle, and no excerpt")
        findings = Findings(_COLLECTED)
        view, listed = read_excerpt(container, manifest, findings, progress)
        if view is None:
            notes = (*([NO_KEY] if verifier is None else []), NOTHING_ELSE)
            return _report(Path(path), manifest, findings, most, verifier, notes)
        check = _Check(view, listed, findings, verifier)
        return check.run(Path(path), since, witnesses, auditors, now, progress, most)


def _report(
    path: Path,
    manifest: Manifest,
    findings: Findings,
    most: int,
    verifier: VerifierKey | None,
    notes: Sequence[str],
    **more: object,
) -> BundleReport:
    ordered = in_order(findings.items)
    return BundleReport(
        path=path, manifest=manifest, findings=ordered[:most], beyond=findings.beyond + max(0, len(ordered) - most),
        verifier=verifier, notes=tuple(notes), **more,  # type: ignore[arg-type]  # fields of the report, by name
    )  # fmt: skip


class _Check:
    def __init__(self, view: ExcerptView, listed: Listed, findings: Findings, verifier: VerifierKey | None) -> None:
        self.view = view
        self.container: Container = view.container
        self.listed = listed
        self.findings = findings
        self.verifier = verifier
        self.items = {one.id: one for one in view.items}
        self.entries = Entries(view, findings, verifier, frozenset(self.items) | {one.code for one in view.absent})
        #: The consistency proofs that were read, by size.
        self._proofs: dict[int, tuple[bytes, ...] | None] = {}

    def run(
        self,
        path: Path,
        since: str | None,
        witnesses: WitnessPolicy | None,
        auditors: Sequence[VerifierKey],
        now: int | None,
        progress: Progress | None,
        most: int,
    ) -> BundleReport:
        """All of it."""
        entries, findings, total = self.entries, self.findings, 2 * len(self.view.indices)
        if not self.view.here(0):
            findings.add(Code.GENESIS, 0, "the genesis record is not here")
        for done, index in enumerate(self.view.indices, len(self.view.indices)):
            entries.take(index)
            if progress is not None and done % 64 == 0:
                progress(done, total)
        entries.finish()
        self._check_now(now)
        key = self.verifier if self.verifier is not None else self._own_key()
        head = self._checkpoint(key)
        seal = self._seal()
        signed = self._seal_note(seal, auditors)
        histories, incomplete = self._histories(seal)
        absent = self._absent(seal)
        disclosures = self._disclosures(key)
        extends = self._since(since, key)
        witnessed, notes = self._witnessed(head, key, witnesses)
        if progress is not None:
            progress(total, total)
        shown = Shown(
            seal, signed, histories, incomplete, absent, max(0, entries.subjects - len(self.items)), extends
        )  # fmt: skip
        return _report(
            path, self.view.manifest, findings, most, self.verifier, (*self._notes(seal, shown), *notes),
            size=self.view.size, entries=len(self.view.indices), rows=entries.rows, statements=entries.statements,
            units=len(histories), disclosures=disclosures, seal_notes=len(signed), checkpoint=head, shown=shown,
            witnessed=witnessed,
        )  # fmt: skip

    def _notes(self, seal: Sealed | None, shown: Shown) -> Iterator[str]:
        """What was not checked."""
        if self.verifier is None:
            yield NO_KEY
        yield NOT_CHECKED
        if seal is None:
            yield NO_SEAL
        else:
            if not shown.auditors:
                yield "the seal is the ledger's own word: no auditor whose key was given signed it"
            behind = self.view.size - seal.body.size - 2  # the seal's own record and statement are behind it
            if behind > 0:
                yield (
                    f"{behind} entries of the log came behind the seal: what is here of them is shown, and nothing"
                    " shows whether that is all"
                )
            if any(index > seal.body.size for index in self.entries.signed):
                yield KEYS_BEHIND
        if shown.subjects:
            others = "other subject is" if shown.subjects == 1 else "other subjects are"
            yield f"{shown.subjects} {others} named by entries here, and no history of that is shown"
        if self.entries.unknown_rules:
            yield (
                f"{self.entries.unknown_rules} entries follow rules that this version does not know: their states were"
                " not checked"
            )
        if self.entries.pilot:
            yield RULES

    # ---- the checkpoint ----

    def _own_key(self) -> VerifierKey | None:
        """The key that the log names itself."""
        genesis = self.entries.genesis
        return None if genesis is None else VerifierKey(genesis.origin, genesis.log_key.algorithm, genesis.log_key)

    def _checkpoint(self, key: VerifierKey | None) -> Checkpoint | None:
        """Hold the checkpoint against the key and the origin of the log; None where it does not stand."""
        head, good = self.view.head, True
        if head.extensions:
            words = "it has extension lines, which this format does not know"
            self.findings.add(Code.CHECKPOINT_MALFORMED, None, words)
        if key is not None:
            try:
                open_checkpoint(self.view.checkpoint, key)
            except (CheckpointError, KeyUseError) as error:
                self.findings.add(Code.CHECKPOINT_SIGNATURE, None, f"not signed by the log's key: {error}")
                good = False
            if not is_origin(head.origin, key):
                words = f"its origin is {head.origin!r}, this log's is {key.name!r}"
                self.findings.add(Code.CHECKPOINT_ORIGIN, None, words)
                good = False
        return head if good else None

    def _check_now(self, now: int | None) -> None:
        for index, header in self.view.headers(0, self.view.size):
            if now is not None and int.from_bytes(header[8:16], "big") > now:
                words = "it was received after the verifier's own time, as was what follows"
                self.findings.add(Code.TIME_AHEAD, index, words)
                return

    def _consistent(self, size: int, root: bytes) -> str | None:
        """None where the log extends a tree of this size and root; what is wrong; '' where there is no proof of it."""
        if size == self.view.size:
            return None if root == self.view.head.root else "the log of this size has another root"
        if size not in self._proofs:
            there = size in self.listed.consistency
            self._proofs[size] = read_consistency(self.container, size, self.findings) if there else None
        proof = self._proofs[size]
        if proof is None:
            return ""
        try:
            merkle.check_consistency(size, root, self.view.size, self.view.head.root, proof)
        except DataError as error:
            return str(error)
        return None

    def _since(self, since: str | None, key: VerifierKey | None) -> int | None:
        """Hold the older checkpoint against the log; its size, if the log extends it."""
        if since is None:
            return None
        try:
            old = parse_checkpoint(parse_note(since).text) if key is None else open_checkpoint(since, key)
        except CheckpointError as error:
            raise InputError(f"the older checkpoint cannot be used: {error}") from error
        if key is not None and not is_origin(old.origin, key):
            raise InputError(f"the older checkpoint is of {old.origin!r}, this log is {key.name!r}")
        if old.size > self.view.size:
            words = f"{self.view.size} entries, but the older note signs {old.size}: the log was rolled back"
            self.findings.add(Code.ROLLBACK, None, words)
            return None
        fault = self._consistent(old.size, old.root)
        if fault == "":
            words = f"there is no proof that the log extends the older checkpoint of {old.size} entries: ask for it"
            self.findings.add(Code.CONSISTENCY, None, words)
        elif fault is not None:
            words = f"its first {old.size} entries are not those that were signed in the older note: {fault}"
            self.findings.add(Code.FORK, None, words)
        return old.size if fault is None else None

    # ---- the seal ----

    def _seal(self) -> Sealed | None:
        """The seal that counts: the last one here, if its tree is that of the log."""
        seals = self.entries.seals
        if not seals or (body := seals[max(seals)]) is None:
            return None
        index = max(seals)
        fault = self._consistent(body.size, body.tree_root)
        if fault is not None:
            words = fault or "there is no proof of that"
            self.findings.add(Code.SEAL_RECORD, index, f"the log does not extend the tree that it names: {words}")
            return None
        header = self.view.header(index)
        assert header is not None
        return Sealed(index, int.from_bytes(header[8:16], "big"), body)

    def _seal_note(self, seal: Sealed | None, auditors: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
        """Which of the auditors signed the seal."""
        data = read_text(self.container, SEAL_NOTE, self.findings)
        if data is None:
            return ()
        genesis = self.entries.genesis
        try:
            said, signed = open_seal_note(data, auditors)
            if seal is None or genesis is None:
                raise CheckpointError("there is no seal here that it could be of")
            if (said.origin, said.ledger_id, said.seal) != (genesis.origin, self.entries.ledger_id, seal.body):
                raise CheckpointError("it says something else than the seal")
        except CheckpointError as error:
            self.findings.add(Code.SEAL_NOTE, None, f"the seal note: {error}")
            return ()
        return signed

    def _histories(self, seal: Sealed | None) -> tuple[tuple[History, ...], tuple[str, ...]]:
        """The subjects that are complete up to the seal; those that are not."""
        complete: list[History] = []
        incomplete: list[str] = []
        proved: set[str] = set()
        for subject, item in self.items.items():
            if self._proves(seal, item):
                assert seal is not None
                proved.add(subject)
                found = self._history(seal.body, item)
                if found is not None:
                    complete.append(found)
                    continue
            incomplete.append(subject)
        if seal is not None:
            for key_hash in dict.fromkeys(self.entries.signed.values()):
                at = self.entries.keys.authorised[key_hash][0]
                subject = key_subject(key_hash)
                if at < seal.body.size and subject not in proved:
                    words = "nothing shows where the author's key stood at the seal: it may have been revoked"
                    self.findings.add(Code.CHAIN_INCOMPLETE, at, words, subject)
        return tuple(complete), tuple(incomplete)

    def _proves(self, seal: Sealed | None, item: Presence) -> bool:
        fault = "there is no seal that it could be held against"
        if seal is not None:
            try:
                item.check(seal.body.map_root)
                if item.item.last < seal.body.size:
                    return True
                fault = f"it names entry {item.item.last}, which is not below the seal"
            except DataError as error:
                fault = str(error)
        self.findings.add(Code.SEAL_ROOT, None, fault, item.id)
        return False

    def _history(self, seal: SealBody, proof: Presence) -> History | None:
        """The history of a subject as the seal has it; None where it is not all here, which is a finding."""
        add, subject, item = self.findings.add, proof.id, proof.item
        rows = {index: (before, state) for index, before, state in self.entries.seen[subject].rows}
        wrong = False
        for index, (before, _) in rows.items():
            if item.last < index < seal.size:
                add(
                    Code.SEAL_ROOT,
                    index,
                    f"it has a row of it, and the seal says entry {item.last} is the last",
                    subject,
                )
                wrong = True
            elif index >= seal.size and before is not None and before < seal.size and before != item.last:
                words = f"its row names entry {before} as the one before, the seal says {item.last} was the last"
                add(Code.SEAL_ROOT, index, words, subject)
                wrong = True
        raw = self.view.header(item.last)
        if raw is not None and sha256(b"\0" + raw).digest() != item.leaf:
            add(Code.SEAL_ROOT, item.last, "the seal has another leaf for this entry than the log", subject)
            wrong = True
        if item.last in rows and rows[item.last][1] != item.state:
            add(Code.SEAL_ROOT, item.last, f"state {rows[item.last][1]}, the seal says {item.state}", subject)
            wrong = True
        elif raw is not None and item.last not in rows and item.last not in self.entries.gone:
            add(Code.SEAL_ROOT, item.last, "the seal says it is its last entry, and that has no row of it", subject)
            wrong = True
        chain: list[int] = []
        at: int | None = None if wrong else item.last
        cut: int | None = None
        while at is not None:
            if at in self.entries.gone:
                cut = chain[-1] if chain else at
                break
            if at not in rows:
                add(Code.CHAIN_INCOMPLETE, at, "this entry of its history is not here, or lacks its row", subject)
                return None
            chain.append(at)
            before = rows[at][0]
            at = before if before is None or before < at else None
        behind = sum(index >= seal.size for index in rows)
        return None if wrong else History(subject, tuple(reversed(chain)), item.state, behind, cut)

    def _absent(self, seal: Sealed | None) -> tuple[str, ...]:
        """The codes that are shown to be absent."""
        found: list[str] = []
        for one in self.view.absent:
            fault = "there is no seal that it could be held against"
            if seal is not None:
                try:
                    one.check(seal.body.map_root)
                    if not is_canonical(one.code):
                        raise DataError(
                            "it is in no spelling that a log has: that the code itself is absent is not shown"
                        )
                    if (one.before is None and one.after is None) is not (seal.body.ids == 0):
                        raise DataError(f"the seal has {seal.body.ids} subjects, and the proof names none of them")
                    below = [index for index, _, _ in self.entries.seen[one.code].rows if index < seal.body.size]
                    if below:
                        raise DataError(f"entry {below[0]} names it")
                except DataError as error:
                    fault = str(error)
                else:
                    found.append(one.code)
                    continue
            self.findings.add(Code.ABSENCE, None, fault, one.code)
        if self.view.manifest.kind == ABSENCE_KIND and not self.view.absent:
            self.findings.add(Code.ABSENCE, None, "there is no proof of absence here")
        return tuple(found)

    # ---- what lies beside ----

    def _disclosures(self, key: VerifierKey | None) -> int:
        """How many disclosures stand."""
        good = 0
        for name, one in sorted(self.listed.private.items(), key=lambda pair: (pair[1].index, pair[1].number)):
            index = one.index or 0
            data = read_text(self.container, name, self.findings, index)
            if data is None:
                continue
            words = disclosure_fault(data, index, self.view.checkpoint, key)
            if words is None and not self.view.here(index):
                words = "its entry is not here"
            if words is None:
                good += 1
            else:
                self.findings.add(Code.DISCLOSURE, index, f"{name}: {words}")
        return good

    def _witnessed(
        self, head: Checkpoint | None, key: VerifierKey | None, policy: WitnessPolicy | None
    ) -> tuple[Witnessed | None, list[str]]:
        """Hold the witnessed notes against the log, and receipt times against them (docs/format.md section 10.1)."""
        asked = policy if policy is not None and policy.demands else None
        notes: list[str] = []
        good: list[tuple[str, Checkpoint]] = []
        for size in sorted(self.listed.witnessed):
            data = read_text(self.container, witnessed_name(size), self.findings)
            if data is not None and key is not None and (one := self._open(size, data, key, notes)) is not None:
                good.append((data.decode(), one))
        if asked is None:
            return None, [*notes, UNWITNESSED]
        if head is not None:
            good.append((self.view.checkpoint, head))
        found: list[Sufficient] = []
        for text, one in good:
            signed = cosignatures(parse_note(text), asked.verifiers)
            for words in signed.wrong:
                self.findings.add(Code.WITNESS_SIGNATURE, None, f"the note of {one.size} entries: {words}")
            note = enough(one, signed, asked)
            if note is not None:
                found.append(note)
        found.sort(key=lambda note: note.size)
        if not found:
            words = f"no checkpoint of this log is cosigned by {asked.words()}"
            self.findings.add(Code.WITNESS_QUORUM, None, words)
        runs = brackets(found, self.view.size)
        early = tuple(self._times(run.start, run.stop, run.after_s, run.before_s) for run in runs)
        behind = self.view.size - (found[-1].size if found else 0)
        return Witnessed(asked.words(), tuple(found), runs, early, behind), notes

    def _open(self, size: int, data: bytes, key: VerifierKey, notes: list[str]) -> Checkpoint | None:
        """A witnessed note, if it counts and is one of this log."""
        try:
            _, one = open_witnessed(data, key)
            if one.size != size:
                raise CheckpointError(f"it is of {one.size} entries")
        except CheckpointError as error:
            words = f"the witnessed note of {size} entries does not count: {error}"
            self.findings.add(Code.WITNESS_SIGNATURE, None, words)
            return None
        if size > self.view.size:
            words = f"{self.view.size} entries, but witnesses saw {size} that the log signed: it was rolled back"
            self.findings.add(Code.ROLLBACK, None, words)
            return None
        fault = self._consistent(size, one.root)
        if fault == "":
            notes.append(f"the witnessed note of {size} entries has no proof with it that the log extends it")
        elif fault is not None:
            words = f"the first {size} entries are not those that the log signed and witnesses saw: {fault}"
            self.findings.add(Code.FORK, None, words)
        return one if fault is None else None

    def _times(self, start: int, stop: int, after_s: int | None, before_s: int | None) -> int:
        """Hold the receipt times of the entries here of a run against what witnesses say; how many are early."""
        early = 0
        for index, header in self.view.headers(start, stop):
            time = int.from_bytes(header[8:16], "big")
            early += after_s is not None and time < after_s * 1000
            if before_s is not None and time > (before_s + LATE) * 1000:
                words = (
                    f"it says it was received {time // 1000 - before_s} s after witnesses had signed that it was there"
                )
                self.findings.add(Code.WITNESS_TIME, index, words)
        return early


class Judged:
    """What a check found, entry by entry: for a `tracing.Tracer` over the excerpt, which has no tree to look into."""

    def __init__(self, report: BundleReport) -> None:
        self.findings: tuple[Finding, ...] = tuple(one for one in report.findings if one.index is None)
        self._of: dict[int, tuple[Finding, ...]] = {}
        for one in report.findings:
            if one.index is not None:
                self._of[one.index] = (*self._of.get(one.index, ()), one)

    def check(self, index: int, subject: str) -> tuple[Finding, ...]:
        """What is wrong with an entry, as far as a subject goes."""
        return tuple(one for one in self._of.get(index, ()) if one.subject in (None, subject))
